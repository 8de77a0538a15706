/* Questions, and the rows that answer them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/store/archive/archive_state.h"

const char *
cp_rows_keep(struct cp_rows *rows, const char *text)
{
	char *copy;

	if (rows->text_count == rows->text_room) {
		size_t room = rows->text_room ? 2 * rows->text_room : 64;
		char **more = reallocarray(rows->texts, room, sizeof(*more));

		if (more == NULL)
			return NULL;
		rows->texts = more;
		rows->text_room = room;
	}
	copy = strdup(text);
	if (copy != NULL)
		rows->texts[rows->text_count++] = copy;
	return copy;
}

void
cp_rows_fini(struct cp_rows *rows)
{
	for (size_t i = 0; i < rows->text_count; i++)
		free(rows->texts[i]);
	free(rows->texts);
	free(rows->records);
	free(rows->entries);
	*rows = (struct cp_rows){0};
}

int
cp_job_ask(struct cp_job **out, enum cp_job_type type, const char *conf, const char *who,
	   uint32_t count)
{
	struct cp_job *job;

	if (count > CP_ARCHIVE_QUERY_MAX)
		return -EINVAL;
	job = cp_job_create(type);
	if (job == NULL || (conf != NULL && (job->texts[0] = strdup(conf)) == NULL) ||
	    (who != NULL && (job->texts[1] = strdup(who)) == NULL)) {
		cp_job_destroy(job);
		return -ENOMEM;
	}
	job->number = count != 0 ? count : CP_ARCHIVE_QUERY_USUAL;
	*out = job;
	return 0;
}

int
cp_rows_read(struct cp_archive *archive, struct cp_job *job, const char *sql,
	     int (*one)(struct cp_rows *rows, sqlite3_stmt *row))
{
	sqlite3_stmt *row = NULL;
	int error = cp_sqlite_error(sqlite3_prepare_v2(archive->db, sql, -1, &row, NULL));
	int result = SQLITE_DONE;

	if (error != 0)
		return error;
	sqlite3_bind_text(row, 1, job->texts[0], -1, SQLITE_STATIC);
	sqlite3_bind_text(row, 2, job->texts[1], -1, SQLITE_STATIC);
	sqlite3_bind_int64(row, 3, job->before);
	sqlite3_bind_int64(row, 4, job->number);
	sqlite3_bind_int64(row, 5, job->at_ms);
	while (error == 0 && (result = sqlite3_step(row)) == SQLITE_ROW)
		error = one(&job->rows, row);
	sqlite3_finalize(row);
	return error != 0 ? error : cp_sqlite_error(result);
}
