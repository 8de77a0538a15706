/* What the floor control server says: statuses of requests and floors, and who is told of a change. */
#include "ctrlplane/bfcp/floor_state.h"

/* Who waits for a chair is the chair's business and its own. */
bool
floor_may_see(const struct user *user, const struct request *r)
{
	if (r->status != CP_BFCP_PENDING || user->is_moderator || r->requester == user->id ||
	    r->beneficiary == user->id)
		return true;
	for (size_t i = 0; i < r->count; i++)
		if (user->chair_of >> r->parts[i].floor & 1)
			return true;
	return false;
}

/* Begins the answer in s->msg. */
void
floor_answer(struct cp_floor_server *s, const struct cp_floor_from *from,
	     const struct cp_bfcp_msg *msg, uint8_t primitive)
{
	s->msg = (struct cp_bfcp_msg){
		.primitive = primitive,
		.conf = s->options.conf,
		.transaction = msg->transaction,
		.user = from->user,
	};
}

/* Begins in s->msg what nobody asked for: on TCP transaction 0. */
static void
begin(struct cp_floor_server *s, uint16_t user, uint8_t primitive)
{
	s->msg = (struct cp_bfcp_msg){
		.primitive = primitive,
		.conf = s->options.conf,
		.user = user,
	};
}

void
floor_send(struct cp_floor_server *s, uint16_t user, const struct cp_floor_turn *turn)
{
	struct cp_floor_effect effect = {.kind = CP_FLOOR_SEND, .user = user, .msg = &s->msg};

	turn->take(turn->arg, &effect);
}

static struct cp_bfcp_user
describe(const struct cp_floor_server *s, uint16_t id)
{
	const struct user *user = floor_user(s, id);
	struct cp_bfcp_user out = {.is_there = true, .id = id};

	if (user) {
		out.display = cp_slice_text(user->display);
		out.uri = cp_slice_text(user->uri);
	}
	return out;
}

static uint8_t
on_wire(uint16_t place)
{
	return place < UINT8_MAX ? (uint8_t)place : UINT8_MAX;
}

/* One more request into s->msg; left out when there is no room. */
void
floor_put_request(struct cp_floor_server *s, const struct request *r)
{
	struct cp_bfcp_request *out;

	if (s->msg.request_count == CP_BFCP_REQUESTS_MAX)
		return;
	out = &s->msg.requests[s->msg.request_count++];
	*out = (struct cp_bfcp_request){
		.id = r->id,
		.has_overall = true,
		.has_status = true,
		.status = r->status,
		.queue = on_wire(floor_place(r)),
		.status_info = cp_slice_text(r->reason),
		.floor_count = r->count,
		.beneficiary = describe(s, r->beneficiary),
		.has_priority = r->has_priority,
		.priority = r->asked,
		.info = cp_slice_text(r->info),
	};
	if (r->is_for_other)
		out->requested_by = describe(s, r->requester);
	for (size_t i = 0; i < r->count; i++)
		out->floors[i] = (struct cp_bfcp_floor_state){
			.floor = s->floors[r->parts[i].floor].id,
			.has_status = true,
			.status = r->parts[i].status,
			.queue = on_wire(r->parts[i].place),
		};
}

void
floor_put_floor(struct cp_floor_server *s, size_t index, const struct user *reader)
{
	size_t count = floor_sort(s, index);

	s->msg.floor_count = 1;
	s->msg.floors[0] = s->floors[index].id;
	for (size_t i = 0; i < count; i++)
		if (floor_may_see(reader, s->order[i].request))
			floor_put_request(s, s->order[i].request);
}

static void
tell_request(struct cp_floor_server *s, const struct request *r, uint16_t id,
	     const struct cp_floor_turn *turn)
{
	const struct user *user = floor_user(s, id);

	if (!user || user->presence != PRESENCE_THERE)
		return;
	begin(s, id, CP_BFCP_FLOOR_REQUEST_STATUS);
	floor_put_request(s, r);
	floor_send(s, id, turn);
}

static void
publish_request(struct cp_floor_server *s, struct request *r, uint16_t but,
		const struct cp_floor_turn *turn)
{
	struct cp_floor_effect effect = {
		.kind = CP_FLOOR_CHANGED,
		.user = r->beneficiary,
		.floor = s->floors[r->parts[0].floor].id,
		.request = r->id,
		.status = r->status,
		.queue = on_wire(floor_place(r)),
	};

	turn->take(turn->arg, &effect);
	if (r->requester != but)
		tell_request(s, r, r->requester, turn);
	if (r->beneficiary != r->requester && r->beneficiary != but)
		tell_request(s, r, r->beneficiary, turn);
	r->is_changed = false;
	r->reason[0] = '\0'; /* of this change, not of the next */
	if (floor_is_over(r))
		r->id = 0;
}

static void
publish_floor(struct cp_floor_server *s, size_t index, const struct cp_floor_turn *turn)
{
	struct cp_floor_effect effect = {.kind = CP_FLOOR_QUEUE, .floor = s->floors[index].id};

	turn->take(turn->arg, &effect);
	for (size_t i = 0; i < s->user_count; i++) {
		const struct user *user = &s->users[i];

		if (user->presence != PRESENCE_THERE || !(user->subscribed >> index & 1))
			continue;
		begin(s, user->id, CP_BFCP_FLOOR_STATUS);
		floor_put_floor(s, index, user);
		floor_send(s, user->id, turn);
	}
	s->floors[index].is_changed = false;
}

void
floor_publish(struct cp_floor_server *s, uint16_t request, uint16_t user,
	      const struct cp_floor_turn *turn)
{
	for (size_t i = 0; i < s->options.requests_max; i++) {
		struct request *r = &s->requests[i];

		if (r->id && r->is_changed)
			publish_request(s, r, r->id == request ? user : 0, turn);
	}
	for (size_t i = 0; i < s->floor_count; i++)
		if (s->floors[i].is_changed)
			publish_floor(s, i, turn);
}
