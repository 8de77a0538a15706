/*
 * Every suite against libsrtp2, the slow twin: random packets of many keys and all suites in one burst, SRTP and SRTCP, with and without
 * MKI, encrypted and authenticated only; sequence numbers cross a roll-over. What we protect is octet for octet what libsrtp2 makes, and
 * each side takes what the other made. Where libsrtp2 goes ways of its own: its first SRTCP index is 1 (RFC 3711 3.4: 0), so
 * every other leg begins with 1 and is compared; with GCM it enciphers SRTP even where only a tag was asked for, so RFC 7714's
 * vectors stand for that (tests/vectors); it looks for the MKI of an SRTCP packet before a tag as short as SRTP's, so it is not asked to
 * take those of the -32 suite.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <srtp2/srtp.h>
#include "dataplane/api/drops.h"
#include "dataplane/srtp/srtp.h"
#include "dataplane/srtp/srtp_state.h"

#define PACKET_MAX 1600
#define ROUNDS 100

struct kind {
	enum dp_suite suite;
	uint8_t mki_len;
	bool is_plain;
};

static const struct kind kinds[] = {
	{DP_SUITE_AES_CM_128_HMAC_SHA1_80, 0, false}, {DP_SUITE_AES_CM_128_HMAC_SHA1_80, 4, false},
	{DP_SUITE_AES_CM_128_HMAC_SHA1_80, 0, true},  {DP_SUITE_AES_CM_128_HMAC_SHA1_32, 0, false},
	{DP_SUITE_AES_CM_128_HMAC_SHA1_32, 1, false}, {DP_SUITE_AES_256_CM_HMAC_SHA1_80, 0, false},
	{DP_SUITE_AES_256_CM_HMAC_SHA1_80, 8, false}, {DP_SUITE_AES_256_CM_HMAC_SHA1_80, 0, true},
	{DP_SUITE_AEAD_AES_128_GCM, 0, false},	      {DP_SUITE_AEAD_AES_128_GCM, 4, false},
	{DP_SUITE_AEAD_AES_128_GCM, 0, true},	      {DP_SUITE_AEAD_AES_256_GCM, 0, false},
	{DP_SUITE_AEAD_AES_256_GCM, 16, false},	      {DP_SUITE_AEAD_AES_256_GCM, 0, true},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))
#define LEGS (2 * KINDS)
#define BURST 100

/* One key, held by us in both directions and by libsrtp2 in both. */
struct leg {
	const struct kind *kind;
	bool is_like_theirs; /* SRTCP index */
	struct dp_srtp_tx tx;
	struct dp_srtp_rx rx, rx_twin; /* rx_twin hears libsrtp2, rx hears us */
	srtp_t theirs_out, theirs_in;
	uint32_t ssrc;
	uint16_t seq;
};

struct packet {
	struct leg *leg;
	uint32_t len;
	uint16_t header_len;
	uint16_t seq;
	uint8_t plain[PACKET_MAX], ours[PACKET_MAX], theirs[PACKET_MAX];
};

static struct dp_srtp_engine *engine;
static struct leg legs[LEGS];
static struct packet packets[BURST];
static struct dp_srtp_op ops[BURST];
static uint64_t random_state = 0x243f6a8885a308d3;

static uint32_t
rnd(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 20) % below;
}

static void
fill(uint8_t *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		at[i] = (uint8_t)rnd(256);
}

static void
set_policy(srtp_crypto_policy_t *policy, enum dp_suite suite, bool is_plain)
{
	switch (suite) {
	case DP_SUITE_AES_CM_128_HMAC_SHA1_32:
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(policy);
		break;
	case DP_SUITE_AES_256_CM_HMAC_SHA1_80:
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(policy);
		break;
	case DP_SUITE_AEAD_AES_128_GCM:
		srtp_crypto_policy_set_aes_gcm_128_16_auth(policy);
		break;
	case DP_SUITE_AEAD_AES_256_GCM:
		srtp_crypto_policy_set_aes_gcm_256_16_auth(policy);
		break;
	default:
		srtp_crypto_policy_set_rtp_default(policy);
	}
	if (is_plain)
		policy->sec_serv = sec_serv_auth;
}

static srtp_t
their_session(const struct kind *kind, const struct dp_srtp_key_conf *conf, srtp_ssrc_type_t type)
{
	const struct dp_suite_info *info = dp_suite_info(kind->suite);
	uint8_t octets[64], mki[16];
	srtp_master_key_t key = {.key = octets, .mki_id = mki, .mki_size = kind->mki_len};
	srtp_master_key_t *list = &key;
	srtp_policy_t policy = {.ssrc = {.type = type}, .window_size = 128};
	srtp_t session = NULL;

	memcpy(octets, conf->key, info->key);
	memcpy(octets + info->key, conf->salt, info->salt);
	memcpy(mki, conf->mki, kind->mki_len);
	set_policy(&policy.rtp, kind->suite, kind->is_plain);
	set_policy(&policy.rtcp,
		   kind->suite == DP_SUITE_AES_CM_128_HMAC_SHA1_32
			   ? DP_SUITE_AES_CM_128_HMAC_SHA1_80
			   : kind->suite,
		   kind->is_plain);
	policy.keys = &list;
	policy.num_master_keys = 1;
	assert_int_equal(srtp_create(&session, &policy), srtp_err_status_ok);
	return session;
}

static void
leg_init(struct leg *leg, const struct kind *kind)
{
	struct dp_srtp_key_conf conf = {.suite = kind->suite,
					.mki_len = kind->mki_len,
					.is_srtp_plain = kind->is_plain,
					.is_srtcp_plain = kind->is_plain};
	struct dp_srtp_key *out[DP_SRTP_OUT_MAX];

	fill(conf.key, sizeof(conf.key));
	fill(conf.salt, sizeof(conf.salt));
	fill(conf.mki, sizeof(conf.mki));
	leg->kind = kind;
	leg->ssrc = rnd(UINT32_MAX);
	leg->seq = (uint16_t)(65536 - BURST * ROUNDS / 2 / LEGS - rnd(8));
	dp_srtp_tx_init(&leg->tx);
	dp_srtp_rx_init(&leg->rx);
	dp_srtp_rx_init(&leg->rx_twin);
	dp_srtp_tx_install(&leg->tx, DP_KEY_CURRENT, 0, dp_srtp_key_create(&conf), out);
	dp_srtp_rx_install(&leg->rx, DP_KEY_CURRENT, 0, dp_srtp_key_create(&conf), out);
	dp_srtp_rx_install(&leg->rx_twin, DP_KEY_CURRENT, 0, dp_srtp_key_create(&conf), out);
	leg->is_like_theirs = rnd(2);
	leg->tx.stream_count = 1;
	leg->tx.stream[0] =
		(struct dp_srtp_tx_stream){.ssrc = leg->ssrc, .rtcp_index = leg->is_like_theirs};
	leg->theirs_out = their_session(kind, &conf, ssrc_any_outbound);
	leg->theirs_in = their_session(kind, &conf, ssrc_any_inbound);
}

static void
make_rtp(struct packet *p)
{
	unsigned csrcs = rnd(3) ? 0 : rnd(16);
	bool has_extension = rnd(3) == 0;
	unsigned words = has_extension ? rnd(12) : 0;
	uint32_t payload = rnd(3) == 0 ? rnd(1300) : rnd(4) == 0 ? rnd(20) : 160;

	do
		p->leg = &legs[rnd(LEGS)];
	while (p->leg->kind->is_plain && dp_suite_info(p->leg->kind->suite)->aead);
	p->leg->seq = (uint16_t)(p->leg->seq + 1 + rnd(2));
	p->seq = p->leg->seq;
	p->header_len = (uint16_t)(12 + 4 * csrcs + (has_extension ? 4 + 4 * words : 0));
	p->len = p->header_len + payload;
	fill(p->plain, p->len);
	p->plain[0] = (uint8_t)(0x80 | (has_extension ? 0x10 : 0) | csrcs);
	p->plain[1] &= 0x7f;
	p->plain[2] = (uint8_t)(p->seq >> 8);
	p->plain[3] = (uint8_t)p->seq;
	for (int i = 0; i < 4; i++)
		p->plain[8 + i] = (uint8_t)(p->leg->ssrc >> (24 - 8 * i));
	if (has_extension) {
		p->plain[12 + 4 * csrcs + 2] = 0;
		p->plain[12 + 4 * csrcs + 3] = (uint8_t)words;
	}
}

static void
make_rtcp(struct packet *p)
{
	p->leg = &legs[rnd(LEGS)];
	p->len = 8 + 4 * rnd(100);
	fill(p->plain, p->len);
	p->plain[0] = 0x81;
	p->plain[1] = 200;
	for (int i = 0; i < 4; i++)
		p->plain[4 + i] = (uint8_t)(p->leg->ssrc >> (24 - 8 * i));
}

static int
they_protect(struct packet *p, bool is_rtcp)
{
	int len = (int)p->len;
	unsigned mki = p->leg->kind->mki_len > 0;

	memcpy(p->theirs, p->plain, p->len);
	if (is_rtcp)
		assert_int_equal(srtp_protect_rtcp_mki(p->leg->theirs_out, p->theirs, &len, mki, 0),
				 srtp_err_status_ok);
	else
		assert_int_equal(srtp_protect_mki(p->leg->theirs_out, p->theirs, &len, mki, 0),
				 srtp_err_status_ok);
	return len;
}

static void
they_unprotect_ours(struct packet *p, uint32_t protected_len, bool is_rtcp)
{
	uint8_t copy[PACKET_MAX];
	int len = (int)protected_len;
	unsigned mki = p->leg->kind->mki_len > 0;

	if (is_rtcp && mki && p->leg->kind->suite == DP_SUITE_AES_CM_128_HMAC_SHA1_32)
		return;
	memcpy(copy, p->ours, protected_len);
	if (is_rtcp)
		assert_int_equal(srtp_unprotect_rtcp_mki(p->leg->theirs_in, copy, &len, mki),
				 srtp_err_status_ok);
	else
		assert_int_equal(srtp_unprotect_mki(p->leg->theirs_in, copy, &len, mki),
				 srtp_err_status_ok);
	assert_int_equal(len, p->len);
	assert_memory_equal(copy, p->plain, p->len);
}

static void
set_op(struct dp_srtp_op *op, const struct packet *p, void *ctx, uint8_t *data, uint32_t len)
{
	*op = (struct dp_srtp_op){.data = data,
				  .ctx = ctx,
				  .len = len,
				  .room = PACKET_MAX,
				  .header_len = p->header_len,
				  .ssrc = p->leg->ssrc,
				  .seq = p->seq,
				  .verdict = 0xff};
}

static void
assert_taken(const struct packet *p, const struct dp_srtp_op *op)
{
	assert_int_equal(op->verdict, DP_DROP_NONE);
	assert_int_equal(op->len, p->len);
	assert_memory_equal(op->data, p->plain, p->len);
}

static void
both_ways(bool is_rtcp)
{
	void (*protect)(struct dp_srtp_engine *, struct dp_srtp_op *, unsigned) =
		is_rtcp ? dp_srtp_protect_rtcp : dp_srtp_protect_rtp;
	void (*unprotect)(struct dp_srtp_engine *, struct dp_srtp_op *, unsigned) =
		is_rtcp ? dp_srtp_unprotect_rtcp : dp_srtp_unprotect_rtp;

	for (int round = 0; round < ROUNDS; round++) {
		unsigned n = 1 + rnd(BURST), their_len[BURST];

		for (unsigned i = 0; i < n; i++) {
			struct packet *p = &packets[i];

			(is_rtcp ? make_rtcp : make_rtp)(p);
			memcpy(p->ours, p->plain, p->len);
			set_op(&ops[i], p, &p->leg->tx, p->ours, p->len);
		}
		protect(engine, ops, n);
		for (unsigned i = 0; i < n; i++) {
			struct packet *p = &packets[i];

			their_len[i] = (unsigned)they_protect(p, is_rtcp);
			assert_int_equal(ops[i].verdict, DP_DROP_NONE);
			assert_int_equal(ops[i].len, their_len[i]);
			if (!is_rtcp || p->leg->is_like_theirs)
				assert_memory_equal(p->ours, p->theirs, their_len[i]);
			they_unprotect_ours(p, ops[i].len, is_rtcp);
			set_op(&ops[i], p, &p->leg->rx, p->ours, ops[i].len);
		}
		unprotect(engine, ops, n);
		for (unsigned i = 0; i < n; i++) {
			assert_taken(&packets[i], &ops[i]);
			set_op(&ops[i], &packets[i], &packets[i].leg->rx_twin, packets[i].theirs,
			       their_len[i]);
		}
		unprotect(engine, ops, n);
		for (unsigned i = 0; i < n; i++)
			assert_taken(&packets[i], &ops[i]);
	}
}

/* What libsrtp2 made arrives out of order, some of it twice. */
static void
theirs_reordered(bool is_rtcp)
{
	for (int round = 0; round < ROUNDS; round++) {
		unsigned order[BURST], lens[BURST];

		for (unsigned i = 0; i < BURST; i++) {
			(is_rtcp ? make_rtcp : make_rtp)(&packets[i]);
			lens[i] = (unsigned)they_protect(&packets[i], is_rtcp);
			order[i] = i;
		}
		for (unsigned i = BURST - 1; i > 0; i--) {
			unsigned j = i - rnd(i < 8 ? i + 1 : 8), kept = order[i];

			order[i] = order[j];
			order[j] = kept;
		}
		for (unsigned i = 0; i < BURST; i++) {
			struct packet *p = &packets[order[i]];

			set_op(&ops[i], p, &p->leg->rx_twin, p->theirs, lens[order[i]]);
		}
		(is_rtcp ? dp_srtp_unprotect_rtcp : dp_srtp_unprotect_rtp)(engine, ops, BURST);
		for (unsigned i = 0; i < BURST; i++)
			assert_taken(&packets[order[i]], &ops[i]);
	}
}

static void
rtp_is_what_libsrtp_makes(void **state)
{
	unsigned rolled = 0;

	both_ways(false);
	for (size_t i = 0; i < LEGS; i++)
		rolled += legs[i].tx.stream[0].roc;
	assert_true(rolled > LEGS / 4);
}

static void
rtcp_is_what_libsrtp_makes(void **state)
{
	both_ways(true);
}

static void
rtp_of_libsrtp_is_taken_out_of_order(void **state)
{
	theirs_reordered(false);
}

static void
rtcp_of_libsrtp_is_taken_out_of_order(void **state)
{
	theirs_reordered(true);
}

static int
set_up(void **state)
{
	const char *why = "";

	engine = dp_srtp_engine_create(&why);
	if (engine == NULL || srtp_init() != srtp_err_status_ok) {
		fprintf(stderr, "%s\n", why);
		return -1;
	}
	for (size_t i = 0; i < LEGS; i++)
		leg_init(&legs[i], &kinds[i % KINDS]);
	return 0;
}

static int
tear_down(void **state)
{
	struct dp_srtp_key *out[DP_SRTP_OUT_MAX];

	for (size_t i = 0; i < LEGS; i++) {
		dp_srtp_tx_fini(&legs[i].tx, out);
		dp_srtp_key_destroy(out[0]);
		dp_srtp_rx_fini(&legs[i].rx, out);
		dp_srtp_key_destroy(out[0]);
		dp_srtp_rx_fini(&legs[i].rx_twin, out);
		dp_srtp_key_destroy(out[0]);
		srtp_dealloc(legs[i].theirs_out);
		srtp_dealloc(legs[i].theirs_in);
	}
	srtp_shutdown();
	dp_srtp_engine_destroy(engine);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rtp_is_what_libsrtp_makes),
		cmocka_unit_test(rtcp_is_what_libsrtp_makes),
		cmocka_unit_test(rtp_of_libsrtp_is_taken_out_of_order),
		cmocka_unit_test(rtcp_of_libsrtp_is_taken_out_of_order),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
