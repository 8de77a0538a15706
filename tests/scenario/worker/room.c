/* The room: peers, their keys, their ears. */
#include "tests/scenario/worker/room.h"

#include <math.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include "dataplane/rtp/rtcp.h"
#include "drivers/eal.h"
#include "drivers/mempool.h"
#include "drivers/port/clock.h"

#define TICK_SAMPLES 160
#define TURN_NS 1000000u

static void
eal_once(void)
{
	static bool is_up;
	char text[256] = "", prefix[32];
	struct drv_eal_conf conf = {.program = "room",
				    .file_prefix = prefix,
				    .main_cpu = -1,
				    .workers = 1,
				    .worker_cpu = {-1},
				    .memory_mb = 192};

	snprintf(prefix, sizeof(prefix), "room%d", (int)getpid());
	if (!is_up && drv_eal_init(&conf, text, sizeof(text)) != 0)
		fail_msg("%s", text);
	is_up = true;
}

void
room_open(struct room *room, uint16_t legs, uint32_t confs)
{
	struct dp_worker_conf conf = {.workers = 1,
				      .socket = SOCKET_ID_ANY,
				      .port_base = ROOM_PORT,
				      .ports_per_queue = (uint16_t)(legs * 2),
				      .confs_max = confs,
				      .jbuf_min_ms = 20,
				      .jbuf_max_ms = 200};
	struct drv_mempool_conf pool = {.count = 16383, .node = -1};
	char text[256] = "";
	const char *why;

	eal_once();
	memset(room, 0, sizeof(*room));
	room->now_ns = drv_now_ns();
	room->port = fake_port_create();
	assert_int_equal(drv_mempool_create(&room->pool, &pool, text, sizeof(text)), 0);
	conf.port = room->port;
	conf.pool = room->pool;
	conf.start_ns = room->now_ns;
	assert_int_equal(dp_worker_create(&room->worker, &conf, text, sizeof(text)), 0);
	room->engine = dp_srtp_engine_create(&why);
	assert_non_null(room->engine);
}

bool room_is_turning;

void
room_turn(struct room *room)
{
	room_is_turning = true;
	dp_worker_turn(room->worker, room->now_ns);
	room_is_turning = false;
}

static void
keys_wipe(struct dp_srtp_key *const *keys, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		dp_srtp_key_destroy(keys[i]);
}

static void
peer_fini(struct peer *peer)
{
	struct dp_srtp_key *out[DP_SRTP_OUT_MAX];

	if (!peer->is_secure)
		return;
	keys_wipe(out, dp_srtp_rx_fini(&peer->rx, out));
	keys_wipe(out, dp_srtp_tx_fini(&peer->tx, out));
}

void
room_close(struct room *room)
{
	for (uint32_t i = 0; i < room->peer_count; i++) {
		if (!room->peers[i].is_gone)
			room_leave(room, &room->peers[i]);
	}
	dp_worker_destroy(room->worker);
	dp_srtp_engine_destroy(room->engine);
	fake_port_destroy(room->port);
	/* Every buffer has come home. */
	assert_int_equal(rte_mempool_in_use_count(room->pool), 0);
	rte_mempool_free(room->pool);
}

struct dp_msg *
room_msg(enum dp_msg_type type)
{
	struct dp_msg *msg = calloc(1, sizeof(*msg));

	msg->type = type;
	return msg;
}

struct dp_msg *
room_do(struct room *room, struct dp_msg *msg)
{
	struct dp_msg *back = NULL;

	assert_true(dp_worker_post(room->worker, msg));
	room_turn(room);
	assert_int_equal(dp_worker_collect(room->worker, &back, 1), 1);
	assert_ptr_equal(back, msg);
	keys_wipe(msg->keys, msg->key_count);
	return msg;
}

void
room_done(struct dp_msg *msg)
{
	free(msg);
}

void
room_conf(struct room *room, uint32_t conf, uint16_t loudest_n, uint16_t small_size)
{
	struct dp_msg *msg = room_msg(DP_MSG_CONF_CREATE);

	msg->conf = conf - 1;
	msg->conf_create = (struct dp_ctl_conf){
		.conf = conf, .rate_hz = 8000, .loudest_n = loudest_n, .small_size = small_size};
	room_done(room_do(room, msg));
}

static struct dp_srtp_key *
key_make(uint8_t suite, uint8_t octet, uint32_t leg, uint8_t dir)
{
	struct dp_srtp_key_conf conf = {.suite = suite};
	struct dp_srtp_key *key;

	memset(conf.key, octet, sizeof(conf.key));
	memset(conf.salt, octet ^ 0x5a, sizeof(conf.salt));
	memcpy(conf.key, &leg, sizeof(leg));
	conf.key[4] = dir;
	key = dp_srtp_key_create(&conf);
	assert_non_null(key);
	return key;
}

static void
install(struct room *room, struct peer *peer, uint8_t dir, uint8_t octet, enum dp_key_slot slot)
{
	struct dp_msg *msg = room_msg(DP_MSG_KEY_INSTALL);

	msg->leg = peer->leg - 1;
	msg->key.key = key_make(peer->suite, octet, peer->leg, dir);
	msg->key.dir = dir;
	msg->key.slot = (uint8_t)slot;
	room_done(room_do(room, msg));
}

void
room_rekey(struct room *room, struct peer *peer, uint8_t octet)
{
	struct dp_srtp_key *out[DP_SRTP_OUT_MAX];

	/* Ours to receive first; then the peer's to receive; then both senders change. */
	install(room, peer, DP_DIR_RECEIVE, octet, DP_KEY_NEXT);
	keys_wipe(out,
		  dp_srtp_rx_install(&peer->rx, DP_KEY_NEXT, 0,
				     key_make(peer->suite, octet, peer->leg, DP_DIR_SEND), out));
	install(room, peer, DP_DIR_SEND, octet, DP_KEY_NEXT);
	keys_wipe(out,
		  dp_srtp_tx_install(&peer->tx, DP_KEY_NEXT, 0,
				     key_make(peer->suite, octet, peer->leg, DP_DIR_RECEIVE), out));
}

static void
fill(struct dp_ctl_leg *leg, const struct peer *peer, const struct seat *seat)
{
	*leg = (struct dp_ctl_leg){
		.leg = peer->leg,
		.conf = seat->conf,
		.flags = seat->flags,
		.dirs = DP_DIR_RECEIVE | DP_DIR_SEND,
		.is_secure = seat->suite != DP_SUITE_NONE,
		.dtmf_pt = seat->dtmf_pt,
		.ptime_ms = seat->ptime_ms != 0 ? seat->ptime_ms : 20,
		.rx_count = 3,
		.rx = {{.codec = DP_CODEC_PCMU, .pt = 0},
		       {.codec = DP_CODEC_PCMA, .pt = 8},
		       {.codec = DP_CODEC_L16, .pt = 97}},
		.tx = {.codec = peer->codec, .pt = peer->pt},
		.remote_rtp = peer->addr,
		.remote_rtcp = peer->addr,
		.lost_after_ms = seat->lost_after_ms,
		.cname = "room@example",
	};
	leg->remote_rtcp.port++;
}

struct peer *
room_join(struct room *room, const struct seat *seat)
{
	struct peer *peer = &room->peers[room->peer_count++];
	static const uint8_t pts[DP_CODEC_COUNT] = {
		[DP_CODEC_PCMU] = 0, [DP_CODEC_PCMA] = 8, [DP_CODEC_L16] = 97};
	struct dp_msg *msg = room_msg(DP_MSG_LEG_ADD);
	struct dp_conference *conf = &room->worker->confs[seat->conf - 1];

	memset(peer, 0, sizeof(*peer));
	peer->leg = room->peer_count;
	peer->is_secure = seat->suite != DP_SUITE_NONE;
	peer->is_mux = (seat->flags & DP_LEG_RTCP_MUX) != 0;
	peer->suite = seat->suite;
	peer->codec = seat->codec != 0 ? seat->codec : DP_CODEC_PCMU;
	peer->pt = pts[peer->codec];
	peer->hz = seat->hz;
	peer->amplitude = seat->amplitude;
	peer->is_sending = true;
	peer->ssrc = 0x10000000u + peer->leg;
	peer->seq = (uint16_t)(peer->leg * 31);
	peer->next_ns = room->now_ns + peer->leg * 7 % 20 * 1000000u;
	peer->addr = (struct dp_addr){.family = DP_FAMILY_IP4,
				      .port = (uint16_t)(40000 + peer->leg * 2),
				      .ip = {127, 0, 0, 1}};
	dp_srtp_rx_init(&peer->rx);
	dp_srtp_tx_init(&peer->tx);

	msg->leg = peer->leg - 1;
	msg->conf = seat->conf - 1;
	fill(&msg->add.leg, peer, seat);
	msg->add.ssrc = 0x20000000u + peer->leg;
	msg->add.seq = (uint16_t)(32760 - peer->leg % 5);
	msg->add.timestamp = 0xfffff000u;
	if (conf->leg_count == conf->member_room) {
		msg->add.member_room = conf->member_room == 0 ? 4 : conf->member_room * 2;
		msg->add.members =
			calloc(msg->add.member_room, sizeof(uint32_t) + sizeof(struct dp_talker));
	}
	room_do(room, msg);
	free(msg->add.displaced);
	room_done(msg);
	if (peer->is_secure) {
		struct dp_srtp_key *out[DP_SRTP_OUT_MAX];

		install(room, peer, DP_DIR_RECEIVE, 1, DP_KEY_CURRENT);
		install(room, peer, DP_DIR_SEND, 1, DP_KEY_CURRENT);
		dp_srtp_rx_install(&peer->rx, DP_KEY_CURRENT, 0,
				   key_make(peer->suite, 1, peer->leg, DP_DIR_SEND), out);
		dp_srtp_tx_install(&peer->tx, DP_KEY_CURRENT, 0,
				   key_make(peer->suite, 1, peer->leg, DP_DIR_RECEIVE), out);
	}
	return peer;
}

void
room_leave(struct room *room, struct peer *peer)
{
	struct dp_msg *msg = room_msg(DP_MSG_LEG_REMOVE);
	struct dp_conference *conf = &room->worker->confs[room->worker->legs[peer->leg - 1].conf];

	msg->leg = peer->leg - 1;
	room_done(room_do(room, msg));
	peer->is_gone = true;
	peer_fini(peer);
	if (conf->leg_count == 0) {
		msg = room_msg(DP_MSG_CONF_DESTROY);
		msg->conf = (uint32_t)(conf - room->worker->confs);
		room_do(room, msg);
		free(msg->add.displaced);
		room_done(msg);
	}
}

void
room_update(struct room *room, struct peer *peer, uint8_t dirs, uint32_t flags)
{
	const struct dp_leg *leg = &room->worker->legs[peer->leg - 1];
	const struct seat seat = {.conf = room->worker->confs[leg->conf].id,
				  .suite = peer->suite,
				  .flags = flags,
				  .ptime_ms = (uint16_t)(leg->ptime_ticks10 * 10),
				  .dtmf_pt = leg->dtmf_pt,
				  .lost_after_ms = leg->lost_after_ms};
	struct dp_msg *msg = room_msg(DP_MSG_LEG_UPDATE);

	msg->leg = peer->leg - 1;
	fill(&msg->update, peer, &seat);
	msg->update.dirs = dirs;
	room_done(room_do(room, msg));
}

void
room_mix(struct room *room, struct peer *peer, int gain_cdb, bool is_muted, bool is_deaf)
{
	struct dp_msg *msg = room_msg(DP_MSG_LEG_MIX);

	msg->leg = peer->leg - 1;
	msg->mix.gain = dp_gain_from_cdb(gain_cdb);
	msg->mix.is_muted = is_muted;
	msg->mix.is_deaf = is_deaf;
	room_done(room_do(room, msg));
}

struct rte_mbuf *
room_raw(struct room *room, const struct peer *peer, const void *octets, uint16_t len)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(room->pool);
	struct drv_pkt *pkt = rte_mbuf_to_priv(mbuf);

	memcpy(rte_pktmbuf_append(mbuf, len), octets, len);
	pkt->peer = peer->addr;
	pkt->local_port = (uint16_t)(ROOM_PORT + (peer->leg - 1) * 2);
	pkt->local_index = 0;
	pkt->rx_ns = room->now_ns;
	return mbuf;
}

void
room_send(struct room *room, struct rte_mbuf *mbuf)
{
	fake_port_put(room->port, 0, mbuf);
}

struct rte_mbuf *
room_packet(struct room *room, struct peer *peer)
{
	uint8_t octets[1024];
	int16_t pcm[TICK_SAMPLES];
	const struct dp_codec *codec = &dp_codec_table(DP_ISA_C)[peer->codec];
	struct dp_rtp_make make = {
		.ts = peer->ts, .ssrc = peer->ssrc, .seq = peer->seq, .pt = peer->pt};
	struct dp_srtp_op op = {.data = octets,
				.ctx = &peer->tx,
				.room = sizeof(octets),
				.ssrc = peer->ssrc,
				.seq = peer->seq};

	for (unsigned i = 0; i < TICK_SAMPLES; i++)
		pcm[i] = (int16_t)lrint(peer->amplitude * sin(2 * M_PI * peer->hz *
							      (double)(peer->phase + i) / 8000));
	peer->phase += TICK_SAMPLES;
	op.header_len = dp_rtp_build(octets, &make);
	op.len = op.header_len + codec->encode(NULL, octets + op.header_len, pcm, TICK_SAMPLES);
	peer->seq++;
	peer->ts += TICK_SAMPLES;
	if (peer->is_secure) {
		dp_srtp_protect_rtp(room->engine, &op, 1);
		assert_int_equal(op.verdict, DP_DROP_NONE);
	}
	return room_raw(room, peer, octets, (uint16_t)op.len);
}

void
room_rtcp(struct room *room, struct peer *peer, const struct dp_rtcp_make *make)
{
	uint8_t octets[1024];
	struct dp_srtp_op op = {.data = octets, .ctx = &peer->tx, .room = sizeof(octets)};
	struct rte_mbuf *mbuf;

	op.len = (uint32_t)dp_rtcp_build(octets, sizeof(octets) - DP_SRTP_TRAILER_MAX, make);
	assert_true(op.len > 0);
	if (peer->is_secure) {
		dp_srtp_protect_rtcp(room->engine, &op, 1);
		assert_int_equal(op.verdict, DP_DROP_NONE);
	}
	mbuf = room_raw(room, peer, octets, (uint16_t)op.len);
	if (!peer->is_mux) {
		struct drv_pkt *pkt = rte_mbuf_to_priv(mbuf);

		pkt->local_port++;
		pkt->peer.port++;
	}
	room_send(room, mbuf);
}

static void
hear_sound(struct peer *peer, const struct dp_rtp *rtp, const uint8_t *data, uint32_t len)
{
	const struct dp_codec *codec = &dp_codec_table(DP_ISA_C)[peer->codec];
	int16_t pcm[1024];
	uint32_t n;

	if (peer->got > 0 && peer->last_ssrc == rtp->ssrc &&
	    rtp->seq != (uint16_t)(peer->last_seq + 1))
		peer->gaps++;
	peer->got++;
	peer->markers += rtp->has_marker;
	peer->last_ssrc = rtp->ssrc;
	peer->last_seq = rtp->seq;
	peer->last_ts = rtp->ts;
	peer->last_pt = rtp->pt;
	peer->last_len = len - rtp->header_len;
	peer->csrc_count = rtp->csrc_count;
	for (unsigned i = 0; i < rtp->csrc_count; i++)
		peer->csrc[i] = dp_rtp_csrc(data, i);
	n = codec->decode(NULL, pcm, data + rtp->header_len, len - rtp->header_len);
	for (uint32_t i = 0; i < n; i++)
		peer->heard[peer->heard_count++ % ROOM_HEARD] = pcm[i];
}

/* Our leg's own CNAME comes first; behind it those of others. */
static void
hear_names(struct peer *peer, const struct dp_rtcp_packet *packet, uint32_t from)
{
	struct dp_rtcp_sdes_walk walk = {0};
	struct dp_rtcp_sdes sdes;

	assert_true(dp_rtcp_sdes_next(&sdes, packet, &walk));
	assert_int_equal(sdes.ssrc, from);
	peer->name_count = 0;
	while (dp_rtcp_sdes_next(&sdes, packet, &walk)) {
		assert_in_range(peer->name_count, 0, DP_DESCRIBED_MAX - 1);
		assert_int_equal(sdes.type, DP_RTCP_SDES_CNAME);
		peer->name_ssrc[peer->name_count] = sdes.ssrc;
		memcpy(peer->name[peer->name_count], sdes.text, sdes.len);
		peer->name[peer->name_count++][sdes.len] = 0;
	}
	assert_int_equal(1 + peer->name_count, packet->count);
}

static void
hear_byes(struct peer *peer, const struct dp_rtcp_packet *packet, uint32_t from, uint64_t now_ns)
{
	peer->got_bye++;
	for (unsigned i = 0; i < packet->count; i++) {
		uint32_t ssrc = dp_rtcp_bye_ssrc(packet, i);

		if (ssrc == from) {
			peer->own_byes++;
			assert_int_equal(packet->count, 1);
			continue;
		}
		peer->told_bye = ssrc;
		peer->told_byes++;
		peer->bye_ns = now_ns;
	}
}

static void
hear_rtcp(struct peer *peer, const uint8_t *data, uint32_t len, uint64_t now_ns)
{
	struct dp_rtcp_packet packet;
	uint32_t from = 0;
	size_t at = 0;

	assert_int_equal(dp_rtcp_check(data, len), DP_DROP_NONE);
	peer->got_rtcp++;
	while (dp_rtcp_next(&packet, data, len, &at)) {
		if (packet.type == DP_RTCP_SR || packet.type == DP_RTCP_RR)
			from = packet.ssrc;
		else if (packet.type == DP_RTCP_SDES)
			hear_names(peer, &packet, from);
		else if (packet.type == DP_RTCP_BYE)
			hear_byes(peer, &packet, from, now_ns);
	}
}

static void
hear(struct room *room, struct rte_mbuf *mbuf)
{
	const struct drv_pkt *pkt = rte_mbuf_to_priv(mbuf);
	uint32_t index = (uint32_t)(pkt->local_port - ROOM_PORT) / 2;
	struct peer *peer = &room->peers[index];
	uint8_t *data = rte_pktmbuf_mtod(mbuf, uint8_t *);
	struct dp_srtp_op op = {
		.data = data, .ctx = &peer->rx, .len = mbuf->data_len, .room = mbuf->data_len};
	bool is_rtcp = (pkt->local_port - ROOM_PORT) % 2 != 0 || dp_rtp_is_rtcp(data, op.len);
	struct dp_rtp rtp = {0};

	if (!is_rtcp) {
		assert_int_equal(dp_rtp_parse(&rtp, data, op.len), DP_DROP_NONE);
		op.header_len = rtp.header_len;
		op.ssrc = rtp.ssrc;
		op.seq = rtp.seq;
	}
	if (peer->is_secure && !peer->is_gone) {
		if (is_rtcp)
			dp_srtp_unprotect_rtcp(room->engine, &op, 1);
		else
			dp_srtp_unprotect_rtp(room->engine, &op, 1);
		if (op.verdict != DP_DROP_NONE) {
			peer->got_bad++;
			return;
		}
	}
	if (peer->is_gone)
		return;
	if (is_rtcp && mbuf->data_len > peer->rtcp_max)
		peer->rtcp_max = mbuf->data_len;
	if (is_rtcp)
		hear_rtcp(peer, data, op.len, room->now_ns);
	else
		hear_sound(peer, &rtp, data, op.len);
}

static void
hear_all(struct room *room)
{
	struct fake_queue *queue = &room->port->queues[0];

	for (uint32_t i = 0; i < queue->out_count; i++)
		hear(room, queue->out[i]);
	fake_port_clear(room->port, 0);
}

static void
take_events(struct room *room)
{
	room->event_count += dp_worker_events(room->worker, room->events + room->event_count,
					      ROOM_EVENTS - room->event_count);
}

void
room_run(struct room *room, unsigned ms)
{
	struct dp_srtp_key *keys[8];

	for (unsigned t = 0; t < ms; t++) {
		room->now_ns += TURN_NS;
		for (uint32_t i = 0; i < room->peer_count; i++) {
			struct peer *peer = &room->peers[i];

			if (peer->is_gone || room->now_ns < peer->next_ns)
				continue;
			peer->next_ns += 20000000u;
			if (peer->is_sending)
				room_send(room, room_packet(room, peer));
			else
				peer->ts += TICK_SAMPLES;
		}
		do
			room_turn(room);
		while (room->port->queues[0].in_first != room->port->queues[0].in_last);
		hear_all(room);
		take_events(room);
		keys_wipe(keys, dp_worker_keys(room->worker, keys, 8));
	}
}

double
room_hears(const struct peer *peer, double hz, unsigned ms)
{
	unsigned n = ms * 8;
	double re = 0, im = 0;

	assert_true(peer->heard_count >= n && n <= ROOM_HEARD);
	for (unsigned i = 0; i < n; i++) {
		double x = peer->heard[(peer->heard_count - n + i) % ROOM_HEARD];

		re += x * cos(2 * M_PI * hz * i / 8000);
		im += x * sin(2 * M_PI * hz * i / 8000);
	}
	return 2 * sqrt(re * re + im * im) / n;
}

unsigned
room_events(const struct room *room, uint32_t event, uint32_t leg)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < room->event_count; i++)
		n += room->events[i].event == event && (leg == 0 || room->events[i].leg == leg);
	return n;
}

struct dp_worker_stats
room_stats(struct room *room)
{
	struct dp_msg *msg = room_do(room, room_msg(DP_MSG_NODE_SHOW));
	struct dp_worker_stats stats = msg->node;

	room_done(msg);
	return stats;
}

struct dp_leg_stats
room_leg_stats(struct room *room, const struct peer *peer)
{
	struct dp_msg *msg = room_msg(DP_MSG_LEG_SHOW);
	struct dp_leg_stats stats;

	msg->leg = peer->leg - 1;
	room_do(room, msg);
	stats = msg->shown.stats;
	room_done(msg);
	return stats;
}

void
room_balance(struct room *room)
{
	struct dp_worker_stats stats = room_stats(room);
	uint64_t in = 0, out = 0;

	for (unsigned d = 1; d < DP_DROP_COUNT; d++)
		*(d < DP_DROP_NO_MBUF ? &in : &out) += stats.drops[d];
	assert_int_equal(stats.rx_packets + stats.handoff_in,
			 stats.rx_sunk + stats.held + stats.handoff_out + in);
	assert_int_equal(stats.made, stats.tx_packets + out);
	for (uint32_t i = 0; i < room->peer_count; i++) {
		const struct dp_leg *leg = &room->worker->legs[i];
		struct dp_leg_stats s;

		if (room->peers[i].is_gone)
			continue;
		s = room_leg_stats(room, &room->peers[i]);
		in = s.played + s.held + s.rx_rtcp + s.rx_dtmf_packets + leg->sunk_other;
		for (unsigned d = 1; d < DP_DROP_NO_MBUF; d++)
			in += s.drops[d];
		assert_int_equal(s.rx_packets, in);
	}
}
