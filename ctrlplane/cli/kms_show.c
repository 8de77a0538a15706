/* Users, TPKs and the audit log of the KMS for people and for scripts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctrlplane/cli/kms_state.h"
#include "ctrlplane/cli/table.h"

#define CELL CP_TABLE_CELL_MAX

static json_t *
list_of(const char *text)
{
	json_t *list = json_array();

	while (text != NULL && *text != '\0') {
		size_t len = strcspn(text, "\n");

		json_array_append_new(list, json_stringn(text, len));
		text += len + (text[len] != '\0');
	}
	return list;
}

json_t *
cp_cli_kms_user_json(const struct cp_store_user *user)
{
	json_t *sets = json_array();

	for (int i = 0; i < CP_STORE_SETS; i++)
		if (user->has_psk[i])
			json_array_append_new(sets, json_integer(i == 0 ? 128 : 256));
	return json_pack("{s:s, s:s?, s:b, s:o, s:o, s:o, s:o, s:I, s:I}", "identity",
			 user->identity, "psk_id", user->psk_id, "enabled", user->is_enabled,
			 "sets", sets, "act_for", list_of(user->act_for), "responders",
			 list_of(user->responders), "rate",
			 user->rate >= 0 ? json_integer(user->rate) : json_null(), "created",
			 (json_int_t)user->created, "changed", (json_int_t)user->changed);
}

/* Items of an array behind each other; none where it is empty. */
static const char *
join(char out[CELL], const json_t *array, const char *none)
{
	size_t i, len = 0;
	json_t *item;

	snprintf(out, CELL, "%s", none);
	json_array_foreach (array, i, item) {
		if (len >= CELL)
			break;
		if (json_is_integer(item))
			len += (size_t)snprintf(out + len, CELL - len, "%s%lld", len ? ", " : "",
						(long long)json_integer_value(item));
		else
			len += (size_t)snprintf(out + len, CELL - len, "%s%s", len ? ", " : "",
						json_string_value(item));
	}
	return out;
}

static const char *
text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL && text[0] != '\0' ? text : "-";
}

static const char *
time_of(char out[CELL], const json_t *value, int64_t unit)
{
	time_t at = (time_t)(json_integer_value(value) / unit);
	struct tm parts;

	if (!json_is_integer(value) || at == 0)
		return "-";
	localtime_r(&at, &parts);
	strftime(out, CELL, "%Y-%m-%d %H:%M:%S", &parts);
	return out;
}

static void
show_user(const json_t *user, FILE *file)
{
	char space[CELL];

	fprintf(file, "%s\n", text_of(user, "identity"));
	fprintf(file, "  %-12s %s\n", "enabled",
		json_is_true(json_object_get(user, "enabled")) ? "yes" : "no");
	fprintf(file, "  %-12s %s\n", "sets", join(space, json_object_get(user, "sets"), "none"));
	fprintf(file, "  %-12s %s\n", "name of keys", text_of(user, "psk_id"));
	fprintf(file, "  %-12s %s\n", "acts for",
		join(space, json_object_get(user, "act_for"), "itself only"));
	fprintf(file, "  %-12s %s\n", "tickets for",
		join(space, json_object_get(user, "responders"), "anybody"));
	if (json_is_integer(json_object_get(user, "rate")))
		fprintf(file, "  %-12s %lld a second\n", "rate",
			(long long)json_integer_value(json_object_get(user, "rate")));
	fprintf(file, "  %-12s %s\n", "changed",
		time_of(space, json_object_get(user, "changed"), 1));
}

static void
show_users(const json_t *users, const struct cp_cli_out *out)
{
	static const struct cp_table_column columns[] = {
		{"identity", CP_TABLE_FLEX, 0},	   {"enabled", CP_TABLE_LEFT, 0},
		{"sets", CP_TABLE_LEFT, 2},	   {"acts for", CP_TABLE_FLEX, 3},
		{"tickets for", CP_TABLE_FLEX, 1},
	};
	struct cp_table table = {.columns = columns, .column_count = 5};
	json_t *user;
	size_t i;

	json_array_foreach (users, i, user) {
		char sets[CELL], act_for[CELL], responders[CELL];
		const char *const cells[] = {
			text_of(user, "identity"),
			json_is_true(json_object_get(user, "enabled")) ? "yes" : "no",
			join(sets, json_object_get(user, "sets"), "none"),
			join(act_for, json_object_get(user, "act_for"), "-"),
			join(responders, json_object_get(user, "responders"), "anybody"),
		};

		cp_table_add(&table, cells);
	}
	cp_table_print(&table, out);
	cp_table_fini(&table);
}

static void
show_tpks(const json_t *tpks, const struct cp_cli_out *out)
{
	static const struct cp_table_column columns[] = {
		{"id", CP_TABLE_LEFT, 0},	   {"set", CP_TABLE_RIGHT, 0},
		{"shared with", CP_TABLE_FLEX, 1}, {"created", CP_TABLE_LEFT, 2},
		{"retired", CP_TABLE_LEFT, 0},	   {"last ticket ends", CP_TABLE_LEFT, 3},
	};
	struct cp_table table = {.columns = columns, .column_count = 6};
	json_t *tpk;
	size_t i;

	json_array_foreach (tpks, i, tpk) {
		char set[16], created[CELL], retired[CELL], ends[CELL];
		const char *const cells[] = {
			text_of(tpk, "id"),
			set,
			text_of(tpk, "owner"),
			time_of(created, json_object_get(tpk, "created"), 1),
			time_of(retired, json_object_get(tpk, "retired"), 1),
			time_of(ends, json_object_get(tpk, "last_ticket_ends"), 1),
		};

		snprintf(set, sizeof(set), "%lld",
			 (long long)json_integer_value(json_object_get(tpk, "set")));
		cp_table_add(&table, cells);
	}
	cp_table_print(&table, out);
	cp_table_fini(&table);
}

static void
show_audit(const json_t *entries, const struct cp_cli_out *out)
{
	static const struct cp_table_column columns[] = {
		{"when", CP_TABLE_LEFT, 0},	 {"what", CP_TABLE_LEFT, 0},
		{"who", CP_TABLE_FLEX, 2},	 {"as", CP_TABLE_FLEX, 0},
		{"initiator", CP_TABLE_FLEX, 3}, {"responder", CP_TABLE_FLEX, 0},
		{"outcome", CP_TABLE_FLEX, 0},	 {"from", CP_TABLE_LEFT, 1},
	};
	struct cp_table table = {.columns = columns, .column_count = 8};
	json_t *entry;
	size_t i;

	json_array_foreach (entries, i, entry) {
		char when[CELL];
		bool is_granted = json_is_true(json_object_get(entry, "granted"));
		const char *const cells[] = {
			time_of(when, json_object_get(entry, "at_ms"), 1000),
			text_of(entry, "what"),
			text_of(entry, "owner"),
			text_of(entry, "user"),
			text_of(entry, "initiator"),
			text_of(entry, "responder"),
			is_granted ? "granted" : text_of(entry, "why"),
			text_of(entry, "source"),
		};

		cp_table_add(&table, cells);
	}
	cp_table_print(&table, out);
	cp_table_fini(&table);
}

static void
show_value(const char *name, const json_t *value, FILE *file)
{
	const char *inner, *separator = "";
	json_t *part;

	if (json_is_string(value))
		fprintf(file, "%-12s %s\n", name, json_string_value(value));
	else if (json_is_integer(value))
		fprintf(file, "%-12s %lld\n", name, (long long)json_integer_value(value));
	if (json_object_size(value) == 0)
		return;
	fprintf(file, "%-12s ", name);
	json_object_foreach ((json_t *)(uintptr_t)value, inner, part) {
		fprintf(file, "%s%s %lld", separator, inner, (long long)json_integer_value(part));
		separator = ", ";
	}
	fputc('\n', file);
}

/* Numbers and texts, and objects of numbers in one line each. */
static void
show_plain(const json_t *json, FILE *file)
{
	const char *name;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)json, name, value)
		show_value(name, value, file);
}

int
cp_cli_kms_print(const struct cp_cli_kms *kms, json_t *json)
{
	struct cp_cli_out out = cp_cli_stdout();

	if (kms->cli->is_json) {
		json_dumpf(json, out.file, JSON_INDENT(2));
		fputc('\n', out.file);
	} else if (json_is_array(json_object_get(json, "users"))) {
		show_users(json_object_get(json, "users"), &out);
	} else if (json_object_get(json, "uptime_s") != NULL) {
		show_plain(json, out.file);
	} else if (json_object_get(json, "tpks") != NULL) {
		show_tpks(json_object_get(json, "tpks"), &out);
	} else if (json_object_get(json, "audit") != NULL) {
		show_audit(json_object_get(json, "audit"), &out);
	} else if (json_object_get(json, "identity") != NULL) {
		show_user(json, out.file);
	} else {
		show_plain(json, out.file);
	}
	json_decref(json);
	return CP_CLI_OK;
}
