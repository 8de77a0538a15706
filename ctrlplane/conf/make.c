/* Conferences come about: by the configuration, the API, the factory, or from the store; and their settings change. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/conf/focus_state.h"

#define ID_MASK 0x7fffffffu

/* From the user part, so that a restarted control plane finds its conference on the media plane again. */
static uint32_t
choose_id(const struct cp_focus *focus, const char *user, struct cp_conf **adopted)
{
	uint32_t id = cp_hash(user, strlen(user)) & ID_MASK;

	for (;; id = (id + 1) & ID_MASK) {
		if (id == 0)
			continue;
		*adopted = cp_conf_by_id(focus, id);
		if (*adopted == NULL || (*adopted)->origin == CP_CONF_ADOPTED)
			return id;
	}
}

/* The adopted conference gets its name back. */
static void
rename_conf(struct cp_focus *focus, struct cp_conf *conf, const char *user)
{
	cp_map_drop(&focus->confs_by_user, &conf->by_user);
	snprintf(conf->user, sizeof(conf->user), "%s", user);
	cp_map_put(&focus->confs_by_user, &conf->by_user, cp_hash(conf->user, strlen(conf->user)));
}

void
cp_conf_set_creator(struct cp_conf *conf, const char *identity)
{
	for (size_t i = 0; i < conf->authorised_count; i++) {
		struct cp_conf_authorised *one = &conf->authorised[i];

		if (cp_identity_is_same(one->identity, identity))
			one->role = CP_ROLE_CREATOR;
		else if (one->role == CP_ROLE_CREATOR)
			one->role = CP_ROLE_MODERATOR;
	}
	if (identity != conf->creator)
		snprintf(conf->creator, sizeof(conf->creator), "%s", identity);
}

static void
take_texts(struct cp_conf *conf, const struct cp_conf_settings *s, uint32_t which)
{
	char creator[CP_IDENTITY_MAX] = "";

	if (which & CP_CONF_SET_TITLE)
		cp_slice_copy_text(conf->title, sizeof(conf->title),
				   cp_slice_text(s->title && *s->title ? s->title : conf->user));
	if (which & CP_CONF_SET_SUBJECT)
		cp_slice_copy_text(conf->subject, sizeof(conf->subject), cp_slice_text(s->subject));
	if (which & CP_CONF_SET_DESCRIPTION)
		cp_slice_copy_text(conf->description, sizeof(conf->description),
				   cp_slice_text(s->description));
	if (which & CP_CONF_SET_PIN)
		snprintf(conf->pin, sizeof(conf->pin), "%s", s->pin ? s->pin : "");
	if (which & CP_CONF_SET_CREATOR) {
		if (s->creator && *s->creator)
			cp_identity(creator, cp_slice_text(s->creator));
		cp_conf_set_creator(conf, creator);
	}
}

static bool
is_text(const char *is, const char *wanted)
{
	return strcmp(is, wanted ? wanted : "") == 0;
}

static bool
is_creator(const struct cp_conf *conf, const char *uri)
{
	char identity[CP_IDENTITY_MAX] = "";

	if (uri && *uri)
		cp_identity(identity, cp_slice_text(uri));
	return strcmp(conf->creator, identity) == 0;
}

uint32_t
cp_conf_differences(const struct cp_conf *c, const struct cp_conf_settings *s, uint32_t which)
{
	const char *title = s->title && *s->title ? s->title : c->user;
	const bool differs[] = {
		!is_text(c->title, title),
		!is_text(c->subject, s->subject),
		!is_text(c->description, s->description),
		!is_creator(c, s->creator),
		!is_text(c->pin, s->pin),
		c->security != s->security,
		c->editors != s->editors,
		c->notify != s->notify,
		c->is_open != s->is_open,
		c->may_anonymous != s->may_anonymous,
		c->mutes_on_entry != s->mutes_on_entry,
		c->mutes_on_hold != s->mutes_on_hold,
		c->is_locked != s->is_locked,
		c->has_lobby != s->has_lobby,
		c->announces != s->announces,
		c->ends_with_creator != s->ends_with_creator,
		c->ends_when_empty != s->ends_when_empty,
		c->size_max != s->size_max,
		c->loudest_n != s->loudest_n,
		c->small_size != s->small_size,
		c->start_ms != s->start_ms,
		c->end_ms != s->end_ms,
		c->early_ms != s->early_ms,
		c->believes_from != s->believes_from,
		c->has_chat != s->has_chat,
		c->chat_history != s->chat_history,
		!cp_conf_floors_is_same(&c->floors, &s->floors),
	};
	uint32_t all = 0;

	for (size_t i = 0; i < sizeof(differs) / sizeof(differs[0]); i++)
		all |= differs[i] ? 1u << i : 0;
	return all & which;
}

void
cp_conf_apply(struct cp_conf *conf, const struct cp_conf_settings *s, uint32_t which)
{
	const struct {
		uint32_t flag;
		bool *to, from;
	} flags[] = {
		{CP_CONF_SET_OPEN, &conf->is_open, s->is_open},
		{CP_CONF_SET_ANONYMOUS, &conf->may_anonymous, s->may_anonymous},
		{CP_CONF_SET_BELIEVES_FROM, &conf->believes_from, s->believes_from},
		{CP_CONF_SET_MUTES_ON_ENTRY, &conf->mutes_on_entry, s->mutes_on_entry},
		{CP_CONF_SET_MUTES_ON_HOLD, &conf->mutes_on_hold, s->mutes_on_hold},
		{CP_CONF_SET_LOCKED, &conf->is_locked, s->is_locked},
		{CP_CONF_SET_LOBBY, &conf->has_lobby, s->has_lobby},
		{CP_CONF_SET_ANNOUNCES, &conf->announces, s->announces},
		{CP_CONF_SET_ENDS_WITH_CREATOR, &conf->ends_with_creator, s->ends_with_creator},
		{CP_CONF_SET_ENDS_WHEN_EMPTY, &conf->ends_when_empty, s->ends_when_empty},
		{CP_CONF_SET_CHAT, &conf->has_chat, s->has_chat},
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (which & flags[i].flag)
			*flags[i].to = flags[i].from;
	take_texts(conf, s, which);
	if (which & CP_CONF_SET_SECURITY)
		conf->security = s->security;
	if (which & CP_CONF_SET_EDITORS)
		conf->editors = s->editors;
	if (which & CP_CONF_SET_NOTIFY)
		conf->notify = s->notify;
	if (which & CP_CONF_SET_SIZE_MAX)
		conf->size_max = s->size_max;
	if (which & CP_CONF_SET_LOUDEST_N)
		conf->loudest_n = s->loudest_n;
	if (which & CP_CONF_SET_SMALL_SIZE)
		conf->small_size = s->small_size;
	if (which & CP_CONF_SET_START)
		conf->start_ms = s->start_ms;
	if (which & CP_CONF_SET_END) {
		conf->end_ms = s->end_ms;
		conf->warned_min = 0;
	}
	if (which & CP_CONF_SET_EARLY)
		conf->early_ms = s->early_ms;
	if (which & CP_CONF_SET_CHAT_HISTORY)
		conf->chat_history = s->chat_history;
	if (which & CP_CONF_SET_FLOORS)
		conf->floors = s->floors;
}

struct cp_conf_settings
cp_conf_settings(const struct cp_conf *conf)
{
	return (struct cp_conf_settings){
		.user = conf->user,
		.title = conf->title,
		.subject = conf->subject,
		.description = conf->description,
		.creator = conf->creator,
		.pin = conf->pin,
		.security = conf->security,
		.editors = conf->editors,
		.notify = conf->notify,
		.is_open = conf->is_open,
		.may_anonymous = conf->may_anonymous,
		.believes_from = conf->believes_from,
		.mutes_on_entry = conf->mutes_on_entry,
		.mutes_on_hold = conf->mutes_on_hold,
		.is_locked = conf->is_locked,
		.has_lobby = conf->has_lobby,
		.announces = conf->announces,
		.ends_with_creator = conf->ends_with_creator,
		.ends_when_empty = conf->ends_when_empty,
		.size_max = conf->size_max,
		.loudest_n = conf->loudest_n,
		.small_size = conf->small_size,
		.start_ms = conf->start_ms,
		.end_ms = conf->end_ms,
		.early_ms = conf->early_ms,
		.has_chat = conf->has_chat,
		.chat_history = conf->chat_history,
		.floors = conf->floors,
	};
}

enum cp_conf_notify
cp_conf_notify_policy(const struct cp_conf *conf)
{
	if (conf->notify != CP_NOTIFY_DEFAULT)
		return conf->notify;
	return conf->security == CP_CONF_MIKEY	  ? CP_NOTIFY_REQUIRED
	       : conf->security == CP_CONF_EITHER ? CP_NOTIFY_PREFERRED
						  : CP_NOTIFY_OFF;
}

static void
fill(struct cp_conf *conf, const struct cp_conf_settings *settings, const struct cp_conf_list *list)
{
	cp_conf_apply(conf, settings, CP_CONF_SET_ALL & ~CP_CONF_SET_CREATOR);
	cp_conf_take_list(conf, list);
	if (settings->creator && *settings->creator)
		cp_conf_apply(conf, settings, CP_CONF_SET_CREATOR);
}

static int
check_new(const struct cp_focus *focus, const struct cp_conf_settings *settings)
{
	char why[CP_CONF_REASON_MAX];
	int error = cp_conf_check(settings, CP_CONF_SET_ALL | CP_CONF_SET_USER, why, sizeof(why));

	if (error < 0)
		return error;
	return cp_conf_by_user(focus, cp_slice_text(settings->user)) != NULL ? -EEXIST : 0;
}

int
cp_conf_create(struct cp_conf **out, struct cp_focus *focus,
	       const struct cp_conf_settings *settings, enum cp_conf_origin origin, int64_t now_ms)
{
	struct cp_conf_list list;
	struct cp_conf *conf;
	uint32_t id;
	int error = check_new(focus, settings);

	if (error == 0)
		error = cp_conf_make_list(&list, settings);
	if (error < 0)
		return error;
	id = choose_id(focus, settings->user, &conf);
	if (conf != NULL)
		rename_conf(focus, conf, settings->user);
	else if (focus->limits.confs_max != 0 && cp_conf_count(focus) >= focus->limits.confs_max)
		error = -ENOSPC;
	else if ((conf = cp_conf_insert(focus, id, settings->user)) == NULL)
		error = -ENOMEM;
	if (error < 0) {
		free(list.items);
		return error;
	}
	fill(conf, settings, &list);
	conf->origin = origin;
	conf->created_ms = now_ms;
	*out = conf;
	return 0;
}

int
cp_conf_restore(struct cp_conf **out, struct cp_focus *focus,
		const struct cp_conf_settings *settings, const struct cp_conf_past *past,
		int64_t now_ms)
{
	struct cp_conf_list list;
	struct cp_conf *conf;
	int error = check_new(focus, settings);

	if (error == 0 && (past->id == 0 || cp_conf_by_id(focus, past->id) != NULL))
		error = -EEXIST;
	if (error == 0)
		error = cp_conf_make_list(&list, settings);
	if (error < 0)
		return error;
	conf = cp_conf_insert(focus, past->id, settings->user);
	if (conf == NULL) {
		free(list.items);
		return -ENOMEM;
	}
	fill(conf, settings, &list);
	conf->origin = past->origin;
	conf->was_joined = past->was_joined;
	conf->created_ms =
		past->created_wall_ms ? past->created_wall_ms - focus->wall_ahead_ms : now_ms;
	*out = conf;
	return 0;
}
