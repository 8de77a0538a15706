/* A MIKEY message as a tree of names and values. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "ctrlplane/cli/mikey_state.h"
#include "ctrlplane/keys/hex.h"
#include "ctrlplane/mikey/sp.h"
#include "ctrlplane/mikey/time.h"

#define NAMES(table) table, sizeof(table) / sizeof((table)[0])

static const char *const data_types[] = {
	[0] = "PSK init",
	[1] = "PSK resp",
	[2] = "PK init",
	[3] = "PK resp",
	[4] = "DH init",
	[5] = "DH resp",
	[CP_MIKEY_ERROR] = "Error",
	[11] = "REQUEST_INIT_PSK",
	[12] = "REQUEST_INIT_PK",
	[13] = "REQUEST_RESP",
	[14] = "TRANSFER_INIT",
	[15] = "TRANSFER_RESP",
	[16] = "RESOLVE_INIT_PSK",
	[17] = "RESOLVE_INIT_PK",
	[18] = "RESOLVE_RESP",
};
static const char *const payload_types[] = {
	[1] = "KEMAC",
	[2] = "PKE",
	[3] = "DH",
	[4] = "SIGN",
	[5] = "T",
	[6] = "ID",
	[7] = "CERT",
	[8] = "CHASH",
	[9] = "V",
	[10] = "SP",
	[11] = "RAND",
	[12] = "ERR",
	[13] = "TR",
	[14] = "IDR",
	[15] = "RANDR",
	[16] = "TP",
	[17] = "TICKET",
	[20] = "Key data",
	[21] = "General Extension",
};
static const char *const prfs[] = {"MIKEY-1", "PRF-HMAC-SHA-256"};
static const char *const maps[] = {"SRTP-ID", "Empty", "GENERIC-ID"};
static const char *const encrs[] = {"NULL", "AES-CM-128", "AES-KW-128", "AES-CM-256"};
static const char *const macs[] = {"NULL", "HMAC-SHA-1-160", "HMAC-SHA-256-256"};
static const char *const key_types[] = {"TGK",	"TGK+SALT",  "TEK", "TEK+SALT",
					"GTGK", "GTGK+SALT", "MPK"};
static const char *const ts_types[] = {"NTP-UTC", "NTP", "COUNTER", "NTP-UTC-32"};
static const char *const ts_roles[] = {
	[1] = "TRi issue", [2] = "TRs start", [3] = "TRe end", [4] = "TRr rekeying"};
static const char *const id_types[] = {"NAI", "URI", "byte string"};
static const char *const id_roles[] = {
	[1] = "IDRi", [2] = "IDRr", [3] = "IDRkms", [4] = "IDRpsk", [5] = "IDRapp"};
static const char *const rand_roles[] = {[1] = "RANDRi", [2] = "RANDRr", [3] = "RANDRkms"};
static const char *const prots[] = {[0] = "SRTP", [1] = "TESLA", [241] = "TLS", [242] = "CMS"};
static const char *const genexts[] = {"Vendor ID", "SDP IDs", "TESLA I-Key",
				      "Key ID",	   "CSB_ID",  "OMA BCAST"};
static const char *const errors[] = {
	"Auth failure",	     "Invalid TS",
	"Invalid PRF",	     "Invalid MAC",
	"Invalid EA",	     "Invalid HA",
	"Invalid DH",	     "Invalid ID",
	"Invalid Cert",	     "Invalid SP",
	"Invalid SPpar",     "Invalid DT",
	"Unspecified error", "Unsupported message type",
	"Invalid TICKET",    "Invalid TPpar",
};
static const char *const sp_params[] = {
	"encryption",
	"session key length",
	"authentication",
	"authentication key length",
	"salt length",
	"PRF",
	"KDR",
	"SRTP encrypted",
	"SRTCP encrypted",
	"FEC order",
	"SRTP authenticated",
	"tag length",
	"prefix length",
	[20] = "AEAD tag length",
};

/* "NAME (3)", or "3" where there is no name. */
static json_t *
named(const char *const *names, size_t count, unsigned code)
{
	if (code < count && names[code] != NULL)
		return json_sprintf("%s (%u)", names[code], code);
	return json_sprintf("%u", code);
}

json_t *
cp_cli_mikey_hex(struct cp_mikey_octets octets)
{
	char *text = malloc(2 * octets.len + 1);
	json_t *json;

	if (text == NULL)
		return json_null();
	cp_hex_encode(text, octets.at, octets.len);
	json = json_string(text);
	free(text);
	return json;
}

/* As text where all of it prints. */
static json_t *
text_or_hex(struct cp_mikey_octets octets)
{
	for (size_t i = 0; i < octets.len; i++)
		if (!isprint(octets.at[i]))
			return cp_cli_mikey_hex(octets);
	return json_stringn((const char *)octets.at, octets.len);
}

static json_t *
utc(uint64_t time)
{
	time_t seconds = (time_t)(time >> 32);
	char text[32];
	struct tm parts;

	gmtime_r(&seconds, &parts);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
	return json_sprintf("%s.%03uZ", text, (unsigned)(((time & UINT32_MAX) * 1000) >> 32));
}

static void
put_ts(json_t *node, struct cp_mikey_ts ts)
{
	uint64_t time;

	if (ts.role != 0)
		json_object_set_new(node, "role", named(NAMES(ts_roles), ts.role));
	json_object_set_new(node, "type", named(NAMES(ts_types), ts.type));
	json_object_set_new(node, "value", cp_cli_mikey_hex(ts.value));
	if (ts.role == CP_MIKEY_TS_REKEY)
		json_object_set_new(
			node, "seconds",
			json_integer((json_int_t)(cp_mikey_ts_iv(ts.type, ts.value) >> 32)));
	else if (cp_mikey_ts_time(&time, ts.type, ts.value) == 0)
		json_object_set_new(node, "time", utc(time));
}

static void
put_id(json_t *node, const struct cp_mikey_payload *payload)
{
	uint8_t role;
	struct cp_mikey_id id = cp_mikey_id_of(payload, &role);

	if (payload->type == CP_MIKEY_PAYLOAD_IDR)
		json_object_set_new(node, "role", named(NAMES(id_roles), role));
	if (payload->type != CP_MIKEY_PAYLOAD_CERT)
		json_object_set_new(node, "type", named(NAMES(id_types), id.type));
	json_object_set_new(node, "data", text_or_hex(id.data));
}

static void
put_sp(json_t *node, struct cp_mikey_sp sp)
{
	json_t *params = json_object();
	enum dp_suite suite;

	json_object_set_new(node, "policy", json_integer(sp.no));
	json_object_set_new(node, "protocol", named(NAMES(prots), sp.prot));
	for (size_t at = 0;
	     at + 2 <= sp.params.len && at + 2 + sp.params.at[at + 1] <= sp.params.len;
	     at += 2 + sp.params.at[at + 1]) {
		json_t *key = named(NAMES(sp_params), sp.params.at[at]);

		json_object_set_new(params, json_string_value(key),
				    sp.params.at[at + 1] == 1 ? json_integer(sp.params.at[at + 2])
							      : cp_cli_mikey_hex(cp_mikey_octets(
									sp.params.at + at + 2,
									sp.params.at[at + 1])));
		json_decref(key);
	}
	json_object_set_new(node, "parameters", params);
	suite = sp.prot == CP_MIKEY_PROT_SRTP ? cp_mikey_sp_decode(sp.params) : DP_SUITE_NONE;
	if (suite != DP_SUITE_NONE)
		json_object_set_new(node, "suite", json_string(dp_suite_info(suite)->name));
}

static void
put_v(json_t *node, struct cp_mikey_v v)
{
	json_object_set_new(node, "algorithm", named(NAMES(macs), v.alg));
	json_object_set_new(node, "mac", cp_cli_mikey_hex(v.mac));
}

json_t *
cp_cli_mikey_key_tree(const struct cp_mikey_key_data *data, bool reveal)
{
	json_t *node = json_object();
	uint8_t check[CP_MIKEY_MAC_MAX];
	struct cp_mikey_key key;

	json_object_set_new(node, "type", named(NAMES(key_types), data->type));
	json_object_set_new(node, "octets", json_integer((json_int_t)data->key.len));
	if (data->spi.len > 0)
		json_object_set_new(node, "spi", cp_cli_mikey_hex(data->spi));
	if (data->kv == CP_MIKEY_KV_INTERVAL) {
		json_object_set_new(node, "valid from", cp_cli_mikey_hex(data->from));
		json_object_set_new(node, "valid to", cp_cli_mikey_hex(data->to));
	}
	if (reveal) {
		json_object_set_new(node, "key", cp_cli_mikey_hex(data->key));
		if (data->salt.len > 0)
			json_object_set_new(node, "salt", cp_cli_mikey_hex(data->salt));
	} else {
		/* Two keys can be told apart, and neither is shown. */
		cp_mikey_key_set(&key, data->key.at, data->key.len);
		if (cp_mikey_hmac(check, CP_MIKEY_MAC_HMAC_SHA_256_256, &key, NULL, 0) == 0)
			json_object_set_new(node, "check value",
					    cp_cli_mikey_hex(cp_mikey_octets(check, 4)));
		cp_mikey_key_wipe(&key);
	}
	return node;
}

/* What a Ticket Policy asks for stands there in the clear: keys of zeros. */
static void
put_kemac(json_t *node, const struct cp_mikey_payload *payload)
{
	struct cp_mikey_kemac kemac = cp_mikey_kemac_of(payload);
	struct cp_mikey_list keys;
	json_t *list;

	json_object_set_new(node, "encryption", named(NAMES(encrs), kemac.encr));
	json_object_set_new(node, "mac algorithm", named(NAMES(macs), kemac.mac_alg));
	if (kemac.encr != CP_MIKEY_ENCR_NULL ||
	    cp_mikey_list_decode(&keys, kemac.data, CP_MIKEY_PAYLOAD_KEY_DATA) < 0) {
		json_object_set_new(node, "encrypted", cp_cli_mikey_hex(kemac.data));
		return;
	}
	list = json_array();
	for (size_t i = 0; i < keys.count; i++)
		if (keys.at[i].type == CP_MIKEY_PAYLOAD_KEY_DATA) {
			struct cp_mikey_key_data data = cp_mikey_key_data_of(&keys.at[i]);

			json_array_append_new(list, cp_cli_mikey_key_tree(&data, false));
		}
	json_object_set_new(node, "keys", list);
}

static json_t *tree_of(const struct cp_mikey_list *list, bool is_inner);

/* Payloads inside a payload: TP Data, Ticket Data, Initiator Data. Only a ticket has such, and none is
 * in another. */
static json_t *
inner(struct cp_mikey_octets octets, uint16_t first)
{
	struct cp_mikey_list *list = malloc(sizeof(*list));
	json_t *json = NULL;

	if (list != NULL && cp_mikey_list_decode(list, octets, first) == 0)
		json = tree_of(list, true);
	free(list);
	return json != NULL ? json : cp_cli_mikey_hex(octets);
}

static void
put_ticket(json_t *node, const struct cp_mikey_payload *payload)
{
	static const char letters[] = "DEFGHIJKLMNO";
	struct cp_mikey_ticket_view view = cp_mikey_ticket_of(payload);
	const char *broken = cp_mikey_policy_broken(view.flags, false);
	char flags[64] = "";
	size_t len = 0;

	for (int i = 0; i < 12; i++)
		if ((view.flags & 0x800 >> i) != 0) {
			if (len > 0)
				flags[len++] = ' ';
			flags[len++] = letters[i];
		}
	json_object_set_new(
		node, "ticket type",
		json_sprintf("%u, subtype %u, version %u", view.type, view.subtype, view.version));
	json_object_set_new(node, "prf", named(NAMES(prfs), view.prf));
	json_object_set_new(node, "flags", json_stringn(flags, len));
	if (broken != NULL)
		json_object_set_new(node, "flags are wrong", json_string(broken));
	if (view.tp_data.len > 0)
		json_object_set_new(
			node, "policy",
			inner(cp_mikey_octets(view.tp_data.at + 1, view.tp_data.len - 1),
			      view.tp_data.at[0]));
	if (payload->type == CP_MIKEY_PAYLOAD_TP)
		return;
	json_object_set_new(node, "ticket data",
			    view.type == CP_MIKEY_TICKET_BASE
				    ? inner(view.data, CP_MIKEY_PAYLOAD_THDR)
				    : cp_cli_mikey_hex(view.data));
	if (view.initiator_data.len > 0)
		json_object_set_new(node, "initiator data",
				    inner(cp_mikey_octets(view.initiator_data.at + 1,
							  view.initiator_data.len - 1),
					  view.initiator_data.at[0]));
}

static void
put_genext(json_t *node, const struct cp_mikey_payload *payload)
{
	json_object_set_new(node, "type", named(NAMES(genexts), payload->whole.at[1]));
	json_object_set_new(
		node, "data",
		text_or_hex(cp_mikey_octets(payload->whole.at + 4, payload->whole.len - 4)));
}

static void
put_rand(json_t *node, const struct cp_mikey_payload *payload)
{
	uint8_t role;
	struct cp_mikey_octets rand = cp_mikey_rand_of(payload, &role);

	if (role != 0)
		json_object_set_new(node, "role", named(NAMES(rand_roles), role));
	json_object_set_new(node, "value", cp_cli_mikey_hex(rand));
}

static json_t *
payload_tree(const struct cp_mikey_payload *payload, bool is_inner)
{
	json_t *node = json_object();
	bool is_thdr = payload->type == CP_MIKEY_PAYLOAD_THDR;

	json_object_set_new(node, "payload",
			    is_thdr ? json_string("THDR")
				    : named(NAMES(payload_types), payload->type));
	switch (payload->type) {
	case CP_MIKEY_PAYLOAD_T:
	case CP_MIKEY_PAYLOAD_TR:
		put_ts(node, cp_mikey_ts(payload));
		break;
	case CP_MIKEY_PAYLOAD_ID:
	case CP_MIKEY_PAYLOAD_IDR:
	case CP_MIKEY_PAYLOAD_CERT:
		put_id(node, payload);
		break;
	case CP_MIKEY_PAYLOAD_RAND:
	case CP_MIKEY_PAYLOAD_RANDR:
		put_rand(node, payload);
		break;
	case CP_MIKEY_PAYLOAD_SP:
		put_sp(node, cp_mikey_sp_of(payload));
		break;
	case CP_MIKEY_PAYLOAD_V:
		put_v(node, cp_mikey_v_of(payload));
		break;
	case CP_MIKEY_PAYLOAD_KEMAC:
		put_kemac(node, payload);
		break;
	case CP_MIKEY_PAYLOAD_GENEXT:
		put_genext(node, payload);
		break;
	case CP_MIKEY_PAYLOAD_ERR:
		json_object_set_new(node, "error", named(NAMES(errors), payload->whole.at[1]));
		break;
	case CP_MIKEY_PAYLOAD_TP:
	case CP_MIKEY_PAYLOAD_TICKET:
		if (!is_inner) {
			put_ticket(node, payload);
			break;
		}
		__attribute__((fallthrough));
	default:
		json_object_set_new(node, "octets", cp_cli_mikey_hex(payload->whole));
		break;
	}
	return node;
}

static json_t *
tree_of(const struct cp_mikey_list *list, bool is_inner)
{
	json_t *nodes = json_array();

	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(nodes, payload_tree(&list->at[i], is_inner));
	return nodes;
}

static json_t *
map_tree(const struct cp_mikey_msg *msg)
{
	json_t *map = json_array();

	for (size_t i = 0; i < msg->cs_count && msg->map_type == CP_MIKEY_MAP_GENERIC_ID; i++) {
		const struct cp_mikey_cs *cs = &msg->cs[i];
		json_t *node = json_object(), *policies = json_array();

		for (size_t p = 0; p < cs->policy_count; p++)
			json_array_append_new(policies, json_integer(cs->policies[p]));
		json_object_set_new(node, "cs", json_integer(cs->id));
		json_object_set_new(node, "protocol", named(NAMES(prots), cs->prot));
		json_object_set_new(node, "policies", policies);
		if (cs->session_data.len > 0)
			json_object_set_new(
				node,
				cs->prot == CP_MIKEY_PROT_SRTP && !cs->s ? "ssrc" : "session data",
				cp_cli_mikey_hex(cs->session_data));
		if (cs->spi.len > 0)
			json_object_set_new(node, "spi", cp_cli_mikey_hex(cs->spi));
		json_array_append_new(map, node);
	}
	return map;
}

json_t *
cp_cli_mikey_tree(struct cp_mikey_msg *msg, struct cp_mikey_octets in)
{
	int error = cp_mikey_msg_decode(msg, in);
	json_t *root = json_object();

	json_object_set_new(root, "octets", json_integer((json_int_t)in.len));
	if (error == -EBADMSG) {
		json_object_set_new(root, "error", json_string("no MIKEY message of version 1"));
		return root;
	}
	json_object_set_new(root, "message", named(NAMES(data_types), msg->data_type));
	json_object_set_new(root, "v flag", json_boolean(msg->v_flag));
	json_object_set_new(root, "prf", named(NAMES(prfs), msg->prf));
	json_object_set_new(root, "csb id", json_sprintf("%08x", msg->csb_id));
	json_object_set_new(root, "map type", named(NAMES(maps), msg->map_type));
	if (msg->cs_count > 0)
		json_object_set_new(root, "crypto sessions", map_tree(msg));
	json_object_set_new(root, "payloads", tree_of(&msg->payloads, false));
	if (error < 0)
		json_object_set_new(root, "error", json_string("what follows cannot be parsed"));
	return root;
}
