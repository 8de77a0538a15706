/* Making an offer and taking its answer (RFC 3264 sections 5 and 8, RFC
 * 4568 5.1.1, 5.1.3, 7.1.1, 7.1.3). */
#include "ctrlplane/sdp/sdp.h"

#include <errno.h>
#include "ctrlplane/sdp/codec.h"
#include "ctrlplane/sdp/keymgmt.h"
#include "ctrlplane/sdp/peer.h"
#include "ctrlplane/sdp/stream.h"

#define PT_DYNAMIC_MIN 96
#define PT_DYNAMIC_MAX 127

static bool
is_taken(const struct cp_sdp_media *media, uint8_t pt)
{
	for (int i = 0; i < media->rx_count; i++)
		if (media->rx[i].pt == pt)
			return true;
	return media->dtmf_pt != 0 && media->dtmf_pt == pt;
}

static uint8_t
free_pt(const struct cp_sdp_media *media, uint8_t wanted)
{
	if (!is_taken(media, wanted))
		return wanted;
	for (uint8_t pt = PT_DYNAMIC_MIN; pt <= PT_DYNAMIC_MAX; pt++)
		if (!is_taken(media, pt))
			return pt;
	return wanted;
}

/* What was agreed keeps its numbers (RFC 3264 8.3.2); what the policy has besides follows. */
static void
propose_codecs(struct cp_sdp_media *media, const struct cp_sdp_policy *policy)
{
	if (media->dtmf_pt == 0)
		media->dtmf_pt = free_pt(media, CP_CODEC_DTMF_PT);
	for (int i = 0; i < policy->codec_count && media->rx_count < CP_SDP_CODECS_MAX; i++) {
		const struct cp_codec_info *info =
			cp_codec_info((enum dp_codec_id)policy->codecs[i]);
		bool has = info == NULL;

		for (int j = 0; j < media->rx_count && !has; j++)
			has = media->rx[j].codec == policy->codecs[i];
		if (has)
			continue;
		media->rx[media->rx_count] =
			(struct cp_sdp_codec){policy->codecs[i], free_pt(media, info->pt)};
		media->rx_count++;
	}
	media->tx = media->rx[0];
}

static int
propose_keys(struct cp_sdp_session *next, const struct cp_sdp_media *before,
	     const struct cp_sdp_policy *policy)
{
	struct cp_sdp_offered *offered = next->offered;

	/* no a=key-mgmt in a later offer: the keys stay */
	next->has_mikey = before ? before->keying == CP_SDP_MIKEY_TICKET && policy->wants_new_key
				 : policy->security == CP_SDP_MIKEY ||
					   (policy->security == CP_SDP_EITHER && policy->may_mikey);
	if (before ? before->keying == CP_SDP_MIKEY_TICKET : policy->security == CP_SDP_MIKEY)
		return 0;
	if (before != NULL) {
		offered->tag = before->crypto_tag;
		if (!policy->wants_new_key)
			offered->key = cp_key_copy(&before->tx_key);
		else if (policy->make_key(&offered->key, before->suite) < 0)
			return -ENOMEM;
		if (policy->wants_new_key)
			cp_sdp_set_mki(&offered->key, before->tx_key.mki_len, &before->tx_key);
		next->offered_count = 1;
		return 0;
	}
	for (int i = 0; i < policy->suite_count; i++) {
		if (policy->make_key(&offered[i].key, (enum dp_suite)policy->suites[i]) < 0)
			return -ENOMEM;
		offered[i].tag = (uint32_t)i + 1;
		next->offered_count++;
	}
	return 0;
}

static void
propose_mlines(struct cp_sdp_session *next, const struct cp_sdp_session *previous)
{
	if (previous->mline_count > 0) {
		memcpy(next->mlines, previous->mlines, sizeof(next->mlines));
		next->mline_count = previous->mline_count;
		next->audio = previous->audio;
		return;
	}
	next->mline_count = 1;
	next->audio = 0;
	cp_slice_copy(next->mlines[0].media, sizeof(next->mlines[0].media), cp_slice_text("audio"));
	cp_slice_copy(next->mlines[0].proto, sizeof(next->mlines[0].proto),
		      cp_slice_text(cp_sdp_profile_name(next->proposal.profile)));
}

int
cp_sdp_offer(struct cp_sdp_result *out, const struct cp_sdp_policy *policy,
	     const struct cp_sdp_session *previous)
{
	const struct cp_sdp_media *before = previous->was_agreed ? &previous->media : NULL;
	struct cp_sdp_session *next = &out->next;
	struct cp_sdp_media *proposal = &next->proposal;
	bool is_secure = before ? before->suite != DP_SUITE_NONE : policy->security != CP_SDP_PLAIN;

	memset(out, 0, sizeof(*out));
	if (before != NULL && !cp_sdp_has_audio(previous))
		return cp_sdp_refuse(out, 488, CP_SDP_WARN_MEDIA,
				     "we make no offer to who has no audio");
	if (before != NULL) {
		next->media = cp_sdp_media_copy(before);
		proposal->profile = before->profile;
		proposal->rx_count = before->rx_count;
		memcpy(proposal->rx, before->rx, sizeof(proposal->rx));
		proposal->dtmf_pt = before->dtmf_pt;
		proposal->ptime_ms = before->ptime_ms;
		proposal->is_srtcp_plain = before->is_srtcp_plain;
	} else {
		proposal->profile = is_secure ? CP_SDP_SAVP : CP_SDP_AVP;
		proposal->ptime_ms = policy->ptime_ms;
	}
	proposal->dirs = CP_SDP_RECEIVE | CP_SDP_SEND;
	proposal->has_mux = policy->may_mux && (before == NULL || before->has_mux);
	proposal->has_rtcp = true;
	propose_codecs(proposal, policy);
	propose_mlines(next, previous);
	if (is_secure && propose_keys(next, before, policy) < 0) {
		cp_sdp_drop(out);
		return cp_sdp_refuse(out, 500, CP_SDP_WARN_OTHER, "no key could be made");
	}
	next->is_mikey_of_session = before != NULL && previous->is_mikey_of_session;
	next->phase = CP_SDP_OFFERED;
	next->was_agreed = before != NULL;
	next->is_offer = true;
	cp_sdp_propose_streams(out, policy, previous);
	next->id = previous->version ? previous->id : policy->make_session_id();
	next->version = previous->version + 1;
	return 0;
}

/* Exactly one line, and it is one of ours (RFC 4568 5.1.3). */
static int
accept_crypto(struct cp_sdp_result *out, const struct cp_desc *desc,
	      const struct cp_desc_media *section, const struct cp_sdp_policy *policy,
	      const struct cp_sdp_session *previous)
{
	struct cp_sdp_media *media = &out->next.media;
	struct cp_slice rest = section->lines, value;
	struct cp_sdp_policy any = *policy;
	const struct cp_sdp_offered *offered = NULL;
	int status;

	any.suite_count = previous->offered_count;
	for (int i = 0; i < CP_SDP_SUITES_MAX; i++)
		any.suites[i] = (uint8_t)previous->offered[i].key.suite;
	any.may_plain_srtcp = previous->proposal.is_srtcp_plain;
	status = cp_sdp_choose_crypto(media, out, section, &any);
	if (status != 0)
		return status;
	if (cp_desc_attribute(&rest, "crypto", &value) &&
	    cp_desc_attribute(&rest, "crypto", &value))
		return cp_sdp_refuse(out, 488, CP_SDP_WARN_OTHER,
				     "the answer has more than one a=crypto line");
	for (int i = 0; i < previous->offered_count; i++) {
		if (previous->offered[i].tag == media->crypto_tag &&
		    previous->offered[i].key.suite == media->suite)
			offered = &previous->offered[i];
		if (cp_sdp_has_key(desc, &previous->offered[i].key))
			return cp_sdp_refuse(out, 488, CP_SDP_WARN_OTHER,
					     "the answer has our own key");
	}
	if (offered == NULL || media->is_srtcp_plain != previous->proposal.is_srtcp_plain)
		return cp_sdp_refuse(out, 488, CP_SDP_WARN_OTHER,
				     "the answer's a=crypto line has not the tag, suite and "
				     "parameters of one that we offered");
	media->tx_key = cp_key_copy(&offered->key);
	media->keying = CP_SDP_SDES;
	return 0;
}

/* MIKEY where we offered it and the answer has it, else SDES where we offered that. */
static int
accept_keys(struct cp_sdp_result *out, const struct cp_desc *desc,
	    const struct cp_desc_media *section, const struct cp_sdp_policy *policy,
	    const struct cp_sdp_session *previous)
{
	const struct cp_sdp_media *before = previous->was_agreed ? &previous->media : NULL;
	bool is_keyed = before != NULL && before->keying == CP_SDP_MIKEY_TICKET;
	int status = 0;

	if (previous->has_mikey || is_keyed)
		status = cp_sdp_choose_mikey(&out->next.media, out, desc, section, before);
	if (status != 0)
		return status;
	if (out->mikey.len > 0 && (!previous->has_mikey ||
				   out->next.is_mikey_of_session != previous->is_mikey_of_session))
		return cp_sdp_refuse(out, 488, CP_SDP_WARN_ATTRIBUTE,
				     "the answer has a=key-mgmt where the offer has none");
	if (out->next.media.keying == CP_SDP_MIKEY_TICKET &&
	    previous->has_mikey == (out->mikey.len > 0))
		return 0;
	if (previous->has_mikey && previous->offered_count == 0)
		return cp_sdp_refuse(out, 488, CP_SDP_WARN_ATTRIBUTE,
				     "the answer has no a=key-mgmt:mikey");
	return previous->offered_count > 0 ? accept_crypto(out, desc, section, policy, previous)
					   : 0;
}

/* What the answer says, brought together with what we offered: we receive by our numbers and send
 * by the peer's. */
static int
accept_formats(struct cp_sdp_result *out, const struct cp_sdp_media *proposal)
{
	struct cp_sdp_media *media = &out->next.media;
	struct cp_sdp_codec theirs[CP_SDP_CODECS_MAX];
	uint8_t count = media->rx_count;

	memcpy(theirs, media->rx, sizeof(theirs));
	media->rx_count = 0;
	for (int i = 0; i < count; i++) {
		for (int j = 0; j < proposal->rx_count; j++) {
			if (proposal->rx[j].codec != theirs[i].codec)
				continue;
			if (media->rx_count == 0)
				media->tx = theirs[i];
			media->rx[media->rx_count++] = proposal->rx[j];
		}
	}
	media->dtmf_pt = media->tx_dtmf_pt != 0 ? proposal->dtmf_pt : 0;
	media->has_mux &= proposal->has_mux;
	if (media->rx_count == 0)
		return cp_sdp_refuse(out, 488, CP_SDP_WARN_FORMAT,
				     "the answer has no codec of those that we offered");
	return 0;
}

static int
accept_section(struct cp_sdp_result *out, const struct cp_desc *desc,
	       const struct cp_sdp_policy *policy, const struct cp_sdp_session *previous)
{
	const struct cp_sdp_media *before = previous->was_agreed ? &previous->media : NULL;
	const struct cp_desc_media *section;
	struct cp_sdp_policy reading = *policy;
	int status;

	if (desc->media_count != previous->mline_count)
		return cp_sdp_refuse(out, 488, CP_SDP_WARN_OTHER,
				     "the answer has not as many m-lines as the offer");
	section = &desc->media[previous->audio];
	if (!cp_slice_is_nocase(section->media, "audio") || section->port == 0)
		return cp_sdp_refuse(out, 488, CP_SDP_WARN_MEDIA, "the answer refuses the audio");
	reading.may_mux = previous->proposal.has_mux;
	status = cp_sdp_read_peer(&out->next.media, out, desc, section, &reading, before);
	if (status != 0)
		return status;
	if (out->next.media.profile != previous->proposal.profile)
		return cp_sdp_refuse(out, 488, CP_SDP_WARN_TRANSPORT,
				     "the answer has another transport than the offer");
	status = accept_formats(out, &previous->proposal);
	return status == 0 ? accept_keys(out, desc, section, policy, previous) : status;
}

int
cp_sdp_accept(struct cp_sdp_result *out, struct cp_slice answer, const struct cp_sdp_policy *policy,
	      const struct cp_sdp_session *previous)
{
	struct cp_sdp_session *next = &out->next;
	struct cp_desc desc;
	int status;

	memset(out, 0, sizeof(*out));
	if (previous->phase != CP_SDP_OFFERED)
		return cp_sdp_refuse(out, 500, CP_SDP_WARN_OTHER, "an answer without an offer");
	if (answer.len > CP_SDP_INPUT_MAX)
		return cp_sdp_refuse(out, 488, CP_SDP_WARN_OTHER, "a longer SDP than we read");
	if (cp_desc_decode(&desc, answer) < 0)
		return cp_sdp_refuse_malformed(out, &desc);
	status = accept_section(out, &desc, policy, previous);
	if (status != 0) {
		cp_sdp_drop(out);
		return status;
	}
	memcpy(next->mlines, previous->mlines, sizeof(next->mlines));
	next->mline_count = previous->mline_count;
	next->audio = previous->audio;
	next->phase = CP_SDP_AGREED;
	next->was_agreed = true;
	next->is_offer = true;
	next->id = previous->id;
	next->version = previous->version;
	out->changes = cp_sdp_changes(previous->was_agreed ? &previous->media : NULL, &next->media);
	cp_sdp_accept_streams(out, &desc, previous);
	out->changes |= cp_sdp_stream_changes(previous, next);
	return 0;
}
