/*
 * What is played where, one after the other: each leg and each conference has a short queue, and behind it what goes on until it is
 * stopped (music for the only one there). Pure: the media plane and the clock are the owner's.
 *
 *   put ─▶ queued ─▶ playing ─ played out, stopped, displaced, too late, gone ─▶ ended
 *
 * Every item that put took ends once, by the hook.
 */
#ifndef CP_PROMPT_PLAYER_H
#define CP_PROMPT_PLAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CP_PLAYER_QUEUE_MAX 8

struct cp_player;

/* A leg's place, or a conference's when leg is 0. */
struct cp_player_place {
	uint32_t conf, leg;
};

struct cp_player_item {
	int tag;	    /* what it is, for stop and ended; not 0 */
	void *clip;	    /* the owner's */
	uint32_t length_ms; /* of the clip */
	uint32_t except;    /* of a conference: the leg that does not hear it; 0: none */
	bool is_endless;    /* behind the queue, until it is stopped; one at a place */
	bool is_single;	    /* not twice in the queue: the one that waits will do */
};

struct cp_player_hooks {
	void *arg;
	/* Begin: 0, -EAGAIN: not yet (tried again by the tick), other -errno: cannot be. May set length_ms. Calls nothing here. */
	int (*play)(void *arg, const struct cp_player_place *place, struct cp_player_item *item,
		    uint32_t play);
	/* Stop it; PLAYED of it will not be waited for. Calls nothing here. */
	void (*stop)(void *arg, const struct cp_player_place *place, uint32_t play);
	/* May put and stop. was_heard: to its end. */
	void (*ended)(void *arg, const struct cp_player_place *place,
		      const struct cp_player_item *item, bool was_heard);
};

/* start: random, for the numbers of plays. -ENOMEM. */
int cp_player_create(struct cp_player **out, const struct cp_player_hooks *hooks, uint32_t start);
void cp_player_destroy(struct cp_player *player); /* all that is there ends */

/* 0; -ENOSPC: the queue is full; -EALREADY: is_single and it waits already; -ENOMEM. Then it does not end. */
int cp_player_put(struct cp_player *player, const struct cp_player_place *place,
		  const struct cp_player_item *item, int64_t now_ms);

/* All of that tag at that place, 0: all. */
void cp_player_stop(struct cp_player *player, const struct cp_player_place *place, int tag,
		    int64_t now_ms);

/* The leg or conference is gone, or where it was the media plane is: nothing is told to that. */
void cp_player_forget(struct cp_player *player, const struct cp_player_place *place);

/* The media plane said so of that play: it ended there, or could not begin. */
void cp_player_played(struct cp_player *player, const struct cp_player_place *place, uint32_t play,
		      bool was_heard, int64_t now_ms);

/* The media plane does not know that leg or conference yet, of which the owner is sure: the tick tries again, for a while. */
void cp_player_not_yet(struct cp_player *player, const struct cp_player_place *place, uint32_t play,
		       int64_t now_ms);

/* Now and then: what could not begin yet, and what should have ended long ago (an event was lost). */
void cp_player_tick(struct cp_player *player, int64_t now_ms);

/* Another media plane, or the same one without what it had: what was playing begins again there, by the tick. */
void cp_player_restart(struct cp_player *player, int64_t now_ms);

/* Would put take another one there? */
bool cp_player_has_room(const struct cp_player *player, const struct cp_player_place *place);
/* Does something of that tag wait or play there? */
bool cp_player_has(const struct cp_player *player, const struct cp_player_place *place, int tag);

size_t cp_player_count(const struct cp_player *player); /* items that wait or play */

#endif
