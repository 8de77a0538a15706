/*
 * Slabs of locked memory: arenas of 2 MB, each a huge page where the kernel gives one (random access to keys is bound by TLB misses: half the
 * time a line at 16 MB of them), cut into chunks of one size class, aligned so that a block finds its chunk. Arenas stay; empty chunks
 * serve any class.
 */
#include "drivers/crypto/locked.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define ARENA ((size_t)2 * 1024 * 1024)
#define CHUNK ((size_t)64 * 1024)
#define LINE ((size_t)64)
#define LARGE (CHUNK / 4) /* from here on a mapping of its own */
#define CLASSES 16

struct chunk {
	struct chunk *next, *prev; /* of its class, those with free blocks */
	struct block *free;
	unsigned used;
	unsigned class;
} __attribute__((aligned(64)));

struct block {
	struct block *next;
};

static struct {
	pthread_mutex_t lock;
	size_t size[CLASSES]; /* 0: free row */
	struct chunk *open[CLASSES];
	struct chunk *empty; /* of no class; singly linked */
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER};

static size_t
round_up(size_t size, size_t to)
{
	return (size + to - 1) / to * to;
}

/* mlock, with the soft limit raised to the hard one when it is in the way. */
static int
lock_pages(void *at, size_t size)
{
	struct rlimit limit;

	if (mlock(at, size) == 0)
		return 0;
	if (getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur != limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_MEMLOCK, &limit) == 0 && mlock(at, size) == 0)
			return 0;
	}
	return -EPERM;
}

/* Pages aligned to align (a power of two, at least a page). */
static int
map(void **out, size_t size, size_t align)
{
	size_t whole = size + align;
	uint8_t *at, *begin;
	int status;

	at = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED)
		return -ENOMEM;
	begin = (uint8_t *)round_up((uintptr_t)at, align);
	if (begin > at)
		munmap(at, (size_t)(begin - at));
	if (at + whole > begin + size)
		munmap(begin + size, (size_t)(at + whole - (begin + size)));
	if (align == ARENA)
		madvise(begin, size, MADV_HUGEPAGE); /* a wish: small pages do as well */
	status = lock_pages(begin, size);
	if (status == 0 && madvise(begin, size, MADV_DONTDUMP) < 0)
		status = -errno;
	if (status < 0) {
		munmap(begin, size);
		return status;
	}
	*out = begin;
	return 0;
}

static void
link_chunk(struct chunk *c)
{
	c->prev = NULL;
	c->next = pool.open[c->class];
	if (c->next)
		c->next->prev = c;
	pool.open[c->class] = c;
}

static void
unlink_chunk(struct chunk *c)
{
	if (c->prev)
		c->prev->next = c->next;
	else
		pool.open[c->class] = c->next;
	if (c->next)
		c->next->prev = c->prev;
}

/* Adds empty chunks: an arena's, or a single one where the limit leaves no room for an arena. */
static int
add_memory(void)
{
	size_t size = ARENA;
	void *at;
	int status = map(&at, ARENA, ARENA);

	if (status < 0) {
		size = CHUNK;
		status = map(&at, CHUNK, CHUNK);
	}
	if (status < 0)
		return status;
	for (size_t from = size; from > 0;) {
		struct chunk *c;

		from -= CHUNK;
		c = (struct chunk *)((uint8_t *)at + from);
		c->next = pool.empty;
		pool.empty = c;
	}
	return 0;
}

static int
add_chunk(unsigned class)
{
	size_t size = pool.size[class];
	struct chunk *c;
	int status;

	if (pool.empty == NULL && (status = add_memory()) < 0)
		return status;
	c = pool.empty;
	pool.empty = c->next;
	*c = (struct chunk){.class = class};
	for (size_t from = sizeof(*c) + (CHUNK - sizeof(*c)) / size * size; from > sizeof(*c);) {
		struct block *b;

		from -= size;
		b = (struct block *)((uint8_t *)c + from);
		b->next = c->free;
		c->free = b;
	}
	link_chunk(c);
	return 0;
}

/* -ENOMEM when there are more sizes than rows. */
static int
class_of(size_t size)
{
	for (int i = 0; i < CLASSES; i++) {
		if (pool.size[i] == 0)
			pool.size[i] = size;
		if (pool.size[i] == size)
			return i;
	}
	return -ENOMEM;
}

static int
get_small(void **out, size_t size)
{
	int class = class_of(size);
	struct chunk *c;
	int status;

	if (class < 0)
		return class;
	if (pool.open[class] == NULL && (status = add_chunk((unsigned)class)) < 0)
		return status;
	c = pool.open[class];
	*out = c->free;
	c->free = c->free->next;
	c->used++;
	if (c->free == NULL)
		unlink_chunk(c);
	memset(*out, 0, size); /* links of free blocks, of other classes too */
	return 0;
}

static void
put_small(void *block)
{
	struct chunk *c = (struct chunk *)((uintptr_t)block & ~(CHUNK - 1));
	struct block *b = block;

	if (c->free == NULL)
		link_chunk(c);
	b->next = c->free;
	c->free = b;
	if (--c->used > 0)
		return;
	unlink_chunk(c);
	c->next = pool.empty;
	pool.empty = c;
}

int
drv_locked_get(void **out, size_t size)
{
	int status;

	size = round_up(size, LINE);
	if (size >= LARGE)
		return map(out, round_up(size, 4096), 4096);
	pthread_mutex_lock(&pool.lock);
	status = get_small(out, size);
	pthread_mutex_unlock(&pool.lock);
	return status;
}

void
drv_locked_put(void *block, size_t size)
{
	if (block == NULL)
		return;
	size = round_up(size, LINE);
	explicit_bzero(block, size);
	if (size >= LARGE) {
		munmap(block, round_up(size, 4096));
		return;
	}
	pthread_mutex_lock(&pool.lock);
	put_small(block);
	pthread_mutex_unlock(&pool.lock);
}

int
drv_locked_reserve(size_t *held, size_t octets)
{
	struct rlimit limit, more;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0)
		return -errno;
	if (limit.rlim_cur < octets) {
		more = limit;
		more.rlim_cur = octets;
		if (more.rlim_max < octets)
			more.rlim_max = octets;
		if (setrlimit(RLIMIT_MEMLOCK, &more) < 0) {
			more = limit;
			more.rlim_cur = limit.rlim_max;
			setrlimit(RLIMIT_MEMLOCK, &more);
		}
		if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0)
			return -errno;
	}
	*held = limit.rlim_cur;
	return 0;
}
