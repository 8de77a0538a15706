/* Refer-To: a URI with a method and headers (RFC 3515 2.1, RFC 3261 19.1.1, RFC 2392 for cid:). */
#include "ctrlplane/sip/refer_to.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

static int
digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Percent escapes undone; what no header may contain is refused. */
static int
unescape(char *out, size_t size, struct cp_slice text)
{
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == '%') {
			bool is_whole = text.len - i > 2;
			int high = is_whole ? digit_of(text.ptr[i + 1]) : -1;
			int low = is_whole ? digit_of(text.ptr[i + 2]) : -1;

			if (high < 0 || low < 0)
				return -EINVAL;
			c = (char)(high * 16 + low);
			i += 2;
		}
		if ((unsigned char)c < ' ' || c == 0x7f)
			return -EINVAL;
		if (len + 1 >= size)
			return -ENAMETOOLONG;
		out[len++] = c;
	}
	out[len] = '\0';
	return 0;
}

static enum cp_sip_refer_method
method_of(struct cp_slice name)
{
	if (cp_slice_is_nocase(name, "INVITE"))
		return CP_SIP_REFER_INVITE;
	if (cp_slice_is_nocase(name, "BYE"))
		return CP_SIP_REFER_BYE;
	return cp_slice_is_nocase(name, "REFER") ? CP_SIP_REFER_REFER : CP_SIP_REFER_OTHER;
}

static int
header_decode(struct cp_sip_refer_to *r, struct cp_slice header)
{
	struct cp_slice name, value = header;
	char *into;

	if (!cp_slice_split(&value, '=', &name))
		return -EINVAL;
	if (cp_slice_is_nocase(name, "method")) { /* RFC 5368 figure 3 writes it so */
		r->method = method_of(value);
		return 0;
	}
	if (cp_slice_is_nocase(name, "body"))
		return -EINVAL;
	into = cp_slice_is_nocase(name, "Replaces")   ? r->replaces
	       : cp_slice_is_nocase(name, "Join")     ? r->join
	       : cp_slice_is_nocase(name, "Refer-To") ? r->refer_to
						      : NULL;
	if (!into)
		return 0;
	return *into ? -EINVAL : unescape(into, CP_SIP_HEADER_MAX, value);
}

static int
headers_decode(struct cp_sip_refer_to *r, struct cp_slice headers)
{
	struct cp_slice header;
	int rc = 0;

	while (!rc && cp_slice_split(&headers, '&', &header))
		rc = header.len ? header_decode(r, header) : 0;
	return rc;
}

/* The parameters without ";method=…" go on to the URI. */
static int
append(char *uri, struct cp_slice text)
{
	size_t len = strlen(uri);

	return cp_slice_copy(uri + len, CP_SIP_URI_MAX - len, text);
}

static int
parameters_decode(struct cp_sip_refer_to *r, struct cp_slice parameters)
{
	struct cp_slice parameter;
	int rc = 0;

	while (!rc && cp_slice_split(&parameters, ';', &parameter)) {
		struct cp_slice name, value = parameter;

		if (parameter.len == 0 || !cp_slice_split(&value, '=', &name))
			return -EINVAL;
		if (cp_slice_is_nocase(name, "method")) {
			r->method = method_of(value);
			continue;
		}
		rc = append(r->uri, cp_slice_text(";"));
		if (!rc)
			rc = append(r->uri, parameter);
	}
	return rc;
}

static bool
is_clean(struct cp_slice uri)
{
	for (size_t i = 0; i < uri.len; i++)
		if (uri.ptr[i] <= ' ' || uri.ptr[i] >= 0x7f || strchr("<>\"\\^`{|}", uri.ptr[i]))
			return false;
	return uri.len > 0;
}

/* Where parameters begin: the user part may contain ; and ? (RFC 3261 25.1). */
static size_t
host_at(struct cp_slice uri)
{
	const char *at = memchr(uri.ptr, '@', uri.len);

	return at ? (size_t)(at - uri.ptr) : 0;
}

static size_t
find(struct cp_slice text, size_t from, char c)
{
	const char *at = from < text.len ? memchr(text.ptr + from, c, text.len - from) : NULL;

	return at ? (size_t)(at - text.ptr) : text.len;
}

static bool
has_scheme(struct cp_slice uri, const char *scheme)
{
	return cp_slice_is_nocase(cp_slice(uri.ptr, find(uri, 0, ':')), scheme);
}

int
cp_sip_refer_uri_decode(struct cp_sip_refer_to *out, struct cp_slice uri)
{
	struct cp_sip_refer_to made = {.method = CP_SIP_REFER_INVITE};
	size_t headers, parameters;
	int rc;

	if (!is_clean(uri) || find(uri, 0, ':') == uri.len || find(uri, 0, ':') + 1 == uri.len)
		return -EINVAL;
	if (has_scheme(uri, "cid")) {
		rc = unescape(made.content_id, sizeof(made.content_id),
			      cp_slice(uri.ptr + 4, uri.len - 4));
		if (!rc)
			*out = made;
		return rc;
	}
	if (!has_scheme(uri, "sip") && !has_scheme(uri, "sips") && !has_scheme(uri, "tel"))
		return -EAFNOSUPPORT;
	headers = find(uri, host_at(uri), '?');
	parameters = find(cp_slice(uri.ptr, headers), host_at(uri), ';');
	if (uri.ptr[parameters - 1] == ':' || uri.ptr[parameters - 1] == '@')
		return -EINVAL; /* no host */
	rc = append(made.uri, cp_slice(uri.ptr, parameters));
	if (!rc && parameters < headers)
		rc = parameters_decode(
			&made, cp_slice(uri.ptr + parameters + 1, headers - parameters - 1));
	if (!rc && headers < uri.len)
		rc = headers_decode(&made, cp_slice(uri.ptr + headers + 1, uri.len - headers - 1));
	if (!rc)
		*out = made;
	return rc;
}

/* What stands between < and >; without them the URI ends where the header's parameters begin. */
static int
addr_decode(struct cp_slice *uri, const char *value)
{
	const char *p = value + strspn(value, " \t");
	size_t len;

	if (*p == '"') {
		for (p++; *p && *p != '"'; p++)
			if (*p == '\\' && p[1])
				p++;
		if (*p != '"')
			return -EINVAL;
		p++;
	}
	len = strcspn(p, "<");
	if (p[len] != '<') {
		*uri = cp_slice_trim(cp_slice(p, strcspn(p, ";?,")));
		return p[strcspn(p, "?,")] ? -EINVAL
					   : 0; /* RFC 3261 20.10: such a URI is bracketed */
	}
	p += len + 1;
	len = strcspn(p, ">");
	if (p[len] != '>' || strchr(p + len + 1, ',') || strchr(p + len + 1, '<'))
		return -EINVAL;
	*uri = cp_slice_trim(cp_slice(p, len));
	return 0;
}

int
cp_sip_refer_to_decode(struct cp_sip_refer_to *out, const char *value)
{
	struct cp_slice uri;
	int rc = addr_decode(&uri, value);

	return rc ? rc : cp_sip_refer_uri_decode(out, uri);
}
