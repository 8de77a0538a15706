/*
 * Calls that the focus makes: a ticket for the invitee where MIKEY-TICKET is wanted, the leg, our INVITE, and who answered.
 */
#include "ctrlplane/app/app_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "ctrlplane/base/log.h"

static void
give_up(struct cp_call *call, int status, const char *why)
{
	cp_log(CP_LOG_WARN, CP_APP_AREA, "%s was not called: %s", call->uri, why);
	cp_call_dial_progress(call, status);
	cp_call_refuse_done(call);
}

static int
admit(struct cp_conf_verdict *verdict, struct cp_focus *focus, const struct cp_conf *conf,
      const char *identity, const struct cp_dial_order *order)
{
	struct cp_conf_request request = {
		.user = cp_slice_text(conf ? conf->user : ""),
		.identity = cp_slice_text(identity),
		.inviter = cp_slice_text(order->inviter ? order->inviter : ""),
		.purpose = order->redirect ? CP_PURPOSE_REDIRECT : CP_PURPOSE_DIAL_OUT,
		.now_ms = cp_app_now_ms(),
	};

	return cp_conf_admit(verdict, focus, &request);
}

static void
join(struct cp_call *call)
{
	struct cp_focus *focus = call->app->focus;
	const struct cp_dial_order order = {.inviter = call->dialing->inviter,
					    .redirect = call->dialing->redirect};
	struct cp_conf_verdict verdict;

	if (admit(&verdict, focus, cp_conf_by_id(focus, call->conf), call->identity, &order) != 0)
		give_up(call, verdict.status, verdict.reason);
	else
		cp_call_join(call, &verdict);
}

static void
on_ticket(struct cp_call *call, int status)
{
	call->step = CP_STEP_NONE;
	if (status == 0 || cp_call_offer_without(call))
		join(call);
	else
		give_up(call, 503, "the KMS gives no ticket for it");
}

/* What an order says, kept while the call is under way. */
static struct cp_dialing *
keep_order(const struct cp_dial_order *o)
{
	struct cp_dialing *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	snprintf(d->inviter, sizeof(d->inviter), "%s", o->inviter ? o->inviter : "");
	snprintf(d->reason, sizeof(d->reason), "%s", o->reason ? o->reason : "");
	snprintf(d->replaces, sizeof(d->replaces), "%s", o->replaces ? o->replaces : "");
	snprintf(d->join, sizeof(d->join), "%s", o->join ? o->join : "");
	d->is_referred = o->refer != NULL || o->is_referred;
	d->hops = o->hops;
	if (o->history && !(d->history = strdup(o->history))) {
		free(d);
		return NULL;
	}
	return d;
}

static struct cp_call *
create(struct cp_app *app, const struct cp_conf *conf, const struct cp_dial_order *order,
       const char *identity)
{
	struct cp_call *call = calloc(1, sizeof(*call));
	uint8_t random[12];

	if (!call || !(call->caller = calloc(1, sizeof(*call->caller))) ||
	    !(call->dialing = keep_order(order))) {
		if (call)
			free(call->caller);
		free(call);
		return NULL;
	}
	call->app = app;
	call->conf = conf->id;
	call->is_outgoing = true;
	call->verified_by = "none";
	snprintf(call->caller->user, sizeof(call->caller->user), "%s", conf->user);
	snprintf(call->caller->via, sizeof(call->caller->via), "called by us");
	snprintf(call->identity, sizeof(call->identity), "%s", identity);
	snprintf(call->uri, sizeof(call->uri), "%s", order->uri);
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		memset(random, 0, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(call->cname + 2 * i, 3, "%02x", random[i]);
	return call;
}

/* A user part and the host of one of our addresses: a conference that called another would hear itself. */
static bool
is_ours(const struct cp_app *app, const char *identity)
{
	const struct cp_sip_options *o = &app->config->sip_options;
	const char *at = strchr(identity, '@');
	const char *user = strchr(identity, ':');
	struct cp_sip_policy policy;
	char name[CP_IDENTITY_MAX];

	if (!at || !user)
		return false;
	snprintf(name, sizeof(name), "%.*s", (int)(at - user - 1), user + 1);
	if (!cp_call_look_up((void *)(uintptr_t)app, name, &policy))
		return false;
	if (strcmp(at + 1, app->config->mikey.host) == 0)
		return true;
	for (size_t i = 0; i < o->listen_count; i++) {
		const char *host = strchr(o->listen[i], ':');
		size_t len = host ? strcspn(host + 1, ";") : 0;
		bool has_port = host && strncmp(host + 1, at + 1, len) == 0;

		if (has_port && (at[1 + len] == '\0' || at[1 + len] == ';'))
			return true;
	}
	return false;
}

static int
start(struct cp_call *call, const struct cp_conf *conf)
{
	if (cp_sdp_offer(&call->next, cp_call_policy(call, conf->id, false), &call->sdp) != 0)
		return -ENOMEM;
	call->has_next = true;
	if (!call->next.next.has_mikey) {
		join(call);
		return 0;
	}
	call->step = CP_STEP_KEYS;
	return cp_keying_ticket(call, conf->user, call->identity, on_ticket) ? -EAGAIN : 0;
}

/* A number is called at the proxy, which knows where it is (RFC 3261 19.1.6); without one nobody can be reached by it. */
static int
dial_number(struct cp_conf_verdict *verdict, struct cp_app *app, const struct cp_conf *conf,
	    const struct cp_dial_order *order)
{
	const char *proxy = app->config->sip.outbound_proxy;
	const char *host = proxy ? strchr(proxy, ':') + 1 : "";
	char number[CP_IDENTITY_MAX], uri[CP_IDENTITY_MAX];
	struct cp_dial_order by_sip = *order;
	int len;

	if (!proxy || cp_identity(number, cp_slice_text(order->uri)) != 0)
		return -EINVAL;
	len = snprintf(uri, sizeof(uri), "sip:%s@%.*s;user=phone", number + strlen("tel:"),
		       (int)strcspn(host, ";"), host);
	if (len < 0 || (size_t)len >= sizeof(uri))
		return -EINVAL;
	by_sip.uri = uri;
	return cp_app_dial(verdict, app, conf, &by_sip);
}

int
cp_app_dial(struct cp_conf_verdict *verdict, struct cp_app *app, const struct cp_conf *conf,
	    const struct cp_dial_order *order)
{
	char identity[CP_IDENTITY_MAX];
	struct cp_call *call;
	int rc;

	memset(verdict, 0, sizeof(*verdict));
	if (strncmp(order->uri, "tel:", 4) == 0)
		return dial_number(verdict, app, conf, order);
	if (strlen(order->uri) >= CP_IDENTITY_MAX || strpbrk(order->uri, "<>\" \r\n") ||
	    strncmp(order->uri, "sip", 3) != 0 ||
	    cp_identity(identity, cp_slice_text(order->uri)) != 0 || is_ours(app, identity))
		return -EINVAL;
	if (!cp_media_is_up(app->media) || cp_focus_is_draining(app->focus) ||
	    cp_load_refuses(app, conf))
		return -EAGAIN;
	if (admit(verdict, app->focus, conf, identity, order) != 0)
		return -EACCES;
	call = create(app, conf, order, identity);
	if (!call)
		return -ENOMEM;
	call->dialing->refer = order->refer;
	call->dialing->redirect = order->redirect;
	if (order->refer)
		cp_sip_refer_accept(order->refer);
	rc = start(call, conf);
	if (rc != 0)
		give_up(call, 503, strerror(-rc));
	return order->refer || order->redirect ? 0 : rc; /* who sent the REFER hears it by NOTIFY */
}

void
cp_call_dial_progress(struct cp_call *call, int status)
{
	struct cp_dialing *d = call->dialing;
	struct cp_sip_refer *refer = d ? d->refer : NULL;

	if (!d)
		return;
	if (status > 100 && status < 200 && call->is_linked)
		cp_app_handle(call->app,
			      &(struct cp_event){.type = CP_EVENT_ALERTING, .leg = call->leg});
	if (status >= 200) {
		call->dialing = NULL;
		free(d->redirect);
		free(d->history);
		free(d);
	}
	if (refer && call->app->sip && status > 100)
		cp_sip_refer_progress(refer, status, NULL);
}

int
cp_call_dial(struct cp_call *call)
{
	struct cp_app *app = call->app;
	const struct cp_dialing *d = call->dialing;
	const struct cp_conf *conf = cp_conf_by_id(app->focus, call->conf);
	char from[CP_IDENTITY_MAX], text[CP_SDP_TEXT_MAX];
	struct cp_sip_dial dial = {
		.to = d->redirect ? cp_redirect_to(d->redirect) : call->uri,
		.target = call->uri,
		.from = from,
		.user = conf ? conf->user : "",
		.replaces = d->replaces,
		.join = d->join,
		.referred_by = d->is_referred ? d->inviter : NULL,
		.history = cp_slice_text(d->history),
		.hops = d->hops,
		.owner = call,
	};
	int len, rc;

	if (!conf || !cp_app_mikey_user(from, &app->mikey, conf->user))
		return -EINVAL;
	cp_call_commit(call);
	if (call->sdp.has_mikey && cp_keying_transfer(call) != 0)
		return -EPROTO;
	len = cp_call_encode(text, sizeof(text), call);
	if (len < 0)
		return len;
	dial.sdp = cp_slice(text, (size_t)len);
	rc = cp_sip_dial(&call->sip, app->sip, &dial);
	cp_wipe(text, sizeof(text));
	if (rc == 0)
		cp_app_handle(app, &(struct cp_event){.type = CP_EVENT_DIALING, .leg = call->leg});
	return rc;
}

/* Would the conference have let in who answered in the place of another? */
static bool
may_answer(const struct cp_call *call, struct cp_conf_request request)
{
	const struct cp_conf *conf = cp_conf_by_id(call->app->focus, call->conf);
	struct cp_conf_verdict verdict;

	request.user = cp_slice_text(conf ? conf->user : "");
	request.purpose = CP_PURPOSE_ANSWER;
	request.now_ms = cp_app_now_ms();
	return cp_conf_admit(&verdict, call->app->focus, &request) == 0;
}

static void
take_answerer(struct cp_call *call, const char *who)
{
	cp_log(CP_LOG_INFO, CP_APP_AREA, "%s was called and %s answered", call->identity, who);
	snprintf(call->identity, sizeof(call->identity), "%s", who);
	if (!call->is_private)
		snprintf(call->uri, sizeof(call->uri), "%s", who);
}

/* Seed G.2: a call of ours may be brought to somebody else, who may not want to be known. The conference says whether it bears that. */
int
cp_call_check_answerer(struct cp_call *call, const char **why)
{
	const struct cp_sip_identity *id = cp_sip_call_answerer(call->sip);
	const struct cp_conf *conf = cp_conf_by_id(call->app->focus, call->conf);
	bool is_believed = call->app->config->call.answerer == CP_CONFIG_ANSWERER_BELIEVED;
	bool is_keyed = strcmp(call->verified_by, "kms") == 0;

	if (id && id->is_private) { /* RFC 3323 4.2: others are not to learn it */
		call->is_private = true;
		snprintf(call->uri, sizeof(call->uri), "anonymous");
	}
	if (!id || id->proof != CP_SIP_ASSERTED) {
		*why = "Nobody says who answered";
		return is_keyed || is_believed || (conf && conf->believes_from) ? 0 : 403;
	}
	if (cp_identity_is_same(id->uri, call->identity) ||
	    (*id->tel && cp_identity_is_same(id->tel, call->identity))) {
		call->verified_by = is_keyed ? "kms" : "asserted";
		return 0;
	}
	*why = is_keyed ? "The ticket is of another identity than the call"
			: "Somebody else answered";
	if (is_keyed ||
	    !may_answer(call, (struct cp_conf_request){.identity = cp_slice_text(id->uri),
						       .tel = cp_slice_text(id->tel),
						       .proof = CP_PROOF_ASSERTED}))
		return 403;
	take_answerer(call, id->uri);
	call->verified_by = "asserted";
	return 0;
}

/*
 * The keys are bound to who the KMS says answered: whom we called, or where the network brought the call to somebody else, one of the
 * list. The participant is who answered.
 */
bool
cp_call_is_welcome(struct cp_call *call, const char *who)
{
	bool is_invited = strcmp(who, call->identity) == 0;

	if (!is_invited && (!call->is_outgoing ||
			    !may_answer(call, (struct cp_conf_request){.kms = cp_slice_text(who)})))
		return false;
	if (!is_invited)
		take_answerer(call, who);
	call->verified_by = "kms";
	return true;
}
