/*
 * Streams of live events over libmicrohttpd: a response whose reader takes from the ring, and whose connection sleeps while
 * there is nothing. A reader that does not read is left to the connection's time-out; one that reads too slowly falls
 * behind the ring and is told so.
 */
#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/base/log.h"
#include "ctrlplane/mgmt/server_state.h"

#define BLOCK 8192

static int64_t
now_ms(const struct cp_mgmt_request *request)
{
	return request->ops->now_ms(request->ops->app);
}

/* A conference that is over was seen while it was there; its events are few, and its owner knows of it. */
static bool
sees(void *arg, uint32_t conf_id)
{
	const struct cp_stream *stream = arg;
	const struct cp_focus *focus = stream->request->ops->focus;
	const struct cp_conf *conf;

	if (stream->conf != 0 && stream->conf != conf_id)
		return false;
	if (conf_id == 0 || !cp_access_is_bound(&stream->request->access))
		return true;
	conf = cp_conf_by_id(focus, conf_id);
	if (conf == NULL)
		conf = cp_conf_closed(focus, conf_id);
	return conf != NULL && cp_access_sees(&stream->request->access, conf);
}

static size_t
count_of(const struct cp_mgmt *mgmt, const char *by)
{
	size_t count = 0;

	for (const struct cp_stream *s = mgmt->streams; s != NULL; s = s->next)
		count += strcmp(s->request->access.by, by) == 0;
	return count;
}

void
cp_request_follow(struct cp_mgmt_request *request, uint32_t conf, const char *last_id)
{
	struct cp_mgmt *mgmt = request->mgmt;
	struct cp_stream *stream;

	if (mgmt->stream_count >= CP_STREAMS_MAX ||
	    count_of(mgmt, request->access.by) >= CP_STREAMS_EACH_MAX) {
		cp_problem_set(&request->problem, 503, "too-many-streams",
			       "There are at most %d streams of events, and %d of one name.",
			       CP_STREAMS_MAX, CP_STREAMS_EACH_MAX);
		return;
	}
	stream = calloc(1, sizeof(*stream));
	if (stream != NULL) {
		stream->request = request;
		stream->conf = conf;
		stream->events =
			(struct cp_events_stream){.events = &mgmt->events,
						  .sees = sees,
						  .arg = stream,
						  .is_bare = cp_access_is_bound(&request->access),
						  .sent_ms = now_ms(request)};
	}
	if (stream == NULL || cp_events_follow(&stream->events, last_id) != 0) {
		free(stream);
		cp_problem_errno(&request->problem, -ENOMEM, "The events cannot be followed");
		return;
	}
	stream->next = mgmt->streams;
	stream->link = &mgmt->streams;
	if (stream->next != NULL)
		stream->next->link = &stream->next;
	mgmt->streams = stream;
	mgmt->stream_count++;
	request->stream = stream;
	cp_request_answer(request, 200, NULL);
}

void
cp_stream_destroy(struct cp_stream *stream)
{
	if (stream == NULL)
		return;
	if (stream->events.end != NULL)
		cp_log(CP_LOG_INFO, "api", "events for %s: ended: %s", stream->request->access.by,
		       stream->events.end);
	*stream->link = stream->next;
	if (stream->next != NULL)
		stream->next->link = stream->link;
	stream->request->mgmt->stream_count--;
	cp_events_unfollow(&stream->events);
	free(stream);
}

static ssize_t
on_read(void *arg, uint64_t position, char *out, size_t size)
{
	struct cp_mgmt_request *request = arg;
	ssize_t len = cp_events_read(&request->stream->events, out, size, now_ms(request));

	if (len > 0)
		return len;
	if (len < 0)
		return MHD_CONTENT_READER_END_OF_STREAM;
	request->is_suspended = true;
	MHD_suspend_connection(request->connection);
	return 0;
}

struct MHD_Response *
cp_stream_response(struct cp_mgmt_request *request)
{
	struct MHD_Response *response =
		MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, on_read, request, NULL);

	if (response == NULL)
		return NULL;
	MHD_add_response_header(response, "Content-Type", "text/event-stream");
	MHD_add_response_header(response, "X-Accel-Buffering", "no");
	return response;
}

void
cp_streams_wake(struct cp_mgmt *mgmt)
{
	for (struct cp_stream *s = mgmt->streams; s != NULL; s = s->next)
		if (s->request->is_suspended && cp_events_is_due(&s->events, now_ms(s->request)))
			cp_request_resume(s->request);
}

/* A connection that sleeps does not see that its peer has left: it is made to write, which fails. */
void
cp_streams_check(struct cp_mgmt *mgmt)
{
	for (struct cp_stream *s = mgmt->streams; s != NULL; s = s->next) {
		const union MHD_ConnectionInfo *info = MHD_get_connection_info(
			s->request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
		struct pollfd peer = {.fd = info != NULL ? info->connect_fd : -1,
				      .events = POLLRDHUP};

		if (s->request->is_suspended && poll(&peer, 1, 0) > 0 && s->events.end == NULL)
			s->events.end = "peer-left";
	}
}

void
cp_streams_end(struct cp_mgmt *mgmt, const char *reason)
{
	for (struct cp_stream *s = mgmt->streams; s != NULL; s = s->next)
		s->events.end = reason;
}
