/* Streams that have not said whose they are, in all and by where they come from: one IPv4 address, or one IPv6 network of a subscriber. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctrlplane/stream/stream_state.h"

static void
key_of(uint8_t key[8], const struct dp_addr *from)
{
	memset(key, 0, 8);
	memcpy(key, from->ip, from->family == DP_FAMILY_IP6 ? 8 : 4);
	/* 0.0.0.0/8 is nobody's IPv4 address, and ::/8 nobody's network: they do not meet */
	if (from->family == DP_FAMILY_IP4)
		key[7] = 4;
}

static uint32_t
hash_of(const struct cp_hub *hub, const uint8_t key[8])
{
	uint32_t hash = hub->seed;

	for (int i = 0; i < 8; i++)
		hash = (hash ^ key[i]) * 16777619u;
	return hash ^ hash >> 15;
}

static bool
is_source(const struct cp_map_node *node, const void *key)
{
	return memcmp(CP_CONTAINER(node, const struct cp_source, node)->key, key, 8) == 0;
}

static struct cp_source *
find(const struct cp_hub *hub, const struct dp_addr *from)
{
	struct cp_map_node *node;
	uint8_t key[8];

	key_of(key, from);
	node = cp_map_find(&hub->sources, hash_of(hub, key), is_source, key);
	return node ? CP_CONTAINER(node, struct cp_source, node) : NULL;
}

uint32_t
cp_source_count(const struct cp_hub *hub, const struct dp_addr *from)
{
	const struct cp_source *source = find(hub, from);

	return source ? source->count : 0;
}

struct cp_stream *
cp_source_oldest(const struct cp_hub *hub, const struct dp_addr *from)
{
	const struct cp_source *source = find(hub, from);

	return source ? TAILQ_FIRST(&source->streams) : NULL;
}

int
cp_source_join(struct cp_stream *s)
{
	struct cp_hub *hub = s->hub;
	struct cp_source *source = find(hub, &s->remote);

	if (!source) {
		source = calloc(1, sizeof(*source));
		if (!source)
			return -ENOMEM;
		key_of(source->key, &s->remote);
		TAILQ_INIT(&source->streams);
		cp_map_put(&hub->sources, &source->node, hash_of(hub, source->key));
	}
	source->count++;
	TAILQ_INSERT_TAIL(&source->streams, s, by_source);
	TAILQ_INSERT_TAIL(&hub->half, s, half);
	hub->half_count++;
	s->source = source;
	s->since_ms = hub->now_ms;
	return 0;
}

void
cp_source_leave(struct cp_stream *s)
{
	struct cp_source *source = s->source;

	if (!source)
		return;
	s->source = NULL;
	TAILQ_REMOVE(&source->streams, s, by_source);
	TAILQ_REMOVE(&s->hub->half, s, half);
	s->hub->half_count--;
	if (--source->count == 0) {
		cp_map_drop(&s->hub->sources, &source->node);
		free(source);
	}
}
