/* Telemetry commands; called on DPDK's telemetry thread. */
#include "dataplane/stats/telemetry.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <rte_telemetry.h>
#include "dataplane/api/drops.h"
#include "dataplane/ctl/node.h"
#include "dataplane/trace/trace.h"
#include "dataplane/worker/worker.h"

/* The library keeps callbacks without an argument: hence one place for all. */
static struct {
	pthread_mutex_t lock;
	struct dp_node *node;
	struct dp_worker *const *workers;
	unsigned count;
} source = {.lock = PTHREAD_MUTEX_INITIALIZER};

struct field {
	const char *name;
	size_t offset;
};

#define FIELD(name)                                           \
	{                                                     \
#name, offsetof(struct dp_worker_stats, name) \
	}

static const struct field worker_fields[] = {
	FIELD(rx_packets),    FIELD(rx_octets),
	FIELD(rx_sunk),	      FIELD(held),
	FIELD(made),	      FIELD(tx_packets),
	FIELD(tx_octets),     FIELD(handoff_in),
	FIELD(handoff_out),   FIELD(turns),
	FIELD(ticks),	      FIELD(ticks_late),
	FIELD(ticks_skipped), FIELD(frames_encoded),
	FIELD(frames_shared), FIELD(plays),
	FIELD(plays_ended),   FIELD(play_frames),
	FIELD(events_lost),   FIELD(busy_ns),
	FIELD(sleep_ns),      FIELD(tick_late_ns_max),
};

/* The worker's, and what its port dropped before them. */
static void
peek(unsigned w, struct dp_worker_stats *stats)
{
	dp_worker_peek(source.workers[w], stats);
	if (source.node != NULL)
		dp_node_port_add(source.node, w, stats);
}

static uint64_t
sum(size_t offset)
{
	uint64_t total = 0;

	for (unsigned w = 0; w < source.count; w++) {
		struct dp_worker_stats stats;

		peek(w, &stats);
		total += *(const uint64_t *)((const char *)&stats + offset);
	}
	return total;
}

static int
say_node(const char *cmd, const char *params, struct rte_tel_data *d)
{
	rte_tel_data_start_dict(d);
	pthread_mutex_lock(&source.lock);
	rte_tel_data_add_dict_int(d, "workers", (int)source.count);
	for (size_t i = 0; i < sizeof(worker_fields) / sizeof(worker_fields[0]); i++)
		rte_tel_data_add_dict_u64(d, worker_fields[i].name, sum(worker_fields[i].offset));
	pthread_mutex_unlock(&source.lock);
	return 0;
}

static int
say_worker(const char *cmd, const char *params, struct rte_tel_data *d)
{
	struct dp_worker_stats stats;
	unsigned long w = params != NULL ? strtoul(params, NULL, 10) : 0;

	pthread_mutex_lock(&source.lock);
	if (w >= source.count) {
		pthread_mutex_unlock(&source.lock);
		return -EINVAL;
	}
	peek(w, &stats);
	pthread_mutex_unlock(&source.lock);
	rte_tel_data_start_dict(d);
	for (size_t i = 0; i < sizeof(worker_fields) / sizeof(worker_fields[0]); i++)
		rte_tel_data_add_dict_u64(
			d, worker_fields[i].name,
			*(const uint64_t *)((const char *)&stats + worker_fields[i].offset));
	rte_tel_data_add_dict_u64(d, "legs", stats.legs);
	rte_tel_data_add_dict_u64(d, "conferences", stats.conferences);
	rte_tel_data_add_dict_u64(d, "playing", stats.playing);
	rte_tel_data_add_dict_u64(d, "busy_permille", stats.busy_permille);
	rte_tel_data_add_dict_u64(d, "late_permille", stats.late_permille);
	return 0;
}

/* Drops by name, or by blame. */
static int
say_drops(const char *cmd, const char *params, struct rte_tel_data *d)
{
	rte_tel_data_start_dict(d);
	pthread_mutex_lock(&source.lock);
	for (unsigned i = 1; i < DP_DROP_COUNT; i++)
		rte_tel_data_add_dict_u64(
			d, dp_drop_name(i),
			sum(offsetof(struct dp_worker_stats, drops) + i * sizeof(uint64_t)));
	pthread_mutex_unlock(&source.lock);
	return 0;
}

static int
say_blames(const char *cmd, const char *params, struct rte_tel_data *d)
{
	uint64_t blames[DP_BLAME_BUG + 1] = {0};

	pthread_mutex_lock(&source.lock);
	for (unsigned i = 1; i < DP_DROP_COUNT; i++)
		blames[dp_drop_blame(i)] +=
			sum(offsetof(struct dp_worker_stats, drops) + i * sizeof(uint64_t));
	pthread_mutex_unlock(&source.lock);
	rte_tel_data_start_dict(d);
	for (unsigned b = 0; b <= DP_BLAME_BUG; b++)
		rte_tel_data_add_dict_u64(d, dp_blame_name(b), blames[b]);
	return 0;
}

static uint64_t
quantile(const uint64_t *counts, uint64_t total, unsigned per_mille)
{
	uint64_t wanted = (total * per_mille + 999) / 1000, seen = 0;

	for (unsigned i = 0; i < DP_LATENESS_BUCKETS; i++) {
		seen += counts[i];
		if (seen >= wanted && seen > 0)
			return dp_lateness_bound_ns(i);
	}
	return 0;
}

static int
say_lateness(const char *cmd, const char *params, struct rte_tel_data *d)
{
	uint64_t counts[DP_LATENESS_BUCKETS] = {0}, total = 0;

	pthread_mutex_lock(&source.lock);
	for (unsigned w = 0; w < source.count; w++)
		for (unsigned i = 0; i < DP_LATENESS_BUCKETS; i++)
			counts[i] += dp_worker_lateness(source.workers[w])[i];
	pthread_mutex_unlock(&source.lock);
	for (unsigned i = 0; i < DP_LATENESS_BUCKETS; i++)
		total += counts[i];
	rte_tel_data_start_dict(d);
	rte_tel_data_add_dict_u64(d, "ticks", total);
	rte_tel_data_add_dict_u64(d, "p50_ns", quantile(counts, total, 500));
	rte_tel_data_add_dict_u64(d, "p99_ns", quantile(counts, total, 990));
	rte_tel_data_add_dict_u64(d, "p999_ns", quantile(counts, total, 999));
	return 0;
}

#define LEG_FIELD(name)                                    \
	{                                                  \
#name, offsetof(struct dp_leg_stats, name) \
	}

static const struct field leg_counters[] = {
	LEG_FIELD(rx_packets),	   LEG_FIELD(rx_octets),
	LEG_FIELD(rx_rtcp),	   LEG_FIELD(rx_dtmf_packets),
	LEG_FIELD(played),	   LEG_FIELD(held),
	LEG_FIELD(tx_packets),	   LEG_FIELD(tx_octets),
	LEG_FIELD(tx_rtcp),	   LEG_FIELD(lost),
	LEG_FIELD(reordered),	   LEG_FIELD(concealed_frames),
	LEG_FIELD(auth_failures),  LEG_FIELD(replays),
	LEG_FIELD(dtmf_events),	   LEG_FIELD(ssrc_changes),
	LEG_FIELD(key_packets_rx), LEG_FIELD(key_packets_tx),
};

static const struct field leg_gauges[] = {
	/* of 32 bits */
	LEG_FIELD(jitter_us),
	LEG_FIELD(jbuf_delay_us),
	LEG_FIELD(round_trip_us),
	LEG_FIELD(remote_jitter_us),
};

static void
add_leg(struct rte_tel_data *d, const struct dp_leg_stats *s)
{
	const char *octets = (const char *)s;

	for (size_t i = 0; i < sizeof(leg_counters) / sizeof(leg_counters[0]); i++)
		rte_tel_data_add_dict_u64(d, leg_counters[i].name,
					  *(const uint64_t *)(octets + leg_counters[i].offset));
	for (size_t i = 0; i < sizeof(leg_gauges) / sizeof(leg_gauges[0]); i++)
		rte_tel_data_add_dict_u64(d, leg_gauges[i].name,
					  *(const uint32_t *)(octets + leg_gauges[i].offset));
	rte_tel_data_add_dict_int(d, "clock_drift_ppm", s->clock_drift_ppm);
	rte_tel_data_add_dict_u64(d, "remote_lost", s->remote_lost);
	rte_tel_data_add_dict_u64(d, "level_rx", s->level_rx);
	rte_tel_data_add_dict_u64(d, "level_tx", s->level_tx);
	rte_tel_data_add_dict_u64(d, "is_latched", s->is_latched);
	for (unsigned i = 1; i < DP_DROP_COUNT; i++)
		if (s->drops[i] > 0)
			rte_tel_data_add_dict_u64(d, dp_drop_name(i), s->drops[i]);
}

static int
say_leg(const char *cmd, const char *params, struct rte_tel_data *d)
{
	struct dp_leg_stats stats;
	unsigned worker;
	uint32_t index;
	bool is_known = false;

	pthread_mutex_lock(&source.lock);
	if (source.node != NULL && params != NULL &&
	    dp_node_leg_at(source.node, (uint32_t)strtoul(params, NULL, 10), &worker, &index)) {
		dp_worker_leg_peek(source.workers[worker], index, &stats);
		is_known = true;
	}
	pthread_mutex_unlock(&source.lock);
	if (!is_known)
		return -ENOENT;
	rte_tel_data_start_dict(d);
	add_leg(d, &stats);
	return 0;
}

/* Asking for a leg's trace begins it; each record as text. */
static int
say_trace(const char *cmd, const char *params, struct rte_tel_data *d)
{
	uint32_t index = 0;
	unsigned worker = 0;
	struct dp_trace *trace = NULL;

	rte_tel_data_start_array(d, RTE_TEL_STRING_VAL);
	pthread_mutex_lock(&source.lock);
	if (source.node != NULL && params != NULL &&
	    dp_node_leg_at(source.node, (uint32_t)strtoul(params, NULL, 10), &worker, &index)) {
		trace = dp_worker_tracer(source.workers[worker]);
		dp_trace_start(trace, index);
	}
	for (uint32_t i = 0; trace != NULL && i < trace->count && i < DP_TRACE_RECORDS; i++) {
		const struct dp_trace_rec *rec =
			&trace->recs[(trace->count - 1 - i) % DP_TRACE_RECORDS];
		char text[96];

		snprintf(text, sizeof(text), "%lu us %s %u octets seq %u %s",
			 (unsigned long)(rec->now_ns / 1000u), rec->is_out ? "out" : "in", rec->len,
			 rec->seq, rec->drop == DP_DROP_NONE ? "taken" : dp_drop_name(rec->drop));
		rte_tel_data_add_array_string(d, text);
	}
	pthread_mutex_unlock(&source.lock);
	return trace != NULL ? 0 : -ENOENT;
}

void
dp_telemetry_start(struct dp_node *node, struct dp_worker *const *workers, unsigned count)
{
	pthread_mutex_lock(&source.lock);
	source.node = node;
	source.workers = workers;
	source.count = count;
	pthread_mutex_unlock(&source.lock);
	rte_telemetry_register_cmd("/conclave/node", say_node, "Counters of all workers together");
	rte_telemetry_register_cmd("/conclave/worker", say_worker,
				   "Counters of one worker. Parameters: its number");
	rte_telemetry_register_cmd("/conclave/drops", say_drops, "Dropped packets by reason");
	rte_telemetry_register_cmd("/conclave/blames", say_blames,
				   "Dropped packets by who is to blame");
	rte_telemetry_register_cmd("/conclave/lateness", say_lateness,
				   "How late ticks of the media clock begin");
	rte_telemetry_register_cmd("/conclave/trace", say_trace,
				   "The last packets of one leg, newest first; asking begins it. "
				   "Parameters: its id");
	rte_telemetry_register_cmd("/conclave/leg", say_leg,
				   "Counters of one leg. Parameters: its id");
}

void
dp_telemetry_stop(void)
{
	pthread_mutex_lock(&source.lock);
	source.node = NULL;
	source.count = 0;
	pthread_mutex_unlock(&source.lock);
}
