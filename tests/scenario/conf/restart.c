/* The control plane dies and comes back: what is stored is restored, and the media plane says what still runs there. */
#include <stdlib.h>
#include <string.h>
#include "tests/scenario/conf/world.h"

/* "restart without bob": his media ended meanwhile. */
static bool
runs_still(const struct world *w, uint32_t leg)
{
	for (size_t i = 2; i < w->word_count; i++)
		if (world_leg(w, w->words[i]) == leg)
			return false;
	return true;
}

static void
restore_conf(struct world *w, struct cp_focus *fresh, const struct cp_conf *old)
{
	struct cp_conf_settings settings = cp_conf_settings(old);
	struct cp_conf_past past = {
		.id = old->id,
		.origin = old->origin,
		.created_wall_ms = cp_focus_wall_ms(w->focus, old->created_ms),
		.was_joined = old->was_joined,
	};
	struct cp_conf_person *people = calloc(old->authorised_count + 1, sizeof(*people));
	struct cp_conf *conf;

	for (size_t i = 0; i < old->authorised_count; i++)
		people[i] = (struct cp_conf_person){.uri = old->authorised[i].identity,
						    .role = old->authorised[i].role};
	settings.people = people;
	settings.people_count = old->authorised_count;
	if (cp_conf_restore(&conf, fresh, &settings, &past, w->now_ms) != 0)
		abort();
	free(people);
	for (const struct cp_leg *leg = old->legs; leg != NULL; leg = leg->next)
		if (leg->connected_ms != 0 && cp_focus_remember(fresh, conf->id, leg) != 0)
			abort();
}

static void
take_stock(struct world *w, const struct cp_focus *old)
{
	struct cp_event event = {.type = CP_EVENT_AUDIT_BEGIN};

	world_handle(w, &event);
	for (const struct cp_conf *conf = cp_conf_first(old); conf != NULL; conf = conf->next) {
		event = (struct cp_event){.type = CP_EVENT_AUDIT_CONF, .conf = conf->id};
		if (conf->is_installed)
			world_handle(w, &event);
		for (const struct cp_leg *leg = conf->legs; leg != NULL; leg = leg->next) {
			event = (struct cp_event){
				.type = CP_EVENT_AUDIT_LEG, .conf = conf->id, .leg = leg->id};
			if (leg->is_installed && runs_still(w, leg->id))
				world_handle(w, &event);
		}
	}
	event = (struct cp_event){.type = CP_EVENT_AUDIT_END};
	world_handle(w, &event);
}

void
world_restart(struct world *w)
{
	struct cp_conf_limits limits = {.adopted_ms = 300000};
	struct cp_focus *old = w->focus, *fresh;

	if (cp_focus_create(&fresh, &limits, 90000) != 0)
		abort();
	cp_focus_set_wall(fresh, w->wall_ahead_ms);
	for (const struct cp_conf *conf = cp_conf_first(old); conf != NULL; conf = conf->next)
		restore_conf(w, fresh, conf);
	w->focus = fresh;
	take_stock(w, old);
	cp_focus_destroy(old);
}
