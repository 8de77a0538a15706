/* What legs are told of those whom they hear: their CNAMEs, and their BYE. RFC 3550 7.3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>
#include "tests/scenario/worker/room.h"

#define SUITE DP_SUITE_AES_CM_128_HMAC_SHA1_80
#define COMPOUND_MAX 1200
#define BYE_MS 5000
#define ALL_REPORT_MS 7000 /* the longest pause between two reports is 6.2 s */

enum { A, B, C, HIDDEN, LISTENER, COUNT };

static struct room room;
static struct peer *p[COUNT];
static const char *const names[COUNT] = {"alice@a.example", "bob", "carol@192.0.2.7", "hidden",
					 "listener"};

static void
say_name(struct peer *peer, const char *name)
{
	room_rtcp(&room, peer, &(struct dp_rtcp_make){.cname = name, .ssrc = peer->ssrc});
}

static int
begin(void **state)
{
	static const uint8_t suites[COUNT] = {SUITE, DP_SUITE_AEAD_AES_128_GCM, DP_SUITE_NONE,
					      SUITE, SUITE};

	room_open(&room, 16, 4);
	room_conf(&room, 1, 0, 8);
	for (unsigned i = 0; i < COUNT; i++) {
		p[i] = room_join(&room, &(struct seat){.conf = 1,
						       .suite = suites[i],
						       .flags = (i == B ? DP_LEG_RTCP_MUX : 0u) |
								(i == HIDDEN ? DP_LEG_PRIVATE : 0u),
						       .hz = 500 + 300.0 * i,
						       .amplitude = 4000});
		p[i]->is_sending = i != LISTENER;
	}
	for (unsigned i = 0; i < COUNT; i++)
		say_name(p[i], names[i]);
	room_run(&room, ALL_REPORT_MS);
	return 0;
}

static int
end(void **state)
{
	for (unsigned i = 0; i < room.peer_count; i++)
		assert_in_range(room.peers[i].rtcp_max, 0, COMPOUND_MAX);
	room_balance(&room);
	room_close(&room);
	return 0;
}

/* The name that the peer's last compound gave an SSRC; NULL: none. */
static const char *
name_of(const struct peer *peer, uint32_t ssrc)
{
	for (unsigned i = 0; i < peer->name_count; i++)
		if (peer->name_ssrc[i] == ssrc)
			return peer->name[i];
	return NULL;
}

static void
test_names_reach_the_others(void **state)
{
	for (unsigned i = 0; i < COUNT; i++) {
		for (unsigned j = A; j <= C; j++) {
			if (i != j)
				assert_string_equal(name_of(p[i], p[j]->ssrc), names[j]);
			else
				assert_null(name_of(p[i], p[j]->ssrc));
		}
		/* Heard, but not by name; and not heard. */
		assert_null(name_of(p[i], p[HIDDEN]->ssrc));
		assert_null(name_of(p[i], p[LISTENER]->ssrc));
		assert_int_equal(p[i]->name_count, i <= C ? 2 : 3);
		assert_int_equal(p[i]->told_byes, 0);
		assert_int_equal(p[i]->got_bad, 0);
	}
	assert_int_equal(p[LISTENER]->csrc_count, 4);
}

static void
test_only_those_who_hear_and_are_heard(void **state)
{
	room_mix(&room, p[A], 0, false, true);
	room_mix(&room, p[B], 0, true, false);
	room_update(&room, p[C], DP_DIR_RECEIVE, 0);
	room_run(&room, 2 * ALL_REPORT_MS);
	assert_int_equal(p[A]->name_count, 0);	       /* deaf */
	assert_int_equal(p[C]->name_count, 0);	       /* gets nothing */
	assert_null(name_of(p[LISTENER], p[B]->ssrc)); /* muted for so long */
	assert_string_equal(name_of(p[LISTENER], p[A]->ssrc), names[A]);
	assert_string_equal(name_of(p[LISTENER], p[C]->ssrc), names[C]);
	assert_int_equal(p[LISTENER]->told_byes, 0); /* nobody has left */
}

/* A participant names itself, nobody else; an empty name and one with a null are none. */
static void
test_names_of_others_are_not_believed(void **state)
{
	const struct dp_rtcp_cname lies[] = {{.text = "mallory", .ssrc = p[B]->ssrc},
					     {.text = "mallory", .ssrc = p[HIDDEN]->ssrc}};

	room_rtcp(&room, p[A],
		  &(struct dp_rtcp_make){
			  .cname = "", .ssrc = p[A]->ssrc, .forwards = lies, .forward_count = 2});
	room_run(&room, ALL_REPORT_MS);
	assert_int_equal(p[C]->name_count, 2);
	assert_string_equal(name_of(p[C], p[A]->ssrc), names[A]);
	assert_string_equal(name_of(p[C], p[B]->ssrc), names[B]);
}

static void
assert_all_told(uint32_t ssrc, unsigned without, unsigned times)
{
	for (unsigned i = 0; i < COUNT; i++) {
		if (i == without)
			continue;
		assert_int_equal(p[i]->told_byes, times);
		assert_int_equal(p[i]->told_bye, ssrc);
		assert_int_equal(p[i]->own_byes, 0);
	}
}

static void
test_who_leaves_is_told_of(void **state)
{
	struct peer *late;

	room_leave(&room, p[HIDDEN]);
	late = room_join(&room, &(struct seat){.conf = 1, .suite = SUITE});
	room_run(&room, BYE_MS);
	assert_all_told(p[HIDDEN]->ssrc, HIDDEN, 1);
	room_run(&room, 3 * ALL_REPORT_MS);
	assert_all_told(p[HIDDEN]->ssrc, HIDDEN, 1);
	assert_int_equal(late->told_byes, 0); /* never had it */
	/* A listener was in no CSRC list. */
	room_leave(&room, p[LISTENER]);
	room_run(&room, ALL_REPORT_MS);
	for (unsigned i = A; i <= C; i++)
		assert_int_equal(p[i]->told_byes, 1);
}

static void
test_bye_is_passed_on_once(void **state)
{
	room_rtcp(&room, p[A],
		  &(struct dp_rtcp_make){.cname = "alice", .ssrc = p[A]->ssrc, .is_bye = true});
	p[A]->is_sending = false;
	room_run(&room, BYE_MS);
	assert_int_equal(room_events(&room, DP_EVENT_BYE, p[A]->leg), 1);
	assert_all_told(p[A]->ssrc, A, 1);
	assert_int_equal(p[A]->told_byes, 0);
	room_leave(&room, p[A]);
	room_run(&room, ALL_REPORT_MS);
	assert_all_told(p[A]->ssrc, A, 1);
	assert_null(name_of(p[B], p[A]->ssrc));
}

static void
test_new_ssrc_ends_the_old(void **state)
{
	uint32_t old = p[B]->ssrc;

	p[B]->ssrc = 0x10001000u;
	room_run(&room, BYE_MS);
	assert_all_told(old, B, 1);
	room_run(&room, ALL_REPORT_MS);
	/* The old name was the old source's. */
	assert_null(name_of(p[A], old));
	assert_null(name_of(p[A], p[B]->ssrc));
	say_name(p[B], "bob again");
	room_run(&room, ALL_REPORT_MS);
	assert_string_equal(name_of(p[A], p[B]->ssrc), "bob again");
	assert_all_told(old, B, 1);
}

/* The leg that ends is told of our end, and of nothing else, though somebody has just gone. */
static void
test_our_own_bye_is_alone(void **state)
{
	struct dp_msg *msg = room_msg(DP_MSG_LEG_SSRC);

	room_leave(&room, p[B]);
	msg->leg = p[A]->leg - 1;
	msg->ssrc.ssrc = 0x30000000u;
	room_done(room_do(&room, msg));
	room_run(&room, 1);
	assert_int_equal(p[A]->own_byes, 1);
	assert_int_equal(p[A]->told_byes, 0);
	assert_int_equal(p[A]->name_count, 0);
	room_run(&room, BYE_MS);
	assert_int_equal(p[A]->told_byes, 1);
	assert_int_equal(p[A]->told_bye, p[B]->ssrc);
}

#define CROWD 300
#define TALKERS 15
#define LEAVING 10

static uint32_t
rtcp_sent(void)
{
	uint32_t sent = 0;

	for (unsigned i = 0; i < CROWD; i++)
		sent += room.peers[i].got_rtcp;
	return sent;
}

/* Names of the greatest length take turns; when many leave, nobody sends three hundred packets at once. */
static void
test_crowd_is_told_bit_by_bit(void **state)
{
	const struct peer *listener = &room.peers[CROWD - 1];
	char name[256];
	uint32_t heard = 0, most = 0, before;

	room_open(&room, CROWD, 2);
	room_conf(&room, 1, 0, 8);
	for (unsigned i = 0; i < CROWD; i++) {
		struct peer *peer = room_join(
			&room,
			&(struct seat){.conf = 1, .suite = SUITE, .amplitude = 1000, .hz = 600});

		peer->is_sending = i < TALKERS;
		snprintf(name, sizeof(name), "%0255u", i);
		say_name(peer, name);
	}
	for (unsigned t = 0; t < 60; t++) {
		room_run(&room, 1000);
		for (unsigned i = 0; i < TALKERS; i++)
			if (name_of(listener, room.peers[i].ssrc) != NULL)
				heard |= 1u << i;
		assert_in_range(listener->name_count, 0, TALKERS);
	}
	assert_int_equal(heard, (1u << TALKERS) - 1);
	for (unsigned i = 0; i < LEAVING; i++)
		room_leave(&room, &room.peers[i]);
	before = rtcp_sent();
	for (unsigned t = 0; t < BYE_MS; t++) {
		uint32_t sent;

		room_run(&room, 1);
		sent = rtcp_sent();
		if (sent - before > most)
			most = sent - before;
		before = sent;
	}
	assert_in_range(most, 1, 10);
	for (unsigned i = LEAVING; i < CROWD; i++) {
		assert_int_equal(room.peers[i].told_byes, LEAVING);
		assert_in_range(room.peers[i].rtcp_max, 200, COMPOUND_MAX);
		assert_int_equal(room.peers[i].got_bad, 0);
	}
	room_balance(&room);
	room_close(&room);
}

int
main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(test_names_reach_the_others),
		CASE(test_only_those_who_hear_and_are_heard),
		CASE(test_names_of_others_are_not_believed),
		CASE(test_who_leaves_is_told_of),
		CASE(test_bye_is_passed_on_once),
		CASE(test_new_ssrc_ends_the_old),
		CASE(test_our_own_bye_is_alone),
		cmocka_unit_test(test_crowd_is_told_bit_by_bit),
	};

	return cmocka_run_group_tests_name("scenario/worker/contributors", tests, NULL, NULL);
}
