/* What a hostile or broken participant sends: random octets, forged packets, packets from another socket. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "bench/load/media_state.h"
#include "dataplane/api/suite.h"

#define ALIEN_HZ \
	3300 /* the tone of packets from another socket on a plain leg: nobody may hear it */
#define ALIEN_DBOV -10.0

static void
random_fill(struct ue_media *m, uint8_t *out, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(ue_random(m) >> 8);
}

/* Our SSRC and a likely sequence number; the payload and the tag are noise. */
static size_t
forge(struct ue_media *m, const struct ue_leg *leg, uint8_t *out)
{
	struct ue_rtp_head head = {.pt = leg->pt, .ts = leg->ts, .ssrc = leg->ssrc};
	size_t samples = leg->ptime * UE_RATE / 1000, len;

	head.seq = (uint16_t)(leg->seq + ue_random(m) % 8);
	ue_rtp_build(out, &head);
	if (leg->is_secure) {
		len = UE_RTP_HEADER + samples * leg->sound->octets +
		      dp_suite_info(dp_srtp_tx_suite(&leg->tx))->rtp_tag;
		random_fill(m, out + UE_RTP_HEADER, len - UE_RTP_HEADER);
		return len;
	}
	struct ue_sound *tone = ue_sound_tone(leg->sound->codec, ALIEN_HZ, ALIEN_DBOV);

	len = UE_RTP_HEADER + samples * leg->sound->octets;
	if (tone)
		ue_sound_copy(tone, 0, out + UE_RTP_HEADER, samples);
	ue_sound_destroy(tone);
	return len;
}

static void
attack_once(struct ue_media *m, struct ue_leg *leg, enum ue_attack kind)
{
	uint8_t data[UE_PACKET_MAX];
	const union ue_sockaddr *to = &leg->remote;
	int fd = leg->pair->rtp.fd;
	size_t len;

	if (kind == UE_ATTACK_GARBAGE) {
		len = ue_random(m) % 1400;
		random_fill(m, data, len);
		/* every other one looks like RTP at first sight, every fourth goes to RTCP */
		if (len > 0 && ue_random(m) % 2)
			data[0] = (uint8_t)(0x80 | (data[0] & 0x3f));
		if (ue_random(m) % 4 == 0) {
			to = leg->has_mux ? &leg->remote : &leg->remote_rtcp;
			fd = leg->has_mux ? fd : leg->pair->rtcp.fd;
		}
	} else {
		len = forge(m, leg, data);
	}
	if (kind == UE_ATTACK_WRONG_SOURCE) {
		if (leg->alien_fd < 0)
			leg->alien_fd = socket(to->any.sa_family,
					       SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		fd = leg->alien_fd;
	}
	if (sendto(fd, data, len, MSG_DONTWAIT, &to->any, ue_sockaddr_len(to)) >= 0)
		leg->stats.attack_packets++;
}

void
ue_attack_tick(struct ue_media *m)
{
	struct ue_leg *leg;

	LIST_FOREACH (leg, &m->attackers, attacker) {
		for (int kind = 0; kind < UE_ATTACK_COUNT && leg->is_set; kind++) {
			leg->attack_due[kind] += leg->attack_rate[kind] / 1000.0;
			for (; leg->attack_due[kind] >= 1; leg->attack_due[kind]--)
				attack_once(m, leg, kind);
		}
	}
}
