/*
 * Who is heard in a large conference: the loudest N, with hysteresis. Pure, on arrays of the
 * conference's legs.
 */
#ifndef DP_LOUDEST_H
#define DP_LOUDEST_H

#include <stdbool.h>
#include <stdint.h>

#define DP_LOUDEST_HOLD_TICKS \
	10 /* 200 ms that a talker keeps its place after last speaking loud enough */
#define DP_LOUDEST_LEAD_DB 6 /* a newcomer takes a place by being so much louder */
#define DP_LOUDEST_FLOOR 70  /* -dBov: below it nobody talks */

/* One leg's memory; zeroed memory is "silent so far". 6 octets. */
struct dp_talker {
	uint16_t loudness; /* smoothed, 1/16 dB above -127 dBov; rises at once, falls 30 dB in about
			      300 ms */
	uint8_t hold_ticks; /* left */
	uint8_t score;	    /* of the last selection */
	bool is_talking;    /* out: has a place */
};

/*
 * One tick: levels[i] (-dBov, 127 absent or muted) of count legs; at most places of them talk
 * afterwards (talkers[i].is_talking). places 0: all that are above the floor or held. Returns how
 * many talk; *has_changed: the set is not what it was.
 */
unsigned dp_loudest_select(struct dp_talker *talkers, const uint8_t *levels, unsigned count,
			   unsigned places, bool *has_changed);

#endif
