/* A call's streams without SIP and media plane: whose connection it is, ours and theirs, new ones, failures and what becomes of the call. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctrlplane/app/streams_state.h"
#include "ctrlplane/sdp/sdp.h"

#define CALLS 3

/* What a peer sees of its connection. */
struct peer {
	struct cp_stream *stream;
	int opened, closed, accepted;
	bool failed;
	char heard[256];
};

static struct cp_app app;
static struct cp_config settings;
static struct cp_call *calls[CALLS];
static struct cp_hub *theirs;
static struct cp_tls_context *alice, *bob; /* their certificates */
static char heard[CALLS][256];		   /* by the service */
static int opened[CALLS], lost[CALLS], there[CALLS];
static bool ends_at_once, is_over_at_once;

/* The stub of a service: "1…" is for call 1; what comes is kept. */
static int
identify(struct cp_line **out, struct cp_app *which, const uint8_t *octets, size_t len)
{
	if (len < 2)
		return -EAGAIN;
	if (octets[0] < '0' || octets[0] >= '0' + CALLS || !calls[octets[0] - '0'])
		return -ENOENT;
	*out = &calls[octets[0] - '0']->lines[CP_SDP_CHAT];
	return 0;
}

static void
refuse(struct cp_app *which, struct cp_stream *s, const uint8_t *octets, size_t len,
       enum cp_line_fault fault)
{
	static const char *const words[] = {[CP_LINE_UNKNOWN] = "unknown",
					    [CP_LINE_TAKEN] = "taken",
					    [CP_LINE_OTHERS] = "others"};

	cp_stream_send(s, words[fault], strlen(words[fault]));
}

static size_t
number_of(const struct cp_line *line)
{
	return line->call->leg;
}

static void
on_opened(struct cp_line *line)
{
	assert_non_null(line->stream);
	opened[number_of(line)]++;
	cp_stream_send(line->stream, "hi", 2);
	if (ends_at_once)
		cp_line_end(line);
	if (is_over_at_once)
		cp_streams_over(line->call);
}

static size_t
on_received(struct cp_line *line, const uint8_t *octets, size_t len)
{
	char *to = heard[number_of(line)];

	snprintf(to + strlen(to), sizeof(heard[0]) - strlen(to), "%.*s", (int)len,
		 (const char *)octets);
	return len;
}

static void
on_writable(struct cp_line *line)
{
}

static void
on_lost(struct cp_line *line, const char *why)
{
	assert_null(line->stream);
	lost[number_of(line)]++;
}

static void
on_agreed(struct cp_line *line, bool is_there)
{
	there[number_of(line)] = is_there;
}

static void
on_local(struct cp_call *call, struct cp_sdp_local *local)
{
	snprintf(local->path, sizeof(local->path), "of the service");
}

static const struct cp_service service = {"test",      identify, refuse,    on_opened, on_received,
					  on_writable, on_lost,	 on_agreed, on_local};

static void
peer_opened(void *arg, struct cp_stream *s)
{
	((struct peer *)arg)->opened++;
}

static size_t
peer_received(void *arg, struct cp_stream *s, const uint8_t *octets, size_t len)
{
	struct peer *peer = arg;

	snprintf(peer->heard + strlen(peer->heard), sizeof(peer->heard) - strlen(peer->heard),
		 "%.*s", (int)len, (const char *)octets);
	return len;
}

static void
peer_closed(void *arg, struct cp_stream *s, bool failed, const char *why)
{
	struct peer *peer = arg;

	peer->stream = NULL;
	peer->closed++;
	peer->failed = failed;
}

static const struct cp_stream_events events = {peer_opened, peer_received, NULL, peer_closed};

static bool
peer_accepted(void *arg, struct cp_stream *s)
{
	struct peer *peer = arg;

	peer->accepted++;
	peer->stream = s;
	cp_stream_set(s, &events, peer);
	return true;
}

static void
step(void)
{
	su_root_step(app.root, 5);
	cp_streams_tick(&app);
	cp_hub_run(theirs, cp_app_now_ms());
}

#define UNTIL(what)                                         \
	do {                                                \
		int64_t end_ms = cp_app_now_ms() + 10000;   \
                                                            \
		while (!(what) && cp_app_now_ms() < end_ms) \
			step();                             \
		assert_true(what);                          \
	} while (0)

static void
print_of(uint8_t *out, struct cp_tls_context *context)
{
	char text[CP_TLS_FINGERPRINT_TEXT];

	assert_int_equal(cp_tls_context_fingerprint(text, context), 0);
	assert_int_equal(cp_tls_fingerprint_decode(out, cp_slice_text(text)), 0);
}

static int
open_app(void **state)
{
	static char *listen[] = {(char *)"127.0.0.1", (char *)"[::1]"};
	struct conf_errors errors = {0};
	struct cp_hub_settings s = {.streams_max = 100, .handshakes_max = 100, .send_max = 100000};

	memset(&app, 0, sizeof(app));
	memset(heard, 0, sizeof(heard));
	memset(opened, 0, sizeof(opened));
	memset(lost, 0, sizeof(lost));
	memset(there, 0, sizeof(there));
	ends_at_once = is_over_at_once = false;
	assert_int_equal(cp_config_load(&settings, NULL, &errors), 0);
	settings.streams.listen = (struct conf_strings){.count = 2, .items = listen};
	app.config = &settings;
	su_init();
	app.root = su_root_create(NULL);
	su_root_threading(app.root, 0);
	app.streams_watch = (struct cp_app_watch){.app = &app, .fd = -1};
	assert_int_equal(cp_map_init(&app.calls), 0);
	assert_int_equal(cp_streams_open(&app), 0);
	cp_streams_provide(&app, CP_SDP_FLOOR, &service);
	cp_streams_provide(&app, CP_SDP_CHAT, &service);
	assert_int_equal(cp_hub_create(&theirs, &s), 0);
	assert_int_equal(cp_tls_context_create(&alice, NULL, NULL), 0);
	assert_int_equal(cp_tls_context_create(&bob, NULL, NULL), 0);
	assert_int_equal(cp_tls_context_make(alice), 0);
	assert_int_equal(cp_tls_context_make(bob), 0);
	for (uint32_t i = 0; i < CALLS; i++) {
		calls[i] = calloc(1, sizeof(*calls[i]));
		calls[i]->app = &app;
		calls[i]->leg = i;
		calls[i]->waiting = 1; /* nothing frees it but the test */
		calls[i]->local.rtp =
			(struct dp_addr){.family = DP_FAMILY_IP4, .ip = {127, 0, 0, 1}};
	}
	return 0;
}

static int
close_app(void **state)
{
	for (int i = 0; i < CALLS; i++) {
		cp_streams_over(calls[i]);
		cp_sdp_fini(&calls[i]->sdp);
		free(calls[i]);
	}
	cp_hub_destroy(theirs);
	cp_streams_close(&app);
	cp_tls_context_put(alice);
	cp_tls_context_put(bob);
	cp_map_fini(&app.calls);
	su_root_destroy(app.root);
	su_deinit();
	settings.streams.listen = (struct conf_strings){0};
	cp_config_free(&settings);
	return 0;
}

/* We answer: the m-line of a call is agreed, keyed by alice's certificate. */
static struct cp_sdp_stream *
answer(int i, int which, enum cp_sdp_stream_mode mode)
{
	struct cp_sdp_session *sdp = &calls[i]->sdp;
	struct cp_sdp_stream *stream = &sdp->streams[which];

	sdp->phase = CP_SDP_AGREED;
	sdp->was_agreed = true;
	*stream = (struct cp_sdp_stream){.mode = mode, .is_new = true};
	print_of(stream->fingerprint, i == 1 ? bob : alice);
	cp_streams_local(calls[i], &calls[i]->local);
	return stream;
}

static void
agree(int i, int which, enum cp_sdp_stream_mode mode)
{
	answer(i, which, mode);
	cp_streams_agreed(calls[i]);
	calls[i]->sdp.streams[which].is_new = false;
}

/* A peer with that certificate (NULL: plain) to where the SDP of the call says. */
static void
come(struct peer *peer, int i, int which, struct cp_tls_context *context, const char *says)
{
	uint8_t print[CP_TLS_FINGERPRINT];
	struct cp_stream_tls tls = {.mode = context ? CP_STREAM_CERTIFICATE : CP_STREAM_PLAIN,
				    .role = CP_TLS_CLIENT,
				    .context = context};
	struct cp_stream_target target = {.to = calls[i]->local.streams[which], .tls = &tls};

	*peer = (struct peer){0};
	if (context) {
		assert_int_equal(cp_tls_fingerprint_decode(
					 print, cp_slice_text(calls[i]->local.fingerprint)),
				 0);
		tls.fingerprint = print;
	}
	assert_int_equal(cp_hub_connect(&peer->stream, theirs, &target, &events, peer), 0);
	UNTIL(peer->opened || peer->closed);
	if (says && peer->stream)
		cp_stream_send(peer->stream, says, strlen(says));
}

static uint64_t
refused(enum cp_stream_cause cause)
{
	return cp_streams_counts(&app).refused[cause];
}

static void
test_whose(void **state)
{
	struct peer a, b;

	agree(0, CP_SDP_CHAT, CP_SDP_STREAM_CERTIFICATE);
	agree(1, CP_SDP_CHAT, CP_SDP_STREAM_CERTIFICATE);
	assert_string_equal(calls[0]->local.path, "of the service");
	assert_int_equal(there[0], 1);
	assert_false(cp_streams_is_lost(calls[0], CP_SDP_CHAT));
	come(&a, 0, CP_SDP_CHAT, alice, "0");
	step();
	assert_int_equal(opened[0], 0);
	cp_stream_send(a.stream, "hello", 5);
	UNTIL(strcmp(heard[0], "0hello") == 0 && strcmp(a.heard, "hi") == 0);
	assert_int_equal(opened[0], 1);
	assert_false(cp_streams_is_lost(calls[0], CP_SDP_CHAT));
	assert_int_equal(cp_streams_counts(&app).open, 1);

	come(&b, 0, CP_SDP_CHAT, alice, "0 again");
	UNTIL(b.closed);
	assert_string_equal(b.heard, "taken");
	assert_false(b.failed);
	/* somebody else's line, by whom is in another call */
	come(&b, 0, CP_SDP_CHAT, alice, "1 is not me");
	UNTIL(b.closed);
	assert_string_equal(b.heard, "others");
	come(&b, 0, CP_SDP_CHAT, bob, "7 nobody");
	UNTIL(b.closed);
	assert_string_equal(b.heard, "unknown");
	assert_int_equal(refused(CP_STREAM_KEY_IN_USE), 1);
	assert_int_equal(refused(CP_STREAM_CERTIFICATE_OTHER), 1);
	assert_int_equal(refused(CP_STREAM_NO_KEY), 1);
	come(&b, 1, CP_SDP_CHAT, bob, "1 is me");
	UNTIL(opened[1] == 1);
	assert_string_equal(heard[0], "0hello");
	/* its peer goes in good order, and may come again */
	cp_stream_close(a.stream);
	UNTIL(lost[0] == 1);
	assert_true(cp_streams_is_lost(calls[0], CP_SDP_CHAT));
	come(&a, 0, CP_SDP_CHAT, alice, "0 again");
	UNTIL(opened[0] == 2);
	/* the call ends: so does its stream */
	cp_streams_over(calls[0]);
	UNTIL(a.closed);
	assert_false(a.failed);
	assert_int_equal(there[0], 0);
	assert_int_equal(lost[0], 1 + 1);
	assert_int_equal(cp_streams_counts(&app).open, 1);
}

/* A plain connection, where the call is protected; and in a call that is not. */
static void
test_plain(void **state)
{
	struct peer a;

	agree(0, CP_SDP_CHAT, CP_SDP_STREAM_CERTIFICATE);
	agree(2, CP_SDP_CHAT, CP_SDP_STREAM_PLAIN);
	assert_int_not_equal(calls[0]->local.streams[CP_SDP_CHAT].port,
			     calls[2]->local.streams[CP_SDP_CHAT].port);
	come(&a, 2, CP_SDP_CHAT, NULL, "0 in the clear");
	UNTIL(a.closed);
	assert_string_equal(a.heard, "others");
	come(&a, 0, CP_SDP_CHAT, NULL, "0 in the clear");
	UNTIL(a.closed);
	assert_int_equal(refused(CP_STREAM_NOT_TLS), 1);
	come(&a, 2, CP_SDP_CHAT, NULL, "2!");
	UNTIL(strcmp(heard[2], "2!") == 0);
	assert_int_equal(opened[0], 0);
}

static void
test_addresses(void **state)
{
	struct peer a;

	calls[0]->local.rtp = (struct dp_addr){.family = DP_FAMILY_IP6, .ip = {[15] = 1}};
	agree(0, CP_SDP_CHAT, CP_SDP_STREAM_CERTIFICATE);
	assert_int_equal(calls[0]->local.streams[CP_SDP_CHAT].family, DP_FAMILY_IP6);
	assert_memory_equal(calls[0]->local.streams[CP_SDP_CHAT].ip, calls[0]->local.rtp.ip, 16);
	come(&a, 0, CP_SDP_CHAT, alice, "0!");
	UNTIL(opened[0] == 1);
	/* without audio: the family that the call came over */
	calls[1]->sdp.audio = CP_SDP_NO_AUDIO;
	snprintf(calls[1]->source, sizeof(calls[1]->source), "[::1]");
	agree(1, CP_SDP_CHAT, CP_SDP_STREAM_CERTIFICATE);
	assert_int_equal(calls[1]->local.streams[CP_SDP_CHAT].family, DP_FAMILY_IP6);
	snprintf(calls[1]->source, sizeof(calls[1]->source), "127.0.0.1");
	agree(1, CP_SDP_CHAT, CP_SDP_STREAM_CERTIFICATE);
	assert_int_equal(calls[1]->local.streams[CP_SDP_CHAT].family, DP_FAMILY_IP4);
	/* no m-line, no address */
	assert_int_equal(calls[0]->local.streams[CP_SDP_FLOOR].family, DP_FAMILY_NONE);
}

/* We connect. Nobody is there at first, then there is. */
static void
test_active(void **state)
{
	struct dp_addr at = {.family = DP_FAMILY_IP4, .ip = {127, 0, 0, 1}};
	struct cp_stream_tls tls = {
		.mode = CP_STREAM_CERTIFICATE, .role = CP_TLS_SERVER, .context = alice};
	struct cp_listener *listener;
	struct peer peer = {0};
	struct cp_sdp_stream *stream;

	assert_int_equal(cp_hub_listen(&listener, theirs, &at, &tls, peer_accepted, &peer), 0);
	at = *cp_listener_address(listener);
	cp_listener_close(listener);
	stream = answer(0, CP_SDP_CHAT, CP_SDP_STREAM_CERTIFICATE);
	stream->is_active = true;
	stream->remote = at;
	cp_streams_agreed(calls[0]);
	stream->is_new = false;
	UNTIL(refused(CP_STREAM_UNREACHABLE) == 1);
	assert_int_equal(cp_hub_listen(&listener, theirs, &at, &tls, peer_accepted, &peer), 0);
	UNTIL(opened[0] == 1);
	UNTIL(strcmp(peer.heard, "hi") == 0);
	/* it breaks: we come again */
	cp_stream_abort(peer.stream);
	UNTIL(lost[0] == 1);
	UNTIL(opened[0] == 2);
	assert_int_equal(peer.accepted, 2);
	cp_listener_close(listener);
}

/* Answerer and active: BFCP's TLS client is who offered, which is the peer. If it waits for us we do not wait for ever. */
static void
test_active_server(void **state)
{
	struct dp_addr at = {.family = DP_FAMILY_IP4, .ip = {127, 0, 0, 1}};
	struct cp_stream_tls tls = {
		.mode = CP_STREAM_CERTIFICATE, .role = CP_TLS_CLIENT, .context = alice};
	struct cp_listener *listener;
	struct peer peer = {0};
	struct cp_sdp_stream *stream;

	assert_int_equal(cp_hub_listen(&listener, theirs, &at, &tls, peer_accepted, &peer), 0);
	stream = answer(0, CP_SDP_FLOOR, CP_SDP_STREAM_CERTIFICATE);
	stream->is_active = true;
	stream->remote = *cp_listener_address(listener);
	cp_streams_agreed(calls[0]);
	UNTIL(opened[0] == 1 && peer.opened == 1);
	cp_listener_close(listener);
}

/* We have offered floor control: a port of its own, TLS client there, whoever came before our answer was in force is taken then. */
static void
test_own_port(void **state)
{
	struct cp_sdp_session *sdp = &calls[0]->sdp;
	struct cp_stream_tls tls = {
		.mode = CP_STREAM_CERTIFICATE, .role = CP_TLS_SERVER, .context = alice};
	struct cp_stream_target target = {.tls = &tls};
	struct peer peer = {0}, other = {0};

	sdp->phase = CP_SDP_OFFERED;
	sdp->proposed[CP_SDP_FLOOR] =
		(struct cp_sdp_stream_offer){.mode = CP_SDP_STREAM_CERTIFICATE, .is_new = true};
	cp_streams_local(calls[0], &calls[0]->local);
	target.to = calls[0]->local.streams[CP_SDP_FLOOR];
	assert_int_not_equal(target.to.port, 0);
	assert_int_equal(cp_hub_connect(&peer.stream, theirs, &target, &events, &peer), 0);
	for (int i = 0; i < 10; i++)
		step();
	assert_int_equal(opened[0], 0);
	sdp->phase = CP_SDP_AGREED;
	sdp->streams[CP_SDP_FLOOR] = (struct cp_sdp_stream){
		.mode = CP_SDP_STREAM_CERTIFICATE, .is_new = true, .is_offerer = true};
	print_of(sdp->streams[CP_SDP_FLOOR].fingerprint, alice);
	cp_streams_agreed(calls[0]);
	sdp->streams[CP_SDP_FLOOR].is_new = false;
	UNTIL(opened[0] == 1 && peer.opened == 1);
	UNTIL(strcmp(peer.heard, "hi") == 0);
	/* the port is gone with that */
	assert_int_equal(cp_hub_connect(&other.stream, theirs, &target, &events, &other), 0);
	UNTIL(other.closed);
	assert_int_equal(other.opened, 0);
}

/* Our offer of a chat is out, and its peer is faster than its answer: it waits. */
static void
test_early(void **state)
{
	struct cp_sdp_session *sdp = &calls[0]->sdp;
	struct peer peer;

	sdp->phase = CP_SDP_OFFERED;
	sdp->proposed[CP_SDP_CHAT] =
		(struct cp_sdp_stream_offer){.mode = CP_SDP_STREAM_CERTIFICATE, .is_new = true};
	cp_streams_local(calls[0], &calls[0]->local);
	come(&peer, 0, CP_SDP_CHAT, alice, "0 early");
	for (int i = 0; i < 10; i++)
		step();
	assert_int_equal(opened[0] + peer.closed, 0);
	agree(0, CP_SDP_CHAT, CP_SDP_STREAM_CERTIFICATE);
	UNTIL(strcmp(heard[0], "0 early") == 0);
	assert_non_null(peer.stream);
}

/* Another connection is agreed: the first one ends. The same one is: it stays. */
static void
test_new(void **state)
{
	struct peer a, b;

	agree(0, CP_SDP_CHAT, CP_SDP_STREAM_CERTIFICATE);
	come(&a, 0, CP_SDP_CHAT, alice, "0!");
	UNTIL(opened[0] == 1);
	cp_streams_agreed(calls[0]);
	step();
	assert_int_equal(lost[0] + a.closed, 0);
	agree(0, CP_SDP_CHAT, CP_SDP_STREAM_CERTIFICATE);
	UNTIL(a.closed);
	assert_int_equal(lost[0], 1);
	come(&b, 0, CP_SDP_CHAT, alice, "0!");
	UNTIL(opened[0] == 2);
	/* the m-line is taken out */
	calls[0]->sdp.streams[CP_SDP_CHAT] = (struct cp_sdp_stream){0};
	cp_streams_agreed(calls[0]);
	UNTIL(b.closed);
	assert_int_equal(there[0], 0);
	come(&b, 0, CP_SDP_CHAT, alice, "0!");
	UNTIL(b.closed);
	assert_string_equal(b.heard, "unknown");
}

/* It never comes: the call is over, or only its m-line. */
static void
test_never(void **state)
{
	settings.streams.wait_ms = 100;
	agree(0, CP_SDP_CHAT, CP_SDP_STREAM_CERTIFICATE);
	UNTIL(calls[0]->is_over);
	assert_int_equal(there[0], 0);
	settings.streams.on_failure = CP_CONFIG_FAILURE_REMOVE;
	agree(1, CP_SDP_CHAT, CP_SDP_STREAM_CERTIFICATE);
	UNTIL(cp_streams_is_given_up(calls[1], CP_SDP_CHAT));
	assert_false(calls[1]->is_over);
	assert_true(calls[1]->is_reoffer_due);
	assert_int_equal(there[1], 1);
}

/* It breaks, and does not come again in time. Who went in good order is not held to that. */
static void
test_breaks(void **state)
{
	struct peer a, b;

	agree(0, CP_SDP_CHAT, CP_SDP_STREAM_CERTIFICATE);
	agree(1, CP_SDP_CHAT, CP_SDP_STREAM_CERTIFICATE);
	come(&a, 0, CP_SDP_CHAT, alice, "0!");
	come(&b, 1, CP_SDP_CHAT, bob, "1!");
	UNTIL(opened[0] == 1 && opened[1] == 1);
	settings.streams.wait_ms = 600;
	cp_stream_close(b.stream);
	cp_stream_abort(a.stream);
	UNTIL(lost[0] == 1 && lost[1] == 1);
	assert_false(calls[0]->is_over);
	UNTIL(calls[0]->is_over);
	assert_false(calls[1]->is_over);
	assert_int_equal(cp_streams_counts(&app).lost[CP_STREAM_CUT], 1);
	assert_int_equal(cp_streams_counts(&app).lost[CP_STREAM_ENDED], 1);
}

static void
write_pem(const char *path)
{
	char command[400];

	snprintf(command, sizeof(command),
		 "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x "
		 "-keyout %s/key -out %s/certificate -days 2 2>/dev/null",
		 path, path);
	assert_int_equal(system(command), 0);
}

/* Our certificate is another: who is connected stays, and is told when its connection breaks. One that is none changes nothing. */
static void
test_reload(void **state)
{
	char folder[] = "/tmp/streams.XXXXXX", certificate[64], key[64], before[104];
	struct peer a, b;

	assert_non_null(mkdtemp(folder));
	snprintf(certificate, sizeof(certificate), "%s/certificate", folder);
	snprintf(key, sizeof(key), "%s/key", folder);
	write_pem(folder);
	agree(0, CP_SDP_CHAT, CP_SDP_STREAM_CERTIFICATE);
	agree(1, CP_SDP_CHAT, CP_SDP_STREAM_CERTIFICATE);
	come(&a, 0, CP_SDP_CHAT, alice, "0!");
	come(&b, 1, CP_SDP_CHAT, bob, "1!");
	UNTIL(opened[0] == 1 && opened[1] == 1);
	memcpy(before, calls[0]->local.fingerprint, sizeof(before));
	settings.streams.certificate = certificate;
	settings.streams.key = key;
	cp_streams_reload(&app);
	agree(2, CP_SDP_CHAT, CP_SDP_STREAM_CERTIFICATE);
	assert_string_not_equal(calls[2]->local.fingerprint, before);
	memcpy(before, calls[2]->local.fingerprint, sizeof(before));
	cp_stream_send(a.stream, "0", 1);
	UNTIL(strcmp(heard[0], "0!0") == 0);
	assert_false(calls[0]->is_reoffer_due);
	cp_stream_abort(a.stream);
	UNTIL(lost[0] == 1);
	assert_true(calls[0]->is_reoffer_due);
	assert_false(calls[1]->is_reoffer_due);
	assert_int_equal(truncate(key, 10), 0);
	cp_streams_reload(&app);
	answer(2, CP_SDP_CHAT, CP_SDP_STREAM_CERTIFICATE);
	assert_string_equal(calls[2]->local.fingerprint, before);
	settings.streams.certificate = settings.streams.key = NULL;
	unlink(certificate);
	unlink(key);
	rmdir(folder);
}

/* A service may end its stream from within, and the call. */
static void
test_ends_within(void **state)
{
	struct peer a;

	ends_at_once = true;
	agree(0, CP_SDP_CHAT, CP_SDP_STREAM_CERTIFICATE);
	come(&a, 0, CP_SDP_CHAT, alice, "0!");
	UNTIL(a.closed);
	assert_string_equal(a.heard, "hi");
	assert_int_equal(lost[0], 0);
	assert_string_equal(heard[0], "");
	ends_at_once = false;
	is_over_at_once = true;
	agree(1, CP_SDP_CHAT, CP_SDP_STREAM_CERTIFICATE);
	come(&a, 1, CP_SDP_CHAT, bob, "1!");
	UNTIL(a.closed);
	assert_int_equal(there[1], 0);
	assert_int_equal(cp_streams_counts(&app).open, 0);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_app, close_app)
	const struct CMUnitTest tests[] = {
		TEST(test_whose),  TEST(test_plain),	     TEST(test_addresses),
		TEST(test_active), TEST(test_active_server), TEST(test_own_port),
		TEST(test_early),  TEST(test_new),	     TEST(test_never),
		TEST(test_breaks), TEST(test_ends_within),   TEST(test_reload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
