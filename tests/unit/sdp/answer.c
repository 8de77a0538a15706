/* Answering offers: what is taken, what is refused and how, and what a later offer changes (RFC 3264, RFC 4568). */
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

static int keys_made;

/* Keys by counting: no luck in tests. */
static int
count_key(struct cp_key *out, enum dp_suite suite)
{
	const struct dp_suite_info *info = dp_suite_info(suite);
	uint8_t octets[CP_SECRET_MAX];

	memset(octets, ++keys_made, sizeof(octets));
	*out = (struct cp_key){.suite = suite};
	return cp_secret_create(&out->octets, octets, (size_t)info->key + info->salt);
}

static uint64_t
fixed_id(void)
{
	return 4711;
}

static struct cp_sdp_policy
policy(enum cp_sdp_security security)
{
	struct cp_sdp_policy p;

	cp_sdp_policy_default(&p);
	p.security = security;
	p.make_key = count_key;
	p.make_session_id = fixed_id;
	return p;
}

static const struct cp_sdp_local local = {
	.rtp = {.family = DP_FAMILY_IP4, .port = 26000, .ip = {127, 0, 0, 1}},
	.rtcp = {.family = DP_FAMILY_IP4, .port = 26001, .ip = {127, 0, 0, 1}},
	.name = "Team",
};

static struct dp_addr
address(const char *text, uint16_t port)
{
	struct dp_addr addr = {.family = strchr(text, ':') ? DP_FAMILY_IP6 : DP_FAMILY_IP4,
			       .port = port};

	assert_int_equal(
		inet_pton(addr.family == DP_FAMILY_IP6 ? AF_INET6 : AF_INET, text, addr.ip), 1);
	return addr;
}

static const char *
encode(const struct cp_sdp_session *session)
{
	static char text[CP_SDP_TEXT_MAX];
	int len = cp_sdp_encode(text, sizeof(text), session, &local);

	assert_true(len > 0);
	assert_int_equal(strlen(text), len);
	return text;
}

/* Answer, commit, and the answer's text. */
static const char *
agree(struct cp_sdp_session *session, const char *offer, enum cp_sdp_security security,
      uint32_t *changes)
{
	struct cp_sdp_policy p = policy(security);
	struct cp_sdp_result r;

	if (cp_sdp_answer(&r, cp_slice_text(offer), &p, session) != 0)
		fail_msg("%d %d %s", r.status, r.warning, r.text);
	if (changes != NULL)
		*changes = r.changes;
	cp_sdp_commit(session, &r);
	return encode(session);
}

static void
baresip_is_answered(void **state)
{
	struct cp_sdp_session s = {0};
	const struct cp_sdp_media *m = &s.media;
	struct dp_addr rtp = address("127.0.0.1", 26010);
	uint32_t changes;
	const char *text;

	keys_made = 0;
	text = agree(&s, offer_baresip, CP_SDP_SECURE, &changes);
	assert_string_equal(
		text,
		"v=0\r\no=conclave 4711 1 IN IP4 127.0.0.1\r\ns=Team\r\nc=IN IP4 127.0.0.1\r\nt=0 "
		"0\r\n"
		"m=audio 26000 RTP/SAVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
		"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 "
		"0-15\r\na=ptime:20\r\na=sendrecv\r\na=rtcp-mux\r\n"
		"a=crypto:1 AES_CM_128_HMAC_SHA1_80 "
		"inline:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB\r\n");
	assert_int_equal(changes,
			 CP_SDP_CHANGE_MEDIA | CP_SDP_CHANGE_RX_KEY | CP_SDP_CHANGE_TX_KEY);
	assert_int_equal(m->profile, CP_SDP_SAVP);
	assert_int_equal(m->suite, DP_SUITE_AES_CM_128_HMAC_SHA1_80);
	assert_true(dp_addr_is_same(&m->remote_rtp, &rtp));
	assert_true(m->has_mux && m->has_rtcp && !m->is_held);
	assert_int_equal(m->dirs, CP_SDP_RECEIVE | CP_SDP_SEND);
	assert_int_equal(m->rx_count, 2);
	assert_int_equal(m->tx.codec, DP_CODEC_PCMU);
	assert_int_equal(m->dtmf_pt, 101);
	assert_int_equal(m->rx_key_count, 1);
	assert_memory_equal(cp_secret_octets(m->rx_keys[0].octets),
			    "YS___semctl () {\t220;}\n}\nunles", 30);
	cp_sdp_fini(&s);
	assert_int_equal(cp_secret_count(), 0);
}

static void
linphone_is_answered_without_video(void **state)
{
	struct cp_sdp_session s = {0};
	const char *text = agree(&s, offer_linphone, CP_SDP_SECURE, NULL);
	struct dp_addr rtcp = address("192.0.2.10", 7079);

	assert_non_null(strstr(text, "m=audio 26000 RTP/SAVPF 0 8 99\r\n"));
	assert_non_null(strstr(text, "\r\nm=video 0 RTP/SAVPF 96\r\n"));
	assert_non_null(strstr(text, "a=rtcp:26001\r\n"));
	assert_non_null(strstr(text, "a=crypto:1 AEAD_AES_128_GCM inline:"));
	assert_null(strstr(text, "rtcp-fb"));
	assert_true(strstr(text, "m=audio") < strstr(text, "m=video"));
	assert_true(dp_addr_is_same(&s.media.remote_rtcp, &rtcp));
	assert_false(s.media.has_mux);
	assert_int_equal(s.media.dtmf_pt, 99); /* the one with a clock of 8000 Hz */
	cp_sdp_fini(&s);
}

static void
polycom_is_answered_on_its_secure_line(void **state)
{
	static const enum cp_sdp_security both[] = {CP_SDP_SECURE, CP_SDP_EITHER};

	for (int i = 0; i < 2; i++) {
		struct cp_sdp_session s = {0};
		const char *text = agree(&s, offer_polycom, both[i], NULL);

		assert_non_null(strstr(text, "m=audio 26000 RTP/SAVP 0 8 127\r\n"));
		assert_non_null(strstr(text, "m=audio 0 RTP/AVP 9\r\n"));
		assert_non_null(
			strstr(text, "|1:4\r\n")); /* an MKI as long as the peer's, for our key */
		assert_true(s.media.rx_keys[0].lifetime == 1ULL << 31);
		assert_int_equal(s.media.rx_keys[0].mki_len, 4);
		assert_int_equal(s.media.tx_key.mki_len, 4);
		cp_sdp_fini(&s);
	}
}

/* Plain only where the policy says so; then the plain m-line, although the secure one stands first. */
static void
polycom_is_answered_on_its_plain_line(void **state)
{
	struct cp_sdp_session s = {0};
	const char *text = agree(&s, offer_polycom, CP_SDP_PLAIN, NULL);

	assert_non_null(strstr(text, "m=audio 0 RTP/SAVP 9\r\nm=audio 26000 RTP/AVP 0 8 127\r\n"));
	assert_null(strstr(text, "a=crypto"));
	assert_int_equal(s.media.suite, DP_SUITE_NONE);
	assert_int_equal(s.audio, 1);
	cp_sdp_fini(&s);
}

static void
rfc_examples_are_answered(void **state)
{
	struct cp_sdp_session s = {0};
	const char *text = agree(&s, offer_rfc4568, CP_SDP_SECURE, NULL);
	static const uint8_t one[] = {0, 0, 0, 1};

	assert_non_null(strstr(text, "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:"));
	assert_memory_equal(s.media.rx_keys[0].mki, one, 4);
	cp_sdp_fini(&s);
	text = agree(&s, offer_rfc3264, CP_SDP_EITHER, NULL);
	assert_non_null(strstr(text, "m=audio 26000 RTP/AVP 0\r\n"));
	assert_non_null(strstr(text, "m=video 0 RTP/AVP 31\r\nm=video 0 RTP/AVP 32\r\n"));
	cp_sdp_fini(&s);
}

static void
ip6_and_its_neighbours(void **state)
{
	struct cp_sdp_session s = {0};
	const char *text = agree(&s, offer_ip6, CP_SDP_SECURE, NULL);
	struct dp_addr rtp = address("2001:db8::5", 5004), rtcp = address("2001:db8::6", 5100);

	assert_true(dp_addr_is_same(&s.media.remote_rtp, &rtp));
	assert_true(dp_addr_is_same(&s.media.remote_rtcp, &rtcp));
	assert_non_null(strstr(text, "RTP/SAVP 112 8 110\r\na=rtpmap:112 L16/8000\r\n"));
	assert_non_null(strstr(text, "a=ptime:30\r\n"));
	assert_non_null(strstr(text, "a=crypto:7 AES_CM_128_HMAC_SHA1_32 "));
	assert_null(strstr(text, "ice-"));
	assert_null(strstr(text, "extmap"));
	assert_null(strstr(text, "3ge2ae"));
	assert_int_equal(s.media.tx.codec, DP_CODEC_L16);
	cp_sdp_fini(&s);
}

struct refusal {
	const char *what;
	const char *offer;
	enum cp_sdp_security security;
	int status, warning;
	const char *text;
};

#define AUDIO "m=audio 5004 RTP/SAVP 0\r\n"

static const struct refusal refusals[] = {
	{"plain RTP", offer_rfc3264, CP_SDP_SECURE, 488, 302, "without SRTP"},
	{"plain RTP with a=crypto", TEST_HEAD "m=audio 5004 RTP/AVP 0\r\n" TEST_C80, CP_SDP_SECURE,
	 488, 302, "without SRTP"},
	{"SRTP where none is wanted", offer_baresip, CP_SDP_PLAIN, 488, 302, "with SRTP"},
	{"DTLS-SRTP", offer_dtls, CP_SDP_EITHER, 488, 302, "transport"},
	{"no a=crypto", TEST_HEAD AUDIO, CP_SDP_SECURE, 488, 399, "no a=crypto line"},
	{"no a=crypto, either", TEST_HEAD AUDIO, CP_SDP_EITHER, 488, 399, "no a=crypto line"},
	{"crypto at session level", TEST_HEAD TEST_C80 AUDIO, CP_SDP_SECURE, 488, 399,
	 "no a=crypto line"},
	{"only F8", TEST_HEAD AUDIO "a=crypto:1 F8_128_HMAC_SHA1_80 inline:" TEST_K1 "\r\n",
	 CP_SDP_SECURE, 488, 399, "suite"},
	{"key too short",
	 TEST_HEAD AUDIO "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" TEST_K28 "\r\n",
	 CP_SDP_SECURE, 488, 399, "length of the suite"},
	{"unknown parameter",
	 TEST_HEAD AUDIO "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" TEST_K1 " FOO\r\n",
	 CP_SDP_SECURE, 488, 399, "session parameter"},
	{"KDR", TEST_HEAD AUDIO "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" TEST_K1 " KDR=5\r\n",
	 CP_SDP_SECURE, 488, 399, "derivation"},
	{"unencrypted",
	 TEST_HEAD AUDIO "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" TEST_K1
			 " UNENCRYPTED_SRTP\r\n",
	 CP_SDP_SECURE, 488, 399, "UNENCRYPTED_SRTP"},
	{"unencrypted RTCP",
	 TEST_HEAD AUDIO "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" TEST_K1
			 " UNENCRYPTED_SRTCP\r\n",
	 CP_SDP_SECURE, 488, 399, "UNENCRYPTED_SRTCP"},
	{"unauthenticated",
	 TEST_HEAD AUDIO "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" TEST_K1
			 " UNAUTHENTICATED_SRTP\r\n",
	 CP_SDP_SECURE, 488, 399, "UNAUTHENTICATED"},
	{"lifetime",
	 TEST_HEAD AUDIO "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" TEST_K1 "|2^49\r\n",
	 CP_SDP_SECURE, 488, 399, "lifetime"},
	{"long MKI",
	 TEST_HEAD AUDIO "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" TEST_K1 "|1:32\r\n",
	 CP_SDP_SECURE, 488, 399, "MKI"},
	{"no codec",
	 TEST_HEAD
	 "m=audio 5004 RTP/SAVP 9 18 101\r\na=rtpmap:101 telephone-event/8000\r\n" TEST_C80,
	 CP_SDP_SECURE, 488, 305, "codec"},
	{"codec by another rate",
	 TEST_HEAD "m=audio 5004 RTP/SAVP 0\r\na=rtpmap:0 PCMU/16000\r\n" TEST_C80, CP_SDP_SECURE,
	 488, 305, "codec"},
	{"no m-line", TEST_HEAD, CP_SDP_SECURE, 488, 304, "no audio"},
	{"video only", TEST_HEAD "m=video 5004 RTP/SAVP 96\r\n" TEST_C80, CP_SDP_SECURE, 488, 304,
	 "no audio"},
	{"port 0", TEST_HEAD "m=audio 0 RTP/SAVP 0\r\n" TEST_C80, CP_SDP_SECURE, 488, 304,
	 "port 0"},
	{"no c=", "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n" AUDIO TEST_C80,
	 CP_SDP_SECURE, 488, 301, "c= line"},
	{"c= with a number that is none",
	 "v=0\r\no=- 1 1 IN IP4 x\r\ns=-\r\nc=IN IP4 192.0.2.300\r\nt=0 0\r\n" AUDIO TEST_C80,
	 CP_SDP_SECURE, 488, 301, "c= line"},
	{"c= with a name that is none",
	 "v=0\r\no=- 1 1 IN IP4 x\r\ns=-\r\nc=IN IP4 -host_\r\nt=0 0\r\n" AUDIO TEST_C80,
	 CP_SDP_SECURE, 488, 301, "c= line"},
	{"c= with a name, plain",
	 "v=0\r\no=- 1 1 IN IP4 x\r\ns=-\r\nc=IN IP4 host.example\r\nt=0 0\r\nm=audio 5004 RTP/AVP "
	 "0\r\n",
	 CP_SDP_PLAIN, 488, 301, "host name"},
	{"multicast",
	 "v=0\r\no=- 1 1 IN IP4 x\r\ns=-\r\nc=IN IP4 224.2.1.1/127\r\nt=0 0\r\n" AUDIO TEST_C80,
	 CP_SDP_SECURE, 488, 330, "unicast"},
	{"broadcast",
	 "v=0\r\no=- 1 1 IN IP4 x\r\ns=-\r\nc=IN IP4 255.255.255.255\r\nt=0 0\r\n" AUDIO TEST_C80,
	 CP_SDP_SECURE, 488, 330, "unicast"},
	{"multicast IPv6",
	 "v=0\r\no=- 1 1 IN IP4 x\r\ns=-\r\nc=IN IP6 ff15::101/3\r\nt=0 0\r\n" AUDIO TEST_C80,
	 CP_SDP_SECURE, 488, 330, "unicast"},
	{"nine m-lines", TEST_HEAD AUDIO TEST_C80 AUDIO AUDIO AUDIO AUDIO AUDIO AUDIO AUDIO AUDIO,
	 CP_SDP_SECURE, 488, 399, "m-lines"},
	/* malformed */
	{"empty", "", CP_SDP_SECURE, 400, 399, "empty"},
	{"no v=", "o=- 1 1 IN IP4 x\r\n", CP_SDP_SECURE, 400, 399, "line 1"},
	{"version 1", "v=1\r\no=- 1 1 IN IP4 x\r\n", CP_SDP_SECURE, 400, 399, "v=0"},
	{"no o=", "v=0\r\ns=-\r\nt=0 0\r\n" AUDIO TEST_C80, CP_SDP_SECURE, 400, 399, "o="},
	{"two o=", "v=0\r\no=- 1 1 IN IP4 x\r\no=- 1 1 IN IP4 x\r\n", CP_SDP_SECURE, 400, 399,
	 "line 3"},
	{"no letter", TEST_HEAD "audio 5004\r\n", CP_SDP_SECURE, 400, 399, "line 6"},
	{"m= without formats", TEST_HEAD "m=audio 5004 RTP/SAVP\r\n", CP_SDP_SECURE, 400, 399,
	 "format"},
	{"m= without port", TEST_HEAD "m=audio x RTP/SAVP 0\r\n", CP_SDP_SECURE, 400, 399, "port"},
	{"port too large", TEST_HEAD "m=audio 65536 RTP/SAVP 0\r\n", CP_SDP_SECURE, 400, 399,
	 "port"},
};

static void
refusals_say_what_was_missing(void **state)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct refusal *row = &refusals[i];
		struct cp_sdp_policy p = policy(row->security);
		struct cp_sdp_session none = {0};
		struct cp_sdp_result r;

		cp_sdp_answer(&r, cp_slice_text(row->offer), &p, &none);
		if (r.status != row->status || r.warning != row->warning ||
		    strstr(r.text, row->text) == NULL)
			fail_msg("%s: %d %d %s", row->what, r.status, r.warning, r.text);
		assert_null(strchr(r.text, '"'));
	}
	assert_int_equal(cp_secret_count(), 0);
}

/* One row: an offer's crypto lines and the tag that is answered. */
static void
the_first_acceptable_line_is_taken(void **state)
{
	static const struct {
		const char *lines;
		bool ranks;
		uint32_t tag;
	} rows[] = {
		{TEST_C80 TEST_C32, false, 1},
		{TEST_C32 TEST_C80, false, 2},
		{TEST_C32 TEST_C80, true, 1},
		{"a=crypto:9 F8_128_HMAC_SHA1_80 inline:" TEST_K1 "\r\n" TEST_C32, false, 2},
		{"a=crypto:9 AES_CM_128_HMAC_SHA1_80 inline:" TEST_K28 "\r\n" TEST_C32, false, 2},
		{"a=crypto:9 AES_CM_128_HMAC_SHA1_80 inline:" TEST_K2
		 " UNENCRYPTED_SRTP\r\n" TEST_C80,
		 false, 1},
		{"a=crypto:9 AES_CM_128_HMAC_SHA1_80 inline:" TEST_K2 " -X\r\n" TEST_C80, false, 9},
		{"a=crypto:garbage\r\na=crypto:\r\na=crypto\r\n" TEST_C80, false, 1},
		{TEST_C80 "a=crypto:1 AEAD_AES_128_GCM inline:" TEST_K28 "\r\n", false, 1},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cp_sdp_policy p = policy(CP_SDP_SECURE);
		struct cp_sdp_session none = {0};
		struct cp_sdp_result r;
		char offer[1024];

		p.ranks_suites = rows[i].ranks;
		snprintf(offer, sizeof(offer), TEST_HEAD AUDIO "%s", rows[i].lines);
		assert_int_equal(cp_sdp_answer(&r, cp_slice_text(offer), &p, &none), 0);
		assert_int_equal(r.next.media.crypto_tag, rows[i].tag);
		cp_sdp_drop(&r);
	}
	assert_int_equal(cp_secret_count(), 0);
}

static void
suites_are_as_the_policy_says(void **state)
{
	struct cp_sdp_policy p = policy(CP_SDP_SECURE);
	struct cp_sdp_session none = {0};
	struct cp_sdp_result r;

	p.suite_count = 1;
	p.suites[0] = DP_SUITE_AES_CM_128_HMAC_SHA1_32;
	assert_int_equal(cp_sdp_answer(&r, cp_slice_text(offer_baresip), &p, &none), 0);
	assert_int_equal(r.next.media.crypto_tag, 2);
	cp_sdp_drop(&r);
	p.suites[0] = DP_SUITE_AEAD_AES_256_GCM;
	assert_int_equal(cp_sdp_answer(&r, cp_slice_text(offer_baresip), &p, &none), 488);
	assert_non_null(strstr(r.text, "policy does not allow"));
	p.has_ip4 = false;
	assert_int_equal(cp_sdp_answer(&r, cp_slice_text(offer_baresip), &p, &none), 488);
	assert_int_equal(r.warning, 301);
	p = policy(CP_SDP_SECURE);
	p.may_plain_srtcp = true;
	assert_int_equal(
		cp_sdp_answer(&r,
			      cp_slice_text(TEST_HEAD AUDIO
					    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" TEST_K1
					    " UNENCRYPTED_SRTCP\r\n"),
			      &p, &none),
		0);
	assert_true(r.next.media.is_srtcp_plain);
	assert_non_null(strstr(encode(&r.next), " UNENCRYPTED_SRTCP\r\n"));
	cp_sdp_drop(&r);
	assert_int_equal(cp_secret_count(), 0);
}

struct media_row {
	const char *lines; /* after the m-line */
	int dirs;
	bool is_held;
	int ptime;
	bool has_rtcp;
	const char *answer;
};

static void
directions_ptime_and_rtcp(void **state)
{
	static const struct media_row rows[] = {
		{"", 3, false, 20, true, "a=sendrecv\r\n"},
		{"a=sendrecv\r\n", 3, false, 20, true, "a=sendrecv\r\n"},
		{"a=sendonly\r\n", 1, true, 20, true, "a=recvonly\r\n"},
		{"a=recvonly\r\n", 2, false, 20, true, "a=sendonly\r\n"},
		{"a=inactive\r\n", 0, true, 20, true, "a=inactive\r\n"},
		{"c=IN IP4 0.0.0.0\r\n", 1, true, 20, true, "a=recvonly\r\n"},
		{"c=IN IP4 0.0.0.0\r\na=inactive\r\n", 0, true, 20, true, "a=inactive\r\n"},
		{"c=IN IP6 ::\r\n", 1, true, 20, true, "a=recvonly\r\n"},
		{"a=ptime:10\r\n", 3, false, 10, true, "a=ptime:10\r\n"},
		{"a=ptime:60\r\n", 3, false, 60, true, "a=ptime:60\r\n"},
		{"a=ptime:100\r\n", 3, false, 60, true, "a=ptime:60\r\n"},
		{"a=ptime:35\r\n", 3, false, 30, true, "a=ptime:30\r\n"},
		{"a=ptime:5\r\n", 3, false, 10, true, "a=ptime:10\r\n"},
		{"a=ptime:0\r\n", 3, false, 20, true, "a=ptime:20\r\n"},
		{"a=ptime:x\r\n", 3, false, 20, true, "a=ptime:20\r\n"},
		{"a=ptime:40\r\na=maxptime:30\r\n", 3, false, 30, true, "a=ptime:30\r\n"},
		{"a=maxptime:10\r\n", 3, false, 10, true, "a=ptime:10\r\n"},
		{"b=RS:0\r\nb=RR:0\r\n", 3, false, 20, false, "a=sendrecv\r\n"},
		{"b=RS:0\r\nb=RR:800\r\n", 3, false, 20, true, "a=sendrecv\r\n"},
		{"b=AS:64\r\nb=RS:0\r\n", 3, false, 20, true, "a=sendrecv\r\n"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cp_sdp_session s = {0};
		char offer[1024];
		const char *text;

		snprintf(offer, sizeof(offer), TEST_HEAD AUDIO "%s" TEST_C80, rows[i].lines);
		text = agree(&s, offer, CP_SDP_SECURE, NULL);
		if (s.media.dirs != rows[i].dirs || s.media.is_held != rows[i].is_held ||
		    s.media.ptime_ms != rows[i].ptime || s.media.has_rtcp != rows[i].has_rtcp ||
		    strstr(text, rows[i].answer) == NULL)
			fail_msg("%s: dirs %d held %d ptime %d rtcp %d\n%s", rows[i].lines,
				 s.media.dirs, s.media.is_held, s.media.ptime_ms, s.media.has_rtcp,
				 text);
		cp_sdp_fini(&s);
	}
}

static void
session_level_counts_where_media_level_is_silent(void **state)
{
	struct cp_sdp_session s = {0};

	agree(&s, TEST_HEAD "a=sendonly\r\na=ptime:40\r\n" AUDIO TEST_C80, CP_SDP_SECURE, NULL);
	assert_int_equal(s.media.dirs, CP_SDP_RECEIVE);
	assert_int_equal(s.media.ptime_ms, 40);
	cp_sdp_fini(&s);
	agree(&s,
	      TEST_HEAD "a=sendonly\r\na=ptime:40\r\n" AUDIO
			"a=sendrecv\r\na=ptime:10\r\nc=IN IP4 192.0.2.77\r\n" TEST_C80,
	      CP_SDP_SECURE, NULL);
	assert_int_equal(s.media.dirs, 3);
	assert_int_equal(s.media.ptime_ms, 10);
	assert_int_equal(s.media.remote_rtp.ip[3], 77);
	cp_sdp_fini(&s);
}

/* A later offer: what it changes by RFC 4568 6.4 and 7.1.4, and whether our key and version stay. */
struct re_offer {
	const char *what;
	const char *offer;
	uint32_t changes;
	bool has_same_key;
	uint64_t version;
};

#define SAME TEST_HEAD AUDIO TEST_C80
#define ELSEWHERE TEST_HEAD "m=audio 5008 RTP/SAVP 0\r\n"

static const struct re_offer re_offers[] = {
	{"the same", SAME, 0, true, 1},
	{"hold", TEST_HEAD AUDIO "a=sendonly\r\n" TEST_C80,
	 CP_SDP_CHANGE_MEDIA | CP_SDP_CHANGE_HOLD, true, 2},
	{"hold by address", TEST_HEAD AUDIO "c=IN IP4 0.0.0.0\r\n" TEST_C80,
	 CP_SDP_CHANGE_MEDIA | CP_SDP_CHANGE_HOLD, true, 2},
	{"codec", TEST_HEAD "m=audio 5004 RTP/SAVP 8\r\n" TEST_C80, CP_SDP_CHANGE_MEDIA, true, 2},
	{"another tag", TEST_HEAD AUDIO "a=crypto:5 AES_CM_128_HMAC_SHA1_80 inline:" TEST_K1 "\r\n",
	 0, true, 2},
	{"new key", TEST_HEAD AUDIO "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" TEST_K2 "\r\n",
	 CP_SDP_CHANGE_RX_KEY, true, 1},
	{"new suite", TEST_HEAD AUDIO TEST_C32,
	 CP_SDP_CHANGE_RX_KEY | CP_SDP_CHANGE_RX_FRESH | CP_SDP_CHANGE_TX_KEY |
		 CP_SDP_CHANGE_TX_FRESH,
	 false, 2},
	{"new address and key",
	 ELSEWHERE "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" TEST_K2 "\r\n",
	 CP_SDP_CHANGE_MEDIA | CP_SDP_CHANGE_ADDRESS | CP_SDP_CHANGE_RX_KEY |
		 CP_SDP_CHANGE_RX_FRESH | CP_SDP_CHANGE_TX_KEY | CP_SDP_CHANGE_TX_FRESH,
	 false, 2},
	/* against 7.1.4, but it happens: the replay window of an unchanged key stays */
	{"new address, same key", ELSEWHERE TEST_C80,
	 CP_SDP_CHANGE_MEDIA | CP_SDP_CHANGE_ADDRESS | CP_SDP_CHANGE_TX_KEY |
		 CP_SDP_CHANGE_TX_FRESH,
	 false, 2},
	{"plain", TEST_HEAD "m=audio 5004 RTP/AVP 0\r\n",
	 CP_SDP_CHANGE_MEDIA | CP_SDP_CHANGE_SECURITY, false, 2},
};

static void
later_offers_change_what_they_must(void **state)
{
	for (size_t i = 0; i < sizeof(re_offers) / sizeof(re_offers[0]); i++) {
		const struct re_offer *row = &re_offers[i];
		struct cp_sdp_session s = {0};
		struct cp_key before;
		uint32_t changes;

		agree(&s, SAME, CP_SDP_EITHER, NULL);
		before = cp_key_copy(&s.media.tx_key);
		agree(&s, row->offer, CP_SDP_EITHER, &changes);
		if (changes != row->changes ||
		    cp_key_is_same(&before, &s.media.tx_key) != row->has_same_key ||
		    s.version != row->version)
			fail_msg("%s: changes %#x, version %d", row->what, changes, (int)s.version);
		assert_int_equal(s.id, 4711);
		cp_key_drop(&before);
		cp_sdp_fini(&s);
	}
	assert_int_equal(cp_secret_count(), 0);
}

/* A host name is nothing to look up: family and port are known, the address comes with the packets. */
static void
a_name_leaves_the_address_open(void **state)
{
	static const struct dp_addr open4 = {.family = DP_FAMILY_IP4, .port = 5004};
	static const struct dp_addr open6 = {.family = DP_FAMILY_IP6, .port = 5004};
	struct cp_sdp_session s = {0};
	uint32_t changes;

	agree(&s, TEST_HEAD AUDIO "c=IN IP4 host.example\r\n" TEST_C80, CP_SDP_SECURE, NULL);
	assert_true(dp_addr_is_same(&s.media.remote_rtp, &open4));
	assert_true(!s.media.is_held && s.media.dirs == (CP_SDP_RECEIVE | CP_SDP_SEND));
	agree(&s, TEST_HEAD AUDIO "c=IN IP4 host.example\r\n" TEST_C80, CP_SDP_SECURE, &changes);
	assert_int_equal(changes, 0);
	agree(&s, TEST_HEAD AUDIO TEST_C80, CP_SDP_SECURE, &changes);
	assert_true(changes & CP_SDP_CHANGE_ADDRESS);
	agree(&s,
	      "v=0\r\no=- 1 1 IN IP4 x\r\ns=-\r\nc=IN IP6 localhost\r\nt=0 0\r\n" AUDIO TEST_C80,
	      CP_SDP_SECURE, &changes);
	assert_true(dp_addr_is_same(&s.media.remote_rtp, &open6));
	cp_sdp_fini(&s);
}

/* Hold by 0.0.0.0 and back: same address as before the hold, so nothing moves. */
static void
unhold_by_address_moves_nothing(void **state)
{
	struct cp_sdp_session s = {0};
	uint32_t changes;

	agree(&s, SAME, CP_SDP_SECURE, NULL);
	agree(&s, TEST_HEAD AUDIO "c=IN IP4 0.0.0.0\r\n" TEST_C80, CP_SDP_SECURE, NULL);
	assert_int_equal(s.media.remote_rtp.ip[0], 127);
	agree(&s, SAME, CP_SDP_SECURE, &changes);
	assert_int_equal(changes, CP_SDP_CHANGE_MEDIA | CP_SDP_CHANGE_HOLD);
	assert_false(s.media.is_held);
	cp_sdp_fini(&s);
}

static void
refused_re_offer_leaves_all_as_it_was(void **state)
{
	struct cp_sdp_policy p = policy(CP_SDP_SECURE);
	struct cp_sdp_session s = {0}, copy;
	struct cp_sdp_result r;

	agree(&s, SAME, CP_SDP_SECURE, NULL);
	copy = s;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		if (refusals[i].security != CP_SDP_SECURE)
			continue;
		assert_int_not_equal(cp_sdp_answer(&r, cp_slice_text(refusals[i].offer), &p, &s),
				     0);
		assert_memory_equal(&copy, &s, sizeof(s));
	}
	assert_int_equal(cp_secret_count(), 2);
	cp_sdp_fini(&s);
	assert_int_equal(cp_secret_count(), 0);
}

/* RFC 4568 7.1.2: ours differs from every key of the offer, even when luck says otherwise or the peer throws ours back. */
static void
our_key_is_in_no_offer(void **state)
{
	static const char ones[] =
		TEST_HEAD AUDIO "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" TEST_K1 "\r\n"
				"a=crypto:2 AES_CM_128_HMAC_SHA1_32 "
				"inline:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB\r\n"
				"m=video 5010 RTP/SAVP 96\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 "
				"inline:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC\r\n";
	struct cp_sdp_session s = {0};
	uint32_t changes;

	keys_made = 0;
	agree(&s, ones, CP_SDP_SECURE, NULL);
	assert_int_equal(cp_secret_octets(s.media.tx_key.octets)[0], 3);
	agree(&s,
	      TEST_HEAD AUDIO "a=crypto:1 AES_CM_128_HMAC_SHA1_80 "
			      "inline:AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMD\r\n",
	      CP_SDP_SECURE, &changes);
	assert_int_equal(cp_secret_octets(s.media.tx_key.octets)[0], 4);
	assert_int_equal(changes, CP_SDP_CHANGE_RX_KEY | CP_SDP_CHANGE_TX_KEY);
	cp_sdp_fini(&s);
}

static void
truncation_at_every_length(void **state)
{
	static const char *const offers[] = {offer_baresip, offer_linphone, offer_polycom,
					     offer_rfc4568, offer_rfc3264,  offer_ip6,
					     offer_dtls};

	for (size_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++) {
		for (size_t len = 0; len < strlen(offers[i]); len++) {
			struct cp_sdp_policy p = policy(CP_SDP_EITHER);
			struct cp_sdp_session none = {0};
			struct cp_sdp_result r;
			char *copy = test_malloc(len + 1);

			memcpy(copy, offers[i], len);
			if (cp_sdp_answer(&r, cp_slice(copy, len), &p, &none) == 0)
				encode(&r.next);
			else
				assert_true(r.status == 400 || r.status == 488);
			cp_sdp_drop(&r);
			test_free(copy);
		}
	}
	assert_int_equal(cp_secret_count(), 0);
}

/* More than we read is refused, whichever limit it is. */
static void
limits_are_kept(void **state)
{
	static char offer[40000];
	struct cp_sdp_policy p = policy(CP_SDP_SECURE);
	struct cp_sdp_session none = {0};
	struct cp_sdp_result r;
	size_t head = strlen(TEST_HEAD), len = head;

	memcpy(offer, TEST_HEAD, head);
	for (int i = 0; i < 17; i++, len += strlen(AUDIO))
		memcpy(offer + len, AUDIO, strlen(AUDIO));
	assert_int_equal(cp_sdp_answer(&r, cp_slice(offer, len), &p, &none), 400);
	assert_non_null(strstr(r.text, "more m= lines"));
	for (len = head; len < head + 2560; len += 5)
		memcpy(offer + len, "a=x\r\n", 5);
	assert_int_equal(cp_sdp_answer(&r, cp_slice(offer, len), &p, &none), 400);
	assert_non_null(strstr(r.text, "more lines"));
	assert_int_equal(cp_sdp_answer(&r, cp_slice(offer, CP_SDP_INPUT_MAX + 1), &p, &none), 488);
	assert_non_null(strstr(r.text, "longer SDP"));
	len = (size_t)snprintf(
		offer, sizeof(offer),
		TEST_HEAD "m=application 5004 a-protocol-longer-than-any-that-is-in-use 0\r\n" AUDIO
			TEST_C80);
	assert_int_equal(cp_sdp_answer(&r, cp_slice(offer, len), &p, &none), 488);
	assert_non_null(strstr(r.text, "words longer"));
	assert_int_equal(cp_sdp_answer(&r, cp_slice(TEST_HEAD "a=\0\r\n", head + 5), &p, &none),
			 400);
	assert_non_null(strstr(r.text, "NUL"));
	assert_int_equal(cp_sdp_answer(&r, cp_slice_text(TEST_HEAD "v=0\r\n"), &p, &none), 400);
	assert_int_equal(
		cp_sdp_answer(&r, cp_slice_text(TEST_HEAD AUDIO TEST_C80 "\r\n\r\n"), &p, &none),
		0); /* empty lines at the end are fine */
	cp_sdp_drop(&r);
	assert_int_equal(cp_secret_count(), 0);
}

static int
no_key(struct cp_key *out, enum dp_suite suite)
{
	return -ENOMEM;
}

static int
always_the_same_key(struct cp_key *out, enum dp_suite suite)
{
	keys_made = 0;
	return count_key(out, suite);
}

/* No memory for a key, or no luck with it: the call is refused, nothing stays behind. */
static void
without_a_key_there_is_no_call(void **state)
{
	static const char ours[] =
		TEST_HEAD AUDIO "a=crypto:1 AES_CM_128_HMAC_SHA1_80 "
				"inline:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB\r\n";
	struct cp_sdp_policy p = policy(CP_SDP_SECURE);
	struct cp_sdp_session none = {0};
	struct cp_sdp_result r;

	p.make_key = no_key;
	assert_int_equal(cp_sdp_answer(&r, cp_slice_text(offer_baresip), &p, &none), 500);
	assert_int_equal(cp_sdp_offer(&r, &p, &none), 500);
	p.make_key = always_the_same_key;
	assert_int_equal(cp_sdp_answer(&r, cp_slice_text(ours), &p, &none), 500);
	assert_int_equal(cp_secret_count(), 0);
}

/* Our MKI counts on with every new key, over the end of its octets too, and is never 0. */
static void
mki_counts_on(void **state)
{
	struct cp_sdp_session s = {0};
	char offer[512];

	for (int i = 1; i <= 600; i++) {
		snprintf(offer, sizeof(offer),
			 TEST_HEAD "m=audio %d RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 "
				   "inline:" TEST_K1 "|7:1\r\n",
			 5000 + i);
		agree(&s, offer, CP_SDP_SECURE, NULL); /* it moves each time: a new key of ours */
		assert_int_equal(s.media.tx_key.mki_len, 1);
		assert_int_equal(s.media.tx_key.mki[0], (i - 1) % 255 + 1);
	}
	cp_sdp_fini(&s);
}

static void
payload_types_of_rtcp_are_not_muxed(void **state)
{
	struct cp_sdp_session s = {0};

	agree(&s,
	      TEST_HEAD "m=audio 5004 RTP/SAVP 72 8 200 x\r\na=rtpmap:72 "
			"PCMU/8000\r\na=rtcp-mux\r\n" TEST_C80,
	      CP_SDP_SECURE, NULL);
	assert_int_equal(s.media.rx_count, 1);
	assert_int_equal(s.media.tx.pt, 8);
	agree(&s, TEST_HEAD "m=audio 5004 RTP/SAVP 72 8\r\na=rtpmap:72 PCMU/8000\r\n" TEST_C80,
	      CP_SDP_SECURE, NULL);
	assert_int_equal(s.media.tx.pt, 72);
	cp_sdp_fini(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(baresip_is_answered),
		cmocka_unit_test(linphone_is_answered_without_video),
		cmocka_unit_test(polycom_is_answered_on_its_secure_line),
		cmocka_unit_test(polycom_is_answered_on_its_plain_line),
		cmocka_unit_test(rfc_examples_are_answered),
		cmocka_unit_test(ip6_and_its_neighbours),
		cmocka_unit_test(refusals_say_what_was_missing),
		cmocka_unit_test(the_first_acceptable_line_is_taken),
		cmocka_unit_test(suites_are_as_the_policy_says),
		cmocka_unit_test(directions_ptime_and_rtcp),
		cmocka_unit_test(session_level_counts_where_media_level_is_silent),
		cmocka_unit_test(later_offers_change_what_they_must),
		cmocka_unit_test(a_name_leaves_the_address_open),
		cmocka_unit_test(unhold_by_address_moves_nothing),
		cmocka_unit_test(refused_re_offer_leaves_all_as_it_was),
		cmocka_unit_test(our_key_is_in_no_offer),
		cmocka_unit_test(limits_are_kept),
		cmocka_unit_test(without_a_key_there_is_no_call),
		cmocka_unit_test(mki_counts_on),
		cmocka_unit_test(payload_types_of_rtcp_are_not_muxed),
		cmocka_unit_test(truncation_at_every_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
