/* Who may pass: host, origin, token and content type. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "ctrlplane/mgmt/guard.h"

static void
only_loopback_names_pass_on_tcp(void **state)
{
	static const struct {
		const char *host, *origin;
		bool is_tcp;
		int status;
	} rows[] = {
		{"localhost", NULL, true, 0},
		{"LOCALHOST:8480", NULL, true, 0},
		{"127.0.0.1:8480", NULL, true, 0},
		{"[::1]:8480", NULL, true, 0},
		{NULL, NULL, true, 421},
		{"", NULL, true, 421},
		{"evil.example", NULL, true, 421},
		{"localhost.evil.example", NULL, true, 421},
		{"127.0.0.1.evil.example:8480", NULL, true, 421},
		{"localhost:", NULL, true, 0},
		{"localhost:80x", NULL, true, 421},
		{"localhost:123456", NULL, true, 421},
		{"evil.example", "http://evil.example", false, 0},
		{"localhost:8480", "http://localhost:8480", true, 0},
		{"localhost:8480", "http://localhost:8481", true, 403},
		{"localhost:8480", "https://localhost:8480", true, 403},
		{"localhost:8480", "null", true, 403},
		{"localhost:8480", "http://evil.example", true, 403},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cp_problem problem = {0};
		struct cp_guard_request request = {.method = "GET",
						   .host = rows[i].host,
						   .origin = rows[i].origin,
						   .is_tcp = rows[i].is_tcp};

		cp_guard_check(&problem, &request);
		assert_int_equal(problem.status, rows[i].status);
	}
}

static void
what_a_browser_fetches_for_others_is_refused(void **state)
{
	static const struct {
		const char *site;
		bool is_page, is_tcp;
		int status;
	} rows[] = {
		{NULL, false, true, 0},		 {"same-origin", false, true, 0},
		{"none", false, true, 0},	 {"cross-site", false, true, 403},
		{"same-site", false, true, 403}, {"cross-site", true, true, 0},
		{"cross-site", false, false, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cp_problem problem = {0};
		struct cp_guard_request request = {.method = "GET",
						   .host = "localhost",
						   .fetch_site = rows[i].site,
						   .is_page = rows[i].is_page,
						   .is_tcp = rows[i].is_tcp};

		cp_guard_check(&problem, &request);
		assert_int_equal(problem.status, rows[i].status);
	}
}

static void
writes_must_say_that_they_are_json(void **state)
{
	static const struct {
		const char *method, *type;
		bool has_body;
		int status;
		bool takes_csv;
	} rows[] = {
		{"POST", "text/csv", true, 415, false},
		{"POST", "text/csv; charset=utf-8", true, 0, true},
		{"POST", "text/plain", true, 415, true},
		{"GET", NULL, false, 0, false},
		{"POST", NULL, false, 0, false},
		{"PATCH", NULL, true, 415, false},
		{"PATCH", "application/merge-patch+json", true, 0, false},
		{"POST", "application/merge-patch+json", true, 415, false},
		{"PUT", "application/json", true, 0, false},
		{"POST", NULL, true, 415, false},
		{"POST", "text/plain", false, 415, false},
		{"POST", "application/json", false, 0, false},
		{"POST", "Application/JSON; charset=utf-8", true, 0, false},
		{"POST", "application/jsonx", true, 415, false},
		{"POST", "text/plain", true, 415, false},
		{"POST", "application/x-www-form-urlencoded", true, 415, false},
		{"DELETE", NULL, false, 0, false},
		{"DELETE", "text/plain", true, 415, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cp_problem problem = {0};
		struct cp_guard_request request = {.method = rows[i].method,
						   .content_type = rows[i].type,
						   .has_body = rows[i].has_body,
						   .takes_csv = rows[i].takes_csv};

		cp_guard_check_type(&problem, &request);
		assert_int_equal(problem.status, rows[i].status);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_loopback_names_pass_on_tcp),
		cmocka_unit_test(what_a_browser_fetches_for_others_is_refused),
		cmocka_unit_test(writes_must_say_that_they_are_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
