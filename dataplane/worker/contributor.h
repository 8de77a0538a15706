/*
 * What a mixer owes the sources it mixes: RFC 3550 7.3. Those that are told of are in the CSRC lists that a leg gets: their CNAMEs,
 * and their BYE when they are gone.
 */
#ifndef DP_WORKER_CONTRIBUTOR_H
#define DP_WORKER_CONTRIBUTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dataplane/rtp/rtcp.h"

#define DP_GONE_MAX 32	      /* remembered of a conference: more than one BYE takes */
#define DP_GONE_REPORT_MAX 30 /* in one compound */
#define DP_DESCRIBED_MAX 15   /* as a CSRC list */

struct dp_worker;
struct dp_leg;

/* A contributor that is gone. Periods are the media clock's, from 1; 0: never. */
struct dp_gone {
	uint32_t ssrc;
	uint32_t leg;	/* index of whose it was */
	uint32_t heard; /* period in which it was last in a CSRC list */
	uint32_t since; /* period of its BYE */
};

/* The last of a conference: a ring by dp_conference's gone_count. */
struct dp_gone_ring {
	struct dp_gone gone[DP_GONE_MAX];
};

uint32_t dp_worker_period(const struct dp_worker *w);

/* The leg's source says BYE, leaves or changes: whoever was given it as CSRC is to be told. */
void dp_contributor_gone(struct dp_worker *w, struct dp_leg *leg);

/* CNAMEs for this leg's compound, as many as fit into octets; of more in turns. */
unsigned dp_contributors_describe(const struct dp_worker *w, struct dp_leg *leg,
				  struct dp_rtcp_cname out[DP_DESCRIBED_MAX], size_t octets);

/* SSRCs that this leg was given and that are gone since it was last asked for. */
unsigned dp_contributors_take_gone(const struct dp_worker *w, struct dp_leg *leg,
				   uint32_t out[DP_GONE_REPORT_MAX]);

/* Is there somebody gone whom the leg has not been told of? */
bool dp_contributors_has_gone(const struct dp_worker *w, const struct dp_leg *leg);

#endif
