/* Answers of the API for people. */
#include "ctrlplane/cli/show.h"
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/cli/show_lists.h"

#define SPACE_MAX CP_TABLE_CELL_MAX

/* One value as text; null is "-". */
static const char *
text_of(const json_t *value, char *space)
{
	switch (value != NULL ? json_typeof(value) : JSON_NULL) {
	case JSON_STRING:
		return json_string_value(value);
	case JSON_INTEGER:
		snprintf(space, SPACE_MAX, "%lld", (long long)json_integer_value(value));
		return space;
	case JSON_REAL:
		snprintf(space, SPACE_MAX, "%.6g", json_real_value(value));
		return space;
	case JSON_TRUE:
		return "yes";
	case JSON_FALSE:
		return "no";
	default:
		return "-";
	}
}

static const char *
text(const json_t *object, const char *name, char *space)
{
	return text_of(json_object_get(object, name), space);
}

/* With one decimal, so that columns stay still. */
static const char *
tenths(const json_t *object, const char *name, char *space)
{
	const json_t *value = json_object_get(object, name);

	if (!json_is_number(value))
		return "-";
	snprintf(space, SPACE_MAX, "%.1f", json_number_value(value));
	return space;
}

static void
print_time(long long seconds, FILE *file)
{
	if (seconds >= 86400)
		fprintf(file, "%lld d %lld h", seconds / 86400, seconds / 3600 % 24);
	else if (seconds >= 3600)
		fprintf(file, "%lld h %lld min", seconds / 3600, seconds / 60 % 60);
	else if (seconds >= 60)
		fprintf(file, "%lld min %lld s", seconds / 60, seconds % 60);
	else
		fprintf(file, "%lld s", seconds);
}

/* "muted deaf held floor" as far as true; "-" for none. */
static void
flags_of(const json_t *participant, char *out, size_t size)
{
	static const char *const rows[][2] = {
		{"muted", "muted"}, {"deaf", "deaf"}, {"on_hold", "held"}};
	size_t len = 0;
	bool has_floor = json_array_size(json_object_get(participant, "floors")) > 0;

	snprintf(out, size, "-");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (json_is_true(json_object_get(participant, rows[i][0])))
			len += (size_t)snprintf(out + len, size - len, "%s%s", len > 0 ? " " : "",
						rows[i][1]);
	if (has_floor)
		snprintf(out + len, size - len, "%sfloor", len > 0 ? " " : "");
}

/* Part of the packets that the participant sent and that were lost. */
static void
loss_of(const json_t *media, char *out, size_t size)
{
	double lost = json_number_value(json_object_get(media, "lost"));
	double played = json_number_value(json_object_get(media, "packets_rx"));

	if (media == NULL || json_is_null(media))
		snprintf(out, size, "-");
	else
		snprintf(out, size, "%.1f%%",
			 lost + played > 0 ? 100 * lost / (lost + played) : 0.0);
}

const char *
cp_cli_who(const json_t *participant)
{
	static const char *const names[] = {"display", "identity", "uri"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *name = json_string_value(json_object_get(participant, names[i]));

		if (name != NULL)
			return name;
	}
	return "anonymous";
}

/* From -60 dBov (nothing) to -5 (full), of who is heard. */
static void
meter_of(const json_t *participant, char *out, size_t size)
{
	const json_t *level = json_object_get(json_object_get(participant, "media"), "level_dbov");
	const char *status = json_string_value(json_object_get(participant, "status"));
	bool is_heard = status == NULL || strcmp(status, "muted-via-focus") != 0;
	int bars = json_is_number(level) && is_heard ? ((int)json_number_value(level) + 61) * 8 / 56
						     : 0;

	out[0] = '\0';
	for (int i = 0; i < bars && i < 8 && strlen(out) + 4 < size; i++)
		strcat(out, "▮");
}

void
cp_cli_show_participants(const json_t *participants, const struct cp_cli_out *out)
{
	static const struct cp_table_column columns[] = {
		{.title = "ID", .align = CP_TABLE_RIGHT},
		{.title = "WHO", .align = CP_TABLE_FLEX},
		{.title = "VERIFIED", .spare = 2},
		{.title = "PROTECTED BY", .spare = 8},
		{.title = "SUITE", .spare = 7},
		{.title = "STATE", .spare = 3},
		{.title = "FLAGS", .spare = 5},
		{.title = "LOSS", .align = CP_TABLE_RIGHT, .spare = 6},
		{.title = "JITTER MS", .align = CP_TABLE_RIGHT, .spare = 1},
		{.title = "DELAY MS", .align = CP_TABLE_RIGHT, .spare = 4},
		{.title = "DBOV", .align = CP_TABLE_RIGHT, .spare = 9},
		{.title = "LEVEL", .spare = 10},
	};
	struct cp_table table = {.columns = columns,
				 .column_count = sizeof(columns) / sizeof(columns[0])};
	size_t i;
	json_t *p;

	json_array_foreach (participants, i, p) {
		const json_t *media = json_object_get(p, "media");
		const char *suite = json_string_value(json_object_get(p, "suite"));
		char s[7][SPACE_MAX], flags[64], loss[32], meter[64];

		flags_of(p, flags, sizeof(flags));
		loss_of(media, loss, sizeof(loss));
		meter_of(p, meter, sizeof(meter));
		cp_table_add(&table, (const char *[]){text(p, "id", s[0]), cp_cli_who(p),
						      text(p, "verified_by", s[1]),
						      text(p, "protection", s[6]),
						      suite != NULL ? suite : "none",
						      text(p, "state", s[2]), flags, loss,
						      tenths(media, "jitter_ms", s[3]),
						      tenths(media, "delay_ms", s[4]),
						      text(media, "level_dbov", s[5]), meter});
	}
	cp_table_print(&table, out);
	cp_table_fini(&table);
}

static void
show_conferences(const json_t *conferences, const struct cp_cli_out *out)
{
	static const struct cp_table_column columns[] = {
		{.title = "CONFERENCE"},
		{.title = "TITLE", .align = CP_TABLE_FLEX},
		{.title = "PARTICIPANTS", .align = CP_TABLE_RIGHT},
		{.title = "SECURITY", .spare = 4},
		{.title = "WHO MAY", .spare = 3},
		{.title = "LOCKED", .spare = 2},
		{.title = "ORIGIN", .spare = 1},
	};
	struct cp_table table = {.columns = columns,
				 .column_count = sizeof(columns) / sizeof(columns[0])};
	size_t i;
	json_t *c;

	json_array_foreach (conferences, i, c) {
		bool is_open = json_is_true(json_object_get(c, "open"));
		bool may_anonymous = json_is_true(json_object_get(c, "anonymous"));
		char s[6][SPACE_MAX];

		cp_table_add(&table,
			     (const char *[]){text(c, "id", s[0]), text(c, "title", s[1]),
					      text(c, "participants", s[2]),
					      text(c, "security", s[3]),
					      may_anonymous ? "anybody"
					      : is_open	    ? "identified"
							    : "listed",
					      text(c, "locked", s[4]), text(c, "origin", s[5])});
	}
	cp_table_print(&table, out);
	cp_table_fini(&table);
}

static void
show_conference_list(const json_t *json, const struct cp_cli_out *out)
{
	const char *next = json_string_value(json_object_get(json, "next_after"));

	show_conferences(json_object_get(json, "conferences"), out);
	if (next != NULL)
		fprintf(out->file, "There are more: go on with --after %s\n", next);
}

/* A peer's text must not play with the terminal. */
static void
print_clean(const char *line, FILE *file)
{
	for (; *line != '\0'; line++)
		fputc((unsigned char)*line < ' ' || *line == 0x7f ? '?' : *line, file);
}

/* An item of a list: a person with its role, a talker's name, or plain. */
static void
print_item(const json_t *item, FILE *file)
{
	const char *uri = json_string_value(json_object_get(item, "uri"));
	const char *name = json_string_value(json_object_get(item, "name"));
	char space[SPACE_MAX];

	if (uri != NULL)
		fprintf(file, "%s (%s)", uri, text(item, "role", space));
	else
		print_clean(name != NULL ? name : text_of(item, space), file);
}

/* "packets rx" of packets_rx, indented by depth; what is nested follows indented. */
static void
show_object(const json_t *object, int depth, FILE *file)
{
	const char *name;
	json_t *value, *item;
	size_t i, width = 0;

	json_object_foreach ((json_t *)object, name, value) {
		width = strlen(name) > width ? strlen(name) : width;
	}
	json_object_foreach ((json_t *)object, name, value) {
		char label[64], space[SPACE_MAX];

		snprintf(label, sizeof(label), "%s", name);
		for (char *c = label; *c != '\0'; c++)
			*c = *c == '_' ? ' ' : *c;
		fprintf(file, "%*s%-*s", 2 * depth, "", (int)width + 2, label);
		if (json_is_object(value)) {
			fprintf(file, "%s\n", json_object_size(value) == 0 ? "none" : "");
			show_object(value, depth + 1, file);
		} else if (json_is_array(value)) {
			json_array_foreach (value, i, item) {
				fputs(i > 0 ? ", " : "", file);
				print_item(item, file);
			}
			fprintf(file, "%s\n", json_array_size(value) == 0 ? "none" : "");
		} else {
			print_clean(text_of(value, space), file);
			fputc('\n', file);
		}
	}
}

/* Floor control and chat: how many are connected, and why others were not let in. */
static void
show_streams(const json_t *streams, FILE *file)
{
	const char *reason;
	char s[SPACE_MAX];
	json_t *count;

	fprintf(file, "  streams        %s connected", text(streams, "connected", s));
	json_object_foreach (json_object_get(streams, "refused"), reason, count)
		fprintf(file, ", %lld refused (%s)", (long long)json_integer_value(count), reason);
	fprintf(file, "\n");
}

static void
show_head(const json_t *json, const struct cp_cli_out *out)
{
	const char *state = json_string_value(json_object_get(json, "state"));
	bool is_ok = state != NULL && strcmp(state, "ok") == 0;
	char s[SPACE_MAX];
	size_t i;
	json_t *url;

	fprintf(out->file, "conclave %s, %s%s%s, up ", text(json, "version", s),
		cp_cli_colour(out, is_ok ? "32" : "31"),
		state == NULL			 ? "?"
		: strcmp(state, "no_media") == 0 ? "no media plane"
						 : state,
		cp_cli_colour(out, "0"));
	print_time((long long)json_integer_value(json_object_get(json, "uptime_s")), out->file);
	fprintf(out->file, "\n  sip            ");
	json_array_foreach (json_object_get(json, "sip"), i, url) {
		fprintf(out->file, "%s%s", i > 0 ? ", " : "", text_of(url, s));
	}
	fprintf(out->file, "\n  conferences    %s\n", text(json, "conferences", s));
	fprintf(out->file, "  participants   %s\n", text(json, "participants", s));
	fprintf(out->file, "  subscribers    %s\n", text(json, "subscribers", s));
	fprintf(out->file, "  calls          %s accepted",
		text(json_object_get(json, "calls"), "accepted", s));
	fprintf(out->file, ", %s refused\n", text(json_object_get(json, "calls"), "refused", s));
	show_streams(json_object_get(json, "streams"), out->file);
	if (json_is_null(json_object_get(json, "media")))
		fprintf(out->file,
			"  media plane    not connected: start conclave-dp, or look at its log\n");
}

static void
show_blames(const json_t *blames, FILE *file)
{
	const char *blame;
	json_t *count;
	bool has_any = false;

	fprintf(file, "  drops          ");
	json_object_foreach ((json_t *)blames, blame, count) {
		if (json_integer_value(count) == 0)
			continue;
		fprintf(file, "%s%lld %s", has_any ? ", " : "",
			(long long)json_integer_value(count), blame);
		has_any = true;
	}
	fprintf(file, "%s\n", has_any ? " (by blame; conclave node show names them)" : "none");
}

static void
show_status(const json_t *json, const struct cp_cli_out *out)
{
	const json_t *media = json_object_get(json, "media");
	char s[SPACE_MAX];

	show_head(json, out);
	if (json_is_null(media))
		return;
	fprintf(out->file, "  workers        %s", text(media, "workers", s));
	fprintf(out->file, ", %s %% busy\n", text(media, "busy_percent", s));
	fprintf(out->file, "  packets        %s in", text(media, "packets_rx", s));
	fprintf(out->file, ", %s out\n", text(media, "packets_tx", s));
	show_blames(json_object_get(media, "drops_by_blame"), out->file);
}

static void
show_workers(const json_t *workers, const struct cp_cli_out *out)
{
	static const struct cp_table_column columns[] = {
		{.title = "WORKER", .align = CP_TABLE_RIGHT},
		{.title = "PARTICIPANTS", .align = CP_TABLE_RIGHT},
		{.title = "CONFERENCES", .align = CP_TABLE_RIGHT},
		{.title = "PACKETS IN", .align = CP_TABLE_RIGHT},
		{.title = "PACKETS OUT", .align = CP_TABLE_RIGHT},
		{.title = "BUSY %", .align = CP_TABLE_RIGHT},
		{.title = "LATEST TICK MS", .align = CP_TABLE_RIGHT},
	};
	struct cp_table table = {.columns = columns,
				 .column_count = sizeof(columns) / sizeof(columns[0])};
	size_t i;
	json_t *w;

	json_array_foreach (workers, i, w) {
		char s[7][SPACE_MAX];

		snprintf(s[0], SPACE_MAX, "%zu", i);
		cp_table_add(&table, (const char *[]){s[0], text(w, "participants", s[1]),
						      text(w, "conferences", s[2]),
						      text(w, "packets_rx", s[3]),
						      text(w, "packets_tx", s[4]),
						      text(w, "busy_percent", s[5]),
						      text(w, "tick_late_ms_max", s[6])});
	}
	cp_table_print(&table, out);
	cp_table_fini(&table);
}

static void
show_drops(const json_t *drops, const struct cp_cli_out *out)
{
	static const struct cp_table_column columns[] = {
		{.title = "DROPPED", .align = CP_TABLE_RIGHT},
		{.title = "NAME"},
		{.title = "BLAME"},
		{.title = "WHY", .align = CP_TABLE_FLEX},
	};
	struct cp_table table = {.columns = columns,
				 .column_count = sizeof(columns) / sizeof(columns[0])};
	size_t i;
	json_t *d;

	if (json_array_size(drops) == 0) {
		fprintf(out->file, "No packet was dropped.\n");
		return;
	}
	json_array_foreach (drops, i, d) {
		char s[4][SPACE_MAX];

		cp_table_add(&table,
			     (const char *[]){text(d, "packets", s[0]), text(d, "name", s[1]),
					      text(d, "blame", s[2]), text(d, "text", s[3])});
	}
	cp_table_print(&table, out);
	cp_table_fini(&table);
}

static void
show_node(const json_t *json, const struct cp_cli_out *out)
{
	const json_t *media = json_object_get(json, "media");

	show_head(json, out);
	if (json_is_null(media))
		return;
	fprintf(out->file, "\n");
	show_workers(json_object_get(media, "workers"), out);
	fprintf(out->file, "\n");
	show_drops(json_object_get(json_object_get(media, "total"), "drops"), out);
}

static void
show_participant_list(const json_t *json, const struct cp_cli_out *out)
{
	const json_t *next = json_object_get(json, "next_after");

	cp_cli_show_participants(json_object_get(json, "participants"), out);
	if (json_is_integer(next))
		fprintf(out->file, "There are more, %lld in all: go on with --after %lld\n",
			(long long)json_integer_value(json_object_get(json, "total")),
			(long long)json_integer_value(next));
}

static void
show_done(const struct cp_command *command, const json_t *params, const struct cp_cli_out *out)
{
	char s[2][SPACE_MAX];

	if (command->id == CP_COMMAND_CONFERENCE_CLOSE)
		fprintf(out->file, "Conference %s is closed.\n", text(params, "conference", s[0]));
	else if (command->id == CP_COMMAND_PARTICIPANT_REMOVE)
		fprintf(out->file, "Participant %s is removed from %s.\n",
			text(params, "participant", s[0]), text(params, "conference", s[1]));
	else if (command->id == CP_COMMAND_AUTHORISED_REMOVE)
		fprintf(out->file, "%s may not join %s any more.\n", text(params, "uri", s[0]),
			text(params, "conference", s[1]));
	else
		fprintf(out->file, "Done.\n");
}

void
cp_cli_show(const struct cp_command *command, const json_t *params, const json_t *json,
	    const struct cp_cli_out *out)
{
	if (json == NULL)
		show_done(command, params, out);
	else if (command->id == CP_COMMAND_STATUS)
		show_status(json, out);
	else if (strcmp(command->noun, "node") == 0)
		show_node(json, out);
	else if (command->id == CP_COMMAND_CONFERENCE_LIST)
		show_conference_list(json, out);
	else if (command->id == CP_COMMAND_PARTICIPANT_LIST)
		show_participant_list(json, out);
	else if (strcmp(command->noun, "authorised") == 0)
		cp_cli_show_people(json, out);
	else if (json_object_get(json, "members") != NULL)
		cp_cli_show_chat(json, out);
	else if (strcmp(command->noun, "floor") == 0)
		cp_cli_show_floors(json, out);
	else if (command->id == CP_COMMAND_RECORDS)
		cp_cli_show_records(json, out);
	else if (command->id == CP_COMMAND_AUDIT)
		cp_cli_show_audit(json, out);
	else if (command->id == CP_COMMAND_ANNOUNCEMENT_LIST)
		cp_cli_show_announcements(json, out);
	else
		show_object(json, 0, out->file);
}

void
cp_cli_show_problem(int status, const json_t *json, FILE *err)
{
	const char *detail = json_string_value(json_object_get(json, "detail"));
	size_t i;
	json_t *error;
	char s[2][SPACE_MAX];

	if (detail == NULL)
		detail = json_string_value(json_object_get(json, "title"));
	if (detail != NULL)
		fprintf(err, "conclave: %s\n", detail);
	else
		fprintf(err, "conclave: the node answered with status %d\n", status);
	json_array_foreach (json_object_get(json, "errors"), i, error) {
		fprintf(err, "  %s %s\n", text(error, "pointer", s[0]),
			text(error, "detail", s[1]));
	}
}
