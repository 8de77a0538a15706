/* Users and their pre-shared keys. */
#include <errno.h>
#include <string.h>

#include "ctrlplane/store/store_state.h"

/* psk_id and identity share one space of names, so that a name of keys means one user. */
static int
check_names(struct cp_store *store, const struct cp_store_user *user)
{
	sqlite3_stmt *statement;
	int error = cp_store_prepare(
		&statement, store,
		"SELECT 1 FROM user WHERE identity IN (?1, ?2) OR psk_id IN (?1, ?2) LIMIT 1");

	if (error != 0)
		return error;
	cp_store_bind_text(statement, 1, user->identity);
	cp_store_bind_text(statement, 2, user->psk_id);
	if (sqlite3_step(statement) == SQLITE_ROW)
		error = -EEXIST;
	sqlite3_finalize(statement);
	return error;
}

static int
bind_keys(struct cp_store *store, sqlite3_stmt *statement, int index,
	  const struct cp_store_user *user)
{
	int error = 0;

	for (int set = 0; set < CP_STORE_SETS && error == 0; set++) {
		struct cp_store_label label = {"psk", user->identity, set};

		error = cp_store_bind_key(store, statement, index + set, &label,
					  user->has_psk[set] ? user->psk[set] : NULL);
	}
	return error;
}

static int
insert_user(struct cp_store *store, const struct cp_store_user *user, int64_t now)
{
	sqlite3_stmt *statement;
	int error = cp_store_prepare(&statement, store,
				     "INSERT INTO user(identity, psk_id, enabled, rate, created, "
				     "changed, psk128, psk256) VALUES(?, ?, ?, ?, ?5, ?5, ?6, ?7)");

	if (error != 0)
		return error;
	cp_store_bind_text(statement, 1, user->identity);
	cp_store_bind_text(statement, 2, user->psk_id);
	sqlite3_bind_int(statement, 3, user->is_enabled);
	sqlite3_bind_int64(statement, 4, user->rate);
	sqlite3_bind_int64(statement, 5, now);
	error = bind_keys(store, statement, 6, user);
	if (error != 0) {
		sqlite3_finalize(statement);
		return error;
	}
	return cp_store_finish(statement);
}

static int
insert_item(struct cp_store *store, const char *sql, int64_t user, const char *item, size_t len)
{
	sqlite3_stmt *statement;
	int error = cp_store_prepare(&statement, store, sql);

	if (error != 0)
		return error;
	sqlite3_bind_int64(statement, 1, user);
	sqlite3_bind_text(statement, 2, item, (int)len, SQLITE_TRANSIENT);
	return cp_store_finish(statement);
}

static int
insert_list(struct cp_store *store, const char *sql, int64_t user, const char *list)
{
	int error = 0;

	while (list != NULL && *list != '\0' && error == 0) {
		size_t len = strcspn(list, "\n");

		if (len > 0)
			error = insert_item(store, sql, user, list, len);
		list += len + (list[len] != '\0');
	}
	return error;
}

int
cp_store_user_add(struct cp_store *store, const struct cp_store_user *user, int64_t now)
{
	int error = cp_store_run(store, "SAVEPOINT user_add");

	if (error != 0)
		return error;
	error = check_names(store, user);
	if (error == 0)
		error = insert_user(store, user, now);
	if (error == 0) {
		int64_t id = sqlite3_last_insert_rowid(store->db);

		error = insert_list(store, "INSERT OR IGNORE INTO act_for VALUES(?, ?)", id,
				    user->act_for);
		if (error == 0)
			error = insert_list(store, "INSERT OR IGNORE INTO responder VALUES(?, ?)",
					    id, user->responders);
	}
	if (error != 0)
		cp_store_run(store, "ROLLBACK TO user_add");
	cp_store_run(store, "RELEASE user_add");
	return error;
}

/* Runs a statement that must change one row. */
static int
change_one(struct cp_store *store, sqlite3_stmt *statement)
{
	int error = cp_store_finish(statement);

	return error == 0 && sqlite3_changes(store->db) == 0 ? -ENOENT : error;
}

int
cp_store_user_enable(struct cp_store *store, const char *identity, bool is_enabled, int64_t now)
{
	sqlite3_stmt *statement;
	int error = cp_store_prepare(&statement, store,
				     "UPDATE user SET enabled = ?, changed = ? WHERE identity = ?");

	if (error != 0)
		return error;
	sqlite3_bind_int(statement, 1, is_enabled);
	sqlite3_bind_int64(statement, 2, now);
	cp_store_bind_text(statement, 3, identity);
	return change_one(store, statement);
}

int
cp_store_user_remove(struct cp_store *store, const char *identity)
{
	sqlite3_stmt *statement;
	int error = cp_store_prepare(&statement, store, "DELETE FROM tpk WHERE owner = ?");

	if (error != 0)
		return error;
	cp_store_bind_text(statement, 1, identity);
	error = cp_store_finish(statement);
	if (error == 0)
		error = cp_store_prepare(&statement, store, "DELETE FROM user WHERE identity = ?");
	if (error != 0)
		return error;
	cp_store_bind_text(statement, 1, identity);
	return change_one(store, statement);
}

int
cp_store_user_rekey(struct cp_store *store, const struct cp_store_user *user, int64_t now)
{
	sqlite3_stmt *statement;
	int error = cp_store_prepare(
		&statement, store,
		"UPDATE user SET changed = ?, psk128 = ?, psk256 = ? WHERE identity = ?");

	if (error != 0)
		return error;
	sqlite3_bind_int64(statement, 1, now);
	cp_store_bind_text(statement, 4, user->identity);
	error = bind_keys(store, statement, 2, user);
	if (error != 0) {
		sqlite3_finalize(statement);
		return error;
	}
	return change_one(store, statement);
}

static int
read_user(struct cp_store_user *user, struct cp_store *store, sqlite3_stmt *row)
{
	int error = 0;

	*user = (struct cp_store_user){
		.id = sqlite3_column_int64(row, 0),
		.identity = cp_store_text(row, 1),
		.psk_id = cp_store_text(row, 2),
		.act_for = cp_store_text(row, 3),
		.responders = cp_store_text(row, 4),
		.is_enabled = sqlite3_column_int(row, 5) != 0,
		.rate = sqlite3_column_int64(row, 6),
		.created = sqlite3_column_int64(row, 7),
		.changed = sqlite3_column_int64(row, 8),
	};
	if (user->psk_id[0] == '\0')
		user->psk_id = NULL;
	for (int set = 0; set < CP_STORE_SETS && error == 0; set++) {
		struct cp_store_label label = {"psk", user->identity, set};

		user->has_psk[set] = sqlite3_column_type(row, 9 + set) != SQLITE_NULL;
		if (user->has_psk[set])
			error = cp_store_key(user->psk[set], store, row, 9 + set, &label);
	}
	return error;
}

int
cp_store_users(struct cp_store *store, const char *identity, cp_store_user_fn each, void *arg)
{
	struct cp_store_user user;
	sqlite3_stmt *statement;
	int error =
		cp_store_prepare(&statement, store,
				 "SELECT id, identity, psk_id,"
				 " (SELECT group_concat(pattern, char(10)) FROM act_for WHERE "
				 "act_for.user = user.id),"
				 " (SELECT group_concat(pattern, char(10)) FROM responder WHERE "
				 "responder.user = user.id),"
				 " enabled, rate, created, changed, psk128, psk256"
				 " FROM user WHERE ?1 IS NULL OR identity = ?1 ORDER BY identity");
	int count = 0, result;

	if (error != 0)
		return error;
	cp_store_bind_text(statement, 1, identity);
	while ((result = sqlite3_step(statement)) == SQLITE_ROW && error == 0) {
		error = read_user(&user, store, statement);
		if (error == 0)
			error = each(arg, &user);
		count++;
		explicit_bzero(&user, sizeof(user));
	}
	if (error == 0)
		error = cp_sqlite_error(result);
	sqlite3_finalize(statement);
	return error != 0 ? error : count;
}
