/* People talk: everybody hears all others at the right level and not itself, under keys of their own; packets are conserved. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <cmocka.h>
#include "tests/scenario/worker/room.h"

#define LOUD 4000.0
#define NEAR (LOUD * 0.05) /* G.711 twice, and 20 ms at the edges of what is measured */
#define FAINT (LOUD * 0.02)

static struct room room;

static void
near(double value, double wanted, double within)
{
	if (value < wanted - within || value > wanted + within)
		fail_msg("%.0f is not %.0f +- %.0f", value, wanted, within);
}

/* Frequencies that 500 ms tell apart, 100 Hz between them. */
static double
tone(unsigned i)
{
	return 400 + 100.0 * i;
}

static void
three(enum dp_suite suite, enum dp_codec_id codec, uint16_t ptime_ms)
{
	struct peer *p[3];

	room_open(&room, 16, 4);
	room_conf(&room, 1, 0, 8);
	for (unsigned i = 0; i < 3; i++)
		p[i] = room_join(&room, &(struct seat){.conf = 1,
						       .suite = (uint8_t)suite,
						       .codec = (uint8_t)codec,
						       .ptime_ms = ptime_ms,
						       .hz = tone(i),
						       .amplitude = LOUD});
	room_run(&room, 1500);
	for (unsigned i = 0; i < 3; i++) {
		for (unsigned j = 0; j < 3; j++)
			near(room_hears(p[i], tone(j), 500), i == j ? 0 : LOUD,
			     i == j ? FAINT : NEAR);
		assert_int_equal(p[i]->got_bad, 0);
		assert_int_equal(p[i]->gaps, 0);
		assert_int_equal(p[i]->csrc_count, 2);
		assert_int_equal(room_events(&room, DP_EVENT_FIRST_MEDIA, p[i]->leg), 1);
		assert_int_equal(p[i]->last_len, ptime_ms * 8u * (codec == DP_CODEC_L16 ? 2 : 1));
		assert_int_equal(room_leg_stats(&room, p[i]).concealed_frames, 0);
	}
	room_balance(&room);
	room_close(&room);
}

static void
test_three_by_suite(void **state)
{
	for (enum dp_suite suite = DP_SUITE_NONE; suite < DP_SUITE_COUNT; suite++)
		three(suite, DP_CODEC_PCMU, 20);
}

static void
test_three_by_codec_and_ptime(void **state)
{
	for (uint16_t ptime_ms = 10; ptime_ms <= 60; ptime_ms += 10)
		three(DP_SUITE_AES_CM_128_HMAC_SHA1_80, DP_CODEC_PCMA, ptime_ms);
	three(DP_SUITE_AEAD_AES_128_GCM, DP_CODEC_L16, 20);
	three(DP_SUITE_AEAD_AES_128_GCM, DP_CODEC_L16, 60);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_three_by_suite),
		cmocka_unit_test(test_three_by_codec_and_ptime),
	};

	return cmocka_run_group_tests_name("scenario/worker/talk", tests, NULL, NULL);
}
