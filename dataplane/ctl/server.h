/*
 * The control socket: Unix SEQPACKET, peer credentials checked, several clients, none of which can block us. Knows framing,
 * versions and queues; what a request does is the caller's (request_fn). Control thread only.
 */
#ifndef DP_CTL_SERVER_H
#define DP_CTL_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "dataplane/api/ctl.h"

#define DP_CTL_UIDS_MAX 8

struct dp_ctl_server;

/*
 * A valid request of a client that has said HELLO (HELLO itself is handed over too). To be answered once with
 * dp_ctl_server_reply, now or later. msg is the server's and is wiped after the call.
 */
typedef void (*dp_ctl_request_fn)(void *arg, uint64_t client, const struct dp_ctl_hdr *msg);

struct dp_ctl_server_conf {
	const char *path;
	mode_t mode;	    /* of the socket file: 0660 */
	gid_t group;	    /* of the socket file; (gid_t)-1: leave. Its members may connect */
	unsigned uid_count; /* who may connect besides root and ourselves */
	uid_t uids[DP_CTL_UIDS_MAX];
	dp_ctl_request_fn request;
	void *arg;
};

/* 0 or -errno; on failure text says what and how to mend. */
int dp_ctl_server_open(struct dp_ctl_server **out, const struct dp_ctl_server_conf *conf,
		       char *text, size_t text_size);
void dp_ctl_server_close(struct dp_ctl_server *server);

/* Becomes readable when step has something to do. */
int dp_ctl_server_fd(const struct dp_ctl_server *server);

/* Accept, read, call request_fn, send what is queued; waits up to timeout_ms for something to do. */
void dp_ctl_server_step(struct dp_ctl_server *server, int timeout_ms);

/* Fills version and len of the header at msg; type, number and status are the caller's. A client that has left is ignored. */
void dp_ctl_server_reply(struct dp_ctl_server *server, uint64_t client, void *msg, size_t len);

/* To every client that wants events; one that is slow loses it and is told how many (LOST_EVENTS). */
void dp_ctl_server_event(struct dp_ctl_server *server, const struct dp_ctl_event *event);

#endif
