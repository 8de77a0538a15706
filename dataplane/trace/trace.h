/*
 * The last packets of one leg: when, how large, what became of them. Never payload, never keys. A worker traces one leg at a time;
 * written by the worker, read by telemetry, which may see a record half written.
 */
#ifndef DP_TRACE_H
#define DP_TRACE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define DP_TRACE_RECORDS 128
#define DP_TRACE_NONE UINT32_MAX

struct dp_trace_rec {
	uint64_t now_ns;
	uint16_t len; /* UDP payload */
	uint16_t seq; /* RTP, 0 where there is none */
	uint8_t drop; /* enum dp_drop */
	bool is_out;
};

struct dp_trace {
	_Atomic uint32_t leg; /* index in the worker's table; DP_TRACE_NONE: off */
	uint32_t count;	      /* ever written */
	struct dp_trace_rec recs[DP_TRACE_RECORDS];
};

static inline bool
dp_trace_wants(const struct dp_trace *trace, uint32_t leg)
{
	return __builtin_expect(atomic_load_explicit(&trace->leg, memory_order_relaxed) == leg, 0);
}

static inline void
dp_trace_add(struct dp_trace *trace, const struct dp_trace_rec *rec)
{
	trace->recs[trace->count++ % DP_TRACE_RECORDS] = *rec;
}

/* Trace this leg from now on. */
static inline void
dp_trace_start(struct dp_trace *trace, uint32_t leg)
{
	if (!dp_trace_wants(trace, leg)) {
		trace->count = 0;
		atomic_store_explicit(&trace->leg, leg, memory_order_relaxed);
	}
}

#endif
