/* Requests: from libmicrohttpd's callbacks to an answer. */
#include "ctrlplane/kms/http_state.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ctrlplane/base/address.h"
#include "ctrlplane/kms/body.h"

#define SWALLOW_MAX \
	(1 << 20) /* octets of a refused body that are read, so that the client sees why */

/* One request from its head to its answer. */
struct exchange {
	struct cp_kms_verdict verdict;
	size_t swallowed, len;
	uint8_t body[];
};

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

/* What an answer is made of. text is copied. */
struct answer {
	unsigned status;
	const char *type;
	const void *text;
	size_t len;
	const char *allow; /* with 405 */
};

static enum MHD_Result
send_answer(struct cp_kms_daemon *daemon, struct MHD_Connection *connection,
	    const struct answer *answer)
{
	struct cp_kms_counters *counters = cp_kms_counters(daemon->http->kms);
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
	if (atomic_load(&daemon->is_retiring)) /* the next request finds our successor */
		MHD_add_response_header(response, "Connection", "close");
	result = MHD_queue_response(connection, answer->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result
send_text(struct cp_kms_daemon *daemon, struct MHD_Connection *connection,
	  const struct cp_kms_verdict *verdict)
{
	char text[200];
	int len = snprintf(text, sizeof(text), "%s\n", verdict->text);

	return send_answer(daemon, connection,
			   &(struct answer){.status = verdict->status,
					    .type = "text/plain; charset=utf-8",
					    .text = text,
					    .len = (size_t)len,
					    .allow = verdict->allow});
}

static enum MHD_Result
send_status(struct cp_kms_daemon *daemon, struct MHD_Connection *connection)
{
	static const struct cp_kms_verdict elsewhere = {.status = 404,
							.text = "There is nothing here."};
	static const struct cp_kms_verdict no_memory = {.status = 500, .text = "Out of memory."};
	enum MHD_Result result;
	char *text;

	if (daemon->is_tls || !cp_address_is_loopback(source_of(connection)))
		return send_text(daemon, connection, &elsewhere);
	text = cp_kms_status(daemon->http->kms);
	if (text == NULL)
		return send_text(daemon, connection, &no_memory);
	result = send_answer(daemon, connection,
			     &(struct answer){.status = 200,
					      .type = "application/json",
					      .text = text,
					      .len = strlen(text)});
	free(text);
	return result;
}

/* The message is whole. */
static enum MHD_Result
answer(struct cp_kms_daemon *daemon, struct MHD_Connection *connection, struct exchange *x)
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
		return send_text(daemon, connection, &no_message);
	name_source(source, source_of(connection));
	error = cp_kms_answer(&out, daemon->http->kms,
			      (struct cp_mikey_kms_call){cp_mikey_octets(x->body, (size_t)len),
							 x->verdict.expected},
			      source);
	if (error != 0)
		return send_text(daemon, connection, error == -EBADMSG ? &no_message : &trouble);
	return send_answer(
		daemon, connection,
		&(struct answer){
			.status = 200, .type = "application/mikey", .text = room, .len = out.len});
}

static bool
waits_for_continue(const char *expect)
{
	return expect != NULL && strcasecmp(expect, "100-continue") == 0;
}

/* By the head alone; what is refused has its body swallowed where that is not too long. */
static enum MHD_Result
begin(struct cp_kms_daemon *daemon, struct MHD_Connection *connection, const char *method,
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

	if (verdict.status == 0 && !cp_kms_may_source(daemon->http->kms, source_of(connection))) {
		verdict.status = 429;
		verdict.text = "Too many requests from this address.";
	}
	/* nobody waits for a body that comes only if we want it */
	if (verdict.status >= 400 &&
	    (head.length == NULL || strtoull(head.length, NULL, 10) > SWALLOW_MAX ||
	     waits_for_continue(field(connection, "Expect"))))
		return send_text(daemon, connection, &verdict);
	x = malloc(sizeof(*x) + verdict.length);
	if (x == NULL)
		return MHD_NO;
	x->verdict = verdict;
	x->swallowed = x->len = 0;
	*context = x;
	return MHD_YES;
}

/* rule zero: libmicrohttpd gives the parameters. */
enum MHD_Result
cp_kms_http_access(void *arg, struct MHD_Connection *connection, const char *url,
		   const char *method, const char *version, const char *upload, size_t *upload_len,
		   void **context)
{
	struct cp_kms_daemon *daemon = arg;
	struct exchange *x = *context;

	if (x == NULL)
		return begin(daemon, connection, method, url, context);
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
		return send_status(daemon, connection);
	return x->verdict.status != 0 ? send_text(daemon, connection, &x->verdict)
				      : answer(daemon, connection, x);
}

void
cp_kms_http_completed(void *arg, struct MHD_Connection *connection, void **context,
		      enum MHD_RequestTerminationCode code)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	free(*context);
	*context = NULL;
	if (info != NULL && info->socket_context != NULL)
		cp_kms_peer_answered(info->socket_context);
}
