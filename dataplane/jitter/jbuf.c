/* The jitter buffer's life: begin, bounds, restart, flush, reports; and how frames leave. */
#include <string.h>
#include "dataplane/jitter/frames.h"

#define MAX_MS_MAX 300
#define MAX_MS_MIN 40

void
dp_jbuf_set_bounds(struct dp_jbuf *jb, uint16_t min_ms, uint16_t max_ms)
{
	if (max_ms > MAX_MS_MAX)
		max_ms = MAX_MS_MAX;
	if (max_ms < MAX_MS_MIN)
		max_ms = MAX_MS_MIN;
	jb->max_ms = max_ms;
	jb->min_ms = min_ms + 2 * DP_JBUF_TICK_US / 1000 > max_ms
			     ? (uint16_t)(max_ms - 2 * DP_JBUF_TICK_US / 1000)
			     : min_ms;
}

void
dp_jbuf_init(struct dp_jbuf *jb, const struct dp_jbuf_conf *conf)
{
	memset(jb, 0, sizeof(*jb));
	jb->us_q16 = (uint32_t)((1000000ULL << 16) / conf->clock_hz);
	jb->tick_units = (uint16_t)(conf->clock_hz / 50);
	jb->tick_min_us = INT32_MAX;
	dp_jbuf_set_bounds(jb, conf->min_ms, conf->max_ms);
}

/* Where a reason is counted. */
static uint32_t *
count_of(struct dp_jbuf *jb, enum dp_drop reason)
{
	switch (reason) {
	case DP_DROP_JBUF_RESET:
		return &jb->counts.reset;
	case DP_DROP_JBUF_OVERFLOW:
		return &jb->counts.overflow;
	case DP_DROP_JBUF_SKEW:
		return &jb->counts.skew;
	default:
		return &jb->counts.expired;
	}
}

void
dp_jbuf_let_go(struct dp_jbuf *jb, struct dp_frame_pool *pool, uint32_t block, enum dp_drop reason)
{
	jb->held--;
	pool->totals.held--;
	if (dp_frame_at(pool, block)->is_touched) {
		jb->played++;
		pool->totals.played++;
	} else if (reason != DP_DROP_LEG_GONE) {
		(*count_of(jb, reason))++;
		pool->totals.drops[reason]++;
	}
	dp_frame_give(pool, block);
}

uint32_t
dp_jbuf_head(struct dp_jbuf *jb, uint16_t *seq, bool *is_lost)
{
	uint16_t end = (uint16_t)(jb->top_seq + 1);

	*is_lost = false;
	for (uint16_t at = jb->next_seq; at != end; at++) {
		uint32_t block = *dp_jbuf_slot(jb, at);

		if (block == DP_JBUF_NO_SOUND && at == jb->next_seq) {
			dp_jbuf_pass(jb, true);
		} else if (block == DP_JBUF_NO_BLOCK) {
			*is_lost = true;
			if (jb->held == 0)
				break;
		} else if (block != DP_JBUF_NO_SOUND) {
			*seq = at;
			return block;
		}
	}
	return DP_JBUF_NO_BLOCK;
}

void
dp_jbuf_pass_to(struct dp_jbuf *jb, struct dp_frame_pool *pool, uint16_t seq, enum dp_drop reason)
{
	uint16_t end = (uint16_t)(seq + 1);

	while (jb->next_seq != end) {
		uint32_t block = *dp_jbuf_slot(jb, jb->next_seq);

		if (block != DP_JBUF_NO_BLOCK && block != DP_JBUF_NO_SOUND)
			dp_jbuf_let_go(jb, pool, block, reason);
		dp_jbuf_pass(jb, block != DP_JBUF_NO_BLOCK);
	}
	if ((int16_t)(jb->top_seq - seq) < 0)
		jb->top_seq = seq;
}

void
dp_jbuf_pass_time(struct dp_jbuf *jb, struct dp_frame_pool *pool, uint32_t ts, enum dp_drop reason)
{
	uint16_t seq;
	bool is_lost;

	while (jb->held > 0) {
		const struct dp_frame *frame = dp_frame_at(pool, dp_jbuf_head(jb, &seq, &is_lost));

		if ((int32_t)(frame->ts + frame->duration - ts) > 0)
			return;
		dp_jbuf_pass_to(jb, pool, seq, reason);
	}
}

void
dp_jbuf_forget_last(struct dp_jbuf *jb, struct dp_frame_pool *pool)
{
	if (jb->last != DP_JBUF_NO_BLOCK)
		dp_frame_give(pool, jb->last);
	jb->last = DP_JBUF_NO_BLOCK;
	jb->since = 0;
}

/* All frames leave for the reason; no stream. */
static unsigned
clear(struct dp_jbuf *jb, struct dp_frame_pool *pool, enum dp_drop reason)
{
	uint32_t played = jb->played;
	unsigned held = jb->held;

	for (unsigned i = 0; i < DP_JBUF_SLOTS; i++) {
		if (jb->slot[i] != DP_JBUF_NO_BLOCK && jb->slot[i] != DP_JBUF_NO_SOUND)
			dp_jbuf_let_go(jb, pool, jb->slot[i], reason);
		jb->slot[i] = DP_JBUF_NO_BLOCK;
	}
	dp_jbuf_forget_last(jb, pool);
	jb->phase = DP_JBUF_IDLE;
	jb->tick_min_us = INT32_MAX;
	jb->drift_ns = 0;
	return held - (jb->played - played);
}

void
dp_jbuf_restart(struct dp_jbuf *jb, struct dp_frame_pool *pool)
{
	clear(jb, pool, DP_DROP_JBUF_RESET);
	jb->counts.restarts++;
}

unsigned
dp_jbuf_flush(struct dp_jbuf *jb, struct dp_frame_pool *pool)
{
	return clear(jb, pool, DP_DROP_LEG_GONE);
}

void
dp_jbuf_counts(const struct dp_jbuf *jb, struct dp_jbuf_counts *out)
{
	*out = jb->counts;
	out->played = jb->played;
}

unsigned
dp_jbuf_held(const struct dp_jbuf *jb)
{
	return jb->held;
}

uint32_t
dp_jbuf_delay_us(const struct dp_jbuf *jb)
{
	return jb->phase == DP_JBUF_RUNNING && jb->mean_us > 0 ? (uint32_t)jb->mean_us : 0;
}

int32_t
dp_jbuf_drift_ppm(const struct dp_jbuf *jb)
{
	return jb->drift_ppm;
}
