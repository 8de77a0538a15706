/* The list of effects. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/conf/focus_state.h"

#define FIRST_ROOM 16

struct cp_effect *
cp_effects_add(struct cp_effects *out, enum cp_effect_type type)
{
	struct cp_effect *effect;

	if (out->count == out->room) {
		size_t room = out->room ? out->room * 2 : FIRST_ROOM;
		struct cp_effect *items = realloc(out->items, room * sizeof(*items));

		if (items == NULL) {
			out->has_failed = true;
			return NULL;
		}
		out->items = items;
		out->room = room;
	}
	effect = &out->items[out->count++];
	memset(effect, 0, sizeof(*effect));
	effect->type = type;
	return effect;
}

void
cp_effects_conf(struct cp_effects *out, enum cp_effect_type type, uint32_t conf)
{
	struct cp_effect *effect = cp_effects_add(out, type);

	if (effect != NULL)
		effect->conf = conf;
}

void
cp_effects_leg(struct cp_effects *out, enum cp_effect_type type, const struct cp_leg *leg,
	       const char *text)
{
	struct cp_effect *effect = cp_effects_add(out, type);

	if (effect == NULL)
		return;
	effect->conf = leg->conf->id;
	effect->leg = leg->id;
	snprintf(effect->text, sizeof(effect->text), "%s", text ? text : "");
}

void
cp_effects_notice(struct cp_effects *out, enum cp_notice notice, const struct cp_leg *leg,
		  const char *text)
{
	size_t before = out->count;

	cp_effects_leg(out, CP_EFFECT_NOTICE, leg, text);
	if (out->count > before)
		out->items[before].notice = notice;
}

void
cp_effects_mix(struct cp_effects *out, const struct cp_leg *leg)
{
	struct cp_effect *effect = cp_effects_add(out, CP_EFFECT_LEG_MIX);

	if (effect == NULL)
		return;
	effect->conf = leg->conf->id;
	effect->leg = leg->id;
	effect->is_muted = cp_leg_is_silenced(leg);
	effect->is_deaf = cp_leg_is_deafened(leg);
	effect->gain_cdb = leg->gain_cdb;
}

void
cp_effects_clear(struct cp_effects *effects)
{
	effects->count = 0;
	effects->has_failed = false;
}

void
cp_effects_fini(struct cp_effects *effects)
{
	free(effects->items);
	memset(effects, 0, sizeof(*effects));
}
