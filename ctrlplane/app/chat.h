/* The chat rooms of all conferences: a room for each that has chat, its members are the calls with an m-line of MSRP. */
#ifndef CP_APP_CHAT_H
#define CP_APP_CHAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctrlplane/app/streams.h"
#include "ctrlplane/conf/event.h"
#include "ctrlplane/mgmt/mgmt.h"

struct cp_app;
struct cp_chat; /* owner: the app */

int cp_chat_open(struct cp_app *app);
void cp_chat_close(struct cp_app *app);
/* A notice of the focus: who is there, in which role, what the conference's settings are. */
void cp_chat_notice(struct cp_app *app, const struct cp_effect *e);
void cp_chat_tick(struct cp_app *app);

extern const struct cp_service cp_chat_service;

/* The nickname of a participant; empty: none. */
const char *cp_chat_nickname(const struct cp_app *app, uint32_t leg);

/* As the API's ops have them. */
bool cp_chat_show(void *app, uint32_t conf, struct cp_mgmt_chat *out);
size_t cp_chat_members(void *app, uint32_t conf, struct cp_mgmt_chat_member *out, size_t max);
bool cp_chat_message(void *app, struct cp_mgmt_chat_message *out);
int cp_chat_say(void *app, const struct cp_mgmt_chat_order *order);
int cp_chat_mute(void *app, const struct cp_mgmt_chat_order *order);

#endif
