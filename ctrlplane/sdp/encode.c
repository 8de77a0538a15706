/* Writing a session description (RFC 8866 section 5): our offer, or the answer with as many m-lines
 * as were offered. */
#include "ctrlplane/sdp/sdp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include "ctrlplane/base/base64.h"
#include "ctrlplane/sdp/codec.h"
#include "ctrlplane/sdp/peer.h"
#include "ctrlplane/sdp/writer.h"

void
cp_sdp_put(struct cp_sdp_writer *w, const char *format, ...)
{
	va_list arguments;
	int len;

	if (w->is_full)
		return;
	va_start(arguments, format);
	len = vsnprintf(w->text + w->len, w->size - w->len, format, arguments);
	va_end(arguments);
	if (len < 0 || (size_t)len >= w->size - w->len)
		w->is_full = true;
	else
		w->len += (size_t)len;
}

void
cp_sdp_put_address(struct cp_sdp_writer *w, const struct dp_addr *addr)
{
	char text[INET6_ADDRSTRLEN];
	bool is_ip4 = addr->family == DP_FAMILY_IP4;

	inet_ntop(is_ip4 ? AF_INET : AF_INET6, addr->ip, text, sizeof(text));
	cp_sdp_put(w, "%s %s", is_ip4 ? "IP4" : "IP6", text);
}

static void
put_name(struct cp_sdp_writer *w, const char *name)
{
	char text[96];
	size_t len = 0;

	for (; name != NULL && *name && len + 1 < sizeof(text); name++)
		if ((unsigned char)*name >= ' ' && *name != 0x7f)
			text[len++] = *name;
	text[len] = '\0';
	cp_sdp_put(w, "s=%s\r\n", len > 0 ? text : "-");
}

const char *
cp_sdp_direction_name(uint8_t dirs)
{
	static const char *const names[] = {
		[0] = "inactive",
		[CP_SDP_RECEIVE] = "recvonly",
		[CP_SDP_SEND] = "sendonly",
		[CP_SDP_RECEIVE | CP_SDP_SEND] = "sendrecv",
	};

	return names[dirs & 3];
}

static void
put_formats(struct cp_sdp_writer *w, const struct cp_sdp_media *media, uint8_t dtmf_pt)
{
	for (int i = 0; i < media->rx_count; i++)
		cp_sdp_put(w, " %u", media->rx[i].pt);
	if (dtmf_pt != 0)
		cp_sdp_put(w, " %u", dtmf_pt);
	cp_sdp_put(w, "\r\n");
	for (int i = 0; i < media->rx_count; i++) {
		const struct cp_codec_info *info =
			cp_codec_info((enum dp_codec_id)media->rx[i].codec);

		if (info != NULL)
			cp_sdp_put(w, "a=rtpmap:%u %s/%" PRIu32 "\r\n", media->rx[i].pt, info->name,
				   info->clock_hz);
	}
	if (dtmf_pt != 0)
		cp_sdp_put(w, "a=rtpmap:%u telephone-event/8000\r\na=fmtp:%u 0-15\r\n", dtmf_pt,
			   dtmf_pt);
}

static void
put_crypto(struct cp_sdp_writer *w, uint32_t tag, const struct cp_key *key, uint8_t flags)
{
	int len;

	cp_sdp_put(w, "a=crypto:");
	if (w->is_full)
		return;
	len = cp_sdes_encode(w->text + w->len, w->size - w->len, tag, key, flags);
	if (len < 0)
		w->is_full = true;
	else
		w->len += (size_t)len;
	cp_sdp_put(w, "\r\n");
}

void
cp_sdp_put_mikey(struct cp_sdp_writer *w, struct cp_slice octets)
{
	cp_sdp_put(w, "a=key-mgmt:mikey ");
	if (w->is_full || octets.len > CP_SDP_MIKEY_MAX ||
	    w->size - w->len <= CP_BASE64_LEN(octets.len)) {
		w->is_full = true;
		return;
	}
	cp_base64_encode(w->text + w->len, (const uint8_t *)octets.ptr, octets.len);
	w->len += CP_BASE64_LEN(octets.len);
	cp_sdp_put(w, "\r\n");
}

static void
put_refused(struct cp_sdp_writer *w, const struct cp_sdp_mline *line)
{
	cp_sdp_put(w, "m=%s 0 %s %s\r\n", line->media, line->proto, line->format);
}

static void
put_audio(struct cp_sdp_writer *w, const struct cp_sdp_session *session,
	  const struct cp_sdp_local *local)
{
	const struct cp_sdp_media *media =
		session->phase == CP_SDP_OFFERED ? &session->proposal : &session->media;
	uint8_t flags = media->is_srtcp_plain ? CP_SDES_PLAIN_SRTCP : 0;

	cp_sdp_put(w, "m=audio %u %s", local->rtp.port, cp_sdp_profile_name(media->profile));
	put_formats(w, media, media->dtmf_pt);
	cp_sdp_put(w, "a=ptime:%u\r\na=%s\r\n", media->ptime_ms,
		   cp_sdp_direction_name(media->dirs));
	if (media->has_mux)
		cp_sdp_put(w, "a=rtcp-mux\r\n");
	/* for a peer that does not mux; left out it is the next port (RFC 5761 5.1.1, RFC 3605) */
	if (!media->has_mux || (session->is_offer && local->rtcp.port != local->rtp.port))
		cp_sdp_put(w, "a=rtcp:%u\r\n", local->rtcp.port);
	if (session->has_mikey && !session->is_mikey_of_session)
		cp_sdp_put_mikey(w, local->mikey);
	cp_sdp_put_label(w, session, local, session->audio);
	if (session->phase == CP_SDP_OFFERED)
		for (int i = 0; i < session->offered_count; i++)
			put_crypto(w, session->offered[i].tag, &session->offered[i].key, flags);
	else if (media->keying == CP_SDP_SDES)
		put_crypto(w, media->crypto_tag, &media->tx_key, flags);
}

int
cp_sdp_encode(char *text, size_t size, const struct cp_sdp_session *session,
	      const struct cp_sdp_local *local)
{
	struct cp_sdp_writer w = {.text = text, .size = size};

	if (session->phase == CP_SDP_IDLE || local->rtp.family == DP_FAMILY_NONE || size == 0)
		return -EINVAL;
	cp_sdp_put(&w, "v=0\r\no=conclave %" PRIu64 " %" PRIu64 " IN ", session->id,
		   session->version);
	cp_sdp_put_address(&w, &local->rtp);
	cp_sdp_put(&w, "\r\n");
	put_name(&w, local->name);
	cp_sdp_put(&w, "c=IN ");
	cp_sdp_put_address(&w, &local->rtp);
	cp_sdp_put(&w, "\r\nt=0 0\r\n");
	if (session->has_mikey && session->is_mikey_of_session)
		cp_sdp_put_mikey(&w, local->mikey);
	for (uint8_t i = 0; i < session->mline_count; i++) {
		if (i == session->audio)
			put_audio(&w, session, local);
		else if (!cp_sdp_put_stream(&w, session, local, i))
			put_refused(&w, &session->mlines[i]);
	}
	if (w.is_full) {
		cp_wipe(text, size);
		return -ENOSPC;
	}
	return (int)w.len;
}

int
cp_sdp_encode_refusal(char *text, size_t size, const struct cp_sdp_result *result,
		      struct cp_slice mikey)
{
	const struct cp_sdp_session *next = &result->next;
	struct cp_sdp_writer w = {.text = text, .size = size};

	cp_sdp_put(&w, "v=0\r\no=conclave %" PRIu64 " %" PRIu64 " IN IP4 0.0.0.0\r\ns=-\r\n",
		   next->id, next->version);
	cp_sdp_put(&w, "t=0 0\r\n");
	if (next->is_mikey_of_session)
		cp_sdp_put_mikey(&w, mikey);
	for (int i = 0; i < next->mline_count; i++) {
		put_refused(&w, &next->mlines[i]);
		if (i == next->audio && !next->is_mikey_of_session)
			cp_sdp_put_mikey(&w, mikey);
	}
	return w.is_full ? -ENOSPC : (int)w.len;
}
