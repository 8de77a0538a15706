/* RTCP compounds: what is built is read, what is broken is refused; round trip and timing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "dataplane/rtp/rtcp.h"

static const struct dp_rtcp_sender sender = {
	.ntp = 0x0102030405060708, .ts = 99, .packets = 1000, .octets = 160000};
static const struct dp_rtcp_block blocks[2] = {
	{.ssrc = 5,
	 .highest = 0x10002,
	 .jitter = 44,
	 .lsr = 0x03040506,
	 .dlsr = 65536,
	 .lost = -3,
	 .fraction = 0},
	{.ssrc = 6, .highest = 7, .jitter = 1, .lost = 8388607, .fraction = 255},
};
static const struct dp_rtcp_cname forwards[2] = {{.text = "alice@example.org", .ssrc = 21},
						 {.text = "", .ssrc = 22}};
static const uint32_t gone[2] = {21, 22};

static size_t
build_all(uint8_t *out, size_t room)
{
	struct dp_rtcp_make make = {.sender = &sender,
				    .blocks = blocks,
				    .cname = "dp@conclave",
				    .forwards = forwards,
				    .bye_csrcs = gone,
				    .bye_reason = "conference over",
				    .ssrc = 0xcafe,
				    .block_count = 2,
				    .forward_count = 2,
				    .bye_csrc_count = 2,
				    .is_bye = true};

	return dp_rtcp_build(out, room, &make);
}

static void
assert_chunk(const struct dp_rtcp_packet *packet, struct dp_rtcp_sdes_walk *walk, uint32_t ssrc,
	     const char *text)
{
	struct dp_rtcp_sdes sdes;

	assert_true(dp_rtcp_sdes_next(&sdes, packet, walk));
	assert_int_equal(sdes.ssrc, ssrc);
	assert_int_equal(sdes.type, DP_RTCP_SDES_CNAME);
	assert_int_equal(sdes.len, strlen(text));
	assert_memory_equal(sdes.text, text, sdes.len);
}

static void
what_is_built_is_read(void **state)
{
	uint8_t out[512];
	size_t len = build_all(out, sizeof(out));
	struct dp_rtcp_packet packet;
	struct dp_rtcp_sender read_sender;
	struct dp_rtcp_block block;
	struct dp_rtcp_sdes_walk walk = {0};
	struct dp_rtcp_sdes sdes;
	size_t at = 0;
	uint8_t reason_len;
	const uint8_t *reason;

	assert_true(len > 0 && len % 4 == 0);
	assert_int_equal(dp_rtcp_check(out, len), DP_DROP_NONE);

	assert_true(dp_rtcp_next(&packet, out, len, &at));
	assert_int_equal(packet.type, DP_RTCP_SR);
	assert_int_equal(packet.ssrc, 0xcafe);
	assert_int_equal(packet.count, 2);
	dp_rtcp_sender(&read_sender, &packet);
	assert_true(read_sender.ntp == sender.ntp);
	assert_int_equal(read_sender.ts, sender.ts);
	assert_int_equal(read_sender.packets, sender.packets);
	assert_int_equal(read_sender.octets, sender.octets);
	for (unsigned i = 0; i < 2; i++) {
		dp_rtcp_block(&block, &packet, i);
		assert_int_equal(block.ssrc, blocks[i].ssrc);
		assert_int_equal(block.lost, blocks[i].lost);
		assert_int_equal(block.fraction, blocks[i].fraction);
		assert_int_equal(block.highest, blocks[i].highest);
		assert_int_equal(block.jitter, blocks[i].jitter);
		assert_int_equal(block.lsr, blocks[i].lsr);
		assert_int_equal(block.dlsr, blocks[i].dlsr);
	}

	assert_true(dp_rtcp_next(&packet, out, len, &at));
	assert_int_equal(packet.type, DP_RTCP_SDES);
	assert_int_equal(packet.count, 3);
	assert_chunk(&packet, &walk, 0xcafe, "dp@conclave");
	assert_chunk(&packet, &walk, 21, "alice@example.org");
	assert_chunk(&packet, &walk, 22, "");
	assert_false(dp_rtcp_sdes_next(&sdes, &packet, &walk));

	assert_true(dp_rtcp_next(&packet, out, len, &at));
	assert_int_equal(packet.type, DP_RTCP_BYE);
	assert_int_equal(packet.count, 3);
	assert_int_equal(dp_rtcp_bye_ssrc(&packet, 0), 0xcafe);
	assert_int_equal(dp_rtcp_bye_ssrc(&packet, 2), 22);
	reason = dp_rtcp_bye_reason(&packet, &reason_len);
	assert_int_equal(reason_len, 15);
	assert_memory_equal(reason, "conference over", 15);
	assert_false(dp_rtcp_next(&packet, out, len, &at));
}

static void
a_receiver_without_blocks_is_the_least(void **state)
{
	uint8_t out[64];
	struct dp_rtcp_make make = {.cname = "a", .ssrc = 1};
	const uint8_t want[] = {0x80, 201, 0, 1, 0, 0, 0, 1, 0x81, 202,
				0,    2,   0, 0, 0, 1, 1, 1, 'a',  0};

	assert_int_equal(dp_rtcp_build(out, sizeof(out), &make), sizeof(want));
	assert_memory_equal(out, want, sizeof(want));
}

/* RFC 3550 6.6, 7.3: a mixer that stays tells of contributors that left. */
static void
contributors_leave_without_us(void **state)
{
	uint8_t out[512];
	struct dp_rtcp_make make = {
		.cname = "a", .ssrc = 1, .bye_csrcs = gone, .bye_csrc_count = 2};
	size_t len = dp_rtcp_build(out, sizeof(out), &make), at = 0;
	struct dp_rtcp_packet packet = {0};

	assert_int_equal(dp_rtcp_check(out, len), DP_DROP_NONE);
	for (unsigned i = 0; i < 3; i++)
		assert_true(dp_rtcp_next(&packet, out, len, &at));
	assert_int_equal(packet.type, DP_RTCP_BYE);
	assert_int_equal(packet.count, 2);
	assert_int_equal(dp_rtcp_bye_ssrc(&packet, 0), 21);
	assert_int_equal(dp_rtcp_bye_ssrc(&packet, 1), 22);
	assert_false(dp_rtcp_next(&packet, out, len, &at));
}

/* What a name is said to take is what it takes, at every length. */
static void
chunks_are_as_long_as_is_said(void **state)
{
	uint8_t out[512];
	char name[256] = "";
	struct dp_rtcp_cname one = {.text = name, .ssrc = 9};
	struct dp_rtcp_make make = {.cname = "a", .ssrc = 1};
	size_t bare = dp_rtcp_build(out, sizeof(out), &make);

	make.forwards = &one;
	make.forward_count = 1;
	for (unsigned n = 0; n <= 255; n++) {
		memset(name, 'n', n);
		assert_int_equal(dp_rtcp_build(out, sizeof(out), &make),
				 bare + dp_rtcp_chunk_octets(name));
		assert_int_equal(dp_rtcp_check(out, bare + dp_rtcp_chunk_octets(name)),
				 DP_DROP_NONE);
	}
}

static void
too_little_room_builds_nothing(void **state)
{
	uint8_t out[512];
	size_t len = build_all(out, sizeof(out));

	for (size_t room = 0; room < len; room++) {
		uint8_t *block = malloc(room + 1);

		block[room] = 0x77;
		assert_int_equal(build_all(block, room), 0);
		assert_int_equal(block[room], 0x77);
		free(block);
	}
	assert_int_equal(build_all(out, len), len);
}

static void
every_truncation_is_refused(void **state)
{
	uint8_t out[512];
	size_t len = build_all(out, sizeof(out));
	size_t sr = 28 + 48, sdes = 4 + 20 + 24 + 8;

	for (size_t n = 0; n < len; n++) {
		uint8_t *copy = malloc(n + 1);
		bool is_border = n == sr || n == sr + sdes;

		memcpy(copy, out, n);
		assert_int_equal(dp_rtcp_check(copy, n),
				 is_border ? DP_DROP_NONE : DP_DROP_RTCP_HEADER);
		free(copy);
	}
}

static void
broken_compounds_are_refused(void **state)
{
	static const struct {
		const char *why;
		uint8_t len;
		enum dp_drop want;
		uint8_t data[32];
	} rows[] = {
		{"RR alone", 8, DP_DROP_NONE, {0x80, 201, 0, 1, 0, 0, 0, 1}},
		{"version 1", 8, DP_DROP_RTCP_HEADER, {0x40, 201, 0, 1, 0, 0, 0, 1}},
		{"SDES first", 12, DP_DROP_RTCP_HEADER, {0x81, 202, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0}},
		{"BYE first", 8, DP_DROP_RTCP_HEADER, {0x81, 203, 0, 1, 0, 0, 0, 1}},
		{"feedback alone (RFC 5506)",
		 12,
		 DP_DROP_RTCP_HEADER,
		 {0x81, 205, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2}},
		{"block missing", 8, DP_DROP_RTCP_HEADER, {0x81, 201, 0, 1, 0, 0, 0, 1}},
		{"length beyond", 8, DP_DROP_RTCP_HEADER, {0x80, 201, 0, 2, 0, 0, 0, 1}},
		{"octets behind", 10, DP_DROP_RTCP_HEADER, {0x80, 201, 0, 1, 0, 0, 0, 1, 0, 0}},
		{"second version 0",
		 12,
		 DP_DROP_RTCP_HEADER,
		 {0x80, 201, 0, 1, 0, 0, 0, 1, 0, 203, 0, 0}},
		{"BYE of nobody", 12, DP_DROP_NONE, {0x80, 201, 0, 1, 0, 0, 0, 1, 0x80, 203, 0, 0}},
		{"BYE short",
		 12,
		 DP_DROP_RTCP_HEADER,
		 {0x80, 201, 0, 1, 0, 0, 0, 1, 0x81, 203, 0, 0}},
		{"unknown type", 12, DP_DROP_NONE, {0x80, 201, 0, 1, 0, 0, 0, 1, 0x80, 199, 0, 0}},
		{"padding in the last",
		 16,
		 DP_DROP_NONE,
		 {0x80, 201, 0, 1, 0, 0, 0, 1, 0xa0, 203, 0, 1, 0, 0, 0, 4}},
		{"padding before the last", 20, DP_DROP_RTCP_HEADER, {0xa0, 201, 0, 2, 0, 0,	0,
								      1,    0,	 0, 0, 4, 0x81, 203,
								      0,    1,	 0, 0, 0, 1}},
		{"padding of 0",
		 16,
		 DP_DROP_RTCP_HEADER,
		 {0x80, 201, 0, 1, 0, 0, 0, 1, 0xa0, 203, 0, 1, 0, 0, 0, 0}},
		{"padding of 3",
		 16,
		 DP_DROP_RTCP_HEADER,
		 {0x80, 201, 0, 1, 0, 0, 0, 1, 0xa0, 203, 0, 1, 0, 0, 0, 3}},
		{"padding too long",
		 16,
		 DP_DROP_RTCP_HEADER,
		 {0x80, 201, 0, 1, 0, 0, 0, 1, 0xa0, 203, 0, 1, 0, 0, 0, 8}},
		{"padding eats the SSRC",
		 12,
		 DP_DROP_RTCP_HEADER,
		 {0xa0, 201, 0, 2, 0, 0, 0, 1, 0, 0, 0, 8}},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (dp_rtcp_check(rows[i].data, rows[i].len) != rows[i].want)
			fail_msg("%s", rows[i].why);
}

/* Items that reach beyond the packet, a BYE reason that does. */
static void
slices_stay_inside(void **state)
{
	const uint8_t sdes[] = {0x80, 201, 0, 1, 0, 0, 0, 1, 0x81, 202,
				0,    2,   0, 0, 0, 1, 1, 3, 'a',  'b'};
	const uint8_t bye[] = {0x80, 201, 0, 1, 0, 0, 0, 1,   0x81, 203,
			       0,    2,	  0, 0, 0, 1, 4, 'a', 'b',  'c'};
	struct dp_rtcp_sdes_walk walk = {0};
	struct dp_rtcp_packet packet;
	struct dp_rtcp_sdes item;
	size_t at = 8;
	uint8_t len;

	assert_int_equal(dp_rtcp_check(sdes, sizeof(sdes)), DP_DROP_NONE);
	assert_true(dp_rtcp_next(&packet, sdes, sizeof(sdes), &at));
	assert_false(dp_rtcp_sdes_next(&item, &packet, &walk));
	at = 8;
	assert_int_equal(dp_rtcp_check(bye, sizeof(bye)), DP_DROP_NONE);
	assert_true(dp_rtcp_next(&packet, bye, sizeof(bye), &at));
	dp_rtcp_bye_reason(&packet, &len);
	assert_int_equal(len, 0);
}

/* The example of RFC 3550 figure 2: 6.125 s. */
static void
round_trip_is_the_rfcs_example(void **state)
{
	struct dp_rtcp_block block = {.lsr = 0xb7052000, .dlsr = 0x00054000};

	assert_int_equal(dp_rtcp_round_trip_us(0xb7108000, &block), 6125000);
	assert_int_equal(dp_rtcp_ntp_mid(0xb44db705200000ffULL), 0xb7052000);
	block.lsr = 0;
	assert_int_equal(dp_rtcp_round_trip_us(0xb7108000, &block), 0);
	block.lsr = 0xb7108001;
	block.dlsr = 0;
	assert_int_equal(dp_rtcp_round_trip_us(0xb7108000, &block), 0);
}

static void
ntp_counts_from_1900(void **state)
{
	assert_true(dp_rtcp_ntp(0) == 2208988800ULL << 32);
	assert_true(dp_rtcp_ntp(1500000000) == (2208988801ULL << 32 | 0x80000000));
}

static void
interval_follows_members_and_luck(void **state)
{
	struct dp_rtcp_timing timing = {
		.members = 2, .senders = 2, .bandwidth = 500, .avg_octets = 100, .min_ms = 5000};
	double scale = 1e9 / 1.21828;
	uint64_t most;

	/* the minimum, from half to one and a half of it */
	assert_true(dp_rtcp_interval_ns(&timing) == (uint64_t)(5 * 0.5 * scale));
	timing.random = UINT32_MAX;
	most = dp_rtcp_interval_ns(&timing);
	assert_true(most > (uint64_t)(5 * 1.49 * scale) && most < (uint64_t)(5 * 1.5 * scale));
	timing.is_first = true;
	assert_true(dp_rtcp_interval_ns(&timing) < most / 2 + 2);
	/* a thousand members, ten of them senders: receivers share three quarters */
	timing = (struct dp_rtcp_timing){.members = 1000,
					 .senders = 10,
					 .bandwidth = 500,
					 .avg_octets = 100,
					 .min_ms = 5000,
					 .random = 1u << 31};
	assert_true(dp_rtcp_interval_ns(&timing) / 1000 ==
		    (uint64_t)(990 * 100 / 375.0 * scale) / 1000);
	timing.have_we_sent = true;
	assert_true(dp_rtcp_interval_ns(&timing) / 1000 ==
		    (uint64_t)(10 * 100 / 125.0 * scale) / 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_built_is_read),
		cmocka_unit_test(a_receiver_without_blocks_is_the_least),
		cmocka_unit_test(contributors_leave_without_us),
		cmocka_unit_test(chunks_are_as_long_as_is_said),
		cmocka_unit_test(too_little_room_builds_nothing),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(broken_compounds_are_refused),
		cmocka_unit_test(slices_stay_inside),
		cmocka_unit_test(round_trip_is_the_rfcs_example),
		cmocka_unit_test(ntp_counts_from_1900),
		cmocka_unit_test(interval_follows_members_and_luck),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
