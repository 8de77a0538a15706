/* The m-sections of floor and chat, as offered and as answered (RFC 8856 section 10, RFC 4975 section 8, RFC 7701 section 8). */
#include "ctrlplane/sdp/stream.h"
#include "ctrlplane/sdp/writer.h"

#include <inttypes.h>

#define LABEL_BASE 10 /* labels are tokens; some read them as numbers */

/* What the section says, from the proposal or from what was agreed. */
struct section {
	const struct cp_sdp_session *session;
	const struct cp_sdp_local *local;
	enum cp_sdp_service service;
	enum cp_sdp_stream_mode mode;
	uint8_t mline;
	enum cp_sdp_setup setup;
	bool says_new, has_mikey, has_cema;
	uint8_t dirs;
};

static struct section
section_of(const struct cp_sdp_session *session, const struct cp_sdp_local *local,
	   enum cp_sdp_service service)
{
	const struct cp_sdp_stream *agreed = &session->streams[service];
	const struct cp_sdp_stream_offer *offer = &session->proposed[service];
	struct section s = {
		.session = session,
		.local = local,
		.service = service,
		.mode = cp_sdp_stream_mode(session, service),
	};

	if (session->phase == CP_SDP_OFFERED) {
		s.mline = offer->mline;
		s.setup = CP_SDP_ACTPASS;
		s.says_new = offer->is_new;
		s.has_cema = true;
		s.dirs = CP_SDP_RECEIVE | CP_SDP_SEND;
	} else {
		s.mline = agreed->mline;
		s.setup = agreed->setup;
		s.says_new = agreed->says_new;
		s.has_mikey = agreed->has_mikey;
		s.has_cema = session->chat.has_cema;
		s.dirs = agreed->dirs;
	}
	if (local->streams[service].family == DP_FAMILY_NONE)
		s.mode = CP_SDP_STREAM_NONE; /* nothing of ours to connect to */
	return s;
}

static bool
find_section(struct section *out, const struct cp_sdp_session *session,
	     const struct cp_sdp_local *local, uint8_t mline)
{
	for (int i = 0; i < CP_SDP_SERVICES; i++) {
		*out = section_of(session, local, (enum cp_sdp_service)i);
		if (out->mode != CP_SDP_STREAM_NONE && out->mline == mline)
			return true;
	}
	return false;
}

/* Which m-lines a floor controls here, as labels; none: the floor is not named. */
struct labels {
	uint8_t count;
	uint8_t mlines[2];
};

static struct labels
labels_of(const struct cp_sdp_session *session, const struct cp_sdp_local *local,
	  const struct cp_sdp_floor *floor)
{
	struct section chat = section_of(session, local, CP_SDP_CHAT);
	struct labels l = {0};

	if (floor->has_audio && cp_sdp_has_audio(session))
		l.mlines[l.count++] = session->audio;
	if (floor->has_chat && chat.mode != CP_SDP_STREAM_NONE)
		l.mlines[l.count++] = chat.mline;
	return l;
}

void
cp_sdp_put_label(struct cp_sdp_writer *w, const struct cp_sdp_session *session,
		 const struct cp_sdp_local *local, uint8_t mline)
{
	struct section floor = section_of(session, local, CP_SDP_FLOOR);

	for (int i = 0; i < local->floor_count && floor.mode != CP_SDP_STREAM_NONE; i++) {
		struct labels l = labels_of(session, local, &local->floors[i]);

		for (int j = 0; j < l.count; j++) {
			if (l.mlines[j] != mline)
				continue;
			cp_sdp_put(w, "a=label:%u\r\n", LABEL_BASE + mline);
			return;
		}
	}
}

static void
put_floors(struct cp_sdp_writer *w, const struct section *s)
{
	const struct cp_sdp_local *local = s->local;

	cp_sdp_put(w, "a=floorctrl:s-only\r\na=confid:%" PRIu32 "\r\na=userid:%u\r\n",
		   local->confid, local->userid);
	for (int i = 0; i < local->floor_count; i++) {
		struct labels l = labels_of(s->session, local, &local->floors[i]);

		for (int j = 0; j < l.count; j++) {
			if (j == 0)
				cp_sdp_put(w, "a=floorid:%u mstrm:%u", local->floors[i].id,
					   LABEL_BASE + l.mlines[j]);
			else
				cp_sdp_put(w, " %u", LABEL_BASE + l.mlines[j]);
		}
		if (l.count > 0)
			cp_sdp_put(w, "\r\n");
	}
	cp_sdp_put(w, "a=bfcpver:1\r\na=connection:%s\r\n", s->says_new ? "new" : "existing");
}

static void
put_chat(struct cp_sdp_writer *w, const struct section *s)
{
	const struct cp_sdp_local *local = s->local;

	cp_sdp_put(w, "a=accept-types:message/cpim\r\na=accept-wrapped-types:*\r\n");
	if (local->max_size != 0)
		cp_sdp_put(w, "a=max-size:%" PRIu64 "\r\n", local->max_size);
	cp_sdp_put(w, "a=path:%s\r\n", local->path);
	if (s->has_cema)
		cp_sdp_put(w, "a=msrp-cema\r\n");
	cp_sdp_put(w, "a=chatroom%s%s%s%s\r\n",
		   local->has_nicknames || local->has_private ? ":" : "",
		   local->has_nicknames ? "nickname" : "",
		   local->has_nicknames && local->has_private ? " " : "",
		   local->has_private ? "private-messages" : "");
	if (s->dirs != (CP_SDP_RECEIVE | CP_SDP_SEND))
		cp_sdp_put(w, "a=%s\r\n", cp_sdp_direction_name(s->dirs));
}

/* Without audio: the call's message stands in the m-line that it keys. */
static bool
is_main(const struct section *s)
{
	return !cp_sdp_has_audio(s->session) && s->session->has_mikey &&
	       !s->session->is_mikey_of_session && s->mode == CP_SDP_STREAM_PSK &&
	       !s->session->streams[s->service].is_own_mikey;
}

bool
cp_sdp_put_stream(struct cp_sdp_writer *w, const struct cp_sdp_session *session,
		  const struct cp_sdp_local *local, uint8_t mline)
{
	static const char *const setups[] = {
		[CP_SDP_PASSIVE] = "passive",
		[CP_SDP_ACTIVE] = "active",
		[CP_SDP_ACTPASS] = "actpass",
		[CP_SDP_HOLDCONN] = "holdconn",
	};
	const struct cp_sdp_mline *line = &session->mlines[mline];
	const struct dp_addr *at;
	struct section s;
	bool is_open;

	if (!find_section(&s, session, local, mline))
		return false;
	at = &local->streams[s.service];
	is_open = s.setup == CP_SDP_PASSIVE || s.setup == CP_SDP_ACTPASS;
	cp_sdp_put(w, "m=%s %u %s *\r\n", line->media, is_open ? at->port : CP_SDP_DISCARD_PORT,
		   line->proto);
	if (at->family != local->rtp.family || memcmp(at->ip, local->rtp.ip, sizeof(at->ip)) != 0) {
		cp_sdp_put(w, "c=IN ");
		cp_sdp_put_address(w, at);
		cp_sdp_put(w, "\r\n");
	}
	cp_sdp_put(w, "a=setup:%s\r\n", setups[s.setup]);
	if (s.mode == CP_SDP_STREAM_CERTIFICATE)
		cp_sdp_put(w, "a=fingerprint:%s\r\n", local->fingerprint);
	if (s.has_mikey)
		cp_sdp_put_mikey(w, local->stream_mikey[s.service]);
	else if (is_main(&s))
		cp_sdp_put_mikey(w, local->mikey);
	if (s.service == CP_SDP_FLOOR)
		put_floors(w, &s);
	else
		put_chat(w, &s);
	cp_sdp_put_label(w, session, local, mline);
	return true;
}
