/*
 * The node as the control thread sees it: which conferences and legs there are, on which worker, under which ids. Turns requests
 * of the control socket into messages to workers, and their completions into replies. Control thread only.
 */
#ifndef DP_CTL_NODE_H
#define DP_CTL_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "dataplane/api/ctl.h"
#include "dataplane/worker/worker.h"

struct drv_port;
struct dp_ctl_server_conf;
struct dp_node;

struct dp_node_conf {
	unsigned workers;
	struct dp_worker *worker[DP_WORKERS_MAX];
	struct drv_port *port;
	uint16_t port_base, ports_per_queue;
	uint32_t confs_max; /* per worker */
	uint32_t local_count;
	struct dp_addr local[4];
	const char *version;
};

/* 0 or -errno; on failure text says what and how to mend. socket's request and arg are filled here. */
int dp_node_open(struct dp_node **out, const struct dp_node_conf *conf,
		 const struct dp_ctl_server_conf *socket, char *text, size_t text_size);

/* One round: requests in, completions and events out; sleeps up to timeout_ms when there is nothing. */
void dp_node_step(struct dp_node *node, int timeout_ms);

/* Every leg says BYE and leaves, every key is wiped; gives up after timeout_ms. Workers have to run meanwhile. */
void dp_node_drain(struct dp_node *node, int timeout_ms);

/* After the workers have stopped. */
void dp_node_close(struct dp_node *node);

/*
 * What the port dropped below the worker, added to the worker's counters so that they still fit together: it came in, and has a
 * drop. Any thread.
 */
void dp_node_port_add(const struct dp_node *node, unsigned worker, struct dp_worker_stats *stats);

/* The leg's worker and index, for telemetry; false: unknown. Safe from any thread, may be out of date. */
bool dp_node_leg_at(const struct dp_node *node, uint32_t leg, unsigned *worker, uint32_t *index);

#endif
