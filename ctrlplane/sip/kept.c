/*
 * Dialogs of our life before (RFC 3261 12.2): their media goes on, so they are not dead. NUA does not know them; each is a leg of its
 * agent. BYE is taken and sent, a refresh without an offer is answered; a new agreement cannot be made, for its keys are gone with
 * that life: 488, which leaves the session as it is (RFC 3261 14.1, 3311 5.2). Usages other than the call's are over (RFC 5057 5.1).
 */
#include "ctrlplane/sip/sip_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include <sofia-sip/sip_util.h>
#include <sofia-sip/su_tagarg.h>

#define ALLOW "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE"
/*
 * A number above all that were sent in the lives before (RFC 3261 12.2.1.1): NUA begins with a quarter of the seconds of NTP, which is
 * below that, and counts on from there. We send nothing but one BYE.
 */
#define CSEQ "1610612736 BYE"

static void
forget(struct cp_sip_kept *kept)
{
	LIST_REMOVE(kept, entry);
	if (kept->bye)
		nta_outgoing_destroy(kept->bye);
	if (kept->leg)
		nta_leg_destroy(kept->leg);
	free(kept);
}

static int
refuse(nta_incoming_t *irq, int status, const char *phrase)
{
	nta_incoming_treply(irq, status, phrase, SIPTAG_ALLOW_STR(ALLOW), TAG_END());
	return status;
}

static int
on_bye(struct cp_sip_kept *kept, nta_incoming_t *irq)
{
	struct cp_sip *s = kept->listen->sip;
	void *owner = kept->owner;

	nta_incoming_treply(irq, SIP_200_OK, TAG_END());
	if (kept->is_over) /* it crossed ours */
		return 200;
	forget(kept);
	s->handler.kept_ended(s->ctx, owner, "hung up");
	return 200;
}

/* A session refresh (RFC 4028 9). We do not refresh ourselves: who wants us to gets no session timer. */
static int
on_refresh(struct cp_sip_kept *kept, nta_incoming_t *irq, const sip_t *sip)
{
	const sip_session_expires_t *asked = sip->sip_session_expires;
	bool is_theirs =
		asked && (!asked->x_refresher || strcasecmp(asked->x_refresher, "uac") == 0);
	char expires[48];

	if (sip->sip_contact)
		nta_leg_server_route(kept->leg, NULL, sip->sip_contact);
	snprintf(expires, sizeof(expires), "%lu;refresher=uac", asked ? asked->x_delta : 0);
	nta_incoming_treply(irq, SIP_200_OK, SIPTAG_CONTACT_STR(kept->contact),
			    SIPTAG_ALLOW_STR(ALLOW), SIPTAG_SUPPORTED_STR("timer"),
			    TAG_IF(is_theirs, SIPTAG_SESSION_EXPIRES_STR(expires)),
			    TAG_IF(is_theirs, SIPTAG_REQUIRE_STR("timer")), TAG_END());
	return 200;
}

static int
on_offer(struct cp_sip_kept *kept, nta_incoming_t *irq)
{
	char warning[160];

	snprintf(warning, sizeof(warning),
		 "399 %.64s \"The server was restarted: this call goes on as it was agreed\"",
		 *kept->listen->host ? kept->listen->host : "localhost");
	nta_incoming_treply(irq, SIP_488_NOT_ACCEPTABLE, SIPTAG_WARNING_STR(warning),
			    SIPTAG_ALLOW_STR(ALLOW), TAG_END());
	return 488;
}

static bool
is_same(const char *tag, const char *kept)
{
	return tag && strcmp(tag, kept) == 0;
}

static int
on_request(struct cp_sip_kept *kept, nta_leg_t *leg, nta_incoming_t *irq, const sip_t *sip)
{
	/* the library finds the leg without regard to case */
	if (!is_same(sip->sip_from->a_tag, kept->remote_tag) ||
	    !is_same(sip->sip_to->a_tag, kept->local_tag) ||
	    (kept->is_over && sip->sip_request->rq_method != sip_method_bye))
		return refuse(irq, 481, "Call Does Not Exist");
	switch (sip->sip_request->rq_method) {
	case sip_method_bye:
		return on_bye(kept, irq);
	case sip_method_update:
		return sip->sip_payload ? on_offer(kept, irq) : on_refresh(kept, irq, sip);
	case sip_method_invite:
		return on_offer(kept, irq);
	case sip_method_options:
		return refuse(irq, SIP_200_OK);
	case sip_method_subscribe:
	case sip_method_notify:
		return refuse(irq, 481, "Subscription Does Not Exist");
	case sip_method_ack:
		return 481;
	default:
		return refuse(irq, SIP_405_METHOD_NOT_ALLOWED);
	}
}

static struct cp_sip_listen *
find_listen(struct cp_sip *s, const char *uri)
{
	for (size_t i = 0; i < s->listen_count; i++)
		if (strcmp(s->listens[i].uri, uri) == 0)
			return &s->listens[i];
	return NULL;
}

static nta_leg_t *
make_leg(struct cp_sip_kept *kept, const struct cp_dialog *d)
{
	char local[2 * CP_DIALOG_TEXT_MAX + 8], remote[2 * CP_DIALOG_TEXT_MAX + 8];
	su_home_t home[1] = {SU_HOME_INIT(home)};
	sip_contact_t *target;
	sip_record_route_t *routes;
	nta_leg_t *leg = NULL;

	su_home_init(home);
	snprintf(local, sizeof(local), "<%s>;tag=%s", d->local, d->local_tag);
	snprintf(remote, sizeof(remote), "<%s>;tag=%s", d->remote, d->remote_tag);
	target = sip_contact_format(home, "<%s>", d->target);
	routes = *d->routes ? sip_record_route_make(home, d->routes) : NULL;
	if (target && (routes || !*d->routes))
		leg = nta_leg_tcreate(kept->listen->nta, on_request, kept,
				      SIPTAG_CALL_ID_STR(d->call_id), SIPTAG_FROM_STR(local),
				      SIPTAG_TO_STR(remote), SIPTAG_CSEQ_STR(CSEQ), TAG_END());
	/* as its tags would not: only so it is seen whether the first of them routes loosely */
	if (leg && nta_leg_server_route(leg, routes, target) != 0) {
		nta_leg_destroy(leg);
		leg = NULL;
	}
	su_home_deinit(home);
	return leg;
}

int
cp_sip_keep(struct cp_sip_kept **out, struct cp_sip *s, const struct cp_dialog *d, void *owner)
{
	struct cp_sip_listen *l = find_listen(s, d->listen);
	struct cp_sip_kept *kept;

	if (!l)
		return -ENOENT;
	if (!l->nta)
		return -ENOTSUP;
	if (!*d->local_tag || !*d->remote_tag || strlen(d->local_tag) >= CP_SIP_TAG_MAX ||
	    strlen(d->remote_tag) >= CP_SIP_TAG_MAX)
		return -EINVAL;
	kept = calloc(1, sizeof(*kept));
	if (!kept)
		return -ENOMEM;
	kept->listen = l;
	kept->owner = owner;
	snprintf(kept->local_tag, sizeof(kept->local_tag), "%s", d->local_tag);
	snprintf(kept->remote_tag, sizeof(kept->remote_tag), "%s", d->remote_tag);
	snprintf(kept->contact, sizeof(kept->contact), "%s", d->contact);
	LIST_INSERT_HEAD(&s->kept, kept, entry);
	kept->leg = make_leg(kept, d);
	if (!kept->leg) {
		forget(kept);
		return -EINVAL;
	}
	*out = kept;
	return 0;
}

static int
on_bye_answered(struct cp_sip_kept *kept, nta_outgoing_t *bye, const sip_t *sip)
{
	struct cp_sip *s = kept->listen->sip;

	if (nta_outgoing_status(bye) < 200)
		return 0;
	forget(kept);
	cp_sip_one_less(s);
	return 0;
}

void
cp_sip_kept_bye(struct cp_sip_kept *kept, int cause, const char *text)
{
	char reason[CP_SIP_WHY_MAX];

	snprintf(reason, sizeof(reason), "SIP;cause=%d;text=\"%.200s\"", cause, text);
	kept->is_over = true;
	kept->bye = nta_outgoing_tcreate(
		kept->leg, on_bye_answered, kept, NULL, SIP_METHOD_BYE, NULL,
		SIPTAG_REASON_STR(reason), SIPTAG_MAX_FORWARDS_STR("70"),
		SIPTAG_USER_AGENT_STR(kept->listen->sip->options->user_agent), TAG_END());
	if (!kept->bye)
		forget(kept);
}

bool
cp_sip_kept_has_bye(const struct cp_sip *s)
{
	const struct cp_sip_kept *kept;

	LIST_FOREACH (kept, &s->kept, entry)
		if (kept->bye)
			return true;
	return false;
}

void
cp_sip_kept_free_all(struct cp_sip *s)
{
	while (!LIST_EMPTY(&s->kept))
		forget(LIST_FIRST(&s->kept));
}
