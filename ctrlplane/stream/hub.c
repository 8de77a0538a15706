/* The hub: a turn over what is ready, time-outs in lines by when they are due, and what streams have asked for in between. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "ctrlplane/stream/stream_state.h"

#define EVENTS 256  /* of a turn */
#define REST_MS 100 /* of listeners, when there is no room for more */

int
cp_hub_create(struct cp_hub **out, const struct cp_hub_settings *settings)
{
	struct cp_hub *hub = calloc(1, sizeof(*hub));
	struct epoll_event event = {.events = EPOLLIN};
	int rc = -ENOMEM;

	if (!hub || cp_map_init(&hub->sources) < 0) {
		free(hub);
		return -ENOMEM;
	}
	hub->kind = CP_HUB_WAKE;
	hub->settings = *settings;
	TAILQ_INIT(&hub->streams);
	TAILQ_INIT(&hub->half);
	TAILQ_INIT(&hub->ready);
	TAILQ_INIT(&hub->dead);
	TAILQ_INIT(&hub->listeners);
	TAILQ_INIT(&hub->dead_listeners);
	for (int i = 0; i < CP_TIMERS; i++)
		TAILQ_INIT(&hub->dues[i]);
	hub->epoll = epoll_create1(EPOLL_CLOEXEC);
	hub->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	event.data.ptr = &hub->kind;
	if (hub->epoll < 0 || hub->wake < 0 ||
	    epoll_ctl(hub->epoll, EPOLL_CTL_ADD, hub->wake, &event) != 0 ||
	    getrandom(&hub->seed, sizeof(hub->seed), 0) != (ssize_t)sizeof(hub->seed)) {
		rc = -errno;
		cp_hub_destroy(hub);
		return rc;
	}
	*out = hub;
	return 0;
}

static void
free_dead(struct cp_hub *hub)
{
	struct cp_stream *s;
	struct cp_listener *listener;

	while ((s = TAILQ_FIRST(&hub->dead)) != NULL) {
		TAILQ_REMOVE(&hub->dead, s, all);
		if (s->due)
			TAILQ_REMOVE(&hub->ready, s, ready);
		cp_shield_put(s->shield);
		free(s);
	}
	while ((listener = TAILQ_FIRST(&hub->dead_listeners)) != NULL) {
		TAILQ_REMOVE(&hub->dead_listeners, listener, link);
		free(listener);
	}
}

void
cp_hub_destroy(struct cp_hub *hub)
{
	struct cp_stream *s;
	struct cp_listener *listener;

	if (!hub)
		return;
	while ((listener = TAILQ_FIRST(&hub->listeners)) != NULL)
		cp_listener_close(listener);
	while ((s = TAILQ_FIRST(&hub->streams)) != NULL)
		cp_stream_bury(s);
	free_dead(hub);
	cp_map_fini(&hub->sources);
	if (hub->epoll >= 0)
		close(hub->epoll);
	if (hub->wake >= 0)
		close(hub->wake);
	free(hub);
}

int
cp_hub_fd(const struct cp_hub *hub)
{
	return hub->epoll;
}

int64_t
cp_hub_next_ms(const struct cp_hub *hub)
{
	int64_t next = hub->listen_again_ms ? hub->listen_again_ms : -1;

	for (int i = 0; i < CP_TIMERS; i++) {
		const struct cp_hub_due *first = TAILQ_FIRST(&hub->dues[i]);

		if (first && (next < 0 || first->at_ms < next))
			next = first->at_ms;
	}
	return next;
}

void
cp_hub_mark(struct cp_stream *s, uint32_t due)
{
	struct cp_hub *hub = s->hub;
	const uint64_t one = 1;

	if (s->phase == CP_PHASE_DEAD)
		return;
	if (!s->due)
		TAILQ_INSERT_TAIL(&hub->ready, s, ready);
	s->due |= due;
	if (!hub->is_awake)
		hub->is_awake = write(hub->wake, &one, sizeof(one)) == (ssize_t)sizeof(one);
}

void
cp_hub_time(struct cp_stream *s, enum cp_hub_timer timer, uint32_t ms)
{
	struct cp_hub_dues *line = &s->hub->dues[timer];
	struct cp_hub_due *due = &s->timers[timer], *before;

	if (due->at_ms)
		TAILQ_REMOVE(line, due, link);
	due->at_ms = 0;
	if (ms == 0)
		return;
	due->stream = s;
	due->at_ms = s->hub->now_ms + ms;
	TAILQ_FOREACH_REVERSE(before, line, cp_hub_dues, link)
	if (before->at_ms <= due->at_ms)
		break;
	if (before)
		TAILQ_INSERT_AFTER(line, before, due, link);
	else
		TAILQ_INSERT_HEAD(line, due, link);
}

void
cp_hub_arm(struct cp_stream *s)
{
	bool is_leaving = s->phase == CP_PHASE_LEAVING;
	bool reads = s->phase != CP_PHASE_CONNECTING && !(s->is_paused && !is_leaving) &&
		     !s->is_end_seen;
	bool writes = s->phase == CP_PHASE_CONNECTING || s->is_blocked;
	struct epoll_event event = {
		.events = (reads ? EPOLLIN : 0) | (writes ? EPOLLOUT : 0),
		.data.ptr = &s->kind,
	};

	if (s->phase == CP_PHASE_DEAD || event.events == s->armed)
		return;
	if (epoll_ctl(s->hub->epoll, EPOLL_CTL_MOD, s->fd, &event) == 0)
		s->armed = event.events;
}

int
cp_hub_add(struct cp_stream **out, struct cp_hub *hub, int fd, struct cp_shield *shield)
{
	struct cp_stream *s = calloc(1, sizeof(*s));
	struct epoll_event event = {.events = 0};

	if (!s)
		return -ENOMEM;
	s->kind = CP_HUB_STREAM;
	event.data.ptr = &s->kind;
	if (epoll_ctl(hub->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
		free(s);
		return -errno;
	}
	s->hub = hub;
	s->fd = fd;
	s->shield = cp_shield_get(shield);
	TAILQ_INSERT_TAIL(&hub->streams, s, all);
	hub->count++;
	*out = s;
	return 0;
}

static void
listen_on(struct cp_hub *hub, uint32_t events)
{
	struct cp_listener *listener;

	TAILQ_FOREACH (listener, &hub->listeners, link) {
		struct epoll_event event = {.events = listener->shield ? events : 0,
					    .data.ptr = &listener->kind};

		epoll_ctl(hub->epoll, EPOLL_CTL_MOD, listener->fd, &event);
	}
}

void
cp_hub_rest(struct cp_hub *hub)
{
	if (!hub->listen_again_ms)
		listen_on(hub, 0);
	hub->listen_again_ms = hub->now_ms + REST_MS;
}

static void
on_stream(struct cp_stream *s, uint32_t events)
{
	if (s->phase == CP_PHASE_CONNECTING && events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) {
		cp_stream_up(s);
		return;
	}
	if (events & EPOLLOUT)
		cp_hub_mark(s, CP_DUE_FLUSH);
	/* a broken connection is found by reading it, or where nothing is read, by writing */
	if (events & (EPOLLIN | EPOLLERR | EPOLLHUP))
		cp_stream_readable(s);
}

static void
on_event(struct cp_hub *hub, const struct epoll_event *event)
{
	enum cp_hub_kind *kind = event->data.ptr;
	uint64_t count;

	switch (*kind) {
	case CP_HUB_WAKE:
		if (read(hub->wake, &count, sizeof(count)) < 0)
			return;
		break;
	case CP_HUB_LISTENER:
		cp_listener_ready(CP_CONTAINER(kind, struct cp_listener, kind));
		break;
	case CP_HUB_STREAM:
		if (CP_CONTAINER(kind, struct cp_stream, kind)->phase != CP_PHASE_DEAD)
			on_stream(CP_CONTAINER(kind, struct cp_stream, kind), event->events);
		break;
	}
}

static void
expire(struct cp_stream *s, enum cp_hub_timer timer)
{
	switch (timer) {
	case CP_TIMER_HANDSHAKE:
		cp_stream_lose(s, CP_STREAM_LATE,
			       s->phase == CP_PHASE_CONNECTING ? "TCP was not up in time"
							       : "TLS was not up in time");
		break;
	case CP_TIMER_YIELD:
		if (cp_stream_shake(s, s->shield->role))
			cp_hub_mark(s, CP_DUE_FLUSH);
		break;
	case CP_TIMER_IDENTIFY:
		cp_stream_lose(s, CP_STREAM_LATE, "nothing said in time whose it is");
		break;
	case CP_TIMER_STALL:
		cp_stream_lose(s, CP_STREAM_STALLED, "the peer reads nothing any more");
		break;
	default:
		cp_stream_bury(s);
		break;
	}
}

static void
run_timers(struct cp_hub *hub)
{
	struct cp_hub_due *due;

	for (enum cp_hub_timer i = 0; i < CP_TIMERS; i++)
		while ((due = TAILQ_FIRST(&hub->dues[i])) != NULL && due->at_ms <= hub->now_ms) {
			struct cp_stream *s = due->stream;

			cp_hub_time(s, i, 0);
			expire(s, i);
		}
	if (hub->listen_again_ms && hub->now_ms >= hub->listen_again_ms) {
		hub->listen_again_ms = 0;
		listen_on(hub, EPOLLIN);
	}
}

/* Who asks again while this runs has its turn in the next one. */
static void
run_ready(struct cp_hub *hub)
{
	struct cp_hub_streams now = TAILQ_HEAD_INITIALIZER(now);
	struct cp_stream *s;

	/* what was delivered makes others send: they come behind, and still go in this turn */
	for (uint32_t pass = 0; pass < 2; pass++) {
		TAILQ_CONCAT(&now, &hub->ready, ready);
		while ((s = TAILQ_FIRST(&now)) != NULL) {
			uint32_t due = s->due;

			TAILQ_REMOVE(&now, s, ready);
			s->due = 0;
			if (due & CP_DUE_START && s->phase < CP_PHASE_OPEN)
				cp_hub_time(s, CP_TIMER_HANDSHAKE, hub->settings.handshake_ms);
			if (due & CP_DUE_READ)
				cp_stream_deliver(s);
			if (due & CP_DUE_FLUSH)
				cp_stream_flush(s);
		}
	}
}

void
cp_hub_run(struct cp_hub *hub, int64_t now_ms)
{
	struct epoll_event events[EVENTS];
	const uint64_t one = 1;
	int count;

	hub->now_ms = now_ms;
	hub->is_awake = true;
	count = epoll_wait(hub->epoll, events, EVENTS, 0);
	for (int i = 0; i < count; i++)
		on_event(hub, &events[i]);
	run_timers(hub);
	run_ready(hub);
	free_dead(hub);
	hub->is_awake = !TAILQ_EMPTY(&hub->ready) &&
			write(hub->wake, &one, sizeof(one)) == (ssize_t)sizeof(one);
}
