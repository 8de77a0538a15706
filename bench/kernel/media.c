/*
 * Media kernels, nanoseconds per participant and 20 ms frame at 8 kHz: N-1 mix, G.711, jitter buffer. Working sets are those of
 * a worker's batch (some hundred frames, hot), but for jitter.putget.legs10000, whose legs are spread over memory.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "bench/lib/bench.h"
#include "dataplane/codec/codec.h"
#include "dataplane/codec/g711.h"
#include "dataplane/jitter/jitter_state.h"
#include "dataplane/mix/mix.h"

#define SAMPLES 160
#define FRAMES 120 /* of a batch */
#define TICKS 4	   /* of the jitter buffer in a round */

/* One batch of frames, and the kernels under test. */
struct batch {
	const struct dp_mix *mix;
	const struct dp_codec *codec;
	unsigned conf_size;
	int32_t sum[SAMPLES] __attribute__((aligned(64)));
	int16_t pcm[FRAMES][SAMPLES] __attribute__((aligned(64)));
	int16_t out[FRAMES][SAMPLES] __attribute__((aligned(64)));
	uint8_t code[FRAMES][SAMPLES] __attribute__((aligned(64)));
};

static struct batch *
batch_create(void)
{
	struct batch *b = aligned_alloc(64, (sizeof(*b) + 63) / 64 * 64);
	uint32_t random = 12345;

	if (b == NULL)
		return NULL;
	memset(b, 0, sizeof(*b));
	b->mix = dp_mix(dp_isa_best());
	for (unsigned k = 0; k < FRAMES; k++) {
		for (unsigned i = 0; i < SAMPLES; i++) {
			random = random * 1664525 + 1013904223;
			b->pcm[k][i] = (int16_t)((int)(random >> 20) -
						 2048); /* speech level: the limiter rests */
			b->code[k][i] = (uint8_t)(random >> 12);
		}
	}
	return b;
}

static void
mix_round(void *arg)
{
	struct batch *b = arg;

	for (unsigned first = 0; first + b->conf_size <= FRAMES; first += b->conf_size) {
		const int16_t *in[FRAMES];

		for (unsigned k = 0; k < b->conf_size; k++)
			in[k] = b->pcm[first + k];
		b->mix->sum(b->sum, in, b->conf_size, SAMPLES);
		for (unsigned k = 0; k < b->conf_size; k++)
			b->mix->out(b->out[first + k], b->sum, in[k], SAMPLES);
	}
	bench_keep(b->out);
}

/* Each frame against a sum of the others made here. */
static bool
mix_verify(const struct batch *b)
{
	for (unsigned k = 0; k < FRAMES; k++) {
		unsigned first = k / b->conf_size * b->conf_size;

		for (unsigned i = 0; i < SAMPLES; i++) {
			int32_t want = 0;

			for (unsigned other = first; other < first + b->conf_size; other++)
				want += other == k ? 0 : b->pcm[other][i];
			if (b->out[k][i] != dp_mix_limit(want))
				return false;
		}
	}
	return true;
}

static void
decode_round(void *arg)
{
	struct batch *b = arg;

	for (unsigned k = 0; k < FRAMES; k++)
		b->codec->decode(NULL, b->out[k], b->code[k], SAMPLES);
	bench_keep(b->out);
}

static bool
decode_verify(const struct batch *b)
{
	bool is_ulaw = b->codec->id == DP_CODEC_PCMU;

	for (unsigned k = 0; k < FRAMES; k++)
		for (unsigned i = 0; i < SAMPLES; i++)
			if (b->out[k][i] !=
			    (is_ulaw ? dp_g711_ulaw_expand : dp_g711_alaw_expand)(b->code[k][i]))
				return false;
	return true;
}

static void
encode_round(void *arg)
{
	struct batch *b = arg;

	for (unsigned k = 0; k < FRAMES; k++)
		b->codec->encode(NULL, b->code[k], b->pcm[k], SAMPLES);
	bench_keep(b->code);
}

static bool
encode_verify(const struct batch *b)
{
	bool is_ulaw = b->codec->id == DP_CODEC_PCMU;

	for (unsigned k = 0; k < FRAMES; k++)
		for (unsigned i = 0; i < SAMPLES; i++)
			if (b->code[k][i] !=
			    (is_ulaw ? dp_g711_ulaw_compress : dp_g711_alaw_compress)(b->pcm[k][i]))
				return false;
	return true;
}

/* What a case of the batch runs. */
struct kernel {
	void (*round)(void *arg);
	bool (*verify)(const struct batch *b);
	unsigned conf_size;
	enum dp_codec_id codec;
};

static int
run_kernel(const struct bench_case *row, struct bench_result *out)
{
	const struct kernel *kernel = row->arg;
	struct batch *b = batch_create();
	struct bench_plan plan = {
		.round = kernel->round, .arg = b, .items = FRAMES, .min_rounds = 2000};
	struct bench_timing timing;
	int err;

	if (b == NULL)
		return -ENOMEM;
	b->conf_size = kernel->conf_size;
	b->codec = &dp_codec_table(dp_isa_best())[kernel->codec];
	err = bench_time(&timing, &plan);
	if (err == 0) {
		bench_result_set(out, &timing);
		bench_extra_text(out, "isa", dp_isa_name(dp_isa_best()));
		out->is_verified = kernel->verify(b);
	}
	free(b);
	return err;
}

/* Legs with their jitter buffers, fed in order by senders of 20 ms frames. */
struct legs {
	struct dp_jbuf *jb;
	struct dp_frame_pool *pool;
	void *memory;
	uint32_t count;
	uint32_t tick;
	bool is_wrong;
};

static void
legs_destroy(struct legs *legs)
{
	free(legs->jb);
	free(legs->memory);
}

static int
legs_create(struct legs *legs, uint32_t count)
{
	struct dp_jbuf_conf conf = {.clock_hz = 8000, .min_ms = 20, .max_ms = 200};
	size_t octets = dp_frame_pool_octets(count * 4, 16);

	memset(legs, 0, sizeof(*legs));
	legs->count = count;
	legs->jb = aligned_alloc(64, (size_t)count * sizeof(*legs->jb));
	legs->memory = aligned_alloc(64, octets);
	if (legs->jb == NULL || legs->memory == NULL) {
		legs_destroy(legs);
		return -ENOMEM;
	}
	memset(legs->memory, 0, octets);
	legs->pool = dp_frame_pool_init(legs->memory, count * 4, 16);
	for (uint32_t i = 0; i < count; i++)
		dp_jbuf_init(&legs->jb[i], &conf);
	return 0;
}

/* A tick in chunks of a burst: packets of the chunk come in, then its ticks are played. */
static void
legs_tick(struct legs *legs)
{
	uint8_t payload[SAMPLES];
	uint64_t now_ns = 1000000000 + legs->tick * DP_JBUF_TICK_NS;
	struct dp_jbuf_packet packet = {.payload = payload,
					.arrival_ns = now_ns + 7000000,
					.ssrc = 1,
					.ts = legs->tick * SAMPLES,
					.seq = (uint16_t)legs->tick,
					.len = SAMPLES,
					.duration = SAMPLES};
	unsigned burst = legs->count < 64 ? legs->count : 64;

	memset(payload, (int)legs->tick, sizeof(payload));
	for (uint32_t first = 0; first + burst <= legs->count; first += burst) {
		for (uint32_t i = first; i < first + burst; i++)
			dp_jbuf_prefetch_put(&legs->jb[i], packet.seq);
		for (uint32_t i = first; i < first + burst; i++)
			legs->is_wrong |=
				dp_jbuf_put(&legs->jb[i], legs->pool, &packet) != DP_DROP_NONE;
		for (uint32_t i = first; i < first + burst; i++) {
			struct dp_jbuf_out out;

			/* once it runs every tick plays the one whole frame of its turn */
			if (dp_jbuf_get(&legs->jb[i], legs->pool, now_ns + DP_JBUF_TICK_NS, false,
					&out) &&
			    legs->tick > 4)
				legs->is_wrong |=
					out.count != 1 || out.part[0].len != SAMPLES ||
					(uint8_t)(out.part[0].payload[0] - legs->tick) < 250;
			else
				legs->is_wrong |= legs->tick > 4;
		}
	}
	legs->tick++;
}

static void
legs_round(void *arg)
{
	for (unsigned i = 0; i < TICKS; i++)
		legs_tick(arg);
}

static int
run_jitter(const struct bench_case *row, struct bench_result *out)
{
	struct legs legs;
	struct bench_timing timing;
	struct bench_plan plan = {
		.round = legs_round, .arg = &legs, .min_rounds = 50, .warm_up = 10};
	int err = legs_create(&legs, *(const uint32_t *)row->arg);

	if (err)
		return err;
	plan.items = (double)legs.count * TICKS;
	err = bench_time(&timing, &plan);
	if (err == 0) {
		bench_result_set(out, &timing);
		out->is_verified = !legs.is_wrong && dp_frame_pool_totals(legs.pool)->played > 0;
	}
	legs_destroy(&legs);
	return err;
}

static const struct kernel mix_conf3 = {mix_round, mix_verify, 3, DP_CODEC_PCMU};
static const struct kernel mix_conf10 = {mix_round, mix_verify, 10, DP_CODEC_PCMU};
static const struct kernel decode_ulaw = {decode_round, decode_verify, 1, DP_CODEC_PCMU};
static const struct kernel encode_ulaw = {encode_round, encode_verify, 1, DP_CODEC_PCMU};
static const struct kernel decode_alaw = {decode_round, decode_verify, 1, DP_CODEC_PCMA};
static const struct kernel encode_alaw = {encode_round, encode_verify, 1, DP_CODEC_PCMA};
static const uint32_t few_legs = 64;
static const uint32_t many_legs = 9984;

static const struct bench_case cases[] = {
	{.name = "mix.n1.conf3", .unit = "ns/frame", .run = run_kernel, .arg = &mix_conf3},
	{.name = "mix.n1.conf10", .unit = "ns/frame", .run = run_kernel, .arg = &mix_conf10},
	{.name = "g711.decode.ulaw", .unit = "ns/frame", .run = run_kernel, .arg = &decode_ulaw},
	{.name = "g711.encode.ulaw", .unit = "ns/frame", .run = run_kernel, .arg = &encode_ulaw},
	{.name = "g711.decode.alaw", .unit = "ns/frame", .run = run_kernel, .arg = &decode_alaw},
	{.name = "g711.encode.alaw", .unit = "ns/frame", .run = run_kernel, .arg = &encode_alaw},
	{.name = "jitter.putget", .unit = "ns/frame", .run = run_jitter, .arg = &few_legs},
	{.name = "jitter.putget.legs10000",
	 .unit = "ns/frame",
	 .run = run_jitter,
	 .arg = &many_legs},
};

int
main(int argc, char **argv)
{
	return bench_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
