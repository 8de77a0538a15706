/*
 * A port: where datagrams come from and go to. Kernel UDP sockets ("udp") or a DPDK ethdev by
 * devargs; the same calls for both. Packets are mbufs whose data is the UDP payload and whose
 * private area is struct drv_pkt.
 *
 * Threads: open, close, endpoint_* and wake belong to the control thread; rx, tx and wait of queue
 * q to worker q alone.
 */
#ifndef DRV_PORT_H
#define DRV_PORT_H

#include <stdbool.h>
#include <stdint.h>
#include <rte_mbuf.h>
#include "dataplane/api/addr.h"

#define DRV_PORT_LOCALS_MAX 4
#define DRV_PORT_QUEUES_MAX 32

/* Private area of every mbuf (rte_mbuf_to_priv). On the way in the port fills it, on the way out
 * the worker. */
struct drv_pkt {
	struct dp_addr peer; /* in: source; out: destination */
	uint16_t local_port; /* our UDP port: in: destination; out: source */
	uint8_t local_index; /* which of the port's addresses */
	uint8_t flags;
	uint64_t rx_ns;	  /* in: CLOCK_MONOTONIC-like, drv_now_ns(); stamped once a burst */
	uint8_t user[32]; /* the pipeline's own, dataplane/pkt/ */
};

/* One address of the port. */
struct drv_local {
	struct dp_addr addr;	/* port 0 */
	uint8_t prefix;		/* ethdev: length of the on-link prefix */
	struct dp_addr gateway; /* ethdev: next hop for the rest; family NONE: none */
};

struct drv_port_conf {
	const char *kind;    /* "udp" or "ethdev" */
	const char *devargs; /* ethdev: as rte_eth_dev_probe takes them, e.g.
				"net_tap0,iface=conclave0" or "0000:3b:00.0" */
	uint16_t vlan;	     /* ethdev: 802.1Q id, 0 none */
	uint16_t queues;     /* = workers */
	uint32_t local_count;
	struct drv_local local[DRV_PORT_LOCALS_MAX];
	uint16_t port_base;	  /* first UDP port of queue 0; even */
	uint16_t ports_per_queue; /* queue q owns [base + q * n, base + (q + 1) * n) */
	uint16_t burst;
	struct rte_mempool *pool[DRV_PORT_QUEUES_MAX]; /* one a queue, made by drv_mempool_create */
	int io_uring;		/* udp: -1 use it where it works, 0 never, 1 must */
	uint8_t dscp;		/* 0-63; 46 is EF, what voice is marked with */
	uint32_t socket_octets; /* udp: receive buffer of one socket, 0: 64 KiB */
	uint16_t descriptors;	/* ethdev: of a hardware queue, each way; 0: 1024 */
};

struct drv_port;

struct drv_port_stats {
	uint64_t rx_packets, rx_octets, tx_packets, tx_octets;
	uint64_t rx_missed; /* the socket or the device was full: as of the last drv_port_look */
	uint64_t rx_errors; /* ethdev: damaged; udp: nothing came of a receive */
	uint64_t tx_errors;
	uint64_t rx_waits;	/* udp: no buffer just then, the datagram stayed in its socket */
	uint64_t rx_not_ip_udp; /* ethdev: ARP, ND, ICMP, and what nobody here wants */
	uint64_t rx_bad_checksum;
	uint64_t rx_fragments; /* ethdev: IP fragments are not put together */
	uint64_t rx_malformed; /* ethdev: lengths or versions that do not fit the frame; udp: cut
				  short */
	uint64_t rx_foreign;   /* ethdev: for another VLAN or address */
	uint64_t tx_no_neigh;  /* ethdev: was held for a neighbour that never answered */
};

/* 0 or -errno; on failure text says what, where and how to mend. */
int drv_port_open(struct drv_port **out, const struct drv_port_conf *conf, char *text,
		  size_t text_size);
void drv_port_close(struct drv_port *port);

/* Begin and end receiving on a local UDP port of a queue (udp: a socket; ethdev: nothing or a flow
 * rule). */
int drv_port_endpoint_open(struct drv_port *port, uint16_t queue, uint8_t local_index,
			   uint16_t local_port);
void drv_port_endpoint_close(struct drv_port *port, uint16_t queue, uint8_t local_index,
			     uint16_t local_port);

/* Up to n datagrams; never blocks. */
uint16_t drv_port_rx(struct drv_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n);

/*
 * Send n datagrams; consumes all of them. verdicts[i] is DP_DROP_NONE or the drop reason (TX_FULL,
 * TX_NO_NEIGH, TX_ERROR); may be reported late for asynchronous sends, which then count in
 * stats.tx_errors instead. Returns how many were taken.
 */
uint16_t drv_port_tx(struct drv_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n,
		     uint8_t *verdicts);

/*
 * True when every datagram comes in on the queue that owns its local port (sockets, one queue, or
 * rte_flow rules); false when the device spreads by hash and the pipeline has to hand packets to
 * their owners.
 */
bool drv_port_is_steered(const struct drv_port *port);

/* What the port runs on, for people: "io_uring", "epoll", or the name of the ethdev's driver. */
const char *drv_port_engine(const struct drv_port *port);

/* True when wait() sleeps (udp); false when the queue has to be polled (NIC). */
bool drv_port_can_sleep(const struct drv_port *port);

/* Sleep until a datagram is there, drv_port_wake, or until_ns (drv_now_ns clock). */
void drv_port_wait(struct drv_port *port, uint16_t queue, uint64_t until_ns);
void drv_port_wake(struct drv_port *port, uint16_t queue);

/* Control thread, now and then: asks what only the kernel and the device know. */
void drv_port_look(struct drv_port *port);
/* Any thread: each number exact, not together. */
void drv_port_stats_get(const struct drv_port *port, uint16_t queue, struct drv_port_stats *out);

#endif
