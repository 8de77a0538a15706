/* Reading a=key-mgmt: which MIKEY message keys an m-line (RFC 4567 3.1, 4.1), and what a whole
 * exchange does with it. The message itself is ctrlplane/mikey's. */
#include "ctrlplane/sdp/keymgmt.h"

#include <errno.h>
#include <stdio.h>
#include "ctrlplane/base/base64.h"
#include "ctrlplane/sdp/peer.h"

#define PROTOCOL "mikey" /* case matters: RFC 4567 section 3 */

struct cp_keymgmt
cp_keymgmt_find(struct cp_slice lines)
{
	struct cp_keymgmt found = {0};
	struct cp_slice value, protocol;
	uint8_t octets[CP_SDP_MIKEY_MAX];
	int len;

	while (cp_desc_attribute(&lines, "key-mgmt", &value)) {
		if (!cp_slice_word(&value, &protocol) || !cp_slice_is(protocol, PROTOCOL))
			continue;
		if (found.base64.len > 0) {
			found.why = "two a=key-mgmt:mikey lines at one level";
			return found;
		}
		found.base64 = cp_slice_trim(value);
		len = cp_base64_decode(octets, sizeof(octets), found.base64);
		if (len == -ENOSPC)
			found.why = "a longer MIKEY message than is read";
		else if (len <= 0)
			found.why = "a=key-mgmt:mikey without a message in base64";
		if (found.why != NULL)
			return found;
	}
	return found;
}

int
cp_keymgmt_check(struct cp_sdp_result *out, const struct cp_desc *desc)
{
	const char *why = cp_keymgmt_find(desc->session_lines).why;

	for (size_t i = 0; i < desc->media_count && why == NULL; i++)
		why = cp_keymgmt_find(desc->media[i].lines).why;
	return why ? cp_sdp_refuse(out, 488, CP_SDP_WARN_OTHER, why) : 0;
}

static bool
is_protocol(struct cp_slice protocol)
{
	for (size_t i = 0; i < protocol.len; i++) {
		char c = protocol.ptr[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')))
			return false;
	}
	return protocol.len > 0;
}

static bool
is_listed(const char *list, struct cp_slice protocol)
{
	struct cp_slice rest = cp_slice_text(list), part;

	while (cp_slice_split(&rest, ';', &part))
		if (cp_slice_is_same(part, protocol))
			return true;
	return false;
}

static void
list_lines(char *list, size_t size, struct cp_slice lines)
{
	struct cp_slice value, protocol;

	while (cp_desc_attribute(&lines, "key-mgmt", &value)) {
		size_t len = strlen(list);

		if (!cp_slice_word(&value, &protocol) || !is_protocol(protocol) ||
		    is_listed(list, protocol) || len + protocol.len + 2 > size)
			continue;
		snprintf(list + len, size - len, "%s%.*s", len > 0 ? ";" : "", (int)protocol.len,
			 protocol.ptr);
	}
}

void
cp_keymgmt_list(char *list, size_t size, const struct cp_desc *desc)
{
	list[0] = '\0';
	list_lines(list, size, desc->session_lines);
	for (size_t i = 0; i < desc->media_count; i++)
		list_lines(list, size, desc->media[i].lines);
}

/* Would the message at session level key this m-line? */
static bool
is_under_session(const struct cp_desc_media *section)
{
	struct cp_keymgmt own = cp_keymgmt_find(section->lines);
	enum cp_sdp_profile profile;

	if (own.base64.len > 0 || own.why != NULL)
		return false;
	if (cp_sdp_profile_find(&profile, section->proto))
		return cp_sdp_profile_is_secure(profile);
	return cp_slice_has_prefix(section->proto, "TCP/TLS/");
}

uint8_t
cp_keymgmt_first_cs(const struct cp_desc *desc, const struct cp_desc_media *section)
{
	unsigned int cs_id = 1;

	for (const struct cp_desc_media *m = desc->media; m < section; m++)
		if (is_under_session(m))
			cs_id += 2;
	return (uint8_t)cs_id;
}

static uint8_t
count_srtp(const struct cp_desc *desc)
{
	enum cp_sdp_profile profile;
	uint8_t count = 0;

	for (size_t i = 0; i < desc->media_count; i++)
		count += is_under_session(&desc->media[i]) &&
			 cp_sdp_profile_find(&profile, desc->media[i].proto);
	return count;
}

int
cp_sdp_choose_mikey(struct cp_sdp_media *media, struct cp_sdp_result *out,
		    const struct cp_desc *desc, const struct cp_desc_media *section,
		    const struct cp_sdp_media *before)
{
	struct cp_keymgmt found = cp_keymgmt_find(section->lines);
	bool is_of_session = found.base64.len == 0 && found.why == NULL;

	if (is_of_session)
		found = cp_keymgmt_find(desc->session_lines);
	if (found.why != NULL)
		return cp_sdp_refuse(out, 488, CP_SDP_WARN_OTHER, found.why);
	if (found.base64.len > 0) {
		media->keying = CP_SDP_MIKEY_TICKET;
		out->mikey = found.base64;
		out->cs_id = is_of_session ? cp_keymgmt_first_cs(desc, section) : 1;
		out->srtp_lines = is_of_session ? count_srtp(desc) : 1;
		out->next.has_mikey = true;
		out->next.is_mikey_of_session = is_of_session;
		cp_keymgmt_list(out->protocols, sizeof(out->protocols), desc);
		return 0;
	}
	if (before != NULL && before->keying == CP_SDP_MIKEY_TICKET) {
		struct cp_sdp_media kept = cp_sdp_media_copy(before);

		media->keying = kept.keying;
		media->suite = kept.suite;
		media->rx_key_count = kept.rx_key_count;
		memcpy(media->rx_keys, kept.rx_keys, sizeof(media->rx_keys));
		media->tx_key = kept.tx_key;
	}
	return 0;
}

int
cp_sdp_mikey_octets(uint8_t *octets, size_t size, const struct cp_sdp_result *result)
{
	return cp_base64_decode(octets, size, result->mikey);
}

void
cp_sdp_set_keys(struct cp_sdp_result *result, const struct cp_sdp_session *previous,
		const struct cp_key *rx, const struct cp_key *tx, bool is_new_stream)
{
	struct cp_sdp_media *media = &result->next.media;
	const struct cp_sdp_media *before = previous->was_agreed ? &previous->media : NULL;

	for (int i = 0; i < CP_SDP_RX_KEYS_MAX; i++)
		cp_key_drop(&media->rx_keys[i]);
	cp_key_drop(&media->tx_key);
	media->suite = rx->suite;
	media->rx_key_count = 1;
	media->rx_keys[0] = cp_key_copy(rx);
	media->tx_key = cp_key_copy(tx);
	result->changes = cp_sdp_changes(before, media) | (result->changes & CP_SDP_CHANGE_STREAMS);
	result->changes &= ~(uint32_t)(CP_SDP_CHANGE_TX_FRESH | CP_SDP_CHANGE_RX_FRESH);
	if (is_new_stream && result->changes & CP_SDP_CHANGE_RX_KEY)
		result->changes |= CP_SDP_CHANGE_RX_FRESH;
}
