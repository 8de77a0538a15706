/* A chained hash table of nodes that stand inside the caller's structs. */
#ifndef CP_BASE_MAP_H
#define CP_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Part of the caller's struct; get back to it with CP_CONTAINER. */
struct cp_map_node {
	struct cp_map_node *next;
	uint32_t hash;
};

struct cp_map {
	struct cp_map_node **buckets;
	size_t bucket_count; /* power of two */
	size_t count;
};

#define CP_CONTAINER(node, type, member) ((type *)((char *)(node)-offsetof(type, member)))

typedef bool (*cp_map_is_fn)(const struct cp_map_node *node, const void *key);

int cp_map_init(struct cp_map *map);  /* -ENOMEM */
void cp_map_fini(struct cp_map *map); /* the nodes are the caller's */
/* Grows when it can; never fails. */
void cp_map_put(struct cp_map *map, struct cp_map_node *node, uint32_t hash);
void cp_map_drop(struct cp_map *map, struct cp_map_node *node);
struct cp_map_node *cp_map_find(const struct cp_map *map, uint32_t hash, cp_map_is_fn is,
				const void *key);

#endif
