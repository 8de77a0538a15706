/* Events to state and effects: each kind has its file; here stand those that people do to a leg, and the ends. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "ctrlplane/conf/focus_state.h"

#define GAIN_MIN_CDB (-6000)
#define GAIN_MAX_CDB 2000
#define STATUS_BUSY 486
#define STATUS_CANCELLED 487
#define STATUS_BUSY_EVERYWHERE 600

/* Everybody may do it to himself. */
static bool
is_self(const struct cp_step *s)
{
	const char *actor = s->event->actor;

	return actor != NULL && (cp_identity_is_same(s->leg->person, actor) ||
				 cp_identity_is_same(s->leg->tel, actor));
}

static int
check_steer(const struct cp_step *s)
{
	return is_self(s) ? 0 : cp_step_check(s, s->leg->conf, CP_ACTION_STEER);
}

static int
set_gain(struct cp_step *s)
{
	int32_t value = s->event->value;

	if (value < GAIN_MIN_CDB || value > GAIN_MAX_CDB)
		return -EINVAL;
	if (s->leg->gain_cdb == value)
		return -EALREADY;
	s->leg->gain_cdb = (int16_t)value;
	return 0;
}

static int
set_flag(struct cp_step *s, bool *flag)
{
	if (*flag == s->event->flag)
		return -EALREADY;
	*flag = s->event->flag;
	return 0;
}

/* MUTE, DEAF, GAIN. */
static int
on_mix(struct cp_step *s)
{
	static const char *const texts[] = {"unmuted", "muted", "not deaf", "deaf"};
	struct cp_leg *leg = s->leg;
	bool is_gain = s->event->type == CP_EVENT_GAIN, is_mute = s->event->type == CP_EVENT_MUTE;
	int error = check_steer(s);

	if (error == 0)
		error = is_gain	  ? set_gain(s)
			: is_mute ? set_flag(s, &leg->is_muted)
				  : set_flag(s, &leg->is_deaf);
	if (error < 0)
		return error;
	cp_effects_mix(s->out, leg);
	cp_effects_notice(s->out, CP_NOTICE_CHANGED, leg, NULL);
	cp_effects_leg(s->out, CP_EFFECT_SAVE_LEG, leg, NULL);
	cp_step_audit(s, leg->conf, leg, is_gain ? "gain" : texts[2 * !is_mute + s->event->flag]);
	if (is_mute && leg->conf->announces && leg->is_in && leg->role != CP_ROLE_LISTENER)
		cp_step_prompt(s, leg->conf, leg,
			       leg->is_muted ? CP_PROMPT_MUTED : CP_PROMPT_UNMUTED, 0);
	return 0;
}

/* The floor server's word: nobody else is asked. */
static int
on_floor(struct cp_step *s)
{
	struct cp_leg *leg = s->leg;
	bool was_silenced = cp_leg_is_silenced(leg);
	uint8_t bit;

	if (s->event->value < 0 || (size_t)s->event->value >= leg->conf->floors.count)
		return -EINVAL;
	bit = (uint8_t)(1u << s->event->value);
	if (((leg->floors & bit) != 0) == s->event->flag)
		return -EALREADY;
	leg->floors ^= bit;
	if (cp_leg_is_silenced(leg) != was_silenced)
		cp_effects_mix(s->out, leg);
	cp_effects_notice(s->out, CP_NOTICE_CHANGED, leg, NULL);
	cp_effects_leg(s->out, CP_EFFECT_SAVE_LEG, leg, NULL);
	return 0;
}

/* How the dialog's own end is to be understood. */
static enum cp_departure
departure_of(const struct cp_leg *leg, int32_t status)
{
	if (status == STATUS_BUSY || status == STATUS_BUSY_EVERYWHERE)
		return CP_BUSY;
	if (leg->connected_ms == 0 && leg->method == CP_JOIN_DIALED_OUT)
		return CP_FAILED;
	return status == 0 || status == STATUS_CANCELLED ? CP_DEPARTED : CP_FAILED;
}

static int
on_gone(struct cp_step *s)
{
	struct cp_leg_end end = {
		.departure = departure_of(s->leg, s->event->value),
		.status = (uint16_t)s->event->value,
		.text = s->event->text ? s->event->text : "left",
	};

	cp_leg_end(s, s->leg, &end);
	return 0;
}

static int
on_remove(struct cp_step *s)
{
	struct cp_leg_end end = {
		.departure = is_self(s) ? CP_DEPARTED : CP_BOOTED,
		.text = s->event->text ? s->event->text : "Removed by the operator",
		.by = cp_step_by(s),
	};
	int error = check_steer(s);

	if (error < 0)
		return error;
	cp_leg_release(s, s->leg, &end);
	cp_step_audit(s, s->leg->conf, s->leg, "removed");
	return 0;
}

/* Only what somebody waits for ends anything. */
static int
on_prompted(struct cp_step *s)
{
	struct cp_leg_end end = {
		.departure = CP_BOOTED, .status = 403, .text = "The PIN was wrong"};

	if (s->leg->wait != CP_WAIT_GOODBYE || s->event->value != CP_PROMPT_GOODBYE)
		return -EALREADY;
	cp_leg_release(s, s->leg, &end);
	return 0;
}

static int
on_close(struct cp_step *s)
{
	const char *text = s->event->text ? s->event->text : "The conference is over";
	int error = s->conf ? cp_step_check(s, s->conf, CP_ACTION_POLICY) : -ENOENT;

	if (error < 0)
		return error;
	cp_conf_close(s, s->conf, text, true);
	cp_step_audit(s, s->conf, NULL, "closed");
	return 0;
}

static int
on_close_all(struct cp_step *s)
{
	const char *text = s->event->text ? s->event->text : "The conference is over";

	while (s->focus->first != NULL)
		cp_conf_close(s, s->focus->first, text, false);
	return 0;
}

static int
on_leg(struct cp_step *s)
{
	switch (s->event->type) {
	case CP_EVENT_CONNECTED:
	case CP_EVENT_CHANGED:
	case CP_EVENT_DIALING:
	case CP_EVENT_ALERTING:
		return cp_conf_on_call(s);
	case CP_EVENT_GONE:
		return on_gone(s);
	case CP_EVENT_FLOOR:
		return on_floor(s);
	case CP_EVENT_REMOVE:
		return on_remove(s);
	case CP_EVENT_PROMPTED:
		return on_prompted(s);
	default:
		return on_mix(s);
	}
}

static int
dispatch(struct cp_step *s, struct cp_leg **leg_out)
{
	switch (s->event->type) {
	case CP_EVENT_JOIN:
		return cp_conf_on_join(s, leg_out);
	case CP_EVENT_TICK:
		return cp_conf_on_tick(s);
	case CP_EVENT_CLOSE:
		return on_close(s);
	case CP_EVENT_CLOSE_ALL:
		return on_close_all(s);
	case CP_EVENT_LOCK:
	case CP_EVENT_MIX_POLICY:
	case CP_EVENT_UPDATE:
	case CP_EVENT_AUTHORISE:
	case CP_EVENT_DISALLOW:
	case CP_EVENT_SET_LIST:
	case CP_EVENT_ROLE:
	case CP_EVENT_ADMIT:
	case CP_EVENT_ANNOUNCE:
		return cp_conf_on_policy(s);
	case CP_EVENT_FIRST_MEDIA:
	case CP_EVENT_MEDIA_LOST:
	case CP_EVENT_MEDIA_BACK:
	case CP_EVENT_MEDIA_BYE:
	case CP_EVENT_DTMF:
	case CP_EVENT_KEY_SOON:
	case CP_EVENT_TALKERS:
		return cp_conf_on_media(s);
	case CP_EVENT_AUDIT_BEGIN:
	case CP_EVENT_AUDIT_CONF:
	case CP_EVENT_AUDIT_LEG:
	case CP_EVENT_AUDIT_END:
		return cp_conf_audit(s);
	default:
		return s->leg ? on_leg(s) : -ENOENT;
	}
}

int
cp_conf_handle(struct cp_focus *focus, const struct cp_event *event, int64_t now_ms,
	       struct cp_effects *out, struct cp_leg **leg_out)
{
	struct cp_step s = {.focus = focus, .event = event, .now_ms = now_ms, .out = out};
	struct cp_leg *leg = NULL;
	int error;

	s.leg = event->leg ? cp_leg_by_id(focus, event->leg) : NULL;
	s.conf = event->conf ? cp_conf_by_id(focus, event->conf) : NULL;
	error = dispatch(&s, &leg);
	cp_conf_close_ending(&s);
	if (leg_out != NULL)
		*leg_out = leg;
	return error == 0 && out->has_failed ? -ENOMEM : error;
}
