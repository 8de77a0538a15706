/* The ethdev port's way in: frames become datagrams, questions get their answers. */
#include "drivers/port/ethdev_state.h"

#include <rte_ethdev.h>
#include <rte_prefetch.h>
#include "drivers/port/clock.h"

#define HOUSEKEEPING_TURNS 256
#define ANNOUNCE_NS 1000000000u

static unsigned
checks_of(const struct eth_port *eth, const struct rte_mbuf *mbuf)
{
	unsigned checks = eth->caps.has_partial_checksum ? DRV_FRAME_MAY_BE_PARTIAL : 0;

	if ((mbuf->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_GOOD)
		checks |= DRV_FRAME_IP_IS_GOOD;
	if ((mbuf->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD)
		checks |= DRV_FRAME_UDP_IS_GOOD;
	return checks;
}

/* The tag that the device took away. */
static bool
is_our_vlan(const struct eth_port *eth, const struct rte_mbuf *mbuf)
{
	uint16_t id = mbuf->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED ? mbuf->vlan_tci & 0x0fff : 0;

	return id == eth->vlan_tci;
}

static void
count(struct drv_port_stats *stats, enum drv_frame_kind kind)
{
	switch (kind) {
	case DRV_FRAME_FRAGMENT:
		stats->rx_fragments++;
		break;
	case DRV_FRAME_MALFORMED:
		stats->rx_malformed++;
		break;
	case DRV_FRAME_BAD_CHECKSUM:
		stats->rx_bad_checksum++;
		break;
	case DRV_FRAME_FOREIGN:
		stats->rx_foreign++;
		break;
	case DRV_FRAME_UDP:
		stats->rx_packets++;
		break;
	default:
		stats->rx_not_ip_udp++;
	}
}

/* Answers, or frees. */
static void
control(struct eth_queue *q, struct rte_mbuf *mbuf, const struct drv_frame *f)
{
	const struct eth_port *eth = q->port;
	uint8_t *data = rte_pktmbuf_mtod(mbuf, uint8_t *);
	struct drv_news news = {0};
	uint16_t octets = 0;

	if (f->kind == DRV_FRAME_ARP)
		octets = drv_arp_answer(&eth->self, f, data, &news);
	else if (f->kind == DRV_FRAME_ICMP4)
		octets = drv_icmp4_answer(&eth->self, f, data);
	else if (f->kind == DRV_FRAME_ICMP6)
		octets = drv_icmp6_answer(&eth->self, f, data, &news);
	if (news.is_news) {
		uint64_t now = drv_now_ns();

		drv_neigh_learn(eth->neigh, &news, now);
		q->hop.addr.family = DP_FAMILY_NONE;
		if (q->held_count > 0)
			eth_held_review(q, now);
	}
	if (octets == 0) {
		rte_pktmbuf_free(mbuf);
		return;
	}
	mbuf->data_len = octets;
	mbuf->pkt_len = octets;
	mbuf->ol_flags = 0;
	eth_frame_send(q, mbuf);
}

static void
announce(struct eth_queue *q, uint64_t now)
{
	static uint16_t (*const makers[])(const struct drv_self *, uint8_t, uint8_t *) = {
		drv_arp_announce, drv_nd_announce, drv_mld_report};
	const struct drv_self *self = &q->port->self;

	for (uint8_t i = 0; i < self->count; i++) {
		bool is_ip6 = self->addrs[i].family == DP_FAMILY_IP6;

		for (int m = is_ip6 ? 1 : 0; m < (is_ip6 ? 3 : 1); m++) {
			struct rte_mbuf *mbuf = rte_pktmbuf_alloc(q->pool);

			if (mbuf == NULL)
				return;
			mbuf->data_len = makers[m](self, i, rte_pktmbuf_mtod(mbuf, uint8_t *));
			mbuf->pkt_len = mbuf->data_len;
			eth_frame_send(q, mbuf);
		}
	}
	q->announced++;
	q->announce_ns = now + ANNOUNCE_NS;
}

/* What has to be done now and then, whether packets come or not. */
static void
housekeeping(struct eth_queue *q)
{
	uint64_t now;

	if (q->turns++ % HOUSEKEEPING_TURNS != 0)
		return;
	if (q->held_count == 0 && (q->index != 0 || q->announced == ETH_ANNOUNCEMENTS))
		return;
	now = drv_now_ns();
	if (q->held_count > 0)
		eth_held_review(q, now);
	if (q->index == 0 && q->announced < ETH_ANNOUNCEMENTS && now >= q->announce_ns)
		announce(q, now);
}

static bool
datagram(struct eth_queue *q, struct rte_mbuf *mbuf, uint64_t now)
{
	struct drv_pkt *pkt = rte_mbuf_to_priv(mbuf);
	struct eth_port *eth = q->port;
	struct drv_frame f = {.kind = DRV_FRAME_FOREIGN};

	if (mbuf->nb_segs != 1)
		f.kind = DRV_FRAME_MALFORMED; /* longer than one buffer: no frame of this link */
	else if (is_our_vlan(eth, mbuf))
		drv_frame_parse(&f, &eth->self, rte_pktmbuf_mtod(mbuf, uint8_t *), mbuf->data_len,
				checks_of(eth, mbuf));
	count(&q->stats, f.kind);
	if (f.kind != DRV_FRAME_UDP) {
		if (f.kind == DRV_FRAME_ARP || f.kind == DRV_FRAME_ICMP4 ||
		    f.kind == DRV_FRAME_ICMP6)
			control(q, mbuf, &f);
		else
			rte_pktmbuf_free(mbuf);
		return false;
	}
	mbuf->data_off = (uint16_t)(mbuf->data_off + f.payload);
	mbuf->data_len = (uint16_t)(f.end - f.payload);
	mbuf->pkt_len = mbuf->data_len;
	mbuf->ol_flags = 0;
	pkt->peer = f.peer;
	pkt->local_port = f.local_port;
	pkt->local_index = f.local_index;
	pkt->flags = 0;
	pkt->rx_ns = now;
	q->stats.rx_octets += mbuf->data_len;
	return true;
}

uint16_t
eth_rx(struct drv_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	struct eth_port *eth = (struct eth_port *)port;
	struct eth_queue *q = &eth->queues[queue];
	uint16_t came, got = 0;
	uint64_t now;

	housekeeping(q);
	if (queue >= eth->rx_queues)
		return 0;
	came = rte_eth_rx_burst(eth->device, queue, pkts, n);
	if (came == 0)
		return 0;
	now = drv_now_ns();
	for (uint16_t i = 0; i < came; i++)
		rte_prefetch0(rte_pktmbuf_mtod(pkts[i], void *));
	for (uint16_t i = 0; i < came; i++) {
		struct rte_mbuf *mbuf = pkts[i];

		if (datagram(q, mbuf, now))
			pkts[got++] = mbuf;
	}
	return got;
}
