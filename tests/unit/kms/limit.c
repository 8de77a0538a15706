/* Token buckets: a burst, then the rate; a flood of sources does not free one that is limited. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "ctrlplane/kms/limit.h"

#define S ((int64_t)1000000000)

static int
take_all(struct cp_kms_bucket *bucket, int64_t rate, int64_t now_ns)
{
	int taken = 0;

	while (taken < 100000 && cp_kms_bucket_take(bucket, rate, now_ns))
		taken++;
	return taken;
}

static void
a_burst_then_the_rate(void **state)
{
	struct cp_kms_bucket bucket = {0};

	assert_int_equal(take_all(&bucket, 10, 5 * S), 10 * CP_KMS_BURST_S);
	assert_int_equal(take_all(&bucket, 10, 5 * S + S / 10 - 1), 0);
	assert_int_equal(take_all(&bucket, 10, 5 * S + S / 10), 1);
	assert_int_equal(take_all(&bucket, 10, 6 * S), 9);
	assert_int_equal(take_all(&bucket, 10, 1000 * S), 10 * CP_KMS_BURST_S);
	assert_int_equal(take_all(&bucket, 10, 999 * S), 0); /* a clock that goes back gives none */
	assert_int_equal(take_all(&bucket, 0, 1000 * S), 100000);
}

static void
sources_are_apart(void **state)
{
	struct cp_kms_limits *limits;
	int taken = 0;

	assert_int_equal(cp_kms_limits_create(&limits, 1024, 7), 0);
	while (cp_kms_limits_take(limits, 1, 5, S))
		taken++;
	assert_int_equal(taken, 5 * CP_KMS_BURST_S);
	assert_true(cp_kms_limits_take(limits, 2, 5, S));
	assert_true(cp_kms_limits_take(limits, 3, 0, S));
	cp_kms_limits_destroy(limits);
}

static void
a_flood_frees_nobody(void **state)
{
	struct cp_kms_limits *limits;

	assert_int_equal(cp_kms_limits_create(&limits, 1024, 99), 0);
	while (cp_kms_limits_take(limits, 42, 5, S))
		;
	for (uint64_t key = 1000; key < 200000; key++)
		cp_kms_limits_take(limits, key, 5, S + 1);
	assert_false(cp_kms_limits_take(limits, 42, 5, S + 2));
	cp_kms_limits_destroy(limits);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_then_the_rate),
		cmocka_unit_test(sources_are_apart),
		cmocka_unit_test(a_flood_frees_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
