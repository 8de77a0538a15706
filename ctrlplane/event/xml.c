/* Writing XML 1.0 (Fifth Edition 2.2, 2.4) as text. */
#include "ctrlplane/event/xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FIRST_ROOM 512
#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

void
cp_xml_fini(struct cp_xml *x)
{
	free(x->text);
	*x = (struct cp_xml){0};
}

static bool
has_room(struct cp_xml *x, size_t len)
{
	size_t room = x->room ? x->room : FIRST_ROOM;
	char *text;

	if (x->has_failed)
		return false;
	if (x->room - x->len >= len)
		return true;
	while (room - x->len < len)
		room *= 2;
	text = realloc(x->text, room);
	if (!text) {
		x->has_failed = true;
		return false;
	}
	x->text = text;
	x->room = room;
	return true;
}

void
cp_xml_raw(struct cp_xml *x, const char *text, size_t len)
{
	if (len == 0 || !has_room(x, len))
		return;
	memcpy(x->text + x->len, text, len);
	x->len += len;
}

void
cp_xml_str(struct cp_xml *x, const char *markup)
{
	cp_xml_raw(x, markup, strlen(markup));
}

/* Octets of the character at s, 0 where it is no UTF-8 or no XML Char. s ends with a NUL. */
static size_t
character(const unsigned char *s)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = *s < 0x80 ? 1 : (*s & 0xE0) == 0xC0 ? 2 : (*s & 0xF0) == 0xE0 ? 3 : 4;
	uint32_t c = len == 1 ? *s : *s & (0xFFu >> (len + 1));

	if (len == 4 && (*s & 0xF8) != 0xF0)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xC0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3F);
	}
	if (c < least[len] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF) || c == 0xFFFE ||
	    c == 0xFFFF || (c < ' ' && c != '\t' && c != '\n'))
		return 0;
	return len;
}

static const char *
escape_of(char c)
{
	switch (c) {
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '&':
		return "&amp;";
	case '"':
		return "&quot;";
	case '\t':
		return "&#9;";
	case '\n':
		return "&#10;";
	default:
		return NULL;
	}
}

void
cp_xml_text(struct cp_xml *x, const char *text)
{
	const char *begin = text;

	while (*text) {
		size_t len = character((const unsigned char *)text);
		const char *instead = len == 0 ? REPLACEMENT : len == 1 ? escape_of(*text) : NULL;

		if (!instead) {
			text += len;
			continue;
		}
		cp_xml_raw(x, begin, (size_t)(text - begin));
		cp_xml_str(x, instead);
		text += len ? len : 1;
		begin = text;
	}
	cp_xml_raw(x, begin, (size_t)(text - begin));
}

void
cp_xml_element(struct cp_xml *x, const char *name, const char *text)
{
	if (!text || !*text)
		return;
	cp_xml_str(x, "<");
	cp_xml_str(x, name);
	cp_xml_str(x, ">");
	cp_xml_text(x, text);
	cp_xml_str(x, "</");
	cp_xml_str(x, name);
	cp_xml_str(x, ">");
}

void
cp_xml_number(struct cp_xml *x, const char *name, uint32_t value)
{
	char text[11];

	snprintf(text, sizeof(text), "%u", value);
	cp_xml_element(x, name, text);
}

void
cp_xml_bool(struct cp_xml *x, const char *name, bool value)
{
	cp_xml_element(x, name, value ? "true" : "false");
}

void
cp_xml_when(struct cp_xml *x, const char *name, int64_t unix_s)
{
	time_t t = (time_t)unix_s;
	struct tm tm;
	char text[40];

	if (unix_s <= 0 || !gmtime_r(&t, &tm) ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return;
	cp_xml_element(x, name, text);
}
