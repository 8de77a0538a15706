/* Taking a session description apart (RFC 8866 section 9, RFC 4566 as its peers still write it). */
#include "ctrlplane/sdp/desc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#define HOST_NAME_OCTETS 253

/* A name of hosts (RFC 1123 2.1) and no number: its last label has a letter. */
static bool
is_host_name(const char *text)
{
	const char *label = strrchr(text, '.');
	size_t len = strlen(text);

	label = label ? label + 1 : text;
	return len <= HOST_NAME_OCTETS && *text != '.' && *text != '-' &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") ==
		       len &&
	       strpbrk(label, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") != NULL;
}

int
cp_desc_connection(struct dp_addr *out, struct cp_slice value)
{
	struct cp_slice net, type, where, address;
	struct dp_addr addr = {0};
	char text[HOST_NAME_OCTETS + 1];
	int family;

	if (!cp_slice_word(&value, &net) || !cp_slice_word(&value, &type) ||
	    !cp_slice_word(&value, &where) || !cp_slice_is_nocase(net, "IN"))
		return -EINVAL;
	if (!cp_slice_split(&where, '/', &address) ||
	    cp_slice_copy(text, sizeof(text), address) < 0)
		return -EINVAL;
	if (cp_slice_is_nocase(type, "IP4")) {
		addr.family = DP_FAMILY_IP4;
		family = AF_INET;
	} else if (cp_slice_is_nocase(type, "IP6")) {
		addr.family = DP_FAMILY_IP6;
		family = AF_INET6;
	} else {
		return -EINVAL;
	}
	if (inet_pton(family, text, addr.ip) == 1) {
		*out = addr;
		return 0;
	}
	if (!is_host_name(text))
		return -EINVAL;
	*out = (struct dp_addr){.family = addr.family};
	return -EAGAIN;
}

/* "<media> <port>[/<count>] <proto> <fmt> …" */
static const char *
decode_mline(struct cp_desc_media *out, struct cp_slice value)
{
	struct cp_slice ports, port;
	uint64_t number;

	if (!cp_slice_word(&value, &out->media) || !cp_slice_word(&value, &ports) ||
	    !cp_slice_word(&value, &out->proto))
		return "m= needs media, port, protocol and formats";
	if (!cp_slice_split(&ports, '/', &port) || cp_slice_number(&number, port, UINT16_MAX) < 0)
		return "the port of m= is no number up to 65535";
	out->port = (uint16_t)number;
	out->formats = cp_slice_trim(value);
	return out->formats.len == 0 ? "m= has no format" : NULL;
}

/* What decoding has seen so far. */
struct progress {
	struct cp_desc *desc;
	struct cp_desc_media *media; /* the section we are in; NULL: the session's */
	struct dp_addr session_connection;
	bool has_session_connection;
	bool is_session_name;
	bool has_version;
};

/* The lines of a section end where the next begins. */
static void
end_section(struct progress *p, const char *end)
{
	struct cp_slice *lines = p->media ? &p->media->lines : &p->desc->session_lines;

	lines->len = lines->ptr ? (size_t)(end - lines->ptr) : 0;
}

static const char *
begin_section(struct progress *p, struct cp_slice value, const char *next)
{
	struct cp_desc_media *media;

	if (p->desc->media_count == CP_DESC_MEDIA_MAX)
		return "more m= lines than we read";
	media = &p->desc->media[p->desc->media_count++];
	media->connection = p->session_connection;
	media->has_connection = p->has_session_connection;
	media->is_name = p->is_session_name;
	media->lines = cp_slice(next, 0);
	p->media = media;
	return decode_mline(media, value);
}

static void
take_connection(struct progress *p, struct cp_slice value)
{
	struct dp_addr addr;
	int rc = cp_desc_connection(&addr, value);
	bool is_fine = rc == 0 || rc == -EAGAIN;

	if (p->media == NULL) {
		if (is_fine && !p->has_session_connection) {
			p->session_connection = addr;
			p->is_session_name = rc == -EAGAIN;
		}
		p->has_session_connection |= is_fine;
	} else if (!p->media->has_own_connection) {
		p->media->has_own_connection = true;
		p->media->has_connection = is_fine;
		p->media->is_name = rc == -EAGAIN;
		if (is_fine)
			p->media->connection = addr;
	}
}

static const char *
decode_line(struct progress *p, struct cp_slice line, const char *next)
{
	struct cp_slice value;

	if (line.len < 2 || line.ptr[1] != '=' || line.ptr[0] < 'a' || line.ptr[0] > 'z')
		return "not of the form letter=value";
	if (memchr(line.ptr, '\0', line.len) != NULL)
		return "a NUL octet";
	value = cp_slice(line.ptr + 2, line.len - 2);
	if (!p->has_version) {
		p->has_version = true;
		return line.ptr[0] == 'v' && cp_slice_is(cp_slice_trim(value), "0")
			       ? NULL
			       : "v=0 is not first";
	}
	switch (line.ptr[0]) {
	case 'v':
		return "v= once more";
	case 'o':
		if (p->desc->origin.ptr != NULL || p->media != NULL)
			return "o= once more";
		p->desc->origin = value;
		return NULL;
	case 'm':
		end_section(p, line.ptr);
		return begin_section(p, value, next);
	case 'c':
		take_connection(p, value);
		return NULL;
	default:
		return NULL;
	}
}

int
cp_desc_decode(struct cp_desc *out, struct cp_slice text)
{
	struct progress p = {.desc = out};
	struct cp_slice rest = text, line;
	int number = 0;

	memset(out, 0, sizeof(*out));
	out->session_lines = cp_slice(text.ptr, 0);
	while (cp_slice_line(&rest, &line)) {
		number++;
		if (line.len == 0)
			continue; /* some end with an empty line */
		out->bad_line = number;
		if (number > CP_DESC_LINES_MAX) {
			out->why = "more lines than we read";
			return -E2BIG;
		}
		out->why = decode_line(&p, line, rest.ptr);
		if (out->why != NULL)
			return -EINVAL;
		if (line.ptr[0] == 'm')
			p.media->line = number;
	}
	out->bad_line = number;
	if (!p.has_version || out->origin.ptr == NULL) {
		out->why = p.has_version ? "no o= line" : "empty";
		return -EINVAL;
	}
	end_section(&p, text.ptr + text.len);
	out->bad_line = 0;
	return 0;
}

bool
cp_desc_attribute(struct cp_slice *rest, const char *name, struct cp_slice *value)
{
	struct cp_slice line, got;

	while (cp_slice_line(rest, &line)) {
		if (!cp_slice_has_prefix(line, "a="))
			continue;
		line = cp_slice(line.ptr + 2, line.len - 2);
		if (!cp_slice_split(&line, ':', &got) || !cp_slice_is(cp_slice_trim(got), name))
			continue;
		*value = line;
		return true;
	}
	return false;
}

bool
cp_desc_bandwidth(struct cp_slice *rest, const char *name, struct cp_slice *value)
{
	struct cp_slice line, got;

	while (cp_slice_line(rest, &line)) {
		if (!cp_slice_has_prefix(line, "b="))
			continue;
		line = cp_slice(line.ptr + 2, line.len - 2);
		if (!cp_slice_split(&line, ':', &got) || !cp_slice_is(got, name))
			continue;
		*value = cp_slice_trim(line);
		return true;
	}
	return false;
}
