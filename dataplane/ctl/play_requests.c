/* Requests about clips: their registry is here, their playing the workers'. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "dataplane/ctl/node_state.h"

static int
answer(const struct node_call *call, int rc)
{
	struct dp_ctl_hdr reply = {0};

	if (rc == 0)
		node_call_reply(call, &reply, sizeof(reply));
	return rc;
}

int
node_clip_add(const struct node_call *call)
{
	return answer(call,
		      dp_clips_add(&call->node->clips, (const struct dp_ctl_clip *)call->hdr));
}

int
node_clip_fill(const struct node_call *call)
{
	return answer(call, dp_clips_fill(&call->node->clips,
					  (const struct dp_ctl_clip_part *)call->hdr));
}

/* Every worker has to let go of it first; the last one's answer frees it. */
int
node_clip_remove(const struct node_call *call)
{
	const struct dp_ctl_id *id = (const struct dp_ctl_id *)call->hdr;
	struct dp_node *node = call->node;
	struct dp_msg *msgs[DP_WORKERS_MAX];
	struct dp_clip_entry *entry;

	if (dp_ids_get(&node->clips.ids, id->id) == DP_IDS_NONE)
		return -ENOENT;
	for (unsigned w = 0; w < node->conf.workers; w++) {
		msgs[w] = node_call_msg(call, w, DP_MSG_CLIP_RETIRE);
		if (msgs[w] != NULL)
			continue;
		while (w > 0)
			free(msgs[--w]);
		return -ENOMEM;
	}
	entry = dp_clips_take(&node->clips, id->id);
	entry->waiting = node->conf.workers;
	for (unsigned w = 0; w < node->conf.workers; w++) {
		msgs[w]->arg = entry;
		msgs[w]->play.clip = &entry->clip;
		node_post(node, msgs[w]);
	}
	return 0;
}

void
node_clip_retired(struct dp_node *node, const struct dp_msg *msg)
{
	struct dp_clip_entry *entry = msg->arg;

	if (--entry->waiting > 0)
		return;
	dp_clips_put(&node->clips, entry);
	node_reply(node, msg, 0);
}

static int
is_listed(void *arg, uint32_t index)
{
	return 1;
}

int
node_clip_list(const struct node_call *call)
{
	const struct dp_ctl_list *list = (const struct dp_ctl_list *)call->hdr;
	uint32_t ids[DP_CTL_PAGE_LEGS + 1];
	struct dp_ctl_ids reply = {0};
	uint32_t n = dp_ids_page(&call->node->clips.ids, list->after, ids, DP_CTL_PAGE_LEGS + 1,
				 is_listed, NULL);

	reply.is_last = n <= DP_CTL_PAGE_LEGS;
	reply.count = reply.is_last ? n : DP_CTL_PAGE_LEGS;
	memcpy(reply.ids, ids, reply.count * sizeof(ids[0]));
	node_call_reply(call, &reply, sizeof(reply));
	return 0;
}

/* A message to the worker of a conference, or of a leg when that is 0. */
static int
place_msg(struct dp_msg **out, const struct node_call *call, uint32_t leg, uint32_t conf,
	  enum dp_msg_type type)
{
	const struct dp_node *node = call->node;
	bool is_to_conf = conf != 0;
	uint32_t index =
		is_to_conf ? dp_ids_get(&node->conf_ids, conf) : dp_ids_get(&node->leg_ids, leg);
	struct dp_msg *msg;

	if (index == DP_IDS_NONE)
		return -ENOENT;
	msg = node_call_msg(
		call, is_to_conf ? node->confs[index].worker : index / node->legs_per_worker, type);
	if (msg == NULL)
		return -ENOMEM;
	if (is_to_conf)
		msg->conf = index - msg->worker * node->conf.confs_max;
	else
		msg->leg = index % node->legs_per_worker;
	msg->play.is_to_conf = is_to_conf;
	*out = msg;
	return 0;
}

/* Index in its worker's table of a leg that is not to hear what its conference hears. */
static uint32_t
except_of(const struct dp_node *node, const struct dp_ctl_play *play, unsigned worker)
{
	uint32_t index = play->conf != 0 ? dp_ids_get(&node->leg_ids, play->leg) : DP_IDS_NONE;

	return index == DP_IDS_NONE || index / node->legs_per_worker != worker
		       ? DP_PLAY_TO_ALL
		       : index % node->legs_per_worker;
}

int
node_play(const struct node_call *call)
{
	const struct dp_ctl_play *play = (const struct dp_ctl_play *)call->hdr;
	const struct dp_clip *clip;
	struct dp_msg *msg;
	int rc;

	rc = dp_clips_playable(&clip, &call->node->clips, play->clip, play->offset);
	if (rc == 0)
		rc = place_msg(&msg, call, play->leg, play->conf, DP_MSG_PLAY);
	if (rc != 0)
		return rc;
	msg->play.clip = clip;
	msg->play.id = play->play;
	msg->play.offset = play->offset;
	msg->play.flags = play->flags;
	msg->play.except = except_of(call->node, play, msg->worker);
	msg->play.gain = dp_gain_from_cdb(play->gain_cdb);
	node_post(call->node, msg);
	return 0;
}

int
node_stop(const struct node_call *call)
{
	const struct dp_ctl_play_ref *ref = (const struct dp_ctl_play_ref *)call->hdr;
	struct dp_msg *msg;
	int rc = place_msg(&msg, call, ref->leg, ref->conf, DP_MSG_STOP);

	if (rc != 0)
		return rc;
	msg->play.id = ref->play;
	node_post(call->node, msg);
	return 0;
}
