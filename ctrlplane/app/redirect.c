/*
 * Calls of ours that are redirected (3xx, RFC 3261 8.1.3.4): on to where the answer leads, one after the other, as far as the conference
 * lets those people be called. Each try is a call of its own, with another leg, other keys and another ticket.
 */
#include "ctrlplane/app/app_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrlplane/base/log.h"

#define TARGETS_MAX (1 + CP_CONFIG_REDIRECTS_MAX)

/* Where a call has been and may go yet. Owner: the cp_dialing of the try that is under way. */
struct cp_redirect {
	char to[CP_IDENTITY_MAX]; /* whom the first INVITE was for */
	char targets[TARGETS_MAX][CP_IDENTITY_MAX];
	size_t count, next; /* the first one not called yet */
};

const char *
cp_redirect_to(const struct cp_redirect *r)
{
	return r->to;
}

static struct cp_redirect *
create(const struct cp_call *call)
{
	struct cp_redirect *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	snprintf(r->to, sizeof(r->to), "%s", call->uri);
	snprintf(r->targets[0], sizeof(r->targets[0]), "%s", call->uri);
	r->count = r->next = 1;
	return r;
}

/* No loops, and from TLS to TLS only. */
static void
add(struct cp_redirect *r, const char *uri, size_t max)
{
	if (r->count > max || strlen(uri) >= CP_IDENTITY_MAX ||
	    (strncmp(r->to, "sips:", 5) == 0 && strncmp(uri, "sips:", 5) != 0))
		return;
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->targets[i], uri) == 0)
			return;
	snprintf(r->targets[r->count++], CP_IDENTITY_MAX, "%s", uri);
}

/* 305 is for a proxy to be gone through, 380 for another service: neither is another address. */
static bool
is_redirection(int status)
{
	return status >= 300 && status < 400 && status != 305 && status != 380;
}

void
cp_redirect_learn(struct cp_call *call)
{
	const size_t max = (size_t)call->app->config->call.redirects;
	struct cp_dialing *d = call->dialing;
	const char *uri;

	/* The dialog that Replaces or Join names is with whom we called. */
	if (!d || max == 0 || !is_redirection(call->end_status) || *d->replaces || *d->join)
		return;
	if (!d->redirect)
		d->redirect = create(call);
	for (size_t i = 0; d->redirect && (uri = cp_sip_call_target(call->sip, i)); i++)
		add(d->redirect, uri, max);
}

/* The dialling of one call goes on as another call. */
static bool
call_next(char why[CP_CONF_REASON_MAX], struct cp_call *call, const struct cp_conf *conf,
	  const char *uri)
{
	struct cp_dialing *d = call->dialing;
	const struct cp_dial_order order = {
		.uri = uri,
		.inviter = d->inviter,
		.reason = d->reason,
		.history = d->history,
		.hops = d->hops,
		.refer = d->refer,
		.is_referred = d->is_referred,
		.redirect = d->redirect,
	};
	struct cp_conf_verdict verdict;
	int rc = cp_app_dial(&verdict, call->app, conf, &order);

	if (rc == 0) {
		snprintf(why, CP_CONF_REASON_MAX, "Redirected to %.100s", uri);
		if (d->refer)
			cp_sip_refer_progress(d->refer, 181, NULL);
		d->refer = NULL;
		d->redirect = NULL;
	} else {
		snprintf(why, CP_CONF_REASON_MAX, "%s",
			 *verdict.reason ? verdict.reason
					 : "Redirected to where nobody can be called");
	}
	cp_log(CP_LOG_INFO, CP_APP_AREA, "%s: %s", call->uri, why);
	return rc == 0;
}

bool
cp_redirect_follow(char why[CP_CONF_REASON_MAX], struct cp_call *call)
{
	const struct cp_conf *conf = cp_conf_by_id(call->app->focus, call->conf);
	struct cp_redirect *r = call->dialing ? call->dialing->redirect : NULL;

	/* 6xx: nowhere else either (RFC 3261 21.6) */
	while (r && conf && call->end_status >= 300 && call->end_status < 600 && r->next < r->count)
		if (call_next(why, call, conf, r->targets[r->next++]))
			return true;
	return false;
}
