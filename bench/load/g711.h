/* G.711 for the participant, by its formulas: independent of the media plane's tables, which it judges. */
#ifndef BENCH_LOAD_G711_H
#define BENCH_LOAD_G711_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dataplane/api/codec_id.h"

/* Octets of one sample on the wire; 0 for a codec that we do not have. */
unsigned ue_codec_octets(enum dp_codec_id codec);

void ue_codec_encode(enum dp_codec_id codec, uint8_t *out, const int16_t *pcm, size_t n);
void ue_codec_decode(enum dp_codec_id codec, int16_t *pcm, const uint8_t *in, size_t n);

#endif
