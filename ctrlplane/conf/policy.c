/* The settings of a conference: names, and what may stand in them. */
#include "ctrlplane/conf/policy.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PIN_MIN 4
#define EARLY_MAX_MS (7 * 86400000LL)

static const char *const securities[] = {"sdes", "either", "none", "mikey-ticket", NULL};
static const char *const roles[] = {"participant", "listener", "moderator", "creator", NULL};
static const char *const editors_names[] = {"creator", "moderators", "participants", NULL};
static const char *const notifies[] = {"default", "off", "preferred", "required", NULL};

const char *
cp_conf_security_name(enum cp_conf_security security)
{
	return securities[security];
}

const char *
cp_conf_role_name(enum cp_conf_role role)
{
	return roles[role];
}

const char *
cp_conf_editors_name(enum cp_conf_editors editors)
{
	return editors_names[editors];
}

const char *
cp_conf_notify_name(enum cp_conf_notify notify)
{
	return notifies[notify];
}

static int
index_of(const char *const *names, struct cp_slice name)
{
	for (int i = 0; names[i] != NULL; i++)
		if (cp_slice_is(name, names[i]))
			return i;
	return -EINVAL;
}

int
cp_conf_security_of(enum cp_conf_security *out, struct cp_slice name)
{
	int i = index_of(securities, name);

	if (i >= 0)
		*out = (enum cp_conf_security)i;
	return i < 0 ? i : 0;
}

int
cp_conf_role_of(enum cp_conf_role *out, struct cp_slice name)
{
	int i = index_of(roles, name);

	if (i >= 0)
		*out = (enum cp_conf_role)i;
	return i < 0 ? i : 0;
}

int
cp_conf_editors_of(enum cp_conf_editors *out, struct cp_slice name)
{
	int i = index_of(editors_names, name);

	if (i >= 0)
		*out = (enum cp_conf_editors)i;
	return i < 0 ? i : 0;
}

int
cp_conf_notify_of(enum cp_conf_notify *out, struct cp_slice name)
{
	int i = index_of(notifies, name);

	if (i >= 0)
		*out = (enum cp_conf_notify)i;
	return i < 0 ? i : 0;
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

static bool
is_pin(const char *pin)
{
	size_t len = pin ? strlen(pin) : 0;

	return len == 0 ||
	       (len >= PIN_MIN && len < CP_CONF_PIN_MAX && strspn(pin, "0123456789") == len);
}

static bool
is_identity(const char *uri)
{
	char canonical[CP_IDENTITY_MAX];

	return uri == NULL || *uri == '\0' || cp_identity(canonical, cp_slice_text(uri)) == 0;
}

static bool
fits(const char *text, size_t size)
{
	return text == NULL || strlen(text) < size;
}

static int
wrong(char *why, size_t size, const char *text)
{
	snprintf(why, size, "%s", text);
	return -EINVAL;
}

int
cp_conf_check(const struct cp_conf_settings *s, uint32_t which, char *why, size_t size)
{
	if (which & CP_CONF_SET_USER && !is_user_part(s->user))
		return wrong(why, size,
			     "the name of a conference is 1 to 63 letters, digits and "
			     "-_.!~*'()&=+$,;?/");
	if (which & CP_CONF_SET_TITLE && !fits(s->title, CP_CONF_TITLE_MAX))
		return wrong(why, size, "a title has 95 octets at most");
	if ((which & CP_CONF_SET_SUBJECT && !fits(s->subject, CP_CONF_SUBJECT_MAX)) ||
	    (which & CP_CONF_SET_DESCRIPTION && !fits(s->description, CP_CONF_SUBJECT_MAX)))
		return wrong(why, size, "subject and description have 255 octets at most");
	if (which & CP_CONF_SET_CREATOR && !is_identity(s->creator))
		return wrong(why, size, "the creator is a sip:, sips: or global tel: URI");
	if (which & CP_CONF_SET_PIN && !is_pin(s->pin))
		return wrong(why, size, "a PIN is 4 to 16 digits");
	if (which & CP_CONF_SET_START && s->start_ms < 0)
		return wrong(why, size, "the start is before 1970");
	if (which & CP_CONF_SET_END && s->end_ms < 0)
		return wrong(why, size, "the end is before 1970");
	if ((which & (CP_CONF_SET_START | CP_CONF_SET_END)) && s->end_ms > 0 &&
	    s->end_ms <= s->start_ms)
		return wrong(why, size, "the end is not behind the start");
	if (which & CP_CONF_SET_EARLY && (s->early_ms < 0 || s->early_ms > EARLY_MAX_MS))
		return wrong(why, size, "one may come a week early at most");
	if (which & CP_CONF_SET_CHAT_HISTORY && s->chat_history > CP_CONF_CHAT_HISTORY_MAX)
		return wrong(why, size, "a chat keeps 100 messages at most");
	return which & CP_CONF_SET_FLOORS ? cp_conf_floors_check(&s->floors, why, size) : 0;
}
