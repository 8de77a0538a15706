/* Text in headers of Message/CPIM freed of escapes and given them (RFC 3862 section 2.3), and messages written. */
#include "ctrlplane/msrp/cpim.h"

#include <errno.h>
#include <stdio.h>
#include "ctrlplane/msrp/chars.h"
#include "ctrlplane/msrp/writer.h"

/* A character of Unicode as UTF-8. */
static void
put_code(struct cp_msrp_writer *w, unsigned int c)
{
	char utf8[4];
	size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = len - 1; i > 0; i--) {
		utf8[i] = (char)(0x80 | (c & 0x3f));
		c >>= 6;
	}
	utf8[0] = (char)(len == 1 ? c : (0xf00u >> len & 0xff) | c);
	cp_msrp_put(w, cp_slice(utf8, len));
}

/* Four digits behind "\u"; -1: they do not stand there. */
static int
read_hex(struct cp_slice text)
{
	int value = 0;

	if (text.len < 6 || text.ptr[0] != '\\' || text.ptr[1] != 'u')
		return -1;
	for (size_t i = 2; i < 6; i++) {
		const char *digits = "0123456789abcdef", *at;
		char c = text.ptr[i];

		if (c >= 'A' && c <= 'F')
			c = (char)(c - 'A' + 'a');
		at = c != '\0' ? strchr(digits, c) : NULL;
		if (at == NULL)
			return -1;
		value = value * 16 + (int)(at - digits);
	}
	return value;
}

/* "\uxxxx", and two of them for one character (UTF-16). How many octets of text it took; 0: it is none. */
static size_t
put_hex(struct cp_msrp_writer *w, struct cp_slice text)
{
	int high = read_hex(text), low;

	if (high < 0)
		return 0;
	if (high < 0xd800 || high > 0xdfff) {
		put_code(w, high > 0 ? (unsigned int)high : 0xfffd); /* no NUL inside a text */
		return 6;
	}
	low = high < 0xdc00 ? read_hex(cp_msrp_behind(text, 6)) : -1;
	if (low < 0xdc00 || low > 0xdfff) {
		put_code(w, 0xfffd);
		return 6;
	}
	put_code(w,
		 0x10000u + (((unsigned int)high - 0xd800u) << 10) + ((unsigned int)low - 0xdc00u));
	return 12;
}

/* What begins with a backslash. The octets of text that are done. */
static size_t
put_escaped(struct cp_msrp_writer *w, struct cp_slice text)
{
	static const char letters[] = "btnr", meanings[] = "\b\t\n\r";
	const char *at;
	size_t taken = put_hex(w, text);

	if (taken > 0)
		return taken;
	if (text.len < 2)
		return 1;
	at = text.ptr[1] != '\0' ? strchr(letters, text.ptr[1]) : NULL;
	cp_msrp_put(w, at ? cp_slice(&meanings[at - letters], 1) : cp_slice(text.ptr + 1, 1));
	return 2;
}

ssize_t
cp_cpim_text(char *out, size_t size, struct cp_slice value)
{
	struct cp_msrp_writer w = {out, size, 0, 0};

	if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"')
		value = cp_slice(value.ptr + 1, value.len - 2);
	while (value.len > 0) {
		size_t taken = 1;

		if (value.ptr[0] == '\\')
			taken = put_escaped(&w, value);
		else
			cp_msrp_put(&w, cp_slice(value.ptr, 1));
		value = cp_msrp_behind(value, taken);
	}
	if (w.error == 0)
		cp_msrp_put(&w, cp_slice("", 1));
	return w.error ? w.error : (ssize_t)w.len - 1;
}

/* Escapes are for controls and the backslash, and for quotes inside quotes; nothing else may have one. */
static void
put_escapes(struct cp_msrp_writer *w, struct cp_slice text, bool is_quoted)
{
	static const char meant[] = "\\\b\t\n\r", letters[] = "\\btnr";

	if (!cp_slice_is_utf8(text))
		w->error = -EINVAL;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i], escape[8];
		const char *at = c != '\0' ? strchr(meant, c) : NULL;

		if (at != NULL)
			snprintf(escape, sizeof(escape), "\\%c", letters[at - meant]);
		else if (is_quoted && c == '"')
			snprintf(escape, sizeof(escape), "\\\"");
		else if ((unsigned char)c < ' ' || c == 0x7f)
			snprintf(escape, sizeof(escape), "\\u%04x", (unsigned int)(unsigned char)c);
		else
			snprintf(escape, sizeof(escape), "%c", c);
		cp_msrp_put_text(w, escape);
	}
}

static bool
is_value(struct cp_slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.ptr[i] <= ' ' || text.ptr[i] == 0x7f ||
		    text.ptr[i] == '<' || text.ptr[i] == '>')
			return false;
	return text.len > 0 && cp_slice_is_utf8(text);
}

static void
put_address(struct cp_msrp_writer *w, const char *header, struct cp_slice name, struct cp_slice uri)
{
	if (!is_value(uri) || memchr(uri.ptr, ':', uri.len) == NULL || uri.ptr[0] == ':' ||
	    memchr(uri.ptr, '"', uri.len) != NULL)
		w->error = -EINVAL;
	cp_msrp_put_text(w, header);
	if (name.len > 0) {
		cp_msrp_put_text(w, "\"");
		put_escapes(w, name, true);
		cp_msrp_put_text(w, "\" ");
	}
	cp_msrp_put_text(w, "<");
	cp_msrp_put(w, uri);
	cp_msrp_put_text(w, ">\r\n");
}

ssize_t
cp_cpim_encode(char *out, size_t size, const struct cp_cpim_out *message)
{
	struct cp_msrp_writer w = {out, size < CP_CPIM_HEAD_MAX ? size : CP_CPIM_HEAD_MAX, 0, 0};
	struct cp_slice rest = message->content_type, media, type;

	put_address(&w, "From: ", message->from_name, message->from_uri);
	put_address(&w, "To: ", message->to_name, message->to_uri);
	if (message->date_time.len > 0) {
		if (!is_value(message->date_time))
			w.error = -EINVAL;
		cp_msrp_put_text(&w, "DateTime: ");
		cp_msrp_put(&w, message->date_time);
		cp_msrp_put_text(&w, "\r\n");
	}
	if (message->subject.len > 0) {
		cp_msrp_put_text(&w, "Subject: ");
		put_escapes(&w, message->subject, false);
		cp_msrp_put_text(&w, "\r\n");
	}
	if (!cp_msrp_is_text(message->content_type) || !cp_slice_split(&rest, ';', &media) ||
	    !cp_slice_split(&media, '/', &type) || !cp_msrp_is_token(type) ||
	    !cp_msrp_is_token(cp_slice_trim(media)))
		w.error = -EINVAL;
	cp_msrp_put_text(&w, "\r\nContent-Type: ");
	cp_msrp_put(&w, message->content_type);
	cp_msrp_put_text(&w, "\r\n\r\n");
	return w.error ? w.error : (ssize_t)w.len;
}
