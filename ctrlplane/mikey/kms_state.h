/* One message at the KMS, from its arrival to its answer. Lives for one call of cp_mikey_kms_handle. */
#ifndef CP_MIKEY_KMS_STATE_H
#define CP_MIKEY_KMS_STATE_H

#include "ctrlplane/mikey/exchange.h"
#include "ctrlplane/mikey/kms.h"

struct cp_mikey_kms_turn {
	struct cp_mikey_out *out;
	struct cp_mikey_kms_report *report;
	const struct cp_mikey_kms_config *config;
	const struct cp_mikey_kms_ops *ops;
	const struct cp_mikey_env *env;
	struct cp_mikey_msg msg;
	enum cp_mikey_set set;
	struct cp_mikey_id user; /* IDRi or IDRr, or the owner of the key */
	struct cp_mikey_psk psk;
	struct cp_mikey_leg leg; /* of the initial message */
	struct cp_mikey_tpk tpk;
	struct cp_mikey_ticket_keys keys;
	const char *why; /* of a policy */
};

/* The exchanges, once the message is known to be its sender's. 0: the answer stands in out. */
int cp_mikey_kms_request(struct cp_mikey_kms_turn *turn, struct cp_mikey_fault *fault);
int cp_mikey_kms_resolve(struct cp_mikey_kms_turn *turn, struct cp_mikey_fault *fault);

/* Header, T and IDRkms of a response: T as the IV takes it. */
uint64_t cp_mikey_kms_put_start(struct cp_mikey_kms_turn *turn, struct cp_mikey_writer *w,
				uint8_t data_type);
/* The shield of the response. */
int cp_mikey_kms_shield(struct cp_mikey_kms_turn *turn, struct cp_mikey_shield *shield);
/* What Ticket Policies must be at the KMS, before and after: type, dependencies, PRF. */
int cp_mikey_kms_check_policy(struct cp_mikey_kms_turn *turn, const struct cp_mikey_policy *policy,
			      bool has_tgk, struct cp_mikey_fault *fault);
/* What ops said, told to the peer. */
int cp_mikey_kms_refused(struct cp_mikey_fault *fault, int error, const char *text);

#endif
