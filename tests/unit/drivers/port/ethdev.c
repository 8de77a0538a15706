/*
 * The ethdev port without a network: two ports over crossed net_ring devices talk to each other; one port over rings whose
 * other ends the test holds; and net_pcap, which plays a file of frames and records what we answer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <rte_dev.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include "dataplane/api/drops.h"
#include "drivers/eal.h"
#include "drivers/mempool.h"
#include "drivers/port/clock.h"
#include "drivers/port/ethdev_state.h"
#include "tests/fake/frames.h"

#define BASE 22000
#define BURST 64

static struct rte_mempool *pool;
static struct rte_ring *rings[2];

static struct drv_local
local_make(int version, uint8_t last)
{
	struct drv_local local = {.prefix = version == 6 ? 64 : 24};

	local.addr.family = local.gateway.family = (uint8_t)version;
	memcpy(local.addr.ip, version == 6 ? ip6_ours : ip4_ours, version == 6 ? 16 : 4);
	memcpy(local.gateway.ip, version == 6 ? ip6_peer : ip4_peer, version == 6 ? 16 : 4);
	local.addr.ip[version == 6 ? 15 : 3] = last;
	return local;
}

static struct drv_port *
port_of(const char *devargs, uint8_t last, uint16_t vlan, uint16_t queues)
{
	struct drv_port_conf conf = {
		.kind = "ethdev",
		.devargs = devargs,
		.vlan = vlan,
		.queues = queues,
		.local_count = 2,
		.local = {local_make(4, last), local_make(6, last)},
		.port_base = BASE,
		.ports_per_queue = 200,
		.burst = BURST,
		.pool = {pool, pool},
		.dscp = 46,
	};
	struct drv_port *port = NULL;
	char text[512] = "";

	if (drv_port_open(&port, &conf, text, sizeof(text)) != 0)
		fail_msg("%s", text);
	assert_false(drv_port_can_sleep(port));
	return port;
}

static struct drv_port *
port_make(const char *devargs, uint8_t last, uint16_t vlan)
{
	struct drv_port *port = port_of(devargs, last, vlan, 1);

	assert_true(drv_port_is_steered(port));
	return port;
}

static struct rte_mbuf *
packet(uint8_t local_index, const struct dp_addr *to, const char *text)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(pool);
	struct drv_pkt *pkt = rte_mbuf_to_priv(mbuf);

	memcpy(rte_pktmbuf_append(mbuf, (uint16_t)strlen(text)), text, strlen(text));
	pkt->peer = *to;
	pkt->local_index = local_index;
	pkt->local_port = BASE + 10;
	return mbuf;
}

static struct dp_addr
address(int version, uint8_t last)
{
	struct dp_addr addr = local_make(version, last).addr;

	addr.port = BASE + 20;
	return addr;
}

/* Frames of the wire end: what the port sent, and what it shall receive. */
static unsigned
wire_take(uint8_t *out)
{
	struct rte_mbuf *mbuf;
	unsigned n;

	if (rte_ring_dequeue(rings[1], (void **)&mbuf) != 0)
		return 0;
	n = mbuf->data_len;
	memcpy(out, rte_pktmbuf_mtod(mbuf, void *), n);
	rte_pktmbuf_free(mbuf);
	return n;
}

static void
wire_drain(void)
{
	uint8_t data[2048];

	while (wire_take(data) > 0)
		continue;
}

/* One turn with one frame; returns datagrams received (freed). */
static uint16_t
wire_give(struct drv_port *port, const uint8_t *data, unsigned n)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(pool), *pkts[BURST];
	uint16_t got;

	memcpy(rte_pktmbuf_append(mbuf, (uint16_t)n), data, n);
	assert_int_equal(rte_ring_enqueue(rings[0], mbuf), 0);
	got = drv_port_rx(port, 0, pkts, BURST);
	rte_pktmbuf_free_bulk(pkts, got);
	return got;
}

static struct drv_port *
wired_port(uint16_t vlan, uint8_t mac[6])
{
	struct drv_port *port = port_make("net_ring_wire", 7, vlan);
	struct rte_mbuf *pkts[BURST];

	assert_int_equal(drv_port_rx(port, 0, pkts, BURST), 0); /* announces itself */
	memcpy(mac, ((struct eth_port *)port)->self.mac, 6);
	return port;
}

static void
two_ports_find_each_other_and_talk(void **state)
{
	struct drv_port *a = port_make("net_ring_a", 1, 0), *b = port_make("net_ring_b", 2, 0);
	struct rte_mbuf *pkts[BURST];
	uint8_t verdicts[BURST];
	struct drv_port_stats stats;

	for (int version = 4; version <= 6; version += 2) {
		struct dp_addr to = address(version, 2);
		uint16_t got = 0;

		for (int round = 0; round < 2; round++) { /* unresolved, then resolved */
			for (int i = 0; i < 10; i++)
				pkts[i] = packet(version == 6, &to, "over the rings");
			assert_int_equal(drv_port_tx(a, 0, pkts, 10, verdicts), 10);
			for (int i = 0; i < 10; i++)
				assert_int_equal(verdicts[i], DP_DROP_NONE);
			for (int turn = 0; turn < 10; turn++) {
				uint16_t n = drv_port_rx(b, 0, pkts, BURST);

				for (uint16_t i = 0; i < n; i++) {
					const struct drv_pkt *pkt = rte_mbuf_to_priv(pkts[i]);
					struct dp_addr from = address(version, 1);

					from.port = BASE + 10;
					assert_true(dp_addr_is_same(&pkt->peer, &from));
					assert_int_equal(pkt->local_port, BASE + 20);
					assert_int_equal(pkt->local_index, version == 6);
					assert_int_equal(pkts[i]->data_len, 14);
					assert_memory_equal(rte_pktmbuf_mtod(pkts[i], void *),
							    "over the rings", 14);
				}
				rte_pktmbuf_free_bulk(pkts, n);
				got += n;
				n = drv_port_rx(a, 0, pkts, BURST);
				assert_int_equal(n, 0);
			}
			assert_int_equal(got, 10 * (round + 1));
		}
	}
	drv_port_stats_get(a, 0, &stats);
	assert_int_equal(stats.tx_packets, 40);
	assert_int_equal(stats.tx_octets, 40 * 14);
	drv_port_stats_get(b, 0, &stats);
	assert_int_equal(stats.rx_packets, 40);
	assert_int_equal(stats.rx_octets, 40 * 14);
	drv_port_close(a);
	drv_port_close(b);
}

static void
port_announces_itself(void **state)
{
	uint8_t mac[6], data[2048];
	struct drv_port *port = wired_port(0, mac);
	unsigned arp = 0, nd = 0, mld = 0;

	for (unsigned n; (n = wire_take(data)) > 0;) {
		assert_memory_equal(data + 6, mac, 6);
		if (data[12] == 0x08 && data[13] == 0x06)
			arp++;
		else if (data[54] == 136)
			nd++;
		else if (data[62] == 143)
			mld++;
	}
	assert_int_equal(arp, 1);
	assert_int_equal(nd, 1);
	assert_int_equal(mld, 1);
	drv_port_close(port);
}

static void
questions_at(uint16_t vlan)
{
	uint8_t mac[6], data[2048];
	struct drv_port *port = wired_port(vlan, mac);
	unsigned l3 = vlan ? 18 : 14, n;

	wire_drain();
	assert_int_equal(wire_give(port, data, arp_frame(data, vlan, 1, ip4_ours)), 0);
	assert_int_equal(wire_take(data), l3 + 28);
	assert_memory_equal(data, peer_mac, 6);
	assert_memory_equal(data + l3 + 8, mac, 6);
	if (vlan)
		assert_int_equal((data[14] & 15) << 8 | data[15], vlan);
	for (int version = 4; version <= 6; version += 2) {
		n = echo_frame(data, mac, vlan, version);
		assert_int_equal(wire_give(port, data, n), 0);
		assert_int_equal(wire_take(data), n);
		assert_int_equal(data[l3 + (version == 6 ? 40 : 20)], version == 6 ? 129 : 0);
	}
	n = arp_frame(data, vlan ? 0 : 7, 1, ip4_ours); /* another VLAN */
	assert_int_equal(wire_give(port, data, n), 0);
	assert_int_equal(wire_take(data), 0);
	drv_port_close(port);
}

static void
questions_are_answered(void **state)
{
	questions_at(0);
}

static void
questions_are_answered_in_a_vlan(void **state)
{
	questions_at(42);
}

static void
datagrams_go_by_the_gateway_with_tag_and_mark(void **state)
{
	uint8_t mac[6], data[2048];
	struct drv_port *port = wired_port(42, mac);
	struct dp_addr far = {.family = DP_FAMILY_IP4, .port = 4000, .ip = {198, 51, 100, 9}};
	struct rte_mbuf *pkts[1] = {packet(0, &far, "far away")};
	uint8_t verdict;
	unsigned n;

	wire_drain();
	assert_int_equal(drv_port_tx(port, 0, pkts, 1, &verdict), 1);
	assert_int_equal(wire_take(data), 18 + 28);
	assert_int_equal(data[18 + 7], 1); /* who has the gateway? */
	assert_memory_equal(data + 18 + 24, ip4_peer, 4);
	assert_int_equal(wire_take(data), 0);
	n = arp_frame(data, 42, 2, ip4_ours);
	memcpy(data, mac, 6);
	wire_give(port, data, n);
	assert_int_equal(wire_take(data), 18 + 20 + 8 + 8);
	assert_memory_equal(data, peer_mac, 6);
	assert_int_equal(data[15], 42);
	assert_int_equal(data[18 + 1], 46 << 2);
	assert_memory_equal(data + 18 + 16, far.ip, 4);
	assert_int_equal(slow_sum(0, data + 18, 20), 0xffff);
	assert_int_equal(l4_sum(data + 18, 17, data + 38, 16), 0xffff);
	assert_memory_equal(data + 46, "far away", 8);
	drv_port_close(port);
}

static void
waiting_packets_are_bounded_and_expire(void **state)
{
	uint8_t mac[6];
	struct drv_port *port = wired_port(0, mac);
	struct eth_queue *q = &((struct eth_port *)port)->queues[0];
	struct dp_addr nobody = address(4, 99);
	struct rte_mbuf *pkts[BURST + 6];
	uint8_t verdicts[BURST + 6];
	struct drv_port_stats stats;

	for (int i = 0; i < BURST + 6; i++)
		pkts[i] = packet(0, &nobody, "anybody?");
	assert_int_equal(drv_port_tx(port, 0, pkts, BURST + 6, verdicts), ETH_HELD_MAX);
	for (int i = 0; i < BURST + 6; i++)
		assert_int_equal(verdicts[i],
				 i < ETH_HELD_MAX ? DP_DROP_NONE : DP_DROP_TX_NO_NEIGH);
	eth_held_review(q, drv_now_ns());
	assert_int_equal(q->held_count, ETH_HELD_MAX);
	eth_held_review(q, drv_now_ns() + DRV_NEIGH_HOLD_NS);
	assert_int_equal(q->held_count, 0);
	drv_port_stats_get(port, 0, &stats);
	assert_int_equal(stats.tx_no_neigh, ETH_HELD_MAX);
	assert_int_equal(stats.tx_packets, 0);
	wire_drain();
	drv_port_close(port);
}

static void
impossible_packets_get_a_verdict(void **state)
{
	uint8_t mac[6];
	struct drv_port *port = wired_port(0, mac);
	struct dp_addr ip6 = address(6, 1), ip4 = address(4, 1), none = {0};
	struct rte_mbuf *pkts[3] = {packet(0, &ip6, "x"), packet(9, &ip4, "x"),
				    packet(1, &none, "x")};
	uint8_t verdicts[3];

	assert_int_equal(drv_port_tx(port, 0, pkts, 3, verdicts), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(verdicts[i], DP_DROP_TX_ERROR);
	assert_int_equal(drv_port_endpoint_open(port, 0, 0, BASE + 198), 0);
	assert_true(drv_port_endpoint_open(port, 0, 0, BASE + 200) < 0);
	assert_true(drv_port_endpoint_open(port, 0, 2, BASE) < 0);
	drv_port_endpoint_close(port, 0, 0, BASE + 198);
	wire_drain();
	drv_port_close(port);
}

static void
put32(FILE *file, uint32_t value)
{
	assert_int_equal(fwrite(&value, 4, 1, file), 1);
}

static void
pcap_add(FILE *file, const uint8_t *data, unsigned n)
{
	put32(file, 0);
	put32(file, 0);
	put32(file, n);
	put32(file, n);
	assert_int_equal(fwrite(data, n, 1, file), 1);
}

static FILE *
pcap_create(const char *path)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	put32(file, 0xa1b2c3d4);
	put32(file, 4u << 16 | 2); /* version 2.4 */
	put32(file, 0);
	put32(file, 0);
	put32(file, 65535);
	put32(file, 1); /* Ethernet */
	return file;
}

/* Good and bad ones; everyone's destination is the group of all, which every device takes. */
static void
pcap_fill(const char *path, uint16_t vlan)
{
	static const uint8_t to[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	FILE *file = pcap_create(path);
	uint8_t data[256];
	unsigned n, l3 = vlan ? 18 : 14;

	pcap_add(file, data, udp_frame(data, to, vlan, 4, BASE + 2, "four"));
	pcap_add(file, data, udp_frame(data, to, vlan, 6, BASE + 4, "six"));
	n = udp_frame(data, to, vlan, 4, BASE + 2, "bad UDP checksum");
	data[n - 1] ^= 1;
	pcap_add(file, data, n);
	n = udp_frame(data, to, vlan, 4, BASE + 2, "bad IP checksum");
	data[l3 + 10] ^= 1;
	pcap_add(file, data, n);
	n = udp_frame(data, to, vlan, 6, BASE + 2, "fragment");
	data[l3 + 6] = 44;
	pcap_add(file, data, n);
	n = udp_frame(data, to, vlan, 4, BASE + 2, "cut off");
	pcap_add(file, data, n - 3);
	pcap_add(file, data, udp_frame(data, to, vlan ? 0 : 42, 4, BASE + 2, "other VLAN"));
	pcap_add(file, data, arp_frame(data, vlan, 1, ip4_ours));
	pcap_add(file, data, echo_frame(data, to, vlan, 4)); /* ping to a group: no answer */
	fclose(file);
}

static unsigned
pcap_count(const char *path, unsigned octets)
{
	FILE *file = fopen(path, "rb");
	uint32_t head[4];
	unsigned count = 0;

	assert_non_null(file);
	fseek(file, 24, SEEK_SET);
	while (fread(head, sizeof(head), 1, file) == 1) {
		count += head[2] == octets;
		fseek(file, head[2], SEEK_CUR);
	}
	fclose(file);
	return count;
}

static void
recorded_frames_are_sorted_out(void **state)
{
	for (uint16_t vlan = 0; vlan <= 42; vlan += 42) {
		char folder[] = "/tmp/conclave-pcap-XXXXXX", in[64], out[64], devargs[256];
		struct rte_mbuf *pkts[BURST];
		struct drv_port_stats stats;
		struct drv_port *port;
		uint16_t got = 0;

		assert_non_null(mkdtemp(folder));
		snprintf(in, sizeof(in), "%s/in.pcap", folder);
		snprintf(out, sizeof(out), "%s/out.pcap", folder);
		pcap_fill(in, vlan);
		snprintf(devargs, sizeof(devargs), "net_pcap%u,rx_pcap=%s,tx_pcap=%s", vlan, in,
			 out);
		port = port_make(devargs, 7, vlan);
		for (int turn = 0; turn < 20; turn++)
			got = (uint16_t)(got +
					 drv_port_rx(port, 0, pkts + got, (uint16_t)(BURST - got)));
		assert_int_equal(got, 2);
		assert_int_equal(pkts[0]->data_len, 4);
		assert_memory_equal(rte_pktmbuf_mtod(pkts[0], void *), "four", 4);
		assert_memory_equal(rte_pktmbuf_mtod(pkts[1], void *), "six", 3);
		assert_int_equal(((struct drv_pkt *)rte_mbuf_to_priv(pkts[0]))->local_port,
				 BASE + 2);
		rte_pktmbuf_free_bulk(pkts, got);
		drv_port_stats_get(port, 0, &stats);
		assert_int_equal(stats.rx_packets, 2);
		assert_int_equal(stats.rx_bad_checksum, 2);
		assert_int_equal(stats.rx_fragments, 1);
		assert_int_equal(stats.rx_malformed, 1);
		assert_int_equal(stats.rx_foreign, 1);
		assert_int_equal(stats.rx_not_ip_udp, 2);
		drv_port_close(port);
		assert_int_equal(pcap_count(out, vlan ? 46 : 42), 2); /* announcement and answer */
		unlink(in);
		unlink(out);
		rmdir(folder);
	}
}

/* Two workers on a device that takes no rules: what a queue gets it delivers, whoever owns the port, and says so. */
static void
unsteered_queues_deliver_what_they_get(void **state)
{
	for (unsigned rx_queues = 1; rx_queues <= 2; rx_queues++) {
		struct rte_ring *to[2] = {rings[0],
					  rte_ring_create("to_second", 256, SOCKET_ID_ANY, 0)};
		struct rte_ring *from[2] = {rings[1],
					    rte_ring_create("from_second", 256, SOCKET_ID_ANY, 0)};
		const char *name = rx_queues == 1 ? "net_ring_one" : "net_ring_two";
		struct dp_addr peer = {.family = DP_FAMILY_IP4, .port = 5004};
		struct rte_mbuf *pkts[BURST];
		struct drv_port *port;
		uint8_t data[2048], verdict;
		const uint8_t *mac;

		assert_true(rte_eth_from_rings(name + 9, to, rx_queues, from, 2, 0) >= 0);
		port = port_of(name, 7, 0, 2);
		mac = ((struct eth_port *)port)->self.mac;
		assert_false(drv_port_is_steered(port));
		assert_int_equal(drv_port_rx(port, 0, pkts, BURST), 0);
		wire_drain();
		for (unsigned q = 0; q < rx_queues; q++) { /* the other worker's port */
			struct rte_mbuf *mbuf = rte_pktmbuf_alloc(pool);
			unsigned n = udp_frame(data, mac, 0, 4, BASE + 200 * (1 - q), "theirs");

			memcpy(rte_pktmbuf_append(mbuf, (uint16_t)n), data, n);
			assert_int_equal(rte_ring_enqueue(to[q], mbuf), 0);
			assert_int_equal(drv_port_rx(port, (uint16_t)q, pkts, BURST), 1);
			assert_int_equal(((struct drv_pkt *)rte_mbuf_to_priv(pkts[0]))->local_port,
					 BASE + 200 * (1 - q));
			rte_pktmbuf_free(pkts[0]);
		}
		assert_int_equal(drv_port_rx(port, 1, pkts, BURST), 0);
		/* What one queue learned the other knows: its datagram goes out at once, by its own queue. */
		wire_give(port, data, arp_frame(data, 0, 1, ip4_ours));
		wire_drain();
		memcpy(peer.ip, ip4_peer, 4);
		pkts[0] = packet(0, &peer, "second");
		assert_int_equal(drv_port_tx(port, 1, pkts, 1, &verdict), 1);
		assert_int_equal(rte_ring_count(from[1]), 1);
		assert_int_equal(rte_ring_dequeue(from[1], (void **)&pkts[0]), 0);
		assert_memory_equal(rte_pktmbuf_mtod_offset(pkts[0], char *, 42), "second", 6);
		rte_pktmbuf_free(pkts[0]);
		drv_port_close(port);
		rte_ring_free(to[1]);
		rte_ring_free(from[1]);
	}
}

static void
wrong_devices_say_how_to_mend(void **state)
{
	struct drv_port_conf conf = {
		.kind = "ethdev",
		.devargs = "net_nothing0",
		.queues = 1,
		.local_count = 1,
		.local = {local_make(4, 7)},
		.port_base = BASE,
		.ports_per_queue = 2,
		.pool = {pool},
	};
	struct drv_port *port = NULL;
	char text[512] = "";

	assert_true(drv_port_open(&port, &conf, text, sizeof(text)) < 0);
	assert_null(port);
	assert_non_null(strstr(text, "net_nothing0"));
	assert_non_null(strstr(text, "--probe"));
	conf.local[0].prefix = 0;
	assert_true(drv_port_open(&port, &conf, text, sizeof(text)) < 0);
	assert_non_null(strstr(text, "prefix"));
	conf.local[0] = local_make(4, 7);
	conf.local[0].gateway.family = DP_FAMILY_IP6;
	assert_true(drv_port_open(&port, &conf, text, sizeof(text)) < 0);
	assert_non_null(strstr(text, "gateway"));
}

static int
all_buffers_are_back(void **state)
{
	if (rte_mempool_in_use_count(pool) == 0)
		return 0;
	print_error("%u buffers are missing\n", rte_mempool_in_use_count(pool));
	return -1;
}

/* A port removes only devices that it made itself; rings and their devices are made anew for each test. */
static int
rings_make(void **state)
{
	for (int i = 0; i < 2; i++)
		if ((rings[i] = rte_ring_create(i ? "from_port" : "to_port", 256, SOCKET_ID_ANY,
						0)) == NULL)
			return -1;
	return rte_eth_from_rings("wire", &rings[0], 1, &rings[1], 1, 0) < 0 ||
	       rte_eth_from_rings("a", &rings[0], 1, &rings[1], 1, 0) < 0 ||
	       rte_eth_from_rings("b", &rings[1], 1, &rings[0], 1, 0) < 0;
}

static int
rings_empty(void **state)
{
	static const char *const devices[] = {"net_ring_wire", "net_ring_a", "net_ring_b"};
	void *mbuf;

	for (size_t i = 0; i < 3; i++)
		rte_eal_hotplug_remove("vdev", devices[i]);
	for (int i = 0; i < 2; i++) {
		while (rte_ring_dequeue(rings[i], &mbuf) == 0)
			rte_pktmbuf_free(mbuf);
		rte_ring_free(rings[i]);
	}
	return all_buffers_are_back(state);
}

#define ROW(f) cmocka_unit_test_setup_teardown(f, rings_make, rings_empty)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(two_ports_find_each_other_and_talk),
		ROW(port_announces_itself),
		ROW(questions_are_answered),
		ROW(questions_are_answered_in_a_vlan),
		ROW(datagrams_go_by_the_gateway_with_tag_and_mark),
		ROW(waiting_packets_are_bounded_and_expire),
		ROW(impossible_packets_get_a_verdict),
		ROW(unsteered_queues_deliver_what_they_get),
		cmocka_unit_test_teardown(recorded_frames_are_sorted_out, all_buffers_are_back),
		cmocka_unit_test(wrong_devices_say_how_to_mend),
	};
	const struct drv_eal_conf conf = {.program = "test",
					  .file_prefix = "conclave-test-ethdev",
					  .main_cpu = -1,
					  .memory_mb = 64};
	const struct drv_mempool_conf pool_conf = {.count = 4095, .node = -1};
	char text[512];

	if (drv_eal_init(&conf, text, sizeof(text)) != 0 ||
	    drv_mempool_create(&pool, &pool_conf, text, sizeof(text)) != 0) {
		fprintf(stderr, "%s\n", text);
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
