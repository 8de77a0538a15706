/* The layout of the HTTP server: what its files share. */
#ifndef CP_MGMT_SERVER_STATE_H
#define CP_MGMT_SERVER_STATE_H

#include "ctrlplane/mgmt/listen.h"
#include "ctrlplane/mgmt/request.h"
#include "ctrlplane/mgmt/tokens.h"

#define CP_SERVER_LISTENERS_MAX 5
#define CP_STREAMS_MAX 64      /* streams of events at a time … */
#define CP_STREAMS_EACH_MAX 16 /* … and of one name */

struct MHD_Daemon;
struct MHD_Response;

struct cp_listener {
	struct cp_mgmt *mgmt;
	struct MHD_Daemon *daemon;
	bool is_tcp;
};

/* An answer that goes on as long as both want. Owner: its request. */
struct cp_stream {
	struct cp_stream *next, **link;
	struct cp_mgmt_request *request;
	struct cp_events_stream events;
	uint32_t conf; /* 0: all */
};

struct cp_mgmt {
	const struct cp_mgmt_ops *ops;
	struct cp_listener listeners[CP_SERVER_LISTENERS_MAX];
	size_t listener_count;
	struct cp_mgmt_request *requests;
	int epoll_fd, timer_fd;
	bool is_closing;
	char *socket_path;
	bool has_token; /* the one of http.token_file */
	char token[CP_TOKEN_MAX];
	char *tokens_path; /* NULL: none */
	struct cp_tokens tokens;
	struct cp_tokens rejected; /* its file, as it was when it could not be read */
	int64_t checked_ms;
	bool was_draining, had_media; /* as the last event about the node said */
	struct cp_stream *streams;
	size_t stream_count;
	struct cp_events events;
};

/* auth.c: who asks, with the problem set where nobody may. */
void cp_auth_check(struct cp_mgmt_request *request, const char *authorization);
/* The file of tokens may have changed: read it again. */
void cp_auth_refresh(struct cp_mgmt *mgmt);
/* The access that a stream began with is not what its token gives now. */
bool cp_auth_is_revoked(const struct cp_mgmt *mgmt, const struct cp_access *access);

/* stream.c */
struct MHD_Response *cp_stream_response(struct cp_mgmt_request *request);
/* Events came, time passed: those who wait go on. */
void cp_streams_wake(struct cp_mgmt *mgmt);
/* Those whose peers have left end. */
void cp_streams_check(struct cp_mgmt *mgmt);
void cp_streams_end(struct cp_mgmt *mgmt, const char *reason);
void cp_stream_destroy(struct cp_stream *stream);

#endif
