/*
 * Taking stock of the media plane. First time after our start: what runs there without us is adopted. Later: what
 * runs there without us was removed while we were apart, and goes. What does not run there any more is installed anew.
 */
#include <errno.h>
#include <stdio.h>
#include "ctrlplane/conf/focus_state.h"

static void
begin(struct cp_focus *focus)
{
	for (struct cp_conf *conf = focus->first; conf != NULL; conf = conf->next) {
		conf->was_seen = false;
		for (struct cp_leg *leg = conf->legs; leg != NULL; leg = leg->next)
			leg->was_seen = false;
	}
}

static bool
may_adopt(const struct cp_focus *focus)
{
	return !focus->was_audited && focus->limits.adopted_ms > 0;
}

/* Issued in this life: it joined and left while the audit was under way. */
static bool
was_ours(const struct cp_focus *focus, uint32_t leg)
{
	uint32_t issued = (focus->leg_ids.next - focus->leg_start) & 0x7fffffffu;

	return ((leg - focus->leg_start) & 0x7fffffffu) < issued;
}

static int
see_conf(struct cp_focus *focus, uint32_t id, int64_t now_ms, struct cp_effects *out)
{
	struct cp_conf *conf = cp_conf_by_id(focus, id);
	char user[32];

	if (conf == NULL && may_adopt(focus)) {
		snprintf(user, sizeof(user), "adopted-%08x", id);
		conf = cp_conf_insert(focus, id, user);
		if (conf == NULL)
			return -ENOMEM;
		conf->origin = CP_CONF_ADOPTED;
		conf->created_ms = now_ms;
	}
	if (conf == NULL) {
		cp_effects_conf(out, CP_EFFECT_CONF_DESTROY, id);
		return 0;
	}
	conf->was_seen = conf->is_installed = true;
	return 0;
}

static int
see_leg(struct cp_focus *focus, const struct cp_event *event, int64_t now_ms,
	struct cp_effects *out)
{
	struct cp_conf *conf = cp_conf_by_id(focus, event->conf);
	struct cp_leg *leg = cp_leg_by_id(focus, event->leg);
	struct cp_effect *effect;

	if (leg == NULL && conf != NULL && may_adopt(focus) && !was_ours(focus, event->leg)) {
		leg = cp_leg_insert(focus, conf, event->leg);
		if (leg == NULL)
			return -ENOMEM;
		leg->state = CP_LEG_ADOPTED;
		leg->joined_ms = now_ms;
		leg->deadline_ms = now_ms + focus->limits.adopted_ms;
		leg->has_media = true;
		cp_effects_notice(out, CP_NOTICE_ADOPTED, leg, NULL);
	}
	if (leg != NULL) {
		leg->was_seen = leg->is_installed = true;
	} else if (conf != NULL && (effect = cp_effects_add(out, CP_EFFECT_LEG_REMOVE)) != NULL) {
		/* an unknown conference has been destroyed with all its legs */
		effect->conf = event->conf;
		effect->leg = event->leg;
	}
	return 0;
}

/* The media plane lost this one. */
static void
restore(struct cp_focus *focus, struct cp_leg *leg, struct cp_effects *out)
{
	leg->is_installed = false;
	leg->has_media = leg->is_talking = false;
	if (leg->state == CP_LEG_CONNECTED) {
		cp_leg_install(leg, out);
		cp_effects_leg(out, CP_EFFECT_REKEY, leg, NULL);
		return;
	}
	/* keys of an offer under way, or no dialog to agree new ones in */
	cp_leg_release(focus, leg, "The media server restarted", out);
}

static void
end_of_conf(struct cp_focus *focus, struct cp_conf *conf, struct cp_effects *out)
{
	struct cp_leg *leg, *next;
	bool is_empty = conf->origin == CP_CONF_ADOPTED && conf->leg_count == 0;

	if (!conf->was_seen)
		conf->is_installed = false;
	if (is_empty) {
		if (conf->is_installed)
			cp_effects_conf(out, CP_EFFECT_CONF_DESTROY, conf->id);
		cp_conf_forget(focus, conf);
		return;
	}
	for (leg = conf->legs; leg != NULL; leg = next) {
		next = leg->next;
		if (leg->was_seen && focus->was_audited && leg->state != CP_LEG_ADOPTED)
			cp_effects_mix(out, leg); /* what was set while we were apart */
		else if (!leg->was_seen)
			restore(focus, leg,
				out); /* the last of an adopted conference takes it along */
	}
}

static void
end(struct cp_focus *focus, struct cp_effects *out)
{
	struct cp_conf *conf, *next;

	for (conf = focus->first; conf != NULL; conf = next) {
		next = conf->next;
		end_of_conf(focus, conf, out);
	}
	focus->was_audited = true;
}

int
cp_conf_audit(struct cp_focus *focus, const struct cp_event *event, int64_t now_ms,
	      struct cp_effects *out)
{
	switch (event->type) {
	case CP_EVENT_AUDIT_BEGIN:
		begin(focus);
		return 0;
	case CP_EVENT_AUDIT_CONF:
		return see_conf(focus, event->conf, now_ms, out);
	case CP_EVENT_AUDIT_LEG:
		return see_leg(focus, event, now_ms, out);
	default:
		end(focus, out);
		return 0;
	}
}
