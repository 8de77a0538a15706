/* What joins, carries and ends a leg. */
#include <string.h>
#include "ctrlplane/conf/focus_state.h"

bool
cp_leg_is_silenced(const struct cp_leg *leg)
{
	return leg->is_muted || (leg->is_held && leg->conf->mutes_on_hold);
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
	if (cp_leg_is_silenced(leg) || leg->is_deaf || leg->gain_cdb != 0)
		cp_effects_mix(out, leg);
}

void
cp_leg_end(struct cp_focus *focus, struct cp_leg *leg, const char *text, struct cp_effects *out)
{
	struct cp_conf *conf = leg->conf;

	if (leg->is_installed)
		cp_effects_leg(out, CP_EFFECT_LEG_REMOVE, leg, NULL);
	cp_effects_notice(out, CP_NOTICE_LEFT, leg, text);
	cp_leg_forget(focus, leg);
	if (conf->origin == CP_CONF_ADOPTED && conf->leg_count == 0) {
		if (conf->is_installed)
			cp_effects_conf(out, CP_EFFECT_CONF_DESTROY, conf->id);
		cp_conf_forget(focus, conf);
	}
}

void
cp_leg_release(struct cp_focus *focus, struct cp_leg *leg, const char *text, struct cp_effects *out)
{
	if (leg->state != CP_LEG_ADOPTED)
		cp_effects_leg(out, CP_EFFECT_RELEASE, leg, text);
	cp_leg_end(focus, leg, text, out);
}
