/* The floor control server: its floors, its users, their connections, and what time brings. */
#include "ctrlplane/bfcp/floor_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int
cp_floor_create(struct cp_floor_server **out, const struct cp_floor_options *options)
{
	struct cp_floor_server *s;

	if (options->users_max == 0 || options->requests_max == 0 ||
	    options->requests_max == UINT16_MAX)
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->options = *options;
	s->users = calloc(options->users_max, sizeof(*s->users));
	s->requests = calloc(options->requests_max, sizeof(*s->requests));
	s->order = calloc(options->requests_max, sizeof(*s->order));
	if (!s->users || !s->requests || !s->order) {
		cp_floor_destroy(s);
		return -ENOMEM;
	}
	*out = s;
	return 0;
}

void
cp_floor_destroy(struct cp_floor_server *s)
{
	if (!s)
		return;
	free(s->users);
	free(s->requests);
	free(s->order);
	free(s);
}

struct floor *
floor_of(struct cp_floor_server *s, uint16_t id)
{
	for (size_t i = 0; i < s->floor_count; i++)
		if (s->floors[i].id == id)
			return &s->floors[i];
	return NULL;
}

size_t
floor_index(const struct cp_floor_server *s, const struct floor *floor)
{
	return (size_t)(floor - s->floors);
}

static bool
is_sound(const struct cp_floor_policy *policy)
{
	return policy->mode <= CP_FLOOR_MODERATOR && policy->holders_max > 0 &&
	       policy->per_user_max > 0 &&
	       (policy->limit_ms == 0 || policy->warning_ms < policy->limit_ms);
}

int
cp_floor_add(struct cp_floor_server *s, uint16_t floor, const struct cp_floor_policy *policy)
{
	if (!is_sound(policy))
		return -EINVAL;
	if (floor_of(s, floor))
		return -EEXIST;
	if (s->floor_count == CP_BFCP_FLOORS_MAX)
		return -ENOSPC;
	s->floors[s->floor_count++] = (struct floor){.id = floor, .policy = *policy};
	return 0;
}

int
cp_floor_set_policy(struct cp_floor_server *s, uint16_t floor, const struct cp_floor_policy *policy,
		    const struct cp_floor_turn *turn)
{
	struct floor *f = floor_of(s, floor);
	size_t count;

	if (!f)
		return -ENOENT;
	if (!is_sound(policy))
		return -EINVAL;
	f->policy = *policy;
	if (policy->mode != CP_FLOOR_CHAIR) {
		count = floor_sort(s, floor_index(s, f));
		for (size_t i = 0; i < count; i++) {
			struct request *r = s->order[i].request;
			struct part *p = floor_part(r, floor_index(s, f));

			if (p->status == CP_BFCP_PENDING)
				floor_accept(s, r, p, 0);
		}
	}
	floor_judge(s, turn);
	floor_publish(s, 0, 0, turn);
	return 0;
}

/* Where id is or would be. */
static size_t
where(const struct cp_floor_server *s, uint16_t id)
{
	size_t low = 0, high = s->user_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (s->users[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct user *
floor_user(const struct cp_floor_server *s, uint16_t id)
{
	size_t at = where(s, id);

	return at < s->user_count && s->users[at].id == id ? &s->users[at] : NULL;
}

int
cp_floor_put_user(struct cp_floor_server *s, const struct cp_floor_person *person)
{
	size_t at = where(s, person->id);
	struct user *user = floor_user(s, person->id);

	if (person->id == 0 || person->priority_max > CP_BFCP_PRIORITY_HIGHEST)
		return -EINVAL;
	if (!user) {
		if (s->user_count == s->options.users_max)
			return -ENOSPC;
		user = &s->users[at];
		memmove(user + 1, user, (s->user_count - at) * sizeof(*user));
		*user = (struct user){.id = person->id};
		s->user_count++;
	}
	cp_slice_copy_text(user->display, NAME_SIZE, cp_slice_text(person->display));
	cp_slice_copy_text(user->uri, URI_SIZE, cp_slice_text(person->uri));
	user->is_moderator = person->is_moderator;
	user->may_ask = person->may_ask;
	user->priority_max = person->priority_max;
	return 0;
}

int
cp_floor_remove_user(struct cp_floor_server *s, uint16_t id, const struct cp_floor_turn *turn)
{
	struct user *user = floor_user(s, id);

	if (!user)
		return -ENOENT;
	floor_end_of(s, id, "Removed from the conference", turn);
	floor_judge(s, turn);
	floor_publish(s, 0, 0, turn);
	for (size_t i = 0; i < s->options.requests_max; i++) {
		struct request *r = &s->requests[i];

		if (r->id == 0 || r->requester != id)
			continue;
		r->requester = r->beneficiary;
		r->is_for_other = false;
	}
	s->user_count--;
	memmove(user, user + 1, (size_t)(s->users + s->user_count - user) * sizeof(*user));
	return 0;
}

int
cp_floor_set_chair(struct cp_floor_server *s, uint16_t floor, uint16_t id, bool is_chair)
{
	struct floor *f = floor_of(s, floor);
	struct user *user = floor_user(s, id);
	uint32_t bit;

	if (!f || !user)
		return -ENOENT;
	bit = UINT32_C(1) << floor_index(s, f);
	user->chair_of = is_chair ? user->chair_of | bit : user->chair_of & ~bit;
	return 0;
}

bool
cp_floor_is_chair(struct cp_floor_server *s, uint16_t floor, uint16_t id)
{
	const struct floor *f = floor_of(s, floor);
	const struct user *user = floor_user(s, id);

	return f && user && user->chair_of >> floor_index(s, f) & 1;
}

int
cp_floor_connected(struct cp_floor_server *s, uint16_t id, const struct cp_floor_turn *turn)
{
	struct user *user = floor_user(s, id);

	if (!user)
		return -ENOENT;
	user->presence = PRESENCE_THERE;
	user->subscribed = 0;
	floor_judge(s, turn);
	floor_publish(s, 0, 0, turn);
	return 0;
}

int
cp_floor_lost(struct cp_floor_server *s, uint16_t id, const struct cp_floor_turn *turn)
{
	struct user *user = floor_user(s, id);

	if (!user)
		return -ENOENT;
	if (user->presence != PRESENCE_THERE)
		return 0;
	user->presence = PRESENCE_LOST;
	user->subscribed = 0;
	user->lost_ms = turn->now_ms;
	cp_floor_tick(s, turn);
	return 0;
}

/* The shortest limit of its floors. */
static uint64_t
ends_ms(const struct cp_floor_server *s, const struct request *r, uint64_t *warning_ms)
{
	uint64_t first = CP_FLOOR_NEVER;

	*warning_ms = CP_FLOOR_NEVER;
	if (r->id == 0 || r->status != CP_BFCP_GRANTED)
		return first;
	for (size_t i = 0; i < r->count; i++) {
		const struct cp_floor_policy *policy = &s->floors[r->parts[i].floor].policy;

		if (policy->limit_ms == 0 || r->granted_ms + policy->limit_ms >= first)
			continue;
		first = r->granted_ms + policy->limit_ms;
		*warning_ms = policy->warning_ms && !r->is_warned ? first - policy->warning_ms
								  : CP_FLOOR_NEVER;
	}
	return first;
}

uint64_t
cp_floor_next_ms(const struct cp_floor_server *s)
{
	uint64_t next = CP_FLOOR_NEVER, warning, end;

	for (size_t i = 0; i < s->options.requests_max; i++) {
		end = ends_ms(s, &s->requests[i], &warning);
		end = warning < end ? warning : end;
		next = end < next ? end : next;
	}
	for (size_t i = 0; i < s->user_count; i++) {
		if (s->users[i].presence != PRESENCE_LOST)
			continue;
		end = s->users[i].lost_ms + s->options.keep_ms;
		next = end < next ? end : next;
	}
	return next;
}

static void
watch(struct cp_floor_server *s, struct request *r, const struct cp_floor_turn *turn)
{
	uint64_t warning, end = ends_ms(s, r, &warning);

	if (turn->now_ms >= end) {
		snprintf(r->reason, TEXT_SIZE, "The time is over");
		floor_end(s, r, CP_BFCP_REVOKED, turn);
	} else if (turn->now_ms >= warning) {
		snprintf(r->reason, TEXT_SIZE, "The floor ends in %llu s",
			 (unsigned long long)((end - turn->now_ms + 999) / 1000));
		r->is_warned = true;
		r->is_changed = true;
	}
}

void
cp_floor_tick(struct cp_floor_server *s, const struct cp_floor_turn *turn)
{
	for (size_t i = 0; i < s->options.requests_max; i++)
		watch(s, &s->requests[i], turn);
	for (size_t i = 0; i < s->user_count; i++) {
		struct user *user = &s->users[i];

		if (user->presence != PRESENCE_LOST ||
		    turn->now_ms < user->lost_ms + s->options.keep_ms)
			continue;
		user->presence = PRESENCE_NONE;
		floor_end_of(s, user->id, "The connection is lost", turn);
	}
	floor_judge(s, turn);
	floor_publish(s, 0, 0, turn);
}

size_t
cp_floor_list(struct cp_floor_server *s, struct cp_floor_view *out, size_t max, uint16_t floor)
{
	struct floor *f = floor_of(s, floor);
	size_t count = f ? floor_sort(s, floor_index(s, f)) : 0;
	uint64_t warning_ms;

	for (size_t i = 0; i < count && i < max; i++) {
		struct request *r = s->order[i].request;

		out[i] = (struct cp_floor_view){
			.request = r->id,
			.requester = r->requester,
			.beneficiary = r->beneficiary,
			.status = r->status,
			.priority = r->priority,
			.place = floor_part(r, floor_index(s, f))->place,
			.ends_ms = ends_ms(s, r, &warning_ms),
			.granted_ms = r->status == CP_BFCP_GRANTED ? r->granted_ms : CP_FLOOR_NEVER,
		};
	}
	return count < max ? count : max;
}
