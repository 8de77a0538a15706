/* Message, header and the list of payloads. */
#include "ctrlplane/mikey/msg.h"

#include <errno.h>
#include <string.h>
#include "ctrlplane/mikey/cipher.h"
#include "ctrlplane/mikey/time.h"

#define HDR_LEN 10
#define SRTP_ID_LEN 9
#define TICKET_HEAD 10 /* octets before TP Data */

static size_t
get16(const uint8_t *at)
{
	return (size_t)at[0] << 8 | at[1];
}

/* head octets, of which the last two are the length of what follows. 0: cut. */
static size_t
len_behind(struct cp_mikey_octets in, size_t head)
{
	return in.len < head ? 0 : head + get16(in.at + head - 2);
}

/* The length of what follows in one octet at at. 0: cut. */
static size_t
len_byte(struct cp_mikey_octets in, size_t at)
{
	return in.len <= at ? 0 : at + 1 + in.at[at];
}

static size_t
kemac_len(struct cp_mikey_octets in)
{
	size_t len = len_behind(in, 4);
	int mac;

	if (len == 0 || in.len <= len)
		return 0;
	mac = cp_mikey_mac_len(in.at[len]);
	return mac < 0 ? 0 : len + 1 + (size_t)mac;
}

static size_t
ticket_len(struct cp_mikey_octets in, bool is_ticket)
{
	size_t len = len_behind(in, TICKET_HEAD);

	for (int i = 0; i < 2 && is_ticket && len > 0; i++)
		len = len_behind(in, len + 2);
	return len;
}

static size_t
key_data_len(struct cp_mikey_octets in)
{
	size_t len = len_behind(in, 4);
	uint8_t type, kv;

	if (len == 0)
		return 0;
	type = in.at[1] >> 4;
	kv = in.at[1] & 15;
	if (type > CP_MIKEY_KEY_MPK || kv > CP_MIKEY_KV_INTERVAL)
		return 0;
	if (type == CP_MIKEY_KEY_TGK_SALT || type == CP_MIKEY_KEY_TEK_SALT ||
	    type == CP_MIKEY_KEY_GTGK_SALT)
		len = len_behind(in, len + 2);
	for (int i = 0; i < kv && len > 0; i++) /* SPI: one run of octets; interval: two */
		len = len_byte(in, len);
	return len;
}

static size_t
hash_len(struct cp_mikey_octets in)
{
	static const uint8_t lens[] = {20, 16, 32}; /* SHA-1, MD5, SHA-256 */

	return in.len < 2 || in.at[1] >= sizeof(lens) ? 0 : 2 + (size_t)lens[in.at[1]];
}

static size_t
fixed_len(struct cp_mikey_octets in, uint16_t type)
{
	size_t head = type == CP_MIKEY_PAYLOAD_TR ? 3 : 2;
	int mac;

	if (in.len < head)
		return 0;
	if (type == CP_MIKEY_PAYLOAD_V) {
		mac = cp_mikey_mac_len(in.at[1]);
		return mac < 0 ? 0 : head + (size_t)mac;
	}
	return cp_mikey_ts_len(in.at[head - 1]) == 0 ? 0 : head + cp_mikey_ts_len(in.at[head - 1]);
}

/* Octets of a payload of that type at the start of in; 0: unknown, or its head is cut. */
static size_t
payload_len(struct cp_mikey_octets in, uint16_t type)
{
	switch (type) {
	case CP_MIKEY_PAYLOAD_KEMAC:
		return kemac_len(in);
	case CP_MIKEY_PAYLOAD_PKE:
		return in.len < 3 ? 0 : 3 + (get16(in.at + 1) & 0x3FFF);
	case CP_MIKEY_PAYLOAD_SIGN:
		return in.len < 2 ? 0 : 2 + (get16(in.at) & 0x0FFF);
	case CP_MIKEY_PAYLOAD_T:
	case CP_MIKEY_PAYLOAD_TR:
	case CP_MIKEY_PAYLOAD_V:
		return fixed_len(in, type);
	case CP_MIKEY_PAYLOAD_ID:
	case CP_MIKEY_PAYLOAD_CERT:
	case CP_MIKEY_PAYLOAD_GENEXT:
		return len_behind(in, 4);
	case CP_MIKEY_PAYLOAD_SP:
	case CP_MIKEY_PAYLOAD_IDR:
		return len_behind(in, 5);
	case CP_MIKEY_PAYLOAD_CHASH:
		return hash_len(in);
	case CP_MIKEY_PAYLOAD_RAND:
		return len_byte(in, 1);
	case CP_MIKEY_PAYLOAD_RANDR:
		return len_byte(in, 2);
	case CP_MIKEY_PAYLOAD_ERR:
		return 4;
	case CP_MIKEY_PAYLOAD_TP:
		return ticket_len(in, false);
	case CP_MIKEY_PAYLOAD_TICKET:
		return ticket_len(in, true);
	case CP_MIKEY_PAYLOAD_KEY_DATA:
		return key_data_len(in);
	case CP_MIKEY_PAYLOAD_THDR:
		return len_behind(in, 3);
	default:
		return 0;
	}
}

int
cp_mikey_list_decode(struct cp_mikey_list *list, struct cp_mikey_octets in, uint16_t first)
{
	uint16_t type = first;

	list->count = 0;
	while (type != CP_MIKEY_PAYLOAD_LAST) {
		size_t len = payload_len(in, type);

		if (len == 0 || len > in.len || list->count == CP_MIKEY_PAYLOADS_MAX)
			return -EPROTO;
		list->at[list->count++] =
			(struct cp_mikey_payload){type, cp_mikey_octets(in.at, len)};
		type = type == CP_MIKEY_PAYLOAD_SIGN ? CP_MIKEY_PAYLOAD_LAST : in.at[0];
		in = cp_mikey_octets(in.at + len, in.len - len);
	}
	return in.len == 0 ? 0 : -EPROTO;
}

/* One block of a GENERIC-ID map: its length, 0: refused. */
static size_t
cs_decode(struct cp_mikey_cs *cs, struct cp_mikey_octets in)
{
	size_t at = 3, len;

	if (in.len < at)
		return 0;
	*cs = (struct cp_mikey_cs){.id = in.at[0],
				   .prot = in.at[1],
				   .s = in.at[2] >> 7,
				   .policy_count = in.at[2] & 0x7F};
	if (cs->policy_count > CP_MIKEY_POLICIES_MAX || in.len < at + cs->policy_count)
		return 0;
	memcpy(cs->policies, in.at + at, cs->policy_count);
	at += cs->policy_count;
	len = len_behind(in, at + 2);
	if (len == 0 || len >= in.len)
		return 0;
	cs->session_data = cp_mikey_octets(in.at + at + 2, len - at - 2);
	at = len + 1;
	len = at + in.at[at - 1];
	if (len > in.len || len - at > CP_MIKEY_SPI_MAX)
		return 0;
	cs->spi = cp_mikey_octets(in.at + at, len - at);
	return len;
}

static int
map_decode(struct cp_mikey_msg *msg, struct cp_mikey_octets in, size_t *len)
{
	size_t at = HDR_LEN;

	if (msg->map_type == CP_MIKEY_MAP_EMPTY && msg->cs_count != 0)
		return -EPROTO;
	if (msg->map_type > CP_MIKEY_MAP_GENERIC_ID || msg->cs_count > CP_MIKEY_CS_MAX)
		return -EPROTO;
	for (size_t i = 0; i < msg->cs_count; i++) {
		struct cp_mikey_octets rest = cp_mikey_octets(in.at + at, in.len - at);
		size_t block = SRTP_ID_LEN;

		if (msg->map_type == CP_MIKEY_MAP_GENERIC_ID)
			block = cs_decode(&msg->cs[i], rest);
		if (block == 0 || block > rest.len)
			return -EPROTO;
		at += block;
	}
	*len = at;
	return 0;
}

int
cp_mikey_hdr_decode(struct cp_mikey_msg *msg, struct cp_mikey_octets in, size_t *len)
{
	int error;

	memset(msg, 0, sizeof(*msg));
	if (in.len < HDR_LEN || in.len > CP_MIKEY_MSG_MAX || in.at[0] != 1)
		return -EBADMSG;
	msg->whole = in;
	msg->data_type = in.at[1];
	msg->v_flag = in.at[3] >> 7;
	msg->prf = in.at[3] & 0x7F;
	msg->csb_id = (uint32_t)get16(in.at + 4) << 16 | (uint32_t)get16(in.at + 6);
	msg->cs_count = in.at[8];
	msg->map_type = in.at[9];
	error = map_decode(msg, in, len);
	if (error < 0)
		msg->cs_count = 0;
	return error;
}

int
cp_mikey_msg_decode(struct cp_mikey_msg *msg, struct cp_mikey_octets in)
{
	size_t len = 0;
	int error = cp_mikey_hdr_decode(msg, in, &len);

	if (error < 0)
		return error;
	return cp_mikey_list_decode(&msg->payloads, cp_mikey_octets(in.at + len, in.len - len),
				    in.at[2]);
}
