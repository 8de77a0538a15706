/*
 * What conclave-cp keeps in one SQLite file: conferences with their policy and lists, the legs that are up, call records,
 * and the audit. Its own file, apart from the KMS's. Written by a thread of its own: calls copy and return at once, what
 * they wrote together is one transaction; nobody waits for SQLite on the event loop.
 *
 * Completions run in cp_archive_run, on the owner's loop: watch cp_archive_fd for reading.
 */
#ifndef CP_STORE_ARCHIVE_ARCHIVE_H
#define CP_STORE_ARCHIVE_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ctrlplane/base/dialog.h"
#include "ctrlplane/conf/conf.h"
#include "ctrlplane/conf/record.h"

struct cp_archive;

struct cp_archive_options {
	const char *path; /* created, mode 0600; NULL: in memory, gone with the program */
	int64_t keep_ms;  /* records and audit older than that are forgotten; 0: kept for ever */
	int64_t purge_every_ms; /* 0: every hour */
};

/*
 * Brings an older file up to date and locks it: a second program gets -EBUSY. 0 or -errno, and why, for people. -ENOTSUP:
 * made by a newer version. Blocks: at the start only.
 */
int cp_archive_open(struct cp_archive **out, const struct cp_archive_options *options, char *why,
		    size_t size);
/* Writes what waits, then ends the thread. Completions that were not run are run, with what came of them. */
void cp_archive_close(struct cp_archive *archive);

int cp_archive_fd(const struct cp_archive *archive);
void cp_archive_run(struct cp_archive *archive);

/* A conference as it was stored. Borrowed. */
struct cp_archive_conf {
	struct cp_conf_settings settings; /* with its list in people */
	struct cp_conf_past past;
	uint64_t config; /* as saved */
};

/* All of them, before cp_archive_begin. each gives 0, or an error that ends it. -errno. */
typedef int (*cp_archive_conf_fn)(void *arg, const struct cp_archive_conf *conf);
int cp_archive_load_confs(struct cp_archive *archive, cp_archive_conf_fn each, void *arg);
/* Legs that were up; conf: the id. Times in leg are Unix milliseconds. */
typedef int (*cp_archive_leg_fn)(void *arg, uint32_t conf, const struct cp_leg *leg);
int cp_archive_load_legs(struct cp_archive *archive, cp_archive_leg_fn each, void *arg);
/* Their dialogs, as far as they are known. */
typedef int (*cp_archive_dialog_fn)(void *arg, uint32_t leg, const struct cp_dialog *dialog);
int cp_archive_load_dialogs(struct cp_archive *archive, cp_archive_dialog_fn each, void *arg);

/* What is written goes to the disk from now on; until then it waits. -EAGAIN. */
int cp_archive_begin(struct cp_archive *archive);

/*
 * Writes. They copy; wall_ahead_ms makes Unix time of the times in conf and leg. -ENOMEM; -ENOBUFS: the disk has not
 * kept up for so long that nothing more is taken.
 */
struct cp_archive_save {
	const struct cp_conf *conf;
	int64_t wall_ahead_ms;
	uint64_t config; /* what its entry in the configuration was made of; 0: it has none */
	bool has_list;	 /* the list too; else it stays as it is stored */
};
int cp_archive_save_conf(struct cp_archive *archive, const struct cp_archive_save *save);
int cp_archive_drop_conf(struct cp_archive *archive, const char *user);
int cp_archive_save_leg(struct cp_archive *archive, const struct cp_leg *leg,
			int64_t wall_ahead_ms);
/* Of a leg; it is forgotten with the leg. */
int cp_archive_save_dialog(struct cp_archive *archive, uint32_t leg,
			   const struct cp_dialog *dialog);

/* Numbers of the media plane, at the end of a leg. */
struct cp_archive_stats {
	bool has_stats;
	uint64_t packets_rx, packets_tx, octets_rx, octets_tx, lost, concealed, auth_failures,
		replays;
	uint32_t jitter_us, round_trip_us;
};
/* A leg that is over: its record, which began when the leg was stored; it is no leg any more. conf: user part and title. */
struct cp_archive_end {
	const struct cp_leg *leg;
	const char *conf, *title;
	int64_t wall_ahead_ms;
	struct cp_archive_stats stats;
};
int cp_archive_record(struct cp_archive *archive, const struct cp_archive_end *end);
/* entry->at_ms is set; its id is not read. */
int cp_archive_audit(struct cp_archive *archive, const struct cp_audit_entry *entry);

/* All that was written before is on disk: 0, or -errno when it is not (it is tried again). */
typedef void (*cp_archive_done_fn)(void *arg, int status);
int cp_archive_settle(struct cp_archive *archive, cp_archive_done_fn done, void *arg);

/* What was written before is seen. -ENOMEM, -EINVAL: a query that cannot be. */
int cp_archive_records(struct cp_archive *archive, const struct cp_record_query *query,
		       cp_records_fn done, void *arg);
int cp_archive_audits(struct cp_archive *archive, const struct cp_audit_query *query,
		      cp_audits_fn done, void *arg);

/* The last transaction could not be written: why, for people. It is tried again every second. */
bool cp_archive_is_in_trouble(struct cp_archive *archive, char *why, size_t size);
/* Writes that are not on disk yet. */
size_t cp_archive_waiting(struct cp_archive *archive);

#endif
