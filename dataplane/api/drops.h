/*
 * Every reason for which the media plane lets a packet go: enum, name (counter, telemetry, docs), text, blame.
 * The one list; counters, texts and tables are made from it.
 */
#ifndef DP_API_DROPS_H
#define DP_API_DROPS_H

/* clang-format off */
#define DP_DROPS(X) \
	/* in: what came from the wire */ \
	X(RX_MISSED,       "rx_missed",       "socket or device was full before we came",          LOAD) \
	X(RX_ERROR,        "rx_error",        "the device found it damaged",                       NETWORK) \
	X(RX_CHECKSUM,     "rx_checksum",     "IP or UDP checksum is wrong",                       NETWORK) \
	X(RX_FRAGMENT,     "rx_fragment",     "IP fragments are not put together",                 PEER) \
	X(RX_MALFORMED,    "rx_malformed",    "frame and headers disagree, or beyond a buffer",    PEER) \
	X(RX_FOREIGN,      "rx_foreign",      "for another VLAN or address",                       NETWORK) \
	X(PKT_SHORT,       "pkt_short",       "shorter than its headers say",                      PEER) \
	X(PKT_LONG,        "pkt_long",        "longer than a packet buffer",                       PEER) \
	X(NOT_FOR_US,      "not_for_us",      "no leg has this local address and port",            NETWORK) \
	X(HANDOFF_FULL,    "handoff_full",    "hand-off ring to the owning worker is full",        LOAD) \
	X(NOT_RTP,         "not_rtp",         "not RTP version 2",                                 PEER) \
	X(RTP_HEADER,      "rtp_header",      "CSRC list, extension or padding beyond the packet", PEER) \
	X(RTP_PT,          "rtp_pt",          "payload type was not negotiated",                   PEER) \
	X(RTP_SOURCE,      "rtp_source",      "plain RTP from an address that is not the leg's",   ATTACK) \
	X(RTP_SIZE,        "rtp_size",        "payload does not fit its codec",                    PEER) \
	X(NOT_RECEIVING,   "not_receiving",   "the leg is on hold or send-only",                   PEER) \
	X(RTCP_HEADER,     "rtcp_header",     "malformed RTCP compound packet",                    PEER) \
	X(SRTP_NO_KEY,     "srtp_no_key",     "no key installed, or MKI names none",               PEER) \
	X(SRTP_SHORT,      "srtp_short",      "too short for tag and MKI",                         PEER) \
	X(SRTP_AUTH,       "srtp_auth",       "authentication tag is wrong",                       ATTACK) \
	X(SRTP_REPLAY,     "srtp_replay",     "packet index was seen before",                      ATTACK) \
	X(SRTP_STALE,      "srtp_stale",      "packet index is older than the replay window",      NETWORK) \
	X(SRTP_LIFETIME,   "srtp_lifetime",   "master key has protected all packets it may",       PEER) \
	X(SRTP_SSRC_LIMIT, "srtp_ssrc_limit", "more SSRCs under one master key than we track",     PEER) \
	X(SRTP_PLAIN,      "srtp_plain",      "SRTCP without encryption where it was agreed",      PEER) \
	X(JBUF_LATE,       "jbuf_late",       "came after its time to be played",                  NETWORK) \
	X(JBUF_DUPLICATE,  "jbuf_duplicate",  "sequence number is already held or was played",     NETWORK) \
	X(JBUF_OVERFLOW,   "jbuf_overflow",   "beyond the upper bound of the jitter buffer",       NETWORK) \
	X(JBUF_RESET,      "jbuf_reset",      "held when the stream began anew",                   NETWORK) \
	X(JBUF_SKEW,       "jbuf_skew",       "dropped to absorb clock drift or a burst",          NETWORK) \
	X(LEG_GONE,        "leg_gone",        "held when its leg left",                            NONE) \
	X(NO_FRAME,        "no_frame",        "no frame block was free",                           LOAD) \
	/* out: what was to go to the wire */ \
	X(NO_MBUF,         "no_mbuf",         "no packet buffer was free",                         LOAD) \
	X(TX_NO_KEY,       "tx_no_key",       "no key to protect with",                            BUG) \
	X(TX_LIFETIME,     "tx_lifetime",     "master key has protected all packets it may",       LOAD) \
	X(TX_REPEAT,       "tx_repeat",       "its SSRC and sequence would use keystream twice",   BUG) \
	X(TX_LONG,         "tx_long",         "header, packet and room of the buffer do not fit",  BUG) \
	X(TX_NO_ADDR,      "tx_no_addr",      "the peer's address is not known yet",               NONE) \
	X(TX_NO_NEIGH,     "tx_no_neigh",     "neighbour or gateway not resolved",                 NETWORK) \
	X(TX_FULL,         "tx_full",         "the port took no more",                             LOAD) \
	X(TX_ERROR,        "tx_error",        "the port refused the packet",                       NETWORK)
/* clang-format on */

enum dp_drop {
	DP_DROP_NONE = 0,
#define X(id, name, text, blame) DP_DROP_##id,
	DP_DROPS(X)
#undef X
		DP_DROP_COUNT
};

enum dp_blame {
	DP_BLAME_NONE = 0,
	DP_BLAME_PEER,
	DP_BLAME_ATTACK,
	DP_BLAME_NETWORK,
	DP_BLAME_LOAD,
	DP_BLAME_BUG,
};

const char *dp_drop_name(enum dp_drop drop);
const char *dp_drop_text(enum dp_drop drop);
enum dp_blame dp_drop_blame(enum dp_drop drop);
const char *dp_blame_name(enum dp_blame blame);

#endif
