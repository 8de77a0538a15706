/* A chat room and its rules: who gets what, and who is told why not (RFC 7701). */
#include "tests/scenario/msrp/hall.h"

#define CHUNK(id, range) \
	"Message-ID: " id "\r\nByte-Range: " range "\r\nContent-Type: message/cpim\r\n"

static const struct cp_room_limits defaults;

struct three {
	struct hall *h;
	struct guest *ann, *bob, *eve;
};

static struct three
three(const struct cp_room_limits *limits, unsigned int history)
{
	struct three t = {.h = hall_create(limits, history)};

	t.ann = hall_guest(t.h, 0, "ann");
	t.bob = hall_guest(t.h, 1, "bob");
	t.eve = hall_guest(t.h, 2, "eve");
	hall_expect(t.ann, "200 t000\n");
	hall_expect(t.bob, "200 t000\n");
	hall_expect(t.eve, "200 t000\n");
	hall_told(t.h, "ann there ''\nbob there ''\neve there ''\n");
	return t;
}

static void
a_message_goes_to_all_others(void **state)
{
	struct three t = three(&defaults, 0);

	hall_text(t.ann, "t001", "room", "hello");
	hall_expect(t.ann, "200 t001\n");
	hall_expect(t.bob, "<ann@x→room@x: hello>\n");
	hall_expect(t.eve, "<ann@x→room@x: hello>\n");
	hall_told(t.h, "ann says text/plain 5 to 2: hello\n");
	assert_int_equal(t.ann->member->sent, 1);
	assert_int_equal(t.bob->member->received, 1);
	assert_int_equal(cp_room_counts(t.h->room).deliveries, 2);
	/* the same again: a duplicate, answered and not passed on */
	hall_text(t.ann, "t001", "room", "hello");
	hall_expect(t.ann, "200 t001\n");
	hall_expect(t.bob, "");
	assert_int_equal(cp_room_held(t.h->room), 0);
	hall_destroy(t.h);
}

static void
a_private_message_goes_to_one(void **state)
{
	struct three t = three(&defaults, 0);
	struct guest *other = hall_guest(t.h, 3, "bob"); /* a second phone */

	hall_expect(other, "200 t000\n");
	t.h->len = 0;
	hall_text(t.ann, "t001", "bob", "psst");
	hall_expect(t.ann, "200 t001\n");
	hall_expect(t.bob, "<ann@x→bob@x: psst>\n");
	hall_expect(other, "<ann@x→bob@x: psst>\n");
	hall_expect(t.eve, "");
	assert_int_equal(t.h->len, 0); /* who watches is not told */
	hall_text(t.ann, "t002", "zoe", "?");
	hall_expect(t.ann, "404 t002\n");
	hall_say(t.ann, "t003 SEND", "Success-Report: yes\r\n" CHUNK("m003", "1-*/*"),
		 CPIM("ann", "eve", "text/plain") "x", '$');
	hall_expect(t.ann, "REPORT 200 with a body\n200 t003\n");
	assert_non_null(strstr(t.ann->out, "From: <sip:ann@x>\r\nTo: <sip:eve@x>\r\n"));
	hall_expect(t.eve, "<ann@x→eve@x: x>\n");
	/* of a message to all the report has none */
	hall_say(t.ann, "t004 SEND", "Success-Report: yes\r\n" CHUNK("m004", "1-*/*"),
		 CPIM("ann", "room", "text/plain") "y", '$');
	hall_expect(t.ann, "REPORT 200\n200 t004\n");
	hall_destroy(t.h);
}

static void
who_takes_none_gets_none(void **state)
{
	struct hall *h = hall_create(&defaults, 0);
	struct guest *ann = hall_guest(h, 0, "ann"), *bob, *eve, *kim;

	bob = hall_enter(h, 1, "bob", &(struct cp_room_person){.may_send = true});
	eve = hall_enter(
		h, 2, "eve",
		&(struct cp_room_person){.takes_private = true, .types = "TEXT/html image/*"});
	kim = hall_enter(h, 3, "kim",
			 &(struct cp_room_person){.takes_private = true, .size_max = 80});
	ann->len = bob->len = eve->len = kim->len = 0;
	hall_text(ann, "t001", "bob", "psst");
	hall_expect(ann, "428 t001\n");
	hall_text(ann, "t002", "eve", "psst");
	hall_expect(ann, "415 t002\n");
	hall_text(ann, "t003", "room", "short");
	hall_expect(bob, "<ann@x→room@x: short>\n");
	hall_expect(kim, "<ann@x→room@x: short>\n");
	hall_text(ann, "t004", "room", "longer than what fits into eighty octets");
	hall_say(ann, "t005 SEND", CHUNK("m005", "1-*/*"),
		 CPIM("ann", "room", "text/html;charset=utf-8") "<b>", '$');
	hall_say(ann, "t006 SEND", CHUNK("m006", "1-*/*"), CPIM("ann", "room", "image/png") "PNG",
		 '$');
	assert_int_equal(eve->messages, 2);
	assert_int_equal(bob->messages, 4);
	assert_int_equal(kim->messages, 2); /* and the picture, which is short */
	hall_destroy(h);
}

static void
rules_of_from_and_to(void **state)
{
	static const struct {
		const char *body, *answer;
	} rows[] = {
		{CPIM("bob", "room", "text/plain") "x", "403 t001\n"},
		{"From: <tel:+1>\r\nTo: <sip:room@x>\r\n\r\nContent-Type: text/plain\r\n\r\nx",
		 "403 t001\n"},
		{"From: <sip:ann@x>\r\nTo: <sip:bob@x>\r\nTo: <sip:eve@x>\r\n\r\nContent-Type: "
		 "text/plain\r\n\r\nx",
		 "403 t001\n"},
		{"From: <sip:ann@x>\r\nTo: <sip:room@x>\r\ncc: <sip:eve@x>\r\n\r\nContent-Type: "
		 "text/plain\r\n\r\nx",
		 "403 t001\n"},
		{CPIM("ann", "nobody", "text/plain") "x", "404 t001\n"},
		{"From: <sip:ann@x>\r\nTo: <mailto:bob>\r\n\r\nContent-Type: text/plain\r\n\r\nx",
		 "404 t001\n"},
		{"From: <sip:ann@x>\r\n\r\nContent-Type: text/plain\r\n\r\nx", "400 t001\n"},
		{"no headers at all", "400 t001\n"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct three t = three(&defaults, 0);

		hall_say(t.ann, "t001 SEND", CHUNK("m001", "1-*/*"), rows[i].body, '$');
		hall_expect(t.ann, rows[i].answer);
		hall_expect(t.bob, "");
		assert_int_equal(cp_room_counts(t.h->room).refused, 1);
		assert_int_equal(cp_room_held(t.h->room), 0);
		hall_destroy(t.h);
	}
}

static void
only_cpim_is_taken(void **state)
{
	struct three t = three(&defaults, 0);

	hall_say(t.ann, "t001 SEND", "Message-ID: m001\r\nContent-Type: text/plain\r\n", "x", '$');
	hall_expect(t.ann, "415 t001\n");
	hall_say(t.ann, "t002 SEND", "Message-ID: m002\r\nContent-Type: Message/CPIM\r\n",
		 CPIM("ann", "room", "text/plain") "x", '$');
	hall_expect(t.ann, "200 t002\n");
	hall_expect(t.bob, "<ann@x→room@x: x>\n");
	hall_destroy(t.h);
}

static void
anonymous_ones_may_say_so(void **state)
{
	struct hall *h = hall_create(&defaults, 0);
	struct guest *ann = hall_guest(h, 0, "ann");
	struct guest *who = hall_enter(h, 1, "anonymous7",
				       &(struct cp_room_person){.may_send = true,
								.takes_private = true,
								.loose = "sip:anonymous@x"});

	ann->len = who->len = 0;
	hall_say(who, "t001 SEND", CHUNK("m001", "1-*/*"),
		 CPIM("anonymous", "room", "text/plain") "x", '$');
	hall_expect(ann, "<anonymous@x→room@x: x>\n");
	hall_text(who, "t002", "ann", "y");
	hall_expect(ann, "<anonymous7@x→ann@x: y>\n");
	hall_text(ann, "t003", "anonymous", "z");
	hall_text(ann, "t004", "anonymous7", "z");
	hall_expect(ann, "404 t003\n200 t004\n");
	hall_destroy(h);
}

static void
chunks_are_passed_on_as_they_come(void **state)
{
	struct three t = three(&defaults, 0);
	struct guest *late;
	char text[5000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	/* even the head of CPIM comes in two */
	hall_say(t.ann, "t001 SEND", CHUNK("m001", "1-*/*"), "From: <sip:ann@x>\r\nTo: <sip:ro",
		 '+');
	hall_expect(t.ann, "200 t001\n");
	hall_say(t.ann, "t002 SEND", CHUNK("m001", "31-*/*"),
		 "om@x>\r\n\r\nContent-Type: text/plain\r\n\r\n12345", '+');
	hall_say(t.ann, "t003 SEND", CHUNK("m001", "73-*/*"), text, '+');
	assert_true(t.bob->half != NULL && t.bob->half->len == 5071);
	late = hall_guest(t.h, 3, "late");
	late->len = 0;
	hall_say(t.ann, "t004 SEND", CHUNK("m001", "5072-*/*"), "end", '$');
	hall_expect(t.bob, "<ann@x: (5007)>\n");
	hall_expect(t.eve, "<ann@x: (5007)>\n");
	assert_int_equal(late->messages, 0);
	assert_int_equal(late->out_len, late->read);
	/* given up by its sender */
	t.ann->len = 0;
	hall_say(t.ann, "t005 SEND", CHUNK("m005", "1-*/*"), CPIM("ann", "room", "text/plain"),
		 '+');
	hall_say(t.ann, "t006 SEND", CHUNK("m005", "68-*/*"), text, '#');
	hall_expect(t.ann, "200 t005\n200 t006\n");
	hall_expect(t.bob, "#\n");
	hall_destroy(t.h);
}

static void
begin_long(struct guest *g, const char *id)
{
	char text[5000], headers[128], start[40];
	size_t len = (size_t)snprintf(text, sizeof(text), "%s", CPIM("ann", "room", "text/plain"));

	memset(text + len, 'x', sizeof(text) - 1 - len);
	text[sizeof(text) - 1] = '\0';
	snprintf(start, sizeof(start), "%s SEND", id);
	snprintf(headers, sizeof(headers), CHUNK("%s", "1-*/9999"), id);
	hall_say(g, start, headers, text, '+');
}

static void
what_is_not_completed_is_given_up(void **state)
{
	struct three t = three(&(struct cp_room_limits){.idle_ms = 60000}, 0);

	begin_long(t.ann, "t001");
	assert_int_equal(cp_room_next_ms(t.h->room), 61000);
	hall_tick(t.h, 60999);
	hall_expect(t.bob, "");
	hall_tick(t.h, 61000);
	hall_expect(t.bob, "#\n");
	begin_long(t.ann, "t002");
	cp_room_mute(t.ann->member, true);
	t.ann->len = 0;
	hall_say(t.ann, "t003 SEND", CHUNK("t002", "5000-*/9999"), "more", '+');
	hall_expect(t.ann, "403 t003\n");
	hall_expect(t.bob, "#\n");
	hall_text(t.ann, "t004", "room", "x");
	hall_expect(t.ann, "403 t004\n");
	cp_room_mute(t.ann->member, false);
	begin_long(t.ann, "t005");
	cp_room_lost(t.ann->member, t.h->now_ms);
	hall_read(t.bob);
	hall_expect(t.bob, "#\n");
	hall_expect(t.ann, "200 t005\n");
	cp_room_leave(t.ann->member, t.h->now_ms);
	t.ann->member = NULL;
	hall_text(t.bob, "t006", "ann", "?");
	hall_expect(t.bob, "404 t006\n");
	assert_int_equal(cp_room_counts(t.h->room).aborted, 3);
	hall_destroy(t.h);
}

static void
limits_are_kept(void **state)
{
	struct three t = three(&(struct cp_room_limits){.size_max = 6000}, 0);

	begin_long(t.ann, "t001");
	hall_expect(t.ann, "413 t001\n");
	hall_expect(t.bob, "");
	t.ann->member->may_send = false;
	hall_text(t.ann, "t002", "room", "x");
	hall_say(t.ann, "t003 NICKNAME", "Use-Nickname: \"Ann\"\r\n", NULL, '$');
	hall_expect(t.ann, "403 t002\n200 t003\n");
	hall_destroy(t.h);
}

static void
nicknames_are_one_persons(void **state)
{
	struct three t = three(&defaults, 0);
	struct guest *other = hall_guest(t.h, 3, "ann");

	t.h->len = 0;
	other->len = 0;
	hall_say(t.ann, "t001 NICKNAME", "Use-Nickname: \"Queen\"\r\n", NULL, '$');
	hall_told(t.h, "ann there 'Queen'\n");
	hall_say(t.bob, "t002 NICKNAME", "Use-Nickname: \" QUEEN \"\r\n", NULL, '$');
	hall_say(t.bob, "t003 NICKNAME", "Use-Nickname: \"conference\"\r\n", NULL, '$');
	hall_say(t.bob, "t004 NICKNAME", "Use-Nickname: King\r\n", NULL, '$');
	hall_expect(t.bob, "425 t002\n425 t003\n424 t004\n");
	assert_string_equal(other->member->nickname, "");
	hall_say(other, "t005 NICKNAME", "Use-Nickname: \"queen\"\r\n", NULL, '$');
	hall_expect(other, "200 t005\n");
	/* what fails leaves the old one, what succeeds frees it */
	hall_say(t.bob, "t006 NICKNAME", "Use-Nickname: \"King\"\r\n", NULL, '$');
	hall_say(t.bob, "t007 NICKNAME", "Use-Nickname: \"queen\"\r\n", NULL, '$');
	assert_string_equal(t.bob->member->nickname, "King");
	hall_say(t.bob, "t008 NICKNAME", "Use-Nickname: \"Jack\"\r\n", NULL, '$');
	hall_say(t.eve, "t009 NICKNAME", "Use-Nickname: \"king\"\r\n", NULL, '$');
	hall_expect(t.eve, "200 t009\n");
	hall_say(t.bob, "t010 NICKNAME", "Use-Nickname: \"\"\r\n", NULL, '$');
	assert_string_equal(t.bob->member->nickname, "");
	/* who comes back has it still, who leaves has not */
	cp_room_lost(t.eve->member, 1000);
	assert_string_equal(t.eve->member->nickname, "king");
	cp_room_leave(t.eve->member, 1000);
	t.eve->member = NULL;
	hall_say(t.bob, "t011 NICKNAME", "Use-Nickname: \"king\"\r\n", NULL, '$');
	hall_expect(t.bob, "200 t006\n425 t007\n200 t008\n200 t010\n200 t011\n");
	hall_destroy(t.h);
}

static void
who_comes_gets_the_last_ones(void **state)
{
	struct three t = three(&defaults, 2);
	struct guest *late, *picky;

	hall_text(t.ann, "t001", "room", "one");
	hall_text(t.bob, "t002", "room", "two");
	hall_text(t.bob, "t003", "ann", "private");
	hall_say(t.ann, "t004 SEND", CHUNK("m004", "1-*/*"),
		 CPIM("ann", "room", "application/im-iscomposing+xml") "<x/>", '$');
	assert_int_equal(t.bob->messages, 2); /* composing is passed on */
	hall_text(t.ann, "t005", "room", "three");
	late = hall_guest(t.h, 3, "late");
	hall_expect(late, "200 t000\n<bob@x→room@x: two>\n<ann@x→room@x: three>\n");
	picky = hall_enter(t.h, 4, "picky", &(struct cp_room_person){.types = "text/html"});
	hall_expect(picky, "200 t000\n");
	/* only the first time */
	cp_room_lost(late->member, 1000);
	assert_int_equal(
		cp_room_open(late->member,
			     &(struct cp_room_line){.self = late->self, .peer = late->peer}, 1000),
		0);
	hall_say(late, "t006 SEND", "", NULL, '$');
	hall_expect(late, "200 t006\n");
	cp_room_set_history(t.h->room, 0);
	assert_int_equal(cp_room_held(t.h->room), 0);
	hall_destroy(t.h);
}

static void
the_conference_speaks(void **state)
{
	struct three t = three(&(struct cp_room_limits){.size_max = 1000}, 5);
	struct cp_room_say say = {.from_uri = "sip:room@x",
				  .from_name = "Conference",
				  .to_uri = "sip:room@x",
				  .date_time = "2026-11-22T07:00:00Z",
				  .type = "text/plain",
				  .text = cp_slice_text("coffee")};
	char big[2000];

	assert_int_equal(cp_room_say(t.h->room, &say, 1000), 3);
	hall_tick(t.h, 1000);
	hall_expect(t.ann, "<room@x→room@x: coffee>\n");
	hall_told(t.h, "room says text/plain 6 to 3: coffee\n");
	say.to = t.bob->member;
	say.to_uri = "sip:bob@x";
	assert_int_equal(cp_room_say(t.h->room, &say, 1000), 1);
	hall_tick(t.h, 1000);
	hall_expect(t.ann, "");
	hall_expect(t.bob, "<room@x→room@x: coffee>\n<room@x→bob@x: coffee>\n");
	memset(big, 'x', sizeof(big));
	say.text = cp_slice(big, sizeof(big));
	assert_int_equal(cp_room_say(t.h->room, &say, 1000), -EMSGSIZE);
	cp_room_lost(t.bob->member, 1000);
	say.text.len = 1;
	assert_int_equal(cp_room_say(t.h->room, &say, 1000), -ENOTCONN);
	say.to = NULL;
	say.from_uri = "no uri";
	assert_int_equal(cp_room_say(t.h->room, &say, 1000), -EINVAL);
	hall_destroy(t.h);
}

/* More requests at once than answers may wait: as long as these go out, all are taken. */
static void
many_requests_at_once(void **state)
{
	struct three t = three(&defaults, 0);
	char request[256], *many;
	size_t one = (size_t)snprintf(
		request, sizeof(request),
		"MSRP t001 SEND\r\nTo-Path: %s\r\nFrom-Path: %s\r\n-------t001$\r\n", t.ann->self,
		t.ann->peer);
	const size_t count = 1000;

	many = malloc(one * count);
	for (size_t i = 0; i < count; i++)
		memcpy(many + i * one, request, one);
	hall_feed(t.ann, many, one * count);
	assert_int_equal(t.ann->len, count * strlen("200 t001\n"));
	/* who does not read them is not read either, until he does */
	t.ann->room = 0;
	one = cp_room_receive(t.ann->member, many, one * count, 1000);
	assert_true(one > 0 && one < 100 * 256 * 10 && t.ann->is_paused);
	hall_reads(t.ann, 1 << 20);
	assert_false(t.ann->is_paused);
	free(many);
	hall_destroy(t.h);
}

/* Somebody who is gone for good, by what he says. */
static void
who_says_481_is_dropped(void **state)
{
	struct three t = three(&defaults, 0);
	char text[256];
	int len;

	hall_text(t.ann, "t001", "room", "x");
	len = snprintf(text, sizeof(text),
		       "MSRP zzzz 481 gone\r\nTo-Path: %s\r\nFrom-Path: %s\r\n-------zzzz$\r\n",
		       t.bob->self, t.bob->peer);
	t.h->len = 0;
	hall_feed(t.bob, text, (size_t)len);
	hall_told(t.h, "bob dropped: says that it has no such session\n");
	t.h->len = 0;
	hall_feed(t.eve, "HTTP/1.1", 8);
	hall_told(t.h, "eve dropped: sends what is no MSRP: this is not MSRP\n");
	assert_int_equal(cp_room_counts(t.h->room).dropped, 2);
	hall_destroy(t.h);
}

/* 408 of somebody else, as relays have it, is about one message. */
static void
who_says_408_stays(void **state)
{
	struct three t = three(&defaults, 0);
	char text[256];
	int len;

	hall_text(t.ann, "t001", "room", "x");
	len = snprintf(text, sizeof(text),
		       "MSRP zzzz 408 late\r\nTo-Path: %s\r\nFrom-Path: %s\r\n-------zzzz$\r\n"
		       "MSRP t002 REPORT\r\nTo-Path: %s\r\nFrom-Path: %s\r\nMessage-ID: m1\r\n"
		       "Status: 000 408 late\r\n-------t002$\r\n",
		       t.bob->self, t.bob->peer, t.bob->self, t.bob->peer);
	hall_feed(t.bob, text, (size_t)len);
	assert_int_equal(cp_room_counts(t.h->room).dropped, 0);
	hall_text(t.ann, "t003", "room", "y");
	assert_int_equal(t.bob->messages, 2);
	hall_destroy(t.h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_goes_to_all_others),
		cmocka_unit_test(a_private_message_goes_to_one),
		cmocka_unit_test(who_takes_none_gets_none),
		cmocka_unit_test(rules_of_from_and_to),
		cmocka_unit_test(only_cpim_is_taken),
		cmocka_unit_test(anonymous_ones_may_say_so),
		cmocka_unit_test(chunks_are_passed_on_as_they_come),
		cmocka_unit_test(what_is_not_completed_is_given_up),
		cmocka_unit_test(limits_are_kept),
		cmocka_unit_test(nicknames_are_one_persons),
		cmocka_unit_test(who_comes_gets_the_last_ones),
		cmocka_unit_test(the_conference_speaks),
		cmocka_unit_test(many_requests_at_once),
		cmocka_unit_test(who_says_481_is_dropped),
		cmocka_unit_test(who_says_408_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
