/* Two legs of the participant's media engine talk to each other over loopback: keys, tones, delay, digits, re-key, forgeries. */
#include <arpa/inet.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>
#include "bench/load/media.h"
#include "bench/load/sdp.h"

static const unsigned tones[2] = {500, 700};

struct pair {
	struct ue_media *m;
	struct ue_leg *leg[2];
	struct ue_sound *sound[2];
	struct ue_leg_setup setup[2];
	enum dp_suite suite;
};

static struct dp_srtp_key *
key(enum dp_suite suite, uint8_t fill)
{
	struct dp_srtp_key_conf conf = {.suite = suite};

	memset(conf.key, fill, sizeof(conf.key));
	memset(conf.salt, fill + 1, sizeof(conf.salt));
	return dp_srtp_key_create(&conf);
}

/* Installs keys on both sides: direction d (0: from leg 0) has octets fill + d. */
static void
keys_give(struct pair *p, uint8_t fill)
{
	for (int i = 0; i < 2; i++) {
		p->setup[i].tx_key = key(p->suite, (uint8_t)(fill + 16 * i));
		p->setup[i].rx_key = key(p->suite, (uint8_t)(fill + 16 * !i));
		assert_non_null(p->setup[i].tx_key);
		assert_non_null(p->setup[i].rx_key);
	}
}

static void
apply(struct pair *p)
{
	for (int i = 0; i < 2; i++) {
		ue_leg_setup(p->m, p->leg[i], &p->setup[i]);
		p->setup[i].tx_key = p->setup[i].rx_key = NULL;
	}
}

static void
pair_open(struct pair *p, enum dp_suite suite, enum dp_codec_id codec, unsigned ptime,
	  unsigned share)
{
	struct ue_media_conf conf = {.port_low = 30200,
				     .port_high = 30400,
				     .share = share,
				     .cpu = -1,
				     .rtcp_ms = 300,
				     .has_marks = true};
	const char *why = "";

	memset(p, 0, sizeof(*p));
	p->suite = suite;
	conf.local.ip4.sin_family = AF_INET;
	conf.local.ip4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(ue_media_create(&p->m, &conf, &why), 0);
	for (int i = 0; i < 2; i++) {
		p->sound[i] = ue_sound_tone(codec, tones[i], -20);
		assert_int_equal(ue_leg_create(&p->leg[i], p->m, (unsigned)i + 1,
					       ue_ear_create(tones, 2, 1)),
				 0);
	}
	for (int i = 0; i < 2; i++) {
		struct ue_leg_setup *s = &p->setup[i];

		((struct ue_ear *)ue_leg_ear(p->leg[i]))->pitch[!i].mark = ue_leg_mark(p->leg[!i]);
		s->remote = s->remote_rtcp = conf.local;
		s->remote.ip4.sin_port = htons(ue_leg_rtp_port(p->leg[!i]));
		s->remote_rtcp.ip4.sin_port = htons(ue_leg_rtcp_port(p->leg[!i]));
		s->sound = p->sound[i];
		s->is_sending = s->is_receiving = true;
		s->is_secure = suite != DP_SUITE_NONE;
		s->pt = ue_codec_pt(codec);
		s->dtmf_pt = 101;
		s->ptime = ptime;
		s->rx_count = 1;
		s->rx_pt[0] = s->pt;
		s->rx_codec[0] = (uint8_t)codec;
	}
	if (suite != DP_SUITE_NONE)
		keys_give(p, 1);
	apply(p);
	assert_int_equal(ue_media_start(p->m), 0);
}

static void
pause_ms(unsigned ms)
{
	struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

	nanosleep(&ts, NULL);
}

/* Legs end politely; what they saw can be read. */
static void
pair_stop(struct pair *p)
{
	for (int i = 0; i < 2; i++)
		ue_leg_end(p->m, p->leg[i], true);
	ue_media_stop(p->m);
}

static void
pair_close(struct pair *p)
{
	ue_media_destroy(p->m);
	ue_sound_destroy(p->sound[0]);
	ue_sound_destroy(p->sound[1]);
}

static void
assert_hears(const struct pair *p)
{
	for (int i = 0; i < 2; i++) {
		const struct ue_ear *ear = ue_leg_ear(p->leg[i]);
		const struct ue_leg_stats *s = ue_leg_stats(p->leg[i]);

		assert_true(fabs(ue_pitch_dbov(&ear->pitch[!i]) + 20) < 1);
		assert_true(ue_pitch_dbov(&ear->pitch[i]) < -45);
		assert_true(s->rx.packets > 0);
		assert_int_equal(ue_rtp_rx_lost(&s->rx), 0);
	}
}

static void
suites_codecs_ptimes(void **state)
{
	for (int suite = DP_SUITE_NONE; suite < DP_SUITE_COUNT; suite++) {
		static const unsigned ptimes[] = {20, 10, 30, 40, 60, 20};
		struct pair p;

		pair_open(&p, suite, DP_CODEC_PCMU + suite % 3, ptimes[suite], 1);
		pause_ms(600);
		pair_stop(&p);
		assert_hears(&p);
		for (int i = 0; i < DP_DROP_COUNT; i++)
			assert_int_equal(ue_leg_stats(p.leg[0])->drops[i], 0);
		pair_close(&p);
	}
}

static void
reports_and_delay(void **state)
{
	struct pair p;

	pair_open(&p, DP_SUITE_AES_CM_128_HMAC_SHA1_80, DP_CODEC_PCMU, 20, 1);
	pause_ms(3500);
	pair_stop(&p);
	assert_hears(&p);
	for (int i = 0; i < 2; i++) {
		assert_true(ue_leg_stats(p.leg[i])->has_report);
		assert_int_equal(ue_leg_stats(p.leg[i])->remote_lost, 0);
		assert_true(ue_leg_stats(p.leg[i])->rtt_ms >= 0);
		/* over loopback, so next to none; a loaded machine may be late */
		assert_true(ue_leg_ear(p.leg[i])->delay_count >= 1);
		assert_true(ue_ear_delay_ms(ue_leg_ear(p.leg[i]), 0.5) < 500);
	}
	pair_close(&p);
}

static void
keys_change_under_way(void **state)
{
	struct pair p;

	pair_open(&p, DP_SUITE_AEAD_AES_256_GCM, DP_CODEC_PCMA, 20, 1);
	pause_ms(400);
	keys_give(&p, 100);
	apply(&p);
	pause_ms(400);
	pair_stop(&p);
	assert_hears(&p);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ue_leg_stats(p.leg[i])->rekeys_heard, 1);
		assert_int_equal(ue_leg_stats(p.leg[i])->drops[DP_DROP_SRTP_AUTH], 0);
	}
	pair_close(&p);
}

static void
forgeries_are_counted_not_heard(void **state)
{
	struct pair p;
	const struct ue_leg_stats *s;

	pair_open(&p, DP_SUITE_AES_CM_128_HMAC_SHA1_80, DP_CODEC_PCMU, 20, 1);
	ue_leg_attack(p.m, p.leg[0], UE_ATTACK_WRONG_KEY, 500);
	ue_leg_attack(p.m, p.leg[0], UE_ATTACK_WRONG_SOURCE, 500);
	ue_leg_attack(p.m, p.leg[0], UE_ATTACK_GARBAGE, 500);
	pause_ms(800);
	pair_stop(&p);
	assert_hears(&p);
	s = ue_leg_stats(p.leg[1]);
	assert_true(s->drops[DP_DROP_SRTP_AUTH] > 100);
	assert_int_equal(s->rx.ssrc_changes, 0);
	assert_true(ue_leg_stats(p.leg[0])->attack_packets > 300);
	pair_close(&p);
}

static void
digits_mute_and_another_ssrc(void **state)
{
	struct pair p;

	pair_open(&p, DP_SUITE_AES_CM_128_HMAC_SHA1_32, DP_CODEC_PCMU, 20, 1);
	pause_ms(100);
	ue_leg_dtmf(p.m, p.leg[0], "1#");
	ue_leg_ssrc_change(p.m, p.leg[1]);
	pause_ms(600);
	ue_leg_mute(p.m, p.leg[1], true);
	/* so often round that what was under way has been heard */
	for (int i = 0; i < 5; i++) {
		struct ue_leg_stats stats;

		pause_ms(20);
		ue_leg_snapshot(p.m, p.leg[0], &stats, NULL);
	}
	ue_leg_measure_anew(p.m, p.leg[0]);
	pause_ms(300);
	pair_stop(&p);
	/* two events of 100 ms, the last packet of each three times */
	assert_int_equal(ue_leg_stats(p.leg[1])->rx_other_pt, 2 * (5 + 2));
	assert_int_equal(ue_leg_stats(p.leg[0])->rx.ssrc_changes, 0); /* before measuring anew */
	assert_true(ue_pitch_dbov(&ue_leg_ear(p.leg[0])->pitch[1]) < -45);
	assert_true(ue_pitch_dbov(&ue_leg_ear(p.leg[1])->pitch[0]) > -21);
	pair_close(&p);
}

static void
sockets_are_shared(void **state)
{
	/* both legs on one pair of sockets: what comes is told apart by the sender's port, which here is the same */
	struct ue_media_conf conf = {.port_low = 30200, .port_high = 30400, .share = 2, .cpu = -1};
	struct ue_media *m;
	struct ue_leg *leg[3];
	const char *why;

	conf.local.ip4.sin_family = AF_INET;
	conf.local.ip4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(ue_media_create(&m, &conf, &why), 0);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(ue_leg_create(&leg[i], m, i + 1, NULL), 0);
	assert_int_equal(ue_leg_rtp_port(leg[0]), ue_leg_rtp_port(leg[1]));
	assert_int_not_equal(ue_leg_rtp_port(leg[0]), ue_leg_rtp_port(leg[2]));
	assert_int_equal(ue_leg_rtcp_port(leg[0]), ue_leg_rtp_port(leg[0]) + 1);
	ue_media_destroy(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(suites_codecs_ptimes),
		cmocka_unit_test(reports_and_delay),
		cmocka_unit_test(keys_change_under_way),
		cmocka_unit_test(forgeries_are_counted_not_heard),
		cmocka_unit_test(digits_mute_and_another_ssrc),
		cmocka_unit_test(sockets_are_shared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
