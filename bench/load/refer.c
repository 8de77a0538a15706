/* A participant and REFER (RFC 3515): it asks the focus to bring somebody in, and it dials in when it is asked to. */
#include "bench/load/refer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NTA_LEG_MAGIC_T struct ue_call
#define NTA_OUTGOING_MAGIC_T struct ue_call
#define NTA_INCOMING_MAGIC_T struct ue_call
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/url.h>

#include "bench/load/call_state.h"

static int
refer_answered(struct ue_call *c, nta_outgoing_t *orq, const sip_t *sip)
{
	int status = nta_outgoing_status(orq);

	if (status < 200)
		return 0;
	if (status >= 300)
		c->refer_status = status; /* else NOTIFY says what came of it */
	nta_outgoing_destroy(orq);
	return 0;
}

void
ue_refer_send(struct ue_call *c, const char *target)
{
	char refer_to[sizeof(((struct ue_action *)0)->arg) + 3];
	nta_outgoing_t *orq;

	if (c->state != UE_UP || !c->leg)
		return;
	snprintf(refer_to, sizeof(refer_to), "<%s>", target);
	c->refer_status = 100;
	orq = nta_outgoing_tcreate(c->leg, refer_answered, c, NULL, SIP_METHOD_REFER, NULL,
				   SIPTAG_CONTACT_STR(c->contact), SIPTAG_REFER_TO_STR(refer_to),
				   TAG_END());
	if (!orq)
		c->refer_status = 500;
}

bool
ue_refer_notified(struct ue_call *c, const sip_t *sip)
{
	const char *text;
	size_t len = ue_call_payload(sip, &text);
	int status;

	if (!sip->sip_event || strcasecmp(sip->sip_event->o_type, "refer") != 0)
		return false;
	if (len > 11 && sscanf(text, "SIP/2.0 %3d", &status) == 1)
		c->refer_status = status;
	return true;
}

static int
notify_answered(struct ue_call *c, nta_outgoing_t *orq, const sip_t *sip)
{
	if (nta_outgoing_status(orq) >= 200)
		nta_outgoing_destroy(orq);
	return 0;
}

static void
notify(struct ue_call *c, int status)
{
	const char *phrase = sip_status_phrase(status);
	char fragment[96];

	snprintf(fragment, sizeof(fragment), "SIP/2.0 %d %s\r\n", status, phrase ? phrase : "-");
	(void)nta_outgoing_tcreate(
		c->refer_leg, notify_answered, c, NULL, SIP_METHOD_NOTIFY, NULL,
		SIPTAG_CONTACT_STR(c->contact), SIPTAG_EVENT_STR("refer"),
		SIPTAG_SUBSCRIPTION_STATE_STR(status < 200 ? "active;expires=60"
							   : "terminated;reason=noresource"),
		SIPTAG_CONTENT_TYPE_STR("message/sipfrag;version=2.0"),
		SIPTAG_PAYLOAD_STR(fragment), TAG_END());
}

static int
request_on_refer_leg(struct ue_call *c, nta_leg_t *leg, nta_incoming_t *irq, const sip_t *sip)
{
	return sip->sip_request->rq_method == sip_method_ack ? 0 : 481;
}

int
ue_refer_came(struct ue_call *c, nta_incoming_t *irq, const sip_t *sip)
{
	char target[sizeof(c->uri)];

	if (!sip->sip_refer_to)
		return 400;
	if (!c)
		return 486;
	if (url_e(target, sizeof(target), sip->sip_refer_to->r_url) >= (issize_t)sizeof(target))
		return 400;
	c->refer_leg = nta_leg_tcreate(c->shared->agent, request_on_refer_leg, c,
				       SIPTAG_CALL_ID(sip->sip_call_id), SIPTAG_FROM(sip->sip_to),
				       SIPTAG_TO(sip->sip_from), TAG_END());
	if (!c->refer_leg)
		return 500;
	nta_leg_tag(c->refer_leg, nta_incoming_tag(irq, NULL));
	nta_leg_server_route(c->refer_leg, sip->sip_record_route, sip->sip_contact);
	nta_incoming_treply(irq, SIP_200_OK, SIPTAG_CONTACT_STR(c->contact), TAG_END());
	nta_incoming_destroy(irq);
	notify(c, 100);
	snprintf(c->uri, sizeof(c->uri), "%s", target);
	c->shared->inviting -= c->is_counted; /* it waits no longer, it calls */
	c->is_counted = false;
	ue_call_invite(c);
	return 0;
}

void
ue_refer_report(struct ue_call *c)
{
	if (c->refer_leg && c->outcome != UE_PENDING && !c->is_refer_over) {
		c->is_refer_over = true;
		notify(c, c->status >= 200 ? c->status : 408);
	}
}

void
ue_refer_fini(struct ue_call *c)
{
	if (c->refer_leg)
		nta_leg_destroy(c->refer_leg);
	c->refer_leg = NULL;
}
