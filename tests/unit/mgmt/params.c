/* Parameters from path, query and body, and the problem documents that wrong ones give. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "ctrlplane/mgmt/params.h"

/* One request as far as its parameters. */
struct outcome {
	struct cp_target target;
	struct cp_route route;
	struct cp_problem problem;
	json_t *params;
};

static void
collect(struct outcome *o, const char *method, const char *text, const char *body)
{
	memset(&o->problem, 0, sizeof(o->problem));
	assert_int_equal(cp_target_parse(&o->target, text), 0);
	assert_int_equal(cp_route_find(&o->route, method, &o->target), 0);
	o->params = cp_params_collect(&o->problem, &o->route, &o->target, body, strlen(body));
	assert_int_equal(o->params == NULL, o->problem.status != 0);
}

static void
finish(struct outcome *o)
{
	json_decref(o->params);
	cp_problem_fini(&o->problem);
}

static void
good_parameters_come_through(void **state)
{
	struct outcome o;

	collect(&o, "POST", "/v1/conferences",
		"{\"id\": \"standup\", \"open\": true, \"authorised\": [\"sip:a@b\", \"tel:+1\"], "
		"\"loudest_n\": 3}");
	assert_string_equal(json_string_value(json_object_get(o.params, "id")), "standup");
	assert_true(json_is_true(json_object_get(o.params, "open")));
	assert_int_equal(json_array_size(json_object_get(o.params, "authorised")), 2);
	finish(&o);
	collect(&o, "GET", "/v1/conferences/demo/participants?limit=5&after=4294967295", "");
	assert_string_equal(json_string_value(json_object_get(o.params, "conference")), "demo");
	assert_int_equal(json_integer_value(json_object_get(o.params, "after")), 4294967295);
	finish(&o);
	collect(&o, "POST", "/v1/conferences/demo/participants/7/gain", "{\"gain_db\": -5.5}");
	assert_int_equal(json_integer_value(json_object_get(o.params, "participant")), 7);
	assert_true(json_real_value(json_object_get(o.params, "gain_db")) == -5.5);
	finish(&o);
}

static void
lines_may_be_several_but_steer_no_terminal(void **state)
{
	struct outcome o;

	collect(&o, "POST", "/v1/conferences/demo/chat/messages", "{\"text\": \"a\\n\\tb\"}");
	assert_string_equal(json_string_value(json_object_get(o.params, "text")), "a\n\tb");
	finish(&o);
	collect(&o, "POST", "/v1/conferences/demo/chat/messages", "{\"text\": \"\\u001b[2J\"}");
	assert_int_equal(o.problem.status, 400);
	finish(&o);
}

static void
wrong_ones_are_named(void **state)
{
	static const struct {
		const char *method, *text, *body;
		int status;
		const char *pointer, *detail;
	} rows[] = {
		{"POST", "/v1/conferences", "{", 400, NULL,
		 "The body is not JSON: line 1, column 1: "},
		{"POST", "/v1/conferences", "[]", 400, NULL, "The body must be a JSON object."},
		{"POST", "/v1/conferences", "{\"id\": \"a\", \"id\": \"b\"}", 400, NULL,
		 "The body is not JSON: "},
		{"POST", "/v1/conferences/demo/call", "{}", 400, "#/uri", "is missing: SIP URI"},
		{"POST", "/v1/conferences/demo/call", "", 400, "#/uri", "is missing: SIP URI"},
		{"POST", "/v1/conferences/demo/call", "{\"uri\": null}", 400, "#/uri",
		 "must be a string"},
		{"PATCH", "/v1/conferences/demo", "{\"start_at\": \"tomorrow\"}", 400, "#/start_at",
		 "must be a time like 2027-03-01T09:00:00Z, or empty"},
		{"PATCH", "/v1/conferences/demo", "{\"end_at\": 5}", 400, "#/end_at",
		 "must be a time"},
		{"GET", "/v1/records?since=", "", 400, "?since", "must be a time"},
		{"PUT", "/v1/conferences/demo/authorised", "{\"authorised\": [{\"uri\": 1}]}", 400,
		 "#/authorised", "must be URIs, or objects"},
		{"PUT", "/v1/conferences/demo/authorised",
		 "{\"authorised\": [{\"uri\": \"sip:a@b\", \"role\": \"creator\"}]}", 400,
		 "#/authorised", "must be URIs, or objects"},
		{"POST", "/v1/conferences/demo/authorised/import", "{\"csv\": \"a\\u0001\"}", 400,
		 "#/csv", "must not have control characters"},
		{"POST", "/v1/conferences", "{\"id\": 5}", 400, "#/id", "must be a string"},
		{"POST", "/v1/conferences", "{\"id\": \"\"}", 400, "#/id",
		 "must be 1 to 63 octets long"},
		{"POST", "/v1/conferences", "{\"id\": \"a\\nb\"}", 400, "#/id",
		 "must not have control characters"},
		{"POST", "/v1/conferences", "{\"id\": \"a\", \"opne\": true}", 400, "#/opne",
		 "is not known; did you mean open?"},
		{"POST", "/v1/conferences", "{\"id\": \"a\", \"open\": 1}", 400, "#/open",
		 "must be true or false"},
		{"POST", "/v1/conferences", "{\"id\": \"a\", \"security\": \"x\"}", 400,
		 "#/security", "must be one of sdes, either, none, mikey-ticket"},
		{"POST", "/v1/conferences", "{\"id\": \"a\", \"floors\": \"x\"}", 400, "#/floors",
		 "must be a list of at most"},
		{"POST", "/v1/conferences", "{\"id\": \"a\", \"floors\": [1]}", 400, "#/floors",
		 "must be texts like"},
		{"POST", "/v1/conferences", "{\"id\": \"a\", \"floors\": [\"stage video\"]}", 400,
		 "#/floors", "is nothing that is said of a floor"},
		{"POST", "/v1/conferences", "{\"id\": \"a\", \"floors\": [\"x\", \"x\"]}", 400,
		 "#/floors", "stands twice"},
		{"POST", "/v1/conferences", "{\"id\": \"a\", \"floors\": [{\"mode\": \"chair\"}]}",
		 400, "#/floors", "the name of a floor"},
		{"POST", "/v1/conferences",
		 "{\"id\": \"a\", \"floors\": [{\"name\": \"x\", \"holders\": 0.5}]}", 400,
		 "#/floors", "'holders'"},
		{"POST", "/v1/conferences",
		 "{\"id\": \"a\", \"floors\": [{\"name\": \"x\", \"size\": 1}]}", 400, "#/floors",
		 "'size'"},
		{"POST", "/v1/conferences",
		 "{\"id\": \"a\", \"floors\": [{\"name\": \"x\", \"media\": [\"video\"]}]}", 400,
		 "#/floors", "'media'"},
		{"POST", "/v1/conferences", "{\"id\": \"a\", \"authorised\": \"x\"}", 400,
		 "#/authorised", "must be a list of at most"},
		{"POST", "/v1/conferences", "{\"id\": \"a\", \"authorised\": [1]}", 400,
		 "#/authorised", "must be URIs, or objects"},
		{"POST", "/v1/conferences", "{\"id\": \"a\", \"loudest_n\": 1.5}", 400,
		 "#/loudest_n", "must be a whole number from 0 to 64"},
		{"POST", "/v1/conferences", "{\"id\": \"a\", \"loudest_n\": 65}", 400,
		 "#/loudest_n", "must be a whole number from 0 to 64"},
		{"POST", "/v1/conferences/demo/participants/7/gain", "{\"gain_db\": 21}", 400,
		 "#/gain_db", "must be a number from -60 to 20"},
		{"GET", "/v1/conferences/demo/participants/x", "", 404, NULL,
		 "There is no such participant"},
		{"GET", "/v1/conferences/demo/participants/0", "", 404, NULL,
		 "There is no such participant"},
		{"GET", "/v1/conferences/demo/participants/4294967296", "", 404, NULL,
		 "There is no such participant"},
		{"GET", "/v1/conferences/demo/participants?limit=0", "", 400, "?limit",
		 "must be a whole number from 1 to 1000"},
		{"GET", "/v1/conferences/demo/participants?limit=1&limit=2", "", 400, "?limit",
		 "stands twice"},
		{"GET", "/v1/conferences/demo/participants?limti=1", "", 400, "?limti",
		 "is not known; did you mean limit?"},
		{"GET", "/v1/status?x=1", "", 400, "?x", "is not known"},
		{"POST", "/v1/node/drain", "{\"x\": 1}", 400, "#/x", "is not known"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const json_t *first;
		struct outcome o;

		collect(&o, rows[i].method, rows[i].text, rows[i].body);
		assert_int_equal(o.problem.status, rows[i].status);
		first = json_array_get(o.problem.errors, 0);
		if (rows[i].pointer != NULL) {
			assert_string_equal(json_string_value(json_object_get(first, "pointer")),
					    rows[i].pointer);
			assert_non_null(strstr(json_string_value(json_object_get(first, "detail")),
					       rows[i].detail));
		} else {
			assert_non_null(strstr(o.problem.detail, rows[i].detail));
		}
		finish(&o);
	}
}

static void
all_mistakes_come_in_one_go(void **state)
{
	struct outcome o;

	collect(&o, "POST", "/v1/conferences/demo/mix?a=1", "{\"small_size\": true, \"zebra\": 2}");
	assert_int_equal(json_array_size(o.problem.errors),
			 4); /* a, small_size, zebra, and no loudest_n */
	finish(&o);
}

static void
a_problem_is_a_document(void **state)
{
	struct cp_problem problem = {0};
	json_t *json;

	cp_problem_errno(&problem, -ETIMEDOUT, "The media plane");
	cp_problem_set(&problem, 400, "later", "%s", "the first one stays");
	json = cp_problem_json(&problem, "/v1/x");
	assert_string_equal(json_string_value(json_object_get(json, "type")),
			    "urn:problem-type:conclave:media-plane-slow");
	assert_int_equal(json_integer_value(json_object_get(json, "status")), 504);
	assert_string_equal(json_string_value(json_object_get(json, "title")),
			    "The media plane does not answer");
	assert_string_equal(json_string_value(json_object_get(json, "instance")), "/v1/x");
	json_decref(json);
	cp_problem_fini(&problem);
}

static void
text_that_is_no_utf8_does_not_spoil_the_document(void **state)
{
	struct cp_problem problem = {0};
	json_t *json;

	cp_problem_add(&problem, "#/\xc3", "cut: \xe2\x82");
	cp_problem_set(&problem, 404, NULL, "later");
	json = cp_problem_json(&problem, "/v1/\xff");
	assert_string_equal(json_string_value(json_object_get(json, "instance")), "/v1/?");
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(json_object_get(json, "errors"), 0), "detail")),
			    "cut: ??");
	json_decref(json);
	cp_problem_fini(&problem);
}

static void
words_are_checked_as_members_are(void **state)
{
	static const struct {
		const char *word;
		bool is_fine;
	} rows[] = {{"-6", true},    {"-5.5", true}, {"+3", true},   {"20", true},
		    {"20.1", false}, {"nan", false}, {"inf", false}, {"0x5", false},
		    {"", false},     {"5 ", false},  {" 5", false}};
	size_t count;
	const struct cp_param *params = cp_command_params(CP_COMMAND_PARTICIPANT_GAIN, &count);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char why[128] = "";
		json_t *value =
			cp_params_from_word(&params[count - 1], rows[i].word, why, sizeof(why));

		assert_int_equal(value != NULL, rows[i].is_fine);
		assert_true(value != NULL || why[0] != '\0');
		json_decref(value);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_parameters_come_through),
		cmocka_unit_test(lines_may_be_several_but_steer_no_terminal),
		cmocka_unit_test(wrong_ones_are_named),
		cmocka_unit_test(all_mistakes_come_in_one_go),
		cmocka_unit_test(a_problem_is_a_document),
		cmocka_unit_test(words_are_checked_as_members_are),
		cmocka_unit_test(text_that_is_no_utf8_does_not_spoil_the_document),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
