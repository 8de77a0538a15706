/* a=key-mgmt in offers and answers: which message is taken, at which level, what is refused, and what a later offer does (RFC 4567). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>
#include "ctrlplane/sdp/sdp.h"
#include "offers.h"

#pragma GCC diagnostic ignored "-Wmissing-field-initializers" /* rows say what is not zero */

#define M1 "AQIDBAUGBwg="
#define M2 "CAcGBQQDAgE="
#define MIKEY(m) "a=key-mgmt:mikey " m "\r\n"
#define SAVP "m=audio 26010 RTP/SAVP 0\r\n"
#define VIDEO "m=video 26012 RTP/SAVPF 96\r\n"

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
	p.may_mikey = true;
	p.make_session_id = fixed_id;
	return p;
}

static const struct cp_sdp_local local = {
	.rtp = {.family = DP_FAMILY_IP4, .port = 26000, .ip = {127, 0, 0, 1}},
	.rtcp = {.family = DP_FAMILY_IP4, .port = 26001, .ip = {127, 0, 0, 1}},
	.mikey = {"answer", 6},
};

#define ANSWER64 "YW5zd2Vy"

static const char *
encode(const struct cp_sdp_session *session)
{
	static char text[CP_SDP_TEXT_MAX];

	assert_true(cp_sdp_encode(text, sizeof(text), session, &local) > 0);
	return text;
}

static struct cp_key
key(uint8_t fill)
{
	struct cp_key made = {.suite = DP_SUITE_AES_CM_128_HMAC_SHA1_80};
	uint8_t octets[30];

	memset(octets, fill, sizeof(octets));
	assert_int_equal(cp_secret_create(&made.octets, octets, sizeof(octets)), 0);
	return made;
}

static void
set_keys(struct cp_sdp_result *r, const struct cp_sdp_session *before, uint8_t rx, uint8_t tx)
{
	struct cp_key theirs = key(rx), ours = key(tx);

	cp_sdp_set_keys(r, before, &theirs, &ours, false);
	cp_key_drop(&theirs);
	cp_key_drop(&ours);
}

/* What an offer comes to. */
static const struct {
	const char *name, *offer;
	enum cp_sdp_security security;
	uint16_t status, warning;
	const char *mikey; /* the message taken; NULL: none */
	uint8_t cs_id;
	bool is_of_session;
	enum cp_sdp_keying keying;
	const char *protocols;
} rows[] = {
	{"media level", TEST_HEAD SAVP MIKEY(M1), CP_SDP_MIKEY, 0, 0, M1, 1, false,
	 CP_SDP_MIKEY_TICKET, "mikey"},
	{"session level", TEST_HEAD MIKEY(M1) SAVP, CP_SDP_MIKEY, 0, 0, M1, 1, true,
	 CP_SDP_MIKEY_TICKET, "mikey"},
	{"media overrides session", TEST_HEAD MIKEY(M1) SAVP MIKEY(M2), CP_SDP_MIKEY, 0, 0, M2, 1,
	 false, CP_SDP_MIKEY_TICKET, "mikey"},
	{"second m-line under the session", TEST_HEAD MIKEY(M1) VIDEO SAVP, CP_SDP_MIKEY, 0, 0, M1,
	 3, true, CP_SDP_MIKEY_TICKET, "mikey"},
	{"an m-line with its own message does not count", TEST_HEAD MIKEY(M1) VIDEO MIKEY(M2) SAVP,
	 CP_SDP_MIKEY, 0, 0, M1, 1, true, CP_SDP_MIKEY_TICKET, "mikey"},
	{"an m-line without protection does not count",
	 TEST_HEAD MIKEY(M1) "m=audio 26014 RTP/AVP 0\r\n" SAVP, CP_SDP_MIKEY, 0, 0, M1, 1, true,
	 CP_SDP_MIKEY_TICKET, "mikey"},
	{"MSRP over TLS counts", TEST_HEAD MIKEY(M1) "m=message 26014 TCP/TLS/MSRP *\r\n" SAVP,
	 CP_SDP_MIKEY, 0, 0, M1, 3, true, CP_SDP_MIKEY_TICKET, "mikey"},
	{"two m-lines, each its own", TEST_HEAD VIDEO MIKEY(M1) SAVP MIKEY(M2), CP_SDP_MIKEY, 0, 0,
	 M2, 1, false, CP_SDP_MIKEY_TICKET, "mikey"},
	{"SAVPF", TEST_HEAD "m=audio 26010 RTP/SAVPF 0\r\n" MIKEY(M1), CP_SDP_MIKEY, 0, 0, M1, 1,
	 false, CP_SDP_MIKEY_TICKET, "mikey"},
	{"both, MIKEY wins", TEST_HEAD SAVP TEST_C80 MIKEY(M1), CP_SDP_EITHER, 0, 0, M1, 1, false,
	 CP_SDP_MIKEY_TICKET, "mikey"},
	{"both, SDES only", TEST_HEAD SAVP TEST_C80 MIKEY(M1), CP_SDP_SECURE, 0, 0, NULL, 0, false,
	 CP_SDP_SDES, ""},
	{"SDES where either", TEST_HEAD SAVP TEST_C80, CP_SDP_EITHER, 0, 0, NULL, 0, false,
	 CP_SDP_SDES, ""},
	{"plain where either", TEST_HEAD "m=audio 26010 RTP/AVP 0\r\n", CP_SDP_EITHER, 0, 0, NULL,
	 0, false, CP_SDP_UNKEYED, ""},
	{"SDES where MIKEY is wanted", TEST_HEAD SAVP TEST_C80, CP_SDP_MIKEY, 488, 306},
	{"plain where MIKEY is wanted", TEST_HEAD "m=audio 26010 RTP/AVP 0\r\n" MIKEY(M1),
	 CP_SDP_MIKEY, 488, 306},
	{"another protocol only", TEST_HEAD SAVP "a=key-mgmt:keyp1 AAAA\r\n", CP_SDP_MIKEY, 488,
	 306},
	{"two protocols", TEST_HEAD SAVP "a=key-mgmt:keyp1 AAAA\r\n" MIKEY(M1), CP_SDP_MIKEY, 0, 0,
	 M1, 1, false, CP_SDP_MIKEY_TICKET, "keyp1;mikey"},
	{"case matters", TEST_HEAD SAVP "a=key-mgmt:MIKEY " M1 "\r\n", CP_SDP_MIKEY, 488, 306},
	{"twice", TEST_HEAD SAVP MIKEY(M1) MIKEY(M2), CP_SDP_MIKEY, 488, 399},
	{"no base64", TEST_HEAD SAVP MIKEY("AQ*D"), CP_SDP_MIKEY, 488, 399},
	{"no message", TEST_HEAD SAVP MIKEY(""), CP_SDP_MIKEY, 488, 399},
	{"bad MIKEY does not become SDES", TEST_HEAD SAVP TEST_C80 MIKEY("AQ*D"), CP_SDP_EITHER,
	 488, 399},
	{"a blank before the protocol", TEST_HEAD SAVP "a=key-mgmt: mikey " M1 "\r\n", CP_SDP_MIKEY,
	 0, 0, M1, 1, false, CP_SDP_MIKEY_TICKET, "mikey"},
};

static void
test_rows(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cp_sdp_policy p = policy(rows[i].security);
		struct cp_sdp_session none = {0};
		struct cp_sdp_result r;
		int status = cp_sdp_answer(&r, cp_slice_text(rows[i].offer), &p, &none);

		if (status != rows[i].status || r.warning != rows[i].warning)
			fail_msg("%s: %d, %u: %s", rows[i].name, status, r.warning, r.text);
		if (status == 0) {
			const char *want = rows[i].mikey ? rows[i].mikey : "";

			if (!cp_slice_is(r.mikey, want) || r.cs_id != rows[i].cs_id ||
			    r.next.has_mikey != (rows[i].mikey != NULL) ||
			    r.next.is_mikey_of_session != rows[i].is_of_session ||
			    r.next.media.keying != rows[i].keying ||
			    strcmp(r.protocols, rows[i].protocols) != 0)
				fail_msg("%s: '%.*s' cs %u, level %d, keying %d, '%s'",
					 rows[i].name, (int)r.mikey.len, r.mikey.ptr, r.cs_id,
					 r.next.is_mikey_of_session, r.next.media.keying,
					 r.protocols);
		}
		cp_sdp_drop(&r);
	}
}

static void
test_longest(void **state)
{
	struct cp_sdp_policy p = policy(CP_SDP_MIKEY);
	struct cp_sdp_session none = {0};
	struct cp_sdp_result r;
	static char offer[2 * CP_SDP_MIKEY_MAX];
	static uint8_t octets[CP_SDP_MIKEY_MAX];
	int longest = (CP_SDP_MIKEY_MAX + 2) / 3 * 4;

	for (int more = -4; more <= 4; more += 4) {
		int len =
			snprintf(offer, sizeof(offer), "%s%s", TEST_HEAD SAVP, "a=key-mgmt:mikey ");

		memset(offer + len, 'A', (size_t)(longest + more));
		strcpy(offer + len + longest + more, "\r\n");
		assert_int_equal(cp_sdp_answer(&r, cp_slice_text(offer), &p, &none),
				 more < 0 ? 0 : 488);
		if (more < 0)
			assert_int_equal(cp_sdp_mikey_octets(octets, sizeof(octets), &r),
					 (longest + more) / 4 * 3);
		cp_sdp_drop(&r);
	}
}

/* The answer has our message where the offer had its own, and no a=crypto. */
static void
test_answer_level(void **state)
{
	static const char *const offers[] = {TEST_HEAD SAVP TEST_C80 MIKEY(M1),
					     TEST_HEAD MIKEY(M1) SAVP};

	for (int i = 0; i < 2; i++) {
		struct cp_sdp_policy p = policy(CP_SDP_EITHER);
		struct cp_sdp_session session = {0};
		struct cp_sdp_result r;
		const char *text, *line, *mline;

		assert_int_equal(cp_sdp_answer(&r, cp_slice_text(offers[i]), &p, &session), 0);
		set_keys(&r, &session, 1, 2);
		assert_int_equal(r.changes & CP_SDP_CHANGE_RX_KEY, CP_SDP_CHANGE_RX_KEY);
		cp_sdp_commit(&session, &r);
		text = encode(&session);
		line = strstr(text, "a=key-mgmt:mikey " ANSWER64 "\r\n");
		mline = strstr(text, "m=audio 26000 RTP/SAVP 0");
		assert_non_null(line);
		assert_non_null(mline);
		assert_int_equal(line > mline, i == 0);
		assert_null(strstr(text, "a=crypto"));
		cp_sdp_fini(&session);
	}
	assert_int_equal(cp_secret_count(), 0);
}

static struct cp_sdp_session
agreed(void)
{
	struct cp_sdp_policy p = policy(CP_SDP_MIKEY);
	struct cp_sdp_session session = {0};
	struct cp_sdp_result r;

	assert_int_equal(cp_sdp_answer(&r, cp_slice_text(TEST_HEAD SAVP MIKEY(M1)), &p, &session),
			 0);
	set_keys(&r, &session, 1, 2);
	cp_sdp_commit(&session, &r);
	return session;
}

/* A re-INVITE without the attribute keeps the keys, also with new a=crypto; and its answer has none. */
static void
test_reinvite_keeps(void **state)
{
	static const char *const offers[] = {TEST_HEAD SAVP "a=sendonly\r\n",
					     TEST_HEAD SAVP TEST_C80 "a=sendonly\r\n"};

	for (int i = 0; i < 2; i++) {
		struct cp_sdp_policy p = policy(CP_SDP_EITHER);
		struct cp_sdp_session session = agreed();
		struct cp_sdp_result r;

		assert_int_equal(cp_sdp_answer(&r, cp_slice_text(offers[i]), &p, &session), 0);
		assert_int_equal(r.mikey.len, 0);
		assert_int_equal(r.changes, CP_SDP_CHANGE_MEDIA | CP_SDP_CHANGE_HOLD);
		cp_sdp_commit(&session, &r);
		assert_int_equal(session.media.keying, CP_SDP_MIKEY_TICKET);
		assert_null(strstr(encode(&session), "key-mgmt"));
		assert_null(strstr(encode(&session), "crypto"));
		cp_sdp_fini(&session);
	}
	assert_int_equal(cp_secret_count(), 0);
}

/* The same message: the owner of the exchange sets the same keys. Another: new ones, and the stream goes on. */
static void
test_reinvite_keys(void **state)
{
	for (uint8_t change = 0; change < 2; change++) {
		struct cp_sdp_policy p = policy(CP_SDP_MIKEY);
		struct cp_sdp_session session = agreed();
		struct cp_sdp_result r;

		assert_int_equal(
			cp_sdp_answer(&r, cp_slice_text(TEST_HEAD SAVP MIKEY(M2)), &p, &session),
			0);
		set_keys(&r, &session, (uint8_t)(1 + 2 * change), (uint8_t)(2 + 2 * change));
		assert_int_equal(r.changes,
				 change ? CP_SDP_CHANGE_RX_KEY | CP_SDP_CHANGE_TX_KEY : 0);
		cp_sdp_drop(&r);
		cp_sdp_fini(&session);
	}
	assert_int_equal(cp_secret_count(), 0);
}

/* A call keyed by SDES does not become one keyed by MIKEY: who it is was decided when it joined. */
static void
test_sdes_stays(void **state)
{
	struct cp_sdp_policy p = policy(CP_SDP_EITHER);
	struct cp_sdp_session session = {0};
	struct cp_sdp_result r;

	assert_int_equal(cp_sdp_answer(&r, cp_slice_text(TEST_HEAD SAVP TEST_C80), &p, &session),
			 0);
	cp_sdp_commit(&session, &r);
	assert_int_equal(
		cp_sdp_answer(&r, cp_slice_text(TEST_HEAD SAVP TEST_C80 MIKEY(M1)), &p, &session),
		0);
	assert_int_equal(r.next.media.keying, CP_SDP_SDES);
	assert_int_equal(r.mikey.len, 0);
	cp_sdp_drop(&r);
	cp_sdp_fini(&session);
}

/* Our offers: MIKEY, or MIKEY and SDES; and what answers to them come to. */
static const struct {
	const char *name;
	enum cp_sdp_security security;
	const char *answer;
	uint16_t status;
	enum cp_sdp_keying keying;
} answers[] = {
	{"MIKEY", CP_SDP_MIKEY, TEST_HEAD SAVP MIKEY(M1), 0, CP_SDP_MIKEY_TICKET},
	{"none", CP_SDP_MIKEY, TEST_HEAD SAVP, 488},
	{"at another level", CP_SDP_MIKEY, TEST_HEAD MIKEY(M1) SAVP, 488},
	{"SDES, which was not offered", CP_SDP_MIKEY, TEST_HEAD SAVP TEST_C80, 488},
	{"MIKEY of both", CP_SDP_EITHER, TEST_HEAD SAVP MIKEY(M1), 0, CP_SDP_MIKEY_TICKET},
	{"SDES of both", CP_SDP_EITHER, TEST_HEAD SAVP TEST_C80, 0, CP_SDP_SDES},
	{"MIKEY where it was not offered", CP_SDP_SECURE, TEST_HEAD SAVP MIKEY(M1), 488},
};

static void
test_offers(void **state)
{
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct cp_sdp_policy p = policy(answers[i].security);
		struct cp_sdp_session session = {0};
		struct cp_sdp_result r;
		const char *text;
		int status;

		assert_int_equal(cp_sdp_offer(&r, &p, &session), 0);
		cp_sdp_commit(&session, &r);
		text = encode(&session);
		assert_int_equal(strstr(text, "a=key-mgmt:mikey " ANSWER64) != NULL,
				 answers[i].security != CP_SDP_SECURE);
		assert_int_equal(strstr(text, "a=crypto") != NULL,
				 answers[i].security != CP_SDP_MIKEY);
		status = cp_sdp_accept(&r, cp_slice_text(answers[i].answer), &p, &session);
		if (status != answers[i].status ||
		    (status == 0 && r.next.media.keying != answers[i].keying))
			fail_msg("%s: %d %s", answers[i].name, status, r.text);
		cp_sdp_drop(&r);
		cp_sdp_fini(&session);
	}
	assert_int_equal(cp_secret_count(), 0);
}

/* Our re-INVITE: with the attribute when it is to re-key, else without, and then the keys stay. */
static void
test_reoffer(void **state)
{
	for (int rekeys = 0; rekeys < 2; rekeys++) {
		struct cp_sdp_policy p = policy(CP_SDP_MIKEY);
		struct cp_sdp_session session = agreed();
		struct cp_sdp_result r;

		p.wants_new_key = rekeys != 0;
		assert_int_equal(cp_sdp_offer(&r, &p, &session), 0);
		cp_sdp_commit(&session, &r);
		assert_int_equal(strstr(encode(&session), "key-mgmt") != NULL, rekeys);
		assert_null(strstr(encode(&session), "crypto"));
		assert_int_equal(cp_sdp_accept(&r,
					       cp_slice_text(rekeys ? TEST_HEAD SAVP MIKEY(M2)
								    : TEST_HEAD SAVP),
					       &p, &session),
				 0);
		assert_int_equal(r.mikey.len > 0, rekeys);
		if (!rekeys)
			assert_int_equal(r.changes, 0);
		cp_sdp_drop(&r);
		assert_int_equal(cp_sdp_accept(&r,
					       cp_slice_text(rekeys ? TEST_HEAD SAVP
								    : TEST_HEAD SAVP MIKEY(M2)),
					       &p, &session),
				 488);
		cp_sdp_fini(&session);
	}
	assert_int_equal(cp_secret_count(), 0);
}

/* The body of a 488 has every m-line at port 0 and the error where the message was. */
static void
test_refusal(void **state)
{
	struct cp_sdp_policy p = policy(CP_SDP_MIKEY);
	struct cp_sdp_session none = {0};
	struct cp_sdp_result r;
	char text[CP_SDP_TEXT_MAX];

	assert_int_equal(
		cp_sdp_answer(&r, cp_slice_text(TEST_HEAD VIDEO SAVP MIKEY(M1)), &p, &none), 0);
	assert_true(cp_sdp_encode_refusal(text, sizeof(text), &r, cp_slice("error!", 6)) > 0);
	assert_non_null(strstr(text, "m=video 0 RTP/SAVPF 96\r\nm=audio 0 RTP/SAVP "
				     "0\r\na=key-mgmt:mikey ZXJyb3Ih\r\n"));
	assert_int_equal(cp_sdp_encode_refusal(text, 100, &r, cp_slice("error!", 6)), -ENOSPC);
	cp_sdp_drop(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),	      cmocka_unit_test(test_longest),
		cmocka_unit_test(test_answer_level),  cmocka_unit_test(test_reinvite_keeps),
		cmocka_unit_test(test_reinvite_keys), cmocka_unit_test(test_sdes_stays),
		cmocka_unit_test(test_offers),	      cmocka_unit_test(test_reoffer),
		cmocka_unit_test(test_refusal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
