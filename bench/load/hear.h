/*
 * The ear of a participant: level of each expected frequency, measurement by measurement, and the time from a speaker's mark to its
 * sound here.
 *
 * A mark is the end of a short gap that a speaker makes in its tone. The speaker notes when it sent the first packet after
 * the gap; the ear finds where in a frame the tone sets in again. Owned by the media thread.
 */
#ifndef BENCH_LOAD_HEAR_H
#define BENCH_LOAD_HEAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "bench/load/tone.h"

#define UE_DELAYS_MAX 64    /* the last so many delays of an ear */
#define UE_HEARD_DBOV -60.0 /* a measurement below it counts as not heard */
#define UE_BINS 193

/* What a speaker says of its last mark. */
struct ue_mark {
	uint32_t number; /* 0: none yet */
	uint64_t sent_ns;
};

struct ue_pitch {
	unsigned hz;
	unsigned phase;	      /* of the cosine at the next window */
	float sum_re, sum_im; /* over the windows of this measurement so far */
	float full;	      /* usual peak in one window, slowly following */
	float last;	      /* peak in the last window */
	float last_dbov;      /* last measurement */
	bool is_in_gap;
	uint32_t mark_number;	    /* the last mark that was measured */
	uint32_t heard;		    /* measurements above UE_HEARD_DBOV */
	uint16_t bins[UE_BINS];	    /* measurements by level, half a dB each, from 0 dBov down */
	const struct ue_mark *mark; /* NULL: the speaker is elsewhere */
};

struct ue_ear {
	uint32_t windows;     /* measurements */
	uint32_t every;	      /* of packets that came, one in so many is heard */
	uint32_t combine;     /* windows that make one measurement */
	uint32_t combined;    /* of the one under way */
	uint32_t fill;	      /* samples in pcm */
	uint32_t delay_count; /* all that were measured */
	float delays_ms[UE_DELAYS_MAX];
	int16_t pcm[UE_WINDOW];
	unsigned count;
	struct ue_pitch pitch[];
};

/*
 * every 1: each packet is heard, and five windows make a measurement, which tells tones apart that lie on multiples of 10 Hz.
 * Above: single packets, and multiples of 50 Hz; no delays. NULL: no memory.
 */
struct ue_ear *ue_ear_create(const unsigned *hz, unsigned count, unsigned every);
void ue_ear_destroy(struct ue_ear *ear);

/* Forget what was measured; what is known of marks stays. */
void ue_ear_reset(struct ue_ear *ear);

/* Samples in the order of play. at_ns: when the packet of the first one came. */
void ue_ear_hear(struct ue_ear *ear, const int16_t *pcm, size_t n, uint64_t at_ns);

/* Median level over the measurements in which it was heard; UE_SILENCE_DBOV when it was in none. */
double ue_pitch_dbov(const struct ue_pitch *p);

/* Median of the delays; below 0: none measured. */
double ue_ear_delay_ms(const struct ue_ear *ear, double quantile);

#endif
