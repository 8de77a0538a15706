/* A port by its kind. */
#include "drivers/port/port.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "drivers/port/port_state.h"

static int
check(const struct drv_port_conf *conf, char *text, size_t text_size)
{
	uint32_t last = conf->port_base + (uint32_t)conf->queues * conf->ports_per_queue;

	if (conf->queues == 0 || conf->queues > DRV_PORT_QUEUES_MAX) {
		snprintf(text, text_size, "port: %u queues; 1 to %u are possible, one a worker",
			 conf->queues, DRV_PORT_QUEUES_MAX);
		return -EINVAL;
	}
	if (conf->local_count == 0 || conf->local_count > DRV_PORT_LOCALS_MAX) {
		snprintf(text, text_size, "port: %u addresses; give it 1 to %u", conf->local_count,
			 DRV_PORT_LOCALS_MAX);
		return -EINVAL;
	}
	if (conf->port_base % 2 != 0 || conf->ports_per_queue < 2 || last > 65536) {
		snprintf(text, text_size,
			 "port: UDP ports %u to %u; the first must be even, every worker needs 2, "
			 "and 65535 is the last",
			 conf->port_base, last - 1);
		return -EINVAL;
	}
	for (uint16_t q = 0; q < conf->queues; q++) {
		if (conf->pool[q] == NULL) {
			snprintf(text, text_size, "port: queue %u has no packet buffers", q);
			return -EINVAL;
		}
	}
	return 0;
}

int
drv_port_open(struct drv_port **out, const struct drv_port_conf *conf, char *text, size_t text_size)
{
	int rc = check(conf, text, text_size);

	if (rc != 0)
		return rc;
	if (strcmp(conf->kind, "udp") == 0)
		return drv_udp_open(out, conf, text, text_size);
	if (strcmp(conf->kind, "ethdev") == 0)
		return drv_ethdev_open(out, conf, text, text_size);
	snprintf(text, text_size, "port: kind \"%s\" is not known; use udp or ethdev", conf->kind);
	return -EINVAL;
}

void
drv_port_close(struct drv_port *port)
{
	if (port != NULL)
		port->ops->close(port);
}

int
drv_port_endpoint_open(struct drv_port *port, uint16_t queue, uint8_t local_index,
		       uint16_t local_port)
{
	return port->ops->endpoint_open(port, queue, local_index, local_port);
}

void
drv_port_endpoint_close(struct drv_port *port, uint16_t queue, uint8_t local_index,
			uint16_t local_port)
{
	port->ops->endpoint_close(port, queue, local_index, local_port);
}

uint16_t
drv_port_rx(struct drv_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	return port->ops->rx(port, queue, pkts, n);
}

uint16_t
drv_port_tx(struct drv_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n,
	    uint8_t *verdicts)
{
	return port->ops->tx(port, queue, pkts, n, verdicts);
}

bool
drv_port_is_steered(const struct drv_port *port)
{
	return port->is_steered;
}

const char *
drv_port_engine(const struct drv_port *port)
{
	return port->engine;
}

bool
drv_port_can_sleep(const struct drv_port *port)
{
	return port->can_sleep;
}

void
drv_port_wait(struct drv_port *port, uint16_t queue, uint64_t until_ns)
{
	port->ops->wait(port, queue, until_ns);
}

void
drv_port_wake(struct drv_port *port, uint16_t queue)
{
	port->ops->wake(port, queue);
}

void
drv_port_look(struct drv_port *port)
{
	port->ops->look(port);
}

void
drv_port_stats_get(const struct drv_port *port, uint16_t queue, struct drv_port_stats *out)
{
	port->ops->stats_get(port, queue, out);
}
