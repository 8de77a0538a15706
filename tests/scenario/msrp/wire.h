/*
 * A session with a fake clock and a wire of text. What it does is written down a line an event:
 *   bound | begin m1 text/plain 5 | body 1 hello | end | aborted | nick Bob | outcome m1 408 | sent | lost
 * and what it writes, read again by the codec:
 *   > 200 t1 | > SEND 1-*\/5 5 + | > REPORT m1 200 1-5/5
 */
#ifndef TESTS_SCENARIO_MSRP_WIRE_H
#define TESTS_SCENARIO_MSRP_WIRE_H

#include "ctrlplane/msrp/session.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SELF "msrps://focus.example:2855/s1;tcp"
#define PEER "msrps://a.example:7777/iau3;tcp"

struct wire {
	struct cp_msrp_session *s;
	struct cp_msrp_stream back; /* reads what the session writes */
	char out[1 << 20];
	size_t out_len, read, room;
	unsigned int begin_says, body_says, end_says, nick_says;
	const char *report_body;
	int64_t now_ms;
	size_t moved;
	char head[128]; /* of the SEND that is being read */
	size_t len;
	char log[1 << 16];
};

static inline void __attribute__((format(printf, 2, 3)))
note(struct wire *w, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(w->log + w->len, sizeof(w->log) - w->len, format, args);
	va_end(args);
	assert_true(n >= 0 && (size_t)n < sizeof(w->log) - w->len - 1);
	w->len += (size_t)n;
	w->log[w->len++] = '\n';
	w->log[w->len] = '\0';
}

static inline size_t
wire_room(void *arg)
{
	return ((struct wire *)arg)->room;
}

static inline void
wire_send(void *arg, const void *octets, size_t len)
{
	struct wire *w = arg;

	assert_true(len <= w->room && len <= sizeof(w->out) - w->out_len);
	memcpy(w->out + w->out_len, octets, len);
	w->out_len += len;
	w->room -= len;
}

static inline void
wire_bound(void *arg)
{
	note(arg, "bound");
}

static inline unsigned int
wire_begin(void *arg, struct cp_msrp_incoming *in)
{
	struct wire *w = arg;

	note(w, "begin %.*s %.*s %lld", (int)in->message_id.len, in->message_id.ptr,
	     (int)in->media.len, in->media.ptr, (long long)in->total);
	return w->begin_says;
}

static inline unsigned int
wire_body(void *arg, struct cp_msrp_incoming *in, uint64_t at, struct cp_slice octets)
{
	struct wire *w = arg;

	if (octets.len > 100)
		note(w, "body %" PRIu64 " (%zu)", at, octets.len);
	else
		note(w, "body %" PRIu64 " %.*s", at, (int)octets.len, octets.ptr);
	return w->body_says;
}

static inline unsigned int
wire_end(void *arg, struct cp_msrp_incoming *in, bool is_aborted)
{
	struct wire *w = arg;

	note(w, is_aborted ? "aborted %.*s" : "end %.*s", (int)in->message_id.len,
	     in->message_id.ptr);
	return w->end_says;
}

static inline unsigned int
wire_nickname(void *arg, struct cp_slice name)
{
	struct wire *w = arg;

	note(w, "nick %.*s", (int)name.len, name.ptr);
	return w->nick_says;
}

static inline size_t
wire_report_body(void *arg, const struct cp_msrp_incoming *in, char *out, size_t size)
{
	struct wire *w = arg;

	if (w->report_body == NULL)
		return 0;
	return (size_t)snprintf(out, size, "%s", w->report_body);
}

static inline void
wire_outcome(void *arg, const struct cp_msrp_outcome *o)
{
	note(arg, "outcome %s %u%s", *o->message_id ? o->message_id : "-", o->status,
	     o->is_report ? " by report" : "");
}

static inline void
wire_sent(void *arg, struct cp_msrp_out *out, bool is_aborted)
{
	note(arg, is_aborted ? "lost" : "sent");
	free(out);
}

static inline void
wire_moved(void *arg, struct cp_msrp_out *out, size_t len)
{
	((struct wire *)arg)->moved += len;
}

static const struct cp_msrp_session_events wire_events = {
	.room = wire_room,
	.send = wire_send,
	.bound = wire_bound,
	.begin = wire_begin,
	.body = wire_body,
	.end = wire_end,
	.nickname = wire_nickname,
	.report_body = wire_report_body,
	.outcome = wire_outcome,
	.sent = wire_sent,
	.moved = wire_moved,
};

/* What was written since the last time, a line each. */
static inline void
wire_read(struct wire *w)
{
	struct cp_msrp_event e;

	do {
		size_t taken = cp_msrp_next(&w->back, &e, w->out + w->read, w->out_len - w->read);

		w->read += taken;
		assert_int_not_equal(e.kind, CP_MSRP_BROKEN);
		if (e.kind == CP_MSRP_HEAD && e.head.method == CP_MSRP_RESPONSE) {
			assert_true(cp_slice_is(e.head.from_path, SELF));
			note(w, "> %u %.*s", e.head.code, (int)e.head.transaction.len,
			     e.head.transaction.ptr);
		} else if (e.kind == CP_MSRP_HEAD && e.head.method == CP_MSRP_SEND) {
			struct cp_slice range = {0};

			assert_int_equal(e.head.error, 0);
			assert_true(cp_slice_is(e.head.to_path, PEER));
			cp_msrp_header(&range, &e.head, "Byte-Range");
			snprintf(w->head, sizeof(w->head), "> SEND %.*s", (int)range.len,
				 range.ptr);
		} else if (e.kind == CP_MSRP_HEAD && e.head.method == CP_MSRP_REPORT) {
			assert_int_equal(e.head.error, 0);
			note(w, "> REPORT %.*s %u %d-%d/%d%s", (int)e.head.message_id.len,
			     e.head.message_id.ptr, e.head.status, (int)e.head.range.start,
			     (int)e.head.range.end, (int)e.head.range.total,
			     e.head.has_body ? " with a body" : "");
		} else if (e.kind == CP_MSRP_HEAD) {
			note(w, "> NICKNAME %.*s", (int)e.head.nickname.len, e.head.nickname.ptr);
		} else if (e.kind == CP_MSRP_END && *w->head) {
			note(w, "%s %d %c", w->head, (int)e.body_len, e.flag);
			*w->head = '\0';
		}
	} while (e.kind != CP_MSRP_MORE);
}

static inline struct wire *
wire_create(const struct cp_msrp_session_settings *more)
{
	static const uint8_t luck[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct cp_msrp_session_settings settings = *more;
	struct wire *w = calloc(1, sizeof(*w));

	w->room = sizeof(w->out);
	w->nick_says = 200;
	w->now_ms = 1000;
	settings.self = SELF;
	settings.peer = PEER;
	settings.luck = luck;
	settings.events = &wire_events;
	settings.arg = w;
	assert_int_equal(cp_msrp_session_create(&w->s, &settings), 0);
	return w;
}

static inline void
wire_destroy(struct wire *w)
{
	cp_msrp_session_destroy(w->s);
	free(w);
}

/* Octets come; then it writes. */
static inline void
wire_feed(struct wire *w, const char *text, size_t len)
{
	ssize_t taken = cp_msrp_session_receive(w->s, text, len, w->now_ms);

	assert_int_equal(taken, len);
	cp_msrp_session_pump(w->s, w->now_ms);
	wire_read(w);
}

/* A request with its paths: what stands behind "MSRP " and the transaction, more headers, a body or NULL, the flag. */
static inline void
wire_say(struct wire *w, const char *start, const char *headers, const char *body, char flag)
{
	char text[8192];
	int len = snprintf(text, sizeof(text),
			   "MSRP %s\r\nTo-Path: " SELF "\r\nFrom-Path: " PEER
			   "\r\n%s%s%s%s-------%.*s%c\r\n",
			   start, headers, body ? "\r\n" : "", body ? body : "", body ? "\r\n" : "",
			   (int)strcspn(start, " "), start, flag);

	assert_true(len > 0 && (size_t)len < sizeof(text));
	wire_feed(w, text, (size_t)len);
}

static inline void
wire_tick(struct wire *w, int64_t now_ms)
{
	w->now_ms = now_ms;
	cp_msrp_session_tick(w->s, now_ms);
	cp_msrp_session_pump(w->s, now_ms);
	wire_read(w);
}

static inline void
wire_expect(struct wire *w, const char *log)
{
	assert_string_equal(w->log, log);
	w->len = 0;
	w->log[0] = '\0';
}

static inline struct cp_msrp_parcel *
wire_parcel(uint64_t total, enum cp_msrp_wish failure, uint8_t number)
{
	uint8_t luck[16] = {number, 9, 9, 9, 9, 9, 9, 9, number, 7, 7, 7, 7, 7, 7, 7};
	struct cp_msrp_parcel *parcel = NULL;

	assert_int_equal(cp_msrp_parcel_create(&parcel,
					       &(struct cp_msrp_parcel_settings){
						       .luck = luck,
						       .content_type = cp_slice_text("text/plain"),
						       .failure = failure,
						       .total = total,
						       .is_kept = true,
					       }),
			 0);
	return parcel;
}

static inline struct cp_msrp_out *
wire_send_parcel(struct wire *w, struct cp_msrp_parcel *parcel, const void *lane)
{
	struct cp_msrp_out *out = calloc(1, sizeof(*out));

	out->parcel = parcel;
	out->lane = lane;
	assert_int_equal(cp_msrp_session_send(w->s, out), 0);
	return out;
}

#endif
