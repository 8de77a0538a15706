/* What a participant begins: Ticket Transfers and CSB updates of RFC 6043 sections 4.2.2 and 5.2, in SDP by RFC 4567. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "bench/load/mikey_state.h"

struct cp_mikey_line
ue_mikey_line(const struct ue_mikey *m, uint8_t cs_id, uint32_t ssrc)
{
	const struct ue_options *o = m->node->options;

	return cp_mikey_line_srtp(cs_id, ssrc, o->suite, o->suite_count);
}

static int
keys_read(struct ue_sdes key[2], const struct cp_mikey_csb *csb, uint8_t cs_id, bool is_initiator)
{
	memset(key, 0, 2 * sizeof(key[0]));
	for (uint8_t i = 0; i < 2; i++) {
		const struct cp_mikey_session *s = cp_mikey_csb_find(csb, (uint8_t)(cs_id + i));
		const struct dp_suite_info *info;
		struct ue_sdes *k;

		if (!s || s->use != CP_MIKEY_USE_SRTP)
			return -EBADMSG;
		info = dp_suite_info(s->srtp.suite);
		k = &key[s->is_from_initiator != is_initiator];
		k->suite = s->srtp.suite;
		memcpy(k->key, cp_secret_octets(s->srtp.octets), info->key);
		memcpy(k->salt, cp_secret_octets(s->srtp.octets) + info->key, info->salt);
	}
	return key[0].suite && key[1].suite ? 0 : -EBADMSG;
}

int
ue_mikey_adopt(struct ue_mikey *m, struct cp_mikey_csb *csb, bool is_initiator, uint8_t cs_id)
{
	struct ue_sdes key[2];

	if (keys_read(key, csb, cs_id, is_initiator) != 0)
		return ue_mikey_fail(m, -EBADMSG, "no crypto session for each direction");
	m->rekeys += m->is_keyed;
	if (csb != m->csb) {
		cp_mikey_csb_destroy(m->csb);
		m->csb = csb;
		m->is_initiator = is_initiator;
		m->cs_last = 0;
		m->place = (uint8_t)(cs_id - 1);
		m->transfers++;
	} else {
		cp_mikey_csb_retire(m->csb, m->cs_id);
		cp_mikey_csb_retire(m->csb, (uint8_t)(m->cs_id + 1));
	}
	m->cs_id = cs_id;
	for (size_t i = 0; i < cp_mikey_csb_count(csb); i++) {
		const struct cp_mikey_session *session = cp_mikey_csb_session(csb, i);

		if (session->use != CP_MIKEY_USE_CMS && session->cs_id > m->cs_last)
			m->cs_last = session->cs_id;
	}
	m->is_keyed = true;
	memcpy(m->key, key, sizeof(key));
	explicit_bzero(key, sizeof(key));
	return 0;
}

/* TRANSFER_INIT for these lines, on the ticket that is there for it. */
static int
transfer_make(struct ue_mikey *m, struct ue_transfer *t, const struct cp_mikey_line *lines,
	      size_t count)
{
	const struct cp_mikey_transfer transfer = {
		.responder = cp_mikey_id_uri(m->to),
		.lines = lines,
		.count = count,
		.sdp_ids = ue_misbehaves(m, UE_NO_SDP_IDS) ? NULL : UE_SDP_IDS,
		.limits = cp_mikey_limits_default(),
	};
	const struct cp_mikey_env env = ue_misbehave_env(m);
	uint8_t octets[CP_MIKEY_MSG_MAX];
	struct cp_mikey_out out = {octets, sizeof(octets), 0};
	int err;

	cp_mikey_initiator_destroy(t->initiator);
	t->initiator = NULL;
	err = cp_mikey_initiator_make(&t->initiator, &out, t->ticket->ticket, &transfer, &env);
	if (err)
		return ue_mikey_fail(m, err, "no TRANSFER_INIT could be made");
	t->ticket->uses++;
	ue_misbehave_init(m, &out);
	if (ue_misbehaves(m, UE_FLIP_UPDATE) && m->is_keyed)
		octets[ue_misbehave_at(m, out.len)] ^= 1;
	if (!ue_misbehaves(m, UE_REPLAY) || !m->node->first)
		return ue_mikey_text_set(&t->text, octets, out.len);
	/* a text that stands as it is in the offer of another */
	free(t->text);
	t->text = strdup(m->node->first);
	return t->text ? 0 : -ENOMEM;
}

/* The crypto sessions of an m-line. */
static struct cp_mikey_line
line_for(const struct ue_mikey *m, const struct ue_line *line, uint8_t cs_id, uint32_t ssrc)
{
	if (strncmp(line->proto, "RTP/", 4) == 0)
		return ue_mikey_line(m, cs_id, ssrc);
	return (struct cp_mikey_line){.use = CP_MIKEY_USE_TLS, .cs_id = cs_id};
}

static int
transfers_make(struct ue_mikey *m, uint32_t ssrc, const struct ue_sdp *ours)
{
	enum ue_watch watch = m->node->options->watch;
	bool wants_cms = (watch == UE_WATCH_CALL || watch == UE_WATCH_DIALOG) &&
			 m->node->options->watch_wrong != UE_WATCH_NO_KEY;
	const struct cp_mikey_line cms = {.use = CP_MIKEY_USE_CMS, .cs_id = CP_MIKEY_CMS_CS};
	struct cp_mikey_line lines[UE_LINES_MAX + 1];
	size_t count = 0;
	int err = 0;

	m->lines.described = 0;
	for (unsigned i = 0; i < ours->line_count && !err; i++) {
		uint8_t cs_id = ours->is_mikey_at_session ? (uint8_t)(2 * count + 1) : 1;

		if (!ue_line_is_keyed(&ours->line[i]))
			continue;
		lines[count++] = line_for(m, &ours->line[i], cs_id, ssrc + i - ours->own);
		m->lines.described++;
		if (i == ours->own)
			m->next_cs_id = cs_id;
		if (ours->is_mikey_at_session)
			continue;
		/* one more crypto session, in the bundle of the first m-line: profile section 7 */
		lines[count] = cms;
		err = transfer_make(m, &m->transfer[i], &lines[count - 1],
				    wants_cms && count == 1 ? 2 : 1);
	}
	if (wants_cms && ours->is_mikey_at_session)
		lines[count++] = cms;
	if (!err && ours->is_mikey_at_session)
		err = transfer_make(m, &m->transfer[ours->own], lines, count);
	return err;
}

int
ue_mikey_offer(struct ue_mikey *m, uint32_t ssrc, struct ue_sdp *ours)
{
	int err;

	/* once more, with credentials: the same message */
	if (m->phase != UE_MIKEY_OFFERED) {
		m->own = ours->own;
		err = transfers_make(m, ssrc, ours);
		if (err)
			return err;
	}
	for (unsigned i = 0; !ours->is_mikey_at_session && i < ours->line_count; i++) {
		ours->line[i].mikey = m->transfer[i].text;
		ours->line[i].mikey_len = m->transfer[i].text ? strlen(m->transfer[i].text) : 0;
	}
	m->phase = UE_MIKEY_OFFERED;
	ours->mikey = m->transfer[m->own].text;
	ours->mikey_len = strlen(ours->mikey);
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

	if (!m->is_keyed || m->phase != UE_MIKEY_IDLE)
		return -EBUSY;
	m->next_cs_id = cp_mikey_csb_free_pair(m->csb);
	line = ue_mikey_line(m, m->next_cs_id, ssrc);
	if (line.cs_id == 0)
		return ue_mikey_fail(m, -ENOSPC, "no CS ID is left");
	err = cp_mikey_update_make(&out, m->csb, &update, &m->node->env, &fault);
	if (err)
		return ue_mikey_fault(m, err, &fault);
	if (ue_misbehaves(m, UE_FLIP_UPDATE))
		octets[ue_misbehave_at(m, out.len)] ^= 1;
	err = ue_mikey_text_set(&m->text, octets, out.len);
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
	if (ue_misbehaves(m, UE_REPLAY) && !m->node->first)
		m->node->first = strdup(m->transfer[m->own].text);
}

/* TRANSFER_RESP to the message of m-line index, at media level. A refused m-line needs none. */
static int
line_answered(struct ue_mikey *m, unsigned index, const struct ue_line *line)
{
	struct ue_transfer *t = &m->transfer[index];
	struct cp_mikey_fault fault = {.text = ""};
	uint8_t octets[CP_MIKEY_MSG_MAX];
	int n, err;

	if (index == m->own || !t->initiator || line->port == 0)
		return 0;
	n = ue_mikey_octets(octets, sizeof(octets), line->mikey, line->mikey_len);
	if (n < 0)
		return ue_mikey_fail(m, n, "an m-line of the answer has no MIKEY that can be read");
	cp_mikey_csb_destroy(t->csb);
	t->csb = NULL;
	err = cp_mikey_initiator_take(&t->csb, t->initiator, cp_mikey_octets(octets, (size_t)n),
				      &m->node->env, &fault);
	if (err)
		return ue_mikey_fault(m, err, &fault);
	m->lines.keyed++;
	return 0;
}

/* The TRANSFER_RESPs of an answer. */
static int
transfers_end(struct ue_mikey *m, struct cp_mikey_octets in, const struct ue_sdp *theirs)
{
	struct cp_mikey_fault fault = {.text = ""};
	struct cp_mikey_csb *csb = NULL;
	int err = cp_mikey_initiator_take(&csb, m->transfer[m->own].initiator, in, &m->node->env,
					  &fault);

	m->phase = UE_MIKEY_IDLE;
	if (err)
		return ue_mikey_fault(m, err, &fault);
	m->lines.keyed = 1;
	for (unsigned i = 0; i < theirs->line_count && !err; i++) {
		if (!theirs->is_mikey_at_session)
			err = line_answered(m, i, &theirs->line[i]);
		else if (i != theirs->own)
			m->lines.keyed += theirs->line[i].port != 0;
	}
	if (!err)
		err = ue_mikey_adopt(m, csb, true, m->next_cs_id);
	if (err)
		cp_mikey_csb_destroy(csb);
	else
		first_keep(m);
	return err;
}

static int
update_end(struct ue_mikey *m, struct cp_mikey_octets in)
{
	struct cp_mikey_fault fault = {.text = ""};
	int err = cp_mikey_update_finish(m->csb, in, &m->node->env, &fault);

	cp_mikey_update_cancel(m->csb);
	m->phase = UE_MIKEY_IDLE;
	return err ? ue_mikey_fault(m, err, &fault)
		   : ue_mikey_adopt(m, m->csb, m->is_initiator, m->next_cs_id);
}

/* Our message was not answered by one. */
static void
withdraw(struct ue_mikey *m)
{
	if (m->phase == UE_MIKEY_UPDATING)
		cp_mikey_update_cancel(m->csb);
	if (m->phase == UE_MIKEY_UPDATING || m->phase == UE_MIKEY_OFFERED)
		m->phase = UE_MIKEY_IDLE;
}

int
ue_mikey_answered(struct ue_mikey *m, const struct ue_sdp *theirs, struct ue_sdes key[2])
{
	bool is_expected = m->phase == UE_MIKEY_OFFERED || m->phase == UE_MIKEY_UPDATING;
	uint8_t octets[CP_MIKEY_MSG_MAX];
	struct cp_mikey_octets in;
	int n, err;

	if (theirs->mikey_len == 0 && !(m->is_keyed && is_expected)) {
		withdraw(m);
		return ue_mikey_is_keyed(m, key) ? 0 : -ENOENT;
	}
	n = ue_mikey_octets(octets, sizeof(octets), theirs->mikey, theirs->mikey_len);
	if (n < 0) {
		withdraw(m);
		return ue_mikey_fail(m, n, "the answer has no MIKEY that can be read");
	}
	in = cp_mikey_octets(octets, (size_t)n);
	if (m->phase == UE_MIKEY_OFFERED)
		err = transfers_end(m, in, theirs);
	else if (m->phase == UE_MIKEY_UPDATING)
		err = update_end(m, in);
	else
		err = ue_mikey_fail(m, -EBADMSG, "MIKEY in the answer to an offer without it");
	if (!err)
		memcpy(key, m->key, sizeof(m->key));
	return err;
}

void
ue_mikey_refused(struct ue_mikey *m, const uint8_t *octets, size_t len)
{
	struct cp_mikey_octets in = cp_mikey_octets(octets, len);
	struct cp_mikey_fault fault = {.text = ""};
	struct cp_mikey_csb *csb = NULL;
	int err = -EINVAL;

	if (m->phase == UE_MIKEY_OFFERED) {
		err = cp_mikey_initiator_take(&csb, m->transfer[m->own].initiator, in,
					      &m->node->env, &fault);
		cp_mikey_csb_destroy(csb); /* a refusal keys nothing */
	} else if (m->phase == UE_MIKEY_UPDATING) {
		err = cp_mikey_update_finish(m->csb, in, &m->node->env, &fault);
	}
	withdraw(m);
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
	else
		withdraw(m);
}

bool
ue_mikey_is_keyed(const struct ue_mikey *m, struct ue_sdes key[2])
{
	if (!m->is_keyed)
		return false;
	memcpy(key, m->key, sizeof(m->key));
	return true;
}

const struct cp_mikey_session *
ue_mikey_tls(const struct ue_mikey *m, const struct ue_sdp *sdp, unsigned line)
{
	bool is_at_line = m->is_initiator && !sdp->is_mikey_at_session;
	const struct cp_mikey_csb *csb = is_at_line ? m->transfer[line].csb : m->csb;
	const struct cp_mikey_session *s =
		csb ? cp_mikey_csb_find(csb, is_at_line ? 1 : ue_sdp_cs_id(sdp, line)) : NULL;

	return s && s->use == CP_MIKEY_USE_TLS ? s : NULL;
}
