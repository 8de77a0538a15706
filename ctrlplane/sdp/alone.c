/* Offers without audio: chat or floor control alone, as RFC 7701 clients make them. Their leg has media that neither sends nor takes. */
#include "ctrlplane/sdp/keymgmt.h"
#include "ctrlplane/sdp/peer.h"
#include "ctrlplane/sdp/stream.h"

#define PTIME_MS 20

/* The first m-line that a stream may be. */
static const struct cp_desc_media *
first_stream(const struct cp_desc *desc, const struct cp_sdp_policy *policy)
{
	for (size_t i = 0; i < desc->media_count; i++) {
		const struct cp_desc_media *m = &desc->media[i];
		enum cp_sdp_service service;

		if (m->port != 0 && cp_sdp_service_find(&service, m->media, m->proto) &&
		    policy->takes[service])
			return m;
	}
	return NULL;
}

bool
cp_sdp_is_alone(const struct cp_desc *desc, const struct cp_sdp_policy *policy,
		const struct cp_sdp_session *previous)
{
	if (previous->was_agreed)
		return !cp_sdp_has_audio(previous);
	for (size_t i = 0; i < desc->media_count; i++)
		if (cp_slice_is_nocase(desc->media[i].media, "audio") && desc->media[i].port != 0)
			return false;
	return first_stream(desc, policy) != NULL;
}

static enum cp_sdp_keying
keying_without_mikey(const struct cp_sdp_policy *policy, const struct cp_desc_media *first)
{
	if (policy->security == CP_SDP_PLAIN)
		return CP_SDP_UNKEYED;
	if (policy->security == CP_SDP_EITHER && !cp_slice_has_prefix(first->proto, "TCP/TLS/"))
		return CP_SDP_UNKEYED;
	return CP_SDP_SDES;
}

/* Of the leg: SRTP without keys, either direction off. Nothing that comes authenticates, nothing goes out. */
static void
put_silence(struct cp_sdp_media *media)
{
	media->profile = CP_SDP_SAVP;
	media->rx_count = 1;
	media->rx[0] = media->tx = (struct cp_sdp_codec){.codec = DP_CODEC_PCMU};
	media->ptime_ms = PTIME_MS;
}

int
cp_sdp_answer_alone(struct cp_sdp_result *out, const struct cp_desc *desc,
		    const struct cp_sdp_policy *policy, const struct cp_sdp_media *before,
		    bool may_mikey)
{
	const struct cp_desc_media *first = first_stream(desc, policy);
	struct cp_sdp_media *media = &out->next.media;
	int status;

	if (first == NULL)
		return cp_sdp_refuse(out, 488, CP_SDP_WARN_MEDIA, "no audio m-line");
	out->next.audio = CP_SDP_NO_AUDIO;
	put_silence(media);
	if (may_mikey) {
		status = cp_sdp_choose_mikey(media, out, desc, first, NULL);
		if (status != 0)
			return status;
		out->srtp_lines = 0;
	}
	if (media->keying == CP_SDP_MIKEY_TICKET)
		return 0;
	if (before != NULL)
		media->keying = before->keying;
	else if (policy->security == CP_SDP_MIKEY)
		return cp_sdp_refuse(out, 488, CP_SDP_WARN_ATTRIBUTE,
				     "this conference wants a=key-mgmt:mikey (RFC 4567, "
				     "MIKEY-TICKET)");
	else
		media->keying = keying_without_mikey(policy, first);
	return 0;
}

int
cp_sdp_check_alone(struct cp_sdp_result *out)
{
	const char *why = NULL;

	for (int i = 0; i < CP_SDP_SERVICES; i++) {
		if (out->next.streams[i].mode != CP_SDP_STREAM_NONE)
			return 0;
		if (out->stream_why[i] != NULL)
			why = out->stream_why[i];
	}
	return cp_sdp_refuse(out, 488, CP_SDP_WARN_MEDIA, why ? why : "no audio m-line");
}
