/*
 * The participant's RTP and RTCP (RFC 3550): headers, the statistics of what comes, the reports it sends. Independent of the
 * media plane's, which it judges. Owned by the media thread.
 */
#ifndef BENCH_LOAD_RTP_H
#define BENCH_LOAD_RTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UE_RTP_HEADER 12
#define UE_RTCP_MAX 256

struct ue_rtp_head {
	uint8_t pt;
	bool has_marker;
	uint8_t csrc_count;
	uint16_t seq;
	uint32_t ts;
	uint32_t ssrc;
	size_t header_len;  /* with CSRCs and extension */
	size_t payload_len; /* without padding; of a packet that is decrypted */
};

void ue_rtp_build(uint8_t *out, const struct ue_rtp_head *head);

/* False: not RTP version 2, or its header runs past len. */
bool ue_rtp_parse(struct ue_rtp_head *out, const uint8_t *data, size_t len);

/* True for a packet that RFC 5761 section 4 calls RTCP. */
bool ue_rtp_is_rtcp(const uint8_t *data, size_t len);

/* What arrived of one stream of sound after another. */
struct ue_rtp_rx {
	bool has_source;
	uint32_t ssrc;
	uint32_t ssrc_changes;
	uint32_t base_ext; /* first extended sequence number of this SSRC */
	uint32_t max_ext;
	uint64_t seen;	    /* of the last 64, bit 0 is max_ext */
	uint64_t of_source; /* packets of this SSRC */
	uint64_t packets;
	uint64_t octets;
	uint64_t duplicates;
	uint64_t reordered;
	uint64_t lost_before;	  /* of the SSRCs before */
	uint64_t lost_unmeasured; /* before counts began anew: for reports */
	double jitter;		  /* RFC 3550 A.8, in samples */
	double transit;
	uint64_t last_ns;
	uint64_t gap_max_ns; /* longest time between two packets */
};

/* Count an authenticated packet. False: a duplicate. */
bool ue_rtp_rx_count(struct ue_rtp_rx *rx, const struct ue_rtp_head *head, size_t len,
		     uint64_t now_ns);
int64_t ue_rtp_rx_lost(const struct ue_rtp_rx *rx);

/* Counts begin anew, the stream goes on. */
void ue_rtp_rx_reset(struct ue_rtp_rx *rx);

/* What we say of ourselves in SR and SDES. */
struct ue_rtcp_self {
	uint32_t ssrc;
	bool is_sender;
	uint32_t ts;  /* RTP time of now */
	uint64_t ntp; /* NTP time of now */
	uint32_t packets;
	uint32_t octets;
	const char *cname;
	bool is_bye;
	/* about the other end */
	uint32_t last_sr;  /* middle 32 bits of its last SR's NTP time, 0 none */
	uint32_t since_sr; /* 1/65536 s since then */
};

/* A compound packet: SR or RR, SDES, and BYE where asked. Returns its length (at most UE_RTCP_MAX). */
size_t ue_rtcp_build(uint8_t out[UE_RTCP_MAX], const struct ue_rtcp_self *self,
		     const struct ue_rtp_rx *rx);

/* What a compound packet said that we care for. */
struct ue_rtcp_news {
	bool is_valid;
	bool has_bye;
	bool has_sr;
	uint32_t sr_mid; /* middle 32 bits of the SR's NTP time */
	bool has_report; /* about our SSRC */
	int32_t lost;
	uint32_t jitter;
	uint32_t last_sr, since_sr;
};

void ue_rtcp_parse(struct ue_rtcp_news *out, const uint8_t *data, size_t len, uint32_t our_ssrc);

#endif
