/* Steps of every exchange. */
#include "ctrlplane/mikey/exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/mikey/sp.h"
#include "ctrlplane/mikey/time.h"

int
cp_mikey_check_t(struct cp_mikey_fault *fault, const struct cp_mikey_list *list, uint64_t now,
		 uint32_t skew_s)
{
	struct cp_mikey_ts ts;
	uint64_t time;

	if (!cp_mikey_find_ts(&ts, list, 0))
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_TS, "no T payload");
	if (ts.type != CP_MIKEY_TS_NTP_UTC || cp_mikey_ts_time(&time, ts.type, ts.value) < 0)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_TS, "T is not NTP-UTC");
	if (!cp_mikey_time_is_near(time, now, skew_s))
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_TS, "T is too far from our clock");
	return 0;
}

int
cp_mikey_leg_shield(struct cp_mikey_shield *shield, const struct cp_mikey_leg *leg, bool with_encr)
{
	const struct cp_mikey_set_info *info = cp_mikey_set_info(leg->set);
	const struct cp_mikey_derivation how = {
		.prf = info->prf,
		.family = leg->phase,
		.inkey = cp_mikey_octets(leg->key, info->key),
		.csb_id = leg->csb_id,
		.rand_i = leg->rand_i,
		.rand_r = leg->rand_r,
	};

	return cp_mikey_shield_derive(shield, leg->set, &how, with_encr);
}

uint64_t
cp_mikey_put_start(struct cp_mikey_writer *w, const struct cp_mikey_msg *hdr,
		   const struct cp_mikey_env *env)
{
	uint64_t now = env->now(env->arg);

	cp_mikey_put_hdr(w, hdr);
	cp_mikey_put_t(w, now);
	return cp_mikey_time_to_ntp(now);
}

int
cp_mikey_finish(struct cp_mikey_out *out, struct cp_mikey_writer *w,
		const struct cp_mikey_shield *shield, const struct cp_mikey_octets *appended,
		size_t count)
{
	const struct cp_mikey_set_info *info = cp_mikey_set_info(shield->set);
	struct cp_mikey_cover cover;
	int error;

	cp_mikey_put_v(w, info->mac);
	if (w->is_full)
		return -ENOSPC;
	cover = cp_mikey_cover(cp_mikey_octets(w->octets, w->len), info->auth, NULL);
	for (size_t i = 0; i < count; i++)
		cp_mikey_cover_add(&cover, appended[i]);
	error = cp_mikey_seal(w, shield, &cover);
	if (error == 0)
		out->len = w->len;
	return error;
}

int
cp_mikey_error_put(struct cp_mikey_out *out, const struct cp_mikey_msg *about,
		   const struct cp_mikey_fault *fault, const struct cp_mikey_shield *shield,
		   const struct cp_mikey_env *env)
{
	const struct cp_mikey_msg hdr = {
		.data_type = CP_MIKEY_ERROR,
		.prf = about->prf,
		.csb_id = about->csb_id,
		.map_type = CP_MIKEY_MAP_EMPTY,
	};
	struct cp_mikey_writer w = cp_mikey_writer(out->octets, out->cap);
	int result = 0;

	cp_mikey_put_start(&w, &hdr, env);
	cp_mikey_put_err(&w, fault->error);
	for (unsigned suite = 1; suite < DP_SUITE_COUNT; suite++) {
		uint8_t params[CP_MIKEY_SP_MAX];
		struct cp_mikey_sp sp = {.no = (uint8_t)suite, .prot = CP_MIKEY_PROT_SRTP};

		if ((fault->suites & 1u << suite) == 0)
			continue;
		sp.params =
			cp_mikey_octets(params, cp_mikey_sp_encode(params, (enum dp_suite)suite));
		cp_mikey_put_sp(&w, &sp);
	}
	if (shield != NULL)
		result = cp_mikey_finish(out, &w, shield, NULL, 0);
	if (w.is_full)
		return -ENOSPC;
	out->len = w.len;
	return result;
}

int
cp_mikey_error_take(struct cp_mikey_fault *fault, const struct cp_mikey_msg *msg,
		    const struct cp_mikey_shield *shield)
{
	const struct cp_mikey_payload *err =
		cp_mikey_list_find(&msg->payloads, CP_MIKEY_PAYLOAD_ERR, 0);
	struct cp_mikey_v v;

	cp_mikey_refuse(fault, err == NULL ? CP_MIKEY_ERR_UNSPECIFIED : err->whole.at[1],
			"the peer sent an Error message");
	if (shield != NULL && cp_mikey_last_v(&v, &msg->payloads)) {
		struct cp_mikey_cover cover = cp_mikey_cover(msg->whole, v.mac.len, NULL);

		fault->authentic = cp_mikey_is_genuine(v, shield, &cover);
	}
	return -EPROTO;
}

int
cp_mikey_ask_start(struct cp_mikey_asked *asked, struct cp_mikey_writer *w,
		   const struct cp_mikey_account *account, uint8_t data_type,
		   const struct cp_mikey_env *env)
{
	const struct cp_mikey_set_info *info = cp_mikey_set_info(account->set);
	bool is_request = data_type == CP_MIKEY_REQUEST_INIT_PSK;
	const struct cp_secret *psk = account->psk[account->set];
	uint8_t role = is_request ? CP_MIKEY_ROLE_I : CP_MIKEY_ROLE_R;
	struct cp_mikey_msg hdr = {.data_type = data_type,
				   .v_flag = true,
				   .prf = info->prf,
				   .map_type = CP_MIKEY_MAP_EMPTY};
	uint8_t csb[4];
	int error;

	if (psk == NULL || cp_secret_len(psk) != info->key || account->user.data.len == 0 ||
	    account->kms.data.len == 0 || account->user.data.len > CP_MIKEY_ID_MAX ||
	    account->psk_id.data.len > CP_MIKEY_ID_MAX ||
	    cp_mikey_name_set(&asked->kms, account->kms) < 0)
		return -EINVAL;
	error = env->random(env->arg, csb, sizeof(csb));
	if (error == 0)
		error = env->random(env->arg, asked->rand, info->rand);
	if (error == 0)
		error = cp_secret_create(&asked->psk, cp_secret_octets(psk), info->key);
	if (error < 0)
		return error;
	hdr.csb_id =
		(uint32_t)csb[0] << 24 | (uint32_t)csb[1] << 16 | (uint32_t)csb[2] << 8 | csb[3];
	asked->skew_s = account->limits.skew_s;
	asked->leg = (struct cp_mikey_leg){
		account->set, CP_MIKEY_INITIAL, hdr.csb_id, cp_secret_octets(asked->psk), {0}, {0}};
	*(is_request ? &asked->leg.rand_i : &asked->leg.rand_r) =
		cp_mikey_octets(asked->rand, info->rand);
	cp_mikey_put_start(w, &hdr, env);
	cp_mikey_put_randr(w, role, cp_mikey_octets(asked->rand, info->rand));
	cp_mikey_put_idr(w, role, account->user);
	cp_mikey_put_idr(w, CP_MIKEY_ROLE_KMS, account->kms);
	return 0;
}

int
cp_mikey_ask_end(struct cp_mikey_asked *asked, struct cp_mikey_out *out, struct cp_mikey_writer *w,
		 const struct cp_mikey_account *account)
{
	const struct cp_mikey_octets appended[] = {account->user.data, account->kms.data};
	struct cp_mikey_shield shield;
	int error;

	if (account->psk_id.data.len > 0)
		cp_mikey_put_idr(w, CP_MIKEY_ROLE_PSK, account->psk_id);
	error = cp_mikey_leg_shield(&shield, &asked->leg, false);
	if (error < 0)
		return error;
	error = cp_mikey_finish(out, w, &shield, appended, 2);
	cp_mikey_shield_wipe(&shield);
	if (error < 0)
		return error;
	asked->octets = malloc(out->len);
	if (asked->octets == NULL)
		return -ENOMEM;
	memcpy(asked->octets, out->octets, out->len);
	asked->len = out->len;
	return 0;
}

void
cp_mikey_asked_fini(struct cp_mikey_asked *asked)
{
	cp_secret_put(asked->psk);
	free(asked->octets);
	memset(asked, 0, sizeof(*asked));
}

/* What the header and V say. */
static int
verify_answer(const struct cp_mikey_msg *msg, const struct cp_mikey_asked *asked,
	      const struct cp_mikey_shield *shield, struct cp_mikey_fault *fault)
{
	uint8_t wanted = asked->octets[1] == CP_MIKEY_REQUEST_INIT_PSK ? CP_MIKEY_REQUEST_RESP
								       : CP_MIKEY_RESOLVE_RESP;
	struct cp_mikey_cover cover;
	struct cp_mikey_v v;

	if (msg->data_type != wanted || msg->prf != cp_mikey_set_info(asked->leg.set)->prf ||
	    msg->csb_id != asked->leg.csb_id || msg->cs_count != 0 ||
	    msg->map_type != CP_MIKEY_MAP_EMPTY)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_UNSPECIFIED,
				       "the header is not that of our exchange");
	if (!cp_mikey_last_v(&v, &msg->payloads))
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_AUTH, "no V at the end");
	cover = cp_mikey_cover(msg->whole, v.mac.len, NULL);
	cp_mikey_cover_add(&cover, cp_mikey_octets(asked->octets, asked->len));
	if (!cp_mikey_is_genuine(v, shield, &cover))
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_AUTH, "the MAC does not hold");
	return 0;
}

static int
take_error(const struct cp_mikey_msg *msg, const struct cp_mikey_asked *asked,
	   struct cp_mikey_fault *fault)
{
	struct cp_mikey_shield shield;
	int error;

	if (msg->csb_id != asked->leg.csb_id)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_UNSPECIFIED,
				       "an Error message of another exchange");
	error = cp_mikey_leg_shield(&shield, &asked->leg, false);
	if (error < 0)
		return error;
	error = cp_mikey_error_take(fault, msg, &shield);
	cp_mikey_shield_wipe(&shield);
	return error;
}

int
cp_mikey_ask_take(struct cp_mikey_plain *plain, struct cp_mikey_msg *msg,
		  const struct cp_mikey_asked *asked, struct cp_mikey_octets in,
		  const struct cp_mikey_env *env, struct cp_mikey_fault *fault)
{
	struct cp_mikey_leg leg = asked->leg;
	const struct cp_mikey_payload *kemac;
	struct cp_mikey_shield shield;
	struct cp_mikey_ts ts;
	struct cp_mikey_id kms;
	int error;

	if (cp_mikey_msg_decode(msg, in) < 0)
		return cp_mikey_refuse(fault, CP_MIKEY_ERR_MESSAGE, "not to be parsed");
	if (msg->data_type == CP_MIKEY_ERROR)
		return take_error(msg, asked, fault);
	leg.phase = CP_MIKEY_RESPONSE;
	error = cp_mikey_leg_shield(&shield, &leg, true);
	if (error == 0)
		error = verify_answer(msg, asked, &shield, fault);
	if (error == 0)
		error = cp_mikey_check_t(fault, &msg->payloads, env->now(env->arg), asked->skew_s);
	if (error < 0)
		goto out;
	if (cp_mikey_find_id(&kms, &msg->payloads, CP_MIKEY_ROLE_KMS) &&
	    !cp_mikey_id_is_same(kms, cp_mikey_name_id(&asked->kms))) {
		error = cp_mikey_refuse(fault, CP_MIKEY_ERR_ID, "another KMS");
		goto out;
	}
	kemac = cp_mikey_list_find(&msg->payloads, CP_MIKEY_PAYLOAD_KEMAC, 0);
	if (kemac == NULL || !cp_mikey_find_ts(&ts, &msg->payloads, 0) ||
	    cp_mikey_kemac_open(plain, kemac, &shield, asked->leg.csb_id,
				cp_mikey_ts_iv(ts.type, ts.value)) < 0)
		error = cp_mikey_refuse(fault, CP_MIKEY_ERR_UNSPECIFIED,
					"no KEMAC that makes keys");
out:
	cp_mikey_shield_wipe(&shield);
	return error;
}
