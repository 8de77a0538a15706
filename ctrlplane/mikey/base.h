/* What every part of MIKEY-TICKET shares: octets, identities, keys, algorithm sets, the clock and
 * the luck handed in, and how a refusal is told. Profile, sections 1 and 2. */
#ifndef CP_MIKEY_BASE_H
#define CP_MIKEY_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ctrlplane/mikey/codes.h"

/* Borrowed octets. at may be NULL when len is 0. */
struct cp_mikey_octets {
	const uint8_t *at;
	size_t len;
};

static inline struct cp_mikey_octets
cp_mikey_octets(const void *at, size_t len)
{
	return (struct cp_mikey_octets){(const uint8_t *)at, len};
}

/* Octet by octet; for what is no secret. */
bool cp_mikey_is_same(struct cp_mikey_octets a, struct cp_mikey_octets b);

/* An identity, borrowed. len 0: not there. */
struct cp_mikey_id {
	uint8_t type; /* enum cp_mikey_id_type */
	struct cp_mikey_octets data;
};

struct cp_mikey_id cp_mikey_id_uri(const char *text);	/* canonical: profile 1 */
struct cp_mikey_id cp_mikey_id_bytes(const char *text); /* names a pre-shared key */
bool cp_mikey_id_is_same(struct cp_mikey_id a, struct cp_mikey_id b);

/* An identity, kept. */
struct cp_mikey_name {
	uint8_t type, len; /* len 0: none */
	char text[CP_MIKEY_ID_MAX + 1];
};

int cp_mikey_name_set(struct cp_mikey_name *name, struct cp_mikey_id id); /* -ENAMETOOLONG */
struct cp_mikey_id cp_mikey_name_id(const struct cp_mikey_name *name);

/* A key in passing: on the stack, wiped by whoever declared it. Keys that stay are struct cp_secret. */
struct cp_mikey_key {
	uint8_t len;
	uint8_t octets[CP_MIKEY_KEY_MAX];
};

void cp_mikey_key_set(struct cp_mikey_key *key, const uint8_t *octets, size_t len);
void cp_mikey_key_wipe(struct cp_mikey_key *key);

/* Two sets of algorithms, never mixed. Order is strength: a minimum compares by number. */
enum cp_mikey_set { CP_MIKEY_SET_128, CP_MIKEY_SET_256 };

struct cp_mikey_set_info {
	const char *name;
	uint8_t prf, encr, mac;	 /* code points */
	uint8_t key, auth, rand; /* octets of PSK, MPK and TGK; of auth_key and MAC; of RANDs */
};

const struct cp_mikey_set_info *cp_mikey_set_info(enum cp_mikey_set set);
int cp_mikey_set_of_prf(enum cp_mikey_set *set, uint8_t prf); /* -EPROTO: no such set */

/*
 * The clock and the luck. now gives Unix time with 32 bits of fraction (seconds << 32), read once
 * per use. random fills octets or gives -errno. Both are called from where the exchange runs.
 */
struct cp_mikey_env {
	uint64_t (*now)(void *arg);
	int (*random)(void *arg, uint8_t *octets, size_t len);
	void *arg;
};

/* The kernel's clock and randomness. */
struct cp_mikey_env cp_mikey_env_system(void);

/*
 * Why something was refused, for the peer (error) and for the log (text, static). Set by whatever
 * returns -EPROTO. authentic: the message at fault was known to be the peer's own.
 */
struct cp_mikey_fault {
	uint8_t error; /* enum cp_mikey_error */
	bool authentic;
	const char *text;
	uint16_t suites; /* CP_MIKEY_ERR_SP of a responder: those it takes, 1u << enum dp_suite */
};

/* -EPROTO, and says why. */
int cp_mikey_refuse(struct cp_mikey_fault *fault, uint8_t error, const char *text);

/* What a configuration may choose; profile 2's values by cp_mikey_limits_default. */
struct cp_mikey_limits {
	uint32_t skew_s;	    /* of T, either way */
	uint32_t start_tolerance_s; /* a ticket counts so much before its TRs */
	enum cp_mikey_set min_set;
};

struct cp_mikey_limits cp_mikey_limits_default(void);

/* Octets that the caller owns: cap of them are there, len are written. */
struct cp_mikey_out {
	uint8_t *octets;
	size_t cap, len;
};

#endif
