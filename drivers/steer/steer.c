/* Steering rules: one rte_flow rule for each port mask of each queue and IP version. */
#include "drivers/steer/steer.h"

#include <errno.h>
#include <stdlib.h>
#include <rte_flow.h>

struct drv_steer {
	uint16_t device;
	unsigned count;
	struct rte_flow *rules[DRV_STEER_RULES_MAX];
};

unsigned
drv_steer_masks(uint16_t first, uint32_t count, struct drv_steer_mask out[DRV_STEER_MASKS_MAX])
{
	uint32_t at = first, end = first + count;
	unsigned n = 0;

	while (at < end && n < DRV_STEER_MASKS_MAX) {
		uint32_t size = 1;

		/* The largest block that begins here: aligned to its size and inside. */
		while (at % (size * 2) == 0 && at + size * 2 <= end)
			size *= 2;
		out[n++] = (struct drv_steer_mask){.value = (uint16_t)at,
						   .mask = (uint16_t) ~(size - 1)};
		at += size;
	}
	return n;
}

static struct rte_flow *
rule(const struct drv_steer_conf *conf, bool is_ip6, uint16_t queue,
     const struct drv_steer_mask *mask)
{
	const struct rte_flow_attr attr = {.ingress = 1};
	const struct rte_flow_item_udp udp_spec = {.hdr.dst_port = rte_cpu_to_be_16(mask->value)};
	const struct rte_flow_item_udp udp_mask = {.hdr.dst_port = rte_cpu_to_be_16(mask->mask)};
	const struct rte_flow_item_vlan vlan_spec = {.tci = rte_cpu_to_be_16(conf->vlan)};
	const struct rte_flow_item_vlan vlan_mask = {.tci = RTE_BE16(0x0fff)};
	const struct rte_flow_action_queue to = {.index = queue};
	const struct rte_flow_action actions[] = {
		{.type = RTE_FLOW_ACTION_TYPE_QUEUE, .conf = &to},
		{.type = RTE_FLOW_ACTION_TYPE_END},
	};
	const struct rte_flow_item pattern[] = {
		{.type = RTE_FLOW_ITEM_TYPE_ETH},
		{.type = conf->vlan ? RTE_FLOW_ITEM_TYPE_VLAN : RTE_FLOW_ITEM_TYPE_VOID,
		 .spec = conf->vlan ? &vlan_spec : NULL,
		 .mask = conf->vlan ? &vlan_mask : NULL},
		{.type = is_ip6 ? RTE_FLOW_ITEM_TYPE_IPV6 : RTE_FLOW_ITEM_TYPE_IPV4},
		{.type = RTE_FLOW_ITEM_TYPE_UDP, .spec = &udp_spec, .mask = &udp_mask},
		{.type = RTE_FLOW_ITEM_TYPE_END},
	};
	struct rte_flow_error error;

	if (rte_flow_validate(conf->device, &attr, pattern, actions, &error) != 0)
		return NULL;
	return rte_flow_create(conf->device, &attr, pattern, actions, &error);
}

static bool
queue_rules(struct drv_steer *s, const struct drv_steer_conf *conf, bool is_ip6, uint16_t queue)
{
	struct drv_steer_mask masks[DRV_STEER_MASKS_MAX];
	uint16_t first = (uint16_t)(conf->port_base + queue * conf->ports_per_queue);
	unsigned n = drv_steer_masks(first, conf->ports_per_queue, masks);

	for (unsigned i = 0; i < n; i++) {
		if (s->count == DRV_STEER_RULES_MAX)
			return false;
		s->rules[s->count] = rule(conf, is_ip6, queue, &masks[i]);
		if (s->rules[s->count] == NULL)
			return false;
		s->count++;
	}
	return true;
}

int
drv_steer_install(struct drv_steer **out, const struct drv_steer_conf *conf)
{
	struct drv_steer *s = calloc(1, sizeof(*s));
	bool is_done = true;

	if (s == NULL)
		return -ENOMEM;
	s->device = conf->device;
	for (uint16_t q = 0; is_done && q < conf->queues; q++)
		is_done = (!conf->ip4 || queue_rules(s, conf, false, q)) &&
			  (!conf->ip6 || queue_rules(s, conf, true, q));
	if (!is_done) {
		drv_steer_remove(s);
		return -ENOTSUP;
	}
	*out = s;
	return 0;
}

void
drv_steer_remove(struct drv_steer *steer)
{
	struct rte_flow_error error;

	if (steer == NULL)
		return;
	while (steer->count > 0)
		rte_flow_destroy(steer->device, steer->rules[--steer->count], &error);
	free(steer);
}
