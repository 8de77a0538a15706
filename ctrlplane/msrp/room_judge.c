/* Rules of a chat room: whose message it is, whom it is for, and who takes it (RFC 7701 sections 6.1 to 6.3). */
#include <stdio.h>
#include <strings.h>
#include "ctrlplane/msrp/room_state.h"

bool
cp_room_is_named(const struct cp_room *room, const struct cp_room_member *member, const char *name)
{
	for (size_t i = 0; i < member->state->name_count; i++)
		if (strcmp(member->state->names[i], name) == 0)
			return true;
	return false;
}

/* "*" and "type/" "*" stand for many. Without parameters, in whatever case. */
static bool
matches(struct cp_slice wanted, struct cp_slice type)
{
	size_t len = wanted.len;

	if (cp_slice_is(wanted, "*"))
		return true;
	if (len > 2 && wanted.ptr[len - 1] == '*' && wanted.ptr[len - 2] == '/')
		return type.len > len && strncasecmp(wanted.ptr, type.ptr, len - 1) == 0;
	return len == type.len && strncasecmp(wanted.ptr, type.ptr, len) == 0;
}

bool
cp_room_takes(const struct cp_room_member *member, const char *type)
{
	struct cp_slice list = cp_slice_text(member->state->types), wanted;
	struct cp_slice bare = cp_slice(type, strcspn(type, "; \t"));

	if (list.len == 0)
		return true;
	while (cp_slice_word(&list, &wanted))
		if (matches(wanted, bare))
			return true;
	return false;
}

bool
cp_room_is_same_person(const struct cp_room_member *a, const struct cp_room_member *b)
{
	for (size_t i = 0; i < a->state->name_count; i++)
		if (cp_room_is_named(a->room, b, a->state->names[i]))
			return true;
	return false;
}

static bool
may_send_as(const struct cp_room_member *from, struct cp_slice uri)
{
	char name[CP_ROOM_NAME_MAX];

	if (from->room->events->canonical(from->room->arg, name, uri) != 0)
		return false;
	return cp_room_is_named(from->room, from, name) ||
	       (*from->state->loose && strcmp(from->state->loose, name) == 0);
}

/* A private message: there must be somebody of that name, who takes such, and what is in it. */
static unsigned int
judge_private(struct cp_room_pass *pass, struct cp_slice to)
{
	struct cp_room *room = pass->room;
	bool is_there = false, takes_private = false, takes_type = false;
	char name[CP_ROOM_NAME_MAX];

	if (room->events->canonical(room->arg, name, to) != 0)
		return CP_MSRP_NO_RECIPIENT;
	for (struct cp_room_member *m = room->members; m != NULL; m = m->next) {
		if (!m->is_bound || !cp_room_is_named(room, m, name))
			continue;
		is_there = true;
		takes_private |= m->takes_private;
		takes_type |= m->takes_private && cp_room_takes(m, pass->type);
	}
	if (!is_there)
		return CP_MSRP_NO_RECIPIENT;
	if (!takes_private)
		return CP_MSRP_NO_PRIVATE;
	if (!takes_type)
		return CP_MSRP_BAD_MEDIA;
	pass->is_private = true;
	snprintf(pass->to_uri, sizeof(pass->to_uri), "%s", name);
	return 0;
}

static struct cp_slice
uri_of(char *room, const struct cp_cpim_address *address)
{
	ssize_t len = cp_cpim_text(room, CP_ROOM_NAME_MAX, address->uri);

	return cp_slice(room, len > 0 ? (size_t)len : 0);
}

unsigned int
cp_room_judge(struct cp_room_member *from, struct cp_room_pass *pass, const struct cp_cpim *cpim)
{
	char to[CP_ROOM_NAME_MAX];
	struct cp_slice uri;

	if (cpim->content_type.len >= sizeof(pass->type))
		return CP_MSRP_BAD_MEDIA;
	cp_slice_copy(pass->type, sizeof(pass->type), cpim->content_type);
	if (!may_send_as(from, uri_of(pass->from_uri, &cpim->from)))
		return CP_MSRP_FORBIDDEN;
	if (cpim->to_count != 1 || cpim->cc_count > 0)
		return CP_MSRP_FORBIDDEN;
	if (!from->may_send || from->is_muted)
		return CP_MSRP_FORBIDDEN;
	uri = uri_of(to, &cpim->to[0]);
	if (uri.len > 0 && from->room->events->is_room(from->room->arg, uri))
		return 0;
	return judge_private(pass, uri);
}
