/* The ethdev port's way out: next hop, headers, checksums; packets wait here for a neighbour's answer. */
#include "drivers/port/ethdev_state.h"

#include <rte_ethdev.h>
#include "dataplane/api/drops.h"
#include "drivers/port/clock.h"

#define HOP_NS 100000000u /* how long the last hop is believed without a look at the table */

enum verdict { SENT_ON = 0, HELD, DROPPED };

/* A tag by the device; returns false when the frame had to go. */
static void
tag_set(const struct eth_port *eth, struct rte_mbuf *mbuf)
{
	if (eth->vlan_tci == 0)
		return;
	mbuf->vlan_tci = eth->vlan_tci;
	mbuf->ol_flags |= RTE_MBUF_F_TX_VLAN;
}

void
eth_frame_send(struct eth_queue *q, struct rte_mbuf *mbuf)
{
	tag_set(q->port, mbuf);
	if (rte_eth_tx_burst(q->port->device, q->index, &mbuf, 1) == 0)
		rte_pktmbuf_free(mbuf);
}

static bool
is_on_link(const struct drv_local *local, const struct dp_addr *to)
{
	uint8_t octets = local->prefix / 8, bits = local->prefix % 8;

	if (memcmp(local->addr.ip, to->ip, octets) != 0)
		return false;
	return bits == 0 || (local->addr.ip[octets] ^ to->ip[octets]) >> (8 - bits) == 0;
}

/* IPv6 link-local addresses are always on the link. */
static const struct dp_addr *
next_hop(const struct drv_local *local, const struct dp_addr *to)
{
	if (is_on_link(local, to) ||
	    (to->family == DP_FAMILY_IP6 && to->ip[0] == 0xfe && (to->ip[1] & 0xc0) == 0x80))
		return to;
	return local->gateway.family != DP_FAMILY_NONE ? &local->gateway : NULL;
}

static void
question_send(struct eth_queue *q, uint8_t local_index, const struct dp_addr *target)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(q->pool);
	uint8_t *data;

	if (mbuf == NULL)
		return;
	data = rte_pktmbuf_mtod(mbuf, uint8_t *);
	mbuf->data_len = target->family == DP_FAMILY_IP6
				 ? drv_nd_ask(&q->port->self, local_index, target, data)
				 : drv_arp_ask(&q->port->self, local_index, target, data);
	mbuf->pkt_len = mbuf->data_len;
	eth_frame_send(q, mbuf);
}

/* The MAC address of the hop, or NULL; asks where it has to. */
static const uint8_t *
resolve(struct eth_queue *q, uint8_t local_index, const struct dp_addr *hop, uint64_t now)
{
	struct drv_neigh_answer answer;

	if (q->hop.addr.family == hop->family && now < q->hop.until_ns &&
	    memcmp(q->hop.addr.ip, hop->ip, 16) == 0)
		return q->hop.mac;
	drv_neigh_lookup(q->port->neigh, hop, now, &answer);
	if (answer.has_to_ask)
		question_send(q, local_index, hop);
	if (!answer.is_known)
		return NULL;
	q->hop.addr = *hop;
	q->hop.until_ns = now + HOP_NS;
	memcpy(q->hop.mac, answer.mac, 6);
	return q->hop.mac;
}

static bool
encode(struct eth_queue *q, struct rte_mbuf *mbuf, const uint8_t *mac)
{
	const struct eth_port *eth = q->port;
	const struct drv_pkt *pkt = rte_mbuf_to_priv(mbuf);
	struct dp_addr local = eth->self.addrs[pkt->local_index];
	struct drv_frame_udp udp = {
		.local = &local,
		.peer = &pkt->peer,
		.dscp = eth->conf.dscp,
		.is_offloaded = eth->caps.tx_checksum,
		.ident = q->ident++,
		.octets = mbuf->data_len,
	};
	bool is_ip6 = pkt->peer.family == DP_FAMILY_IP6;
	uint16_t size = drv_frame_udp_head(&eth->self, pkt->peer.family);
	char *head = rte_pktmbuf_prepend(mbuf, size);

	if (head == NULL)
		return false;
	local.port = pkt->local_port;
	memcpy(udp.mac, mac, 6);
	drv_frame_udp_encode(&eth->self, &udp, (uint8_t *)head);
	mbuf->ol_flags = 0;
	if (udp.is_offloaded) {
		mbuf->l3_len = is_ip6 ? 40 : 20;
		mbuf->l2_len = (uint64_t)(size - 8 - mbuf->l3_len) & 0x7f;
		mbuf->ol_flags =
			RTE_MBUF_F_TX_UDP_CKSUM |
			(is_ip6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM);
	}
	tag_set(eth, mbuf);
	return true;
}

static uint8_t
hold(struct eth_queue *q, struct rte_mbuf *mbuf, uint64_t now)
{
	if (q->held_count == ETH_HELD_MAX)
		return DP_DROP_TX_NO_NEIGH;
	q->held[q->held_count] = mbuf;
	q->held_until_ns[q->held_count++] = now + DRV_NEIGH_HOLD_NS;
	return DP_DROP_NONE;
}

/* Makes a frame of the packet. SENT_ON: it goes out now; HELD: it waits; DROPPED: with *drop as reason. */
static enum verdict
prepare(struct eth_queue *q, struct rte_mbuf *mbuf, uint64_t now, uint8_t *drop)
{
	const struct eth_port *eth = q->port;
	const struct drv_pkt *pkt = rte_mbuf_to_priv(mbuf);
	const struct dp_addr *hop;
	const uint8_t *mac;

	*drop = DP_DROP_TX_ERROR;
	if (pkt->local_index >= eth->self.count ||
	    eth->self.addrs[pkt->local_index].family != pkt->peer.family)
		return DROPPED;
	hop = next_hop(&eth->conf.local[pkt->local_index], &pkt->peer);
	if (hop == NULL) {
		*drop = DP_DROP_TX_NO_NEIGH;
		return DROPPED;
	}
	mac = resolve(q, pkt->local_index, hop, now);
	if (mac == NULL) {
		*drop = hold(q, mbuf, now);
		return *drop == DP_DROP_NONE ? HELD : DROPPED;
	}
	if (!encode(q, mbuf, mac))
		return DROPPED;
	*drop = DP_DROP_NONE;
	return SENT_ON;
}

/* At most ETH_BURST packets. */
static uint16_t
burst(struct eth_queue *q, struct rte_mbuf **pkts, uint16_t n, uint8_t *verdicts)
{
	struct rte_mbuf *ready[ETH_BURST];
	uint32_t octets[ETH_BURST];
	uint16_t at[ETH_BURST], count = 0, sent, held = 0;
	uint64_t now = drv_now_ns();

	for (uint16_t i = 0; i < n; i++) {
		uint32_t size = pkts[i]->pkt_len;
		enum verdict verdict = prepare(q, pkts[i], now, &verdicts[i]);

		if (verdict == SENT_ON) {
			octets[count] = size;
			at[count] = i;
			ready[count++] = pkts[i];
		} else if (verdict == DROPPED) {
			rte_pktmbuf_free(pkts[i]);
		} else {
			held++;
		}
	}
	sent = count ? rte_eth_tx_burst(q->port->device, q->index, ready, count) : 0;
	for (uint16_t i = 0; i < sent; i++)
		q->stats.tx_octets += octets[i];
	for (uint16_t i = sent; i < count; i++) {
		verdicts[at[i]] = DP_DROP_TX_FULL;
		rte_pktmbuf_free(ready[i]);
	}
	q->stats.tx_packets += sent;
	return (uint16_t)(sent + held);
}

uint16_t
eth_tx(struct drv_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n, uint8_t *verdicts)
{
	struct eth_queue *q = &((struct eth_port *)port)->queues[queue];
	uint16_t taken = 0;

	for (uint16_t i = 0; i < n; i = (uint16_t)(i + ETH_BURST)) {
		uint16_t left = (uint16_t)(n - i);

		taken = (uint16_t)(taken + burst(q, pkts + i, left < ETH_BURST ? left : ETH_BURST,
						 verdicts + i));
	}
	return taken;
}

void
eth_held_review(struct eth_queue *q, uint64_t now)
{
	struct rte_mbuf *held[ETH_HELD_MAX];
	uint64_t until[ETH_HELD_MAX];
	uint16_t n = q->held_count;

	memcpy(held, q->held, n * sizeof(held[0]));
	memcpy(until, q->held_until_ns, n * sizeof(until[0]));
	q->held_count = 0;
	for (uint16_t i = 0; i < n; i++) {
		uint32_t size = held[i]->pkt_len;
		uint8_t drop;

		if (now >= until[i]) {
			q->stats.tx_no_neigh++;
			rte_pktmbuf_free(held[i]);
			continue;
		}
		switch (prepare(q, held[i], now, &drop)) {
		case SENT_ON:
			q->stats.tx_packets++;
			q->stats.tx_octets += size;
			eth_frame_send(q, held[i]);
			break;
		case HELD: /* keeps its deadline */
			q->held_until_ns[q->held_count - 1] = until[i];
			break;
		case DROPPED:
			q->stats.tx_errors++;
			rte_pktmbuf_free(held[i]);
		}
	}
}
