/*
 * What a packet costs on the udp port: receive and send, io_uring and epoll, bursts of 64 spread over 2,000 sockets on
 * loopback. A send carries the kernel's delivery into the receiving socket: loopback does both on the sender's time.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <rte_mbuf.h>
#include "bench/lib/bench.h"
#include "dataplane/api/drops.h"
#include "drivers/eal.h"
#include "drivers/mempool.h"
#include "drivers/port/clock.h"
#include "drivers/port/port.h"

#define SOCKETS 2000
#define BURST 64
#define BASE 22000
#define OCTETS 182 /* 20 ms of G.711 under SRTP with a tag of ten octets */

struct params {
	int io_uring;
	bool is_tx;
};

struct state {
	struct drv_port *port;
	struct rte_mempool *pool;
	int peers[BURST]; /* the other ends */
	struct dp_addr peer_addrs[BURST];
	struct rte_mbuf *pkts[BURST];
	uint8_t verdicts[BURST];
	unsigned next;
	uint64_t sent, came, wrong;
};

static struct rte_mempool *pool;

/* 127.x.y.1 of this process, so that nobody else holds the ports. */
static struct in_addr
loopback(void)
{
	unsigned id = (unsigned)getpid();

	return (struct in_addr){
		.s_addr = htonl(127u << 24 | (1 + (id >> 8) % 250) << 16 | id % 256 << 8 | 1)};
}

static struct dp_addr
loopback_addr(uint16_t port)
{
	struct dp_addr addr = {.family = DP_FAMILY_IP4, .port = port};
	struct in_addr ip = loopback();

	memcpy(addr.ip, &ip, 4);
	return addr;
}

static int
eal_once(void)
{
	const struct drv_eal_conf conf = {.program = "bench",
					  .file_prefix = "conclave-bench-udp",
					  .main_cpu = -1,
					  .memory_mb = 64};
	const struct drv_mempool_conf pool_conf = {.count = 4095, .node = -1};
	char text[512];

	if (pool != NULL)
		return 0;
	if (drv_eal_init(&conf, text, sizeof(text)) != 0 ||
	    drv_mempool_create(&pool, &pool_conf, text, sizeof(text)) != 0) {
		fprintf(stderr, "%s\n", text);
		return -EIO;
	}
	return 0;
}

static int
peers_open(struct state *s)
{
	for (unsigned i = 0; i < BURST; i++) {
		struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr = loopback()};
		socklen_t length = sizeof(sa);

		s->peers[i] = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		if (s->peers[i] < 0 || bind(s->peers[i], (struct sockaddr *)&sa, sizeof(sa)) != 0 ||
		    getsockname(s->peers[i], (struct sockaddr *)&sa, &length) != 0)
			return -errno;
		s->peer_addrs[i] = loopback_addr(ntohs(sa.sin_port));
	}
	return 0;
}

static void
rx_prepare(void *arg)
{
	struct state *s = arg;
	char data[OCTETS] = {0};

	for (unsigned i = 0; i < BURST; i++) {
		struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr = loopback()};

		to.sin_port = htons((uint16_t)(BASE + s->next));
		s->next = (s->next + 1) % SOCKETS;
		s->sent += sendto(s->peers[i], data, sizeof(data), 0, (struct sockaddr *)&to,
				  sizeof(to)) == OCTETS;
	}
}

static void
rx_round(void *arg)
{
	struct state *s = arg;
	uint64_t end = drv_now_ns() + 100000000u;
	unsigned got = 0;

	while (got < BURST && drv_now_ns() < end) {
		uint16_t n = drv_port_rx(s->port, 0, s->pkts, (uint16_t)(BURST - got));

		for (uint16_t i = 0; i < n; i++)
			s->wrong += s->pkts[i]->data_len != OCTETS;
		rte_pktmbuf_free_bulk(s->pkts, n);
		got += n;
	}
	s->came += got;
}

static void
tx_prepare(void *arg)
{
	struct state *s = arg;
	char data[2048];

	for (unsigned i = 0; i < BURST; i++)
		for (ssize_t n; (n = recv(s->peers[i], data, sizeof(data), 0)) >= 0; s->came++)
			s->wrong += n != OCTETS;
	drv_port_rx(s->port, 0, s->pkts, BURST); /* late errors */
	for (unsigned i = 0; i < BURST; i++) {
		struct drv_pkt *pkt;

		s->pkts[i] = rte_pktmbuf_alloc(s->pool);
		pkt = rte_mbuf_to_priv(s->pkts[i]);
		memset(rte_pktmbuf_append(s->pkts[i], OCTETS), 0, OCTETS);
		pkt->peer = s->peer_addrs[i];
		pkt->local_index = 0;
		pkt->local_port = (uint16_t)(BASE + s->next);
		s->next = (s->next + 1) % SOCKETS;
	}
}

static void
tx_round(void *arg)
{
	struct state *s = arg;

	s->sent += drv_port_tx(s->port, 0, s->pkts, BURST, s->verdicts);
}

static int
port_make(struct state *s, int io_uring)
{
	struct drv_port_conf conf = {
		.kind = "udp",
		.queues = 1,
		.local_count = 1,
		.local[0].addr = loopback_addr(0),
		.port_base = BASE,
		.ports_per_queue = SOCKETS,
		.burst = BURST,
		.pool = {pool},
		.io_uring = io_uring,
	};
	char text[512];
	int rc = drv_port_open(&s->port, &conf, text, sizeof(text));

	if (rc != 0) {
		fprintf(stderr, "%s\n", text);
		return rc;
	}
	for (unsigned i = 0; rc == 0 && i < SOCKETS; i++)
		rc = drv_port_endpoint_open(s->port, 0, 0, (uint16_t)(BASE + i));
	drv_port_rx(s->port, 0, s->pkts, 1);
	return rc;
}

static int
run(const struct bench_case *row, struct bench_result *out)
{
	const struct params *params = row->arg;
	struct state s = {0};
	struct bench_plan plan = {
		.prepare = params->is_tx ? tx_prepare : rx_prepare,
		.round = params->is_tx ? tx_round : rx_round,
		.arg = &s,
		.items = BURST,
		.min_rounds = 2000,
		.warm_up = 100,
	};
	struct bench_timing timing;
	int rc = eal_once();

	s.pool = pool;
	if (rc == 0)
		rc = peers_open(&s);
	if (rc == 0)
		rc = port_make(&s, params->io_uring);
	if (rc == 0)
		rc = bench_time(&timing, &plan);
	if (rc == 0) {
		bench_result_set(out, &timing);
		if (params->is_tx) { /* takes the last burst in, and gives back what it prepares */
			tx_prepare(&s);
			rte_pktmbuf_free_bulk(s.pkts, BURST);
		}
		out->is_verified = s.came == s.sent && s.wrong == 0 && s.sent > 0;
		bench_extra_number(out, "sockets", SOCKETS);
		bench_extra_number(out, "packets", (double)s.came);
	}
	drv_port_close(s.port);
	for (unsigned i = 0; i < BURST; i++)
		if (s.peers[i] > 0)
			close(s.peers[i]);
	return rc;
}

int
main(int argc, char **argv)
{
	static const struct params rx_uring = {1, false}, rx_epoll = {0, false},
				   tx_uring = {1, true}, tx_epoll = {0, true};
	static const struct bench_case cases[] = {
		{"port.udp.rx.io_uring", "ns/packet", run, &rx_uring, false},
		{"port.udp.rx.epoll", "ns/packet", run, &rx_epoll, false},
		{"port.udp.tx.io_uring", "ns/packet", run, &tx_uring, false},
		{"port.udp.tx.epoll", "ns/packet", run, &tx_epoll, false},
	};

	return bench_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
