/* The audit: who changed what when; and forgetting what is too old. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/store/archive/archive_state.h"

#define PURGE_ROWS 2000 /* at a time, so that nothing waits long */

int
cp_archive_audit(struct cp_archive *archive, const struct cp_audit_entry *entry)
{
	struct cp_job *job = cp_job_create(CP_JOB_AUDIT);

	if (job == NULL || (job->texts[0] = strdup(entry->by)) == NULL ||
	    (job->texts[1] = strdup(entry->conf)) == NULL ||
	    (job->texts[2] = strdup(entry->what)) == NULL) {
		cp_job_destroy(job);
		return -ENOMEM;
	}
	job->at_ms = entry->at_ms;
	job->number = entry->leg;
	return cp_archive_put(archive, job);
}

int
cp_archive_write_audit(struct cp_archive *archive, const struct cp_job *job)
{
	sqlite3_stmt *st = cp_archive_prepared(
		archive, CP_ST_AUDIT,
		"INSERT INTO audit(at, by, conf, leg, what) VALUES(?, ?, ?, ?, ?)");

	if (st == NULL)
		return -EIO;
	sqlite3_bind_int64(st, 1, job->at_ms);
	sqlite3_bind_text(st, 2, job->texts[0], -1, SQLITE_STATIC);
	sqlite3_bind_text(st, 3, job->texts[1], -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 4, job->number);
	sqlite3_bind_text(st, 5, job->texts[2], -1, SQLITE_STATIC);
	return cp_archive_step(st);
}

int
cp_archive_audits(struct cp_archive *archive, const struct cp_audit_query *query, cp_audits_fn done,
		  void *arg)
{
	struct cp_job *job;
	int error = cp_job_ask(&job, CP_JOB_AUDITS, query->conf, query->by, query->count);

	if (error != 0)
		return error;
	job->before = query->before;
	job->with_audits = done;
	job->arg = arg;
	return cp_archive_put(archive, job);
}

static int
read_entry(struct cp_rows *rows, sqlite3_stmt *row)
{
	struct cp_audit_entry *e = &rows->entries[rows->count];

	*e = (struct cp_audit_entry){
		.id = sqlite3_column_int64(row, 0),
		.at_ms = sqlite3_column_int64(row, 1),
		.by = cp_rows_keep(rows, cp_archive_text(row, 2)),
		.conf = cp_rows_keep(rows, cp_archive_text(row, 3)),
		.leg = (uint32_t)sqlite3_column_int64(row, 4),
		.what = cp_rows_keep(rows, cp_archive_text(row, 5)),
	};
	rows->count++;
	return e->by != NULL && e->conf != NULL && e->what != NULL ? 0 : -ENOMEM;
}

int
cp_archive_read_audits(struct cp_archive *archive, struct cp_job *job)
{
	static const char sql[] =
		"SELECT id, at, by, conf, leg, what FROM audit WHERE (?1 IS NULL OR conf = ?1) AND "
		"(?2 IS NULL OR by = ?2) AND (?3 = 0 OR id < ?3) AND at >= ?5 ORDER BY id DESC "
		"LIMIT ?4";

	cp_rows_fini(&job->rows);
	job->rows.entries = calloc(job->number, sizeof(*job->rows.entries));
	return job->rows.entries != NULL ? cp_rows_read(archive, job, sql, read_entry) : -ENOMEM;
}

static int
purge_from(struct cp_archive *archive, const char *sql, int64_t before_ms)
{
	sqlite3_stmt *st = NULL;
	int error = cp_sqlite_error(sqlite3_prepare_v2(archive->db, sql, -1, &st, NULL));

	if (error != 0)
		return error;
	sqlite3_bind_int64(st, 1, before_ms);
	sqlite3_bind_int(st, 2, PURGE_ROWS);
	error = cp_sqlite_error(sqlite3_step(st));
	sqlite3_finalize(st);
	return error != 0 ? error : sqlite3_changes(archive->db);
}

int
cp_archive_purge(struct cp_archive *archive, int64_t now_ms)
{
	int64_t before_ms = now_ms - archive->keep_ms;
	int records = purge_from(archive,
				 "DELETE FROM record WHERE id IN (SELECT id FROM record WHERE "
				 "ended < ?1 AND ended > 0 LIMIT ?2)",
				 before_ms);
	int entries =
		purge_from(archive,
			   "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ?1 "
			   "LIMIT ?2)",
			   before_ms);

	return records < 0 ? records : entries < 0 ? entries : records + entries;
}
