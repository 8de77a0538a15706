/* The control socket from a client's side: conferences, legs and keys by its messages; clients that err, leave, lag. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <rte_mempool.h>
#include "dataplane/ctl/node.h"
#include "dataplane/ctl/server.h"
#include "dataplane/worker/worker_state.h"
#include "drivers/eal.h"
#include "drivers/mempool.h"
#include "drivers/port/clock.h"
#include "tests/fake/port.h"

#define PORT_BASE 24600
#define LEGS 100

static struct drv_port *port;
static struct rte_mempool *pool;
static struct dp_worker *workers[2];
static struct dp_node *node;
static char folder[64], path[96];
static uint32_t number;
static union {
	struct dp_ctl_hdr hdr;
	struct dp_ctl_welcome welcome;
	struct dp_ctl_leg_added added;
	struct dp_ctl_ids ids;
	struct dp_ctl_leg_shown shown;
	struct dp_ctl_node node;
	struct dp_ctl_event event;
	uint8_t octets[DP_CTL_MAX];
} in;

#ifndef __SANITIZE_ADDRESS__
void *__libc_calloc(size_t n, size_t size);

static unsigned fails_in; /* 1: the next calloc has no memory; 0: all have */

void *
calloc(size_t n, size_t size)
{
	if (fails_in > 0 && --fails_in == 0)
		return NULL;
	return __libc_calloc(n, size);
}
#endif

static void
step(void)
{
	for (unsigned i = 0; i < 3; i++) {
		dp_node_step(node, 0);
		dp_worker_turn(workers[0], drv_now_ns());
		dp_worker_turn(workers[1], drv_now_ns());
	}
	dp_node_step(node, 0);
}

static int
connect_client(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

	strcpy(address.sun_path, path);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* Octets of the next message, 0: the server closed, -1: nothing comes. */
static ssize_t
take(int fd)
{
	for (unsigned tries = 0; tries < 50; tries++) {
		ssize_t n = recv(fd, &in, sizeof(in), MSG_DONTWAIT);

		if (n >= 0)
			return n;
		if (errno == ECONNRESET)
			return 0;
		step();
	}
	return -1;
}

static void
post(int fd, void *msg, uint16_t type, size_t len)
{
	struct dp_ctl_hdr *hdr = msg;

	*hdr = (struct dp_ctl_hdr){
		.version = DP_CTL_VERSION, .type = type, .len = (uint32_t)len, .number = ++number};
	assert_int_equal(send(fd, msg, len, 0), (ssize_t)len);
}

/* Ask and return the status; events on the way are passed over. */
static int
ask(int fd, void *msg, uint16_t type, size_t len)
{
	post(fd, msg, type, len);
	for (;;) {
		assert_true(take(fd) >= (ssize_t)sizeof(in.hdr));
		if (in.hdr.type == DP_CTL_EVENT)
			continue;
		assert_int_equal(in.hdr.type, type);
		assert_int_equal(in.hdr.number, number);
		return in.hdr.status;
	}
}

static int
client_new(bool wants_events)
{
	struct dp_ctl_hello hello = {.wants_events = wants_events, .client = "test"};
	int fd = connect_client();

	assert_int_equal(ask(fd, &hello, DP_CTL_HELLO, sizeof(hello)), 0);
	return fd;
}

static int
ask_id(int fd, uint16_t type, uint32_t id)
{
	struct dp_ctl_id msg = {.id = id};

	return ask(fd, &msg, type, sizeof(msg));
}

static int
conf_create(int fd, uint32_t id)
{
	struct dp_ctl_conf msg = {.conf = id, .rate_hz = 8000, .loudest_n = 4, .small_size = 8};

	return ask(fd, &msg, DP_CTL_CONF_CREATE, sizeof(msg));
}

static struct dp_ctl_leg
leg_of(uint32_t conf, uint32_t id)
{
	return (struct dp_ctl_leg){
		.leg = id,
		.conf = conf,
		.dirs = DP_DIR_RECEIVE | DP_DIR_SEND,
		.is_secure = 1,
		.ptime_ms = 20,
		.rx_count = 1,
		.rx = {{.codec = DP_CODEC_PCMA, .pt = 8}},
		.tx = {.codec = DP_CODEC_PCMA, .pt = 8},
		.remote_rtp = {.family = DP_FAMILY_IP4, .port = 4000, .ip = {127, 0, 0, 1}},
		.cname = "c@example",
	};
}

static int
leg_add(int fd, uint32_t conf, uint32_t id)
{
	struct dp_ctl_leg msg = leg_of(conf, id);

	return ask(fd, &msg, DP_CTL_LEG_ADD, sizeof(msg));
}

static int
key_install(int fd, uint32_t leg, uint8_t dir, uint8_t octet, uint32_t flags)
{
	struct dp_ctl_key msg = {
		.leg = leg, .dir = dir, .suite = DP_SUITE_AES_CM_128_HMAC_SHA1_80, .flags = flags};

	memset(msg.key, octet, 16);
	memset(msg.salt, octet, 14);
	return ask(fd, &msg, DP_CTL_KEY_INSTALL, sizeof(msg));
}

static int
begin(void **state)
{
	struct dp_worker_conf conf = {.workers = 2,
				      .socket = SOCKET_ID_ANY,
				      .port_base = PORT_BASE,
				      .ports_per_queue = LEGS * 2,
				      .confs_max = 100,
				      .jbuf_min_ms = 20,
				      .jbuf_max_ms = 200,
				      .start_ns = drv_now_ns()};
	struct dp_node_conf node_conf = {.workers = 2,
					 .port_base = PORT_BASE,
					 .ports_per_queue = LEGS * 2,
					 .confs_max = 100,
					 .local_count = 1,
					 .version = "test"};
	struct dp_ctl_server_conf socket_conf = {.path = path, .mode = 0660, .group = (gid_t)-1};
	struct drv_mempool_conf pool_conf = {.count = 4095, .node = -1};
	char text[256] = "";

	strcpy(folder, "/tmp/conclave-ctl.XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/media.sock", folder);
	port = fake_port_create();
	assert_int_equal(drv_mempool_create(&pool, &pool_conf, text, sizeof(text)), 0);
	conf.port = node_conf.port = port;
	conf.pool = pool;
	for (unsigned q = 0; q < 2; q++) {
		conf.index = q;
		assert_int_equal(dp_worker_create(&workers[q], &conf, text, sizeof(text)), 0);
		node_conf.worker[q] = workers[q];
	}
	node_conf.local[0] = (struct dp_addr){.family = DP_FAMILY_IP4, .ip = {127, 0, 0, 1}};
	assert_int_equal(dp_node_open(&node, &node_conf, &socket_conf, text, sizeof(text)), 0);
	return 0;
}

static int
end(void **state)
{
	for (unsigned i = 0; i < 50; i++)
		step();
	dp_node_drain(node, 0);
	for (unsigned i = 0; i < 50; i++)
		step();
	assert_int_equal(port->endpoints, 0);
	dp_node_close(node);
	dp_worker_destroy(workers[0]);
	dp_worker_destroy(workers[1]);
	fake_port_destroy(port);
	assert_int_equal(rte_mempool_in_use_count(pool), 0);
	rte_mempool_free(pool);
	assert_int_equal(access(path, F_OK), -1);
	rmdir(folder);
	return 0;
}

static void
test_hello_first_and_right_version(void **state)
{
	struct dp_ctl_conf conf = {.conf = 1, .rate_hz = 8000};
	struct dp_ctl_hello hello = {.client = "test"};
	struct stat entry;
	int fd = connect_client();

	assert_int_equal(stat(path, &entry), 0);
	assert_int_equal(entry.st_mode & 0777, 0660);
	assert_int_equal(ask(fd, &conf, DP_CTL_CONF_CREATE, sizeof(conf)), -EPROTO);
	hello.hdr = (struct dp_ctl_hdr){
		.version = 9, .type = DP_CTL_HELLO, .len = sizeof(hello), .number = 77};
	assert_int_equal(send(fd, &hello, sizeof(hello), 0), sizeof(hello));
	assert_true(take(fd) > 0);
	assert_int_equal(in.hdr.status, -EPROTONOSUPPORT);
	assert_int_equal(in.hdr.number, 77);
	assert_int_equal(ask(fd, &hello, DP_CTL_HELLO, sizeof(hello)), 0);
	assert_int_equal(in.welcome.workers, 2);
	assert_int_equal(in.welcome.legs_max, LEGS * 2);
	assert_int_equal(in.welcome.local_count, 1);
	assert_string_equal(in.welcome.version, "test");
	assert_true(in.welcome.instance != 0);
	/* Shorter than a header: this is no client of ours. */
	assert_int_equal(send(fd, &hello, 7, 0), 7);
	assert_int_equal(take(fd), 0);
	close(fd);
}

static void
test_ids_are_known_or_not(void **state)
{
	struct dp_ctl_leg leg = leg_of(5, 50);
	struct dp_ctl_leg_mix mix = {.leg = 51};
	struct dp_ctl_key_ref ref = {.leg = 50, .dir = DP_DIR_SEND};
	int fd = client_new(false);

	assert_int_equal(leg_add(fd, 5, 50), -ENOENT);
	assert_int_equal(conf_create(fd, 5), 0);
	assert_int_equal(conf_create(fd, 5), -EEXIST);
	assert_int_equal(leg_add(fd, 5, 50), 0);
	assert_int_equal(in.added.local_rtp.port % 2, 0);
	assert_int_equal(in.added.local_rtcp.port, in.added.local_rtp.port + 1);
	assert_true(in.added.ssrc != 0);
	assert_int_equal(port->endpoints, 2);
	assert_int_equal(leg_add(fd, 5, 50), -EEXIST);
	assert_int_equal(ask(fd, &mix, DP_CTL_LEG_MIX, sizeof(mix)), -ENOENT);
	mix.leg = 50;
	mix.gain_cdb = -300;
	assert_int_equal(ask(fd, &mix, DP_CTL_LEG_MIX, sizeof(mix)), 0);
	assert_int_equal(ask(fd, &ref, DP_CTL_KEY_RETIRE, sizeof(ref)), -ENOENT);
	assert_int_equal(key_install(fd, 51, DP_DIR_SEND, 1, 0), -ENOENT);
	assert_int_equal(key_install(fd, 50, DP_DIR_SEND, 1, 0), 0);
	assert_int_equal(ask(fd, &ref, DP_CTL_KEY_RETIRE, sizeof(ref)), 0);
	/* An update neither moves a leg nor takes its security away. */
	leg.is_secure = 0;
	assert_int_equal(ask(fd, &leg, DP_CTL_LEG_UPDATE, sizeof(leg)), -EINVAL);
	leg = leg_of(6, 50);
	assert_int_equal(ask(fd, &leg, DP_CTL_LEG_UPDATE, sizeof(leg)), -EINVAL);
	leg = leg_of(5, 50);
	leg.dirs = 0;
	assert_int_equal(ask(fd, &leg, DP_CTL_LEG_UPDATE, sizeof(leg)), 0);
	assert_int_equal(ask_id(fd, DP_CTL_LEG_SHOW, 50), 0);
	assert_int_equal(in.shown.leg.dirs, 0);
	assert_int_equal(in.shown.mix.gain_cdb, -300);
	assert_int_equal(ask_id(fd, DP_CTL_LEG_REMOVE, 50), 0);
	assert_int_equal(ask_id(fd, DP_CTL_LEG_REMOVE, 50), -ENOENT);
	assert_int_equal(port->endpoints, 0);
	assert_int_equal(ask_id(fd, DP_CTL_CONF_DESTROY, 5), 0);
	assert_int_equal(ask_id(fd, DP_CTL_CONF_DESTROY, 5), -ENOENT);
	close(fd);
}

/* The control plane dies; another takes stock, adopts one conference and removes the other. */
static void
test_client_comes_back_and_adopts(void **state)
{
	struct dp_ctl_list list = {0};
	int fd = client_new(false);
	uint64_t instance = in.welcome.instance;

	for (uint32_t c = 1; c <= 2; c++) {
		assert_int_equal(conf_create(fd, c * 10), 0);
		for (uint32_t i = 0; i < 70; i++)
			assert_int_equal(leg_add(fd, c * 10, c * 1000 + i), 0);
	}
	close(fd);
	step();
	fd = client_new(false);
	assert_true(in.welcome.instance == instance);
	assert_int_equal(ask(fd, &list, DP_CTL_LIST_CONFS, sizeof(list)), 0);
	assert_int_equal(in.ids.count, 2);
	assert_int_equal(in.ids.ids[0], 10);
	assert_int_equal(in.ids.ids[1], 20);
	list.conf = 20;
	assert_int_equal(ask(fd, &list, DP_CTL_LIST_LEGS, sizeof(list)), 0);
	assert_int_equal(in.ids.count, DP_CTL_PAGE_LEGS);
	assert_int_equal(in.ids.is_last, 0);
	for (uint32_t i = 0; i < DP_CTL_PAGE_LEGS; i++)
		assert_int_equal(in.ids.ids[i], 2000 + i);
	list.after = in.ids.ids[DP_CTL_PAGE_LEGS - 1];
	assert_int_equal(ask(fd, &list, DP_CTL_LIST_LEGS, sizeof(list)), 0);
	assert_int_equal(in.ids.count, 70 - DP_CTL_PAGE_LEGS);
	assert_int_equal(in.ids.is_last, 1);
	assert_int_equal(ask_id(fd, DP_CTL_CONF_DESTROY, 10), 0);
	assert_int_equal(ask_id(fd, DP_CTL_LEG_SHOW, 1000), -ENOENT);
	assert_int_equal(ask_id(fd, DP_CTL_LEG_SHOW, 2000), 0);
	assert_int_equal(in.shown.leg.conf, 20);
	assert_int_equal(port->endpoints, 70 * 2);
	assert_int_equal(ask(fd, &list.hdr, DP_CTL_NODE_SHOW, sizeof(list.hdr)), 0);
	assert_int_equal(in.node.total.legs, 70);
	assert_int_equal(in.node.total.conferences, 1);
	/* The two conferences had gone to different workers. */
	assert_int_equal(in.node.worker[0].legs + in.node.worker[1].legs, 70);
	assert_int_equal(in.node.worker[0].legs * in.node.worker[1].legs, 0);
	close(fd);
}

static void
test_full_node_says_so(void **state)
{
	int fd = client_new(false);

	assert_int_equal(conf_create(fd, 1), 0);
	for (uint32_t i = 1; i <= LEGS; i++)
		assert_int_equal(leg_add(fd, 1, i), 0);
	assert_int_equal(leg_add(fd, 1, LEGS + 1), -ENOSPC);
	assert_int_equal(ask_id(fd, DP_CTL_LEG_REMOVE, 7), 0);
	assert_int_equal(leg_add(fd, 1, LEGS + 1), 0);
	close(fd);
}

#ifndef __SANITIZE_ADDRESS__
/* Each allocation of LEG_ADD fails once, and once with no port left: no port and no place in the conference is lost by it. */
static void
test_no_memory_loses_nothing(void **state)
{
	unsigned refused = 0;
	int fd = client_new(false), rc;

	assert_int_equal(conf_create(fd, 1), 0);
	for (uint32_t i = 1; i <= LEGS; i++) {
		for (unsigned n = 1;; n++) {
			fails_in = n;
			rc = leg_add(fd, 1, i);
			if (rc == 0)
				break;
			assert_int_equal(rc, -ENOMEM);
			refused++;
		}
		fails_in = 0;
	}
	assert_true(refused >= LEGS);
	assert_int_equal(port->endpoints, LEGS * 2);
	assert_int_equal(leg_add(fd, 1, LEGS + 1), -ENOSPC);
	close(fd);
}
#endif

/* A fresh key on the way out brings a new SSRC once something has been sent; before that LEG_ADD's stays. */
static void
test_fresh_key_and_ssrc(void **state)
{
	int fd = client_new(false);
	uint32_t ssrc;

	assert_int_equal(conf_create(fd, 1), 0);
	assert_int_equal(leg_add(fd, 1, 1), 0);
	ssrc = in.added.ssrc;
	assert_int_equal(key_install(fd, 1, DP_DIR_SEND, 1, DP_KEY_FRESH), 0);
	assert_int_equal(ask_id(fd, DP_CTL_LEG_SHOW, 1), 0);
	assert_int_equal(in.shown.added.ssrc, ssrc);
	for (unsigned i = 0; i < 60; i++) {
		usleep(1000);
		step();
	}
	assert_int_equal(ask_id(fd, DP_CTL_LEG_SHOW, 1), 0);
	assert_true(in.shown.stats.tx_packets > 0);
	assert_int_equal(key_install(fd, 1, DP_DIR_SEND, 2, DP_KEY_FRESH), 0);
	assert_int_equal(ask_id(fd, DP_CTL_LEG_SHOW, 1), 0);
	assert_int_not_equal(in.shown.added.ssrc, ssrc);
	assert_int_equal(in.shown.added.ssrc, in.shown.stats.ssrc_tx);
	assert_int_equal(in.shown.suite_tx, DP_SUITE_AES_CM_128_HMAC_SHA1_80);
	assert_int_equal(in.shown.suite_rx, DP_SUITE_NONE);
	close(fd);
}

/* A client that does not read its events loses some and is told; another one gets them all. */
static void
test_slow_client_is_told(void **state)
{
	int slow = client_new(true), quick = client_new(true);
	uint32_t got = 0, lost = 0;
	struct dp_event_rec rec = {.event = DP_EVENT_DTMF, .leg = 1};

	for (unsigned i = 0; i < 3000; i++) {
		rec.a = i;
		dp_worker_event(workers[0], &rec);
		dp_node_step(node, 0);
		if (recv(quick, &in, sizeof(in), MSG_DONTWAIT) > 0) {
			assert_int_equal(in.event.a, got);
			got++;
		}
	}
	while (take(quick) > 0)
		got += in.event.event == DP_EVENT_DTMF;
	assert_int_equal(got, 3000);
	for (got = 0; take(slow) > 0;) {
		if (in.event.event == DP_EVENT_LOST_EVENTS)
			lost = in.event.a;
		else
			got++;
	}
	assert_true(lost > 0);
	assert_int_equal(got + lost, 3000);
	close(slow);
	close(quick);
}

static int
clip_add(int fd, uint32_t id, uint32_t samples)
{
	struct dp_ctl_clip msg = {.clip = id, .samples = samples};

	return ask(fd, &msg, DP_CTL_CLIP_ADD, sizeof(msg));
}

static int
clip_fill(int fd, uint32_t id, uint32_t offset, uint32_t count)
{
	struct dp_ctl_clip_part msg = {.clip = id, .offset = offset, .count = count};

	return ask(fd, &msg, DP_CTL_CLIP_FILL, sizeof(msg));
}

static int
play(int fd, struct dp_ctl_play msg)
{
	return ask(fd, &msg, DP_CTL_PLAY, sizeof(msg));
}

static int
stop(int fd, struct dp_ctl_play_ref msg)
{
	return ask(fd, &msg, DP_CTL_STOP, sizeof(msg));
}

/* A clip comes in order, plays to what is there, and goes when no worker has it any more. */
static void
test_clips_come_play_and_go(void **state)
{
	struct dp_ctl_list list = {0};
	int fd = client_new(true);

	for (uint32_t c = 1; c <= 2; c++) { /* on two workers */
		assert_int_equal(conf_create(fd, c), 0);
		assert_int_equal(leg_add(fd, c, c * 10), 0);
	}
	assert_int_equal(clip_fill(fd, 7, 0, 1), -ENOENT);
	assert_int_equal(clip_add(fd, 7, 4000), 0);
	assert_int_equal(clip_add(fd, 7, 4000), -EEXIST);
	assert_int_equal(clip_fill(fd, 7, 1, 1000), -EINVAL);
	assert_int_equal(clip_fill(fd, 7, 0, 1000), 0);
	assert_int_equal(clip_fill(fd, 7, 0, 1000), -EINVAL);
	assert_int_equal(clip_fill(fd, 7, 1000, 3001), -EINVAL);
	assert_int_equal(play(fd, (struct dp_ctl_play){.play = 1, .clip = 7, .leg = 10}), -EAGAIN);
	assert_int_equal(clip_fill(fd, 7, 1000, 3000), 0);
	assert_int_equal(clip_fill(fd, 7, 4000, 1), -EINVAL);
	assert_int_equal(play(fd, (struct dp_ctl_play){.play = 1, .clip = 8, .leg = 10}), -ENOENT);
	assert_int_equal(play(fd, (struct dp_ctl_play){.play = 1, .clip = 7, .leg = 11}), -ENOENT);
	assert_int_equal(play(fd, (struct dp_ctl_play){.play = 1, .clip = 7, .conf = 3}), -ENOENT);
	assert_int_equal(
		play(fd, (struct dp_ctl_play){.play = 1, .clip = 7, .leg = 10, .offset = 4000}),
		-EINVAL);
	assert_int_equal(
		play(fd, (struct dp_ctl_play){.play = 1, .clip = 7, .leg = 10, .flags = 1}), 0);
	assert_int_equal(
		play(fd, (struct dp_ctl_play){.play = 2, .clip = 7, .conf = 2, .flags = 1}), 0);
	assert_int_equal(ask_id(fd, DP_CTL_LEG_SHOW, 10), 0);
	assert_int_equal(in.shown.stats.is_played_to, 1);
	assert_int_equal(ask(fd, &(struct dp_ctl_hdr){0}, DP_CTL_NODE_SHOW, sizeof(in.hdr)), 0);
	assert_int_equal(in.node.total.playing, 2);
	assert_int_equal(in.node.total.plays, 2);
	/* to all but a leg, be it there or not */
	assert_int_equal(play(fd, (struct dp_ctl_play){.play = 4, .clip = 7, .conf = 1, .leg = 10}),
			 0);
	assert_int_equal(workers[0]->plays[LEGS].except, 0);
	assert_int_equal(play(fd, (struct dp_ctl_play){.play = 5, .clip = 7, .conf = 1, .leg = 99}),
			 0);
	assert_int_equal(workers[0]->plays[LEGS].except, DP_PLAY_TO_ALL);
	assert_int_equal(stop(fd, (struct dp_ctl_play_ref){.play = 5, .conf = 1}), 0);
	while (take(fd) > 0)
		;
	assert_int_equal(stop(fd, (struct dp_ctl_play_ref){.play = 1, .conf = 1}), -ENOENT);
	assert_int_equal(stop(fd, (struct dp_ctl_play_ref){.play = 2, .leg = 10}), -ENOENT);
	assert_int_equal(stop(fd, (struct dp_ctl_play_ref){.play = 1, .leg = 10}), 0);
	assert_true(take(fd) > 0);
	assert_int_equal(in.hdr.type, DP_CTL_EVENT);
	assert_int_equal(in.event.event, DP_EVENT_PLAYED);
	assert_int_equal(in.event.a, 1);
	assert_int_equal(in.event.b, DP_PLAYED_STOPPED);
	assert_int_equal(in.event.leg, 10);
	assert_int_equal(ask(fd, &list, DP_CTL_LIST_CLIPS, sizeof(list)), 0);
	assert_int_equal(in.ids.count, 1);
	assert_int_equal(in.ids.ids[0], 7);
	assert_int_equal(ask_id(fd, DP_CTL_CLIP_REMOVE, 7), 0);
	assert_int_equal(ask_id(fd, DP_CTL_CLIP_REMOVE, 7), -ENOENT);
	assert_int_equal(play(fd, (struct dp_ctl_play){.play = 3, .clip = 7, .leg = 10}), -ENOENT);
	assert_int_equal(ask(fd, &(struct dp_ctl_hdr){0}, DP_CTL_NODE_SHOW, sizeof(in.hdr)), 0);
	assert_int_equal(in.node.total.playing, 0);
	close(fd);
}

/* So many, so long, and room again when they are gone; what a client leaves half done others can take away. */
static void
test_clips_have_limits(void **state)
{
	const uint32_t whole = DP_CTL_CLIPS_SAMPLES_MAX / DP_CTL_CLIP_SAMPLES_MAX;
	struct dp_ctl_list list = {0};
	int fd = client_new(false);

	for (uint32_t i = 1; i <= whole; i++)
		assert_int_equal(clip_add(fd, i, DP_CTL_CLIP_SAMPLES_MAX), 0);
	assert_int_equal(clip_add(fd, 1000, 1), -ENOSPC);
	assert_int_equal(clip_fill(fd, 1, 0, 100), 0);
	close(fd);
	fd = client_new(false);
	for (uint32_t i = 1; i <= whole; i++)
		assert_int_equal(ask_id(fd, DP_CTL_CLIP_REMOVE, i), 0);
	for (uint32_t i = 1; i <= DP_CTL_CLIPS_MAX; i++)
		assert_int_equal(clip_add(fd, i * 3, 1), 0);
	assert_int_equal(clip_add(fd, 1000, 1), -ENOSPC);
	for (uint32_t seen = 0; seen < DP_CTL_CLIPS_MAX; seen += in.ids.count) {
		assert_int_equal(ask(fd, &list, DP_CTL_LIST_CLIPS, sizeof(list)), 0);
		assert_int_equal(in.ids.ids[0], seen * 3 + 3);
		assert_int_equal(in.ids.is_last, seen + in.ids.count == DP_CTL_CLIPS_MAX);
		list.after = in.ids.ids[in.ids.count - 1];
	}
	assert_int_equal(ask_id(fd, DP_CTL_CLIP_REMOVE, 3), 0);
	assert_int_equal(clip_add(fd, 1000, 1), 0);
	close(fd);
}

/* What the port dropped before a worker saw it, or after it let it go, has a name as well, and the sums still fit. */
static void
test_drops_of_the_port_are_shown(void **state)
{
	struct dp_ctl_list request = {0};
	int fd = client_new(false);
	uint64_t ins = 0, outs = 0;

	port->stats = (struct drv_port_stats){.rx_missed = 1,
					      .rx_errors = 2,
					      .rx_bad_checksum = 4,
					      .rx_fragments = 8,
					      .rx_malformed = 16,
					      .rx_foreign = 32};
	assert_int_equal(ask(fd, &request.hdr, DP_CTL_NODE_SHOW, sizeof(request.hdr)), 0);
	/* Both workers have such a port. */
	assert_int_equal(in.node.total.drops[DP_DROP_RX_MISSED], 2 * 1);
	assert_int_equal(in.node.total.drops[DP_DROP_RX_ERROR], 2 * 2);
	assert_int_equal(in.node.total.drops[DP_DROP_RX_CHECKSUM], 2 * 4);
	assert_int_equal(in.node.total.drops[DP_DROP_RX_FRAGMENT], 2 * 8);
	assert_int_equal(in.node.total.drops[DP_DROP_RX_MALFORMED], 2 * 16);
	assert_int_equal(in.node.total.drops[DP_DROP_RX_FOREIGN], 2 * 32);
	assert_int_equal(in.node.worker[1].drops[DP_DROP_RX_FOREIGN], 32);
	for (unsigned d = 1; d < DP_DROP_COUNT; d++)
		*(d < DP_DROP_NO_MBUF ? &ins : &outs) += in.node.total.drops[d];
	assert_int_equal(in.node.total.rx_packets, in.node.total.rx_sunk + ins);
	assert_int_equal(in.node.total.made, in.node.total.tx_packets + outs);
	port->stats = (struct drv_port_stats){0};
	close(fd);
}

static void
test_strangers_are_refused(void **state)
{
	pid_t child;
	int status;

	if (geteuid() != 0)
		skip();
	/* The file's mode alone would keep them out; the credentials do too. */
	chmod(folder, 0755);
	chmod(path, 0666);
	child = fork();
	if (child == 0) {
		struct sockaddr_un address = {.sun_family = AF_UNIX};
		int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
		char octet;

		strcpy(address.sun_path, path);
		if (setgid(65534) != 0 || setuid(65534) != 0 ||
		    connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
			_exit(1);
		_exit(recv(fd, &octet, 1, 0) == 0 ? 0 : 2);
	}
	for (unsigned i = 0; i < 200 && waitpid(child, &status, WNOHANG) == 0; i++) {
		usleep(10000);
		dp_node_step(node, 0);
	}
	assert_int_equal(status, 0);
}

static void
test_second_server_is_refused(void **state)
{
	struct dp_ctl_server_conf conf = {.path = path, .mode = 0660, .group = (gid_t)-1};
	struct dp_ctl_server *server;
	char text[256];

	assert_int_equal(dp_ctl_server_open(&server, &conf, text, sizeof(text)), -EADDRINUSE);
	assert_non_null(strstr(text, "another conclave-dp"));
	assert_int_equal(access(path, F_OK), 0);
	step();
}

int
main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(test_hello_first_and_right_version),
		CASE(test_ids_are_known_or_not),
		CASE(test_client_comes_back_and_adopts),
		CASE(test_full_node_says_so),
#ifndef __SANITIZE_ADDRESS__
		CASE(test_no_memory_loses_nothing),
#endif
		CASE(test_fresh_key_and_ssrc),
		CASE(test_slow_client_is_told),
		CASE(test_clips_come_play_and_go),
		CASE(test_clips_have_limits),
		CASE(test_drops_of_the_port_are_shown),
		CASE(test_strangers_are_refused),
		CASE(test_second_server_is_refused),
	};
	char text[256] = "", prefix[32];
	struct drv_eal_conf eal = {.program = "socket",
				   .file_prefix = prefix,
				   .main_cpu = -1,
				   .workers = 1,
				   .worker_cpu = {-1},
				   .memory_mb = 128};

	snprintf(prefix, sizeof(prefix), "socket%d", (int)getpid());
	if (drv_eal_init(&eal, text, sizeof(text)) != 0) {
		fprintf(stderr, "%s\n", text);
		return 1;
	}
	return cmocka_run_group_tests_name("scenario/ctl/socket", tests, NULL, NULL);
}
