/* Ticket Resolve at the KMS: may it, whose is it, and the keys for this responder. RFC 6043 sections
 * 4.2.3 and 5.1.1. */
#include <errno.h>
#include <string.h>
#include "ctrlplane/mikey/kms_state.h"

/* The TPK of a ticket, and that it is for tickets of its kind: D says who made them. */
static int
find_tpk(struct cp_mikey_kms_turn *turn, const struct cp_mikey_policy *policy,
	 const struct cp_mikey_ticket_data *data, struct cp_mikey_fault *fault)
{
	bool is_ours = (policy->flags & CP_MIKEY_FLAG_D) != 0;
	int error;

	if (data->psk.data.len > CP_MIKEY_ID_MAX)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_AUTH, "unknown ticket protection key");
	error = turn->ops->find_tpk(turn->ops->arg, &turn->tpk, data->psk, turn->set);
	if (error == -ENOENT || error == -EACCES)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_AUTH, "unknown ticket protection key");
	if (error < 0)
		return cp_mikey_kms_refused(fault, error, "");
	if (turn->tpk.key.len != cp_mikey_set_info(turn->set)->key)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_AUTH,
				       "the ticket protection key is of the other set");
	if (is_ours != (turn->tpk.owner.len == 0) ||
	    (!is_ours &&
	     !cp_mikey_id_is_same(cp_mikey_name_id(&turn->tpk.owner), policy->initiator)))
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_AUTH,
				       "the ticket protection key is not this initiator's");
	return 0;
}

/* The ticket is genuine: turn->keys are what it encodes. */
static int
open_ticket(struct cp_mikey_kms_turn *turn, const struct cp_mikey_policy *policy,
	    struct cp_mikey_ticket_view *view, struct cp_mikey_fault *fault)
{
	struct cp_mikey_ticket_data data;
	int error;

	if (cp_mikey_ticket_look(&data, view) < 0)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_MESSAGE, "Ticket Data cannot be parsed");
	error = find_tpk(turn, policy, &data, fault);
	if (error < 0)
		return error;
	error = cp_mikey_ticket_open(&turn->keys, &data, turn->set, &turn->tpk.key);
	if (error == -EACCES)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_AUTH,
				       "the MAC of the ticket does not hold");
	if (error == -EPROTO)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_TPPAR,
				       "what the ticket encodes is not of the set");
	return error;
}

static bool
has_tgk(const struct cp_mikey_ticket_keys *keys)
{
	for (size_t i = 0; i < keys->count; i++)
		if (cp_mikey_key_is_tgk(keys->keys[i].data.type))
			return true;
	return false;
}

/* The ticket, its validity, and who may resolve it. */
static int
check(struct cp_mikey_kms_turn *turn, struct cp_mikey_policy *policy, struct cp_mikey_fault *fault)
{
	const struct cp_mikey_payload *ticket =
		cp_mikey_list_find(&turn->msg.payloads, CP_MIKEY_PAYLOAD_TICKET, 0);
	uint64_t now = turn->env->now(turn->env->arg);
	struct cp_mikey_ticket_view view;
	int error;

	if (ticket == NULL)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_UNSPECIFIED, "no ticket");
	view = cp_mikey_ticket_of(ticket);
	error = cp_mikey_policy_decode(policy, &view, &turn->why);
	if (error < 0)
		return cp_mikey_refuse(
			fault, error == -EBADMSG ? CP_MIKEY_ERR_MESSAGE : CP_MIKEY_ERR_TPPAR,
			turn->why);
	error = cp_mikey_kms_check_policy(turn, policy, false, fault);
	if (error == 0)
		error = open_ticket(turn, policy, &view, fault);
	if (error < 0)
		return error;
	error = cp_mikey_kms_check_policy(turn, policy, has_tgk(&turn->keys), fault);
	if (error < 0)
		return error;
	turn->report->flags = policy->flags;
	turn->report->start = policy->start;
	turn->report->end = policy->end;
	cp_mikey_name_set(&turn->report->initiator, policy->initiator);
	if (policy->initiator.data.len == 0)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_TPPAR, "the ticket names no initiator");
	if (policy->kms.data.len > 0 && !cp_mikey_id_is_same(policy->kms, turn->config->id))
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_TPPAR, "a ticket of another KMS");
	if (!cp_mikey_policy_is_valid(policy, now, turn->config->limits.start_tolerance_s))
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_TPPAR, "the ticket is not valid now");
	if ((policy->flags & CP_MIKEY_FLAG_D) == 0 &&
	    (!policy->has_end || policy->end - now > (uint64_t)turn->config->max_validity_s << 32))
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_TPPAR,
				       "an initiator's ticket that is valid for too long");
	if (!cp_mikey_policy_has_responder(policy, turn->user))
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_ID, "not an authorised responder");
	if ((policy->flags & CP_MIKEY_FLAG_I) != 0 &&
	    !cp_mikey_vr_is_genuine(&view, turn->set, &turn->keys.mpk_r))
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_AUTH,
				       "Vr does not hold: not the ticket's owner sent this");
	if (turn->ops->may_resolve == NULL)
		return 0;
	error = turn->ops->may_resolve(turn->ops->arg, turn->user, policy);
	return error < 0 ? cp_mikey_kms_refused(fault, error, "not an authorised responder") : 0;
}

/* MPKr' and TGK's for this responder. */
static int
fork_keys(struct cp_mikey_kms_turn *turn, uint8_t prf, struct cp_mikey_octets rand)
{
	struct cp_mikey_derivation d = {
		.prf = prf, .constant = CP_MIKEY_FORK_MPK, .rand = rand, .id = turn->user.data};
	struct cp_mikey_ticket_keys *keys = &turn->keys;
	int error = cp_mikey_fork(keys->mpk_r.octets, keys->mpk_r.len, &d);

	d.constant = CP_MIKEY_FORK_TGK;
	for (size_t i = 0; i < keys->count && error == 0; i++)
		if (cp_mikey_key_is_tgk(keys->keys[i].data.type))
			error = cp_mikey_fork(keys->keys[i].key, keys->keys[i].data.key.len, &d);
	return error;
}

/* What is drawn for a response. */
struct drawn {
	uint8_t spi_i[CP_MIKEY_SPI_DRAWN], spi_r[CP_MIKEY_SPI_DRAWN];
	uint8_t rand[CP_MIKEY_KEY_MAX];
};

static int
draw(struct drawn *drawn, const struct cp_mikey_kms_turn *turn, bool is_forked)
{
	int error = cp_mikey_draw_spi(drawn->spi_i, turn->env);

	if (error == 0 && is_forked)
		error = turn->env->random(turn->env->arg, drawn->rand,
					  cp_mikey_set_info(turn->set)->rand);
	if (error == 0 && is_forked)
		error = cp_mikey_draw_spi(drawn->spi_r, turn->env);
	return error;
}

/* KEMAC = MPKi || [MPKr'] || keys. */
static int
put_keys(struct cp_mikey_writer *w, const struct cp_mikey_kms_turn *turn,
	 const struct cp_mikey_shield *shield, const struct drawn *drawn, uint64_t t)
{
	const struct cp_mikey_ticket_keys *keys = &turn->keys;
	struct cp_mikey_key_data data[CP_MIKEY_KEYS_MAX];
	struct cp_mikey_kemac_keys sealed = {.data = data, .csb_id = turn->msg.csb_id, .t = t};
	bool is_forked = (turn->report->flags & CP_MIKEY_FLAG_I) != 0;

	for (size_t i = 0; i < (is_forked ? 2u : 1u); i++) {
		const struct cp_mikey_key *mpk = i == 0 ? &keys->mpk_i : &keys->mpk_r;

		data[sealed.count++] = (struct cp_mikey_key_data){
			.type = CP_MIKEY_KEY_MPK,
			.key = cp_mikey_octets(mpk->octets, mpk->len),
			.spi = cp_mikey_octets(i == 0 ? drawn->spi_i : drawn->spi_r,
					       CP_MIKEY_SPI_DRAWN),
		};
	}
	for (size_t i = 0; i < keys->count; i++)
		data[sealed.count++] = keys->keys[i].data;
	return cp_mikey_kemac_put(w, shield, &sealed);
}

static int
answer(struct cp_mikey_kms_turn *turn, const struct cp_mikey_policy *policy)
{
	struct cp_mikey_writer w = cp_mikey_writer(turn->out->octets, turn->out->cap);
	bool is_forked = (policy->flags & CP_MIKEY_FLAG_I) != 0;
	struct cp_mikey_octets rand;
	struct cp_mikey_shield shield;
	struct drawn drawn;
	uint64_t t;
	int error = draw(&drawn, turn, is_forked);

	rand = cp_mikey_octets(drawn.rand, cp_mikey_set_info(turn->set)->rand);
	if (error == 0 && is_forked)
		error = fork_keys(turn, policy->prf, rand);
	if (error == 0)
		error = cp_mikey_kms_shield(turn, &shield);
	if (error < 0)
		return error;
	t = cp_mikey_kms_put_start(turn, &w, CP_MIKEY_RESOLVE_RESP);
	error = put_keys(&w, turn, &shield, &drawn, t);
	if (error == 0 && is_forked) {
		cp_mikey_put_idr(&w, CP_MIKEY_ROLE_R, turn->user);
		cp_mikey_put_randr(&w, CP_MIKEY_ROLE_KMS, rand);
	}
	if (error == 0)
		error = cp_mikey_finish(turn->out, &w, &shield, &turn->msg.whole, 1);
	cp_mikey_shield_wipe(&shield);
	return error;
}

int
cp_mikey_kms_resolve(struct cp_mikey_kms_turn *turn, struct cp_mikey_fault *fault)
{
	struct cp_mikey_policy policy;
	int error = check(turn, &policy, fault);

	if (error < 0)
		return error;
	cp_mikey_name_set(&turn->report->responder, turn->user);
	return answer(turn, &policy);
}
