/* OPTIONS (RFC 3261 11.2): what the server, or a conference, would say to an INVITE. */
#include "ctrlplane/sip/sip_state.h"

#include <stdio.h>

#include <sofia-sip/url.h>

void
cp_sip_on_options(struct cp_sip_listen *l, nua_handle_t *nh, struct cp_sip_call *call,
		  const sip_t *sip)
{
	struct cp_sip *s = l->sip;
	const char *user = sip->sip_request->rq_url->url_user;
	char name[CP_SIP_USER_MAX] = "", contact[CP_SIP_CONTACT_MAX];
	struct cp_sip_policy policy = {.takes_lists = false};
	int status = 200;

	if (user && strlen(user) < sizeof(name))
		url_unescape(name, user);
	if (user && !s->handler.look_up(s->ctx, name, &policy))
		status = 404;
	else if (policy.is_over)
		status = 410;
	else if (s->is_stopping)
		status = 503; /* load balancers in front drain us */
	cp_sip_contact(contact, l, status == 200 ? name : "", sip);
	nua_respond(
		nh, status, sip_status_phrase(status), NUTAG_WITH_THIS(l->nua),
		TAG_IF(status != 200, SIPTAG_ACCEPT_STR(CP_SIP_ACCEPT)), /* NUA adds it to a 200 */
		TAG_IF(!policy.takes_lists, SIPTAG_SUPPORTED_STR(CP_SIP_SUPPORTED)),
		SIPTAG_ACCEPT_ENCODING_STR("identity"), SIPTAG_ACCEPT_LANGUAGE_STR("en"),
		TAG_IF(status == 200, SIPTAG_CONTACT_STR(contact)), TAG_END());
	if (!call)
		nua_handle_destroy(nh);
}
