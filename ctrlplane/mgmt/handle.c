/* From a command to its handler, and the handlers about the node. */
#include <errno.h>
#include <time.h>
#include "ctrlplane/mgmt/request.h"

struct cp_view_clock
cp_request_clock(const struct cp_mgmt_request *request)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (struct cp_view_clock){
		.now_ms = request->ops->now_ms(request->ops->app),
		.now_unix_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000,
	};
}

static void
show_node(struct cp_mgmt_request *request, const struct dp_ctl_node *node)
{
	struct cp_view_clock clock = cp_request_clock(request);
	struct cp_mgmt_node_facts facts = {0};

	request->ops->node_facts(request->ops->app, &facts);
	request->status = 200;
	request->json = (request->route.command->id == CP_COMMAND_STATUS
				 ? cp_view_status
				 : cp_view_node)(request->ops->focus, &facts, node, &clock);
	request->is_done = true;
}

static void
on_node(void *arg, int status, const struct dp_ctl_hdr *reply)
{
	struct cp_mgmt_request *request = arg;

	request->pending = 0;
	show_node(request, status == 0 ? (const struct dp_ctl_node *)(const void *)reply : NULL);
	cp_request_resume(request);
}

static void
handle_node(struct cp_mgmt_request *request)
{
	if (request->ops->ask_node(request->ops->app, on_node, request) == 0)
		request->pending = 1;
	else
		show_node(request, NULL);
}

static void
handle_health(struct cp_mgmt_request *request)
{
	struct cp_mgmt_node_facts facts = {0};

	request->ops->node_facts(request->ops->app, &facts);
	if (!facts.has_media)
		cp_problem_set(&request->problem, 503, "no-media-plane",
			       "The media plane is not connected.");
	else if (cp_focus_is_draining(request->ops->focus))
		cp_problem_set(&request->problem, 503, "draining",
			       "The node is being drained: nobody else is admitted.");
	request->status = 200;
	request->json = json_pack("{s:s}", "state", "ok");
	request->is_done = true;
}

static void
handle_drain(struct cp_mgmt_request *request)
{
	request->ops->drain(request->ops->app, request->route.command->id == CP_COMMAND_NODE_DRAIN);
	handle_node(request);
}

void
cp_handle_request(struct cp_mgmt_request *request)
{
	static void (*const handlers[CP_COMMAND_COUNT])(struct cp_mgmt_request *) = {
		[CP_COMMAND_STATUS] = handle_node,
		[CP_COMMAND_HEALTH] = handle_health,
		[CP_COMMAND_CONFERENCE_LIST] = cp_handle_conference_list,
		[CP_COMMAND_CONFERENCE_CREATE] = cp_handle_conference_create,
		[CP_COMMAND_CONFERENCE_SHOW] = cp_handle_conference_show,
		[CP_COMMAND_CONFERENCE_CLOSE] = cp_handle_conference_change,
		[CP_COMMAND_CONFERENCE_LOCK] = cp_handle_conference_change,
		[CP_COMMAND_CONFERENCE_UNLOCK] = cp_handle_conference_change,
		[CP_COMMAND_CONFERENCE_CALL] = cp_handle_conference_call,
		[CP_COMMAND_CONFERENCE_MIX] = cp_handle_conference_change,
		[CP_COMMAND_PARTICIPANT_LIST] = cp_handle_participant_list,
		[CP_COMMAND_PARTICIPANT_SHOW] = cp_handle_participant_show,
		[CP_COMMAND_PARTICIPANT_MUTE] = cp_handle_participant_change,
		[CP_COMMAND_PARTICIPANT_UNMUTE] = cp_handle_participant_change,
		[CP_COMMAND_PARTICIPANT_DEAF] = cp_handle_participant_change,
		[CP_COMMAND_PARTICIPANT_UNDEAF] = cp_handle_participant_change,
		[CP_COMMAND_PARTICIPANT_GAIN] = cp_handle_participant_change,
		[CP_COMMAND_PARTICIPANT_REMOVE] = cp_handle_participant_change,
		[CP_COMMAND_NODE_SHOW] = handle_node,
		[CP_COMMAND_NODE_DRAIN] = handle_drain,
		[CP_COMMAND_NODE_RESUME] = handle_drain,
	};

	handlers[request->route.command->id](request);
	if (request->problem.status != 0)
		request->is_done = true;
}
