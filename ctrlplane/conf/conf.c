/* Conferences and legs: making, finding, forgetting. */
#include "ctrlplane/conf/conf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/conf/focus_state.h"

#define SETUP_MS 40000
#define RING_MS 180000
#define PIN_MS 60000
#define LOBBY_MS 900000
#define UNJOINED_MS 60000
#define KEPT_TICKS 2 /* who is gone is there for effects that are under way */
#define KEPT_MS 3000 /* the same where many left at once */

static void
set_default(int64_t *limit, int64_t ms)
{
	if (*limit == 0)
		*limit = ms;
}

static void
set_defaults(struct cp_conf_limits *limits)
{
	set_default(&limits->setup_ms, SETUP_MS);
	set_default(&limits->ring_ms, RING_MS);
	set_default(&limits->pin_ms, PIN_MS);
	set_default(&limits->lobby_ms, LOBBY_MS);
	set_default(&limits->unjoined_ms, UNJOINED_MS);
}

int
cp_focus_create(struct cp_focus **out, const struct cp_conf_limits *limits, uint32_t start)
{
	struct cp_focus *focus = calloc(1, sizeof(*focus));

	if (focus == NULL)
		return -ENOMEM;
	focus->end = &focus->first;
	focus->limits = *limits;
	set_defaults(&focus->limits);
	cp_id_init(&focus->leg_ids, start);
	focus->leg_start = focus->leg_ids.next;
	if (cp_map_init(&focus->confs_by_id) < 0 || cp_map_init(&focus->confs_by_user) < 0 ||
	    cp_map_init(&focus->legs_by_id) < 0 || cp_map_init(&focus->gone_by_id) < 0) {
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
	cp_focus_trim_closed(focus, true);
	while (focus->remembered != NULL) {
		struct cp_leg *next = focus->remembered->next;

		free(focus->remembered);
		focus->remembered = next;
	}
	free(focus->past);
	cp_map_fini(&focus->confs_by_id);
	cp_map_fini(&focus->confs_by_user);
	cp_map_fini(&focus->legs_by_id);
	cp_map_fini(&focus->gone_by_id);
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

void
cp_focus_set_wall(struct cp_focus *focus, int64_t ahead_ms)
{
	focus->wall_ahead_ms = ahead_ms;
}

int64_t
cp_focus_wall_ms(const struct cp_focus *focus, int64_t ms)
{
	return ms != 0 ? ms + focus->wall_ahead_ms : 0;
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

/* Its legs of our life before are not waited for any more. */
static void
forget_remembered(struct cp_focus *focus, const struct cp_conf *conf)
{
	struct cp_leg **at = &focus->remembered;

	while (*at != NULL) {
		struct cp_leg *leg = *at;

		if (leg->conf != conf) {
			at = &leg->next;
			continue;
		}
		*at = leg->next;
		free(leg);
	}
}

/* Off the list of all and the maps. */
static void
unlink_conf(struct cp_focus *focus, struct cp_conf *conf)
{
	forget_remembered(focus, conf);
	*conf->link = conf->next;
	if (conf->next != NULL)
		conf->next->link = conf->link;
	else
		focus->end = conf->link;
	cp_map_drop(&focus->confs_by_id, &conf->by_id);
	cp_map_drop(&focus->confs_by_user, &conf->by_user);
}

static void
free_conf(struct cp_focus *focus, struct cp_conf *conf)
{
	cp_conf_trim_gone(focus, conf, 0, true);
	explicit_bzero(conf->pin, sizeof(conf->pin));
	free(conf->authorised);
	free(conf);
}

static void
free_leg(struct cp_leg *leg)
{
	explicit_bzero(leg->pin, sizeof(leg->pin));
	free(leg);
}

void
cp_conf_forget(struct cp_focus *focus, struct cp_conf *conf)
{
	while (conf->legs != NULL) {
		struct cp_leg *leg = conf->legs;

		cp_leg_unlink(focus, leg);
		free_leg(leg);
	}
	unlink_conf(focus, conf);
	free_conf(focus, conf);
}

/* A ring of names; without memory for it they get 404 like any other. */
static void
remember_name(struct cp_focus *focus, const char *user)
{
	if (focus->past == NULL)
		focus->past = calloc(CP_CONF_CLOSED_MAX, sizeof(*focus->past));
	if (focus->past == NULL)
		return;
	snprintf(focus->past[focus->past_next], sizeof(*focus->past), "%s", user);
	focus->past_next = (focus->past_next + 1) % CP_CONF_CLOSED_MAX;
	if (focus->past_count < CP_CONF_CLOSED_MAX)
		focus->past_count++;
}

bool
cp_focus_is_past(const struct cp_focus *focus, struct cp_slice user)
{
	for (size_t i = 0; i < focus->past_count; i++)
		if (cp_slice_is(user, focus->past[i]))
			return true;
	return false;
}

void
cp_conf_retire(struct cp_focus *focus, struct cp_conf *conf)
{
	unlink_conf(focus, conf);
	if (conf->origin != CP_CONF_ADOPTED)
		remember_name(focus, conf->user);
	conf->closed_tick = focus->tick;
	conf->next = focus->closed;
	focus->closed = conf;
}

void
cp_focus_trim_closed(struct cp_focus *focus, bool takes_all)
{
	struct cp_conf **at = &focus->closed;

	while (*at != NULL) {
		struct cp_conf *conf = *at;

		if (!takes_all && focus->tick - conf->closed_tick < KEPT_TICKS) {
			at = &conf->next;
			continue;
		}
		*at = conf->next;
		free_conf(focus, conf);
	}
}

struct cp_conf *
cp_conf_closed(const struct cp_focus *focus, uint32_t id)
{
	struct cp_conf *conf = focus->closed;

	while (conf != NULL && conf->id != id)
		conf = conf->next;
	return conf;
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
cp_leg_unlink(struct cp_focus *focus, struct cp_leg *leg)
{
	*leg->link = leg->next;
	if (leg->next != NULL)
		leg->next->link = leg->link;
	else
		leg->conf->legs_end = leg->link;
	leg->conf->leg_count--;
	cp_map_drop(&focus->legs_by_id, &leg->by_id);
}

void
cp_leg_retire(struct cp_focus *focus, struct cp_leg *leg, int64_t now_ms)
{
	cp_leg_unlink(focus, leg);
	leg->state = CP_LEG_GONE;
	leg->left_ms = now_ms;
	leg->next = leg->conf->gone;
	leg->conf->gone = leg;
	leg->conf->gone_count++;
	cp_map_put(&focus->gone_by_id, &leg->by_id, leg->id);
}

void
cp_conf_trim_gone(struct cp_focus *focus, struct cp_conf *conf, int64_t now_ms, bool takes_all)
{
	struct cp_leg **at = &conf->gone;
	uint32_t kept = 0;

	for (; *at != NULL && !takes_all; at = &(*at)->next, kept++) {
		int64_t age_ms = now_ms - (*at)->left_ms;

		if (age_ms >= CP_CONF_GONE_MS || (kept >= CP_CONF_GONE_MAX && age_ms >= KEPT_MS))
			break;
	}
	while (*at != NULL) { /* the latest stand first: all behind are older */
		struct cp_leg *leg = *at;

		*at = leg->next;
		cp_map_drop(&focus->gone_by_id, &leg->by_id);
		free_leg(leg);
	}
	conf->gone_count = kept;
}

struct cp_leg *
cp_leg_gone(const struct cp_focus *focus, uint32_t id)
{
	struct cp_map_node *node = cp_map_find(&focus->gone_by_id, id, has_leg_id, &id);

	return node ? CP_CONTAINER(node, struct cp_leg, by_id) : NULL;
}

int
cp_focus_remember(struct cp_focus *focus, uint32_t conf_id, const struct cp_leg *like)
{
	struct cp_conf *conf = cp_conf_by_id(focus, conf_id);
	struct cp_leg *leg;

	if (conf == NULL)
		return -ENOENT;
	leg = malloc(sizeof(*leg));
	if (leg == NULL)
		return -ENOMEM;
	*leg = *like;
	leg->conf = conf;
	leg->next = focus->remembered;
	focus->remembered = leg;
	return 0;
}
