/* Handlers about floors: who holds them, who waits, and what is decided about that. */
#include "ctrlplane/mgmt/floors.h"
#include <errno.h>
#include <string.h>
#include "ctrlplane/mgmt/floor_list.h"
#include "ctrlplane/mgmt/request.h"
#include "ctrlplane/mgmt/text.h"

#define REQUESTS_MAX 200
#define CHAIRS_MAX 64
#define ALL_MAX 1024

static json_t *
view_name(const struct cp_leg *leg)
{
	return leg == NULL		  ? json_string("somebody")
	       : leg->display[0] != '\0'  ? cp_json_text(leg->display)
	       : leg->identity[0] != '\0' ? cp_json_text(leg->identity)
					  : json_string("anonymous");
}

static bool
is_of(const struct cp_leg *leg, const char *identity)
{
	return leg != NULL && identity != NULL &&
	       (cp_identity_is_same(leg->person, identity) ||
		cp_identity_is_same(leg->tel, identity));
}

static json_t *
view_requests(const struct cp_mgmt_ops *ops, const struct cp_conf *conf, size_t floor,
	      const struct cp_view_reader *reader)
{
	struct cp_mgmt_floor_request all[REQUESTS_MAX];
	size_t count = ops->floor_requests != NULL
			       ? ops->floor_requests(ops->app, conf->id, floor, all, REQUESTS_MAX)
			       : 0;
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		const struct cp_mgmt_floor_request *r = &all[i];
		const struct cp_leg *leg = cp_leg_by_id(ops->focus, r->participant);
		const struct cp_leg *asker = cp_leg_by_id(ops->focus, r->asked_by);

		if (!reader->sees_all && strcmp(r->status, "pending") == 0 &&
		    !is_of(leg, reader->identity) && !is_of(asker, reader->identity))
			continue;
		json_array_append_new(
			list,
			json_pack("{s:i, s:I, s:o, s:I, s:s, s:o, s:i, s:o, s:o}", "request", r->id,
				  "participant", (json_int_t)r->participant, "name", view_name(leg),
				  "asked_by", (json_int_t)r->asked_by, "status", r->status, "place",
				  r->place > 0 ? json_integer(r->place) : json_null(), "priority",
				  r->priority, "left_s",
				  r->left_ms >= 0 ? json_integer((r->left_ms + 999) / 1000)
						  : json_null(),
				  "held_s",
				  r->held_ms >= 0 ? json_integer(r->held_ms / 1000) : json_null()));
	}
	return list;
}

static json_t *
view_chairs(const struct cp_mgmt_ops *ops, const struct cp_conf *conf, size_t floor)
{
	json_t *list = json_array();

	for (const struct cp_leg *leg = conf->legs; leg != NULL && ops->floor_is_chair != NULL;
	     leg = leg->next) {
		if (!ops->floor_is_chair(ops->app, conf->id, floor, leg->id))
			continue;
		json_array_append_new(list, json_pack("{s:I, s:o}", "id", (json_int_t)leg->id,
						      "name", view_name(leg)));
		if (json_array_size(list) == CHAIRS_MAX)
			break;
	}
	return list;
}

json_t *
cp_view_floor(const struct cp_mgmt_ops *ops, const struct cp_conf *conf, size_t floor,
	      const struct cp_view_reader *reader)
{
	json_t *json = cp_floor_list_view_one(&conf->floors.items[floor], floor);

	json_object_set_new(json, "requests", view_requests(ops, conf, floor, reader));
	json_object_set_new(json, "chairs", view_chairs(ops, conf, floor));
	return json;
}

/* May who asks decide on that floor: who steers the conference, and its chairs. */
static bool
may_decide(const struct cp_mgmt_request *request, const struct cp_conf *conf, size_t floor)
{
	const struct cp_mgmt_ops *ops = request->ops;
	const char *actor = cp_access_actor(&request->access);

	if (actor == NULL || cp_conf_may(conf, actor, CP_ACTION_STEER))
		return true;
	for (const struct cp_leg *leg = conf->legs; leg != NULL; leg = leg->next)
		if (is_of(leg, actor) && ops->floor_is_chair != NULL &&
		    ops->floor_is_chair(ops->app, conf->id, floor, leg->id))
			return true;
	return false;
}

static json_t *
view(const struct cp_mgmt_request *request, const struct cp_conf *conf, size_t floor)
{
	struct cp_view_reader reader = {
		.sees_all =
			!cp_access_is_bound(&request->access) || may_decide(request, conf, floor),
		.identity = request->access.identity,
	};

	return cp_view_floor(request->ops, conf, floor, &reader);
}

void
cp_handle_floor_list(struct cp_mgmt_request *request)
{
	const struct cp_conf *conf = cp_request_conference(request);
	json_t *list;

	if (conf == NULL)
		return;
	list = json_array();
	for (size_t i = 0; i < conf->floors.count; i++)
		json_array_append_new(list, view(request, conf, i));
	cp_request_answer(request, 200,
			  json_pack("{s:s, s:o}", "conference", conf->user, "floors", list));
}

/* The floor that the path names; false with the problem set. */
static bool
find_floor(struct cp_mgmt_request *request, const struct cp_conf **conf, size_t *floor)
{
	const char *name = json_string_value(json_object_get(request->params, "floor"));
	int at;

	*conf = cp_request_conference(request);
	if (*conf == NULL)
		return false;
	at = cp_conf_floors_find(&(*conf)->floors, name);
	if (at < 0) {
		cp_problem_set(&request->problem, 404, "unknown-floor",
			       "The conference has no floor '%.31s'.", name);
		return false;
	}
	*floor = (size_t)at;
	return true;
}

void
cp_handle_floor_show(struct cp_mgmt_request *request)
{
	const struct cp_conf *conf;
	size_t floor;

	if (find_floor(request, &conf, &floor))
		cp_request_answer(request, 200, view(request, conf, floor));
}

/* The participant that is named; where none is, who asked or is to have it by the request that is. */
static const struct cp_leg *
leg_of(const struct cp_mgmt_request *request, const struct cp_mgmt_floor_order *order, bool asker)
{
	struct cp_mgmt_floor_request all[ALL_MAX];
	const struct cp_mgmt_ops *ops = request->ops;
	size_t count;

	if (order->participant != 0 || ops->floor_requests == NULL)
		return cp_leg_by_id(ops->focus, order->participant);
	count = ops->floor_requests(ops->app, order->conf, order->floor, all, ALL_MAX);
	for (size_t i = 0; i < count; i++)
		if (all[i].id == order->request)
			return cp_leg_by_id(ops->focus,
					    asker ? all[i].asked_by : all[i].participant);
	return NULL;
}

static void
fill_order(struct cp_mgmt_floor_order *order, const struct cp_mgmt_request *request)
{
	static const enum cp_mgmt_floor_action actions[CP_COMMAND_COUNT] = {
		[CP_COMMAND_FLOOR_ASK] = CP_MGMT_FLOOR_ASK,
		[CP_COMMAND_FLOOR_GRANT] = CP_MGMT_FLOOR_GRANT,
		[CP_COMMAND_FLOOR_DENY] = CP_MGMT_FLOOR_DENY,
		[CP_COMMAND_FLOOR_REVOKE] = CP_MGMT_FLOOR_REVOKE,
		[CP_COMMAND_FLOOR_PLACE] = CP_MGMT_FLOOR_PLACE,
		[CP_COMMAND_FLOOR_RELEASE] = CP_MGMT_FLOOR_RELEASE,
		[CP_COMMAND_FLOOR_CHAIR] = CP_MGMT_FLOOR_CHAIR,
		[CP_COMMAND_FLOOR_UNCHAIR] = CP_MGMT_FLOOR_UNCHAIR,
	};
	const json_t *p = request->params;

	order->action = actions[request->route.command->id];
	order->participant = (uint32_t)json_integer_value(json_object_get(p, "participant"));
	order->request = (uint16_t)json_integer_value(json_object_get(p, "request"));
	order->place = (uint8_t)json_integer_value(json_object_get(p, "place"));
	order->reason = json_string_value(json_object_get(p, "reason"));
	order->by = request->access.by;
}

/* Chairs are made by who steers; what somebody asks for himself is nobody else's business. */
static bool
is_allowed(struct cp_mgmt_request *request, const struct cp_conf *conf,
	   struct cp_mgmt_floor_order *order)
{
	const char *actor = cp_access_actor(&request->access);
	bool is_asking = order->action == CP_MGMT_FLOOR_ASK;
	bool is_chair =
		order->action == CP_MGMT_FLOOR_CHAIR || order->action == CP_MGMT_FLOOR_UNCHAIR;

	if (is_chair)
		return actor == NULL || cp_conf_may(conf, actor, CP_ACTION_STEER);
	if (may_decide(request, conf, order->floor))
		return true;
	order->is_own = true;
	return (is_asking || order->action == CP_MGMT_FLOOR_RELEASE) &&
	       (is_of(leg_of(request, order, false), actor) ||
		is_of(leg_of(request, order, true), actor));
}

static bool
is_done(struct cp_mgmt_request *request, const struct cp_mgmt_floor_order *order, int status)
{
	if (status == -ENOENT)
		cp_problem_set(&request->problem, 404, "unknown-request",
			       "There is no such request for that floor any more, or no such "
			       "participant.");
	else if (status == -EEXIST)
		cp_problem_set(&request->problem, 409, "asks-already",
			       "Participant %u holds that floor, or asks for it already.",
			       order->participant);
	else if (status == -EACCES)
		cp_problem_set(&request->problem, 403, "forbidden",
			       "That participant may not ask for this floor, by its role or the "
			       "floor's mode.");
	else if (status == -ENOSPC)
		cp_problem_set(&request->problem, 507, "full",
			       "The conference has too many requests for its floors.");
	else
		return cp_request_is_changed(request, status);
	return false;
}

void
cp_handle_floor_change(struct cp_mgmt_request *request)
{
	const struct cp_mgmt_ops *ops = request->ops;
	struct cp_mgmt_floor_order order = {0};
	const struct cp_leg *leg;
	const struct cp_conf *conf;

	if (!find_floor(request, &conf, &order.floor))
		return;
	order.conf = conf->id;
	fill_order(&order, request);
	leg = leg_of(request, &order, false);
	if (leg == NULL || leg->conf != conf) {
		is_done(request, &order, -ENOENT);
		return;
	}
	if (!is_allowed(request, conf, &order)) {
		cp_request_is_changed(request, -EACCES);
		return;
	}
	if (!is_done(request, &order,
		     ops->floor_order != NULL ? ops->floor_order(ops->app, &order) : -ENOTSUP))
		return;
	cp_request_settle(request);
	cp_request_answer(request, 200, view(request, conf, order.floor));
}
