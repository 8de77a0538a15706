/* Dialogs that requests name: those that live and those that have just ended (RFC 3891 3, RFC 3911 4, RFC 4538 4). */
#include "ctrlplane/sip/sip_state.h"

#include <stdio.h>

#include <sofia-sip/sip_util.h>

#include "ctrlplane/sip/dialog_id.h"

void
cp_sip_dialog_learn(struct cp_sip_call *call)
{
	su_home_t home[1] = {SU_HOME_INIT(home)};
	sip_replaces_t *r;

	if (*call->id.local_tag && *call->id.remote_tag)
		return;
	su_home_init(home);
	r = nua_handle_make_replaces(call->nh, home, 0); /* as the peer would name it */
	if (r && r->rp_call_id && r->rp_from_tag && r->rp_to_tag &&
	    strlen(r->rp_call_id) < CP_SIP_CALL_ID_MAX && strlen(r->rp_from_tag) < CP_SIP_TAG_MAX &&
	    strlen(r->rp_to_tag) < CP_SIP_TAG_MAX) {
		snprintf(call->id.call_id, sizeof(call->id.call_id), "%s", r->rp_call_id);
		snprintf(call->id.local_tag, sizeof(call->id.local_tag), "%s", r->rp_from_tag);
		snprintf(call->id.remote_tag, sizeof(call->id.remote_tag), "%s",
			 strcmp(r->rp_to_tag, "0") == 0 ? "" : r->rp_to_tag);
	}
	su_home_deinit(home);
}

const struct cp_sip_dialog_id *
cp_sip_call_dialog(struct cp_sip_call *call)
{
	cp_sip_dialog_learn(call);
	return &call->id;
}

void
cp_sip_dialog_take(struct cp_sip_call *call, const sip_t *response)
{
	const char *ours = response->sip_from ? response->sip_from->a_tag : NULL;
	const char *theirs = response->sip_to ? response->sip_to->a_tag : NULL;

	if (!response->sip_call_id || !ours || !theirs ||
	    strlen(response->sip_call_id->i_id) >= CP_SIP_CALL_ID_MAX ||
	    strlen(ours) >= CP_SIP_TAG_MAX || strlen(theirs) >= CP_SIP_TAG_MAX)
		return;
	snprintf(call->id.call_id, sizeof(call->id.call_id), "%s", response->sip_call_id->i_id);
	snprintf(call->id.local_tag, sizeof(call->id.local_tag), "%s", ours);
	snprintf(call->id.remote_tag, sizeof(call->id.remote_tag), "%s", theirs);
}

void
cp_sip_dialog_ended(struct cp_sip *s, const struct cp_sip_call *call)
{
	if (*call->id.local_tag)
		s->ended[s->ended_next++ % CP_SIP_ENDED_MAX] = call->id;
}

struct cp_sip_call *
cp_sip_dialog_find(struct cp_sip *s, const struct cp_sip_dialog_id *id, bool *has_ended)
{
	struct cp_sip_call *call;

	*has_ended = false;
	LIST_FOREACH (call, &s->calls, entry) {
		if (strcmp(call->id.call_id, id->call_id) != 0)
			continue;
		cp_sip_dialog_learn(call);
		if (!cp_sip_dialog_is_same(id, &call->id))
			continue;
		*has_ended = call->is_detached;
		return call->is_detached ? NULL : call;
	}
	for (size_t i = 0; i < CP_SIP_ENDED_MAX; i++)
		if (*s->ended[i].call_id && cp_sip_dialog_is_same(id, &s->ended[i]))
			*has_ended = true;
	return NULL;
}

/* RFC 3891 3: what may be replaced. */
static int
check_replaces(struct cp_sip_call **out, struct cp_sip *s, const sip_replaces_t *r)
{
	struct cp_sip_dialog_id id = {.is_early_only = r->rp_early_only};
	struct cp_sip_call *call;
	bool has_ended;

	if (!r->rp_call_id || !r->rp_to_tag || !r->rp_from_tag)
		return 400;
	if (strlen(r->rp_call_id) >= sizeof(id.call_id) ||
	    strlen(r->rp_to_tag) >= sizeof(id.local_tag) ||
	    strlen(r->rp_from_tag) >= sizeof(id.remote_tag))
		return 481;
	snprintf(id.call_id, sizeof(id.call_id), "%s", r->rp_call_id);
	snprintf(id.local_tag, sizeof(id.local_tag), "%s", r->rp_to_tag);
	snprintf(id.remote_tag, sizeof(id.remote_tag), "%s", r->rp_from_tag);
	call = cp_sip_dialog_find(s, &id, &has_ended);
	if (!call)
		return has_ended ? 603 : 481;
	if (call->is_accepted && id.is_early_only)
		return 486;
	if (!call->is_accepted && !call->is_outgoing)
		return 481; /* early, and not ours to answer */
	*out = call;
	return 0;
}

int
cp_sip_check_dialogs(struct cp_sip_call **replaces, struct cp_sip_call **joins, struct cp_sip *s,
		     const sip_t *request)
{
	unsigned int joins_count;
	const char *text = cp_sip_header_text(request, "Join", &joins_count);
	struct cp_sip_dialog_id id;
	bool has_ended;

	*replaces = *joins = NULL;
	if (cp_sip_is_wrong(request, sip_replaces_class) || joins_count > 1 ||
	    (joins_count && request->sip_replaces))
		return 400;
	if (request->sip_replaces)
		return check_replaces(replaces, s, request->sip_replaces);
	if (!text)
		return 0;
	if (cp_sip_dialog_id_decode(&id, text, CP_SIP_JOIN) != 0)
		return 400;
	*joins = cp_sip_dialog_find(s, &id, &has_ended);
	return has_ended ? 603 : 0; /* none: to a conference URI it is an INVITE like any other */
}

struct cp_sip_call *
cp_sip_target_dialog(struct cp_sip *s, const sip_t *request, int *status)
{
	unsigned int count;
	const char *text = cp_sip_header_text(request, "Target-Dialog", &count);
	struct cp_sip_dialog_id id;
	struct cp_sip_call *call;
	bool has_ended;

	*status = 0;
	if (count == 0)
		return NULL;
	if (count > 1 || cp_sip_dialog_id_decode(&id, text, CP_SIP_TARGET_DIALOG) != 0) {
		*status = 400;
		return NULL;
	}
	call = cp_sip_dialog_find(s, &id, &has_ended);
	return call;
}
