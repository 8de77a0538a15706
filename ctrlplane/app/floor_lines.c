/* Floor control over the m-lines of calls: whose connection it is, its octets to the room of its conference and back. */
#include <errno.h>
#include <string.h>

#include "ctrlplane/app/app_state.h"
#include "ctrlplane/app/floors.h"
#include "ctrlplane/app/streams.h"
#include "ctrlplane/base/log.h"

static struct cp_line *
line_of(const struct cp_app *app, uint32_t leg)
{
	struct cp_call *call = cp_app_call(app, leg);
	struct cp_line *line = call ? &call->lines[CP_SDP_FLOOR] : NULL;

	return line && line->call ? line : NULL;
}

/* Conference ID and user ID of the first message's header. */
static int
identify(struct cp_line **out, struct cp_app *app, const uint8_t *octets, size_t len)
{
	struct cp_floor_room *room;
	struct cp_bfcp_msg head;
	struct cp_call *call;

	if (len < CP_BFCP_HEADER)
		return -EAGAIN;
	cp_bfcp_decode(&head, octets, CP_BFCP_HEADER);
	room = cp_floors_room_of(app, head.conf);
	call = room ? cp_app_call(app, cp_floor_room_leg(room, head.user)) : NULL;
	if (!call)
		return -ENOENT;
	*out = &call->lines[CP_SDP_FLOOR];
	return 0;
}

static enum cp_bfcp_error
error_of(struct cp_app *app, const struct cp_stream *s, const struct cp_bfcp_msg *head,
	 enum cp_line_fault fault)
{
	if (fault == CP_LINE_UNKNOWN)
		return cp_floors_room_of(app, head->conf) ? CP_BFCP_NO_USER : CP_BFCP_NO_CONFERENCE;
	if (fault == CP_LINE_OTHERS && cp_stream_mode(s) == CP_STREAM_PLAIN)
		return CP_BFCP_USE_TLS;
	return CP_BFCP_UNAUTHORISED;
}

static void
refuse(struct cp_app *app, struct cp_stream *s, const uint8_t *octets, size_t len,
       enum cp_line_fault fault)
{
	uint8_t text[CP_BFCP_HEADER + 256];
	struct cp_bfcp_msg head, answer;
	enum cp_bfcp_error error;
	ssize_t made;

	if (len < CP_BFCP_HEADER)
		return;
	error = cp_bfcp_decode(&head, octets, CP_BFCP_HEADER);
	if (error != CP_BFCP_BAD_VERSION)
		error = error_of(app, s, &head, fault);
	cp_bfcp_make_error(&answer, &head, error, cp_bfcp_error_text(error));
	made = cp_bfcp_encode(text, sizeof(text), &answer);
	if (made > 0)
		cp_stream_send(s, text, (size_t)made);
}

static struct cp_floor_room *
room_of(const struct cp_line *line)
{
	return cp_floors_room(line->call->app, line->call->conf);
}

static void
opened(struct cp_line *line)
{
	struct cp_floor_room *room = room_of(line);

	if (room)
		cp_floor_room_connected(room, line->call->leg, (uint64_t)cp_app_now_ms());
	else
		cp_line_end(line);
}

/* Who sends more than is taken at a time waits for the next tick. */
static size_t
received(struct cp_line *line, const uint8_t *octets, size_t len)
{
	struct cp_floor_room *room = room_of(line);
	size_t done;
	ssize_t more;

	if (!room) {
		cp_line_end(line);
		return len;
	}
	done = cp_floor_room_receive(room, line->call->leg, octets, len, (uint64_t)cp_app_now_ms());
	if (!line->stream)
		return len;
	more = cp_bfcp_frame(octets + done, len - done);
	if (more != 0 && (more < 0 || (size_t)more <= len - done)) {
		cp_stream_pause(line->stream, true);
		cp_floors_pause(line->call->app, line->call->leg);
	}
	return done;
}

static void
writable(struct cp_line *line)
{
	/* what found no room has cut the connection: nothing waits here */
}

static void
lost(struct cp_line *line, const char *why)
{
	struct cp_floor_room *room = room_of(line);

	if (room)
		cp_floor_room_lost(room, line->call->leg, (uint64_t)cp_app_now_ms());
}

static void
agreed(struct cp_line *line, bool is_there)
{
	if (!is_there)
		lost(line, "its m-line is over");
}

static void
local(struct cp_call *call, struct cp_sdp_local *out)
{
	const struct cp_conf *conf = cp_conf_by_id(call->app->focus, call->conf);
	struct cp_floor_room *room = cp_floors_room(call->app, call->conf);

	out->floor_count = 0;
	if (!room || !conf)
		return;
	out->confid = cp_floor_room_conf(room);
	out->userid = cp_floor_room_user(room, call->leg);
	for (size_t i = 0; i < conf->floors.count && i < CP_SDP_FLOORS_MAX; i++)
		out->floors[out->floor_count++] = (struct cp_sdp_floor){
			.id = (uint16_t)(i + 1),
			.has_audio = conf->floors.items[i].media & CP_MEDIUM_AUDIO,
			.has_chat = conf->floors.items[i].media & CP_MEDIUM_CHAT,
		};
}

const struct cp_service cp_floor_service = {
	.name = "floor",
	.identify = identify,
	.refuse = refuse,
	.opened = opened,
	.received = received,
	.writable = writable,
	.lost = lost,
	.agreed = agreed,
	.local = local,
};

bool
cp_floor_line_send(struct cp_app *app, uint32_t leg, const uint8_t *octets, size_t len)
{
	const struct cp_line *line = line_of(app, leg);

	return line && line->stream && cp_stream_room(line->stream) >= len &&
	       cp_stream_send(line->stream, octets, len) == len;
}

void
cp_floor_line_end(struct cp_app *app, uint32_t leg, bool is_orderly)
{
	struct cp_line *line = line_of(app, leg);

	if (!line || !line->stream)
		return;
	if (is_orderly)
		cp_line_end(line);
	else
		cp_line_cut(line);
}

void
cp_floor_line_resume(struct cp_app *app, uint32_t leg)
{
	const struct cp_line *line = line_of(app, leg);

	if (line && line->stream)
		cp_stream_pause(line->stream, false);
}
