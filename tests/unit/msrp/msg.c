/* MSRP: the examples of RFC 4975 and 7701, what is refused and by which status, what is written. Cuts: property/msrp/cut. */
#include "ctrlplane/msrp/msg.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TO "To-Path: msrp://b.example:8888/9di4;tcp\r\n"
#define FROM "From-Path: msrp://a.example:7777/iau3;tcp\r\n"
#define PATHS TO FROM
#define ID "Message-ID: 12339sdqwer\r\n"
#define TYPE "Content-Type: text/plain\r\n"

static const char send[] = "MSRP d93kswow SEND\r\n" PATHS ID "Byte-Range: 1-16/16\r\n" TYPE
			   "\r\nHi, I'm Alice!\r\n\r\n"
			   "-------d93kswow$\r\n";

static struct cp_msrp_event event;

/* The head of a stream that holds one whole request or response, or the kind of event that comes instead. */
static enum cp_msrp_event_kind
read_one(struct cp_msrp_stream *s, const char *text)
{
	*s = (struct cp_msrp_stream){0};
	cp_msrp_next(s, &event, text, strlen(text));
	return event.kind;
}

static void
test_send(void **state)
{
	struct cp_msrp_stream s = {0};
	size_t at = cp_msrp_next(&s, &event, send, sizeof(send) - 1);
	const struct cp_msrp_head *h = &event.head;

	assert_int_equal(event.kind, CP_MSRP_HEAD);
	assert_int_equal(h->method, CP_MSRP_SEND);
	assert_int_equal(h->error, 0);
	assert_true(cp_slice_is(h->transaction, "d93kswow"));
	assert_int_equal(h->to_count, 1);
	assert_true(cp_slice_is(h->to[0], "msrp://b.example:8888/9di4;tcp"));
	assert_true(cp_slice_is(h->from_path, "msrp://a.example:7777/iau3;tcp"));
	assert_true(cp_slice_is(h->message_id, "12339sdqwer"));
	assert_true(h->range.is_there);
	assert_int_equal(h->range.start, 1);
	assert_int_equal(h->range.end, 16);
	assert_int_equal(h->range.total, 16);
	assert_true(cp_slice_is(h->media, "text/plain"));
	at += cp_msrp_next(&s, &event, send + at, sizeof(send) - 1 - at);
	assert_int_equal(event.kind, CP_MSRP_BODY);
	assert_true(cp_slice_is(event.body, "Hi, I'm Alice!\r\n"));
	at += cp_msrp_next(&s, &event, send + at, sizeof(send) - 1 - at);
	assert_int_equal(event.kind, CP_MSRP_END);
	assert_int_equal(event.flag, '$');
	assert_int_equal(event.body_len, 16);
	assert_int_equal(at, sizeof(send) - 1);
	assert_int_equal(cp_msrp_next(&s, &event, send, 0), 0);
	assert_int_equal(event.kind, CP_MSRP_MORE);
}

static void
test_response(void **state)
{
	struct cp_msrp_stream s;

	assert_int_equal(
		read_one(&s, "MSRP d93kswow 481 No such session\r\n" PATHS "-------d93kswow$\r\n"),
		CP_MSRP_HEAD);
	assert_int_equal(event.head.method, CP_MSRP_RESPONSE);
	assert_int_equal(event.head.code, 481);
	assert_true(cp_slice_is(event.head.comment, "No such session"));
	assert_int_equal(event.head.error, 0);
	assert_false(event.head.has_body);
	assert_int_equal(read_one(&s, "MSRP d93kswow 200\r\n" PATHS "-------d93kswow$\r\n"),
			 CP_MSRP_HEAD);
	assert_int_equal(event.head.code, 200);
}

static void
test_report(void **state)
{
	struct cp_msrp_stream s;
	struct cp_slice value;

	assert_int_equal(read_one(&s, "MSRP dkei38sd REPORT\r\n" PATHS ID
				      "Byte-Range: 1-106/*\r\nStatus: 000 200 OK\r\nX-More: 1 2\r\n"
				      "-------dkei38sd$\r\n"),
			 CP_MSRP_HEAD);
	assert_int_equal(event.head.error, 0);
	assert_int_equal(event.head.status, 200);
	assert_true(cp_slice_is(event.head.status_comment, "OK"));
	assert_int_equal(event.head.range.total, CP_MSRP_OPEN);
	assert_true(cp_msrp_header(&value, &event.head, "x-more"));
	assert_true(cp_slice_is(value, "1 2"));
	assert_false(cp_msrp_header(&value, &event.head, "X-Less"));
	assert_int_equal(read_one(&s, "MSRP dkei38sd REPORT\r\n" PATHS ID "Status: 001 200\r\n"
				      "-------dkei38sd$\r\n"),
			 CP_MSRP_HEAD);
	assert_int_equal(event.head.status, 0);
	assert_int_equal(event.head.error, 0);
}

/* Each is a request with this head; the answer to it. */
static const struct {
	const char *method, *headers;
	bool has_body;
	unsigned int error;
} heads[] = {
	{"SEND", PATHS, false, 0}, /* without a body: to bind a connection */
	{"SEND", PATHS ID, false, 0},
	{"SEND", PATHS ID TYPE, true, 0},
	{"SEND", FROM TO ID TYPE, true, 0},
	{"SEND", PATHS ID "byte-range: 1-0/0\r\nContent-Type: text/plain ;x=\"y\"\r\n", true, 0},
	{"SEND", PATHS ID "Byte-Range: 2049-*/*\r\n" TYPE, true, 0},
	{"SEND", PATHS ID "Byte-Range: 5-*/4\r\n" TYPE, true, 0},
	{"SEND", PATHS ID "Success-Report: YES\r\nFailure-Report: partial\r\n" TYPE, true, 0},
	{"SEND", "To-Path: msrp://r.example:1/x;tcp msrps://b.example:2/y;tcp\r\n" FROM ID TYPE,
	 true, 0},
	{"SEND", ID TYPE, true, 400},
	{"SEND", TO ID TYPE, true, 400},
	{"SEND", FROM ID TYPE, true, 400},
	{"SEND", "To-Path: sip:b@example\r\n" FROM ID TYPE, true, 400},
	{"SEND", "To-Path:\r\n" FROM ID TYPE, true, 400},
	{"SEND", TO TO FROM ID TYPE, true, 400},
	{"SEND", PATHS TYPE, true, 400},     /* no Message-ID */
	{"SEND", PATHS ID, true, 400},	     /* a body of no type */
	{"SEND", PATHS ID TYPE, false, 400}, /* a type of no body */
	{"SEND", PATHS ID ID TYPE, true, 400},
	{"SEND", PATHS "Message-ID: abc\r\n" TYPE, true, 400},
	{"SEND", PATHS "Message-ID: a23456789012345678901234567890123\r\n" TYPE, true, 400},
	{"SEND", PATHS "Message-ID: .abcd\r\n" TYPE, true, 400},
	{"SEND", PATHS ID "Byte-Range: 0-1/1\r\n" TYPE, true, 400},
	{"SEND", PATHS ID "Byte-Range: 3-1/9\r\n" TYPE, true, 400},
	{"SEND", PATHS ID "Byte-Range: 1-5/4\r\n" TYPE, true, 400},
	{"SEND", PATHS ID "Byte-Range: 6-*/4\r\n" TYPE, true, 400},
	{"SEND", PATHS ID "Byte-Range: *-1/1\r\n" TYPE, true, 400},
	{"SEND", PATHS ID "Byte-Range: 1-1\r\n" TYPE, true, 400},
	{"SEND", PATHS ID "Byte-Range: 1-99999999999999999999/*\r\n" TYPE, true, 400},
	{"SEND", PATHS ID "Success-Report: partial\r\n" TYPE, true, 400},
	{"SEND", PATHS ID "Failure-Report: maybe\r\n" TYPE, true, 400},
	{"SEND", PATHS ID "Content-Type: text\r\n", true, 400},
	{"SEND", PATHS ID "Content-Type: text/\r\n", true, 400},
	{"SEND", PATHS ID "no colon\r\n" TYPE, true, 400},
	{"SEND", PATHS ID ": nothing\r\n" TYPE, true, 400},
	{"SEND", PATHS ID "X: a\x01\r\n" TYPE, true, 400},
	{"SEND", PATHS ID "X: \xc3\r\n" TYPE, true, 400},
	{"SEND", PATHS ID "Status: 000\r\n" TYPE, true, 400},
	{"SEND", PATHS ID "Status: 000 20\r\n" TYPE, true, 400},
	{"REPORT", PATHS ID "Status: 000 413\r\n", false, 0},
	{"REPORT", PATHS ID "Status: 000 413\r\n" TYPE, true, 0},
	{"REPORT", PATHS ID, false, 400},
	{"REPORT", PATHS "Status: 000 200\r\n", false, 400},
	{"REPORT", PATHS ID "Status: 000 200\r\nSuccess-Report: no\r\n", false, 400},
	{"NICKNAME", PATHS "Use-Nickname: \"Alice\"\r\n", false, 0},
	{"NICKNAME", PATHS, false, 424},
	{"NICKNAME", PATHS "Use-Nickname: \"A\"\r\nFailure-Report: no\r\n", false, 400},
	{"AUTH", PATHS, false, 501},
	{"AUTH", TO, false, 400},
	{"send", PATHS ID TYPE, true, 400},
	{"SEND now", PATHS ID TYPE, true, 400},
	{"20", PATHS, false, 400},
	{"2000", PATHS, false, 400},
};

static void
test_heads(void **state)
{
	struct cp_msrp_stream s;
	char text[1024];

	for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++) {
		size_t at, len;

		len = (size_t)snprintf(text, sizeof(text), "MSRP a1b2 %s\r\n%s%s-------a1b2+\r\n",
				       heads[i].method, heads[i].headers,
				       heads[i].has_body ? "\r\nbody\r\n" : "");
		s = (struct cp_msrp_stream){0};
		at = cp_msrp_next(&s, &event, text, len);
		assert_int_equal(event.kind, CP_MSRP_HEAD);
		if (event.head.error != heads[i].error)
			fail_msg("%s\n%s", heads[i].method, heads[i].headers);
		at += cp_msrp_next(&s, &event, text + at, len - at);
		if (heads[i].has_body && heads[i].error == 0) {
			assert_int_equal(event.kind, CP_MSRP_BODY);
			at += cp_msrp_next(&s, &event, text + at, len - at);
		}
		assert_int_equal(event.kind, CP_MSRP_END); /* no body behind a bad head */
		assert_int_equal(event.error, heads[i].error);
		assert_int_equal(event.flag, '+');
		assert_int_equal(at, len);
	}
}

static void
test_too_many_hops(void **state)
{
	char text[1024] = "MSRP a1b2 SEND\r\n" FROM "To-Path:";
	struct cp_msrp_stream s;

	for (int i = 0; i < CP_MSRP_PATH_MAX; i++)
		strcat(text, " msrp://r.example:1/x;tcp");
	strcat(text, "\r\n-------a1b2$\r\n");
	read_one(&s, text);
	assert_int_equal(event.head.error, 0);
	assert_int_equal(event.head.to_count, CP_MSRP_PATH_MAX);
	text[strlen(text) - strlen("\r\n-------a1b2$\r\n")] = '\0';
	strcat(text, " msrp://r.example:1/x;tcp\r\n-------a1b2$\r\n");
	read_one(&s, text);
	assert_int_equal(event.head.error, 400);
}

static void
test_broken(void **state)
{
	static const char *const bad[] = {
		"\x16\x03\x01",		  "GET / HTTP/1.1\r\n",
		"MSRP/1.0 a1b2 SEND\r\n", "\r\n",
		"MSRP a1b SEND\r\n",	  "MSRP a23456789012345678901234567890123 SEND\r\n",
		"MSRP a1_2 SEND\r\n",	  "MSRP -a12 SEND\r\n",
		"MSRP a1b2\r\n",	  "MSRP a1b2 \r\n",
		"MSRP a1b2 SEND\n",	  "MSRP a1b2 SEND\r\n" TO "From-Path: x\n",
	};
	struct cp_msrp_stream s;
	char *big = malloc(CP_MSRP_HEAD_MAX);

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(read_one(&s, bad[i]), CP_MSRP_BROKEN);
		assert_non_null(event.reason);
		cp_msrp_next(&s, &event, send, sizeof(send) - 1); /* and it stays so */
		assert_int_equal(event.kind, CP_MSRP_BROKEN);
	}
	memset(big, 'x', CP_MSRP_HEAD_MAX);
	memcpy(big, "MSRP a1b2 SEND\r\n", 16);
	s = (struct cp_msrp_stream){0};
	assert_int_equal(cp_msrp_next(&s, &event, big, CP_MSRP_HEAD_MAX - 1), 0);
	assert_int_equal(event.kind, CP_MSRP_MORE);
	cp_msrp_next(&s, &event, big, CP_MSRP_HEAD_MAX);
	assert_int_equal(event.kind, CP_MSRP_BROKEN);
	free(big);
}

/* Reads a stream to its end; bodies put together into body, which is as long as *len says. */
static void
read_all(const char *text, size_t size, char *body, size_t *len)
{
	struct cp_msrp_stream s = {0};
	size_t at = 0;

	*len = 0;
	do {
		at += cp_msrp_next(&s, &event, text + at, size - at);
		if (event.kind == CP_MSRP_BODY) {
			memcpy(body + *len, event.body.ptr, event.body.len);
			*len += event.body.len;
		}
	} while (event.kind == CP_MSRP_HEAD || event.kind == CP_MSRP_BODY);
	assert_int_equal(at, size);
}

static void
test_body_limit(void **state)
{
	static const char *const methods[] = {"REPORT", "AUTH", "SEND"};
	size_t room = CP_MSRP_OTHER_BODY_MAX + 600, len;
	char *text = malloc(room), *body = malloc(room);

	for (size_t i = 0; i < 3; i++) {
		for (size_t more = 0; more < 2; more++) {
			int size = snprintf(text, room,
					    "MSRP a1b2 %s\r\n" PATHS ID "%s" TYPE
					    "\r\n%0*d\r\n-------a1b2$\r\n",
					    methods[i], i == 0 ? "Status: 000 200\r\n" : "",
					    CP_MSRP_OTHER_BODY_MAX + (int)more, 0);

			read_all(text, (size_t)size, body, &len);
			assert_int_equal(event.kind, CP_MSRP_END);
			assert_int_equal(event.error, i == 1 ? 501 : i == 0 && more ? 413 : 0);
			assert_int_equal(event.body_len, CP_MSRP_OTHER_BODY_MAX + more);
		}
	}
	free(text);
	free(body);
}

static void
test_lookalikes(void **state)
{
	static const char *const bodies[] = {
		"",
		"\r",
		"\r\n",
		"\r\n\r\n",
		"-",
		"-------",
		"-------a1b",
		"-------a1b2",
		"-------a1b2x\r\n",
		"-------a1b3$\r\n",
		"x-------a1b2$\r\n",
		"\n-------a1b2$\r\n",
		"\r\n-------a1b2$x",
		"\r\n-------a1b2$\rx",
		"\r\n--------a1b2$\r\n",
		"\r\n-------a1b2",
		"\r\n-------a1b2\r\n",
		"\r\n-------A1B2$\r\n",
		"\r\r\n\r",
	};
	char text[512], body[512];
	size_t len;

	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		int size = snprintf(text, sizeof(text),
				    "MSRP a1b2 SEND\r\n" PATHS ID TYPE "\r\n%s\r\n-------a1b2#\r\n",
				    bodies[i]);

		read_all(text, (size_t)size, body, &len);
		assert_int_equal(event.kind, CP_MSRP_END);
		assert_int_equal(event.flag, '#');
		assert_int_equal(len, strlen(bodies[i]));
		assert_memory_equal(body, bodies[i], len);
		assert_int_equal(event.body_len, len);
	}
	/* An empty body whose writer left out the line end before the end-line. */
	read_all("MSRP a1b2 SEND\r\n" PATHS ID TYPE "\r\n-------a1b2$\r\n",
		 strlen("MSRP a1b2 SEND\r\n" PATHS ID TYPE "\r\n-------a1b2$\r\n"), body, &len);
	assert_int_equal(event.kind, CP_MSRP_END);
	assert_int_equal(event.body_len, 0);
}

static void
test_who_is_answered(void **state)
{
	static const struct {
		enum cp_msrp_method method;
		enum cp_msrp_wish success, failure;
		bool ok, error, report_ok, report_error;
	} rows[] = {
		{CP_MSRP_SEND, CP_MSRP_UNSAID, CP_MSRP_UNSAID, true, true, false, true},
		{CP_MSRP_SEND, CP_MSRP_YES, CP_MSRP_YES, true, true, true, true},
		{CP_MSRP_SEND, CP_MSRP_NO, CP_MSRP_PARTIAL, false, true, false, true},
		{CP_MSRP_SEND, CP_MSRP_YES, CP_MSRP_NO, false, false, true, false},
		{CP_MSRP_REPORT, CP_MSRP_UNSAID, CP_MSRP_UNSAID, false, false, false, false},
		{CP_MSRP_NICKNAME, CP_MSRP_UNSAID, CP_MSRP_UNSAID, true, true, false, false},
		{CP_MSRP_OTHER, CP_MSRP_UNSAID, CP_MSRP_UNSAID, true, true, false, false},
		{CP_MSRP_RESPONSE, CP_MSRP_UNSAID, CP_MSRP_UNSAID, false, false, false, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct cp_msrp_head h = {.method = rows[i].method,
					 .success = rows[i].success,
					 .failure = rows[i].failure,
					 .message_id = cp_slice_text("abcd"),
					 .from_count = 1};

		assert_int_equal(cp_msrp_may_answer(&h, 200), rows[i].ok);
		assert_int_equal(cp_msrp_may_answer(&h, 400), rows[i].error);
		assert_int_equal(cp_msrp_may_report(&h, 200), rows[i].report_ok);
		assert_int_equal(cp_msrp_may_report(&h, 408), rows[i].report_error);
		h.from_count = 0; /* to whom? */
		assert_false(cp_msrp_may_answer(&h, 400));
		assert_false(cp_msrp_may_report(&h, 200));
	}
}

static void
test_written(void **state)
{
	static const char expected[] =
		"MSRP d93kswow SEND\r\n" PATHS ID "Byte-Range: 1-*/20\r\nSuccess-Report: yes\r\n"
		"Failure-Report: no\r\n" TYPE "\r\n";
	struct cp_msrp_head h = {
		.transaction = cp_slice_text("d93kswow"),
		.method = CP_MSRP_SEND,
		.to_path = cp_slice_text("msrp://b.example:8888/9di4;tcp"),
		.from_path = cp_slice_text("msrp://a.example:7777/iau3;tcp"),
		.message_id = cp_slice_text("12339sdqwer"),
		.range = {true, 1, CP_MSRP_OPEN, 20},
		.success = CP_MSRP_YES,
		.failure = CP_MSRP_NO,
		.content_type = cp_slice_text("text/plain"),
		.has_body = true,
	};
	struct cp_msrp_head bad;
	char out[512];

	assert_int_equal(cp_msrp_encode_head(out, sizeof(out), &h), sizeof(expected) - 1);
	assert_memory_equal(out, expected, sizeof(expected) - 1);
	for (size_t size = 0; size < sizeof(expected) - 1; size++)
		assert_int_equal(cp_msrp_encode_head(out, size, &h), -EMSGSIZE);
	assert_int_equal(cp_msrp_encode_end(out, sizeof(out), h.transaction, true, '+'), 20);
	assert_memory_equal(out, "\r\n-------d93kswow+\r\n", 20);
	assert_int_equal(cp_msrp_encode_end(out, 19, h.transaction, true, '+'), -EMSGSIZE);
	assert_int_equal(cp_msrp_encode_end(out, sizeof(out), h.transaction, true, '!'), -EINVAL);
	bad = h;
	bad.transaction = cp_slice_text("abc");
	assert_int_equal(cp_msrp_encode_head(out, sizeof(out), &bad), -EINVAL);
	bad = h;
	bad.message_id = cp_slice_text("a b c d");
	assert_int_equal(cp_msrp_encode_head(out, sizeof(out), &bad), -EINVAL);
	bad = h;
	bad.content_type = cp_slice_text("a/b\r\nX: y");
	assert_int_equal(cp_msrp_encode_head(out, sizeof(out), &bad), -EINVAL);
	bad = h;
	bad.has_body = false;
	assert_int_equal(cp_msrp_encode_head(out, sizeof(out), &bad), -EINVAL);
	bad = h;
	bad.to_path.len = 0;
	assert_int_equal(cp_msrp_encode_head(out, sizeof(out), &bad), -EINVAL);
}

static void
test_answers(void **state)
{
	static const char path[] = "msrp://r.example:1/x;tcp msrp://a.example:2/y;tcp";
	static const char ok[] = "MSRP a1b2 200 OK\r\nTo-Path: msrp://r.example:1/x;tcp\r\n"
				 "From-Path: msrp://me:3/z;tcp\r\n-------a1b2$\r\n";
	static const char taken[] = "MSRP a1b2 425 Nickname reserved or in use\r\n"
				    "To-Path: msrp://r.example:1/x;tcp msrp://a.example:2/y;tcp\r\n"
				    "From-Path: msrp://me:3/z;tcp\r\n-------a1b2$\r\n";
	static const char report[] =
		"MSRP c3d4 REPORT\r\n"
		"To-Path: msrp://r.example:1/x;tcp msrp://a.example:2/y;tcp\r\n"
		"From-Path: msrp://me:3/z;tcp\r\nMessage-ID: mmmm\r\nByte-Range: 1-9/10\r\n"
		"Status: 000 413 Stop sending this message\r\n-------c3d4$\r\n";
	struct cp_slice self = cp_slice_text("msrp://me:3/z;tcp");
	struct cp_msrp_head h = {.transaction = cp_slice_text("a1b2"),
				 .method = CP_MSRP_SEND,
				 .from_path = cp_slice_text(path),
				 .from_count = 2,
				 .from = {cp_slice_text("msrp://r.example:1/x;tcp")},
				 .message_id = cp_slice_text("mmmm")};
	struct cp_msrp_report r = {cp_slice_text("c3d4"), self, 413, {true, 1, 9, 10}};
	char out[512];

	assert_int_equal(cp_msrp_encode_response(out, sizeof(out), &h, self, 200), sizeof(ok) - 1);
	assert_memory_equal(out, ok, sizeof(ok) - 1);
	for (size_t size = 0; size < sizeof(ok) - 1; size++)
		assert_int_equal(cp_msrp_encode_response(out, size, &h, self, 200), -EMSGSIZE);
	assert_int_equal(cp_msrp_encode_report(out, sizeof(out), &h, &r), sizeof(report) - 1);
	assert_memory_equal(out, report, sizeof(report) - 1);
	h.method = CP_MSRP_NICKNAME; /* all the way back */
	assert_int_equal(cp_msrp_encode_response(out, sizeof(out), &h, self, 425),
			 sizeof(taken) - 1);
	assert_memory_equal(out, taken, sizeof(taken) - 1);
	assert_int_equal(cp_msrp_encode_response(out, sizeof(out), &h, self, 99), -EINVAL);
	h.from_count = 0;
	assert_int_equal(cp_msrp_encode_response(out, sizeof(out), &h, self, 400), -EINVAL);
	assert_int_equal(cp_msrp_encode_report(out, sizeof(out), &h, &r), -EINVAL);
}

static void
test_idents(void **state)
{
	static const uint8_t random[20] = {0x01, 0xab, 0xff, [15] = 0x9c};
	char out[CP_MSRP_IDENT_MAX + 1];

	cp_msrp_ident(out, random, 3);
	assert_string_equal(out, "01abff");
	cp_msrp_ident(out, random, sizeof(random));
	assert_int_equal(strlen(out), CP_MSRP_IDENT_MAX);
	assert_true(cp_msrp_is_ident(cp_slice_text(out)));
	assert_true(cp_msrp_is_ident(cp_slice_text("a.-+%=Z9")));
	assert_false(cp_msrp_is_ident(cp_slice_text("a/bcd")));
}

static void
test_guard(void **state)
{
	static const struct {
		const char *body;
		size_t passed; /* whatever the pieces */
	} rows[] = {
		{"nothing to see", 14},	       {"-------a1b", 10},
		{"-------a1b2$", 10},	       {"xx--------a1b2yy", 13},
		{"-------a1b-------a1b2", 20}, {"", 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		size_t len = strlen(rows[i].body);

		for (size_t step = 1; step <= len + 1; step++) {
			struct cp_msrp_guard guard;
			size_t at = 0, piece, passed;

			cp_msrp_guard_init(&guard, cp_slice_text("a1b2"));
			do {
				piece = len - at < step ? len - at : step;
				passed = cp_msrp_guard_pass(&guard,
							    cp_slice(rows[i].body + at, piece));
				at += passed;
			} while (passed == piece && at < len);
			assert_int_equal(at, rows[i].passed);
		}
	}
}

static void
test_status_texts(void **state)
{
	static const unsigned int codes[] = {200, 400, 403, 404, 408, 413, 415,
					     423, 424, 425, 428, 481, 501, 506};

	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		assert_true(*cp_msrp_status_text(codes[i]));
	assert_string_equal(cp_msrp_status_text(999), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_send),
		cmocka_unit_test(test_response),
		cmocka_unit_test(test_report),
		cmocka_unit_test(test_heads),
		cmocka_unit_test(test_too_many_hops),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_body_limit),
		cmocka_unit_test(test_lookalikes),
		cmocka_unit_test(test_who_is_answered),
		cmocka_unit_test(test_written),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_idents),
		cmocka_unit_test(test_guard),
		cmocka_unit_test(test_status_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
