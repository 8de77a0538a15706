/* SDP written and read: one audio stream with its crypto lines, and the m-lines beside it. */
#include "bench/load/sdp.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <openssl/evp.h>

#define DTMF_RATE 8000

static const struct {
	const char *name;
	uint8_t pt;
} codecs[DP_CODEC_COUNT] = {
	[DP_CODEC_PCMU] = {"PCMU", 0},
	[DP_CODEC_PCMA] = {"PCMA", 8},
	[DP_CODEC_L16] = {"L16", 96},
};

uint8_t
ue_codec_pt(enum dp_codec_id codec)
{
	return codecs[codec].pt;
}

const char *
ue_codec_name(enum dp_codec_id codec)
{
	return codec > DP_CODEC_NONE && codec < DP_CODEC_COUNT ? codecs[codec].name : "none";
}

enum dp_codec_id
ue_codec_by_name(const char *name)
{
	for (int i = DP_CODEC_NONE + 1; i < DP_CODEC_COUNT; i++)
		if (strcasecmp(codecs[i].name, name) == 0)
			return i;
	return DP_CODEC_NONE;
}

enum dp_suite
ue_suite_by_name(const char *name)
{
	for (int i = DP_SUITE_NONE + 1; i < DP_SUITE_COUNT; i++)
		if (strcasecmp(dp_suite_info(i)->name, name) == 0)
			return i;
	return DP_SUITE_NONE;
}

int
ue_sdes_random(struct ue_sdes *key, enum dp_suite suite, unsigned tag)
{
	const struct dp_suite_info *info = dp_suite_info(suite);

	memset(key, 0, sizeof(*key));
	key->tag = tag;
	key->suite = suite;
	if (getrandom(key->key, info->key, 0) != info->key ||
	    getrandom(key->salt, info->salt, 0) != info->salt)
		return -EIO;
	return 0;
}

static int
crypto_write(char *out, size_t size, const struct ue_sdp *sdp, const struct ue_sdes *key)
{
	const struct dp_suite_info *info = dp_suite_info(key->suite);
	uint8_t both[DP_SRTP_KEY_MAX + DP_SRTP_SALT_MAX];
	unsigned char text[80];
	char mki[32] = "";
	int n;

	memcpy(both, key->key, info->key);
	memcpy(both + info->key, key->salt, info->salt);
	EVP_EncodeBlock(text, both, info->key + info->salt);
	if (key->mki_len)
		snprintf(mki, sizeof(mki), "|%u:%u", key->mki, key->mki_len);
	n = snprintf(out, size, "a=crypto:%u %s inline:%s%s%s%s%s%s\r\n", key->tag, info->name,
		     text, sdp->lifetime ? "|" : "", sdp->lifetime ? sdp->lifetime : "", mki,
		     sdp->params ? " " : "", sdp->params ? sdp->params : "");
	explicit_bzero(both, sizeof(both));
	explicit_bzero(text, sizeof(text));
	return n;
}

/* What --media-lines can name: an m-line with its attributes. Ports of those without a stream are never used. */
static const struct {
	const char *name, *media, *proto, *formats, *attributes;
	uint16_t port;
} lines[] = {
	{"audio", "audio", "RTP/SAVP", "0", "a=rtpmap:0 PCMU/8000\r\na=inactive\r\n", 9},
	{"video", "video", "RTP/SAVP", "97", "a=rtpmap:97 H264/90000\r\na=inactive\r\n", 9},
	{"plain", "video", "RTP/AVP", "97", "a=rtpmap:97 H264/90000\r\na=inactive\r\n", 9},
	{"message", "message", "TCP/TLS/MSRP", "*",
	 "a=accept-types:text/plain\r\na=setup:active\r\n", 9},
	/* described by struct ue_stream_sdp */
	{"floor", "application", "TCP/TLS/BFCP", "*", "", 9},
	{"chat", "message", "TCP/TLS/MSRP", "*", "", 9},
};

bool
ue_line_by_name(struct ue_line *out, const char *name)
{
	for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (strcmp(lines[i].name, name) != 0)
			continue;
		memset(out, 0, sizeof(*out));
		snprintf(out->media, sizeof(out->media), "%s", lines[i].media);
		snprintf(out->proto, sizeof(out->proto), "%s", lines[i].proto);
		snprintf(out->formats, sizeof(out->formats), "%s", lines[i].formats);
		out->port = lines[i].port;
		return true;
	}
	return false;
}

bool
ue_line_is_keyed(const struct ue_line *line)
{
	return !line->mikey && (strncmp(line->proto, "RTP/SAVP", 8) == 0 ||
				strncmp(line->proto, "TCP/TLS/", 8) == 0);
}

uint8_t
ue_sdp_cs_id(const struct ue_sdp *sdp, unsigned line)
{
	uint8_t cs_id = 1;

	for (unsigned i = 0; i < line && i < sdp->line_count; i++)
		if (ue_line_is_keyed(&sdp->line[i]))
			cs_id += 2;
	return cs_id;
}

struct text {
	char *at;
	size_t len;
};

static void __attribute__((format(printf, 2, 3))) put(struct text *t, const char *format, ...)
{
	size_t room = t->len < UE_SDP_MAX ? UE_SDP_MAX - t->len : 0;
	va_list args;

	va_start(args, format);
	t->len += (size_t)vsnprintf(t->at + (room ? t->len : 0), room, format, args);
	va_end(args);
}

static void
mikey_write(struct text *t, const char *mikey, size_t len)
{
	put(t, "a=key-mgmt:mikey %.*s\r\n", (int)len, mikey);
}

/* The stream that an m-line is; UE_SERVICES: none that we use. */
static enum ue_service
stream_at(const struct ue_sdp *sdp, unsigned line)
{
	unsigned i = 0;

	while (i < UE_SERVICES && !(sdp->stream[i].is_there && sdp->stream[i].line == line))
		i++;
	return (enum ue_service)i;
}

/* An m-line that is not our audio. */
static void
line_write(struct text *t, const struct ue_sdp *sdp, unsigned index)
{
	const struct ue_line *line = &sdp->line[index];
	enum ue_service service = stream_at(sdp, index);
	char attributes[640] = "";

	put(t, "m=%s %u %s %s\r\n", line->media, line->port, line->proto, line->formats);
	if (line->port && service < UE_SERVICES) {
		ue_stream_write(attributes, sizeof(attributes), &sdp->stream[service], service);
		put(t, "%s", attributes);
	}
	for (unsigned i = 0;
	     line->port && service == UE_SERVICES && i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (strcmp(lines[i].media, line->media) == 0 &&
		    strcmp(lines[i].proto, line->proto) == 0) {
			put(t, "%s", lines[i].attributes);
			break;
		}
	}
	if (line->mikey)
		mikey_write(t, line->mikey, line->mikey_len);
}

static void
audio_write(struct text *t, const struct ue_sdp *sdp, const char *ip)
{
	put(t, "m=audio %u RTP/%s", sdp->port, sdp->is_secure ? "SAVP" : "AVP");
	for (unsigned i = 0; i < sdp->codec_count; i++)
		put(t, " %u", sdp->pt[i]);
	if (sdp->dtmf_pt)
		put(t, " %u", sdp->dtmf_pt);
	put(t, "\r\n");
	for (unsigned i = 0; i < sdp->codec_count; i++)
		put(t, "a=rtpmap:%u %s/8000\r\n", sdp->pt[i], codecs[sdp->codec[i]].name);
	if (sdp->dtmf_pt)
		put(t, "a=rtpmap:%u telephone-event/8000\r\na=fmtp:%u 0-15\r\n", sdp->dtmf_pt,
		    sdp->dtmf_pt);
	put(t, "a=ptime:%u\r\na=%s\r\n", sdp->ptime, sdp->dir);
	if (sdp->has_mux)
		put(t, "a=rtcp-mux\r\n");
	if (sdp->rtcp_port && sdp->rtcp_port != sdp->port + 1)
		put(t, "a=rtcp:%u IN %s %s\r\n", sdp->rtcp_port, ip, sdp->addr);
	if (sdp->mikey && !sdp->is_mikey_at_session)
		mikey_write(t, sdp->mikey, sdp->mikey_len);
	for (unsigned i = 0; i < sdp->key_count && t->len < UE_SDP_MAX; i++)
		t->len += (size_t)crypto_write(t->at + t->len, UE_SDP_MAX - t->len, sdp,
					       &sdp->key[i]);
}

size_t
ue_sdp_write(char out[UE_SDP_MAX], const struct ue_sdp *sdp)
{
	const char *ip = strchr(sdp->addr, ':') ? "IP6" : "IP4";
	struct text t = {out, 0};

	put(&t, "v=0\r\no=- %llu %u IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\n",
	    (unsigned long long)sdp->session, sdp->version, ip, sdp->addr, ip, sdp->addr);
	if (sdp->mikey && sdp->is_mikey_at_session)
		mikey_write(&t, sdp->mikey, sdp->mikey_len);
	for (unsigned i = 0; i == 0 || i < sdp->line_count; i++) {
		if (i == sdp->own)
			audio_write(&t, sdp, ip);
		else
			line_write(&t, sdp, i);
	}
	return t.len < UE_SDP_MAX ? t.len : 0;
}

/* "1 AES_CM_128_HMAC_SHA1_80 inline:KEY|2^31|1:4 PARAM…". A suite that we do not know is passed over. */
static void
crypto_read(struct ue_sdp *sdp, const char *value)
{
	struct ue_sdes *key = &sdp->key[sdp->key_count];
	const struct dp_suite_info *info;
	uint8_t both[64];
	char name[48], text[80];
	int at = 0, len;
	const char *mki;

	memset(key, 0, sizeof(*key));
	if (sscanf(value, "%9u %47s inline:%79[A-Za-z0-9+/=]%n", &key->tag, name, text, &at) != 3)
		return;
	key->suite = ue_suite_by_name(name);
	info = dp_suite_info(key->suite);
	len = (int)strlen(text);
	if (key->suite == DP_SUITE_NONE || len % 4 != 0 || len > 84 ||
	    3 * (len / 4) > (int)sizeof(both))
		return;
	if (EVP_DecodeBlock(both, (const unsigned char *)text, len) >= info->key + info->salt) {
		memcpy(key->key, both, info->key);
		memcpy(key->salt, both + info->key, info->salt);
		for (mki = strchr(value + at, '|'); mki; mki = strchr(mki + 1, '|')) {
			unsigned v, n;

			if (sscanf(mki, "|%u:%u", &v, &n) == 2 && n <= 4) {
				key->mki = v;
				key->mki_len = (uint8_t)n;
			}
		}
		sdp->key_count++;
	}
	explicit_bzero(both, sizeof(both));
	explicit_bzero(text, sizeof(text));
}

static void
rtpmap_read(struct ue_sdp *sdp, const char *value)
{
	unsigned pt, rate;
	char name[32];
	enum dp_codec_id codec;

	if (sscanf(value, "%u %31[^/]/%u", &pt, name, &rate) != 3 || pt > 127 || rate != 8000)
		return;
	if (strcasecmp(name, "telephone-event") == 0)
		sdp->dtmf_pt = (uint8_t)pt;
	codec = ue_codec_by_name(name);
	for (unsigned i = 0; i < sdp->codec_count; i++)
		if (sdp->pt[i] == pt)
			sdp->codec[i] = codec;
}

/* The formats of our audio. */
static void
formats_read(struct ue_sdp *sdp, const struct ue_line *line)
{
	sdp->port = line->port;
	sdp->is_secure = strstr(line->proto, "SAVP") != NULL;
	for (const char *p = line->formats; *p != '\0';) {
		char *end;
		unsigned long pt = strtoul(p, &end, 10);

		if (end == p || pt > 127)
			break;
		if (sdp->codec_count < UE_CODECS_MAX) {
			sdp->pt[sdp->codec_count] = (uint8_t)pt;
			sdp->codec[sdp->codec_count++] = pt == 0   ? DP_CODEC_PCMU
							 : pt == 8 ? DP_CODEC_PCMA
								   : DP_CODEC_NONE;
		}
		p = end;
	}
}

/* "m=audio 40000 RTP/SAVP 0 8 101". False: one m-line too many, or none at all. */
static bool
media_read(struct ue_sdp *sdp, const char *value, bool *has_audio)
{
	struct ue_line *line = &sdp->line[sdp->line_count];
	enum ue_service service;
	unsigned port = 0;

	if (sdp->line_count == UE_LINES_MAX ||
	    sscanf(value, "m=%15s %u %23s %47[^\r\n]", line->media, &port, line->proto,
		   line->formats) < 3)
		return false;
	line->port = (uint16_t)port;
	service = ue_stream_of(line->media, line->proto);
	if (service < UE_SERVICES && !sdp->stream[service].is_there) {
		sdp->stream[service].is_there = true;
		sdp->stream[service].line = sdp->line_count;
	}
	if (!*has_audio && strcmp(line->media, "audio") == 0) {
		*has_audio = true;
		sdp->own = sdp->line_count;
		formats_read(sdp, line);
	}
	sdp->line_count++;
	return true;
}

static void
attribute_read(struct ue_sdp *sdp, const char *a)
{
	unsigned number;

	if (strncmp(a, "crypto:", 7) == 0 && sdp->key_count < UE_KEYS_MAX)
		crypto_read(sdp, a + 7);
	else if (strncmp(a, "rtpmap:", 7) == 0)
		rtpmap_read(sdp, a + 7);
	else if (strcmp(a, "rtcp-mux") == 0)
		sdp->has_mux = true;
	else if (sscanf(a, "rtcp:%u", &number) == 1)
		sdp->rtcp_port = (uint16_t)number;
	else if (sscanf(a, "ptime:%u", &number) == 1)
		sdp->ptime = number;
	else if (strcmp(a, "sendonly") == 0)
		sdp->dir = "sendonly";
	else if (strcmp(a, "recvonly") == 0)
		sdp->dir = "recvonly";
	else if (strcmp(a, "inactive") == 0)
		sdp->dir = "inactive";
	else if (strcmp(a, "sendrecv") == 0)
		sdp->dir = "sendrecv";
}

/* A line of the session, which holds for all streams, or of the stream that was read last. */
static void
stream_read(struct ue_sdp *sdp, const char *line)
{
	for (unsigned i = 0; i < UE_SERVICES; i++) {
		struct ue_stream_sdp *s = &sdp->stream[i];

		if (sdp->line_count != 0 && (!s->is_there || s->line != sdp->line_count - 1))
			continue;
		if (strncmp(line, "c=IN IP", 7) == 0)
			sscanf(line + 7, "%*c %45[0-9a-fA-F.:]", s->addr);
		else if (strncmp(line, "a=", 2) == 0)
			ue_stream_attribute(s, line + 2);
	}
}

/* At the session, or at the m-line that was read last. */
static void
mikey_read(struct ue_sdp *sdp, bool is_ours, const char *base64, size_t len)
{
	if (sdp->line_count) {
		sdp->line[sdp->line_count - 1].mikey = base64;
		sdp->line[sdp->line_count - 1].mikey_len = len;
	}
	if (!is_ours)
		return; /* at media level it overrides */
	sdp->mikey = base64;
	sdp->mikey_len = len;
	sdp->is_mikey_at_session = sdp->line_count == 0;
}

int
ue_sdp_read(struct ue_sdp *out, const char *text, size_t len)
{
	const char *end = text + len;
	char line[1024];
	static const char mikey[] = "a=key-mgmt:mikey ";
	const size_t prefix = sizeof(mikey) - 1;
	bool has_audio = false, is_whole = true;

	memset(out, 0, sizeof(*out));
	out->dir = "sendrecv";
	out->ptime = 20;
	while (text < end && is_whole) {
		bool is_ours =
			out->line_count == 0 || (has_audio && out->own == out->line_count - 1);
		size_t n = 0;

		while (text + n < end && text[n] != '\n' && text[n] != '\r')
			n++;
		if (n > prefix && memcmp(text, mikey, prefix) == 0) {
			/* borrowed, and longer than a line */
			mikey_read(out, is_ours, text + prefix, n - prefix);
		} else if (n >= 2 && n < sizeof(line)) {
			memcpy(line, text, n);
			line[n] = '\0';
			if (strncmp(line, "m=", 2) == 0)
				is_whole = media_read(out, line, &has_audio);
			else if (strncmp(line, "c=IN IP", 7) == 0 && is_ours)
				sscanf(line + 7, "%*c %45[0-9a-fA-F.:]", out->addr);
			else if (strncmp(line, "a=", 2) == 0 && is_ours)
				attribute_read(out, line + 2);
			stream_read(out, line);
		}
		text += n + 1;
	}
	explicit_bzero(line, sizeof(line));
	return has_audio && is_whole ? 0 : -EBADMSG;
}
