/* Answers of the API that are lists: who may join, who took part, who changed what, what can be announced. */
#include "ctrlplane/cli/show_lists.h"
#include <string.h>

#define SPACE_MAX CP_TABLE_CELL_MAX

/* null is "-". */
static const char *
text(const json_t *object, const char *name)
{
	const char *found = json_string_value(json_object_get(object, name));

	return found != NULL ? found : "-";
}

/* "2027-03-01T09:00:00.000Z" without what people do not need. */
static const char *
moment(const json_t *object, const char *name, char *space)
{
	const char *found = json_string_value(json_object_get(object, name));
	size_t len;

	if (found == NULL)
		return "-";
	len = strcspn(found, ".Z");
	snprintf(space, SPACE_MAX, "%.*sZ", (int)len, found);
	if (len > 10)
		space[10] = ' ';
	return space;
}

static const char *
number(const json_t *object, const char *name, char *space)
{
	const json_t *value = json_object_get(object, name);

	if (!json_is_integer(value))
		return "-";
	snprintf(space, SPACE_MAX, "%lld", (long long)json_integer_value(value));
	return space;
}

static void
print_next(const json_t *json, const struct cp_cli_out *out)
{
	const json_t *next = json_object_get(json, "next_before");

	if (json_is_integer(next))
		fprintf(out->file, "There may be more: go on with --before %lld\n",
			(long long)json_integer_value(next));
}

static void
finish(struct cp_table *table, const struct cp_cli_out *out)
{
	cp_table_print(table, out);
	cp_table_fini(table);
}

void
cp_cli_show_people(const json_t *json, const struct cp_cli_out *out)
{
	static const struct cp_table_column columns[] = {
		{.title = "WHO MAY JOIN", .align = CP_TABLE_FLEX}, {.title = "ROLE"}};
	struct cp_table table = {.columns = columns, .column_count = 2};
	const json_t *list = json_object_get(json, "authorised"), *person;
	size_t i;

	json_array_foreach (list, i, person) {
		cp_table_add(&table, (const char *[]){text(person, "uri"), text(person, "role")});
	}
	finish(&table, out);
}

/* "write", "read" or "muted"; "-": messages do not reach it. */
static const char *
right_of(const json_t *member)
{
	if (!json_is_true(json_object_get(member, "connected")))
		return "-";
	if (json_is_true(json_object_get(member, "muted")))
		return "muted";
	return json_is_true(json_object_get(member, "may_send")) ? "write" : "read";
}

void
cp_cli_show_chat(const json_t *json, const struct cp_cli_out *out)
{
	static const struct cp_table_column columns[] = {
		{.title = "PARTICIPANT", .align = CP_TABLE_RIGHT},
		{.title = "WHO", .align = CP_TABLE_FLEX},
		{.title = "NICKNAME", .align = CP_TABLE_FLEX},
		{.title = "MAY"},
		{.title = "SENT", .align = CP_TABLE_RIGHT},
		{.title = "RECEIVED", .align = CP_TABLE_RIGHT},
		{.title = "WAITING", .align = CP_TABLE_RIGHT, .spare = 2},
	};
	struct cp_table table = {.columns = columns,
				 .column_count = sizeof(columns) / sizeof(columns[0])};
	const json_t *list = json_object_get(json, "members"), *m;
	char s[4][SPACE_MAX];
	size_t i;

	json_array_foreach (list, i, m) {
		cp_table_add(&table,
			     (const char *[]){number(m, "participant", s[0]), text(m, "name"),
					      text(m, "nickname"), right_of(m),
					      number(m, "sent", s[1]), number(m, "received", s[2]),
					      number(m, "waiting_octets", s[3])});
	}
	finish(&table, out);
	fprintf(out->file, "%s messages, %s deliveries, %s refused, %s cut off\n",
		number(json, "messages", s[0]), number(json, "deliveries", s[1]),
		number(json, "refused", s[2]), number(json, "dropped", s[3]));
}

/* "ann, bob"; "-" for none. */
static void
chairs_of(const json_t *floor, char *out, size_t size)
{
	const json_t *list = json_object_get(floor, "chairs"), *chair;
	size_t i, len = 0;

	snprintf(out, size, "-");
	json_array_foreach (list, i, chair) {
		if (len < size)
			len += (size_t)snprintf(out + len, size - len, "%s%s", i > 0 ? ", " : "",
						text(chair, "name"));
	}
}

/* A line for each that holds it or waits for it; one without where nobody does. */
static void
add_floor(struct cp_table *table, const json_t *floor)
{
	const json_t *list = json_object_get(floor, "requests"), *r;
	char chairs[SPACE_MAX];
	size_t i;

	chairs_of(floor, chairs, sizeof(chairs));
	json_array_foreach (list, i, r) {
		char s[6][SPACE_MAX];

		cp_table_add(table,
			     (const char *[]){
				     text(floor, "name"), text(floor, "mode"),
				     number(r, "request", s[0]), number(r, "participant", s[1]),
				     text(r, "name"), text(r, "status"), number(r, "place", s[2]),
				     number(r, "priority", s[3]), number(r, "held_s", s[4]),
				     number(r, "left_s", s[5]), chairs});
	}
	if (json_array_size(list) == 0)
		cp_table_add(table,
			     (const char *[]){text(floor, "name"), text(floor, "mode"), "-", "-",
					      "nobody", "free", "-", "-", "-", "-", chairs});
}

void
cp_cli_show_floors(const json_t *json, const struct cp_cli_out *out)
{
	static const struct cp_table_column columns[] = {
		{.title = "FLOOR"},
		{.title = "MODE", .spare = 3},
		{.title = "REQUEST", .align = CP_TABLE_RIGHT},
		{.title = "PARTICIPANT", .align = CP_TABLE_RIGHT},
		{.title = "WHO", .align = CP_TABLE_FLEX},
		{.title = "STATUS"},
		{.title = "PLACE", .align = CP_TABLE_RIGHT},
		{.title = "PRIORITY", .align = CP_TABLE_RIGHT, .spare = 4},
		{.title = "HELD S", .align = CP_TABLE_RIGHT, .spare = 6},
		{.title = "LEFT S", .align = CP_TABLE_RIGHT, .spare = 2},
		{.title = "CHAIRS", .align = CP_TABLE_FLEX, .spare = 5},
	};
	struct cp_table table = {.columns = columns,
				 .column_count = sizeof(columns) / sizeof(columns[0])};
	const json_t *list = json_object_get(json, "floors"), *floor;
	size_t i;

	json_array_foreach (list, i, floor) {
		add_floor(&table, floor);
	}
	if (list == NULL)
		add_floor(&table, json);
	finish(&table, out);
}

void
cp_cli_show_announcements(const json_t *json, const struct cp_cli_out *out)
{
	static const struct cp_table_column columns[] = {
		{.title = "CLIP"}, {.title = "KIND"}, {.title = "SOUND", .align = CP_TABLE_FLEX}};
	struct cp_table table = {.columns = columns, .column_count = 3};
	const json_t *list = json_object_get(json, "announcements"), *clip;
	size_t i;

	json_array_foreach (list, i, clip) {
		cp_table_add(&table, (const char *[]){text(clip, "clip"), text(clip, "kind"),
						      text(clip, "sound")});
	}
	finish(&table, out);
}

void
cp_cli_show_records(const json_t *json, const struct cp_cli_out *out)
{
	static const struct cp_table_column columns[] = {
		{.title = "ID", .align = CP_TABLE_RIGHT, .spare = 3},
		{.title = "CONFERENCE"},
		{.title = "WHO", .align = CP_TABLE_FLEX},
		{.title = "ROLE", .spare = 2},
		{.title = "JOINED"},
		{.title = "LEFT", .spare = 6},
		{.title = "HOW", .spare = 5},
		{.title = "WHY", .align = CP_TABLE_FLEX, .spare = 4},
		{.title = "PROTECTED BY", .spare = 1},
	};
	struct cp_table table = {.columns = columns,
				 .column_count = sizeof(columns) / sizeof(columns[0])};
	const json_t *list = json_object_get(json, "records"), *r;
	size_t i;

	json_array_foreach (list, i, r) {
		const char *who = json_string_value(json_object_get(r, "identity"));
		char s[3][SPACE_MAX];

		cp_table_add(&table,
			     (const char *[]){number(r, "id", s[0]), text(r, "conference"),
					      who != NULL ? who : "anonymous", text(r, "role"),
					      moment(r, "joined_at", s[1]),
					      moment(r, "left_at", s[2]), text(r, "departure"),
					      text(r, "reason"), text(r, "protection")});
	}
	finish(&table, out);
	print_next(json, out);
}

void
cp_cli_show_audit(const json_t *json, const struct cp_cli_out *out)
{
	static const struct cp_table_column columns[] = {
		{.title = "ID", .align = CP_TABLE_RIGHT, .spare = 1},
		{.title = "WHEN"},
		{.title = "WHO"},
		{.title = "CONFERENCE"},
		{.title = "PARTICIPANT", .align = CP_TABLE_RIGHT, .spare = 2},
		{.title = "WHAT", .align = CP_TABLE_FLEX},
	};
	struct cp_table table = {.columns = columns,
				 .column_count = sizeof(columns) / sizeof(columns[0])};
	const json_t *list = json_object_get(json, "entries"), *e;
	size_t i;

	json_array_foreach (list, i, e) {
		char s[3][SPACE_MAX];

		cp_table_add(&table,
			     (const char *[]){number(e, "id", s[0]), moment(e, "at", s[1]),
					      text(e, "by"), text(e, "conference"),
					      number(e, "participant", s[2]), text(e, "what")});
	}
	finish(&table, out);
	print_next(json, out);
}
