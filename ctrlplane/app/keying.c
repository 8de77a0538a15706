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
	return cp_resolve_status(k->resolve.user, &k->resolve.fault, rc);
}

struct cp_mikey_line
cp_keying_line(const struct cp_call *call, uint8_t cs_id, bool is_update)
{
	const struct cp_sdp_policy *policy = &call->app->config->sdp_policy;
	enum dp_suite running = call->sdp.was_agreed ? call->sdp.media.suite : DP_SUITE_NONE;
	enum dp_suite suites[CP_SDP_SUITES_MAX + 1];
	size_t count = 0;

	if (running != DP_SUITE_NONE)
		suites[count++] = running;
	for (int i = 0; i < policy->suite_count && (count == 0 || !is_update); i++)
		if (policy->suites[i] != running)
			suites[count++] = (enum dp_suite)policy->suites[i];
	return cp_mikey_line_srtp(cs_id, call->ssrc, suites, count);
}

int
cp_keying_set(struct cp_call *call, const struct cp_mikey_csb *csb, uint8_t cs_id)
{
	struct cp_keying *k = call->keying;
	bool are_first = cp_mikey_csb_is_initiator(csb);
	const struct cp_mikey_session *rx = cp_mikey_csb_find(csb, (uint8_t)(cs_id + are_first));
	const struct cp_mikey_session *tx = cp_mikey_csb_find(csb, (uint8_t)(cs_id + !are_first));

	if (!cp_sdp_has_audio(&call->next.next))
		return 0;
	if (!rx || !tx || rx->srtp.suite == DP_SUITE_NONE || rx->srtp.suite != tx->srtp.suite ||
	    tx->ssrc != call->ssrc) {
		cp_mikey_refuse(&k->resolve.fault, CP_MIKEY_ERR_UNSPECIFIED,
				"the crypto sessions are not those of the audio");
		return 488;
	}
	cp_sdp_set_keys(&call->next, &call->sdp, &rx->srtp, &tx->srtp,
			k->csb && rx->ssrc != k->peer_ssrc);
	return 0;
}

/* After cp_keying_set of what is now in force. */
static void
keep_facts(struct cp_keying *k)
{
	uint8_t peer_cs = (uint8_t)(k->cs_id + cp_mikey_csb_is_initiator(k->csb));
	const struct cp_mikey_session *theirs = cp_mikey_csb_find(k->csb, peer_cs);

	k->peer_ssrc = theirs ? theirs->ssrc : 0; /* none: a call without audio */
}

/* The place of a pair among those of SRTP: how an update that lists several is understood. */
static uint8_t
rank_of(const struct cp_mikey_csb *csb, uint8_t cs_id)
{
	uint8_t rank = 0;

	for (size_t i = 0; i < cp_mikey_csb_count(csb); i++) {
		const struct cp_mikey_session *s = cp_mikey_csb_session(csb, i);

		rank += s->use == CP_MIKEY_USE_SRTP && s->is_from_initiator && s->cs_id < cs_id;
	}
	return rank;
}

const char *
cp_keying_initiator(const struct cp_call *call)
{
	const struct cp_keying *k = call->keying;

	if (k && k->resolve.responder && *k->resolve.initiator)
		return k->resolve.initiator;
	return k && *k->peer ? k->peer : NULL;
}

const struct cp_mikey_session *
cp_keying_session(const struct cp_call *call, uint8_t cs_id)
{
	const struct cp_keying *k = call->keying;

	return k && k->csb ? cp_mikey_csb_find(k->csb, cs_id) : NULL;
}

const struct cp_mikey_session *
cp_keying_named(const struct cp_app *app, const char *name)
{
	const struct cp_mikey_session *found = NULL;

	for (size_t b = 0; b < app->calls.bucket_count && !found; b++)
		for (struct cp_map_node *n = app->calls.buckets[b]; n && !found; n = n->next)
			found = cp_keying_tls_named(CP_CONTAINER(n, struct cp_call, by_leg)->keying,
						    name);
	return found;
}

/* What another live call has cannot be given again (profile section 6). */
bool
cp_keying_is_name_taken(const struct cp_call *call, const struct cp_mikey_csb *csb)
{
	for (size_t i = 0; i < cp_mikey_csb_count(csb); i++) {
		const struct cp_mikey_session *s = cp_mikey_csb_session(csb, i);
		const struct cp_mikey_session *taken =
			s->use == CP_MIKEY_USE_TLS ? cp_keying_named(call->app, s->name) : NULL;

		if (taken && taken != cp_keying_tls_named(call->keying, s->name))
			return true;
	}
	return false;
}

bool
cp_keying_is_open(const struct cp_call *call)
{
	return call->keying && call->keying->resolve.responder;
}

int
cp_keying_create(struct cp_keying **out, struct cp_call *call, const char *name)
{
	struct cp_app *app = call->app;
	const struct cp_sdp_policy *policy = &app->config->sdp_policy;
	struct cp_keying *k = calloc(1, sizeof(*k));
	uint16_t suites = 0;

	if (!k)
		return -ENOMEM;
	for (int i = 0; i < policy->suite_count; i++)
		suites |= (uint16_t)(1u << policy->suites[i]);
	k->call = call;
	if (cp_resolve_init(&k->resolve, &app->mikey, name, suites) != 0) {
		free(k);
		return -EINVAL;
	}
	*out = k;
	return 0;
}

void
cp_keying_resolved(struct cp_keying *k, int status)
{
	if (status == 0)
		status = cp_keying_next_stream(k);
	if (status != -EINPROGRESS)
		k->done(k->call, status);
}

static void
resolved(void *owner, int status)
{
	cp_keying_resolved(owner, status);
}

/* The audio's message. Else the SIP status. */
static int
start_audio(struct cp_call *call, const char *source)
{
	struct cp_keying *k = call->keying;
	struct cp_resolve_how how = {
		.sdp_ids = call->next.protocols, .source = source, .done = resolved, .owner = k};
	uint8_t octets[CP_SDP_MIKEY_MAX];
	int len = cp_sdp_mikey_octets(octets, sizeof(octets), &call->next);

	if (len < 0 || !cp_keying_keep(&k->next.theirs, &k->next.theirs_len, octets, (size_t)len))
		return 500;
	k->next_cs_id = call->next.cs_id;
	k->next_lines = call->next.srtp_lines;
	return cp_resolve_start(&k->resolve, cp_mikey_octets(k->next.theirs, k->next.theirs_len),
				&how);
}

int
cp_keying_start(struct cp_call *call, const char *name, const char *source,
		void (*done)(struct cp_call *call, int status))
{
	struct cp_keying *k;
	int status;

	if (!call->app->mikey.is_on)
		return 488;
	if (!call->keying && cp_keying_create(&call->keying, call, name) != 0)
		return 500;
	k = call->keying;
	k->done = done;
	k->stream_fault = (struct cp_mikey_fault){0};
	status = cp_keying_streams_open(k, source);
	if (status == 0 && call->next.mikey.len > 0 && !k->is_audio_settled)
		return start_audio(call, source);
	if (status == 0)
		status = cp_keying_next_stream(k);
	return status == -EINPROGRESS ? 0 : status;
}

/* TRANSFER_RESP for the audio. */
static int
answer_audio(struct cp_call *call)
{
	struct cp_keying *k = call->keying;
	struct cp_mikey_line line = cp_keying_line(call, k->next_cs_id, false);
	uint8_t octets[CP_SDP_MIKEY_MAX];
	struct cp_mikey_out out = {.octets = octets, .cap = sizeof(octets)};
	int status = cp_resolve_answer(&k->next_csb, &out, &k->resolve, &line, 1);

	if (status != 0)
		return status;
	if (cp_keying_is_name_taken(call, k->next_csb)) {
		cp_mikey_refuse(&k->resolve.fault, CP_MIKEY_ERR_UNSPECIFIED,
				"the CSB ID is another call's; draw another one");
		return 488;
	}
	if (!cp_keying_keep(&k->next.ours, &k->next.ours_len, octets, out.len))
		return 503;
	return cp_keying_set(call, k->next_csb, k->next_cs_id);
}

int
cp_keying_answer(struct cp_call *call)
{
	int status = call->keying->resolve.responder ? answer_audio(call) : 0;

	if (status == 0)
		status = cp_keying_streams_answer(call->keying);
	if (status == 0)
		cp_keying_check_streams(call);
	return status;
}

uint32_t
cp_keying_rekey_s(const struct cp_call *call)
{
	return call->keying && call->keying->csb ? cp_mikey_csb_rekey_s(call->keying->csb) : 0;
}

bool
cp_keying_commit(struct cp_call *call)
{
	struct cp_keying *k = call->keying;
	bool is_new = k && (k->next_csb || (k->csb && k->next_cs_id != k->cs_id)) && k->next_cs_id;

	if (!k)
		return false;
	if (k->resolve.responder)
		snprintf(k->peer, sizeof(k->peer), "%s", k->resolve.initiator);
	if (k->next_csb) {
		cp_mikey_csb_destroy(k->csb);
		k->csb = k->next_csb;
		k->next_csb = NULL;
		k->rank = rank_of(k->csb, k->next_cs_id);
	} else if (k->csb && k->next_cs_id &&
		   k->next_cs_id !=
			   k->cs_id) { /* the media plane has the keys; those of the old pair go */
		cp_mikey_csb_retire(k->csb, k->cs_id);
		cp_mikey_csb_retire(k->csb, (uint8_t)(k->cs_id + 1));
	}
	if (k->csb && k->next_cs_id) {
		k->cs_id = k->next_cs_id;
		k->next_cs_id = 0;
		keep_facts(k);
	}
	if (k->next.theirs) {
		k->srtp_lines = k->next_lines;
		cp_keying_drop_texts(&k->texts);
		k->texts = k->next;
		k->next = (struct cp_keying_texts){0};
	}
	cp_keying_streams_commit(k);
	cp_keying_abort(call);
	return is_new;
}

void
cp_keying_abort(struct cp_call *call)
{
	struct cp_keying *k = call->keying;

	if (!k)
		return;
	cp_kms_client_cancel(k->ask);
	k->ask = NULL;
	cp_resolve_fini(&k->resolve);
	cp_mikey_initiator_destroy(k->initiator);
	k->initiator = NULL;
	cp_mikey_request_destroy(k->request);
	k->request = NULL;
	cp_mikey_ticket_destroy(k->ticket);
	k->ticket = NULL;
	if (k->csb && !k->next_csb && k->next_cs_id &&
	    k->next_cs_id != k->cs_id) { /* an update that came to nothing */
		cp_mikey_csb_retire(k->csb, k->next_cs_id);
		cp_mikey_csb_retire(k->csb, (uint8_t)(k->next_cs_id + 1));
	}
	cp_mikey_csb_destroy(k->next_csb);
	k->next_csb = NULL;
	k->next_cs_id = 0;
	cp_keying_drop_texts(&k->next);
	k->is_audio_settled = false;
	cp_keying_streams_abort(k);
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

	if (!k || !k->next.theirs || !k->resolve.fault.text || k->stream_fault.text ||
	    cp_resolve_error(&out, &k->resolve,
			     cp_mikey_octets(k->next.theirs, k->next.theirs_len)) != 0)
		return 0;
	len = cp_sdp_encode_refusal(text, size, &call->next,
				    cp_slice((const char *)octets, out.len));
	return len > 0 ? len : 0;
}

void
cp_keying_refuse(struct cp_call *call, int status)
{
	const struct cp_keying *k = call->keying;
	const struct cp_mikey_fault *fault = !k			    ? NULL
					     : k->stream_fault.text ? &k->stream_fault
								    : &k->resolve.fault;
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
	cp_keying_streams_free(k);
	free(k);
	call->keying = NULL;
	call->local.mikey = cp_slice(NULL, 0);
}
