/*
 * Client of the media plane's control socket (dataplane/api/ctl.h): requests with completions and
 * time-outs, events, reconnection.
 *
 * Non-blocking and without an event loop of its own. The owner watches cp_media_fd() for what
 * cp_media_wants() says, calls cp_media_on_readable / cp_media_on_writable, and cp_media_on_tick
 * about every 100 ms. The fd changes with every reconnection: on_fd says so. Callbacks may call any
 * function here but cp_media_destroy.
 */
#ifndef CP_MEDIA_MEDIA_H
#define CP_MEDIA_MEDIA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ctrlplane/keys/keys.h"
#include "dataplane/api/ctl.h"

struct cp_media;

enum cp_media_want {
	CP_MEDIA_READ = 1,
	CP_MEDIA_WRITE = 2,
};

/* Any of them may be NULL. arg is the owner's. */
struct cp_media_hooks {
	void *arg;
	/* The fd or what it waits for is another; fd -1: there is none now (forget the old one: it
	 * is closed right after). */
	void (*on_fd)(void *arg, int fd, int wants);
	/* HELLO is done. is_new: another instance than before (or the first one): nothing of ours
	 * is there any more. Take stock. */
	void (*on_up)(void *arg, const struct dp_ctl_welcome *welcome, bool is_new);
	/* The connection broke; all requests under way have been completed with -ECONNRESET. */
	void (*on_down)(void *arg, int error);
	void (*on_event)(void *arg, const struct dp_ctl_event *event);
};

struct cp_media_conf {
	const char *path;	/* of the socket, copied */
	const char *client;	/* for the media plane's log */
	int64_t timeout_ms;	/* of a request; 0: 2 s */
	int64_t backoff_min_ms; /* between attempts to connect; 0: 100 ms, doubling up to
				   backoff_max_ms (0: 5 s) */
	int64_t backoff_max_ms;
	size_t queue_max; /* requests under way; 0: 65536 */
	struct cp_media_hooks hooks;
};

/*
 * status: 0 or -errno of the media plane, -ETIMEDOUT, -ECONNRESET, -EPROTO (reply malformed). reply
 * is the whole message, NULL unless one came; it has at least the size of the struct that ctl.h
 * names for this request when status is 0. Borrowed for the call.
 */
typedef void (*cp_media_done_fn)(void *arg, int status, const struct dp_ctl_hdr *reply);

/* Does not connect yet: the first on_tick does. now_ms: monotonic milliseconds, here and below. */
int cp_media_create(struct cp_media **out, const struct cp_media_conf *conf);
void
cp_media_destroy(struct cp_media *media); /* completes nothing; callbacks are not called any more */

int cp_media_fd(const struct cp_media *media);	  /* -1: not connected */
int cp_media_wants(const struct cp_media *media); /* enum cp_media_want, or-ed */
void cp_media_on_readable(struct cp_media *media, int64_t now_ms);
void cp_media_on_writable(struct cp_media *media, int64_t now_ms);
void cp_media_on_tick(struct cp_media *media, int64_t now_ms); /* time-outs, reconnection */

bool cp_media_is_up(const struct cp_media *media);
const struct dp_ctl_welcome *
cp_media_welcome(const struct cp_media *media); /* of the present connection; NULL: down */

/*
 * Send a request: message begins with a dp_ctl_hdr whose type is set, size octets long; version,
 * len, number and status are filled in here. The message is copied. 0: done will be called once
 * (never from within). -ENOTCONN, -EAGAIN (queue_max), -EINVAL, -ENOMEM: it will not. done may be
 * NULL.
 */
int cp_media_request(struct cp_media *media, void *message, size_t size, cp_media_done_fn done,
		     void *arg);

/* KEY_INSTALL from a key: the copies on the way are in locked memory and wiped once the kernel has
 * them. */
struct cp_media_key {
	uint32_t leg;
	uint8_t dir;	/* DP_DIR_RECEIVE or DP_DIR_SEND */
	uint8_t slot;	/* enum dp_key_slot */
	uint32_t flags; /* enum dp_key_flag */
};
int cp_media_install_key(struct cp_media *media, const struct cp_media_key *where,
			 const struct cp_key *key, cp_media_done_fn done, void *arg);

/* Requests of one id: CONF_DESTROY, LEG_REMOVE, LEG_SHOW. */
int cp_media_request_id(struct cp_media *media, enum dp_ctl_type type, uint32_t id,
			cp_media_done_fn done, void *arg);

#endif
