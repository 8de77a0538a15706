/*
 * Packets that should not be believed: forged, replayed, from elsewhere, garbage. They move no state, disturb nobody, and each is
 * counted under its name. libsrtp2 plays one of the participants.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>
#include <srtp2/srtp.h>
#include "tests/scenario/worker/room.h"

#define SUITE DP_SUITE_AES_CM_128_HMAC_SHA1_80

static struct room room;
static struct peer *p[3];
static uint32_t luck;

static uint32_t
roll(void)
{
	luck = luck * 1664525u + 1013904223u;
	return luck >> 8;
}

static int
begin(void **state)
{
	luck = 1;
	room_open(&room, 16, 4);
	room_conf(&room, 1, 0, 8);
	for (unsigned i = 0; i < 3; i++)
		p[i] = room_join(&room, &(struct seat){.conf = 1,
						       .suite = SUITE,
						       .hz = 500 + 300.0 * i,
						       .amplitude = 4000});
	room_run(&room, 1000);
	return 0;
}

static int
end(void **state)
{
	room_balance(&room);
	room_close(&room);
	return 0;
}

static void
turn(void)
{
	do
		dp_worker_turn(room.worker, room.now_ns);
	while (room.port->queues[0].in_first != room.port->queues[0].in_last);
}

static uint64_t
drops(enum dp_drop drop)
{
	return room_stats(&room).drops[drop];
}

/* Wrong tags on one leg, from its own address and others: nothing moves but counters; the others' octets are the same. */
static void
test_flood_with_wrong_tags(void **state)
{
	static struct dp_leg before[3];
	struct dp_leg *legs = room.worker->legs;

	memcpy(before, legs, sizeof(before));
	for (unsigned i = 0; i < 3000; i++) {
		struct peer forged = *p[0];
		uint8_t octets[182];

		for (unsigned k = 0; k < sizeof(octets); k++)
			octets[k] = (uint8_t)roll();
		octets[0] = 0x80;
		octets[1] = 0;
		dp_rtp_put16(octets + 2, (uint16_t)(p[0]->seq + i));
		dp_rtp_put32(octets + 8, p[0]->ssrc + i % 2);
		forged.addr.port = (uint16_t)(forged.addr.port + i % 3);
		room_send(&room, room_raw(&room, &forged, octets, sizeof(octets)));
	}
	turn();
	assert_memory_equal(&legs[1], &before[1], sizeof(before[1]));
	assert_memory_equal(&legs[2], &before[2], sizeof(before[2]));
	assert_memory_equal(&legs[0].srtp_rx, &before[0].srtp_rx, sizeof(before[0].srtp_rx));
	assert_memory_equal(&legs[0].jbuf, &before[0].jbuf, sizeof(before[0].jbuf));
	assert_memory_equal(&legs[0], &before[0], offsetof(struct dp_leg, rtp));
	assert_memory_equal(&legs[0].rtp, &before[0].rtp, sizeof(before[0].rtp));
	assert_int_equal(drops(DP_DROP_SRTP_AUTH), 3000);
	room_run(&room, 500);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(p[i]->gaps, 0);
		assert_true(room_hears(p[i], p[(i + 1) % 3]->hz, 300) > 3700);
	}
}

static void
test_replayed_packet(void **state)
{
	struct rte_mbuf *mbuf = room_packet(&room, p[0]);
	uint8_t octets[256];
	uint16_t len = mbuf->data_len;

	memcpy(octets, rte_pktmbuf_mtod(mbuf, void *), len);
	room_send(&room, mbuf);
	turn();
	room_send(&room, room_raw(&room, p[0], octets, len));
	turn();
	assert_int_equal(drops(DP_DROP_SRTP_REPLAY), 1);
}

/* Secure legs take no plain RTP; nothing passes in either direction before the key. */
static void
test_no_key_no_media(void **state)
{
	struct dp_msg *msg = room_msg(DP_MSG_LEG_ADD);
	struct dp_worker_stats before = room_stats(&room);
	struct peer ghost = *p[0];
	uint8_t octets[172] = {0x80};

	msg->leg = 7;
	msg->add.leg = (struct dp_ctl_leg){
		.leg = 8,
		.conf = 1,
		.dirs = DP_DIR_RECEIVE | DP_DIR_SEND,
		.is_secure = 1,
		.ptime_ms = 20,
		.rx_count = 1,
		.rx = {{.codec = DP_CODEC_PCMU}},
		.tx = {.codec = DP_CODEC_PCMU},
		.remote_rtp = p[0]->addr,
	};
	room_done(room_do(&room, msg));
	ghost.leg = 8;
	room_send(&room, room_raw(&room, &ghost, octets, sizeof(octets)));
	room_run(&room, 100);
	assert_int_equal(drops(DP_DROP_SRTP_NO_KEY), before.drops[DP_DROP_SRTP_NO_KEY] + 1);
	assert_int_equal(room.worker->legs[7].tx_packets, 0);
	assert_int_equal(room.worker->legs[7].is_latched, false);
	msg = room_msg(DP_MSG_LEG_REMOVE);
	msg->leg = 7;
	room_done(room_do(&room, msg));
}

static void
test_latch_follows_what_authenticates(void **state)
{
	struct dp_addr home = p[0]->addr, away = home;
	const struct dp_leg *leg = &room.worker->legs[p[0]->leg - 1];

	away.port = 50001;
	assert_true(dp_addr_is_same(&leg->to, &home));
	/* Believed as media at once; the address moves when the old source has been silent for two seconds. */
	p[0]->addr = away;
	room_run(&room, 1900);
	assert_true(dp_addr_is_same(&leg->to, &home));
	assert_true(room_hears(p[1], p[0]->hz, 300) > 3700);
	room_run(&room, 200);
	assert_true(dp_addr_is_same(&leg->to, &away));
	/* Signalling says that it moves: the next packet counts. */
	p[0]->addr = home;
	room_update(&room, p[0], DP_DIR_RECEIVE | DP_DIR_SEND, DP_LEG_RELATCH);
	room_run(&room, 25);
	assert_true(dp_addr_is_same(&leg->to, &home));
	/* And when told so we stay with the signalled address. */
	room_update(&room, p[0], DP_DIR_RECEIVE | DP_DIR_SEND, DP_LEG_NO_LATCH);
	p[0]->addr = away;
	room_run(&room, 2500);
	assert_true(dp_addr_is_same(&leg->to, &home));
}

static void
test_plain_leg_believes_its_source_only(void **state)
{
	struct peer *plain = room_join(
		&room,
		&(struct seat){.conf = 1, .suite = DP_SUITE_NONE, .hz = 1700, .amplitude = 4000});
	const struct dp_leg *leg = &room.worker->legs[plain->leg - 1];
	struct peer other = *plain;
	uint64_t before = drops(DP_DROP_RTP_SOURCE);

	/* Before the latch: another host than the signalled one. */
	other.addr.ip[3] = 9;
	room_send(&room, room_packet(&room, &other));
	turn();
	assert_int_equal(drops(DP_DROP_RTP_SOURCE), before + 1);
	assert_false(leg->is_latched);
	room_run(&room, 500);
	assert_true(leg->is_latched);
	assert_true(room_hears(p[0], 1700, 300) > 3700);
	/* After it: another port of the same host. */
	other = *plain;
	other.addr.port++;
	room_send(&room, room_packet(&room, &other));
	turn();
	assert_int_equal(drops(DP_DROP_RTP_SOURCE), before + 2);
	assert_true(dp_addr_is_same(&leg->to, &plain->addr));
}

static void
test_keys_change_under_way(void **state)
{
	for (uint8_t round = 2; round < 6; round++) {
		room_rekey(&room, p[0], round);
		room_run(&room, 400);
	}
	assert_int_equal(p[0]->gaps, 0);
	assert_int_equal(p[0]->got_bad, 0);
	assert_true(room_hears(p[0], p[1]->hz, 300) > 3700);
	assert_true(room_hears(p[1], p[0]->hz, 300) > 3700);
	assert_int_equal(room_leg_stats(&room, p[0]).concealed_frames, 0);
	assert_int_equal(drops(DP_DROP_SRTP_AUTH), 0);
}

/* A key for 100 packets: told at 90 and 100, and not one packet more goes under it, either way. */
static void
test_key_is_used_up(void **state)
{
	for (uint8_t dir = DP_DIR_RECEIVE; dir <= DP_DIR_SEND; dir++) {
		struct dp_srtp_key_conf conf = {.suite = SUITE, .lifetime_rtp = 100};
		struct dp_msg *msg = room_msg(DP_MSG_KEY_INSTALL);
		struct dp_srtp_key *out[DP_SRTP_OUT_MAX];
		struct dp_srtp_key *theirs;

		memset(conf.key, 77 + dir, sizeof(conf.key));
		msg->leg = p[0]->leg - 1;
		msg->key.key = dp_srtp_key_create(&conf);
		msg->key.dir = dir;
		msg->key.slot = DP_KEY_CURRENT;
		room_done(room_do(&room, msg));
		conf.lifetime_rtp = 0;
		theirs = dp_srtp_key_create(&conf);
		unsigned n =
			dir == DP_DIR_RECEIVE
				? dp_srtp_tx_install(&p[0]->tx, DP_KEY_CURRENT, 0, theirs, out)
				: dp_srtp_rx_install(&p[0]->rx, DP_KEY_CURRENT, 0, theirs, out);

		while (n > 0)
			dp_srtp_key_destroy(out[--n]);
	}
	uint32_t got = p[0]->got;

	room_run(&room, 1850);
	assert_int_equal(room_events(&room, DP_EVENT_KEY_SOON, p[0]->leg), 2);
	room_run(&room, 1000);
	assert_int_equal(room_events(&room, DP_EVENT_KEY_SOON, p[0]->leg), 4);
	assert_int_equal(p[0]->got - got, 100);
	assert_true(drops(DP_DROP_TX_LIFETIME) >= 35);
	assert_true(drops(DP_DROP_SRTP_LIFETIME) >= 35);
	for (uint32_t i = 0; i < room.event_count; i++)
		if (room.events[i].event == DP_EVENT_KEY_SOON)
			assert_true(room.events[i].b == 900 || room.events[i].b == 1000);
	assert_true(room_hears(p[1], p[2]->hz, 300) > 3700);
}

static void
test_retired_key_is_no_key(void **state)
{
	struct dp_msg *msg = room_msg(DP_MSG_KEY_RETIRE);
	uint32_t got;

	msg->leg = p[0]->leg - 1;
	msg->key.dir = DP_DIR_SEND;
	msg->key.slot = DP_KEY_CURRENT;
	room_do(&room, msg);
	assert_int_equal(msg->status, 0);
	assert_int_equal(msg->key_count, 1);
	room_done(msg);
	got = p[0]->got;
	room_run(&room, 200);
	assert_int_equal(p[0]->got, got);
	msg = room_msg(DP_MSG_KEY_RETIRE);
	msg->leg = p[0]->leg - 1;
	msg->key.dir = DP_DIR_SEND;
	room_do(&room, msg);
	assert_int_equal(msg->status, -ENOENT);
	room_done(msg);
}

/* Garbage of every length on every port, among people who talk; then every byte is where it belongs. */
static void
test_garbage_is_accounted_for(void **state)
{
	for (unsigned i = 0; i < 20000; i++) {
		struct peer any = *p[roll() % 3];
		uint8_t octets[1500];
		uint16_t len = (uint16_t)(roll() % (i % 10 == 0 ? 1500 : 200));

		for (unsigned k = 0; k < len; k++)
			octets[k] = (uint8_t)roll();
		if (i % 2 == 0 && len > 0)
			octets[0] = (uint8_t)(0x80 | (octets[0] & 0x3f));
		any.leg = 1 + roll() % 20;
		struct rte_mbuf *mbuf = room_raw(&room, &any, octets, len);
		struct drv_pkt *pkt = rte_mbuf_to_priv(mbuf);

		pkt->local_port = (uint16_t)(pkt->local_port + roll() % 2);
		room_send(&room, mbuf);
		if (i % 50 == 0) {
			room_run(&room, 1);
			room_balance(&room);
		}
	}
	room_run(&room, 500);
	for (unsigned i = 0; i < 3; i++)
		assert_true(room_hears(p[i], p[(i + 1) % 3]->hz, 300) > 3700);
	/* A peer leaves in the middle of it. */
	room_send(&room, room_packet(&room, p[2]));
	turn();
	room_leave(&room, p[2]);
	assert_true(room_stats(&room).drops[DP_DROP_LEG_GONE] >= 1);
}

static void
test_no_buffer_left(void **state)
{
	uint32_t count = rte_mempool_avail_count(room.pool);
	struct rte_mbuf **all = calloc(count, sizeof(*all));
	uint32_t n = 0;

	while (n < count && (all[n] = rte_pktmbuf_alloc(room.pool)) != NULL)
		n++;
	for (unsigned i = 0; i < 30; i++) {
		room.now_ns += 1000000;
		turn();
	}
	assert_true(drops(DP_DROP_NO_MBUF) >= 3);
	rte_pktmbuf_free_bulk(all, n);
	free(all);
	for (unsigned i = 0; i < 3; i++)
		p[i]->next_ns += 30000000;
	room_run(&room, 500);
	assert_true(room_hears(p[0], p[1]->hz, 300) > 3700);
}

static void
test_port_refuses(void **state)
{
	room.port->verdict = DP_DROP_TX_FULL;
	room_run(&room, 100);
	assert_true(drops(DP_DROP_TX_FULL) >= 14);
	room.port->verdict = DP_DROP_NONE;
}

/* The slow twin at the other end: libsrtp2 decrypts what we send and we what it sends. */
static void
test_libsrtp2_takes_part(void **state)
{
	const struct dp_leg *leg = &room.worker->legs[p[0]->leg - 1];
	uint8_t key[30];
	srtp_policy_t policy = {0};
	srtp_t in, out;
	unsigned heard = 0, count;

	/* As key_make of the room: octets 1, then leg and direction. */
	memset(key, 1, 16);
	memset(key + 16, 1 ^ 0x5a, 14);
	memcpy(key, &p[0]->leg, 4);
	assert_int_equal(srtp_init(), srtp_err_status_ok);
	srtp_crypto_policy_set_rtp_default(&policy.rtp);
	srtp_crypto_policy_set_rtcp_default(&policy.rtcp);
	policy.key = key;
	key[4] = DP_DIR_SEND;
	policy.ssrc = (srtp_ssrc_t){.type = ssrc_any_inbound};
	assert_int_equal(srtp_create(&in, &policy), srtp_err_status_ok);
	key[4] = DP_DIR_RECEIVE;
	policy.ssrc = (srtp_ssrc_t){.type = ssrc_any_outbound};
	assert_int_equal(srtp_create(&out, &policy), srtp_err_status_ok);
	p[0]->is_sending = false;
	p[0]->ssrc = 0x51515151;
	for (unsigned ms = 0; ms < 400; ms++) {
		struct fake_queue *queue = &room.port->queues[0];

		if (ms % 20 == 0) {
			struct peer plain = *p[0];
			struct rte_mbuf *mbuf;
			int len = 172;

			plain.is_secure = false;
			mbuf = room_packet(&room, &plain);
			p[0]->seq = plain.seq;
			p[0]->ts = plain.ts;
			p[0]->phase = plain.phase;
			assert_int_equal(srtp_protect(out, rte_pktmbuf_mtod(mbuf, void *), &len),
					 srtp_err_status_ok);
			rte_pktmbuf_append(mbuf, (uint16_t)(len - 172));
			room_send(&room, mbuf);
		}
		room.now_ns += 1000000;
		turn();
		count = queue->out_count;
		for (unsigned i = 0; i < count; i++) {
			const struct drv_pkt *pkt = rte_mbuf_to_priv(queue->out[i]);
			int len = queue->out[i]->data_len;

			if (pkt->local_port != leg->local_port)
				continue;
			assert_int_equal(
				srtp_unprotect(in, rte_pktmbuf_mtod(queue->out[i], void *), &len),
				srtp_err_status_ok);
			heard++;
		}
		fake_port_clear(room.port, 0);
	}
	assert_in_range(heard, 19, 21);
	assert_int_equal(drops(DP_DROP_SRTP_AUTH), 0);
	assert_int_equal(room_leg_stats(&room, p[0]).ssrc_rx, 0x51515151);
	assert_true(room_leg_stats(&room, p[0]).level_rx < 40);
	srtp_dealloc(in);
	srtp_dealloc(out);
	for (unsigned i = 0; i < 3; i++)
		p[i]->next_ns = room.now_ns;
}

int
main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(test_flood_with_wrong_tags),
		CASE(test_replayed_packet),
		CASE(test_no_key_no_media),
		CASE(test_latch_follows_what_authenticates),
		CASE(test_plain_leg_believes_its_source_only),
		CASE(test_keys_change_under_way),
		CASE(test_key_is_used_up),
		CASE(test_retired_key_is_no_key),
		CASE(test_garbage_is_accounted_for),
		CASE(test_no_buffer_left),
		CASE(test_port_refuses),
		CASE(test_libsrtp2_takes_part),
	};

	return cmocka_run_group_tests_name("scenario/worker/attack", tests, NULL, NULL);
}
