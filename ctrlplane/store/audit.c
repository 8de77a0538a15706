/* The audit log: who asked for what for whom, and what came of it. Never a key. */
#include <errno.h>

#include "ctrlplane/store/store_state.h"

#define PURGE_ROWS 5000 /* at a time, so that nothing waits long */

static int
bind_text(sqlite3_stmt *statement, int index, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return sqlite3_bind_null(statement, index);
	return sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC);
}

int
cp_store_audit_add(struct cp_store *store, const struct cp_store_audit *e)
{
	sqlite3_stmt *statement = cp_store_prepared(
		store, CP_STORE_AUDIT_ADD,
		"INSERT INTO audit(at, what, source, owner, user, initiator, responder, granted, "
		"error, text, csb, bits, flags, ends) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
		"?, ?)");
	int result;

	if (statement == NULL)
		return -EIO;
	sqlite3_bind_int64(statement, 1, e->at_ms);
	bind_text(statement, 2, e->what);
	bind_text(statement, 3, e->source);
	bind_text(statement, 4, e->owner);
	bind_text(statement, 5, e->user);
	bind_text(statement, 6, e->initiator);
	bind_text(statement, 7, e->responder);
	sqlite3_bind_int(statement, 8, e->is_granted);
	sqlite3_bind_int(statement, 9, e->error);
	bind_text(statement, 10, e->text);
	sqlite3_bind_int64(statement, 11, e->csb_id);
	sqlite3_bind_int(statement, 12, e->bits);
	sqlite3_bind_int(statement, 13, e->flags);
	sqlite3_bind_int64(statement, 14, e->end);
	result = sqlite3_step(statement);
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return cp_sqlite_error(result);
}

int
cp_store_audit_purge(struct cp_store *store, int64_t before_ms)
{
	sqlite3_stmt *statement;
	int error = cp_store_prepare(&statement, store,
				     "DELETE FROM audit WHERE id IN (SELECT id FROM audit ORDER BY "
				     "id LIMIT ?2) AND at < ?1");

	if (error != 0)
		return error;
	sqlite3_bind_int64(statement, 1, before_ms);
	sqlite3_bind_int(statement, 2, PURGE_ROWS);
	error = cp_store_finish(statement);
	return error != 0 ? error : sqlite3_changes(store->db);
}

int
cp_store_audits(struct cp_store *store, const struct cp_store_audit_query *query,
		cp_store_audit_fn each, void *arg)
{
	sqlite3_stmt *row;
	int error = cp_store_prepare(
		&row, store,
		"SELECT at, what, source, owner, user, initiator, responder, granted, error, text, "
		"csb, bits, flags, ends FROM audit WHERE ?1 IS NULL OR ?1 IN (owner, user, "
		"initiator, responder) ORDER BY id DESC LIMIT ?2");
	int count = 0, result;

	if (error != 0)
		return error;
	cp_store_bind_text(row, 1, query->identity);
	sqlite3_bind_int64(row, 2, query->count);
	while ((result = sqlite3_step(row)) == SQLITE_ROW && error == 0) {
		struct cp_store_audit entry = {
			.at_ms = sqlite3_column_int64(row, 0),
			.what = cp_store_text(row, 1),
			.source = cp_store_text(row, 2),
			.owner = cp_store_text(row, 3),
			.user = cp_store_text(row, 4),
			.initiator = cp_store_text(row, 5),
			.responder = cp_store_text(row, 6),
			.is_granted = sqlite3_column_int(row, 7) != 0,
			.error = sqlite3_column_int(row, 8),
			.text = cp_store_text(row, 9),
			.csb_id = (uint32_t)sqlite3_column_int64(row, 10),
			.bits = sqlite3_column_int(row, 11),
			.flags = sqlite3_column_int(row, 12),
			.end = sqlite3_column_int64(row, 13),
		};

		error = each(arg, &entry);
		count++;
	}
	if (error == 0)
		error = cp_sqlite_error(result);
	sqlite3_finalize(row);
	return error != 0 ? error : count;
}
