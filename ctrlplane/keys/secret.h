/*
 * Secret octets: in locked memory (mlock), out of core dumps (MADV_DONTDUMP), wiped when the last
 * holder lets go. The type is opaque, so that no printf, log or JSON takes one.
 */
#ifndef CP_KEYS_SECRET_H
#define CP_KEYS_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CP_SECRET_MAX 48 /* octets: the longest key and salt are 46 */

/* Immutable, counted. One event loop, so no locks. */
struct cp_secret;

/* Lock memory for so many at the start, two per leg: -ENOMEM where RLIMIT_MEMLOCK does not allow
 * it, said before a call comes in. */
int cp_secret_reserve(size_t count);

/* A copy of octets (which the caller wipes), or random ones from the kernel. -ENOMEM (also
 * RLIMIT_MEMLOCK), -EINVAL past the maximum. */
int cp_secret_create(struct cp_secret **out, const uint8_t *octets, size_t len);
int cp_secret_create_random(struct cp_secret **out, size_t len);

struct cp_secret *cp_secret_get(struct cp_secret *secret); /* one more holder; NULL stays NULL */
void cp_secret_put(struct cp_secret *secret); /* one less; the last one wipes. NULL is fine */

size_t cp_secret_len(const struct cp_secret *secret);

/* In time that depends on the length only. NULL is the same as NULL only. */
bool cp_secret_is_same(const struct cp_secret *a, const struct cp_secret *b);

/* For the two ways out: SDP text and the control socket. The caller wipes what it got. */
const uint8_t *cp_secret_octets(const struct cp_secret *secret);

/* So many are alive: 0 at exit, a test looks. */
size_t cp_secret_count(void);

/* Compilers do not remove it. */
void cp_wipe(void *octets, size_t len);

#endif
