/* Time: deadlines of legs, start and end of conferences with warnings, and forgetting. */
#include <stdio.h>
#include "ctrlplane/conf/focus_state.h"

#define MINUTE_MS 60000
#define FORGIVE_MS 10000

/* When the end is nearer than that, and has not been said yet, it is said. */
static const int32_t warnings_min[] = {1, 5, 10};

/* Why a leg's time is up. */
static struct cp_leg_end
end_of_time(const struct cp_leg *leg)
{
	struct cp_leg_end end = {.departure = CP_FAILED, .status = 408};

	switch (leg->wait) {
	case CP_WAIT_PIN:
		end = (struct cp_leg_end){CP_BOOTED, 403, "No PIN was entered", NULL};
		break;
	case CP_WAIT_LOBBY:
		end = (struct cp_leg_end){CP_BOOTED, 480, "Nobody let you in", NULL};
		break;
	case CP_WAIT_GOODBYE:
		end = (struct cp_leg_end){CP_BOOTED, 403, "The PIN was wrong", NULL};
		break;
	case CP_WAIT_NONE:
		end.text = "The call was not set up in time";
		break;
	}
	if (leg->state == CP_LEG_ADOPTED)
		end = (struct cp_leg_end){CP_FAILED, 0, "No call belongs to this media any more",
					  NULL};
	else if (leg->state != CP_LEG_CONNECTED)
		end = (struct cp_leg_end){CP_FAILED, 408, "The call was not set up in time", NULL};
	return end;
}

static void
check_legs(struct cp_step *s, struct cp_conf *conf)
{
	struct cp_leg *leg, *next;

	for (leg = conf->legs; leg != NULL; leg = next) {
		next = leg->next;
		if (leg->deadline_ms != 0 && s->now_ms >= leg->deadline_ms) {
			struct cp_leg_end end = end_of_time(leg);

			cp_leg_release(s, leg, &end);
		}
	}
}

static void
warn(struct cp_step *s, struct cp_conf *conf, int64_t left_ms)
{
	for (size_t i = 0; i < sizeof(warnings_min) / sizeof(warnings_min[0]); i++) {
		int32_t minutes = warnings_min[i];
		char text[CP_CONF_REASON_MAX];

		if (left_ms > (int64_t)minutes * MINUTE_MS)
			continue;
		if (conf->warned_min != 0 && conf->warned_min <= minutes)
			return;
		conf->warned_min = minutes;
		/* one that begins when little is left, or was forgotten for a while: what is true */
		minutes = (int32_t)((left_ms + MINUTE_MS - 1) / MINUTE_MS);
		snprintf(text, sizeof(text), "ends in %d min", minutes);
		cp_step_notice(s, CP_NOTICE_CONF, conf->id, text);
		if (conf->announces && conf->connected_count > 0)
			cp_step_prompt(s, conf, NULL, CP_PROMPT_ENDS_IN, minutes);
		return;
	}
}

/* Wrong PINs, one after the other. */
static void
forgive(struct cp_step *s, struct cp_conf *conf)
{
	if (conf->pin_wrong == 0 || s->now_ms - conf->pin_wrong_ms < FORGIVE_MS)
		return;
	conf->pin_wrong--;
	conf->pin_wrong_ms = s->now_ms;
}

static void
check_conf(struct cp_step *s, struct cp_conf *conf)
{
	int64_t wall_ms = cp_focus_wall_ms(s->focus, s->now_ms);
	const char *why = NULL;

	check_legs(s, conf);
	forgive(s, conf);
	cp_conf_trim_gone(s->focus, conf, s->now_ms, false);
	if (conf->end_ms != 0 && wall_ms >= conf->end_ms)
		why = "The time of the conference is over";
	else if (conf->end_ms != 0)
		warn(s, conf, conf->end_ms - wall_ms);
	if (conf->origin == CP_CONF_FACTORY && !conf->was_joined && conf->leg_count == 0 &&
	    s->now_ms - conf->created_ms >= s->focus->limits.unjoined_ms)
		why = "Nobody joined";
	if (why != NULL && conf->ending == NULL) {
		conf->ending = why;
		s->focus->has_ending = true;
	}
}

int
cp_conf_on_tick(struct cp_step *s)
{
	s->focus->tick++;
	cp_focus_trim_closed(s->focus, false);
	for (struct cp_conf *conf = s->focus->first; conf != NULL; conf = conf->next)
		check_conf(s, conf);
	return 0;
}
