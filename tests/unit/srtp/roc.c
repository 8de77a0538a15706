/* The packet index: roll-over in both directions, loss, jumps (RFC 3711 3.3.1, appendix A), and what is never used twice (9.1). */
#include "kit.h"

/* Sends seq from index's place in time: the sender stands just before it. */
static void
sent_at(struct pair *p, struct packet *k, uint64_t index)
{
	make_packet(k, SSRC, (uint16_t)index, false);
	p->tx.stream_count = 1;
	p->tx.stream[0].ssrc = SSRC;
	p->tx.stream[0].roc = (uint32_t)(index >> 16);
	p->tx.stream[0].has_rtp = 0;
	assert_int_equal(protect(p, k, NULL), DP_DROP_NONE);
}

struct step {
	uint64_t index;
	int verdict;
};

static void
walk(const struct step *steps, size_t n, uint64_t top)
{
	for (unsigned suite = 1; suite < DP_SUITE_COUNT; suite++) {
		struct pair p;
		struct packet k;

		pair_init(&p, suite);
		for (size_t i = 0; i < n; i++) {
			sent_at(&p, &k, steps[i].index);
			if (steps[i].verdict == DP_DROP_NONE)
				assert_int_equal(receive(&p, &k, NULL), DP_DROP_NONE);
			else
				assert_dropped_untouched(&p, &k, steps[i].verdict);
		}
		assert_int_equal((uint64_t)p.rx.stream[0].roc << 16 | p.rx.stream[0].seq, top);
		pair_fini(&p);
	}
}

#define WALK(steps, top) walk(steps, sizeof(steps) / sizeof((steps)[0]), top)

static void
rolls_over_at_ffff(void **state)
{
	static const struct step steps[] = {
		{0xfffe, 0}, {0xffff, 0}, {0x10000, 0}, {0x10001, 0}, {0x10002, 0}};

	WALK(steps, 0x10002);
}

static void
rolls_over_with_the_border_packets_lost(void **state)
{
	static const struct step steps[] = {{0xff00, 0}, {0x10080, 0}, {0x10081, 0}};

	WALK(steps, 0x10081);
}

static void
reordered_across_the_border(void **state)
{
	static const struct step steps[] = {
		{0xfffd, 0},
		{0x10001, 0},
		{0xffff, 0},
		{0x10000, 0},
		{0xfffe, 0},
		{0xffff, DP_DROP_SRTP_REPLAY},
		{0xfffe, DP_DROP_SRTP_REPLAY},
		{0x10000, DP_DROP_SRTP_REPLAY},
		{0x10002, 0},
	};

	WALK(steps, 0x10002);
}

static void
rolls_over_again_and_again(void **state)
{
	static const struct step steps[] = {
		{0x0, 0},     {0x7000, 0},  {0xe000, 0},  {0x15000, 0},
		{0x1c000, 0}, {0x23000, 0}, {0x2a000, 0}, {0x31000, 0},
	};

	WALK(steps, 0x31000);
}

static void
a_jump_of_less_than_half_is_forward(void **state)
{
	static const struct step steps[] = {
		{100, 0}, {100 + 0x8000, 0}, {100 + 0xffff, 0}, {101 + 0xffff + 0x7fff, 0}};

	WALK(steps, 101 + 0xffff + 0x7fff);
}

/* From the upper half, a jump beyond 2^15 is taken for the past: the tag refuses it, and the stream stands. */
static void
a_jump_of_more_than_half_is_lost_until_the_sequence_comes_back(void **state)
{
	struct pair p;
	struct packet k;

	pair_init(&p, DP_SUITE_AES_CM_128_HMAC_SHA1_80);
	sent_at(&p, &k, 0x9000);
	assert_int_equal(receive(&p, &k, NULL), DP_DROP_NONE);
	sent_at(&p, &k, 0x19001); /* a whole round later: taken for 0x9001 */
	assert_dropped_untouched(&p, &k, DP_DROP_SRTP_AUTH);
	sent_at(&p, &k, 0x11100); /* 0x8100 ahead: taken for 0x1100 of this round, 0x7f00 behind */
	assert_dropped_untouched(&p, &k, DP_DROP_SRTP_STALE);
	sent_at(&p, &k, 0x10fff);
	assert_int_equal(receive(&p, &k, NULL), DP_DROP_NONE);
	pair_fini(&p);
}

static void
before_the_first_roll_over_there_is_no_past(void **state)
{
	static const struct step steps[] = {{5, 0}, {0xfff0, 0}, {0xfff1, 0}, {0x10003, 0}};

	WALK(steps, 0x10003);
}

static void
a_long_silence_below_half_a_round_is_survived(void **state)
{
	static const struct step steps[] = {
		{0x2fffe, DP_DROP_SRTP_AUTH}, {0xfffe, 0}, {0x17ffd, 0}, {0x1fff0, 0}};

	WALK(steps, 0x1fff0);
}

static void
the_index_ends_at_48_bits(void **state)
{
	struct pair p;
	struct packet k;

	pair_init(&p, DP_SUITE_AES_CM_128_HMAC_SHA1_80);
	sent_at(&p, &k, 1);
	assert_int_equal(receive(&p, &k, NULL), DP_DROP_NONE);
	p.rx.stream[0].roc = UINT32_MAX;
	p.rx.stream[0].seq = 0xfffe;
	sent_at(&p, &k, (1ULL << 48) - 1);
	assert_int_equal(receive(&p, &k, NULL), DP_DROP_NONE);
	make_packet(&k, SSRC, 0, false);
	assert_int_equal(protect(&p, &k, NULL), DP_DROP_TX_REPEAT);
	assert_int_equal(p.tx.stream[0].roc, UINT32_MAX);
	k.len += 10;
	assert_dropped_untouched(&p, &k, DP_DROP_SRTP_STALE);
	pair_fini(&p);
}

static void
a_sender_repeats_no_keystream(void **state)
{
	static const uint16_t refused[] = {100, 99, 0, 100 - 0x7fff, 100 + 0x8000, 100 + 0x8001};
	struct pair p;
	struct packet k;

	for (unsigned suite = 1; suite < DP_SUITE_COUNT; suite++) {
		pair_init(&p, suite);
		sent(&p, &k, 100, false);
		for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
			struct dp_srtp_tx before = p.tx;
			struct packet plain;

			make_packet(&k, SSRC, refused[i], false);
			plain = k;
			assert_int_equal(protect(&p, &k, NULL), DP_DROP_TX_REPEAT);
			assert_memory_equal(&k, &plain, sizeof(k));
			assert_memory_equal(&before, &p.tx, sizeof(before));
		}
		sent(&p, &k, 100 + 0x7fff, false);
		sent(&p, &k, 0xffff, false);
		sent(&p, &k, 0, false);
		assert_int_equal(p.tx.stream[0].roc, 1);
		make_packet(&k, SSRC, 0xffff, false);
		assert_int_equal(protect(&p, &k, NULL), DP_DROP_TX_REPEAT);
		pair_fini(&p);
	}
}

static void
a_sender_has_four_ssrcs(void **state)
{
	struct pair p;
	struct packet k;

	pair_init(&p, DP_SUITE_AES_CM_128_HMAC_SHA1_80);
	for (uint32_t i = 0; i < 4; i++) {
		make_packet(&k, SSRC + i, (uint16_t)(10 + i), i % 2);
		assert_int_equal(protect(&p, &k, NULL), DP_DROP_NONE);
	}
	for (int r = 0; r < 2; r++) {
		make_packet(&k, SSRC + 4, 1, r);
		assert_int_equal(protect(&p, &k, NULL), DP_DROP_TX_REPEAT);
	}
	make_packet(&k, SSRC, 10, false);
	assert_int_equal(protect(&p, &k, NULL), DP_DROP_TX_REPEAT);
	make_packet(&k, SSRC, 11, false);
	assert_int_equal(protect(&p, &k, NULL), DP_DROP_NONE);
	pair_fini(&p);
}

static void
the_srtcp_index_counts_on_across_keys(void **state)
{
	struct pair p;
	struct packet k;

	pair_init(&p, DP_SUITE_AES_CM_128_HMAC_SHA1_80);
	for (int i = 0; i < 3; i++) {
		sent(&p, &k, 0, true);
		assert_int_equal(k.data[k.len - 11], i);
		assert_int_equal(k.data[k.len - 14], 0x80);
		assert_int_equal(receive(&p, &k, NULL), DP_DROP_NONE);
	}
	install_tx(&p, DP_KEY_NEXT, 0, make_key(DP_SUITE_AEAD_AES_128_GCM, 9, 0, 0, 0));
	install_rx(&p, DP_KEY_NEXT, 0, make_key(DP_SUITE_AEAD_AES_128_GCM, 9, 0, 0, 0));
	sent(&p, &k, 0, true);
	assert_int_equal(k.data[k.len - 1], 3);
	assert_int_equal(receive(&p, &k, NULL), DP_DROP_NONE);
	p.tx.stream[0].rtcp_index = (1U << 31) - 1;
	sent(&p, &k, 0, true);
	assert_int_equal(receive(&p, &k, NULL), DP_DROP_NONE);
	make_packet(&k, SSRC, 0, true);
	assert_int_equal(protect(&p, &k, NULL), DP_DROP_TX_REPEAT);
	pair_fini(&p);
}

static void
a_packet_that_does_not_fit_takes_no_index(void **state)
{
	struct pair p;
	struct packet k;
	struct dp_srtp_op op;

	for (int r = 0; r < 2; r++) {
		struct dp_srtp_tx before, keyless;

		dp_srtp_tx_init(&keyless);
		pair_init(&p, DP_SUITE_AES_CM_128_HMAC_SHA1_32);
		make_packet(&k, SSRC, 5, r);
		before = p.tx;
		for (int fault = 0; fault < 3; fault++) {
			op = op_of(&k, &p.tx);
			if (fault == 0)
				op.room = (uint16_t)(k.len + (r ? 14 : 4) - 1);
			else if (fault == 1 && r)
				op.len = 7;
			else if (fault == 1)
				op.header_len = (uint16_t)(k.len + 1);
			else
				op.ctx = &keyless;
			(r ? dp_srtp_protect_rtcp : dp_srtp_protect_rtp)(engine, &op, 1);
			assert_int_equal(op.verdict,
					 fault == 2 ? DP_DROP_TX_NO_KEY : DP_DROP_TX_LONG);
			assert_memory_equal(&before, &p.tx, sizeof(before));
		}
		op = op_of(&k, &p.tx);
		op.room = (uint16_t)(k.len + (r ? 14 : 4));
		(r ? dp_srtp_protect_rtcp : dp_srtp_protect_rtp)(engine, &op, 1);
		assert_int_equal(op.verdict, DP_DROP_NONE);
		pair_fini(&p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rolls_over_at_ffff),
		cmocka_unit_test(rolls_over_with_the_border_packets_lost),
		cmocka_unit_test(reordered_across_the_border),
		cmocka_unit_test(rolls_over_again_and_again),
		cmocka_unit_test(a_jump_of_less_than_half_is_forward),
		cmocka_unit_test(a_jump_of_more_than_half_is_lost_until_the_sequence_comes_back),
		cmocka_unit_test(before_the_first_roll_over_there_is_no_past),
		cmocka_unit_test(a_long_silence_below_half_a_round_is_survived),
		cmocka_unit_test(the_index_ends_at_48_bits),
		cmocka_unit_test(a_sender_repeats_no_keystream),
		cmocka_unit_test(a_sender_has_four_ssrcs),
		cmocka_unit_test(the_srtcp_index_counts_on_across_keys),
		cmocka_unit_test(a_packet_that_does_not_fit_takes_no_index),
	};

	return cmocka_run_group_tests(tests, engine_up, engine_down);
}
