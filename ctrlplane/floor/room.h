/*
 * The floors of one conference: its floor control server (ctrlplane/bfcp), its participants as the server's users, and what follows
 * for connections and for the focus. Pure: clock, wire and focus are the caller's. Floors are named by their index in the
 * policy, participants by their leg.
 */
#ifndef CP_FLOOR_ROOM_H
#define CP_FLOOR_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "ctrlplane/bfcp/floor.h"
#include "ctrlplane/conf/conf.h"

#define CP_FLOOR_REQUESTS_MAX 1024 /* ongoing, in a conference */
#define CP_FLOOR_FRAMES_MAX 64	   /* messages of a connection that are taken at a time */

struct cp_floor_room;

/* What the room wants done, each when a turn of its server is over but send. They may call the room. */
struct cp_floor_room_hooks {
	/* One message to who is connected; false: it takes no more, and is cut. Must not call the room. */
	bool (*send)(void *arg, uint32_t leg, const uint8_t *octets, size_t len);
	/* The connection is to be ended: orderly after a last word, or at once. The room takes it for lost. */
	void (*end)(void *arg, uint32_t leg, bool is_orderly, const char *why);
	/* leg holds a floor from now on, or no more. */
	void (*hold)(void *arg, uint32_t leg, size_t floor, bool holds);
	/* Holders or queue of a floor are others. */
	void (*changed)(void *arg, size_t floor);
	/* A chair or the conference has decided (enum cp_bfcp_status) on what leg asked for. by_leg: the chair; 0: the caller of decide. */
	void (*decided)(void *arg, uint32_t by_leg, uint32_t leg, size_t floor, uint8_t status);
	void *arg;
};

struct cp_floor_room_options {
	uint32_t conf;	     /* conference ID of BFCP */
	uint16_t first_user; /* user IDs count up from here; not 0 */
	uint16_t users_max;
	uint32_t keep_ms; /* how long requests outlive a lost connection */
	struct cp_floor_room_hooks hooks;
};

/* conf has floors. -ENOMEM. */
int cp_floor_room_create(struct cp_floor_room **out, const struct cp_floor_room_options *options,
			 const struct cp_conf *conf);
/* Connections are the caller's to end. */
void cp_floor_room_destroy(struct cp_floor_room *room);

uint32_t cp_floor_room_conf(const struct cp_floor_room *room);
/* The user ID of a leg, which gets one where it has none; 0: no room. */
uint16_t cp_floor_room_user(struct cp_floor_room *room, uint32_t leg);
/* And back; 0: nobody's. */
uint32_t cp_floor_room_leg(const struct cp_floor_room *room, uint16_t user);

/* The policy's floors have changed (there are some): where one is moved or renamed all requests end, and holders go on holding what stays. */
int cp_floor_room_follow(struct cp_floor_room *room, const struct cp_conf *conf, uint64_t now_ms);
/* Do IDs and media of the policy's floors say what those of the room said? */
bool cp_floor_room_is_as_said(const struct cp_floor_room *room, const struct cp_conf *conf);
/* A leg is there, in or waiting, or has changed. What it holds by the focus's word it is given. */
void cp_floor_room_put(struct cp_floor_room *room, const struct cp_leg *leg, uint64_t now_ms);
/* It has left: its requests end. Its connection is the caller's. */
void cp_floor_room_remove(struct cp_floor_room *room, uint32_t leg, uint64_t now_ms);

void cp_floor_room_connected(struct cp_floor_room *room, uint32_t leg, uint64_t now_ms);
void cp_floor_room_lost(struct cp_floor_room *room, uint32_t leg, uint64_t now_ms);
/* Octets of its connection: how many are taken. At most CP_FLOOR_FRAMES_MAX messages: is more left, the caller comes again. */
size_t cp_floor_room_receive(struct cp_floor_room *room, uint32_t leg, const uint8_t *octets,
			     size_t len, uint64_t now_ms);

/* What is done without BFCP. Each gives CP_BFCP_OK or the error that BFCP has for it. */
enum cp_bfcp_error cp_floor_room_ask(struct cp_floor_room *room, uint16_t *request, size_t floor,
				     uint32_t leg, bool is_ours, uint64_t now_ms);
enum cp_bfcp_error cp_floor_room_decide(struct cp_floor_room *room,
					const struct cp_floor_decision *decision, uint64_t now_ms);
enum cp_bfcp_error cp_floor_room_release(struct cp_floor_room *room, uint16_t request,
					 uint64_t now_ms);
enum cp_bfcp_error cp_floor_room_set_chair(struct cp_floor_room *room, size_t floor, uint32_t leg,
					   bool is_chair, uint64_t now_ms);

bool cp_floor_room_is_chair(const struct cp_floor_room *room, size_t floor, uint32_t leg);
/* Requests, holders first; users are user IDs. How many are written. */
size_t cp_floor_room_list(const struct cp_floor_room *room, struct cp_floor_view *out, size_t max,
			  size_t floor);

void cp_floor_room_tick(struct cp_floor_room *room, uint64_t now_ms);
uint64_t cp_floor_room_next_ms(const struct cp_floor_room *room);

#endif
