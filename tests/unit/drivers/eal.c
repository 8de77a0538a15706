/* DPDK starts without huge pages, without devices and without root; pools have room for the port's
 * private area. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include "drivers/eal.h"
#include "drivers/mempool.h"
#include "drivers/port/port.h"

static void
lcores_are_named_by_worker(void **state)
{
	assert_int_equal(rte_get_main_lcore(), 0);
	assert_true(rte_lcore_is_enabled(DRV_EAL_LCORE(0)));
	assert_true(rte_lcore_is_enabled(DRV_EAL_LCORE(1)));
	assert_false(rte_lcore_is_enabled(DRV_EAL_LCORE(2)));
	assert_false(drv_eal_has_huge_pages());
}

static void
pool_has_the_private_area_and_room(void **state)
{
	const struct drv_mempool_conf conf = {.worker = 7, .count = 1023, .node = -1};
	struct rte_mempool *pool;
	struct rte_mbuf *mbuf;
	char text[256] = "";

	assert_int_equal(drv_mempool_create(&pool, &conf, text, sizeof(text)), 0);
	mbuf = rte_pktmbuf_alloc(pool);
	assert_non_null(mbuf);
	assert_true(rte_pktmbuf_priv_size(pool) >= sizeof(struct drv_pkt));
	assert_int_equal(rte_pktmbuf_tailroom(mbuf), DRV_MEMPOOL_ROOM);
	assert_int_equal(rte_pktmbuf_headroom(mbuf), RTE_PKTMBUF_HEADROOM);
	rte_pktmbuf_free(mbuf);
	rte_mempool_free(pool);
}

static void
too_large_a_pool_says_how_to_mend(void **state)
{
	const struct drv_mempool_conf conf = {.worker = 8, .count = (1 << 22) - 1, .node = -1};
	struct rte_mempool *pool = NULL;
	char text[256] = "";

	assert_true(drv_mempool_create(&pool, &conf, text, sizeof(text)) < 0);
	assert_null(pool);
	assert_non_null(strstr(text, "worker 8"));
	assert_non_null(strstr(text, "memory"));
}

static void
huge_pages_are_counted_over_all_sizes(void **state)
{
	char root[] = "/tmp/conclave-eal-XXXXXX", command[512];

	assert_non_null(mkdtemp(root));
	snprintf(command, sizeof(command),
		 "d=%s/sys/kernel/mm/hugepages; mkdir -p $d/hugepages-2048kB "
		 "$d/hugepages-1048576kB; "
		 "echo 5 >$d/hugepages-2048kB/free_hugepages; echo 1 "
		 ">$d/hugepages-1048576kB/free_hugepages",
		 root);
	assert_int_equal(system(command), 0);
	assert_int_equal(drv_eal_huge_free(root), 5ull * 2048 * 1024 + (1ull << 30));
	assert_int_equal(drv_eal_huge_free("/nonexistent"), 0);
	snprintf(command, sizeof(command), "rm -r %s", root);
	assert_int_equal(system(command), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lcores_are_named_by_worker),
		cmocka_unit_test(pool_has_the_private_area_and_room),
		cmocka_unit_test(too_large_a_pool_says_how_to_mend),
		cmocka_unit_test(huge_pages_are_counted_over_all_sizes),
	};
	const struct drv_eal_conf conf = {
		.program = "test",
		.file_prefix = "conclave-test-eal",
		.main_cpu = -1,
		.workers = 2,
		.worker_cpu = {-1, -1},
	};
	char text[256];

	if (drv_eal_init(&conf, text, sizeof(text)) != 0) {
		fprintf(stderr, "%s\n", text);
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
