/* From a command to its handler, and the handlers about the node. */
#include <errno.h>
#include "ctrlplane/mgmt/openapi.h"
#include "ctrlplane/mgmt/request.h"

struct cp_view_clock
cp_view_now(const struct cp_mgmt_ops *ops)
{
	int64_t now_ms = ops->now_ms(ops->app);

	/* the focus's way from one clock to the other, so that what happened once is shown at one time */
	return (struct cp_view_clock){.now_ms = now_ms,
				      .now_unix_ms = cp_focus_wall_ms(ops->focus, now_ms)};
}

struct cp_view_clock
cp_request_clock(const struct cp_mgmt_request *request)
{
	return cp_view_now(request->ops);
}

static void
show_node(struct cp_mgmt_request *request, const struct dp_ctl_node *node)
{
	struct cp_view_clock clock = cp_request_clock(request);
	struct cp_mgmt_node_facts facts = {0};

	request->ops->node_facts(request->ops->app, &facts);
	cp_request_answer(request, 200,
			  (request->route.command->id == CP_COMMAND_STATUS
				   ? cp_view_status
				   : cp_view_node)(request->ops->focus, &facts, node, &clock));
}

static void
on_node(void *arg, int status, const struct dp_ctl_hdr *reply)
{
	struct cp_mgmt_request *request = arg;

	show_node(request, status == 0 ? (const struct dp_ctl_node *)(const void *)reply : NULL);
	cp_request_done_one(request);
}

static void
handle_node(struct cp_mgmt_request *request)
{
	request->pending++;
	if (request->ops->ask_node(request->ops->app, on_node, request) == 0)
		return;
	request->pending--;
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
	cp_request_answer(request, 200, json_pack("{s:s}", "state", "ok"));
}

static void
handle_drain(struct cp_mgmt_request *request)
{
	const struct cp_mgmt_ops *ops = request->ops;
	bool is_draining = request->route.command->id == CP_COMMAND_NODE_DRAIN;

	if (cp_focus_is_draining(ops->focus) != is_draining) {
		ops->drain(ops->app, is_draining);
		if (ops->audit != NULL)
			ops->audit(ops->app, request->access.by, NULL,
				   is_draining ? "node drained" : "node resumed");
		cp_request_settle(request);
	}
	handle_node(request);
}

static void
handle_whoami(struct cp_mgmt_request *request)
{
	const struct cp_access *access = &request->access;

	cp_request_answer(
		request, 200,
		json_pack("{s:s, s:s, s:o, s:b}", "name", access->by, "role",
			  cp_access_role_name(access->role), "identity",
			  access->identity[0] != '\0' ? json_string(access->identity) : json_null(),
			  "token", access->has_token));
}

static void
handle_openapi(struct cp_mgmt_request *request)
{
	cp_request_answer(request, 200, cp_openapi());
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
		[CP_COMMAND_CONFERENCE_UPDATE] = cp_handle_conference_update,
		[CP_COMMAND_CONFERENCE_REFER] = cp_handle_conference_call,
		[CP_COMMAND_CONFERENCE_ADMIT] = cp_handle_conference_change,
		[CP_COMMAND_CONFERENCE_ANNOUNCE] = cp_handle_conference_change,
		[CP_COMMAND_CONFERENCE_STATS] = cp_handle_conference_stats,
		[CP_COMMAND_CONFERENCE_EVENTS] = cp_handle_events,
		[CP_COMMAND_AUTHORISED_LIST] = cp_handle_authorised_list,
		[CP_COMMAND_AUTHORISED_SET] = cp_handle_authorised_change,
		[CP_COMMAND_AUTHORISED_ADD] = cp_handle_authorised_change,
		[CP_COMMAND_AUTHORISED_REMOVE] = cp_handle_authorised_change,
		[CP_COMMAND_AUTHORISED_IMPORT] = cp_handle_authorised_change,
		[CP_COMMAND_CHAT_SHOW] = cp_handle_chat_show,
		[CP_COMMAND_CHAT_SAY] = cp_handle_chat_say,
		[CP_COMMAND_CHAT_MUTE] = cp_handle_chat_mute,
		[CP_COMMAND_CHAT_UNMUTE] = cp_handle_chat_mute,
		[CP_COMMAND_FLOOR_LIST] = cp_handle_floor_list,
		[CP_COMMAND_FLOOR_SHOW] = cp_handle_floor_show,
		[CP_COMMAND_FLOOR_ASK] = cp_handle_floor_change,
		[CP_COMMAND_FLOOR_GRANT] = cp_handle_floor_change,
		[CP_COMMAND_FLOOR_DENY] = cp_handle_floor_change,
		[CP_COMMAND_FLOOR_REVOKE] = cp_handle_floor_change,
		[CP_COMMAND_FLOOR_PLACE] = cp_handle_floor_change,
		[CP_COMMAND_FLOOR_RELEASE] = cp_handle_floor_change,
		[CP_COMMAND_FLOOR_CHAIR] = cp_handle_floor_change,
		[CP_COMMAND_FLOOR_UNCHAIR] = cp_handle_floor_change,
		[CP_COMMAND_PARTICIPANT_ROLE] = cp_handle_participant_change,
		[CP_COMMAND_PARTICIPANT_ADMIT] = cp_handle_participant_change,
		[CP_COMMAND_PARTICIPANT_ANNOUNCE] = cp_handle_participant_change,
		[CP_COMMAND_PARTICIPANT_STATS] = cp_handle_participant_stats,
		[CP_COMMAND_EVENTS] = cp_handle_events,
		[CP_COMMAND_ANNOUNCEMENT_LIST] = cp_handle_announcement_list,
		[CP_COMMAND_RECORDS] = cp_handle_records,
		[CP_COMMAND_AUDIT] = cp_handle_audit,
		[CP_COMMAND_WHOAMI] = handle_whoami,
		[CP_COMMAND_OPENAPI] = handle_openapi,
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

	cp_access_check(&request->problem, &request->access, request->route.command->id);
	if (request->problem.status == 0)
		handlers[request->route.command->id](request);
	if (request->problem.status != 0)
		request->is_done = true;
}
