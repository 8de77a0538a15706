/* Steering: which queue gets a datagram, by its destination port. rte_flow where the device can; else the caller's hash and hand-off. */
#ifndef DRV_STEER_STEER_H
#define DRV_STEER_STEER_H

#include <stdbool.h>
#include <stdint.h>

#define DRV_STEER_MASKS_MAX 32 /* what 16-bit ranges need at most: 30 */
#define DRV_STEER_RULES_MAX 512

/* Ports p with (p & mask) == value. */
struct drv_steer_mask {
	uint16_t value, mask;
};

/* The fewest masks that cover [first, first + count) and nothing else, by rising value; returns how many. */
unsigned drv_steer_masks(uint16_t first, uint32_t count,
			 struct drv_steer_mask out[DRV_STEER_MASKS_MAX]);

struct drv_steer_conf {
	uint16_t device;
	uint16_t queues;
	uint16_t port_base;
	uint16_t ports_per_queue;
	bool ip4, ip6;
	uint16_t vlan; /* tag in the frame, 0 none */
};

struct drv_steer;

/*
 * All rules or none. 0 or -errno (-ENOTSUP and the like: the device cannot); on success drv_steer_remove takes them away
 * again. The device has been started.
 */
int drv_steer_install(struct drv_steer **out, const struct drv_steer_conf *conf);
void drv_steer_remove(struct drv_steer *steer);

#endif
