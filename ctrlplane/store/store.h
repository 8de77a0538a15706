/*
 * What the KMS keeps: users with their pre-shared keys, ticket protection keys, and the audit log, in
 * one SQLite file. Keys in it are sealed under a master key (keys/seal.h). Several programs may have
 * it open: conclave-kms serves while the command line changes it.
 */
#ifndef CP_STORE_STORE_H
#define CP_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CP_STORE_TEXT_MAX \
	256		/* octets of an identity, a pattern or a name of a key, with its NUL */
#define CP_STORE_SETS 2 /* algorithm sets: [0] 128, [1] 256 */
#define CP_STORE_KEY_MAX 32

static const size_t cp_store_key_octets[CP_STORE_SETS] = {16, 32};

/* One connection, used by one thread at a time. */
struct cp_store;

struct cp_store_options {
	const char *path;	     /* created, mode 0600, where it is not there */
	const char *master_key_path; /* see cp_seal_open */
};

/* Brings an older store up to date. 0 or -errno and why, for people. -EBADMSG: another master key;
 * -ENOTSUP: made by a newer version. */
int cp_store_open(struct cp_store **out, const struct cp_store_options *options, char *why,
		  size_t size);
void cp_store_close(struct cp_store *store);

/* What went wrong last, for people: SQLite's words. */
const char *cp_store_why(const struct cp_store *store);

/* Changes whenever users or TPKs do, by whatever program. -errno. */
int cp_store_generation(int64_t *out, struct cp_store *store);

/* Several changes as one: none of them is seen before commit. -EBUSY, -EIO. */
int cp_store_begin(struct cp_store *store);
int cp_store_commit(struct cp_store *store);
void cp_store_rollback(struct cp_store *store);

/*
 * A user. Texts are borrowed: the caller's when put, the store's during a callback. Lists are one
 * text, items separated by '\n'; NULL or empty: none. Keys are wiped after a callback.
 */
struct cp_store_user {
	int64_t id;
	const char *identity;	/* canonical: profile 1 */
	const char *psk_id;	/* another name of its keys; NULL: the identity alone */
	const char *act_for;	/* identities and patterns it may speak as */
	const char *responders; /* identities and patterns it may ask tickets for; none: all */
	bool is_enabled;
	int64_t rate; /* exchanges a second; -1: as configured */
	bool has_psk[CP_STORE_SETS];
	uint8_t psk[CP_STORE_SETS][CP_STORE_KEY_MAX];
	int64_t created, changed; /* Unix time; set by the store */
};

/* -EEXIST: the identity or the name of its keys is taken. */
int cp_store_user_add(struct cp_store *store, const struct cp_store_user *user, int64_t now);
/* -ENOENT: nobody of that identity. */
int cp_store_user_enable(struct cp_store *store, const char *identity, bool is_enabled,
			 int64_t now);
/* Forgets a user, and the TPKs that it has shared with us. */
int cp_store_user_remove(struct cp_store *store, const char *identity);
/* New keys for both sets; those it has not are taken away. */
int cp_store_user_rekey(struct cp_store *store, const struct cp_store_user *user, int64_t now);

/* By identity, or all with NULL, in order of identity. each gives 0, or an error that ends it. The
 * number of users, or -errno; -EBADMSG: a key does not open. */
typedef int (*cp_store_user_fn)(void *arg, const struct cp_store_user *user);
int cp_store_users(struct cp_store *store, const char *identity, cp_store_user_fn each, void *arg);

/* A ticket protection key: the KMS's own, or one that a user shares with it (mode 3). */
struct cp_store_tpk {
	char id[CP_STORE_TEXT_MAX];    /* IDRpsk of tickets */
	char owner[CP_STORE_TEXT_MAX]; /* identity; empty: the KMS's own */
	int set;
	uint8_t key[CP_STORE_KEY_MAX];
	int64_t created;
	int64_t retired;  /* Unix time; 0: not. A retired one protects no new tickets */
	int64_t last_end; /* when the last ticket expires that is known, Unix time */
};

int cp_store_tpk_add(struct cp_store *store, const struct cp_store_tpk *tpk);
/* Retires the KMS's own that are in use and adds fresh ones for both sets, as one change. */
int cp_store_tpk_rotate(struct cp_store *store, int64_t now);
/* A ticket under it expires then. */
int cp_store_tpk_used(struct cp_store *store, const char *id, int64_t end);
/* Forgets those of which no ticket can be valid any more: retired, last_end past, and retired longer
 * than lifetime, the longest validity. How many, or -errno. */
int cp_store_tpk_purge(struct cp_store *store, int64_t now, int64_t lifetime);

/* The newest first. The number, or -errno. */
typedef int (*cp_store_tpk_fn)(void *arg, const struct cp_store_tpk *tpk);
int cp_store_tpks(struct cp_store *store, cp_store_tpk_fn each, void *arg);

/* One exchange or one change, for the audit log. Texts as in cp_store_user; NULL or empty: not known. */
struct cp_store_audit {
	int64_t at_ms;	  /* Unix time in milliseconds */
	const char *what; /* request, resolve, other; of a change what the command line calls it */
	const char *source; /* address it came from; of a change who made it */
	const char *owner;  /* whose key authenticated it */
	const char *user;   /* for whom */
	const char *initiator, *responder;
	bool is_granted;
	int error;	  /* MIKEY error where not */
	const char *text; /* why not */
	uint32_t csb_id;
	int bits;    /* algorithm set: 128, 256; 0: not known */
	int flags;   /* of the ticket */
	int64_t end; /* of the ticket, Unix time */
};

int cp_store_audit_add(struct cp_store *store, const struct cp_store_audit *entry);
/* Forgets some of those before a time: how many, or -errno. */
int cp_store_audit_purge(struct cp_store *store, int64_t before_ms);

/* The newest first, at most count; of one identity (owner, user, initiator or responder) or all with
 * NULL. The number, or -errno. */
typedef int (*cp_store_audit_fn)(void *arg, const struct cp_store_audit *entry);
struct cp_store_audit_query {
	const char *identity;
	int64_t count;
};
int cp_store_audits(struct cp_store *store, const struct cp_store_audit_query *query,
		    cp_store_audit_fn each, void *arg);

#endif
