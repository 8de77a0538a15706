/* Packet buffers of a worker. */
#include "drivers/mempool.h"

#include <errno.h>
#include <stdio.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include "drivers/port/port.h"

int
drv_mempool_create(struct rte_mempool **out, const struct drv_mempool_conf *conf, char *text,
		   size_t text_size)
{
	uint16_t room = conf->room ? conf->room : DRV_MEMPOOL_ROOM;
	uint32_t cache = RTE_MEMPOOL_CACHE_MAX_SIZE;
	int node = conf->node < 0 ? SOCKET_ID_ANY : conf->node;
	struct rte_mempool *pool;
	char name[RTE_MEMPOOL_NAMESIZE];

	if (cache * 3 / 2 >= conf->count)
		cache = conf->count / 2;
	snprintf(name, sizeof(name), "packets_%u", conf->worker);
	pool = rte_pktmbuf_pool_create(name, conf->count, cache,
				       RTE_ALIGN(sizeof(struct drv_pkt), RTE_MBUF_PRIV_ALIGN),
				       (uint16_t)(room + RTE_PKTMBUF_HEADROOM), node);
	if (pool == NULL) {
		int error = rte_errno ? rte_errno : ENOMEM;

		snprintf(text, text_size,
			 "packet buffers of worker %u: %u of %u octets do not fit into DPDK's "
			 "memory (%s); raise the memory "
			 "option or lower the number of buffers",
			 conf->worker, conf->count, room, rte_strerror(error));
		return -error;
	}
	*out = pool;
	return 0;
}
