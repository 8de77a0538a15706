/* HTTP by libmicrohttpd. */
#include "ctrlplane/kms/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctrlplane/base/log.h"
#include "ctrlplane/keys/secret.h"
#include "ctrlplane/kms/body.h"

#define BACKLOG 1024
#define IDLE_SECONDS 60
#define CONNECTION_MEMORY 8192
#define THREADS_MAX 8 /* when the configuration leaves it to us */
#define PEM_MAX 65536
#define SWALLOW_MAX \
	(1 << 20) /* octets of a refused body that are read, so that the client sees why */
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct listener {
	struct cp_kms_http *http;
	int fd; /* -1: the daemon's */
	bool is_tls;
	struct MHD_Daemon *daemon;
};

struct cp_kms_http {
	const struct cp_kms_settings *settings;
	struct cp_kms *kms;
	struct listener listeners[CP_KMS_LISTENERS_MAX];
	size_t listener_count;
	char *certificate, *private_key; /* PEM; the key is wiped */
};

/* One request from its head to its answer. */
struct exchange {
	struct cp_kms_verdict verdict;
	size_t swallowed, len;
	uint8_t body[];
};

static int
fail(int error, char *why, size_t size, const char *what, const char *about)
{
	snprintf(why, size, "%s: %s%s%s", about, what, error > 0 ? ": " : "",
		 error > 0 ? strerror(error) : "");
	return error > 0 ? -error : -EINVAL;
}

/* A whole PEM file, heap. */
static int
read_pem(char **out, const char *path, bool is_key, char *why, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), error = 0;
	char *text = malloc(PEM_MAX);
	struct stat info;
	ssize_t len = -1;

	if (fd < 0 || text == NULL || fstat(fd, &info) != 0 ||
	    (len = read(fd, text, PEM_MAX - 1)) < 0)
		error = fail(errno, why, size, "cannot be read", path);
	else if (is_key && (info.st_mode & 077) != 0)
		error = fail(0, why, size,
			     "others than its owner can read the private key; chmod 600 it", path);
	if (fd >= 0)
		close(fd);
	if (error != 0) {
		if (len > 0)
			cp_wipe(text, (size_t)len);
		free(text);
		return error;
	}
	text[len] = '\0';
	*out = text;
	return 0;
}

static int
open_listener(struct listener *listener, const struct cp_kms_address *address, const char *name,
	      char *why, size_t size)
{
	int on = 1, fd;

	fd = socket(address->at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail(errno, why, size, "no socket", name);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (address->at.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&address->at, address->len) != 0 ||
	    listen(fd, BACKLOG) != 0) {
		int error = errno;

		close(fd);
		return fail(error, why, size, "cannot listen there", name);
	}
	listener->fd = fd;
	listener->is_tls = address->is_tls;
	return 0;
}

int
cp_kms_http_open(struct cp_kms_http **out, const struct cp_kms_settings *settings, char *why,
		 size_t size)
{
	struct cp_kms_http *http = calloc(1, sizeof(*http));
	bool has_tls = false;
	int error = 0;

	if (http == NULL)
		return fail(ENOMEM, why, size, "no memory", "HTTP");
	http->settings = settings;
	for (size_t i = 0; i < settings->address_count && error == 0; i++) {
		struct listener *listener = &http->listeners[i];

		listener->http = http;
		error = open_listener(listener, &settings->addresses[i],
				      settings->kms.listen.items[i], why, size);
		has_tls |= listener->is_tls;
		http->listener_count += error == 0;
	}
	if (error == 0 && has_tls && MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
		error = fail(0, why, size, "this libmicrohttpd has no TLS", "https");
	if (error == 0 && has_tls)
		error = read_pem(&http->certificate, settings->kms.certificate, false, why, size);
	if (error == 0 && has_tls)
		error = read_pem(&http->private_key, settings->kms.private_key, true, why, size);
	if (error != 0)
		cp_kms_http_close(http);
	else
		*out = http;
	return error;
}

static const char *
field(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static const struct sockaddr *
source_of(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
}

static void
name_source(char out[INET6_ADDRSTRLEN], const struct sockaddr *source)
{
	const void *at = source->sa_family == AF_INET
				 ? (const void *)&((const struct sockaddr_in *)source)->sin_addr
				 : (const void *)&((const struct sockaddr_in6 *)source)->sin6_addr;

	if (inet_ntop(source->sa_family, at, out, INET6_ADDRSTRLEN) == NULL)
		strcpy(out, "?");
}

static bool
is_loopback(const struct sockaddr *source)
{
	if (source->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)source)->sin_addr.s_addr) >> 24 == 127;
	return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)source)->sin6_addr);
}

/* What an answer is made of. text is copied. */
struct answer {
	unsigned status;
	const char *type;
	const void *text;
	size_t len;
	const char *allow; /* with 405 */
};

static enum MHD_Result
send_answer(struct listener *listener, struct MHD_Connection *connection,
	    const struct answer *answer)
{
	struct cp_kms_counters *counters = cp_kms_counters(listener->http->kms);
	struct MHD_Response *response = MHD_create_response_from_buffer(
		answer->len, (void *)(uintptr_t)answer->text, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result;

	if (response == NULL)
		return MHD_NO;
	atomic_fetch_add(&counters->http[answer->status / 100], 1);
	MHD_add_response_header(response, "Content-Type", answer->type);
	MHD_add_response_header(response, "Cache-Control", "no-store");
	if (answer->allow != NULL)
		MHD_add_response_header(response, "Allow", answer->allow);
	if (answer->status == 429)
		MHD_add_response_header(response, "Retry-After", "1");
	result = MHD_queue_response(connection, answer->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result
send_text(struct listener *listener, struct MHD_Connection *connection,
	  const struct cp_kms_verdict *verdict)
{
	char text[200];
	int len = snprintf(text, sizeof(text), "%s\n", verdict->text);

	return send_answer(listener, connection,
			   &(struct answer){.status = verdict->status,
					    .type = "text/plain; charset=utf-8",
					    .text = text,
					    .len = (size_t)len,
					    .allow = verdict->allow});
}

static enum MHD_Result
send_status(struct listener *listener, struct MHD_Connection *connection)
{
	static const struct cp_kms_verdict elsewhere = {.status = 404,
							.text = "There is nothing here."};
	static const struct cp_kms_verdict no_memory = {.status = 500, .text = "Out of memory."};
	enum MHD_Result result;
	char *text;

	if (listener->is_tls || !is_loopback(source_of(connection)))
		return send_text(listener, connection, &elsewhere);
	text = cp_kms_status(listener->http->kms);
	if (text == NULL)
		return send_text(listener, connection, &no_memory);
	result = send_answer(listener, connection,
			     &(struct answer){.status = 200,
					      .type = "application/json",
					      .text = text,
					      .len = strlen(text)});
	free(text);
	return result;
}

/* The message is whole. */
static enum MHD_Result
answer(struct listener *listener, struct MHD_Connection *connection, struct exchange *x)
{
	static const struct cp_kms_verdict no_message = {.status = 400,
							 .text = "This is no MIKEY message."};
	static const struct cp_kms_verdict trouble = {.status = 500,
						      .text = "The KMS has trouble of its own."};
	uint8_t room[CP_MIKEY_MSG_MAX];
	struct cp_mikey_out out = {room, sizeof(room), 0};
	char source[INET6_ADDRSTRLEN];
	int len = (int)x->len, error;

	if (x->verdict.is_base64)
		len = cp_kms_body_decode(x->body, x->len);
	if (len <= 0)
		return send_text(listener, connection, &no_message);
	name_source(source, source_of(connection));
	error = cp_kms_answer(&out, listener->http->kms,
			      (struct cp_mikey_kms_call){cp_mikey_octets(x->body, (size_t)len),
							 x->verdict.expected},
			      source);
	if (error != 0)
		return send_text(listener, connection, error == -EBADMSG ? &no_message : &trouble);
	return send_answer(
		listener, connection,
		&(struct answer){
			.status = 200, .type = "application/mikey", .text = room, .len = out.len});
}

/* By the head alone; what is refused has its body swallowed where that is not too long. */
static enum MHD_Result
begin(struct listener *listener, struct MHD_Connection *connection, const char *method,
      const char *url, void **context)
{
	const struct cp_kms_head head = {
		.method = method,
		.path = url,
		.request_type = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND,
							    "requesttype"),
		.length = field(connection, "Content-Length"),
		.transfer_encoding = field(connection, "Transfer-Encoding"),
		.type = field(connection, "Content-Type"),
		.encoding = field(connection, "Content-Transfer-Encoding"),
	};
	struct cp_kms_verdict verdict = cp_kms_judge(&head);
	struct exchange *x;

	if (verdict.status == 0 && !cp_kms_may_source(listener->http->kms, source_of(connection))) {
		verdict.status = 429;
		verdict.text = "Too many requests from this address.";
	}
	if (verdict.status >= 400 &&
	    (head.length == NULL || strtoull(head.length, NULL, 10) > SWALLOW_MAX))
		return send_text(listener, connection, &verdict);
	x = malloc(sizeof(*x) + verdict.length);
	if (x == NULL)
		return MHD_NO;
	x->verdict = verdict;
	x->swallowed = x->len = 0;
	*context = x;
	return MHD_YES;
}

/* rule zero: libmicrohttpd gives the parameters. */
static enum MHD_Result
on_access(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
	  const char *version, const char *upload, size_t *upload_len, void **context)
{
	struct listener *listener = arg;
	struct exchange *x = *context;

	if (x == NULL)
		return begin(listener, connection, method, url, context);
	if (*upload_len > 0) {
		size_t room = x->verdict.length - x->len;
		size_t len = *upload_len < room ? *upload_len : room;

		memcpy(x->body + x->len, upload, len);
		x->len += len;
		x->swallowed += *upload_len;
		*upload_len = 0;
		return x->swallowed <= SWALLOW_MAX ? MHD_YES : MHD_NO;
	}
	if (x->verdict.status == 200)
		return send_status(listener, connection);
	return x->verdict.status != 0 ? send_text(listener, connection, &x->verdict)
				      : answer(listener, connection, x);
}

static void
on_completed(void *arg, struct MHD_Connection *connection, void **context,
	     enum MHD_RequestTerminationCode code)
{
	free(*context);
	*context = NULL;
}

static unsigned
thread_count(const struct cp_kms_settings *settings)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (settings->kms.threads > 0)
		return (unsigned)settings->kms.threads;
	return cpus < 1 ? 1 : cpus > THREADS_MAX ? THREADS_MAX : (unsigned)cpus;
}

/* What libmicrohttpd has to say: a peer's TLS that broke is no trouble of ours. */
static void
on_log(void *arg, const char *format, va_list arguments)
{
	char text[400];

	vsnprintf(text, sizeof(text), format, arguments);
	text[strcspn(text, "\n")] = '\0';
	cp_log(CP_LOG_DEBUG, "http", "%s", text);
}

static int
start(struct cp_kms_http *http, struct listener *listener)
{
	unsigned threads = thread_count(http->settings);
	unsigned limit = (unsigned)http->settings->kms.connections_max;
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG;
	struct MHD_OptionItem options[8] = {{0}};
	size_t count = 0;

	if (threads > 1)
		options[count++] =
			(struct MHD_OptionItem){MHD_OPTION_THREAD_POOL_SIZE, threads, NULL};
	if (listener->is_tls) {
		flags |= MHD_USE_TLS;
		options[count++] =
			(struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, http->certificate};
		options[count++] =
			(struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, http->private_key};
		options[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0,
							   (void *)(uintptr_t)TLS_PRIORITIES};
	}
	options[count] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
	listener->daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, on_access, listener, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
		MHD_OPTION_LISTEN_SOCKET, listener->fd, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
		NULL, MHD_OPTION_CONNECTION_LIMIT, limit < threads ? threads : limit,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_ARRAY,
		options, MHD_OPTION_END);
	if (listener->daemon == NULL)
		return -EIO;
	listener->fd = -1;
	return 0;
}

int
cp_kms_http_start(struct cp_kms_http *http, struct cp_kms *kms, char *why, size_t size)
{
	int error = 0;

	http->kms = kms;
	for (size_t i = 0; i < http->listener_count && error == 0; i++) {
		error = start(http, &http->listeners[i]);
		if (error != 0)
			fail(0, why, size,
			     "cannot be served; do certificate and key belong together?",
			     http->settings->kms.listen.items[i]);
	}
	return error;
}

void
cp_kms_http_close(struct cp_kms_http *http)
{
	if (http == NULL)
		return;
	for (size_t i = 0; i < http->listener_count; i++) {
		if (http->listeners[i].daemon != NULL)
			MHD_stop_daemon(http->listeners[i].daemon);
		else if (http->listeners[i].fd >= 0)
			close(http->listeners[i].fd);
	}
	if (http->private_key != NULL)
		cp_wipe(http->private_key, strlen(http->private_key));
	free(http->private_key);
	free(http->certificate);
	free(http);
}
