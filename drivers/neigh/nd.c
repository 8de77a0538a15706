/* Neighbour discovery (RFC 4861) as a host with static addresses needs it, ICMPv6 echo (RFC 4443), MLDv2 report (RFC 3810). */
#include <string.h>
#include "drivers/neigh/answer.h"
#include "drivers/neigh/bytes.h"

#define TYPE_IP6 0x86dd
#define PROTOCOL_ICMP6 58
#define ECHO_REQUEST 128
#define ECHO_REPLY 129
#define SOLICITATION 135
#define ADVERTISEMENT 136
#define LISTENER_REPORT 143
#define OPTION_SOURCE 1
#define OPTION_TARGET 2
#define FLAG_SOLICITED 0x40
#define FLAG_OVERRIDE 0x20
#define ND_OCTETS 32 /* with one link-layer address option */
#define ND_HOPS 255  /* proves that it was not forwarded */

/* Where a message goes. */
struct to {
	uint8_t mac[6];
	uint8_t ip[16];
	uint8_t hops;
	uint8_t next; /* header behind IPv6's */
};

static void
to_group(struct to *to, const uint8_t *ip)
{
	memcpy(to->ip, ip, 16);
	to->mac[0] = to->mac[1] = 0x33;
	memcpy(to->mac + 2, ip + 12, 4);
	to->hops = ND_HOPS;
	to->next = PROTOCOL_ICMP6;
}

static void
to_solicited_node(struct to *to, const uint8_t *ip)
{
	uint8_t group[16] = {0xff, 0x02, [11] = 0x01, [12] = 0xff};

	memcpy(group + 13, ip + 13, 3);
	to_group(to, group);
}

static uint8_t *
ip6_encode(const struct drv_self *self, const uint8_t *from, const struct to *to, uint16_t octets,
	   uint8_t *out)
{
	uint8_t *ip = out + drv_frame_ether_encode(self, to->mac, TYPE_IP6, out);

	drv_put16(ip, 0x6000);
	drv_put16(ip + 2, 0);
	drv_put16(ip + 4, octets);
	ip[6] = to->next;
	ip[7] = to->hops;
	memmove(ip + 8, from, 16);
	memmove(ip + 24, to->ip, 16);
	return ip + 40;
}

static void
checksum(uint8_t *l4, uint8_t *icmp, uint16_t octets)
{
	uint16_t sum;

	drv_put16(icmp + 2, 0);
	sum = drv_frame_checksum(l4 - 40, DP_FAMILY_IP6, PROTOCOL_ICMP6, icmp, octets);
	memcpy(icmp + 2, &sum, 2);
}

/* A solicitation or advertisement of target with our link-layer address. */
static uint16_t
nd_encode(const struct drv_self *self, const uint8_t *from, const struct to *to,
	  const uint8_t head[2], const uint8_t *target, uint8_t *out)
{
	uint8_t kept[16];
	uint8_t *icmp;

	memcpy(kept, target, 16); /* may lie in out */
	icmp = ip6_encode(self, from, to, ND_OCTETS, out);
	memset(icmp, 0, ND_OCTETS);
	icmp[0] = head[0];
	icmp[4] = head[1];
	memcpy(icmp + 8, kept, 16);
	icmp[24] = head[0] == SOLICITATION ? OPTION_SOURCE : OPTION_TARGET;
	icmp[25] = 1;
	memcpy(icmp + 26, self->mac, 6);
	checksum(icmp, icmp, ND_OCTETS);
	return (uint16_t)(icmp + ND_OCTETS - out);
}

uint16_t
drv_nd_ask(const struct drv_self *self, uint8_t local_index, const struct dp_addr *target,
	   uint8_t *out)
{
	struct to to;

	to_solicited_node(&to, target->ip);
	return nd_encode(self, self->addrs[local_index].ip, &to, (const uint8_t[]){SOLICITATION, 0},
			 target->ip, out);
}

uint16_t
drv_nd_announce(const struct drv_self *self, uint8_t local_index, uint8_t *out)
{
	static const uint8_t all_nodes[16] = {0xff, 0x02, [15] = 1};
	const uint8_t *ip = self->addrs[local_index].ip;
	struct to to;

	to_group(&to, all_nodes);
	return nd_encode(self, ip, &to, (const uint8_t[]){ADVERTISEMENT, FLAG_OVERRIDE}, ip, out);
}

uint16_t
drv_mld_report(const struct drv_self *self, uint8_t local_index, uint8_t *out)
{
	static const uint8_t all_mld2[16] = {0xff, 0x02, [15] = 0x16};
	static const uint8_t router_alert[8] = {PROTOCOL_ICMP6, 0, 5, 2, 0, 0, 1, 0};
	static const uint8_t
		unspecified[16]; /* allowed where there is no link-local address (RFC 3590) */
	struct to to, group;
	uint8_t *l4, *icmp;

	to_group(&to, all_mld2);
	to.hops = 1;
	to.next = 0; /* hop-by-hop options */
	to_solicited_node(&group, self->addrs[local_index].ip);
	l4 = ip6_encode(self, unspecified, &to, 8 + 28, out);
	memcpy(l4, router_alert, sizeof(router_alert));
	icmp = l4 + 8;
	memset(icmp, 0, 28);
	icmp[0] = LISTENER_REPORT;
	icmp[7] = 1; /* one record */
	icmp[8] = 4; /* change to exclude nothing: join */
	memcpy(icmp + 12, group.ip, 16);
	checksum(l4, icmp, 28);
	return (uint16_t)(icmp + 28 - out);
}

/* The link-layer address option of the type wanted, or NULL; *is_valid false when the options are malformed. */
static const uint8_t *
option_find(const uint8_t *options, uint16_t octets, uint8_t type, bool *is_valid)
{
	const uint8_t *found = NULL;

	*is_valid = true;
	while (octets > 0) {
		uint16_t length = octets >= 2 ? (uint16_t)(options[1] * 8) : 0;

		if (length == 0 || length > octets) {
			*is_valid = false;
			return NULL;
		}
		if (options[0] == type && found == NULL && !(options[2] & 1))
			found = options + 2;
		options += length;
		octets = (uint16_t)(octets - length);
	}
	return found;
}

static void
news_set(struct drv_news *news, const uint8_t *ip, const uint8_t *mac, bool may_create)
{
	*news = (struct drv_news){
		.is_news = true, .may_create = may_create, .addr.family = DP_FAMILY_IP6};
	memcpy(news->addr.ip, ip, 16);
	memcpy(news->mac, mac, 6);
}

static bool
is_unspecified(const uint8_t *ip)
{
	static const uint8_t zero[16];

	return memcmp(ip, zero, 16) == 0;
}

/* RFC 4861 7.1.1 and 7.2.4. */
static uint16_t
solicitation(const struct drv_self *self, const struct drv_frame *f, uint8_t *data,
	     struct drv_news *news)
{
	uint8_t *ip = data + f->l3, *icmp = data + f->l4;
	uint16_t octets = (uint16_t)(f->end - f->l4);
	bool is_probe = is_unspecified(ip + 8), is_valid;
	const uint8_t *mac;
	struct to to = {.hops = ND_HOPS, .next = PROTOCOL_ICMP6};
	int local;

	if (octets < 24 || (local = drv_self_find(self, DP_FAMILY_IP6, icmp + 8)) < 0)
		return 0;
	mac = option_find(icmp + 24, (uint16_t)(octets - 24), OPTION_SOURCE, &is_valid);
	if (!is_valid || (is_probe && mac != NULL))
		return 0;
	if (is_probe) { /* somebody else is about to take our address: all shall know that it is in use */
		return drv_nd_announce(self, (uint8_t)local, data);
	}
	if (ip[8] == 0xff || (data[6] & 1))
		return 0;
	if (mac != NULL)
		news_set(news, ip + 8, mac, true);
	memcpy(to.mac, mac != NULL ? mac : data + 6, 6);
	memcpy(to.ip, ip + 8, 16);
	/* The answer is 32 octets at l4; a question without option was shorter, the buffer is not: 14 + 4 + 40 + 32 < 128. */
	return nd_encode(self, self->addrs[local].ip, &to,
			 (const uint8_t[]){ADVERTISEMENT, FLAG_SOLICITED | FLAG_OVERRIDE},
			 self->addrs[local].ip, data);
}

/* RFC 4861 7.1.2. */
static void
advertisement(const struct drv_self *self, const struct drv_frame *f, const uint8_t *data,
	      struct drv_news *news)
{
	const uint8_t *ip = data + f->l3, *icmp = data + f->l4;
	uint16_t octets = (uint16_t)(f->end - f->l4);
	const uint8_t *mac;
	bool is_valid;

	if (octets < 24 || icmp[8] == 0xff || drv_self_find(self, DP_FAMILY_IP6, icmp + 8) >= 0)
		return;
	if (ip[24] == 0xff && (icmp[4] & FLAG_SOLICITED))
		return;
	mac = option_find(icmp + 24, (uint16_t)(octets - 24), OPTION_TARGET, &is_valid);
	if (is_valid && mac != NULL)
		news_set(news, icmp + 8, mac, false);
}

static uint16_t
echo(const struct drv_self *self, const struct drv_frame *f, uint8_t *data)
{
	uint8_t *ip = data + f->l3, *icmp = data + f->l4;
	uint16_t octets = (uint16_t)(f->end - f->l4);
	uint8_t peer[16];

	if (octets < 8 || ip[24] == 0xff || ip[8] == 0xff || (data[6] & 1))
		return 0;
	memcpy(peer, ip + 8, 16);
	memcpy(ip + 8, ip + 24, 16);
	memcpy(ip + 24, peer, 16);
	ip[7] = 64;
	drv_frame_turn(self, data + 6, data);
	icmp[0] = ECHO_REPLY;
	checksum(icmp, icmp, octets);
	return f->end;
}

uint16_t
drv_icmp6_answer(const struct drv_self *self, const struct drv_frame *f, uint8_t *data,
		 struct drv_news *news)
{
	const uint8_t *icmp = data + f->l4;
	uint16_t octets = (uint16_t)(f->end - f->l4);

	news->is_news = false;
	if (octets < 8 || icmp[1] != 0 ||
	    drv_frame_checksum(data + f->l3, DP_FAMILY_IP6, PROTOCOL_ICMP6, icmp, octets) != 0)
		return 0;
	if (icmp[0] == ECHO_REQUEST)
		return echo(self, f, data);
	if (f->hop_limit != ND_HOPS)
		return 0;
	if (icmp[0] == SOLICITATION)
		return solicitation(self, f, data, news);
	if (icmp[0] == ADVERTISEMENT)
		advertisement(self, f, data, news);
	return 0;
}
