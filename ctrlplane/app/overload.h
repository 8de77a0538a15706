/* Admission by measured load: of each worker of the media plane, and of our own loop. Two watermarks, so that it does not flutter. Pure. */
#ifndef CP_APP_OVERLOAD_H
#define CP_APP_OVERLOAD_H

#include <stdbool.h>
#include <stdint.h>

#define CP_OVERLOAD_WORKERS 8	      /* those that NODE_SHOW shows one by one */
#define CP_OVERLOAD_ANY UINT32_MAX    /* whichever the media plane takes for a new conference */
#define CP_OVERLOAD_LEG_COST_MIN 100u /* millionths of a worker */
#define CP_OVERLOAD_BUSY_ROUNDS 2     /* in a row above the high mark: overloaded */
#define CP_OVERLOAD_LATE_ROUNDS 10    /* in a row late while busy: overloaded */
#define CP_OVERLOAD_ADMITTED_ROUNDS 3 /* as long until the figures show who was admitted */

/* A worker's counters since its start, at one moment of its node's clock. */
struct cp_overload_sample {
	uint64_t at_ns;
	uint64_t busy_ns;
	uint64_t ticks, ticks_late;
	uint32_t legs;
};

/* Of one worker. */
struct cp_overload_load {
	struct cp_overload_sample last;
	uint32_t busy_permille,
		level_permille; /* of the last round; of the best of the last BUSY_ROUNDS */
	uint32_t busy_before[CP_OVERLOAD_BUSY_ROUNDS - 1];
	unsigned int late_rounds; /* in a row */
	bool is_busy, is_late;	  /* beyond the marks */
	/* legs admitted since the last round, in the one before … */
	uint32_t admitted[CP_OVERLOAD_ADMITTED_ROUNDS];
};

struct cp_overload {
	uint32_t high_permille, low_permille; /* of a worker's time */
	uint32_t late_permille;		      /* of its ticks; 0: late ticks are no matter */
	int64_t lag_high_ms, lag_low_ms;      /* of our loop */
	struct cp_overload_load load[CP_OVERLOAD_WORKERS];
	bool is_lagging;
	uint64_t instance; /* of the media plane that was measured */
	uint32_t workers;  /* 0: nothing measured */
};

/*
 * A round: the samples of all workers. Who is above the high mark in BUSY_ROUNDS of them is overloaded, until one is at or below the
 * low mark. Late ticks count when a worker that is above the low mark has had them in LATE_ROUNDS, until one is better: a machine that
 * hiccups is not overloaded. Another instance begins anew.
 */
void cp_overload_measure(struct cp_overload *o, uint64_t instance,
			 const struct cp_overload_sample *samples, uint32_t workers);
void cp_overload_lag(struct cp_overload *o, int64_t lag_ms);

/* Is there no room for one more leg there? Who was admitted and does not show yet counts, by what a leg has cost on average. */
bool cp_overload_refuses(const struct cp_overload *o, uint32_t worker);
void cp_overload_admit(struct cp_overload *o, uint32_t worker);
bool cp_overload_is_any(const struct cp_overload *o);

#endif
