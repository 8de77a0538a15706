/* Connections of floor control and chat: from what was agreed to octets. */
#include "bench/load/streams.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>
#include "bench/lib/bench.h"
#include "bench/load/chat.h"
#include "bench/load/floor.h"
#include "ctrlplane/keys/secret.h"
#include "ctrlplane/mikey/csb.h"
#include "ctrlplane/msrp/uri.h"
#include "ctrlplane/stream/stream.h"

#define PORT_NONE 9 /* of who opens the connection: RFC 4145 4.1 */
#define WHY_MAX 160

struct link {
	struct ue_streams *owner;
	enum ue_service service;
	bool is_wanted, is_agreed;
	bool is_active, is_tls_client;
	enum ue_stream_guard guard;
	struct cp_stream *stream;
	struct cp_listener *listener; /* where the other side opens it */
	struct dp_addr remote;
	uint8_t fingerprint[CP_TLS_FINGERPRINT];
	char name[CP_MIKEY_SESSION_NAME];
	struct cp_secret *psk;
	/* what came of it */
	unsigned opened, failed;
	char why[WHY_MAX], protection[64];
};

struct ue_streams {
	LIST_ENTRY(ue_streams) next;
	struct ue_streams_node *node;
	struct link link[UE_SERVICES];
	struct ue_floor *floor;
	struct ue_chat *chat;
	char session[24]; /* of our MSRP path */
};

struct ue_streams_node {
	const struct ue_options *o;
	struct cp_hub *hub;
	struct cp_tls_context *context;
	LIST_HEAD(, ue_streams) streams;
};

/* A key of a participant that is the TLS server. */
static int
key_find(struct cp_tls_key *out, void *arg, const char *identity)
{
	struct ue_streams_node *node = arg;
	struct ue_streams *s;

	LIST_FOREACH (s, &node->streams, next)
		for (unsigned i = 0; i < UE_SERVICES; i++)
			if (s->link[i].psk && strcmp(s->link[i].name, identity) == 0) {
				*out = (struct cp_tls_key){.psk = s->link[i].psk,
							   .owner = &s->link[i]};
				return 0;
			}
	return -ENOENT;
}

int
ue_streams_node_create(struct ue_streams_node **out, const struct ue_options *o, char *why,
		       size_t size)
{
	const struct cp_hub_settings settings = {
		.streams_max = 2 * o->count + 16,
		.handshakes_max = 2 * o->count + 16,
		.handshake_ms = (uint32_t)(o->timeout * 1000),
		.send_max = 1 << 18,
	};
	struct ue_streams_node *node = calloc(1, sizeof(*node));
	int err = node ? 0 : -ENOMEM;

	if (!err) {
		node->o = o;
		LIST_INIT(&node->streams);
		err = cp_hub_create(&node->hub, &settings);
	}
	if (!err)
		err = cp_tls_context_create(&node->context, key_find, node);
	if (!err)
		err = cp_tls_context_make(node->context);
	if (err) {
		snprintf(why, size, "streams: %s", strerror(-err));
		ue_streams_node_destroy(node);
		return err;
	}
	*out = node;
	return 0;
}

void
ue_streams_node_destroy(struct ue_streams_node *node)
{
	if (!node)
		return;
	cp_hub_destroy(node->hub);
	cp_tls_context_put(node->context);
	free(node);
}

int
ue_streams_node_fd(const struct ue_streams_node *node)
{
	return cp_hub_fd(node->hub);
}

void
ue_streams_node_turn(struct ue_streams_node *node)
{
	cp_hub_run(node->hub, (int64_t)(bench_now_ns() / 1000000));
}

int
ue_streams_create(struct ue_call *c)
{
	const struct ue_options *o = c->shared->options;
	struct ue_streams *s;
	uint8_t luck[10];

	if (!o->has_floor && !o->has_chat)
		return 0;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->node = c->shared->streams;
	s->floor = ue_floor_create(o, c->number);
	s->chat = ue_chat_create(o, c->number, c->identity, c->uri);
	if (!s->floor || !s->chat || getrandom(luck, sizeof(luck), 0) != sizeof(luck)) {
		ue_floor_destroy(s->floor);
		ue_chat_destroy(s->chat);
		free(s);
		return -ENOMEM;
	}
	for (unsigned i = 0; i < sizeof(luck); i++)
		snprintf(s->session + 2 * i, 3, "%02x", luck[i]);
	for (unsigned i = 0; i < UE_SERVICES; i++) {
		s->link[i].owner = s;
		s->link[i].service = (enum ue_service)i;
		s->link[i].is_wanted = i == UE_FLOOR ? o->has_floor : o->has_chat;
	}
	LIST_INSERT_HEAD(&s->node->streams, s, next);
	c->streams = s;
	return 0;
}

/* The stream is not there any more, however it went. */
static void
link_drop(struct link *l)
{
	if (l->stream)
		cp_stream_close(l->stream);
	l->stream = NULL;
	if (l->service == UE_FLOOR)
		ue_floor_closed(l->owner->floor);
	else
		ue_chat_closed(l->owner->chat);
}

void
ue_streams_end(struct ue_call *c)
{
	for (unsigned i = 0; c->streams && i < UE_SERVICES; i++) {
		struct link *l = &c->streams->link[i];

		link_drop(l);
		cp_listener_close(l->listener);
		l->listener = NULL;
		cp_secret_put(l->psk);
		l->psk = NULL;
		l->is_agreed = false;
	}
}

void
ue_streams_destroy(struct ue_call *c)
{
	if (!c->streams)
		return;
	ue_streams_end(c);
	LIST_REMOVE(c->streams, next);
	ue_floor_destroy(c->streams->floor);
	ue_chat_destroy(c->streams->chat);
	free(c->streams);
	c->streams = NULL;
}

/* ---- a connection ---- */

static void
opened(void *arg, struct cp_stream *stream)
{
	struct link *l = arg;

	if (!l->is_agreed) {
		cp_stream_pause(stream, true); /* it was faster than the answer in SIP */
		return;
	}
	l->opened++;
	snprintf(l->protection, sizeof(l->protection), "%s", cp_stream_protection(stream));
	cp_stream_identified(stream);
	if (l->service == UE_FLOOR)
		ue_floor_opened(l->owner->floor, stream);
	else
		ue_chat_opened(l->owner->chat, stream);
}

static size_t
received(void *arg, struct cp_stream *stream, const uint8_t *octets, size_t len)
{
	struct link *l = arg;

	return l->service == UE_FLOOR ? ue_floor_received(l->owner->floor, octets, len)
				      : ue_chat_received(l->owner->chat, octets, len);
}

static void
writable(void *arg, struct cp_stream *stream)
{
	struct link *l = arg;

	if (l->service == UE_CHAT)
		ue_chat_writable(l->owner->chat);
}

static void
closed(void *arg, struct cp_stream *stream, bool failed, const char *why)
{
	struct link *l = arg;

	l->failed += failed;
	snprintf(l->why, sizeof(l->why), "%s", why);
	l->stream = NULL;
	link_drop(l);
}

static const struct cp_stream_events events = {opened, received, writable, closed};

static bool
accepted(void *arg, struct cp_stream *stream)
{
	struct link *l = arg;

	if (l->stream || (!l->is_agreed && l->guard != UE_STREAM_PLAIN))
		return false; /* too many, or too early: what protects it is not known yet */
	l->stream = stream;
	cp_stream_set(stream, &events, l);
	return true;
}

static bool
address_read(struct dp_addr *out, const char *text, size_t len, uint16_t port)
{
	char host[UE_ADDR_MAX];

	memset(out, 0, sizeof(*out));
	out->port = port;
	snprintf(host, sizeof(host), "%.*s", (int)len, text);
	if (inet_pton(AF_INET, host, out->ip) == 1)
		out->family = DP_FAMILY_IP4;
	else if (inet_pton(AF_INET6, host, out->ip) == 1)
		out->family = DP_FAMILY_IP6;
	return out->family != DP_FAMILY_NONE;
}

/* How this link is protected, with the mistakes that were asked for. */
static struct cp_stream_tls
guard_of(const struct link *l)
{
	const struct ue_options *o = l->owner->node->o;
	struct cp_stream_tls tls = {
		.mode = l->guard == UE_STREAM_PSK	    ? CP_STREAM_PSK
			: l->guard == UE_STREAM_CERTIFICATE ? CP_STREAM_CERTIFICATE
							    : CP_STREAM_PLAIN,
		.role = l->is_tls_client ? CP_TLS_CLIENT : CP_TLS_SERVER,
		.version = o->stream_tls,
		.context = l->owner->node->context,
	};

	if (o->stream_wrong == UE_STREAM_WRONG_PLAIN)
		tls.mode = CP_STREAM_PLAIN;
	if (tls.mode == CP_STREAM_PSK && l->is_tls_client) {
		tls.identity = l->name;
		tls.psk = l->psk;
	} else if (tls.mode == CP_STREAM_PSK) {
		tls.owner = l;
	} else if (tls.mode == CP_STREAM_CERTIFICATE) {
		tls.fingerprint = l->fingerprint;
	}
	return tls;
}

static void
connect_out(struct link *l)
{
	struct cp_stream_tls tls = guard_of(l);
	struct cp_stream_target target = {.to = l->remote, .tls = &tls};
	int err;

	if (l->stream)
		return;
	err = cp_hub_connect(&l->stream, l->owner->node->hub, &target, &events, l);
	if (err) {
		l->failed++;
		snprintf(l->why, sizeof(l->why), "connect: %s", strerror(-err));
	}
}

/* ---- offer and answer ---- */

static enum ue_stream_guard
guard_for(const struct ue_call *c, bool is_mikey)
{
	return c->shared->options->is_plain ? UE_STREAM_PLAIN
	       : is_mikey		    ? UE_STREAM_PSK
					    : UE_STREAM_CERTIFICATE;
}

/* Wait there for who is to open the connection, protected as is known now. */
static void
listen_at(struct link *l, const struct dp_addr *at)
{
	struct cp_stream_tls tls = guard_of(l);
	int err;

	cp_listener_close(l->listener);
	l->listener = NULL;
	err = cp_hub_listen(&l->listener, l->owner->node->hub, at, &tls, accepted, l);
	if (err) {
		l->failed++;
		snprintf(l->why, sizeof(l->why), "listen: %s", strerror(-err));
	}
}

/* A port for who is to open the connection to us. */
static uint16_t
port_for(struct ue_call *c, struct link *l)
{
	struct dp_addr at;

	if (!l->listener && address_read(&at, c->shared->local, strlen(c->shared->local), 0))
		listen_at(l, &at);
	return l->listener ? cp_listener_address(l->listener)->port : 0;
}

/* Our side of a link at an m-line, with this a=setup. */
static void
describe(struct ue_call *c, struct link *l, unsigned line, const char *setup)
{
	struct ue_stream_sdp *s = &c->ours.stream[l->service];
	struct ue_line *m = &c->ours.line[line];
	bool is_ip6 = strchr(c->shared->local, ':') != NULL;

	s->is_there = true;
	s->line = line;
	snprintf(s->setup, sizeof(s->setup), "%s", setup);
	snprintf(s->connection, sizeof(s->connection), "%s", l->stream ? "existing" : "new");
	m->port = PORT_NONE;
	if (strcmp(setup, "active") != 0)
		m->port = port_for(c, l);
	snprintf(m->proto, sizeof(m->proto), "%s", ue_stream_proto(l->service, l->guard));
	if (l->guard == UE_STREAM_CERTIFICATE)
		(void)cp_tls_context_fingerprint(s->fingerprint, l->owner->node->context);
	else
		s->fingerprint[0] = '\0';
	if (l->service == UE_CHAT)
		snprintf(s->path, sizeof(s->path),
			 is_ip6 ? "%s://[%s]:%u/%s;tcp" : "%s://%s:%u/%s;tcp",
			 l->guard == UE_STREAM_PLAIN ? "msrp" : "msrps", c->shared->local, m->port,
			 l->owner->session);
}

void
ue_streams_offer(struct ue_call *c)
{
	const char *setup = c->shared->options->stream_setup;

	for (unsigned i = 0; c->streams && i < c->ours.line_count; i++) {
		const struct ue_line *m = &c->ours.line[i];
		enum ue_service service = ue_stream_of(m->media, m->proto);

		if (service == UE_SERVICES || !c->streams->link[service].is_wanted || m->port == 0)
			continue;
		c->streams->link[service].guard = guard_for(c, c->mikey != NULL);
		describe(c, &c->streams->link[service], i, setup);
	}
}

void
ue_streams_answer(struct ue_call *c, const struct ue_sdp *theirs)
{
	struct ue_sdes key[2];
	bool is_mikey = c->mikey && (theirs->mikey || ue_mikey_is_keyed(c->mikey, key));

	explicit_bzero(key, sizeof(key));
	for (unsigned i = 0; i < UE_SERVICES; i++) {
		const struct ue_stream_sdp *t = &theirs->stream[i];
		bool prefers_passive = strcmp(c->shared->options->stream_setup, "passive") == 0;

		c->ours.stream[i].is_there = false;
		if (!c->streams || !c->streams->link[i].is_wanted || !t->is_there ||
		    theirs->line[t->line].port == 0)
			continue;
		c->streams->link[i].guard = guard_for(c, is_mikey);
		describe(c, &c->streams->link[i], t->line,
			 strcmp(t->setup, "active") == 0		       ? "passive"
			 : strcmp(t->setup, "actpass") == 0 && prefers_passive ? "passive"
									       : "active");
	}
}

/* Where to connect: the path says it for MSRP, but for both sides that speak CEMA. */
static bool
remote_read(struct link *l, const struct ue_sdp *theirs)
{
	const struct ue_stream_sdp *t = &theirs->stream[l->service];
	const char *addr = t->addr[0] ? t->addr : theirs->addr;
	struct cp_msrp_uri uri;

	if (l->service == UE_CHAT &&
	    cp_msrp_uri_decode(&uri, cp_slice(t->path, strcspn(t->path, " "))) == 0 &&
	    address_read(&l->remote, uri.host.ptr, uri.host.len, uri.port))
		return true;
	return address_read(&l->remote, addr, strlen(addr), theirs->line[t->line].port);
}

/* The key of the exchange, and mistakes with it. */
static void
key_take(struct ue_call *c, struct link *l, unsigned line)
{
	const struct cp_mikey_session *session =
		c->mikey ? ue_mikey_tls(c->mikey, &c->ours, line) : NULL;
	const struct ue_options *o = c->shared->options;
	struct ue_streams *first = LIST_FIRST(&l->owner->node->streams), *s;

	cp_secret_put(l->psk);
	l->psk = NULL;
	if (!session)
		return;
	snprintf(l->name, sizeof(l->name), "%s", session->name);
	l->psk = cp_secret_get(session->secret);
	if (o->stream_wrong == UE_STREAM_WRONG_NAME) {
		snprintf(l->name, sizeof(l->name), "00000000-1");
	} else if (o->stream_wrong == UE_STREAM_WRONG_KEY) {
		cp_secret_put(l->psk);
		l->psk = NULL;
		(void)cp_secret_create_random(&l->psk, cp_secret_len(session->secret));
	} else if (o->stream_wrong == UE_STREAM_WRONG_OWNER) {
		/* the key of another participant of this process, where there is one already */
		for (s = first; s; s = LIST_NEXT(s, next))
			if (s != l->owner && s->link[l->service].psk) {
				cp_secret_put(l->psk);
				l->psk = cp_secret_get(s->link[l->service].psk);
				memcpy(l->name, s->link[l->service].name, sizeof(l->name));
				break;
			}
	}
}

static void
link_agreed(struct ue_call *c, struct link *l, const struct ue_sdp *theirs, bool is_offerer)
{
	struct ue_stream_sdp *ours = &c->ours.stream[l->service];
	const struct ue_stream_sdp *t = &theirs->stream[l->service];
	struct cp_slice fingerprint = cp_slice_text(t->fingerprint);
	bool is_new = strcmp(t->connection, "existing") != 0 || !l->stream;
	struct dp_addr at;

	if (l->is_agreed && l->stream && !is_new)
		return;
	if (l->is_agreed && l->stream)
		link_drop(l);
	l->is_active = strcmp(ours->setup, "active") == 0 ||
		       (strcmp(ours->setup, "actpass") == 0 && strcmp(t->setup, "passive") == 0);
	l->is_tls_client = l->service == UE_FLOOR ? is_offerer : l->is_active;
	if (fingerprint.len && cp_tls_fingerprint_decode(l->fingerprint, fingerprint) != 0)
		memset(l->fingerprint, 0, sizeof(l->fingerprint));
	key_take(c, l, t->line);
	if (l->service == UE_FLOOR)
		ue_floor_describe(l->owner->floor, t);
	else
		ue_chat_describe(l->owner->chat, ours->path, t);
	l->is_agreed = remote_read(l, theirs);
	snprintf(ours->connection, sizeof(ours->connection), "existing");
	if (l->is_agreed && l->is_active) {
		connect_out(l);
	} else if (l->is_agreed && l->stream) {
		opened(l, l->stream);
		cp_stream_pause(l->stream, false);
	} else if (l->is_agreed && l->listener) {
		at = *cp_listener_address(l->listener);
		listen_at(l, &at); /* the same port: now key and fingerprint are known */
	}
}

void
ue_streams_agreed(struct ue_call *c, const struct ue_sdp *theirs, bool is_offerer)
{
	for (unsigned i = 0; c->streams && i < UE_SERVICES; i++) {
		const struct ue_stream_sdp *t = &theirs->stream[i];
		struct link *l = &c->streams->link[i];

		if (c->ours.stream[i].is_there && t->is_there && theirs->line[t->line].port != 0) {
			link_agreed(c, l, theirs, is_offerer);
		} else if (l->is_agreed) {
			l->is_agreed = false;
			link_drop(l);
		}
	}
}

/* ---- what happens, what is told ---- */

static enum ue_service
service_named(const char *name)
{
	return strncmp(name, "chat", 4) == 0 ? UE_CHAT : UE_FLOOR;
}

void
ue_streams_act(struct ue_call *c, const struct ue_action *action)
{
	unsigned floor = (unsigned)strtoul(action->arg, NULL, 10);
	struct ue_streams *s = c->streams;
	const char *rest = strchr(action->arg, ' ');
	char to[256];

	if (!s)
		return;
	switch (action->kind) {
	case UE_FLOOR_ASK:
		ue_floor_ask(s->floor, floor);
		break;
	case UE_FLOOR_RELEASE:
		ue_floor_release(s->floor, floor);
		break;
	case UE_FLOOR_REVOKE:
		ue_floor_revoke(s->floor, floor);
		break;
	case UE_SAY:
		(void)ue_chat_text(s->chat, NULL, action->arg);
		break;
	case UE_WHISPER:
		snprintf(to, sizeof(to), "%.*s", (int)strcspn(action->arg, " "), action->arg);
		(void)ue_chat_text(s->chat, to, rest ? rest + 1 : "");
		break;
	case UE_SEND_FILE:
		if (ue_chat_file(s->chat, action->arg) != 0)
			fprintf(stderr, "conclave-ue: %s cannot be read\n", action->arg);
		break;
	case UE_NICKNAME:
		ue_chat_nickname(s->chat, action->arg);
		break;
	case UE_STALL:
		ue_chat_stall(s->chat, true);
		break;
	case UE_CUT: {
		struct link *l = &s->link[service_named(action->arg)];

		if (l->stream)
			cp_stream_abort(l->stream);
		l->stream = NULL;
		link_drop(l);
		break;
	}
	case UE_CONNECT:
		connect_out(&s->link[service_named(action->arg)]);
		break;
	default:
		break;
	}
}

void
ue_streams_tick(struct ue_call *c, uint64_t now_ns)
{
	if (!c->streams)
		return;
	ue_floor_tick(c->streams->floor, now_ns);
	ue_chat_tick(c->streams->chat, now_ns);
}

json_t *
ue_streams_json(const struct ue_call *c)
{
	json_t *j = json_object();

	for (unsigned i = 0; c->streams && i < UE_SERVICES; i++) {
		const struct link *l = &c->streams->link[i];
		json_t *one;

		if (!l->is_wanted)
			continue;
		one = i == UE_FLOOR ? ue_floor_json(c->streams->floor)
				    : ue_chat_json(c->streams->chat);
		json_object_set_new(one, "agreed", json_boolean(c->ours.stream[i].is_there));
		json_object_set_new(one, "opened", json_integer(l->opened));
		json_object_set_new(one, "failed", json_integer(l->failed));
		json_object_set_new(one, "why", l->why[0] ? json_string(l->why) : json_null());
		json_object_set_new(one, "protection",
				    l->protection[0] ? json_string(l->protection) : json_null());
		json_object_set_new(j, i == UE_FLOOR ? "floor" : "chat", one);
	}
	return j;
}
