/* Port masks: they cover exactly their range, whatever its borders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "drivers/steer/steer.h"

static void
masks_cover_the_range_and_nothing_else(void **state)
{
	static const struct {
		uint16_t first;
		uint32_t count;
		unsigned masks;
	} rows[] = {
		{16384, 16384, 1}, {0, 65536, 1}, {10000, 2, 1}, {10000, 2000, 9},
		{1, 65534, 30},	   {65534, 2, 1}, {20000, 0, 0},
	};

	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		struct drv_steer_mask masks[DRV_STEER_MASKS_MAX];
		unsigned n = drv_steer_masks(rows[r].first, rows[r].count, masks);

		if (rows[r].masks != n)
			fail_msg("%u+%u: %u masks", rows[r].first, rows[r].count, n);
		for (uint32_t port = 0; port < 65536; port++) {
			unsigned hits = 0;

			for (unsigned i = 0; i < n; i++)
				hits += (port & masks[i].mask) == masks[i].value;
			assert_int_equal(hits, port >= rows[r].first &&
						       port < rows[r].first + rows[r].count);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(masks_cover_the_range_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
