/* Arbitrary frames into the ethdev port's parser and its answers. Octet 0: options; the rest: the frame. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "drivers/neigh/answer.h"
#include "drivers/neigh/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FRAME_MAX 2048

static const struct drv_self selves[2] = {
	{.mac = {2, 0xbb, 0, 0, 0, 7},
	 .count = 2,
	 .addrs = {{.family = DP_FAMILY_IP4, .ip = {192, 0, 2, 7}},
		   {.family = DP_FAMILY_IP6, .ip = {0x20, 0x01, 0x0d, 0xb8, [15] = 7}}}},
	{.mac = {2, 0xbb, 0, 0, 0, 7},
	 .vlan = 42,
	 .count = 1,
	 .addrs = {{.family = DP_FAMILY_IP6, .ip = {0x20, 0x01, 0x0d, 0xb8, [15] = 7}}}},
};

static void
require(int holds)
{
	if (!holds)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct drv_neigh *table;
	const struct drv_self *self;
	struct drv_news news = {0};
	struct drv_frame f;
	uint16_t answer = 0, n;
	uint8_t *frame;

	if (size < 1 || size > FRAME_MAX)
		return 0;
	if (table == NULL && (table = drv_neigh_create(64)) == NULL)
		return 0;
	self = &selves[data[0] & 1];
	n = (uint16_t)(size - 1);
	/* Parsing gets a block of exactly the frame's size; answering needs room. */
	frame = malloc(n ? n : 1);
	if (frame == NULL)
		return 0;
	memcpy(frame, data + 1, n);
	drv_frame_parse(&f, self, frame, n, data[0] >> 1);
	frame = realloc(frame, n > DRV_FRAME_CONTROL_MAX ? n : DRV_FRAME_CONTROL_MAX);
	if (frame == NULL)
		return 0;
	require(f.kind <= DRV_FRAME_OTHER);
	if (f.kind == DRV_FRAME_UDP)
		require(f.payload <= f.end && f.end <= n && f.payload >= f.l4 + 8 &&
			f.local_index < self->count);
	if (f.kind == DRV_FRAME_ARP)
		answer = drv_arp_answer(self, &f, frame, &news);
	if (f.kind == DRV_FRAME_ICMP4)
		answer = drv_icmp4_answer(self, &f, frame);
	if (f.kind == DRV_FRAME_ICMP6)
		answer = drv_icmp6_answer(self, &f, frame, &news);
	require(answer <= n || answer <= DRV_FRAME_CONTROL_MAX);
	/* Whatever we send comes from us, and never goes to a group but all nodes. */
	if (answer > 0)
		require(memcmp(frame + 6, self->mac, 6) == 0 &&
			(!(frame[0] & 1) || (frame[0] == 0x33 && frame[5] == 1)));
	if (news.is_news) {
		require(!(news.mac[0] & 1) &&
			drv_self_find(self, news.addr.family, news.addr.ip) < 0);
		drv_neigh_learn(table, &news, 1000000000u);
		require(drv_neigh_count(table, 1000000000u) <= 64);
	}
	free(frame);
	return 0;
}
