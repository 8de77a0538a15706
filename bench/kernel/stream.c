/*
 * Streams over loopback, TLS 1.3 with PSK: what a turn costs us that sends messages to many, and what it costs to let somebody in. The
 * other ends are in the same thread; only our side's time counts.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/lib/bench.h"
#include "ctrlplane/stream/stream.h"

#define STREAMS 100
#define MESSAGE 300 /* octets: a line of chat in CPIM in MSRP */

struct row {
	unsigned messages; /* to everybody, a turn; 0: handshakes */
};

struct hall {
	struct cp_hub *ours, *theirs;
	struct cp_tls_context *context;
	struct cp_secret *key;
	struct cp_listener *listener;
	struct cp_stream *out[STREAMS], *in[STREAMS]; /* our ends, theirs */
	unsigned out_count, in_count, closed;
	uint64_t sent, heard;
	uint8_t message[MESSAGE];
	bool is_wrong;
	int64_t now_ms;
};

static int
find(struct cp_tls_key *out, void *arg, const char *identity)
{
	struct hall *h = arg;

	*out = (struct cp_tls_key){.psk = h->key, .owner = h};
	return 0;
}

static void
opened(void *arg, struct cp_stream *s)
{
	struct hall *h = arg;

	if (cp_stream_owner(s)) {
		cp_stream_identified(s);
		h->out[h->out_count++] = s;
	} else {
		h->in_count++;
	}
}

static size_t
received(void *arg, struct cp_stream *s, const uint8_t *octets, size_t len)
{
	struct hall *h = arg;
	size_t at = 0;

	for (; len - at >= MESSAGE; at += MESSAGE) {
		h->is_wrong |= memcmp(octets + at, h->message, MESSAGE) != 0;
		h->heard++;
	}
	return at;
}

static void
closed(void *arg, struct cp_stream *s, bool failed, const char *why)
{
	struct hall *h = arg;

	h->closed++;
}

static const struct cp_stream_events events = {opened, received, NULL, closed};

static bool
accepted(void *arg, struct cp_stream *s)
{
	cp_stream_set(s, &events, arg);
	return true;
}

static uint64_t
cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Our turn; its time. */
static uint64_t
our_turn(struct hall *h)
{
	uint64_t began = cpu_ns();

	cp_hub_run(h->ours, h->now_ms);
	return cpu_ns() - began;
}

static int
open_hall(struct hall *h)
{
	struct cp_hub_settings settings = {
		.streams_max = 1000, .handshakes_max = 1000, .send_max = 1 << 20};
	struct dp_addr at = {.family = DP_FAMILY_IP4, .ip = {127, 0, 0, 1}};
	struct cp_stream_tls tls = {.mode = CP_STREAM_PSK, .role = CP_TLS_SERVER};
	int rc;

	memset(h, 0, sizeof(*h));
	h->now_ms = 1;
	memset(h->message, 'm', sizeof(h->message));
	rc = cp_secret_create_random(&h->key, 32);
	if (rc == 0)
		rc = cp_tls_context_create(&h->context, find, h);
	if (rc == 0)
		rc = cp_hub_create(&h->ours, &settings);
	if (rc == 0)
		rc = cp_hub_create(&h->theirs, &settings);
	tls.context = h->context;
	if (rc == 0)
		rc = cp_hub_listen(&h->listener, h->ours, &at, &tls, accepted, h);
	return rc;
}

static void
close_hall(struct hall *h)
{
	cp_hub_destroy(h->theirs);
	cp_hub_destroy(h->ours);
	cp_tls_context_put(h->context);
	cp_secret_put(h->key);
}

/* All come; the CPU time of our side. */
static uint64_t
fill(struct hall *h)
{
	uint64_t spent = 0, end = bench_now_ns() + 30000000000u;
	char name[16];

	h->out_count = h->in_count = 0;
	for (unsigned i = 0; i < STREAMS; i++) {
		struct cp_stream_tls tls = {.mode = CP_STREAM_PSK,
					    .role = CP_TLS_CLIENT,
					    .context = h->context,
					    .identity = name,
					    .psk = h->key};
		struct cp_stream_target target = {.to = *cp_listener_address(h->listener),
						  .tls = &tls};

		snprintf(name, sizeof(name), "%08x-1", i);
		if (cp_hub_connect(&h->in[i], h->theirs, &target, &events, h) != 0)
			h->is_wrong = true;
	}
	while (!h->is_wrong && (h->out_count < STREAMS || h->in_count < STREAMS) &&
	       bench_now_ns() < end) {
		cp_hub_run(h->theirs, h->now_ms);
		spent += our_turn(h);
	}
	h->is_wrong |= h->out_count != STREAMS;
	return spent;
}

static void
leave(struct hall *h)
{
	uint64_t end = bench_now_ns() + 10000000000u;

	h->closed = 0;
	for (unsigned i = 0; i < h->out_count; i++)
		cp_stream_close(h->out[i]);
	while (h->closed < STREAMS && bench_now_ns() < end) {
		our_turn(h);
		cp_hub_run(h->theirs, h->now_ms);
	}
}

static void
settle(struct bench_result *out, double *values, unsigned count)
{
	out->value = out->p50 = bench_quantile(values, count, 0.5);
	out->p99 = bench_quantile(values, count, 0.99);
	bench_extra_number(out, "per_second_on_a_core", 1e9 / out->p50);
	bench_extra_number(out, "streams", STREAMS);
}

static int
shake_hands(const struct bench_case *row, struct bench_result *out)
{
	static struct hall h;
	double values[10];
	int rc = open_hall(&h);

	for (unsigned i = 0; i < 10 && rc == 0; i++) {
		values[i] = (double)fill(&h) / STREAMS;
		leave(&h);
	}
	if (rc == 0) {
		settle(out, values, 10);
		out->is_verified = !h.is_wrong;
	}
	close_hall(&h);
	return rc;
}

/* Until all of it is there: what waits is our time, what is read theirs. */
static uint64_t
carry(struct hall *h)
{
	uint64_t spent = 0, end = bench_now_ns() + 10000000000u;

	while (h->heard < h->sent && !h->is_wrong && bench_now_ns() < end) {
		spent += our_turn(h);
		cp_hub_run(h->theirs, h->now_ms);
	}
	h->is_wrong |= h->heard != h->sent;
	return spent;
}

static int
deliver(const struct bench_case *row, struct bench_result *out)
{
	const unsigned messages = ((const struct row *)row->arg)->messages;
	static struct hall h;
	double values[200];
	int rc = open_hall(&h);

	if (rc == 0)
		fill(&h);
	for (unsigned i = 0; i < 200 && rc == 0 && !h.is_wrong; i++) {
		uint64_t began = cpu_ns(), spent;

		for (unsigned m = 0; m < messages; m++)
			for (unsigned n = 0; n < STREAMS; n++)
				if (cp_stream_send(h.out[n], h.message, MESSAGE) == MESSAGE)
					h.sent++;
		spent = cpu_ns() - began;
		spent += carry(&h);
		values[i] = (double)spent / (STREAMS * messages);
	}
	if (rc == 0) {
		settle(out, values, 200);
		out->is_verified = !h.is_wrong && h.heard == 200u * STREAMS * messages;
	}
	close_hall(&h);
	return rc;
}

int
main(int argc, char **argv)
{
	static const struct row one = {1}, eight = {8};
	static const struct bench_case cases[] = {
		{.name = "stream.accept.tls13", .unit = "ns/handshake", .run = shake_hands},
		{.name = "stream.deliver.turns_of_1",
		 .unit = "ns/delivery",
		 .run = deliver,
		 .arg = &one},
		{.name = "stream.deliver.turns_of_8",
		 .unit = "ns/delivery",
		 .run = deliver,
		 .arg = &eight},
	};

	return bench_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
