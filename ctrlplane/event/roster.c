/* What is known of a conference, and since when: an update is compared part by part with what was said before. */
#include "ctrlplane/event/roster_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctrlplane/base/id.h"

static uint32_t
hash_of(const char *entity)
{
	return cp_hash(entity, strlen(entity));
}

static bool
is_user(const struct cp_map_node *node, const void *key)
{
	return strcmp(CP_CONTAINER(node, struct cp_roster_user, by_entity)->entity, key) == 0;
}

struct cp_roster_user *
cp_roster_find(const struct cp_roster *r, const char *entity)
{
	struct cp_map_node *node = cp_map_find(&r->by_entity, hash_of(entity), is_user, entity);

	return node ? CP_CONTAINER(node, struct cp_roster_user, by_entity) : NULL;
}

struct cp_roster_seat *
cp_roster_find_seat(const struct cp_roster_user *user, const char *entity)
{
	struct cp_roster_seat *seat;

	TAILQ_FOREACH (seat, &user->seats, entry)
		if (strcmp(seat->entity, entity) == 0)
			return seat;
	return NULL;
}

int
cp_roster_create(struct cp_roster **out, const char *entity)
{
	struct cp_roster *r;

	if (!entity || !*entity)
		return -EINVAL;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	TAILQ_INIT(&r->users);
	TAILQ_INIT(&r->gone);
	r->entity = strdup(entity);
	if (!r->entity || cp_map_init(&r->by_entity) != 0) {
		free(r->entity);
		free(r);
		return -ENOMEM;
	}
	*out = r;
	return 0;
}

static void
free_seat(struct cp_roster_user *user, struct cp_roster_seat *seat)
{
	TAILQ_REMOVE(&user->seats, seat, entry);
	free(seat->entity);
	free(seat->part.text);
	free(seat);
}

static void
free_user(struct cp_roster *r, struct cp_roster_user *user)
{
	struct cp_roster_seat *seat;

	while ((seat = TAILQ_FIRST(&user->seats)) != NULL)
		free_seat(user, seat);
	cp_map_drop(&r->by_entity, &user->by_entity);
	TAILQ_REMOVE(&r->users, user, entry);
	free(user->entity);
	free(user->head.text);
	free(user);
}

static void
free_gone(struct cp_roster *r, struct cp_roster_gone *gone)
{
	TAILQ_REMOVE(&r->gone, gone, entry);
	r->gone_count--;
	free(gone->endpoint);
	free(gone);
}

void
cp_roster_destroy(struct cp_roster *r)
{
	if (!r)
		return;
	cp_roster_drop_bodies(r);
	while (!TAILQ_EMPTY(&r->users))
		free_user(r, TAILQ_FIRST(&r->users));
	while (!TAILQ_EMPTY(&r->gone))
		free_gone(r, TAILQ_FIRST(&r->gone));
	free(r->description.text);
	free(r->host.text);
	free(r->state.text);
	cp_xml_fini(&r->scratch);
	cp_map_fini(&r->by_entity);
	free(r->entity);
	free(r);
}

/* What scratch holds now stands in part; its revision moves when it differs. */
static bool
commit(struct cp_roster *r, struct cp_roster_part *part)
{
	char *text;

	if (r->scratch.has_failed) {
		r->has_failed = true;
		return false;
	}
	if (part->revision && part->len == r->scratch.len &&
	    (part->len == 0 || memcmp(part->text, r->scratch.text, part->len) == 0))
		return false;
	text = malloc(r->scratch.len + 1);
	if (!text) {
		r->has_failed = true;
		return false;
	}
	if (r->scratch.len)
		memcpy(text, r->scratch.text, r->scratch.len);
	free(part->text);
	part->text = text;
	part->len = r->scratch.len;
	part->revision = r->revision + 1;
	r->is_changed = true;
	return true;
}

void
cp_roster_begin(struct cp_roster *r)
{
	struct cp_roster_user *user;
	struct cp_roster_seat *seat;

	r->is_changed = r->has_failed = false;
	r->scratch.has_failed = false;
	TAILQ_FOREACH (user, &r->users, entry) {
		user->is_seen = false;
		TAILQ_FOREACH (seat, &user->seats, entry)
			seat->is_seen = false;
	}
}

void
cp_roster_set_conference(struct cp_roster *r, const struct cp_roster_conference *c)
{
	r->scratch.len = 0;
	cp_roster_write_description(&r->scratch, c);
	commit(r, &r->description);
	r->scratch.len = 0;
	cp_roster_write_host(&r->scratch, c);
	if (commit(r, &r->host) && r->host.len == 0)
		r->floor = r->revision + 1; /* no partial document can take it away */
	r->is_active = c->is_active;
	r->is_locked = c->is_locked;
}

static struct cp_roster_user *
add_user(struct cp_roster *r, const char *entity)
{
	struct cp_roster_user *user = calloc(1, sizeof(*user));

	if (user)
		user->entity = strdup(entity);
	if (!user || !user->entity) {
		free(user);
		r->has_failed = true;
		return NULL;
	}
	TAILQ_INIT(&user->seats);
	TAILQ_INSERT_TAIL(&r->users, user, entry);
	cp_map_put(&r->by_entity, &user->by_entity, hash_of(entity));
	return user;
}

static struct cp_roster_seat *
add_seat(struct cp_roster *r, struct cp_roster_user *user, const char *entity)
{
	struct cp_roster_seat *seat = calloc(1, sizeof(*seat));

	if (seat)
		seat->entity = strdup(entity);
	if (!seat || !seat->entity) {
		free(seat);
		r->has_failed = true;
		return NULL;
	}
	TAILQ_INSERT_TAIL(&user->seats, seat, entry);
	return seat;
}

static bool
takes_part(enum cp_roster_status status)
{
	return status == CP_ROSTER_CONNECTED || status == CP_ROSTER_MUTED ||
	       status == CP_ROSTER_ON_HOLD;
}

void
cp_roster_put(struct cp_roster *r, const struct cp_roster_endpoint *e)
{
	struct cp_roster_user *user = cp_roster_find(r, e->user);
	struct cp_roster_seat *seat;

	if (!user)
		user = add_user(r, e->user);
	if (!user)
		return;
	if (!user->is_seen) {
		r->scratch.len = 0;
		cp_roster_write_user_head(&r->scratch, e);
		if (commit(r, &user->head))
			user->revision = r->revision + 1;
		user->is_seen = true;
	}
	seat = cp_roster_find_seat(user, e->entity);
	if (!seat)
		seat = add_seat(r, user, e->entity);
	if (!seat)
		return;
	seat->is_seen = true;
	seat->is_counted = takes_part(e->status);
	r->scratch.len = 0;
	cp_roster_write_endpoint(&r->scratch, e);
	if (commit(r, &seat->part))
		user->revision = r->revision + 1;
}

static void
remember_gone(struct cp_roster *r, const char *user, const char *endpoint)
{
	size_t len = strlen(user) + 1;
	struct cp_roster_gone *gone = malloc(sizeof(*gone) + len);

	if (gone)
		gone->endpoint = endpoint ? strdup(endpoint) : NULL;
	if (!gone || (endpoint && !gone->endpoint)) {
		free(gone);
		r->has_failed = true;
		return;
	}
	memcpy(gone->user, user, len);
	gone->revision = r->revision + 1;
	TAILQ_INSERT_TAIL(&r->gone, gone, entry);
	r->gone_count++;
}

/* Who was not put is gone. */
static void
sweep(struct cp_roster *r)
{
	struct cp_roster_user *user, *next_user;

	for (user = TAILQ_FIRST(&r->users); user; user = next_user) {
		struct cp_roster_seat *seat, *next;

		next_user = TAILQ_NEXT(user, entry);
		if (!user->is_seen) {
			remember_gone(r, user->entity, NULL);
			free_user(r, user);
			r->is_changed = true;
			continue;
		}
		for (seat = TAILQ_FIRST(&user->seats); seat; seat = next) {
			next = TAILQ_NEXT(seat, entry);
			if (seat->is_seen)
				continue;
			remember_gone(r, user->entity, seat->entity);
			free_seat(user, seat);
			user->revision = r->revision + 1;
			r->is_changed = true;
		}
	}
	while (r->gone_count > CP_ROSTER_GONE_MAX) {
		r->floor = TAILQ_FIRST(&r->gone)->revision;
		free_gone(r, TAILQ_FIRST(&r->gone));
	}
}

/* Users that take part, and how long a full document is. */
static void
count(struct cp_roster *r)
{
	struct cp_roster_user *user;
	struct cp_roster_seat *seat;

	r->user_count = 0;
	r->full_len = r->description.len + r->host.len;
	TAILQ_FOREACH (user, &r->users, entry) {
		bool is_counted = false;

		r->full_len +=
			strlen(user->entity) + user->head.len + sizeof("<user entity=\"\"></user>");
		TAILQ_FOREACH (seat, &user->seats, entry) {
			is_counted |= seat->is_counted;
			r->full_len += seat->part.len;
		}
		r->user_count += is_counted;
	}
}

int
cp_roster_end(struct cp_roster *r)
{
	sweep(r);
	count(r);
	r->scratch.len = 0;
	cp_roster_write_state(&r->scratch, r->user_count, r->is_active, r->is_locked);
	commit(r, &r->state);
	r->full_len += r->state.len;
	if (!r->is_changed && !r->has_failed)
		return 0;
	r->revision++;
	cp_roster_drop_bodies(r);
	if (!r->has_failed)
		return 1;
	r->floor = r->revision; /* what is missing in what is known, nobody can tell */
	return -ENOMEM;
}

const char *
cp_roster_entity(const struct cp_roster *r)
{
	return r->entity;
}

uint64_t
cp_roster_revision(const struct cp_roster *r)
{
	return r->revision;
}

uint32_t
cp_roster_user_count(const struct cp_roster *r)
{
	return r->user_count;
}

uint64_t
cp_roster_made(const struct cp_roster *r)
{
	return r->made;
}
