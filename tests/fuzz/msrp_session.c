/*
 * A session of MSRP that gets anything: it ends within bounds, what it answers can be read, and it does the same wherever the stream is
 * cut. The first octet says how wide its own way out is.
 */
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/msrp/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
	struct cp_msrp_session *s;
	struct cp_msrp_parcel *parcel;
	struct cp_msrp_out out;
	size_t room, written;
	struct cp_msrp_stream back;
	char pipe[65536];
	size_t waits;
	uint32_t hash;
	bool is_sending;
};

static void
add(struct run *r, const void *octets, size_t len)
{
	for (size_t i = 0; i < len; i++)
		r->hash = (r->hash ^ ((const uint8_t *)octets)[i]) * 16777619u;
}

static size_t
room(void *arg)
{
	return ((struct run *)arg)->room;
}

/* What is written must be MSRP. */
static void
put(void *arg, const void *octets, size_t len)
{
	struct run *r = arg;
	struct cp_msrp_event e;
	size_t at = 0;

	if (len > r->room || len > sizeof(r->pipe) - r->waits)
		abort();
	memcpy(r->pipe + r->waits, octets, len);
	r->waits += len;
	do {
		at += cp_msrp_next(&r->back, &e, r->pipe + at, r->waits - at);
		if (e.kind == CP_MSRP_BROKEN || (e.kind == CP_MSRP_HEAD && e.head.error != 0))
			abort();
	} while (e.kind != CP_MSRP_MORE);
	memmove(r->pipe, r->pipe + at, r->waits - at);
	r->waits -= at;
}

static void
bound(void *arg)
{
	add(arg, "b", 1);
}

static unsigned int
begin(void *arg, struct cp_msrp_incoming *in)
{
	add(arg, in->message_id.ptr, in->message_id.len);
	return in->media.len % 5 == 4 ? 415 : 0;
}

static unsigned int
body(void *arg, struct cp_msrp_incoming *in, uint64_t at, struct cp_slice octets)
{
	add(arg, octets.ptr, octets.len);
	return 0;
}

static unsigned int
end(void *arg, struct cp_msrp_incoming *in, bool is_aborted)
{
	add(arg, is_aborted ? "a" : "e", 1);
	return in->total % 7 == 3 ? 403 : 200;
}

static unsigned int
nickname(void *arg, struct cp_slice name)
{
	add(arg, name.ptr, name.len);
	return name.len % 3 ? 200 : 425;
}

static void
outcome(void *arg, const struct cp_msrp_outcome *o)
{
	add(arg, &o->status, sizeof(o->status));
}

static void
sent(void *arg, struct cp_msrp_out *out, bool is_aborted)
{
	((struct run *)arg)->is_sending = false;
}

static const struct cp_msrp_session_events events = {.room = room,
						     .send = put,
						     .bound = bound,
						     .begin = begin,
						     .body = body,
						     .end = end,
						     .nickname = nickname,
						     .outcome = outcome,
						     .sent = sent};

static void
open_run(struct run *r)
{
	static const uint8_t luck[16] = "0123456789abcde";
	struct cp_msrp_session_settings settings = {.self = "msrp://f.example:2855/s1;tcp",
						    .peer = "msrp://a.example:7777/x;tcp",
						    .luck = luck,
						    .size_max = 10000,
						    .idle_ms = 50,
						    .events = &events,
						    .arg = r};
	struct cp_msrp_parcel_settings parcel = {
		.luck = luck, .content_type = cp_slice_text("text/plain"), .total = CP_MSRP_OPEN};

	if (cp_msrp_session_create(&r->s, &settings) != 0 ||
	    cp_msrp_parcel_create(&r->parcel, &parcel) != 0)
		abort();
	r->out.parcel = r->parcel;
}

static uint32_t
feed(const uint8_t *data, size_t size, size_t step, size_t width)
{
	static struct run r;
	size_t at = 0, to = 0;
	int64_t now_ms = 0;
	char filler[700];

	memset(&r, 0, sizeof(r));
	memset(filler, 'x', sizeof(filler));
	open_run(&r);
	while (to < size) {
		size_t from = at;
		ssize_t taken;
		char *copy; /* of its own, so that a read beyond is seen */

		to = size - to < step ? size : to + step;
		copy = malloc(to - from + 1);
		if (copy == NULL)
			break;
		memcpy(copy, data + from, to - from);
		r.room = width;
		taken = cp_msrp_session_receive(r.s, copy, to - from, now_ms);
		free(copy);
		if (taken < 0)
			break;
		at += (size_t)taken;
		if (cp_msrp_session_is_bound(r.s) && !r.is_sending && !r.parcel->is_complete)
			r.is_sending = cp_msrp_session_send(r.s, &r.out) == 0;
		if (r.parcel->len < 5000)
			cp_msrp_parcel_append(r.parcel, r.parcel->at,
					      cp_slice(filler, sizeof(filler)));
		else if (!r.parcel->is_complete)
			cp_msrp_parcel_finish(r.parcel, r.parcel->len, data[0] & 1);
		cp_msrp_session_pump(r.s, now_ms);
		cp_msrp_session_tick(r.s, ++now_ms);
	}
	cp_msrp_session_destroy(r.s);
	cp_msrp_parcel_put(r.parcel);
	return r.hash;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2 || size > 65536)
		return 0;
	feed(data + 1, size - 1, 1 + data[0] % 97, (size_t)data[0] * 16);
	feed(data + 1, size - 1, size, 60000);
	return 0;
}
