/*
 * A worker: one thread, one port queue, the conferences and legs that live there. All tables are made at create; from then on
 * nothing is allocated. The control thread talks to it by messages only (msg.h).
 */
#ifndef DP_WORKER_H
#define DP_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dataplane/worker/msg.h"

#define DP_WORKERS_MAX 32
#define DP_LATENESS_BUCKETS 256

struct drv_port;
struct rte_mempool;
struct rte_ring;
struct dp_worker;
struct dp_trace;

struct dp_worker_conf {
	unsigned index;	  /* = port queue */
	unsigned workers; /* on the node */
	int socket;	  /* NUMA node, -1 any */
	struct drv_port *port;
	struct rte_mempool *pool;
	uint16_t port_base;	  /* first UDP port of queue 0 */
	uint16_t ports_per_queue; /* two a leg */
	uint32_t confs_max;
	uint32_t frames;		   /* blocks for the jitter buffers; 0: 16 a leg */
	uint16_t burst;			   /* packets a turn, up to 64 */
	uint16_t jbuf_min_ms, jbuf_max_ms; /* for legs that do not say */
	uint64_t start_ns;		   /* when the media clock begins */
	struct rte_ring *handoff
		[DP_WORKERS_MAX]; /* into each worker; NULL: none, packets of others are not for us */
};

/* 0 or -errno; on failure text says what and how to mend. */
int dp_worker_create(struct dp_worker **out, const struct dp_worker_conf *conf, char *text,
		     size_t text_size);
void dp_worker_destroy(struct dp_worker *w);

/* Lateness of ticks: bucket of a value, its upper bound, and the counts so far (monotonic, 64 bits each). */
unsigned dp_lateness_bucket(uint64_t ns);
uint64_t dp_lateness_bound_ns(unsigned bucket);
const uint64_t *dp_worker_lateness(const struct dp_worker *w);

/* The worker's thread: one turn at a time (now_ns: drv_now_ns clock), or turns and sleep until stop. */
void dp_worker_turn(struct dp_worker *w, uint64_t now_ns);
int dp_worker_run(void *w);
void dp_worker_stop(struct dp_worker *w);

/* Control thread. Post gives msg away, false: the ring is full. Collect takes up to n that are done; events up to n. */
bool dp_worker_post(struct dp_worker *w, struct dp_msg *msg);
unsigned dp_worker_collect(struct dp_worker *w, struct dp_msg **msgs, unsigned n);
unsigned dp_worker_events(struct dp_worker *w, struct dp_event_rec *recs, unsigned n);

/* Keys that rotations displaced, to be destroyed. */
unsigned dp_worker_keys(struct dp_worker *w, struct dp_srtp_key **keys, unsigned n);

/* Telemetry: the trace of one of the worker's legs. */
struct dp_trace *dp_worker_tracer(struct dp_worker *w);

/* Any thread: counters as they stand, each exact, not together (those of LEG_SHOW and NODE_SHOW are). */
void dp_worker_peek(const struct dp_worker *w, struct dp_worker_stats *out);
void dp_worker_leg_peek(const struct dp_worker *w, uint32_t leg, struct dp_leg_stats *out);

#endif
