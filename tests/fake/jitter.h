/*
 * A sender, a network and a media clock, all simulated, around one jitter buffer. Every unit of sound carries the low 16 bits of
 * its own timestamp, so that what is played says what it is.
 */
#ifndef SIM_H
#define SIM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "dataplane/jitter/jitter_state.h"

#define SIM_PACKETS_MAX 400000
#define SIM_MS 1000000ULL

struct sim_packet {
	uint64_t sent_ns, arrival_ns, played_ns; /* played_ns 0: not yet */
	uint32_t ts, ssrc;
	uint16_t seq;
	uint16_t duration;
	bool is_lost, is_sound;
	uint8_t verdict;
};

struct sim {
	struct dp_jbuf jb;
	struct dp_frame_pool *pool;
	void *memory;
	struct sim_packet *packets;
	unsigned count;	  /* of packets */
	unsigned next;	  /* to arrive */
	unsigned arrived; /* put: of sound */
	unsigned refused; /* by put */
	uint64_t now_ns;  /* of the next tick */
	uint64_t random;
	/* what was played since the last sim_mark */
	unsigned ticks, played_units, concealed_units, silent_units, joins;
	int64_t delay_min_us, delay_max_us, delay_sum_us;
	unsigned delays;
	bool has_ts;
	uint32_t last_ts; /* end of what was played last */
	bool is_quiet;	  /* what the media side says of the leg */
	bool is_ordered;  /* check that play goes forward; a test of resets turns it off */
};

static inline uint32_t
sim_random(struct sim *sim)
{
	sim->random ^= sim->random << 13;
	sim->random ^= sim->random >> 7;
	sim->random ^= sim->random << 17;
	return (uint32_t)(sim->random >> 24);
}

static inline void
sim_mark(struct sim *sim)
{
	sim->ticks = sim->played_units = sim->concealed_units = sim->silent_units = sim->joins =
		sim->delays = 0;
	sim->delay_min_us = INT64_MAX;
	sim->delay_max_us = sim->delay_sum_us = 0;
}

static inline void
sim_init(struct sim *sim, uint16_t min_ms, uint16_t max_ms)
{
	struct dp_jbuf_conf conf = {.clock_hz = 8000, .min_ms = min_ms, .max_ms = max_ms};

	memset(sim, 0, sizeof(*sim));
	sim->memory = aligned_alloc(64, dp_frame_pool_octets(8, 64));
	sim->packets = calloc(SIM_PACKETS_MAX, sizeof(*sim->packets));
	if (sim->memory == NULL || sim->packets == NULL)
		abort();
	sim->pool = dp_frame_pool_init(sim->memory, 8, 64);
	dp_jbuf_init(&sim->jb, &conf);
	sim->now_ns = 1000 * SIM_MS + 7 * SIM_MS;
	sim->random = 0x9e3779b97f4a7c15;
	sim->is_ordered = true;
	sim_mark(sim);
}

static inline void
sim_fini(struct sim *sim)
{
	dp_jbuf_flush(&sim->jb, sim->pool);
	if (dp_frame_pool_used(sim->pool) != 0) {
		fprintf(stderr, "%u blocks leaked\n", dp_frame_pool_used(sim->pool));
		abort();
	}
	free(sim->memory);
	free(sim->packets);
}

/* What a sender sends: ms of sound from start_ms on, in packets of ptime; its clock is off by ppm. Returns the first packet. */
struct sim_stream {
	unsigned start_ms, ms, ptime;
	int ppm;
	uint32_t ssrc, ts;
	uint16_t seq;
};

static inline struct sim_packet *
sim_send(struct sim *sim, const struct sim_stream *stream)
{
	struct sim_packet *first = &sim->packets[sim->count];
	unsigned n = stream->ms / stream->ptime;

	for (unsigned i = 0; i < n && sim->count < SIM_PACKETS_MAX; i++) {
		double at_ms =
			stream->start_ms + (double)i * stream->ptime * (1.0 - stream->ppm / 1e6);
		struct sim_packet *packet = &sim->packets[sim->count++];

		packet->sent_ns = packet->arrival_ns = 1000 * SIM_MS + (uint64_t)(at_ms * 1e6);
		packet->duration = (uint16_t)(stream->ptime * 8);
		packet->ts = stream->ts + i * packet->duration;
		packet->seq = (uint16_t)(stream->seq + i);
		packet->ssrc = stream->ssrc;
		packet->is_sound = true;
	}
	return first;
}

static int
sim_by_arrival(const void *a, const void *b)
{
	const struct sim_packet *x = a, *y = b;

	return x->arrival_ns < y->arrival_ns   ? -1
	       : x->arrival_ns > y->arrival_ns ? 1
					       : (int)(int16_t)(x->seq - y->seq);
}

/* The network is decided: put the packets in order of arrival. */
static inline void
sim_go(struct sim *sim)
{
	qsort(sim->packets + sim->next, sim->count - sim->next, sizeof(*sim->packets),
	      sim_by_arrival);
}

static inline void
sim_put(struct sim *sim, struct sim_packet *packet)
{
	uint8_t payload[2 * 120 * 8];
	struct dp_jbuf_packet in = {.payload = payload,
				    .arrival_ns = packet->arrival_ns,
				    .ssrc = packet->ssrc,
				    .ts = packet->ts,
				    .seq = packet->seq,
				    .len = (uint16_t)(2 * packet->duration),
				    .duration = packet->duration,
				    .tag = 3};

	if (packet->is_lost)
		return;
	if (!packet->is_sound) {
		dp_jbuf_skip(&sim->jb, sim->pool, packet->ssrc, packet->seq);
		return;
	}
	for (unsigned i = 0; i < packet->duration; i++) {
		payload[2 * i] = (uint8_t)((packet->ts + i) >> 8);
		payload[2 * i + 1] = (uint8_t)(packet->ts + i);
	}
	packet->verdict = (uint8_t)dp_jbuf_put(&sim->jb, sim->pool, &in);
	sim->arrived++;
	sim->refused += packet->verdict != DP_DROP_NONE;
}

/* Which packet begins with or holds this 16-bit timestamp, of those that came in the last seconds. */
static inline struct sim_packet *
sim_find(struct sim *sim, uint16_t ts)
{
	for (unsigned i = sim->next; i-- > 0 && sim->next - i < 700;)
		if (sim->packets[i].is_sound && !sim->packets[i].is_lost &&
		    sim->packets[i].verdict == DP_DROP_NONE &&
		    (uint16_t)(ts - (uint16_t)sim->packets[i].ts) < sim->packets[i].duration)
			return &sim->packets[i];
	return NULL;
}

static inline void
sim_check(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "%s\n", what);
		abort();
	}
}

static inline void
sim_played(struct sim *sim, const struct dp_jbuf_part *part)
{
	uint16_t ts = (uint16_t)(part->payload[0] << 8 | part->payload[1]);
	struct sim_packet *packet = sim_find(sim, ts);

	sim_check(part->len == 2 * part->duration && part->tag == 3,
		  "a part is not its payload's length");
	for (unsigned i = 0; i < part->duration; i++)
		sim_check((uint16_t)(part->payload[2 * i] << 8 | part->payload[2 * i + 1]) ==
				  (uint16_t)(ts + i),
			  "payload torn");
	sim_check(packet != NULL, "played what never came");
	if (sim->is_ordered && sim->has_ts)
		sim_check((int16_t)(ts - (uint16_t)sim->last_ts) >= 0,
			  "played sound twice or backwards");
	sim->has_ts = true;
	sim->last_ts = (uint32_t)ts + part->duration;
	sim->played_units += part->duration;
	if (packet->played_ns == 0 && ts == (uint16_t)packet->ts) {
		int64_t delay_us = (int64_t)(sim->now_ns - packet->arrival_ns) / 1000;

		packet->played_ns = sim->now_ns;
		sim->delay_min_us = delay_us < sim->delay_min_us ? delay_us : sim->delay_min_us;
		sim->delay_max_us = delay_us > sim->delay_max_us ? delay_us : sim->delay_max_us;
		sim->delay_sum_us += delay_us;
		sim->delays++;
	}
}

/* in = played + held + drops, in the leg's counts and in the pool's. */
static inline void
sim_conserved(struct sim *sim)
{
	struct dp_jbuf_counts c;
	const struct dp_jbuf_totals *t = dp_frame_pool_totals(sim->pool);

	dp_jbuf_counts(&sim->jb, &c);
	sim_check(sim->arrived == c.played + dp_jbuf_held(&sim->jb) + c.reset + c.overflow +
					  c.skew + c.expired + sim->refused,
		  "packets vanished");
	sim_check(t->played == c.played && t->held == dp_jbuf_held(&sim->jb),
		  "totals differ from counts");
	sim_check(t->drops[DP_DROP_JBUF_RESET] == c.reset &&
			  t->drops[DP_DROP_JBUF_OVERFLOW] == c.overflow &&
			  t->drops[DP_DROP_JBUF_SKEW] == c.skew &&
			  t->drops[DP_DROP_JBUF_LATE] == c.expired,
		  "drops differ from counts");
	sim_check(dp_frame_pool_used(sim->pool) ==
			  dp_jbuf_held(&sim->jb) + (sim->jb.last != DP_JBUF_NO_BLOCK),
		  "blocks leaked");
}

static inline void
sim_tick(struct sim *sim)
{
	struct dp_jbuf_out out;
	unsigned units = 0;

	while (sim->next < sim->count && sim->packets[sim->next].arrival_ns <= sim->now_ns)
		sim_put(sim, &sim->packets[sim->next++]);
	dp_jbuf_get(&sim->jb, sim->pool, sim->now_ns, sim->is_quiet, &out);
	sim_check(out.count >= 1 && out.count <= DP_JBUF_PARTS_MAX, "count of parts");
	for (unsigned i = 0; i < out.count; i++) {
		units += out.part[i].duration;
		if (out.part[i].kind == DP_JBUF_PLAY)
			sim_played(sim, &out.part[i]);
		else if (out.part[i].kind == DP_JBUF_CONCEAL)
			sim->concealed_units += out.part[i].duration;
		else
			sim->silent_units += out.part[i].duration;
	}
	if (out.is_joined) {
		sim_check(out.part[out.join_at].kind == DP_JBUF_PLAY && out.join.payload != NULL,
			  "joined to nothing");
		sim->joins++;
	}
	sim_check(units == 160, "a tick is not 20 ms");
	sim_conserved(sim);
	sim->ticks++;
	sim->now_ns += DP_JBUF_TICK_NS;
}

/* Run until so many ms after the start. */
static inline void
sim_until(struct sim *sim, unsigned ms)
{
	while (sim->now_ns < (1000 + (uint64_t)ms) * SIM_MS)
		sim_tick(sim);
}

#endif
