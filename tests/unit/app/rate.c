/* Token buckets by source: a burst, then the rate, and nobody pays for another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "ctrlplane/app/rate.h"

static struct cp_rate rate;

static int
allowed(const char *source, int times, int64_t now_ms)
{
	int count = 0;

	for (int i = 0; i < times; i++)
		count += cp_rate_may(&rate, source, 10, now_ms);
	return count;
}

static void
test_burst_then_rate(void **state)
{
	rate = (struct cp_rate){0};
	assert_int_equal(allowed("192.0.2.1", 100, 1000), 20);
	assert_int_equal(allowed("192.0.2.1", 100, 1099), 0);
	assert_int_equal(allowed("192.0.2.1", 100, 1100), 1);
	assert_int_equal(allowed("192.0.2.1", 100, 1600), 5);
	assert_int_equal(allowed("192.0.2.1", 100, 1000000), 20);
}

static void
test_each_source_has_its_own(void **state)
{
	char source[32];

	rate = (struct cp_rate){0};
	assert_int_equal(allowed("192.0.2.1", 100, 1000), 20);
	assert_int_equal(allowed("192.0.2.2", 100, 1000), 20);
	for (int i = 0; i < 100; i++) {
		snprintf(source, sizeof(source), "198.51.100.%d", i);
		assert_int_equal(allowed(source, 1, 1000), 1);
	}
}

static void
test_no_limit_and_a_clock_that_stands(void **state)
{
	rate = (struct cp_rate){0};
	for (int i = 0; i < 1000; i++)
		assert_true(cp_rate_may(&rate, "192.0.2.1", 0, 5));
	assert_int_equal(allowed("192.0.2.3", 100, 1000), 20);
	assert_int_equal(allowed("192.0.2.3", 100, 500), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_burst_then_rate),
		cmocka_unit_test(test_each_source_has_its_own),
		cmocka_unit_test(test_no_limit_and_a_clock_that_stands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
