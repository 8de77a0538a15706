/*
 * Subscribers of conferences (RFC 4575, 6665; seed G.3.3): who may watch, under which key, and what goes out when.
 *
 *   SUBSCRIBE ─▶ [TRANSFER_INIT: the KMS] ─▶ admission ─▶ 200 ─▶ NOTIFY, full
 *   a notice of the focus ─▶ the conference is shown to its roster ─▶ NOTIFY, partial, at most one each interval
 *   CLOSED ─▶ NOTIFY, deleted: noresource      time over: timeout      not authorised any more: rejected
 */
#ifndef CP_APP_SUBSCRIBE_H
#define CP_APP_SUBSCRIBE_H

#include <stddef.h>
#include <stdint.h>

struct cp_app;
struct cp_effect;
struct cp_subscribe; /* of the program */

int cp_subscribe_open(struct cp_app *app);
void cp_subscribe_close(struct cp_app *app);

/* A notice of the focus; what it changes goes out with a tick. */
void cp_subscribe_notice(struct cp_app *app, const struct cp_effect *notice);
/* A participant sends under that SSRC now. */
void cp_subscribe_ssrc(struct cp_app *app, uint32_t conf);
void cp_subscribe_tick(struct cp_app *app); /* several times a second */
/* The program ends: all are told to come again in a while (RFC 6665 4.1.3: probation). */
void cp_subscribe_stop(struct cp_app *app);

size_t cp_subscribe_count(const struct cp_app *app);

#endif
