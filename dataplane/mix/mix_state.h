/* What the mix sources share: the level table, the reference functions and the kernels of each instruction set. */
#ifndef DP_MIX_STATE_H
#define DP_MIX_STATE_H

#include <stdint.h>
#include "dataplane/mix/mix.h"

#define DP_MIX_HEADROOM 8191 /* 32767 - DP_MIX_KNEE */
#define DP_MIX_SILENT_PEAK 8

extern const uint64_t dp_level_table[DP_MIX_SILENCE];

extern const struct dp_mix dp_mix_c;
extern const struct dp_mix dp_mix_avx2;
extern const struct dp_mix dp_mix_avx512;

/* -dBov of a sum of squares over so many samples. */
static inline uint8_t
dp_level_of(uint64_t energy, unsigned samples)
{
	uint64_t mean = (energy << 20) / samples;
	unsigned at = 0;

	/* the first row that mean reaches: 127 rows by halves */
	for (unsigned step = 64; step > 0; step /= 2)
		if (at + step <= DP_MIX_SILENCE && mean < dp_level_table[at + step - 1])
			at += step;
	return (uint8_t)at;
}

#endif
