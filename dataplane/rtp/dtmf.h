/*
 * telephone-event, receive side: RFC 4733 2. Each key press is told exactly once: at its first end
 * packet or, if those were lost, when the next press begins or after DP_DTMF_TIMEOUT_MS without a
 * packet.
 */
#ifndef DP_DTMF_H
#define DP_DTMF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DP_DTMF_TIMEOUT_MS 200 /* 2.5.2.2: more than three update intervals of 50 ms */
#define DP_DTMF_OUT_MAX 5      /* events that one packet can bring out */

/* One leg's receiver; zeroed memory is "no event yet". Owned by the leg's worker. */
struct dp_dtmf {
	uint64_t last_ns;  /* arrival of the last packet of the event under way */
	uint32_t ts;	   /* of the event's present segment */
	uint32_t base;	   /* duration of the segments before it, timestamp units */
	uint16_t duration; /* in the present segment, timestamp units */
	uint8_t event;
	uint8_t is_open; /* an event is under way */
	uint8_t is_seen; /* ts and event hold, open or told */
};

struct dp_dtmf_event {
	uint8_t code;	/* 0-9, 10 *, 11 #, 12-15 A-D; 16 flash; others as received */
	uint8_t volume; /* -dBm0 of the last packet, 0 when unknown */
	uint32_t duration_ms;
};

/* One packet as it came off RTP (after unprotect), in any order, any copy. clock_hz: of the payload
 * type, 8000. */
struct dp_dtmf_packet {
	const uint8_t *payload;
	uint64_t arrival_ns;
	uint32_t ts;
	uint32_t clock_hz;
	uint16_t len; /* a multiple of 4, RFC 4733 2.3; else the packet is ignored */
};

/* Returns how many events of out (room for DP_DTMF_OUT_MAX) came to their end with this packet. */
unsigned dp_dtmf_put(struct dp_dtmf *dtmf, const struct dp_dtmf_packet *packet,
		     struct dp_dtmf_event *out);

/* True while an event is under way: only then dp_dtmf_expire has to be called, every 20 ms or so.
 */
static inline bool
dp_dtmf_is_open(const struct dp_dtmf *dtmf)
{
	return dtmf->is_open;
}

/* Ends an event whose end packets were lost. Returns 0 or 1. */
unsigned dp_dtmf_expire(struct dp_dtmf *dtmf, uint64_t now_ns, uint32_t clock_hz,
			struct dp_dtmf_event *out);

#endif
