/* What workers give back: keys are wiped first, then whoever asked is answered. */
#include <stdlib.h>
#include <string.h>
#include "dataplane/ctl/node_state.h"
#include "dataplane/srtp/srtp.h"

static void
done_leg_add(struct dp_node *node, const struct dp_msg *msg)
{
	uint32_t index = msg->worker * node->legs_per_worker + msg->leg;
	struct dp_ctl_leg_added reply = node->legs[index].added;

	reply.hdr.type = msg->request;
	reply.hdr.number = msg->number;
	free(msg->add.displaced);
	dp_ctl_server_reply(node->server, msg->client, &reply, sizeof(reply));
}

static void
done_conf_destroy(struct dp_node *node, const struct dp_msg *msg)
{
	free(msg->add.displaced);
	node_conf_free(node, msg->worker * node->conf.confs_max + msg->conf);
	node_reply(node, msg, msg->status);
}

static void
done_leg_remove(struct dp_node *node, const struct dp_msg *msg)
{
	node_leg_free(node, msg->worker * node->legs_per_worker + msg->leg);
	node_reply(node, msg, msg->status);
}

/* A fresh stream on the way out has the SSRC that we offered, or kept its own because nothing had been sent. */
static void
done_ssrc(struct dp_node *node, const struct dp_msg *msg, uint32_t offered, bool is_taken)
{
	uint32_t index = msg->worker * node->legs_per_worker + msg->leg;

	if (offered == 0)
		return;
	if (!is_taken) {
		dp_ids_remove(&node->ssrcs, offered);
		return;
	}
	dp_ids_remove(&node->ssrcs, node->legs[index].added.ssrc);
	node->legs[index].added.ssrc = offered;
}

static void
done_leg_show(struct dp_node *node, const struct dp_msg *msg)
{
	const struct node_leg *nl = &node->legs[msg->worker * node->legs_per_worker + msg->leg];
	struct dp_ctl_leg_shown reply = {
		.hdr = {.type = msg->request, .number = msg->number},
		.leg = nl->leg,
		.mix = nl->mix,
		.added = nl->added,
		.latched = msg->shown.latched,
		.suite_rx = msg->shown.suite_rx,
		.suite_tx = msg->shown.suite_tx,
		.stats = msg->shown.stats,
	};

	dp_ctl_server_reply(node->server, msg->client, &reply, sizeof(reply));
}

static uint32_t
larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

/* All of dp_worker_stats is counters of 64 bits up to the gauges at its end. */
static void
stats_add(struct dp_worker_stats *total, const struct dp_worker_stats *one)
{
	uint64_t late = total->tick_late_ns_max > one->tick_late_ns_max ? total->tick_late_ns_max
									: one->tick_late_ns_max;
	uint64_t *to = (uint64_t *)total;
	const uint64_t *from = (const uint64_t *)one;

	for (size_t i = 0; i < offsetof(struct dp_worker_stats, legs) / sizeof(uint64_t); i++)
		to[i] += from[i];
	total->legs += one->legs;
	total->conferences += one->conferences;
	total->playing += one->playing;
	total->busy_permille = larger(total->busy_permille, one->busy_permille);
	total->late_permille = larger(total->late_permille, one->late_permille);
	total->tick_late_ns_max = late;
}

static void
done_node_show(struct dp_node *node, const struct dp_msg *msg)
{
	struct dp_ctl_node *reply = msg->arg;
	struct dp_worker_stats stats = msg->node;

	dp_node_port_add(node, msg->worker, &stats);
	stats_add(&reply->total, &stats);
	if (msg->worker < sizeof(reply->worker) / sizeof(reply->worker[0]))
		reply->worker[msg->worker] = stats;
	if (--reply->zero > 0)
		return;
	dp_ctl_server_reply(node->server, msg->client, reply, sizeof(*reply));
	free(reply);
}

void
node_complete(struct dp_node *node, struct dp_msg *msg)
{
	for (uint32_t i = 0; i < msg->key_count; i++)
		dp_srtp_key_destroy(msg->keys[i]);
	switch (msg->type) {
	case DP_MSG_LEG_ADD:
		done_leg_add(node, msg);
		break;
	case DP_MSG_CONF_DESTROY:
		done_conf_destroy(node, msg);
		break;
	case DP_MSG_LEG_REMOVE:
		done_leg_remove(node, msg);
		break;
	case DP_MSG_KEY_INSTALL:
		done_ssrc(node, msg, msg->key.ssrc, msg->key.is_fresh);
		node_reply(node, msg, msg->status);
		break;
	case DP_MSG_LEG_SSRC:
		done_ssrc(node, msg, msg->ssrc.ssrc, msg->status == 0);
		break;
	case DP_MSG_LEG_SHOW:
		done_leg_show(node, msg);
		break;
	case DP_MSG_NODE_SHOW:
		done_node_show(node, msg);
		break;
	case DP_MSG_CLIP_RETIRE:
		node_clip_retired(node, msg);
		break;
	default:
		node_reply(node, msg, msg->status);
	}
	free(msg);
}

static void
ssrc_collided(struct dp_node *node, unsigned worker, uint32_t leg_id)
{
	uint32_t index = dp_ids_get(&node->leg_ids, leg_id);
	struct dp_msg *msg;

	if (index == DP_IDS_NONE)
		return;
	msg = node_msg(worker, DP_MSG_LEG_SSRC);
	if (msg == NULL)
		return;
	msg->leg = index % node->legs_per_worker;
	msg->ssrc.ssrc = node_ssrc_take(node, index);
	msg->ssrc.seq = node_random() & 0x7fff;
	node_post(node, msg);
}

void
node_event(struct dp_node *node, unsigned worker, const struct dp_event_rec *rec)
{
	struct dp_ctl_event event = {
		.hdr = {.version = DP_CTL_VERSION, .type = DP_CTL_EVENT, .len = sizeof(event)},
		.event = rec->event,
		.conf = rec->conf,
		.leg = rec->leg,
		.a = rec->a,
		.b = rec->b,
		.talker_count = rec->talker_count,
	};

	if (rec->event == DP_EVENT_SSRC_COLLISION) {
		ssrc_collided(node, worker, rec->leg);
		return;
	}
	memcpy(event.talkers, rec->talkers, sizeof(event.talkers));
	dp_ctl_server_event(node->server, &event);
}
