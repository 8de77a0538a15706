/* Code points of MIKEY: RFC 3830 section 6, RFC 4563, RFC 6043 section 6. Nothing else has a number. */
#ifndef CP_MIKEY_CODES_H
#define CP_MIKEY_CODES_H

enum cp_mikey_data_type {
	CP_MIKEY_ERROR = 6,
	CP_MIKEY_REQUEST_INIT_PSK = 11,
	CP_MIKEY_REQUEST_INIT_PK = 12,
	CP_MIKEY_REQUEST_RESP = 13,
	CP_MIKEY_TRANSFER_INIT = 14,
	CP_MIKEY_TRANSFER_RESP = 15,
	CP_MIKEY_RESOLVE_INIT_PSK = 16,
	CP_MIKEY_RESOLVE_INIT_PK = 17,
	CP_MIKEY_RESOLVE_RESP = 18
};

enum cp_mikey_payload_type {
	CP_MIKEY_PAYLOAD_LAST = 0,
	CP_MIKEY_PAYLOAD_KEMAC = 1,
	CP_MIKEY_PAYLOAD_PKE = 2,
	CP_MIKEY_PAYLOAD_DH = 3,
	CP_MIKEY_PAYLOAD_SIGN = 4,
	CP_MIKEY_PAYLOAD_T = 5,
	CP_MIKEY_PAYLOAD_ID = 6,
	CP_MIKEY_PAYLOAD_CERT = 7,
	CP_MIKEY_PAYLOAD_CHASH = 8,
	CP_MIKEY_PAYLOAD_V = 9,
	CP_MIKEY_PAYLOAD_SP = 10,
	CP_MIKEY_PAYLOAD_RAND = 11,
	CP_MIKEY_PAYLOAD_ERR = 12,
	CP_MIKEY_PAYLOAD_TR = 13,
	CP_MIKEY_PAYLOAD_IDR = 14,
	CP_MIKEY_PAYLOAD_RANDR = 15,
	CP_MIKEY_PAYLOAD_TP = 16,
	CP_MIKEY_PAYLOAD_TICKET = 17,
	CP_MIKEY_PAYLOAD_KEY_DATA = 20,
	CP_MIKEY_PAYLOAD_GENEXT = 21
};

enum cp_mikey_prf { CP_MIKEY_PRF_MIKEY_1 = 0, CP_MIKEY_PRF_HMAC_SHA_256 = 1 };

enum cp_mikey_map_type {
	CP_MIKEY_MAP_SRTP_ID = 0,
	CP_MIKEY_MAP_EMPTY = 1,
	CP_MIKEY_MAP_GENERIC_ID = 2
};

enum cp_mikey_encr {
	CP_MIKEY_ENCR_NULL = 0,
	CP_MIKEY_ENCR_AES_CM_128 = 1,
	CP_MIKEY_ENCR_AES_KW_128 = 2,
	CP_MIKEY_ENCR_AES_CM_256 = 3
};

enum cp_mikey_mac {
	CP_MIKEY_MAC_NULL = 0,
	CP_MIKEY_MAC_HMAC_SHA_1_160 = 1,
	CP_MIKEY_MAC_HMAC_SHA_256_256 = 2
};

enum cp_mikey_key_type {
	CP_MIKEY_KEY_TGK = 0,
	CP_MIKEY_KEY_TGK_SALT = 1,
	CP_MIKEY_KEY_TEK = 2,
	CP_MIKEY_KEY_TEK_SALT = 3,
	CP_MIKEY_KEY_GTGK = 4,
	CP_MIKEY_KEY_GTGK_SALT = 5,
	CP_MIKEY_KEY_MPK = 6
};

enum cp_mikey_kv { CP_MIKEY_KV_NULL = 0, CP_MIKEY_KV_SPI = 1, CP_MIKEY_KV_INTERVAL = 2 };

enum cp_mikey_ts_type {
	CP_MIKEY_TS_NTP_UTC = 0,
	CP_MIKEY_TS_NTP = 1,
	CP_MIKEY_TS_COUNTER = 2,
	CP_MIKEY_TS_NTP_UTC_32 = 3
};

enum cp_mikey_ts_role {
	CP_MIKEY_TS_ISSUE = 1, /* TRi */
	CP_MIKEY_TS_START = 2, /* TRs */
	CP_MIKEY_TS_END = 3,   /* TRe */
	CP_MIKEY_TS_REKEY = 4  /* TRr */
};

enum cp_mikey_id_type { CP_MIKEY_ID_NAI = 0, CP_MIKEY_ID_URI = 1, CP_MIKEY_ID_BYTES = 2 };

enum cp_mikey_id_role {
	CP_MIKEY_ROLE_I = 1,
	CP_MIKEY_ROLE_R = 2,
	CP_MIKEY_ROLE_KMS = 3,
	CP_MIKEY_ROLE_PSK = 4, /* identities only */
	CP_MIKEY_ROLE_APP = 5  /* identities only */
};

enum cp_mikey_error {
	CP_MIKEY_ERR_AUTH = 0,
	CP_MIKEY_ERR_TS = 1,
	CP_MIKEY_ERR_PRF = 2,
	CP_MIKEY_ERR_MAC = 3,
	CP_MIKEY_ERR_EA = 4,
	CP_MIKEY_ERR_HA = 5,
	CP_MIKEY_ERR_DH = 6,
	CP_MIKEY_ERR_ID = 7,
	CP_MIKEY_ERR_CERT = 8,
	CP_MIKEY_ERR_SP = 9,
	CP_MIKEY_ERR_SPPAR = 10,
	CP_MIKEY_ERR_DT = 11,
	CP_MIKEY_ERR_UNSPECIFIED = 12,
	CP_MIKEY_ERR_MESSAGE = 13,
	CP_MIKEY_ERR_TICKET = 14,
	CP_MIKEY_ERR_TPPAR = 15
};

enum cp_mikey_prot {
	CP_MIKEY_PROT_SRTP = 0,
	CP_MIKEY_PROT_TLS = 241, /* our choice, private range: profile 4 */
	CP_MIKEY_PROT_CMS = 242	 /* our choice, private range: profile 4 */
};

enum cp_mikey_genext { CP_MIKEY_GENEXT_VENDOR = 0, CP_MIKEY_GENEXT_SDP_IDS = 1 };

#define CP_MIKEY_TICKET_BASE 1
#define CP_MIKEY_CMS_CS 240 /* the crypto session of the protected NOTIFY: profile 4 */

/* Flags of a Ticket Policy, as they stand in its 12 bits: D first. */
enum cp_mikey_flag {
	CP_MIKEY_FLAG_D = 0x800,
	CP_MIKEY_FLAG_E = 0x400,
	CP_MIKEY_FLAG_F = 0x200,
	CP_MIKEY_FLAG_G = 0x100,
	CP_MIKEY_FLAG_H = 0x080,
	CP_MIKEY_FLAG_I = 0x040,
	CP_MIKEY_FLAG_J = 0x020,
	CP_MIKEY_FLAG_K = 0x010,
	CP_MIKEY_FLAG_L = 0x008,
	CP_MIKEY_FLAG_M = 0x004,
	CP_MIKEY_FLAG_N = 0x002,
	CP_MIKEY_FLAG_O = 0x001
};

/* Bounds of what is taken and made. Past them a message is refused, never cut. */
enum cp_mikey_limit {
	CP_MIKEY_MSG_MAX = 16384,   /* octets of a message */
	CP_MIKEY_PAYLOADS_MAX = 64, /* in a message, a Ticket Policy or Ticket Data */
	CP_MIKEY_CS_MAX = 34,	    /* crypto sessions of a map: sixteen m-lines and CMS */
	CP_MIKEY_POLICIES_MAX = 8,  /* of a crypto session */
	CP_MIKEY_ID_MAX = 255,	    /* octets of an identity */
	CP_MIKEY_SPI_MAX = 16,
	CP_MIKEY_RAND_MIN = 16,
	CP_MIKEY_RESPONDERS_MAX = 32, /* of a ticket */
	CP_MIKEY_APPS_MAX = 4,
	CP_MIKEY_KEYS_MAX = 10, /* of a KEMAC: two MPKs and eight others */
	CP_MIKEY_KEY_MAX = 32	/* octets of a key */
};

#endif
