/* HMAC under prepared keys: as OpenSSL's, for every length of key and many of text, in one part and in several. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include "ctrlplane/mikey/hmac.h"

#define TEXT_MAX 300

static void
is_as_openssl(void **state)
{
	uint8_t key[CP_MIKEY_HMAC_KEY_MAX], text[TEXT_MAX], want[32], got[32];

	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)(i * 31 + 7);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 13 + 1);
	for (int is_256 = 0; is_256 < 2; is_256++)
		for (size_t k = 1; k <= sizeof(key); k++)
			for (size_t len = 0; len <= TEXT_MAX; len += 1 + len / 9) {
				const struct cp_mikey_octets parts[] = {
					{text, len / 3},
					{NULL, 0},
					{text + len / 3, len - len / 3}};
				struct cp_mikey_hmac hmac;
				size_t octets = is_256 ? 32 : 20;

				assert_non_null(HMAC(is_256 ? EVP_sha256() : EVP_sha1(), key,
						     (int)k, text, len, want, NULL));
				cp_mikey_hmac_init(&hmac, is_256, key, k);
				cp_mikey_hmac_once(got, &hmac, text, len);
				assert_memory_equal(got, want, octets);
				memset(got, 0, sizeof(got));
				cp_mikey_hmac_parts(got, &hmac, parts, 3);
				assert_memory_equal(got, want, octets);
			}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(is_as_openssl)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
