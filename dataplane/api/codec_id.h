/* Codecs by number, as the control socket names them. What a codec is stands in dataplane/codec/. */
#ifndef DP_API_CODEC_ID_H
#define DP_API_CODEC_ID_H

enum dp_codec_id {
	DP_CODEC_NONE = 0,
	DP_CODEC_PCMU, /* RFC 3551 4.5.14, 8000 Hz */
	DP_CODEC_PCMA, /* RFC 3551 4.5.14, 8000 Hz */
	DP_CODEC_L16,  /* RFC 3551 4.5.11, mono, 8000 Hz here */
	DP_CODEC_COUNT
};

#endif
