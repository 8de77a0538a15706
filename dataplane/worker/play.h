/*
 * Clips that are played to legs and conferences. Every leg and every conference has one place in a table: the index of a leg's is
 * its own, conferences' follow. Owner: the worker; the clips' memory is the control thread's, which takes it back by CLIP_RETIRE.
 */
#ifndef DP_WORKER_PLAY_H
#define DP_WORKER_PLAY_H

#include <stdbool.h>
#include <stdint.h>
#include "dataplane/worker/msg.h"

struct dp_worker;

struct dp_play {
	const struct dp_clip *clip; /* NULL: nothing plays here */
	uint32_t id;
	uint32_t next;	 /* sample */
	uint32_t place;	 /* in the worker's list of those that play */
	uint32_t flags;	 /* enum dp_play_flag */
	uint32_t except; /* leg that does not hear it; DP_PLAY_TO_ALL */
	struct dp_gain gain;
};

/* The place of a conference. */
uint32_t dp_play_of_conf(const struct dp_worker *w, uint32_t conf);

/* What plays there ends as displaced. */
void dp_play_begin(struct dp_worker *w, uint32_t at, const struct dp_msg_play *play);

/* id 0: whatever plays there. False: that does not play. */
bool dp_play_stop(struct dp_worker *w, uint32_t at, uint32_t id);

/* The leg or conference goes: no event. */
void dp_play_forget(struct dp_worker *w, uint32_t at);

/* Whatever plays this clip ends. */
void dp_play_retire(struct dp_worker *w, const struct dp_clip *clip);

/* The next 20 ms into row, zeros behind the end of the clip; false: nothing plays there. */
bool dp_play_next(struct dp_worker *w, uint32_t at, int16_t *row);

#endif
