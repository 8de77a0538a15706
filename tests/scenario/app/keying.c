/* The keys of one call without SIP and media plane: what goes into the session and the message of each step, what a step that
 * came to nothing leaves behind, and that both ends have the same. */
#include <errno.h>
#include <stdio.h>
#include "tests/scenario/app/call.h"

static char base64[CP_BASE64_LEN(CP_SDP_MIKEY_MAX) + 1];

/* w->octets into call->next, as ctrlplane/sdp finds it in an offer or answer. */
static void
offer_it(uint8_t cs_id)
{
	cp_sdp_drop(&call->next);
	memset(&call->next, 0, sizeof(call->next));
	cp_base64_encode(base64, w.octets, w.out.len);
	call->next.mikey = cp_slice_text(base64);
	call->next.cs_id = cs_id;
	snprintf(call->next.protocols, sizeof(call->next.protocols), "mikey");
	call->next.next.has_mikey = true;
	call->next.next.was_agreed = true;
	call->next.next.media.keying = CP_SDP_MIKEY_TICKET;
}

/* Our message, where SDP takes it from, into w->octets. */
static struct cp_mikey_octets
our_message(void)
{
	assert_true(call->local.mikey.len > 0);
	memcpy(w.octets, call->local.mikey.ptr, call->local.mikey.len);
	w.out.len = call->local.mikey.len;
	return world_in(&w);
}

static void
agree_upon(void)
{
	cp_sdp_commit(&call->sdp, &call->next);
}

/* Their keys and ours of the pair stand in the session, in their directions. */
static void
check_media(const struct cp_sdp_media *media, uint8_t from_them, uint8_t from_us)
{
	assert_int_equal(media->rx_key_count, 1);
	assert_true(cp_secret_is_same(media->rx_keys[0].octets,
				      cp_mikey_csb_find(alice, from_them)->srtp.octets));
	assert_true(cp_secret_is_same(media->tx_key.octets,
				      cp_mikey_csb_find(alice, from_us)->srtp.octets));
	assert_int_equal(cp_mikey_csb_find(alice, from_us)->ssrc, OURS);
}

/* TRANSFER_INIT of alice, in call->next. */
static struct cp_mikey_initiator *
alice_calls(const enum dp_suite *suites, size_t count, uint8_t cs_id)
{
	const struct cp_mikey_line lines[] = {
		cp_mikey_line_srtp(cs_id, THEIRS, suites, count),
		{.use = CP_MIKEY_USE_CMS, .cs_id = CP_MIKEY_CMS_CS},
	};
	const struct cp_mikey_transfer transfer = {.responder = cp_mikey_id_uri(world_conf),
						   .lines = lines,
						   .count = 2,
						   .sdp_ids = "mikey",
						   .limits = cp_mikey_limits_default()};
	struct cp_mikey_ticket *t = ticket();
	struct cp_mikey_initiator *initiator;

	assert_non_null(t);
	assert_int_equal(cp_mikey_initiator_make(&initiator, &w.out, t, &transfer, &w.env), 0);
	cp_mikey_ticket_destroy(t);
	offer_it(cs_id);
	return initiator;
}

static void
alice_takes(struct cp_mikey_initiator *initiator)
{
	struct cp_mikey_csb *made;

	assert_int_equal(cp_mikey_initiator_take(&made, initiator, our_message(), &w.env, &w.fault),
			 0);
	cp_mikey_csb_destroy(alice);
	alice = made;
	cp_mikey_initiator_destroy(initiator);
}

/* A whole dial-in of alice. */
static void
dial_in(void)
{
	static const enum dp_suite suites[] = {CM80};
	struct cp_mikey_initiator *initiator = alice_calls(suites, 1, 1);

	assert_int_equal(wait_done(cp_keying_start(call, "conf-7f3a", "192.0.2.1", done)), 0);
	assert_string_equal(cp_keying_initiator(call), ALICE);
	assert_true(cp_keying_is_open(call));
	assert_int_equal(cp_keying_answer(call), 0);
	agree_upon();
	assert_true(cp_keying_commit(call));
	assert_false(cp_keying_is_open(call));
	alice_takes(initiator);
	check_media(&call->sdp.media, 1, 2);
}

/* A CSB update of alice with those CS IDs, in call->next. */
static void
alice_updates(uint8_t cs_id, uint32_t ssrc)
{
	static const enum dp_suite suites[] = {CM80};
	struct cp_mikey_line line = cp_mikey_line_srtp(cs_id, ssrc, suites, 1);
	const struct cp_mikey_update update = {.lines = &line, .count = 1};

	assert_int_equal(cp_mikey_update_make(&w.out, alice, &update, &w.env, &w.fault), 0);
	offer_it(1);
}

static void
test_dial_in(void **state)
{
	const struct cp_mikey_session *kek;

	dial_in();
	assert_int_equal(call->sdp.media.suite, CM80);
	kek = cp_keying_session(call, CP_MIKEY_CMS_CS);
	assert_non_null(kek);
	assert_true(
		cp_secret_is_same(kek->secret, cp_mikey_csb_find(alice, CP_MIKEY_CMS_CS)->secret));
	assert_null(cp_keying_session(call, 77));
	assert_int_equal(cp_keying_rekey_s(call), 0);
}

/* TLS is found by its name among all calls, as long as its call lasts. */
static void
test_named(void **state)
{
	static const enum dp_suite suites[] = {CM80};
	const struct cp_mikey_line lines[] = {
		cp_mikey_line_srtp(1, THEIRS, suites, 1),
		{.use = CP_MIKEY_USE_TLS, .cs_id = 3},
	};
	const struct cp_mikey_transfer transfer = {.responder = cp_mikey_id_uri(world_conf),
						   .lines = lines,
						   .count = 2,
						   .sdp_ids = "mikey",
						   .csb_id = 0xcd177e50,
						   .limits = cp_mikey_limits_default()};
	struct cp_mikey_ticket *t = ticket();
	struct cp_mikey_initiator *initiator;

	assert_int_equal(cp_map_init(&app.calls), 0);
	cp_map_put(&app.calls, &call->by_leg, 1);
	assert_int_equal(cp_mikey_initiator_make(&initiator, &w.out, t, &transfer, &w.env), 0);
	offer_it(1);
	assert_int_equal(wait_done(cp_keying_start(call, "conf-7f3a", "192.0.2.1", done)), 0);
	assert_null(cp_keying_named(&app, "cd177e50-3"));
	assert_int_equal(cp_keying_answer(call), 0);
	agree_upon();
	assert_true(cp_keying_commit(call));
	alice_takes(initiator);
	assert_non_null(cp_keying_named(&app, "cd177e50-3"));
	assert_true(cp_secret_is_same(cp_keying_named(&app, "cd177e50-3")->secret,
				      cp_mikey_csb_find(alice, 3)->secret));
	assert_null(cp_keying_named(&app, "cd177e50-1")); /* the audio is no TLS */
	assert_null(cp_keying_named(&app, "cd177e51-3"));
	cp_keying_free(call);
	assert_null(cp_keying_named(&app, "cd177e50-3"));
	cp_mikey_ticket_destroy(t);
	cp_map_fini(&app.calls);
}

/* Before admission is asked nothing is known, and what is refused leaves nothing. */
static void
test_dial_in_refused(void **state)
{
	static const enum dp_suite suites[] = {CM80};
	struct cp_mikey_initiator *initiator = alice_calls(suites, 1, 1);

	assert_null(cp_keying_initiator(call));
	room.kmsd.mood = KMSD_ERROR;
	assert_int_equal(wait_done(cp_keying_start(call, "conf-7f3a", "192.0.2.1", done)), 503);
	assert_null(cp_keying_initiator(call));
	cp_keying_abort(call);
	assert_false(cp_keying_is_open(call));
	room.kmsd.mood = KMSD_WELL;
	/* Its crypto sessions are elsewhere: resolved, but no keys. */
	call->next.cs_id = 5;
	assert_int_equal(wait_done(cp_keying_start(call, "conf-7f3a", "192.0.2.1", done)), 0);
	assert_int_equal(cp_keying_answer(call), 488);
	cp_keying_abort(call);
	assert_null(cp_keying_session(call, 1));
	assert_int_equal(call->local.mikey.len, 0);
	cp_mikey_initiator_destroy(initiator);
}

static void
test_their_update(void **state)
{
	dial_in();
	alice_updates(3, THEIRS);
	assert_int_equal(cp_keying_reoffer(call), 0);
	assert_int_equal(call->next.changes & (CP_SDP_CHANGE_RX_KEY | CP_SDP_CHANGE_TX_KEY),
			 CP_SDP_CHANGE_RX_KEY | CP_SDP_CHANGE_TX_KEY);
	assert_int_equal(call->next.changes & (CP_SDP_CHANGE_RX_FRESH | CP_SDP_CHANGE_TX_FRESH), 0);
	agree_upon();
	assert_true(cp_keying_commit(call));
	assert_int_equal(cp_mikey_update_finish(alice, our_message(), &w.env, &w.fault), 0);
	check_media(&call->sdp.media, 3, 4);
	assert_null(cp_keying_session(call, 1)); /* those of the pair before are wiped */
	assert_null(cp_keying_session(call, 2));
	/* The same message again: the same keys. */
	cp_base64_encode(base64, call->keying->texts.theirs, call->keying->texts.theirs_len);
	memset(&call->next, 0, sizeof(call->next));
	call->next.mikey = cp_slice_text(base64);
	assert_int_equal(cp_keying_reoffer(call), 0);
	assert_int_equal(call->next.changes & (CP_SDP_CHANGE_RX_KEY | CP_SDP_CHANGE_TX_KEY), 0);
	agree_upon();
	assert_false(cp_keying_commit(call));
}

/* Another SSRC in the map: the receiving stream begins anew, ours goes on. */
static void
test_their_new_stream(void **state)
{
	dial_in();
	alice_updates(3, THEIRS + 1);
	assert_int_equal(cp_keying_reoffer(call), 0);
	assert_int_equal(call->next.changes & (CP_SDP_CHANGE_RX_FRESH | CP_SDP_CHANGE_TX_FRESH),
			 CP_SDP_CHANGE_RX_FRESH);
}

/* The media plane did not take it: the old keys stay, the new ones are wiped, and their CS IDs are used. */
static void
test_an_update_that_came_to_nothing(void **state)
{
	char before[CP_SDP_MIKEY_MAX];
	size_t len;

	dial_in();
	len = call->local.mikey.len;
	memcpy(before, call->local.mikey.ptr, len);
	for (uint8_t cs_id = 3; cs_id < 203; cs_id = (uint8_t)(cs_id + 2)) {
		alice_updates(cs_id, THEIRS);
		assert_int_equal(cp_keying_reoffer(call), 0);
		assert_non_null(cp_keying_session(call, cs_id));
		cp_sdp_drop(&call->next);
		cp_keying_abort(call);
		cp_mikey_update_cancel(alice);
		assert_null(cp_keying_session(call, cs_id));
		assert_non_null(cp_keying_session(call, 1));
	}
	assert_int_equal(call->local.mikey.len, len);
	assert_memory_equal(call->local.mikey.ptr, before, len);
	check_media(&call->sdp.media, 1, 2);
}

static void
test_our_update(void **state)
{
	static const enum dp_suite suites[] = {CM80};
	struct cp_mikey_line line = cp_mikey_line_srtp(3, THEIRS, suites, 1);
	const struct cp_mikey_update update = {.lines = &line, .count = 1};
	uint8_t copy[CP_SDP_MIKEY_MAX];
	struct cp_mikey_octets ours;

	dial_in();
	/* Withdrawn, and again. */
	assert_int_equal(cp_keying_update(call), 0);
	assert_int_equal(cp_keying_update(call), -EBUSY);
	cp_keying_withdraw(call);
	assert_int_equal(cp_keying_update(call), 0);
	ours = our_message();
	memcpy(copy, ours.at, ours.len);
	assert_int_equal(cp_mikey_update_answer(&w.out, alice, &update,
						cp_mikey_octets(copy, ours.len), &w.env, &w.fault),
			 0);
	offer_it(1);
	assert_int_equal(cp_keying_answered(call), 0);
	agree_upon();
	assert_true(cp_keying_commit(call));
	check_media(&call->sdp.media, 3, 4);
}

static void
test_an_answer_to_no_update(void **state)
{
	dial_in();
	w.out.len = 40;
	memset(w.octets, 0x55, 40);
	offer_it(1);
	assert_int_equal(cp_keying_answered(call), 500); /* there is none under way */
	assert_int_equal(cp_keying_update(call), 0);
	offer_it(1);
	assert_int_equal(cp_keying_answered(call), 488);
	cp_keying_withdraw(call);
	check_media(&call->sdp.media, 1, 2);
}

/* A full exchange on a call that runs: another suite if they want one; who it is stays known until it is in force. */
static void
test_full_exchange(void **state)
{
	static const enum dp_suite suites[] = {DP_SUITE_AEAD_AES_256_GCM};
	struct cp_mikey_initiator *initiator;

	dial_in();
	initiator = alice_calls(suites, 1, 1);
	assert_int_equal(cp_keying_reoffer(call), -EINPROGRESS);
	assert_int_equal(wait_done(cp_keying_start(call, "", "192.0.2.1", done)), 0);
	assert_int_equal(cp_keying_answer(call), 0);
	agree_upon();
	assert_true(cp_keying_commit(call));
	alice_takes(initiator);
	assert_int_equal(call->sdp.media.suite, DP_SUITE_AEAD_AES_256_GCM);
	check_media(&call->sdp.media, 1, 2);
	/* Their preference where the running suite is not among them; else that one. */
	initiator = alice_calls((enum dp_suite[]){CM80, DP_SUITE_AEAD_AES_256_GCM}, 2, 1);
	assert_int_equal(wait_done(cp_keying_start(call, "", "192.0.2.1", done)), 0);
	assert_int_equal(cp_keying_answer(call), 0);
	assert_int_equal(call->next.next.media.suite, DP_SUITE_AEAD_AES_256_GCM);
	cp_keying_abort(call);
	cp_mikey_initiator_destroy(initiator);
}

/* Whoever answers with keys of the ticket: the invitee or one of the list. */
static int
answered_by(const char *who, struct cp_mikey_responder **responder)
{
	struct cp_mikey_responder_config theirs = {
		.account = world_account(&w, who, who, CP_MIKEY_SET_256),
		.suites = 0x3E,
		.sdp_ids = "mikey",
	};
	static const enum dp_suite suites[] = {CM80};
	struct cp_mikey_line line = cp_mikey_line_srtp(1, THEIRS, suites, 1);
	const struct cp_mikey_answer answer = {&line, 1};

	our_message();
	*responder = world_resolved(&w, &theirs);
	if (!*responder)
		return -1;
	assert_int_equal(
		cp_mikey_responder_answer(&alice, &w.out, *responder, &answer, &w.env, &w.fault),
		0);
	cp_mikey_responder_destroy(*responder);
	offer_it(1);
	return cp_keying_answered(call);
}

static void
dial_out(const char *invitee)
{
	call->is_outgoing = true;
	call->verified_by = "none";
	snprintf(call->identity, sizeof(call->identity), "%s", invitee);
	assert_int_equal(wait_done(cp_keying_ticket(call, "conf-7f3a", invitee, done)), 0);
	assert_int_equal(cp_keying_transfer(call), 0);
}

static void
test_dial_out(void **state)
{
	static const struct {
		const char *who;
		bool is_welcome;
	} rows[] = {{ALICE, true}, {BOB, true}, {CAROL, true}};
	struct cp_mikey_responder *responder;

	for (size_t i = 0; i < 3; i++) {
		dial_out(ALICE);
		assert_int_equal(answered_by(rows[i].who, &responder), 0);
		assert_string_equal(cp_keying_initiator(call), rows[i].who);
		assert_string_equal(call->identity, rows[i].who);
		assert_string_equal(call->verified_by, "kms");
		agree_upon();
		assert_true(cp_keying_commit(call));
		check_media(&call->sdp.media, 2, 1);
		assert_non_null(cp_keying_session(call, CP_MIKEY_CMS_CS));
		cp_keying_free(call);
		cp_mikey_csb_destroy(alice);
		alice = NULL;
	}
}

/* Off the list while the phone rang: the ticket still names him, the conference does not. */
static void
test_dial_out_off_the_list(void **state)
{
	struct cp_conf_person bob = {.uri = BOB};
	struct cp_event event = {
		.type = CP_EVENT_DISALLOW, .conf = conf->id, .people = &bob, .people_count = 1};
	struct cp_effects effects = {0};
	struct cp_mikey_responder *responder;

	dial_out(ALICE);
	assert_int_equal(cp_conf_handle(app.focus, &event, 0, &effects, NULL), 0);
	cp_effects_fini(&effects);
	assert_int_equal(answered_by(BOB, &responder), 403);
	assert_string_equal(call->verified_by, "none");
}

static void
test_late_offer_is_for_one(void **state)
{
	struct cp_mikey_responder *responder;

	snprintf(call->identity, sizeof(call->identity), "%s", ALICE);
	assert_int_equal(wait_done(cp_keying_ticket(call, "conf-7f3a", ALICE, done)), 0);
	assert_int_equal(cp_keying_transfer(call), 0);
	assert_int_equal(answered_by(BOB, &responder), -1);
	assert_int_equal(w.fault.error, CP_MIKEY_ERR_ID);
	assert_int_equal(answered_by(ALICE, &responder), 0);
}

/* An offer with both that was answered by SDES: nothing of the exchange stays. */
static void
test_answered_without_mikey(void **state)
{
	dial_out(ALICE);
	assert_false(cp_keying_commit(call));
	assert_null(cp_keying_initiator(call));
	assert_false(cp_keying_needs_ticket(call));
	assert_int_equal(call->local.mikey.len, 0);
}

static void
test_used_up(void **state)
{
	dial_in();
	assert_false(cp_keying_needs_ticket(call));
	for (unsigned cs_id = 3; cs_id < CP_MIKEY_CMS_CS - 1; cs_id += 2) {
		alice_updates((uint8_t)cs_id, THEIRS);
		assert_int_equal(cp_keying_reoffer(call), 0);
		agree_upon();
		assert_true(cp_keying_commit(call));
		assert_int_equal(cp_mikey_update_finish(alice, our_message(), &w.env, &w.fault), 0);
		cp_mikey_csb_retire(alice, (uint8_t)(cs_id - 2));
		cp_mikey_csb_retire(alice, (uint8_t)(cs_id - 1));
	}
	assert_true(cp_keying_needs_ticket(call));
	assert_int_equal(cp_keying_update(call), -ENOSPC);
	assert_int_equal(wait_done(cp_keying_ticket(call, "conf-7f3a", ALICE, done)), 0);
	assert_false(cp_keying_needs_ticket(call));
	snprintf(call->identity, sizeof(call->identity), "%s", ALICE);
	assert_int_equal(cp_keying_update(call), 0);
	{
		struct cp_mikey_responder *responder;
		struct cp_mikey_csb *old = alice;

		assert_int_equal(answered_by(ALICE, &responder), 0);
		cp_mikey_csb_destroy(old);
	}
	agree_upon();
	assert_true(cp_keying_commit(call));
	check_media(&call->sdp.media, 2, 1);
	assert_false(cp_keying_needs_ticket(call));
}

int
main(void)
{
#define F(name) cmocka_unit_test_setup_teardown(name, open_call, close_call)
	const struct CMUnitTest tests[] = {
		F(test_dial_in),
		F(test_named),
		F(test_dial_in_refused),
		F(test_their_update),
		F(test_their_new_stream),
		F(test_an_update_that_came_to_nothing),
		F(test_our_update),
		F(test_an_answer_to_no_update),
		F(test_full_exchange),
		F(test_dial_out),
		F(test_dial_out_off_the_list),
		F(test_late_offer_is_for_one),
		F(test_answered_without_mikey),
		F(test_used_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
