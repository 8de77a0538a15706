/* SIP dialogs of the legs that are up: whose BYE is to be understood after a restart of ours. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "ctrlplane/store/archive/archive_state.h"

#define COLUMNS \
	"leg, call_id, local, remote, local_tag, remote_tag, target, routes, listen, contact"

int
cp_archive_save_dialog(struct cp_archive *archive, uint32_t leg, const struct cp_dialog *dialog)
{
	struct cp_job *job = cp_job_create(CP_JOB_SAVE_DIALOG);

	if (job == NULL || (job->dialog = malloc(sizeof(*job->dialog))) == NULL) {
		cp_job_destroy(job);
		return -ENOMEM;
	}
	*job->dialog = *dialog;
	job->number = leg;
	return cp_archive_put(archive, job);
}

/* The leg may be stored later; one that has ended already leaves it behind until the next start. */
int
cp_archive_write_dialog(struct cp_archive *archive, const struct cp_job *job)
{
	const struct cp_dialog *d = job->dialog;
	const char *const texts[] = {d->call_id, d->local,  d->remote, d->local_tag, d->remote_tag,
				     d->target,	 d->routes, d->listen, d->contact};
	sqlite3_stmt *st = cp_archive_prepared(archive, CP_ST_DIALOG,
					       "INSERT OR REPLACE INTO dialog(" COLUMNS
					       ") VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

	if (st == NULL)
		return -EIO;
	sqlite3_bind_int64(st, 1, job->number);
	for (int i = 0; i < (int)(sizeof(texts) / sizeof(texts[0])); i++)
		sqlite3_bind_text(st, i + 2, texts[i], -1, SQLITE_STATIC);
	return cp_archive_step(st);
}

static void
read_dialog(struct cp_dialog *d, sqlite3_stmt *row)
{
	const struct {
		char *to;
		size_t size;
	} texts[] = {
		{d->call_id, sizeof(d->call_id)},	{d->local, sizeof(d->local)},
		{d->remote, sizeof(d->remote)},		{d->local_tag, sizeof(d->local_tag)},
		{d->remote_tag, sizeof(d->remote_tag)}, {d->target, sizeof(d->target)},
		{d->routes, sizeof(d->routes)},		{d->listen, sizeof(d->listen)},
		{d->contact, sizeof(d->contact)},
	};

	for (int i = 0; i < (int)(sizeof(texts) / sizeof(texts[0])); i++)
		snprintf(texts[i].to, texts[i].size, "%s", cp_archive_text(row, i + 1));
}

int
cp_archive_load_dialogs(struct cp_archive *archive, cp_archive_dialog_fn each, void *arg)
{
	sqlite3_stmt *row = NULL;
	int result = SQLITE_DONE;
	int error = cp_archive_exec(archive,
				    "DELETE FROM dialog WHERE leg NOT IN (SELECT id FROM leg)");

	if (error == 0)
		error = cp_sqlite_error(sqlite3_prepare_v2(
			archive->db, "SELECT " COLUMNS " FROM dialog", -1, &row, NULL));
	while (error == 0 && (result = sqlite3_step(row)) == SQLITE_ROW) {
		struct cp_dialog dialog = {.call_id = ""};

		read_dialog(&dialog, row);
		error = each(arg, (uint32_t)sqlite3_column_int64(row, 0), &dialog);
	}
	sqlite3_finalize(row);
	return error != 0 ? error : cp_sqlite_error(result);
}
