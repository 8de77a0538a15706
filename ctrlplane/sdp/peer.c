/* The peer's audio m-section: addresses, direction, codecs, ptime, RTCP (RFC 3264 section 6, RFC
 * 3605, RFC 5761, RFC 3556). */
#include "ctrlplane/sdp/peer.h"

#include <arpa/inet.h>
#include <stdio.h>
#include "ctrlplane/sdp/codec.h"

#define PTIME_MIN_MS 10
#define PTIME_MAX_MS 60
#define PTIME_STEP_MS 10

static const char *const profile_names[] = {
	[CP_SDP_AVP] = "RTP/AVP",
	[CP_SDP_AVPF] = "RTP/AVPF",
	[CP_SDP_SAVP] = "RTP/SAVP",
	[CP_SDP_SAVPF] = "RTP/SAVPF",
};

const char *
cp_sdp_profile_name(enum cp_sdp_profile profile)
{
	return profile_names[profile];
}

bool
cp_sdp_profile_find(enum cp_sdp_profile *out, struct cp_slice proto)
{
	for (int i = CP_SDP_AVP; i <= CP_SDP_SAVPF; i++) {
		if (cp_slice_is_nocase(proto, profile_names[i])) {
			*out = (enum cp_sdp_profile)i;
			return true;
		}
	}
	return false;
}

bool
cp_sdp_profile_is_secure(enum cp_sdp_profile profile)
{
	return profile == CP_SDP_SAVP || profile == CP_SDP_SAVPF;
}

int
cp_sdp_refuse(struct cp_sdp_result *out, uint16_t status, uint16_t warning, const char *text)
{
	out->status = status;
	out->warning = warning;
	snprintf(out->text, sizeof(out->text), "%s", text);
	for (char *c = out->text; *c; c++)
		if (*c < ' ' || *c > '~' || *c == '"' || *c == '\\')
			*c = '.';
	return status;
}

int
cp_sdp_refuse_malformed(struct cp_sdp_result *out, const struct cp_desc *desc)
{
	char text[sizeof(out->text)];

	snprintf(text, sizeof(text), "line %d of the SDP: %s", desc->bad_line, desc->why);
	return cp_sdp_refuse(out, 400, CP_SDP_WARN_OTHER, text);
}

static bool
is_unspecified(const struct dp_addr *addr)
{
	static const uint8_t zero[16];

	return memcmp(addr->ip, zero, sizeof(zero)) == 0;
}

static bool
is_multicast(const struct dp_addr *addr)
{
	/* 224/4 and what lies above it, broadcast too; ff00::/8 */
	return addr->family == DP_FAMILY_IP4 ? addr->ip[0] >= 224 : addr->ip[0] == 0xff;
}

/* a=rtcp:<port> [IN IP4 <address>] (RFC 3605), else the next port. */
static struct dp_addr
read_rtcp_address(const struct cp_desc_media *section, const struct dp_addr *rtp)
{
	struct cp_slice rest = section->lines, value, word;
	struct dp_addr addr = *rtp, other;
	uint64_t port;

	addr.port = (uint16_t)(rtp->port == UINT16_MAX ? rtp->port : rtp->port + 1);
	if (!cp_desc_attribute(&rest, "rtcp", &value) || !cp_slice_word(&value, &word) ||
	    cp_slice_number(&port, word, UINT16_MAX) < 0 || port == 0)
		return addr;
	addr.port = (uint16_t)port;
	if (cp_slice_trim(value).len > 0 && cp_desc_connection(&other, value) == 0 &&
	    other.family == rtp->family && !is_multicast(&other) && !is_unspecified(&other)) {
		other.port = addr.port;
		addr = other;
	}
	return addr;
}

static int
read_addresses(struct cp_sdp_media *media, struct cp_sdp_result *out,
	       const struct cp_desc_media *section, const struct cp_sdp_policy *policy,
	       const struct cp_sdp_media *before)
{
	struct dp_addr addr = section->connection;

	if (!section->has_connection)
		return cp_sdp_refuse(out, 488, CP_SDP_WARN_NETWORK,
				     "no c= line with an IP address for the audio");
	if (is_multicast(&addr))
		return cp_sdp_refuse(out, 488, CP_SDP_WARN_MULTICAST,
				     "the address of the audio is no unicast address");
	if (addr.family == DP_FAMILY_IP4 ? !policy->has_ip4 : !policy->has_ip6)
		return cp_sdp_refuse(out, 488, CP_SDP_WARN_NETWORK,
				     addr.family == DP_FAMILY_IP4
					     ? "the media plane has no IPv4 address"
					     : "the media plane has no IPv6 address");
	if (section->is_name) {
		/* Nothing that blocks runs here, and nothing needs to: where what authenticates comes from is where the name leads. */
		if (!cp_sdp_profile_is_secure(media->profile))
			return cp_sdp_refuse(out, 488, CP_SDP_WARN_NETWORK,
					     "a host name in c= is followed under SRTP only; write "
					     "an address");
		media->remote_rtp = media->remote_rtcp =
			(struct dp_addr){.family = addr.family, .port = section->port};
		return 0;
	}
	media->is_held_by_address = is_unspecified(&addr);
	if (media->is_held_by_address) {
		/* RFC 3264 8.4: nothing is sent there; where the peer was before is where it will
		 * be again */
		if (before != NULL && before->remote_rtp.family == addr.family) {
			media->remote_rtp = before->remote_rtp;
			media->remote_rtcp = before->remote_rtcp;
		}
		return 0;
	}
	addr.port = section->port;
	media->remote_rtp = addr;
	media->remote_rtcp = media->has_mux ? addr : read_rtcp_address(section, &addr);
	return 0;
}

/* The first of the four attributes; the section's before the session's. The peer's view turned into
 * ours. */
static bool
read_direction(uint8_t *dirs, struct cp_slice lines)
{
	static const struct {
		const char *name;
		uint8_t dirs;
	} rows[] = {
		{"sendrecv", CP_SDP_RECEIVE | CP_SDP_SEND},
		{"sendonly", CP_SDP_RECEIVE},
		{"recvonly", CP_SDP_SEND},
		{"inactive", 0},
	};
	struct cp_slice line;

	while (cp_slice_line(&lines, &line)) {
		if (!cp_slice_has_prefix(line, "a="))
			continue;
		line = cp_slice_trim(cp_slice(line.ptr + 2, line.len - 2));
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			if (cp_slice_is(line, rows[i].name)) {
				*dirs = rows[i].dirs;
				return true;
			}
		}
	}
	return false;
}

static void
read_directions(struct cp_sdp_media *media, const struct cp_desc *desc,
		const struct cp_desc_media *section)
{
	media->dirs = CP_SDP_RECEIVE | CP_SDP_SEND;
	if (!read_direction(&media->dirs, section->lines))
		read_direction(&media->dirs, desc->session_lines);
	if (media->is_held_by_address)
		media->dirs &= (uint8_t)~CP_SDP_SEND;
	media->is_held = (media->dirs & CP_SDP_SEND) == 0;
}

/* The rtpmap value of a payload type in this section; empty: none. */
static struct cp_slice
find_rtpmap(struct cp_slice lines, uint8_t pt)
{
	struct cp_slice value, word;
	uint64_t number;

	while (cp_desc_attribute(&lines, "rtpmap", &value))
		if (cp_slice_word(&value, &word) && cp_slice_number(&number, word, 127) == 0 &&
		    number == pt)
			return value;
	return cp_slice(NULL, 0);
}

static bool
has_codec(const struct cp_sdp_policy *policy, enum dp_codec_id codec)
{
	for (int i = 0; i < policy->codec_count; i++)
		if (policy->codecs[i] == codec)
			return true;
	return false;
}

/* One format of the m-line, in the peer's order of liking. */
static void
take_format(struct cp_sdp_media *media, const struct cp_desc_media *section,
	    const struct cp_sdp_policy *policy, uint8_t pt)
{
	struct cp_slice rtpmap = find_rtpmap(section->lines, pt);
	enum dp_codec_id codec = cp_codec_find(pt, rtpmap);

	if (media->has_mux && pt >= 64 && pt <= 95)
		return; /* RFC 5761 section 4: would be taken for RTCP */
	if (cp_codec_is_dtmf(rtpmap) && media->tx_dtmf_pt == 0 && pt != 0) {
		media->dtmf_pt = media->tx_dtmf_pt = pt;
		return;
	}
	if (codec == DP_CODEC_NONE || !has_codec(policy, codec) ||
	    media->rx_count == CP_SDP_CODECS_MAX)
		return;
	for (int i = 0; i < media->rx_count; i++)
		if (media->rx[i].codec == codec || media->rx[i].pt == pt)
			return;
	media->rx[media->rx_count++] = (struct cp_sdp_codec){.codec = (uint8_t)codec, .pt = pt};
}

static int
read_formats(struct cp_sdp_media *media, struct cp_sdp_result *out,
	     const struct cp_desc_media *section, const struct cp_sdp_policy *policy)
{
	struct cp_slice rest = section->formats, word;
	uint64_t pt;

	while (cp_slice_word(&rest, &word))
		if (cp_slice_number(&pt, word, 127) == 0)
			take_format(media, section, policy, (uint8_t)pt);
	if (media->rx_count == 0)
		return cp_sdp_refuse(out, 488, CP_SDP_WARN_FORMAT,
				     "no codec in common; PCMU and PCMA at 8000 Hz are understood");
	media->tx = media->rx[0];
	return 0;
}

static bool
read_number(uint64_t *out, struct cp_slice lines, const char *name)
{
	struct cp_slice value;

	return cp_desc_attribute(&lines, name, &value) &&
	       cp_slice_number(out, cp_slice_trim(value), 10000) == 0;
}

static uint16_t
read_ptime(const struct cp_desc *desc, const struct cp_desc_media *section,
	   const struct cp_sdp_policy *policy)
{
	uint64_t ptime = policy->ptime_ms, most = PTIME_MAX_MS;

	if (!read_number(&ptime, section->lines, "ptime"))
		read_number(&ptime, desc->session_lines, "ptime");
	if (!read_number(&most, section->lines, "maxptime"))
		read_number(&most, desc->session_lines, "maxptime");
	if (ptime == 0)
		ptime = policy->ptime_ms;
	if (ptime > most)
		ptime = most;
	if (ptime > PTIME_MAX_MS)
		ptime = PTIME_MAX_MS;
	ptime -= ptime % PTIME_STEP_MS;
	return (uint16_t)(ptime < PTIME_MIN_MS ? PTIME_MIN_MS : ptime);
}

/* RFC 3556: no RTCP only when both shares are zero. */
static bool
read_has_rtcp(const struct cp_desc_media *section)
{
	static const char *const names[] = {"RS", "RR"};

	for (int i = 0; i < 2; i++) {
		struct cp_slice rest = section->lines, value;
		uint64_t number;

		if (!cp_desc_bandwidth(&rest, names[i], &value) ||
		    cp_slice_number(&number, value, UINT32_MAX) < 0 || number != 0)
			return true;
	}
	return false;
}

int
cp_sdp_read_peer(struct cp_sdp_media *media, struct cp_sdp_result *out, const struct cp_desc *desc,
		 const struct cp_desc_media *section, const struct cp_sdp_policy *policy,
		 const struct cp_sdp_media *before)
{
	struct cp_slice rest = section->lines, value;
	int status;

	if (!cp_sdp_profile_find(&media->profile, section->proto))
		return cp_sdp_refuse(out, 488, CP_SDP_WARN_TRANSPORT,
				     "the audio is offered on a transport other than RTP/SAVP, "
				     "RTP/SAVPF, RTP/AVP, RTP/AVPF");
	media->has_mux = policy->may_mux && cp_desc_attribute(&rest, "rtcp-mux", &value);
	status = read_addresses(media, out, section, policy, before);
	if (status == 0)
		status = read_formats(media, out, section, policy);
	if (status != 0)
		return status;
	read_directions(media, desc, section);
	media->ptime_ms = read_ptime(desc, section, policy);
	media->has_rtcp = read_has_rtcp(section);
	return 0;
}
