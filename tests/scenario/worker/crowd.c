/* Many people: thirty at once, three hundred listeners, the loudest few. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "tests/scenario/worker/room.h"

static struct room room;

static void
test_thirty_hear_each_other(void **state)
{
	struct peer *p[30];

	room_open(&room, 64, 4);
	room_conf(&room, 1, 0, 8);
	for (unsigned i = 0; i < 30; i++)
		p[i] = room_join(&room, &(struct seat){.conf = 1,
						       .suite = DP_SUITE_AES_CM_128_HMAC_SHA1_80,
						       .hz = 400 + 100.0 * i,
						       .amplitude = 700});
	room_run(&room, 1500);
	for (unsigned i = 0; i < 30; i++) {
		for (unsigned j = 0; j < 30; j++) {
			double level = room_hears(p[i], 400 + 100.0 * j, 500);

			if (i == j ? level > 60 : level < 560 || level > 840)
				fail_msg("%u hears %u at %.0f", i, j, level);
		}
		assert_int_equal(p[i]->csrc_count, 15);
		assert_int_equal(p[i]->gaps, 0);
	}
	room_balance(&room);
	room_close(&room);
}

/* Everybody who does not talk shares one encoding; talkers have their own. */
static void
test_three_hundred_listeners_share_one_frame(void **state)
{
	struct dp_worker_stats before, after;
	struct peer *p[300];

	room_open(&room, 300, 4);
	room_conf(&room, 1, 4, 8);
	for (unsigned i = 0; i < 300; i++)
		p[i] = room_join(&room, &(struct seat){.conf = 1,
						       .suite = DP_SUITE_AEAD_AES_128_GCM,
						       .hz = 500 + 300.0 * (i % 4),
						       .amplitude = i < 4 ? 3000 : 0});
	room_run(&room, 1000);
	before = room_stats(&room);
	room_run(&room, 200);
	after = room_stats(&room);
	assert_int_equal(after.frames_encoded - before.frames_encoded, 10 * (4 + 1));
	assert_int_equal(after.frames_shared - before.frames_shared, 10 * (296 - 1));
	for (unsigned i = 0; i < 300; i++) {
		for (unsigned j = 0; j < 4; j++) {
			double level = room_hears(p[i], 500 + 300.0 * j, 100);

			if (i == j ? level > 100 : level < 2700 || level > 3300)
				fail_msg("%u hears %u at %.0f", i, j, level);
		}
		assert_int_equal(p[i]->csrc_count, i < 4 ? 3 : 4);
		assert_int_equal(p[i]->gaps, 0);
	}
	room_balance(&room);
	room_close(&room);
}

/* Of ten who talk the three loudest are heard; in a small conference all are. */
static void
test_loudest_are_heard(void **state)
{
	struct peer *p[10];
	struct dp_msg *msg;

	room_open(&room, 16, 4);
	room_conf(&room, 1, 3, 4);
	for (unsigned i = 0; i < 10; i++)
		p[i] = room_join(&room, &(struct seat){.conf = 1,
						       .suite = DP_SUITE_AES_CM_128_HMAC_SHA1_80,
						       .hz = 500 + 200.0 * i,
						       .amplitude = i < 3 ? 4000 : 500});
	room_run(&room, 1500);
	for (unsigned j = 0; j < 10; j++) {
		double level = room_hears(p[9], 500 + 200.0 * j, 500);

		if (j < 3 ? level < 3700 : level > 100)
			fail_msg("%u is heard at %.0f", j, level);
	}
	assert_true(room_events(&room, DP_EVENT_TALKERS, 0) >= 1);
	msg = room_msg(DP_MSG_CONF_UPDATE);
	msg->conf_create.loudest_n = 3;
	msg->conf_create.small_size = 10;
	room_done(room_do(&room, msg));
	room_run(&room, 800);
	for (unsigned j = 0; j < 9; j++)
		assert_true(room_hears(p[9], 500 + 200.0 * j, 500) > 400);
	room_balance(&room);
	room_close(&room);
}

/* Many conferences are spread over the slots; nobody hears a neighbour. */
static void
test_conferences_are_apart(void **state)
{
	struct peer *p[120];

	room_open(&room, 128, 64);
	for (unsigned c = 1; c <= 40; c++)
		room_conf(&room, c, 0, 8);
	for (unsigned i = 0; i < 120; i++)
		p[i] = room_join(&room, &(struct seat){.conf = 1 + i / 3,
						       .suite = (uint8_t)(1 + i % 5),
						       .codec = (uint8_t)(1 + i % 3),
						       .ptime_ms = (uint16_t)(10 * (1 + i % 6)),
						       .hz = 400 + 100.0 * (i % 30),
						       .amplitude = 3000});
	for (unsigned s = 0; s < DP_WHEEL_SLOTS; s++)
		assert_int_equal(room.worker->wheel.count[s], 2);
	room_run(&room, 1500);
	for (unsigned i = 0; i < 120; i++)
		for (unsigned j = 0; j < 30; j++) {
			double level = room_hears(p[i], 400 + 100.0 * j, 500);
			bool is_theirs = i % 30 / 3 == j / 3 && i % 30 != j;

			if (is_theirs ? level < 2800 : level > 100)
				fail_msg("%u hears %u Hz at %.0f", i, 400 + 100 * j, level);
		}
	room_balance(&room);
	room_close(&room);
}

/* A tick that begins more than 5 ms after its time is late; one that is in time or a little behind is not. */
static void
test_late_ticks_are_counted(void **state)
{
	struct dp_worker_stats before, after;

	room_open(&room, 4, 1);
	room_conf(&room, 1, 0, 8);
	for (unsigned i = 0; i < 2; i++)
		room_join(&room, &(struct seat){.conf = 1, .hz = 440, .amplitude = 1000});
	room_run(&room, 200);
	before = room_stats(&room);
	room_run(&room, 1000);
	after = room_stats(&room);
	assert_int_equal(after.ticks - before.ticks, 50);
	assert_int_equal(after.ticks_late, before.ticks_late);
	room.now_ns += 26000000; /* one tick is 6 ms to 25 ms late, whichever its slot is */
	room_run(&room, 1);
	after = room_stats(&room);
	assert_in_range(after.ticks_late - before.ticks_late, 1, 2);
	room_close(&room);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_thirty_hear_each_other),
		cmocka_unit_test(test_three_hundred_listeners_share_one_frame),
		cmocka_unit_test(test_loudest_are_heard),
		cmocka_unit_test(test_conferences_are_apart),
		cmocka_unit_test(test_late_ticks_are_counted),
	};

	return cmocka_run_group_tests_name("scenario/worker/crowd", tests, NULL, NULL);
}
