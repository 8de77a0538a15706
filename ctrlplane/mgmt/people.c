/* Lists of who may join, as JSON and as CSV (RFC 4180). */
#include "ctrlplane/mgmt/people.h"
#include <stdio.h>
#include <string.h>
#include "ctrlplane/conf/policy.h"

#define URI_MAX 255
#define FIELD_MAX 512
#define COLUMNS_MAX 8
#define MISTAKES_MAX 20

static bool
is_role(const char *name)
{
	enum cp_conf_role role;

	return name != NULL && cp_conf_role_of(&role, cp_slice_text(name)) == 0 &&
	       role != CP_ROLE_CREATOR;
}

static bool
is_uri(const json_t *value)
{
	size_t len = json_string_length(value);

	if (!json_is_string(value) || len < 1 || len > URI_MAX)
		return false;
	for (const char *c = json_string_value(value); len-- > 0; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return false;
	return true;
}

bool
cp_people_check_one(const json_t *value, char *why, size_t size)
{
	const json_t *role = json_object_get(value, "role");

	snprintf(why, size,
		 "must be URIs, or objects with uri and role (participant, listener, moderator)");
	if (!json_is_object(value))
		return is_uri(value);
	return is_uri(json_object_get(value, "uri")) &&
	       json_object_size(value) == (role != NULL ? 2 : 1) &&
	       (role == NULL || is_role(json_string_value(role)));
}

bool
cp_people_check(const json_t *value, char *why, size_t size)
{
	size_t i;
	json_t *item;

	if (!json_is_array(value) || json_array_size(value) > CP_CONF_AUTHORISED_MAX) {
		snprintf(why, size, "must be a list of at most %d", CP_CONF_AUTHORISED_MAX);
		return false;
	}
	json_array_foreach (value, i, item) {
		if (!cp_people_check_one(item, why, size))
			return false;
	}
	return true;
}

json_t *
cp_people_from_word(const char *word)
{
	const char *equals = strrchr(word, '=');

	if (equals == NULL || !is_role(equals + 1))
		return json_string(word);
	return json_pack("{s:s%, s:s}", "uri", word, (size_t)(equals - word), "role", equals + 1);
}

/* Where the CSV is being read. */
struct csv {
	const char *at;
	size_t line;
};

/* One field into out, of FIELD_MAX. false: a quote is not closed, or it is too long. */
static bool
read_field(struct csv *csv, char *out)
{
	size_t len = 0;
	bool is_quoted = *csv->at == '"';

	csv->at += is_quoted;
	while (*csv->at != '\0') {
		if (is_quoted && csv->at[0] == '"' && csv->at[1] != '"') {
			csv->at++;
			is_quoted = false;
			break;
		}
		if (!is_quoted && strchr(",\r\n", *csv->at) != NULL)
			break;
		if (is_quoted && *csv->at == '"')
			csv->at++;
		if (*csv->at == '\n')
			csv->line++;
		if (len == FIELD_MAX - 1)
			return false;
		out[len++] = *csv->at++;
	}
	out[len] = '\0';
	return !is_quoted && (*csv->at == '\0' || strchr(",\r\n", *csv->at) != NULL);
}

/* The fields of a line. Their number; -1: it is malformed, and the rest of the line is skipped. */
static int
read_line(struct csv *csv, char fields[COLUMNS_MAX][FIELD_MAX])
{
	int count = 0;
	bool is_fine = true;

	for (;;) {
		is_fine = count < COLUMNS_MAX && read_field(csv, fields[count]);
		count++;
		if (!is_fine || *csv->at != ',')
			break;
		csv->at++;
	}
	csv->at += strcspn(csv->at, "\n");
	if (*csv->at == '\n')
		csv->at++;
	return is_fine ? count : -1;
}

static void
add_mistake(struct cp_problem *problem, size_t line, const char *why)
{
	char pointer[32];

	snprintf(pointer, sizeof(pointer), "line %zu", line);
	if (json_array_size(problem->errors) < MISTAKES_MAX)
		cp_problem_add(problem, pointer, "%s", why);
}

/* Which column is which; -1: there is none. */
struct columns {
	int count, uri, role;
};

static bool
read_header(struct columns *out, struct csv *csv, struct cp_problem *problem)
{
	char fields[COLUMNS_MAX][FIELD_MAX];

	if (strncmp(csv->at, "\xef\xbb\xbf", 3) == 0)
		csv->at += 3;
	*out = (struct columns){.count = read_line(csv, fields), .uri = -1, .role = -1};
	for (int i = 0; i < out->count; i++) {
		int *column = strcmp(fields[i], "uri") == 0    ? &out->uri
			      : strcmp(fields[i], "role") == 0 ? &out->role
							       : NULL;

		if (column == NULL || *column >= 0)
			add_mistake(problem, 1,
				    "names a column that is not uri or role, or one twice");
		else
			*column = i;
	}
	if (out->uri < 0)
		add_mistake(problem, 1, "must name the columns, uri among them");
	return problem->status == 0;
}

static void
read_person(json_t *list, struct csv *csv, const struct columns *columns,
	    struct cp_problem *problem)
{
	char fields[COLUMNS_MAX][FIELD_MAX], why[160];
	size_t line = csv->line;
	json_t *person;

	if (*csv->at == '\r' || *csv->at == '\n') { /* an empty line */
		csv->at += strcspn(csv->at, "\n");
		csv->at += *csv->at == '\n';
		return;
	}
	if (read_line(csv, fields) != columns->count) {
		add_mistake(problem, line,
			    "has not the columns of the first line, or a malformed field");
		return;
	}
	person = json_pack("{s:s}", "uri", fields[columns->uri]);
	if (person != NULL && columns->role >= 0 && fields[columns->role][0] != '\0')
		json_object_set_new(person, "role", json_string(fields[columns->role]));
	if (person == NULL || !cp_people_check_one(person, why, sizeof(why))) {
		add_mistake(problem, line,
			    "has no URI, or a role that is not participant, listener or moderator");
		json_decref(person);
	} else {
		json_array_append_new(list, person);
	}
}

json_t *
cp_people_from_csv(struct cp_problem *problem, const char *text)
{
	struct csv csv = {.at = text, .line = 1};
	struct columns columns;
	json_t *list = json_array();

	if (read_header(&columns, &csv, problem))
		while (*csv.at != '\0') {
			csv.line++;
			read_person(list, &csv, &columns, problem);
		}
	if (problem->status == 0 && json_array_size(list) <= CP_CONF_AUTHORISED_MAX)
		return list;
	cp_problem_set(problem, 400, "invalid", "A list has at most %d people.",
		       CP_CONF_AUTHORISED_MAX);
	json_decref(list);
	return NULL;
}
