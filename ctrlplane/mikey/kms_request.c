/* Ticket Request at the KMS: the policy that is granted, the ticket, the keys. RFC 6043 section 4.2.1. */
#include <errno.h>
#include <string.h>
#include "ctrlplane/mikey/kms_state.h"

/* The keys that are wished for can be made: types, lengths, no SPI twice. */
static int
check_wishes(const struct cp_mikey_policy *policy, enum cp_mikey_set set,
	     struct cp_mikey_fault *fault)
{
	size_t len = cp_mikey_set_info(set)->key;

	for (size_t i = 0; i < policy->wish_count; i++) {
		const struct cp_mikey_wish *wish = &policy->wishes[i];
		bool is_tek = wish->type == CP_MIKEY_KEY_TEK || wish->type == CP_MIKEY_KEY_TEK_SALT;

		if (wish->type == CP_MIKEY_KEY_MPK)
			return cp_mikey_refuse(fault, CP_MIKEY_ERR_TPPAR,
					       "MPKs are not for asking");
		if (wish->key_len != len && !(is_tek && wish->key_len == 16))
			return cp_mikey_refuse(fault, CP_MIKEY_ERR_TPPAR,
					       "a key length that is not the set's");
		if (cp_mikey_key_has_salt(wish->type) && wish->salt_len == 0)
			return cp_mikey_refuse(fault, CP_MIKEY_ERR_TPPAR, "a salt of no length");
		for (size_t j = 0; j < i; j++)
			if (wish->spi.len > 0 && cp_mikey_is_same(wish->spi, policy->wishes[j].spi))
				return cp_mikey_refuse(fault, CP_MIKEY_ERR_TPPAR,
						       "one SPI for two keys");
	}
	return 0;
}

static bool
wants_tgk(const struct cp_mikey_policy *policy)
{
	for (size_t i = 0; i < policy->wish_count; i++)
		if (cp_mikey_key_is_tgk(policy->wishes[i].type))
			return true;
	return !policy->has_wishes;
}

/* Fills in what is missing and cuts what is too much; true: something was changed. */
static bool
grant(struct cp_mikey_policy *policy, const struct cp_mikey_kms_turn *turn, uint64_t now)
{
	const struct cp_mikey_kms_config *config = turn->config;
	uint16_t flags = (uint16_t)((policy->flags | config->flags_set | CP_MIKEY_FLAG_D) &
				    ~config->flags_clear);
	uint64_t longest = (uint64_t)config->max_validity_s << 32;
	bool changed = flags != policy->flags || policy->initiator.data.len == 0 ||
		       policy->kms.data.len == 0 || !policy->has_start || !policy->has_end;

	policy->flags = flags;
	policy->initiator = turn->user;
	policy->kms = config->id;
	if (!policy->has_start)
		policy->start = now & ~(uint64_t)UINT32_MAX;
	if (!policy->has_end)
		policy->end = policy->start + ((uint64_t)config->default_validity_s << 32);
	if (policy->end > policy->start && policy->end - policy->start > longest) {
		policy->end = policy->start + longest;
		changed = true;
	}
	policy->has_start = policy->has_end = true;
	return changed;
}

/* The policy that was asked for, turned into the one that is granted. */
static int
decide(struct cp_mikey_policy *policy, struct cp_mikey_kms_turn *turn, struct cp_mikey_fault *fault)
{
	const struct cp_mikey_payload *tp =
		cp_mikey_list_find(&turn->msg.payloads, CP_MIKEY_PAYLOAD_TP, 0);
	uint64_t now = turn->env->now(turn->env->arg);
	struct cp_mikey_ticket_view view;
	uint64_t end;
	uint16_t flags;
	bool changed;
	int error;

	if (tp == NULL)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_UNSPECIFIED, "no Ticket Policy");
	view = cp_mikey_ticket_of(tp);
	error = cp_mikey_policy_decode(policy, &view, &turn->why);
	if (error < 0)
		return cp_mikey_refuse(
			fault, error == -EBADMSG ? CP_MIKEY_ERR_MESSAGE : CP_MIKEY_ERR_TPPAR,
			turn->why);
	policy->flags &= (uint16_t)~CP_MIKEY_FLAG_K; /* 0 by the initiator, ignored by the KMS */
	error = cp_mikey_kms_check_policy(turn, policy, wants_tgk(policy), fault);
	if (error == 0)
		error = check_wishes(policy, turn->set, fault);
	if (error < 0)
		return error;
	if ((policy->initiator.data.len > 0 &&
	     !cp_mikey_id_is_same(policy->initiator, turn->user)) ||
	    (policy->kms.data.len > 0 && !cp_mikey_id_is_same(policy->kms, turn->config->id)))
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_TPPAR,
				       "IDRi or IDRkms of the policy is another");
	changed = grant(policy, turn, now);
	end = policy->end;
	flags = policy->flags;
	if (turn->ops->may_request != NULL) {
		error = turn->ops->may_request(turn->ops->arg, turn->user, policy);
		if (error < 0)
			return cp_mikey_kms_refused(fault, error,
						    "this ticket is not for this user");
	}
	if (changed || end != policy->end || flags != policy->flags)
		policy->flags |= CP_MIKEY_FLAG_K;
	if (policy->end <= now || policy->end <= policy->start)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_TPPAR, "a ticket that has expired");
	return cp_mikey_kms_check_policy(turn, policy, wants_tgk(policy), fault);
}

static void
report_policy(struct cp_mikey_kms_report *report, const struct cp_mikey_policy *policy)
{
	cp_mikey_name_set(&report->initiator, policy->initiator);
	cp_mikey_name_set(&report->responder, policy->responders[0]);
	report->start = policy->start;
	report->end = policy->end;
	report->flags = policy->flags;
}

/* KEMAC = MPKi || [MPKr] || keys. */
static int
put_keys(struct cp_mikey_writer *w, struct cp_mikey_kms_turn *turn,
	 const struct cp_mikey_shield *shield, uint64_t t, bool is_forked)
{
	const struct cp_mikey_ticket_keys *keys = &turn->keys;
	uint8_t spis[2][CP_MIKEY_SPI_DRAWN];
	struct cp_mikey_key_data data[CP_MIKEY_KEYS_MAX];
	struct cp_mikey_kemac_keys sealed = {.data = data, .csb_id = turn->msg.csb_id, .t = t};
	size_t mpks = is_forked ? 2 : 1;
	int error = 0;

	for (size_t i = 0; i < mpks && error == 0; i++) {
		const struct cp_mikey_key *mpk = i == 0 ? &keys->mpk_i : &keys->mpk_r;

		error = cp_mikey_draw_spi(spis[i], turn->env);
		data[sealed.count++] = (struct cp_mikey_key_data){
			.type = CP_MIKEY_KEY_MPK,
			.key = cp_mikey_octets(mpk->octets, mpk->len),
			.spi = cp_mikey_octets(spis[i], CP_MIKEY_SPI_DRAWN),
		};
	}
	for (size_t i = 0; i < keys->count; i++)
		data[sealed.count++] = keys->keys[i].data;
	return error < 0 ? error : cp_mikey_kemac_put(w, shield, &sealed);
}

/*
 * The ticket's T is read before the response's, but stands behind it: the ticket is minted behind the
 * room where the response will be written, and copied.
 */
static int
answer(struct cp_mikey_kms_turn *turn, const struct cp_mikey_policy *policy)
{
	const struct cp_mikey_seal_key seal = {turn->set, cp_mikey_name_id(&turn->tpk.id),
					       &turn->tpk.key};
	uint8_t octets[CP_MIKEY_MSG_MAX];
	struct cp_mikey_writer ticket = cp_mikey_writer(octets, sizeof(octets));
	struct cp_mikey_writer w = cp_mikey_writer(turn->out->octets, turn->out->cap);
	struct cp_mikey_shield shield;
	uint64_t t;
	int error = cp_mikey_ticket_mint(&ticket, &turn->keys, policy, &seal, turn->env);

	if (error == 0)
		error = cp_mikey_kms_shield(turn, &shield);
	if (error < 0)
		return error;
	t = cp_mikey_kms_put_start(turn, &w, CP_MIKEY_REQUEST_RESP);
	cp_mikey_put_copy(&w, &(struct cp_mikey_payload){CP_MIKEY_PAYLOAD_TICKET,
							 cp_mikey_octets(octets, ticket.len)});
	error = put_keys(&w, turn, &shield, t, (policy->flags & CP_MIKEY_FLAG_I) != 0);
	if (error == 0)
		error = cp_mikey_finish(turn->out, &w, &shield, &turn->msg.whole, 1);
	cp_mikey_shield_wipe(&shield);
	return error;
}

int
cp_mikey_kms_request(struct cp_mikey_kms_turn *turn, struct cp_mikey_fault *fault)
{
	struct cp_mikey_policy policy;
	int error = decide(&policy, turn, fault);

	if (error < 0)
		return error;
	report_policy(turn->report, &policy);
	error = turn->ops->current_tpk(turn->ops->arg, &turn->tpk, turn->set);
	if (error == 0 && turn->tpk.key.len != cp_mikey_set_info(turn->set)->key)
		error = -EINVAL;
	return error < 0 ? error : answer(turn, &policy);
}
