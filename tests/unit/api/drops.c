/* The drop list: every reason has a name, a text and a blame of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "dataplane/api/drops.h"
#include "dataplane/api/suite.h"

static void
every_drop_has_a_name_of_its_own(void **state)
{
	for (int i = 0; i < DP_DROP_COUNT; i++) {
		assert_true(strlen(dp_drop_name(i)) > 0);
		assert_true(strlen(dp_drop_text(i)) > 0);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(dp_drop_name(i), dp_drop_name(j));
	}
	assert_string_equal(dp_drop_name(DP_DROP_SRTP_AUTH), "srtp_auth");
	assert_int_equal(dp_drop_blame(DP_DROP_SRTP_AUTH), DP_BLAME_ATTACK);
	assert_string_equal(dp_drop_name(DP_DROP_COUNT), "none");
}

static void
suites_have_the_sizes_of_the_rfcs(void **state)
{
	static const struct {
		enum dp_suite suite;
		int key, salt, rtp, rtcp;
	} rows[] = {
		{DP_SUITE_AES_CM_128_HMAC_SHA1_80, 16, 14, 10, 10},
		{DP_SUITE_AES_CM_128_HMAC_SHA1_32, 16, 14, 4, 10},
		{DP_SUITE_AES_256_CM_HMAC_SHA1_80, 32, 14, 10, 10},
		{DP_SUITE_AEAD_AES_128_GCM, 16, 12, 16, 16},
		{DP_SUITE_AEAD_AES_256_GCM, 32, 12, 16, 16},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct dp_suite_info *info = dp_suite_info(rows[i].suite);

		assert_int_equal(info->key, rows[i].key);
		assert_int_equal(info->salt, rows[i].salt);
		assert_int_equal(info->rtp_tag, rows[i].rtp);
		assert_int_equal(info->rtcp_tag, rows[i].rtcp);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_drop_has_a_name_of_its_own),
		cmocka_unit_test(suites_have_the_sizes_of_the_rfcs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
