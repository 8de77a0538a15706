/* What chair and signalling ask for: mute, deaf, gain, hold, leaving in mid-stream, a peer that begins anew, a machine that stalls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "tests/scenario/worker/room.h"

#define SUITE DP_SUITE_AES_CM_128_HMAC_SHA1_80
#define BOTH (DP_DIR_RECEIVE | DP_DIR_SEND)

static struct room room;
static struct peer *p[3];

static int
begin(void **state)
{
	room_open(&room, 16, 4);
	room_conf(&room, 1, 0, 8);
	for (unsigned i = 0; i < 3; i++)
		p[i] = room_join(&room, &(struct seat){.conf = 1,
						       .suite = SUITE,
						       .lost_after_ms = 2000,
						       .hz = 500 + 300.0 * i,
						       .amplitude = 4000});
	room_run(&room, 1000);
	return 0;
}

static int
end(void **state)
{
	room_balance(&room);
	room_close(&room);
	return 0;
}

static void
hears(unsigned who, unsigned whom, double from, double to)
{
	double level = room_hears(p[who], p[whom]->hz, 300);

	if (level < from || level > to)
		fail_msg("%u hears %u at %.0f", who, whom, level);
}

static void
test_muted_is_not_heard_but_measured(void **state)
{
	room_mix(&room, p[0], 0, true, false);
	room_run(&room, 500);
	hears(1, 0, 0, 50);
	hears(2, 0, 0, 50);
	hears(0, 1, 3700, 4300);
	hears(2, 1, 3700, 4300);
	assert_true(room_leg_stats(&room, p[0]).level_rx < 40);
	assert_int_equal(p[1]->csrc_count, 1);
	assert_int_equal(p[1]->csrc[0], p[2]->ssrc);
	room_mix(&room, p[0], 0, false, false);
	room_run(&room, 500);
	hears(1, 0, 3700, 4300);
}

/* Whenever it comes, the order counts from the next frame on: no frame has both, and none is without. */
static void
test_a_floor_passes_within_a_tick(void **state)
{
	for (unsigned phase = 0; phase < 20; phase++) {
		unsigned holder = phase % 2, other = 1 - holder;

		room_mix(&room, p[holder], 0, true, false);
		room_mix(&room, p[other], 0, false, false);
		room_run(&room, 20);
		if (room_hears(p[2], p[other]->hz, 20) < 3000 ||
		    room_hears(p[2], p[holder]->hz, 20) > 1000)
			fail_msg("%u ms into a tick: %.0f of the holder, %.0f of who was it", phase,
				 room_hears(p[2], p[other]->hz, 20),
				 room_hears(p[2], p[holder]->hz, 20));
		room_run(&room, 101); /* another place in the tick */
	}
}

static void
test_deaf_hears_silence(void **state)
{
	uint32_t got = p[0]->got;

	room_mix(&room, p[0], 0, false, true);
	room_run(&room, 500);
	hears(0, 1, 0, 20);
	hears(0, 2, 0, 20);
	hears(1, 0, 3700, 4300);
	assert_in_range(p[0]->got - got, 24, 26);
	assert_int_equal(p[0]->csrc_count, 0);
	assert_int_equal(room_leg_stats(&room, p[0]).level_tx, 127);
}

static void
test_gain_is_in_decibels(void **state)
{
	room_mix(&room, p[0], 600, false, false);
	room_mix(&room, p[1], -2000, false, false);
	room_run(&room, 500);
	hears(2, 0, 7500, 8400);
	hears(2, 1, 370, 430);
}

static void
test_hold_stops_and_time_goes_on(void **state)
{
	uint32_t got, ts = p[0]->last_ts, markers = p[0]->markers;
	uint16_t seq = p[0]->last_seq;

	room_update(&room, p[0], 0, 0);
	got = p[0]->got;
	room_run(&room, 3000);
	assert_int_equal(p[0]->got, got);
	hears(1, 0, 0, 50);
	hears(1, 2, 3700, 4300);
	assert_true(room_leg_stats(&room, p[0]).drops[DP_DROP_NOT_RECEIVING] > 140);
	assert_int_equal(room_events(&room, DP_EVENT_MEDIA_LOST, 0), 0);
	room_update(&room, p[0], BOTH, 0);
	room_run(&room, 500);
	hears(0, 1, 3700, 4300);
	hears(1, 0, 3700, 4300);
	assert_int_equal(p[0]->gaps, 0);
	assert_int_equal((uint16_t)(p[0]->last_seq - seq), p[0]->got - got);
	assert_in_range(p[0]->last_ts - ts, 3480 * 8, 3520 * 8);
	assert_int_equal(p[0]->markers, markers + 1);
}

static void
test_one_way(void **state)
{
	room_update(&room, p[0], DP_DIR_SEND, 0);
	room_run(&room, 500);
	hears(0, 1, 3700, 4300);
	hears(1, 0, 0, 50);
	room_update(&room, p[0], DP_DIR_RECEIVE, 0);
	uint32_t got = p[0]->got;

	room_run(&room, 500);
	assert_int_equal(p[0]->got, got);
	hears(1, 0, 3700, 4300);
}

static void
test_leaving_in_mid_stream(void **state)
{
	struct peer *leaver = p[0];

	room_leave(&room, leaver);
	room_run(&room, 500);
	hears(1, 0, 0, 50);
	hears(1, 2, 3700, 4300);
	assert_int_equal(p[1]->gaps + p[2]->gaps, 0);
	/* What it still sends finds nobody. */
	struct dp_worker_stats before = room_stats(&room);
	uint8_t octets[172] = {0x80};

	room_send(&room, room_raw(&room, leaver, octets, sizeof(octets)));
	room_run(&room, 2);
	assert_int_equal(room_stats(&room).drops[DP_DROP_NOT_FOR_US],
			 before.drops[DP_DROP_NOT_FOR_US] + 1);
}

static void
test_silence_when_alone(void **state)
{
	uint32_t got = p[0]->got;

	room_leave(&room, p[1]);
	room_leave(&room, p[2]);
	room_run(&room, 400);
	assert_in_range(p[0]->got - got, 19, 21);
	assert_int_equal(p[0]->csrc_count, 0);
	hears(0, 0, 0, 1);
}

static void
test_new_source_is_followed(void **state)
{
	uint32_t concealed = room_leg_stats(&room, p[0]).concealed_frames;

	p[0]->ssrc += 0x01010101;
	p[0]->seq += 7777;
	p[0]->ts += 99999;
	room_run(&room, 1000);
	hears(1, 0, 3700, 4300);
	assert_int_equal(room_leg_stats(&room, p[0]).ssrc_changes, 1);
	assert_int_equal(room_leg_stats(&room, p[0]).ssrc_rx, p[0]->ssrc);
	assert_true(room_leg_stats(&room, p[0]).concealed_frames - concealed < 10);
}

/* RFC 3550 8.2: a peer uses our SSRC; we leave ours with a BYE when the control thread has found another. */
static void
test_collision_is_told(void **state)
{
	uint32_t ours = room.worker->legs[p[1]->leg - 1].tx_ssrc;
	struct dp_msg *msg = room_msg(DP_MSG_LEG_SSRC);

	p[0]->ssrc = ours;
	room_run(&room, 100);
	assert_int_equal(room_events(&room, DP_EVENT_SSRC_COLLISION, p[1]->leg), 1);
	msg->leg = p[1]->leg - 1;
	msg->ssrc.ssrc = 0x30303030;
	msg->ssrc.seq = 5;
	room_done(room_do(&room, msg));
	room_run(&room, 300);
	assert_int_equal(p[1]->last_ssrc, 0x30303030);
	assert_int_equal(p[1]->own_byes, 1);
	assert_int_equal(p[1]->got_bad, 0);
}

/* The other way round: what we are given for a new leg is already a participant's. */
static void
test_collision_of_a_new_leg(void **state)
{
	struct peer *late;

	p[0]->ssrc = 0x20000004; /* what the room gives to its fourth leg */
	room_run(&room, 100);
	late = room_join(&room, &(struct seat){.conf = 1, .suite = SUITE, .hz = 2000});
	room_run(&room, 5);
	assert_int_equal(late->leg, 4);
	assert_int_equal(room_events(&room, DP_EVENT_SSRC_COLLISION, 4), 1);
	assert_int_equal(room_events(&room, DP_EVENT_SSRC_COLLISION, 0), 1);
}

static void
test_stall_is_skipped(void **state)
{
	uint32_t got = p[0]->got, ts = p[0]->last_ts;
	uint64_t skipped = room_stats(&room).ticks_skipped;

	room.now_ns += 1000000000u;
	for (unsigned i = 0; i < 3; i++) {
		p[i]->next_ns += 1000000000u;
		p[i]->ts += 8000;
	}
	room_run(&room, 20);
	assert_in_range(p[0]->got - got, 1, 4);
	assert_true(room_stats(&room).ticks_skipped - skipped >= 45);
	room_run(&room, 1000);
	assert_in_range(p[0]->last_ts - ts, 2000 * 8, 2040 * 8);
	hears(1, 0, 3700, 4300);
}

static void
test_media_lost_and_back(void **state)
{
	p[0]->is_sending = false;
	room_run(&room, 1800);
	assert_int_equal(room_events(&room, DP_EVENT_MEDIA_LOST, 0), 0);
	room_run(&room, 700);
	assert_int_equal(room_events(&room, DP_EVENT_MEDIA_LOST, p[0]->leg), 1);
	assert_int_equal(room_events(&room, DP_EVENT_MEDIA_LOST, 0), 1);
	p[0]->is_sending = true;
	room_run(&room, 500);
	assert_int_equal(room_events(&room, DP_EVENT_MEDIA_BACK, p[0]->leg), 1);
	hears(1, 0, 3700, 4300);
}

/* The last TALKERS event names these, the loudest first; 0: nobody. */
static void
assert_talkers(unsigned events, uint32_t first, uint32_t second)
{
	const struct dp_event_rec *last = NULL;

	assert_int_equal(room_events(&room, DP_EVENT_TALKERS, 0), events);
	for (uint32_t i = 0; i < room.event_count; i++)
		if (room.events[i].event == DP_EVENT_TALKERS)
			last = &room.events[i];
	assert_non_null(last);
	assert_int_equal(last->conf, 1);
	assert_int_equal(last->talker_count, (first != 0) + (second != 0));
	if (first != 0)
		assert_int_equal(last->talkers[0], first);
	if (second != 0)
		assert_int_equal(last->talkers[1], second);
}

/* Told when it changes who talks, and only then. */
static void
test_talkers_are_told(void **state)
{
	unsigned before;

	p[0]->amplitude = 2000;
	p[1]->amplitude = 8000;
	p[2]->amplitude = 0;
	room_run(&room, 3000);
	before = room_events(&room, DP_EVENT_TALKERS, 0);
	assert_talkers(before, p[1]->leg, p[0]->leg);
	room_run(&room, 2000);
	room_leave(&room, p[2]);
	room_run(&room, 2000);
	assert_talkers(before, p[1]->leg, p[0]->leg);
	room_mix(&room, p[1], 0, true, false);
	room_run(&room, 3000);
	assert_talkers(before + 1, p[0]->leg, 0);
	p[0]->amplitude = 0;
	room_run(&room, 3000);
	assert_talkers(before + 2, 0, 0);
	room_leave(&room, p[1]);
	room_run(&room, 1000);
	assert_talkers(before + 2, 0, 0);
	p[0]->amplitude = 2000;
	room_run(&room, 1000);
	assert_talkers(before + 3, p[0]->leg, 0);
}

int
main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(test_muted_is_not_heard_but_measured),
		CASE(test_a_floor_passes_within_a_tick),
		CASE(test_deaf_hears_silence),
		CASE(test_gain_is_in_decibels),
		CASE(test_hold_stops_and_time_goes_on),
		CASE(test_one_way),
		CASE(test_leaving_in_mid_stream),
		CASE(test_silence_when_alone),
		CASE(test_new_source_is_followed),
		CASE(test_collision_is_told),
		CASE(test_collision_of_a_new_leg),
		CASE(test_stall_is_skipped),
		CASE(test_media_lost_and_back),
		CASE(test_talkers_are_told),
	};

	return cmocka_run_group_tests_name("scenario/worker/order", tests, NULL, NULL);
}
