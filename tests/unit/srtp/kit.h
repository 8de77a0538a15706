/* For the tests of dataplane/srtp: a sender and a receiver that share keys, and packets between them. */
#ifndef UNIT_SRTP_KIT_H
#define UNIT_SRTP_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "dataplane/api/drops.h"
#include "dataplane/srtp/srtp.h"
#include "dataplane/srtp/srtp_state.h"

#define SSRC 0xcafe0001u
#define PAYLOAD 40
#define PACKET_MAX 256

struct pair {
	struct dp_srtp_tx tx;
	struct dp_srtp_rx rx;
};

struct packet {
	uint8_t data[PACKET_MAX];
	uint32_t len;
	uint32_t ssrc;
	uint16_t seq;
	bool is_rtcp;
};

static struct dp_srtp_engine *engine;

static inline struct dp_srtp_key *
make_key(enum dp_suite suite, uint8_t seed, uint8_t mki_len, uint64_t lifetime_rtp,
	 uint64_t lifetime_rtcp)
{
	struct dp_srtp_key_conf conf = {.suite = suite,
					.mki_len = mki_len,
					.lifetime_rtp = lifetime_rtp,
					.lifetime_rtcp = lifetime_rtcp};
	struct dp_srtp_key *key;

	memset(conf.key, seed, sizeof(conf.key));
	memset(conf.salt, seed + 1, sizeof(conf.salt));
	memset(conf.mki, seed + 2, sizeof(conf.mki));
	key = dp_srtp_key_create(&conf);
	assert_non_null(key);
	return key;
}

static inline void
destroy(struct dp_srtp_key **keys, unsigned n)
{
	while (n > 0)
		dp_srtp_key_destroy(keys[--n]);
}

static inline void
install_rx(struct pair *p, enum dp_key_slot slot, uint32_t flags, struct dp_srtp_key *key)
{
	struct dp_srtp_key *out[DP_SRTP_OUT_MAX];

	destroy(out, dp_srtp_rx_install(&p->rx, slot, flags, key, out));
}

static inline void
install_tx(struct pair *p, enum dp_key_slot slot, uint32_t flags, struct dp_srtp_key *key)
{
	struct dp_srtp_key *out[DP_SRTP_OUT_MAX];

	destroy(out, dp_srtp_tx_install(&p->tx, slot, flags, key, out));
}

static inline void
pair_init(struct pair *p, enum dp_suite suite)
{
	memset(p, 0xee, sizeof(*p));
	dp_srtp_tx_init(&p->tx);
	dp_srtp_rx_init(&p->rx);
	install_tx(p, DP_KEY_CURRENT, 0, make_key(suite, 1, 0, 0, 0));
	install_rx(p, DP_KEY_CURRENT, 0, make_key(suite, 1, 0, 0, 0));
}

static inline void
pair_fini(struct pair *p)
{
	struct dp_srtp_key *out[DP_SRTP_OUT_MAX];

	destroy(out, dp_srtp_tx_fini(&p->tx, out));
	destroy(out, dp_srtp_rx_fini(&p->rx, out));
}

static inline void
make_packet(struct packet *k, uint32_t ssrc, uint16_t seq, bool is_rtcp)
{
	unsigned at = is_rtcp ? 4 : 8, head = at + 4;

	memset(k, 0, sizeof(*k));
	k->ssrc = ssrc;
	k->seq = seq;
	k->is_rtcp = is_rtcp;
	k->len = head + PAYLOAD;
	k->data[0] = is_rtcp ? 0x81 : 0x80;
	k->data[1] = is_rtcp ? 200 : 0;
	k->data[2] = (uint8_t)(seq >> 8);
	k->data[3] = (uint8_t)seq;
	for (unsigned i = 0; i < 4; i++)
		k->data[at + i] = (uint8_t)(ssrc >> (24 - 8 * i));
	for (unsigned i = 0; i < PAYLOAD; i++)
		k->data[head + i] = (uint8_t)(i + seq);
}

static inline struct dp_srtp_op
op_of(struct packet *k, void *ctx)
{
	return (struct dp_srtp_op){.data = k->data,
				   .ctx = ctx,
				   .len = k->len,
				   .room = PACKET_MAX,
				   .header_len = 12,
				   .ssrc = k->ssrc,
				   .seq = k->seq,
				   .verdict = 0xff,
				   .note = 0xff};
}

/* Protects; the verdict. */
static inline int
protect(struct pair *p, struct packet *k, uint8_t *note)
{
	struct dp_srtp_op op = op_of(k, &p->tx);

	(k->is_rtcp ? dp_srtp_protect_rtcp : dp_srtp_protect_rtp)(engine, &op, 1);
	k->len = op.len;
	if (note)
		*note = op.note;
	return op.verdict;
}

/* A protected packet from SSRC. */
static inline void
sent(struct pair *p, struct packet *k, uint16_t seq, bool is_rtcp)
{
	make_packet(k, SSRC, seq, is_rtcp);
	assert_int_equal(protect(p, k, NULL), DP_DROP_NONE);
}

/* Unprotects; the verdict. What came through is checked against what was sent. */
static inline int
receive(struct pair *p, struct packet *k, uint8_t *note)
{
	struct dp_srtp_op op = op_of(k, &p->rx);
	struct packet plain;

	(k->is_rtcp ? dp_srtp_unprotect_rtcp : dp_srtp_unprotect_rtp)(engine, &op, 1);
	if (note)
		*note = op.note;
	if (op.verdict == DP_DROP_NONE) {
		make_packet(&plain, k->ssrc, k->seq, k->is_rtcp);
		assert_int_equal(op.len, plain.len);
		assert_memory_equal(k->data, plain.data, plain.len);
	} else {
		assert_int_equal(op.len, k->len);
		assert_int_equal(op.note, 0);
	}
	return op.verdict;
}

/* As receive, of a copy. */
static inline int
receive_copy(struct pair *p, const struct packet *k)
{
	struct packet copy = *k;

	return receive(p, &copy, NULL);
}

/* It is dropped for this reason, and neither state nor packet changed by an octet. */
static inline void
assert_dropped_untouched(struct pair *p, const struct packet *k, int reason)
{
	struct dp_srtp_rx before = p->rx;
	struct packet copy = *k;

	assert_int_equal(receive(p, &copy, NULL), reason);
	assert_memory_equal(&before, &p->rx, sizeof(before));
	assert_memory_equal(&copy, k, sizeof(copy));
}

static inline int
engine_up(void **state)
{
	const char *why = "";

	engine = dp_srtp_engine_create(&why);
	if (engine == NULL)
		fprintf(stderr, "%s\n", why);
	return engine ? 0 : -1;
}

static inline int
engine_down(void **state)
{
	dp_srtp_engine_destroy(engine);
	return 0;
}

#endif
