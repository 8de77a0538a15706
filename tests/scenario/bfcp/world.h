/*
 * A floor control server with a fake clock whose messages go through the codec both ways. What it does is written down a
 * line an effect:
 *   2 FloorRequestStatus 9: 1 Granted 0 by 2 for 2 (7 Granted 0) "why"    to user 2, transaction 9: request 1 of floor 7
 *   2 Error 9: 5 | +2 f7 | -2 f7 (heard, not heard) | =1 u2 Granted 0 (request 1 of user 2) | x2 (to be closed)
 */
#ifndef TESTS_SCENARIO_BFCP_WORLD_H
#define TESTS_SCENARIO_BFCP_WORLD_H

#include "ctrlplane/bfcp/floor.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define CONF 4711
#define TRANSACTION 9

struct floor_world {
	struct cp_floor_server *s;
	struct cp_floor_turn turn;
	struct cp_bfcp_msg in, out;
	bool is_plain; /* not secure */
	void (*watch)(struct floor_world *w, const struct cp_floor_effect *effect);
	void *watched;
	size_t len;
	char log[65536];
	uint8_t wire[CP_BFCP_MAX];
};

static inline void __attribute__((format(printf, 2, 3)))
note(struct floor_world *w, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(w->log + w->len, sizeof(w->log) - w->len, format, args);
	va_end(args);
	assert_true(n >= 0 && (size_t)n < sizeof(w->log) - w->len);
	w->len += (size_t)n;
}

static inline void
note_request(struct floor_world *w, const struct cp_bfcp_request *r)
{
	note(w, " %u %s %u for %u", r->id, cp_bfcp_status_name(r->status), r->queue,
	     r->beneficiary.id);
	if (r->requested_by.is_there)
		note(w, " by %u", r->requested_by.id);
	for (size_t i = 0; i < r->floor_count; i++)
		note(w, " (%u %s %u)", r->floors[i].floor, cp_bfcp_status_name(r->floors[i].status),
		     r->floors[i].queue);
	if (r->status_info.len > 0)
		note(w, " \"%.*s\"", (int)r->status_info.len, r->status_info.ptr);
}

static inline void
note_message(struct floor_world *w, const struct cp_floor_effect *effect)
{
	ssize_t len = cp_bfcp_encode(w->wire, sizeof(w->wire), effect->msg);

	assert_true(len > 0);
	assert_int_equal(cp_bfcp_decode(&w->out, w->wire, (size_t)len), CP_BFCP_OK);
	note(w, "%u %s %u:", effect->user, cp_bfcp_primitive_name(w->out.primitive),
	     w->out.transaction);
	if (w->out.primitive == CP_BFCP_ERROR)
		note(w, " %u", w->out.error);
	else
		assert_int_equal(w->out.conf, CONF);
	for (size_t i = 0; i < w->out.floor_count; i++)
		note(w, " f%u", w->out.floors[i]);
	if (w->out.about.is_there)
		note(w, " %u %.*s", w->out.about.id, (int)w->out.about.display.len,
		     w->out.about.display.ptr);
	for (size_t i = 0; i < w->out.request_count; i++)
		note_request(w, &w->out.requests[i]);
	note(w, "\n");
}

static inline void
take_effect(void *arg, const struct cp_floor_effect *effect)
{
	struct floor_world *w = arg;

	if (w->watch) {
		w->watch(w, effect);
		return;
	}
	if (effect->kind == CP_FLOOR_QUEUE) /* for who shows floors */
		return;
	if (effect->kind == CP_FLOOR_SEND)
		note_message(w, effect);
	else if (effect->kind == CP_FLOOR_CLOSE)
		note(w, "x%u\n", effect->user);
	else if (effect->kind == CP_FLOOR_CHANGED)
		note(w, "=%u u%u %s %u\n", effect->request, effect->user,
		     cp_bfcp_status_name(effect->status), effect->queue);
	else
		note(w, "%c%u f%u\n", effect->kind == CP_FLOOR_GRANTED ? '+' : '-', effect->user,
		     effect->floor);
}

/* Users 1 … count, all connected; 1 is moderator, none is chair. */
static inline void
floor_world_open(struct floor_world *w, const struct cp_floor_options *options, uint16_t count)
{
	memset(w, 0, sizeof(*w));
	w->turn = (struct cp_floor_turn){.now_ms = 1000, .take = take_effect, .arg = w};
	assert_int_equal(cp_floor_create(&w->s, options), 0);
	for (uint16_t i = 1; i <= count; i++) {
		char name[16], uri[32];
		struct cp_floor_person person = {
			.id = i,
			.display = name,
			.uri = uri,
			.is_moderator = i == 1,
			.may_ask = true,
			.priority_max = i == 1 ? CP_BFCP_PRIORITY_HIGHEST : 3,
		};

		snprintf(name, sizeof(name), "user %u", i);
		snprintf(uri, sizeof(uri), "sip:%u@example.com", i);
		assert_int_equal(cp_floor_put_user(w->s, &person), 0);
		assert_int_equal(cp_floor_connected(w->s, i, &w->turn), 0);
	}
}

/* A message of user: encoded, decoded, received. */
static inline void
floor_world_send(struct floor_world *w, uint16_t user, const struct cp_bfcp_msg *msg)
{
	struct cp_floor_from from = {.user = user, .is_secure = !w->is_plain};
	struct cp_bfcp_msg *copy = &w->in;
	uint8_t octets[1024];
	ssize_t len;

	*copy = *msg;
	copy->conf = msg->conf ? msg->conf : CONF;
	copy->user = msg->user ? msg->user : user;
	copy->transaction = TRANSACTION;
	len = cp_bfcp_encode(octets, sizeof(octets), copy);
	assert_true(len > 0);
	from.decoded = cp_bfcp_decode(copy, octets, (size_t)len);
	cp_floor_receive(w->s, &from, copy, &w->turn);
}

#endif
