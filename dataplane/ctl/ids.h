/* Ids that clients chose → index of our table. Open addressing, grows never: made for the most there can be. */
#ifndef DP_CTL_IDS_H
#define DP_CTL_IDS_H

#include <stddef.h>
#include <stdint.h>

#define DP_IDS_NONE UINT32_MAX

struct dp_ids_cell {
	uint32_t id; /* 0: empty */
	uint32_t index;
};

struct dp_ids {
	uint32_t mask;
	uint32_t count;
	struct dp_ids_cell *cells;
};

/* 0 or -ENOMEM; room for max ids. */
int dp_ids_init(struct dp_ids *ids, uint32_t max);
void dp_ids_fini(struct dp_ids *ids);

/* The index of id, DP_IDS_NONE when unknown. id 0 is never known. */
uint32_t dp_ids_get(const struct dp_ids *ids, uint32_t id);

/* id is not 0 and not known yet; the caller keeps to max. */
void dp_ids_put(struct dp_ids *ids, uint32_t id, uint32_t index);
void dp_ids_remove(struct dp_ids *ids, uint32_t id);

/* Lists in pages: the n lowest ids above after for which may(arg, index) holds, ascending. Returns how many. */
uint32_t dp_ids_page(const struct dp_ids *ids, uint32_t after, uint32_t *out, uint32_t n,
		     int (*may)(void *arg, uint32_t index), void *arg);

#endif
