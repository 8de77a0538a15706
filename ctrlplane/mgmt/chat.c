/* Handlers about chat: who is in it, what the conference says in it, who may write. */
#include "ctrlplane/mgmt/chat.h"
#include <errno.h>
#include <stdlib.h>
#include "ctrlplane/mgmt/request.h"
#include "ctrlplane/mgmt/text.h"
#include "ctrlplane/mgmt/view.h"

#define MEMBERS_MAX 1000

static json_t *
view_text(const char *text)
{
	return text == NULL || text[0] == '\0' ? json_null() : cp_json_text(text);
}

static json_t *
view_name(const struct cp_leg *leg)
{
	return leg == NULL		  ? json_string("somebody")
	       : leg->display[0] != '\0'  ? cp_json_text(leg->display)
	       : leg->identity[0] != '\0' ? cp_json_text(leg->identity)
					  : json_string("anonymous");
}

static json_t *
view_members(const struct cp_mgmt_ops *ops, const struct cp_conf *conf)
{
	struct cp_mgmt_chat_member *all = calloc(MEMBERS_MAX, sizeof(*all));
	json_t *list = json_array();
	size_t count = 0;

	if (all != NULL && ops->chat_members != NULL)
		count = ops->chat_members(ops->app, conf->id, all, MEMBERS_MAX);
	for (size_t i = 0; i < count; i++) {
		const struct cp_mgmt_chat_member *m = &all[i];

		json_array_append_new(
			list, json_pack("{s:I, s:o, s:o, s:b, s:b, s:b, s:b, s:I, s:I, s:I}",
					"participant", (json_int_t)m->participant, "name",
					view_name(cp_leg_by_id(ops->focus, m->participant)),
					"nickname", view_text(m->nickname), "connected",
					m->is_connected, "may_send", m->may_send, "muted",
					m->is_muted, "takes_private", m->takes_private, "sent",
					(json_int_t)m->sent, "received", (json_int_t)m->received,
					"waiting_octets", (json_int_t)m->waiting));
	}
	free(all);
	return list;
}

static json_t *
view(const struct cp_mgmt_ops *ops, const struct cp_conf *conf)
{
	struct cp_mgmt_chat chat = {0};

	if (ops->chat_show != NULL)
		ops->chat_show(ops->app, conf->id, &chat);
	return json_pack("{s:s, s:b, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}",
			 "conference", conf->user, "on", conf->has_chat, "history",
			 conf->chat_history, "max_size", (json_int_t)chat.max_size, "messages",
			 (json_int_t)chat.messages, "octets", (json_int_t)chat.octets, "deliveries",
			 (json_int_t)chat.deliveries, "refused", (json_int_t)chat.refused,
			 "aborted", (json_int_t)chat.aborted, "dropped", (json_int_t)chat.dropped,
			 "held_octets", (json_int_t)chat.held, "members", view_members(ops, conf));
}

void
cp_handle_chat_show(struct cp_mgmt_request *request)
{
	const struct cp_conf *conf = cp_request_conference(request);

	if (conf != NULL)
		cp_request_answer(request, 200, view(request->ops, conf));
}

/* The conference has a chat, and who asks steers it. */
static const struct cp_conf *
conf_to_steer(struct cp_mgmt_request *request)
{
	const struct cp_conf *conf = cp_request_conference(request);
	const char *actor = cp_access_actor(&request->access);

	if (conf == NULL)
		return NULL;
	if (actor != NULL && !cp_conf_may(conf, actor, CP_ACTION_STEER)) {
		cp_request_is_changed(request, -EACCES);
		return NULL;
	}
	if (!conf->has_chat || request->ops->chat_say == NULL) {
		cp_problem_set(&request->problem, 409, "no-chat",
			       "The conference has no chat; see its setting 'chat'.");
		return NULL;
	}
	return conf;
}

static struct cp_mgmt_chat_order
order_of(const struct cp_mgmt_request *request, const struct cp_conf *conf)
{
	const json_t *p = request->params;

	return (struct cp_mgmt_chat_order){
		.conf = conf->id,
		.participant = (uint32_t)json_integer_value(json_object_get(p, "participant")),
		.text = json_string_value(json_object_get(p, "text")),
		.is_on = request->route.command->id == CP_COMMAND_CHAT_MUTE,
		.by = request->access.by,
	};
}

static bool
is_done(struct cp_mgmt_request *request, const struct cp_mgmt_chat_order *order, int status)
{
	if (status == -ENOENT || status == -ENOTCONN)
		cp_problem_set(&request->problem, 404, "not-in-chat",
			       "Participant %u is not in the chat.", order->participant);
	else if (status == -EMSGSIZE)
		cp_problem_set(&request->problem, 413, "too-long",
			       "The message is longer than 'chat.max_size'.");
	else
		return cp_request_is_changed(request, status);
	return false;
}

void
cp_handle_chat_say(struct cp_mgmt_request *request)
{
	const struct cp_conf *conf = conf_to_steer(request);
	struct cp_mgmt_chat_order order;
	int count;

	if (conf == NULL)
		return;
	order = order_of(request, conf);
	count = request->ops->chat_say(request->ops->app, &order);
	if (is_done(request, &order, count < 0 ? count : 0))
		cp_request_answer(request, 202, json_pack("{s:i}", "recipients", count));
}

void
cp_handle_chat_mute(struct cp_mgmt_request *request)
{
	const struct cp_conf *conf = conf_to_steer(request);
	struct cp_mgmt_chat_order order;
	const struct cp_leg *leg;
	int status = -ENOENT;

	if (conf == NULL)
		return;
	order = order_of(request, conf);
	leg = cp_leg_by_id(request->ops->focus, order.participant);
	if (leg != NULL && leg->conf == conf)
		status = request->ops->chat_mute(request->ops->app, &order);
	if (is_done(request, &order, status))
		cp_request_answer(request, 200, view(request->ops, conf));
}

json_t *
cp_view_chat_message(const struct cp_mgmt_ops *ops, const struct cp_conf *conf)
{
	struct cp_view_clock clock = cp_view_now(ops);
	struct cp_mgmt_chat_message m;
	char type[128], uri[256];

	if (conf == NULL || ops->chat_message == NULL || !ops->chat_message(ops->app, &m))
		return NULL;
	cp_slice_copy_text(type, sizeof(type), m.type);
	cp_slice_copy_text(uri, sizeof(uri), cp_slice_text(m.from));
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:s, s:I, s:o, s:I}", "conference", conf->user,
			 "at", cp_view_time(clock.now_ms, &clock), "participant",
			 m.participant != 0 ? json_integer(m.participant) : json_null(), "nickname",
			 view_text(m.nickname), "from", view_text(uri), "type", type, "size",
			 (json_int_t)m.size, "text",
			 m.text.ptr != NULL && cp_slice_is_utf8(m.text)
				 ? json_stringn(m.text.ptr, m.text.len)
				 : json_null(),
			 "recipients", (json_int_t)m.recipients);
}
