/* The tables, version by version. */
#include <errno.h>
#include <stdio.h>
#include "ctrlplane/store/archive/archive_state.h"

#define APPLICATION 0x436f6e43 /* "ConC", told by file(1) and by us */

/* Each brings the file from version index to index + 1 (PRAGMA user_version). Landed ones are never changed: the next is
 * added behind. Names, not numbers, stand for roles and the like: an enum may grow. */
static const char *const migrations[] = {
	"CREATE TABLE conference(id INTEGER PRIMARY KEY, user TEXT NOT NULL UNIQUE, origin TEXT "
	"NOT NULL,"
	" config INTEGER NOT NULL, created INTEGER NOT NULL, joined INTEGER NOT NULL,"
	" title TEXT NOT NULL, subject TEXT NOT NULL, description TEXT NOT NULL, creator TEXT NOT "
	"NULL,"
	" pin TEXT NOT NULL, security TEXT NOT NULL, editors TEXT NOT NULL, notify TEXT NOT NULL,"
	" open INTEGER NOT NULL, anonymous INTEGER NOT NULL, believes_from INTEGER NOT NULL,"
	" mutes_on_entry INTEGER NOT NULL, mutes_on_hold INTEGER NOT NULL, locked INTEGER NOT NULL,"
	" lobby INTEGER NOT NULL, announces INTEGER NOT NULL, ends_with_creator INTEGER NOT NULL,"
	" ends_when_empty INTEGER NOT NULL, size_max INTEGER NOT NULL, loudest_n INTEGER NOT NULL,"
	" small_size INTEGER NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL, early INTEGER "
	"NOT NULL);"
	"CREATE TABLE authorised(conference INTEGER NOT NULL REFERENCES conference ON DELETE "
	"CASCADE,"
	" identity TEXT NOT NULL, role TEXT NOT NULL, PRIMARY KEY(conference, identity)) WITHOUT "
	"ROWID;"
	"CREATE TABLE leg(id INTEGER PRIMARY KEY, conference INTEGER NOT NULL REFERENCES "
	"conference ON DELETE CASCADE,"
	" user INTEGER NOT NULL, wait INTEGER NOT NULL, role TEXT NOT NULL, proof TEXT NOT NULL,"
	" keying INTEGER NOT NULL, method INTEGER NOT NULL, identity TEXT NOT NULL, display TEXT "
	"NOT NULL,"
	" person TEXT NOT NULL, tel TEXT NOT NULL, private INTEGER NOT NULL, via TEXT NOT NULL, "
	"call_id TEXT NOT NULL,"
	" agent TEXT NOT NULL, join_reason TEXT NOT NULL, join_by TEXT NOT NULL, referred_by TEXT "
	"NOT NULL,"
	" referred INTEGER NOT NULL, suite INTEGER NOT NULL, muted INTEGER NOT NULL, deaf INTEGER "
	"NOT NULL,"
	" held INTEGER NOT NULL, gain INTEGER NOT NULL, joined INTEGER NOT NULL, connected INTEGER "
	"NOT NULL);"
	"CREATE TABLE record(id INTEGER PRIMARY KEY AUTOINCREMENT, conf TEXT NOT NULL, title TEXT "
	"NOT NULL,"
	" leg INTEGER NOT NULL, identity TEXT NOT NULL, tel TEXT NOT NULL, display TEXT NOT NULL,"
	" private INTEGER NOT NULL, role TEXT NOT NULL, method TEXT NOT NULL, proof TEXT NOT NULL,"
	" protection TEXT NOT NULL, suite TEXT NOT NULL, joined INTEGER NOT NULL, connected "
	"INTEGER NOT NULL,"
	" ended INTEGER NOT NULL, departure TEXT NOT NULL, status INTEGER NOT NULL, reason TEXT "
	"NOT NULL,"
	" left_by TEXT NOT NULL, join_by TEXT NOT NULL, referred_by TEXT NOT NULL, via TEXT NOT "
	"NULL,"
	" call_id TEXT NOT NULL, agent TEXT NOT NULL);"
	"CREATE INDEX record_by_end ON record(ended);"
	"CREATE TABLE audit(id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, by TEXT NOT "
	"NULL,"
	" conf TEXT NOT NULL, leg INTEGER NOT NULL, what TEXT NOT NULL);"
	"CREATE INDEX audit_by_time ON audit(at);",

	/* What the media plane counted; records of before have none. */
	"ALTER TABLE record ADD COLUMN has_stats INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE record ADD COLUMN packets_rx INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE record ADD COLUMN packets_tx INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE record ADD COLUMN octets_rx INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE record ADD COLUMN octets_tx INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE record ADD COLUMN lost INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE record ADD COLUMN concealed INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE record ADD COLUMN auth_failures INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE record ADD COLUMN replays INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE record ADD COLUMN jitter INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE record ADD COLUMN round_trip INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX record_by_conf ON record(conf, id);"
	"CREATE INDEX record_by_identity ON record(identity, id);",

	/* A record begins when the leg is up (ended 0), and is completed at its end. */
	"CREATE INDEX record_open ON record(leg) WHERE ended = 0;",

	/* A chat room. */
	"ALTER TABLE conference ADD COLUMN chat INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE conference ADD COLUMN chat_history INTEGER NOT NULL DEFAULT 0;",
	/* Floors, one a line, and which of them a leg holds. */
	"ALTER TABLE conference ADD COLUMN floors TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE leg ADD COLUMN floors INTEGER NOT NULL DEFAULT 0;",

	/* The SIP dialog of a leg. The trigger does not fire when a leg is written anew (PRAGMA recursive_triggers is off). */
	"CREATE TABLE dialog(leg INTEGER PRIMARY KEY, call_id TEXT NOT NULL, local TEXT NOT NULL, "
	"remote TEXT NOT NULL, local_tag TEXT NOT NULL, remote_tag TEXT NOT NULL, target TEXT NOT "
	"NULL, routes TEXT NOT NULL, listen TEXT NOT NULL, contact TEXT NOT NULL);"
	"CREATE TRIGGER dialog_of_leg AFTER DELETE ON leg BEGIN DELETE FROM dialog WHERE leg = "
	"OLD.id; END;",
};

#define VERSION ((int)(sizeof(migrations) / sizeof(migrations[0])))

static int
ask_number(int64_t *out, struct cp_archive *archive, const char *sql)
{
	sqlite3_stmt *row = NULL;
	int error = cp_sqlite_error(sqlite3_prepare_v2(archive->db, sql, -1, &row, NULL));

	if (error == 0)
		error = cp_sqlite_error(sqlite3_step(row));
	if (error == 0)
		*out = sqlite3_column_int64(row, 0);
	sqlite3_finalize(row);
	return error;
}

/* All steps in one transaction: a file is of one version or of another, whenever we die. */
int
cp_archive_migrate(struct cp_archive *archive)
{
	int64_t version = 0, application = 0;
	int error = ask_number(&version, archive, "PRAGMA user_version");
	char text[96];

	if (error == 0)
		error = ask_number(&application, archive, "PRAGMA application_id");
	if (error != 0 || version == VERSION)
		return error != 0 || application == APPLICATION ? error : -EUCLEAN;
	if (version > VERSION)
		return -ENOTSUP;
	if (version > 0 && application != APPLICATION)
		return -EUCLEAN; /* somebody else's */
	error = cp_archive_exec(archive, "BEGIN IMMEDIATE");
	for (; error == 0 && version < VERSION; version++)
		error = cp_archive_exec(archive, migrations[version]);
	snprintf(text, sizeof(text), "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
		 APPLICATION, VERSION);
	if (error == 0)
		error = cp_archive_exec(archive, text);
	if (error != 0 && !sqlite3_get_autocommit(archive->db))
		sqlite3_exec(archive->db, "ROLLBACK", NULL, NULL, NULL);
	return error;
}
