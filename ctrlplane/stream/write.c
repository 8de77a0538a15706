/* What goes: gathered in a queue, at the end of the turn in records of TLS as large as may be, and in as few writes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "ctrlplane/stream/stream_state.h"

#define QUEUE_MIN 2048
#define QUEUE_KEPT 4096 /* octets of room that an empty queue keeps */
#define SEALED 32768	/* octets that are put into TLS at a time: its own queue stays short */
#define TURN_MAX (256 * 1024) /* octets of a stream in a turn: others want theirs */
#define LINGER_MS 5000	      /* for what waits, and for the peer's FIN */

void
cp_stream_queue_drop(struct cp_stream_queue *q)
{
	free(q->octets);
	*q = (struct cp_stream_queue){0};
}

static size_t
queued(const struct cp_stream_queue *q)
{
	return q->end - q->at;
}

/* Room for len more behind what waits. False: no memory. */
static bool
make_room(struct cp_stream_queue *q, size_t len)
{
	size_t size = q->size ? q->size : QUEUE_MIN, waiting = queued(q);
	uint8_t *octets;

	if (q->size - q->end >= len)
		return true;
	/* moved to the front where that is cheap: at least half of the room is gained */
	if (waiting + len <= q->size && waiting <= q->size / 2) {
		memmove(q->octets, q->octets + q->at, waiting);
	} else {
		while (size < waiting + len)
			size *= 2;
		octets = malloc(size);
		if (!octets)
			return false;
		if (waiting)
			memcpy(octets, q->octets + q->at, waiting);
		free(q->octets);
		q->octets = octets;
		q->size = size;
	}
	q->at = 0;
	q->end = waiting;
	return true;
}

static void
take(struct cp_stream_queue *q, size_t len)
{
	q->at += len;
	if (q->at < q->end)
		return;
	q->at = q->end = 0;
	if (q->size > QUEUE_KEPT)
		cp_stream_queue_drop(q);
}

size_t
cp_stream_waiting(const struct cp_stream *s)
{
	return queued(&s->out) + (s->tls ? cp_tls_output(s->tls).len : 0);
}

size_t
cp_stream_room(const struct cp_stream *s)
{
	size_t waiting = cp_stream_waiting(s), max = s->hub->settings.send_max;

	return s->phase == CP_PHASE_OPEN && waiting < max ? max - waiting : 0;
}

size_t
cp_stream_send(struct cp_stream *s, const void *octets, size_t len)
{
	size_t room = cp_stream_room(s);

	if (s->phase != CP_PHASE_OPEN)
		return 0;
	if (len > room) {
		s->is_short = true;
		len = room;
	}
	if (len == 0 || !make_room(&s->out, len))
		return 0;
	memcpy(s->out.octets + s->out.end, octets, len);
	s->out.end += len;
	cp_hub_mark(s, CP_DUE_FLUSH);
	return len;
}

void
cp_stream_want_room(struct cp_stream *s)
{
	s->is_short = true;
}

/* The next octets for the wire; what waits is sealed first. */
static struct cp_slice
next_of(struct cp_stream *s)
{
	struct cp_stream_queue *q = &s->out;
	size_t written;

	if (!s->tls)
		return cp_slice((const char *)q->octets + q->at, queued(q));
	/* only when all is gone: so there is always room for what TLS itself has to say */
	while (cp_tls_output(s->tls).len == 0 || queued(q) > 0) {
		size_t len = queued(q) < SEALED ? queued(q) : SEALED;

		if (len == 0 || cp_tls_output(s->tls).len >= SEALED ||
		    cp_tls_write(&written, s->tls, q->octets + q->at, len) != 0)
			break;
		take(q, written);
	}
	return cp_tls_output(s->tls);
}

static void
gone(struct cp_stream *s, size_t len)
{
	if (s->tls)
		cp_tls_sent(s->tls, len);
	else
		take(&s->out, len);
}

/* 0, or the errno of the connection's end. sent: octets. */
static int
push(size_t *sent, struct cp_stream *s)
{
	struct cp_slice next;

	s->is_blocked = false;
	for (*sent = 0; (next = next_of(s)).len > 0;) {
		ssize_t len;

		if (*sent >= TURN_MAX) {
			cp_hub_mark(s, CP_DUE_FLUSH);
			return 0;
		}
		len = send(s->fd, next.ptr, next.len, MSG_NOSIGNAL);
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0 && errno != EAGAIN)
			return errno;
		if (len > 0) {
			gone(s, (size_t)len);
			*sent += (size_t)len;
		}
		if (len < (ssize_t)next.len) {
			s->is_blocked = true;
			return 0;
		}
	}
	return 0;
}

/* Its user is gone: the last words, then FIN, then theirs. */
static void
leave(struct cp_stream *s)
{
	size_t sent;

	if (!s->timers[CP_TIMER_LINGER].at_ms)
		cp_hub_time(s, CP_TIMER_LINGER, LINGER_MS);
	if (cp_stream_waiting(s) > 0)
		return;
	if (s->tls) {
		cp_tls_close(s->tls);
		if (push(&sent, s) != 0) {
			cp_stream_bury(s);
			return;
		}
	}
	if (cp_stream_waiting(s) > 0 || s->is_fin_sent)
		return;
	s->is_fin_sent = true;
	if (shutdown(s->fd, SHUT_WR) != 0 || s->is_end_seen)
		cp_stream_bury(s);
}

/* Who takes nothing for too long is given up. */
static void
watch_stall(struct cp_stream *s, size_t sent)
{
	if (cp_stream_waiting(s) == 0)
		cp_hub_time(s, CP_TIMER_STALL, 0);
	else if (sent > 0 || !s->timers[CP_TIMER_STALL].at_ms)
		cp_hub_time(s, CP_TIMER_STALL, s->hub->settings.stall_ms);
}

void
cp_stream_flush(struct cp_stream *s)
{
	size_t sent = 0;
	int error;

	if (s->phase < CP_PHASE_SHAKING || s->phase == CP_PHASE_DEAD)
		return;
	error = push(&sent, s);
	if (error) {
		cp_stream_lose(s, CP_STREAM_CUT, strerror(error));
		return;
	}
	if (s->phase == CP_PHASE_LEAVING) {
		leave(s);
	} else if (s->phase == CP_PHASE_OPEN) {
		watch_stall(s, sent);
		if (s->is_short && cp_stream_room(s) >= s->hub->settings.send_max / 2) {
			s->is_short = false;
			if (s->events->writable)
				s->events->writable(s->arg, s);
		}
	}
	cp_hub_arm(s);
}
