/* How a leg comes: JOIN, our own call's progress, what offer and answer agreed; then PIN, lobby, and into the mix. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "ctrlplane/conf/focus_state.h"

#define KEY_STAR 10
#define KEY_HASH 11
#define PIN_TRIES 3
#define GOODBYE_MS 10000
#define HIDDEN_KEY 0xff

static void
copy(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ? from : "");
}

static bool
is_one_person(const struct cp_leg *a, const struct cp_leg *b)
{
	return cp_identity_is_same(a->person, b->person) ||
	       (*a->tel && cp_identity_is_same(b->person, a->tel)) ||
	       (*b->tel && cp_identity_is_same(b->tel, a->person));
}

/* All endpoints of one person are one user. Numbers are looked at where there are any: a large conference has many legs. */
static uint32_t
user_of(const struct cp_leg *leg)
{
	bool has_number = *leg->tel || cp_identity_number(leg->person).len > 0;

	for (const struct cp_leg *other = leg->conf->legs; other != NULL; other = other->next) {
		bool is_same = has_number ? is_one_person(leg, other)
					  : strcmp(leg->person, other->person) == 0;

		if (is_same && other != leg && *leg->person != '\0')
			return other->user_id;
	}
	return leg->id;
}

static void
take_names(struct cp_leg *leg, const struct cp_conf_join *join)
{
	const char *person = join->person ? join->person : join->identity;

	copy(leg->person, sizeof(leg->person), person);
	copy(leg->tel, sizeof(leg->tel), join->tel);
	leg->is_private = join->is_private;
	if (!join->is_private) {
		copy(leg->identity, sizeof(leg->identity), join->identity);
		cp_slice_copy_text(leg->display, sizeof(leg->display),
				   cp_slice_text(join->display));
	}
	cp_slice_copy_text(leg->via, sizeof(leg->via), cp_slice_text(join->via));
	cp_slice_copy_text(leg->call_id, sizeof(leg->call_id), cp_slice_text(join->call_id));
	cp_slice_copy_text(leg->agent, sizeof(leg->agent), cp_slice_text(join->agent));
	cp_slice_copy_text(leg->join_reason, sizeof(leg->join_reason), cp_slice_text(join->reason));
	copy(leg->join_by, sizeof(leg->join_by), join->by);
	copy(leg->referred_by, sizeof(leg->referred_by), join->referred_by);
	leg->user_id = user_of(leg);
}

static void
take_state(struct cp_step *s, struct cp_leg *leg, const struct cp_conf_join *join)
{
	bool is_ours = join->method == CP_JOIN_DIALED_OUT;

	leg->role = join->role;
	leg->proof = join->proof;
	leg->keying = join->keying;
	leg->method = join->method;
	leg->wait = join->wait;
	leg->suite = join->suite;
	leg->is_held = join->is_held;
	leg->is_muted = join->conf->mutes_on_entry && join->role < CP_ROLE_MODERATOR;
	leg->state = is_ours ? CP_LEG_DIALING : CP_LEG_JOINING;
	leg->joined_ms = s->now_ms;
	leg->referred_ms = join->referred_by && *join->referred_by ? s->now_ms : 0;
	leg->deadline_ms =
		s->now_ms + (is_ours ? s->focus->limits.ring_ms : s->focus->limits.setup_ms);
	leg->was_seen = true; /* an audit that is running listed before it was there */
}

int
cp_conf_on_join(struct cp_step *s, struct cp_leg **leg_out)
{
	const struct cp_conf_join *join = s->event->join;
	struct cp_leg *leg;
	uint32_t id;

	do {
		id = cp_id_next(&s->focus->leg_ids);
	} while (cp_leg_by_id(s->focus, id) != NULL || cp_leg_gone(s->focus, id) != NULL);
	leg = cp_leg_insert(s->focus, join->conf, id);
	if (leg == NULL)
		return -ENOMEM;
	take_names(leg, join);
	take_state(s, leg, join);
	cp_leg_install(leg, s->out);
	cp_effects_notice(s->out, CP_NOTICE_ADDED, leg, NULL);
	*leg_out = leg;
	return 0;
}

/* What it says to all, and to who comes. */
static void
greet(struct cp_step *s, struct cp_leg *leg, bool has_waited)
{
	struct cp_conf *conf = leg->conf;
	struct cp_effect *stop;

	if (has_waited)
		cp_step_prompt(s, conf, leg, CP_PROMPT_WELCOME, 0);
	if (!conf->announces)
		return;
	if (conf->connected_count == 1)
		cp_step_prompt(s, conf, leg, CP_PROMPT_ALONE, 0);
	if (conf->connected_count == 2 &&
	    (stop = cp_effects_add(s->out, CP_EFFECT_PROMPT_STOP)) != NULL) {
		stop->conf = conf->id;
		stop->prompt = CP_PROMPT_ALONE;
	}
	if (conf->connected_count > 1)
		cp_step_prompt(s, conf, NULL, CP_PROMPT_JOINED, (int32_t)leg->id);
	if (leg->role == CP_ROLE_LISTENER)
		cp_step_prompt(s, conf, leg, CP_PROMPT_LISTENER, 0);
	else if (leg->is_muted)
		cp_step_prompt(s, conf, leg, CP_PROMPT_MUTED, 0);
}

void
cp_leg_enter(struct cp_step *s, struct cp_leg *leg)
{
	struct cp_conf *conf = leg->conf;
	bool has_waited = leg->wait != CP_WAIT_NONE;

	leg->wait = CP_WAIT_NONE;
	leg->deadline_ms = 0;
	explicit_bzero(leg->pin, sizeof(leg->pin));
	leg->pin_len = 0;
	leg->is_in = true;
	conf->connected_count++;
	if (!conf->was_joined)
		cp_effects_conf(s->out, CP_EFFECT_SAVE_CONF, conf->id);
	conf->was_joined = true;
	conf->has_creator |= leg->role == CP_ROLE_CREATOR;
	if (has_waited)
		cp_effects_mix(s->out, leg);
	cp_effects_notice(s->out, CP_NOTICE_JOINED, leg, NULL);
	cp_effects_leg(s->out, CP_EFFECT_SAVE_LEG, leg, NULL);
	greet(s, leg, has_waited);
}

static void
wait_for(struct cp_step *s, struct cp_leg *leg, enum cp_leg_wait wait)
{
	bool is_pin = wait == CP_WAIT_PIN;

	leg->wait = wait;
	leg->deadline_ms =
		s->now_ms + (is_pin ? s->focus->limits.pin_ms : s->focus->limits.lobby_ms);
	cp_effects_notice(s->out, CP_NOTICE_WAITING, leg, cp_leg_wait_name(wait));
	cp_effects_leg(s->out, CP_EFFECT_SAVE_LEG, leg, NULL);
	cp_step_prompt(s, leg->conf, leg, is_pin ? CP_PROMPT_ENTER_PIN : CP_PROMPT_LOBBY, 0);
}

void
cp_leg_pass(struct cp_step *s, struct cp_leg *leg)
{
	if (leg->role >= CP_ROLE_MODERATOR) /* made one while the call was set up */
		cp_leg_enter(s, leg);
	else if (leg->wait == CP_WAIT_PIN && *leg->conf->pin)
		wait_for(s, leg, CP_WAIT_PIN);
	else if (leg->wait != CP_WAIT_NONE && leg->conf->has_lobby)
		wait_for(s, leg, CP_WAIT_LOBBY);
	else
		cp_leg_enter(s, leg);
}

/* All digits are compared, whatever they are. */
static bool
is_right(const struct cp_leg *leg)
{
	size_t len = strlen(leg->conf->pin);
	unsigned int differs = leg->pin_len != len;

	for (size_t i = 0; i < len && i < leg->pin_len; i++)
		differs |= (unsigned char)(leg->pin[i] ^ leg->conf->pin[i]);
	return differs == 0;
}

static void
try_pin(struct cp_step *s, struct cp_leg *leg)
{
	bool has_passed = is_right(leg);

	explicit_bzero(leg->pin, sizeof(leg->pin));
	leg->pin_len = 0;
	if (has_passed) {
		if (leg->conf->has_lobby) {
			wait_for(s, leg, CP_WAIT_LOBBY);
			return;
		}
		cp_leg_enter(s, leg);
		return;
	}
	if (leg->conf->pin_wrong++ == 0)
		leg->conf->pin_wrong_ms = s->now_ms;
	if (++leg->pin_tries < PIN_TRIES) {
		leg->deadline_ms = s->now_ms + s->focus->limits.pin_ms;
		cp_step_prompt(s, leg->conf, leg, CP_PROMPT_WRONG_PIN, 0);
		return;
	}
	leg->wait = CP_WAIT_GOODBYE;
	leg->deadline_ms = s->now_ms + GOODBYE_MS;
	cp_effects_notice(s->out, CP_NOTICE_CHANGED, leg, "wrong PIN");
	cp_step_prompt(s, leg->conf, leg, CP_PROMPT_GOODBYE, 0);
}

void
cp_leg_take_digit(struct cp_step *s, struct cp_leg *leg, int code)
{
	leg->last_dtmf = HIDDEN_KEY;
	if (code == KEY_STAR) {
		leg->pin_len = 0;
		return;
	}
	if (code == KEY_HASH) {
		if (leg->pin_len > 0)
			try_pin(s, leg);
		return;
	}
	if (code < 0 || code > 9)
		return;
	leg->pin[leg->pin_len++] = (char)('0' + code);
	if (leg->pin_len == strlen(leg->conf->pin))
		try_pin(s, leg);
}

/* What offer and answer agreed: hold, suite, keys. */
static void
take_agreed(struct cp_step *s)
{
	bool was_silenced = cp_leg_is_silenced(s->leg);

	s->leg->is_held = s->event->flag;
	s->leg->suite = s->event->suite;
	if (s->event->keying != CP_KEYING_UNKNOWN)
		s->leg->keying = (enum cp_conf_keying)s->event->keying;
	if (s->leg->is_held)
		s->leg->lost_ms = 0;
	if (cp_leg_is_silenced(s->leg) != was_silenced)
		cp_effects_mix(s->out, s->leg);
}

/* Who answered our call, when it is known better than before. */
static void
take_person(struct cp_step *s)
{
	struct cp_leg *leg = s->leg;

	if (s->event->proof != CP_PROOF_NONE)
		leg->proof = (enum cp_conf_proof)s->event->proof;
	if (s->event->is_private) {
		leg->is_private = true;
		leg->identity[0] = leg->display[0] = '\0';
	}
	if (s->event->person == NULL)
		return;
	if (!cp_identity_is_same(leg->person, s->event->person))
		cp_conf_role_for(&leg->role, leg->conf, s->event->person, "");
	copy(leg->person, sizeof(leg->person), s->event->person);
	if (!leg->is_private)
		copy(leg->identity, sizeof(leg->identity), s->event->person);
	leg->user_id = user_of(leg);
}

static bool
is_being_set_up(const struct cp_leg *leg)
{
	return leg->state == CP_LEG_JOINING || leg->state == CP_LEG_DIALING ||
	       leg->state == CP_LEG_ALERTING;
}

static int
on_connected(struct cp_step *s)
{
	if (!is_being_set_up(s->leg))
		return -EALREADY;
	s->leg->state = CP_LEG_CONNECTED;
	s->leg->connected_ms = s->now_ms;
	s->leg->deadline_ms = 0;
	take_person(s);
	take_agreed(s);
	cp_leg_pass(s, s->leg);
	return 0;
}

static int
on_changed(struct cp_step *s)
{
	cp_effects_leg(s->out, CP_EFFECT_LEG_UPDATE, s->leg, NULL);
	take_agreed(s);
	cp_effects_notice(s->out, CP_NOTICE_CHANGED, s->leg, NULL);
	cp_effects_leg(s->out, CP_EFFECT_SAVE_LEG, s->leg, NULL);
	return 0;
}

/* DIALING, ALERTING: they may come in any order, and again. */
static int
on_progress(struct cp_step *s)
{
	enum cp_leg_state state =
		s->event->type == CP_EVENT_ALERTING ? CP_LEG_ALERTING : CP_LEG_DIALING;

	if (s->leg->state == state || !is_being_set_up(s->leg) ||
	    (s->leg->state == CP_LEG_ALERTING && state == CP_LEG_DIALING))
		return -EALREADY;
	s->leg->state = state;
	cp_effects_notice(s->out, CP_NOTICE_CHANGED, s->leg, cp_leg_state_name(state));
	return 0;
}

int
cp_conf_on_call(struct cp_step *s)
{
	switch (s->event->type) {
	case CP_EVENT_CONNECTED:
		return on_connected(s);
	case CP_EVENT_CHANGED:
		return on_changed(s);
	default:
		return on_progress(s);
	}
}
