/* The archive: what goes in comes out, also by an older file; who may read the file; queries and forgetting. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include <sqlite3.h>
#include "ctrlplane/store/archive/archive.h"

#define AHEAD_MS 1790000000000

static char folder[64], path[128];
static struct cp_focus *focus;

static int
setup(void **state)
{
	struct cp_conf_limits limits = {0};

	strcpy(folder, "/tmp/archive-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/cp.db", folder);
	return cp_focus_create(&focus, &limits, 7);
}

static int
teardown(void **state)
{
	static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
	char name[160];

	for (size_t i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		unlink(name);
	}
	cp_focus_destroy(focus);
	return rmdir(folder);
}

static struct cp_archive *
open_archive(const char *where, int64_t keep_ms)
{
	struct cp_archive_options options = {.path = where, .keep_ms = keep_ms};
	struct cp_archive *archive = NULL;
	char why[256] = "";

	if (cp_archive_open(&archive, &options, why, sizeof(why)) != 0)
		fail_msg("%s", why);
	return archive;
}

static int
refused(char *why, size_t size)
{
	struct cp_archive_options options = {.path = path};
	struct cp_archive *archive = NULL;
	int error = cp_archive_open(&archive, &options, why, size);

	assert_null(archive);
	return error;
}

static int settled;

static void
on_settled(void *arg, int status)
{
	settled = status;
	*(bool *)arg = true;
}

static void
run_until(struct cp_archive *archive, const bool *is_done)
{
	struct pollfd p = {.fd = cp_archive_fd(archive), .events = POLLIN};

	assert_int_equal(cp_archive_begin(archive), 0);
	while (!*is_done) {
		assert_int_equal(poll(&p, 1, 30000), 1);
		cp_archive_run(archive);
	}
}

static void
settle(struct cp_archive *archive)
{
	bool is_done = false;

	assert_int_equal(cp_archive_settle(archive, on_settled, &is_done), 0);
	run_until(archive, &is_done);
	assert_int_equal(settled, 0);
	assert_int_equal(cp_archive_waiting(archive), 0);
}

static struct cp_conf *
make_conf(const char *user)
{
	static const struct cp_conf_person people[] = {{"sip:bob@x", CP_ROLE_MODERATOR},
						       {"tel:+49301", CP_ROLE_LISTENER},
						       {"sip:ann@x", 0}};
	struct cp_conf_settings settings = {
		.user = user,
		.title = "Title",
		.subject = "Subject",
		.description = "What it's about; \"quoted\"",
		.creator = "sip:boss@x",
		.pin = "12345678",
		.security = CP_CONF_MIKEY,
		.editors = CP_EDITORS_PARTICIPANTS,
		.notify = CP_NOTIFY_PREFERRED,
		.is_open = true,
		.may_anonymous = true,
		.mutes_on_hold = true,
		.has_lobby = true,
		.ends_with_creator = true,
		.size_max = 77,
		.loudest_n = 3,
		.small_size = 9,
		.start_ms = AHEAD_MS + 1,
		.end_ms = AHEAD_MS + 2,
		.early_ms = 60000,
		.has_chat = true,
		.chat_history = 17,
		.floors = {.count = 2,
			   .items = {{"stage", CP_MEDIUM_AUDIO, CP_FLOOR_MODE_CHAIR, 2, 300, 30},
				     {"board", CP_MEDIUM_AUDIO | CP_MEDIUM_CHAT,
				      CP_FLOOR_MODE_FIRST_COME, 1, 0, 0}}},
		.people = people,
		.people_count = 3,
	};
	struct cp_conf *conf = NULL;

	assert_int_equal(cp_conf_create(&conf, focus, &settings, CP_CONF_CREATED, 5000), 0);
	return conf;
}

static struct cp_leg *
make_leg(struct cp_conf *conf, const char *who)
{
	struct cp_conf_join join = {.conf = conf,
				    .identity = who,
				    .display = "Some Body",
				    .via = "192.0.2.1:5060",
				    .tel = "tel:+49301",
				    .proof = CP_PROOF_ASSERTED,
				    .role = CP_ROLE_LISTENER,
				    .wait = CP_WAIT_LOBBY,
				    .keying = CP_KEYING_MIKEY,
				    .suite = DP_SUITE_AES_CM_128_HMAC_SHA1_80,
				    .reason = "because",
				    .by = "sip:boss@x",
				    .referred_by = "sip:ref@x",
				    .call_id = "call@x",
				    .agent = "phone/1",
				    .is_private = true};
	struct cp_event event = {.type = CP_EVENT_JOIN, .join = &join};
	struct cp_effects effects = {0};
	struct cp_leg *leg = NULL;

	assert_int_equal(cp_conf_handle(focus, &event, 6000, &effects, &leg), 0);
	cp_effects_fini(&effects);
	leg->is_muted = leg->is_held = true;
	leg->floors = 2;
	leg->gain_cdb = -300;
	leg->connected_ms = 7000;
	return leg;
}

static void
save(struct cp_archive *archive, const struct cp_conf *conf, bool has_list)
{
	struct cp_archive_save save = {.conf = conf,
				       .wall_ahead_ms = AHEAD_MS,
				       .config = UINT64_MAX - 3,
				       .has_list = has_list};

	assert_int_equal(cp_archive_save_conf(archive, &save), 0);
}

static void
record(struct cp_archive *archive, struct cp_leg *leg, const char *reason)
{
	struct cp_archive_end end = {
		.leg = leg,
		.conf = leg->conf->user,
		.title = leg->conf->title,
		.wall_ahead_ms = AHEAD_MS,
		.stats = {.has_stats = true, .packets_rx = 1ull << 40, .jitter_us = 1234},
	};

	leg->departure = CP_BOOTED;
	leg->left_ms = 9000;
	leg->left_status = 403;
	snprintf(leg->left_reason, sizeof(leg->left_reason), "%s", reason);
	assert_int_equal(cp_archive_record(archive, &end), 0);
}

/* What was loaded, counted and looked at. */
struct seen {
	int confs, legs;
	size_t people;
	struct cp_conf *like;
	struct cp_leg *leg;
};

static int
on_conf(void *arg, const struct cp_archive_conf *c)
{
	struct seen *seen = arg;
	struct cp_conf *conf = NULL;
	struct cp_focus *fresh = NULL;
	struct cp_conf_limits limits = {0};
	struct cp_conf_settings settings = cp_conf_settings(seen->like);

	seen->confs++;
	seen->people = c->settings.people_count;
	assert_int_equal(cp_focus_create(&fresh, &limits, 1), 0);
	cp_focus_set_wall(fresh, AHEAD_MS);
	assert_int_equal(cp_conf_restore(&conf, fresh, &c->settings, &c->past, 1), 0);
	assert_int_equal(conf->id, seen->like->id);
	assert_int_equal(conf->origin, seen->like->origin);
	assert_int_equal(conf->created_ms, 5000);
	assert_int_equal(c->config, UINT64_MAX - 3);
	assert_string_equal(conf->user, settings.user);
	assert_string_equal(conf->title, settings.title);
	assert_string_equal(conf->subject, settings.subject);
	assert_string_equal(conf->description, settings.description);
	assert_string_equal(conf->creator, settings.creator);
	assert_string_equal(conf->pin, settings.pin);
	assert_true(
		conf->security == settings.security && conf->editors == settings.editors &&
		conf->notify == settings.notify && conf->size_max == settings.size_max &&
		conf->loudest_n == settings.loudest_n && conf->small_size == settings.small_size &&
		conf->start_ms == settings.start_ms && conf->end_ms == settings.end_ms &&
		conf->early_ms == settings.early_ms && conf->chat_history == settings.chat_history);
	assert_true(conf->is_open && conf->may_anonymous && conf->mutes_on_hold &&
		    conf->has_lobby && conf->ends_with_creator &&
		    conf->has_chat == settings.has_chat);
	assert_false(conf->believes_from || conf->mutes_on_entry || conf->is_locked ||
		     conf->announces || conf->ends_when_empty);
	assert_true(cp_conf_floors_is_same(&conf->floors, &settings.floors));
	assert_int_equal(conf->floors.count, settings.floors.count);
	assert_int_equal(conf->authorised_count, seen->people);
	for (size_t i = 0; i < conf->authorised_count; i++) {
		assert_string_equal(conf->authorised[i].identity,
				    seen->like->authorised[i].identity);
		assert_int_equal(conf->authorised[i].role, seen->like->authorised[i].role);
	}
	cp_focus_destroy(fresh);
	return 0;
}

static int
on_leg(void *arg, uint32_t conf, const struct cp_leg *leg)
{
	struct seen *seen = arg;
	const struct cp_leg *like = seen->leg;

	seen->legs++;
	assert_int_equal(conf, like->conf->id);
	assert_true(leg->id == like->id && leg->user_id == like->user_id &&
		    leg->wait == like->wait && leg->role == like->role &&
		    leg->proof == like->proof && leg->keying == like->keying &&
		    leg->method == like->method && leg->suite == like->suite &&
		    leg->gain_cdb == like->gain_cdb);
	assert_true(leg->is_muted && leg->is_held && leg->is_private && !leg->is_deaf);
	assert_int_equal(leg->floors, like->floors);
	assert_string_equal(leg->person, like->person);
	assert_string_equal(leg->identity, "");
	assert_string_equal(leg->tel, like->tel);
	assert_string_equal(leg->via, like->via);
	assert_string_equal(leg->call_id, like->call_id);
	assert_string_equal(leg->agent, like->agent);
	assert_string_equal(leg->join_reason, like->join_reason);
	assert_string_equal(leg->join_by, like->join_by);
	assert_string_equal(leg->referred_by, like->referred_by);
	assert_int_equal(leg->joined_ms, 6000 + AHEAD_MS);
	assert_int_equal(leg->connected_ms, 7000 + AHEAD_MS);
	return 0;
}

static void
what_goes_in_comes_out(void **state)
{
	struct cp_archive *archive = open_archive(path, 0);
	struct cp_conf *conf = make_conf("team");
	struct seen seen = {.like = conf, .leg = make_leg(conf, "sip:eve@x")};

	save(archive, conf, true);
	assert_int_equal(cp_archive_save_leg(archive, seen.leg, AHEAD_MS), 0);
	cp_archive_close(archive); /* without waiting: closing writes what waits */
	archive = open_archive(path, 0);
	assert_int_equal(cp_archive_load_confs(archive, on_conf, &seen), 0);
	assert_int_equal(cp_archive_load_legs(archive, on_leg, &seen), 0);
	assert_int_equal(seen.confs + seen.legs, 2);
	assert_int_equal(seen.people, 3);
	/* settings alone leave the list as it is */
	snprintf(conf->title, sizeof(conf->title), "Other");
	conf->authorised_count = 0;
	save(archive, conf, false);
	settle(archive);
	cp_archive_close(archive);
	conf->authorised_count = 3;
	archive = open_archive(path, 0);
	assert_int_equal(cp_archive_load_confs(archive, on_conf, &seen), 0);
	assert_int_equal(seen.people, 3);
	/* a record ends the leg; dropping takes list and legs along */
	record(archive, seen.leg, "out");
	settle(archive);
	cp_archive_close(archive);
	archive = open_archive(path, 0);
	seen.legs = 0;
	assert_int_equal(cp_archive_load_legs(archive, on_leg, &seen), 0);
	assert_int_equal(seen.legs, 0);
	assert_int_equal(cp_archive_save_leg(archive, seen.leg, AHEAD_MS), 0);
	assert_int_equal(cp_archive_drop_conf(archive, "team"), 0);
	settle(archive);
	cp_archive_close(archive);
	archive = open_archive(path, 0);
	seen.confs = 0;
	assert_int_equal(cp_archive_load_confs(archive, on_conf, &seen), 0);
	assert_int_equal(cp_archive_load_legs(archive, on_leg, &seen), 0);
	assert_int_equal(seen.confs + seen.legs, 0);
	cp_archive_close(archive);
}

static int
on_dialog(void *arg, uint32_t leg, const struct cp_dialog *dialog)
{
	struct cp_dialog *out = arg;

	assert_int_equal(leg, 77);
	assert_string_equal(out->call_id, ""); /* once */
	*out = *dialog;
	return 0;
}

static struct cp_dialog
load_dialog(struct cp_archive **archive)
{
	struct cp_dialog dialog = {.call_id = ""};

	settle(*archive);
	cp_archive_close(*archive);
	*archive = open_archive(path, 0);
	assert_int_equal(cp_archive_load_dialogs(*archive, on_dialog, &dialog), 0);
	assert_int_equal(cp_archive_begin(*archive), 0);
	return dialog;
}

/* It may come before its leg, is written anew with it or without, and goes with it. */
static void
a_dialog_lives_as_long_as_its_leg(void **state)
{
	struct cp_archive *archive = open_archive(path, 0);
	struct cp_conf *conf = make_conf("team");
	struct cp_leg *leg = make_leg(conf, "sip:eve@x");
	struct cp_dialog in = {"id@x",
			       "sip:team@x",
			       "sip:eve@x",
			       "ours",
			       "theirs",
			       "sip:eve@192.0.2.9:5062;transport=tcp",
			       "<sip:p1;lr>, <sip:p2;lr>",
			       "sip:*:5060",
			       "<sip:team@x>;isfocus"},
			 out;

	leg->id = 77;
	assert_int_equal(cp_archive_begin(archive), 0);
	save(archive, conf, true);
	assert_int_equal(cp_archive_save_dialog(archive, leg->id, &in), 0);
	assert_int_equal(cp_archive_save_leg(archive, leg, AHEAD_MS), 0);
	out = load_dialog(&archive);
	assert_memory_equal(&out, &in, sizeof(in));
	snprintf(in.target, sizeof(in.target), "sip:elsewhere");
	assert_int_equal(cp_archive_save_leg(archive, leg, AHEAD_MS), 0);
	assert_int_equal(cp_archive_save_dialog(archive, leg->id, &in), 0);
	assert_int_equal(cp_archive_save_leg(archive, leg, AHEAD_MS), 0);
	out = load_dialog(&archive);
	assert_string_equal(out.target, "sip:elsewhere");
	record(archive, leg, "out");
	out = load_dialog(&archive);
	assert_string_equal(out.call_id, "");
	/* one that came behind the end of its leg */
	assert_int_equal(cp_archive_save_dialog(archive, leg->id, &in), 0);
	out = load_dialog(&archive);
	assert_string_equal(out.call_id, "");
	assert_int_equal(cp_archive_save_leg(archive, leg, AHEAD_MS), 0);
	out = load_dialog(&archive);
	assert_string_equal(out.call_id, "");
	/* and with its conference */
	assert_int_equal(cp_archive_save_dialog(archive, leg->id, &in), 0);
	assert_int_equal(cp_archive_drop_conf(archive, "team"), 0);
	out = load_dialog(&archive);
	assert_string_equal(out.call_id, "");
	cp_archive_close(archive);
}

static void
only_its_owner_reads_it(void **state)
{
	static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
	struct cp_archive *archive;
	struct stat st;
	char name[160], why[256] = "";
	mode_t mask = umask(0);

	archive = open_archive(path, 0);
	save(archive, make_conf("team"), true);
	settle(archive);
	for (size_t i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		assert_int_equal(stat(name, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
	assert_int_equal(refused(why, sizeof(why)), -EBUSY);
	assert_non_null(strstr(why, "another conclave-cp"));
	cp_archive_close(archive);
	umask(mask);
}

static bool
is_in_files(const char *text)
{
	static const char *const ends[] = {"", "-wal"};
	static char octets[1 << 20];
	bool is_there = false;

	for (size_t i = 0; i < 2; i++) {
		char name[160];
		FILE *file;

		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		file = fopen(name, "r");
		if (file == NULL)
			continue;
		size_t len = fread(octets, 1, sizeof(octets), file);
		is_there = is_there || memmem(octets, len, text, strlen(text)) != NULL;
		fclose(file);
	}
	return is_there;
}

/* PRAGMA secure_delete: the PIN of a conference that is gone is nowhere. */
static void
what_was_dropped_is_overwritten(void **state)
{
	struct cp_archive *archive = open_archive(path, 0);

	save(archive, make_conf("team"), true);
	settle(archive);
	assert_true(is_in_files("12345678"));
	assert_int_equal(cp_archive_drop_conf(archive, "team"), 0);
	settle(archive);
	cp_archive_close(archive); /* and the WAL with it */
	assert_false(is_in_files("12345678"));
}

static size_t row_count;
static char row_text[512];

static void
on_records(void *arg, int status, const struct cp_record *records, size_t count)
{
	assert_int_equal(status, 0);
	row_count = count;
	row_text[0] = '\0';
	for (size_t i = 0; i < count; i++)
		snprintf(row_text + strlen(row_text), sizeof(row_text) - strlen(row_text),
			 "%s%s/%s", i ? " " : "", records[i].conf, records[i].reason);
	if (count > 0) {
		const struct cp_record *r = &records[count - 1];

		assert_true(r->is_private && r->has_stats && r->packets_rx == 1ull << 40 &&
			    r->jitter_us == 1234 && r->status == 403 &&
			    r->joined_ms == 6000 + AHEAD_MS && r->left_ms == 9000 + AHEAD_MS);
		assert_string_equal(r->identity, "sip:eve@x");
		assert_string_equal(r->departure, "booted");
		assert_string_equal(r->role, "listener");
		assert_string_equal(r->method, "dialed-in");
		assert_string_equal(r->proof, "asserted");
		assert_string_equal(r->protection, "mikey-ticket, verified by KMS");
		assert_string_equal(r->join_by, "sip:boss@x");
		assert_string_equal(r->title, "Title");
	}
	*(bool *)arg = true;
}

static const char *
ask_records(struct cp_archive *archive, struct cp_record_query query)
{
	bool is_done = false;

	assert_int_equal(cp_archive_records(archive, &query, on_records, &is_done), 0);
	run_until(archive, &is_done);
	return row_text;
}

static void
on_entries(void *arg, int status, const struct cp_audit_entry *entries, size_t count)
{
	assert_int_equal(status, 0);
	row_text[0] = '\0';
	for (size_t i = 0; i < count; i++)
		snprintf(row_text + strlen(row_text), sizeof(row_text) - strlen(row_text),
			 "%s%s: %s by %s", i ? ", " : "", entries[i].conf, entries[i].what,
			 entries[i].by);
	*(bool *)arg = true;
}

static const char *
ask_audits(struct cp_archive *archive, struct cp_audit_query query)
{
	bool is_done = false;

	assert_int_equal(cp_archive_audits(archive, &query, on_entries, &is_done), 0);
	run_until(archive, &is_done);
	return row_text;
}

static void
the_past_is_asked_for(void **state)
{
	struct cp_archive *archive = open_archive(NULL, 0); /* in memory it works the same */
	struct cp_leg *a = make_leg(make_conf("a"), "sip:eve@x");
	struct cp_leg *b = make_leg(make_conf("b"), "sip:eve@x");
	struct cp_audit_entry entry = {.at_ms = 5, .by = "op", .conf = "a", .what = "locked"};

	record(archive, a, "1");
	record(archive, b, "2");
	record(archive, a, "3");
	assert_string_equal(ask_records(archive, (struct cp_record_query){0}), "a/3 b/2 a/1");
	assert_string_equal(ask_records(archive, (struct cp_record_query){.conf = "a"}), "a/3 a/1");
	assert_string_equal(ask_records(archive, (struct cp_record_query){.before = 3}), "b/2 a/1");
	assert_string_equal(ask_records(archive, (struct cp_record_query){.count = 1}), "a/3");
	assert_string_equal(ask_records(archive, (struct cp_record_query){.identity = "sip:x@y"}),
			    "");
	assert_string_equal(
		ask_records(archive, (struct cp_record_query){.since_ms = AHEAD_MS + 9001}), "");
	assert_string_equal(ask_records(archive, (struct cp_record_query){.conf = "a' OR 1=1 --"}),
			    "");
	assert_int_equal(cp_archive_records(archive, &(struct cp_record_query){.count = 1001},
					    on_records, NULL),
			 -EINVAL);
	assert_int_equal(cp_archive_audit(archive, &entry), 0);
	entry.by = "x'; DROP TABLE audit; --";
	assert_int_equal(cp_archive_audit(archive, &entry), 0);
	assert_string_equal(ask_audits(archive, (struct cp_audit_query){.conf = "a"}),
			    "a: locked by x'; DROP TABLE audit; --, a: locked by op");
	assert_string_equal(ask_audits(archive, (struct cp_audit_query){.by = "op"}),
			    "a: locked by op");
	assert_string_equal(ask_audits(archive, (struct cp_audit_query){.conf = "b"}), "");
	cp_archive_close(archive);
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

static int64_t
ask(const char *text)
{
	sqlite3_stmt *row = NULL;
	sqlite3 *db = NULL;
	int64_t value;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, text, -1, &row, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(row), SQLITE_ROW);
	value = sqlite3_column_int64(row, 0);
	sqlite3_finalize(row);
	sqlite3_close(db);
	return value;
}

static void
on_open_record(void *arg, int status, const struct cp_record *records, size_t count)
{
	assert_int_equal(status, 0);
	snprintf(row_text, sizeof(row_text), "%zu %s %s %s", count, count ? records[0].conf : "",
		 count && records[0].left_ms == 0 ? "goes on" : "over",
		 count ? records[0].departure : "");
	*(bool *)arg = true;
}

static const char *
ask_open(struct cp_archive *archive)
{
	struct cp_record_query query = {.since_ms = INT64_MAX};
	bool is_done = false;

	assert_int_equal(cp_archive_records(archive, &query, on_open_record, &is_done), 0);
	run_until(archive, &is_done);
	return row_text;
}

static int
no_leg(void *arg, uint32_t conf, const struct cp_leg *leg)
{
	fail_msg("a leg of conference %u", conf);
	return 0;
}

/* From when the leg is up; saving it again makes no second one. */
static void
a_record_begins_with_its_leg(void **state)
{
	struct cp_archive *archive = open_archive(path, 1);
	struct cp_leg *leg = make_leg(make_conf("a"), "sip:eve@x");

	save(archive, leg->conf, true);
	assert_string_equal(ask_open(archive), "0  over ");
	for (int i = 0; i < 3; i++)
		assert_int_equal(cp_archive_save_leg(archive, leg, AHEAD_MS), 0);
	assert_string_equal(ask_open(archive), "1 a goes on ");
	record(archive, leg, "out");
	assert_string_equal(ask_open(archive), "0  over ");
	cp_archive_close(archive);
	assert_int_equal(ask("SELECT count(*) FROM record WHERE departure = 'booted'"), 1);
	/* the same id in a later life is another participation */
	leg->departure = CP_DEPARTURE_NONE;
	leg->left_ms = 0;
	archive = open_archive(path, 0);
	assert_int_equal(cp_archive_save_leg(archive, leg, AHEAD_MS), 0);
	settle(archive);
	cp_archive_close(archive);
	assert_int_equal(ask("SELECT count(*) FROM record"), 2);
	/* we die when its conference is gone already: the next start completes it */
	sql("DELETE FROM leg; DELETE FROM conference");
	archive = open_archive(path, 0);
	assert_int_equal(cp_archive_load_legs(archive, no_leg, NULL), 0);
	cp_archive_close(archive);
	assert_int_equal(
		ask("SELECT count(*) FROM record WHERE ended > 0 AND departure = 'failed'"), 1);
	assert_int_equal(ask("SELECT count(*) FROM record WHERE ended = 0"), 0);
}

static void
the_old_is_forgotten(void **state)
{
	struct cp_archive_options options = {.keep_ms = 3600000, .purge_every_ms = 1};
	struct cp_audit_entry entry = {.at_ms = 5, .by = "op", .conf = "a", .what = "old"};
	struct cp_archive *archive = NULL;
	char why[256];

	assert_int_equal(cp_archive_open(&archive, &options, why, sizeof(why)), 0);
	assert_int_equal(cp_archive_audit(archive, &entry), 0);
	entry.at_ms = INT64_MAX / 2;
	entry.what = "new";
	assert_int_equal(cp_archive_audit(archive, &entry), 0);
	for (int i = 0;
	     strcmp(ask_audits(archive, (struct cp_audit_query){0}), "a: new by op") != 0; i++)
		assert_true(i < 1000);
	cp_archive_close(archive);
}

/* A file of version 1, as it was before records had statistics. */
static void
an_older_file_is_brought_up(void **state)
{
	struct cp_archive *archive = open_archive(path, 0);
	struct cp_conf *conf = make_conf("team");
	struct seen seen = {.like = conf, .leg = make_leg(conf, "sip:eve@x")};

	save(archive, conf, true);
	assert_int_equal(cp_archive_save_leg(archive, seen.leg, AHEAD_MS), 0);
	settle(archive);
	cp_archive_close(archive);
	sql("DROP TRIGGER dialog_of_leg; DROP TABLE dialog;"
	    "DROP INDEX record_open; DROP INDEX record_by_conf; DROP INDEX record_by_identity;"
	    "DELETE FROM record;"
	    "ALTER TABLE record DROP COLUMN has_stats; ALTER TABLE record DROP COLUMN packets_rx;"
	    "ALTER TABLE record DROP COLUMN packets_tx; ALTER TABLE record DROP COLUMN octets_rx;"
	    "ALTER TABLE record DROP COLUMN octets_tx; ALTER TABLE record DROP COLUMN lost;"
	    "ALTER TABLE record DROP COLUMN concealed; ALTER TABLE record DROP COLUMN "
	    "auth_failures;"
	    "ALTER TABLE record DROP COLUMN replays; ALTER TABLE record DROP COLUMN jitter;"
	    "ALTER TABLE record DROP COLUMN round_trip;"
	    "ALTER TABLE conference DROP COLUMN chat; ALTER TABLE conference DROP COLUMN "
	    "chat_history; ALTER TABLE conference DROP COLUMN floors; ALTER TABLE leg DROP COLUMN "
	    "floors;"
	    "INSERT INTO record VALUES(41, 'team', 'Title', 9, 'sip:old@x', '', '', 0, "
	    "'participant',"
	    " 'dialed-in', 'none', 'none', '', 1, 2, 3, 'departed', 0, 'left', '', '', '', '', '', "
	    "'');"
	    "PRAGMA user_version = 1;");
	conf->has_chat = false; /* as it was before there was one */
	conf->chat_history = 0;
	conf->floors.count = 0;
	seen.leg->floors = 0;
	archive = open_archive(path, 0);
	assert_int_equal(cp_archive_load_confs(archive, on_conf, &seen), 0);
	assert_int_equal(cp_archive_load_legs(archive, on_leg, &seen), 0);
	assert_int_equal(seen.confs + seen.legs, 2);
	record(archive, seen.leg, "new");
	assert_string_equal(ask_records(archive, (struct cp_record_query){.identity = "sip:eve@x"}),
			    "team/new");
	assert_string_equal(ask_records(archive, (struct cp_record_query){.count = 1}), "team/new");
	cp_archive_close(archive);
	assert_int_equal(ask("SELECT count(*) FROM record WHERE id = 41 AND reason = 'left' AND "
			     "has_stats = 0 AND packets_rx = 0"),
			 1);
}

static void
strange_files_are_refused(void **state)
{
	char why[256] = "";
	FILE *file;

	cp_archive_close(open_archive(path, 0));
	sql("PRAGMA user_version = 99");
	assert_int_equal(refused(why, sizeof(why)), -ENOTSUP);
	assert_non_null(strstr(why, "newer"));
	sql("PRAGMA user_version = 3; PRAGMA application_id = 5");
	assert_int_equal(refused(why, sizeof(why)), -EUCLEAN);
	sql("PRAGMA user_version = 1");
	assert_int_equal(refused(why, sizeof(why)), -EUCLEAN);
	file = fopen(path, "w");
	assert_non_null(file);
	for (int i = 0; i < 1000; i++)
		fputs("this is no database\n", file);
	fclose(file);
	assert_int_equal(refused(why, sizeof(why)), -EUCLEAN);
	assert_non_null(strstr(why, "no database of conclave"));
	snprintf(path, sizeof(path), "%s/not/there.db", folder);
	assert_int_equal(refused(why, sizeof(why)), -ENOENT);
	snprintf(path, sizeof(path), "%s/cp.db", folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_goes_in_comes_out, setup, teardown),
		cmocka_unit_test_setup_teardown(a_dialog_lives_as_long_as_its_leg, setup, teardown),
		cmocka_unit_test_setup_teardown(only_its_owner_reads_it, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_dropped_is_overwritten, setup, teardown),
		cmocka_unit_test_setup_teardown(the_past_is_asked_for, setup, teardown),
		cmocka_unit_test_setup_teardown(a_record_begins_with_its_leg, setup, teardown),
		cmocka_unit_test_setup_teardown(the_old_is_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(an_older_file_is_brought_up, setup, teardown),
		cmocka_unit_test_setup_teardown(strange_files_are_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
