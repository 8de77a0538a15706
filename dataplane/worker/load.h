/* How busy a worker is: shares of its last whole second, from its own counters. What admission goes by. */
#ifndef DP_WORKER_LOAD_H
#define DP_WORKER_LOAD_H

#include <stdint.h>
#include "dataplane/api/stats.h"

#define DP_LOAD_WINDOW_NS 1000000000u

/* The counters as they were when the second began. */
struct dp_load {
	uint64_t since_ns; /* 0: no second has begun */
	uint64_t busy_ns;
	uint64_t ticks, ticks_late;
};

/* After every turn: when a second is over its shares go into the gauges of stats, and the next begins. */
void dp_load_look(struct dp_load *load, struct dp_worker_stats *stats, uint64_t now_ns);

#endif
