/* Floor and chat in offer and answer: m-lines that are streams of TCP (RFC 4145, 8122). For this folder. */
#ifndef CP_SDP_STREAM_H
#define CP_SDP_STREAM_H

#include "ctrlplane/sdp/desc.h"
#include "ctrlplane/sdp/sdp.h"

#define CP_SDP_DISCARD_PORT 9 /* of who opens the connection: RFC 4145 4.1 */

/* What the peer's m-section says, whatever it is of. */
enum cp_sdp_peer_setup {
	CP_SDP_PEER_NONE = 0, /* no a=setup */
	CP_SDP_PEER_ACTIVE,
	CP_SDP_PEER_PASSIVE,
	CP_SDP_PEER_ACTPASS,
	CP_SDP_PEER_HOLDCONN,
};

/* An m-line under decision, and what is decided. */
struct cp_sdp_reading {
	const struct cp_desc *desc;
	const struct cp_desc_media *section;
	enum cp_sdp_service service;
	bool is_tls;
	bool is_answer; /* the peer's, to our offer */
	enum cp_sdp_peer_setup setup;
	struct cp_sdp_stream stream;
	struct cp_sdp_chat chat;
};

/* Which service an m-line means, by media and protocol; false: neither. */
bool cp_sdp_service_find(enum cp_sdp_service *out, struct cp_slice media, struct cp_slice proto);

/* What protects the streams of a call that is keyed so. */
enum cp_sdp_stream_mode cp_sdp_stream_mode_of(const struct cp_sdp_media *media);

/* The protocol of an m-line of ours: "TCP/TLS/BFCP" … */
const char *cp_sdp_stream_proto(enum cp_sdp_service service, enum cp_sdp_stream_mode mode);

/* What RFC 8856 and RFC 4975 say of the section, once transport and setup are known. NULL: fine, else what does not fit. */
const char *cp_sdp_read_floor(struct cp_sdp_reading *r);
const char *cp_sdp_read_chat(struct cp_sdp_reading *r);

/* c= and the port of m=, as an address to connect to. */
const char *cp_sdp_read_target(struct dp_addr *out, const struct cp_desc_media *section);

/* The streams of an offer: out->next.streams, after its audio was agreed; and is something another than before? */
void cp_sdp_answer_streams(struct cp_sdp_result *out, const struct cp_desc *desc,
			   const struct cp_sdp_policy *policy,
			   const struct cp_sdp_session *previous);
/* The streams of our offer: out->next.proposed, and their m-lines. */
void cp_sdp_propose_streams(struct cp_sdp_result *out, const struct cp_sdp_policy *policy,
			    const struct cp_sdp_session *previous);
/* What the answer says of them. */
void cp_sdp_accept_streams(struct cp_sdp_result *out, const struct cp_desc *desc,
			   const struct cp_sdp_session *previous);

/* alone.c: has the offer streams and no audio, or the call? */
bool cp_sdp_is_alone(const struct cp_desc *desc, const struct cp_sdp_policy *policy,
		     const struct cp_sdp_session *previous);
/* Media and keying of such a call, before its streams are answered; and that there is one, after it. 0, or the refusal in out. */
int cp_sdp_answer_alone(struct cp_sdp_result *out, const struct cp_desc *desc,
			const struct cp_sdp_policy *policy, const struct cp_sdp_media *before,
			bool may_mikey);
int cp_sdp_check_alone(struct cp_sdp_result *out);

/* CP_SDP_CHANGE_STREAMS, or 0. */
uint32_t cp_sdp_stream_changes(const struct cp_sdp_session *before,
			       const struct cp_sdp_session *now);
/* Would the text of an answer be the same? */
bool cp_sdp_streams_are_same_text(const struct cp_sdp_session *a, const struct cp_sdp_session *b);

#endif
