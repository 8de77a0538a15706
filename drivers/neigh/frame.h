/*
 * Ethernet frames as an ethdev port takes and makes them: 802.1Q, IPv4 (RFC 791), IPv6 (RFC 8200), UDP (RFC 768).
 * Pure functions on octets; nothing here knows a device.
 */
#ifndef DRV_NEIGH_FRAME_H
#define DRV_NEIGH_FRAME_H

#include <stdbool.h>
#include <stdint.h>
#include "dataplane/api/addr.h"

#define DRV_SELF_MAX 4
#define DRV_FRAME_HEAD_MAX 66	 /* Ethernet, VLAN tag, IPv6, UDP */
#define DRV_FRAME_CONTROL_MAX 90 /* the longest ARP, ND or MLD frame that we make */

/* Who we are on the link. */
struct drv_self {
	uint8_t mac[6];
	uint16_t vlan; /* tag in the frame; 0: none, or the device puts and takes it */
	uint8_t count;
	struct dp_addr addrs[DRV_SELF_MAX]; /* port 0 */
};

enum drv_frame_kind {
	DRV_FRAME_UDP,
	DRV_FRAME_ARP,
	DRV_FRAME_ICMP4,
	DRV_FRAME_ICMP6,
	DRV_FRAME_FRAGMENT,
	DRV_FRAME_MALFORMED,
	DRV_FRAME_BAD_CHECKSUM,
	DRV_FRAME_FOREIGN, /* another VLAN or another's address */
	DRV_FRAME_OTHER,   /* some other protocol */
};

enum {
	DRV_FRAME_IP_IS_GOOD = 1,  /* the device has verified the IPv4 header's checksum */
	DRV_FRAME_UDP_IS_GOOD = 2, /* and UDP's */
	DRV_FRAME_MAY_BE_PARTIAL =
		4, /* locally made: UDP's checksum may cover the pseudo header only */
};

/* Where things are in a frame; filled as far as the kind says. */
struct drv_frame {
	uint8_t kind;	/* enum drv_frame_kind */
	uint8_t family; /* enum dp_family */
	uint8_t local_index;
	uint8_t hop_limit;
	uint16_t l3; /* offsets */
	uint16_t l4;
	uint16_t payload; /* UDP: of the data; ARP, ICMP: same as l4 */
	uint16_t end;	  /* of the network packet; what follows is padding */
	uint16_t local_port;
	struct dp_addr peer;
};

void drv_frame_parse(struct drv_frame *out, const struct drv_self *self, const uint8_t *data,
		     uint16_t size, unsigned checks);

/* What the headers of a UDP datagram are made of. */
struct drv_frame_udp {
	const struct dp_addr *local; /* port counts */
	const struct dp_addr *peer;
	uint8_t mac[6]; /* of the next hop */
	uint8_t dscp;
	bool is_offloaded; /* the device makes the checksums: leave what it needs */
	uint16_t ident;	   /* IPv4 */
	uint16_t octets;   /* of payload */
};

/* Octets that drv_frame_udp_encode puts in front of the payload. */
static inline uint16_t
drv_frame_udp_head(const struct drv_self *self, uint8_t family)
{
	return (uint16_t)(14 + (self->vlan ? 4 : 0) + (family == DP_FAMILY_IP6 ? 40 : 20) + 8);
}

/* Writes the headers at head; the payload lies right behind them. */
void drv_frame_udp_encode(const struct drv_self *self, const struct drv_frame_udp *udp,
			  uint8_t *head);

/* Ethernet header with our tag; returns its length. */
uint16_t drv_frame_ether_encode(const struct drv_self *self, const uint8_t *to, uint16_t type,
				uint8_t *out);

/* The frame goes back to the neighbour to; its tag and type stay. to may lie in the frame. */
static inline void
drv_frame_turn(const struct drv_self *self, const uint8_t *to, uint8_t *data)
{
	memmove(data, to, 6);
	memcpy(data + 6, self->mac, 6);
}

/* Checksum of an upper-layer packet with its pseudo header, in the order of memory. 0 means right when the field is in. */
uint16_t drv_frame_checksum(const uint8_t *l3, uint8_t family, uint8_t protocol, const uint8_t *l4,
			    uint16_t octets);

/* Index of one of our addresses, or -1. ip: 4 or 16 octets. */
int drv_self_find(const struct drv_self *self, uint8_t family, const uint8_t *ip);

#endif
