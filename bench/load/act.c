/* What a participant does at its time: re-INVITEs of all kinds, sounds, attacks, leaving. */
#include <stdlib.h>
#include <string.h>
#include "bench/load/call_state.h"
#include "bench/load/refer.h"
#include "bench/load/streams.h"

static void
hold(struct ue_call *c, const char *dir)
{
	static const char *const dirs[] = {"sendonly", "recvonly", "inactive", "sendrecv"};

	c->ours.dir = "inactive";
	for (unsigned i = 0; i < 4; i++)
		if (strcmp(dirs[i], dir) == 0)
			c->ours.dir = dirs[i];
	ue_call_reinvite(c);
}

static void
codec_change(struct ue_call *c, const char *name)
{
	enum dp_codec_id codec = ue_codec_by_name(name);

	if (codec == DP_CODEC_NONE)
		return;
	c->ours.codec_count = 1;
	c->ours.codec[0] = codec;
	c->ours.pt[0] = ue_codec_pt(codec);
	ue_call_reinvite(c);
}

static void
move(struct ue_call *c)
{
	if (ue_leg_move(c->shared->media, c->media, &c->ours.port, &c->ours.rtcp_port) != 0)
		return;
	c->is_fresh_next = true;
	ue_call_rekey(c);
	ue_call_reinvite(c);
}

static void
rekey(struct ue_call *c)
{
	if (c->mikey && c->shared->options->is_rekey_full) {
		if (!c->wait && ue_mikey_renew(c->mikey) == 0)
			c->wait = UE_WAIT_REKEY;
		return;
	}
	if (!c->is_reinviting)
		ue_call_rekey(c);
	ue_call_reinvite(c);
}

void
ue_call_act(struct ue_call *c, const struct ue_action *action)
{
	struct ue_media *m = c->shared->media;
	unsigned number = (unsigned)strtoul(action->arg, NULL, 10);

	switch (action->kind) {
	case UE_HOLD:
		hold(c, action->arg);
		break;
	case UE_UNHOLD:
		hold(c, "sendrecv");
		break;
	case UE_REKEY:
		rekey(c);
		break;
	case UE_REINVITE:
		ue_call_reinvite(c);
		break;
	case UE_MOVE:
		move(c);
		break;
	case UE_CODEC:
		codec_change(c, action->arg);
		break;
	case UE_DTMF:
		ue_leg_dtmf(m, c->media, action->arg);
		break;
	case UE_MUTE:
	case UE_UNMUTE:
		ue_leg_mute(m, c->media, action->kind == UE_MUTE);
		break;
	case UE_SSRC:
		ue_leg_ssrc_change(m, c->media);
		break;
	case UE_GARBAGE:
		ue_leg_attack(m, c->media, UE_ATTACK_GARBAGE, number);
		break;
	case UE_WRONG_KEY:
		ue_leg_attack(m, c->media, UE_ATTACK_WRONG_KEY, number);
		break;
	case UE_WRONG_SOURCE:
		ue_leg_attack(m, c->media, UE_ATTACK_WRONG_SOURCE, number);
		break;
	case UE_BYE:
		ue_call_leave(c, false);
		break;
	case UE_VANISH:
		ue_call_leave(c, true);
		break;
	case UE_REFER:
		ue_refer_send(c, action->arg);
		break;
	case UE_FLOOR_ASK:
	case UE_FLOOR_RELEASE:
	case UE_FLOOR_REVOKE:
	case UE_SAY:
	case UE_WHISPER:
	case UE_SEND_FILE:
	case UE_NICKNAME:
	case UE_STALL:
	case UE_CUT:
	case UE_CONNECT:
		ue_streams_act(c, action);
		break;
	}
}
