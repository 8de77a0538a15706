/* The packet clock's side of the jitter buffer: judge a packet by sequence number and time, keep it. */
#include <string.h>
#include "dataplane/jitter/frames.h"

#define SEQ_BACK_MAX 100	  /* further back is a stream that begins anew (RFC 3550 A.1) */
#define SEQ_AHEAD_MAX 3000	  /* further ahead too */
#define EARLY_JUMP_US 1000000	  /* so much earlier than the upper bound: the timestamp jumped */
#define LATE_JUMP_US 3000000	  /* so much too late: it jumped back */
#define SLACK_CLAMP_US 1000000000 /* keeps sums within 32 bits */
#define STRAGGLER_NS 500000000ULL /* the old SSRC's packets after a change */
#define SETTLE_TICKS 50

/* How early is the packet: microseconds from its arrival to when its first unit is played. */
static int32_t
slack_of(const struct dp_jbuf *jb, const struct dp_jbuf_packet *packet)
{
	int64_t to_anchor = (int64_t)(jb->anchor_ns - packet->arrival_ns) / 1000;
	int64_t slack =
		to_anchor + (((int64_t)(int32_t)(packet->ts - jb->play_ts) * jb->us_q16) >> 16);

	if (slack > SLACK_CLAMP_US)
		return SLACK_CLAMP_US;
	return slack < -SLACK_CLAMP_US ? -SLACK_CLAMP_US : (int32_t)slack;
}

/* The first packet of a stream: play it after the least delay, or what jitter has taught us. */
static void
begin(struct dp_jbuf *jb, const struct dp_jbuf_packet *packet)
{
	int64_t delay_us = jb->mean_us - jb->low_us;

	if (delay_us > jb->max_ms * 1000 / 2)
		delay_us = jb->max_ms * 1000 / 2;
	if (delay_us < jb->min_ms * 1000)
		delay_us = jb->min_ms * 1000;
	if (jb->ssrc != packet->ssrc) {
		jb->prior_ssrc = jb->ssrc;
		jb->changed_ns = packet->arrival_ns;
		jb->counts.ssrc_changes += jb->played + jb->counts.restarts > 0;
	}
	jb->ssrc = packet->ssrc;
	jb->phase = DP_JBUF_STARTING;
	jb->anchor_ns = packet->arrival_ns + (uint64_t)delay_us * 1000;
	jb->play_ts = packet->ts;
	jb->next_seq = packet->seq;
	jb->top_seq = (uint16_t)(packet->seq - 1);
	jb->seen = 0;
	jb->hungry_ticks = jb->late_ticks = jb->wait_ticks = 0;
	jb->tick_min_us = INT32_MAX;
}

/* Below next_seq: was it here before? */
static enum dp_drop
judge_passed(struct dp_jbuf *jb, int distance)
{
	uint64_t bit = distance <= 64 ? 1ULL << (distance - 1) : 0;

	if (jb->seen & bit) {
		jb->counts.duplicate++;
		return DP_DROP_JBUF_DUPLICATE;
	}
	jb->seen |= bit;
	jb->counts.late++;
	return DP_DROP_JBUF_LATE;
}

/* Before anything was played the stream may still begin earlier: packets that overtook each other at its start. */
static bool
may_begin_earlier(const struct dp_jbuf *jb, const struct dp_jbuf_packet *packet)
{
	return jb->phase == DP_JBUF_STARTING &&
	       (uint16_t)(jb->top_seq - packet->seq) < DP_JBUF_SLOTS &&
	       (int32_t)(jb->play_ts - packet->ts) > 0 &&
	       jb->play_ts - packet->ts <= 5u * jb->tick_units;
}

/*
 * After a move what was learnt says how late the old packets would be now. Who is later than the upper bound is wide cannot be
 * waited for: a stream that jumped ahead would be torn by insertions until that is forgotten.
 */
static void
forget_late(struct dp_jbuf *jb)
{
	if (jb->tick_min_us < -DP_JBUF_TICK_US)
		jb->tick_min_us = -DP_JBUF_TICK_US;
	if (jb->low_us >= -DP_JBUF_TICK_US)
		return;
	jb->low_us = -DP_JBUF_TICK_US;
	if (jb->mean_us < 0)
		jb->mean_us = 0;
	jb->drift_ns = 0;
}

/* Too early for the upper bound: play from later on, by whole ticks, so that it fits. */
static int32_t
make_fit(struct dp_jbuf *jb, struct dp_frame_pool *pool, int32_t slack)
{
	int32_t bound = jb->max_ms * 1000 - DP_JBUF_TICK_US; /* one tick in hand for an insertion */
	int32_t ticks = (slack - bound + DP_JBUF_TICK_US - 1) / DP_JBUF_TICK_US;

	if (slack <= bound)
		return slack;
	jb->play_ts += (uint32_t)ticks * jb->tick_units;
	dp_jbuf_pass_time(jb, pool, jb->play_ts, DP_DROP_JBUF_OVERFLOW);
	dp_jbuf_move(jb, -(int64_t)ticks * DP_JBUF_TICK_US);
	if (jb->tick_min_us != INT32_MAX)
		jb->tick_min_us -= ticks * DP_JBUF_TICK_US;
	forget_late(jb);
	jb->settle_ticks = SETTLE_TICKS;
	return slack - ticks * DP_JBUF_TICK_US;
}

static enum dp_drop
keep(struct dp_jbuf *jb, struct dp_frame_pool *pool, const struct dp_jbuf_packet *packet)
{
	uint32_t block = dp_frame_take(pool, packet->len);
	struct dp_frame *frame;

	if (block == DP_JBUF_NO_BLOCK)
		return DP_DROP_NO_FRAME;
	frame = dp_frame_at(pool, block);
	frame->ts = packet->ts;
	frame->duration = packet->duration;
	frame->len = packet->len;
	frame->seq = packet->seq;
	frame->tag = packet->tag;
	frame->is_touched = 0;
	frame->arrival_us = (uint32_t)(packet->arrival_ns / 1000);
	memcpy(frame->payload, packet->payload, packet->len);
	*dp_jbuf_slot(jb, packet->seq) = block;
	jb->held++;
	pool->totals.held++;
	return DP_DROP_NONE;
}

/* The packet belongs to the running stream: is it one to keep? Moves the window. */
static enum dp_drop
judge(struct dp_jbuf *jb, struct dp_frame_pool *pool, const struct dp_jbuf_packet *packet,
      int ahead)
{
	int32_t slack = slack_of(jb, packet);

	if (ahead >= 0)
		slack = make_fit(jb, pool, slack);
	if (slack < jb->tick_min_us)
		jb->tick_min_us = slack;
	ahead = (int16_t)(packet->seq - jb->next_seq); /* making fit has passed some */
	if (ahead < 0 && may_begin_earlier(jb, packet)) {
		jb->anchor_ns -= ((uint64_t)(jb->play_ts - packet->ts) * jb->us_q16 >> 16) * 1000;
		jb->play_ts = packet->ts;
		jb->next_seq = packet->seq;
		jb->seen = 0;
		ahead = 0;
	}
	if (ahead < 0)
		return judge_passed(jb, -ahead);
	if (ahead >= DP_JBUF_SLOTS)
		dp_jbuf_pass_to(jb, pool, (uint16_t)(packet->seq - DP_JBUF_SLOTS),
				DP_DROP_JBUF_OVERFLOW);
	if (*dp_jbuf_slot(jb, packet->seq) != DP_JBUF_NO_BLOCK) {
		jb->counts.duplicate++;
		return DP_DROP_JBUF_DUPLICATE;
	}
	if ((int32_t)(packet->ts + packet->duration - jb->play_ts) <= 0) {
		*dp_jbuf_slot(jb, packet->seq) = DP_JBUF_NO_SOUND;
		jb->counts.late++;
		return DP_DROP_JBUF_LATE;
	}
	return DP_DROP_NONE;
}

/* Has the stream jumped so far that it has to begin anew? */
static bool
has_jumped(const struct dp_jbuf *jb, const struct dp_jbuf_packet *packet, int ahead)
{
	int32_t slack = slack_of(jb, packet);

	if (ahead < -SEQ_BACK_MAX || ahead > SEQ_AHEAD_MAX)
		return true;
	return slack > jb->max_ms * 1000 + EARLY_JUMP_US || (ahead >= 0 && slack < -LATE_JUMP_US);
}

/* The packet's sequence number is the highest now, or came out of order. */
static void
note_top(struct dp_jbuf *jb, uint16_t seq, bool is_kept)
{
	if ((int16_t)(seq - jb->top_seq) > 0)
		jb->top_seq = seq;
	else
		jb->counts.reordered += is_kept;
}

enum dp_drop
dp_jbuf_put(struct dp_jbuf *jb, struct dp_frame_pool *pool, const struct dp_jbuf_packet *packet)
{
	int ahead = (int16_t)(packet->seq - jb->next_seq);
	enum dp_drop verdict;

	if (packet->len == 0 || packet->len > DP_JBUF_PAYLOAD_MAX || packet->duration == 0 ||
	    packet->duration > jb->tick_units * (DP_JBUF_DURATION_MAX_MS / 20))
		return DP_DROP_RTP_SIZE;
	if (jb->phase != DP_JBUF_IDLE) {
		if (packet->ssrc == jb->ssrc && has_jumped(jb, packet, ahead)) {
			dp_jbuf_restart(jb, pool);
		} else if (packet->ssrc != jb->ssrc) {
			if (packet->ssrc == jb->prior_ssrc &&
			    packet->arrival_ns - jb->changed_ns < STRAGGLER_NS) {
				jb->counts.late++;
				return DP_DROP_JBUF_LATE;
			}
			dp_jbuf_restart(jb, pool);
		}
	}
	if (jb->phase == DP_JBUF_IDLE)
		begin(jb, packet);
	verdict = judge(jb, pool, packet, (int16_t)(packet->seq - jb->next_seq));
	if (verdict == DP_DROP_NONE)
		verdict = keep(jb, pool, packet);
	if ((int16_t)(packet->seq - jb->next_seq) >= 0)
		note_top(jb, packet->seq, verdict == DP_DROP_NONE);
	return verdict;
}

void
dp_jbuf_skip(struct dp_jbuf *jb, struct dp_frame_pool *pool, uint32_t ssrc, uint16_t seq)
{
	int ahead = (int16_t)(seq - jb->next_seq);
	bool is_lost;

	if (jb->phase == DP_JBUF_IDLE || ssrc != jb->ssrc || ahead < -SEQ_BACK_MAX ||
	    ahead > SEQ_AHEAD_MAX)
		return;
	if (ahead < 0) {
		jb->seen |= ahead >= -64 ? 1ULL << (-ahead - 1) : 0;
		return;
	}
	if (ahead >= DP_JBUF_SLOTS)
		dp_jbuf_pass_to(jb, pool, (uint16_t)(seq - DP_JBUF_SLOTS), DP_DROP_JBUF_OVERFLOW);
	if (*dp_jbuf_slot(jb, seq) == DP_JBUF_NO_BLOCK)
		*dp_jbuf_slot(jb, seq) = DP_JBUF_NO_SOUND;
	note_top(jb, seq, false);
	dp_jbuf_head(jb, &seq, &is_lost);
}
