/*
 * The m-lines of calls that are TCP streams (BFCP, MSRP): listeners of each service and mode, whose connection it is that comes, connections
 * of our own, and what becomes of a call whose stream fails. What goes over them is the services' business.
 */
#ifndef CP_APP_STREAMS_H
#define CP_APP_STREAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctrlplane/app/setup/streams.h"
#include "ctrlplane/stream/stream.h"

struct cp_app;
struct cp_call;
struct cp_sdp_local;
struct cp_streams; /* owner: the app */
struct cp_line_link;

#define CP_LINES 2 /* of a call: one of each enum cp_sdp_service */

/*
 * An m-line of a call that is a stream; it stands in the call (call->lines) from first to last. stream is set by opened, and NULL before
 * it and from lost on: never one whose owner is not proven.
 */
struct cp_line {
	struct cp_call *call; /* NULL: there is no such m-line */
	int service;	      /* enum cp_sdp_service */
	struct cp_stream *stream;
	void *state;		   /* the service's */
	struct cp_line_link *link; /* of streams.c */
};

/* Why octets of a peer, who is proven to be nobody or somebody else, are not a line's. */
enum cp_line_fault {
	CP_LINE_UNKNOWN, /* they name no line: MSRP 481 */
	CP_LINE_TAKEN,	 /* that line has a stream: MSRP 506 */
	CP_LINE_OTHERS, /* the peer has another certificate than that line's, or the mode is another */
};

/*
 * What a service does with its lines; one table each, for the whole program. call->lines[service].state is its own. Within opened, received,
 * writable and lost a service may end the stream (cp_line_end: lost is not called then) or the call.
 */
struct cp_service {
	const char *name; /* for the log: "floor" */
	/*
	 * Whose line do the first octets of a connection name, where the key does not say it (certificates and plain)? 0; -EAGAIN: more
	 * octets; else they name none. The octets come again, to received.
	 */
	int (*identify)(struct cp_line **out, struct cp_app *app, const uint8_t *octets,
			size_t len);
	/* A last word to who is not let in, by cp_stream_send; the stream is closed after it. May be NULL. */
	void (*refuse)(struct cp_app *app, struct cp_stream *s, const uint8_t *octets, size_t len,
		       enum cp_line_fault fault);
	void (*opened)(struct cp_line *line); /* line->stream is theirs, and may be sent to */
	size_t (*received)(struct cp_line *line, const uint8_t *octets, size_t len);
	void (*writable)(struct cp_line *line);
	void (*lost)(struct cp_line *line, const char *why); /* may be opened again */
	/* Agreed, changed, or over (is_there false): ids, paths and floors of the m-line. */
	void (*agreed)(struct cp_line *line, bool is_there);
	/* Its part of our offer or answer: ids, floors, path, features. */
	void (*local)(struct cp_call *call, struct cp_sdp_local *local);
};

/* -errno: no hub, no certificate, or a port of the configuration is taken. */
int cp_streams_open(struct cp_app *app);
void cp_streams_close(struct cp_app *app);
/* Before the first call; without it the service's m-lines are refused. */
void cp_streams_provide(struct cp_app *app, int service, const struct cp_service *table);
void cp_streams_tick(struct cp_app *app);
/* SIGHUP: certificate and key are read anew; what is up stays. */
void cp_streams_reload(struct cp_app *app);

/* Our addresses, ports, setup, fingerprint and the services' own for the offer or answer that is being written. */
void cp_streams_local(struct cp_call *call, struct cp_sdp_local *local);
/* After each offer and answer that is in force (call->sdp): connect, wait, keep or end. */
void cp_streams_agreed(struct cp_call *call);
/* The answer to our offer is here, and agreed soon: whom it brings is kept waiting so long. */
void cp_streams_answering(struct cp_app *app);
/* It was connected, and is no more: an offer or answer makes a new one. */
bool cp_streams_is_lost(const struct cp_call *call, int service);
/* It did not come up, and its m-line is to go (streams.on_failure: remove). */
bool cp_streams_is_given_up(const struct cp_call *call, int service);
void cp_streams_over(struct cp_call *call); /* the call is */

/* For services: end the stream orderly, or without a word. The m-line stays, and its peer may come again. */
void cp_line_end(struct cp_line *line);
void cp_line_cut(struct cp_line *line);

/* For status: streams that are up, and how many were refused or lost, by enum cp_stream_cause. */
struct cp_streams_counts {
	uint32_t open;
	uint64_t accepted;
	uint64_t refused[CP_STREAM_CAUSES];
	uint64_t lost[CP_STREAM_CAUSES];
};
struct cp_streams_counts cp_streams_counts(const struct cp_app *app);

#endif
