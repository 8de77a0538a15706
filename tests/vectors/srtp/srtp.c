/* Published vectors: RFC 3711 B.2 and B.3, RFC 6188 7.1 and 7.2, RFC 7714 16 and 17, by the functions that carry media. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "dataplane/api/drops.h"
#include "dataplane/srtp/engine_state.h"
#include "dataplane/srtp/srtp.h"
#include "drivers/crypto/crypto.h"

static struct dp_srtp_engine *engine;

static size_t
from_hex(uint8_t *out, const char *hex)
{
	size_t n = 0;
	unsigned value;

	while (*hex) {
		if (*hex == ' ') {
			hex++;
			continue;
		}
		assert_int_equal(sscanf(hex, "%2x", &value), 1);
		out[n++] = (uint8_t)value;
		hex += 2;
	}
	return n;
}

static void
assert_hex(const uint8_t *got, const char *hex)
{
	uint8_t want[256];
	size_t n = from_hex(want, hex);

	assert_memory_equal(got, want, n);
}

/* Keystream of a whole segment of 65,282 blocks, through the cipher burst. */
static void
keystream(const char *key_hex, unsigned suite, const char *first, const char *last)
{
	static uint8_t stream[65282 * 16];
	static struct dp_srtp_key *key;
	struct dp_srtp_key_conf conf = {.suite = suite};
	struct dp_srtp_session session = {.auth = {0}};
	struct dp_srtp_cm *cm;

	key = dp_srtp_key_create(&conf);
	assert_non_null(key);
	from_hex(session.cipher, key_hex);
	from_hex(session.salt, "F0F1F2F3F4F5F6F7F8F9FAFBFCFD");
	dp_srtp_expand(engine->mgr, key, false, &session);
	cm = dp_srtp_session_at(key, false);
	memset(stream, 0, sizeof(stream));
	dp_srtp_cm_iv(dp_srtp_next_iv(engine, dp_srtp_suite_is_256(suite)), cm->salt, 0, 0);
	dp_srtp_queue_cipher(engine, cm, dp_srtp_suite_is_256(suite), stream, sizeof(stream));
	dp_srtp_run_ciphers(engine);
	assert_hex(stream, first);
	assert_hex(stream + 0xfeff * 16, last);
	dp_srtp_key_destroy(key);
}

static void
keystream_of_rfc3711_b2(void **state)
{
	keystream("2B7E151628AED2A6ABF7158809CF4F3C", DP_SUITE_AES_CM_128_HMAC_SHA1_80,
		  "E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB "
		  "41E95B3BB0A2E8DD477901E4FCA894C0",
		  "EC8CDF7398607CB0F2D21675EA9EA1E4 362B7C3C6773516318A077D7FC5073AE "
		  "6A2CC3787889374FBEB4C81B17BA6C44");
}

static void
keystream_of_rfc6188_7_1(void **state)
{
	keystream("57f82fe3613fd170a85ec93c40b1f092 2ec4cb0dc025b58272147cc438944a98",
		  DP_SUITE_AES_256_CM_HMAC_SHA1_80,
		  "92bdd28a93c3f52511c677d08b5515a4 9da71b2378a854f67050756ded165bac "
		  "63c4868b7096d88421b563b8c94c9a31",
		  "cea518c90fd91ced9cbb18c078a54711 3dbc4814f4da5f00a08772b63c6a046d "
		  "6eb246913062a16891433e97dd01a57f");
}

static void
key_derivation_of_rfc3711_b3(void **state)
{
	struct dp_srtp_session session;
	uint8_t key[32], salt[16];

	from_hex(key, "E1F97A0D3E018BE0D64FA32C06DE4139");
	from_hex(salt, "0EC675AD498AFEEBB6960B3AABE6");
	dp_srtp_derive(engine->mgr, &session, key, salt, DP_SUITE_AES_CM_128_HMAC_SHA1_80, false);
	assert_hex(session.cipher, "C61E7A93744F39EE10734AFE3FF7A087");
	assert_hex(session.salt, "30CBBC08863D8C85D49DB34A9AE1");
	assert_hex(session.auth, "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4");
}

static void
key_derivation_of_rfc6188_7_2(void **state)
{
	struct dp_srtp_session session;
	uint8_t key[32], salt[16];

	from_hex(key, "f0f04914b513f2763a1b1fa130f10e29 98f6f6e43e4309d1e622a0e332b9f1b6");
	from_hex(salt, "3b04803de51ee7c96423ab5b78d2");
	dp_srtp_derive(engine->mgr, &session, key, salt, DP_SUITE_AES_256_CM_HMAC_SHA1_80, false);
	assert_hex(session.cipher,
		   "5ba1064e30ec51613cad926c5a28ef73 1ec7fb397f70a960653caf06554cd8c4");
	assert_hex(session.salt, "fa31791685ca444a9e07c6c64e93");
	assert_hex(session.auth, "fd9c32d39ed5fbb5a9dc96b30818454d1313dc05");
}

/* RFC 7714: the vectors give session keys, so these take the place of the derived ones. */
struct gcm_row {
	const char *section;
	enum dp_suite suite;
	bool is_rtcp, is_plain;
	const char *packet, *protected;
};

#define RTP "8040f17b 8041f8d3 5501a0b2 "
#define GALLIA \
	"47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070 61727465 73207472 6573"
#define RTCP "81c8000d 4d617273 "
#define LUNA                                                                                \
	"4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef deadbeef " \
	"deadbeef deadbeef "

static const struct gcm_row gcm_rows[] = {
	{"16.1.1 and 16.1.2", DP_SUITE_AEAD_AES_128_GCM, false, false, RTP GALLIA,
	 RTP "f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a 51c7d19b 36de3adf 8833"
	     "899d 7f27beb1 6a9152cf 765ee439 0cce"},
	{"16.1.3 and 16.1.4", DP_SUITE_AEAD_AES_128_GCM, false, true, RTP GALLIA,
	 RTP GALLIA "2249 3f82d2bc e397e9d7 9e3b19aa 4216"},
	{"16.2.1 and 16.2.2", DP_SUITE_AEAD_AES_256_GCM, false, false, RTP GALLIA,
	 RTP "32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3 b50b2a02 76ffae0f 1ba63799 b87b"
	     "7aa3 db36dfff d6b0f9bb 7878d7a7 6c13"},
	{"17.1", DP_SUITE_AEAD_AES_128_GCM, true, false, RTCP LUNA,
	 RTCP "63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1 730d6fda 4ce09b46 "
	      "86303ded 0bb9275b"
	      "c84aa458 96cf4d2f c5abf872 45d9eade 800005d4"},
	{"17.2", DP_SUITE_AEAD_AES_256_GCM, true, false, RTCP LUNA,
	 RTCP "d50ae4d1 f5ce5d30 4ba297e4 7d470c28 2c3ece5d bffe0a50 a2eaa5c1 110555be 8415f658 "
	      "c61de047 6f1b6fad"
	      "1d1eb30c 4446839f 57ff6f6c b26ac3be 800005d4"},
	{"17.3", DP_SUITE_AEAD_AES_128_GCM, true, true, RTCP LUNA,
	 RTCP LUNA "841dd968 3dd78ec9 2ae58790 125f62b3 000005d4"},
	{"17.4", DP_SUITE_AEAD_AES_256_GCM, true, true, RTCP LUNA,
	 RTCP LUNA "91db4afb feee5a97 8fab4393 ed2615fe 000005d4"},
};

static struct dp_srtp_key *
gcm_key(const struct gcm_row *row)
{
	struct dp_srtp_key_conf conf = {.suite = row->suite,
					.is_srtp_plain = row->is_plain,
					.is_srtcp_plain = row->is_plain};
	struct dp_srtp_key *key = dp_srtp_key_create(&conf);
	struct dp_srtp_session session = {.auth = {0}};

	assert_non_null(key);
	for (int i = 0; i < 32; i++)
		session.cipher[i] = (uint8_t)i;
	memcpy(session.salt, "Quid pro quo", 12);
	dp_srtp_expand(engine->mgr, key, row->is_rtcp, &session);
	return key;
}

static void
gcm_of_rfc7714(void **state)
{
	for (size_t i = 0; i < sizeof(gcm_rows) / sizeof(gcm_rows[0]); i++) {
		const struct gcm_row *row = &gcm_rows[i];
		struct dp_srtp_key *out[DP_SRTP_OUT_MAX];
		struct dp_srtp_tx tx;
		struct dp_srtp_rx rx;
		uint8_t packet[128], plain[128], want[128];
		size_t plain_len = from_hex(plain, row->packet),
		       want_len = from_hex(want, row->protected);
		struct dp_srtp_op op = {.data = packet,
					.ctx = &tx,
					.len = (uint32_t)plain_len,
					.room = sizeof(packet),
					.header_len = 12,
					.ssrc = 0x5501a0b2,
					.seq = 0xf17b};

		dp_srtp_tx_init(&tx);
		dp_srtp_rx_init(&rx);
		assert_int_equal(dp_srtp_tx_install(&tx, DP_KEY_CURRENT, 0, gcm_key(row), out), 0);
		assert_int_equal(dp_srtp_rx_install(&rx, DP_KEY_CURRENT, 0, gcm_key(row), out), 0);
		tx.stream_count = 1;
		tx.stream[0] = (struct dp_srtp_tx_stream){
			.ssrc = row->is_rtcp ? 0x4d617273 : op.ssrc, .rtcp_index = 0x5d4};
		memcpy(packet, plain, plain_len);
		(row->is_rtcp ? dp_srtp_protect_rtcp : dp_srtp_protect_rtp)(engine, &op, 1);
		assert_int_equal(op.verdict, DP_DROP_NONE);
		assert_int_equal(op.len, want_len);
		assert_memory_equal(packet, want, want_len);
		op.ctx = &rx;
		(row->is_rtcp ? dp_srtp_unprotect_rtcp : dp_srtp_unprotect_rtp)(engine, &op, 1);
		assert_int_equal(op.verdict, DP_DROP_NONE);
		assert_int_equal(op.note, DP_SRTP_NOTE_FIRST);
		assert_int_equal(op.len, plain_len);
		assert_memory_equal(packet, plain, plain_len);
		assert_int_equal(dp_srtp_tx_fini(&tx, out), 1);
		dp_srtp_key_destroy(out[0]);
		assert_int_equal(dp_srtp_rx_fini(&rx, out), 1);
		dp_srtp_key_destroy(out[0]);
	}
}

static int
set_up(void **state)
{
	const char *why = "";

	engine = dp_srtp_engine_create(&why);
	if (engine == NULL)
		fprintf(stderr, "%s\n", why);
	return engine ? 0 : -1;
}

static int
tear_down(void **state)
{
	dp_srtp_engine_destroy(engine);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keystream_of_rfc3711_b2),
		cmocka_unit_test(keystream_of_rfc6188_7_1),
		cmocka_unit_test(key_derivation_of_rfc3711_b3),
		cmocka_unit_test(key_derivation_of_rfc6188_7_2),
		cmocka_unit_test(gcm_of_rfc7714),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
