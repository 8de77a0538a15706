/*
 * Neighbours of one port: IP address to MAC address, of bounded size, with expiry. One table for all queues: lookups take
 * no lock (a sequence count in each entry), changes take a spinlock and are rare.
 */
#ifndef DRV_NEIGH_TABLE_H
#define DRV_NEIGH_TABLE_H

#include "drivers/neigh/answer.h"

#define DRV_NEIGH_REACHABLE_NS 30000000000u /* then a question goes out beside the packets */
#define DRV_NEIGH_STALE_NS 120000000000u    /* then the answer is needed first */
#define DRV_NEIGH_RETRY_NS 1000000000u
#define DRV_NEIGH_HOLD_NS 3000000000u /* how long a packet waits for an answer */

struct drv_neigh;

/* capacity is rounded up to a power of two; NULL: no memory. */
struct drv_neigh *drv_neigh_create(uint32_t capacity);
void drv_neigh_destroy(struct drv_neigh *table);

struct drv_neigh_answer {
	bool is_known;	 /* mac is right */
	bool has_to_ask; /* send a question now; the next is due in a second */
	uint8_t mac[6];
};

/* addr's port does not count. An unknown address gets an entry, so that questions are paced. */
void drv_neigh_lookup(struct drv_neigh *table, const struct dp_addr *addr, uint64_t now_ns,
		      struct drv_neigh_answer *out);

void drv_neigh_learn(struct drv_neigh *table, const struct drv_news *news, uint64_t now_ns);

/* Entries whose address is known and not expired. */
uint32_t drv_neigh_count(const struct drv_neigh *table, uint64_t now_ns);

#endif
