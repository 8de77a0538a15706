/*
 * A worker's cipher engine: manager and scratch, in locked memory. Work goes in batches that fit the first-level cache; while one is
 * set up, the keys of the next are on their way from memory.
 */
#ifndef DP_SRTP_ENGINE_STATE_H
#define DP_SRTP_ENGINE_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <intel-ipsec-mb.h>
#include "dataplane/srtp/key_state.h"
#include "dataplane/srtp/srtp.h"
#include "dataplane/srtp/srtp_state.h"

#define DP_SRTP_BATCH 64
#define DP_SRTP_HASH_TAG 12 /* octets of HMAC-SHA1 that ipsec-mb writes; 10 or 4 are used */

struct dp_srtp_digest {
	uint8_t tag[16];
};

/* What unprotect computed ahead for an op: valid while key and roc are still the ones to try. */
struct dp_srtp_guess {
	const struct dp_srtp_key *key; /* NULL: nothing was computed */
	uint32_t roc;
	uint8_t under[4]; /* octets that the ROC lay upon */
};

struct dp_srtp_engine {
	struct IMB_MGR *mgr;
	unsigned ciphers_128; /* jobs from the front of cipher */
	unsigned ciphers_256; /* jobs from its end */
	unsigned hashes;
	struct gcm_context_data gcm;
	IMB_JOB cipher[DP_SRTP_BATCH];
	IMB_JOB hash[DP_SRTP_BATCH];
	IMB_JOB lone; /* a hash that was not computed ahead */
	uint8_t iv[DP_SRTP_BATCH][16];
	struct dp_srtp_digest digest[DP_SRTP_BATCH]; /* of hash[i] */
	struct dp_srtp_guess guess[DP_SRTP_BATCH];   /* of op i */
	uint8_t hash_of[DP_SRTP_BATCH]; /* unprotect: op i's place in hash, where there is one */
	uint8_t op_of[DP_SRTP_BATCH];	/* protect: the op of hash[i] */
} __attribute__((aligned(64)));

static inline uint32_t
dp_srtp_get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, 4);
	return __builtin_bswap32(value);
}

static inline void
dp_srtp_put32(uint8_t *at, uint32_t value)
{
	value = __builtin_bswap32(value);
	memcpy(at, &value, 4);
}

/* IV of RFC 3711 4.1.1: (k_s * 2^16) XOR (SSRC * 2^64) XOR (i * 2^16). SRTCP: i is its index. */
static inline void
dp_srtp_cm_iv(uint8_t iv[16], const uint8_t salt[16], uint32_t ssrc, uint64_t index)
{
	uint64_t half[2];

	memcpy(half, salt, 16);
	half[0] ^= __builtin_bswap64(ssrc);
	half[1] ^= __builtin_bswap64(index << 16);
	memcpy(iv, half, 16);
}

/* IV of RFC 7714 8.1 and 9.1: (0 || SSRC || index of 48 bits) XOR salt. */
static inline void
dp_srtp_gcm_iv(uint8_t iv[12], const uint8_t salt[12], uint32_t ssrc, uint64_t index)
{
	uint64_t high;
	uint32_t low;

	memcpy(&high, salt, 8);
	memcpy(&low, salt + 8, 4);
	high ^= __builtin_bswap64((uint64_t)ssrc << 16 | index >> 32);
	low ^= __builtin_bswap32((uint32_t)index);
	memcpy(iv, &high, 8);
	memcpy(iv + 8, &low, 4);
}

/* Puts the cipher's part of a packet into the next cipher burst; in place, both directions are the same. */
static inline void
dp_srtp_queue_cipher(struct dp_srtp_engine *e, const struct dp_srtp_cm *cm, bool is_256,
		     uint8_t *data, uint32_t len)
{
	unsigned at = is_256 ? DP_SRTP_BATCH - ++e->ciphers_256 : e->ciphers_128++;
	IMB_JOB *job = &e->cipher[at];

	job->enc_keys = cm->round_keys;
	job->src = data;
	job->dst = data;
	job->msg_len_to_cipher_in_bytes = len;
}

/* The IV of the job that the next dp_srtp_queue_cipher will fill. */
static inline uint8_t *
dp_srtp_next_iv(struct dp_srtp_engine *e, bool is_256)
{
	return e->iv[is_256 ? DP_SRTP_BATCH - 1 - e->ciphers_256 : e->ciphers_128];
}

static inline void
dp_srtp_fill_hash(IMB_JOB *job, const struct dp_srtp_cm *cm, const uint8_t *data, uint32_t len)
{
	job->src = data;
	job->msg_len_to_hash_in_bytes = len;
	job->u.HMAC._hashed_auth_key_xor_ipad = cm->ipad;
	job->u.HMAC._hashed_auth_key_xor_opad = cm->opad;
}

/* Runs and empties the queues. */
void dp_srtp_run_ciphers(struct dp_srtp_engine *e);
void dp_srtp_run_hashes(struct dp_srtp_engine *e);

/* GCM in one go: text in place, tag out. A tag alone has an empty text. */
struct dp_srtp_aead {
	const struct dp_srtp_key *key;
	uint8_t suite; /* key's: its own copy lies in a cold line */
	bool is_rtcp;
	uint32_t ssrc;
	uint64_t index;
	const uint8_t *aad;
	uint32_t aad_len;
	uint8_t *text;
	uint32_t len;
};

void dp_srtp_seal(struct dp_srtp_engine *e, const struct dp_srtp_aead *a, uint8_t tag[16]);
void dp_srtp_open(struct dp_srtp_engine *e, const struct dp_srtp_aead *a, uint8_t tag[16]);

/* A context's hot line. */
static inline void
dp_srtp_prefetch_contexts(const struct dp_srtp_op *ops, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		__builtin_prefetch(ops[i].ctx, 1);
}

/* Into the first-level cache what an RTP packet under this key will read. */
static inline void
dp_srtp_prefetch_key(const struct dp_srtp_slot *slot)
{
	static const struct {
		uint8_t head, from, to; /* lines of the session: 0 to head, from to to */
	} lines[DP_SUITE_COUNT] = {
		[DP_SUITE_AES_CM_128_HMAC_SHA1_80] = {4, 0, 0},
		[DP_SUITE_AES_CM_128_HMAC_SHA1_32] = {4, 0, 0},
		[DP_SUITE_AES_256_CM_HMAC_SHA1_80] = {5, 0, 0},
		[DP_SUITE_AEAD_AES_128_GCM] = {3, 12, 16},
		[DP_SUITE_AEAD_AES_256_GCM] = {4, 12, 16},
	};
	const uint8_t *at = (const uint8_t *)slot->key + sizeof(struct dp_srtp_key);

	if (slot->key == NULL)
		return;
	for (unsigned i = 0; i < lines[slot->suite].head; i++)
		__builtin_prefetch(at + 64 * i);
	for (unsigned i = lines[slot->suite].from; i < lines[slot->suite].to; i++)
		__builtin_prefetch(at + 64 * i);
}

/* What protect and unprotect do to a burst: batch after batch, while the keys of the next one are on their way. */
struct dp_srtp_batches {
	void (*prefetch_keys)(const struct dp_srtp_op *ops, unsigned n);
	void (*run)(struct dp_srtp_engine *e, struct dp_srtp_op *ops, unsigned n, bool is_rtcp);
};

/* Inlined with what it calls, so that is_rtcp and the functions cost nothing. */
static inline __attribute__((always_inline)) void
dp_srtp_burst(struct dp_srtp_engine *e, struct dp_srtp_op *ops, unsigned n, bool is_rtcp,
	      struct dp_srtp_batches batches)
{
	unsigned size = n < DP_SRTP_BATCH ? n : DP_SRTP_BATCH;

	dp_srtp_prefetch_contexts(ops, n);
	batches.prefetch_keys(ops, size);
	while (n > 0) {
		struct dp_srtp_op *batch = ops;
		unsigned done = size;

		n -= done;
		ops += done;
		size = n < DP_SRTP_BATCH ? n : DP_SRTP_BATCH;
		batches.prefetch_keys(ops, size);
		batches.run(e, batch, done, is_rtcp);
	}
}

static inline bool
dp_srtp_is_tag_same(const uint8_t *a, const uint8_t *b, unsigned len)
{
	uint8_t differs = 0;

	for (unsigned i = 0; i < len; i++)
		differs |= a[i] ^ b[i];
	return differs == 0;
}

#endif
