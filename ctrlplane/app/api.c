/* What the HTTP API may do: events to the focus, questions to the media plane, facts of calls and of the node. */
#include "ctrlplane/app/app_state.h"

#include <errno.h>
#include <string.h>

#include "ctrlplane/app/chat.h"
#include "ctrlplane/app/floors.h"

static int64_t
now_ms(void *arg)
{
	return cp_app_now_ms();
}

/* May who asks announce there at all? */
static bool
may_announce(const struct cp_app *app, const struct cp_event *event)
{
	const struct cp_conf *conf = cp_conf_by_id(app->focus, event->conf);

	return !event->actor || (conf && cp_conf_may(conf, event->actor, CP_ACTION_STEER));
}

/* Who asks for an announcement that cannot be is told so; the focus knows nothing of files and queues. */
static int
handle(void *arg, const struct cp_event *event)
{
	struct cp_app *app = arg;
	int rc = 0;

	if (event->type == CP_EVENT_ANNOUNCE && event->text && may_announce(app, event))
		rc = cp_prompts_check(app->prompts, event->text, event->conf, event->leg);
	return rc ? rc : cp_app_handle(app, event);
}

static int
clips(void *arg, cp_mgmt_clips_fn done, void *done_arg)
{
	struct cp_app *app = arg;

	return cp_prompts_list(app->prompts, done, done_arg);
}

static int
create(void *arg, const struct cp_conf_settings *settings, const char *by)
{
	struct cp_app *app = arg;
	struct cp_conf *conf;

	return cp_app_create_conf(&conf, app, settings, CP_CONF_CREATED, by);
}

static int
dial(void *arg, struct cp_mgmt_invitation *invitation)
{
	struct cp_app *app = arg;
	const struct cp_conf *conf = cp_conf_by_id(app->focus, invitation->conf);
	struct cp_dial_order order = {.uri = invitation->uri, .inviter = invitation->inviter};
	struct cp_conf_verdict verdict;
	int rc = conf ? cp_app_dial(&verdict, app, conf, &order) : -ENOENT;

	if (rc == -EACCES)
		memcpy(invitation->why, verdict.reason, sizeof(invitation->why));
	return rc;
}

static int
refer(void *arg, struct cp_mgmt_invitation *invitation)
{
	struct cp_app *app = arg;
	const struct cp_conf *conf = cp_conf_by_id(app->focus, invitation->conf);

	return conf ? cp_app_refer(app, conf, invitation->uri) : -ENOENT;
}

static void
drain(void *arg, bool is_draining)
{
	struct cp_app *app = arg;

	cp_focus_drain(app->focus, is_draining);
}

static int
ask_leg(void *arg, uint32_t leg, cp_mgmt_media_fn done, void *done_arg)
{
	struct cp_app *app = arg;

	return cp_media_request_id(app->media, DP_CTL_LEG_SHOW, leg, done, done_arg);
}

static int
ask_node(void *arg, cp_mgmt_media_fn done, void *done_arg)
{
	struct cp_app *app = arg;
	struct dp_ctl_hdr m = {.type = DP_CTL_NODE_SHOW};

	return cp_media_request(app->media, &m, sizeof(m), done, done_arg);
}

/* Of a leg that outlived us there is no call, but what the store knew of it. */
static void
leg_facts(void *arg, uint32_t id, struct cp_mgmt_leg_facts *out)
{
	struct cp_app *app = arg;
	const struct cp_call *call = cp_app_call(app, id);
	const struct cp_leg *leg = cp_leg_by_id(app->focus, id);

	*out = (struct cp_mgmt_leg_facts){0};
	if (!leg)
		return;
	out->uri = leg->is_private ? "anonymous" : call ? call->uri : leg->identity;
	out->verified_by = cp_conf_proof_name(leg->proof);
	out->protection = cp_leg_protection(leg);
	out->call_id = leg->call_id;
	out->user_agent = *leg->agent ? leg->agent : NULL;
	out->nickname = cp_chat_nickname(app, id);
}

/* Borrowed until the next call. */
static void
stream_facts(struct cp_mgmt_node_facts *out, const struct cp_app *app)
{
	static struct cp_mgmt_count refused[CP_STREAM_CAUSES], lost[CP_STREAM_CAUSES];
	struct cp_streams_counts counts = cp_streams_counts(app);

	for (enum cp_stream_cause i = 0; i < CP_STREAM_CAUSES; i++) {
		const char *name = cp_stream_cause_name(i);

		refused[i] = (struct cp_mgmt_count){name, counts.refused[i]};
		lost[i] = (struct cp_mgmt_count){name, counts.lost[i]};
	}
	out->streams = counts.open;
	out->streams_total = counts.accepted;
	out->streams_refused = refused;
	out->streams_lost = lost;
	out->stream_cause_count = CP_STREAM_CAUSES;
}

static void
node_facts(void *arg, struct cp_mgmt_node_facts *out)
{
	struct cp_app *app = arg;

	*out = (struct cp_mgmt_node_facts){
		.started_ms = app->started_ms,
		.sip_urls = app->config->sip_options.listen,
		.sip_url_count = app->config->sip_options.listen_count,
		.has_media = cp_media_is_up(app->media),
		.welcome = cp_media_welcome(app->media),
		.calls_total = app->calls_total,
		.calls_refused = app->calls_refused,
		.subscribers = cp_subscribe_count(app),
	};
	stream_facts(out, app);
}

static int
settle(void *arg, cp_mgmt_settled_fn done, void *done_arg)
{
	struct cp_app *app = arg;

	return cp_archive_settle(app->archive, done, done_arg);
}

static int
records(void *arg, const struct cp_record_query *query, cp_records_fn done, void *done_arg)
{
	struct cp_app *app = arg;

	return cp_archive_records(app->archive, query, done, done_arg);
}

static int
audits(void *arg, const struct cp_audit_query *query, cp_audits_fn done, void *done_arg)
{
	struct cp_app *app = arg;

	return cp_archive_audits(app->archive, query, done, done_arg);
}

static void
audit(void *arg, const char *by, const char *conf, const char *what)
{
	cp_keep_audit(arg, by, conf, what);
}

void
cp_api_init(struct cp_app *app)
{
	app->ops = (struct cp_mgmt_ops){
		.app = app,
		.focus = app->focus,
		.security = (enum cp_conf_security)app->config->security.fallback,
		.now_ms = now_ms,
		.handle = handle,
		.create = create,
		.dial = dial,
		.refer = refer,
		.drain = drain,
		.ask_leg = ask_leg,
		.ask_node = ask_node,
		.leg_facts = leg_facts,
		.node_facts = node_facts,
		.settle = settle,
		.records = records,
		.audits = audits,
		.audit = audit,
		.chat_show = cp_chat_show,
		.chat_members = cp_chat_members,
		.chat_message = cp_chat_message,
		.chat_say = cp_chat_say,
		.chat_mute = cp_chat_mute,
		.floor_requests = cp_floors_requests,
		.floor_is_chair = cp_floors_is_chair,
		.floor_order = cp_floors_order,
		.clips = clips,
	};
}
