/* G.711: known codes, and every table and instruction set against the formulae over all inputs, lengths and alignments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "dataplane/codec/codec.h"
#include "dataplane/codec/g711.h"

/* ITU-T G.711 tables 1 and 2: decoder output values at the ends of segments, in the scale of 16 bits. */
static void
codes_have_the_values_of_the_recommendation(void **state)
{
	static const struct {
		uint8_t code;
		int16_t ulaw, alaw;
	} rows[] = {
		{0x80, 32124, 5504}, {0x00, -32124, -5504}, {0xff, 0, 848},
		{0x7f, 0, -848},     {0xaa, 5372, 32256},   {0x2a, -5372, -32256},
		{0xd5, 716, 8},	     {0x55, -716, -8},	    {0xef, 132, 1696},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(dp_g711_ulaw_expand(rows[i].code), rows[i].ulaw);
		assert_int_equal(dp_g711_alaw_expand(rows[i].code), rows[i].alaw);
	}
}

/* Compressing what a code expands to gives the code again; the two zeros of mu-law are one. */
static void
codes_survive_the_round_trip(void **state)
{
	for (int code = 0; code < 256; code++) {
		assert_int_equal(dp_g711_alaw_compress(dp_g711_alaw_expand((uint8_t)code)), code);
		if (code != 0x7f)
			assert_int_equal(dp_g711_ulaw_compress(dp_g711_ulaw_expand((uint8_t)code)),
					 code);
	}
}

/* No other code lies nearer than the chosen one by more than the error of the recommendation's borders. */
static void
compression_takes_a_nearest_code(void **state)
{
	for (int x = INT16_MIN; x <= INT16_MAX; x++) {
		int ulaw = abs(dp_g711_ulaw_expand(dp_g711_ulaw_compress((int16_t)x)) - x);
		int alaw = abs(dp_g711_alaw_expand(dp_g711_alaw_compress((int16_t)x)) - x);
		int size = abs(x);

		/* half a step of the segment: 1/32 of the value and the least step; above the highest value it clips */
		assert_true(ulaw <= (size + 132) / 32 + 4 || size > 32124);
		assert_true(alaw <= size / 32 + 8 || size > 32256);
	}
}

static void
all_sets_decode_alike(void **state)
{
	uint8_t in[256 + 64];
	int16_t want[256 + 64], got[256 + 64];

	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 167 + 13);
	for (enum dp_isa isa = DP_ISA_C; isa <= dp_isa_best(); isa++) {
		for (int id = DP_CODEC_PCMU; id <= DP_CODEC_PCMA; id++) {
			const struct dp_codec *codec = &dp_codec_table(isa)[id];

			for (uint32_t n = 0; n <= 256; n++) {
				uint32_t shift = n % 33;

				for (uint32_t i = 0; i < n; i++)
					want[i] = id == DP_CODEC_PCMU
							  ? dp_g711_ulaw_expand(in[shift + i])
							  : dp_g711_alaw_expand(in[shift + i]);
				memset(got, 0x5a, sizeof(got));
				assert_int_equal(codec->decode(NULL, got + shift, in + shift, n),
						 n);
				assert_memory_equal(got + shift, want, n * sizeof(*want));
				assert_int_equal(got[shift + n], 0x5a5a);
			}
		}
	}
}

static void
all_sets_encode_all_samples_alike(void **state)
{
	static int16_t pcm[65536];
	static uint8_t want[65536], got[65536 + 1];

	for (int i = 0; i < 65536; i++)
		pcm[i] = (int16_t)(uint16_t)(i * 40503u);
	for (enum dp_isa isa = DP_ISA_C; isa <= dp_isa_best(); isa++) {
		for (int id = DP_CODEC_PCMU; id <= DP_CODEC_PCMA; id++) {
			const struct dp_codec *codec = &dp_codec_table(isa)[id];

			for (int i = 0; i < 65536; i++)
				want[i] = id == DP_CODEC_PCMU ? dp_g711_ulaw_compress(pcm[i])
							      : dp_g711_alaw_compress(pcm[i]);
			assert_int_equal(codec->encode(NULL, got, pcm, 65536), 65536);
			assert_memory_equal(got, want, 65536);
			for (uint32_t n = 0; n <= 200; n++) {
				got[n] = 0xa5;
				codec->encode(NULL, got, pcm + n, n);
				assert_memory_equal(got, want + n, n);
				assert_int_equal(got[n], 0xa5);
			}
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_have_the_values_of_the_recommendation),
		cmocka_unit_test(codes_survive_the_round_trip),
		cmocka_unit_test(compression_takes_a_nearest_code),
		cmocka_unit_test(all_sets_decode_alike),
		cmocka_unit_test(all_sets_encode_all_samples_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
