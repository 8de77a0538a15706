/* What tests of floor and chat in offer and answer share: sections, policy, texts. */
#ifndef TEST_SDP_STREAMS_H
#define TEST_SDP_STREAMS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <arpa/inet.h>
#include <cmocka.h>
#include "ctrlplane/sdp/sdp.h"
#include "offers.h"

#pragma GCC diagnostic ignored "-Wmissing-field-initializers" /* rows say what is not zero */

#define ORIGIN(v) "v=0\r\no=- 7 " v " IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n"
#define AVP "m=audio 5004 RTP/AVP 0\r\n"
#define SAVP "m=audio 5004 RTP/SAVP 0\r\n" TEST_C80
#define KEYED "m=audio 5004 RTP/SAVP 0\r\n"
#define PRINT                                                                                     \
	"19:E2:1C:3B:4B:9F:81:E6:B8:5C:F4:A5:A8:D8:73:04:BB:05:2F:70:9F:04:A9:0E:05:E9:26:33:E8:" \
	"70:88:A2"
#define PRINT2                                                                                    \
	"6B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:" \
	"2C:19:08"
#define SHA "a=fingerprint:SHA-256 " PRINT "\r\n"
#define BFCP "m=application 9 TCP/BFCP *\r\n"
#define TLS_BFCP "m=application 9 TCP/TLS/BFCP *\r\n"
#define MSRP "m=message 2855 TCP/MSRP *\r\n"
#define TLS_MSRP "m=message 2855 TCP/TLS/MSRP *\r\n"
#define TYPES "a=accept-types:message/cpim text/plain\r\n"
#define PATH "a=path:msrp://192.0.2.7:2855/abc;tcp\r\n"
#define PATHS "a=path:msrps://192.0.2.7:2855/abc;tcp\r\n"
#define CLIENT "a=floorctrl:c-only\r\na=bfcpver:1\r\n"
#define ACTIVE "a=setup:active\r\n"
#define NEW "a=connection:new\r\n"
#define EXISTING "a=connection:existing\r\n"
#define MIKEY(m) "a=key-mgmt:mikey " m "\r\n"
#define M1 "AQIDBAUGBwg="
#define M2 "CAcGBQQDAgE="

#define FIRST_FLOOR SAVP TLS_BFCP ACTIVE NEW CLIENT SHA
#define FIRST_CHAT SAVP TLS_MSRP TYPES PATHS SHA

__attribute__((unused)) static int
same_key(struct cp_key *out, enum dp_suite suite)
{
	const struct dp_suite_info *info = dp_suite_info(suite);
	uint8_t octets[CP_SECRET_MAX];

	memset(octets, 0x5a, sizeof(octets));
	*out = (struct cp_key){.suite = suite};
	return cp_secret_create(&out->octets, octets, (size_t)info->key + info->salt);
}

__attribute__((unused)) static uint64_t
fixed_id(void)
{
	return 4711;
}

__attribute__((unused)) static struct cp_sdp_policy
policy(enum cp_sdp_security security)
{
	struct cp_sdp_policy p;

	cp_sdp_policy_default(&p);
	p.security = security;
	p.may_mikey = true;
	p.make_key = same_key;
	p.make_session_id = fixed_id;
	p.takes[CP_SDP_FLOOR] = p.takes[CP_SDP_CHAT] = true;
	return p;
}

__attribute__((unused)) static struct cp_sdp_local local = {
	.rtp = {.family = DP_FAMILY_IP4, .port = 26000, .ip = {127, 0, 0, 1}},
	.rtcp = {.family = DP_FAMILY_IP4, .port = 26001, .ip = {127, 0, 0, 1}},
	.mikey = {"answer", 6},
	.streams = {{.family = DP_FAMILY_IP4, .port = 5070, .ip = {127, 0, 0, 1}},
		    {.family = DP_FAMILY_IP4, .port = 2856, .ip = {127, 0, 0, 2}}},
	.stream_mikey = {{"floor!", 6}, {"chat!!", 6}},
	.fingerprint = "sha-256 AA:BB",
	.confid = 4321,
	.userid = 17,
	.floor_count = 3,
	.floors = {{.id = 1, .has_audio = true},
		   {.id = 2, .has_chat = true},
		   {.id = 3, .has_audio = true, .has_chat = true}},
	.path = "msrp://127.0.0.2:2856/s1;tcp",
	.max_size = 1048576,
	.has_nicknames = true,
	.has_private = true,
};

__attribute__((unused)) static const char *
encode(const struct cp_sdp_session *session)
{
	static char text[CP_SDP_TEXT_MAX];

	assert_true(cp_sdp_encode(text, sizeof(text), session, &local) > 0);
	return text;
}

/* The m-section whose m= line starts so. */
__attribute__((unused)) static const char *
section(const char *text, const char *mline)
{
	static char out[CP_SDP_TEXT_MAX];
	const char *at = strstr(text, mline), *end;

	assert_non_null(at);
	end = strstr(at, "\r\nm=");
	snprintf(out, sizeof(out), "%.*s", end ? (int)(end + 2 - at) : (int)strlen(at), at);
	return out;
}

__attribute__((unused)) static void
set_keys(struct cp_sdp_result *r, const struct cp_sdp_session *session)
{
	struct cp_key key;

	if (r->mikey.len == 0)
		return;
	assert_int_equal(same_key(&key, DP_SUITE_AEAD_AES_128_GCM), 0);
	cp_sdp_set_keys(r, session, &key, &key, false);
	cp_key_drop(&key);
}

/* An offer is answered and committed; the changes. */
__attribute__((unused)) static uint32_t
agree_as(struct cp_sdp_session *session, const char *offer, const struct cp_sdp_policy *p)
{
	struct cp_sdp_result r;
	uint32_t changes;

	if (cp_sdp_answer(&r, cp_slice_text(offer), p, session) != 0)
		fail_msg("%d %d %s", r.status, r.warning, r.text);
	set_keys(&r, session);
	changes = r.changes;
	cp_sdp_commit(session, &r);
	return changes;
}

__attribute__((unused)) static uint32_t
agree(struct cp_sdp_session *session, const char *offer, enum cp_sdp_security security)
{
	struct cp_sdp_policy p = policy(security);

	return agree_as(session, offer, &p);
}

#endif
