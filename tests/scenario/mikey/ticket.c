/* Tickets asked for and resolved, by people and by attackers: who gets what, and what is refused with
 * which number. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "ctrlplane/mikey/csb_state.h"
#include "tests/scenario/mikey/fixture.h"

static void
test_request_unknown_or_wrong_psk(void **state)
{
	alice_account.user = cp_mikey_id_uri("sip:mallory@ims.example");
	policy.initiator = alice_account.user;
	assert_null(ticket());
	refused(CP_MIKEY_ERR_AUTH, false);
	alice_account.user = policy.initiator = cp_mikey_id_uri(ALICE);
	alice_account.psk[CP_MIKEY_SET_256] = world_user(&w, BOB)->psk[CP_MIKEY_SET_256];
	assert_null(ticket());
	refused(CP_MIKEY_ERR_AUTH, false);
	assert_int_equal(cp_mikey_replay_count(w.remembered), 0);
}

static void
test_request_for_somebody_else(void **state)
{
	alice_account.user = policy.initiator = cp_mikey_id_uri(BOB);
	alice_account.psk_id = cp_mikey_id_bytes(ALICE); /* found by its name, which is alice's */
	assert_null(ticket());
	refused(CP_MIKEY_ERR_ID, true);
	alice_account.user = cp_mikey_id_uri(ALICE); /* only the policy lies */
	assert_null(ticket());
	refused(CP_MIKEY_ERR_TPPAR, true);
}

static void
test_request_skew(void **state)
{
	static const struct {
		int64_t ticks;
		bool is_taken;
	} rows[] = {{300 * 1024, true},
		    {300 * 1024 + 1, false},
		    {-300 * 1024, true},
		    {-300 * 1024 - 1, false}};

	for (size_t i = 0; i < 4; i++) {
		struct cp_mikey_request *request;
		uint64_t start = w.start;

		assert_int_equal(
			cp_mikey_request_make(&request, &w.out, &alice_account, &policy, &w.env),
			0);
		w.start += (uint64_t)(rows[i].ticks - 1) *
			   (SECOND / 1024); /* the next reading is one tick on by itself */
		assert_int_equal(world_kms(&w), 0);
		assert_int_equal(w.report.is_granted, rows[i].is_taken);
		if (!rows[i].is_taken)
			assert_int_equal(w.report.fault.error, CP_MIKEY_ERR_TS);
		w.start = start;
		cp_mikey_request_destroy(request);
	}
}

static void
test_request_replayed(void **state)
{
	struct cp_mikey_request *request;
	uint8_t copy[CP_MIKEY_MSG_MAX];
	size_t len;

	assert_int_equal(cp_mikey_request_make(&request, &w.out, &alice_account, &policy, &w.env),
			 0);
	len = w.out.len;
	memcpy(copy, w.octets, len);
	assert_int_equal(world_kms(&w), 0);
	assert_true(w.report.is_granted);
	memcpy(w.octets, copy, len);
	w.out.len = len;
	assert_int_equal(world_kms(&w), 0);
	assert_false(w.report.is_granted);
	assert_int_equal(w.report.fault.error, CP_MIKEY_ERR_TS);
	/* The Error message bears V, and is no answer to an Error message. */
	{
		struct cp_mikey_ticket *none;

		assert_int_equal(
			cp_mikey_request_take(&none, request, world_in(&w), &w.env, &w.fault),
			-EPROTO);
	}
	assert_true(w.fault.authentic);
	assert_int_equal(world_kms(&w), -EBADMSG);
	cp_mikey_request_destroy(request);
}

static void
test_data_types_that_are_not_spoken(void **state)
{
	static const uint8_t types[] = {0, CP_MIKEY_REQUEST_INIT_PK, CP_MIKEY_RESOLVE_INIT_PK,
					CP_MIKEY_TRANSFER_INIT, 99};
	struct cp_mikey_request *request;
	uint8_t copy[CP_MIKEY_MSG_MAX];
	size_t len;

	assert_int_equal(cp_mikey_request_make(&request, &w.out, &alice_account, &policy, &w.env),
			 0);
	len = w.out.len;
	memcpy(copy, w.octets, len);
	for (size_t i = 0; i < sizeof(types); i++) {
		memcpy(w.octets, copy, len);
		w.octets[1] = types[i];
		w.out.len = len;
		assert_int_equal(world_kms(&w), 0);
		assert_int_equal(w.report.fault.error, CP_MIKEY_ERR_DT);
	}
	memcpy(w.octets, copy, len);
	w.octets[0] = 2;
	w.out.len = len;
	assert_int_equal(world_kms(&w), -EBADMSG);
	memcpy(w.octets, copy, len);
	w.out.len = len - 5;
	assert_int_equal(world_kms(&w), 0);
	assert_int_equal(w.report.fault.error, CP_MIKEY_ERR_MESSAGE);
	cp_mikey_request_destroy(request);
}

static void
test_policy_that_breaks_the_rules(void **state)
{
	struct cp_mikey_request *request;

	policy.flags &= (uint16_t)~CP_MIKEY_FLAG_F; /* G wants F */
	assert_int_equal(cp_mikey_request_make(&request, &w.out, &alice_account, &policy, &w.env),
			 -EINVAL);
	policy.flags |= CP_MIKEY_FLAG_F;
	w.config.flags_clear =
		CP_MIKEY_FLAG_E; /* what the KMS makes of it breaks them: I wants E */
	assert_null(ticket());
	refused(CP_MIKEY_ERR_TPPAR, true);
	w.config.flags_clear = 0;
	policy.type = 2;
	assert_null(ticket());
	refused(CP_MIKEY_ERR_TICKET, true);
}

static void
test_kms_fills_in_and_cuts(void **state)
{
	struct cp_mikey_ticket *t = ticket();
	const struct cp_mikey_policy *granted;

	assert_int_equal(cp_mikey_ticket_policy(t)->flags, policy.flags); /* unchanged: no K */
	cp_mikey_ticket_destroy(t);
	policy.end = policy.start + 25 * 3600 * SECOND;
	t = ticket();
	granted = cp_mikey_ticket_policy(t);
	assert_int_equal(granted->end, policy.start + 24 * 3600 * SECOND);
	assert_true(granted->flags & CP_MIKEY_FLAG_K);
	cp_mikey_ticket_destroy(t);
	policy.has_start = policy.has_end = false;
	policy.initiator.data.len = policy.kms.data.len = 0;
	policy.flags |= CP_MIKEY_FLAG_K; /* means nothing from an initiator */
	policy.has_rekey = true;
	policy.rekey_s = 600;
	t = ticket();
	granted = cp_mikey_ticket_policy(t);
	assert_true(granted->flags & CP_MIKEY_FLAG_K);
	assert_true(cp_mikey_id_is_same(granted->initiator, cp_mikey_id_uri(ALICE)));
	assert_int_equal(granted->end - granted->start, 3600 * SECOND);
	assert_int_equal(granted->rekey_s, 600);
	cp_mikey_ticket_destroy(t);
	policy.has_end = true;
	policy.end = w.start;
	assert_null(ticket());
	refused(CP_MIKEY_ERR_TPPAR, true);
}

/* A KEMAC that asks for nothing: a ticket without session keys, which nobody can call with. */
/* A REQUEST_INIT with payloads that nobody expects there: skipped, and under the MAC. */
static void
test_unexpected_payloads(void **state)
{
	static struct cp_mikey_asked asked;
	struct cp_mikey_writer writer = cp_mikey_writer(w.octets, sizeof(w.octets));
	struct cp_mikey_sp sp = {.no = 3, .prot = 9, .params = cp_mikey_octets("abc", 3)};
	uint8_t copy[CP_MIKEY_MSG_MAX];
	size_t len, extra_at;

	memset(&asked, 0, sizeof(asked));
	assert_int_equal(cp_mikey_ask_start(&asked, &writer, &alice_account,
					    CP_MIKEY_REQUEST_INIT_PSK, &w.env),
			 0);
	extra_at = writer.len;
	cp_mikey_put_genext(&writer, CP_MIKEY_GENEXT_VENDOR, cp_mikey_octets("vendor", 6));
	cp_mikey_put_sp(&writer, &sp);
	cp_mikey_policy_put(&writer, CP_MIKEY_PAYLOAD_TP, &policy);
	assert_int_equal(cp_mikey_ask_end(&asked, &w.out, &writer, &alice_account), 0);
	len = w.out.len;
	memcpy(copy, w.octets, len);
	w.octets[extra_at + 5] ^= 1; /* in "vendor" */
	assert_int_equal(world_kms(&w), 0);
	assert_int_equal(w.report.fault.error, CP_MIKEY_ERR_AUTH);
	memcpy(w.octets, copy, len);
	w.out.len = len;
	assert_int_equal(world_kms(&w), 0);
	assert_true(w.report.is_granted);
	/* A payload without a known length cannot be skipped. */
	memcpy(w.octets, copy, len);
	w.octets[extra_at] = 26;
	w.out.len = len;
	assert_int_equal(world_kms(&w), 0);
	assert_int_equal(w.report.fault.error, CP_MIKEY_ERR_MESSAGE);
	cp_mikey_asked_fini(&asked);
}

static void
test_no_session_keys(void **state)
{
	struct cp_mikey_ticket *t;

	policy.has_wishes = true;
	t = ticket();
	assert_non_null(t);
	assert_int_equal(t->held_count, 0);
	assert_null(world_call(&w, t));
	cp_mikey_ticket_destroy(t);
}

static void
test_wishes_that_are_not_granted(void **state)
{
	policy.has_wishes = true;
	policy.wish_count = 1;
	policy.wishes[0] = (struct cp_mikey_wish){.type = CP_MIKEY_KEY_TGK, .key_len = 16};
	assert_null(ticket());
	refused(CP_MIKEY_ERR_TPPAR, true);
	policy.wishes[0] = (struct cp_mikey_wish){.type = CP_MIKEY_KEY_MPK, .key_len = 32};
	assert_null(ticket());
	refused(CP_MIKEY_ERR_TPPAR, true);
	policy.wish_count = 2;
	policy.wishes[0] = policy.wishes[1] = (struct cp_mikey_wish){
		.type = CP_MIKEY_KEY_TGK, .key_len = 32, .spi = cp_mikey_octets("same", 4)};
	assert_null(ticket());
	refused(CP_MIKEY_ERR_TPPAR, true);
}

/* The focus looks first; a responder that does not look is told by the KMS. */
static void
test_resolver_that_is_not_on_the_ticket(void **state)
{
	struct cp_mikey_responder_config carol = config;
	struct cp_mikey_ticket *t = ticket();
	struct cp_mikey_initiator *initiator = world_call(&w, t);
	struct cp_mikey_responder *responder;

	carol.account = world_account(&w, CAROL, CAROL, CP_MIKEY_SET_256);
	assert_int_equal(
		cp_mikey_responder_create(&responder, &carol, world_in(&w), &w.env, &w.fault),
		-EPROTO);
	assert_int_equal(w.fault.error, CP_MIKEY_ERR_ID);
	assert_int_equal(
		cp_mikey_responder_create(&responder, &config, world_in(&w), &w.env, &w.fault), 0);
	config.account = carol.account;
	assert_int_equal(cp_mikey_responder_resolve_make(&w.out, responder, &w.env), 0);
	assert_int_equal(world_kms(&w), 0);
	assert_int_equal(cp_mikey_responder_resolve_take(responder, world_in(&w), &w.env, &w.fault),
			 -EPROTO);
	refused(CP_MIKEY_ERR_ID, true);
	config = world_focus(&w);
	w.users[3].acts_for[0] = '\0'; /* the focus may not act for its conferences any more */
	assert_int_equal(cp_mikey_responder_resolve_make(&w.out, responder, &w.env), 0);
	assert_int_equal(world_kms(&w), 0);
	assert_int_equal(cp_mikey_responder_resolve_take(responder, world_in(&w), &w.env, &w.fault),
			 -EPROTO);
	refused(CP_MIKEY_ERR_ID, true);
	cp_mikey_responder_destroy(responder);
	cp_mikey_initiator_destroy(initiator);
	cp_mikey_ticket_destroy(t);
}

/* Whoever may resolve a ticket has MPKi, and could play the initiator but for Vr. */
static void
test_forged_vr(void **state)
{
	struct cp_mikey_ticket *t = ticket();
	struct cp_mikey_initiator *initiator;

	cp_secret_put(t->mpk_r);
	t->mpk_r = cp_secret_get(t->mpk_i);
	initiator = world_call(&w, t);
	assert_null(world_resolved(&w, &config));
	refused(CP_MIKEY_ERR_AUTH, true);
	cp_mikey_initiator_destroy(initiator);
	cp_mikey_ticket_destroy(t);
}

static void
test_unknown_tpk_and_rotation(void **state)
{
	struct cp_mikey_ticket *t = ticket();
	struct cp_mikey_initiator *initiator = world_call(&w, t);
	struct cp_mikey_responder *responder;

	/* Rotated: the old one stays for its tickets. */
	w.tpks[1] = w.tpks[0];
	cp_secret_get(w.tpks[1].key[0]);
	cp_secret_get(w.tpks[1].key[1]);
	memcpy(w.tpks[1].id, "tpk-2", 6);
	w.tpk_count = 2;
	responder = world_resolved(&w, &config);
	assert_non_null(responder);
	cp_mikey_responder_destroy(responder);
	cp_mikey_initiator_destroy(initiator);
	t->is_used = false;
	initiator = world_call(&w, t);
	memcpy(w.tpks[0].id, "gone", 5);
	assert_null(world_resolved(&w, &config));
	refused(CP_MIKEY_ERR_AUTH, true);
	cp_mikey_initiator_destroy(initiator);
	cp_mikey_ticket_destroy(t);
}

static void
test_mode_3(void **state)
{
	struct cp_mikey_own_ticket own = {.policy = &policy,
					  .tpk_id = cp_mikey_id_bytes("alice-tpk"),
					  .set = CP_MIKEY_SET_256};
	struct cp_mikey_answer answer = {NULL, 0};
	struct cp_mikey_ticket *t;
	struct cp_mikey_initiator *initiator;
	struct cp_mikey_responder *responder;
	struct cp_mikey_csb *alice, *focus;

	own.tpk = world_user(&w, ALICE)->tpk[CP_MIKEY_SET_256];
	assert_int_equal(cp_mikey_ticket_create(&t, &own, &w.env), 0);
	initiator = world_call(&w, t);
	assert_int_equal(
		cp_mikey_responder_create(&responder, &config, world_in(&w), &w.env, &w.fault),
		-EPROTO);
	assert_int_equal(w.fault.error, CP_MIKEY_ERR_TPPAR);
	config.takes_mode3 = true;
	responder = world_resolved(&w, &config);
	assert_non_null(responder);
	assert_int_equal(
		cp_mikey_responder_answer(&focus, &w.out, responder, &answer, &w.env, &w.fault), 0);
	assert_int_equal(cp_mikey_initiator_take(&alice, initiator, world_in(&w), &w.env, &w.fault),
			 0);
	assert_true(cp_secret_is_same(cp_mikey_csb_find(alice, 1)->srtp.octets,
				      cp_mikey_csb_find(focus, 1)->srtp.octets));
	cp_mikey_csb_destroy(alice);
	cp_mikey_csb_destroy(focus);
	cp_mikey_responder_destroy(responder);
	cp_mikey_initiator_destroy(initiator);
	cp_mikey_ticket_destroy(t);
	/* alice's key makes no tickets of bob. */
	policy.initiator = cp_mikey_id_uri(BOB);
	assert_int_equal(cp_mikey_ticket_create(&t, &own, &w.env), 0);
	initiator = world_call(&w, t);
	assert_null(world_resolved(&w, &config));
	refused(CP_MIKEY_ERR_AUTH, true);
	cp_mikey_initiator_destroy(initiator);
	cp_mikey_ticket_destroy(t);
	/* Nor tickets for ever, or past the ceiling. */
	policy.initiator = cp_mikey_id_uri(ALICE);
	for (int i = 0; i < 2; i++) {
		uint64_t end = policy.end;

		policy.has_end = i == 0;
		policy.end = policy.start + 25 * 3600 * SECOND;
		assert_int_equal(cp_mikey_ticket_create(&t, &own, &w.env), 0);
		initiator = world_call(&w, t);
		assert_null(world_resolved(&w, &config));
		refused(CP_MIKEY_ERR_TPPAR, true);
		cp_mikey_initiator_destroy(initiator);
		cp_mikey_ticket_destroy(t);
		policy.has_end = true;
		policy.end = end;
	}
	/* And the KMS's own key none with D=0. */
	policy.initiator = cp_mikey_id_uri(ALICE);
	own.tpk_id = cp_mikey_id_bytes("tpk-1");
	own.tpk = w.tpks[0].key[CP_MIKEY_SET_256];
	assert_int_equal(cp_mikey_ticket_create(&t, &own, &w.env), 0);
	initiator = world_call(&w, t);
	assert_null(world_resolved(&w, &config));
	refused(CP_MIKEY_ERR_AUTH, true);
	cp_mikey_initiator_destroy(initiator);
	cp_mikey_ticket_destroy(t);
}

/* Each at the focus, then at the KMS when the focus does not look. */
static void
test_expiry_at_its_borders(void **state)
{
	static const struct {
		int64_t after_start_s;
		bool is_taken;
	} rows[] = {{-301, false}, {-299, true}, {0, true}, {3599, true}, {3600, false}};
	uint64_t start = w.start;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cp_mikey_ticket *t;
		struct cp_mikey_initiator *initiator;
		struct cp_mikey_responder *responder;

		w.start = start;
		w.reads = 0;
		t = ticket();
		w.start = start + (uint64_t)rows[i].after_start_s * SECOND;
		initiator = world_call(&w, t);
		responder = world_resolved(&w, &config);
		assert_int_equal(responder != NULL, rows[i].is_taken);
		if (responder == NULL)
			assert_int_equal(w.fault.error, CP_MIKEY_ERR_TPPAR);
		cp_mikey_responder_destroy(responder);
		cp_mikey_initiator_destroy(initiator);
		cp_mikey_ticket_destroy(t);
	}
}

/* The focus found it valid; while it waits for the KMS the ticket runs out. */
static void
test_expires_meanwhile(void **state)
{
	struct cp_mikey_ticket *t = ticket();
	struct cp_mikey_initiator *initiator;
	struct cp_mikey_responder *responder;

	at(3599);
	initiator = world_call(&w, t);
	assert_int_equal(
		cp_mikey_responder_create(&responder, &config, world_in(&w), &w.env, &w.fault), 0);
	at(1);
	assert_int_equal(cp_mikey_responder_resolve_make(&w.out, responder, &w.env), 0);
	assert_int_equal(world_kms(&w), 0);
	assert_int_equal(cp_mikey_responder_resolve_take(responder, world_in(&w), &w.env, &w.fault),
			 -EPROTO);
	refused(CP_MIKEY_ERR_TPPAR, true);
	cp_mikey_responder_destroy(responder);
	cp_mikey_initiator_destroy(initiator);
	cp_mikey_ticket_destroy(t);
}

static void
test_wildcard_responder(void **state)
{
	struct cp_mikey_ticket *t;
	struct cp_mikey_initiator *initiator;
	struct cp_mikey_responder *responder;

	policy.responders[0] = cp_mikey_id_uri("sip:*@focus.example");
	t = ticket();
	initiator = world_call(&w, t);
	responder = world_resolved(&w, &config);
	assert_non_null(responder);
	assert_true(cp_mikey_id_is_same(cp_mikey_responder_offer(responder)->responder,
					cp_mikey_id_uri(world_conf)));
	cp_mikey_responder_destroy(responder);
	cp_mikey_initiator_destroy(initiator);
	cp_mikey_ticket_destroy(t);
	policy.responders[0] = cp_mikey_id_uri("sip:c*@focus.example");
	assert_null(ticket());
	refused(CP_MIKEY_ERR_TPPAR, true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_request_unknown_or_wrong_psk),
		T(test_request_for_somebody_else),
		T(test_request_skew),
		T(test_request_replayed),
		T(test_data_types_that_are_not_spoken),
		T(test_policy_that_breaks_the_rules),
		T(test_kms_fills_in_and_cuts),
		T(test_unexpected_payloads),
		T(test_no_session_keys),
		T(test_wishes_that_are_not_granted),
		T(test_resolver_that_is_not_on_the_ticket),
		T(test_forged_vr),
		T(test_unknown_tpk_and_rotation),
		T(test_mode_3),
		T(test_expiry_at_its_borders),
		T(test_expires_meanwhile),
		T(test_wildcard_responder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
