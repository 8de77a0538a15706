/* Carries out what the focus decides: on the media plane, on the SIP stack, in the log. */
#include "ctrlplane/app/app_state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctrlplane/app/chat.h"
#include "ctrlplane/app/floors.h"
#include "ctrlplane/base/log.h"

/* Requests whose failure only the log hears of; the audit puts right what matters. */
static void
done_quietly(void *arg, int status, const struct dp_ctl_hdr *reply)
{
	const char *what = arg;

	if (status && status != -EEXIST && status != -ENOENT && status != -ECONNRESET)
		cp_log(CP_LOG_WARN, CP_APP_AREA, "media plane: %s failed: %s", what,
		       strerror(-status));
}

static void
tell_conf(struct cp_app *app, const struct cp_effect *e, enum dp_ctl_type type, const char *what)
{
	const struct cp_conf *conf = cp_conf_by_id(app->focus, e->conf);
	struct dp_ctl_conf m = {.hdr.type = (uint16_t)type, .conf = e->conf, .rate_hz = 8000};
	int rc;

	if (!conf)
		return;
	m.loudest_n = conf->loudest_n;
	m.small_size = conf->small_size;
	rc = cp_media_request(app->media, &m, sizeof(m), done_quietly, (void *)(uintptr_t)what);
	if (rc)
		done_quietly((void *)(uintptr_t)what, rc, NULL);
}

static void
tell_mix(struct cp_app *app, const struct cp_effect *e)
{
	struct dp_ctl_leg_mix m = {
		.hdr.type = DP_CTL_LEG_MIX,
		.leg = e->leg,
		.gain_cdb = e->gain_cdb,
		.is_muted = e->is_muted,
		.is_deaf = e->is_deaf,
	};
	int rc = cp_media_request(app->media, &m, sizeof(m), done_quietly,
				  (void *)(uintptr_t) "LEG_MIX");

	if (rc)
		done_quietly((void *)(uintptr_t) "LEG_MIX", rc, NULL);
}

static void
tell_id(struct cp_app *app, enum dp_ctl_type type, uint32_t id, const char *what)
{
	int rc = cp_media_request_id(app->media, type, id, done_quietly, (void *)(uintptr_t)what);

	if (rc)
		done_quietly((void *)(uintptr_t)what, rc, NULL);
}

static void
install(struct cp_app *app, uint32_t leg)
{
	struct cp_call *call = cp_app_call(app, leg);
	const struct cp_sdp_session *next;

	if (!call)
		return;
	next = &call->next.next;
	/* a late offer: nothing is agreed yet, the leg is made from what we propose */
	if (call->has_next && !call->is_connected)
		cp_call_add_leg(call, CP_STEP_JOIN,
				next->was_agreed ? &next->media : &next->proposal,
				call->next.changes);
	else if (call->step == CP_STEP_NONE)
		cp_call_add_leg(call, CP_STEP_REINSTALL, &call->sdp.media, 0);
}

/* Texts of people (identities, names) come from outside: cp_log makes them harmless. */
static void
notice(struct cp_app *app, const struct cp_effect *e)
{
	const struct cp_leg *leg = cp_leg_by_id(app->focus, e->leg);
	const struct cp_conf *conf = cp_conf_by_id(app->focus, e->conf);
	const char *who = leg && *leg->identity ? leg->identity : "anonymous";
	const char *where = conf ? conf->user : "?";

	cp_subscribe_notice(app, e);
	cp_floors_notice(app, e);
	cp_chat_notice(app, e);

	switch (e->notice) {
	case CP_NOTICE_JOINED:
		cp_log(CP_LOG_INFO, CP_APP_AREA, "%s: %s joined as %u (%s) from %s", where, who,
		       e->leg, dp_suite_info(leg ? leg->suite : DP_SUITE_NONE)->name,
		       leg ? leg->via : "?");
		break;
	case CP_NOTICE_LEFT:
		cp_log(CP_LOG_INFO, CP_APP_AREA, "%s: participant %u left: %s", where, e->leg,
		       e->text);
		break;
	case CP_NOTICE_DTMF:
		cp_log(CP_LOG_DEBUG, CP_APP_AREA, "%s: participant %u pressed a key", where,
		       e->leg);
		break;
	case CP_NOTICE_CONF:
		cp_log(CP_LOG_INFO, CP_APP_AREA, "%s: conference changed", where);
		break;
	case CP_NOTICE_CLOSED:
		cp_log(CP_LOG_INFO, CP_APP_AREA, "conference %u closed: %s", e->conf, e->text);
		break;
	case CP_NOTICE_ADOPTED:
		cp_log(CP_LOG_INFO, CP_APP_AREA, "%s: adopted the media of participant %u", where,
		       e->leg);
		cp_adopted_found(app, e->leg);
		break;
	case CP_NOTICE_WAITING:
		cp_log(CP_LOG_INFO, CP_APP_AREA, "%s: participant %u waits: %s", where, e->leg,
		       e->text);
		break;
	case CP_NOTICE_LIST:
		cp_log(CP_LOG_INFO, CP_APP_AREA, "%s: the list changed", where);
		break;
	case CP_NOTICE_CHANGED:
	case CP_NOTICE_TALKERS:
	case CP_NOTICE_ADDED:
	case CP_NOTICE_FLOOR:
	case CP_NOTICE_CHAT:
	case CP_NOTICES:
		break;
	}
}

void
cp_app_tell(struct cp_app *app, const struct cp_effect *e)
{
	notice(app, e);
	if (app->mgmt)
		cp_mgmt_notice(app->mgmt, e);
}

static void
carry_out(struct cp_app *app, const struct cp_effect *e)
{
	struct cp_call *call;

	switch (e->type) {
	case CP_EFFECT_CONF_INSTALL:
		tell_conf(app, e, DP_CTL_CONF_CREATE, "CONF_CREATE");
		break;
	case CP_EFFECT_CONF_UPDATE:
		tell_conf(app, e, DP_CTL_CONF_UPDATE, "CONF_UPDATE");
		break;
	case CP_EFFECT_CONF_DESTROY:
		cp_prompts_forget(app->prompts, e->conf, 0);
		tell_id(app, DP_CTL_CONF_DESTROY, e->conf, "CONF_DESTROY");
		break;
	case CP_EFFECT_LEG_INSTALL:
		install(app, e->leg);
		break;
	case CP_EFFECT_LEG_UPDATE: /* carried out before CHANGED is said, see call.c */
		break;
	case CP_EFFECT_LEG_MIX:
		tell_mix(app, e);
		break;
	case CP_EFFECT_LEG_REMOVE:
		cp_prompts_forget(app->prompts, e->conf, e->leg);
		tell_id(app, DP_CTL_LEG_REMOVE, e->leg, "LEG_REMOVE");
		break;
	case CP_EFFECT_RELEASE:
		call = cp_app_call(app, e->leg);
		if (call)
			cp_call_hang_up(call, e->value, e->text);
		else
			cp_adopted_release(app, e->leg, e->value, e->text);
		break;
	case CP_EFFECT_REKEY:
		call = cp_app_call(app, e->leg);
		if (call)
			cp_call_rekey(call);
		break;
	case CP_EFFECT_NOTICE:
		cp_app_tell(app, e);
		break;
	case CP_EFFECT_SAVE_CONF:
	case CP_EFFECT_DROP_CONF:
	case CP_EFFECT_SAVE_LEG:
	case CP_EFFECT_RECORD:
	case CP_EFFECT_AUDIT:
		cp_keep_effect(app, e);
		break;
	case CP_EFFECT_PROMPT:
		cp_prompts_play(app->prompts, e);
		break;
	case CP_EFFECT_PROMPT_STOP:
		cp_prompts_stop(app->prompts, e);
		break;
	default: /* the store has nobody here to hear of it */
		break;
	}
}

int
cp_app_say(struct cp_app *app, const struct cp_event *event, struct cp_leg **leg)
{
	return cp_conf_handle(app->focus, event, cp_app_now_ms(), &app->effects, leg);
}

void
cp_app_carry_out(struct cp_app *app)
{
	if (app->is_running_effects)
		return;
	app->is_running_effects = true;
	/* Carrying out may say events, which append; the list may move then: copies. */
	for (size_t i = 0; i < app->effects.count; i++) {
		struct cp_effect e = app->effects.items[i];

		carry_out(app, &e);
	}
	if (app->effects.has_failed)
		cp_log(CP_LOG_ERROR, CP_APP_AREA, "out of memory: not all was carried out");
	cp_effects_clear(&app->effects);
	app->is_running_effects = false;
}

int
cp_app_handle(struct cp_app *app, const struct cp_event *event)
{
	int rc = cp_app_say(app, event, NULL);

	cp_app_carry_out(app);
	return rc;
}
