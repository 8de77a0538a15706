/* Users and TPKs in memory: found by every name they have, with the rate that is theirs; what a new book inherits; lists of patterns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "ctrlplane/keys/seal.h"
#include "ctrlplane/kms/book.h"

static char folder[] = "/tmp/conclave-book.XXXXXX";
static char path[80], key[80], why[1024];

static void
forget(void)
{
	static const char *const tails[] = {"", "-wal", "-shm"};
	char name[100];

	for (size_t i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "%s%s", path, tails[i]);
		unlink(name);
	}
	unlink(key);
}

static struct cp_store *
fresh_store(void)
{
	struct cp_store_user alice = {.identity = "sip:alice@ims.example",
				      .psk_id = "b-tid",
				      .is_enabled = true,
				      .rate = -1,
				      .has_psk = {false, true},
				      .psk = {{0}, {1, 2, 3}}};
	struct cp_store_user focus = {.identity = "sip:focus.example",
				      .act_for = "sip:*@focus.example",
				      .is_enabled = true,
				      .rate = -1,
				      .has_psk = {true, true}};
	struct cp_store_user slow = {.identity = "sip:slow@ims.example",
				     .is_enabled = false,
				     .rate = 3,
				     .has_psk = {true, false}};
	struct cp_store *store;

	forget();
	assert_int_equal(cp_seal_make_file(key, why, sizeof(why)), 0);
	if (cp_store_open(&store, &(struct cp_store_options){path, key}, why, sizeof(why)) != 0)
		fail_msg("%s", why);
	assert_int_equal(cp_store_user_add(store, &alice, 1), 0);
	assert_int_equal(cp_store_user_add(store, &focus, 1), 0);
	assert_int_equal(cp_store_user_add(store, &slow, 1), 0);
	assert_int_equal(cp_store_tpk_rotate(store, 10), 0);
	return store;
}

static struct cp_mikey_octets
octets(const char *text)
{
	return cp_mikey_octets(text, strlen(text));
}

static void
everybody_is_found(void **state)
{
	struct cp_store *store = fresh_store();
	struct cp_kms_book *book;
	struct cp_kms_user *alice;

	assert_int_equal(cp_kms_book_read(&book, store, 7, 70), 0);
	assert_int_equal(book->user_count, 3);
	alice = cp_kms_book_user(book, octets("sip:alice@ims.example"));
	assert_non_null(alice);
	assert_ptr_equal(cp_kms_book_psk(book, octets("b-tid")), alice);
	assert_ptr_equal(cp_kms_book_psk(book, octets("sip:alice@ims.example")), alice);
	assert_null(cp_kms_book_user(book, octets("b-tid")));
	assert_null(cp_kms_book_user(book, octets("sip:alice@ims.exampl")));
	assert_null(cp_kms_book_user(book, octets("")));
	assert_null(alice->psk[0]);
	assert_int_equal(alice->psk[1][2], 3);
	assert_int_equal(alice->rate, 7);
	assert_int_equal(cp_kms_book_user(book, octets("sip:focus.example"))->rate, 70);
	assert_int_equal(cp_kms_book_user(book, octets("sip:slow@ims.example"))->rate, 3);
	assert_false(cp_kms_book_user(book, octets("sip:slow@ims.example"))->is_enabled);
	for (int set = 0; set < 2; set++) {
		const struct cp_kms_tpk *tpk = book->current[set];

		assert_int_equal(tpk->set, set);
		assert_ptr_equal(cp_kms_book_tpk(book, octets(tpk->id), tpk->set), tpk);
		assert_null(cp_kms_book_tpk(book, octets(tpk->id), !tpk->set));
	}
	cp_kms_book_destroy(book);
	cp_store_close(store);
}

static void
a_new_book_goes_on(void **state)
{
	struct cp_store *store = fresh_store();
	struct cp_kms_book *before, *book;
	struct cp_kms_user *user;
	struct cp_kms_tpk *old;

	assert_int_equal(cp_kms_book_read(&before, store, 1, 1), 0);
	user = cp_kms_book_user(before, octets("sip:slow@ims.example"));
	while (cp_kms_bucket_take(&user->bucket, 3, 1000))
		;
	old = cp_kms_book_tpk(before, octets(before->current[1]->id), CP_MIKEY_SET_256);
	atomic_store(&old->last_end, 5000);
	assert_int_equal(cp_store_tpk_rotate(store, 20), 0);
	assert_int_equal(cp_kms_book_read(&book, store, 1, 1), 0);
	assert_true(book->generation != before->generation);
	cp_kms_book_inherit(book, before);
	user = cp_kms_book_user(book, octets("sip:slow@ims.example"));
	assert_false(cp_kms_bucket_take(&user->bucket, 3,
					1001)); /* nobody is let off by a change of the store */
	assert_string_not_equal(book->current[1]->id, old->id);
	old = cp_kms_book_tpk(book, octets(old->id), CP_MIKEY_SET_256);
	assert_true(old->is_retired);
	assert_int_equal(atomic_load(&old->last_end), 5000);
	cp_kms_book_destroy(before);
	cp_kms_book_destroy(book);
	cp_store_close(store);
}

static void
lists_name_whom_they_name(void **state)
{
	static const struct {
		const char *list, *identity;
		bool has;
	} rows[] = {
		{"", "sip:a@b", false},		 {"sip:a@b", "sip:a@b", true},
		{"sip:a@b", "sip:a@bc", false},	 {"sip:x@y\nsip:a@b", "sip:a@b", true},
		{"sip:*@b", "sip:a@b", true},	 {"sip:*@b", "sip:b", false},
		{"sip:*@b", "sip:a@c.b", false}, {"sip:*@b", "sips:a@b", false},
		{"sip:*@b", "sip:*@b", true}, /* a wildcard on a ticket is covered by the same only */
		{"sip:a@b", "sip:*@b", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(cp_kms_list_has(rows[i].list, cp_mikey_id_uri(rows[i].identity)),
				 rows[i].has);
}

static bool
stands(const struct cp_kms_book *book, const char *initiator, const char *responder)
{
	return cp_kms_book_stands_for(book, cp_mikey_id_uri(initiator), cp_mikey_id_uri(responder));
}

/* For its users, and for whom an enabled one may speak; within the responders of who speaks. */
static void
it_stands_for_its_own(void **state)
{
	struct cp_store *store = fresh_store();
	struct cp_store_user held = {.identity = "sip:held@ims.example",
				     .act_for = "sip:*@held.example",
				     .responders = "sip:bob@ims.example",
				     .is_enabled = true,
				     .rate = -1,
				     .has_psk = {true, true}};
	struct cp_kms_book *book;

	assert_int_equal(cp_store_user_add(store, &held, 1), 0);
	assert_int_equal(cp_kms_book_read(&book, store, 7, 70), 0);
	assert_int_equal(book->speaker_count, 2);
	assert_true(stands(book, "sip:alice@ims.example", "sip:bob@ims.example"));
	assert_true(stands(book, "sip:conf@focus.example", "sip:bob@ims.example"));
	assert_true(stands(book, "sip:held@ims.example", "sip:bob@ims.example"));
	assert_true(stands(book, "sip:x@held.example", "sip:bob@ims.example"));
	assert_false(stands(book, "sip:held@ims.example", "sip:carol@ims.example"));
	assert_false(stands(book, "sip:x@held.example", "sip:carol@ims.example"));
	assert_false(stands(book, "sip:slow@ims.example", "sip:bob@ims.example"));
	assert_false(stands(book, "sip:nobody@ims.example", "sip:bob@ims.example"));
	assert_false(stands(book, "sip:conf@other.example", "sip:bob@ims.example"));
	cp_kms_book_destroy(book);
	assert_int_equal(cp_store_user_enable(store, "sip:focus.example", false, 2), 0);
	assert_int_equal(cp_store_user_remove(store, "sip:alice@ims.example"), 0);
	assert_int_equal(cp_kms_book_read(&book, store, 7, 70), 0);
	assert_false(stands(book, "sip:conf@focus.example", "sip:bob@ims.example"));
	assert_false(stands(book, "sip:alice@ims.example", "sip:bob@ims.example"));
	cp_kms_book_destroy(book);
	cp_store_close(store);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everybody_is_found),
		cmocka_unit_test(it_stands_for_its_own),
		cmocka_unit_test(a_new_book_goes_on),
		cmocka_unit_test(lists_name_whom_they_name),
	};
	int failed;

	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/kms.db", folder);
	snprintf(key, sizeof(key), "%s/key", folder);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	forget();
	rmdir(folder);
	return failed;
}
