/* Layout of the media engine: for its own files. */
#ifndef BENCH_LOAD_MEDIA_STATE_H
#define BENCH_LOAD_MEDIA_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>
#include "bench/load/media.h"
#include "dataplane/srtp/srtp_state.h"

#define UE_BURST 64
#define UE_PACKET_MAX 2048
#define UE_PTIME_MAX 60
#define UE_WHEELS 7 /* by ptime / 10 */

/* What epoll names. */
struct ue_sock {
	int fd;
	uint16_t port;
	bool is_rtcp;
	struct ue_leg *leg; /* NULL: shared */
};

struct ue_pair {
	struct ue_sock rtp, rtcp;
};

/* Digits under way: RFC 4733 2.5. */
struct ue_dtmf {
	char digits[UE_DIGITS_MAX];
	unsigned at;	/* of digits */
	unsigned phase; /* packets of this event, then of the pause after it */
	uint32_t ts;
};

struct ue_leg {
	/* what every packet touches */
	LIST_ENTRY(ue_leg) slot; /* of the wheel */
	struct ue_pair *pair;
	const struct ue_sound *sound;
	size_t sound_at;
	uint32_t ssrc, ts;
	uint16_t seq;
	uint8_t pt, dtmf_pt;
	bool is_set, is_sending, is_receiving, is_secure, has_mux, is_muted, is_ended, has_marker,
		has_spoken;
	unsigned ptime;
	uint32_t frames; /* sent */
	uint32_t mark_offset;
	bool is_in_gap;
	uint64_t rtcp_at_ms;
	struct ue_mark mark;
	union ue_sockaddr remote, remote_rtcp;
	struct ue_ear *ear;
	struct ue_record *record; /* NULL: none */
	struct ue_dtmf *dtmf;
	unsigned rx_count;
	uint8_t rx_pt[4], rx_codec[4];
	uint32_t heard; /* for ear->every */
	uint32_t sr_mid;
	uint64_t sr_at_ns;
	struct ue_leg_stats stats;
	unsigned attack_rate[UE_ATTACK_COUNT];
	double attack_due[UE_ATTACK_COUNT];
	int alien_fd; /* for UE_ATTACK_WRONG_SOURCE; -1: not open */
	LIST_ENTRY(ue_leg) attacker;
	bool is_attacker;
	unsigned number;
	char cname[UE_CNAME_MAX];
	struct dp_srtp_rx rx;
	struct dp_srtp_tx tx;
};

LIST_HEAD(ue_leg_list, ue_leg);

struct ue_task {
	STAILQ_ENTRY(ue_task) next;
	void (*run)(struct ue_media *m, struct ue_task *task);
	struct ue_leg *leg;
	union {
		struct ue_leg_setup setup;
		struct ue_pair *pair;
		char digits[UE_DIGITS_MAX];
		bool flag;
		struct {
			enum ue_attack kind;
			unsigned per_second;
		} attack;
		struct {
			struct ue_leg_stats *stats;
			struct ue_ear *ear;
			atomic_bool *is_done;
		} snapshot;
	};
};

/* A packet that an impairment holds back. */
struct ue_late {
	uint64_t due_ns;
	int fd;
	union ue_sockaddr to;
	uint32_t len;
	uint8_t data[];
};

struct ue_tx_batch {
	unsigned n;
	bool is_rtcp;
	struct ue_leg *leg[UE_BURST];
	uint32_t len[UE_BURST];
	struct dp_srtp_op op[UE_BURST];
	uint8_t data[UE_BURST][UE_PACKET_MAX];
};

struct ue_rx_batch {
	unsigned n;
	uint64_t now_ns;
	struct ue_leg *leg[UE_BURST];
	bool is_rtcp[UE_BURST];
	uint32_t len[UE_BURST];
	struct ue_rtp_head head[UE_BURST];
	struct dp_srtp_op op[UE_BURST];
	unsigned of_op[UE_BURST]; /* packet of an op */
	uint8_t data[UE_BURST][UE_PACKET_MAX];
};

struct ue_media {
	struct ue_media_conf conf;
	struct dp_srtp_engine *engine;
	pthread_t thread;
	bool is_running;
	atomic_bool must_stop;
	int epoll_fd;
	uint64_t start_ns;
	uint64_t ms; /* the millisecond that is due next */
	struct ue_leg_list wheel[UE_WHEELS][UE_PTIME_MAX];
	unsigned slot_size[UE_WHEELS][UE_PTIME_MAX];
	struct ue_leg_list attackers;
	struct ue_leg **by_port; /* shared sockets: leg by the far end's port */
	struct ue_tx_batch tx, tx_rtcp;
	struct ue_rx_batch rx;
	struct ue_late **late; /* heap by due_ns */
	unsigned late_count, late_size;
	uint32_t random;
	struct ue_media_stats stats;
	pthread_mutex_t lock; /* of tasks */
	STAILQ_HEAD(, ue_task) tasks;
	atomic_uint task_count;
	/* signalling thread's */
	struct ue_leg **legs;
	unsigned leg_count, leg_size;
	struct ue_pair **pairs;
	unsigned pair_count, pair_size;
	uint16_t next_port;
};

/* media_tx.c */
void ue_media_tick(struct ue_media *m, uint64_t ms);
void ue_media_tx_rtcp(struct ue_media *m, struct ue_leg *leg, bool is_bye);
void ue_media_tx_flush(struct ue_media *m, struct ue_tx_batch *b);

/* media_rx.c: wait until until_ns for packets and take in what is there. */
void ue_media_rx(struct ue_media *m, uint64_t until_ns);

/* impair.c: true when it took the packet. */
bool ue_impair(struct ue_media *m, struct ue_leg *leg, int fd, const uint8_t *data, uint32_t len);
void ue_impair_release(struct ue_media *m, uint64_t now_ns);
void ue_impair_fini(struct ue_media *m);

/* attack.c */
void ue_attack_tick(struct ue_media *m);

/* sockets.c */
int ue_pair_open(struct ue_pair **out, struct ue_media *m);
void ue_pair_close(struct ue_pair *pair);
int ue_pair_watch(struct ue_media *m, struct ue_pair *pair);
void ue_pair_unwatch(struct ue_media *m, struct ue_pair *pair);
socklen_t ue_sockaddr_len(const union ue_sockaddr *a);
uint16_t ue_sockaddr_port(const union ue_sockaddr *a);

/* Fast and not secret. */
static inline uint32_t
ue_random(struct ue_media *m)
{
	m->random ^= m->random << 13;
	m->random ^= m->random >> 17;
	m->random ^= m->random << 5;
	return m->random;
}

static inline double
ue_random_share(struct ue_media *m)
{
	return ue_random(m) / 4294967296.0;
}

#endif
