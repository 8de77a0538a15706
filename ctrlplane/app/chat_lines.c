/* Chat over the m-lines of calls: paths, whose connection it is, its octets to the room of its conference and back. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrlplane/app/chat_state.h"
#include "ctrlplane/base/log.h"
#include "ctrlplane/msrp/msg.h"
#include "ctrlplane/msrp/session.h"

#define SESSION_MAX 48 /* of a session id with its NUL: leg, dot, 128 bits */

static struct cp_chat_seat *
seat_of(const struct cp_call *call)
{
	return call->lines[CP_SDP_CHAT].state;
}

struct cp_chat_seat *
cp_chat_seat_of(const struct cp_app *app, uint32_t leg)
{
	const struct cp_call *call = cp_app_call(app, leg);

	return call ? seat_of(call) : NULL;
}

/* It names its leg, and nobody can guess the rest of it. */
static int
name_session(char out[SESSION_MAX], const struct cp_app *app, uint32_t leg)
{
	uint8_t octets[CP_CHAT_SECRET + sizeof(leg)], digest[CP_DIGEST_OCTETS];
	int len;

	memcpy(octets, app->chat->secret, CP_CHAT_SECRET);
	memcpy(octets + CP_CHAT_SECRET, &leg, sizeof(leg));
	if (cp_digest_sha256(digest, octets, sizeof(octets)) != 0)
		return -EIO;
	len = snprintf(out, SESSION_MAX, "%x.", leg);
	cp_msrp_ident(out + len, digest, 16);
	return 0;
}

static int
identify(struct cp_line **out, struct cp_app *app, const uint8_t *octets, size_t len)
{
	char session[SESSION_MAX], wanted[SESSION_MAX];
	struct cp_call *call;
	struct cp_slice id;
	int rc = cp_msrp_first_session(&id, octets, len);

	if (rc < 0)
		return rc;
	if (cp_slice_copy(session, sizeof(session), id) != 0)
		return -ENOENT;
	call = cp_app_call(app, (uint32_t)strtoul(session, NULL, 16));
	if (!call || name_session(wanted, app, call->leg) != 0 || strcmp(session, wanted) != 0)
		return -ENOENT;
	*out = &call->lines[CP_SDP_CHAT];
	return 0;
}

static void
refuse(struct cp_app *app, struct cp_stream *s, const uint8_t *octets, size_t len,
       enum cp_line_fault fault)
{
	char text[CP_MSRP_HEAD_MAX];
	unsigned int code = fault == CP_LINE_TAKEN ? CP_MSRP_BOUND : CP_MSRP_NO_SESSION;
	size_t made = cp_msrp_first_refuse(text, sizeof(text), octets, len, code);

	if (made > 0)
		cp_stream_send(s, text, made);
}

/* Our URI: as it stood in our SDP. */
static int
write_path(char *out, size_t size, const struct cp_call *call)
{
	const struct dp_addr *at = &call->local.streams[CP_SDP_CHAT];
	char host[INET6_ADDRSTRLEN], session[SESSION_MAX];
	bool is_ip6 = at->family == DP_FAMILY_IP6;
	int rc = name_session(session, call->app, call->leg);

	if (rc < 0 || !inet_ntop(is_ip6 ? AF_INET6 : AF_INET, at->ip, host, sizeof(host)))
		return -EIO;
	snprintf(out, size, "%s://%s%s%s:%u/%s;tcp",
		 cp_sdp_stream_mode(&call->sdp, CP_SDP_CHAT) == CP_SDP_STREAM_PLAIN ? "msrp"
										    : "msrps",
		 is_ip6 ? "[" : "", host, is_ip6 ? "]" : "", at->port, session);
	return 0;
}

static void
local(struct cp_call *call, struct cp_sdp_local *out)
{
	call->local.streams[CP_SDP_CHAT] = out->streams[CP_SDP_CHAT];
	write_path(out->path, sizeof(out->path), call);
	out->max_size = (uint64_t)call->app->config->chat.size_max;
	out->has_nicknames = out->has_private = true;
}

/* URIs by which others know the participant: as the roster has them. */
static size_t
name_person(struct cp_room_person *person, char *room, size_t size, const struct cp_leg *leg)
{
	if (*leg->identity == '\0') {
		snprintf(room, size, "sip:anonymous%u@anonymous.invalid", leg->user_id);
		person->loose = "sip:anonymous@anonymous.invalid";
		person->names[0] = room;
		return 1;
	}
	person->names[0] = leg->identity;
	person->names[1] = leg->tel;
	return *leg->tel && !leg->is_private ? 2 : 1;
}

static void
describe(struct cp_room_person *person, char *room, size_t size, const struct cp_chat_seat *seat,
	 const struct cp_leg *leg)
{
	const struct cp_sdp_chat *peer = &seat->line->call->sdp.chat;

	*person = (struct cp_room_person){
		.id = leg->id,
		.may_send = leg->role != CP_ROLE_LISTENER && cp_leg_has_floor(leg, CP_MEDIUM_CHAT),
		.takes_private = peer->takes_private,
		/* where it does not say what may be wrapped, anything may */
		.types = strcmp(peer->types, "message/cpim") != 0 ? peer->types : NULL,
		.size_max = peer->max_size,
	};
	person->name_count = name_person(person, room, size, leg);
}

/* Its connection becomes the member's. */
static void
connect_member(struct cp_chat_seat *seat)
{
	const struct cp_call *call = seat->line->call;
	const struct cp_sdp_stream *stream = &call->sdp.streams[CP_SDP_CHAT];
	char self[256];
	struct cp_room_line line = {.self = self,
				    .peer = call->sdp.chat.path,
				    .is_active = stream->is_active,
				    .has_cema = call->sdp.chat.has_cema};
	int rc = write_path(self, sizeof(self), call);

	seat->is_open = true;
	if (rc == 0)
		rc = cp_room_open(seat->member, &line, cp_app_now_ms());
	if (rc == 0) {
		cp_stream_pause(seat->line->stream, false);
		cp_chat_settle(seat->room);
		return;
	}
	seat->is_open = false;
	cp_log(CP_LOG_WARN, CP_APP_AREA, "chat of participant %u: %s", seat->leg, strerror(-rc));
	cp_line_cut(seat->line);
}

void
cp_chat_seat_follow(struct cp_chat_seat *seat)
{
	struct cp_app *app = seat->line->call->app;
	const struct cp_leg *leg = cp_leg_by_id(app->focus, seat->leg);
	struct cp_room_person person;
	char name[CP_ROOM_NAME_MAX];
	int rc;

	if (!leg || !leg->is_in)
		return; /* waits, or is gone */
	describe(&person, name, sizeof(name), seat, leg);
	if (seat->member) {
		rc = cp_room_update(seat->member, &person);
	} else {
		seat->room = cp_chat_room(app, leg->conf->id);
		if (!seat->room)
			return;
		rc = cp_room_join(&seat->member, seat->room->room, &person);
		if (rc == 0)
			seat->member->user = seat;
	}
	if (rc < 0)
		cp_log(CP_LOG_ERROR, CP_APP_AREA, "chat of participant %u: %s", seat->leg,
		       strerror(-rc));
	if (seat->member && seat->line->stream && !seat->is_open)
		connect_member(seat);
}

void
cp_chat_seat_leave(struct cp_chat_seat *seat)
{
	struct cp_chat_room *room = seat->room;
	struct cp_room_member *member = seat->member;

	seat->member = NULL;
	seat->room = NULL;
	seat->is_open = false;
	if (!member)
		return;
	cp_room_leave(member, cp_app_now_ms());
	cp_chat_settle(room);
}

static void
opened(struct cp_line *line)
{
	struct cp_chat_seat *seat = line->state;

	if (!seat) {
		cp_line_end(line);
		return;
	}
	cp_chat_seat_follow(seat);
}

static size_t
received(struct cp_line *line, const uint8_t *octets, size_t len)
{
	struct cp_chat_seat *seat = line->state;
	struct cp_chat_room *room = seat ? seat->room : NULL;
	size_t taken;

	if (!seat || !seat->is_open) {
		cp_stream_pause(line->stream, true); /* until it is let in */
		return 0;
	}
	taken = cp_room_receive(seat->member, octets, len, cp_app_now_ms());
	cp_chat_settle(room);
	return taken;
}

static void
writable(struct cp_line *line)
{
	struct cp_chat_seat *seat = line->state;

	if (!seat || !seat->is_open)
		return;
	cp_room_writable(seat->member, cp_app_now_ms());
	cp_chat_settle(seat->room);
}

static void
lost(struct cp_line *line, const char *why)
{
	struct cp_chat_seat *seat = line->state;

	if (!seat || !seat->is_open)
		return;
	seat->is_open = false;
	cp_room_lost(seat->member, cp_app_now_ms());
	cp_chat_settle(seat->room);
}

static void
agreed(struct cp_line *line, bool is_there)
{
	struct cp_chat_seat *seat = line->state;

	if (!is_there) {
		if (seat)
			cp_chat_seat_leave(seat);
		free(seat);
		line->state = NULL;
		return;
	}
	if (!seat) {
		seat = calloc(1, sizeof(*seat));
		if (!seat) {
			cp_log(CP_LOG_ERROR, CP_APP_AREA, "chat of participant %u: no memory",
			       line->call->leg);
			return;
		}
		seat->line = line;
		seat->leg = line->call->leg;
		line->state = seat;
	}
	cp_chat_seat_follow(seat);
}

const struct cp_service cp_chat_service = {
	.name = "chat",
	.identify = identify,
	.refuse = refuse,
	.opened = opened,
	.received = received,
	.writable = writable,
	.lost = lost,
	.agreed = agreed,
	.local = local,
};
