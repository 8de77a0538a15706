/* Conferences with their policy and their lists. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/store/archive/archive_state.h"

#define COLUMNS                                                                                   \
	"id, user, origin, config, created, joined, title, subject, description, creator, pin, "  \
	"security, editors, notify, open, anonymous, believes_from, mutes_on_entry, "             \
	"mutes_on_hold, locked, lobby, announces, ends_with_creator, ends_when_empty, size_max, " \
	"loudest_n, small_size, start, end, early, chat, chat_history, floors"

static const char write_sql[] =
	"INSERT INTO conference(" COLUMNS ") VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, "
	"?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, "
	"?30, ?31, ?32, ?33) ON CONFLICT(id) DO UPDATE SET user = ?2, origin = ?3, config = ?4, "
	"created = ?5, "
	"joined = ?6, title = ?7, subject = ?8, description = ?9, creator = ?10, pin = ?11, "
	"security = ?12, editors = ?13, notify = ?14, open = ?15, anonymous = ?16, "
	"believes_from = ?17, mutes_on_entry = ?18, mutes_on_hold = ?19, locked = ?20, lobby = "
	"?21, "
	"announces = ?22, ends_with_creator = ?23, ends_when_empty = ?24, size_max = ?25, "
	"loudest_n = ?26, small_size = ?27, start = ?28, end = ?29, early = ?30, chat = "
	"?31, chat_history = ?32, floors = ?33";

int
cp_archive_save_conf(struct cp_archive *archive, const struct cp_archive_save *save)
{
	struct cp_job *job = cp_job_create(CP_JOB_SAVE_CONF);
	size_t octets = save->conf->authorised_count * sizeof(*save->conf->authorised);

	if (job == NULL || (job->conf = malloc(sizeof(*job->conf))) == NULL) {
		cp_job_destroy(job);
		return -ENOMEM;
	}
	*job->conf = *save->conf;
	job->conf->authorised = NULL;
	job->wall_ahead_ms = save->wall_ahead_ms;
	job->config = save->config;
	job->has_list = save->has_list;
	if (save->has_list && octets > 0) {
		job->conf->authorised = malloc(octets);
		if (job->conf->authorised == NULL) {
			cp_job_destroy(job);
			return -ENOMEM;
		}
		memcpy(job->conf->authorised, save->conf->authorised, octets);
	}
	return cp_archive_put(archive, job);
}

int
cp_archive_drop_conf(struct cp_archive *archive, const char *user)
{
	struct cp_job *job = cp_job_create(CP_JOB_DROP_CONF);

	if (job == NULL || (job->texts[0] = strdup(user)) == NULL) {
		cp_job_destroy(job);
		return -ENOMEM;
	}
	return cp_archive_put(archive, job);
}

static int
write_list(struct cp_archive *archive, const struct cp_conf *conf)
{
	sqlite3_stmt *statement = cp_archive_prepared(
		archive, CP_ST_LIST_DROP, "DELETE FROM authorised WHERE conference = ?");
	int error;

	if (statement == NULL)
		return -EIO;
	sqlite3_bind_int64(statement, 1, conf->id);
	error = cp_archive_step(statement);
	for (size_t i = 0; error == 0 && i < conf->authorised_count; i++) {
		statement = cp_archive_prepared(archive, CP_ST_LIST_ADD,
						"INSERT INTO authorised VALUES(?, ?, ?)");
		if (statement == NULL)
			return -EIO;
		sqlite3_bind_int64(statement, 1, conf->id);
		sqlite3_bind_text(statement, 2, conf->authorised[i].identity, -1, SQLITE_STATIC);
		sqlite3_bind_text(statement, 3, cp_conf_role_name(conf->authorised[i].role), -1,
				  SQLITE_STATIC);
		error = cp_archive_step(statement);
	}
	return error;
}

/* A line each. */
static void
bind_floors(sqlite3_stmt *st, int at, const struct cp_conf_floors *floors)
{
	char lines[CP_CONF_FLOORS_MAX * CP_CONF_FLOOR_TEXT_MAX] = "", one[CP_CONF_FLOOR_TEXT_MAX];
	size_t len = 0;

	for (size_t i = 0; i < floors->count; i++) {
		cp_conf_floor_print(one, &floors->items[i]);
		len += (size_t)snprintf(lines + len, sizeof(lines) - len, "%s%s", i ? "\n" : "",
					one);
	}
	sqlite3_bind_text(st, at, lines, -1, SQLITE_TRANSIENT);
}

/* One that cannot be read stands for the strictest. */
static void
read_floors(struct cp_conf_floors *out, struct cp_slice lines)
{
	struct cp_slice line;
	char why[128];

	while (out->count < CP_CONF_FLOORS_MAX && cp_slice_line(&lines, &line)) {
		struct cp_conf_floor floor = {.media = CP_MEDIUM_AUDIO | CP_MEDIUM_CHAT,
					      .mode = CP_FLOOR_MODE_MODERATOR,
					      .holders = 1};

		snprintf(floor.name, sizeof(floor.name), "floor-%zu", out->count + 1);
		cp_conf_floor_parse(&floor, line, why, sizeof(why));
		cp_conf_floors_add(out, &floor, why, sizeof(why));
	}
}

static void
bind_settings(sqlite3_stmt *st, const struct cp_conf *c)
{
	const char *const texts[] = {c->title,
				     c->subject,
				     c->description,
				     c->creator,
				     c->pin,
				     cp_conf_security_name(c->security),
				     cp_conf_editors_name(c->editors),
				     cp_conf_notify_name(c->notify)};
	const int64_t numbers[] = {c->is_open,	       c->may_anonymous, c->believes_from,
				   c->mutes_on_entry,  c->mutes_on_hold, c->is_locked,
				   c->has_lobby,       c->announces,	 c->ends_with_creator,
				   c->ends_when_empty, c->size_max,	 c->loudest_n,
				   c->small_size,      c->start_ms,	 c->end_ms,
				   c->early_ms,	       c->has_chat,	 c->chat_history};
	int at = 7;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		sqlite3_bind_text(st, at++, texts[i], -1, SQLITE_STATIC);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sqlite3_bind_int64(st, at++, numbers[i]);
	bind_floors(st, at, &c->floors);
}

int
cp_archive_write_conf(struct cp_archive *archive, const struct cp_job *job)
{
	sqlite3_stmt *st = cp_archive_prepared(archive, CP_ST_CONF, write_sql);
	const struct cp_conf *c = job->conf;
	int error;

	if (st == NULL)
		return -EIO;
	sqlite3_bind_int64(st, 1, c->id);
	sqlite3_bind_text(st, 2, c->user, -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 3, cp_conf_origin_name(c->origin), -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 4, (int64_t)job->config);
	sqlite3_bind_int64(st, 5, cp_archive_wall(c->created_ms, job->wall_ahead_ms));
	sqlite3_bind_int(st, 6, c->was_joined);
	bind_settings(st, c);
	error = cp_archive_step(st);
	return error == 0 && job->has_list ? write_list(archive, c) : error;
}

int
cp_archive_erase_conf(struct cp_archive *archive, const char *user)
{
	sqlite3_stmt *st = cp_archive_prepared(archive, CP_ST_CONF_DROP,
					       "DELETE FROM conference WHERE user = ?");

	if (st == NULL)
		return -EIO;
	sqlite3_bind_text(st, 1, user, -1, SQLITE_STATIC);
	return cp_archive_step(st);
}

static enum cp_conf_origin
origin_of(const char *name)
{
	enum cp_conf_origin origin = CP_CONF_CONFIGURED;

	while (origin < CP_CONF_FACTORY && strcmp(cp_conf_origin_name(origin), name) != 0)
		origin++;
	return origin;
}

/* A name that a newer version wrote stands for the strictest. */
static void
read_names(struct cp_conf_settings *s, sqlite3_stmt *row)
{
	if (cp_conf_security_of(&s->security, cp_slice_text(cp_archive_text(row, 11))) != 0)
		s->security = CP_CONF_MIKEY;
	if (cp_conf_editors_of(&s->editors, cp_slice_text(cp_archive_text(row, 12))) != 0)
		s->editors = CP_EDITORS_CREATOR;
	if (cp_conf_notify_of(&s->notify, cp_slice_text(cp_archive_text(row, 13))) != 0)
		s->notify = CP_NOTIFY_REQUIRED;
}

static void
read_conf(struct cp_archive_conf *out, sqlite3_stmt *row)
{
	struct cp_conf_settings *s = &out->settings;

	*out = (struct cp_archive_conf){
		.past = {.id = (uint32_t)sqlite3_column_int64(row, 0),
			 .origin = origin_of(cp_archive_text(row, 2)),
			 .created_wall_ms = sqlite3_column_int64(row, 4),
			 .was_joined = sqlite3_column_int(row, 5) != 0},
		.config = (uint64_t)sqlite3_column_int64(row, 3),
	};
	*s = (struct cp_conf_settings){
		.user = cp_archive_text(row, 1),
		.title = cp_archive_text(row, 6),
		.subject = cp_archive_text(row, 7),
		.description = cp_archive_text(row, 8),
		.creator = cp_archive_text(row, 9),
		.pin = cp_archive_text(row, 10),
		.is_open = sqlite3_column_int(row, 14) != 0,
		.may_anonymous = sqlite3_column_int(row, 15) != 0,
		.believes_from = sqlite3_column_int(row, 16) != 0,
		.mutes_on_entry = sqlite3_column_int(row, 17) != 0,
		.mutes_on_hold = sqlite3_column_int(row, 18) != 0,
		.is_locked = sqlite3_column_int(row, 19) != 0,
		.has_lobby = sqlite3_column_int(row, 20) != 0,
		.announces = sqlite3_column_int(row, 21) != 0,
		.ends_with_creator = sqlite3_column_int(row, 22) != 0,
		.ends_when_empty = sqlite3_column_int(row, 23) != 0,
		.size_max = (uint32_t)sqlite3_column_int64(row, 24),
		.loudest_n = (uint16_t)sqlite3_column_int(row, 25),
		.small_size = (uint16_t)sqlite3_column_int(row, 26),
		.start_ms = sqlite3_column_int64(row, 27),
		.end_ms = sqlite3_column_int64(row, 28),
		.early_ms = sqlite3_column_int64(row, 29),
		.has_chat = sqlite3_column_int(row, 30) != 0,
		.chat_history = (uint16_t)sqlite3_column_int(row, 31),
	};
	read_names(s, row);
	read_floors(&s->floors, cp_slice_text(cp_archive_text(row, 32)));
}

/* The list of one conference, whose strings are its own. */
struct list {
	struct cp_conf_person *people;
	size_t count, room;
};

static void
free_list(struct list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free((char *)(uintptr_t)list->people[i].uri);
	free(list->people);
}

static int
add_person(struct list *list, sqlite3_stmt *row)
{
	enum cp_conf_role role = CP_ROLE_LISTENER;
	char *uri;

	if (list->count == list->room) {
		size_t room = list->room ? 2 * list->room : 16;
		struct cp_conf_person *more = reallocarray(list->people, room, sizeof(*more));

		if (more == NULL)
			return -ENOMEM;
		list->people = more;
		list->room = room;
	}
	uri = strdup(cp_archive_text(row, 0));
	if (uri == NULL)
		return -ENOMEM;
	cp_conf_role_of(&role, cp_slice_text(cp_archive_text(row, 1)));
	list->people[list->count++] = (struct cp_conf_person){.uri = uri, .role = role};
	return 0;
}

static int
read_list(struct list *list, struct cp_archive *archive, uint32_t conf)
{
	sqlite3_stmt *row = NULL;
	int result,
		error = cp_sqlite_error(sqlite3_prepare_v2(
			archive->db, "SELECT identity, role FROM authorised WHERE conference = ?",
			-1, &row, NULL));

	if (error != 0)
		return error;
	sqlite3_bind_int64(row, 1, conf);
	while ((result = sqlite3_step(row)) == SQLITE_ROW && error == 0)
		error = add_person(list, row);
	sqlite3_finalize(row);
	return error != 0 ? error : cp_sqlite_error(result);
}

static int
load_one(struct cp_archive *archive, sqlite3_stmt *row, cp_archive_conf_fn each, void *arg)
{
	struct cp_archive_conf conf;
	struct list list = {0};
	int error;

	read_conf(&conf, row);
	error = read_list(&list, archive, conf.past.id);
	conf.settings.people = list.people;
	conf.settings.people_count = list.count;
	if (error == 0)
		error = each(arg, &conf);
	free_list(&list);
	return error;
}

int
cp_archive_load_confs(struct cp_archive *archive, cp_archive_conf_fn each, void *arg)
{
	sqlite3_stmt *row = NULL;
	int result, error = cp_sqlite_error(sqlite3_prepare_v2(
			    archive->db, "SELECT " COLUMNS " FROM conference ORDER BY created, id",
			    -1, &row, NULL));

	if (error != 0)
		return error;
	while ((result = sqlite3_step(row)) == SQLITE_ROW && error == 0)
		error = load_one(archive, row, each, arg);
	sqlite3_finalize(row);
	return error != 0 ? error : cp_sqlite_error(result);
}
