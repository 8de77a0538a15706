/* Opening, locking and closing; how SQLite is to behave. */
#include "ctrlplane/store/archive/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ctrlplane/store/archive/archive_state.h"

#define BUSY_MS 5000 /* another program's transaction (a backup) is waited for so long */
#define PURGE_EVERY_MS 3600000

/* Why each: README.md of ctrlplane/store. */
static const char pragmas[] = "PRAGMA journal_mode = WAL;"
			      "PRAGMA synchronous = FULL;"
			      "PRAGMA secure_delete = ON;"
			      "PRAGMA trusted_schema = OFF;"
			      "PRAGMA foreign_keys = ON;"
			      "PRAGMA temp_store = MEMORY;"
			      "PRAGMA journal_size_limit = 16777216;"
			      "PRAGMA cell_size_check = ON;";

int
cp_archive_exec(struct cp_archive *archive, const char *sql)
{
	return cp_sqlite_error(sqlite3_exec(archive->db, sql, NULL, NULL, NULL));
}

sqlite3_stmt *
cp_archive_prepared(struct cp_archive *archive, enum cp_archive_statement which, const char *sql)
{
	sqlite3_stmt **statement = &archive->prepared[which];

	if (*statement == NULL)
		sqlite3_prepare_v3(archive->db, sql, -1, SQLITE_PREPARE_PERSISTENT, statement,
				   NULL);
	return *statement;
}

int
cp_archive_step(sqlite3_stmt *statement)
{
	int result = sqlite3_step(statement);

	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return cp_sqlite_error(result);
}

const char *
cp_archive_text(sqlite3_stmt *row, int column)
{
	const unsigned char *text = sqlite3_column_text(row, column);

	return text != NULL ? (const char *)text : "";
}

int64_t
cp_archive_wall(int64_t ms, int64_t ahead_ms)
{
	return ms != 0 ? ms + ahead_ms : 0;
}

int64_t
cp_archive_clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Beside the file, since SQLite's own locks come and go with its transactions. */
static int
lock(struct cp_archive *archive, const char *path)
{
	char name[4096];

	if ((size_t)snprintf(name, sizeof(name), "%s.lock", path) >= sizeof(name))
		return -ENAMETOOLONG;
	archive->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (archive->lock_fd < 0)
		return -errno;
	return flock(archive->lock_fd, LOCK_EX | LOCK_NB) == 0 ? 0 : -EBUSY;
}

static int
open_database(struct cp_archive *archive, const char *path)
{
	mode_t mask = umask(077);
	int error = path != NULL ? lock(archive, path) : 0;

	if (error == 0)
		error = cp_sqlite_error(
			sqlite3_open_v2(path != NULL ? path : ":memory:", &archive->db,
					SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
						SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
					NULL));
	if (error == 0)
		error = cp_sqlite_error(sqlite3_busy_timeout(archive->db, BUSY_MS));
	if (error == 0)
		error = cp_archive_exec(archive, pragmas);
	if (error == 0)
		error = cp_archive_migrate(archive);
	umask(mask);
	return error;
}

static void
explain(char *why, size_t size, const struct cp_archive *archive, const char *path, int error)
{
	if (error == -EBUSY && archive->db == NULL)
		snprintf(why, size, "%s: another conclave-cp has it open", path);
	else if (error == -ENOTSUP)
		snprintf(why, size, "%s: made by a newer version of conclave", path);
	else if (error == -EUCLEAN)
		snprintf(why, size,
			 "%s: is no database of conclave, or damaged; move it away or restore a "
			 "backup",
			 path);
	else
		snprintf(why, size, "%s: %s; is its folder there, and may we write it?",
			 path != NULL ? path : "in memory",
			 archive->db != NULL ? sqlite3_errmsg(archive->db) : strerror(-error));
}

int
cp_archive_open(struct cp_archive **out, const struct cp_archive_options *options, char *why,
		size_t size)
{
	struct cp_archive *archive = calloc(1, sizeof(*archive));
	int error;

	if (archive == NULL) {
		snprintf(why, size, "out of memory");
		return -ENOMEM;
	}
	archive->lock_fd = -1;
	archive->waiting.end = &archive->waiting.first;
	archive->done.end = &archive->done.first;
	archive->keep_ms = options->keep_ms;
	archive->purge_every_ms =
		options->purge_every_ms ? options->purge_every_ms : PURGE_EVERY_MS;
	pthread_mutex_init(&archive->mutex, NULL);
	pthread_cond_init(&archive->wake, NULL);
	archive->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	error = archive->event_fd < 0 ? -errno : open_database(archive, options->path);
	if (error != 0) {
		explain(why, size, archive, options->path, error);
		cp_archive_close(archive);
		return error;
	}
	*out = archive;
	return 0;
}

void
cp_archive_close(struct cp_archive *archive)
{
	if (archive == NULL)
		return;
	cp_archive_end(archive);
	for (size_t i = 0; i < CP_ST_COUNT; i++)
		sqlite3_finalize(archive->prepared[i]);
	sqlite3_close(archive->db);
	if (archive->lock_fd >= 0)
		close(archive->lock_fd);
	if (archive->event_fd >= 0)
		close(archive->event_fd);
	pthread_cond_destroy(&archive->wake);
	pthread_mutex_destroy(&archive->mutex);
	free(archive);
}
