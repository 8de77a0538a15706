/* What the media plane is told of a call: LEG_ADD, LEG_UPDATE and keys, from what offer and answer agreed. */
#include "ctrlplane/app/app_state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctrlplane/base/log.h"

static void
finish(struct cp_call *call, int status)
{
	if (status && !call->error)
		call->error = status;
	if (--call->waiting == 0)
		cp_call_step_done(call);
}

static void
done(void *arg, int status, const struct dp_ctl_hdr *reply)
{
	finish(arg, status);
}

static void
done_removed(void *arg, int status, const struct dp_ctl_hdr *reply)
{
	finish(arg, status == -ENOENT ? 0 : status);
}

static void install_agreed(struct cp_call *call);

static void
done_added(void *arg, int status, const struct dp_ctl_hdr *reply)
{
	const struct dp_ctl_leg_added *added = (const void *)reply;
	struct cp_call *call = arg;

	if (status == 0) {
		call->local.rtp = added->local_rtp;
		call->local.rtcp = added->local_rtcp;
		call->ssrc = added->ssrc;
		call->worker = added->worker;
		call->has_leg = true;
		if (cp_keying_is_open(call) && !call->error)
			install_agreed(call);
	}
	finish(call, status);
}

static void
asked(struct cp_call *call, int rc)
{
	if (rc == 0)
		call->waiting++;
	else if (!call->error)
		call->error = rc;
}

static uint8_t
local_index(const struct cp_app *app, const struct dp_addr *remote)
{
	const struct dp_ctl_welcome *w = cp_media_welcome(app->media);

	for (uint32_t i = 0; w && i < w->local_count && i < 4; i++)
		if (w->local[i].family == remote->family)
			return (uint8_t)i;
	return 0;
}

/* An address of zeros: the peer gave a name, the media plane waits for what authenticates. */
static struct dp_addr
known_address(const struct dp_addr *addr)
{
	static const uint8_t zero[sizeof(addr->ip)];

	return memcmp(addr->ip, zero, sizeof(zero)) == 0 ? (struct dp_addr){0} : *addr;
}

static uint16_t
lost_after_ms(const struct cp_call *call)
{
	return (uint16_t)call->app->config->call.lost_after_ms;
}

static struct dp_ctl_leg
leg_message(const struct cp_call *call, const struct cp_sdp_media *media, enum dp_ctl_type type,
	    uint32_t flags)
{
	const struct cp_config_call *config = &call->app->config->call;
	struct dp_ctl_leg m = {
		.hdr.type = (uint16_t)type,
		.leg = call->leg,
		.conf = call->conf,
		.flags = flags | (media->has_mux ? DP_LEG_RTCP_MUX : 0) |
			 (media->is_srtcp_plain ? DP_LEG_SRTCP_PLAIN : 0) |
			 (media->has_rtcp ? 0 : DP_LEG_NO_RTCP) |
			 (call->is_private ? DP_LEG_PRIVATE : 0),
		.dirs = media->dirs,
		.local_index = local_index(call->app, &media->remote_rtp),
		.is_secure = media->suite != DP_SUITE_NONE || media->profile >= CP_SDP_SAVP,
		.dtmf_pt = media->dtmf_pt,
		.ptime_ms = media->ptime_ms,
		.rx_count = media->rx_count,
		.tx = {.codec = media->tx.codec, .pt = media->tx.pt},
		.remote_rtp = known_address(&media->remote_rtp),
		.remote_rtcp = known_address(&media->remote_rtcp),
		.jbuf_min_ms = (uint16_t)config->jitter_min_ms,
		.jbuf_max_ms = (uint16_t)config->jitter_max_ms,
		.lost_after_ms = lost_after_ms(call),
	};

	for (int i = 0; i < media->rx_count && i < DP_CTL_CODECS_MAX; i++)
		m.rx[i] = (struct dp_ctl_codec){.codec = media->rx[i].codec, .pt = media->rx[i].pt};
	if (m.tx.codec == DP_CODEC_NONE && media->rx_count > 0)
		m.tx = m.rx[0]; /* our offer is out: what we want most */
	memcpy(m.cname, call->cname, sizeof(m.cname));
	return m;
}

static void
install_rx_keys(struct cp_call *call, const struct cp_sdp_media *media, enum dp_key_slot first,
		uint32_t flags)
{
	for (int i = 0; i < media->rx_key_count && i < CP_SDP_RX_KEYS_MAX; i++) {
		struct cp_media_key where = {
			.leg = call->leg,
			.dir = DP_DIR_RECEIVE,
			.slot = (uint8_t)(i == 0 ? first : DP_KEY_NEXT),
			.flags = flags,
		};

		asked(call, cp_media_install_key(call->app->media, &where, &media->rx_keys[i], done,
						 call));
	}
}

static void
install_tx_key(struct cp_call *call, const struct cp_sdp_media *media, enum dp_key_slot slot,
	       uint32_t flags)
{
	struct cp_media_key where = {
		.leg = call->leg, .dir = DP_DIR_SEND, .slot = (uint8_t)slot, .flags = flags};

	if (media->tx_key.suite != DP_SUITE_NONE)
		asked(call,
		      cp_media_install_key(call->app->media, &where, &media->tx_key, done, call));
}

/* MIKEY: our SSRC is known now, so the exchange can be answered and gives the keys. */
static void
install_agreed(struct cp_call *call)
{
	const struct cp_sdp_media *media = &call->next.next.media;

	call->key_status = cp_keying_answer(call);
	if (call->key_status != 0) {
		call->error = -EPROTO;
		return;
	}
	install_rx_keys(call, media, DP_KEY_CURRENT, DP_KEY_FRESH);
	install_tx_key(call, media, DP_KEY_CURRENT, DP_KEY_FRESH);
}

/* Everything was asked for: when nothing is under way, it is over already. */
static void
asked_all(struct cp_call *call)
{
	if (call->waiting == 0)
		cp_call_step_done(call);
}

static void
add(struct cp_call *call, const struct cp_sdp_media *media)
{
	struct dp_ctl_leg m = leg_message(call, media, DP_CTL_LEG_ADD, 0);

	call->has_leg = false;
	asked(call, cp_media_request(call->app->media, &m, sizeof(m), done_added, call));
	if (call->error)
		return;
	install_rx_keys(call, media, DP_KEY_CURRENT, DP_KEY_FRESH);
	install_tx_key(call, media, DP_KEY_CURRENT, DP_KEY_FRESH);
}

static void
start(struct cp_call *call, enum cp_app_step step)
{
	call->step = step;
	call->error = 0;
}

/* Under MIKEY the SSRC is part of what was agreed: the stream goes on. */
static uint32_t
tx_flags(const struct cp_sdp_media *media, uint32_t changes)
{
	if (media->keying == CP_SDP_MIKEY_TICKET)
		return 0;
	return changes & CP_SDP_CHANGE_TX_FRESH ? DP_KEY_FRESH : DP_KEY_ROC_ZERO;
}

void
cp_call_add_leg(struct cp_call *call, enum cp_app_step step, const struct cp_sdp_media *media,
		uint32_t changes)
{
	start(call, step);
	add(call, media);
	asked_all(call);
}

void
cp_call_replace_leg(struct cp_call *call, enum cp_app_step step, const struct cp_sdp_media *media)
{
	start(call, step);
	asked(call, cp_media_request_id(call->app->media, DP_CTL_LEG_REMOVE, call->leg,
					done_removed, call));
	if (!call->error)
		add(call, media);
	asked_all(call);
}

void
cp_call_change_leg(struct cp_call *call, enum cp_app_step step, const struct cp_sdp_media *media,
		   uint32_t changes)
{
	const uint32_t of_leg = CP_SDP_CHANGE_MEDIA | CP_SDP_CHANGE_ADDRESS | CP_SDP_CHANGE_HOLD;
	bool is_first = !call->is_connected && step == CP_STEP_ANSWER;

	start(call, step);
	if (changes & of_leg) {
		struct dp_ctl_leg m =
			leg_message(call, media, DP_CTL_LEG_UPDATE,
				    changes & CP_SDP_CHANGE_ADDRESS ? DP_LEG_RELATCH : 0);

		asked(call, cp_media_request(call->app->media, &m, sizeof(m), done, call));
	}
	if (changes & CP_SDP_CHANGE_RX_KEY)
		install_rx_keys(call, media, is_first ? DP_KEY_CURRENT : DP_KEY_NEXT,
				changes & CP_SDP_CHANGE_RX_FRESH ? DP_KEY_FRESH : 0);
	/* Their answer is here, so they know our key; to their offer it follows our 200. */
	if (step == CP_STEP_ANSWER && changes & CP_SDP_CHANGE_TX_KEY)
		install_tx_key(call, media, is_first ? DP_KEY_CURRENT : DP_KEY_NEXT,
			       tx_flags(media, changes));
	asked_all(call);
}

/* Nobody waits for it: should it fail, the old key goes on and the log says so. */
static void
done_tx_key(void *arg, int status, const struct dp_ctl_hdr *reply)
{
	if (status)
		cp_log(CP_LOG_WARN, CP_APP_AREA, "a new send key was not installed: %s",
		       strerror(-status));
}

void
cp_call_install_tx_key(struct cp_call *call, const struct cp_sdp_media *media, uint32_t changes)
{
	struct cp_media_key where = {
		.leg = call->leg,
		.dir = DP_DIR_SEND,
		.slot = DP_KEY_NEXT,
		.flags = tx_flags(media, changes),
	};
	int rc = 0;

	if (changes & CP_SDP_CHANGE_TX_KEY && media->tx_key.suite != DP_SUITE_NONE)
		rc = cp_media_install_key(call->app->media, &where, &media->tx_key, done_tx_key,
					  NULL);
	if (rc)
		done_tx_key(NULL, rc, NULL);
}
