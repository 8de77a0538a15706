/*
 * The ethdev port: a DPDK device on which we are a host of our own, with addresses, neighbours and ping. Each queue belongs
 * to its worker; the neighbour table is the only thing that queues share.
 */
#ifndef DRV_PORT_ETHDEV_STATE_H
#define DRV_PORT_ETHDEV_STATE_H

#include "drivers/caps.h"
#include "drivers/neigh/table.h"
#include "drivers/port/port_state.h"
#include "drivers/steer/steer.h"

#define ETH_HELD_MAX 64 /* packets of a queue that wait for a neighbour */
#define ETH_BURST 64
#define ETH_ANNOUNCEMENTS 3

/* Where the last packet went: nearly always where the next one goes. */
struct eth_hop {
	struct dp_addr addr; /* port 0; family NONE: nothing remembered */
	uint8_t mac[6];
	uint64_t until_ns;
};

struct eth_queue {
	struct eth_port *port;
	uint16_t index;
	uint16_t ident; /* IPv4 */
	uint16_t held_count;
	uint8_t announced; /* queue 0: how often it told the link who we are */
	uint32_t turns;
	uint64_t announce_ns;
	struct rte_mempool *pool;
	struct eth_hop hop;
	struct rte_mbuf *held[ETH_HELD_MAX];
	uint64_t held_until_ns[ETH_HELD_MAX];
	struct drv_port_stats stats;
};

struct eth_port {
	struct drv_port base;
	struct drv_port_conf conf;
	uint16_t device;
	uint16_t rx_queues; /* may be fewer than workers: the others get theirs by hand-off */
	bool is_probed;	    /* by us: goes away with the port */
	bool is_started;
	struct drv_caps caps;
	struct drv_self self;
	uint16_t vlan_tci; /* put in by the device; 0: none or in the frame */
	struct drv_neigh *neigh;
	struct drv_steer *steer;
	struct eth_queue queues[DRV_PORT_QUEUES_MAX];
};

/* By the worker of the queue. */
uint16_t eth_rx(struct drv_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n);
uint16_t eth_tx(struct drv_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n,
		uint8_t *verdicts);

/* Sends a frame that is complete but for the device's VLAN tag; consumes it. */
void eth_frame_send(struct eth_queue *q, struct rte_mbuf *mbuf);

/* Packets whose neighbour answered go out, those that waited too long are dropped. */
void eth_held_review(struct eth_queue *q, uint64_t now_ns);

#endif
