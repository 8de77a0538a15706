/* Long queues of the floor control server: what fits into a status, and chairs that order by priority. */
#include "tests/scenario/bfcp/world.h"

#define CROWD 300

static struct floor_world w;
static size_t statuses;

static void
open_crowd(void)
{
	static const struct cp_floor_options options = {
		.conf = CONF, .users_max = CROWD, .requests_max = CROWD};
	struct cp_floor_policy policy = {
		.mode = CP_FLOOR_FIRST_COME, .holders_max = 1, .per_user_max = 1};

	floor_world_open(&w, &options, CROWD);
	for (uint16_t i = 0; i < CP_BFCP_FLOORS_MAX; i++)
		assert_int_equal(cp_floor_add(w.s, i, &policy), 0);
	assert_int_equal(cp_floor_set_chair(w.s, 0, CROWD, true), 0);
}

static void
watch(struct floor_world *world, const struct cp_floor_effect *effect)
{
	ssize_t len;

	if (effect->kind != CP_FLOOR_SEND)
		return;
	len = cp_bfcp_encode(world->wire, sizeof(world->wire), effect->msg);
	assert_true(len > 0);
	assert_int_equal(cp_bfcp_decode(&world->out, world->wire, (size_t)len), CP_BFCP_OK);
	statuses += effect->msg->primitive == CP_BFCP_FLOOR_STATUS;
}

/* All floors at once, with the longest names and texts: still a message. */
static void
test_longest(void **state)
{
	struct cp_bfcp_msg ask = {.primitive = CP_BFCP_FLOOR_REQUEST,
				  .floor_count = CP_BFCP_FLOORS_MAX,
				  .floors = {0, 1, 2, 3, 4, 5, 6, 7},
				  .has_beneficiary = true,
				  .has_priority = true};
	struct cp_bfcp_msg query = {.primitive = CP_BFCP_FLOOR_QUERY, .floor_count = 1};
	char text[301];

	memset(text, 'x', 300);
	text[300] = '\0';
	open_crowd();
	w.watch = watch;
	ask.info = cp_slice(text, 200);
	for (uint16_t i = 1; i <= CROWD; i++) {
		struct cp_floor_person person = {
			.id = i, .display = text, .uri = text, .is_moderator = i == 1};

		assert_int_equal(cp_floor_put_user(w.s, &person), 0);
		ask.beneficiary = i;
		floor_world_send(&w, 1, &ask);
	}
	/* The last one's place is more than the field can say. */
	assert_int_equal(w.out.requests[0].beneficiary.id, CROWD);
	assert_int_equal(w.out.requests[0].queue, 255);
	statuses = 0;
	floor_world_send(&w, 2, &query);
	assert_int_equal(statuses, 1);
	assert_int_equal(w.out.request_count, CP_BFCP_REQUESTS_MAX);
	assert_int_equal(w.out.requests[0].status, CP_BFCP_GRANTED);
	for (size_t i = 1; i < CP_BFCP_REQUESTS_MAX; i++)
		assert_int_equal(w.out.requests[i].queue, i);
	cp_floor_destroy(w.s);
}

static void
expect_order(const uint16_t *users, size_t count)
{
	struct cp_floor_view list[8];

	assert_int_equal(cp_floor_list(w.s, list, 8, 0), count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(list[i].beneficiary, users[i]);
		assert_int_equal(list[i].place, i);
	}
}

/* A chair gives a priority: the request goes where that belongs, a place said wins. */
static void
test_priority_of_chair(void **state)
{
	struct cp_bfcp_msg act = {
		.primitive = CP_BFCP_CHAIR_ACTION,
		.request_count = 1,
		.requests = {{.id = 4,
			      .has_priority = true,
			      .priority = 4,
			      .floor_count = 1,
			      .floors = {{.has_status = true, .status = CP_BFCP_ACCEPTED}}}},
	};

	open_crowd();
	for (uint16_t i = 2; i <= 5; i++)
		floor_world_send(&w, i,
				 &(struct cp_bfcp_msg){.primitive = CP_BFCP_FLOOR_REQUEST,
						       .floor_count = 1});
	expect_order((const uint16_t[]){2, 3, 4, 5}, 4);
	floor_world_send(&w, CROWD, &act);
	expect_order((const uint16_t[]){2, 5, 3, 4}, 4);
	act.requests[0].priority = 0;
	floor_world_send(&w, CROWD, &act);
	expect_order((const uint16_t[]){2, 3, 4, 5}, 4);
	act.requests[0].floors[0].queue = 2;
	floor_world_send(&w, CROWD, &act);
	expect_order((const uint16_t[]){2, 3, 5, 4}, 4);
	cp_floor_destroy(w.s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_longest),
		cmocka_unit_test(test_priority_of_chair),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
