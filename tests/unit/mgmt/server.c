/* The HTTP API over real sockets on one loop, with the real focus and a media plane of ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>
#include <jansson.h>
#include "ctrlplane/base/log.h"
#include "ctrlplane/conf/conf.h"
#include "ctrlplane/mgmt/mgmt.h"

#define NOW_MS 1000000

/* A question that the media plane answers when the test says so. */
struct question {
	uint32_t leg; /* 0: the node */
	cp_mgmt_media_fn done;
	void *arg;
};

struct fixture {
	char folder[64], path[128], tcp[32];
	int port;
	struct cp_focus *focus;
	struct cp_effects effects;
	struct cp_mgmt_ops ops;
	struct cp_mgmt *mgmt;
	struct question questions[16];
	size_t question_count;
	bool has_media, is_slow;
	char response[65536];
	int status;
	char dialled[64];
	json_t *json;
};

static int64_t
now_ms(void *app)
{
	return NOW_MS;
}

static int
handle(void *app, const struct cp_event *event)
{
	struct fixture *f = app;

	return cp_conf_handle(f->focus, event, NOW_MS, &f->effects, NULL);
}

static int
create(void *app, const struct cp_conf_settings *settings, const char *by)
{
	struct fixture *f = app;
	struct cp_conf *conf;

	return cp_conf_create(&conf, f->focus, settings, CP_CONF_CREATED, NOW_MS);
}

static int
call_out(void *app, struct cp_mgmt_invitation *invitation)
{
	struct fixture *f = app;

	if (strncmp(invitation->uri, "sip:", 4) != 0)
		return -EINVAL;
	if (strcmp(invitation->uri, "sip:unwelcome@ims.example") == 0) {
		strcpy(invitation->why, "not on the list");
		return -EACCES;
	}
	snprintf(f->dialled, sizeof(f->dialled), "%s", invitation->uri);
	return f->has_media ? 0 : -EAGAIN;
}

static void
drain(void *app, bool is_draining)
{
	struct fixture *f = app;

	cp_focus_drain(f->focus, is_draining);
}

static int
ask(struct fixture *f, uint32_t leg, cp_mgmt_media_fn done, void *arg)
{
	if (!f->has_media)
		return -ENOTCONN;
	assert_true(f->question_count < 16);
	f->questions[f->question_count++] = (struct question){leg, done, arg};
	return 0;
}

static int
ask_leg(void *app, uint32_t leg, cp_mgmt_media_fn done, void *arg)
{
	return ask(app, leg, done, arg);
}

static int
ask_node(void *app, cp_mgmt_media_fn done, void *arg)
{
	return ask(app, 0, done, arg);
}

static void
leg_facts(void *app, uint32_t leg, struct cp_mgmt_leg_facts *out)
{
	*out = (struct cp_mgmt_leg_facts){
		.uri = "sip:Anna@example.net", .verified_by = "digest", .call_id = "c1"};
}

static void
node_facts(void *app, struct cp_mgmt_node_facts *out)
{
	static const char *const urls[] = {"sip:127.0.0.1:5060", "sip:[::1]:5060"};
	struct fixture *f = app;

	*out = (struct cp_mgmt_node_facts){
		.started_ms = NOW_MS - 65000,
		.sip_urls = urls,
		.sip_url_count = 2,
		.has_media = f->has_media,
	};
}

static void
answer_node(const struct question *q)
{
	struct dp_ctl_node node = {.workers = 1, .instance = 0xabc, .uptime_ns = 5000000000};

	node.total.rx_packets = 1000;
	node.total.busy_permille = 250;
	node.total.drops[DP_DROP_SRTP_AUTH] = 7;
	node.worker[0] = node.total;
	q->done(q->arg, 0, &node.hdr);
}

static void
answer_leg(const struct question *q)
{
	struct dp_ctl_leg_shown shown = {.suite_rx = DP_SUITE_AEAD_AES_128_GCM};

	shown.leg.dirs = DP_DIR_RECEIVE | DP_DIR_SEND;
	shown.leg.tx.codec = DP_CODEC_PCMA;
	shown.leg.ptime_ms = 20;
	shown.stats.rx_packets = 50;
	shown.stats.jitter_us = 1250;
	shown.stats.level_rx = 18;
	shown.stats.level_tx = 127;
	shown.stats.is_latched = 1;
	shown.latched =
		(struct dp_addr){.family = DP_FAMILY_IP4, .port = 4000, .ip = {127, 0, 0, 1}};
	shown.stats.drops[DP_DROP_JBUF_LATE] = 3;
	q->done(q->arg, 0, &shown.hdr);
}

static void
answer_questions(struct fixture *f)
{
	size_t count = f->question_count;

	f->question_count = 0;
	for (size_t i = 0; i < count; i++)
		if (f->questions[i].leg == 0)
			answer_node(&f->questions[i]);
		else if (f->questions[i].leg == 0xdead)
			f->questions[i].done(f->questions[i].arg, -ETIMEDOUT, NULL);
		else
			answer_leg(&f->questions[i]);
}

static int
setup(void **state)
{
	static struct fixture fixture;
	struct fixture *f = &fixture;
	struct cp_conf_limits limits = {.confs_max = 100, .legs_max = 100};
	const char *tcp[1] = {f->tcp};
	char why[256] = "";

	memset(f, 0, sizeof(*f));
	cp_log_open("test", CP_LOG_STDERR, CP_LOG_ERROR);
	strcpy(f->folder, "/tmp/conclave-test.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/api.sock", f->folder);
	assert_int_equal(cp_focus_create(&f->focus, &limits, 1), 0);
	f->ops = (struct cp_mgmt_ops){
		.app = f,
		.focus = f->focus,
		.now_ms = now_ms,
		.handle = handle,
		.create = create,
		.dial = call_out,
		.drain = drain,
		.ask_leg = ask_leg,
		.ask_node = ask_node,
		.leg_facts = leg_facts,
		.node_facts = node_facts,
	};
	f->has_media = true;
	for (f->port = 29000 + getpid() % 500; f->mgmt == NULL && f->port < 29900; f->port++) {
		struct cp_mgmt_settings settings = {
			.socket_path = f->path, .tcp = tcp, .tcp_count = 1};

		snprintf(f->tcp, sizeof(f->tcp), "127.0.0.1:%d", f->port);
		if (cp_mgmt_open(&f->mgmt, &settings, &f->ops, why, sizeof(why)) == 0)
			break;
	}
	assert_non_null(f->mgmt);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	json_decref(f->json);
	cp_mgmt_close(f->mgmt);
	assert_int_not_equal(access(f->path, F_OK), 0);
	cp_effects_fini(&f->effects);
	cp_focus_destroy(f->focus);
	return rmdir(f->folder);
}

static int
dial(const struct fixture *f, bool is_tcp)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)f->port)};
	int fd = socket(is_tcp ? AF_INET : AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(un.sun_path, f->path);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(is_tcp ? connect(fd, (struct sockaddr *)&in, sizeof(in))
				: connect(fd, (struct sockaddr *)&un, sizeof(un)),
			 0);
	return fd;
}

/* Turn the loop as its owner does, until the connection is closed by the server or the deadline passes. */
static void
turn(struct fixture *f, int fd)
{
	size_t len = 0;
	ssize_t got = 1;

	for (int i = 0; i < 500 && got != 0; i++) {
		struct pollfd fds[2] = {{.fd = cp_mgmt_fd(f->mgmt), .events = POLLIN},
					{.fd = fd, .events = POLLIN}};

		poll(fds, 2, 20);
		if (fds[0].revents != 0)
			cp_mgmt_run(f->mgmt);
		if (!f->is_slow)
			answer_questions(f);
		else if (f->question_count > 0)
			return;
		if (fds[1].revents == 0)
			continue;
		got = recv(fd, f->response + len, sizeof(f->response) - 1 - len, MSG_DONTWAIT);
		assert_true(got >= 0 || errno == EAGAIN || errno == ECONNRESET);
		if (got < 0 && errno == ECONNRESET)
			break;
		len += got > 0 ? (size_t)got : 0;
	}
	f->response[len] = '\0';
}

static void
read_response(struct fixture *f)
{
	char *body = strstr(f->response, "\r\n\r\n");

	json_decref(f->json);
	f->json = NULL;
	f->status = strncmp(f->response, "HTTP/1.1 ", 9) == 0 ? atoi(f->response + 9) : 0;
	if (body != NULL && body[4] != '\0')
		f->json = json_loads(body + 4, 0, NULL);
}

static void
exchange(struct fixture *f, bool is_tcp, const char *text)
{
	int fd = dial(f, is_tcp);

	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
	turn(f, fd);
	close(fd);
	read_response(f);
}

static void
request(struct fixture *f, const char *method, const char *path, const char *body)
{
	char text[4096];

	snprintf(text, sizeof(text),
		 "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: "
		 "application/json\r\n"
		 "Content-Length: %zu\r\n\r\n%s",
		 method, path, strlen(body), body);
	exchange(f, false, text);
}

static const char *
member(const struct fixture *f, const char *name)
{
	const char *text = json_string_value(json_object_get(f->json, name));

	return text != NULL ? text : "";
}

static uint32_t
join(struct fixture *f, const char *user)
{
	struct cp_conf *conf = cp_conf_by_user(f->focus, cp_slice_text(user));
	struct cp_conf_join join = {.conf = conf,
				    .identity = "sip:anna@example.net",
				    .display = "Anna \xff",
				    .suite = DP_SUITE_AES_CM_128_HMAC_SHA1_80};
	struct cp_event event = {.type = CP_EVENT_JOIN, .conf = conf->id, .join = &join};
	struct cp_leg *leg;

	assert_int_equal(cp_conf_handle(f->focus, &event, NOW_MS, &f->effects, &leg), 0);
	event = (struct cp_event){.type = CP_EVENT_CONNECTED, .leg = leg->id};
	assert_int_equal(cp_conf_handle(f->focus, &event, NOW_MS, &f->effects, NULL), 0);
	return leg->id;
}

static void
the_status_has_the_media_planes_figures(void **state)
{
	struct fixture *f = *state;
	const json_t *media;

	request(f, "GET", "/v1/status", "");
	assert_int_equal(f->status, 200);
	assert_string_equal(member(f, "state"), "ok");
	assert_int_equal(json_integer_value(json_object_get(f->json, "uptime_s")), 65);
	media = json_object_get(f->json, "media");
	assert_int_equal(json_integer_value(json_object_get(media, "packets_rx")), 1000);
	assert_true(json_real_value(json_object_get(media, "busy_percent")) == 25.0);
	assert_int_equal(json_integer_value(json_object_get(
				 json_object_get(media, "drops_by_blame"), "attack")),
			 7);
	request(f, "GET", "/v1/node", "");
	media = json_array_get(
		json_object_get(json_object_get(json_object_get(f->json, "media"), "total"),
				"drops"),
		0);
	assert_string_equal(json_string_value(json_object_get(media, "name")), "srtp_auth");
	assert_string_equal(json_string_value(json_object_get(media, "blame")), "attack");
}

static void
without_a_media_plane_the_api_still_answers(void **state)
{
	struct fixture *f = *state;

	f->has_media = false;
	request(f, "GET", "/v1/status", "");
	assert_int_equal(f->status, 200);
	assert_string_equal(member(f, "state"), "no_media");
	assert_true(json_is_null(json_object_get(f->json, "media")));
	request(f, "GET", "/v1/health", "");
	assert_int_equal(f->status, 503);
	assert_non_null(strstr(f->response, "application/problem+json"));
}

static void
a_conference_is_created_shown_locked_and_closed(void **state)
{
	struct fixture *f = *state;

	request(f, "POST", "/v1/conferences",
		"{\"id\": \"standup\", \"open\": true, \"title\": \"T\xc3\xa4glich\"}");
	assert_int_equal(f->status, 201);
	assert_non_null(strstr(f->response, "Location: /v1/conferences/standup\r\n"));
	assert_string_equal(json_string_value(json_array_get(json_object_get(f->json, "uris"), 1)),
			    "sip:standup@[::1]:5060");
	request(f, "POST", "/v1/conferences", "{\"id\": \"standup\", \"open\": true}");
	assert_int_equal(f->status, 409);
	assert_string_equal(member(f, "type"), "urn:problem-type:conclave:exists");
	request(f, "POST", "/v1/conferences", "{\"id\": \"closed\", \"open\": false}");
	assert_int_equal(f->status, 400);
	request(f, "POST", "/v1/conferences", "{\"id\": \"a@b\", \"open\": true}");
	assert_int_equal(f->status, 400);
	request(f, "GET", "/v1/conferences", "");
	assert_int_equal(json_array_size(json_object_get(f->json, "conferences")), 1);
	request(f, "POST", "/v1/conferences/standup/lock", "");
	assert_true(json_is_true(json_object_get(f->json, "locked")));
	request(f, "POST", "/v1/conferences/standup/lock", "");
	assert_int_equal(f->status, 200);
	request(f, "POST", "/v1/conferences/standup/unlock", "");
	assert_true(json_is_false(json_object_get(f->json, "locked")));
	request(f, "POST", "/v1/conferences/standup/mix", "{\"loudest_n\": 2}");
	assert_int_equal(json_integer_value(json_object_get(f->json, "loudest_n")), 2);
	request(f, "DELETE", "/v1/conferences/standup?reason=over", "");
	assert_int_equal(f->status, 204);
	request(f, "GET", "/v1/conferences/standup", "");
	assert_int_equal(f->status, 404);
	assert_string_equal(member(f, "instance"), "/v1/conferences/standup");
}

static void
a_participant_is_shown_with_its_media_and_changed(void **state)
{
	struct fixture *f = *state;
	char path[128];
	const json_t *media, *first;
	uint32_t id;

	request(f, "POST", "/v1/conferences", "{\"id\": \"demo\", \"anonymous\": true}");
	id = join(f, "demo");
	join(f, "demo");
	request(f, "GET", "/v1/conferences/demo/participants", "");
	assert_int_equal(json_array_size(json_object_get(f->json, "participants")), 2);
	first = json_array_get(json_object_get(f->json, "participants"), 0);
	assert_string_equal(json_string_value(json_object_get(first, "identity")),
			    "sip:anna@example.net");
	assert_string_equal(json_string_value(json_object_get(first, "display")), "Anna ?");
	assert_string_equal(json_string_value(json_object_get(first, "verified_by")), "digest");
	assert_string_equal(json_string_value(json_object_get(first, "protection")),
			    "SDES to next hop");
	assert_string_equal(json_string_value(json_object_get(first, "suite")), "AEAD_AES_128_GCM");
	media = json_object_get(first, "media");
	assert_int_equal(json_integer_value(json_object_get(media, "packets_rx")), 50);
	assert_int_equal(json_integer_value(json_object_get(media, "level_dbov")), -18);
	assert_true(json_is_null(json_object_get(media, "level_heard_dbov")));
	assert_string_equal(json_string_value(json_object_get(media, "remote")), "127.0.0.1:4000");
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(media, "drops"), "jbuf_late")),
		3);
	request(f, "GET", "/v1/conferences/demo/participants?limit=1", "");
	assert_int_equal(json_integer_value(json_object_get(f->json, "next_after")), id);
	snprintf(path, sizeof(path), "/v1/conferences/demo/participants?after=%u", id);
	request(f, "GET", path, "");
	assert_int_equal(json_array_size(json_object_get(f->json, "participants")), 1);
	snprintf(path, sizeof(path), "/v1/conferences/demo/participants/%u/mute", id);
	request(f, "POST", path, "");
	assert_true(json_is_true(json_object_get(f->json, "muted")));
	request(f, "POST", path, "");
	assert_int_equal(f->status, 200);
	snprintf(path, sizeof(path), "/v1/conferences/demo/participants/%u/gain", id);
	request(f, "POST", path, "{\"gain_db\": -5.5}");
	assert_true(json_real_value(json_object_get(f->json, "gain_db")) == -5.5);
	snprintf(path, sizeof(path), "/v1/conferences/demo/participants/%u", id);
	request(f, "DELETE", path, "");
	assert_int_equal(f->status, 204);
	request(f, "GET", "/v1/conferences/demo/participants/4711", "");
	assert_int_equal(f->status, 404);
}

static void
what_is_wrong_gets_its_problem_document(void **state)
{
	static const struct {
		const char *method, *path, *body;
		int status;
	} rows[] = {
		{"GET", "/nothing", "", 404},
		{"GET", "/v1/nothing", "", 404},
		{"PUT", "/v1/status", "", 405},
		{"POST", "/v1/conferences", "{", 400},
		{"GET", "/v1/conferences/%zz", "", 400},
		{"GET", "/v1/conferences/demo/participants?x=1", "", 400},
		{"GET", "/v1/conferences/none/participants", "", 404},
		{"POST", "/v1/conferences/none/participants/1/mute", "", 404},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		request(f, rows[i].method, rows[i].path, rows[i].body);
		assert_int_equal(f->status, rows[i].status);
		assert_non_null(strstr(f->response, "Content-Type: application/problem+json\r\n"));
		assert_int_equal(json_integer_value(json_object_get(f->json, "status")),
				 rows[i].status);
		assert_string_not_equal(member(f, "title"), "");
		assert_string_not_equal(member(f, "detail"), "");
	}
	request(f, "PUT", "/v1/conferences", "");
	assert_non_null(strstr(f->response, "Allow: GET, HEAD, POST\r\n"));
}

static void
bodies_are_bounded(void **state)
{
	struct fixture *f = *state;
	size_t size = 70000;
	char *text = malloc(size + 1024);
	size_t len;

	exchange(f, false,
		 "POST /v1/node/drain HTTP/1.1\r\nHost: x\r\nContent-Type: "
		 "application/json\r\nContent-Length: 99999999\r\n\r\n");
	assert_int_equal(f->status, 413);
	len = (size_t)sprintf(text,
			      "POST /v1/node/drain HTTP/1.1\r\nHost: x\r\nConnection: "
			      "close\r\nContent-Type: application/json\r\n"
			      "Transfer-Encoding: chunked\r\n\r\n%zx\r\n",
			      size);
	memset(text + len, ' ', size);
	strcpy(text + len + size, "\r\n0\r\n\r\n");
	exchange(f, false, text);
	assert_int_equal(f->status, 413);
	free(text);
}

static void
tcp_is_for_loopback_names_only(void **state)
{
	struct fixture *f = *state;

	exchange(f, true,
		 "GET /v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
	assert_int_equal(f->status, 200);
	assert_null(strstr(f->response, "Access-Control"));
	exchange(f, true,
		 "GET /v1/status HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
	assert_int_equal(f->status, 421);
	exchange(f, true,
		 "POST /v1/node/drain HTTP/1.1\r\nHost: localhost\r\nConnection: "
		 "close\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(f->status, 415);
	exchange(f, true,
		 "POST /v1/node/drain HTTP/1.1\r\nHost: localhost\r\nOrigin: "
		 "http://evil.example\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
	assert_int_equal(f->status, 403);
	assert_false(cp_focus_is_draining(f->focus));
}

static void
somebody_is_called(void **state)
{
	struct fixture *f = *state;

	request(f, "POST", "/v1/conferences", "{\"id\": \"out\", \"open\": true}");
	request(f, "POST", "/v1/conferences/out/call", "{\"uri\": \"sip:bob@ims.example\"}");
	assert_int_equal(f->status, 202);
	assert_string_equal(f->dialled, "sip:bob@ims.example");
	request(f, "POST", "/v1/conferences/out/call", "{\"uri\": \"sip:unwelcome@ims.example\"}");
	assert_int_equal(f->status, 403);
	assert_non_null(strstr(member(f, "detail"), "may not join: not on the list"));
	request(f, "POST", "/v1/conferences/out/call", "{\"uri\": \"mailto:bob\"}");
	assert_int_equal(f->status, 400);
	request(f, "POST", "/v1/conferences/out/call", "");
	assert_int_equal(f->status, 400);
	request(f, "POST", "/v1/conferences/nobody/call", "{\"uri\": \"sip:bob@ims.example\"}");
	assert_int_equal(f->status, 404);
	f->has_media = false;
	request(f, "POST", "/v1/conferences/out/call", "{\"uri\": \"sip:bob@ims.example\"}");
	assert_int_equal(f->status, 503);
}

static void
draining_shows_in_the_health(void **state)
{
	struct fixture *f = *state;

	request(f, "GET", "/v1/health", "");
	assert_int_equal(f->status, 200);
	request(f, "POST", "/v1/node/drain", "");
	assert_string_equal(member(f, "state"), "draining");
	request(f, "GET", "/v1/health", "");
	assert_int_equal(f->status, 503);
	request(f, "POST", "/v1/node/resume", "");
	request(f, "GET", "/v1/health", "");
	assert_int_equal(f->status, 200);
}

/* A client that leaves, and a server that closes, while the media plane thinks. */
static void
waiting_requests_end_with_the_server(void **state)
{
	struct fixture *f = *state;
	int fd = dial(f, false);
	static const char text[] = "GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n";

	f->is_slow = true;
	assert_int_equal(send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL), sizeof(text) - 1);
	turn(f, fd);
	assert_int_equal(f->question_count, 1);
	close(fd);
	f->question_count = 0; /* never answered; the teardown closes the server */
}

static void
the_socket_is_guarded_and_taken_over(void **state)
{
	struct fixture *f = *state;
	struct cp_mgmt_settings settings = {.socket_path = f->path};
	struct cp_mgmt *other;
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct stat info;
	char why[256];
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_int_equal(stat(f->path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0660);
	assert_int_equal(cp_mgmt_open(&other, &settings, &f->ops, why, sizeof(why)), -EADDRINUSE);
	assert_non_null(strstr(why, "another conclave-cp"));
	snprintf(un.sun_path, sizeof(un.sun_path), "%s/dead.sock", f->folder);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	close(fd);
	settings.socket_path = un.sun_path;
	assert_int_equal(cp_mgmt_open(&other, &settings, &f->ops, why, sizeof(why)), 0);
	cp_mgmt_close(other);
}

static void
settings_that_are_unsafe_are_refused(void **state)
{
	static const struct {
		const char *tcp, *why;
	} rows[] = {
		{"0.0.0.0:29999", "loopback only"},
		{"192.0.2.1:29999", "loopback only"},
		{"[::]:29999", "loopback only"},
		{"localhost:29999", "must look like"},
		{"127.0.0.1", "must look like"},
		{"127.0.0.1:0", "must look like"},
		{"127.0.0.1:70000", "must look like"},
		{"", "must look like"},
		{":80", "must look like"},
		{"[::1:80", "must look like"},
	};
	struct fixture *f = *state;
	char path[128], why[256];
	struct cp_mgmt *other;
	FILE *file;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cp_mgmt_settings settings = {.tcp = &rows[i].tcp, .tcp_count = 1};

		assert_int_equal(cp_mgmt_open(&other, &settings, &f->ops, why, sizeof(why)),
				 -EINVAL);
		assert_non_null(strstr(why, rows[i].why));
	}
	snprintf(path, sizeof(path), "%s/token", f->folder);
	file = fopen(path, "w");
	fputs("0123456789abcdef\n", file);
	fclose(file);
	chmod(path, 0644);
	assert_int_equal(cp_mgmt_open(&other, &(struct cp_mgmt_settings){.token_file = path},
				      &f->ops, why, sizeof(why)),
			 -EPERM);
	chmod(path, 0600);
	assert_int_equal(cp_mgmt_open(&other, &(struct cp_mgmt_settings){.token_file = path},
				      &f->ops, why, sizeof(why)),
			 0);
	cp_mgmt_close(other);
	unlink(path);
}

int
main(void)
{
#define API_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		API_TEST(the_status_has_the_media_planes_figures),
		API_TEST(without_a_media_plane_the_api_still_answers),
		API_TEST(a_conference_is_created_shown_locked_and_closed),
		API_TEST(a_participant_is_shown_with_its_media_and_changed),
		API_TEST(what_is_wrong_gets_its_problem_document),
		API_TEST(bodies_are_bounded),
		API_TEST(tcp_is_for_loopback_names_only),
		API_TEST(somebody_is_called),
		API_TEST(draining_shows_in_the_health),
		API_TEST(waiting_requests_end_with_the_server),
		API_TEST(the_socket_is_guarded_and_taken_over),
		API_TEST(settings_that_are_unsafe_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
