/* ARP for IPv4 over Ethernet (RFC 826), announcements (RFC 5227); ICMP echo (RFC 792). */
#include <string.h>
#include "drivers/neigh/answer.h"
#include "drivers/neigh/bytes.h"

#define TYPE_ARP 0x0806
#define ARP_OCTETS 28
#define REQUEST 1
#define REPLY 2
#define ECHO_REQUEST 8

static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
static const uint8_t head[6] = {0,    1, 0x08,
				0x00, 6, 4}; /* Ethernet, IPv4 and their address lengths */

static uint16_t
encode(const struct drv_self *self, uint16_t op, const uint8_t *ip, const uint8_t *target,
       uint8_t *out)
{
	uint8_t *arp = out + drv_frame_ether_encode(self, broadcast, TYPE_ARP, out);

	memcpy(arp, head, sizeof(head));
	drv_put16(arp + 6, op);
	memcpy(arp + 8, self->mac, 6);
	memcpy(arp + 14, ip, 4);
	memset(arp + 18, 0, 6);
	memcpy(arp + 24, target, 4);
	return (uint16_t)(arp + ARP_OCTETS - out);
}

uint16_t
drv_arp_ask(const struct drv_self *self, uint8_t local_index, const struct dp_addr *target,
	    uint8_t *out)
{
	return encode(self, REQUEST, self->addrs[local_index].ip, target->ip, out);
}

uint16_t
drv_arp_announce(const struct drv_self *self, uint8_t local_index, uint8_t *out)
{
	return encode(self, REQUEST, self->addrs[local_index].ip, self->addrs[local_index].ip, out);
}

uint16_t
drv_arp_answer(const struct drv_self *self, const struct drv_frame *f, uint8_t *data,
	       struct drv_news *news)
{
	static const uint8_t none[4];
	uint8_t *arp = data + f->l3;
	int local;

	news->is_news = false;
	if (f->end - f->l3 < ARP_OCTETS || memcmp(arp, head, sizeof(head)) != 0)
		return 0;
	if ((arp[8] & 1) || memcmp(arp + 8, self->mac, 6) == 0)
		return 0; /* a group is nobody's address; our own echo */
	local = drv_self_find(self, DP_FAMILY_IP4, arp + 24);
	/* Probes (sender 0.0.0.0) tell nothing; a claim to our own address neither. */
	if (memcmp(arp + 14, none, 4) != 0 && drv_self_find(self, DP_FAMILY_IP4, arp + 14) < 0) {
		*news = (struct drv_news){
			.is_news = true, .may_create = local >= 0, .addr.family = DP_FAMILY_IP4};
		memcpy(news->addr.ip, arp + 14, 4);
		memcpy(news->mac, arp + 8, 6);
	}
	if (local < 0 || drv_get16(arp + 6) != REQUEST)
		return 0;
	for (int i = 0; i < 10; i++) /* the asker becomes the target */
		arp[18 + i] = arp[8 + i];
	memcpy(arp + 8, self->mac, 6);
	memcpy(arp + 14, self->addrs[local].ip, 4);
	drv_put16(arp + 6, REPLY);
	drv_frame_turn(self, arp + 18, data);
	return (uint16_t)(f->l3 + ARP_OCTETS);
}

uint16_t
drv_icmp4_answer(const struct drv_self *self, const struct drv_frame *f, uint8_t *data)
{
	uint8_t *ip = data + f->l3, *icmp = data + f->l4;
	uint16_t octets = (uint16_t)(f->end - f->l4), sum;
	uint8_t peer[4];

	if (octets < 8 || icmp[0] != ECHO_REQUEST || icmp[1] != 0 || (data[0] & 1) ||
	    (data[6] & 1) || drv_sum_fold(drv_sum(icmp, octets, 0)) != 0xffff)
		return 0;
	icmp[0] = 0;
	drv_put16(icmp + 2, 0);
	sum = (uint16_t)~drv_sum_fold(drv_sum(icmp, octets, 0));
	memcpy(icmp + 2, &sum, 2);
	memcpy(peer, ip + 12, 4);
	memcpy(ip + 12, ip + 16, 4);
	memcpy(ip + 16, peer, 4);
	ip[8] = 64;
	drv_put16(ip + 10, 0);
	sum = (uint16_t)~drv_sum_fold(drv_sum(ip, (uint32_t)(f->l4 - f->l3), 0));
	memcpy(ip + 10, &sum, 2);
	drv_frame_turn(self, data + 6, data);
	return f->end;
}
