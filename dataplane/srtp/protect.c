/* Sending: SRTP and SRTCP packet processing of RFC 3711 3.3 and 3.4, RFC 7714 8 and 9, across a burst. */
#include "dataplane/srtp/srtp.h"

#include "dataplane/api/drops.h"
#include "dataplane/srtp/engine_state.h"
#include "dataplane/srtp/index_state.h"
#include "dataplane/srtp/slot_state.h"

#define E_FLAG (1U << 31) /* SRTCP: encrypted */

/* The stream of another SSRC than the last one comes to the front, made if it is new. NULL: there is no place for one more. */
static __attribute__((noinline)) struct dp_srtp_tx_stream *
stream_to_front(struct dp_srtp_tx *tx, uint32_t ssrc)
{
	struct dp_srtp_tx_stream found = {.ssrc = ssrc};
	unsigned at = 0;

	while (at < tx->stream_count && tx->stream[at].ssrc != ssrc)
		at++;
	if (at == DP_SRTP_STREAMS)
		return NULL;
	if (at < tx->stream_count)
		found = tx->stream[at];
	else
		tx->stream_count++;
	memmove(&tx->stream[1], &tx->stream[0], at * sizeof(found));
	tx->stream[0] = found;
	return &tx->stream[0];
}

static inline struct dp_srtp_tx_stream *
stream_of(struct dp_srtp_tx *tx, uint32_t ssrc)
{
	if (__builtin_expect(tx->stream_count && tx->stream[0].ssrc == ssrc, 1))
		return &tx->stream[0];
	return stream_to_front(tx, ssrc);
}

/* What can be said before the stream is looked at. */
static inline enum dp_drop
may_send(const struct dp_srtp_tx *tx, const struct dp_srtp_op *op, bool is_rtcp)
{
	unsigned trailer = dp_srtp_suite_tag(tx->current.suite, is_rtcp) + tx->current.mki_len +
			   (is_rtcp ? 4 : 0);

	if (tx->current.key == NULL)
		return DP_DROP_TX_NO_KEY;
	if (tx->current.flags & DP_SRTP_SLOT_GONE)
		return DP_DROP_TX_LIFETIME;
	if (op->len + trailer > op->room || op->len < (is_rtcp ? 8 : op->header_len) ||
	    (!is_rtcp && op->header_len < 12))
		return DP_DROP_TX_LONG;
	return DP_DROP_NONE;
}

/* Gives the packet its index, which is used up from here on. */
static inline enum dp_drop
take_index(struct dp_srtp_tx *tx, const struct dp_srtp_op *op, bool is_rtcp, uint64_t *index)
{
	struct dp_srtp_tx_stream *stream =
		stream_of(tx, is_rtcp ? dp_srtp_get32(op->data + 4) : op->ssrc);

	if (stream == NULL)
		return DP_DROP_TX_REPEAT;
	if (is_rtcp) {
		if (stream->rtcp_index >= DP_SRTP_RTCP_INDEX_END)
			return DP_DROP_TX_REPEAT;
		*index = stream->rtcp_index++;
		return DP_DROP_NONE;
	}
	if (!dp_srtp_tx_may(stream, op->seq, index))
		return DP_DROP_TX_REPEAT;
	stream->roc = (uint32_t)(*index >> 16);
	stream->seq = op->seq;
	stream->has_rtp = 1;
	return DP_DROP_NONE;
}

/* Appends the MKI at the packet's end. */
static inline void
add_mki(struct dp_srtp_op *op, const struct dp_srtp_slot *slot)
{
	if (slot->mki_len == 0)
		return;
	memcpy(op->data + op->len, slot->key->mki, slot->mki_len);
	op->len += slot->mki_len;
}

static void
seal(struct dp_srtp_engine *e, struct dp_srtp_op *op, uint64_t index, bool is_rtcp)
{
	const struct dp_srtp_tx *tx = op->ctx;
	bool is_plain =
		tx->current.flags & (is_rtcp ? DP_SRTP_SLOT_RTCP_PLAIN : DP_SRTP_SLOT_RTP_PLAIN);
	uint32_t head = is_rtcp ? 8 : op->header_len;
	uint32_t word = (uint32_t)index | (is_plain ? 0 : E_FLAG);
	uint8_t aad[12];
	struct dp_srtp_aead a = {
		.key = tx->current.key,
		.suite = tx->current.suite,
		.is_rtcp = is_rtcp,
		.ssrc = is_rtcp ? dp_srtp_get32(op->data + 4) : op->ssrc,
		.index = index,
		.aad = op->data,
		.aad_len = is_plain ? op->len : head,
		.text = op->data + (is_plain ? op->len : head),
		.len = is_plain ? 0 : op->len - head,
	};

	if (is_rtcp && is_plain) {
		dp_srtp_put32(op->data + op->len,
			      word); /* part of the AAD; the tag comes over it */
		a.aad_len += 4;
	} else if (is_rtcp) {
		memcpy(aad, op->data, 8);
		dp_srtp_put32(aad + 8, word);
		a.aad = aad;
		a.aad_len = 12;
	}
	dp_srtp_seal(e, &a, op->data + op->len);
	op->len += 16;
	if (is_rtcp) {
		dp_srtp_put32(op->data + op->len, word);
		op->len += 4;
	}
	add_mki(op, &tx->current);
}

/* AES-CM: a cipher job and a hash job. */
static inline void
queue(struct dp_srtp_engine *e, struct dp_srtp_op *op, unsigned i, uint64_t index, bool is_rtcp)
{
	const struct dp_srtp_tx *tx = op->ctx;
	const struct dp_srtp_cm *cm = dp_srtp_session_at(tx->current.key, is_rtcp);
	bool is_256 = tx->current.suite == DP_SUITE_AES_256_CM_HMAC_SHA1_80;
	bool is_plain =
		tx->current.flags & (is_rtcp ? DP_SRTP_SLOT_RTCP_PLAIN : DP_SRTP_SLOT_RTP_PLAIN);
	uint32_t head = is_rtcp ? 8 : op->header_len;

	if (!is_plain && op->len > head) {
		dp_srtp_cm_iv(dp_srtp_next_iv(e, is_256), cm->salt,
			      is_rtcp ? dp_srtp_get32(op->data + 4) : op->ssrc, index);
		dp_srtp_queue_cipher(e, cm, is_256, op->data + head, op->len - head);
	}
	/* What follows the packet is authenticated with it: the ROC, over which MKI or tag come, or the SRTCP index. */
	dp_srtp_put32(op->data + op->len, is_rtcp ? (uint32_t)index | (is_plain ? 0 : E_FLAG)
						  : (uint32_t)(index >> 16));
	dp_srtp_fill_hash(&e->hash[e->hashes], cm, op->data, op->len + 4);
	e->op_of[e->hashes++] = (uint8_t)i;
}

static inline void
add_tag(struct dp_srtp_op *op, const struct dp_srtp_digest *digest, bool is_rtcp)
{
	const struct dp_srtp_tx *tx = op->ctx;
	uint8_t *to;

	if (is_rtcp)
		op->len += 4;
	add_mki(op, &tx->current);
	to = op->data + op->len;
	if (!is_rtcp && tx->current.suite == DP_SUITE_AES_CM_128_HMAC_SHA1_32) {
		memcpy(to, digest->tag, 4);
		op->len += 4;
		return;
	}
	memcpy(to, digest->tag, 10);
	op->len += 10;
}

static inline void
protect_batch(struct dp_srtp_engine *e, struct dp_srtp_op *ops, unsigned n, bool is_rtcp)
{
	unsigned hashes;

	for (unsigned i = 0; i < n; i++) {
		struct dp_srtp_op *op = &ops[i];
		struct dp_srtp_tx *tx = op->ctx;
		enum dp_drop verdict = may_send(tx, op, is_rtcp);
		uint64_t index;

		if (verdict == DP_DROP_NONE)
			verdict = take_index(tx, op, is_rtcp, &index);
		op->verdict = (uint8_t)verdict;
		op->note = 0;
		if (verdict != DP_DROP_NONE)
			continue;
		op->note = dp_srtp_slot_count(&tx->current, is_rtcp);
		if (dp_srtp_suite_is_gcm(tx->current.suite))
			seal(e, op, index, is_rtcp);
		else
			queue(e, op, i, index, is_rtcp);
	}
	hashes = e->hashes;
	dp_srtp_run_ciphers(e);
	dp_srtp_run_hashes(e);
	for (unsigned i = 0; i < hashes; i++)
		add_tag(&ops[e->op_of[i]], &e->digest[i], is_rtcp);
}

static void
prefetch_keys(const struct dp_srtp_op *ops, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const struct dp_srtp_tx *tx = ops[i].ctx;

		dp_srtp_prefetch_key(&tx->current);
	}
}

static const struct dp_srtp_batches batches = {prefetch_keys, protect_batch};

void
dp_srtp_protect_rtp(struct dp_srtp_engine *engine, struct dp_srtp_op *ops, unsigned n)
{
	dp_srtp_burst(engine, ops, n, false, batches);
}

void
dp_srtp_protect_rtcp(struct dp_srtp_engine *engine, struct dp_srtp_op *ops, unsigned n)
{
	dp_srtp_burst(engine, ops, n, true, batches);
}
