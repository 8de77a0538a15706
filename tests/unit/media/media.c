/* The client of the control socket against a small server in the same process: framing, completions, time-outs, reconnection, wiping. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>
#include "ctrlplane/base/log.h"
#include "ctrlplane/media/media.h"

static char folder[] = "/tmp/conclave-media-XXXXXX";
static char path[64];
static int listener = -1, peer = -1;
static struct cp_media *media;
static int64_t now;

/* What the hooks saw. */
static struct {
	int fd, wants, ups, news, downs, events;
	struct dp_ctl_event event;
} seen;

/* What completions saw. */
static struct {
	int count, status;
	void *arg;
	uint8_t reply[DP_CTL_MAX];
} done;

static void
on_fd(void *arg, int fd, int wants)
{
	seen.fd = fd;
	seen.wants = wants;
}

static void
on_up(void *arg, const struct dp_ctl_welcome *welcome, bool is_new)
{
	seen.ups++;
	seen.news += is_new;
}

static void
on_down(void *arg, int error)
{
	seen.downs++;
}

static void
on_event(void *arg, const struct dp_ctl_event *event)
{
	seen.events++;
	seen.event = *event;
}

static void
on_done(void *arg, int status, const struct dp_ctl_hdr *reply)
{
	done.count++;
	done.status = status;
	done.arg = arg;
	if (reply != NULL)
		memcpy(done.reply, reply, reply->len);
}

static void
listen_again(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	unlink(path);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 4), 0);
}

static int
setup(void **state)
{
	struct cp_media_conf conf = {
		.path = path,
		.client = "test",
		.timeout_ms = 1000,
		.backoff_min_ms = 100,
		.backoff_max_ms = 400,
		.hooks = {.on_fd = on_fd, .on_up = on_up, .on_down = on_down, .on_event = on_event},
	};

	memset(&seen, 0, sizeof(seen));
	memset(&done, 0, sizeof(done));
	now = 5000;
	listen_again();
	return cp_media_create(&media, &conf);
}

static int
teardown(void **state)
{
	cp_media_destroy(media);
	if (peer >= 0)
		close(peer);
	if (listener >= 0)
		close(listener);
	peer = listener = -1;
	return 0;
}

static size_t
take(void *message, size_t size)
{
	ssize_t len = recv(peer, message, size, 0);

	assert_true(len >= (ssize_t)sizeof(struct dp_ctl_hdr));
	return (size_t)len;
}

static void
give(void *message, size_t size, uint16_t type, uint32_t number, int status)
{
	struct dp_ctl_hdr *hdr = message;

	*hdr = (struct dp_ctl_hdr){.version = DP_CTL_VERSION,
				   .type = type,
				   .len = (uint32_t)size,
				   .number = number,
				   .status = status};
	assert_int_equal(send(peer, message, size, 0), size);
	cp_media_on_readable(media, now);
}

/* HELLO and its reply. */
static void
bring_up(uint64_t instance)
{
	struct dp_ctl_hello hello;
	struct dp_ctl_welcome welcome = {.instance = instance, .workers = 2, .version = "test"};

	cp_media_on_tick(media, now);
	peer = accept(listener, NULL, NULL);
	assert_true(peer >= 0);
	assert_int_equal(take(&hello, sizeof(hello)), sizeof(hello));
	assert_int_equal(hello.hdr.type, DP_CTL_HELLO);
	assert_int_equal(hello.hdr.version, DP_CTL_VERSION);
	assert_int_equal(hello.hdr.len, sizeof(hello));
	assert_int_equal(hello.wants_events, 1);
	assert_string_equal(hello.client, "test");
	assert_false(cp_media_is_up(media));
	give(&welcome, sizeof(welcome), DP_CTL_HELLO, hello.hdr.number, 0);
	assert_true(cp_media_is_up(media));
}

static void
requests_get_their_replies(void **state)
{
	struct dp_ctl_leg leg = {.hdr = {.type = DP_CTL_LEG_ADD}, .leg = 7, .conf = 3};
	struct dp_ctl_leg got;
	struct dp_ctl_leg_added added = {.ssrc = 4711};
	struct dp_ctl_id id;
	uint32_t first;

	assert_int_equal(cp_media_request(media, &leg, sizeof(leg), on_done, NULL), -ENOTCONN);
	bring_up(1);
	assert_int_equal(seen.fd, cp_media_fd(media));
	assert_int_equal(seen.wants, CP_MEDIA_READ);
	assert_int_equal(cp_media_welcome(media)->workers, 2);
	assert_int_equal(cp_media_request(media, &leg, sizeof(leg), on_done, &first), 0);
	assert_int_equal(cp_media_request_id(media, DP_CTL_LEG_REMOVE, 9, on_done, &id), 0);
	assert_int_equal(done.count, 0);
	assert_int_equal(take(&got, sizeof(got)), sizeof(got));
	assert_int_equal(got.leg, 7);
	first = got.hdr.number;
	assert_int_equal(take(&id, sizeof(id)), sizeof(id));
	assert_int_equal(id.id, 9);
	assert_int_not_equal(id.hdr.number, first);
	/* out of order, and one refused */
	give(&id, sizeof(struct dp_ctl_hdr), DP_CTL_LEG_REMOVE, id.hdr.number, -ENOENT);
	assert_int_equal(done.status, -ENOENT);
	assert_ptr_equal(done.arg, &id);
	give(&added, sizeof(added), DP_CTL_LEG_ADD, first, 0);
	assert_int_equal(done.count, 2);
	assert_int_equal(done.status, 0);
	assert_ptr_equal(done.arg, &first);
	assert_int_equal(((struct dp_ctl_leg_added *)done.reply)->ssrc, 4711);
	give(&added, sizeof(added), DP_CTL_LEG_ADD, first, 0); /* once more: nobody asked */
	assert_int_equal(done.count, 2);
}

static void
requests_that_cannot_be(void **state)
{
	struct dp_ctl_hdr hdr = {.type = DP_CTL_NODE_SHOW};
	struct dp_ctl_key key = {.hdr = {.type = DP_CTL_KEY_INSTALL}};
	static uint8_t large[DP_CTL_MAX + 1];

	bring_up(1);
	assert_int_equal(cp_media_request(media, &hdr, sizeof(hdr) - 1, NULL, NULL), -EINVAL);
	memcpy(large, &hdr, sizeof(hdr));
	assert_int_equal(cp_media_request(media, large, sizeof(large), NULL, NULL), -EINVAL);
	/* a key in the caller's own memory would not be wiped */
	assert_int_equal(cp_media_request(media, &key, sizeof(key), NULL, NULL), -EINVAL);
}

static void
short_and_wrong_replies_are_errors(void **state)
{
	struct dp_ctl_hdr hdr = {.type = DP_CTL_NODE_SHOW};
	struct dp_ctl_node node = {0};

	bring_up(1);
	assert_int_equal(cp_media_request(media, &hdr, sizeof(hdr), on_done, NULL), 0);
	take(&hdr, sizeof(hdr));
	give(&node, sizeof(node) - 8, DP_CTL_NODE_SHOW, hdr.number, 0);
	assert_int_equal(done.status, -EPROTO);
	hdr.type = DP_CTL_NODE_SHOW;
	assert_int_equal(cp_media_request(media, &hdr, sizeof(hdr), on_done, NULL), 0);
	take(&hdr, sizeof(hdr));
	give(&node, sizeof(node), DP_CTL_LEG_ADD, hdr.number, 0);
	assert_int_equal(done.status, -EPROTO);
	assert_int_equal(done.count, 2);
	assert_true(cp_media_is_up(media));
}

/* Cut off anywhere, a message ends the connection and nothing else. */
static void
malformed_messages_end_the_connection(void **state)
{
	struct dp_ctl_event event = {0};

	for (size_t len = 1; len < sizeof(event); len++) {
		int before = seen.downs;

		now += 1000;
		bring_up(1);
		event.hdr = (struct dp_ctl_hdr){
			.version = DP_CTL_VERSION, .type = DP_CTL_EVENT, .len = sizeof(event)};
		if (len >= sizeof(event.hdr) && len % 2)
			event.hdr.len = (uint32_t)len; /* the length is right, the event is not */
		assert_int_equal(send(peer, &event, len, 0), len);
		cp_media_on_readable(media, now);
		assert_int_equal(seen.downs, before + 1);
		assert_int_equal(cp_media_fd(media), -1);
		close(peer);
	}
	assert_int_equal(seen.events, 0);
	now += 1000;
	bring_up(1);
	event.talker_count = DP_CTL_TALKERS_MAX + 1;
	give(&event, sizeof(event), DP_CTL_EVENT, 0, 0);
	assert_int_equal(cp_media_fd(media), -1);
}

static void
events_come_through(void **state)
{
	struct dp_ctl_event event = {.event = DP_EVENT_DTMF, .leg = 5, .a = 3, .b = 120};

	bring_up(1);
	give(&event, sizeof(event), DP_CTL_EVENT, 0, 0);
	assert_int_equal(seen.events, 1);
	assert_int_equal(seen.event.leg, 5);
	assert_int_equal(seen.event.b, 120);
}

static void
silence_times_out(void **state)
{
	struct dp_ctl_hdr hdr = {.type = DP_CTL_NODE_SHOW};
	struct dp_ctl_node node = {0};

	bring_up(1);
	assert_int_equal(cp_media_request(media, &hdr, sizeof(hdr), on_done, NULL), 0);
	take(&hdr, sizeof(hdr));
	now += 999;
	cp_media_on_tick(media, now);
	assert_int_equal(done.count, 0);
	now++;
	cp_media_on_tick(media, now);
	assert_int_equal(done.count, 1);
	assert_int_equal(done.status, -ETIMEDOUT);
	give(&node, sizeof(node), DP_CTL_NODE_SHOW, hdr.number, 0); /* too late */
	assert_int_equal(done.count, 1);
	assert_true(cp_media_is_up(media));
}

static void
a_lost_connection_is_made_again(void **state)
{
	struct dp_ctl_hdr hdr = {.type = DP_CTL_NODE_SHOW};

	bring_up(1);
	assert_int_equal(seen.news, 1);
	assert_int_equal(cp_media_request(media, &hdr, sizeof(hdr), on_done, NULL), 0);
	close(peer);
	cp_media_on_readable(media, now);
	assert_int_equal(done.status, -ECONNRESET);
	assert_int_equal(seen.downs, 1);
	assert_int_equal(seen.fd, -1);
	assert_null(cp_media_welcome(media));
	cp_media_on_tick(media, now + 99); /* not yet */
	assert_int_equal(cp_media_fd(media), -1);
	now += 100;
	bring_up(1); /* the same media plane */
	assert_int_equal(seen.ups, 2);
	assert_int_equal(seen.news, 1);
	close(peer);
	cp_media_on_readable(media, now);
	now += 1000;
	bring_up(2); /* another one: it restarted */
	assert_int_equal(seen.news, 2);
}

static void
attempts_become_rarer(void **state)
{
	int attempts = 0;

	close(listener);
	listener = -1;
	for (int i = 0; i < 2000; i += 10) {
		cp_media_on_tick(media, now + i);
		attempts += cp_media_fd(media) >= 0;
	}
	assert_int_equal(attempts, 0);
	listen_again();
	now += 2400;
	bring_up(1);
}

static void
a_refused_version_is_no_connection(void **state)
{
	struct dp_ctl_hello hello;

	cp_media_on_tick(media, now);
	peer = accept(listener, NULL, NULL);
	take(&hello, sizeof(hello));
	give(&hello, sizeof(struct dp_ctl_hdr), DP_CTL_HELLO, hello.hdr.number, -EPROTONOSUPPORT);
	assert_int_equal(cp_media_fd(media), -1);
	assert_int_equal(seen.ups, 0);
}

static void
keys_arrive_and_are_let_go(void **state)
{
	struct cp_media_key where = {
		.leg = 7, .dir = DP_DIR_SEND, .slot = DP_KEY_NEXT, .flags = DP_KEY_FRESH};
	struct cp_key key;
	struct dp_ctl_key got;

	bring_up(1);
	assert_int_equal(cp_key_make(&key, DP_SUITE_AEAD_AES_128_GCM), 0);
	key.lifetime = 1ULL << 40;
	key.mki_len = 4;
	key.mki[3] = 1;
	assert_int_equal(cp_media_install_key(media, &where, &key, on_done, NULL), 0);
	assert_int_equal(take(&got, sizeof(got)), sizeof(got));
	assert_int_equal(got.hdr.type, DP_CTL_KEY_INSTALL);
	assert_int_equal(got.hdr.len, sizeof(got));
	assert_int_equal(got.leg, 7);
	assert_int_equal(got.dir, DP_DIR_SEND);
	assert_int_equal(got.slot, DP_KEY_NEXT);
	assert_int_equal(got.flags, DP_KEY_FRESH);
	assert_int_equal(got.suite, DP_SUITE_AEAD_AES_128_GCM);
	assert_memory_equal(got.key, cp_secret_octets(key.octets), 16);
	assert_memory_equal(got.salt, cp_secret_octets(key.octets) + 16, 12);
	assert_int_equal(got.mki_len, 4);
	assert_int_equal(got.mki[3], 1);
	assert_true(got.lifetime_rtp == 1ULL << 40);
	assert_true(got.lifetime_rtcp == DP_SRTCP_MAX_PACKETS);
	give(&got, sizeof(got.hdr), DP_CTL_KEY_INSTALL, got.hdr.number, 0);
	assert_int_equal(done.status, 0);
	assert_int_equal(cp_secret_count(), 1); /* ours only */
	cp_key_drop(&key);
	assert_int_equal(cp_secret_count(), 0);
	assert_int_equal(cp_media_install_key(media, &where, &key, on_done, NULL), -EINVAL);
}

/* Requests beyond what the socket takes wait their turn, in order; keys that wait hold their secret. */
static void
a_full_socket_is_waited_for(void **state)
{
	struct cp_media_key where = {.leg = 1, .dir = DP_DIR_SEND};
	struct dp_ctl_conf conf = {.hdr = {.type = DP_CTL_CONF_CREATE}};
	struct cp_key key;
	uint8_t got[1024];
	uint32_t expected = 0;
	int sent = 0;

	bring_up(1);
	while (!(cp_media_wants(media) & CP_MEDIA_WRITE)) {
		conf.conf = (uint32_t)++sent;
		assert_int_equal(cp_media_request(media, &conf, sizeof(conf), on_done, NULL), 0);
		assert_true(sent < 100000);
	}
	assert_int_equal(cp_key_make(&key, DP_SUITE_AES_CM_128_HMAC_SHA1_80), 0);
	assert_int_equal(cp_media_install_key(media, &where, &key, on_done, NULL), 0);
	cp_key_drop(&key);
	assert_int_equal(cp_secret_count(), 1);
	for (int i = 0; i < sent; i++) {
		take(got, sizeof(got));
		memcpy(&conf, got, sizeof(conf));
		assert_int_equal(conf.conf, ++expected);
		if (cp_media_wants(media) & CP_MEDIA_WRITE)
			cp_media_on_writable(media, now);
	}
	assert_int_equal(take(got, sizeof(got)), sizeof(struct dp_ctl_key));
	assert_int_equal(cp_media_wants(media), CP_MEDIA_READ);
	assert_int_equal(cp_secret_count(), 0);
	cp_wipe(got, sizeof(got));
}

/* What the socket never took times out too, with its secret; the end lets go of all the rest. */
static void
unsent_requests_end_as_well(void **state)
{
	struct cp_media_key where = {.leg = 1, .dir = DP_DIR_SEND};
	struct dp_ctl_conf conf = {.hdr = {.type = DP_CTL_CONF_CREATE}};
	struct cp_key key;
	int sent = 0;

	bring_up(1);
	while (!(cp_media_wants(media) & CP_MEDIA_WRITE)) {
		assert_int_equal(cp_media_request(media, &conf, sizeof(conf), on_done, NULL), 0);
		sent++;
	}
	assert_int_equal(cp_key_make(&key, DP_SUITE_AES_CM_128_HMAC_SHA1_80), 0);
	assert_int_equal(cp_media_install_key(media, &where, &key, on_done, NULL), 0);
	now += 1000;
	cp_media_on_tick(media, now);
	assert_int_equal(done.count, sent + 1);
	assert_int_equal(done.status, -ETIMEDOUT);
	assert_int_equal(cp_secret_count(), 1);
	assert_int_equal(cp_media_install_key(media, &where, &key, on_done, NULL), 0);
	cp_key_drop(&key);
	assert_int_equal(cp_secret_count(), 1);
	cp_media_destroy(media);
	media = NULL;
	assert_int_equal(cp_secret_count(), 0);
	assert_int_equal(done.count, sent + 1);
}

/* The peer is gone, and a request finds out: it is completed later, not from within the call. */
static void
a_send_that_fails_is_told_later(void **state)
{
	struct dp_ctl_hdr hdr = {.type = DP_CTL_NODE_SHOW};

	bring_up(1);
	close(peer);
	peer = -1;
	assert_int_equal(cp_media_request(media, &hdr, sizeof(hdr), on_done, NULL), 0);
	assert_int_equal(done.count, 0);
	assert_false(cp_media_is_up(media));
	hdr.type = DP_CTL_NODE_SHOW;
	assert_int_equal(cp_media_request(media, &hdr, sizeof(hdr), on_done, NULL), -ENOTCONN);
	cp_media_on_tick(media, now);
	assert_int_equal(done.count, 1);
	assert_int_equal(done.status, -ECONNRESET);
	assert_int_equal(seen.downs, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(requests_get_their_replies, setup, teardown),
		cmocka_unit_test_setup_teardown(requests_that_cannot_be, setup, teardown),
		cmocka_unit_test_setup_teardown(short_and_wrong_replies_are_errors, setup,
						teardown),
		cmocka_unit_test_setup_teardown(malformed_messages_end_the_connection, setup,
						teardown),
		cmocka_unit_test_setup_teardown(events_come_through, setup, teardown),
		cmocka_unit_test_setup_teardown(silence_times_out, setup, teardown),
		cmocka_unit_test_setup_teardown(a_lost_connection_is_made_again, setup, teardown),
		cmocka_unit_test_setup_teardown(attempts_become_rarer, setup, teardown),
		cmocka_unit_test_setup_teardown(a_refused_version_is_no_connection, setup,
						teardown),
		cmocka_unit_test_setup_teardown(keys_arrive_and_are_let_go, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_socket_is_waited_for, setup, teardown),
		cmocka_unit_test_setup_teardown(unsent_requests_end_as_well, setup, teardown),
		cmocka_unit_test_setup_teardown(a_send_that_fails_is_told_later, setup, teardown),
	};
	int failed;

	cp_log_open("test", CP_LOG_STDERR, CP_LOG_ERROR);
	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/ctl", folder);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	rmdir(folder);
	return failed;
}
