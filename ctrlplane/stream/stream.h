/*
 * TCP connections of BFCP and MSRP on one epoll descriptor, plain or in TLS (ctrlplane/tls): listeners, connections of our own,
 * back-pressure, limits, time-outs. Nothing here blocks; octets go out at the end of a turn, in as few records and writes as may be.
 */
#ifndef CP_STREAM_STREAM_H
#define CP_STREAM_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctrlplane/tls/tls.h"
#include "dataplane/api/addr.h"

#define CP_STREAM_ADDRESS_TEXT 56
#define CP_STREAM_RECEIVE_MAX 32768 /* octets that received may leave, waiting for more */

struct cp_hub;	    /* all streams of a program; one thread */
struct cp_stream;   /* one TCP connection. Owner: the hub, which frees it after closed */
struct cp_listener; /* one address. Owner: whoever opened it */

enum cp_stream_mode { CP_STREAM_PLAIN, CP_STREAM_PSK, CP_STREAM_CERTIFICATE };

/* Why a stream was refused or lost; names in cp_stream_cause_name. */
enum cp_stream_cause {
	CP_STREAM_ENDED = 0,   /* orderly, by the peer */
	CP_STREAM_CUT,	       /* the peer or the network broke it off */
	CP_STREAM_UNREACHABLE, /* connect failed */
	CP_STREAM_LATE,	       /* TCP and TLS, or what names the call, took too long */
	CP_STREAM_STALLED,     /* the peer reads nothing any more */
	CP_STREAM_LONG,	       /* a message that does not fit */
	CP_STREAM_FULL,	       /* too many streams */
	CP_STREAM_SOURCE,      /* too many of that source that have not said whose they are */
	CP_STREAM_CROWDED_OUT, /* one of the source's, or of all, that came later took its place */
	CP_STREAM_NOT_TLS,     /* or of a version that is not taken */
	CP_STREAM_NO_KEY,      /* no such PSK identity */
	CP_STREAM_OTHERS_KEY,  /* another owner's identity */
	CP_STREAM_KEY_IN_USE,  /* the identity has a stream already */
	CP_STREAM_WRONG_KEY,
	CP_STREAM_CERTIFICATE_OTHER, /* none, or another fingerprint than was said */
	CP_STREAM_TLS,		     /* whatever else goes wrong in TLS */
	CP_STREAM_REFUSED,	     /* by who was asked: accepted said no */
	CP_STREAM_TROUBLE,	     /* ours: memory, descriptors */
	CP_STREAM_CAUSES
};

const char *cp_stream_cause_name(enum cp_stream_cause cause); /* "wrong-key" */
/* "192.0.2.1:5000", "[2001:db8::1]:5000" into CP_STREAM_ADDRESS_TEXT octets. */
void cp_stream_address_write(char *text, const struct dp_addr *addr);

/* What an option's 0 means stands behind it. */
struct cp_hub_settings {
	uint32_t streams_max;	 /* at a time */
	uint32_t handshakes_max; /* of them: that have not said whose they are */
	uint32_t per_source_max; /* of those: of one IPv4 address, or one IPv6 /64; 0: no limit */
	uint32_t handshake_ms;	 /* TCP and TLS; 0: for ever */
	uint32_t identify_ms;	 /* from there to cp_stream_identified; 0: for ever */
	uint32_t stall_ms;	 /* octets wait, and the peer takes none; 0: for ever */
	uint32_t send_max;	 /* octets that wait in a stream before its room is 0 */
	/* A connection that never became a stream; NULL: nobody wants to know. */
	void (*refused)(void *arg, const struct dp_addr *from, enum cp_stream_cause cause);
	void *arg;
};

/*
 * What happens to a stream. arg is the stream's. Any of them may close or abort the stream, and send. None comes after cp_stream_close or
 * cp_stream_abort, from within any of them or outside.
 */
struct cp_stream_events {
	/* TCP, and TLS if any, is up. */
	void (*opened)(void *arg, struct cp_stream *s);
	/*
	 * Octets; returns how many are taken. The rest comes again with more behind it, or when cp_stream_pause is taken off. More than
	 * CP_STREAM_RECEIVE_MAX that are not taken by who has not paused are the end of the stream.
	 */
	size_t (*received)(void *arg, struct cp_stream *s, const uint8_t *octets, size_t len);
	/* There was less room than cp_stream_send wanted, and now at least half of it is there. May be NULL. */
	void (*writable)(void *arg, struct cp_stream *s);
	/* Over, and freed when this returns. failed: false after an orderly end. why: for the log, no key and no name in it. */
	void (*closed)(void *arg, struct cp_stream *s, bool failed, const char *why);
};

int cp_hub_create(struct cp_hub **out, const struct cp_hub_settings *settings);
void cp_hub_destroy(struct cp_hub *hub); /* and all its streams, without a word; NULL is fine */
/* Readable: call cp_hub_run. Also when something was sent outside of a turn. */
int cp_hub_fd(const struct cp_hub *hub);
/* When cp_hub_run is due though nothing is readable, on the clock that it is given; -1: never. */
int64_t cp_hub_next_ms(const struct cp_hub *hub);
/* A turn: what came, time-outs, what is to go. */
void cp_hub_run(struct cp_hub *hub, int64_t now_ms);

/*
 * How a connection is protected. context is held. A PSK server finds its keys by the context's lookup, and takes them all, or those
 * of owner only. Certificates: with fingerprint NULL any certificate is taken, and cp_stream_fingerprint says which it was.
 */
struct cp_stream_tls {
	enum cp_stream_mode mode;
	enum cp_tls_role role;
	/* CP_TLS_CLIENT: so long after TCP is up the peer may begin with a ClientHello of its own, and then we are the server. */
	uint32_t yields_ms;
	enum cp_tls_version version; /* CP_TLS_BOTH but in tests */
	struct cp_tls_context *context;
	const char *identity;  /* PSK client, copied */
	struct cp_secret *psk; /* PSK client, held */
	const void *owner;
	const uint8_t *fingerprint; /* CP_TLS_FINGERPRINT octets, copied */
};

/*
 * Listen at address (port 0: the kernel chooses). accepted is asked for each connection, before any octet is read: it sets events by
 * cp_stream_set, or returns false, and the connection is reset. tls is copied; NULL: nobody is accepted before cp_listener_start, and
 * who comes is kept by the kernel. -errno.
 */
int cp_hub_listen(struct cp_listener **out, struct cp_hub *hub, const struct dp_addr *address,
		  const struct cp_stream_tls *tls, bool (*accepted)(void *arg, struct cp_stream *s),
		  void *arg);
int cp_listener_start(struct cp_listener *listener,
		      const struct cp_stream_tls *tls); /* again: from now on */
const struct dp_addr *cp_listener_address(const struct cp_listener *listener); /* with its port */
/* Streams that it has accepted go on. NULL is fine. */
void cp_listener_close(struct cp_listener *listener);

/*
 * Connect. What comes of it is said by opened or closed, never before this returns. from: NULL: any address of ours. -errno: not even a try;
 * -ENFILE: too many streams.
 */
struct cp_stream_target {
	struct dp_addr to;
	const struct dp_addr *from; /* port 0: any */
	const struct cp_stream_tls *tls;
};
int cp_hub_connect(struct cp_stream **out, struct cp_hub *hub,
		   const struct cp_stream_target *target, const struct cp_stream_events *events,
		   void *arg);

/* events stays the caller's and is to outlive the stream. */
void cp_stream_set(struct cp_stream *s, const struct cp_stream_events *events, void *arg);

/*
 * Copied; goes out at the end of the turn. Returns how many octets there was room for, and then writable comes: 0 before opened.
 * What must go whole asks cp_stream_room first.
 */
size_t cp_stream_send(struct cp_stream *s, const void *octets, size_t len);
size_t cp_stream_room(const struct cp_stream *s);
/* writable is wanted as soon as half of the room is there. */
void cp_stream_want_room(struct cp_stream *s);
/* Octets that wait, unsent. */
size_t cp_stream_waiting(const struct cp_stream *s);
/* Back-pressure: nothing is read, and received not called, until it is taken off. */
void cp_stream_pause(struct cp_stream *s, bool on);
/* What waits is sent, then close-notify and FIN; bounded in time. The stream is not the caller's any more, no event comes. */
void cp_stream_close(struct cp_stream *s);
/* At once, without a word to the peer (RST). The same otherwise. */
void cp_stream_abort(struct cp_stream *s);
/* It is known whose it is: it counts as half-open no more, and may stay. */
void cp_stream_identified(struct cp_stream *s);

bool cp_stream_is_open(const struct cp_stream *s); /* opened has been said */
enum cp_stream_mode cp_stream_mode(const struct cp_stream *s);
enum cp_stream_cause cp_stream_cause(const struct cp_stream *s); /* within closed */
/* Of the key by which the peer has proven itself; NULL: none. */
const void *cp_stream_owner(const struct cp_stream *s);
/* Of the key whose name the peer has said, proven or not: for the log alone. NULL: none. */
const void *cp_stream_claimed(const struct cp_stream *s);
/* SHA-256 of the peer's certificate, CP_TLS_FINGERPRINT octets; NULL: none. */
const uint8_t *cp_stream_fingerprint(const struct cp_stream *s);
const struct dp_addr *cp_stream_remote(const struct cp_stream *s);
const struct dp_addr *cp_stream_local(const struct cp_stream *s);
/* "TLSv1.3 TLS_AES_128_GCM_SHA256", "plain"; for people. */
const char *cp_stream_protection(const struct cp_stream *s);

#endif
