/* The media thread: tasks, the millisecond clock, the life of legs. */
#include "bench/load/media.h"
#include <errno.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>
#include "bench/lib/bench.h"
#include "bench/load/media_state.h"

#define MS_NS 1000000u
#define LATE_NS 5000000u
#define RTCP_FIRST_MS 500

static struct ue_task *
task_create(struct ue_leg *leg, void (*run)(struct ue_media *m, struct ue_task *task))
{
	struct ue_task *task = calloc(1, sizeof(*task));

	if (!task) {
		fprintf(stderr, "conclave-ue: out of memory\n");
		abort();
	}
	task->leg = leg;
	task->run = run;
	return task;
}

static void
task_post(struct ue_media *m, struct ue_task *task)
{
	pthread_mutex_lock(&m->lock);
	STAILQ_INSERT_TAIL(&m->tasks, task, next);
	pthread_mutex_unlock(&m->lock);
	atomic_fetch_add(&m->task_count, 1);
}

static void
tasks_run(struct ue_media *m)
{
	while (atomic_load(&m->task_count) > 0) {
		struct ue_task *task;

		pthread_mutex_lock(&m->lock);
		task = STAILQ_FIRST(&m->tasks);
		STAILQ_REMOVE_HEAD(&m->tasks, next);
		pthread_mutex_unlock(&m->lock);
		atomic_fetch_sub(&m->task_count, 1);
		task->run(m, task);
		explicit_bzero(task, sizeof(*task));
		free(task);
	}
}

static void *
media_main(void *arg)
{
	struct ue_media *m = arg;

	prctl(PR_SET_NAME, "ue-media");
	prctl(PR_SET_TIMERSLACK, 1);
	if (m->conf.cpu >= 0 && bench_pin((unsigned)m->conf.cpu) != 0)
		fprintf(stderr, "conclave-ue: cannot pin the media thread to CPU %d\n",
			m->conf.cpu);
	if (m->conf.is_realtime &&
	    pthread_setschedparam(pthread_self(), SCHED_RR,
				  &(struct sched_param){.sched_priority = 1}) != 0)
		fprintf(stderr, "conclave-ue: no real-time priority for the media thread\n");
	m->start_ns = bench_now_ns();
	m->ms = 0;
	while (!atomic_load(&m->must_stop)) {
		uint64_t due = m->start_ns + m->ms * MS_NS, now = bench_now_ns();

		tasks_run(m);
		if (now < due) {
			ue_media_rx(m, due);
			continue;
		}
		if (now - due > LATE_NS)
			m->stats.ticks_late++;
		if (now - due > m->stats.late_max_ns)
			m->stats.late_max_ns = now - due;
		ue_media_tick(m, m->ms);
		ue_attack_tick(m);
		ue_impair_release(m, now);
		m->ms++;
		/* behind: take in what came, so that the kernel's queues do not run over */
		if (now - due >= MS_NS)
			ue_media_rx(m, 0);
	}
	tasks_run(m);
	ue_media_tx_flush(m, &m->tx_rtcp);
	return NULL;
}

/* Anywhere among ours: who spoke to whom was here before us may not have heard yet that it is gone. */
static uint16_t
port_any(const struct ue_media_conf *conf)
{
	unsigned low = conf->port_low + (conf->port_low & 1u);
	unsigned pairs = (conf->port_high - low + 1u) / 2;
	uint32_t random = 0;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		random = 0;
	return (uint16_t)(low + 2 * (random % pairs));
}

int
ue_media_create(struct ue_media **out, const struct ue_media_conf *conf, const char **why)
{
	struct ue_media *m = calloc(1, sizeof(*m));

	*why = "out of memory";
	if (!m)
		return -ENOMEM;
	m->conf = *conf;
	m->random = conf->seed ? conf->seed : 2463534242u;
	m->tx_rtcp.is_rtcp = true;
	m->next_port = port_any(conf);
	pthread_mutex_init(&m->lock, NULL);
	STAILQ_INIT(&m->tasks);
	m->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	m->by_port = calloc(65536, sizeof(struct ue_leg *));
	m->engine = dp_srtp_engine_create(why);
	if (!m->engine || !m->by_port || m->epoll_fd < 0) {
		ue_media_destroy(m);
		return -ENOMEM;
	}
	*out = m;
	return 0;
}

int
ue_media_start(struct ue_media *m)
{
	int err = -pthread_create(&m->thread, NULL, media_main, m);

	m->is_running = err == 0;
	return err;
}

void
ue_media_stop(struct ue_media *m)
{
	if (!m->is_running)
		return;
	atomic_store(&m->must_stop, true);
	pthread_join(m->thread, NULL);
	m->is_running = false;
}

static void
leg_destroy(struct ue_leg *leg)
{
	struct dp_srtp_key *gone[DP_SRTP_OUT_MAX];

	for (unsigned n = dp_srtp_rx_fini(&leg->rx, gone); n > 0; n--)
		dp_srtp_key_destroy(gone[n - 1]);
	for (unsigned n = dp_srtp_tx_fini(&leg->tx, gone); n > 0; n--)
		dp_srtp_key_destroy(gone[n - 1]);
	if (leg->alien_fd >= 0)
		close(leg->alien_fd);
	ue_ear_destroy(leg->ear);
	ue_record_close(leg->record);
	free(leg->dtmf);
	free(leg);
}

void
ue_media_destroy(struct ue_media *m)
{
	ue_media_stop(m);
	for (unsigned i = 0; i < m->leg_count; i++)
		leg_destroy(m->legs[i]);
	for (unsigned i = 0; i < m->pair_count; i++)
		ue_pair_close(m->pairs[i]);
	ue_impair_fini(m);
	dp_srtp_engine_destroy(m->engine);
	if (m->epoll_fd >= 0)
		close(m->epoll_fd);
	pthread_mutex_destroy(&m->lock);
	free(m->legs);
	free(m->pairs);
	free(m->by_port);
	free(m);
}

const struct ue_media_stats *
ue_media_stats(const struct ue_media *m)
{
	return &m->stats;
}

/* Room for one more pointer. */
static int
grow(void ***array, unsigned count, unsigned *size)
{
	unsigned wanted = *size ? 2 * *size : 16;
	void **bigger;

	if (count < *size)
		return 0;
	bigger = realloc(*array, wanted * sizeof(void *));
	if (!bigger)
		return -ENOMEM;
	*array = bigger;
	*size = wanted;
	return 0;
}

static int
pair_new(struct ue_pair **out, struct ue_media *m)
{
	int err = grow((void ***)&m->pairs, m->pair_count, &m->pair_size);

	if (!err)
		err = ue_pair_open(out, m);
	if (!err)
		m->pairs[m->pair_count++] = *out;
	return err;
}

int
ue_leg_create(struct ue_leg **out, struct ue_media *m, unsigned number, struct ue_ear *ear)
{
	struct ue_leg *leg;
	uint32_t random[5];
	int err = grow((void ***)&m->legs, m->leg_count, &m->leg_size);

	if (err)
		return err;
	if (posix_memalign((void **)&leg, 64, sizeof(*leg)) != 0)
		return -ENOMEM;
	memset(leg, 0, sizeof(*leg));
	if (m->conf.share > 1 && m->leg_count % m->conf.share != 0)
		leg->pair = m->legs[m->leg_count - 1]->pair;
	else
		err = pair_new(&leg->pair, m);
	if (err || getrandom(random, sizeof(random), 0) != sizeof(random)) {
		free(leg);
		return err ? err : -EIO;
	}
	if (m->conf.share <= 1)
		leg->pair->rtp.leg = leg->pair->rtcp.leg = leg;
	leg->ssrc = random[0];
	leg->ts = random[1];
	leg->seq = random[2] & 0x7fff; /* RFC 4568 6.4 */
	snprintf(leg->cname, sizeof(leg->cname), "%08x%08x", random[3], random[4]);
	leg->number = number;
	leg->mark_offset = 17 * number;
	leg->ear = ear;
	leg->alien_fd = -1;
	leg->stats.rtt_ms = -1;
	dp_srtp_rx_init(&leg->rx);
	dp_srtp_tx_init(&leg->tx);
	m->legs[m->leg_count++] = leg;
	*out = leg;
	return 0;
}

void
ue_leg_record(struct ue_leg *leg, struct ue_record *record)
{
	leg->record = record;
}

uint16_t
ue_leg_rtp_port(const struct ue_leg *leg)
{
	return leg->pair->rtp.port;
}

uint32_t
ue_leg_ssrc(const struct ue_leg *leg)
{
	return leg->ssrc;
}

uint16_t
ue_leg_rtcp_port(const struct ue_leg *leg)
{
	return leg->pair->rtcp.port;
}

const char *
ue_leg_cname(const struct ue_leg *leg)
{
	return leg->cname;
}

const struct ue_mark *
ue_leg_mark(const struct ue_leg *leg)
{
	return &leg->mark;
}

void
ue_leg_seq_set(struct ue_leg *leg, uint16_t seq)
{
	leg->seq = seq;
}

static void
move_run(struct ue_media *m, struct ue_task *task)
{
	ue_pair_unwatch(m, task->leg->pair);
	task->leg->pair = task->pair;
	(void)ue_pair_watch(m, task->pair);
}

int
ue_leg_move(struct ue_media *m, struct ue_leg *leg, uint16_t *rtp, uint16_t *rtcp)
{
	struct ue_task *task;
	struct ue_pair *pair;
	int err = m->conf.share > 1 ? -EOPNOTSUPP : pair_new(&pair, m);

	if (err)
		return err;
	pair->rtp.leg = pair->rtcp.leg = leg;
	*rtp = pair->rtp.port;
	*rtcp = pair->rtcp.port;
	task = task_create(leg, move_run);
	task->pair = pair;
	task_post(m, task);
	return 0;
}

/* Into the least filled slot of the wheel of its ptime. */
static void
slot_enter(struct ue_media *m, struct ue_leg *leg, unsigned ptime)
{
	unsigned w = ptime / 10, best = 0;

	for (unsigned i = 1; i < ptime; i++)
		if (m->slot_size[w][i] < m->slot_size[w][best])
			best = i;
	LIST_INSERT_HEAD(&m->wheel[w][best], leg, slot);
	m->slot_size[w][best]++;
	leg->ptime = ptime;
}

static void
key_install(struct ue_leg *leg, struct dp_srtp_key *key, bool is_rx, uint32_t flags)
{
	enum dp_key_slot slot = leg->is_set ? DP_KEY_NEXT : DP_KEY_CURRENT;
	struct dp_srtp_key *gone[DP_SRTP_OUT_MAX];
	unsigned n;

	if (!key)
		return;
	n = is_rx ? dp_srtp_rx_install(&leg->rx, slot, flags, key, gone)
		  : dp_srtp_tx_install(&leg->tx, slot, flags, key, gone);
	while (n > 0)
		dp_srtp_key_destroy(gone[--n]);
}

static void
setup_run(struct ue_media *m, struct ue_task *task)
{
	const struct ue_leg_setup *s = &task->setup;
	struct ue_leg *leg = task->leg;
	uint32_t flags = s->is_fresh ? DP_KEY_FRESH : 0;

	if (leg->is_ended)
		return;
	key_install(leg, s->rx_key, true, flags);
	key_install(leg, s->tx_key, false, flags);
	leg->remote = s->remote;
	leg->remote_rtcp = s->remote_rtcp;
	leg->sound = s->sound;
	leg->sound_at = leg->sound_at < s->sound->samples ? leg->sound_at : 0;
	leg->has_marker |= s->is_sending && !leg->is_sending;
	leg->is_sending = s->is_sending;
	leg->is_receiving = s->is_receiving;
	leg->is_secure = s->is_secure;
	leg->has_mux = s->has_mux;
	leg->pt = s->pt;
	leg->dtmf_pt = s->dtmf_pt;
	leg->rx_count = s->rx_count;
	memcpy(leg->rx_pt, s->rx_pt, sizeof(leg->rx_pt));
	memcpy(leg->rx_codec, s->rx_codec, sizeof(leg->rx_codec));
	if (!leg->is_set) {
		slot_enter(m, leg, s->ptime);
		leg->rtcp_at_ms = m->ms + RTCP_FIRST_MS + ue_random(m) % (m->conf.rtcp_ms + 1);
		leg->stats.rx_since_ns = bench_now_ns();
		leg->is_set = true;
		(void)ue_pair_watch(m, leg->pair);
	}
	if (m->conf.share > 1) {
		m->by_port[ue_sockaddr_port(&leg->remote)] = leg;
		m->by_port[ue_sockaddr_port(&leg->remote_rtcp)] = leg;
	}
}

void
ue_leg_setup(struct ue_media *m, struct ue_leg *leg, const struct ue_leg_setup *setup)
{
	struct ue_task *task = task_create(leg, setup_run);

	task->setup = *setup;
	task_post(m, task);
}

static void
mute_run(struct ue_media *m, struct ue_task *task)
{
	task->leg->is_muted = task->flag;
}

void
ue_leg_mute(struct ue_media *m, struct ue_leg *leg, bool is_muted)
{
	struct ue_task *task = task_create(leg, mute_run);

	task->flag = is_muted;
	task_post(m, task);
}

static void
dtmf_run(struct ue_media *m, struct ue_task *task)
{
	struct ue_leg *leg = task->leg;

	if (!leg->dtmf_pt || leg->dtmf || !task->digits[0])
		return;
	leg->dtmf = calloc(1, sizeof(*leg->dtmf));
	if (leg->dtmf)
		memcpy(leg->dtmf->digits, task->digits, sizeof(leg->dtmf->digits));
}

void
ue_leg_dtmf(struct ue_media *m, struct ue_leg *leg, const char *digits)
{
	struct ue_task *task = task_create(leg, dtmf_run);

	snprintf(task->digits, sizeof(task->digits), "%s", digits);
	task_post(m, task);
}

static void
ssrc_run(struct ue_media *m, struct ue_task *task)
{
	task->leg->ssrc = ue_random(m);
	task->leg->seq = ue_random(m) & 0x7fff;
	task->leg->ts = ue_random(m);
	task->leg->has_marker = true;
}

void
ue_leg_ssrc_change(struct ue_media *m, struct ue_leg *leg)
{
	task_post(m, task_create(leg, ssrc_run));
}

static void
attack_run(struct ue_media *m, struct ue_task *task)
{
	struct ue_leg *leg = task->leg;

	leg->attack_rate[task->attack.kind] = task->attack.per_second;
	if (!leg->is_attacker)
		LIST_INSERT_HEAD(&m->attackers, leg, attacker);
	leg->is_attacker = true;
}

void
ue_leg_attack(struct ue_media *m, struct ue_leg *leg, enum ue_attack kind, unsigned per_second)
{
	struct ue_task *task = task_create(leg, attack_run);

	task->attack.kind = kind;
	task->attack.per_second = per_second;
	task_post(m, task);
}

static void
end_run(struct ue_media *m, struct ue_task *task)
{
	struct ue_leg *leg = task->leg;

	if (leg->is_set && !leg->is_ended) {
		if (task->flag)
			ue_media_tx_rtcp(m, leg, true);
		LIST_REMOVE(leg, slot);
		if (m->conf.share <= 1)
			ue_pair_unwatch(m, leg->pair);
	}
	if (leg->is_attacker)
		LIST_REMOVE(leg, attacker);
	leg->is_attacker = false;
	leg->is_sending = leg->is_receiving = false;
	leg->is_ended = true;
}

void
ue_leg_end(struct ue_media *m, struct ue_leg *leg, bool is_polite)
{
	struct ue_task *task = task_create(leg, end_run);

	task->flag = is_polite;
	task_post(m, task);
}

static void
anew_run(struct ue_media *m, struct ue_task *task)
{
	struct ue_leg *leg = task->leg;

	ue_rtp_rx_reset(&leg->stats.rx);
	leg->stats.rx_since_ns = bench_now_ns();
	if (leg->ear)
		ue_ear_reset(leg->ear);
}

void
ue_leg_measure_anew(struct ue_media *m, struct ue_leg *leg)
{
	task_post(m, task_create(leg, anew_run));
}

static void
snapshot_run(struct ue_media *m, struct ue_task *task)
{
	const struct ue_leg *leg = task->leg;

	*task->snapshot.stats = leg->stats;
	if (task->snapshot.ear && leg->ear)
		memcpy(task->snapshot.ear, leg->ear,
		       sizeof(*leg->ear) + leg->ear->count * sizeof(leg->ear->pitch[0]));
	atomic_store(task->snapshot.is_done, true);
}

void
ue_leg_snapshot(struct ue_media *m, struct ue_leg *leg, struct ue_leg_stats *stats,
		struct ue_ear *ear)
{
	struct ue_task *task = task_create(leg, snapshot_run);
	struct timespec nap = {.tv_nsec = 200000};
	atomic_bool is_done = false;

	task->snapshot.stats = stats;
	task->snapshot.ear = ear;
	task->snapshot.is_done = &is_done;
	task_post(m, task);
	while (!atomic_load(&is_done))
		nanosleep(&nap, NULL);
}

const struct ue_leg_stats *
ue_leg_stats(const struct ue_leg *leg)
{
	return &leg->stats;
}

const struct ue_ear *
ue_leg_ear(const struct ue_leg *leg)
{
	return leg->ear;
}
