/* When new participants are refused: watermarks with hysteresis, what was admitted meanwhile, late ticks, a loop that lags. */
#include "ctrlplane/app/overload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define INSTANCE 7
#define ROUND_NS 200000000u

static struct cp_overload
made(void)
{
	return (struct cp_overload){.high_permille = 850,
				    .low_permille = 700,
				    .late_permille = 100,
				    .lag_high_ms = 1000,
				    .lag_low_ms = 200};
}

/* What one worker was in a round. */
struct figures {
	uint32_t busy, late, legs;
};

/* The counters go on from where they were. */
static struct cp_overload_sample
after(const struct cp_overload *o, uint32_t worker, struct figures f, uint64_t round_ns)
{
	struct cp_overload_sample next = o->load[worker].last;

	next.at_ns += round_ns;
	next.busy_ns += round_ns / 1000 * f.busy;
	next.ticks += 1000;
	next.ticks_late += f.late;
	next.legs = f.legs;
	return next;
}

static void
round_of(struct cp_overload *o, const struct figures *figures, uint32_t workers)
{
	struct cp_overload_sample samples[16];

	for (uint32_t w = 0; w < workers; w++)
		samples[w] = after(o, w < CP_OVERLOAD_WORKERS ? w : 0, figures[w], ROUND_NS);
	cp_overload_measure(o, INSTANCE, samples, workers);
}

static void
measure(struct cp_overload *o, uint32_t busy, uint32_t late, uint32_t legs)
{
	round_of(o, &(struct figures){busy, late, legs}, 1);
}

/* As it has been for some time. */
static void
settle(struct cp_overload *o, uint32_t busy, uint32_t legs)
{
	for (unsigned int i = 0; i <= CP_OVERLOAD_BUSY_ROUNDS; i++)
		measure(o, busy, 0, legs);
}

static void
two_watermarks(void **state)
{
	static const struct {
		uint32_t busy;
		bool refuses;
	} rows[] = {
		{0, false},    {849, false},  {849, false},  {850, false}, /* one round alone */
		{849, false},  {850, false},  {850, true},		   /* two */
		{800, true},   {701, true},   {800, true},   {700, false}, /* down: at once */
		{800, false},  {1000, false}, {1000, true},  {0, false},
		{1000, false}, {0, false},    {1000, false}, {900, true},
		{849, true},   {900, true},   {690, false},  {900, false},
	};
	struct cp_overload o = made();

	settle(&o, 0, 1000000);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		measure(&o, rows[i].busy, 0, 1000000);
		assert_true(cp_overload_refuses(&o, 0) == rows[i].refuses);
		assert_true(cp_overload_refuses(&o, CP_OVERLOAD_ANY) == rows[i].refuses);
		assert_true(cp_overload_is_any(&o) == rows[i].refuses);
	}
}

/* So many rounds with these figures, then what it says. */
static void
late_ticks(void **state)
{
	enum { LONG = CP_OVERLOAD_LATE_ROUNDS };
	static const struct {
		unsigned int rounds;
		uint32_t busy, late;
		bool refuses;
	} rows[] = {
		{1, 750, 1000, false},				   /* a hiccup */
		{1, 750, 0, false},				   /* and over */
		{LONG - 1, 750, 100, false},			   /* not long enough */
		{1, 750, 99, false},				   /* a better one begins it anew */
		{LONG - 1, 750, 100, false},  {1, 750, 100, true}, /* long enough */
		{5, 750, 1000, true},	      {1, 750, 99, false}, /* better: at once */
		{LONG, 800, 500, true},	      {1, 700, 500, false}, /* it has time: at once */
		{3 * LONG, 700, 1000, false}, /* idle: another program keeps the machine */
		{3 * LONG, 100, 1000, false},
	};
	struct cp_overload o = made(), off = made();

	off.late_permille = 0;
	settle(&o, 0, 10);
	settle(&off, 0, 10);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (unsigned int r = 0; r < rows[i].rounds; r++) {
			measure(&o, rows[i].busy, rows[i].late, 10);
			measure(&off, rows[i].busy, rows[i].late, 10);
			assert_false(cp_overload_refuses(&off, 0));
		}
		assert_true(cp_overload_refuses(&o, 0) == rows[i].refuses);
		assert_true(cp_overload_is_any(&o) == rows[i].refuses);
	}
}

static unsigned int
admitted_until_refused(struct cp_overload *o, uint32_t worker)
{
	unsigned int count = 0;

	for (; !cp_overload_refuses(o, worker); count++)
		cp_overload_admit(o, worker);
	return count;
}

/* 100 legs make it 50 % busy: a leg is 5 permille, and 70 more reach 85 %. */
static void
what_was_admitted_counts(void **state)
{
	struct cp_overload o = made();

	settle(&o, 500, 100);
	assert_int_equal(admitted_until_refused(&o, 0), 70);
	/* until the figures must show them */
	for (unsigned int i = 1; i < CP_OVERLOAD_ADMITTED_ROUNDS; i++) {
		measure(&o, 500, 0, 100);
		assert_true(cp_overload_refuses(&o, 0));
	}
	measure(&o, 840, 0, 170);
	assert_false(cp_overload_refuses(&o, 0));
	assert_false(cp_overload_is_any(&o));
}

/* As many participants, of cheap codecs and of dear ones: room goes by what they were measured to cost. */
static void
room_goes_by_codec_cost(void **state)
{
	static const struct {
		uint32_t busy, legs;
		unsigned int room;
	} rows[] = {{100, 200, 1500},
		    {400, 200, 225},
		    {600, 200, 84},
		    {800, 200, 13},
		    {100, 400, 3000}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cp_overload o = made();

		settle(&o, rows[i].busy, rows[i].legs);
		assert_int_equal(admitted_until_refused(&o, 0), rows[i].room);
	}
}

/* A hiccup of one round does not make legs dearer either. */
static void
a_hiccup_makes_nobody_dearer(void **state)
{
	struct cp_overload o = made();

	settle(&o, 100, 100);
	measure(&o, 1000, 1000, 100);
	assert_int_equal(admitted_until_refused(&o, 0), 750);
}

/* Two legs on a worker that is busy with itself: a leg does not cost half of that, and a thousand may come at once. */
static void
few_legs_say_little_of_one(void **state)
{
	struct cp_overload o = made();

	settle(&o, 20, 2);
	for (unsigned int i = 0; i < 1000; i++) {
		assert_false(cp_overload_refuses(&o, 0));
		cp_overload_admit(&o, 0);
	}
}

/* Also a leg of which nothing is known costs something: a storm in the first second has an end. */
static void
a_storm_onto_an_idle_worker_ends(void **state)
{
	struct cp_overload o = made();

	settle(&o, 0, 0);
	assert_int_equal(admitted_until_refused(&o, CP_OVERLOAD_ANY),
			 850 * 1000 / CP_OVERLOAD_LEG_COST_MIN);
}

static void
each_worker_by_itself(void **state)
{
	struct cp_overload o = made();
	const struct figures figures[] = {{900, 0, 10}, {100, 0, 20}, {300, 0, 30}};

	for (unsigned int i = 0; i <= CP_OVERLOAD_BUSY_ROUNDS; i++)
		round_of(&o, figures, 3);
	assert_true(cp_overload_refuses(&o, 0));
	assert_false(cp_overload_refuses(&o, 1));
	assert_false(cp_overload_refuses(&o, 2));
	/* the media plane takes the one with the fewest legs, and that is the busy one */
	assert_true(cp_overload_refuses(&o, CP_OVERLOAD_ANY));
	assert_false(cp_overload_refuses(&o, 7)); /* nothing is known of it */
}

static void
nothing_measured_refuses_nobody(void **state)
{
	struct cp_overload o = made();

	assert_false(cp_overload_refuses(&o, CP_OVERLOAD_ANY));
	assert_false(cp_overload_refuses(&o, 0));
	cp_overload_admit(&o, 0);
	cp_overload_admit(&o, CP_OVERLOAD_ANY);
	assert_false(cp_overload_refuses(&o, 0));
}

static void
a_loop_that_lags_takes_nobody(void **state)
{
	struct cp_overload o = made();

	cp_overload_lag(&o, 999);
	assert_false(cp_overload_refuses(&o, 0));
	cp_overload_lag(&o, 1000);
	assert_true(cp_overload_refuses(&o, 0));
	cp_overload_lag(&o, 201);
	assert_true(cp_overload_refuses(&o, 0));
	cp_overload_lag(&o, 200);
	assert_false(cp_overload_refuses(&o, 0));
}

static void
more_workers_than_are_shown(void **state)
{
	const struct figures figures[16] = {{0}};
	struct cp_overload o = made();

	round_of(&o, figures, 16);
	round_of(&o, figures, 16);
	assert_int_equal(o.workers, CP_OVERLOAD_WORKERS);
	assert_false(cp_overload_refuses(&o, 15));
}

/* The first sample says nothing: its counters are of a whole life. */
static void
one_sample_is_no_figure(void **state)
{
	struct cp_overload o = made();
	struct cp_overload_sample s = {
		.at_ns = 1000000000000u, .busy_ns = 999000000000u, .ticks = 50, .ticks_late = 50};

	cp_overload_measure(&o, INSTANCE, &s, 1);
	assert_false(cp_overload_refuses(&o, 0));
	measure(&o, 100, 0, 1);
	assert_int_equal(o.load[0].busy_permille, 100);
}

/* Rounds that are too short to say anything are left aside; what they had belongs to the next. */
static void
short_rounds_say_nothing(void **state)
{
	struct cp_overload o = made();
	struct cp_overload_sample s;

	settle(&o, 100, 10);
	for (unsigned int i = 0; i < 5; i++) {
		s = after(&o, 0, (struct figures){1000, 1000, 10}, ROUND_NS / 10);
		cp_overload_measure(&o, INSTANCE, &s, 1);
		assert_int_equal(o.load[0].busy_permille, 100);
	}
}

/* Another instance of the media plane, or counters that go back: nothing of before holds. */
static void
a_new_media_plane_begins_anew(void **state)
{
	struct cp_overload o = made();
	struct cp_overload_sample first = {.at_ns = 1, .legs = 3};

	settle(&o, 1000, 10);
	assert_true(cp_overload_refuses(&o, 0));
	cp_overload_measure(&o, INSTANCE + 1, &first, 1);
	assert_false(cp_overload_refuses(&o, 0));
	for (unsigned int i = 0; i < CP_OVERLOAD_BUSY_ROUNDS; i++) {
		struct cp_overload_sample s = after(&o, 0, (struct figures){1000, 0, 10}, ROUND_NS);

		cp_overload_measure(&o, INSTANCE + 1, &s, 1);
	}
	assert_true(cp_overload_refuses(&o, 0));
	cp_overload_measure(&o, INSTANCE + 1, &first, 1);
	assert_false(cp_overload_refuses(&o, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_watermarks),
		cmocka_unit_test(late_ticks),
		cmocka_unit_test(room_goes_by_codec_cost),
		cmocka_unit_test(a_hiccup_makes_nobody_dearer),
		cmocka_unit_test(one_sample_is_no_figure),
		cmocka_unit_test(short_rounds_say_nothing),
		cmocka_unit_test(a_new_media_plane_begins_anew),
		cmocka_unit_test(what_was_admitted_counts),
		cmocka_unit_test(few_legs_say_little_of_one),
		cmocka_unit_test(a_storm_onto_an_idle_worker_ends),
		cmocka_unit_test(each_worker_by_itself),
		cmocka_unit_test(nothing_measured_refuses_nobody),
		cmocka_unit_test(a_loop_that_lags_takes_nobody),
		cmocka_unit_test(more_workers_than_are_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
