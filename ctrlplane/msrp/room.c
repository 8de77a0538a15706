/* The room and its members: who comes, what connection it has, its nickname, who leaves. */
#include "ctrlplane/msrp/room.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "ctrlplane/msrp/room_state.h"

#define QUEUE_MAX (16u << 20)
#define WINDOW (1u << 20)
#define STORE_MAX (64u << 20)
#define IDLE_MS 540000
#define STALL_MS 60000

static size_t
room_of(void *arg)
{
	struct cp_room_member *member = arg;

	return member->room->events->room(member);
}

static void
send_to(void *arg, const void *octets, size_t len)
{
	struct cp_room_member *member = arg;

	member->room->events->send(member, octets, len);
}

static void
on_bound(void *arg)
{
	struct cp_room_member *member = arg;

	member->is_bound = true;
	if (!member->state->was_bound)
		cp_room_tell_history(member);
	member->state->was_bound = true;
	member->room->events->changed(member);
}

static bool
is_taken(const struct cp_room_member *member, struct cp_slice name)
{
	const struct cp_room *room = member->room;

	if (cp_msrp_nickname_is_same(name, cp_slice_text(room->reserved)))
		return true;
	for (const struct cp_room_member *m = room->members; m != NULL; m = m->next)
		if (m != member && *m->nickname &&
		    cp_msrp_nickname_is_same(name, cp_slice_text(m->nickname)) &&
		    !cp_room_is_same_person(m, member))
			return true;
	return false;
}

static unsigned int
on_nickname(void *arg, struct cp_slice name)
{
	struct cp_room_member *member = arg;

	if (name.len > 0 && is_taken(member, name))
		return CP_MSRP_NICKNAME_TAKEN;
	cp_slice_copy(member->nickname, sizeof(member->nickname), name);
	member->room->events->changed(member);
	return CP_MSRP_OK;
}

static size_t
report_body(void *arg, const struct cp_msrp_incoming *in, char *out, size_t size)
{
	struct cp_room_member *member = arg;
	size_t len = member->state->report_len;

	if (len > size)
		return 0;
	memcpy(out, member->state->report, len);
	return len;
}

/* One message that was refused, or that was too late somewhere behind a relay, is given up by the session itself. */
static void
on_outcome(void *arg, const struct cp_msrp_outcome *outcome)
{
	if (outcome->status == CP_MSRP_NO_SESSION || outcome->status == CP_MSRP_BOUND)
		cp_room_drop(arg, "says that it has no such session");
	else if (outcome->is_expired)
		cp_room_drop(arg, "does not answer");
}

static void
on_refused(void *arg, unsigned int status)
{
	struct cp_room_member *member = arg;

	member->room->counts.refused++;
}

static const struct cp_msrp_session_events session_events = {
	.room = room_of,
	.send = send_to,
	.bound = on_bound,
	.begin = cp_room_on_begin,
	.body = cp_room_on_body,
	.end = cp_room_on_end,
	.nickname = on_nickname,
	.report_body = report_body,
	.outcome = on_outcome,
	.refused = on_refused,
	.sent = cp_room_on_sent,
	.moved = cp_room_on_moved,
};

int
cp_room_create(struct cp_room **out, const struct cp_room_settings *settings)
{
	struct cp_room *room = calloc(1, sizeof(*room));
	struct cp_room_limits *l;

	if (room == NULL)
		return -ENOMEM;
	room->events = settings->events;
	room->arg = settings->arg;
	room->history_max = settings->history;
	room->limits = settings->limits;
	l = &room->limits;
	l->queue_max = l->queue_max > 0 ? l->queue_max : QUEUE_MAX;
	l->window = l->window > 0 ? l->window : WINDOW;
	l->store_max = l->store_max > 0 ? l->store_max : STORE_MAX;
	l->idle_ms = l->idle_ms > 0 ? l->idle_ms : IDLE_MS;
	l->stall_ms = l->stall_ms > 0 ? l->stall_ms : STALL_MS;
	if (settings->reserved != NULL)
		snprintf(room->reserved, sizeof(room->reserved), "%s", settings->reserved);
	*out = room;
	return 0;
}

static void
close_session(struct cp_room_member *member)
{
	struct cp_msrp_session *session = member->state->session;

	member->state->session = NULL;
	member->is_bound = false;
	cp_msrp_session_destroy(session);
	member->state->is_paused = false;
	member->state->is_slow = false;
	member->state->is_blocked = false;
	member->state->drop = NULL;
}

static void
free_member(struct cp_room_member *member)
{
	struct cp_room_member **link = &member->room->members;

	while (*link != member)
		link = &(*link)->next;
	*link = member->next;
	close_session(member);
	cp_room_pass_forget_sender(member);
	free(member->state);
	free(member);
}

void
cp_room_destroy(struct cp_room *room)
{
	if (room == NULL)
		return;
	for (struct cp_room_member *m = room->members; m != NULL; m = m->next)
		close_session(m);
	while (room->members != NULL)
		free_member(room->members);
	cp_room_set_history(room, 0);
	free(room);
}

static void
take(struct cp_room_member *m, const struct cp_room_person *person)
{
	struct cp_room_member_state *s = m->state;

	m->id = person->id;
	m->may_send = person->may_send;
	m->takes_private = person->takes_private;
	s->size_max = person->size_max;
	s->name_count = person->name_count;
	for (size_t i = 0; i < person->name_count; i++)
		snprintf(s->names[i], sizeof(s->names[i]), "%s", person->names[i]);
	snprintf(s->loose, sizeof(s->loose), "%s", person->loose ? person->loose : "");
	snprintf(s->types, sizeof(s->types), "%s", person->types ? person->types : "");
}

int
cp_room_update(struct cp_room_member *member, const struct cp_room_person *person)
{
	if (person->name_count > CP_ROOM_NAMES_MAX ||
	    (person->types && strlen(person->types) >= CP_ROOM_TYPES_MAX))
		return -EINVAL;
	take(member, person);
	return 0;
}

int
cp_room_join(struct cp_room_member **out, struct cp_room *room, const struct cp_room_person *person)
{
	struct cp_room_member *m = calloc(1, sizeof(*m)), **link = &room->members;
	int error;

	if (m == NULL || (m->state = calloc(1, sizeof(*m->state))) == NULL) {
		free(m);
		return -ENOMEM;
	}
	m->room = room;
	error = cp_room_update(m, person);
	if (error < 0) {
		free(m->state);
		free(m);
		return error;
	}
	while (*link != NULL)
		link = &(*link)->next;
	*link = m;
	*out = m;
	return 0;
}

void
cp_room_mute(struct cp_room_member *member, bool is_muted)
{
	member->is_muted = is_muted;
}

void
cp_room_leave(struct cp_room_member *member, int64_t now_ms)
{
	struct cp_room *room = member->room;

	room->now_ms = now_ms;
	free_member(member);
	cp_room_settle(room);
}

int
cp_room_open(struct cp_room_member *member, const struct cp_room_line *line, int64_t now_ms)
{
	struct cp_room *room = member->room;
	uint8_t luck[8];
	struct cp_msrp_session_settings settings = {.self = line->self,
						    .peer = line->peer,
						    .luck = luck,
						    .is_active = line->is_active,
						    .has_cema = line->has_cema,
						    .size_max = room->limits.size_max,
						    .idle_ms = room->limits.idle_ms,
						    .events = &session_events,
						    .arg = member};
	int error;

	if (member->state->session != NULL)
		return -EBUSY;
	room->now_ms = now_ms;
	room->events->luck(room->arg, luck, sizeof(luck));
	error = cp_msrp_session_create(&member->state->session, &settings);
	if (error < 0)
		return error;
	cp_room_pump(member);
	cp_room_settle(room);
	return 0;
}

/* As long as it is only answers that held it up, and these have gone. */
static ssize_t
receive(struct cp_room_member *member, const char *octets, size_t len)
{
	struct cp_msrp_session *session = member->state->session;
	size_t taken = 0;
	ssize_t more;
	bool was_choked;

	do {
		more = cp_msrp_session_receive(session, octets + taken, len - taken,
					       member->room->now_ms);
		was_choked = cp_msrp_session_is_choked(session);
		taken += more > 0 ? (size_t)more : 0;
		cp_room_pump(member);
		cp_room_choke(member);
	} while (more > 0 && was_choked && !member->state->is_paused);
	return more < 0 ? more : (ssize_t)taken;
}

size_t
cp_room_receive(struct cp_room_member *member, const void *octets, size_t len, int64_t now_ms)
{
	struct cp_room_member_state *s = member->state;
	ssize_t taken;

	if (s->session == NULL)
		return len;
	if (s->is_paused)
		return 0;
	member->room->now_ms = now_ms;
	s->report_len = 0;
	taken = receive(member, octets, len);
	if (taken < 0) {
		snprintf(s->why, sizeof(s->why), "sends what is no MSRP: %s",
			 cp_msrp_session_why(s->session));
		cp_room_drop(member, s->why);
	}
	cp_room_settle(member->room);
	return taken < 0 ? len : (size_t)taken;
}

void
cp_room_writable(struct cp_room_member *member, int64_t now_ms)
{
	member->room->now_ms = now_ms;
	cp_room_pump(member);
	cp_room_settle(member->room);
}

void
cp_room_lost(struct cp_room_member *member, int64_t now_ms)
{
	member->room->now_ms = now_ms;
	if (member->state->session == NULL)
		return;
	close_session(member);
	member->room->events->changed(member);
	cp_room_settle(member->room);
}

/* Nobody is in the middle of anything here. */
void
cp_room_settle(struct cp_room *room)
{
	while (room->has_dropped) {
		room->has_dropped = false;
		for (struct cp_room_member *m = room->members; m != NULL; m = m->next) {
			const char *why = m->state->drop;

			if (why == NULL)
				continue;
			close_session(m);
			room->counts.dropped++;
			room->events->dropped(m, why);
		}
	}
}

void
cp_room_tick(struct cp_room *room, int64_t now_ms)
{
	room->now_ms = now_ms;
	for (struct cp_room_member *m = room->members; m != NULL; m = m->next) {
		if (m->state->session == NULL)
			continue;
		cp_msrp_session_tick(m->state->session, now_ms);
		cp_room_pump(m);
		cp_room_pace(m);
	}
	cp_room_settle(room);
}

int64_t
cp_room_next_ms(const struct cp_room *room)
{
	int64_t next = INT64_MAX;

	for (const struct cp_room_member *m = room->members; m != NULL; m = m->next) {
		int64_t session, pace = cp_room_pace_next(m);

		if (m->state->session == NULL)
			continue;
		session = cp_msrp_session_next_ms(m->state->session);
		next = session < next ? session : next;
		next = pace < next ? pace : next;
	}
	return next;
}

struct cp_room_member *
cp_room_first(const struct cp_room *room)
{
	return room->members;
}

const char *
cp_room_name(const struct cp_room_member *member)
{
	return member->state->names[0];
}

struct cp_room_counts
cp_room_counts(const struct cp_room *room)
{
	return room->counts;
}

size_t
cp_room_held(const struct cp_room *room)
{
	return room->held;
}
