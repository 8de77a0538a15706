/* SUBSCRIBE: who may watch a conference (seed G.3.3), for how long (RFC 6665 4.2.1), and the end of it. */
#include "ctrlplane/app/subscribe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrlplane/app/subscribe_state.h"
#include "ctrlplane/base/log.h"

#define RETRY_AFTER_S 5
#define HOUR_S 3600 /* RFC 6665 4.2.1.1: below it a subscription may be too brief */

static struct cp_watch *
find_watch(const struct cp_subscribe *s, uint32_t conf)
{
	struct cp_watch *watch;

	LIST_FOREACH (watch, &s->watches, entry)
		if (watch->conf == conf)
			return watch;
	return NULL;
}

/* The conference's URI in documents: as tickets have it, else as the first subscriber called it. */
static void
name_conference(char uri[CP_IDENTITY_MAX], const struct cp_sub *sub, const char *user)
{
	const struct cp_app *app = sub->app;

	if (app->mikey.is_on && cp_app_mikey_user(uri, &app->mikey, user))
		return;
	snprintf(uri, CP_IDENTITY_MAX, "sip:%s@%s", user, *sub->host ? sub->host : "localhost");
}

static struct cp_watch *
watch_of(struct cp_sub *sub, const struct cp_conf *conf)
{
	struct cp_subscribe *s = sub->app->subscribe;
	struct cp_watch *watch = find_watch(s, conf->id);
	char uri[CP_IDENTITY_MAX];

	if (watch)
		return watch;
	watch = calloc(1, sizeof(*watch));
	name_conference(uri, sub, conf->user);
	if (!watch || cp_roster_create(&watch->rosters[CP_VIEW_ALL], uri) != 0) {
		free(watch);
		return NULL;
	}
	watch->conf = conf->id;
	watch->is_dirty = watch->is_judged = true;
	LIST_INIT(&watch->subs);
	LIST_INSERT_HEAD(&s->watches, watch, entry);
	return watch;
}

static void
free_watch(struct cp_watch *watch)
{
	LIST_REMOVE(watch, entry);
	for (int view = 0; view < CP_VIEWS; view++)
		cp_roster_destroy(watch->rosters[view]);
	free(watch);
}

struct cp_roster *
cp_sub_roster(const struct cp_sub *sub)
{
	return sub->watch->rosters[sub->view];
}

/* What it may see; what it sees until now need not be that. */
static void
look(struct cp_sub *sub)
{
	struct cp_roster **rosters = sub->watch->rosters;
	enum cp_sub_view view = sub->may_steer ? CP_VIEW_STEERING : CP_VIEW_ALL;

	if (sub->view == view)
		return;
	if (!rosters[view]) {
		if (cp_roster_create(&rosters[view], cp_roster_entity(rosters[CP_VIEW_ALL])) != 0)
			return; /* it sees less */
		sub->watch->is_dirty = true;
	}
	sub->view = view;
	sub->wants_full = true;
}

static bool
join_watch(struct cp_sub *sub, const struct cp_conf *conf)
{
	struct cp_watch *watch = watch_of(sub, conf);

	if (!watch)
		return false;
	sub->watch = watch;
	LIST_INSERT_HEAD(&watch->subs, sub, entry);
	watch->count++;
	sub->app->subscribe->count++;
	look(sub);
	return true;
}

void
cp_sub_leave(struct cp_sub *sub)
{
	struct cp_watch *watch = sub->watch;

	if (!watch)
		return;
	LIST_REMOVE(sub, entry);
	sub->watch = NULL;
	sub->is_over = true;
	sub->app->subscribe->count--;
	if (--watch->count == 0)
		free_watch(watch);
}

static void
free_sub(struct cp_sub *sub)
{
	cp_sub_leave(sub);
	LIST_REMOVE(sub, of_all);
	cp_sub_keys_free(sub);
	free(sub);
}

void
cp_sub_end(struct cp_sub *sub, const char *reason, unsigned int retry_after_s)
{
	cp_log(CP_LOG_DEBUG, CP_APP_AREA, "%s: subscription from %s ends: %s", sub->user, sub->via,
	       reason);
	cp_sub_notify_end(sub, reason, retry_after_s, NULL);
	cp_sub_leave(sub);
}

/* What is asked of admission on behalf of a subscriber. */
static int
admit(struct cp_conf_verdict *verdict, struct cp_sub *sub, bool has_key)
{
	const struct cp_conf_request request = {
		.user = cp_slice_text(sub->user),
		.identity = cp_slice_text(sub->identity),
		.proof = sub->proof,
		.tel = cp_slice_text(sub->tel),
		.kms = cp_slice_text(sub->kms),
		.purpose = CP_PURPOSE_SUBSCRIBE,
		.has_key = has_key,
		.now_ms = cp_app_now_ms(),
	};

	int status = cp_conf_admit(verdict, sub->app->focus, &request);

	sub->may_steer = status == 0 && verdict->proof != CP_PROOF_NONE &&
			 (cp_conf_may(verdict->conf, verdict->person, CP_ACTION_STEER) ||
			  cp_conf_may(verdict->conf, verdict->tel, CP_ACTION_STEER));
	return status;
}

bool
cp_sub_is_welcome(struct cp_sub *sub)
{
	struct cp_conf_verdict verdict;

	if (admit(&verdict, sub, sub->key.kek != NULL) != 0)
		return false;
	if (verdict.is_protected && !sub->is_protected) { /* since a change of the policy */
		if (sub->is_plain_only)
			return cp_conf_notify_policy(verdict.conf) != CP_NOTIFY_REQUIRED;
		sub->is_protected = true;
	}
	look(sub);
	return true;
}

/* The SUBSCRIBE that is looked at is refused: with the first one the subscription is over. */
static void
refuse(struct cp_sub *sub, const struct cp_sip_sub_refusal *refusal)
{
	bool is_first = !sub->watch && !sub->is_over;

	cp_log(CP_LOG_INFO, CP_APP_AREA, "%s: SUBSCRIBE from %s refused with %d: %s", sub->user,
	       sub->via, refusal->status, refusal->text ? refusal->text : "-");
	sub->is_pending = false;
	cp_sip_sub_refuse(sub->sip, refusal);
	cp_sub_keys_abort(sub);
	if (is_first)
		free_sub(sub);
}

static void
refuse_keys(struct cp_sub *sub, int status)
{
	if (status == 488)
		cp_sub_keys_refused(sub);
	refuse(sub,
	       &(struct cp_sip_sub_refusal){
		       .status = status,
		       .text = status == 503 ? "No KMS answers" : "The MIKEY message is refused",
		       .retry_after_s = status == 503 ? RETRY_AFTER_S : 0,
		       .mikey = cp_slice((const char *)sub->answer, sub->answer_len)});
}

/*
 * RFC 6665 4.4.3: Expires 0 is a fetch, or the end. A document that no datagram holds goes ahead, so that the end itself arrives
 * where the document does not.
 */
static void
answer_once(struct cp_sub *sub, const struct cp_conf *conf)
{
	struct cp_roster_body *body = NULL;

	if (!sub->watch && !join_watch(sub, conf)) {
		refuse(sub,
		       &(struct cp_sip_sub_refusal){.status = 503, .retry_after_s = RETRY_AFTER_S});
		return;
	}
	cp_sip_sub_accept(sub->sip, 0, cp_slice((const char *)sub->answer, sub->answer_len));
	cp_sub_keys_commit(sub);
	look(sub);
	cp_watch_show(sub->app, sub->watch);
	if (cp_roster_full(&body, cp_sub_roster(sub)) == 0 &&
	    cp_roster_body_room(body) > CP_SUB_DATAGRAM) {
		cp_roster_body_put(body);
		sub->expires_ms = cp_app_now_ms();
		sub->wants_full = true;
		cp_sub_notify(sub);
		return;
	}
	cp_sub_notify_end(sub, "timeout", 0, body);
	cp_roster_body_put(body);
	cp_sub_leave(sub);
}

static bool
has_room(const struct cp_sub *sub, const struct cp_conf *conf)
{
	const struct cp_config_notify *c = &sub->app->config->notify;
	const struct cp_watch *watch = find_watch(sub->app->subscribe, conf->id);

	return sub->watch || (sub->app->subscribe->count < (size_t)c->subscribers_max &&
			      (!watch || watch->count < (size_t)c->per_conference));
}

static void
take_in(struct cp_sub *sub, const struct cp_conf *conf, bool is_protected)
{
	int64_t max_s = sub->app->config->notify.expires_max_ms / 1000;
	unsigned int expires_s = sub->asked_s < max_s ? sub->asked_s : (unsigned int)max_s;

	sub->is_pending = false;
	sub->is_protected = is_protected;
	if (sub->asked_s == 0) {
		answer_once(sub, conf);
		return;
	}
	if (!has_room(sub, conf) || (!sub->watch && !join_watch(sub, conf))) {
		refuse(sub, &(struct cp_sip_sub_refusal){.status = 503,
							 .text = "Too many subscriptions",
							 .retry_after_s = RETRY_AFTER_S});
		return;
	}
	cp_sip_sub_accept(sub->sip, expires_s,
			  cp_slice((const char *)sub->answer, sub->answer_len));
	cp_sub_keys_commit(sub);
	look(sub);
	sub->expires_ms = cp_app_now_ms() + (int64_t)expires_s * 1000;
	sub->wants_full = true;
	cp_sub_notify(sub);
}

/* Who it is, is known as well as it goes; keys are there or are not. */
static void
decide(struct cp_sub *sub)
{
	struct cp_app *app = sub->app;
	const struct cp_conf *conf = cp_conf_by_user(app->focus, cp_slice_text(sub->user));
	struct cp_conf_verdict verdict;
	bool has_key;
	int status;

	if (conf && !sub->resolve && !cp_sub_keys_vouch(sub, conf))
		cp_sub_keys_of_call(sub, conf);
	has_key = sub->resolve || sub->next.kek || sub->key.kek;
	status = admit(&verdict, sub, has_key);
	if (status != 0) {
		refuse(sub, &(struct cp_sip_sub_refusal){.status = status,
							 .text = verdict.reason,
							 .retry_after_s = verdict.retry_after_s});
		return;
	}
	conf = verdict.conf;
	if (verdict.is_protected && sub->is_plain_only) {
		if (cp_conf_notify_policy(conf) == CP_NOTIFY_REQUIRED || sub->is_by_key) {
			refuse(sub, &(struct cp_sip_sub_refusal){
					    .status = 406,
					    .text = "The state of this conference is protected"});
			return;
		}
		verdict.is_protected = false;
	}
	if (sub->is_by_key && !verdict.is_protected) { /* the policy has become another one */
		refuse(sub,
		       &(struct cp_sip_sub_refusal){.status = 403, .text = "Prove who you are"});
		return;
	}
	status = sub->resolve ? cp_sub_keys_answer(sub) : 0;
	if (status != 0) {
		refuse_keys(sub, status);
		return;
	}
	take_in(sub, conf, verdict.is_protected);
}

static void
on_keys(struct cp_sub *sub, int status)
{
	if (sub->is_over) { /* meanwhile, and what was to be refreshed is no more */
		refuse(sub, &(struct cp_sip_sub_refusal){.status = 481});
		return;
	}
	if (status != 0) {
		refuse_keys(sub, status);
		return;
	}
	if (sub->watch && *sub->kms && strcmp(sub->kms, sub->resolve->initiator) != 0) {
		refuse(sub, &(struct cp_sip_sub_refusal){.status = 403,
							 .text = "The ticket is of somebody else"});
		return;
	}
	snprintf(sub->kms, sizeof(sub->kms), "%s", sub->resolve->initiator);
	sub->is_by_key = false;
	decide(sub);
}

static enum cp_conf_proof
proof_of(enum cp_sip_proof proof)
{
	return proof == CP_SIP_ASSERTED ? CP_PROOF_ASSERTED
	       : proof == CP_SIP_DIGEST ? CP_PROOF_DIGEST
					: CP_PROOF_NONE;
}

static bool
know_by_call(struct cp_sub *sub, const struct cp_sip_subscribe *s)
{
	const struct cp_call *call = cp_sip_call_owner(s->call);
	const struct cp_leg *leg = call ? cp_leg_by_id(sub->app->focus, call->leg) : NULL;

	if (!leg)
		return false;
	sub->leg = leg->id;
	sub->proof = leg->proof;
	snprintf(sub->user, sizeof(sub->user), "%s", leg->conf->user);
	snprintf(sub->identity, sizeof(sub->identity), "%s", leg->person);
	snprintf(sub->tel, sizeof(sub->tel), "%s", leg->tel);
	if (leg->proof == CP_PROOF_KMS)
		snprintf(sub->kms, sizeof(sub->kms), "%s", leg->person);
	return true;
}

static struct cp_sub *
create(struct cp_app *app, struct cp_sip_sub *sip, const struct cp_sip_subscribe *s)
{
	struct cp_sub *sub = calloc(1, sizeof(*sub));

	if (!sub)
		return NULL;
	sub->app = app;
	sub->sip = sip;
	snprintf(sub->user, sizeof(sub->user), "%s", s->user);
	snprintf(sub->host, sizeof(sub->host), "%s", s->host);
	snprintf(sub->via, sizeof(sub->via), "%s", s->peer);
	snprintf(sub->source, sizeof(sub->source), "%.*s",
		 (int)(strrchr(s->peer, ':') ? strrchr(s->peer, ':') - s->peer : 0), s->peer);
	if (s->identity) {
		sub->proof = proof_of(s->identity->proof);
		snprintf(sub->identity, sizeof(sub->identity), "%s", s->identity->uri);
		snprintf(sub->tel, sizeof(sub->tel), "%s",
			 sub->proof == CP_PROOF_ASSERTED ? s->identity->tel : "");
	} else if (!s->call || !know_by_call(sub, s)) {
		free(sub);
		return NULL;
	}
	cp_sip_sub_set_owner(sip, sub);
	LIST_INSERT_HEAD(&app->subscribe->subs, sub, of_all);
	return sub;
}

static void
on_subscribe(void *ctx, struct cp_sip_sub *sip, const struct cp_sip_subscribe *s)
{
	struct cp_app *app = ctx;
	struct cp_sub *sub = cp_sip_sub_owner(sip);
	unsigned int min_s = (unsigned int)(app->config->notify.expires_min_ms / 1000);
	int status;

	if (!sub)
		sub = create(app, sip, s);
	if (!sub) {
		cp_sip_sub_refuse(sip, &(struct cp_sip_sub_refusal){.status = s->call ? 481 : 503});
		return;
	}
	sub->is_pending = true;
	sub->asked_s = s->expires_s;
	sub->is_plain_only = s->has_accept && !s->accepts_cms;
	if (s->expires_s > 0 && s->expires_s < HOUR_S && s->expires_s < min_s) {
		refuse(sub, &(struct cp_sip_sub_refusal){.status = 423, .min_expires_s = min_s});
		return;
	}
	if (s->mikey.len == 0) {
		decide(sub);
		return;
	}
	status = cp_sub_keys_start(sub, s->mikey, on_keys);
	if (status != 0)
		refuse_keys(sub, status);
}

static void
log_failure(const struct cp_sub *sub, int status)
{
	if (sub->sent > CP_SUB_DATAGRAM && strstr(sub->via, "/UDP"))
		cp_log(CP_LOG_WARN, CP_APP_AREA,
		       "%s: %zu octets of NOTIFY do not reach subscriber %s by UDP; it needs TCP",
		       sub->user, sub->sent, sub->via);
	else
		cp_log(CP_LOG_INFO, CP_APP_AREA, "%s: subscriber %s answered NOTIFY with %d",
		       sub->user, sub->via, status);
}

/* RFC 6665 4.2.2: what refuses a NOTIFY, or does not answer, subscribes no more. */
static void
on_notified(void *ctx, struct cp_sip_sub *sip, int status)
{
	struct cp_sub *sub = cp_sip_sub_owner(sip);

	if (!sub)
		return;
	sub->is_sending = false;
	if (status >= 300) {
		log_failure(sub, status);
		free_sub(sub);
		return;
	}
	if (sub->watch && sub->wants_full)
		cp_sub_notify(sub);
}

static void
on_ended(void *ctx, struct cp_sip_sub *sip)
{
	struct cp_sub *sub = cp_sip_sub_owner(sip);

	if (sub)
		free_sub(sub);
}

static bool
look_up(void *ctx, const char *user, struct cp_sip_policy *policy)
{
	return cp_app_sip_handler.look_up(ctx, user, policy);
}

int
cp_subscribe_open(struct cp_app *app)
{
	const struct cp_sip_notifier notifier = {.look_up = look_up,
						 .subscribe = on_subscribe,
						 .notified = on_notified,
						 .ended = on_ended,
						 .ctx = app};
	struct cp_subscribe *s = calloc(1, sizeof(*s));
	int rc = s ? cp_cms_create(&s->cms) : -ENOMEM;

	if (rc != 0) {
		free(s);
		return rc;
	}
	LIST_INIT(&s->watches);
	LIST_INIT(&s->subs);
	app->subscribe = s;
	if (app->config->notify.subscribers_max > 0)
		cp_sip_set_notifier(app->sip, &notifier);
	return 0;
}

void
cp_subscribe_close(struct cp_app *app)
{
	struct cp_subscribe *s = app->subscribe;
	struct cp_sub *sub;

	if (!s)
		return;
	while ((sub = LIST_FIRST(&s->subs)) != NULL) {
		cp_sip_sub_set_owner(sub->sip, NULL);
		free_sub(sub); /* a watch goes with the last one */
	}
	cp_cms_destroy(s->cms);
	free(s->plain);
	free(s->sealed);
	free(s);
	app->subscribe = NULL;
}

void
cp_subscribe_stop(struct cp_app *app)
{
	struct cp_subscribe *s = app->subscribe;
	unsigned int retry_s = (unsigned int)(app->config->notify.retry_after_ms / 1000);
	struct cp_sub *sub, *next;

	if (!s)
		return;
	s->is_stopping = true;
	for (sub = LIST_FIRST(&s->subs); sub; sub = next) {
		bool is_accepted = sub->watch != NULL;

		next = LIST_NEXT(sub, of_all);
		if (sub->is_pending)
			refuse(sub, &(struct cp_sip_sub_refusal){.status = 503,
								 .retry_after_s = retry_s});
		if (is_accepted)
			cp_sub_end(sub, "probation", retry_s);
	}
}

/* The conference is over: RFC 4575 3.3. */
static void
close_watch(struct cp_watch *watch)
{
	struct cp_roster_body *body = NULL;
	bool is_last = false;

	cp_roster_deleted(&body, watch->rosters[CP_VIEW_ALL]);
	while (!is_last) {
		struct cp_sub *sub = LIST_FIRST(&watch->subs);

		is_last = watch->count == 1;
		cp_sub_notify_end(sub, "noresource", 0, body);
		cp_sub_leave(sub);
	}
	cp_roster_body_put(body);
}

static bool
is_role(const struct cp_app *app, const struct cp_effect *e)
{
	const struct cp_leg *leg = cp_leg_by_id(app->focus, e->leg);

	return leg && strcmp(e->text, cp_conf_role_name(leg->role)) == 0;
}

void
cp_subscribe_notice(struct cp_app *app, const struct cp_effect *e)
{
	struct cp_watch *watch = app->subscribe ? find_watch(app->subscribe, e->conf) : NULL;

	if (!watch)
		return;
	switch (e->notice) {
	case CP_NOTICE_CLOSED:
		close_watch(watch);
		return;
	case CP_NOTICE_DTMF:
	case CP_NOTICE_TALKERS:
		return;
	case CP_NOTICE_CONF:
	case CP_NOTICE_LIST:
	case CP_NOTICE_LEFT:
		watch->is_judged = false;
		break;
	case CP_NOTICE_CHANGED:
		watch->is_judged &= !is_role(app, e);
		break;
	default:
		break;
	}
	watch->is_dirty = true;
}

void
cp_subscribe_ssrc(struct cp_app *app, uint32_t conf)
{
	struct cp_watch *watch = app->subscribe ? find_watch(app->subscribe, conf) : NULL;

	if (watch)
		watch->is_dirty = true;
}

size_t
cp_subscribe_count(const struct cp_app *app)
{
	return app->subscribe ? app->subscribe->count : 0;
}
