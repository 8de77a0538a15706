/* Users and TPKs in memory. */
#include "ctrlplane/kms/book.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "ctrlplane/base/id.h"
#include "ctrlplane/keys/secret.h"

#define KEYS_OF_USER (16 + 32)
#define PAGE 4096

/* What reading a store needs. */
struct reading {
	struct cp_kms_book *book;
	size_t users, tpks; /* counted before, for the memory of keys */
};

static int
count_user(void *arg, const struct cp_store_user *user)
{
	((struct reading *)arg)->users++;
	return 0;
}

static int
count_tpk(void *arg, const struct cp_store_tpk *tpk)
{
	((struct reading *)arg)->tpks++;
	return 0;
}

static int
lock_keys(struct cp_kms_book *book, size_t octets)
{
	octets = (octets + PAGE) / PAGE * PAGE;
	book->keys = mmap(NULL, octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (book->keys == MAP_FAILED) {
		book->keys = NULL;
		return -ENOMEM;
	}
	book->keys_octets = octets;
	return mlock(book->keys, octets) == 0 && madvise(book->keys, octets, MADV_DONTDUMP) == 0
		       ? 0
		       : -ENOMEM;
}

static const uint8_t *
keep_key(struct cp_kms_book *book, const uint8_t *key, size_t len)
{
	uint8_t *place = book->keys + book->keys_used;

	if (book->keys_used + len > book->keys_octets)
		return NULL;
	book->keys_used += len;
	return memcpy(place, key, len);
}

static const char *
keep_text(char **at, const char *text)
{
	const char *from = *at;

	strcpy(*at, text != NULL ? text : "");
	*at += strlen(*at) + 1;
	return from;
}

static struct cp_kms_user *
copy_user(const struct cp_store_user *from)
{
	size_t texts = strlen(from->identity) + strlen(from->act_for) + strlen(from->responders) +
		       (from->psk_id != NULL ? strlen(from->psk_id) : 0) + 4;
	struct cp_kms_user *user = calloc(1, sizeof(*user) + texts);
	char *at;

	if (user == NULL)
		return NULL;
	at = user->text;
	user->id = from->id;
	user->identity = keep_text(&at, from->identity);
	user->psk_id = keep_text(&at, from->psk_id);
	user->act_for = keep_text(&at, from->act_for);
	user->responders = keep_text(&at, from->responders);
	user->is_enabled = from->is_enabled;
	return user;
}

static int
take_user(void *arg, const struct cp_store_user *from)
{
	struct cp_kms_book *book = ((struct reading *)arg)->book;
	struct cp_kms_user *user;

	if (book->user_count == book->user_room)
		return -EAGAIN;
	user = copy_user(from);
	if (user == NULL)
		return -ENOMEM;
	for (int set = 0; set < CP_STORE_SETS; set++)
		if (from->has_psk[set])
			user->psk[set] = keep_key(book, from->psk[set], cp_store_key_octets[set]);
	user->rate = from->rate >= 0			  ? from->rate
		     : strchr(user->act_for, '*') != NULL ? book->server_rate
							  : book->identity_rate;
	if (user->act_for[0] != '\0')
		book->speakers[book->speaker_count++] = user;
	book->users[book->user_count++] = user;
	cp_map_put(&book->by_identity, &user->by_identity,
		   cp_hash(user->identity, strlen(user->identity)));
	if (user->psk_id[0] != '\0')
		cp_map_put(&book->by_psk_id, &user->by_psk_id,
			   cp_hash(user->psk_id, strlen(user->psk_id)));
	return 0;
}

static int
take_tpk(void *arg, const struct cp_store_tpk *from)
{
	struct cp_kms_book *book = ((struct reading *)arg)->book;
	struct cp_kms_tpk *tpk = &book->tpks[book->tpk_count];

	if (book->tpk_count == book->tpk_room)
		return -EAGAIN;
	memcpy(tpk->id, from->id, sizeof(tpk->id));
	memcpy(tpk->owner, from->owner, sizeof(tpk->owner));
	tpk->set = from->set == 0 ? CP_MIKEY_SET_128 : CP_MIKEY_SET_256;
	tpk->is_retired = from->retired != 0;
	tpk->created = from->created;
	atomic_store(&tpk->last_end, from->last_end);
	tpk->kept_end = from->last_end;
	tpk->key = keep_key(book, from->key, cp_store_key_octets[from->set]);
	book->tpk_count++;
	if (!tpk->is_retired && tpk->owner[0] == '\0' && book->current[from->set] == NULL)
		book->current[from->set] = tpk;
	return 0;
}

/* All of one transaction, so that users and TPKs fit what was counted and each other. */
static int
read_all(struct cp_kms_book *book, struct cp_store *store)
{
	struct reading reading = {.book = book};
	int rc = cp_store_generation(&book->generation, store);

	if (rc >= 0)
		rc = cp_store_users(store, NULL, count_user, &reading);
	if (rc >= 0)
		rc = cp_store_tpks(store, count_tpk, &reading);
	if (rc < 0)
		return rc;
	book->user_room = reading.users;
	book->tpk_room = reading.tpks;
	book->users = calloc(reading.users + 1, sizeof(book->users[0]));
	book->speakers = calloc(reading.users + 1, sizeof(book->speakers[0]));
	book->tpks = calloc(reading.tpks + 1, sizeof(book->tpks[0]));
	if (book->users == NULL || book->speakers == NULL || book->tpks == NULL ||
	    lock_keys(book, reading.users * KEYS_OF_USER + reading.tpks * CP_STORE_KEY_MAX) != 0 ||
	    cp_map_init(&book->by_identity) != 0 || cp_map_init(&book->by_psk_id) != 0)
		return -ENOMEM;
	rc = cp_store_users(store, NULL, take_user, &reading);
	if (rc >= 0)
		rc = cp_store_tpks(store, take_tpk, &reading);
	return rc < 0 ? rc : 0;
}

int
cp_kms_book_read(struct cp_kms_book **out, struct cp_store *store, int64_t identity_rate,
		 int64_t server_rate)
{
	struct cp_kms_book *book = calloc(1, sizeof(*book));
	int error = -ENOMEM;

	if (book == NULL)
		return error;
	book->identity_rate = identity_rate;
	book->server_rate = server_rate;
	error = cp_store_begin(store);
	if (error == 0) {
		error = read_all(book, store);
		cp_store_rollback(store);
	}
	if (error == 0)
		*out = book;
	else
		cp_kms_book_destroy(book);
	return error;
}

void
cp_kms_book_inherit(struct cp_kms_book *book, const struct cp_kms_book *before)
{
	for (size_t i = 0; i < book->user_count; i++) {
		const char *identity = book->users[i]->identity;
		const struct cp_kms_user *old =
			cp_kms_book_user(before, cp_mikey_octets(identity, strlen(identity)));

		if (old != NULL)
			book->users[i]->bucket = old->bucket;
	}
	for (size_t i = 0; i < book->tpk_count; i++)
		for (size_t n = 0; n < before->tpk_count; n++) {
			int64_t end = atomic_load(&before->tpks[n].last_end);

			if (strcmp(book->tpks[i].id, before->tpks[n].id) == 0 &&
			    end > atomic_load(&book->tpks[i].last_end))
				atomic_store(&book->tpks[i].last_end, end);
		}
}

void
cp_kms_book_destroy(struct cp_kms_book *book)
{
	if (book == NULL)
		return;
	for (size_t i = 0; i < book->user_count; i++)
		free(book->users[i]);
	cp_map_fini(&book->by_identity);
	cp_map_fini(&book->by_psk_id);
	if (book->keys != NULL) {
		cp_wipe(book->keys, book->keys_octets);
		munmap(book->keys, book->keys_octets);
	}
	free(book->users);
	free(book->speakers);
	free(book->tpks);
	free(book);
}

static bool
is_text(const char *text, const struct cp_mikey_octets *octets)
{
	return strlen(text) == octets->len && memcmp(text, octets->at, octets->len) == 0;
}

static bool
has_identity(const struct cp_map_node *node, const void *key)
{
	return is_text(CP_CONTAINER(node, struct cp_kms_user, by_identity)->identity, key);
}

static bool
has_psk_id(const struct cp_map_node *node, const void *key)
{
	return is_text(CP_CONTAINER(node, struct cp_kms_user, by_psk_id)->psk_id, key);
}

struct cp_kms_user *
cp_kms_book_user(const struct cp_kms_book *book, struct cp_mikey_octets identity)
{
	struct cp_map_node *node = cp_map_find(
		&book->by_identity, cp_hash(identity.at, identity.len), has_identity, &identity);

	return node != NULL ? CP_CONTAINER(node, struct cp_kms_user, by_identity) : NULL;
}

struct cp_kms_user *
cp_kms_book_psk(const struct cp_kms_book *book, struct cp_mikey_octets psk_id)
{
	struct cp_map_node *node =
		cp_map_find(&book->by_psk_id, cp_hash(psk_id.at, psk_id.len), has_psk_id, &psk_id);

	return node != NULL ? CP_CONTAINER(node, struct cp_kms_user, by_psk_id)
			    : cp_kms_book_user(book, psk_id);
}

struct cp_kms_tpk *
cp_kms_book_tpk(const struct cp_kms_book *book, struct cp_mikey_octets id, enum cp_mikey_set set)
{
	for (size_t i = 0; i < book->tpk_count; i++)
		if (book->tpks[i].set == set && is_text(book->tpks[i].id, &id))
			return &book->tpks[i];
	return NULL;
}

static bool
may_reach(const struct cp_kms_user *user, struct cp_mikey_id responder)
{
	return user->is_enabled &&
	       (user->responders[0] == '\0' || cp_kms_list_has(user->responders, responder));
}

bool
cp_kms_book_stands_for(const struct cp_kms_book *book, struct cp_mikey_id initiator,
		       struct cp_mikey_id responder)
{
	const struct cp_kms_user *own = cp_kms_book_user(book, initiator.data);

	if (own != NULL)
		return may_reach(own, responder);
	for (size_t i = 0; i < book->speaker_count; i++)
		if (cp_kms_list_has(book->speakers[i]->act_for, initiator) &&
		    may_reach(book->speakers[i], responder))
			return true;
	return false;
}

bool
cp_kms_list_has(const char *list, struct cp_mikey_id id)
{
	while (*list != '\0') {
		size_t len = strcspn(list, "\n");
		struct cp_mikey_id pattern = {CP_MIKEY_ID_URI, cp_mikey_octets(list, len)};

		if (cp_mikey_id_may_be(pattern, id))
			return true;
		list += len + (list[len] != '\0');
	}
	return false;
}
