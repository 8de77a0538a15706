/*
 * Packet loss concealment by pitch repetition, in the manner of G.711 Appendix I but without its memory: lag, phase and fade
 * follow from the last sound and the time since it.
 */
#include <stdbool.h>
#include <string.h>
#include "dataplane/codec/plc.h"

#define LAG_MIN_US 2500	 /* 400 Hz */
#define LAG_MAX_US 15000 /* 66 Hz */
#define HOLD_MS 10	 /* at full level */
#define FADE_MS 60	 /* silence from here on */
#define JOIN_MS 5
#define ONE 16384 /* of gains */

/* The last pitch period of the last sound. */
struct period {
	const int16_t *from;
	uint32_t lag;
};

/* How alike are n samples and those lag before them: correlation normed by energy, as a fraction of 2^15. */
static int64_t
likeness(const int16_t *x, uint32_t n, uint32_t lag)
{
	int64_t product = 0;
	int64_t energy = 1;

	for (uint32_t i = 0; i < n; i++) {
		const int16_t *past = x + i - lag;

		product += x[i] * *past;
		energy += *past * *past;
	}
	return product <= 0 ? 0 : (int64_t)(((__int128)product * product >> 15) / energy);
}

/* Nothing was heard, or it has faded. */
static bool
is_over(const struct dp_plc *plc)
{
	return plc->last_samples == 0 || plc->since >= plc->sample_hz / 1000 * FADE_MS;
}

/* The lag at which the end of the last sound is most like what was before it. */
static struct period
find_period(const struct dp_plc *plc)
{
	uint32_t lag_min = (uint32_t)((uint64_t)plc->sample_hz * LAG_MIN_US / 1000000);
	uint32_t lag_max = (uint32_t)((uint64_t)plc->sample_hz * LAG_MAX_US / 1000000);
	uint32_t window = lag_min * 2; /* 5 ms */
	static const int16_t nothing;
	const int16_t *end = plc->last + plc->last_samples;
	struct period best = {.from = plc->last, .lag = plc->last_samples};
	int64_t best_likeness = 0;

	if (is_over(plc))
		return (struct period){.from = &nothing, .lag = 1};
	if (plc->last_samples < window + lag_min)
		return best;
	if (lag_max > plc->last_samples - window)
		lag_max = plc->last_samples - window;
	best.lag = lag_max;
	for (uint32_t lag = lag_min; lag <= lag_max; lag++) {
		int64_t like = likeness(end - window, window, lag);

		if (like > best_likeness) {
			best_likeness = like;
			best.lag = lag;
		}
	}
	best.from = end - best.lag;
	return best;
}

/* Gain of the sample `at` samples after the loss began. */
static int32_t
fade(uint32_t at, uint32_t sample_hz)
{
	uint32_t hold = sample_hz / 1000 * HOLD_MS;
	uint32_t end = sample_hz / 1000 * FADE_MS;

	if (at < hold)
		return ONE;
	return at >= end ? 0 : (int32_t)((uint64_t)ONE * (end - at) / (end - hold));
}

static int16_t
conceal_one(const struct dp_plc *plc, const struct period *period, uint32_t at)
{
	return (int16_t)(period->from[at % period->lag] * fade(at, plc->sample_hz) / ONE);
}

void
dp_plc_conceal(const struct dp_plc *plc, int16_t *pcm, uint32_t samples)
{
	struct period period;

	if (is_over(plc)) {
		memset(pcm, 0, samples * sizeof(*pcm));
		return;
	}
	period = find_period(plc);
	for (uint32_t i = 0; i < samples; i++)
		pcm[i] = conceal_one(plc, &period, plc->since + i);
}

void
dp_plc_join(const struct dp_plc *plc, int16_t *pcm, uint32_t samples)
{
	uint32_t length = plc->sample_hz / 1000 * JOIN_MS;
	struct period period;

	if (length > samples)
		length = samples;
	if (length == 0)
		return;
	period = find_period(plc);
	for (uint32_t i = 0; i < length; i++) {
		int32_t weight = (int32_t)(ONE * (i + 1) / (length + 1)); /* of what is back */
		int32_t old = conceal_one(plc, &period, plc->since + i);

		pcm[i] = (int16_t)((pcm[i] * weight + old * (ONE - weight)) / ONE);
	}
}
