/* Message/CPIM taken apart (RFC 3862 sections 2 to 4): names with their namespaces, addresses, what is inside. */
#include "ctrlplane/msrp/cpim.h"

#include <errno.h>
#include "ctrlplane/msrp/chars.h"

#define ADDRESS_MAX 1024 /* octets of a URI */

/* A header line: the name without its prefix, the value behind the parameters. */
struct field {
	struct cp_slice prefix, name, lang, value;
};

/* Characters of a header's name, 3.6: no dot, that is for prefixes. */
static bool
is_name(struct cp_slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!cp_msrp_is_token_char(text.ptr[i]) || text.ptr[i] == '.')
			return false;
	return text.len > 0;
}

static void
split_prefix(struct cp_slice *prefix, struct cp_slice *name, struct cp_slice text)
{
	const char *dot = text.len > 0 ? memchr(text.ptr, '.', text.len) : NULL;

	*prefix = cp_slice(text.ptr, 0);
	*name = text;
	if (dot == NULL)
		return;
	*prefix = cp_slice(text.ptr, (size_t)(dot - text.ptr));
	*name = cp_msrp_behind(text, prefix->len + 1);
}

/* Past one parameter: up to the next semicolon or blank outside of quotes. */
static size_t
parameter_len(struct cp_slice text)
{
	bool is_quoted = false;
	size_t i = 0;

	for (; i < text.len; i++) {
		if (is_quoted && text.ptr[i] == '\\' && i + 1 < text.len)
			i++;
		else if (text.ptr[i] == '"')
			is_quoted = !is_quoted;
		else if (!is_quoted && (text.ptr[i] == ';' || text.ptr[i] == ' '))
			break;
	}
	return i;
}

static bool
split_field(struct field *f, struct cp_slice line)
{
	const char *colon = line.len > 0 ? memchr(line.ptr, ':', line.len) : NULL;
	struct cp_slice rest;

	if (colon == NULL || !cp_slice_is_utf8(line))
		return false;
	for (size_t i = 0; i < line.len; i++)
		if ((unsigned char)line.ptr[i] < ' ' || line.ptr[i] == 0x7f)
			return false; /* controls come escaped only */
	split_prefix(&f->prefix, &f->name, cp_slice(line.ptr, (size_t)(colon - line.ptr)));
	if (!is_name(f->name) || (f->name.ptr != line.ptr && !is_name(f->prefix)))
		return false;
	rest = cp_msrp_behind(line, (size_t)(colon - line.ptr) + 1);
	f->lang = cp_slice(NULL, 0);
	while (rest.len > 0 && rest.ptr[0] == ';') {
		struct cp_slice part =
			cp_slice(rest.ptr + 1, parameter_len(cp_msrp_behind(rest, 1)));

		rest = cp_msrp_behind(rest, part.len + 1);
		if (cp_slice_has_prefix(part, "lang="))
			f->lang = cp_msrp_behind(part, 5);
		else if (part.len == 0 || memchr(part.ptr, '=', part.len) == NULL)
			return false;
	}
	f->value = cp_slice_trim(rest);
	return true;
}

/* The URI that a prefix stands for; the empty prefix: that of names without one. */
static struct cp_slice
namespace_of(const struct cp_cpim *cpim, struct cp_slice prefix)
{
	for (size_t i = cpim->ns_count; i > 0; i--)
		if (cp_slice_is_same(cpim->ns[i - 1].prefix, prefix))
			return cpim->ns[i - 1].uri;
	return prefix.len == 0 ? cp_slice_text(CP_CPIM_NAMESPACE) : cp_slice(NULL, 0);
}

/* A URI: a scheme and a colon, and nothing that may not stand between angle brackets. */
static bool
is_uri(struct cp_slice text)
{
	const char *colon = text.len > 0 ? memchr(text.ptr, ':', text.len) : NULL;

	if (colon == NULL || colon == text.ptr || text.len > ADDRESS_MAX)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] <= ' ' || strchr("<>\"", text.ptr[i]) != NULL)
			return false;
	return true;
}

/* [ name ] "<" URI ">", at the end of the value. */
static bool
read_address(struct cp_cpim_address *out, struct cp_slice value)
{
	size_t begin = value.len;
	struct cp_cpim_address a;

	if (value.len == 0 || value.ptr[value.len - 1] != '>')
		return false;
	while (begin > 0 && value.ptr[begin - 1] != '<')
		begin--;
	if (begin == 0)
		return false;
	a.uri = cp_slice(value.ptr + begin, value.len - begin - 1);
	a.name = cp_slice_trim(cp_slice(value.ptr, begin - 1));
	if (!is_uri(a.uri))
		return false;
	*out = a;
	return true;
}

static bool
read_ns(struct cp_cpim *cpim, struct cp_slice value)
{
	struct cp_cpim_address a;

	if (!read_address(&a, value) || (a.name.len > 0 && !is_name(a.name)) ||
	    cpim->ns_count == CP_CPIM_NS_MAX)
		return false;
	cpim->ns[cpim->ns_count].prefix = a.name;
	cpim->ns[cpim->ns_count++].uri = a.uri;
	return true;
}

static bool
is_known(struct cp_slice name)
{
	static const char *const known[] = {"From",    "To", "cc",     "DateTime",
					    "Subject", "NS", "Require"};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (cp_slice_is(name, known[i]))
			return true;
	return false;
}

static bool
read_require(struct cp_cpim *cpim, struct cp_slice value)
{
	struct cp_slice part, prefix, name;

	if (value.len == 0)
		return false;
	if (cpim->require.len == 0)
		cpim->require = value;
	while (cp_slice_split(&value, ',', &part)) {
		split_prefix(&prefix, &name, cp_slice_trim(part));
		if (!is_name(name))
			return false;
		if (!is_known(name) || !cp_slice_is(namespace_of(cpim, prefix), CP_CPIM_NAMESPACE))
			cpim->has_unknown_required = true;
	}
	return true;
}

static bool
read_one_of(struct cp_cpim_address *list, size_t *count, struct cp_slice value)
{
	struct cp_cpim_address beyond;

	return read_address(*count < CP_CPIM_TO_MAX ? &list[*count] : &beyond, value) && ++*count;
}

static bool
read_once(struct cp_slice *field, struct cp_slice value)
{
	if (field->len > 0 || value.len == 0)
		return false;
	*field = value;
	return true;
}

static bool
read_subject(struct cp_cpim *cpim, const struct field *f)
{
	if (cpim->subject.ptr == NULL) {
		cpim->subject = f->value;
		cpim->subject_lang = f->lang;
	}
	return true;
}

static bool
read_header(struct cp_cpim *cpim, struct cp_slice line)
{
	struct field f;

	if (!split_field(&f, line))
		return false;
	/* A default namespace of its own does not take away the means to name another. */
	if (f.prefix.len == 0 && cp_slice_is(f.name, "NS"))
		return read_ns(cpim, f.value);
	if (!cp_slice_is(namespace_of(cpim, f.prefix), CP_CPIM_NAMESPACE))
		return true;
	if (cp_slice_is(f.name, "From"))
		return cpim->from.uri.len == 0 && read_address(&cpim->from, f.value);
	if (cp_slice_is(f.name, "To"))
		return read_one_of(cpim->to, &cpim->to_count, f.value);
	if (cp_slice_is(f.name, "cc"))
		return read_one_of(cpim->cc, &cpim->cc_count, f.value);
	if (cp_slice_is(f.name, "DateTime"))
		return read_once(&cpim->date_time, f.value);
	if (cp_slice_is(f.name, "Subject"))
		return read_subject(cpim, &f);
	if (cp_slice_is(f.name, "NS"))
		return read_ns(cpim, f.value);
	if (cp_slice_is(f.name, "Require"))
		return read_require(cpim, f.value);
	return true;
}

/* A MIME header, also one that goes on in the next line, which then begins with a blank. */
static bool
split_mime(struct cp_slice *name, struct cp_slice *value, struct cp_slice *rest)
{
	struct cp_slice line, more;
	const char *colon;

	if (!cp_slice_line(rest, &line) || line.len == 0)
		return false;
	while (rest->len > 0 && (rest->ptr[0] == ' ' || rest->ptr[0] == '\t')) {
		cp_slice_line(rest, &more);
		line.len = (size_t)(more.ptr - line.ptr) + more.len;
	}
	colon = memchr(line.ptr, ':', line.len);
	*name = cp_slice(line.ptr, colon ? (size_t)(colon - line.ptr) : 0);
	*value = colon ? cp_slice_trim(cp_msrp_behind(line, name->len + 1)) : *name;
	return true;
}

static bool
read_content(struct cp_cpim *cpim, struct cp_slice lines)
{
	struct cp_slice name, value, rest;

	while (split_mime(&name, &value, &lines)) {
		if (!cp_msrp_is_token(name))
			return false;
		if (!cp_slice_is_nocase(name, "Content-Type"))
			continue;
		if (!read_once(&cpim->content_type, value))
			return false;
		rest = value;
		cp_slice_split(&rest, ';', &cpim->media);
		cpim->media = cp_slice_trim(cpim->media);
	}
	rest = cpim->media;
	return cp_slice_split(&rest, '/', &name) && cp_msrp_is_token(name) &&
	       cp_msrp_is_token(rest);
}

/* The lines up to an empty one; what they take with it. 0: it has not come. -EBADMSG: a line that does not end so. */
static ssize_t
section(struct cp_slice *lines, const char *octets, size_t len)
{
	size_t at = 0;

	while (at < len) {
		const char *newline = memchr(octets + at, '\n', len - at);
		size_t line;

		if (newline == NULL)
			return 0;
		line = (size_t)(newline - octets) - at;
		if (line == 0 || newline[-1] != '\r')
			return -EBADMSG;
		*lines = cp_slice(octets, at);
		at += line + 1;
		if (line == 1)
			return (ssize_t)at;
	}
	return 0;
}

static bool
read_headers(struct cp_cpim *cpim)
{
	struct cp_slice lines = cpim->headers, line;

	while (cp_slice_line(&lines, &line))
		if (!read_header(cpim, line))
			return false;
	return cpim->from.uri.len > 0 && cpim->to_count > 0;
}

ssize_t
cp_cpim_decode(struct cp_cpim *out, const char *octets, size_t len)
{
	size_t most = len < CP_CPIM_HEAD_MAX ? len : CP_CPIM_HEAD_MAX;
	struct cp_cpim cpim = {0};
	ssize_t first, second;

	first = section(&cpim.headers, octets, most);
	if (first < 0)
		return first;
	second = first > 0 ? section(&cpim.content_headers, octets + first, most - (size_t)first)
			   : 0;
	if (second < 0)
		return second;
	if (first == 0 || second == 0)
		return len >= CP_CPIM_HEAD_MAX ? -EMSGSIZE : 0;
	if (!read_headers(&cpim) || !read_content(&cpim, cpim.content_headers))
		return -EBADMSG;
	*out = cpim;
	return first + second;
}

bool
cp_cpim_content_header(struct cp_slice *value, const struct cp_cpim *cpim, const char *name)
{
	struct cp_slice rest = cpim->content_headers, this_name, this_value;

	while (split_mime(&this_name, &this_value, &rest)) {
		if (!cp_slice_is_nocase(this_name, name))
			continue;
		*value = this_value;
		return true;
	}
	return false;
}
