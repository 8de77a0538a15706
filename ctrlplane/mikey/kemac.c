/* Message protection. */
#include "ctrlplane/mikey/kemac.h"

#include <errno.h>
#include <string.h>
#include "ctrlplane/keys/secret.h"

int
cp_mikey_shield_derive(struct cp_mikey_shield *shield, enum cp_mikey_set set,
		       const struct cp_mikey_derivation *how, bool with_encr)
{
	const struct cp_mikey_set_info *info = cp_mikey_set_info(set);
	const struct cp_mikey_each each[] = {
		{CP_MIKEY_AUTH_KEY, shield->auth.octets, info->auth},
		{CP_MIKEY_ENCR_KEY, shield->encr.octets, info->key},
		{CP_MIKEY_SALT_KEY, shield->salt, sizeof(shield->salt)},
	};
	int error;

	memset(shield, 0, sizeof(*shield));
	shield->set = set;
	shield->auth.len = info->auth;
	shield->encr.len = with_encr ? info->key : 0;
	error = cp_mikey_derive_each(each, with_encr ? 3 : 1, how);
	if (error < 0)
		cp_mikey_shield_wipe(shield);
	return error;
}

void
cp_mikey_shield_wipe(struct cp_mikey_shield *shield)
{
	cp_wipe(shield, sizeof(*shield));
}

struct cp_mikey_cover
cp_mikey_cover(struct cp_mikey_octets message, size_t mac_len,
	       const struct cp_mikey_ticket_view *skip)
{
	struct cp_mikey_cover cover = {.count = 0};
	size_t len = message.len - mac_len;

	if (skip != NULL) {
		/* Initiator Data and the two octets of its length end the ticket. */
		const uint8_t *end = skip->whole.at + skip->whole.len;
		size_t before = (size_t)(end - message.at) - skip->initiator_data.len - 2;

		cp_mikey_cover_add(&cover, cp_mikey_octets(message.at, before));
		cp_mikey_cover_add(&cover, cp_mikey_octets(end, len - (size_t)(end - message.at)));
	} else {
		cp_mikey_cover_add(&cover, cp_mikey_octets(message.at, len));
	}
	return cover;
}

void
cp_mikey_cover_add(struct cp_mikey_cover *cover, struct cp_mikey_octets part)
{
	cover->parts[cover->count++] = part;
}

int
cp_mikey_seal(struct cp_mikey_writer *w, const struct cp_mikey_shield *shield,
	      const struct cp_mikey_cover *cover)
{
	const struct cp_mikey_set_info *info = cp_mikey_set_info(shield->set);
	uint8_t mac[CP_MIKEY_MAC_MAX];
	int error = cp_mikey_hmac(mac, info->mac, &shield->auth, cover->parts, cover->count);

	if (error == 0)
		memcpy(w->octets + w->len - info->auth, mac, info->auth);
	return error;
}

bool
cp_mikey_is_genuine(struct cp_mikey_v v, const struct cp_mikey_shield *shield,
		    const struct cp_mikey_cover *cover)
{
	const struct cp_mikey_set_info *info = cp_mikey_set_info(shield->set);
	uint8_t mac[CP_MIKEY_MAC_MAX];

	if (v.alg != info->mac || v.mac.len != info->auth)
		return false;
	if (cp_mikey_hmac(mac, info->mac, &shield->auth, cover->parts, cover->count) < 0)
		return false;
	return cp_mikey_mac_is_same(mac, v.mac.at, v.mac.len);
}

int
cp_mikey_kemac_open(struct cp_mikey_plain *plain, const struct cp_mikey_payload *payload,
		    const struct cp_mikey_shield *shield, uint32_t csb_id, uint64_t t)
{
	struct cp_mikey_kemac kemac = cp_mikey_kemac_of(payload);
	uint8_t iv[16];
	int error;

	plain->len = 0;
	plain->list.count = 0;
	if (kemac.encr != cp_mikey_set_info(shield->set)->encr ||
	    kemac.mac_alg != CP_MIKEY_MAC_NULL || kemac.data.len > sizeof(plain->octets))
		return -EPROTO;
	memcpy(plain->octets, kemac.data.at, kemac.data.len);
	plain->len = kemac.data.len;
	cp_mikey_iv(iv, shield->salt, csb_id, t);
	error = cp_mikey_aes_cm(plain->octets, plain->len, &shield->encr, iv);
	if (error == 0)
		error = cp_mikey_list_decode(&plain->list,
					     cp_mikey_octets(plain->octets, plain->len),
					     CP_MIKEY_PAYLOAD_KEY_DATA);
	for (size_t i = 0; i < plain->list.count && error == 0; i++)
		if (plain->list.at[i].type != CP_MIKEY_PAYLOAD_KEY_DATA)
			error = -EPROTO;
	cp_wipe(iv, sizeof(iv));
	if (error == 0 && plain->list.count > CP_MIKEY_KEYS_MAX)
		error = -EPROTO;
	if (error < 0)
		cp_mikey_plain_wipe(plain);
	return error;
}

void
cp_mikey_plain_wipe(struct cp_mikey_plain *plain)
{
	cp_wipe(plain->octets, sizeof(plain->octets));
	plain->len = 0;
	plain->list.count = 0;
}

bool
cp_mikey_plain_key(struct cp_mikey_key_data *data, const struct cp_mikey_plain *plain, bool is_mpk,
		   size_t nth)
{
	for (size_t i = 0; i < plain->list.count; i++) {
		*data = cp_mikey_key_data_of(&plain->list.at[i]);
		if ((data->type == CP_MIKEY_KEY_MPK) == is_mpk && nth-- == 0)
			return true;
	}
	return false;
}

static void
put_key_data(struct cp_mikey_writer *w, const struct cp_mikey_key_data *data)
{
	uint8_t kv = data->spi.len > 0 ? CP_MIKEY_KV_SPI : CP_MIKEY_KV_NULL;

	if (data->from.len > 0 || data->to.len > 0)
		kv = CP_MIKEY_KV_INTERVAL;
	cp_mikey_put_next(w, CP_MIKEY_PAYLOAD_KEY_DATA);
	cp_mikey_put_number(w, (unsigned)(data->type << 4 | kv), 1);
	cp_mikey_put_number(w, data->key.len, 2);
	cp_mikey_put(w, data->key);
	if (cp_mikey_key_has_salt(data->type)) {
		cp_mikey_put_number(w, data->salt.len, 2);
		cp_mikey_put(w, data->salt);
	}
	if (kv == CP_MIKEY_KV_SPI) {
		cp_mikey_put_number(w, data->spi.len, 1);
		cp_mikey_put(w, data->spi);
	}
	if (kv == CP_MIKEY_KV_INTERVAL) {
		cp_mikey_put_number(w, data->from.len, 1);
		cp_mikey_put(w, data->from);
		cp_mikey_put_number(w, data->to.len, 1);
		cp_mikey_put(w, data->to);
	}
}

/* A KEMAC whose data lie open: where they start. */
static size_t
put_open(struct cp_mikey_writer *w, uint8_t encr, const struct cp_mikey_key_data *data,
	 size_t count)
{
	size_t next_at, len_at;

	cp_mikey_put_next(w, CP_MIKEY_PAYLOAD_KEMAC);
	next_at = w->next_at;
	cp_mikey_put_number(w, encr, 1);
	len_at = cp_mikey_put_len(w);
	w->next_at = CP_MIKEY_NO_NEXT;
	for (size_t i = 0; i < count; i++)
		put_key_data(w, &data[i]);
	cp_mikey_end_len(w, len_at);
	w->next_at = next_at;
	return len_at + 2;
}

int
cp_mikey_kemac_put(struct cp_mikey_writer *w, const struct cp_mikey_shield *shield,
		   const struct cp_mikey_kemac_keys *keys)
{
	size_t start = put_open(w, cp_mikey_set_info(shield->set)->encr, keys->data, keys->count);
	uint8_t iv[16];
	int error = 0;

	if (w->is_full) {
		/* Nothing of the keys stays in what was not finished. */
		cp_wipe(w->octets, w->len);
		return -ENOSPC;
	}
	cp_mikey_iv(iv, shield->salt, keys->csb_id, keys->t);
	error = cp_mikey_aes_cm(w->octets + start, w->len - start, &shield->encr, iv);
	if (error < 0)
		cp_wipe(w->octets, w->len);
	cp_wipe(iv, sizeof(iv));
	cp_mikey_put_number(w, CP_MIKEY_MAC_NULL, 1);
	return error;
}

void
cp_mikey_kemac_put_plain(struct cp_mikey_writer *w, const struct cp_mikey_key_data *data,
			 size_t count)
{
	put_open(w, CP_MIKEY_ENCR_NULL, data, count);
	cp_mikey_put_number(w, CP_MIKEY_MAC_NULL, 1);
}

bool
cp_mikey_key_is_fit(const struct cp_mikey_key_data *data, enum cp_mikey_set set)
{
	bool is_tek = data->type == CP_MIKEY_KEY_TEK || data->type == CP_MIKEY_KEY_TEK_SALT;
	size_t len = cp_mikey_set_info(set)->key;

	if (data->kv != CP_MIKEY_KV_SPI || data->spi.len == 0 || data->spi.len > CP_MIKEY_SPI_MAX)
		return false;
	if (cp_mikey_key_has_salt(data->type) &&
	    (data->salt.len == 0 || data->salt.len > CP_MIKEY_SALT))
		return false;
	return data->key.len == len || (is_tek && data->key.len == 16);
}

bool
cp_mikey_key_is_tgk(uint8_t type)
{
	return type == CP_MIKEY_KEY_TGK || type == CP_MIKEY_KEY_TGK_SALT;
}

bool
cp_mikey_key_has_salt(uint8_t type)
{
	return type == CP_MIKEY_KEY_TGK_SALT || type == CP_MIKEY_KEY_TEK_SALT ||
	       type == CP_MIKEY_KEY_GTGK_SALT;
}
