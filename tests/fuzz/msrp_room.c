/*
 * A room of three where one sends anything: it ends within bounds, what the others get is MSRP, and nothing is held when all have left.
 * The first octet says how the others read.
 */
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/msrp/msg.h"
#include "ctrlplane/msrp/room.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct guest {
	struct cp_room_member *member;
	size_t room, waits;
	struct cp_msrp_stream back;
	char pipe[32768];
	bool is_paused;
};

static uint8_t luck_at;

static size_t
room_of(struct cp_room_member *m)
{
	return ((struct guest *)m->user)->room;
}

static void
put(struct cp_room_member *m, const void *octets, size_t len)
{
	struct guest *g = m->user;
	struct cp_msrp_event e;
	size_t at = 0;

	if (len > g->room || len > sizeof(g->pipe) - g->waits)
		abort();
	g->room -= len;
	memcpy(g->pipe + g->waits, octets, len);
	g->waits += len;
	do {
		at += cp_msrp_next(&g->back, &e, g->pipe + at, g->waits - at);
		if (e.kind == CP_MSRP_BROKEN || (e.kind == CP_MSRP_HEAD && e.head.error != 0))
			abort();
	} while (e.kind != CP_MSRP_MORE);
	memmove(g->pipe, g->pipe + at, g->waits - at);
	g->waits -= at;
}

static void
pause_it(struct cp_room_member *m, bool on)
{
	((struct guest *)m->user)->is_paused = on;
}

static void
dropped(struct cp_room_member *m, const char *why)
{
}

static void
changed(struct cp_room_member *m)
{
}

static void
message(void *arg, const struct cp_room_message *m)
{
	if (m->text.len > CP_ROOM_TEXT_MAX)
		abort();
}

static void
luck(void *arg, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = luck_at++;
}

static int
canonical(void *arg, char out[CP_ROOM_NAME_MAX], struct cp_slice uri)
{
	return cp_slice_copy(out, CP_ROOM_NAME_MAX, uri);
}

static bool
is_room(void *arg, struct cp_slice uri)
{
	return cp_slice_is(uri, "sip:r@x");
}

static const struct cp_room_events events = {.room = room_of,
					     .send = put,
					     .pause = pause_it,
					     .dropped = dropped,
					     .changed = changed,
					     .message = message,
					     .luck = luck,
					     .canonical = canonical,
					     .is_room = is_room};

static void
enter(struct cp_room *room, struct guest *g, const char *name)
{
	struct cp_room_person person = {
		.name_count = 1, .names = {name}, .may_send = true, .takes_private = true};
	static const char bind[] = "MSRP b000 SEND\r\nTo-Path: msrp://f:1/s;tcp\r\nFrom-Path: "
				   "msrp://p:2/x;tcp\r\n-------b000$\r\n";

	memset(g, 0, sizeof(*g));
	g->room = 10000;
	if (cp_room_join(&g->member, room, &person) != 0)
		abort();
	g->member->user = g;
	if (cp_room_open(
		    g->member,
		    &(struct cp_room_line){.self = "msrp://f:1/s;tcp", .peer = "msrp://p:2/x;tcp"},
		    0) != 0 ||
	    cp_room_receive(g->member, bind, sizeof(bind) - 1, 0) != sizeof(bind) - 1)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct guest a, b, c;
	struct cp_room *room = NULL;
	int64_t now_ms = 0;
	size_t at = 1, to = 1;

	if (size < 2 || size > 65536)
		return 0;
	luck_at = 0;
	if (cp_room_create(&room, &(struct cp_room_settings){.events = &events,
							     .limits = {.size_max = 20000,
									.window = 3000,
									.queue_max = 9000,
									.idle_ms = 40,
									.stall_ms = 3000},
							     .history = data[0] & 3}) != 0)
		return 0;
	enter(room, &a, "sip:a@x");
	enter(room, &b, "sip:b@x");
	enter(room, &c, "sip:c@x");
	while (to < size) {
		size_t step = 1 + data[0] * 7u, taken;
		char *copy;

		to = size - to < step ? size : to + step;
		copy = malloc(to - at + 1);
		memcpy(copy, data + at, to - at);
		a.room = 10000;
		b.room = data[0] & 4 ? 10000 : b.room;
		c.room = data[0] & 8 ? 700 : c.room;
		cp_room_writable(b.member, now_ms);
		cp_room_writable(c.member, now_ms);
		taken = cp_room_receive(a.member, copy, to - at, now_ms);
		if (taken > to - at)
			abort();
		at += taken;
		free(copy);
		cp_room_tick(room, now_ms += data[0] & 16 ? 300 : 1);
		if (a.is_paused && to == size)
			break;
	}
	if (data[0] & 32)
		cp_room_leave(a.member, now_ms);
	cp_room_set_history(room, 0);
	cp_room_lost(b.member, now_ms);
	cp_room_lost(c.member, now_ms);
	if (!(data[0] & 32))
		cp_room_lost(a.member, now_ms);
	if (cp_room_held(room) != 0)
		abort();
	cp_room_destroy(room);
	return 0;
}
