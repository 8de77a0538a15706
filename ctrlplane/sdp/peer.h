/* Reading the peer's audio m-section: what offer and answer have in common. For this folder. */
#ifndef CP_SDP_PEER_H
#define CP_SDP_PEER_H

#include "ctrlplane/sdp/desc.h"
#include "ctrlplane/sdp/sdes.h"
#include "ctrlplane/sdp/sdp.h"

/* Warning codes of RFC 3261 20.43, as used here. */
enum cp_sdp_warning {
	CP_SDP_WARN_NETWORK = 301,   /* incompatible network address formats */
	CP_SDP_WARN_TRANSPORT = 302, /* incompatible transport protocol */
	CP_SDP_WARN_MEDIA = 304,     /* media type not available */
	CP_SDP_WARN_FORMAT = 305,    /* incompatible media format */
	CP_SDP_WARN_ATTRIBUTE = 306, /* attribute not understood: RFC 4567 4.1.2 */
	CP_SDP_WARN_MULTICAST = 330, /* multicast not available */
	CP_SDP_WARN_OTHER = 399,
};

/* Write a refusal; the text is cut to fit, quotes and what does not print are replaced. Returns
 * status. */
int cp_sdp_refuse(struct cp_sdp_result *out, uint16_t status, uint16_t warning, const char *text);

/* The same for text that the parser found wrong: "line 7 of the SDP: …". */
int cp_sdp_refuse_malformed(struct cp_sdp_result *out, const struct cp_desc *desc);

/* False: none of the four. */
bool cp_sdp_profile_find(enum cp_sdp_profile *out, struct cp_slice proto);
bool cp_sdp_profile_is_secure(enum cp_sdp_profile profile);

/*
 * All of the section but crypto into media: profile, addresses, direction, codecs that the policy
 * has (rx and tx with the peer's numbers), DTMF, ptime, mux, RTCP. before: what was agreed, for
 * addresses through a hold; NULL: nothing was. Returns 0, or the refusal in out.
 */
int cp_sdp_read_peer(struct cp_sdp_media *media, struct cp_sdp_result *out,
		     const struct cp_desc *desc, const struct cp_desc_media *section,
		     const struct cp_sdp_policy *policy, const struct cp_sdp_media *before);

/* Choose among the a=crypto lines: tag, suite, rx keys, flags into media. Returns 0, or the refusal
 * in out. */
int cp_sdp_choose_crypto(struct cp_sdp_media *media, struct cp_sdp_result *out,
			 const struct cp_desc_media *section, const struct cp_sdp_policy *policy);

/* A key of any a=crypto line of the whole description has these octets (RFC 4568 7.1.2: ours must
 * not). */
bool cp_sdp_has_key(const struct cp_desc *desc, const struct cp_key *key);

/* An MKI for a key of ours: as long as the peer's (0: none), one more than that of the key before (NULL: none), so that
 * a re-key can be told apart; never 0. */
void cp_sdp_set_mki(struct cp_key *key, uint8_t len, const struct cp_key *before);

/* enum cp_sdp_change between what was agreed (NULL: nothing) and what is now; keys are judged by
 * RFC 4568 6.4 and 7.1.4. */
uint32_t cp_sdp_changes(const struct cp_sdp_media *before, const struct cp_sdp_media *now);

void cp_sdp_media_drop(struct cp_sdp_media *media);
struct cp_sdp_media cp_sdp_media_copy(const struct cp_sdp_media *media);

#endif
