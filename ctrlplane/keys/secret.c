/* Slots of equal size in locked pages that stay out of core dumps; a slot is wiped when its last
 * holder lets go. */
#include "ctrlplane/keys/secret.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#define SLAB_OCTETS 65536
#define SLOTS (SLAB_OCTETS / sizeof(struct cp_secret) - 1)

/* One slot: 64 octets, one cache line. */
struct cp_secret {
	struct cp_secret *next_free;
	uint32_t holders; /* 0: free */
	uint32_t len;
	uint8_t octets[CP_SECRET_MAX];
};

_Static_assert(sizeof(struct cp_secret) == 64, "a slot is a cache line");

/* The process's pool: key material has no other home. Slabs stay for the life of the process. */
static struct {
	struct cp_secret *free;
	size_t count, room;
} pool;

static int
add_slab(void)
{
	struct cp_secret *slab =
		mmap(NULL, SLAB_OCTETS, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (slab == MAP_FAILED)
		return -ENOMEM;
	if (mlock(slab, SLAB_OCTETS) < 0 || madvise(slab, SLAB_OCTETS, MADV_DONTDUMP) < 0) {
		munmap(slab, SLAB_OCTETS);
		return -ENOMEM;
	}
	for (size_t i = 0; i < SLOTS; i++) {
		slab[i].next_free = pool.free;
		pool.free = &slab[i];
	}
	pool.room += SLOTS;
	return 0;
}

int
cp_secret_reserve(size_t count)
{
	while (pool.room < count) {
		int error = add_slab();

		if (error < 0)
			return error;
	}
	return 0;
}

static int
take(struct cp_secret **out, size_t len)
{
	struct cp_secret *secret;

	if (len == 0 || len > CP_SECRET_MAX)
		return -EINVAL;
	if (pool.free == NULL && add_slab() < 0)
		return -ENOMEM;
	secret = pool.free;
	pool.free = secret->next_free;
	secret->next_free = NULL;
	secret->holders = 1;
	secret->len = (uint32_t)len;
	pool.count++;
	*out = secret;
	return 0;
}

int
cp_secret_create(struct cp_secret **out, const uint8_t *octets, size_t len)
{
	int error = take(out, len);

	if (error == 0)
		memcpy((*out)->octets, octets, len);
	return error;
}

int
cp_secret_create_random(struct cp_secret **out, size_t len)
{
	struct cp_secret *secret;
	int error = take(&secret, len);

	if (error < 0)
		return error;
	/* up to 256 octets come whole or not at all, once the kernel's generator is seeded
	 * (getrandom(2)) */
	if (getrandom(secret->octets, len, 0) != (ssize_t)len) {
		cp_secret_put(secret);
		return -EIO;
	}
	*out = secret;
	return 0;
}

struct cp_secret *
cp_secret_get(struct cp_secret *secret)
{
	if (secret != NULL)
		secret->holders++;
	return secret;
}

void
cp_secret_put(struct cp_secret *secret)
{
	if (secret == NULL || --secret->holders > 0)
		return;
	cp_wipe(secret->octets, sizeof(secret->octets));
	secret->len = 0;
	secret->next_free = pool.free;
	pool.free = secret;
	pool.count--;
}

size_t
cp_secret_len(const struct cp_secret *secret)
{
	return secret->len;
}

bool
cp_secret_is_same(const struct cp_secret *a, const struct cp_secret *b)
{
	uint8_t differs = 0;

	if (a == NULL || b == NULL)
		return a == b;
	if (a->len != b->len)
		return false;
	for (size_t i = 0; i < a->len; i++)
		differs |= a->octets[i] ^ b->octets[i];
	return differs == 0;
}

const uint8_t *
cp_secret_octets(const struct cp_secret *secret)
{
	return secret->octets;
}

size_t
cp_secret_count(void)
{
	return pool.count;
}

void
cp_wipe(void *octets, size_t len)
{
	explicit_bzero(octets, len);
}
