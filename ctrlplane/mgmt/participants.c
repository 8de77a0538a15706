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
	if (--request->pending > 0)
		return;
	request->is_done = true;
	cp_request_resume(request);
}

/* The participant's JSON; its media is added when the media plane has answered. */
static json_t *
view(struct cp_mgmt_request *request, const struct cp_leg *leg)
{
	struct cp_view_clock clock = cp_request_clock(request);
	struct cp_mgmt_leg_facts facts = {0};
	struct cp_ask *ask = calloc(1, sizeof(*ask));
	json_t *json;

	request->ops->leg_facts(request->ops->app, leg->id, &facts);
	json = cp_view_participant(leg, &facts, &clock);
	if (ask == NULL || json == NULL || !leg->is_installed) {
		free(ask);
		return json;
	}
	*ask = (struct cp_ask){
		.next = request->asks, .request = request, .participant = json_incref(json)};
	request->asks = ask;
	if (request->ops->ask_leg(request->ops->app, leg->id, on_leg, ask) == 0)
		request->pending++;
	return json;
}

static void
answer(struct cp_mgmt_request *request, int status, json_t *json)
{
	request->status = status;
	request->json = json;
	request->is_done = request->pending == 0;
}

static struct cp_leg *
find_leg(struct cp_mgmt_request *request)
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
	answer(request, 200,
	       json_pack("{s:o, s:i, s:o}", "participants", list, "total", (int)conf->leg_count,
			 "next_after",
			 leg != NULL && last != NULL ? json_integer(last->id) : json_null()));
}

void
cp_handle_participant_show(struct cp_mgmt_request *request)
{
	const struct cp_leg *leg = find_leg(request);

	if (leg != NULL)
		answer(request, 200, view(request, leg));
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
	};
	const char *reason = json_string_value(json_object_get(request->params, "reason"));

	event->type = rows[request->route.command->id].type;
	event->flag = rows[request->route.command->id].flag;
	event->text = reason != NULL ? reason : "removed by the operator";
	event->value = (int32_t)lround(
		100 * json_number_value(json_object_get(request->params, "gain_db")));
}

void
cp_handle_participant_change(struct cp_mgmt_request *request)
{
	const struct cp_leg *leg = find_leg(request);
	struct cp_event event = {0};
	int status;

	if (leg == NULL)
		return;
	fill_event(&event, request);
	event.leg = leg->id;
	event.conf = leg->conf->id;
	status = request->ops->handle(request->ops->app, &event);
	if (status != 0 && status != -EALREADY)
		cp_problem_errno(&request->problem, status, "The participant was not changed");
	else if (event.type == CP_EVENT_REMOVE)
		answer(request, 204, NULL);
	else
		cp_handle_participant_show(request);
}
