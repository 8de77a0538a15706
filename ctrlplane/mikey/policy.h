/* Ticket Policies: RFC 6043 section 6.10, wildcards and requirements of profile sections 1 and 2. */
#ifndef CP_MIKEY_POLICY_H
#define CP_MIKEY_POLICY_H

#include "ctrlplane/mikey/base.h"

/* A key that a request asks for, RFC 6043 6.10: type, length, SPI (len 0: the KMS chooses). */
struct cp_mikey_wish {
	uint8_t type;
	uint8_t key_len, salt_len;
	struct cp_mikey_octets spi;
};

/* A Ticket Policy, read or to be written. Identities are borrowed. */
struct cp_mikey_policy {
	uint16_t type;
	uint8_t subtype, version;
	uint8_t prf;
	uint16_t flags; /* enum cp_mikey_flag */
	struct cp_mikey_id kms, initiator;
	bool has_start, has_end, has_rekey, has_wishes;
	uint64_t start, end; /* Unix time << 32 */
	uint32_t rekey_s;
	struct cp_mikey_wish wishes[CP_MIKEY_KEYS_MAX]; /* TP only */
	uint8_t wish_count;
	struct cp_mikey_id apps[CP_MIKEY_APPS_MAX];
	uint8_t app_count;
	struct cp_mikey_id responders[CP_MIKEY_RESPONDERS_MAX];
	uint8_t responder_count;
};

/* A base ticket's policy for mode 1 with the profile's flags and the set's PRF, nobody on it yet. */
void cp_mikey_policy_init(struct cp_mikey_policy *policy, enum cp_mikey_set set);

/* The dependencies of RFC 6043 6.10; has_tgk: the ticket encodes one. NULL when they hold, else what
 * is broken. */
const char *cp_mikey_policy_broken(uint16_t flags, bool has_tgk);

/* The flags that profile 2 wants of a ticket sent to a responder. NULL or what is missing. mode3:
 * tickets of the initiator are taken. */
const char *cp_mikey_policy_unfit(uint16_t flags, bool mode3);

/* Is now inside the validity? Tolerance at its start only. */
bool cp_mikey_policy_is_valid(const struct cp_mikey_policy *policy, uint64_t now,
			      uint32_t tolerance_s);

/* Does the pattern name the identity? A '*' stands for the whole user part of a sip or sips URI and
 * nowhere else: sip:*@focus.example. */
bool cp_mikey_id_may_be(struct cp_mikey_id pattern, struct cp_mikey_id id);
/* No '*', or one as above. */
bool cp_mikey_id_is_pattern_fine(struct cp_mikey_id pattern);
/* One of the policy's IDRr names it. */
bool cp_mikey_policy_has_responder(const struct cp_mikey_policy *policy, struct cp_mikey_id id);

#endif
