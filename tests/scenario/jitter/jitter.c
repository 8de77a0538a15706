/* The jitter buffer between simulated clocks: ptimes, jitter, spikes, drift, loss, bursts, restarts, gaps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/fake/jitter.h"

static struct sim sim;

static struct dp_jbuf_counts
counts(void)
{
	struct dp_jbuf_counts c;

	dp_jbuf_counts(&sim.jb, &c);
	return c;
}

static int
setup(void **state)
{
	sim_init(&sim, 20, 200);
	return 0;
}

static int
teardown(void **state)
{
	sim_fini(&sim);
	return 0;
}

/* Every ptime, the odd ones too, is played whole, in order, with a short delay, without a change of it. */
static void
every_ptime_plays_whole(void **state)
{
	static const unsigned ptimes[] = {10, 20, 30, 40, 50, 60, 5, 15};

	for (size_t i = 0; i < sizeof(ptimes) / sizeof(ptimes[0]); i++) {
		teardown(NULL);
		setup(NULL);
		sim_send(&sim,
			 &(struct sim_stream){
				 .ms = 30000, .ptime = ptimes[i], .ssrc = 1, .ts = 5, .seq = 7});
		sim_go(&sim);
		sim_until(&sim, 30300);
		assert_int_equal(sim.played_units, 30000 / ptimes[i] * ptimes[i] * 8);
		assert_int_equal(counts().inserted + counts().removed, 0);
		assert_int_equal(sim.refused, 0);
		assert_true(sim.delay_max_us <= 20000 + 20000);
	}
}

static void
a_clean_stream_costs_one_part_a_tick(void **state)
{
	struct dp_jbuf_out out;

	sim_send(&sim, &(struct sim_stream){.ms = 2000, .ptime = 20, .ssrc = 1});
	sim_go(&sim);
	sim_until(&sim, 1000);
	while (sim.packets[sim.next].arrival_ns <= sim.now_ns)
		sim_put(&sim, &sim.packets[sim.next++]);
	assert_true(dp_jbuf_get(&sim.jb, sim.pool, sim.now_ns, false, &out));
	assert_int_equal(out.count, 1);
	assert_int_equal(out.part[0].kind, DP_JBUF_PLAY);
	assert_int_equal(out.part[0].duration, 160);
	assert_false(out.is_joined);
	assert_int_equal(dp_jbuf_held(&sim.jb), 1);
}

static void
sequence_and_timestamp_wrap_unheard(void **state)
{
	sim_send(&sim, &(struct sim_stream){.ms = 4000,
					    .ptime = 20,
					    .ssrc = 1,
					    .ts = UINT32_MAX - 16000,
					    .seq = 65436});
	sim_go(&sim);
	sim_until(&sim, 4200);
	assert_int_equal(sim.played_units, 32000);
	assert_int_equal(counts().restarts, 0);
	assert_int_equal(sim.refused, 0);
}

/* Jitter of up to 60 ms: after two seconds of learning next to nothing is late, and delay is not more than it needs. */
static void
steady_jitter_is_covered(void **state)
{
	struct sim_packet *p =
		sim_send(&sim, &(struct sim_stream){.ms = 60000, .ptime = 20, .ssrc = 1});
	struct dp_jbuf_counts before;

	for (unsigned i = 0; i < sim.count; i++)
		p[i].arrival_ns += sim_random(&sim) % 60000 * 1000;
	sim_go(&sim);
	sim_until(&sim, 5000);
	before = counts();
	sim_mark(&sim);
	sim_until(&sim, 60000);
	assert_true(counts().late - before.late <= 2750 * 3 / 100);
	assert_true(sim.delay_sum_us / sim.delays < 70000);
	assert_in_range(dp_jbuf_delay_us(&sim.jb), 20000, 80000);
	assert_true(counts().reordered > 100);
	assert_true(sim.concealed_units < 55000 * 8 * 4 / 100);
}

/* When jitter has gone the delay comes down again. */
static void
delay_shrinks_when_jitter_is_over(void **state)
{
	struct sim_packet *p =
		sim_send(&sim, &(struct sim_stream){.ms = 40000, .ptime = 20, .ssrc = 1});

	for (unsigned i = 0; i < 500; i++)
		p[i].arrival_ns += sim_random(&sim) % 100000 * 1000;
	sim_go(&sim);
	sim.is_quiet = true;
	sim_until(&sim, 10000);
	assert_true(dp_jbuf_delay_us(&sim.jb) > 40000);
	sim_until(&sim, 40000);
	assert_true(dp_jbuf_delay_us(&sim.jb) < 50000);
	assert_true(counts().removed > 0);
}

/* One late packet now and then must not cost everybody delay. */
static void
rare_spikes_do_not_raise_the_delay(void **state)
{
	struct sim_packet *p =
		sim_send(&sim, &(struct sim_stream){.ms = 60000, .ptime = 20, .ssrc = 1});

	for (unsigned i = 150; i < sim.count; i += 150)
		p[i].arrival_ns += 150 * SIM_MS;
	sim_go(&sim);
	sim_until(&sim, 60000);
	assert_true(dp_jbuf_delay_us(&sim.jb) < 65000);
	assert_in_range(counts().late, 15, 19);
}

/* Four hours at 300 ppm either way: some 216 s of drift an hour.. one change a minute, never a late packet. */
static void
drift_is_absorbed(void **state)
{
	static const int ppms[] = {300, -300, 50};

	for (size_t i = 0; i < sizeof(ppms) / sizeof(ppms[0]); i++) {
		unsigned hours_ms = 2 * 3600 * 1000;
		unsigned changes;
		int64_t drift;

		teardown(NULL);
		setup(NULL);
		sim_send(&sim,
			 &(struct sim_stream){
				 .ms = hours_ms, .ptime = 20, .ppm = ppms[i], .ssrc = 1, .ts = 99});
		sim_go(&sim);
		sim_until(&sim, hours_ms - 10000);
		changes = ppms[i] > 0 ? counts().removed : counts().inserted;
		drift = (int64_t)hours_ms / 20 * abs(ppms[i]) / 1000000;
		assert_in_range(changes, drift - 3, drift + 3);
		assert_int_equal(ppms[i] > 0 ? counts().inserted : counts().removed, 0);
		assert_int_equal(counts().late + counts().restarts + counts().overflow, 0);
		assert_true(sim.delay_max_us <= 90000);
		assert_in_range(dp_jbuf_drift_ppm(&sim.jb) + 1000, 1000 + ppms[i] - 30,
				1000 + ppms[i] + 30);
	}
}

/* The network stands still for 500 ms, then all comes at once: a second later the delay is what it was. */
static void
a_burst_is_over_within_a_second(void **state)
{
	struct sim_packet *p =
		sim_send(&sim, &(struct sim_stream){.ms = 20000, .ptime = 20, .ssrc = 1});

	for (unsigned i = 250; i < 275; i++)
		p[i].arrival_ns = 1000 * SIM_MS + 5500 * SIM_MS;
	sim_go(&sim);
	sim_until(&sim, 5000);
	assert_true(dp_jbuf_delay_us(&sim.jb) < 45000);
	sim_until(&sim, 6500);
	sim_mark(&sim);
	sim_until(&sim, 8000);
	assert_true(sim.delay_max_us < 65000);
	assert_int_equal(sim.played_units, 75 * 160);
	assert_int_equal(sim.concealed_units + sim.silent_units, 0);
}

/* The sender runs ahead: so many packets at once, from then on real time. Sound is whole again within 200 ms. */
static void
a_stream_that_jumped_ahead_is_whole_soon(void **state)
{
	static const unsigned jumps[] = {3, 10, 30, 60, 100, 300, 1000, 3000};

	for (size_t n = 0; n < sizeof(jumps) / sizeof(jumps[0]); n++) {
		struct sim_packet *p;

		teardown(NULL);
		setup(NULL);
		p = sim_send(&sim, &(struct sim_stream){
					   .ms = 8000 + 20 * jumps[n], .ptime = 20, .ssrc = 1});
		for (unsigned i = 250; i < sim.count; i++)
			p[i].arrival_ns = i < 250 + jumps[n]
						  ? 6000 * SIM_MS + i
						  : p[i].sent_ns - 20 * SIM_MS * jumps[n];
		sim.is_ordered = false; /* a long jump begins anew */
		sim_go(&sim);
		sim_until(&sim, 5200);
		sim_mark(&sim);
		sim_until(&sim, 7000);
		assert_int_equal(sim.concealed_units + sim.silent_units, 0);
		assert_true(sim.delay_max_us <= 200000);
	}
}

/* The queue that the standstill left drains slowly: packets come 500 ms late, then less and less so. */
static void
a_draining_queue_is_over_within_a_second(void **state)
{
	struct sim_packet *p =
		sim_send(&sim, &(struct sim_stream){.ms = 20000, .ptime = 20, .ssrc = 1});
	uint64_t release = 1000 * SIM_MS + 5500 * SIM_MS;

	for (unsigned i = 250; i < 1000 && release > p[i].sent_ns; i++, release += 5 * SIM_MS)
		p[i].arrival_ns = release;
	sim_go(&sim);
	/* the queue is empty 170 ms after it began to drain */
	sim_until(&sim, 6700);
	sim_mark(&sim);
	sim_until(&sim, 8000);
	assert_true(sim.delay_max_us < 80000);
	assert_int_equal(sim.concealed_units + sim.silent_units, 0);
}

/* The path becomes 300 ms longer for good, then shorter again: sound is back within 300 ms, the delay within a second. */
static void
a_new_path_is_followed(void **state)
{
	struct sim_packet *p =
		sim_send(&sim, &(struct sim_stream){.ms = 30000, .ptime = 20, .ssrc = 1});

	for (unsigned i = 250; i < 750; i++)
		p[i].arrival_ns += 300 * SIM_MS;
	sim_go(&sim);
	sim.is_ordered = false;
	sim_until(&sim, 5700);
	sim_mark(&sim);
	sim_until(&sim, 14900);
	assert_true(sim.played_units >= 450 * 160);
	sim_until(&sim, 16500);
	sim_mark(&sim);
	sim_until(&sim, 20000);
	assert_true(sim.delay_max_us < 90000);
	assert_int_equal(sim.played_units, 175 * 160);
}

static void
the_upper_bound_holds(void **state)
{
	struct sim_packet *p =
		sim_send(&sim, &(struct sim_stream){.ms = 60000, .ptime = 20, .ssrc = 1});

	for (unsigned i = 0; i < sim.count; i++)
		p[i].arrival_ns += sim_random(&sim) % 600000 * 1000;
	sim_go(&sim);
	sim.is_ordered = false;
	sim_until(&sim, 61000);
	assert_true(sim.delay_max_us <= 200000);
	assert_true(counts().overflow > 0);
}

/* One in ten lost: each gap is concealed, each return joined, nothing else changes. */
static void
loss_is_concealed_and_joined(void **state)
{
	struct sim_packet *p =
		sim_send(&sim, &(struct sim_stream){.ms = 20000, .ptime = 20, .ssrc = 1});

	for (unsigned i = 5; i < sim.count; i += 10)
		p[i].is_lost = true;
	sim_go(&sim);
	sim_until(&sim, 19880);
	assert_int_equal(sim.concealed_units,
			 100 * 160 - 160 * (sim.packets[995].is_lost &&
					    sim.now_ns < sim.packets[995].sent_ns));
	assert_int_equal(sim.joins, 99 + (sim.concealed_units == 100 * 160));
	assert_int_equal(sim.refused, 0);
	assert_int_equal(counts().restarts, 0);
}

static void
a_long_loss_fades_to_silence_and_comes_back(void **state)
{
	struct sim_packet *p =
		sim_send(&sim, &(struct sim_stream){.ms = 10000, .ptime = 20, .ssrc = 1});

	for (unsigned i = 100; i < 150; i++)
		p[i].is_lost = true;
	sim_go(&sim);
	sim_until(&sim, 10000);
	assert_in_range(sim.concealed_units, 3 * 160, 4 * 160);
	assert_true(sim.silent_units >= 45 * 160);
	assert_int_equal(counts().played + dp_jbuf_held(&sim.jb), 450);
	assert_int_equal(counts().restarts, 0);
	assert_true(dp_jbuf_delay_us(&sim.jb) < 65000);
}

static void
duplicates_and_reordering_are_told_apart(void **state)
{
	struct sim_packet *p =
		sim_send(&sim, &(struct sim_stream){.ms = 4000, .ptime = 20, .ssrc = 1});
	unsigned n = sim.count;

	/* copies: one while held, one after it was played */
	for (unsigned i = 50; i < 60; i++) {
		sim.packets[sim.count] = p[i];
		sim.packets[sim.count++].arrival_ns += i % 2 ? 1 * SIM_MS : 100 * SIM_MS;
	}
	/* neighbours change places within the delay */
	for (unsigned i = 100; i < 110; i += 2)
		p[i].arrival_ns = p[i + 1].arrival_ns + 1 * SIM_MS;
	sim_go(&sim);
	sim_until(&sim, 4200);
	assert_int_equal(counts().duplicate, 10);
	assert_int_equal(counts().reordered, 5);
	assert_int_equal(sim.played_units + 160 * counts().late, n * 160);
	assert_true(counts().late <= 3);
}

static void
packets_that_overtake_at_the_start_are_played(void **state)
{
	struct sim_packet *p =
		sim_send(&sim, &(struct sim_stream){.ms = 1000, .ptime = 20, .ssrc = 1});

	p[0].arrival_ns = p[1].arrival_ns + 1 * SIM_MS;
	sim_go(&sim);
	sim_until(&sim, 1200);
	assert_int_equal(sim.played_units, 8000);
	assert_int_equal(counts().late, 0);
}

static void
a_new_ssrc_begins_anew(void **state)
{
	sim_send(&sim,
		 &(struct sim_stream){.ms = 2000, .ptime = 20, .ssrc = 1, .ts = 1000, .seq = 10});
	sim_send(&sim, &(struct sim_stream){.start_ms = 2000,
					    .ms = 2000,
					    .ptime = 20,
					    .ssrc = 2,
					    .ts = 900000,
					    .seq = 60000});
	sim_go(&sim);
	sim.is_ordered = false;
	sim_until(&sim, 4200);
	assert_int_equal(counts().ssrc_changes, 1);
	assert_int_equal(counts().restarts, 1);
	assert_in_range(counts().reset, 1, 2);
	assert_int_equal(counts().played, 200 - counts().reset);
}

static void
jumps_of_sequence_or_timestamp_begin_anew(void **state)
{
	static const struct {
		uint16_t seq;
		uint32_t ts;
	} jumps[] = {{40000, 8000}, {50, 8000000}, {50, 4000000000u},
		     {50, 0},	    {65000, 77},   {0, 12345678}};

	for (size_t i = 0; i < sizeof(jumps) / sizeof(jumps[0]); i++) {
		teardown(NULL);
		setup(NULL);
		sim_send(&sim, &(struct sim_stream){.ms = 1000, .ptime = 20, .ssrc = 1, .ts = 0});
		sim_send(&sim, &(struct sim_stream){.start_ms = 1000,
						    .ms = 3000,
						    .ptime = 20,
						    .ssrc = 1,
						    .ts = jumps[i].ts,
						    .seq = jumps[i].seq});
		sim_go(&sim);
		sim.is_ordered = false;
		sim_until(&sim, 1500);
		sim_mark(&sim);
		sim_until(&sim, 3500);
		/* half a second later sound is whole and prompt */
		assert_int_equal(sim.played_units, 100 * 160);
		assert_true(sim.delay_max_us < 65000);
		assert_true(counts().restarts <= 1);
	}
}

/* Speech with pauses in which nothing is sent (DTX): gaps are silence, not loss, and neither late nor concealed. */
static void
pauses_are_silence(void **state)
{
	unsigned at = 0;
	uint32_t ts = 0;
	uint16_t seq = 0;

	for (int spurt = 0; spurt < 40; spurt++) {
		unsigned ms = 400 + 20 * (unsigned)(spurt % 7);
		unsigned pause = 100 + 60 * (unsigned)(spurt % 11);
		sim_send(&sim, &(struct sim_stream){.start_ms = at,
						    .ms = ms,
						    .ptime = 20,
						    .ssrc = 1,
						    .ts = ts,
						    .seq = seq});

		seq = (uint16_t)(seq + ms / 20);
		at += ms + pause;
		ts += (ms + pause) * 8;
	}
	sim_go(&sim);
	sim_until(&sim, at + 300);
	assert_int_equal(sim.played_units, (unsigned)sim.count * 160);
	assert_int_equal(counts().late + counts().restarts + counts().removed + counts().inserted,
			 0);
	/* at the end of a spurt nobody knows yet whether this is loss: three ticks of fading */
	assert_true(sim.concealed_units <= 40 * 3 * 160);
	assert_true(sim.delay_max_us < 45000);
}

/* Silence of ten minutes at 300 ppm: the first word afterwards is neither late nor early. */
static void
a_long_pause_does_not_carry_drift_over(void **state)
{
	sim_send(&sim, &(struct sim_stream){.ms = 1000, .ptime = 20, .ssrc = 1});
	sim_send(&sim, &(struct sim_stream){.start_ms = 601000,
					    .ms = 2000,
					    .ptime = 20,
					    .ssrc = 1,
					    .ts = 601000 * 8 - 1440,
					    .seq = 50});
	sim_go(&sim);
	sim_until(&sim, 603200);
	assert_int_equal(counts().played, 150);
	assert_true(sim.delay_max_us < 45000);
}

/* telephone-event takes the place of sound for 400 ms: silence, no loss, and sound goes on where it belongs. */
static void
events_in_the_sequence_are_silence(void **state)
{
	struct sim_packet *p =
		sim_send(&sim, &(struct sim_stream){.ms = 4000, .ptime = 20, .ssrc = 1});

	for (unsigned i = 60; i < 80; i++)
		p[i].is_sound = false;
	sim_go(&sim);
	sim_until(&sim, 4200);
	assert_int_equal(sim.played_units, 180 * 160);
	assert_true(sim.concealed_units <= 3 * 160 + 3 * 160);
	assert_int_equal(sim.refused, 0);
}

/* The pool runs dry: packets are refused by name, and sound comes back with the blocks. */
static void
an_empty_pool_is_said_by_name(void **state)
{
	struct dp_frame_pool *pool = sim.pool;
	uint32_t taken[72];
	unsigned n = 0;

	sim_send(&sim, &(struct sim_stream){.ms = 3000, .ptime = 20, .ssrc = 1});
	sim_go(&sim);
	sim_until(&sim, 1000);
	/* somebody else holds them all */
	for (; pool->small.free_count > 0; n++)
		taken[n] = pool->small.free[--pool->small.free_count];
	for (; pool->big.free_count > 0; n++)
		taken[n] = pool->big.free[--pool->big.free_count];
	for (unsigned i = 0; i < 10; i++)
		sim_put(&sim, &sim.packets[sim.next++]);
	assert_int_equal(sim.refused, 10);
	assert_int_equal(sim.packets[sim.next - 1].verdict, DP_DROP_NO_FRAME);
	while (n-- > 0) {
		struct dp_frame_class *class = taken[n] & DP_JBUF_BIG ? &pool->big : &pool->small;

		class->free[class->free_count++] = taken[n];
	}
	sim_until(&sim, 3000);
	assert_int_equal(sim.refused, 10);
}

static void
nonsense_sizes_are_refused(void **state)
{
	uint8_t payload[2000] = {0};
	struct dp_jbuf_packet in = {.payload = payload, .ssrc = 1, .len = 160, .duration = 160};
	struct dp_jbuf_packet bad = in;

	bad.len = 0;
	assert_int_equal(dp_jbuf_put(&sim.jb, sim.pool, &bad), DP_DROP_RTP_SIZE);
	bad.len = DP_JBUF_PAYLOAD_MAX + 1;
	assert_int_equal(dp_jbuf_put(&sim.jb, sim.pool, &bad), DP_DROP_RTP_SIZE);
	bad = in;
	bad.duration = 0;
	assert_int_equal(dp_jbuf_put(&sim.jb, sim.pool, &bad), DP_DROP_RTP_SIZE);
	bad.duration = 121 * 8;
	assert_int_equal(dp_jbuf_put(&sim.jb, sim.pool, &bad), DP_DROP_RTP_SIZE);
	assert_int_equal(dp_jbuf_held(&sim.jb), 0);
	assert_int_equal(dp_jbuf_put(&sim.jb, sim.pool, &in), DP_DROP_NONE);
	assert_int_equal(dp_jbuf_flush(&sim.jb, sim.pool), 1);
}

/* The media side did not ask for two seconds (a worker that stood still): it begins anew and is prompt again. */
static void
a_media_clock_that_stood_still_is_survived(void **state)
{
	sim_send(&sim, &(struct sim_stream){.ms = 10000, .ptime = 20, .ssrc = 1});
	sim_go(&sim);
	sim.is_ordered = false;
	sim_until(&sim, 3000);
	sim.now_ns += 100 * DP_JBUF_TICK_NS;
	sim_until(&sim, 6500);
	sim_mark(&sim);
	sim_until(&sim, 9000);
	assert_int_equal(sim.played_units, 125 * 160);
	assert_true(sim.delay_max_us < 65000);
}

int
main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(every_ptime_plays_whole),
		T(a_clean_stream_costs_one_part_a_tick),
		T(sequence_and_timestamp_wrap_unheard),
		T(steady_jitter_is_covered),
		T(delay_shrinks_when_jitter_is_over),
		T(rare_spikes_do_not_raise_the_delay),
		T(drift_is_absorbed),
		T(a_burst_is_over_within_a_second),
		T(a_stream_that_jumped_ahead_is_whole_soon),
		T(a_draining_queue_is_over_within_a_second),
		T(a_new_path_is_followed),
		T(the_upper_bound_holds),
		T(loss_is_concealed_and_joined),
		T(a_long_loss_fades_to_silence_and_comes_back),
		T(duplicates_and_reordering_are_told_apart),
		T(packets_that_overtake_at_the_start_are_played),
		T(a_new_ssrc_begins_anew),
		T(jumps_of_sequence_or_timestamp_begin_anew),
		T(pauses_are_silence),
		T(a_long_pause_does_not_carry_drift_over),
		T(events_in_the_sequence_are_silence),
		T(an_empty_pool_is_said_by_name),
		T(nonsense_sizes_are_refused),
		T(a_media_clock_that_stood_still_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
