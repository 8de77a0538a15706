/* Offers without audio: what they agree on, what keys them, what is refused, and that audio stays away. */
#include "streams.h"

#define CHAT "m=message 2855 TCP/MSRP *\r\n" TYPES PATH
#define CHATS "m=message 2855 TCP/TLS/MSRP *\r\n" TYPES PATHS

static void
test_rows(void **state)
{
	static const struct {
		enum cp_sdp_security security;
		const char *text;
		int status;
		const char *why; /* refused; else NULL */
		enum cp_sdp_stream_mode chat, floor;
		enum cp_sdp_keying keying;
	} rows[] = {
		{CP_SDP_PLAIN, CHAT, 0, NULL, CP_SDP_STREAM_PLAIN, 0, CP_SDP_UNKEYED},
		{CP_SDP_PLAIN, "m=audio 0 RTP/AVP 0\r\n" CHAT, 0, NULL, CP_SDP_STREAM_PLAIN, 0,
		 CP_SDP_UNKEYED},
		{CP_SDP_PLAIN, BFCP CLIENT ACTIVE, 0, NULL, 0, CP_SDP_STREAM_PLAIN, CP_SDP_UNKEYED},
		{CP_SDP_PLAIN, BFCP CLIENT ACTIVE CHAT, 0, NULL, CP_SDP_STREAM_PLAIN,
		 CP_SDP_STREAM_PLAIN, CP_SDP_UNKEYED},
		{CP_SDP_SECURE, CHATS SHA, 0, NULL, CP_SDP_STREAM_CERTIFICATE, 0, CP_SDP_SDES},
		{CP_SDP_SECURE, CHATS, 488, "a=fingerprint"},
		{CP_SDP_SECURE, CHAT, 488, "without TLS"},
		{CP_SDP_EITHER, CHAT, 0, NULL, CP_SDP_STREAM_PLAIN, 0, CP_SDP_UNKEYED},
		{CP_SDP_EITHER, CHATS SHA, 0, NULL, CP_SDP_STREAM_CERTIFICATE, 0, CP_SDP_SDES},
		{CP_SDP_EITHER, CHATS MIKEY(M1), 0, NULL, CP_SDP_STREAM_PSK, 0,
		 CP_SDP_MIKEY_TICKET},
		{CP_SDP_MIKEY, CHATS MIKEY(M1), 0, NULL, CP_SDP_STREAM_PSK, 0, CP_SDP_MIKEY_TICKET},
		{CP_SDP_MIKEY, MIKEY(M1) CHATS, 0, NULL, CP_SDP_STREAM_PSK, 0, CP_SDP_MIKEY_TICKET},
		{CP_SDP_MIKEY, CHATS SHA, 488, "a=key-mgmt:mikey"},
		{CP_SDP_MIKEY, TLS_BFCP CLIENT MIKEY(M1) CHATS MIKEY(M2), 0, NULL,
		 CP_SDP_STREAM_PSK, CP_SDP_STREAM_PSK, CP_SDP_MIKEY_TICKET},
		/* audio that does not fit is no want of audio */
		{CP_SDP_PLAIN, "m=audio 5004 RTP/AVP 99\r\n" CHAT, 488, "no codec in common"},
		{CP_SDP_PLAIN, "m=video 5004 RTP/AVP 31\r\n", 488, "no audio m-line"},
		{CP_SDP_PLAIN, "m=message 0 TCP/MSRP *\r\n", 488, "no audio m-line"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cp_sdp_policy p = policy(rows[i].security);
		struct cp_sdp_session none = {0};
		struct cp_sdp_result r;
		char text[4096];

		snprintf(text, sizeof(text), "%s%s", ORIGIN("1"), rows[i].text);
		if (cp_sdp_answer(&r, cp_slice_text(text), &p, &none) != rows[i].status ||
		    (rows[i].why && !strstr(r.text, rows[i].why)))
			fail_msg("row %zu: %d %s", i, r.status, r.text);
		if (rows[i].status != 0)
			continue;
		assert_false(cp_sdp_has_audio(&r.next));
		assert_int_equal(r.next.streams[CP_SDP_CHAT].mode, rows[i].chat);
		assert_int_equal(r.next.streams[CP_SDP_FLOOR].mode, rows[i].floor);
		assert_int_equal(r.next.media.keying, rows[i].keying);
		/* the leg: SRTP without a key, off both ways, without RTCP */
		assert_int_equal(r.next.media.profile, CP_SDP_SAVP);
		assert_int_equal(r.next.media.dirs, 0);
		assert_int_equal(r.next.media.rx_key_count, 0);
		assert_false(r.next.media.has_rtcp);
		assert_int_equal(r.mikey.len > 0, rows[i].keying == CP_SDP_MIKEY_TICKET);
		cp_sdp_drop(&r);
	}
}

static void
test_text(void **state)
{
	struct cp_sdp_session s = {0};
	const char *text;

	agree(&s, ORIGIN("1") "m=audio 0 RTP/AVP 0\r\n" BFCP CLIENT ACTIVE CHAT, CP_SDP_PLAIN);
	text = encode(&s);
	assert_non_null(strstr(text, "t=0 0\r\nm=audio 0 RTP/AVP 0\r\nm=application 5070 "));
	assert_null(strstr(text, "floorid:1 ")); /* its audio is not there */
	assert_non_null(strstr(text, "a=floorid:2 mstrm:12\r\n"));
	cp_sdp_fini(&s);
}

/* The first m-line's message is the call's, and its answer stands there. */
static void
test_messages(void **state)
{
	struct cp_sdp_policy p = policy(CP_SDP_MIKEY);
	struct cp_sdp_session s = {0};
	struct cp_sdp_result r;
	const char *text;

	assert_int_equal(
		cp_sdp_answer(&r,
			      cp_slice_text(ORIGIN("1") TLS_BFCP CLIENT MIKEY(M1) CHATS MIKEY(M2)),
			      &p, &s),
		0);
	assert_int_equal(r.cs_id, 1);
	assert_int_equal(r.stream_mikey[CP_SDP_FLOOR].len, 0);
	assert_int_equal(r.stream_mikey[CP_SDP_CHAT].len, strlen(M2));
	cp_sdp_commit(&s, &r);
	text = encode(&s);
	assert_non_null(strstr(section(text, "m=application"), "mikey YW5zd2Vy\r\n"));
	assert_non_null(strstr(section(text, "m=message"), "mikey Y2hhdCEh\r\n"));
	cp_sdp_fini(&s);

	assert_int_equal(cp_sdp_answer(&r,
				       cp_slice_text(ORIGIN("1") MIKEY(M1) TLS_BFCP CLIENT CHATS),
				       &p, &s),
			 0);
	assert_int_equal(r.next.streams[CP_SDP_FLOOR].cs_id, 1);
	assert_int_equal(r.next.streams[CP_SDP_CHAT].cs_id, 3);
	cp_sdp_commit(&s, &r);
	text = encode(&s);
	assert_true(strstr(text, "mikey YW5zd2Vy") < strstr(text, "m="));
	cp_sdp_fini(&s);
}

/* It stays without: audio is refused in a later offer, and a call with audio does not lose it so. */
static void
test_later(void **state)
{
	struct cp_sdp_policy p = policy(CP_SDP_PLAIN);
	struct cp_sdp_session s = {0};
	struct cp_sdp_result r;
	uint32_t changes;

	agree(&s, ORIGIN("1") CHAT, CP_SDP_PLAIN);
	changes = agree(&s, ORIGIN("2") CHAT AVP, CP_SDP_PLAIN);
	assert_int_equal(changes, 0);
	assert_false(cp_sdp_has_audio(&s));
	assert_non_null(strstr(encode(&s), "m=audio 0 RTP/AVP 0\r\n"));
	assert_int_equal(cp_sdp_offer(&r, &p, &s), 488);
	assert_false(s.streams[CP_SDP_CHAT].is_new);
	cp_sdp_fini(&s);

	agree(&s, ORIGIN("1") AVP CHAT, CP_SDP_PLAIN);
	assert_int_equal(cp_sdp_answer(&r, cp_slice_text(ORIGIN("2") CHAT), &p, &s), 488);
	cp_sdp_fini(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
