/* A chained hash table; grows at one node a bucket. */
#include "ctrlplane/base/map.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_BUCKETS 64

int
cp_map_init(struct cp_map *map)
{
	map->count = 0;
	map->bucket_count = FIRST_BUCKETS;
	map->buckets = calloc(FIRST_BUCKETS, sizeof(map->buckets[0]));
	return map->buckets ? 0 : -ENOMEM;
}

void
cp_map_fini(struct cp_map *map)
{
	free(map->buckets);
	map->buckets = NULL;
	map->bucket_count = map->count = 0;
}

static void
insert(struct cp_map *map, struct cp_map_node *node)
{
	struct cp_map_node **bucket = &map->buckets[node->hash & (map->bucket_count - 1)];

	node->next = *bucket;
	*bucket = node;
}

/* Twice the buckets; when memory is short the chains just get longer. */
static void
grow(struct cp_map *map)
{
	struct cp_map bigger = {.bucket_count = map->bucket_count * 2, .count = map->count};

	bigger.buckets = calloc(bigger.bucket_count, sizeof(bigger.buckets[0]));
	if (bigger.buckets == NULL)
		return;
	for (size_t i = 0; i < map->bucket_count; i++) {
		struct cp_map_node *node = map->buckets[i], *next;

		for (; node != NULL; node = next) {
			next = node->next;
			insert(&bigger, node);
		}
	}
	free(map->buckets);
	*map = bigger;
}

void
cp_map_put(struct cp_map *map, struct cp_map_node *node, uint32_t hash)
{
	if (map->count >= map->bucket_count)
		grow(map);
	node->hash = hash;
	insert(map, node);
	map->count++;
}

void
cp_map_drop(struct cp_map *map, struct cp_map_node *node)
{
	struct cp_map_node **link = &map->buckets[node->hash & (map->bucket_count - 1)];

	for (; *link != NULL; link = &(*link)->next) {
		if (*link == node) {
			*link = node->next;
			node->next = NULL;
			map->count--;
			return;
		}
	}
}

struct cp_map_node *
cp_map_find(const struct cp_map *map, uint32_t hash, cp_map_is_fn is, const void *key)
{
	struct cp_map_node *node = map->buckets[hash & (map->bucket_count - 1)];

	for (; node != NULL; node = node->next)
		if (node->hash == hash && is(node, key))
			return node;
	return NULL;
}
