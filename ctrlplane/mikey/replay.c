/* A hash table of fixed room; what is past its time makes place. */
#include "ctrlplane/mikey/replay.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX
#define DIGEST 16 /* octets kept of SHA-256 */

struct entry {
	uint8_t digest[DIGEST];
	uint64_t until;
	uint32_t next;
};

struct cp_mikey_replay {
	uint32_t *buckets;
	uint32_t bucket_mask;
	uint32_t free;
	size_t room, count;
	uint64_t swept; /* when all was looked through */
	struct entry entries[];
};

int
cp_mikey_replay_create(struct cp_mikey_replay **out, size_t room)
{
	struct cp_mikey_replay *replay;
	size_t buckets = 16;

	if (room == 0 || room >= NONE)
		return -EINVAL;
	while (buckets < room)
		buckets *= 2;
	replay = calloc(1, sizeof(*replay) + room * sizeof(replay->entries[0]));
	if (replay == NULL)
		return -ENOMEM;
	replay->buckets = malloc(buckets * sizeof(replay->buckets[0]));
	if (replay->buckets == NULL) {
		free(replay);
		return -ENOMEM;
	}
	memset(replay->buckets, 0xFF, buckets * sizeof(replay->buckets[0]));
	replay->bucket_mask = (uint32_t)buckets - 1;
	replay->room = room;
	for (size_t i = 0; i < room; i++)
		replay->entries[i].next = i + 1 < room ? (uint32_t)i + 1 : NONE;
	*out = replay;
	return 0;
}

void
cp_mikey_replay_destroy(struct cp_mikey_replay *replay)
{
	if (replay != NULL)
		free(replay->buckets);
	free(replay);
}

/* Each part behind its length, so that none runs into the next. */
static int
digest_of(uint8_t digest[EVP_MAX_MD_SIZE], const struct cp_mikey_replay_key *key)
{
	const uint8_t csb[] = {(uint8_t)(key->csb_id >> 24), (uint8_t)(key->csb_id >> 16),
			       (uint8_t)(key->csb_id >> 8), (uint8_t)key->csb_id};
	const struct cp_mikey_octets parts[] = {key->sender, cp_mikey_octets(csb, sizeof(csb)),
						key->t, key->mac};
	uint8_t text[4 * 2 + CP_MIKEY_ID_MAX + 4 + 8 + 64];
	size_t len = 0;

	for (size_t i = 0; i < 4; i++) {
		if (parts[i].len > sizeof(text) - len - 2)
			return -EINVAL;
		text[len++] = (uint8_t)(parts[i].len >> 8);
		text[len++] = (uint8_t)parts[i].len;
		if (parts[i].len > 0)
			memcpy(text + len, parts[i].at, parts[i].len);
		len += parts[i].len;
	}
	return EVP_Digest(text, len, digest, NULL, EVP_sha256(), NULL) == 1 ? 0 : -EIO;
}

static uint32_t
bucket_of(const struct cp_mikey_replay *replay, const uint8_t *digest)
{
	uint32_t hash;

	memcpy(&hash, digest, sizeof(hash));
	return hash & replay->bucket_mask;
}

bool
cp_mikey_replay_has(const struct cp_mikey_replay *replay, const struct cp_mikey_replay_key *key,
		    uint64_t now)
{
	uint8_t digest[EVP_MAX_MD_SIZE];

	if (digest_of(digest, key) < 0)
		return true;
	for (uint32_t i = replay->buckets[bucket_of(replay, digest)]; i != NONE;
	     i = replay->entries[i].next)
		if (memcmp(replay->entries[i].digest, digest, DIGEST) == 0 &&
		    now <= replay->entries[i].until)
			return true;
	return false;
}

/* Frees what is past its time in one bucket. */
static void
sweep(struct cp_mikey_replay *replay, uint32_t bucket, uint64_t now)
{
	uint32_t *link = &replay->buckets[bucket];

	while (*link != NONE) {
		uint32_t i = *link;

		if (now <= replay->entries[i].until) {
			link = &replay->entries[i].next;
			continue;
		}
		*link = replay->entries[i].next;
		replay->entries[i].next = replay->free;
		replay->free = i;
		replay->count--;
	}
}

int
cp_mikey_replay_put(struct cp_mikey_replay *replay, const struct cp_mikey_replay_key *key,
		    uint64_t now, uint64_t until)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	uint32_t bucket, i;

	if (digest_of(digest, key) < 0)
		return -EINVAL;
	bucket = bucket_of(replay, digest);
	sweep(replay, bucket, now);
	if (cp_mikey_replay_has(replay, key, now))
		return -EEXIST;
	/* At most once a second through all of it, lest a full table makes each message dear. */
	if (replay->free == NONE && now - replay->swept >= 1ULL << 32) {
		replay->swept = now;
		for (uint32_t b = 0; b <= replay->bucket_mask; b++)
			sweep(replay, b, now);
	}
	if (replay->free == NONE)
		return -ENOSPC;
	i = replay->free;
	replay->free = replay->entries[i].next;
	memcpy(replay->entries[i].digest, digest, DIGEST);
	replay->entries[i].until = until;
	replay->entries[i].next = replay->buckets[bucket];
	replay->buckets[bucket] = i;
	replay->count++;
	return 0;
}

size_t
cp_mikey_replay_count(const struct cp_mikey_replay *replay)
{
	return replay->count;
}
