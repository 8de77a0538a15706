/*
 * A chat room of 30 over TCP on loopback, both ends in one thread: what the server's turns take of it, from the octets of a message in its socket
 * to those of 29 copies in the sockets of the others. Everybody says so many messages a round; each is looked at where it arrives.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/lib/bench.h"
#include "ctrlplane/msrp/room.h"
#include "ctrlplane/msrp/msg.h"
#include "ctrlplane/stream/stream.h"

#define GUESTS 30
#define TEXT 200 /* octets of a message behind the head of CPIM */
#define WARM_UP 5
#define ROUNDS 60
#define PATIENCE_NS 10000000000u

struct guest {
	struct chat *chat;
	unsigned number;
	struct cp_stream *theirs, *ours;
	struct cp_room_member *member;
	struct cp_msrp_stream reader;
	char body[1024]; /* as far as it has come */
	size_t body_len;
	char name[32], self[64], peer[64];
	unsigned heard[GUESTS]; /* the next number of each */
	unsigned long copies;
	bool is_bound, is_wrong;
};

struct shape {
	enum cp_stream_mode mode;
	unsigned each; /* messages of each guest in a round; 0: one message of one guest */
};

struct chat {
	const struct shape *shape;
	struct cp_hub *ours, *theirs;
	struct cp_listener *listener;
	struct cp_tls_context *server, *client;
	struct cp_secret *key;
	struct cp_room *room;
	struct guest guests[GUESTS];
	unsigned accepted, said[GUESTS];
	int64_t now_ms;
	uint64_t server_ns;
};

static size_t
room_of(struct cp_room_member *m)
{
	struct cp_stream *s = ((struct guest *)m->user)->ours;
	size_t room = cp_stream_room(s);

	if (room < CP_STREAM_RECEIVE_MAX)
		cp_stream_want_room(s);
	return room;
}

static void
send_to(struct cp_room_member *m, const void *octets, size_t len)
{
	cp_stream_send(((struct guest *)m->user)->ours, octets, len);
}

static void
pause_it(struct cp_room_member *m, bool on)
{
	cp_stream_pause(((struct guest *)m->user)->ours, on);
}

static void
dropped(struct cp_room_member *m, const char *why)
{
	((struct guest *)m->user)->is_wrong = true;
}

static void
changed(struct cp_room_member *m)
{
	((struct guest *)m->user)->is_bound = m->is_bound;
}

static void
message(void *arg, const struct cp_room_message *m)
{
}

static void
luck(void *arg, uint8_t *out, size_t len)
{
	static uint64_t state = 1;

	for (size_t i = 0; i < len; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		out[i] = (uint8_t)(state >> 56);
	}
}

static int
canonical(void *arg, char out[CP_ROOM_NAME_MAX], struct cp_slice uri)
{
	return cp_slice_copy(out, CP_ROOM_NAME_MAX, uri);
}

static bool
is_room(void *arg, struct cp_slice uri)
{
	return cp_slice_is(uri, "sip:room@bench");
}

static const struct cp_room_events room_events = {.room = room_of,
						  .send = send_to,
						  .pause = pause_it,
						  .dropped = dropped,
						  .changed = changed,
						  .message = message,
						  .luck = luck,
						  .canonical = canonical,
						  .is_room = is_room};

static void
no_event(void *arg, struct cp_stream *s)
{
}

static void
closed(void *arg, struct cp_stream *s, bool failed, const char *why)
{
	((struct guest *)arg)->is_wrong = true;
}

static size_t
received(void *arg, struct cp_stream *s, const uint8_t *octets, size_t len)
{
	struct guest *g = arg;

	return cp_room_receive(g->member, octets, len, g->chat->now_ms);
}

static void
writable(void *arg, struct cp_stream *s)
{
	struct guest *g = arg;

	cp_room_writable(g->member, g->chat->now_ms);
}

static void
opened(void *arg, struct cp_stream *s)
{
	struct guest *g = arg;

	cp_stream_identified(s);
	cp_room_open(g->member, &(struct cp_room_line){.self = g->self, .peer = g->peer},
		     g->chat->now_ms);
}

static const struct cp_stream_events our_events = {opened, received, writable, closed};

static bool
accepted(void *arg, struct cp_stream *s)
{
	struct chat *c = arg;
	struct guest *g = &c->guests[c->accepted++];

	g->ours = s;
	cp_stream_set(s, &our_events, g);
	return true;
}

/* Of whom, and the how manyth of his: at the end of the body. */
static void
check(struct guest *g, struct cp_slice body)
{
	const char *at = memchr(body.ptr, '#', body.len);
	unsigned from, number;

	if (at == NULL || sscanf(at, "#%u.%u#", &from, &number) != 2 || from >= GUESTS ||
	    number != g->heard[from]++)
		g->is_wrong = true;
	g->copies++;
}

static size_t
heard(void *arg, struct cp_stream *s, const uint8_t *octets, size_t len)
{
	struct guest *g = arg;
	struct cp_msrp_event e;
	size_t at = 0;

	do {
		at += cp_msrp_next(&g->reader, &e, (const char *)octets + at, len - at);
		if (e.kind == CP_MSRP_BODY && g->body_len + e.body.len <= sizeof(g->body)) {
			memcpy(g->body + g->body_len, e.body.ptr, e.body.len);
			g->body_len += e.body.len;
		} else if (e.kind == CP_MSRP_END && g->body_len > 0) {
			check(g, cp_slice(g->body, g->body_len));
			g->body_len = 0;
		}
		g->is_wrong |= e.kind == CP_MSRP_BROKEN;
	} while (e.kind != CP_MSRP_MORE && e.kind != CP_MSRP_BROKEN);
	return at;
}

static void
bind(void *arg, struct cp_stream *s)
{
	struct guest *g = arg;
	char text[256];
	int len = snprintf(text, sizeof(text),
			   "MSRP bind SEND\r\nTo-Path: %s\r\nFrom-Path: %s\r\n-------bind$\r\n",
			   g->self, g->peer);

	cp_stream_identified(s);
	cp_stream_send(s, text, (size_t)len);
}

static const struct cp_stream_events their_events = {bind, heard, no_event, closed};

static void
say(struct guest *g)
{
	unsigned number = g->chat->said[g->number]++;
	char body[512], text[1024], id[24];
	int len = snprintf(
		body, sizeof(body),
		"From: <%s>\r\nTo: <sip:room@bench>\r\n\r\nContent-Type: text/plain\r\n\r\n#%u.%u#",
		g->name, g->number, number);

	memset(body + len, 'x', TEXT);
	len += TEXT;
	snprintf(id, sizeof(id), "t%x.%x", g->number, number);
	len = snprintf(
		text, sizeof(text),
		"MSRP %s SEND\r\nTo-Path: %s\r\nFrom-Path: %s\r\nMessage-ID: %s\r\nByte-Range: "
		"1-%d/%d\r\nContent-Type: message/cpim\r\n\r\n%.*s\r\n-------%s$\r\n",
		id, g->self, g->peer, id, len, len, len, body, id);
	cp_stream_send(g->theirs, text, (size_t)len);
}

static void
turn(struct chat *c)
{
	struct pollfd fds[] = {{.fd = cp_hub_fd(c->ours), .events = POLLIN},
			       {.fd = cp_hub_fd(c->theirs), .events = POLLIN}};
	uint64_t began;

	poll(fds, 2, 10);
	c->now_ms = (int64_t)(bench_now_ns() / 1000000);
	cp_hub_run(c->theirs, c->now_ms);
	began = bench_now_ns();
	cp_hub_run(c->ours, c->now_ms);
	c->server_ns += bench_now_ns() - began;
}

static unsigned long
copies(const struct chat *c)
{
	unsigned long all = 0;

	for (unsigned i = 0; i < GUESTS; i++)
		all += c->guests[i].copies;
	return all;
}

/* False: not all came. */
static bool
run_round(struct chat *c)
{
	unsigned long wanted = copies(c);
	unsigned each = c->shape->each;
	uint64_t began = bench_now_ns();

	for (unsigned i = 0; i < (each ? GUESTS : 1); i++)
		for (unsigned n = 0; n < (each ? each : 1); n++, wanted += GUESTS - 1)
			say(&c->guests[i]);
	while (copies(c) < wanted) {
		if (bench_now_ns() - began > PATIENCE_NS)
			return false;
		turn(c);
	}
	return copies(c) == wanted;
}

static int
find(struct cp_tls_key *out, void *arg, const char *identity)
{
	struct chat *c = arg;

	/* an identity is one connection's */
	*out = (struct cp_tls_key){.psk = c->key, .owner = &c->guests[atoi(identity) % GUESTS]};
	return 0;
}

static int
enter(struct chat *c, unsigned i)
{
	struct guest *g = &c->guests[i];
	const char *name = g->name;
	char identity[16];
	struct cp_room_person person = {.id = i + 1,
					.name_count = 1,
					.names = {name},
					.may_send = true,
					.takes_private = true};
	struct cp_stream_tls tls = {.mode = c->shape->mode,
				    .role = CP_TLS_CLIENT,
				    .context = c->client,
				    .identity = identity,
				    .psk = c->key};
	struct cp_stream_target target = {.to = *cp_listener_address(c->listener), .tls = &tls};
	uint64_t began = bench_now_ns();
	int rc;

	g->chat = c;
	g->number = i;
	snprintf(identity, sizeof(identity), "%u", i);
	snprintf(g->name, sizeof(g->name), "sip:guest%u@bench", i);
	snprintf(g->self, sizeof(g->self), "msrps://192.0.2.1:2855/%08x.%016x;tcp", i, i);
	snprintf(g->peer, sizeof(g->peer), "msrps://192.0.2.%u:9/%016x;tcp", i + 2, i);
	rc = cp_room_join(&g->member, c->room, &person);
	if (rc == 0) {
		g->member->user = g;
		rc = cp_hub_connect(&g->theirs, c->theirs, &target, &their_events, g);
	}
	while (rc == 0 && !g->is_bound) {
		turn(c);
		if (bench_now_ns() - began > PATIENCE_NS || g->is_wrong)
			rc = -ECONNREFUSED;
	}
	return rc;
}

static int
open_chat(struct chat *c)
{
	struct cp_hub_settings settings = {
		.streams_max = 1000, .handshakes_max = 1000, .send_max = 256 << 10};
	struct dp_addr at = {.family = DP_FAMILY_IP4, .ip = {127, 0, 0, 1}};
	struct cp_stream_tls tls = {.mode = c->shape->mode, .role = CP_TLS_SERVER};
	int rc = cp_hub_create(&c->ours, &settings);

	settings.send_max = 4 << 20;
	if (rc == 0)
		rc = cp_hub_create(&c->theirs, &settings);
	if (rc == 0)
		rc = cp_secret_create_random(&c->key, 32);
	if (rc == 0)
		rc = cp_tls_context_create(&c->server, find, c);
	if (rc == 0)
		rc = cp_tls_context_create(&c->client, NULL, NULL);
	tls.context = c->server;
	if (rc == 0)
		rc = cp_hub_listen(&c->listener, c->ours, &at, &tls, accepted, c);
	if (rc == 0)
		rc = cp_room_create(&c->room,
				    &(struct cp_room_settings){.events = &room_events, .arg = c});
	for (unsigned i = 0; rc == 0 && i < GUESTS; i++)
		rc = enter(c, i);
	return rc;
}

static void
close_chat(struct chat *c)
{
	cp_hub_destroy(c->theirs);
	cp_room_destroy(c->room);
	cp_hub_destroy(c->ours);
	cp_tls_context_put(c->server);
	cp_tls_context_put(c->client);
	cp_secret_put(c->key);
}

static int
run(const struct bench_case *row, struct bench_result *out)
{
	static struct chat c;
	double times[ROUNDS];
	unsigned items = GUESTS - 1;
	int rc;

	memset(&c, 0, sizeof(c));
	c.shape = row->arg;
	if (c.shape->each > 0)
		items *= GUESTS * c.shape->each;
	rc = open_chat(&c);
	out->is_verified = rc == 0;
	for (int i = -WARM_UP; rc == 0 && i < ROUNDS; i++) {
		c.server_ns = 0;
		out->is_verified &= run_round(&c);
		if (i >= 0)
			times[i] = (double)c.server_ns / items;
	}
	for (unsigned i = 0; i < GUESTS; i++)
		out->is_verified &= !c.guests[i].is_wrong;
	if (rc == 0) {
		out->p50 = out->value = bench_quantile(times, ROUNDS, 0.5);
		out->p99 = bench_quantile(times, ROUNDS, 0.99);
		bench_extra_number(out, "deliveries_per_second", 1e9 / out->value);
		bench_extra_number(out, "members", GUESTS);
	}
	close_chat(&c);
	return rc;
}

int
main(int argc, char **argv)
{
	static const struct shape tls = {CP_STREAM_PSK, 20}, plain = {CP_STREAM_PLAIN, 20},
				  single = {CP_STREAM_PSK, 0};
	static const struct bench_case cases[] = {
		{.name = "chat.deliveries", .unit = "ns/delivery", .run = run, .arg = &tls},
		{.name = "chat.deliveries.plain", .unit = "ns/delivery", .run = run, .arg = &plain},
		{.name = "chat.deliveries.single",
		 .unit = "ns/delivery",
		 .run = run,
		 .arg = &single},
	};

	return bench_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
