/* Two hubs on loopback: see world.h. */
#include "tests/scenario/stream/world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

const char *const world_keys[] = {"one", "two", "three", NULL};

static void
on_opened(void *arg, struct cp_stream *s)
{
	struct end *end = arg;

	assert_int_equal(end->opened, 0);
	end->opened++;
	end->owner = cp_stream_owner(s);
	snprintf(end->protection, sizeof(end->protection), "%s", cp_stream_protection(s));
}

static size_t
on_received(void *arg, struct cp_stream *s, const uint8_t *octets, size_t len)
{
	struct end *end = arg;
	size_t taken = end->takes_nothing ? 0 : end->takes && end->takes < len ? end->takes : len;

	assert_int_equal(end->opened, 1);
	if (end->forgets)
		return len;
	assert_true(end->heard_len + taken <= HEARD_MAX);
	memcpy(end->heard + end->heard_len, octets, taken);
	end->heard_len += taken;
	if (end->echoes)
		assert_int_equal(cp_stream_send(s, octets, taken), taken);
	if (end->pauses)
		cp_stream_pause(s, true);
	if (end->closes || end->aborts) {
		end->stream = NULL;
		if (end->closes)
			cp_stream_close(s);
		else
			cp_stream_abort(s);
	}
	return taken;
}

static void
on_writable(void *arg, struct cp_stream *s)
{
	struct end *end = arg;

	end->writable++;
}

static void
on_closed(void *arg, struct cp_stream *s, bool failed, const char *why)
{
	struct end *end = arg;

	assert_int_equal(end->closed, 0);
	assert_ptr_equal(end->stream, s);
	end->stream = NULL;
	end->closed++;
	end->failed = failed;
	end->cause = cp_stream_cause(s);
	end->claimed = cp_stream_claimed(s);
	snprintf(end->why, sizeof(end->why), "%s", why);
}

const struct cp_stream_events world_events = {on_opened, on_received, on_writable, on_closed};

struct end *
end_create(void)
{
	struct end *end = calloc(1, sizeof(*end));

	assert_non_null(end);
	return end;
}

struct cp_secret *
world_key(const char *name)
{
	struct cp_secret *key;
	uint8_t octets[32];

	memset(octets, name[0], sizeof(octets));
	assert_int_equal(cp_secret_create(&key, octets, sizeof(octets)), 0);
	return key;
}

static struct cp_secret *secrets[3];

static int
find(struct cp_tls_key *out, void *arg, const char *identity)
{
	for (int i = 0; world_keys[i]; i++)
		if (strcmp(world_keys[i], identity) == 0) {
			*out = (struct cp_tls_key){.psk = secrets[i], .owner = world_keys[i]};
			return 0;
		}
	return -ENOENT;
}

static void
on_refused(void *arg, const struct dp_addr *from, enum cp_stream_cause cause)
{
	struct world *w = arg;

	assert_true(from->family == DP_FAMILY_IP4 || from->family == DP_FAMILY_IP6);
	w->refused[cause]++;
}

void
world_open(struct world *w, struct cp_hub_settings limits)
{
	struct cp_hub_settings theirs = {
		.streams_max = 10000, .handshakes_max = 10000, .send_max = 4 << 20};

	*w = (struct world){.now_ms = 1000, .refuses = w->refuses};
	limits.streams_max = limits.streams_max ? limits.streams_max : 1000;
	limits.handshakes_max = limits.handshakes_max ? limits.handshakes_max : 1000;
	limits.send_max = limits.send_max ? limits.send_max : 1 << 20;
	limits.refused = on_refused;
	limits.arg = w;
	for (int i = 0; world_keys[i]; i++)
		secrets[i] = world_key(world_keys[i]);
	assert_int_equal(cp_hub_create(&w->ours, &limits), 0);
	assert_int_equal(cp_hub_create(&w->theirs, &theirs), 0);
	assert_int_equal(cp_tls_context_create(&w->context, find, NULL), 0);
	assert_int_equal(cp_tls_context_make(w->context), 0);
	assert_int_equal(cp_tls_context_create(&w->their_context, find, NULL), 0);
	assert_int_equal(cp_tls_context_make(w->their_context), 0);
}

void
world_close(struct world *w)
{
	cp_listener_close(w->listener);
	cp_hub_destroy(w->theirs);
	cp_hub_destroy(w->ours);
	cp_tls_context_put(w->context);
	cp_tls_context_put(w->their_context);
	for (size_t i = 0; i < w->count; i++)
		free(w->ends[i]);
	for (int i = 0; world_keys[i]; i++)
		cp_secret_put(secrets[i]);
	assert_int_equal(cp_secret_count(), 0);
}

static bool
accepted(void *arg, struct cp_stream *s)
{
	struct world *w = arg;

	if (w->refuses)
		return false;
	assert_true(w->count < ENDS_MAX);
	w->ends[w->count] = end_create();
	w->ends[w->count]->stream = s;
	cp_stream_set(s, &world_events, w->ends[w->count++]);
	if (w->identifies)
		cp_stream_identified(s);
	return true;
}

void
world_listen(struct world *w, bool is_6, const struct cp_stream_tls *tls)
{
	struct dp_addr at = {.family = is_6 ? DP_FAMILY_IP6 : DP_FAMILY_IP4};

	if (is_6)
		at.ip[15] = 1;
	else
		memcpy(at.ip, "\x7f\0\0\1", 4);
	assert_int_equal(cp_hub_listen(&w->listener, w->ours, &at, tls, accepted, w), 0);
	w->at = *cp_listener_address(w->listener);
	assert_true(w->at.port > 0);
}

void
world_connect(struct world *w, struct end *end, const struct cp_stream_tls *tls)
{
	struct cp_stream_target target = {.to = w->at, .tls = tls};

	assert_int_equal(cp_hub_connect(&end->stream, w->theirs, &target, &world_events, end), 0);
	assert_int_equal(end->opened + end->closed, 0);
}

static void
turn(struct world *w, int wait_ms)
{
	struct pollfd fds[] = {{.fd = cp_hub_fd(w->ours), .events = POLLIN},
			       {.fd = cp_hub_fd(w->theirs), .events = POLLIN}};

	poll(fds, 2, wait_ms);
	cp_hub_run(w->ours, w->now_ms);
	cp_hub_run(w->theirs, w->now_ms);
}

void
world_turns(struct world *w, int count)
{
	while (count-- > 0)
		turn(w, 5);
}

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

bool
world_until(struct world *w, bool (*is_so)(void *arg), void *arg)
{
	double end = seconds() + 20;

	while (!is_so(arg) && seconds() < end)
		turn(w, 20);
	return is_so(arg);
}

static bool
is_opened(void *arg)
{
	const struct end *end = arg;

	return end->opened || end->closed;
}

bool
world_opened(struct world *w, struct end *end)
{
	return world_until(w, is_opened, end) && end->opened && !end->closed;
}

static bool
is_closed(void *arg)
{
	return ((const struct end *)arg)->closed;
}

bool
world_closed(struct world *w, struct end *end)
{
	return world_until(w, is_closed, end);
}

struct wanted {
	const struct end *end;
	size_t len;
};

static bool
is_heard(void *arg)
{
	const struct wanted *wanted = arg;

	return wanted->end->heard_len >= wanted->len || wanted->end->closed;
}

bool
world_heard(struct world *w, struct end *end, size_t len)
{
	struct wanted wanted = {end, len};

	return world_until(w, is_heard, &wanted) && end->heard_len == len;
}

struct crowd {
	const struct world *w;
	size_t count;
};

static bool
is_there(void *arg)
{
	const struct crowd *crowd = arg;

	return crowd->w->count >= crowd->count;
}

struct end *
world_accepted(struct world *w, size_t count)
{
	struct crowd crowd = {w, count};

	assert_true(world_until(w, is_there, &crowd));
	return w->ends[count - 1];
}

struct cp_stream_tls
world_psk(struct world *w, const char *name)
{
	return (struct cp_stream_tls){.mode = CP_STREAM_PSK,
				      .role = CP_TLS_CLIENT,
				      .context = w->their_context,
				      .identity = name};
}

struct cp_stream_tls
world_psk_server(struct world *w)
{
	return (struct cp_stream_tls){
		.mode = CP_STREAM_PSK, .role = CP_TLS_SERVER, .context = w->context};
}

int
raw_connect(const struct world *w, int host)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(w->at.port)}, from = {0};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	memcpy(&to.sin_addr, w->at.ip, 4);
	from.sin_family = AF_INET;
	from.sin_addr.s_addr = htonl(0x7f000000u + (uint32_t)host);
	assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}
