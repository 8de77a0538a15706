/* Floor and chat in our own offers (RFC 3264 sections 5 and 8, RFC 8856 10.1 and 10.4). */
#include "ctrlplane/sdp/peer.h"
#include "ctrlplane/sdp/stream.h"

#define NO_LINE UINT8_MAX

/* Where an m-line of the service stands already, in use or refused; else a new one. NO_LINE: there is no room. */
static uint8_t
place(struct cp_sdp_session *next, enum cp_sdp_service service, enum cp_sdp_stream_mode mode)
{
	static const char *const media[CP_SDP_SERVICES] = {"application", "message"};
	enum cp_sdp_service found;
	uint8_t i = 0;

	while (i < next->mline_count &&
	       (!cp_sdp_service_find(&found, cp_slice_text(next->mlines[i].media),
				     cp_slice_text(next->mlines[i].proto)) ||
		found != service))
		i++;
	if (i == CP_SDP_MLINES_MAX)
		return NO_LINE;
	if (i == next->mline_count)
		next->mline_count++;
	next->mlines[i] = (struct cp_sdp_mline){.format = "*"};
	cp_slice_copy(next->mlines[i].media, sizeof(next->mlines[i].media),
		      cp_slice_text(media[service]));
	cp_slice_copy(next->mlines[i].proto, sizeof(next->mlines[i].proto),
		      cp_slice_text(cp_sdp_stream_proto(service, mode)));
	return i;
}

/* What protects a stream of a call that this offer begins, or that goes on. */
static enum cp_sdp_stream_mode
wanted_mode(const struct cp_sdp_session *next)
{
	if (next->was_agreed)
		return cp_sdp_stream_mode_of(&next->media);
	if (next->has_mikey)
		return CP_SDP_STREAM_PSK;
	return cp_sdp_profile_is_secure(next->proposal.profile) ? CP_SDP_STREAM_CERTIFICATE
								: CP_SDP_STREAM_PLAIN;
}

static void
propose(struct cp_sdp_session *next, const struct cp_sdp_policy *policy,
	enum cp_sdp_service service)
{
	const struct cp_sdp_stream *before = &next->streams[service];
	struct cp_sdp_stream_offer *offer = &next->proposed[service];
	bool is_there = before->mode != CP_SDP_STREAM_NONE;

	if (is_there) {
		*offer = (struct cp_sdp_stream_offer){.mode = before->mode,
						      .mline = before->mline,
						      .cs_id = before->cs_id,
						      .is_new = policy->is_lost[service]};
		return;
	}
	*offer = (struct cp_sdp_stream_offer){.mode = wanted_mode(next), .is_new = true};
	/* Keys come with a message of the session's only: a message of the m-line's own would want a ticket of its own. */
	if (offer->mode == CP_SDP_STREAM_PSK && next->was_agreed &&
	    !(next->has_mikey && next->is_mikey_of_session)) {
		offer->mode = CP_SDP_STREAM_NONE;
		return;
	}
	offer->mline = place(next, service, offer->mode);
	if (offer->mline == NO_LINE)
		offer->mode = CP_SDP_STREAM_NONE;
}

void
cp_sdp_propose_streams(struct cp_sdp_result *out, const struct cp_sdp_policy *policy,
		       const struct cp_sdp_session *previous)
{
	struct cp_sdp_session *next = &out->next;

	if (next->was_agreed) {
		memcpy(next->streams, previous->streams, sizeof(next->streams));
		next->chat = previous->chat;
	}
	next->peer_origin = previous->peer_origin;
	for (int i = 0; i < CP_SDP_SERVICES; i++) {
		bool is_there = next->streams[i].mode != CP_SDP_STREAM_NONE;

		if (policy->takes[i] && !policy->ends[i] &&
		    (!next->was_agreed || is_there || policy->wants[i]))
			propose(next, policy, (enum cp_sdp_service)i);
	}
	/* One ticket keys all m-lines of a first offer. */
	for (int i = 0; i < CP_SDP_SERVICES && !next->was_agreed; i++)
		next->is_mikey_of_session |= next->proposed[i].mode == CP_SDP_STREAM_PSK;
	for (int i = 0; i < CP_SDP_SERVICES; i++)
		if (next->proposed[i].mode == CP_SDP_STREAM_PSK && next->proposed[i].cs_id == 0)
			next->proposed[i].cs_id = cp_sdp_first_cs(next, next->proposed[i].mline);
}

uint8_t
cp_sdp_first_cs(const struct cp_sdp_session *session, uint8_t mline)
{
	uint8_t cs_id = 1;

	for (int i = 0; i < mline && session->is_mikey_of_session; i++) {
		struct cp_slice proto = cp_slice_text(session->mlines[i].proto);
		enum cp_sdp_profile profile;
		bool is_rtp = cp_sdp_profile_find(&profile, proto);

		if (is_rtp ? cp_sdp_profile_is_secure(profile)
			   : cp_slice_has_prefix(proto, "TCP/TLS/"))
			cs_id = (uint8_t)(cs_id + 2);
	}
	return cs_id;
}
