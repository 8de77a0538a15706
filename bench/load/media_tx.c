/* What participants send: sound every ptime, digits, reports; protected and sent in bursts. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include "bench/lib/bench.h"
#include "bench/load/media_state.h"

#define MARK_PERIOD_MS 2000
#define MARK_GAP_MS 60
#define DTMF_EVENT_MS 100
#define DTMF_PAUSE_MS 60
#define DTMF_ENDS 3 /* RFC 4733 2.5.1.4: the last packet is sent three times */
#define NTP_EPOCH 2208988800u

static uint64_t
ntp_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ((uint64_t)ts.tv_sec + NTP_EPOCH) << 32 | ((uint64_t)ts.tv_nsec << 32) / 1000000000u;
}

static void
silence_fill(enum dp_codec_id codec, uint8_t *out, size_t len)
{
	memset(out, codec == DP_CODEC_PCMU ? 0xff : codec == DP_CODEC_PCMA ? 0xd5 : 0, len);
}

/* True while the tone is away for a mark; notes the time when it is back. */
static bool
mark_gap(struct ue_media *m, struct ue_leg *leg)
{
	uint32_t period = MARK_PERIOD_MS / leg->ptime,
		 gap = (MARK_GAP_MS + leg->ptime - 1) / leg->ptime;
	bool is_gap;

	if (!m->conf.has_marks)
		return false;
	is_gap = (leg->frames + leg->mark_offset) % period < gap;
	if (leg->is_in_gap && !is_gap) {
		leg->mark.number++;
		leg->mark.sent_ns = bench_now_ns();
	}
	leg->is_in_gap = is_gap;
	return is_gap;
}

/* The payload of the digit under way; 0 in the pause between digits, when sound goes on. */
static size_t
dtmf_payload(struct ue_leg *leg, struct ue_rtp_head *head, uint8_t *out)
{
	static const char codes[] = "0123456789*#ABCD";
	struct ue_dtmf *d = leg->dtmf;
	unsigned steps = DTMF_EVENT_MS / leg->ptime, pause = DTMF_PAUSE_MS / leg->ptime;
	unsigned phase = d->phase++, played = phase + 1 < steps ? phase + 1 : steps, duration;
	const char *code = strchr(codes, d->digits[d->at]);

	if (phase >= steps + DTMF_ENDS - 1 + pause) {
		d->phase = 0;
		if (d->digits[++d->at] == '\0') {
			leg->dtmf = NULL;
			free(d);
		}
		return 0;
	}
	if (phase >= steps + DTMF_ENDS - 1 || !code)
		return 0;
	if (phase == 0)
		d->ts = head->ts;
	duration = played * leg->ptime * UE_RATE / 1000;
	head->pt = leg->dtmf_pt;
	head->ts = d->ts;
	head->has_marker = phase == 0;
	out[0] = (uint8_t)(code - codes);
	out[1] = (uint8_t)((played == steps ? 0x80 : 0) | 10);
	out[2] = (uint8_t)(duration >> 8);
	out[3] = (uint8_t)duration;
	return 4;
}

static void
rtp_send(struct ue_media *m, struct ue_leg *leg)
{
	struct ue_tx_batch *b = &m->tx;
	uint8_t *data = b->data[b->n], *payload = data + UE_RTP_HEADER;
	size_t samples = leg->ptime * UE_RATE / 1000, len = 0;
	struct ue_rtp_head head = {
		.pt = leg->pt, .seq = leg->seq, .ts = leg->ts, .ssrc = leg->ssrc};

	head.has_marker = leg->has_marker;
	leg->has_marker = false;
	leg->sound_at = ue_sound_copy(leg->sound, leg->sound_at, payload, samples);
	if (mark_gap(m, leg) || leg->is_muted)
		silence_fill(leg->sound->codec, payload, samples * leg->sound->octets);
	if (leg->dtmf)
		len = dtmf_payload(leg, &head, payload);
	if (len == 0)
		len = samples * leg->sound->octets;
	ue_rtp_build(data, &head);
	leg->seq++;
	leg->ts += (uint32_t)samples;
	leg->frames++;
	leg->stats.tx_packets++;
	leg->stats.tx_octets += len;
	if (!leg->stats.first_tx_ns)
		leg->stats.first_tx_ns = bench_now_ns();
	leg->has_spoken = true;
	b->leg[b->n] = leg;
	b->len[b->n++] = (uint32_t)(UE_RTP_HEADER + len);
	if (b->n == UE_BURST)
		ue_media_tx_flush(m, b);
}

void
ue_media_tx_rtcp(struct ue_media *m, struct ue_leg *leg, bool is_bye)
{
	struct ue_tx_batch *b = &m->tx_rtcp;
	struct ue_rtcp_self self = {
		.ssrc = leg->ssrc,
		.is_sender = leg->has_spoken,
		.ts = leg->ts,
		.ntp = ntp_now(),
		.packets = (uint32_t)leg->stats.tx_packets,
		.octets = (uint32_t)leg->stats.tx_octets,
		.cname = leg->cname,
		.is_bye = is_bye,
		.last_sr = leg->sr_mid,
	};

	if (leg->sr_mid)
		self.since_sr = (uint32_t)((bench_now_ns() - leg->sr_at_ns) * 65536 / 1000000000u);
	b->leg[b->n] = leg;
	b->len[b->n] = (uint32_t)ue_rtcp_build(b->data[b->n], &self, &leg->stats.rx);
	b->n++;
	leg->stats.tx_rtcp++;
	leg->has_spoken = false;
	if (b->n == UE_BURST)
		ue_media_tx_flush(m, b);
}

/* Those of the batch that are to be encrypted. A packet that could not be is left out: its length becomes 0. */
static void
protect(struct ue_media *m, struct ue_tx_batch *b)
{
	unsigned n = 0, of[UE_BURST];

	for (unsigned i = 0; i < b->n; i++) {
		struct dp_srtp_op *op = &b->op[n];

		if (!b->leg[i]->is_secure)
			continue;
		*op = (struct dp_srtp_op){.data = b->data[i],
					  .ctx = &b->leg[i]->tx,
					  .len = b->len[i],
					  .room = UE_PACKET_MAX,
					  .header_len = UE_RTP_HEADER};
		op->seq = (uint16_t)(op->data[2] << 8 | op->data[3]);
		op->ssrc = (uint32_t)op->data[8] << 24 | op->data[9] << 16 | op->data[10] << 8 |
			   op->data[11];
		of[n++] = i;
	}
	if (b->is_rtcp)
		dp_srtp_protect_rtcp(m->engine, b->op, n);
	else
		dp_srtp_protect_rtp(m->engine, b->op, n);
	for (unsigned i = 0; i < n; i++) {
		b->len[of[i]] = b->op[i].verdict == DP_DROP_NONE ? b->op[i].len : 0;
		b->leg[of[i]]->stats.drops[b->op[i].verdict] += b->op[i].verdict != DP_DROP_NONE;
	}
}

/* The run of packets that leaves by one socket. */
static void
run_send(struct ue_media *m, int fd, struct mmsghdr *messages, unsigned n)
{
	unsigned done = 0;

	while (done < n) {
		int sent = sendmmsg(fd, messages + done, n - done, MSG_DONTWAIT);

		if (sent <= 0) {
			m->stats.tx_errors++;
			sent = 1;
		}
		done += (unsigned)sent;
	}
}

void
ue_media_tx_flush(struct ue_media *m, struct ue_tx_batch *b)
{
	bool is_impaired =
		!b->is_rtcp && (m->conf.loss > 0 || m->conf.reorder > 0 || m->conf.jitter_ms);
	struct mmsghdr messages[UE_BURST];
	struct iovec parts[UE_BURST];
	unsigned n = 0;
	int run_fd = -1;

	protect(m, b);
	for (unsigned i = 0; i < b->n; i++) {
		struct ue_leg *leg = b->leg[i];
		bool is_second = b->is_rtcp && !leg->has_mux;
		union ue_sockaddr *to = is_second ? &leg->remote_rtcp : &leg->remote;
		int fd = is_second ? leg->pair->rtcp.fd : leg->pair->rtp.fd;

		if (b->len[i] == 0 || (is_impaired && ue_impair(m, leg, fd, b->data[i], b->len[i])))
			continue;
		if (fd != run_fd) {
			run_send(m, run_fd, messages, n);
			run_fd = fd;
			n = 0;
		}
		parts[n] = (struct iovec){.iov_base = b->data[i], .iov_len = b->len[i]};
		messages[n] = (struct mmsghdr){.msg_hdr = {.msg_name = to,
							   .msg_namelen = ue_sockaddr_len(to),
							   .msg_iov = &parts[n],
							   .msg_iovlen = 1}};
		n++;
	}
	run_send(m, run_fd, messages, n);
	b->n = 0;
}

void
ue_media_tick(struct ue_media *m, uint64_t ms)
{
	for (unsigned w = 1; w < UE_WHEELS; w++) {
		struct ue_leg *leg;

		LIST_FOREACH (leg, &m->wheel[w][ms % (10 * w)], slot) {
			if (leg->is_sending)
				rtp_send(m, leg);
			else
				leg->ts += (uint32_t)(leg->ptime * UE_RATE /
						      1000); /* the sampling clock goes on */
			if (m->conf.rtcp_ms && ms >= leg->rtcp_at_ms) {
				ue_media_tx_rtcp(m, leg, false);
				leg->rtcp_at_ms = ms + m->conf.rtcp_ms / 2 +
						  ue_random(m) % (m->conf.rtcp_ms + 1);
			}
		}
	}
	ue_media_tx_flush(m, &m->tx);
	ue_media_tx_flush(m, &m->tx_rtcp);
}
