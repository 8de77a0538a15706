/* Those who come again: a new connection, and another person with the number of one that was removed. */
#include "tests/scenario/bfcp/world.h"

static struct floor_world w;

static void
open_floor(void)
{
	static const struct cp_floor_options options = {
		.conf = CONF, .users_max = 4, .requests_max = 4};
	struct cp_floor_policy policy = {
		.mode = CP_FLOOR_FIRST_COME, .holders_max = 1, .per_user_max = 1};

	floor_world_open(&w, &options, 4);
	assert_int_equal(cp_floor_add(w.s, 7, &policy), 0);
}

static void
send_floor(uint16_t user, uint8_t primitive, uint16_t beneficiary)
{
	floor_world_send(&w, user,
			 &(struct cp_bfcp_msg){.primitive = primitive,
					       .floor_count = 1,
					       .floors = {7},
					       .has_beneficiary = beneficiary > 0,
					       .beneficiary = beneficiary});
}

/* It replaces the old one, whose loss nobody has seen yet: its subscriptions are gone, its requests are not. */
static void
test_new_connection(void **state)
{
	open_floor();
	send_floor(2, CP_BFCP_FLOOR_REQUEST, 0);
	send_floor(2, CP_BFCP_FLOOR_QUERY, 0);
	w.len = 0;
	assert_int_equal(cp_floor_connected(w.s, 2, &w.turn), 0);
	send_floor(3, CP_BFCP_FLOOR_REQUEST, 0);
	assert_string_equal(w.log, "3 FloorRequestStatus 9: 2 Accepted 1 for 3 (7 Accepted 1)\n"
				   "=2 u3 Accepted 1\n");
	w.len = 0;
	send_floor(2, CP_BFCP_FLOOR_QUERY, 0);
	assert_string_equal(w.log, "2 FloorStatus 9: f7 1 Granted 0 for 2 (7 Granted 0)"
				   " 2 Accepted 1 for 3 (7 Accepted 1)\n");
	cp_floor_destroy(w.s);
}

/* What the first one asked for others is not the second one's. */
static void
test_same_number(void **state)
{
	struct cp_floor_person other = {.id = 1, .display = "another", .may_ask = true};
	struct cp_bfcp_msg release = {
		.primitive = CP_BFCP_FLOOR_RELEASE, .has_request_id = true, .request_id = 1};

	open_floor();
	send_floor(1, CP_BFCP_FLOOR_REQUEST, 3);
	assert_int_equal(cp_floor_remove_user(w.s, 1, &w.turn), 0);
	assert_int_equal(cp_floor_put_user(w.s, &other), 0);
	assert_int_equal(cp_floor_connected(w.s, 1, &w.turn), 0);
	w.len = 0;
	floor_world_send(&w, 1, &release);
	send_floor(1, CP_BFCP_FLOOR_REQUEST, 2);
	send_floor(1, CP_BFCP_FLOOR_QUERY, 0);
	assert_string_equal(w.log, "1 Error 9: 5\n1 Error 9: 5\n"
				   "1 FloorStatus 9: f7 1 Granted 0 for 3 (7 Granted 0)\n");
	cp_floor_destroy(w.s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_connection),
		cmocka_unit_test(test_same_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
