/* The neighbour table: buckets of four, the least useful entry goes first. */
#include "drivers/neigh/table.h"

#include <stdlib.h>
#include <string.h>
#include <rte_atomic.h>
#include <rte_spinlock.h>

#define WAYS 4

struct entry {
	uint32_t sequence; /* odd while it changes */
	bool is_used;
	bool is_known;
	uint8_t mac[6];
	struct dp_addr addr;
	uint64_t confirmed_ns;
	uint64_t asked_ns;
};

struct drv_neigh {
	rte_spinlock_t lock;
	uint32_t mask; /* of buckets */
	uint32_t seed; /* so that nobody can aim at a bucket */
	struct entry entries[];
};

struct drv_neigh *
drv_neigh_create(uint32_t capacity)
{
	uint32_t buckets = 1;
	struct drv_neigh *table;

	while (buckets * WAYS < capacity)
		buckets *= 2;
	table = calloc(1, sizeof(*table) + (size_t)buckets * WAYS * sizeof(table->entries[0]));
	if (table == NULL)
		return NULL;
	rte_spinlock_init(&table->lock);
	table->mask = buckets - 1;
	table->seed = (uint32_t)((uintptr_t)table >> 6) * 0x9e3779b1u;
	return table;
}

void
drv_neigh_destroy(struct drv_neigh *table)
{
	free(table);
}

static bool
is_same_ip(const struct dp_addr *a, const struct dp_addr *b)
{
	return a->family == b->family && memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

static struct entry *
bucket_of(struct drv_neigh *table, const struct dp_addr *addr)
{
	uint32_t hash = table->seed ^ addr->family;

	for (int i = 0; i < 16; i += 4) {
		uint32_t word;

		memcpy(&word, addr->ip + i, 4);
		hash = (hash ^ word) * 0x85ebca6bu;
		hash ^= hash >> 15;
	}
	return &table->entries[(size_t)(hash & table->mask) * WAYS];
}

/* A consistent copy; readers never wait for more than one change. */
static void
copy(const struct entry *e, struct entry *out)
{
	uint32_t before;

	do {
		while ((before = __atomic_load_n(&e->sequence, __ATOMIC_ACQUIRE)) & 1)
			rte_pause();
		memcpy(out, e, sizeof(*out));
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (__atomic_load_n(&e->sequence, __ATOMIC_RELAXED) != before);
}

/* Under the lock. */
static void
change(struct entry *e, const struct entry *to)
{
	uint32_t sequence = e->sequence;

	__atomic_store_n(&e->sequence, sequence + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	memcpy((char *)e + sizeof(e->sequence), (const char *)to + sizeof(e->sequence),
	       sizeof(*e) - sizeof(e->sequence));
	__atomic_store_n(&e->sequence, sequence + 2, __ATOMIC_RELEASE);
}

static struct entry *
find(struct entry *bucket, const struct dp_addr *addr, struct entry *out)
{
	for (int i = 0; i < WAYS; i++) {
		copy(&bucket[i], out);
		if (out->is_used && is_same_ip(&out->addr, addr))
			return &bucket[i];
	}
	return NULL;
}

/* Free first, then never answered, then longest unconfirmed. */
static struct entry *
victim(struct entry *bucket)
{
	struct entry *worst = &bucket[0];

	for (int i = 0; i < WAYS; i++) {
		struct entry *e = &bucket[i];

		if (!e->is_used)
			return e;
		if (e->is_known != worst->is_known
			    ? !e->is_known
			    : e->confirmed_ns + e->asked_ns < worst->confirmed_ns + worst->asked_ns)
			worst = e;
	}
	return worst;
}

/* Notes that a question goes out; makes the entry where there is none. False when another queue was quicker. */
static bool
ask(struct drv_neigh *table, struct entry *bucket, const struct dp_addr *addr, uint64_t now_ns)
{
	struct entry next, *e;
	bool is_due;

	rte_spinlock_lock(&table->lock);
	e = find(bucket, addr, &next);
	is_due = e == NULL || now_ns - next.asked_ns >= DRV_NEIGH_RETRY_NS;
	if (e == NULL) {
		e = victim(bucket);
		next = (struct entry){.is_used = true, .addr = *addr};
		next.addr.port = 0;
	}
	if (is_due) {
		next.asked_ns = now_ns;
		change(e, &next);
	}
	rte_spinlock_unlock(&table->lock);
	return is_due;
}

void
drv_neigh_lookup(struct drv_neigh *table, const struct dp_addr *addr, uint64_t now_ns,
		 struct drv_neigh_answer *out)
{
	struct entry *bucket = bucket_of(table, addr);
	struct entry e;
	bool is_found = find(bucket, addr, &e) != NULL;
	uint64_t age =
		is_found && e.is_known && now_ns > e.confirmed_ns ? now_ns - e.confirmed_ns : 0;

	out->is_known = is_found && e.is_known && age < DRV_NEIGH_STALE_NS;
	out->has_to_ask = false;
	if (out->is_known)
		memcpy(out->mac, e.mac, 6);
	if (out->is_known && age < DRV_NEIGH_REACHABLE_NS)
		return;
	if (!is_found || now_ns - e.asked_ns >= DRV_NEIGH_RETRY_NS)
		out->has_to_ask = ask(table, bucket, addr, now_ns);
}

void
drv_neigh_learn(struct drv_neigh *table, const struct drv_news *news, uint64_t now_ns)
{
	struct entry *bucket = bucket_of(table, &news->addr);
	struct entry next, *e;

	rte_spinlock_lock(&table->lock);
	e = find(bucket, &news->addr, &next);
	if (e == NULL && news->may_create) {
		/* Askers fill free places; they push nobody out whom we chose to talk to. */
		e = victim(bucket);
		if (e->is_used && now_ns - e->confirmed_ns < DRV_NEIGH_STALE_NS)
			e = NULL;
		next = (struct entry){.is_used = true, .addr = news->addr};
	}
	if (e != NULL) {
		next.addr.port = 0;
		next.is_known = true;
		next.confirmed_ns = now_ns;
		memcpy(next.mac, news->mac, 6);
		change(e, &next);
	}
	rte_spinlock_unlock(&table->lock);
}

uint32_t
drv_neigh_count(const struct drv_neigh *table, uint64_t now_ns)
{
	uint32_t count = 0;

	for (size_t i = 0; i < ((size_t)table->mask + 1) * WAYS; i++) {
		struct entry e;

		copy(&table->entries[i], &e);
		count += e.is_used && e.is_known && now_ns - e.confirmed_ns < DRV_NEIGH_STALE_NS;
	}
	return count;
}
