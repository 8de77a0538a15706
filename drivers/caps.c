/* Capabilities of an ethdev from its device information. */
#include "drivers/caps.h"

#include <string.h>
#include <rte_ethdev.h>

static bool
has(uint64_t have, uint64_t want)
{
	return (have & want) == want;
}

int
drv_caps_get(struct drv_caps *out, uint16_t device)
{
	/* Their peers are kernels that leave UDP's checksum to a device that is not there. */
	static const char *const partial[] = {"net_af_packet", "net_af_xdp", "net_virtio_user",
					      "net_tap"};
	struct rte_eth_dev_info info;
	struct rte_ether_addr mac;
	int rc = rte_eth_dev_info_get(device, &info);

	if (rc == 0)
		rc = rte_eth_macaddr_get(device, &mac);
	if (rc != 0)
		return rc;
	*out = (struct drv_caps){
		.node = rte_eth_dev_socket_id(device),
		.rx_queues = info.max_rx_queues,
		.tx_queues = info.max_tx_queues,
		.descriptors_min = RTE_MAX(info.rx_desc_lim.nb_min, info.tx_desc_lim.nb_min),
		.descriptors_max = RTE_MIN(info.rx_desc_lim.nb_max, info.tx_desc_lim.nb_max),
		.rx_checksum = has(info.rx_offload_capa,
				   RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM),
		.tx_checksum = has(info.tx_offload_capa,
				   RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM),
		.vlan_strip = has(info.rx_offload_capa, RTE_ETH_RX_OFFLOAD_VLAN_STRIP),
		.vlan_insert = has(info.tx_offload_capa, RTE_ETH_TX_OFFLOAD_VLAN_INSERT),
		.rss = info.flow_type_rss_offloads & RTE_ETH_RSS_UDP,
	};
	snprintf(out->driver, sizeof(out->driver), "%s", info.driver_name);
	memcpy(out->mac, mac.addr_bytes, 6);
	for (size_t i = 0; i < RTE_DIM(partial); i++)
		out->has_partial_checksum |= strcmp(out->driver, partial[i]) == 0;
	return 0;
}

void
drv_caps_print(FILE *out, const struct drv_caps *caps)
{
	const uint8_t *m = caps->mac;

	fprintf(out,
		"%s, %02x:%02x:%02x:%02x:%02x:%02x, queues %u/%u, checksums %s/%s, VLAN %s, "
		"spreading %s, NUMA node %d\n",
		caps->driver, m[0], m[1], m[2], m[3], m[4], m[5], caps->rx_queues, caps->tx_queues,
		caps->rx_checksum ? "device" : "software",
		caps->tx_checksum ? "device" : "software",
		caps->vlan_strip && caps->vlan_insert ? "device" : "software",
		caps->rss ? "RSS" : "none", caps->node);
}
