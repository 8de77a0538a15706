/* What carries a leg, and how it ends. */
#include <stdio.h>
#include <string.h>
#include "ctrlplane/conf/focus_state.h"

bool
cp_leg_has_floor(const struct cp_leg *leg, enum cp_conf_medium medium)
{
	uint8_t floors = cp_conf_floors_of(&leg->conf->floors, medium);

	return floors == 0 || leg->floors & floors;
}

bool
cp_leg_is_silenced(const struct cp_leg *leg)
{
	return leg->is_muted || leg->wait != CP_WAIT_NONE || leg->role == CP_ROLE_LISTENER ||
	       (leg->is_held && leg->conf->mutes_on_hold) ||
	       !cp_leg_has_floor(leg, CP_MEDIUM_AUDIO);
}

bool
cp_leg_is_deafened(const struct cp_leg *leg)
{
	return leg->is_deaf || leg->wait != CP_WAIT_NONE;
}

void
cp_leg_install(struct cp_leg *leg, struct cp_effects *out)
{
	if (!leg->conf->is_installed) {
		leg->conf->is_installed = true;
		cp_effects_conf(out, CP_EFFECT_CONF_INSTALL, leg->conf->id);
	}
	leg->is_installed = true;
	cp_effects_leg(out, CP_EFFECT_LEG_INSTALL, leg, NULL);
	if (cp_leg_is_silenced(leg) || cp_leg_is_deafened(leg) || leg->gain_cdb != 0)
		cp_effects_mix(out, leg);
}

/* Two hear each other again, or the last one is left alone. */
static void
tell_who_is_left(struct cp_step *s, struct cp_conf *conf)
{
	struct cp_leg *leg = conf->legs;

	cp_step_prompt(s, conf, NULL, CP_PROMPT_LEFT, 0);
	while (leg != NULL && !leg->is_in)
		leg = leg->next;
	if (conf->connected_count == 1 && leg != NULL)
		cp_step_prompt(s, conf, leg, CP_PROMPT_ALONE, 0);
}

static bool
is_creator_there(const struct cp_conf *conf)
{
	for (const struct cp_leg *leg = conf->legs; leg != NULL; leg = leg->next)
		if (leg->is_in && leg->role == CP_ROLE_CREATOR)
			return true;
	return false;
}

/* What the leaving of one means for all. */
static void
consider_end(struct cp_step *s, struct cp_conf *conf, const struct cp_leg *left)
{
	bool has_left =
		conf->has_creator && left->role == CP_ROLE_CREATOR && !is_creator_there(conf);

	if (has_left)
		conf->has_creator = false;
	if (conf->ending != NULL)
		return;
	if (conf->origin == CP_CONF_ADOPTED && conf->leg_count == 0)
		conf->ending = "left";
	else if (has_left && conf->ends_with_creator)
		conf->ending = "The creator has left";
	else if (conf->ends_when_empty && conf->was_joined && conf->leg_count == 0)
		conf->ending = "The last participant has left";
	if (conf->ending != NULL)
		s->focus->has_ending = true;
}

static void
take_end(struct cp_leg *leg, const struct cp_leg_end *end)
{
	leg->departure = end->departure;
	leg->left_status = end->status;
	snprintf(leg->left_reason, sizeof(leg->left_reason), "%s", end->text ? end->text : "");
	snprintf(leg->left_by, sizeof(leg->left_by), "%s", end->by ? end->by : "");
}

/* Out of the count, and remembered as gone. Its record is asked for while the media plane still has it. */
static void
retire(struct cp_step *s, struct cp_leg *leg, const struct cp_leg_end *end)
{
	take_end(leg, end);
	cp_effects_leg(s->out, CP_EFFECT_RECORD, leg, NULL);
	if (leg->is_in)
		leg->conf->connected_count--;
	leg->is_in = leg->is_talking = false;
}

static void
tell_left(struct cp_step *s, const struct cp_leg *leg, const struct cp_leg_end *end)
{
	struct cp_effect *effect;
	size_t at = s->out->count;

	cp_effects_notice(s->out, CP_NOTICE_LEFT, leg, end->text);
	if (s->out->count == at)
		return;
	effect = &s->out->items[at];
	effect->value = (int32_t)end->departure;
	snprintf(effect->by, sizeof(effect->by), "%s", end->by ? end->by : "");
}

void
cp_leg_end(struct cp_step *s, struct cp_leg *leg, const struct cp_leg_end *end)
{
	struct cp_conf *conf = leg->conf;
	bool was_in = leg->is_in;

	retire(s, leg, end);
	if (leg->is_installed)
		cp_effects_leg(s->out, CP_EFFECT_LEG_REMOVE, leg, NULL);
	tell_left(s, leg, end);
	cp_leg_retire(s->focus, leg, s->now_ms);
	consider_end(s, conf, leg);
	if (was_in && conf->announces && conf->ending == NULL && conf->connected_count > 0)
		tell_who_is_left(s, conf);
}

static void
release_dialog(struct cp_step *s, const struct cp_leg *leg, const struct cp_leg_end *end)
{
	size_t at = s->out->count;

	cp_effects_leg(s->out, CP_EFFECT_RELEASE, leg, end->text);
	if (s->out->count > at)
		s->out->items[at].value = end->status ? end->status : 200;
}

void
cp_leg_release(struct cp_step *s, struct cp_leg *leg, const struct cp_leg_end *end)
{
	release_dialog(s, leg, end);
	cp_leg_end(s, leg, end);
}

static void
destroy(struct cp_step *s, const struct cp_conf *conf)
{
	if (conf->is_installed)
		cp_effects_conf(s->out, CP_EFFECT_CONF_DESTROY, conf->id);
}

void
cp_conf_close(struct cp_step *s, struct cp_conf *conf, const char *text, bool has_end)
{
	struct cp_leg_end end = {.departure = CP_BOOTED, .text = text, .by = cp_step_by(s)};
	struct cp_effect *effect;

	while (conf->legs != NULL) {
		struct cp_leg *leg = conf->legs;

		release_dialog(s, leg, &end);
		retire(s, leg, &end);
		tell_left(s, leg, &end);
		cp_leg_retire(s->focus, leg, s->now_ms);
	}
	destroy(s, conf);
	cp_step_notice(s, CP_NOTICE_CLOSED, conf->id, text);
	if (has_end && (effect = cp_effects_add(s->out, CP_EFFECT_DROP_CONF)) != NULL) {
		effect->conf = conf->id;
		snprintf(effect->text, sizeof(effect->text), "%s", conf->user);
	}
	cp_conf_retire(s->focus, conf);
}

void
cp_conf_close_ending(struct cp_step *s)
{
	struct cp_conf *conf, *next;
	char text[CP_CONF_REASON_MAX];

	if (!s->focus->has_ending)
		return;
	s->focus->has_ending = false;
	for (conf = s->focus->first; conf != NULL; conf = next) {
		next = conf->next;
		if (conf->ending == NULL)
			continue;
		if (conf->origin == CP_CONF_ADOPTED) {
			destroy(s, conf);
			cp_conf_retire(s->focus, conf);
		} else {
			snprintf(text, sizeof(text), "closed: %s", conf->ending);
			cp_conf_close(s, conf, conf->ending, true);
			cp_step_audit(s, conf, NULL, text);
		}
	}
}
