/* Conferences and legs: making, finding, forgetting. */
#include "ctrlplane/conf/conf.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/conf/focus_state.h"

#define SETUP_MS 40000
#define ID_MASK 0x7fffffffu

int
cp_focus_create(struct cp_focus **out, const struct cp_conf_limits *limits, uint32_t start)
{
	struct cp_focus *focus = calloc(1, sizeof(*focus));

	if (focus == NULL)
		return -ENOMEM;
	focus->end = &focus->first;
	focus->limits = *limits;
	if (focus->limits.setup_ms == 0)
		focus->limits.setup_ms = SETUP_MS;
	cp_id_init(&focus->leg_ids, start);
	focus->leg_start = focus->leg_ids.next;
	if (cp_map_init(&focus->confs_by_id) < 0 || cp_map_init(&focus->confs_by_user) < 0 ||
	    cp_map_init(&focus->legs_by_id) < 0) {
		cp_focus_destroy(focus);
		return -ENOMEM;
	}
	*out = focus;
	return 0;
}

void
cp_focus_destroy(struct cp_focus *focus)
{
	if (focus == NULL)
		return;
	while (focus->first != NULL)
		cp_conf_forget(focus, focus->first);
	cp_map_fini(&focus->confs_by_id);
	cp_map_fini(&focus->confs_by_user);
	cp_map_fini(&focus->legs_by_id);
	free(focus);
}

void
cp_focus_drain(struct cp_focus *focus, bool is_draining)
{
	focus->is_draining = is_draining;
}

bool
cp_focus_is_draining(const struct cp_focus *focus)
{
	return focus->is_draining;
}

static bool
has_conf_id(const struct cp_map_node *node, const void *key)
{
	return CP_CONTAINER(node, const struct cp_conf, by_id)->id == *(const uint32_t *)key;
}

static bool
has_user(const struct cp_map_node *node, const void *key)
{
	return cp_slice_is(*(const struct cp_slice *)key,
			   CP_CONTAINER(node, const struct cp_conf, by_user)->user);
}

static bool
has_leg_id(const struct cp_map_node *node, const void *key)
{
	return CP_CONTAINER(node, const struct cp_leg, by_id)->id == *(const uint32_t *)key;
}

struct cp_conf *
cp_conf_by_id(const struct cp_focus *focus, uint32_t id)
{
	struct cp_map_node *node = cp_map_find(&focus->confs_by_id, id, has_conf_id, &id);

	return node ? CP_CONTAINER(node, struct cp_conf, by_id) : NULL;
}

struct cp_leg *
cp_leg_by_id(const struct cp_focus *focus, uint32_t id)
{
	struct cp_map_node *node = cp_map_find(&focus->legs_by_id, id, has_leg_id, &id);

	return node ? CP_CONTAINER(node, struct cp_leg, by_id) : NULL;
}

/* A Request-URI may escape what need not be (RFC 3261 19.1.4): by way of the canonical form. */
struct cp_conf *
cp_conf_by_user(const struct cp_focus *focus, struct cp_slice user)
{
	char uri[CP_IDENTITY_MAX], plain[CP_IDENTITY_MAX];
	struct cp_map_node *node;

	if (user.len == 0 || user.len > 3 * CP_CONF_USER_MAX)
		return NULL;
	if (memchr(user.ptr, '%', user.len) != NULL) {
		snprintf(uri, sizeof(uri), "sip:%.*s@x", (int)user.len, user.ptr);
		if (cp_identity(plain, cp_slice_text(uri)) < 0)
			return NULL;
		user = cp_slice(plain + 4, strlen(plain) - 6);
	}
	node = cp_map_find(&focus->confs_by_user, cp_hash(user.ptr, user.len), has_user, &user);
	return node ? CP_CONTAINER(node, struct cp_conf, by_user) : NULL;
}

struct cp_conf *
cp_conf_first(const struct cp_focus *focus)
{
	return focus->first;
}

size_t
cp_conf_count(const struct cp_focus *focus)
{
	return focus->confs_by_id.count;
}

size_t
cp_leg_count(const struct cp_focus *focus)
{
	return focus->legs_by_id.count;
}

struct cp_conf *
cp_conf_insert(struct cp_focus *focus, uint32_t id, const char *user)
{
	struct cp_conf *conf = calloc(1, sizeof(*conf));

	if (conf == NULL)
		return NULL;
	conf->id = id;
	snprintf(conf->user, sizeof(conf->user), "%s", user);
	snprintf(conf->title, sizeof(conf->title), "%s", user);
	conf->legs_end = &conf->legs;
	conf->link = focus->end;
	*focus->end = conf;
	focus->end = &conf->next;
	cp_map_put(&focus->confs_by_id, &conf->by_id, id);
	cp_map_put(&focus->confs_by_user, &conf->by_user, cp_hash(conf->user, strlen(conf->user)));
	return conf;
}

void
cp_conf_forget(struct cp_focus *focus, struct cp_conf *conf)
{
	while (conf->legs != NULL)
		cp_leg_forget(focus, conf->legs);
	*conf->link = conf->next;
	if (conf->next != NULL)
		conf->next->link = conf->link;
	else
		focus->end = conf->link;
	cp_map_drop(&focus->confs_by_id, &conf->by_id);
	cp_map_drop(&focus->confs_by_user, &conf->by_user);
	free(conf->authorised);
	free(conf);
}

struct cp_leg *
cp_leg_insert(struct cp_focus *focus, struct cp_conf *conf, uint32_t id)
{
	struct cp_leg *leg = calloc(1, sizeof(*leg));

	if (leg == NULL)
		return NULL;
	leg->id = id;
	leg->conf = conf;
	leg->link = conf->legs_end;
	*conf->legs_end = leg;
	conf->legs_end = &leg->next;
	conf->leg_count++;
	cp_map_put(&focus->legs_by_id, &leg->by_id, id);
	return leg;
}

void
cp_leg_forget(struct cp_focus *focus, struct cp_leg *leg)
{
	*leg->link = leg->next;
	if (leg->next != NULL)
		leg->next->link = leg->link;
	else
		leg->conf->legs_end = leg->link;
	leg->conf->leg_count--;
	cp_map_drop(&focus->legs_by_id, &leg->by_id);
	free(leg);
}

static bool
is_user_part(const char *user)
{
	if (user == NULL || *user == '\0' || strlen(user) >= CP_CONF_USER_MAX)
		return false;
	for (; *user; user++)
		if ((unsigned char)*user > '~' ||
		    (!isalnum((unsigned char)*user) && strchr("-_.!~*'()&=+$,;?/", *user) == NULL))
			return false;
	return true;
}

static int
compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int
set_authorised(char (**out)[CP_IDENTITY_MAX], const struct cp_conf_settings *settings)
{
	char(*list)[CP_IDENTITY_MAX];

	*out = NULL;
	if (settings->authorised_count == 0)
		return 0;
	list = calloc(settings->authorised_count, sizeof(*list));
	if (list == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < settings->authorised_count; i++) {
		if (cp_identity(list[i], cp_slice_text(settings->authorised[i])) < 0) {
			free(list);
			return -EINVAL;
		}
	}
	qsort(list, settings->authorised_count, sizeof(*list), compare);
	*out = list;
	return 0;
}

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

int
cp_conf_create(struct cp_conf **out, struct cp_focus *focus,
	       const struct cp_conf_settings *settings, enum cp_conf_origin origin, int64_t now_ms)
{
	char(*authorised)[CP_IDENTITY_MAX];
	struct cp_conf *conf;
	uint32_t id;
	int error;

	if (!is_user_part(settings->user))
		return -EINVAL;
	if (cp_conf_by_user(focus, cp_slice_text(settings->user)) != NULL)
		return -EEXIST;
	error = set_authorised(&authorised, settings);
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
		free(authorised);
		return error;
	}
	cp_slice_copy_text(conf->title, sizeof(conf->title),
			   cp_slice_text(settings->title ? settings->title : settings->user));
	conf->origin = origin;
	conf->security = settings->security;
	conf->is_open = settings->is_open;
	conf->may_anonymous = settings->may_anonymous;
	conf->mutes_on_entry = settings->mutes_on_entry;
	conf->mutes_on_hold = settings->mutes_on_hold;
	conf->is_locked = settings->is_locked;
	conf->size_max = settings->size_max;
	conf->loudest_n = settings->loudest_n;
	conf->small_size = settings->small_size;
	conf->authorised = authorised;
	conf->authorised_count = settings->authorised_count;
	conf->created_ms = now_ms;
	*out = conf;
	return 0;
}

const char *
cp_leg_state_name(enum cp_leg_state state)
{
	static const char *const names[] = {"joining", "connected", "adopted"};

	return names[state];
}

const char *
cp_conf_security_name(enum cp_conf_security security)
{
	static const char *const names[] = {"sdes", "either", "none", "mikey-ticket"};

	return names[security];
}

const char *
cp_conf_origin_name(enum cp_conf_origin origin)
{
	static const char *const names[] = {"configured", "created", "adopted"};

	return names[origin];
}
