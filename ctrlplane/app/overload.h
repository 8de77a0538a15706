/* Admission by measured load: of each worker of the media plane, and of our own loop. Two watermarks, so that it does not flutter. Pure. */
#ifndef CP_APP_OVERLOAD_H
#define CP_APP_OVERLOAD_H

#include <stdbool.h>
#include <stdint.h>

#define CP_OVERLOAD_WORKERS 8	      /* those that NODE_SHOW shows one by one */
#define CP_OVERLOAD_ANY UINT32_MAX    /* whichever the media plane takes for a new conference */
#define CP_OVERLOAD_LEG_COST_MIN 100u /* millionths of a worker */

/* What was measured of one worker in its last second. */
struct cp_overload_load {
	uint32_t busy_permille, late_permille;
	uint32_t legs;
};

struct cp_overload {
	uint32_t high_permille, low_permille; /* of a worker's time */
	uint32_t late_permille;		 /* of its ticks: beyond it is overloaded however busy */
	int64_t lag_high_ms, lag_low_ms; /* of our loop */
	struct cp_overload_load measured[CP_OVERLOAD_WORKERS];
	uint32_t admitted[CP_OVERLOAD_WORKERS]; /* legs since then, which it does not show yet */
	bool is_over[CP_OVERLOAD_WORKERS];
	bool is_lagging;
	uint32_t workers; /* 0: nothing measured */
};

/* A new measurement: who is above the high mark is overloaded, until it is below the low one. */
void cp_overload_measure(struct cp_overload *o, const struct cp_overload_load *loads,
			 uint32_t workers);
void cp_overload_lag(struct cp_overload *o, int64_t lag_ms);

/* Is there no room for one more leg there? What was admitted since the measurement counts, by what a leg has cost on average. */
bool cp_overload_refuses(const struct cp_overload *o, uint32_t worker);
void cp_overload_admit(struct cp_overload *o, uint32_t worker);

#endif
