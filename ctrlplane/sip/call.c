/* The life of a call: made by an INVITE, over when NUA says so, whatever the handler still wants. */
#include "ctrlplane/sip/sip_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct cp_sip_call *
cp_sip_call_create(struct cp_sip_listen *l, nua_handle_t *nh)
{
	struct cp_sip_call *call = calloc(1, sizeof(*call));

	if (!call)
		return NULL;
	call->listen = l;
	call->nh = nh;
	LIST_INSERT_HEAD(&l->sip->calls, call, entry);
	l->sip->call_count++;
	nua_handle_bind(nh, call);
	return call;
}

void
cp_sip_drop_early_answer(struct cp_sip_call *call)
{
	if (call->early_answer)
		explicit_bzero(call->early_answer, strlen(call->early_answer));
	free(call->early_answer);
	call->early_answer = NULL;
}

void
cp_sip_call_over(struct cp_sip_call *call, const char *why)
{
	struct cp_sip *s = call->listen->sip;
	bool is_kept = cp_sip_refer_keeps(call);

	cp_sip_dialog_ended(s, call);
	LIST_REMOVE(call, entry);
	s->call_count--;
	if (!call->is_detached)
		s->handler.ended(s->ctx, call, *call->why ? call->why : why);
	if (call->update)
		msg_destroy(call->update);
	nua_handle_bind(call->nh, NULL);
	is_kept |= cp_sip_sub_keeps(call);
	if (!is_kept)
		nua_handle_destroy(call->nh);
	cp_sip_drop_early_answer(call);
	cp_sip_facts_free(call);
	free(call->answerer);
	free(call->targets);
	free(call);
	cp_sip_one_less(s);
}

void
cp_sip_call_bye(struct cp_sip_call *call)
{
	call->is_bye_due = false;
	nua_bye(call->nh, TAG_IF(*call->reason, SIPTAG_REASON_STR(call->reason)), TAG_END());
}

void
cp_sip_hang_up(struct cp_sip_call *call, int cause, const char *text)
{
	snprintf(call->reason, sizeof(call->reason), "SIP;cause=%d;text=\"%.200s\"", cause, text);
	call->is_detached = true;
	if (!call->is_accepted && call->is_outgoing) {
		nua_cancel(call->nh, TAG_END());
		return;
	}
	if (!call->is_accepted) {
		cp_sip_refuse(call, &(struct cp_sip_refusal){.status = cause >= 300 ? cause : 480});
		return;
	}
	if (call->pending != CP_SIP_PENDING_NONE)
		cp_sip_refuse(call, &(struct cp_sip_refusal){.status = 480});
	if (call->is_acked)
		cp_sip_call_bye(call);
	else
		call->is_bye_due = true;
}

int
cp_sip_call_set_user(struct cp_sip_call *call, const char *user)
{
	if (!*user || strlen(user) >= CP_SIP_USER_MAX)
		return -EINVAL;
	cp_sip_contact_at(call->contact, user, call->host_port);
	return 0;
}

const struct cp_sip_identity *
cp_sip_call_answerer(const struct cp_sip_call *call)
{
	return call->answerer;
}

void
cp_sip_call_set_owner(struct cp_sip_call *call, void *owner)
{
	call->owner = owner;
}

void *
cp_sip_call_owner(const struct cp_sip_call *call)
{
	return call->owner;
}
