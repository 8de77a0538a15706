/* a=key-mgmt lines: MIKEY in SDP (RFC 4567 sections 3.1 and 4.1). For this folder. */
#ifndef CP_SDP_KEYMGMT_H
#define CP_SDP_KEYMGMT_H

#include "ctrlplane/sdp/desc.h"
#include "ctrlplane/sdp/sdp.h"

/* What stands at one level. */
struct cp_keymgmt {
	struct cp_slice base64; /* of the one mikey line; empty: there is none */
	const char *why;	/* not NULL: a mikey line that cannot be taken, and why */
};

/* The mikey line among lines. */
struct cp_keymgmt cp_keymgmt_find(struct cp_slice lines);

/* One mikey line that cannot be taken, at whatever level, refuses the whole offer (4.1.2). Returns 0,
 * or the refusal in out. */
int cp_keymgmt_check(struct cp_sdp_result *out, const struct cp_desc *desc);

/*
 * The message of an m-line into out->mikey, cs_id and level into out, keying into media. A line at
 * media level overrides one at session level. Without one: a call keyed by MIKEY keeps its keys,
 * else media->keying stays what it was. Returns 0, or the refusal in out.
 */
int cp_sdp_choose_mikey(struct cp_sdp_media *media, struct cp_sdp_result *out,
			const struct cp_desc *desc, const struct cp_desc_media *section,
			const struct cp_sdp_media *before);

/* Two crypto sessions for each m-line under the session's message, in their order (profile, section 4): the first of the section's. */
uint8_t cp_keymgmt_first_cs(const struct cp_desc *desc, const struct cp_desc_media *section);

/* "mikey;other": the protocols of all a=key-mgmt lines, each once, in order (4.1.4). */
void cp_keymgmt_list(char *list, size_t size, const struct cp_desc *desc);

#endif
