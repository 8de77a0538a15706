/* One MSRP session against scripts: binding, chunks, refusals, reports, time-outs, interruption. */
#include "tests/scenario/msrp/wire.h"

#define CHUNK(range) "Message-ID: m123\r\nByte-Range: " range "\r\nContent-Type: text/plain\r\n"
#define PAIR "To-Path: " SELF "\r\nFrom-Path: " PEER "\r\n"

static struct wire *
open_wire(uint64_t size_max)
{
	struct wire *w = wire_create(
		&(struct cp_msrp_session_settings){.size_max = size_max, .idle_ms = 60000});

	assert_false(cp_msrp_session_is_bound(w->s));
	wire_say(w, "bind SEND", "Message-ID: m000\r\nByte-Range: 1-0/0\r\n", NULL, '$');
	wire_expect(w, "bound\n> 200 bind\n");
	assert_true(cp_msrp_session_is_bound(w->s));
	return w;
}

static void
a_message_comes(void **state)
{
	struct wire *w = open_wire(0);

	wire_say(w, "t001 SEND", CHUNK("1-5/5"), "hello", '$');
	wire_expect(w, "begin m123 text/plain 5\nbody 1 hello\nend m123\n> 200 t001\n");
	wire_say(w, "t002 SEND", "Message-ID: m124\r\nContent-Type: text/plain;charset=utf-8\r\n",
		 "no range", '$');
	wire_expect(w, "begin m124 text/plain -1\nbody 1 no range\nend m124\n> 200 t002\n");
	wire_say(w, "t003 SEND", CHUNK("1-0/0"), "", '$');
	wire_expect(w, "begin m123 text/plain 0\nend m123\n> 200 t003\n");
	wire_destroy(w);
}

static void
chunks_are_put_together(void **state)
{
	struct wire *w = open_wire(0);

	wire_say(w, "t001 SEND", CHUNK("1-*/10"), "hello", '+');
	wire_expect(w, "begin m123 text/plain 10\nbody 1 hello\n> 200 t001\n");
	/* another message between */
	wire_say(w, "t002 SEND", "Message-ID: m200\r\nContent-Type: a/b\r\n", "x", '$');
	wire_expect(w, "begin m200 a/b -1\nbody 1 x\nend m200\n> 200 t002\n");
	wire_say(w, "t003 SEND", CHUNK("6-10/10"), "world", '$');
	wire_expect(w, "body 6 world\nend m123\n> 200 t003\n");
	/* in another order, and overlapping; the '$' comes before all is there */
	wire_say(w, "t004 SEND", CHUNK("1-2/10"), "ab", '+');
	wire_say(w, "t005 SEND", CHUNK("8-10/10"), "hij", '$');
	wire_expect(w, "begin m123 text/plain 10\nbody 1 ab\n> 200 t004\nbody 8 hij\n> 200 t005\n");
	wire_say(w, "t006 SEND", CHUNK("2-8/10"), "bcdefgh", '+');
	wire_expect(w, "body 3 cdefg\nend m123\n> 200 t006\n");
	/* the total is not known before the end, and the last chunk is empty */
	wire_say(w, "t007 SEND", CHUNK("1-*/*"), "abc", '+');
	wire_say(w, "t008 SEND", CHUNK("4-*/*"), "", '$');
	wire_expect(w, "begin m123 text/plain -1\nbody 1 abc\n> 200 t007\nend m123\n> 200 t008\n");
	wire_destroy(w);
}

static void
what_is_given_up_ends(void **state)
{
	struct wire *w = open_wire(0);

	wire_say(w, "t001 SEND", CHUNK("1-*/10"), "hello", '#');
	wire_expect(w, "begin m123 text/plain 10\nbody 1 hello\naborted m123\n> 200 t001\n");
	wire_say(w, "t002 SEND", CHUNK("6-*/10"), "world", '$');
	wire_expect(w, "> 413 t002\n");
	/* by time: each chunk begins it anew */
	wire_say(w, "t003 SEND", CHUNK("1-*/10"), "a", '+');
	wire_tick(w, 60999);
	wire_say(w, "t004 SEND", CHUNK("2-*/10"), "b", '+');
	wire_expect(w, "begin m123 text/plain 10\nbody 1 a\n> 200 t003\nbody 2 b\n> 200 t004\n");
	assert_int_equal(cp_msrp_session_next_ms(w->s), 120999);
	wire_tick(w, 120998);
	wire_expect(w, "");
	wire_tick(w, 120999);
	wire_expect(w, "aborted m123\n");
	assert_int_equal(cp_msrp_session_next_ms(w->s), INT64_MAX);
	/* by the end of the session */
	wire_say(w, "t005 SEND", CHUNK("1-*/10"), "a", '+');
	wire_expect(w, "begin m123 text/plain 10\nbody 1 a\n> 200 t005\n");
	cp_msrp_session_destroy(w->s);
	w->s = NULL;
	wire_expect(w, "aborted m123\n");
	wire_destroy(w);
}

static void
refusals_are_answered_once_and_stay(void **state)
{
	struct wire *w = open_wire(20);

	w->begin_says = 415;
	wire_say(w, "t001 SEND", CHUNK("1-5/10"), "hello", '+');
	wire_expect(w, "begin m123 text/plain 10\naborted m123\n> 415 t001\n");
	w->begin_says = 0;
	wire_say(w, "t002 SEND", CHUNK("6-10/10"), "world", '$');
	wire_expect(w, "> 415 t002\n");
	w->body_says = 403;
	wire_say(w, "t003 SEND", CHUNK("1-5/5"), "hello", '$');
	wire_expect(w, "begin m123 text/plain 5\nbody 1 hello\naborted m123\n> 403 t003\n");
	w->body_says = 0;
	w->end_says = 404;
	wire_say(w, "t004 SEND", CHUNK("1-5/5"), "hello", '$');
	wire_expect(w, "begin m123 text/plain 5\nbody 1 hello\nend m123\n> 404 t004\n");
	w->end_says = 0;
	/* too long: as it says, and as it turns out */
	wire_say(w, "t005 SEND", CHUNK("1-*/21"), "hello", '$');
	wire_expect(w, "> 413 t005\n");
	wire_say(w, "t006 SEND", CHUNK("1-*/*"), "twenty-one octets ...", '$');
	wire_expect(w, "begin m123 text/plain -1\naborted m123\n> 413 t006\n");
	/* outside of what it says */
	wire_say(w, "t007 SEND", CHUNK("1-*/4"), "hello", '$');
	wire_expect(w, "begin m123 text/plain 4\naborted m123\n> 423 t007\n");
	wire_say(w, "t008 SEND", CHUNK("1-*/9"), "hello", '+');
	wire_say(w, "t009 SEND", CHUNK("6-*/8"), "abc", '$');
	wire_expect(
		w, "begin m123 text/plain 9\nbody 1 hello\n> 200 t008\naborted m123\n> 423 t009\n");
	/* wishes: who wants no answer gets none */
	wire_say(w, "t010 SEND", "Failure-Report: no\r\n" CHUNK("1-*/21"), "hello", '$');
	wire_say(w, "t011 SEND", "Failure-Report: no\r\n" CHUNK("1-5/5"), "hello", '$');
	wire_say(w, "t012 SEND", "Failure-Report: partial\r\n" CHUNK("1-5/5"), "hello", '$');
	wire_expect(w, "begin m123 text/plain 5\nbody 1 hello\nend m123\n"
		       "begin m123 text/plain 5\nbody 1 hello\nend m123\n");
	wire_say(w, "t013 SEND", "Failure-Report: partial\r\n" CHUNK("1-*/21"), "hello", '$');
	wire_expect(w, "> 413 t013\n");
	wire_destroy(w);
}

/* 413 goes before the chunk is over: the peer is to stop. */
static void
stop_comes_at_once(void **state)
{
	struct wire *w = open_wire(4);
	char head[] = "MSRP t001 SEND\r\n" PAIR CHUNK("1-*/*") "\r\nabcde";

	wire_feed(w, head, strlen(head));
	wire_expect(w, "begin m123 text/plain -1\naborted m123\n> 413 t001\n");
	wire_feed(w, "fg\r\n-------t001#\r\n", 18);
	wire_expect(w, "");
	wire_destroy(w);
}

static void
too_many_at_a_time_are_stopped(void **state)
{
	struct wire *w = open_wire(0);
	char headers[128], start[32], log[64];

	for (int i = 0; i < CP_MSRP_INCOMING_MAX + 1; i++) {
		snprintf(headers, sizeof(headers),
			 "Message-ID: m%03d\r\nByte-Range: 1-*/10\r\nContent-Type: a/b\r\n", i);
		snprintf(start, sizeof(start), "t%03d SEND", i);
		w->len = 0;
		w->log[0] = 0;
		wire_say(w, start, headers, "x", '+');
	}
	snprintf(log, sizeof(log), "> 413 t%03d\n", CP_MSRP_INCOMING_MAX);
	wire_expect(w, log);
	wire_destroy(w);
}

static void
strangers_are_refused(void **state)
{
	struct wire *w = wire_create(&(struct cp_msrp_session_settings){0});
	char text[] =
		"MSRP t001 SEND\r\nTo-Path: "
		"msrps://focus.example:2855/other;tcp\r\nFrom-Path: " PEER "\r\n-------t001$\r\n"
		"MSRP t002 SEND\r\nTo-Path: " SELF " " SELF "\r\nFrom-Path: " PEER
		"\r\n-------t002$\r\n";

	wire_feed(w, text, strlen(text));
	wire_expect(w, "> 481 t001\n> 481 t002\n");
	assert_false(cp_msrp_session_is_bound(w->s));
	wire_say(w, "t003 AUTH", "", NULL, '$');
	wire_expect(w, "bound\n> 501 t003\n");
	wire_say(w, "t004 SEND", "Content-Type: a/b\r\n", "no id", '$');
	wire_expect(w, "> 400 t004\n");
	assert_int_equal(cp_msrp_session_receive(w->s, "HTTP", 4, 1), -EBADMSG);
	assert_string_equal(cp_msrp_session_why(w->s), "this is not MSRP");
	assert_int_equal(cp_msrp_session_send(w->s, &(struct cp_msrp_out){0}), -ENOTCONN);
	wire_destroy(w);
}

/* RFC 6714: what a middlebox makes of host and port does not count, the session id does. */
static void
cema_compares_session_ids(void **state)
{
	struct wire *w = wire_create(&(struct cp_msrp_session_settings){.has_cema = true});
	char text[] = "MSRP t001 SEND\r\nTo-Path: msrp://box.example:9/s1;tcp\r\nFrom-Path: " PEER
		      "\r\n-------t001$\r\n"
		      "MSRP t002 SEND\r\nTo-Path: msrp://box.example:9/S1;tcp\r\nFrom-Path: " PEER
		      "\r\n-------t002$\r\n";

	wire_feed(w, text, strlen(text));
	wire_expect(w, "bound\n> 200 t001\n> 481 t002\n");
	wire_destroy(w);
}

static void
success_is_reported(void **state)
{
	struct wire *w = open_wire(0);

	wire_say(w, "t001 SEND", "Success-Report: yes\r\n" CHUNK("1-*/10"), "hello", '+');
	wire_say(w, "t002 SEND", "Success-Report: yes\r\n" CHUNK("6-10/10"), "world", '$');
	wire_expect(w,
		    "begin m123 text/plain 10\nbody 1 hello\n> 200 t001\nbody 6 world\nend m123\n"
		    "> REPORT m123 200 1-10/10\n> 200 t002\n");
	w->report_body = "From: <sip:a@x>\r\n";
	wire_say(w, "t003 SEND", "Success-Report: yes\r\nFailure-Report: no\r\n" CHUNK("1-5/5"),
		 "hello", '$');
	wire_expect(w, "begin m123 text/plain 5\nbody 1 hello\nend m123\n"
		       "> REPORT m123 200 1-5/5 with a body\n");
	assert_non_null(strstr(w->out, "Content-Type: message/cpim\r\n\r\nFrom: <sip:a@x>\r\n"));
	w->end_says = 403;
	wire_say(w, "t004 SEND", "Success-Report: yes\r\n" CHUNK("1-5/5"), "hello", '$');
	wire_expect(w, "begin m123 text/plain 5\nbody 1 hello\nend m123\n> 403 t004\n");
	wire_say(w, "t005 SEND", "Success-Report: yes\r\nMessage-ID: m999\r\n", NULL, '$');
	wire_expect(w, "> REPORT m999 200 1-0/0\n> 200 t005\n");
	wire_destroy(w);
}

static void
nicknames_are_asked_for(void **state)
{
	struct wire *w = open_wire(0);

	wire_say(w, "t001 NICKNAME", "Use-Nickname: \"Bob \\\"B\\\"\"\r\n", NULL, '$');
	wire_expect(w, "nick Bob \"B\"\n> 200 t001\n");
	w->nick_says = 425;
	wire_say(w, "t002 NICKNAME", "Use-Nickname: \"\"\r\n", NULL, '$');
	wire_expect(w, "nick \n> 425 t002\n");
	wire_say(w, "t003 NICKNAME", "Use-Nickname: Bob\r\n", NULL, '$');
	wire_say(w, "t004 NICKNAME", "", NULL, '$');
	wire_expect(w, "> 424 t003\n> 424 t004\n");
	wire_destroy(w);
}

static void
a_message_goes(void **state)
{
	struct wire *w = open_wire(0);
	struct cp_msrp_parcel *parcel = wire_parcel(5, CP_MSRP_PARTIAL, 1);

	wire_send_parcel(w, parcel, NULL);
	cp_msrp_parcel_append(parcel, 1, cp_slice_text("hel"));
	wire_tick(w, 1000);
	wire_expect(w, ""); /* waits to be a whole one */
	cp_msrp_parcel_append(parcel, 4, cp_slice_text("lo"));
	cp_msrp_parcel_finish(parcel, 5, false);
	wire_tick(w, 1000);
	wire_expect(w, "sent\n> SEND 1-5/5 5 $\n");
	assert_non_null(strstr(
		w->out, "Failure-Report: partial\r\nContent-Type: text/plain\r\n\r\nhello\r\n"));
	cp_msrp_parcel_put(parcel);
	assert_int_equal(cp_msrp_session_waiting(w->s), 0);
	assert_int_equal(w->moved, 5);
	/* nothing of it */
	parcel = wire_parcel(0, CP_MSRP_PARTIAL, 2);
	cp_msrp_parcel_finish(parcel, 0, false);
	wire_send_parcel(w, parcel, NULL);
	cp_msrp_parcel_put(parcel);
	wire_tick(w, 1000);
	wire_expect(w, "sent\n> SEND 1-0/0 0 $\n");
	wire_destroy(w);
}

static void
append_some(struct cp_msrp_parcel *parcel, size_t len)
{
	char octets[65536];

	memset(octets, 'x', sizeof(octets));
	assert_int_equal(cp_msrp_parcel_append(parcel, parcel->at, cp_slice(octets, len)), 0);
}

/* Long ones are interrupted by answers and by other lanes, not by their own. */
static void
long_messages_give_way(void **state)
{
	struct wire *w = open_wire(0);
	struct cp_msrp_parcel *big = wire_parcel(20000, CP_MSRP_PARTIAL, 1),
			      *small = wire_parcel(3, CP_MSRP_PARTIAL, 2);

	append_some(big, 20000);
	cp_msrp_parcel_finish(big, 20000, false);
	append_some(small, 3);
	cp_msrp_parcel_finish(small, 3, false);
	w->room = 4000;
	wire_send_parcel(w, big, "a");
	wire_tick(w, 1000);
	wire_expect(w, ""); /* its chunk has begun and goes on */
	wire_send_parcel(w, small, "a");
	wire_send_parcel(w, small, "b");
	w->room = 2600;
	wire_tick(w, 1000);
	w->room = sizeof(w->out) - w->out_len;
	wire_tick(w, 1000);
	/* lane a in its order */
	wire_expect(w, "sent\n> SEND 1-*/20000 3726 +\n> SEND 1-3/3 3 $\n"
		       "sent\nsent\n> SEND 3727-*/20000 16274 $\n> SEND 1-3/3 3 $\n");
	/* an answer that waits */
	w->room = 4000;
	wire_send_parcel(w, big, "a");
	wire_tick(w, 1000);
	wire_expect(w, "");
	wire_say(w, "t001 NICKNAME", "Use-Nickname: \"A\"\r\n", NULL, '$');
	w->room = sizeof(w->out) - w->out_len;
	wire_tick(w, 1000);
	wire_expect(
		w,
		"nick A\n> SEND 1-*/20000 3726 +\nsent\n> 200 t001\n> SEND 3727-*/20000 16274 $\n");
	cp_msrp_parcel_put(big);
	cp_msrp_parcel_put(small);
	wire_destroy(w);
}

static void
a_message_is_given_up(void **state)
{
	struct wire *w = open_wire(0);
	struct cp_msrp_parcel *parcel = wire_parcel(20000, CP_MSRP_PARTIAL, 1);
	struct cp_msrp_out *out;

	append_some(parcel, 4000);
	wire_send_parcel(w, parcel, NULL);
	wire_tick(w, 1000);
	cp_msrp_parcel_finish(parcel, 0, true);
	wire_tick(w, 1000);
	wire_expect(w, "lost\n> SEND 1-*/20000 4000 #\n");
	cp_msrp_parcel_put(parcel);
	/* before it began, nobody hears of it */
	parcel = wire_parcel(CP_MSRP_OPEN, CP_MSRP_PARTIAL, 1);
	wire_send_parcel(w, parcel, NULL);
	cp_msrp_parcel_finish(parcel, 0, true);
	wire_tick(w, 1000);
	wire_expect(w, "lost\n");
	cp_msrp_parcel_put(parcel);
	/* by the peer: 413 */
	parcel = wire_parcel(20000, CP_MSRP_PARTIAL, 1);
	append_some(parcel, 4000);
	out = wire_send_parcel(w, parcel, NULL);
	wire_tick(w, 1000);
	assert_true(out->has_begun);
	{
		char text[256];
		const char *id =
			strrchr(w->out, 'M'); /* of the last MSRP start line: not unique enough */

		for (const char *at = w->out; (at = strstr(at, "MSRP ")) != NULL; at++)
			id = at + 5;
		snprintf(text, sizeof(text), "MSRP %.24s 413 Stop\r\n" PAIR "-------%.24s$\r\n", id,
			 id);
		wire_feed(w, text, strlen(text));
	}
	assert_non_null(
		strstr(w->log, "outcome 0109090909090909 413\nlost\n> SEND 1-*/20000 4000 #\n"));
	cp_msrp_parcel_put(parcel);
	wire_destroy(w);
}

/* RFC 4975 section 7.1.1: 30 s from the last octet. */
static void
answers_are_waited_for(void **state)
{
	struct wire *w = open_wire(0);
	struct cp_msrp_parcel *parcel = wire_parcel(3, CP_MSRP_UNSAID, 1);
	char text[256];

	append_some(parcel, 3);
	cp_msrp_parcel_finish(parcel, 3, false);
	wire_send_parcel(w, parcel, NULL);
	wire_tick(w, 5000);
	wire_expect(w, "sent\n> SEND 1-3/3 3 $\n");
	assert_int_equal(cp_msrp_session_next_ms(w->s), 35000);
	wire_tick(w, 34999);
	wire_expect(w, "");
	wire_tick(w, 35000);
	wire_expect(w, "outcome 0109090909090909 408\n");
	wire_send_parcel(w, parcel, NULL);
	wire_tick(w, 36000);
	snprintf(text, sizeof(text), "MSRP %s00000001 200 OK\r\n" PAIR "-------%s00000001$\r\n",
		 parcel->seed, parcel->seed);
	wire_feed(w, text, strlen(text));
	wire_tick(w, 90000);
	wire_expect(w, "sent\n> SEND 1-3/3 3 $\n");
	/* reports */
	wire_say(w, "t001 REPORT",
		 "Message-ID: 0109090909090909\r\nByte-Range: 1-3/3\r\nStatus: 000 200 OK\r\n",
		 NULL, '$');
	wire_expect(w, "outcome 0109090909090909 200 by report\n");
	wire_say(w, "t002 REPORT", "Message-ID: 0109090909090909\r\nStatus: 000 408 late\r\n", NULL,
		 '$');
	wire_expect(w, "outcome 0109090909090909 408 by report\n");
	wire_say(w, "t003 REPORT", "Message-ID: 0109090909090909\r\nStatus: 001 408 late\r\n", NULL,
		 '$');
	wire_expect(w, "");
	cp_msrp_parcel_put(parcel);
	wire_destroy(w);
}

static void
who_opens_speaks_first(void **state)
{
	struct wire *w = wire_create(&(struct cp_msrp_session_settings){.is_active = true});

	wire_tick(w, 1000);
	wire_expect(w, "bound\n> SEND 1-0/0 0 $\n");
	assert_int_equal(cp_msrp_session_nickname(w->s, cp_slice_text("An\"na"), 1000), 0);
	wire_tick(w, 1000);
	wire_expect(w, "> NICKNAME \"An\\\"na\"\n");
	wire_tick(w, 31000);
	wire_expect(w, "outcome - 408\noutcome nickname 408\n");
	wire_destroy(w);
}

/* Who does not read what we answer is not read either. */
static void
answers_do_not_pile_up(void **state)
{
	struct wire *w = open_wire(0);
	char request[] = "MSRP t001 SEND\r\n" PAIR "-------t001$\r\n", *many;
	size_t one = strlen(request), count = 5000;
	ssize_t taken;

	many = malloc(one * count);
	for (size_t i = 0; i < count; i++)
		memcpy(many + i * one, request, one);
	w->room = 0;
	taken = cp_msrp_session_receive(w->s, many, one * count, 1000);
	assert_true(taken > 0 && (size_t)taken < one * count / 10);
	assert_int_equal(
		cp_msrp_session_receive(w->s, many + taken, one * count - (size_t)taken, 1000), 0);
	w->room = sizeof(w->out) - w->out_len;
	cp_msrp_session_pump(w->s, 1000);
	assert_true(cp_msrp_session_receive(w->s, many + taken, one * count - (size_t)taken, 1000) >
		    0);
	free(many);
	wire_destroy(w);
}

/* The transaction in a body: the chunk ends before. */
static void
end_lines_in_bodies_part_chunks(void **state)
{
	struct wire *w = open_wire(0);
	struct cp_msrp_parcel *parcel = wire_parcel(CP_MSRP_OPEN, CP_MSRP_PARTIAL, 1);
	char text[128];
	int len = snprintf(text, sizeof(text), "a\r\n-------%s00000001$\r\nb", parcel->seed);

	cp_msrp_parcel_append(parcel, 1, cp_slice(text, 12));
	cp_msrp_parcel_append(parcel, 13, cp_slice(text + 12, (size_t)len - 12));
	cp_msrp_parcel_finish(parcel, (uint64_t)len, false);
	wire_send_parcel(w, parcel, NULL);
	cp_msrp_parcel_put(parcel);
	wire_tick(w, 1000);
	wire_expect(w, "sent\n> SEND 1-*/38 25 +\n> SEND 26-*/38 13 $\n");
	wire_destroy(w);
}

static void
first_requests_say_whose_they_are(void **state)
{
	char text[] = "MSRP t001 SEND\r\n" PAIR "-------t001$\r\n", out[512];
	struct cp_slice id;

	assert_int_equal(cp_msrp_first_session(&id, text, 40), -EAGAIN);
	assert_int_equal(cp_msrp_first_session(&id, text, strlen(text)), 0);
	assert_true(cp_slice_is(id, "s1"));
	assert_int_equal(cp_msrp_first_session(&id, "GET /", 5), -EBADMSG);
	out[cp_msrp_first_refuse(out, sizeof(out), text, strlen(text), 506)] = '\0';
	assert_string_equal(out,
			    "MSRP t001 506 Session bound to another connection\r\nTo-Path: " PEER
			    "\r\nFrom-Path: " SELF "\r\n-------t001$\r\n");
	assert_int_equal(cp_msrp_first_refuse(out, sizeof(out), text, 40, 506), 0);
	assert_int_equal(cp_msrp_first_refuse(out, 10, text, strlen(text), 506), 0);
}

static void
bad_paths_are_refused(void **state)
{
	static const uint8_t luck[8];
	struct cp_msrp_session_settings settings = {.luck = luck, .events = &wire_events};
	struct cp_msrp_session *s = NULL;
	static const char *const pairs[][2] = {
		{"http://x", PEER}, {SELF, ""}, {SELF, "x y"}, {SELF " " SELF, PEER}};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		settings.self = pairs[i][0];
		settings.peer = pairs[i][1];
		assert_int_equal(cp_msrp_session_create(&s, &settings), -EINVAL);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_comes),
		cmocka_unit_test(chunks_are_put_together),
		cmocka_unit_test(what_is_given_up_ends),
		cmocka_unit_test(refusals_are_answered_once_and_stay),
		cmocka_unit_test(stop_comes_at_once),
		cmocka_unit_test(too_many_at_a_time_are_stopped),
		cmocka_unit_test(strangers_are_refused),
		cmocka_unit_test(cema_compares_session_ids),
		cmocka_unit_test(success_is_reported),
		cmocka_unit_test(nicknames_are_asked_for),
		cmocka_unit_test(a_message_goes),
		cmocka_unit_test(long_messages_give_way),
		cmocka_unit_test(a_message_is_given_up),
		cmocka_unit_test(answers_are_waited_for),
		cmocka_unit_test(who_opens_speaks_first),
		cmocka_unit_test(answers_do_not_pile_up),
		cmocka_unit_test(end_lines_in_bodies_part_chunks),
		cmocka_unit_test(first_requests_say_whose_they_are),
		cmocka_unit_test(bad_paths_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
