/* A floor room at work: connections, messages, decisions, time; and what follows each turn of the server. */
#include "ctrlplane/floor/room_state.h"

#include <errno.h>
#include <stdlib.h>

static void
note(struct cp_floor_room *room, const struct floor_note *one)
{
	struct floor_note *more;
	size_t want = room->note_room ? 2 * room->note_room : 32;

	if (room->note_count == room->note_room) {
		more = reallocarray(room->notes, want, sizeof(*more));
		if (!more)
			return;
		room->notes = more;
		room->note_room = want;
	}
	room->notes[room->note_count++] = *one;
}

/* What a connection does not take is the end of it: bounded, and its peer comes again or not. */
static void
deliver(struct cp_floor_room *room, const struct cp_floor_effect *effect)
{
	const struct cp_floor_room_hooks *hooks = &room->options.hooks;
	struct floor_seat *seat = floor_seat_of_user(room, effect->user);
	ssize_t len;

	if (!seat || !seat->is_connected)
		return;
	len = cp_bfcp_encode(room->octets, sizeof(room->octets), effect->msg);
	if (len > 0 && hooks->send(hooks->arg, seat->leg, room->octets, (size_t)len))
		return;
	seat->is_connected = false;
	note(room, &(struct floor_note){.kind = FLOOR_NOTE_CUT, .leg = seat->leg});
}

static void
take(void *arg, const struct cp_floor_effect *effect)
{
	struct cp_floor_room *room = arg;
	const struct floor_seat *seat = floor_seat_of_user(room, effect->user);
	struct floor_note one = {
		.leg = seat ? seat->leg : 0,
		.floor = effect->floor ? (size_t)effect->floor - 1 : 0,
		.status = effect->status,
		.by = room->decider,
	};

	switch (effect->kind) {
	case CP_FLOOR_SEND:
		deliver(room, effect);
		return;
	case CP_FLOOR_CLOSE:
		one.kind = FLOOR_NOTE_END;
		break;
	case CP_FLOOR_GRANTED:
	case CP_FLOOR_TAKEN:
		if (room->is_rebuilding)
			return;
		one.kind = effect->kind == CP_FLOOR_GRANTED ? FLOOR_NOTE_HOLD : FLOOR_NOTE_TAKE;
		break;
	case CP_FLOOR_CHANGED:
		if (!room->is_deciding || room->decided != effect->request)
			return;
		one.kind = FLOOR_NOTE_DECIDED;
		break;
	case CP_FLOOR_QUEUE:
		one.kind = FLOOR_NOTE_QUEUE;
		break;
	}
	note(room, &one);
}

struct cp_floor_turn
floor_turn(struct cp_floor_room *room, uint64_t now_ms)
{
	room->knows_next = false;
	return (struct cp_floor_turn){.now_ms = now_ms, .take = take, .arg = room};
}

static void
end(struct cp_floor_room *room, const struct floor_note *one, uint64_t now_ms)
{
	const struct cp_floor_room_hooks *hooks = &room->options.hooks;
	struct floor_seat *seat = floor_seat(room, one->leg);
	bool is_orderly = one->kind == FLOOR_NOTE_END;
	struct cp_floor_turn turn = floor_turn(room, now_ms);

	hooks->end(hooks->arg, one->leg, is_orderly,
		   is_orderly ? "its octets cannot be understood" : "it reads nothing");
	if (!seat)
		return;
	seat->is_connected = false;
	cp_floor_lost(room->server, seat->user, &turn);
}

/* Hooks may call the room, which appends: whoever runs goes on to the end. */
void
floor_finish(struct cp_floor_room *room, uint64_t now_ms)
{
	const struct cp_floor_room_hooks *hooks = &room->options.hooks;

	room->is_deciding = false;
	if (room->is_noting)
		return;
	room->is_noting = true;
	for (size_t i = 0; i < room->note_count; i++) {
		struct floor_note one = room->notes[i];

		switch (one.kind) {
		case FLOOR_NOTE_HOLD:
		case FLOOR_NOTE_TAKE:
			hooks->hold(hooks->arg, one.leg, one.floor, one.kind == FLOOR_NOTE_HOLD);
			break;
		case FLOOR_NOTE_QUEUE:
			hooks->changed(hooks->arg, one.floor);
			break;
		case FLOOR_NOTE_DECIDED:
			hooks->decided(hooks->arg, one.by, one.leg, one.floor, one.status);
			break;
		default:
			end(room, &one, now_ms);
		}
	}
	room->note_count = 0;
	room->is_noting = false;
}

void
cp_floor_room_connected(struct cp_floor_room *room, uint32_t leg, uint64_t now_ms)
{
	struct cp_floor_turn turn = floor_turn(room, now_ms);
	struct floor_seat *seat = floor_seat(room, leg);

	if (!seat)
		return;
	seat->is_connected = true;
	cp_floor_connected(room->server, seat->user, &turn);
	floor_finish(room, now_ms);
}

void
cp_floor_room_lost(struct cp_floor_room *room, uint32_t leg, uint64_t now_ms)
{
	struct cp_floor_turn turn = floor_turn(room, now_ms);
	struct floor_seat *seat = floor_seat(room, leg);

	if (!seat || !seat->is_connected)
		return;
	seat->is_connected = false;
	cp_floor_lost(room->server, seat->user, &turn);
	floor_finish(room, now_ms);
}

static void
receive(struct cp_floor_room *room, const struct floor_seat *seat, const uint8_t *octets,
	size_t len, uint64_t now_ms)
{
	struct cp_floor_turn turn = floor_turn(room, now_ms);
	struct cp_floor_from from = {.user = seat->user, .is_secure = true};

	from.decoded = cp_bfcp_decode(&room->msg, octets, len);
	if (room->msg.primitive == CP_BFCP_CHAIR_ACTION && room->msg.request_count > 0) {
		room->is_deciding = true;
		room->decider = seat->leg;
		room->decided = room->msg.requests[0].id;
	}
	cp_floor_receive(room->server, &from, &room->msg, &turn);
	floor_finish(room, now_ms);
}

/* What cannot be followed is answered by its header, and ends the connection (RFC 8855 6.1). */
size_t
cp_floor_room_receive(struct cp_floor_room *room, uint32_t leg, const uint8_t *octets, size_t len,
		      uint64_t now_ms)
{
	size_t done = 0;

	for (int i = 0; i < CP_FLOOR_FRAMES_MAX; i++) {
		const struct floor_seat *seat = floor_seat(room, leg);
		ssize_t frame = cp_bfcp_frame(octets + done, len - done);

		if (!seat || !seat->is_connected)
			return len;
		if (frame == 0 || (frame > 0 && (size_t)frame > len - done))
			break;
		if (frame < 0)
			frame = CP_BFCP_HEADER;
		receive(room, seat, octets + done, (size_t)frame, now_ms);
		done += (size_t)frame;
	}
	return done;
}

static uint8_t
status_of(const struct cp_floor_room *room, size_t floor, uint16_t request)
{
	struct cp_floor_view views[CP_FLOOR_REQUESTS_MAX];
	size_t count = cp_floor_room_list(room, views, CP_FLOOR_REQUESTS_MAX, floor);

	for (size_t i = 0; i < count; i++)
		if (views[i].request == request)
			return views[i].status;
	return CP_BFCP_ACCEPTED;
}

enum cp_bfcp_error
cp_floor_room_ask(struct cp_floor_room *room, uint16_t *request, size_t floor, uint32_t leg,
		  bool is_ours, uint64_t now_ms)
{
	struct cp_floor_turn turn = floor_turn(room, now_ms);
	const struct floor_seat *seat = floor_seat(room, leg);
	enum cp_bfcp_error error;

	if (!seat)
		return CP_BFCP_NO_USER;
	if (!seat->may_ask)
		return CP_BFCP_UNAUTHORISED;
	error = (is_ours ? cp_floor_ask : cp_floor_ask_as)(
		room->server, request, (uint16_t)(floor + 1), seat->user, &turn);
	if (is_ours && error == CP_BFCP_OK)
		note(room, &(struct floor_note){.kind = FLOOR_NOTE_DECIDED,
						.leg = leg,
						.floor = floor,
						.status = status_of(room, floor, *request)});
	floor_finish(room, now_ms);
	return error;
}

enum cp_bfcp_error
cp_floor_room_decide(struct cp_floor_room *room, const struct cp_floor_decision *decision,
		     uint64_t now_ms)
{
	struct cp_floor_turn turn = floor_turn(room, now_ms);
	enum cp_bfcp_error error;

	room->is_deciding = true;
	room->decider = 0;
	room->decided = decision->request;
	error = cp_floor_decide(room->server, decision, &turn);
	floor_finish(room, now_ms);
	return error;
}

enum cp_bfcp_error
cp_floor_room_release(struct cp_floor_room *room, uint16_t request, uint64_t now_ms)
{
	struct cp_floor_turn turn = floor_turn(room, now_ms);
	enum cp_bfcp_error error = cp_floor_release(room->server, request, &turn);

	floor_finish(room, now_ms);
	return error;
}

void
cp_floor_room_tick(struct cp_floor_room *room, uint64_t now_ms)
{
	struct cp_floor_turn turn;

	if (!room->knows_next)
		room->next_ms = cp_floor_next_ms(room->server);
	room->knows_next = true;
	if (room->next_ms > now_ms)
		return;
	turn = floor_turn(room, now_ms);
	cp_floor_tick(room->server, &turn);
	floor_finish(room, now_ms);
}

uint64_t
cp_floor_room_next_ms(const struct cp_floor_room *room)
{
	return cp_floor_next_ms(room->server);
}
