/* SDP written and read: one audio stream with its crypto lines. */
#include "bench/load/sdp.h"
#include <errno.h>
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

size_t
ue_sdp_write(char out[UE_SDP_MAX], const struct ue_sdp *sdp)
{
	const char *ip = strchr(sdp->addr, ':') ? "IP6" : "IP4";
	size_t n = 0;

#define PUT(...) n += (size_t)snprintf(out + n, n < UE_SDP_MAX ? UE_SDP_MAX - n : 0, __VA_ARGS__)
	PUT("v=0\r\no=- %llu %u IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\n",
	    (unsigned long long)sdp->session, sdp->version, ip, sdp->addr, ip, sdp->addr);
	if (sdp->mikey && sdp->is_mikey_at_session)
		PUT("a=key-mgmt:mikey %.*s\r\n", (int)sdp->mikey_len, sdp->mikey);
	PUT("m=audio %u RTP/%s", sdp->port, sdp->is_secure ? "SAVP" : "AVP");
	for (unsigned i = 0; i < sdp->codec_count; i++)
		PUT(" %u", sdp->pt[i]);
	if (sdp->dtmf_pt)
		PUT(" %u", sdp->dtmf_pt);
	PUT("\r\n");
	for (unsigned i = 0; i < sdp->codec_count; i++)
		PUT("a=rtpmap:%u %s/8000\r\n", sdp->pt[i], codecs[sdp->codec[i]].name);
	if (sdp->dtmf_pt)
		PUT("a=rtpmap:%u telephone-event/8000\r\na=fmtp:%u 0-15\r\n", sdp->dtmf_pt,
		    sdp->dtmf_pt);
	PUT("a=ptime:%u\r\na=%s\r\n", sdp->ptime, sdp->dir);
	if (sdp->has_mux)
		PUT("a=rtcp-mux\r\n");
	if (sdp->rtcp_port && sdp->rtcp_port != sdp->port + 1)
		PUT("a=rtcp:%u IN %s %s\r\n", sdp->rtcp_port, ip, sdp->addr);
	if (sdp->mikey && !sdp->is_mikey_at_session)
		PUT("a=key-mgmt:mikey %.*s\r\n", (int)sdp->mikey_len, sdp->mikey);
#undef PUT
	for (unsigned i = 0; i < sdp->key_count && n < UE_SDP_MAX; i++)
		n += (size_t)crypto_write(out + n, UE_SDP_MAX - n, sdp, &sdp->key[i]);
	return n < UE_SDP_MAX ? n : 0;
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

/* "audio 40000 RTP/SAVP 0 8 101" */
static void
media_read(struct ue_sdp *sdp, const char *value)
{
	char profile[32];
	unsigned port = 0;
	int at = 0;

	if (sscanf(value, "audio %u %31s%n", &port, profile, &at) != 2)
		return;
	sdp->port = (uint16_t)port;
	sdp->is_secure = strstr(profile, "SAVP") != NULL;
	for (const char *p = value + at; *p == ' ';) {
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

int
ue_sdp_read(struct ue_sdp *out, const char *text, size_t len)
{
	const char *end = text + len;
	char line[1024];
	static const char mikey[] = "a=key-mgmt:mikey ";
	const size_t prefix = sizeof(mikey) - 1;
	unsigned medias = 0, audio = 0;

	memset(out, 0, sizeof(*out));
	out->dir = "sendrecv";
	out->ptime = 20;
	while (text < end) {
		size_t n = 0;

		while (text + n < end && text[n] != '\n' && text[n] != '\r')
			n++;
		/* borrowed, and longer than a line; at media level it overrides */
		if (n > prefix && memcmp(text, mikey, prefix) == 0 &&
		    (medias == 0 || medias == audio)) {
			out->mikey = text + prefix;
			out->mikey_len = n - prefix;
			out->is_mikey_at_session = medias == 0;
		} else if (n >= 2 && n < sizeof(line)) {
			memcpy(line, text, n);
			line[n] = '\0';
			if (strncmp(line, "m=", 2) == 0)
				medias++;
			if (strncmp(line, "m=audio ", 8) == 0 && !audio) {
				audio = medias;
				media_read(out, line + 2);
			} else if (strncmp(line, "c=IN IP", 7) == 0 &&
				   (medias == 0 || medias == audio)) {
				sscanf(line + 7, "%*c %45[0-9a-fA-F.:]", out->addr);
			} else if (strncmp(line, "a=", 2) == 0 &&
				   (medias == 0 || medias == audio)) {
				attribute_read(out, line + 2);
			}
		}
		text += n + 1;
	}
	explicit_bzero(line, sizeof(line));
	return audio ? 0 : -EBADMSG;
}
