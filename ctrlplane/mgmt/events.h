/*
 * Live events as server-sent events (WHATWG HTML 9.2): a ring that remembers the latest, and the streams that read it. A
 * stream has no queue of its own: it is a place in the ring, and who falls behind the ring is told so and ended.
 */
#ifndef CP_MGMT_EVENTS_H
#define CP_MGMT_EVENTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CP_EVENTS_KEPT 4096	       /* the latest so many are remembered … */
#define CP_EVENTS_OCTETS_MAX (4 << 20) /* … and at most so much text */
#define CP_EVENTS_HEARTBEAT_MS 15000   /* of silence, then a comment */

/* The text of an event, shared by the ring and the streams that are sending it. */
struct cp_events_text {
	unsigned int users;
	size_t len;
	char text[];
};

struct cp_events_item {
	uint32_t conf; /* 0: about the node */
	struct cp_events_text *text;
	struct cp_events_text *bare; /* for who stands for a participant; NULL: the same */
};

/* Owner: the server. The event of number n is at items[n % CP_EVENTS_KEPT]. */
struct cp_events {
	uint64_t boot;	      /* of this life: ids of another are not ours */
	uint64_t first, next; /* numbers; first == next: empty */
	size_t octets;
	struct cp_events_item items[CP_EVENTS_KEPT];
};

void cp_events_init(struct cp_events *events, uint64_t boot);
void cp_events_fini(struct cp_events *events);

/*
 * Takes both over: the data, and what of it who stands for a participant may see (NULL: all). A short memory loses the
 * event, and every stream learns that some are missing.
 */
void cp_events_add(struct cp_events *events, uint32_t conf, const char *name, json_t *data,
		   json_t *bare);

/* May this stream's owner see events of that conference? 0: of the node. */
typedef bool (*cp_events_sees_fn)(void *arg, uint32_t conf);

/* Somebody who follows. Zeroed, then cp_events_follow. */
struct cp_events_stream {
	struct cp_events *events;
	cp_events_sees_fn sees;
	void *arg;
	bool is_bare;			/* its owner stands for a participant */
	uint64_t next;			/* number that is sent next */
	struct cp_events_text *current; /* being sent; NULL: none */
	size_t sent;			/* of current */
	int64_t sent_ms;		/* when something was sent last */
	const char *end;		/* reason that it ends for; NULL: it goes on */
	bool has_ended;			/* and was told so */
};

/* Begin after the event of this id, which may be NULL or unknown: then from now on. -ENOMEM. */
int cp_events_follow(struct cp_events_stream *stream, const char *last_id);

/*
 * Up to size octets of what is next. 0: nothing now, see cp_events_is_due; -1: the stream is over. now_ms is for the
 * heartbeat.
 */
ssize_t cp_events_read(struct cp_events_stream *stream, char *out, size_t size, int64_t now_ms);

/* A waiting stream has something to read, be it a heartbeat. */
bool cp_events_is_due(const struct cp_events_stream *stream, int64_t now_ms);

void cp_events_unfollow(struct cp_events_stream *stream);

#endif
