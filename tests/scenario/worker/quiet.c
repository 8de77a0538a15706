/*
 * What a turn leaves alone: it makes no system call and takes no lock, whatever happens in it (the fake port makes none of its own);
 * and a conference where nobody sends or is sent anything costs no turn and no tick. memory.c watches malloc in the same way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "tests/scenario/worker/room.h"

#define PEOPLE 40

static struct room room;
static struct peer *p[PEOPLE];
static unsigned locks;
static volatile sig_atomic_t calls, last_call;

/* pthread_mutex_lock as everybody in the process finds it. */
int
pthread_mutex_lock(pthread_mutex_t *mutex)
{
	static int (*real)(pthread_mutex_t * mutex);

	locks += room_is_turning;
	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "pthread_mutex_lock");
	return real(mutex);
}

/* The kernel stops a system call while the selector says so, and asks here; the rest of the turn may pass. */
static void
on_call(int number, siginfo_t *info, void *context)
{
	room_is_turning = false;
	calls++;
	last_call = info->si_syscall;
}

/* room_is_turning is the selector: 0 allows, 1 blocks. */
static bool
watch_calls(void)
{
#ifdef PR_SET_SYSCALL_USER_DISPATCH
	const struct sigaction action = {.sa_sigaction = on_call, .sa_flags = SA_SIGINFO};

	_Static_assert(sizeof(room_is_turning) == 1, "the kernel reads one octet");
	sigaction(SIGSYS, &action, NULL);
	return prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0, 0, &room_is_turning) == 0;
#else
	return false;
#endif
}

static void
watch_ends(void)
{
#ifdef PR_SET_SYSCALL_USER_DISPATCH
	prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_OFF, 0, 0, 0);
#endif
}

/* The watch itself: it sees a system call and a lock in a turn, and none outside of it. */
static void
test_the_watch_sees(void **state)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

	calls = 0;
	locks = 0;
	pthread_mutex_lock(&mutex);
	pthread_mutex_unlock(&mutex);
	assert_int_equal(locks, 0);
	room_is_turning = true;
	pthread_mutex_lock(&mutex);
	room_is_turning = false;
	pthread_mutex_unlock(&mutex);
	assert_int_equal(locks, 1);
	if (!watch_calls())
		skip();
	syscall(SYS_getppid);
	assert_int_equal(calls, 0);
	room_is_turning = true;
	syscall(SYS_getppid);
	room_is_turning = false;
	watch_ends();
	assert_int_equal(calls, 1);
	assert_int_equal(last_call, SYS_getppid);
}

static void
people_come(void)
{
	for (unsigned i = 0; i < PEOPLE; i++) {
		p[i] = room_join(&room, &(struct seat){.conf = 1 + i % 3,
						       .suite = (uint8_t)(i % 6),
						       .codec = (uint8_t)(1 + i % 3),
						       .ptime_ms = (uint16_t)(10 + 10 * (i % 6)),
						       .dtmf_pt = 101,
						       .lost_after_ms = 500,
						       .hz = 400 + 100.0 * i,
						       .amplitude = 1000});
		room_run(&room, 20);
	}
}

/* Loss, garbage, silence, new keys, reports, mute: what the worker has to do with. */
static void
people_trouble(void)
{
	for (unsigned i = 0; i < PEOPLE; i++) {
		uint8_t octets[300] = {0x80, 101};

		for (unsigned k = 2; k < sizeof(octets); k++)
			octets[k] = (uint8_t)(i * k);
		room_send(&room, room_raw(&room, p[i], octets, sizeof(octets)));
		p[i]->seq += i % 4;
		p[i]->is_sending = i % 5 != 0;
		if (p[i]->is_secure)
			room_rekey(&room, p[i], 9);
		room_rtcp(&room, p[i], &(struct dp_rtcp_make){.cname = "peer", .ssrc = p[i]->ssrc});
		room_mix(&room, p[i], (int)i * 10, i % 7 == 0, i % 9 == 0);
		room_run(&room, 50);
	}
}

static void
test_no_call_and_no_lock_in_a_turn(void **state)
{
	bool is_watching;

	calls = 0;
	locks = 0;
	room_open(&room, 128, 8);
	for (unsigned c = 1; c <= 3; c++)
		room_conf(&room, c, 3, 4);
	is_watching = watch_calls();
	people_come();
	people_trouble();
	room_run(&room, 6000);
	for (unsigned i = 0; i < PEOPLE; i++)
		room_leave(&room, p[i]);
	watch_ends();
	room_balance(&room);
	room_close(&room);
	if (calls > 0)
		fail_msg("%d system calls in turns, the last was number %d", (int)calls,
			 (int)last_call);
	assert_int_equal(locks, 0);
	if (!is_watching)
		skip();
}

/* Without legs, and with legs that are all on hold. */
static void
test_an_idle_conference_costs_nothing(void **state)
{
	const unsigned confs = 50;
	struct dp_worker_stats before, after;
	unsigned busy = 0;

	room_open(&room, 128, 64);
	for (unsigned c = 1; c <= confs + 1; c++)
		room_conf(&room, c, 0, 8);
	assert_int_equal(room.worker->wheel.total, 0);
	for (unsigned i = 0; i < 2 * confs; i++)
		room_join(&room, &(struct seat){.conf = 1 + i / 2,
						.suite = DP_SUITE_AES_CM_128_HMAC_SHA1_80});
	assert_int_equal(room.worker->wheel.total, confs);
	room_run(&room, 100);
	for (unsigned i = 0; i < 2 * confs; i++) {
		room.peers[i].is_sending = false;
		room_update(&room, &room.peers[i], 0, 0);
	}
	assert_int_equal(room.worker->wheel.total, 0);
	before = room_stats(&room);
	for (unsigned ms = 0; ms < 900; ms++) {
		room.now_ns += 1000000;
		room.worker->did_work = false;
		room_turn(&room);
		busy += room.worker->did_work;
	}
	after = room_stats(&room);
	assert_int_equal(after.ticks, before.ticks);
	assert_int_equal(after.frames_encoded, before.frames_encoded);
	/* Nothing but the reports on what was heard before the hold. */
	assert_in_range(after.made - before.made, 0, 2 * confs);
	assert_in_range(busy, 0, 2 * confs);
	for (unsigned i = 0; i < 2 * confs; i++)
		room_update(&room, &room.peers[i], DP_DIR_RECEIVE | DP_DIR_SEND, 0);
	assert_int_equal(room.worker->wheel.total, confs);
	room_run(&room, 100);
	assert_true(room_stats(&room).ticks > after.ticks);
	room_balance(&room);
	room_close(&room);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_watch_sees),
		cmocka_unit_test(test_no_call_and_no_lock_in_a_turn),
		cmocka_unit_test(test_an_idle_conference_costs_nothing),
	};

	return cmocka_run_group_tests_name("scenario/worker/quiet", tests, NULL, NULL);
}
