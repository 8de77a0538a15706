/* Frames written out by hand for the tests of neigh/ and ethdev ports, with right checksums unless said. */
#ifndef TESTS_FAKE_FRAMES_H
#define TESTS_FAKE_FRAMES_H

#include <stdint.h>
#include <string.h>

static const uint8_t peer_mac[6] = {0x02, 0xaa, 0, 0, 0, 0x01};
static const uint8_t ip4_ours[4] = {192, 0, 2, 7}, ip4_peer[4] = {192, 0, 2, 1};
static const uint8_t ip6_ours[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 7},
		     ip6_peer[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};

/* The plainest sum there is: the slow twin of the one in the product. */
static inline uint16_t
slow_sum(uint32_t sum, const uint8_t *p, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static inline void
put16(uint8_t *p, unsigned value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static inline unsigned
ether(uint8_t *out, const uint8_t *to, unsigned vlan, unsigned type)
{
	unsigned n = 12;

	memcpy(out, to, 6);
	memcpy(out + 6, peer_mac, 6);
	if (vlan) {
		put16(out + n, 0x8100);
		put16(out + n + 2, vlan);
		n += 4;
	}
	put16(out + n, type);
	return n + 2;
}

/* Header of octets of protocol behind; returns offset of those. */
static inline unsigned
ip4(uint8_t *ip, unsigned protocol, unsigned octets)
{
	memset(ip, 0, 20);
	ip[0] = 0x45;
	put16(ip + 2, 20 + octets);
	ip[8] = 63;
	ip[9] = (uint8_t)protocol;
	memcpy(ip + 12, ip4_peer, 4);
	memcpy(ip + 16, ip4_ours, 4);
	put16(ip + 10, 0xffff & ~slow_sum(0, ip, 20));
	return 20;
}

static inline unsigned
ip6(uint8_t *ip, unsigned next, unsigned octets, unsigned hops)
{
	memset(ip, 0, 40);
	ip[0] = 0x60;
	put16(ip + 4, octets);
	ip[6] = (uint8_t)next;
	ip[7] = (uint8_t)hops;
	memcpy(ip + 8, ip6_peer, 16);
	memcpy(ip + 24, ip6_ours, 16);
	return 40;
}

/* The sum over pseudo header and octets at l4; 0xffff when the checksum in there is right. */
static inline uint16_t
l4_sum(const uint8_t *ip, unsigned protocol, const uint8_t *l4, unsigned octets)
{
	uint32_t sum = protocol + octets;

	sum = ip[0] >> 4 == 6 ? slow_sum(sum, ip + 8, 32) : slow_sum(sum, ip + 12, 8);
	return slow_sum(sum, l4, octets);
}

/* from peer port 5004 to our port; version 4 or 6. Returns the length of the frame. */
static inline unsigned
udp_frame(uint8_t *out, const uint8_t *to, unsigned vlan, int version, unsigned port,
	  const char *text)
{
	unsigned octets = 8 + (unsigned)strlen(text);
	uint8_t *ip = out + ether(out, to, vlan, version == 6 ? 0x86dd : 0x0800);
	uint8_t *l4 = ip + (version == 6 ? ip6(ip, 17, octets, 64) : ip4(ip, 17, octets));

	put16(l4, 5004);
	put16(l4 + 2, port);
	put16(l4 + 4, octets);
	put16(l4 + 6, 0);
	memcpy(l4 + 8, text, octets - 8);
	put16(l4 + 6, 0xffff & ~l4_sum(ip, 17, l4, octets));
	return (unsigned)(l4 + octets - out);
}

static inline unsigned
arp_frame(uint8_t *out, unsigned vlan, unsigned op, const uint8_t *target)
{
	static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	static const uint8_t head[6] = {0, 1, 8, 0, 6, 4};
	uint8_t *arp = out + ether(out, everybody, vlan, 0x0806);

	memcpy(arp, head, 6);
	put16(arp + 6, op);
	memcpy(arp + 8, peer_mac, 6);
	memcpy(arp + 14, ip4_peer, 4);
	memset(arp + 18, 0, 6);
	memcpy(arp + 24, target, 4);
	return (unsigned)(arp + 28 - out);
}

/* Echo request with 32 octets of data. */
static inline unsigned
echo_frame(uint8_t *out, const uint8_t *to, unsigned vlan, int version)
{
	uint8_t *ip = out + ether(out, to, vlan, version == 6 ? 0x86dd : 0x0800);
	uint8_t *icmp = ip + (version == 6 ? ip6(ip, 58, 40, 64) : ip4(ip, 1, 40));

	memset(icmp, 0, 8);
	icmp[0] = version == 6 ? 128 : 8;
	icmp[5] = 9;
	memset(icmp + 8, 'e', 32);
	put16(icmp + 2,
	      0xffff & ~(version == 6 ? l4_sum(ip, 58, icmp, 40) : slow_sum(0, icmp, 40)));
	return (unsigned)(icmp + 40 - out);
}

/* Neighbour solicitation (135) or advertisement (136) of target with a link-layer address option. */
static inline unsigned
nd_frame(uint8_t *out, unsigned type, const uint8_t *target, unsigned hops)
{
	uint8_t group[6] = {0x33, 0x33, 0xff, target[13], target[14], target[15]};
	uint8_t *ip = out + ether(out, group, 0, 0x86dd);
	uint8_t *icmp = ip + ip6(ip, 58, 32, hops);

	memset(icmp, 0, 32);
	icmp[0] = (uint8_t)type;
	icmp[4] = type == 136 ? 0x60 : 0;
	memcpy(icmp + 8, target, 16);
	icmp[24] = type == 135 ? 1 : 2;
	icmp[25] = 1;
	memcpy(icmp + 26, peer_mac, 6);
	put16(icmp + 2, 0xffff & ~l4_sum(ip, 58, icmp, 32));
	return (unsigned)(icmp + 32 - out);
}

#endif
