/* Changes of the policy while the conference runs: settings, list, roles, who waits; each by somebody who may. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/conf/focus_state.h"

/* CP_CONF_SET_*, in their order; flag: where in struct cp_conf it is on or off, 0: it is no flag. */
#define FLAG(name, member)                             \
	{                                              \
		name, offsetof(struct cp_conf, member) \
	}
static const struct {
	const char *name;
	size_t flag;
} settings[] = {
	{"title", 0},
	{"subject", 0},
	{"description", 0},
	{"creator", 0},
	{"PIN", 0},
	{"security", 0},
	{"editors", 0},
	{"notify", 0},
	FLAG("open", is_open),
	FLAG("anonymous", may_anonymous),
	FLAG("mutes on entry", mutes_on_entry),
	FLAG("mutes on hold", mutes_on_hold),
	FLAG("locked", is_locked),
	FLAG("lobby", has_lobby),
	FLAG("announcements", announces),
	FLAG("ends with creator", ends_with_creator),
	FLAG("ends when empty", ends_when_empty),
	{"maximum size", 0},
	{"loudest", 0},
	{"small", 0},
	{"start", 0},
	{"end", 0},
	{"early", 0},
	FLAG("believes From", believes_from),
	FLAG("chat", has_chat),
	{"chat history", 0},
	{"floors", 0},
};

static void
save(struct cp_step *s, struct cp_conf *conf, bool has_list)
{
	size_t at = s->out->count;

	conf->policy_version++;
	cp_effects_conf(s->out, CP_EFFECT_SAVE_CONF, conf->id);
	if (s->out->count > at)
		s->out->items[at].value = has_list;
}

static void
changed_conf(struct cp_step *s, enum cp_notice notice, const char *text)
{
	cp_step_notice(s, notice, s->conf->id, NULL);
	save(s, s->conf, notice == CP_NOTICE_LIST);
	cp_step_audit(s, s->conf, NULL, text);
}

static bool
may_enter(const struct cp_leg *leg)
{
	return leg->connected_ms != 0 && (leg->wait == CP_WAIT_PIN || leg->wait == CP_WAIT_LOBBY);
}

void
cp_leg_set_role(struct cp_step *s, struct cp_leg *leg, enum cp_conf_role role)
{
	bool was_silenced;

	if (leg->role == role)
		return;
	if (role >= CP_ROLE_MODERATOR && may_enter(leg))
		cp_leg_enter(s, leg);
	was_silenced = cp_leg_is_silenced(leg);
	leg->role = role;
	leg->conf->has_creator |= role == CP_ROLE_CREATOR && leg->is_in;
	if (cp_leg_is_silenced(leg) != was_silenced)
		cp_effects_mix(s->out, leg);
	cp_effects_notice(s->out, CP_NOTICE_CHANGED, leg, cp_conf_role_name(role));
	cp_effects_leg(s->out, CP_EFFECT_SAVE_LEG, leg, NULL);
	if (leg->conf->announces && leg->is_in && cp_leg_is_silenced(leg) != was_silenced)
		cp_step_prompt(s, leg->conf, leg,
			       was_silenced ? CP_PROMPT_UNMUTED : CP_PROMPT_LISTENER, 0);
}

/* All legs of this person. */
static void
set_roles(struct cp_step *s, struct cp_conf *conf, const char *identity, enum cp_conf_role role)
{
	for (struct cp_leg *leg = conf->legs; leg != NULL; leg = leg->next)
		if (cp_identity_is_same(leg->person, identity) ||
		    cp_identity_is_same(leg->tel, identity))
			cp_leg_set_role(s, leg, role);
}

/* There is one creator: who was it is a moderator from now on. */
static void
make_creator(struct cp_step *s, struct cp_conf *conf, const char *identity)
{
	for (struct cp_leg *leg = conf->legs; leg != NULL; leg = leg->next)
		if (leg->role == CP_ROLE_CREATOR && !cp_identity_is_same(leg->person, identity) &&
		    !cp_identity_is_same(leg->tel, identity))
			cp_leg_set_role(s, leg, CP_ROLE_MODERATOR);
	cp_conf_set_creator(conf, identity);
	set_roles(s, conf, identity, CP_ROLE_CREATOR);
}

/* Who waits for what is not asked for any more. */
static void
let_in(struct cp_step *s, struct cp_conf *conf, uint32_t which)
{
	for (struct cp_leg *leg = conf->legs; leg != NULL; leg = leg->next) {
		bool is_pin = leg->wait == CP_WAIT_PIN && which & CP_CONF_SET_PIN && !*conf->pin;
		bool is_lobby =
			leg->wait == CP_WAIT_LOBBY && which & CP_CONF_SET_LOBBY && !conf->has_lobby;

		if ((is_pin || is_lobby) && leg->connected_ms != 0)
			cp_leg_pass(s, leg);
	}
}

static void
carry_out(struct cp_step *s, uint32_t which)
{
	struct cp_conf *conf = s->conf;

	if (which & CP_CONF_SET_MUTES_ON_HOLD)
		for (const struct cp_leg *leg = conf->legs; leg != NULL; leg = leg->next)
			if (leg->is_held && leg->is_installed)
				cp_effects_mix(s->out, leg);
	if (which & CP_CONF_SET_CREATOR) {
		make_creator(s, conf, conf->creator);
		save(s, conf, true); /* roles on the list changed too */
	}
	if (which & CP_CONF_SET_PIN)
		conf->pin_wrong = 0; /* guesses at another one */
	if (which & (CP_CONF_SET_PIN | CP_CONF_SET_LOBBY))
		let_in(s, conf, which);
	if (which & CP_CONF_SET_LOCKED && conf->announces && conf->connected_count > 0)
		cp_step_prompt(s, conf, NULL,
			       conf->is_locked ? CP_PROMPT_LOCKED : CP_PROMPT_UNLOCKED, 0);
}

/* A floor that stands where it stood is held by who held it. */
static void
follow_floors(struct cp_step *s, const struct cp_conf_floors *old)
{
	const struct cp_conf_floors *new = &s->conf->floors;
	uint8_t kept = 0, audio = cp_conf_floors_of(old, CP_MEDIUM_AUDIO);

	for (size_t i = 0; i < new->count &&i < old->count; i++)
		if (strcmp(new->items[i].name, old->items[i].name) == 0)
			kept |= (uint8_t)(1u << i);
	for (struct cp_leg *leg = s->conf->legs; leg != NULL; leg = leg->next) {
		bool had_audio = audio == 0 || leg->floors & audio;
		bool has_less = (leg->floors & ~kept) != 0;

		leg->floors &= kept;
		if (has_less)
			cp_effects_leg(s->out, CP_EFFECT_SAVE_LEG, leg, NULL);
		if (cp_leg_has_floor(leg, CP_MEDIUM_AUDIO) != had_audio) {
			if (leg->is_installed)
				cp_effects_mix(s->out, leg);
			has_less = true;
		}
		if (has_less)
			cp_effects_notice(s->out, CP_NOTICE_CHANGED, leg, NULL);
	}
}

/* "settings: title, lobby=on": to what flags were changed; texts, times and numbers are not told. */
static void
name_settings(char *text, size_t size, const struct cp_conf *conf, uint32_t which)
{
	size_t len = (size_t)snprintf(text, size, "settings:");

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		size_t flag = settings[i].flag;

		if (!(which & 1u << i) || len >= size)
			continue;
		len += (size_t)snprintf(text + len, size - len, "%s %s%s",
					len > strlen("settings:") ? "," : "", settings[i].name,
					flag == 0				     ? ""
					: *(const bool *)((const char *)conf + flag) ? "=on"
										     : "=off");
	}
}

static int
update(struct cp_step *s, const struct cp_conf_settings *to, uint32_t which)
{
	char text[CP_CONF_REASON_MAX];
	struct cp_conf_floors floors = s->conf->floors;
	uint32_t changed;
	int error = cp_conf_check(to, which, text, sizeof(text));

	if (error < 0)
		return error;
	changed = cp_conf_differences(s->conf, to, which);
	if (changed == 0)
		return -EALREADY;
	cp_conf_apply(s->conf, to, changed);
	if (changed & (CP_CONF_SET_LOUDEST_N | CP_CONF_SET_SMALL_SIZE) && s->conf->is_installed)
		cp_effects_conf(s->out, CP_EFFECT_CONF_UPDATE, s->conf->id);
	name_settings(text, sizeof(text), s->conf, changed);
	if (changed & CP_CONF_SET_FLOORS)
		follow_floors(s, &floors);
	changed_conf(s, CP_NOTICE_CONF, text);
	carry_out(s, changed);
	return 0;
}

static int
on_update(struct cp_step *s)
{
	struct cp_conf_settings to = s->event->change->to;
	uint32_t which = s->event->change->which & CP_CONF_SET_ALL;

	/* one of both is held against what the other is already */
	if (!(which & CP_CONF_SET_START))
		to.start_ms = s->conf->start_ms;
	if (!(which & CP_CONF_SET_END))
		to.end_ms = s->conf->end_ms;
	return update(s, &to, which);
}

static int
on_mix_policy(struct cp_step *s)
{
	struct cp_conf_settings to = {0};

	if (s->event->value < 0 || s->event->value > UINT16_MAX || s->event->value2 < 0 ||
	    s->event->value2 > UINT16_MAX)
		return -EINVAL;
	to.loudest_n = (uint16_t)s->event->value;
	to.small_size = (uint16_t)s->event->value2;
	return update(s, &to, CP_CONF_SET_LOUDEST_N | CP_CONF_SET_SMALL_SIZE);
}

static void
name_people(char *text, size_t size, const char *verb, const struct cp_event *event)
{
	if (event->people_count == 1)
		snprintf(text, size, "%s %s", verb, event->people[0].uri);
	else
		snprintf(text, size, "%s %zu people", verb, event->people_count);
}

/* All or nothing: URIs are looked at before the first is taken. */
static int
check_people(const struct cp_event *event)
{
	char identity[CP_IDENTITY_MAX];

	for (size_t i = 0; i < event->people_count; i++)
		if (cp_identity(identity, cp_slice_text(event->people[i].uri)) < 0)
			return -EINVAL;
	return 0;
}

/* The list's word goes for those who are there. */
static void
follow_list(struct cp_step *s, const char *uri)
{
	char identity[CP_IDENTITY_MAX];
	enum cp_conf_role role;

	if (cp_identity(identity, cp_slice_text(uri)) < 0)
		return;
	cp_conf_role_for(&role, s->conf, identity, "");
	if (role == CP_ROLE_CREATOR)
		make_creator(s, s->conf, identity);
	else
		set_roles(s, s->conf, identity, role);
}

/* The same of a long list: by who is there. */
static void
follow_legs(struct cp_step *s)
{
	for (struct cp_leg *leg = s->conf->legs; leg != NULL; leg = leg->next) {
		enum cp_conf_role role;

		if (!cp_conf_role_for(&role, s->conf, leg->person, leg->tel))
			continue;
		if (role == CP_ROLE_CREATOR)
			make_creator(s, s->conf, leg->person);
		else
			cp_leg_set_role(s, leg, role);
	}
}

static int
on_authorise(struct cp_step *s)
{
	char text[CP_CONF_REASON_MAX];
	bool has_changed = false;
	int error = check_people(s->event);

	if (error == 0)
		error = cp_conf_authorise_all(s->conf, s->event->people, s->event->people_count,
					      &has_changed);
	if (!has_changed)
		return error < 0 ? error : -EALREADY;
	name_people(text, sizeof(text), "authorised", s->event);
	changed_conf(s, CP_NOTICE_LIST, text);
	if (s->event->people_count > s->conf->leg_count)
		follow_legs(s);
	else
		for (size_t i = 0; i < s->event->people_count; i++)
			follow_list(s, s->event->people[i].uri);
	return error;
}

static void
remove_person(struct cp_step *s, const char *uri)
{
	struct cp_leg_end end = {.departure = CP_BOOTED,
				 .status = 403,
				 .text = "You are not on the list of this conference any more",
				 .by = cp_step_by(s)};
	char identity[CP_IDENTITY_MAX];
	struct cp_leg *leg;

	if (cp_identity(identity, cp_slice_text(uri)) < 0)
		return;
	while ((leg = cp_conf_leg_of(s->conf, identity)) != NULL)
		cp_leg_release(s, leg, &end);
}

static int
on_disallow(struct cp_step *s)
{
	char text[CP_CONF_REASON_MAX];
	bool has_changed = false;
	int error = check_people(s->event);

	for (size_t i = 0; error == 0 && i < s->event->people_count; i++)
		error = cp_conf_disallow(s->conf, s->event->people[i].uri, &has_changed);
	if (error < 0)
		return error;
	if (has_changed) {
		name_people(text, sizeof(text), "took off the list:", s->event);
		changed_conf(s, CP_NOTICE_LIST, text);
	}
	for (size_t i = 0; i < s->event->people_count && s->event->flag; i++)
		remove_person(s, s->event->people[i].uri);
	return has_changed ? 0 : -EALREADY;
}

static int
on_set_list(struct cp_step *s)
{
	struct cp_conf_settings list = {.people = s->event->people,
					.people_count = s->event->people_count};
	char text[CP_CONF_REASON_MAX];
	struct cp_conf_list made;
	int error = cp_conf_make_list(&made, &list);

	if (error < 0)
		return error;
	cp_conf_take_list(s->conf, &made);
	snprintf(text, sizeof(text), "set the list: %zu people", s->conf->authorised_count);
	changed_conf(s, CP_NOTICE_LIST, text);
	follow_legs(s);
	return 0;
}

static int
on_role(struct cp_step *s)
{
	enum cp_conf_role role = (enum cp_conf_role)s->event->value;
	struct cp_leg *leg = s->leg;
	struct cp_conf *conf = leg->conf;
	char person[CP_IDENTITY_MAX], text[CP_CONF_REASON_MAX];

	if (s->event->value < CP_ROLE_PARTICIPANT || s->event->value > CP_ROLE_CREATOR ||
	    (role == CP_ROLE_CREATOR && *leg->person == '\0'))
		return -EINVAL;
	if (leg->role == role)
		return -EALREADY;
	snprintf(person, sizeof(person), "%s", leg->person);
	snprintf(text, sizeof(text), "role: %s", cp_conf_role_name(role));
	cp_step_audit(s, conf, leg, text);
	if (role == CP_ROLE_CREATOR) {
		make_creator(s, conf, person);
		save(s, conf, true);
		return 0;
	}
	cp_leg_set_role(s, leg, role);
	if (*person)
		set_roles(s, conf, person, role);
	return 0;
}

static void
admit(struct cp_step *s, struct cp_leg *leg)
{
	if (*leg->join_by == '\0')
		snprintf(leg->join_by, sizeof(leg->join_by), "%s", cp_step_by(s));
	cp_leg_enter(s, leg);
	cp_step_audit(s, leg->conf, leg, "let in");
}

static int
on_admit(struct cp_step *s)
{
	bool has_any = false;

	if (s->leg != NULL) {
		if (!may_enter(s->leg))
			return -EALREADY;
		admit(s, s->leg);
		return 0;
	}
	for (struct cp_leg *leg = s->conf->legs; leg != NULL; leg = leg->next)
		if (may_enter(leg) && leg->wait == CP_WAIT_LOBBY) {
			admit(s, leg);
			has_any = true;
		}
	return has_any ? 0 : -EALREADY;
}

static int
on_announce(struct cp_step *s)
{
	const char *text = s->event->text;
	size_t at = s->out->count;

	if (text == NULL || *text == '\0' || strlen(text) >= CP_CONF_REASON_MAX)
		return -EINVAL;
	cp_step_prompt(s, s->conf, s->leg, CP_PROMPT_CLIP, 0);
	if (s->out->count > at)
		snprintf(s->out->items[at].text, sizeof(s->out->items[at].text), "%s", text);
	cp_step_audit(s, s->conf, s->leg, "announced");
	return 0;
}

static int
dispatch(struct cp_step *s)
{
	struct cp_conf_settings lock = {.is_locked = s->event->flag};

	switch (s->event->type) {
	case CP_EVENT_UPDATE:
		return on_update(s);
	case CP_EVENT_LOCK:
		return update(s, &lock, CP_CONF_SET_LOCKED);
	case CP_EVENT_MIX_POLICY:
		return on_mix_policy(s);
	case CP_EVENT_AUTHORISE:
		return on_authorise(s);
	case CP_EVENT_DISALLOW:
		return on_disallow(s);
	case CP_EVENT_SET_LIST:
		return on_set_list(s);
	case CP_EVENT_ROLE:
		return s->leg ? on_role(s) : -ENOENT;
	case CP_EVENT_ADMIT:
		return on_admit(s);
	default:
		return on_announce(s);
	}
}

int
cp_conf_on_policy(struct cp_step *s)
{
	bool is_steering = s->event->type == CP_EVENT_ADMIT || s->event->type == CP_EVENT_ANNOUNCE;
	int error;

	if (s->event->leg != 0 && s->leg == NULL)
		return -ENOENT;
	if (s->conf == NULL && s->leg != NULL)
		s->conf = s->leg->conf;
	if (s->conf == NULL)
		return -ENOENT;
	error = cp_step_check(s, s->conf, is_steering ? CP_ACTION_STEER : CP_ACTION_POLICY);
	return error < 0 ? error : dispatch(s);
}
