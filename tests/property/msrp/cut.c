/* A stream of MSRP tells the same events wherever TCP cuts it: in two at every place, and into pieces of every length. */
#include "ctrlplane/msrp/msg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PATHS                                                     \
	"To-Path: msrps://b.example:8888/9di4;tcp\r\nFrom-Path: " \
	"msrps://a.example:7777/iau3;tcp\r\n"

static const char stream[] =
	"MSRP a1b2 SEND\r\n" PATHS "-------a1b2$\r\n"
	"MSRP a1b2 200 OK\r\n" PATHS "-------a1b2$\r\n"
	"MSRP c3d4 SEND\r\n" PATHS "Message-ID: mmmm1\r\nByte-Range: 1-*/99\r\n"
	"Content-Type: message/cpim\r\n\r\n"
	"-------c3d4\r\n-------c3d\r\n-------c3d4x\r\n\r\n\r\r\n-------c3d4+\r\n"
	"MSRP e5f6 SEND\r\n" PATHS "Message-ID: mmmm1\r\nByte-Range: 43-99/99\r\n"
	"Content-Type: message/cpim\r\n\r\n\r\n-------e5f6#\r\n"
	"MSRP g7h8 AUTH\r\n" PATHS "Content-Type: a/b\r\n\r\nnot handed on\r\n-------g7h8$\r\n"
	"MSRP i9j0 REPORT\r\n" PATHS "Message-ID: mmmm1\r\nStatus: 000 200 OK\r\n-------i9j0$\r\n"
	"MSRP k1l2 NICKNAME\r\n" PATHS "Use-Nickname: \"A\"\r\n-------k1l2$\r\n"
	"HTTP";

/* What is told, as text; bodies without where they were cut. */
struct story {
	char text[4096];
	size_t len;
};

static void
tell(struct story *story, const struct cp_msrp_event *e)
{
	char *out = story->text + story->len;
	size_t room = sizeof(story->text) - story->len;

	switch (e->kind) {
	case CP_MSRP_MORE:
		return;
	case CP_MSRP_HEAD:
		story->len += (size_t)snprintf(
			out, room, "<head %d %u %.*s %.*s %zu %u>", (int)e->head.method,
			e->head.code, (int)e->head.transaction.len, e->head.transaction.ptr,
			(int)e->head.headers.len, e->head.headers.ptr, e->head.to_count,
			e->head.error);
		break;
	case CP_MSRP_BODY:
		assert_true(e->body.len > 0 && e->body.len < room);
		memcpy(out, e->body.ptr, e->body.len);
		story->len += e->body.len;
		break;
	case CP_MSRP_END:
		story->len += (size_t)snprintf(out, room, "<end %c %u %u>", e->flag,
					       (unsigned int)e->body_len, e->error);
		break;
	case CP_MSRP_BROKEN:
		story->len += (size_t)snprintf(out, room, "<broken %s>", e->reason);
		break;
	}
	assert_true(story->len < sizeof(story->text));
}

/* The stream up to its octet to, of which those up to *at are taken; read from memory that ends there. */
static enum cp_msrp_event_kind
feed(struct story *story, struct cp_msrp_stream *s, size_t *at, size_t to)
{
	struct cp_msrp_event event;
	char *copy = malloc(to - *at + 1);
	size_t begin = *at;

	memcpy(copy, stream + begin, to - begin);
	do {
		*at += cp_msrp_next(s, &event, copy + (*at - begin), to - *at);
		assert_true(*at <= to);
		tell(story, &event);
	} while (event.kind != CP_MSRP_MORE && event.kind != CP_MSRP_BROKEN);
	free(copy);
	return event.kind;
}

static void
read_in_pieces(struct story *story, size_t first, size_t step)
{
	struct cp_msrp_stream s = {0};
	size_t at = 0, to = first;

	*story = (struct story){0};
	while (feed(story, &s, &at, to) == CP_MSRP_MORE && to < sizeof(stream) - 1)
		to = sizeof(stream) - 1 - to < step ? sizeof(stream) - 1 : to + step;
}

static void
test_cuts(void **state)
{
	static struct story whole, cut;

	read_in_pieces(&whole, sizeof(stream) - 1, 1);
	assert_non_null(strstr(whole.text, "<end + 42 0>"));
	assert_non_null(strstr(whole.text, "<end # 0 0>"));
	assert_non_null(strstr(whole.text, "501><end $ 13 501>"));
	assert_null(strstr(whole.text, "not handed on"));
	assert_non_null(strstr(whole.text, "<broken "));
	for (size_t i = 0; i < sizeof(stream); i++) {
		read_in_pieces(&cut, i, sizeof(stream));
		assert_string_equal(cut.text, whole.text);
		read_in_pieces(&cut, 0, i + 1);
		assert_string_equal(cut.text, whole.text);
	}
}

/* At whatever length a stream ends, what has been told is the beginning of the whole story. */
static void
test_truncated(void **state)
{
	static struct story whole, part;

	read_in_pieces(&whole, sizeof(stream) - 1, 1);
	for (size_t len = 0; len < sizeof(stream); len++) {
		struct cp_msrp_stream s = {0};
		size_t at = 0;

		part = (struct story){0};
		feed(&part, &s, &at, len);
		assert_memory_equal(part.text, whole.text, part.len);
		assert_true(len - at <= CP_MSRP_HEAD_MAX);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cuts),
		cmocka_unit_test(test_truncated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
