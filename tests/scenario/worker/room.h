/*
 * A room for scenarios: one worker on a port in memory, peers that send tones and listen, a clock that the test moves. Peers use
 * contexts of dataplane/srtp of their own.
 */
#ifndef TESTS_SCENARIO_ROOM_H
#define TESTS_SCENARIO_ROOM_H

#include "dataplane/rtp/rtcp.h"
#include "dataplane/worker/worker_state.h"
#include "tests/fake/port.h"

#define ROOM_PEERS 512
#define ROOM_HEARD 8000 /* samples kept: the last second */
#define ROOM_PORT 24000
#define ROOM_EVENTS 1024

struct peer {
	uint32_t leg; /* id; its index is leg - 1 */
	bool is_secure;
	bool is_sending;
	bool is_gone;
	bool is_mux;
	uint8_t suite;
	uint8_t codec;
	uint8_t pt;
	double hz, amplitude;
	uint64_t phase; /* samples sent */
	uint32_t ssrc, ts;
	uint16_t seq;
	uint64_t next_ns; /* when it sends */
	struct dp_addr addr;
	struct dp_srtp_tx tx;
	struct dp_srtp_rx rx;

	int16_t heard[ROOM_HEARD]; /* ring */
	uint64_t heard_count;
	uint64_t bye_ns;     /* the last BYE for told_bye */
	uint32_t told_bye;   /* SSRC, not our leg's, in the last BYE */
	uint32_t told_byes;  /* such SSRCs */
	uint32_t own_byes;   /* BYEs of our leg's SSRC */
	uint32_t rtcp_max;   /* octets of the longest compound, protected */
	uint32_t name_count; /* names that the last compound forwarded */
	uint32_t name_ssrc[DP_DESCRIBED_MAX];
	char name[DP_DESCRIBED_MAX][256];
	uint32_t got, got_bad, got_rtcp, got_bye, gaps, markers;
	uint32_t last_ssrc, last_ts, last_len;
	uint16_t last_seq;
	uint8_t last_pt;
	uint8_t csrc_count;
	uint32_t csrc[15];
};

struct room {
	struct drv_port *port;
	struct rte_mempool *pool;
	struct dp_worker *worker;
	struct dp_srtp_engine *engine;
	uint64_t now_ns;
	uint32_t peer_count, made; /* mbufs given to the worker */
	struct peer peers[ROOM_PEERS];
	struct dp_event_rec events[ROOM_EVENTS];
	uint32_t event_count;
};

/* EAL once a process; a worker with room for legs legs. */
void room_open(struct room *room, uint16_t legs, uint32_t confs);
void room_close(struct room *room);

void room_conf(struct room *room, uint32_t conf, uint16_t loudest_n, uint16_t small_size);

/* What a peer begins as; fields 0: PCMU, 20 ms, both directions, SRTP with suite. */
struct seat {
	uint32_t conf;
	uint8_t suite; /* DP_SUITE_NONE: plain */
	uint8_t codec;
	uint16_t ptime_ms;
	uint32_t flags;
	uint8_t dtmf_pt;
	uint16_t lost_after_ms;
	double hz, amplitude;
};
struct peer *room_join(struct room *room, const struct seat *seat);
void room_leave(struct room *room, struct peer *peer);
void room_update(struct room *room, struct peer *peer, uint8_t dirs, uint32_t flags);
void room_mix(struct room *room, struct peer *peer, int gain_cdb, bool is_muted, bool is_deaf);

/* New keys in both directions; octet makes them differ. */
void room_rekey(struct room *room, struct peer *peer, uint8_t octet);

/* Post, turn, take back. The caller frees it. */
struct dp_msg *room_do(struct room *room, struct dp_msg *msg);
struct dp_msg *room_msg(enum dp_msg_type type);
void room_done(struct dp_msg *msg);

/* One turn. True while it runs: what the worker may not do, tests watch for. */
void room_turn(struct room *room);
extern bool room_is_turning;

/* Let time pass: peers send, the worker turns every millisecond, peers hear. */
void room_run(struct room *room, unsigned ms);

/* One packet of the peer's, protected; sent by the caller. */
struct rte_mbuf *room_packet(struct room *room, struct peer *peer);
struct rte_mbuf *room_raw(struct room *room, const struct peer *peer, const void *octets,
			  uint16_t len);
/* Protect and send a compound of the peer's. */
void room_rtcp(struct room *room, struct peer *peer, const struct dp_rtcp_make *make);
void room_send(struct room *room, struct rte_mbuf *mbuf);

/* Amplitude of a frequency in what the peer heard last: ms of it. */
double room_hears(const struct peer *peer, double hz, unsigned ms);

unsigned room_events(const struct room *room, uint32_t event, uint32_t leg);

/* Assert conservation: of the worker, and of every leg. */
void room_balance(struct room *room);
struct dp_worker_stats room_stats(struct room *room);
struct dp_leg_stats room_leg_stats(struct room *room, const struct peer *peer);

#endif
