/* The harness itself: choosing by name, quantiles, rounds, the exit code. */
#include "bench/lib/bench.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static int ran[3];

static int
run_good(const struct bench_case *row, struct bench_result *out)
{
	ran[*(const int *)row->arg]++;
	out->value = 1;
	out->is_verified = true;
	return 0;
}

static int
run_wrong(const struct bench_case *row, struct bench_result *out)
{
	ran[*(const int *)row->arg]++;
	return 0;
}

static const int zero = 0, one = 1, two = 2;
static const struct bench_case cases[] = {
	{"a.b.c", "ns", run_good, &zero, false},
	{"a.bc", "ns", run_good, &one, false},
	{"z", "ns", run_wrong, &two, true},
};

static int
run(const char *want)
{
	char program[] = "test", name[32];
	char *argv[] = {program, name, NULL};

	memset(ran, 0, sizeof(ran));
	snprintf(name, sizeof(name), "%s", want ? want : "");
	return bench_main(want ? 2 : 1, argv, cases, 3);
}

static void
names_choose(void **state)
{
	assert_int_equal(run(NULL), 0);
	assert_int_equal(ran[0] + 10 * ran[1] + 100 * ran[2], 11);
	assert_int_equal(run("a.b."), 0);
	assert_int_equal(ran[0] + 10 * ran[1], 1);
	assert_int_equal(run("a.b*"), 0);
	assert_int_equal(ran[0] + 10 * ran[1], 11);
	assert_int_equal(run("a.b"), 2);
}

static void
unverified_fails(void **state)
{
	assert_int_equal(run("z"), 1);
	assert_int_equal(ran[2], 1);
}

static void
quantiles_by_nearest_rank(void **state)
{
	double v[] = {5, 1, 4, 2, 3};

	assert_true(bench_quantile(v, 5, 0.5) == 3);
	assert_true(bench_quantile(v, 5, 0.99) == 5);
	assert_true(bench_quantile(v, 5, 0) == 1);
	assert_true(bench_quantile(v, 0, 0.5) == 0);
}

static void
count_up(void *arg)
{
	++*(unsigned *)arg;
}

static void
rounds_are_counted(void **state)
{
	unsigned calls = 0;
	struct bench_plan plan = {
		.round = count_up, .arg = &calls, .min_rounds = 7, .budget_ms = 1};
	struct bench_timing t;

	assert_int_equal(bench_time(&t, &plan), 0);
	assert_true(t.rounds >= 7);
	assert_int_equal(calls, t.rounds + 3);
	assert_true(t.min <= t.p50 && t.p50 <= t.p99);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_choose),
		cmocka_unit_test(unverified_fails),
		cmocka_unit_test(quantiles_by_nearest_rank),
		cmocka_unit_test(rounds_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
