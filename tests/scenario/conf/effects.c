/* Effects as words, in their order: "joined alice, save alice, prompt joined". */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tests/scenario/conf/world.h"

void
world_say(struct world *w, const char *format, ...)
{
	size_t len = strlen(w->text);
	va_list args;

	if (len > 0 && len + 2 < sizeof(w->text))
		len += (size_t)snprintf(w->text + len, sizeof(w->text) - len, ", ");
	va_start(args, format);
	vsnprintf(w->text + len, sizeof(w->text) - len, format, args);
	va_end(args);
}

static const char *
status_text(const struct world *w, uint32_t id)
{
	const struct cp_leg *leg = cp_leg_gone(w->focus, id);
	static char text[64];

	snprintf(text, sizeof(text), "%s", leg ? cp_departure_name(leg->departure) : "?");
	return text;
}

static void
write_notice(struct world *w, const struct cp_effect *e)
{
	const char *who = world_label(w, e->leg);

	switch (e->notice) {
	case CP_NOTICE_ADDED:
		world_say(w, "added %s", who);
		break;
	case CP_NOTICE_JOINED:
		world_say(w, "joined %s", who);
		break;
	case CP_NOTICE_LEFT:
		world_say(w, "left %s %s: %s", who, status_text(w, e->leg), e->text);
		break;
	case CP_NOTICE_CHANGED:
		world_say(w, "changed %s%s%s", who, *e->text ? " " : "", e->text);
		break;
	case CP_NOTICE_WAITING:
		world_say(w, "waiting %s for %s", who, e->text);
		break;
	case CP_NOTICE_ADOPTED:
		world_say(w, "adopted %s", who);
		break;
	case CP_NOTICE_CONF:
		world_say(w, "conf changed%s%s", *e->text ? " " : "", e->text);
		break;
	case CP_NOTICE_LIST:
		world_say(w, "list changed");
		break;
	case CP_NOTICE_CLOSED:
		world_say(w, "closed: %s", e->text);
		break;
	case CP_NOTICE_DTMF:
		world_say(w, "key %d of %s", e->value, who);
		break;
	case CP_NOTICE_TALKERS:
		world_say(w, "talkers");
		break;
	case CP_NOTICE_FLOOR:
	case CP_NOTICE_CHAT:
	case CP_NOTICES:
		break;
	}
}

static void
write_prompt(struct world *w, const struct cp_effect *e)
{
	char value[32] = "";

	if (e->prompt == CP_PROMPT_JOINED)
		snprintf(value, sizeof(value), " but %s", world_label(w, (uint32_t)e->value));
	else if (e->value != 0)
		snprintf(value, sizeof(value), " %d", e->value);
	world_say(w, "prompt %s to %s%s%s%s", cp_prompt_name(e->prompt),
		  e->leg ? world_label(w, e->leg) : "all", value, *e->text ? " " : "", e->text);
}

static void
write_effect(struct world *w, const struct cp_effect *e)
{
	static const char *const plain[CP_EFFECT_TYPES] = {
		[CP_EFFECT_CONF_INSTALL] = "conf+",
		[CP_EFFECT_CONF_UPDATE] = "conf~",
		[CP_EFFECT_CONF_DESTROY] = "conf-",
		[CP_EFFECT_SAVE_CONF] = "save conf",
	};
	static const char *const of_leg[CP_EFFECT_TYPES] = {
		[CP_EFFECT_LEG_INSTALL] = "leg+", [CP_EFFECT_LEG_UPDATE] = "leg~",
		[CP_EFFECT_LEG_REMOVE] = "leg-",  [CP_EFFECT_REKEY] = "rekey",
		[CP_EFFECT_SAVE_LEG] = "save",	  [CP_EFFECT_RECORD] = "record",
	};
	const char *who = world_label(w, e->leg);

	if (plain[e->type] != NULL)
		world_say(w, "%s", plain[e->type]);
	else if (of_leg[e->type] != NULL)
		world_say(w, "%s %s", of_leg[e->type], who);
	else if (e->type == CP_EFFECT_LEG_MIX)
		world_say(w, "mix %s%s%s%s", who, e->is_muted ? " muted" : "",
			  e->is_deaf ? " deaf" : "", e->is_muted || e->is_deaf ? "" : " open");
	else if (e->type == CP_EFFECT_RELEASE)
		world_say(w, "release %s %d", who, e->value);
	else if (e->type == CP_EFFECT_NOTICE)
		write_notice(w, e);
	else if (e->type == CP_EFFECT_PROMPT)
		write_prompt(w, e);
	else if (e->type == CP_EFFECT_PROMPT_STOP)
		world_say(w, "stop %s", cp_prompt_name(e->prompt));
	else if (e->type == CP_EFFECT_DROP_CONF)
		world_say(w, "drop %s", e->text);
	else if (e->type == CP_EFFECT_AUDIT)
		world_say(w, "audit '%s'%s%s", e->text, *e->by ? " by " : "", e->by);
}

void
world_write_effects(struct world *w)
{
	for (size_t i = 0; i < w->effects.count; i++)
		write_effect(w, &w->effects.items[i]);
	cp_effects_clear(&w->effects);
}
