/* Calls with tickets: keys at both ends, suites, several answers, what a focus refuses. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "ctrlplane/mikey/csb_state.h"
#include "ctrlplane/mikey/sp.h"
#include "tests/scenario/mikey/fixture.h"

static void
test_both_sets_key_both_ends(void **state)
{
	for (int set = 0; set < 2; set++) {
		struct world_call call;

		world_up(&w, &call, (enum cp_mikey_set)set, 0, 0);
		assert_non_null(call.alice);
		assert_int_equal(cp_mikey_csb_count(call.alice), 3);
		for (size_t i = 0; i < 3; i++) {
			const struct cp_mikey_session *a = cp_mikey_csb_session(call.alice, i),
						      *f = cp_mikey_csb_session(call.focus, i);

			assert_int_equal(a->cs_id, f->cs_id);
			assert_int_equal(a->ssrc, f->ssrc);
			assert_string_equal(a->name, f->name);
			assert_true(cp_secret_is_same(a->secret, f->secret));
			assert_true(cp_secret_is_same(a->srtp.octets, f->srtp.octets));
		}
		assert_false(cp_secret_is_same(cp_mikey_csb_session(call.alice, 0)->srtp.octets,
					       cp_mikey_csb_session(call.alice, 1)->srtp.octets));
		assert_true(cp_mikey_id_is_same(cp_mikey_csb_initiator(call.focus),
						cp_mikey_id_uri(ALICE)));
		assert_true(cp_mikey_id_is_same(cp_mikey_csb_responder(call.alice),
						cp_mikey_id_uri(world_conf)));
		world_down(&call);
	}
}

static void
test_ticket_may_transfer_once(void **state)
{
	struct cp_mikey_ticket *t = ticket();
	struct cp_mikey_initiator *first = world_call(&w, t);

	assert_non_null(first);
	assert_null(world_call(&w, t));
	cp_mikey_initiator_destroy(first);
	cp_mikey_ticket_destroy(t);
	policy.flags |= CP_MIKEY_FLAG_J;
	t = ticket();
	for (int i = 0; i < 2; i++) {
		struct cp_mikey_initiator *again = world_call(&w, t);

		assert_non_null(again);
		cp_mikey_initiator_destroy(again);
	}
	cp_mikey_ticket_destroy(t);
}

/* The same ticket twice, or the same message twice, in front of a focus that remembers. */
static void
test_focus_refuses_reuse_and_replay(void **state)
{
	for (int may_reuse = 0; may_reuse < 2; may_reuse++) {
		struct cp_mikey_ticket *t;
		struct cp_mikey_initiator *first, *second;
		struct cp_mikey_responder *responder;
		uint8_t copy[CP_MIKEY_MSG_MAX];
		size_t len;

		assert_int_equal(cp_mikey_replay_create(&config.replay, 16), 0);
		assert_int_equal(cp_mikey_replay_create(&config.tickets, 16), 0);
		policy.flags = (uint16_t)(may_reuse ? policy.flags | CP_MIKEY_FLAG_J
						    : policy.flags & ~CP_MIKEY_FLAG_J);
		t = ticket();
		first = world_call(&w, t);
		len = w.out.len;
		memcpy(copy, w.octets, len);
		responder = world_resolved(&w, &config);
		assert_non_null(responder);
		cp_mikey_responder_destroy(responder);
		memcpy(w.octets, copy, len);
		w.out.len = len;
		assert_null(world_resolved(&w, &config));
		assert_int_equal(w.fault.error, CP_MIKEY_ERR_TS);
		t->is_used = false; /* the initiator does not care */
		second = world_call(&w, t);
		assert_non_null(second);
		responder = world_resolved(&w, &config);
		assert_int_equal(responder != NULL, may_reuse);
		if (!may_reuse)
			assert_int_equal(w.fault.error, CP_MIKEY_ERR_TS);
		cp_mikey_responder_destroy(responder);
		cp_mikey_initiator_destroy(first);
		cp_mikey_initiator_destroy(second);
		cp_mikey_ticket_destroy(t);
		cp_mikey_replay_destroy(config.replay);
		cp_mikey_replay_destroy(config.tickets);
	}
}

static void
test_two_tgks_and_their_spis(void **state)
{
	const enum dp_suite suites[] = {DP_SUITE_AEAD_AES_256_GCM};
	struct cp_mikey_line lines[2] = {cp_mikey_line_srtp(1, 1, suites, 1),
					 cp_mikey_line_srtp(3, 2, suites, 1)};
	struct cp_mikey_transfer transfer = {.responder = cp_mikey_id_uri(world_conf),
					     .lines = lines,
					     .count = 2,
					     .sdp_ids = "mikey",
					     .limits = cp_mikey_limits_default()};
	struct cp_mikey_answer answer = {NULL, 0};
	struct cp_mikey_ticket *t;
	struct cp_mikey_initiator *initiator;
	struct cp_mikey_responder *responder;
	struct cp_mikey_csb *alice, *focus;

	policy.has_wishes = true;
	policy.wish_count = 2;
	policy.wishes[0] = (struct cp_mikey_wish){
		.type = CP_MIKEY_KEY_TGK, .key_len = 32, .spi = cp_mikey_octets("abc", 3)};
	policy.wishes[1] = (struct cp_mikey_wish){.type = CP_MIKEY_KEY_TGK_SALT,
						  .key_len = 32,
						  .salt_len = 12,
						  .spi = cp_mikey_octets("wxyz", 4)};
	t = ticket();
	assert_non_null(t);
	lines[1].key = 1;
	assert_int_equal(cp_mikey_initiator_make(&initiator, &w.out, t, &transfer, &w.env), 0);
	responder = world_resolved(&w, &config);
	assert_int_equal(
		cp_mikey_responder_answer(&focus, &w.out, responder, &answer, &w.env, &w.fault), 0);
	assert_int_equal(cp_mikey_initiator_take(&alice, initiator, world_in(&w), &w.env, &w.fault),
			 0);
	assert_memory_equal(cp_mikey_csb_find(focus, 1)->spi, "abc", 3);
	assert_memory_equal(cp_mikey_csb_find(focus, 3)->spi, "wxyz", 4);
	for (uint8_t id = 1; id <= 4; id++)
		assert_true(cp_secret_is_same(cp_mikey_csb_find(alice, id)->srtp.octets,
					      cp_mikey_csb_find(focus, id)->srtp.octets));
	/* A salt that came with the TGK is used, and not another derived: RFC 6043 5.1.3. */
	assert_memory_equal(cp_secret_octets(cp_mikey_csb_find(alice, 3)->srtp.octets) + 32,
			    cp_secret_octets(cp_mikey_csb_find(alice, 4)->srtp.octets) + 32, 12);
	assert_memory_not_equal(cp_secret_octets(cp_mikey_csb_find(alice, 1)->srtp.octets) + 32,
				cp_secret_octets(cp_mikey_csb_find(alice, 2)->srtp.octets) + 32,
				12);
	cp_mikey_csb_destroy(alice);
	cp_mikey_csb_destroy(focus);
	cp_mikey_responder_destroy(responder);
	cp_mikey_initiator_destroy(initiator);
	cp_mikey_ticket_destroy(t);
}

/* bob and carol are on the ticket, it is sent to bob, and carol answers. */
static void
test_retargeted_responder(void **state)
{
	struct cp_mikey_line lines[2];
	struct cp_mikey_transfer transfer = {.responder = cp_mikey_id_uri(BOB),
					     .lines = lines,
					     .count = world_lines(lines),
					     .sdp_ids = "mikey",
					     .limits = cp_mikey_limits_default()};
	struct cp_mikey_answer answer = {NULL, 0};
	struct cp_mikey_ticket *t;
	struct cp_mikey_initiator *initiator;
	struct cp_mikey_responder *responder;
	struct cp_mikey_csb *alice, *carol;

	policy.responder_count = 2;
	policy.responders[0] = cp_mikey_id_uri(BOB);
	policy.responders[1] = cp_mikey_id_uri(CAROL);
	config.account = world_account(&w, CAROL, CAROL, CP_MIKEY_SET_256);
	t = ticket();
	assert_int_equal(cp_mikey_initiator_make(&initiator, &w.out, t, &transfer, &w.env), 0);
	responder = world_resolved(&w, &config);
	assert_non_null(responder);
	assert_int_equal(
		cp_mikey_responder_answer(&carol, &w.out, responder, &answer, &w.env, &w.fault), 0);
	assert_int_equal(cp_mikey_initiator_take(&alice, initiator, world_in(&w), &w.env, &w.fault),
			 0);
	assert_true(cp_mikey_id_is_same(cp_mikey_csb_responder(alice), cp_mikey_id_uri(CAROL)));
	assert_true(cp_secret_is_same(cp_mikey_csb_find(alice, 1)->srtp.octets,
				      cp_mikey_csb_find(carol, 1)->srtp.octets));
	cp_mikey_csb_destroy(alice);
	cp_mikey_csb_destroy(carol);
	cp_mikey_responder_destroy(responder);
	cp_mikey_initiator_destroy(initiator);
	cp_mikey_ticket_destroy(t);
}

/* Two phones answer one TRANSFER_INIT: each has keys of its own. */
static void
test_forked_answers_differ(void **state)
{
	struct cp_mikey_line lines[2];
	struct cp_mikey_transfer transfer = {.responder = cp_mikey_id_uri(BOB),
					     .lines = lines,
					     .count = world_lines(lines),
					     .sdp_ids = "mikey",
					     .limits = cp_mikey_limits_default()};
	struct cp_mikey_answer answer = {NULL, 0};
	struct cp_mikey_ticket *t;
	struct cp_mikey_initiator *initiator;
	struct cp_mikey_csb *alice[2], *phone[2];
	uint8_t init[CP_MIKEY_MSG_MAX];
	size_t len;

	policy.responders[0] = cp_mikey_id_uri(BOB);
	config.account = world_account(&w, BOB, BOB, CP_MIKEY_SET_256);
	t = ticket();
	assert_int_equal(cp_mikey_initiator_make(&initiator, &w.out, t, &transfer, &w.env), 0);
	len = w.out.len;
	memcpy(init, w.octets, len);
	for (int i = 0; i < 2; i++) {
		struct cp_mikey_responder *responder;

		memcpy(w.octets, init, len);
		w.out.len = len;
		responder = world_resolved(&w, &config);
		assert_int_equal(cp_mikey_responder_answer(&phone[i], &w.out, responder, &answer,
							   &w.env, &w.fault),
				 0);
		assert_int_equal(cp_mikey_initiator_take(&alice[i], initiator, world_in(&w), &w.env,
							 &w.fault),
				 0);
		assert_true(cp_secret_is_same(cp_mikey_csb_find(alice[i], 1)->srtp.octets,
					      cp_mikey_csb_find(phone[i], 1)->srtp.octets));
		cp_mikey_responder_destroy(responder);
	}
	assert_false(cp_secret_is_same(cp_mikey_csb_find(alice[0], 1)->srtp.octets,
				       cp_mikey_csb_find(alice[1], 1)->srtp.octets));
	for (int i = 0; i < 2; i++) {
		cp_mikey_csb_destroy(alice[i]);
		cp_mikey_csb_destroy(phone[i]);
	}
	cp_mikey_initiator_destroy(initiator);
	cp_mikey_ticket_destroy(t);
}

/* Tickets that a KMS grants, and that a focus does not take: before it asks the KMS. */
static void
test_focus_refuses_early(void **state)
{
	static const struct {
		uint16_t more, less;
	} rows[] = {
		{0, CP_MIKEY_FLAG_G}, {0, CP_MIKEY_FLAG_H}, {0, CP_MIKEY_FLAG_I},
		{0, CP_MIKEY_FLAG_N}, {0, CP_MIKEY_FLAG_O}, {0, CP_MIKEY_FLAG_I | CP_MIKEY_FLAG_E},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct world_call call;

		memset(&w.report, 0, sizeof(w.report));
		world_up(&w, &call, CP_MIKEY_SET_256, rows[i].more, rows[i].less);
		assert_non_null(call.ticket);
		assert_null(call.focus);
		assert_int_equal(w.fault.error, CP_MIKEY_ERR_TPPAR);
		assert_int_equal(w.report.data_type,
				 CP_MIKEY_REQUEST_INIT_PSK); /* nobody asked it since */
		world_down(&call);
	}
}

static void
test_focus_wants_its_minimum_set(void **state)
{
	struct cp_mikey_ticket *t;
	struct cp_mikey_initiator *initiator;
	struct cp_mikey_responder *responder;

	alice_account.set = CP_MIKEY_SET_128;
	policy.prf = CP_MIKEY_PRF_MIKEY_1;
	t = ticket();
	initiator = world_call(&w, t);
	config.account.limits.min_set = CP_MIKEY_SET_256;
	assert_int_equal(
		cp_mikey_responder_create(&responder, &config, world_in(&w), &w.env, &w.fault),
		-EPROTO);
	assert_int_equal(w.fault.error, CP_MIKEY_ERR_TPPAR);
	cp_mikey_initiator_destroy(initiator);
	cp_mikey_ticket_destroy(t);
	w.config.limits.min_set = CP_MIKEY_SET_256;
	assert_null(ticket());
	refused(CP_MIKEY_ERR_TPPAR, false);
}

static void
test_list_of_protocols_is_asked_for(void **state)
{
	struct cp_mikey_ticket *t = ticket();
	struct cp_mikey_initiator *initiator = world_call(&w, t);
	struct cp_mikey_responder *responder;

	config.sdp_ids = "mikey;other";
	assert_int_equal(
		cp_mikey_responder_create(&responder, &config, world_in(&w), &w.env, &w.fault),
		-EPROTO);
	config.sdp_ids = NULL;
	assert_int_equal(
		cp_mikey_responder_create(&responder, &config, world_in(&w), &w.env, &w.fault), 0);
	cp_mikey_responder_destroy(responder);
	cp_mikey_initiator_destroy(initiator);
	cp_mikey_ticket_destroy(t);
}

/* One line of each suite, TLS and CMS in one bundle, under either set. */
static void
test_suites(void **state)
{
	for (int set = 0; set < 2; set++)
		for (int suite = 1; suite < DP_SUITE_COUNT; suite++) {
			const enum dp_suite one[] = {(enum dp_suite)suite};
			const struct dp_suite_info *info = dp_suite_info(one[0]);
			struct cp_mikey_line lines[] = {
				cp_mikey_line_srtp(1, 7, one, 1),
				{.use = CP_MIKEY_USE_TLS, .cs_id = 3},
				{.use = CP_MIKEY_USE_TLS, .cs_id = 5},
				{.use = CP_MIKEY_USE_CMS, .cs_id = CP_MIKEY_CMS_CS},
			};
			struct cp_mikey_transfer transfer = {.responder =
								     cp_mikey_id_uri(world_conf),
							     .lines = lines,
							     .count = 4,
							     .sdp_ids = "mikey",
							     .limits = cp_mikey_limits_default()};
			struct cp_mikey_answer answer = {NULL, 0};
			bool is_strong = info->key <= 16 || set == CP_MIKEY_SET_256;
			struct cp_mikey_ticket *t;
			struct cp_mikey_initiator *initiator;
			struct cp_mikey_responder *responder;
			struct cp_mikey_csb *alice, *focus;

			alice_account.set = (enum cp_mikey_set)set;
			policy.prf = (uint8_t)set;
			t = ticket();
			assert_int_equal(
				cp_mikey_initiator_make(&initiator, &w.out, t, &transfer, &w.env),
				0);
			responder = world_resolved(&w, &config);
			assert_int_equal(responder != NULL, is_strong);
			if (is_strong) {
				assert_int_equal(cp_mikey_responder_answer(&focus, &w.out,
									   responder, &answer,
									   &w.env, &w.fault),
						 0);
				assert_int_equal(cp_mikey_initiator_take(&alice, initiator,
									 world_in(&w), &w.env,
									 &w.fault),
						 0);
				assert_int_equal(cp_mikey_csb_find(alice, 1)->srtp.suite, suite);
				assert_int_equal(
					cp_secret_len(cp_mikey_csb_find(alice, 2)->srtp.octets),
					info->key + info->salt);
				assert_int_equal(cp_secret_len(cp_mikey_csb_find(focus, 3)->secret),
						 set == CP_MIKEY_SET_256 ? 32 : 16);
				assert_int_equal(
					cp_secret_len(cp_mikey_csb_find(focus, 240)->secret), 16);
				assert_string_equal(cp_mikey_csb_find(alice, 5)->name + 8, "-5");
				cp_mikey_csb_destroy(alice);
				cp_mikey_csb_destroy(focus);
			} else {
				assert_int_equal(w.fault.error, CP_MIKEY_ERR_SP);
				assert_int_equal(w.fault.suites, config.suites);
			}
			cp_mikey_responder_destroy(responder);
			cp_mikey_initiator_destroy(initiator);
			cp_mikey_ticket_destroy(t);
		}
}

/* The offer's order decides, unless the line has an order of its own. */
static void
test_suite_negotiation(void **state)
{
	const enum dp_suite offered[] = {DP_SUITE_AEAD_AES_256_GCM,
					 DP_SUITE_AES_CM_128_HMAC_SHA1_80,
					 DP_SUITE_AES_CM_128_HMAC_SHA1_32};
	const enum dp_suite ours[] = {DP_SUITE_AES_CM_128_HMAC_SHA1_32,
				      DP_SUITE_AES_CM_128_HMAC_SHA1_80};
	struct cp_mikey_line line = cp_mikey_line_srtp(1, 7, offered, 3),
			     own = cp_mikey_line_srtp(1, 9, ours, 2);
	struct cp_mikey_transfer transfer = {.responder = cp_mikey_id_uri(world_conf),
					     .lines = &line,
					     .count = 1,
					     .sdp_ids = "mikey",
					     .limits = cp_mikey_limits_default()};
	const struct {
		struct cp_mikey_answer answer;
		uint16_t suites;
		enum dp_suite chosen;
	} rows[] = {
		{{NULL, 0}, 0x3E, DP_SUITE_AEAD_AES_256_GCM},
		{{NULL, 0},
		 1u << DP_SUITE_AES_CM_128_HMAC_SHA1_32 | 1u << DP_SUITE_AES_CM_128_HMAC_SHA1_80,
		 DP_SUITE_AES_CM_128_HMAC_SHA1_80},
		{{&own, 1}, 0x3E, DP_SUITE_AES_CM_128_HMAC_SHA1_32},
	};

	for (size_t i = 0; i < 3; i++) {
		struct cp_mikey_ticket *t = ticket();
		struct cp_mikey_initiator *initiator;
		struct cp_mikey_responder *responder;
		struct cp_mikey_csb *alice, *focus;

		config.suites = rows[i].suites;
		assert_int_equal(cp_mikey_initiator_make(&initiator, &w.out, t, &transfer, &w.env),
				 0);
		responder = world_resolved(&w, &config);
		assert_int_equal(cp_mikey_responder_answer(&focus, &w.out, responder,
							   &rows[i].answer, &w.env, &w.fault),
				 0);
		assert_int_equal(
			cp_mikey_initiator_take(&alice, initiator, world_in(&w), &w.env, &w.fault),
			0);
		assert_int_equal(cp_mikey_csb_find(alice, 1)->srtp.suite, rows[i].chosen);
		assert_int_equal(cp_mikey_csb_find(alice, 2)->srtp.suite, rows[i].chosen);
		assert_int_equal(cp_mikey_csb_find(alice, 1)->ssrc, 7);
		if (rows[i].answer.count > 0)
			assert_int_equal(cp_mikey_csb_find(alice, 2)->ssrc, 9);
		cp_mikey_csb_destroy(alice);
		cp_mikey_csb_destroy(focus);
		cp_mikey_responder_destroy(responder);
		cp_mikey_initiator_destroy(initiator);
		cp_mikey_ticket_destroy(t);
	}
}

/* T of TRANSFER_INIT at the focus, of RESOLVE_RESP there, and of TRANSFER_RESP at the initiator. */
static void
test_skew_on_the_way(void **state)
{
	static const struct {
		int64_t ticks;
		bool is_near;
	} rows[] = {{300 * 1024, true},
		    {300 * 1024 + 1, false},
		    {-300 * 1024, true},
		    {-300 * 1024 - 1, false}};
	struct cp_mikey_answer answer = {NULL, 0};

	for (size_t row = 0; row < 4; row++)
		for (int hop = 0; hop < 3; hop++) {
			/* The reading that follows is one tick on by itself. */
			uint64_t shift = (uint64_t)(rows[row].ticks - 1) * (SECOND / 1024),
				 start = w.start;
			struct cp_mikey_ticket *t = ticket();
			struct cp_mikey_initiator *initiator = world_call(&w, t);
			struct cp_mikey_responder *responder = NULL;
			struct cp_mikey_csb *alice = NULL, *focus = NULL;
			int error;

			w.start += hop == 0 ? shift : 0;
			error = cp_mikey_responder_create(&responder, &config, world_in(&w), &w.env,
							  &w.fault);
			w.start = start;
			if (error == 0) {
				assert_int_equal(
					cp_mikey_responder_resolve_make(&w.out, responder, &w.env),
					0);
				assert_int_equal(world_kms(&w), 0);
				w.start += hop == 1 ? shift : 0;
				error = cp_mikey_responder_resolve_take(responder, world_in(&w),
									&w.env, &w.fault);
				/* TRANSFER_INIT is older by some readings: it may be stale, and
				 * known for genuine by then, where the answer is just near. */
				if (hop == 1 && rows[row].is_near && error < 0) {
					assert_int_equal(w.fault.error, CP_MIKEY_ERR_TS);
					assert_true(w.fault.authentic);
					error = 0;
				}
				w.start = start;
			}
			if (error == 0 && hop == 2) {
				assert_int_equal(cp_mikey_responder_answer(&focus, &w.out,
									   responder, &answer,
									   &w.env, &w.fault),
						 0);
				w.start += shift;
				error = cp_mikey_initiator_take(&alice, initiator, world_in(&w),
								&w.env, &w.fault);
				w.start = start;
			}
			assert_int_equal(error == 0, rows[row].is_near);
			if (error < 0)
				assert_int_equal(w.fault.error, CP_MIKEY_ERR_TS);
			cp_mikey_csb_destroy(alice);
			cp_mikey_csb_destroy(focus);
			cp_mikey_responder_destroy(responder);
			cp_mikey_initiator_destroy(initiator);
			cp_mikey_ticket_destroy(t);
		}
}

/* The focus tells the initiator why, with V once it has the keys. */
static void
test_error_message_of_the_focus(void **state)
{
	const struct cp_mikey_fault stranger = {.error = CP_MIKEY_ERR_TS};
	const struct cp_mikey_fault known = {
		.error = CP_MIKEY_ERR_SP, .authentic = true, .suites = 0x3E};
	struct cp_mikey_msg msg;
	struct cp_mikey_sp sp;
	struct cp_mikey_ticket *t = ticket();
	struct cp_mikey_initiator *initiator = world_call(&w, t);
	struct cp_mikey_responder *responder;
	struct cp_mikey_csb *none;

	assert_int_equal(cp_mikey_responder_error(&w.out, NULL, world_in(&w), &w.env, &stranger),
			 0);
	assert_int_equal(cp_mikey_initiator_take(&none, initiator, world_in(&w), &w.env, &w.fault),
			 -EPROTO);
	assert_int_equal(w.fault.error, CP_MIKEY_ERR_TS);
	assert_false(w.fault.authentic);
	cp_mikey_initiator_destroy(initiator);
	t->is_used = false;
	initiator = world_call(&w, t);
	responder = world_resolved(&w, &config);
	assert_int_equal(cp_mikey_responder_error(&w.out, responder, world_in(&w), &w.env, &known),
			 0);
	assert_int_equal(cp_mikey_initiator_take(&none, initiator, world_in(&w), &w.env, &w.fault),
			 -EPROTO);
	assert_int_equal(w.fault.error, CP_MIKEY_ERR_SP);
	assert_true(w.fault.authentic);
	/* It names what would have been taken: RFC 6043 5.4. */
	assert_int_equal(cp_mikey_msg_decode(&msg, world_in(&w)), 0);
	for (uint8_t suite = 1; suite < DP_SUITE_COUNT; suite++) {
		assert_true(cp_mikey_find_sp(&sp, &msg.payloads, suite, CP_MIKEY_PROT_SRTP));
		assert_int_equal(cp_mikey_sp_decode(sp.params), suite);
	}
	cp_mikey_responder_destroy(responder);
	cp_mikey_initiator_destroy(initiator);
	cp_mikey_ticket_destroy(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_both_sets_key_both_ends),
		T(test_ticket_may_transfer_once),
		T(test_focus_refuses_reuse_and_replay),
		T(test_two_tgks_and_their_spis),
		T(test_retargeted_responder),
		T(test_forked_answers_differ),
		T(test_focus_refuses_early),
		T(test_focus_wants_its_minimum_set),
		T(test_list_of_protocols_is_asked_for),
		T(test_suites),
		T(test_suite_negotiation),
		T(test_skew_on_the_way),
		T(test_error_message_of_the_focus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
