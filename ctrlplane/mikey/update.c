/*
 * CSB update: TRANSFER_INIT and TRANSFER_RESP again, under the keys of the first TRANSFER_RESP. RFC
 * 6043 section 5.2. Both sides use the same auth_key, so what we sent ourselves must not come back as
 * if it were theirs: our own MACs are remembered.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/mikey/csb_state.h"
#include "ctrlplane/mikey/time.h"

/* T of what we send: later than any before, for the IV of a KEMAC takes it. */
struct later {
	const struct cp_mikey_env *env;
	uint64_t after; /* NTP */
};

static uint64_t
now_later(void *arg)
{
	struct later *later = (struct later *)arg;
	uint64_t now = later->env->now(later->env->arg);
	uint64_t after = later->after == 0 ? 0 : cp_mikey_time_of_ntp(later->after);

	if (now <= after)
		now = after + 1;
	return now;
}

static uint64_t
t_of(const struct cp_mikey_msg *msg)
{
	struct cp_mikey_ts ts;

	return cp_mikey_find_ts(&ts, &msg->payloads, 0) ? cp_mikey_ts_iv(ts.type, ts.value) : 0;
}

static void
own(struct cp_mikey_csb *csb, const struct cp_mikey_writer *w)
{
	size_t len = cp_mikey_set_info(csb->set)->auth;

	memcpy(csb->own_macs[csb->own_count++ % CP_MIKEY_OWN_MACS], w->octets + w->len - len, len);
}

static bool
is_own(const struct cp_mikey_csb *csb, struct cp_mikey_v v)
{
	for (size_t i = 0; i < CP_MIKEY_OWN_MACS && i < csb->own_count; i++)
		if (v.mac.len <= CP_MIKEY_MAC_MAX &&
		    memcmp(csb->own_macs[i], v.mac.at, v.mac.len) == 0)
			return true;
	return false;
}

void
cp_mikey_update_cancel(struct cp_mikey_csb *csb)
{
	free(csb->pending);
	csb->pending = NULL;
	csb->pending_len = 0;
	cp_mikey_held_put(&csb->pending_key, 1);
}

/* May the side that sends it bring keys? */
static bool
may_bring_keys(const struct cp_mikey_csb *csb, bool is_initiator)
{
	return (csb->flags & (is_initiator ? CP_MIKEY_FLAG_L : CP_MIKEY_FLAG_M)) != 0;
}

static int
draw_tgk(struct cp_mikey_held *held, enum cp_mikey_set set, const struct cp_mikey_env *env)
{
	uint8_t key[CP_MIKEY_KEY_MAX], spi[CP_MIKEY_SPI_DRAWN];
	struct cp_mikey_key_data data = {.type = CP_MIKEY_KEY_TGK,
					 .key = cp_mikey_octets(key, cp_mikey_set_info(set)->key),
					 .spi = cp_mikey_octets(spi, sizeof(spi))};
	int error = cp_mikey_draw_spi(spi, env);

	if (error == 0)
		error = env->random(env->arg, key, data.key.len);
	if (error == 0)
		error = cp_mikey_held_set(held, &data);
	cp_wipe(key, sizeof(key));
	return error;
}

static int
put_tgk(struct cp_mikey_writer *w, const struct cp_mikey_csb *csb, const struct cp_mikey_held *held,
	const struct cp_mikey_shield *shield, uint64_t t)
{
	const struct cp_mikey_key_data data = {
		.type = held->type,
		.key = cp_mikey_octets(cp_secret_octets(held->key), cp_secret_len(held->key)),
		.spi = cp_mikey_octets(held->spi, held->spi_len),
	};
	const struct cp_mikey_kemac_keys keys = {&data, 1, csb->id, t};

	return cp_mikey_kemac_put(w, shield, &keys);
}

/* IDRs in the order of who starts, SPs, KEMAC, V. */
static int
write_update(struct cp_mikey_out *out, struct cp_mikey_csb *csb, struct cp_mikey_proposal *proposal,
	     const struct cp_mikey_held *key, const struct cp_mikey_env *env)
{
	const struct cp_mikey_octets appended[] = {cp_mikey_name_id(&csb->initiator).data,
						   cp_mikey_name_id(&csb->responder).data};
	struct cp_mikey_writer w = cp_mikey_writer(out->octets, out->cap);
	struct later later = {env, csb->sent_t};
	const struct cp_mikey_env own_env = {now_later, env->random, &later};
	struct cp_mikey_shield shield;
	uint64_t t;
	int error = cp_mikey_csb_shield(&shield, csb, key != NULL);

	if (error < 0)
		return error;
	t = cp_mikey_put_start(&w, &proposal->hdr, &own_env);
	for (int i = 0; i < 2; i++) {
		bool initiator = (i == 0) == csb->is_initiator;

		cp_mikey_put_idr(&w, initiator ? CP_MIKEY_ROLE_I : CP_MIKEY_ROLE_R,
				 cp_mikey_name_id(initiator ? &csb->initiator : &csb->responder));
	}
	cp_mikey_put_policies(&w, proposal);
	if (key != NULL)
		error = put_tgk(&w, csb, key, &shield, t);
	if (error == 0)
		error = cp_mikey_finish(out, &w, &shield, appended, 2);
	cp_mikey_shield_wipe(&shield);
	if (error < 0)
		return error;
	csb->sent_t = t;
	own(csb, &w);
	return 0;
}

int
cp_mikey_update_make(struct cp_mikey_out *out, struct cp_mikey_csb *csb,
		     const struct cp_mikey_update *update, const struct cp_mikey_env *env,
		     struct cp_mikey_fault *fault)
{
	struct cp_mikey_proposal proposal = {
		.hdr = {.data_type = CP_MIKEY_TRANSFER_INIT, .v_flag = true, .csb_id = csb->id}};
	struct cp_mikey_held key = {.key = NULL};
	struct cp_mikey_held keys[CP_MIKEY_KEYS_MAX]; /* the proposal borrows their SPIs */
	int error = 0;

	if (csb->pending != NULL)
		return -EBUSY;
	if (update->new_tgk && !may_bring_keys(csb, csb->is_initiator))
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_TPPAR,
				       "the ticket does not let us bring keys");
	for (size_t i = 0; i < update->count; i++)
		if (!update->new_tgk && update->lines[i].key >= csb->held_count)
			return -EINVAL;
	proposal.hdr.prf = cp_mikey_set_info(csb->set)->prf;
	if (update->new_tgk)
		error = draw_tgk(&key, csb->set, env);
	for (size_t i = 0; i < CP_MIKEY_KEYS_MAX && update->new_tgk; i++)
		keys[i] = key; /* whichever a line names: there is only this one */
	if (error == 0)
		error = cp_mikey_propose(&proposal, update->lines, update->count,
					 update->new_tgk ? keys : csb->held, csb->is_initiator);
	if (error == 0)
		error = write_update(out, csb, &proposal, update->new_tgk ? &key : NULL, env);
	if (error == 0) {
		csb->pending = malloc(out->len);
		error = csb->pending == NULL ? -ENOMEM : 0;
	}
	if (error < 0) {
		cp_mikey_held_put(&key, 1);
		return error;
	}
	memcpy(csb->pending, out->octets, out->len);
	csb->pending_len = out->len;
	csb->pending_key = key;
	return 0;
}

bool
cp_mikey_is_update(struct cp_mikey_octets in)
{
	struct cp_mikey_msg msg;

	return cp_mikey_msg_decode(&msg, in) == 0 && msg.data_type == CP_MIKEY_TRANSFER_INIT &&
	       cp_mikey_list_find(&msg.payloads, CP_MIKEY_PAYLOAD_TICKET, 0) == NULL;
}

size_t
cp_mikey_update_pairs(uint8_t pairs[CP_MIKEY_CS_MAX], struct cp_mikey_octets in)
{
	struct cp_mikey_msg msg;
	size_t count = 0;

	if (cp_mikey_msg_decode(&msg, in) < 0 || msg.map_type != CP_MIKEY_MAP_GENERIC_ID)
		return 0;
	for (size_t i = 0; i + 1 < msg.cs_count; i++) {
		const struct cp_mikey_cs *first = &msg.cs[i], *second = &msg.cs[i + 1];

		if (first->prot == CP_MIKEY_PROT_SRTP && second->prot == CP_MIKEY_PROT_SRTP &&
		    first->id % 2 == 1 && second->id == first->id + 1)
			pairs[count++] = first->id;
	}
	return count;
}

/* Header, V, then T. */
static int
verify(const struct cp_mikey_csb *csb, const struct cp_mikey_msg *msg,
       const struct cp_mikey_shield *shield, struct cp_mikey_cover *cover,
       struct cp_mikey_fault *fault)
{
	struct cp_mikey_v v;

	if (msg->prf != cp_mikey_set_info(csb->set)->prf || msg->csb_id != csb->id)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_UNSPECIFIED,
				       "the header is not that of our bundle");
	if (!cp_mikey_last_v(&v, &msg->payloads) || !cp_mikey_is_genuine(v, shield, cover))
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_AUTH, "the MAC does not hold");
	if (is_own(csb, v))
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_AUTH, "our own message came back");
	return 0;
}

static int
check_fresh(const struct cp_mikey_csb *csb, const struct cp_mikey_msg *msg, uint64_t now,
	    struct cp_mikey_fault *fault)
{
	int error = cp_mikey_check_t(fault, &msg->payloads, now, csb->skew_s);

	if (error < 0)
		return error;
	if (cp_mikey_time_of_ntp(t_of(msg)) <= cp_mikey_time_of_ntp(csb->taken_t) &&
	    csb->taken_t != 0)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_TS, "not later than the update before");
	return 0;
}

/* IDRi and IDRr, where they stand there, are the established ones; no ticket, no RANDs. */
static int
check_update(const struct cp_mikey_csb *csb, const struct cp_mikey_msg *msg,
	     struct cp_mikey_fault *fault)
{
	struct cp_mikey_id id;
	struct cp_mikey_octets rand;

	if ((cp_mikey_find_id(&id, &msg->payloads, CP_MIKEY_ROLE_I) &&
	     !cp_mikey_id_is_same(id, cp_mikey_name_id(&csb->initiator))) ||
	    (cp_mikey_find_id(&id, &msg->payloads, CP_MIKEY_ROLE_R) &&
	     !cp_mikey_id_is_same(id, cp_mikey_name_id(&csb->responder))))
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_ID, "an update of somebody else");
	if (cp_mikey_list_find(&msg->payloads, CP_MIKEY_PAYLOAD_TICKET, 0) != NULL ||
	    cp_mikey_find_rand(&rand, &msg->payloads, CP_MIKEY_ROLE_I) ||
	    cp_mikey_find_rand(&rand, &msg->payloads, CP_MIKEY_ROLE_R))
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_UNSPECIFIED,
				       "an update with a ticket or RANDs");
	if (!may_bring_keys(csb, !csb->is_initiator) &&
	    cp_mikey_list_find(&msg->payloads, CP_MIKEY_PAYLOAD_KEMAC, 0) != NULL)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_UNSPECIFIED,
				       "keys that the ticket does not allow");
	return 0;
}

/* TRANSFER_RESP to an update. */
static int
write_resp(struct cp_mikey_out *out, struct cp_mikey_csb *csb, struct cp_mikey_reply *reply,
	   const struct cp_mikey_msg *init, const struct cp_mikey_shield *shield,
	   const struct cp_mikey_env *env)
{
	struct cp_mikey_writer w = cp_mikey_writer(out->octets, out->cap);
	struct later later = {env, csb->sent_t};
	const struct cp_mikey_env own_env = {now_later, env->random, &later};

	reply->hdr.data_type = CP_MIKEY_TRANSFER_RESP;
	cp_mikey_put_start(&w, &reply->hdr, &own_env);
	cp_mikey_put_idr(&w, csb->is_initiator ? CP_MIKEY_ROLE_I : CP_MIKEY_ROLE_R,
			 cp_mikey_name_id(csb->is_initiator ? &csb->initiator : &csb->responder));
	for (size_t i = 0; i < reply->sp_count; i++)
		cp_mikey_put_sp(&w, &reply->sps[i]);
	return cp_mikey_finish(out, &w, shield, &init->whole, 1);
}

/* An update from the other side on its way through. */
struct taken {
	const struct cp_mikey_update *update;
	const struct cp_mikey_env *env;
	struct cp_mikey_fault *fault;
	struct cp_mikey_shield shield;
	struct cp_mikey_msg init;
	struct cp_mikey_held extra[CP_MIKEY_KEYS_MAX];
	size_t extra_count;
};

/* The answer and the sessions: all of it, or the bundle stays as it was. */
static int
answer(struct cp_mikey_out *out, struct cp_mikey_csb *csb, struct taken *taken)
{
	struct cp_mikey_choice choice = {.lines = taken->update->lines,
					 .count = taken->update->count,
					 .own_first = csb->is_initiator,
					 .set = csb->set,
					 .csb = csb};
	struct cp_mikey_reply reply;
	struct cp_mikey_msg resp;
	int error;

	if (csb->held_count > 0)
		choice.spi = cp_mikey_octets(csb->held[0].spi, csb->held[0].spi_len);
	for (size_t i = 0; i < choice.count; i++)
		choice.suites |= choice.lines[i].suites;
	error = cp_mikey_take_kemac(taken->extra, &taken->extra_count, &taken->init, &taken->shield,
				    taken->fault);
	if (error == 0)
		error = cp_mikey_choose(&reply, &taken->init, &choice, taken->env, taken->fault);
	if (error == 0)
		error = write_resp(out, csb, &reply, &taken->init, &taken->shield, taken->env);
	if (error == 0 && cp_mikey_msg_decode(&resp, cp_mikey_octets(out->octets, out->len)) < 0)
		error = -EINVAL;
	if (error == 0)
		error = cp_mikey_csb_agree(
			csb, &taken->init, &resp,
			(struct cp_mikey_extra){taken->extra, taken->extra_count}, taken->fault);
	if (error < 0)
		return error;
	csb->taken_t = t_of(&taken->init);
	csb->sent_t = t_of(&resp);
	return 0;
}

int
cp_mikey_update_answer(struct cp_mikey_out *out, struct cp_mikey_csb *csb,
		       const struct cp_mikey_update *update, struct cp_mikey_octets in,
		       const struct cp_mikey_env *env, struct cp_mikey_fault *fault)
{
	struct taken taken = {.update = update, .env = env, .fault = fault};
	struct cp_mikey_cover cover;
	struct cp_mikey_v v;
	int error;

	if (cp_mikey_msg_decode(&taken.init, in) < 0)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_MESSAGE, "not to be parsed");
	if (taken.init.data_type != CP_MIKEY_TRANSFER_INIT ||
	    !cp_mikey_last_v(&v, &taken.init.payloads))
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_DT, "no update");
	cover = cp_mikey_cover(taken.init.whole, v.mac.len, NULL);
	cp_mikey_cover_add(&cover, cp_mikey_name_id(&csb->initiator).data);
	cp_mikey_cover_add(&cover, cp_mikey_name_id(&csb->responder).data);
	error = cp_mikey_csb_shield(&taken.shield, csb, true);
	if (error < 0)
		return error;
	error = verify(csb, &taken.init, &taken.shield, &cover, fault);
	if (error == 0) {
		error = check_fresh(csb, &taken.init, env->now(env->arg), fault);
		if (error == 0)
			error = check_update(csb, &taken.init, fault);
		if (error == 0)
			error = answer(out, csb, &taken);
		if (error == -EPROTO)
			fault->authentic = true;
	}
	cp_mikey_held_put(taken.extra, taken.extra_count);
	cp_mikey_shield_wipe(&taken.shield);
	return error;
}

int
cp_mikey_update_finish(struct cp_mikey_csb *csb, struct cp_mikey_octets in,
		       const struct cp_mikey_env *env, struct cp_mikey_fault *fault)
{
	struct cp_mikey_shield shield;
	struct cp_mikey_cover cover;
	struct cp_mikey_msg init, resp;
	struct cp_mikey_v v;
	int error;

	if (csb->pending == NULL)
		return -EALREADY;
	if (cp_mikey_msg_decode(&resp, in) < 0 ||
	    cp_mikey_msg_decode(&init, cp_mikey_octets(csb->pending, csb->pending_len)) < 0)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_MESSAGE, "not to be parsed");
	error = cp_mikey_csb_shield(&shield, csb, false);
	if (error < 0)
		return error;
	if (resp.data_type == CP_MIKEY_ERROR && resp.csb_id == csb->id)
		error = cp_mikey_error_take(fault, &resp, &shield);
	else if (resp.data_type != CP_MIKEY_TRANSFER_RESP || !cp_mikey_last_v(&v, &resp.payloads))
		error = cp_mikey_refuse(fault, CP_MIKEY_ERR_DT, "no response to an update");
	if (error == 0) {
		cover = cp_mikey_cover(resp.whole, v.mac.len, NULL);
		cp_mikey_cover_add(&cover, cp_mikey_octets(csb->pending, csb->pending_len));
		error = verify(csb, &resp, &shield, &cover, fault);
	}
	cp_mikey_shield_wipe(&shield);
	if (error < 0)
		return error;
	error = check_fresh(csb, &resp, env->now(env->arg), fault);
	if (error == 0 && cp_mikey_list_find(&resp.payloads, CP_MIKEY_PAYLOAD_KEMAC, 0) != NULL)
		error = cp_mikey_refuse(fault, CP_MIKEY_ERR_UNSPECIFIED,
					"keys in the answer to an update");
	if (error == 0)
		error = cp_mikey_csb_agree(
			csb, &init, &resp,
			(struct cp_mikey_extra){&csb->pending_key, csb->pending_key.key != NULL},
			fault);
	if (error == -EPROTO)
		fault->authentic = true;
	if (error < 0)
		return error;
	csb->taken_t = t_of(&resp);
	cp_mikey_update_cancel(csb);
	return 0;
}
