/* Canonical identities (RFC 3261 19.1, RFC 3966): the part of a URI that names the user. */
#include "ctrlplane/conf/identity.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What is written so far; full once it did not fit. */
struct writer {
	char text[CP_IDENTITY_MAX];
	size_t len;
	bool is_full;
};

static void
put(struct writer *w, char c)
{
	if (w->len + 1 >= sizeof(w->text))
		w->is_full = true;
	else
		w->text[w->len++] = c;
}

static void
put_text(struct writer *w, const char *text)
{
	while (*text)
		put(w, *text++);
}

/* What stands in <>, or the whole; a display name in quotes may hold anything. */
static int
strip_name_addr(struct cp_slice *uri)
{
	struct cp_slice text = cp_slice_trim(*uri);
	const char *open, *close;
	size_t at = 0;

	if (text.len > 0 && text.ptr[0] == '"') {
		for (at = 1; at < text.len && text.ptr[at] != '"'; at++)
			if (text.ptr[at] == '\\')
				at++;
		if (at >= text.len)
			return -EINVAL;
	}
	open = at < text.len ? memchr(text.ptr + at, '<', text.len - at) : NULL;
	if (open == NULL) {
		*uri = text;
		return at > 0 ? -EINVAL : 0;
	}
	close = memchr(open, '>', (size_t)(text.ptr + text.len - open));
	if (close == NULL)
		return -EINVAL;
	*uri = cp_slice_trim(cp_slice(open + 1, (size_t)(close - open - 1)));
	return 0;
}

static bool
is_user_char(unsigned char c)
{
	/* RFC 3261 25.1: unreserved and user-unreserved */
	return c < 0x80 && (isalnum(c) || (c != 0 && strchr("-_.!~*'()&=+$,;?/", c) != NULL));
}

static int
hex(char c)
{
	return isdigit((unsigned char)c)    ? c - '0'
	       : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
					    : -1;
}

/* Escapes of what need not be escaped are undone; the others stand in capitals. */
static int
put_user(struct writer *w, struct cp_slice user)
{
	for (size_t i = 0; i < user.len; i++) {
		unsigned char c = (unsigned char)user.ptr[i];

		if (c == '%') {
			if (i + 2 >= user.len || hex(user.ptr[i + 1]) < 0 ||
			    hex(user.ptr[i + 2]) < 0)
				return -EINVAL;
			c = (unsigned char)(hex(user.ptr[i + 1]) << 4 | hex(user.ptr[i + 2]));
			i += 2;
			if (!is_user_char(c)) {
				put(w, '%');
				put(w, "0123456789ABCDEF"[c >> 4]);
				put(w, "0123456789ABCDEF"[c & 15]);
				continue;
			}
		} else if (!is_user_char(c)) {
			return -EINVAL;
		}
		put(w, (char)c);
	}
	return 0;
}

/* A host name, an IPv4 address, or an IPv6 address in []. Takes it off rest. */
static int
put_host(struct writer *w, struct cp_slice *rest)
{
	bool is_ip6 = rest->len > 0 && rest->ptr[0] == '[';
	size_t len = 0, end;

	while (len < rest->len) {
		unsigned char c = (unsigned char)rest->ptr[len];

		if (is_ip6 ? isxdigit(c) || c == '[' || c == ':' || c == '.'
			   : isalnum(c) || c == '-' || c == '.')
			len++;
		else
			break;
	}
	if (is_ip6) {
		if (len < 3 || len >= rest->len || rest->ptr[len] != ']')
			return -EINVAL;
		len++;
	}
	end = len;
	while (!is_ip6 && end > 0 && rest->ptr[end - 1] == '.')
		end--; /* the root of the names */
	if (end == 0)
		return -EINVAL;
	for (size_t i = 0; i < end; i++)
		put(w, (char)tolower((unsigned char)rest->ptr[i]));
	*rest = cp_slice(rest->ptr + len, rest->len - len);
	return 0;
}

static int
put_port(struct writer *w, struct cp_slice *rest, unsigned usual)
{
	uint64_t port;
	char text[8];
	size_t len = 1;

	if (rest->len == 0 || rest->ptr[0] != ':')
		return 0;
	while (len < rest->len && isdigit((unsigned char)rest->ptr[len]))
		len++;
	if (cp_slice_number(&port, cp_slice(rest->ptr + 1, len - 1), 65535) < 0 || port == 0)
		return -EINVAL;
	if (port != usual) {
		snprintf(text, sizeof(text), ":%u", (unsigned)port);
		put_text(w, text);
	}
	*rest = cp_slice(rest->ptr + len, rest->len - len);
	return 0;
}

static int
put_sip(struct writer *w, struct cp_slice rest, const char *scheme, unsigned usual_port)
{
	const char *at = rest.len > 0 ? memchr(rest.ptr, '@', rest.len) : NULL;
	struct cp_slice info, user, host = rest;

	put_text(w, scheme);
	if (at != NULL) {
		info = cp_slice(rest.ptr, (size_t)(at - rest.ptr));
		host = cp_slice(at + 1, rest.len - info.len - 1);
		if (!cp_slice_split(&info, ':', &user) || user.len == 0 || put_user(w, user) < 0)
			return -EINVAL;
		put(w, '@');
	}
	if (put_host(w, &host) < 0 || put_port(w, &host, usual_port) < 0)
		return -EINVAL;
	return host.len == 0 || host.ptr[0] == ';' || host.ptr[0] == '?' ? 0 : -EINVAL;
}

static int
put_tel(struct writer *w, struct cp_slice rest)
{
	size_t digits = 0, i = 1;

	put_text(w, "tel:+");
	if (rest.len == 0 || rest.ptr[0] != '+')
		return -EINVAL;
	for (; i < rest.len && rest.ptr[i] != ';'; i++) {
		if (isdigit((unsigned char)rest.ptr[i])) {
			put(w, rest.ptr[i]);
			digits++;
		} else if (rest.ptr[i] == '\0' || strchr("-.()", rest.ptr[i]) == NULL) {
			return -EINVAL;
		}
	}
	return digits > 0 ? 0 : -EINVAL;
}

int
cp_identity(char out[CP_IDENTITY_MAX], struct cp_slice uri)
{
	struct writer w = {.len = 0};
	struct cp_slice scheme;
	int error = strip_name_addr(&uri);

	if (error < 0)
		return error;
	if (!cp_slice_split(&uri, ':', &scheme))
		return -EINVAL;
	if (cp_slice_is_nocase(scheme, "sip"))
		error = put_sip(&w, uri, "sip:", 5060);
	else if (cp_slice_is_nocase(scheme, "sips"))
		error = put_sip(&w, uri, "sips:", 5061);
	else if (cp_slice_is_nocase(scheme, "tel"))
		error = put_tel(&w, uri);
	else
		error = -EINVAL;
	if (error == 0 && w.is_full)
		error = -ENAMETOOLONG;
	if (error == 0) {
		memcpy(out, w.text, w.len);
		out[w.len] = '\0';
	}
	return error;
}

bool
cp_identity_is_anonymous(struct cp_slice identity)
{
	static const char nowhere[] = "@anonymous.invalid";
	size_t len = sizeof(nowhere) - 1;

	return identity.len == 0 || (identity.len >= len &&
				     memcmp(identity.ptr + identity.len - len, nowhere, len) == 0);
}

struct cp_slice
cp_identity_number(const char *identity)
{
	bool is_tel = strncmp(identity, "tel:+", 5) == 0;
	size_t len;

	if (!is_tel && strncmp(identity, "sip:+", 5) != 0 && strncmp(identity, "sips:+", 6) != 0)
		return cp_slice(NULL, 0);
	identity = strchr(identity, '+') + 1;
	len = strspn(identity, "0123456789");
	if (len == 0 || identity[len] != (is_tel ? '\0' : '@'))
		return cp_slice(NULL, 0);
	return cp_slice(identity, len);
}

bool
cp_identity_is_same(const char *a, const char *b)
{
	struct cp_slice number = cp_identity_number(a);

	if (strcmp(a, b) == 0)
		return *a != '\0';
	return number.len > 0 && cp_slice_is_same(number, cp_identity_number(b)) &&
	       (*a == 't') != (*b == 't');
}

int
cp_identity_compare(const char *a, const char *b)
{
	struct cp_slice x = cp_identity_number(a), y = cp_identity_number(b);
	int order;

	if (x.len == 0 || y.len == 0)
		return x.len != y.len ? (x.len == 0 ? 1 : -1) : strcmp(a, b);
	order = memcmp(x.ptr, y.ptr, x.len < y.len ? x.len : y.len);
	return order != 0 ? order : (x.len > y.len) - (x.len < y.len);
}
