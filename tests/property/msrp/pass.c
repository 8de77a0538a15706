/*
 * Two sessions on two narrow pipes: whatever is sent, however it comes to be there, and wherever pipes cut it, each message arrives
 * once, as it was, in a lane behind those that were complete when it began; and no octet is held when all is over.
 */
#include "ctrlplane/msrp/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MESSAGES 12
#define LANES 3
#define LEN_MAX 40000
#define PIPE 6000

struct message {
	struct cp_msrp_out out;
	struct cp_msrp_parcel *parcel;
	char *octets;
	size_t len, given; /* of it to the parcel */
	int lane;
	int behind;	 /* so many of its lane were complete when it began */
	int complete_as; /* the how manyth of its lane; -1: not yet */
	char *back;
	size_t got;
	bool has_arrived, was_sent;
};

struct end {
	struct cp_msrp_session *s;
	struct end *peer;
	char pipe[PIPE]; /* what it wrote and the peer has not taken */
	size_t waits, room;
	struct message messages[MESSAGES];
	int completed[LANES];
	size_t held;
};

static uint64_t state;

static uint32_t
luck(uint32_t below)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33) % below;
}

static size_t
room(void *arg)
{
	return ((struct end *)arg)->room;
}

static void
put(void *arg, const void *octets, size_t len)
{
	struct end *e = arg;

	assert_true(len <= e->room && e->waits + len <= PIPE);
	memcpy(e->pipe + e->waits, octets, len);
	e->waits += len;
	e->room -= len;
}

static void
bound(void *arg)
{
}

static unsigned int
begin(void *arg, struct cp_msrp_incoming *in)
{
	struct end *peer = ((struct end *)arg)->peer;

	for (int i = 0; i < MESSAGES; i++)
		if (peer->messages[i].parcel != NULL &&
		    cp_slice_is(in->message_id, peer->messages[i].parcel->message_id))
			in->user = &peer->messages[i];
	assert_non_null(in->user);
	return 0;
}

static unsigned int
body(void *arg, struct cp_msrp_incoming *in, uint64_t at, struct cp_slice octets)
{
	struct message *m = in->user;

	assert_true(at - 1 + octets.len <= m->len);
	memcpy(m->back + at - 1, octets.ptr, octets.len);
	m->got += octets.len;
	return 0;
}

static unsigned int
end(void *arg, struct cp_msrp_incoming *in, bool is_aborted)
{
	struct message *m = in->user;
	struct end *from = ((struct end *)arg)->peer;
	int before = 0;

	assert_false(is_aborted || m->has_arrived);
	assert_int_equal(m->got, m->len);
	assert_memory_equal(m->back, m->octets, m->len);
	for (int i = 0; i < MESSAGES; i++)
		before += from->messages[i].has_arrived && from->messages[i].lane == m->lane &&
			  from->messages[i].complete_as < m->behind;
	assert_int_equal(before, m->behind);
	m->has_arrived = true;
	return 0;
}

static void
sent(void *arg, struct cp_msrp_out *out, bool is_aborted)
{
	struct message *m = (struct message *)out;

	assert_false(is_aborted);
	m->was_sent = true;
}

static void
outcome(void *arg, const struct cp_msrp_outcome *o)
{
	assert_int_equal(o->status, 200);
}

static const struct cp_msrp_session_events events = {.room = room,
						     .send = put,
						     .bound = bound,
						     .begin = begin,
						     .body = body,
						     .end = end,
						     .outcome = outcome,
						     .sent = sent};

static void
open_end(struct end *e, struct end *peer, bool is_active)
{
	static const uint8_t seeds[] = "abcdefgh";
	const char *const uris[] = {"msrp://a.example:1/one;tcp", "msrp://b.example:2/two;tcp"};

	e->peer = peer;
	assert_int_equal(cp_msrp_session_create(
				 &e->s, &(struct cp_msrp_session_settings){.self = uris[is_active],
									   .peer = uris[!is_active],
									   .luck = seeds,
									   .is_active = is_active,
									   .events = &events,
									   .arg = e}),
			 0);
}

static void
start(struct end *e, struct message *m)
{
	uint8_t ids[16];
	bool is_known = luck(2);

	for (int i = 0; i < 16; i++)
		ids[i] = (uint8_t)luck(256);
	m->len = luck(3) ? luck(200) : luck(LEN_MAX);
	m->lane = (int)luck(LANES);
	m->octets = malloc(m->len + 1);
	m->back = malloc(m->len + 1);
	for (size_t i = 0; i < m->len; i++)
		m->octets[i] = "\r\n-a$+#"[luck(8)];
	m->complete_as = -1;
	m->behind = e->completed[m->lane];
	m->out.lane = &e->completed[m->lane];
	assert_int_equal(
		cp_msrp_parcel_create(&m->parcel,
				      &(struct cp_msrp_parcel_settings){
					      .luck = ids,
					      .content_type = cp_slice_text("text/plain"),
					      .success = luck(2) ? CP_MSRP_YES : CP_MSRP_UNSAID,
					      .failure = (enum cp_msrp_wish)luck(4),
					      .total = is_known ? m->len : CP_MSRP_OPEN,
					      .hint = luck(2) ? luck(5000) : 0,
					      .held = &e->held}),
		0);
	m->out.parcel = m->parcel;
	assert_int_equal(cp_msrp_session_send(e->s, &m->out), 0);
}

static void
give(struct end *e, struct message *m)
{
	size_t len = 1 + luck(6000);

	if (len > m->len - m->given)
		len = m->len - m->given;
	/* what an end-line of it would begin with */
	if (len > 40 && luck(4) == 0)
		memcpy(m->octets + m->given + luck(20), m->parcel->seed, CP_MSRP_SEED);
	assert_int_equal(
		cp_msrp_parcel_append(m->parcel, m->given + 1, cp_slice(m->octets + m->given, len)),
		0);
	m->given += len;
	if (m->given < m->len)
		return;
	m->complete_as = e->completed[m->lane]++;
	cp_msrp_parcel_finish(m->parcel, m->len, false);
}

static void
move(struct end *from)
{
	struct end *to = from->peer;
	ssize_t taken;

	taken = cp_msrp_session_receive(to->s, from->pipe,
					luck(4) ? from->waits : luck((uint32_t)from->waits + 1), 1);
	assert_true(taken >= 0);
	memmove(from->pipe, from->pipe + taken, from->waits - (size_t)taken);
	from->waits -= (size_t)taken;
}

static void
step(struct end *e)
{
	struct message *m = &e->messages[luck(MESSAGES)];

	e->room = luck(PIPE + 1 - (uint32_t)e->waits);
	if (cp_msrp_session_is_bound(e->s) && m->parcel == NULL)
		start(e, m);
	else if (m->parcel != NULL && m->complete_as < 0)
		give(e, m);
	cp_msrp_session_pump(e->s, 1);
	move(e);
}

static bool
is_over(const struct end *e)
{
	for (int i = 0; i < MESSAGES; i++)
		if (!e->messages[i].has_arrived || !e->messages[i].was_sent)
			return false;
	return e->waits == 0;
}

static void
close_end(struct end *e)
{
	cp_msrp_session_destroy(e->s);
	for (int i = 0; i < MESSAGES; i++) {
		cp_msrp_parcel_put(e->messages[i].parcel);
		free(e->messages[i].octets);
		free(e->messages[i].back);
	}
	assert_int_equal(e->held, 0);
	free(e);
}

static void
all_arrives(void **unused)
{
	for (uint64_t seed = 1; seed <= 150; seed++) {
		struct end *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));
		int turns = 0;

		state = seed;
		open_end(a, b, true);
		open_end(b, a, false);
		for (; !is_over(a) || !is_over(b); turns++) {
			assert_true(turns < 200000);
			step(luck(2) ? a : b);
		}
		close_end(a);
		close_end(b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(all_arrives)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
