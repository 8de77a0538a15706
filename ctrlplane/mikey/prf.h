/* Key derivation: RFC 3830 section 4.1, RFC 6043 section 5.1 and Appendix A.2. */
#ifndef CP_MIKEY_PRF_H
#define CP_MIKEY_PRF_H

#include "ctrlplane/mikey/base.h"

/* What is derived: the constant of its label. */
enum cp_mikey_constant {
	CP_MIKEY_TEK = 0x2AD01C64, /* from a TGK */
	CP_MIKEY_TEK_AUTH = 0x1B5C7973,
	CP_MIKEY_TEK_ENCR = 0x15798CEF,
	CP_MIKEY_TEK_SALT = 0x39A2C14B,
	CP_MIKEY_ENCR_KEY = 0x150533E1, /* for messages and tickets */
	CP_MIKEY_AUTH_KEY = 0x2D22AC75,
	CP_MIKEY_SALT_KEY = 0x29B88916,
	CP_MIKEY_FORK_MPK = 0x2B288856,
	CP_MIKEY_FORK_TGK = 0x1512B54A,
	CP_MIKEY_MPKI = 0x220E99A2,
	CP_MIKEY_MPKR = 0x1F4D675B
};

/* The octet that tells the families of labels apart. */
enum cp_mikey_family {
	CP_MIKEY_FORK = 0,
	CP_MIKEY_INITIAL = 1,
	CP_MIKEY_RESPONSE = 2,
	CP_MIKEY_FROM_TGK = 3,
	CP_MIKEY_VR = 4,
	CP_MIKEY_FROM_TPK = 5,
	CP_MIKEY_SPLIT_MPK = 6
};

/* One derivation. Which fields count depends on the family. */
struct cp_mikey_derivation {
	uint8_t prf;
	enum cp_mikey_family family;
	enum cp_mikey_constant constant;
	struct cp_mikey_octets inkey;
	uint32_t csb_id;		       /* initial, response */
	uint8_t cs_id;			       /* from TGK */
	struct cp_mikey_octets rand_i, rand_r; /* initial, response, from TGK; len 0: left out */
	struct cp_mikey_octets rand;	       /* of the ticket, or RANDRkms of a fork */
	struct cp_mikey_octets id;	       /* fork: ID Data of IDRr */
};

#define CP_MIKEY_LABEL_MAX 640

/* A key that is wanted of an inkey. */
struct cp_mikey_wanted {
	uint8_t *octets;
	size_t len;
	struct cp_mikey_octets label;
};

/* P and PRF of RFC 3830 4.1.2 with HMAC-SHA-1 or HMAC-SHA-256: all that is wanted of one inkey, keyed
 * once. 0, -EINVAL no such PRF, -EIO OpenSSL (then nothing is written). */
int cp_mikey_prf(const struct cp_mikey_wanted *wanted, size_t count, uint8_t prf,
		 struct cp_mikey_octets inkey);

/* The label into CP_MIKEY_LABEL_MAX octets: its length. */
size_t cp_mikey_label(uint8_t *label, const struct cp_mikey_derivation *derivation);

/* Several keys that differ in their constant only. */
#define CP_MIKEY_EACH_MAX 4

struct cp_mikey_each {
	enum cp_mikey_constant constant;
	uint8_t *octets;
	size_t len;
};

int cp_mikey_derive_each(const struct cp_mikey_each *each, size_t count,
			 const struct cp_mikey_derivation *derivation);
int cp_mikey_derive(uint8_t *out, size_t len, const struct cp_mikey_derivation *derivation);

#endif
