/*
 * What the participant offers and what it is answered (RFC 3264, 4566, 4568). Texts are written and read here without the
 * focus's own parser, which they judge.
 */
#ifndef BENCH_LOAD_SDP_H
#define BENCH_LOAD_SDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "bench/load/sdp_stream.h"
#include "dataplane/api/codec_id.h"
#include "dataplane/api/suite.h"

#define UE_SDP_MAX 8192
#define UE_KEYS_MAX 5
#define UE_CODECS_MAX 4
#define UE_ADDR_MAX 46
#define UE_LINES_MAX 8

/* A master key with its salt, as a crypto line carries it. Wiped after use. */
struct ue_sdes {
	unsigned tag;
	enum dp_suite suite;
	uint8_t key[DP_SRTP_KEY_MAX];
	uint8_t salt[DP_SRTP_SALT_MAX];
	uint32_t mki; /* value, when mki_len > 0 */
	uint8_t mki_len;
};

/* An m-line in its place: "audio", "RTP/SAVP", "0 8 101". */
struct ue_line {
	char media[16], proto[24], formats[48];
	uint16_t port; /* 0: refused */
	/* base64 of a=key-mgmt:mikey at this line, borrowed: of the text that was read, then not NUL-terminated; NULL: none */
	const char *mikey;
	size_t mikey_len;
};

/* One audio stream as one side describes it, with floor control and chat, among other m-lines that are described but not used. */
struct ue_sdp {
	unsigned line_count, own; /* own: the first audio, which all but line is about */
	struct ue_line line[UE_LINES_MAX];
	char addr[UE_ADDR_MAX]; /* IP address in text */
	uint16_t port;		/* 0: refused */
	uint16_t rtcp_port;	/* 0: port + 1 */
	bool is_secure;		/* RTP/SAVP(F), else AVP(F) */
	bool has_mux;
	const char *dir; /* "sendrecv", "sendonly", "recvonly", "inactive" */
	unsigned ptime;
	unsigned codec_count;
	enum dp_codec_id codec[UE_CODECS_MAX];
	uint8_t pt[UE_CODECS_MAX];
	uint8_t dtmf_pt; /* 0: none */
	unsigned key_count;
	struct ue_sdes key[UE_KEYS_MAX];
	uint64_t session; /* o= line */
	unsigned version;
	const char *lifetime; /* of the key in our crypto lines, e.g. "2^31"; may be NULL */
	const char *params;   /* session parameters of our crypto lines; may be NULL */
	/* the message for our audio, as above; of the session where the audio has none of its own */
	const char *mikey;
	size_t mikey_len;
	bool is_mikey_at_session;
	struct ue_stream_sdp stream[UE_SERVICES];
};

/* An m-line by a name of --media-lines; false: no such name. */
bool ue_line_by_name(struct ue_line *out, const char *name);

/* Does it get crypto sessions under a message of the session? */
bool ue_line_is_keyed(const struct ue_line *line);

/* The first of the two that an m-line has there: profile section 4. */
uint8_t ue_sdp_cs_id(const struct ue_sdp *sdp, unsigned line);

/* The length, or 0 when it does not fit. */
size_t ue_sdp_write(char out[UE_SDP_MAX], const struct ue_sdp *sdp);

/* The first audio stream of a description. 0; -EBADMSG: not SDP, or no audio stream in it. */
int ue_sdp_read(struct ue_sdp *out, const char *text, size_t len);

/* Payload type by RFC 3551, or dynamic. */
uint8_t ue_codec_pt(enum dp_codec_id codec);
const char *ue_codec_name(enum dp_codec_id codec);
enum dp_codec_id ue_codec_by_name(const char *name);
enum dp_suite ue_suite_by_name(const char *name);

/* Fresh from the kernel's generator. 0 or -errno. */
int ue_sdes_random(struct ue_sdes *key, enum dp_suite suite, unsigned tag);

#endif
