/*
 * A random walk over the floor control server: whatever is asked, decided, lost and removed, there are never more holders
 * than allowed, places are dense, effects agree with the state, and each request that was granted ends once.
 */
#include "tests/scenario/bfcp/world.h"

#define USERS 12
#define FLOORS 3
#define REQUESTS 24
#define STEPS 60000

static struct floor_world w;
static const uint16_t holders_max[FLOORS] = {1, 2, 3};
static bool is_heard[USERS + 1][FLOORS];
static uint8_t status_of[UINT16_MAX + 1]; /* as told, by request */
static size_t granted, ended;
static uint64_t luck = 88172645463325252u;

static uint16_t
below(uint16_t n)
{
	luck ^= luck << 13;
	luck ^= luck >> 7;
	luck ^= luck << 17;
	return (uint16_t)(luck % n);
}

static void
watch(struct floor_world *world, const struct cp_floor_effect *effect)
{
	uint8_t *status = &status_of[effect->request];

	switch (effect->kind) {
	case CP_FLOOR_GRANTED:
	case CP_FLOOR_TAKEN:
		assert_int_equal(is_heard[effect->user][effect->floor],
				 effect->kind == CP_FLOOR_TAKEN);
		is_heard[effect->user][effect->floor] = effect->kind == CP_FLOOR_GRANTED;
		break;
	case CP_FLOOR_CHANGED:
		if (effect->status == CP_BFCP_GRANTED && *status != CP_BFCP_GRANTED)
			granted++;
		if (effect->status > CP_BFCP_GRANTED && *status == CP_BFCP_GRANTED) {
			assert_true(effect->status == CP_BFCP_RELEASED ||
				    effect->status == CP_BFCP_REVOKED);
			ended++;
		}
		assert_true(*status != CP_BFCP_GRANTED || effect->status == CP_BFCP_GRANTED ||
			    effect->status > CP_BFCP_DENIED);
		/* Ids come again after 65535 others. */
		*status = effect->status > CP_BFCP_GRANTED ? 0 : effect->status;
		break;
	case CP_FLOOR_SEND:
		assert_true(cp_bfcp_encode(world->wire, sizeof(world->wire), effect->msg) > 0);
		break;
	case CP_FLOOR_QUEUE:
		break;
	case CP_FLOOR_CLOSE:
		fail_msg("nothing of this cannot be understood");
	}
}

static size_t
check_floor(uint16_t floor)
{
	struct cp_floor_view list[REQUESTS];
	size_t count = cp_floor_list(w.s, list, REQUESTS, floor), holders = 0, place = 0;
	bool holds[USERS + 1] = {false};

	for (size_t i = 0; i < count; i++) {
		assert_in_range(list[i].status, CP_BFCP_PENDING, CP_BFCP_GRANTED);
		assert_int_equal(list[i].status, status_of[list[i].request]);
		if (list[i].status == CP_BFCP_GRANTED) {
			holders++;
			holds[list[i].beneficiary] = true;
		} else if (list[i].place > 0) {
			assert_int_equal(list[i].place, ++place);
		}
	}
	for (size_t i = 0; i <= USERS; i++)
		assert_int_equal(holds[i], is_heard[i][floor]);
	assert_true(holders <= holders_max[floor]);
	return holders;
}

static void
put_user(uint16_t id)
{
	struct cp_floor_person person = {
		.id = id,
		.display = "somebody",
		.is_moderator = id == 1,
		.may_ask = id != 2,
		.priority_max = (uint8_t)below(5),
	};

	assert_int_equal(cp_floor_put_user(w.s, &person), 0);
	for (uint16_t floor = 0; floor < FLOORS; floor++)
		cp_floor_set_chair(w.s, floor, id, below(4) == 0);
	cp_floor_connected(w.s, id, &w.turn);
}

static uint16_t
any_request(void)
{
	struct cp_floor_view list[REQUESTS];
	size_t count = cp_floor_list(w.s, list, REQUESTS, below(FLOORS));

	return count ? list[below((uint16_t)count)].request : below(100);
}

static void
send_any(uint16_t user)
{
	static const uint8_t primitives[] = {
		CP_BFCP_FLOOR_REQUEST,	     CP_BFCP_FLOOR_REQUEST, CP_BFCP_FLOOR_RELEASE,
		CP_BFCP_FLOOR_REQUEST_QUERY, CP_BFCP_USER_QUERY,    CP_BFCP_FLOOR_QUERY,
		CP_BFCP_CHAIR_ACTION,	     CP_BFCP_CHAIR_ACTION,  CP_BFCP_HELLO,
	};
	struct cp_bfcp_msg msg = {.primitive = primitives[below(sizeof(primitives))]};

	if (msg.primitive == CP_BFCP_FLOOR_REQUEST || msg.primitive == CP_BFCP_FLOOR_QUERY) {
		msg.floor_count = (size_t)1 + below(3);
		for (size_t i = 0; i < msg.floor_count; i++)
			msg.floors[i] = below(below(20) ? FLOORS : FLOORS + 1);
		msg.has_priority = below(2);
		msg.priority = (uint8_t)below(5);
	}
	if (msg.primitive == CP_BFCP_FLOOR_REQUEST || msg.primitive == CP_BFCP_USER_QUERY) {
		msg.has_beneficiary = below(3) == 0;
		msg.beneficiary = below(USERS + 2);
	}
	if (msg.primitive == CP_BFCP_FLOOR_RELEASE ||
	    msg.primitive == CP_BFCP_FLOOR_REQUEST_QUERY) {
		msg.has_request_id = true;
		msg.request_id = any_request();
	}
	if (msg.primitive == CP_BFCP_CHAIR_ACTION) {
		msg.request_count = 1;
		msg.requests[0].id = any_request();
		msg.requests[0].floor_count = (size_t)1 + below(2);
		for (size_t i = 0; i < msg.requests[0].floor_count; i++)
			msg.requests[0].floors[i] = (struct cp_bfcp_floor_state){
				.floor = below(FLOORS),
				.has_status = true,
				.status = (uint8_t)below(CP_BFCP_STATUSES),
				.queue = (uint8_t)below(6),
			};
	}
	floor_world_send(&w, user, &msg);
}

static void
step(void)
{
	uint16_t user = (uint16_t)(1 + below(USERS)), request;
	struct cp_floor_decision decision = {
		.request = any_request(),
		.floor = below(FLOORS),
		.status = (uint8_t)below(CP_BFCP_STATUSES),
		.queue = (uint8_t)below(4),
	};

	switch (below(40)) {
	case 0:
		cp_floor_remove_user(w.s, user, &w.turn);
		break;
	case 1:
	case 2:
	case 3:
		cp_floor_lost(w.s, user, &w.turn);
		break;
	case 4:
	case 5:
	case 6:
	case 7:
		put_user(user);
		break;
	case 8:
		w.turn.now_ms += below(2000);
		cp_floor_tick(w.s, &w.turn);
		break;
	case 9:
		cp_floor_decide(w.s, &decision, &w.turn);
		break;
	case 10:
		cp_floor_ask(w.s, &request, below(FLOORS), user, &w.turn);
		break;
	default:
		send_any(user);
	}
}

static void
test_walk(void **state)
{
	static const struct cp_floor_options options = {
		.conf = CONF, .users_max = USERS, .requests_max = REQUESTS, .keep_ms = 3000};
	size_t most[FLOORS] = {0};

	floor_world_open(&w, &options, USERS);
	w.watch = watch;
	for (uint16_t i = 0; i < FLOORS; i++) {
		struct cp_floor_policy policy = {
			.mode = i == 1 ? CP_FLOOR_CHAIR : CP_FLOOR_FIRST_COME,
			.holders_max = holders_max[i],
			.per_user_max = 2,
			.limit_ms = i == 2 ? 5000 : 0,
			.warning_ms = i == 2 ? 1000 : 0,
		};

		assert_int_equal(cp_floor_add(w.s, i, &policy), 0);
	}
	for (size_t i = 0; i < STEPS; i++) {
		step();
		for (uint16_t floor = 0; floor < FLOORS; floor++) {
			size_t holders = check_floor(floor);

			most[floor] = holders > most[floor] ? holders : most[floor];
		}
		/* Nothing stays due after its time. */
		assert_true(cp_floor_next_ms(w.s) > w.turn.now_ms);
	}
	for (uint16_t i = 1; i <= USERS; i++)
		cp_floor_remove_user(w.s, i, &w.turn);
	for (uint16_t i = 0; i < FLOORS; i++) {
		assert_int_equal(check_floor(i), 0);
		assert_int_equal(most[i], holders_max[i]); /* the walk has been everywhere */
	}
	assert_int_equal(granted, ended);
	assert_true(granted > 1000);
	cp_floor_destroy(w.s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_walk)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
