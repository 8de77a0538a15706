/* The media clock's slots: even load, removal, stalls; and the buckets of lateness. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include "dataplane/worker/wheel.h"
#include "dataplane/worker/worker.h"

#define CONFS 200

static uint32_t memory[DP_WHEEL_SLOTS * CONFS];

static void
test_load_is_spread(void **state)
{
	struct dp_wheel wheel;
	uint32_t at;

	assert_int_equal(dp_wheel_octets(CONFS), sizeof(memory));
	dp_wheel_init(&wheel, CONFS, 0, memory);
	/* Conferences of very different sizes: the largest slot holds little more than the smallest. */
	for (uint32_t i = 0; i < CONFS; i++) {
		uint32_t slot = dp_wheel_add(&wheel, i, &at);

		wheel.load[slot] += 1 + i * 7 % 30;
	}
	for (unsigned s = 0; s < DP_WHEEL_SLOTS; s++)
		assert_in_range(wheel.load[s], 120, 175);
	assert_int_equal(wheel.total, CONFS);
}

static void
test_removal_keeps_places(void **state)
{
	struct dp_wheel wheel;
	uint32_t slot[CONFS], at[CONFS], moved;

	dp_wheel_init(&wheel, CONFS, 0, memory);
	for (uint32_t i = 0; i < CONFS; i++)
		slot[i] = dp_wheel_add(&wheel, i, &at[i]);
	for (uint32_t i = 0; i < CONFS; i += 3) {
		dp_wheel_remove(&wheel, slot[i], at[i], &moved);
		if (moved != UINT32_MAX)
			at[moved] = at[i];
	}
	for (uint32_t i = 0; i < CONFS; i++)
		if (i % 3 != 0)
			assert_int_equal(wheel.slot[slot[i]][at[i]], i);
	assert_int_equal(wheel.total, CONFS - (CONFS + 2) / 3);
}

static void
test_short_lateness_is_made_up_for_and_a_stall_is_not(void **state)
{
	struct dp_wheel wheel;

	dp_wheel_init(&wheel, CONFS, 1000, memory);
	wheel.step = 47;
	assert_int_equal(dp_wheel_due_ns(&wheel), 1000 + 47 * DP_WHEEL_SLOT_NS);
	assert_int_equal(dp_wheel_catch_up(&wheel, dp_wheel_due_ns(&wheel) + DP_WHEEL_STALL_NS - 1),
			 0);
	assert_int_equal(wheel.step, 47);
	assert_int_equal(dp_wheel_catch_up(&wheel, dp_wheel_due_ns(&wheel) + 1015000000u), 50);
	/* The same slot, 50 periods on, 15 ms late. */
	assert_int_equal(wheel.step, 47 + 50 * DP_WHEEL_SLOTS);
}

static void
test_lateness_buckets_bound_their_values(void **state)
{
	unsigned last = 0;

	for (uint64_t ns = 0; ns < 4000000000u; ns += 1 + ns / 50) {
		unsigned bucket = dp_lateness_bucket(ns);

		assert_true(bucket >= last && bucket < DP_LATENESS_BUCKETS);
		assert_true(ns <= dp_lateness_bound_ns(bucket));
		assert_true(bucket == 0 || ns >= dp_lateness_bound_ns(bucket - 1) || ns < 8);
		/* Within an eighth. */
		assert_true(dp_lateness_bound_ns(bucket) <= ns + ns / 8 + 1);
		last = bucket;
	}
	assert_int_equal(dp_lateness_bucket(UINT64_MAX), DP_LATENESS_BUCKETS - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load_is_spread),
		cmocka_unit_test(test_removal_keeps_places),
		cmocka_unit_test(test_short_lateness_is_made_up_for_and_a_stall_is_not),
		cmocka_unit_test(test_lateness_buckets_bound_their_values),
	};

	return cmocka_run_group_tests_name("unit/worker/wheel", tests, NULL, NULL);
}
