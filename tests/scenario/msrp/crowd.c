/* A room whose members read as they like: nobody waits for who does not read, nothing grows without bound, all arrives once. */
#include "tests/scenario/msrp/hall.h"

#define CHUNK(range) "Message-ID: file\r\nByte-Range: " range "\r\nContent-Type: message/cpim\r\n"

/* A chunk of a file; the first one has the head of CPIM. */
static void
file_chunk(struct guest *g, uint64_t *at, size_t len, char flag)
{
	const char *head = CPIM("ann", "room", "image/png");
	char *body = malloc(len + 1), headers[200];

	memset(body, 'f', len);
	body[len] = '\0';
	if (*at == 1)
		memcpy(body, head, strlen(head));
	snprintf(headers, sizeof(headers), CHUNK("%llu-*/*"), (unsigned long long)*at);
	hall_say(g, "f000 SEND", headers, body, flag);
	*at += len;
	free(body);
}

static void
a_reader_paces_its_sender(void **state)
{
	struct hall *h = hall_create(&(struct cp_room_limits){.window = 100000}, 0);
	struct guest *ann = hall_guest(h, 0, "ann"), *bob = hall_guest(h, 1, "bob");
	struct guest *eve = hall_guest(h, 2, "eve");
	uint64_t at = 1;
	int chunks = 0;

	bob->room = 0;
	while (!ann->is_paused) {
		file_chunk(ann, &at, 10000, '+');
		assert_true(++chunks < 20);
	}
	assert_int_equal(cp_room_receive(ann->member, "MSRP", 4, h->now_ms), 0);
	assert_true(cp_room_held(h->room) < 300000);
	/* others are not held up, neither by bob nor by ann's file */
	hall_text(eve, "t001", "room", "meanwhile");
	assert_false(eve->is_paused);
	/* bob reads, ann goes on */
	hall_reads(bob, WIRE);
	assert_false(ann->is_paused);
	file_chunk(ann, &at, 100, '$');
	assert_int_equal(bob->messages, 2);
	assert_int_equal(eve->messages, 1);
	assert_int_equal(cp_room_held(h->room), 0);
	assert_int_equal(cp_room_counts(h->room).dropped, 0);
	hall_destroy(h);
}

static void
who_does_not_read_holds_up_nobody(void **state)
{
	struct hall *h =
		hall_create(&(struct cp_room_limits){.window = 100000, .queue_max = 400000}, 0);
	struct guest *ann = hall_guest(h, 0, "ann"), *bob = hall_guest(h, 1, "bob");
	struct guest *eve = hall_guest(h, 2, "eve");
	uint64_t at = 1;

	bob->room = 0;
	h->len = 0;
	while (!ann->is_paused)
		file_chunk(ann, &at, 10000, '+');
	assert_int_equal(cp_room_next_ms(h->room), 2000);
	hall_tick(h, 1999);
	assert_true(ann->is_paused);
	hall_tick(h, 2000);
	assert_false(ann->is_paused);
	while (!bob->is_dropped) {
		file_chunk(ann, &at, 10000, '+');
		assert_false(ann->is_paused);
	}
	assert_true(at > 350000 && at < 420000);
	hall_told(h, "bob dropped: does not read what is sent to it\n");
	file_chunk(ann, &at, 10, '$');
	assert_int_equal(eve->messages, 1);
	assert_int_equal(eve->octets, at - 1);
	assert_int_equal(cp_room_held(h->room), 0);
	hall_destroy(h);
}

/* Who was slow and reads again counts again. */
static void
who_reads_again_counts_again(void **state)
{
	struct hall *h = hall_create(&(struct cp_room_limits){.window = 100000}, 0);
	struct guest *ann = hall_guest(h, 0, "ann"), *bob = hall_guest(h, 1, "bob");
	uint64_t at = 1;

	bob->room = 0;
	while (!ann->is_paused)
		file_chunk(ann, &at, 10000, '+');
	hall_tick(h, 2000);
	for (int i = 0; i < 10; i++)
		file_chunk(ann, &at, 10000, '+');
	hall_reads(bob, 70000); /* less than all, and enough for a second */
	hall_tick(h, 3000);
	assert_true(ann->is_paused);
	hall_reads(bob, WIRE);
	assert_false(ann->is_paused);
	file_chunk(ann, &at, 10, '$');
	assert_int_equal(bob->octets, at - 1);
	hall_destroy(h);
}

static void
a_stalled_one_is_dropped(void **state)
{
	struct hall *h = hall_create(&(struct cp_room_limits){.stall_ms = 5000}, 0);
	struct guest *ann = hall_guest(h, 0, "ann"), *bob = hall_guest(h, 1, "bob");

	hall_text(ann, "t001", "room", "read");
	hall_tick(h, 60000); /* nothing waits: nobody stalls */
	bob->room = 0;
	hall_text(ann, "t002", "room", "unread");
	h->len = 0;
	hall_tick(h, 64999);
	assert_false(bob->is_dropped);
	hall_tick(h, 65000);
	hall_told(h, "bob dropped: has read nothing for too long\n");
	hall_destroy(h);
}

/* A message of which more is to come does not make its readers slow. */
static void
who_waits_for_the_sender_is_not_slow(void **state)
{
	struct hall *h = hall_create(&(struct cp_room_limits){.stall_ms = 5000}, 0);
	struct guest *ann = hall_guest(h, 0, "ann"), *bob = hall_guest(h, 1, "bob");
	uint64_t at = 1;

	file_chunk(ann, &at, 5000, '+');
	hall_text(ann, "t001", "room", "between"); /* ends the chunk */
	file_chunk(ann, &at, 1000, '+');
	hall_tick(h, 100000);
	assert_false(bob->is_dropped);
	file_chunk(ann, &at, 1, '$');
	assert_int_equal(bob->messages, 2);
	hall_destroy(h);
}

static void
the_room_is_bounded(void **state)
{
	struct hall *h =
		hall_create(&(struct cp_room_limits){.store_max = 200000, .window = 10000000}, 0);
	struct guest *ann = hall_guest(h, 0, "ann"), *bob = hall_guest(h, 1, "bob");
	struct guest *eve = hall_guest(h, 2, "eve");
	uint64_t at = 1;

	eve->room = 0;
	hall_text(ann, "t001", "eve", "private"); /* a little more for eve */
	bob->room = 0;
	h->len = 0;
	while (!bob->is_dropped) {
		file_chunk(ann, &at, 10000, '+');
		assert_true(at < 500000);
	}
	hall_told(h, "eve dropped: reads less than all others, and the room is full\n"
		     "bob dropped: reads less than all others, and the room is full\n");
	assert_true(cp_room_held(h->room) < 30000);
	hall_destroy(h);
}

static void
a_crowd_talks(void **state)
{
	struct hall *h = hall_create(&(struct cp_room_limits){.queue_max = 200000}, 0);
	static const char *const names[GUESTS] = {"a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7"};
	unsigned int luck = 1;
	char id[32], text[3000];

	for (int i = 0; i < GUESTS; i++)
		hall_guest(h, i, names[i])->len = 0;
	h->guests[7].room = 0; /* reads nothing at all */
	for (int n = 0; n < 300; n++) {
		for (int i = 0; i < GUESTS - 1; i++) {
			struct guest *g = &h->guests[i];

			luck = luck * 1103515245 + 12345;
			g->len = 0;
			h->len = 0;
			snprintf(id, sizeof(id), "m%d.%d", i, n);
			memset(text, 'x', sizeof(text));
			snprintf(text, sizeof(text), "%d", n);
			if (luck >> 16 & 1) {
				text[strlen(text)] = ' ';
				text[luck >> 17 & 2047] = '\0';
			}
			if (g->is_paused)
				hall_tick(h, h->now_ms += 1000);
			hall_text(g, id, "room", text);
			if (luck >> 28 & 1)
				hall_reads(g, luck >> 16 & 16383);
		}
	}
	for (int i = 0; i < GUESTS - 1; i++) {
		hall_reads(&h->guests[i], WIRE);
		assert_int_equal(h->guests[i].messages, 300 * (GUESTS - 2));
	}
	assert_true(h->guests[7].is_dropped);
	assert_int_equal(cp_room_held(h->room), 0);
	hall_destroy(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reader_paces_its_sender),
		cmocka_unit_test(who_does_not_read_holds_up_nobody),
		cmocka_unit_test(who_reads_again_counts_again),
		cmocka_unit_test(a_stalled_one_is_dropped),
		cmocka_unit_test(who_waits_for_the_sender_is_not_slow),
		cmocka_unit_test(the_room_is_bounded),
		cmocka_unit_test(a_crowd_talks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
