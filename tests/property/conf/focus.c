/*
 * Random walks: whatever happens in whatever order, the counts are those of the lists, every leg that came goes once, with a
 * record and out of the media plane, and nobody is heard who must not be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>
#include "ctrlplane/conf/conf.h"

#define WALKS 60
#define STEPS 1500
#define LEGS_MAX 4096
#define NAMES 4
#define PEOPLE 6

static const char *const names[NAMES] = {"a", "b", "c", "d"};
static const char *const people[PEOPLE] = {"",	      "sip:boss@x", "sip:mod@x",
					   "sip:c@x", "tel:+49301", "sip:+49301@x"};

/* What a leg has been through, by what the effects said. */
struct life {
	uint32_t id;
	int added, left, records, installed, released;
	bool is_muted, is_deaf;
};

struct walk {
	struct cp_focus *focus;
	struct cp_effects effects;
	struct life lives[LEGS_MAX];
	size_t life_count;
	int64_t now_ms;
	uint64_t seed;
};

static uint32_t
luck(struct walk *w, uint32_t below)
{
	w->seed ^= w->seed << 13;
	w->seed ^= w->seed >> 7;
	w->seed ^= w->seed << 17;
	return (uint32_t)(w->seed % below);
}

static struct life *
life_of(struct walk *w, uint32_t id)
{
	for (size_t i = w->life_count; i-- > 0;)
		if (w->lives[i].id == id)
			return &w->lives[i];
	assert_true(w->life_count < LEGS_MAX);
	w->lives[w->life_count] = (struct life){.id = id};
	return &w->lives[w->life_count++];
}

/* All that the media plane had of a conference goes with it. */
static void
destroy(struct walk *w, uint32_t conf)
{
	for (size_t i = 0; i < w->life_count; i++) {
		const struct cp_leg *leg = cp_leg_gone(w->focus, w->lives[i].id);

		if (leg != NULL && leg->conf->id == conf)
			w->lives[i].installed = 0;
	}
}

static void
note(struct walk *w, const struct cp_effect *e)
{
	struct life *life = e->leg ? life_of(w, e->leg) : NULL;

	if (e->type == CP_EFFECT_LEG_INSTALL) {
		assert_int_equal(life->installed++, 0);
		life->is_muted = life->is_deaf = false;
	} else if (e->type == CP_EFFECT_LEG_REMOVE) {
		assert_int_equal(life->installed--, 1);
	} else if (e->type == CP_EFFECT_LEG_MIX) {
		life->is_muted = e->is_muted;
		life->is_deaf = e->is_deaf;
	} else if (e->type == CP_EFFECT_RELEASE) {
		assert_int_equal(life->released++, 0);
	} else if (e->type == CP_EFFECT_RECORD) {
		const struct cp_leg *leg = cp_leg_gone(w->focus, e->leg);

		assert_int_equal(life->records++, 0);
		assert_non_null(leg);
		assert_true(leg->departure != CP_DEPARTURE_NONE && leg->left_ms != 0);
	} else if (e->type == CP_EFFECT_CONF_DESTROY) {
		destroy(w, e->conf);
	} else if (e->type == CP_EFFECT_NOTICE && e->notice == CP_NOTICE_ADDED) {
		assert_int_equal(life->added++, 0);
	} else if (e->type == CP_EFFECT_NOTICE && e->notice == CP_NOTICE_LEFT) {
		assert_int_equal(life->left++, 0);
		assert_int_equal(life->records, 1);
	} else if (e->type == CP_EFFECT_PROMPT && e->leg != 0) {
		assert_true(cp_leg_by_id(w->focus, e->leg) || cp_leg_gone(w->focus, e->leg));
	}
}

static void
check_leg(struct walk *w, const struct cp_leg *leg)
{
	const struct life *life = life_of(w, leg->id);
	bool is_apart = leg->wait != CP_WAIT_NONE;

	assert_ptr_equal(cp_leg_by_id(w->focus, leg->id), leg);
	assert_true(life->added == 1 && life->left == 0 && life->records == 0);
	assert_int_equal(life->installed, 1);
	/* in the mix, or apart: never both */
	assert_int_equal(leg->is_in, leg->state == CP_LEG_CONNECTED && !is_apart);
	if (is_apart)
		assert_true(life->is_muted && life->is_deaf);
	/* the media plane was told of every reason, and of the end of each */
	assert_int_equal(life->is_muted, is_apart || leg->role == CP_ROLE_LISTENER ||
						 leg->is_muted ||
						 (leg->is_held && leg->conf->mutes_on_hold) ||
						 !cp_leg_has_floor(leg, CP_MEDIUM_AUDIO));
	assert_int_equal(leg->floors >> leg->conf->floors.count, 0);
	if (leg->state == CP_LEG_CONNECTED && leg->wait != CP_WAIT_NONE &&
	    leg->wait != CP_WAIT_GOODBYE)
		assert_true(leg->role < CP_ROLE_MODERATOR);
	assert_true(leg->pin_len < CP_CONF_PIN_MAX);
}

static void
check_conf(struct walk *w, const struct cp_conf *conf)
{
	uint32_t legs = 0, connected = 0, gone = 0;

	for (const struct cp_leg *leg = conf->legs; leg != NULL; leg = leg->next) {
		check_leg(w, leg);
		legs++;
		connected += leg->is_in;
	}
	for (const struct cp_leg *leg = conf->gone; leg != NULL; leg = leg->next) {
		assert_ptr_equal(cp_leg_gone(w->focus, leg->id), leg);
		assert_int_equal(leg->state, CP_LEG_GONE);
		gone++;
	}
	assert_int_equal(legs, conf->leg_count);
	assert_int_equal(connected, conf->connected_count);
	assert_int_equal(gone, conf->gone_count);
	assert_null(conf->ending);
	for (size_t i = 1; i < conf->authorised_count; i++)
		assert_true(cp_identity_compare(conf->authorised[i - 1].identity,
						conf->authorised[i].identity) <= 0);
}

static void
check(struct walk *w)
{
	size_t legs = 0;

	for (const struct cp_conf *c = cp_conf_first(w->focus); c != NULL; c = c->next) {
		check_conf(w, c);
		legs += c->leg_count;
	}
	assert_int_equal(legs, cp_leg_count(w->focus));
	for (size_t i = 0; i < w->life_count; i++) {
		const struct life *life = &w->lives[i];

		if (cp_leg_by_id(w->focus, life->id) == NULL)
			assert_true(life->left == 1 && life->records == 1 && life->installed == 0);
	}
}

static void
handle(struct walk *w, const struct cp_event *event)
{
	cp_effects_clear(&w->effects);
	cp_conf_handle(w->focus, event, w->now_ms, &w->effects, NULL);
	for (size_t i = 0; i < w->effects.count; i++)
		note(w, &w->effects.items[i]);
	check(w);
}

static struct cp_conf_floors
some_floors(struct walk *w)
{
	struct cp_conf_floors floors = {.count = luck(w, 3) ? 0 : 1 + luck(w, 3)};

	for (size_t i = 0; i < floors.count; i++) {
		floors.items[i] =
			(struct cp_conf_floor){.media = (uint8_t)(1 + luck(w, 3)), .holders = 1};
		snprintf(floors.items[i].name, sizeof(floors.items[i].name), "%c%zu",
			 'a' + (int)luck(w, 2), i);
	}
	return floors;
}

static struct cp_conf_settings
some_settings(struct walk *w)
{
	static const struct cp_conf_person list[] = {{"sip:mod@x", CP_ROLE_MODERATOR},
						     {"tel:+49301", CP_ROLE_LISTENER}};

	return (struct cp_conf_settings){
		.floors = some_floors(w),
		.user = names[luck(w, NAMES)],
		.creator = luck(w, 2) ? "sip:boss@x" : NULL,
		.pin = luck(w, 3) ? NULL : "1212",
		.is_open = true,
		.may_anonymous = true,
		.mutes_on_entry = luck(w, 3) == 0,
		.mutes_on_hold = luck(w, 2),
		.is_locked = luck(w, 8) == 0,
		.has_lobby = luck(w, 3) == 0,
		.announces = luck(w, 2),
		.ends_with_creator = luck(w, 3) == 0,
		.ends_when_empty = luck(w, 3) == 0,
		.has_chat = luck(w, 2),
		.chat_history = (uint16_t)luck(w, 120),
		.size_max = luck(w, 2) ? 0 : 5,
		.end_ms = luck(w, 4) ? 0 : w->now_ms + 1000 * (int64_t)luck(w, 900),
		.people = list,
		.people_count = luck(w, 3),
	};
}

static uint32_t
some_conf(struct walk *w)
{
	const struct cp_conf *conf =
		cp_conf_by_user(w->focus, cp_slice_text(names[luck(w, NAMES)]));

	return conf ? conf->id : 12345;
}

static uint32_t
some_leg(struct walk *w)
{
	return w->life_count ? w->lives[w->life_count - 1 -
					luck(w, w->life_count < 12 ? (uint32_t)w->life_count : 12)]
				       .id
			     : 77;
}

static void
come(struct walk *w)
{
	struct cp_conf_verdict v;
	struct cp_conf_request request = {.user = cp_slice_text(names[luck(w, NAMES)]),
					  .identity = cp_slice_text(people[luck(w, PEOPLE)]),
					  .proof = CP_PROOF_ASSERTED,
					  .purpose = luck(w, 4) ? CP_PURPOSE_JOIN
								: CP_PURPOSE_DIAL_OUT,
					  .now_ms = w->now_ms};
	struct cp_conf_join join = {.is_private = luck(w, 6) == 0};
	struct cp_event event = {.type = CP_EVENT_JOIN, .join = &join};

	if (cp_conf_admit(&v, w->focus, &request) != 0)
		return;
	join.conf = v.conf;
	join.identity = v.person;
	join.role = v.role;
	join.wait = v.wait;
	join.proof = v.proof;
	join.method =
		request.purpose == CP_PURPOSE_DIAL_OUT ? CP_JOIN_DIALED_OUT : CP_JOIN_DIALED_IN;
	handle(w, &event);
}

static void
change(struct walk *w)
{
	struct cp_conf_person person = {people[1 + luck(w, PEOPLE - 1)],
					(enum cp_conf_role)luck(w, 4)};
	struct cp_conf_change settings = {.which = 1u << luck(w, 27), .to = some_settings(w)};
	static const enum cp_event_type types[] = {
		CP_EVENT_UPDATE, CP_EVENT_UPDATE,   CP_EVENT_AUTHORISE,	 CP_EVENT_DISALLOW,
		CP_EVENT_LOCK,	 CP_EVENT_ADMIT,    CP_EVENT_MIX_POLICY, CP_EVENT_ANNOUNCE,
		CP_EVENT_UPDATE, CP_EVENT_SET_LIST,
	};
	struct cp_event event = {.type = types[luck(w, sizeof(types) / sizeof(types[0]))],
				 .conf = some_conf(w),
				 .flag = luck(w, 2),
				 .value = (int32_t)luck(w, 5),
				 .text = "clip",
				 .change = &settings,
				 .people = &person,
				 .people_count = 1,
				 .actor = luck(w, 3) ? NULL : people[1 + luck(w, PEOPLE - 1)]};

	handle(w, &event);
}

static void
act(struct walk *w)
{
	static const enum cp_event_type types[] = {
		CP_EVENT_CONNECTED, CP_EVENT_CONNECTED,	  CP_EVENT_CONNECTED,  CP_EVENT_CHANGED,
		CP_EVENT_GONE,	    CP_EVENT_MUTE,	  CP_EVENT_DEAF,       CP_EVENT_GAIN,
		CP_EVENT_REMOVE,    CP_EVENT_FIRST_MEDIA, CP_EVENT_MEDIA_LOST, CP_EVENT_MEDIA_BACK,
		CP_EVENT_DTMF,	    CP_EVENT_DTMF,	  CP_EVENT_DTMF,       CP_EVENT_KEY_SOON,
		CP_EVENT_ROLE,	    CP_EVENT_ADMIT,	  CP_EVENT_ALERTING,   CP_EVENT_PROMPTED,
		CP_EVENT_FLOOR,	    CP_EVENT_FLOOR,	  CP_EVENT_FLOOR,      CP_EVENT_FLOOR,
	};
	struct cp_event event = {.type = types[luck(w, sizeof(types) / sizeof(types[0]))],
				 .leg = some_leg(w),
				 .flag = luck(w, 3) == 0,
				 .value = (int32_t)luck(w, 4),
				 .actor = luck(w, 3) ? NULL : people[1 + luck(w, PEOPLE - 1)]};

	handle(w, &event);
}

/* All that the media plane runs, or nothing: it restarted. */
static void
take_stock(struct walk *w)
{
	bool has_restarted = luck(w, 3) == 0;
	uint32_t confs[NAMES], legs[LEGS_MAX], owners[LEGS_MAX];
	size_t conf_count = 0, leg_count = 0;

	for (const struct cp_conf *c = cp_conf_first(w->focus); c != NULL; c = c->next) {
		if (c->is_installed)
			confs[conf_count++] = c->id;
		for (const struct cp_leg *leg = c->legs; leg != NULL; leg = leg->next) {
			owners[leg_count] = c->id;
			legs[leg_count++] = leg->id;
		}
	}
	handle(w, &(struct cp_event){.type = CP_EVENT_AUDIT_BEGIN});
	for (size_t i = 0; i < conf_count && !has_restarted; i++)
		handle(w, &(struct cp_event){.type = CP_EVENT_AUDIT_CONF, .conf = confs[i]});
	for (size_t i = 0; i < leg_count && !has_restarted; i++)
		handle(w, &(struct cp_event){
				  .type = CP_EVENT_AUDIT_LEG, .conf = owners[i], .leg = legs[i]});
	for (size_t i = 0; i < leg_count && has_restarted; i++)
		life_of(w, legs[i])->installed = 0;
	cp_effects_clear(&w->effects);
	cp_conf_handle(w->focus, &(struct cp_event){.type = CP_EVENT_AUDIT_END}, w->now_ms,
		       &w->effects, NULL);
	for (size_t i = 0; i < w->effects.count; i++)
		note(w, &w->effects.items[i]);
	check(w);
}

static void
take_step(struct walk *w)
{
	struct cp_conf_settings settings = some_settings(w);
	uint32_t what = luck(w, 100);
	struct cp_conf *conf;

	if (what < 8) {
		cp_conf_create(&conf, w->focus, &settings,
			       luck(w, 4) ? CP_CONF_CREATED : CP_CONF_FACTORY, w->now_ms);
	} else if (what < 30) {
		come(w);
	} else if (what < 45) {
		change(w);
	} else if (what < 46) {
		handle(w, &(struct cp_event){.type = CP_EVENT_CLOSE, .conf = some_conf(w)});
	} else if (what < 48) {
		take_stock(w);
	} else if (what < 60) {
		w->now_ms += luck(w, 4) ? 1000 : 45000;
		handle(w, &(struct cp_event){.type = CP_EVENT_TICK});
	} else {
		act(w);
	}
}

static void
random_walks(void **state)
{
	struct cp_conf_limits limits = {.legs_max = 60};
	struct walk *w = calloc(1, sizeof(*w));

	for (uint64_t walk = 1; walk <= WALKS; walk++) {
		w->life_count = 0;
		w->now_ms = 1000;
		w->seed = 88172645463325252ull ^ walk * 0x9e3779b97f4a7c15ull;
		assert_int_equal(cp_focus_create(&w->focus, &limits, (uint32_t)walk), 0);
		for (int step = 0; step < STEPS; step++)
			take_step(w);
		handle(w, &(struct cp_event){.type = CP_EVENT_CLOSE_ALL});
		assert_int_equal(cp_leg_count(w->focus), 0);
		assert_true(w->life_count > 50);
		cp_focus_destroy(w->focus);
	}
	cp_effects_fini(&w->effects);
	free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(random_walks)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
