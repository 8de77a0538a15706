/* Layout of the node's registry, for this folder and its tests. */
#ifndef DP_CTL_NODE_STATE_H
#define DP_CTL_NODE_STATE_H

#include "dataplane/ctl/clips.h"
#include "dataplane/ctl/ids.h"
#include "dataplane/ctl/node.h"
#include "dataplane/ctl/server.h"

/* A leg, alive from LEG_ADD to the completion of its removal. */
struct node_leg {
	bool is_used;
	bool is_leaving;
	bool has_rtcp_endpoint;
	uint32_t conf;		 /* index into confs */
	uint32_t next, previous; /* the conference's legs, by index into legs; DP_IDS_NONE ends */
	struct dp_ctl_leg leg;	 /* as installed */
	struct dp_ctl_leg_mix mix;
	struct dp_ctl_leg_added added;
};

struct node_conf {
	bool is_used;
	bool is_leaving;
	uint16_t worker;
	uint32_t first; /* leg */
	uint32_t leg_count;
	uint32_t member_room; /* of the array that the worker keeps */
	struct dp_ctl_conf conf;
};

/* Of one worker. Indices are node-wide: worker * per_worker + index in the worker's table. */
struct node_worker {
	uint32_t *free_legs; /* FIFO: a port rests as long as it can before it is used again */
	uint32_t free_leg_head, free_leg_count;
	uint32_t *free_confs; /* LIFO */
	uint32_t free_conf_count;
	uint32_t leg_count;
	struct dp_msg *waiting, **waiting_last; /* its ring was full */
};

struct dp_node {
	struct dp_node_conf conf;
	struct dp_ctl_server *server;
	uint64_t instance;
	uint64_t started_ns;
	uint64_t looked_ns; /* at what only the kernel knows of the port */
	uint32_t legs_per_worker;
	uint32_t in_flight; /* messages at workers or waiting */
	struct dp_ids conf_ids, leg_ids, ssrcs;
	struct dp_clips clips;
	struct node_leg *legs;
	struct node_conf *confs;
	struct node_worker workers[DP_WORKERS_MAX];
};

/* One request under way. */
struct node_call {
	struct dp_node *node;
	uint64_t client;
	const struct dp_ctl_hdr *hdr;
};

/* 0: done or under way, and answered by somebody else; -errno: answer with it. */
typedef int (*node_call_fn)(const struct node_call *call);

/* requests.c: the server's callback; a message that is answered to its caller, NULL: no memory; an answer. */
void node_request(void *arg, uint64_t client, const struct dp_ctl_hdr *msg);
struct dp_msg *node_call_msg(const struct node_call *call, unsigned worker, enum dp_msg_type type);
void node_call_reply(const struct node_call *call, void *reply, size_t len);

/* play_requests.c */
int node_clip_add(const struct node_call *call);
int node_clip_fill(const struct node_call *call);
int node_clip_remove(const struct node_call *call);
int node_clip_list(const struct node_call *call);
int node_play(const struct node_call *call);
int node_stop(const struct node_call *call);
void node_clip_retired(struct dp_node *node, const struct dp_msg *msg);

/* completions.c: what a worker gave back. */
void node_complete(struct dp_node *node, struct dp_msg *msg);
void node_event(struct dp_node *node, unsigned worker, const struct dp_event_rec *rec);

/* node.c */
struct dp_msg *node_msg(unsigned worker, enum dp_msg_type type);
void node_post(struct dp_node *node, struct dp_msg *msg);
void node_reply(struct dp_node *node, const struct dp_msg *to, int status);
uint32_t node_ssrc_take(struct dp_node *node, uint32_t leg); /* random, unique on the node */
uint32_t node_random(void);
void node_leg_free(struct dp_node *node, uint32_t leg);
void node_conf_free(struct dp_node *node, uint32_t conf);
void node_conf_remove(struct dp_node *node, uint32_t conf, struct dp_msg *last);

#endif
