/* Reading conference information documents, and putting full and partial ones together (RFC 4575 4.4 to 4.6). */
#include "ctrlplane/event/copy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctrlplane/event/copy_state.h"

/* The element's text replaces what stood there. */
static void
set(char **to, const struct cp_copy_node *n)
{
	const char *text = n->text ? n->text : "";

	if (*to && strcmp(*to, text) == 0)
		return;
	free(*to);
	*to = strdup(text);
}

static uint32_t
number_of(const struct cp_copy_node *n)
{
	unsigned long value = n->text ? strtoul(n->text, NULL, 10) : 0;

	return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static bool
bool_of(const struct cp_copy_node *n)
{
	return n->text && (strcmp(n->text, "true") == 0 || strcmp(n->text, "1") == 0);
}

/* The next one of that name, n or behind it. */
static const struct cp_copy_node *
from(const struct cp_copy_node *n, enum cp_copy_name name)
{
	while (n && n->name != name)
		n = n->next;
	return n;
}

static void
take_act(struct cp_copy_act *act, const struct cp_copy_node *node)
{
	cp_copy_drop_act(act);
	for (const struct cp_copy_node *n = node->first; n; n = n->next) {
		if (n->name == CP_COPY_WHEN)
			set(&act->when, n);
		else if (n->name == CP_COPY_REASON)
			set(&act->reason, n);
		else if (n->name == CP_COPY_BY)
			set(&act->by, n);
	}
}

static void
take_call(struct cp_copy_call *call, const struct cp_copy_node *node)
{
	const struct cp_copy_node *sip = from(node->first, CP_COPY_SIP);

	cp_copy_drop_call(call);
	for (const struct cp_copy_node *n = sip ? sip->first : NULL; n; n = n->next) {
		if (n->name == CP_COPY_DISPLAY)
			set(&call->display, n);
		else if (n->name == CP_COPY_CALL_ID)
			set(&call->call_id, n);
		else if (n->name == CP_COPY_FROM_TAG)
			set(&call->from_tag, n);
		else if (n->name == CP_COPY_TO_TAG)
			set(&call->to_tag, n);
	}
}

/* Atomic: a media element replaces the one of the same id. */
static int
take_media(struct cp_copy_endpoint *e, const struct cp_copy_node *node)
{
	struct cp_copy_media *m = cp_copy_media_at(e, node->key);

	if (!m)
		return -ENOMEM;
	for (const struct cp_copy_node *n = node->first; n; n = n->next) {
		if (n->name == CP_COPY_DISPLAY)
			set(&m->display, n);
		else if (n->name == CP_COPY_TYPE)
			set(&m->type, n);
		else if (n->name == CP_COPY_LABEL)
			set(&m->label, n);
		else if (n->name == CP_COPY_SRC_ID)
			set(&m->src_id, n);
		else if (n->name == CP_COPY_STATUS)
			set(&m->status, n);
	}
	return 0;
}

static int
take_endpoint_part(struct cp_copy_endpoint *e, const struct cp_copy_node *n)
{
	if (n->name == CP_COPY_DISPLAY)
		set(&e->display, n);
	else if (n->name == CP_COPY_STATUS)
		set(&e->status, n);
	else if (n->name == CP_COPY_JOINING)
		set(&e->joining, n);
	else if (n->name == CP_COPY_LEAVING)
		set(&e->leaving, n);
	else if (n->name == CP_COPY_REFERRED)
		take_act(&e->referred, n);
	else if (n->name == CP_COPY_JOINED)
		take_act(&e->joined, n);
	else if (n->name == CP_COPY_LEFT)
		take_act(&e->left, n);
	else if (n->name == CP_COPY_CALL_INFO)
		take_call(&e->call, n);
	else if (n->name == CP_COPY_MEDIA)
		return take_media(e, n);
	return 0;
}

static int
take_endpoint(struct cp_copy_user *user, const struct cp_copy_node *node)
{
	struct cp_copy_endpoint *e = cp_copy_find_endpoint(user, node->key);
	int rc = 0;

	if (e && node->part != CP_COPY_PART) {
		cp_copy_drop_endpoint(user, e);
		e = NULL;
	}
	if (node->part == CP_COPY_NO_MORE)
		return 0;
	if (!e)
		e = cp_copy_add_endpoint(user, node->key);
	if (!e)
		return -ENOMEM;
	for (const struct cp_copy_node *n = node->first; n && rc == 0; n = n->next)
		rc = take_endpoint_part(e, n);
	return rc;
}

static void
take_roles(struct cp_copy_user *user, const struct cp_copy_node *node)
{
	free(user->roles);
	user->roles = NULL;
	for (const struct cp_copy_node *n = from(node->first, CP_COPY_ENTRY); n;
	     n = from(n->next, CP_COPY_ENTRY)) {
		size_t len = user->roles ? strlen(user->roles) + 2 : 0;
		char *roles = realloc(user->roles, len + strlen(n->text) + 1);

		if (!roles)
			return;
		if (len)
			memcpy(roles + len - 2, ", ", 2);
		strcpy(roles + len, n->text);
		user->roles = roles;
	}
}

static int
take_user(struct cp_copy *copy, const struct cp_copy_node *node)
{
	struct cp_copy_user *user = cp_copy_find(copy, node->key);
	int rc = 0;

	if (user && node->part == CP_COPY_WHOLE)
		cp_copy_empty_user(user); /* keeps its place */
	if (user && node->part == CP_COPY_NO_MORE)
		cp_copy_drop_user(copy, user);
	if (node->part == CP_COPY_NO_MORE)
		return 0;
	if (!user)
		user = cp_copy_add_user(copy, node->key);
	if (!user)
		return -ENOMEM;
	for (const struct cp_copy_node *n = node->first; n && rc == 0; n = n->next) {
		if (n->name == CP_COPY_DISPLAY)
			set(&user->display, n);
		else if (n->name == CP_COPY_ROLES)
			take_roles(user, n);
		else if (n->name == CP_COPY_ENDPOINT)
			rc = take_endpoint(user, n);
	}
	return rc;
}

static int
take_users(struct cp_copy *copy, const struct cp_copy_node *node)
{
	int rc = 0;

	if (node->part != CP_COPY_PART)
		cp_copy_drop_users(copy);
	if (node->part == CP_COPY_NO_MORE)
		return 0;
	for (const struct cp_copy_node *n = from(node->first, CP_COPY_USER); n && rc == 0;
	     n = from(n->next, CP_COPY_USER))
		rc = take_user(copy, n);
	return rc;
}

static void
take_description(struct cp_copy *copy, const struct cp_copy_node *node)
{
	free(copy->display);
	free(copy->subject);
	copy->display = copy->subject = NULL;
	copy->users_max = 0;
	for (const struct cp_copy_node *n = node->first; n; n = n->next) {
		if (n->name == CP_COPY_DISPLAY)
			set(&copy->display, n);
		else if (n->name == CP_COPY_SUBJECT)
			set(&copy->subject, n);
		else if (n->name == CP_COPY_USERS_MAXIMUM)
			copy->users_max = number_of(n);
	}
}

static void
take_state(struct cp_copy *copy, const struct cp_copy_node *node)
{
	copy->user_count = 0;
	copy->is_active = copy->is_locked = false;
	for (const struct cp_copy_node *n = node->first; n; n = n->next) {
		if (n->name == CP_COPY_USER_COUNT)
			copy->user_count = number_of(n);
		else if (n->name == CP_COPY_ACTIVE)
			copy->is_active = bool_of(n);
		else if (n->name == CP_COPY_LOCKED)
			copy->is_locked = bool_of(n);
	}
}

static int
take_all(struct cp_copy *copy, const struct cp_copy_node *root)
{
	int rc = 0;

	for (const struct cp_copy_node *n = root->first; n && rc == 0; n = n->next) {
		if (n->name == CP_COPY_DESCRIPTION)
			take_description(copy, n);
		else if (n->name == CP_COPY_STATE)
			take_state(copy, n);
		else if (n->name == CP_COPY_USERS)
			rc = take_users(copy, n);
	}
	return rc;
}

/* Those of that name: each has a key, and a state that is one; not too many. */
static int
check_children(const struct cp_copy_node *node, enum cp_copy_name name, size_t max)
{
	size_t count = 0;

	for (const struct cp_copy_node *n = from(node->first, name); n; n = from(n->next, name)) {
		if (!n->key || n->part == CP_COPY_PART_BAD)
			return -EBADMSG;
		if (++count > max)
			return -E2BIG;
	}
	return 0;
}

static int
check_user(const struct cp_copy_node *user)
{
	int rc = check_children(user, CP_COPY_ENDPOINT, CP_COPY_ENDPOINTS_MAX);

	for (const struct cp_copy_node *n = from(user->first, CP_COPY_ENDPOINT); n && rc == 0;
	     n = from(n->next, CP_COPY_ENDPOINT))
		rc = check_children(n, CP_COPY_MEDIA, CP_COPY_MEDIA_MAX);
	return rc;
}

/* Keys are there, states are known, nothing is past a limit: then taking it cannot fail half way. */
static int
check(const struct cp_copy_node *root)
{
	int rc = 0;

	for (const struct cp_copy_node *n = from(root->first, CP_COPY_USERS); n && rc == 0;
	     n = from(n->next, CP_COPY_USERS)) {
		if (n->part == CP_COPY_PART_BAD)
			return -EBADMSG;
		rc = check_children(n, CP_COPY_USER, CP_COPY_USERS_MAX);
		for (const struct cp_copy_node *u = from(n->first, CP_COPY_USER); u && rc == 0;
		     u = from(u->next, CP_COPY_USER))
			rc = check_user(u);
	}
	return rc;
}

/* xs:unsignedInt. */
static bool
has_version(uint32_t *version, const struct cp_copy_node *root)
{
	const char *text = root->version;
	unsigned long long value;
	char *end;

	if (!text || *text < '0' || *text > '9')
		return false;
	value = strtoull(text, &end, 10);
	if (*end != '\0' || value > UINT32_MAX)
		return false;
	*version = (uint32_t)value;
	return true;
}

static int
take_root(enum cp_copy_verdict *verdict, struct cp_copy *copy, const struct cp_copy_node *root)
{
	static const enum cp_copy_verdict taken[] = {
		[CP_COPY_WHOLE] = CP_COPY_FULL,
		[CP_COPY_PART] = CP_COPY_PARTIAL,
		[CP_COPY_NO_MORE] = CP_COPY_DELETED,
	};
	uint32_t version;
	int rc = check(root);

	if (rc != 0)
		return rc;
	if (root->part == CP_COPY_PART_BAD || !has_version(&version, root))
		return -EBADMSG;
	if (copy->has_version && version <= copy->version) {
		*verdict = CP_COPY_OLD;
		return 0;
	}
	if (root->part == CP_COPY_PART && (!copy->has_version || version != copy->version + 1)) {
		*verdict = CP_COPY_GAP;
		return 0;
	}
	if (root->part != CP_COPY_PART) {
		cp_copy_empty(copy);
		copy->entity = root->key ? strdup(root->key) : NULL;
	}
	copy->has_version = true;
	copy->version = version;
	copy->is_deleted = root->part == CP_COPY_NO_MORE;
	*verdict = taken[root->part];
	rc = copy->is_deleted ? 0 : take_all(copy, root);
	if (rc != 0)
		copy->has_version = false;
	return rc;
}

int
cp_copy_take(enum cp_copy_verdict *verdict, struct cp_copy *copy, const char *text, size_t len)
{
	const struct cp_copy_node *root;
	int rc = len > CP_COPY_OCTETS_MAX ? -E2BIG : cp_copy_read(&root, copy, text, len);

	return rc ? rc : take_root(verdict, copy, root);
}
