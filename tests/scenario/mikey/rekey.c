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
	/* A CS ID that had keys gets no others. */
	cp_mikey_update_cancel(call.alice);
	line.cs_id = 1;
	assert_int_equal(cp_mikey_update_make(&w.out, call.alice, &update, &w.env, &w.fault), 0);
	assert_int_equal(
		cp_mikey_update_answer(&w.out, call.focus, &update, world_in(&w), &w.env, &w.fault),
		-EPROTO);
	world_down(&call);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_rekey_from_either_side),
		T(test_update_may_not_bring_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
