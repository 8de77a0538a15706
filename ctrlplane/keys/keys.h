/* SRTP master keys as the control plane holds them: made here, written into SDP, sent to the media
 * plane, wiped. */
#ifndef CP_KEYS_KEYS_H
#define CP_KEYS_KEYS_H

#include <stdbool.h>
#include <stdint.h>
#include "ctrlplane/keys/secret.h"
#include "dataplane/api/suite.h"

/* One master key of one direction of one m-line. Copy it with cp_key_copy only: the secret is
 * counted. */
struct cp_key {
	enum dp_suite suite;	      /* DP_SUITE_NONE: no key here */
	struct cp_secret *octets;     /* master key, then master salt */
	uint64_t lifetime;	      /* packets, RFC 4568 6.1; 0: the suite's maximum */
	uint8_t mki_len;	      /* 0: no MKI in the packets */
	uint8_t mki[DP_SRTP_MKI_MAX]; /* big-endian, as in the packets */
};

/* A fresh random key of the suite's length, no MKI, full lifetime. One per leg, m-line and
 * direction; never a second use. 0, -EINVAL for a suite without keys, -ENOMEM. */
int cp_key_make(struct cp_key *out, enum dp_suite suite);

struct cp_key cp_key_copy(const struct cp_key *key); /* one more holder of its secret */
void cp_key_drop(struct cp_key *key); /* lets go of the secret and clears the struct */

/* Same suite, octets and MKI: the crypto context goes on. In time that depends on the lengths only.
 */
bool cp_key_is_same(const struct cp_key *a, const struct cp_key *b);

#endif
