/* Lists of people as JSON, words and CSV; times as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "ctrlplane/mgmt/people.h"
#include "ctrlplane/mgmt/time.h"

static void
a_csv_becomes_a_list(void **state)
{
	static const struct {
		const char *csv, *json;
	} rows[] = {
		{"uri\nsip:a@b\n", "[{\"uri\": \"sip:a@b\"}]"},
		{"uri,role\r\nsip:a@b,moderator\r\ntel:+4930123,\r\n",
		 "[{\"uri\": \"sip:a@b\", \"role\": \"moderator\"}, {\"uri\": \"tel:+4930123\"}]"},
		{"role,uri\nlistener,\"sip:a,c@b\"",
		 "[{\"uri\": \"sip:a,c@b\", \"role\": \"listener\"}]"},
		{"\xef\xbb\xbfuri\n\n\r\nsip:a@b\n\n", "[{\"uri\": \"sip:a@b\"}]"},
		{"\"uri\"\n\"sip:\"\"a\"\"@b\"\n", "[{\"uri\": \"sip:\\\"a\\\"@b\"}]"},
		{"uri\n", "[]"},
		{"uri", "[]"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cp_problem problem = {0};
		json_t *list = cp_people_from_csv(&problem, rows[i].csv);
		json_t *wanted = json_loads(rows[i].json, 0, NULL);

		assert_int_equal(problem.status, 0);
		assert_true(json_equal(list, wanted));
		json_decref(list);
		json_decref(wanted);
	}
}

static void
mistakes_of_a_csv_come_with_their_line(void **state)
{
	static const struct {
		const char *csv, *pointer;
	} rows[] = {
		{"", "line 1"},
		{"sip:a@b\n", "line 1"},
		{"uri,uri\n", "line 1"},
		{"uri,name\nsip:a@b,x\n", "line 1"},
		{"uri\nsip:a@b\nsip:a b@c\n", "line 3"},
		{"uri\nsip:a@b,x\n", "line 2"},
		{"uri,role\nsip:a@b\n", "line 2"},
		{"uri,role\nsip:a@b,creator\n", "line 2"},
		{"uri,role\nsip:a@b,boss\n", "line 2"},
		{"uri\n\"sip:a@b\n", "line 2"},
		{"uri\n\"sip:a@b\"x\n", "line 2"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cp_problem problem = {0};

		assert_null(cp_people_from_csv(&problem, rows[i].csv));
		assert_int_equal(problem.status, 400);
		assert_string_equal(json_string_value(json_object_get(
					    json_array_get(problem.errors, 0), "pointer")),
				    rows[i].pointer);
		cp_problem_fini(&problem);
	}
}

/* Cut anywhere, it is a list or a problem. */
static void
a_cut_csv_is_no_trouble(void **state)
{
	static const char whole[] =
		"uri,role\r\n\"sip:\"\"a\"\"@b\",moderator\r\nsip:c@d,listener\r\n";

	for (size_t len = 0; len < sizeof(whole); len++) {
		struct cp_problem problem = {0};
		char *cut = strndup(whole, len);
		json_t *list = cp_people_from_csv(&problem, cut);

		assert_int_equal(list == NULL, problem.status != 0);
		json_decref(list);
		cp_problem_fini(&problem);
		free(cut);
	}
}

static void
a_word_may_have_a_role_behind_it(void **state)
{
	static const struct {
		const char *word, *json;
	} rows[] = {
		{"sip:a@b", "\"sip:a@b\""},
		{"sip:a@b=moderator", "{\"uri\": \"sip:a@b\", \"role\": \"moderator\"}"},
		{"sip:a@b;x=y", "\"sip:a@b;x=y\""},
		{"sip:a@b;x=y=listener", "{\"uri\": \"sip:a@b;x=y\", \"role\": \"listener\"}"},
		{"sip:a@b=creator", "\"sip:a@b=creator\""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *made = cp_people_from_word(rows[i].word);
		json_t *wanted = json_loads(rows[i].json, JSON_DECODE_ANY, NULL);

		assert_true(json_equal(made, wanted));
		json_decref(made);
		json_decref(wanted);
	}
}

static void
times_are_read_and_printed(void **state)
{
	static const struct {
		const char *text;
		int64_t ms; /* 0: refused */
	} rows[] = {
		{"2027-03-01T09:00:00Z", 1803891600000},
		{"2027-03-01T09:00:00.25Z", 1803891600250},
		{"2027-03-01T09:00:00.123456z", 1803891600123},
		{"2027-03-01t10:00:00+01:00", 1803891600000},
		{"2027-03-01 04:30:00-04:30", 1803891600000},
		{"2028-02-29T00:00:00Z", 1835395200000},
		{"2027-02-29T00:00:00Z", 0},
		{"2100-02-29T00:00:00Z", 0},
		{"2027-13-01T00:00:00Z", 0},
		{"2027-03-00T00:00:00Z", 0},
		{"2027-03-01T24:00:00Z", 0},
		{"2027-03-01T23:59:60Z", 0},
		{"2027-03-01T09:00:00", 0},
		{"2027-03-01T09:00Z", 0},
		{"2027-03-01", 0},
		{"2027-03-01T09:00:00.Z", 0},
		{"2027-03-01T09:00:00Zx", 0},
		{"2027-03-01T09:00:00+1:00", 0},
		{"2027-03-01T09:00:00+01:60", 0},
		{"1969-12-31T23:59:59Z", 0},
		{"1970-01-01T00:00:00+01:00", 0},
		{"+027-03-01T09:00:00Z", 0},
		{"", 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t ms = -1;

		assert_int_equal(cp_time_parse(&ms, rows[i].text), rows[i].ms != 0 ? 0 : -22);
		assert_int_equal(ms, rows[i].ms != 0 ? rows[i].ms : -1);
	}
	for (int64_t ms = 1; ms < 4102444800000; ms += 86399123456) {
		char text[CP_TIME_TEXT];
		int64_t back = 0;

		cp_time_print(text, ms);
		assert_int_equal(cp_time_parse(&back, text), 0);
		assert_int_equal(back, ms);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_csv_becomes_a_list),
		cmocka_unit_test(mistakes_of_a_csv_come_with_their_line),
		cmocka_unit_test(a_cut_csv_is_no_trouble),
		cmocka_unit_test(a_word_may_have_a_role_behind_it),
		cmocka_unit_test(times_are_read_and_printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
