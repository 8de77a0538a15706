/*
 * The jitter buffer: the one place that knows both clocks. Packets come in by arrival time (packet
 * clock); sound goes out at the media tick, 20 ms at a time (media clock). Both clocks are
 * arguments: the same calls give the same results.
 *
 * It keeps encoded payloads, in frame blocks of the worker's pool. How it decides stands in
 * README.md. Everything here belongs to the worker that owns the leg; nothing allocates, locks or
 * calls the system.
 *
 * Conservation: every packet that dp_jbuf_put took (verdict NONE) ends as exactly one of
 * counts.played, counts.reset, counts.overflow, counts.skew, counts.expired, the number that
 * dp_jbuf_flush returned, or is held now.
 */
#ifndef DP_JITTER_H
#define DP_JITTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dataplane/api/drops.h"

#define DP_JBUF_TICK_NS 20000000ULL
#define DP_JBUF_PARTS_MAX 8	 /* parts of one tick */
#define DP_JBUF_PAYLOAD_MAX 1008 /* octets: 60 ms of L16 are 960 */
#define DP_JBUF_SMALL_MAX 176	 /* payloads up to this go into small blocks */
#define DP_JBUF_DURATION_MAX_MS 120

struct dp_jbuf;	      /* a leg's buffer, embedded in the leg: jitter_state.h */
struct dp_frame_pool; /* a worker's frame blocks: jitter_state.h */

/*
 * The pool lies in memory that the caller brings (huge pages, the worker's NUMA node): 64-octet
 * aligned, dp_frame_pool_octets of it. A leg in good order holds 1 to 3 blocks, at worst
 * jbuf_max_ms / ptime + 2. big_count serves payloads over DP_JBUF_SMALL_MAX.
 */
size_t dp_frame_pool_octets(uint32_t small_count, uint32_t big_count);
struct dp_frame_pool *dp_frame_pool_init(void *memory, uint32_t small_count, uint32_t big_count);
uint32_t dp_frame_pool_used(const struct dp_frame_pool *pool);

/*
 * What the worker's legs let go after put had taken it, by reason (JBUF_RESET, JBUF_OVERFLOW,
 * JBUF_SKEW, JBUF_LATE), and what they played: the sums over all legs of the pool, beside each
 * leg's own counts. Verdicts of put are not in it: they are the caller's to count.
 */
struct dp_jbuf_totals {
	uint64_t played;
	uint64_t held; /* gauge */
	uint64_t drops[DP_DROP_COUNT];
};
const struct dp_jbuf_totals *dp_frame_pool_totals(const struct dp_frame_pool *pool);

struct dp_jbuf_conf {
	uint32_t clock_hz; /* of RTP timestamps; a multiple of 50 */
	uint16_t min_ms;   /* delay that is always kept */
	uint16_t max_ms;   /* hard upper bound, at most 300; a packet that would wait longer makes
			      older ones go */
};

/* Fresh memory, or a leg that begins anew after dp_jbuf_flush. Counts start at 0. */
void dp_jbuf_init(struct dp_jbuf *jb, const struct dp_jbuf_conf *conf);

/* New bounds (LEG_UPDATE); clock_hz as before. Takes effect from the next tick on. */
void dp_jbuf_set_bounds(struct dp_jbuf *jb, uint16_t min_ms, uint16_t max_ms);

/* Give all blocks back. Returns how many packets were held: the caller counts them (LEG_GONE). The
 * stream starts anew after it. */
unsigned dp_jbuf_flush(struct dp_jbuf *jb, struct dp_frame_pool *pool);

/* One packet of sound, after unprotect and with its padding off. */
struct dp_jbuf_packet {
	const uint8_t *payload; /* copied */
	uint64_t arrival_ns;
	uint32_t ssrc;
	uint32_t ts;
	uint16_t seq;
	uint16_t len;	   /* octets, not 0 */
	uint16_t duration; /* timestamp units, not 0: what the codec says that len octets last */
	uint8_t tag;	   /* the caller's: comes back with the part; e.g. enum dp_codec_id */
};

/*
 * NONE: taken. Else the packet is the caller's to drop under this name: JBUF_LATE, JBUF_DUPLICATE,
 * NO_FRAME (pool empty), RTP_SIZE (longer than a block, or lasts nothing or over 120 ms). May let
 * older packets go (totals, counts).
 */
enum dp_drop dp_jbuf_put(struct dp_jbuf *jb, struct dp_frame_pool *pool,
			 const struct dp_jbuf_packet *packet);

/*
 * A sequence number of this source that carried no sound (telephone-event, comfort noise): the gap
 * that it leaves is silence, not loss.
 */
void dp_jbuf_skip(struct dp_jbuf *jb, struct dp_frame_pool *pool, uint32_t ssrc, uint16_t seq);

enum dp_jbuf_kind {
	DP_JBUF_PLAY,	 /* decode payload: exactly `duration` timestamp units */
	DP_JBUF_CONCEAL, /* sound is missing: go on from `payload` (the last sound that was played),
			    `since` units after its end */
	DP_JBUF_SILENCE, /* nothing is said: zeros */
};

/* A piece of a tick. */
struct dp_jbuf_part {
	const uint8_t *payload; /* PLAY: octets to decode. CONCEAL: the last ones played; valid as
				   long as dp_jbuf_out says */
	uint16_t len;
	uint16_t duration; /* timestamp units to produce */
	uint16_t since;	   /* CONCEAL: units from the end of `payload` to the start of this part */
	uint8_t tag;	   /* as put with the payload */
	uint8_t kind;	   /* enum dp_jbuf_kind */
};

/*
 * What to play in one tick: the parts, in order, last exactly clock_hz / 50 timestamp units together. The usual case is
 * one PLAY part that points straight into the frame block. All payload pointers stay valid until the next dp_jbuf_put,
 * _skip or _flush on the same pool; gets of other legs do not disturb them.
 */
struct dp_jbuf_out {
	uint8_t count;
	bool is_joined; /* sound comes back at part[join_at], a PLAY: cross-fade into it from `join` */
	uint8_t join_at;
	struct dp_jbuf_part join; /* a CONCEAL part, for its payload and since; duration 0 */
	struct dp_jbuf_part part[DP_JBUF_PARTS_MAX];
};

/*
 * One tick. now_ns: the tick's nominal time, on the clock of arrival_ns, 20 ms after the tick
 * before. is_quiet: what this leg last said was below speech level, so that a frame left out or put
 * in is not heard. True when there is something to decode (a PLAY or CONCEAL part); false: all is
 * silence (out is still filled).
 */
bool dp_jbuf_get(struct dp_jbuf *jb, struct dp_frame_pool *pool, uint64_t now_ns, bool is_quiet,
		 struct dp_jbuf_out *out);

/* Monotonic, per leg, since init. */
struct dp_jbuf_counts {
	uint32_t played;    /* packets of which something was handed out */
	uint32_t reset;	    /* held when the stream began anew: JBUF_RESET */
	uint32_t overflow;  /* JBUF_OVERFLOW */
	uint32_t skew;	    /* let go to make the delay shorter: JBUF_SKEW */
	uint32_t expired;   /* taken, but overtaken by a timestamp out of order: JBUF_LATE */
	uint32_t late;	    /* verdicts of put */
	uint32_t duplicate; /* verdicts of put */
	uint32_t reordered; /* taken after one with a higher sequence number */
	uint32_t concealed; /* ticks with a CONCEAL part */
	uint32_t inserted;  /* ticks put in to make the delay longer */
	uint32_t removed;   /* ticks left out to make it shorter */
	uint32_t restarts;  /* of the stream: SSRC, sequence or timestamp jump, late streak */
	uint32_t ssrc_changes;
};
void dp_jbuf_counts(const struct dp_jbuf *jb, struct dp_jbuf_counts *out);

unsigned dp_jbuf_held(const struct dp_jbuf *jb);

/* Mean time from arrival to playing, us; 0 when the stream does not run. */
uint32_t dp_jbuf_delay_us(const struct dp_jbuf *jb);

/* The sender's media clock against ours; positive: the sender is fast. 0 until known (10 s). */
int32_t dp_jbuf_drift_ppm(const struct dp_jbuf *jb);

#endif
