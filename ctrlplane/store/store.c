/* Opening, migrating and sealing. */
#include "ctrlplane/store/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ctrlplane/store/store_state.h"

#define BUSY_MS 5000 /* another program's transaction is waited for so long */
#define LABEL_MAX (CP_STORE_TEXT_MAX + 32)
#define CHECK_TEXT "conclave" /* sealed in every store: tells whether the master key fits */

/*
 * How SQLite is to behave:
 * - WAL: who reads does not wait for who writes, so that the command line and the KMS go together.
 * - synchronous FULL: what was committed survives a power cut. A TPK that was lost would take all its
 *   tickets along. It costs a sync for each transaction, and these are not in the path of an answer.
 * - secure_delete: what is deleted is overwritten, sealed or not.
 * - trusted_schema off: a file from elsewhere cannot call functions from its views or triggers.
 * - foreign_keys: lists go with their user.
 */
static const char pragmas[] = "PRAGMA journal_mode = WAL;"
			      "PRAGMA synchronous = FULL;"
			      "PRAGMA secure_delete = ON;"
			      "PRAGMA trusted_schema = OFF;"
			      "PRAGMA foreign_keys = ON;"
			      "PRAGMA temp_store = MEMORY;";

/* Each brings the store from version index to index + 1 (PRAGMA user_version). Landed ones are never
 * changed: the next is added behind. */
static const char *const migrations[] = {
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
	"INSERT INTO meta VALUES('generation', 1);"
	"CREATE TABLE user(id INTEGER PRIMARY KEY, identity TEXT NOT NULL UNIQUE, psk_id TEXT "
	"UNIQUE,"
	" psk128 BLOB, psk256 BLOB, enabled INTEGER NOT NULL, rate INTEGER NOT NULL,"
	" created INTEGER NOT NULL, changed INTEGER NOT NULL);"
	"CREATE TABLE act_for(user INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,"
	" pattern TEXT NOT NULL, PRIMARY KEY(user, pattern)) WITHOUT ROWID;"
	"CREATE TABLE responder(user INTEGER NOT NULL REFERENCES user ON DELETE CASCADE,"
	" pattern TEXT NOT NULL, PRIMARY KEY(user, pattern)) WITHOUT ROWID;"
	"CREATE TABLE tpk(id TEXT PRIMARY KEY, owner TEXT, bits INTEGER NOT NULL, key BLOB NOT "
	"NULL,"
	" created INTEGER NOT NULL, retired INTEGER NOT NULL, last_end INTEGER NOT NULL);"
	"CREATE TABLE audit(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, what TEXT NOT NULL,"
	" source TEXT, owner TEXT, user TEXT, initiator TEXT, responder TEXT,"
	" granted INTEGER NOT NULL, error INTEGER, text TEXT, csb INTEGER, bits INTEGER,"
	" flags INTEGER, ends INTEGER);"
	"CREATE TRIGGER user_add AFTER INSERT ON user BEGIN"
	" UPDATE meta SET value = value + 1 WHERE key = 'generation'; END;"
	"CREATE TRIGGER user_change AFTER UPDATE ON user BEGIN"
	" UPDATE meta SET value = value + 1 WHERE key = 'generation'; END;"
	"CREATE TRIGGER user_drop AFTER DELETE ON user BEGIN"
	" UPDATE meta SET value = value + 1 WHERE key = 'generation'; END;"
	"CREATE TRIGGER tpk_add AFTER INSERT ON tpk BEGIN"
	" UPDATE meta SET value = value + 1 WHERE key = 'generation'; END;"
	"CREATE TRIGGER tpk_change AFTER UPDATE OF id, owner, bits, key, retired ON tpk BEGIN"
	" UPDATE meta SET value = value + 1 WHERE key = 'generation'; END;"
	"CREATE TRIGGER tpk_drop AFTER DELETE ON tpk BEGIN"
	" UPDATE meta SET value = value + 1 WHERE key = 'generation'; END;",
};

#define VERSION ((int)(sizeof(migrations) / sizeof(migrations[0])))

int
cp_store_run(struct cp_store *store, const char *sql)
{
	return cp_sqlite_error(sqlite3_exec(store->db, sql, NULL, NULL, NULL));
}

int
cp_store_prepare(sqlite3_stmt **out, struct cp_store *store, const char *sql)
{
	return cp_sqlite_error(sqlite3_prepare_v2(store->db, sql, -1, out, NULL));
}

int
cp_store_finish(sqlite3_stmt *statement)
{
	int result = sqlite3_step(statement);

	sqlite3_finalize(statement);
	return cp_sqlite_error(result);
}

sqlite3_stmt *
cp_store_prepared(struct cp_store *store, enum cp_store_statement which, const char *sql)
{
	sqlite3_stmt **statement = &store->prepared[which];

	if (*statement == NULL)
		sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
	else
		sqlite3_reset(*statement);
	return *statement;
}

int
cp_store_bind_text(sqlite3_stmt *statement, int index, const char *text)
{
	if (text == NULL || text[0] == '\0')
		return cp_sqlite_error(sqlite3_bind_null(statement, index));
	return cp_sqlite_error(sqlite3_bind_text(statement, index, text, -1, SQLITE_TRANSIENT));
}

const char *
cp_store_text(sqlite3_stmt *statement, int column)
{
	const unsigned char *text = sqlite3_column_text(statement, column);

	return text != NULL ? (const char *)text : "";
}

static void
write_label(char out[LABEL_MAX], const struct cp_store_label *label)
{
	snprintf(out, LABEL_MAX, "%s %d %s", label->what, label->set == 0 ? 128 : 256,
		 label->whose);
}

int
cp_store_bind_key(struct cp_store *store, sqlite3_stmt *statement, int index,
		  const struct cp_store_label *label, const uint8_t *key)
{
	uint8_t sealed[CP_STORE_KEY_MAX + CP_SEAL_OVERHEAD];
	size_t len = cp_store_key_octets[label->set];
	char text[LABEL_MAX];
	int error;

	if (key == NULL)
		return cp_sqlite_error(sqlite3_bind_null(statement, index));
	write_label(text, label);
	error = cp_seal_wrap(sealed, store->seal, (struct cp_seal_text){text, key, len});
	return error != 0 ? error
			  : cp_sqlite_error(sqlite3_bind_blob(statement, index, sealed,
							      (int)(len + CP_SEAL_OVERHEAD),
							      SQLITE_TRANSIENT));
}

int
cp_store_key(uint8_t *key, struct cp_store *store, sqlite3_stmt *statement, int column,
	     const struct cp_store_label *label)
{
	const void *sealed = sqlite3_column_blob(statement, column);
	int len = sqlite3_column_bytes(statement, column);
	char text[LABEL_MAX];

	if (sealed == NULL || len != (int)(cp_store_key_octets[label->set] + CP_SEAL_OVERHEAD))
		return -EBADMSG;
	write_label(text, label);
	return cp_seal_unwrap(key, store->seal, (struct cp_seal_text){text, sealed, (size_t)len});
}

/* One number that a statement gives. */
static int
ask_number(int64_t *out, struct cp_store *store, const char *sql)
{
	sqlite3_stmt *statement;
	int error = cp_store_prepare(&statement, store, sql);

	if (error != 0)
		return error;
	error = cp_sqlite_error(sqlite3_step(statement));
	if (error == 0)
		*out = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return error;
}

/* Without the lock there may be nothing to do; with it we look again. */
static int
migrate(struct cp_store *store)
{
	int64_t version = 0;
	int error = ask_number(&version, store, "PRAGMA user_version");
	char text[64];

	if (error != 0 || version == VERSION)
		return error;
	if (version > VERSION)
		return -ENOTSUP;
	error = cp_store_run(store, "BEGIN IMMEDIATE");
	if (error == 0)
		error = ask_number(&version, store, "PRAGMA user_version");
	for (; error == 0 && version < VERSION; version++)
		error = cp_store_run(store, migrations[version]);
	snprintf(text, sizeof(text), "PRAGMA user_version = %d; COMMIT", VERSION);
	if (error == 0)
		error = cp_store_run(store, text);
	if (error != 0)
		cp_store_rollback(store);
	return error;
}

/* A new store remembers what opens with its master key; later that must open. */
static int
check_master_key(struct cp_store *store)
{
	uint8_t sealed[sizeof(CHECK_TEXT) + CP_SEAL_OVERHEAD], plain[sizeof(sealed)];
	struct cp_seal_text text = {"check", (const uint8_t *)CHECK_TEXT, sizeof(CHECK_TEXT)};
	sqlite3_stmt *statement;
	int error = cp_seal_wrap(sealed, store->seal, text);

	if (error == 0)
		error = cp_store_prepare(&statement, store,
					 "INSERT OR IGNORE INTO meta VALUES('check', ?)");
	if (error != 0)
		return error;
	sqlite3_bind_blob(statement, 1, sealed, sizeof(sealed), SQLITE_TRANSIENT);
	error = cp_store_finish(statement);
	if (error == 0)
		error = cp_store_prepare(&statement, store,
					 "SELECT value FROM meta WHERE key = 'check'");
	if (error != 0)
		return error;
	if (sqlite3_step(statement) != SQLITE_ROW ||
	    sqlite3_column_bytes(statement, 0) != (int)sizeof(sealed))
		error = -EBADMSG;
	else
		error = cp_seal_unwrap(plain, store->seal,
				       (struct cp_seal_text){"check",
							     sqlite3_column_blob(statement, 0),
							     sizeof(sealed)});
	sqlite3_finalize(statement);
	return error;
}

static int
open_database(struct cp_store *store, const char *path)
{
	mode_t mask = umask(077);
	int result = sqlite3_open_v2(path, &store->db,
				     SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
					     SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
				     NULL);
	int error = cp_sqlite_error(result);

	if (error == 0)
		error = cp_sqlite_error(sqlite3_busy_timeout(store->db, BUSY_MS));
	if (error == 0)
		error = cp_store_run(store, pragmas);
	if (error == 0)
		error = migrate(store);
	umask(mask);
	return error;
}

int
cp_store_open(struct cp_store **out, const struct cp_store_options *options, char *why, size_t size)
{
	struct cp_store *store = calloc(1, sizeof(*store));
	int error = -ENOMEM;

	if (store == NULL) {
		snprintf(why, size, "out of memory");
		return error;
	}
	error = cp_seal_open(&store->seal, options->master_key_path, why, size);
	if (error != 0)
		goto out;
	error = open_database(store, options->path);
	if (error == -ENOTSUP)
		snprintf(why, size, "%s: made by a newer version of conclave", options->path);
	else if (error != 0)
		snprintf(why, size, "%s: %s; is its folder there, and may we write it?",
			 options->path,
			 store->db != NULL ? sqlite3_errmsg(store->db) : strerror(-error));
	if (error != 0)
		goto out;
	error = check_master_key(store);
	if (error == -EBADMSG)
		snprintf(why, size,
			 "%s is not the master key of %s; it opens with the one it was "
			 "made with only",
			 options->master_key_path, options->path);
	else if (error != 0)
		snprintf(why, size, "%s: %s", options->path, sqlite3_errmsg(store->db));
out:
	if (error != 0)
		cp_store_close(store);
	else
		*out = store;
	return error;
}

void
cp_store_close(struct cp_store *store)
{
	if (store == NULL)
		return;
	for (size_t i = 0; i < CP_STORE_STATEMENTS; i++)
		sqlite3_finalize(store->prepared[i]);
	sqlite3_close(store->db);
	cp_seal_close(store->seal);
	free(store);
}

const char *
cp_store_why(const struct cp_store *store)
{
	return sqlite3_errmsg(store->db);
}

int
cp_store_generation(int64_t *out, struct cp_store *store)
{
	sqlite3_stmt *statement = cp_store_prepared(
		store, CP_STORE_GENERATION, "SELECT value FROM meta WHERE key = 'generation'");
	int error = -EIO;

	if (statement != NULL && sqlite3_step(statement) == SQLITE_ROW) {
		*out = sqlite3_column_int64(statement, 0);
		error = 0;
	}
	if (statement != NULL)
		sqlite3_reset(statement);
	return error;
}

int
cp_store_begin(struct cp_store *store)
{
	return cp_store_run(store, "BEGIN IMMEDIATE");
}

int
cp_store_commit(struct cp_store *store)
{
	int error = cp_store_run(store, "COMMIT");

	if (error != 0)
		cp_store_rollback(store);
	return error;
}

void
cp_store_rollback(struct cp_store *store)
{
	if (!sqlite3_get_autocommit(store->db))
		sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
}
