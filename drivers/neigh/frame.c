/* Frames: parse with every length checked, build with checksums. */
#include "drivers/neigh/frame.h"

#include <string.h>
#include "drivers/neigh/bytes.h"

#define TYPE_IP4 0x0800
#define TYPE_ARP 0x0806
#define TYPE_VLAN 0x8100
#define TYPE_IP6 0x86dd
#define PROTOCOL_ICMP 1
#define PROTOCOL_UDP 17
#define PROTOCOL_FRAGMENT 44
#define PROTOCOL_ICMP6 58
#define TTL 64

int
drv_self_find(const struct drv_self *self, uint8_t family, const uint8_t *ip)
{
	for (uint8_t i = 0; i < self->count; i++)
		if (self->addrs[i].family == family &&
		    memcmp(self->addrs[i].ip, ip, family == DP_FAMILY_IP6 ? 16 : 4) == 0)
			return i;
	return -1;
}

static uint64_t
pseudo_sum(const uint8_t *l3, uint8_t family, uint8_t protocol, uint16_t octets)
{
	uint8_t tail[4] = {0, protocol, (uint8_t)(octets >> 8), (uint8_t)octets};

	return family == DP_FAMILY_IP6 ? drv_sum(l3 + 8, 32, drv_sum(tail, 4, 0))
				       : drv_sum(l3 + 12, 8, drv_sum(tail, 4, 0));
}

uint16_t
drv_frame_checksum(const uint8_t *l3, uint8_t family, uint8_t protocol, const uint8_t *l4,
		   uint16_t octets)
{
	return (uint16_t)~drv_sum_fold(
		drv_sum(l4, octets, pseudo_sum(l3, family, protocol, octets)));
}

/* What a kernel leaves in the field when it expects a device to finish the sum. */
static bool
is_partial(const uint8_t *l3, uint8_t family, const uint8_t *l4, uint16_t octets)
{
	uint16_t sum = drv_sum_fold(pseudo_sum(l3, family, PROTOCOL_UDP, octets));

	return memcmp(&sum, l4 + 6, 2) == 0;
}

static enum drv_frame_kind
parse_udp(struct drv_frame *f, const uint8_t *data, unsigned checks)
{
	const uint8_t *udp = data + f->l4;
	uint16_t room = (uint16_t)(f->end - f->l4);
	uint16_t octets;

	if (room < 8)
		return DRV_FRAME_MALFORMED;
	octets = drv_get16(udp + 4);
	if (octets < 8 || octets > room)
		return DRV_FRAME_MALFORMED;
	f->end = (uint16_t)(f->l4 + octets);
	f->payload = (uint16_t)(f->l4 + 8);
	f->peer.port = drv_get16(udp);
	f->local_port = drv_get16(udp + 2);
	if (drv_get16(udp + 6) == 0)
		return f->family == DP_FAMILY_IP4 ? DRV_FRAME_UDP : DRV_FRAME_BAD_CHECKSUM;
	if (!(checks & DRV_FRAME_UDP_IS_GOOD) &&
	    drv_frame_checksum(data + f->l3, f->family, PROTOCOL_UDP, udp, octets) != 0 &&
	    !((checks & DRV_FRAME_MAY_BE_PARTIAL) &&
	      is_partial(data + f->l3, f->family, udp, octets)))
		return DRV_FRAME_BAD_CHECKSUM;
	return DRV_FRAME_UDP;
}

static enum drv_frame_kind
parse_ip4(struct drv_frame *f, const struct drv_self *self, const uint8_t *data, uint16_t size,
	  unsigned checks)
{
	const uint8_t *ip = data + f->l3;
	uint16_t room = (uint16_t)(size - f->l3), head, total;
	int local;

	if (room < 20 || ip[0] >> 4 != 4)
		return DRV_FRAME_MALFORMED;
	head = (uint16_t)((ip[0] & 15) * 4);
	total = drv_get16(ip + 2);
	if (head < 20 || total < head || total > room)
		return DRV_FRAME_MALFORMED;
	if (!(checks & DRV_FRAME_IP_IS_GOOD) && drv_sum_fold(drv_sum(ip, head, 0)) != 0xffff)
		return DRV_FRAME_BAD_CHECKSUM;
	local = drv_self_find(self, DP_FAMILY_IP4, ip + 16);
	if (local < 0)
		return DRV_FRAME_FOREIGN;
	if (drv_get16(ip + 6) & 0x3fff)
		return DRV_FRAME_FRAGMENT;
	f->family = DP_FAMILY_IP4;
	f->local_index = (uint8_t)local;
	f->hop_limit = ip[8];
	f->l4 = f->payload = (uint16_t)(f->l3 + head);
	f->end = (uint16_t)(f->l3 + total);
	f->peer = (struct dp_addr){.family = DP_FAMILY_IP4};
	memcpy(f->peer.ip, ip + 12, 4);
	if (ip[9] == PROTOCOL_UDP)
		return parse_udp(f, data, checks);
	return ip[9] == PROTOCOL_ICMP ? DRV_FRAME_ICMP4 : DRV_FRAME_OTHER;
}

/* Neighbour solicitations come to the multicast address of one of our addresses' last 24 bits (RFC 4291 2.7.1). */
static int
solicited_node(const struct drv_self *self, const uint8_t *ip)
{
	static const uint8_t prefix[13] = {0xff, 0x02, [11] = 0x01, [12] = 0xff};

	if (memcmp(ip, prefix, sizeof(prefix)) != 0)
		return -1;
	for (uint8_t i = 0; i < self->count; i++)
		if (self->addrs[i].family == DP_FAMILY_IP6 &&
		    memcmp(self->addrs[i].ip + 13, ip + 13, 3) == 0)
			return i;
	return -1;
}

static enum drv_frame_kind
parse_ip6(struct drv_frame *f, const struct drv_self *self, const uint8_t *data, uint16_t size,
	  unsigned checks)
{
	static const uint8_t all_nodes[16] = {0xff, 0x02, [15] = 1};
	const uint8_t *ip = data + f->l3;
	uint16_t room = (uint16_t)(size - f->l3), octets;
	bool is_multicast;
	int local;

	if (room < 40 || ip[0] >> 4 != 6)
		return DRV_FRAME_MALFORMED;
	octets = drv_get16(ip + 4);
	if (octets > room - 40)
		return DRV_FRAME_MALFORMED;
	is_multicast = ip[24] == 0xff;
	if (is_multicast)
		local = memcmp(ip + 24, all_nodes, 16) == 0 ? 0 : solicited_node(self, ip + 24);
	else
		local = drv_self_find(self, DP_FAMILY_IP6, ip + 24);
	if (local < 0)
		return DRV_FRAME_FOREIGN;
	f->family = DP_FAMILY_IP6;
	f->local_index = (uint8_t)local;
	f->hop_limit = ip[7];
	f->l4 = f->payload = (uint16_t)(f->l3 + 40);
	f->end = (uint16_t)(f->l4 + octets);
	f->peer = (struct dp_addr){.family = DP_FAMILY_IP6};
	memcpy(f->peer.ip, ip + 8, 16);
	if (ip[6] == PROTOCOL_ICMP6)
		return DRV_FRAME_ICMP6;
	if (is_multicast)
		return DRV_FRAME_FOREIGN;
	if (ip[6] == PROTOCOL_UDP)
		return parse_udp(f, data, checks);
	return ip[6] == PROTOCOL_FRAGMENT ? DRV_FRAME_FRAGMENT : DRV_FRAME_OTHER;
}

void
drv_frame_parse(struct drv_frame *out, const struct drv_self *self, const uint8_t *data,
		uint16_t size, unsigned checks)
{
	uint16_t type, tag = 0;

	*out = (struct drv_frame){.kind = DRV_FRAME_MALFORMED, .l3 = 14};
	if (size < 14)
		return;
	type = drv_get16(data + 12);
	if (type == TYPE_VLAN) {
		if (size < 18)
			return;
		tag = drv_get16(data + 14) & 0x0fff;
		type = drv_get16(data + 16);
		out->l3 = 18;
	}
	out->l4 = out->payload = out->l3;
	out->end = size;
	/* Ours: our tag; without a VLAN no tag, or the priority tag 0. */
	if (tag != self->vlan)
		out->kind = DRV_FRAME_FOREIGN;
	else if (!(data[0] & 1) && memcmp(data, self->mac, 6) != 0)
		out->kind = DRV_FRAME_FOREIGN; /* a device that sees everything */
	else if (type == TYPE_IP4)
		out->kind = parse_ip4(out, self, data, size, checks);
	else if (type == TYPE_IP6)
		out->kind = parse_ip6(out, self, data, size, checks);
	else
		out->kind = type == TYPE_ARP ? DRV_FRAME_ARP : DRV_FRAME_OTHER;
}

uint16_t
drv_frame_ether_encode(const struct drv_self *self, const uint8_t *to, uint16_t type, uint8_t *out)
{
	uint16_t at = 12;

	memcpy(out, to, 6);
	memcpy(out + 6, self->mac, 6);
	if (self->vlan) {
		drv_put16(out + 12, TYPE_VLAN);
		drv_put16(out + 14, self->vlan);
		at = 16;
	}
	drv_put16(out + at, type);
	return (uint16_t)(at + 2);
}

static uint16_t
ip4_encode(const struct drv_frame_udp *udp, uint8_t *ip)
{
	uint16_t sum;

	ip[0] = 0x45;
	ip[1] = (uint8_t)(udp->dscp << 2);
	drv_put16(ip + 2, (uint16_t)(28 + udp->octets));
	drv_put16(ip + 4, udp->ident);
	drv_put16(ip + 6, 0);
	ip[8] = TTL;
	ip[9] = PROTOCOL_UDP;
	drv_put16(ip + 10, 0);
	memcpy(ip + 12, udp->local->ip, 4);
	memcpy(ip + 16, udp->peer->ip, 4);
	if (!udp->is_offloaded) {
		sum = (uint16_t)~drv_sum_fold(drv_sum(ip, 20, 0));
		memcpy(ip + 10, &sum, 2);
	}
	return 20;
}

static uint16_t
ip6_encode(const struct drv_frame_udp *udp, uint8_t *ip)
{
	ip[0] = (uint8_t)(0x60 | udp->dscp >> 2);
	ip[1] = (uint8_t)(udp->dscp << 6);
	drv_put16(ip + 2, 0);
	drv_put16(ip + 4, (uint16_t)(8 + udp->octets));
	ip[6] = PROTOCOL_UDP;
	ip[7] = TTL;
	memcpy(ip + 8, udp->local->ip, 16);
	memcpy(ip + 24, udp->peer->ip, 16);
	return 40;
}

void
drv_frame_udp_encode(const struct drv_self *self, const struct drv_frame_udp *udp, uint8_t *head)
{
	uint8_t family = udp->peer->family;
	bool is_ip6 = family == DP_FAMILY_IP6;
	uint8_t *ip =
		head + drv_frame_ether_encode(self, udp->mac, is_ip6 ? TYPE_IP6 : TYPE_IP4, head);
	uint8_t *l4 = ip + (is_ip6 ? ip6_encode(udp, ip) : ip4_encode(udp, ip));
	uint16_t octets = (uint16_t)(8 + udp->octets);
	uint16_t sum;

	drv_put16(l4, udp->local->port);
	drv_put16(l4 + 2, udp->peer->port);
	drv_put16(l4 + 4, octets);
	drv_put16(l4 + 6, 0);
	if (udp->is_offloaded) {
		sum = drv_sum_fold(pseudo_sum(ip, family, PROTOCOL_UDP, octets));
	} else {
		sum = drv_frame_checksum(ip, family, PROTOCOL_UDP, l4, octets);
		if (sum == 0) /* 0 says "no checksum" */
			sum = 0xffff;
	}
	memcpy(l4 + 6, &sum, 2);
}
