/* Nicknames: which strings are some, what they say, and which are the same. */
#include "ctrlplane/msrp/nickname.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
test_decoded(void **state)
{
	static const struct {
		const char *value, *name; /* NULL: 424 */
	} rows[] = {
		{"\"Alice the great\"", "Alice the great"},
		{"\"\"", ""},
		{"\"a\\\\b\\\"c\"", "a\\b\"c"},
		{"\"J\xc3\xbcrg\"", "J\xc3\xbcrg"},
		{"", NULL},
		{"\"", NULL},
		{"Alice", NULL},
		{"\"Alice", NULL},
		{"Alice\"", NULL},
		{"\"a\"b\"", NULL},
		{"\"a\\\"", NULL},
		{"\"a\\n\"", NULL},
		{"\"a\nb\"", NULL},
		{"\"a\x7f\"", NULL},
		{"\"\xc3\"", NULL},
		{"\"\xed\xa0\x80\"", NULL},
		{"\"   \"", NULL}, /* nothing that can be seen, and no removal either */
	};
	char out[CP_MSRP_NICKNAME_MAX + 1], again[2 * CP_MSRP_NICKNAME_MAX + 2];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		ssize_t len = cp_msrp_nickname_decode(out, cp_slice_text(rows[i].value));

		if (rows[i].name == NULL) {
			assert_int_equal(len, -EINVAL);
			continue;
		}
		assert_int_equal(len, strlen(rows[i].name));
		assert_string_equal(out, rows[i].name);
		len = cp_msrp_nickname_encode(again, sizeof(again), cp_slice_text(out));
		assert_true(cp_slice_is(cp_slice(again, (size_t)len), rows[i].value));
		for (size_t size = 0; size < (size_t)len; size++)
			assert_int_equal(cp_msrp_nickname_encode(again, size, cp_slice_text(out)),
					 -EMSGSIZE);
	}
}

static void
test_longest(void **state)
{
	char value[2 * CP_MSRP_NICKNAME_MAX + 4], out[CP_MSRP_NICKNAME_MAX + 1];

	memset(value, 'n', sizeof(value));
	value[0] = '"';
	value[CP_MSRP_NICKNAME_MAX + 1] = '"';
	assert_int_equal(cp_msrp_nickname_decode(out, cp_slice(value, CP_MSRP_NICKNAME_MAX + 2)),
			 CP_MSRP_NICKNAME_MAX);
	value[CP_MSRP_NICKNAME_MAX + 1] = 'n';
	value[CP_MSRP_NICKNAME_MAX + 2] = '"';
	assert_int_equal(cp_msrp_nickname_decode(out, cp_slice(value, CP_MSRP_NICKNAME_MAX + 3)),
			 -EINVAL);
	assert_int_equal(cp_msrp_nickname_encode(value, sizeof(value),
						 cp_slice(value + 1, CP_MSRP_NICKNAME_MAX + 1)),
			 -EINVAL);
	/* Escapes do not count. */
	for (size_t i = 0; i < CP_MSRP_NICKNAME_MAX; i++)
		memcpy(value + 1 + 2 * i, "\\\"", 2);
	value[2 * CP_MSRP_NICKNAME_MAX + 1] = '"';
	assert_int_equal(
		cp_msrp_nickname_decode(out, cp_slice(value, 2 * CP_MSRP_NICKNAME_MAX + 2)),
		CP_MSRP_NICKNAME_MAX);
}

static void
test_same(void **state)
{
	static const struct {
		const char *a, *b;
		bool is_same;
	} rows[] = {
		{"Alice", "alice", true},
		{" Alice  the  great ", "alice the great", true},
		{"a\tb", "a b", true},
		{"Alice", "Alic", false},
		{"Alice", "Alice2", false},
		{"ab", "a b", false},
		{"J\xc3\xbc", "J\xc3\xbc", true},
		{"\xc3\xbc", "u", false},
		{"", " ", true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(cp_msrp_nickname_is_same(cp_slice_text(rows[i].a),
							  cp_slice_text(rows[i].b)),
				 rows[i].is_same);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decoded),
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
