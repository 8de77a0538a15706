/* What the files of a call share: signalling in call.c, offers and answers in negotiate.c. */
#ifndef BENCH_LOAD_CALL_STATE_H
#define BENCH_LOAD_CALL_STATE_H

#include "bench/load/call.h"

/* Our description for an offer: every suite with a key of its own at first, afterwards what is in use. */
int ue_call_offer(struct ue_call *c, char text[UE_SDP_MAX]);

/* The focus answered our last offer. 0, or -EBADMSG: nothing that we could use. */
int ue_call_answered(struct ue_call *c, const char *text, size_t len);

/* The focus offers: our answer. 0, or -EBADMSG. */
int ue_call_answer(struct ue_call *c, const char *text, size_t len, char out[UE_SDP_MAX]);

/* New keys into the next offer. */
void ue_call_rekey(struct ue_call *c);

#endif
