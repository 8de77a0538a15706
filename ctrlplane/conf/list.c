/* Who is authorised, in which role: a sorted array in which both forms of a telephone number stand together. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/conf/focus_state.h"

#define MANY 64

static int
compare(const void *a, const void *b)
{
	const struct cp_conf_authorised *x = a, *y = b;
	int order = cp_identity_compare(x->identity, y->identity);

	return order != 0 ? order : x->order < y->order ? -1 : x->order > y->order;
}

/* The first that is not before identity. */
static size_t
lower_bound(const struct cp_conf *conf, const char *identity)
{
	size_t low = 0, high = conf->authorised_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (cp_identity_compare(conf->authorised[middle].identity, identity) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The same person among those that compare equal to it, from at on. NULL: none. */
static struct cp_conf_authorised *
find_same(struct cp_conf_authorised *list, size_t at, size_t count, const char *identity)
{
	for (; at < count && cp_identity_compare(list[at].identity, identity) == 0; at++)
		if (cp_identity_is_same(list[at].identity, identity))
			return &list[at];
	return NULL;
}

struct cp_conf_authorised *
cp_conf_find(const struct cp_conf *conf, const char *identity)
{
	if (*identity == '\0' || conf->authorised_count == 0)
		return NULL;
	return find_same(conf->authorised, lower_bound(conf, identity), conf->authorised_count,
			 identity);
}

bool
cp_conf_role_for(enum cp_conf_role *out, const struct cp_conf *conf, const char *person,
		 const char *tel)
{
	const struct cp_conf_authorised *one = cp_conf_find(conf, person);
	const char *creator = conf->creator;

	if (one == NULL)
		one = cp_conf_find(conf, tel);
	*out = one != NULL ? one->role : CP_ROLE_PARTICIPANT;
	if (*creator != '\0' &&
	    (cp_identity_is_same(creator, person) || cp_identity_is_same(creator, tel)))
		*out = CP_ROLE_CREATOR;
	return one != NULL || *out == CP_ROLE_CREATOR;
}

/* Of two entries for one person the later says the role. How many are left. */
static size_t
settle(struct cp_conf_authorised *list, size_t count)
{
	size_t kept = 0, run = 0; /* run: the first that compares equal to the last kept */

	for (size_t i = 0; i < count; i++) {
		struct cp_conf_authorised *same;

		if (kept > 0 && cp_identity_compare(list[kept - 1].identity, list[i].identity) != 0)
			run = kept;
		same = find_same(list, run, kept, list[i].identity);
		if (same != NULL)
			same->role = list[i].role;
		else
			list[kept++] = list[i];
	}
	return kept;
}

static int
add_one(struct cp_conf_authorised *list, size_t at, const char *uri, enum cp_conf_role role)
{
	list[at].role = role;
	list[at].order = (uint32_t)at;
	return cp_identity(list[at].identity, cp_slice_text(uri)) < 0 ? -EINVAL : 0;
}

int
cp_conf_make_list(struct cp_conf_list *out, const struct cp_conf_settings *s)
{
	size_t room = s->authorised_count + s->people_count, count = 0;
	struct cp_conf_authorised *list;
	int error = 0;

	*out = (struct cp_conf_list){0};
	if (room == 0)
		return 0;
	if (room > 2 * CP_CONF_AUTHORISED_MAX) /* some may stand twice */
		return -EINVAL;
	list = calloc(room, sizeof(*list));
	if (list == NULL)
		return -ENOMEM;
	for (size_t i = 0; error == 0 && i < s->authorised_count; i++)
		error = add_one(list, count++, s->authorised[i], CP_ROLE_PARTICIPANT);
	for (size_t i = 0; error == 0 && i < s->people_count; i++)
		error = add_one(list, count++, s->people[i].uri, s->people[i].role);
	if (error == 0) {
		qsort(list, count, sizeof(*list), compare);
		count = settle(list, count);
		error = count <= CP_CONF_AUTHORISED_MAX ? 0 : -EINVAL;
	}
	if (error != 0)
		free(list);
	else
		*out = (struct cp_conf_list){.items = list, .count = count};
	return error;
}

void
cp_conf_take_list(struct cp_conf *conf, const struct cp_conf_list *list)
{
	free(conf->authorised);
	conf->authorised = list->items;
	conf->authorised_count = list->count;
	for (size_t i = 0; i < conf->authorised_count; i++)
		if (conf->authorised[i].role == CP_ROLE_CREATOR)
			cp_conf_set_creator(conf, conf->authorised[i].identity);
}

int
cp_conf_authorise(struct cp_conf *conf, const struct cp_conf_person *person, bool *has_changed)
{
	struct cp_conf_authorised one = {.role = person->role}, *found, *more;
	size_t at;

	if (cp_identity(one.identity, cp_slice_text(person->uri)) < 0)
		return -EINVAL;
	if (one.role == CP_ROLE_CREATOR) {
		*has_changed |= !cp_identity_is_same(conf->creator, one.identity);
		cp_conf_set_creator(conf, one.identity);
	} else if (cp_identity_is_same(conf->creator, one.identity)) {
		conf->creator[0] = '\0';
		*has_changed = true;
	}
	found = cp_conf_find(conf, one.identity);
	if (found != NULL) {
		*has_changed |= found->role != one.role;
		found->role = one.role;
		return 0;
	}
	if (conf->authorised_count >= CP_CONF_AUTHORISED_MAX)
		return -ENOSPC;
	more = reallocarray(conf->authorised, conf->authorised_count + 1, sizeof(*more));
	if (more == NULL)
		return -ENOMEM;
	conf->authorised = more;
	at = lower_bound(conf, one.identity);
	memmove(more + at + 1, more + at, (conf->authorised_count - at) * sizeof(*more));
	more[at] = one;
	conf->authorised_count++;
	*has_changed = true;
	return 0;
}

/* Many at once: sorted once, not moved once each. */
static int
merge(struct cp_conf *conf, const struct cp_conf_person *people, size_t count)
{
	size_t have = conf->authorised_count;
	struct cp_conf_person *all = calloc(have + count, sizeof(*all));
	struct cp_conf_settings settings = {.people = all, .people_count = have + count};
	struct cp_conf_list made;
	int error;

	if (all == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < have; i++)
		all[i] = (struct cp_conf_person){conf->authorised[i].identity,
						 conf->authorised[i].role};
	memcpy(all + have, people, count * sizeof(*people));
	error = cp_conf_make_list(&made, &settings);
	if (error == 0)
		cp_conf_take_list(conf, &made);
	free(all);
	return error;
}

/* Those who are not on the list yet have room on it. */
static bool
has_room(const struct cp_conf *conf, const struct cp_conf_person *people, size_t count)
{
	size_t left = CP_CONF_AUTHORISED_MAX - conf->authorised_count;
	char identity[CP_IDENTITY_MAX];

	if (count <= left)
		return true;
	for (size_t i = 0; i < count; i++) {
		if (cp_identity(identity, cp_slice_text(people[i].uri)) == 0 &&
		    cp_conf_find(conf, identity) != NULL)
			continue;
		if (left-- == 0)
			return false;
	}
	return true;
}

int
cp_conf_authorise_all(struct cp_conf *conf, const struct cp_conf_person *people, size_t count,
		      bool *has_changed)
{
	int error = has_room(conf, people, count) ? 0 : -ENOSPC;

	if (error == 0 && count >= MANY) {
		error = merge(conf, people, count);
		if (error < 0)
			return error;
		*has_changed = true;
	}
	for (size_t i = 0; error == 0 && i < count; i++)
		error = cp_conf_authorise(conf, &people[i], has_changed);
	return error;
}

int
cp_conf_disallow(struct cp_conf *conf, const char *uri, bool *has_changed)
{
	char identity[CP_IDENTITY_MAX];
	struct cp_conf_authorised *found;
	size_t at;

	if (cp_identity(identity, cp_slice_text(uri)) < 0)
		return -EINVAL;
	if (cp_identity_is_same(conf->creator, identity)) {
		conf->creator[0] = '\0';
		*has_changed = true;
	}
	found = cp_conf_find(conf, identity);
	if (found == NULL)
		return 0;
	at = (size_t)(found - conf->authorised);
	memmove(found, found + 1, (conf->authorised_count - at - 1) * sizeof(*found));
	conf->authorised_count--;
	*has_changed = true;
	return 0;
}
