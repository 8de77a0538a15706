/* Handlers about participants. What the media plane knows of each is asked for, one request a participant. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include "ctrlplane/mgmt/request.h"

#define LIST_LIMIT 200

static void
on_leg(void *arg, int status, const struct dp_ctl_hdr *reply)
{
	struct cp_ask *ask = arg;
	struct cp_mgmt_request *request = ask->request;

	if (status == 0)
		cp_view_add_media(ask->participant,
				  (const struct dp_ctl_leg_shown *)(const void *)reply);
	cp_request_done_one(request);
}

void
cp_request_ask_leg(struct cp_mgmt_request *request, const struct cp_leg *leg, json_t *shown,
		   cp_mgmt_media_fn done)
{
	struct cp_ask *ask = leg->is_installed ? calloc(1, sizeof(*ask)) : NULL;

	if (ask == NULL)
		return;
	*ask = (struct cp_ask){
		.next = request->asks, .request = request, .participant = json_incref(shown)};
	request->asks = ask;
	request->pending++;
	if (request->ops->ask_leg(request->ops->app, leg->id, done, ask) != 0)
		request->pending--;
}

/* The participant's JSON; its media is added when the media plane has answered. */
static json_t *
view(struct cp_mgmt_request *request, const struct cp_leg *leg)
{
	struct cp_view_clock clock = cp_request_clock(request);
	struct cp_mgmt_leg_facts facts = {0};
	json_t *json;

	request->ops->leg_facts(request->ops->app, leg->id, &facts);
	json = cp_view_participant(leg, &facts, &clock);
	cp_request_ask_leg(request, leg, json, on_leg);
	return json;
}

struct cp_leg *
cp_request_leg(struct cp_mgmt_request *request)
{
	struct cp_conf *conf = cp_request_conference(request);
	uint32_t id = (uint32_t)json_integer_value(json_object_get(request->params, "participant"));
	struct cp_leg *leg = conf != NULL ? cp_leg_by_id(request->ops->focus, id) : NULL;

	if (leg != NULL && leg->conf == conf)
		return leg;
	if (conf != NULL)
		cp_problem_set(&request->problem, 404, "unknown-participant",
			       "There is no participant %u in '%s'.", id, conf->user);
	return NULL;
}

void
cp_handle_participant_list(struct cp_mgmt_request *request)
{
	const json_t *limit_param = json_object_get(request->params, "limit");
	const json_t *after_param = json_object_get(request->params, "after");
	json_int_t limit = limit_param != NULL ? json_integer_value(limit_param) : LIST_LIMIT;
	uint32_t after = (uint32_t)json_integer_value(after_param);
	const struct cp_conf *conf = cp_request_conference(request);
	const struct cp_leg *leg = conf != NULL ? conf->legs : NULL, *last = NULL;
	json_t *list;

	if (conf == NULL)
		return;
	if (after != 0) {
		while (leg != NULL && leg->id != after)
			leg = leg->next;
		if (leg == NULL) {
			cp_problem_add(&request->problem, "?after",
				       "is not in the conference any more; begin anew");
			return;
		}
		leg = leg->next;
	}
	list = json_array();
	for (; leg != NULL && limit > 0; leg = leg->next, limit--) {
		json_array_append_new(list, view(request, leg));
		last = leg;
	}
	cp_request_answer(
		request, 200,
		json_pack("{s:o, s:i, s:o}", "participants", list, "total", (int)conf->leg_count,
			  "next_after",
			  leg != NULL && last != NULL ? json_integer(last->id) : json_null()));
}

void
cp_handle_participant_show(struct cp_mgmt_request *request)
{
	const struct cp_leg *leg = cp_request_leg(request);

	if (leg != NULL)
		cp_request_answer(request, 200, view(request, leg));
}

static void
fill_event(struct cp_event *event, const struct cp_mgmt_request *request)
{
	static const struct {
		enum cp_event_type type;
		bool flag;
	} rows[CP_COMMAND_COUNT] = {
		[CP_COMMAND_PARTICIPANT_MUTE] = {CP_EVENT_MUTE, true},
		[CP_COMMAND_PARTICIPANT_UNMUTE] = {CP_EVENT_MUTE, false},
		[CP_COMMAND_PARTICIPANT_DEAF] = {CP_EVENT_DEAF, true},
		[CP_COMMAND_PARTICIPANT_UNDEAF] = {CP_EVENT_DEAF, false},
		[CP_COMMAND_PARTICIPANT_GAIN] = {CP_EVENT_GAIN, false},
		[CP_COMMAND_PARTICIPANT_REMOVE] = {CP_EVENT_REMOVE, false},
		[CP_COMMAND_PARTICIPANT_ROLE] = {CP_EVENT_ROLE, false},
		[CP_COMMAND_PARTICIPANT_ADMIT] = {CP_EVENT_ADMIT, false},
		[CP_COMMAND_PARTICIPANT_ANNOUNCE] = {CP_EVENT_ANNOUNCE, false},
	};
	const char *role = json_string_value(json_object_get(request->params, "role"));
	const char *clip = json_string_value(json_object_get(request->params, "clip"));
	enum cp_conf_role value;
	const char *reason = json_string_value(json_object_get(request->params, "reason"));

	event->type = rows[request->route.command->id].type;
	event->flag = rows[request->route.command->id].flag;
	event->text = reason != NULL ? reason : "removed by the operator";
	event->value = (int32_t)lround(
		100 * json_number_value(json_object_get(request->params, "gain_db")));
	if (role != NULL && cp_conf_role_of(&value, cp_slice_text(role)) == 0)
		event->value = (int32_t)value;
	if (clip != NULL)
		event->text = clip;
}

void
cp_handle_participant_change(struct cp_mgmt_request *request)
{
	const struct cp_leg *leg = cp_request_leg(request);
	struct cp_event event = {0};

	if (leg == NULL)
		return;
	fill_event(&event, request);
	event.leg = leg->id;
	event.conf = leg->conf->id;
	if (!cp_request_is_changed(request, cp_request_handle(request, &event)))
		return;
	if (event.type == CP_EVENT_REMOVE)
		cp_request_answer(request, 204, NULL);
	else if (event.type == CP_EVENT_ANNOUNCE)
		cp_request_answer(request, 202, view(request, leg));
	else
		cp_handle_participant_show(request);
}
