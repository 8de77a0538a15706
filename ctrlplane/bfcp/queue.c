/* Floor requests: places in the queues, what is granted when there is room, how requests end. */
#include "ctrlplane/bfcp/floor_state.h"

#include <stdio.h>
#include <stdlib.h>

struct request *
floor_request(const struct cp_floor_server *s, uint16_t id)
{
	for (size_t i = 0; id && i < s->options.requests_max; i++)
		if (s->requests[i].id == id)
			return &s->requests[i];
	return NULL;
}

/* Zeroed but for its id. Ids come again only after all others. NULL: no room. */
struct request *
floor_request_new(struct cp_floor_server *s)
{
	struct request *r = NULL;

	for (size_t i = 0; !r && i < s->options.requests_max; i++)
		if (s->requests[i].id == 0)
			r = &s->requests[i];
	if (!r)
		return NULL;
	do {
		s->last_id++;
	} while (s->last_id == 0 || floor_request(s, s->last_id));
	*r = (struct request){.id = s->last_id, .serial = ++s->serial};
	return r;
}

struct part *
floor_part(struct request *r, size_t index)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->parts[i].floor == index)
			return &r->parts[i];
	return NULL;
}

bool
floor_is_over(const struct request *r)
{
	return r->status >= CP_BFCP_DENIED;
}

size_t
floor_ongoing(const struct cp_floor_server *s, uint16_t beneficiary, size_t index)
{
	size_t count = 0;

	for (size_t i = 0; i < s->options.requests_max; i++) {
		struct request *r = &s->requests[i];

		if (r->id && r->beneficiary == beneficiary && !floor_is_over(r) &&
		    floor_part(r, index))
			count++;
	}
	return count;
}

uint16_t
floor_place(const struct request *r)
{
	uint16_t place = 0;

	for (size_t i = 0; r->status == CP_BFCP_ACCEPTED && i < r->count; i++)
		if (r->parts[i].place > place)
			place = r->parts[i].place;
	return place;
}

static void
note_change(struct cp_floor_server *s, struct request *r)
{
	r->is_changed = true;
	for (size_t i = 0; i < r->count; i++)
		s->floors[r->parts[i].floor].is_changed = true;
}

/* All behind place, itself included, move by one. */
static void
shift(struct cp_floor_server *s, size_t index, uint16_t place, int by)
{
	for (size_t i = 0; i < s->options.requests_max; i++) {
		struct request *r = &s->requests[i];
		struct part *p = r->id ? floor_part(r, index) : NULL;

		if (!p || p->place == 0 || p->place < place)
			continue;
		p->place = (uint16_t)(p->place + by);
		note_change(s, r);
	}
}

static void
leave_queue(struct cp_floor_server *s, struct part *p)
{
	uint16_t place = p->place;

	if (place == 0)
		return;
	p->place = 0;
	s->floors[p->floor].queued--;
	shift(s, p->floor, place, -1);
}

/* Behind the last whose priority is not lower. */
static uint16_t
place_by_priority(struct cp_floor_server *s, size_t index, uint8_t priority)
{
	uint16_t place = 1;

	for (size_t i = 0; i < s->options.requests_max; i++) {
		struct request *r = &s->requests[i];
		struct part *p = r->id ? floor_part(r, index) : NULL;

		if (p && r->priority >= priority && p->place >= place)
			place = (uint16_t)(p->place + 1);
	}
	return place;
}

static void
sum_up(struct request *r)
{
	r->status = CP_BFCP_ACCEPTED;
	for (size_t i = 0; i < r->count; i++)
		if (r->parts[i].status == CP_BFCP_PENDING)
			r->status = CP_BFCP_PENDING;
}

/* place 0: by priority, or where it is already. */
void
floor_accept(struct cp_floor_server *s, struct request *r, struct part *p, uint16_t place)
{
	struct floor *floor = &s->floors[p->floor];

	if (place > 0 || p->place == 0) {
		leave_queue(s, p);
		if (place == 0 || place == PLACE_BY_PRIORITY)
			place = place_by_priority(s, p->floor, r->priority);
		if (place > floor->queued + 1)
			place = (uint16_t)(floor->queued + 1);
		shift(s, p->floor, place, 1);
		p->place = place;
		floor->queued++;
	}
	p->status = CP_BFCP_ACCEPTED;
	sum_up(r);
	note_change(s, r);
}

/* Whether beneficiary holds the floor by another request than r. */
static bool
holds_otherwise(const struct cp_floor_server *s, const struct request *r, size_t index)
{
	for (size_t i = 0; i < s->options.requests_max; i++) {
		struct request *other = &s->requests[i];

		if (other != r && other->id && other->status == CP_BFCP_GRANTED &&
		    other->beneficiary == r->beneficiary && floor_part(other, index))
			return true;
	}
	return false;
}

static void
tell_media(struct cp_floor_server *s, const struct request *r, const struct part *p,
	   enum cp_floor_effect_kind kind, const struct cp_floor_turn *turn)
{
	struct cp_floor_effect effect = {
		.kind = kind,
		.user = r->beneficiary,
		.floor = s->floors[p->floor].id,
		.request = r->id,
	};

	if (!holds_otherwise(s, r, p->floor))
		turn->take(turn->arg, &effect);
}

static void
grant(struct cp_floor_server *s, struct request *r, const struct cp_floor_turn *turn)
{
	note_change(s, r);
	r->status = CP_BFCP_GRANTED;
	r->granted_ms = turn->now_ms;
	for (size_t i = 0; i < r->count; i++) {
		struct part *p = &r->parts[i];

		leave_queue(s, p);
		p->status = CP_BFCP_GRANTED;
		s->floors[p->floor].holders++;
		tell_media(s, r, p, CP_FLOOR_GRANTED, turn);
	}
}

void
floor_end(struct cp_floor_server *s, struct request *r, uint8_t status,
	  const struct cp_floor_turn *turn)
{
	note_change(s, r);
	r->status = status;
	for (size_t i = 0; i < r->count; i++) {
		struct part *p = &r->parts[i];

		leave_queue(s, p);
		if (p->status == CP_BFCP_GRANTED) {
			s->floors[p->floor].holders--;
			tell_media(s, r, p, CP_FLOOR_TAKEN, turn);
		}
		p->status = status;
	}
}

void
floor_end_of(struct cp_floor_server *s, uint16_t beneficiary, const char *reason,
	     const struct cp_floor_turn *turn)
{
	for (size_t i = 0; i < s->options.requests_max; i++) {
		struct request *r = &s->requests[i];

		if (r->id == 0 || r->beneficiary != beneficiary || floor_is_over(r))
			continue;
		snprintf(r->reason, TEXT_SIZE, "%s", reason);
		floor_end(s, r, r->status == CP_BFCP_GRANTED ? CP_BFCP_REVOKED : CP_BFCP_CANCELLED,
			  turn);
	}
}

static bool
may_grant(const struct cp_floor_server *s, const struct request *r)
{
	const struct user *user = floor_user(s, r->beneficiary);

	if (r->id == 0 || r->status != CP_BFCP_ACCEPTED)
		return false;
	for (size_t i = 0; i < r->count; i++) {
		const struct floor *floor = &s->floors[r->parts[i].floor];

		if (floor->holders >= floor->policy.holders_max)
			return false;
	}
	return user && user->presence != PRESENCE_LOST;
}

/* The first of the queue that has room on all its floors: one that waits for another floor does not hold up the rest. */
static struct request *
next_of(struct cp_floor_server *s, size_t index)
{
	struct request *best = NULL;

	if (s->floors[index].queued == 0 ||
	    s->floors[index].holders >= s->floors[index].policy.holders_max)
		return NULL;
	for (size_t i = 0; i < s->options.requests_max; i++) {
		struct request *r = &s->requests[i];
		struct part *p = r->id ? floor_part(r, index) : NULL;

		if (p && may_grant(s, r) && (!best || p->place < floor_part(best, index)->place))
			best = r;
	}
	return best;
}

void
floor_judge(struct cp_floor_server *s, const struct cp_floor_turn *turn)
{
	struct request *r;

	for (size_t i = 0; i < s->floor_count; i++)
		while ((r = next_of(s, i)))
			grant(s, r, turn);
}

static int
by_key(const void *a, const void *b)
{
	uint64_t x = ((const struct place *)a)->key, y = ((const struct place *)b)->key;

	return x < y ? -1 : x > y;
}

/* Ongoing ones into s->order: holders, the queue, the others as they came. */
size_t
floor_sort(struct cp_floor_server *s, size_t index)
{
	size_t count = 0;

	for (size_t i = 0; i < s->options.requests_max; i++) {
		struct request *r = &s->requests[i];
		struct part *p = r->id && !floor_is_over(r) ? floor_part(r, index) : NULL;
		uint64_t class;

		if (!p)
			continue;
		class = p->status == CP_BFCP_GRANTED ? 0 : p->place > 0 ? 1 : 2;
		s->order[count++] = (struct place){
			.key = class << 60 | (class == 1 ? p->place : r->serial),
			.request = r,
		};
	}
	qsort(s->order, count, sizeof(*s->order), by_key);
	return count;
}
