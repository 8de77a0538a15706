/* What all kinds of events share: who did it, and telling others. */
#include <errno.h>
#include <stdio.h>
#include "ctrlplane/conf/focus_state.h"

const char *
cp_step_by(const struct cp_step *s)
{
	return s->event->by != NULL ? s->event->by : s->event->actor != NULL ? s->event->actor : "";
}

int
cp_step_check(const struct cp_step *s, const struct cp_conf *conf, enum cp_conf_action action)
{
	return s->event->actor == NULL || cp_conf_may(conf, s->event->actor, action) ? 0 : -EACCES;
}

static void
put(struct cp_effect *effect, const char *text, const char *by)
{
	snprintf(effect->text, sizeof(effect->text), "%s", text ? text : "");
	snprintf(effect->by, sizeof(effect->by), "%s", by);
}

void
cp_step_audit(struct cp_step *s, const struct cp_conf *conf, const struct cp_leg *leg,
	      const char *text)
{
	struct cp_effect *effect = cp_effects_add(s->out, CP_EFFECT_AUDIT);

	if (effect == NULL)
		return;
	effect->conf = conf->id;
	effect->leg = leg ? leg->id : 0;
	put(effect, text, cp_step_by(s));
}

void
cp_step_notice(struct cp_step *s, enum cp_notice notice, uint32_t conf, const char *text)
{
	struct cp_effect *effect = cp_effects_add(s->out, CP_EFFECT_NOTICE);

	if (effect == NULL)
		return;
	effect->notice = notice;
	effect->conf = conf;
	put(effect, text, cp_step_by(s));
}

void
cp_step_prompt(struct cp_step *s, const struct cp_conf *conf, const struct cp_leg *leg,
	       enum cp_prompt prompt, int32_t value)
{
	struct cp_effect *effect = cp_effects_add(s->out, CP_EFFECT_PROMPT);

	if (effect == NULL)
		return;
	effect->conf = conf->id;
	effect->leg = leg ? leg->id : 0;
	effect->prompt = prompt;
	effect->value = value;
}
