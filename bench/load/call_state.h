/* What the files of a call share: signalling in call.c, offers and answers in negotiate.c. */
#ifndef BENCH_LOAD_CALL_STATE_H
#define BENCH_LOAD_CALL_STATE_H

#include "bench/load/call.h"

#define UE_ALLOW "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, INFO, PRACK, NOTIFY"

/* Our description for an offer: every suite with a key of its own at first, afterwards what is in use. */
int ue_call_offer(struct ue_call *c, char text[UE_SDP_MAX]);

/* The focus answered our last offer. 0, or -EBADMSG: nothing that we could use. */
int ue_call_answered(struct ue_call *c, const char *text, size_t len);

/* An offer comes: it is kept in c->offer. 0: ue_call_answer can answer it; -EINPROGRESS: when the KMS has; else it is refused. */
int ue_call_offered(struct ue_call *c, const char *text, size_t len);

/* Our answer to it. 0, or -EBADMSG. */
int ue_call_answer(struct ue_call *c, char out[UE_SDP_MAX]);

/* Our offer was refused, with this in the answer: an SDP, or a MIKEY message. */
void ue_call_offer_refused(struct ue_call *c, const uint8_t *body, size_t len, bool is_sdp);

/* What both sides of a call need of call.c. */
struct sip_s;
size_t ue_call_payload(const struct sip_s *sip, const char **text);
int ue_call_request(struct ue_call *c, struct nta_leg_s *leg, struct nta_incoming_s *irq,
		    const struct sip_s *sip);
void ue_call_done(struct ue_call *c);
void ue_call_up(struct ue_call *c);	     /* it is answered well */
void ue_call_invite_over(struct ue_call *c); /* it has its final answer, or will not get one */
void ue_call_bye(struct ue_call *c);
void ue_call_no_ticket(struct ue_call *c);
/* credentials: of Authorization or Proxy-Authorization; NULL: none */
void ue_call_invite_send(struct ue_call *c, const char *credentials, bool is_proxy);
/* The KMS has answered what UE_WAIT_LATE or UE_WAIT_EARLY waited for. */
void ue_call_late_go_on(struct ue_call *c, enum ue_wait wait, int err);
void ue_call_reinvite(struct ue_call *c); /* when none is under way */
/* The answer to the offer within the call. */
void ue_call_reoffer_answer(struct ue_call *c, int err);
void ue_call_refused(struct ue_call *c, int status, const char *reason);

/* credentials.c: the value of (Proxy-)Authorization for a challenge. uri NULL: within the dialog. False: none that we can. */
#define UE_CREDENTIALS_MAX 1024
bool ue_call_credentials(char out[UE_CREDENTIALS_MAX], bool *is_proxy, const struct ue_call *c,
			 const struct sip_s *sip, const char *method, const char *uri);

/* callee.c: what the KMS said to the call that came. */
void ue_call_ready(struct ue_call *c, int err);

/* Our answer has arrived: from now on we send under its keys. */
void ue_call_acked(struct ue_call *c);

/* New keys into the next offer. */
void ue_call_rekey(struct ue_call *c);
/* By a full TRANSFER_INIT, for which the ticket is there. */
int ue_call_rekey_full(struct ue_call *c);

#endif
