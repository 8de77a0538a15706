/* What is behind a port: the calls of its kind. Every kind's own struct begins with struct
 * drv_port. */
#ifndef DRV_PORT_STATE_H
#define DRV_PORT_STATE_H

#include "drivers/port/port.h"

struct drv_port_ops {
	void (*close)(struct drv_port *port);
	int (*endpoint_open)(struct drv_port *port, uint16_t queue, uint8_t local_index,
			     uint16_t local_port);
	void (*endpoint_close)(struct drv_port *port, uint16_t queue, uint8_t local_index,
			       uint16_t local_port);
	uint16_t (*rx)(struct drv_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n);
	uint16_t (*tx)(struct drv_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n,
		       uint8_t *verdicts);
	void (*wait)(struct drv_port *port, uint16_t queue, uint64_t until_ns);
	void (*wake)(struct drv_port *port, uint16_t queue);
	void (*look)(struct drv_port *port);
	void (*stats_get)(const struct drv_port *port, uint16_t queue, struct drv_port_stats *out);
};

struct drv_port {
	const struct drv_port_ops *ops;
	const char *engine;
	bool can_sleep;
	bool is_steered;
};

int drv_udp_open(struct drv_port **out, const struct drv_port_conf *conf, char *text,
		 size_t text_size);
int drv_ethdev_open(struct drv_port **out, const struct drv_port_conf *conf, char *text,
		    size_t text_size);

#endif
