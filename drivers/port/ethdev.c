/* The ethdev port: finding, setting up and closing the device. */
#include "drivers/port/ethdev_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>

#define DESCRIPTORS 1024
#define NEIGHBOURS 1024

static int
eth_endpoint_open(struct drv_port *port, uint16_t queue, uint8_t local_index, uint16_t local_port)
{
	const struct eth_port *eth = (const struct eth_port *)port;
	uint32_t first = eth->conf.port_base + (uint32_t)queue * eth->conf.ports_per_queue;

	if (queue >= eth->conf.queues || local_index >= eth->conf.local_count ||
	    local_port < first || local_port >= first + eth->conf.ports_per_queue)
		return -ERANGE;
	return 0; /* rules stand for whole ranges; nothing to do for one port */
}

static void
eth_endpoint_close(struct drv_port *port, uint16_t queue, uint8_t local_index, uint16_t local_port)
{
}

static void
eth_wait(struct drv_port *port, uint16_t queue, uint64_t until_ns)
{
	rte_pause();
}

static void
eth_wake(struct drv_port *port, uint16_t queue)
{
}

static void
eth_look(struct drv_port *port)
{
}

static void
eth_stats_get(const struct drv_port *port, uint16_t queue, struct drv_port_stats *out)
{
	const struct eth_port *eth = (const struct eth_port *)port;
	struct rte_eth_stats device;

	*out = eth->queues[queue].stats;
	if (queue == 0 && rte_eth_stats_get(eth->device, &device) ==
				  0) { /* the device's own belong to no queue */
		out->rx_missed += device.imissed + device.rx_nombuf;
		out->rx_errors += device.ierrors;
		out->tx_errors += device.oerrors;
	}
}

static void
eth_close(struct drv_port *port)
{
	struct eth_port *eth = (struct eth_port *)port;
	struct rte_eth_dev_info info;
	bool has_info =
		eth->device != RTE_MAX_ETHPORTS && rte_eth_dev_info_get(eth->device, &info) == 0;

	drv_steer_remove(eth->steer);
	if (eth->is_started)
		rte_eth_dev_stop(eth->device);
	for (uint16_t i = 0; i < eth->conf.queues; i++)
		rte_pktmbuf_free_bulk(eth->queues[i].held, eth->queues[i].held_count);
	if (eth->device != RTE_MAX_ETHPORTS) {
		rte_eth_dev_close(eth->device);
		if (eth->is_probed && has_info)
			rte_dev_remove(info.device);
	}
	drv_neigh_destroy(eth->neigh);
	free(eth);
}

static const struct drv_port_ops eth_ops = {
	.close = eth_close,
	.endpoint_open = eth_endpoint_open,
	.endpoint_close = eth_endpoint_close,
	.rx = eth_rx,
	.tx = eth_tx,
	.wait = eth_wait,
	.wake = eth_wake,
	.look = eth_look,
	.stats_get = eth_stats_get,
};

/* The device of the devargs: one that is there, or a new one. */
static int
device_find(struct eth_port *eth, char *text, size_t text_size)
{
	const char *devargs = eth->conf.devargs;
	char name[RTE_ETH_NAME_MAX_LEN];
	struct rte_dev_iterator iterator;
	uint16_t device, found = RTE_MAX_ETHPORTS;
	int rc;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(devargs, ","), devargs);
	if (rte_eth_dev_get_port_by_name(name, &eth->device) == 0)
		return 0;
	eth->device = RTE_MAX_ETHPORTS;
	rc = rte_dev_probe(devargs);
	if (rc != 0) {
		snprintf(text, text_size,
			 "port %s: %s; see \"conclave-dp --probe\" for devices and what binds them "
			 "(a PCI device needs root, "
			 "vfio-pci or uio_pci_generic; net_tap and net_af_packet need CAP_NET_RAW "
			 "and CAP_NET_ADMIN)",
			 devargs, rte_strerror(-rc));
		return rc;
	}
	eth->is_probed = true;
	if (rte_eth_dev_get_port_by_name(name, &eth->device) == 0)
		return 0;
	RTE_ETH_FOREACH_MATCHING_DEV(device, devargs, &iterator)
	{
		if (found == RTE_MAX_ETHPORTS)
			found = device;
	}
	eth->device = found;
	if (found != RTE_MAX_ETHPORTS)
		return 0;
	snprintf(text, text_size,
		 "port %s: the device came up without an Ethernet port; is it a network card?",
		 devargs);
	return -ENODEV;
}

static uint16_t
descriptors(const struct eth_port *eth)
{
	uint16_t n = eth->conf.descriptors ? eth->conf.descriptors : DESCRIPTORS;

	if (eth->caps.descriptors_max && n > eth->caps.descriptors_max)
		n = eth->caps.descriptors_max;
	return n < eth->caps.descriptors_min ? eth->caps.descriptors_min : n;
}

static struct rte_eth_conf
device_conf(const struct eth_port *eth)
{
	const struct drv_caps *caps = &eth->caps;
	struct rte_eth_conf conf = {0};

	if (eth->rx_queues > 1 && caps->rss) {
		conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
		conf.rx_adv_conf.rss_conf.rss_hf = caps->rss;
	}
	if (caps->rx_checksum)
		conf.rxmode.offloads |=
			RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM;
	if (caps->tx_checksum)
		conf.txmode.offloads |=
			RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM;
	if (eth->vlan_tci) {
		conf.rxmode.offloads |= RTE_ETH_RX_OFFLOAD_VLAN_STRIP;
		conf.txmode.offloads |= RTE_ETH_TX_OFFLOAD_VLAN_INSERT;
	}
	return conf;
}

static int
device_queues(struct eth_port *eth)
{
	uint16_t n = descriptors(eth);
	int node = rte_eth_dev_socket_id(eth->device);
	int rc = 0;

	for (uint16_t q = 0; rc == 0 && q < eth->rx_queues; q++)
		rc = rte_eth_rx_queue_setup(eth->device, q, n, (unsigned)node, NULL,
					    eth->conf.pool[q]);
	for (uint16_t q = 0; rc == 0 && q < eth->conf.queues; q++)
		rc = rte_eth_tx_queue_setup(eth->device, q, n, (unsigned)node, NULL);
	return rc;
}

/* Solicited-node groups have to come through; a device that cannot choose groups shows all, or everything. */
static void
multicast_admit(const struct eth_port *eth)
{
	bool has_ip6 = false;

	for (uint8_t i = 0; i < eth->self.count; i++)
		has_ip6 |= eth->self.addrs[i].family == DP_FAMILY_IP6;
	if (has_ip6 && rte_eth_allmulticast_enable(eth->device) != 0)
		rte_eth_promiscuous_enable(eth->device);
}

static int
device_start(struct eth_port *eth, char *text, size_t text_size)
{
	const struct drv_caps *caps = &eth->caps;
	struct rte_eth_conf conf;
	int rc;

	if (caps->tx_queues < eth->conf.queues) {
		snprintf(text, text_size,
			 "port %s: the device has %u transmit queues for %u workers; lower the "
			 "workers%s",
			 eth->conf.devargs, caps->tx_queues, eth->conf.queues,
			 strstr(caps->driver, "af_packet") ? " or add qpairs= to its arguments"
							   : "");
		return -ENOSPC;
	}
	eth->rx_queues = RTE_MIN(caps->rx_queues, eth->conf.queues);
	if (!caps->rss && strncmp(caps->driver, "net_", 4) != 0)
		eth->rx_queues = 1; /* a card that cannot spread fills the first queue only */
	conf = device_conf(eth);
	rc = rte_eth_dev_configure(eth->device, eth->rx_queues, eth->conf.queues, &conf);
	if (rc == 0)
		rc = device_queues(eth);
	if (rc == 0)
		rc = rte_eth_dev_start(eth->device);
	if (rc != 0) {
		snprintf(text, text_size,
			 "port %s: the device does not start: %s; packet buffers must hold a whole "
			 "frame, and descriptors be "
			 "what the device takes (%u to %u)",
			 eth->conf.devargs, rte_strerror(-rc), caps->descriptors_min,
			 caps->descriptors_max);
		return rc;
	}
	eth->is_started = true;
	multicast_admit(eth);
	return 0;
}

static void
self_set(struct eth_port *eth)
{
	static const uint8_t none[6];
	bool by_device = eth->conf.vlan != 0 && eth->caps.vlan_strip && eth->caps.vlan_insert;

	if (memcmp(eth->caps.mac, none, 6) ==
	    0) /* rings and the like have no address: a local one */
		rte_eth_random_addr(eth->caps.mac);
	if (strcmp(eth->caps.driver, "net_tap") ==
	    0) /* this one is the kernel's, at the other end */
		eth->caps.mac[5] ^= 1;
	memcpy(eth->self.mac, eth->caps.mac, 6);
	eth->vlan_tci = by_device ? eth->conf.vlan : 0;
	eth->self.vlan = by_device ? 0 : eth->conf.vlan;
	eth->self.count = (uint8_t)eth->conf.local_count;
	for (uint32_t i = 0; i < eth->conf.local_count; i++) {
		eth->self.addrs[i] = eth->conf.local[i].addr;
		eth->self.addrs[i].port = 0;
	}
}

/* Rules where the device takes them; one queue needs none. */
static void
steer(struct eth_port *eth)
{
	struct drv_steer_conf conf = {
		.device = eth->device,
		.queues = eth->conf.queues,
		.port_base = eth->conf.port_base,
		.ports_per_queue = eth->conf.ports_per_queue,
		.vlan = eth->conf.vlan,
	};

	for (uint8_t i = 0; i < eth->self.count; i++) {
		conf.ip4 |= eth->self.addrs[i].family == DP_FAMILY_IP4;
		conf.ip6 |= eth->self.addrs[i].family == DP_FAMILY_IP6;
	}
	eth->base.is_steered = eth->conf.queues == 1;
	if (eth->conf.queues > 1 && eth->rx_queues == eth->conf.queues)
		eth->base.is_steered = drv_steer_install(&eth->steer, &conf) == 0;
}

static int
locals_check(const struct drv_port_conf *conf, char *text, size_t text_size)
{
	for (uint32_t i = 0; i < conf->local_count; i++) {
		const struct drv_local *local = &conf->local[i];
		bool is_ip6 = local->addr.family == DP_FAMILY_IP6;

		if (local->prefix == 0 || local->prefix > (is_ip6 ? 128 : 32)) {
			snprintf(text, text_size,
				 "port %s: address %u needs the length of its on-link prefix, as "
				 "in 192.0.2.7/24",
				 conf->devargs, i + 1);
			return -EINVAL;
		}
		if (local->gateway.family != DP_FAMILY_NONE &&
		    local->gateway.family != local->addr.family) {
			snprintf(text, text_size,
				 "port %s: address %u and its gateway are of different IP versions",
				 conf->devargs, i + 1);
			return -EINVAL;
		}
	}
	if (conf->devargs == NULL || conf->vlan > 4094) {
		snprintf(text, text_size,
			 "ethdev port: it needs a device, and a VLAN is 1 to 4094, 0 for none");
		return -EINVAL;
	}
	return 0;
}

int
drv_ethdev_open(struct drv_port **out, const struct drv_port_conf *conf, char *text,
		size_t text_size)
{
	struct eth_port *eth;
	int rc = locals_check(conf, text, text_size);

	if (rc != 0)
		return rc;
	eth = calloc(1, sizeof(*eth));
	if (eth == NULL || (eth->neigh = drv_neigh_create(NEIGHBOURS)) == NULL) {
		free(eth);
		snprintf(text, text_size, "port %s: no memory", conf->devargs);
		return -ENOMEM;
	}
	eth->conf = *conf;
	eth->base = (struct drv_port){.ops = &eth_ops, .engine = eth->caps.driver};
	eth->device = RTE_MAX_ETHPORTS;
	for (uint16_t i = 0; i < conf->queues; i++)
		eth->queues[i] = (struct eth_queue){.port = eth, .index = i, .pool = conf->pool[i]};
	rc = device_find(eth, text, text_size);
	if (rc == 0)
		rc = drv_caps_get(&eth->caps, eth->device);
	if (rc == 0) {
		self_set(eth);
		rc = device_start(eth, text, text_size);
	}
	if (rc != 0) {
		eth_close(&eth->base);
		return rc;
	}
	steer(eth);
	*out = &eth->base;
	return 0;
}
