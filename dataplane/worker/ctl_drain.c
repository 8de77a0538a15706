/* Messages of the control thread: the only place where legs, conferences and keys come and go. */
#include <errno.h>
#include <rte_ring.h>
#include "dataplane/worker/stages.h"
#include "dataplane/worker/worker_state.h"

#define JBUF_BOUND_MS 300

static void
wheel_enter(struct dp_worker *w, uint32_t index)
{
	struct dp_conference *conf = &w->confs[index];

	conf->slot = dp_wheel_add(&w->wheel, index, &conf->slot_at);
	w->wheel.load[conf->slot] += conf->leg_count;
}

static void
wheel_leave(struct dp_worker *w, struct dp_conference *conf)
{
	uint32_t moved;

	dp_wheel_remove(&w->wheel, conf->slot, conf->slot_at, &moved);
	w->wheel.load[conf->slot] -= conf->leg_count;
	if (moved != UINT32_MAX)
		w->confs[moved].slot_at = conf->slot_at;
}

/* A conference is in the wheel while one of its legs sends or receives. */
static void
leg_direct(struct dp_worker *w, struct dp_leg *leg, uint8_t dirs)
{
	struct dp_conference *conf = &w->confs[leg->conf];
	bool was_active = leg->dirs != 0, is_active = dirs != 0;

	if ((dirs & ~leg->dirs & DP_DIR_RECEIVE) != 0)
		leg->active_ns = w->now_ns;
	if ((dirs & ~leg->dirs & DP_DIR_SEND) != 0)
		leg->is_marked = true;
	leg->dirs = dirs;
	if (is_active && !was_active && conf->active++ == 0)
		wheel_enter(w, leg->conf);
	if (!is_active && was_active && --conf->active == 0)
		wheel_leave(w, conf);
}

static void
leg_flush(struct dp_worker *w, struct dp_leg *leg)
{
	unsigned held = dp_jbuf_flush(&leg->jbuf, w->frames);

	w->stats.drops[DP_DROP_LEG_GONE] += held;
	leg->drops[DP_DROP_LEG_GONE] += held;
}

static void
jbuf_bounds(const struct dp_worker *w, const struct dp_ctl_leg *conf, uint16_t *min, uint16_t *max)
{
	*min = conf->jbuf_min_ms != 0 ? conf->jbuf_min_ms : w->conf.jbuf_min_ms;
	*max = conf->jbuf_max_ms != 0 ? conf->jbuf_max_ms : w->conf.jbuf_max_ms;
	if (*max > JBUF_BOUND_MS)
		*max = JBUF_BOUND_MS;
	if (*min > *max)
		*min = *max;
}

/* RFC 3550 11: without a=rtcp the port after RTP's. */
static struct dp_addr
rtcp_of(const struct dp_ctl_leg *conf)
{
	struct dp_addr addr = conf->remote_rtcp;

	if (addr.family == DP_FAMILY_NONE && conf->remote_rtp.family != DP_FAMILY_NONE) {
		addr = conf->remote_rtp;
		addr.port++;
	}
	return addr;
}

/* Where to send: the signalled address until the latch knows better. A new signalled address begins anew. */
static void
leg_address(struct dp_leg *leg, const struct dp_ctl_leg *conf)
{
	if (!dp_addr_is_same(&leg->signalled_rtp, &conf->remote_rtp)) {
		leg->signalled_rtp = conf->remote_rtp;
		if (!leg->is_latched || (conf->flags & DP_LEG_NO_LATCH) != 0)
			leg->to = conf->remote_rtp;
	}
	struct dp_addr rtcp = rtcp_of(conf);

	/* Where reports came from says nothing of where they go by the other way of sending them. */
	if (((leg->flags ^ conf->flags) & DP_LEG_RTCP_MUX) != 0) {
		leg->report.is_latched = false;
		leg->report.rtcp_to = rtcp;
	}
	if (!dp_addr_is_same(&leg->signalled_rtcp, &rtcp)) {
		leg->signalled_rtcp = rtcp;
		if (!leg->report.is_latched || (conf->flags & DP_LEG_NO_LATCH) != 0)
			leg->report.rtcp_to = rtcp_of(conf);
	}
	if ((conf->flags & DP_LEG_RELATCH) != 0) {
		leg->is_relatching = leg->is_latched;
		leg->report.is_latched = false;
		leg->to = conf->remote_rtp.family != DP_FAMILY_NONE ? conf->remote_rtp : leg->to;
		leg->report.rtcp_to = rtcp_of(conf);
	}
}

static void
leg_configure(struct dp_worker *w, struct dp_leg *leg, const struct dp_ctl_leg *conf)
{
	leg_address(leg, conf);
	leg->flags = (uint16_t)(conf->flags & ~(uint32_t)DP_LEG_RELATCH);
	leg->dtmf_pt = conf->dtmf_pt;
	leg->rx_count = conf->rx_count;
	for (unsigned i = 0; i < conf->rx_count; i++) {
		leg->rx_pt[i] = conf->rx[i].pt;
		leg->rx_codec[i] = conf->rx[i].codec;
	}
	leg->tx_pt = conf->tx.pt;
	leg->tx_codec = conf->tx.codec;
	leg->ptime_ticks10 = (uint8_t)(conf->ptime_ms / 10);
	leg->lost_after_ms = conf->lost_after_ms;
	memcpy(leg->cname, conf->cname, sizeof(leg->cname));
	leg_direct(w, leg, conf->dirs);
}

static void
members_take(struct dp_conference *conf, struct dp_msg_leg_add *add)
{
	if (add->members == NULL)
		return;
	struct dp_talker *talkers = (struct dp_talker *)(add->members + add->member_room);

	for (uint32_t i = 0; i < conf->leg_count; i++) {
		add->members[i] = conf->members[i];
		talkers[i] = conf->talkers[i];
	}
	add->displaced = conf->members;
	conf->members = add->members;
	conf->talkers = talkers;
	conf->member_room = add->member_room;
}

static void
do_conf_create(struct dp_worker *w, struct dp_msg *msg)
{
	struct dp_conference *conf = &w->confs[msg->conf];

	*conf = (struct dp_conference){
		.id = msg->conf_create.conf,
		.loudest_n = msg->conf_create.loudest_n,
		.small_size = msg->conf_create.small_size,
		.is_live = true,
	};
	w->stats.conferences++;
}

static void
do_conf_update(struct dp_worker *w, struct dp_msg *msg)
{
	struct dp_conference *conf = &w->confs[msg->conf];

	conf->loudest_n = msg->conf_create.loudest_n;
	conf->small_size = msg->conf_create.small_size;
}

static void
do_conf_destroy(struct dp_worker *w, struct dp_msg *msg)
{
	struct dp_conference *conf = &w->confs[msg->conf];

	msg->add.displaced = conf->members;
	dp_play_forget(w, dp_play_of_conf(w, msg->conf));
	*conf = (struct dp_conference){0};
	w->stats.conferences--;
}

/* RFC 3550 8.1, 8.2: the SSRC that we begin to use may be one that a participant of the conference has. */
static void
check_collision(struct dp_worker *w, const struct dp_leg *leg)
{
	const struct dp_conference *conf = &w->confs[leg->conf];

	for (uint32_t i = 0; i < conf->leg_count; i++) {
		const struct dp_leg *other = &w->legs[conf->members[i]];

		if (other->rx_ssrc != leg->tx_ssrc || other->rtp.received == 0)
			continue;
		dp_worker_leg_event(w, leg, (enum dp_event_type)DP_EVENT_SSRC_COLLISION,
				    leg->tx_ssrc, 0);
		return;
	}
}

static void
do_leg_add(struct dp_worker *w, struct dp_msg *msg)
{
	const struct dp_ctl_leg *in = &msg->add.leg;
	struct dp_leg *leg = &w->legs[msg->leg];
	struct dp_conference *conf = &w->confs[msg->conf];
	struct dp_jbuf_conf jbuf = {.clock_hz = 8000};

	members_take(conf, &msg->add);
	memset(leg, 0, sizeof(*leg));
	leg->id = in->leg;
	leg->conf = msg->conf;
	leg->is_secure = in->is_secure;
	leg->local_index = in->local_index;
	leg->local_port = (uint16_t)(w->port_first + msg->leg * 2);
	leg->rx_clock_hz = jbuf.clock_hz;
	leg->tx_ssrc = msg->add.ssrc;
	leg->tx_ts = msg->add.timestamp;
	leg->tx_seq = msg->add.seq;
	leg->gain = dp_gain_from_cdb(0);
	leg->level_rx = leg->level_tx = DP_MIX_SILENCE;
	leg->report.is_first = true;
	leg->report.avg_octets = 100;
	leg->report.joined = dp_worker_period(w);
	leg->report.gone_seen = conf->gone_count;
	leg->report.due_ns = w->now_ns + 1000000000u + dp_worker_random(w) % 1500000000u;
	dp_srtp_rx_init(&leg->srtp_rx);
	dp_srtp_tx_init(&leg->srtp_tx);
	jbuf_bounds(w, in, &jbuf.min_ms, &jbuf.max_ms);
	dp_jbuf_init(&leg->jbuf, &jbuf);

	leg->member = conf->leg_count++;
	conf->members[leg->member] = msg->leg;
	conf->talkers[leg->member] = (struct dp_talker){0};
	if (conf->active > 0)
		w->wheel.load[conf->slot]++;
	leg->live_at = w->live_count;
	w->live[w->live_count++] = msg->leg;
	leg_configure(w, leg, in);
	leg->is_live = true;
	check_collision(w, leg);
}

static void
do_leg_update(struct dp_worker *w, struct dp_msg *msg)
{
	struct dp_leg *leg = &w->legs[msg->leg];
	uint16_t min_ms, max_ms;

	jbuf_bounds(w, &msg->update, &min_ms, &max_ms);
	dp_jbuf_set_bounds(&leg->jbuf, min_ms, max_ms);
	leg_configure(w, leg, &msg->update);
	if ((leg->dirs & DP_DIR_RECEIVE) == 0)
		leg_flush(w, leg);
}

static void
give_back(struct dp_msg *msg, struct dp_srtp_key *const *keys, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		msg->keys[msg->key_count++] = keys[i];
}

static void
do_leg_remove(struct dp_worker *w, struct dp_msg *msg)
{
	struct dp_leg *leg = &w->legs[msg->leg], *last;
	struct dp_conference *conf = &w->confs[leg->conf];
	struct dp_srtp_key *out[DP_SRTP_OUT_MAX];

	if (leg->tx_packets > 0 || leg->report.tx_rtcp > 0)
		dp_report_add(w, leg, true);
	dp_reports_flush(w);
	dp_contributor_gone(w, leg);
	dp_play_forget(w, msg->leg);
	leg_direct(w, leg, 0);
	leg_flush(w, leg);
	give_back(msg, out, dp_srtp_rx_fini(&leg->srtp_rx, out));
	give_back(msg, out, dp_srtp_tx_fini(&leg->srtp_tx, out));

	conf->talkers_changed |= conf->talkers[leg->member].is_talking;
	last = &w->legs[conf->members[--conf->leg_count]];
	conf->members[leg->member] = conf->members[conf->leg_count];
	conf->talkers[leg->member] = conf->talkers[conf->leg_count];
	last->member = leg->member;
	if (conf->active > 0)
		w->wheel.load[conf->slot]--;
	last = &w->legs[w->live[--w->live_count]];
	w->live[leg->live_at] = w->live[w->live_count];
	last->live_at = leg->live_at;
	leg->is_live = false;
}

static void
do_leg_mix(struct dp_worker *w, struct dp_msg *msg)
{
	struct dp_leg *leg = &w->legs[msg->leg];

	leg->gain = msg->mix.gain;
	leg->is_muted = msg->mix.is_muted;
	leg->is_deaf = msg->mix.is_deaf;
}

/* A new stream of ours: what is sent from now on has nothing to do with what was. */
static void
stream_restart(struct dp_leg *leg, uint32_t ssrc, uint16_t seq)
{
	leg->tx_ssrc = ssrc;
	leg->tx_seq = seq;
	leg->tx_stream = leg->tx_payload = leg->report.tx_at_last = 0;
	leg->is_marked = true;
	leg->acc_octets = 0;
}

static void
do_key_install(struct dp_worker *w, struct dp_msg *msg)
{
	struct dp_leg *leg = &w->legs[msg->leg];
	struct dp_srtp_key *out[DP_SRTP_OUT_MAX];
	uint32_t flags;

	if (msg->key.is_roc_zero && msg->key.dir == DP_DIR_SEND &&
	    dp_srtp_tx_roc(&leg->srtp_tx) != 0)
		msg->key.is_fresh = true;
	flags = msg->key.is_fresh ? DP_KEY_FRESH : 0;
	if (msg->key.dir == DP_DIR_RECEIVE) {
		give_back(
			msg, out,
			dp_srtp_rx_install(&leg->srtp_rx, msg->key.slot, flags, msg->key.key, out));
		return;
	}
	/* A leg that has sent nothing keeps the SSRC that LEG_ADD was answered with. */
	msg->key.is_fresh &= leg->tx_packets > 0 || leg->report.tx_rtcp > 0;
	give_back(msg, out,
		  dp_srtp_tx_install(&leg->srtp_tx, msg->key.slot, flags, msg->key.key, out));
	if (msg->key.is_fresh) {
		stream_restart(leg, msg->key.ssrc, msg->key.seq);
		check_collision(w, leg);
	}
}

static void
do_key_retire(struct dp_worker *w, struct dp_msg *msg)
{
	struct dp_leg *leg = &w->legs[msg->leg];
	struct dp_srtp_key *out[DP_SRTP_OUT_MAX];
	unsigned n;

	n = msg->key.dir == DP_DIR_RECEIVE ? dp_srtp_rx_retire(&leg->srtp_rx, msg->key.slot, out)
					   : dp_srtp_tx_retire(&leg->srtp_tx, msg->key.slot, out);
	msg->status = n == 0 ? -ENOENT : 0;
	give_back(msg, out, n);
}

static void
do_leg_show(struct dp_worker *w, struct dp_msg *msg)
{
	const struct dp_leg *leg = &w->legs[msg->leg];

	msg->shown.latched = leg->is_latched ? leg->latched : (struct dp_addr){0};
	msg->shown.suite_rx = (uint8_t)dp_srtp_rx_suite(&leg->srtp_rx);
	msg->shown.suite_tx = (uint8_t)dp_srtp_tx_suite(&leg->srtp_tx);
	dp_leg_snapshot(w, leg, &msg->shown.stats);
	msg->shown.stats.is_talking = w->confs[leg->conf].talkers[leg->member].is_talking;
}

static void
do_node_show(struct dp_worker *w, struct dp_msg *msg)
{
	dp_worker_snapshot(w, &msg->node);
}

static void
do_play(struct dp_worker *w, struct dp_msg *msg)
{
	dp_play_begin(w, msg->play.is_to_conf ? dp_play_of_conf(w, msg->conf) : msg->leg,
		      &msg->play);
}

static void
do_stop(struct dp_worker *w, struct dp_msg *msg)
{
	uint32_t at = msg->play.is_to_conf ? dp_play_of_conf(w, msg->conf) : msg->leg;

	msg->status = dp_play_stop(w, at, msg->play.id) ? 0 : -ENOENT;
}

static void
do_clip_retire(struct dp_worker *w, struct dp_msg *msg)
{
	dp_play_retire(w, msg->play.clip);
}

/* RFC 3550 8.2: leave the old SSRC with a BYE. */
static void
do_leg_ssrc(struct dp_worker *w, struct dp_msg *msg)
{
	struct dp_leg *leg = &w->legs[msg->leg];

	if (!leg->is_live) {
		msg->status = -ENOENT;
		return;
	}
	dp_report_add(w, leg, true);
	dp_reports_flush(w);
	stream_restart(leg, msg->ssrc.ssrc, msg->ssrc.seq);
	check_collision(w, leg);
}

static void (*const handlers[DP_MSG_TYPE_COUNT])(struct dp_worker *w, struct dp_msg *msg) = {
	[DP_MSG_CONF_CREATE] = do_conf_create,
	[DP_MSG_CONF_UPDATE] = do_conf_update,
	[DP_MSG_CONF_DESTROY] = do_conf_destroy,
	[DP_MSG_LEG_ADD] = do_leg_add,
	[DP_MSG_LEG_UPDATE] = do_leg_update,
	[DP_MSG_LEG_REMOVE] = do_leg_remove,
	[DP_MSG_LEG_MIX] = do_leg_mix,
	[DP_MSG_KEY_INSTALL] = do_key_install,
	[DP_MSG_KEY_RETIRE] = do_key_retire,
	[DP_MSG_LEG_SHOW] = do_leg_show,
	[DP_MSG_NODE_SHOW] = do_node_show,
	[DP_MSG_LEG_SSRC] = do_leg_ssrc,
	[DP_MSG_PLAY] = do_play,
	[DP_MSG_STOP] = do_stop,
	[DP_MSG_CLIP_RETIRE] = do_clip_retire,
};

void
ctl_drain(struct dp_worker *w, unsigned budget)
{
	while (budget-- > 0 && rte_ring_free_count(w->outbox) > 0) {
		struct dp_msg *msg;

		if (rte_ring_dequeue(w->inbox, (void **)&msg) != 0)
			return;
		w->did_work = true;
		handlers[msg->type](w, msg);
		rte_ring_enqueue(w->outbox, msg);
	}
}
