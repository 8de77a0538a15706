/*
 * Mixing: exact 32-bit sums minus self, a soft limiter, gain, level. All samples are int16, all
 * lengths are in samples, 1 to 960; arrays may have any alignment (64 octets are fastest) and do
 * not overlap unless said. All instruction sets give the same values. A sum is exact for up to
 * 65,536 contributors.
 */
#ifndef DP_MIX_H
#define DP_MIX_H

#include <stdbool.h>
#include <stdint.h>
#include "dataplane/api/isa.h"

#define DP_MIX_KNEE 24576  /* up to this |x| the limiter is the identity */
#define DP_MIX_SILENCE 127 /* level of nothing */

/*
 * A gain as mantissa * 2^-shift. All bits zero: mute. The limiter is not involved: a sample that
 * leaves 16 bits saturates.
 */
struct dp_gain {
	int16_t mantissa; /* 16384 to 32767, or 0 */
	uint8_t shift;
	bool is_unity; /* 0 dB: apply nothing */
};

/* Hundredths of a dB, -6000 to +2000; beyond is clamped. Floating point: for the control thread. */
struct dp_gain dp_gain_from_cdb(int gain_cdb);

/* What a frame is like. */
struct dp_level {
	uint8_t level;	/* -dBov, 0 loudest, 127 silence: RFC 6464, RMS against a full-scale square
			   wave */
	bool is_silent; /* every |x| <= 8: what encoders make of digital silence */
};

/* The functions of one instruction set. */
struct dp_mix {
	/* sum[i] = in[0][i] + ... + in[count - 1][i]; count 0 gives zeros. */
	void (*sum)(int32_t *sum, const int16_t *const *in, unsigned count, unsigned samples);

	/* sum[i] += in[i] (partial sums of another worker, late contributors). */
	void (*add)(int32_t *sum, const int16_t *in, unsigned samples);

	/* out[i] = limit(sum[i] - self[i]); self NULL: limit(sum[i]). out may be self. */
	void (*out)(int16_t *out, const int32_t *sum, const int16_t *self, unsigned samples);

	/* In place, saturating, rounding half up. */
	void (*gain)(int16_t *pcm, const struct dp_gain *gain, unsigned samples);

	struct dp_level (*level)(const int16_t *pcm, unsigned samples);
};

const struct dp_mix *dp_mix(enum dp_isa isa);

/*
 * The limiter: identity up to the knee, above it a curve that nears full scale and never passes it:
 * with e = |x| - 24576, y = 24576 + 8191 e / (e + 8191), rounded down; odd, monotonic, slope 1 at
 * the knee.
 */
int16_t dp_mix_limit(int32_t x);

#endif
