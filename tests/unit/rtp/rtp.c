/* RTP headers: parse, strip, extensions, demux, build; every length of truncation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "dataplane/rtp/rtp.h"

/* Two CSRCs, one-byte extension (id 1 level 0x95, padding, id 3 two octets), payload 4, padding 3. */
static const uint8_t full[] = {
	0xb2, 0x80, 0x12, 0x34, 0x01, 0x02, 0x03, 0x04,
	0xaa, 0xbb, 0xcc, 0xdd,				/* fixed: P, X, CC 2, M, PT 0 */
	0x11, 0x11, 0x11, 0x11, 0x22, 0x22, 0x22, 0x22, /* CSRCs */
	0xbe, 0xde, 0x00, 0x02, 0x10, 0x95, 0x00, 0x31,
	0x77, 0x88, 0x00, 0x00,			  /* extension */
	0xd5, 0xd5, 0xd5, 0xd5, 0x00, 0x00, 0x03, /* payload, padding */
};
#define FULL_HEADER 32

static void
all_fields_come_out(void **state)
{
	struct dp_rtp rtp;
	uint16_t payload_len;

	assert_int_equal(dp_rtp_parse(&rtp, full, sizeof(full)), DP_DROP_NONE);
	assert_int_equal(rtp.seq, 0x1234);
	assert_int_equal(rtp.ts, 0x01020304);
	assert_int_equal(rtp.ssrc, 0xaabbccdd);
	assert_int_equal(rtp.pt, 0);
	assert_true(rtp.has_marker && rtp.has_padding);
	assert_int_equal(rtp.csrc_count, 2);
	assert_int_equal(dp_rtp_csrc(full, 0), 0x11111111);
	assert_int_equal(dp_rtp_csrc(full, 1), 0x22222222);
	assert_int_equal(rtp.header_len, FULL_HEADER);
	assert_int_equal(rtp.ext_profile, 0xbede);
	assert_int_equal(rtp.ext_len, 8);
	assert_int_equal(dp_rtp_strip(&payload_len, &rtp, full, sizeof(full)), DP_DROP_NONE);
	assert_int_equal(payload_len, 4);
}

static void
every_truncation_is_refused(void **state)
{
	for (size_t len = 0; len < FULL_HEADER; len++) {
		uint8_t *copy = malloc(len + 1);
		struct dp_rtp rtp;

		memcpy(copy, full, len);
		assert_int_equal(dp_rtp_parse(&rtp, copy, len),
				 len < 12 ? DP_DROP_PKT_SHORT : DP_DROP_RTP_HEADER);
		free(copy);
	}
}

static void
other_versions_are_not_rtp(void **state)
{
	uint8_t data[12] = {0};
	struct dp_rtp rtp;

	for (int version = 0; version < 4; version++) {
		data[0] = (uint8_t)(version << 6);
		assert_int_equal(dp_rtp_parse(&rtp, data, 12),
				 version == 2 ? DP_DROP_NONE : DP_DROP_NOT_RTP);
	}
}

static void
padding_is_checked_after_unprotect(void **state)
{
	static const struct {
		uint8_t count;
		enum dp_drop want;
		uint16_t payload_len;
	} rows[] = {
		{0, DP_DROP_RTP_HEADER, 0}, {1, DP_DROP_NONE, 7},	  {8, DP_DROP_NONE, 0},
		{9, DP_DROP_RTP_HEADER, 0}, {255, DP_DROP_RTP_HEADER, 0},
	};
	uint8_t data[20] = {0xa0};
	struct dp_rtp rtp;
	uint16_t payload_len = 99;

	assert_int_equal(dp_rtp_parse(&rtp, data, sizeof(data)), DP_DROP_NONE);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		data[19] = rows[i].count;
		assert_int_equal(dp_rtp_strip(&payload_len, &rtp, data, sizeof(data)),
				 rows[i].want);
		if (rows[i].want == DP_DROP_NONE)
			assert_int_equal(payload_len, rows[i].payload_len);
	}
	assert_int_equal(dp_rtp_strip(&payload_len, &rtp, data, 12), DP_DROP_RTP_HEADER);
	assert_int_equal(dp_rtp_strip(&payload_len, &rtp, data, 11), DP_DROP_RTP_HEADER);
}

static void
extension_elements_are_walked(void **state)
{
	struct dp_rtp rtp;
	struct dp_rtp_ext ext;
	size_t at = 0;

	assert_int_equal(dp_rtp_parse(&rtp, full, sizeof(full)), DP_DROP_NONE);
	assert_true(dp_rtp_ext_next(&ext, &rtp, full, &at));
	assert_int_equal(ext.id, 1);
	assert_int_equal(ext.len, 1);
	assert_int_equal(ext.data[0], 0x95);
	assert_true(dp_rtp_ext_next(&ext, &rtp, full, &at));
	assert_int_equal(ext.id, 3);
	assert_int_equal(ext.len, 2);
	assert_false(dp_rtp_ext_next(&ext, &rtp, full, &at));
	assert_int_equal(dp_rtp_ext_level(&rtp, full, 1), 0x15);
	assert_int_equal(dp_rtp_ext_level(&rtp, full, 2), -1);
}

/* Two-byte form: id 5 of no octets, id 1 of one; then one that reaches beyond the extension. */
static void
two_byte_elements_are_walked(void **state)
{
	const uint8_t data[] = {0x90, 0,    0, 0, 0, 0, 0, 0, 0,    0, 0, 0,
				0x10, 0x00, 0, 2, 5, 0, 1, 1, 0x22, 7, 9, 1};
	struct dp_rtp rtp;
	struct dp_rtp_ext ext;
	size_t at = 0;

	assert_int_equal(dp_rtp_parse(&rtp, data, sizeof(data)), DP_DROP_NONE);
	assert_true(dp_rtp_ext_next(&ext, &rtp, data, &at));
	assert_int_equal(ext.id, 5);
	assert_int_equal(ext.len, 0);
	assert_true(dp_rtp_ext_next(&ext, &rtp, data, &at));
	assert_int_equal(ext.id, 1);
	assert_int_equal(ext.data[0], 0x22);
	assert_false(dp_rtp_ext_next(&ext, &rtp, data, &at));
	assert_int_equal(dp_rtp_ext_level(&rtp, data, 1), 0x22);
}

static void
unknown_profiles_and_id_15_end_the_walk(void **state)
{
	uint8_t data[] = {0x90, 0, 0,	 0,    0, 0, 0,	   0, 0,    0,
			  0,	0, 0xbe, 0xde, 0, 1, 0xf0, 1, 0x10, 2};
	struct dp_rtp rtp;

	assert_int_equal(dp_rtp_parse(&rtp, data, sizeof(data)), DP_DROP_NONE);
	assert_int_equal(dp_rtp_ext_level(&rtp, data, 1), -1);
	data[16] = 0;
	data[17] = 0;
	assert_int_equal(dp_rtp_ext_level(&rtp, data, 1), 2);
	data[12] = 0x12;
	assert_int_equal(dp_rtp_parse(&rtp, data, sizeof(data)), DP_DROP_NONE);
	assert_int_equal(dp_rtp_ext_level(&rtp, data, 1), -1);
}

/* RFC 5761 4: by the second octet alone. */
static void
rtcp_is_told_from_rtp(void **state)
{
	for (int octet = 0; octet < 256; octet++) {
		const uint8_t data[2] = {0x80, (uint8_t)octet};

		assert_int_equal(dp_rtp_is_rtcp(data, 2), octet >= 192 && octet <= 223);
		assert_false(dp_rtp_is_rtcp(data, 1));
	}
}

static void
what_is_built_is_parsed(void **state)
{
	uint32_t csrcs[20];
	uint8_t out[DP_RTP_HEADER_MAX];

	for (uint32_t i = 0; i < 20; i++)
		csrcs[i] = 0x01020304 * i;
	for (uint8_t count = 0; count <= 16; count++) {
		struct dp_rtp_make make = {.csrcs = csrcs,
					   .csrc_count = count,
					   .ts = 0xfedcba98,
					   .ssrc = 77,
					   .seq = 65535,
					   .pt = 101,
					   .has_marker = count & 1};
		struct dp_rtp rtp;
		uint8_t want = count > 15 ? 15 : count;

		assert_int_equal(dp_rtp_build(out, &make), 12 + 4 * want);
		assert_int_equal(dp_rtp_parse(&rtp, out, 12 + 4u * want), DP_DROP_NONE);
		assert_int_equal(rtp.csrc_count, want);
		assert_int_equal(rtp.ts, make.ts);
		assert_int_equal(rtp.ssrc, 77);
		assert_int_equal(rtp.seq, 65535);
		assert_int_equal(rtp.pt, 101);
		assert_int_equal(rtp.has_marker, count & 1);
		assert_int_equal(rtp.header_len, 12 + 4 * want);
		for (unsigned i = 0; i < want; i++)
			assert_int_equal(dp_rtp_csrc(out, i), csrcs[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_fields_come_out),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(other_versions_are_not_rtp),
		cmocka_unit_test(padding_is_checked_after_unprotect),
		cmocka_unit_test(extension_elements_are_walked),
		cmocka_unit_test(two_byte_elements_are_walked),
		cmocka_unit_test(unknown_profiles_and_id_15_end_the_walk),
		cmocka_unit_test(rtcp_is_told_from_rtp),
		cmocka_unit_test(what_is_built_is_parsed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
