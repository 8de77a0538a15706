/*
 * Taking stock of the media plane. First time after our start: what runs there without us is adopted. Later: what
 * runs there without us was removed while we were apart, and goes. What does not run there any more is installed anew.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
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

/* Of our life before: off the list of those. NULL: we did not know it. */
static struct cp_leg *
recall(struct cp_focus *focus, const struct cp_conf *conf, uint32_t id)
{
	for (struct cp_leg **at = &focus->remembered; *at != NULL; at = &(*at)->next) {
		struct cp_leg *leg = *at;

		if (leg->id != id || leg->conf != conf)
			continue;
		*at = leg->next;
		return leg;
	}
	return NULL;
}

/* What we knew of it goes on; state of media and of the dialog does not. */
static void
take_past(struct cp_leg *leg, const struct cp_leg *past)
{
	struct cp_leg was = *leg;

	*leg = *past;
	leg->by_id = was.by_id;
	leg->next = was.next;
	leg->link = was.link;
	leg->conf = was.conf;
	leg->id = was.id;
	leg->is_in = leg->is_talking = leg->is_installed = false;
	leg->departure = CP_DEPARTURE_NONE;
	leg->left_ms = leg->lost_ms = 0;
}

static void
adopt(struct cp_step *s, struct cp_leg *leg)
{
	struct cp_conf *conf = leg->conf;
	struct cp_leg *past = recall(s->focus, conf, leg->id);

	if (past != NULL)
		take_past(leg, past);
	else
		leg->user_id = leg->id;
	free(past);
	leg->state = CP_LEG_ADOPTED;
	if (leg->joined_ms == 0)
		leg->joined_ms = s->now_ms;
	leg->deadline_ms = s->now_ms + s->focus->limits.adopted_ms;
	leg->has_media = true;
	leg->is_in = leg->wait == CP_WAIT_NONE;
	conf->connected_count += leg->is_in;
	conf->was_joined |= leg->is_in;
	conf->has_creator |= leg->is_in && leg->role == CP_ROLE_CREATOR;
	cp_effects_notice(s->out, CP_NOTICE_ADOPTED, leg, NULL);
}

static int
see_leg(struct cp_step *s)
{
	const struct cp_event *event = s->event;
	struct cp_conf *conf = s->conf;
	struct cp_leg *leg = s->leg;
	struct cp_effect *effect;

	if (leg == NULL && conf != NULL && may_adopt(s->focus) && !was_ours(s->focus, event->leg)) {
		leg = cp_leg_insert(s->focus, conf, event->leg);
		if (leg == NULL)
			return -ENOMEM;
		adopt(s, leg);
	}
	if (leg != NULL) {
		leg->was_seen = leg->is_installed = true;
	} else if (conf != NULL &&
		   (effect = cp_effects_add(s->out, CP_EFFECT_LEG_REMOVE)) != NULL) {
		/* an unknown conference has been destroyed with all its legs */
		effect->conf = event->conf;
		effect->leg = event->leg;
	}
	return 0;
}

/* The media plane lost this one. */
static void
restore(struct cp_step *s, struct cp_leg *leg)
{
	struct cp_leg_end end = {.departure = CP_FAILED, .text = "The media server restarted"};

	leg->is_installed = false;
	leg->has_media = leg->is_talking = false;
	if (leg->state == CP_LEG_CONNECTED) {
		cp_leg_install(leg, s->out);
		cp_effects_leg(s->out, CP_EFFECT_REKEY, leg, NULL);
		return;
	}
	/* keys of an offer under way, or no dialog to agree new ones in */
	cp_leg_release(s, leg, &end);
}

static void
end_of_conf(struct cp_step *s, struct cp_conf *conf)
{
	struct cp_leg *leg, *next;

	if (!conf->was_seen)
		conf->is_installed = false;
	if (conf->ends_when_empty && conf->was_joined && conf->leg_count == 0 &&
	    conf->ending == NULL) { /* the last one left with nobody to see it */
		conf->ending = "The last participant has left";
		s->focus->has_ending = true;
	}
	if (conf->origin == CP_CONF_ADOPTED && conf->leg_count == 0) {
		conf->ending = "left";
		s->focus->has_ending = true;
		return;
	}
	for (leg = conf->legs; leg != NULL; leg = next) {
		next = leg->next;
		if (leg->was_seen && s->focus->was_audited && leg->state != CP_LEG_ADOPTED)
			cp_effects_mix(s->out, leg); /* what was set while we were apart */
		else if (!leg->was_seen)
			restore(s, leg);
	}
}

/* Whose media ended while we were away: into the records, with the end that is known best. */
static void
miss(struct cp_step *s, struct cp_leg *past)
{
	struct cp_leg_end end = {.departure = CP_FAILED,
				 .text = "Ended while the server was restarting"};
	struct cp_leg *leg = cp_leg_by_id(s->focus, past->id) == NULL
				     ? cp_leg_insert(s->focus, past->conf, past->id)
				     : NULL;

	if (leg != NULL) {
		take_past(leg, past);
		if (leg->role == CP_ROLE_CREATOR && leg->wait == CP_WAIT_NONE)
			leg->conf->has_creator = true; /* and leaves it now */
		cp_leg_release(s, leg, &end);
	}
	free(past);
}

static void
end(struct cp_step *s)
{
	struct cp_focus *focus = s->focus;

	while (focus->remembered != NULL) {
		struct cp_leg *past = focus->remembered;

		focus->remembered = past->next;
		miss(s, past);
	}
	for (struct cp_conf *conf = focus->first; conf != NULL; conf = conf->next)
		end_of_conf(s, conf);
	focus->was_audited = true;
}

int
cp_conf_audit(struct cp_step *s)
{
	switch (s->event->type) {
	case CP_EVENT_AUDIT_BEGIN:
		begin(s->focus);
		return 0;
	case CP_EVENT_AUDIT_CONF:
		return see_conf(s->focus, s->event->conf, s->now_ms, s->out);
	case CP_EVENT_AUDIT_LEG:
		return see_leg(s);
	default:
		end(s);
		return 0;
	}
}
