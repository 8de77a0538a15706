/* Call records: a participation, from when the leg is up to its end. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/store/archive/archive_state.h"

#define COLUMNS                                                                                    \
	"conf, title, identity, tel, display, role, method, proof, protection, suite, departure, " \
	"reason, left_by, join_by, referred_by, via, call_id, agent, leg, private, joined, "       \
	"connected, ended, status, has_stats, packets_rx, packets_tx, octets_rx, octets_tx, "      \
	"lost, "                                                                                   \
	"concealed, auth_failures, replays, jitter, round_trip"
#define TEXTS 18
#define NUMBERS 17

int
cp_archive_record(struct cp_archive *archive, const struct cp_archive_end *end)
{
	struct cp_job *job = cp_job_create(CP_JOB_RECORD);

	if (job == NULL || (job->leg = malloc(sizeof(*job->leg))) == NULL ||
	    (job->texts[0] = strdup(end->conf)) == NULL ||
	    (job->texts[1] = strdup(end->title)) == NULL) {
		cp_job_destroy(job);
		return -ENOMEM;
	}
	*job->leg = *end->leg;
	job->wall_ahead_ms = end->wall_ahead_ms;
	job->stats = end->stats;
	return cp_archive_put(archive, job);
}

static int
drop_leg(struct cp_archive *archive, uint32_t id)
{
	sqlite3_stmt *st =
		cp_archive_prepared(archive, CP_ST_LEG_DROP, "DELETE FROM leg WHERE id = ?");

	if (st == NULL)
		return -EIO;
	sqlite3_bind_int64(st, 1, id);
	return cp_archive_step(st);
}

/* Of a leg that is up these are what is known so far. */
static void
bind_texts(sqlite3_stmt *st, const struct cp_job *job)
{
	const struct cp_leg *l = job->leg;
	const char *const texts[TEXTS] = {job->texts[0],
					  job->texts[1],
					  l->person,
					  l->tel,
					  l->display,
					  cp_conf_role_name(l->role),
					  cp_join_method_name(l->method),
					  cp_conf_proof_name(l->proof),
					  cp_leg_protection(l),
					  dp_suite_info(l->suite)->name,
					  cp_departure_name(l->departure),
					  l->left_reason,
					  l->left_by,
					  l->join_by,
					  l->referred_by,
					  l->via,
					  l->call_id,
					  l->agent};

	for (int i = 0; i < TEXTS; i++)
		sqlite3_bind_text(st, i + 1, texts[i], -1, SQLITE_STATIC);
}

static void
bind_numbers(sqlite3_stmt *st, const struct cp_job *job)
{
	const struct cp_archive_stats *s = &job->stats;
	const struct cp_leg *l = job->leg;
	const int64_t numbers[NUMBERS] = {l->id,
					  l->is_private,
					  cp_archive_wall(l->joined_ms, job->wall_ahead_ms),
					  cp_archive_wall(l->connected_ms, job->wall_ahead_ms),
					  cp_archive_wall(l->left_ms, job->wall_ahead_ms),
					  l->left_status,
					  s->has_stats,
					  (int64_t)s->packets_rx,
					  (int64_t)s->packets_tx,
					  (int64_t)s->octets_rx,
					  (int64_t)s->octets_tx,
					  (int64_t)s->lost,
					  (int64_t)s->concealed,
					  (int64_t)s->auth_failures,
					  (int64_t)s->replays,
					  s->jitter_us,
					  s->round_trip_us};

	for (int i = 0; i < NUMBERS; i++)
		sqlite3_bind_int64(st, TEXTS + 1 + i, numbers[i]);
}

static int
run(struct cp_archive *archive, const struct cp_job *job, enum cp_archive_statement which,
    const char *sql)
{
	sqlite3_stmt *st = cp_archive_prepared(archive, which, sql);

	if (st == NULL)
		return -EIO;
	bind_texts(st, job);
	bind_numbers(st, job);
	return cp_archive_step(st);
}

int
cp_archive_begin_record(struct cp_archive *archive, const struct cp_job *job)
{
	sqlite3_stmt *st = cp_archive_prepared(
		archive, CP_ST_RECORD_BEGIN,
		"INSERT INTO record(" COLUMNS ") SELECT user, title, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "
		"?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, "
		"?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35 FROM conference WHERE id = ?36 "
		"AND "
		"NOT EXISTS(SELECT 1 FROM record WHERE leg = ?19 AND ended = 0)");

	if (st == NULL)
		return -EIO;
	bind_texts(st, job);
	bind_numbers(st, job);
	sqlite3_bind_int64(st, TEXTS + NUMBERS + 1, job->conf_id);
	return cp_archive_step(st);
}

/* The one that began with the leg; one that never was up begins and ends at once. */
int
cp_archive_write_record(struct cp_archive *archive, const struct cp_job *job)
{
	int error =
		run(archive, job, CP_ST_RECORD_END,
		    "UPDATE record SET conf = ?1, title = ?2, identity = ?3, tel = ?4, display = "
		    "?5, role = ?6, method = ?7, proof = ?8, protection = ?9, suite = ?10, "
		    "departure = ?11, reason = ?12, left_by = ?13, join_by = ?14, referred_by = "
		    "?15, via = ?16, call_id = ?17, agent = ?18, private = ?20, joined = ?21, "
		    "connected = ?22, ended = ?23, status = ?24, has_stats = ?25, packets_rx = "
		    "?26, packets_tx = ?27, octets_rx = ?28, octets_tx = ?29, lost = ?30, "
		    "concealed = ?31, auth_failures = ?32, replays = ?33, jitter = ?34, "
		    "round_trip = ?35 WHERE leg = ?19 AND ended = 0");

	if (error == 0 && sqlite3_changes(archive->db) == 0)
		error = run(
			archive, job, CP_ST_RECORD,
			"INSERT INTO record(" COLUMNS ") VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
			"?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	return error == 0 ? drop_leg(archive, job->leg->id) : error;
}

int
cp_archive_records(struct cp_archive *archive, const struct cp_record_query *query,
		   cp_records_fn done, void *arg)
{
	struct cp_job *job;
	int error = cp_job_ask(&job, CP_JOB_RECORDS, query->conf, query->identity, query->count);

	if (error != 0)
		return error;
	job->before = query->before;
	job->at_ms = query->since_ms;
	job->with_records = done;
	job->arg = arg;
	return cp_archive_put(archive, job);
}

static int
read_texts(struct cp_record *r, struct cp_rows *rows, sqlite3_stmt *row)
{
	const char **const to[TEXTS] = {
		&r->conf,    &r->title,	  &r->identity,	   &r->tel,   &r->display,   &r->role,
		&r->method,  &r->proof,	  &r->protection,  &r->suite, &r->departure, &r->reason,
		&r->left_by, &r->join_by, &r->referred_by, &r->via,   &r->call_id,   &r->agent};

	for (int i = 0; i < TEXTS; i++) {
		*to[i] = cp_rows_keep(rows, cp_archive_text(row, i));
		if (*to[i] == NULL)
			return -ENOMEM;
	}
	return 0;
}

static int
read_record(struct cp_rows *rows, sqlite3_stmt *row)
{
	struct cp_record *r = &rows->records[rows->count];
	int64_t n[NUMBERS];

	for (int i = 0; i < NUMBERS; i++)
		n[i] = sqlite3_column_int64(row, TEXTS + i);
	*r = (struct cp_record){
		.id = sqlite3_column_int64(row, TEXTS + NUMBERS),
		.leg = (uint32_t)n[0],
		.is_private = n[1] != 0,
		.joined_ms = n[2],
		.connected_ms = n[3],
		.left_ms = n[4],
		.status = (int)n[5],
		.has_stats = n[6] != 0,
		.packets_rx = (uint64_t)n[7],
		.packets_tx = (uint64_t)n[8],
		.octets_rx = (uint64_t)n[9],
		.octets_tx = (uint64_t)n[10],
		.lost = (uint64_t)n[11],
		.concealed = (uint64_t)n[12],
		.auth_failures = (uint64_t)n[13],
		.replays = (uint64_t)n[14],
		.jitter_us = (uint32_t)n[15],
		.round_trip_us = (uint32_t)n[16],
	};
	rows->count++;
	return read_texts(r, rows, row);
}

int
cp_archive_read_records(struct cp_archive *archive, struct cp_job *job)
{
	static const char sql[] =
		"SELECT " COLUMNS
		", id FROM record WHERE (?1 IS NULL OR conf = ?1) AND (?2 IS NULL "
		"OR identity = ?2) AND (?3 = 0 OR id < ?3) AND (ended >= ?5 OR ended = 0) ORDER BY "
		"id DESC LIMIT ?4";

	cp_rows_fini(&job->rows);
	job->rows.records = calloc(job->number, sizeof(*job->rows.records));
	return job->rows.records != NULL ? cp_rows_read(archive, job, sql, read_record) : -ENOMEM;
}
