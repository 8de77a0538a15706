/* A port in memory: drivers/port/port.h for tests and benchmarks that bring the packets themselves. Link it instead of drivers/port. */
#ifndef TESTS_FAKE_PORT_H
#define TESTS_FAKE_PORT_H

#include "drivers/port/port.h"

#define FAKE_QUEUE 65536

/* One queue's wire. */
struct fake_queue {
	struct rte_mbuf **in; /* given out by rx, in order */
	uint32_t in_first, in_last;
	struct rte_mbuf **out; /* what tx took, kept until the test frees them */
	uint32_t out_count;
};

struct drv_port {
	struct fake_queue queues[4];
	uint32_t endpoints;	     /* open */
	struct drv_port_stats stats; /* what stats_get gives */
	uint8_t verdict;	     /* of every packet sent; not NONE: the packet is freed */
};

struct drv_port *fake_port_create(void);
void fake_port_destroy(struct drv_port *port);

/* The next that rx gives out. */
void fake_port_put(struct drv_port *port, uint16_t queue, struct rte_mbuf *mbuf);

/* Free what was sent. */
void fake_port_clear(struct drv_port *port, uint16_t queue);

#endif
