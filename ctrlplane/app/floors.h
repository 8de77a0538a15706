/* The floors of all conferences: a room for each, what the focus says to it and it to the focus, and what the API asks of it. */
#ifndef CP_APP_FLOORS_H
#define CP_APP_FLOORS_H

#include <stddef.h>
#include <stdint.h>

#include "ctrlplane/floor/room.h"
#include "ctrlplane/conf/event.h"
#include "ctrlplane/mgmt/mgmt.h"

struct cp_app;
struct cp_floors; /* owner: the app */

int cp_floors_open(struct cp_app *app);
void cp_floors_close(struct cp_app *app);
/* A notice of the focus: who is there, which floors there are. */
void cp_floors_notice(struct cp_app *app, const struct cp_effect *e);
void cp_floors_tick(struct cp_app *app);

/* The room of a conference, made where it has floors and no room yet; NULL: it has none. */
struct cp_floor_room *cp_floors_room(struct cp_app *app, uint32_t conf);
/* By the conference ID of BFCP; NULL: nobody's. */
struct cp_floor_room *cp_floors_room_of(struct cp_app *app, uint32_t bfcp_conf);

/* Octets of leg's connection wait until the next tick. */
void cp_floors_pause(struct cp_app *app, uint32_t leg);

/* floor_lines.c: the m-lines of calls, as a service of theirs (streams.h) */
struct cp_service;
extern const struct cp_service cp_floor_service;
/* A whole message; false: there is no connection, or no room. */
bool cp_floor_line_send(struct cp_app *app, uint32_t leg, const uint8_t *octets, size_t len);
void cp_floor_line_end(struct cp_app *app, uint32_t leg, bool is_orderly);
void cp_floor_line_resume(struct cp_app *app, uint32_t leg);

/* As the API's ops have them. */
size_t cp_floors_requests(void *app, uint32_t conf, size_t floor, struct cp_mgmt_floor_request *out,
			  size_t max);
bool cp_floors_is_chair(void *app, uint32_t conf, size_t floor, uint32_t leg);
int cp_floors_order(void *app, const struct cp_mgmt_floor_order *order);

#endif
