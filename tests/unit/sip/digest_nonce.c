/* Nonces: ours and nobody else's, for a time, each count once. */
#include "ctrlplane/sip/digest_nonce.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct cp_nonces nonces;

static int
start(void **state)
{
	return cp_nonces_init(&nonces, 1000);
}

static void
a_count_is_good_once(void **state)
{
	char text[CP_NONCE_TEXT];

	cp_nonce_encode(&nonces, 5000, text);
	assert_int_equal(cp_nonce_may_use(&nonces, text, 0, 5000), CP_NONCE_STALE);
	assert_int_equal(cp_nonce_may_use(&nonces, text, 1, 5000), CP_NONCE_GOOD);
	assert_int_equal(cp_nonce_may_use(&nonces, text, 1, 5000),
			 CP_NONCE_GOOD); /* asking changes nothing */
	cp_nonce_commit(&nonces, text, 1);
	assert_int_equal(cp_nonce_may_use(&nonces, text, 1, 5000), CP_NONCE_STALE);
	assert_int_equal(cp_nonce_may_use(&nonces, text, 2, 5000), CP_NONCE_GOOD);
	cp_nonce_commit(&nonces, text, 7);
	assert_int_equal(cp_nonce_may_use(&nonces, text, 6, 5000), CP_NONCE_STALE);
}

static void
a_nonce_ends(void **state)
{
	char text[CP_NONCE_TEXT];

	cp_nonce_encode(&nonces, 5000, text);
	assert_int_equal(cp_nonce_may_use(&nonces, text, 1, 6000), CP_NONCE_GOOD);
	assert_int_equal(cp_nonce_may_use(&nonces, text, 1, 6001), CP_NONCE_STALE);
	assert_int_equal(cp_nonce_may_use(&nonces, text, 1, 4999), CP_NONCE_STALE);
}

static void
a_changed_digit_is_not_ours(void **state)
{
	char text[CP_NONCE_TEXT], other[CP_NONCE_TEXT];

	cp_nonce_encode(&nonces, 5000, text);
	for (size_t i = 0; i < CP_NONCE_TEXT - 1; i++) {
		memcpy(other, text, sizeof(other));
		other[i] = other[i] == '0' ? '1' : '0';
		assert_int_equal(cp_nonce_may_use(&nonces, other, 1, 5000), CP_NONCE_UNKNOWN);
		memcpy(other, text, sizeof(other));
		other[i] = '\0';
		assert_int_equal(cp_nonce_may_use(&nonces, other, 1, 5000), CP_NONCE_UNKNOWN);
	}
}

static void
another_process_has_other_nonces(void **state)
{
	static struct cp_nonces others;
	char text[CP_NONCE_TEXT];

	assert_int_equal(cp_nonces_init(&others, 1000), 0);
	cp_nonce_encode(&others, 5000, text);
	assert_int_equal(cp_nonce_may_use(&nonces, text, 1, 5000), CP_NONCE_UNKNOWN);
	cp_nonces_fini(&others);
}

/* What is no longer remembered must not become good again. */
static void
an_overtaken_nonce_is_stale(void **state)
{
	char first[CP_NONCE_TEXT], text[CP_NONCE_TEXT];

	cp_nonce_encode(&nonces, 5000, first);
	cp_nonce_commit(&nonces, first, 1);
	for (int i = 1; i < CP_NONCE_RING; i++)
		cp_nonce_encode(&nonces, 5000, text);
	assert_int_equal(cp_nonce_may_use(&nonces, first, 2, 5000), CP_NONCE_GOOD);
	cp_nonce_encode(&nonces, 5000, text);
	assert_int_equal(cp_nonce_may_use(&nonces, first, 2, 5000), CP_NONCE_STALE);
	assert_int_equal(cp_nonce_may_use(&nonces, text, 1, 5000), CP_NONCE_GOOD);
}

static int
stop(void **state)
{
	cp_nonces_fini(&nonces);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_count_is_good_once, start, stop),
		cmocka_unit_test_setup_teardown(a_nonce_ends, start, stop),
		cmocka_unit_test_setup_teardown(a_changed_digit_is_not_ours, start, stop),
		cmocka_unit_test_setup_teardown(another_process_has_other_nonces, start, stop),
		cmocka_unit_test_setup_teardown(an_overtaken_nonce_is_stale, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
