/*
 * A participant that watches its conference (RFC 4575, 6665): SUBSCRIBE in the call's dialog or in one of its own, under a key of the
 * call or of a ticket of its own, and the roster put together of what NOTIFY brings. Owned by the signalling thread.
 */
#ifndef BENCH_LOAD_SUBSCRIBE_H
#define BENCH_LOAD_SUBSCRIBE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct nta_incoming_s;
struct sip_s;
struct ue_call;
struct ue_sub; /* owner: its call */

/* Subscribes when the call is up, refreshes when it is time, ends in time. */
void ue_sub_tick(struct ue_call *c, uint64_t now_ns);
/* A NOTIFY in the call's dialog. Returns the status to answer with. */
int ue_sub_notified(struct ue_call *c, const struct sip_s *sip);
/* SUBSCRIBE with Expires 0; in silence: nothing more is said. */
void ue_sub_leave(struct ue_call *c, bool in_silence);
/* It is subscribed, or about to be. */
bool ue_sub_is_open(const struct ue_call *c);
void ue_sub_free(struct ue_call *c);

/* What it saw: NULL: it does not watch. */
json_t *ue_sub_json(const struct ue_call *c);

/* For the summary of many. */
struct ue_sub_totals {
	unsigned subscribed, refused, complete, notifies, full, partial, gaps, failures;
	uint64_t octets;
};
/* users: how many a complete roster has. */
void ue_sub_add(struct ue_sub_totals *totals, const struct ue_call *c, unsigned users);

#endif
