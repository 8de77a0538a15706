/* Who is overloaded, by the last rounds' measurements and what has been admitted since. */
#include "ctrlplane/app/overload.h"

#include <string.h>

#define MILLIONTHS 1000u /* of a permille */
#define AVERAGE_OF_LEGS 100
#define ROUND_MIN_NS 50000000u /* shorter ones say little */

static uint32_t
permille(uint64_t part, uint64_t whole)
{
	uint64_t share = whole > 0 ? part * 1000 / whole : 0;

	return share < 1000 ? (uint32_t)share : 1000;
}

/*
 * What one leg costs there, in millionths of the worker: as on average so far, whatever codecs that were. Of few legs the
 * average tells more of what a worker does without any, and a burst of joins would be refused by an idle one.
 */
static uint64_t
leg_cost(const struct cp_overload_load *l)
{
	uint64_t cost = l->last.legs >= AVERAGE_OF_LEGS
				? (uint64_t)l->level_permille * MILLIONTHS / l->last.legs
				: 0;

	return cost > CP_OVERLOAD_LEG_COST_MIN ? cost : CP_OVERLOAD_LEG_COST_MIN;
}

static uint64_t
expected(const struct cp_overload_load *l)
{
	uint64_t legs = 0;

	for (unsigned int i = 0; i < CP_OVERLOAD_ADMITTED_ROUNDS; i++)
		legs += l->admitted[i];
	return (uint64_t)l->level_permille * MILLIONTHS + legs * leg_cost(l);
}

static void
take_busy(struct cp_overload_load *l, const struct cp_overload *o, uint32_t busy)
{
	uint32_t level = busy;

	for (unsigned int i = 0; i < CP_OVERLOAD_BUSY_ROUNDS - 1; i++)
		level = l->busy_before[i] < level ? l->busy_before[i] : level;
	memmove(l->busy_before + 1, l->busy_before,
		sizeof(l->busy_before) - sizeof(l->busy_before[0]));
	l->busy_before[0] = busy;
	l->busy_permille = busy;
	l->level_permille = level;
	if (level >= o->high_permille)
		l->is_busy = true;
	else if (busy <= o->low_permille)
		l->is_busy = false;
}

/* Late and idle is another program's doing: fewer calls would not mend it. */
static void
take_late(struct cp_overload_load *l, const struct cp_overload *o, uint32_t late)
{
	bool counts = o->late_permille > 0 && late >= o->late_permille &&
		      l->busy_permille > o->low_permille;

	if (!counts)
		l->late_rounds = 0;
	else if (l->late_rounds < CP_OVERLOAD_LATE_ROUNDS)
		l->late_rounds++;
	l->is_late = l->late_rounds == CP_OVERLOAD_LATE_ROUNDS;
}

static bool
goes_back(const struct cp_overload_sample *now, const struct cp_overload_sample *last)
{
	return now->at_ns < last->at_ns || now->busy_ns < last->busy_ns ||
	       now->ticks < last->ticks || now->ticks_late < last->ticks_late;
}

static void
take(struct cp_overload_load *l, const struct cp_overload *o, const struct cp_overload_sample *now)
{
	const struct cp_overload_sample last = l->last;

	if (last.at_ns == 0 || goes_back(now, &last)) {
		*l = (struct cp_overload_load){.last = *now};
		return;
	}
	if (now->at_ns - last.at_ns < ROUND_MIN_NS)
		return;
	l->last = *now;
	take_busy(l, o, permille(now->busy_ns - last.busy_ns, now->at_ns - last.at_ns));
	take_late(l, o, permille(now->ticks_late - last.ticks_late, now->ticks - last.ticks));
	memmove(l->admitted + 1, l->admitted, sizeof(l->admitted) - sizeof(l->admitted[0]));
	l->admitted[0] = 0;
}

void
cp_overload_measure(struct cp_overload *o, uint64_t instance,
		    const struct cp_overload_sample *samples, uint32_t workers)
{
	if (instance != o->instance)
		memset(o->load, 0, sizeof(o->load));
	o->instance = instance;
	o->workers = workers < CP_OVERLOAD_WORKERS ? workers : CP_OVERLOAD_WORKERS;
	for (uint32_t w = 0; w < o->workers; w++)
		take(&o->load[w], o, &samples[w]);
}

void
cp_overload_lag(struct cp_overload *o, int64_t lag_ms)
{
	if (lag_ms >= o->lag_high_ms)
		o->is_lagging = true;
	else if (lag_ms <= o->lag_low_ms)
		o->is_lagging = false;
}

static uint64_t
legs_on(const struct cp_overload_load *l)
{
	return (uint64_t)l->last.legs + l->admitted[0];
}

/* A new conference goes to the worker with the fewest legs. */
static uint32_t
idlest(const struct cp_overload *o)
{
	uint32_t best = 0;

	for (uint32_t w = 1; w < o->workers; w++)
		if (legs_on(&o->load[w]) < legs_on(&o->load[best]))
			best = w;
	return best;
}

bool
cp_overload_refuses(const struct cp_overload *o, uint32_t worker)
{
	uint32_t w = worker == CP_OVERLOAD_ANY ? idlest(o) : worker;
	const struct cp_overload_load *l;

	if (o->is_lagging)
		return true;
	if (w >= o->workers)
		return false; /* nothing is known of it */
	l = &o->load[w];
	return l->is_busy || l->is_late || expected(l) >= (uint64_t)o->high_permille * MILLIONTHS;
}

void
cp_overload_admit(struct cp_overload *o, uint32_t worker)
{
	uint32_t w = worker == CP_OVERLOAD_ANY ? idlest(o) : worker;

	if (w < o->workers)
		o->load[w].admitted[0]++;
}

bool
cp_overload_is_any(const struct cp_overload *o)
{
	for (uint32_t w = 0; w < o->workers; w++)
		if (o->load[w].is_busy || o->load[w].is_late)
			return true;
	return o->is_lagging;
}
