/* Token buckets, kept as a debt of time: one token is 1/rate seconds. */
#include "ctrlplane/kms/limit.h"

#include <errno.h>
#include <stdlib.h>

#define SECOND_NS ((int64_t)1000000000)
#define WAYS 8 /* places of one key */

bool
cp_kms_bucket_take(struct cp_kms_bucket *bucket, int64_t rate, int64_t now_ns)
{
	int64_t passed, one;

	if (rate <= 0)
		return true;
	passed = now_ns - bucket->at_ns;
	one = SECOND_NS / rate;
	if (passed > 0) {
		bucket->spent_ns = bucket->spent_ns > passed ? bucket->spent_ns - passed : 0;
		bucket->at_ns = now_ns;
	}
	if (bucket->spent_ns + one > CP_KMS_BURST_S * SECOND_NS)
		return false;
	bucket->spent_ns += one;
	return true;
}

struct place {
	uint64_t key;
	struct cp_kms_bucket bucket;
};

struct cp_kms_limits {
	uint64_t seed;
	size_t sets; /* power of two, of WAYS places each */
	struct place places[];
};

int
cp_kms_limits_create(struct cp_kms_limits **out, size_t room, uint64_t seed)
{
	struct cp_kms_limits *limits;
	size_t sets = 1;

	while (sets * WAYS < room)
		sets *= 2;
	limits = calloc(1, sizeof(*limits) + sets * WAYS * sizeof(limits->places[0]));
	if (limits == NULL)
		return -ENOMEM;
	limits->sets = sets;
	limits->seed = seed;
	*out = limits;
	return 0;
}

void
cp_kms_limits_destroy(struct cp_kms_limits *limits)
{
	free(limits);
}

/* Which places; the seed keeps others from choosing addresses that meet. */
static size_t
mix(uint64_t key, uint64_t seed)
{
	for (int i = 0; i < 3; i++) {
		key = (key ^ seed) * UINT64_C(0x9e3779b97f4a7c15);
		key ^= key >> 29;
	}
	return (size_t)(key ^ key >> 32);
}

/* What a bucket still owes. */
static int64_t
debt(const struct cp_kms_bucket *bucket, int64_t now_ns)
{
	int64_t left = bucket->spent_ns - (now_ns - bucket->at_ns);

	return left > 0 ? left : 0;
}

bool
cp_kms_limits_take(struct cp_kms_limits *limits, uint64_t key, int64_t rate, int64_t now_ns)
{
	struct place *first = &limits->places[(mix(key, limits->seed) & (limits->sets - 1)) * WAYS];
	struct place *fullest = first;

	if (rate <= 0)
		return true;
	for (struct place *place = first; place < first + WAYS; place++) {
		if (place->key == key && place->bucket.at_ns != 0)
			return cp_kms_bucket_take(&place->bucket, rate, now_ns);
		if (debt(&place->bucket, now_ns) < debt(&fullest->bucket, now_ns))
			fullest = place;
	}
	*fullest = (struct place){.key = key, .bucket = {.at_ns = now_ns}};
	return cp_kms_bucket_take(&fullest->bucket, rate, now_ns);
}
