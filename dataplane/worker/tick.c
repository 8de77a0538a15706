/* tick_due: which legs' 20 ms are over. Small conferences of a slot go together, so that crypto runs over full bursts. */
#include <rte_prefetch.h>
#include "dataplane/worker/stages.h"
#include "dataplane/worker/worker_state.h"

#define NO_SLOT UINT32_MAX
#define AHEAD (DP_TICK_CONFS / 3) /* conferences */

unsigned
dp_lateness_bucket(uint64_t ns)
{
	unsigned top;

	if (ns < 8)
		return (unsigned)ns;
	top = 63 - (unsigned)__builtin_clzll(ns);
	unsigned bucket = (top - 2) * 8 + (unsigned)(ns >> (top - 3) & 7);

	return bucket < DP_LATENESS_BUCKETS ? bucket : DP_LATENESS_BUCKETS - 1;
}

uint64_t
dp_lateness_bound_ns(unsigned bucket)
{
	if (bucket < 8)
		return bucket;
	return ((uint64_t)(bucket % 8) + 9) << (bucket / 8 + 2 - 3);
}

static void
prefetch_leg(const struct dp_leg *leg)
{
	rte_prefetch0(leg);
	rte_prefetch0(&leg->jbuf);
	rte_prefetch0(&leg->tx_ssrc);
	rte_prefetch0(&leg->srtp_tx);
}

static void
gather_conf(struct dp_worker *w, struct dp_batch *b, uint32_t index)
{
	const struct dp_conference *conf = &w->confs[index];
	struct dp_tick_conf *tc = &b->conf[b->conf_count];

	tc->conf = index;
	tc->first = b->leg_count;
	tc->count = conf->leg_count;
	for (uint32_t i = 0; i < conf->leg_count; i++) {
		struct dp_leg *leg = &w->legs[conf->members[i]];

		prefetch_leg(leg);
		b->leg_conf[b->leg_count] = b->conf_count;
		b->leg[b->leg_count++] = leg;
	}
	b->conf_count++;
}

/* The next conferences of the slot under way; false: it is done. */
static bool
gather(struct dp_worker *w, struct dp_batch *b, uint32_t slot)
{
	const uint32_t *list = w->wheel.slot[slot];
	uint32_t end = w->wheel.count[slot];

	b->conf_count = b->leg_count = 0;
	b->out_from = b->out_until = 0;
	b->is_continued = false;
	while (b->slot_at < end && b->conf_count < DP_TICK_CONFS) {
		const struct dp_conference *conf = &w->confs[list[b->slot_at]];

		if (b->leg_count > 0 && b->leg_count + conf->leg_count > DP_TICK_LEGS)
			break;
		gather_conf(w, b, list[b->slot_at++]);
	}
	/* Members of the next conferences, whose own lines came in the last time; and the lines after those. */
	for (uint32_t i = b->slot_at; i < end && i < b->slot_at + AHEAD; i++)
		rte_prefetch0(w->confs[list[i]].members);
	for (uint32_t i = b->slot_at + AHEAD; i < end && i < b->slot_at + 2 * AHEAD; i++)
		rte_prefetch0(&w->confs[list[i]]);
	return b->conf_count > 0;
}

/* Begin the next step when it is due. */
static bool
begin_step(struct dp_worker *w, struct dp_batch *b)
{
	struct dp_wheel *wheel = &w->wheel;
	uint64_t due_ns = dp_wheel_due_ns(wheel);
	uint32_t slot;

	if (b->now_ns < due_ns || b->steps_left == 0)
		return false;
	w->stats.ticks_skipped += dp_wheel_catch_up(wheel, b->now_ns);
	due_ns = dp_wheel_due_ns(wheel);
	slot = (uint32_t)(wheel->step % DP_WHEEL_SLOTS);
	b->tick_ns = due_ns;
	b->period = wheel->step / DP_WHEEL_SLOTS;
	b->slot_at = 0;
	if (wheel->count[slot] == 0)
		return true;
	uint64_t late_ns = b->now_ns - due_ns;

	b->steps_left--;
	w->did_work = true;
	w->stats.ticks++;
	w->stats.ticks_late += late_ns > DP_TICK_LATE_NS;
	w->lateness[dp_lateness_bucket(late_ns)]++;
	if (late_ns > w->stats.tick_late_ns_max)
		w->stats.tick_late_ns_max = late_ns;
	return true;
}

bool
tick_due(struct dp_worker *w, struct dp_batch *b)
{
	if (b->out_until < b->leg_count) {
		b->out_from = b->out_until;
		b->is_continued = true;
		return true;
	}
	for (;;) {
		if (b->slot_at == NO_SLOT && !begin_step(w, b)) {
			b->steps_left = DP_STEPS_PER_TURN;
			return false;
		}
		if (gather(w, b, (uint32_t)(w->wheel.step % DP_WHEEL_SLOTS)))
			return true;
		b->slot_at = NO_SLOT;
		w->wheel.step++;
	}
}
