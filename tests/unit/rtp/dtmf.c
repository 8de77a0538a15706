/* telephone-event: each key press is told once, whatever the network does to its packets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "dataplane/rtp/dtmf.h"

#define MS 1000000ULL

static struct dp_dtmf dtmf;
static char told[512]; /* "code:ms " for each event */

static void
note(const struct dp_dtmf_event *events, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		snprintf(told + strlen(told), sizeof(told) - strlen(told), "%u:%u ", events[i].code,
			 events[i].duration_ms);
}

static void
put(uint64_t at_ms, uint32_t ts, uint8_t event, bool is_end, uint16_t duration)
{
	const uint8_t payload[4] = {event, (uint8_t)(is_end ? 0x80 | 10 : 10),
				    (uint8_t)(duration >> 8), (uint8_t)duration};
	struct dp_dtmf_packet packet = {.payload = payload,
					.arrival_ns = at_ms * MS,
					.ts = ts,
					.clock_hz = 8000,
					.len = sizeof(payload)};
	struct dp_dtmf_event out[DP_DTMF_OUT_MAX];

	note(out, dp_dtmf_put(&dtmf, &packet, out));
}

static void
expire(uint64_t at_ms)
{
	struct dp_dtmf_event out;

	note(&out, dp_dtmf_expire(&dtmf, at_ms * MS, 8000, &out));
}

/* A press of 100 ms: updates, then three ends. drop: bit i loses packet i. */
static void
press(uint64_t at_ms, uint32_t ts, uint8_t event, unsigned drop)
{
	for (unsigned i = 0; i < 8; i++)
		if (!(drop >> i & 1))
			put(at_ms + 20 * i, ts, event, i >= 5,
			    (uint16_t)(i < 5 ? 160 * (i + 1) : 800));
}

static int
setup(void **state)
{
	memset(&dtmf, 0, sizeof(dtmf));
	told[0] = '\0';
	return 0;
}

static void
a_press_is_told_once(void **state)
{
	press(0, 1000, 5, 0);
	assert_string_equal(told, "5:100 ");
	assert_false(dp_dtmf_is_open(&dtmf));
	expire(5000);
	assert_string_equal(told, "5:100 ");
}

/* Every pattern of loss that leaves a packet: told once, with what duration was seen. */
static void
any_loss_still_tells_once(void **state)
{
	for (unsigned drop = 0; drop < 255; drop++) {
		char *colon;

		setup(NULL);
		press(0, 1000, 7, drop);
		expire(1000);
		colon = strchr(told, ' ');
		assert_non_null(colon);
		assert_int_equal(strlen(colon), 1);
		assert_memory_equal(told, "7:", 2);
		if ((drop & 0xe0) != 0xe0)
			assert_string_equal(told, "7:100 ");
	}
}

static void
lost_ends_are_made_up_by_the_next_press(void **state)
{
	press(0, 1000, 1, 0xe0);
	press(150, 3000, 1, 0);
	assert_string_equal(told, "1:100 1:100 ");
}

static void
lost_ends_are_made_up_by_time(void **state)
{
	press(0, 1000, 11, 0xe0);
	assert_true(dp_dtmf_is_open(&dtmf));
	expire(80 + DP_DTMF_TIMEOUT_MS - 1);
	assert_string_equal(told, "");
	expire(80 + DP_DTMF_TIMEOUT_MS);
	assert_string_equal(told, "11:100 ");
	/* an end that comes after all is another copy */
	put(300, 1000, 11, true, 800);
	assert_string_equal(told, "11:100 ");
}

static void
copies_and_stragglers_tell_nothing(void **state)
{
	press(0, 1000, 2, 0);
	press(200, 9000, 3, 0);
	press(400, 1000, 2, 0);
	press(600, 9000, 3, 0);
	assert_string_equal(told, "2:100 3:100 ");
}

static void
only_an_end_is_a_press_too(void **state)
{
	put(0, 500, 9, true, 400);
	put(0, 500, 9, true, 400);
	assert_string_equal(told, "9:50 ");
}

/* Longer than 0xFFFF: segments, one event (RFC 4733 2.5.1.3). */
static void
a_long_press_is_one_event(void **state)
{
	uint32_t ts = 4294960000u; /* wraps in between */

	for (uint32_t d = 160; d < 65535; d += 160)
		put(d / 8, ts, 0, false, (uint16_t)d);
	put(8191, ts, 0, false, 0xffff);
	ts += 0xffff;
	for (uint32_t d = 160; d < 65535; d += 160)
		put(8191 + d / 8, ts, 0, false, (uint16_t)d);
	put(16383, ts, 0, false, 0xffff);
	ts += 0xffff;
	put(16500, ts, 0, true, 800);
	put(16520, ts, 0, true, 800);
	assert_string_equal(told, "0:16483 ");
}

/* Several events in one packet, each beginning where the one before ended (2.5.1.5). */
static void
several_events_in_a_packet(void **state)
{
	const uint8_t payload[12] = {1, 0x8a, 0x03, 0x20, 2, 0x8a, 0x03, 0x20, 3, 0x0a, 0x01, 0x40};
	struct dp_dtmf_packet packet = {
		.payload = payload, .ts = 100, .clock_hz = 8000, .len = sizeof(payload)};
	struct dp_dtmf_event out[DP_DTMF_OUT_MAX];

	note(out, dp_dtmf_put(&dtmf, &packet, out));
	note(out, dp_dtmf_put(&dtmf, &packet, out));
	assert_string_equal(told, "1:100 2:100 ");
	expire(1000);
	assert_string_equal(told, "1:100 2:100 3:40 ");
}

static void
other_lengths_are_ignored(void **state)
{
	const uint8_t payload[40] = {5, 0x80, 1, 0};
	struct dp_dtmf_event out[DP_DTMF_OUT_MAX];

	for (uint16_t len = 0; len <= sizeof(payload); len++) {
		struct dp_dtmf_packet packet = {
			.payload = payload, .ts = 100, .clock_hz = 8000, .len = len};

		setup(NULL);
		assert_int_equal(dp_dtmf_put(&dtmf, &packet, out) > 0, len > 0 && len % 4 == 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_press_is_told_once, setup),
		cmocka_unit_test_setup(any_loss_still_tells_once, setup),
		cmocka_unit_test_setup(lost_ends_are_made_up_by_the_next_press, setup),
		cmocka_unit_test_setup(lost_ends_are_made_up_by_time, setup),
		cmocka_unit_test_setup(copies_and_stragglers_tell_nothing, setup),
		cmocka_unit_test_setup(only_an_end_is_a_press_too, setup),
		cmocka_unit_test_setup(a_long_press_is_one_event, setup),
		cmocka_unit_test_setup(several_events_in_a_packet, setup),
		cmocka_unit_test_setup(other_lengths_are_ignored, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
