/* The neighbour table: learning, pacing of questions, expiry, and what an attacker on the link can push out of it. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "drivers/neigh/table.h"

#define SECOND 1000000000u

static struct dp_addr
addr_of(uint32_t n)
{
	struct dp_addr addr = {.family = DP_FAMILY_IP4, .port = (uint16_t)(n * 7)};

	memcpy(addr.ip, &n, 4);
	return addr;
}

static void
learn(struct drv_neigh *table, uint32_t n, bool may_create, uint64_t now)
{
	struct drv_news news = {.is_news = true,
				.may_create = may_create,
				.addr = addr_of(n),
				.mac = {2, 0, 0, 0, (uint8_t)(n >> 8), (uint8_t)n}};

	drv_neigh_learn(table, &news, now);
}

static struct drv_neigh_answer
lookup(struct drv_neigh *table, uint32_t n, uint64_t now)
{
	struct dp_addr addr = addr_of(n);
	struct drv_neigh_answer answer;

	drv_neigh_lookup(table, &addr, now, &answer);
	return answer;
}

static void
unknown_is_asked_for_once_a_second(void **state)
{
	struct drv_neigh *table = drv_neigh_create(64);
	uint64_t now = 100ull * SECOND;
	struct drv_neigh_answer a = lookup(table, 1, now);

	assert_false(a.is_known);
	assert_true(a.has_to_ask);
	assert_false(lookup(table, 1, now + SECOND / 2).has_to_ask);
	assert_true(lookup(table, 1, now + SECOND).has_to_ask);
	learn(table, 1, false, now + SECOND);
	a = lookup(table, 1, now + SECOND);
	assert_true(a.is_known);
	assert_false(a.has_to_ask);
	assert_int_equal(a.mac[5], 1);
	drv_neigh_destroy(table);
}

static void
entries_age(void **state)
{
	struct drv_neigh *table = drv_neigh_create(64);
	uint64_t now = 100ull * SECOND;
	struct drv_neigh_answer a;

	lookup(table, 1, now);
	learn(table, 1, false, now);
	assert_false(lookup(table, 1, now + DRV_NEIGH_REACHABLE_NS - 1).has_to_ask);
	a = lookup(table, 1, now + DRV_NEIGH_REACHABLE_NS);
	assert_true(a.is_known && a.has_to_ask); /* packets go on while we ask */
	a = lookup(table, 1, now + DRV_NEIGH_STALE_NS);
	assert_false(a.is_known);
	assert_int_equal(drv_neigh_count(table, now + DRV_NEIGH_STALE_NS), 0);
	learn(table, 1, false, now + DRV_NEIGH_STALE_NS);
	assert_true(lookup(table, 1, now + DRV_NEIGH_STALE_NS).is_known);
	drv_neigh_destroy(table);
}

static void
unasked_news_of_strangers_is_ignored(void **state)
{
	struct drv_neigh *table = drv_neigh_create(64);

	learn(table, 5, false, SECOND);
	assert_int_equal(drv_neigh_count(table, SECOND), 0);
	learn(table, 5, true, SECOND);
	assert_int_equal(drv_neigh_count(table, SECOND), 1);
	assert_true(lookup(table, 5, SECOND).is_known);
	drv_neigh_destroy(table);
}

/* A flood of askers under made-up addresses. */
static void
flood_is_bounded_and_pushes_nobody_out(void **state)
{
	struct drv_neigh *table = drv_neigh_create(64);
	uint64_t now = 100ull * SECOND;

	lookup(table, 1, now);
	learn(table, 1, false, now);
	for (uint32_t n = 1000; n < 21000; n++)
		learn(table, n, true, now + n);
	assert_true(lookup(table, 1, now + SECOND).is_known);
	assert_true(drv_neigh_count(table, now + SECOND) <= 64);
	drv_neigh_destroy(table);
}

/* A writer changes a MAC from all 1 to all 2 and back while another thread reads: never a mixture. */
static volatile bool is_over;

static void *
writer(void *arg)
{
	for (uint32_t i = 0; !is_over; i++) {
		struct drv_news news = {.is_news = true, .addr = addr_of(1)};

		memset(news.mac, i % 2 ? 1 : 2, 6);
		drv_neigh_learn(arg, &news, SECOND + i);
	}
	return NULL;
}

static void
readers_see_whole_entries(void **state)
{
	struct drv_neigh *table = drv_neigh_create(4);
	struct drv_news first = {
		.is_news = true, .may_create = true, .addr = addr_of(1), .mac = {1, 1, 1, 1, 1, 1}};
	pthread_t thread;

	is_over = false;
	drv_neigh_learn(table, &first, SECOND);
	assert_int_equal(pthread_create(&thread, NULL, writer, table), 0);
	for (int i = 0; i < 200000; i++) {
		struct drv_neigh_answer a = lookup(table, 1, SECOND);

		assert_true(a.is_known);
		for (int j = 1; j < 6; j++)
			assert_int_equal(a.mac[j], a.mac[0]);
	}
	is_over = true;
	pthread_join(thread, NULL);
	drv_neigh_destroy(table);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_is_asked_for_once_a_second),
		cmocka_unit_test(entries_age),
		cmocka_unit_test(unasked_news_of_strangers_is_ignored),
		cmocka_unit_test(flood_is_bounded_and_pushes_nobody_out),
		cmocka_unit_test(readers_see_whole_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
