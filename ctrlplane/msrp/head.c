/* Start line and headers of MSRP taken apart (RFC 4975 section 9), and what they must and must not be (section 7). */
#include "ctrlplane/msrp/msg.h"

#include "ctrlplane/msrp/chars.h"
#include "ctrlplane/msrp/uri.h"

/* The first fault counts. */
static void
fail(struct cp_msrp_head *head, unsigned int error)
{
	if (head->error == 0)
		head->error = error;
}

bool
cp_msrp_is_ident(struct cp_slice text)
{
	if (text.len < CP_MSRP_IDENT_MIN || text.len > CP_MSRP_IDENT_MAX ||
	    !cp_msrp_is_alnum(text.ptr[0]))
		return false;
	for (size_t i = 1; i < text.len; i++)
		if (!cp_msrp_is_alnum(text.ptr[i]) && memchr(".-+%=", text.ptr[i], 5) == NULL)
			return false;
	return true;
}

/* Three digits. */
static bool
read_code(unsigned int *out, struct cp_slice text)
{
	uint64_t value;

	if (text.len != 3 || cp_slice_number(&value, text, 999) != 0)
		return false;
	*out = (unsigned int)value;
	return true;
}

static bool
read_path(struct cp_slice *uris, size_t *count, struct cp_slice value)
{
	struct cp_msrp_uri uri;
	struct cp_slice part;

	*count = 0;
	while (cp_slice_split(&value, ' ', &part)) {
		if (*count == CP_MSRP_PATH_MAX || cp_msrp_uri_decode(&uri, part) != 0)
			return false;
		uris[(*count)++] = part;
	}
	return *count > 0;
}

static bool
read_to(struct cp_msrp_head *head, struct cp_slice value)
{
	head->to_path = value;
	return read_path(head->to, &head->to_count, value);
}

static bool
read_from(struct cp_msrp_head *head, struct cp_slice value)
{
	head->from_path = value;
	if (read_path(head->from, &head->from_count, value))
		return true;
	head->from_count = 0; /* nobody to answer to */
	return false;
}

static bool
read_message_id(struct cp_msrp_head *head, struct cp_slice value)
{
	if (!cp_msrp_is_ident(value))
		return false;
	head->message_id = value;
	return true;
}

static bool
read_position(uint64_t *out, struct cp_slice text)
{
	if (cp_slice_is(text, "*")) {
		*out = CP_MSRP_OPEN;
		return true;
	}
	return cp_slice_number(out, text, INT64_MAX) == 0;
}

static bool
read_range(struct cp_msrp_head *head, struct cp_slice value)
{
	struct cp_slice start, end, rest = value;
	struct cp_msrp_range r = {.is_there = true};

	if (!cp_slice_split(&rest, '-', &start) || !cp_slice_split(&rest, '/', &end))
		return false;
	if (cp_slice_number(&r.start, start, INT64_MAX) != 0 || r.start == 0 ||
	    !read_position(&r.end, end) || !read_position(&r.total, rest))
		return false;
	if (r.end < r.start - 1 || (r.end != CP_MSRP_OPEN && r.end > r.total) ||
	    r.start - 1 > r.total)
		return false;
	head->range = r;
	return true;
}

static bool
read_wish(enum cp_msrp_wish *out, struct cp_slice value)
{
	*out = cp_slice_is_nocase(value, "yes")	      ? CP_MSRP_YES
	       : cp_slice_is_nocase(value, "no")      ? CP_MSRP_NO
	       : cp_slice_is_nocase(value, "partial") ? CP_MSRP_PARTIAL
						      : CP_MSRP_UNSAID;
	return *out != CP_MSRP_UNSAID;
}

static bool
read_success(struct cp_msrp_head *head, struct cp_slice value)
{
	return read_wish(&head->success, value) && head->success != CP_MSRP_PARTIAL;
}

static bool
read_failure(struct cp_msrp_head *head, struct cp_slice value)
{
	return read_wish(&head->failure, value);
}

/* A status of another namespace means nothing to us: the header is there, the code is not. */
static bool
read_status(struct cp_msrp_head *head, struct cp_slice value)
{
	struct cp_slice space, code;
	unsigned int number, status;

	if (!cp_slice_split(&value, ' ', &space) || !read_code(&number, space) ||
	    !cp_slice_split(&value, ' ', &code) || !read_code(&status, code))
		return false;
	if (number == 0)
		head->status = status;
	head->status_comment = value;
	return true;
}

static bool
read_nickname(struct cp_msrp_head *head, struct cp_slice value)
{
	head->has_nickname = true;
	head->nickname = value;
	return true;
}

static bool
read_content_type(struct cp_msrp_head *head, struct cp_slice value)
{
	struct cp_slice rest = value, type, subtype;

	head->content_type = value;
	if (!cp_slice_split(&rest, ';', &head->media))
		return false;
	head->media = cp_slice_trim(head->media);
	rest = head->media;
	if (!cp_slice_split(&rest, '/', &type))
		return false;
	subtype = rest;
	return cp_msrp_is_token(type) && cp_msrp_is_token(subtype);
}

static const struct field {
	const char *name;
	bool (*read)(struct cp_msrp_head *head, struct cp_slice value);
} fields[] = {
	{"To-Path", read_to},
	{"From-Path", read_from},
	{"Message-ID", read_message_id},
	{"Byte-Range", read_range},
	{"Success-Report", read_success},
	{"Failure-Report", read_failure},
	{"Status", read_status},
	{"Use-Nickname", read_nickname},
	{"Content-Type", read_content_type},
};

#define FIELDS (sizeof(fields) / sizeof(*fields))
#define STATUS_FIELD 6

static bool
split_field(struct cp_slice *name, struct cp_slice *value, struct cp_slice line)
{
	const char *colon = line.len > 0 ? memchr(line.ptr, ':', line.len) : NULL;

	if (colon == NULL)
		return false;
	*name = cp_slice(line.ptr, (size_t)(colon - line.ptr));
	*value = cp_slice_trim(cp_msrp_behind(line, name->len + 1));
	return cp_msrp_is_token(*name) && cp_msrp_is_text(*value);
}

/* *seen has a bit for each field that has been there: none may be there twice. */
static void
read_field(struct cp_msrp_head *head, unsigned int *seen, struct cp_slice line)
{
	struct cp_slice name, value;

	if (!split_field(&name, &value, line)) {
		fail(head, CP_MSRP_BAD_REQUEST);
		return;
	}
	for (size_t i = 0; i < FIELDS; i++) {
		if (!cp_slice_is_nocase(name, fields[i].name))
			continue;
		if (*seen & 1u << i || !fields[i].read(head, value))
			fail(head, CP_MSRP_BAD_REQUEST);
		*seen |= 1u << i;
		return;
	}
}

static bool
is_upper(struct cp_slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] < 'A' || text.ptr[i] > 'Z')
			return false;
	return text.len > 0;
}

static bool
read_start(struct cp_msrp_head *head, struct cp_slice line)
{
	struct cp_slice word;

	if (!cp_slice_has_prefix(line, "MSRP "))
		return false;
	line = cp_msrp_behind(line, 5);
	if (!cp_slice_split(&line, ' ', &head->transaction) || !cp_msrp_is_ident(head->transaction))
		return false;
	word = line;
	if (!cp_slice_split(&line, ' ', &word))
		return false;
	if (word.len > 0 && cp_msrp_is_digit(word.ptr[0])) {
		head->comment = line;
		if (!read_code(&head->code, word) || !cp_msrp_is_text(line))
			fail(head, CP_MSRP_BAD_REQUEST);
		return true;
	}
	head->method_name = word;
	head->method = cp_slice_is(word, "SEND")       ? CP_MSRP_SEND
		       : cp_slice_is(word, "REPORT")   ? CP_MSRP_REPORT
		       : cp_slice_is(word, "NICKNAME") ? CP_MSRP_NICKNAME
						       : CP_MSRP_OTHER;
	if (!is_upper(word) || word.ptr + word.len != line.ptr)
		fail(head, CP_MSRP_BAD_REQUEST);
	return true;
}

/* What a request must have, and must not. */
static void
check_request(struct cp_msrp_head *head, bool has_status)
{
	bool has_wish = head->success != CP_MSRP_UNSAID || head->failure != CP_MSRP_UNSAID;

	if (head->has_body != (head->content_type.len > 0))
		fail(head, CP_MSRP_BAD_REQUEST);
	switch (head->method) {
	case CP_MSRP_SEND:
		if (head->has_body && head->message_id.len == 0)
			fail(head, CP_MSRP_BAD_REQUEST);
		break;
	case CP_MSRP_REPORT:
		if (head->message_id.len == 0 || !has_status || has_wish)
			fail(head, CP_MSRP_BAD_REQUEST);
		break;
	case CP_MSRP_NICKNAME:
		if (has_wish)
			fail(head, CP_MSRP_BAD_REQUEST);
		if (!head->has_nickname)
			fail(head, CP_MSRP_BAD_NICKNAME);
		break;
	case CP_MSRP_OTHER:
		fail(head, CP_MSRP_NO_METHOD);
		break;
	case CP_MSRP_RESPONSE:
		break;
	}
}

bool
cp_msrp_head_decode(struct cp_msrp_head *out, struct cp_slice text, bool has_body)
{
	struct cp_slice line;
	unsigned int seen = 0;

	*out = (struct cp_msrp_head){.has_body = has_body};
	if (!cp_slice_line(&text, &line) || !read_start(out, line))
		return false;
	out->headers = text;
	while (cp_slice_line(&text, &line))
		read_field(out, &seen, line);
	if (out->to_count == 0 || out->from_count == 0)
		fail(out, CP_MSRP_BAD_REQUEST);
	if (out->method != CP_MSRP_RESPONSE)
		check_request(out, seen & 1u << STATUS_FIELD);
	else if (has_body)
		fail(out, CP_MSRP_BAD_REQUEST);
	return true;
}

bool
cp_msrp_header(struct cp_slice *value, const struct cp_msrp_head *head, const char *name)
{
	struct cp_slice rest = head->headers, line, this_name, this_value;

	while (cp_slice_line(&rest, &line)) {
		if (!split_field(&this_name, &this_value, line) ||
		    !cp_slice_is_nocase(this_name, name))
			continue;
		*value = this_value;
		return true;
	}
	return false;
}

bool
cp_msrp_may_answer(const struct cp_msrp_head *request, unsigned int code)
{
	if (request->from_count == 0)
		return false;
	switch (request->method) {
	case CP_MSRP_RESPONSE:
	case CP_MSRP_REPORT:
		return false;
	case CP_MSRP_SEND:
		return request->failure != CP_MSRP_NO &&
		       (request->failure != CP_MSRP_PARTIAL || code != CP_MSRP_OK);
	case CP_MSRP_NICKNAME:
	case CP_MSRP_OTHER:
		break;
	}
	return true;
}

bool
cp_msrp_may_report(const struct cp_msrp_head *send, unsigned int status)
{
	if (send->method != CP_MSRP_SEND || send->message_id.len == 0 || send->from_count == 0)
		return false;
	return status == CP_MSRP_OK ? send->success == CP_MSRP_YES : send->failure != CP_MSRP_NO;
}
