/* Packet buffers: one pool a worker; private area struct drv_pkt, LIFO through the lcore's cache.
 */
#ifndef DRV_MEMPOOL_H
#define DRV_MEMPOOL_H

#include <stddef.h>
#include <stdint.h>
#include <rte_mempool.h>

/* Room for a whole Ethernet frame beside the headroom; sockets may read more only when told. */
#define DRV_MEMPOOL_ROOM 2048

struct drv_mempool_conf {
	uint16_t worker;
	uint32_t count; /* best 2^n - 1 */
	uint16_t room;	/* octets besides the headroom; 0: DRV_MEMPOOL_ROOM */
	int node;	/* NUMA node, -1: any */
};

/* 0 or -errno; on failure text says how to mend. Freed by rte_mempool_free when no buffer is out
 * any more. */
int drv_mempool_create(struct rte_mempool **out, const struct drv_mempool_conf *conf, char *text,
		       size_t text_size);

#endif
