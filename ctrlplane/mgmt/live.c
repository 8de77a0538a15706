/* What happens, as live events: from the focus's notices, and of the node itself. */
#include <string.h>
#include "ctrlplane/mgmt/chat.h"
#include "ctrlplane/mgmt/floors.h"
#include "ctrlplane/mgmt/server_state.h"
#include "ctrlplane/mgmt/text.h"

#define LIST_MAX 100 /* people that an event names; a longer list is asked for */

static json_t *
view_text(const char *text)
{
	return text == NULL || text[0] == '\0' ? json_null() : cp_json_text(text);
}

static json_t *
view_conf(const struct cp_mgmt *mgmt, const struct cp_conf *conf)
{
	struct cp_view_clock clock = cp_view_now(mgmt->ops);
	struct cp_mgmt_node_facts facts = {0};

	if (conf == NULL)
		return NULL;
	mgmt->ops->node_facts(mgmt->ops->app, &facts);
	return json_pack("{s:o}", "conference", cp_view_conference(conf, &facts, &clock, LIST_MAX));
}

static json_t *
view_leg(const struct cp_mgmt *mgmt, const struct cp_effect *effect)
{
	struct cp_view_clock clock = cp_view_now(mgmt->ops);
	const struct cp_leg *leg = cp_leg_by_id(mgmt->ops->focus, effect->leg);
	struct cp_mgmt_leg_facts facts = {0};

	if (leg == NULL)
		leg = cp_leg_gone(mgmt->ops->focus, effect->leg);
	if (leg == NULL || leg->conf == NULL)
		return NULL;
	mgmt->ops->leg_facts(mgmt->ops->app, leg->id, &facts);
	return json_pack("{s:o, s:o, s:o}", "participant", cp_view_participant(leg, &facts, &clock),
			 "reason", view_text(effect->text), "by", view_text(effect->by));
}

static json_t *
view_dtmf(const struct cp_mgmt *mgmt, const struct cp_effect *effect)
{
	static const char keys[] = "0123456789*#ABCD";
	const struct cp_leg *leg = cp_leg_by_id(mgmt->ops->focus, effect->leg);

	if (leg == NULL || effect->value < 0 || effect->value > 15)
		return NULL;
	return json_pack("{s:s, s:I, s:s#, s:i}", "conference", leg->conf->user, "participant",
			 (json_int_t)leg->id, "key", keys + effect->value, 1, "duration_ms",
			 (int)effect->value2);
}

static json_t *
view_talkers(const struct cp_conf *conf)
{
	if (conf == NULL)
		return NULL;
	return json_pack("{s:s, s:o}", "conference", conf->user, "talkers", cp_view_talkers(conf));
}

static json_t *
view_closed(const struct cp_mgmt *mgmt, const struct cp_effect *effect)
{
	const struct cp_conf *conf = cp_conf_closed(mgmt->ops->focus, effect->conf);

	if (conf == NULL)
		return NULL;
	return json_pack("{s:s, s:o}", "id", conf->user, "reason", view_text(effect->text));
}

/* Who follows as a participant is told of no requests that wait for a chair. */
static json_t *
view_floor(const struct cp_mgmt *mgmt, const struct cp_conf *conf, const struct cp_effect *effect)
{
	size_t floor = (size_t)effect->value;
	json_t *state;

	if (conf == NULL || floor >= conf->floors.count)
		return NULL;
	state = cp_view_floor(mgmt->ops, conf, floor, &(struct cp_view_reader){.sees_all = true});
	return json_pack("{s:s, s:o}", "conference", conf->user, "floor", state);
}

static void
hide_pending(json_t *data)
{
	json_t *list = json_object_get(json_object_get(data, "floor"), "requests"), *one;

	for (size_t i = json_array_size(list); i-- > 0;) {
		one = json_array_get(list, i);
		if (strcmp(json_string_value(json_object_get(one, "status")), "pending") == 0)
			json_array_remove(list, i);
	}
}

static const char *const names[CP_NOTICES] = {
	[CP_NOTICE_JOINED] = "participant-joined",
	[CP_NOTICE_LEFT] = "participant-left",
	[CP_NOTICE_CHANGED] = "participant-changed",
	[CP_NOTICE_DTMF] = "dtmf",
	[CP_NOTICE_TALKERS] = "talkers",
	[CP_NOTICE_CONF] = "conference-changed",
	[CP_NOTICE_CLOSED] = "conference-closed",
	[CP_NOTICE_ADOPTED] = "participant-adopted",
	[CP_NOTICE_ADDED] = "participant-added",
	[CP_NOTICE_WAITING] = "participant-waiting",
	[CP_NOTICE_LIST] = "list-changed",
	[CP_NOTICE_FLOOR] = "floor-changed",
	[CP_NOTICE_CHAT] = "chat-message",
};

static json_t *
view_notice(const struct cp_mgmt *mgmt, const struct cp_effect *effect)
{
	const struct cp_conf *conf = cp_conf_by_id(mgmt->ops->focus, effect->conf);

	switch (effect->notice) {
	case CP_NOTICE_CONF:
	case CP_NOTICE_LIST:
		return view_conf(mgmt, conf);
	case CP_NOTICE_CLOSED:
		return view_closed(mgmt, effect);
	case CP_NOTICE_TALKERS:
		return view_talkers(conf);
	case CP_NOTICE_DTMF:
		return view_dtmf(mgmt, effect);
	case CP_NOTICE_FLOOR:
		return view_floor(mgmt, conf, effect);
	case CP_NOTICE_CHAT:
		return cp_view_chat_message(mgmt->ops, conf);
	default:
		return view_leg(mgmt, effect);
	}
}

void
cp_mgmt_notice(struct cp_mgmt *mgmt, const struct cp_effect *effect)
{
	json_t *data, *bare = NULL;

	if (effect->notice >= CP_NOTICES || names[effect->notice] == NULL)
		return;
	data = view_notice(mgmt, effect);
	if (data == NULL) /* it is gone already: a later event says so */
		return;
	if (mgmt->tokens_path != NULL) {
		bare = json_deep_copy(data);
		cp_view_hide(bare, true);
		if (effect->notice == CP_NOTICE_FLOOR)
			hide_pending(bare);
	}
	cp_events_add(&mgmt->events, effect->conf, names[effect->notice], data, bare);
	cp_streams_wake(mgmt);
}

void
cp_mgmt_notice_node(struct cp_mgmt *mgmt)
{
	struct cp_mgmt_node_facts facts = {0};
	bool is_draining = cp_focus_is_draining(mgmt->ops->focus);

	mgmt->ops->node_facts(mgmt->ops->app, &facts);
	if (facts.has_media == mgmt->had_media && is_draining == mgmt->was_draining)
		return;
	mgmt->had_media = facts.has_media;
	mgmt->was_draining = is_draining;
	cp_events_add(&mgmt->events, 0, "node",
		      json_pack("{s:s}", "state",
				!facts.has_media ? "no_media"
				: is_draining	 ? "draining"
						 : "ok"),
		      NULL);
	cp_streams_wake(mgmt);
}

void
cp_handle_events(struct cp_mgmt_request *request)
{
	const char *last = json_string_value(json_object_get(request->params, "last_event_id"));
	const struct cp_conf *conf = NULL;

	if (request->route.command->id == CP_COMMAND_CONFERENCE_EVENTS) {
		conf = cp_request_conference(request);
		if (conf == NULL)
			return;
	}
	cp_request_follow(request, conf != NULL ? conf->id : 0,
			  last != NULL ? last : request->last_event_id);
}
