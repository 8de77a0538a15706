/* Events to state and effects: one function for each kind of event. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "ctrlplane/conf/focus_state.h"

#define GAIN_MIN_CDB (-6000)
#define GAIN_MAX_CDB 2000

/* What an event works on. */
struct step {
	struct cp_focus *focus;
	const struct cp_event *event;
	struct cp_leg *leg;   /* of event->leg, when the event is about one */
	struct cp_conf *conf; /* the same of event->conf */
	int64_t now_ms;
	struct cp_effects *out;
};

static int
on_join(struct step *s, struct cp_leg **leg_out)
{
	const struct cp_conf_join *join = s->event->join;
	struct cp_leg *leg;
	uint32_t id;

	do {
		id = cp_id_next(&s->focus->leg_ids);
	} while (cp_leg_by_id(s->focus, id) != NULL);
	leg = cp_leg_insert(s->focus, join->conf, id);
	if (leg == NULL)
		return -ENOMEM;
	snprintf(leg->identity, sizeof(leg->identity), "%s", join->identity ? join->identity : "");
	cp_slice_copy_text(leg->display, sizeof(leg->display), cp_slice_text(join->display));
	cp_slice_copy_text(leg->via, sizeof(leg->via), cp_slice_text(join->via));
	leg->suite = join->suite;
	leg->is_held = join->is_held;
	leg->is_muted = join->conf->mutes_on_entry;
	leg->joined_ms = s->now_ms;
	leg->deadline_ms = s->now_ms + s->focus->limits.setup_ms;
	leg->was_seen = true; /* an audit that is running listed before it was there */
	cp_leg_install(leg, s->out);
	*leg_out = leg;
	return 0;
}

/* What offer and answer agreed: hold and suite. */
static void
take_agreed(struct step *s)
{
	bool was_silenced = cp_leg_is_silenced(s->leg);

	s->leg->is_held = s->event->flag;
	s->leg->suite = s->event->suite;
	if (s->leg->is_held)
		s->leg->lost_ms = 0;
	if (cp_leg_is_silenced(s->leg) != was_silenced)
		cp_effects_mix(s->out, s->leg);
}

static int
on_connected(struct step *s)
{
	if (s->leg->state != CP_LEG_JOINING)
		return -EALREADY;
	s->leg->state = CP_LEG_CONNECTED;
	s->leg->connected_ms = s->now_ms;
	s->leg->deadline_ms = 0;
	take_agreed(s);
	cp_effects_notice(s->out, CP_NOTICE_JOINED, s->leg, NULL);
	return 0;
}

static int
on_changed(struct step *s)
{
	cp_effects_leg(s->out, CP_EFFECT_LEG_UPDATE, s->leg, NULL);
	take_agreed(s);
	cp_effects_notice(s->out, CP_NOTICE_CHANGED, s->leg, NULL);
	return 0;
}

/* MUTE, DEAF, GAIN. */
static int
on_mix(struct step *s)
{
	struct cp_leg *leg = s->leg;
	int32_t value = s->event->value;

	if (s->event->type == CP_EVENT_GAIN) {
		if (value < GAIN_MIN_CDB || value > GAIN_MAX_CDB)
			return -EINVAL;
		if (leg->gain_cdb == value)
			return -EALREADY;
		leg->gain_cdb = (int16_t)value;
	} else {
		bool *flag = s->event->type == CP_EVENT_MUTE ? &leg->is_muted : &leg->is_deaf;

		if (*flag == s->event->flag)
			return -EALREADY;
		*flag = s->event->flag;
	}
	cp_effects_mix(s->out, leg);
	cp_effects_notice(s->out, CP_NOTICE_CHANGED, leg, NULL);
	return 0;
}

static void
notice_conf(struct step *s, enum cp_notice notice, uint32_t conf, const char *text)
{
	struct cp_effect *effect = cp_effects_add(s->out, CP_EFFECT_NOTICE);

	if (effect == NULL)
		return;
	effect->notice = notice;
	effect->conf = conf;
	snprintf(effect->text, sizeof(effect->text), "%s", text ? text : "");
}

static void
close_conf(struct step *s, struct cp_conf *conf)
{
	const char *text = s->event->text ? s->event->text : "The conference is over";

	for (struct cp_leg *leg = conf->legs; leg != NULL; leg = leg->next) {
		if (leg->state != CP_LEG_ADOPTED)
			cp_effects_leg(s->out, CP_EFFECT_RELEASE, leg, text);
		cp_effects_notice(s->out, CP_NOTICE_LEFT, leg, text);
	}
	if (conf->is_installed)
		cp_effects_conf(s->out, CP_EFFECT_CONF_DESTROY, conf->id);
	notice_conf(s, CP_NOTICE_CLOSED, conf->id, text);
	cp_conf_forget(s->focus, conf);
}

static int
on_conf(struct step *s)
{
	struct cp_conf *conf = s->conf;

	switch (s->event->type) {
	case CP_EVENT_CLOSE:
		close_conf(s, conf);
		return 0;
	case CP_EVENT_LOCK:
		if (conf->is_locked == s->event->flag)
			return -EALREADY;
		conf->is_locked = s->event->flag;
		break;
	default: /* MIX_POLICY */
		if (s->event->value < 0 || s->event->value > UINT16_MAX || s->event->value2 < 0 ||
		    s->event->value2 > UINT16_MAX)
			return -EINVAL;
		conf->loudest_n = (uint16_t)s->event->value;
		conf->small_size = (uint16_t)s->event->value2;
		if (conf->is_installed)
			cp_effects_conf(s->out, CP_EFFECT_CONF_UPDATE, conf->id);
	}
	notice_conf(s, CP_NOTICE_CONF, conf->id, NULL);
	return 0;
}

/* The one who is on hold, or only listens, need not send: the media plane knows directions and does not complain of those. */
static int
on_lost(struct step *s)
{
	struct cp_leg *leg = s->leg;

	if (leg->state == CP_LEG_JOINING)
		return 0;
	leg->has_media = leg->is_talking = false;
	leg->lost_ms = s->now_ms;
	if (leg->is_held || s->focus->limits.keeps_dead_legs)
		cp_effects_notice(s->out, CP_NOTICE_CHANGED, leg, "no media");
	else
		cp_leg_release(s->focus, leg, "No media was received", s->out);
	return 0;
}

static int
on_dtmf(struct step *s)
{
	struct cp_effect *effect;

	s->leg->dtmf_count++;
	s->leg->last_dtmf = (uint8_t)s->event->value;
	cp_effects_notice(s->out, CP_NOTICE_DTMF, s->leg, NULL);
	if (s->out->has_failed)
		return -ENOMEM;
	effect = &s->out->items[s->out->count - 1];
	effect->value = s->event->value;
	effect->value2 = s->event->value2;
	return 0;
}

static int
on_talkers(struct step *s)
{
	for (struct cp_leg *leg = s->conf->legs; leg != NULL; leg = leg->next)
		leg->is_talking = false;
	for (size_t i = 0; i < s->event->id_count; i++) {
		struct cp_leg *leg = cp_leg_by_id(s->focus, s->event->ids[i]);

		if (leg != NULL && leg->conf == s->conf)
			leg->is_talking = true;
	}
	notice_conf(s, CP_NOTICE_TALKERS, s->conf->id, NULL);
	return 0;
}

/* The media plane says something about a leg. */
static int
on_media(struct step *s)
{
	struct cp_leg *leg = s->leg;

	switch (s->event->type) {
	case CP_EVENT_FIRST_MEDIA:
	case CP_EVENT_MEDIA_BACK:
		leg->has_media = true;
		leg->lost_ms = 0;
		cp_effects_notice(s->out, CP_NOTICE_CHANGED, leg, "media");
		return 0;
	case CP_EVENT_MEDIA_LOST:
		return on_lost(s);
	case CP_EVENT_MEDIA_BYE:
		/* with a dialog its BYE decides; without one this is the farewell */
		if (leg->state == CP_LEG_ADOPTED)
			cp_leg_end(s->focus, leg, "left", s->out);
		return 0;
	case CP_EVENT_DTMF:
		return on_dtmf(s);
	default: /* KEY_SOON */
		if (leg->state == CP_LEG_CONNECTED)
			cp_effects_leg(s->out, CP_EFFECT_REKEY, leg, NULL);
		return 0;
	}
}

static int
on_tick(struct step *s)
{
	struct cp_conf *conf, *next_conf;
	struct cp_leg *leg, *next;

	for (conf = s->focus->first; conf != NULL; conf = next_conf) {
		next_conf = conf->next;
		for (leg = conf->legs; leg != NULL; leg = next) {
			next = leg->next;
			if (leg->deadline_ms == 0 || s->now_ms < leg->deadline_ms)
				continue;
			/* the last leg of an adopted conference takes it along: next is NULL then */
			cp_leg_release(s->focus, leg,
				       leg->state == CP_LEG_ADOPTED
					       ? "No call belongs to this media any more"
					       : "The call was not set up in time",
				       s->out);
		}
	}
	return 0;
}

static int
on_leg(struct step *s)
{
	const char *text = s->event->text;

	switch (s->event->type) {
	case CP_EVENT_CONNECTED:
		return on_connected(s);
	case CP_EVENT_CHANGED:
		return on_changed(s);
	case CP_EVENT_GONE:
		cp_leg_end(s->focus, s->leg, text ? text : "left", s->out);
		return 0;
	case CP_EVENT_REMOVE:
		cp_leg_release(s->focus, s->leg, text ? text : "Removed by the operator", s->out);
		return 0;
	case CP_EVENT_MUTE:
	case CP_EVENT_DEAF:
	case CP_EVENT_GAIN:
		return on_mix(s);
	default:
		return on_media(s);
	}
}

static int
dispatch(struct step *s, struct cp_leg **leg_out)
{
	switch (s->event->type) {
	case CP_EVENT_JOIN:
		return on_join(s, leg_out);
	case CP_EVENT_TICK:
		return on_tick(s);
	case CP_EVENT_CLOSE_ALL:
		while (s->focus->first != NULL)
			close_conf(s, s->focus->first);
		return 0;
	case CP_EVENT_CLOSE:
	case CP_EVENT_LOCK:
	case CP_EVENT_MIX_POLICY:
		return s->conf ? on_conf(s) : -ENOENT;
	case CP_EVENT_TALKERS:
		return s->conf ? on_talkers(s) : -ENOENT;
	case CP_EVENT_AUDIT_BEGIN:
	case CP_EVENT_AUDIT_CONF:
	case CP_EVENT_AUDIT_LEG:
	case CP_EVENT_AUDIT_END:
		return cp_conf_audit(s->focus, s->event, s->now_ms, s->out);
	default:
		return s->leg ? on_leg(s) : -ENOENT;
	}
}

int
cp_conf_handle(struct cp_focus *focus, const struct cp_event *event, int64_t now_ms,
	       struct cp_effects *out, struct cp_leg **leg_out)
{
	struct step s = {.focus = focus, .event = event, .now_ms = now_ms, .out = out};
	struct cp_leg *leg = NULL;
	int error;

	s.leg = event->leg ? cp_leg_by_id(focus, event->leg) : NULL;
	s.conf = event->conf ? cp_conf_by_id(focus, event->conf) : NULL;
	error = dispatch(&s, &leg);
	if (leg_out != NULL)
		*leg_out = leg;
	return error == 0 && out->has_failed ? -ENOMEM : error;
}
