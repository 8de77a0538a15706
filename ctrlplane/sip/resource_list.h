/*
 * Lists of recipients, application/resource-lists+xml (RFC 4826), with to, cc, bcc and anonymize (RFC 5364): what a creator or a
 * REFER names, and what those who are invited are shown. Pure.
 */
#ifndef CP_SIP_RESOURCE_LIST_H
#define CP_SIP_RESOURCE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "ctrlplane/base/slice.h"
#include "ctrlplane/conf/identity.h"

#define CP_SIP_LIST_OCTETS_MAX 65536
#define CP_SIP_LIST_DEPTH_MAX 16
#define CP_SIP_LIST_URI_MAX 1024 /* with method and headers */

enum cp_sip_copy {
	CP_SIP_COPY_TO = 0, /* the highest precedence first */
	CP_SIP_COPY_CC,
	CP_SIP_COPY_BCC, /* where nothing is said (RFC 5364 4) */
};

struct cp_sip_recipient {
	char uri[CP_SIP_LIST_URI_MAX];
	char identity[CP_IDENTITY_MAX]; /* canonical; each one stands in the list once */
	enum cp_sip_copy copy;
	bool is_anonymous; /* others are not to learn its URI */
};

/* Owner: who decoded it, frees it with cp_sip_list_free. */
struct cp_sip_list {
	struct cp_sip_recipient *items;
	size_t count;
};

/*
 * Entries of all lists in the document, doubles taken once (RFC 5363 4). 0; -EINVAL: not well formed, not such a document, or
 * nobody in it; -E2BIG: over max entries, too long or too deep; -EPERM: it has a document type or entities; -ENOMEM. out is
 * written on success only.
 */
int cp_sip_list_decode(struct cp_sip_list *out, struct cp_slice xml, size_t max);
void cp_sip_list_free(struct cp_sip_list *list);

/*
 * The body "recipient-list-history" (RFC 5364 6): to and cc, those who hide counted, bcc left out. Its length; 0: there is nobody to
 * be shown; -ENOSPC: it does not fit; -ENOMEM.
 */
int cp_sip_list_encode_history(char *out, size_t size, const struct cp_sip_list *list);

#endif
