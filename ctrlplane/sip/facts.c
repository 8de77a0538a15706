/* What of a call's dialog outlives a restart: the peer's target and the route set are kept as they come, the rest is NUA's (RFC 3261 12.1). */
#include "ctrlplane/sip/sip_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <sofia-sip/url.h>

static int
write_url(char *out, size_t size, const url_t *url)
{
	return url && url_e(out, (isize_t)size, url) < (issize_t)size ? 0 : -ENAMETOOLONG;
}

/* The URIs of Record-Route in the order of our requests: as they stand for who was called, the other way round for who called. */
static char *
make_routes(const sip_record_route_t *first, bool is_outgoing)
{
	char *routes = calloc(1, CP_DIALOG_ROUTES_MAX), one[CP_DIALOG_TEXT_MAX];

	for (const sip_record_route_t *r = first; routes && r; r = r->r_next) {
		size_t had = strlen(routes), more;

		if (write_url(one, sizeof(one), r->r_url) != 0 ||
		    had + strlen(one) + sizeof("<>, ") > CP_DIALOG_ROUTES_MAX) {
			free(routes);
			return NULL;
		}
		more = strlen(one) + 2 + (had ? 2 : 0);
		if (is_outgoing) {
			memmove(routes + more, routes, had + 1);
			memcpy(routes + more - (had ? 2 : 0), ", ", had ? 2 : 0);
			routes[0] = '<';
			memcpy(routes + 1, one, strlen(one));
			routes[1 + strlen(one)] = '>';
		} else {
			sprintf(routes + had, "%s<%s>", had ? ", " : "", one);
		}
	}
	return routes;
}

static bool
take_target(struct cp_sip_call *call, const sip_t *sip)
{
	char target[CP_DIALOG_TEXT_MAX];
	char *copy;

	if (!sip->sip_contact || write_url(target, sizeof(target), sip->sip_contact->m_url) != 0 ||
	    (call->target && strcmp(call->target, target) == 0))
		return false;
	copy = strdup(target);
	if (!copy)
		return false;
	free(call->target);
	call->target = copy;
	return true;
}

void
cp_sip_facts_begin(struct cp_sip_call *call, const sip_t *sip)
{
	free(call->routes);
	call->routes = make_routes(sip->sip_record_route, call->is_outgoing);
	take_target(call, sip);
}

void
cp_sip_facts_target(struct cp_sip_call *call, const sip_t *sip)
{
	struct cp_sip *s = call->listen->sip;

	if (sip && take_target(call, sip) && call->is_acked && !call->is_detached)
		s->handler.dialog(s->ctx, call);
}

void
cp_sip_facts_free(struct cp_sip_call *call)
{
	free(call->target);
	free(call->routes);
}

static int
copy(char out[CP_DIALOG_TEXT_MAX], const char *text)
{
	return snprintf(out, CP_DIALOG_TEXT_MAX, "%s", text) < CP_DIALOG_TEXT_MAX ? 0
										  : -ENAMETOOLONG;
}

int
cp_sip_call_facts(struct cp_dialog *out, const struct cp_sip_call *call)
{
	const sip_to_t *ours = nua_handle_local(call->nh), *theirs = nua_handle_remote(call->nh);
	const struct cp_sip_dialog_id *id = &call->id;
	int rc = 0;

	if (!call->is_acked || call->is_detached || !*id->local_tag || !*id->remote_tag || !ours ||
	    !theirs || !call->target || !call->routes)
		return -EAGAIN;
	rc = rc ? rc : write_url(out->local, sizeof(out->local), ours->a_url);
	rc = rc ? rc : write_url(out->remote, sizeof(out->remote), theirs->a_url);
	rc = rc ? rc : copy(out->call_id, id->call_id);
	rc = rc ? rc : copy(out->local_tag, id->local_tag);
	rc = rc ? rc : copy(out->remote_tag, id->remote_tag);
	rc = rc ? rc : copy(out->target, call->target);
	rc = rc ? rc : copy(out->listen, call->listen->uri);
	rc = rc ? rc : copy(out->contact, call->contact);
	if (!rc)
		snprintf(out->routes, sizeof(out->routes), "%s", call->routes);
	return rc;
}
