/* Token buckets: how many requests a second somebody may make. Times are handed in. */
#ifndef CP_KMS_LIMIT_H
#define CP_KMS_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CP_KMS_BURST_S 2 /* seconds' worth of requests that may come at once */

/* A bucket. Zeroed it is full. */
struct cp_kms_bucket {
	int64_t spent_ns; /* tokens that are gone, as the time until they are back */
	int64_t at_ns;
};

/* Takes a token; false: there is none. rate: tokens a second; 0: any number. */
bool cp_kms_bucket_take(struct cp_kms_bucket *bucket, int64_t rate, int64_t now_ns);

/*
 * Buckets by key, for sources that are not known beforehand. Bounded: of those that fall in one place
 * the fullest gives way, so that a flood from many addresses cannot push out who is being limited.
 */
struct cp_kms_limits;

int cp_kms_limits_create(struct cp_kms_limits **out, size_t room, uint64_t seed);
void cp_kms_limits_destroy(struct cp_kms_limits *limits);
/* Not thread-safe. */
bool cp_kms_limits_take(struct cp_kms_limits *limits, uint64_t key, int64_t rate, int64_t now_ns);

#endif
