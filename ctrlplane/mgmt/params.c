/* The parameters of a command, from path, query and body, checked against commands.list. */
#include "ctrlplane/mgmt/params.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "configs/loader/nearest.h"
#include "ctrlplane/mgmt/floor_list.h"
#include "ctrlplane/mgmt/people.h"
#include "ctrlplane/mgmt/time.h"

static bool
is_choice(const struct cp_param *param, const char *text)
{
	for (const char *choice = param->choices; *choice != '\0'; choice += strlen(choice) + 1)
		if (strcmp(choice, text) == 0)
			return true;
	return false;
}

static void
name_choices(const struct cp_param *param, char *why, size_t size)
{
	size_t len = (size_t)snprintf(why, size, "must be one of");

	for (const char *choice = param->choices; *choice != '\0' && len < size;
	     choice += strlen(choice) + 1)
		len += (size_t)snprintf(why + len, size - len, "%s %s",
					choice == param->choices ? "" : ",", choice);
}

static bool
is_clean(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

/* Lines of text: control characters but those that end or indent a line are none. */
static bool
are_clean_lines(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' && strchr("\t\r\n", *text) == NULL)
			return false;
	return true;
}

static bool
is_time_fine(const struct cp_param *param, const json_t *value, char *why, size_t size)
{
	const char *text = json_string_value(value);
	int64_t ms;

	snprintf(why, size, "must be a time like 2027-03-01T09:00:00Z%s",
		 param->min == 0 ? ", or empty" : "");
	if (text == NULL)
		return false;
	return (text[0] == '\0' && param->min == 0) ||
	       (strlen(text) == json_string_length(value) && cp_time_parse(&ms, text) == 0);
}

static bool
is_text_fine(const struct cp_param *param, const json_t *value, char *why, size_t size)
{
	size_t len = json_string_length(value);

	if (!json_is_string(value)) {
		snprintf(why, size, "must be a string");
		return false;
	}
	if (param->kind == CP_PARAM_CHOICE) {
		name_choices(param, why, size);
		return is_choice(param, json_string_value(value));
	}
	if ((int64_t)len < param->min || (int64_t)len > param->max) {
		snprintf(why, size, "must be %" PRId64 " to %" PRId64 " octets long", param->min,
			 param->max);
		return false;
	}
	snprintf(why, size, "must not have control characters");
	if (strlen(json_string_value(value)) != len)
		return false;
	return (param->kind == CP_PARAM_FILE || param->kind == CP_PARAM_LINES
			? are_clean_lines
			: is_clean)(json_string_value(value));
}

static bool
is_list_fine(const struct cp_param *param, const json_t *value, char *why, size_t size)
{
	size_t i;
	json_t *item;

	if (!json_is_array(value)) {
		snprintf(why, size, "must be a list of strings");
		return false;
	}
	json_array_foreach (value, i, item) {
		if (!is_text_fine(param, item, why, size))
			return false;
	}
	return true;
}

static bool
is_fine(const struct cp_param *param, const json_t *value, char *why, size_t size)
{
	bool is_whole = param->kind == CP_PARAM_NUMBER;

	if (json_is_null(value) && param->min == 0 &&
	    (param->kind == CP_PARAM_TEXT || param->kind == CP_PARAM_TIME))
		return true;
	switch (param->kind) {
	case CP_PARAM_TEXT:
	case CP_PARAM_LINES:
	case CP_PARAM_CHOICE:
	case CP_PARAM_FILE:
		return is_text_fine(param, value, why, size);
	case CP_PARAM_TIME:
		return is_time_fine(param, value, why, size);
	case CP_PARAM_PEOPLE:
		return cp_people_check(value, why, size);
	case CP_PARAM_FLOORS:
		return cp_floor_list_check(value, why, size);
	case CP_PARAM_TEXTS:
		return is_list_fine(param, value, why, size);
	case CP_PARAM_FLAG:
		snprintf(why, size, "must be true or false");
		return json_is_boolean(value);
	default:
		snprintf(why, size, "must be a %s from %" PRId64 " to %" PRId64,
			 is_whole ? "whole number" : "number", param->min, param->max);
		return (is_whole ? json_is_integer(value) : json_is_number(value)) &&
		       json_number_value(value) >= (double)param->min &&
		       json_number_value(value) <= (double)param->max;
	}
}

/* NULL when the word is no value of that kind at all. */
static json_t *
parse_word(const struct cp_param *param, const char *word)
{
	char *end;

	errno = 0;
	switch (param->kind) {
	case CP_PARAM_NUMBER: {
		long long number = strtoll(word, &end, 10);

		return end == word || *end != '\0' || errno != 0 || strchr(" \t+", word[0])
			       ? NULL
			       : json_integer(number);
	}
	case CP_PARAM_REAL: {
		double number = strtod(word, &end);

		return end == word || *end != '\0' || errno != 0 ||
				       strspn(word, "+-.0123456789") != strlen(word)
			       ? NULL
			       : json_real(number);
	}
	case CP_PARAM_FLAG:
		if (strcmp(word, "true") != 0 && strcmp(word, "false") != 0)
			return NULL;
		return json_boolean(word[0] == 't');
	case CP_PARAM_PEOPLE:
		return cp_people_from_word(word);
	default:
		return json_string(word);
	}
}

json_t *
cp_params_from_word(const struct cp_param *param, const char *word, char *why, size_t why_size)
{
	json_t *value = parse_word(param, word);

	if (value == NULL) {
		is_fine(param, json_null(), why, why_size);
		return NULL;
	}
	if (param->kind == CP_PARAM_PEOPLE   ? cp_people_check_one(value, why, why_size)
	    : param->kind == CP_PARAM_FLOORS ? cp_floor_list_check_one(value, why, why_size)
	    : param->kind == CP_PARAM_TEXTS  ? is_text_fine(param, value, why, why_size)
					     : is_fine(param, value, why, why_size))
		return value;
	json_decref(value);
	return NULL;
}

static const struct cp_param *
find_param(const struct cp_param *params, size_t count, const char *name, bool is_query)
{
	for (size_t i = 0; i < count; i++) {
		bool is_here = is_query ? params[i].place == CP_PLACE_QUERY
					: cp_param_is_member(&params[i]);

		if (is_here && strcmp(params[i].name, name) == 0)
			return &params[i];
	}
	return NULL;
}

static void
add_unknown(struct cp_problem *problem, const struct cp_route *route, const char *name,
	    bool is_query)
{
	struct conf_nearest nearest = {.word = name};
	char pointer[80];
	size_t count;
	const struct cp_param *params = cp_command_params(route->command->id, &count);

	for (size_t i = 0; i < count; i++)
		if (find_param(&params[i], 1, params[i].name, is_query) != NULL)
			conf_nearest_try(&nearest, params[i].name);
	snprintf(pointer, sizeof(pointer), "%s%.60s", is_query ? "?" : "#/", name);
	if (nearest.best != NULL)
		cp_problem_add(problem, pointer, "is not known; did you mean %s?", nearest.best);
	else
		cp_problem_add(problem, pointer, "is not known");
}

static void
collect_path(json_t *out, struct cp_problem *problem, const struct cp_route *route)
{
	size_t count, arg = 0;
	const struct cp_param *params = cp_command_params(route->command->id, &count);

	for (size_t i = 0; i < count; i++) {
		char why[128];
		json_t *value;

		if (params[i].place != CP_PLACE_PATH)
			continue;
		value = cp_params_from_word(&params[i], route->args[arg++], why, sizeof(why));
		if (value != NULL)
			json_object_set_new(out, params[i].name, value);
		else
			cp_problem_set(problem, 404, "unknown", "There is no such %s: its id %s.",
				       params[i].name, why);
	}
}

static void
collect_query(json_t *out, struct cp_problem *problem, const struct cp_route *route,
	      const struct cp_target *target)
{
	size_t count;
	const struct cp_param *params = cp_command_params(route->command->id, &count);

	for (size_t i = 0; i < target->query_count; i++) {
		const struct cp_target_pair *pair = &target->query[i];
		const struct cp_param *param = find_param(params, count, pair->name, true);
		char pointer[80], why[128];
		json_t *value;

		if (param == NULL) {
			add_unknown(problem, route, pair->name, true);
			continue;
		}
		value = cp_params_from_word(param, pair->value, why, sizeof(why));
		snprintf(pointer, sizeof(pointer), "?%s", param->name);
		if (value == NULL)
			cp_problem_add(problem, pointer, "%s", why);
		else if (json_object_get(out, param->name) != NULL)
			cp_problem_add(problem, pointer, "stands twice");
		json_object_set_new(out, param->name, value);
	}
}

static json_t *
parse_body(struct cp_problem *problem, const char *body, size_t len)
{
	json_error_t error;
	json_t *json;

	if (len == 0)
		return json_object();
	json = json_loadb(body, len, JSON_REJECT_DUPLICATES, &error);
	if (json == NULL) {
		cp_problem_set(problem, 400, "not-json",
			       "The body is not JSON: line %d, column %d: %s.", error.line,
			       error.column, error.text);
	} else if (!json_is_object(json)) {
		cp_problem_set(problem, 400, "not-json", "The body must be a JSON object.");
		json_decref(json);
		json = NULL;
	}
	return json;
}

static void
collect_body(json_t *out, struct cp_problem *problem, const struct cp_route *route, json_t *body)
{
	size_t count;
	const struct cp_param *params = cp_command_params(route->command->id, &count);
	const char *name;
	json_t *value;

	json_object_foreach (body, name, value) {
		const struct cp_param *param = find_param(params, count, name, false);
		char pointer[80], why[128];

		snprintf(pointer, sizeof(pointer), "#/%.60s", name);
		if (param == NULL)
			add_unknown(problem, route, name, false);
		else if (!is_fine(param, value, why, sizeof(why)))
			cp_problem_add(problem, pointer, "%s", why);
		else
			json_object_set_new(out, name,
					    json_is_null(value) ? json_string("")
								: json_incref(value));
	}
	for (size_t i = 0; i < count; i++) {
		char pointer[80];

		snprintf(pointer, sizeof(pointer), "#/%s", params[i].name);
		if (params[i].place == CP_PLACE_WORD &&
		    json_object_get(body, params[i].name) == NULL)
			cp_problem_add(problem, pointer, "is missing: %s", params[i].text);
	}
}

static void
collect_json(json_t *out, struct cp_problem *problem, const struct cp_route *route,
	     const char *body, size_t body_len)
{
	json_t *json = parse_body(problem, body, body_len);

	if (json != NULL)
		collect_body(out, problem, route, json);
	json_decref(json);
}

static void
collect_file(json_t *out, struct cp_problem *problem, const struct cp_route *route,
	     const char *body, size_t body_len)
{
	size_t count;
	const struct cp_param *params = cp_command_params(route->command->id, &count);
	json_t *text = json_stringn(body_len > 0 ? body : "", body_len), *object;

	for (size_t i = 0; i < count && text != NULL; i++) {
		if (params[i].kind != CP_PARAM_FILE)
			continue;
		object = json_pack("{s:O}", params[i].name, text);
		collect_body(out, problem, route, object);
		json_decref(object);
	}
	if (text == NULL)
		cp_problem_set(problem, 400, "not-text", "The body is no UTF-8 text.");
	json_decref(text);
}

static json_t *
finish(json_t *out, struct cp_problem *problem)
{
	if (problem->status == 0)
		return out;
	json_decref(out);
	return NULL;
}

json_t *
cp_params_collect(struct cp_problem *problem, const struct cp_route *route,
		  const struct cp_target *target, const char *body, size_t body_len)
{
	json_t *out = json_object();

	collect_path(out, problem, route);
	if (problem->status == 0) {
		collect_query(out, problem, route, target);
		collect_json(out, problem, route, body, body_len);
	}
	return finish(out, problem);
}

json_t *
cp_params_collect_file(struct cp_problem *problem, const struct cp_route *route,
		       const struct cp_target *target, const char *body, size_t body_len)
{
	json_t *out = json_object();

	collect_path(out, problem, route);
	if (problem->status == 0) {
		collect_query(out, problem, route, target);
		collect_file(out, problem, route, body, body_len);
	}
	return finish(out, problem);
}
