/* Counters by DPDK's telemetry: /conclave/node, /conclave/worker, /conclave/drops, /conclave/lateness, /conclave/leg. */
#ifndef DP_STATS_TELEMETRY_H
#define DP_STATS_TELEMETRY_H

struct dp_node;
struct dp_worker;

/* Control thread, once. The commands read counters of running workers, each exact, not together. */
void dp_telemetry_start(struct dp_node *node, struct dp_worker *const *workers, unsigned count);

/* From here on the commands answer nothing: workers may be destroyed. */
void dp_telemetry_stop(void);

#endif
