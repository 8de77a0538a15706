/* Floors as texts: what may be said of one, row by row, and what comes out again. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "ctrlplane/conf/policy.h"

static const char *const rows[][2] = {
	{"stage", "stage audio first-come holders=1 limit=0 warning=0"},
	{" stage\tchair ", "stage audio chair holders=1 limit=0 warning=0"},
	{"a.b_c-1 chat", "a.b_c-1 chat first-come holders=1 limit=0 warning=0"},
	{"x chat audio moderator", "x audio chat moderator holders=1 limit=0 warning=0"},
	{"x warning=29 limit=30 holders=64", "x audio first-come holders=64 limit=30 warning=29"},
	{"x limit=86400", "x audio first-come holders=1 limit=86400 warning=0"},
	/* a name may be a word that means something behind it */
	{"chat chat", "chat chat first-come holders=1 limit=0 warning=0"},
	{"abcdefghijklmnopqrstuvwxyz01234", "abcdefghijklmnopqrstuvwxyz01234 audio first-come "
					    "holders=1 limit=0 warning=0"},
};

static const char *const bad[][2] = {
	{"", "the name of a floor"},
	{"a/b", "the name of a floor"},
	{"holders=2", "the name of a floor"},
	{"abcdefghijklmnopqrstuvwxyz012345", "the name of a floor"},
	{"st\xc3\xa4ge", "the name of a floor"},
	{"x video", "'video' is nothing"},
	{"x holders", "'holders' is nothing"},
	{"x holders=", "'holders=' is nothing"},
	{"x holders=-1", "is nothing"},
	{"x holders=0", "1 to 64 holders"},
	{"x holders=65", "1 to 64 holders"},
	{"x holders=131070", "1 to 64 holders"},
	{"x holders=4294967297", "is nothing"},
	{"x limit=86401", "24 hours"},
	{"x warning=1", "before its limit"},
	{"x limit=9 warning=9", "before its limit"},
};

static void
texts_become_floors_and_texts_again(void **state)
{
	char text[CP_CONF_FLOOR_TEXT_MAX], why[128];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cp_conf_floor floor, again;

		assert_int_equal(
			cp_conf_floor_parse(&floor, cp_slice_text(rows[i][0]), why, sizeof(why)),
			0);
		cp_conf_floor_print(text, &floor);
		assert_string_equal(text, rows[i][1]);
		assert_int_equal(cp_conf_floor_parse(&again, cp_slice_text(text), why, sizeof(why)),
				 0);
		assert_int_equal(memcmp(&floor, &again, sizeof(floor)), 0);
	}
}

static void
what_is_wrong_is_said(void **state)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct cp_conf_floor floor = {.name = "untouched"};
		char why[256] = "";

		assert_int_equal(
			cp_conf_floor_parse(&floor, cp_slice_text(bad[i][0]), why, sizeof(why)),
			-EINVAL);
		if (strstr(why, bad[i][1]) == NULL)
			fail_msg("row %zu: %s", i, why);
		assert_string_equal(floor.name, "untouched");
	}
}

static void
a_list_has_eight_of_different_names(void **state)
{
	struct cp_conf_floor floor = {.media = CP_MEDIUM_CHAT, .holders = 1};
	struct cp_conf_settings settings = {0};
	char why[128];

	for (int i = 0; i < CP_CONF_FLOORS_MAX; i++) {
		snprintf(floor.name, sizeof(floor.name), "floor-%d", i);
		floor.media = i % 2 ? CP_MEDIUM_CHAT : CP_MEDIUM_AUDIO;
		assert_int_equal(cp_conf_floors_add(&settings.floors, &floor, why, sizeof(why)), 0);
		assert_int_equal(cp_conf_floors_add(&settings.floors, &floor, why, sizeof(why)),
				 -EINVAL);
	}
	assert_int_equal(cp_conf_check(&settings, CP_CONF_SET_FLOORS, why, sizeof(why)), 0);
	assert_int_equal(cp_conf_floors_of(&settings.floors, CP_MEDIUM_AUDIO), 0x55);
	assert_int_equal(cp_conf_floors_of(&settings.floors, CP_MEDIUM_CHAT), 0xaa);
	assert_int_equal(cp_conf_floors_find(&settings.floors, "floor-6"), 6);
	assert_int_equal(cp_conf_floors_find(&settings.floors, "floor"), -ENOENT);
	snprintf(floor.name, sizeof(floor.name), "more");
	assert_int_equal(cp_conf_floors_add(&settings.floors, &floor, why, sizeof(why)), -ENOSPC);
	settings.floors.items[7].holders = 0;
	assert_int_equal(cp_conf_check(&settings, CP_CONF_SET_FLOORS, why, sizeof(why)), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_become_floors_and_texts_again),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(a_list_has_eight_of_different_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
