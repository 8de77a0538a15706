/*
 * Memory for secrets: locked into RAM, out of core dumps, wiped when given back.
 *
 * A slab allocator for a few sizes (expanded keys) and whole mappings for large blocks. It is one for the whole process because
 * RLIMIT_MEMLOCK is (rule zero: a global, but of the control thread: nothing in a worker's turn allocates). Thread-safe.
 */
#ifndef DRV_CRYPTO_LOCKED_H
#define DRV_CRYPTO_LOCKED_H

#include <stddef.h>

/* A block of zeros, aligned to 64. -ENOMEM: no memory; -EPERM: RLIMIT_MEMLOCK is used up. */
int drv_locked_get(void **out, size_t size);

/* Wipes it. size as it was asked for; NULL is ignored. */
void drv_locked_put(void *block, size_t size);

/* Raises RLIMIT_MEMLOCK to octets if the process may, and says what it is now. 0 or -errno. */
int drv_locked_reserve(size_t *held, size_t octets);

#endif
