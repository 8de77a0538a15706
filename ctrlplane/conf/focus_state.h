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
	bool is_draining;
	bool was_audited; /* what is found from now on is not ours to adopt */
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

/* The media plane is to silence it: by people, or music on hold. */
bool cp_leg_is_silenced(const struct cp_leg *leg);

/* An empty conference with this id and user part. NULL: no memory. */
struct cp_conf *cp_conf_insert(struct cp_focus *focus, uint32_t id, const char *user);
/* Frees it with all its legs; no effects. */
void cp_conf_forget(struct cp_focus *focus, struct cp_conf *conf);
/* A leg of conf with this id. NULL: no memory. */
struct cp_leg *cp_leg_insert(struct cp_focus *focus, struct cp_conf *conf, uint32_t id);
void cp_leg_forget(struct cp_focus *focus, struct cp_leg *leg);

/* The leg is over: takes its media away, tells people, forgets it; an adopted conference goes with its last leg. */
void cp_leg_end(struct cp_focus *focus, struct cp_leg *leg, const char *text,
		struct cp_effects *out);
/* The same, decided by us: its dialog is released too. */
void cp_leg_release(struct cp_focus *focus, struct cp_leg *leg, const char *text,
		    struct cp_effects *out);

/* Have the media plane carry conf and leg. */
void cp_leg_install(struct cp_leg *leg, struct cp_effects *out);

/* CP_EVENT_AUDIT_*. */
int cp_conf_audit(struct cp_focus *focus, const struct cp_event *event, int64_t now_ms,
		  struct cp_effects *out);

#endif
