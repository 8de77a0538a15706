/* Shares of the last second. A worker that sleeps looks at least ten times a second, so a window is hardly longer than one. */
#include "dataplane/worker/load.h"

static uint32_t
permille(uint64_t part, uint64_t whole)
{
	uint64_t share = whole > 0 ? part * 1000 / whole : 0;

	return share < 1000 ? (uint32_t)share : 1000;
}

void
dp_load_look(struct dp_load *load, struct dp_worker_stats *stats, uint64_t now_ns)
{
	if (now_ns - load->since_ns < DP_LOAD_WINDOW_NS)
		return;
	if (load->since_ns != 0) {
		stats->busy_permille =
			permille(stats->busy_ns - load->busy_ns, now_ns - load->since_ns);
		stats->late_permille =
			permille(stats->ticks_late - load->ticks_late, stats->ticks - load->ticks);
	}
	*load = (struct dp_load){
		.since_ns = now_ns,
		.busy_ns = stats->busy_ns,
		.ticks = stats->ticks,
		.ticks_late = stats->ticks_late,
	};
}
