/* The floor control server of RFC 8855 section 13 with a fake clock: each policy, each message, each error. */
#include "tests/scenario/bfcp/world.h"

static struct floor_world w;
static const struct cp_floor_options options = {
	.conf = CONF,
	.users_max = 8,
	.requests_max = 8,
	.keep_ms = 30000,
	.needs_tls = true,
};

#define FIRST_COME                                                               \
	{                                                                        \
		.mode = CP_FLOOR_FIRST_COME, .holders_max = 1, .per_user_max = 1 \
	}

static void
open_with(struct cp_floor_policy seven, struct cp_floor_policy eight)
{
	floor_world_open(&w, &options, 5);
	assert_int_equal(cp_floor_add(w.s, 7, &seven), 0);
	assert_int_equal(cp_floor_add(w.s, 8, &eight), 0);
}

static void
open_plain(enum cp_floor_mode mode)
{
	struct cp_floor_policy policy = {.mode = mode, .holders_max = 1, .per_user_max = 1};

	open_with(policy, policy);
}

static void
forget(void)
{
	w.len = 0;
	w.log[0] = '\0';
}

/* What has been done since the last time. */
static void
expect(const char *log)
{
	assert_string_equal(w.log, log);
	forget();
}

static void
done(void)
{
	expect("");
	cp_floor_destroy(w.s);
}

static void
ask(uint16_t user)
{
	floor_world_send(&w, user,
			 &(struct cp_bfcp_msg){.primitive = CP_BFCP_FLOOR_REQUEST,
					       .floor_count = 1,
					       .floors = {7}});
}

static void
ask_for(uint16_t user, uint16_t beneficiary)
{
	floor_world_send(&w, user,
			 &(struct cp_bfcp_msg){.primitive = CP_BFCP_FLOOR_REQUEST,
					       .floor_count = 1,
					       .floors = {7},
					       .has_beneficiary = true,
					       .beneficiary = beneficiary});
}

static void
ask_with(uint16_t user, uint8_t priority)
{
	floor_world_send(&w, user,
			 &(struct cp_bfcp_msg){.primitive = CP_BFCP_FLOOR_REQUEST,
					       .floor_count = 1,
					       .floors = {7},
					       .has_priority = true,
					       .priority = priority});
}

static void
ask_both(uint16_t user)
{
	floor_world_send(&w, user,
			 &(struct cp_bfcp_msg){.primitive = CP_BFCP_FLOOR_REQUEST,
					       .floor_count = 2,
					       .floors = {7, 8}});
}

static void
about(uint16_t user, uint8_t primitive, uint16_t request)
{
	floor_world_send(&w, user,
			 &(struct cp_bfcp_msg){.primitive = primitive,
					       .has_request_id = true,
					       .request_id = request});
}

static void
release(uint16_t user, uint16_t request)
{
	about(user, CP_BFCP_FLOOR_RELEASE, request);
}

static void
query(uint16_t user, size_t count)
{
	floor_world_send(&w, user,
			 &(struct cp_bfcp_msg){.primitive = CP_BFCP_FLOOR_QUERY,
					       .floor_count = count,
					       .floors = {7, 8}});
}

static void
act(uint16_t chair, uint16_t request, uint16_t floor, uint8_t status, uint8_t queue)
{
	floor_world_send(
		&w, chair,
		&(struct cp_bfcp_msg){
			.primitive = CP_BFCP_CHAIR_ACTION,
			.request_count = 1,
			.requests = {{
				.id = request,
				.floor_count = 1,
				.floors = {{.floor = floor,
					    .has_status = status > 0,
					    .status = status,
					    .queue = queue,
					    .info = cp_slice_text(status == CP_BFCP_DENIED ? "later"
											   : "")}},
			}},
		});
}

static void
tick(uint64_t now)
{
	w.turn.now_ms = now;
	cp_floor_tick(w.s, &w.turn);
}

static void
test_first_come(void **state)
{
	open_plain(CP_FLOOR_FIRST_COME);
	ask(2);
	expect("+2 f7\n"
	       "2 FloorRequestStatus 9: 1 Granted 0 for 2 (7 Granted 0)\n"
	       "=1 u2 Granted 0\n");
	ask(3);
	expect("3 FloorRequestStatus 9: 2 Accepted 1 for 3 (7 Accepted 1)\n"
	       "=2 u3 Accepted 1\n");
	ask(4);
	expect("4 FloorRequestStatus 9: 3 Accepted 2 for 4 (7 Accepted 2)\n"
	       "=3 u4 Accepted 2\n");
	/* Released, for it was granted; who is next is heard before anything is said. */
	release(2, 1);
	expect("-2 f7\n+3 f7\n"
	       "2 FloorRequestStatus 9: 1 Released 0 for 2 (7 Released 0)\n"
	       "=1 u2 Released 0\n"
	       "=2 u3 Granted 0\n"
	       "3 FloorRequestStatus 0: 2 Granted 0 for 3 (7 Granted 0)\n"
	       "=3 u4 Accepted 1\n"
	       "4 FloorRequestStatus 0: 3 Accepted 1 for 4 (7 Accepted 1)\n");
	/* Cancelled, for it was not. */
	release(4, 3);
	expect("4 FloorRequestStatus 9: 3 Cancelled 0 for 4 (7 Cancelled 0)\n"
	       "=3 u4 Cancelled 0\n");
	done();
}

/* Above the own limit counts as the limit; what is as urgent keeps its place. */
static void
test_priorities(void **state)
{
	struct cp_floor_view list[8];

	open_plain(CP_FLOOR_FIRST_COME);
	ask(1);
	ask(2);
	ask_with(3, 4);
	ask_with(4, 3);
	ask_with(5, 0);
	assert_int_equal(cp_floor_list(w.s, list, 8, 7), 5);
	assert_int_equal(list[0].beneficiary, 1);
	assert_int_equal(list[0].status, CP_BFCP_GRANTED);
	assert_true(list[0].granted_ms == w.turn.now_ms);
	assert_true(list[1].granted_ms == CP_FLOOR_NEVER);
	assert_int_equal(list[1].beneficiary, 3);
	assert_int_equal(list[1].priority, 3);
	assert_int_equal(list[2].beneficiary, 4);
	assert_int_equal(list[3].beneficiary, 2);
	assert_int_equal(list[3].place, 3);
	assert_int_equal(list[4].beneficiary, 5);
	assert_int_equal(cp_floor_list(w.s, list, 2, 7), 2);
	assert_int_equal(cp_floor_list(w.s, list, 8, 99), 0);
	forget();
	done();
}

static void
test_chair(void **state)
{
	open_plain(CP_FLOOR_CHAIR);
	assert_int_equal(cp_floor_set_chair(w.s, 7, 5, true), 0);
	ask(2);
	expect("2 FloorRequestStatus 9: 1 Pending 0 for 2 (7 Pending 0)\n"
	       "=1 u2 Pending 0\n");
	ask(3);
	ask(4);
	forget();
	act(5, 1, 7, CP_BFCP_GRANTED, 0);
	expect("+2 f7\n"
	       "5 ChairActionAck 9:\n"
	       "=1 u2 Granted 0\n"
	       "2 FloorRequestStatus 0: 1 Granted 0 for 2 (7 Granted 0)\n");
	act(5, 2, 7, CP_BFCP_ACCEPTED, 0);
	expect("5 ChairActionAck 9:\n"
	       "=2 u3 Accepted 1\n"
	       "3 FloorRequestStatus 0: 2 Accepted 1 for 3 (7 Accepted 1)\n");
	/* Into the first place: the other moves. */
	act(5, 3, 7, CP_BFCP_ACCEPTED, 1);
	expect("5 ChairActionAck 9:\n"
	       "=2 u3 Accepted 2\n"
	       "3 FloorRequestStatus 0: 2 Accepted 2 for 3 (7 Accepted 2)\n"
	       "=3 u4 Accepted 1\n"
	       "4 FloorRequestStatus 0: 3 Accepted 1 for 4 (7 Accepted 1)\n");
	/* A place behind the end is the end, and place 0 changes nothing. */
	act(5, 3, 7, CP_BFCP_ACCEPTED, 200);
	forget();
	act(5, 3, 7, CP_BFCP_ACCEPTED, 0);
	expect("5 ChairActionAck 9:\n"
	       "=3 u4 Accepted 2\n"
	       "4 FloorRequestStatus 0: 3 Accepted 2 for 4 (7 Accepted 2)\n");
	act(5, 2, 7, CP_BFCP_DENIED, 0);
	expect("5 ChairActionAck 9:\n"
	       "=2 u3 Denied 0\n"
	       "3 FloorRequestStatus 0: 2 Denied 0 for 3 (7 Denied 0) \"later\"\n"
	       "=3 u4 Accepted 1\n"
	       "4 FloorRequestStatus 0: 3 Accepted 1 for 4 (7 Accepted 1)\n");
	act(5, 1, 7, CP_BFCP_REVOKED, 0);
	expect("-2 f7\n+4 f7\n"
	       "5 ChairActionAck 9:\n"
	       "=1 u2 Revoked 0\n"
	       "2 FloorRequestStatus 0: 1 Revoked 0 for 2 (7 Revoked 0)\n"
	       "=3 u4 Granted 0\n"
	       "4 FloorRequestStatus 0: 3 Granted 0 for 4 (7 Granted 0)\n");
	/* Chair and server cross: denying what is granted revokes it. */
	act(5, 3, 7, CP_BFCP_DENIED, 0);
	expect("-4 f7\n"
	       "5 ChairActionAck 9:\n"
	       "=3 u4 Revoked 0\n"
	       "4 FloorRequestStatus 0: 3 Revoked 0 for 4 (7 Revoked 0) \"later\"\n");
	/* A chair's own is accepted, also for somebody else. */
	ask_for(5, 3);
	expect("+3 f7\n"
	       "5 FloorRequestStatus 9: 4 Granted 0 for 3 by 5 (7 Granted 0)\n"
	       "=4 u3 Granted 0\n"
	       "3 FloorRequestStatus 0: 4 Granted 0 for 3 by 5 (7 Granted 0)\n");
	done();
}

/* Two floors of two chairs: granted together, denied by either. */
static void
test_two_chairs(void **state)
{
	open_plain(CP_FLOOR_CHAIR);
	assert_int_equal(cp_floor_set_chair(w.s, 7, 4, true), 0);
	assert_int_equal(cp_floor_set_chair(w.s, 8, 5, true), 0);
	ask_both(2);
	forget();
	act(4, 1, 7, CP_BFCP_GRANTED, 0);
	expect("4 ChairActionAck 9:\n"
	       "=1 u2 Pending 0\n"
	       "2 FloorRequestStatus 0: 1 Pending 0 for 2 (7 Accepted 1) (8 Pending 0)\n");
	act(4, 1, 8, CP_BFCP_GRANTED, 0);
	expect("4 Error 9: 5\n");
	act(5, 1, 8, CP_BFCP_GRANTED, 0);
	expect("+2 f7\n+2 f8\n"
	       "5 ChairActionAck 9:\n"
	       "=1 u2 Granted 0\n"
	       "2 FloorRequestStatus 0: 1 Granted 0 for 2 (7 Granted 0) (8 Granted 0)\n");
	ask_both(3);
	act(4, 2, 7, CP_BFCP_ACCEPTED, 0);
	forget();
	act(5, 2, 8, CP_BFCP_DENIED, 0);
	expect("5 ChairActionAck 9:\n"
	       "=2 u3 Denied 0\n"
	       "3 FloorRequestStatus 0: 2 Denied 0 for 3 (7 Denied 0) (8 Denied 0) \"later\"\n");
	done();
}

static void
test_moderator_only(void **state)
{
	open_plain(CP_FLOOR_MODERATOR);
	ask(2);
	expect("2 Error 9: 5\n");
	ask_for(1, 2);
	expect("+2 f7\n"
	       "1 FloorRequestStatus 9: 1 Granted 0 for 2 by 1 (7 Granted 0)\n"
	       "=1 u2 Granted 0\n"
	       "2 FloorRequestStatus 0: 1 Granted 0 for 2 by 1 (7 Granted 0)\n");
	/* Who has it may give it back. */
	release(2, 1);
	expect("-2 f7\n"
	       "2 FloorRequestStatus 9: 1 Released 0 for 2 by 1 (7 Released 0)\n"
	       "=1 u2 Released 0\n"
	       "1 FloorRequestStatus 0: 1 Released 0 for 2 by 1 (7 Released 0)\n");
	done();
}

static void
test_holders(void **state)
{
	struct cp_floor_policy two = FIRST_COME;

	two.holders_max = 2;
	two.per_user_max = 2;
	open_with(two, two);
	ask(2);
	ask(2);
	forget();
	ask(3);
	expect("3 FloorRequestStatus 9: 3 Accepted 1 for 3 (7 Accepted 1)\n"
	       "=3 u3 Accepted 1\n");
	/* Held twice: given back once it is still held. */
	release(2, 1);
	expect("+3 f7\n"
	       "2 FloorRequestStatus 9: 1 Released 0 for 2 (7 Released 0)\n"
	       "=1 u2 Released 0\n"
	       "=3 u3 Granted 0\n"
	       "3 FloorRequestStatus 0: 3 Granted 0 for 3 (7 Granted 0)\n");
	/* Fewer may: who holds keeps it, and the next waits for two to go. */
	two.holders_max = 1;
	assert_int_equal(cp_floor_set_policy(w.s, 7, &two, &w.turn), 0);
	expect("");
	ask(4);
	forget();
	release(2, 2);
	expect("-2 f7\n"
	       "2 FloorRequestStatus 9: 2 Released 0 for 2 (7 Released 0)\n"
	       "=2 u2 Released 0\n");
	done();
}

static void
test_policy_changes(void **state)
{
	struct cp_floor_policy policy = FIRST_COME;

	open_plain(CP_FLOOR_CHAIR);
	ask(2);
	ask(3);
	forget();
	assert_int_equal(cp_floor_set_policy(w.s, 7, &policy, &w.turn), 0);
	expect("+2 f7\n"
	       "=1 u2 Granted 0\n"
	       "2 FloorRequestStatus 0: 1 Granted 0 for 2 (7 Granted 0)\n"
	       "=2 u3 Accepted 1\n"
	       "3 FloorRequestStatus 0: 2 Accepted 1 for 3 (7 Accepted 1)\n");
	assert_int_equal(cp_floor_set_policy(w.s, 9, &policy, &w.turn), -ENOENT);
	assert_int_equal(cp_floor_add(w.s, 7, &policy), -EEXIST);
	policy.holders_max = 0;
	assert_int_equal(cp_floor_set_policy(w.s, 7, &policy, &w.turn), -EINVAL);
	assert_int_equal(cp_floor_add(w.s, 9, &policy), -EINVAL);
	done();
}

/* Several floors wait for all of them, and do not hold up who wants one. */
static void
test_two_floors(void **state)
{
	open_plain(CP_FLOOR_FIRST_COME);
	ask(2);
	ask_both(3);
	forget();
	floor_world_send(&w, 4,
			 &(struct cp_bfcp_msg){.primitive = CP_BFCP_FLOOR_REQUEST,
					       .floor_count = 2,
					       .floors = {8, 8}});
	expect("+4 f8\n"
	       "4 FloorRequestStatus 9: 3 Granted 0 for 4 (8 Granted 0)\n"
	       "=3 u4 Granted 0\n");
	release(2, 1);
	expect("-2 f7\n"
	       "2 FloorRequestStatus 9: 1 Released 0 for 2 (7 Released 0)\n"
	       "=1 u2 Released 0\n");
	release(4, 3);
	expect("-4 f8\n+3 f7\n+3 f8\n"
	       "4 FloorRequestStatus 9: 3 Released 0 for 4 (8 Released 0)\n"
	       "=2 u3 Granted 0\n"
	       "3 FloorRequestStatus 0: 2 Granted 0 for 3 (7 Granted 0) (8 Granted 0)\n"
	       "=3 u4 Released 0\n");
	done();
}

static void
test_limit(void **state)
{
	struct cp_floor_policy policy = FIRST_COME;

	policy.limit_ms = 60000;
	policy.warning_ms = 10000;
	open_with(policy, (struct cp_floor_policy)FIRST_COME);
	assert_true(cp_floor_next_ms(w.s) == CP_FLOOR_NEVER);
	ask(2);
	ask(3);
	forget();
	assert_int_equal(cp_floor_next_ms(w.s), 51000);
	tick(50999);
	expect("");
	tick(51000);
	expect("=1 u2 Granted 0\n"
	       "2 FloorRequestStatus 0: 1 Granted 0 for 2 (7 Granted 0) \"The floor ends in 10 "
	       "s\"\n");
	assert_int_equal(cp_floor_next_ms(w.s), 61000);
	tick(60999);
	expect("");
	tick(61000);
	expect("-2 f7\n+3 f7\n"
	       "=1 u2 Revoked 0\n"
	       "2 FloorRequestStatus 0: 1 Revoked 0 for 2 (7 Revoked 0) \"The time is over\"\n"
	       "=2 u3 Granted 0\n"
	       "3 FloorRequestStatus 0: 2 Granted 0 for 3 (7 Granted 0)\n");
	assert_int_equal(cp_floor_next_ms(w.s), 111000);
	done();
}

static void
test_subscriptions(void **state)
{
	open_plain(CP_FLOOR_CHAIR);
	assert_int_equal(cp_floor_set_chair(w.s, 7, 5, true), 0);
	query(5, 2);
	expect("5 FloorStatus 9: f7\n5 FloorStatus 0: f8\n");
	query(4, 1);
	expect("4 FloorStatus 9: f7\n");
	/* The chair sees what is pending, others do not. */
	ask(2);
	expect("2 FloorRequestStatus 9: 1 Pending 0 for 2 (7 Pending 0)\n"
	       "=1 u2 Pending 0\n"
	       "4 FloorStatus 0: f7\n"
	       "5 FloorStatus 0: f7 1 Pending 0 for 2 (7 Pending 0)\n");
	act(5, 1, 7, CP_BFCP_GRANTED, 0);
	expect("+2 f7\n"
	       "5 ChairActionAck 9:\n"
	       "=1 u2 Granted 0\n"
	       "2 FloorRequestStatus 0: 1 Granted 0 for 2 (7 Granted 0)\n"
	       "4 FloorStatus 0: f7 1 Granted 0 for 2 (7 Granted 0)\n"
	       "5 FloorStatus 0: f7 1 Granted 0 for 2 (7 Granted 0)\n");
	/* An unknown floor leaves the old set, an empty query ends it. */
	floor_world_send(&w, 4,
			 &(struct cp_bfcp_msg){.primitive = CP_BFCP_FLOOR_QUERY,
					       .floor_count = 2,
					       .floors = {8, 99}});
	expect("4 Error 9: 6\n");
	query(5, 0);
	expect("5 FloorStatus 9:\n");
	release(2, 1);
	expect("-2 f7\n"
	       "2 FloorRequestStatus 9: 1 Released 0 for 2 (7 Released 0)\n"
	       "=1 u2 Released 0\n"
	       "4 FloorStatus 0: f7\n");
	/* A new set replaces the old. */
	floor_world_send(&w, 4,
			 &(struct cp_bfcp_msg){.primitive = CP_BFCP_FLOOR_QUERY,
					       .floor_count = 1,
					       .floors = {8}});
	expect("4 FloorStatus 9: f8\n");
	ask(2);
	expect("2 FloorRequestStatus 9: 2 Pending 0 for 2 (7 Pending 0)\n"
	       "=2 u2 Pending 0\n");
	done();
}

static void
test_queries(void **state)
{
	struct cp_bfcp_msg user_query = {.primitive = CP_BFCP_USER_QUERY};

	open_plain(CP_FLOOR_CHAIR);
	assert_int_equal(cp_floor_set_chair(w.s, 7, 5, true), 0);
	ask(2);
	forget();
	about(2, CP_BFCP_FLOOR_REQUEST_QUERY, 1);
	expect("2 FloorRequestStatus 9: 1 Pending 0 for 2 (7 Pending 0)\n");
	about(5, CP_BFCP_FLOOR_REQUEST_QUERY, 1);
	expect("5 FloorRequestStatus 9: 1 Pending 0 for 2 (7 Pending 0)\n");
	about(3, CP_BFCP_FLOOR_REQUEST_QUERY, 1);
	expect("3 Error 9: 5\n");
	floor_world_send(&w, 2, &user_query);
	expect("2 UserStatus 9: 1 Pending 0 for 2 (7 Pending 0)\n");
	user_query.has_beneficiary = true;
	user_query.beneficiary = 2;
	floor_world_send(&w, 1, &user_query);
	expect("1 UserStatus 9: 2 user 2 1 Pending 0 for 2 (7 Pending 0)\n");
	floor_world_send(&w, 3, &user_query);
	expect("3 UserStatus 9: 2 user 2\n");
	done();
}

static void
test_hello(void **state)
{
	open_plain(CP_FLOOR_FIRST_COME);
	floor_world_send(&w, 2, &(struct cp_bfcp_msg){.primitive = CP_BFCP_HELLO});
	expect("2 HelloAck 9:\n");
	assert_int_equal(w.out.primitives.len, 13);
	assert_int_equal(w.out.primitives.ptr[12], CP_BFCP_ERROR);
	assert_int_equal(w.out.attributes.len, 18);
	assert_int_equal((uint8_t)w.out.attributes.ptr[17], CP_BFCP_OVERALL_REQUEST_STATUS << 1);
	done();
}

/* A connection cut in a queue and one cut while holding. */
static void
test_lost(void **state)
{
	open_plain(CP_FLOOR_FIRST_COME);
	ask(2);
	ask(3);
	ask(4);
	query(3, 1);
	forget();
	assert_int_equal(cp_floor_lost(w.s, 3, &w.turn), 0);
	expect("");
	/* Who is away is passed over, keeps its place and gets nothing sent. */
	release(2, 1);
	expect("-2 f7\n+4 f7\n"
	       "2 FloorRequestStatus 9: 1 Released 0 for 2 (7 Released 0)\n"
	       "=1 u2 Released 0\n"
	       "=3 u4 Granted 0\n"
	       "4 FloorRequestStatus 0: 3 Granted 0 for 4 (7 Granted 0)\n");
	w.turn.now_ms = 20000;
	assert_int_equal(cp_floor_connected(w.s, 3, &w.turn), 0);
	assert_int_equal(cp_floor_lost(w.s, 4, &w.turn), 0);
	assert_int_equal(cp_floor_next_ms(w.s), 50000);
	tick(49999);
	expect("");
	tick(50000);
	expect("-4 f7\n+3 f7\n"
	       "=2 u3 Granted 0\n"
	       "3 FloorRequestStatus 0: 2 Granted 0 for 3 (7 Granted 0)\n"
	       "=3 u4 Revoked 0\n");
	assert_true(cp_floor_next_ms(w.s) == CP_FLOOR_NEVER);
	/* Away while the floor gets free: granted on coming back. */
	ask(2);
	assert_int_equal(cp_floor_lost(w.s, 2, &w.turn), 0);
	release(3, 2);
	forget();
	assert_int_equal(cp_floor_connected(w.s, 2, &w.turn), 0);
	expect("+2 f7\n"
	       "=4 u2 Granted 0\n"
	       "2 FloorRequestStatus 0: 4 Granted 0 for 2 (7 Granted 0)\n");
	assert_int_equal(cp_floor_connected(w.s, 99, &w.turn), -ENOENT);
	assert_int_equal(cp_floor_lost(w.s, 99, &w.turn), -ENOENT);
	done();
}

static void
test_removed(void **state)
{
	open_plain(CP_FLOOR_FIRST_COME);
	ask(2);
	ask_for(1, 3);
	ask(4);
	forget();
	/* What the moderator asked for another stays. */
	assert_int_equal(cp_floor_remove_user(w.s, 1, &w.turn), 0);
	expect("");
	assert_int_equal(cp_floor_remove_user(w.s, 2, &w.turn), 0);
	expect("-2 f7\n+3 f7\n"
	       "=1 u2 Revoked 0\n"
	       "2 FloorRequestStatus 0: 1 Revoked 0 for 2 (7 Revoked 0) \"Removed from the "
	       "conference\"\n"
	       "=2 u3 Granted 0\n"
	       "3 FloorRequestStatus 0: 2 Granted 0 for 3 (7 Granted 0)\n"
	       "=3 u4 Accepted 1\n"
	       "4 FloorRequestStatus 0: 3 Accepted 1 for 4 (7 Accepted 1)\n");
	assert_int_equal(cp_floor_remove_user(w.s, 2, &w.turn), -ENOENT);
	ask(2);
	expect("2 Error 9: 2\n");
	done();
}

static void
test_conference_decides(void **state)
{
	struct cp_floor_decision decision = {
		.request = 1, .floor = 7, .status = CP_BFCP_GRANTED, .info = "by the page"};
	uint16_t request;

	open_plain(CP_FLOOR_CHAIR);
	ask(2);
	forget();
	assert_int_equal(cp_floor_decide(w.s, &decision, &w.turn), CP_BFCP_OK);
	expect("+2 f7\n"
	       "=1 u2 Granted 0\n"
	       "2 FloorRequestStatus 0: 1 Granted 0 for 2 (7 Granted 0) \"by the page\"\n");
	assert_int_equal(cp_floor_ask(w.s, &request, 7, 3, &w.turn), CP_BFCP_OK);
	assert_int_equal(request, 2);
	expect("=2 u3 Accepted 1\n"
	       "3 FloorRequestStatus 0: 2 Accepted 1 for 3 (7 Accepted 1)\n");
	assert_int_equal(cp_floor_ask(w.s, &request, 7, 3, &w.turn), CP_BFCP_TOO_MANY);
	assert_int_equal(cp_floor_ask(w.s, &request, 9, 3, &w.turn), CP_BFCP_NO_FLOOR);
	assert_int_equal(cp_floor_ask(w.s, &request, 7, 99, &w.turn), CP_BFCP_NO_USER);
	decision.request = 55;
	assert_int_equal(cp_floor_decide(w.s, &decision, &w.turn), CP_BFCP_NO_REQUEST);
	done();
}

/* Octets that the codec refuses: header of user 2, transaction 9, then what follows. */
static void
send_octets(const uint8_t *octets, size_t len)
{
	struct cp_floor_from from = {.user = 2, .is_secure = true};

	from.decoded = cp_bfcp_decode(&w.in, octets, len);
	cp_floor_receive(w.s, &from, &w.in, &w.turn);
}

#define HEADER(first, primitive, words) \
	first, primitive, 0, words, 0, 0, CONF >> 8, CONF & 0xff, 0, 9, 0, 2

static void
test_codec_errors(void **state)
{
	static const uint8_t unknown_primitive[] = {HEADER(0x20, 77, 0)};
	static const uint8_t unknown_attribute[] = {HEADER(0x20, CP_BFCP_HELLO, 1), 99 << 1 | 1, 4,
						    0, 0};
	static const uint8_t unparsable[] = {HEADER(0x20, CP_BFCP_HELLO, 1), 2 << 1, 9, 0, 0};
	static const uint8_t version[] = {HEADER(0x40, CP_BFCP_HELLO, 0)};
	static const uint8_t length[] = {HEADER(0x20, CP_BFCP_HELLO, 3)};

	open_plain(CP_FLOOR_FIRST_COME);
	send_octets(unknown_primitive, sizeof(unknown_primitive));
	expect("2 Error 9: 3\n");
	send_octets(unknown_attribute, sizeof(unknown_attribute));
	expect("2 Error 9: 4\n");
	assert_int_equal(w.out.error_details.len, 1);
	assert_int_equal((uint8_t)w.out.error_details.ptr[0], 99 << 1);
	/* After these the stream cannot be followed. */
	send_octets(unparsable, sizeof(unparsable));
	expect("2 Error 9: 10\nx2\n");
	send_octets(version, sizeof(version));
	expect("2 Error 9: 12\nx2\n");
	send_octets(length, sizeof(length));
	expect("2 Error 9: 13\nx2\n");
	done();
}

/* 1, 2, 5, 9: who speaks, and where. */
static void
test_who_errors(void **state)
{
	struct cp_bfcp_msg hello = {.primitive = CP_BFCP_HELLO, .conf = 1};

	open_plain(CP_FLOOR_FIRST_COME);
	floor_world_send(&w, 2, &hello);
	expect("2 Error 9: 1\n");
	assert_int_equal(w.out.conf, 1);
	hello.conf = CONF;
	hello.user = 3;
	floor_world_send(&w, 2, &hello);
	expect("2 Error 9: 5\n");
	assert_int_equal(w.out.user, 3);
	hello.user = 99;
	floor_world_send(&w, 99, &hello);
	expect("99 Error 9: 2\n");
	hello.user = 2;
	w.is_plain = true;
	floor_world_send(&w, 2, &hello);
	expect("2 Error 9: 9\n");
	w.is_plain = false;
	ask_for(1, 99);
	expect("1 Error 9: 2\n");
	ask_for(2, 3);
	expect("2 Error 9: 5\n");
	/* What only servers say. */
	floor_world_send(&w, 2, &(struct cp_bfcp_msg){.primitive = CP_BFCP_FLOOR_STATUS});
	expect("2 Error 9: 3\n");
	done();
}

/* 5, 6, 7, 8, 14: what is wanted. */
static void
test_what_errors(void **state)
{
	struct cp_floor_person listener = {.id = 6};

	open_plain(CP_FLOOR_FIRST_COME);
	assert_int_equal(cp_floor_set_chair(w.s, 7, 5, true), 0);
	floor_world_send(&w, 2,
			 &(struct cp_bfcp_msg){.primitive = CP_BFCP_FLOOR_REQUEST,
					       .floor_count = 2,
					       .floors = {7, 99}});
	expect("2 Error 9: 6\n");
	about(2, CP_BFCP_FLOOR_REQUEST_QUERY, 5);
	release(2, 5);
	act(5, 5, 7, CP_BFCP_GRANTED, 0);
	expect("2 Error 9: 7\n2 Error 9: 7\n5 Error 9: 7\n");
	ask(2);
	forget();
	ask(2);
	expect("2 Error 9: 8\n");
	release(3, 1);
	expect("3 Error 9: 5\n");
	act(3, 1, 7, CP_BFCP_REVOKED, 0);
	expect("3 Error 9: 5\n");
	act(5, 1, 8, CP_BFCP_REVOKED, 0);
	expect("5 Error 9: 6\n");
	act(5, 1, 7, CP_BFCP_CANCELLED, 0);
	act(5, 1, 7, 0, 0);
	act(5, 1, 7, CP_BFCP_ACCEPTED, 1);
	expect("5 Error 9: 14\n5 Error 9: 14\n5 Error 9: 14\n");
	assert_int_equal(cp_floor_put_user(w.s, &listener), 0);
	ask(6);
	expect("6 Error 9: 5\n");
	done();
}

static void
test_no_room(void **state)
{
	struct cp_floor_options small = options;
	struct cp_floor_policy policy = FIRST_COME;
	struct cp_floor_person person = {.id = 9};

	small.requests_max = 1;
	small.users_max = 2;
	floor_world_open(&w, &small, 2);
	assert_int_equal(cp_floor_add(w.s, 7, &policy), 0);
	ask(1);
	forget();
	ask(2);
	expect("2 Error 9: 14\n");
	release(1, 1);
	forget();
	ask(2);
	expect("+2 f7\n"
	       "2 FloorRequestStatus 9: 2 Granted 0 for 2 (7 Granted 0)\n"
	       "=2 u2 Granted 0\n");
	assert_int_equal(cp_floor_put_user(w.s, &person), -ENOSPC);
	person.id = 0;
	assert_int_equal(cp_floor_put_user(w.s, &person), -EINVAL);
	for (uint16_t i = 10; i < 10 + CP_BFCP_FLOORS_MAX - 1; i++)
		assert_int_equal(cp_floor_add(w.s, i, &policy), 0);
	assert_int_equal(cp_floor_add(w.s, 99, &policy), -ENOSPC);
	assert_int_equal(cp_floor_set_chair(w.s, 1, 1, true), -ENOENT);
	small.users_max = 0;
	done();
	assert_int_equal(cp_floor_create(&w.s, &small), -EINVAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_come),
		cmocka_unit_test(test_priorities),
		cmocka_unit_test(test_chair),
		cmocka_unit_test(test_two_chairs),
		cmocka_unit_test(test_moderator_only),
		cmocka_unit_test(test_holders),
		cmocka_unit_test(test_policy_changes),
		cmocka_unit_test(test_two_floors),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_subscriptions),
		cmocka_unit_test(test_queries),
		cmocka_unit_test(test_hello),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_removed),
		cmocka_unit_test(test_conference_decides),
		cmocka_unit_test(test_codec_errors),
		cmocka_unit_test(test_who_errors),
		cmocka_unit_test(test_what_errors),
		cmocka_unit_test(test_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
