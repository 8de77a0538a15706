/* Documents of a roster: full ones, partial ones (RFC 4575 4.4 to 4.6), shared by all who need the same. */
#include "ctrlplane/event/roster_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VERSION_MAX 10 /* digits */

static const char *const states[] = {
	[CP_ROSTER_FULL] = "full",
	[CP_ROSTER_PARTIAL] = "partial",
	[CP_ROSTER_DELETED] = "deleted",
};

/* Up to where the version goes in. */
static size_t
write_start(struct cp_xml *x, const struct cp_roster *r, enum cp_roster_kind kind)
{
	cp_xml_str(x, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n"
		      "<conference-info xmlns=\"" CP_ROSTER_NS "\" entity=\"");
	cp_xml_text(x, r->entity);
	cp_xml_str(x, "\" state=\"");
	cp_xml_str(x, states[kind]);
	cp_xml_str(x, "\" version=\"");
	return x->len;
}

static void
write_part(struct cp_xml *x, const struct cp_roster_part *part, uint64_t since)
{
	if (part->revision > since)
		cp_xml_raw(x, part->text, part->len);
}

static void
open_user(struct cp_xml *x, const char *entity, const char *state)
{
	cp_xml_str(x, "<user entity=\"");
	cp_xml_text(x, entity);
	cp_xml_str(x, state);
}

static void
write_whole_user(struct cp_xml *x, const struct cp_roster_user *user)
{
	const struct cp_roster_seat *seat;

	open_user(x, user->entity, "\"");
	cp_xml_raw(x, user->head.text, user->head.len);
	TAILQ_FOREACH (seat, &user->seats, entry)
		cp_xml_raw(x, seat->part.text, seat->part.len);
	cp_xml_str(x, "</user>");
}

/* The endpoints of a user that changed, came or went. */
static void
write_partial_user(struct cp_xml *x, const struct cp_roster *r, const struct cp_roster_user *user,
		   uint64_t since)
{
	const struct cp_roster_seat *seat;
	const struct cp_roster_gone *gone;

	open_user(x, user->entity, "\" state=\"partial\">");
	TAILQ_FOREACH (seat, &user->seats, entry)
		write_part(x, &seat->part, since);
	TAILQ_FOREACH_REVERSE(gone, &r->gone, cp_roster_gones, entry)
	{
		if (gone->revision <= since)
			break;
		if (!gone->endpoint || strcmp(gone->user, user->entity) != 0 ||
		    cp_roster_find_seat(user, gone->endpoint))
			continue;
		cp_xml_str(x, "<endpoint entity=\"");
		cp_xml_text(x, gone->endpoint);
		cp_xml_str(x, "\" state=\"deleted\"/>");
	}
	cp_xml_str(x, "</user>");
}

static void
write_gone_users(struct cp_xml *x, const struct cp_roster *r, uint64_t since)
{
	const struct cp_roster_gone *gone;

	TAILQ_FOREACH (gone, &r->gone, entry)
		if (gone->revision > since && !gone->endpoint && !cp_roster_find(r, gone->user))
			open_user(x, gone->user, "\" state=\"deleted\"/>");
}

static bool
are_users_changed(const struct cp_roster *r, uint64_t since)
{
	const struct cp_roster_user *user;
	const struct cp_roster_gone *gone = TAILQ_LAST(&r->gone, cp_roster_gones);

	if (gone && gone->revision > since)
		return true;
	TAILQ_FOREACH (user, &r->users, entry)
		if (user->revision > since)
			return true;
	return false;
}

static void
write_partial_users(struct cp_xml *x, const struct cp_roster *r, uint64_t since)
{
	const struct cp_roster_user *user;

	if (!are_users_changed(r, since))
		return;
	cp_xml_str(x, "<users state=\"partial\">");
	TAILQ_FOREACH (user, &r->users, entry) {
		if (user->revision <= since)
			continue;
		if (user->head.revision > since)
			write_whole_user(x, user);
		else
			write_partial_user(x, r, user, since);
	}
	write_gone_users(x, r, since);
	cp_xml_str(x, "</users>");
}

static int
finish(struct cp_roster_body **out, struct cp_roster *r, struct cp_xml *x, size_t head,
       enum cp_roster_kind kind)
{
	struct cp_roster_body *body = NULL;

	cp_xml_str(x, "</conference-info>\r\n");
	if (!x->has_failed)
		body = malloc(sizeof(*body) + x->len);
	if (body) {
		*body = (struct cp_roster_body){
			.refs = 1, .kind = kind, .head = head, .len = x->len};
		memcpy(body->text, x->text, x->len);
		r->made++;
		*out = body;
	}
	cp_xml_fini(x);
	return body ? 0 : -ENOMEM;
}

int
cp_roster_full(struct cp_roster_body **out, struct cp_roster *r)
{
	const struct cp_roster_user *user;
	struct cp_xml x = {0};
	size_t head;

	if (!r->full) {
		int rc;

		head = write_start(&x, r, CP_ROSTER_FULL);
		cp_xml_str(&x, "\">");
		cp_xml_raw(&x, r->description.text, r->description.len);
		cp_xml_raw(&x, r->host.text, r->host.len);
		cp_xml_raw(&x, r->state.text, r->state.len);
		cp_xml_str(&x, "<users>");
		TAILQ_FOREACH (user, &r->users, entry)
			write_whole_user(&x, user);
		cp_xml_str(&x, "</users>");
		rc = finish(&r->full, r, &x, head, CP_ROSTER_FULL);
		if (rc != 0)
			return rc;
	}
	*out = cp_roster_body_get(r->full);
	return 0;
}

static int
make_partial(struct cp_roster_body **out, struct cp_roster *r, uint64_t since)
{
	struct cp_xml x = {0};
	size_t head = write_start(&x, r, CP_ROSTER_PARTIAL);

	cp_xml_str(&x, "\">");
	write_part(&x, &r->description, since);
	write_part(&x, &r->host, since);
	write_part(&x, &r->state, since);
	write_partial_users(&x, r, since);
	if (x.len > head + r->full_len) { /* a full one says more in less */
		cp_xml_fini(&x);
		return cp_roster_full(out, r);
	}
	return finish(out, r, &x, head, CP_ROSTER_PARTIAL);
}

int
cp_roster_since(struct cp_roster_body **out, struct cp_roster *r, uint64_t since)
{
	size_t slot;
	int rc;

	if (since == 0 || since < r->floor || since > r->revision)
		return cp_roster_full(out, r);
	for (size_t i = 0; i < CP_ROSTER_CACHE; i++)
		if (r->partial[i].body && r->partial[i].since == since) {
			*out = cp_roster_body_get(r->partial[i].body);
			return 0;
		}
	slot = r->next_partial++ % CP_ROSTER_CACHE;
	cp_roster_body_put(r->partial[slot].body);
	r->partial[slot].body = NULL;
	r->partial[slot].since = since;
	rc = make_partial(&r->partial[slot].body, r, since);
	if (rc == 0)
		*out = cp_roster_body_get(r->partial[slot].body);
	return rc;
}

int
cp_roster_deleted(struct cp_roster_body **out, struct cp_roster *r)
{
	struct cp_xml x = {0};
	size_t head = write_start(&x, r, CP_ROSTER_DELETED);

	cp_xml_str(&x, "\">");
	return finish(out, r, &x, head, CP_ROSTER_DELETED);
}

void
cp_roster_drop_bodies(struct cp_roster *r)
{
	cp_roster_body_put(r->full);
	r->full = NULL;
	for (size_t i = 0; i < CP_ROSTER_CACHE; i++) {
		cp_roster_body_put(r->partial[i].body);
		r->partial[i].body = NULL;
	}
}

enum cp_roster_kind
cp_roster_body_kind(const struct cp_roster_body *body)
{
	return body->kind;
}

size_t
cp_roster_body_room(const struct cp_roster_body *body)
{
	return body->len + VERSION_MAX;
}

size_t
cp_roster_body_write(char *room, const struct cp_roster_body *body, uint32_t version)
{
	char digits[VERSION_MAX + 1];
	size_t len = (size_t)snprintf(digits, sizeof(digits), "%u", version);

	memcpy(room, body->text, body->head);
	memcpy(room + body->head, digits, len);
	memcpy(room + body->head + len, body->text + body->head, body->len - body->head);
	return body->len + len;
}

struct cp_roster_body *
cp_roster_body_get(struct cp_roster_body *body)
{
	body->refs++;
	return body;
}

void
cp_roster_body_put(struct cp_roster_body *body)
{
	if (body && --body->refs == 0)
		free(body);
}
