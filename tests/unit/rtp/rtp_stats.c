/* Reception statistics: RFC 3550 A.1, A.3, A.8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "dataplane/rtp/rtp_stats.h"

static void
roll_over_extends_the_sequence(void **state)
{
	struct dp_rtp_stats stats = {0};
	struct dp_rtp_loss loss;

	for (uint32_t i = 0; i < 70000; i++)
		dp_rtp_stats_count(&stats, (uint16_t)(65000 + i), i * 160, i * 160, true);
	dp_rtp_stats_report(&stats, &loss);
	assert_int_equal(loss.highest, 65000 + 69999);
	assert_int_equal(loss.lost, 0);
	assert_int_equal(loss.fraction, 0);
	assert_int_equal(dp_rtp_stats_jitter(&stats), 0);
}

static void
loss_is_counted_whole_and_by_interval(void **state)
{
	struct dp_rtp_stats stats = {0};
	struct dp_rtp_loss loss;

	for (uint32_t i = 0; i < 100; i++)
		if (i % 4 != 1)
			dp_rtp_stats_count(&stats, (uint16_t)(65500 + i), i, i, true);
	dp_rtp_stats_report(&stats, &loss);
	assert_int_equal(loss.lost, 25);
	assert_int_equal(loss.fraction, 64);
	assert_int_equal(dp_rtp_stats_lost(&stats), 25);
	for (uint32_t i = 100; i < 200; i++)
		dp_rtp_stats_count(&stats, (uint16_t)(65500 + i), i, i, true);
	dp_rtp_stats_report(&stats, &loss);
	assert_int_equal(loss.lost, 25);
	assert_int_equal(loss.fraction, 0);
}

/* Copies make the loss negative (A.3), and the fraction is then 0. */
static void
duplicates_make_loss_negative(void **state)
{
	struct dp_rtp_stats stats = {0};
	struct dp_rtp_loss loss;

	for (uint32_t i = 0; i < 20; i++)
		dp_rtp_stats_count(&stats, (uint16_t)(i / 2), i, i, true);
	dp_rtp_stats_report(&stats, &loss);
	assert_int_equal(loss.lost, -10);
	assert_int_equal(loss.fraction, 0);
}

static void
all_lost_is_255(void **state)
{
	struct dp_rtp_stats stats = {0};
	struct dp_rtp_loss loss;

	dp_rtp_stats_count(&stats, 0, 0, 0, true);
	dp_rtp_stats_report(&stats, &loss);
	stats.received--; /* as if only the number had come */
	dp_rtp_stats_count(&stats, 2000, 0, 0, true);
	stats.received--;
	stats.received_prior--;
	dp_rtp_stats_report(&stats, &loss);
	assert_int_equal(loss.fraction, 255);
	assert_int_equal(loss.lost, 2001);
}

static void
reordering_moves_nothing_back(void **state)
{
	static const uint16_t order[] = {10, 12, 11, 14, 13, 15};
	struct dp_rtp_stats stats = {0};
	struct dp_rtp_loss loss;

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		dp_rtp_stats_count(&stats, order[i], 0, 0, false);
	dp_rtp_stats_report(&stats, &loss);
	assert_int_equal(loss.highest, 15);
	assert_int_equal(loss.lost, 0);
	assert_int_equal(stats.reordered, 2);
}

/* A jump counts only when a second packet follows it. */
static void
a_jump_has_to_be_confirmed(void **state)
{
	struct dp_rtp_stats stats = {0};
	struct dp_rtp_loss loss;

	for (uint16_t i = 0; i < 10; i++)
		dp_rtp_stats_count(&stats, i, 0, 0, false);
	dp_rtp_stats_count(&stats, 30000, 0, 0, false);
	dp_rtp_stats_count(&stats, 10, 0, 0, false);
	dp_rtp_stats_report(&stats, &loss);
	assert_int_equal(loss.highest, 10);
	dp_rtp_stats_count(&stats, 40000, 0, 0, false);
	dp_rtp_stats_count(&stats, 40001, 0, 0, false);
	dp_rtp_stats_report(&stats, &loss);
	assert_int_equal(loss.highest, 40001);
	assert_int_equal(loss.lost, 0);
}

/* A stream that begins with an event: its first sound has nothing to differ from. */
static void
no_jitter_from_an_event_to_sound(void **state)
{
	struct dp_rtp_stats stats = {0};

	dp_rtp_stats_count(&stats, 1, 160, 2000000, false);
	dp_rtp_stats_count(&stats, 2, 320, 2000160, true);
	dp_rtp_stats_count(&stats, 3, 480, 2000320, true);
	assert_int_equal(dp_rtp_stats_jitter(&stats), 0);
}

/* Transit differs by 80 units every time: jitter converges to 80 (A.8). */
static void
jitter_follows_the_formula(void **state)
{
	struct dp_rtp_stats stats = {0};

	for (uint32_t i = 0; i < 500; i++)
		dp_rtp_stats_count(&stats, (uint16_t)i, i * 160, i * 160 + (i % 2 ? 80 : 0), true);
	assert_in_range(dp_rtp_stats_jitter(&stats), 78, 80);
	/* events, whose timestamps stand still, have no part */
	for (uint32_t i = 500; i < 600; i++)
		dp_rtp_stats_count(&stats, (uint16_t)i, 80000, i * 160, false);
	assert_in_range(dp_rtp_stats_jitter(&stats), 78, 80);
}

static void
units_do_not_drift(void **state)
{
	assert_int_equal(dp_rtp_units(1000000000ULL, 8000), 8000);
	assert_int_equal(dp_rtp_units(20000000ULL, 48000), 960);
	assert_int_equal(dp_rtp_units(1000000000000000000ULL, 8000), (uint32_t)8000000000000ULL);
}

static void
nothing_received_is_nothing_lost(void **state)
{
	struct dp_rtp_stats stats = {0};
	struct dp_rtp_loss loss;

	dp_rtp_stats_report(&stats, &loss);
	assert_int_equal(loss.lost, 0);
	assert_int_equal(loss.fraction, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roll_over_extends_the_sequence),
		cmocka_unit_test(loss_is_counted_whole_and_by_interval),
		cmocka_unit_test(duplicates_make_loss_negative),
		cmocka_unit_test(all_lost_is_255),
		cmocka_unit_test(reordering_moves_nothing_back),
		cmocka_unit_test(a_jump_has_to_be_confirmed),
		cmocka_unit_test(no_jitter_from_an_event_to_sound),
		cmocka_unit_test(jitter_follows_the_formula),
		cmocka_unit_test(units_do_not_drift),
		cmocka_unit_test(nothing_received_is_nothing_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
