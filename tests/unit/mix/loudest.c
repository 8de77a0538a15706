/* The loudest N: who gets a place, who keeps it and for how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "dataplane/mix/loudest.h"

static void
the_loudest_get_the_places(void **state)
{
	struct dp_talker talkers[6] = {0};
	const uint8_t levels[6] = {40, 20, 127, 30, 25, 90};
	bool has_changed;

	assert_int_equal(dp_loudest_select(talkers, levels, 6, 2, &has_changed), 2);
	assert_true(has_changed);
	assert_true(talkers[1].is_talking && talkers[4].is_talking);
	assert_int_equal(dp_loudest_select(talkers, levels, 6, 2, &has_changed), 2);
	assert_false(has_changed);
	/* all that speak; 127 and 90 do not */
	assert_int_equal(dp_loudest_select(talkers, levels, 6, 0, &has_changed), 4);
	assert_false(talkers[2].is_talking || talkers[5].is_talking);
}

static void
a_talker_yields_only_to_one_clearly_louder(void **state)
{
	struct dp_talker talkers[2] = {0};
	bool has_changed;
	uint8_t levels[2] = {30, 127};

	dp_loudest_select(talkers, levels, 2, 1, &has_changed);
	assert_true(talkers[0].is_talking);
	levels[1] = 30 - DP_LOUDEST_LEAD_DB;
	for (int i = 0; i < 50; i++)
		dp_loudest_select(talkers, levels, 2, 1, &has_changed);
	assert_true(talkers[0].is_talking && !talkers[1].is_talking);
	levels[1] = 30 - DP_LOUDEST_LEAD_DB - 1;
	dp_loudest_select(talkers, levels, 2, 1, &has_changed);
	assert_true(!talkers[0].is_talking && talkers[1].is_talking && has_changed);
}

static void
a_pause_between_words_keeps_the_place(void **state)
{
	struct dp_talker talkers[2] = {0};
	bool has_changed;
	uint8_t levels[2] = {25, 127};

	dp_loudest_select(talkers, levels, 2, 1, &has_changed);
	levels[0] = 127;
	for (int i = 0; i < DP_LOUDEST_HOLD_TICKS - 1; i++) {
		assert_int_equal(dp_loudest_select(talkers, levels, 2, 1, &has_changed), 1);
		assert_true(talkers[0].is_talking);
	}
	assert_int_equal(dp_loudest_select(talkers, levels, 2, 1, &has_changed), 0);
	assert_true(has_changed);
}

/* At most N, never one who is silent, and each who is left out is not clearly louder than one who is in. */
static void
places_are_kept_over_random_levels(void **state)
{
	struct dp_talker talkers[100] = {0};
	uint8_t levels[100];
	bool has_changed;

	srand(1);
	for (int round = 0; round < 5000; round++) {
		unsigned places = (unsigned)rand() % 8;
		unsigned count = 1 + (unsigned)rand() % 100;
		unsigned talking, seen = 0;
		unsigned least_in = UINT32_MAX, most_out = 0;

		for (unsigned i = 0; i < count; i++)
			levels[i] = (uint8_t)(rand() % 3 ? 127 : rand() % 128);
		talking = dp_loudest_select(talkers, levels, count, places, &has_changed);
		for (unsigned i = 0; i < count; i++) {
			seen += talkers[i].is_talking;
			if (talkers[i].is_talking && talkers[i].score < least_in)
				least_in = talkers[i].score;
			if (!talkers[i].is_talking && talkers[i].score > most_out)
				most_out = talkers[i].score;
			if (talkers[i].is_talking)
				assert_true(talkers[i].hold_ticks > 0);
		}
		assert_int_equal(talking, seen);
		assert_true(places == 0 || talking <= places);
		assert_true(most_out <= least_in);
		if (places && most_out > 0)
			assert_int_equal(talking, places);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_loudest_get_the_places),
		cmocka_unit_test(a_talker_yields_only_to_one_clearly_louder),
		cmocka_unit_test(a_pause_between_words_keeps_the_place),
		cmocka_unit_test(places_are_kept_over_random_levels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
