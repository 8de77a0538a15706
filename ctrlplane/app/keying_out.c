/* Dial-out under MIKEY-TICKET: a ticket for the invitee, TRANSFER_INIT, and the answer to it (RFC 6043 4.2.1 and 4.2.2). */
#include "ctrlplane/app/keying_state.h"

#include <errno.h>
#include <string.h>

#include "ctrlplane/base/log.h"

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
	policy.responders[0] = cp_mikey_id_uri(k->invitee);
	policy.responder_count = 1;
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

static void
got_ticket(void *arg, int rc)
{
	struct cp_keying *k = arg;

	k->ask = NULL;
	k->done(k->call, rc ? 503 : k->verdict);
}

int
cp_keying_ticket(struct cp_call *call, const char *name, const char *invitee,
		 void (*done)(struct cp_call *call, int status))
{
	static const struct cp_kms_ask_ops ops = {.make = make, .take = take, .done = got_ticket};
	struct cp_keying *k;

	if (!call->app->mikey.is_on)
		return 500;
	if (!call->keying && cp_keying_create(&call->keying, call, name) != 0)
		return 500;
	k = call->keying;
	k->done = done;
	k->verdict = 0;
	k->resolve.fault = (struct cp_mikey_fault){0};
	snprintf(k->invitee, sizeof(k->invitee), "%s", invitee);
	return cp_kms_client_ask(&k->ask, call->app->mikey.client, CP_KMS_REQUEST, &ops, k) ? 503
											    : 0;
}

int
cp_keying_transfer(struct cp_call *call)
{
	struct cp_keying *k = call->keying;
	/* The audio, and what its NOTIFYs will be protected by. */
	const struct cp_mikey_line lines[] = {
		cp_keying_line(call, 1, false),
		{.use = CP_MIKEY_USE_CMS, .cs_id = CP_MIKEY_CMS_CS},
	};
	const struct cp_mikey_transfer transfer = {
		.responder = cp_mikey_id_uri(k->invitee),
		.lines = lines,
		.count = 2,
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
	k->next_cs_id = 1;
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
	return cp_keying_set(call, k->next_csb ? k->next_csb : k->csb, k->next_cs_id);
}
