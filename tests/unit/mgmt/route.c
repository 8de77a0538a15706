/* Targets and routes: decoding, every command reachable by its path, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "ctrlplane/mgmt/route.h"

static void
targets_are_split_and_decoded(void **state)
{
	struct cp_target target;

	assert_int_equal(
		cp_target_parse(&target,
				"/v1/conferences/a%2Fb%20%c3%a4?limit=5&reason=b+c%26d&flag&"),
		0);
	assert_int_equal(target.segment_count, 3);
	assert_string_equal(target.segments[0], "v1");
	assert_string_equal(target.segments[2], "a/b \xc3\xa4");
	assert_int_equal(target.query_count, 3);
	assert_string_equal(target.query[0].value, "5");
	assert_string_equal(target.query[1].name, "reason");
	assert_string_equal(target.query[1].value, "b c&d");
	assert_string_equal(target.query[2].value, "");
}

static void
bad_targets_are_refused(void **state)
{
	static const struct {
		const char *text;
		int status;
	} rows[] = {
		{"", -EINVAL},
		{"v1", -EINVAL},
		{"*", -EINVAL},
		{"http://x/v1", -EINVAL},
		{"/v1/%", -EINVAL},
		{"/v1/%4", -EINVAL},
		{"/v1/%zz", -EINVAL},
		{"/v1/a%00b", -EINVAL},
		{"/v1/%0a", -EINVAL},
		{"/v1/\x7f", -EINVAL},
		{"/v1/%c3", -EINVAL},
		{"/v1/%c0%af", -EINVAL},
		{"/v1/%ed%a0%80", -EINVAL},
		{"/v1/%f5%80%80%80", -EINVAL},
		{"/v1?a=%0d", -EINVAL},
		{"/v1#x", -EINVAL},
		{"/1/2/3/4/5/6/7/8/9/10/11/12/13", -E2BIG},
		{"/v1?1&2&3&4&5&6&7&8&9&10&11&12&13", -E2BIG},
	};
	struct cp_target target;
	char text[CP_TARGET_MAX + 8] = "/";

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(cp_target_parse(&target, rows[i].text), rows[i].status);
	memset(text + 1, 'a', CP_TARGET_MAX - 2);
	assert_int_equal(cp_target_parse(&target, text), 0);
	text[CP_TARGET_MAX - 1] = 'a';
	assert_int_equal(cp_target_parse(&target, text), -E2BIG);
}

/* The path with "x" for each of its {…}. */
static void
fill(char *out, const char *path)
{
	while (*path != '\0') {
		if (*path == '{') {
			*out++ = 'x';
			path = strchr(path, '}') + 1;
		} else {
			*out++ = *path++;
		}
	}
	*out = '\0';
}

static void
every_command_is_found_by_its_path(void **state)
{
	for (size_t i = 0; i < CP_COMMAND_COUNT; i++) {
		struct cp_target target;
		struct cp_route route;
		char text[256];

		assert_int_equal(cp_commands[i].id, i);
		if (cp_command_is_local(&cp_commands[i]))
			continue;
		fill(text, cp_commands[i].path);
		assert_int_equal(cp_target_parse(&target, text), 0);
		assert_int_equal(cp_route_find(&route, cp_commands[i].method, &target), 0);
		assert_ptr_equal(route.command, &cp_commands[i]);
	}
}

static void
no_two_commands_have_the_same_words(void **state)
{
	for (size_t i = 0; i < CP_COMMAND_COUNT; i++)
		for (size_t j = 0; j < i; j++)
			assert_false(strcmp(cp_commands[i].noun, cp_commands[j].noun) == 0 &&
				     strcmp(cp_commands[i].verb, cp_commands[j].verb) == 0);
}

/* What stands in {…} is a parameter of that name, in the same order. */
static void
paths_and_parameters_agree(void **state)
{
	for (size_t i = 0; i < CP_COMMAND_COUNT; i++) {
		const char *at = cp_commands[i].path;
		size_t count;
		const struct cp_param *params = cp_command_params(i, &count);

		for (size_t p = 0; p < count && !cp_command_is_local(&cp_commands[i]); p++) {
			if (params[p].place != CP_PLACE_PATH)
				continue;
			at = strchr(at, '{');
			assert_non_null(at);
			assert_memory_equal(at + 1, params[p].name, strlen(params[p].name));
			at++;
		}
		assert_true(at == NULL || strchr(at, '{') == NULL);
	}
}

static void
other_paths_and_methods_are_refused(void **state)
{
	static const struct {
		const char *method, *text;
		int status;
		const char *allow;
	} rows[] = {
		{"GET", "/", -ENOENT, ""},
		{"GET", "/v1", -ENOENT, ""},
		{"GET", "/v1/", -ENOENT, ""},
		{"GET", "/v1/status/", -ENOENT, ""},
		{"GET", "/v1//status", -ENOENT, ""},
		{"GET", "/v1/statusx", -ENOENT, ""},
		{"GET", "/v1/conferences/", -ENOENT, ""},
		{"GET", "/v1/conferences/a/participants/", -ENOENT, ""},
		{"PUT", "/v1/status", -ENOTSUP, "GET, HEAD"},
		{"PUT", "/v1/conferences", -ENOTSUP, "GET, HEAD, POST"},
		{"POST", "/v1/conferences/a", -ENOTSUP, "GET, HEAD, PATCH, DELETE"},
		{"GET", "/v1/node/drain", -ENOTSUP, "POST"},
		{"HEAD", "/v1/status", 0, ""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cp_target target;
		struct cp_route route;

		assert_int_equal(cp_target_parse(&target, rows[i].text), 0);
		assert_int_equal(cp_route_find(&route, rows[i].method, &target), rows[i].status);
		assert_string_equal(route.allow, rows[i].allow);
	}
}

static void
what_the_path_names_is_captured(void **state)
{
	struct cp_target target;
	struct cp_route route;

	assert_int_equal(cp_target_parse(&target, "/v1/conferences/a%20b/participants/17/mute"), 0);
	assert_int_equal(cp_route_find(&route, "POST", &target), 0);
	assert_int_equal(route.command->id, CP_COMMAND_PARTICIPANT_MUTE);
	assert_string_equal(route.args[0], "a b");
	assert_string_equal(route.args[1], "17");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets_are_split_and_decoded),
		cmocka_unit_test(bad_targets_are_refused),
		cmocka_unit_test(every_command_is_found_by_its_path),
		cmocka_unit_test(no_two_commands_have_the_same_words),
		cmocka_unit_test(paths_and_parameters_agree),
		cmocka_unit_test(other_paths_and_methods_are_refused),
		cmocka_unit_test(what_the_path_names_is_captured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
