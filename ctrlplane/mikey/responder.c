/* The responder of a Ticket Transfer, and its Ticket Resolve: RFC 6043 sections 4.2.2 and 4.2.3. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/mikey/responder_state.h"

void
cp_mikey_responder_destroy(struct cp_mikey_responder *r)
{
	if (r == NULL)
		return;
	cp_mikey_asked_fini(&r->asked);
	cp_secret_put(r->mpk_i);
	cp_secret_put(r->mpk_r);
	cp_mikey_held_put(r->held, r->held_count);
	free(r->octets);
	free(r);
}

int
cp_mikey_responder_create(struct cp_mikey_responder **out,
			  const struct cp_mikey_responder_config *config, struct cp_mikey_octets in,
			  const struct cp_mikey_env *env, struct cp_mikey_fault *fault)
{
	struct cp_mikey_responder *r;
	int error = 0;

	if (in.len == 0 || in.len > CP_MIKEY_MSG_MAX)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_MESSAGE, "not to be parsed");
	r = calloc(1, sizeof(*r));
	if (r == NULL)
		return -ENOMEM;
	r->config = config;
	r->octets = malloc(in.len);
	if (r->octets == NULL) {
		free(r);
		return -ENOMEM;
	}
	memcpy(r->octets, in.at, in.len);
	if (cp_mikey_msg_decode(&r->init, cp_mikey_octets(r->octets, in.len)) < 0)
		error = cp_mikey_refuse(fault, CP_MIKEY_ERR_MESSAGE, "not to be parsed");
	else
		error = cp_mikey_responder_read(r, env, fault);
	if (error == 0)
		*out = r;
	else
		cp_mikey_responder_destroy(r);
	return error;
}

const struct cp_mikey_offer *
cp_mikey_responder_offer(const struct cp_mikey_responder *r)
{
	return &r->offer;
}

int
cp_mikey_responder_resolve_make(struct cp_mikey_out *out, struct cp_mikey_responder *r,
				const struct cp_mikey_env *env)
{
	struct cp_mikey_writer w = cp_mikey_writer(out->octets, out->cap);
	struct cp_mikey_account account = r->config->account;
	int error;

	if (r->mpk_i != NULL)
		return -EALREADY;
	account.set = r->offer.set;
	cp_mikey_asked_fini(&r->asked);
	error = cp_mikey_ask_start(&r->asked, &w, &account, CP_MIKEY_RESOLVE_INIT_PSK, env);
	if (error == 0) {
		cp_mikey_put_copy(
			&w, &(struct cp_mikey_payload){CP_MIKEY_PAYLOAD_TICKET, r->view.whole});
		error = cp_mikey_ask_end(&r->asked, out, &w, &account);
	}
	if (error < 0)
		cp_mikey_asked_fini(&r->asked);
	return error;
}

/* What a RESOLVE_RESP brings, before it becomes the responder's. */
struct resolved {
	struct cp_secret *mpk_i, *mpk_r;
	struct cp_mikey_held held[CP_MIKEY_KEYS_MAX];
	size_t held_count;
	struct cp_mikey_name responder;
	struct cp_mikey_rand rand_kms;
};

static void
drop(struct resolved *resolved)
{
	cp_secret_put(resolved->mpk_i);
	cp_secret_put(resolved->mpk_r);
	cp_mikey_held_put(resolved->held, resolved->held_count);
	memset(resolved, 0, sizeof(*resolved));
}

static int
take_keys(struct resolved *resolved, const struct cp_mikey_responder *r,
	  const struct cp_mikey_plain *plain)
{
	bool is_forked = (r->policy.flags & CP_MIKEY_FLAG_I) != 0;
	struct cp_mikey_key_data data;
	int error = 0;

	for (size_t i = 0; i < (is_forked ? 2u : 1u) && error == 0; i++) {
		if (!cp_mikey_plain_key(&data, plain, true, i) ||
		    !cp_mikey_key_is_fit(&data, r->offer.set))
			return -EPROTO;
		error = cp_secret_create(i == 0 ? &resolved->mpk_i : &resolved->mpk_r, data.key.at,
					 data.key.len);
	}
	for (size_t i = 0; error == 0 && cp_mikey_plain_key(&data, plain, false, i); i++) {
		if (!cp_mikey_key_is_fit(&data, r->offer.set))
			return -EPROTO;
		error = cp_mikey_held_set(&resolved->held[i], &data);
		if (error == 0)
			resolved->held_count = i + 1;
	}
	return error;
}

/* Who we are by the KMS, and its RAND: the modifier of the forked keys. */
static int
take_modifier(struct resolved *resolved, const struct cp_mikey_responder *r,
	      const struct cp_mikey_msg *msg)
{
	struct cp_mikey_id id = r->offer.responder;
	struct cp_mikey_octets rand = {NULL, 0};

	if ((r->policy.flags & CP_MIKEY_FLAG_I) != 0) {
		if (!cp_mikey_find_id(&id, &msg->payloads, CP_MIKEY_ROLE_R) ||
		    !cp_mikey_find_rand(&rand, &msg->payloads, CP_MIKEY_ROLE_KMS) ||
		    rand.len < cp_mikey_set_info(r->offer.set)->rand)
			return -EPROTO;
	}
	if (!cp_mikey_policy_has_responder(&r->policy, id) ||
	    cp_mikey_name_set(&resolved->responder, id) < 0)
		return -EPROTO;
	cp_mikey_rand_set(&resolved->rand_kms, rand);
	return 0;
}

/* V of TRANSFER_INIT by MPKi, and that Vi is the same. */
static int
verify_init(const struct cp_mikey_responder *r, const struct resolved *resolved,
	    struct cp_mikey_fault *fault)
{
	const struct cp_mikey_leg leg = {
		.set = r->offer.set,
		.phase = CP_MIKEY_INITIAL,
		.csb_id = r->init.csb_id,
		.key = cp_secret_octets(resolved->mpk_i),
		.rand_i = r->rand_i,
	};
	struct cp_mikey_shield shield;
	struct cp_mikey_cover cover;
	struct cp_mikey_v v, vi, vr;
	bool is_genuine;
	int error = cp_mikey_leg_shield(&shield, &leg, false);

	if (error < 0)
		return error;
	cp_mikey_last_v(&v, &r->init.payloads);
	cover = cp_mikey_cover(r->init.whole, v.mac.len, &r->view);
	cp_mikey_cover_add(&cover, r->offer.initiator.data);
	cp_mikey_cover_add(&cover, r->offer.responder.data);
	is_genuine = cp_mikey_is_genuine(v, &shield, &cover);
	cp_mikey_shield_wipe(&shield);
	if (!is_genuine)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_AUTH,
				       "the MAC of TRANSFER_INIT does not hold");
	if ((r->policy.flags & CP_MIKEY_FLAG_I) != 0 &&
	    (!cp_mikey_initiator_data(&vi, &vr, r->view.initiator_data) ||
	     !cp_mikey_is_same(vi.mac, v.mac)))
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_AUTH, "Vi is not V");
	return 0;
}

/* TRANSFER_INIT is genuine: T again, and remembered. */
static int
remember(struct cp_mikey_responder *r, uint64_t now, struct cp_mikey_fault *fault)
{
	const struct cp_mikey_responder_config *config = r->config;
	struct cp_mikey_replay_key message = cp_mikey_responder_message_key(r),
				   ticket = cp_mikey_responder_ticket_key(r);
	uint32_t skew_s = config->account.limits.skew_s;
	int error = cp_mikey_check_t(fault, &r->init.payloads, now, skew_s);

	if (error < 0)
		return error;
	if (!cp_mikey_policy_is_valid(&r->policy, now, config->account.limits.start_tolerance_s))
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_TPPAR,
				       "the ticket has expired meanwhile");
	if (config->replay != NULL)
		error = cp_mikey_replay_put(config->replay, &message, now,
					    now + ((uint64_t)skew_s << 33));
	if (error == 0 && config->tickets != NULL && (r->policy.flags & CP_MIKEY_FLAG_J) == 0)
		error = cp_mikey_replay_put(config->tickets, &ticket, now,
					    r->policy.has_end ? r->policy.end : UINT64_MAX);
	if (error == -EEXIST)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_TS, "replayed, or the ticket was used");
	if (error == -ENOSPC)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_TS, "the replay cache is full");
	return error;
}

static void
commit(struct cp_mikey_responder *r, const struct resolved *resolved)
{
	r->mpk_i = resolved->mpk_i;
	r->mpk_r = resolved->mpk_r;
	memcpy(r->held, resolved->held, sizeof(r->held));
	r->held_count = resolved->held_count;
	r->responder = resolved->responder;
	r->rand_kms = resolved->rand_kms;
	r->is_resolved = true;
	r->offer.responder = cp_mikey_name_id(&r->responder);
}

/* The keys are known: the shield of the initial message. */
int
cp_mikey_responder_init_shield(struct cp_mikey_shield *shield, const struct cp_mikey_responder *r,
			       bool with_encr)
{
	const struct cp_mikey_leg leg = {
		.set = r->offer.set,
		.phase = CP_MIKEY_INITIAL,
		.csb_id = r->init.csb_id,
		.key = cp_secret_octets(r->mpk_i),
		.rand_i = r->rand_i,
	};

	return cp_mikey_leg_shield(shield, &leg, with_encr);
}

int
cp_mikey_responder_resolve_take(struct cp_mikey_responder *r, struct cp_mikey_octets in,
				const struct cp_mikey_env *env, struct cp_mikey_fault *fault)
{
	struct cp_mikey_plain plain = {.len = 0};
	struct resolved resolved = {.held_count = 0};
	struct cp_mikey_shield shield;
	struct cp_mikey_msg msg;
	bool is_known = false;
	int error;

	if (r->asked.octets == NULL || r->mpk_i != NULL)
		return -EALREADY;
	error = cp_mikey_ask_take(&plain, &msg, &r->asked, in, env, fault);
	if (error < 0)
		return error;
	error = take_keys(&resolved, r, &plain);
	cp_mikey_plain_wipe(&plain);
	if (error == 0)
		error = take_modifier(&resolved, r, &msg);
	if (error == -EPROTO)
		cp_mikey_refuse(fault, CP_MIKEY_ERR_UNSPECIFIED,
				"the KMS's answer has not what the policy wants");
	if (error == 0)
		error = verify_init(r, &resolved, fault);
	is_known = error == 0;
	if (error == 0)
		error = remember(r, env->now(env->arg), fault);
	if (is_known) {
		/* Also when it is a replay: the Error message has its V. */
		commit(r, &resolved);
		r->is_resolved = error == 0;
	} else {
		drop(&resolved);
	}
	if (error == 0)
		error = cp_mikey_responder_init_shield(&shield, r, true);
	if (error == 0 && r->is_resolved) {
		error = cp_mikey_take_kemac(r->held, &r->held_count, &r->init, &shield, fault);
		cp_mikey_shield_wipe(&shield);
	}
	if (error == -EPROTO)
		fault->authentic = is_known;
	return error;
}

int
cp_mikey_responder_error(struct cp_mikey_out *out, const struct cp_mikey_responder *r,
			 struct cp_mikey_octets in, const struct cp_mikey_env *env,
			 const struct cp_mikey_fault *fault)
{
	struct cp_mikey_shield shield;
	struct cp_mikey_msg msg;
	size_t len;
	int error;

	if (r == NULL) {
		if (cp_mikey_hdr_decode(&msg, in, &len) == -EBADMSG ||
		    msg.data_type == CP_MIKEY_ERROR)
			return -EBADMSG;
		return cp_mikey_error_put(out, &msg, fault, NULL, env);
	}
	if (!fault->authentic || r->mpk_i == NULL)
		return cp_mikey_error_put(out, &r->init, fault, NULL, env);
	error = cp_mikey_responder_init_shield(&shield, r, false);
	if (error < 0)
		return error;
	error = cp_mikey_error_put(out, &r->init, fault, &shield, env);
	cp_mikey_shield_wipe(&shield);
	return error;
}
