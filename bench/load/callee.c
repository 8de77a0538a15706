/* A participant that is called: INVITEs from outside of any dialog, and the answer once the KMS has said who calls. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NTA_LEG_MAGIC_T struct ue_call
#define NTA_OUTGOING_MAGIC_T struct ue_call
#define NTA_INCOMING_MAGIC_T struct ue_call
#define NTA_RELIABLE_MAGIC_T struct ue_call
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>

#include "bench/lib/bench.h"
#include "bench/load/call_state.h"
#include "bench/load/dialog.h"
#include "bench/load/refer.h"

void
ue_call_listen(struct ue_call *c)
{
	c->state = UE_LISTENING;
	c->shared->inviting++;
	c->is_counted = true;
}

/* The participant of that name, else the next that waits. */
static struct ue_call *
call_find(struct ue_shared *shared, const char *user)
{
	struct ue_call *next = NULL;

	for (unsigned i = 0; i < shared->call_count; i++) {
		struct ue_call *c = &shared->calls[i];
		const char *name = c->identity + strcspn(c->identity, ":") + 1;
		size_t len = strcspn(name, "@");

		if (c->state != UE_LISTENING)
			continue;
		if (user && strlen(user) == len && strncmp(user, name, len) == 0)
			return c;
		next = next ? next : c;
	}
	return next;
}

void
ue_call_refused(struct ue_call *c, int status, const char *reason)
{
	if (c->incoming) {
		nta_incoming_treply(c->incoming, status, NULL, TAG_END());
		nta_incoming_destroy(c->incoming);
		c->incoming = NULL;
	}
	c->outcome = UE_REFUSED;
	c->status = status;
	snprintf(c->reason, sizeof(c->reason), "%.79s", reason);
	ue_call_done(c);
}

/* ACK, with the answer where the 200 had our offer; CANCEL; or neither in time. */
static int
invite_went_on(struct ue_call *c, nta_incoming_t *irq, const sip_t *sip)
{
	bool is_ack = sip && sip->sip_request && sip->sip_request->rq_method == sip_method_ack;
	const char *text;
	size_t len = ue_call_payload(sip, &text);

	if (c->incoming != irq)
		return 0;
	if (!is_ack && c->state == UE_RINGING) {
		ue_call_refused(c, 487, "cancelled");
		return 0;
	}
	c->incoming = NULL;
	nta_incoming_destroy(irq);
	if (is_ack && !c->offer && (len == 0 || ue_call_answered(c, text, len) != 0))
		is_ack = false;
	if (!is_ack)
		ue_call_leave(c, false);
	return 0;
}

/* 200, with our answer, or with our offer where the INVITE had none. */
static void
answer(struct ue_call *c)
{
	char out[UE_SDP_MAX] = "";
	int err = c->offer ? ue_call_answer(c, out) : ue_call_offer(c, out);

	if (err) {
		ue_call_refused(c, 488, "nothing in the offer that we could use");
		return;
	}
	nta_incoming_treply(c->incoming, SIP_200_OK, SIPTAG_CONTACT_STR(c->contact),
			    SIPTAG_ALLOW_STR(UE_ALLOW), SIPTAG_SUPPORTED_STR("replaces"),
			    SIPTAG_CONTENT_TYPE_STR("application/sdp"), SIPTAG_PAYLOAD_STR(out),
			    TAG_END());
	explicit_bzero(out, sizeof(out));
	c->status = 200;
	snprintf(c->reason, sizeof(c->reason), "OK");
	ue_call_up(c);
}

void
ue_call_ready(struct ue_call *c, int err)
{
	if (!err)
		answer(c);
	else
		ue_call_refused(c, err == -EHOSTUNREACH ? 503 : 488,
				"the KMS does not vouch for the caller");
}

/* A call for c: its keys first. */
static void
call_take(struct ue_call *c, const char *text, size_t len)
{
	int err = 0;

	if (len > 0)
		err = ue_call_offered(c, text, len);
	else if (c->mikey)
		err = ue_mikey_call(c->mikey, c->uri) == 0 ? -EINPROGRESS : -EINVAL;
	if (err == -EINPROGRESS)
		c->wait = UE_WAIT_CALLED;
	else if (err)
		ue_call_refused(c, 488, "an offer that we refuse");
	else
		answer(c);
}

static int
prack_came(struct ue_call *c, nta_reliable_t *response, nta_incoming_t *prack, const sip_t *sip)
{
	c->pracks += sip != NULL;
	return 200;
}

/* 180, reliable where we are told to and the caller bears it (RFC 3262). */
static void
ring(struct ue_call *c, nta_incoming_t *irq, const sip_t *sip)
{
	bool may = c->shared->options->reliable && sip_has_feature(sip->sip_supported, "100rel");

	if (may || sip_has_feature(sip->sip_require, "100rel"))
		nta_reliable_treply(irq, prack_came, c, SIP_180_RINGING,
				    SIPTAG_CONTACT_STR(c->contact), TAG_END());
	else
		nta_incoming_treply(irq, SIP_180_RINGING, SIPTAG_CONTACT_STR(c->contact),
				    TAG_END());
}

/* The first extension that the caller requires and we have not; NULL: none. */
static const char *
extension_missing(const sip_t *sip)
{
	static const char *const ours[] = {"100rel", "timer", "replaces"};
	const msg_param_t *items = sip->sip_require ? sip->sip_require->k_items : NULL;

	for (; items && *items; items++)
		if (strcasecmp(*items, ours[0]) != 0 && strcasecmp(*items, ours[1]) != 0 &&
		    strcasecmp(*items, ours[2]) != 0)
			return *items;
	return NULL;
}

static int
request_came(struct ue_call *first, nta_leg_t *none, nta_incoming_t *irq, const sip_t *sip)
{
	struct ue_call *c, *replaced;
	const char *text;
	size_t len = ue_call_payload(sip, &text);
	int status;

	if (sip->sip_request->rq_method == sip_method_options)
		return 200;
	if (sip->sip_request->rq_method == sip_method_ack)
		return 0;
	if (sip->sip_request->rq_method == sip_method_refer)
		return ue_refer_came(call_find(first->shared, sip->sip_request->rq_url->url_user),
				     irq, sip);
	if (sip->sip_request->rq_method != sip_method_invite)
		return 481;
	if (extension_missing(sip)) {
		nta_incoming_treply(irq, SIP_420_BAD_EXTENSION,
				    SIPTAG_UNSUPPORTED_STR(extension_missing(sip)), TAG_END());
		nta_incoming_destroy(irq);
		return 0;
	}
	status = ue_dialog_find(&replaced, first->shared->calls, first->shared->call_count, sip);
	if (status)
		return status;
	c = call_find(first->shared, sip->sip_request->rq_url->url_user);
	if (!c)
		return 486;
	c->replaced = replaced;
	c->leg = nta_leg_tcreate(c->shared->agent, ue_call_request, c,
				 SIPTAG_CALL_ID(sip->sip_call_id), SIPTAG_FROM(sip->sip_to),
				 SIPTAG_TO(sip->sip_from), TAG_END());
	if (!c->leg)
		return 500;
	nta_leg_tag(c->leg, nta_incoming_tag(irq, NULL));
	nta_leg_server_route(c->leg, sip->sip_record_route, sip->sip_contact);
	snprintf(c->uri, sizeof(c->uri), "%.20s:%.100s@%.120s",
		 sip->sip_from->a_url->url_scheme ? sip->sip_from->a_url->url_scheme : "sip",
		 sip->sip_from->a_url->url_user ? sip->sip_from->a_url->url_user : "",
		 sip->sip_from->a_url->url_host ? sip->sip_from->a_url->url_host : "");
	c->invite_ns = bench_now_ns();
	c->state = UE_RINGING;
	c->incoming = irq;
	nta_incoming_bind(irq, invite_went_on, c);
	ring(c, irq, sip);
	call_take(c, text, len);
	return 0;
}

int
ue_listen_open(struct ue_shared *shared)
{
	/* any call leads to what they share */
	nta_leg_t *leg = nta_leg_tcreate(shared->agent, request_came, shared->calls,
					 NTATAG_NO_DIALOG(1), TAG_END());

	return leg ? 0 : -ENOMEM;
}
