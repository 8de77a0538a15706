/*
 * REFER to the focus: who may ask it to call, to hang up or to refer, one or many (RFC 4579 5.5 to 5.10, RFC 3515, RFC 5368); and its
 * own REFER to who is to dial in.
 */
#include "ctrlplane/app/app_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrlplane/base/log.h"
#include "ctrlplane/sip/resource_list.h"

#define RETRY_AFTER_S 5

/* Somebody who asks, and the conference that it is about. */
struct asking {
	struct cp_app *app;
	const struct cp_conf *conf;
	char person[CP_IDENTITY_MAX]; /* canonical: a copy, its call may end meanwhile */
	unsigned int hops;
};

/* A REFER of ours that somebody asked for by REFER. Owner: the SIP agent's, until its last word. */
struct cp_referral {
	struct cp_app *app;
	struct cp_sip_refer *refer; /* who wants to hear of it; NULL: nobody */
	char uri[CP_IDENTITY_MAX];
};

static void
refuse(struct cp_sip_refer *refer, int status, const char *why)
{
	cp_log(CP_LOG_INFO, CP_APP_AREA, "REFER refused with %d: %s", status, why);
	cp_sip_refer_refuse(refer, &(struct cp_sip_refusal){
					   .status = status,
					   .warning_code = 399,
					   .warning_text = why,
					   .retry_after_s = status == 503 ? RETRY_AFTER_S : 0});
}

/* Who is in the dialog, or who proves to be somebody: else nobody, who may nothing. */
static bool
find_asking(struct asking *a, struct cp_app *app, const struct cp_sip_refer_request *r)
{
	const struct cp_call *call = r->call ? cp_sip_call_owner(r->call) : NULL;
	const struct cp_sip_identity *id = r->identity;

	*a = (struct asking){.app = app, .hops = r->hops};
	if (call) {
		a->conf = cp_conf_by_id(app->focus, call->conf);
		snprintf(a->person, sizeof(a->person), "%s", call->identity);
		return a->conf && *a->person;
	}
	a->conf = cp_conf_by_user(app->focus, cp_slice_text(r->user));
	if (id && a->conf &&
	    (id->proof >= CP_SIP_DIGEST || (id->proof == CP_SIP_CLAIMED && a->conf->believes_from)))
		snprintf(a->person, sizeof(a->person), "%s", id->uri);
	return a->conf && *a->person;
}

static int
status_of(int rc, const struct cp_conf_verdict *verdict)
{
	switch (rc) {
	case 0:
		return 0;
	case -EACCES:
		return verdict->status ? verdict->status : 403;
	case -EINVAL:
		return 400;
	case -ENOENT:
		return 404;
	default:
		return 503;
	}
}

static int
call_out(struct asking *a, const struct cp_sip_refer_to *to, struct cp_sip_refer *refer,
	 const char *history, struct cp_conf_verdict *verdict)
{
	const struct cp_dial_order order = {
		.uri = to->uri,
		.inviter = a->person,
		.reason = "REFER",
		.replaces = to->replaces,
		.join = to->join,
		.history = history,
		.hops = a->hops,
		.refer = refer,
	};

	return status_of(cp_app_dial(verdict, a->app, a->conf, &order), verdict);
}

/* All legs of that person; the focus says whether he who asks may. */
static int
hang_up_on(struct asking *a, const char *uri)
{
	char identity[CP_IDENTITY_MAX];
	struct cp_leg *leg, *next;
	int found = -ENOENT;

	if (cp_identity(identity, cp_slice_text(uri)) != 0)
		return 400;
	for (leg = a->conf->legs; leg; leg = next) {
		struct cp_event event = {.type = CP_EVENT_REMOVE,
					 .text = "Removed from the conference",
					 .actor = a->person};
		int rc;

		next = leg->next;
		if (!cp_identity_is_same(leg->person, identity) &&
		    !(*leg->tel && cp_identity_is_same(leg->tel, identity)))
			continue;
		event.leg = leg->id;
		rc = cp_app_say(a->app, &event, NULL);
		if (found != 0)
			found = rc;
		a->conf = cp_conf_by_id(a->app->focus, a->conf->id);
		if (!a->conf)
			break;
	}
	cp_app_carry_out(a->app);
	return found == 0 ? 0 : found == -EACCES ? 403 : 404;
}

/* The call of who is in another conference already: he is asked in its dialog. */
static struct cp_sip_call *
call_elsewhere(const struct cp_app *app, const struct cp_conf *conf, const char *identity)
{
	for (const struct cp_conf *c = cp_conf_first(app->focus); c; c = c->next) {
		const struct cp_leg *leg = c != conf ? cp_conf_leg_of(c, identity) : NULL;
		const struct cp_call *call = leg ? cp_app_call(app, leg->id) : NULL;

		if (call && call->is_connected && call->sip)
			return call->sip;
	}
	return NULL;
}

static int
send_refer(struct cp_app *app, const struct cp_conf *conf, const char *uri,
	   struct cp_sip_refer *refer, unsigned int hops)
{
	struct cp_referral *referral = calloc(1, sizeof(*referral));
	char from[CP_IDENTITY_MAX];
	struct cp_sip_refer_order order = {
		.to = uri, .from = from, .user = conf->user, .hops = hops, .owner = referral};
	char identity[CP_IDENTITY_MAX];
	int rc = -ENOMEM;

	if (referral &&
	    (strlen(uri) >= sizeof(referral->uri) || strncmp(uri, "sip", 3) != 0 ||
	     strpbrk(uri, "<>\" \r\n") || cp_identity(identity, cp_slice_text(uri)) != 0 ||
	     !cp_app_mikey_user(from, &app->mikey, conf->user)))
		rc = -EINVAL;
	else if (referral)
		rc = 0;
	if (rc == 0) {
		referral->app = app;
		referral->refer = refer;
		snprintf(referral->uri, sizeof(referral->uri), "%s", uri);
		order.call = call_elsewhere(app, conf, identity);
		rc = cp_sip_refer_send(app->sip, &order);
	}
	if (rc != 0)
		free(referral);
	return rc;
}

int
cp_app_refer(struct cp_app *app, const struct cp_conf *conf, const char *uri)
{
	if (cp_focus_is_draining(app->focus))
		return -EAGAIN;
	return send_refer(app, conf, uri, NULL, 0);
}

/* The nested kind (RFC 4579 5.7): we are to REFER somebody to this conference, to nowhere else. */
static int
refer_on(struct asking *a, const struct cp_sip_refer_to *to, struct cp_sip_refer *refer,
	 struct cp_conf_verdict *verdict)
{
	struct cp_conf_request request = {
		.user = cp_slice_text(a->conf->user),
		.inviter = cp_slice_text(a->person),
		.purpose = CP_PURPOSE_DIAL_OUT,
		.now_ms = cp_app_now_ms(),
	};
	char identity[CP_IDENTITY_MAX], target[CP_IDENTITY_MAX];
	const char *user;

	if (cp_identity(identity, cp_slice_text(to->uri)) != 0 ||
	    cp_identity(target, cp_slice_text(to->refer_to)) != 0)
		return 400;
	user = strchr(target, ':');
	if (!user || strncmp(user + 1, a->conf->user, strlen(a->conf->user)) != 0 ||
	    user[1 + strlen(a->conf->user)] != '@') {
		snprintf(verdict->reason, sizeof(verdict->reason),
			 "We refer people to our conference only");
		return 403;
	}
	request.identity = cp_slice_text(identity);
	if (cp_conf_admit(verdict, a->app->focus, &request) != 0)
		return verdict->status;
	if (refer)
		cp_sip_refer_accept(refer);
	if (send_refer(a->app, a->conf, to->uri, refer, a->hops) != 0 && refer)
		cp_sip_refer_progress(refer, 503, NULL);
	return 0;
}

void
cp_refer_on_report(void *ctx, void *owner, int status, bool is_over)
{
	struct cp_referral *referral = owner;

	cp_log(CP_LOG_INFO, CP_APP_AREA, "%s, referred to us, says %d", referral->uri, status);
	if (referral->refer && (status < 200 || is_over))
		cp_sip_refer_progress(referral->refer, status, NULL);
	if (is_over)
		free(referral);
}

/* One request of a REFER. 0: done, or under way and refer hears of it; else the status to refuse with. */
static int
carry_out(struct asking *a, const struct cp_sip_refer_to *to, struct cp_sip_refer *refer,
	  const char *history, struct cp_conf_verdict *verdict)
{
	int status;

	switch (to->method) {
	case CP_SIP_REFER_INVITE:
		return call_out(a, to, refer, history, verdict);
	case CP_SIP_REFER_BYE:
		status = hang_up_on(a, to->uri);
		if (!refer || (status != 0 && status != 404))
			return status;
		cp_sip_refer_accept(
			refer); /* that nobody of that name is there is the request's end */
		cp_sip_refer_progress(refer, status ? status : 200, NULL);
		return 0;
	case CP_SIP_REFER_REFER:
		return refer_on(a, to, refer, verdict);
	default:
		return 403; /* RFC 5368 10: methods that a focus does not send for others */
	}
}

static const char *
reason_of(int status, const struct cp_conf_verdict *verdict)
{
	if (*verdict->reason)
		return verdict->reason;
	switch (status) {
	case 400:
		return "Nobody can be called by this Refer-To";
	case 403:
		return "You may not do that to others here";
	case 404:
		return "Nobody of that name is in the conference";
	default:
		return "Not just now";
	}
}

/* RFC 5368: each of the list as if it had a REFER of its own; who asked hears of them by the event package. */
static int
carry_out_all(struct asking *a, struct cp_sip_refer *refer, struct cp_slice xml,
	      struct cp_conf_verdict *verdict)
{
	static char history[CP_SIP_LIST_OCTETS_MAX]; /* one loop */
	const uint32_t conf = a->conf->id;
	struct cp_sip_list list;
	size_t done = 0;
	int status = 0;

	if (cp_sip_list_decode(&list, xml, (size_t)a->app->config->call.list_max) != 0) {
		snprintf(verdict->reason, sizeof(verdict->reason),
			 "The list of recipients is none, or is too long");
		return 400;
	}
	if (cp_sip_list_encode_history(history, sizeof(history), &list) <= 0)
		history[0] = '\0';
	for (size_t i = 0; i < list.count; i++) {
		struct cp_sip_refer_to to;
		int one = 400;

		a->conf = cp_conf_by_id(a->app->focus, conf);
		if (a->conf && cp_sip_refer_uri_decode(&to, cp_slice_text(list.items[i].uri)) == 0)
			one = carry_out(a, &to, NULL, *history ? history : NULL, verdict);
		done += one == 0;
		status = status ? status : one;
		if (one)
			cp_log(CP_LOG_INFO, CP_APP_AREA, "one of a list was refused with %d", one);
	}
	cp_sip_list_free(&list);
	if (done == 0)
		return status;
	cp_sip_refer_accept(refer);
	cp_sip_refer_progress(refer, 200, NULL);
	return 0;
}

void
cp_refer_on_request(void *ctx, struct cp_sip_refer *refer,
		    const struct cp_sip_refer_request *request)
{
	struct cp_conf_verdict verdict = {.status = 0};
	struct asking a;
	int status;

	if (!find_asking(&a, ctx, request)) {
		refuse(refer, 403, "Only who is known to the conference may ask that");
		return;
	}
	if (*request->to->content_id)
		status = carry_out_all(&a, refer, request->list, &verdict);
	else
		status = carry_out(&a, request->to, refer, NULL, &verdict);
	if (status != 0)
		refuse(refer, status, reason_of(status, &verdict));
}
