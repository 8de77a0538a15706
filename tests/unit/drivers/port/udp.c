/* The udp port over loopback, on both engines: ways in and out, errors, closing under way, many
 * sockets, sleeping. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>
#include <rte_mbuf.h>
#include "dataplane/api/drops.h"
#include "drivers/eal.h"
#include "drivers/mempool.h"
#include "drivers/port/clock.h"
#include "drivers/port/port.h"

#define BASE base_port
#define PORTS 2000
#define BURST 64

/* Of this process alone, so that two runs of this test do not meet: 127.x.y.1 and a range of ports. */
static char loopback[32];
static uint16_t base_port;

static struct rte_mempool *pool;
static int engine; /* conf.io_uring of the group under way */

static struct drv_local
local_of(const char *text)
{
	struct drv_local local = {0};

	local.addr.family = strchr(text, ':') ? DP_FAMILY_IP6 : DP_FAMILY_IP4;
	assert_int_equal(inet_pton(strchr(text, ':') ? AF_INET6 : AF_INET, text, local.addr.ip), 1);
	return local;
}

static struct drv_port_conf
conf_make(void)
{
	struct drv_port_conf conf = {
		.kind = "udp",
		.queues = 1,
		.local_count = 2,
		.port_base = BASE,
		.ports_per_queue = PORTS,
		.burst = BURST,
		.pool = {pool},
		.io_uring = engine,
		.dscp = 46,
	};

	conf.local[0] = local_of(loopback);
	conf.local[1] = local_of("::1");
	return conf;
}

static struct drv_port *
port_make(void)
{
	struct drv_port_conf conf = conf_make();
	struct drv_port *port = NULL;
	char text[512] = "";

	if (drv_port_open(&port, &conf, text, sizeof(text)) != 0)
		fail_msg("%s", text);
	assert_string_equal(drv_port_engine(port), engine ? "io_uring" : "epoll");
	assert_true(drv_port_can_sleep(port));
	assert_true(drv_port_is_steered(port));
	return port;
}

/* Receives until want datagrams are there or a second is over. */
static uint16_t
gather(struct drv_port *port, struct rte_mbuf **pkts, uint16_t want)
{
	uint64_t end = drv_now_ns() + 1000000000u;
	uint16_t got = 0;

	while (got < want && drv_now_ns() < end) {
		got += drv_port_rx(port, 0, pkts + got, (uint16_t)(want - got));
		if (got < want)
			drv_port_wait(port, 0, drv_now_ns() + 3000000);
	}
	return got;
}

/* Turns in which nothing may come. */
static void
expect_silence(struct drv_port *port)
{
	struct rte_mbuf *pkts[BURST];

	for (int i = 0; i < 10; i++) {
		assert_int_equal(drv_port_rx(port, 0, pkts, BURST), 0);
		drv_port_wait(port, 0, drv_now_ns() + 300000);
	}
}

static struct rte_mbuf *
packet(uint8_t local_index, uint16_t local_port, const struct dp_addr *to, const void *data,
       uint16_t size)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(pool);
	struct drv_pkt *pkt = rte_mbuf_to_priv(mbuf);

	memcpy(rte_pktmbuf_append(mbuf, size), data, size);
	pkt->peer = *to;
	pkt->local_index = local_index;
	pkt->local_port = local_port;
	return mbuf;
}

static struct dp_addr
address(uint8_t local_index, uint16_t port)
{
	struct dp_addr addr = local_of(local_index ? "::1" : loopback).addr;

	addr.port = port;
	return addr;
}

static void
datagrams_pass_both_ways_by_ip4_and_ip6(void **state)
{
	struct drv_port *port = port_make();
	struct rte_mbuf *pkts[2];
	struct drv_port_stats stats;
	uint8_t verdict = 99;

	for (uint8_t local = 0; local < 2; local++) {
		struct dp_addr to = address(local, BASE + 2);
		struct drv_pkt *pkt;

		assert_int_equal(drv_port_endpoint_open(port, 0, local, BASE), 0);
		assert_int_equal(drv_port_endpoint_open(port, 0, local, BASE + 2), 0);
		assert_int_equal(drv_port_rx(port, 0, pkts, 2), 0); /* takes the sockets over */
		pkts[0] = packet(local, BASE, &to, "hello", 5);
		assert_int_equal(drv_port_tx(port, 0, pkts, 1, &verdict), 1);
		assert_int_equal(verdict, DP_DROP_NONE);
		assert_int_equal(gather(port, pkts, 1), 1);
		pkt = rte_mbuf_to_priv(pkts[0]);
		assert_int_equal(pkts[0]->data_len, 5);
		assert_int_equal(pkts[0]->pkt_len, 5);
		assert_memory_equal(rte_pktmbuf_mtod(pkts[0], void *), "hello", 5);
		assert_int_equal(pkt->local_index, local);
		assert_int_equal(pkt->local_port, BASE + 2);
		to.port = BASE;
		assert_true(dp_addr_is_same(&pkt->peer, &to));
		assert_true(drv_now_ns() - pkt->rx_ns < 1000000000u);
		rte_pktmbuf_free(pkts[0]);
	}
	drv_port_stats_get(port, 0, &stats);
	assert_int_equal(stats.rx_packets, 2);
	assert_int_equal(stats.rx_octets, 10);
	assert_int_equal(stats.tx_packets, 2);
	assert_int_equal(stats.tx_octets, 10);
	drv_port_close(port);
}

static void
packets_are_marked_with_the_dscp(void **state)
{
	struct drv_port *port = port_make();
	struct dp_addr to;
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = inet_addr(loopback)};
	socklen_t length = sizeof(sa);
	char data[16], control[64];
	struct iovec iov = {data, sizeof(data)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0), yes = 1;
	struct rte_mbuf *pkts[1];
	uint8_t verdict;

	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &length), 0);
	assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_RECVTOS, &yes, sizeof(yes)), 0);
	to = address(0, ntohs(sa.sin_port));
	assert_int_equal(drv_port_endpoint_open(port, 0, 0, BASE), 0);
	drv_port_rx(port, 0, pkts, 1);
	pkts[0] = packet(0, BASE, &to, "x", 1);
	assert_int_equal(drv_port_tx(port, 0, pkts, 1, &verdict), 1);
	assert_int_equal(recvmsg(fd, &msg, 0), 1);
	assert_int_equal(*(uint8_t *)CMSG_DATA(CMSG_FIRSTHDR(&msg)), 46 << 2);
	close(fd);
	drv_port_close(port);
}

static void
endpoints_are_refused_with_a_reason(void **state)
{
	struct drv_port *port = port_make();
	struct sockaddr_in sa = {.sin_family = AF_INET,
				 .sin_port = htons(BASE + 4),
				 .sin_addr.s_addr = inet_addr(loopback)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(drv_port_endpoint_open(port, 0, 0, BASE), 0);
	assert_int_equal(drv_port_endpoint_open(port, 0, 0, BASE), -EEXIST);
	assert_int_equal(drv_port_endpoint_open(port, 0, 0, BASE - 1), -ERANGE);
	assert_int_equal(drv_port_endpoint_open(port, 0, 0, BASE + PORTS), -ERANGE);
	assert_int_equal(drv_port_endpoint_open(port, 0, 2, BASE + 2), -ERANGE);
	assert_int_equal(drv_port_endpoint_open(port, 1, 0, BASE), -ERANGE);
	assert_int_equal(drv_port_endpoint_open(port, 0, 0, BASE + 4), -EADDRINUSE);
	drv_port_endpoint_close(port, 0, 0, BASE + 6); /* was not open */
	close(fd);
	drv_port_close(port);
}

static void
wrong_configurations_say_how_to_mend(void **state)
{
	const uint16_t base = BASE;
	const struct {
		const char *word;
		int rc;
		uint16_t queues, base, ports;
		const char *kind, *local;
	} rows[] = {
		{"queues", -EINVAL, 0, base, PORTS, "udp", "127.0.0.1"},
		{"even", -EINVAL, 1, (uint16_t)(base + 1), PORTS, "udp", "127.0.0.1"},
		{"65535", -EINVAL, 1, 65000, PORTS, "udp", "127.0.0.1"},
		{"kind", -EINVAL, 1, base, PORTS, "carrier-pigeon", "127.0.0.1"},
		{"buffers", -EINVAL, 2, base, PORTS, "udp", "127.0.0.1"},
		{"203.0.113.7", -EADDRNOTAVAIL, 1, base, PORTS, "udp", "203.0.113.7"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct drv_port_conf conf = conf_make();
		struct drv_port *port = NULL;
		char text[512] = "";

		conf.kind = rows[i].kind;
		conf.queues = rows[i].queues;
		conf.port_base = rows[i].base;
		conf.ports_per_queue = rows[i].ports;
		conf.local[0] = local_of(rows[i].local);
		assert_int_equal(drv_port_open(&port, &conf, text, sizeof(text)), rows[i].rc);
		assert_null(port);
		if (strstr(text, rows[i].word) == NULL)
			fail_msg("\"%s\" does not name %s", text, rows[i].word);
	}
}

/* ICMP "port unreachable" comes back for every packet; the socket goes on. */
static void
unreachable_peer_breaks_nothing(void **state)
{
	struct drv_port *port = port_make();
	struct dp_addr nobody = address(0, (uint16_t)(BASE + PORTS)), self = address(0, BASE);
	struct rte_mbuf *pkts[8];
	uint8_t verdicts[8];

	assert_int_equal(drv_port_endpoint_open(port, 0, 0, BASE), 0);
	drv_port_rx(port, 0, pkts, 8);
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 8; i++)
			pkts[i] = packet(0, BASE, &nobody, "?", 1);
		drv_port_tx(port, 0, pkts, 8, verdicts);
		expect_silence(port);
	}
	pkts[0] = packet(0, BASE, &self, "self", 4);
	assert_int_equal(drv_port_tx(port, 0, pkts, 1, verdicts), 1);
	assert_int_equal(gather(port, pkts, 1), 1);
	rte_pktmbuf_free(pkts[0]);
	drv_port_close(port);
}

static void
impossible_sends_are_counted_or_judged(void **state)
{
	struct drv_port *port = port_make();
	struct dp_addr ip6 = address(1, 9), ip4 = address(0, 9);
	struct drv_port_stats stats;
	struct rte_mbuf *pkts[3];
	uint8_t verdicts[3];
	unsigned judged = 0;

	assert_int_equal(drv_port_endpoint_open(port, 0, 0, BASE), 0);
	drv_port_rx(port, 0, pkts, 3);
	pkts[0] = packet(0, BASE, &ip6, "x", 1);       /* IPv6 peer on an IPv4 socket */
	pkts[1] = packet(0, BASE + 100, &ip4, "x", 1); /* not open */
	pkts[2] = packet(0, BASE - 100, &ip4, "x", 1); /* not ours */
	drv_port_tx(port, 0, pkts, 3, verdicts);
	assert_int_equal(verdicts[1], DP_DROP_TX_ERROR);
	assert_int_equal(verdicts[2], DP_DROP_TX_ERROR);
	drv_port_rx(port, 0, pkts, 3);
	drv_port_stats_get(port, 0, &stats);
	for (int i = 0; i < 3; i++)
		judged += verdicts[i] != DP_DROP_NONE;
	assert_int_equal(judged + stats.tx_errors, 3);
	drv_port_close(port);
}

static void
closed_endpoint_is_silent_and_can_open_again(void **state)
{
	struct drv_port *port = port_make();
	struct dp_addr to = address(0, BASE + 2);
	struct rte_mbuf *pkts[BURST];
	uint8_t verdicts[BURST];

	assert_int_equal(drv_port_endpoint_open(port, 0, 0, BASE), 0);
	for (int round = 0; round < 20; round++) {
		assert_int_equal(drv_port_endpoint_open(port, 0, 0, BASE + 2), 0);
		drv_port_rx(port, 0, pkts, 0);
		for (int i = 0; i < BURST; i++)
			pkts[i] = packet(0, BASE, &to, &round, sizeof(round));
		assert_int_equal(drv_port_tx(port, 0, pkts, BURST, verdicts), BURST);
		/* Datagrams are in flight when the socket closes. */
		if (round % 2 == 0) {
			assert_int_equal(gather(port, pkts, BURST / 2), BURST / 2);
			assert_memory_equal(rte_pktmbuf_mtod(pkts[0], void *), &round,
					    sizeof(round));
			rte_pktmbuf_free_bulk(pkts, BURST / 2);
		}
		drv_port_endpoint_close(port, 0, 0, BASE + 2);
		expect_silence(port);
	}
	drv_port_close(port);
}

static void
too_long_a_datagram_is_counted(void **state)
{
	struct drv_port *port = port_make();
	struct sockaddr_in sa = {.sin_family = AF_INET,
				 .sin_port = htons(BASE),
				 .sin_addr.s_addr = inet_addr(loopback)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	static char data[DRV_MEMPOOL_ROOM + 1];
	struct drv_port_stats stats;
	struct rte_mbuf *pkts[3];

	assert_int_equal(drv_port_endpoint_open(port, 0, 0, BASE), 0);
	drv_port_rx(port, 0, pkts, 1);
	assert_int_equal(sendto(fd, data, sizeof(data), 0, (struct sockaddr *)&sa, sizeof(sa)),
			 sizeof(data));
	assert_int_equal(sendto(fd, data, 0, 0, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(sendto(fd, data, sizeof(data) - 1, 0, (struct sockaddr *)&sa, sizeof(sa)),
			 sizeof(data) - 1);
	assert_int_equal(gather(port, pkts, 2), 2);
	assert_int_equal(pkts[0]->data_len, 0);
	assert_int_equal(pkts[1]->data_len, DRV_MEMPOOL_ROOM);
	drv_port_stats_get(port, 0, &stats);
	assert_int_equal(stats.rx_malformed, 1);
	rte_pktmbuf_free_bulk(pkts, 2);
	close(fd);
	drv_port_close(port);
}

/* Nobody takes what comes: the socket is full, and what the kernel drops then is counted, also once the socket is closed. */
static void
a_full_socket_is_counted(void **state)
{
	enum { SENT = 5000 };
	struct drv_port *port = port_make();
	struct sockaddr_in sa = {.sin_family = AF_INET,
				 .sin_port = htons(BASE),
				 .sin_addr.s_addr = inet_addr(loopback)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	static char data[1000];
	struct drv_port_stats stats;
	struct rte_mbuf *pkts[32];
	uint64_t got = 0, missed;

	assert_int_equal(drv_port_endpoint_open(port, 0, 0, BASE), 0);
	drv_port_rx(port, 0, pkts, 1); /* takes the socket over */
	for (unsigned i = 0; i < SENT; i++)
		assert_int_equal(
			sendto(fd, data, sizeof(data), 0, (struct sockaddr *)&sa, sizeof(sa)),
			sizeof(data));
	for (unsigned idle = 0; idle < 50; idle++) {
		uint16_t n = drv_port_rx(port, 0, pkts, 32);

		rte_pktmbuf_free_bulk(pkts, n);
		got += n;
		idle = n > 0 ? 0 : idle;
		usleep(n > 0 ? 0 : 1000);
	}
	drv_port_look(port);
	drv_port_stats_get(port, 0, &stats);
	missed = stats.rx_missed;
	assert_true(missed > 0);
	assert_int_equal(got + missed, SENT);
	drv_port_endpoint_close(port, 0, 0, BASE);
	drv_port_rx(port, 0, pkts, 1);
	drv_port_look(port);
	drv_port_stats_get(port, 0, &stats);
	assert_int_equal(stats.rx_missed, missed);
	close(fd);
	drv_port_close(port);
}

/* Every socket sends to the next: each datagram arrives once, at its port, from its port. */
static void
many_sockets_each_get_their_own(void **state)
{
	struct drv_port *port = port_make();
	static struct rte_mbuf *pkts[PORTS];
	static uint8_t verdicts[PORTS], seen[PORTS];
	uint16_t got;

	memset(seen, 0, sizeof(seen));
	for (unsigned i = 0; i < PORTS; i++)
		assert_int_equal(drv_port_endpoint_open(port, 0, 0, (uint16_t)(BASE + i)), 0);
	drv_port_rx(port, 0, pkts, 1);
	for (unsigned i = 0; i < PORTS; i++) {
		struct dp_addr to = address(0, (uint16_t)(BASE + (i + 1) % PORTS));

		pkts[i] = packet(0, (uint16_t)(BASE + i), &to, &i, sizeof(i));
	}
	assert_int_equal(drv_port_tx(port, 0, pkts, PORTS, verdicts), PORTS);
	got = gather(port, pkts, PORTS);
	assert_int_equal(got, PORTS);
	for (unsigned i = 0; i < got; i++) {
		const struct drv_pkt *pkt = rte_mbuf_to_priv(pkts[i]);
		unsigned from = *rte_pktmbuf_mtod(pkts[i], unsigned *);

		assert_int_equal(pkt->peer.port, BASE + from);
		assert_int_equal(pkt->local_port, BASE + (from + 1) % PORTS);
		assert_int_equal(seen[from]++, 0);
	}
	rte_pktmbuf_free_bulk(pkts, got);
	drv_port_close(port);
}

/* More datagrams than buffers: they wait in their sockets and come when there are buffers again. */
static void
empty_pool_loses_nothing(void **state)
{
	enum { SOCKETS = 8, SENT = 800 };
	struct drv_port *port = port_make();
	static struct rte_mbuf *hoard[8192];
	struct rte_mbuf *pkts[BURST];
	struct drv_port_stats stats;
	uint8_t verdicts[BURST];
	unsigned held = 0, got = 0;
	uint64_t end;

	for (int i = 0; i < SOCKETS; i++)
		assert_int_equal(drv_port_endpoint_open(port, 0, 0, (uint16_t)(BASE + i)), 0);
	drv_port_rx(port, 0, pkts, BURST);
	while ((hoard[held] = rte_pktmbuf_alloc(pool)) != NULL)
		held++;
	for (int sent = 0; sent < SENT; sent += SOCKETS) {
		rte_pktmbuf_free_bulk(hoard + held - SOCKETS,
				      SOCKETS); /* for sending; then no more */
		for (int i = 0; i < SOCKETS; i++) {
			struct dp_addr to = address(0, (uint16_t)(BASE + i));

			pkts[i] = packet(0, BASE, &to, "wait", 4);
		}
		assert_int_equal(drv_port_tx(port, 0, pkts, SOCKETS, verdicts), SOCKETS);
		for (int i = 0; i < SOCKETS; i++)
			assert_non_null(hoard[held - SOCKETS + (unsigned)i] =
						rte_pktmbuf_alloc(pool));
	}
	end = drv_now_ns() + 2000000000u;
	while (got < SENT && drv_now_ns() < end) {
		uint16_t n = drv_port_rx(port, 0, pkts, BURST);

		for (uint16_t i = 0; i < n; i++)
			hoard[held++] = pkts[i]; /* the pipeline keeps them all */
		got += n;
		if (n == 0) /* and lets some go now and then */
			for (int i = 0; i < BURST && held > 0; i++)
				rte_pktmbuf_free(hoard[--held]);
	}
	rte_pktmbuf_free_bulk(hoard, held);
	assert_int_equal(got, SENT);
	drv_port_stats_get(port, 0, &stats);
	assert_int_equal(stats.rx_packets, SENT);
	if (engine)
		assert_true(stats.rx_waits > 0);
	drv_port_close(port);
}

static void *
wake_soon(void *arg)
{
	usleep(20000);
	drv_port_wake(arg, 0);
	return NULL;
}

static void
wait_ends_by_packet_wake_or_deadline(void **state)
{
	struct drv_port *port = port_make();
	struct dp_addr to = address(0, BASE);
	struct rte_mbuf *pkts[4];
	uint64_t start;
	uint8_t verdict;
	pthread_t thread;

	assert_int_equal(drv_port_endpoint_open(port, 0, 0, BASE), 0);
	for (int i = 0; i < 3; i++) { /* the wakes of opening are spent */
		drv_port_rx(port, 0, pkts, 4);
		drv_port_wait(port, 0, drv_now_ns() + 100000);
	}
	start = drv_now_ns();
	drv_port_wait(port, 0, start + 5000000);
	assert_true(drv_now_ns() - start >= 5000000);
	pkts[0] = packet(0, BASE, &to, "x", 1);
	assert_int_equal(drv_port_tx(port, 0, pkts, 1, &verdict), 1);
	start = drv_now_ns();
	drv_port_wait(port, 0, start + 900000000u);
	assert_true(drv_now_ns() - start < 800000000u);
	assert_int_equal(gather(port, pkts, 1), 1);
	rte_pktmbuf_free(pkts[0]);
	start = drv_now_ns();
	assert_int_equal(pthread_create(&thread, NULL, wake_soon, port), 0);
	drv_port_wait(port, 0, start + 900000000u);
	assert_true(drv_now_ns() - start < 800000000u);
	pthread_join(thread, NULL);
	drv_port_close(port);
}

/* Too few descriptors are raised to what is needed, or named. */
static void
descriptors_are_raised(void **state)
{
	struct rlimit before, low, after;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	low = before;
	low.rlim_cur = 512;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	drv_port_close(port_make());
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &after), 0);
	assert_true(after.rlim_cur >= 2 * PORTS);
	setrlimit(RLIMIT_NOFILE, &before);
}

/* Every test gives all of its buffers back. */
static int
all_buffers_are_back(void **state)
{
	if (rte_mempool_in_use_count(pool) == 0)
		return 0;
	print_error("%u buffers are missing\n", rte_mempool_in_use_count(pool));
	return -1;
}

#define ROW(f) cmocka_unit_test_teardown(f, all_buffers_are_back)

static int
run(void)
{
	const struct CMUnitTest tests[] = {
		ROW(datagrams_pass_both_ways_by_ip4_and_ip6),
		ROW(packets_are_marked_with_the_dscp),
		ROW(endpoints_are_refused_with_a_reason),
		ROW(wrong_configurations_say_how_to_mend),
		ROW(unreachable_peer_breaks_nothing),
		ROW(impossible_sends_are_counted_or_judged),
		ROW(closed_endpoint_is_silent_and_can_open_again),
		ROW(too_long_a_datagram_is_counted),
		ROW(a_full_socket_is_counted),
		ROW(many_sockets_each_get_their_own),
		ROW(empty_pool_loses_nothing),
		ROW(wait_ends_by_packet_wake_or_deadline),
		ROW(descriptors_are_raised),
	};

	return cmocka_run_group_tests_name(engine ? "io_uring" : "epoll", tests, NULL, NULL);
}

/* Containers often refuse io_uring; then epoll is what runs there too. */
static bool
has_io_uring(void)
{
	struct drv_port_conf conf = conf_make();
	struct drv_port *port;
	char text[512];

	conf.io_uring = 1;
	if (drv_port_open(&port, &conf, text, sizeof(text)) != 0) {
		print_message("skipped: %s\n", text);
		return false;
	}
	drv_port_close(port);
	return true;
}

int
main(void)
{
	const struct drv_eal_conf conf = {
		.program = "test",
		.file_prefix = "conclave-test-udp",
		.main_cpu = -1,
		.memory_mb = 64,
	};
	const struct drv_mempool_conf pool_conf = {.count = 4095, .node = -1};
	char text[512];
	unsigned id = (unsigned)getpid();
	int failed;

	snprintf(loopback, sizeof(loopback), "127.%u.%u.1", 1 + (id >> 8) % 250, id % 256);
	/* ::1 is shared with whoever runs this test beside us. */
	base_port = (uint16_t)(22000 + 64 * (id % 150));

	if (drv_eal_init(&conf, text, sizeof(text)) != 0 ||
	    drv_mempool_create(&pool, &pool_conf, text, sizeof(text)) != 0) {
		fprintf(stderr, "%s\n", text);
		return 1;
	}
	engine = 0;
	failed = run();
	engine = 1;
	if (has_io_uring())
		failed += run();
	return failed;
}
