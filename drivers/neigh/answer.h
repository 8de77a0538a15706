/*
 * What a host on a link answers: ARP (RFC 826, 5227), ICMP echo (RFC 792), neighbour discovery (RFC 4861) and ICMPv6 echo
 * (RFC 4443). An answer is written over the question, whose
 * buffer has room for DRV_FRAME_CONTROL_MAX octets; its length is returned, 0 for none.
 */
#ifndef DRV_NEIGH_ANSWER_H
#define DRV_NEIGH_ANSWER_H

#include "drivers/neigh/frame.h"

/* What a frame told about a neighbour. */
struct drv_news {
	bool is_news;
	bool may_create; /* it asked for us: we are likely to answer */
	struct dp_addr addr;
	uint8_t mac[6];
};

uint16_t drv_arp_answer(const struct drv_self *self, const struct drv_frame *f, uint8_t *data,
			struct drv_news *news);
uint16_t drv_icmp4_answer(const struct drv_self *self, const struct drv_frame *f, uint8_t *data);
uint16_t drv_icmp6_answer(const struct drv_self *self, const struct drv_frame *f, uint8_t *data,
			  struct drv_news *news);

/* Who has target? out: DRV_FRAME_CONTROL_MAX octets; returns the length. local_index: our address of the same family. */
uint16_t drv_arp_ask(const struct drv_self *self, uint8_t local_index, const struct dp_addr *target,
		     uint8_t *out);
uint16_t drv_nd_ask(const struct drv_self *self, uint8_t local_index, const struct dp_addr *target,
		    uint8_t *out);

/* I am here: gratuitous ARP, or an unsolicited neighbour advertisement. */
uint16_t drv_arp_announce(const struct drv_self *self, uint8_t local_index, uint8_t *out);
uint16_t drv_nd_announce(const struct drv_self *self, uint8_t local_index, uint8_t *out);

/* Listener report (RFC 3810) for the solicited-node group, so that switches that snoop pass our neighbours' questions on. */
uint16_t drv_mld_report(const struct drv_self *self, uint8_t local_index, uint8_t *out);

#endif
