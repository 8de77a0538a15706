/*
 * Every octet of every message of an exchange, changed one at a time, and every length that is too
 * short: refused, and nobody's state moves. One value of each octet is tried for each of its eight
 * bits.
 *
 * No octet goes unprotected. V of TRANSFER_INIT does not cover the length of Initiator Data and
 * Initiator Data (RFC 6043 5.5): of these Vr covers the Data, which the KMS checks at resolve, Vi is
 * compared with V by the responder, and a changed length does not parse. All else is under V.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "ctrlplane/mikey/csb_state.h"
#include "ctrlplane/mikey/responder_state.h"
#include "tests/scenario/mikey/world.h"

struct message {
	uint8_t octets[CP_MIKEY_MSG_MAX];
	size_t len;
};

/* Takes a spoilt message; true: it was refused as it should. */
typedef bool (*take_fn)(void *arg, struct cp_mikey_octets in);

static void
keep(struct message *m, const struct world *w)
{
	memcpy(m->octets, w->octets, w->out.len);
	m->len = w->out.len;
}

static void
spoil(const struct message *m, take_fn take, void *arg)
{
	struct message spoilt;

	for (size_t at = 0; at < m->len; at++)
		for (unsigned bit = 0; bit < 8; bit++) {
			spoilt = *m;
			spoilt.octets[at] ^= (uint8_t)(1u << bit);
			if (!take(arg, cp_mikey_octets(spoilt.octets, spoilt.len)))
				fail_msg("octet %zu of %zu, bit %u: taken", at, m->len, bit);
		}
	for (size_t len = 0; len < m->len; len++) {
		/* In room of its own, so that a sanitizer sees a read past its end. */
		uint8_t *cut = malloc(len + 1);

		memcpy(cut, m->octets, len);
		if (!take(arg, cp_mikey_octets(cut, len)))
			fail_msg("%zu octets of %zu: taken", len, m->len);
		free(cut);
	}
}

struct scene {
	struct world w;
	struct cp_mikey_account account;
	struct cp_mikey_policy policy;
	struct cp_mikey_responder_config config;
	struct cp_mikey_request *request;
	struct cp_mikey_responder *responder;
	struct cp_mikey_initiator *initiator;
	struct cp_mikey_csb *csb;
	const struct cp_mikey_update *update;
	struct cp_mikey_replay *replay, *tickets;
};

static bool
kms_takes(void *arg, struct cp_mikey_octets in)
{
	struct scene *s = (struct scene *)arg;
	size_t before = cp_mikey_replay_count(s->w.remembered);
	struct cp_mikey_kms_call call = {.in = in};
	uint64_t reads = s->w.reads;
	int error = cp_mikey_kms_handle(&s->w.out, &s->w.report, &s->w.config, &s->w.ops, &s->w.env,
					call);

	s->w.reads = reads;
	return (error != 0 || !s->w.report.is_granted) &&
	       cp_mikey_replay_count(s->w.remembered) == before && s->w.report.owner.len == 0;
}

static bool
request_takes(void *arg, struct cp_mikey_octets in)
{
	struct scene *s = (struct scene *)arg;
	struct cp_mikey_ticket *ticket;
	uint64_t reads = s->w.reads;
	int error = cp_mikey_request_take(&ticket, s->request, in, &s->w.env, &s->w.fault);

	s->w.reads = reads;
	return error == -EPROTO && !s->w.fault.authentic;
}

static bool
focus_takes(void *arg, struct cp_mikey_octets in)
{
	struct scene *s = (struct scene *)arg;
	uint64_t reads = s->w.reads;
	struct cp_mikey_responder *responder;

	memcpy(s->w.octets, in.at, in.len);
	s->w.out.len = in.len;
	responder = world_resolved(&s->w, &s->config);
	s->w.reads = reads;
	if (responder != NULL)
		cp_mikey_responder_destroy(responder);
	return responder == NULL && cp_mikey_replay_count(s->replay) == 0 &&
	       cp_mikey_replay_count(s->tickets) == 0;
}

static bool
resolve_takes(void *arg, struct cp_mikey_octets in)
{
	struct scene *s = (struct scene *)arg;
	static struct cp_mikey_responder before;
	uint64_t reads = s->w.reads;
	int error;

	memcpy(&before, s->responder, sizeof(before));
	error = cp_mikey_responder_resolve_take(s->responder, in, &s->w.env, &s->w.fault);
	s->w.reads = reads;
	return error == -EPROTO && memcmp(&before, s->responder, sizeof(before)) == 0;
}

static bool
initiator_takes(void *arg, struct cp_mikey_octets in)
{
	struct scene *s = (struct scene *)arg;
	struct cp_mikey_csb *csb;
	uint64_t reads = s->w.reads;
	int error = cp_mikey_initiator_take(&csb, s->initiator, in, &s->w.env, &s->w.fault);

	s->w.reads = reads;
	return error == -EPROTO && !s->w.fault.authentic;
}

static void
open_scene(struct scene *s, enum cp_mikey_set set)
{
	memset(s, 0, sizeof(*s));
	world_init(&s->w);
	world_people(&s->w);
	assert_int_equal(cp_mikey_replay_create(&s->replay, 64), 0);
	assert_int_equal(cp_mikey_replay_create(&s->tickets, 64), 0);
	s->account = world_account(&s->w, "sip:alice@ims.example", "sip:alice@ims.example", set);
	s->policy = world_policy(&s->w, set, "sip:alice@ims.example", world_conf);
	s->config = world_focus(&s->w);
	s->config.replay = s->replay;
	s->config.tickets = s->tickets;
}

/* The genuine message goes through after all the spoilt ones: that is what "unchanged" is worth. */
static void
spoil_exchange(enum cp_mikey_set set)
{
	static struct scene s;
	static struct message m;
	struct cp_mikey_ticket *ticket;
	struct cp_mikey_answer answer = {NULL, 0};
	struct cp_mikey_csb *alice, *focus;
	size_t asked;

	open_scene(&s, set);
	assert_int_equal(
		cp_mikey_request_make(&s.request, &s.w.out, &s.account, &s.policy, &s.w.env), 0);
	keep(&m, &s.w);
	spoil(&m, kms_takes, &s);
	memcpy(s.w.octets, m.octets, m.len);
	s.w.out.len = m.len;
	assert_int_equal(world_kms(&s.w), 0);
	assert_true(s.w.report.is_granted);
	keep(&m, &s.w);
	spoil(&m, request_takes, &s);
	assert_int_equal(cp_mikey_request_take(&ticket, s.request, cp_mikey_octets(m.octets, m.len),
					       &s.w.env, &s.w.fault),
			 0);

	s.initiator = world_call(&s.w, ticket);
	keep(&m, &s.w);
	/* Each spoilt one may cost the KMS a genuine RESOLVE_INIT, which it remembers. */
	cp_mikey_replay_destroy(s.w.remembered);
	assert_int_equal(cp_mikey_replay_create(&s.w.remembered, 65536), 0);
	spoil(&m, focus_takes, &s);
	assert_int_equal(cp_mikey_responder_create(&s.responder, &s.config,
						   cp_mikey_octets(m.octets, m.len), &s.w.env,
						   &s.w.fault),
			 0);
	assert_int_equal(cp_mikey_responder_resolve_make(&s.w.out, s.responder, &s.w.env), 0);
	keep(&m, &s.w);
	asked = cp_mikey_replay_count(s.w.remembered);
	spoil(&m, kms_takes, &s);
	assert_int_equal(cp_mikey_replay_count(s.w.remembered), asked);
	memcpy(s.w.octets, m.octets, m.len);
	s.w.out.len = m.len;
	assert_int_equal(world_kms(&s.w), 0);
	assert_true(s.w.report.is_granted);
	keep(&m, &s.w);
	spoil(&m, resolve_takes, &s);
	assert_int_equal(cp_mikey_responder_resolve_take(s.responder,
							 cp_mikey_octets(m.octets, m.len), &s.w.env,
							 &s.w.fault),
			 0);
	assert_int_equal(cp_mikey_replay_count(s.replay), 1);
	assert_int_equal(cp_mikey_replay_count(s.tickets), 1);

	assert_int_equal(cp_mikey_responder_answer(&focus, &s.w.out, s.responder, &answer, &s.w.env,
						   &s.w.fault),
			 0);
	keep(&m, &s.w);
	spoil(&m, initiator_takes, &s);
	assert_int_equal(cp_mikey_initiator_take(&alice, s.initiator,
						 cp_mikey_octets(m.octets, m.len), &s.w.env,
						 &s.w.fault),
			 0);
	cp_mikey_csb_destroy(alice);
	cp_mikey_csb_destroy(focus);
	cp_mikey_responder_destroy(s.responder);
	cp_mikey_initiator_destroy(s.initiator);
	cp_mikey_request_destroy(s.request);
	cp_mikey_ticket_destroy(ticket);
	cp_mikey_replay_destroy(s.replay);
	cp_mikey_replay_destroy(s.tickets);
	world_fini(&s.w);
	assert_int_equal(cp_secret_count(), 0);
}

static void
test_set_256(void **state)
{
	spoil_exchange(CP_MIKEY_SET_256);
}

static void
test_set_128(void **state)
{
	spoil_exchange(CP_MIKEY_SET_128);
}

static bool
update_takes(void *arg, struct cp_mikey_octets in)
{
	struct scene *s = (struct scene *)arg;
	static struct cp_mikey_csb before;
	uint64_t reads = s->w.reads;
	int error;

	memcpy(&before, s->csb, sizeof(before));
	error = s->csb->pending != NULL ? cp_mikey_update_finish(s->csb, in, &s->w.env, &s->w.fault)
					: cp_mikey_update_answer(&s->w.out, s->csb, s->update, in,
								 &s->w.env, &s->w.fault);
	s->w.reads = reads;
	return error == -EPROTO && memcmp(&before, s->csb, sizeof(before)) == 0;
}

static void
test_update(void **state)
{
	static struct scene s;
	static struct message m;
	struct world_call call;
	const enum dp_suite suites[] = {DP_SUITE_AES_CM_128_HMAC_SHA1_80};
	struct cp_mikey_line line = cp_mikey_line_srtp(3, 0x01020304, suites, 1);
	struct cp_mikey_update update = {&line, 1, true};

	open_scene(&s, CP_MIKEY_SET_256);
	world_up(&s.w, &call, CP_MIKEY_SET_256, CP_MIKEY_FLAG_L, 0);
	assert_non_null(call.alice);
	assert_int_equal(cp_mikey_update_make(&s.w.out, call.alice, &update, &s.w.env, &s.w.fault),
			 0);
	keep(&m, &s.w);
	s.csb = call.focus;
	s.update = &update;
	spoil(&m, update_takes, &s);
	assert_int_equal(cp_mikey_update_answer(&s.w.out, call.focus, &update,
						cp_mikey_octets(m.octets, m.len), &s.w.env,
						&s.w.fault),
			 0);
	keep(&m, &s.w);
	s.csb = call.alice;
	spoil(&m, update_takes, &s);
	assert_int_equal(cp_mikey_update_finish(call.alice, cp_mikey_octets(m.octets, m.len),
						&s.w.env, &s.w.fault),
			 0);
	world_down(&call);
	cp_mikey_replay_destroy(s.replay);
	cp_mikey_replay_destroy(s.tickets);
	world_fini(&s.w);
	assert_int_equal(cp_secret_count(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_256),
		cmocka_unit_test(test_set_128),
		cmocka_unit_test(test_update),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
