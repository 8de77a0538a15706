/* Refer-To (RFC 3515 2.1), also with a Content-ID in it (RFC 5368 7): who is to be asked for what. Pure. */
#ifndef CP_SIP_REFER_TO_H
#define CP_SIP_REFER_TO_H

#include <stdbool.h>

#include "ctrlplane/base/slice.h"

#define CP_SIP_URI_MAX 256    /* octets of a URI with its NUL */
#define CP_SIP_HEADER_MAX 512 /* the same of a header that a URI carries */
#define CP_SIP_METHOD_MAX 16

enum cp_sip_refer_method {
	CP_SIP_REFER_INVITE = 0,
	CP_SIP_REFER_BYE,
	CP_SIP_REFER_REFER,
	CP_SIP_REFER_OTHER, /* one that a focus does not send for others */
};

/* Strings that are absent are "". */
struct cp_sip_refer_to {
	char uri[CP_SIP_URI_MAX]; /* to be asked; without method and headers */
	enum cp_sip_refer_method method;
	char content_id[CP_SIP_URI_MAX]; /* the list in this body part is meant; then uri is "" */
	/* headers for that request */
	char replaces[CP_SIP_HEADER_MAX];
	char join[CP_SIP_HEADER_MAX];
	char refer_to[CP_SIP_HEADER_MAX];
};

/*
 * The value of the header: a name-addr or a bare URI. 0; -EINVAL: malformed, or a body or several values in it; -EAFNOSUPPORT: a
 * scheme other than sip, sips, tel and cid; -ENAMETOOLONG. out is written on success only.
 */
int cp_sip_refer_to_decode(struct cp_sip_refer_to *out, const char *value);

/* The same of a URI that stands alone, as in a list of recipients. */
int cp_sip_refer_uri_decode(struct cp_sip_refer_to *out, struct cp_slice uri);

#endif
