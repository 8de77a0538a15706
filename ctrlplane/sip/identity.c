/* Canonical identities and the headers that carry them: RFC 3261 19.1.4, 3966 3, 3325 9.1, 3323 4.2. */
#include "ctrlplane/sip/identity.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* A quoted display name at *p: into name, cut where it is too long; *p behind the closing quote. */
static int
quoted_decode(char name[CP_SIP_NAME_MAX], const char **p)
{
	size_t len = 0;

	for ((*p)++; **p && **p != '"'; (*p)++) {
		if (**p == '\\' && (*p)[1])
			(*p)++;
		if (len + 1 < CP_SIP_NAME_MAX)
			name[len++] = **p;
	}
	name[len] = '\0';
	if (**p != '"')
		return -EINVAL;
	(*p)++;
	return 0;
}

static void
token_name(char name[CP_SIP_NAME_MAX], const char *from, const char *to)
{
	while (to > from && isspace((unsigned char)to[-1]))
		to--;
	snprintf(name, CP_SIP_NAME_MAX, "%.*s", (int)(to - from), from);
}

/* One name-addr or addr-spec at *p; *p behind it, at a comma or the end. */
static int
value_decode(const char **p, char name[CP_SIP_NAME_MAX], char uri[CP_IDENTITY_MAX])
{
	const char *start, *end;

	name[0] = '\0';
	*p += strspn(*p, " \t\r\n");
	if (**p == '"') {
		if (quoted_decode(name, p))
			return -EINVAL;
		*p += strspn(*p, " \t\r\n");
		if (**p != '<')
			return -EINVAL;
	}
	start = *p;
	end = start + strcspn(start, "<,");
	if (*end == '<') {
		if (!*name)
			token_name(name, start, end);
		start = end + 1;
		end = strchr(start, '>');
		if (!end)
			return -EINVAL;
		*p = end + 1;
	} else {
		*p = end;
		while (end > start && isspace((unsigned char)end[-1]))
			end--;
	}
	*p += strcspn(*p, ",");
	return cp_identity(uri, cp_slice(start, (size_t)(end - start)));
}

int
cp_sip_decode_asserted(struct cp_sip_identity *id, const char *header)
{
	struct cp_sip_identity made = *id;
	const char *p = header;

	for (;;) {
		char name[CP_SIP_NAME_MAX], uri[CP_IDENTITY_MAX];
		char *into;

		if (value_decode(&p, name, uri))
			return -EINVAL;
		into = strncmp(uri, "tel:", 4) == 0 ? made.tel : made.uri;
		if (*into)
			return -EINVAL;
		memcpy(into, uri, sizeof(uri));
		if (!*made.name)
			memcpy(made.name, name, sizeof(name));
		if (*p != ',')
			break;
		p++;
	}
	*id = made;
	return 0;
}

int
cp_sip_decode_history(char uri[CP_IDENTITY_MAX], const char *header)
{
	char name[CP_SIP_NAME_MAX], last[CP_IDENTITY_MAX];
	const char *p = header;

	for (;;) {
		if (value_decode(&p, name, last))
			return -EINVAL;
		if (*p != ',')
			break;
		p++;
	}
	memcpy(uri, last, sizeof(last));
	return 0;
}

bool
cp_sip_is_private(const char *privacy)
{
	while (*privacy) {
		size_t len;

		privacy += strspn(privacy, " \t;,");
		len = strcspn(privacy, " \t;,");
		if ((len == 2 && strncasecmp(privacy, "id", 2) == 0) ||
		    (len == 4 && strncasecmp(privacy, "user", 4) == 0) ||
		    (len == 6 && strncasecmp(privacy, "header", 6) == 0))
			return true;
		privacy += len;
	}
	return false;
}

bool
cp_sip_is_anonymous(const char *canonical)
{
	const char *at = strchr(canonical, '@');
	const char *colon = strchr(canonical, ':');

	if (!*canonical)
		return true;
	if (at && colon && at - colon - 1 == 9 && strncasecmp(colon + 1, "anonymous", 9) == 0)
		return true;
	return at && strcmp(at, "@anonymous.invalid") == 0;
}
