/* Streams that work: plain and TLS of both versions, IPv4 and IPv6, both roles, back-pressure, partial writes, every way to end. */
#include "tests/scenario/stream/world.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static uint8_t big[HEARD_MAX];

static void
both_ways(struct world *w, struct end *a, struct end *b)
{
	assert_int_equal(cp_stream_send(a->stream, "hello", 5), 5);
	assert_int_equal(cp_stream_send(a->stream, ", you", 5), 5);
	assert_int_equal(cp_stream_send(b->stream, "and you", 7), 7);
	assert_true(world_heard(w, b, 10) && world_heard(w, a, 7));
	assert_memory_equal(b->heard, "hello, you", 10);
	assert_memory_equal(a->heard, "and you", 7);
	assert_int_equal(cp_stream_waiting(a->stream) + cp_stream_waiting(b->stream), 0);
}

static void
test_modes(void **state)
{
	static const struct {
		enum cp_stream_mode mode;
		enum cp_tls_version version;
		const char *protection;
	} rows[] = {
		{CP_STREAM_PLAIN, 0, "plain"},
		{CP_STREAM_PSK, CP_TLS_BOTH, "TLSv1.3 TLS_AES_128_GCM_SHA256"},
		{CP_STREAM_PSK, CP_TLS_1_2, "TLSv1.2 ECDHE-PSK-AES128-CBC-SHA256"},
		{CP_STREAM_CERTIFICATE, CP_TLS_BOTH, "TLSv1.3 TLS_AES_128_GCM_SHA256"},
		{CP_STREAM_CERTIFICATE, CP_TLS_1_2, "TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256"},
	};

	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		size_t row = i / 2;
		struct world w = {0};
		struct end *a = end_create(), *b;
		struct cp_stream_tls server = {.mode = rows[row].mode, .role = CP_TLS_SERVER};
		struct cp_stream_tls client = {
			.mode = rows[row].mode, .version = rows[row].version, .identity = "two"};
		struct cp_secret *key = world_key("two");
		uint8_t print[CP_TLS_FINGERPRINT];
		char text[CP_TLS_FINGERPRINT_TEXT];

		world_open(&w, (struct cp_hub_settings){0});
		server.context = w.context;
		client.context = w.their_context;
		client.psk = key;
		cp_tls_context_fingerprint(text, w.context);
		cp_tls_fingerprint_decode(print, cp_slice_text(text));
		if (rows[row].mode == CP_STREAM_CERTIFICATE)
			client.fingerprint = print;
		world_listen(&w, i % 2, &server);
		world_connect(&w, a, &client);
		cp_secret_put(key);
		b = world_accepted(&w, 1);
		assert_true(world_opened(&w, a) && world_opened(&w, b));
		assert_string_equal(a->protection, rows[row].protection);
		assert_string_equal(b->protection, rows[row].protection);
		assert_ptr_equal(b->owner, rows[row].mode == CP_STREAM_PSK ? world_keys[1] : NULL);
		assert_true(dp_addr_is_same(cp_stream_remote(a->stream), &w.at));
		assert_true(
			dp_addr_is_same(cp_stream_remote(b->stream), cp_stream_local(a->stream)));
		assert_true(dp_addr_is_same(cp_stream_local(b->stream), &w.at));
		if (rows[row].mode == CP_STREAM_CERTIFICATE) {
			cp_tls_context_fingerprint(text, w.their_context);
			cp_tls_fingerprint_decode(print, cp_slice_text(text));
			assert_memory_equal(cp_stream_fingerprint(b->stream), print, sizeof(print));
		} else {
			assert_null(cp_stream_fingerprint(b->stream));
		}
		both_ways(&w, a, b);
		cp_stream_close(a->stream);
		assert_true(world_closed(&w, b));
		assert_false(b->failed);
		assert_int_equal(a->closed, 0);
		free(a);
		world_close(&w);
	}
}

/* A pair over PSK; the first accepted. */
static struct end *
pair(struct world *w, struct end *a, const char *name)
{
	struct cp_stream_tls server = world_psk_server(w), client = world_psk(w, name);
	struct end *b;

	client.psk = world_key(name);
	if (!w->listener)
		world_listen(w, false, &server);
	world_connect(w, a, &client);
	cp_secret_put(client.psk);
	b = world_accepted(w, w->count + 1);
	assert_true(world_opened(w, a) && world_opened(w, b));
	return b;
}

static struct end *
plain_pair(struct world *w, struct end *a)
{
	struct cp_stream_tls plain = {.mode = CP_STREAM_PLAIN};
	struct end *b;

	world_listen(w, false, &plain);
	world_connect(w, a, &plain);
	b = world_accepted(w, w->count + 1);
	assert_true(world_opened(w, a) && world_opened(w, b));
	return b;
}

/* A megabyte to one who reads nothing, then all, in small bites. */
static void
test_back_pressure(void **state)
{
	struct world w = {0};
	struct end *a = end_create(), *b;
	size_t sent = 0;

	world_open(&w, (struct cp_hub_settings){.send_max = 100000});
	b = pair(&w, a, "one");
	cp_stream_pause(a->stream, true);
	for (int i = 0; i < 200; i++) {
		sent += cp_stream_send(b->stream, big + sent, sizeof(big) - sent);
		assert_true(cp_stream_waiting(b->stream) <= 100000 + 1000);
		world_turns(&w, 1);
	}
	/* what the kernel holds, and no more than a queue here */
	assert_true(cp_stream_room(b->stream) == 0 || sent == sizeof(big));
	assert_int_equal(a->heard_len, 0);
	a->takes = 7777;
	a->pauses = true;
	cp_stream_pause(a->stream, false);
	while (a->heard_len < sizeof(big)) {
		int before = b->writable;

		assert_true(b->stream != NULL && a->stream != NULL);
		sent += cp_stream_send(b->stream, big + sent, sizeof(big) - sent);
		world_turns(&w, 1);
		/* room is said once after it was wanted */
		assert_true(b->writable - before <= 1);
		cp_stream_pause(a->stream, false);
	}
	assert_true(b->writable > 0);
	assert_memory_equal(a->heard, big, sizeof(big));
	free(a);
	world_close(&w);
}

/* Both talk a megabyte at the same time to one who answers everything. */
static void
test_echo(void **state)
{
	for (int is_plain = 0; is_plain < 2; is_plain++) {
		struct world w = {0};
		struct end *a = end_create(), *b;
		size_t sent = 0;

		world_open(&w, (struct cp_hub_settings){.send_max = 4 << 20});
		b = is_plain ? plain_pair(&w, a) : pair(&w, a, "one");
		b->echoes = true;
		while (sent < sizeof(big)) {
			size_t len = 1 + (sent * 7919) % 40000;

			len = len < sizeof(big) - sent ? len : sizeof(big) - sent;
			sent += cp_stream_send(a->stream, big + sent, len);
			if (sent % 3 == 0)
				world_turns(&w, 1);
		}
		assert_true(world_heard(&w, a, sizeof(big)));
		assert_memory_equal(a->heard, big, sizeof(big));
		free(a);
		world_close(&w);
	}
}

static bool
is_quiet(void *arg)
{
	struct end *end = arg;

	return !end->stream || cp_stream_waiting(end->stream) == 0;
}

/* What waits when a stream is closed still goes, and the last octet before close-notify. */
static void
test_close_flushes(void **state)
{
	struct world w = {0};
	struct end *a = end_create(), *b;

	world_open(&w, (struct cp_hub_settings){0});
	b = pair(&w, a, "one");
	assert_int_equal(cp_stream_send(b->stream, big, 900000), 900000);
	cp_stream_close(b->stream);
	b->stream = NULL;
	assert_true(world_closed(&w, a));
	assert_false(a->failed);
	assert_int_equal(a->heard_len, 900000);
	assert_memory_equal(a->heard, big, 900000);
	assert_int_equal(b->closed, 0);

	/* the name is free at once */
	b = pair(&w, a = memset(a, 0, sizeof(*a)), "one");
	assert_int_equal(cp_stream_send(a->stream, "x", 1), 1);
	assert_true(world_heard(&w, b, 1));
	free(a);
	world_close(&w);
}

/* From within received: closed and aborted; no event after it. */
static void
test_end_within(void **state)
{
	for (int i = 0; i < 2; i++) {
		struct world w = {0};
		struct end *a = end_create(), *b;

		world_open(&w, (struct cp_hub_settings){0});
		b = pair(&w, a, "one");
		b->closes = i == 0;
		b->aborts = i == 1;
		cp_stream_send(a->stream, "bye", 3);
		assert_true(world_closed(&w, a));
		assert_int_equal(a->failed, i == 1);
		assert_int_equal(a->cause, i == 1 ? CP_STREAM_CUT : CP_STREAM_ENDED);
		assert_int_equal(b->closed, 0);
		free(a);
		world_close(&w);
	}
}

/* A peer that cuts TLS without close-notify has not ended. */
static void
test_cut(void **state)
{
	struct world w = {0};
	struct end *a = end_create(), *b;

	world_open(&w, (struct cp_hub_settings){0});
	b = pair(&w, a, "one");
	cp_stream_abort(a->stream);
	assert_true(world_closed(&w, b));
	assert_true(b->failed);
	assert_int_equal(b->cause, CP_STREAM_CUT);
	memset(a, 0, sizeof(*a));

	/* and one that has paused hears of it as well */
	b = pair(&w, a, "one");
	cp_stream_pause(b->stream, true);
	cp_stream_abort(a->stream);
	assert_true(world_closed(&w, b));
	free(a);
	world_close(&w);
}

/* Received leaves what it cannot use yet; it comes again with more, up to a bound. */
static void
test_left_over(void **state)
{
	struct world w = {0};
	struct end *a = end_create(), *b;

	world_open(&w, (struct cp_hub_settings){0});
	b = pair(&w, a, "one");
	b->takes_nothing = true;
	for (int i = 0; i < 3; i++) {
		cp_stream_send(a->stream, big + i * 5000, 5000);
		assert_true(world_until(&w, is_quiet, a));
		world_turns(&w, 3);
	}
	assert_int_equal(b->heard_len, 0);
	b->takes_nothing = false;
	cp_stream_send(a->stream, big + 15000, 1);
	assert_true(world_heard(&w, b, 15001));
	assert_memory_equal(b->heard, big, 15001);
	b->takes_nothing = true;
	cp_stream_send(a->stream, big, CP_STREAM_RECEIVE_MAX + 1);
	assert_true(world_closed(&w, b));
	assert_int_equal(b->cause, CP_STREAM_LONG);
	assert_true(world_closed(&w, a));
	assert_false(a->failed); /* it was told */
	free(a);
	world_close(&w);
}

/* Paused in the middle of what lies here: nothing is lost, nothing comes twice. */
static void
test_pause_within(void **state)
{
	for (int is_plain = 0; is_plain < 2; is_plain++) {
		struct world w = {0};
		struct end *a = end_create(), *b;

		world_open(&w, (struct cp_hub_settings){0});
		b = is_plain ? plain_pair(&w, a) : pair(&w, a, "one");
		b->pauses = true;
		b->takes = 1000;
		assert_int_equal(cp_stream_send(a->stream, big, 300000), 300000);
		while (b->heard_len < 300000) {
			size_t before = b->heard_len;

			world_turns(&w, 1);
			assert_true(b->heard_len <= before + 1000);
			cp_stream_pause(b->stream, false);
		}
		assert_memory_equal(b->heard, big, 300000);
		/* the end is seen when it is read */
		cp_stream_pause(b->stream, true);
		cp_stream_close(a->stream);
		world_turns(&w, 5);
		assert_int_equal(b->closed, 0);
		cp_stream_pause(b->stream, false);
		assert_true(world_closed(&w, b));
		assert_false(b->failed);
		free(a);
		world_close(&w);
	}
}

static void
test_unreachable(void **state)
{
	struct world w = {0};
	struct end *a = end_create();
	struct cp_stream_tls client;

	world_open(&w, (struct cp_hub_settings){0});
	client = world_psk(&w, "one");
	client.psk = world_key("one");
	world_listen(&w, false, &client);
	cp_listener_close(w.listener);
	w.listener = NULL;
	world_connect(&w, a, &client);
	assert_true(world_closed(&w, a));
	assert_int_equal(a->cause, CP_STREAM_UNREACHABLE);
	assert_string_equal(a->why, "Connection refused");
	client.identity = NULL;
	assert_int_equal(cp_hub_connect(&a->stream, w.ours,
					&(struct cp_stream_target){.to = w.at, .tls = &client},
					&world_events, a),
			 -EINVAL);
	cp_secret_put(client.psk);
	free(a);
	world_close(&w);
}

/* Who listens is TLS client, unless who connects begins with a ClientHello. */
static void
test_yields(void **state)
{
	for (int begins = 0; begins < 2; begins++) {
		struct world w = {0};
		struct end *a = end_create(), *b;
		struct cp_stream_tls ours, theirs;
		struct cp_secret *key = world_key("one");

		world_open(&w, (struct cp_hub_settings){0});
		ours = world_psk(&w, "one");
		ours.context = w.context;
		ours.psk = key;
		ours.yields_ms = 200;
		ours.owner = world_keys[0];
		world_listen(&w, false, &ours);
		theirs = world_psk(&w, "one");
		theirs.psk = key;
		theirs.role = begins ? CP_TLS_CLIENT : CP_TLS_SERVER;
		world_connect(&w, a, &theirs);
		b = world_accepted(&w, 1);
		if (!begins) {
			world_turns(&w, 5);
			assert_int_equal(b->opened, 0);
			w.now_ms += 200;
		}
		assert_true(world_opened(&w, a) && world_opened(&w, b));
		both_ways(&w, a, b);
		cp_secret_put(key);
		free(a);
		world_close(&w);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modes),	    cmocka_unit_test(test_back_pressure),
		cmocka_unit_test(test_echo),	    cmocka_unit_test(test_close_flushes),
		cmocka_unit_test(test_end_within),  cmocka_unit_test(test_cut),
		cmocka_unit_test(test_left_over),   cmocka_unit_test(test_pause_within),
		cmocka_unit_test(test_unreachable), cmocka_unit_test(test_yields),
	};

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * 31 >> 3 ^ i >> 11);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
