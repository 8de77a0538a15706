/* The id table against a plain array, through growth, removal and clashes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include "dataplane/ctl/ids.h"

#define MAX 500

static int
every(void *arg, uint32_t index)
{
	return 1;
}

static int
odd(void *arg, uint32_t index)
{
	return index % 2 != 0;
}

static void
test_against_an_array(void **state)
{
	static uint32_t known[MAX]; /* ids, 0: free */
	struct dp_ids ids;

	srand(7);
	assert_int_equal(dp_ids_init(&ids, MAX), 0);
	for (unsigned round = 0; round < 100000; round++) {
		uint32_t i = (uint32_t)rand() % MAX;

		if (known[i] == 0) {
			uint32_t id = 1 + (uint32_t)rand() % 3000;

			if (dp_ids_get(&ids, id) != DP_IDS_NONE)
				continue;
			known[i] = id;
			dp_ids_put(&ids, id, i);
		} else {
			assert_int_equal(dp_ids_get(&ids, known[i]), i);
			dp_ids_remove(&ids, known[i]);
			assert_int_equal(dp_ids_get(&ids, known[i]), DP_IDS_NONE);
			known[i] = 0;
		}
	}
	for (uint32_t i = 0; i < MAX; i++)
		if (known[i] != 0)
			assert_int_equal(dp_ids_get(&ids, known[i]), i);
	assert_int_equal(dp_ids_get(&ids, 0), DP_IDS_NONE);
	dp_ids_remove(&ids, 999999);
	dp_ids_fini(&ids);
}

static void
test_pages_ascend_and_miss_none(void **state)
{
	struct dp_ids ids;
	uint32_t page[10], after = 0, seen = 0, n;

	assert_int_equal(dp_ids_init(&ids, MAX), 0);
	for (uint32_t i = 0; i < MAX; i++)
		dp_ids_put(&ids, 3 * (i + 1), i);
	do {
		n = dp_ids_page(&ids, after, page, 10, every, NULL);
		for (uint32_t i = 0; i < n; i++)
			assert_int_equal(page[i], 3 * ++seen);
		if (n > 0)
			after = page[n - 1];
	} while (n == 10);
	assert_int_equal(seen, MAX);
	n = dp_ids_page(&ids, 0, page, 10, odd, NULL);
	assert_int_equal(n, 10);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(page[i], 3 * (2 * i + 2));
	dp_ids_fini(&ids);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_an_array),
		cmocka_unit_test(test_pages_ascend_and_miss_none),
	};

	return cmocka_run_group_tests_name("unit/ctl/ids", tests, NULL, NULL);
}
