/* What comes: TCP is up, TLS comes up, octets to the user, the end of the wire. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "ctrlplane/stream/stream_state.h"

#define TLS_HANDSHAKE 0x16 /* a record's first octet: RFC 8446 5.1 */

bool
cp_stream_shake(struct cp_stream *s, enum cp_tls_role role)
{
	const struct cp_shield *shield = s->shield;
	struct cp_tls_params params = {
		.role = role,
		.mode = shield->mode == CP_STREAM_PSK ? CP_TLS_PSK : CP_TLS_CERTIFICATE,
		.version = shield->version,
		.identity = shield->identity,
		.psk = shield->psk,
		.owner = shield->owner,
		.fingerprint = shield->has_fingerprint ? shield->fingerprint : NULL,
	};

	s->phase = CP_PHASE_SHAKING;
	cp_hub_time(s, CP_TIMER_YIELD, 0);
	if (cp_tls_create(&s->tls, shield->context, &params) == 0)
		return true;
	cp_stream_lose(s, CP_STREAM_TROUBLE, "no TLS session can be made");
	return false;
}

static void
opened(struct cp_stream *s)
{
	s->phase = CP_PHASE_OPEN;
	s->was_opened = true;
	cp_hub_time(s, CP_TIMER_HANDSHAKE, 0);
	if (!s->is_identified)
		cp_hub_time(s, CP_TIMER_IDENTIFY, s->hub->settings.identify_ms);
	if (s->tls)
		snprintf(s->protection, sizeof(s->protection), "%s %s", cp_tls_version_text(s->tls),
			 cp_tls_suite(s->tls));
	s->events->opened(s->arg, s);
}

static bool
is_connected(struct cp_stream *s)
{
	struct sockaddr_storage at = {0};
	socklen_t len = sizeof(at), error_len = sizeof(int);
	int error = 0;

	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &error_len) != 0)
		error = errno;
	if (error) {
		cp_stream_lose(s, CP_STREAM_UNREACHABLE, strerror(error));
		return false;
	}
	if (getsockname(s->fd, (struct sockaddr *)&at, &len) == 0)
		cp_stream_addr(&s->local, &at);
	return true;
}

void
cp_stream_up(struct cp_stream *s)
{
	const struct cp_shield *shield = s->shield;

	if (s->is_ours) {
		if (!is_connected(s))
			return;
	} else {
		cp_hub_time(s, CP_TIMER_HANDSHAKE, s->hub->settings.handshake_ms);
	}
	s->phase = CP_PHASE_SHAKING;
	if (shield->mode == CP_STREAM_PLAIN) {
		opened(s);
	} else if (shield->role == CP_TLS_CLIENT && shield->yields_ms) {
		s->phase = CP_PHASE_YIELDING;
		cp_hub_time(s, CP_TIMER_YIELD, shield->yields_ms);
	} else if (shield->role == CP_TLS_CLIENT && cp_stream_shake(s, CP_TLS_CLIENT)) {
		cp_hub_mark(s, CP_DUE_FLUSH);
	}
	cp_hub_arm(s);
}

/* Application data of TLS behind have, as much as there is room for. -EAGAIN: that is all for now; -EPIPE, -EPROTO: for ever. */
static int
pull(size_t *have, struct cp_stream *s)
{
	struct cp_hub *hub = s->hub;
	int rc = 0;

	while (rc == 0 && sizeof(hub->plain) - *have >= CP_STREAM_RECORD) {
		size_t len = 0;

		rc = cp_tls_read(&len, s->tls, hub->plain + *have, sizeof(hub->plain) - *have);
		*have += len;
	}
	/* TLS itself may have to answer: new keys, no second handshake */
	if (cp_tls_output(s->tls).len > 0)
		cp_hub_mark(s, CP_DUE_FLUSH);
	return rc;
}

/* False: no memory. */
static bool
keep(struct cp_stream *s, size_t len)
{
	uint8_t *left = len ? realloc(s->left, len) : NULL;

	if (len == 0) {
		free(s->left);
	} else if (left) {
		memcpy(left, s->hub->plain, len);
	} else {
		cp_stream_lose(s, CP_STREAM_TROUBLE, "out of memory");
		return false;
	}
	s->left = left;
	s->left_len = len;
	return true;
}

/* The user's turn at have octets of plain: what it leaves, moved to the front. False: the stream is over. */
static bool
hand_over(size_t *have, struct cp_stream *s)
{
	uint8_t *plain = s->hub->plain;
	size_t taken = s->events->received(s->arg, s, plain, *have);

	assert(taken <= *have);
	if (s->phase != CP_PHASE_OPEN)
		return false;
	*have -= taken;
	memmove(plain, plain + taken, *have);
	if (s->is_paused || *have <= CP_STREAM_RECEIVE_MAX)
		return true;
	cp_stream_lose(s, CP_STREAM_LONG, "a message longer than is taken");
	return false;
}

static void
ended(struct cp_stream *s, int rc)
{
	if (rc == -EPIPE)
		cp_stream_lose(s, CP_STREAM_ENDED, "the peer has closed");
	else if (rc == -EPROTO)
		cp_stream_lose_tls(s);
}

/* have octets lie in plain, all of them or (is_old) only what was left before. */
static void
deliver(struct cp_stream *s, size_t have, bool is_old)
{
	int rc;

	do {
		size_t before = have;

		rc = s->tls ? pull(&have, s) : -EAGAIN;
		/* a full room makes its user take, or leave */
		if ((have > before || !is_old || rc == 0) && have > 0 && !hand_over(&have, s))
			return;
		is_old = true;
	} while (rc == 0 && !s->is_paused);
	if (keep(s, have) && !s->is_paused)
		ended(s, rc);
}

void
cp_stream_deliver(struct cp_stream *s)
{
	if (s->phase != CP_PHASE_OPEN || s->is_paused)
		return;
	if (s->left_len)
		memcpy(s->hub->plain, s->left, s->left_len);
	deliver(s, s->left_len, false);
}

static void
feed(struct cp_stream *s, size_t len)
{
	const uint8_t *raw = s->hub->raw;
	size_t taken = 0;
	int rc;

	if (!s->tls && !cp_stream_shake(s, s->phase == CP_PHASE_YIELDING && raw[0] != TLS_HANDSHAKE
						   ? s->shield->role
						   : CP_TLS_SERVER))
		return;
	rc = cp_tls_feed(&taken, s->tls, raw, len);
	if (cp_tls_output(s->tls).len > 0)
		cp_hub_mark(s, CP_DUE_FLUSH);
	if (rc == 0 && s->phase == CP_PHASE_SHAKING && cp_tls_state(s->tls) == CP_TLS_OPEN)
		opened(s);
	if (s->phase == CP_PHASE_DEAD || s->phase == CP_PHASE_LEAVING)
		return;
	if (rc < 0)
		cp_stream_lose_tls(s);
	else if (taken < len)
		cp_stream_lose(s, CP_STREAM_STALLED, "the peer reads no answers");
	else if (s->phase == CP_PHASE_OPEN && !s->is_paused) {
		if (s->left_len)
			memcpy(s->hub->plain, s->left, s->left_len);
		deliver(s, s->left_len, true);
	}
}

static void
end_of_wire(struct cp_stream *s)
{
	s->is_end_seen = true;
	if (s->phase == CP_PHASE_LEAVING) {
		if (s->is_fin_sent)
			cp_stream_bury(s);
	} else if (s->shield->mode == CP_STREAM_PLAIN) {
		cp_stream_lose(s, CP_STREAM_ENDED, "the peer has closed");
	} else if (!s->tls) {
		cp_stream_lose(s, CP_STREAM_CUT, "the connection ended before TLS began");
	} else {
		cp_tls_feed_end(s->tls);
		if (cp_tls_state(s->tls) == CP_TLS_CLOSED)
			cp_stream_lose(s, CP_STREAM_ENDED, "the peer has closed");
		else
			cp_stream_lose_tls(s);
	}
	cp_hub_arm(s);
}

/* A user that has paused reads nothing; that the connection is broken it has to know. */
static void
look_for_error(struct cp_stream *s)
{
	socklen_t len = sizeof(int);
	int error = 0;

	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error)
		cp_stream_lose(s, CP_STREAM_CUT, strerror(error));
}

void
cp_stream_readable(struct cp_stream *s)
{
	struct cp_hub *hub = s->hub;
	bool is_leaving = s->phase == CP_PHASE_LEAVING;
	bool is_raw = is_leaving || s->shield->mode != CP_STREAM_PLAIN;
	uint8_t *room = is_raw ? hub->raw : hub->plain + s->left_len;
	ssize_t got;

	if (s->is_paused && !is_leaving) {
		look_for_error(s);
		return;
	}
	/* what lies here first: a pause may have left more than there is room to add to */
	if (s->due & CP_DUE_READ && !is_leaving)
		return;
	got = recv(s->fd, room, CP_STREAM_READ, 0);
	if (got == 0) {
		end_of_wire(s);
	} else if (got < 0) {
		if (errno != EAGAIN && errno != EINTR)
			cp_stream_lose(s, CP_STREAM_CUT, strerror(errno));
	} else if (is_leaving) {
		return; /* nobody wants it */
	} else if (is_raw) {
		feed(s, (size_t)got);
	} else {
		if (s->left_len)
			memcpy(hub->plain, s->left, s->left_len);
		deliver(s, s->left_len + (size_t)got, false);
	}
}
