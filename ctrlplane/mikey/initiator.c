/* The initiator of a Ticket Transfer: RFC 6043 section 4.2.2. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/mikey/csb_state.h"
#include "ctrlplane/mikey/transfer.h"

struct cp_mikey_initiator {
	enum cp_mikey_set set;
	uint32_t csb_id, skew_s;
	struct cp_secret *mpk_i, *mpk_r;
	struct cp_mikey_held held[CP_MIKEY_KEYS_MAX];
	size_t held_count;
	uint8_t *octets; /* TRANSFER_INIT */
	size_t len;
};

void
cp_mikey_initiator_destroy(struct cp_mikey_initiator *initiator)
{
	if (initiator == NULL)
		return;
	cp_secret_put(initiator->mpk_i);
	cp_secret_put(initiator->mpk_r);
	cp_mikey_held_put(initiator->held, initiator->held_count);
	free(initiator->octets);
	free(initiator);
}

/* The shield of TRANSFER_INIT. */
static int
init_shield(struct cp_mikey_shield *shield, const struct cp_mikey_initiator *initiator,
	    struct cp_mikey_octets rand_i)
{
	const struct cp_mikey_leg leg = {
		.set = initiator->set,
		.phase = CP_MIKEY_INITIAL,
		.csb_id = initiator->csb_id,
		.key = cp_secret_octets(initiator->mpk_i),
		.rand_i = rand_i,
	};

	return cp_mikey_leg_shield(shield, &leg, false);
}

/* TICKET with room for Vi and Vr, all zeros. */
static void
put_ticket(struct cp_mikey_writer *w, const struct cp_mikey_ticket *ticket)
{
	const struct cp_mikey_set_info *info = cp_mikey_set_info(ticket->set);
	bool is_forked = (ticket->policy.flags & CP_MIKEY_FLAG_I) != 0;
	size_t next_at, len_at;

	/* Its last two octets are the length of Initiator Data, which it has none of. */
	cp_mikey_put_copy(w,
			  &(struct cp_mikey_payload){CP_MIKEY_PAYLOAD_TICKET,
						     cp_mikey_octets(ticket->octets, ticket->len)});
	if (!is_forked || w->is_full)
		return;
	next_at = w->next_at;
	len_at = w->len - 2;
	w->next_at = w->len; /* First Payload */
	cp_mikey_put_number(w, CP_MIKEY_PAYLOAD_LAST, 1);
	cp_mikey_put_v(w, info->mac);
	cp_mikey_put_v(w, info->mac);
	cp_mikey_end_len(w, len_at);
	w->next_at = next_at;
}

/* V, then Vi which repeats its MAC, then Vr over both. */
static int
seal(struct cp_mikey_writer *w, const struct cp_mikey_ticket *ticket,
     const struct cp_mikey_shield *shield, const struct cp_mikey_ticket_view *view,
     struct cp_mikey_id responder)
{
	const struct cp_mikey_set_info *info = cp_mikey_set_info(ticket->set);
	struct cp_mikey_cover cover =
		cp_mikey_cover(cp_mikey_octets(w->octets, w->len), info->auth, view);
	struct cp_mikey_derivation how = {.prf = ticket->policy.prf, .family = CP_MIKEY_VR};
	uint8_t *data = w->octets + (view->initiator_data.at - w->octets);
	struct cp_mikey_shield vr;
	int error;

	cp_mikey_cover_add(&cover, ticket->policy.initiator.data);
	cp_mikey_cover_add(&cover, responder.data);
	error = cp_mikey_seal(w, shield, &cover);
	if (error < 0 || view->initiator_data.len == 0)
		return error;
	how.inkey = cp_mikey_octets(cp_secret_octets(ticket->mpk_r), cp_secret_len(ticket->mpk_r));
	error = cp_mikey_shield_derive(&vr, ticket->set, &how, false);
	if (error < 0)
		return error;
	/* First Payload, then Vi: Next Payload, algorithm, MAC. */
	memcpy(data + 3, w->octets + w->len - info->auth, info->auth);
	cover = cp_mikey_cover(cp_mikey_octets(data, view->initiator_data.len), info->auth, NULL);
	error = cp_mikey_hmac(data + view->initiator_data.len - info->auth, info->mac, &vr.auth,
			      cover.parts, cover.count);
	cp_mikey_shield_wipe(&vr);
	return error;
}

/* The message's octets but for what seal puts in. */
static int
write_init(struct cp_mikey_writer *w, struct cp_mikey_proposal *proposal,
	   const struct cp_mikey_ticket *ticket, const struct cp_mikey_transfer *transfer,
	   struct cp_mikey_octets rand, const struct cp_mikey_env *env)
{
	cp_mikey_put_start(w, &proposal->hdr, env);
	cp_mikey_put_randr(w, CP_MIKEY_ROLE_I, rand);
	cp_mikey_put_idr(w, CP_MIKEY_ROLE_I, ticket->policy.initiator);
	cp_mikey_put_idr(w, CP_MIKEY_ROLE_R, transfer->responder);
	cp_mikey_put_policies(w, proposal);
	if (transfer->sdp_ids != NULL)
		cp_mikey_put_genext(w, CP_MIKEY_GENEXT_SDP_IDS,
				    cp_mikey_octets(transfer->sdp_ids, strlen(transfer->sdp_ids)));
	put_ticket(w, ticket);
	cp_mikey_put_v(w, cp_mikey_set_info(ticket->set)->mac);
	return w->is_full ? -ENOSPC : 0;
}

/* RAND, CSB ID, message. */
static int
make(struct cp_mikey_initiator *initiator, struct cp_mikey_out *out,
     const struct cp_mikey_ticket *ticket, const struct cp_mikey_transfer *transfer,
     const struct cp_mikey_env *env)
{
	const struct cp_mikey_set_info *info = cp_mikey_set_info(ticket->set);
	struct cp_mikey_writer w = cp_mikey_writer(out->octets, out->cap);
	struct cp_mikey_proposal proposal = {
		.hdr = {.data_type = CP_MIKEY_TRANSFER_INIT,
			.v_flag = (ticket->policy.flags & CP_MIKEY_FLAG_F) != 0,
			.prf = info->prf}};
	uint8_t rand[CP_MIKEY_KEY_MAX], csb[4];
	struct cp_mikey_ticket_view view;
	struct cp_mikey_shield shield;
	struct cp_mikey_msg msg;
	int error;

	for (size_t i = 0; i < transfer->count; i++)
		if (transfer->lines[i].key >= ticket->held_count)
			return -EINVAL;
	error = cp_mikey_propose(&proposal, transfer->lines, transfer->count, ticket->held, true);
	if (error == 0)
		error = env->random(env->arg, rand, info->rand);
	if (error == 0 && transfer->csb_id == 0)
		error = env->random(env->arg, csb, sizeof(csb));
	if (error < 0)
		return error;
	initiator->csb_id = transfer->csb_id != 0
				    ? transfer->csb_id
				    : (uint32_t)csb[0] << 24 | (uint32_t)csb[1] << 16 |
					      (uint32_t)csb[2] << 8 | csb[3];
	proposal.hdr.csb_id = initiator->csb_id;
	error = write_init(&w, &proposal, ticket, transfer, cp_mikey_octets(rand, info->rand), env);
	if (error == 0 && cp_mikey_msg_decode(&msg, cp_mikey_octets(w.octets, w.len)) < 0)
		error = -EINVAL;
	if (error < 0)
		return error;
	view = cp_mikey_ticket_of(cp_mikey_list_find(&msg.payloads, CP_MIKEY_PAYLOAD_TICKET, 0));
	error = init_shield(&shield, initiator, cp_mikey_octets(rand, info->rand));
	if (error < 0)
		return error;
	error = seal(&w, ticket, &shield, &view, transfer->responder);
	cp_mikey_shield_wipe(&shield);
	out->len = w.len;
	return error;
}

int
cp_mikey_initiator_make(struct cp_mikey_initiator **out, struct cp_mikey_out *message,
			struct cp_mikey_ticket *ticket, const struct cp_mikey_transfer *transfer,
			const struct cp_mikey_env *env)
{
	struct cp_mikey_initiator *initiator;
	int error;

	if (ticket->is_used && (ticket->policy.flags & CP_MIKEY_FLAG_J) == 0)
		return -EPERM;
	if (transfer->responder.data.len == 0 || transfer->responder.data.len > CP_MIKEY_ID_MAX)
		return -EINVAL;
	initiator = calloc(1, sizeof(*initiator));
	if (initiator == NULL)
		return -ENOMEM;
	initiator->set = ticket->set;
	initiator->skew_s = transfer->limits.skew_s;
	initiator->mpk_i = cp_secret_get(ticket->mpk_i);
	initiator->mpk_r = cp_secret_get(ticket->mpk_r);
	for (size_t i = 0; i < ticket->held_count; i++)
		initiator->held[initiator->held_count++] = cp_mikey_held_get(&ticket->held[i]);
	error = make(initiator, message, ticket, transfer, env);
	if (error == 0) {
		initiator->octets = malloc(message->len);
		error = initiator->octets == NULL ? -ENOMEM : 0;
	}
	if (error < 0) {
		cp_mikey_initiator_destroy(initiator);
		return error;
	}
	memcpy(initiator->octets, message->octets, message->len);
	initiator->len = message->len;
	ticket->is_used = true;
	*out = initiator;
	return 0;
}

/* What a TRANSFER_RESP brings to the derivations. */
struct answered {
	struct cp_mikey_msg init, resp;
	struct cp_mikey_policy policy;
	struct cp_mikey_octets rand_i, rand_r, rand_kms;
	struct cp_mikey_id responder;
};

/* Our own message, and what must stand in the answer. */
static int
read_answer(struct answered *a, const struct cp_mikey_initiator *initiator,
	    struct cp_mikey_fault *fault)
{
	const struct cp_mikey_set_info *info = cp_mikey_set_info(initiator->set);
	const struct cp_mikey_list *list = &a->resp.payloads;
	bool is_forked;

	if (a->resp.data_type != CP_MIKEY_TRANSFER_RESP || a->resp.prf != info->prf ||
	    a->resp.csb_id != initiator->csb_id)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_UNSPECIFIED,
				       "the header is not that of our exchange");
	is_forked = (a->policy.flags & CP_MIKEY_FLAG_I) != 0;
	if ((a->policy.flags & CP_MIKEY_FLAG_G) != 0 &&
	    (!cp_mikey_find_rand(&a->rand_r, list, CP_MIKEY_ROLE_R) || a->rand_r.len < info->rand))
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_UNSPECIFIED,
				       "no RANDRr of the set's size");
	if (is_forked && (!cp_mikey_find_rand(&a->rand_kms, list, CP_MIKEY_ROLE_KMS) ||
			  a->rand_kms.len < info->rand))
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_UNSPECIFIED,
				       "no RANDRkms of the set's size");
	if (!cp_mikey_find_id(&a->responder, list, CP_MIKEY_ROLE_R)) {
		if (is_forked ||
		    !cp_mikey_find_id(&a->responder, &a->init.payloads, CP_MIKEY_ROLE_R))
			return cp_mikey_refuse(fault, CP_MIKEY_ERR_ID, "no IDRr");
	}
	if (a->responder.data.len > CP_MIKEY_ID_MAX ||
	    !cp_mikey_policy_has_responder(&a->policy, a->responder))
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_ID, "who answers is not on the ticket");
	return 0;
}

/* MPKr', or without forking MPKi. */
static int
response_key(struct cp_secret **out, const struct cp_mikey_initiator *initiator,
	     const struct answered *a)
{
	struct cp_mikey_derivation d = {.prf = a->policy.prf,
					.constant = CP_MIKEY_FORK_MPK,
					.rand = a->rand_kms,
					.id = a->responder.data};
	struct cp_mikey_key key;
	int error;

	if ((a->policy.flags & CP_MIKEY_FLAG_I) == 0) {
		*out = cp_secret_get(initiator->mpk_i);
		return 0;
	}
	cp_mikey_key_set(&key, cp_secret_octets(initiator->mpk_r), cp_secret_len(initiator->mpk_r));
	error = cp_mikey_fork(key.octets, key.len, &d);
	if (error == 0)
		error = cp_secret_create(out, key.octets, key.len);
	cp_mikey_key_wipe(&key);
	return error;
}

/* The ticket's session keys for whom answered: TGKs forked, others as they are. */
static int
fork_held(struct cp_mikey_csb *csb, const struct cp_mikey_initiator *initiator,
	  const struct answered *a)
{
	struct cp_mikey_derivation d = {.prf = a->policy.prf,
					.constant = CP_MIKEY_FORK_TGK,
					.rand = a->rand_kms,
					.id = a->responder.data};
	bool is_forked = (a->policy.flags & CP_MIKEY_FLAG_I) != 0;
	struct cp_mikey_key key;
	int error = 0;

	for (size_t i = 0; i < initiator->held_count && error == 0; i++) {
		struct cp_mikey_held *held = &csb->held[i];

		*held = cp_mikey_held_get(&initiator->held[i]);
		csb->held_count = i + 1;
		if (!is_forked || !cp_mikey_key_is_tgk(held->type))
			continue;
		cp_mikey_key_set(&key, cp_secret_octets(held->key), cp_secret_len(held->key));
		cp_secret_put(held->key);
		held->key = NULL;
		error = cp_mikey_fork(key.octets, key.len, &d);
		if (error == 0)
			error = cp_secret_create(&held->key, key.octets, key.len);
		cp_mikey_key_wipe(&key);
	}
	return error;
}

/* The bundle, verified: MAC first, then T, then what was agreed upon. */
static int
conclude(struct cp_mikey_csb *csb, const struct cp_mikey_initiator *initiator,
	 const struct answered *a, const struct cp_mikey_env *env, struct cp_mikey_fault *fault)
{
	struct cp_mikey_shield shield;
	struct cp_mikey_cover cover;
	struct cp_mikey_v v;
	int error = response_key(&csb->mpk, initiator, a);

	if (error == 0)
		error = cp_mikey_csb_shield(&shield, csb, true);
	if (error < 0)
		return error;
	if (!cp_mikey_last_v(&v, &a->resp.payloads)) {
		error = cp_mikey_refuse(fault, CP_MIKEY_ERR_AUTH, "no V at the end");
		goto out;
	}
	cover = cp_mikey_cover(a->resp.whole, v.mac.len, NULL);
	cp_mikey_cover_add(&cover, cp_mikey_octets(initiator->octets, initiator->len));
	if (!cp_mikey_is_genuine(v, &shield, &cover)) {
		error = cp_mikey_refuse(fault, CP_MIKEY_ERR_AUTH, "the MAC does not hold");
		goto out;
	}
	error = cp_mikey_check_t(fault, &a->resp.payloads, env->now(env->arg), initiator->skew_s);
	if (error == 0)
		error = fork_held(csb, initiator, a);
	if (error == 0 && (a->policy.flags & CP_MIKEY_FLAG_M) == 0 &&
	    cp_mikey_list_find(&a->resp.payloads, CP_MIKEY_PAYLOAD_KEMAC, 0) != NULL)
		error = cp_mikey_refuse(fault, CP_MIKEY_ERR_UNSPECIFIED,
					"keys of the responder without M");
	if (error == 0)
		error = cp_mikey_take_kemac(csb->held, &csb->held_count, &a->resp, &shield, fault);
	if (error == 0)
		error = cp_mikey_csb_agree(csb, &a->init, &a->resp,
					   (struct cp_mikey_extra){NULL, 0}, fault);
	if (error == -EPROTO)
		fault->authentic = true;
out:
	cp_mikey_shield_wipe(&shield);
	return error;
}

static int
take_error(const struct cp_mikey_initiator *initiator, const struct answered *a,
	   struct cp_mikey_fault *fault)
{
	struct cp_mikey_shield shield;
	int error;

	if (a->resp.csb_id != initiator->csb_id)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_UNSPECIFIED,
				       "an Error message of another exchange");
	error = init_shield(&shield, initiator, a->rand_i);
	if (error < 0)
		return error;
	error = cp_mikey_error_take(fault, &a->resp, &shield);
	cp_mikey_shield_wipe(&shield);
	return error;
}

int
cp_mikey_initiator_take(struct cp_mikey_csb **out, struct cp_mikey_initiator *initiator,
			struct cp_mikey_octets in, const struct cp_mikey_env *env,
			struct cp_mikey_fault *fault)
{
	struct answered a = {.rand_i = {NULL, 0}};
	struct cp_mikey_ticket_view view;
	struct cp_mikey_csb *csb;
	const char *why;
	int error;

	if (cp_mikey_msg_decode(&a.resp, in) < 0)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_MESSAGE, "not to be parsed");
	cp_mikey_msg_decode(&a.init,
			    cp_mikey_octets(initiator->octets, initiator->len)); /* our own */
	view = cp_mikey_ticket_of(cp_mikey_list_find(&a.init.payloads, CP_MIKEY_PAYLOAD_TICKET, 0));
	cp_mikey_policy_decode(&a.policy, &view, &why);
	cp_mikey_find_rand(&a.rand_i, &a.init.payloads, CP_MIKEY_ROLE_I);
	if (a.resp.data_type == CP_MIKEY_ERROR)
		return take_error(initiator, &a, fault);
	error = read_answer(&a, initiator, fault);
	if (error < 0)
		return error;
	csb = calloc(1, sizeof(*csb));
	if (csb == NULL)
		return -ENOMEM;
	csb->set = initiator->set;
	csb->id = initiator->csb_id;
	csb->is_initiator = true;
	csb->skew_s = initiator->skew_s;
	csb->flags = a.policy.flags;
	csb->rekey_s = a.policy.rekey_s;
	csb->end = a.policy.has_end ? a.policy.end : 0;
	cp_mikey_name_set(&csb->initiator, a.policy.initiator);
	cp_mikey_name_set(&csb->responder, a.responder);
	cp_mikey_rand_set(&csb->rand_i, a.rand_i);
	cp_mikey_rand_set(&csb->rand_r, a.rand_r);
	error = conclude(csb, initiator, &a, env, fault);
	if (error == 0)
		*out = csb;
	else
		cp_mikey_csb_destroy(csb);
	return error;
}
