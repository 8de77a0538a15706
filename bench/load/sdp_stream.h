/* Floor control and chat as one side describes them (RFC 8856, RFC 4975 section 8, RFC 6135, RFC 7701 section 8). */
#ifndef BENCH_LOAD_SDP_STREAM_H
#define BENCH_LOAD_SDP_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UE_STREAM_ADDR_MAX 46
#define UE_STREAM_PATH_MAX 256
#define UE_STREAM_FLOORS_MAX 8

/* What a stream of TCP is for. */
enum ue_service { UE_FLOOR, UE_CHAT, UE_SERVICES };

/* How it is protected: by what protects the call. */
enum ue_stream_guard {
	UE_STREAM_PLAIN,
	UE_STREAM_PSK,	       /* TLS, keyed by MIKEY-TICKET */
	UE_STREAM_CERTIFICATE, /* TLS, fingerprints in SDP */
};

struct ue_stream_sdp {
	bool is_there;			/* described; its port is the m-line's, 0: refused */
	unsigned line;			/* index of the m-line */
	char addr[UE_STREAM_ADDR_MAX];	/* empty: that of the session */
	char setup[12], connection[12]; /* empty: not said */
	char fingerprint[112];		/* "sha-256 0A:…"; empty: none */
	char path[UE_STREAM_PATH_MAX];	/* chat */
	char accept_types[64], wrapped_types[64];
	bool has_chatroom, has_cema;
	char chatroom[64]; /* tokens behind a=chatroom: */
	uint64_t max_size; /* 0: not said */
	char floorctrl[12];
	uint32_t confid;
	uint16_t userid;
	unsigned floor_count;
	struct {
		uint16_t id;
		char streams[48]; /* labels of its m-lines */
	} floor[UE_STREAM_FLOORS_MAX];
};

/* Which service an m-line is of; UE_SERVICES: none. */
enum ue_service ue_stream_of(const char *media, const char *proto);
const char *ue_stream_proto(enum ue_service service, enum ue_stream_guard guard);

/* One attribute ("setup:active") into s. */
void ue_stream_attribute(struct ue_stream_sdp *s, const char *attribute);
/* The attribute lines of what we describe. As snprintf. */
int ue_stream_write(char *out, size_t size, const struct ue_stream_sdp *s, enum ue_service service);

#endif
