/* Memory for secrets: locked, out of core dumps, wiped; a used-up RLIMIT_MEMLOCK has a name. And the ciphers' self-test can fail. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <intel-ipsec-mb.h>
#include "drivers/crypto/crypto.h"
#include "drivers/crypto/locked.h"

/* Sanitizers make mlock do nothing: there is nothing to look at then. */
#if defined(__SANITIZE_ADDRESS__)
#define IS_MLOCK_REAL 0
#elif defined(__has_feature)
#define IS_MLOCK_REAL !__has_feature(address_sanitizer)
#else
#define IS_MLOCK_REAL 1
#endif

static const size_t sizes[] = {64, 576, 704, 2112, 16384, 200000};

#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

/* The flags of the mapping that holds at, as /proc/self/smaps names them. */
static void
vm_flags(const void *at, char *flags, size_t size)
{
	FILE *file = fopen("/proc/self/smaps", "r");
	char line[512];
	int is_here = 0;

	flags[0] = 0;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		unsigned long from, to;

		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			is_here = (uintptr_t)at >= from && (uintptr_t)at < to;
		else if (is_here && strncmp(line, "VmFlags:", 8) == 0)
			snprintf(flags, size, "%s", line);
	}
	fclose(file);
}

static void
blocks_are_locked_and_out_of_dumps(void **state)
{
	if (!IS_MLOCK_REAL)
		skip();
	for (size_t i = 0; i < SIZES; i++) {
		char flags[512];
		void *at;

		assert_int_equal(drv_locked_get(&at, sizes[i]), 0);
		assert_int_equal((uintptr_t)at % 64, 0);
		vm_flags(at, flags, sizeof(flags));
		assert_non_null(strstr(flags, " lo "));
		assert_non_null(strstr(flags, " dd "));
		drv_locked_put(at, sizes[i]);
	}
	drv_locked_put(NULL, 64);
}

static void
blocks_are_apart_zero_and_wiped(void **state)
{
	enum { COUNT = 500 };
	static uint8_t *at[COUNT];
	uint8_t *kept;

	for (size_t s = 0; s < 4; s++) {
		for (int i = 0; i < COUNT; i++) {
			assert_int_equal(drv_locked_get((void **)&at[i], sizes[s]), 0);
			for (size_t o = 0; o < sizes[s]; o++)
				assert_int_equal(at[i][o], 0);
			memset(at[i], i, sizes[s]);
		}
		for (int i = 0; i < COUNT; i++)
			for (size_t o = 0; o < sizes[s]; o++)
				assert_int_equal(at[i][o], (uint8_t)i);
		kept = at[0]; /* its neighbour keeps the chunk mapped */
		drv_locked_put(at[0], sizes[s]);
		for (size_t o = sizeof(void *); o < sizes[s]; o++)
			assert_int_equal(kept[o], 0);
		assert_int_equal(drv_locked_get((void **)&at[0], sizes[s]), 0);
		for (size_t o = 0; o < sizes[s]; o++)
			assert_int_equal(at[0][o], 0);
		for (int i = COUNT - 1; i >= 0; i--)
			drv_locked_put(at[i], sizes[s]);
	}
}

/* In a child without privileges under a limit of 1 MB: so many blocks and then -EPERM, and again after some came back. */
static int
use_up(void)
{
	struct rlimit limit = {1 << 20, 1 << 20};
	static void *at[65536];
	size_t held;
	int n = 0, status;

	if (setrlimit(RLIMIT_MEMLOCK, &limit) < 0 || (geteuid() == 0 && setuid(65534) < 0))
		return 10;
	if (drv_locked_reserve(&held, 64 << 20) != 0 || held != 1 << 20)
		return 11;
	while (n < 65536 && (status = drv_locked_get(&at[n], 576)) == 0)
		n++;
	if (status != -EPERM || n < 1000)
		return 12;
	for (int i = 0; i < n; i++)
		drv_locked_put(at[i], 576);
	if (drv_locked_get(&at[0], 704) != 0)
		return 13;
	return 0;
}

static void
a_used_up_limit_has_a_name(void **state)
{
	pid_t child;
	int status;

	if (!IS_MLOCK_REAL)
		skip();
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(use_up());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* rule zero: the parameters are those of ipsec-mb's function pointer. */
static void
wrong_gcm(const struct gcm_key_data *key, struct gcm_context_data *ctx, uint8_t *out,
	  uint8_t const *in, uint64_t len, const uint8_t *iv, uint8_t const *aad, uint64_t aad_len,
	  uint8_t *tag, uint64_t tag_len)
{
	memmove(out, in, len);
	memset(tag, 0, tag_len);
}

static uint32_t
no_burst(struct IMB_MGR *mgr, struct IMB_JOB *jobs, const uint32_t n, const IMB_CIPHER_MODE cipher,
	 const IMB_CIPHER_DIRECTION dir, const IMB_KEY_SIZE_BYTES size)
{
	return n;
}

static uint32_t
no_hash(struct IMB_MGR *mgr, struct IMB_JOB *jobs, const uint32_t n, const IMB_HASH_ALG hash)
{
	return n;
}

static void
the_self_test_notices_wrong_answers(void **state)
{
	const char *why = NULL;
	struct IMB_MGR *mgr = drv_crypto_open(&why), right;

	assert_non_null(mgr);
	assert_null(why);
	assert_non_null(strstr(drv_crypto_name(mgr), "ipsec-mb"));
	assert_null(drv_crypto_selftest(mgr));
	right = *mgr;
	mgr->gcm128_enc = wrong_gcm;
	assert_non_null(strstr(drv_crypto_selftest(mgr), "AES-128-GCM"));
	mgr->gcm128_enc = right.gcm128_enc;
	mgr->gcm256_dec = wrong_gcm;
	assert_non_null(strstr(drv_crypto_selftest(mgr), "AES-256-GCM"));
	mgr->gcm256_dec = right.gcm256_dec;
	mgr->submit_cipher_burst_nocheck = no_burst;
	assert_non_null(strstr(drv_crypto_selftest(mgr), "AES-CM-128"));
	mgr->submit_cipher_burst_nocheck = right.submit_cipher_burst_nocheck;
	mgr->submit_hash_burst_nocheck = no_hash;
	assert_non_null(strstr(drv_crypto_selftest(mgr), "HMAC-SHA1"));
	mgr->submit_hash_burst_nocheck = right.submit_hash_burst_nocheck;
	assert_null(drv_crypto_selftest(mgr));
	drv_crypto_close(mgr);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_are_locked_and_out_of_dumps),
		cmocka_unit_test(blocks_are_apart_zero_and_wiped),
		cmocka_unit_test(a_used_up_limit_has_a_name),
		cmocka_unit_test(the_self_test_notices_wrong_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
