/*
 * A participant's keys by MIKEY-TICKET (RFC 6043, 4567): its ticket from the KMS, TRANSFER_INIT and TRANSFER_RESP as texts of
 * a=key-mgmt, CSB updates, and the other side of all that for a participant that is called. Owned by the signalling thread, whose
 * clock drives what waits for the KMS.
 */
#ifndef BENCH_LOAD_MIKEY_H
#define BENCH_LOAD_MIKEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "bench/load/options.h"
#include "bench/load/sdp.h"

struct ue_mikey_node; /* of the process: connections to the KMS, tickets that are shared */
struct ue_mikey;      /* of a participant */

/* 0 or -errno; why says more. Only with o->kms. */
int ue_mikey_node_create(struct ue_mikey_node **out, const struct ue_options *o, char *why,
			 size_t size);
void ue_mikey_node_destroy(struct ue_mikey_node *node); /* before its participants; NULL is fine */
void ue_mikey_node_turn(struct ue_mikey_node *node);	/* talks to the KMS */

/* Identity and pre-shared key of participant number. 0 or -errno; why says more. */
int ue_mikey_create(struct ue_mikey **out, struct ue_mikey_node *node, unsigned number, char *why,
		    size_t size);
void ue_mikey_destroy(struct ue_mikey *m);
const char *ue_mikey_identity(const struct ue_mikey *m);

/* Whom a call goes to: a ticket for that URI is needed, or one for each m-line where MIKEY is at media level. 0 or -EINVAL. */
int ue_mikey_call(struct ue_mikey *m, const char *uri);
/* A new one for the running call, to be keyed anew by a full TRANSFER_INIT. -EBUSY: something is under way. */
int ue_mikey_renew(struct ue_mikey *m);
/* An offer came: 0: ue_mikey_answer can answer it; -EINPROGRESS: the KMS is asked; else it is refused. */
int ue_mikey_called(struct ue_mikey *m, const struct ue_sdp *theirs);
/* -EAGAIN: the ticket or its resolution is not here yet; 0: go on; else it will not come. */
int ue_mikey_ready(struct ue_mikey *m);

/*
 * Offer and answer. Texts stay the participant's, until the next one is made. key[0] is for what we send, key[1] for what we
 * receive. 0 or -errno: refused, nothing changed.
 */
/* TRANSFER_INIT for each m-line, or one for the session, into ours. */
int ue_mikey_offer(struct ue_mikey *m, uint32_t ssrc, struct ue_sdp *ours);
int ue_mikey_update(struct ue_mikey *m, uint32_t ssrc, const char **base64); /* re-key */
/* -ENOENT: the answer has no MIKEY, and needs none. */
int ue_mikey_answered(struct ue_mikey *m, const struct ue_sdp *theirs, struct ue_sdes key[2]);
/* To what ue_mikey_called took. */
int ue_mikey_answer(struct ue_mikey *m, const struct ue_sdp *theirs, uint32_t ssrc,
		    const char **answer, struct ue_sdes key[2]);
/* It was refused: what the MIKEY message in the refusal says. */
void ue_mikey_refused(struct ue_mikey *m, const uint8_t *octets, size_t len);
void ue_mikey_refused_text(struct ue_mikey *m, const char *base64, size_t len);

/* True: the call's keys come from MIKEY, key is what is in use. */
bool ue_mikey_is_keyed(const struct ue_mikey *m, struct ue_sdes key[2]);

/* The TLS crypto session of an m-line (profile section 6), as sdp, ours or theirs, stood when it was agreed; NULL: none. */
struct cp_mikey_session;
const struct cp_mikey_session *ue_mikey_tls(const struct ue_mikey *m, const struct ue_sdp *sdp,
					    unsigned line);

/* What is told of it. Texts are the participant's. */
struct ue_mikey_report {
	const char *identity, *kms, *set;
	const char *initiator,
		*responder; /* as the ticket and its forked keys have them; empty: not yet */
	uint32_t csb_id;
	char flags[16];		    /* of the ticket, letters */
	unsigned rekeys, transfers; /* changes of keys; full exchanges that keyed */
	unsigned lines,
		lines_keyed; /* m-lines that we offered with MIKEY, and that were answered with it */
	unsigned ticket_uses;
	double ticket_ms;  /* below 0: none was asked for, or it has not come */
	int error;	   /* MIKEY's number, -1: none */
	const char *fault; /* NULL: none */
};

struct ue_mikey_report ue_mikey_report(const struct ue_mikey *m);

#endif
