/* When new participants are refused: watermarks with hysteresis, what was admitted meanwhile, late ticks, a loop that lags. */
#include "ctrlplane/app/overload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static struct cp_overload
made(void)
{
	return (struct cp_overload){.high_permille = 850,
				    .low_permille = 700,
				    .late_permille = 100,
				    .lag_high_ms = 1000,
				    .lag_low_ms = 200};
}

static void
measure(struct cp_overload *o, uint32_t busy, uint32_t late, uint32_t legs)
{
	cp_overload_measure(o, &(struct cp_overload_load){busy, late, legs}, 1);
}

static void
two_watermarks(void **state)
{
	static const struct {
		uint32_t busy, late;
		bool refuses;
	} rows[] = {
		{0, 0, false},	 {849, 0, false},  {850, 0, true},     {800, 0, true},
		{701, 0, true},	 {700, 0, false},  {800, 0, false},    {1000, 0, true},
		{100, 0, false}, {750, 99, false}, {100, 1000, false}, {750, 100, true},
		{720, 0, true},	 {690, 0, false},
	};
	struct cp_overload o = made();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		measure(&o, rows[i].busy, rows[i].late, 1000000);
		assert_true(cp_overload_refuses(&o, 0) == rows[i].refuses);
		assert_true(cp_overload_refuses(&o, CP_OVERLOAD_ANY) == rows[i].refuses);
	}
}

/* 100 legs make it 50 % busy: a leg is 5 permille, and 70 more reach 85 %. */
static void
what_was_admitted_counts(void **state)
{
	struct cp_overload o = made();
	unsigned int count = 0;

	measure(&o, 500, 0, 100);
	for (; !cp_overload_refuses(&o, 0); count++)
		cp_overload_admit(&o, 0);
	assert_int_equal(count, 70);
	measure(&o, 840, 0, 170);
	assert_false(cp_overload_refuses(&o, 0));
}

/* Two legs on a worker that is busy with itself: a leg does not cost half of that, and a thousand may come at once. */
static void
few_legs_say_little_of_one(void **state)
{
	struct cp_overload o = made();

	measure(&o, 20, 0, 2);
	for (unsigned int i = 0; i < 1000; i++) {
		assert_false(cp_overload_refuses(&o, 0));
		cp_overload_admit(&o, 0);
	}
}

/* Also a leg of which nothing is known costs something: a storm in the first second has an end. */
static void
a_storm_onto_an_idle_worker_ends(void **state)
{
	struct cp_overload o = made();
	unsigned int count = 0;

	measure(&o, 0, 0, 0);
	for (; !cp_overload_refuses(&o, CP_OVERLOAD_ANY); count++)
		cp_overload_admit(&o, CP_OVERLOAD_ANY);
	assert_int_equal(count, 850 * 1000 / CP_OVERLOAD_LEG_COST_MIN);
}

static void
each_worker_by_itself(void **state)
{
	struct cp_overload o = made();
	const struct cp_overload_load loads[] = {{900, 0, 10}, {100, 0, 20}, {300, 0, 30}};

	cp_overload_measure(&o, loads, 3);
	assert_true(cp_overload_refuses(&o, 0));
	assert_false(cp_overload_refuses(&o, 1));
	assert_false(cp_overload_refuses(&o, 2));
	/* the media plane takes the one with the fewest legs, and that is the busy one */
	assert_true(cp_overload_refuses(&o, CP_OVERLOAD_ANY));
	assert_false(cp_overload_refuses(&o, 7)); /* nothing is known of it */
}

static void
nothing_measured_refuses_nobody(void **state)
{
	struct cp_overload o = made();

	assert_false(cp_overload_refuses(&o, CP_OVERLOAD_ANY));
	assert_false(cp_overload_refuses(&o, 0));
	cp_overload_admit(&o, 0);
	cp_overload_admit(&o, CP_OVERLOAD_ANY);
	assert_false(cp_overload_refuses(&o, 0));
}

static void
a_loop_that_lags_takes_nobody(void **state)
{
	struct cp_overload o = made();

	cp_overload_lag(&o, 999);
	assert_false(cp_overload_refuses(&o, 0));
	cp_overload_lag(&o, 1000);
	assert_true(cp_overload_refuses(&o, 0));
	cp_overload_lag(&o, 201);
	assert_true(cp_overload_refuses(&o, 0));
	cp_overload_lag(&o, 200);
	assert_false(cp_overload_refuses(&o, 0));
}

static void
more_workers_than_are_shown(void **state)
{
	struct cp_overload_load loads[16] = {{0}};
	struct cp_overload o = made();

	cp_overload_measure(&o, loads, 16);
	assert_int_equal(o.workers, CP_OVERLOAD_WORKERS);
	assert_false(cp_overload_refuses(&o, 15));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_watermarks),
		cmocka_unit_test(what_was_admitted_counts),
		cmocka_unit_test(few_legs_say_little_of_one),
		cmocka_unit_test(a_storm_onto_an_idle_worker_ends),
		cmocka_unit_test(each_worker_by_itself),
		cmocka_unit_test(nothing_measured_refuses_nobody),
		cmocka_unit_test(a_loop_that_lags_takes_nobody),
		cmocka_unit_test(more_workers_than_are_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
