/*
 * Offer/answer of one dialog (RFC 3264, 8866, 4568, 5761; its streams: RFC 8856, 4975, 6135, 6714, 7701, 4145, 8122): pure;
 * text and policy in, a decision out. README.md is the checklist.
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
 *   no audio               an offer of floor or chat alone is agreed on with media of the leg that is off both ways; our own
 *                          offers have audio, and a call without it gets none
 *   floor and chat         ride along: session.streams says what was agreed; where is_new, what is there is closed and another
 *                          connection made. An m-line that does not fit is refused alone, result.stream_why says why
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
#define CP_SDP_TEXT_MAX 24576  /* octets that cp_sdp_encode needs at most: three MIKEY messages */
#define CP_SDP_INPUT_MAX 16384 /* longer bodies are refused */
#define CP_SDP_PATH_MAX 512    /* of a peer's a=path, with its NUL */
#define CP_SDP_TYPES_MAX 384   /* of what it takes */
#define CP_SDP_FLOORS_MAX 8
#define CP_SDP_NO_AUDIO UINT8_MAX /* session.audio of a call that is chat or floor control alone */
#define CP_SDP_FINGERPRINT 32	  /* octets: SHA-256 */

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

/* The m-lines that are streams of TCP. */
enum cp_sdp_service {
	CP_SDP_FLOOR = 0, /* m=application TCP[/TLS]/BFCP: RFC 8856 */
	CP_SDP_CHAT,	  /* m=message TCP[/TLS]/MSRP: RFC 4975 */
	CP_SDP_SERVICES,
};

/* What protects a stream follows the call's keying: there is no fall-back. */
enum cp_sdp_stream_mode {
	CP_SDP_STREAM_NONE = 0,	   /* not there, or refused */
	CP_SDP_STREAM_PLAIN,	   /* of a call on plain RTP */
	CP_SDP_STREAM_PSK,	   /* TLS keyed by the m-line's crypto session of MIKEY-TICKET */
	CP_SDP_STREAM_CERTIFICATE, /* of a call keyed by SDES: TLS with a=fingerprint both ways */
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
	/* By enum cp_sdp_service. */
	bool takes[CP_SDP_SERVICES];   /* has the conference it? Offered in a call's first offer */
	bool is_lost[CP_SDP_SERVICES]; /* what was agreed is connected no more: a new connection */
	bool wants[CP_SDP_SERVICES];   /* cp_sdp_offer: also where it was not agreed before */
	bool ends[CP_SDP_SERVICES];    /* cp_sdp_offer: no more, if it was */
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

/* a=setup of ours (RFC 4145 section 4). */
enum cp_sdp_setup {
	CP_SDP_PASSIVE = 0,
	CP_SDP_ACTIVE,
	CP_SDP_ACTPASS,
	CP_SDP_HOLDCONN, /* BFCP only: no connection is made for now */
};

/* What was agreed for an m-line that is a stream. */
struct cp_sdp_stream {
	enum cp_sdp_stream_mode mode;
	uint8_t mline;
	uint8_t cs_id; /* PSK: of its TLS crypto session, in the message of the session or its own */
	bool has_mikey; /* PSK: the exchange just made had a message of its own, at media level */
	bool is_own_mikey; /* PSK: its keys came from such a message, not from that of the session */
	bool is_active;	   /* we open TCP */
	bool is_waiting;   /* holdconn: nobody does for now; what is connected stays */
	bool is_new;	   /* what is connected is closed, and another connection made */
	bool is_offerer;   /* of the connection: our offer made it. BFCP: we are TLS client */
	bool is_held;	   /* CHAT: the peer wants no messages for now (sendonly, inactive) */
	enum cp_sdp_setup setup; /* our text: a=setup */
	bool says_new;	       /* our text: a=connection:new, as the offer has it (RFC 4145 5.1) */
	uint8_t dirs;	       /* our text: enum cp_sdp_dir, or-ed */
	struct dp_addr remote; /* where is_active: whom to connect to */
	uint8_t fingerprint[CP_SDP_FINGERPRINT]; /* CERTIFICATE: SHA-256 of the peer's */
};

/* What the peer says of its side of the chat. */
struct cp_sdp_chat {
	char path
		[CP_SDP_PATH_MAX]; /* a=path as it stands: the whole is To-Path, the last URI is the peer */
	char types
		[CP_SDP_TYPES_MAX]; /* a=accept-types and a=accept-wrapped-types, one space between */
	uint64_t max_size;	    /* octets; 0: it names none */
	bool has_cema;		    /* RFC 6714: only the session ids of paths count */
	bool is_chatroom;	    /* RFC 7701 section 8, and: */
	bool takes_nicknames, takes_private;
};

/* What we proposed for a stream and wait for an answer to. */
struct cp_sdp_stream_offer {
	enum cp_sdp_stream_mode mode; /* NONE: port 0, or no such m-line */
	uint8_t mline, cs_id;
	bool is_new;
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
	/* By enum cp_sdp_service; agreed, as media is. */
	struct cp_sdp_stream streams[CP_SDP_SERVICES];
	struct cp_sdp_chat chat;
	struct cp_sdp_stream_offer proposed[CP_SDP_SERVICES]; /* OFFERED */
	uint64_t
		peer_origin; /* of the peer's o= line: the same line says that nothing has changed */
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
	CP_SDP_CHANGE_HOLD = 1 << 7,	/* is_held is another */
	CP_SDP_CHANGE_STREAMS = 1 << 8, /* something of the streams is another */
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
	/* By enum cp_sdp_service: a message of the m-line's own, borrowed; empty: none. */
	struct cp_slice stream_mikey[CP_SDP_SERVICES];
	/* Why such an m-line was refused, for the log; NULL: taken, or there was none. */
	const char *stream_why[CP_SDP_SERVICES];
	/* An answer took such an m-line of ours and it does not fit: our next offer is to end or to renew it. */
	bool has_orphan;
	struct cp_sdp_session next;
};

/* What a floor controls, by the m-lines of the description. */
struct cp_sdp_floor {
	uint16_t id;
	bool has_audio, has_chat;
};

/* Where the media plane receives: LEG_ADD's reply. */
struct cp_sdp_local {
	struct dp_addr rtp;
	struct dp_addr rtcp;
	const char *name;      /* the conference's title for s=, NULL: "-" */
	struct cp_slice mikey; /* octets of our MIKEY message, where next.has_mikey */
	/* Streams, by enum cp_sdp_service: where we listen, for the mode of cp_sdp_stream_mode; and a message of its own. */
	struct dp_addr streams[CP_SDP_SERVICES];
	struct cp_slice stream_mikey[CP_SDP_SERVICES];
	char fingerprint[104]; /* CERTIFICATE: "sha-256 0A:…" */
	/* BFCP: a floor is named where one of its m-lines is there. */
	uint32_t confid;
	uint16_t userid;
	uint8_t floor_count;
	struct cp_sdp_floor floors[CP_SDP_FLOORS_MAX];
	/* MSRP: our own URI, as a=path has it. */
	char path[160];
	uint64_t max_size; /* octets; 0: none is named */
	bool has_nicknames, has_private;
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

static inline bool
cp_sdp_has_audio(const struct cp_sdp_session *session)
{
	return session->audio != CP_SDP_NO_AUDIO;
}

/* What cp_sdp_encode would write of a stream: the proposal while OFFERED, else what was agreed. */
enum cp_sdp_stream_mode cp_sdp_stream_mode(const struct cp_sdp_session *session,
					   enum cp_sdp_service service);

/* A stream that cannot be after all, decided between agreement and commit: its m-line is refused. */
void cp_sdp_refuse_stream(struct cp_sdp_result *result, enum cp_sdp_service service,
			  const char *why);

/* May a body of that media type ("text/plain", parameters are passed over) be sent to the peer, inside message/cpim? RFC 4975 8.6. */
bool cp_sdp_chat_takes(const struct cp_sdp_chat *chat, struct cp_slice type);

/* The first crypto session of an m-line in the message at the level that the session's have (profile, section 4). */
uint8_t cp_sdp_first_cs(const struct cp_sdp_session *session, uint8_t mline);

/* The octets of result->stream_mikey. Their number, or -ENOSPC. */
int cp_sdp_stream_mikey_octets(uint8_t *octets, size_t size, const struct cp_sdp_result *result,
			       enum cp_sdp_service service);

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
const char *cp_sdp_service_name(enum cp_sdp_service service); /* "floor", "chat" */

#endif
