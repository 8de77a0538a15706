/*
 * Receiving: RFC 3711 3.3 and 3.4, RFC 7714 8 and 9, across a burst.
 *
 * Tags of AES-CM packets are computed ahead for the whole batch, each for the key and ROC that its context suggests now. Then the
 * packets are settled one by one in their order: what was computed ahead is used where it is still what the context asks for, and computed
 * anew where an earlier packet of the batch changed the answer. So a batch has the outcome of its packets one after the other.
 */
#include "dataplane/srtp/srtp.h"

#include "dataplane/api/drops.h"
#include "dataplane/srtp/engine_state.h"
#include "dataplane/srtp/index_state.h"
#include "dataplane/srtp/slot_state.h"

#define E_FLAG (1U << 31) /* SRTCP: encrypted */

/* A packet as one key would have it. */
struct view {
	uint32_t ssrc;
	uint32_t body; /* octets of the packet inside */
	uint32_t tag_at;
	uint32_t hash_len; /* AES-CM: octets under the tag, without the ROC */
	uint32_t roc;	   /* what is authenticated behind them; SRTCP: 0 */
	uint32_t word;	   /* SRTCP: E flag and index */
	int stream;	   /* row of the context's table, -1: a new SSRC */
	uint64_t index;
	bool is_plain;
};

static inline int
find_stream(const struct dp_srtp_rx *rx, uint32_t ssrc)
{
	for (int i = 0; i < rx->stream_count; i++)
		if (rx->stream[i].ssrc == ssrc)
			return i;
	return -1;
}

static inline int
find_rtcp(const struct dp_srtp_rx *rx, uint32_t ssrc)
{
	for (int i = 0; i < rx->rtcp_count; i++)
		if (rx->rtcp[i].ssrc == ssrc)
			return i;
	return -1;
}

/* Where its parts are: payload, MKI, tag; with GCM payload, tag, MKI; SRTCP has its index before the MKI. */
static inline enum dp_drop
lay_out(struct view *v, const struct dp_srtp_op *op, const struct dp_srtp_slot *slot, bool is_rtcp)
{
	bool is_gcm = dp_srtp_suite_is_gcm(slot->suite);
	uint32_t tag = dp_srtp_suite_tag(slot->suite, is_rtcp);
	uint32_t trailer = tag + slot->mki_len + (is_rtcp ? 4 : 0);
	uint32_t head = is_rtcp ? 8 : op->header_len;
	uint32_t mki_at;

	if (op->len < head + trailer || head < (is_rtcp ? 8 : 12))
		return DP_DROP_SRTP_SHORT;
	v->body = op->len - trailer;
	v->tag_at = is_gcm ? v->body : op->len - tag;
	v->hash_len = v->body + (is_rtcp ? 4 : 0);
	v->is_plain = slot->flags & (is_rtcp ? DP_SRTP_SLOT_RTCP_PLAIN : DP_SRTP_SLOT_RTP_PLAIN);
	mki_at = op->len - slot->mki_len - (is_gcm ? 0 : tag);
	if (is_rtcp)
		v->word = dp_srtp_get32(op->data + mki_at - 4);
	if (slot->mki_len && memcmp(op->data + mki_at, slot->key->mki, slot->mki_len) != 0)
		return DP_DROP_SRTP_NO_KEY;
	return DP_DROP_NONE;
}

/* May the context take this packet under this key, if the tag is right? Changes nothing. */
static inline enum dp_drop
may_take(struct view *v, const struct dp_srtp_rx *rx, const struct dp_srtp_slot *slot,
	 const struct dp_srtp_op *op, bool is_rtcp)
{
	bool is_fresh = slot->flags & DP_SRTP_SLOT_FRESH;
	enum dp_drop drop;

	if (slot->key == NULL)
		return DP_DROP_SRTP_NO_KEY;
	drop = lay_out(v, op, slot, is_rtcp);
	if (drop != DP_DROP_NONE)
		return drop;
	if (slot->flags & DP_SRTP_SLOT_GONE)
		return DP_DROP_SRTP_LIFETIME;
	v->ssrc = is_rtcp ? dp_srtp_get32(op->data + 4) : op->ssrc;
	v->stream = is_fresh ? -1 : is_rtcp ? find_rtcp(rx, v->ssrc) : find_stream(rx, v->ssrc);
	if (v->stream < 0 && !is_fresh &&
	    (is_rtcp ? rx->rtcp_count : rx->stream_count) == DP_SRTP_STREAMS)
		return DP_DROP_SRTP_SSRC_LIMIT;
	if (is_rtcp) {
		if (!(v->word & E_FLAG) != v->is_plain)
			return DP_DROP_SRTP_PLAIN;
		v->index = v->word & ~E_FLAG;
		v->roc = 0;
		return v->stream < 0 ? DP_DROP_NONE
				     : dp_srtp_window_may(rx->rtcp[v->stream].seen,
							  rx->rtcp[v->stream].index, v->index);
	} else {
		const struct dp_srtp_rx_stream *stream =
			v->stream < 0 ? NULL : &rx->stream[v->stream];

		v->index = dp_srtp_index_estimate(stream, op->seq);
		v->roc = (uint32_t)(v->index >> 16);
		return dp_srtp_rx_may(stream, v->index);
	}
}

/* The ROC is authenticated behind the packet: it lies there, on MKI or tag, while the hash runs. */
static inline void
lay_roc(const struct dp_srtp_op *op, const struct view *v, uint8_t under[4])
{
	memcpy(under, op->data + v->hash_len, 4);
	dp_srtp_put32(op->data + v->hash_len, v->roc);
}

/* Computes ahead the tag of op under the first key that may take it. */
static inline void
guess(struct dp_srtp_engine *e, const struct dp_srtp_op *op, unsigned i, bool is_rtcp)
{
	const struct dp_srtp_rx *rx = op->ctx;
	const struct dp_srtp_slot *slot = &rx->current;
	struct dp_srtp_guess *g = &e->guess[i];
	struct view v;
	enum dp_drop drop = may_take(&v, rx, slot, op, is_rtcp);

	if (drop != DP_DROP_NONE && rx->has_others) {
		slot = &rx->next;
		drop = may_take(&v, rx, slot, op, is_rtcp);
		if (drop != DP_DROP_NONE) {
			slot = &rx->previous;
			drop = may_take(&v, rx, slot, op, is_rtcp);
		}
	}
	g->key = NULL;
	if (drop != DP_DROP_NONE || dp_srtp_suite_is_gcm(slot->suite))
		return;
	g->key = slot->key;
	g->roc = v.roc;
	if (!is_rtcp)
		lay_roc(op, &v, g->under);
	e->hash_of[i] = (uint8_t)e->hashes;
	dp_srtp_fill_hash(&e->hash[e->hashes++], dp_srtp_session_at(slot->key, is_rtcp), op->data,
			  v.hash_len + (is_rtcp ? 0 : 4));
}

/* Takes the ROC off the packet again. */
static inline void
lift_roc(struct dp_srtp_engine *e, const struct dp_srtp_op *op, unsigned i)
{
	const struct dp_srtp_guess *g = &e->guess[i];

	if (g->key)
		memcpy((uint8_t *)(uintptr_t)e->hash[e->hash_of[i]].src +
			       e->hash[e->hash_of[i]].msg_len_to_hash_in_bytes - 4,
		       g->under, 4);
}

static __attribute__((noinline)) void
hash_alone(struct dp_srtp_engine *e, const struct dp_srtp_op *op, const struct view *v,
	   const struct dp_srtp_cm *cm, uint8_t tag[16], bool is_rtcp)
{
	uint8_t under[4];

	if (!is_rtcp)
		lay_roc(op, v, under);
	dp_srtp_fill_hash(&e->lone, cm, op->data, v->hash_len + (is_rtcp ? 0 : 4));
	e->lone.auth_tag_output = tag;
	IMB_SUBMIT_HASH_BURST_NOCHECK(e->mgr, &e->lone, 1, IMB_AUTH_HMAC_SHA_1);
	if (!is_rtcp)
		memcpy(op->data + v->hash_len, under, 4);
}

static inline bool
is_cm_authentic(struct dp_srtp_engine *e, const struct dp_srtp_op *op, unsigned i,
		const struct view *v, const struct dp_srtp_slot *slot, bool is_rtcp)
{
	const struct dp_srtp_guess *g = &e->guess[i];
	const uint8_t *at = op->data + v->tag_at;
	uint8_t alone[16];
	const uint8_t *tag = alone;

	if (__builtin_expect(g->key == slot->key && g->roc == v->roc, 1))
		tag = e->digest[e->hash_of[i]].tag;
	else
		hash_alone(e, op, v, dp_srtp_session_at(slot->key, is_rtcp), alone, is_rtcp);
	if (!is_rtcp && slot->suite == DP_SUITE_AES_CM_128_HMAC_SHA1_32)
		return dp_srtp_is_tag_same(at, tag, 4);
	return dp_srtp_is_tag_same(at, tag, 10);
}

/* GCM deciphers while it authenticates: a packet that is not authentic is enciphered back to what it was. */
static inline bool
is_gcm_authentic(struct dp_srtp_engine *e, const struct dp_srtp_op *op, const struct view *v,
		 const struct dp_srtp_slot *slot, bool is_rtcp)
{
	uint32_t head = is_rtcp ? 8 : op->header_len;
	uint8_t tag[16], theirs[16], aad[12];
	struct dp_srtp_aead a = {
		.key = slot->key,
		.suite = slot->suite,
		.is_rtcp = is_rtcp,
		.ssrc = v->ssrc,
		.index = v->index,
		.aad = op->data,
		.aad_len = v->is_plain ? v->body : head,
		.text = op->data + (v->is_plain ? v->body : head),
		.len = v->is_plain ? 0 : v->body - head,
	};

	memcpy(theirs, op->data + v->tag_at, 16);
	if (is_rtcp && v->is_plain) {
		dp_srtp_put32(op->data + v->body,
			      v->word); /* part of the AAD, on the tag's place */
		a.aad_len += 4;
	} else if (is_rtcp) {
		memcpy(aad, op->data, 8);
		dp_srtp_put32(aad + 8, v->word);
		a.aad = aad;
		a.aad_len = 12;
	}
	dp_srtp_open(e, &a, tag);
	if (is_rtcp && v->is_plain)
		memcpy(op->data + v->body, theirs, 4);
	if (__builtin_expect(dp_srtp_is_tag_same(theirs, tag, 16), 1))
		return true;
	dp_srtp_seal(e, &a, tag);
	return false;
}

/* The row of the stream, moved to the front; -1: a new one. */
static inline struct dp_srtp_rx_stream *
stream_to_front(struct dp_srtp_rx *rx, int at)
{
	struct dp_srtp_rx_stream moved = {.ssrc = 0};

	if (__builtin_expect(at == 0, 1))
		return &rx->stream[0];
	if (at > 0)
		moved = rx->stream[at];
	else
		at = rx->stream_count++;
	memmove(&rx->stream[1], &rx->stream[0], (unsigned)at * sizeof(moved));
	rx->stream[0] = moved;
	return &rx->stream[0];
}

/* The packet is authentic: now state moves. */
static inline uint8_t
commit(struct dp_srtp_rx *rx, struct dp_srtp_slot *slot, const struct view *v, bool is_rtcp)
{
	uint8_t note = v->stream < 0 ? DP_SRTP_NOTE_FIRST : 0;

	if (slot == &rx->next) {
		dp_srtp_rx_rotate(rx);
		slot = &rx->current;
		note |= DP_SRTP_NOTE_ROTATED;
	}
	note |= dp_srtp_slot_count(slot, is_rtcp);
	if (is_rtcp) {
		struct dp_srtp_rx_rtcp *row =
			&rx->rtcp[v->stream < 0 ? rx->rtcp_count++ : v->stream];

		if (v->stream < 0)
			*row = (struct dp_srtp_rx_rtcp){
				.ssrc = v->ssrc, .index = (uint32_t)v->index, .seen = {1}};
		dp_srtp_window_commit(row->seen, row->index, v->index);
		if (v->index > row->index)
			row->index = (uint32_t)v->index;
	} else {
		struct dp_srtp_rx_stream *row = stream_to_front(rx, v->stream);

		if (v->stream < 0)
			*row = (struct dp_srtp_rx_stream){
				.ssrc = v->ssrc, .seq = (uint16_t)v->index, .seen = {1}};
		dp_srtp_rx_commit(row, v->index);
	}
	return note;
}

/* One key's try at a packet: NONE and all is done, or the reason why not. */
static inline enum dp_drop
take(struct dp_srtp_engine *e, struct dp_srtp_op *op, unsigned i, struct dp_srtp_slot *slot,
     bool is_rtcp)
{
	struct dp_srtp_rx *rx = op->ctx;
	const struct dp_srtp_key *key = slot->key;
	unsigned suite = slot->suite;
	struct view v;
	enum dp_drop drop = may_take(&v, rx, slot, op, is_rtcp);
	uint32_t head = is_rtcp ? 8 : op->header_len;

	if (drop != DP_DROP_NONE)
		return drop;
	if (dp_srtp_suite_is_gcm(suite)) {
		if (!is_gcm_authentic(e, op, &v, slot, is_rtcp))
			return DP_DROP_SRTP_AUTH;
	} else {
		bool is_256 = suite == DP_SUITE_AES_256_CM_HMAC_SHA1_80;
		const struct dp_srtp_cm *cm = dp_srtp_session_at(key, is_rtcp);

		if (!is_cm_authentic(e, op, i, &v, slot, is_rtcp))
			return DP_DROP_SRTP_AUTH;
		if (!v.is_plain && v.body > head) {
			dp_srtp_cm_iv(dp_srtp_next_iv(e, is_256), cm->salt, v.ssrc, v.index);
			dp_srtp_queue_cipher(e, cm, is_256, op->data + head, v.body - head);
		}
	}
	op->note = commit(rx, slot, &v, is_rtcp);
	op->len = v.body;
	return DP_DROP_NONE;
}

/*
 * RFC 4568 leaves open whether the stream goes on at its ROC under a new key at the old address, and phones do either. Where going
 * on was not authentic, beginning at ROC 0 is tried; only the right key's tag decides.
 */
static enum dp_drop
take_anew(struct dp_srtp_engine *e, struct dp_srtp_op *op, unsigned i)
{
	struct dp_srtp_rx *rx = op->ctx;
	int at = find_stream(rx, op->ssrc);
	enum dp_drop drop;

	if (rx->next.key == NULL || rx->next.flags & DP_SRTP_SLOT_FRESH || at < 0 ||
	    rx->stream[at].roc == 0)
		return DP_DROP_SRTP_AUTH;
	rx->next.flags |= DP_SRTP_SLOT_FRESH;
	drop = take(e, op, i, &rx->next, false);
	if (drop != DP_DROP_NONE)
		rx->next.flags &= (uint8_t)~DP_SRTP_SLOT_FRESH;
	return drop;
}

/* The other keys' turn. The verdict is that of the first key that has more to say than that it is not meant. */
static __attribute__((noinline)) enum dp_drop
take_by_others(struct dp_srtp_engine *e, struct dp_srtp_op *op, unsigned i, enum dp_drop first,
	       bool is_rtcp)
{
	struct dp_srtp_rx *rx = op->ctx;
	struct dp_srtp_slot *others[2] = {&rx->next, &rx->previous};

	for (int s = 0; s < 2; s++) {
		enum dp_drop drop = take(e, op, i, others[s], is_rtcp);

		if (drop == DP_DROP_SRTP_AUTH && s == 0 && !is_rtcp)
			drop = take_anew(e, op, i);
		if (drop == DP_DROP_NONE)
			return drop;
		if (first == DP_DROP_SRTP_NO_KEY)
			first = drop;
	}
	return first;
}

static inline void
unprotect_batch(struct dp_srtp_engine *e, struct dp_srtp_op *ops, unsigned n, bool is_rtcp)
{
	for (unsigned i = 0; i < n; i++)
		guess(e, &ops[i], i, is_rtcp);
	dp_srtp_run_hashes(e);
	for (unsigned i = 0; i < n; i++) {
		struct dp_srtp_op *op = &ops[i];
		struct dp_srtp_rx *rx = op->ctx;
		enum dp_drop drop;

		op->note = 0;
		if (!is_rtcp)
			lift_roc(e, op, i);
		drop = take(e, op, i, &rx->current, is_rtcp);
		if (drop != DP_DROP_NONE && rx->has_others)
			drop = take_by_others(e, op, i, drop, is_rtcp);
		op->verdict = (uint8_t)drop;
	}
	dp_srtp_run_ciphers(e);
}

static void
prefetch_keys(const struct dp_srtp_op *ops, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const struct dp_srtp_rx *rx = ops[i].ctx;

		dp_srtp_prefetch_key(&rx->current);
		__builtin_prefetch(ops[i].data + ops[i].len - 1, 1);
	}
}

static const struct dp_srtp_batches batches = {prefetch_keys, unprotect_batch};

void
dp_srtp_unprotect_rtp(struct dp_srtp_engine *engine, struct dp_srtp_op *ops, unsigned n)
{
	dp_srtp_burst(engine, ops, n, false, batches);
}

void
dp_srtp_unprotect_rtcp(struct dp_srtp_engine *engine, struct dp_srtp_op *ops, unsigned n)
{
	dp_srtp_burst(engine, ops, n, true, batches);
}
