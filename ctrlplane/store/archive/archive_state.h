/* Layout of an archive, for this folder. The thread owns the connection; the queue is between both. */
#ifndef CP_STORE_ARCHIVE_ARCHIVE_STATE_H
#define CP_STORE_ARCHIVE_ARCHIVE_STATE_H

#include <pthread.h>
#include <sqlite3.h>
#include "ctrlplane/store/archive/archive.h"
#include "ctrlplane/store/sqlite/error.h"

#define CP_ARCHIVE_WHY_MAX 160
#define CP_ARCHIVE_QUERY_MAX 1000
#define CP_ARCHIVE_QUERY_USUAL 100

enum cp_job_type {
	CP_JOB_SAVE_CONF = 1,
	CP_JOB_DROP_CONF,
	CP_JOB_SAVE_LEG,
	CP_JOB_SAVE_DIALOG,
	CP_JOB_RECORD,
	CP_JOB_AUDIT,
	CP_JOB_SETTLE,
	CP_JOB_RECORDS,
	CP_JOB_AUDITS,
};

/* An answer to a query: rows and their strings, each of its own. */
struct cp_rows {
	size_t count;
	struct cp_record *records;
	struct cp_audit_entry *entries;
	char **texts; /* all strings of all rows */
	size_t text_count, text_room;
};

/* One thing to do, with copies of all that it needs. */
struct cp_job {
	struct cp_job *next;
	enum cp_job_type type;
	int status;
	struct cp_conf *conf;	  /* SAVE_CONF; its authorised is a copy too */
	struct cp_leg *leg;	  /* SAVE_LEG, RECORD */
	uint32_t conf_id;	  /* SAVE_LEG */
	struct cp_dialog *dialog; /* SAVE_DIALOG */
	int64_t wall_ahead_ms;
	uint64_t config;
	bool has_list;
	struct cp_archive_stats stats;
	char *texts
		[3]; /* DROP_CONF: user; RECORD: conf, title; AUDIT: by, conf, what; queries: conf, identity or by */
	int64_t at_ms; /* AUDIT; queries: since */
	int64_t before;
	uint32_t number; /* AUDIT, SAVE_DIALOG: leg; queries: count */
	void *arg;
	cp_archive_done_fn settled;
	cp_records_fn with_records;
	cp_audits_fn with_audits;
	struct cp_rows rows;
};

struct cp_jobs {
	struct cp_job *first, **end;
	size_t count;
};

/* Statements that are prepared once. */
enum cp_archive_statement {
	CP_ST_CONF,
	CP_ST_CONF_DROP,
	CP_ST_LIST_DROP,
	CP_ST_LIST_ADD,
	CP_ST_LEG,
	CP_ST_LEG_DROP,
	CP_ST_DIALOG,
	CP_ST_RECORD,
	CP_ST_RECORD_END,
	CP_ST_RECORD_BEGIN,
	CP_ST_AUDIT,
	CP_ST_COUNT,
};

struct cp_archive {
	sqlite3 *db;
	sqlite3_stmt *prepared[CP_ST_COUNT];
	int64_t keep_ms, purge_every_ms;
	int lock_fd, event_fd;
	bool has_thread;
	pthread_t thread;
	pthread_mutex_t mutex; /* all below */
	pthread_cond_t wake;
	struct cp_jobs waiting, done;
	size_t under_way; /* taken by the thread */
	bool is_ending;
	char trouble[CP_ARCHIVE_WHY_MAX];
};

int cp_archive_exec(struct cp_archive *archive, const char *sql);
/* A prepared one, reset; NULL when it cannot be. */
sqlite3_stmt *cp_archive_prepared(struct cp_archive *archive, enum cp_archive_statement which,
				  const char *sql);
/* Steps one that gives no rows, and resets it. */
int cp_archive_step(sqlite3_stmt *statement);
/* Never NULL. */
const char *cp_archive_text(sqlite3_stmt *row, int column);
int64_t cp_archive_wall(int64_t ms, int64_t ahead_ms); /* 0 stays 0 */
int64_t cp_archive_clock_ms(void);		       /* Unix time */

/* Brings the schema up to date. */
int cp_archive_migrate(struct cp_archive *archive);

/* What jobs do; on the thread, within a transaction. -errno. */
int cp_archive_write_conf(struct cp_archive *archive, const struct cp_job *job);
int cp_archive_erase_conf(struct cp_archive *archive, const char *user);
int cp_archive_write_leg(struct cp_archive *archive, const struct cp_job *job);
int cp_archive_write_dialog(struct cp_archive *archive, const struct cp_job *job);
int cp_archive_write_record(struct cp_archive *archive, const struct cp_job *job);
/* The record of a leg that is up, where it has none yet. */
int cp_archive_begin_record(struct cp_archive *archive, const struct cp_job *job);
int cp_archive_write_audit(struct cp_archive *archive, const struct cp_job *job);
int cp_archive_read_records(struct cp_archive *archive, struct cp_job *job);
int cp_archive_read_audits(struct cp_archive *archive, struct cp_job *job);
/* Some of the records and audit entries that are too old: how many, or -errno. */
int cp_archive_purge(struct cp_archive *archive, int64_t now_ms);

/* A question of the archive as a job: conf and who (NULL: any) are copied. -EINVAL: count; -ENOMEM. */
int cp_job_ask(struct cp_job **out, enum cp_job_type type, const char *conf, const char *who,
	       uint32_t count);
/* Runs it: ?1 conf, ?2 who, ?3 before, ?4 count, ?5 since; one reads a row into job->rows. */
int cp_rows_read(struct cp_archive *archive, struct cp_job *job, const char *sql,
		 int (*one)(struct cp_rows *rows, sqlite3_stmt *row));

/* A copy of text that lives as long as the rows; NULL: no memory. */
const char *cp_rows_keep(struct cp_rows *rows, const char *text);
void cp_rows_fini(struct cp_rows *rows);

/* writer.c */
void cp_archive_end(struct cp_archive *archive);
struct cp_job *cp_job_create(enum cp_job_type type);
void cp_job_destroy(struct cp_job *job);
/* Takes job, whatever comes of it. */
int cp_archive_put(struct cp_archive *archive, struct cp_job *job);

#endif
