/* Users, endpoints and media of a subscriber's copy. */
#include "ctrlplane/event/copy_state.h"

#include <stdlib.h>
#include <string.h>

#include "ctrlplane/base/id.h"

void
cp_copy_init(struct cp_copy *copy)
{
	memset(copy, 0, sizeof(*copy));
	TAILQ_INIT(&copy->users);
}

void
cp_copy_empty(struct cp_copy *copy)
{
	struct cp_copy_reader *reader = copy->reader;

	cp_copy_drop_users(copy);
	cp_map_fini(&copy->by_entity);
	free(copy->entity);
	free(copy->display);
	free(copy->subject);
	cp_copy_init(copy);
	copy->reader = reader;
}

void
cp_copy_fini(struct cp_copy *copy)
{
	cp_copy_reader_destroy(copy->reader);
	cp_copy_empty(copy);
	copy->reader = NULL;
}

static uint32_t
hash_of(const char *entity)
{
	return cp_hash(entity, strlen(entity));
}

static bool
is_user(const struct cp_map_node *node, const void *key)
{
	return strcmp(CP_CONTAINER(node, struct cp_copy_user, by_entity)->entity, key) == 0;
}

struct cp_copy_user *
cp_copy_find(const struct cp_copy *copy, const char *entity)
{
	struct cp_map_node *node = NULL;

	if (copy->by_entity.buckets)
		node = cp_map_find(&copy->by_entity, hash_of(entity), is_user, entity);
	return node ? CP_CONTAINER(node, struct cp_copy_user, by_entity) : NULL;
}

struct cp_copy_endpoint *
cp_copy_find_endpoint(const struct cp_copy_user *user, const char *entity)
{
	struct cp_copy_endpoint *e;

	TAILQ_FOREACH (e, &user->endpoints, entry)
		if (strcmp(e->entity, entity) == 0)
			return e;
	return NULL;
}

struct cp_copy_user *
cp_copy_add_user(struct cp_copy *copy, const char *entity)
{
	struct cp_copy_user *user = NULL;

	if (!copy->by_entity.buckets && cp_map_init(&copy->by_entity) != 0)
		return NULL;
	if (copy->count < CP_COPY_USERS_MAX)
		user = calloc(1, sizeof(*user));
	if (user)
		user->entity = strdup(entity);
	if (!user || !user->entity) {
		free(user);
		return NULL;
	}
	TAILQ_INIT(&user->endpoints);
	TAILQ_INSERT_TAIL(&copy->users, user, entry);
	cp_map_put(&copy->by_entity, &user->by_entity, hash_of(entity));
	copy->count++;
	return user;
}

struct cp_copy_endpoint *
cp_copy_add_endpoint(struct cp_copy_user *user, const char *entity)
{
	struct cp_copy_endpoint *e =
		user->endpoint_count < CP_COPY_ENDPOINTS_MAX ? calloc(1, sizeof(*e)) : NULL;

	if (e)
		e->entity = strdup(entity);
	if (!e || !e->entity) {
		free(e);
		return NULL;
	}
	TAILQ_INIT(&e->media);
	TAILQ_INSERT_TAIL(&user->endpoints, e, entry);
	user->endpoint_count++;
	return e;
}

static void
empty_media(struct cp_copy_media *m)
{
	free(m->display);
	free(m->type);
	free(m->label);
	free(m->src_id);
	free(m->status);
	m->display = m->type = m->label = m->src_id = m->status = NULL;
}

struct cp_copy_media *
cp_copy_media_at(struct cp_copy_endpoint *e, const char *id)
{
	struct cp_copy_media *m;

	TAILQ_FOREACH (m, &e->media, entry) {
		if (strcmp(m->id, id) != 0)
			continue;
		empty_media(m);
		return m;
	}
	m = e->media_count < CP_COPY_MEDIA_MAX ? calloc(1, sizeof(*m)) : NULL;
	if (m)
		m->id = strdup(id);
	if (!m || !m->id) {
		free(m);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&e->media, m, entry);
	e->media_count++;
	return m;
}

void
cp_copy_drop_act(struct cp_copy_act *act)
{
	free(act->when);
	free(act->reason);
	free(act->by);
	*act = (struct cp_copy_act){0};
}

void
cp_copy_drop_call(struct cp_copy_call *call)
{
	free(call->display);
	free(call->call_id);
	free(call->from_tag);
	free(call->to_tag);
	*call = (struct cp_copy_call){0};
}

void
cp_copy_drop_endpoint(struct cp_copy_user *user, struct cp_copy_endpoint *e)
{
	struct cp_copy_media *m;

	while ((m = TAILQ_FIRST(&e->media)) != NULL) {
		TAILQ_REMOVE(&e->media, m, entry);
		empty_media(m);
		free(m->id);
		free(m);
	}
	TAILQ_REMOVE(&user->endpoints, e, entry);
	user->endpoint_count--;
	cp_copy_drop_act(&e->referred);
	cp_copy_drop_act(&e->joined);
	cp_copy_drop_act(&e->left);
	cp_copy_drop_call(&e->call);
	free(e->entity);
	free(e->display);
	free(e->status);
	free(e->joining);
	free(e->leaving);
	free(e);
}

void
cp_copy_empty_user(struct cp_copy_user *user)
{
	while (!TAILQ_EMPTY(&user->endpoints))
		cp_copy_drop_endpoint(user, TAILQ_FIRST(&user->endpoints));
	free(user->display);
	free(user->roles);
	user->display = user->roles = NULL;
}

void
cp_copy_drop_user(struct cp_copy *copy, struct cp_copy_user *user)
{
	cp_copy_empty_user(user);
	TAILQ_REMOVE(&copy->users, user, entry);
	cp_map_drop(&copy->by_entity, &user->by_entity);
	copy->count--;
	free(user->entity);
	free(user);
}

void
cp_copy_drop_users(struct cp_copy *copy)
{
	while (!TAILQ_EMPTY(&copy->users))
		cp_copy_drop_user(copy, TAILQ_FIRST(&copy->users));
}
