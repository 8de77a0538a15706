/*
 * A port that gives every datagram back to its sender, for tests of drivers/port over real devices. Prints "ready", ends with
 * the end of its standard input, and then prints its counters as JSON.
 *
 * usage: portecho udp|DEVARGS VLAN FIRST-PORT ADDRESS/PREFIX[,GATEWAY]...
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <rte_mbuf.h>
#include "drivers/eal.h"
#include "drivers/mempool.h"
#include "drivers/port/clock.h"
#include "drivers/port/port.h"

#define BURST 64
#define PORTS 16
#define LOOK_NS 20000000u

static int
address_read(struct dp_addr *out, const char *text)
{
	bool is_ip6 = strchr(text, ':') != NULL;

	out->family = is_ip6 ? DP_FAMILY_IP6 : DP_FAMILY_IP4;
	return inet_pton(is_ip6 ? AF_INET6 : AF_INET, text, out->ip);
}

static int
local_read(struct drv_local *out, char *text)
{
	char *gateway = strchr(text, ','), *prefix;

	if (gateway != NULL)
		*gateway++ = '\0';
	prefix = strchr(text, '/');
	if (prefix == NULL)
		return 0;
	*prefix++ = '\0';
	out->prefix = (uint8_t)atoi(prefix);
	return address_read(&out->addr, text) == 1 &&
	       (gateway == NULL || address_read(&out->gateway, gateway) == 1);
}

static void
echo(struct drv_port *port)
{
	struct pollfd input = {.fd = 0, .events = POLLIN};
	uint64_t look = 0;

	for (;;) {
		struct rte_mbuf *pkts[BURST];
		uint8_t verdicts[BURST];
		uint16_t n = drv_port_rx(port, 0, pkts, BURST);
		uint64_t now = drv_now_ns();

		if (n > 0) /* peer and local port stand where the way back wants them */
			drv_port_tx(port, 0, pkts, n, verdicts);
		else
			drv_port_wait(port, 0, now + LOOK_NS);
		if (now < look)
			continue;
		look = now + LOOK_NS;
		if (poll(&input, 1, 0) > 0)
			return;
	}
}

int
main(int argc, char **argv)
{
	const struct drv_eal_conf eal = {
		.program = argv[0], .file_prefix = "portecho", .main_cpu = -1, .memory_mb = 128};
	const struct drv_mempool_conf pool = {.count = 8191, .node = -1};
	struct drv_port_conf conf = {.kind = "ethdev",
				     .queues = 1,
				     .ports_per_queue = PORTS,
				     .burst = BURST,
				     .dscp = 46,
				     .io_uring = -1};
	struct drv_port *port;
	struct drv_port_stats s;
	char text[512];

	if (argc < 5 || argc > 4 + DRV_PORT_LOCALS_MAX) {
		fprintf(stderr, "usage: portecho udp|DEVARGS VLAN FIRST-PORT "
				"ADDRESS/PREFIX[,GATEWAY]...\n");
		return 2;
	}
	if (strcmp(argv[1], "udp") == 0)
		conf.kind = "udp";
	conf.devargs = argv[1];
	conf.vlan = (uint16_t)atoi(argv[2]);
	conf.port_base = (uint16_t)atoi(argv[3]);
	for (int i = 4; i < argc; i++) {
		if (!local_read(&conf.local[conf.local_count++], argv[i])) {
			fprintf(stderr, "portecho: %s is no address with a prefix\n", argv[i]);
			return 2;
		}
	}
	if (drv_eal_init(&eal, text, sizeof(text)) != 0 ||
	    drv_mempool_create(&conf.pool[0], &pool, text, sizeof(text)) != 0 ||
	    drv_port_open(&port, &conf, text, sizeof(text)) != 0) {
		fprintf(stderr, "portecho: %s\n", text);
		return 1;
	}
	for (uint8_t local = 0; local < conf.local_count; local++)
		for (uint16_t i = 0; i < PORTS; i++)
			if (drv_port_endpoint_open(port, 0, local,
						   (uint16_t)(conf.port_base + i)) != 0)
				return 1;
	printf("ready %s\n", drv_port_engine(port));
	fflush(stdout);
	echo(port);
	drv_port_stats_get(port, 0, &s);
	printf("{\"rx\": %lu, \"tx\": %lu, \"bad_checksum\": %lu, \"fragments\": %lu, "
	       "\"malformed\": %lu, \"no_neigh\": %lu}\n",
	       s.rx_packets, s.tx_packets, s.rx_bad_checksum, s.rx_fragments, s.rx_malformed,
	       s.tx_no_neigh);
	drv_port_close(port);
	drv_eal_fini();
	return 0;
}
