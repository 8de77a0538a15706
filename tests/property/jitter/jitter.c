/* The jitter buffer over random networks and senders: nothing vanishes, nothing leaks, every tick is whole, the bound holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/fake/jitter.h"

#define ROUNDS 150

static struct sim sim;

/* Loss, copies, spikes, standstills, events, by chances drawn for this round. */
static void
disturb(struct sim_packet *packets, unsigned n)
{
	unsigned loss = sim_random(&sim) % 20;
	unsigned copies = sim_random(&sim) % 10;
	unsigned events = sim_random(&sim) % 10;
	uint64_t jitter_ns = 1 + sim_random(&sim) % 120 * SIM_MS;

	for (unsigned i = 0; i < n; i++) {
		packets[i].is_lost = sim_random(&sim) % 100 < loss;
		packets[i].is_sound = sim_random(&sim) % 100 >= events;
		packets[i].arrival_ns += sim_random(&sim) % jitter_ns;
		if (sim_random(&sim) % 200 == 0) {
			uint64_t stand_ns = sim_random(&sim) % 1500 * SIM_MS;

			for (unsigned k = i;
			     k < n && packets[k].arrival_ns < packets[i].sent_ns + stand_ns; k++)
				packets[k].arrival_ns = packets[i].sent_ns + stand_ns;
		}
		if (sim_random(&sim) % 100 < copies) {
			sim.packets[sim.count] = packets[i];
			sim.packets[sim.count++].arrival_ns += sim_random(&sim) % 300 * SIM_MS;
		}
	}
}

static void
random_runs_conserve_packets(void **state)
{
	static const unsigned ptimes[] = {5, 10, 20, 20, 20, 30, 40, 60, 120};

	for (unsigned round = 0; round < ROUNDS; round++) {
		unsigned at = 0;

		sim_init(&sim, (uint16_t)(round % 5 * 10), (uint16_t)(40 + round % 6 * 50));
		sim.random += round * 0x9e3779b97f4a7c15;
		sim.is_ordered = false;
		for (int part = 0; part < 6; part++) {
			struct sim_stream stream = {.start_ms = at,
						    .ms = 200 + sim_random(&sim) % 5000,
						    .ptime = ptimes[sim_random(&sim) % 9],
						    .ppm = (int)(sim_random(&sim) % 2000) - 1000,
						    .ssrc = sim_random(&sim) % 3,
						    .ts = sim_random(&sim),
						    .seq = (uint16_t)sim_random(&sim)};
			unsigned before = sim.count;
			struct sim_packet *packets = sim_send(&sim, &stream);

			disturb(packets, sim.count - before);
			at += stream.ms + (sim_random(&sim) % 3 ? 0 : sim_random(&sim) % 4000);
		}
		sim_go(&sim);
		for (unsigned ms = 0; ms < at + 2000; ms += 1000) {
			sim.is_quiet = sim_random(&sim) % 2;
			dp_jbuf_set_bounds(&sim.jb, (uint16_t)(sim_random(&sim) % 100),
					   (uint16_t)(sim_random(&sim) % 400));
			if (sim_random(&sim) % 20 == 0)
				sim.now_ns += sim_random(&sim) % 2000 * SIM_MS;
			if (sim_random(&sim) % 20 == 0)
				sim.refused += dp_jbuf_flush(&sim.jb, sim.pool);
			sim_until(&sim, ms);
		}
		sim_fini(&sim);
	}
}

/* One sender, any jitter: no sound waits longer than the bound, none is played twice or backwards. */
static void
no_delay_passes_the_bound(void **state)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint16_t max_ms = (uint16_t)(60 + round % 12 * 20);
		unsigned ptime = 10 + round % 6 * 10;
		uint64_t jitter_ms;

		sim_init(&sim, (uint16_t)(round % 3 * 10), max_ms);
		sim.random += round * 0x9e3779b97f4a7c15;
		jitter_ms = 1 + sim_random(&sim) % 400;
		sim_send(&sim, &(struct sim_stream){.ms = 20000,
						    .ptime = ptime,
						    .ppm = (int)(round % 7 * 100) - 300,
						    .ssrc = 9,
						    .ts = round * 12345});
		for (unsigned i = 0; i < sim.count; i++)
			sim.packets[i].arrival_ns += sim_random(&sim) % (jitter_ms * SIM_MS);
		sim_go(&sim);
		/* a late streak plays from further back: only then may play go backwards */
		sim.is_ordered = jitter_ms < max_ms / 2u;
		sim_until(&sim, 21000);
		sim_check(sim.delay_max_us <= max_ms * 1000, "the upper bound did not hold");
		sim_check(sim.played_units > 0, "nothing was played");
		sim_fini(&sim);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_runs_conserve_packets),
		cmocka_unit_test(no_delay_passes_the_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
