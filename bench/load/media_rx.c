/* What participants hear: taken in bursts, decrypted, counted, measured. */
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include "bench/lib/bench.h"
#include "bench/load/g711.h"
#include "bench/load/media_state.h"

#define EVENTS 256
#define SAMPLES_MAX 960
#define CALM_LEGS \
	64 /* up to so many, wake for each packet: exact times; beyond, once a millisecond: whole bursts */

static void
keys_destroy(struct dp_srtp_key **keys, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		dp_srtp_key_destroy(keys[i]);
}

static void
sound_hear(struct ue_media *m, struct ue_leg *leg, const struct ue_rtp_head *head,
	   const uint8_t *data)
{
	int16_t pcm[SAMPLES_MAX];
	enum dp_codec_id codec = DP_CODEC_NONE;
	size_t samples;

	for (unsigned i = 0; i < leg->rx_count; i++)
		if (leg->rx_pt[i] == head->pt)
			codec = leg->rx_codec[i];
	if (codec == DP_CODEC_NONE) {
		leg->stats.rx_other_pt++;
		return;
	}
	bool is_measured = leg->ear && leg->heard++ % leg->ear->every == 0;

	if (!is_measured && !leg->record)
		return;
	samples = head->payload_len / ue_codec_octets(codec);
	samples = samples < SAMPLES_MAX ? samples : SAMPLES_MAX;
	ue_codec_decode(codec, pcm, data + head->header_len, samples);
	if (leg->record)
		ue_record_add(leg->record, head->ts, pcm, samples);
	if (!is_measured)
		return;
	if (leg->ear->every > 1)
		leg->ear->fill = 0;
	ue_ear_hear(leg->ear, pcm, samples, m->rx.now_ns);
}

/* An RTP packet that is authentic, or of a plain leg. */
static void
rtp_take(struct ue_media *m, struct ue_leg *leg, struct ue_rtp_head *head, const uint8_t *data,
	 size_t len)
{
	struct ue_leg_stats *s = &leg->stats;

	if (!ue_rtp_parse(head, data, len)) {
		s->drops[DP_DROP_NOT_RTP]++;
		return;
	}
	if (!ue_rtp_rx_count(&s->rx, head, len, m->rx.now_ns))
		return;
	if (!s->first_rx_ns)
		s->first_rx_ns = m->rx.now_ns;
	s->last_rx_ns = m->rx.now_ns;
	if (head->csrc_count > s->rx_csrc_max)
		s->rx_csrc_max = head->csrc_count;
	sound_hear(m, leg, head, data);
}

static void
rtcp_take(struct ue_media *m, struct ue_leg *leg, const uint8_t *data, size_t len)
{
	struct ue_leg_stats *s = &leg->stats;
	struct ue_rtcp_news news;
	struct timespec ts;

	ue_rtcp_parse(&news, data, len, leg->ssrc);
	if (!news.is_valid) {
		s->drops[DP_DROP_RTCP_HEADER]++;
		return;
	}
	s->rx_rtcp++;
	s->has_bye |= news.has_bye;
	if (news.has_sr) {
		leg->sr_mid = news.sr_mid;
		leg->sr_at_ns = m->rx.now_ns;
	}
	if (!news.has_report)
		return;
	s->has_report = true;
	s->remote_lost = news.lost;
	s->remote_jitter = news.jitter;
	if (news.last_sr) {
		uint32_t now;

		clock_gettime(CLOCK_REALTIME, &ts);
		now = (uint32_t)((uint64_t)(ts.tv_sec + 2208988800) << 16) +
		      (uint32_t)(ts.tv_nsec * 65536 / 1000000000);
		int32_t rtt = (int32_t)(now - news.last_sr - news.since_sr);

		s->rtt_ms = (rtt > 0 ? rtt : 0) / 65.536;
	}
}

static void
packet_take(struct ue_media *m, unsigned i)
{
	struct ue_rx_batch *b = &m->rx;

	if (b->is_rtcp[i])
		rtcp_take(m, b->leg[i], b->data[i], b->len[i]);
	else
		rtp_take(m, b->leg[i], &b->head[i], b->data[i], b->len[i]);
}

/* Decrypts the packets of one kind and takes in those that are authentic. */
static void
unprotect(struct ue_media *m, bool is_rtcp)
{
	struct ue_rx_batch *b = &m->rx;
	unsigned n = 0;

	for (unsigned i = 0; i < b->n; i++) {
		if (b->is_rtcp[i] != is_rtcp || !b->leg[i]->is_secure)
			continue;
		if (!is_rtcp && !ue_rtp_parse(&b->head[i], b->data[i], b->len[i])) {
			b->leg[i]->stats.drops[DP_DROP_NOT_RTP]++;
			continue;
		}
		b->op[n] = (struct dp_srtp_op){.data = b->data[i],
					       .ctx = &b->leg[i]->rx,
					       .len = b->len[i],
					       .header_len = (uint16_t)b->head[i].header_len,
					       .ssrc = b->head[i].ssrc,
					       .seq = b->head[i].seq};
		b->of_op[n++] = i;
	}
	if (is_rtcp)
		dp_srtp_unprotect_rtcp(m->engine, b->op, n);
	else
		dp_srtp_unprotect_rtp(m->engine, b->op, n);
	for (unsigned k = 0; k < n; k++) {
		struct ue_leg *leg = b->leg[b->of_op[k]];
		struct dp_srtp_key *gone[DP_SRTP_OUT_MAX];

		if (b->op[k].note & DP_SRTP_NOTE_ROTATED) {
			leg->stats.rekeys_heard++;
			keys_destroy(gone, dp_srtp_rx_collect(&leg->rx, gone));
		}
		if (b->op[k].verdict != DP_DROP_NONE) {
			leg->stats.drops[b->op[k].verdict]++;
			continue;
		}
		b->len[b->of_op[k]] = b->op[k].len;
		packet_take(m, b->of_op[k]);
	}
}

static void
flush(struct ue_media *m)
{
	struct ue_rx_batch *b = &m->rx;

	for (unsigned i = 0; i < b->n; i++)
		if (!b->leg[i]->is_secure)
			packet_take(m, i);
	unprotect(m, false);
	unprotect(m, true);
	b->n = 0;
}

/* The packet in the batch's next place is leg's. */
static void
admit(struct ue_media *m, struct ue_leg *leg, bool is_rtcp, size_t len)
{
	struct ue_rx_batch *b = &m->rx;

	if (!leg || leg->is_ended) {
		m->stats.rx_stray++;
		return;
	}
	if (!leg->is_set) {
		leg->stats.rx_early++;
		return;
	}
	b->leg[b->n] = leg;
	b->is_rtcp[b->n] = is_rtcp || ue_rtp_is_rtcp(b->data[b->n], len);
	b->len[b->n++] = (uint32_t)len;
	if (b->n == UE_BURST)
		flush(m);
}

/* A socket of many legs: as many packets as fit, told apart by where they come from. */
static void
shared_read(struct ue_media *m, const struct ue_sock *sock)
{
	struct ue_rx_batch *b = &m->rx;
	struct mmsghdr messages[UE_BURST];
	struct iovec parts[UE_BURST];
	union ue_sockaddr from[UE_BURST];
	int n = UE_BURST;

	while (n == UE_BURST) {
		flush(m);
		for (unsigned i = 0; i < UE_BURST; i++) {
			parts[i] = (struct iovec){.iov_base = b->data[i], .iov_len = UE_PACKET_MAX};
			messages[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
							      .msg_namelen = sizeof(from[i]),
							      .msg_iov = &parts[i],
							      .msg_iovlen = 1};
		}
		n = recvmmsg(sock->fd, messages, UE_BURST, MSG_DONTWAIT, NULL);
		for (int i = 0; i < n; i++) {
			struct ue_leg *leg = m->by_port[ue_sockaddr_port(&from[i])];

			/* a packet before it was not admitted: close the gap */
			if (b->n != (unsigned)i)
				memmove(b->data[b->n], b->data[i], messages[i].msg_len);
			admit(m, leg, sock->is_rtcp, messages[i].msg_len);
		}
	}
}

static void
sock_read(struct ue_media *m, const struct ue_sock *sock)
{
	ssize_t len;

	if (!sock->leg) {
		shared_read(m, sock);
		return;
	}
	len = recv(sock->fd, m->rx.data[m->rx.n], UE_PACKET_MAX, MSG_DONTWAIT);
	if (len >= 0)
		admit(m, sock->leg, sock->is_rtcp, (size_t)len);
}

static int
events_take(struct ue_media *m, uint64_t wait_ns)
{
	struct epoll_event events[EVENTS];
	struct timespec ts = {.tv_sec = 0, .tv_nsec = (long)wait_ns};
	int n = epoll_pwait2(m->epoll_fd, events, EVENTS, &ts, NULL);

	m->rx.now_ns = bench_now_ns();
	for (int i = 0; i < n; i++)
		sock_read(m, events[i].data.ptr);
	flush(m);
	return n;
}

void
ue_media_rx(struct ue_media *m, uint64_t until_ns)
{
	uint64_t now = bench_now_ns();

	if (m->leg_count > CALM_LEGS && now < until_ns) {
		struct timespec ts = {.tv_sec = 0, .tv_nsec = (long)(until_ns - now)};

		nanosleep(&ts, NULL);
	}
	for (;;) {
		now = bench_now_ns();
		if (now >= until_ns) {
			/* all that is there, but not for longer than a tick can wait */
			for (int rounds = 0; rounds < 4 && events_take(m, 0) == EVENTS; rounds++)
				;
			return;
		}
		events_take(m, until_ns - now);
	}
}
