/* Who a participant is: P-Asserted-Identity (RFC 3325 9.1), Privacy (RFC 3323 4.2). Pure. */
#ifndef CP_SIP_IDENTITY_H
#define CP_SIP_IDENTITY_H

#include <stdbool.h>

#include "ctrlplane/conf/identity.h"

#define CP_SIP_NAME_MAX 128

/* How we know. A conference's policy says what suffices. */
enum cp_sip_proof {
	CP_SIP_ANONYMOUS = 0, /* nobody says who it is, or From is anonymous */
	CP_SIP_CLAIMED,	      /* From, nothing behind it */
	CP_SIP_DIGEST,	      /* an account of ours, by its password */
	CP_SIP_ASSERTED,      /* P-Asserted-Identity of a peer that we trust */
};

/* Copied by whoever keeps it. Absent texts are "". */
struct cp_sip_identity {
	enum cp_sip_proof proof;
	bool is_private;	    /* Privacy asks that others do not see who it is */
	char uri[CP_IDENTITY_MAX];  /* canonical sip: or sips: URI */
	char tel[CP_IDENTITY_MAX];  /* canonical tel: URI; in uri too when it is the only one */
	char name[CP_SIP_NAME_MAX]; /* display name */
};

/*
 * The values of one P-Asserted-Identity header, added to id: at most one sip or sips URI and one tel URI. -EINVAL when a
 * value is malformed or a third one comes; then id is as it was.
 */
int cp_sip_decode_asserted(struct cp_sip_identity *id, const char *header);

/* The last entry of a History-Info header (RFC 7044 5.1): where a call was brought to in the end. -EINVAL: uri is as it was. */
int cp_sip_decode_history(char uri[CP_IDENTITY_MAX], const char *header);

/* Does a Privacy header ask to hide the identity ("id", "user" or "header")? */
bool cp_sip_is_private(const char *privacy);

/* Is it a URI of the "anonymous" kind (RFC 3323 4.1.1.3, RFC 3261 8.1.1.3)? */
bool cp_sip_is_anonymous(const char *canonical);

#endif
