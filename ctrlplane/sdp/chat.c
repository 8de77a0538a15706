/* m=message TCP/MSRP: path, types, chat room (RFC 4975 section 8, 6135, 6714, 7701 section 8). */
#include "ctrlplane/sdp/stream.h"

#include <arpa/inet.h>
#include <stdio.h>
#include "ctrlplane/msrp/uri.h"

#define WRAPPER "message/cpim" /* RFC 7701 5.2: every message of a chat room is in it */
#define PATH_URIS_MAX 8

/* A type without its parameters. */
static struct cp_slice
bare(struct cp_slice type)
{
	struct cp_slice name = {0};

	cp_slice_split(&type, ';', &name);
	return cp_slice_trim(name);
}

static bool
is_same_nocase(struct cp_slice a, struct cp_slice b)
{
	char text[128];

	return cp_slice_copy(text, sizeof(text), b) == 0 && cp_slice_is_nocase(a, text);
}

/* "*", "text" followed by "/" and "*", or the type itself: RFC 4975 8.6. */
static bool
is_match(struct cp_slice entry, struct cp_slice type)
{
	struct cp_slice range = bare(entry), major, wanted;

	if (cp_slice_is(range, "*") || is_same_nocase(range, type))
		return true;
	return cp_slice_split(&range, '/', &major) && cp_slice_is(range, "*") &&
	       cp_slice_split(&type, '/', &wanted) && is_same_nocase(major, wanted);
}

static bool
has_type(struct cp_slice list, struct cp_slice type)
{
	struct cp_slice entry;

	type = bare(type);
	while (type.len > 0 && cp_slice_word(&list, &entry))
		if (is_match(entry, type))
			return true;
	return false;
}

bool
cp_sdp_chat_takes(const struct cp_sdp_chat *chat, struct cp_slice type)
{
	return has_type(cp_slice_text(chat->types), type);
}

/* As many whole entries as there is room for: what is not known to be taken is not sent. */
static void
add_types(char *types, size_t size, struct cp_slice list)
{
	struct cp_slice entry;

	while (cp_slice_word(&list, &entry)) {
		size_t len = strlen(types);

		if (len + entry.len + 2 > size || memchr(entry.ptr, '\0', entry.len) != NULL)
			return;
		snprintf(types + len, size - len, "%s%.*s", len > 0 ? " " : "", (int)entry.len,
			 entry.ptr);
	}
}

static const char *
read_types(struct cp_sdp_reading *r)
{
	struct cp_slice rest = r->section->lines, value;

	if (!cp_desc_attribute(&rest, "accept-types", &value))
		return "it has no a=accept-types";
	if (!has_type(value, cp_slice_text(WRAPPER)))
		return "its a=accept-types has no message/cpim, which a chat room wants (RFC 7701)";
	add_types(r->chat.types, sizeof(r->chat.types), value);
	rest = r->section->lines;
	if (cp_desc_attribute(&rest, "accept-wrapped-types", &value))
		add_types(r->chat.types, sizeof(r->chat.types), value);
	return NULL;
}

/* The attribute's tokens: RFC 7701's prose says "nicknames", its syntax and examples "nickname". */
static void
read_features(struct cp_sdp_reading *r)
{
	struct cp_slice rest = r->section->lines, value, word;
	uint64_t size;

	r->chat.is_chatroom = cp_desc_attribute(&rest, "chatroom", &value);
	while (r->chat.is_chatroom && cp_slice_word(&value, &word)) {
		r->chat.takes_nicknames |= cp_slice_is_nocase(word, "nickname") ||
					   cp_slice_is_nocase(word, "nicknames");
		r->chat.takes_private |= cp_slice_is_nocase(word, "private-messages");
	}
	rest = r->section->lines;
	if (cp_desc_attribute(&rest, "max-size", &value) &&
	    cp_slice_number(&size, cp_slice_trim(value), UINT64_MAX) == 0)
		r->chat.max_size = size;
}

/* The URIs of a=path: the first is where to connect to, the last is the peer's. */
struct path {
	struct cp_msrp_uri first, last;
	size_t count;
};

static const char *
read_path(struct path *path, struct cp_sdp_reading *r)
{
	struct cp_slice rest = r->section->lines, value, word;

	if (!cp_desc_attribute(&rest, "path", &value))
		return "it has no a=path";
	value = cp_slice_trim(value);
	if (cp_slice_copy(r->chat.path, sizeof(r->chat.path), value) < 0)
		return "its a=path is longer than is kept";
	while (cp_slice_word(&value, &word)) {
		struct cp_msrp_uri *uri = path->count == 0 ? &path->first : &path->last;

		if (path->count == PATH_URIS_MAX || cp_msrp_uri_decode(uri, word) < 0 ||
		    uri->port == 0 || !cp_slice_is_nocase(uri->transport, "tcp"))
			return "its a=path has no MSRP URIs with a port and tcp";
		if (path->count++ == 0)
			path->last = path->first;
	}
	if (path->count == 0 || path->last.session.len == 0)
		return "its a=path names no session";
	if (path->last.is_secure != r->is_tls)
		return r->is_tls ? "its a=path is no msrps URI, as TLS wants"
				 : "its a=path is an msrps URI without TLS";
	return NULL;
}

/* The address of a URI; false: it has a name. */
static bool
address_of(struct dp_addr *out, const struct cp_msrp_uri *uri)
{
	char text[INET6_ADDRSTRLEN];
	struct dp_addr addr = {.family = uri->is_ip6 ? DP_FAMILY_IP6 : DP_FAMILY_IP4,
			       .port = uri->port};

	if (cp_slice_copy(text, sizeof(text), uri->host) < 0 ||
	    inet_pton(uri->is_ip6 ? AF_INET6 : AF_INET, text, addr.ip) != 1)
		return false;
	*out = addr;
	return true;
}

/* RFC 6714 4.4. Names are not looked up; who opens the connection has no port; 0.0.0.0 is a hold. */
static bool
is_elsewhere(const struct cp_sdp_reading *r, const struct path *path)
{
	struct dp_addr uri, target;
	bool has_port;

	if (!address_of(&uri, &path->first) || cp_sdp_read_target(&target, r->section) != NULL)
		return false;
	has_port = uri.port != CP_SDP_DISCARD_PORT && target.port != CP_SDP_DISCARD_PORT;
	target.port = has_port ? target.port : uri.port;
	return !dp_addr_is_same(&uri, &target);
}

static const char *
read_addresses(struct cp_sdp_reading *r, const struct path *path)
{
	struct cp_slice rest = r->section->lines, value;
	bool is_relayed = path->count > 1;

	r->chat.has_cema = cp_desc_attribute(&rest, "msrp-cema", &value);
	if (!r->chat.has_cema && is_elsewhere(r, path))
		return "its address is not that of its a=path, without a=msrp-cema (RFC 6714)";
	if (is_relayed && r->stream.mode != CP_SDP_STREAM_PLAIN)
		return "its a=path leads over a relay, whose TLS would not be its own";
	if (is_relayed && !r->is_answer && !r->stream.is_active)
		r->chat.has_cema = false; /* RFC 6714 4.3, case 2 */
	if (!r->stream.is_active)
		return NULL;
	if (!r->chat.has_cema && address_of(&r->stream.remote, &path->first))
		return NULL;
	return cp_sdp_read_target(&r->stream.remote, r->section);
}

/* RFC 4975 8.9: which way messages go, the peer's view turned into ours. */
static void
read_direction(struct cp_sdp_reading *r)
{
	static const struct {
		const char *name;
		uint8_t dirs;
	} rows[] = {{"sendonly", CP_SDP_RECEIVE}, {"recvonly", CP_SDP_SEND}, {"inactive", 0}};

	r->stream.dirs = CP_SDP_RECEIVE | CP_SDP_SEND;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cp_slice rest = r->section->lines, value;

		if (cp_desc_attribute(&rest, rows[i].name, &value))
			r->stream.dirs = rows[i].dirs;
	}
	r->stream.is_held = (r->stream.dirs & CP_SDP_SEND) == 0;
}

const char *
cp_sdp_read_chat(struct cp_sdp_reading *r)
{
	struct path path = {0};
	const char *why = read_types(r);

	if (why == NULL)
		why = read_path(&path, r);
	if (why == NULL)
		why = read_addresses(r, &path);
	read_features(r);
	read_direction(r);
	return why;
}
