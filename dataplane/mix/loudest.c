/* The loudest N with hysteresis: places go to the highest scores, and who has a place scores more. */
#include "dataplane/mix/loudest.h"

#define STEPS 16      /* of loudness in a dB */
#define FALL_STEPS 32 /* a tick: 2 dB, 30 dB in 300 ms */
#define SCORE_MAX (127 + DP_LOUDEST_LEAD_DB)

/* Rise at once, fall slowly. */
static void
smooth(struct dp_talker *talker, uint8_t level)
{
	uint16_t now = (uint16_t)((level < 127 ? 127 - level : 0) * STEPS);
	uint16_t fallen =
		talker->loudness > FALL_STEPS ? (uint16_t)(talker->loudness - FALL_STEPS) : 0;

	talker->loudness = now > fallen ? now : fallen;
	if (level < DP_LOUDEST_FLOOR)
		talker->hold_ticks = DP_LOUDEST_HOLD_TICKS;
	else if (talker->hold_ticks > 0)
		talker->hold_ticks--;
}

/* 0: no candidate. Else loudness in dB; who has a place leads, and keeps it over the hold time. */
static uint8_t
score(const struct dp_talker *talker)
{
	unsigned loudness = talker->loudness / STEPS;

	if (talker->hold_ticks == 0)
		return 0;
	if (loudness == 0)
		loudness = 1;
	return (uint8_t)(talker->is_talking ? loudness + DP_LOUDEST_LEAD_DB : loudness);
}

/* The least score that has a place for sure; *left: places for those that score exactly one less. */
static unsigned
threshold(const uint16_t *histogram, unsigned places, unsigned *left)
{
	unsigned at = SCORE_MAX;

	for (; at > 0 && histogram[at] <= places; at--)
		places -= histogram[at];
	*left = places;
	return at + 1;
}

/* Has this leg a place? At the border who has one keeps it; `incumbents` and `left` are what is left there. */
static bool
takes_place(const struct dp_talker *talker, unsigned least, unsigned *incumbents, unsigned *left)
{
	unsigned *share = talker->is_talking ? incumbents : left;

	if (talker->score >= least)
		return true;
	if (talker->score == 0 || talker->score + 1u < least || *share == 0)
		return false;
	(*share)--;
	return true;
}

/* Who scores has a place: nobody has to be compared. */
static unsigned
select_all(struct dp_talker *talkers, const uint8_t *levels, unsigned count, bool *has_changed)
{
	unsigned talking = 0;

	for (unsigned i = 0; i < count; i++) {
		bool has_place;

		smooth(&talkers[i], levels[i]);
		talkers[i].score = score(&talkers[i]);
		has_place = talkers[i].score > 0;
		*has_changed |= has_place != talkers[i].is_talking;
		talkers[i].is_talking = has_place;
		talking += has_place;
	}
	return talking;
}

/* The places go to the highest scores. */
static unsigned
select_some(struct dp_talker *talkers, const uint8_t *levels, unsigned count, unsigned places,
	    bool *has_changed)
{
	uint16_t histogram[SCORE_MAX + 1] = {0};
	unsigned incumbents = 0;
	unsigned talking = 0;
	unsigned least, left;

	for (unsigned i = 0; i < count; i++) {
		smooth(&talkers[i], levels[i]);
		talkers[i].score = score(&talkers[i]);
		histogram[talkers[i].score]++;
	}
	least = threshold(histogram, places, &left);
	for (unsigned i = 0; i < count; i++)
		incumbents += talkers[i].is_talking && talkers[i].score + 1u == least;
	if (incumbents > left)
		incumbents = left;
	left -= incumbents;
	for (unsigned i = 0; i < count; i++) {
		bool has_place = takes_place(&talkers[i], least, &incumbents, &left);

		*has_changed |= has_place != talkers[i].is_talking;
		talkers[i].is_talking = has_place;
		talking += has_place;
	}
	return talking;
}

unsigned
dp_loudest_select(struct dp_talker *talkers, const uint8_t *levels, unsigned count, unsigned places,
		  bool *has_changed)
{
	*has_changed = false;
	if (places == 0 || places >= count)
		return select_all(talkers, levels, count, has_changed);
	return select_some(talkers, levels, count, places, has_changed);
}
