/* The headers that name a dialog: Replaces (RFC 3891 6.1), Join (RFC 3911 7.1), Target-Dialog (RFC 4538 7). Pure. */
#ifndef CP_SIP_DIALOG_ID_H
#define CP_SIP_DIALOG_ID_H

#include <stdbool.h>

#define CP_SIP_CALL_ID_MAX 256
#define CP_SIP_TAG_MAX 128

/* A dialog as we see it. */
struct cp_sip_dialog_id {
	char call_id[CP_SIP_CALL_ID_MAX];
	char local_tag[CP_SIP_TAG_MAX]; /* ours */
	char remote_tag[CP_SIP_TAG_MAX];
	bool is_early_only; /* Replaces only */
};

enum cp_sip_dialog_header {
	CP_SIP_REPLACES, /* to-tag is our tag, from-tag the peer's */
	CP_SIP_JOIN,
	CP_SIP_TARGET_DIALOG, /* local-tag is our tag, remote-tag the peer's */
};

/*
 * The value of one header. 0; -EINVAL: no Call-ID, a tag that is missing or comes twice, a character that may not be there;
 * -ENAMETOOLONG. out is written on success only.
 */
int cp_sip_dialog_id_decode(struct cp_sip_dialog_id *out, const char *value,
			    enum cp_sip_dialog_header header);

/* Are both the same dialog? A tag "0" is also no tag (RFC 3891 6.1). */
bool cp_sip_dialog_is_same(const struct cp_sip_dialog_id *named,
			   const struct cp_sip_dialog_id *dialog);

#endif
