/* Keys of protected NOTIFYs (profile section 7): of the call's bundle, or by a TRANSFER_INIT of the SUBSCRIBE's own. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench/load/mikey_state.h"
#include "bench/load/subscribe_state.h"

static int
key_take(struct ue_sub *s, const struct cp_mikey_session *session)
{
	if (!session || !session->secret)
		return -ENOENT;
	cp_secret_put(s->kek);
	s->kek = cp_secret_get(session->secret);
	snprintf(s->key_id, sizeof(s->key_id), "%s", session->name);
	return 0;
}

static const struct cp_mikey_session *
session_of(const struct ue_mikey *m)
{
	const struct cp_mikey_session *found =
		m->csb ? cp_mikey_csb_find(m->csb, CP_MIKEY_CMS_CS) : NULL;

	for (unsigned i = 0; !found && i < UE_LINES_MAX; i++)
		if (m->transfer[i].csb)
			found = cp_mikey_csb_find(m->transfer[i].csb, CP_MIKEY_CMS_CS);
	return found;
}

int
ue_sub_key_of_call(struct ue_sub *s)
{
	return s->call->mikey ? key_take(s, session_of(s->call->mikey)) : -ENOENT;
}

int
ue_sub_key_offer(struct ue_sub *s, uint8_t *octets, size_t size)
{
	struct ue_mikey *m = s->mikey;
	struct ue_transfer *t = &m->transfer[0];
	const struct cp_mikey_line line = {.use = CP_MIKEY_USE_CMS, .cs_id = CP_MIKEY_CMS_CS};
	const struct cp_mikey_transfer transfer = {
		.responder = cp_mikey_id_uri(m->to),
		.lines = &line,
		.count = 1,
		.limits = cp_mikey_limits_default(),
	};
	struct cp_mikey_out out = {.octets = octets, .cap = size};
	int err;

	cp_mikey_initiator_destroy(t->initiator);
	t->initiator = NULL;
	err = cp_mikey_initiator_make(&t->initiator, &out, t->ticket->ticket, &transfer,
				      &m->node->env);
	if (err)
		return ue_mikey_fail(m, err, "no TRANSFER_INIT could be made");
	t->ticket->uses++;
	return (int)out.len;
}

int
ue_sub_key_answered(struct ue_sub *s, const uint8_t *octets, size_t len)
{
	struct ue_mikey *m = s->mikey;
	struct cp_mikey_fault fault = {.text = ""};
	struct cp_mikey_csb *csb = NULL;
	int err;

	if (!m || !m->transfer[0].initiator)
		return -ENOENT;
	err = cp_mikey_initiator_take(&csb, m->transfer[0].initiator, cp_mikey_octets(octets, len),
				      &m->node->env, &fault);
	if (err)
		return ue_mikey_fault(m, err, &fault);
	err = key_take(s, cp_mikey_csb_find(csb, CP_MIKEY_CMS_CS));
	cp_mikey_csb_destroy(csb);
	return err;
}
