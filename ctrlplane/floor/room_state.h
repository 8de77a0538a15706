/* Layout of a floor room, for its files. */
#ifndef CP_FLOOR_ROOM_STATE_H
#define CP_FLOOR_ROOM_STATE_H

#include "ctrlplane/floor/room.h"
#include "ctrlplane/base/map.h"

/* A leg as a user of the server. */
struct floor_seat {
	struct cp_map_node by_leg, by_user;
	uint32_t leg;
	uint16_t user;
	bool is_put; /* the server knows it */
	bool is_connected;
	bool is_moderator, may_ask;
	uint8_t chairs_given,
		chairs_taken; /* by decision, a bit for each floor; else the policy's word counts */
	char display[CP_CONF_DISPLAY_MAX], uri[CP_IDENTITY_MAX];
};

/* What follows a turn. */
struct floor_note {
	enum floor_note_kind {
		FLOOR_NOTE_HOLD,
		FLOOR_NOTE_TAKE,
		FLOOR_NOTE_QUEUE,
		FLOOR_NOTE_DECIDED,
		FLOOR_NOTE_END,
		FLOOR_NOTE_CUT,
	} kind;
	uint32_t leg, by;
	size_t floor;
	uint8_t status;
};

struct cp_floor_room {
	struct cp_floor_room_options options;
	struct cp_conf_floors floors;
	struct cp_floor_server *server;
	struct cp_map by_leg, by_user;
	uint16_t next_user;
	uint64_t next_ms; /* when time brings something, where that is known: since the last turn */
	bool knows_next;
	struct floor_note *notes;
	size_t note_count, note_room;
	bool is_noting;	    /* notes are being carried out */
	bool is_rebuilding; /* who holds a floor goes on: the focus need not know */
	bool is_deciding;   /* of request decided, by leg decider (0: the caller) */
	uint16_t decided;
	uint32_t decider;
	struct cp_bfcp_msg msg;
	uint8_t octets[CP_BFCP_MAX];
};

struct floor_seat *floor_seat(const struct cp_floor_room *room, uint32_t leg);
struct floor_seat *floor_seat_of_user(const struct cp_floor_room *room, uint16_t user);

/* A turn of the server, and what follows it. */
struct cp_floor_turn floor_turn(struct cp_floor_room *room, uint64_t now_ms);
void floor_finish(struct cp_floor_room *room, uint64_t now_ms);

#endif
