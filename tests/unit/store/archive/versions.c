/* Files of every older version, as they were written then, are brought up to what a new file is; or stay as they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "ctrlplane/conf/conf.h"
#include "ctrlplane/store/archive/archive.h"

#define APPLICATION 0x436f6e43

/* What each version added: copies, so that a change of a step that is out there is found. */
static const char *const steps[] = {
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

#define VERSIONS (sizeof(steps) / sizeof(steps[0]))

/* Rows as version 1 had them. */
static const char rows[] =
	"INSERT INTO conference VALUES(5, 'team', 'created', 0, 1700000000000, 1, 'Title', "
	"'Subject', '', 'sip:boss@x', '1234', "
	"'sdes', 'moderators', 'default', 1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 7, 3, 9, 0, 0, 60000);"
	"INSERT INTO authorised VALUES(5, 'sip:bob@x', 'moderator');"
	"INSERT INTO record VALUES(41, 'team', 'Title', 9, 'sip:old@x', '', '', 0, 'participant', "
	"'dialed-in', 'none', 'none', '', "
	"1, 2, 3, 'departed', 0, 'left', '', '', '', '', '', '');"
	"INSERT INTO audit VALUES(7, 1700000000000, 'ops', 'team', 0, 'created');";

static char folder[64], path[96];

static int
setup(void **state)
{
	strcpy(folder, "/tmp/conclave-versions.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/cp.db", folder);
	return 0;
}

static int
teardown(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r '%s'", folder);
	return system(command);
}

static void
sql(const char *text)
{
	sqlite3 *db = NULL;
	char *why = NULL;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_exec(db, text, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s", why);
	sqlite3_close(db);
}

/* The first column of the first row; freed by who got it. */
static char *
ask(const char *text)
{
	sqlite3_stmt *row = NULL;
	sqlite3 *db = NULL;
	char *value;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, text, -1, &row, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(row), SQLITE_ROW);
	value = strdup((const char *)sqlite3_column_text(row, 0));
	sqlite3_finalize(row);
	sqlite3_close(db);
	return value;
}

static void
assert_answer(const char *text, const char *wanted)
{
	char *got = ask(text);

	assert_string_equal(got, wanted);
	free(got);
}

/* All columns and indexes. */
static char *
shape(void)
{
	return ask("SELECT group_concat(t || ' ' || c, '; ') FROM (SELECT m.name AS t, i.name || ' "
		   "' || i.type || ' ' || i.\"notnull\" || "
		   "' ' || ifnull(i.dflt_value, '-') AS c FROM sqlite_master AS m, "
		   "pragma_table_info(m.name) AS i WHERE m.type = 'table' "
		   "UNION ALL SELECT name, sql FROM sqlite_master WHERE type IN ('index', "
		   "'trigger') AND sql IS NOT NULL ORDER BY 1, 2)");
}

static int
open_archive(void)
{
	struct cp_archive_options options = {.path = path};
	struct cp_archive *archive = NULL;
	char why[256] = "";
	int error = cp_archive_open(&archive, &options, why, sizeof(why));

	cp_archive_close(archive);
	return error;
}

static void
make(size_t version)
{
	char text[96];

	unlink(path);
	for (size_t i = 0; i < version; i++) {
		sql(steps[i]);
		if (i == 0)
			sql(rows);
	}
	snprintf(text, sizeof(text), "PRAGMA application_id = %d; PRAGMA user_version = %zu",
		 APPLICATION, version);
	sql(text);
}

static void
each_becomes_a_new_one(void **state)
{
	char *wanted, *version;

	assert_int_equal(open_archive(), 0);
	wanted = shape();
	version = ask("PRAGMA user_version");
	assert_true((size_t)atoi(version) >= VERSIONS);
	for (size_t v = 1; v <= VERSIONS; v++) {
		char *got;

		make(v);
		assert_int_equal(open_archive(), 0);
		got = shape();
		assert_string_equal(got, wanted);
		free(got);
		assert_answer("PRAGMA user_version", version);
		assert_answer("SELECT user || title || pin || max(size_max) FROM conference",
			      "teamTitle12347");
		assert_answer("SELECT identity || role FROM authorised", "sip:bob@xmoderator");
		assert_answer(
			"SELECT identity || has_stats || packets_rx FROM record WHERE id = 41",
			"sip:old@x00");
		assert_answer("SELECT by || what FROM audit", "opscreated");
		assert_answer("PRAGMA integrity_check", "ok");
	}
	free(wanted);
	free(version);
}

/* A step that fails undoes those before it: the older program still reads its file. */
static void
all_or_nothing(void **state)
{
	char *before, *after;

	make(1);
	sql("CREATE TABLE elsewhere(x); CREATE INDEX record_open ON record(leg)");
	before = shape();
	assert_int_not_equal(open_archive(), 0);
	after = shape();
	assert_string_equal(before, after);
	assert_answer("PRAGMA user_version", "1");
	free(before);
	free(after);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_becomes_a_new_one, setup, teardown),
		cmocka_unit_test_setup_teardown(all_or_nothing, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
