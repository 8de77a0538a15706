/*
 * The keys of one call by MIKEY-TICKET: the exchange that is under way and the bundle that was agreed.
 *
 *   offer with TRANSFER_INIT   cp_keying_start: early checks, then the KMS is asked ─▶ done(call, 0 or status)
 *     … the leg exists         cp_keying_answer: TRANSFER_RESP, keys into call->next
 *     … 200 goes out           cp_keying_commit
 *   later offer                cp_keying_reoffer
 *   our own re-key             [cp_keying_ticket], cp_keying_update, then cp_keying_answered or cp_keying_withdraw
 *   refused anywhere           cp_keying_refuse answers with what was wrong
 *
 * Streams whose m-lines have messages of their own go through the same steps beside the audio.
 */
#ifndef CP_APP_KEYING_H
#define CP_APP_KEYING_H

#include <stdbool.h>
#include <stdint.h>

#include "ctrlplane/sdp/sdp.h"

struct cp_app;
struct cp_call;
struct cp_mikey_session;
struct cp_keying; /* owner: its call */

/* The TRANSFER_INIT of call->next. 0: the KMS is asked, done will be called. Else the SIP status to
 * refuse with. name: user part of the conference; source: address of the caller. */
int cp_keying_start(struct cp_call *call, const char *name, const char *source,
		    void (*done)(struct cp_call *call, int status));

/* Who the KMS says is calling: canonical; NULL: nobody yet. */
const char *cp_keying_initiator(const struct cp_call *call);

/* A crypto session of what was agreed: TLS by the m-line's first CS ID, CMS by CP_MIKEY_CMS_CS; NULL: none. The next exchange
 * wipes it: copy the name, and cp_secret_get the secret. */
const struct cp_mikey_session *cp_keying_session(const struct cp_call *call, uint8_t cs_id);

/* The TLS crypto session of that name ("cd177e50-1", profile section 6) of any call; NULL: none. Names are given once at a time. */
const struct cp_mikey_session *cp_keying_named(const struct cp_app *app, const char *name);

/* The TLS crypto session of the call's m-line, as agreed; NULL: it is not keyed so. As above. */
const struct cp_mikey_session *cp_keying_stream(const struct cp_call *call,
						enum cp_sdp_service service);

/* Streams of call->next under MIKEY that have no TLS crypto session are refused. */
void cp_keying_check_streams(struct cp_call *call);

/* Is there an exchange that cp_keying_answer is to end? */
bool cp_keying_is_open(const struct cp_call *call);
/* TRANSFER_RESP with the SSRC of our leg, and keys into call->next. Else the SIP status. */
int cp_keying_answer(struct cp_call *call);

/* The message of call->next on a call that has keys: the same one as before (the same keys), or a CSB
 * update: 0, the keys are in call->next. A full one with a ticket: -EINPROGRESS, cp_keying_start is
 * to be called. Else the SIP status to refuse with. */
int cp_keying_reoffer(struct cp_call *call);

/* Our re-INVITE: a CSB update, or a full TRANSFER_INIT where there is a ticket; it goes into call->local. -errno: not now. Its
 * answer is for cp_keying_answered. */
int cp_keying_update(struct cp_call *call);
void cp_keying_withdraw(struct cp_call *call);
/* Nothing is left to update with: cp_keying_ticket comes first. */
bool cp_keying_needs_ticket(const struct cp_call *call);

/* We start: a ticket for the invitee, then done; TRANSFER_INIT of it once our SSRC is known; the answer of call->next, and is
 * who answered welcome? Else the SIP status. */
int cp_keying_ticket(struct cp_call *call, const char *name, const char *invitee,
		     void (*done)(struct cp_call *call, int status));
int cp_keying_transfer(struct cp_call *call);
int cp_keying_answered(struct cp_call *call);

/* What was agreed is in force: the exchange becomes the call's; its message into call->local. False: there was none, the keys stay. */
bool cp_keying_commit(struct cp_call *call);
/* What was under way is dropped, what was agreed stays. */
void cp_keying_abort(struct cp_call *call);

/* Refuse call->next with a status of above: Warning, Retry-After, and the MIKEY error in a body. */
void cp_keying_refuse(struct cp_call *call, int status);

/* TRr of the ticket: seconds; 0: none. */
uint32_t cp_keying_rekey_s(const struct cp_call *call);

void cp_keying_free(struct cp_call *call); /* wipes all keys; nothing there is fine */

#endif
