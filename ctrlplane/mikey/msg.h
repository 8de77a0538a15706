/*
 * Reading: a MIKEY message as a list of payloads that borrow from its octets. RFC 3830 section 6, RFC
 * 4563, RFC 6043 section 6. What decodes is whole: accessors do not fail. Unexpected payloads stand in
 * the list like others; nobody asks for them.
 */
#ifndef CP_MIKEY_MSG_H
#define CP_MIKEY_MSG_H

#include "ctrlplane/mikey/base.h"

#define CP_MIKEY_PAYLOAD_THDR 0x100 /* has no number: the first thing in Ticket Data */

struct cp_mikey_payload {
	uint16_t type;		      /* enum cp_mikey_payload_type or CP_MIKEY_PAYLOAD_THDR */
	struct cp_mikey_octets whole; /* with its Next Payload octet, where it has one */
};

struct cp_mikey_list {
	size_t count;
	struct cp_mikey_payload at[CP_MIKEY_PAYLOADS_MAX];
};

/* A crypto session of a GENERIC-ID map, RFC 6043 6.1.1. */
struct cp_mikey_cs {
	uint8_t id, prot;
	bool s;
	uint8_t policy_count;
	uint8_t policies[CP_MIKEY_POLICIES_MAX];
	struct cp_mikey_octets session_data, spi;
};

struct cp_mikey_msg {
	struct cp_mikey_octets whole;
	uint8_t data_type, prf, map_type;
	bool v_flag;
	uint32_t csb_id;
	size_t cs_count;
	struct cp_mikey_cs cs[CP_MIKEY_CS_MAX];
	struct cp_mikey_list payloads;
};

/* -EBADMSG: not even a header of MIKEY version 1; else as decode, which tells the rest apart. */
int cp_mikey_hdr_decode(struct cp_mikey_msg *msg, struct cp_mikey_octets in, size_t *len);

/* 0; -EBADMSG: no MIKEY message; -EPROTO: one that cannot be parsed (the header's fields are set, but
 * for the map). */
int cp_mikey_msg_decode(struct cp_mikey_msg *msg, struct cp_mikey_octets in);

/* Payloads one behind the other, the first of that type; all of in. -EPROTO. */
int cp_mikey_list_decode(struct cp_mikey_list *list, struct cp_mikey_octets in, uint16_t first);

/* The nth payload of a type, NULL: none. */
const struct cp_mikey_payload *cp_mikey_list_find(const struct cp_mikey_list *list, uint16_t type,
						  size_t nth);

/* T and TR. */
struct cp_mikey_ts {
	uint8_t role, type; /* role 0 in T */
	struct cp_mikey_octets value;
};

struct cp_mikey_ts cp_mikey_ts(const struct cp_mikey_payload *payload);

/* First of a role in the list; false: none. */
bool cp_mikey_find_ts(struct cp_mikey_ts *ts, const struct cp_mikey_list *list, uint8_t role);
bool cp_mikey_find_id(struct cp_mikey_id *id, const struct cp_mikey_list *list, uint8_t role);
bool cp_mikey_find_rand(struct cp_mikey_octets *rand, const struct cp_mikey_list *list,
			uint8_t role);

/* IDR, ID and CERT: role 0 where there is none. */
struct cp_mikey_id cp_mikey_id_of(const struct cp_mikey_payload *payload, uint8_t *role);
/* RANDR and RAND. */
struct cp_mikey_octets cp_mikey_rand_of(const struct cp_mikey_payload *payload, uint8_t *role);

struct cp_mikey_v {
	uint8_t alg;
	struct cp_mikey_octets mac;
};

struct cp_mikey_v cp_mikey_v_of(const struct cp_mikey_payload *payload);
/* The V that ends the list; false: it does not end with one. */
bool cp_mikey_last_v(struct cp_mikey_v *v, const struct cp_mikey_list *list);

struct cp_mikey_kemac {
	uint8_t encr, mac_alg;
	struct cp_mikey_octets data, mac;
};

struct cp_mikey_kemac cp_mikey_kemac_of(const struct cp_mikey_payload *payload);

struct cp_mikey_sp {
	uint8_t no, prot;
	struct cp_mikey_octets params;
};

struct cp_mikey_sp cp_mikey_sp_of(const struct cp_mikey_payload *payload);
/* The SP of a number and protocol; false: none. */
bool cp_mikey_find_sp(struct cp_mikey_sp *sp, const struct cp_mikey_list *list, uint8_t no,
		      uint8_t prot);

/* General Extension of a type; false: none. */
bool cp_mikey_find_genext(struct cp_mikey_octets *data, const struct cp_mikey_list *list,
			  uint8_t type);

/* A key data sub-payload, RFC 3830 6.13, RFC 6043 6.2.1. */
struct cp_mikey_key_data {
	uint8_t type, kv;
	struct cp_mikey_octets key, salt;
	struct cp_mikey_octets spi;	 /* KV 1 */
	struct cp_mikey_octets from, to; /* KV 2 */
};

struct cp_mikey_key_data cp_mikey_key_data_of(const struct cp_mikey_payload *payload);

/* TP and TICKET, RFC 6043 6.10. data and initiator_data are empty in a TP. */
struct cp_mikey_ticket_view {
	struct cp_mikey_octets whole;
	uint16_t type;
	uint8_t subtype, version, prf;
	uint16_t flags;
	struct cp_mikey_octets tp_data; /* First Payload octet included */
	struct cp_mikey_octets data;
	struct cp_mikey_octets initiator_data; /* First Payload octet included */
};

struct cp_mikey_ticket_view cp_mikey_ticket_of(const struct cp_mikey_payload *payload);

#endif
