/* Ticket Policies: every combination of flags against the rules written down a second time, validity
 * at its borders, wildcards, suites as SRTP parameters, eras, the replay cache. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "ctrlplane/mikey/policy.h"
#include "ctrlplane/mikey/replay.h"
#include "ctrlplane/mikey/sp.h"
#include "ctrlplane/mikey/time.h"

/* RFC 6043 6.10, word by word: bit 11 is D, bit 0 is O. */
static bool
holds(unsigned flags, bool has_tgk)
{
	bool d = flags >> 11 & 1, e = flags >> 10 & 1, f = flags >> 9 & 1, g = flags >> 8 & 1,
	     h = flags >> 7 & 1, i = flags >> 6 & 1, k = flags >> 4 & 1, l = flags >> 3 & 1,
	     m = flags >> 2 & 1;

	return (d || l) && (!g || f) && (g || h) && (h || g) && (!i || e) && (!k || d) &&
	       (!m || f) && (!(i && has_tgk) || f);
}

static void
test_every_combination(void **state)
{
	unsigned right = 0;

	for (unsigned flags = 0; flags < 4096; flags++)
		for (int has_tgk = 0; has_tgk < 2; has_tgk++) {
			bool is_right = cp_mikey_policy_broken((uint16_t)flags, has_tgk) == NULL;

			assert_int_equal(is_right, holds(flags, has_tgk));
			right += is_right;
		}
	assert_true(right > 0);
}

static void
test_what_a_responder_takes(void **state)
{
	for (unsigned flags = 0; flags < 4096; flags++) {
		bool has_all = (flags & 0x400) && (flags & 0x200) && (flags & 0x100) &&
			       (flags & 0x80) && (flags & 0x40) && (flags & 2) && (flags & 1);
		bool is_kms = (flags & 0x800) != 0;

		assert_int_equal(cp_mikey_policy_unfit((uint16_t)flags, false) == NULL,
				 has_all && is_kms);
		assert_int_equal(cp_mikey_policy_unfit((uint16_t)flags, true) == NULL, has_all);
	}
}

static void
test_profile_flags(void **state)
{
	struct cp_mikey_policy policy;

	cp_mikey_policy_init(&policy, CP_MIKEY_SET_128);
	assert_int_equal(policy.flags, 0xFC3);
	assert_int_equal(policy.prf, 0);
	assert_null(cp_mikey_policy_broken(policy.flags, true));
	assert_null(cp_mikey_policy_unfit(policy.flags, false));
}

static void
test_validity_at_its_borders(void **state)
{
	const uint64_t second = 1ULL << 32;
	struct cp_mikey_policy policy = {
		.has_start = true, .has_end = true, .start = 1000 * second, .end = 2000 * second};
	static const struct {
		uint64_t at_s;
		int64_t fraction;
		bool is_valid;
	} rows[] = {
		{700, -1, false}, {700, 0, true},   {1000, 0, true},  {1999, 0, true},
		{2000, -1, true}, {2000, 0, false}, {2001, 0, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
			cp_mikey_policy_is_valid(
				&policy, rows[i].at_s * second + (uint64_t)rows[i].fraction, 300),
			rows[i].is_valid);
	policy.has_start = policy.has_end = false;
	assert_true(cp_mikey_policy_is_valid(&policy, 0, 0));
	assert_true(cp_mikey_policy_is_valid(&policy, UINT64_MAX, 0));
}

static void
test_wildcards(void **state)
{
	static const struct {
		const char *pattern, *id;
		bool is_fine, may_be;
	} rows[] = {
		{"sip:bob@ims.example", "sip:bob@ims.example", true, true},
		{"sip:bob@ims.example", "sip:bo@ims.example", true, false},
		{"sip:*@focus.example", "sip:conf-1@focus.example", true, true},
		{"sips:*@focus.example", "sips:conf-1@focus.example", true, true},
		{"sip:*@focus.example", "sips:conf-1@focus.example", true, false},
		{"sip:*@focus.example", "sip:@focus.example", true, false},
		{"sip:*@focus.example", "sip:focus.example", true, false},
		{"sip:*@focus.example", "sip:a@b@focus.example", true, false},
		{"sip:*@focus.example", "sip:a@focus.example.org", true, false},
		{"sip:*@focus.example", "sip:a@xfocus.example", true, false},
		{"sip:*@focus.example", "tel:+1@focus.example", true, false},
		{"sip:a*@focus.example", "sip:ab@focus.example", false, false},
		{"sip:*@*.example", "sip:ab@focus.example", false, false},
		{"*", "sip:ab@focus.example", false, false},
		{"sip:*", "sip:ab", false, false},
		{"tel:*@x", "tel:1@x", false, false},
		{"sip:a@*", "sip:a@b", false, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(cp_mikey_id_is_pattern_fine(cp_mikey_id_uri(rows[i].pattern)),
				 rows[i].is_fine);
		assert_int_equal(cp_mikey_id_may_be(cp_mikey_id_uri(rows[i].pattern),
						    cp_mikey_id_uri(rows[i].id)),
				 rows[i].may_be);
	}
	assert_false(cp_mikey_id_may_be(cp_mikey_id_uri("sip:*@x"), cp_mikey_id_bytes("sip:a@x")));
	assert_false(cp_mikey_id_may_be(cp_mikey_id_bytes("sip:*@x"), cp_mikey_id_uri("sip:a@x")));
}

static void
test_suites_as_parameters(void **state)
{
	uint8_t params[CP_MIKEY_SP_MAX];

	for (int suite = 1; suite < DP_SUITE_COUNT; suite++) {
		size_t len = cp_mikey_sp_encode(params, (enum dp_suite)suite);

		assert_int_equal(cp_mikey_sp_decode(cp_mikey_octets(params, len)), suite);
		for (size_t cut = 1; cut < len; cut++)
			if (cut % 3 != 0)
				assert_int_equal(cp_mikey_sp_decode(cp_mikey_octets(params, cut)),
						 DP_SUITE_NONE);
		for (size_t i = 2; i < len; i += 3) { /* another value is another suite, or none */
			params[i] ^= 0x40;
			assert_int_not_equal(cp_mikey_sp_decode(cp_mikey_octets(params, len)),
					     suite);
			params[i] ^= 0x40;
		}
	}
	/* RFC 4567's own example: nothing stands for all defaults. */
	assert_int_equal(cp_mikey_sp_decode(cp_mikey_octets(NULL, 0)),
			 DP_SUITE_AES_CM_128_HMAC_SHA1_80);
	assert_int_equal(cp_mikey_sp_decode(cp_mikey_octets("\x0d\x01\x01", 3)), DP_SUITE_NONE);
	assert_int_equal(cp_mikey_sp_decode(cp_mikey_octets("\x01\x01\x10\x01\x01\x20", 6)),
			 DP_SUITE_NONE);
}

static void
test_eras(void **state)
{
	static const struct {
		uint64_t unix_s;
		uint32_t ntp_s;
	} rows[] = {
		{0, 2208988800u}, {1767225600, 0xED003780}, {2085978495, 0xFFFFFFFF},
		{2085978496, 0},  {2085978497, 1},	    {4233462143, 0x7FFFFFFF},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t ntp = (uint64_t)rows[i].ntp_s << 32 | 0xABCDEF01;

		assert_int_equal(cp_mikey_time_of_ntp(ntp), rows[i].unix_s << 32 | 0xABCDEF01);
		assert_int_equal(cp_mikey_time_to_ntp(rows[i].unix_s << 32 | 0xABCDEF01), ntp);
	}
	assert_int_equal(cp_mikey_time_of_ntp(0x80000000ULL << 32), 0); /* 1968 */
	assert_int_equal(cp_mikey_ts_iv(CP_MIKEY_TS_COUNTER, cp_mikey_octets("\1\2\3\4", 4)),
			 0x01020304);
	assert_int_equal(cp_mikey_ts_iv(CP_MIKEY_TS_NTP_UTC_32, cp_mikey_octets("\1\2\3\4", 4)),
			 0x0102030400000000);
}

static struct cp_mikey_replay_key
key_of(uint32_t number, const char *sender)
{
	return (struct cp_mikey_replay_key){.sender = cp_mikey_octets(sender, strlen(sender)),
					    .csb_id = number};
}

static void
test_replay_cache(void **state)
{
	struct cp_mikey_replay *replay;
	const uint64_t second = 1ULL << 32;
	struct cp_mikey_replay_key key = key_of(7, "ab"), other = key_of(7, "a");

	assert_int_equal(cp_mikey_replay_create(&replay, 8), 0);
	assert_int_equal(cp_mikey_replay_put(replay, &key, 0, 10 * second), 0);
	assert_true(cp_mikey_replay_has(replay, &key, 10 * second));
	assert_false(cp_mikey_replay_has(replay, &key, 10 * second + 1));
	assert_false(cp_mikey_replay_has(replay, &other, 0));
	assert_int_equal(cp_mikey_replay_put(replay, &key, 5 * second, 10 * second), -EEXIST);
	for (uint32_t i = 0; i < 7; i++) {
		struct cp_mikey_replay_key more = key_of(100 + i, "ab");

		assert_int_equal(cp_mikey_replay_put(replay, &more, 0, 100 * second), 0);
	}
	assert_int_equal(cp_mikey_replay_put(replay, &other, 0, 10 * second), -ENOSPC);
	assert_int_equal(cp_mikey_replay_count(replay), 8);
	/* What is past its time makes place. */
	assert_int_equal(cp_mikey_replay_put(replay, &other, 11 * second, 20 * second), 0);
	assert_int_equal(cp_mikey_replay_count(replay), 8);
	cp_mikey_replay_destroy(replay);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_combination),
		cmocka_unit_test(test_what_a_responder_takes),
		cmocka_unit_test(test_profile_flags),
		cmocka_unit_test(test_validity_at_its_borders),
		cmocka_unit_test(test_wildcards),
		cmocka_unit_test(test_suites_as_parameters),
		cmocka_unit_test(test_eras),
		cmocka_unit_test(test_replay_cache),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
