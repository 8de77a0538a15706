/* stage_mix: who talks, and what each leg hears: the sum of all who talk, less itself. */
#include <string.h>
#include "dataplane/worker/stages.h"
#include "dataplane/worker/worker_state.h"

#define LEVEL_EVERY 15		    /* of 16 ticks one measures what a leg hears */
#define TALKERS_PAUSE_NS 200000000u /* at most 5 a second */

/* Contributors of one conference in one tick. */
struct crowd {
	uint32_t count;
	bool has_clip; /* something is played to all: 20 ms of it are in the worker's scratch */
	const int16_t *const *rows;
	const uint32_t *who; /* places in the tick */
};

static void
talkers_event(struct dp_worker *w, struct dp_conference *conf)
{
	struct dp_event_rec rec = {.event = DP_EVENT_TALKERS, .conf = conf->id};
	uint16_t loudness[DP_CTL_TALKERS_MAX];
	uint32_t n = 0;

	for (uint32_t i = 0; i < conf->leg_count; i++) {
		uint16_t mine = conf->talkers[i].loudness;
		uint32_t at;

		if (!conf->talkers[i].is_talking ||
		    (n == DP_CTL_TALKERS_MAX && mine <= loudness[n - 1]))
			continue;
		n += n < DP_CTL_TALKERS_MAX;
		for (at = n - 1; at > 0 && loudness[at - 1] < mine; at--) {
			loudness[at] = loudness[at - 1];
			rec.talkers[at] = rec.talkers[at - 1];
		}
		loudness[at] = mine;
		rec.talkers[at] = w->legs[conf->members[i]].id;
	}
	rec.talker_count = n;
	conf->talkers_changed = false;
	conf->talkers_ns = w->now_ns + TALKERS_PAUSE_NS;
	dp_worker_event(w, &rec);
}

/* Who contributes, into tick scratch: rows and places. */
static struct crowd
gather(struct dp_worker *w, struct dp_batch *b, const struct dp_tick_conf *tc)
{
	struct dp_conference *conf = &w->confs[tc->conf];
	bool is_small = conf->loudest_n == 0 || tc->count <= conf->small_size;
	bool has_changed = false;
	struct crowd crowd = {.rows = b->rows, .who = b->who};

	dp_loudest_select(conf->talkers, b->level + tc->first, tc->count,
			  is_small ? 0 : conf->loudest_n, &has_changed);
	conf->talkers_changed |= has_changed;
	if (conf->talkers_changed && w->now_ns >= conf->talkers_ns)
		talkers_event(w, conf);
	for (uint32_t i = 0; i < tc->count; i++) {
		uint32_t at = tc->first + i;

		if (b->level[at] == DP_MIX_SILENCE || (!is_small && !conf->talkers[i].is_talking))
			continue;
		b->who[crowd.count] = at;
		b->rows[crowd.count++] = b->pcm + (size_t)at * DP_SAMPLES;
	}
	return crowd;
}

static void
hear_own(struct dp_worker *w, struct dp_batch *b, const struct crowd *crowd)
{
	for (uint32_t i = 0; i < crowd->count; i++) {
		uint32_t at = crowd->who[i];
		int16_t *row = b->pcm + (size_t)at * DP_SAMPLES;

		if (b->hears[at] != DP_HEARS_ALL)
			continue;
		if (crowd->count == 1 && !crowd->has_clip) {
			b->hears[at] = DP_HEARS_SILENCE;
			continue;
		}
		b->hears[at] = DP_HEARS_OWN;
		w->mix->out(row, w->sum, row, DP_SAMPLES);
		if (((b->period + at) & LEVEL_EVERY) == 0)
			b->leg[at]->level_tx = w->mix->level(row, DP_SAMPLES).level;
	}
}

/* First guess of what a leg hears: all or nothing or silence. True: some leg hears all and does not contribute to it. */
static bool
hear_all(struct dp_batch *b, const struct dp_tick_conf *tc, bool has_sound)
{
	uint32_t listeners = 0;

	for (uint32_t at = tc->first; at < tc->first + tc->count; at++) {
		const struct dp_leg *leg = b->leg[at];

		if (!dp_leg_may_send(leg))
			b->hears[at] = DP_HEARS_NOTHING;
		else if (leg->is_deaf || !has_sound)
			b->hears[at] = DP_HEARS_SILENCE;
		else
			b->hears[at] = DP_HEARS_ALL;
		listeners += b->hears[at] == DP_HEARS_ALL;
		if (b->hears[at] != DP_HEARS_ALL)
			b->leg[at]->level_tx = DP_MIX_SILENCE;
	}
	return listeners > 0;
}

/* What those hear who hear everybody. */
static void
level_all(struct dp_worker *w, struct dp_batch *b, const struct dp_tick_conf *tc)
{
	uint8_t level = w->mix->level(tc->all, DP_SAMPLES).level;

	for (uint32_t at = tc->first; at < tc->first + tc->count; at++)
		if (b->hears[at] == DP_HEARS_ALL)
			b->leg[at]->level_tx = level;
}

/* The leg that does not hear what is played to all hears the others; then that joins the sum. */
static void
add_clip(struct dp_worker *w, struct dp_batch *b, const struct dp_tick_conf *tc,
	 const struct crowd *crowd, uint32_t except)
{
	const struct dp_leg *leg = except != DP_PLAY_TO_ALL ? &w->legs[except] : NULL;
	bool is_here = leg != NULL && leg->is_live && leg->conf == tc->conf;
	uint32_t at = is_here ? tc->first + leg->member : 0;

	if (is_here && b->hears[at] == DP_HEARS_ALL) {
		int16_t *row = b->pcm + (size_t)at * DP_SAMPLES;
		bool is_heard = false;

		for (uint32_t i = 0; i < crowd->count; i++)
			is_heard |= crowd->who[i] == at;
		w->mix->out(row, w->sum, is_heard ? row : NULL, DP_SAMPLES);
		b->hears[at] = crowd->count > is_heard ? DP_HEARS_OWN : DP_HEARS_SILENCE;
	}
	w->mix->add(w->sum, w->clip, DP_SAMPLES);
}

static void
mix_conf(struct dp_worker *w, struct dp_batch *b, struct dp_tick_conf *tc)
{
	struct crowd crowd = gather(w, b, tc);
	uint32_t play = dp_play_of_conf(w, tc->conf), except = DP_PLAY_TO_ALL;

	if (w->confs[tc->conf].plays > 0) {
		except = w->plays[play].except;
		crowd.has_clip = dp_play_next(w, play, w->clip);
	}

	tc->heard_count = crowd.count < DP_HEARD_MAX ? crowd.count : DP_HEARD_MAX;
	for (uint32_t i = 0; i < tc->heard_count; i++) {
		struct dp_leg *leg = b->leg[crowd.who[i]];

		leg->heard = (uint32_t)b->period + 1;
		tc->heard[i] = leg->rx_ssrc;
		tc->heard_leg[i] = crowd.who[i];
	}
	tc->has_all = false;
	tc->encoded = 0;
	if (!hear_all(b, tc, crowd.count > 0 || crowd.has_clip))
		return;
	w->mix->sum(w->sum, crowd.rows, crowd.count, DP_SAMPLES);
	if (crowd.has_clip)
		add_clip(w, b, tc, &crowd, except);
	if (crowd.count < tc->count) {
		w->mix->out(tc->all, w->sum, NULL, DP_SAMPLES);
		tc->has_all = true;
	}
	hear_own(w, b, &crowd);
	if (tc->has_all && (b->period & LEVEL_EVERY) == 0)
		level_all(w, b, tc);
}

/* A clip instead of what the leg hears, or over it; in the leg's row, whose own sound is in the sum by now. */
static void
play_to_leg(struct dp_worker *w, struct dp_batch *b, uint32_t at, uint32_t play)
{
	int16_t *row = b->pcm + (size_t)at * DP_SAMPLES;
	const int16_t *rows[2] = {b->hears[at] == DP_HEARS_OWN ? row : b->conf[b->leg_conf[at]].all,
				  w->clip};
	bool is_over =
		(w->plays[play].flags & DP_PLAY_OVER) != 0 && b->hears[at] != DP_HEARS_SILENCE;

	if (!dp_play_next(w, play, is_over ? w->clip : row))
		return;
	if (is_over) {
		w->mix->sum(w->sum, rows, 2, DP_SAMPLES);
		w->mix->out(row, w->sum, NULL, DP_SAMPLES);
	}
	b->hears[at] = is_over ? DP_HEARS_OWN : DP_HEARS_CLIP;
	b->leg[at]->level_tx = w->mix->level(row, DP_SAMPLES).level;
}

/* After the mix, for it takes the rows of those who are played to. */
static void
play_to_legs(struct dp_worker *w, struct dp_batch *b, const struct dp_tick_conf *tc)
{
	for (uint32_t at = tc->first; at < tc->first + tc->count; at++)
		if (b->hears[at] != DP_HEARS_NOTHING)
			play_to_leg(w, b, at, (uint32_t)(b->leg[at] - w->legs));
}

void
stage_mix(struct dp_worker *w, struct dp_batch *b)
{
	if (b->is_continued)
		return;
	for (uint32_t c = 0; c < b->conf_count; c++) {
		mix_conf(w, b, &b->conf[c]);
		if (w->confs[b->conf[c].conf].plays > 0)
			play_to_legs(w, b, &b->conf[c]);
	}
}
