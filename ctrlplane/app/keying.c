/* Dial-in under MIKEY-TICKET: TRANSFER_INIT, the KMS, TRANSFER_RESP (RFC 6043 4.2.2 and 4.2.3). */
#include "ctrlplane/app/keying_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctrlplane/base/log.h"

#define RETRY_AFTER_S 5

bool
cp_keying_keep(uint8_t **to, size_t *to_len, const uint8_t *octets, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	if (!copy)
		return false;
	memcpy(copy, octets, len);
	free(*to);
	*to = copy;
	*to_len = len;
	return true;
}

void
cp_keying_drop_texts(struct cp_keying_texts *texts)
{
	free(texts->theirs);
	free(texts->ours);
	*texts = (struct cp_keying_texts){0};
}

int
cp_keying_status(const struct cp_keying *k, int rc)
{
	if (rc == -EPROTO)
		cp_log(CP_LOG_INFO, CP_APP_AREA, "%s: MIKEY refused with %u: %s", k->user,
		       k->fault.error, k->fault.text ? k->fault.text : "?");
	else
		cp_log(CP_LOG_WARN, CP_APP_AREA, "%s: MIKEY failed: %s", k->user, strerror(-rc));
	return rc == -EPROTO ? 488 : rc == -ENOMEM || rc == -EAGAIN ? 503 : 500;
}

struct cp_mikey_line
cp_keying_line(const struct cp_call *call, uint8_t cs_id)
{
	const struct cp_sdp_policy *policy = &call->app->config->sdp_policy;
	enum dp_suite suites[CP_SDP_SUITES_MAX] = {call->sdp.media.suite};

	/* A running call keeps its suite: the stream goes on. */
	if (call->sdp.was_agreed && call->sdp.media.suite != DP_SUITE_NONE)
		return cp_mikey_line_srtp(cs_id, call->ssrc, suites, 1);
	for (int i = 0; i < policy->suite_count; i++)
		suites[i] = (enum dp_suite)policy->suites[i];
	return cp_mikey_line_srtp(cs_id, call->ssrc, suites, policy->suite_count);
}

int
cp_keying_set(struct cp_call *call, const struct cp_mikey_csb *csb, uint8_t cs_id)
{
	struct cp_keying *k = call->keying;
	uint8_t to_us = (uint8_t)(k->is_initiator ? cs_id + 1 : cs_id);
	uint8_t from_us = (uint8_t)(k->is_initiator ? cs_id : cs_id + 1);
	const struct cp_mikey_session *rx = cp_mikey_csb_find(csb, to_us);
	const struct cp_mikey_session *tx = cp_mikey_csb_find(csb, from_us);

	if (!rx || !tx || rx->srtp.suite == DP_SUITE_NONE || rx->srtp.suite != tx->srtp.suite ||
	    tx->ssrc != call->ssrc) {
		cp_mikey_refuse(&k->fault, CP_MIKEY_ERR_UNSPECIFIED,
				"the crypto sessions are not those of the audio");
		return 488;
	}
	cp_sdp_set_keys(&call->next, &call->sdp, &rx->srtp, &tx->srtp);
	return 0;
}

const char *
cp_keying_initiator(const struct cp_call *call)
{
	return call->keying && *call->keying->peer ? call->keying->peer : NULL;
}

bool
cp_keying_is_open(const struct cp_call *call)
{
	return call->keying && call->keying->responder;
}

/* The KMS is asked: each attempt has a RESOLVE_INIT of its own. */
static int
make(void *arg, uint8_t *octets, size_t size)
{
	struct cp_keying *k = arg;
	struct cp_mikey_out out = {.octets = octets, .cap = size};
	int rc = cp_mikey_responder_resolve_make(&out, k->responder, &k->call->app->mikey.env);

	if (rc != 0)
		return rc;
	memcpy(k->asked_csb, octets + 4, sizeof(k->asked_csb));
	return (int)out.len;
}

/* Does it look like the KMS's word on what we asked, right or wrong? RFC 3830 6.1. */
bool
cp_keying_is_answer(const uint8_t *octets, size_t len, const uint8_t csb[4], uint8_t data_type)
{
	return len >= 8 && octets[0] == 1 &&
	       (octets[1] == data_type || octets[1] == CP_MIKEY_ERROR) &&
	       memcmp(octets + 4, csb, 4) == 0;
}

static int
take(void *arg, const uint8_t *octets, size_t len)
{
	struct cp_keying *k = arg;
	int rc;

	if (!cp_keying_is_answer(octets, len, k->asked_csb, CP_MIKEY_RESOLVE_RESP))
		return -EBADMSG;
	rc = cp_mikey_responder_resolve_take(k->responder, cp_mikey_octets(octets, len),
					     &k->call->app->mikey.env, &k->fault);
	k->verdict = rc ? cp_keying_status(k, rc) : 0;
	return 0;
}

static void
resolved(void *arg, int rc)
{
	struct cp_keying *k = arg;
	const struct cp_mikey_offer *offer = cp_mikey_responder_offer(k->responder);
	int status = k->verdict;

	k->ask = NULL;
	if (rc != 0) {
		cp_log(CP_LOG_WARN, CP_APP_AREA, "%s: no KMS resolved the ticket: %s", k->user,
		       strerror(-rc));
		status = 503;
	}
	if (status == 0 && (offer->initiator.type != CP_MIKEY_ID_URI ||
			    cp_identity(k->peer, cp_slice((const char *)offer->initiator.data.at,
							  offer->initiator.data.len)) != 0)) {
		cp_mikey_refuse(&k->fault, CP_MIKEY_ERR_ID, "the initiator is no SIP identity");
		status = 488;
	}
	k->done(k->call, status);
}

int
cp_keying_create(struct cp_keying **out, struct cp_call *call, const char *name)
{
	struct cp_app *app = call->app;
	const struct cp_sdp_policy *policy = &app->config->sdp_policy;
	struct cp_keying *k = calloc(1, sizeof(*k));

	if (!k)
		return -ENOMEM;
	k->call = call;
	if (!cp_app_mikey_user(k->user, &app->mikey, name)) {
		free(k);
		return -EINVAL;
	}
	k->config = (struct cp_mikey_responder_config){
		.account = cp_app_mikey_account(&app->mikey, k->user),
		.takes_mode3 = app->mikey.config->takes_mode3,
		.replay = app->mikey.replay,
		.tickets = app->mikey.tickets,
	};
	for (int i = 0; i < policy->suite_count; i++)
		k->config.suites |= (uint16_t)(1u << policy->suites[i]);
	*out = k;
	return 0;
}

/* What can be said without the KMS: RFC 6043 4.2.2.2. */
static int
check_early(struct cp_keying *k)
{
	struct cp_app *app = k->call->app;
	uint8_t octets[CP_SDP_MIKEY_MAX];
	int len = cp_sdp_mikey_octets(octets, sizeof(octets), &k->call->next), rc;

	if (len < 0 || !cp_keying_keep(&k->next.theirs, &k->next.theirs_len, octets, (size_t)len))
		return 500;
	k->next_cs_id = k->call->next.cs_id;
	k->config.sdp_ids = k->call->next.protocols;
	rc = cp_mikey_responder_create(&k->responder, &k->config,
				       cp_mikey_octets(k->next.theirs, k->next.theirs_len),
				       &app->mikey.env, &k->fault);
	return rc ? cp_keying_status(k, rc) : 0;
}

int
cp_keying_start(struct cp_call *call, const char *name, const char *source,
		void (*done)(struct cp_call *call, int status))
{
	static const struct cp_kms_ask_ops ops = {.make = make, .take = take, .done = resolved};
	struct cp_app *app = call->app;
	struct cp_keying *k = call->keying;
	int status, rc;

	if (!app->mikey.is_on)
		return 488;
	if (!k && cp_keying_create(&call->keying, call, name) != 0)
		return 500;
	k = call->keying;
	k->fault = (struct cp_mikey_fault){0};
	k->done = done;
	status = check_early(k);
	if (status != 0)
		return status;
	if (!cp_rate_may(&app->mikey.rate, source, app->mikey.config->rate, cp_app_now_ms())) {
		cp_log(CP_LOG_WARN, CP_APP_AREA, "%s sends tickets faster than 'mikey.rate'",
		       source);
		return 503;
	}
	k->verdict = 0;
	rc = cp_kms_client_ask(&k->ask, app->mikey.client, CP_KMS_RESOLVE, &ops, k);
	return rc ? cp_keying_status(k, rc == -EPROTO ? -EIO : rc) : 0;
}

int
cp_keying_answer(struct cp_call *call)
{
	struct cp_keying *k = call->keying;
	struct cp_mikey_line line = cp_keying_line(call, k->next_cs_id);
	const struct cp_mikey_answer answer = {.lines = &line, .count = 1};
	uint8_t octets[CP_SDP_MIKEY_MAX];
	struct cp_mikey_out out = {.octets = octets, .cap = sizeof(octets)};
	int rc = cp_mikey_responder_answer(&k->next_csb, &out, k->responder, &answer,
					   &call->app->mikey.env, &k->fault);

	if (rc != 0)
		return cp_keying_status(k, rc);
	if (!cp_keying_keep(&k->next.ours, &k->next.ours_len, octets, out.len))
		return 503;
	return cp_keying_set(call, k->next_csb, k->next_cs_id);
}

uint32_t
cp_keying_rekey_s(const struct cp_call *call)
{
	return call->keying && call->keying->csb ? cp_mikey_csb_rekey_s(call->keying->csb) : 0;
}

void
cp_keying_commit(struct cp_call *call)
{
	struct cp_keying *k = call->keying;

	if (!k)
		return;
	if (k->next_csb) {
		cp_mikey_csb_destroy(k->csb);
		k->csb = k->next_csb;
		k->next_csb = NULL;
	} else if (k->next_cs_id) { /* the media plane has the keys; those of the old pair go */
		cp_mikey_csb_retire(k->csb, k->cs_id);
		cp_mikey_csb_retire(k->csb, (uint8_t)(k->cs_id + 1));
	}
	if (k->next_cs_id)
		k->cs_id = k->next_cs_id;
	if (k->next.theirs) {
		cp_keying_drop_texts(&k->texts);
		k->texts = k->next;
		k->next = (struct cp_keying_texts){0};
	}
	cp_keying_abort(call);
}

void
cp_keying_abort(struct cp_call *call)
{
	struct cp_keying *k = call->keying;

	if (!k)
		return;
	cp_kms_client_cancel(k->ask);
	k->ask = NULL;
	cp_mikey_responder_destroy(k->responder);
	k->responder = NULL;
	cp_mikey_initiator_destroy(k->initiator);
	k->initiator = NULL;
	cp_mikey_request_destroy(k->request);
	k->request = NULL;
	cp_mikey_ticket_destroy(k->ticket);
	k->ticket = NULL;
	cp_mikey_csb_destroy(k->next_csb);
	k->next_csb = NULL;
	k->next_cs_id = 0;
	cp_keying_drop_texts(&k->next);
	call->local.mikey = cp_slice((const char *)k->texts.ours, k->texts.ours_len);
}

/* The MIKEY error as the body of a 488; 0: none could be made. */
static int
error_body(char *text, size_t size, struct cp_call *call)
{
	struct cp_keying *k = call->keying;
	uint8_t octets[512];
	struct cp_mikey_out out = {.octets = octets, .cap = sizeof(octets)};
	int len;

	if (!k || !k->next.theirs || !k->fault.text ||
	    cp_mikey_responder_error(&out, k->responder,
				     cp_mikey_octets(k->next.theirs, k->next.theirs_len),
				     &call->app->mikey.env, &k->fault) != 0)
		return 0;
	len = cp_sdp_encode_refusal(text, size, &call->next,
				    cp_slice((const char *)octets, out.len));
	return len > 0 ? len : 0;
}

void
cp_keying_refuse(struct cp_call *call, int status)
{
	const struct cp_mikey_fault *fault = call->keying ? &call->keying->fault : NULL;
	char body[CP_SDP_TEXT_MAX];
	struct cp_sip_refusal refusal = {
		.status = status,
		.retry_after_s = status == 503 ? RETRY_AFTER_S : 0,
	};

	if (status == 488) {
		bool is_unknown = fault && (fault->error == CP_MIKEY_ERR_DT ||
					    fault->error == CP_MIKEY_ERR_SP ||
					    fault->error == CP_MIKEY_ERR_TICKET);

		refusal.warning_code = is_unknown ? 306 : 399;
		refusal.warning_text = fault && fault->text ? fault->text : "MIKEY failed";
		refusal.sdp = cp_slice(body, (size_t)error_body(body, sizeof(body), call));
	}
	cp_sip_refuse(call->sip, &refusal);
	cp_keying_abort(call);
}

void
cp_keying_free(struct cp_call *call)
{
	struct cp_keying *k = call->keying;

	if (!k)
		return;
	cp_keying_abort(call);
	cp_mikey_csb_destroy(k->csb);
	cp_keying_drop_texts(&k->texts);
	free(k);
	call->keying = NULL;
	call->local.mikey = cp_slice(NULL, 0);
}
