/* MSRP: whatever comes, reading ends within bounds, cuts change nothing, and what is understood can be said again. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/msrp/msg.h"
#include "ctrlplane/msrp/nickname.h"
#include "ctrlplane/msrp/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a reading came to. */
struct sum {
	uint32_t events, body; /* hashes */
};

static void
add(uint32_t *hash, const void *octets, size_t len)
{
	for (size_t i = 0; i < len; i++)
		*hash = (*hash ^ ((const uint8_t *)octets)[i]) * 16777619u;
}

static void
say_again(const struct cp_msrp_head *head)
{
	static char out[CP_MSRP_HEAD_MAX + 64], third[CP_MSRP_HEAD_MAX + 64];
	struct cp_msrp_head back;
	char name[CP_MSRP_NICKNAME_MAX + 1];
	ssize_t len = cp_msrp_encode_head(out, sizeof(out), head), text;

	if (head->has_nickname)
		cp_msrp_nickname_decode(name, head->nickname);
	if (head->error != 0 || len < 0)
		return;
	text = head->has_body ? len - 2 : len;
	if (!cp_msrp_head_decode(&back, cp_slice(out, (size_t)text), head->has_body) ||
	    cp_msrp_encode_head(third, sizeof(third), &back) != len ||
	    memcmp(out, third, (size_t)len) != 0 ||
	    !cp_msrp_uri_is_same_text(head->to[0], back.to[0]))
		abort();
	if (cp_msrp_may_answer(head, 400) &&
	    cp_msrp_encode_response(out, sizeof(out), head, head->to[0], 400) == -EINVAL)
		abort();
}

static void
note(struct sum *sum, const struct cp_msrp_event *e)
{
	if (e->kind == CP_MSRP_MORE)
		return;
	if (e->kind == CP_MSRP_BODY) {
		add(&sum->body, e->body.ptr, e->body.len);
		return;
	}
	add(&sum->events, &e->kind, sizeof(e->kind));
	if (e->kind == CP_MSRP_HEAD) {
		add(&sum->events, &e->head.error, sizeof(e->head.error));
		add(&sum->events, e->head.headers.ptr, e->head.headers.len);
		say_again(&e->head);
	} else if (e->kind == CP_MSRP_END) {
		add(&sum->events, &e->flag, 1);
		add(&sum->events, &e->body_len, sizeof(e->body_len));
	}
}

static struct sum
read_in_pieces(const uint8_t *data, size_t size, size_t step)
{
	struct cp_msrp_stream s = {0};
	struct cp_msrp_event event = {0};
	struct sum sum = {0};
	size_t at = 0, to = 0;

	while (event.kind != CP_MSRP_BROKEN && to < size) {
		char *copy; /* of its own, so that a read beyond is seen */
		size_t begin = at;

		to = size - to < step ? size : to + step;
		copy = malloc(to - begin + 1);
		if (copy == NULL)
			break;
		memcpy(copy, data + begin, to - begin);
		do {
			at += cp_msrp_next(&s, &event, copy + (at - begin), to - at);
			note(&sum, &event);
		} while (event.kind != CP_MSRP_MORE && event.kind != CP_MSRP_BROKEN);
		if (event.kind == CP_MSRP_MORE && to - at >= CP_MSRP_HEAD_MAX)
			abort();
		free(copy);
	}
	return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sum whole, cut;

	if (size == 0 || size > 65536)
		return 0;
	whole = read_in_pieces(data, size, size);
	cut = read_in_pieces(data, size, 1 + data[size - 1] % 97);
	if (whole.events != cut.events || whole.body != cut.body)
		abort();
	return 0;
}
