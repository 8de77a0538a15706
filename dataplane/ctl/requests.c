/* Requests of the control socket: may it be done in the state the node is in, and the message that does it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "dataplane/ctl/node_state.h"
#include "dataplane/mix/loudest.h"
#include "dataplane/srtp/srtp.h"
#include "drivers/port/clock.h"
#include "drivers/port/port.h"

struct dp_msg *
node_call_msg(const struct node_call *call, unsigned worker, enum dp_msg_type type)
{
	struct dp_msg *msg = node_msg(worker, type);

	if (msg != NULL) {
		msg->client = call->client;
		msg->number = call->hdr->number;
		msg->request = call->hdr->type;
	}
	return msg;
}

void
node_call_reply(const struct node_call *call, void *reply, size_t len)
{
	struct dp_ctl_hdr *hdr = reply;

	hdr->type = call->hdr->type;
	hdr->number = call->hdr->number;
	dp_ctl_server_reply(call->node->server, call->client, reply, len);
}

static int
do_hello(const struct node_call *call)
{
	const struct dp_node *node = call->node;
	struct dp_ctl_welcome welcome = {
		.instance = node->instance,
		.workers = node->conf.workers,
		.legs_max = node->legs_per_worker * node->conf.workers,
		.confs_max = node->conf.confs_max * node->conf.workers,
		.local_count = node->conf.local_count,
	};

	memcpy(welcome.local, node->conf.local, sizeof(welcome.local));
	strncpy(welcome.version, node->conf.version, sizeof(welcome.version) - 1);
	node_call_reply(call, &welcome, sizeof(welcome));
	return 0;
}

/* The worker with the fewest legs that has room for one more conference. */
static int
worker_pick(const struct dp_node *node, unsigned *out)
{
	int best = -1;

	for (unsigned w = 0; w < node->conf.workers; w++) {
		const struct node_worker *nw = &node->workers[w];

		if (nw->free_conf_count == 0)
			continue;
		if (best < 0 || nw->leg_count < node->workers[best].leg_count ||
		    (nw->leg_count == node->workers[best].leg_count &&
		     nw->free_conf_count > node->workers[best].free_conf_count))
			best = (int)w;
	}
	if (best < 0)
		return -ENOSPC;
	*out = (unsigned)best;
	return 0;
}

static int
do_conf_create(const struct node_call *call)
{
	const struct dp_ctl_conf *conf = (const struct dp_ctl_conf *)call->hdr;
	struct dp_node *node = call->node;
	unsigned worker;
	int rc;

	if (dp_ids_get(&node->conf_ids, conf->conf) != DP_IDS_NONE)
		return -EEXIST;
	rc = worker_pick(node, &worker);
	if (rc != 0)
		return rc;
	struct dp_msg *msg = node_call_msg(call, worker, DP_MSG_CONF_CREATE);

	if (msg == NULL)
		return -ENOMEM;
	struct node_worker *nw = &node->workers[worker];
	uint32_t index = nw->free_confs[--nw->free_conf_count];

	node->confs[index] = (struct node_conf){
		.is_used = true,
		.worker = (uint16_t)worker,
		.first = DP_IDS_NONE,
		.conf = *conf,
	};
	dp_ids_put(&node->conf_ids, conf->conf, index);
	msg->conf = index - worker * node->conf.confs_max;
	msg->conf_create = *conf;
	node_post(node, msg);
	return 0;
}

static int
do_conf_update(const struct node_call *call)
{
	const struct dp_ctl_conf *conf = (const struct dp_ctl_conf *)call->hdr;
	struct dp_node *node = call->node;
	uint32_t index = dp_ids_get(&node->conf_ids, conf->conf);

	if (index == DP_IDS_NONE)
		return -ENOENT;
	struct dp_msg *msg = node_call_msg(call, node->confs[index].worker, DP_MSG_CONF_UPDATE);

	if (msg == NULL)
		return -ENOMEM;
	node->confs[index].conf = *conf;
	msg->conf = index - msg->worker * node->conf.confs_max;
	msg->conf_create = *conf;
	node_post(node, msg);
	return 0;
}

static int
do_conf_destroy(const struct node_call *call)
{
	const struct dp_ctl_id *id = (const struct dp_ctl_id *)call->hdr;
	uint32_t index = dp_ids_get(&call->node->conf_ids, id->id);
	struct dp_msg *msg;

	if (index == DP_IDS_NONE)
		return -ENOENT;
	msg = node_call_msg(call, call->node->confs[index].worker, DP_MSG_CONF_DESTROY);
	if (msg == NULL)
		return -ENOMEM;
	node_conf_remove(call->node, index, msg);
	return 0;
}

/* The ports of a leg: RTP, and RTCP beside it where it has one of its own. */
static int
endpoints_open(struct dp_node *node, unsigned worker, const struct dp_ctl_leg *leg, uint16_t port)
{
	struct drv_port *drv = node->conf.port;
	uint16_t queue = (uint16_t)worker;
	int rc = drv_port_endpoint_open(drv, queue, leg->local_index, port);

	if (rc != 0 || (leg->flags & DP_LEG_RTCP_MUX) != 0)
		return rc;
	rc = drv_port_endpoint_open(drv, queue, leg->local_index, (uint16_t)(port + 1));
	if (rc != 0)
		drv_port_endpoint_close(drv, queue, leg->local_index, port);
	return rc;
}

/* Takes the free index of the worker that rested longest and whose ports can be opened: what another program has is skipped. */
static int
leg_take(struct dp_node *node, unsigned worker, const struct dp_ctl_leg *leg, uint32_t *out)
{
	struct node_worker *nw = &node->workers[worker];
	int rc = -ENOSPC;

	for (uint32_t left = nw->free_leg_count; left > 0; left--) {
		uint32_t index = nw->free_legs[nw->free_leg_head];
		uint32_t own = index - worker * node->legs_per_worker;

		nw->free_leg_head = (nw->free_leg_head + 1) % node->legs_per_worker;
		nw->free_leg_count--;
		rc = endpoints_open(node, worker, leg,
				    (uint16_t)(node->conf.port_base +
					       worker * node->conf.ports_per_queue + own * 2));
		if (rc == 0) {
			*out = index;
			return 0;
		}
		nw->free_legs[(nw->free_leg_head + nw->free_leg_count++) % node->legs_per_worker] =
			index;
		if (rc != -EADDRINUSE && rc != -EACCES)
			return rc;
	}
	return rc;
}

static void
leg_link(struct dp_node *node, uint32_t index, uint32_t conf, const struct dp_ctl_leg *leg)
{
	struct node_leg *nl = &node->legs[index];
	struct node_conf *nc = &node->confs[conf];
	struct dp_addr local = node->conf.local[leg->local_index];
	uint32_t own = index - nc->worker * node->legs_per_worker;
	bool is_mux = (leg->flags & DP_LEG_RTCP_MUX) != 0;

	local.port = (uint16_t)(node->conf.port_base + nc->worker * node->conf.ports_per_queue +
				own * 2);
	*nl = (struct node_leg){
		.is_used = true,
		.has_rtcp_endpoint = !is_mux,
		.conf = conf,
		.next = nc->first,
		.previous = DP_IDS_NONE,
		.leg = *leg,
		.mix = {.leg = leg->leg},
		.added = {.local_rtp = local, .local_rtcp = local, .worker = nc->worker},
	};
	memset(&nl->leg.hdr, 0, sizeof(nl->leg.hdr));
	nl->added.local_rtcp.port = (uint16_t)(local.port + !is_mux);
	nl->added.ssrc = node_ssrc_take(node, index);
	if (nc->first != DP_IDS_NONE)
		node->legs[nc->first].previous = index;
	nc->first = index;
	nc->leg_count++;
	node->workers[nc->worker].leg_count++;
	dp_ids_put(&node->leg_ids, leg->leg, index);
}

/* The worker's array of the conference's members grows by arrays that we make. Nothing has changed until the leg is linked. */
static int
members_grow(const struct node_conf *nc, struct dp_msg_leg_add *add)
{
	if (nc->leg_count < nc->member_room)
		return 0;
	add->member_room = nc->member_room == 0 ? 4 : nc->member_room * 2;
	add->members = calloc(add->member_room, sizeof(uint32_t) + sizeof(struct dp_talker));
	return add->members == NULL ? -ENOMEM : 0;
}

static int
do_leg_add(const struct node_call *call)
{
	const struct dp_ctl_leg *leg = (const struct dp_ctl_leg *)call->hdr;
	struct dp_node *node = call->node;
	uint32_t conf = dp_ids_get(&node->conf_ids, leg->conf), index;
	int rc;

	if (conf == DP_IDS_NONE)
		return -ENOENT;
	if (dp_ids_get(&node->leg_ids, leg->leg) != DP_IDS_NONE)
		return -EEXIST;
	if (leg->local_index >= node->conf.local_count)
		return -EINVAL;
	struct node_conf *nc = &node->confs[conf];
	struct dp_msg *msg = node_call_msg(call, nc->worker, DP_MSG_LEG_ADD);

	if (msg == NULL)
		return -ENOMEM;
	rc = members_grow(nc, &msg->add);
	if (rc == 0)
		rc = leg_take(node, nc->worker, leg, &index);
	if (rc != 0) {
		free(msg->add.members);
		free(msg);
		return rc;
	}
	if (msg->add.members != NULL)
		nc->member_room = msg->add.member_room;
	leg_link(node, index, conf, leg);
	msg->leg = index - msg->worker * node->legs_per_worker;
	msg->conf = conf - msg->worker * node->conf.confs_max;
	msg->add.leg = *leg;
	msg->add.ssrc = node->legs[index].added.ssrc;
	msg->add.timestamp = node_random();
	msg->add.seq = node_random() & 0x7fff;
	node_post(node, msg);
	return 0;
}

static struct node_leg *
leg_find(const struct node_call *call, uint32_t id, uint32_t *index)
{
	*index = dp_ids_get(&call->node->leg_ids, id);
	return *index == DP_IDS_NONE ? NULL : &call->node->legs[*index];
}

static struct dp_msg *
leg_msg(const struct node_call *call, uint32_t index, enum dp_msg_type type)
{
	unsigned worker = index / call->node->legs_per_worker;
	struct dp_msg *msg = node_call_msg(call, worker, type);

	if (msg != NULL)
		msg->leg = index % call->node->legs_per_worker;
	return msg;
}

static int
rtcp_endpoint_follow(struct dp_node *node, struct node_leg *nl, const struct dp_ctl_leg *leg)
{
	uint16_t queue = node->confs[nl->conf].worker;
	uint16_t port = (uint16_t)(nl->added.local_rtp.port + 1);
	int rc = 0;

	if ((leg->flags & DP_LEG_RTCP_MUX) == 0 && !nl->has_rtcp_endpoint) {
		rc = drv_port_endpoint_open(node->conf.port, queue, nl->leg.local_index, port);
		nl->has_rtcp_endpoint = rc == 0;
	}
	return rc;
}

static int
do_leg_update(const struct node_call *call)
{
	const struct dp_ctl_leg *leg = (const struct dp_ctl_leg *)call->hdr;
	struct dp_node *node = call->node;
	uint32_t index;
	struct node_leg *nl = leg_find(call, leg->leg, &index);
	int rc;

	if (nl == NULL)
		return -ENOENT;
	/* Neither a move nor a fall-back to plain RTP is an update. */
	if (leg->conf != nl->leg.conf || leg->is_secure != nl->leg.is_secure ||
	    leg->local_index != nl->leg.local_index)
		return -EINVAL;
	struct dp_msg *msg = leg_msg(call, index, DP_MSG_LEG_UPDATE);

	if (msg == NULL)
		return -ENOMEM;
	rc = rtcp_endpoint_follow(node, nl, leg);
	if (rc != 0) {
		free(msg);
		return rc;
	}
	nl->leg = *leg;
	memset(&nl->leg.hdr, 0, sizeof(nl->leg.hdr));
	nl->added.local_rtcp.port =
		(uint16_t)(nl->added.local_rtp.port + ((leg->flags & DP_LEG_RTCP_MUX) == 0));
	msg->update = *leg;
	node_post(node, msg);
	return 0;
}

static int
do_leg_remove(const struct node_call *call)
{
	const struct dp_ctl_id *id = (const struct dp_ctl_id *)call->hdr;
	uint32_t index;
	struct node_leg *nl = leg_find(call, id->id, &index);
	struct dp_msg *msg;

	if (nl == NULL)
		return -ENOENT;
	msg = leg_msg(call, index, DP_MSG_LEG_REMOVE);
	if (msg == NULL)
		return -ENOMEM;
	nl->is_leaving = true;
	dp_ids_remove(&call->node->leg_ids, id->id);
	node_post(call->node, msg);
	return 0;
}

static int
do_leg_mix(const struct node_call *call)
{
	const struct dp_ctl_leg_mix *mix = (const struct dp_ctl_leg_mix *)call->hdr;
	uint32_t index;
	struct node_leg *nl = leg_find(call, mix->leg, &index);
	struct dp_msg *msg;

	if (nl == NULL)
		return -ENOENT;
	msg = leg_msg(call, index, DP_MSG_LEG_MIX);
	if (msg == NULL)
		return -ENOMEM;
	nl->mix = *mix;
	memset(&nl->mix.hdr, 0, sizeof(nl->mix.hdr));
	msg->mix.gain = dp_gain_from_cdb(mix->gain_cdb);
	msg->mix.is_muted = mix->is_muted != 0;
	msg->mix.is_deaf = mix->is_deaf != 0;
	node_post(call->node, msg);
	return 0;
}

static int
key_make(struct dp_srtp_key **out, const struct dp_ctl_key *key, uint32_t leg_flags)
{
	struct dp_srtp_key_conf conf = {
		.suite = key->suite,
		.mki_len = key->mki_len,
		.is_srtp_plain = (leg_flags & DP_LEG_SRTP_PLAIN) != 0,
		.is_srtcp_plain = (leg_flags & DP_LEG_SRTCP_PLAIN) != 0,
		.lifetime_rtp = key->lifetime_rtp,
		.lifetime_rtcp = key->lifetime_rtcp,
	};

	memcpy(conf.mki, key->mki, sizeof(conf.mki));
	memcpy(conf.key, key->key, sizeof(conf.key));
	memcpy(conf.salt, key->salt, sizeof(conf.salt));
	*out = dp_srtp_key_create(&conf);
	int rc = *out == NULL ? -errno : 0;

	explicit_bzero(&conf, sizeof(conf));
	return rc;
}

static int
do_key_install(const struct node_call *call)
{
	const struct dp_ctl_key *key = (const struct dp_ctl_key *)call->hdr;
	uint32_t index;
	struct node_leg *nl = leg_find(call, key->leg, &index);
	struct dp_msg *msg;
	int rc;

	if (nl == NULL)
		return -ENOENT;
	if (!nl->leg.is_secure)
		return -EINVAL;
	msg = leg_msg(call, index, DP_MSG_KEY_INSTALL);
	if (msg == NULL)
		return -ENOMEM;
	rc = key_make(&msg->key.key, key, nl->leg.flags);
	if (rc != 0) {
		free(msg);
		return rc;
	}
	msg->key.dir = key->dir;
	msg->key.slot = key->slot;
	msg->key.is_fresh = (key->flags & DP_KEY_FRESH) != 0;
	msg->key.is_roc_zero = (key->flags & DP_KEY_ROC_ZERO) != 0;
	if ((msg->key.is_fresh || msg->key.is_roc_zero) && key->dir == DP_DIR_SEND) {
		msg->key.ssrc = node_ssrc_take(call->node, index);
		msg->key.seq = node_random() & 0x7fff;
	}
	node_post(call->node, msg);
	return 0;
}

static int
do_key_retire(const struct node_call *call)
{
	const struct dp_ctl_key_ref *ref = (const struct dp_ctl_key_ref *)call->hdr;
	uint32_t index;
	struct dp_msg *msg;

	if (leg_find(call, ref->leg, &index) == NULL)
		return -ENOENT;
	msg = leg_msg(call, index, DP_MSG_KEY_RETIRE);
	if (msg == NULL)
		return -ENOMEM;
	msg->key.dir = ref->dir;
	msg->key.slot = ref->slot;
	node_post(call->node, msg);
	return 0;
}

static int
is_listed_conf(void *arg, uint32_t index)
{
	return 1;
}

/* Which legs LIST_LEGS names. */
struct leg_filter {
	const struct dp_node *node;
	uint32_t conf;
};

static int
is_listed_leg(void *arg, uint32_t index)
{
	const struct leg_filter *filter = arg;

	return filter->conf == 0 || filter->node->legs[index].leg.conf == filter->conf;
}

static int
do_list(const struct node_call *call)
{
	const struct dp_ctl_list *list = (const struct dp_ctl_list *)call->hdr;
	struct dp_node *node = call->node;
	struct leg_filter filter = {node, list->conf};
	uint32_t ids[DP_CTL_PAGE_LEGS + 1];
	struct dp_ctl_ids reply = {0};
	uint32_t n;

	if (call->hdr->type == DP_CTL_LIST_CONFS) {
		n = dp_ids_page(&node->conf_ids, list->after, ids, DP_CTL_PAGE_LEGS + 1,
				is_listed_conf, NULL);
	} else {
		if (list->conf != 0 && dp_ids_get(&node->conf_ids, list->conf) == DP_IDS_NONE)
			return -ENOENT;
		n = dp_ids_page(&node->leg_ids, list->after, ids, DP_CTL_PAGE_LEGS + 1,
				is_listed_leg, &filter);
	}
	reply.is_last = n <= DP_CTL_PAGE_LEGS;
	reply.count = reply.is_last ? n : DP_CTL_PAGE_LEGS;
	memcpy(reply.ids, ids, reply.count * sizeof(ids[0]));
	node_call_reply(call, &reply, sizeof(reply));
	return 0;
}

static int
do_leg_show(const struct node_call *call)
{
	const struct dp_ctl_id *id = (const struct dp_ctl_id *)call->hdr;
	uint32_t index;
	struct dp_msg *msg;

	if (leg_find(call, id->id, &index) == NULL)
		return -ENOENT;
	msg = leg_msg(call, index, DP_MSG_LEG_SHOW);
	if (msg == NULL)
		return -ENOMEM;
	node_post(call->node, msg);
	return 0;
}

static int
do_node_show(const struct node_call *call)
{
	struct dp_node *node = call->node;
	struct dp_ctl_node *reply = calloc(1, sizeof(*reply));
	struct dp_msg *msgs[DP_WORKERS_MAX];

	if (reply == NULL)
		return -ENOMEM;
	drv_port_look(node->conf.port);
	reply->hdr.type = call->hdr->type;
	reply->hdr.number = call->hdr->number;
	reply->instance = node->instance;
	reply->uptime_ns = drv_now_ns() - node->started_ns;
	reply->workers = node->conf.workers;
	for (unsigned w = 0; w < node->conf.workers; w++) {
		msgs[w] = node_call_msg(call, w, DP_MSG_NODE_SHOW);
		if (msgs[w] != NULL)
			continue;
		while (w > 0)
			free(msgs[--w]);
		free(reply);
		return -ENOMEM;
	}
	/* zero counts the workers that have not answered yet; it leaves as 0. */
	reply->zero = node->conf.workers;
	for (unsigned w = 0; w < node->conf.workers; w++) {
		msgs[w]->arg = reply;
		node_post(node, msgs[w]);
	}
	return 0;
}

static const node_call_fn calls[DP_CTL_REQUEST_END] = {
	[DP_CTL_HELLO] = do_hello,
	[DP_CTL_CONF_CREATE] = do_conf_create,
	[DP_CTL_CONF_UPDATE] = do_conf_update,
	[DP_CTL_CONF_DESTROY] = do_conf_destroy,
	[DP_CTL_LEG_ADD] = do_leg_add,
	[DP_CTL_LEG_UPDATE] = do_leg_update,
	[DP_CTL_LEG_REMOVE] = do_leg_remove,
	[DP_CTL_LEG_MIX] = do_leg_mix,
	[DP_CTL_KEY_INSTALL] = do_key_install,
	[DP_CTL_KEY_RETIRE] = do_key_retire,
	[DP_CTL_LIST_CONFS] = do_list,
	[DP_CTL_LIST_LEGS] = do_list,
	[DP_CTL_LEG_SHOW] = do_leg_show,
	[DP_CTL_NODE_SHOW] = do_node_show,
	[DP_CTL_CLIP_ADD] = node_clip_add,
	[DP_CTL_CLIP_FILL] = node_clip_fill,
	[DP_CTL_CLIP_REMOVE] = node_clip_remove,
	[DP_CTL_LIST_CLIPS] = node_clip_list,
	[DP_CTL_PLAY] = node_play,
	[DP_CTL_STOP] = node_stop,
};

void
node_request(void *arg, uint64_t client, const struct dp_ctl_hdr *hdr)
{
	struct node_call call = {.node = arg, .client = client, .hdr = hdr};
	int rc = calls[hdr->type](&call);

	if (rc != 0) {
		struct dp_ctl_hdr reply = {.status = rc};

		node_call_reply(&call, &reply, sizeof(reply));
	}
}
