/* Reading conference information documents, and putting full and partial ones together (RFC 4575 4.4 to 4.6). */
#include "ctrlplane/event/copy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/tree.h>

#include "ctrlplane/event/copy_state.h"

enum state { STATE_FULL, STATE_PARTIAL, STATE_DELETED, STATE_BAD };

static bool
is_element(const xmlNode *node, const char *name)
{
	return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0 &&
	       node->ns && node->ns->href && strcmp((const char *)node->ns->href, CP_COPY_NS) == 0;
}

static enum state
state_of(xmlNode *node)
{
	xmlChar *value = xmlGetNoNsProp(node, (const xmlChar *)"state");
	enum state state = STATE_FULL;

	if (value)
		state = strcmp((const char *)value, "full") == 0      ? STATE_FULL
			: strcmp((const char *)value, "partial") == 0 ? STATE_PARTIAL
			: strcmp((const char *)value, "deleted") == 0 ? STATE_DELETED
								      : STATE_BAD;
	xmlFree(value);
	return state;
}

/* A copy of the octets that libxml2 gave; NULL stays NULL. */
static char *
own(xmlChar *value)
{
	char *text = value ? strdup((const char *)value) : NULL;

	xmlFree(value);
	return text;
}

static char *
key_of(xmlNode *node, const char *name)
{
	return own(xmlGetNoNsProp(node, (const xmlChar *)name));
}

/* The element's text replaces what stood there. */
static void
set(char **to, xmlNode *node)
{
	free(*to);
	*to = own(xmlNodeGetContent(node));
}

static uint32_t
number_of(xmlNode *node)
{
	char *text = own(xmlNodeGetContent(node));
	unsigned long value = text ? strtoul(text, NULL, 10) : 0;

	free(text);
	return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static bool
bool_of(xmlNode *node)
{
	char *text = own(xmlNodeGetContent(node));
	bool value = text && (strcmp(text, "true") == 0 || strcmp(text, "1") == 0);

	free(text);
	return value;
}

static void
take_act(struct cp_copy_act *act, xmlNode *node)
{
	cp_copy_drop_act(act);
	for (xmlNode *n = node->children; n; n = n->next) {
		if (is_element(n, "when"))
			set(&act->when, n);
		else if (is_element(n, "reason"))
			set(&act->reason, n);
		else if (is_element(n, "by"))
			set(&act->by, n);
	}
}

/* Atomic: a media element replaces the one of the same id. */
static int
take_media(struct cp_copy_endpoint *e, xmlNode *node)
{
	char *id = key_of(node, "id");
	struct cp_copy_media *m = id ? cp_copy_media_at(e, id) : NULL;

	free(id);
	if (!m)
		return -ENOMEM;
	for (xmlNode *n = node->children; n; n = n->next) {
		if (is_element(n, "display-text"))
			set(&m->display, n);
		else if (is_element(n, "type"))
			set(&m->type, n);
		else if (is_element(n, "label"))
			set(&m->label, n);
		else if (is_element(n, "src-id"))
			set(&m->src_id, n);
		else if (is_element(n, "status"))
			set(&m->status, n);
	}
	return 0;
}

static int
take_endpoint_part(struct cp_copy_endpoint *e, xmlNode *n)
{
	if (is_element(n, "display-text"))
		set(&e->display, n);
	else if (is_element(n, "status"))
		set(&e->status, n);
	else if (is_element(n, "joining-method"))
		set(&e->joining, n);
	else if (is_element(n, "disconnection-method"))
		set(&e->leaving, n);
	else if (is_element(n, "referred"))
		take_act(&e->referred, n);
	else if (is_element(n, "joining-info"))
		take_act(&e->joined, n);
	else if (is_element(n, "disconnection-info"))
		take_act(&e->left, n);
	else if (is_element(n, "media"))
		return take_media(e, n);
	return 0;
}

static int
take_endpoint(struct cp_copy_user *user, xmlNode *node)
{
	char *entity = key_of(node, "entity");
	struct cp_copy_endpoint *e = entity ? cp_copy_find_endpoint(user, entity) : NULL;
	enum state state = state_of(node);
	int rc = 0;

	if (e && state != STATE_PARTIAL) {
		cp_copy_drop_endpoint(user, e);
		e = NULL;
	}
	if (state != STATE_DELETED && !e) {
		e = entity ? cp_copy_add_endpoint(user, entity) : NULL;
		rc = e ? 0 : -ENOMEM;
	}
	free(entity);
	for (xmlNode *n = node->children; n && rc == 0 && state != STATE_DELETED; n = n->next)
		rc = take_endpoint_part(e, n);
	return rc;
}

static void
take_roles(struct cp_copy_user *user, xmlNode *node)
{
	free(user->roles);
	user->roles = NULL;
	for (xmlNode *n = node->children; n; n = n->next) {
		char *role = is_element(n, "entry") ? own(xmlNodeGetContent(n)) : NULL;
		size_t len = user->roles ? strlen(user->roles) + 2 : 0;
		char *roles = role ? realloc(user->roles, len + strlen(role) + 1) : NULL;

		if (roles) {
			if (len)
				memcpy(roles + len - 2, ", ", 2);
			strcpy(roles + len, role);
			user->roles = roles;
		}
		free(role);
	}
}

static int
take_user(struct cp_copy *copy, xmlNode *node)
{
	char *entity = key_of(node, "entity");
	struct cp_copy_user *user = entity ? cp_copy_find(copy, entity) : NULL;
	enum state state = state_of(node);
	int rc = 0;

	if (user && state == STATE_FULL)
		cp_copy_empty_user(user); /* keeps its place */
	if (user && state == STATE_DELETED)
		cp_copy_drop_user(copy, user);
	if (!user && state != STATE_DELETED) {
		user = entity ? cp_copy_add_user(copy, entity) : NULL;
		rc = user ? 0 : -ENOMEM;
	}
	free(entity);
	for (xmlNode *n = node->children; n && rc == 0 && state != STATE_DELETED; n = n->next) {
		if (is_element(n, "display-text"))
			set(&user->display, n);
		else if (is_element(n, "roles"))
			take_roles(user, n);
		else if (is_element(n, "endpoint"))
			rc = take_endpoint(user, n);
	}
	return rc;
}

static int
take_users(struct cp_copy *copy, xmlNode *node)
{
	int rc = 0;

	if (state_of(node) != STATE_PARTIAL)
		cp_copy_drop_users(copy);
	if (state_of(node) == STATE_DELETED)
		return 0;
	for (xmlNode *n = node->children; n && rc == 0; n = n->next)
		if (is_element(n, "user"))
			rc = take_user(copy, n);
	return rc;
}

static void
take_description(struct cp_copy *copy, xmlNode *node)
{
	free(copy->display);
	free(copy->subject);
	copy->display = copy->subject = NULL;
	copy->users_max = 0;
	for (xmlNode *n = node->children; n; n = n->next) {
		if (is_element(n, "display-text"))
			set(&copy->display, n);
		else if (is_element(n, "subject"))
			set(&copy->subject, n);
		else if (is_element(n, "maximum-user-count"))
			copy->users_max = number_of(n);
	}
}

static void
take_state(struct cp_copy *copy, xmlNode *node)
{
	copy->user_count = 0;
	copy->is_active = copy->is_locked = false;
	for (xmlNode *n = node->children; n; n = n->next) {
		if (is_element(n, "user-count"))
			copy->user_count = number_of(n);
		else if (is_element(n, "active"))
			copy->is_active = bool_of(n);
		else if (is_element(n, "locked"))
			copy->is_locked = bool_of(n);
	}
}

static int
take_all(struct cp_copy *copy, xmlNode *root)
{
	int rc = 0;

	for (xmlNode *n = root->children; n && rc == 0; n = n->next) {
		if (is_element(n, "conference-description"))
			take_description(copy, n);
		else if (is_element(n, "conference-state"))
			take_state(copy, n);
		else if (is_element(n, "users"))
			rc = take_users(copy, n);
	}
	return rc;
}

static size_t
count_named(xmlNode *node, const char *name)
{
	size_t count = 0;

	for (xmlNode *n = node->children; n; n = n->next)
		count += is_element(n, name);
	return count;
}

/* Keys are there, states are known, nothing is past a limit: then taking it cannot fail half way. */
static int
check_user(xmlNode *user)
{
	if (!xmlHasProp(user, (const xmlChar *)"entity") || state_of(user) == STATE_BAD)
		return -EBADMSG;
	if (count_named(user, "endpoint") > CP_COPY_ENDPOINTS_MAX)
		return -E2BIG;
	for (xmlNode *e = user->children; e; e = e->next) {
		if (!is_element(e, "endpoint"))
			continue;
		if (!xmlHasProp(e, (const xmlChar *)"entity") || state_of(e) == STATE_BAD)
			return -EBADMSG;
		if (count_named(e, "media") > CP_COPY_MEDIA_MAX)
			return -E2BIG;
		for (xmlNode *m = e->children; m; m = m->next)
			if (is_element(m, "media") && !xmlHasProp(m, (const xmlChar *)"id"))
				return -EBADMSG;
	}
	return 0;
}

static int
check(xmlNode *root)
{
	int rc = 0;

	for (xmlNode *n = root->children; n; n = n->next) {
		if (!is_element(n, "users"))
			continue;
		if (state_of(n) == STATE_BAD)
			return -EBADMSG;
		if (count_named(n, "user") > CP_COPY_USERS_MAX)
			return -E2BIG;
		for (xmlNode *u = n->children; u && rc == 0; u = u->next)
			if (is_element(u, "user"))
				rc = check_user(u);
	}
	return rc;
}

/* xs:unsignedInt. */
static bool
has_version(uint32_t *version, xmlNode *root)
{
	char *text = key_of(root, "version"), *end = NULL;
	unsigned long long value = 0;

	if (text && *text >= '0' && *text <= '9')
		value = strtoull(text, &end, 10);
	*version = (uint32_t)value;
	if (end && (*end != '\0' || value > UINT32_MAX))
		end = NULL;
	free(text);
	return end != NULL;
}

static int
take_root(enum cp_copy_verdict *verdict, struct cp_copy *copy, xmlNode *root)
{
	enum state state = state_of(root);
	uint32_t version;
	int rc = check(root);

	if (rc != 0)
		return rc;
	if (state == STATE_BAD || !has_version(&version, root))
		return -EBADMSG;
	if (copy->has_version && version <= copy->version) {
		*verdict = CP_COPY_OLD;
		return 0;
	}
	if (state == STATE_PARTIAL && (!copy->has_version || version != copy->version + 1)) {
		*verdict = CP_COPY_GAP;
		return 0;
	}
	if (state != STATE_PARTIAL) {
		cp_copy_fini(copy);
		copy->entity = key_of(root, "entity");
	}
	copy->has_version = true;
	copy->version = version;
	copy->is_deleted = state == STATE_DELETED;
	*verdict = state == STATE_FULL	    ? CP_COPY_FULL
		   : state == STATE_PARTIAL ? CP_COPY_PARTIAL
					    : CP_COPY_DELETED;
	rc = state == STATE_DELETED ? 0 : take_all(copy, root);
	if (rc != 0)
		copy->has_version = false;
	return rc;
}

int
cp_copy_take(enum cp_copy_verdict *verdict, struct cp_copy *copy, const char *text, size_t len)
{
	xmlDoc *doc;
	xmlNode *root;
	int rc = -EBADMSG;

	if (len > CP_COPY_OCTETS_MAX)
		return -E2BIG;
	/* Entities stay unexpanded, and a DTD, where they would come from, is refused. */
	doc = xmlReadMemory(text, (int)len, NULL, NULL,
			    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
				    XML_PARSE_NOCDATA);
	root = doc && !doc->intSubset ? xmlDocGetRootElement(doc) : NULL;
	if (root && is_element(root, "conference-info"))
		rc = take_root(verdict, copy, root);
	xmlFreeDoc(doc);
	return rc;
}
