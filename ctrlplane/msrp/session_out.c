/*
 * Messages go out: chunks (RFC 4975 section 7.1.1). One chunk is written at a time; it gives way to answers and to messages of other
 * lanes behind 2,048 octets, and goes on as another chunk later.
 */
#include <errno.h>
#include <stdlib.h>
#include "ctrlplane/msrp/session_state.h"

static struct cp_msrp_lane *
lane_of(struct cp_msrp_session *s, const void *key)
{
	struct cp_msrp_lane *lane = s->lanes;

	while (lane != NULL && lane->key != key)
		lane = lane->next;
	if (lane != NULL)
		return lane;
	lane = malloc(sizeof(*lane));
	if (lane == NULL)
		return NULL;
	*lane = (struct cp_msrp_lane){.key = key};
	if (s->lanes_last != NULL)
		s->lanes_last->next = lane;
	else
		s->lanes = lane;
	s->lanes_last = lane;
	return lane;
}

static void
append(struct cp_msrp_lane *lane, struct cp_msrp_out *out)
{
	out->next = NULL;
	if (lane->last != NULL)
		lane->last->next = out;
	else
		lane->first = out;
	lane->last = out;
}

static void
unlink_out(struct cp_msrp_lane *lane, struct cp_msrp_out *out)
{
	struct cp_msrp_out **link = &lane->first, *before = NULL;

	while (*link != out) {
		before = *link;
		link = &before->next;
	}
	*link = out->next;
	if (lane->last == out)
		lane->last = before;
}

/* The lane that was served goes behind the others; one without messages goes away. */
static void
rotate(struct cp_msrp_session *s, struct cp_msrp_lane *lane)
{
	struct cp_msrp_lane **link = &s->lanes, *before = NULL;

	if (lane->first != NULL && s->lanes_last == lane)
		return;
	while (*link != lane) {
		before = *link;
		link = &before->next;
	}
	*link = lane->next;
	if (s->lanes_last == lane)
		s->lanes_last = before;
	if (lane->first == NULL) {
		free(lane);
		return;
	}
	lane->next = NULL;
	if (s->lanes_last != NULL)
		s->lanes_last->next = lane;
	else
		s->lanes = lane;
	s->lanes_last = lane;
}

int
cp_msrp_session_send(struct cp_msrp_session *s, struct cp_msrp_out *out)
{
	struct cp_msrp_lane *lane;

	if (!s->is_bound || s->is_broken)
		return -ENOTCONN;
	if (cp_msrp_cursor_init(&out->cursor, out->parcel) < 0)
		return -ENOENT;
	lane = lane_of(s, out->lane);
	if (lane == NULL) {
		cp_msrp_cursor_fini(&out->cursor);
		return -ENOMEM;
	}
	cp_msrp_parcel_get(out->parcel);
	out->at = 1;
	append(lane, out);
	s->out_count++;
	return 0;
}

static bool
is_over(const struct cp_msrp_out *out)
{
	return out->is_given_up || out->parcel->is_aborted;
}

void
cp_msrp_session_give_up(struct cp_msrp_session *s, struct cp_msrp_out *out)
{
	(void)s;
	out->is_given_up = true;
}

size_t
cp_msrp_session_waiting(const struct cp_msrp_session *s)
{
	return s->out_count;
}

static void
finish(struct cp_msrp_session *s, struct cp_msrp_out *out, bool is_aborted)
{
	struct cp_msrp_lane *lane = s->lanes;

	while (lane->key != out->lane)
		lane = lane->next;
	unlink_out(lane, out);
	rotate(s, lane);
	s->out_count--;
	if (s->open == out)
		s->open = NULL;
	cp_msrp_cursor_fini(&out->cursor);
	cp_msrp_parcel_put(out->parcel);
	s->events->sent(s->arg, out, is_aborted);
}

/* Octets that have come and not gone. */
static uint64_t
left(const struct cp_msrp_out *out)
{
	return out->parcel->len - out->cursor.past;
}

/* Worth a chunk of its own. */
static bool
is_ready(const struct cp_msrp_out *out)
{
	return is_over(out) || out->parcel->is_complete || left(out) >= CP_MSRP_CHUNK;
}

static struct cp_msrp_out *
ready_of(const struct cp_msrp_lane *lane)
{
	struct cp_msrp_out *out = lane->first;

	while (out != NULL && !is_ready(out))
		out = out->next;
	return out;
}

/* Somebody else than the open one has something to say. */
static bool
has_others(const struct cp_msrp_session *s)
{
	const struct cp_msrp_out *open = s->open;

	if (s->control_len > s->control_at)
		return true;
	for (const struct cp_msrp_lane *lane = s->lanes; lane != NULL; lane = lane->next) {
		const struct cp_msrp_out *out = lane->first;

		if (lane->key == open->lane && open->parcel->is_complete)
			continue; /* keeps its order */
		for (; out != NULL; out = out->next)
			if (out != open && is_ready(out))
				return true;
	}
	return false;
}

static void
send_end(struct cp_msrp_session *s, const char *id, bool has_body, char flag)
{
	char text[CP_MSRP_END_MAX];
	ssize_t len = cp_msrp_encode_end(text, sizeof(text), cp_slice_text(id), has_body, flag);

	s->events->send(s->arg, text, (size_t)len);
}

/* To-Path and From-Path are ready; the transaction is the parcel's seed and a number. */
static void
send_prefix(struct cp_msrp_session *s, const struct cp_msrp_out *out, char id[CP_MSRP_ID_SIZE])
{
	cp_msrp_next_id(s, id, out->parcel->seed);
	memcpy(s->prefix + 5, id, CP_MSRP_ID_SIZE - 1);
	s->events->send(s->arg, s->prefix, s->prefix_len);
}

/* The chunk has ended; its answer is waited for. */
static void
expect(struct cp_msrp_session *s, const struct cp_msrp_out *out, const char *id, int64_t now_ms)
{
	enum cp_msrp_wish failure = out->parcel->failure;

	if (failure == CP_MSRP_UNSAID || failure == CP_MSRP_YES)
		cp_msrp_wait(s, id, out->parcel->message_id, now_ms);
}

static void
moved(struct cp_msrp_session *s, struct cp_msrp_out *out, size_t len)
{
	cp_msrp_cursor_move(&out->cursor, len);
	if (s->events->moved != NULL)
		s->events->moved(s->arg, out, len);
}

static bool
block(struct cp_msrp_session *s)
{
	s->is_blocked = true;
	return false;
}

/* False: there is no room. */
static bool
send_whole(struct cp_msrp_session *s, struct cp_msrp_out *out, int64_t now_ms)
{
	struct cp_msrp_parcel *parcel = out->parcel;
	char id[CP_MSRP_ID_SIZE];

	if (s->events->room(s->arg) <
	    s->prefix_len + parcel->head_len + parcel->len + CP_MSRP_END_MAX)
		return block(s);
	send_prefix(s, out, id);
	s->events->send(s->arg, parcel->head, parcel->head_len);
	while (left(out) > 0) {
		struct cp_msrp_run run = cp_msrp_cursor_peek(&out->cursor);

		s->events->send(s->arg, run.octets.ptr, run.octets.len);
		moved(s, out, run.octets.len);
	}
	send_end(s, id, true, '$');
	expect(s, out, id, now_ms);
	finish(s, out, false);
	return true;
}

static bool
begin_chunk(struct cp_msrp_session *s, struct cp_msrp_out *out)
{
	struct cp_msrp_run run = cp_msrp_cursor_peek(&out->cursor);
	char head[CP_MSRP_HEADERS_MAX];

	if (s->events->room(s->arg) <= s->prefix_len + sizeof(head) + CP_MSRP_END_MAX)
		return block(s);
	send_prefix(s, out, s->open_id);
	if (run.octets.len > 0)
		out->at = run.at;
	else if (out->parcel->is_complete && !is_over(out))
		out->at = out->parcel->total + 1;
	s->events->send(s->arg, head,
			cp_msrp_parcel_headers(head, out->parcel, out->at, CP_MSRP_OPEN));
	out->in_chunk = 0;
	out->has_begun = true;
	s->open = out;
	return true;
}

/* There is room for it. */
static void
end_chunk(struct cp_msrp_session *s, char flag, int64_t now_ms)
{
	struct cp_msrp_out *out = s->open;
	struct cp_msrp_lane *lane = s->lanes;

	while (lane->key != out->lane)
		lane = lane->next;
	send_end(s, s->open_id, true, flag);
	expect(s, out, s->open_id, now_ms);
	s->open = NULL;
	out->is_told |= flag == '$';
	if (flag == '#' || (out->is_told && left(out) == 0)) {
		finish(s, out, flag == '#');
		return;
	}
	if (!out->parcel->is_complete) {
		unlink_out(lane, out);
		append(lane, out);
	}
	rotate(s, lane);
}

static char
flag_of(const struct cp_msrp_out *out)
{
	if (is_over(out))
		return '#';
	return out->parcel->is_complete && out->at == out->parcel->total + 1 ? '$' : '+';
}

/* Of the open chunk as much as there is and fits. False: nothing more can be done now. */
static bool
continue_chunk(struct cp_msrp_session *s, int64_t now_ms)
{
	struct cp_msrp_out *out = s->open;
	struct cp_msrp_run run = cp_msrp_cursor_peek(&out->cursor);
	size_t room = s->events->room(s->arg), len = run.octets.len;
	bool has_nothing = len == 0;

	if (room < CP_MSRP_END_MAX)
		return block(s);
	if (is_over(out) || (has_nothing && out->parcel->is_complete) ||
	    (run.begins && out->in_chunk > 0)) {
		end_chunk(s, flag_of(out), now_ms);
		return true;
	}
	if ((out->in_chunk >= CP_MSRP_CHUNK || has_nothing) && has_others(s)) {
		end_chunk(s, '+', now_ms);
		return true;
	}
	if (has_nothing)
		return false;
	if (room == CP_MSRP_END_MAX)
		return block(s);
	if (len > room - CP_MSRP_END_MAX)
		len = room - CP_MSRP_END_MAX;
	if (out->in_chunk < CP_MSRP_CHUNK && len > CP_MSRP_CHUNK - out->in_chunk)
		len = CP_MSRP_CHUNK - out->in_chunk; /* then who else waits is looked at */
	s->events->send(s->arg, run.octets.ptr, len);
	out->in_chunk += len;
	out->at = run.at + len;
	moved(s, out, len);
	return true;
}

/* False: it waits for room. */
static bool
begin(struct cp_msrp_session *s, struct cp_msrp_out *out, int64_t now_ms)
{
	if (is_over(out) && !out->has_begun) {
		finish(s, out, true);
		return true;
	}
	if (out->parcel->head_len > 0 && !out->has_begun)
		return send_whole(s, out, now_ms);
	return begin_chunk(s, out);
}

static bool
send_control(struct cp_msrp_session *s)
{
	size_t room = s->events->room(s->arg), len = s->control_len - s->control_at;

	if (len > room)
		len = room;
	if (len == 0)
		return s->control_len == s->control_at || block(s);
	s->events->send(s->arg, s->control + s->control_at, len);
	s->control_at += len;
	if (s->control_at == s->control_len)
		s->control_at = s->control_len = 0;
	return s->control_len == 0 || block(s);
}

void
cp_msrp_session_pump(struct cp_msrp_session *s, int64_t now_ms)
{
	s->is_blocked = false;
	if (!s->is_bound && s->is_active && !s->is_broken && cp_msrp_control_bind(s, now_ms) == 0) {
		s->is_bound = true;
		s->events->bound(s->arg);
	}
	for (;;) {
		struct cp_msrp_out *out = NULL;

		if (s->open != NULL) {
			if (!continue_chunk(s, now_ms))
				return;
			continue;
		}
		if (!send_control(s))
			return;
		for (struct cp_msrp_lane *lane = s->lanes; lane != NULL && out == NULL;
		     lane = lane->next)
			out = ready_of(lane);
		if (out == NULL || !begin(s, out, now_ms))
			return;
	}
}

struct cp_msrp_out *
cp_msrp_out_by_seed(struct cp_msrp_session *s, struct cp_slice transaction)
{
	for (struct cp_msrp_lane *lane = s->lanes; lane != NULL; lane = lane->next)
		for (struct cp_msrp_out *out = lane->first; out != NULL; out = out->next)
			if (cp_slice_has_prefix(transaction, out->parcel->seed))
				return out;
	return NULL;
}

void
cp_msrp_out_fini(struct cp_msrp_session *s)
{
	while (s->lanes != NULL)
		finish(s, s->lanes->first, true);
}
