/*
 * After start-up the worker allocates nothing: malloc and its family are counted while a turn runs, in all that a worker can meet:
 * people coming and going, keys changing, loss, garbage, reports.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include "tests/scenario/worker/room.h"

static struct room room;

#ifndef __SANITIZE_ADDRESS__
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *p);

static unsigned allocations;

static void
count(void)
{
	allocations += room_is_turning;
}

void *
malloc(size_t size)
{
	count();
	return __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
	count();
	return __libc_calloc(n, size);
}

void *
realloc(void *p, size_t size)
{
	count();
	return __libc_realloc(p, size);
}

void *
aligned_alloc(size_t alignment, size_t size)
{
	count();
	return __libc_memalign(alignment, size);
}

int
posix_memalign(void **out, size_t alignment, size_t size)
{
	count();
	*out = __libc_memalign(alignment, size);
	return *out == NULL;
}

void
free(void *p)
{
	count();
	__libc_free(p);
}
#else
static unsigned allocations;
#endif

static struct peer *
join(unsigned i)
{
	return room_join(&room, &(struct seat){.conf = 1 + i % 3,
					       .suite = (uint8_t)(i % 6),
					       .codec = (uint8_t)(1 + i % 3),
					       .ptime_ms = (uint16_t)(10 + 10 * (i % 6)),
					       .dtmf_pt = 101,
					       .lost_after_ms = 500,
					       .hz = 400 + 100.0 * i,
					       .amplitude = 1000});
}

/* Begins to play to a leg and to its conference, what displaces, ends and goes on. */
static void
play(unsigned i)
{
	static const int16_t pcm[1000];
	static const struct dp_clip clip = {.pcm = pcm, .samples = 1000};

	for (unsigned is_to_conf = 0; is_to_conf < 2; is_to_conf++) {
		struct dp_msg *msg = room_msg(DP_MSG_PLAY);

		msg->leg = i;
		msg->conf = i % 3;
		msg->play = (struct dp_msg_play){.clip = &clip,
						 .id = i + 1,
						 .gain = dp_gain_from_cdb(-100),
						 .flags = i % 2 * DP_PLAY_LOOP,
						 .except = i,
						 .is_to_conf = is_to_conf};
		room_done(room_do(&room, msg));
	}
}

static void
test_worker_allocates_nothing(void **state)
{
	struct peer *p[40];
	uint32_t names = 0, byes = 0;

	room_open(&room, 128, 8);
	for (unsigned c = 1; c <= 3; c++)
		room_conf(&room, c, 3, 4);
	for (unsigned i = 0; i < 40; i++) {
		p[i] = join(i);
		room_run(&room, 20);
	}
	for (unsigned i = 0; i < 40; i++) {
		uint8_t octets[300] = {0x80, 101};

		for (unsigned k = 2; k < 300; k++)
			octets[k] = (uint8_t)(i * k);
		room_send(&room, room_raw(&room, p[i], octets, 300));
		p[i]->seq += i % 4;
		p[i]->is_sending = i % 5 != 0;
		if (p[i]->is_secure)
			room_rekey(&room, p[i], 9);
		room_rtcp(&room, p[i], &(struct dp_rtcp_make){.cname = "peer", .ssrc = p[i]->ssrc});
		room_mix(&room, p[i], (int)i * 10, i % 7 == 0, i % 9 == 0);
		play(i);
		room_run(&room, 50);
	}
	room_run(&room, 6000);
	for (unsigned i = 0; i < 10; i++)
		room_leave(&room, p[i * 4]);
	room_run(&room, 6000);
	for (unsigned i = 0; i < 40; i++) {
		names += p[i]->name_count;
		byes += p[i]->told_byes;
	}
	assert_true(names > 0 && byes > 0);
	room_balance(&room);
	room_close(&room);
	assert_int_equal(allocations, 0);
}

#ifndef __SANITIZE_ADDRESS__
/* The watch itself: it sees an allocation, and none outside of a turn. */
static void
test_the_watch_sees(void **state)
{
	void *volatile p;

	allocations = 0;
	room_is_turning = true;
	p = malloc(10);
	room_is_turning = false;
	free(p);
	assert_int_equal(allocations, 1);
	allocations = 0;
}
#endif

int
main(void)
{
	const struct CMUnitTest tests[] = {
#ifndef __SANITIZE_ADDRESS__
		cmocka_unit_test(test_the_watch_sees),
#endif
		cmocka_unit_test(test_worker_allocates_nothing),
	};

	return cmocka_run_group_tests_name("scenario/worker/memory", tests, NULL, NULL);
}
