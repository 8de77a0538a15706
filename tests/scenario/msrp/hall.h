/*
 * A chat room with members whose connections are text. What each is written is read again by the codec; messages are put together:
 *   200 t001 | 403 t002 | REPORT 200 | <alice@x→room: hello> | # (a message given up)
 */
#ifndef TESTS_SCENARIO_MSRP_HALL_H
#define TESTS_SCENARIO_MSRP_HALL_H

#include "ctrlplane/msrp/cpim.h"
#include "ctrlplane/msrp/room.h"
#include "ctrlplane/msrp/session.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GUESTS 8
#define WIRE (4u << 20)

struct guest {
	struct hall *hall;
	struct cp_room_member *member;
	const char *name;
	char self[64], peer[64];
	char *out; /* what it was written */
	size_t out_len, read, room;
	bool is_paused, is_dropped;
	struct cp_msrp_stream back;
	struct cp_msrp_head head; /* of what is being read */
	char headers[512];
	struct half {
		char id[40];
		char *octets;
		size_t len;
	} halves[32];
	struct half *half;
	size_t messages, octets;
	size_t len;
	char log[1 << 16];
};

struct hall {
	struct cp_room *room;
	struct guest guests[GUESTS];
	int64_t now_ms;
	uint8_t luck;
	size_t len;
	char log[4096]; /* what the room told */
};

static inline void __attribute__((format(printf, 4, 5)))
hall_note(char *log, size_t *len, size_t size, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(log + *len, size - *len, format, args);
	va_end(args);
	assert_true(n >= 0 && (size_t)n < size - *len - 1);
	*len += (size_t)n;
	log[(*len)++] = '\n';
	log[*len] = '\0';
}

static inline size_t
hall_room(struct cp_room_member *m)
{
	return ((struct guest *)m->user)->room;
}

static inline void
hall_send(struct cp_room_member *m, const void *octets, size_t len)
{
	struct guest *g = m->user;

	assert_true(len <= g->room && len <= WIRE - g->out_len);
	memcpy(g->out + g->out_len, octets, len);
	g->out_len += len;
	g->room -= len;
}

static inline void
hall_pause(struct cp_room_member *m, bool on)
{
	((struct guest *)m->user)->is_paused = on;
}

static inline void
hall_dropped(struct cp_room_member *m, const char *why)
{
	struct guest *g = m->user;

	g->is_dropped = true;
	hall_note(g->hall->log, &g->hall->len, sizeof(g->hall->log), "%s dropped: %s", g->name,
		  why);
}

static inline void
hall_changed(struct cp_room_member *m)
{
	struct guest *g = m->user;

	hall_note(g->hall->log, &g->hall->len, sizeof(g->hall->log), "%s %s '%s'", g->name,
		  m->is_bound ? "there" : "away", m->nickname);
}

static inline void
hall_message(void *arg, const struct cp_room_message *message)
{
	struct hall *h = arg;

	hall_note(h->log, &h->len, sizeof(h->log), "%s says %.*s %d to %zu: %.*s",
		  message->from ? ((struct guest *)message->from->user)->name : "room",
		  (int)message->type.len, message->type.ptr, (int)message->size,
		  message->recipients, (int)message->text.len, message->text.ptr);
}

static inline void
hall_luck(void *arg, uint8_t *out, size_t len)
{
	struct hall *h = arg;

	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(h->luck + i);
	h->luck += 17;
}

static inline int
hall_canonical(void *arg, char out[CP_ROOM_NAME_MAX], struct cp_slice uri)
{
	if (!cp_slice_has_prefix(uri, "sip:"))
		return -EINVAL;
	return cp_slice_copy(out, CP_ROOM_NAME_MAX, uri);
}

static inline bool
hall_is_room(void *arg, struct cp_slice uri)
{
	return cp_slice_is(uri, "sip:room@x");
}

static const struct cp_room_events hall_events = {
	.room = hall_room,
	.send = hall_send,
	.pause = hall_pause,
	.dropped = hall_dropped,
	.changed = hall_changed,
	.message = hall_message,
	.luck = hall_luck,
	.canonical = hall_canonical,
	.is_room = hall_is_room,
};

static inline struct hall *
hall_create(const struct cp_room_limits *limits, unsigned int history)
{
	struct hall *h = calloc(1, sizeof(*h));

	h->now_ms = 1000;
	assert_int_equal(
		cp_room_create(&h->room, &(struct cp_room_settings){.events = &hall_events,
								    .arg = h,
								    .limits = *limits,
								    .history = history,
								    .reserved = "Conference"}),
		0);
	return h;
}

static inline void
hall_destroy(struct hall *h)
{
	cp_room_destroy(h->room);
	for (int i = 0; i < GUESTS; i++) {
		free(h->guests[i].out);
		for (int n = 0; n < 32; n++)
			free(h->guests[i].halves[n].octets);
	}
	free(h);
}

/* What is in a message: whose, for whom, and a part of it. */
static inline void
hall_arrived(struct guest *g, const struct half *m)
{
	struct cp_cpim cpim;
	ssize_t at = cp_cpim_decode(&cpim, m->octets, m->len);
	int len = (int)m->len - (int)at;

	assert_true(at > 0);
	g->messages++;
	g->octets += m->len;
	if (len > 60)
		hall_note(g->log, &g->len, sizeof(g->log), "<%.*s: (%d)>",
			  (int)cpim.from.uri.len - 4, cpim.from.uri.ptr + 4, len);
	else
		hall_note(g->log, &g->len, sizeof(g->log), "<%.*s→%.*s: %.*s>",
			  (int)cpim.from.uri.len - 4, cpim.from.uri.ptr + 4,
			  (int)cpim.to[0].uri.len - 4, cpim.to[0].uri.ptr + 4, len, m->octets + at);
}

static inline void
hall_chunk(struct guest *g, const struct cp_msrp_head *head)
{
	struct half *free_one = NULL;

	assert_true(cp_slice_is(head->to_path, g->peer) && cp_slice_is(head->from_path, g->self));
	g->half = NULL;
	for (int i = 0; i < 32; i++) {
		if (cp_slice_is(head->message_id, g->halves[i].id))
			g->half = &g->halves[i];
		else if (*g->halves[i].id == '\0')
			free_one = &g->halves[i];
	}
	if (g->half == NULL) {
		g->half = free_one;
		assert_non_null(free_one);
		cp_slice_copy(g->half->id, sizeof(g->half->id), head->message_id);
		assert_int_equal(head->range.start, 1);
	}
	assert_int_equal(head->range.start, g->half->len + 1); /* in order */
}

static inline void
hall_read(struct guest *g)
{
	struct cp_msrp_event e;

	do {
		g->read += cp_msrp_next(&g->back, &e, g->out + g->read, g->out_len - g->read);
		assert_int_not_equal(e.kind, CP_MSRP_BROKEN);
		if (e.kind == CP_MSRP_HEAD) {
			assert_int_equal(e.head.error, 0);
			g->half = NULL;
			if (e.head.method == CP_MSRP_RESPONSE)
				hall_note(g->log, &g->len, sizeof(g->log), "%u %.*s", e.head.code,
					  (int)e.head.transaction.len, e.head.transaction.ptr);
			else if (e.head.method == CP_MSRP_REPORT)
				hall_note(g->log, &g->len, sizeof(g->log), "REPORT %u%s",
					  e.head.status, e.head.has_body ? " with a body" : "");
			else if (e.head.has_body)
				hall_chunk(g, &e.head);
		} else if (e.kind == CP_MSRP_BODY && g->half != NULL) {
			g->half->octets = realloc(g->half->octets, g->half->len + e.body.len);
			memcpy(g->half->octets + g->half->len, e.body.ptr, e.body.len);
			g->half->len += e.body.len;
		} else if (e.kind == CP_MSRP_END && g->half != NULL && e.flag != '+') {
			if (e.flag == '$')
				hall_arrived(g, g->half);
			else
				hall_note(g->log, &g->len, sizeof(g->log), "#");
			free(g->half->octets);
			*g->half = (struct half){0};
			g->half = NULL;
		}
	} while (e.kind != CP_MSRP_MORE);
}

static inline void
hall_feed(struct guest *g, const char *text, size_t len)
{
	size_t taken = cp_room_receive(g->member, text, len, g->hall->now_ms);

	assert_int_equal(taken, len);
	for (int i = 0; i < GUESTS; i++)
		if (g->hall->guests[i].member != NULL)
			hall_read(&g->hall->guests[i]);
}

/* A guest with a connection; its first request binds. */
static inline struct guest *
hall_enter(struct hall *h, int i, const char *name, const struct cp_room_person *more)
{
	struct guest *g = &h->guests[i];
	struct cp_room_person person = *more;
	char text[512], uri[64];
	int len;

	snprintf(uri, sizeof(uri), "sip:%s@x", name);
	person.id = (uint32_t)i + 1;
	if (person.name_count == 0) {
		person.name_count = 1;
		person.names[0] = uri;
	}
	g->hall = h;
	g->name = name;
	g->room = g->room ? g->room : WIRE;
	g->out = g->out ? g->out : malloc(WIRE);
	snprintf(g->self, sizeof(g->self), "msrp://focus:1/s%d;tcp", i);
	snprintf(g->peer, sizeof(g->peer), "msrp://%s:2/p;tcp", name);
	assert_int_equal(cp_room_join(&g->member, h->room, &person), 0);
	g->member->user = g;
	assert_int_equal(cp_room_open(g->member,
				      &(struct cp_room_line){.self = g->self, .peer = g->peer},
				      h->now_ms),
			 0);
	len = snprintf(text, sizeof(text),
		       "MSRP t000 SEND\r\nTo-Path: %s\r\nFrom-Path: %s\r\n-------t000$\r\n",
		       g->self, g->peer);
	hall_feed(g, text, (size_t)len);
	return g;
}

static inline struct guest *
hall_guest(struct hall *h, int i, const char *name)
{
	return hall_enter(h, i, name,
			  &(struct cp_room_person){.may_send = true, .takes_private = true});
}

/* A request: start as "t001 SEND", header lines, body (NULL: none), flag. */
static inline void
hall_say(struct guest *g, const char *start, const char *headers, const char *body, char flag)
{
	char *text;
	int len = asprintf(&text,
			   "MSRP %s\r\nTo-Path: %s\r\nFrom-Path: %s\r\n%s%s%s%s-------%.*s%c\r\n",
			   start, g->self, g->peer, headers, body ? "\r\n" : "", body ? body : "",
			   body ? "\r\n" : "", (int)strcspn(start, " "), start, flag);

	hall_feed(g, text, (size_t)len);
	free(text);
}

#define CPIM(from, to, type) \
	"From: <sip:" from "@x>\r\nTo: <sip:" to "@x>\r\n\r\nContent-Type: " type "\r\n\r\n"

/* A whole message of text: id is of transaction and message. */
static inline void
hall_text(struct guest *g, const char *id, const char *to, const char *text)
{
	char start[40], headers[128], body[4096];

	snprintf(start, sizeof(start), "%s SEND", id);
	snprintf(headers, sizeof(headers), "Message-ID: %s\r\nContent-Type: message/cpim\r\n", id);
	snprintf(body, sizeof(body),
		 "From: <sip:%s@x>\r\nTo: <sip:%s@x>\r\n\r\nContent-Type: text/plain\r\n\r\n%s",
		 g->name, to, text);
	hall_say(g, start, headers, body, '$');
}

static inline void
hall_expect(struct guest *g, const char *log)
{
	assert_string_equal(g->log, log);
	g->len = 0;
	g->log[0] = '\0';
}

static inline void
hall_told(struct hall *h, const char *log)
{
	assert_string_equal(h->log, log);
	h->len = 0;
	h->log[0] = '\0';
}

static inline void
hall_tick(struct hall *h, int64_t now_ms)
{
	h->now_ms = now_ms;
	cp_room_tick(h->room, now_ms);
	for (int i = 0; i < GUESTS; i++)
		if (h->guests[i].member != NULL)
			hall_read(&h->guests[i]);
}

/* The guest reads: so many octets more fit. */
static inline void
hall_reads(struct guest *g, size_t room)
{
	hall_read(g);
	memmove(g->out, g->out + g->read, g->out_len - g->read);
	g->out_len -= g->read;
	g->read = 0;
	g->room = room;
	cp_room_writable(g->member, g->hall->now_ms);
	hall_read(g);
}

#endif
