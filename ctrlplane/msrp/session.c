/* One MSRP session: from its creation to its end, and what octets and time do to it. */
#include "ctrlplane/msrp/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "ctrlplane/msrp/session_state.h"
#include "ctrlplane/msrp/uri.h"

#define IDLE_MS 540000 /* a TCP time-out, as RFC 7701 section 6.1 says */

static bool
is_path(const char *path)
{
	struct cp_slice rest = cp_slice_text(path), uri;
	struct cp_msrp_uri parts;
	size_t count = 0;

	while (cp_slice_split(&rest, ' ', &uri)) {
		if (cp_msrp_uri_decode(&parts, uri) != 0)
			return false;
		count++;
	}
	return count > 0 && count <= CP_MSRP_PATH_MAX && strlen(path) < CP_MSRP_PATH_TEXT_MAX;
}

static int
make_prefix(struct cp_msrp_session *s)
{
	int len = asprintf(&s->prefix, "MSRP %*s SEND\r\nTo-Path: %s\r\nFrom-Path: %s\r\n",
			   CP_MSRP_ID_SIZE - 1, "", s->peer, s->self);

	if (len < 0)
		return -ENOMEM;
	s->prefix_len = (size_t)len;
	return 0;
}

int
cp_msrp_session_create(struct cp_msrp_session **out,
		       const struct cp_msrp_session_settings *settings)
{
	struct cp_msrp_session *s;
	struct cp_msrp_uri uri;

	if (!is_path(settings->peer) || strlen(settings->self) > CP_MSRP_URI_MAX ||
	    cp_msrp_uri_decode(&uri, cp_slice_text(settings->self)) != 0)
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return -ENOMEM;
	s->events = settings->events;
	s->arg = settings->arg;
	s->is_active = settings->is_active;
	s->has_cema = settings->has_cema;
	s->size_max = settings->size_max;
	s->idle_ms = settings->idle_ms > 0 ? settings->idle_ms : IDLE_MS;
	cp_msrp_ident(s->seed, settings->luck, CP_MSRP_SEED / 2);
	s->self = strdup(settings->self);
	s->peer = strdup(settings->peer);
	if (s->self == NULL || s->peer == NULL || make_prefix(s) < 0) {
		free(s->self);
		free(s->peer);
		free(s);
		return -ENOMEM;
	}
	cp_msrp_uri_decode(&uri, cp_slice_text(s->self));
	s->self_session = uri.session;
	*out = s;
	return 0;
}

void
cp_msrp_session_destroy(struct cp_msrp_session *s)
{
	if (s == NULL)
		return;
	s->is_broken = true;
	cp_msrp_in_fini(s);
	cp_msrp_out_fini(s);
	while (s->waiting != NULL) {
		struct cp_msrp_waiting *w = s->waiting;

		s->waiting = w->next;
		free(w);
	}
	free(s->control);
	free(s->prefix);
	free(s->self);
	free(s->peer);
	free(s);
}

static void
on_event(struct cp_msrp_session *s, const struct cp_msrp_event *event, int64_t now_ms)
{
	switch (event->kind) {
	case CP_MSRP_HEAD:
		cp_msrp_in_head(s, &event->head, now_ms);
		break;
	case CP_MSRP_BODY:
		cp_msrp_in_body(s, event->body, now_ms);
		break;
	case CP_MSRP_END:
		cp_msrp_in_end(s, event, now_ms);
		break;
	case CP_MSRP_BROKEN:
		s->is_broken = true;
		s->why = event->reason;
		break;
	case CP_MSRP_MORE:
		break;
	}
}

ssize_t
cp_msrp_session_receive(struct cp_msrp_session *s, const void *octets, size_t len, int64_t now_ms)
{
	const char *at = octets;
	struct cp_msrp_event event;
	size_t taken = 0;

	do {
		if (s->is_broken)
			return -EBADMSG;
		if (cp_msrp_session_is_choked(s))
			break; /* who does not read answers is not read either */
		taken += cp_msrp_next(&s->stream, &event, at + taken, len - taken);
		on_event(s, &event, now_ms);
	} while (event.kind != CP_MSRP_MORE);
	return s->is_broken ? -EBADMSG : (ssize_t)taken;
}

const char *
cp_msrp_session_why(const struct cp_msrp_session *s)
{
	return s->why != NULL ? s->why : "";
}

bool
cp_msrp_session_is_choked(const struct cp_msrp_session *s)
{
	return s->control_len - s->control_at > CP_MSRP_CONTROL_MAX;
}

bool
cp_msrp_session_is_blocked(const struct cp_msrp_session *s)
{
	return s->is_blocked;
}

bool
cp_msrp_session_is_bound(const struct cp_msrp_session *s)
{
	return s->is_bound;
}

void
cp_msrp_session_tick(struct cp_msrp_session *s, int64_t now_ms)
{
	cp_msrp_in_expire(s, now_ms);
	cp_msrp_wait_expire(s, now_ms);
}

int64_t
cp_msrp_session_next_ms(const struct cp_msrp_session *s)
{
	int64_t next = s->waiting != NULL ? s->waiting->until_ms : INT64_MAX;

	for (const struct cp_msrp_coming *c = s->coming; c != NULL; c = c->next)
		if (c->last_ms + s->idle_ms < next)
			next = c->last_ms + s->idle_ms;
	return next;
}

/* The head of a first request, as far as it has come. */
static int
first_head(struct cp_msrp_event *event, const void *octets, size_t len)
{
	struct cp_msrp_stream stream = {0};

	cp_msrp_next(&stream, event, octets, len);
	if (event->kind == CP_MSRP_MORE)
		return -EAGAIN;
	if (event->kind != CP_MSRP_HEAD || event->head.method == CP_MSRP_RESPONSE)
		return -EBADMSG;
	return 0;
}

int
cp_msrp_first_session(struct cp_slice *id, const void *octets, size_t len)
{
	struct cp_msrp_event event;
	struct cp_msrp_uri uri;
	int error = first_head(&event, octets, len);

	if (error < 0)
		return error;
	if (event.head.to_count == 0 || cp_msrp_uri_decode(&uri, event.head.to[0]) != 0)
		return -EBADMSG;
	*id = uri.session;
	return 0;
}

size_t
cp_msrp_first_refuse(char *out, size_t size, const void *octets, size_t len, unsigned int code)
{
	struct cp_msrp_event event;
	ssize_t written;

	if (first_head(&event, octets, len) < 0 || event.head.to_count == 0 ||
	    !cp_msrp_may_answer(&event.head, code))
		return 0;
	written = cp_msrp_encode_response(out, size, &event.head, event.head.to[0], code);
	return written < 0 ? 0 : (size_t)written;
}
