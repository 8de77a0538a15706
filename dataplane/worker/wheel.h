/*
 * The media clock: 20 slots of 1 ms, each with the conferences that tick there every 20 ms. Steps count slots since the clock
 * began: period = step / 20, slot = step % 20.
 */
#ifndef DP_WORKER_WHEEL_H
#define DP_WORKER_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DP_WHEEL_SLOTS 20
#define DP_WHEEL_SLOT_NS 1000000u
#define DP_WHEEL_STALL_NS 200000000u /* later than this: steps are skipped, not made up for */

struct dp_wheel {
	uint64_t start_ns;
	uint64_t step;			/* the next to be done */
	uint32_t count[DP_WHEEL_SLOTS]; /* conferences */
	uint32_t load[DP_WHEEL_SLOTS];	/* legs */
	uint32_t *slot[DP_WHEEL_SLOTS]; /* conference indices, room for all */
	uint32_t total;			/* conferences in the wheel */
};

/* Octets of the lists for confs_max conferences; memory of that size goes into init. */
size_t dp_wheel_octets(uint32_t confs_max);
void dp_wheel_init(struct dp_wheel *wheel, uint32_t confs_max, uint64_t start_ns, void *memory);

/* Put a conference into the least loaded slot; *at is its place there. Returns the slot. */
uint32_t dp_wheel_add(struct dp_wheel *wheel, uint32_t conf, uint32_t *at);

/* Take out the conference at a place; the one that moves there is returned in *moved (UINT32_MAX: none). */
void dp_wheel_remove(struct dp_wheel *wheel, uint32_t slot, uint32_t at, uint32_t *moved);

/* When the next step is due. */
static inline uint64_t
dp_wheel_due_ns(const struct dp_wheel *wheel)
{
	return wheel->start_ns + wheel->step * DP_WHEEL_SLOT_NS;
}

/* After a stall: skip whole periods so that the next step is due at most one period ago. Returns periods skipped. */
uint64_t dp_wheel_catch_up(struct dp_wheel *wheel, uint64_t now_ns);

#endif
