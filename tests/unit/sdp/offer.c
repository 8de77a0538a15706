/* Our offers and the answers to them: late offers, re-INVITE without SDP, re-key (RFC 3264 8, RFC 4568 5.1.3, 7.1.3). */
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

#define HEAD TEST_HEAD
#define ANSWER_CRYPTO "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" TEST_K1 "\r\n"

static const struct cp_sdp_local local = {
	.rtp = {.family = DP_FAMILY_IP4, .port = 26000, .ip = {127, 0, 0, 1}},
	.rtcp = {.family = DP_FAMILY_IP4, .port = 26001, .ip = {127, 0, 0, 1}},
};

static char text[CP_SDP_TEXT_MAX];

static void
offer(struct cp_sdp_session *session, const struct cp_sdp_policy *policy)
{
	struct cp_sdp_result r;

	assert_int_equal(cp_sdp_offer(&r, policy, session), 0);
	cp_sdp_commit(session, &r);
	assert_true(cp_sdp_encode(text, sizeof(text), session, &local) > 0);
}

static void
late_offer_has_all_suites(void **state)
{
	struct cp_sdp_session s = {0};
	struct cp_sdp_policy p;

	cp_sdp_policy_default(&p);
	offer(&s, &p);
	assert_int_equal(s.phase, CP_SDP_OFFERED);
	assert_non_null(strstr(text, "m=audio 26000 RTP/SAVP 0 8 96 101\r\n"));
	assert_non_null(strstr(text, "a=rtpmap:96 L16/8000\r\n"));
	assert_non_null(strstr(text, "a=crypto:1 AES_CM_128_HMAC_SHA1_80 "));
	assert_non_null(strstr(text, "a=crypto:5 AEAD_AES_256_GCM "));
	assert_non_null(strstr(text, "a=rtcp-mux\r\na=rtcp:26001\r\n"));
	assert_int_equal(s.offered_count, 5);
	/* RTCP that is on the RTP port is no fall-back to name */
	{
		struct cp_sdp_local muxed = {.rtp = local.rtp, .rtcp = local.rtp};

		assert_true(cp_sdp_encode(text, sizeof(text), &s, &muxed) > 0);
		assert_non_null(strstr(text, "a=rtcp-mux\r\na=crypto:"));
	}
	/* each line has a key of its own (RFC 4568 6.1) */
	for (int i = 0; i < 5; i++)
		for (int j = 0; j < i; j++)
			assert_memory_not_equal(cp_secret_octets(s.offered[i].key.octets),
						cp_secret_octets(s.offered[j].key.octets), 16);
	assert_int_equal(s.proposal.rx_count, 3);
	cp_sdp_fini(&s);
	assert_int_equal(cp_secret_count(), 0);
}

static void
its_answer_is_taken(void **state)
{
	static const char answer[] =
		HEAD "m=audio 5004 RTP/SAVP 97 110\r\na=rtpmap:97 L16/8000\r\na=rtpmap:110 "
		     "telephone-event/8000\r\n"
		     "a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:" TEST_K1 "\r\na=ptime:30\r\n";
	struct cp_sdp_session s = {0};
	struct cp_sdp_policy p;
	struct cp_sdp_result r;
	struct cp_key ours;

	cp_sdp_policy_default(&p);
	offer(&s, &p);
	ours = cp_key_copy(&s.offered[1].key);
	assert_int_equal(cp_sdp_accept(&r, cp_slice_text(answer), &p, &s), 0);
	assert_int_equal(r.changes,
			 CP_SDP_CHANGE_MEDIA | CP_SDP_CHANGE_RX_KEY | CP_SDP_CHANGE_TX_KEY);
	cp_sdp_commit(&s, &r);
	assert_int_equal(s.phase, CP_SDP_AGREED);
	assert_int_equal(s.media.suite, DP_SUITE_AES_CM_128_HMAC_SHA1_32);
	assert_true(cp_key_is_same(&ours, &s.media.tx_key));
	/* we receive by our numbers, send by theirs */
	assert_int_equal(s.media.rx_count, 1);
	assert_int_equal(s.media.rx[0].pt, 96);
	assert_int_equal(s.media.tx.pt, 97);
	assert_int_equal(s.media.dtmf_pt, 101);
	assert_int_equal(s.media.tx_dtmf_pt, 110);
	assert_int_equal(s.media.ptime_ms, 30);
	assert_false(s.media.has_mux);
	assert_int_equal(s.version, 1);
	cp_key_drop(&ours);
	cp_sdp_fini(&s);
	assert_int_equal(cp_secret_count(), 0);
}

static void
bad_answers_are_refused(void **state)
{
	static const struct {
		const char *answer;
		int status;
		const char *text;
	} rows[] = {
		{HEAD, 488, "m-lines"},
		{HEAD "m=audio 5004 RTP/SAVP 0\r\n" ANSWER_CRYPTO "m=video 0 RTP/SAVP 0\r\n", 488,
		 "m-lines"},
		{HEAD "m=audio 0 RTP/SAVP 0\r\n" ANSWER_CRYPTO, 488, "refuses the audio"},
		{HEAD "m=video 5004 RTP/SAVP 0\r\n" ANSWER_CRYPTO, 488, "refuses the audio"},
		{HEAD "m=audio 5004 RTP/AVP 0\r\n", 488, "another transport"},
		{HEAD "m=audio 5004 RTP/SAVP 0\r\n", 488, "no a=crypto"},
		{HEAD "m=audio 5004 RTP/SAVP 9\r\n" ANSWER_CRYPTO, 488, "codec"},
		{HEAD
		 "m=audio 5004 RTP/SAVP 0\r\na=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:" TEST_K1
		 "\r\n",
		 488, "tag, suite"},
		{HEAD
		 "m=audio 5004 RTP/SAVP 0\r\na=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:" TEST_K1
		 "\r\n",
		 488, "tag, suite"},
		{HEAD "m=audio 5004 RTP/SAVP 0\r\n" ANSWER_CRYPTO TEST_C32, 488, "more than one"},
		{HEAD
		 "m=audio 5004 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" TEST_K1
		 " UNENCRYPTED_SRTCP\r\n",
		 488, "policy"},
		{"v=0\r\n", 400, "o="},
	};
	struct cp_sdp_session s = {0};
	struct cp_sdp_policy p;
	struct cp_sdp_result r;

	cp_sdp_policy_default(&p);
	offer(&s, &p);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (cp_sdp_accept(&r, cp_slice_text(rows[i].answer), &p, &s) != rows[i].status ||
		    strstr(r.text, rows[i].text) == NULL)
			fail_msg("row %zu: %d %s", i, r.status, r.text);
	}
	assert_int_equal(cp_secret_count(), 5);
	cp_sdp_fini(&s);
	assert_int_equal(cp_sdp_accept(&r, cp_slice_text(HEAD), &p, &s), 500);
}

/* The answer throws our own key back: two keystreams would be one. */
static void
our_own_key_is_no_answer(void **state)
{
	struct cp_sdp_session s = {0};
	struct cp_sdp_policy p;
	struct cp_sdp_result r;
	char answer[1024], *line, *end;

	cp_sdp_policy_default(&p);
	offer(&s, &p);
	line = strstr(text, "a=crypto:1 ");
	assert_non_null(line);
	end = strchr(line, '\n');
	snprintf(answer, sizeof(answer), HEAD "m=audio 5004 RTP/SAVP 0\r\n%.*s",
		 (int)(end - line + 1), line);
	assert_int_equal(cp_sdp_accept(&r, cp_slice_text(answer), &p, &s), 488);
	assert_non_null(strstr(r.text, "our own key"));
	cp_sdp_fini(&s);
}

/* On a call: the same key unless a re-key is wanted; refused or not answered, all stays. */
static void
re_offer_keeps_or_changes_the_key(void **state)
{
	static const char answer[] = HEAD "m=audio 5004 RTP/SAVP 0 101\r\na=rtpmap:101 "
					  "telephone-event/8000\r\n" ANSWER_CRYPTO;
	struct cp_sdp_session s = {0};
	struct cp_sdp_policy p;
	struct cp_sdp_result r;
	struct cp_key before;

	cp_sdp_policy_default(&p);
	assert_int_equal(cp_sdp_answer(&r, cp_slice_text(answer), &p, &s), 0);
	cp_sdp_commit(&s, &r);
	before = cp_key_copy(&s.media.tx_key);

	offer(&s, &p);
	assert_int_equal(s.offered_count, 1);
	assert_true(cp_key_is_same(&s.offered[0].key, &before));
	assert_non_null(strstr(text, "m=audio 26000 RTP/SAVP 0 8 96 101\r\n"));
	assert_int_equal(s.version, 2);
	assert_int_equal(cp_sdp_accept(&r, cp_slice_text(answer), &p, &s), 0);
	assert_int_equal(r.changes, 0);
	cp_sdp_commit(&s, &r);

	p.wants_new_key = true;
	offer(&s, &p);
	assert_false(cp_key_is_same(&s.offered[0].key, &before));
	assert_true(cp_key_is_same(&s.media.tx_key, &before)); /* goes on until the answer */
	cp_sdp_withdraw(&s);
	assert_int_equal(s.phase, CP_SDP_AGREED);
	assert_int_equal(s.version, 3); /* that text was sent */
	assert_int_equal(cp_secret_count(), 2);

	offer(&s, &p);
	assert_int_equal(cp_sdp_accept(&r, cp_slice_text(answer), &p, &s), 0);
	assert_int_equal(r.changes, CP_SDP_CHANGE_TX_KEY); /* ROC and SSRC go on: RFC 3711 8.1 */
	cp_sdp_commit(&s, &r);
	assert_false(cp_key_is_same(&s.media.tx_key, &before));
	cp_key_drop(&before);
	cp_sdp_fini(&s);
	assert_int_equal(cp_secret_count(), 0);
}

static void
re_offer_keeps_refused_mlines(void **state)
{
	struct cp_sdp_session s = {0};
	struct cp_sdp_policy p;
	struct cp_sdp_result r;

	cp_sdp_policy_default(&p);
	assert_int_equal(cp_sdp_answer(&r, cp_slice_text(offer_linphone), &p, &s), 0);
	cp_sdp_commit(&s, &r);
	offer(&s, &p);
	assert_non_null(strstr(text, "m=audio 26000 RTP/SAVPF 0 8 96 99\r\n"));
	assert_non_null(strstr(text, "m=video 0 RTP/SAVPF 96\r\n"));
	cp_sdp_fini(&s);
}

/* A number that the peer gave to something else is not ours to give. */
static void
re_offer_gives_no_number_twice(void **state)
{
	static const char taken[] = HEAD "m=audio 5004 RTP/SAVP 101 96\r\na=rtpmap:101 "
					 "L16/8000\r\na=rtpmap:96 PCMA/8000\r\n" ANSWER_CRYPTO;
	struct cp_sdp_session s = {0};
	struct cp_sdp_policy p;
	struct cp_sdp_result r;

	cp_sdp_policy_default(&p);
	assert_int_equal(cp_sdp_answer(&r, cp_slice_text(taken), &p, &s), 0);
	cp_sdp_commit(&s, &r);
	offer(&s, &p);
	assert_non_null(strstr(text, "RTP/SAVP 101 96 0 97\r\n"));
	assert_non_null(strstr(text, "a=rtpmap:97 telephone-event/8000\r\n"));
	cp_sdp_fini(&s);
}

static void
plain_late_offer(void **state)
{
	struct cp_sdp_session s = {0};
	struct cp_sdp_policy p;
	struct cp_sdp_result r;

	cp_sdp_policy_default(&p);
	p.security = CP_SDP_PLAIN;
	offer(&s, &p);
	assert_non_null(strstr(text, "m=audio 26000 RTP/AVP 0 8 96 101\r\n"));
	assert_null(strstr(text, "crypto"));
	assert_int_equal(
		cp_sdp_accept(&r, cp_slice_text(HEAD "m=audio 5004 RTP/AVP 8\r\n"), &p, &s), 0);
	assert_int_equal(r.next.media.suite, DP_SUITE_NONE);
	assert_int_equal(r.next.media.tx.codec, DP_CODEC_PCMA);
	cp_sdp_drop(&r);
	cp_sdp_fini(&s);
}

static void
too_small_a_buffer_is_said_and_wiped(void **state)
{
	static const char zero[CP_SDP_TEXT_MAX];
	struct cp_sdp_session s = {0};
	struct cp_sdp_policy p;
	int len;

	cp_sdp_policy_default(&p);
	assert_int_equal(cp_sdp_encode(text, sizeof(text), &s, &local), -EINVAL);
	offer(&s, &p);
	len = (int)strlen(text);
	for (int size = 1; size <= len; size++) {
		assert_int_equal(cp_sdp_encode(text, (size_t)size, &s, &local), -ENOSPC);
		assert_memory_equal(text, zero, (size_t)size);
	}
	assert_int_equal(cp_sdp_encode(text, (size_t)len + 1, &s, &local), len);
	cp_sdp_fini(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(late_offer_has_all_suites),
		cmocka_unit_test(its_answer_is_taken),
		cmocka_unit_test(bad_answers_are_refused),
		cmocka_unit_test(our_own_key_is_no_answer),
		cmocka_unit_test(re_offer_keeps_or_changes_the_key),
		cmocka_unit_test(re_offer_keeps_refused_mlines),
		cmocka_unit_test(re_offer_gives_no_number_twice),
		cmocka_unit_test(plain_late_offer),
		cmocka_unit_test(too_small_a_buffer_is_said_and_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
