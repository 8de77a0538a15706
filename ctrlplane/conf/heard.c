/* What the media plane says: media, keys, digits, who talks. */
#include <errno.h>
#include "ctrlplane/conf/focus_state.h"

/* The one who is on hold, or only listens, need not send: the media plane knows directions and does not complain of those. */
static int
on_lost(struct cp_step *s)
{
	struct cp_leg_end end = {.departure = CP_FAILED, .text = "No media was received"};
	struct cp_leg *leg = s->leg;

	if (leg->state != CP_LEG_CONNECTED && leg->state != CP_LEG_ADOPTED)
		return 0;
	leg->has_media = leg->is_talking = false;
	leg->lost_ms = s->now_ms;
	if (leg->is_held || s->focus->limits.keeps_dead_legs)
		cp_effects_notice(s->out, CP_NOTICE_CHANGED, leg, "no media");
	else
		cp_leg_release(s, leg, &end);
	return 0;
}

static int
on_dtmf(struct cp_step *s)
{
	struct cp_leg *leg = s->leg;
	struct cp_effect *effect;

	leg->dtmf_count++;
	if (leg->wait == CP_WAIT_PIN) {
		if (leg->state == CP_LEG_CONNECTED || leg->state == CP_LEG_ADOPTED)
			cp_leg_take_digit(s, leg, s->event->value);
		return 0;
	}
	leg->last_dtmf = (uint8_t)s->event->value;
	cp_effects_notice(s->out, CP_NOTICE_DTMF, leg, NULL);
	if (s->out->has_failed)
		return -ENOMEM;
	effect = &s->out->items[s->out->count - 1];
	effect->value = s->event->value;
	effect->value2 = s->event->value2;
	return 0;
}

static int
on_talkers(struct cp_step *s)
{
	for (struct cp_leg *leg = s->conf->legs; leg != NULL; leg = leg->next)
		leg->is_talking = false;
	for (size_t i = 0; i < s->event->id_count; i++) {
		struct cp_leg *leg = cp_leg_by_id(s->focus, s->event->ids[i]);

		if (leg != NULL && leg->conf == s->conf)
			leg->is_talking = true;
	}
	cp_step_notice(s, CP_NOTICE_TALKERS, s->conf->id, NULL);
	return 0;
}

int
cp_conf_on_media(struct cp_step *s)
{
	struct cp_leg *leg = s->leg;

	if (s->event->type == CP_EVENT_TALKERS)
		return s->conf ? on_talkers(s) : -ENOENT;
	if (leg == NULL)
		return -ENOENT;
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
		/* with a call its BYE decides; without one this is the farewell */
		if (leg->state == CP_LEG_ADOPTED)
			cp_leg_release(
				s, leg,
				&(struct cp_leg_end){.departure = CP_DEPARTED, .text = "left"});
		return 0;
	case CP_EVENT_DTMF:
		return on_dtmf(s);
	default: /* KEY_SOON */
		if (leg->state == CP_LEG_CONNECTED)
			cp_effects_leg(s->out, CP_EFFECT_REKEY, leg, NULL);
		return 0;
	}
}
