/*
 * How late the media clock's ticks begin on the udp port: a worker on a thread of its own that sleeps between packets and ticks,
 * 100 conferences of three, each leg sent 50 packets a second through the kernel.
 *
 * Verified: no tick was skipped, and every packet that was due has left.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <rte_lcore.h>
#include "bench/lib/bench.h"
#include "dataplane/worker/worker_state.h"
#include "drivers/eal.h"
#include "drivers/mempool.h"
#include "drivers/port/clock.h"

#define PORT_BASE 24000
#define CONFS 100
#define SIZE 3
#define LEGS (CONFS * SIZE)
#define SECONDS 5
#define TICKS_A_SECOND 50

struct bench_node {
	struct drv_port *port;
	struct rte_mempool *pool;
	struct dp_worker *worker;
	pthread_t thread;
	int sink; /* where the packets end */
	struct dp_addr to;
};

static int
die(const char *text)
{
	fprintf(stderr, "bench tick: %s\n", text);
	return -EIO;
}

static int
sink_open(struct bench_node *n)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);

	n->sink = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (n->sink < 0 || bind(n->sink, (struct sockaddr *)&address, len) != 0 ||
	    getsockname(n->sink, (struct sockaddr *)&address, &len) != 0)
		return -errno;
	n->to = (struct dp_addr){
		.family = DP_FAMILY_IP4, .port = ntohs(address.sin_port), .ip = {127, 0, 0, 1}};
	return 0;
}

static void
post(struct bench_node *n, struct dp_msg *msg)
{
	struct dp_msg *back;

	while (!dp_worker_post(n->worker, msg))
		;
	while (dp_worker_collect(n->worker, &back, 1) == 0)
		usleep(100);
}

static void
people_come(struct bench_node *n)
{
	for (uint32_t i = 0; i < LEGS; i++) {
		struct dp_msg add = {.type = DP_MSG_LEG_ADD, .leg = i, .conf = i / SIZE};

		if (i % SIZE == 0) {
			struct dp_msg conf = {.type = DP_MSG_CONF_CREATE, .conf = i / SIZE};

			conf.conf_create.conf = i / SIZE + 1;
			post(n, &conf);
			add.add.member_room = SIZE;
			add.add.members = calloc(SIZE, sizeof(uint32_t) + sizeof(struct dp_talker));
		}
		add.add.leg = (struct dp_ctl_leg){
			.leg = i + 1,
			.conf = i / SIZE + 1,
			.flags = DP_LEG_NO_RTCP | DP_LEG_RTCP_MUX,
			.dirs = DP_DIR_RECEIVE | DP_DIR_SEND,
			.ptime_ms = 20,
			.rx_count = 1,
			.rx = {{.codec = DP_CODEC_PCMU}},
			.tx = {.codec = DP_CODEC_PCMU},
			.remote_rtp = n->to,
			.cname = "bench",
		};
		drv_port_endpoint_open(n->port, 0, 0, (uint16_t)(PORT_BASE + i * 2));
		post(n, &add);
	}
}

static void
people_go(struct bench_node *n)
{
	for (uint32_t i = 0; i < LEGS; i++) {
		struct dp_msg leave = {.type = DP_MSG_LEG_REMOVE, .leg = i};

		post(n, &leave);
		drv_port_endpoint_close(n->port, 0, 0, (uint16_t)(PORT_BASE + i * 2));
	}
}

static void *
thread_run(void *arg)
{
	struct bench_node *n = arg;

	rte_thread_register();
	dp_worker_run(n->worker);
	rte_thread_unregister();
	return NULL;
}

static int
node_open(struct bench_node *n)
{
	struct drv_eal_conf eal = {.program = "bench",
				   .file_prefix = "tick",
				   .main_cpu = -1,
				   .workers = 1,
				   .worker_cpu = {-1},
				   .memory_mb = 128};
	struct drv_mempool_conf pool = {.count = 4095, .node = -1};
	struct drv_port_conf port = {
		.kind = "udp",
		.queues = 1,
		.local_count = 1,
		.local = {{.addr = {.family = DP_FAMILY_IP4, .ip = {127, 0, 0, 1}}, .prefix = 8}},
		.port_base = PORT_BASE,
		.ports_per_queue = LEGS * 2,
		.burst = DP_BURST_MAX,
		.io_uring = -1};
	struct dp_worker_conf worker = {.workers = 1,
					.socket = SOCKET_ID_ANY,
					.port_base = PORT_BASE,
					.ports_per_queue = LEGS * 2,
					.confs_max = CONFS,
					.jbuf_min_ms = 20,
					.jbuf_max_ms = 200};
	char text[256] = "";

	if (drv_eal_init(&eal, text, sizeof(text)) != 0 ||
	    drv_mempool_create(&n->pool, &pool, text, sizeof(text)) != 0)
		return die(text);
	port.pool[0] = worker.pool = n->pool;
	if (drv_port_open(&n->port, &port, text, sizeof(text)) != 0)
		return die(text);
	worker.port = n->port;
	worker.start_ns = drv_now_ns();
	if (dp_worker_create(&n->worker, &worker, text, sizeof(text)) != 0)
		return die(text);
	if (sink_open(n) != 0)
		return die("no socket to send to");
	return -pthread_create(&n->thread, NULL, thread_run, n);
}

static double
quantile(const uint64_t *counts, double q)
{
	uint64_t total = 0, seen = 0;

	for (unsigned i = 0; i < DP_LATENESS_BUCKETS; i++)
		total += counts[i];
	for (unsigned i = 0; i < DP_LATENESS_BUCKETS; i++) {
		seen += counts[i];
		if ((double)seen >= q * (double)total)
			return (double)dp_lateness_bound_ns(i);
	}
	return 0;
}

static int
run(const struct bench_case *row, struct bench_result *out)
{
	struct bench_node node = {0};
	uint64_t before[DP_LATENESS_BUCKETS], counts[DP_LATENESS_BUCKETS];
	struct dp_msg first = {.type = DP_MSG_NODE_SHOW}, last = {.type = DP_MSG_NODE_SHOW};
	int rc = node_open(&node);

	if (rc != 0)
		return rc;
	people_come(&node);
	sleep(1);
	post(&node, &first);
	memcpy(before, dp_worker_lateness(node.worker), sizeof(before));
	sleep(SECONDS);
	memcpy(counts, dp_worker_lateness(node.worker), sizeof(counts));
	post(&node, &last);
	for (unsigned i = 0; i < DP_LATENESS_BUCKETS; i++)
		counts[i] -= before[i];
	out->p50 = out->value = quantile(counts, 0.5);
	out->p99 = quantile(counts, 0.99);
	bench_extra_number(out, "p999", quantile(counts, 0.999));
	bench_extra_number(out, "legs", LEGS);
	bench_extra_number(out, "cpu_percent",
			   (double)(last.node.busy_ns - first.node.busy_ns) / (SECONDS * 1e7));
	bench_extra_text(out, "port", drv_port_engine(node.port));
	uint64_t sent = last.node.made - first.node.made;

	out->is_verified = last.node.ticks_skipped == first.node.ticks_skipped &&
			   sent >= (uint64_t)(SECONDS * TICKS_A_SECOND - 2) * LEGS &&
			   sent <= (uint64_t)(SECONDS * TICKS_A_SECOND + 20) * LEGS;
	people_go(&node);
	dp_worker_stop(node.worker);
	pthread_join(node.thread, NULL);
	for (unsigned i = 0; i < CONFS; i++)
		free(node.worker->confs[i].members);
	dp_worker_destroy(node.worker);
	drv_port_close(node.port);
	close(node.sink);
	return 0;
}

static const struct bench_case cases[] = {{"tick.lateness", "ns", run, NULL, false}};

int
main(int argc, char **argv)
{
	return bench_main(argc, argv, cases, 1);
}
