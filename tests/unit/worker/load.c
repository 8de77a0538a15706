/* How busy a worker is: shares of whole seconds by a clock of ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "dataplane/worker/load.h"

#define SECOND_NS 1000000000u

static void
no_figure_before_a_second_is_over(void **state)
{
	struct dp_worker_stats stats = {.busy_ns = 700};
	struct dp_load load = {0};

	dp_load_look(&load, &stats, 5 * (uint64_t)SECOND_NS);
	stats.busy_ns += SECOND_NS / 2;
	dp_load_look(&load, &stats, 6 * (uint64_t)SECOND_NS - 1);
	assert_int_equal(stats.busy_permille, 0);
	dp_load_look(&load, &stats, 6 * (uint64_t)SECOND_NS);
	assert_int_equal(stats.busy_permille, 500);
}

static void
follows_the_last_second_only(void **state)
{
	static const struct {
		uint32_t length_ms, busy_ms, ticks, late, busy_permille, late_permille;
	} rows[] = {
		{1000, 0, 0, 0, 0, 0},		 {1000, 250, 1000, 1, 250, 1},
		{1000, 999, 400, 100, 999, 250}, {1000, 1000, 20, 20, 1000, 1000},
		{1100, 550, 50, 0, 500, 0},	 {4000, 4000, 1, 1, 1000, 1000},
		{1000, 1003, 10, 0, 1000, 0},	 {1000, 10, 1000, 0, 10, 0},
	};
	struct dp_worker_stats stats = {0};
	struct dp_load load = {0};
	uint64_t now_ns = 77 * (uint64_t)SECOND_NS;

	dp_load_look(&load, &stats, now_ns);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		now_ns += (uint64_t)rows[i].length_ms * 1000000u;
		stats.busy_ns += (uint64_t)rows[i].busy_ms * 1000000u;
		stats.ticks += rows[i].ticks;
		stats.ticks_late += rows[i].late;
		dp_load_look(&load, &stats, now_ns);
		assert_int_equal(stats.busy_permille, rows[i].busy_permille);
		assert_int_equal(stats.late_permille, rows[i].late_permille);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_figure_before_a_second_is_over),
		cmocka_unit_test(follows_the_last_second_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
