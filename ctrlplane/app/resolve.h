/*
 * Somebody's TRANSFER_INIT on its way through the KMS (RFC 6043 4.2.2.2 and 4.2.3), whatever brought it: an INVITE, a
 * SUBSCRIBE. Looked at, asked about, verified; answering is the caller's.
 *
 *   cp_resolve_init, cp_resolve_start ─▶ done(owner, 0 or SIP status)
 *     0: initiator is who the KMS says sent it; cp_resolve_answer gives TRANSFER_RESP and the bundle with its keys
 *     else: cp_resolve_error makes the MIKEY error that says what was wrong
 *   cp_resolve_fini at any time, but not from within done
 */
#ifndef CP_APP_RESOLVE_H
#define CP_APP_RESOLVE_H

#include "ctrlplane/app/mikey.h"

struct cp_resolve_how {
	const char *
		sdp_ids; /* the list that must be authenticated: "mikey"; NULL outside SDP; outlives it */
	const char *source; /* address it came from, for the rate */
	void (*done)(void *owner, int status);
	void *owner;
};

/* In the caller's memory, which does not move. */
struct cp_resolve {
	struct cp_app_mikey *mikey;
	char user[CP_IDENTITY_MAX];	 /* as whom we resolve: the conference's URI */
	char initiator[CP_IDENTITY_MAX]; /* canonical; "": nobody yet */
	struct cp_mikey_responder_config config;
	struct cp_mikey_responder *responder; /* NULL: nothing is under way */
	struct cp_mikey_fault fault;
	struct cp_kms_ask *ask;
	uint8_t asked_csb[4]; /* of our last message to the KMS */
	int verdict;	      /* SIP status that its answer came to; 0: well */
	struct cp_resolve_how how;
};

/* For the conference name. suites: acceptable for SRTP, bits 1u << enum dp_suite. -EINVAL: the name is too long. */
int cp_resolve_init(struct cp_resolve *r, struct cp_app_mikey *mikey, const char *name,
		    uint16_t suites);
/* As whom another one is. */
void cp_resolve_init_as(struct cp_resolve *r, const struct cp_resolve *other);
/* 0: the KMS is asked, done will be called. Else the SIP status to refuse with. message is copied. */
int cp_resolve_start(struct cp_resolve *r, struct cp_mikey_octets message,
		     const struct cp_resolve_how *how);
/* TRANSFER_RESP into out and the bundle, after done said 0. Else the SIP status. */
int cp_resolve_answer(struct cp_mikey_csb **csb, struct cp_mikey_out *out, struct cp_resolve *r,
		      const struct cp_mikey_line *lines, size_t count);
/* The MIKEY error for what start, done or answer refused; -errno: none can be made. */
int cp_resolve_error(struct cp_mikey_out *out, const struct cp_resolve *r,
		     struct cp_mikey_octets message);
/* Nothing is under way any more; who it is stays known. */
void cp_resolve_fini(struct cp_resolve *r);

/* SIP status of what the MIKEY functions return, logged. */
int cp_resolve_status(const char *user, const struct cp_mikey_fault *fault, int rc);
/* Does it look like the KMS's word on what we asked, right or wrong? RFC 3830 6.1. */
bool cp_resolve_is_answer(const uint8_t *octets, size_t len, const uint8_t csb[4],
			  uint8_t data_type);

#endif
