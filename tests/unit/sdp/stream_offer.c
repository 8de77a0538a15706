/* Floor and chat in our own offers, and what answers to them say (RFC 8856 10.1 to 10.4, RFC 4975 8.5, RFC 4145). */
#include "streams.h"

/* Our offer and an answer to it. */
static int
offer_and_accept(struct cp_sdp_session *session, struct cp_sdp_policy *p, const char *answer,
		 struct cp_sdp_result *r)
{
	assert_int_equal(cp_sdp_offer(r, p, session), 0);
	cp_sdp_commit(session, r);
	encode(session);
	return cp_sdp_accept(r, cp_slice_text(answer), p, session);
}

static void
test_offer_text(void **state)
{
	struct cp_sdp_policy p = policy(CP_SDP_PLAIN);
	struct cp_sdp_session s = {0};
	struct cp_sdp_result r;
	const char *text;

	assert_int_equal(cp_sdp_offer(&r, &p, &s), 0);
	cp_sdp_commit(&s, &r);
	text = strstr(encode(&s), "m=application");
	assert_string_equal(
		text,
		"m=application 5070 TCP/BFCP *\r\na=setup:actpass\r\na=floorctrl:s-only\r\n"
		"a=confid:4321\r\na=userid:17\r\na=floorid:1 mstrm:10\r\na=floorid:2 mstrm:12\r\n"
		"a=floorid:3 mstrm:10 12\r\na=bfcpver:1\r\na=connection:new\r\n"
		"m=message 2856 TCP/MSRP *\r\nc=IN IP4 127.0.0.2\r\na=setup:actpass\r\n"
		"a=accept-types:message/cpim\r\na=accept-wrapped-types:*\r\na=max-size:1048576\r\n"
		"a=path:msrp://127.0.0.2:2856/s1;tcp\r\na=msrp-cema\r\n"
		"a=chatroom:nickname private-messages\r\na=label:12\r\n");
	cp_sdp_fini(&s);

	p = policy(CP_SDP_SECURE);
	p.takes[CP_SDP_CHAT] = false;
	assert_int_equal(cp_sdp_offer(&r, &p, &s), 0);
	cp_sdp_commit(&s, &r);
	text = encode(&s);
	assert_non_null(strstr(text, "m=application 5070 TCP/TLS/BFCP *\r\na=setup:actpass\r\n"
				     "a=fingerprint:sha-256 AA:BB\r\n"));
	assert_null(strstr(text, "m=message"));
	cp_sdp_fini(&s);

	/* one ticket for all m-lines: at session level */
	p = policy(CP_SDP_MIKEY);
	assert_int_equal(cp_sdp_offer(&r, &p, &s), 0);
	cp_sdp_commit(&s, &r);
	text = encode(&s);
	assert_true(strstr(text, "a=key-mgmt:mikey YW5zd2Vy\r\n") < strstr(text, "m=audio"));
	assert_null(strstr(text, "fingerprint"));
	assert_int_equal(cp_sdp_first_cs(&s, s.audio), 1);
	assert_int_equal(s.proposed[CP_SDP_FLOOR].cs_id, 3);
	assert_int_equal(s.proposed[CP_SDP_CHAT].cs_id, 5);
	assert_int_equal(cp_sdp_stream_mode(&s, CP_SDP_CHAT), CP_SDP_STREAM_PSK);
	cp_sdp_fini(&s);

	/* without streams it stays with the audio */
	p.takes[CP_SDP_FLOOR] = p.takes[CP_SDP_CHAT] = false;
	assert_int_equal(cp_sdp_offer(&r, &p, &s), 0);
	cp_sdp_commit(&s, &r);
	text = encode(&s);
	assert_true(strstr(text, "a=key-mgmt:mikey YW5zd2Vy\r\n") > strstr(text, "m=audio"));
	cp_sdp_fini(&s);
}

#define ANSWER_AUDIO ORIGIN("1") "m=audio 5004 RTP/AVP 0\r\n"
#define ANSWER_CHAT MSRP TYPES PATH

static const struct row {
	const char *floor, *chat;
	const char *why_floor, *why_chat; /* NULL: taken */
	bool is_active[CP_SDP_SERVICES], is_waiting, has_orphan;
} answers[] = {
	{BFCP ACTIVE NEW CLIENT, ANSWER_CHAT ACTIVE, NULL, NULL, {false, false}, false, false},
	{"m=application 5555 TCP/BFCP *\r\na=setup:passive\r\n" NEW CLIENT,
	 ANSWER_CHAT "a=setup:passive\r\n",
	 NULL,
	 NULL,
	 {true, true},
	 false,
	 false},
	/* nothing said: we who offered connect (RFC 4975 8.5, RFC 4145 4) */
	{"m=application 5555 TCP/BFCP *\r\n", ANSWER_CHAT, NULL, NULL, {true, true}, false, false},
	{"m=application 0 TCP/BFCP *\r\n",
	 "m=message 0 TCP/MSRP *\r\n",
	 "refused",
	 "refused",
	 {false, false},
	 false,
	 false},
	{BFCP "a=setup:holdconn\r\n" CLIENT,
	 ANSWER_CHAT ACTIVE,
	 NULL,
	 NULL,
	 {false, false},
	 true,
	 false},
	{BFCP "a=setup:actpass\r\n" CLIENT,
	 ANSWER_CHAT ACTIVE,
	 "actpass",
	 NULL,
	 {false, false},
	 false,
	 true},
	{BFCP ACTIVE "a=floorctrl:s-only\r\n",
	 ANSWER_CHAT ACTIVE,
	 "a=floorctrl",
	 NULL,
	 {false, false},
	 false,
	 true},
	{BFCP ACTIVE "a=floorctrl:c-s\r\n",
	 ANSWER_CHAT ACTIVE,
	 NULL,
	 NULL,
	 {false, false},
	 false,
	 false},
	{TLS_BFCP ACTIVE CLIENT SHA,
	 ANSWER_CHAT ACTIVE,
	 "another kind",
	 NULL,
	 {false, false},
	 false,
	 true},
	{BFCP ACTIVE CLIENT, MSRP PATH, NULL, "accept-types", {false, false}, false, true},
	{BFCP ACTIVE CLIENT,
	 "m=audio 5 RTP/AVP 0\r\n",
	 NULL,
	 "another kind",
	 {false, false},
	 false,
	 true},
};

static void
test_accept(void **state)
{
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct cp_sdp_policy p = policy(CP_SDP_PLAIN);
		struct cp_sdp_session s = {0};
		struct cp_sdp_result r;
		char text[4096];
		const char *whys[] = {answers[i].why_floor, answers[i].why_chat};

		snprintf(text, sizeof(text), "%s%s%s", ANSWER_AUDIO, answers[i].floor,
			 answers[i].chat);
		if (offer_and_accept(&s, &p, text, &r) != 0)
			fail_msg("row %zu: %s", i, r.text);
		for (int j = 0; j < CP_SDP_SERVICES; j++) {
			const struct cp_sdp_stream *stream = &r.next.streams[j];

			if ((r.stream_why[j] == NULL) != (whys[j] == NULL) ||
			    (whys[j] && strstr(r.stream_why[j], whys[j]) == NULL) ||
			    (stream->mode == CP_SDP_STREAM_NONE) != (whys[j] != NULL) ||
			    stream->is_active != answers[i].is_active[j])
				fail_msg("row %zu/%d: %s", i, j,
					 r.stream_why[j] ? r.stream_why[j] : "-");
		}
		assert_int_equal(r.next.streams[CP_SDP_FLOOR].is_waiting, answers[i].is_waiting);
		assert_int_equal(r.has_orphan, answers[i].has_orphan);
		if (!whys[0]) {
			assert_true(r.next.streams[CP_SDP_FLOOR].is_offerer);
			assert_true(r.changes & CP_SDP_CHANGE_STREAMS);
		}
		cp_sdp_drop(&r);
		cp_sdp_fini(&s);
	}
}

/* A late offer of MIKEY and SDES, answered with SDES: what was offered under a PSK is not taken otherwise. */
static void
test_other_keying(void **state)
{
	struct cp_sdp_policy p = policy(CP_SDP_EITHER);
	struct cp_sdp_session s = {0};
	struct cp_sdp_result r;

	assert_int_equal(offer_and_accept(&s, &p,
					  ORIGIN("1") SAVP TLS_BFCP ACTIVE CLIENT SHA
					  "m=message 0 TCP/TLS/MSRP *\r\n",
					  &r),
			 0);
	assert_int_equal(r.next.media.keying, CP_SDP_SDES);
	assert_int_equal(r.next.streams[CP_SDP_FLOOR].mode, CP_SDP_STREAM_NONE);
	assert_true(r.has_orphan);
	cp_sdp_commit(&s, &r);
	/* the next offer has it anew, under what keys the call */
	p.wants[CP_SDP_FLOOR] = true;
	assert_int_equal(cp_sdp_offer(&r, &p, &s), 0);
	assert_int_equal(cp_sdp_stream_mode(&r.next, CP_SDP_FLOOR), CP_SDP_STREAM_CERTIFICATE);
	assert_non_null(strstr(encode(&r.next), "m=application 5070 TCP/TLS/BFCP *\r\n"));
	assert_non_null(strstr(encode(&r.next), "m=message 0 TCP/TLS/MSRP *\r\n"));
	cp_sdp_drop(&r);
	/* or ends it */
	p.wants[CP_SDP_FLOOR] = false;
	assert_int_equal(cp_sdp_offer(&r, &p, &s), 0);
	assert_non_null(strstr(encode(&r.next), "m=application 0 TCP/TLS/BFCP *\r\n"));
	cp_sdp_drop(&r);
	cp_sdp_fini(&s);
}

/* Our re-INVITE keeps what is connected, says where it is not, and ends what is wanted no more. */
static void
test_our_reoffer(void **state)
{
	struct cp_sdp_policy p = policy(CP_SDP_SECURE);
	struct cp_sdp_session s = {0};
	struct cp_sdp_result r;
	const char *text;

	agree(&s, ORIGIN("1") FIRST_FLOOR TLS_MSRP TYPES PATHS SHA, CP_SDP_SECURE);
	p.wants_new_key = true;
	assert_int_equal(offer_and_accept(&s, &p,
					  ORIGIN("2") SAVP TLS_BFCP ACTIVE EXISTING CLIENT SHA
						  TLS_MSRP TYPES PATHS SHA ACTIVE,
					  &r),
			 0);
	text = encode(&s);
	assert_non_null(strstr(text, "a=connection:existing\r\n"));
	for (int i = 0; i < CP_SDP_SERVICES; i++) {
		assert_false(r.next.streams[i].is_new);
		assert_false(r.next.streams[i].is_offerer); /* as it was made */
	}
	assert_int_equal(r.changes & CP_SDP_CHANGE_STREAMS, 0);
	cp_sdp_drop(&r);
	cp_sdp_withdraw(&s); /* and refused, it stays as it was */
	assert_int_equal(cp_sdp_stream_mode(&s, CP_SDP_FLOOR), CP_SDP_STREAM_CERTIFICATE);

	p.is_lost[CP_SDP_FLOOR] = true;
	p.takes[CP_SDP_CHAT] = false;
	assert_int_equal(offer_and_accept(&s, &p,
					  ORIGIN("3") SAVP TLS_BFCP ACTIVE NEW CLIENT SHA
					  "m=message 0 TCP/TLS/MSRP *\r\n",
					  &r),
			 0);
	text = encode(&s);
	assert_non_null(strstr(text, "a=connection:new\r\n"));
	assert_non_null(strstr(text, "m=message 0 TCP/TLS/MSRP *\r\n"));
	assert_true(r.next.streams[CP_SDP_FLOOR].is_new && r.next.streams[CP_SDP_FLOOR].is_offerer);
	assert_int_equal(r.next.streams[CP_SDP_CHAT].mode, CP_SDP_STREAM_NONE);
	assert_true(r.changes & CP_SDP_CHANGE_STREAMS);
	cp_sdp_drop(&r);
	cp_sdp_fini(&s);
}

/* An m-line added by us under MIKEY: where the session has the message, and at once with new keys. */
static void
test_add_keyed(void **state)
{
	struct cp_sdp_policy p = policy(CP_SDP_MIKEY);
	struct cp_sdp_session s = {0};
	struct cp_sdp_result r;

	agree(&s, ORIGIN("1") MIKEY(M1) KEYED, CP_SDP_MIKEY);
	p.wants[CP_SDP_FLOOR] = true;
	assert_int_equal(cp_sdp_offer(&r, &p, &s), 0);
	assert_int_equal(cp_sdp_stream_mode(&r.next, CP_SDP_FLOOR), CP_SDP_STREAM_NONE);
	cp_sdp_drop(&r);
	p.wants_new_key = true;
	assert_int_equal(cp_sdp_offer(&r, &p, &s), 0);
	assert_int_equal(cp_sdp_stream_mode(&r.next, CP_SDP_FLOOR), CP_SDP_STREAM_PSK);
	assert_int_equal(r.next.proposed[CP_SDP_FLOOR].cs_id, 3);
	cp_sdp_drop(&r);
	cp_sdp_fini(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_offer_text),   cmocka_unit_test(test_accept),
		cmocka_unit_test(test_other_keying), cmocka_unit_test(test_our_reoffer),
		cmocka_unit_test(test_add_keyed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
