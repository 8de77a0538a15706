/* Packets that must not move state: forged, cut, replayed, stale, without key, plain; and the SSRC table. */
#include "kit.h"

static const bool both[] = {false, true};

static void
every_flipped_bit_is_noticed(void **state)
{
	for (unsigned suite = 1; suite < DP_SUITE_COUNT; suite++) {
		for (int r = 0; r < 2; r++) {
			struct pair p;
			struct packet good, bad;

			pair_init(&p, suite);
			sent(&p, &good, 100, both[r]);
			assert_int_equal(receive_copy(&p, &good), DP_DROP_NONE);
			sent(&p, &good, 101, both[r]);
			for (uint32_t bit = 0; bit < good.len * 8; bit++) {
				int reason = DP_DROP_SRTP_AUTH;

				bad = good;
				bad.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
				if (both[r]) { /* E flag and index stand where the suite has them */
					uint32_t word = dp_suite_info(suite)->aead ? good.len - 4
										   : good.len - 14;
					bool is_old = bit == (word + 3) * 8; /* index 1 becomes 0 */

					if (bit == word * 8 + 7)
						reason = DP_DROP_SRTP_PLAIN;
					else if (is_old)
						reason = DP_DROP_SRTP_REPLAY;
				}
				assert_dropped_untouched(&p, &bad, reason);
			}
			assert_int_equal(receive(&p, &good, NULL), DP_DROP_NONE);
			pair_fini(&p);
		}
	}
}

static void
every_cut_is_noticed(void **state)
{
	for (unsigned suite = 1; suite < DP_SUITE_COUNT; suite++) {
		for (int r = 0; r < 2; r++) {
			struct pair p;
			struct packet good, cut;
			uint32_t least;

			pair_init(&p, suite);
			sent(&p, &good, 100, both[r]);
			least = both[r] ? 8u + 4 + dp_suite_info(suite)->rtcp_tag
					: 12u + dp_suite_info(suite)->rtp_tag;
			for (uint32_t len = 0; len < good.len; len++) {
				struct dp_srtp_rx before = p.rx;
				struct dp_srtp_op op;

				cut = good;
				cut.len = len;
				memset(cut.data + len, 0xaa, sizeof(cut.data) - len);
				op = op_of(&cut, &p.rx);
				(both[r] ? dp_srtp_unprotect_rtcp : dp_srtp_unprotect_rtp)(engine,
											   &op, 1);
				if (len < least)
					assert_int_equal(op.verdict, DP_DROP_SRTP_SHORT);
				else
					assert_true(op.verdict == DP_DROP_SRTP_AUTH ||
						    (both[r] && op.verdict == DP_DROP_SRTP_PLAIN));
				assert_memory_equal(&before, &p.rx, sizeof(before));
				assert_memory_equal(cut.data, good.data, len);
				for (uint32_t i = len; i < sizeof(cut.data); i++)
					assert_int_equal(cut.data[i], 0xaa);
			}
			pair_fini(&p);
		}
	}
}

static void
a_header_longer_than_the_packet_is_short(void **state)
{
	struct pair p;
	struct packet k;
	struct dp_srtp_op op;

	pair_init(&p, DP_SUITE_AEAD_AES_128_GCM);
	sent(&p, &k, 1, false);
	op = op_of(&k, &p.rx);
	op.header_len = (uint16_t)(k.len - 15);
	dp_srtp_unprotect_rtp(engine, &op, 1);
	assert_int_equal(op.verdict, DP_DROP_SRTP_SHORT);
	op.header_len = 8;
	dp_srtp_unprotect_rtp(engine, &op, 1);
	assert_int_equal(op.verdict, DP_DROP_SRTP_SHORT);
	pair_fini(&p);
}

static void
replayed_and_stale_move_nothing(void **state)
{
	for (unsigned suite = 1; suite < DP_SUITE_COUNT; suite++) {
		for (int r = 0; r < 2; r++) {
			static struct packet kept[300];
			struct pair p;

			pair_init(&p, suite);
			for (uint16_t i = 0; i < 300; i++)
				sent(&p, &kept[i], (uint16_t)(1000 + i), both[r]);
			for (int i = 0; i < 300; i += 2)
				assert_int_equal(receive_copy(&p, &kept[i]), DP_DROP_NONE);
			/* the newest is 298: 171 to 298 are in the window of 128 */
			for (int i = 0; i < 299; i++) {
				if (i < 171)
					assert_dropped_untouched(&p, &kept[i], DP_DROP_SRTP_STALE);
				else if (i % 2 == 0)
					assert_dropped_untouched(&p, &kept[i], DP_DROP_SRTP_REPLAY);
			}
			for (int i = 171; i < 299; i += 2)
				assert_int_equal(receive_copy(&p, &kept[i]), DP_DROP_NONE);
			for (int i = 171; i < 299; i++)
				assert_dropped_untouched(&p, &kept[i], DP_DROP_SRTP_REPLAY);
			assert_int_equal(receive_copy(&p, &kept[299]), DP_DROP_NONE);
			pair_fini(&p);
		}
	}
}

static void
a_window_of_128_moves_by_any_step(void **state)
{
	static const uint16_t steps[] = {1, 2, 63, 64, 65, 126, 127, 128, 129, 1000};

	for (size_t s = 0; s < sizeof(steps) / sizeof(steps[0]); s++) {
		struct pair p;
		struct packet first, between, last;

		pair_init(&p, DP_SUITE_AEAD_AES_128_GCM);
		sent(&p, &first, 100, false);
		sent(&p, &between, 101, false);
		if (steps[s] > 1)
			sent(&p, &last, (uint16_t)(100 + steps[s]), false);
		else
			last = between;
		assert_int_equal(receive_copy(&p, &first), DP_DROP_NONE);
		assert_int_equal(receive_copy(&p, &last), DP_DROP_NONE);
		assert_dropped_untouched(&p, &last, DP_DROP_SRTP_REPLAY);
		assert_dropped_untouched(&p, &first,
					 steps[s] < 128 ? DP_DROP_SRTP_REPLAY : DP_DROP_SRTP_STALE);
		if (steps[s] > 1)
			assert_int_equal(receive_copy(&p, &between),
					 steps[s] <= 128 ? DP_DROP_NONE : DP_DROP_SRTP_STALE);
		pair_fini(&p);
	}
}

static void
without_a_key_nothing_passes(void **state)
{
	struct pair p;
	struct packet k;
	struct dp_srtp_key *out[DP_SRTP_OUT_MAX];

	for (int r = 0; r < 2; r++) {
		pair_init(&p, DP_SUITE_AES_CM_128_HMAC_SHA1_80);
		sent(&p, &k, 7, both[r]);
		assert_int_equal(dp_srtp_rx_retire(&p.rx, DP_KEY_CURRENT, out), 1);
		destroy(out, 1);
		assert_dropped_untouched(&p, &k, DP_DROP_SRTP_NO_KEY);
		assert_int_equal(dp_srtp_rx_suite(&p.rx), DP_SUITE_NONE);
		pair_fini(&p);
	}
}

static void
srtcp_that_is_plain_against_the_agreement_is_refused(void **state)
{
	for (unsigned suite = 1; suite < DP_SUITE_COUNT; suite++) {
		for (int is_plain = 0; is_plain < 2; is_plain++) {
			struct dp_srtp_key_conf conf = {.suite = suite, .is_srtcp_plain = is_plain};
			struct pair p;
			struct packet k;

			dp_srtp_tx_init(&p.tx);
			dp_srtp_rx_init(&p.rx);
			install_tx(&p, DP_KEY_CURRENT, 0, dp_srtp_key_create(&conf));
			conf.is_srtcp_plain = !is_plain;
			install_rx(&p, DP_KEY_CURRENT, 0, dp_srtp_key_create(&conf));
			sent(&p, &k, 1, true);
			assert_dropped_untouched(&p, &k, DP_DROP_SRTP_PLAIN);
			conf.is_srtcp_plain = is_plain;
			pair_fini(&p);
		}
	}
}

static void
what_is_authenticated_only_is_readable_and_still_authentic(void **state)
{
	for (unsigned suite = 1; suite < DP_SUITE_COUNT; suite++) {
		for (int r = 0; r < 2; r++) {
			struct dp_srtp_key_conf conf = {.suite = suite,
							.is_srtp_plain = !both[r],
							.is_srtcp_plain = both[r]};
			struct pair p;
			struct packet k, plain;

			dp_srtp_tx_init(&p.tx);
			dp_srtp_rx_init(&p.rx);
			install_tx(&p, DP_KEY_CURRENT, 0, dp_srtp_key_create(&conf));
			install_rx(&p, DP_KEY_CURRENT, 0, dp_srtp_key_create(&conf));
			make_packet(&plain, SSRC, 9, both[r]);
			sent(&p, &k, 9, both[r]);
			assert_memory_equal(k.data, plain.data, plain.len);
			k.data[20] ^= 0x10;
			assert_dropped_untouched(&p, &k, DP_DROP_SRTP_AUTH);
			k.data[20] ^= 0x10;
			assert_int_equal(receive(&p, &k, NULL), DP_DROP_NONE);
			pair_fini(&p);
		}
	}
}

static void
four_ssrcs_have_a_place_and_no_fifth(void **state)
{
	for (int r = 0; r < 2; r++) {
		struct pair p;
		struct packet k[5], again;
		uint8_t note;

		pair_init(&p, DP_SUITE_AES_CM_128_HMAC_SHA1_80);
		for (uint32_t i = 0; i < 5; i++) {
			struct dp_srtp_tx before = p.tx;

			if (i ==
			    4) { /* the sender has four places as well: another sender of the same key */
				memset(p.tx.stream, 0, sizeof(p.tx.stream));
				p.tx.stream_count = 0;
			}
			make_packet(&k[i], SSRC + i, 50, both[r]);
			assert_int_equal(protect(&p, &k[i], NULL), DP_DROP_NONE);
			if (i == 4)
				p.tx = before;
		}
		for (int i = 0; i < 4; i++) {
			struct packet copy = k[i];

			assert_int_equal(receive(&p, &copy, &note), DP_DROP_NONE);
			assert_int_equal(note, DP_SRTP_NOTE_FIRST);
		}
		assert_dropped_untouched(&p, &k[4], DP_DROP_SRTP_SSRC_LIMIT);
		for (uint32_t i = 0; i < 4; i++) {
			assert_dropped_untouched(&p, &k[i], DP_DROP_SRTP_REPLAY);
			make_packet(&again, SSRC + i, 51, both[r]);
			assert_int_equal(protect(&p, &again, NULL), DP_DROP_NONE);
			assert_int_equal(receive(&p, &again, &note), DP_DROP_NONE);
			assert_int_equal(note, 0);
			if (!both[r])
				assert_int_equal(p.rx.stream[0].ssrc, SSRC + i);
		}
		pair_fini(&p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_flipped_bit_is_noticed),
		cmocka_unit_test(every_cut_is_noticed),
		cmocka_unit_test(a_header_longer_than_the_packet_is_short),
		cmocka_unit_test(replayed_and_stale_move_nothing),
		cmocka_unit_test(a_window_of_128_moves_by_any_step),
		cmocka_unit_test(without_a_key_nothing_passes),
		cmocka_unit_test(srtcp_that_is_plain_against_the_agreement_is_refused),
		cmocka_unit_test(what_is_authenticated_only_is_readable_and_still_authentic),
		cmocka_unit_test(four_ssrcs_have_a_place_and_no_fifth),
	};

	return cmocka_run_group_tests(tests, engine_up, engine_down);
}
