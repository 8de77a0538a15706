/* Keys in their slots: install, rotate, retire (RFC 3711 8.1, RFC 4568 6.4); which packets a key may still take (9.2). */
#include "dataplane/srtp/srtp.h"

#include <string.h>
#include "dataplane/srtp/key_state.h"
#include "dataplane/srtp/slot_state.h"
#include "dataplane/srtp/srtp_state.h"

/* Packets after which KEY_SOON is said: nine tenths, rounded up. */
static uint64_t
soon_at(uint64_t lifetime)
{
	return lifetime - lifetime / 10;
}

static void
slot_fill(struct dp_srtp_slot *slot, struct dp_srtp_key *key, uint32_t flags)
{
	*slot = (struct dp_srtp_slot){
		.key = key,
		.until_rtp = soon_at(key->lifetime_rtp),
		.until_rtcp = (uint32_t)soon_at(key->lifetime_rtcp),
		.suite = key->suite,
		.mki_len = key->mki_len,
	};
	slot->flags = (uint8_t)((key->is_srtp_plain ? DP_SRTP_SLOT_RTP_PLAIN : 0) |
				(key->is_srtcp_plain ? DP_SRTP_SLOT_RTCP_PLAIN : 0) |
				(flags & DP_KEY_FRESH ? DP_SRTP_SLOT_FRESH : 0));
}

/* Empties a slot; its key, if any, goes to out. */
static unsigned
slot_empty(struct dp_srtp_slot *slot, struct dp_srtp_key **out)
{
	struct dp_srtp_key *key = slot->key;

	memset(slot, 0, sizeof(*slot));
	if (key == NULL)
		return 0;
	*out = key;
	return 1;
}

/* One of the two counters came to 0: nine tenths or all are used. */
uint8_t
dp_srtp_slot_counted_out(struct dp_srtp_slot *slot, bool is_rtcp)
{
	uint8_t soon = is_rtcp ? DP_SRTP_SLOT_RTCP_SOON : DP_SRTP_SLOT_RTP_SOON;
	uint8_t was = slot->flags, note = 0;
	uint64_t rest = 0;

	if (!(was & soon)) {
		uint64_t lifetime = is_rtcp ? slot->key->lifetime_rtcp : slot->key->lifetime_rtp;

		rest = lifetime / 10;
		slot->flags |= soon;
		if (!(was & (DP_SRTP_SLOT_RTCP_SOON | DP_SRTP_SLOT_RTP_SOON)))
			note = DP_SRTP_NOTE_KEY_SOON;
	}
	if (is_rtcp)
		slot->until_rtcp = (uint32_t)rest;
	else
		slot->until_rtp = rest;
	if (rest > 0)
		return note;
	slot->flags |= DP_SRTP_SLOT_GONE;
	return note | DP_SRTP_NOTE_KEY_GONE;
}

static uint64_t
packets(const struct dp_srtp_slot *slot)
{
	if (slot->key == NULL)
		return 0;
	if (slot->flags & DP_SRTP_SLOT_RTP_SOON)
		return slot->key->lifetime_rtp - slot->until_rtp;
	return soon_at(slot->key->lifetime_rtp) - slot->until_rtp;
}

static void
rx_forget_streams(struct dp_srtp_rx *rx)
{
	memset(rx->stream, 0, sizeof(rx->stream));
	memset(rx->rtcp, 0, sizeof(rx->rtcp));
	rx->stream_count = rx->rtcp_count = 0;
}

static void
rx_keep_gone(struct dp_srtp_rx *rx, struct dp_srtp_slot *slot)
{
	/* Two places suffice: only a rotation fills them, only an install makes one possible, and an install empties them. */
	slot_empty(slot, rx->gone[0] ? &rx->gone[1] : &rx->gone[0]);
}

void
dp_srtp_rx_rotate(struct dp_srtp_rx *rx)
{
	bool is_fresh = rx->next.flags & DP_SRTP_SLOT_FRESH;

	rx_keep_gone(rx, &rx->previous);
	if (is_fresh) {
		rx_keep_gone(rx, &rx->current);
		rx_forget_streams(rx);
	} else {
		rx->previous = rx->current;
	}
	rx->current = rx->next;
	rx->current.flags &= (uint8_t)~DP_SRTP_SLOT_FRESH;
	memset(&rx->next, 0, sizeof(rx->next));
	rx->has_others = rx->previous.key != NULL;
}

void
dp_srtp_rx_init(struct dp_srtp_rx *rx)
{
	memset(rx, 0, sizeof(*rx));
}

static struct dp_srtp_slot *
rx_slot(struct dp_srtp_rx *rx, enum dp_key_slot slot)
{
	if (slot == DP_KEY_CURRENT)
		return &rx->current;
	return slot == DP_KEY_NEXT ? &rx->next : &rx->previous;
}

unsigned
dp_srtp_rx_collect(struct dp_srtp_rx *rx, struct dp_srtp_key *out[DP_SRTP_OUT_MAX])
{
	unsigned n = 0;

	for (int i = 0; i < 2; i++) {
		if (rx->gone[i])
			out[n++] = rx->gone[i];
		rx->gone[i] = NULL;
	}
	return n;
}

unsigned
dp_srtp_rx_install(struct dp_srtp_rx *rx, enum dp_key_slot slot, uint32_t flags,
		   struct dp_srtp_key *key, struct dp_srtp_key *out[DP_SRTP_OUT_MAX])
{
	unsigned n = dp_srtp_rx_collect(rx, out);

	for (int i = 0; i < 3; i++) {
		const struct dp_srtp_slot *held = rx_slot(rx, (enum dp_key_slot)i);

		if (slot == DP_KEY_PREVIOUS || (held->key && dp_srtp_key_is_same(held->key, key))) {
			out[n++] = key;
			return n;
		}
	}
	if (slot == DP_KEY_CURRENT && (flags & DP_KEY_FRESH)) {
		n += slot_empty(&rx->next, &out[n]);
		n += slot_empty(&rx->previous, &out[n]);
		rx_forget_streams(rx);
		flags = 0;
	}
	n += slot_empty(rx_slot(rx, slot), &out[n]);
	slot_fill(rx_slot(rx, slot), key, slot == DP_KEY_NEXT ? flags : 0);
	rx->has_others = rx->next.key || rx->previous.key;
	return n;
}

unsigned
dp_srtp_rx_retire(struct dp_srtp_rx *rx, enum dp_key_slot slot,
		  struct dp_srtp_key *out[DP_SRTP_OUT_MAX])
{
	unsigned n = dp_srtp_rx_collect(rx, out);

	n += slot_empty(rx_slot(rx, slot), &out[n]);
	rx->has_others = rx->next.key || rx->previous.key;
	return n;
}

unsigned
dp_srtp_rx_fini(struct dp_srtp_rx *rx, struct dp_srtp_key *out[DP_SRTP_OUT_MAX])
{
	unsigned n = dp_srtp_rx_collect(rx, out);

	for (int i = 0; i < 3; i++)
		n += slot_empty(rx_slot(rx, (enum dp_key_slot)i), &out[n]);
	memset(rx, 0, sizeof(*rx));
	return n;
}

uint64_t
dp_srtp_rx_packets(const struct dp_srtp_rx *rx)
{
	return packets(&rx->current);
}

enum dp_suite
dp_srtp_rx_suite(const struct dp_srtp_rx *rx)
{
	return (enum dp_suite)rx->current.suite;
}

void
dp_srtp_tx_init(struct dp_srtp_tx *tx)
{
	memset(tx, 0, sizeof(*tx));
}

unsigned
dp_srtp_tx_install(struct dp_srtp_tx *tx, enum dp_key_slot slot, uint32_t flags,
		   struct dp_srtp_key *key, struct dp_srtp_key *out[DP_SRTP_OUT_MAX])
{
	unsigned n;

	if (slot == DP_KEY_PREVIOUS ||
	    (tx->current.key && dp_srtp_key_is_same(tx->current.key, key))) {
		out[0] = key;
		return 1;
	}
	n = slot_empty(&tx->current, out);
	slot_fill(&tx->current, key, 0);
	if (flags & DP_KEY_FRESH) {
		memset(tx->stream, 0, sizeof(tx->stream));
		tx->stream_count = 0;
	}
	return n;
}

unsigned
dp_srtp_tx_retire(struct dp_srtp_tx *tx, enum dp_key_slot slot,
		  struct dp_srtp_key *out[DP_SRTP_OUT_MAX])
{
	return slot == DP_KEY_CURRENT ? slot_empty(&tx->current, out) : 0;
}

unsigned
dp_srtp_tx_fini(struct dp_srtp_tx *tx, struct dp_srtp_key *out[DP_SRTP_OUT_MAX])
{
	unsigned n = slot_empty(&tx->current, out);

	memset(tx, 0, sizeof(*tx));
	return n;
}

uint64_t
dp_srtp_tx_packets(const struct dp_srtp_tx *tx)
{
	return packets(&tx->current);
}

uint32_t
dp_srtp_tx_roc(const struct dp_srtp_tx *tx)
{
	return tx->stream[0].roc;
}

enum dp_suite
dp_srtp_tx_suite(const struct dp_srtp_tx *tx)
{
	return (enum dp_suite)tx->current.suite;
}
