/* The target of an HTTP request: path segments and query, percent-decoded. */
#include "ctrlplane/mgmt/target.h"
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Octets of the UTF-8 character at text, 0 when it is none (RFC 3629). The NUL at the end stops
 * every look ahead. */
static size_t
utf8_len(const uint8_t *text)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = text[0] < 0x80 ? 1 : text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
	uint32_t c = text[0] & (0xff >> (len + 1));

	if (len == 1)
		return 1;
	if (text[0] < 0xc2 || text[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (text[i] & 0x3f);
	}
	return c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ? 0 : len;
}

static bool
is_clean_utf8(const char *text)
{
	const uint8_t *at = (const uint8_t *)text;

	while (*at != '\0') {
		size_t len = utf8_len(at);

		if (len == 0 || *at < ' ' || *at == 0x7f)
			return false;
		at += len;
	}
	return true;
}

/* Decode in place. */
static int
decode(char *text, bool is_query)
{
	char *to = text;
	const char *at;

	for (at = text; *at != '\0'; at++) {
		if (*at == '%') {
			int high = hex(at[1]), low = high < 0 ? -1 : hex(at[2]);

			if (low < 0 || (high == 0 && low == 0))
				return -EINVAL;
			*to++ = (char)(high << 4 | low);
			at += 2;
		} else {
			*to++ = is_query && *at == '+' ? ' ' : *at;
		}
	}
	*to = '\0';
	return is_clean_utf8(text) ? 0 : -EINVAL;
}

static int
split_path(struct cp_target *out, char *path)
{
	char *segment;

	while ((segment = strsep(&path, "/")) != NULL) {
		if (out->segment_count == CP_TARGET_SEGMENTS_MAX)
			return -E2BIG;
		if (decode(segment, false) != 0)
			return -EINVAL;
		out->segments[out->segment_count++] = segment;
	}
	return 0;
}

static int
split_query(struct cp_target *out, char *query)
{
	char *name;

	while ((name = strsep(&query, "&")) != NULL) {
		char *value = strchr(name, '=');

		if (name[0] == '\0')
			continue;
		if (out->query_count == CP_TARGET_QUERY_MAX)
			return -E2BIG;
		if (value != NULL)
			*value++ = '\0';
		else
			value = strchr(name, '\0');
		if (decode(name, true) != 0 || decode(value, true) != 0)
			return -EINVAL;
		out->query[out->query_count++] = (struct cp_target_pair){name, value};
	}
	return 0;
}

int
cp_target_parse(struct cp_target *out, const char *text)
{
	char *query;
	int status;

	out->segment_count = out->query_count = 0;
	if (text[0] != '/' || strchr(text, '#') != NULL)
		return -EINVAL;
	if (strlen(text) >= sizeof(out->room))
		return -E2BIG;
	strcpy(out->room, text);
	query = strchr(out->room, '?');
	if (query != NULL)
		*query++ = '\0';
	status = split_path(out, out->room + 1);
	return status == 0 && query != NULL ? split_query(out, query) : status;
}
