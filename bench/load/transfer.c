/* A participant's Ticket Transfers and CSB updates: RFC 6043 sections 4.2.2, 4.2.3 and 5.2, in SDP by RFC 4567. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "bench/load/mikey_state.h"

#define SDP_IDS "mikey"

static struct cp_mikey_line
line_of(const struct ue_mikey *m, uint8_t cs_id, uint32_t ssrc)
{
	const struct ue_options *o = m->node->options;

	return cp_mikey_line_srtp(cs_id, ssrc, o->suite, o->suite_count);
}

/* The keys of the pair that the bundle got last; those before are forgotten. */
static int
keys_pick(struct ue_mikey *m)
{
	struct ue_sdes key[2] = {{0}, {0}};
	bool are_we_initiator = m->initiator != NULL;
	uint8_t first = 0;

	for (size_t i = 0; i < cp_mikey_csb_count(m->csb); i++) {
		const struct cp_mikey_session *s = cp_mikey_csb_session(m->csb, i);
		const struct dp_suite_info *info = dp_suite_info(s->srtp.suite);
		struct ue_sdes *k = &key[s->is_from_initiator != are_we_initiator];

		if (s->use != CP_MIKEY_USE_SRTP || s->cs_id <= m->cs_id)
			continue;
		first = first == 0 || s->cs_id < first ? s->cs_id : first;
		*k = (struct ue_sdes){.suite = s->srtp.suite};
		memcpy(k->key, cp_secret_octets(s->srtp.octets), info->key);
		memcpy(k->salt, cp_secret_octets(s->srtp.octets) + info->key, info->salt);
	}
	if (key[0].suite == DP_SUITE_NONE || key[1].suite == DP_SUITE_NONE)
		return ue_mikey_fail(m, -EBADMSG, "no crypto session for each direction");
	if (m->cs_id) {
		cp_mikey_csb_retire(m->csb, m->cs_id);
		cp_mikey_csb_retire(m->csb, m->cs_id + 1);
	}
	m->cs_id = first;
	memcpy(m->key, key, sizeof(key));
	explicit_bzero(key, sizeof(key));
	return 0;
}

/* Text that stands as it is in the offer of another. */
static int
replayed(struct ue_mikey *m)
{
	char *copy = strdup(m->node->first);

	if (!copy)
		return -ENOMEM;
	free(m->text);
	m->text = copy;
	return 0;
}

int
ue_mikey_offer(struct ue_mikey *m, uint32_t ssrc, const char **base64)
{
	const struct cp_mikey_line line = line_of(m, 1, ssrc);
	const struct cp_mikey_transfer transfer = {
		.responder = cp_mikey_id_uri(m->to),
		.lines = &line,
		.count = 1,
		.sdp_ids = ue_misbehaves(m, UE_NO_SDP_IDS) ? NULL : SDP_IDS,
		.limits = cp_mikey_limits_default(),
	};
	const struct cp_mikey_env env = ue_misbehave_env(m);
	uint8_t octets[CP_MIKEY_MSG_MAX];
	struct cp_mikey_out out = {octets, sizeof(octets), 0};
	int err;

	if (m->phase == UE_MIKEY_OFFERED) { /* once more, with credentials */
		*base64 = m->text;
		return 0;
	}
	err = cp_mikey_initiator_make(&m->initiator, &out, m->ticket->ticket, &transfer, &env);
	if (err)
		return ue_mikey_fail(m, err, "no TRANSFER_INIT could be made");
	m->ticket->uses++;
	ue_misbehave_init(m, &out);
	err = ue_misbehaves(m, UE_REPLAY) && m->node->first ? replayed(m)
							    : ue_mikey_text_set(m, octets, out.len);
	if (err)
		return err;
	m->phase = UE_MIKEY_OFFERED;
	*base64 = m->text;
	return 0;
}

int
ue_mikey_update(struct ue_mikey *m, uint32_t ssrc, const char **base64)
{
	uint8_t octets[CP_MIKEY_MSG_MAX];
	struct cp_mikey_out out = {octets, sizeof(octets), 0};
	struct cp_mikey_line line;
	struct cp_mikey_update update = {.lines = &line, .count = 1};
	struct cp_mikey_fault fault;
	int err;

	if (m->phase != UE_MIKEY_KEYED)
		return -EBUSY;
	line = line_of(m, cp_mikey_csb_free_pair(m->csb), ssrc);
	if (line.cs_id == 0)
		return ue_mikey_fail(m, -ENOSPC, "no CS ID is left");
	err = cp_mikey_update_make(&out, m->csb, &update, &m->node->env, &fault);
	if (err)
		return ue_mikey_fault(m, err, &fault);
	if (ue_misbehaves(m, UE_FLIP_UPDATE))
		octets[ue_misbehave_at(m, out.len)] ^= 1;
	err = ue_mikey_text_set(m, octets, out.len);
	if (err)
		return err;
	m->phase = UE_MIKEY_UPDATING;
	*base64 = m->text;
	return 0;
}

/* What a replay needs: a text that was accepted. */
static void
first_keep(struct ue_mikey *m)
{
	if (ue_misbehaves(m, UE_REPLAY) && !m->node->first && m->text)
		m->node->first = strdup(m->text);
}

int
ue_mikey_answered(struct ue_mikey *m, const char *base64, size_t len, struct ue_sdes key[2])
{
	uint8_t octets[CP_MIKEY_MSG_MAX];
	struct cp_mikey_fault fault = {.text = ""};
	struct cp_mikey_octets in;
	int n, err;

	if (m->phase == UE_MIKEY_KEYED && len == 0) {
		memcpy(key, m->key, sizeof(m->key));
		return 0;
	}
	if (m->phase != UE_MIKEY_UPDATING && len == 0)
		return -ENOENT;
	n = ue_mikey_octets(octets, sizeof(octets), base64, len);
	if (n < 0)
		return ue_mikey_fail(m, n, "the answer has no MIKEY that can be read");
	in = cp_mikey_octets(octets, (size_t)n);
	if (m->phase == UE_MIKEY_OFFERED) {
		err = cp_mikey_initiator_take(&m->csb, m->initiator, in, &m->node->env, &fault);
		if (!err)
			first_keep(m);
	} else if (m->phase == UE_MIKEY_UPDATING) {
		err = cp_mikey_update_finish(m->csb, in, &m->node->env, &fault);
		m->rekeys += !err;
		cp_mikey_update_cancel(m->csb);
		m->phase = UE_MIKEY_KEYED;
	} else {
		return ue_mikey_fail(m, -EBADMSG, "MIKEY in the answer to an offer without it");
	}
	if (!err)
		err = keys_pick(m);
	else
		ue_mikey_fault(m, err, &fault);
	if (err)
		return err;
	m->phase = UE_MIKEY_KEYED;
	memcpy(key, m->key, sizeof(m->key));
	return 0;
}

void
ue_mikey_refused(struct ue_mikey *m, const uint8_t *octets, size_t len)
{
	struct cp_mikey_octets in = cp_mikey_octets(octets, len);
	struct cp_mikey_fault fault = {.text = ""};
	struct cp_mikey_csb *csb = NULL;
	int err = -EINVAL;

	if (m->phase == UE_MIKEY_OFFERED) {
		err = cp_mikey_initiator_take(&csb, m->initiator, in, &m->node->env, &fault);
		cp_mikey_csb_destroy(csb); /* a refusal keys nothing */
	} else if (m->phase == UE_MIKEY_UPDATING) {
		err = cp_mikey_update_finish(m->csb, in, &m->node->env, &fault);
		cp_mikey_update_cancel(m->csb);
		m->phase = UE_MIKEY_KEYED;
	}
	if (err == -EPROTO)
		ue_mikey_fault(m, err, &fault);
}

void
ue_mikey_refused_text(struct ue_mikey *m, const char *base64, size_t len)
{
	uint8_t octets[CP_MIKEY_MSG_MAX];
	int n = ue_mikey_octets(octets, sizeof(octets), base64, len);

	if (n > 0)
		ue_mikey_refused(m, octets, (size_t)n);
	else if (m->phase == UE_MIKEY_UPDATING) {
		cp_mikey_update_cancel(m->csb);
		m->phase = UE_MIKEY_KEYED;
	}
}

/* The KMS answered: this is who calls, and the keys. */
static void
resolved(void *arg, const uint8_t *octets, size_t len, const char *why)
{
	struct ue_mikey *m = arg;
	struct cp_mikey_fault fault = {.text = ""};

	m->phase = UE_MIKEY_FAILED;
	if (len == 0) {
		m->err = ue_mikey_fail(m, -EHOSTUNREACH, why);
		return;
	}
	m->err = cp_mikey_responder_resolve_take(m->responder, cp_mikey_octets(octets, len),
						 &m->node->env, &fault);
	if (m->err)
		ue_mikey_fault(m, m->err, &fault);
	else
		m->phase = UE_MIKEY_RESOLVED;
}

int
ue_mikey_called(struct ue_mikey *m, const char *base64, size_t len)
{
	const struct ue_options *o = m->node->options;
	uint8_t octets[CP_MIKEY_MSG_MAX];
	struct cp_mikey_out out = {octets, sizeof(octets), 0};
	struct cp_mikey_fault fault = {.text = ""};
	int n = ue_mikey_octets(octets, sizeof(octets), base64, len), err;

	if (n < 0)
		return ue_mikey_fail(m, n, "the offer has no MIKEY that can be read");
	ue_mikey_account(m, &m->config.account);
	m->config.suites = 0;
	for (unsigned i = 0; i < o->suite_count; i++)
		m->config.suites |= (uint16_t)(1u << o->suite[i]);
	m->config.sdp_ids = SDP_IDS;
	m->config.replay = m->node->replay;
	m->config.tickets = m->node->used;
	err = cp_mikey_responder_create(&m->responder, &m->config,
					cp_mikey_octets(octets, (size_t)n), &m->node->env, &fault);
	if (!err)
		err = cp_mikey_responder_resolve_make(&out, m->responder, &m->node->env);
	if (err)
		return ue_mikey_fault(m, err, &fault);
	err = ue_kms_post(m->node->kms, UE_KMS_TICKET_RESOLVE, octets, out.len, resolved, m);
	if (err)
		return ue_mikey_fail(m, err, "the KMS could not be asked");
	m->phase = UE_MIKEY_RESOLVING;
	return 0;
}

static int
transfer_answer(struct ue_mikey *m, uint32_t ssrc, struct cp_mikey_out *out)
{
	const struct cp_mikey_offer *offer = cp_mikey_responder_offer(m->responder);
	struct cp_mikey_line line = line_of(m, offer->sessions[0].cs_id, ssrc);
	const struct cp_mikey_answer answer = {.lines = &line, .count = 1};
	struct cp_mikey_fault fault = {.text = ""};
	int err = cp_mikey_responder_answer(&m->csb, out, m->responder, &answer, &m->node->env,
					    &fault);

	if (err)
		return ue_mikey_fault(m, err, &fault);
	ue_misbehave_init(m, out);
	return 0;
}

static int
update_answer(struct ue_mikey *m, const char *base64, size_t len, uint32_t ssrc,
	      struct cp_mikey_out *out)
{
	uint8_t octets[CP_MIKEY_MSG_MAX];
	int n = ue_mikey_octets(octets, sizeof(octets), base64, len), err;
	struct cp_mikey_fault fault = {.text = ""};
	struct cp_mikey_line line = line_of(m, cp_mikey_csb_free_pair(m->csb), ssrc);
	const struct cp_mikey_update update = {.lines = &line, .count = 1};

	if (n < 0)
		return ue_mikey_fail(m, n, "the offer has no MIKEY that can be read");
	err = cp_mikey_update_answer(out, m->csb, &update, cp_mikey_octets(octets, (size_t)n),
				     &m->node->env, &fault);
	if (err)
		return ue_mikey_fault(m, err, &fault);
	m->rekeys++;
	return 0;
}

int
ue_mikey_answer(struct ue_mikey *m, const char *base64, size_t len, uint32_t ssrc,
		const char **answer, struct ue_sdes key[2])
{
	uint8_t octets[CP_MIKEY_MSG_MAX];
	struct cp_mikey_out out = {octets, sizeof(octets), 0};
	char *heard;
	int err;

	*answer = NULL;
	if (m->phase == UE_MIKEY_KEYED && m->heard && strlen(m->heard) == len &&
	    memcmp(m->heard, base64, len) == 0) {
		*answer = m->text;
		memcpy(key, m->key, sizeof(m->key));
		return 0;
	}
	if (m->phase == UE_MIKEY_RESOLVED)
		err = transfer_answer(m, ssrc, &out);
	else if (m->phase == UE_MIKEY_KEYED)
		err = update_answer(m, base64, len, ssrc, &out);
	else
		err = -EBADMSG;
	if (!err)
		err = keys_pick(m);
	heard = err ? NULL : strndup(base64, len);
	if (!err)
		err = heard ? ue_mikey_text_set(m, octets, out.len) : -ENOMEM;
	if (err) {
		free(heard);
		return err;
	}
	free(m->heard);
	m->heard = heard;
	m->phase = UE_MIKEY_KEYED;
	*answer = m->text;
	memcpy(key, m->key, sizeof(m->key));
	return 0;
}

bool
ue_mikey_is_keyed(const struct ue_mikey *m, struct ue_sdes key[2])
{
	if (m->phase != UE_MIKEY_KEYED && m->phase != UE_MIKEY_UPDATING)
		return false;
	memcpy(key, m->key, sizeof(m->key));
	return true;
}
