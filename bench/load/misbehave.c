/* Mistakes that a participant makes on purpose with MIKEY: the focus and the KMS must refuse each. */
#include <string.h>
#include "bench/load/mikey_state.h"
#include "ctrlplane/mikey/msg.h"

bool
ue_misbehaves(const struct ue_mikey *m, enum ue_misbehaviour kind)
{
	return m->node->options->misbehaviour == kind;
}

/* The mistake's number; with "each" the participant's own, from 0. */
static long
number_of(const struct ue_mikey *m)
{
	const struct ue_options *o = m->node->options;

	return o->misbehaves_each ? (long)m->number - 1 : o->misbehave_number;
}

/* A clock that is wrong by so many seconds. */
static uint64_t
skewed_now(void *arg)
{
	const struct ue_options *o = arg;
	const struct cp_mikey_env right = cp_mikey_env_system();

	return right.now(right.arg) + ((uint64_t)(int64_t)o->misbehave_number << 32);
}

struct cp_mikey_env
ue_misbehave_env(const struct ue_mikey *m)
{
	struct cp_mikey_env env = m->node->env;

	if (ue_misbehaves(m, UE_SKEW)) {
		env.now = skewed_now;
		env.arg = (void *)(uintptr_t)m->node->options;
	}
	return env;
}

/* The bit of a flag by its letter, or with "each" by the participant. */
static uint16_t
flag_of(const struct ue_mikey *m)
{
	static const char letters[] = "DEFGHIJKLMNO";
	const struct ue_options *o = m->node->options;
	const char *at = o->misbehaves_each ? letters + (m->number - 1) % 12
					    : strchr(letters, o->misbehave_arg[0]);

	return (uint16_t)(CP_MIKEY_FLAG_D >> (at - letters));
}

void
ue_misbehave_policy(const struct ue_mikey *m, struct cp_mikey_policy *policy)
{
	if (ue_misbehaves(m, UE_EXPIRED))
		policy->end = policy->start + (UINT64_C(2) << 32);
}

/* Turn a flag of the ticket: twelve bits behind the PRF's seven. */
static void
flag_turn(const struct cp_mikey_payload *ticket, uint8_t *octets, const uint8_t *base,
	  uint16_t flag)
{
	/* Next Payload, type, subtype, version, then PRF and D in one octet */
	uint8_t *at = octets + (ticket->whole.at - base) + 5;
	uint32_t bits = (uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2];

	bits ^= (uint32_t)flag << 5;
	at[0] = (uint8_t)(bits >> 16);
	at[1] = (uint8_t)(bits >> 8);
	at[2] = (uint8_t)bits;
}

size_t
ue_misbehave_at(const struct ue_mikey *m, size_t len)
{
	long at = number_of(m) % (long)len;

	return (size_t)(at < 0 ? at + (long)len : at);
}

void
ue_misbehave_init(struct ue_mikey *m, struct cp_mikey_out *out)
{
	const struct cp_mikey_payload *payload;
	struct cp_mikey_ticket_view view;
	struct cp_mikey_id id;
	struct cp_mikey_msg msg;

	if (ue_misbehaves(m, UE_FLIP))
		out->octets[ue_misbehave_at(m, out->len)] ^= 1;
	if (ue_misbehaves(m, UE_TRUNCATE) && number_of(m) < (long)out->len)
		out->len = (size_t)number_of(m);
	if (cp_mikey_msg_decode(&msg, cp_mikey_octets(out->octets, out->len)) != 0)
		return;
	payload = cp_mikey_list_find(&msg.payloads, CP_MIKEY_PAYLOAD_TICKET, 0);
	if (ue_misbehaves(m, UE_NO_FLAG) && payload)
		flag_turn(payload, out->octets, msg.whole.at, flag_of(m));
	if (ue_misbehaves(m, UE_FORGED_VR) && payload) {
		/* its MAC is the last of Initiator Data, which V does not cover */
		view = cp_mikey_ticket_of(payload);
		out->octets[view.initiator_data.at + view.initiator_data.len - 1 - out->octets] ^=
			1;
	}
	if (ue_misbehaves(m, UE_WRONG_IDRI) &&
	    cp_mikey_find_id(&id, &msg.payloads, CP_MIKEY_ROLE_I))
		out->octets[id.data.at - out->octets + 4] ^= 1; /* behind "sip:" */
}
