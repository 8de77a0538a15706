/* Keys in their slots: rotation with and without MKI, packets of the old key in flight, FRESH, retirement, lifetimes. */
#include "kit.h"
#include <errno.h>

#define OLD 1 /* seed of the key that pair_init installs */
#define NEW 9

static unsigned
rx_install(struct pair *p, enum dp_key_slot slot, uint32_t flags, struct dp_srtp_key *key,
	   struct dp_srtp_key **out)
{
	return dp_srtp_rx_install(&p->rx, slot, flags, key, out);
}

/* Suites and MKI of the old and the new key. */
struct change {
	enum dp_suite from, to;
	uint8_t from_mki, to_mki;
};

static const struct change changes[] = {
	{DP_SUITE_AES_CM_128_HMAC_SHA1_80, DP_SUITE_AES_CM_128_HMAC_SHA1_80, 0, 0},
	{DP_SUITE_AES_CM_128_HMAC_SHA1_80, DP_SUITE_AES_CM_128_HMAC_SHA1_80, 4, 4},
	{DP_SUITE_AES_CM_128_HMAC_SHA1_80, DP_SUITE_AEAD_AES_128_GCM, 0, 0},
	{DP_SUITE_AEAD_AES_256_GCM, DP_SUITE_AEAD_AES_256_GCM, 0, 0},
	{DP_SUITE_AEAD_AES_256_GCM, DP_SUITE_AEAD_AES_256_GCM, 16, 16},
	{DP_SUITE_AEAD_AES_128_GCM, DP_SUITE_AES_256_CM_HMAC_SHA1_80, 2, 0},
	{DP_SUITE_AES_CM_128_HMAC_SHA1_32, DP_SUITE_AES_CM_128_HMAC_SHA1_80, 0, 1},
};

#define CHANGES (sizeof(changes) / sizeof(changes[0]))

static void
pair_init_change(struct pair *p, const struct change *c)
{
	dp_srtp_tx_init(&p->tx);
	dp_srtp_rx_init(&p->rx);
	install_tx(p, DP_KEY_CURRENT, 0, make_key(c->from, OLD, c->from_mki, 0, 0));
	install_rx(p, DP_KEY_CURRENT, 0, make_key(c->from, OLD, c->from_mki, 0, 0));
}

static void
a_key_changes_without_a_gap(void **state)
{
	for (size_t c = 0; c < CHANGES; c++) {
		for (int r = 0; r < 2; r++) {
			struct dp_srtp_key *out[DP_SRTP_OUT_MAX];
			struct packet old[4], new[2];
			struct pair p;
			uint8_t note;
			int reason;

			pair_init_change(&p, &changes[c]);
			for (uint16_t i = 0; i < 4; i++)
				sent(&p, &old[i], (uint16_t)(0xfffc + i), r);
			install_tx(&p, DP_KEY_NEXT, 0,
				   make_key(changes[c].to, NEW, changes[c].to_mki, 0, 0));
			for (uint16_t i = 0; i < 2; i++)
				sent(&p, &new[i], i, r);
			assert_int_equal(receive(&p, &old[0], NULL), DP_DROP_NONE);
			reason = receive_copy(&p, &new[0]);
			assert_int_not_equal(reason, DP_DROP_NONE);
			assert_dropped_untouched(&p, &new[0], reason);
			assert_int_equal(
				rx_install(&p, DP_KEY_NEXT, 0,
					   make_key(changes[c].to, NEW, changes[c].to_mki, 0, 0),
					   out),
				0);
			assert_int_equal(receive(&p, &old[1], &note), DP_DROP_NONE);
			assert_int_equal(note, 0);
			assert_int_equal(receive(&p, &new[0], &note), DP_DROP_NONE);
			assert_int_equal(note, DP_SRTP_NOTE_ROTATED);
			assert_int_equal(dp_srtp_rx_suite(&p.rx), changes[c].to);
			assert_int_equal(dp_srtp_rx_packets(&p.rx), r ? 0 : 1);
			assert_int_equal(dp_srtp_rx_collect(&p.rx, out), 0);
			/* in flight: sent before the change, from before the roll-over */
			assert_int_equal(receive(&p, &old[2], &note), DP_DROP_NONE);
			assert_int_equal(note, 0);
			assert_int_equal(receive(&p, &new[1], &note), DP_DROP_NONE);
			assert_int_equal(note, 0);
			assert_int_equal(dp_srtp_rx_retire(&p.rx, DP_KEY_PREVIOUS, out), 1);
			destroy(out, 1);
			assert_int_not_equal(receive_copy(&p, &old[3]), DP_DROP_NONE);
			pair_fini(&p);
		}
	}
}

static void
the_key_before_the_previous_comes_back_to_be_wiped(void **state)
{
	struct dp_srtp_key *out[DP_SRTP_OUT_MAX], *first;
	struct packet k;
	struct pair p;
	uint8_t note;

	pair_init(&p, DP_SUITE_AES_CM_128_HMAC_SHA1_80);
	first = p.rx.current.key;
	for (uint8_t round = 1; round <= 2; round++) {
		install_tx(
			&p, DP_KEY_NEXT, 0,
			make_key(DP_SUITE_AES_CM_128_HMAC_SHA1_80, (uint8_t)(10 * round), 0, 0, 0));
		install_rx(
			&p, DP_KEY_NEXT, 0,
			make_key(DP_SUITE_AES_CM_128_HMAC_SHA1_80, (uint8_t)(10 * round), 0, 0, 0));
		sent(&p, &k, round, false);
		assert_int_equal(receive(&p, &k, &note), DP_DROP_NONE);
		assert_true(note & DP_SRTP_NOTE_ROTATED);
	}
	assert_int_equal(dp_srtp_rx_collect(&p.rx, out), 1);
	assert_ptr_equal(out[0], first);
	dp_srtp_key_destroy(first);
	assert_int_equal(dp_srtp_rx_collect(&p.rx, out), 0);
	pair_fini(&p);
}

static void
install_and_fini_hand_back_what_was_not_collected(void **state)
{
	struct dp_srtp_key *out[DP_SRTP_OUT_MAX];
	struct packet k;
	struct pair p;

	pair_init(&p, DP_SUITE_AES_CM_128_HMAC_SHA1_80);
	for (uint8_t round = 1; round <= 2; round++) {
		install_tx(
			&p, DP_KEY_NEXT, 0,
			make_key(DP_SUITE_AES_CM_128_HMAC_SHA1_80, (uint8_t)(10 * round), 0, 0, 0));
		install_rx(
			&p, DP_KEY_NEXT, 0,
			make_key(DP_SUITE_AES_CM_128_HMAC_SHA1_80, (uint8_t)(10 * round), 0, 0, 0));
		sent(&p, &k, round, false);
		assert_int_equal(receive(&p, &k, NULL), DP_DROP_NONE);
	}
	assert_int_equal(rx_install(&p, DP_KEY_NEXT, 0,
				    make_key(DP_SUITE_AEAD_AES_128_GCM, 77, 0, 0, 0), out),
			 1);
	destroy(out, 1);
	assert_int_equal(rx_install(&p, DP_KEY_NEXT, 0,
				    make_key(DP_SUITE_AEAD_AES_128_GCM, 78, 0, 0, 0), out),
			 1);
	destroy(out, 1);
	assert_int_equal(dp_srtp_rx_fini(&p.rx, out), 3);
	destroy(out, 3);
	pair_fini(&p);
}

static void
a_fresh_key_starts_the_streams_anew(void **state)
{
	static const enum dp_key_slot slots[] = {DP_KEY_CURRENT, DP_KEY_NEXT};

	for (int s = 0; s < 2; s++) {
		for (int r = 0; r < 2; r++) {
			struct dp_srtp_key *out[DP_SRTP_OUT_MAX];
			struct packet k, old;
			struct pair p;
			uint8_t note;

			pair_init(&p, DP_SUITE_AES_CM_128_HMAC_SHA1_80);
			sent(&p, &k, 0xffff, r);
			assert_int_equal(receive(&p, &k, NULL), DP_DROP_NONE);
			sent(&p, &k, 0, r);
			assert_int_equal(receive(&p, &k, NULL), DP_DROP_NONE);
			sent(&p, &old, 1, r);
			install_tx(&p, DP_KEY_NEXT, DP_KEY_FRESH,
				   make_key(DP_SUITE_AES_CM_128_HMAC_SHA1_80, NEW, 0, 0, 0));
			assert_int_equal(p.tx.stream_count, 0);
			sent(&p, &k, 40000, r); /* ROC 0, index 0 again */
			assert_int_equal(
				rx_install(&p, slots[s], DP_KEY_FRESH,
					   make_key(DP_SUITE_AES_CM_128_HMAC_SHA1_80, NEW, 0, 0, 0),
					   out),
				s == 0 ? 1 : 0);
			if (s == 0)
				destroy(out, 1);
			assert_int_equal(receive_copy(&p, &old),
					 s == 0 ? DP_DROP_SRTP_AUTH : DP_DROP_NONE);
			assert_int_equal(receive(&p, &k, &note), DP_DROP_NONE);
			assert_int_equal(note,
					 DP_SRTP_NOTE_FIRST | (s == 0 ? 0 : DP_SRTP_NOTE_ROTATED));
			assert_int_equal(dp_srtp_rx_collect(&p.rx, out), s == 0 ? 0 : 1);
			if (s != 0)
				destroy(out, 1);
			assert_int_equal(p.rx.stream[0].roc, 0);
			/* what the old key protected does not come again */
			assert_int_not_equal(receive_copy(&p, &old), DP_DROP_NONE);
			pair_fini(&p);
		}
	}
}

static void
without_fresh_roc_and_replay_state_go_on(void **state)
{
	struct packet k, seen;
	struct pair p;

	pair_init(&p, DP_SUITE_AES_CM_128_HMAC_SHA1_80);
	sent(&p, &k, 0xffff, false);
	assert_int_equal(receive(&p, &k, NULL), DP_DROP_NONE);
	sent(&p, &seen, 0, false);
	assert_int_equal(receive_copy(&p, &seen), DP_DROP_NONE);
	install_tx(&p, DP_KEY_CURRENT, 0, make_key(DP_SUITE_AES_CM_128_HMAC_SHA1_80, NEW, 0, 0, 0));
	install_rx(&p, DP_KEY_CURRENT, 0, make_key(DP_SUITE_AES_CM_128_HMAC_SHA1_80, NEW, 0, 0, 0));
	make_packet(&k, SSRC, 0, false);
	assert_int_equal(protect(&p, &k, NULL), DP_DROP_TX_REPEAT);
	assert_dropped_untouched(&p, &seen, DP_DROP_SRTP_REPLAY);
	sent(&p, &k, 1, false);
	assert_int_equal(p.tx.stream[0].roc, 1);
	assert_int_equal(receive(&p, &k, NULL), DP_DROP_NONE);
	pair_fini(&p);
}

/* RFC 4568 leaves it open, and phones differ: the peer made a new context for its new key, SSRC and sequence went on. */
static void
a_peer_may_begin_at_roc_0_under_a_new_key(void **state)
{
	static const enum dp_suite suites[] = {DP_SUITE_AES_CM_128_HMAC_SHA1_80,
					       DP_SUITE_AEAD_AES_128_GCM};

	for (int s = 0; s < 2; s++) {
		struct dp_srtp_key *out[DP_SRTP_OUT_MAX];
		struct packet k, wrong;
		struct pair p;
		uint8_t note;

		pair_init(&p, suites[s]);
		sent(&p, &k, 0xffff, false);
		assert_int_equal(receive(&p, &k, NULL), DP_DROP_NONE);
		sent(&p, &k, 0, false);
		assert_int_equal(receive(&p, &k, NULL), DP_DROP_NONE);
		assert_int_equal(p.rx.stream[0].roc, 1);
		assert_int_equal(dp_srtp_tx_roc(&p.tx), 1);
		install_tx(&p, DP_KEY_NEXT, DP_KEY_FRESH, make_key(suites[s], NEW, 0, 0, 0));
		assert_int_equal(
			rx_install(&p, DP_KEY_NEXT, 0, make_key(suites[s], NEW, 0, 0, 0), out), 0);
		sent(&p, &k, 1, false);
		wrong = k;
		wrong.data[wrong.len - 1] ^= 1;
		assert_dropped_untouched(&p, &wrong, DP_DROP_SRTP_AUTH);
		assert_int_equal(receive(&p, &k, &note), DP_DROP_NONE);
		assert_int_equal(note, DP_SRTP_NOTE_FIRST | DP_SRTP_NOTE_ROTATED);
		assert_int_equal(p.rx.stream[0].roc, 0);
		assert_int_equal(dp_srtp_rx_collect(&p.rx, out), 1);
		destroy(out, 1);
		sent(&p, &k, 2, false);
		assert_int_equal(receive(&p, &k, &note), DP_DROP_NONE);
		pair_fini(&p);
	}
}

static void
the_same_key_again_changes_nothing(void **state)
{
	static const enum dp_key_slot slots[] = {DP_KEY_CURRENT, DP_KEY_NEXT};

	for (unsigned suite = 1; suite < DP_SUITE_COUNT; suite++) {
		for (int s = 0; s < 2; s++) {
			for (uint32_t flags = 0; flags <= DP_KEY_FRESH; flags++) {
				struct dp_srtp_key *out[DP_SRTP_OUT_MAX],
					*key = make_key(suite, OLD, 0, 0, 0);
				struct packet k;
				struct pair p, before;

				pair_init(&p, suite);
				sent(&p, &k, 500, false);
				assert_int_equal(receive_copy(&p, &k), DP_DROP_NONE);
				before = p;
				assert_int_equal(
					dp_srtp_tx_install(&p.tx, slots[s], flags, key, out), 1);
				assert_ptr_equal(out[0], key);
				assert_int_equal(rx_install(&p, slots[s], flags, key, out), 1);
				assert_ptr_equal(out[0], key);
				assert_memory_equal(&before, &p, sizeof(p));
				dp_srtp_key_destroy(key);
				pair_fini(&p);
			}
		}
	}
}

static void
a_retired_sender_is_silent(void **state)
{
	struct dp_srtp_key *out[DP_SRTP_OUT_MAX];
	struct packet k;
	struct pair p;

	pair_init(&p, DP_SUITE_AEAD_AES_128_GCM);
	sent(&p, &k, 1, false);
	assert_int_equal(dp_srtp_tx_packets(&p.tx), 1);
	assert_int_equal(dp_srtp_tx_retire(&p.tx, DP_KEY_NEXT, out), 0);
	assert_int_equal(dp_srtp_tx_retire(&p.tx, DP_KEY_PREVIOUS, out), 0);
	assert_int_equal(dp_srtp_tx_retire(&p.tx, DP_KEY_CURRENT, out), 1);
	destroy(out, 1);
	assert_int_equal(dp_srtp_tx_suite(&p.tx), DP_SUITE_NONE);
	make_packet(&k, SSRC, 2, false);
	assert_int_equal(protect(&p, &k, NULL), DP_DROP_TX_NO_KEY);
	pair_fini(&p);
}

/* lifetime packets are let through on both sides, with KEY_SOON at nine tenths and KEY_GONE with the last; then SRTP and SRTCP stop. */
static void
lives(unsigned suite, bool is_rtcp, uint64_t lifetime, uint64_t soon)
{
	struct packet k, other;
	struct pair p;
	uint8_t want, note;

	dp_srtp_tx_init(&p.tx);
	dp_srtp_rx_init(&p.rx);
	install_tx(&p, DP_KEY_CURRENT, 0,
		   make_key(suite, OLD, 0, is_rtcp ? 0 : lifetime, is_rtcp ? lifetime : 0));
	install_rx(&p, DP_KEY_CURRENT, 0,
		   make_key(suite, OLD, 0, is_rtcp ? 0 : lifetime, is_rtcp ? lifetime : 0));
	sent(&p, &other, 0, !is_rtcp);
	for (uint64_t i = 1; i <= lifetime; i++) {
		want = (uint8_t)((i == soon ? DP_SRTP_NOTE_KEY_SOON : 0) |
				 (i == lifetime ? DP_SRTP_NOTE_KEY_GONE : 0));
		make_packet(&k, SSRC, (uint16_t)i, is_rtcp);
		assert_int_equal(protect(&p, &k, &note), DP_DROP_NONE);
		assert_int_equal(note, want);
		assert_int_equal(receive(&p, &k, &note), DP_DROP_NONE);
		assert_int_equal(note & ~DP_SRTP_NOTE_FIRST, want);
		if (!is_rtcp) {
			assert_int_equal(dp_srtp_tx_packets(&p.tx), i);
			assert_int_equal(dp_srtp_rx_packets(&p.rx), i);
		}
	}
	make_packet(&k, SSRC, (uint16_t)(lifetime + 1), false);
	assert_int_equal(protect(&p, &k, &note), DP_DROP_TX_LIFETIME);
	assert_int_equal(note, 0);
	make_packet(&k, SSRC, 0, true);
	assert_int_equal(protect(&p, &k, NULL), DP_DROP_TX_LIFETIME);
	assert_dropped_untouched(&p, &other, DP_DROP_SRTP_LIFETIME);
	install_tx(&p, DP_KEY_NEXT, 0, make_key(suite, NEW, 0, 0, 0));
	install_rx(&p, DP_KEY_NEXT, 0, make_key(suite, NEW, 0, 0, 0));
	sent(&p, &k, (uint16_t)(lifetime + 1), is_rtcp);
	assert_int_equal(receive(&p, &k, &note), DP_DROP_NONE);
	assert_true(note & DP_SRTP_NOTE_ROTATED);
	pair_fini(&p);
}

static void
lifetimes_are_counted_and_kept(void **state)
{
	for (unsigned suite = 1; suite < DP_SUITE_COUNT; suite++) {
		for (int r = 0; r < 2; r++) {
			lives(suite, r, 100, 90);
			lives(suite, r, 25, 23);
			lives(suite, r, 10, 9);
			lives(suite, r, 9, 9);
			lives(suite, r, 1, 1);
		}
	}
}

static void
soon_is_said_once_for_both_counts(void **state)
{
	struct packet k;
	struct pair p;
	uint8_t note;
	int soon = 0;

	dp_srtp_tx_init(&p.tx);
	dp_srtp_rx_init(&p.rx);
	install_tx(&p, DP_KEY_CURRENT, 0, make_key(DP_SUITE_AEAD_AES_128_GCM, OLD, 0, 20, 20));
	for (uint16_t i = 1; i < 20; i++) {
		for (int r = 0; r < 2; r++) {
			make_packet(&k, SSRC, i, r);
			assert_int_equal(protect(&p, &k, &note), DP_DROP_NONE);
			soon += !!(note & DP_SRTP_NOTE_KEY_SOON);
			assert_false(note & DP_SRTP_NOTE_KEY_GONE);
		}
	}
	assert_int_equal(soon, 1);
	pair_fini(&p);
}

static void
a_forged_packet_uses_up_no_lifetime(void **state)
{
	struct packet k, bad;
	struct pair p;

	pair_init(&p, DP_SUITE_AES_CM_128_HMAC_SHA1_80);
	install_rx(&p, DP_KEY_NEXT, 0, make_key(DP_SUITE_AES_CM_128_HMAC_SHA1_80, NEW, 0, 2, 2));
	sent(&p, &k, 1, false);
	bad = k;
	bad.data[20] ^= 1;
	for (int i = 0; i < 10; i++)
		assert_dropped_untouched(&p, &bad, DP_DROP_SRTP_AUTH);
	assert_int_equal(receive(&p, &k, NULL), DP_DROP_NONE);
	pair_fini(&p);
}

static void
unfit_keys_are_refused(void **state)
{
	static const struct dp_srtp_key_conf confs[] = {
		{.suite = DP_SUITE_NONE},
		{.suite = DP_SUITE_COUNT},
		{.suite = DP_SUITE_AEAD_AES_128_GCM, .mki_len = DP_SRTP_MKI_MAX + 1},
		{.suite = DP_SUITE_AEAD_AES_128_GCM, .lifetime_rtp = DP_SRTP_MAX_PACKETS + 1},
		{.suite = DP_SUITE_AEAD_AES_128_GCM, .lifetime_rtcp = DP_SRTCP_MAX_PACKETS + 1},
	};

	for (size_t i = 0; i < sizeof(confs) / sizeof(confs[0]); i++) {
		errno = 0;
		assert_null(dp_srtp_key_create(&confs[i]));
		assert_int_equal(errno, EINVAL);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_changes_without_a_gap),
		cmocka_unit_test(the_key_before_the_previous_comes_back_to_be_wiped),
		cmocka_unit_test(install_and_fini_hand_back_what_was_not_collected),
		cmocka_unit_test(a_fresh_key_starts_the_streams_anew),
		cmocka_unit_test(without_fresh_roc_and_replay_state_go_on),
		cmocka_unit_test(a_peer_may_begin_at_roc_0_under_a_new_key),
		cmocka_unit_test(the_same_key_again_changes_nothing),
		cmocka_unit_test(a_retired_sender_is_silent),
		cmocka_unit_test(lifetimes_are_counted_and_kept),
		cmocka_unit_test(soon_is_said_once_for_both_counts),
		cmocka_unit_test(a_forged_packet_uses_up_no_lifetime),
		cmocka_unit_test(unfit_keys_are_refused),
	};

	return cmocka_run_group_tests(tests, engine_up, engine_down);
}
