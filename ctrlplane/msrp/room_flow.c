/*
 * Who waits for whom. Each recipient has its own queue; a sender is read from no more while too much of its own waits for members
 * who read, and who reads too slowly counts for nobody. What waits is bounded: for one member, and for the room.
 */
#include <errno.h>
#include <stdlib.h>
#include "ctrlplane/msrp/room_state.h"

/* Octets of a delivery that wait. */
static size_t
waits(const struct cp_room_delivery *d)
{
	return (size_t)(d->pass->parcel->len - d->out.cursor.past) + CP_ROOM_COST;
}

static void
pause_sender(struct cp_room_member *from, bool on)
{
	if (from->state->is_paused == on || from->state->session == NULL)
		return;
	from->state->is_paused = on;
	from->room->events->pause(from, on);
}

void
cp_room_unpause(struct cp_room_member *m)
{
	if (m->state->is_paused && m->state->flight <= m->room->limits.window / 2 &&
	    m->state->session != NULL && !cp_msrp_session_is_choked(m->state->session))
		pause_sender(m, false);
}

void
cp_room_choke(struct cp_room_member *m)
{
	if (m->state->session != NULL && cp_msrp_session_is_choked(m->state->session))
		pause_sender(m, true);
}

static void
fly(struct cp_room_member *from, size_t octets)
{
	from->state->flight += octets;
	if (from->state->flight > from->room->limits.window)
		pause_sender(from, true);
}

static void
land(struct cp_room_member *from, size_t octets)
{
	from->state->flight -= octets;
	cp_room_unpause(from);
}

void
cp_room_drop(struct cp_room_member *member, const char *why)
{
	if (member->state->drop != NULL || member->state->session == NULL)
		return;
	member->state->drop = why;
	member->room->has_dropped = true;
}

/* Too much for the room: who has most of it waiting goes. */
void
cp_room_relieve(struct cp_room *room)
{
	struct cp_room_member *worst = NULL;

	if (room->held <= room->limits.store_max)
		return;
	for (struct cp_room_member *m = room->members; m != NULL; m = m->next)
		if (m->state->drop == NULL && m->waiting > 0 &&
		    (worst == NULL || m->waiting > worst->waiting))
			worst = m;
	if (worst != NULL)
		cp_room_drop(worst, "reads less than all others, and the room is full");
}

void
cp_room_more(struct cp_room_delivery *d, size_t octets)
{
	struct cp_room_member *to = d->to;

	to->waiting += octets;
	if (!to->state->is_slow && d->pass->from != NULL)
		fly(d->pass->from, octets);
	if (to->waiting > to->room->limits.queue_max)
		cp_room_drop(to, "does not read what is sent to it");
}

static void
less(struct cp_room_delivery *d, size_t octets)
{
	struct cp_room_member *to = d->to;

	to->waiting -= octets;
	if (!to->state->is_slow && d->pass->from != NULL)
		land(d->pass->from, octets);
}

void
cp_room_on_moved(void *arg, struct cp_msrp_out *out, size_t len)
{
	struct cp_room_member *to = arg;

	to->state->taken += len;
	to->state->taken_ms = to->room->now_ms;
	less((struct cp_room_delivery *)out, len);
}

int
cp_room_deliver(struct cp_room_pass *pass, struct cp_room_member *to)
{
	struct cp_room_delivery *d = calloc(1, sizeof(*d));
	const void *lane = pass->from != NULL ? (const void *)pass->from : pass->room;
	int error;

	if (d == NULL)
		return -ENOMEM;
	d->out.parcel = pass->parcel;
	d->out.lane = lane;
	d->pass = pass;
	d->to = to;
	error = cp_msrp_session_send(to->state->session, &d->out);
	if (error < 0) {
		free(d);
		return error;
	}
	d->next = pass->deliveries;
	d->link = &pass->deliveries;
	if (d->next != NULL)
		d->next->link = &d->next;
	pass->deliveries = d;
	d->next_to = to->state->deliveries;
	d->link_to = &to->state->deliveries;
	if (d->next_to != NULL)
		d->next_to->link_to = &d->next_to;
	to->state->deliveries = d;
	cp_room_more(d, waits(d));
	return 0;
}

void
cp_room_on_sent(void *arg, struct cp_msrp_out *out, bool is_aborted)
{
	struct cp_room_delivery *d = (struct cp_room_delivery *)out;
	struct cp_room_member *to = arg;
	struct cp_room_pass *pass = d->pass;

	less(d, waits(d));
	if (!is_aborted) {
		to->received++;
		to->room->counts.deliveries++;
	}
	*d->link = d->next;
	if (d->next != NULL)
		d->next->link = d->link;
	*d->link_to = d->next_to;
	if (d->next_to != NULL)
		d->next_to->link_to = d->link_to;
	free(d);
	cp_room_pass_check(pass);
}

/* From one to the other: what waits for it counts for its senders no more, or again. */
static void
set_slow(struct cp_room_member *to, bool is_slow)
{
	if (to->state->is_slow == is_slow)
		return;
	to->state->is_slow = is_slow;
	for (struct cp_room_delivery *d = to->state->deliveries; d != NULL; d = d->next_to) {
		if (d->pass->from == NULL)
			continue;
		if (is_slow)
			land(d->pass->from, waits(d));
		else
			fly(d->pass->from, waits(d));
	}
}

void
cp_room_pump(struct cp_room_member *member)
{
	struct cp_room_member_state *s = member->state;

	if (s->session == NULL || s->drop != NULL)
		return;
	cp_msrp_session_pump(s->session, member->room->now_ms);
	if (!cp_msrp_session_is_blocked(s->session)) {
		s->is_blocked = false;
		set_slow(member, false);
	} else if (!s->is_blocked) {
		s->is_blocked = true;
		s->since_ms = s->taken_ms = member->room->now_ms;
		s->taken = 0;
	}
	cp_room_unpause(member);
}

void
cp_room_pace(struct cp_room_member *m)
{
	struct cp_room_member_state *s = m->state;
	int64_t now_ms = m->room->now_ms;

	if (s->session == NULL || !s->is_blocked)
		return;
	if (now_ms - s->taken_ms >= m->room->limits.stall_ms)
		cp_room_drop(m, "has read nothing for too long");
	if (now_ms - s->since_ms < CP_ROOM_PACE_MS)
		return;
	set_slow(m, s->taken < CP_ROOM_PACE);
	s->since_ms = now_ms;
	s->taken = 0;
}

int64_t
cp_room_pace_next(const struct cp_room_member *m)
{
	const struct cp_room_member_state *s = m->state;

	if (s->session == NULL || !s->is_blocked)
		return INT64_MAX;
	return s->since_ms + CP_ROOM_PACE_MS;
}
