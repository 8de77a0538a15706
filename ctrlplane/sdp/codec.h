/* The audio formats that we agree on (RFC 3551 section 6, RFC 8866 6.6 rtpmap, RFC 4733). */
#ifndef CP_SDP_CODEC_H
#define CP_SDP_CODEC_H

#include <stdbool.h>
#include <stdint.h>
#include "ctrlplane/base/slice.h"
#include "dataplane/api/codec_id.h"

#define CP_CODEC_DTMF_PT 101 /* what we offer for telephone-event */

struct cp_codec_info {
	enum dp_codec_id codec;
	const char *name;
	uint32_t clock_hz;
	uint8_t pt;	/* static, or what we offer */
	bool is_static; /* needs no rtpmap */
};

/* NULL: not ours. */
const struct cp_codec_info *cp_codec_info(enum dp_codec_id codec);

/* The codec of a payload type: its rtpmap value ("L16/8000/1") or, when that is empty, the static
 * assignment. DP_CODEC_NONE: not ours. */
enum dp_codec_id cp_codec_find(uint8_t pt, struct cp_slice rtpmap);

/* "telephone-event/8000". */
bool cp_codec_is_dtmf(struct cp_slice rtpmap);

#endif
