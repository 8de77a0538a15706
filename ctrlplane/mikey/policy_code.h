/* Ticket Policies on the wire: the part that TP and TICKET share. RFC 6043 section 6.10. */
#ifndef CP_MIKEY_POLICY_CODE_H
#define CP_MIKEY_POLICY_CODE_H

#include "ctrlplane/mikey/policy.h"
#include "ctrlplane/mikey/write.h"

/* 0; -EBADMSG: TP Data cannot be parsed; -EPROTO: it can, but makes no sense: see why. */
int cp_mikey_policy_decode(struct cp_mikey_policy *policy, const struct cp_mikey_ticket_view *view,
			   const char **why);

/* A TP, or the start of a TICKET: Ticket Data comes next. Wishes only into a TP. */
void cp_mikey_policy_put(struct cp_mikey_writer *w, uint8_t payload,
			 const struct cp_mikey_policy *policy);

#endif
