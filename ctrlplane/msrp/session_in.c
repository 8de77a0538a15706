/* Requests come in (RFC 4975 section 7.3): whose they are, and chunks put together to messages. */
#include <errno.h>
#include <stdlib.h>
#include "ctrlplane/msrp/chars.h"
#include "ctrlplane/msrp/nickname.h"
#include "ctrlplane/msrp/session_state.h"
#include "ctrlplane/msrp/uri.h"

static bool
is_ours(const struct cp_msrp_session *s, const struct cp_msrp_head *head)
{
	struct cp_msrp_uri uri;

	if (head->to_count != 1)
		return false;
	if (cp_slice_is(head->to[0], s->self))
		return true;
	if (!s->has_cema)
		return cp_msrp_uri_is_same_text(head->to[0], cp_slice_text(s->self));
	return cp_msrp_uri_decode(&uri, head->to[0]) == 0 &&
	       cp_slice_is_same(uri.session, s->self_session);
}

/* What answering it needs, which outlives the octets. */
static void
keep(struct cp_msrp_request *r, const struct cp_msrp_head *head)
{
	struct cp_slice path = head->from_path;

	*r = (struct cp_msrp_request){.is_there = true};
	r->head.method = head->method;
	r->head.success = head->success;
	r->head.failure = head->failure;
	r->head.range = head->range;
	r->head.has_body = head->has_body;
	r->head.error = head->error;
	memcpy(r->transaction, head->transaction.ptr, head->transaction.len);
	r->head.transaction = cp_slice(r->transaction, head->transaction.len);
	if (head->message_id.len > 0)
		memcpy(r->message_id, head->message_id.ptr, head->message_id.len);
	r->head.message_id = cp_slice(r->message_id, head->message_id.len);
	if (head->from_count == 0)
		return;
	if (path.len > sizeof(r->from_path))
		path = head->from[0];
	memcpy(r->from_path, path.ptr, path.len);
	r->head.from_path = cp_slice(r->from_path, path.len);
	r->head.from_count = 1;
	r->head.from[0] = cp_slice(r->from_path, head->from[0].len);
}

static struct cp_msrp_coming *
find(const struct cp_msrp_session *s, struct cp_slice message_id)
{
	struct cp_msrp_coming *c = s->coming;

	while (c != NULL && !cp_slice_is_same(c->in.message_id, message_id))
		c = c->next;
	return c;
}

static void
forget(struct cp_msrp_session *s, struct cp_msrp_coming *coming)
{
	struct cp_msrp_coming **link = &s->coming;

	while (*link != coming)
		link = &(*link)->next;
	*link = coming->next;
	s->coming_count--;
	if (s->request.coming == coming)
		s->request.coming = NULL;
	free(coming);
}

/* Room for another one: of those that were refused the oldest goes. */
static bool
make_room(struct cp_msrp_session *s)
{
	struct cp_msrp_coming *oldest = NULL;

	if (s->coming_count < CP_MSRP_INCOMING_MAX)
		return true;
	for (struct cp_msrp_coming *c = s->coming; c != NULL; c = c->next)
		if (c->status != 0 && (oldest == NULL || c->last_ms < oldest->last_ms))
			oldest = c;
	if (oldest != NULL)
		forget(s, oldest);
	return oldest != NULL;
}

/* It is told of no more; what still comes of it gets the same answer. */
static void
refuse(struct cp_msrp_session *s, struct cp_msrp_coming *c, unsigned int status)
{
	if (c->status != 0)
		return;
	c->status = status;
	s->events->end(s->arg, &c->in, true);
	c->in.user = NULL;
}

/* What a part of the user's said: true: go on. */
static bool
goes_on(struct cp_msrp_session *s, struct cp_msrp_coming *c, unsigned int status)
{
	if (status == 0 || status == CP_MSRP_OK)
		return true;
	refuse(s, c, status);
	s->request.status = status;
	return false;
}

static unsigned int
check_range(const struct cp_msrp_session *s, const struct cp_msrp_coming *c,
	    const struct cp_msrp_head *head)
{
	uint64_t total = head->range.is_there ? head->range.total : CP_MSRP_OPEN;

	if (c != NULL && total != CP_MSRP_OPEN && c->in.total != CP_MSRP_OPEN &&
	    c->in.total != total)
		return CP_MSRP_OUT_OF_BOUNDS;
	if (s->size_max > 0 && total != CP_MSRP_OPEN && total > s->size_max)
		return CP_MSRP_STOP;
	if (c == NULL && head->range.is_there && head->range.start != 1)
		return CP_MSRP_STOP; /* nobody knows how it began */
	return 0;
}

static struct cp_msrp_coming *
create(struct cp_msrp_session *s, const struct cp_msrp_head *head, int64_t now_ms)
{
	struct cp_msrp_coming *c;

	if (head->content_type.len >= CP_MSRP_TYPE_MAX || !make_room(s))
		return NULL;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return NULL;
	memcpy(c->message_id, head->message_id.ptr, head->message_id.len);
	memcpy(c->content_type, head->content_type.ptr, head->content_type.len);
	c->in.message_id = cp_slice(c->message_id, head->message_id.len);
	c->in.content_type = cp_slice(c->content_type, head->content_type.len);
	c->in.media = cp_slice(c->content_type, head->media.len);
	c->in.total = head->range.is_there ? head->range.total : CP_MSRP_OPEN;
	c->end = CP_MSRP_OPEN;
	c->last_ms = now_ms;
	c->next = s->coming;
	s->coming = c;
	s->coming_count++;
	return c;
}

/* A chunk of a message, the first one or another. */
static void
on_chunk(struct cp_msrp_session *s, const struct cp_msrp_head *head, int64_t now_ms)
{
	struct cp_msrp_request *r = &s->request;
	struct cp_msrp_coming *c = find(s, head->message_id);
	unsigned int status = check_range(s, c, head);

	r->at = head->range.is_there ? head->range.start : 1;
	r->coming = c;
	if (c != NULL && c->status != 0)
		status = c->status;
	else if (c != NULL && status != 0)
		refuse(s, c, status);
	if (status != 0) {
		r->status = status;
		return;
	}
	if (c == NULL) {
		c = create(s, head, now_ms);
		if (c == NULL) {
			r->status = CP_MSRP_STOP;
			return;
		}
		r->coming = c;
		goes_on(s, c, s->events->begin(s->arg, &c->in));
	}
	if (c->in.total == CP_MSRP_OPEN && head->range.is_there)
		c->in.total = head->range.total;
	r->coming = c;
	c->last_ms = now_ms;
}

static unsigned int
on_nickname(struct cp_msrp_session *s, const struct cp_msrp_head *head)
{
	char name[CP_MSRP_NICKNAME_MAX + 1];
	ssize_t len = cp_msrp_nickname_decode(name, head->nickname);

	if (len < 0)
		return CP_MSRP_BAD_NICKNAME;
	if (s->events->nickname == NULL)
		return CP_MSRP_FORBIDDEN;
	return s->events->nickname(s->arg, cp_slice(name, (size_t)len));
}

static void
on_request(struct cp_msrp_session *s, const struct cp_msrp_head *head, int64_t now_ms)
{
	if (!s->is_bound) {
		s->is_bound = true;
		s->events->bound(s->arg);
	}
	if (head->error != 0)
		s->request.status = head->error;
	else if (head->method == CP_MSRP_REPORT)
		cp_msrp_reported(s, head);
	else if (head->method == CP_MSRP_NICKNAME)
		s->request.status = on_nickname(s, head);
	else if (head->method == CP_MSRP_SEND && head->has_body)
		on_chunk(s, head, now_ms);
}

void
cp_msrp_in_head(struct cp_msrp_session *s, const struct cp_msrp_head *head, int64_t now_ms)
{
	s->request.is_there = false;
	if (head->method == CP_MSRP_RESPONSE) {
		if (head->error == 0)
			cp_msrp_answered(s, head);
		return;
	}
	keep(&s->request, head);
	if (head->to_count > 0 && !is_ours(s, head))
		s->request.status = CP_MSRP_NO_SESSION;
	else
		on_request(s, head, now_ms);
	if (s->request.status == CP_MSRP_STOP)
		cp_msrp_control_answer(s, CP_MSRP_STOP); /* so that no more of it is sent */
}

/* Those of the octets that were not there before. */
static void
pass(struct cp_msrp_session *s, struct cp_msrp_coming *c, struct cp_slice octets)
{
	while (octets.len > 0 && c->status == 0) {
		size_t old, fresh;

		cp_msrp_coming_fresh(c, s->request.at, octets.len, &old, &fresh);
		s->request.at += old;
		octets = cp_msrp_behind(octets, old);
		if (fresh == 0)
			continue;
		if (!cp_msrp_coming_note(c, s->request.at, fresh)) {
			goes_on(s, c, CP_MSRP_STOP);
			return;
		}
		goes_on(s, c,
			s->events->body(s->arg, &c->in, s->request.at,
					cp_slice(octets.ptr, fresh)));
		s->request.at += fresh;
		octets = cp_msrp_behind(octets, fresh);
	}
}

void
cp_msrp_in_body(struct cp_msrp_session *s, struct cp_slice octets, int64_t now_ms)
{
	struct cp_msrp_request *r = &s->request;
	struct cp_msrp_coming *c = r->coming;
	uint64_t end = r->at + octets.len - 1;

	if (!r->is_there || r->status != 0 || c == NULL)
		return;
	c->last_ms = now_ms;
	if (s->size_max > 0 && end > s->size_max)
		goes_on(s, c, CP_MSRP_STOP);
	else if ((c->in.total != CP_MSRP_OPEN && end > c->in.total) || end > c->end)
		goes_on(s, c, CP_MSRP_OUT_OF_BOUNDS);
	else
		pass(s, c, octets);
	if (r->status == CP_MSRP_STOP && !r->is_answered)
		cp_msrp_control_answer(s, CP_MSRP_STOP);
}

/* The end of a chunk: perhaps of the message. */
static void
end_chunk(struct cp_msrp_session *s, struct cp_msrp_coming *c, char flag)
{
	struct cp_msrp_request *r = &s->request;
	unsigned int status;

	if (flag == '#') {
		s->events->end(s->arg, &c->in, true);
		forget(s, c);
		return;
	}
	if (flag == '$') {
		size_t last = c->range_count;

		if (last > 0 && c->ranges[last - 1].to > r->at) {
			goes_on(s, c, CP_MSRP_OUT_OF_BOUNDS); /* there is more of it already */
			return;
		}
		c->end = r->at - 1;
	}
	if (c->end == CP_MSRP_OPEN || c->got < c->end)
		return;
	c->in.total = c->end;
	status = s->events->end(s->arg, &c->in, false);
	if (status != 0 && status != CP_MSRP_OK)
		r->status = status;
	else
		cp_msrp_control_report(s, c, c->end);
	forget(s, c);
}

void
cp_msrp_in_end(struct cp_msrp_session *s, const struct cp_msrp_event *event, int64_t now_ms)
{
	struct cp_msrp_request *r = &s->request;

	if (!r->is_there)
		return;
	r->is_there = false;
	if (r->status == 0 && event->error != 0)
		r->status = event->error;
	if (r->coming != NULL && r->coming->status != 0) {
		if (event->flag != '+')
			forget(s, r->coming);
	} else if (r->coming != NULL) {
		r->coming->last_ms = now_ms;
		end_chunk(s, r->coming, event->flag);
	} else if (r->status == 0 && r->head.method == CP_MSRP_SEND && !r->head.has_body) {
		cp_msrp_control_report(s, NULL, 0);
	}
	if (!r->is_answered)
		cp_msrp_control_answer(s, r->status == 0 ? CP_MSRP_OK : r->status);
	if (r->status != 0 && r->status != CP_MSRP_OK && s->events->refused != NULL)
		s->events->refused(s->arg, r->status);
	r->coming = NULL;
}

void
cp_msrp_in_expire(struct cp_msrp_session *s, int64_t now_ms)
{
	struct cp_msrp_coming *c = s->coming;

	while (c != NULL) {
		struct cp_msrp_coming *next = c->next;

		if (c->last_ms + s->idle_ms <= now_ms && s->request.coming != c) {
			if (c->status == 0)
				s->events->end(s->arg, &c->in, true);
			forget(s, c);
		}
		c = next;
	}
}

void
cp_msrp_in_fini(struct cp_msrp_session *s)
{
	while (s->coming != NULL) {
		if (s->coming->status == 0)
			s->events->end(s->arg, &s->coming->in, true);
		forget(s, s->coming);
	}
}
