/*
 * All users and TPKs of the store, in memory, so that an answer costs no look into a file. A book does
 * not change once it is made: when the store does, another is made and takes its place. Its keys lie
 * in locked memory, out of core dumps, and are wiped with it.
 */
#ifndef CP_KMS_BOOK_H
#define CP_KMS_BOOK_H

#include <stdatomic.h>
#include <stdbool.h>
#include "ctrlplane/base/map.h"
#include "ctrlplane/kms/limit.h"
#include "ctrlplane/mikey/base.h"
#include "ctrlplane/mikey/policy.h"
#include "ctrlplane/store/store.h"

/* Owner: its book. rate's bucket is under the KMS's lock, all else is constant. */
struct cp_kms_user {
	struct cp_map_node by_identity, by_psk_id;
	int64_t id;
	const char *identity, *psk_id;	   /* psk_id "": none */
	const char *act_for, *responders;  /* '\n' between */
	const uint8_t *psk[CP_STORE_SETS]; /* NULL: none */
	bool is_enabled;
	int64_t rate; /* exchanges a second; 0: any */
	struct cp_kms_bucket bucket;
	char text[];
};

struct cp_kms_tpk {
	char id[CP_STORE_TEXT_MAX], owner[CP_STORE_TEXT_MAX]; /* owner "": the KMS's own */
	enum cp_mikey_set set;
	const uint8_t *key;
	bool is_retired;
	int64_t created;
	_Atomic int64_t last_end; /* Unix time */
	int64_t kept_end;	  /* what of it the store knows; the main thread's */
};

struct cp_kms_book {
	struct cp_map by_identity, by_psk_id;
	struct cp_kms_user **users;
	size_t user_count, user_room;
	struct cp_kms_user **speakers; /* of them, those that may act for others */
	size_t speaker_count;
	struct cp_kms_tpk *tpks;
	size_t tpk_count, tpk_room;
	const struct cp_kms_tpk *current[CP_STORE_SETS];
	uint8_t *keys; /* locked */
	size_t keys_used, keys_octets;
	int64_t generation;
	int64_t identity_rate, server_rate; /* for users without a rate of their own */
};

/* 0, -ENOMEM (also no locked memory), or the store's error. rates as in struct cp_kms_options. */
int cp_kms_book_read(struct cp_kms_book **out, struct cp_store *store, int64_t identity_rate,
		     int64_t server_rate);
/* What goes on from the book before: buckets, and when tickets end. */
void cp_kms_book_inherit(struct cp_kms_book *book, const struct cp_kms_book *before);
void cp_kms_book_destroy(struct cp_kms_book *book);

/* NULL: nobody. By the name of its keys: also the identity. */
struct cp_kms_user *cp_kms_book_user(const struct cp_kms_book *book,
				     struct cp_mikey_octets identity);
struct cp_kms_user *cp_kms_book_psk(const struct cp_kms_book *book, struct cp_mikey_octets psk_id);
struct cp_kms_tpk *cp_kms_book_tpk(const struct cp_kms_book *book, struct cp_mikey_octets id,
				   enum cp_mikey_set set);

/* Does the KMS stand for an initiator now: an enabled user, or somebody that one may act for? That one's list of responders
 * holds too. */
bool cp_kms_book_stands_for(const struct cp_kms_book *book, struct cp_mikey_id initiator,
			    struct cp_mikey_id responder);

/* One pattern of the list names the identity. */
bool cp_kms_list_has(const char *list, struct cp_mikey_id id);

#endif
