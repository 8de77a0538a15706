/*
 * The floors of a conference with its focus, a fake clock and a fake wire: who is heard when, who is told what, and what becomes of
 * it when people leave, connections break, roles and policies change, and after a restart.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "ctrlplane/floor/room.h"

#define CONF_ID 0xC0FFEE
#define FIRST_USER 65534 /* the numbers go round */

static struct world {
	struct cp_focus *focus;
	struct cp_conf *conf;
	struct cp_floor_room *room;
	struct cp_effects effects;
	uint64_t now_ms;
	uint16_t transaction;
	uint32_t choked; /* this leg's connection takes nothing */
	char log[16384];
} w;

static void
say(const char *format, ...)
{
	size_t len = strlen(w.log);
	va_list args;

	va_start(args, format);
	vsnprintf(w.log + len, sizeof(w.log) - len, format, args);
	va_end(args);
}

/* A leg by its name: the first letter of who it is. */
static const struct cp_leg *
leg_of(uint32_t id)
{
	const struct cp_leg *leg = cp_leg_by_id(w.focus, id);

	return leg ? leg : cp_leg_gone(w.focus, id);
}

static char
name_of(uint32_t id)
{
	const struct cp_leg *leg = leg_of(id);

	return leg ? leg->identity[4] : '?';
}

static uint32_t
leg(char name)
{
	for (const struct cp_leg *l = w.conf->legs; l; l = l->next)
		if (l->identity[4] == name)
			return l->id;
	return 0;
}

static void
follow(const struct cp_effect *e)
{
	const struct cp_leg *l = cp_leg_by_id(w.focus, e->leg);

	if (e->type == CP_EFFECT_LEG_MIX)
		say("%c%c ", e->is_muted ? '-' : '+', name_of(e->leg));
	if (e->type != CP_EFFECT_NOTICE || !w.room)
		return;
	if (e->notice == CP_NOTICE_LEFT)
		cp_floor_room_remove(w.room, e->leg, w.now_ms);
	else if (e->notice == CP_NOTICE_CONF && w.conf->floors.count)
		assert_int_equal(cp_floor_room_follow(w.room, w.conf, w.now_ms), 0);
	else if (l && (e->notice == CP_NOTICE_JOINED || e->notice == CP_NOTICE_CHANGED ||
		       e->notice == CP_NOTICE_ADOPTED))
		cp_floor_room_put(w.room, l, w.now_ms);
}

/* As the program does: what comes up while effects are carried out goes behind them. */
static int
handle(const struct cp_event *event)
{
	static bool is_running;
	int rc = cp_conf_handle(w.focus, event, (int64_t)w.now_ms, &w.effects, NULL);

	if (is_running)
		return rc;
	is_running = true;
	for (size_t i = 0; i < w.effects.count; i++) {
		struct cp_effect e = w.effects.items[i];

		follow(&e);
	}
	cp_effects_clear(&w.effects);
	is_running = false;
	return rc;
}

static bool
on_send(void *arg, uint32_t to, const uint8_t *octets, size_t len)
{
	struct cp_bfcp_msg msg;

	if (to == w.choked)
		return false;
	assert_int_equal(cp_bfcp_decode(&msg, octets, len), CP_BFCP_OK);
	if (msg.primitive != CP_BFCP_ERROR) { /* which says what the request said */
		assert_int_equal(msg.conf, CONF_ID);
		assert_int_equal(msg.user, cp_floor_room_user(w.room, to));
	}
	say("%c:%s%s", name_of(to), cp_bfcp_primitive_name(msg.primitive),
	    msg.transaction ? "!" : "");
	if (msg.primitive == CP_BFCP_ERROR)
		say("=%u", msg.error);
	for (size_t i = 0; i < msg.request_count; i++)
		say("=%u%s%s", msg.requests[i].id, cp_bfcp_status_name(msg.requests[i].status),
		    msg.requests[i].queue > 1 ? "2.." : "");
	say(" ");
	return true;
}

static void
on_end(void *arg, uint32_t of, bool is_orderly, const char *why)
{
	say("%c:%s ", name_of(of), is_orderly ? "closed" : "cut");
}

static void
on_hold(void *arg, uint32_t of, size_t floor, bool holds)
{
	handle(&(struct cp_event){
		.type = CP_EVENT_FLOOR, .leg = of, .value = (int32_t)floor, .flag = holds});
}

static void
on_changed(void *arg, size_t floor)
{
	say("f%zu ", floor + 1);
}

static void
on_decided(void *arg, uint32_t by, uint32_t of, size_t floor, uint8_t status)
{
	say("'%s %c by %c' ", cp_bfcp_status_name(status), name_of(of), by ? name_of(by) : 'U');
}

static const struct cp_floor_room_hooks hooks = {
	.send = on_send,
	.end = on_end,
	.hold = on_hold,
	.changed = on_changed,
	.decided = on_decided,
};

static void
open_room(void)
{
	struct cp_floor_room_options options = {
		.conf = CONF_ID,
		.first_user = FIRST_USER,
		.users_max = 6,
		.keep_ms = 30000,
		.hooks = hooks,
	};

	assert_int_equal(cp_floor_room_create(&w.room, &options, w.conf), 0);
}

static struct cp_conf_floors
floors_of(const char *const *texts)
{
	struct cp_conf_floors floors = {0};
	char why[128];

	for (; *texts; texts++)
		assert_int_equal(cp_conf_floor_parse(&floors.items[floors.count++],
						     cp_slice_text(*texts), why, sizeof(why)),
				 0);
	return floors;
}

#define FLOORS(...) floors_of((const char *const[]){__VA_ARGS__, NULL})

static void
open_world(struct cp_conf_floors floors)
{
	struct cp_conf_limits limits = {.adopted_ms = 300000};
	struct cp_conf_settings settings = {.user = "team", .is_open = true, .floors = floors};

	memset(&w, 0, sizeof(w));
	w.now_ms = 1000000;
	assert_int_equal(cp_focus_create(&w.focus, &limits, 100), 0);
	assert_int_equal(cp_conf_create(&w.conf, w.focus, &settings, CP_CONF_CREATED, 1000000), 0);
	open_room();
}

static int
close_world(void **state)
{
	cp_floor_room_destroy(w.room);
	cp_effects_fini(&w.effects);
	cp_focus_destroy(w.focus);
	return 0;
}

/* Everybody of names: a capital letter is a moderator. All are connected. */
static void
join(const char *names)
{
	for (; *names; names++) {
		char uri[] = "sip:?@x", name = *names;
		bool is_moderator = name >= 'A' && name <= 'Z';
		struct cp_conf_join in = {.conf = w.conf,
					  .identity = uri,
					  .person = uri,
					  .display = "Somebody",
					  .proof = CP_PROOF_DIGEST};

		uri[4] = is_moderator ? (char)(name - 'A' + 'a') : name;
		in.role = is_moderator ? CP_ROLE_MODERATOR : CP_ROLE_PARTICIPANT;
		assert_int_equal(handle(&(struct cp_event){.type = CP_EVENT_JOIN, .join = &in}), 0);
		cp_floor_room_user(w.room, leg(uri[4])); /* for SDP, before it is in */
		assert_int_equal(
			handle(&(struct cp_event){.type = CP_EVENT_CONNECTED, .leg = leg(uri[4])}),
			0);
		cp_floor_room_connected(w.room, leg(uri[4]), w.now_ms);
	}
	w.log[0] = '\0';
}

static void
post(char from, struct cp_bfcp_msg *msg)
{
	uint8_t octets[CP_BFCP_MAX];
	ssize_t len;

	msg->conf = msg->conf ? msg->conf : CONF_ID;
	msg->user = msg->user ? msg->user : cp_floor_room_user(w.room, leg(from));
	msg->transaction = ++w.transaction;
	len = cp_bfcp_encode(octets, sizeof(octets), msg);
	assert_true(len > 0);
	assert_int_equal(cp_floor_room_receive(w.room, leg(from), octets, (size_t)len, w.now_ms),
			 len);
}

static void
ask(char from, uint16_t floor)
{
	post(from, &(struct cp_bfcp_msg){.primitive = CP_BFCP_FLOOR_REQUEST,
					 .floor_count = 1,
					 .floors = {floor}});
}

static void
release(char from, uint16_t request)
{
	post(from, &(struct cp_bfcp_msg){.primitive = CP_BFCP_FLOOR_RELEASE,
					 .has_request_id = true,
					 .request_id = request});
}

static void
act(char chair, uint16_t request, uint8_t status)
{
	post(chair,
	     &(struct cp_bfcp_msg){
		     .primitive = CP_BFCP_CHAIR_ACTION,
		     .request_count = 1,
		     .requests = {
			     {.id = request,
			      .floor_count = 1,
			      .floors = {{.floor = 1, .has_status = true, .status = status}}}}});
}

/* All that was said since the last time. */
static void
expect_at(int line, const char *wanted)
{
	size_t len = strlen(w.log);

	if (len)
		w.log[len - 1] = '\0';
	if (strcmp(w.log, wanted) != 0)
		fail_msg("line %d\n  is:     %s\n  wanted: %s", line, w.log, wanted);
	w.log[0] = '\0';
}
#define expect(wanted) expect_at(__LINE__, wanted)

static void
only_holders_are_heard(void **state)
{
	open_world(FLOORS("stage", "board chat"));
	join("abc");
	ask('a', 1);
	expect("a:FloorRequestStatus!=1Granted +a f1");
	ask('b', 1);
	expect("b:FloorRequestStatus!=2Accepted f1");
	ask('c', 1);
	expect("c:FloorRequestStatus!=3Accepted2.. f1");
	/* one turn: nobody is heard beside another */
	release('a', 1);
	expect("a:FloorRequestStatus!=1Released b:FloorRequestStatus=2Granted "
	       "c:FloorRequestStatus=3Accepted -a +b f1");
	/* of the chat: no mute is touched */
	ask('c', 2);
	expect("c:FloorRequestStatus!=4Granted f2");
	assert_true(cp_leg_has_floor(leg_of(leg('c')), CP_MEDIUM_CHAT));
	assert_false(cp_leg_has_floor(leg_of(leg('a')), CP_MEDIUM_CHAT));
}

static void
a_chair_decides(void **state)
{
	open_world(FLOORS("stage chair"));
	join("Mabn");
	ask('a', 1);
	ask('b', 1);
	expect("a:FloorRequestStatus!=1Pending f1 b:FloorRequestStatus!=2Pending f1");
	act('b', 1, CP_BFCP_GRANTED);
	expect("b:Error!=5");
	act('m', 1, CP_BFCP_GRANTED);
	expect("m:ChairActionAck! a:FloorRequestStatus=1Granted +a 'Granted a by m' f1");
	/* what a chair asks for itself needs no chair */
	ask('m', 1);
	expect("m:FloorRequestStatus!=3Accepted f1");
	act('m', 1, CP_BFCP_REVOKED);
	expect("m:ChairActionAck! a:FloorRequestStatus=1Revoked m:FloorRequestStatus=3Granted -a "
	       "+m 'Revoked a by m' f1");
	/* the chair is killed: it holds nothing, who waits goes on waiting, for another chair */
	handle(&(struct cp_event){.type = CP_EVENT_GONE, .leg = leg('m')});
	expect("f1");
	act('b', 2, CP_BFCP_GRANTED);
	expect("b:Error!=5");
	assert_int_equal(cp_floor_room_set_chair(w.room, 0, leg('n'), true, w.now_ms), CP_BFCP_OK);
	assert_true(cp_floor_room_is_chair(w.room, 0, leg('n')));
	act('n', 2, CP_BFCP_DENIED);
	expect("f1 n:ChairActionAck! b:FloorRequestStatus=2Denied 'Denied b by n' f1");
	assert_int_equal(cp_floor_room_set_chair(w.room, 0, leg('n'), false, w.now_ms), CP_BFCP_OK);
	act('n', 2, CP_BFCP_DENIED);
	expect("f1 n:Error!=7");
	assert_int_equal(cp_floor_room_set_chair(w.room, 1, leg('n'), true, 0), CP_BFCP_NO_FLOOR);
	assert_int_equal(cp_floor_room_set_chair(w.room, 0, 4711, true, 0), CP_BFCP_NO_USER);
}

static void
a_holder_who_is_killed_makes_room(void **state)
{
	open_world(FLOORS("stage"));
	join("ab");
	ask('a', 1);
	ask('b', 1);
	w.log[0] = '\0';
	handle(&(struct cp_event){.type = CP_EVENT_REMOVE, .leg = leg('a')});
	expect("b:FloorRequestStatus=2Granted f1 +b");
	/* whose number was free is not the one of before */
	join("c");
	ask('c', 1);
	expect("c:FloorRequestStatus!=3Accepted f1");
}

static void
connections_break_and_come_again(void **state)
{
	open_world(FLOORS("stage"));
	join("abc");
	ask('a', 1);
	ask('b', 1);
	ask('c', 1);
	w.log[0] = '\0';
	/* in the queue: the place stays, who is there is granted */
	cp_floor_room_lost(w.room, leg('b'), w.now_ms);
	expect("");
	release('a', 1);
	expect("a:FloorRequestStatus!=1Released c:FloorRequestStatus=3Granted -a +c f1");
	w.now_ms += 29999;
	cp_floor_room_tick(w.room, w.now_ms);
	expect("");
	cp_floor_room_connected(w.room, leg('b'), w.now_ms);
	release('c', 3);
	expect("c:FloorRequestStatus!=3Released b:FloorRequestStatus=2Granted -c +b f1");
	/* a holder: goes on being heard for so long */
	cp_floor_room_lost(w.room, leg('b'), w.now_ms);
	ask('c', 1);
	expect("c:FloorRequestStatus!=4Accepted f1");
	assert_true(cp_floor_room_next_ms(w.room) == w.now_ms + 30000);
	w.now_ms += 30000;
	cp_floor_room_tick(w.room, w.now_ms);
	expect("c:FloorRequestStatus=4Granted -b +c f1");
}

static void
who_may_not_speak_may_not_ask(void **state)
{
	struct cp_event role = {.type = CP_EVENT_ROLE, .value = CP_ROLE_LISTENER};
	uint16_t request;

	open_world(FLOORS("stage", "board chat"));
	join("ab");
	ask('a', 1);
	ask('b', 1);
	ask('a', 2);
	w.log[0] = '\0';
	role.leg = leg('a');
	handle(&role);
	expect("-a a:FloorRequestStatus=1Revoked b:FloorRequestStatus=2Granted "
	       "a:FloorRequestStatus=3Revoked f1 f2 +b");
	ask('a', 1);
	expect("a:Error!=5");
	assert_int_equal(cp_floor_room_ask(w.room, &request, 0, leg('a'), true, w.now_ms),
			 CP_BFCP_UNAUTHORISED);
	role.value = CP_ROLE_PARTICIPANT;
	handle(&role);
	ask('a', 1);
	expect("a:FloorRequestStatus!=4Accepted f1");
	/* made a moderator: the priority counts, and others may be asked for */
	role.value = CP_ROLE_MODERATOR;
	handle(&role);
	post('a', &(struct cp_bfcp_msg){.primitive = CP_BFCP_FLOOR_REQUEST,
					.floor_count = 1,
					.floors = {2},
					.has_beneficiary = true,
					.beneficiary = cp_floor_room_user(w.room, leg('b'))});
	expect("a:FloorRequestStatus!=5Granted b:FloorRequestStatus=5Granted f2");
}

/* PIN and lobby stand before the floor too. */
static void
who_waits_may_not_ask(void **state)
{
	struct cp_conf_join in = {.identity = "sip:z@x",
				  .person = "sip:z@x",
				  .wait = CP_WAIT_LOBBY,
				  .proof = CP_PROOF_DIGEST};

	open_world(FLOORS("stage"));
	in.conf = w.conf;
	w.conf->has_lobby = true;
	handle(&(struct cp_event){.type = CP_EVENT_JOIN, .join = &in});
	cp_floor_room_user(w.room, leg('z'));
	handle(&(struct cp_event){.type = CP_EVENT_CONNECTED, .leg = leg('z')});
	cp_floor_room_connected(w.room, leg('z'), w.now_ms);
	w.log[0] = '\0';
	ask('z', 1);
	expect("z:Error!=2");
	handle(&(struct cp_event){.type = CP_EVENT_ADMIT, .leg = leg('z')});
	ask('z', 1);
	expect("-z z:FloorRequestStatus!=1Granted +z f1");
	/* and is told what comes of it */
	cp_floor_room_decide(
		w.room,
		&(struct cp_floor_decision){.request = 1, .floor = 1, .status = CP_BFCP_REVOKED},
		w.now_ms);
	expect("z:FloorRequestStatus=1Revoked -z 'Revoked z by U' f1");
}

static void
a_reader_who_stalls_is_cut(void **state)
{
	open_world(FLOORS("stage"));
	join("abc");
	ask('a', 1);
	post('b', &(struct cp_bfcp_msg){
			  .primitive = CP_BFCP_FLOOR_QUERY, .floor_count = 1, .floors = {1}});
	w.log[0] = '\0';
	w.choked = leg('b');
	release('a', 1);
	expect("a:FloorRequestStatus!=1Released -a f1 b:cut");
	/* the others never notice, and it may come again: without its subscription */
	w.choked = 0;
	ask('c', 1);
	expect("c:FloorRequestStatus!=2Granted +c f1");
	cp_floor_room_connected(w.room, leg('b'), w.now_ms);
	ask('b', 1);
	expect("b:FloorRequestStatus!=3Accepted f1");
}

static void
strange_octets_end_a_connection(void **state)
{
	static const uint8_t version[] = {0x60, 11, 0, 0, 0, 0xC0, 0xFF, 0xEE, 0, 1, 0xFF, 0xFE};
	static const uint8_t broken[] = {0x20, 7, 0,	1,    0, 0xC0, 0xFF, 0xEE,
					 0,    1, 0xFF, 0xFE, 5, 9,    0,    1};
	static const uint8_t strange[] = {0x20, 99, 0, 0, 0, 0xC0, 0xFF, 0xEE, 0, 1, 0xFF, 0xFE};
	static const uint8_t endless[] = {0x20, 7,    0xFF, 0xFF, 0,	0xC0,
					  0xFF, 0xEE, 0,    1,	  0xFF, 0xFE};
	uint8_t two[2 * sizeof(strange)];

	open_world(FLOORS("stage"));
	join("a");
	/* octet by octet, and two at once */
	for (size_t len = 0; len < sizeof(strange); len++)
		assert_int_equal(cp_floor_room_receive(w.room, leg('a'), strange, len, 1), 0);
	memcpy(two, strange, sizeof(strange));
	memcpy(two + sizeof(strange), strange, sizeof(strange));
	assert_int_equal(cp_floor_room_receive(w.room, leg('a'), two, sizeof(two) - 1, 1), 12);
	assert_int_equal(cp_floor_room_receive(w.room, leg('a'), two, sizeof(two), 1), 24);
	expect("a:Error!=3 a:Error!=3 a:Error!=3");
	assert_int_equal(cp_floor_room_receive(w.room, leg('a'), broken, sizeof(broken), 1),
			 sizeof(broken));
	expect("a:Error!=10 a:closed");
	assert_int_equal(cp_floor_room_receive(w.room, leg('a'), broken, sizeof(broken), 1),
			 sizeof(broken));
	expect("");
	cp_floor_room_connected(w.room, leg('a'), 1);
	cp_floor_room_receive(w.room, leg('a'), version, sizeof(version), 1);
	expect("a:Error!=12 a:closed");
	cp_floor_room_connected(w.room, leg('a'), 1);
	cp_floor_room_receive(w.room, leg('a'), endless, sizeof(endless), 1);
	expect("a:Error!=13 a:closed");
	/* another's number, another conference */
	cp_floor_room_connected(w.room, leg('a'), 1);
	post('a', &(struct cp_bfcp_msg){.primitive = CP_BFCP_HELLO, .user = 9});
	post('a', &(struct cp_bfcp_msg){.primitive = CP_BFCP_HELLO, .conf = 9});
	post('a', &(struct cp_bfcp_msg){.primitive = CP_BFCP_HELLO});
	expect("a:Error!=5 a:Error!=1 a:HelloAck!");
}

/* A crowd of messages is taken in portions. */
static void
messages_come_in_portions(void **state)
{
	struct cp_bfcp_msg hello = {.primitive = CP_BFCP_HELLO, .conf = CONF_ID, .transaction = 7};
	uint8_t many[100 * CP_BFCP_HEADER];

	open_world(FLOORS("stage"));
	join("a");
	hello.user = cp_floor_room_user(w.room, leg('a'));
	for (size_t i = 0; i < 100; i++)
		cp_bfcp_encode(many + i * CP_BFCP_HEADER, CP_BFCP_HEADER, &hello);
	assert_int_equal(cp_floor_room_receive(w.room, leg('a'), many, sizeof(many), 1),
			 CP_FLOOR_FRAMES_MAX * CP_BFCP_HEADER);
	assert_int_equal(cp_floor_room_receive(w.room, leg('a'), many, 36 * CP_BFCP_HEADER, 1),
			 36 * CP_BFCP_HEADER);
}

static void
time_is_limited(void **state)
{
	open_world(FLOORS("stage limit=60 warning=10"));
	join("ab");
	ask('a', 1);
	ask('b', 1);
	w.log[0] = '\0';
	assert_true(cp_floor_room_next_ms(w.room) == w.now_ms + 50000);
	w.now_ms += 50000;
	cp_floor_room_tick(w.room, w.now_ms);
	expect("a:FloorRequestStatus=1Granted");
	w.now_ms += 10000;
	cp_floor_room_tick(w.room, w.now_ms);
	expect("a:FloorRequestStatus=1Revoked b:FloorRequestStatus=2Granted -a +b f1");
}

static void
set_floors(struct cp_conf_floors floors)
{
	struct cp_conf_change change = {.which = CP_CONF_SET_FLOORS, .to = {.floors = floors}};

	assert_int_equal(handle(&(struct cp_event){
				 .type = CP_EVENT_UPDATE, .conf = w.conf->id, .change = &change}),
			 0);
}

static void
policies_change_while_it_runs(void **state)
{
	open_world(FLOORS("stage", "board chat"));
	join("Mabc");
	ask('a', 1);
	ask('b', 1);
	w.log[0] = '\0';
	/* more holders: who waits is granted; and back: who holds it goes on */
	set_floors(FLOORS("stage holders=2", "board chat"));
	expect("b:FloorRequestStatus=2Granted f1 +b");
	set_floors(FLOORS("stage chair", "board chat"));
	expect("");
	ask('c', 1);
	expect("c:FloorRequestStatus!=3Pending f1");
	/* who moderates is a chair from then on */
	act('m', 3, CP_BFCP_ACCEPTED);
	expect("m:ChairActionAck! c:FloorRequestStatus=3Accepted 'Accepted c by m' f1");
	/* others in their place: requests end, holders of what stays go on */
	ask('c', 2);
	w.log[0] = '\0';
	set_floors(FLOORS("stage holders=2", "paper chat"));
	expect("c:FloorRequestStatus=3Denied b:FloorRequestStatus=2Revoked "
	       "a:FloorRequestStatus=1Revoked c:FloorRequestStatus=4Revoked "
	       "a:FloorRequestStatus=1Granted b:FloorRequestStatus=2Granted f1 f1 f1 f2 f1 f1");
	assert_true(cp_leg_has_floor(leg_of(leg('a')), CP_MEDIUM_AUDIO));
	assert_false(cp_leg_has_floor(leg_of(leg('c')), CP_MEDIUM_CHAT));
	release('a', 1);
	expect("a:FloorRequestStatus!=1Released -a f1");
}

static void
the_conference_decides_too(void **state)
{
	struct cp_floor_view views[4];
	uint16_t request = 0;

	open_world(FLOORS("stage chair"));
	join("ab");
	/* who has no connection has a place as well */
	cp_floor_room_lost(w.room, leg('a'), w.now_ms);
	w.now_ms += 30000;
	cp_floor_room_tick(w.room, w.now_ms);
	assert_int_equal(cp_floor_room_ask(w.room, &request, 0, leg('a'), false, w.now_ms),
			 CP_BFCP_OK);
	expect("f1");
	assert_int_equal(cp_floor_room_ask(w.room, &request, 0, leg('a'), true, w.now_ms),
			 CP_BFCP_TOO_MANY);
	assert_int_equal(cp_floor_room_list(w.room, views, 4, 0), 1);
	assert_int_equal(cp_floor_room_leg(w.room, views[0].beneficiary), leg('a'));
	assert_int_equal(cp_floor_room_decide(
				 w.room,
				 &(struct cp_floor_decision){
					 .request = request, .floor = 1, .status = CP_BFCP_GRANTED},
				 w.now_ms),
			 CP_BFCP_OK);
	expect("+a 'Granted a by U' f1");
	assert_int_equal(cp_floor_room_ask(w.room, &request, 0, leg('b'), true, w.now_ms),
			 CP_BFCP_OK);
	expect("b:FloorRequestStatus=2Accepted f1 'Accepted b by U'");
	assert_int_equal(cp_floor_room_release(w.room, 1, w.now_ms), CP_BFCP_OK);
	expect("b:FloorRequestStatus=2Granted -a +b f1");
	assert_int_equal(cp_floor_room_release(w.room, 1, w.now_ms), CP_BFCP_NO_REQUEST);
	assert_int_equal(cp_floor_room_ask(w.room, &request, 7, leg('b'), true, w.now_ms),
			 CP_BFCP_NO_FLOOR);
	assert_int_equal(cp_floor_room_ask(w.room, &request, 0, 4711, true, w.now_ms),
			 CP_BFCP_NO_USER);
}

/* Our restart: the media of a holder goes on, and so does the floor; calls and connections are gone. */
static void
a_restart_keeps_the_holder(void **state)
{
	struct cp_floor_view view;

	open_world(FLOORS("stage"));
	join("ab");
	ask('a', 1);
	ask('b', 1);
	cp_floor_room_destroy(w.room);
	open_room();
	w.log[0] = '\0';
	for (const struct cp_leg *l = w.conf->legs; l; l = l->next)
		cp_floor_room_put(w.room, l, w.now_ms);
	expect("f1");
	assert_int_equal(cp_floor_room_list(w.room, &view, 1, 0), 1);
	assert_int_equal(cp_floor_room_leg(w.room, view.beneficiary), leg('a'));
	assert_int_equal(view.status, CP_BFCP_GRANTED);
	handle(&(struct cp_event){.type = CP_EVENT_GONE, .leg = leg('a')});
	assert_int_equal(cp_floor_room_list(w.room, &view, 1, 0), 0);
}

static void
the_room_has_an_end(void **state)
{
	open_world(FLOORS("stage"));
	join("abcdef");
	assert_int_equal(cp_floor_room_user(w.room, 4711), 0);
	/* the numbers went round, without 0 */
	assert_int_equal(cp_floor_room_user(w.room, leg('a')), 65534);
	assert_int_equal(cp_floor_room_user(w.room, leg('b')), 65535);
	assert_int_equal(cp_floor_room_user(w.room, leg('c')), 1);
	handle(&(struct cp_event){.type = CP_EVENT_GONE, .leg = leg('a')});
	assert_int_equal(cp_floor_room_user(w.room, 4711), 5);
	assert_int_equal(cp_floor_room_leg(w.room, 65534), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(only_holders_are_heard, close_world),
		cmocka_unit_test_teardown(a_chair_decides, close_world),
		cmocka_unit_test_teardown(a_holder_who_is_killed_makes_room, close_world),
		cmocka_unit_test_teardown(connections_break_and_come_again, close_world),
		cmocka_unit_test_teardown(who_may_not_speak_may_not_ask, close_world),
		cmocka_unit_test_teardown(who_waits_may_not_ask, close_world),
		cmocka_unit_test_teardown(a_reader_who_stalls_is_cut, close_world),
		cmocka_unit_test_teardown(strange_octets_end_a_connection, close_world),
		cmocka_unit_test_teardown(messages_come_in_portions, close_world),
		cmocka_unit_test_teardown(time_is_limited, close_world),
		cmocka_unit_test_teardown(policies_change_while_it_runs, close_world),
		cmocka_unit_test_teardown(the_conference_decides_too, close_world),
		cmocka_unit_test_teardown(a_restart_keeps_the_holder, close_world),
		cmocka_unit_test_teardown(the_room_has_an_end, close_world),
	};

	return cmocka_run_group_tests_name("floors of a conference", tests, NULL, NULL);
}
