/* Slices, numbers, base64 (RFC 4648 section 10), ids and the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <unistd.h>
#include <cmocka.h>
#include "ctrlplane/base/base64.h"
#include "ctrlplane/base/id.h"
#include "ctrlplane/base/log.h"
#include "ctrlplane/base/map.h"
#include "ctrlplane/base/slice.h"

static void
base64_by_the_rfc(void **state)
{
	static const char *const rows[][2] = {
		{"", ""},
		{"f", "Zg=="},
		{"fo", "Zm8="},
		{"foo", "Zm9v"},
		{"foob", "Zm9vYg=="},
		{"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[16];
		uint8_t octets[16];
		size_t len = strlen(rows[i][0]);

		cp_base64_encode(text, (const uint8_t *)rows[i][0], len);
		assert_string_equal(text, rows[i][1]);
		assert_int_equal(cp_base64_decode(octets, sizeof(octets), cp_slice_text(text)),
				 len);
		assert_memory_equal(octets, rows[i][0], len);
		while (strlen(text) > 0 && text[strlen(text) - 1] == '=')
			text[strlen(text) - 1] = '\0';
		assert_int_equal(cp_base64_decode(octets, sizeof(octets), cp_slice_text(text)),
				 len);
	}
}

static void
base64_is_strict(void **state)
{
	static const char *const bad[] = {"Z",	  "Zg=",  "Zg===", "Z===", "=",
					  "====", "Zh==", "Zm9=",  "Zm 9", "Zm9v\n",
					  "Zm9-", "Zm9_", "Z=g=",  "Zm9vY"};
	uint8_t octets[8];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (cp_base64_decode(octets, sizeof(octets), cp_slice_text(bad[i])) != -EINVAL)
			fail_msg("%s passed", bad[i]);
	assert_int_equal(cp_base64_decode(octets, 2, cp_slice_text("Zm9v")), -ENOSPC);
	memset(octets, 7, sizeof(octets));
	assert_int_equal(cp_base64_decode(octets, sizeof(octets), cp_slice_text("Zm9v!m9v")),
			 -EINVAL);
	assert_memory_equal(octets, "\0\0\0\0\0\0", 6);
}

/* Every octet in every position, there and back. */
static void
base64_all_octets(void **state)
{
	for (int at = 0; at < 3; at++) {
		for (int v = 0; v < 256; v++) {
			uint8_t in[3] = {17, 17, 17}, out[3];
			char text[5];

			in[at] = (uint8_t)v;
			cp_base64_encode(text, in, 3);
			assert_int_equal(cp_base64_decode(out, 3, cp_slice_text(text)), 3);
			assert_memory_equal(in, out, 3);
		}
	}
}

static void
numbers_and_their_borders(void **state)
{
	uint64_t n = 77;

	assert_int_equal(cp_slice_number(&n, cp_slice_text("65535"), 65535), 0);
	assert_int_equal(n, 65535);
	assert_int_equal(cp_slice_number(&n, cp_slice_text("65536"), 65535), -ERANGE);
	assert_int_equal(cp_slice_number(&n, cp_slice_text("0"), 0), 0);
	assert_int_equal(cp_slice_number(&n, cp_slice_text("1"), 0), -ERANGE);
	assert_int_equal(cp_slice_number(&n, cp_slice_text("18446744073709551615"), UINT64_MAX), 0);
	assert_true(n == UINT64_MAX);
	assert_int_equal(cp_slice_number(&n, cp_slice_text("18446744073709551616"), UINT64_MAX),
			 -ERANGE);
	assert_int_equal(cp_slice_number(&n, cp_slice_text("99999999999999999999999"), UINT64_MAX),
			 -ERANGE);
	assert_int_equal(cp_slice_number(&n, cp_slice_text("7"), 7), 0);
	assert_int_equal(cp_slice_number(&n, cp_slice_text("9"), 7), -ERANGE);
	assert_int_equal(cp_slice_number(&n, cp_slice_text(""), 7), -EINVAL);
	assert_int_equal(cp_slice_number(&n, cp_slice_text("1x"), 70), -EINVAL);
	assert_int_equal(cp_slice_number(&n, cp_slice_text("-1"), 70), -EINVAL);
}

static void
slices_are_taken_apart(void **state)
{
	struct cp_slice rest = cp_slice_text("a=b\r\nc\n\nlast"), line;
	char room[4];

	assert_true(cp_slice_line(&rest, &line) && cp_slice_is(line, "a=b"));
	assert_true(cp_slice_line(&rest, &line) && cp_slice_is(line, "c"));
	assert_true(cp_slice_line(&rest, &line) && cp_slice_is(line, ""));
	assert_true(cp_slice_line(&rest, &line) && cp_slice_is(line, "last"));
	assert_false(cp_slice_line(&rest, &line));
	rest = cp_slice_text("  one\t two ");
	assert_true(cp_slice_word(&rest, &line) && cp_slice_is(line, "one"));
	assert_true(cp_slice_word(&rest, &line) && cp_slice_is_nocase(line, "TWO"));
	assert_false(cp_slice_word(&rest, &line));
	assert_true(cp_slice_is(cp_slice_trim(cp_slice_text(" \tx y\t")), "x y"));
	assert_int_equal(cp_slice_copy(room, sizeof(room), cp_slice_text("abc")), 0);
	assert_string_equal(room, "abc");
	assert_int_equal(cp_slice_copy(room, sizeof(room), cp_slice_text("abcd")), -ENAMETOOLONG);
	assert_string_equal(room, "");
	assert_int_equal(cp_slice_copy(room, sizeof(room), cp_slice("a\0b", 3)), -EINVAL);
	cp_slice_copy_text(room, sizeof(room),
			   cp_slice_text("ab\xc3\xa4")); /* cut at a character */
	assert_string_equal(room, "ab");
	cp_slice_copy_text(room, sizeof(room),
			   cp_slice_text("\xed\xa0\x80")); /* a surrogate is no character */
	assert_string_equal(room, "???");
	cp_slice_copy_text(room, sizeof(room), cp_slice_text("\xc3(\n"));
	assert_string_equal(room, "?(?");
}

struct thing {
	struct cp_map_node node;
	int number;
};

static bool
is_number(const struct cp_map_node *node, const void *key)
{
	return CP_CONTAINER(node, const struct thing, node)->number == *(const int *)key;
}

static void
map_finds_what_was_put(void **state)
{
	static struct thing things[1000];
	struct cp_map map;
	int key;

	assert_int_equal(cp_map_init(&map), 0);
	for (int i = 0; i < 1000; i++) {
		things[i].number = i;
		cp_map_put(&map, &things[i].node, (uint32_t)(i % 700)); /* some share a hash */
	}
	for (int i = 0; i < 1000; i += 2)
		cp_map_drop(&map, &things[i].node);
	assert_int_equal(map.count, 500);
	for (key = 0; key < 1000; key++) {
		struct cp_map_node *node =
			cp_map_find(&map, (uint32_t)(key % 700), is_number, &key);

		assert_ptr_equal(node, key % 2 ? &things[key].node : NULL);
	}
	cp_map_fini(&map);
}

static void
ids_never_are_zero(void **state)
{
	struct cp_id_maker maker;

	cp_id_init(&maker, 0xfffffffe);
	assert_int_equal(cp_id_next(&maker), 0x7ffffffe);
	assert_int_equal(cp_id_next(&maker), 0x7fffffff);
	assert_int_equal(cp_id_next(&maker), 1);
	assert_int_equal(cp_hash("", 0), 2166136261u);
	assert_int_equal(cp_hash("a", 1), 0xe40c292cu);
}

/* What goes to stderr is one line that a peer cannot break, and no level too much. */
static void
log_lines_are_one_line_each(void **state)
{
	char text[4096];
	int ends[2], saved = dup(STDERR_FILENO);
	ssize_t len;

	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	unsetenv("JOURNAL_STREAM");
	cp_log_open("test", CP_LOG_STDERR, CP_LOG_INFO);
	errno = 7;
	cp_log(CP_LOG_INFO, "area", "%s", "a\r\nerror forged: \x1b[2J\xff");
	assert_int_equal(errno, 7);
	cp_log(CP_LOG_DEBUG, "area", "not this");
	setenv("JOURNAL_STREAM", "8:1", 1);
	cp_log_open("test", CP_LOG_STDERR, CP_LOG_DEBUG);
	cp_log(CP_LOG_WARN, "area", "%02000d", 5);
	dup2(saved, STDERR_FILENO);
	len = read(ends[0], text, sizeof(text) - 1);
	close(ends[0]);
	close(ends[1]);
	close(saved);
	assert_true(len > 0);
	text[len] = '\0';
	assert_ptr_equal(strstr(text, "info  area: a..error forged: .[2J.\n<4>area: 000"), text);
	assert_int_equal(text[len - 1], '\n');
	assert_true(len < 1200);
}

static void
test_utf8(void **state)
{
	static const char *const good[] = {"", "a", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
	static const char *const bad[] = {
		"\x80",		"\xc3",	    "a\xc3z",		"\xc0\x80",
		"\xed\xa0\x80", "\xe2\x82", "\xf4\x90\x80\x80", "\xff"};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_true(cp_slice_is_utf8(cp_slice_text(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(cp_slice_is_utf8(cp_slice_text(bad[i])));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(base64_by_the_rfc),
		cmocka_unit_test(base64_is_strict),
		cmocka_unit_test(base64_all_octets),
		cmocka_unit_test(numbers_and_their_borders),
		cmocka_unit_test(slices_are_taken_apart),
		cmocka_unit_test(map_finds_what_was_put),
		cmocka_unit_test(ids_never_are_zero),
		cmocka_unit_test(log_lines_are_one_line_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
