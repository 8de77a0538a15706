/* What chat*.c share. */
#ifndef CP_APP_CHAT_STATE_H
#define CP_APP_CHAT_STATE_H

#include "ctrlplane/app/app_state.h"
#include "ctrlplane/app/chat.h"
#include "ctrlplane/keys/digest.h"
#include "ctrlplane/msrp/room.h"

#define CP_CHAT_SECRET 16

/* The room of a conference. */
struct cp_chat_room {
	TAILQ_ENTRY(cp_chat_room) all;
	struct cp_app *app;
	uint32_t conf;
	struct cp_room *room;
	bool has_changed; /* somebody in it: said when the room is through */
};

/* A call's m-line of chat: line->state, and user of its member. */
struct cp_chat_seat {
	struct cp_line *line;
	struct cp_chat_room *room;     /* NULL: not in one yet, or it is closed */
	struct cp_room_member *member; /* NULL: the same */
	uint32_t leg;
	bool is_open;	  /* its connection is the member's */
	bool has_changed; /* what others see of it */
};

struct cp_chat {
	TAILQ_HEAD(cp_chat_rooms, cp_chat_room) rooms;
	uint8_t secret[CP_CHAT_SECRET];	       /* session ids are made of it */
	const struct cp_room_message *message; /* while its notice is said */
	struct cp_chat_room *speaking;
};

struct cp_chat_room *cp_chat_find(const struct cp_app *app, uint32_t conf);
/* Made where the conference has a chat and no room yet; NULL: it has none. */
struct cp_chat_room *cp_chat_room(struct cp_app *app, uint32_t conf);
/* What happened in the room is told; when it is not in the middle of anything. */
void cp_chat_settle(struct cp_chat_room *room);
extern const struct cp_room_events cp_chat_events;

/* chat_lines.c */
/* Into the room as soon as the participant is in the conference; what it may do follows role, floor and SDP. */
void cp_chat_seat_follow(struct cp_chat_seat *seat);
void cp_chat_seat_leave(struct cp_chat_seat *seat);
struct cp_chat_seat *cp_chat_seat_of(const struct cp_app *app, uint32_t leg);

#endif
