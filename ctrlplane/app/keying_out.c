/* Dial-out under MIKEY-TICKET: a ticket for the invitee, TRANSFER_INIT, and the answer to it (RFC 6043 4.2.1 and 4.2.2). */
#include "ctrlplane/app/keying_state.h"

#include <errno.h>
#include <string.h>

#define RESPONDERS_MAX 16	   /* on the ticket of one call */
#define RESPONDERS_OCTETS_MAX 1024 /* so that the INVITE stays one that phones take */

/*
 * Who may answer a call of ours: the invitee, and as many of the conference's list as the message has room for, since the network may
 * bring the call to somebody else. Keys of a running call are for who it belongs to.
 */
static void
put_responders(struct cp_mikey_policy *policy, const struct cp_keying *k)
{
	const struct cp_conf *conf = cp_conf_by_id(k->call->app->focus, k->call->conf);
	size_t octets = 0;

	policy->responders[policy->responder_count++] = cp_mikey_id_uri(k->invitee);
	if (k->is_for_one || !conf)
		return;
	for (size_t i = 0; i < conf->authorised_count; i++) {
		struct cp_mikey_id id = cp_mikey_id_uri(conf->authorised[i].identity);

		octets += id.data.len;
		if (policy->responder_count == RESPONDERS_MAX || octets > RESPONDERS_OCTETS_MAX)
			return;
		if (!cp_mikey_id_is_same(id, policy->responders[0]))
			policy->responders[policy->responder_count++] = id;
	}
}

static int
make(void *arg, uint8_t *octets, size_t size)
{
	struct cp_keying *k = arg;
	struct cp_app_mikey *m = &k->call->app->mikey;
	struct cp_mikey_out out = {.octets = octets, .cap = size};
	struct cp_mikey_policy policy;
	int rc;

	cp_mikey_policy_init(&policy, k->resolve.config.account.set);
	policy.kms = k->resolve.config.account.kms;
	policy.initiator = k->resolve.config.account.user;
	put_responders(&policy, k);
	cp_mikey_request_destroy(k->request);
	k->request = NULL;
	rc = cp_mikey_request_make(&k->request, &out, &k->resolve.config.account, &policy, &m->env);
	if (rc != 0)
		return rc;
	memcpy(k->asked_csb, octets + 4, sizeof(k->asked_csb));
	return (int)out.len;
}

static int
take(void *arg, const uint8_t *octets, size_t len)
{
	struct cp_keying *k = arg;
	int rc;

	if (!cp_resolve_is_answer(octets, len, k->asked_csb, CP_MIKEY_REQUEST_RESP))
		return -EBADMSG;
	rc = cp_mikey_request_take(&k->ticket, k->request, cp_mikey_octets(octets, len),
				   &k->call->app->mikey.env, &k->resolve.fault);
	k->verdict = rc ? cp_keying_status(k, rc) : 0;
	return 0;
}

static int ask(struct cp_keying *k);

static void
got_ticket(void *arg, int rc)
{
	struct cp_keying *k = arg;

	k->ask = NULL;
	/* The KMS may forbid one of the list; whom we call may be allowed. */
	if (rc == 0 && k->verdict == 488 && !k->is_for_one) {
		k->is_for_one = true;
		if (ask(k) == 0)
			return;
	}
	k->done(k->call, rc ? 503 : k->verdict);
}

static int
ask(struct cp_keying *k)
{
	static const struct cp_kms_ask_ops ops = {.make = make, .take = take, .done = got_ticket};

	k->verdict = 0;
	k->resolve.fault = (struct cp_mikey_fault){0};
	return cp_kms_client_ask(&k->ask, k->call->app->mikey.client, CP_KMS_REQUEST, &ops, k);
}

int
cp_keying_ticket(struct cp_call *call, const char *name, const char *invitee,
		 void (*done)(struct cp_call *call, int status))
{
	struct cp_keying *k;

	if (!call->app->mikey.is_on)
		return 500;
	if (!call->keying && cp_keying_create(&call->keying, call, name) != 0)
		return 500;
	k = call->keying;
	k->done = done;
	k->is_for_one = !call->is_outgoing || k->csb;
	snprintf(k->invitee, sizeof(k->invitee), "%s", invitee);
	return ask(k) == 0 ? 0 : 503;
}

/* Suites whose keys are longer than the set's want the larger set: RFC 6043 12.1. */
static struct cp_mikey_line
offered_line(const struct cp_call *call)
{
	uint8_t cs_id = cp_sdp_first_cs(&call->sdp, call->sdp.audio);
	struct cp_mikey_line line = cp_keying_line(call, cs_id, false);
	enum dp_suite suites[DP_SUITE_COUNT];
	size_t count = 0;

	for (size_t i = 0; line.preference[i] != DP_SUITE_NONE; i++)
		if (call->keying->resolve.config.account.set == CP_MIKEY_SET_256 ||
		    dp_suite_info(line.preference[i])->key <= 16)
			suites[count++] = line.preference[i];
	return cp_mikey_line_srtp(line.cs_id, line.ssrc, suites, count);
}

int
cp_keying_transfer(struct cp_call *call)
{
	struct cp_keying *k = call->keying;
	/* The audio, what its NOTIFYs will be protected by, and its streams. */
	struct cp_mikey_line lines[2 + CP_SDP_SERVICES] = {
		offered_line(call),
		{.use = CP_MIKEY_USE_CMS, .cs_id = CP_MIKEY_CMS_CS},
	};
	const struct cp_mikey_transfer transfer = {
		.responder = cp_mikey_id_uri(k->invitee),
		.lines = lines,
		.count = 2 + cp_keying_offer_streams(lines + 2, call, 0),
		.sdp_ids = "mikey",
		.limits = k->resolve.config.account.limits,
	};
	uint8_t octets[CP_SDP_MIKEY_MAX];
	struct cp_mikey_out out = {.octets = octets, .cap = sizeof(octets)};
	int rc = cp_mikey_initiator_make(&k->initiator, &out, k->ticket, &transfer,
					 &call->app->mikey.env);

	if (rc != 0)
		return cp_keying_status(k, rc);
	if (!cp_keying_keep(&k->next.ours, &k->next.ours_len, octets, out.len))
		return 503;
	k->next_cs_id = lines[0].cs_id;
	call->local.mikey = cp_slice((const char *)k->next.ours, k->next.ours_len);
	return 0;
}

/* TRANSFER_RESP: a bundle of its own, and who it is bound to. */
static int
take_answer(struct cp_keying *k, struct cp_mikey_octets answer)
{
	char who[CP_IDENTITY_MAX];
	struct cp_mikey_id id;
	int rc = cp_mikey_initiator_take(&k->next_csb, k->initiator, answer,
					 &k->call->app->mikey.env, &k->resolve.fault);

	if (rc != 0)
		return cp_keying_status(k, rc);
	id = cp_mikey_csb_responder(k->next_csb);
	if (id.type != CP_MIKEY_ID_URI ||
	    cp_identity(who, cp_slice((const char *)id.data.at, id.data.len)) != 0)
		return 488;
	/* Who it is does not change in the middle of a call. */
	if (*k->peer && strcmp(k->peer, who) != 0)
		return 403;
	snprintf(k->peer, sizeof(k->peer), "%s", who);
	return cp_call_is_welcome(k->call, who) ? 0 : 403;
}

int
cp_keying_answered(struct cp_call *call)
{
	struct cp_keying *k = call->keying;
	uint8_t octets[CP_SDP_MIKEY_MAX];
	int len = cp_sdp_mikey_octets(octets, sizeof(octets), &call->next), status = 0, rc = 0;

	if (!k || len < 0)
		return 488;
	if (k->initiator)
		status = take_answer(k, cp_mikey_octets(octets, (size_t)len));
	else if (k->csb)
		rc = cp_mikey_update_finish(k->csb, cp_mikey_octets(octets, (size_t)len),
					    &call->app->mikey.env, &k->resolve.fault);
	else
		status = 488;
	if (status != 0 || rc != 0)
		return rc != 0 ? cp_keying_status(k, rc) : status;
	if (!cp_keying_keep(&k->next.theirs, &k->next.theirs_len, octets, (size_t)len))
		return 503;
	k->next_lines = call->next.srtp_lines;
	cp_keying_check_streams(call);
	return cp_keying_set(call, k->next_csb ? k->next_csb : k->csb, k->next_cs_id);
}
