/* Levels by correlation, a histogram for each frequency, and the set-in of a tone after its gap. */
#include "bench/load/hear.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "bench/lib/bench.h"

#define COMBINE 5
#define GAP_SHARE 0.3f	  /* of the usual peak: below it the tone is away */
#define FULL_SHARE 0.75f  /* above it the tone is wholly back */
#define LEAK_SHARE 0.12f  /* below it other tones may be all that there is */
#define DELAY_MAX_MS 1800 /* marks come every two seconds */
#define WINDOW_MS (1000.0 * UE_WINDOW / UE_RATE)

struct ue_ear *
ue_ear_create(const unsigned *hz, unsigned count, unsigned every)
{
	struct ue_ear *ear = calloc(1, sizeof(*ear) + count * sizeof(ear->pitch[0]));

	if (!ear)
		return NULL;
	ear->count = count;
	ear->every = every;
	ear->combine = every > 1 ? 1 : COMBINE;
	for (unsigned i = 0; i < count; i++) {
		ear->pitch[i].hz = hz[i];
	}
	return ear;
}

void
ue_ear_destroy(struct ue_ear *ear)
{
	free(ear);
}

void
ue_ear_reset(struct ue_ear *ear)
{
	ear->windows = ear->combined = 0;
	ear->delay_count = 0;
	for (unsigned i = 0; i < ear->count; i++) {
		ear->pitch[i].heard = 0;
		ear->pitch[i].sum_re = ear->pitch[i].sum_im = 0;
		memset(ear->pitch[i].bins, 0, sizeof(ear->pitch[i].bins));
	}
}

/* The tone is whole again in this window; what the window before held of it says how much earlier it set in. */
static void
onset(struct ue_ear *ear, struct ue_pitch *p, uint64_t window_ns)
{
	float share = p->last / p->full;
	double early_ms = share < LEAK_SHARE ? 0 : WINDOW_MS * (double)fminf(share, 1.0f), delay_ms;

	if (!p->mark || p->mark->number == p->mark_number)
		return;
	p->mark_number = p->mark->number;
	delay_ms = ((double)window_ns - (double)p->mark->sent_ns) / 1e6 - early_ms;
	if (delay_ms > -WINDOW_MS && delay_ms < DELAY_MAX_MS)
		ear->delays_ms[ear->delay_count++ % UE_DELAYS_MAX] =
			(float)(delay_ms > 0 ? delay_ms : 0);
}

static void
gap_watch(struct ue_ear *ear, struct ue_pitch *p, float peak, uint64_t window_ns)
{
	if (p->full > 0 && peak < GAP_SHARE * p->full) {
		p->is_in_gap = true;
	} else if (p->is_in_gap && peak > FULL_SHARE * p->full) {
		onset(ear, p, window_ns);
		p->is_in_gap = false;
	}
	if (!p->is_in_gap && ue_dbov_of((double)peak) >= UE_HEARD_DBOV)
		p->full = p->full > 0 ? 0.9f * p->full + 0.1f * peak : peak;
	p->last = peak;
}

static void
measure(struct ue_pitch *p, unsigned windows)
{
	float peak = 2.0f * hypotf(p->sum_re, p->sum_im) / (float)(windows * UE_WINDOW);
	double dbov = ue_dbov_of((double)peak);
	int bin = (int)lrint(-2 * dbov);

	p->bins[bin < 0 ? 0 : bin >= UE_BINS ? UE_BINS - 1 : bin]++;
	p->heard += dbov >= UE_HEARD_DBOV;
	p->last_dbov = (float)dbov;
	p->sum_re = p->sum_im = 0;
}

static void
window(struct ue_ear *ear, uint64_t window_ns)
{
	bool is_whole = ++ear->combined == ear->combine;

	for (unsigned i = 0; i < ear->count; i++) {
		struct ue_pitch *p = &ear->pitch[i];
		float re, im;

		ue_tone_correlate(ear->pcm, p->hz, p->phase, &re, &im);
		p->phase = ue_tone_phase_next(p->hz, p->phase);
		p->sum_re += re;
		p->sum_im += im;
		if (p->mark && ear->every == 1)
			gap_watch(ear, p, 2.0f * hypotf(re, im) / UE_WINDOW, window_ns);
		if (is_whole)
			measure(p, ear->combine);
	}
	if (is_whole) {
		ear->combined = 0;
		ear->windows++;
	}
}

void
ue_ear_hear(struct ue_ear *ear, const int16_t *pcm, size_t n, uint64_t at_ns)
{
	size_t used = 0;

	while (used < n) {
		size_t room = UE_WINDOW - ear->fill, take = n - used < room ? n - used : room;
		double since_start = (double)used - (double)ear->fill;

		memcpy(ear->pcm + ear->fill, pcm + used, take * sizeof(*pcm));
		ear->fill += (uint32_t)take;
		used += take;
		if (ear->fill < UE_WINDOW)
			return;
		ear->fill = 0;
		window(ear, (uint64_t)((double)at_ns + since_start * 1e9 / UE_RATE));
	}
}

double
ue_pitch_dbov(const struct ue_pitch *p)
{
	uint32_t seen = 0;

	for (int bin = 0; bin < UE_BINS && p->heard; bin++) {
		seen += p->bins[bin];
		if (2 * seen >= p->heard)
			return -bin / 2.0;
	}
	return UE_SILENCE_DBOV;
}

double
ue_ear_delay_ms(const struct ue_ear *ear, double quantile)
{
	double values[UE_DELAYS_MAX];
	size_t n = ear->delay_count < UE_DELAYS_MAX ? ear->delay_count : UE_DELAYS_MAX;

	for (size_t i = 0; i < n; i++)
		values[i] = (double)ear->delays_ms[i];
	return n ? bench_quantile(values, n, quantile) : -1;
}
