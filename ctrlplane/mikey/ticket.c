/* Base tickets made and opened. */
#include "ctrlplane/mikey/ticket.h"

#include <errno.h>
#include <string.h>
#include "ctrlplane/keys/secret.h"
#include "ctrlplane/mikey/time.h"

#define NO_CSB 0xFFFFFFFF /* in the IV of a ticket's KEMAC */

void
cp_mikey_ticket_keys_wipe(struct cp_mikey_ticket_keys *keys)
{
	cp_wipe(keys, sizeof(*keys));
}

int
cp_mikey_draw_spi(uint8_t spi[CP_MIKEY_SPI_DRAWN], const struct cp_mikey_env *env)
{
	return env->random(env->arg, spi, CP_MIKEY_SPI_DRAWN);
}

int
cp_mikey_made_key_set(struct cp_mikey_made_key *made, const struct cp_mikey_key_data *data)
{
	if (data->key.len > sizeof(made->key) || data->salt.len > sizeof(made->salt) ||
	    data->spi.len > sizeof(made->spi))
		return -EPROTO;
	made->data = *data;
	memcpy(made->key, data->key.at, data->key.len);
	if (data->salt.len > 0)
		memcpy(made->salt, data->salt.at, data->salt.len);
	if (data->spi.len > 0)
		memcpy(made->spi, data->spi.at, data->spi.len);
	made->data.key.at = made->key;
	made->data.salt.at = made->salt;
	made->data.spi.at = made->spi;
	return 0;
}

/* SPI first, then the key, then its salt. */
static int
draw_key(struct cp_mikey_made_key *made, const struct cp_mikey_wish *wish,
	 const struct cp_mikey_env *env)
{
	int error = 0;

	made->data = (struct cp_mikey_key_data){
		.type = wish->type,
		.kv = CP_MIKEY_KV_SPI,
		.key = cp_mikey_octets(made->key, wish->key_len),
		.salt = cp_mikey_octets(made->salt, wish->salt_len),
		.spi = cp_mikey_octets(made->spi,
				       wish->spi.len > 0 ? wish->spi.len : CP_MIKEY_SPI_DRAWN),
	};
	if (wish->spi.len > 0)
		memcpy(made->spi, wish->spi.at, wish->spi.len);
	else
		error = cp_mikey_draw_spi(made->spi, env);
	if (error == 0)
		error = env->random(env->arg, made->key, wish->key_len);
	if (error == 0 && wish->salt_len > 0)
		error = env->random(env->arg, made->salt, wish->salt_len);
	return error;
}

static int
draw_keys(struct cp_mikey_ticket_keys *keys, const struct cp_mikey_policy *policy,
	  enum cp_mikey_set set, const struct cp_mikey_env *env)
{
	const struct cp_mikey_wish one = {.type = CP_MIKEY_KEY_TGK,
					  .key_len = cp_mikey_set_info(set)->key};
	const struct cp_mikey_wish *wishes = policy->has_wishes ? policy->wishes : &one;
	size_t count = policy->has_wishes ? policy->wish_count : 1;
	int error = 0;

	for (size_t i = 0; i < count && error == 0; i++)
		error = draw_key(&keys->keys[i], &wishes[i], env);
	keys->count = count;
	return error;
}

/* MPKi and MPKr of an MPK. */
static int
split_mpk(struct cp_mikey_ticket_keys *keys, uint8_t prf, struct cp_mikey_octets mpk,
	  struct cp_mikey_octets rand)
{
	const struct cp_mikey_derivation d = {
		.prf = prf, .family = CP_MIKEY_SPLIT_MPK, .inkey = mpk, .rand = rand};
	const struct cp_mikey_each each[] = {
		{CP_MIKEY_MPKI, keys->mpk_i.octets, mpk.len},
		{CP_MIKEY_MPKR, keys->mpk_r.octets, mpk.len},
	};

	keys->mpk_i.len = keys->mpk_r.len = (uint8_t)mpk.len;
	return cp_mikey_derive_each(each, 2, &d);
}

static int
tpk_shield(struct cp_mikey_shield *shield, enum cp_mikey_set set, const struct cp_mikey_key *tpk,
	   uint8_t prf, struct cp_mikey_octets rand)
{
	const struct cp_mikey_derivation how = {.prf = prf,
						.family = CP_MIKEY_FROM_TPK,
						.inkey = cp_mikey_octets(tpk->octets, tpk->len),
						.rand = rand};

	return cp_mikey_shield_derive(shield, set, &how, true);
}

/* THDR, T, RAND and the KEMAC with MPK and keys. */
static int
put_data(struct cp_mikey_writer *w, const struct cp_mikey_ticket_keys *keys,
	 const struct cp_mikey_made_key *mpk, struct cp_mikey_octets rand,
	 const struct cp_mikey_shield *shield, uint64_t now)
{
	struct cp_mikey_key_data data[CP_MIKEY_KEYS_MAX];
	const struct cp_mikey_kemac_keys sealed = {data, keys->count + 1, NO_CSB,
						   cp_mikey_time_to_ntp(now)};

	w->next_at = CP_MIKEY_NO_NEXT;
	cp_mikey_put_next(w, CP_MIKEY_PAYLOAD_LAST); /* THDR: nothing names it, it names T */
	cp_mikey_put_number(w, 0, 2);
	cp_mikey_put_t(w, now);
	cp_mikey_put_next(w, CP_MIKEY_PAYLOAD_RAND);
	cp_mikey_put_number(w, rand.len, 1);
	cp_mikey_put(w, rand);
	data[0] = mpk->data;
	for (size_t i = 0; i < keys->count; i++)
		data[i + 1] = keys->keys[i].data;
	return cp_mikey_kemac_put(w, shield, &sealed);
}

/* Closes Ticket Data: V covers the payload from behind its Next Payload octet up to the MAC. */
static int
end_data(struct cp_mikey_writer *w, size_t payload_at, size_t len_at,
	 const struct cp_mikey_shield *shield)
{
	const struct cp_mikey_set_info *info = cp_mikey_set_info(shield->set);
	struct cp_mikey_cover cover = {.count = 0};

	cp_mikey_put_v(w, info->mac);
	cp_mikey_end_len(w, len_at);
	if (w->is_full)
		return -ENOSPC;
	cp_mikey_cover_add(&cover, cp_mikey_octets(w->octets + payload_at + 1,
						   w->len - info->auth - payload_at - 1));
	return cp_mikey_seal(w, shield, &cover);
}

int
cp_mikey_ticket_mint(struct cp_mikey_writer *w, struct cp_mikey_ticket_keys *keys,
		     const struct cp_mikey_policy *policy, const struct cp_mikey_seal_key *seal,
		     const struct cp_mikey_env *env)
{
	const struct cp_mikey_set_info *info = cp_mikey_set_info(seal->set);
	struct cp_mikey_made_key mpk;
	struct cp_mikey_shield shield = {.set = seal->set};
	uint8_t rand[CP_MIKEY_KEY_MAX];
	size_t payload_at = w->len, len_at, next_at;
	int error;

	error = draw_keys(keys, policy, seal->set, env);
	if (error == 0)
		error = env->random(env->arg, mpk.key, info->key);
	if (error == 0)
		error = env->random(env->arg, rand, info->rand);
	if (error == 0)
		error = cp_mikey_draw_spi(mpk.spi, env);
	mpk.data = (struct cp_mikey_key_data){.type = CP_MIKEY_KEY_MPK,
					      .kv = CP_MIKEY_KV_SPI,
					      .key = cp_mikey_octets(mpk.key, info->key),
					      .spi = cp_mikey_octets(mpk.spi, CP_MIKEY_SPI_DRAWN)};
	if (error == 0)
		error = split_mpk(keys, policy->prf, mpk.data.key,
				  cp_mikey_octets(rand, info->rand));
	if (error == 0)
		error = tpk_shield(&shield, seal->set, seal->key, policy->prf,
				   cp_mikey_octets(rand, info->rand));
	if (error < 0)
		goto out;
	cp_mikey_policy_put(w, CP_MIKEY_PAYLOAD_TICKET, policy);
	next_at = w->next_at;
	len_at = cp_mikey_put_len(w);
	error = put_data(w, keys, &mpk, cp_mikey_octets(rand, info->rand), &shield,
			 env->now(env->arg));
	if (error < 0)
		goto out;
	if (seal->id.data.len > 0)
		cp_mikey_put_idr(w, CP_MIKEY_ROLE_PSK, seal->id);
	error = end_data(w, payload_at, len_at, &shield);
	cp_mikey_put_number(w, 0, 2); /* no Initiator Data */
	w->next_at = next_at;
	if (error == 0 && w->is_full)
		error = -ENOSPC;
out:
	cp_wipe(&mpk, sizeof(mpk));
	cp_mikey_shield_wipe(&shield);
	if (error < 0)
		cp_mikey_ticket_keys_wipe(keys);
	return error;
}

int
cp_mikey_ticket_look(struct cp_mikey_ticket_data *data, const struct cp_mikey_ticket_view *view)
{
	const struct cp_mikey_payload *rand;
	uint8_t role;

	memset(data, 0, sizeof(*data));
	data->view = *view;
	if (cp_mikey_list_decode(&data->list, view->data, CP_MIKEY_PAYLOAD_THDR) < 0)
		return -EPROTO;
	rand = cp_mikey_list_find(&data->list, CP_MIKEY_PAYLOAD_RAND, 0);
	data->kemac = cp_mikey_list_find(&data->list, CP_MIKEY_PAYLOAD_KEMAC, 0);
	if (rand == NULL || data->kemac == NULL || !cp_mikey_find_ts(&data->t, &data->list, 0) ||
	    !cp_mikey_last_v(&data->v, &data->list))
		return -EPROTO;
	data->rand = cp_mikey_rand_of(rand, &role);
	if (!cp_mikey_find_id(&data->psk, &data->list, CP_MIKEY_ROLE_PSK))
		data->psk = (struct cp_mikey_id){0};
	return 0;
}

int
cp_mikey_ticket_open(struct cp_mikey_ticket_keys *keys, const struct cp_mikey_ticket_data *data,
		     enum cp_mikey_set set, const struct cp_mikey_key *tpk)
{
	struct cp_mikey_cover cover = {.count = 0};
	struct cp_mikey_shield shield;
	struct cp_mikey_plain plain = {.len = 0};
	struct cp_mikey_key_data mpk, key;
	int error;

	memset(keys, 0, sizeof(*keys));
	if (data->rand.len < cp_mikey_set_info(set)->rand ||
	    tpk->len != cp_mikey_set_info(set)->key)
		return -EPROTO;
	error = tpk_shield(&shield, set, tpk, data->view.prf, data->rand);
	if (error < 0)
		return error;
	cp_mikey_cover_add(&cover,
			   cp_mikey_octets(data->view.whole.at + 1,
					   (size_t)(data->v.mac.at - data->view.whole.at) - 1));
	error = cp_mikey_is_genuine(data->v, &shield, &cover) ? 0 : -EACCES;
	if (error == 0)
		error = cp_mikey_kemac_open(&plain, data->kemac, &shield, NO_CSB,
					    cp_mikey_ts_iv(data->t.type, data->t.value));
	if (error == 0 &&
	    (!cp_mikey_plain_key(&mpk, &plain, true, 0) || !cp_mikey_key_is_fit(&mpk, set)))
		error = -EPROTO;
	if (error == 0)
		error = split_mpk(keys, data->view.prf, mpk.key, data->rand);
	for (size_t i = 0; error == 0 && cp_mikey_plain_key(&key, &plain, false, i); i++) {
		error = cp_mikey_key_is_fit(&key, set) ? cp_mikey_made_key_set(&keys->keys[i], &key)
						       : -EPROTO;
		keys->count = i + 1;
	}
	cp_mikey_plain_wipe(&plain);
	cp_mikey_shield_wipe(&shield);
	if (error < 0)
		cp_mikey_ticket_keys_wipe(keys);
	return error;
}

int
cp_mikey_fork(uint8_t *octets, size_t len, const struct cp_mikey_derivation *how)
{
	struct cp_mikey_derivation d = *how;
	uint8_t forked[CP_MIKEY_KEY_MAX];
	int error;

	if (len > sizeof(forked))
		return -EINVAL;
	d.family = CP_MIKEY_FORK;
	d.inkey = cp_mikey_octets(octets, len);
	error = cp_mikey_derive(forked, len, &d);
	if (error == 0)
		memcpy(octets, forked, len);
	cp_wipe(forked, sizeof(forked));
	return error;
}

bool
cp_mikey_initiator_data(struct cp_mikey_v *vi, struct cp_mikey_v *vr, struct cp_mikey_octets data)
{
	struct cp_mikey_list list;
	const struct cp_mikey_payload *first;

	if (data.len == 0 ||
	    cp_mikey_list_decode(&list, cp_mikey_octets(data.at + 1, data.len - 1), data.at[0]) < 0)
		return false;
	first = cp_mikey_list_find(&list, CP_MIKEY_PAYLOAD_V, 0);
	if (first == NULL || first == &list.at[list.count - 1] || !cp_mikey_last_v(vr, &list))
		return false;
	*vi = cp_mikey_v_of(first);
	return true;
}

bool
cp_mikey_vr_is_genuine(const struct cp_mikey_ticket_view *view, enum cp_mikey_set set,
		       const struct cp_mikey_key *mpk_r)
{
	const struct cp_mikey_derivation how = {.prf = view->prf,
						.family = CP_MIKEY_VR,
						.inkey =
							cp_mikey_octets(mpk_r->octets, mpk_r->len)};
	struct cp_mikey_cover cover = {.count = 0};
	struct cp_mikey_shield shield;
	struct cp_mikey_v vi, vr;
	bool is_genuine;

	if (!cp_mikey_initiator_data(&vi, &vr, view->initiator_data) || vi.alg != vr.alg)
		return false;
	if (cp_mikey_shield_derive(&shield, set, &how, false) < 0)
		return false;
	cp_mikey_cover_add(&cover, cp_mikey_octets(view->initiator_data.at,
						   view->initiator_data.len - vr.mac.len));
	is_genuine = cp_mikey_is_genuine(vr, &shield, &cover);
	cp_mikey_shield_wipe(&shield);
	return is_genuine;
}
