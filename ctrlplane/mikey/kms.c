/* The KMS: who sends, is it fresh, and which exchange. */
#include "ctrlplane/mikey/kms.h"

#include <errno.h>
#include <string.h>
#include "ctrlplane/keys/secret.h"
#include "ctrlplane/mikey/kms_state.h"

#define HOUR_S 3600

struct cp_mikey_kms_config
cp_mikey_kms_config_default(struct cp_mikey_id id)
{
	return (struct cp_mikey_kms_config){
		.id = id,
		.limits = cp_mikey_limits_default(),
		.default_validity_s = HOUR_S,
		.max_validity_s = 24 * HOUR_S,
	};
}

int
cp_mikey_kms_refused(struct cp_mikey_fault *fault, int error, const char *text)
{
	if (error == -EAGAIN)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_UNSPECIFIED, "too many requests");
	if (error == -EACCES || error == -ENOENT)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_ID, text);
	return error;
}

/* The header and what must stand in the message. */
static int
check_form(struct cp_mikey_kms_turn *turn, uint8_t expected, struct cp_mikey_fault *fault)
{
	const struct cp_mikey_msg *msg = &turn->msg;
	bool is_known = msg->data_type == CP_MIKEY_REQUEST_INIT_PSK ||
			msg->data_type == CP_MIKEY_RESOLVE_INIT_PSK;

	if (!is_known || (expected != 0 && msg->data_type != expected))
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_DT, "data type not supported");
	if (cp_mikey_set_of_prf(&turn->set, msg->prf) < 0)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_PRF, "no such PRF");
	turn->report->set = turn->set;
	if (turn->set < turn->config->limits.min_set)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_TPPAR,
				       "the algorithm set is below our minimum");
	if (msg->map_type != CP_MIKEY_MAP_EMPTY)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_UNSPECIFIED,
				       "the map is not the empty one");
	return 0;
}

/* The key by which the message is verified. */
static int
find_key(struct cp_mikey_kms_turn *turn, uint8_t role, struct cp_mikey_fault *fault)
{
	const struct cp_mikey_list *list = &turn->msg.payloads;
	struct cp_mikey_id psk = {0}, kms;
	int error;

	turn->user = (struct cp_mikey_id){0};
	cp_mikey_find_id(&turn->user, list, role);
	cp_mikey_find_id(&psk, list, CP_MIKEY_ROLE_PSK);
	if (turn->user.data.len > CP_MIKEY_ID_MAX || psk.data.len > CP_MIKEY_ID_MAX ||
	    turn->user.data.len + psk.data.len == 0)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_AUTH, "no identity to find a key by");
	if (cp_mikey_find_id(&kms, list, CP_MIKEY_ROLE_KMS) &&
	    !cp_mikey_id_is_same(kms, turn->config->id))
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_ID, "meant for another KMS");
	error = turn->ops->find_psk(turn->ops->arg, &turn->psk, psk, turn->user, turn->set);
	if (error == -ENOENT || error == -EACCES)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_AUTH, "unknown pre-shared key");
	if (error < 0)
		return cp_mikey_kms_refused(fault, error, "");
	if (turn->psk.key.len != cp_mikey_set_info(turn->set)->key)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_AUTH,
				       "the pre-shared key is of the other set");
	if (turn->user.data.len == 0)
		turn->user = cp_mikey_name_id(&turn->psk.owner);
	return 0;
}

static int
verify(struct cp_mikey_kms_turn *turn, uint8_t role, struct cp_mikey_fault *fault)
{
	const struct cp_mikey_msg *msg = &turn->msg;
	struct cp_mikey_octets rand;
	struct cp_mikey_shield shield;
	struct cp_mikey_cover cover;
	struct cp_mikey_v v;
	bool is_genuine;
	int error;

	if (!cp_mikey_find_rand(&rand, &msg->payloads, role) ||
	    rand.len < cp_mikey_set_info(turn->set)->rand)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_UNSPECIFIED,
				       "no RAND of the set's size");
	if (!cp_mikey_last_v(&v, &msg->payloads))
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_AUTH, "no V at the end");
	if (v.alg != cp_mikey_set_info(turn->set)->mac)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_TPPAR, "V is of the other set");
	turn->leg = (struct cp_mikey_leg){
		turn->set, CP_MIKEY_INITIAL, msg->csb_id, turn->psk.key.octets, {0}, {0}};
	*(role == CP_MIKEY_ROLE_I ? &turn->leg.rand_i : &turn->leg.rand_r) = rand;
	error = cp_mikey_leg_shield(&shield, &turn->leg, false);
	if (error < 0)
		return error;
	cover = cp_mikey_cover(msg->whole, v.mac.len, NULL);
	cp_mikey_cover_add(&cover, turn->user.data);
	cp_mikey_cover_add(&cover, turn->config->id.data);
	is_genuine = cp_mikey_is_genuine(v, &shield, &cover);
	cp_mikey_shield_wipe(&shield);
	return is_genuine ? 0 : cp_mikey_refuse(fault, CP_MIKEY_ERR_AUTH, "the MAC does not hold");
}

/* T and the replay cache; then whether the owner of the key may be who it says it is. */
static int
admit(struct cp_mikey_kms_turn *turn, struct cp_mikey_fault *fault)
{
	const struct cp_mikey_list *list = &turn->msg.payloads;
	uint32_t skew_s = turn->config->limits.skew_s;
	uint64_t now = turn->env->now(turn->env->arg);
	struct cp_mikey_replay_key key = {.sender = turn->user.data, .csb_id = turn->msg.csb_id};
	struct cp_mikey_ts ts;
	struct cp_mikey_v v;
	int error = cp_mikey_check_t(fault, list, now, skew_s);

	if (error < 0)
		return error;
	cp_mikey_find_ts(&ts, list, 0);
	cp_mikey_last_v(&v, list);
	key.t = ts.value;
	key.mac = v.mac;
	error = turn->ops->remember(turn->ops->arg, &key, now, now + ((uint64_t)skew_s << 33));
	if (error == -EEXIST)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_TS, "replayed");
	if (error == -ENOSPC)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_TS, "the replay cache is full");
	if (error < 0)
		return error;
	error = turn->ops->may_act_for(turn->ops->arg, cp_mikey_name_id(&turn->psk.owner),
				       turn->user);
	return error < 0 ? cp_mikey_kms_refused(fault, error,
						"the key's owner may not act for this identity")
			 : 0;
}

/* Everything up to the answer. is_known: the sender has been authenticated. */
static int
run(struct cp_mikey_kms_turn *turn, uint8_t expected, bool *is_known, struct cp_mikey_fault *fault)
{
	uint8_t role = turn->msg.data_type == CP_MIKEY_REQUEST_INIT_PSK ? CP_MIKEY_ROLE_I
									: CP_MIKEY_ROLE_R;
	int error = check_form(turn, expected, fault);

	if (error == 0)
		error = find_key(turn, role, fault);
	if (error == 0)
		error = verify(turn, role, fault);
	if (error < 0)
		return error;
	*is_known = true;
	turn->report->owner = turn->psk.owner;
	cp_mikey_name_set(&turn->report->user, turn->user);
	error = admit(turn, fault);
	if (error < 0)
		return error;
	return role == CP_MIKEY_ROLE_I ? cp_mikey_kms_request(turn, fault)
				       : cp_mikey_kms_resolve(turn, fault);
}

uint64_t
cp_mikey_kms_put_start(struct cp_mikey_kms_turn *turn, struct cp_mikey_writer *w, uint8_t data_type)
{
	const struct cp_mikey_msg hdr = {.data_type = data_type,
					 .prf = turn->msg.prf,
					 .csb_id = turn->msg.csb_id,
					 .map_type = CP_MIKEY_MAP_EMPTY};
	uint64_t t = cp_mikey_put_start(w, &hdr, turn->env);

	cp_mikey_put_idr(w, CP_MIKEY_ROLE_KMS, turn->config->id);
	return t;
}

int
cp_mikey_kms_shield(struct cp_mikey_kms_turn *turn, struct cp_mikey_shield *shield)
{
	struct cp_mikey_leg leg = turn->leg;

	leg.phase = CP_MIKEY_RESPONSE;
	return cp_mikey_leg_shield(shield, &leg, true);
}

int
cp_mikey_kms_check_policy(struct cp_mikey_kms_turn *turn, const struct cp_mikey_policy *policy,
			  bool has_tgk, struct cp_mikey_fault *fault)
{
	const char *broken = cp_mikey_policy_broken(policy->flags, has_tgk);

	if (policy->type != CP_MIKEY_TICKET_BASE || policy->subtype != 1 || policy->version != 1)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_TICKET, "ticket type not supported");
	if (broken != NULL)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_TPPAR, broken);
	if (policy->prf != cp_mikey_set_info(turn->set)->prf)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_TPPAR,
				       "the PRF of the policy is of the other set");
	return 0;
}

/* An Error message for what was refused. */
static int
answer_error(struct cp_mikey_kms_turn *turn, bool is_known)
{
	struct cp_mikey_shield shield;
	int error;

	turn->report->fault.authentic = is_known;
	if (!is_known)
		return cp_mikey_error_put(turn->out, &turn->msg, &turn->report->fault, NULL,
					  turn->env);
	error = cp_mikey_leg_shield(&shield, &turn->leg, false);
	if (error < 0)
		return error;
	error = cp_mikey_error_put(turn->out, &turn->msg, &turn->report->fault, &shield, turn->env);
	cp_mikey_shield_wipe(&shield);
	return error;
}

int
cp_mikey_kms_handle(struct cp_mikey_out *out, struct cp_mikey_kms_report *report,
		    const struct cp_mikey_kms_config *config, const struct cp_mikey_kms_ops *ops,
		    const struct cp_mikey_env *env, struct cp_mikey_kms_call call)
{
	struct cp_mikey_kms_turn turn = {
		.out = out, .report = report, .config = config, .ops = ops, .env = env};
	bool is_known = false;
	int error;

	memset(report, 0, sizeof(*report));
	out->len = 0;
	error = cp_mikey_msg_decode(&turn.msg, call.in);
	if (error == -EBADMSG)
		return error;
	report->data_type = turn.msg.data_type;
	report->csb_id = turn.msg.csb_id;
	if (error < 0)
		error = cp_mikey_refuse(&report->fault, CP_MIKEY_ERR_MESSAGE, "not to be parsed");
	else if (turn.msg.data_type == CP_MIKEY_ERROR)
		error = -EBADMSG; /* no Error message about an Error message: RFC 6043 5.4 */
	else
		error = run(&turn, call.expected, &is_known, &report->fault);
	report->is_granted = error == 0;
	if (error < 0 && error != -ENOSPC && error != -EBADMSG) {
		if (error != -EPROTO)
			cp_mikey_refuse(&report->fault, CP_MIKEY_ERR_UNSPECIFIED,
					"the KMS has trouble of its own");
		error = answer_error(&turn, is_known);
	}
	cp_wipe(&turn.psk, sizeof(turn.psk));
	cp_wipe(&turn.tpk, sizeof(turn.tpk));
	cp_mikey_ticket_keys_wipe(&turn.keys);
	return error;
}
