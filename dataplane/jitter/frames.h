/* Frame blocks and slots, as put and get both handle them. For dataplane/jitter alone. */
#ifndef DP_JITTER_FRAMES_H
#define DP_JITTER_FRAMES_H

#include <stdbool.h>
#include <stdint.h>
#include "dataplane/jitter/jitter_state.h"

#define DP_JBUF_TICK_US 20000

static inline struct dp_frame *
dp_frame_at(const struct dp_frame_pool *pool, uint32_t block)
{
	const struct dp_frame_class *class = block & DP_JBUF_BIG ? &pool->big : &pool->small;

	return (struct dp_frame *)(class->blocks +
				   (size_t)((block & ~DP_JBUF_BIG) - 1) * class->octets);
}

/* A block for a payload of len octets, or NO_BLOCK. Small payloads take a big block when the small ones are gone. */
static inline uint32_t
dp_frame_take(struct dp_frame_pool *pool, uint32_t len)
{
	if (len <= DP_JBUF_SMALL_MAX && pool->small.free_count > 0)
		return pool->small.free[--pool->small.free_count];
	return pool->big.free_count > 0 ? pool->big.free[--pool->big.free_count] : DP_JBUF_NO_BLOCK;
}

static inline void
dp_frame_give(struct dp_frame_pool *pool, uint32_t block)
{
	struct dp_frame_class *class = block & DP_JBUF_BIG ? &pool->big : &pool->small;

	class->free[class->free_count++] = block;
}

static inline uint32_t *
dp_jbuf_slot(struct dp_jbuf *jb, uint16_t seq)
{
	return &jb->slot[seq % DP_JBUF_SLOTS];
}

/* Leave the lowest sequence number behind; came: whether it was here. */
static inline void
dp_jbuf_pass(struct dp_jbuf *jb, bool came)
{
	*dp_jbuf_slot(jb, jb->next_seq) = DP_JBUF_NO_BLOCK;
	jb->seen = jb->seen << 1 | came;
	jb->next_seq++;
}

/* Slack moves by us: we play later (positive) or earlier than before. */
static inline void
dp_jbuf_move(struct dp_jbuf *jb, int64_t us)
{
	jb->low_us += (int32_t)us;
	jb->mean_us += (int32_t)us;
	jb->moved_us += us;
}

/* A held frame leaves for the given reason, or as played when a part of it was handed out. Its slot is the caller's. */
void dp_jbuf_let_go(struct dp_jbuf *jb, struct dp_frame_pool *pool, uint32_t block,
		    enum dp_drop reason);

/*
 * The first held frame in order of sequence: its block and *seq; NO_BLOCK when none is held. *is_lost: sequence
 * numbers before it are missing. Leading numbers without sound are passed.
 */
uint32_t dp_jbuf_head(struct dp_jbuf *jb, uint16_t *seq, bool *is_lost);

/* Pass all sequence numbers up to and with seq, which is not below next_seq; frames held there leave for the reason. */
void dp_jbuf_pass_to(struct dp_jbuf *jb, struct dp_frame_pool *pool, uint16_t seq,
		     enum dp_drop reason);

/* Frames that end at or before ts leave for the reason. */
void dp_jbuf_pass_time(struct dp_jbuf *jb, struct dp_frame_pool *pool, uint32_t ts,
		       enum dp_drop reason);

/* Forget the block that concealment goes on from. */
void dp_jbuf_forget_last(struct dp_jbuf *jb, struct dp_frame_pool *pool);

/* The stream begins anew: held frames leave as JBUF_RESET; the next packet starts it. What was learned of jitter stays. */
void dp_jbuf_restart(struct dp_jbuf *jb, struct dp_frame_pool *pool);

#endif
