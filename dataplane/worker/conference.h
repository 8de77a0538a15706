/* A conference as its worker keeps it. Its list of legs lies in memory that the control thread brought. */
#ifndef DP_WORKER_CONFERENCE_H
#define DP_WORKER_CONFERENCE_H

#include <stdbool.h>
#include <stdint.h>
#include "dataplane/mix/loudest.h"

struct dp_conference {
	uint32_t id;
	uint32_t leg_count;
	uint32_t active;  /* legs that send or receive; 0: not in the wheel */
	uint32_t slot;	  /* of the wheel */
	uint32_t slot_at; /* place in the slot's list */
	uint32_t member_room;
	uint32_t *members;	   /* leg indices */
	struct dp_talker *talkers; /* behind them, in the same order */
	uint16_t loudest_n;
	uint16_t small_size;
	bool is_live;
	bool talkers_changed; /* since TALKERS was said */
	uint32_t gone_count;  /* contributors that left: contributor.h */
	uint32_t plays;	      /* what is played to it and its legs: play.h */
	uint64_t talkers_ns;  /* when that may be said again */
} __attribute__((aligned(64)));

_Static_assert(sizeof(struct dp_conference) == 64, "a conference is one line");

#endif
