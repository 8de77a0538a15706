/* Live events: the ring, resuming, a reader that is too slow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "ctrlplane/mgmt/events.h"

struct fixture {
	struct cp_events events;
	struct cp_events_stream stream;
	uint32_t hidden; /* conference that may not be seen */
	char got[8192];
};

static bool
sees(void *arg, uint32_t conf)
{
	const struct fixture *f = arg;

	return conf != f->hidden;
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	cp_events_init(&f->events, 0xb00);
	f->hidden = 99;
	f->stream = (struct cp_events_stream){.events = &f->events, .sees = sees, .arg = f};
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	cp_events_unfollow(&f->stream);
	cp_events_fini(&f->events);
	free(f);
	return 0;
}

/* All that is there now, by pieces of step octets; -1 when the stream has ended. */
static int
drain(struct fixture *f, size_t step)
{
	size_t len = 0;
	ssize_t got;

	while ((got = cp_events_read(&f->stream, f->got + len, step, 1000)) > 0) {
		len += (size_t)got;
		assert_true(len + step < sizeof(f->got));
	}
	f->got[len] = '\0';
	return (int)got;
}

static void
add(struct fixture *f, uint32_t conf, int number)
{
	cp_events_add(&f->events, conf, "x", json_pack("{s:i}", "n", number), NULL);
}

static void
events_come_in_order_in_pieces_of_any_size(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(cp_events_follow(&f->stream, NULL), 0);
	add(f, 1, 1);
	add(f, 99, 2);
	add(f, 1, 3);
	assert_int_equal(drain(f, 1), 0);
	assert_string_equal(f->got, "id: b00-1\nevent: hello\ndata: {\"complete\":true}\n\n"
				    "id: b00-2\nevent: x\ndata: {\"n\":1}\n\n"
				    "id: b00-4\nevent: x\ndata: {\"n\":3}\n\n");
	assert_false(cp_events_is_due(&f->stream, 1000));
	add(f, 0, 4);
	assert_true(cp_events_is_due(&f->stream, 1000));
	assert_int_equal(drain(f, 1000), 0);
	assert_string_equal(f->got, "id: b00-5\nevent: x\ndata: {\"n\":4}\n\n");
}

static void
a_stream_goes_on_after_the_id_that_it_names(void **state)
{
	static const struct {
		const char *id;
		bool is_complete, has_events;
	} rows[] = {
		{"b00-2", true, true},	  {"b00-3", true, false},  {"b00-1", true, true},
		{"b00-4", false, false},  {"b00-0", false, false}, {"b01-2", false, false},
		{"b00-2x", false, false}, {"", false, false},	   {"nonsense", false, false},
	};
	struct fixture *f = *state;

	add(f, 1, 1);
	add(f, 1, 2);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		f->stream.sent = 0;
		assert_int_equal(cp_events_follow(&f->stream, rows[i].id), 0);
		assert_int_equal(drain(f, 1000), 0);
		assert_non_null(strstr(f->got, rows[i].is_complete ? "\"complete\":true"
								   : "\"complete\":false"));
		assert_int_equal(strstr(f->got, "{\"n\":2}") != NULL, rows[i].has_events);
	}
}

static void
who_falls_behind_the_ring_is_told_so(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(cp_events_follow(&f->stream, NULL), 0);
	assert_int_equal(drain(f, 1000), 0);
	add(f, 1, 0);
	assert_true(cp_events_read(&f->stream, f->got, 5, 1000) == 5); /* in the middle of it */
	for (int i = 1; i <= CP_EVENTS_KEPT + 1; i++)
		add(f, 1, i);
	assert_int_equal(drain(f, 7), -1);
	assert_non_null(strstr(f->got, "{\"n\":0}\n\n")); /* what was begun is whole */
	assert_non_null(strstr(f->got, "event: end\ndata: {\"reason\":\"slow-reader\"}\n\n"));
	assert_int_equal(cp_events_read(&f->stream, f->got, 100, 1000), -1);
}

static void
the_ring_is_bounded_by_octets_too(void **state)
{
	struct fixture *f = *state;
	char *text = malloc(100001);

	memset(text, 'a', 100000);
	text[100000] = '\0';
	for (int i = 0; i < 100; i++) {
		cp_events_add(&f->events, 1, "big", json_string(text), NULL);
		assert_true(f->events.octets <= CP_EVENTS_OCTETS_MAX);
	}
	assert_true(f->events.next - f->events.first < 50);
	free(text);
}

static void
silence_is_broken_by_a_heartbeat(void **state)
{
	struct fixture *f = *state;
	char got[64];

	assert_int_equal(cp_events_follow(&f->stream, NULL), 0);
	assert_int_equal(drain(f, 1000), 0);
	assert_false(cp_events_is_due(&f->stream, 1000 + CP_EVENTS_HEARTBEAT_MS - 1));
	assert_true(cp_events_is_due(&f->stream, 1000 + CP_EVENTS_HEARTBEAT_MS));
	assert_int_equal(
		cp_events_read(&f->stream, got, sizeof(got), 1000 + CP_EVENTS_HEARTBEAT_MS), 13);
	assert_memory_equal(got, ": heartbeat\n\n", 13);
	assert_int_equal(
		cp_events_read(&f->stream, got, sizeof(got), 1000 + CP_EVENTS_HEARTBEAT_MS), 0);
}

static void
who_stands_for_a_participant_sees_less(void **state)
{
	struct fixture *f = *state;

	f->stream.is_bare = true;
	assert_int_equal(cp_events_follow(&f->stream, NULL), 0);
	assert_int_equal(drain(f, 1000), 0);
	cp_events_add(&f->events, 1, "x", json_pack("{s:s}", "via", "192.0.2.1"),
		      json_pack("{s:n}", "via"));
	add(f, 1, 2);
	assert_int_equal(drain(f, 1000), 0);
	assert_non_null(strstr(f->got, "{\"via\":null}"));
	assert_non_null(strstr(f->got, "{\"n\":2}"));
	assert_null(strstr(f->got, "192.0.2.1"));
}

static void
an_event_that_is_lost_ends_the_streams(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(cp_events_follow(&f->stream, NULL), 0);
	assert_int_equal(drain(f, 1000), 0);
	cp_events_add(&f->events, 1, "x", NULL, NULL); /* no memory */
	assert_int_equal(drain(f, 1000), -1);
	assert_non_null(strstr(f->got, "slow-reader"));
}

int
main(void)
{
#define EVENTS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		EVENTS_TEST(events_come_in_order_in_pieces_of_any_size),
		EVENTS_TEST(a_stream_goes_on_after_the_id_that_it_names),
		EVENTS_TEST(who_falls_behind_the_ring_is_told_so),
		EVENTS_TEST(the_ring_is_bounded_by_octets_too),
		EVENTS_TEST(silence_is_broken_by_a_heartbeat),
		EVENTS_TEST(who_stands_for_a_participant_sees_less),
		EVENTS_TEST(an_event_that_is_lost_ends_the_streams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
