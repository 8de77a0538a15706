/* The KMS's store: users, TPKs and audit come back as they were put; keys are sealed in the file; only their master key opens them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "ctrlplane/keys/seal.h"
#include "ctrlplane/store/store.h"

static char folder[] = "/tmp/conclave-store.XXXXXX";
static char path[80], wal[96], shm[96], key[80], why[1024];

static struct cp_store *
open_store(void)
{
	struct cp_store *store = NULL;
	int error = cp_store_open(&store, &(struct cp_store_options){path, key}, why, sizeof(why));

	if (error != 0)
		fail_msg("%s", why);
	return store;
}

static int
set_up(void **state)
{
	unlink(path);
	unlink(wal);
	unlink(shm);
	unlink(key);
	assert_int_equal(cp_seal_make_file(key, why, sizeof(why)), 0);
	return 0;
}

static struct cp_store_user
alice(void)
{
	struct cp_store_user user = {.identity = "sip:alice@ims.example",
				     .psk_id = "b-tid-1",
				     .act_for = "sip:*@focus.example\nsip:a@focus.example",
				     .responders = "sip:bob@ims.example",
				     .is_enabled = true,
				     .rate = -1,
				     .has_psk = {true, true}};

	memset(user.psk[0], 0xa1, 16);
	memset(user.psk[1], 0xa2, 32);
	return user;
}

static int
is_alice(void *arg, const struct cp_store_user *user)
{
	struct cp_store_user want = alice();

	assert_string_equal(user->identity, want.identity);
	assert_string_equal(user->psk_id, want.psk_id);
	assert_non_null(strstr(user->act_for, "sip:*@focus.example"));
	assert_non_null(strstr(user->act_for, "sip:a@focus.example"));
	assert_string_equal(user->responders, want.responders);
	assert_int_equal(user->rate, -1);
	assert_int_equal(user->created, 100);
	assert_int_equal(user->is_enabled, *(bool *)arg);
	assert_true(user->has_psk[0] && user->has_psk[1]);
	assert_memory_equal(user->psk[0], want.psk[0], 16);
	assert_memory_equal(user->psk[1], want.psk[1], 32);
	return 0;
}

static int
count_only(void *arg, const struct cp_store_user *user)
{
	return 0;
}

static void
users_come_back(void **state)
{
	struct cp_store *store = open_store();
	struct cp_store_user user = alice();
	bool is_enabled = true;
	int64_t before, after;

	assert_int_equal(cp_store_generation(&before, store), 0);
	assert_int_equal(cp_store_user_add(store, &user, 100), 0);
	assert_int_equal(cp_store_generation(&after, store), 0);
	assert_true(after != before);
	assert_int_equal(cp_store_users(store, NULL, is_alice, &is_enabled), 1);
	assert_int_equal(cp_store_users(store, user.identity, is_alice, &is_enabled), 1);
	assert_int_equal(cp_store_users(store, "sip:bob@ims.example", count_only, NULL), 0);
	assert_int_equal(cp_store_user_enable(store, user.identity, false, 200), 0);
	assert_int_equal(cp_store_user_enable(store, "sip:nobody@x", false, 200), -ENOENT);
	is_enabled = false;
	cp_store_close(store);
	store = open_store();
	assert_int_equal(cp_store_users(store, NULL, is_alice, &is_enabled), 1);
	cp_store_close(store);
}

static int
count_tpk(void *arg, const struct cp_store_tpk *tpk)
{
	return 0;
}

/* With its lists and the TPKs that are shared with it; the name is free then. */
static void
a_removed_user_leaves_nothing(void **state)
{
	struct cp_store *store = open_store();
	struct cp_store_user user = alice(), other = {.identity = "sip:bob@ims.example",
						      .is_enabled = true,
						      .rate = -1};
	struct cp_store_tpk tpk = {.id = "own", .set = 1, .created = 1};
	bool is_enabled = true;

	assert_int_equal(cp_store_user_add(store, &user, 100), 0);
	assert_int_equal(cp_store_user_add(store, &other, 100), 0);
	snprintf(tpk.owner, sizeof(tpk.owner), "%s", user.identity);
	assert_int_equal(cp_store_tpk_add(store, &tpk), 0);
	assert_int_equal(cp_store_user_remove(store, "sip:nobody@ims.example"), -ENOENT);
	assert_int_equal(cp_store_tpks(store, count_tpk, NULL), 1);
	assert_int_equal(cp_store_user_remove(store, user.identity), 0);
	assert_int_equal(cp_store_user_remove(store, user.identity), -ENOENT);
	assert_int_equal(cp_store_tpks(store, count_tpk, NULL), 0);
	assert_int_equal(cp_store_users(store, NULL, count_only, NULL), 1);
	assert_int_equal(cp_store_user_add(store, &user, 100), 0);
	assert_int_equal(cp_store_users(store, user.identity, is_alice, &is_enabled), 1);
	cp_store_close(store);
}

static void
names_mean_one_user(void **state)
{
	struct cp_store *store = open_store();
	struct cp_store_user user = alice();

	assert_int_equal(cp_store_user_add(store, &user, 1), 0);
	assert_int_equal(cp_store_user_add(store, &user, 1), -EEXIST);
	user.identity = "sip:bob@ims.example";
	assert_int_equal(cp_store_user_add(store, &user, 1), -EEXIST); /* psk_id is taken */
	user.psk_id = "sip:alice@ims.example";
	assert_int_equal(cp_store_user_add(store, &user, 1), -EEXIST); /* it is an identity */
	user.psk_id = NULL;
	user.identity = "b-tid-1";
	assert_int_equal(cp_store_user_add(store, &user, 1), -EEXIST);
	user.identity = "sip:bob@ims.example";
	assert_int_equal(cp_store_user_add(store, &user, 1), 0);
	assert_int_equal(cp_store_users(store, NULL, count_only, NULL), 2);
	cp_store_close(store);
}

static int
has_only_128(void *arg, const struct cp_store_user *user)
{
	assert_true(user->has_psk[0]);
	assert_false(user->has_psk[1]);
	assert_int_equal(user->psk[0][0], 0x77);
	return 0;
}

static void
rekeying_replaces_all(void **state)
{
	struct cp_store *store = open_store();
	struct cp_store_user user = alice(),
			     fresh = {.identity = user.identity, .has_psk = {true, false}};

	assert_int_equal(cp_store_user_add(store, &user, 1), 0);
	memset(fresh.psk[0], 0x77, 16);
	assert_int_equal(cp_store_user_rekey(store, &fresh, 2), 0);
	assert_int_equal(cp_store_users(store, user.identity, has_only_128, NULL), 1);
	fresh.identity = "sip:nobody@x";
	assert_int_equal(cp_store_user_rekey(store, &fresh, 2), -ENOENT);
	cp_store_close(store);
}

static bool
is_in_file(const char *name, const void *octets, size_t len)
{
	FILE *file = fopen(name, "rb");
	static char text[1 << 20];
	size_t got;

	if (file == NULL)
		return false;
	got = fread(text, 1, sizeof(text), file);
	fclose(file);
	return memmem(text, got, octets, len) != NULL;
}

static void
keys_are_sealed_in_the_file(void **state)
{
	struct cp_store *store = open_store();
	struct cp_store_user user = alice();
	struct stat info;

	assert_int_equal(cp_store_user_add(store, &user, 1), 0);
	assert_true(is_in_file(path, "alice", 5) || is_in_file(wal, "alice", 5));
	assert_false(is_in_file(path, user.psk[1], 8) || is_in_file(wal, user.psk[1], 8));
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 077, 0);
	cp_store_close(store);
	unlink(key);
	assert_int_equal(cp_seal_make_file(key, why, sizeof(why)), 0);
	assert_int_equal(
		cp_store_open(&store, &(struct cp_store_options){path, key}, why, sizeof(why)),
		-EBADMSG);
	assert_non_null(strstr(why, "master key"));
}

/* Not the same as a wrong master key, which is -EBADMSG. */
static void
a_damaged_file_is_said_to_be_one(void **state)
{
	struct cp_store *store = open_store();
	FILE *file;

	cp_store_close(store);
	unlink(wal);
	file = fopen(path, "w");
	assert_non_null(file);
	for (int i = 0; i < 1000; i++)
		fputs("this is no database\n", file);
	fclose(file);
	assert_int_equal(
		cp_store_open(&store, &(struct cp_store_options){path, key}, why, sizeof(why)),
		-EUCLEAN);
	assert_non_null(strstr(why, "not a database"));
}

static void
changes_are_all_or_none(void **state)
{
	struct cp_store *store = open_store(), *other = open_store();
	struct cp_store_user user = alice();

	assert_int_equal(cp_store_begin(store), 0);
	assert_int_equal(cp_store_user_add(store, &user, 1), 0);
	assert_int_equal(cp_store_users(other, NULL, count_only, NULL), 0);
	cp_store_rollback(store);
	assert_int_equal(cp_store_users(store, NULL, count_only, NULL), 0);
	assert_int_equal(cp_store_begin(store), 0);
	assert_int_equal(cp_store_user_add(store, &user, 1), 0);
	assert_int_equal(cp_store_user_add(store, &user, 1),
			 -EEXIST); /* does not take the first along */
	assert_int_equal(cp_store_commit(store), 0);
	assert_int_equal(cp_store_users(other, NULL, count_only, NULL), 1);
	cp_store_close(store);
	cp_store_close(other);
}

struct seen {
	int current, retired;
	char id[CP_STORE_TEXT_MAX];
};

static int
see_tpk(void *arg, const struct cp_store_tpk *tpk)
{
	struct seen *seen = arg;

	if (tpk->retired == 0)
		seen->current++;
	else
		seen->retired++;
	if (tpk->retired != 0)
		snprintf(seen->id, sizeof(seen->id), "%s", tpk->id);
	return 0;
}

static struct seen
look(struct cp_store *store)
{
	struct seen seen = {0};

	assert_true(cp_store_tpks(store, see_tpk, &seen) >= 0);
	return seen;
}

static void
tpks_rotate_and_live_until_their_last_ticket_ends(void **state)
{
	struct cp_store *store = open_store();
	struct cp_store_tpk own = {
		.id = "alice-tpk", .owner = "sip:alice@ims.example", .set = 1, .created = 5};
	struct seen seen;

	assert_int_equal(cp_store_tpk_rotate(store, 1000), 0);
	assert_int_equal(look(store).current, 2);
	assert_int_equal(cp_store_tpk_add(store, &own), 0);
	assert_int_equal(cp_store_tpk_add(store, &own), -EEXIST);
	assert_int_equal(cp_store_tpk_rotate(store, 2000), 0);
	seen = look(store);
	assert_int_equal(seen.current, 3); /* what a user shares with the KMS does not rotate */
	assert_int_equal(seen.retired, 2);
	assert_int_equal(cp_store_tpk_used(store, seen.id, 9000), 0);
	assert_int_equal(cp_store_tpk_used(store, seen.id, 8000), 0);
	assert_int_equal(cp_store_tpk_purge(store, 2100, 100), 0);
	assert_int_equal(cp_store_tpk_purge(store, 2101, 100), 1); /* the one without a ticket */
	assert_int_equal(cp_store_tpk_purge(store, 9000, 100), 0);
	assert_int_equal(cp_store_tpk_purge(store, 9001, 100), 1);
	assert_int_equal(look(store).current, 3);
	cp_store_close(store);
}

static int
see_audit(void *arg, const struct cp_store_audit *entry)
{
	int64_t *last = arg;

	assert_string_equal(entry->what, "request");
	assert_string_equal(entry->owner, "");
	assert_string_equal(entry->text, "why not");
	assert_int_equal(entry->error, 7);
	assert_int_equal(entry->csb_id, 0xfedcba98);
	if (*last != 0)
		assert_int_equal(entry->at_ms, *last - 1);
	*last = entry->at_ms;
	return 0;
}

static void
audit_is_kept_and_forgotten(void **state)
{
	struct cp_store *store = open_store();
	struct cp_store_audit entry = {.what = "request",
				       .user = "sip:alice@ims.example",
				       .text = "why not",
				       .error = 7,
				       .csb_id = 0xfedcba98};
	int64_t last = 0;

	for (entry.at_ms = 1; entry.at_ms <= 100; entry.at_ms++)
		assert_int_equal(cp_store_audit_add(store, &entry), 0);
	assert_int_equal(
		cp_store_audits(store, &(struct cp_store_audit_query){NULL, 10}, see_audit, &last),
		10);
	assert_int_equal(last, 91);
	assert_int_equal(cp_store_audit_purge(store, 51), 50);
	last = 0;
	assert_int_equal(
		cp_store_audits(store,
				&(struct cp_store_audit_query){"sip:alice@ims.example", 1000},
				see_audit, &last),
		50);
	assert_int_equal(
		cp_store_audits(store, &(struct cp_store_audit_query){"sip:bob@ims.example", 1000},
				see_audit, &last),
		0);
	cp_store_close(store);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(users_come_back, set_up),
		cmocka_unit_test_setup(a_removed_user_leaves_nothing, set_up),
		cmocka_unit_test_setup(names_mean_one_user, set_up),
		cmocka_unit_test_setup(rekeying_replaces_all, set_up),
		cmocka_unit_test_setup(keys_are_sealed_in_the_file, set_up),
		cmocka_unit_test_setup(a_damaged_file_is_said_to_be_one, set_up),
		cmocka_unit_test_setup(changes_are_all_or_none, set_up),
		cmocka_unit_test_setup(tpks_rotate_and_live_until_their_last_ticket_ends, set_up),
		cmocka_unit_test_setup(audit_is_kept_and_forgotten, set_up),
	};
	int failed;

	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/kms.db", folder);
	snprintf(wal, sizeof(wal), "%s-wal", path);
	snprintf(shm, sizeof(shm), "%s-shm", path);
	snprintf(key, sizeof(key), "%s/key", folder);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	unlink(wal);
	unlink(shm);
	unlink(key);
	rmdir(folder);
	return failed;
}
