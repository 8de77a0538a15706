/* Our own INVITE out of a dialog: RFC 4579 5.5, dial-out by the focus. */
#include "ctrlplane/sip/sip_state.h"

#include <errno.h>
#include <stdio.h>

#include <sofia-sip/url.h>

static int
write_contact(struct cp_sip_call *call, const struct cp_sip_listen *l, const char *user)
{
	char escaped[CP_SIP_USER_MAX * 3 + 1] = "";
	int len;

	if (strlen(user) >= CP_SIP_USER_MAX)
		return -EINVAL;
	url_escape(escaped, user, "");
	len = snprintf(call->contact, sizeof(call->contact), "<sip:%s@%s:%s>;isfocus", escaped,
		       *l->host ? l->host : "localhost", l->port);
	return len > 0 && (size_t)len < sizeof(call->contact) ? 0 : -EINVAL;
}

int
cp_sip_dial(struct cp_sip_call **out, struct cp_sip *s, const struct cp_sip_dial *dial)
{
	struct cp_sip_listen *l = &s->listens[0];
	char to[CP_SIP_CONTACT_MAX], from[CP_SIP_CONTACT_MAX];
	struct cp_sip_call *call;
	sip_payload_t *payload;
	nua_handle_t *nh;

	if (s->is_stopping || s->call_count >= s->options->calls_max || s->listen_count == 0)
		return -EAGAIN;
	snprintf(to, sizeof(to), "<%s>", dial->to);
	snprintf(from, sizeof(from), "<%s>", dial->from);
	nh = nua_handle(l->nua, NULL, SIPTAG_TO_STR(to), SIPTAG_FROM_STR(from), TAG_END());
	if (!nh)
		return -ENOMEM;
	call = cp_sip_call_create(l, nh);
	if (!call || write_contact(call, l, dial->user) != 0) {
		if (call)
			call->is_detached = true;
		if (call)
			cp_sip_call_over(call, "not dialled");
		else
			nua_handle_destroy(nh);
		return -EINVAL;
	}
	call->owner = dial->owner;
	call->is_outgoing = call->is_reoffering = true;
	payload = sip_payload_create(nua_handle_home(nh), dial->sdp.ptr, (isize_t)dial->sdp.len);
	nua_invite(nh, SIPTAG_CONTACT_STR(call->contact), NUTAG_SESSION_TIMER(0),
		   SIPTAG_CONTENT_TYPE_STR("application/sdp"), SIPTAG_PAYLOAD(payload), TAG_END());
	su_free(nua_handle_home(nh), payload);
	*out = call;
	return 0;
}
