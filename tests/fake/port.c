/* The port in memory. */
#include "tests/fake/port.h"

#include <stdlib.h>
#include "dataplane/api/drops.h"

struct drv_port *
fake_port_create(void)
{
	struct drv_port *port = calloc(1, sizeof(*port));

	for (unsigned q = 0; q < 4; q++) {
		port->queues[q].in = calloc(FAKE_QUEUE, sizeof(struct rte_mbuf *));
		port->queues[q].out = calloc(FAKE_QUEUE, sizeof(struct rte_mbuf *));
	}
	return port;
}

void
fake_port_destroy(struct drv_port *port)
{
	for (unsigned q = 0; q < 4; q++) {
		struct fake_queue *queue = &port->queues[q];

		while (queue->in_first != queue->in_last)
			rte_pktmbuf_free(queue->in[queue->in_first++ % FAKE_QUEUE]);
		fake_port_clear(port, (uint16_t)q);
		free(queue->in);
		free(queue->out);
	}
	free(port);
}

void
fake_port_put(struct drv_port *port, uint16_t queue, struct rte_mbuf *mbuf)
{
	struct fake_queue *q = &port->queues[queue];

	q->in[q->in_last++ % FAKE_QUEUE] = mbuf;
}

void
fake_port_clear(struct drv_port *port, uint16_t queue)
{
	struct fake_queue *q = &port->queues[queue];

	if (q->out_count > 0)
		rte_pktmbuf_free_bulk(q->out, q->out_count);
	q->out_count = 0;
}

uint16_t
drv_port_rx(struct drv_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n)
{
	struct fake_queue *q = &port->queues[queue];
	uint16_t count = 0;

	while (count < n && q->in_first != q->in_last)
		pkts[count++] = q->in[q->in_first++ % FAKE_QUEUE];
	return count;
}

uint16_t
drv_port_tx(struct drv_port *port, uint16_t queue, struct rte_mbuf **pkts, uint16_t n,
	    uint8_t *verdicts)
{
	struct fake_queue *q = &port->queues[queue];

	for (uint16_t i = 0; i < n; i++) {
		verdicts[i] = port->verdict;
		if (port->verdict == DP_DROP_NONE && q->out_count < FAKE_QUEUE)
			q->out[q->out_count++] = pkts[i];
		else
			rte_pktmbuf_free(pkts[i]);
	}
	return port->verdict == DP_DROP_NONE ? n : 0;
}

int
drv_port_endpoint_open(struct drv_port *port, uint16_t queue, uint8_t local_index,
		       uint16_t local_port)
{
	port->endpoints++;
	return 0;
}

void
drv_port_endpoint_close(struct drv_port *port, uint16_t queue, uint8_t local_index,
			uint16_t local_port)
{
	port->endpoints--;
}

void
drv_port_look(struct drv_port *port)
{
}

void
drv_port_stats_get(const struct drv_port *port, uint16_t queue, struct drv_port_stats *out)
{
	*out = port->stats;
}

bool
drv_port_can_sleep(const struct drv_port *port)
{
	return false;
}

void
drv_port_wait(struct drv_port *port, uint16_t queue, uint64_t until_ns)
{
}

void
drv_port_wake(struct drv_port *port, uint16_t queue)
{
}
