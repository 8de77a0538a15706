/*
 * How many participants a core carries: whole worker turns, from classify to tx, over a port in memory whose encrypted input is
 * prepared outside of the measured time. 10,000 legs take part, so that no cache holds them.
 *
 * Verified: what a sample of legs is sent decrypts with their keys and is, octet for octet, the mix of the others; every frame was
 * played and none concealed; all packets are accounted for.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "bench/lib/bench.h"
#include "dataplane/rtp/rtp.h"
#include "dataplane/worker/worker_state.h"
#include "drivers/eal.h"
#include "drivers/mempool.h"
#include "drivers/port/clock.h"
#include "tests/fake/port.h"

#define PORT_BASE 24000
#define LEGS 10000
#define SETTLE_ROUNDS 15
#define VERIFY_ROUNDS 5
#define ROUNDS_MAX 4096
#define SAMPLE 61 /* every so many legs are listened to */
#define TICK_MS 20
#define MS 1000000u
#define TALKER_AMPLITUDE 3000.0
#define PACKET_MAX 256

/* What is measured. */
struct shape {
	enum dp_suite suite;
	uint16_t conf_size;
	uint16_t talkers; /* of each conference; the rest send silence */
	uint16_t loudest_n;
	bool is_played_to; /* each leg hears a clip of its own instead of the mix */
};

/* One participant. */
struct peer {
	struct dp_srtp_tx tx;
	struct dp_srtp_rx rx;
	uint32_t ssrc, ts;
	uint16_t seq;
	const uint8_t *sends; /* 160 octets */
	uint32_t got, got_wrong;
};

struct bench_room {
	const struct shape *shape;
	struct drv_port *port;
	struct rte_mempool *pool;
	struct dp_worker *worker;
	struct dp_srtp_engine *engine;
	uint64_t now_ns;
	uint32_t legs, confs;
	struct peer *peers;
	struct rte_mbuf **packets; /* of one period, in order of arrival */
	uint32_t round_count;
	double cpu_ns[ROUNDS_MAX];    /* a participant and frame */
	bool is_listening;	      /* what is sent is kept */
	int16_t clip_pcm[DP_SAMPLES]; /* what is played, over and over */
	struct dp_clip clip;
	uint8_t voices[16][DP_SAMPLES]; /* encoded tones; the last is silence */
	uint8_t expected
		[16][DP_SAMPLES]; /* what the i-th of a conference hears; the last: a listener */
};

static int
die(const char *text)
{
	fprintf(stderr, "bench worker: %s\n", text);
	return -EIO;
}

static int
eal_once(void)
{
	static bool is_up;
	char text[256] = "", prefix[32];
	struct drv_eal_conf conf = {.program = "bench",
				    .file_prefix = prefix,
				    .main_cpu = -1,
				    .workers = 1,
				    .worker_cpu = {-1},
				    .huge_pages = -1,
				    .memory_mb = 256};

	snprintf(prefix, sizeof(prefix), "bench%d", (int)getpid());
	if (!is_up && drv_eal_init(&conf, text, sizeof(text)) != 0)
		return die(text);
	is_up = true;
	return 0;
}

/* Tones of whole periods in 20 ms: each frame of a talker is the same. What everybody hears follows from the definition. */
static void
voices_make(struct bench_room *r)
{
	const struct dp_codec *pcmu = &dp_codec_table(DP_ISA_C)[DP_CODEC_PCMU];
	const struct dp_mix *mix = dp_mix(DP_ISA_C);
	const unsigned talkers = r->shape->talkers;
	int16_t pcm[16][DP_SAMPLES], out[DP_SAMPLES];
	int32_t sum[DP_SAMPLES] = {0};

	for (unsigned v = 0; v < 16; v++) {
		for (unsigned i = 0; i < DP_SAMPLES; i++)
			out[i] = v == 15 ? 0
					 : (int16_t)lrint(TALKER_AMPLITUDE *
							  sin(2 * M_PI * (5 + v) * i / DP_SAMPLES));
		pcmu->encode(NULL, r->voices[v], out, DP_SAMPLES);
		pcmu->decode(NULL, pcm[v], r->voices[v], DP_SAMPLES);
	}
	for (unsigned v = 0; v < talkers; v++)
		mix->add(sum, pcm[v], DP_SAMPLES);
	for (unsigned v = 0; v < 16; v++) {
		mix->out(out, sum, v < talkers ? pcm[v] : NULL, DP_SAMPLES);
		if (r->shape->is_played_to)
			memcpy(out, r->clip_pcm, sizeof(out));
		pcmu->encode(NULL, r->expected[v], out, DP_SAMPLES);
	}
}

/* A tone of whole periods, so that every frame of it is the same. */
static void
clip_make(struct bench_room *r)
{
	for (unsigned i = 0; i < DP_SAMPLES; i++)
		r->clip_pcm[i] =
			(int16_t)lrint(TALKER_AMPLITUDE * sin(2 * M_PI * 40 * i / DP_SAMPLES));
	r->clip = (struct dp_clip){.pcm = r->clip_pcm, .samples = DP_SAMPLES};
}

static struct dp_srtp_key *
key_make(enum dp_suite suite, uint32_t leg, uint8_t dir)
{
	struct dp_srtp_key_conf conf = {.suite = suite};

	memcpy(conf.key, &leg, sizeof(leg));
	conf.key[4] = dir;
	return dp_srtp_key_create(&conf);
}

static struct dp_msg *
post(struct bench_room *r, struct dp_msg *msg)
{
	struct dp_msg *back = NULL;

	if (!dp_worker_post(r->worker, msg))
		return NULL;
	dp_worker_turn(r->worker, r->now_ns);
	return dp_worker_collect(r->worker, &back, 1) == 1 ? back : NULL;
}

static int
conf_make(struct bench_room *r, uint32_t index)
{
	struct dp_msg msg = {.type = DP_MSG_CONF_CREATE, .conf = index};

	msg.conf_create.conf = index + 1;
	msg.conf_create.loudest_n = r->shape->loudest_n;
	msg.conf_create.small_size = 8;
	return post(r, &msg) != NULL ? 0 : -EIO;
}

static int
leg_make(struct bench_room *r, uint32_t index)
{
	struct dp_msg msg = {
		.type = DP_MSG_LEG_ADD, .leg = index, .conf = index / r->shape->conf_size};
	struct dp_conference *conf = &r->worker->confs[msg.conf];
	struct peer *peer = &r->peers[index];
	struct dp_srtp_key *out[DP_SRTP_OUT_MAX];
	uint32_t place = index % r->shape->conf_size;

	msg.add.leg = (struct dp_ctl_leg){
		.leg = index + 1,
		.conf = msg.conf + 1,
		.flags = DP_LEG_RTCP_MUX,
		.dirs = DP_DIR_RECEIVE | DP_DIR_SEND,
		.is_secure = 1,
		.ptime_ms = TICK_MS,
		.rx_count = 1,
		.rx = {{.codec = DP_CODEC_PCMU}},
		.tx = {.codec = DP_CODEC_PCMU},
		.cname = "bench",
	};
	msg.add.ssrc = 0x20000000u + index;
	msg.add.seq = (uint16_t)index & 0x7fff;
	if (conf->leg_count == conf->member_room) {
		msg.add.member_room = r->shape->conf_size;
		msg.add.members =
			calloc(msg.add.member_room, sizeof(uint32_t) + sizeof(struct dp_talker));
	}
	if (post(r, &msg) == NULL)
		return -EIO;
	for (uint8_t dir = DP_DIR_RECEIVE; dir <= DP_DIR_SEND; dir++) {
		struct dp_msg install = {.type = DP_MSG_KEY_INSTALL, .leg = index};

		install.key.key = key_make(r->shape->suite, index, dir);
		install.key.dir = dir;
		if (install.key.key == NULL || post(r, &install) == NULL)
			return die("keys do not fit into locked memory: raise ulimit -l");
	}
	dp_srtp_tx_init(&peer->tx);
	dp_srtp_rx_init(&peer->rx);
	dp_srtp_tx_install(&peer->tx, DP_KEY_CURRENT, 0,
			   key_make(r->shape->suite, index, DP_DIR_RECEIVE), out);
	if (index % SAMPLE == 0)
		dp_srtp_rx_install(&peer->rx, DP_KEY_CURRENT, 0,
				   key_make(r->shape->suite, index, DP_DIR_SEND), out);
	peer->ssrc = 0x10000000u + index;
	peer->sends = r->voices[place < r->shape->talkers ? place : 15];
	return 0;
}

static int
play_make(struct bench_room *r, uint32_t index)
{
	struct dp_msg msg = {.type = DP_MSG_PLAY, .leg = index};

	msg.play = (struct dp_msg_play){.clip = &r->clip,
					.id = index + 1,
					.flags = DP_PLAY_LOOP,
					.gain = dp_gain_from_cdb(0),
					.except = DP_PLAY_TO_ALL};
	return post(r, &msg) != NULL ? 0 : -EIO;
}

static int
room_open(struct bench_room *r, const struct shape *shape)
{
	struct dp_worker_conf conf = {.workers = 1,
				      .socket = SOCKET_ID_ANY,
				      .port_base = PORT_BASE,
				      .ports_per_queue = LEGS * 2,
				      .jbuf_min_ms = 20,
				      .jbuf_max_ms = 200};
	struct drv_mempool_conf pool = {.count = 16383, .room = 512, .node = -1};
	char text[256] = "";
	const char *why = NULL;
	size_t held;

	if (eal_once() != 0)
		return -EIO;
	memset(r, 0, sizeof(*r));
	r->shape = shape;
	r->now_ns = drv_now_ns();
	r->legs = LEGS / shape->conf_size * shape->conf_size;
	r->confs = r->legs / shape->conf_size;
	r->port = fake_port_create();
	r->peers = aligned_alloc(64, sizeof(struct peer) * LEGS);
	r->packets = calloc(LEGS, sizeof(r->packets[0]));
	if (r->peers == NULL || r->packets == NULL)
		return -ENOMEM;
	memset(r->peers, 0, sizeof(struct peer) * LEGS);
	dp_srtp_keys_reserve(&held, LEGS * 5);
	if (drv_mempool_create(&r->pool, &pool, text, sizeof(text)) != 0)
		return die(text);
	conf.port = r->port;
	conf.pool = r->pool;
	conf.confs_max = r->confs;
	conf.start_ns = r->now_ns;
	if (dp_worker_create(&r->worker, &conf, text, sizeof(text)) != 0)
		return die(text);
	r->engine = dp_srtp_engine_create(&why);
	if (r->engine == NULL)
		return die(why);
	clip_make(r);
	voices_make(r);
	for (uint32_t i = 0; i < r->confs; i++)
		if (conf_make(r, i) != 0)
			return -EIO;
	for (uint32_t i = 0; i < r->legs; i++)
		if (leg_make(r, i) != 0 || (shape->is_played_to && play_make(r, i) != 0))
			return -EIO;
	return 0;
}

static struct rte_mbuf *
packet_make(struct bench_room *r, uint32_t index, struct dp_srtp_op *op)
{
	struct peer *peer = &r->peers[index];
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(r->pool);
	struct drv_pkt *pkt = rte_mbuf_to_priv(mbuf);
	const struct dp_rtp_make make = {.ts = peer->ts, .ssrc = peer->ssrc, .seq = peer->seq};
	uint8_t *data = rte_pktmbuf_mtod(mbuf, uint8_t *);

	*op = (struct dp_srtp_op){.data = data,
				  .ctx = &peer->tx,
				  .room = PACKET_MAX,
				  .ssrc = peer->ssrc,
				  .seq = peer->seq++};
	peer->ts += DP_SAMPLES;
	op->header_len = dp_rtp_build(data, &make);
	memcpy(data + op->header_len, peer->sends, DP_SAMPLES);
	op->len = op->header_len + DP_SAMPLES;
	pkt->local_port = (uint16_t)(PORT_BASE + index * 2);
	pkt->local_index = 0;
	pkt->peer = (struct dp_addr){.family = DP_FAMILY_IP4,
				     .port = (uint16_t)(1024 + index),
				     .ip = {192, 0, 2, (uint8_t)(index >> 16)}};
	return mbuf;
}

/* A period's packets. Order of arrival: as if every participant had begun at a moment of its own. */
static void
round_prepare(void *arg)
{
	struct bench_room *r = arg;
	struct dp_srtp_op ops[DP_SRTP_BURST_MAX];

	for (uint32_t i = 0; i < r->legs; i += DP_SRTP_BURST_MAX) {
		uint32_t n = r->legs - i < DP_SRTP_BURST_MAX ? r->legs - i : DP_SRTP_BURST_MAX;

		for (uint32_t k = 0; k < n; k++) {
			uint32_t index = (uint32_t)((uint64_t)(i + k) * 3989 % r->legs);

			r->packets[i + k] = packet_make(r, index, &ops[k]);
		}
		dp_srtp_protect_rtp(r->engine, ops, n);
		for (uint32_t k = 0; k < n; k++) {
			r->packets[i + k]->data_len = (uint16_t)ops[k].len;
			r->packets[i + k]->pkt_len = ops[k].len;
		}
	}
}

static uint64_t
cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* 20 ms of the worker's life. */
static void
period_run(struct bench_room *r)
{
	struct fake_queue *queue = &r->port->queues[0];
	uint32_t at = 0;

	for (uint32_t ms = 1; ms <= TICK_MS; ms++) {
		uint32_t until = r->legs * ms / TICK_MS;

		r->now_ns += MS;
		while (at < until)
			fake_port_put(r->port, 0, r->packets[at++]);
		do {
			dp_worker_turn(r->worker, r->now_ns);
			if (!r->is_listening)
				fake_port_clear(r->port, 0);
		} while (queue->in_first != queue->in_last);
	}
}

/* What a core of our own would need: time in which others had ours is not counted. */
static void
round_run(void *arg)
{
	struct bench_room *r = arg;
	uint64_t start_ns = cpu_ns();

	period_run(r);
	if (r->round_count < ROUNDS_MAX)
		r->cpu_ns[r->round_count++] = (double)(cpu_ns() - start_ns) / r->legs;
}

static void
listen_one(struct bench_room *r, struct rte_mbuf *mbuf)
{
	const struct drv_pkt *pkt = rte_mbuf_to_priv(mbuf);
	uint32_t index = (uint32_t)(pkt->local_port - PORT_BASE) / 2;
	struct peer *peer = &r->peers[index];
	uint32_t place = index % r->shape->conf_size;
	uint8_t *data = rte_pktmbuf_mtod(mbuf, uint8_t *);
	struct dp_srtp_op op = {
		.data = data, .ctx = &peer->rx, .len = mbuf->data_len, .room = mbuf->data_len};
	struct dp_rtp rtp;

	if (index % SAMPLE != 0 || dp_rtp_is_rtcp(data, op.len))
		return;
	peer->got++;
	if (dp_rtp_parse(&rtp, data, op.len) != DP_DROP_NONE) {
		peer->got_wrong++;
		return;
	}
	op.header_len = rtp.header_len;
	op.ssrc = rtp.ssrc;
	op.seq = rtp.seq;
	dp_srtp_unprotect_rtp(r->engine, &op, 1);
	if (op.verdict != DP_DROP_NONE || op.len - op.header_len != DP_SAMPLES ||
	    memcmp(data + op.header_len, r->expected[place < r->shape->talkers ? place : 15],
		   DP_SAMPLES) != 0)
		peer->got_wrong++;
}

/* Untimed rounds in which a sample of legs is listened to. */
static bool
verify(struct bench_room *r)
{
	struct fake_queue *queue = &r->port->queues[0];
	bool is_right = true;

	r->is_listening = true;
	for (unsigned round = 0; round < VERIFY_ROUNDS; round++) {
		round_prepare(r);
		period_run(r);
		for (uint32_t i = 0; i < queue->out_count; i++)
			listen_one(r, queue->out[i]);
		fake_port_clear(r->port, 0);
	}
	for (uint32_t i = 0; i < r->legs; i += SAMPLE)
		is_right &= r->peers[i].got == VERIFY_ROUNDS && r->peers[i].got_wrong == 0;
	return is_right;
}

static bool
is_balanced(const struct bench_room *r)
{
	struct dp_worker_stats stats;
	uint64_t drops = 0, concealed = 0;

	dp_worker_peek(r->worker, &stats);
	for (unsigned d = 0; d < DP_DROP_COUNT; d++)
		drops += stats.drops[d];
	for (uint32_t i = 0; i < r->legs; i++)
		concealed += r->worker->legs[i].jbuf.counts.concealed;
	return drops == 0 && concealed == 0 && stats.rx_packets == stats.rx_sunk + stats.held &&
	       stats.made == stats.tx_packets;
}

static void
room_close(struct bench_room *r)
{
	struct dp_srtp_key *out[DP_SRTP_OUT_MAX];

	for (uint32_t i = 0; i < r->legs; i++) {
		struct dp_msg msg = {.type = DP_MSG_LEG_REMOVE, .leg = i};
		unsigned n;

		post(r, &msg);
		for (uint32_t k = 0; k < msg.key_count; k++)
			dp_srtp_key_destroy(msg.keys[k]);
		n = dp_srtp_tx_fini(&r->peers[i].tx, out);
		while (n > 0)
			dp_srtp_key_destroy(out[--n]);
		n = dp_srtp_rx_fini(&r->peers[i].rx, out);
		while (n > 0)
			dp_srtp_key_destroy(out[--n]);
		fake_port_clear(r->port, 0);
	}
	for (uint32_t i = 0; i < r->confs; i++)
		free(r->worker->confs[i].members);
	dp_worker_destroy(r->worker);
	dp_srtp_engine_destroy(r->engine);
	fake_port_destroy(r->port);
	rte_mempool_free(r->pool);
	free(r->peers);
	free(r->packets);
}

static int
run(const struct bench_case *row, struct bench_result *out)
{
	static struct bench_room room;
	struct bench_plan plan = {.prepare = round_prepare,
				  .round = round_run,
				  .arg = &room,
				  .min_rounds = 50,
				  .warm_up = SETTLE_ROUNDS,
				  .budget_ms = 1500};
	struct bench_timing timing;
	int rc = room_open(&room, row->arg);

	if (rc != 0)
		return rc;
	plan.items = room.legs;
	rc = bench_time(&timing, &plan);
	if (rc == 0) {
		double *cpu = room.cpu_ns + SETTLE_ROUNDS;
		uint32_t n = room.round_count - SETTLE_ROUNDS;
		double p50 = bench_quantile(cpu, n, 0.5), p99 = bench_quantile(cpu, n, 0.99);

		out->p50 = TICK_MS * (double)MS / p50;
		out->p99 = TICK_MS * (double)MS / p99;
		out->value = out->p50;
		out->is_verified = verify(&room) && is_balanced(&room);
		bench_extra_number(out, "ns_per_participant_frame", p50);
		bench_extra_number(out, "ns_min", cpu[0]);
		bench_extra_number(out, "ns_wall", timing.p50);
		bench_extra_number(out, "working_set", room.legs);
		bench_extra_text(out, "engine", dp_srtp_engine_name(room.engine));
	}
	room_close(&room);
	return rc;
}

static const struct shape cm80_conf3 = {DP_SUITE_AES_CM_128_HMAC_SHA1_80, 3, 3, 0, false};
static const struct shape gcm128_conf3 = {DP_SUITE_AEAD_AES_128_GCM, 3, 3, 0, false};
static const struct shape cm80_conf3play = {DP_SUITE_AES_CM_128_HMAC_SHA1_80, 3, 3, 0,
					    .is_played_to = true};
static const struct shape cm80_conf100 = {DP_SUITE_AES_CM_128_HMAC_SHA1_80, 100, 4, 4, false};
static const struct bench_case cases[] = {
	{"worker.participants.cm80.conf3", "participants/core", run, &cm80_conf3, false},
	{"worker.participants.gcm128.conf3", "participants/core", run, &gcm128_conf3, false},
	{"worker.participants.cm80.conf3play", "participants/core", run, &cm80_conf3play, false},
	{"worker.participants.cm80.conf100talk4", "participants/core", run, &cm80_conf100, false},
};

int
main(int argc, char **argv)
{
	return bench_main(argc, argv, cases, RTE_DIM(cases));
}
