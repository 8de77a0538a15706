/* The media clock's slots. */
#include "dataplane/worker/wheel.h"

size_t
dp_wheel_octets(uint32_t confs_max)
{
	return (size_t)DP_WHEEL_SLOTS * confs_max * sizeof(uint32_t);
}

void
dp_wheel_init(struct dp_wheel *wheel, uint32_t confs_max, uint64_t start_ns, void *memory)
{
	*wheel = (struct dp_wheel){.start_ns = start_ns};
	for (unsigned s = 0; s < DP_WHEEL_SLOTS; s++)
		wheel->slot[s] = (uint32_t *)memory + (size_t)s * confs_max;
}

uint32_t
dp_wheel_add(struct dp_wheel *wheel, uint32_t conf, uint32_t *at)
{
	uint32_t best = 0;

	for (uint32_t s = 1; s < DP_WHEEL_SLOTS; s++)
		if (wheel->load[s] < wheel->load[best] ||
		    (wheel->load[s] == wheel->load[best] && wheel->count[s] < wheel->count[best]))
			best = s;
	*at = wheel->count[best]++;
	wheel->slot[best][*at] = conf;
	wheel->total++;
	return best;
}

void
dp_wheel_remove(struct dp_wheel *wheel, uint32_t slot, uint32_t at, uint32_t *moved)
{
	uint32_t last = --wheel->count[slot];

	*moved = at == last ? UINT32_MAX : wheel->slot[slot][last];
	wheel->slot[slot][at] = wheel->slot[slot][last];
	wheel->total--;
}

uint64_t
dp_wheel_catch_up(struct dp_wheel *wheel, uint64_t now_ns)
{
	uint64_t due_ns = dp_wheel_due_ns(wheel), periods;

	if (now_ns < due_ns + DP_WHEEL_STALL_NS)
		return 0;
	periods = (now_ns - due_ns) / (DP_WHEEL_SLOTS * DP_WHEEL_SLOT_NS);
	wheel->step += periods * DP_WHEEL_SLOTS;
	return periods;
}
