/* What is done to floor requests, by users, by chairs and by the conference: who may, and how. */
#include "ctrlplane/bfcp/floor_state.h"

#include <stdio.h>

static bool
chairs_all(struct cp_floor_server *s, const struct user *user, const struct wish *wish)
{
	for (size_t i = 0; i < wish->floor_count; i++) {
		const struct floor *f = floor_of(s, wish->floors[i]);

		if (!(user->chair_of >> floor_index(s, f) & 1))
			return false;
	}
	return true;
}

static bool
is_allowed(struct cp_floor_server *s, const struct user *user, const struct wish *wish)
{
	if (user->is_moderator)
		return true;
	for (size_t i = 0; i < wish->floor_count; i++)
		if (floor_of(s, wish->floors[i])->policy.mode == CP_FLOOR_MODERATOR)
			return false;
	return user->may_ask && (wish->beneficiary == wish->requester || chairs_all(s, user, wish));
}

static enum cp_bfcp_error
may_ask(struct cp_floor_server *s, const struct wish *wish)
{
	const struct user *user = floor_user(s, wish->requester);

	for (size_t i = 0; i < wish->floor_count; i++)
		if (!floor_of(s, wish->floors[i]))
			return CP_BFCP_NO_FLOOR;
	if (!user || !floor_user(s, wish->beneficiary))
		return CP_BFCP_NO_USER;
	if (!wish->is_ours && !is_allowed(s, user, wish))
		return CP_BFCP_UNAUTHORISED;
	for (size_t i = 0; i < wish->floor_count; i++) {
		const struct floor *f = floor_of(s, wish->floors[i]);

		if (floor_ongoing(s, wish->beneficiary, floor_index(s, f)) >=
		    f->policy.per_user_max)
			return CP_BFCP_TOO_MANY;
	}
	return CP_BFCP_OK;
}

/* Chairs need not accept what they ask for themselves. */
static void
place_parts(struct cp_floor_server *s, struct request *r, const struct user *user, bool is_ours)
{
	for (size_t i = 0; i < r->count; i++) {
		struct part *p = &r->parts[i];
		bool needs_chair = s->floors[p->floor].policy.mode == CP_FLOOR_CHAIR;
		bool is_chair = user->chair_of >> p->floor & 1;

		s->floors[p->floor].is_changed = true;
		if (!needs_chair || is_chair || is_ours)
			floor_accept(s, r, p, 0);
	}
}

void
floor_release(struct cp_floor_server *s, struct request *r, const struct cp_floor_turn *turn)
{
	r->reason[0] = '\0';
	floor_end(s, r, r->status == CP_BFCP_GRANTED ? CP_BFCP_RELEASED : CP_BFCP_CANCELLED, turn);
	floor_judge(s, turn);
}

enum cp_bfcp_error
floor_ask(struct cp_floor_server *s, struct request **out, const struct wish *wish)
{
	enum cp_bfcp_error error = may_ask(s, wish);
	const struct user *user = floor_user(s, wish->requester);
	struct request *r;

	if (error != CP_BFCP_OK)
		return error;
	r = floor_request_new(s);
	if (!r)
		return CP_BFCP_GENERIC;
	r->requester = wish->requester;
	r->beneficiary = wish->beneficiary;
	r->is_for_other = wish->is_for_other;
	r->has_priority = wish->has_priority;
	r->asked = wish->has_priority ? wish->priority : CP_BFCP_PRIORITY_NORMAL;
	r->priority = r->asked < user->priority_max ? r->asked : user->priority_max;
	r->status = CP_BFCP_PENDING;
	r->is_changed = true;
	cp_slice_copy_text(r->info, TEXT_SIZE, wish->info);
	for (size_t i = 0; i < wish->floor_count; i++) {
		size_t index = floor_index(s, floor_of(s, wish->floors[i]));

		if (!floor_part(r, index))
			r->parts[r->count++] = (struct part){
				.floor = (uint8_t)index,
				.status = CP_BFCP_PENDING,
			};
	}
	place_parts(s, r, user, wish->is_ours);
	*out = r;
	return CP_BFCP_OK;
}

/* What is wanted for one floor; where nothing is said, what is said for all. 0: nothing. */
static uint8_t
wanted_status(const struct cp_bfcp_request *wanted, size_t i, uint8_t *queue)
{
	if (wanted->floors[i].has_status) {
		*queue = wanted->floors[i].queue;
		return wanted->floors[i].status;
	}
	*queue = wanted->queue;
	return wanted->has_status ? wanted->status : 0;
}

static enum cp_bfcp_error
may_act(struct cp_floor_server *s, const struct user *chair, const struct cp_bfcp_request *wanted,
	const char **why)
{
	struct request *r = floor_request(s, wanted->id);
	uint8_t status, queue;

	if (!r)
		return CP_BFCP_NO_REQUEST;
	for (size_t i = 0; i < wanted->floor_count; i++) {
		const struct floor *f = floor_of(s, wanted->floors[i].floor);

		if (!f || !floor_part(r, floor_index(s, f)))
			return CP_BFCP_NO_FLOOR;
		if (chair && !(chair->chair_of >> floor_index(s, f) & 1))
			return CP_BFCP_UNAUTHORISED;
	}
	for (size_t i = 0; i < wanted->floor_count; i++) {
		status = wanted_status(wanted, i, &queue);
		*why = "A chair may accept, grant, deny and revoke";
		if (status != CP_BFCP_ACCEPTED && status != CP_BFCP_GRANTED &&
		    status != CP_BFCP_DENIED && status != CP_BFCP_REVOKED)
			return CP_BFCP_GENERIC;
		*why = "The floor is granted already";
		if (status == CP_BFCP_ACCEPTED && r->status == CP_BFCP_GRANTED)
			return CP_BFCP_GENERIC;
	}
	return CP_BFCP_OK;
}

/* Granted: the first place. A priority without a place: where that belongs. */
static void
accept_as_wanted(struct cp_floor_server *s, struct request *r, const struct cp_bfcp_request *wanted,
		 size_t i)
{
	struct part *p = floor_part(r, floor_index(s, floor_of(s, wanted->floors[i].floor)));
	uint8_t queue, status = wanted_status(wanted, i, &queue);
	uint16_t place = queue;

	if (status == CP_BFCP_GRANTED)
		place = 1;
	else if (queue == 0 && wanted->has_priority)
		place = PLACE_BY_PRIORITY;
	floor_accept(s, r, p, place);
}

/*
 * One denied floor ends the request (11.1). Chair and server may have crossed: denying what has been granted revokes it, and
 * the other way round. Granting puts it first; it is granted when there is room on all its floors.
 */
enum cp_bfcp_error
floor_act(struct cp_floor_server *s, const struct user *chair, const struct cp_bfcp_request *wanted,
	  const char **why, const struct cp_floor_turn *turn)
{
	enum cp_bfcp_error error = may_act(s, chair, wanted, why);
	struct request *r = floor_request(s, wanted->id);
	struct cp_slice info = wanted->status_info;
	uint8_t status, queue;

	if (error != CP_BFCP_OK)
		return error;
	for (size_t i = 0; i < wanted->floor_count; i++)
		if (wanted->floors[i].info.len > 0)
			info = wanted->floors[i].info;
	cp_slice_copy_text(r->reason, TEXT_SIZE, info);
	if (wanted->has_priority)
		r->priority = wanted->priority;
	for (size_t i = 0; i < wanted->floor_count && !floor_is_over(r); i++) {
		status = wanted_status(wanted, i, &queue);
		if (status == CP_BFCP_DENIED || status == CP_BFCP_REVOKED)
			floor_end(s, r,
				  r->status == CP_BFCP_GRANTED ? CP_BFCP_REVOKED : CP_BFCP_DENIED,
				  turn);
		else if (r->status != CP_BFCP_GRANTED)
			accept_as_wanted(s, r, wanted, i);
	}
	return CP_BFCP_OK;
}

static enum cp_bfcp_error
ask_one(struct cp_floor_server *s, uint16_t *request, const struct wish *wish,
	const struct cp_floor_turn *turn)
{
	struct request *r = NULL;
	enum cp_bfcp_error error = floor_ask(s, &r, wish);

	if (error != CP_BFCP_OK)
		return error;
	*request = r->id;
	floor_judge(s, turn);
	floor_publish(s, 0, 0, turn);
	return CP_BFCP_OK;
}

enum cp_bfcp_error
cp_floor_ask(struct cp_floor_server *s, uint16_t *request, uint16_t floor, uint16_t user,
	     const struct cp_floor_turn *turn)
{
	struct wish wish = {
		.requester = user,
		.beneficiary = user,
		.is_ours = true,
		.floor_count = 1,
		.floors = &floor,
	};

	return ask_one(s, request, &wish, turn);
}

enum cp_bfcp_error
cp_floor_ask_as(struct cp_floor_server *s, uint16_t *request, uint16_t floor, uint16_t user,
		const struct cp_floor_turn *turn)
{
	struct wish wish = {
		.requester = user,
		.beneficiary = user,
		.floor_count = 1,
		.floors = &floor,
	};

	return ask_one(s, request, &wish, turn);
}

enum cp_bfcp_error
cp_floor_release(struct cp_floor_server *s, uint16_t request, const struct cp_floor_turn *turn)
{
	struct request *r = floor_request(s, request);

	if (!r)
		return CP_BFCP_NO_REQUEST;
	floor_release(s, r, turn);
	floor_publish(s, 0, 0, turn);
	return CP_BFCP_OK;
}

enum cp_bfcp_error
cp_floor_decide(struct cp_floor_server *s, const struct cp_floor_decision *decision,
		const struct cp_floor_turn *turn)
{
	struct cp_bfcp_request wanted = {
		.id = decision->request,
		.status_info = cp_slice_text(decision->info),
		.floor_count = 1,
		.floors = {{
			.floor = decision->floor,
			.has_status = true,
			.status = decision->status,
			.queue = decision->queue,
		}},
	};
	const char *why;
	enum cp_bfcp_error error = floor_act(s, NULL, &wanted, &why, turn);

	if (error != CP_BFCP_OK)
		return error;
	floor_judge(s, turn);
	floor_publish(s, 0, 0, turn);
	return CP_BFCP_OK;
}
