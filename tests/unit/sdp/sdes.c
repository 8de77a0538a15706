/* a=crypto lines, row by row: RFC 4568 sections 4, 6, 9 and what is wrong with them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "ctrlplane/sdp/sdes.h"

#pragma GCC diagnostic ignored "-Wmissing-field-initializers" /* rows say what is not zero */

#define K30 "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz" /* 30 octets, the RFC's */
#define L30 "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR" /* and its answer's */
#define K28 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw==" /* 28 octets: 128-bit GCM */
#define K44 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKis="     /* 44: 256-bit GCM */
#define K46 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLQ==" /* 46: AES_256_CM */
#define CM80 "AES_CM_128_HMAC_SHA1_80"

struct row {
	const char *line;
	enum cp_sdes_verdict verdict;
	enum dp_suite suite;
	uint32_t tag;
	int keys;
	uint64_t lifetime;
	int mki_len;
	int flags;
};

static const struct row fine[] = {
	/* the examples of RFC 4568 4.1, 4.5, 6.1, 7.1.5 */
	{"1 " CM80 " inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR|2^20|1:32",
	 CP_SDES_UNSUPPORTED, 0, 1},
	{"1 " CM80 " inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:4", 0,
	 DP_SUITE_AES_CM_128_HMAC_SHA1_80, 1, 1, 1 << 20, 4},
	{"1 AES_CM_128_HMAC_SHA1_32 inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj|2^20|1:16", 0,
	 DP_SUITE_AES_CM_128_HMAC_SHA1_32, 1, 1, 1 << 20, 16},
	{"1 " CM80 " inline:YUJDZGVmZ2hpSktMbW9QUXJzVHVWd3l6MTIzNDU2|1066:4", 0,
	 DP_SUITE_AES_CM_128_HMAC_SHA1_80, 1, 1, 0, 4},
	{"1 " CM80 " inline:" K30 "|2^20|1:4 FEC_ORDER=FEC_SRTP", 0,
	 DP_SUITE_AES_CM_128_HMAC_SHA1_80, 1, 1, 1 << 20, 4},
	{"2 F8_128_HMAC_SHA1_80 "
	 "inline:MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJjZGVm|2^20|1:4;inline:"
	 "QUJjZGVmMTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5|2^20|2:4 FEC_ORDER=FEC_SRTP",
	 CP_SDES_UNSUPPORTED, 0, 2},
	/* suites */
	{"1 " CM80 " inline:" K30, 0, DP_SUITE_AES_CM_128_HMAC_SHA1_80, 1, 1},
	{"2 AES_CM_128_HMAC_SHA1_32 inline:" K30, 0, DP_SUITE_AES_CM_128_HMAC_SHA1_32, 2, 1},
	{"3 AES_256_CM_HMAC_SHA1_80 inline:" K46, 0, DP_SUITE_AES_256_CM_HMAC_SHA1_80, 3, 1},
	{"4 AEAD_AES_128_GCM inline:" K28, 0, DP_SUITE_AEAD_AES_128_GCM, 4, 1},
	{"5 AEAD_AES_256_GCM inline:" K44, 0, DP_SUITE_AEAD_AES_256_GCM, 5, 1},
	{"5 AEAD_AES_128_GCM inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw", 0,
	 DP_SUITE_AEAD_AES_128_GCM, 5, 1}, /* padding left out */
	{"6 AES_192_CM_HMAC_SHA1_80 inline:" K30, CP_SDES_UNSUPPORTED, 0, 6},
	{"7 aes_cm_128_hmac_sha1_80 inline:" K30, CP_SDES_UNSUPPORTED, 0, 7},
	/* tags and white space */
	{"0 " CM80 " inline:" K30, 0, DP_SUITE_AES_CM_128_HMAC_SHA1_80, 0, 1},
	{"999999999 " CM80 " inline:" K30, 0, DP_SUITE_AES_CM_128_HMAC_SHA1_80, 999999999, 1},
	{"1\t " CM80 " \t inline:" K30 "  ", 0, DP_SUITE_AES_CM_128_HMAC_SHA1_80, 1, 1},
	/* lifetime and MKI */
	{"1 " CM80 " inline:" K30 "|2^48", 0, DP_SUITE_AES_CM_128_HMAC_SHA1_80, 1, 1, 1ULL << 48},
	{"1 " CM80 " inline:" K30 "|2^31", 0, DP_SUITE_AES_CM_128_HMAC_SHA1_80, 1, 1, 1ULL << 31},
	{"1 " CM80 " inline:" K30 "|281474976710656", 0, DP_SUITE_AES_CM_128_HMAC_SHA1_80, 1, 1,
	 1ULL << 48},
	{"1 " CM80 " inline:" K30 "|1", 0, DP_SUITE_AES_CM_128_HMAC_SHA1_80, 1, 1, 1},
	{"1 " CM80 " inline:" K30 "|2^20|255:1", 0, DP_SUITE_AES_CM_128_HMAC_SHA1_80, 1, 1, 1 << 20,
	 1},
	{"1 " CM80 " inline:" K30 "|340282366920938463463374607431768211455:16", 0,
	 DP_SUITE_AES_CM_128_HMAC_SHA1_80, 1, 1, 0, 16},
	{"1 " CM80 " inline:" K30 "|1:4;inline:" L30 "|2:4", 0, DP_SUITE_AES_CM_128_HMAC_SHA1_80, 1,
	 2, 0, 4},
	{"1 " CM80 " inline:" K30 "|1:128", CP_SDES_UNSUPPORTED, 0, 1},
	{"1 " CM80 " inline:" K30 "|1:17", CP_SDES_UNSUPPORTED, 0, 1},
	{"1 " CM80 " inline:" K30 "|1:4;inline:" L30 "|2:4;inline:" K30 "|3:4", CP_SDES_UNSUPPORTED,
	 0, 1},
	/* session parameters */
	{"1 " CM80 " inline:" K30 " KDR=0", 0, DP_SUITE_AES_CM_128_HMAC_SHA1_80, 1, 1},
	{"1 " CM80 " inline:" K30 " KDR=1", CP_SDES_UNSUPPORTED, 0, 1},
	{"1 " CM80 " inline:" K30 " KDR=24", CP_SDES_UNSUPPORTED, 0, 1},
	{"1 " CM80 " inline:" K30 " UNENCRYPTED_SRTP", 0, DP_SUITE_AES_CM_128_HMAC_SHA1_80, 1, 1, 0,
	 0, CP_SDES_PLAIN_SRTP},
	{"1 " CM80 " inline:" K30 " UNENCRYPTED_SRTCP", 0, DP_SUITE_AES_CM_128_HMAC_SHA1_80, 1, 1,
	 0, 0, CP_SDES_PLAIN_SRTCP},
	{"1 " CM80 " inline:" K30 " UNAUTHENTICATED_SRTP", 0, DP_SUITE_AES_CM_128_HMAC_SHA1_80, 1,
	 1, 0, 0, CP_SDES_UNAUTHENTICATED},
	{"1 " CM80 " inline:" K30 " FEC_ORDER=SRTP_FEC WSH=64 -X=1 -FOO", 0,
	 DP_SUITE_AES_CM_128_HMAC_SHA1_80, 1, 1},
	{"1 " CM80 " inline:" K30 " WSH=1024", 0, DP_SUITE_AES_CM_128_HMAC_SHA1_80, 1, 1},
	{"1 " CM80 " inline:" K30 " FEC_KEY=inline:" L30, CP_SDES_UNSUPPORTED, 0, 1},
	{"1 " CM80 " uri:" K30, CP_SDES_UNSUPPORTED, 0, 1},
};

static const char *const invalid[] = {
	"",
	"1",
	"1 ",
	"1 " CM80,
	"1 " CM80 " ",
	"x " CM80 " inline:" K30,
	"-1 " CM80 " inline:" K30,
	"1000000000 " CM80 " inline:" K30,
	"01 " CM80 " inline:" K30,
	CM80 " inline:" K30,
	"1 AES-CM inline:" K30,
	"1 " CM80 " " K30,
	"1 " CM80 " inline",
	"1 " CM80 " inline:",
	/* keys */
	"1 " CM80 " inline:" K28,
	"1 " CM80 " inline:" K46,
	"1 AEAD_AES_128_GCM inline:" K30,
	"1 AEAD_AES_256_GCM inline:" K46,
	"1 AES_256_CM_HMAC_SHA1_80 inline:" K30,
	"1 AES_256_CM_HMAC_SHA1_80 inline:" K44,
	"1 " CM80 " inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGV",
	"1 " CM80 " inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGV=",
	"1 " CM80 " inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubG-_",
	"1 " CM80 " inline:" K30 "====",
	"1 " CM80 " inline:WVNfX19zZW1jd!wgKCkgewkyMjA7fQp9CnVubGVz",
	"1 AEAD_AES_128_GCM inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGx==",
	"1 " CM80 " inline:" K30 ";",
	"1 " CM80 " inline:" K30 "|1:4;" L30 "|2:4",
	"1 " CM80 " inline:" K30 ";inline:" L30,
	"1 " CM80 " inline:" K30 "|1:4;inline:" L30,
	"1 " CM80 " inline:" K30 "|1:4;inline:" L30 "|2:8",
	"1 " CM80 " inline:" K30 "|1:4;inline:" L30 "|1:4",
	"1 " CM80 " inline:" K30 "|1:4;inline:" K30 "|2:4",
	/* lifetime */
	"1 " CM80 " inline:" K30 "|",
	"1 " CM80 " inline:" K30 "|0",
	"1 " CM80 " inline:" K30 "|020",
	"1 " CM80 " inline:" K30 "|2^",
	"1 " CM80 " inline:" K30 "|2^0",
	"1 " CM80 " inline:" K30 "|2^020",
	"1 " CM80 " inline:" K30 "|2^49",
	"1 " CM80 " inline:" K30 "|2^64",
	"1 " CM80 " inline:" K30 "|281474976710657",
	"1 " CM80 " inline:" K30 "|99999999999999999999999",
	"1 " CM80 " inline:" K30 "|3^20",
	"1 " CM80 " inline:" K30 "|2^20|",
	"1 " CM80 " inline:" K30 "|2^20|2^20",
	"1 " CM80 " inline:" K30 "|2^20||1:4",
	/* MKI */
	"1 " CM80 " inline:" K30 "|1:",
	"1 " CM80 " inline:" K30 "|:4",
	"1 " CM80 " inline:" K30 "|0:4",
	"1 " CM80 " inline:" K30 "|01:4",
	"1 " CM80 " inline:" K30 "|1:0",
	"1 " CM80 " inline:" K30 "|1:04",
	"1 " CM80 " inline:" K30 "|1:129",
	"1 " CM80 " inline:" K30 "|256:1",
	"1 " CM80 " inline:" K30 "|340282366920938463463374607431768211456:16",
	"1 " CM80 " inline:" K30 "|1x:4",
	"1 " CM80 " inline:" K30 "|1:4:4",
	"1 " CM80 " inline:" K30 "|1:4|2^20",
	"1 " CM80 " inline:" K30 "|2^20|1:4|1:4",
	"1 " CM80 " inline:" K30 "|1:4|",
	/* session parameters */
	"1 " CM80 " inline:" K30 " KDR=25",
	"1 " CM80 " inline:" K30 " KDR=01",
	"1 " CM80 " inline:" K30 " KDR=",
	"1 " CM80 " inline:" K30 " KDR",
	"1 " CM80 " inline:" K30 " FEC_ORDER=X",
	"1 " CM80 " inline:" K30 " WSH=63",
	"1 " CM80 " inline:" K30 " WSH=",
	"1 " CM80 " inline:" K30 " WSH=064",
	"1 " CM80 " inline:" K30 " FOO",
	"1 " CM80 " inline:" K30 " FOO=BAR",
	"1 " CM80 " inline:" K30 " UNENCRYPTED",
	"1 " CM80 " inline:" K30 " \x01",
	"1 " CM80 " inline:" K30 " -\xc3\xa4",
};

static void
lines_are_what_the_rfc_says(void **state)
{
	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
		const struct row *row = &fine[i];
		struct cp_sdes sdes;
		enum cp_sdes_verdict verdict = cp_sdes_decode(&sdes, cp_slice_text(row->line));

		if (verdict != row->verdict)
			fail_msg("%s: %d, not %d (%s)", row->line, verdict, row->verdict,
				 sdes.why ? sdes.why : "-");
		assert_int_equal(sdes.tag, row->tag);
		assert_int_equal(sdes.key_count, row->keys);
		if (verdict != CP_SDES_FINE) {
			assert_non_null(sdes.why);
			continue;
		}
		assert_int_equal(sdes.suite, row->suite);
		assert_int_equal(sdes.flags, row->flags);
		for (int k = 0; k < row->keys; k++) {
			const struct dp_suite_info *info = dp_suite_info(row->suite);

			assert_int_equal(cp_secret_len(sdes.keys[k].octets),
					 info->key + info->salt);
			assert_true(sdes.keys[k].lifetime == row->lifetime);
			assert_int_equal(sdes.keys[k].mki_len, row->mki_len);
		}
		cp_sdes_drop(&sdes);
	}
	assert_int_equal(cp_secret_count(), 0);
}

static void
invalid_lines_are_invalid(void **state)
{
	for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++) {
		struct cp_sdes sdes;

		if (cp_sdes_decode(&sdes, cp_slice_text(invalid[i])) != CP_SDES_INVALID)
			fail_msg("row %zu passed: %s", i, invalid[i]);
		assert_non_null(sdes.why);
		assert_int_equal(sdes.key_count, 0);
	}
	assert_int_equal(cp_secret_count(), 0);
}

/* MKI 1066 in four octets; the key is what stood there. */
static void
octets_come_out_right(void **state)
{
	static const uint8_t mki[] = {0, 0, 4, 42};
	struct cp_sdes sdes;

	assert_int_equal(
		cp_sdes_decode(
			&sdes,
			cp_slice_text("1 " CM80
				      " inline:YUJDZGVmZ2hpSktMbW9QUXJzVHVWd3l6MTIzNDU2|1066:4")),
		0);
	assert_memory_equal(cp_secret_octets(sdes.keys[0].octets), "aBCdefghiJKLmoPQrsTuVwyz123456",
			    30);
	assert_memory_equal(sdes.keys[0].mki, mki, 4);
	cp_sdes_drop(&sdes);
}

static void
what_is_written_reads_the_same(void **state)
{
	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
		struct cp_sdes sdes, again;
		char text[CP_SDES_LINE_MAX];
		int len;

		if (cp_sdes_decode(&sdes, cp_slice_text(fine[i].line)) != CP_SDES_FINE)
			continue;
		len = cp_sdes_encode(text, sizeof(text), sdes.tag, &sdes.keys[0], sdes.flags);
		assert_true(len > 0);
		assert_int_equal(strlen(text), len);
		assert_int_equal(cp_sdes_decode(&again, cp_slice_text(text)), CP_SDES_FINE);
		assert_int_equal(again.tag, sdes.tag);
		assert_int_equal(again.flags, sdes.flags);
		assert_true(again.keys[0].lifetime == sdes.keys[0].lifetime);
		assert_true(cp_key_is_same(&again.keys[0], &sdes.keys[0]));
		for (int size = 0; size <= len; size++)
			if (size > 0)
				assert_true(cp_sdes_encode(text, (size_t)size, sdes.tag,
							   &sdes.keys[0], sdes.flags) < 0);
		cp_sdes_drop(&sdes);
		cp_sdes_drop(&again);
	}
}

/* Cut off anywhere, a line is read within its bounds, and never with a shorter key. */
static void
truncation_never_reads_on(void **state)
{
	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
		for (size_t len = 0; len < strlen(fine[i].line); len++) {
			struct cp_sdes sdes;
			char *copy = test_malloc(len + 1);

			memcpy(copy, fine[i].line, len);
			if (cp_sdes_decode(&sdes, cp_slice(copy, len)) == CP_SDES_FINE)
				assert_int_equal(cp_secret_len(sdes.keys[0].octets),
						 dp_suite_info(sdes.suite)->key +
							 dp_suite_info(sdes.suite)->salt);
			cp_sdes_drop(&sdes);
			test_free(copy);
		}
	}
	assert_int_equal(cp_secret_count(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_what_the_rfc_says),
		cmocka_unit_test(invalid_lines_are_invalid),
		cmocka_unit_test(octets_come_out_right),
		cmocka_unit_test(what_is_written_reads_the_same),
		cmocka_unit_test(truncation_never_reads_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
