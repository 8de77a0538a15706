/* Messages that come to the floor control server (RFC 8855 sections 9 and 13). */
#include "ctrlplane/bfcp/floor_state.h"

/* One message in work. */
struct work {
	struct cp_floor_server *s;
	const struct cp_floor_from *from;
	const struct cp_bfcp_msg *msg;
	struct user *user;
	const char *why; /* for people, with an error */
	const struct cp_floor_turn *turn;
};

/* The answer is sent before anybody else is told. */
static void
answer_request(struct work *w, const struct request *r)
{
	uint16_t id = r->id;

	floor_answer(w->s, w->from, w->msg, CP_BFCP_FLOOR_REQUEST_STATUS);
	floor_put_request(w->s, r);
	floor_send(w->s, w->from->user, w->turn);
	floor_publish(w->s, id, w->from->user, w->turn);
}

static enum cp_bfcp_error
take_request(struct work *w)
{
	const struct cp_bfcp_msg *msg = w->msg;
	struct wish wish = {
		.requester = w->user->id,
		.beneficiary = msg->has_beneficiary ? msg->beneficiary : w->user->id,
		.is_for_other = msg->has_beneficiary && msg->beneficiary != w->user->id,
		.has_priority = msg->has_priority,
		.priority = msg->priority,
		.floor_count = msg->floor_count,
		.floors = msg->floors,
		.info = msg->info,
	};
	struct request *r = NULL;
	enum cp_bfcp_error error = floor_ask(w->s, &r, &wish);

	w->why = error == CP_BFCP_GENERIC ? "The conference has too many floor requests" : NULL;
	if (error != CP_BFCP_OK)
		return error;
	floor_judge(w->s, w->turn);
	answer_request(w, r);
	return CP_BFCP_OK;
}

static enum cp_bfcp_error
take_release(struct work *w)
{
	struct request *r = floor_request(w->s, w->msg->request_id);

	if (!r)
		return CP_BFCP_NO_REQUEST;
	if (r->requester != w->user->id && r->beneficiary != w->user->id)
		return CP_BFCP_UNAUTHORISED;
	floor_release(w->s, r, w->turn);
	answer_request(w, r);
	return CP_BFCP_OK;
}

static enum cp_bfcp_error
take_request_query(struct work *w)
{
	struct request *r = floor_request(w->s, w->msg->request_id);

	if (!r)
		return CP_BFCP_NO_REQUEST;
	if (!floor_may_see(w->user, r))
		return CP_BFCP_UNAUTHORISED;
	answer_request(w, r);
	return CP_BFCP_OK;
}

static enum cp_bfcp_error
take_user_query(struct work *w)
{
	struct cp_floor_server *s = w->s;
	uint16_t id = w->msg->has_beneficiary ? w->msg->beneficiary : w->user->id;
	const struct user *about = floor_user(s, id);

	if (!about)
		return CP_BFCP_NO_USER;
	floor_answer(s, w->from, w->msg, CP_BFCP_USER_STATUS);
	if (w->msg->has_beneficiary)
		s->msg.about = (struct cp_bfcp_user){
			.is_there = true,
			.id = id,
			.display = cp_slice_text(about->display),
			.uri = cp_slice_text(about->uri),
		};
	for (size_t i = 0; i < s->options.requests_max; i++) {
		const struct request *r = &s->requests[i];

		if (r->id && (r->beneficiary == id || r->requester == id) &&
		    floor_may_see(w->user, r))
			floor_put_request(s, r);
	}
	floor_send(s, w->from->user, w->turn);
	return CP_BFCP_OK;
}

/* The first status answers, the others follow with transaction 0 (13.5.2). */
static enum cp_bfcp_error
take_floor_query(struct work *w)
{
	struct cp_floor_server *s = w->s;
	uint32_t wanted = 0;

	for (size_t i = 0; i < w->msg->floor_count; i++) {
		const struct floor *f = floor_of(s, w->msg->floors[i]);

		if (!f)
			return CP_BFCP_NO_FLOOR;
		wanted |= UINT32_C(1) << floor_index(s, f);
	}
	w->user->subscribed = wanted;
	floor_answer(s, w->from, w->msg, CP_BFCP_FLOOR_STATUS);
	if (wanted == 0)
		floor_send(s, w->from->user, w->turn);
	for (size_t i = 0, sent = 0; i < w->msg->floor_count; i++) {
		size_t index = floor_index(s, floor_of(s, w->msg->floors[i]));

		if (!(wanted >> index & 1))
			continue;
		wanted &= ~(UINT32_C(1) << index);
		floor_answer(s, w->from, w->msg, CP_BFCP_FLOOR_STATUS);
		if (sent++ > 0)
			s->msg.transaction = 0;
		floor_put_floor(s, index, w->user);
		floor_send(s, w->from->user, w->turn);
	}
	return CP_BFCP_OK;
}

static enum cp_bfcp_error
take_chair_action(struct work *w)
{
	enum cp_bfcp_error error = floor_act(w->s, w->user, &w->msg->requests[0], &w->why, w->turn);

	if (error != CP_BFCP_OK)
		return error;
	floor_judge(w->s, w->turn);
	floor_answer(w->s, w->from, w->msg, CP_BFCP_CHAIR_ACTION_ACK);
	floor_send(w->s, w->from->user, w->turn);
	floor_publish(w->s, 0, 0, w->turn);
	return CP_BFCP_OK;
}

static enum cp_bfcp_error
take_hello(struct work *w)
{
	char primitives[CP_BFCP_PRIMITIVES - 1], attributes[CP_BFCP_ATTRIBUTES - 1];

	for (size_t i = 0; i < sizeof(primitives); i++)
		primitives[i] = (char)(i + 1);
	for (size_t i = 0; i < sizeof(attributes); i++)
		attributes[i] = (char)((i + 1) << 1);
	floor_answer(w->s, w->from, w->msg, CP_BFCP_HELLO_ACK);
	w->s->msg.primitives = cp_slice(primitives, sizeof(primitives));
	w->s->msg.attributes = cp_slice(attributes, sizeof(attributes));
	floor_send(w->s, w->from->user, w->turn);
	return CP_BFCP_OK;
}

/* Which of the codec's errors leave a stream that cannot be trusted (6.1). */
static bool
is_broken(enum cp_bfcp_error error)
{
	return error == CP_BFCP_UNPARSABLE || error == CP_BFCP_BAD_VERSION ||
	       error == CP_BFCP_BAD_LENGTH;
}

static enum cp_bfcp_error
check(struct work *w)
{
	enum cp_bfcp_error decoded = w->from->decoded;

	if (is_broken(decoded) || decoded == CP_BFCP_UNKNOWN_PRIMITIVE)
		return decoded;
	if (w->s->options.needs_tls && !w->from->is_secure)
		return CP_BFCP_USE_TLS;
	if (w->msg->conf != w->s->options.conf)
		return CP_BFCP_NO_CONFERENCE;
	if (w->msg->user != w->from->user)
		return CP_BFCP_UNAUTHORISED;
	return w->user ? decoded : CP_BFCP_NO_USER;
}

static enum cp_bfcp_error (*const takers[CP_BFCP_PRIMITIVES])(struct work *w) = {
	[CP_BFCP_FLOOR_REQUEST] = take_request,
	[CP_BFCP_FLOOR_RELEASE] = take_release,
	[CP_BFCP_FLOOR_REQUEST_QUERY] = take_request_query,
	[CP_BFCP_USER_QUERY] = take_user_query,
	[CP_BFCP_FLOOR_QUERY] = take_floor_query,
	[CP_BFCP_CHAIR_ACTION] = take_chair_action,
	[CP_BFCP_HELLO] = take_hello,
};

void
cp_floor_receive(struct cp_floor_server *s, const struct cp_floor_from *from,
		 const struct cp_bfcp_msg *msg, const struct cp_floor_turn *turn)
{
	struct work w = {
		.s = s,
		.from = from,
		.msg = msg,
		.user = floor_user(s, from->user),
		.turn = turn,
	};
	struct cp_floor_effect close = {.kind = CP_FLOOR_CLOSE, .user = from->user};
	enum cp_bfcp_error error = check(&w);

	/* What only servers send is no request to us. */
	if (error == CP_BFCP_OK)
		error = takers[msg->primitive] ? takers[msg->primitive](&w)
					       : CP_BFCP_UNKNOWN_PRIMITIVE;
	if (error == CP_BFCP_OK)
		return;
	cp_bfcp_make_error(&s->msg, msg, error, w.why ? w.why : cp_bfcp_error_text(error));
	floor_send(s, from->user, turn);
	if (is_broken(error))
		turn->take(turn->arg, &close);
}
