/* The codec table's rows, and L16. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "dataplane/codec/codec.h"

static void
rows_are_whole(void **state)
{
	for (enum dp_isa isa = DP_ISA_C; isa < DP_ISA_COUNT; isa++) {
		const struct dp_codec *table = dp_codec_table(isa);

		assert_null(table[DP_CODEC_NONE].decode);
		for (int id = DP_CODEC_NONE + 1; id < DP_CODEC_COUNT; id++) {
			assert_int_equal(table[id].id, id);
			assert_int_equal(table[id].clock_hz % 50, 0);
			assert_non_null(table[id].duration);
			assert_non_null(table[id].decode);
			assert_non_null(table[id].encode);
			assert_int_equal(table[id].payload_max, 60 * 8 * table[id].unit_octets);
		}
	}
	assert_string_equal(dp_codec_table(DP_ISA_C)[DP_CODEC_PCMU].name, "PCMU");
	assert_int_equal(dp_codec_table(DP_ISA_C)[DP_CODEC_PCMU].static_pt, 0);
	assert_int_equal(dp_codec_table(DP_ISA_C)[DP_CODEC_PCMA].static_pt, 8);
	assert_int_equal(dp_codec_table(DP_ISA_C)[DP_CODEC_L16].static_pt, -1);
}

static void
durations_are_samples(void **state)
{
	const struct dp_codec *table = dp_codec_table(DP_ISA_C);

	assert_int_equal(table[DP_CODEC_PCMU].duration(NULL, 160), 160);
	assert_int_equal(table[DP_CODEC_PCMA].duration(NULL, 0), 0);
	assert_int_equal(table[DP_CODEC_L16].duration(NULL, 320), 160);
	assert_int_equal(table[DP_CODEC_L16].duration(NULL, 321), 0);
}

static void
l16_is_in_network_order(void **state)
{
	const struct dp_codec *l16 = &dp_codec_table(DP_ISA_C)[DP_CODEC_L16];
	const int16_t pcm[] = {0, 1, -1, 0x1234, INT16_MIN, INT16_MAX};
	const uint8_t wire[] = {0, 0, 0, 1, 0xff, 0xff, 0x12, 0x34, 0x80, 0, 0x7f, 0xff};
	uint8_t out[sizeof(wire)];
	int16_t back[6];

	assert_int_equal(l16->encode(NULL, out, pcm, 6), sizeof(wire));
	assert_memory_equal(out, wire, sizeof(wire));
	assert_int_equal(l16->decode(NULL, back, wire, sizeof(wire)), 6);
	assert_memory_equal(back, pcm, sizeof(pcm));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_whole),
		cmocka_unit_test(durations_are_samples),
		cmocka_unit_test(l16_is_in_network_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
