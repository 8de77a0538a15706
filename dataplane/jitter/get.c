/* The media clock's side of the jitter buffer: what to play in this tick, and when to change the delay. See README.md. */
#include "dataplane/jitter/frames.h"

#define MARGIN_US 2000 /* the low quantile of slack is kept above it */
#define SPARE_US 24000 /* and below the margin, a tick and hysteresis */
#define HASTE_US 60000 /* so much to spare does not wait for quiet */
#define FALL_US \
	9800	    /* of the low quantile, at most, for a tick below it: 98 and 2 of 100 balance */
#define RISE_US 200 /* for a tick above it */
#define SETTLE_SHIFT 3	       /* quicker after a restart or overflow: by 1/8 of the distance */
#define OUTLIER_US 20000       /* below the low quantile: how far the mean follows */
#define MEAN_SHIFT 4	       /* of the mean */
#define WAIT_TICKS_MAX 100     /* a removal waits no longer for quiet */
#define CONCEAL_TICKS_MAX 3    /* then silence */
#define LATE_TICKS_MAX 5       /* in a row in which all came late: the path has become longer */
#define HUNGRY_TICKS_MAX 100   /* nothing to play for 2 s: the stream is over */
#define SLIP_NS_MAX 1000000000 /* nobody asked for so long: begin anew */
#define SETTLE_TICKS 50
#define DRIFT_PLAYED 512 /* packets between two looks at drift */
#define DRIFT_SPAN_NS 60000000000ULL
#define DRIFT_SPAN_MIN_NS 9000000000ULL

static void
add_part(struct dp_jbuf_out *out, const struct dp_jbuf_part *part)
{
	out->part[out->count++] = *part;
}

/* All of the tick, or the rest of it, is silence. */
static void
add_silence(struct dp_jbuf_out *out, uint16_t units)
{
	add_part(out, &(struct dp_jbuf_part){.kind = DP_JBUF_SILENCE, .duration = units});
}

/* What concealment goes on from: the block kept, or the frame that is being played. */
static bool
find_source(struct dp_jbuf *jb, struct dp_frame_pool *pool, struct dp_jbuf_part *part)
{
	const struct dp_frame *frame;
	uint32_t units;
	uint16_t seq;
	bool is_lost;

	if (jb->last != DP_JBUF_NO_BLOCK) {
		frame = dp_frame_at(pool, jb->last);
		units = frame->duration;
	} else {
		uint32_t block = jb->held ? dp_jbuf_head(jb, &seq, &is_lost) : DP_JBUF_NO_BLOCK;

		if (block == DP_JBUF_NO_BLOCK || !dp_frame_at(pool, block)->is_touched)
			return false;
		frame = dp_frame_at(pool, block);
		units = jb->play_ts - frame->ts;
	}
	*part = (struct dp_jbuf_part){.payload = frame->payload,
				      .len = (uint16_t)(frame->len * units / frame->duration),
				      .since = (uint16_t)jb->since,
				      .tag = frame->tag,
				      .kind = DP_JBUF_CONCEAL};
	return true;
}

/* Sound is missing for so many units: conceal as long as that helps. */
static void
add_conceal(struct dp_jbuf *jb, struct dp_frame_pool *pool, struct dp_jbuf_out *out, uint16_t units)
{
	struct dp_jbuf_part part;

	if (jb->since >= CONCEAL_TICKS_MAX * (uint32_t)jb->tick_units ||
	    !find_source(jb, pool, &part)) {
		dp_jbuf_forget_last(jb, pool);
		jb->since = CONCEAL_TICKS_MAX * (uint32_t)jb->tick_units;
		add_silence(out, units);
		return;
	}
	part.duration = units;
	add_part(out, &part);
	jb->since += units;
	jb->counts.concealed++;
}

/* The frame is used up. It is kept for concealment when nothing follows yet or the delay is about to change. */
static void
finish(struct dp_jbuf *jb, struct dp_frame_pool *pool, uint32_t block, uint16_t seq)
{
	*dp_jbuf_slot(jb, seq) = DP_JBUF_NO_SOUND;
	dp_jbuf_pass_to(jb, pool, seq, DP_DROP_JBUF_LATE);
	jb->held--;
	jb->played++;
	pool->totals.held--;
	pool->totals.played++;
	if (jb->wait_ticks > 0 || *dp_jbuf_slot(jb, jb->next_seq) == DP_JBUF_NO_BLOCK)
		jb->last = block;
	else
		dp_frame_give(pool, block);
}

/* Hand out up to left units of a frame, `from` units into it. Returns how many. */
static uint16_t
add_play(struct dp_jbuf *jb, struct dp_frame_pool *pool, struct dp_jbuf_out *out, uint32_t block,
	 uint16_t seq, uint16_t left)
{
	struct dp_frame *frame = dp_frame_at(pool, block);
	uint32_t from = jb->play_ts - frame->ts;
	uint16_t units = frame->duration - from < left ? (uint16_t)(frame->duration - from) : left;
	struct dp_jbuf_part part = {
		.payload = frame->payload, .len = frame->len, .duration = units, .tag = frame->tag};

	if (units != frame->duration) {
		part.payload += frame->len * from / frame->duration;
		part.len = (uint16_t)((uint32_t)frame->len * units / frame->duration);
	}
	if (jb->last != DP_JBUF_NO_BLOCK) {
		if (jb->since > 0 && !out->is_joined && find_source(jb, pool, &out->join)) {
			out->is_joined = true;
			out->join_at = out->count;
		}
		dp_jbuf_forget_last(jb, pool);
	}
	jb->since = 0;
	frame->is_touched = 1;
	add_part(out, &part);
	if (from + units == frame->duration)
		finish(jb, pool, block, seq);
	return units;
}

/* Fill the tick from play_ts on. True when there was a frame. */
static bool
collect(struct dp_jbuf *jb, struct dp_frame_pool *pool, struct dp_jbuf_out *out)
{
	uint16_t left = jb->tick_units;
	bool was_there = false;

	while (left > 0) {
		uint16_t units = left;
		uint16_t seq;
		bool is_lost;
		uint32_t block = dp_jbuf_head(jb, &seq, &is_lost);
		const struct dp_frame *frame = block ? dp_frame_at(pool, block) : NULL;
		int32_t gap = frame ? (int32_t)(frame->ts - jb->play_ts) : 0;

		if (frame == NULL) {
			add_conceal(jb, pool, out, left);
		} else if (out->count == DP_JBUF_PARTS_MAX - 1 &&
			   (gap > 0 ? gap : gap + frame->duration) < left) {
			add_silence(out, left); /* packets too short to be worth it */
		} else if (gap > 0) {
			units = gap < left ? (uint16_t)gap : left;
			if (is_lost)
				add_conceal(jb, pool, out, units);
			else
				add_silence(out, units);
		} else if (-gap >= frame->duration) {
			dp_jbuf_pass_to(jb, pool, seq, DP_DROP_JBUF_LATE);
			continue;
		} else {
			units = add_play(jb, pool, out, block, seq, left);
			was_there = true;
		}
		jb->play_ts += units;
		left = (uint16_t)(left - units);
	}
	return was_there;
}

/* Follow slack: one sample a tick, the least of its packets, so that a burst counts once. */
static void
follow(struct dp_jbuf *jb)
{
	int32_t slack = jb->tick_min_us;
	int32_t above;

	if (jb->settle_ticks > 0)
		jb->settle_ticks--;
	if (slack == INT32_MAX)
		return;
	above = slack - jb->low_us;
	jb->tick_min_us = INT32_MAX;
	/* one that is far too late says little of the others */
	jb->mean_us += ((above < -OUTLIER_US ? jb->low_us - OUTLIER_US : slack) - jb->mean_us) /
		       (1 << MEAN_SHIFT);
	if (jb->settle_ticks > 0)
		jb->low_us = above < 0 ? slack : jb->low_us + (above >> SETTLE_SHIFT);
	else if (above < 0)
		jb->low_us += above < -FALL_US ? -FALL_US : above;
	else
		jb->low_us += above < RISE_US ? above : RISE_US;
}

/* Every DRIFT_PLAYED packets: how far has slack wandered by itself? */
static void
measure_drift(struct dp_jbuf *jb, uint64_t now_ns)
{
	int64_t own_us = jb->mean_us - jb->moved_us;
	uint64_t span_ns = now_ns - jb->drift_ns;

	if (jb->drift_ns != 0 && span_ns >= DRIFT_SPAN_MIN_NS)
		jb->drift_ppm =
			(int32_t)((own_us - jb->drift_us) * 1000000 / (int64_t)(span_ns / 1000));
	if (jb->drift_ns == 0 || span_ns >= DRIFT_SPAN_NS) {
		jb->drift_ns = now_ns;
		jb->drift_us = own_us;
	}
}

/* May all that is held wait for another tick and still keep the upper bound? */
static bool
has_room(const struct dp_jbuf *jb, const struct dp_frame_pool *pool, uint64_t now_ns)
{
	uint32_t later_us = (uint32_t)(now_ns / 1000) + DP_JBUF_TICK_US;

	for (unsigned i = 0, left = jb->held; left > 0; i++) {
		const struct dp_frame *frame;
		int64_t wait_us;

		if (jb->slot[i] == DP_JBUF_NO_BLOCK || jb->slot[i] == DP_JBUF_NO_SOUND)
			continue;
		left--;
		frame = dp_frame_at(pool, jb->slot[i]);
		wait_us = (int32_t)(later_us - frame->arrival_us);
		wait_us += (int64_t)(int32_t)(frame->ts - jb->play_ts) * jb->us_q16 >> 16;
		if (wait_us > jb->max_ms * 1000)
			return false;
	}
	return true;
}

/* Is the delay too short: late packets are near, or the least delay is not kept? */
static bool
wants_more(const struct dp_jbuf *jb)
{
	return jb->low_us < MARGIN_US || jb->mean_us < jb->min_ms * 1000;
}

static bool
wants_less(const struct dp_jbuf *jb)
{
	return jb->low_us > MARGIN_US + SPARE_US && jb->mean_us > jb->min_ms * 1000 + SPARE_US;
}

/* Put a tick in: play_ts stands still. Waits until there is something to go on from, which finish() sees to. */
static bool
insert(struct dp_jbuf *jb, struct dp_frame_pool *pool, bool is_quiet, struct dp_jbuf_out *out)
{
	struct dp_jbuf_part source;

	if (!is_quiet && jb->held > 0 && jb->wait_ticks < 2 && !find_source(jb, pool, &source)) {
		jb->wait_ticks++;
		return false;
	}
	jb->wait_ticks = 0;
	jb->counts.inserted++;
	dp_jbuf_move(jb, DP_JBUF_TICK_US);
	add_conceal(jb, pool, out, jb->tick_units);
	return true;
}

/* Leave a tick out, when it is quiet, has waited long enough, or there is much to lose. Never two ticks in a row. */
static void
remove_tick(struct dp_jbuf *jb, struct dp_frame_pool *pool, bool is_quiet)
{
	bool is_hasty = jb->settle_ticks > 0 || jb->low_us > MARGIN_US + SPARE_US + HASTE_US;

	if (jb->wait_ticks == 0 || (!is_quiet && !is_hasty && jb->wait_ticks < WAIT_TICKS_MAX)) {
		jb->wait_ticks++;
		return;
	}
	jb->wait_ticks = 0;
	jb->counts.removed++;
	jb->play_ts += jb->tick_units;
	dp_jbuf_pass_time(jb, pool, jb->play_ts, DP_DROP_JBUF_SKEW);
	dp_jbuf_move(jb, -DP_JBUF_TICK_US);
	if (jb->last != DP_JBUF_NO_BLOCK && jb->since == 0)
		jb->since = 1; /* so that what follows is joined */
}

/* After a tick with nothing to play: is the stream over, or has the path become longer for good? */
static void
go_hungry(struct dp_jbuf *jb, struct dp_frame_pool *pool, bool came)
{
	jb->hungry_ticks++;
	jb->late_ticks = (uint8_t)(jb->late_ticks + came);
	if (jb->late_ticks >= LATE_TICKS_MAX) {
		dp_jbuf_restart(jb, pool);
		jb->settle_ticks = SETTLE_TICKS;
	} else if (jb->hungry_ticks >= HUNGRY_TICKS_MAX) {
		dp_jbuf_flush(jb, pool); /* nothing is held: no packet goes */
	}
}

/* Is a stream running at this tick? Starts it, follows the ticks' time. */
static bool
is_running(struct dp_jbuf *jb, struct dp_frame_pool *pool, uint64_t now_ns)
{
	int64_t slip_ns = (int64_t)(now_ns - jb->anchor_ns);

	if (jb->phase == DP_JBUF_STARTING && slip_ns >= 0 && slip_ns < SLIP_NS_MAX) {
		jb->phase = DP_JBUF_RUNNING;
		jb->low_us = jb->mean_us = jb->tick_min_us + (int32_t)(slip_ns / 1000);
		jb->tick_min_us = INT32_MAX;
		jb->moved_us = 0;
		return true;
	}
	if (jb->phase == DP_JBUF_IDLE || (jb->phase == DP_JBUF_STARTING && slip_ns < 0))
		return false;
	if (slip_ns >= SLIP_NS_MAX || slip_ns <= -SLIP_NS_MAX) {
		dp_jbuf_restart(jb, pool);
		return false;
	}
	if (slip_ns != 0)
		dp_jbuf_move(jb, slip_ns / 1000);
	return true;
}

bool
dp_jbuf_get(struct dp_jbuf *jb, struct dp_frame_pool *pool, uint64_t now_ns, bool is_quiet,
	    struct dp_jbuf_out *out)
{
	bool came = jb->tick_min_us != INT32_MAX;
	uint32_t played = jb->played;

	out->count = 0;
	out->is_joined = false;
	if (!is_running(jb, pool, now_ns)) {
		add_silence(out, jb->tick_units);
		return false;
	}
	follow(jb);
	jb->anchor_ns = now_ns + DP_JBUF_TICK_NS;
	if (wants_more(jb) && has_room(jb, pool, now_ns)) {
		if (insert(jb, pool, is_quiet, out))
			return out->part[0].kind != DP_JBUF_SILENCE;
	} else if (wants_less(jb)) {
		remove_tick(jb, pool, is_quiet);
	} else {
		jb->wait_ticks = 0;
	}
	if (collect(jb, pool, out)) {
		if (jb->late_ticks >
		    0) /* a standstill of the network is over: what it taught is to be forgotten soon */
			jb->settle_ticks = SETTLE_TICKS;
		jb->hungry_ticks = jb->late_ticks = 0;
	} else if (jb->held == 0) {
		go_hungry(jb, pool, came);
	}
	if (jb->played / DRIFT_PLAYED != played / DRIFT_PLAYED)
		measure_drift(jb, now_ns);
	return out->count > 1 || out->part[0].kind != DP_JBUF_SILENCE;
}
