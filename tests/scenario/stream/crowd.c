/* Thousands of TLS streams at a time: they come in throngs, each under its own key, talk, half of them break, and those come again. */
#include "ctrlplane/stream/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <cmocka.h>

#define CROWD 2000
#define THRONG 300 /* at once: more than may be half-open */
#define OTHER_FILES 64

/* One of theirs. */
struct member {
	struct cp_stream *stream;
	struct crowd *crowd;
	unsigned number, echoes;
	bool is_open;
};

struct crowd {
	struct cp_hub *ours, *theirs;
	struct cp_tls_context *context;
	struct cp_secret *keys[CROWD];
	struct cp_listener *listener;
	struct member members[CROWD];
	unsigned count, open, echoes, lost, refused;
	int64_t now_ms;
};

static int
find(struct cp_tls_key *out, void *arg, const char *identity)
{
	struct crowd *c = arg;
	unsigned number = (unsigned)atoi(identity);

	if (number >= c->count)
		return -1;
	*out = (struct cp_tls_key){.psk = c->keys[number], .owner = &c->members[number]};
	return 0;
}

/* Ours: says back what comes, and whose it is by the key. */
static void
we_opened(void *arg, struct cp_stream *s)
{
	assert_non_null(cp_stream_owner(s));
	cp_stream_identified(s);
}

static size_t
we_received(void *arg, struct cp_stream *s, const uint8_t *octets, size_t len)
{
	const struct member *owner = cp_stream_owner(s);
	char said[16];

	snprintf(said, sizeof(said), "%07u\n", owner->number);
	if (len < 8)
		return 0;
	assert_memory_equal(octets, said, 8);
	assert_int_equal(cp_stream_send(s, octets, 8), 8);
	return 8;
}

static void
we_closed(void *arg, struct cp_stream *s, bool failed, const char *why)
{
	struct crowd *c = arg;

	c->lost++;
}

static const struct cp_stream_events ours = {we_opened, we_received, NULL, we_closed};

static bool
accepted(void *arg, struct cp_stream *s)
{
	cp_stream_set(s, &ours, arg);
	return true;
}

static void
refused(void *arg, const struct dp_addr *from, enum cp_stream_cause cause)
{
	struct crowd *c = arg;

	c->refused++;
}

static void
opened(void *arg, struct cp_stream *s)
{
	struct member *m = arg;

	m->is_open = true;
	m->crowd->open++;
}

static size_t
received(void *arg, struct cp_stream *s, const uint8_t *octets, size_t len)
{
	struct member *m = arg;

	m->crowd->echoes += (unsigned)len / 8;
	m->echoes += (unsigned)len / 8;
	return len - len % 8;
}

static void
closed(void *arg, struct cp_stream *s, bool failed, const char *why)
{
	fail_msg("a member is closed: %s", why);
}

static const struct cp_stream_events theirs = {opened, received, NULL, closed};

static void
come(struct crowd *c, unsigned number)
{
	struct member *m = &c->members[number];
	char name[16];
	struct cp_stream_tls tls = {.mode = CP_STREAM_PSK,
				    .role = CP_TLS_CLIENT,
				    .context = c->context,
				    .identity = name,
				    .psk = c->keys[number]};
	struct cp_stream_target target = {.to = *cp_listener_address(c->listener), .tls = &tls};

	snprintf(name, sizeof(name), "%u", number);
	m->crowd = c;
	m->number = number;
	assert_int_equal(cp_hub_connect(&m->stream, c->theirs, &target, &theirs, m), 0);
}

static void
open_crowd(struct crowd *c)
{
	struct cp_hub_settings few = {.streams_max = CROWD,
				      .handshakes_max = THRONG / 2,
				      .per_source_max = CROWD,
				      .handshake_ms = 60000,
				      .send_max = 65536,
				      .refused = refused,
				      .arg = c};
	struct cp_hub_settings all = {
		.streams_max = CROWD, .handshakes_max = CROWD, .send_max = 65536};
	struct dp_addr at = {.family = DP_FAMILY_IP4, .ip = {127, 0, 0, 1}};
	struct cp_stream_tls tls = {.mode = CP_STREAM_PSK, .role = CP_TLS_SERVER};
	struct rlimit limit;

	memset(c, 0, sizeof(*c));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	c->count = limit.rlim_cur >= 2 * CROWD + OTHER_FILES
			   ? CROWD
			   : (unsigned)(limit.rlim_cur - OTHER_FILES) / 2;
	c->now_ms = 1;
	for (unsigned i = 0; i < c->count; i++)
		assert_int_equal(cp_secret_create_random(&c->keys[i], 32), 0);
	assert_int_equal(cp_tls_context_create(&c->context, find, c), 0);
	assert_int_equal(cp_hub_create(&c->ours, &few), 0);
	assert_int_equal(cp_hub_create(&c->theirs, &all), 0);
	tls.context = c->context;
	assert_int_equal(cp_hub_listen(&c->listener, c->ours, &at, &tls, accepted, c), 0);
}

static void
close_crowd(struct crowd *c)
{
	cp_hub_destroy(c->theirs);
	cp_hub_destroy(c->ours);
	cp_tls_context_put(c->context);
	for (unsigned i = 0; i < c->count; i++)
		cp_secret_put(c->keys[i]);
	assert_int_equal(cp_secret_count(), 0);
}

static int64_t
clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The clock of the hubs goes with the machine's: listeners rest while there is no room. */
static void
until(struct crowd *c, const unsigned *what, unsigned count)
{
	int64_t start = clock_ms(), before = c->now_ms;

	while (*what < count && c->now_ms < before + 90000) {
		c->now_ms = before + clock_ms() - start;
		cp_hub_run(c->theirs, c->now_ms);
		cp_hub_run(c->ours, c->now_ms);
	}
	assert_int_equal(*what, count);
}

/* Every so-many-th of them. */
static void
come_all(struct crowd *c, unsigned step)
{
	unsigned coming = c->open, n = 0;

	for (unsigned i = 0; i < c->count; i += step) {
		come(c, i);
		coming++;
		if (++n % THRONG == 0)
			until(c, &c->open, coming);
	}
	until(c, &c->open, coming);
}

static void
talk(struct crowd *c)
{
	unsigned before = c->echoes;
	char says[16];

	for (unsigned i = 0; i < c->count; i++) {
		snprintf(says, sizeof(says), "%07u\n", i);
		assert_int_equal(cp_stream_send(c->members[i].stream, says, 8), 8);
	}
	until(c, &c->echoes, before + c->count);
}

static void
test_crowd(void **state)
{
	static struct crowd c;

	open_crowd(&c);
	come_all(&c, 1);
	for (int i = 0; i < 5; i++)
		talk(&c);
	for (unsigned i = 0; i < c.count; i += 2)
		cp_stream_abort(c.members[i].stream);
	until(&c, &c.lost, (c.count + 1) / 2);
	come_all(&c, 2);
	assert_int_equal(c.open, c.count + (c.count + 1) / 2);
	talk(&c);
	for (unsigned i = 0; i < c.count; i++)
		assert_int_equal(c.members[i].echoes, 6);
	assert_int_equal(c.refused, 0);
	close_crowd(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_crowd)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
