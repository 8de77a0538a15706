/* Ticket protection keys. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "ctrlplane/keys/hex.h"
#include "ctrlplane/store/store_state.h"

#define ID_OCTETS 8

int
cp_store_tpk_add(struct cp_store *store, const struct cp_store_tpk *tpk)
{
	struct cp_store_label label = {"tpk", tpk->id, tpk->set};
	sqlite3_stmt *statement;
	int error = cp_store_prepare(&statement, store,
				     "INSERT INTO tpk(id, owner, bits, created, retired, last_end, "
				     "key) VALUES(?, ?, ?, ?, ?, ?, ?)");

	if (error != 0)
		return error;
	cp_store_bind_text(statement, 1, tpk->id);
	cp_store_bind_text(statement, 2, tpk->owner);
	sqlite3_bind_int(statement, 3, tpk->set == 0 ? 128 : 256);
	sqlite3_bind_int64(statement, 4, tpk->created);
	sqlite3_bind_int64(statement, 5, tpk->retired);
	sqlite3_bind_int64(statement, 6, tpk->last_end);
	error = cp_store_bind_key(store, statement, 7, &label, tpk->key);
	if (error != 0) {
		sqlite3_finalize(statement);
		return error;
	}
	return cp_store_finish(statement);
}

static int
add_fresh(struct cp_store *store, int set, int64_t now)
{
	struct cp_store_tpk tpk = {.set = set, .created = now};
	uint8_t id[ID_OCTETS];
	size_t len = cp_store_key_octets[set];
	int error = -EIO;

	if (getrandom(id, sizeof(id), 0) == (ssize_t)sizeof(id) &&
	    getrandom(tpk.key, len, 0) == (ssize_t)len) {
		strcpy(tpk.id, "tpk-");
		cp_hex_encode(tpk.id + strlen(tpk.id), id, sizeof(id));
		error = cp_store_tpk_add(store, &tpk);
	}
	explicit_bzero(&tpk, sizeof(tpk));
	return error;
}

int
cp_store_tpk_rotate(struct cp_store *store, int64_t now)
{
	sqlite3_stmt *statement;
	int error = cp_store_run(store, "SAVEPOINT tpk_rotate");

	if (error != 0)
		return error;
	error = cp_store_prepare(
		&statement, store,
		"UPDATE tpk SET retired = max(?, created) WHERE owner IS NULL AND retired = 0");
	if (error == 0) {
		sqlite3_bind_int64(statement, 1, now);
		error = cp_store_finish(statement);
	}
	for (int set = 0; set < CP_STORE_SETS && error == 0; set++)
		error = add_fresh(store, set, now);
	if (error != 0)
		cp_store_run(store, "ROLLBACK TO tpk_rotate");
	cp_store_run(store, "RELEASE tpk_rotate");
	return error;
}

int
cp_store_tpk_used(struct cp_store *store, const char *id, int64_t end)
{
	sqlite3_stmt *statement =
		cp_store_prepared(store, CP_STORE_TPK_USED,
				  "UPDATE tpk SET last_end = max(last_end, ?) WHERE id = ?");
	int result;

	if (statement == NULL)
		return -EIO;
	sqlite3_bind_int64(statement, 1, end);
	cp_store_bind_text(statement, 2, id);
	result = sqlite3_step(statement);
	sqlite3_reset(statement);
	return cp_sqlite_error(result);
}

int
cp_store_tpk_purge(struct cp_store *store, int64_t now, int64_t lifetime)
{
	sqlite3_stmt *statement;
	int error = cp_store_prepare(
		&statement, store,
		"DELETE FROM tpk WHERE retired > 0 AND last_end < ?1 AND retired < ?1 - ?2");

	if (error != 0)
		return error;
	sqlite3_bind_int64(statement, 1, now);
	sqlite3_bind_int64(statement, 2, lifetime);
	error = cp_store_finish(statement);
	return error != 0 ? error : sqlite3_changes(store->db);
}

static int
read_tpk(struct cp_store_tpk *tpk, struct cp_store *store, sqlite3_stmt *row)
{
	struct cp_store_label label = {.what = "tpk", .whose = tpk->id};

	memset(tpk, 0, sizeof(*tpk));
	snprintf(tpk->id, sizeof(tpk->id), "%s", cp_store_text(row, 0));
	snprintf(tpk->owner, sizeof(tpk->owner), "%s", cp_store_text(row, 1));
	tpk->set = label.set = sqlite3_column_int(row, 2) == 128 ? 0 : 1;
	tpk->created = sqlite3_column_int64(row, 3);
	tpk->retired = sqlite3_column_int64(row, 4);
	tpk->last_end = sqlite3_column_int64(row, 5);
	return cp_store_key(tpk->key, store, row, 6, &label);
}

int
cp_store_tpks(struct cp_store *store, cp_store_tpk_fn each, void *arg)
{
	struct cp_store_tpk tpk;
	sqlite3_stmt *statement;
	int error = cp_store_prepare(&statement, store,
				     "SELECT id, owner, bits, created, retired, last_end, key FROM "
				     "tpk ORDER BY retired > 0, created DESC, id");
	int count = 0, result;

	if (error != 0)
		return error;
	while ((result = sqlite3_step(statement)) == SQLITE_ROW && error == 0) {
		error = read_tpk(&tpk, store, statement);
		if (error == 0)
			error = each(arg, &tpk);
		count++;
	}
	if (error == 0)
		error = cp_sqlite_error(result);
	explicit_bzero(&tpk, sizeof(tpk));
	sqlite3_finalize(statement);
	return error != 0 ? error : count;
}
