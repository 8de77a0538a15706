/* What stands in a payload that has been decoded. */
#include <string.h>
#include "ctrlplane/mikey/cipher.h"
#include "ctrlplane/mikey/msg.h"

static size_t
get16(const uint8_t *at)
{
	return (size_t)at[0] << 8 | at[1];
}

/* What follows the first octets. */
static struct cp_mikey_octets
behind(const struct cp_mikey_payload *payload, size_t octets)
{
	return cp_mikey_octets(payload->whole.at + octets, payload->whole.len - octets);
}

const struct cp_mikey_payload *
cp_mikey_list_find(const struct cp_mikey_list *list, uint16_t type, size_t nth)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->at[i].type == type && nth-- == 0)
			return &list->at[i];
	return NULL;
}

struct cp_mikey_ts
cp_mikey_ts(const struct cp_mikey_payload *payload)
{
	const uint8_t *at = payload->whole.at;

	if (payload->type == CP_MIKEY_PAYLOAD_TR)
		return (struct cp_mikey_ts){at[1], at[2], behind(payload, 3)};
	return (struct cp_mikey_ts){0, at[1], behind(payload, 2)};
}

bool
cp_mikey_find_ts(struct cp_mikey_ts *ts, const struct cp_mikey_list *list, uint8_t role)
{
	uint16_t type = role == 0 ? CP_MIKEY_PAYLOAD_T : CP_MIKEY_PAYLOAD_TR;

	for (size_t i = 0; i < list->count; i++) {
		if (list->at[i].type != type)
			continue;
		*ts = cp_mikey_ts(&list->at[i]);
		if (ts->role == role)
			return true;
	}
	return false;
}

struct cp_mikey_id
cp_mikey_id_of(const struct cp_mikey_payload *payload, uint8_t *role)
{
	const uint8_t *at = payload->whole.at;

	if (payload->type == CP_MIKEY_PAYLOAD_IDR) {
		*role = at[1];
		return (struct cp_mikey_id){at[2], behind(payload, 5)};
	}
	*role = 0;
	return (struct cp_mikey_id){at[1], behind(payload, 4)};
}

bool
cp_mikey_find_id(struct cp_mikey_id *id, const struct cp_mikey_list *list, uint8_t role)
{
	for (size_t i = 0; i < list->count; i++) {
		struct cp_mikey_id found;
		uint8_t its_role;

		if (list->at[i].type != CP_MIKEY_PAYLOAD_IDR)
			continue;
		found = cp_mikey_id_of(&list->at[i], &its_role);
		if (its_role == role) {
			*id = found;
			return true;
		}
	}
	return false;
}

struct cp_mikey_octets
cp_mikey_rand_of(const struct cp_mikey_payload *payload, uint8_t *role)
{
	if (payload->type == CP_MIKEY_PAYLOAD_RANDR) {
		*role = payload->whole.at[1];
		return behind(payload, 3);
	}
	*role = 0;
	return behind(payload, 2);
}

bool
cp_mikey_find_rand(struct cp_mikey_octets *rand, const struct cp_mikey_list *list, uint8_t role)
{
	for (size_t i = 0; i < list->count; i++) {
		struct cp_mikey_octets found;
		uint8_t its_role;

		if (list->at[i].type != CP_MIKEY_PAYLOAD_RANDR)
			continue;
		found = cp_mikey_rand_of(&list->at[i], &its_role);
		if (its_role == role) {
			*rand = found;
			return true;
		}
	}
	return false;
}

struct cp_mikey_v
cp_mikey_v_of(const struct cp_mikey_payload *payload)
{
	return (struct cp_mikey_v){payload->whole.at[1], behind(payload, 2)};
}

bool
cp_mikey_last_v(struct cp_mikey_v *v, const struct cp_mikey_list *list)
{
	if (list->count == 0 || list->at[list->count - 1].type != CP_MIKEY_PAYLOAD_V)
		return false;
	*v = cp_mikey_v_of(&list->at[list->count - 1]);
	return true;
}

struct cp_mikey_kemac
cp_mikey_kemac_of(const struct cp_mikey_payload *payload)
{
	size_t len = get16(payload->whole.at + 2);

	return (struct cp_mikey_kemac){
		.encr = payload->whole.at[1],
		.data = cp_mikey_octets(payload->whole.at + 4, len),
		.mac_alg = payload->whole.at[4 + len],
		.mac = behind(payload, 5 + len),
	};
}

struct cp_mikey_sp
cp_mikey_sp_of(const struct cp_mikey_payload *payload)
{
	return (struct cp_mikey_sp){payload->whole.at[1], payload->whole.at[2], behind(payload, 5)};
}

bool
cp_mikey_find_sp(struct cp_mikey_sp *sp, const struct cp_mikey_list *list, uint8_t no, uint8_t prot)
{
	for (size_t i = 0; i < list->count; i++) {
		struct cp_mikey_sp found;

		if (list->at[i].type != CP_MIKEY_PAYLOAD_SP)
			continue;
		found = cp_mikey_sp_of(&list->at[i]);
		if (found.no == no && found.prot == prot) {
			*sp = found;
			return true;
		}
	}
	return false;
}

bool
cp_mikey_find_genext(struct cp_mikey_octets *data, const struct cp_mikey_list *list, uint8_t type)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->at[i].type == CP_MIKEY_PAYLOAD_GENEXT &&
		    list->at[i].whole.at[1] == type) {
			*data = behind(&list->at[i], 4);
			return true;
		}
	return false;
}

struct cp_mikey_key_data
cp_mikey_key_data_of(const struct cp_mikey_payload *payload)
{
	const uint8_t *at = payload->whole.at;
	struct cp_mikey_key_data data = {.type = at[1] >> 4,
					 .kv = at[1] & 15,
					 .key = cp_mikey_octets(at + 4, get16(at + 2))};

	at = data.key.at + data.key.len;
	if (data.type == CP_MIKEY_KEY_TGK_SALT || data.type == CP_MIKEY_KEY_TEK_SALT ||
	    data.type == CP_MIKEY_KEY_GTGK_SALT) {
		data.salt = cp_mikey_octets(at + 2, get16(at));
		at = data.salt.at + data.salt.len;
	}
	if (data.kv == CP_MIKEY_KV_SPI)
		data.spi = cp_mikey_octets(at + 1, at[0]);
	if (data.kv == CP_MIKEY_KV_INTERVAL) {
		data.from = cp_mikey_octets(at + 1, at[0]);
		at += 1 + at[0];
		data.to = cp_mikey_octets(at + 1, at[0]);
	}
	return data;
}

struct cp_mikey_ticket_view
cp_mikey_ticket_of(const struct cp_mikey_payload *payload)
{
	const uint8_t *at = payload->whole.at;
	struct cp_mikey_ticket_view view = {
		.whole = payload->whole,
		.type = (uint16_t)get16(at + 1),
		.subtype = at[3],
		.version = at[4],
		.prf = at[5] >> 1,
		.flags = (uint16_t)((at[5] & 1) << 11 | at[6] << 3 | at[7] >> 5),
		.tp_data = cp_mikey_octets(at + 10, get16(at + 8)),
	};

	if (payload->type == CP_MIKEY_PAYLOAD_TICKET) {
		at = view.tp_data.at + view.tp_data.len;
		view.data = cp_mikey_octets(at + 2, get16(at));
		at = view.data.at + view.data.len;
		view.initiator_data = cp_mikey_octets(at + 2, get16(at));
	}
	return view;
}
