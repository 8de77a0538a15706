/* CSB updates from either side. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "ctrlplane/mikey/csb_state.h"
#include "tests/scenario/mikey/fixture.h"

/* A re-key of the first line from one side: both have the new keys, and still the old ones. */
static void
rekey(struct cp_mikey_csb *from, struct cp_mikey_csb *to, bool new_tgk)
{
	const enum dp_suite suites[] = {DP_SUITE_AES_CM_128_HMAC_SHA1_80};
	uint8_t pair = cp_mikey_csb_free_pair(from);
	struct cp_mikey_line mine = cp_mikey_line_srtp(pair, 0xAAAA0000u + pair, suites, 1),
			     theirs = cp_mikey_line_srtp(pair, 0xBBBB0000u + pair, suites, 1);
	struct cp_mikey_update update = {&mine, 1, new_tgk}, answer = {&theirs, 1, false};
	size_t before = cp_mikey_csb_count(from);
	uint8_t init[CP_MIKEY_MSG_MAX];
	size_t len;

	assert_int_equal(cp_mikey_update_make(&w.out, from, &update, &w.env, &w.fault), 0);
	len = w.out.len;
	memcpy(init, w.octets, len);
	assert_int_equal(
		cp_mikey_update_answer(&w.out, from, &update, world_in(&w), &w.env, &w.fault),
		-EPROTO); /* reflected */
	assert_int_equal(cp_mikey_update_answer(&w.out, to, &answer, cp_mikey_octets(init, len),
						&w.env, &w.fault),
			 0);
	assert_int_equal(cp_mikey_update_finish(from, world_in(&w), &w.env, &w.fault), 0);
	assert_int_equal(cp_mikey_update_answer(&w.out, to, &answer, cp_mikey_octets(init, len),
						&w.env, &w.fault),
			 -EPROTO); /* replayed */
	assert_int_equal(w.fault.error, CP_MIKEY_ERR_TS);
	for (int i = 0; i < 2; i++) {
		const struct cp_mikey_session *a = cp_mikey_csb_find(from, (uint8_t)(pair + i)),
					      *b = cp_mikey_csb_find(to, (uint8_t)(pair + i));

		assert_true(cp_secret_is_same(a->srtp.octets, b->srtp.octets));
		assert_int_equal(a->ssrc, b->ssrc);
		for (size_t s = 0; s < before; s++)
			assert_false(cp_secret_is_same(a->srtp.octets,
						       cp_mikey_csb_session(from, s)->srtp.octets));
	}
	assert_int_equal(cp_mikey_csb_count(from), before + 2);
	assert_int_equal(cp_mikey_csb_count(to), before + 2);
	/* Who sends on it is known by its number: the initiator on the odd one. */
	assert_int_equal(cp_mikey_csb_find(to, pair)->ssrc >> 16,
			 from->is_initiator ? 0xAAAA : 0xBBBB);
}

static void
test_rekey_from_either_side(void **state)
{
	for (int set = 0; set < 2; set++) {
		struct world_call call;

		world_up(&w, &call, (enum cp_mikey_set)set, CP_MIKEY_FLAG_L | CP_MIKEY_FLAG_M, 0);
		rekey(call.alice, call.focus, false);
		rekey(call.focus, call.alice, false);
		rekey(call.alice, call.focus, true);
		rekey(call.focus, call.alice, true);
		for (uint8_t id = 1; id < 9; id++) {
			cp_mikey_csb_retire(call.alice, id);
			assert_null(cp_mikey_csb_find(call.alice, id));
		}
		assert_int_equal(cp_mikey_csb_free_pair(call.alice),
				 11); /* numbers are not given again */
		world_down(&call);
	}
}

static void
test_update_may_not_bring_keys(void **state)
{
	struct cp_mikey_line line;
	struct cp_mikey_update update = {&line, 1, true};
	const enum dp_suite suites[] = {DP_SUITE_AES_CM_128_HMAC_SHA1_80};
	struct world_call call;

	line = cp_mikey_line_srtp(3, 1, suites, 1);
	world_up(&w, &call, CP_MIKEY_SET_256, 0, 0);
	assert_int_equal(cp_mikey_update_make(&w.out, call.alice, &update, &w.env, &w.fault),
			 -EPROTO);
	/* Who does not keep to it is not answered. */
	call.alice->flags |= CP_MIKEY_FLAG_L;
	assert_int_equal(cp_mikey_update_make(&w.out, call.alice, &update, &w.env, &w.fault), 0);
	update.new_tgk = false;
	assert_int_equal(
		cp_mikey_update_answer(&w.out, call.focus, &update, world_in(&w), &w.env, &w.fault),
		-EPROTO);
	assert_true(w.fault.authentic);
	world_down(&call);
}

/* Alice's update with these pairs, answered by the focus and finished. */
static int
update_with(struct world_call *call, const uint8_t *pairs, size_t count, uint32_t ssrc)
{
	const enum dp_suite suites[] = {DP_SUITE_AES_CM_128_HMAC_SHA1_80};
	struct cp_mikey_line lines[4], ours = cp_mikey_line_srtp(pairs[count - 1], 7, suites, 1);
	const struct cp_mikey_update update = {lines, count, false}, answer = {&ours, 1, false};
	uint8_t init[CP_MIKEY_MSG_MAX];
	size_t len;
	int error;

	for (size_t i = 0; i < count; i++)
		lines[i] = cp_mikey_line_srtp(pairs[i], ssrc, suites, 1);
	assert_int_equal(cp_mikey_update_make(&w.out, call->alice, &update, &w.env, &w.fault), 0);
	len = w.out.len;
	memcpy(init, w.octets, len);
	error = cp_mikey_update_answer(&w.out, call->focus, &answer, cp_mikey_octets(init, len),
				       &w.env, &w.fault);
	if (error == 0)
		error = cp_mikey_update_finish(call->alice, world_in(&w), &w.env, &w.fault);
	else
		cp_mikey_update_cancel(call->alice);
	return error;
}

static const struct cp_secret *
key_of(const struct cp_mikey_csb *csb, uint8_t id)
{
	return cp_mikey_csb_find(csb, id)->srtp.octets;
}

/* RFC 3830 4.5: what is listed again goes on under its keys, whoever lists all that there is. */
static void
test_sessions_that_go_on(void **state)
{
	static const uint8_t again[] = {1}, more[] = {1, 3}, over[] = {1, 3, 5};
	struct world_call call;
	struct cp_secret *before;
	uint32_t ours;

	world_up(&w, &call, CP_MIKEY_SET_256, 0, 0);
	before = cp_secret_get(cp_mikey_csb_find(call.focus, 1)->srtp.octets);
	ours = cp_mikey_csb_find(call.focus, 2)->ssrc;
	assert_int_equal(update_with(&call, again, 1, 0x11223344), 0);
	assert_int_equal(cp_mikey_csb_count(call.focus), 3);
	assert_true(cp_secret_is_same(key_of(call.focus, 1), before));
	assert_int_equal(cp_mikey_csb_find(call.alice, 2)->ssrc, ours);
	/* Another SSRC for what she sends: as she says. */
	assert_int_equal(update_with(&call, more, 2, 0x99), 0);
	assert_int_equal(cp_mikey_csb_count(call.focus), 5);
	assert_int_equal(cp_mikey_csb_find(call.focus, 1)->ssrc, 0x99);
	assert_true(cp_secret_is_same(key_of(call.focus, 1), before));
	assert_true(cp_secret_is_same(key_of(call.focus, 3), key_of(call.alice, 3)));
	assert_false(cp_secret_is_same(key_of(call.focus, 3), before));
	/* One whose keys are over: listed with what is new it stays over, alone it is refused. */
	for (uint8_t id = 1; id <= 2; id++) {
		cp_mikey_csb_retire(call.focus, id);
		cp_mikey_csb_retire(call.alice, id);
	}
	assert_int_equal(update_with(&call, over, 3, 0x99), 0);
	assert_null(cp_mikey_csb_find(call.focus, 1));
	assert_non_null(cp_mikey_csb_find(call.focus, 5));
	assert_int_equal(update_with(&call, again, 1, 0x99), -EPROTO);
	assert_true(w.fault.authentic);
	cp_secret_put(before);
	world_down(&call);
}

/* A session with keys gets neither another suite nor another key. */
static void
test_sessions_that_would_change(void **state)
{
	const enum dp_suite suites[] = {DP_SUITE_AEAD_AES_128_GCM};
	struct cp_mikey_line line = cp_mikey_line_srtp(1, 0x11223344, suites, 1);
	struct cp_mikey_update update = {&line, 1, false};
	struct world_call call;
	uint8_t init[CP_MIKEY_MSG_MAX];

	world_up(&w, &call, CP_MIKEY_SET_256, CP_MIKEY_FLAG_L, 0);
	for (int i = 0; i < 2; i++) {
		update.new_tgk = i == 1;
		if (i == 1)
			line = cp_mikey_line_srtp(
				1, 0x11223344, (enum dp_suite[]){DP_SUITE_AES_CM_128_HMAC_SHA1_80},
				1);
		assert_int_equal(
			cp_mikey_update_make(&w.out, call.alice, &update, &w.env, &w.fault), 0);
		memcpy(init, w.octets, w.out.len);
		assert_int_equal(cp_mikey_update_answer(&w.out, call.focus, &update,
							cp_mikey_octets(init, w.out.len), &w.env,
							&w.fault),
				 -EPROTO);
		assert_true(w.fault.authentic);
		cp_mikey_update_cancel(call.alice);
	}
	assert_int_equal(cp_mikey_csb_count(call.focus), 3);
	assert_int_equal(call.focus->held_count, 1);
	world_down(&call);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_sessions_that_go_on),
		T(test_sessions_that_would_change),
		T(test_rekey_from_either_side),
		T(test_update_may_not_bring_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
