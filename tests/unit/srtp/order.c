/*
 * A burst has the outcome of its packets one after the other: duplicates, reordering, roll-overs, new SSRCs, forged packets and key
 * changes within one burst, against a twin that gets the same packets singly. Verdicts, notes, octets and every octet of the contexts.
 */
#include "kit.h"
#include <stdlib.h>

#define LEGS 3
#define MOST 150

static uint64_t random_state;

static uint32_t
rnd(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 20) % below;
}

static struct pair legs[LEGS], twins[LEGS];
static struct packet packets[MOST], copies[MOST];
static struct dp_srtp_op ops[MOST], singles[MOST];
static unsigned made_of[MOST]; /* leg */

/* A packet of some leg: the next one, one far ahead, an old one again; sometimes of another SSRC, sometimes damaged. */
static void
make_any(unsigned i, uint64_t *index, bool is_rtcp)
{
	unsigned leg = made_of[i] = rnd(LEGS);
	uint32_t ssrc = SSRC + (rnd(12) == 0 ? 1 + rnd(5) : 0);
	struct packet *k = &packets[i];

	if (i > 0 && rnd(6) == 0) {
		unsigned again = rnd(i);

		*k = packets[again];
		made_of[i] = made_of[again];
		return;
	}
	index[leg] += rnd(20) == 0 ? 1 + rnd(0x7000) : rnd(5);
	make_packet(k, ssrc, (uint16_t)(index[leg] - (index[leg] > 200 ? rnd(200) : 0)), is_rtcp);
	legs[leg].tx.stream_count = 1;
	legs[leg].tx.stream[0] = (struct dp_srtp_tx_stream){
		.ssrc = ssrc,
		.roc = ssrc == SSRC
			       ? (uint32_t)((index[leg] - (uint16_t)(index[leg] - k->seq)) >> 16)
			       : 0,
		.rtcp_index = (uint32_t)index[leg],
	};
	assert_int_equal(protect(&legs[leg], k, NULL), DP_DROP_NONE);
	if (rnd(10) == 0)
		k->data[rnd(k->len)] ^= (uint8_t)(1 << rnd(8));
}

static void
change_keys(void)
{
	unsigned leg = rnd(LEGS);
	enum dp_suite suite = 1 + rnd(DP_SUITE_COUNT - 1);
	uint8_t seed = (uint8_t)rnd(200), mki_len = (uint8_t)(rnd(2) * 4);
	enum dp_key_slot slot = rnd(3) ? DP_KEY_NEXT : DP_KEY_CURRENT;
	uint32_t flags = rnd(3) ? 0 : DP_KEY_FRESH;

	install_rx(&legs[leg], slot, flags, make_key(suite, seed, mki_len, 60, 60));
	install_rx(&twins[leg], slot, flags, make_key(suite, seed, mki_len, 60, 60));
	if (rnd(4))
		install_tx(&legs[leg], slot, 0, make_key(suite, seed, mki_len, 0, 0));
}

/* Key pointers differ between twins; the rest must not. */
static void
assert_twins(const struct dp_srtp_rx *a, const struct dp_srtp_rx *b)
{
	struct dp_srtp_rx x = *a, y = *b;
	struct dp_srtp_rx *both[] = {&x, &y};

	for (int i = 0; i < 2; i++) {
		struct dp_srtp_slot *slots[] = {&both[i]->current, &both[i]->next,
						&both[i]->previous};

		for (int s = 0; s < 3; s++)
			slots[s]->key = (void *)(uintptr_t)(slots[s]->key != NULL);
		for (int s = 0; s < 2; s++)
			both[i]->gone[s] = (void *)(uintptr_t)(both[i]->gone[s] != NULL);
	}
	assert_memory_equal(&x, &y, sizeof(x));
}

static void
run_both(unsigned n, bool is_rtcp)
{
	void (*unprotect)(struct dp_srtp_engine *, struct dp_srtp_op *, unsigned) =
		is_rtcp ? dp_srtp_unprotect_rtcp : dp_srtp_unprotect_rtp;

	for (unsigned i = 0; i < n; i++) {
		copies[i] = packets[i];
		ops[i] = op_of(&packets[i], &legs[made_of[i]].rx);
		singles[i] = op_of(&copies[i], &twins[made_of[i]].rx);
	}
	unprotect(engine, ops, n);
	for (unsigned i = 0; i < n; i++)
		unprotect(engine, &singles[i], 1);
	for (unsigned i = 0; i < n; i++) {
		assert_int_equal(ops[i].verdict, singles[i].verdict);
		assert_int_equal(ops[i].note, singles[i].note);
		assert_int_equal(ops[i].len, singles[i].len);
		assert_memory_equal(&packets[i], &copies[i], sizeof(packets[i]));
	}
	for (unsigned leg = 0; leg < LEGS; leg++)
		assert_twins(&legs[leg].rx, &twins[leg].rx);
}

static void
bursts_are_as_their_packets_in_order(void **state)
{
	unsigned verdicts[DP_DROP_COUNT] = {0}, notes[16] = {0};

	for (unsigned round = 0; round < 400; round++) {
		uint64_t index[LEGS] = {0};
		bool is_rtcp = round % 3 == 0;

		random_state = 0x9e3779b97f4a7c15 * (round + 1);
		for (unsigned leg = 0; leg < LEGS; leg++) {
			pair_init(&legs[leg], 1 + rnd(DP_SUITE_COUNT - 1));
			pair_init(&twins[leg], (enum dp_suite)legs[leg].tx.current.suite);
		}
		for (unsigned burst = 0; burst < 6; burst++) {
			unsigned n = 1 + rnd(MOST);

			for (unsigned i = 0; i < n; i++) {
				make_any(i, index, is_rtcp);
				if (rnd(60) == 0)
					change_keys();
			}
			run_both(n, is_rtcp);
			for (unsigned i = 0; i < n; i++) {
				verdicts[ops[i].verdict]++;
				notes[ops[i].note & 15]++;
			}
		}
		for (unsigned leg = 0; leg < LEGS; leg++) {
			pair_fini(&legs[leg]);
			pair_fini(&twins[leg]);
		}
	}
	/* the mixture is one: all that can happen did */
	assert_true(verdicts[DP_DROP_NONE] > 10000);
	assert_true(verdicts[DP_DROP_SRTP_AUTH] > 1000);
	assert_true(verdicts[DP_DROP_SRTP_REPLAY] > 1000);
	assert_true(verdicts[DP_DROP_SRTP_STALE] > 100);
	assert_true(verdicts[DP_DROP_SRTP_SSRC_LIMIT] > 100);
	assert_true(verdicts[DP_DROP_SRTP_NO_KEY] > 100);
	assert_true(verdicts[DP_DROP_SRTP_LIFETIME] > 10);
	assert_true(notes[DP_SRTP_NOTE_ROTATED] + notes[DP_SRTP_NOTE_ROTATED | DP_SRTP_NOTE_FIRST] >
		    50);
	assert_true(notes[DP_SRTP_NOTE_KEY_SOON] > 10);
}

static void
a_burst_is_as_long_as_one_likes(void **state)
{
	static struct packet many[1000];
	static struct dp_srtp_op all[1000];
	struct pair p;

	pair_init(&p, DP_SUITE_AES_CM_128_HMAC_SHA1_80);
	for (unsigned n = 0; n <= 1000; n += n < 200 ? 1 : 400) {
		pair_fini(&p);
		pair_init(&p, n % 2 ? DP_SUITE_AES_256_CM_HMAC_SHA1_80 : DP_SUITE_AEAD_AES_128_GCM);
		for (unsigned i = 0; i < n; i++) {
			make_packet(&many[i], SSRC, (uint16_t)i, false);
			all[i] = op_of(&many[i], &p.tx);
		}
		dp_srtp_protect_rtp(engine, all, n);
		for (unsigned i = 0; i < n; i++) {
			assert_int_equal(all[i].verdict, DP_DROP_NONE);
			all[i].ctx = &p.rx;
		}
		dp_srtp_unprotect_rtp(engine, all, n);
		for (unsigned i = 0; i < n; i++) {
			struct packet plain;

			make_packet(&plain, SSRC, (uint16_t)i, false);
			assert_int_equal(all[i].verdict, DP_DROP_NONE);
			assert_int_equal(all[i].len, plain.len);
			assert_memory_equal(many[i].data, plain.data, plain.len);
		}
	}
	pair_fini(&p);
}

static void
a_duplicate_within_a_burst_is_a_replay(void **state)
{
	for (unsigned suite = 1; suite < DP_SUITE_COUNT; suite++) {
		struct packet k[3];
		struct dp_srtp_op burst[3];
		struct pair p;

		pair_init(&p, suite);
		sent(&p, &k[0], 1, false);
		k[2] = k[1] = k[0];
		for (int i = 0; i < 3; i++)
			burst[i] = op_of(&k[i], &p.rx);
		dp_srtp_unprotect_rtp(engine, burst, 3);
		assert_int_equal(burst[0].verdict, DP_DROP_NONE);
		assert_int_equal(burst[1].verdict, DP_DROP_SRTP_REPLAY);
		assert_int_equal(burst[2].verdict, DP_DROP_SRTP_REPLAY);
		assert_memory_equal(&k[1], &k[2], sizeof(k[1]));
		pair_fini(&p);
	}
}

static void
one_burst_goes_round_more_than_once(void **state)
{
	static struct packet k[12];
	struct dp_srtp_op burst[12];
	struct pair p;

	for (unsigned suite = 1; suite < DP_SUITE_COUNT; suite++) {
		pair_init(&p, suite);
		for (unsigned i = 0; i < 12; i++)
			sent(&p, &k[i], (uint16_t)(0x100 + i * 0x5000), false);
		for (unsigned i = 0; i < 12; i++)
			burst[i] = op_of(&k[i], &p.rx);
		dp_srtp_unprotect_rtp(engine, burst, 12);
		for (unsigned i = 0; i < 12; i++)
			assert_int_equal(burst[i].verdict, DP_DROP_NONE);
		assert_int_equal(p.rx.stream[0].roc, 3);
		pair_fini(&p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bursts_are_as_their_packets_in_order),
		cmocka_unit_test(a_burst_is_as_long_as_one_likes),
		cmocka_unit_test(a_duplicate_within_a_burst_is_a_replay),
		cmocka_unit_test(one_burst_goes_round_more_than_once),
	};

	return cmocka_run_group_tests(tests, engine_up, engine_down);
}
