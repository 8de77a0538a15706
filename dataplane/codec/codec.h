/*
 * The codec table. A codec joins by a row (and its functions); nothing else in the media plane
 * knows codecs by name. Rows are per instruction set, chosen at start by
 * dp_codec_table(dp_isa_best()).
 */
#ifndef DP_CODEC_H
#define DP_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dataplane/api/codec_id.h"
#include "dataplane/api/isa.h"

#define DP_CODEC_FRAME_MAX 960 /* samples of 20 ms at 48000 Hz */

/*
 * One codec. state is decoder_size or encoder_size octets of the leg's, 16-octet aligned, zeroed or
 * set by init; NULL when that size is 0 (G.711, L16: no memory between frames).
 */
struct dp_codec {
	const char *name;     /* SDP encoding name */
	uint32_t clock_hz;    /* of RTP timestamps */
	uint32_t sample_hz;   /* of the sound */
	uint16_t frame_units; /* timestamp units of the smallest whole frame; 1: may be cut at every
				 sample */
	uint16_t unit_octets; /* octets of frame_units where that is constant; 0: it varies */
	uint16_t decoder_size; /* octets of state */
	uint16_t encoder_size;
	uint16_t payload_max; /* octets of the longest payload we send (60 ms) */
	int8_t static_pt;     /* RFC 3551 table 4; -1: dynamic only */
	uint8_t channels;
	uint8_t id; /* enum dp_codec_id */

	/* Timestamp units that a payload lasts; 0: it is none of this codec's (empty, broken, or
	 * cut in a sample). */
	uint32_t (*duration)(const uint8_t *payload, uint32_t octets);

	/* Decode a payload that duration() approved. pcm has room for its samples; any alignment.
	 * Returns samples. */
	uint32_t (*decode)(void *state, int16_t *pcm, const uint8_t *payload, uint32_t octets);

	/* Encode samples (a multiple of frame_units) into out, any alignment. Returns octets. */
	uint32_t (*encode)(void *state, uint8_t *out, const int16_t *pcm, uint32_t samples);

	/* Codecs with memory conceal by themselves; NULL: dataplane/codec/plc.h on the last sound
	 * played. */
	uint32_t (*conceal)(void *state, int16_t *pcm, uint32_t samples);

	/* Set a fresh state; NULL: zeros will do. */
	void (*init_decoder)(void *state);
	void (*init_encoder)(void *state);
};

/* DP_CODEC_COUNT rows, indexed by enum dp_codec_id; the row of DP_CODEC_NONE has no functions and
 * zero rates. */
const struct dp_codec *dp_codec_table(enum dp_isa isa);

#endif
