/* Who is overloaded, by the last second's measurements and what has been admitted since. */
#include "ctrlplane/app/overload.h"

#include <string.h>

#define MILLIONTHS 1000u /* of a permille */
#define AVERAGE_OF_LEGS 100

/*
 * What one leg costs there, in millionths of the worker: as on average so far, whatever codecs that were. Of few legs the
 * average tells more of what a worker does without any, and a burst of joins would be refused by an idle one.
 */
static uint64_t
leg_cost(const struct cp_overload_load *l)
{
	uint64_t cost =
		l->legs >= AVERAGE_OF_LEGS ? (uint64_t)l->busy_permille * MILLIONTHS / l->legs : 0;

	return cost > CP_OVERLOAD_LEG_COST_MIN ? cost : CP_OVERLOAD_LEG_COST_MIN;
}

static uint64_t
expected(const struct cp_overload *o, uint32_t w)
{
	return (uint64_t)o->measured[w].busy_permille * MILLIONTHS +
	       o->admitted[w] * leg_cost(&o->measured[w]);
}

void
cp_overload_measure(struct cp_overload *o, const struct cp_overload_load *loads, uint32_t workers)
{
	o->workers = workers < CP_OVERLOAD_WORKERS ? workers : CP_OVERLOAD_WORKERS;
	memcpy(o->measured, loads, o->workers * sizeof(*loads));
	memset(o->admitted, 0, sizeof(o->admitted));
	for (uint32_t w = 0; w < o->workers; w++) {
		const struct cp_overload_load *l = &o->measured[w];

		/* late and idle is another program's doing: fewer calls would not mend it */
		if (l->busy_permille >= o->high_permille ||
		    (l->busy_permille > o->low_permille && l->late_permille >= o->late_permille))
			o->is_over[w] = true;
		else if (l->busy_permille <= o->low_permille)
			o->is_over[w] = false;
	}
}

void
cp_overload_lag(struct cp_overload *o, int64_t lag_ms)
{
	if (lag_ms >= o->lag_high_ms)
		o->is_lagging = true;
	else if (lag_ms <= o->lag_low_ms)
		o->is_lagging = false;
}

/* A new conference goes to the worker with the fewest legs. */
static uint32_t
idlest(const struct cp_overload *o)
{
	uint32_t best = 0;

	for (uint32_t w = 1; w < o->workers; w++)
		if (o->measured[w].legs + o->admitted[w] <
		    o->measured[best].legs + o->admitted[best])
			best = w;
	return best;
}

bool
cp_overload_refuses(const struct cp_overload *o, uint32_t worker)
{
	uint32_t w = worker == CP_OVERLOAD_ANY ? idlest(o) : worker;

	if (o->is_lagging)
		return true;
	if (w >= o->workers)
		return false; /* nothing is known of it */
	return o->is_over[w] || expected(o, w) >= (uint64_t)o->high_permille * MILLIONTHS;
}

void
cp_overload_admit(struct cp_overload *o, uint32_t worker)
{
	uint32_t w = worker == CP_OVERLOAD_ANY ? idlest(o) : worker;

	if (w < o->workers)
		o->admitted[w]++;
}
