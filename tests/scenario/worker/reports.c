/* RTCP both ways, telephone-event, comfort noise, and packets that came to the wrong worker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "dataplane/rtp/rtcp.h"
#include "tests/scenario/worker/room.h"

#define SUITE DP_SUITE_AES_CM_128_HMAC_SHA1_80
#define DTMF_PT 101

static struct room room;
static struct peer *p[3];

static int
begin(void **state)
{
	static const uint8_t suites[] = {SUITE, DP_SUITE_AEAD_AES_128_GCM, DP_SUITE_NONE};

	room_open(&room, 16, 4);
	room_conf(&room, 1, 0, 8);
	for (unsigned i = 0; i < 3; i++)
		p[i] = room_join(&room, &(struct seat){.conf = 1,
						       .suite = suites[i],
						       .flags = i == 1 ? DP_LEG_RTCP_MUX : 0,
						       .dtmf_pt = DTMF_PT,
						       .lost_after_ms = 1000,
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
test_reports_are_sent_and_protected(void **state)
{
	room_run(&room, 30000);
	for (unsigned i = 0; i < 3; i++) {
		/* 2.1 to 6.2 s apart, RFC 3550 6.3.1. */
		assert_in_range(p[i]->got_rtcp, 4, 15);
		assert_int_equal(p[i]->got_bad, 0);
		assert_int_equal(room_leg_stats(&room, p[i]).tx_rtcp, p[i]->got_rtcp);
	}
}

static void
test_peers_report_of_us(void **state)
{
	for (unsigned i = 0; i < 3; i++) {
		const struct dp_leg *leg = &room.worker->legs[p[i]->leg - 1];
		uint64_t ntp = dp_rtcp_ntp(room.now_ns + room.worker->unix_offset_ns);
		const struct dp_rtcp_block block = {
			.ssrc = leg->tx_ssrc,
			.fraction = 64,
			.jitter = 80,
			.lsr = dp_rtcp_ntp_mid(ntp) - 65536 / 10, /* our SR, 100 ms ago */
			.dlsr = 65536 / 20,			  /* 50 ms of them there */
		};

		room_rtcp(&room, p[i],
			  &(struct dp_rtcp_make){.blocks = &block,
						 .block_count = 1,
						 .cname = "peer",
						 .ssrc = p[i]->ssrc});
		room_run(&room, 1);
		struct dp_leg_stats s = room_leg_stats(&room, p[i]);

		assert_int_equal(s.rx_rtcp, 1);
		assert_int_equal(s.remote_lost, 64);
		assert_int_equal(s.remote_jitter_us, 10000);
		assert_in_range(s.round_trip_us, 48000, 53000);
	}
}

static void
test_bye_is_told(void **state)
{
	for (unsigned i = 0; i < 3; i++)
		room_rtcp(&room, p[i],
			  &(struct dp_rtcp_make){
				  .cname = "peer", .ssrc = p[i]->ssrc, .is_bye = true});
	room_run(&room, 10);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(room_events(&room, DP_EVENT_BYE, p[i]->leg), 1);
	/* A BYE for somebody else's SSRC is nobody's. */
	room_rtcp(&room, p[0], &(struct dp_rtcp_make){.cname = "peer", .ssrc = 99, .is_bye = true});
	room_run(&room, 10);
	assert_int_equal(room_events(&room, DP_EVENT_BYE, 0), 3);
}

static void
test_leaving_says_bye(void **state)
{
	struct dp_msg *msg = room_msg(DP_MSG_LEG_REMOVE);
	struct fake_queue *queue = &room.port->queues[0];
	const struct drv_pkt *pkt;

	room_run(&room, 6000);
	msg->leg = p[2]->leg - 1;
	room_done(room_do(&room, msg));
	p[2]->is_gone = true;
	assert_true(queue->out_count >= 1);
	pkt = rte_mbuf_to_priv(queue->out[0]);
	assert_int_equal(pkt->local_port, ROOM_PORT + (p[2]->leg - 1) * 2 + 1);
	assert_int_equal(pkt->peer.port, p[2]->addr.port + 1);
	assert_int_equal(
		dp_rtcp_check(rte_pktmbuf_mtod(queue->out[0], uint8_t *), queue->out[0]->data_len),
		DP_DROP_NONE);
}

/* Muted by itself, but alive: RTCP keeps a leg from being taken for lost. */
static void
test_reports_keep_alive(void **state)
{
	p[0]->is_sending = p[1]->is_sending = false;
	for (unsigned i = 0; i < 8; i++) {
		room_rtcp(&room, p[0], &(struct dp_rtcp_make){.cname = "peer", .ssrc = p[0]->ssrc});
		room_run(&room, 400);
	}
	assert_int_equal(room_events(&room, DP_EVENT_MEDIA_LOST, p[0]->leg), 0);
	assert_int_equal(room_events(&room, DP_EVENT_MEDIA_LOST, p[1]->leg), 1);
}

static void
send_event(struct peer *peer, uint32_t ts, uint16_t duration, bool is_end, bool has_marker)
{
	uint8_t octets[64];
	const struct dp_rtp_make make = {.ts = ts,
					 .ssrc = peer->ssrc,
					 .seq = peer->seq,
					 .pt = DTMF_PT,
					 .has_marker = has_marker};
	struct dp_srtp_op op = {.data = octets,
				.ctx = &peer->tx,
				.room = sizeof(octets),
				.ssrc = peer->ssrc,
				.seq = peer->seq++};

	op.header_len = dp_rtp_build(octets, &make);
	octets[op.header_len] = 11;
	octets[op.header_len + 1] = (uint8_t)((is_end ? 0x80 : 0) | 10);
	dp_rtp_put16(octets + op.header_len + 2, duration);
	op.len = op.header_len + 4;
	if (peer->is_secure)
		dp_srtp_protect_rtp(room.engine, &op, 1);
	room_send(&room, room_raw(&room, peer, octets, (uint16_t)op.len));
}

static void
test_key_press_is_told_once_and_not_heard(void **state)
{
	uint32_t ts = p[0]->ts;

	p[0]->is_sending = false;
	for (unsigned i = 1; i <= 10; i++) {
		send_event(p[0], ts, (uint16_t)(i * 160), i >= 8, i == 1);
		room_run(&room, 20);
	}
	room_run(&room, 200);
	assert_int_equal(room_events(&room, DP_EVENT_DTMF, p[0]->leg), 1);
	for (uint32_t i = 0; i < room.event_count; i++)
		if (room.events[i].event == DP_EVENT_DTMF) {
			assert_int_equal(room.events[i].a, 11);
			assert_int_equal(room.events[i].b, 160);
		}
	assert_int_equal(room_leg_stats(&room, p[0]).rx_dtmf_packets, 10);
	assert_int_equal(room_leg_stats(&room, p[0]).dtmf_events, 1);
	assert_true(room_hears(p[1], p[0]->hz, 150) < 100);
	/* A press whose end is lost is told all the same. */
	send_event(p[0], p[0]->ts, 800, false, true);
	room_run(&room, 800);
	assert_int_equal(room_events(&room, DP_EVENT_DTMF, p[0]->leg), 2);
}

static void
test_comfort_noise_is_silence(void **state)
{
	uint32_t concealed;

	p[2]->is_sending = false;
	room_run(&room, 100);
	concealed = room_leg_stats(&room, p[2]).concealed_frames;
	for (unsigned i = 0; i < 10; i++) {
		uint8_t octets[13];
		const struct dp_rtp_make make = {
			.ts = p[2]->ts, .ssrc = p[2]->ssrc, .seq = p[2]->seq++, .pt = 13};

		octets[dp_rtp_build(octets, &make)] = 60;
		room_send(&room, room_raw(&room, p[2], octets, sizeof(octets)));
		room_run(&room, 40);
	}
	assert_int_equal(room_leg_stats(&room, p[2]).concealed_frames, concealed);
	assert_true(room_hears(p[0], p[2]->hz, 200) < 50);
	assert_int_equal(room_leg_stats(&room, p[2]).drops[DP_DROP_RTP_PT], 0);
}

/* A NIC that cannot steer: what belongs to the other worker goes to its ring and is played there. */
static void
test_wrong_worker_hands_off(void **state)
{
	struct rte_ring *rings[2];
	struct dp_worker *other = NULL;
	struct dp_worker_conf conf = room.worker->conf;
	struct dp_worker_stats a, b;
	char text[256] = "";

	rings[0] = rte_ring_create("test_handoff_0", 8, SOCKET_ID_ANY, RING_F_SC_DEQ);
	rings[1] = rte_ring_create("test_handoff_1", 8, SOCKET_ID_ANY, RING_F_SC_DEQ);
	conf.index = 1;
	conf.workers = room.worker->conf.workers = 2;
	for (unsigned q = 0; q < 2; q++)
		conf.handoff[q] = room.worker->conf.handoff[q] = rings[q];
	assert_int_equal(dp_worker_create(&other, &conf, text, sizeof(text)), 0);

	/* p[0]'s packets come in on the other worker's queue: a full ring holds 7. */
	a = room_stats(&room);
	for (unsigned i = 0; i < 10; i++)
		fake_port_put(room.port, 1, room_packet(&room, p[0]));
	dp_worker_turn(other, room.now_ns);
	dp_worker_peek(other, &b);
	assert_int_equal(b.rx_packets, 10);
	assert_int_equal(b.handoff_out, 7);
	assert_int_equal(b.drops[DP_DROP_HANDOFF_FULL], 3);
	room_turn(&room);
	b = room_stats(&room);
	assert_int_equal(b.handoff_in - a.handoff_in, 7);
	assert_int_equal(room_leg_stats(&room, p[0]).auth_failures, 0);
	/* Beyond both ranges: nobody's. */
	struct rte_mbuf *mbuf = room_packet(&room, p[0]);
	struct drv_pkt *pkt = rte_mbuf_to_priv(mbuf);

	pkt->local_port = 60000;
	fake_port_put(room.port, 1, mbuf);
	dp_worker_turn(other, room.now_ns);
	dp_worker_peek(other, &b);
	assert_int_equal(b.drops[DP_DROP_NOT_FOR_US], 1);
	assert_int_equal(b.rx_packets + b.handoff_in, b.handoff_out + 3 + 1);
	room.worker->conf.handoff[0] = room.worker->conf.handoff[1] = NULL;
	room.worker->conf.workers = 1;
	dp_worker_destroy(other);
	rte_ring_free(rings[0]);
	rte_ring_free(rings[1]);
}

/* One leg's packets, with what became of them; nothing of the others. */
static void
test_trace_of_one_leg(void **state)
{
	struct dp_trace *trace = dp_worker_tracer(room.worker);
	unsigned in = 0, out = 0, bad = 0;
	uint8_t octets[172] = {0x80};

	assert_int_equal(trace->leg, DP_TRACE_NONE);
	dp_trace_start(trace, p[0]->leg - 1);
	room_send(&room, room_raw(&room, p[0], octets, sizeof(octets)));
	room_run(&room, 400);
	for (uint32_t i = 0; i < trace->count; i++) {
		const struct dp_trace_rec *rec = &trace->recs[i];

		bad += rec->drop == DP_DROP_SRTP_AUTH && rec->len == 172;
		in += !rec->is_out && rec->drop == DP_DROP_NONE;
		out += rec->is_out && rec->drop == DP_DROP_NONE && rec->len >= 172 + 10;
	}
	assert_int_equal(bad, 1);
	assert_in_range(in, 19, 21);
	assert_in_range(out, 19, 21);
	assert_int_equal(bad + in + out, trace->count);
	room_run(&room, 5000);
	assert_true(trace->count > DP_TRACE_RECORDS);
}

int
main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		CASE(test_reports_are_sent_and_protected),
		CASE(test_peers_report_of_us),
		CASE(test_bye_is_told),
		CASE(test_leaving_says_bye),
		CASE(test_reports_keep_alive),
		CASE(test_key_press_is_told_once_and_not_heard),
		CASE(test_comfort_noise_is_silence),
		CASE(test_wrong_worker_hands_off),
		CASE(test_trace_of_one_leg),
	};

	return cmocka_run_group_tests_name("scenario/worker/reports", tests, NULL, NULL);
}
