/*
 * The HTTP server: libmicrohttpd on the owner's event loop. Each listening socket is a daemon of its own with an epoll
 * descriptor; one epoll descriptor over them and a timer is what the owner watches.
 */
#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include "ctrlplane/base/log.h"
#include "ctrlplane/mgmt/guard.h"
#include "ctrlplane/mgmt/params.h"
#include "ctrlplane/mgmt/server_state.h"
#include "ctrlplane/mgmt/web/web.h"

#define CONNECTIONS_MAX 128
#define IDLE_SECONDS 30
#define CHECK_MS 1000
#define GOODBYE_TURNS 3
#define RETRY_AFTER "5" /* seconds */
#define CONNECTION_MEMORY 16384
#define SWALLOW_MAX \
	(4 << 20) /* octets of a refused body that are read, so that the client sees why */

/* Targets are decoded by target.c, with what it refuses. */
static size_t
leave_escaped(void *arg, struct MHD_Connection *connection, char *text)
{
	return strlen(text);
}

static void *
on_request_line(void *arg, const char *target, struct MHD_Connection *connection)
{
	struct cp_listener *listener = arg;
	struct cp_mgmt *mgmt = listener->mgmt;
	struct cp_mgmt_request *request = cp_request_create(mgmt->ops, target);

	if (request == NULL)
		return NULL;
	request->mgmt = mgmt;
	request->connection = connection;
	request->is_tcp = listener->is_tcp;
	request->next = mgmt->requests;
	request->link = &mgmt->requests;
	if (request->next != NULL)
		request->next->link = &request->next;
	mgmt->requests = request;
	return request;
}

static void
on_completed(void *arg, struct MHD_Connection *connection, void **context,
	     enum MHD_RequestTerminationCode code)
{
	struct cp_mgmt_request *request = *context;

	if (request == NULL)
		return;
	*context = NULL;
	*request->link = request->next;
	if (request->next != NULL)
		request->next->link = request->link;
	cp_stream_destroy(request->stream);
	cp_request_destroy(request);
}

static const char *
field(const struct cp_mgmt_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

/* Lists of thousands are long. */
static void
take_size(struct cp_mgmt_request *request)
{
	size_t count;
	const struct cp_param *params = cp_command_params(request->route.command->id, &count);

	for (size_t i = 0; i < count; i++)
		if (params[i].kind == CP_PARAM_PEOPLE || params[i].kind == CP_PARAM_FILE)
			request->body_max = CP_REQUEST_BIG_MAX;
}

/* All that can be refused by the header section alone. */
static void
check_head(struct cp_mgmt_request *request, const char *method)
{
	const char *length = field(request, "Content-Length");
	struct cp_problem *problem = &request->problem;
	struct cp_guard_request guarded = {
		.method = method,
		.host = field(request, "Host"),
		.origin = field(request, "Origin"),
		.content_type = field(request, "Content-Type"),
		.authorization = field(request, "Authorization"),
		.fetch_site = field(request, "Sec-Fetch-Site"),
		.is_tcp = request->is_tcp,
		.has_body = (length != NULL && strcmp(length, "0") != 0) ||
			    field(request, "Transfer-Encoding") != NULL,
	};

	request->file = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0
				? cp_web_find(request->target_text)
				: NULL;
	if (request->mgmt->is_closing)
		cp_problem_set(problem, 503, "stopping", "The server stops.");
	guarded.is_page = request->file != NULL;
	cp_guard_check(problem, &guarded);
	if (problem->status == 0 && request->file == NULL)
		cp_auth_check(request, guarded.authorization);
	if (problem->status != 0 || request->file != NULL)
		return;
	if (cp_target_parse(&request->target, request->target_text) != 0) {
		cp_problem_set(problem, 400, "invalid",
			       "The target of the request is malformed or too long.");
		return;
	}
	switch (cp_route_find(&request->route, method, &request->target)) {
	case 0:
		break;
	case -ENOTSUP:
		cp_problem_set(problem, 405, "method", "This takes %s.", request->route.allow);
		return;
	default:
		cp_problem_set(problem, 404, "unknown",
			       "There is nothing here; the manual conclave(1) lists the paths.");
		return;
	}
	take_size(request);
	guarded.takes_csv = request->route.command->id == CP_COMMAND_AUTHORISED_IMPORT;
	request->is_file = guarded.takes_csv && cp_guard_is_csv(&guarded);
	request->last_event_id = field(request, "Last-Event-ID");
	cp_guard_check_type(problem, &guarded);
}

/* Refused, and nothing of a body is worth reading. */
static bool
may_respond_at_once(struct cp_mgmt_request *request)
{
	const char *length = field(request, "Content-Length");
	unsigned long long octets = length != NULL ? strtoull(length, NULL, 10) : 0;

	if (octets > SWALLOW_MAX)
		cp_problem_set(&request->problem, 413, "too-large",
			       "A body has at most %zu octets.", request->body_max);
	return request->problem.status != 0 &&
	       (octets > SWALLOW_MAX ||
		(octets == 0 && field(request, "Transfer-Encoding") == NULL));
}

static void
add_fields(const struct cp_mgmt_request *request, struct MHD_Response *response)
{
	bool is_problem = request->problem.status != 0;

	if (is_problem || request->stream == NULL)
		MHD_add_response_header(response, "Content-Type",
					is_problem ? "application/problem+json"
						   : "application/json");
	MHD_add_response_header(response, "Cache-Control", "no-store");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	if (request->problem.status == 405)
		MHD_add_response_header(response, "Allow", request->route.allow);
	if (request->problem.status == 503)
		MHD_add_response_header(response, "Retry-After", RETRY_AFTER);
	if (request->problem.status == 401)
		MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
	if (!is_problem && request->location[0] != '\0')
		MHD_add_response_header(response, "Location", request->location);
}

static struct MHD_Response *
json_response(const struct cp_mgmt_request *request)
{
	json_t *json = request->problem.status != 0
			       ? cp_problem_json(&request->problem, request->target_text)
			       : json_incref(request->json);
	struct MHD_Response *response;
	char *text;

	if (cp_access_is_bound(&request->access) && request->problem.status == 0 &&
	    request->route.command->id != CP_COMMAND_OPENAPI)
		cp_view_hide(json, !request->may_see_list);
	text = json != NULL ? json_dumps(json, JSON_INDENT(2) | JSON_REAL_PRECISION(10)) : NULL;
	response = MHD_create_response_from_buffer(text != NULL ? strlen(text) : 0, text,
						   MHD_RESPMEM_MUST_FREE);
	json_decref(json);
	if (response == NULL)
		free(text);
	return response;
}

static enum MHD_Result
respond(struct cp_mgmt_request *request)
{
	unsigned status = (unsigned)(request->problem.status != 0 ? request->problem.status
								  : request->status);
	bool is_stream = request->problem.status == 0 && request->stream != NULL;
	struct MHD_Response *response =
		is_stream ? cp_stream_response(request) : json_response(request);
	enum MHD_Result result;

	if (response == NULL)
		return MHD_NO;
	add_fields(request, response);
	result = MHD_queue_response(request->connection, status, response);
	MHD_destroy_response(response);
	return result;
}

/* A file of the page; it lives as long as the program. */
static enum MHD_Result
respond_file(struct cp_mgmt_request *request)
{
	const struct cp_web_file *file = request->file;
	bool is_known = cp_web_is_known(file, field(request, "If-None-Match"));
	struct MHD_Response *response = MHD_create_response_from_buffer(
		is_known ? 0 : file->len, (void *)(uintptr_t)file->data, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result result;

	if (response == NULL)
		return MHD_NO;
	MHD_add_response_header(response, "Content-Type", file->type);
	MHD_add_response_header(response, "ETag", file->etag);
	MHD_add_response_header(response, "Cache-Control", "no-cache");
	MHD_add_response_header(response, "Content-Security-Policy", cp_web_policy);
	MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	result = MHD_queue_response(request->connection,
				    is_known ? MHD_HTTP_NOT_MODIFIED : MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	return result;
}

static void
log_write(const struct cp_mgmt_request *request, const char *method)
{
	int status = request->problem.status != 0 ? request->problem.status : request->status;

	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		cp_log(CP_LOG_INFO, "api", "%s %.200s: %d", method, request->target_text, status);
}

static enum MHD_Result
dispatch(struct cp_mgmt_request *request, const char *method)
{
	if (request->problem.status == 0 && request->file != NULL)
		return respond_file(request);
	if (request->problem.status == 0)
		request->params = (request->is_file ? cp_params_collect_file : cp_params_collect)(
			&request->problem, &request->route, &request->target, request->body,
			request->body_len);
	if (request->problem.status == 0)
		cp_handle_request(request);
	log_write(request, method);
	if (request->pending == 0)
		return respond(request);
	request->is_suspended = true;
	MHD_suspend_connection(request->connection);
	return MHD_YES;
}

/* rule zero: libmicrohttpd gives the parameters. */
static enum MHD_Result
on_access(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
	  const char *version, const char *upload, size_t *upload_len, void **context)
{
	struct cp_mgmt_request *request = *context;

	if (request == NULL)
		return MHD_NO;
	if (!request->has_begun) {
		request->has_begun = true;
		check_head(request, method);
		return may_respond_at_once(request) ? respond(request) : MHD_YES;
	}
	if (*upload_len > 0) {
		request->swallowed += *upload_len;
		cp_request_add_body(request, upload, *upload_len);
		*upload_len = 0;
		return request->swallowed <= SWALLOW_MAX ? MHD_YES : MHD_NO;
	}
	return request->is_done ? respond(request) : dispatch(request, method);
}

/* Without threads of its own libmicrohttpd has no means to wake its epoll descriptor: our timer does. */
void
cp_request_resume(struct cp_mgmt_request *request)
{
	struct itimerspec now = {.it_value = {.tv_nsec = 1}};

	if (!request->is_suspended)
		return;
	timerfd_settime(request->mgmt->timer_fd, 0, &now, NULL);
	request->is_suspended = false;
	MHD_resume_connection(request->connection);
}

static int
watch(struct cp_mgmt *mgmt, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	return epoll_ctl(mgmt->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
}

/* Takes the socket over. */
static int
serve(struct cp_mgmt *mgmt, int socket_fd, bool is_tcp)
{
	struct cp_listener *listener = &mgmt->listeners[mgmt->listener_count];
	const union MHD_DaemonInfo *info;

	listener->mgmt = mgmt;
	listener->is_tcp = is_tcp;
	listener->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_access, listener,
		MHD_OPTION_LISTEN_SOCKET, socket_fd, MHD_OPTION_URI_LOG_CALLBACK, on_request_line,
		listener, MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_END);
	if (listener->daemon == NULL) {
		close(socket_fd);
		return -ENOMEM;
	}
	mgmt->listener_count++;
	info = MHD_get_daemon_info(listener->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	return info != NULL ? watch(mgmt, info->epoll_fd) : -EIO;
}

static int
open_listeners(struct cp_mgmt *mgmt, const struct cp_mgmt_settings *settings, char *why,
	       size_t size)
{
	uint32_t mode = settings->socket_mode != 0 ? settings->socket_mode : 0660;
	int fd, status = 0;

	if (settings->tcp_count > CP_SERVER_LISTENERS_MAX - 1) {
		snprintf(why, size, "the API listens on at most %d addresses",
			 CP_SERVER_LISTENERS_MAX - 1);
		return -EINVAL;
	}
	if (settings->socket_path != NULL) {
		fd = cp_listen_unix(settings->socket_path, mode, why, size);
		if (fd < 0)
			return fd;
		mgmt->socket_path = strdup(settings->socket_path);
		status = serve(mgmt, fd, false);
	}
	for (size_t i = 0; i < settings->tcp_count && status == 0; i++) {
		fd = cp_listen_loopback(settings->tcp[i], why, size);
		if (fd < 0)
			return fd;
		status = serve(mgmt, fd, true);
	}
	if (status != 0)
		snprintf(why, size, "cannot start the HTTP server: %s", strerror(-status));
	return status;
}

/* Event ids of another life of the program are not ours. */
static uint64_t
boot_id(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int
cp_mgmt_open(struct cp_mgmt **out, const struct cp_mgmt_settings *settings,
	     const struct cp_mgmt_ops *ops, char *why, size_t size)
{
	struct cp_mgmt *mgmt = calloc(1, sizeof(*mgmt));
	int status = 0;

	if (mgmt == NULL) {
		snprintf(why, size, "out of memory");
		return -ENOMEM;
	}
	mgmt->ops = ops;
	cp_events_init(&mgmt->events, boot_id());
	mgmt->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	mgmt->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (mgmt->epoll_fd < 0 || mgmt->timer_fd < 0 || watch(mgmt, mgmt->timer_fd) != 0) {
		status = -errno;
		snprintf(why, size, "cannot watch the API's sockets: %s", strerror(errno));
	}
	if (status == 0 && settings->token_file != NULL) {
		status = cp_read_token(mgmt->token, settings->token_file, why, size);
		mgmt->has_token = true;
	}
	if (status == 0 && settings->tokens != NULL) {
		mgmt->tokens_path = strdup(settings->tokens);
		status = mgmt->tokens_path == NULL
				 ? -ENOMEM
				 : cp_tokens_load(&mgmt->tokens, settings->tokens, why, size);
	}
	if (status == 0)
		status = open_listeners(mgmt, settings, why, size);
	if (status != 0)
		cp_mgmt_close(mgmt);
	else
		*out = mgmt;
	return status;
}

/* Who follows hears that it is the end, who waits that no answer comes. */
static void
say_goodbye(struct cp_mgmt *mgmt)
{
	mgmt->is_closing = true;
	cp_streams_end(mgmt, "server-stops");
	for (struct cp_mgmt_request *r = mgmt->requests; r != NULL; r = r->next) {
		if (r->is_suspended && r->stream == NULL) {
			cp_problem_set(&r->problem, 503, "stopping", "The server stops.");
			r->is_done = true;
		}
		cp_request_resume(r);
	}
	for (size_t i = 0; i < GOODBYE_TURNS * mgmt->listener_count; i++)
		MHD_run(mgmt->listeners[i % mgmt->listener_count].daemon);
}

void
cp_mgmt_close(struct cp_mgmt *mgmt)
{
	say_goodbye(mgmt);
	for (size_t i = 0; i < mgmt->listener_count; i++)
		MHD_stop_daemon(mgmt->listeners[i].daemon);
	if (mgmt->socket_path != NULL)
		unlink(mgmt->socket_path);
	free(mgmt->socket_path);
	free(mgmt->tokens_path);
	cp_tokens_fini(&mgmt->tokens);
	cp_events_fini(&mgmt->events);
	if (mgmt->epoll_fd >= 0)
		close(mgmt->epoll_fd);
	if (mgmt->timer_fd >= 0)
		close(mgmt->timer_fd);
	explicit_bzero(mgmt->token, sizeof(mgmt->token));
	free(mgmt);
}

int
cp_mgmt_fd(const struct cp_mgmt *mgmt)
{
	return mgmt->epoll_fd;
}

/* When libmicrohttpd wants to be run without anything to read. */
static void
arm_timer(struct cp_mgmt *mgmt)
{
	struct itimerspec when = {0};
	MHD_UNSIGNED_LONG_LONG least = 0, ms;
	bool has_timer = false;

	for (size_t i = 0; i < mgmt->listener_count; i++)
		if (MHD_get_timeout(mgmt->listeners[i].daemon, &ms) == MHD_YES &&
		    (!has_timer || ms < least)) {
			has_timer = true;
			least = ms;
		}
	if (has_timer) {
		when.it_value.tv_sec = (time_t)(least / 1000);
		when.it_value.tv_nsec = (long)(least % 1000) * 1000000 + 1;
	}
	timerfd_settime(mgmt->timer_fd, 0, &when, NULL);
}

/* Who follows sends no requests: once a second tokens and peers are looked at. */
static void
refresh(struct cp_mgmt *mgmt)
{
	int64_t now_ms = mgmt->ops->now_ms(mgmt->ops->app);

	if (mgmt->streams == NULL || now_ms - mgmt->checked_ms < CHECK_MS)
		return;
	mgmt->checked_ms = now_ms;
	cp_auth_refresh(mgmt);
	cp_streams_check(mgmt);
}

void
cp_mgmt_run(struct cp_mgmt *mgmt)
{
	uint64_t expirations;

	if (read(mgmt->timer_fd, &expirations, sizeof(expirations)) < 0 && errno != EAGAIN)
		cp_log(CP_LOG_ERROR, "api", "timer: %s", strerror(errno));
	cp_mgmt_notice_node(mgmt);
	refresh(mgmt);
	cp_streams_wake(mgmt);
	for (size_t i = 0; i < mgmt->listener_count; i++)
		MHD_run(mgmt->listeners[i].daemon);
	arm_timer(mgmt);
}
