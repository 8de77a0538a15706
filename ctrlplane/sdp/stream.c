/* The peer's m-lines for floor and chat: transport, who connects, a new connection or the one that is there, what protects it
 * (RFC 4145, 8122); and the answer to an offer of them. */
#include "ctrlplane/sdp/stream.h"

#include "ctrlplane/base/base64.h"
#include "ctrlplane/sdp/keymgmt.h"
#include "ctrlplane/sdp/peer.h"
#include "ctrlplane/tls/tls.h"

_Static_assert(CP_SDP_FINGERPRINT == CP_TLS_FINGERPRINT, "both are SHA-256");

static const struct {
	const char *name, *media, *suffix, *plain, *tls, *absent;
} services[CP_SDP_SERVICES] = {
	[CP_SDP_FLOOR] = {"floor", "application", "/BFCP", "TCP/BFCP", "TCP/TLS/BFCP",
			  "this conference has no floors"},
	[CP_SDP_CHAT] = {"chat", "message", "/MSRP", "TCP/MSRP", "TCP/TLS/MSRP",
			 "this conference has no chat"},
};

const char *
cp_sdp_service_name(enum cp_sdp_service service)
{
	return services[service].name;
}

const char *
cp_sdp_stream_proto(enum cp_sdp_service service, enum cp_sdp_stream_mode mode)
{
	return mode == CP_SDP_STREAM_PLAIN ? services[service].plain : services[service].tls;
}

bool
cp_sdp_service_find(enum cp_sdp_service *out, struct cp_slice media, struct cp_slice proto)
{
	for (int i = 0; i < CP_SDP_SERVICES; i++) {
		size_t len = strlen(services[i].suffix);

		if (!cp_slice_is_nocase(media, services[i].media) || proto.len < len ||
		    !cp_slice_is_nocase(cp_slice(proto.ptr + proto.len - len, len),
					services[i].suffix))
			continue;
		*out = (enum cp_sdp_service)i;
		return true;
	}
	return false;
}

enum cp_sdp_stream_mode
cp_sdp_stream_mode_of(const struct cp_sdp_media *media)
{
	static const enum cp_sdp_stream_mode modes[] = {
		[CP_SDP_UNKEYED] = CP_SDP_STREAM_PLAIN,
		[CP_SDP_SDES] = CP_SDP_STREAM_CERTIFICATE,
		[CP_SDP_MIKEY_TICKET] = CP_SDP_STREAM_PSK,
	};

	return modes[media->keying];
}

enum cp_sdp_stream_mode
cp_sdp_stream_mode(const struct cp_sdp_session *session, enum cp_sdp_service service)
{
	return session->phase == CP_SDP_OFFERED ? session->proposed[service].mode
						: session->streams[service].mode;
}

void
cp_sdp_refuse_stream(struct cp_sdp_result *result, enum cp_sdp_service service, const char *why)
{
	if (result->next.streams[service].mode == CP_SDP_STREAM_NONE)
		return;
	memset(&result->next.streams[service], 0, sizeof(result->next.streams[service]));
	if (service == CP_SDP_CHAT)
		memset(&result->next.chat, 0, sizeof(result->next.chat));
	result->stream_mikey[service] = cp_slice(NULL, 0);
	result->stream_why[service] = why;
	result->changes |= CP_SDP_CHANGE_STREAMS;
}

int
cp_sdp_stream_mikey_octets(uint8_t *octets, size_t size, const struct cp_sdp_result *result,
			   enum cp_sdp_service service)
{
	return cp_base64_decode(octets, size, result->stream_mikey[service]);
}

const char *
cp_sdp_read_target(struct dp_addr *out, const struct cp_desc_media *section)
{
	static const uint8_t zero[16];
	const struct dp_addr *c = &section->connection;

	if (!section->has_connection || section->is_name ||
	    memcmp(c->ip, zero, sizeof(zero)) == 0 ||
	    (c->family == DP_FAMILY_IP4 ? c->ip[0] >= 224 : c->ip[0] == 0xff))
		return "we are to connect, and it has no c= line with an address for that";
	*out = *c;
	out->port = section->port;
	return NULL;
}

/* An attribute that may stand at both levels: the section's before the session's. */
static bool
find_attribute(const struct cp_sdp_reading *r, const char *name, struct cp_slice *value)
{
	struct cp_slice rest = r->section->lines;

	if (cp_desc_attribute(&rest, name, value))
		return true;
	rest = r->desc->session_lines;
	return cp_desc_attribute(&rest, name, value);
}

static const char *
read_setup(struct cp_sdp_reading *r)
{
	static const char *const names[] = {
		[CP_SDP_PEER_ACTIVE] = "active",
		[CP_SDP_PEER_PASSIVE] = "passive",
		[CP_SDP_PEER_ACTPASS] = "actpass",
		[CP_SDP_PEER_HOLDCONN] = "holdconn",
	};
	struct cp_slice value;
	int i = CP_SDP_PEER_ACTIVE;

	if (!find_attribute(r, "setup", &value))
		return NULL;
	while (i <= CP_SDP_PEER_HOLDCONN && !cp_slice_is_nocase(cp_slice_trim(value), names[i]))
		i++;
	if (i > CP_SDP_PEER_HOLDCONN)
		return "its a=setup is none of RFC 4145";
	/* RFC 6135 4.2.1: as if it were not there */
	if (r->service == CP_SDP_CHAT && i == CP_SDP_PEER_HOLDCONN)
		return NULL;
	r->setup = (enum cp_sdp_peer_setup)i;
	return NULL;
}

/* Of several the first with SHA-256 (RFC 8122 5.1). */
static const char *
read_fingerprint(struct cp_sdp_reading *r)
{
	struct cp_slice rest = r->section->lines, value;

	if (!cp_desc_attribute(&rest, "fingerprint", &value))
		rest = r->desc->session_lines;
	else
		rest = r->section->lines;
	while (cp_desc_attribute(&rest, "fingerprint", &value))
		if (cp_tls_fingerprint_decode(r->stream.fingerprint, value) == 0)
			return NULL;
	return "it has no a=fingerprint with SHA-256, which TLS with certificates wants";
}

static const char *
read_mode(struct cp_sdp_reading *r, const struct cp_sdp_media *media)
{
	r->stream.mode = cp_sdp_stream_mode_of(media);
	r->is_tls = cp_slice_is_nocase(r->section->proto, services[r->service].tls);
	if (!r->is_tls && !cp_slice_is_nocase(r->section->proto, services[r->service].plain))
		return "it is not over TCP, or TCP with TLS";
	if (!r->is_tls)
		return r->stream.mode == CP_SDP_STREAM_PLAIN
			       ? NULL
			       : "it is without TLS, and the audio is protected";
	if (r->stream.mode == CP_SDP_STREAM_PSK)
		return NULL;
	r->stream.mode = CP_SDP_STREAM_CERTIFICATE; /* also beside plain RTP: more than was asked */
	return read_fingerprint(r);
}

static bool
is_same_line(const struct cp_sdp_reading *r, const struct cp_sdp_session *previous)
{
	const struct cp_sdp_stream *before = &previous->streams[r->service];

	return previous->was_agreed && before->mode != CP_SDP_STREAM_NONE &&
	       before->mline == r->stream.mline;
}

/* The crypto session that keys it: by its own message, or by its place under that of the session (profile, section 4). */
static const char *
read_keys(struct cp_sdp_reading *r, struct cp_sdp_result *out,
	  const struct cp_sdp_session *previous)
{
	struct cp_keymgmt own = cp_keymgmt_find(r->section->lines);
	const struct cp_sdp_stream *before = &previous->streams[r->service];

	if (own.why != NULL)
		return own.why;
	/* without audio the first m-line's message is the call's */
	if (own.base64.len > 0 && own.base64.ptr == out->mikey.ptr) {
		r->stream.cs_id = out->cs_id;
	} else if (own.base64.len > 0) {
		out->stream_mikey[r->service] = own.base64;
		r->stream.cs_id = 1;
		r->stream.has_mikey = r->stream.is_own_mikey = true;
		cp_keymgmt_list(out->protocols, sizeof(out->protocols), r->desc);
	} else if (out->mikey.len > 0 && out->next.is_mikey_of_session) {
		r->stream.cs_id = cp_keymgmt_first_cs(r->desc, r->section);
	} else if (is_same_line(r, previous) && before->mode == CP_SDP_STREAM_PSK) {
		r->stream.cs_id = before->cs_id;
		r->stream.is_own_mikey = before->is_own_mikey;
	} else if (out->mikey.len > 0) {
		return "it has no a=key-mgmt:mikey, and that of the audio is the audio's own";
	} else { /* the message that is in force may have a crypto session for it */
		r->stream.cs_id = cp_keymgmt_first_cs(r->desc, r->section);
	}
	return NULL;
}

/* Says the peer that what is connected goes on? MSRP knows it by the path (RFC 4975 8.4, RFC 6135 4.4). */
static bool
says_existing(const struct cp_sdp_reading *r, const struct cp_sdp_session *previous)
{
	struct cp_slice value;

	if (r->service == CP_SDP_CHAT)
		return strcmp(r->chat.path, previous->chat.path) == 0;
	return find_attribute(r, "connection", &value) &&
	       cp_slice_is_nocase(cp_slice_trim(value), "existing");
}

/* A new connection, or the one that is there with all that it was made by. */
static void
settle_connection(struct cp_sdp_reading *r, const struct cp_sdp_session *previous, bool is_asked,
		  bool is_lost)
{
	const struct cp_sdp_stream *before = &previous->streams[r->service];
	struct cp_sdp_stream *now = &r->stream;
	bool is_there = is_same_line(r, previous) && before->mode == now->mode;

	if (is_there && now->mode == CP_SDP_STREAM_CERTIFICATE)
		is_asked |= memcmp(before->fingerprint, now->fingerprint,
				   sizeof(now->fingerprint)) != 0;
	now->is_new = !now->is_waiting && (!is_there || is_asked || is_lost);
	if (now->is_new || !is_there)
		return;
	now->is_active = before->is_active;
	now->is_offerer = before->is_offerer;
	now->remote = before->remote;
}

static void
answer_setup(struct cp_sdp_reading *r)
{
	r->stream.is_waiting = r->setup == CP_SDP_PEER_HOLDCONN;
	r->stream.is_active = r->setup == CP_SDP_PEER_PASSIVE;
	r->stream.setup = r->stream.is_waiting	? CP_SDP_HOLDCONN
			  : r->stream.is_active ? CP_SDP_ACTIVE
						: CP_SDP_PASSIVE;
}

static const char *
read_service(struct cp_sdp_reading *r)
{
	r->stream.dirs = CP_SDP_RECEIVE | CP_SDP_SEND;
	return r->service == CP_SDP_FLOOR ? cp_sdp_read_floor(r) : cp_sdp_read_chat(r);
}

/* One m-line of an offer. */
static const char *
try_line(struct cp_sdp_reading *r, struct cp_sdp_result *out, const struct cp_sdp_policy *policy,
	 const struct cp_sdp_session *previous)
{
	bool is_unchanged =
		previous->peer_origin != 0 && previous->peer_origin == out->next.peer_origin;
	bool is_existing;
	const char *why;

	if (!policy->takes[r->service])
		return services[r->service].absent;
	why = read_mode(r, &out->next.media);
	if (why == NULL)
		why = read_setup(r);
	answer_setup(r);
	if (why == NULL)
		why = read_service(r);
	if (why == NULL && r->stream.mode == CP_SDP_STREAM_PSK)
		why = read_keys(r, out, previous);
	if (why != NULL)
		return why;
	is_existing = says_existing(r, previous);
	/* A refresh repeats the text of the first offer, a=connection:new in it: RFC 3264 section 8. */
	settle_connection(r, previous, !is_existing && !is_unchanged,
			  policy->is_lost[r->service] && !is_unchanged);
	r->stream.says_new = !is_existing || r->stream.is_new;
	return NULL;
}

/* The one that was in use first, then the others in their order; the first refusal is told. */
static void
answer_service(struct cp_sdp_result *out, const struct cp_desc *desc,
	       const struct cp_sdp_policy *policy, const struct cp_sdp_session *previous,
	       enum cp_sdp_service service)
{
	const struct cp_sdp_stream *before = &previous->streams[service];
	size_t first = before->mode != CP_SDP_STREAM_NONE ? before->mline : desc->media_count;

	for (size_t i = 0; i <= desc->media_count; i++) {
		size_t index = i == 0 ? first : i - 1;
		struct cp_sdp_reading r = {.desc = desc, .stream.mline = (uint8_t)index};
		const char *why;

		if (index >= desc->media_count || (i > 0 && index == first))
			continue;
		r.section = &desc->media[index];
		if (r.section->port == 0 ||
		    !cp_sdp_service_find(&r.service, r.section->media, r.section->proto) ||
		    r.service != service)
			continue;
		why = try_line(&r, out, policy, previous);
		if (why == NULL) {
			out->next.streams[service] = r.stream;
			if (service == CP_SDP_CHAT)
				out->next.chat = r.chat;
			out->stream_why[service] = NULL;
			return;
		}
		out->stream_mikey[service] = cp_slice(NULL, 0);
		if (out->stream_why[service] == NULL)
			out->stream_why[service] = why;
	}
}

/* FNV-1a; 0 is nobody's. */
static uint64_t
origin_of(const struct cp_desc *desc)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < desc->origin.len; i++)
		hash = (hash ^ (uint8_t)desc->origin.ptr[i]) * 0x100000001b3u;
	return hash ? hash : 1;
}

void
cp_sdp_answer_streams(struct cp_sdp_result *out, const struct cp_desc *desc,
		      const struct cp_sdp_policy *policy, const struct cp_sdp_session *previous)
{
	out->next.peer_origin = origin_of(desc);
	for (int i = 0; i < CP_SDP_SERVICES; i++)
		answer_service(out, desc, policy, previous, (enum cp_sdp_service)i);
}

/* The answer's side of a=setup: who is to connect (RFC 4145 4.1; RFC 4975 where there is none: the offerer). */
static const char *
accepted_setup(struct cp_sdp_reading *r)
{
	if (r->setup == CP_SDP_PEER_ACTPASS)
		return "its a=setup answers actpass with actpass";
	r->stream.is_waiting = r->setup == CP_SDP_PEER_HOLDCONN;
	r->stream.is_active = r->setup == CP_SDP_PEER_PASSIVE || r->setup == CP_SDP_PEER_NONE;
	r->stream.setup = CP_SDP_ACTPASS;
	return NULL;
}

static const char *
accept_line(struct cp_sdp_reading *r, const struct cp_sdp_result *out,
	    const struct cp_sdp_session *previous)
{
	const struct cp_sdp_stream_offer *offer = &previous->proposed[r->service];
	const struct cp_sdp_mline *line = &previous->mlines[offer->mline];
	const char *why;

	if (r->section->port == 0)
		return "the peer refused it";
	if (!cp_slice_is_nocase(r->section->media, line->media) ||
	    !cp_slice_is_nocase(r->section->proto, line->proto))
		return "its answer is of another kind than our offer";
	why = read_mode(r, &out->next.media);
	if (why == NULL && r->stream.mode != offer->mode)
		why = "the call is keyed otherwise than it was offered for";
	if (why == NULL)
		why = read_setup(r);
	if (why == NULL)
		why = accepted_setup(r);
	if (why == NULL)
		why = read_service(r);
	if (why != NULL)
		return why;
	r->stream.cs_id = offer->cs_id;
	r->stream.is_own_mikey = !offer->is_new && previous->streams[r->service].is_own_mikey;
	r->stream.is_offerer = true;
	settle_connection(r, previous, offer->is_new || !says_existing(r, previous), false);
	r->stream.says_new = r->stream.is_new;
	return NULL;
}

void
cp_sdp_accept_streams(struct cp_sdp_result *out, const struct cp_desc *desc,
		      const struct cp_sdp_session *previous)
{
	out->next.peer_origin = origin_of(desc);
	for (int i = 0; i < CP_SDP_SERVICES; i++) {
		const struct cp_sdp_stream_offer *offer = &previous->proposed[i];
		struct cp_sdp_reading r = {.desc = desc,
					   .section = &desc->media[offer->mline],
					   .service = (enum cp_sdp_service)i,
					   .is_answer = true,
					   .stream.mline = offer->mline};

		if (offer->mode == CP_SDP_STREAM_NONE)
			continue;
		out->stream_why[i] = accept_line(&r, out, previous);
		if (out->stream_why[i] != NULL) {
			out->has_orphan |= r.section->port != 0;
			continue;
		}
		out->next.streams[i] = r.stream;
		if (i == CP_SDP_CHAT)
			out->next.chat = r.chat;
	}
}

static bool
is_same_chat(const struct cp_sdp_chat *a, const struct cp_sdp_chat *b)
{
	return strcmp(a->path, b->path) == 0 && strcmp(a->types, b->types) == 0 &&
	       a->max_size == b->max_size && a->has_cema == b->has_cema &&
	       a->is_chatroom == b->is_chatroom && a->takes_nicknames == b->takes_nicknames &&
	       a->takes_private == b->takes_private;
}

uint32_t
cp_sdp_stream_changes(const struct cp_sdp_session *before, const struct cp_sdp_session *now)
{
	for (int i = 0; i < CP_SDP_SERVICES; i++) {
		const struct cp_sdp_stream *a = &before->streams[i], *b = &now->streams[i];

		if (a->mode != b->mode || b->is_new || a->mline != b->mline ||
		    a->is_waiting != b->is_waiting || a->is_held != b->is_held)
			return CP_SDP_CHANGE_STREAMS;
	}
	return is_same_chat(&before->chat, &now->chat) ? 0 : CP_SDP_CHANGE_STREAMS;
}

bool
cp_sdp_streams_are_same_text(const struct cp_sdp_session *a, const struct cp_sdp_session *b)
{
	for (int i = 0; i < CP_SDP_SERVICES; i++) {
		const struct cp_sdp_stream *s = &a->streams[i], *t = &b->streams[i];

		if (s->mode != t->mode || s->mline != t->mline || s->setup != t->setup ||
		    s->says_new != t->says_new || s->dirs != t->dirs || s->has_mikey ||
		    t->has_mikey)
			return false;
	}
	return a->chat.has_cema == b->chat.has_cema;
}
