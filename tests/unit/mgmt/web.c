/* The page's files: found by their paths, whole, and safe to serve. */
#include "ctrlplane/mgmt/web/web.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static bool
contains(const struct cp_web_file *file, const char *text)
{
	return memmem(file->data, file->len, text, strlen(text)) != NULL;
}

static void
test_find(void **state)
{
	static const struct {
		const char *target, *type;
	} rows[] = {
		{"/", "text/html; charset=utf-8"},
		{"/?x=1", "text/html; charset=utf-8"},
		{"/index.html", "text/html; charset=utf-8"},
		{"/main.js", "text/javascript; charset=utf-8"},
		{"/style.css?v", "text/css; charset=utf-8"},
		{"/icon.svg", "image/svg+xml"},
		{"", NULL},
		{"//", NULL},
		{"main.js", NULL},
		{"/main.j", NULL},
		{"/main.jss", NULL},
		{"/../main.js", NULL},
		{"/v1/status", NULL},
		{"/embed.py", NULL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct cp_web_file *file = cp_web_find(rows[i].target);

		assert_int_equal(file != NULL, rows[i].type != NULL);
		if (file)
			assert_string_equal(file->type, rows[i].type);
	}
}

/* Every module that one of them imports is there, and no file asks for anything from elsewhere. */
static void
test_files_are_enough(void **state)
{
	assert_true(cp_web_file_count >= 10);
	for (size_t i = 0; i < cp_web_file_count; i++) {
		const struct cp_web_file *file = &cp_web_files[i];
		const char *at = (const char *)file->data, *end = at + file->len;

		assert_true(file->len > 0);
		assert_false(contains(file, "https://"));
		assert_false(contains(file, "innerHTML"));
		while ((at = memmem(at, (size_t)(end - at), "from './", 8)) != NULL) {
			char path[64] = "/";
			size_t len;

			at += 8;
			len = (size_t)((const char *)memchr(at, '\'', (size_t)(end - at)) - at);
			assert_true(len < sizeof(path) - 1);
			memcpy(path + 1, at, len);
			assert_non_null(cp_web_find(path));
		}
	}
}

static void
test_known(void **state)
{
	const struct cp_web_file *file = cp_web_find("/"), *other = cp_web_find("/main.js");
	char list[128] = "\"x\", ";

	assert_false(cp_web_is_known(file, NULL));
	assert_false(cp_web_is_known(file, "\"x\""));
	assert_false(cp_web_is_known(file, other->etag));
	assert_true(cp_web_is_known(file, file->etag));
	assert_true(cp_web_is_known(file, "*"));
	strcat(list, file->etag);
	assert_true(cp_web_is_known(file, list));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_files_are_enough),
		cmocka_unit_test(test_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
