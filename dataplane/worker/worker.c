/* A worker's making, its thread, and its ends of the rings. Everything is allocated here, before the first turn. */
#include "dataplane/worker/worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>
#include <rte_ring_elem.h>
#include "dataplane/worker/worker_state.h"
#include "drivers/port/clock.h"

#define HUGE_OCTETS (2u << 20)
#define FRAMES_PER_LEG 16
#define BIG_SHARE 8 /* one block in eight is large: L16, long packets */
#define WAIT_MAX_NS 100000000u

void *
dp_worker_table(struct dp_worker *w, size_t octets)
{
	size_t size = (octets + HUGE_OCTETS - 1) / HUGE_OCTETS * HUGE_OCTETS;
	void *memory = NULL;

	if (w->table_count == RTE_DIM(w->tables))
		return NULL;
	if (octets < HUGE_OCTETS / 4) {
		size = (octets + 4095) / 4096 * 4096;
		memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			      0);
	} else {
		/* Aligned, so that the kernel can back it by huge pages: without them each leg costs TLB misses. */
		uint8_t *raw = mmap(NULL, size + HUGE_OCTETS, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (raw == MAP_FAILED)
			return NULL;
		uint8_t *aligned = RTE_PTR_ALIGN_CEIL(raw, HUGE_OCTETS);

		if (aligned > raw)
			munmap(raw, (size_t)(aligned - raw));
		if (aligned < raw + HUGE_OCTETS)
			munmap(aligned + size, (size_t)(raw + HUGE_OCTETS - aligned));
		memory = aligned;
		madvise(memory, size, MADV_HUGEPAGE);
	}
	if (memory == MAP_FAILED)
		return NULL;
	w->tables[w->table_count++] = (struct dp_table){.memory = memory, .octets = size};
	return memory;
}

static int
rings_make(struct dp_worker *w)
{
	const struct {
		const char *name;
		struct rte_ring **ring;
		unsigned element, count;
	} rings[] = {
		{"inbox", &w->inbox, sizeof(void *), DP_CTL_RING},
		{"outbox", &w->outbox, sizeof(void *), DP_CTL_RING},
		{"keys", &w->keys, sizeof(void *), DP_KEY_RING},
		{"events", &w->events, sizeof(struct dp_event_rec), DP_EVENT_RING},
	};

	for (unsigned i = 0; i < RTE_DIM(rings); i++) {
		char name[RTE_RING_NAMESIZE];

		snprintf(name, sizeof(name), "conclave_%s_%u", rings[i].name, w->conf.index);
		*rings[i].ring =
			rte_ring_create_elem(name, rings[i].element, rings[i].count, w->conf.socket,
					     RING_F_SP_ENQ | RING_F_SC_DEQ);
		if (*rings[i].ring == NULL)
			return -ENOMEM;
	}
	return 0;
}

static int
tables_make(struct dp_worker *w)
{
	struct dp_batch *b = &w->batch;
	uint32_t frames = w->conf.frames != 0 ? w->conf.frames : w->legs_max * FRAMES_PER_LEG;
	uint32_t big = frames / BIG_SHARE + 16;
	size_t room = w->legs_max > DP_TICK_LEGS ? w->legs_max : DP_TICK_LEGS;
	size_t plays = (size_t)w->legs_max + w->conf.confs_max;
	void *pool, *wheel;
	uint8_t *scratch, *sounds;

	w->legs = dp_worker_table(w, (size_t)w->legs_max * sizeof(struct dp_leg));
	w->confs = dp_worker_table(w, (size_t)w->conf.confs_max * sizeof(struct dp_conference));
	w->gone = dp_worker_table(w, (size_t)w->conf.confs_max * sizeof(struct dp_gone_ring));
	w->live = dp_worker_table(w, (size_t)w->legs_max * sizeof(uint32_t));
	w->plays = dp_worker_table(w, plays * (sizeof(struct dp_play) + sizeof(uint32_t)));
	pool = dp_worker_table(w, dp_frame_pool_octets(frames, big));
	wheel = dp_worker_table(w, dp_wheel_octets(w->conf.confs_max));
	b->pcm = dp_worker_table(w, room * DP_SAMPLES * sizeof(int16_t));
	scratch = dp_worker_table(w, room * (sizeof(void *) * 2 + sizeof(uint32_t) * 2 + 2));
	sounds = dp_worker_table(w, DP_TICK_CONFS * (sizeof(struct dp_tick_conf) +
						     DP_SAMPLES * sizeof(int16_t) +
						     DP_CODEC_COUNT * DP_FRAME_OCTETS));
	if (w->legs == NULL || w->confs == NULL || w->gone == NULL || w->live == NULL ||
	    w->plays == NULL || pool == NULL || wheel == NULL || b->pcm == NULL ||
	    scratch == NULL || sounds == NULL)
		return -ENOMEM;
	w->playing = (uint32_t *)(w->plays + plays);
	w->frames = dp_frame_pool_init(pool, frames, big);
	dp_wheel_init(&w->wheel, w->conf.confs_max, w->conf.start_ns, wheel);
	b->leg = (struct dp_leg **)scratch;
	b->rows = (const int16_t **)(b->leg + room);
	b->leg_conf = (uint32_t *)(b->rows + room);
	b->who = b->leg_conf + room;
	b->hears = (uint8_t *)(b->who + room);
	b->level = b->hears + room;
	b->conf = (struct dp_tick_conf *)(sounds +
					  DP_TICK_CONFS * (DP_SAMPLES * sizeof(int16_t) +
							   DP_CODEC_COUNT * DP_FRAME_OCTETS));
	for (unsigned i = 0; i < DP_TICK_CONFS; i++) {
		b->conf[i].all = (int16_t *)(sounds + i * DP_SAMPLES * sizeof(int16_t));
		b->conf[i].frame = sounds + DP_TICK_CONFS * DP_SAMPLES * sizeof(int16_t) +
				   (size_t)i * DP_CODEC_COUNT * DP_FRAME_OCTETS;
	}
	return 0;
}

static void
clocks_set(struct dp_worker *w)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	w->unix_offset_ns =
		(uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec - drv_now_ns();
	while (getrandom(&w->random, sizeof(w->random), 0) != sizeof(w->random) || w->random == 0)
		;
}

static void
media_set(struct dp_worker *w)
{
	static const int16_t zeros[DP_SAMPLES];

	w->codecs = dp_codec_table(dp_isa_best());
	w->mix = dp_mix(dp_isa_best());
	for (unsigned c = DP_CODEC_NONE + 1; c < DP_CODEC_COUNT; c++)
		w->codecs[c].encode(NULL, w->silence[c], zeros, DP_SAMPLES);
	w->batch.slot_at = UINT32_MAX;
	w->batch.steps_left = DP_STEPS_PER_TURN;
	w->batch.burst =
		w->conf.burst == 0 || w->conf.burst > DP_BURST_MAX ? DP_BURST_MAX : w->conf.burst;
}

int
dp_worker_create(struct dp_worker **out, const struct dp_worker_conf *conf, char *text,
		 size_t text_size)
{
	struct dp_worker *w;
	const char *why = NULL;

	if (posix_memalign((void **)&w, 128, sizeof(*w)) != 0)
		return -ENOMEM;
	memset(w, 0, sizeof(*w));
	w->conf = *conf;
	w->port_first = (uint16_t)(conf->port_base + conf->index * conf->ports_per_queue);
	w->legs_max = conf->ports_per_queue / 2u;
	if (tables_make(w) != 0 || rings_make(w) != 0) {
		snprintf(text, text_size,
			 "worker %u: no memory for %u legs and %u conferences; lower media.legs or "
			 "give the node more memory",
			 conf->index, w->legs_max, conf->confs_max);
		dp_worker_destroy(w);
		return -ENOMEM;
	}
	w->engine = dp_srtp_engine_create(&why);
	if (w->engine == NULL) {
		snprintf(text, text_size, "worker %u: no cipher engine: %s", conf->index, why);
		dp_worker_destroy(w);
		return -ENODEV;
	}
	clocks_set(w);
	media_set(w);
	w->wheel.start_ns = conf->start_ns;
	w->trace.leg = DP_TRACE_NONE;
	*out = w;
	return 0;
}

void
dp_worker_destroy(struct dp_worker *w)
{
	if (w == NULL)
		return;
	dp_srtp_engine_destroy(w->engine);
	rte_ring_free(w->inbox);
	rte_ring_free(w->outbox);
	rte_ring_free(w->keys);
	rte_ring_free(w->events);
	for (unsigned i = 0; i < w->table_count; i++)
		munmap(w->tables[i].memory, w->tables[i].octets);
	free(w);
}

/* The next slot that has a conference, or the next look at the legs. */
static uint64_t
next_due_ns(const struct dp_worker *w)
{
	uint64_t until_ns = w->now_ns + WAIT_MAX_NS;

	if (w->live_count > 0) {
		uint64_t pause_ns = 1000000000u / DP_SWEEPS_PER_SECOND / w->live_count;

		until_ns = w->sweep_ns + (pause_ns > 5000000u ? pause_ns : 5000000u);
	}
	for (unsigned i = 0; i < DP_WHEEL_SLOTS && w->wheel.total > 0; i++) {
		uint64_t step = w->wheel.step + i;
		uint64_t due_ns = w->wheel.start_ns + step * DP_WHEEL_SLOT_NS;

		if (w->wheel.count[step % DP_WHEEL_SLOTS] == 0)
			continue;
		return due_ns < until_ns ? due_ns : until_ns;
	}
	return until_ns;
}

int
dp_worker_run(void *arg)
{
	struct dp_worker *w = arg;
	bool can_sleep = drv_port_can_sleep(w->conf.port);
	uint64_t now_ns = drv_now_ns(), until_ns;

	while (!atomic_load_explicit(&w->is_stopped, memory_order_relaxed)) {
		w->did_work = false;
		dp_worker_turn(w, now_ns);
		until_ns = drv_now_ns();
		if (w->did_work)
			w->stats.busy_ns += until_ns - now_ns;
		dp_load_look(&w->load, &w->stats, until_ns);
		if (w->did_work) {
			now_ns = until_ns;
			continue;
		}
		now_ns = until_ns;
		if (can_sleep) {
			drv_port_wait(w->conf.port, (uint16_t)w->conf.index, next_due_ns(w));
			now_ns = drv_now_ns();
			w->stats.sleep_ns += now_ns - until_ns;
		}
	}
	return 0;
}

void
dp_worker_stop(struct dp_worker *w)
{
	atomic_store_explicit(&w->is_stopped, true, memory_order_relaxed);
	drv_port_wake(w->conf.port, (uint16_t)w->conf.index);
}

bool
dp_worker_post(struct dp_worker *w, struct dp_msg *msg)
{
	if (rte_ring_enqueue(w->inbox, msg) != 0)
		return false;
	drv_port_wake(w->conf.port, (uint16_t)w->conf.index);
	return true;
}

unsigned
dp_worker_collect(struct dp_worker *w, struct dp_msg **msgs, unsigned n)
{
	return rte_ring_dequeue_burst(w->outbox, (void **)msgs, n, NULL);
}

unsigned
dp_worker_events(struct dp_worker *w, struct dp_event_rec *recs, unsigned n)
{
	return rte_ring_dequeue_burst_elem(w->events, recs, sizeof(*recs), n, NULL);
}

unsigned
dp_worker_keys(struct dp_worker *w, struct dp_srtp_key **keys, unsigned n)
{
	return rte_ring_dequeue_burst(w->keys, (void **)keys, n, NULL);
}

void
dp_worker_peek(const struct dp_worker *w, struct dp_worker_stats *out)
{
	dp_worker_snapshot(w, out);
}

void
dp_worker_leg_peek(const struct dp_worker *w, uint32_t leg, struct dp_leg_stats *out)
{
	dp_leg_snapshot(w, &w->legs[leg], out);
}

struct dp_trace *
dp_worker_tracer(struct dp_worker *w)
{
	return &w->trace;
}

const uint64_t *
dp_worker_lateness(const struct dp_worker *w)
{
	return w->lateness;
}
