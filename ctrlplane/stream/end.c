/* How streams end: lost, closed, aborted; and what their user may ask of them. */
#include <sys/socket.h>
#include <stdlib.h>
#include <unistd.h>

#include "ctrlplane/stream/stream_state.h"

void
cp_stream_bury(struct cp_stream *s)
{
	struct cp_hub *hub = s->hub;

	if (s->phase == CP_PHASE_DEAD)
		return;
	s->phase = CP_PHASE_DEAD;
	s->events = NULL;
	for (enum cp_hub_timer i = 0; i < CP_TIMERS; i++)
		cp_hub_time(s, i, 0);
	cp_source_leave(s);
	cp_stream_queue_drop(&s->out);
	free(s->left);
	s->left = NULL;
	s->left_len = 0;
	cp_tls_destroy(s->tls);
	s->tls = NULL;
	close(s->fd);
	TAILQ_REMOVE(&hub->streams, s, all);
	TAILQ_INSERT_TAIL(&hub->dead, s, all);
	hub->count--;
}

/* No user any more: what is left to be done needs none. */
static void
part(struct cp_stream *s)
{
	s->phase = CP_PHASE_LEAVING;
	s->events = NULL;
	for (enum cp_hub_timer i = 0; i < CP_TIMERS; i++)
		cp_hub_time(s, i, 0);
}

/* Is somebody there who can be told? */
static bool
has_last_words(const struct cp_stream *s)
{
	switch (s->cause) {
	case CP_STREAM_CUT:
	case CP_STREAM_UNREACHABLE:
	case CP_STREAM_STALLED:
	case CP_STREAM_CROWDED_OUT:
		return false;
	case CP_STREAM_ENDED:
		return true;
	default:
		return s->tls != NULL || s->was_opened;
	}
}

void
cp_stream_lose(struct cp_stream *s, enum cp_stream_cause cause, const char *why)
{
	const struct cp_stream_events *events = s->events;

	if (!events) {
		cp_stream_bury(s);
		return;
	}
	part(s);
	s->cause = cause;
	events->closed(s->arg, s, cause != CP_STREAM_ENDED, why);
	if (!has_last_words(s)) {
		cp_stream_bury(s);
		return;
	}
	if (cause != CP_STREAM_ENDED)
		cp_stream_queue_drop(&s->out);
	if (s->tls)
		cp_tls_release(s->tls);
	cp_hub_mark(s, CP_DUE_FLUSH);
}

void
cp_stream_lose_tls(struct cp_stream *s)
{
	static const enum cp_stream_cause causes[] = {
		[CP_TLS_CAUSE_NONE] = CP_STREAM_TLS,
		[CP_TLS_CAUSE_CUT] = CP_STREAM_CUT,
		[CP_TLS_CAUSE_LATE] = CP_STREAM_LATE,
		[CP_TLS_CAUSE_NOT_TLS] = CP_STREAM_NOT_TLS,
		[CP_TLS_CAUSE_NO_KEY] = CP_STREAM_NO_KEY,
		[CP_TLS_CAUSE_OTHERS_KEY] = CP_STREAM_OTHERS_KEY,
		[CP_TLS_CAUSE_KEY_IN_USE] = CP_STREAM_KEY_IN_USE,
		[CP_TLS_CAUSE_WRONG_KEY] = CP_STREAM_WRONG_KEY,
		[CP_TLS_CAUSE_CERTIFICATE] = CP_STREAM_CERTIFICATE_OTHER,
		[CP_TLS_CAUSE_OTHER] = CP_STREAM_TLS,
	};

	cp_stream_lose(s, causes[cp_tls_cause(s->tls)], cp_tls_reason(s->tls));
}

void
cp_stream_close(struct cp_stream *s)
{
	if (s->phase == CP_PHASE_OPEN) {
		part(s);
		if (s->tls)
			cp_tls_release(s->tls);
		cp_hub_mark(s, CP_DUE_FLUSH);
	} else if (s->phase != CP_PHASE_LEAVING) {
		cp_stream_bury(s);
	}
}

void
cp_stream_abort(struct cp_stream *s)
{
	const struct linger now = {.l_onoff = 1};

	if (s->phase == CP_PHASE_DEAD)
		return;
	setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	cp_stream_bury(s);
}

void
cp_stream_set(struct cp_stream *s, const struct cp_stream_events *events, void *arg)
{
	s->events = events;
	s->arg = arg;
}

void
cp_stream_pause(struct cp_stream *s, bool on)
{
	if (s->is_paused == on || s->phase == CP_PHASE_DEAD)
		return;
	s->is_paused = on;
	if (!on)
		cp_hub_mark(s, CP_DUE_READ);
	cp_hub_arm(s);
}

void
cp_stream_identified(struct cp_stream *s)
{
	s->is_identified = true;
	cp_hub_time(s, CP_TIMER_IDENTIFY, 0);
	cp_source_leave(s);
}

bool
cp_stream_is_open(const struct cp_stream *s)
{
	return s->was_opened;
}

enum cp_stream_mode
cp_stream_mode(const struct cp_stream *s)
{
	return s->shield->mode;
}

enum cp_stream_cause
cp_stream_cause(const struct cp_stream *s)
{
	return s->cause;
}

const void *
cp_stream_owner(const struct cp_stream *s)
{
	return s->tls ? cp_tls_owner(s->tls) : NULL;
}

const void *
cp_stream_claimed(const struct cp_stream *s)
{
	return s->tls ? cp_tls_claimed(s->tls) : NULL;
}

const uint8_t *
cp_stream_fingerprint(const struct cp_stream *s)
{
	return s->tls ? cp_tls_fingerprint(s->tls) : NULL;
}

const struct dp_addr *
cp_stream_remote(const struct cp_stream *s)
{
	return &s->remote;
}

const struct dp_addr *
cp_stream_local(const struct cp_stream *s)
{
	return &s->local;
}

const char *
cp_stream_protection(const struct cp_stream *s)
{
	return s->protection[0] ? s->protection : "plain";
}
