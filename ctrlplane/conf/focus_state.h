/* The layout of the focus: all conferences, all legs, and what the parts of this folder do to them. */
#ifndef CP_CONF_FOCUS_STATE_H
#define CP_CONF_FOCUS_STATE_H

#include "ctrlplane/base/id.h"
#include "ctrlplane/conf/conf.h"

struct cp_focus {
	struct cp_map confs_by_id, confs_by_user, legs_by_id;
	struct cp_conf *first, **end; /* in the order of creation */
	struct cp_conf_limits limits;
	struct cp_id_maker leg_ids;
	uint32_t leg_start; /* the first that this life issued */
	int64_t wall_ahead_ms;
	struct cp_map gone_by_id;	/* legs that are over and still remembered */
	struct cp_leg *remembered;	/* of our life before, until the first audit has ended */
	struct cp_conf *closed;		/* over, kept until the next tick but one */
	char (*past)[CP_CONF_USER_MAX]; /* names of those that are over: a ring */
	size_t past_count, past_next;
	uint32_t tick;
	bool has_ending; /* a conference's end was decided */
	bool is_draining;
	bool was_audited; /* what is found from now on is not ours to adopt */
};

/* What an event works on. */
struct cp_step {
	struct cp_focus *focus;
	const struct cp_event *event;
	struct cp_leg *leg;   /* of event->leg, when the event is about one */
	struct cp_conf *conf; /* the same of event->conf */
	int64_t now_ms;
	struct cp_effects *out;
};

/* Appends a zeroed effect; NULL when memory is short (out->has_failed). */
struct cp_effect *cp_effects_add(struct cp_effects *out, enum cp_effect_type type);

/* Shorthands: an effect on one leg or conference, with text cut to fit. */
void cp_effects_conf(struct cp_effects *out, enum cp_effect_type type, uint32_t conf);
void cp_effects_leg(struct cp_effects *out, enum cp_effect_type type, const struct cp_leg *leg,
		    const char *text);
void cp_effects_notice(struct cp_effects *out, enum cp_notice notice, const struct cp_leg *leg,
		       const char *text);
/* What the media plane is to be told of mute, deaf and gain. */
void cp_effects_mix(struct cp_effects *out, const struct cp_leg *leg);

/* The media plane is to silence it: by people, role, PIN and lobby, or music on hold. */
bool cp_leg_is_silenced(const struct cp_leg *leg);
bool cp_leg_is_deafened(const struct cp_leg *leg);
/* Differences of conf to these settings, among which. */
uint32_t cp_conf_differences(const struct cp_conf *conf, const struct cp_conf_settings *settings,
			     uint32_t which);

/* What cp_conf_create and CP_EVENT_SET_LIST make of a list: sorted, each person once. */
struct cp_conf_list {
	struct cp_conf_authorised *items;
	size_t count;
};
/* -EINVAL: no URI, or too many; -ENOMEM. */
int cp_conf_make_list(struct cp_conf_list *out, const struct cp_conf_settings *settings);
void cp_conf_take_list(struct cp_conf *conf, const struct cp_conf_list *list);
/* NULL: not on it. The creator need not be. */
struct cp_conf_authorised *cp_conf_find(const struct cp_conf *conf, const char *identity);
/* Is this person (by either name) authorised, and in which role? tel may be empty. */
bool cp_conf_role_for(enum cp_conf_role *out, const struct cp_conf *conf, const char *person,
		      const char *tel);
/* Onto the list, or into another role. -EINVAL, -ENOSPC, -ENOMEM. */
int cp_conf_authorise(struct cp_conf *conf, const struct cp_conf_person *person, bool *has_changed);
/* All of them, or none where they have no room. */
int cp_conf_authorise_all(struct cp_conf *conf, const struct cp_conf_person *people, size_t count,
			  bool *has_changed);
int cp_conf_disallow(struct cp_conf *conf, const char *uri, bool *has_changed);

/* Settings of which (CP_CONF_SET_*), checked before. */
void cp_conf_apply(struct cp_conf *conf, const struct cp_conf_settings *settings, uint32_t which);
/* identity: canonical, or empty: nobody. Who was the creator on the list is a moderator now. */
void cp_conf_set_creator(struct cp_conf *conf, const char *identity);

/* An empty conference with this id and user part. NULL: no memory. */
struct cp_conf *cp_conf_insert(struct cp_focus *focus, uint32_t id, const char *user);
/* Frees it with all its legs; no effects. */
void cp_conf_forget(struct cp_focus *focus, struct cp_conf *conf);
/* A leg of conf with this id. NULL: no memory. */
struct cp_leg *cp_leg_insert(struct cp_focus *focus, struct cp_conf *conf, uint32_t id);
/* Off its conference's list and the map, still there. */
void cp_leg_unlink(struct cp_focus *focus, struct cp_leg *leg);
/* Remembered among those of its conference that are gone. */
void cp_leg_retire(struct cp_focus *focus, struct cp_leg *leg, int64_t now_ms);
/* Frees those of conf's gone that are old, or all. */
void cp_conf_trim_gone(struct cp_focus *focus, struct cp_conf *conf, int64_t now_ms,
		       bool takes_all);
/* Off the tables; its name is remembered, it itself until the next tick but one. */
void cp_conf_retire(struct cp_focus *focus, struct cp_conf *conf);
void cp_focus_trim_closed(struct cp_focus *focus, bool takes_all);

/* How a leg ends. */
struct cp_leg_end {
	enum cp_departure departure;
	uint16_t status;  /* of SIP; 0: 200 */
	const char *text; /* for people */
	const char *by;	  /* who removed it; NULL: nobody */
};

/* The leg is over: takes its media away, tells people, records and retires it. What follows for the conference
 * (conf->ending) is done when the event is done. */
void cp_leg_end(struct cp_step *s, struct cp_leg *leg, const struct cp_leg_end *end);
/* The same, decided by us: its dialog is released too. */
void cp_leg_release(struct cp_step *s, struct cp_leg *leg, const struct cp_leg_end *end);

/* All legs are released, then it is forgotten but for its name. has_end: the store forgets it too. */
void cp_conf_close(struct cp_step *s, struct cp_conf *conf, const char *text, bool has_end);
/* Those whose end was decided while the event was worked on. */
void cp_conf_close_ending(struct cp_step *s);

/* Past PIN and lobby as far as the policy lets it, from where it waits; into the mix when nothing is left. */
void cp_leg_pass(struct cp_step *s, struct cp_leg *leg);
/* Into the mix now, whatever it waited for. */
void cp_leg_enter(struct cp_step *s, struct cp_leg *leg);
/* A key while it is asked for the PIN. */
void cp_leg_take_digit(struct cp_step *s, struct cp_leg *leg, int code);
/* Another role; all that follows for its media. */
void cp_leg_set_role(struct cp_step *s, struct cp_leg *leg, enum cp_conf_role role);

/* JOIN, CONNECTED, CHANGED, DIALING, ALERTING. */
int cp_conf_on_join(struct cp_step *s, struct cp_leg **leg_out);
int cp_conf_on_call(struct cp_step *s);
/* UPDATE, LOCK, MIX_POLICY, AUTHORISE, DISALLOW, SET_LIST, ROLE, ADMIT, ANNOUNCE. */
int cp_conf_on_policy(struct cp_step *s);
/* TICK. */
int cp_conf_on_tick(struct cp_step *s);
/* FIRST_MEDIA … TALKERS. */
int cp_conf_on_media(struct cp_step *s);

/* Who did it, for audit and roster; never NULL. */
const char *cp_step_by(const struct cp_step *s);
/* -EACCES when the event has an actor who may not. */
int cp_step_check(const struct cp_step *s, const struct cp_conf *conf, enum cp_conf_action action);
void cp_step_audit(struct cp_step *s, const struct cp_conf *conf, const struct cp_leg *leg,
		   const char *text);
void cp_step_notice(struct cp_step *s, enum cp_notice notice, uint32_t conf, const char *text);
/* leg NULL: all. */
void cp_step_prompt(struct cp_step *s, const struct cp_conf *conf, const struct cp_leg *leg,
		    enum cp_prompt prompt, int32_t value);

/* Have the media plane carry conf and leg. */
void cp_leg_install(struct cp_leg *leg, struct cp_effects *out);

/* CP_EVENT_AUDIT_*. */
int cp_conf_audit(struct cp_step *s);

#endif
