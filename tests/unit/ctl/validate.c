/* Which requests are well-formed: each at every length, each field out of its range. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include "dataplane/api/ctl.h"
#include "dataplane/ctl/validate.h"

static _Alignas(8) uint8_t octets[DP_CTL_MAX];

static struct dp_ctl_leg
leg_good(void)
{
	return (struct dp_ctl_leg){
		.hdr = {.version = DP_CTL_VERSION,
			.type = DP_CTL_LEG_ADD,
			.len = sizeof(struct dp_ctl_leg)},
		.leg = 1,
		.conf = 2,
		.flags = DP_LEG_RTCP_MUX,
		.dirs = 3,
		.is_secure = 1,
		.dtmf_pt = 101,
		.ptime_ms = 20,
		.rx_count = 2,
		.rx = {{.codec = DP_CODEC_PCMU, .pt = 0}, {.codec = DP_CODEC_PCMA, .pt = 8}},
		.tx = {.codec = DP_CODEC_PCMU, .pt = 0},
		.remote_rtp = {.family = DP_FAMILY_IP4, .port = 9, .ip = {1, 2, 3, 4}},
		.cname = "a",
		.jbuf_min_ms = 20,
		.jbuf_max_ms = 100,
	};
}

static void
test_every_length(void **state)
{
	static const struct {
		uint16_t type;
		size_t len;
	} rows[] = {
		{DP_CTL_HELLO, sizeof(struct dp_ctl_hello)},
		{DP_CTL_CONF_CREATE, sizeof(struct dp_ctl_conf)},
		{DP_CTL_CONF_UPDATE, sizeof(struct dp_ctl_conf)},
		{DP_CTL_CONF_DESTROY, sizeof(struct dp_ctl_id)},
		{DP_CTL_LEG_ADD, sizeof(struct dp_ctl_leg)},
		{DP_CTL_LEG_UPDATE, sizeof(struct dp_ctl_leg)},
		{DP_CTL_LEG_REMOVE, sizeof(struct dp_ctl_id)},
		{DP_CTL_LEG_MIX, sizeof(struct dp_ctl_leg_mix)},
		{DP_CTL_KEY_INSTALL, sizeof(struct dp_ctl_key)},
		{DP_CTL_KEY_RETIRE, sizeof(struct dp_ctl_key_ref)},
		{DP_CTL_LIST_CONFS, sizeof(struct dp_ctl_list)},
		{DP_CTL_LIST_LEGS, sizeof(struct dp_ctl_list)},
		{DP_CTL_LEG_SHOW, sizeof(struct dp_ctl_id)},
		{DP_CTL_NODE_SHOW, sizeof(struct dp_ctl_hdr)},
		{DP_CTL_CLIP_ADD, sizeof(struct dp_ctl_clip)},
		{DP_CTL_CLIP_FILL, sizeof(struct dp_ctl_clip_part)},
		{DP_CTL_CLIP_REMOVE, sizeof(struct dp_ctl_id)},
		{DP_CTL_LIST_CLIPS, sizeof(struct dp_ctl_list)},
		{DP_CTL_PLAY, sizeof(struct dp_ctl_play)},
		{DP_CTL_STOP, sizeof(struct dp_ctl_play_ref)},
	};

	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++)
		for (size_t len = 0; len < rows[r].len + 8; len++) {
			struct dp_ctl_hdr *hdr = (struct dp_ctl_hdr *)octets;

			memset(octets, 0, sizeof(octets));
			*hdr = (struct dp_ctl_hdr){.version = DP_CTL_VERSION,
						   .type = rows[r].type,
						   .len = (uint32_t)len};
			if (len == rows[r].len)
				assert_int_not_equal(dp_ctl_validate(octets, len), -EBADMSG);
			else
				assert_int_equal(dp_ctl_validate(octets, len), -EBADMSG);
			hdr->len++;
			assert_int_equal(dp_ctl_validate(octets, len), -EBADMSG);
		}
}

static void
test_header(void **state)
{
	struct dp_ctl_hdr hdr = {
		.version = DP_CTL_VERSION, .type = DP_CTL_NODE_SHOW, .len = sizeof(hdr)};

	assert_int_equal(dp_ctl_validate(&hdr, sizeof(hdr)), 0);
	hdr.version++;
	assert_int_equal(dp_ctl_validate(&hdr, sizeof(hdr)), -EPROTONOSUPPORT);
	hdr.version--;
	hdr.type = 0;
	assert_int_equal(dp_ctl_validate(&hdr, sizeof(hdr)), -EOPNOTSUPP);
	hdr.type = DP_CTL_EVENT;
	assert_int_equal(dp_ctl_validate(&hdr, sizeof(hdr)), -EOPNOTSUPP);
	hdr.type = DP_CTL_NODE_SHOW;
	hdr.status = -1;
	assert_int_equal(dp_ctl_validate(&hdr, sizeof(hdr)), -EBADMSG);
}

static int
leg_check(struct dp_ctl_leg leg)
{
	return dp_ctl_validate(&leg, sizeof(leg));
}

static void
test_leg_fields(void **state)
{
	struct dp_ctl_leg leg;

	assert_int_equal(leg_check(leg_good()), 0);
#define WRONG(change)                                      \
	do {                                               \
		leg = leg_good();                          \
		change;                                    \
		assert_int_equal(leg_check(leg), -EINVAL); \
	} while (0)
	WRONG(leg.leg = 0);
	WRONG(leg.conf = 0);
	WRONG(leg.flags = 1u << 31);
	WRONG(leg.dirs = 4);
	WRONG(leg.is_secure = 2);
	WRONG(leg.dtmf_pt = 128);
	WRONG(leg.dtmf_pt = 72);
	WRONG(leg.dtmf_pt = 8);
	WRONG(leg.ptime_ms = 0);
	WRONG(leg.ptime_ms = 25);
	WRONG(leg.ptime_ms = 70);
	WRONG(leg.rx_count = 5);
	WRONG(leg.rx[0].codec = DP_CODEC_COUNT);
	WRONG(leg.rx[0].pt = 200);
	WRONG(leg.rx[1].pt = 0);
	WRONG(leg.rx[1].pt = 64);
	WRONG(leg.rx[3].pt = 1);
	WRONG(leg.tx.codec = DP_CODEC_NONE);
	WRONG(leg.remote_rtp.family = 5);
	WRONG(leg.remote_rtp.port = 0);
	WRONG(leg.remote_rtp.ip[4] = 1);
	WRONG(leg.remote_rtcp.port = 1);
	WRONG(memset(leg.cname, 'a', sizeof(leg.cname)));
	WRONG(leg.jbuf_min_ms = 101);
	WRONG(leg.jbuf_max_ms = 5000);
	WRONG(leg.zero = 1);
	WRONG(leg.zero2 = 1);
#undef WRONG
}

static void
test_key_fields(void **state)
{
	const struct dp_ctl_key good = {
		.hdr = {.version = DP_CTL_VERSION,
			.type = DP_CTL_KEY_INSTALL,
			.len = sizeof(struct dp_ctl_key)},
		.leg = 1,
		.dir = DP_DIR_SEND,
		.slot = DP_KEY_NEXT,
		.suite = DP_SUITE_AEAD_AES_256_GCM,
		.flags = DP_KEY_FRESH,
		.lifetime_rtp = DP_SRTP_MAX_PACKETS,
	};
	struct dp_ctl_key key = good;

	assert_int_equal(dp_ctl_validate(&key, sizeof(key)), 0);
#define WRONG(change)                                                          \
	do {                                                                   \
		key = good;                                                    \
		change;                                                        \
		assert_int_equal(dp_ctl_validate(&key, sizeof(key)), -EINVAL); \
	} while (0)
	WRONG(key.leg = 0);
	WRONG(key.dir = 3);
	WRONG(key.dir = 0);
	WRONG(key.slot = DP_KEY_PREVIOUS);
	WRONG(key.suite = 0);
	WRONG(key.suite = DP_SUITE_COUNT);
	WRONG(key.mki_len = 17);
	WRONG(key.flags = 4);
	WRONG(key.zero = 1);
	WRONG(key.lifetime_rtp++);
	WRONG(key.lifetime_rtcp = DP_SRTCP_MAX_PACKETS + 1);
#undef WRONG
}

static void
test_other_fields(void **state)
{
	struct dp_ctl_conf conf = {
		.hdr = {.version = DP_CTL_VERSION, .type = DP_CTL_CONF_CREATE, .len = sizeof(conf)},
		.conf = 1,
		.rate_hz = 8000};
	struct dp_ctl_leg_mix mix = {
		.hdr = {.version = DP_CTL_VERSION, .type = DP_CTL_LEG_MIX, .len = sizeof(mix)},
		.leg = 1,
		.gain_cdb = 2000};
	struct dp_ctl_hello hello = {
		.hdr = {.version = DP_CTL_VERSION, .type = DP_CTL_HELLO, .len = sizeof(hello)}};

	assert_int_equal(dp_ctl_validate(&conf, sizeof(conf)), 0);
	conf.rate_hz = 16000;
	assert_int_equal(dp_ctl_validate(&conf, sizeof(conf)), -EINVAL);
	assert_int_equal(dp_ctl_validate(&mix, sizeof(mix)), 0);
	mix.gain_cdb++;
	assert_int_equal(dp_ctl_validate(&mix, sizeof(mix)), -EINVAL);
	mix.gain_cdb = -6001;
	assert_int_equal(dp_ctl_validate(&mix, sizeof(mix)), -EINVAL);
	assert_int_equal(dp_ctl_validate(&hello, sizeof(hello)), 0);
	memset(hello.client, 'x', sizeof(hello.client));
	assert_int_equal(dp_ctl_validate(&hello, sizeof(hello)), -EINVAL);
}

static void
test_clip_fields(void **state)
{
	const struct dp_ctl_clip good = {
		.hdr = {.version = DP_CTL_VERSION, .type = DP_CTL_CLIP_ADD, .len = sizeof(good)},
		.clip = 1,
		.samples = DP_CTL_CLIP_SAMPLES_MAX};
	static struct dp_ctl_clip_part part;
	struct dp_ctl_clip clip = good;

	assert_int_equal(dp_ctl_validate(&clip, sizeof(clip)), 0);
	clip.samples++;
	assert_int_equal(dp_ctl_validate(&clip, sizeof(clip)), -EINVAL);
	clip.samples = 0;
	assert_int_equal(dp_ctl_validate(&clip, sizeof(clip)), -EINVAL);
	clip = good;
	clip.clip = 0;
	assert_int_equal(dp_ctl_validate(&clip, sizeof(clip)), -EINVAL);
#define PART(expected, change)                                                           \
	do {                                                                             \
		part = (struct dp_ctl_clip_part){.hdr = {.version = DP_CTL_VERSION,      \
							 .type = DP_CTL_CLIP_FILL,       \
							 .len = sizeof(part)},           \
						 .clip = 1,                              \
						 .offset = DP_CTL_CLIP_SAMPLES_MAX - 10, \
						 .count = 10};                           \
		change;                                                                  \
		assert_int_equal(dp_ctl_validate(&part, sizeof(part)), expected);        \
	} while (0)
	PART(0, part.offset += 0);
	PART(0, (part.offset = 0, part.count = DP_CTL_CLIP_PART));
	PART(-EINVAL, part.clip = 0);
	PART(-EINVAL, part.offset++);
	PART(-EINVAL, part.offset = UINT32_MAX);
	PART(-EINVAL, part.count = 0);
	PART(-EINVAL, part.count = UINT32_MAX);
	PART(-EINVAL, (part.offset = 0, part.count = DP_CTL_CLIP_PART + 1));
	PART(-EINVAL, part.zero = 1);
#undef PART
}

static void
test_play_fields(void **state)
{
	const struct dp_ctl_play good = {
		.hdr = {.version = DP_CTL_VERSION, .type = DP_CTL_PLAY, .len = sizeof(good)},
		.play = 1,
		.clip = 2,
		.leg = 3,
		.flags = DP_PLAY_LOOP | DP_PLAY_OVER,
		.gain_cdb = -6000};
	const struct dp_ctl_play_ref good_ref = {
		.hdr = {.version = DP_CTL_VERSION, .type = DP_CTL_STOP, .len = sizeof(good_ref)},
		.play = 1,
		.conf = 3};
	struct dp_ctl_play play = good;
	struct dp_ctl_play_ref ref = good_ref;

	assert_int_equal(dp_ctl_validate(&play, sizeof(play)), 0);
	play.conf = 9;
	play.flags = DP_PLAY_LOOP;
	assert_int_equal(dp_ctl_validate(&play, sizeof(play)), 0);
	play.leg = 0;
	assert_int_equal(dp_ctl_validate(&play, sizeof(play)), 0);
	play.flags = DP_PLAY_OVER; /* always so in a conference */
	assert_int_equal(dp_ctl_validate(&play, sizeof(play)), -EINVAL);
#define WRONG(what, good, change)                                                \
	do {                                                                     \
		what = good;                                                     \
		change;                                                          \
		assert_int_equal(dp_ctl_validate(&what, sizeof(what)), -EINVAL); \
	} while (0)
	WRONG(play, good, play.play = 0);
	WRONG(play, good, play.clip = 0);
	WRONG(play, good, play.leg = 0);
	WRONG(play, good, play.conf = 1); /* OVER */
	WRONG(play, good, play.offset = DP_CTL_CLIP_SAMPLES_MAX);
	WRONG(play, good, play.flags = 4);
	WRONG(play, good, play.gain_cdb--);
	WRONG(play, good, play.gain_cdb = 2001);
	WRONG(play, good, play.zero = 1);
	assert_int_equal(dp_ctl_validate(&ref, sizeof(ref)), 0);
	WRONG(ref, good_ref, ref.play = 0);
	WRONG(ref, good_ref, ref.leg = 1);
	WRONG(ref, good_ref, ref.conf = 0);
	WRONG(ref, good_ref, ref.zero = 1);
#undef WRONG
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clip_fields),  cmocka_unit_test(test_play_fields),
		cmocka_unit_test(test_every_length), cmocka_unit_test(test_header),
		cmocka_unit_test(test_leg_fields),   cmocka_unit_test(test_key_fields),
		cmocka_unit_test(test_other_fields),
	};

	return cmocka_run_group_tests_name("unit/ctl/validate", tests, NULL, NULL);
}
