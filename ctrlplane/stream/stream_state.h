/* Layout of the hub, its streams and listeners, for this folder. */
#ifndef CP_STREAM_STREAM_STATE_H
#define CP_STREAM_STREAM_STATE_H

#include <sys/queue.h>

#include "ctrlplane/base/map.h"
#include "ctrlplane/stream/stream.h"

#define CP_STREAM_READ 32768   /* octets of one read of a socket */
#define CP_STREAM_RECORD 16384 /* octets that a TLS record may bring */

/* How connections of one listener, or one of ours, are protected: counted, immutable. */
struct cp_shield {
	uint32_t holders;
	enum cp_stream_mode mode;
	enum cp_tls_role role;
	enum cp_tls_version version;
	uint32_t yields_ms;
	struct cp_tls_context *context;
	struct cp_secret *psk;
	const void *owner;
	bool has_fingerprint;
	uint8_t fingerprint[CP_TLS_FINGERPRINT];
	char identity[CP_TLS_IDENTITY_MAX + 1];
};

/* What an epoll event belongs to; first in its struct. */
enum cp_hub_kind { CP_HUB_WAKE, CP_HUB_LISTENER, CP_HUB_STREAM };

/* One line of waiting each; in it by when they are due. */
enum cp_hub_timer {
	CP_TIMER_HANDSHAKE,
	CP_TIMER_YIELD,
	CP_TIMER_IDENTIFY,
	CP_TIMER_STALL,
	CP_TIMER_LINGER,
	CP_TIMERS
};

struct cp_hub_due {
	TAILQ_ENTRY(cp_hub_due) link;
	struct cp_stream *stream;
	int64_t at_ms; /* 0: in no line */
};

TAILQ_HEAD(cp_hub_dues, cp_hub_due);
TAILQ_HEAD(cp_hub_streams, cp_stream);
TAILQ_HEAD(cp_hub_listeners, cp_listener);

enum cp_stream_phase {
	CP_PHASE_CONNECTING, /* TCP of ours */
	CP_PHASE_YIELDING,   /* the peer may say ClientHello */
	CP_PHASE_SHAKING,    /* TLS; as a server from before the first octet */
	CP_PHASE_OPEN,
	CP_PHASE_LEAVING, /* the user is gone: flush, FIN, wait for theirs */
	CP_PHASE_DEAD,	  /* no descriptor; freed at the end of the turn */
};

/* What is to be done for a stream at the end of a turn. */
enum cp_stream_due {
	CP_DUE_FLUSH = 1,
	CP_DUE_READ = 2,  /* something lies here that nobody has taken */
	CP_DUE_START = 4, /* time-outs of a connection of ours */
};

/* Sources of streams that are half-open; freed with the last of them. */
struct cp_source {
	struct cp_map_node node;
	uint8_t key[8];
	uint32_t count;
	struct cp_hub_streams streams; /* by_source, the oldest first */
};

struct cp_stream_queue {
	uint8_t *octets;
	size_t at, end, size;
};

struct cp_stream {
	enum cp_hub_kind kind;
	enum cp_stream_phase phase;
	struct cp_hub *hub;
	int fd;
	uint32_t armed; /* of epoll */
	struct cp_shield *shield;
	struct cp_tls *tls;		       /* NULL: plain, or not yet */
	const struct cp_stream_events *events; /* NULL: the user is gone */
	void *arg;
	struct dp_addr remote, local;
	TAILQ_ENTRY(cp_stream) all, half, by_source, ready;
	struct cp_source *source; /* NULL: not half-open any more, or ours */
	int64_t since_ms;	  /* half-open */
	uint32_t due;		  /* enum cp_stream_due, or-ed: on the ready list */
	struct cp_hub_due timers[CP_TIMERS];
	struct cp_stream_queue out; /* plain octets */
	uint8_t *left;		    /* what received did not take */
	size_t left_len;
	bool is_ours; /* we connected */
	bool was_opened;
	bool is_identified, is_paused, is_short, is_blocked;
	bool is_fin_sent, is_end_seen;
	enum cp_stream_cause cause;
	char protection[64];
};

struct cp_listener {
	enum cp_hub_kind kind;
	struct cp_hub *hub;
	int fd; /* -1: closed, freed at the end of the turn */
	struct dp_addr address;
	struct cp_shield *shield;
	bool (*accepted)(void *arg, struct cp_stream *s);
	void *arg;
	TAILQ_ENTRY(cp_listener) link;
};

struct cp_hub {
	enum cp_hub_kind kind; /* of the wake-up */
	struct cp_hub_settings settings;
	int epoll, wake;
	bool is_awake;	/* wake is readable, or we are in a turn */
	int64_t now_ms; /* of the turn */
	uint32_t count, half_count;
	struct cp_hub_streams streams, half, ready, dead;
	struct cp_hub_listeners listeners, dead_listeners;
	int64_t listen_again_ms; /* listeners rest until then; 0: they do not */
	struct cp_map sources;
	uint32_t seed; /* of their hash */
	struct cp_hub_dues dues[CP_TIMERS];
	uint8_t raw[CP_STREAM_READ]; /* from the wire */
	uint8_t plain[CP_STREAM_RECEIVE_MAX + CP_STREAM_READ + CP_STREAM_RECORD]; /* for received */
};

/* shield.c */
int cp_shield_create(struct cp_shield **out, const struct cp_stream_tls *tls);
struct cp_shield *cp_shield_get(struct cp_shield *shield);
void cp_shield_put(struct cp_shield *shield);

/* address.c: dp_addr and the kernel's */
struct sockaddr_storage;
int cp_stream_sockaddr(struct sockaddr_storage *out, const struct dp_addr *addr); /* its length */
void cp_stream_addr(struct dp_addr *out, const struct sockaddr_storage *at);
void cp_stream_tune(int fd); /* options of every connection */

/* hub.c */
void cp_hub_mark(struct cp_stream *s, uint32_t due); /* at the end of this turn, or the next */
void cp_hub_time(struct cp_stream *s, enum cp_hub_timer timer, uint32_t ms); /* 0: no more */
void cp_hub_arm(struct cp_stream *s); /* epoll's events as of its state */
void cp_hub_rest(struct cp_hub *hub); /* no connection is accepted for a while */
int cp_hub_add(struct cp_stream **out, struct cp_hub *hub, int fd, struct cp_shield *shield);

/* source.c */
uint32_t cp_source_count(const struct cp_hub *hub, const struct dp_addr *from);
struct cp_stream *cp_source_oldest(const struct cp_hub *hub, const struct dp_addr *from);
int cp_source_join(struct cp_stream *s); /* half-open */
void cp_source_leave(struct cp_stream *s);

/* listen.c */
void cp_listener_ready(struct cp_listener *listener);

/* read.c */
void cp_stream_readable(struct cp_stream *s);
void cp_stream_deliver(struct cp_stream *s); /* what lies here */
/* TLS from here on, in that role; false: the stream is over. */
bool cp_stream_shake(struct cp_stream *s, enum cp_tls_role role);
void cp_stream_up(struct cp_stream *s); /* TCP is */

/* write.c */
void cp_stream_flush(struct cp_stream *s);
void cp_stream_queue_drop(struct cp_stream_queue *q);

/* end.c */
/* Over for its user, who is told. What is to be said yet (an alert) is said. */
void cp_stream_lose(struct cp_stream *s, enum cp_stream_cause cause, const char *why);
void cp_stream_lose_tls(struct cp_stream *s); /* as the session says */
void cp_stream_bury(struct cp_stream *s);     /* its descriptor is closed; nobody is told */

#endif
