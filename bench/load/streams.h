/*
 * A participant's TCP streams: floor control and chat, in TLS keyed by MIKEY-TICKET, in TLS with certificates, or plain as the call
 * is. One hub for all participants, on the signalling thread.
 */
#ifndef BENCH_LOAD_STREAMS_H
#define BENCH_LOAD_STREAMS_H

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include "bench/load/call.h"

struct ue_streams_node; /* of the process */
struct ue_streams;	/* of a call */

/* 0 or -errno; why says more. */
int ue_streams_node_create(struct ue_streams_node **out, const struct ue_options *o, char *why,
			   size_t size);
void ue_streams_node_destroy(struct ue_streams_node *node); /* after its calls; NULL is fine */
int ue_streams_node_fd(const struct ue_streams_node *node);
void ue_streams_node_turn(struct ue_streams_node *node);

/* What the call's options want; identity and uri of c are set. 0 or -ENOMEM. */
int ue_streams_create(struct ue_call *c);
void ue_streams_destroy(struct ue_call *c); /* nothing there is fine, here and below */

/* Ours in an offer: into c->ours, whose m-lines are set. */
void ue_streams_offer(struct ue_call *c);
/* Ours in an answer: their m-lines stand in c->ours, all refused but those that are wanted. */
void ue_streams_answer(struct ue_call *c, const struct ue_sdp *theirs);
/* c->ours and theirs are in force. */
void ue_streams_agreed(struct ue_call *c, const struct ue_sdp *theirs, bool is_offerer);
void ue_streams_end(struct ue_call *c);

void ue_streams_act(struct ue_call *c, const struct ue_action *action);
void ue_streams_tick(struct ue_call *c, uint64_t now_ns);

json_t *ue_streams_json(const struct ue_call *c);

#endif
