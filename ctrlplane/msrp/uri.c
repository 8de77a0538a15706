/* MSRP URIs taken apart and compared (RFC 4975 sections 6, 6.1 and 9). */
#include "ctrlplane/msrp/uri.h"

#include <arpa/inet.h>
#include <errno.h>
#include <strings.h>
#include "ctrlplane/msrp/chars.h"

#define HOST_MAX 255

static bool
is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

static bool
is_unreserved(char c)
{
	return cp_msrp_is_alnum(c) || is_one_of(c, "-._~");
}

static int
hex(char c)
{
	return cp_msrp_is_digit(c)    ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* The octet that a percent sign and two digits at i stand for; -1: they do not stand there. */
static int
percent(struct cp_slice text, size_t i)
{
	if (text.ptr[i] != '%' || text.len - i < 3)
		return -1;
	if (hex(text.ptr[i + 1]) < 0 || hex(text.ptr[i + 2]) < 0)
		return -1;
	return hex(text.ptr[i + 1]) * 16 + hex(text.ptr[i + 2]);
}

/* reg-name and userinfo of RFC 3986. */
static bool
is_name(struct cp_slice text, const char *also)
{
	for (size_t i = 0; i < text.len; i++) {
		if (is_unreserved(text.ptr[i]) || is_one_of(text.ptr[i], "!$&'()*+,=") ||
		    is_one_of(text.ptr[i], also))
			continue;
		if (percent(text, i) < 0)
			return false;
		i += 2;
	}
	return true;
}

static bool
read_ip6(struct cp_slice text, struct in6_addr *out)
{
	char room[INET6_ADDRSTRLEN];

	return cp_slice_copy(room, sizeof(room), text) == 0 && inet_pton(AF_INET6, room, out) == 1;
}

static bool
read_host(struct cp_msrp_uri *uri, struct cp_slice *rest)
{
	struct in6_addr ip6;
	size_t len = 0;

	if (rest->len > 0 && rest->ptr[0] == '[') {
		while (len < rest->len && rest->ptr[len] != ']')
			len++;
		if (len == rest->len)
			return false;
		uri->is_ip6 = true;
		uri->host = cp_slice(rest->ptr + 1, len - 1);
		*rest = cp_msrp_behind(*rest, len + 1);
		return read_ip6(uri->host, &ip6);
	}
	while (len < rest->len && rest->ptr[len] != ':')
		len++;
	uri->host = cp_slice(rest->ptr, len);
	*rest = cp_msrp_behind(*rest, len);
	return len > 0 && len <= HOST_MAX && is_name(uri->host, "");
}

static bool
read_authority(struct cp_msrp_uri *uri, struct cp_slice text)
{
	const char *at = text.len > 0 ? memchr(text.ptr, '@', text.len) : NULL;
	uint64_t port = 0;

	if (at) {
		uri->user = cp_slice(text.ptr, (size_t)(at - text.ptr));
		text = cp_msrp_behind(text, uri->user.len + 1);
		if (!is_name(uri->user, ":"))
			return false;
	}
	if (!read_host(uri, &text))
		return false;
	if (text.len == 0)
		return true;
	if (text.ptr[0] != ':')
		return false;
	text = cp_msrp_behind(text, 1);
	if (text.len > 0 && (cp_slice_number(&port, text, UINT16_MAX) != 0 || port == 0))
		return false;
	uri->port = (uint16_t)port;
	return true;
}

static bool
is_session(struct cp_slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!is_unreserved(text.ptr[i]) && !is_one_of(text.ptr[i], "+=/"))
			return false;
	return text.len > 0;
}

/* Behind the first semicolon: the transport, then parameters. */
static bool
read_tail(struct cp_msrp_uri *uri, struct cp_slice text)
{
	struct cp_slice part, name;

	if (!cp_slice_split(&text, ';', &uri->transport) || uri->transport.len == 0)
		return false;
	for (size_t i = 0; i < uri->transport.len; i++)
		if (!cp_msrp_is_alnum(uri->transport.ptr[i]))
			return false;
	if (uri->transport.ptr + uri->transport.len == text.ptr)
		return true;
	uri->params = cp_slice(text.ptr - 1, text.len + 1);
	if (text.len == 0 || text.ptr[text.len - 1] == ';')
		return false;
	while (cp_slice_split(&text, ';', &part)) {
		const char *equals = part.len > 0 ? memchr(part.ptr, '=', part.len) : NULL;

		name = equals ? cp_slice(part.ptr, (size_t)(equals - part.ptr)) : part;
		if (!cp_msrp_is_token(name) ||
		    (equals && !cp_msrp_is_token(cp_msrp_behind(part, name.len + 1))))
			return false;
	}
	return true;
}

static size_t
until(struct cp_slice text, const char *set)
{
	size_t len = 0;

	while (len < text.len && !is_one_of(text.ptr[len], set))
		len++;
	return len;
}

int
cp_msrp_uri_decode(struct cp_msrp_uri *out, struct cp_slice text)
{
	struct cp_msrp_uri uri = {0};
	size_t len;

	if (text.len < 8 || text.len > CP_MSRP_URI_MAX || strncasecmp(text.ptr, "msrp", 4) != 0)
		return -EINVAL;
	uri.is_secure = text.ptr[4] == 's' || text.ptr[4] == 'S';
	text = cp_msrp_behind(text, uri.is_secure ? 5 : 4);
	if (!cp_slice_has_prefix(text, "://"))
		return -EINVAL;
	text = cp_msrp_behind(text, 3);
	len = until(text, "/;");
	if (!read_authority(&uri, cp_slice(text.ptr, len)))
		return -EINVAL;
	text = cp_msrp_behind(text, len);
	if (text.len > 0 && text.ptr[0] == '/') {
		text = cp_msrp_behind(text, 1);
		uri.session = cp_slice(text.ptr, until(text, ";"));
		if (!is_session(uri.session))
			return -EINVAL;
		text = cp_msrp_behind(text, uri.session.len);
	}
	if (text.len == 0 || !read_tail(&uri, cp_msrp_behind(text, 1)))
		return -EINVAL;
	*out = uri;
	return 0;
}

/* The host in small letters, with what needs no percent sign freed of it. Its length: it never grows. */
static size_t
normal(char *room, struct cp_slice host)
{
	size_t len = 0;

	for (size_t i = 0; i < host.len; i++) {
		int octet = percent(host, i);
		char c = host.ptr[i];

		if (octet >= 0 && is_unreserved((char)octet)) {
			c = (char)octet;
			i += 2;
		}
		room[len++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	return len;
}

static bool
is_same_host(const struct cp_msrp_uri *a, const struct cp_msrp_uri *b)
{
	char mine[HOST_MAX], other[HOST_MAX];
	struct in6_addr ip, ip_other;
	size_t len;

	if (a->is_ip6 != b->is_ip6)
		return false;
	if (a->is_ip6)
		return read_ip6(a->host, &ip) && read_ip6(b->host, &ip_other) &&
		       memcmp(&ip, &ip_other, sizeof(ip)) == 0;
	len = normal(mine, a->host);
	return normal(other, b->host) == len && memcmp(mine, other, len) == 0;
}

static bool
is_same_nocase(struct cp_slice a, struct cp_slice b)
{
	return a.len == b.len && strncasecmp(a.ptr, b.ptr, a.len) == 0;
}

bool
cp_msrp_uri_is_same(const struct cp_msrp_uri *a, const struct cp_msrp_uri *b)
{
	return a->is_secure == b->is_secure && a->port == b->port &&
	       cp_slice_is_same(a->session, b->session) &&
	       is_same_nocase(a->transport, b->transport) && is_same_host(a, b);
}

bool
cp_msrp_uri_is_same_text(struct cp_slice a, struct cp_slice b)
{
	struct cp_msrp_uri one, other;

	return cp_msrp_uri_decode(&one, a) == 0 && cp_msrp_uri_decode(&other, b) == 0 &&
	       cp_msrp_uri_is_same(&one, &other);
}
