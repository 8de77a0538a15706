/* The document: every route is in it, with an answer, and nothing that changes is open to who only reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "ctrlplane/mgmt/access.h"
#include "ctrlplane/mgmt/openapi.h"

static void
every_route_is_described(void **state)
{
	json_t *document = cp_openapi();
	const json_t *schemas = json_object_get(json_object_get(document, "components"), "schemas");
	size_t routes = 0, operations = 0;
	const char *path;
	json_t *item;

	for (size_t i = 0; i < CP_COMMAND_COUNT; i++) {
		struct cp_answer answer = cp_answer_of(i);
		const json_t *operation;
		char method[16];

		if (cp_command_is_local(&cp_commands[i]))
			continue;
		routes++;
		for (size_t c = 0; c <= strlen(cp_commands[i].method); c++)
			method[c] = (char)(cp_commands[i].method[c] |
					   (c < strlen(cp_commands[i].method) ? 0x20 : 0));
		operation = json_object_get(
			json_object_get(json_object_get(document, "paths"), cp_commands[i].path),
			method);
		assert_non_null(operation);
		assert_true(answer.status >= 200 && answer.status < 300);
		if (answer.schema != NULL)
			assert_non_null(json_object_get(schemas, answer.schema));
		else
			assert_true(answer.status == 204 || answer.type != NULL);
	}
	json_object_foreach (json_object_get(document, "paths"), path, item) {
		operations += json_object_size(item);
	}
	assert_int_equal(operations, routes);
	json_decref(document);
}

static void
who_only_reads_changes_nothing(void **state)
{
	struct cp_access viewer = {.role = CP_ACCESS_VIEWER};
	struct cp_access guest = {.role = CP_ACCESS_VIEWER, .identity = "sip:guest@example.net"};
	struct cp_access admin = {.role = CP_ACCESS_ADMIN};

	for (size_t i = 0; i < CP_COMMAND_COUNT; i++) {
		struct cp_problem of_viewer = {0}, of_guest = {0}, of_admin = {0};
		bool is_read = strcmp(cp_commands[i].method, "GET") == 0;
		enum cp_need need = cp_access_need(i);

		if (cp_command_is_local(&cp_commands[i]))
			continue;
		cp_access_check(&of_viewer, &viewer, i);
		cp_access_check(&of_guest, &guest, i);
		cp_access_check(&of_admin, &admin, i);
		assert_int_equal(of_admin.status, 0);
		assert_int_equal(of_viewer.status, is_read && need != CP_NEED_ADMIN ? 0 : 403);
		assert_int_equal(of_guest.status,
				 need == CP_NEED_READ || need == CP_NEED_POLICY ? 0 : 403);
		if (!is_read)
			assert_true(need == CP_NEED_ADMIN || need == CP_NEED_CREATE ||
				    need == CP_NEED_POLICY);
	}
	assert_null(cp_access_actor(&admin));
	assert_string_equal(cp_access_actor(&guest), guest.identity);
	assert_string_equal(cp_access_actor(&viewer), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_route_is_described),
		cmocka_unit_test(who_only_reads_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
