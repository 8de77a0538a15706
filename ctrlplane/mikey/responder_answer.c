/* TRANSFER_RESP and the bundle: RFC 6043 section 4.2.2.3. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/mikey/responder_state.h"

static struct cp_mikey_csb *
bundle(const struct cp_mikey_responder *r)
{
	struct cp_mikey_csb *csb = calloc(1, sizeof(*csb));

	if (csb == NULL)
		return NULL;
	csb->set = r->offer.set;
	csb->id = r->init.csb_id;
	csb->skew_s = r->config->account.limits.skew_s;
	csb->flags = r->policy.flags;
	csb->rekey_s = r->policy.rekey_s;
	csb->end = r->policy.has_end ? r->policy.end : 0;
	cp_mikey_name_set(&csb->initiator, r->policy.initiator);
	csb->responder = r->responder;
	cp_mikey_rand_set(&csb->rand_i, r->rand_i);
	csb->mpk = cp_secret_get(r->mpk_r != NULL ? r->mpk_r : r->mpk_i);
	for (size_t i = 0; i < r->held_count; i++)
		csb->held[csb->held_count++] = cp_mikey_held_get(&r->held[i]);
	return csb;
}

/* The message, its V filled in. */
static int
write_resp(struct cp_mikey_out *out, const struct cp_mikey_responder *r,
	   struct cp_mikey_reply *reply, const struct cp_mikey_csb *csb,
	   const struct cp_mikey_env *env)
{
	struct cp_mikey_writer w = cp_mikey_writer(out->octets, out->cap);
	struct cp_mikey_shield shield;
	int error;

	reply->hdr.data_type = CP_MIKEY_TRANSFER_RESP;
	cp_mikey_put_start(&w, &reply->hdr, env);
	if (csb->rand_r.len > 0)
		cp_mikey_put_randr(&w, CP_MIKEY_ROLE_R, cp_mikey_rand_octets(&csb->rand_r));
	cp_mikey_put_idr(&w, CP_MIKEY_ROLE_R, cp_mikey_name_id(&r->responder));
	if (r->rand_kms.len > 0)
		cp_mikey_put_randr(&w, CP_MIKEY_ROLE_KMS, cp_mikey_rand_octets(&r->rand_kms));
	for (size_t i = 0; i < reply->sp_count; i++)
		cp_mikey_put_sp(&w, &reply->sps[i]);
	error = cp_mikey_csb_shield(&shield, csb, false);
	if (error < 0)
		return error;
	error = cp_mikey_finish(out, &w, &shield, &r->init.whole, 1);
	cp_mikey_shield_wipe(&shield);
	return error;
}

int
cp_mikey_responder_answer(struct cp_mikey_csb **out, struct cp_mikey_out *message,
			  struct cp_mikey_responder *r, const struct cp_mikey_answer *answer,
			  const struct cp_mikey_env *env, struct cp_mikey_fault *fault)
{
	const struct cp_mikey_set_info *info = cp_mikey_set_info(r->offer.set);
	struct cp_mikey_choice choice = {.lines = answer->lines,
					 .count = answer->count,
					 .suites = r->config->suites,
					 .set = r->offer.set};
	struct cp_mikey_reply reply;
	struct cp_mikey_csb *csb;
	struct cp_mikey_msg resp;
	int error = 0;

	if (!r->is_resolved)
		return -EPERM;
	csb = bundle(r);
	if (csb == NULL)
		return -ENOMEM;
	if (r->held_count > 0)
		choice.spi = cp_mikey_octets(r->held[0].spi, r->held[0].spi_len);
	if ((r->policy.flags & CP_MIKEY_FLAG_G) != 0) {
		csb->rand_r.len = info->rand;
		error = env->random(env->arg, csb->rand_r.octets, info->rand);
	}
	if (error == 0)
		error = cp_mikey_choose(&reply, &r->init, &choice, env, fault);
	if (error == 0)
		error = write_resp(message, r, &reply, csb, env);
	if (error == 0 &&
	    cp_mikey_msg_decode(&resp, cp_mikey_octets(message->octets, message->len)) < 0)
		error = -EINVAL;
	if (error == 0)
		error = cp_mikey_csb_agree(csb, &r->init, &resp, (struct cp_mikey_extra){NULL, 0},
					   fault);
	if (error == -EPROTO)
		fault->authentic = true;
	if (error == 0)
		*out = csb;
	else
		cp_mikey_csb_destroy(csb);
	return error;
}
