/*
 * Two hubs on loopback with a clock that a test sets: "ours" listens, "theirs" connects; and raw sockets for peers that misbehave.
 * The keys are "one", "two", … each 32 octets of the name's first letter; its owner is the name.
 */
#ifndef TESTS_SCENARIO_STREAM_WORLD_H
#define TESTS_SCENARIO_STREAM_WORLD_H

#include "ctrlplane/stream/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define ENDS_MAX 512
#define HEARD_MAX (1 << 20)

/* A stream as its user sees it. */
struct end {
	struct cp_stream *stream; /* NULL: closed */
	int opened, closed, writable;
	bool failed;
	enum cp_stream_cause cause;
	char why[200];
	char protection[64];
	const void *owner, *claimed;
	size_t heard_len;
	size_t takes; /* octets that received takes at a time; 0: all */
	bool forgets, takes_nothing, pauses, closes, aborts, echoes;
	uint8_t heard[HEARD_MAX];
};

struct world {
	int64_t now_ms;
	struct cp_hub *ours, *theirs;
	struct cp_tls_context *context, *their_context;
	struct cp_listener *listener;
	struct dp_addr at;
	size_t count; /* ends that were accepted */
	struct end *ends[ENDS_MAX];
	bool refuses;
	bool identifies; /* streams that are opened */
	uint32_t refused[CP_STREAM_CAUSES];
};

extern const struct cp_stream_events world_events;
extern const char *const world_keys[];

/* limits: fields of 0 get something fair. */
void world_open(struct world *w, struct cp_hub_settings limits);
void world_close(struct world *w);
void world_listen(struct world *w, bool is_6, const struct cp_stream_tls *tls);
/* A connection of theirs to where we listen. */
void world_connect(struct world *w, struct end *end, const struct cp_stream_tls *tls);
/* Turns until is_so says so, at most five seconds; false: it never did. */
bool world_until(struct world *w, bool (*is_so)(void *arg), void *arg);
void world_turns(struct world *w, int count);
/* Until end is open, closed, or has heard len octets. */
bool world_opened(struct world *w, struct end *end);
bool world_closed(struct world *w, struct end *end);
bool world_heard(struct world *w, struct end *end, size_t len);
struct end *world_accepted(struct world *w, size_t count); /* the last of so many; waits for it */

struct end *end_create(void);
struct cp_stream_tls world_psk(struct world *w, const char *name);
struct cp_stream_tls world_psk_server(struct world *w);
struct cp_secret *world_key(const char *name);

/* A socket of nobody's, connected to where we listen from 127.0.0.<host>. */
int raw_connect(const struct world *w, int host);

#endif
