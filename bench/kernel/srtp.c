/*
 * SRTP protect and unprotect, nanoseconds a packet of 160 octets payload: ours in bursts, and Debian's libsrtp2 as the baseline.
 *
 * keysN: N legs, each with a key and an SSRC of its own, in shuffled order, so that from some thousands on every packet finds its
 * context and key outside of the near caches. Each result is verified against the other library: what we protect libsrtp2 must take
 * octet for octet and the other way round, for every key up to 100 and every hundredth above; and what is unprotected must be what
 * was protected, for every packet of every round.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <srtp2/srtp.h>
#include "bench/lib/bench.h"
#include "dataplane/api/drops.h"
#include "dataplane/srtp/srtp.h"
#include "dataplane/srtp/srtp_state.h"

#define PAYLOAD 160
#define PLAIN (12 + PAYLOAD)
#define STRIDE 256 /* octets from packet to packet */
#define PART 1000  /* packets of a round at most */
#define SSRC 0x10000

struct kind {
	enum dp_suite suite;
	unsigned keys;
	bool is_unprotect;
	bool is_theirs;
};

struct leg {
	struct dp_srtp_tx tx;
	struct dp_srtp_rx rx;
	srtp_t out, in; /* libsrtp2's, where wanted */
	uint32_t ssrc;
	uint16_t seq;
};

struct stand {
	const struct kind *kind;
	struct dp_srtp_engine *engine;
	struct leg *legs;
	unsigned *order; /* leg of packet i */
	unsigned packets;
	unsigned from, count; /* those of this round */
	uint8_t *data;	      /* STRIDE a packet */
	struct dp_srtp_op *ops;
	unsigned wrong; /* packets that were not what they must be */
};

/* Legs that libsrtp2 plays as well, in both directions. */
static bool
is_sampled(const struct stand *s, unsigned leg)
{
	return s->kind->keys <= 100 || leg % 100 == 0;
}

static void
key_conf(struct dp_srtp_key_conf *conf, enum dp_suite suite, unsigned leg)
{
	*conf = (struct dp_srtp_key_conf){.suite = suite};
	for (unsigned i = 0; i < sizeof(conf->key); i++)
		conf->key[i] = (uint8_t)(leg >> 8 * (i % 3)) ^ (uint8_t)(i * 37);
	for (unsigned i = 0; i < sizeof(conf->salt); i++)
		conf->salt[i] = (uint8_t)(leg * 7 + i);
}

static int
their_session(srtp_t *out, enum dp_suite suite, unsigned leg, srtp_ssrc_type_t type)
{
	const struct dp_suite_info *info = dp_suite_info(suite);
	struct dp_srtp_key_conf conf;
	uint8_t octets[64];
	srtp_policy_t policy = {.ssrc = {.type = type}, .key = octets, .window_size = 128};

	key_conf(&conf, suite, leg);
	memcpy(octets, conf.key, info->key);
	memcpy(octets + info->key, conf.salt, info->salt);
	switch (suite) {
	case DP_SUITE_AES_256_CM_HMAC_SHA1_80:
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&policy.rtp);
		break;
	case DP_SUITE_AEAD_AES_128_GCM:
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
		break;
	case DP_SUITE_AEAD_AES_256_GCM:
		srtp_crypto_policy_set_aes_gcm_256_16_auth(&policy.rtp);
		break;
	default:
		srtp_crypto_policy_set_rtp_default(&policy.rtp);
	}
	policy.rtcp = policy.rtp;
	return srtp_create(out, &policy) == srtp_err_status_ok ? 0 : -EIO;
}

static int
leg_init(const struct stand *s, struct leg *leg, unsigned number)
{
	struct dp_srtp_key *out[DP_SRTP_OUT_MAX], *tx, *rx;
	struct dp_srtp_key_conf conf;

	key_conf(&conf, s->kind->suite, number);
	leg->ssrc = SSRC + number;
	leg->seq = 1;
	dp_srtp_tx_init(&leg->tx);
	dp_srtp_rx_init(&leg->rx);
	tx = dp_srtp_key_create(&conf);
	if (tx == NULL)
		return -errno;
	dp_srtp_tx_install(&leg->tx, DP_KEY_CURRENT, 0, tx, out);
	if (is_sampled(s, number) || (!s->kind->is_theirs && s->kind->is_unprotect)) {
		rx = dp_srtp_key_create(&conf);
		if (rx == NULL)
			return -errno;
		dp_srtp_rx_install(&leg->rx, DP_KEY_CURRENT, 0, rx, out);
	}
	if ((is_sampled(s, number) || (s->kind->is_theirs && !s->kind->is_unprotect)) &&
	    their_session(&leg->out, s->kind->suite, number, ssrc_any_outbound) < 0)
		return -EIO;
	if ((is_sampled(s, number) || (s->kind->is_theirs && s->kind->is_unprotect)) &&
	    their_session(&leg->in, s->kind->suite, number, ssrc_any_inbound) < 0)
		return -EIO;
	return 0;
}

/* The packet and the op of place i, for the next sequence number of its leg. */
static void
make_packet(struct stand *s, unsigned i)
{
	struct leg *leg = &s->legs[s->order[i]];
	uint8_t *at = s->data + (size_t)i * STRIDE;

	at[0] = 0x80;
	at[1] = 0;
	at[2] = (uint8_t)(leg->seq >> 8);
	at[3] = (uint8_t)leg->seq;
	for (int b = 0; b < 4; b++) {
		at[4 + b] = 0;
		at[8 + b] = (uint8_t)(leg->ssrc >> (24 - 8 * b));
	}
	for (int b = 0; b < PAYLOAD; b++)
		at[12 + b] = (uint8_t)(i + (unsigned)b + leg->seq);
	s->ops[i] = (struct dp_srtp_op){.data = at,
					.ctx = &leg->tx,
					.len = PLAIN,
					.room = STRIDE,
					.header_len = 12,
					.ssrc = leg->ssrc,
					.seq = leg->seq};
	leg->seq++;
}

static bool
is_plain_again(const struct stand *s, unsigned i, uint32_t len)
{
	const uint8_t *at = s->data + (size_t)i * STRIDE;
	uint16_t seq = (uint16_t)(at[2] << 8 | at[3]);

	if (len != PLAIN)
		return false;
	for (int b = 0; b < PAYLOAD; b++)
		if (at[12 + b] != (uint8_t)(i + (unsigned)b + seq))
			return false;
	return true;
}

/* The next part of the packets: a round is short, so that few are disturbed. */
static void
next_part(struct stand *s)
{
	s->from += s->count;
	if (s->from >= s->packets)
		s->from = 0;
	s->count = s->packets - s->from < PART ? s->packets - s->from : PART;
}

static void
each_burst(struct stand *s, void (*run)(struct dp_srtp_engine *, struct dp_srtp_op *, unsigned))
{
	for (unsigned i = 0; i < s->count; i += DP_SRTP_BURST_MAX)
		run(s->engine, s->ops + s->from + i,
		    s->count - i < DP_SRTP_BURST_MAX ? s->count - i : DP_SRTP_BURST_MAX);
}

static void
prepare_plain(void *arg)
{
	struct stand *s = arg;

	for (unsigned i = s->from; i < s->from + s->count; i++)
		s->wrong += s->ops[i].verdict != DP_DROP_NONE;
	next_part(s);
	for (unsigned i = s->from; i < s->from + s->count; i++)
		make_packet(s, i);
}

static void
prepare_protected(void *arg)
{
	struct stand *s = arg;

	for (unsigned i = s->from; i < s->from + s->count; i++)
		s->wrong +=
			s->ops[i].verdict != DP_DROP_NONE || !is_plain_again(s, i, s->ops[i].len);
	next_part(s);
	for (unsigned i = s->from; i < s->from + s->count; i++)
		make_packet(s, i);
	each_burst(s, dp_srtp_protect_rtp);
	for (unsigned i = s->from; i < s->from + s->count; i++)
		s->ops[i].ctx = &s->legs[s->order[i]].rx;
}

static void
round_protect(void *arg)
{
	each_burst(arg, dp_srtp_protect_rtp);
}

static void
round_unprotect(void *arg)
{
	each_burst(arg, dp_srtp_unprotect_rtp);
}

static void
their_protect(void *arg)
{
	struct stand *s = arg;

	for (unsigned i = s->from; i < s->from + s->count; i++) {
		int len = PLAIN;

		s->ops[i].verdict = srtp_protect(s->legs[s->order[i]].out, s->ops[i].data, &len) !=
				    srtp_err_status_ok;
		s->ops[i].len = (uint32_t)len;
	}
}

static void
their_unprotect(void *arg)
{
	struct stand *s = arg;

	for (unsigned i = s->from; i < s->from + s->count; i++) {
		int len = (int)s->ops[i].len;

		s->ops[i].verdict = srtp_unprotect(s->legs[s->order[i]].in, s->ops[i].data, &len) !=
				    srtp_err_status_ok;
		s->ops[i].len = (uint32_t)len;
	}
}

/* A round in which one library protects and the other unprotects; only legs that have both. */
static void
verify(struct stand *s, bool is_ours_first)
{
	for (unsigned i = 0; i < s->packets; i++) {
		struct leg *leg = &s->legs[s->order[i]];
		struct dp_srtp_op *op = &s->ops[i];
		int len = PLAIN;

		if (leg->in == NULL || leg->out == NULL)
			continue;
		make_packet(s, i);
		if (is_ours_first) {
			dp_srtp_protect_rtp(s->engine, op, 1);
			len = (int)op->len;
			s->wrong += op->verdict != DP_DROP_NONE ||
				    srtp_unprotect(leg->in, op->data, &len) != srtp_err_status_ok;
		} else {
			s->wrong += srtp_protect(leg->out, op->data, &len) != srtp_err_status_ok;
			op->ctx = &leg->rx;
			op->len = (uint32_t)len;
			dp_srtp_unprotect_rtp(s->engine, op, 1);
			s->wrong += op->verdict != DP_DROP_NONE;
			len = (int)op->len;
		}
		s->wrong += !is_plain_again(s, i, (uint32_t)len);
	}
}

/* After the rounds: the other side has missed them all, so it is told the ROC, and one more round must come through. */
static void
verify_end(struct stand *s)
{
	for (unsigned i = 0; i < s->packets; i++) {
		struct leg *leg = &s->legs[s->order[i]];
		struct dp_srtp_op *op = &s->ops[i];
		uint32_t roc = leg->tx.stream[0].roc;
		int len;

		if (leg->in == NULL || leg->out == NULL)
			continue;
		if (srtp_set_stream_roc(leg->in, leg->ssrc,
					roc + (leg->seq < leg->tx.stream[0].seq)) !=
		    srtp_err_status_ok)
			s->wrong++;
		make_packet(s, i);
		dp_srtp_protect_rtp(s->engine, op, 1);
		len = (int)op->len;
		s->wrong += op->verdict != DP_DROP_NONE ||
			    srtp_unprotect(leg->in, op->data, &len) != srtp_err_status_ok ||
			    !is_plain_again(s, i, (uint32_t)len);
	}
}

static void
shuffle(struct stand *s)
{
	uint32_t state = 1;

	for (unsigned i = 0; i < s->packets; i++)
		s->order[i] = i % s->kind->keys;
	for (unsigned i = s->packets - 1; i > 0; i--) {
		unsigned j, kept = s->order[i];

		state = state * 1664525 + 1013904223;
		j = (state >> 8) % (i + 1);
		s->order[i] = s->order[j];
		s->order[j] = kept;
	}
}

static void
stand_down(struct stand *s)
{
	struct dp_srtp_key *out[DP_SRTP_OUT_MAX];

	for (unsigned i = 0; s->legs && i < s->kind->keys; i++) {
		struct leg *leg = &s->legs[i];

		for (unsigned n = dp_srtp_tx_fini(&leg->tx, out); n > 0; n--)
			dp_srtp_key_destroy(out[n - 1]);
		for (unsigned n = dp_srtp_rx_fini(&leg->rx, out); n > 0; n--)
			dp_srtp_key_destroy(out[n - 1]);
		if (leg->in)
			srtp_dealloc(leg->in);
		if (leg->out)
			srtp_dealloc(leg->out);
	}
	dp_srtp_engine_destroy(s->engine);
	free(s->legs);
	free(s->order);
	free(s->data);
	free(s->ops);
}

static int
stand_up(struct stand *s)
{
	const char *why;
	size_t held, size;

	s->packets = (256 + s->kind->keys - 1) / s->kind->keys * s->kind->keys;
	dp_srtp_keys_reserve(&held, 2 * s->kind->keys);
	s->engine = dp_srtp_engine_create(&why);
	if (s->engine == NULL) {
		fprintf(stderr, "%s\n", why);
		return -errno;
	}
	size = s->kind->keys * sizeof(*s->legs);
	s->legs = aligned_alloc(64, size);
	s->order = calloc(s->packets, sizeof(*s->order));
	s->data = aligned_alloc(64, (size_t)s->packets * STRIDE);
	s->ops = calloc(s->packets, sizeof(*s->ops));
	if (!s->legs || !s->order || !s->data || !s->ops)
		return -ENOMEM;
	memset(s->legs, 0, size);
	shuffle(s);
	for (unsigned i = 0; i < s->kind->keys; i++) {
		int status = leg_init(s, &s->legs[i], i);

		if (status < 0)
			return status;
	}
	return 0;
}

static int
run(const struct bench_case *row, struct bench_result *out)
{
	struct stand s = {.kind = row->arg};
	struct bench_plan plan = {.arg = &s, .min_rounds = 60, .budget_ms = 500};
	struct bench_timing timing;
	int status;

	if (s.kind->is_theirs) {
		plan.prepare = s.kind->is_unprotect ? prepare_protected : prepare_plain;
		plan.round = s.kind->is_unprotect ? their_unprotect : their_protect;
	} else {
		plan.prepare = s.kind->is_unprotect ? prepare_protected : prepare_plain;
		plan.round = s.kind->is_unprotect ? round_unprotect : round_protect;
	}
	if (srtp_init() != srtp_err_status_ok)
		return -EIO;
	status = stand_up(&s);
	if (status == 0) {
		plan.items = s.packets < PART ? s.packets : PART;
		verify(&s, true);
		verify(&s, false);
		status = bench_time(&timing, &plan);
	}
	if (status == 0) {
		plan.prepare(&s); /* looks at the last round */
		if (!s.kind->is_theirs)
			verify_end(&s);
		bench_result_set(out, &timing);
		out->is_verified = s.wrong == 0;
		bench_extra_number(out, "burst", s.kind->is_theirs ? 1 : DP_SRTP_BURST_MAX);
		bench_extra_text(out, "engine",
				 s.kind->is_theirs ? srtp_get_version_string()
						   : dp_srtp_engine_name(s.engine));
	}
	stand_down(&s);
	srtp_shutdown();
	return status;
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		enum dp_suite suite;
	} suites[] = {
		{"cm80", DP_SUITE_AES_CM_128_HMAC_SHA1_80},
		{"cm256", DP_SUITE_AES_256_CM_HMAC_SHA1_80},
		{"gcm128", DP_SUITE_AEAD_AES_128_GCM},
		{"gcm256", DP_SUITE_AEAD_AES_256_GCM},
	};
	static const unsigned keys[] = {1, 100, 10000};
	static struct kind kinds[2 * 2 * 4 * 3];
	static struct bench_case cases[2 * 2 * 4 * 3];
	static char names[2 * 2 * 4 * 3][64];

	for (unsigned i = 0; i < 2 * 2 * 4 * 3; i++) {
		struct kind *kind = &kinds[i];
		unsigned suite = i / 3 % 4;

		kind->keys = keys[i % 3];
		kind->suite = suites[suite].suite;
		kind->is_unprotect = i / 12 % 2;
		kind->is_theirs = i / 24;
		snprintf(names[i], sizeof(names[i]), "%ssrtp.%s.%s.keys%u",
			 kind->is_theirs ? "libsrtp2." : "",
			 kind->is_unprotect ? "unprotect" : "protect", suites[suite].name,
			 kind->keys);
		/* libsrtp2 takes 1.5 ms to make a session among 10,000 */
		cases[i] = (struct bench_case){names[i], "ns/packet", run, kind,
					       kind->is_theirs && kind->keys > 1000};
	}
	return bench_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
