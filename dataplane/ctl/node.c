/* The registry of conferences and legs, and the traffic between control thread and workers. */
#include "dataplane/ctl/node.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include "dataplane/ctl/node_state.h"
#include "dataplane/srtp/srtp.h"
#include "drivers/port/clock.h"
#include "drivers/port/port.h"

#define BATCH 64
#define LOOK_NS 2000000000u
#define IN_FLIGHT_PAUSE_NS 50000 /* a worker answers within a turn */

uint32_t
node_random(void)
{
	uint32_t value;

	while (getrandom(&value, sizeof(value), 0) != sizeof(value))
		;
	return value;
}

/* RFC 3550 8.1: random; 0 is kept out for our own tables' sake. */
uint32_t
node_ssrc_take(struct dp_node *node, uint32_t leg)
{
	uint32_t ssrc;

	do
		ssrc = node_random();
	while (ssrc == 0 || dp_ids_get(&node->ssrcs, ssrc) != DP_IDS_NONE);
	dp_ids_put(&node->ssrcs, ssrc, leg);
	return ssrc;
}

struct dp_msg *
node_msg(unsigned worker, enum dp_msg_type type)
{
	struct dp_msg *msg = calloc(1, sizeof(*msg));

	if (msg != NULL) {
		msg->worker = (uint16_t)worker;
		msg->type = type;
	}
	return msg;
}

void
node_post(struct dp_node *node, struct dp_msg *msg)
{
	struct node_worker *nw = &node->workers[msg->worker];

	node->in_flight++;
	if (nw->waiting == NULL && dp_worker_post(node->conf.worker[msg->worker], msg))
		return;
	msg->next = NULL;
	*nw->waiting_last = msg;
	nw->waiting_last = &msg->next;
}

static void
post_waiting(struct dp_node *node, unsigned worker)
{
	struct node_worker *nw = &node->workers[worker];

	while (nw->waiting != NULL) {
		struct dp_msg *next = nw->waiting->next;

		if (!dp_worker_post(node->conf.worker[worker], nw->waiting))
			return;
		nw->waiting = next;
	}
	nw->waiting_last = &nw->waiting;
}

void
node_reply(struct dp_node *node, const struct dp_msg *to, int status)
{
	struct dp_ctl_hdr reply = {.type = to->request, .number = to->number, .status = status};

	if (to->request != 0)
		dp_ctl_server_reply(node->server, to->client, &reply, sizeof(reply));
}

void
node_leg_free(struct dp_node *node, uint32_t leg)
{
	struct node_leg *nl = &node->legs[leg];
	struct node_conf *nc = &node->confs[nl->conf];
	struct node_worker *nw = &node->workers[nc->worker];
	uint16_t queue = nc->worker;
	const struct dp_addr *local = &nl->added.local_rtp;

	drv_port_endpoint_close(node->conf.port, queue, nl->leg.local_index, local->port);
	if (nl->has_rtcp_endpoint)
		drv_port_endpoint_close(node->conf.port, queue, nl->leg.local_index,
					(uint16_t)(local->port + 1));
	dp_ids_remove(&node->ssrcs, nl->added.ssrc);
	if (nl->previous != DP_IDS_NONE)
		node->legs[nl->previous].next = nl->next;
	else
		nc->first = nl->next;
	if (nl->next != DP_IDS_NONE)
		node->legs[nl->next].previous = nl->previous;
	nc->leg_count--;
	nw->leg_count--;
	nl->is_used = false;
	nw->free_legs[(nw->free_leg_head + nw->free_leg_count++) % node->legs_per_worker] = leg;
}

void
node_conf_free(struct dp_node *node, uint32_t conf)
{
	struct node_conf *nc = &node->confs[conf];
	struct node_worker *nw = &node->workers[nc->worker];

	nc->is_used = false;
	nw->free_confs[nw->free_conf_count++] = conf;
}

static void
leg_leave(struct dp_node *node, uint32_t leg)
{
	struct node_leg *nl = &node->legs[leg];
	unsigned worker = node->confs[nl->conf].worker;
	struct dp_msg *msg = node_msg(worker, DP_MSG_LEG_REMOVE);

	if (msg == NULL || nl->is_leaving) {
		free(msg);
		return;
	}
	msg->leg = leg - worker * node->legs_per_worker;
	nl->is_leaving = true;
	dp_ids_remove(&node->leg_ids, nl->leg.leg);
	node_post(node, msg);
}

/* last, of type CONF_DESTROY, follows its legs through the ring: when it is done they all are. */
void
node_conf_remove(struct dp_node *node, uint32_t conf, struct dp_msg *last)
{
	struct node_conf *nc = &node->confs[conf];

	nc->is_leaving = true;
	dp_ids_remove(&node->conf_ids, nc->conf.conf);
	for (uint32_t leg = nc->first; leg != DP_IDS_NONE; leg = node->legs[leg].next)
		leg_leave(node, leg);
	last->conf = conf - nc->worker * node->conf.confs_max;
	node_post(node, last);
}

static unsigned
collect(struct dp_node *node)
{
	struct dp_msg *msgs[BATCH];
	struct dp_event_rec recs[BATCH];
	struct dp_srtp_key *keys[BATCH];
	unsigned done = 0, n;

	for (unsigned w = 0; w < node->conf.workers; w++) {
		n = dp_worker_collect(node->conf.worker[w], msgs, BATCH);
		for (unsigned i = 0; i < n; i++) {
			node->in_flight--;
			node_complete(node, msgs[i]);
		}
		done += n;
		n = dp_worker_keys(node->conf.worker[w], keys, BATCH);
		for (unsigned i = 0; i < n; i++)
			dp_srtp_key_destroy(keys[i]);
		n = dp_worker_events(node->conf.worker[w], recs, BATCH);
		for (unsigned i = 0; i < n; i++)
			node_event(node, w, &recs[i]);
		done += n;
		post_waiting(node, w);
	}
	return done;
}

void
dp_node_step(struct dp_node *node, int timeout_ms)
{
	bool is_busy = collect(node) > 0 || node->in_flight > 0;
	uint64_t now_ns = drv_now_ns();

	if (now_ns - node->looked_ns > LOOK_NS) {
		node->looked_ns = now_ns;
		drv_port_look(node->conf.port);
	}
	dp_ctl_server_step(node->server, is_busy ? 0 : timeout_ms);
	if (node->in_flight > 0) {
		struct timespec pause = {.tv_nsec = IN_FLIGHT_PAUSE_NS};

		nanosleep(&pause, NULL);
	}
}

void
dp_node_drain(struct dp_node *node, int timeout_ms)
{
	uint64_t until_ns = drv_now_ns() + (uint64_t)timeout_ms * 1000000u;

	for (uint32_t i = 0; i < node->conf.workers * node->conf.confs_max; i++) {
		struct node_conf *nc = &node->confs[i];
		struct dp_msg *msg;

		if (!nc->is_used || nc->is_leaving)
			continue;
		msg = node_msg(nc->worker, DP_MSG_CONF_DESTROY);
		if (msg != NULL)
			node_conf_remove(node, i, msg);
	}
	while (node->in_flight > 0 && drv_now_ns() < until_ns) {
		struct timespec pause = {.tv_nsec = 1000000};

		if (collect(node) == 0)
			nanosleep(&pause, NULL);
	}
}

static int
tables_make(struct dp_node *node)
{
	uint32_t legs = node->legs_per_worker, confs = node->conf.confs_max;
	unsigned workers = node->conf.workers;

	node->legs = calloc((size_t)legs * workers, sizeof(node->legs[0]));
	node->confs = calloc((size_t)confs * workers, sizeof(node->confs[0]));
	if (node->legs == NULL || node->confs == NULL)
		return -ENOMEM;
	if (dp_ids_init(&node->leg_ids, legs * workers) != 0 ||
	    dp_ids_init(&node->conf_ids, confs * workers) != 0 ||
	    dp_ids_init(&node->ssrcs, legs * workers * 2) != 0 || dp_clips_init(&node->clips) != 0)
		return -ENOMEM;
	for (unsigned w = 0; w < workers; w++) {
		struct node_worker *nw = &node->workers[w];

		nw->waiting_last = &nw->waiting;
		nw->free_legs = calloc(legs, sizeof(uint32_t));
		nw->free_confs = calloc(confs, sizeof(uint32_t));
		if (nw->free_legs == NULL || nw->free_confs == NULL)
			return -ENOMEM;
		for (uint32_t i = 0; i < legs; i++)
			nw->free_legs[i] = w * legs + i;
		for (uint32_t i = 0; i < confs; i++)
			nw->free_confs[i] = w * confs + (confs - 1 - i);
		nw->free_leg_count = legs;
		nw->free_conf_count = confs;
	}
	return 0;
}

int
dp_node_open(struct dp_node **out, const struct dp_node_conf *conf,
	     const struct dp_ctl_server_conf *socket, char *text, size_t text_size)
{
	struct dp_node *node = calloc(1, sizeof(*node));
	struct dp_ctl_server_conf server = *socket;
	int rc;

	if (node == NULL)
		return -ENOMEM;
	node->conf = *conf;
	node->legs_per_worker = conf->ports_per_queue / 2u;
	node->started_ns = drv_now_ns();
	node->instance = (uint64_t)node_random() << 32 | node_random();
	server.request = node_request;
	server.arg = node;
	rc = tables_make(node);
	if (rc != 0)
		snprintf(text, text_size,
			 "no memory for the tables of %u workers; lower "
			 "media.legs or media.workers",
			 conf->workers);
	else
		rc = dp_ctl_server_open(&node->server, &server, text, text_size);
	if (rc != 0) {
		dp_node_close(node);
		return rc;
	}
	*out = node;
	return 0;
}

void
dp_node_close(struct dp_node *node)
{
	if (node == NULL)
		return;
	dp_ctl_server_close(node->server);
	for (unsigned w = 0; w < node->conf.workers; w++) {
		free(node->workers[w].free_legs);
		free(node->workers[w].free_confs);
	}
	dp_ids_fini(&node->leg_ids);
	dp_ids_fini(&node->conf_ids);
	dp_ids_fini(&node->ssrcs);
	dp_clips_fini(&node->clips);
	free(node->legs);
	free(node->confs);
	free(node);
}

void
dp_node_port_add(const struct dp_node *node, unsigned worker, struct dp_worker_stats *stats)
{
	struct drv_port_stats port = {0};
	uint64_t lost;

	drv_port_stats_get(node->conf.port, (uint16_t)worker, &port);
	const struct {
		enum dp_drop drop;
		uint64_t count;
	} in[] = {
		{DP_DROP_RX_MISSED, port.rx_missed},
		{DP_DROP_RX_ERROR, drv_port_can_sleep(node->conf.port) ? 0 : port.rx_errors},
		{DP_DROP_RX_CHECKSUM, port.rx_bad_checksum},
		{DP_DROP_RX_FRAGMENT, port.rx_fragments},
		{DP_DROP_RX_MALFORMED, port.rx_malformed},
		{DP_DROP_RX_FOREIGN, port.rx_foreign},
	};

	for (size_t i = 0; i < sizeof(in) / sizeof(in[0]); i++) {
		stats->drops[in[i].drop] += in[i].count;
		stats->rx_packets += in[i].count;
	}
	/* Taken by the port, and given up later. */
	lost = port.tx_errors + port.tx_no_neigh;
	if (lost > stats->tx_packets)
		return;
	stats->drops[DP_DROP_TX_ERROR] += port.tx_errors;
	stats->drops[DP_DROP_TX_NO_NEIGH] += port.tx_no_neigh;
	stats->tx_packets -= lost;
}

bool
dp_node_leg_at(const struct dp_node *node, uint32_t leg, unsigned *worker, uint32_t *index)
{
	uint32_t at = dp_ids_get(&node->leg_ids, leg);

	if (at == DP_IDS_NONE)
		return false;
	*worker = at / node->legs_per_worker;
	*index = at % node->legs_per_worker;
	return true;
}
