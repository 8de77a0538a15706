/*
 * The udp port: one kernel socket an endpoint. The control thread makes and binds sockets and posts
 * them to the queue's command ring; from then on a socket belongs to the worker, which also closes
 * it.
 */
#ifndef DRV_PORT_UDP_STATE_H
#define DRV_PORT_UDP_STATE_H

#include <netinet/in.h>
#include <rte_ring.h>
#include "drivers/port/port_state.h"

/* A worker that ticks within this time is not woken for single datagrams: they wait for the tick.
 */
#define UDP_COALESCE_NS 2000000u

struct udp_uring;
struct udp_epoll;

/* Owner: the worker. */
struct udp_socket {
	int fd;		     /* -1: closed */
	uint16_t generation; /* tells late completions of an earlier socket in this slot */
	uint8_t is_armed;    /* io_uring: a receive stands on it */
	uint8_t is_listed;   /* io_uring: in the list of those to arm again */
};

struct udp_queue {
	struct udp_port *port;
	uint16_t index;
	uint16_t first_port;
	uint16_t burst;
	struct rte_mempool *pool;
	struct rte_ring
		*commands; /* control thread → worker: slot and descriptor in a pointer's bits */
	struct udp_socket *sockets; /* by slot */
	uint8_t *is_open;	    /* by slot; the control thread's view */
	uint8_t *is_leaving;	    /* by slot: closed by us, perhaps not yet by the worker */
	struct udp_uring *uring;    /* one of the two */
	struct udp_epoll *epoll;
	int wake_fd;
	struct drv_port_stats stats; /* written by the worker */
	uint64_t missed_closed;	     /* the control thread's: of sockets that are closed */
	_Atomic uint64_t missed;     /* of all, when it looked last */
};

struct udp_port {
	struct drv_port base;
	struct drv_port_conf conf;
	uint32_t slots;	     /* of a queue: addresses times ports */
	uint64_t settled_ns; /* from then on a port that is taken is somebody else's */
	struct udp_queue queues[DRV_PORT_QUEUES_MAX];
};

/* Slot of an endpoint, or UINT32_MAX when the queue does not own it. */
static inline uint32_t
udp_slot(const struct udp_queue *q, uint8_t local_index, uint16_t local_port)
{
	uint32_t offset = (uint32_t)local_port - q->first_port;

	if (offset >= q->port->conf.ports_per_queue || local_index >= q->port->conf.local_count)
		return UINT32_MAX;
	return local_index * (uint32_t)q->port->conf.ports_per_queue + offset;
}

static inline uint8_t
udp_slot_local(const struct udp_queue *q, uint32_t slot)
{
	return (uint8_t)(slot / q->port->conf.ports_per_queue);
}

static inline uint16_t
udp_slot_port(const struct udp_queue *q, uint32_t slot)
{
	return (uint16_t)(q->first_port + slot % q->port->conf.ports_per_queue);
}

static inline socklen_t
udp_addr_to_kernel(const struct dp_addr *addr, struct sockaddr_in6 *out)
{
	if (addr->family == DP_FAMILY_IP4) {
		struct sockaddr_in *in = (struct sockaddr_in *)out;

		in->sin_family = AF_INET;
		in->sin_port = htons(addr->port);
		memcpy(&in->sin_addr, addr->ip, 4);
		return sizeof(*in);
	}
	out->sin6_family = AF_INET6;
	out->sin6_port = htons(addr->port);
	out->sin6_flowinfo = 0;
	out->sin6_scope_id = 0;
	memcpy(&out->sin6_addr, addr->ip, 16);
	return sizeof(*out);
}

static inline void
udp_addr_from_kernel(const struct sockaddr_in6 *addr, struct dp_addr *out)
{
	*out = (struct dp_addr){.port = ntohs(addr->sin6_port)}; /* at the same place in both */
	if (addr->sin6_family == AF_INET) {
		out->family = DP_FAMILY_IP4;
		memcpy(out->ip, &((const struct sockaddr_in *)addr)->sin_addr, 4);
	} else {
		out->family = DP_FAMILY_IP6;
		memcpy(out->ip, &addr->sin6_addr, 16);
	}
}

/* The two engines. init by the control thread, the rest by the worker; fini when the worker has
 * stopped. */
int udp_uring_init(struct udp_queue *q);
void udp_uring_fini(struct udp_queue *q);
void udp_uring_socket_add(struct udp_queue *q, uint32_t slot);
void udp_uring_socket_remove(struct udp_queue *q, uint32_t slot);
uint16_t udp_uring_rx(struct udp_queue *q, struct rte_mbuf **pkts, uint16_t n);
uint16_t udp_uring_tx(struct udp_queue *q, struct rte_mbuf **pkts, uint16_t n, uint8_t *verdicts);
void udp_uring_wait(struct udp_queue *q, uint64_t until_ns);

int udp_epoll_init(struct udp_queue *q);
void udp_epoll_fini(struct udp_queue *q);
void udp_epoll_socket_add(struct udp_queue *q, uint32_t slot);
void udp_epoll_socket_remove(struct udp_queue *q, uint32_t slot);
uint16_t udp_epoll_rx(struct udp_queue *q, struct rte_mbuf **pkts, uint16_t n);
uint16_t udp_epoll_tx(struct udp_queue *q, struct rte_mbuf **pkts, uint16_t n, uint8_t *verdicts);
void udp_epoll_wait(struct udp_queue *q, uint64_t until_ns);

#endif
