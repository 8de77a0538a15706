/*
 * A TCP stream of MSRP cut into events (RFC 4975 sections 7.1 and 9). Only whole lines of a head are judged, and of a body only
 * octets that cannot begin its end-line, so that the events do not depend on how the stream was cut.
 */
#include "ctrlplane/msrp/msg.h"

#include "ctrlplane/msrp/chars.h"

enum state {
	IN_HEAD = 0,
	IN_BODY,
	AT_END, /* the end-line is known to follow */
	IS_BROKEN,
};

enum match {
	DIFFERS,
	MAY_MATCH, /* as far as it has come */
	MATCHES,
};

static size_t
break_off(struct cp_msrp_stream *s, struct cp_msrp_event *event, const char *reason)
{
	s->state = IS_BROKEN;
	s->reason = reason;
	event->kind = CP_MSRP_BROKEN;
	event->reason = reason;
	return 0;
}

/* Whether the end-line stands here, with the line end behind it. */
static enum match
match_end(const struct cp_msrp_stream *s, const char *octets, size_t len)
{
	size_t common = len < s->end_len ? len : s->end_len;

	if (common > 0 && memcmp(octets, s->end, common) != 0)
		return DIFFERS;
	if (len > s->end_len && memchr("$+#", octets[s->end_len], 3) == NULL)
		return DIFFERS;
	if (len > s->end_len + 1 && octets[s->end_len + 1] != '\r')
		return DIFFERS;
	if (len > s->end_len + 2 && octets[s->end_len + 2] != '\n')
		return DIFFERS;
	return len > s->end_len + 2 ? MATCHES : MAY_MATCH;
}

/* The same behind a line end. */
static enum match
match_line_end(const struct cp_msrp_stream *s, const char *octets, size_t len)
{
	if (octets[0] != '\r' || (len > 1 && octets[1] != '\n'))
		return DIFFERS;
	return len < 2 ? MAY_MATCH : match_end(s, octets + 2, len - 2);
}

static size_t
end(struct cp_msrp_stream *s, struct cp_msrp_event *event, const char *end_line)
{
	size_t taken = s->end_len + 3;

	event->kind = CP_MSRP_END;
	event->flag = end_line[s->end_len];
	event->body_len = s->body_len;
	event->error = s->error;
	*s = (struct cp_msrp_stream){0};
	return taken;
}

/* What the start line says of the framing: the transaction. */
static bool
begin(struct cp_msrp_stream *s, struct cp_slice line)
{
	struct cp_slice word;

	if (!cp_slice_has_prefix(line, "MSRP "))
		return false;
	line = cp_msrp_behind(line, 5);
	if (!cp_slice_split(&line, ' ', &word) || !cp_msrp_is_ident(word) || line.len == 0)
		return false;
	memcpy(s->end, "-------", 7);
	memcpy(s->end + 7, word.ptr, word.len);
	s->end_len = 7 + word.len;
	return true;
}

static size_t
finish_head(struct cp_msrp_stream *s, struct cp_msrp_event *event, const char *octets, size_t len,
	    bool has_body)
{
	if (!cp_msrp_head_decode(&event->head, cp_slice(octets, len), has_body))
		return break_off(s, event, "a start line that is none");
	event->kind = CP_MSRP_HEAD;
	s->is_send = event->head.method == CP_MSRP_SEND;
	s->error = event->head.error;
	s->is_at_start = true;
	s->body_len = 0;
	s->scanned = 0;
	s->state = has_body ? IN_BODY : AT_END;
	return len + (has_body ? 2 : 0);
}

static size_t
read_head(struct cp_msrp_stream *s, struct cp_msrp_event *event, const char *octets, size_t len)
{
	size_t most = len < CP_MSRP_HEAD_MAX ? len : CP_MSRP_HEAD_MAX;

	if (most > 0 && memcmp(octets, "MSRP ", most < 5 ? most : 5) != 0)
		return break_off(s, event, "this is not MSRP");
	while (s->scanned < most) {
		const char *line = octets + s->scanned;
		const char *newline = memchr(line, '\n', most - s->scanned);
		size_t line_len, at = s->scanned;

		if (newline == NULL)
			break;
		line_len = (size_t)(newline - line);
		if (line_len == 0 || line[line_len - 1] != '\r')
			return break_off(s, event, "a line that ends without CRLF");
		if (at == 0 && !begin(s, cp_slice(line, line_len - 1)))
			return break_off(s, event, "a start line that is none");
		if (at > 0 && line_len == 1)
			return finish_head(s, event, octets, at, true);
		if (at > 0 && match_end(s, line, line_len + 1) == MATCHES)
			return finish_head(s, event, octets, at, false);
		s->scanned += line_len + 1;
	}
	if (len >= CP_MSRP_HEAD_MAX)
		return break_off(s, event, "the headers are too long");
	return 0;
}

/* How many octets from the start are body for sure. *is_end: the end-line follows them. */
static size_t
measure(const struct cp_msrp_stream *s, const char *octets, size_t len, bool *is_end)
{
	size_t at = 0;

	*is_end = false;
	if (s->is_at_start) {
		enum match match = match_end(s, octets, len);

		*is_end = match == MATCHES;
		if (match != DIFFERS)
			return 0;
	}
	while (at < len) {
		const char *candidate = memchr(octets + at, '\r', len - at);
		enum match match;

		if (candidate == NULL)
			return len;
		at = (size_t)(candidate - octets);
		match = match_line_end(s, candidate, len - at);
		*is_end = match == MATCHES;
		if (match != DIFFERS)
			return at;
		at++;
	}
	return at;
}

/* How many octets of a body may be handed on: of another method than SEND only so many. */
static size_t
allowed(const struct cp_msrp_stream *s, size_t body)
{
	size_t most = body;

	if (s->error != 0)
		return 0;
	if (!s->is_send)
		most = s->body_len < CP_MSRP_OTHER_BODY_MAX
			       ? CP_MSRP_OTHER_BODY_MAX - (size_t)s->body_len
			       : 0;
	return body < most ? body : most;
}

static size_t
read_body(struct cp_msrp_stream *s, struct cp_msrp_event *event, const char *octets, size_t len)
{
	bool is_end = false;
	size_t body = len > 0 ? measure(s, octets, len, &is_end) : 0, pass = allowed(s, body);

	if (body > 0)
		s->is_at_start = false;
	if (pass > 0) {
		s->body_len += pass;
		event->kind = CP_MSRP_BODY;
		event->body = cp_slice(octets, pass);
		return pass;
	}
	s->body_len += body;
	if (body > 0 && s->error == 0)
		s->error = CP_MSRP_STOP;
	if (!is_end)
		return body;
	if (octets[body] == '\r')
		body += 2;
	return body + end(s, event, octets + body);
}

size_t
cp_msrp_next(struct cp_msrp_stream *stream, struct cp_msrp_event *event, const char *octets,
	     size_t len)
{
	event->kind = CP_MSRP_MORE;
	switch ((enum state)stream->state) {
	case IN_HEAD:
		return read_head(stream, event, octets, len);
	case IN_BODY:
		return read_body(stream, event, octets, len);
	case AT_END:
		if (match_end(stream, octets, len) != MATCHES)
			return 0;
		return end(stream, event, octets);
	case IS_BROKEN:
		break;
	}
	return break_off(stream, event, stream->reason);
}
