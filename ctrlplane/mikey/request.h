/* Tickets as the initiator has them: asked for at the KMS (RFC 6043 section 4.2.1, mode 1) or made by
 * itself (mode 3, Appendix A). */
#ifndef CP_MIKEY_REQUEST_H
#define CP_MIKEY_REQUEST_H

#include "ctrlplane/keys/secret.h"
#include "ctrlplane/mikey/base.h"
#include "ctrlplane/mikey/policy.h"

/* A user of the KMS: whoever sends REQUEST_INIT or RESOLVE_INIT. Borrowed during the call only. */
struct cp_mikey_account {
	struct cp_mikey_id user;	/* IDRi or IDRr */
	struct cp_mikey_id kms;		/* IDRkms */
	struct cp_mikey_id psk_id;	/* IDRpsk; len 0: found by the identity */
	const struct cp_secret *psk[2]; /* by enum cp_mikey_set, of its length; NULL: none */
	enum cp_mikey_set set;		/* of requests; a responder follows TRANSFER_INIT */
	struct cp_mikey_limits limits;
};

struct cp_mikey_request; /* between REQUEST_INIT and REQUEST_RESP */
struct cp_mikey_ticket;	 /* a ticket with its keys, counted by its exchanges */

/* REQUEST_INIT_PSK into out. -EINVAL: the policy or the account is not fit to send; -ENOSPC, -ENOMEM,
 * -EIO. */
int cp_mikey_request_make(struct cp_mikey_request **request, struct cp_mikey_out *out,
			  const struct cp_mikey_account *account,
			  const struct cp_mikey_policy *policy, const struct cp_mikey_env *env);

/* The KMS's answer. 0 and a ticket; -EPROTO with fault: refused, a genuine answer may still come, the
 * request stays as it was. An Error message of the KMS is a refusal with its number. */
int cp_mikey_request_take(struct cp_mikey_ticket **ticket, struct cp_mikey_request *request,
			  struct cp_mikey_octets in, const struct cp_mikey_env *env,
			  struct cp_mikey_fault *fault);
void cp_mikey_request_destroy(struct cp_mikey_request *request);

/* Mode 3: the initiator's own ticket under a TPK shared with the KMS, named tpk_id. */
struct cp_mikey_own_ticket {
	const struct cp_mikey_policy *policy; /* D is cleared, L set */
	struct cp_mikey_id tpk_id;
	const struct cp_secret *tpk;
	enum cp_mikey_set set;
};

int cp_mikey_ticket_create(struct cp_mikey_ticket **ticket, const struct cp_mikey_own_ticket *own,
			   const struct cp_mikey_env *env);

void cp_mikey_ticket_destroy(struct cp_mikey_ticket *ticket); /* wipes its keys */

/* The granted policy; lives as long as the ticket. */
const struct cp_mikey_policy *cp_mikey_ticket_policy(const struct cp_mikey_ticket *ticket);
/* May one more transfer be made with it: not used before, or J; valid at that time? */
bool cp_mikey_ticket_may_transfer(const struct cp_mikey_ticket *ticket, uint64_t now);

#endif
