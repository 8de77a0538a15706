/* Frames in and out, and the answers of a host: ARP, ping, neighbour discovery. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "drivers/neigh/answer.h"
#include "drivers/neigh/frame.h"
#include "tests/fake/frames.h"

static const uint8_t our_mac[6] = {0x02, 0xbb, 0, 0, 0, 7};

static struct drv_self
self_make(uint16_t vlan)
{
	struct drv_self self = {.vlan = vlan, .count = 2};

	memcpy(self.mac, our_mac, 6);
	self.addrs[0].family = DP_FAMILY_IP4;
	memcpy(self.addrs[0].ip, ip4_ours, 4);
	self.addrs[1].family = DP_FAMILY_IP6;
	memcpy(self.addrs[1].ip, ip6_ours, 16);
	return self;
}

static struct drv_frame
parse(uint16_t vlan, const uint8_t *data, unsigned size, unsigned checks)
{
	struct drv_self self = self_make(vlan);
	struct drv_frame f;

	drv_frame_parse(&f, &self, data, (uint16_t)size, checks);
	return f;
}

static void
udp_comes_in_with_and_without_tag(void **state)
{
	for (int version = 4; version <= 6; version += 2) {
		for (unsigned vlan = 0; vlan <= 42; vlan += 42) {
			uint8_t data[256] = {0};
			unsigned n = udp_frame(data, our_mac, vlan, version, 22010, "payload");
			struct drv_frame f =
				parse((uint16_t)vlan, data, n + 11, 0); /* padding behind */

			assert_int_equal(f.kind, DRV_FRAME_UDP);
			assert_int_equal(f.family, version);
			assert_int_equal(f.local_index, version == 6);
			assert_int_equal(f.local_port, 22010);
			assert_int_equal(f.peer.port, 5004);
			assert_int_equal(f.peer.family, version);
			assert_memory_equal(f.peer.ip, version == 6 ? ip6_peer : ip4_peer,
					    version == 6 ? 16 : 4);
			assert_int_equal(f.end - f.payload, 7);
			assert_memory_equal(data + f.payload, "payload", 7);
			assert_int_equal(parse(vlan ? 0 : 42, data, n, 0).kind, DRV_FRAME_FOREIGN);
			assert_int_equal(parse(43, data, n, 0).kind, DRV_FRAME_FOREIGN);
		}
	}
}

static void
priority_tag_is_no_vlan(void **state)
{
	uint8_t data[256];
	unsigned n = udp_frame(data, our_mac, 0xa000, 4, 22010, "x"); /* priority 5, id 0 */

	assert_int_equal(parse(0, data, n, 0).kind, DRV_FRAME_UDP);
}

/* Every octet that a checksum or a length covers, every bit of it. */
static void
damage_is_found(void **state)
{
	for (int version = 4; version <= 6; version += 2) {
		uint8_t data[256];
		unsigned n = udp_frame(data, our_mac, 0, version, 22010, "seven77");

		for (unsigned at = version == 6 ? 22 : 14; at < n; at++) {
			for (unsigned bit = 0; bit < 8; bit++) {
				data[at] ^= (uint8_t)(1u << bit);
				assert_int_not_equal(parse(0, data, n, 0).kind, DRV_FRAME_UDP);
				data[at] ^= (uint8_t)(1u << bit);
			}
		}
		assert_int_equal(parse(0, data, n, 0).kind, DRV_FRAME_UDP);
	}
}

static void
checksums_may_be_the_devices_or_none(void **state)
{
	uint8_t data[256], *ip = data + 14;
	unsigned n = udp_frame(data, our_mac, 0, 4, 22010, "text");
	uint32_t partial = slow_sum(17 + 12, ip + 12, 8);

	put16(data + 40, 0x1234);
	assert_int_equal(parse(0, data, n, 0).kind, DRV_FRAME_BAD_CHECKSUM);
	assert_int_equal(parse(0, data, n, DRV_FRAME_UDP_IS_GOOD).kind, DRV_FRAME_UDP);
	assert_int_equal(parse(0, data, n, DRV_FRAME_MAY_BE_PARTIAL).kind, DRV_FRAME_BAD_CHECKSUM);
	put16(data + 40, partial);
	assert_int_equal(parse(0, data, n, 0).kind, DRV_FRAME_BAD_CHECKSUM);
	assert_int_equal(parse(0, data, n, DRV_FRAME_MAY_BE_PARTIAL).kind, DRV_FRAME_UDP);
	put16(data + 40, 0); /* none: IPv4 may */
	assert_int_equal(parse(0, data, n, 0).kind, DRV_FRAME_UDP);
	put16(data + 24, 0x1234);
	assert_int_equal(parse(0, data, n, 0).kind, DRV_FRAME_BAD_CHECKSUM);
	assert_int_equal(parse(0, data, n, DRV_FRAME_IP_IS_GOOD).kind, DRV_FRAME_UDP);
	n = udp_frame(data, our_mac, 0, 6, 22010, "text");
	put16(data + 60, 0); /* IPv6 may not */
	assert_int_equal(parse(0, data, n, 0).kind, DRV_FRAME_BAD_CHECKSUM);
}

static void
what_is_not_for_us_has_its_kind(void **state)
{
	static const uint8_t other_mac[6] = {0x02, 0xcc};
	uint8_t data[256];
	unsigned n = udp_frame(data, other_mac, 0, 4, 22010, "x");

	assert_int_equal(parse(0, data, n, 0).kind, DRV_FRAME_FOREIGN);
	n = udp_frame(data, our_mac, 0, 4, 22010, "x");
	put16(data + 20, 0x2000); /* more fragments */
	assert_int_equal(parse(0, data, n, DRV_FRAME_IP_IS_GOOD).kind, DRV_FRAME_FRAGMENT);
	put16(data + 20, 0x0001); /* offset */
	assert_int_equal(parse(0, data, n, DRV_FRAME_IP_IS_GOOD).kind, DRV_FRAME_FRAGMENT);
	put16(data + 20, 0x4000); /* do not fragment: a whole packet */
	assert_int_equal(parse(0, data, n, DRV_FRAME_IP_IS_GOOD).kind, DRV_FRAME_UDP);
	data[23] = 6;
	assert_int_equal(parse(0, data, n, DRV_FRAME_IP_IS_GOOD).kind, DRV_FRAME_OTHER);
	n = udp_frame(data, our_mac, 0, 6, 22010, "x");
	data[20] = 44;
	assert_int_equal(parse(0, data, n, 0).kind, DRV_FRAME_FRAGMENT);
	data[20] = 0;
	assert_int_equal(parse(0, data, n, 0).kind, DRV_FRAME_OTHER);
	put16(data + 12, 0x88cc);
	assert_int_equal(parse(0, data, n, 0).kind, DRV_FRAME_OTHER);
}

/* The block has exactly the frame's size: a sanitizer sees the first octet read beyond. */
static void
no_truncation_passes_or_reads_beyond(void **state)
{
	for (int which = 0; which < 5; which++) {
		uint8_t data[256];
		unsigned n = which < 2
				     ? udp_frame(data, our_mac, 42, which ? 6 : 4, 22010, "payload")
			     : which < 4 ? echo_frame(data, our_mac, 42, which == 3 ? 6 : 4)
					 : arp_frame(data, 42, 1, ip4_ours);

		for (unsigned size = 0; size < n; size++) {
			uint8_t *copy = malloc(size ? size : 1);
			struct drv_frame f;

			memcpy(copy, data, size);
			f = parse(42, copy, size, 0);
			assert_int_not_equal(f.kind, DRV_FRAME_UDP);
			if (which < 4)
				assert_true(f.kind == DRV_FRAME_MALFORMED || size < 18);
			free(copy);
		}
	}
}

static void
made_frames_are_what_is_parsed(void **state)
{
	for (int version = 4; version <= 6; version += 2) {
		for (uint16_t vlan = 0; vlan <= 42; vlan += 42) {
			for (uint16_t size = 0; size < 64; size++) {
				struct drv_self self = self_make(vlan);
				struct dp_addr local = self.addrs[version == 6],
					       peer = {.family = (uint8_t)version, .port = 5004};
				struct drv_frame_udp udp = {
					.local = &local, .peer = &peer, .dscp = 46, .octets = size};
				uint16_t head = drv_frame_udp_head(&self, (uint8_t)version);
				uint8_t data[256];
				struct drv_frame f;
				const uint8_t *ip;

				/* Sent to ourselves, so that we can take it in. */
				memcpy(peer.ip, local.ip, 16);
				memcpy(udp.mac, our_mac, 6);
				local.port = 22010;
				for (unsigned i = 0; i < size; i++)
					data[head + i] = (uint8_t)(i * 37 + size);
				drv_frame_udp_encode(&self, &udp, data);
				f = parse(vlan, data, head + size, 0);
				assert_int_equal(f.kind, DRV_FRAME_UDP);
				assert_int_equal(f.payload, head);
				assert_int_equal(f.end, head + size);
				assert_int_equal(f.local_port, 5004);
				assert_int_equal(f.peer.port, 22010);
				ip = data + f.l3;
				assert_int_equal(l4_sum(ip, 17, data + f.l4, 8u + size), 0xffff);
				assert_int_equal(version == 6 ? (ip[0] & 15) << 4 | ip[1] >> 4
							      : ip[1],
						 46 << 2);
			}
		}
	}
}

static unsigned
answer(uint8_t *data, unsigned n, struct drv_news *news)
{
	struct drv_self self = self_make(0);
	struct drv_frame f = parse(0, data, n, 0);

	news->is_news = false;
	if (f.kind == DRV_FRAME_ARP)
		return drv_arp_answer(&self, &f, data, news);
	if (f.kind == DRV_FRAME_ICMP4)
		return drv_icmp4_answer(&self, &f, data);
	if (f.kind == DRV_FRAME_ICMP6)
		return drv_icmp6_answer(&self, &f, data, news);
	return 0;
}

static void
arp_is_answered(void **state)
{
	static const uint8_t other[4] = {192, 0, 2, 99};
	uint8_t data[DRV_FRAME_CONTROL_MAX];
	struct drv_news news;
	unsigned n = answer(data, arp_frame(data, 0, 1, ip4_ours), &news);

	assert_int_equal(n, 42);
	assert_memory_equal(data, peer_mac, 6);
	assert_memory_equal(data + 6, our_mac, 6);
	assert_int_equal(data[21], 2);
	assert_memory_equal(data + 22, our_mac, 6);
	assert_memory_equal(data + 28, ip4_ours, 4);
	assert_memory_equal(data + 32, peer_mac, 6);
	assert_memory_equal(data + 38, ip4_peer, 4);
	assert_true(news.is_news && news.may_create);
	assert_memory_equal(news.mac, peer_mac, 6);
	assert_memory_equal(news.addr.ip, ip4_peer, 4);
	/* For another: no answer, and no new neighbour. */
	assert_int_equal(answer(data, arp_frame(data, 0, 1, other), &news), 0);
	assert_false(news.may_create);
	/* An answer to us: heard, not answered. */
	assert_int_equal(answer(data, arp_frame(data, 0, 2, ip4_ours), &news), 0);
	assert_true(news.is_news);
	/* Somebody claims our address: not believed. */
	n = arp_frame(data, 0, 1, ip4_ours);
	memcpy(data + 28, ip4_ours, 4);
	assert_int_equal(answer(data, n, &news), 42);
	assert_false(news.is_news);
	/* A probe (RFC 5227) is answered and tells nothing. */
	n = arp_frame(data, 0, 1, ip4_ours);
	memset(data + 28, 0, 4);
	assert_int_equal(answer(data, n, &news), 42);
	assert_false(news.is_news);
	/* A group as sender. */
	n = arp_frame(data, 0, 1, ip4_ours);
	data[22] |= 1;
	assert_int_equal(answer(data, n, &news), 0);
	assert_false(news.is_news);
}

static void
ping_is_answered(void **state)
{
	for (int version = 4; version <= 6; version += 2) {
		uint8_t data[256], question[256], *ip = data + 14,
						  *icmp = ip + (version == 6 ? 40 : 20);
		unsigned n = echo_frame(data, our_mac, 0, version);
		struct drv_news news;

		memcpy(question, data, n);
		assert_int_equal(answer(data, n, &news), n);
		assert_memory_equal(data, peer_mac, 6);
		assert_memory_equal(data + 6, our_mac, 6);
		assert_int_equal(icmp[0], version == 6 ? 129 : 0);
		assert_memory_equal(icmp + 4, question + (icmp - data) + 4, 36);
		if (version == 6) {
			assert_memory_equal(ip + 8, ip6_ours, 16);
			assert_memory_equal(ip + 24, ip6_peer, 16);
			assert_int_equal(l4_sum(ip, 58, icmp, 40), 0xffff);
		} else {
			assert_memory_equal(ip + 12, ip4_ours, 4);
			assert_memory_equal(ip + 16, ip4_peer, 4);
			assert_int_equal(slow_sum(0, ip, 20), 0xffff);
			assert_int_equal(slow_sum(0, icmp, 40), 0xffff);
		}
		question[n - 1] ^= 1;
		assert_int_equal(answer(question, n, &news), 0);
	}
}

static void
solicitation_is_answered(void **state)
{
	uint8_t data[256], *ip = data + 14, *icmp = ip + 40;
	struct drv_news news;
	unsigned n = answer(data, nd_frame(data, 135, ip6_ours, 255), &news);

	assert_int_equal(n, 86);
	assert_memory_equal(data, peer_mac, 6);
	assert_memory_equal(data + 6, our_mac, 6);
	assert_int_equal(ip[7], 255);
	assert_memory_equal(ip + 8, ip6_ours, 16);
	assert_memory_equal(ip + 24, ip6_peer, 16);
	assert_int_equal(icmp[0], 136);
	assert_int_equal(icmp[4], 0x60);
	assert_memory_equal(icmp + 8, ip6_ours, 16);
	assert_int_equal(icmp[24], 2);
	assert_memory_equal(icmp + 26, our_mac, 6);
	assert_int_equal(l4_sum(ip, 58, icmp, 32), 0xffff);
	assert_true(news.is_news && news.may_create);
	/* Forwarded from another link. */
	assert_int_equal(answer(data, nd_frame(data, 135, ip6_ours, 254), &news), 0);
	assert_false(news.is_news);
	/* An option of length 0. */
	n = nd_frame(data, 135, ip6_ours, 255);
	icmp[25] = 0;
	put16(icmp + 2, 0);
	put16(icmp + 2, 0xffff & ~l4_sum(ip, 58, icmp, 32));
	assert_int_equal(answer(data, n, &news), 0);
	/* Duplicate address detection: the answer goes to all nodes. */
	n = nd_frame(data, 135, ip6_ours, 255);
	memset(ip + 8, 0, 16);
	icmp[24] = 14; /* no source address option then */
	put16(icmp + 2, 0);
	put16(icmp + 2, 0xffff & ~l4_sum(ip, 58, icmp, 32));
	assert_int_equal(answer(data, n, &news), 86);
	assert_int_equal(ip[24], 0xff);
	assert_int_equal(icmp[4], 0x20);
	assert_int_equal(l4_sum(ip, 58, icmp, 32), 0xffff);
	assert_false(news.is_news);
}

static void
advertisement_is_heard(void **state)
{
	uint8_t data[256], *ip = data + 14;
	struct drv_news news;
	unsigned n = nd_frame(data, 136, ip6_peer, 255);

	memcpy(data, our_mac, 6);
	assert_int_equal(answer(data, n, &news), 0);
	assert_true(news.is_news);
	assert_false(news.may_create);
	assert_memory_equal(news.addr.ip, ip6_peer, 16);
	assert_memory_equal(news.mac, peer_mac, 6);
	n = nd_frame(data, 136, ip6_ours, 255); /* of our own address */
	assert_int_equal(answer(data, n, &news), 0);
	assert_false(news.is_news);
	n = nd_frame(data, 136, ip6_peer, 64);
	memcpy(data, our_mac, 6);
	memcpy(ip + 24, ip6_ours, 16);
	assert_int_equal(answer(data, n, &news), 0);
	assert_false(news.is_news);
}

/* Our own questions and announcements, looked at by another host's parser. */
static void
questions_are_well_formed(void **state)
{
	struct drv_self self = self_make(0), other = self_make(0);
	struct dp_addr target = {.family = DP_FAMILY_IP4};
	uint8_t data[256];
	struct drv_frame f;
	struct drv_news news;
	uint16_t n;

	memcpy(other.mac, peer_mac, 6);
	memcpy(other.addrs[0].ip, ip4_peer, 4);
	memcpy(other.addrs[1].ip, ip6_peer, 16);
	memcpy(target.ip, ip4_peer, 4);
	n = drv_arp_ask(&self, 0, &target, data);
	drv_frame_parse(&f, &other, data, n, 0);
	assert_int_equal(f.kind, DRV_FRAME_ARP);
	assert_int_equal(drv_arp_answer(&other, &f, data, &news), n);
	assert_memory_equal(news.addr.ip, ip4_ours, 4);
	assert_memory_equal(data, our_mac, 6);
	target.family = DP_FAMILY_IP6;
	memcpy(target.ip, ip6_peer, 16);
	n = drv_nd_ask(&self, 1, &target, data);
	drv_frame_parse(&f, &other, data, n, 0);
	assert_int_equal(f.kind, DRV_FRAME_ICMP6);
	assert_int_equal(drv_icmp6_answer(&other, &f, data, &news), n);
	assert_memory_equal(news.addr.ip, ip6_ours, 16);
	assert_memory_equal(data, our_mac, 6);
	n = drv_nd_announce(&self, 1, data);
	drv_frame_parse(&f, &other, data, n, 0);
	assert_int_equal(f.kind, DRV_FRAME_ICMP6);
	assert_int_equal(drv_icmp6_answer(&other, &f, data, &news), 0);
	assert_true(news.is_news);
	assert_memory_equal(news.mac, our_mac, 6);
	n = drv_arp_announce(&self, 0, data);
	drv_frame_parse(&f, &other, data, n, 0);
	assert_int_equal(drv_arp_answer(&other, &f, data, &news), 0);
	assert_memory_equal(news.mac, our_mac, 6);
	n = drv_mld_report(&self, 1, data);
	assert_int_equal(n, 14 + 40 + 8 + 28);
	assert_true(n <= DRV_FRAME_CONTROL_MAX);
	assert_int_equal(l4_sum(data + 14, 58, data + 62, 28), 0xffff);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(udp_comes_in_with_and_without_tag),
		cmocka_unit_test(priority_tag_is_no_vlan),
		cmocka_unit_test(damage_is_found),
		cmocka_unit_test(checksums_may_be_the_devices_or_none),
		cmocka_unit_test(what_is_not_for_us_has_its_kind),
		cmocka_unit_test(no_truncation_passes_or_reads_beyond),
		cmocka_unit_test(made_frames_are_what_is_parsed),
		cmocka_unit_test(arp_is_answered),
		cmocka_unit_test(ping_is_answered),
		cmocka_unit_test(solicitation_is_answered),
		cmocka_unit_test(advertisement_is_heard),
		cmocka_unit_test(questions_are_well_formed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
