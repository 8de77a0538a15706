/* What a participant answers: TRANSFER_INIT, which the KMS resolves, and CSB updates; RFC 6043 sections 4.2.3 and 5.2. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "bench/load/mikey_state.h"
#include "ctrlplane/mikey/msg.h"

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

/* The message once more that we answered last. */
static bool
is_heard(const struct ue_mikey *m, const struct ue_sdp *theirs)
{
	return m->heard && strlen(m->heard) == theirs->mikey_len &&
	       memcmp(m->heard, theirs->mikey, theirs->mikey_len) == 0;
}

static bool
has_ticket(struct cp_mikey_octets in)
{
	struct cp_mikey_msg msg;

	return cp_mikey_msg_decode(&msg, in) == 0 &&
	       cp_mikey_list_find(&msg.payloads, CP_MIKEY_PAYLOAD_TICKET, 0) != NULL;
}

static int
resolve(struct ue_mikey *m, struct cp_mikey_octets in)
{
	const struct ue_options *o = m->node->options;
	uint8_t octets[CP_MIKEY_MSG_MAX];
	struct cp_mikey_out out = {octets, sizeof(octets), 0};
	struct cp_mikey_fault fault = {.text = ""};
	int err;

	cp_mikey_responder_destroy(m->responder);
	m->responder = NULL;
	ue_mikey_account(m, &m->config.account);
	m->config.suites = 0;
	for (unsigned i = 0; i < o->suite_count; i++)
		m->config.suites |= (uint16_t)(1u << o->suite[i]);
	m->config.sdp_ids = UE_SDP_IDS;
	m->config.takes_mode3 = o->tpk_file != NULL;
	m->config.replay = m->node->replay;
	m->config.tickets = m->node->used;
	err = cp_mikey_responder_create(&m->responder, &m->config, in, &m->node->env, &fault);
	if (!err)
		err = cp_mikey_responder_resolve_make(&out, m->responder, &m->node->env);
	if (err)
		return ue_mikey_fault(m, err, &fault);
	err = ue_kms_post(m->node->kms, UE_KMS_TICKET_RESOLVE, octets, out.len, resolved, m);
	if (err)
		return ue_mikey_fail(m, err, "the KMS could not be asked");
	m->phase = UE_MIKEY_RESOLVING;
	return -EINPROGRESS;
}

int
ue_mikey_called(struct ue_mikey *m, const struct ue_sdp *theirs)
{
	uint8_t octets[CP_MIKEY_MSG_MAX];
	struct cp_mikey_octets in;
	int n;

	if (m->phase == UE_MIKEY_OFFERED || m->phase == UE_MIKEY_RESOLVING ||
	    m->phase == UE_MIKEY_UPDATING)
		return ue_mikey_fail(m, -EBUSY, "an offer while another exchange is under way");
	if (m->is_keyed && is_heard(m, theirs))
		return 0;
	n = ue_mikey_octets(octets, sizeof(octets), theirs->mikey, theirs->mikey_len);
	if (n < 0)
		return ue_mikey_fail(m, n, "the offer has no MIKEY that can be read");
	in = cp_mikey_octets(octets, (size_t)n);
	if (!m->is_keyed || has_ticket(in))
		return resolve(m, in);
	m->phase = UE_MIKEY_IDLE; /* whatever came before it */
	return 0;
}

static int
transfer_answer(struct ue_mikey *m, const struct ue_sdp *theirs, uint32_t ssrc,
		struct cp_mikey_out *out)
{
	uint8_t cs_id = theirs->is_mikey_at_session ? ue_sdp_cs_id(theirs, theirs->own) : 1;
	struct cp_mikey_line line = ue_mikey_line(m, cs_id, ssrc);
	const struct cp_mikey_answer answer = {.lines = &line, .count = 1};
	struct cp_mikey_fault fault = {.text = ""};
	struct cp_mikey_csb *csb = NULL;
	int err =
		cp_mikey_responder_answer(&csb, out, m->responder, &answer, &m->node->env, &fault);

	m->phase = UE_MIKEY_IDLE;
	if (err)
		return ue_mikey_fault(m, err, &fault);
	err = ue_mikey_adopt(m, csb, false, cs_id);
	if (err)
		cp_mikey_csb_destroy(csb);
	else
		ue_misbehave_init(m, out);
	return err;
}

/* The first CS ID of our new pair: in its place where the update has one for each m-line, else the only one. */
static uint8_t
pair_new(const struct ue_mikey *m)
{
	uint8_t first = 0;
	unsigned pairs = 0;

	for (size_t i = 0; i < cp_mikey_csb_count(m->csb); i++) {
		const struct cp_mikey_session *s = cp_mikey_csb_session(m->csb, i);

		if (s->cs_id <= m->cs_last || s->use != CP_MIKEY_USE_SRTP || s->cs_id % 2 == 0)
			continue;
		pairs++;
		first = first == 0 || s->cs_id < first ? s->cs_id : first;
	}
	return (uint8_t)(pairs > 1 ? first + m->place : first);
}

static int
update_answer(struct ue_mikey *m, const struct ue_sdp *theirs, uint32_t ssrc,
	      struct cp_mikey_out *out)
{
	uint8_t octets[CP_MIKEY_MSG_MAX];
	int n = ue_mikey_octets(octets, sizeof(octets), theirs->mikey, theirs->mikey_len), err;
	struct cp_mikey_fault fault = {.text = ""};
	struct cp_mikey_line line = ue_mikey_line(m, cp_mikey_csb_free_pair(m->csb), ssrc);
	const struct cp_mikey_update update = {.lines = &line, .count = 1};

	if (n < 0)
		return ue_mikey_fail(m, n, "the offer has no MIKEY that can be read");
	err = cp_mikey_update_answer(out, m->csb, &update, cp_mikey_octets(octets, (size_t)n),
				     &m->node->env, &fault);
	if (err)
		return ue_mikey_fault(m, err, &fault);
	return ue_mikey_adopt(m, m->csb, m->is_initiator, pair_new(m));
}

int
ue_mikey_answer(struct ue_mikey *m, const struct ue_sdp *theirs, uint32_t ssrc, const char **answer,
		struct ue_sdes key[2])
{
	uint8_t octets[CP_MIKEY_MSG_MAX];
	struct cp_mikey_out out = {octets, sizeof(octets), 0};
	char *heard;
	int err;

	*answer = NULL;
	if (m->is_keyed && m->phase == UE_MIKEY_IDLE && is_heard(m, theirs)) {
		*answer = m->text;
		memcpy(key, m->key, sizeof(m->key));
		return 0;
	}
	if (m->phase == UE_MIKEY_RESOLVED)
		err = transfer_answer(m, theirs, ssrc, &out);
	else if (m->is_keyed && m->phase == UE_MIKEY_IDLE)
		err = update_answer(m, theirs, ssrc, &out);
	else
		err = -EBADMSG;
	heard = err ? NULL : strndup(theirs->mikey, theirs->mikey_len);
	if (!err)
		err = heard ? ue_mikey_text_set(&m->text, octets, out.len) : -ENOMEM;
	if (err) {
		free(heard);
		return err;
	}
	free(m->heard);
	m->heard = heard;
	*answer = m->text;
	memcpy(key, m->key, sizeof(m->key));
	return 0;
}
