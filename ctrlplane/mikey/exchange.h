/* Steps that all exchanges share: T, V, the two ends of a request, Error messages. RFC 6043 sections
 * 4.2, 5.4 and 5.5. */
#ifndef CP_MIKEY_EXCHANGE_H
#define CP_MIKEY_EXCHANGE_H

#include "ctrlplane/mikey/kemac.h"
#include "ctrlplane/mikey/request.h"
#include "ctrlplane/mikey/ticket.h"

/* T is there, is NTP-UTC and near now. */
int cp_mikey_check_t(struct cp_mikey_fault *fault, const struct cp_mikey_list *list, uint64_t now,
		     uint32_t skew_s);

/* The shield of an initial message or response of Request and Resolve: key, phase, and its RAND. */
struct cp_mikey_leg {
	enum cp_mikey_set set;
	enum cp_mikey_family phase;
	uint32_t csb_id;
	const uint8_t *key; /* of the set's length */
	struct cp_mikey_octets rand_i, rand_r;
};

int cp_mikey_leg_shield(struct cp_mikey_shield *shield, const struct cp_mikey_leg *leg,
			bool with_encr);

/* Header and T of a message without crypto sessions. Returns T as an IV takes it. */
uint64_t cp_mikey_put_start(struct cp_mikey_writer *w, const struct cp_mikey_msg *hdr,
			    const struct cp_mikey_env *env);

/* V over the message and what is appended; out gets its length. */
int cp_mikey_finish(struct cp_mikey_out *out, struct cp_mikey_writer *w,
		    const struct cp_mikey_shield *shield, const struct cp_mikey_octets *appended,
		    size_t count);

/* An Error message about a message with that header: with V by shield, or without (NULL).
 * With the policies that would have been taken, where the fault names them. */
int cp_mikey_error_put(struct cp_mikey_out *out, const struct cp_mikey_msg *about,
		       const struct cp_mikey_fault *fault, const struct cp_mikey_shield *shield,
		       const struct cp_mikey_env *env);

/* An Error message came instead of a response: always -EPROTO. shield: of our message, may be NULL. */
int cp_mikey_error_take(struct cp_mikey_fault *fault, const struct cp_mikey_msg *msg,
			const struct cp_mikey_shield *shield);

/* The initial message of a Request or Resolve, kept until its response. */
struct cp_mikey_asked {
	struct cp_mikey_leg leg; /* phase initial; key and RANDs point into what follows */
	struct cp_secret *psk;
	uint8_t rand[CP_MIKEY_KEY_MAX];
	struct cp_mikey_name kms;
	uint8_t *octets;
	size_t len;
	uint32_t skew_s;
};

/* Draws CSB ID and RAND for data type, and writes the header, T and RANDR. -EINVAL: no key of the
 * set, identities that do not go. */
int cp_mikey_ask_start(struct cp_mikey_asked *asked, struct cp_mikey_writer *w,
		       const struct cp_mikey_account *account, uint8_t data_type,
		       const struct cp_mikey_env *env);
/* [IDRpsk], V; keeps the message. */
int cp_mikey_ask_end(struct cp_mikey_asked *asked, struct cp_mikey_out *out,
		     struct cp_mikey_writer *w, const struct cp_mikey_account *account);
void cp_mikey_asked_fini(struct cp_mikey_asked *asked);

/* A response of the KMS, verified up to its KEMAC, which is opened. */
int cp_mikey_ask_take(struct cp_mikey_plain *plain, struct cp_mikey_msg *msg,
		      const struct cp_mikey_asked *asked, struct cp_mikey_octets in,
		      const struct cp_mikey_env *env, struct cp_mikey_fault *fault);

#endif
