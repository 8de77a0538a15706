/*
 * Offer/answer of one dialog (RFC 3264, 8866, 4568, 5761): pure; text and policy in, a decision
 * out. README.md is the checklist.
 */
#ifndef CP_SDP_SDP_H
#define CP_SDP_SDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ctrlplane/base/slice.h"
#include "ctrlplane/keys/keys.h"
#include "dataplane/api/addr.h"
#include "dataplane/api/codec_id.h"
#include "dataplane/api/suite.h"

/* clang-format off */
/*
 * How a call uses it. leg->sdp is a struct cp_sdp_session, zeroed before the first exchange.
 *
 *   INVITE with SDP        cp_sdp_answer(&r, offer, policy, &leg->sdp)
 *                          refused: answer r.status with r.warning and r.text
 *                          else: LEG_ADD from r.next.media, cp_sdp_commit, cp_sdp_encode: body of the 200
 *   INVITE without SDP     cp_sdp_offer(&r, policy, &leg->sdp), LEG_ADD from r.next.proposal, commit, encode: body of the 200
 *     … its ACK or PRACK   cp_sdp_accept(&r, answer, policy, &leg->sdp)
 *                          refused: BYE. Else: LEG_UPDATE, keys, commit
 *   re-INVITE, UPDATE      as above with the session as it is; r.changes says what to tell the media plane.
 *                          Refused: commit nothing, the old session goes on (RFC 4568 7.1.4)
 *   our own re-INVITE      cp_sdp_offer (policy.wants_new_key: a re-key), commit, encode, then cp_sdp_accept.
 *                          Refused or timed out: cp_sdp_withdraw
 *
 * The verdict tells people what was missing: it is for the wire and the log. Key octets are in struct
 * cp_key and in the encoded text only: wipe the text's buffer (cp_wipe) once the SIP stack has it.
 */
/* clang-format on */

#define CP_SDP_MLINES_MAX 8 /* an offer with more is refused */
#define CP_SDP_CODECS_MAX 4 /* DP_CTL_CODECS_MAX */
#define CP_SDP_SUITES_MAX 5
#define CP_SDP_RX_KEYS_MAX 2   /* of one crypto line: current and next, told apart by MKI */
#define CP_SDP_MIKEY_MAX 4096  /* octets of a MIKEY message, either way */
#define CP_SDP_TEXT_MAX 10240  /* octets that cp_sdp_encode needs at most */
#define CP_SDP_INPUT_MAX 16384 /* longer bodies are refused */

enum cp_sdp_security {
	CP_SDP_SECURE = 0, /* SDES on RTP/SAVP or SAVPF; there is no fall-back */
	CP_SDP_EITHER,	   /* MIKEY-TICKET where offered, else SDES, else plain RTP */
	CP_SDP_PLAIN,	   /* plain RTP only */
	CP_SDP_MIKEY,	   /* MIKEY-TICKET only */
};

/* What made the keys of a call. */
enum cp_sdp_keying {
	CP_SDP_UNKEYED = 0,
	CP_SDP_SDES,
	CP_SDP_MIKEY_TICKET,
};

enum cp_sdp_profile {
	CP_SDP_AVP = 0,
	CP_SDP_AVPF,
	CP_SDP_SAVP,
	CP_SDP_SAVPF,
};

/* What a conference accepts: cp_sdp_policy_default, then what the configuration says. */
struct cp_sdp_policy {
	enum cp_sdp_security security;
	uint8_t suite_count;
	uint8_t codec_count;
	bool ranks_suites;     /* our order decides; else the offerer's (RFC 4568 5.1.2) */
	bool has_ip4, has_ip6; /* which of our media addresses there are */
	bool may_mux;	       /* RFC 5761 */
	bool may_plain_srtcp;  /* accept UNENCRYPTED_SRTCP (still authenticated) */
	bool may_mikey;	       /* there is somebody to ask about tickets */
	bool wants_new_key;    /* cp_sdp_offer: re-key */
	uint8_t suites[CP_SDP_SUITES_MAX]; /* enum dp_suite, the most wanted first */
	uint8_t codecs[CP_SDP_CODECS_MAX]; /* enum dp_codec_id, the most wanted first */
	uint16_t ptime_ms;		   /* ours where the peer does not say: 20 */
	/* Luck is an argument: cp_key_make in the program, something predictable in tests. */
	int (*make_key)(struct cp_key *out, enum dp_suite suite);
	uint64_t (*make_session_id)(void);
};

struct cp_sdp_codec {
	uint8_t codec; /* enum dp_codec_id */
	uint8_t pt;
};

enum cp_sdp_dir {
	CP_SDP_RECEIVE = 1, /* we take the participant's sound: DP_DIR_RECEIVE */
	CP_SDP_SEND = 2,    /* we send it the mix: DP_DIR_SEND */
};

/* What was agreed for the audio m-line, from the media plane's view. */
struct cp_sdp_media {
	enum cp_sdp_profile profile;
	enum cp_sdp_keying keying;
	enum dp_suite suite;	    /* DP_SUITE_NONE: plain RTP */
	struct dp_addr remote_rtp;  /* c= and m=; through a hold by 0.0.0.0 it stays what it was */
	struct dp_addr remote_rtcp; /* a=rtcp, else port + 1; with mux the RTP address */
	uint8_t dirs;		    /* enum cp_sdp_dir, or-ed; 0: inactive */
	bool is_held; /* the peer does not want to hear: sendonly, inactive, or 0.0.0.0 */
	bool is_held_by_address; /* the last: 0.0.0.0 or :: */
	bool has_mux;
	bool has_rtcp;	     /* false: b=RS:0 and b=RR:0 */
	bool is_srtcp_plain; /* UNENCRYPTED_SRTCP was agreed */
	uint8_t dtmf_pt;     /* telephone-event/8000; 0: none */
	uint8_t rx_count;
	struct cp_sdp_codec rx[CP_SDP_CODECS_MAX]; /* what the peer may send */
	struct cp_sdp_codec tx; /* what we send: the first of rx, the peer's favourite */
	uint8_t tx_dtmf_pt;
	uint16_t ptime_ms; /* what we send, 10 to 60 */
	uint32_t crypto_tag;
	uint8_t rx_key_count;
	struct cp_key rx_keys[CP_SDP_RX_KEYS_MAX]; /* the peer's: CURRENT, then NEXT */
	struct cp_key tx_key;			   /* ours */
};

/* An m-line as it stood in the last exchange; an answer repeats order and number (RFC 3264 6). */
struct cp_sdp_mline {
	char media[16];
	char proto[32];
	char format[24]; /* the first one */
};

/* What we offered and wait for an answer to: one crypto line each. */
struct cp_sdp_offered {
	uint32_t tag;
	struct cp_key key;
};

enum cp_sdp_phase {
	CP_SDP_IDLE = 0, /* nothing agreed yet */
	CP_SDP_OFFERED,	 /* our offer is out */
	CP_SDP_AGREED,
};

/* One dialog's state. Zeroed is a new one; move it by cp_sdp_commit, end it by cp_sdp_fini. */
struct cp_sdp_session {
	enum cp_sdp_phase phase;
	bool was_agreed; /* media below is agreed; through OFFERED it goes on */
	bool is_offer;	 /* what cp_sdp_encode writes */
	bool has_mikey;	 /* with a=key-mgmt, at this level: */
	bool is_mikey_of_session;
	uint8_t mline_count;
	uint8_t audio;	      /* index of the m-line that is in use */
	uint64_t id, version; /* our o= line: id is constant, version counts what we send */
	struct cp_sdp_mline mlines[CP_SDP_MLINES_MAX];
	struct cp_sdp_media media; /* what was agreed */
	/*
	 * OFFERED: our side of what we offered. A new session: LEG_ADD from it (rx, ptime,
	 * profile), then wait for the answer. Its keys are in offered[].
	 */
	struct cp_sdp_media proposal;
	uint8_t offered_count;
	struct cp_sdp_offered offered[CP_SDP_SUITES_MAX];
};

/* What differs from the session before. All that follows from RFC 4568 6.4 and 7.1.4 is decided
 * here. */
enum cp_sdp_change {
	CP_SDP_CHANGE_MEDIA = 1 << 0, /* codecs, direction, ptime, DTMF, mux, address: LEG_UPDATE */
	CP_SDP_CHANGE_ADDRESS = 1 << 1, /* the peer's RTP address: LEG_UPDATE with DP_LEG_RELATCH */
	CP_SDP_CHANGE_RX_KEY =
		1 << 2, /* KEY_INSTALL, direction RECEIVE: first exchange CURRENT, later NEXT */
	CP_SDP_CHANGE_RX_FRESH = 1 << 3, /* … with DP_KEY_FRESH: new context, ROC 0 */
	CP_SDP_CHANGE_TX_KEY = 1 << 4,	 /* KEY_INSTALL, direction SEND */
	CP_SDP_CHANGE_TX_FRESH = 1 << 5, /* … with DP_KEY_FRESH: new SSRC, sequence below 2^15 */
	CP_SDP_CHANGE_SECURITY =
		1 << 6, /* SRTP ↔ plain, IPv4 ↔ IPv6: the leg is removed and added again */
	CP_SDP_CHANGE_HOLD = 1 << 7, /* is_held is another */
};

struct cp_sdp_result {
	uint16_t status; /* 0: next is what was agreed. Else the SIP status to refuse with: 400, 488
			    or 500 */
	uint16_t warning; /* Warning code of RFC 3261 20.43, with text */
	char text[160];	  /* printable ASCII without quotes; says what was missing */
	uint32_t changes; /* enum cp_sdp_change */
	/*
	 * Base64 of the MIKEY message that keys the audio, borrowed from the input; empty: none. Then
	 * next.media has neither suite nor keys until cp_sdp_set_keys.
	 */
	struct cp_slice mikey;
	uint8_t cs_id;	    /* the first of the audio's two crypto sessions in it */
	uint8_t srtp_lines; /* m-lines of SRTP under it */
	char protocols[64]; /* of all a=key-mgmt lines: "mikey" (RFC 4567 4.1.4) */
	struct cp_sdp_session next;
};

/* Where the media plane receives: LEG_ADD's reply. */
struct cp_sdp_local {
	struct dp_addr rtp;
	struct dp_addr rtcp;
	const char *name;      /* the conference's title for s=, NULL: "-" */
	struct cp_slice mikey; /* octets of our MIKEY message, where next.has_mikey */
};

/* Secure, all suites with AES_CM_128_HMAC_SHA1_80 first, PCMU PCMA L16, mux, 20 ms, IPv4 and IPv6,
 * cp_key_make. */
void cp_sdp_policy_default(struct cp_sdp_policy *policy);

/* An offer came in. Returns the status (0: agreed). previous is not touched. out is ended by commit
 * or cp_sdp_drop. */
int cp_sdp_answer(struct cp_sdp_result *out, struct cp_slice offer,
		  const struct cp_sdp_policy *policy, const struct cp_sdp_session *previous);

/* Make an offer: one line per suite on a new session; on an agreed one the agreed suite under our
 * present key. */
int cp_sdp_offer(struct cp_sdp_result *out, const struct cp_sdp_policy *policy,
		 const struct cp_sdp_session *previous);

/* The answer to our offer came in. */
int cp_sdp_accept(struct cp_sdp_result *out, struct cp_slice answer,
		  const struct cp_sdp_policy *policy, const struct cp_sdp_session *previous);

/* The octets of result->mikey. Their number, or -ENOSPC. */
int cp_sdp_mikey_octets(uint8_t *octets, size_t size, const struct cp_sdp_result *result);

/*
 * The keys that the MIKEY exchange gave (copied); changes are made anew. The same keys as before: nothing changes. is_new_stream:
 * what the peer sends has another SSRC than before. Ours never has: it was promised in the exchange. Where SSRC and so the
 * stream goes on, its ROC and replay state do, whatever becomes of suite and address.
 */
void cp_sdp_set_keys(struct cp_sdp_result *result, const struct cp_sdp_session *previous,
		     const struct cp_key *rx, const struct cp_key *tx, bool is_new_stream);

/* A body for a 488: every m-line refused, and a MIKEY error message at the level of the offer's. As
 * cp_sdp_encode; before cp_sdp_drop. */
int cp_sdp_encode_refusal(char *text, size_t size, const struct cp_sdp_result *result,
			  struct cp_slice mikey);

/* session takes over what result decided (keys of the old one are let go). Only after status 0. */
void cp_sdp_commit(struct cp_sdp_session *session, struct cp_sdp_result *result);
void cp_sdp_drop(struct cp_sdp_result *result); /* decided, but not carried out */
void cp_sdp_withdraw(
	struct cp_sdp_session *session); /* our offer was refused: what was agreed before goes on */
void cp_sdp_fini(struct cp_sdp_session *session);

/* The SDP for what session says: answer or offer. Returns octets written (a NUL follows), or
 * -ENOSPC, -EINVAL. Holds our key: wipe. */
int cp_sdp_encode(char *text, size_t size, const struct cp_sdp_session *session,
		  const struct cp_sdp_local *local);

const char *cp_sdp_profile_name(enum cp_sdp_profile profile); /* "RTP/SAVP" … */

#endif
