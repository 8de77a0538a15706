/* Secrets: random, counted, compared, and gone from memory when the last holder lets go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>
#include "ctrlplane/keys/keys.h"

static const uint8_t zero[CP_SECRET_MAX];

static void
last_holder_wipes(void **state)
{
	struct cp_secret *secret;
	const uint8_t *octets;
	uint8_t known[46];

	memset(known, 0xa5, sizeof(known));
	assert_int_equal(cp_secret_create(&secret, known, sizeof(known)), 0);
	octets = cp_secret_octets(secret);
	assert_memory_equal(octets, known, sizeof(known));
	assert_ptr_equal(cp_secret_get(secret), secret);
	cp_secret_put(secret);
	assert_memory_equal(octets, known, sizeof(known));
	cp_secret_put(secret);
	/* the slab stays mapped: what was there can be looked at */
	assert_memory_equal(octets, zero, CP_SECRET_MAX);
	assert_int_equal(cp_secret_count(), 0);
	cp_secret_put(NULL);
	assert_null(cp_secret_get(NULL));
}

static void
keys_are_random_and_differ(void **state)
{
	struct cp_key keys[200] = {0};

	for (int i = 0; i < 200; i++) {
		assert_int_equal(cp_key_make(&keys[i], DP_SUITE_AES_CM_128_HMAC_SHA1_80), 0);
		assert_int_equal(cp_secret_len(keys[i].octets), 30);
		for (int j = 0; j < i; j++)
			assert_false(cp_secret_is_same(keys[i].octets, keys[j].octets));
	}
	for (int i = 0; i < 200; i++)
		cp_key_drop(&keys[i]);
	assert_int_equal(cp_secret_count(), 0);
	assert_int_equal(cp_key_make(&keys[0], DP_SUITE_NONE), -EINVAL);
	assert_int_equal(cp_key_make(&keys[0], DP_SUITE_COUNT), -EINVAL);
}

static void
sizes_and_comparison(void **state)
{
	struct cp_secret *a, *b, *c;
	uint8_t octets[64] = {1, 2, 3};

	assert_int_equal(cp_secret_create(&a, octets, 0), -EINVAL);
	assert_int_equal(cp_secret_create(&a, octets, CP_SECRET_MAX + 1), -EINVAL);
	assert_int_equal(cp_secret_create(&a, octets, 16), 0);
	assert_int_equal(cp_secret_create(&b, octets, 16), 0);
	assert_int_equal(cp_secret_create(&c, octets, 17), 0);
	assert_true(cp_secret_is_same(a, b));
	assert_false(cp_secret_is_same(a, c));
	assert_false(cp_secret_is_same(a, NULL));
	assert_true(cp_secret_is_same(NULL, NULL));
	cp_secret_put(b);
	octets[15] ^= 1;
	assert_int_equal(cp_secret_create(&b, octets, 16), 0);
	assert_false(cp_secret_is_same(a, b));
	cp_secret_put(a);
	cp_secret_put(b);
	cp_secret_put(c);
}

static void
key_differs_by_mki_and_suite(void **state)
{
	struct cp_key a, b;

	assert_int_equal(cp_key_make(&a, DP_SUITE_AES_CM_128_HMAC_SHA1_80), 0);
	b = cp_key_copy(&a);
	assert_true(cp_key_is_same(&a, &b));
	b.mki_len = 1;
	assert_false(cp_key_is_same(&a, &b));
	b.mki_len = 0;
	b.suite = DP_SUITE_AES_CM_128_HMAC_SHA1_32;
	assert_false(cp_key_is_same(&a, &b));
	cp_key_drop(&a);
	cp_key_drop(&b);
	assert_null(b.octets);
	cp_key_drop(&b);
	assert_int_equal(cp_secret_count(), 0);
}

/* Of /proc/self/smaps: the pages of a secret are locked (lo) and out of core dumps (dd). */
static void
pages_are_locked_and_not_dumped(void **state)
{
	struct cp_secret *secret;
	char line[512];
	unsigned long at, from, to;
	bool is_ours = false, has_flags = false;
	FILE *maps;

	assert_int_equal(cp_secret_create_random(&secret, 16), 0);
	assert_int_equal(cp_secret_reserve(3000), 0);
	at = (unsigned long)(uintptr_t)cp_secret_octets(secret);
	maps = fopen("/proc/self/smaps", "r");
	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps) != NULL) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			is_ours = at >= from && at < to;
		if (is_ours && strncmp(line, "VmFlags:", 8) == 0) {
			has_flags = true;
#ifndef __SANITIZE_ADDRESS__ /* whose mlock does nothing */
			assert_non_null(strstr(line, " lo"));
#endif
			assert_non_null(strstr(line, " dd"));
		}
	}
	fclose(maps);
	assert_true(has_flags);
	cp_secret_put(secret);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(last_holder_wipes),
		cmocka_unit_test(keys_are_random_and_differ),
		cmocka_unit_test(sizes_and_comparison),
		cmocka_unit_test(key_differs_by_mki_and_suite),
		cmocka_unit_test(pages_are_locked_and_not_dumped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
