/*
 * A crypto session bundle: what an exchange leaves behind. The keys of each crypto session, who is
 * at the other end, and CSB updates from either side (RFC 6043 section 5.2).
 */
#ifndef CP_MIKEY_CSB_H
#define CP_MIKEY_CSB_H

#include "ctrlplane/keys/keys.h"
#include "ctrlplane/mikey/base.h"
#include "ctrlplane/mikey/policy.h"

#define CP_MIKEY_SESSION_NAME 16 /* "cd177e50-240" and its NUL */

/* What a crypto session protects. */
enum cp_mikey_use { CP_MIKEY_USE_SRTP, CP_MIKEY_USE_TLS, CP_MIKEY_USE_CMS };

/* One crypto session with its keys. Owned by its bundle; copy what is to live longer. */
struct cp_mikey_session {
	uint8_t cs_id;
	enum cp_mikey_use use;
	bool is_from_initiator; /* SRTP: which direction; the first CS of a pair */
	bool has_roc;		/* S flag */
	uint32_t ssrc, roc;
	uint16_t seq;
	uint8_t spi_len, spi[CP_MIKEY_SPI_MAX];
	struct cp_key srtp;	  /* SRTP: suite, master key and salt, no MKI; else suite NONE */
	struct cp_secret *secret; /* TLS: the PSK; CMS: the KEK; else NULL */
	char name[CP_MIKEY_SESSION_NAME]; /* PSK identity or key identifier: profile 6 and 7 */
};

/* One m-line (or the CMS session) that is to be keyed. */
struct cp_mikey_line {
	enum cp_mikey_use use;
	uint8_t cs_id;	 /* the first of its two: odd; CP_MIKEY_CMS_CS for CMS */
	uint32_t ssrc;	 /* SRTP: of the side that fills this in, for what it sends */
	bool has_ssrc;	 /* responder: false draws one */
	uint16_t suites; /* SRTP: bits 1u << enum dp_suite, acceptable ones */
	uint8_t preference
		[DP_SUITE_COUNT]; /* enum dp_suite, the best first; ends with DP_SUITE_NONE */
	uint8_t key;		  /* who starts: which session key of the ticket, the first is 0 */
};

/* A line of an SRTP m-line that takes the suites of preference in that order. */
struct cp_mikey_line cp_mikey_line_srtp(uint8_t cs_id, uint32_t ssrc,
					const enum dp_suite *preference, size_t count);

struct cp_mikey_csb;

void cp_mikey_csb_destroy(struct cp_mikey_csb *csb); /* wipes all its keys; NULL is fine */

uint32_t cp_mikey_csb_id(const struct cp_mikey_csb *csb);
bool cp_mikey_csb_is_initiator(const struct cp_mikey_csb *csb); /* are we? */
enum cp_mikey_set cp_mikey_csb_set(const struct cp_mikey_csb *csb);
/* Who the KMS said they are: IDRi of the resolved ticket, and the IDRr that the forked keys are bound
 * to. */
struct cp_mikey_id cp_mikey_csb_initiator(const struct cp_mikey_csb *csb);
struct cp_mikey_id cp_mikey_csb_responder(const struct cp_mikey_csb *csb);
/* TRr: re-key at least so often, seconds; 0: no demand. TRe of the ticket; 0: unbounded. */
uint32_t cp_mikey_csb_rekey_s(const struct cp_mikey_csb *csb);
uint64_t cp_mikey_csb_end(const struct cp_mikey_csb *csb);
uint16_t cp_mikey_csb_flags(const struct cp_mikey_csb *csb);

size_t cp_mikey_csb_count(const struct cp_mikey_csb *csb);
const struct cp_mikey_session *cp_mikey_csb_session(const struct cp_mikey_csb *csb, size_t index);
/* By CS ID; NULL: none. */
const struct cp_mikey_session *cp_mikey_csb_find(const struct cp_mikey_csb *csb, uint8_t cs_id);
bool cp_mikey_csb_is_used(const struct cp_mikey_csb *csb, uint8_t cs_id); /* it has or had keys */
/* First CS ID of a pair that the bundle has not used yet, odd; 0: all gone. For re-keying a line. */
uint8_t cp_mikey_csb_free_pair(const struct cp_mikey_csb *csb);

/*
 * CSB update. Either side may start: make gives the message, the other side's answer gives its
 * response, and finish takes that. New keys come from new CS IDs under the TGKs that are there; with
 * the L flag (initiator) or M flag (responder) new_tgk draws a TGK for them. Crypto sessions that have
 * keys may be listed too: they go on. The old sessions stay in
 * the bundle until cp_mikey_csb_retire. A message that is refused leaves the bundle unchanged.
 */
struct cp_mikey_update {
	const struct cp_mikey_line *lines; /* with CS IDs that are free */
	size_t count;
	bool new_tgk;
};

int cp_mikey_update_make(struct cp_mikey_out *out, struct cp_mikey_csb *csb,
			 const struct cp_mikey_update *update, const struct cp_mikey_env *env,
			 struct cp_mikey_fault *fault);
int cp_mikey_update_answer(struct cp_mikey_out *out, struct cp_mikey_csb *csb,
			   const struct cp_mikey_update *update, struct cp_mikey_octets in,
			   const struct cp_mikey_env *env, struct cp_mikey_fault *fault);
int cp_mikey_update_finish(struct cp_mikey_csb *csb, struct cp_mikey_octets in,
			   const struct cp_mikey_env *env, struct cp_mikey_fault *fault);
/* What a message on a call with keys is, before anything of it is verified: a TRANSFER_INIT that has no ticket. */
bool cp_mikey_is_update(struct cp_mikey_octets in);
/* The pairs of SRTP that it lists, by their first CS IDs, in its order. Their number. */
size_t cp_mikey_update_pairs(uint8_t pairs[CP_MIKEY_CS_MAX], struct cp_mikey_octets in);
void cp_mikey_update_cancel(struct cp_mikey_csb *csb); /* no answer will come */
/* Forget a session's keys; its CS ID is not given again. */
void cp_mikey_csb_retire(struct cp_mikey_csb *csb, uint8_t cs_id);

#endif
