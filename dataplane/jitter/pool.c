/* The worker's pool of frame blocks: two classes of size, each a stack of free blocks. */
#include <string.h>
#include "dataplane/jitter/frames.h"

#define ALIGN 64

static size_t
align_up(size_t octets)
{
	return (octets + ALIGN - 1) / ALIGN * ALIGN;
}

size_t
dp_frame_pool_octets(uint32_t small_count, uint32_t big_count)
{
	return align_up(sizeof(struct dp_frame_pool)) +
	       align_up((size_t)small_count * DP_FRAME_SMALL_OCTETS) +
	       align_up((size_t)big_count * DP_FRAME_BIG_OCTETS) +
	       align_up((size_t)small_count * sizeof(uint32_t)) +
	       align_up((size_t)big_count * sizeof(uint32_t));
}

/* Lay a class out at memory; its free blocks lie at free. Block 1 is used first. */
static void
class_init(struct dp_frame_class *class, uint8_t *memory, uint32_t *free, uint32_t count,
	   uint32_t octets)
{
	*class = (struct dp_frame_class){
		.blocks = memory, .free = free, .count = count, .octets = octets};
	for (uint32_t i = count; i > 0; i--)
		free[class->free_count++] = i | (octets == DP_FRAME_BIG_OCTETS ? DP_JBUF_BIG : 0);
}

struct dp_frame_pool *
dp_frame_pool_init(void *memory, uint32_t small_count, uint32_t big_count)
{
	struct dp_frame_pool *pool = memory;
	uint8_t *small = (uint8_t *)memory + align_up(sizeof(*pool));
	uint8_t *big = small + align_up((size_t)small_count * DP_FRAME_SMALL_OCTETS);
	uint8_t *small_free = big + align_up((size_t)big_count * DP_FRAME_BIG_OCTETS);
	uint8_t *big_free = small_free + align_up((size_t)small_count * sizeof(uint32_t));

	memset(pool, 0, sizeof(*pool));
	class_init(&pool->small, small, (uint32_t *)(void *)small_free, small_count,
		   DP_FRAME_SMALL_OCTETS);
	class_init(&pool->big, big, (uint32_t *)(void *)big_free, big_count, DP_FRAME_BIG_OCTETS);
	return pool;
}

uint32_t
dp_frame_pool_used(const struct dp_frame_pool *pool)
{
	return pool->small.count - pool->small.free_count + pool->big.count - pool->big.free_count;
}

const struct dp_jbuf_totals *
dp_frame_pool_totals(const struct dp_frame_pool *pool)
{
	return &pool->totals;
}
