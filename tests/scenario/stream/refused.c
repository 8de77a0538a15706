/* Who is not let in, why, and that nobody else suffers from it: keys, versions, time, floods of half-open connections, peers that read nothing. */
#include "tests/scenario/stream/world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static uint8_t big[HEARD_MAX];

static void
listen_psk(struct world *w)
{
	struct cp_stream_tls server = world_psk_server(w);

	world_listen(w, false, &server);
}

/* A client with that name, and the key of another name. */
static struct end *
come(struct world *w, const char *name, const char *key, enum cp_tls_version version)
{
	struct cp_stream_tls client = world_psk(w, name);
	struct end *a = end_create();

	client.psk = world_key(key);
	client.version = version;
	world_connect(w, a, &client);
	cp_secret_put(client.psk);
	return a;
}

/* Goes on working through all that others do. */
static void
still_talks(struct world *w, struct end *a, struct end *b)
{
	size_t before = b->heard_len;

	assert_non_null(a->stream);
	assert_int_equal(cp_stream_send(a->stream, "still", 5), 5);
	assert_true(world_heard(w, b, before + 5));
}

static void
test_keys(void **state)
{
	static const struct {
		const char *name, *key;
		enum cp_stream_cause cause;
		const char *claimed;
	} rows[] = {
		{"four", "four", CP_STREAM_NO_KEY, NULL},
		{"two", "one", CP_STREAM_WRONG_KEY, "two"},
		{"one", "one", CP_STREAM_KEY_IN_USE, "one"},
	};

	for (int version = CP_TLS_1_2; version <= CP_TLS_1_3; version++) {
		struct world w = {0};
		struct end *a, *b;
		char seen[200] = "";

		world_open(&w, (struct cp_hub_settings){0});
		listen_psk(&w);
		a = come(&w, "one", "one", version);
		b = world_accepted(&w, 1);
		assert_true(world_opened(&w, a) && world_opened(&w, b));
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			struct end *c = come(&w, rows[i].name, rows[i].key, version);
			struct end *d = world_accepted(&w, 2 + i);

			assert_true(world_closed(&w, c) && world_closed(&w, d));
			assert_int_equal(d->cause, rows[i].cause);
			assert_int_equal(d->opened, 0);
			if (rows[i].claimed)
				assert_string_equal(d->claimed, rows[i].claimed);
			else
				assert_null(d->claimed);
			/* from outside they look the same */
			if (seen[0])
				assert_string_equal(c->why, seen);
			snprintf(seen, sizeof(seen), "%s", c->why);
			free(c);
			still_talks(&w, a, b);
		}
		free(a);
		world_close(&w);
	}
}

/* A listener for one owner takes his key only. */
static void
test_owner(void **state)
{
	struct world w = {0};
	struct cp_stream_tls server;
	struct end *a, *b;

	world_open(&w, (struct cp_hub_settings){0});
	server = world_psk_server(&w);
	server.owner = world_keys[0];
	world_listen(&w, false, &server);
	a = come(&w, "two", "two", CP_TLS_BOTH);
	b = world_accepted(&w, 1);
	assert_true(world_closed(&w, a) && world_closed(&w, b));
	assert_int_equal(b->cause, CP_STREAM_OTHERS_KEY);
	assert_string_equal(b->claimed, "two");
	free(a);
	world_close(&w);
}

static void
test_certificates(void **state)
{
	struct world w = {0};
	struct cp_stream_tls server = {.mode = CP_STREAM_CERTIFICATE, .role = CP_TLS_SERVER};
	struct cp_stream_tls client = {.mode = CP_STREAM_CERTIFICATE, .role = CP_TLS_CLIENT};
	uint8_t other[CP_TLS_FINGERPRINT] = {1};
	struct end *a = end_create(), *b;

	world_open(&w, (struct cp_hub_settings){0});
	server.context = w.context;
	client.context = w.their_context;
	client.fingerprint = other;
	world_listen(&w, false, &server);
	world_connect(&w, a, &client);
	assert_true(world_closed(&w, a));
	assert_int_equal(a->cause, CP_STREAM_CERTIFICATE_OTHER);
	assert_int_equal(a->opened, 0);
	assert_true(world_closed(&w, world_accepted(&w, 1)));
	/* a PSK finds nothing at that port */
	free(a);
	a = come(&w, "one", "one", CP_TLS_BOTH);
	b = world_accepted(&w, 2);
	assert_true(world_closed(&w, a) && world_closed(&w, b));
	assert_int_equal(b->cause, CP_STREAM_TLS);
	free(a);
	world_close(&w);
}

/* What is no TLS, or TLS of an old version: a ClientHello of 1.1, as far as it is read. */
static void
test_not_tls(void **state)
{
	static const uint8_t old[] = {0x16, 3, 1, 0, 47, 1, 0, 0, 43,	3, 2,	 1, 2,
				      3,    4, 5, 6, 7,	 8, 9, 0, 1,	2, 3,	 4, 5,
				      6,    7, 8, 9, 0,	 1, 2, 3, 4,	5, 6,	 7, 8,
				      9,    0, 1, 2, 0,	 0, 4, 0, 0x8c, 0, 0xff, 1, 0};
	static const struct {
		const void *octets;
		size_t len;
	} rows[] = {{"MSRP 1234 SEND\r\n", 16}, {"GET / HTTP/1.0\r\n\r\n", 18}, {old, sizeof(old)}};
	struct world w = {0};

	world_open(&w, (struct cp_hub_settings){0});
	listen_psk(&w);
	for (size_t i = 0; i < 3; i++) {
		int fd = raw_connect(&w, 1);
		struct end *b = world_accepted(&w, i + 1);
		uint8_t answer[64];

		assert_int_equal(send(fd, rows[i].octets, rows[i].len, 0), rows[i].len);
		assert_true(world_closed(&w, b));
		assert_int_equal(b->cause, CP_STREAM_NOT_TLS);
		world_turns(&w, 3);
		/* an alert at most */
		assert_true(recv(fd, answer, sizeof(answer), 0) <= 7);
		close(fd);
	}
	world_close(&w);
}

static void
test_too_late(void **state)
{
	struct world w = {0};
	struct end *b, *a;
	int quiet, slow;

	world_open(&w, (struct cp_hub_settings){.handshake_ms = 5000, .identify_ms = 3000});
	listen_psk(&w);
	quiet = raw_connect(&w, 1);
	world_accepted(&w, 1);
	slow = raw_connect(&w, 1);
	b = world_accepted(&w, 2);
	assert_int_equal(send(slow, "\x16\3\1", 3, 0), 3);
	assert_int_equal(cp_hub_next_ms(w.ours), 6000);
	w.now_ms += 4999;
	world_turns(&w, 2);
	assert_int_equal(w.ends[0]->closed + b->closed, 0);
	w.now_ms++;
	world_turns(&w, 1);
	assert_int_equal(w.ends[0]->cause, CP_STREAM_LATE);
	assert_int_equal(b->cause, CP_STREAM_LATE);
	close(quiet);
	close(slow);

	/* TLS is up, and nobody says whose it is */
	a = come(&w, "one", "one", CP_TLS_BOTH);
	b = world_accepted(&w, 3);
	assert_true(world_opened(&w, a) && world_opened(&w, b));
	w.now_ms += 3000;
	assert_true(world_closed(&w, b) && world_closed(&w, a));
	assert_int_equal(b->cause, CP_STREAM_LATE);
	assert_false(a->failed); /* it was told */
	free(a);
	/* who is known may stay */
	w.identifies = true;
	a = come(&w, "one", "one", CP_TLS_BOTH);
	b = world_accepted(&w, 4);
	assert_true(world_opened(&w, a) && world_opened(&w, b));
	w.now_ms += 1000000;
	world_turns(&w, 3);
	still_talks(&w, a, b);
	assert_int_equal(cp_hub_next_ms(w.ours), -1);
	free(a);
	world_close(&w);
}

/* A thousand connections of one source that say nothing: it alone is kept out, and who is known hears of nothing. */
static void
test_flood_of_one(void **state)
{
	struct world w = {0};
	struct end *a, *b;
	int fds[100], other;

	w.identifies = true;
	world_open(&w, (struct cp_hub_settings){.per_source_max = 20, .handshakes_max = 100});
	listen_psk(&w);
	w.identifies = true;
	a = come(&w, "one", "one", CP_TLS_BOTH);
	b = world_accepted(&w, 1);
	assert_true(world_opened(&w, a) && world_opened(&w, b));
	w.identifies = false;
	for (int i = 0; i < 100; i++)
		fds[i] = raw_connect(&w, 7);
	world_turns(&w, 10);
	assert_int_equal(w.count, 1 + 20);
	assert_int_equal(w.refused[CP_STREAM_SOURCE], 80);
	other = raw_connect(&w, 8);
	world_accepted(&w, 22);
	still_talks(&w, a, b);
	/* after three seconds the oldest of that source makes room, so that who shares it gets in */
	w.now_ms += 3000;
	close(fds[99]);
	fds[99] = raw_connect(&w, 7);
	world_accepted(&w, 23);
	assert_int_equal(w.ends[1]->cause, CP_STREAM_CROWDED_OUT);
	assert_int_equal(w.ends[2]->closed, 0);
	assert_int_equal(w.ends[21]->closed, 0);
	still_talks(&w, a, b);
	for (int i = 0; i < 100; i++)
		close(fds[i]);
	close(other);
	free(a);
	world_close(&w);
}

/* Of many sources: while all are fresh the kernel keeps who comes; then the oldest go. A peer gets in through it. */
static void
test_flood_of_many(void **state)
{
	struct world w = {0};
	struct end *a;
	int fds[60];

	world_open(&w, (struct cp_hub_settings){.per_source_max = 5, .handshakes_max = 30});
	listen_psk(&w);
	for (int i = 0; i < 60; i++)
		fds[i] = raw_connect(&w, 2 + i);
	a = come(&w, "one", "one", CP_TLS_BOTH);
	world_turns(&w, 10);
	assert_int_equal(w.count, 30);
	assert_int_equal(w.refused[CP_STREAM_FULL] + w.refused[CP_STREAM_SOURCE], 0);
	assert_int_equal(cp_hub_next_ms(w.ours), 1100);
	w.now_ms += 3000;
	world_turns(&w, 5);
	w.now_ms += 3000;
	world_turns(&w, 5);
	w.now_ms += 3000;
	assert_true(world_opened(&w, a));
	for (int i = 0; i < 30; i++)
		assert_int_equal(w.ends[i]->cause, CP_STREAM_CROWDED_OUT);
	for (int i = 0; i < 60; i++)
		close(fds[i]);
	free(a);
	world_close(&w);
}

/* Known ones are not crowded out, however many come. */
static void
test_full(void **state)
{
	struct world w = {0};
	struct cp_stream_tls plain = {.mode = CP_STREAM_PLAIN};
	struct end *a[5];
	int fd;

	world_open(&w, (struct cp_hub_settings){.streams_max = 5});
	world_listen(&w, false, &plain);
	w.identifies = true;
	for (size_t i = 0; i < 5; i++) {
		a[i] = end_create();
		world_connect(&w, a[i], &plain);
		world_accepted(&w, i + 1);
	}
	w.now_ms += 5000;
	fd = raw_connect(&w, 3);
	world_turns(&w, 5);
	assert_int_equal(w.refused[CP_STREAM_FULL], 1);
	close(fd);
	for (size_t i = 0; i < 5; i++)
		still_talks(&w, a[i], w.ends[i]);
	assert_int_equal(cp_hub_connect(&a[0]->stream, w.ours,
					&(struct cp_stream_target){.to = w.at, .tls = &plain},
					&world_events, a[0]),
			 -ENFILE);
	for (size_t i = 0; i < 5; i++)
		free(a[i]);
	world_close(&w);
}

/* accepted said no. */
static void
test_turned_away(void **state)
{
	struct world w = {.refuses = true};
	struct cp_stream_tls plain = {.mode = CP_STREAM_PLAIN};
	struct end *a = end_create();

	world_open(&w, (struct cp_hub_settings){0});
	world_listen(&w, false, &plain);
	world_connect(&w, a, &plain);
	assert_true(world_closed(&w, a));
	assert_int_equal(w.refused[CP_STREAM_REFUSED], 1);
	free(a);
	world_close(&w);
}

static bool
has_room(void *arg)
{
	struct end *end = arg;

	return cp_stream_room(end->stream) > 0;
}

/* Until there is no room, and the kernel takes no more for a while. */
static void
fill(struct world *w, struct end *end)
{
	for (int quiet = 0; quiet < 30; quiet++) {
		if (cp_stream_send(end->stream, big, sizeof(big)) > 0)
			quiet = 0;
		world_turns(w, 1);
	}
	assert_int_equal(cp_stream_room(end->stream), 0);
}

/* A peer that reads nothing any more costs a queue, and for a time only. */
static void
test_stalled(void **state)
{
	struct world w = {0};
	struct end *a, *b;

	world_open(&w, (struct cp_hub_settings){.stall_ms = 10000, .send_max = 200000});
	listen_psk(&w);
	w.identifies = true;
	a = come(&w, "one", "one", CP_TLS_BOTH);
	b = world_accepted(&w, 1);
	assert_true(world_opened(&w, a) && world_opened(&w, b));
	a->forgets = true;
	cp_stream_pause(a->stream, true);
	fill(&w, b);
	w.now_ms += 9999;
	world_turns(&w, 1);
	assert_int_equal(b->closed, 0);
	/* a little is progress */
	cp_stream_pause(a->stream, false);
	assert_true(world_until(&w, has_room, b));
	cp_stream_pause(a->stream, true);
	fill(&w, b);
	w.now_ms += 9999;
	world_turns(&w, 1);
	assert_int_equal(b->closed, 0);
	w.now_ms += 10000; /* the kernel may have taken something just now */
	assert_true(world_closed(&w, b));
	assert_int_equal(b->cause, CP_STREAM_STALLED);
	free(a);
	world_close(&w);
}

/* Closed, and the peer never answers with its FIN: gone after five seconds. */
static void
test_lingers(void **state)
{
	struct world w = {0};
	struct cp_stream_tls plain = {.mode = CP_STREAM_PLAIN};
	char room[16];
	int fd;

	world_open(&w, (struct cp_hub_settings){.streams_max = 1});
	world_listen(&w, false, &plain);
	fd = raw_connect(&w, 1);
	world_accepted(&w, 1);
	cp_stream_send(w.ends[0]->stream, "bye", 3);
	cp_stream_close(w.ends[0]->stream);
	world_turns(&w, 3);
	assert_int_equal(recv(fd, room, sizeof(room), 0), 3);
	assert_int_equal(recv(fd, room, sizeof(room), 0), 0);
	assert_int_equal(cp_hub_next_ms(w.ours), 6000);
	w.now_ms = 6000;
	world_turns(&w, 1);
	assert_int_equal(cp_hub_next_ms(w.ours), -1);
	close(fd);
	fd = raw_connect(&w, 1);
	world_accepted(&w, 2);
	close(fd);
	world_close(&w);
}

/* Before it is started a listener's port takes whom the kernel takes, and nobody is accepted. */
static void
test_start_later(void **state)
{
	struct world w = {0};
	struct cp_stream_tls plain = {.mode = CP_STREAM_PLAIN};
	struct end *a = end_create();

	world_open(&w, (struct cp_hub_settings){0});
	world_listen(&w, false, NULL);
	world_connect(&w, a, &plain);
	assert_true(world_opened(&w, a));
	cp_stream_send(a->stream, "early", 5);
	world_turns(&w, 5);
	assert_int_equal(w.count, 0);
	assert_int_equal(cp_listener_start(w.listener, &plain), 0);
	assert_true(world_heard(&w, world_accepted(&w, 1), 5));
	free(a);
	world_close(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys),	      cmocka_unit_test(test_owner),
		cmocka_unit_test(test_certificates),  cmocka_unit_test(test_not_tls),
		cmocka_unit_test(test_too_late),      cmocka_unit_test(test_flood_of_one),
		cmocka_unit_test(test_flood_of_many), cmocka_unit_test(test_full),
		cmocka_unit_test(test_turned_away),   cmocka_unit_test(test_stalled),
		cmocka_unit_test(test_lingers),	      cmocka_unit_test(test_start_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
