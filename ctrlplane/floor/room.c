/* A floor room: its server as the policy wants it, and its participants as users and chairs. */
#include "ctrlplane/floor/room_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PER_USER 1 /* ongoing requests for one floor */

static bool
is_leg(const struct cp_map_node *node, const void *key)
{
	return CP_CONTAINER(node, const struct floor_seat, by_leg)->leg == *(const uint32_t *)key;
}

static bool
is_user(const struct cp_map_node *node, const void *key)
{
	return CP_CONTAINER(node, const struct floor_seat, by_user)->user == *(const uint16_t *)key;
}

struct floor_seat *
floor_seat(const struct cp_floor_room *room, uint32_t leg)
{
	struct cp_map_node *node = cp_map_find(&room->by_leg, leg, is_leg, &leg);

	return node ? CP_CONTAINER(node, struct floor_seat, by_leg) : NULL;
}

struct floor_seat *
floor_seat_of_user(const struct cp_floor_room *room, uint16_t user)
{
	struct cp_map_node *node = cp_map_find(&room->by_user, user, is_user, &user);

	return node ? CP_CONTAINER(node, struct floor_seat, by_user) : NULL;
}

/* The next of all; NULL in front of the first. */
static struct floor_seat *
next_seat(const struct cp_floor_room *room, const struct floor_seat *seat)
{
	const struct cp_map_node *node = seat ? seat->by_leg.next : NULL;
	size_t at = seat ? (seat->by_leg.hash & (room->by_leg.bucket_count - 1)) + 1 : 0;

	while (!node && at < room->by_leg.bucket_count)
		node = room->by_leg.buckets[at++];
	return node ? CP_CONTAINER(node, struct floor_seat, by_leg) : NULL;
}

static struct cp_floor_policy
policy_of(const struct cp_conf_floor *floor)
{
	static const enum cp_floor_mode modes[] = {
		[CP_FLOOR_MODE_FIRST_COME] = CP_FLOOR_FIRST_COME,
		[CP_FLOOR_MODE_CHAIR] = CP_FLOOR_CHAIR,
		[CP_FLOOR_MODE_MODERATOR] = CP_FLOOR_MODERATOR,
	};

	return (struct cp_floor_policy){
		.mode = modes[floor->mode],
		.holders_max = floor->holders,
		.per_user_max = PER_USER,
		.limit_ms = floor->limit_s * 1000,
		.warning_ms = floor->warning_s * 1000,
	};
}

static int
open_server(struct cp_floor_server **out, const struct cp_floor_room *room,
	    const struct cp_conf_floors *floors)
{
	struct cp_floor_options options = {
		.conf = room->options.conf,
		.users_max = room->options.users_max,
		.requests_max = CP_FLOOR_REQUESTS_MAX,
		.keep_ms = room->options.keep_ms,
	};
	int rc = cp_floor_create(out, &options);

	for (size_t i = 0; !rc && i < floors->count; i++) {
		struct cp_floor_policy policy = policy_of(&floors->items[i]);

		rc = cp_floor_add(*out, (uint16_t)(i + 1), &policy);
		if (rc)
			cp_floor_destroy(*out);
	}
	return rc;
}

int
cp_floor_room_create(struct cp_floor_room **out, const struct cp_floor_room_options *options,
		     const struct cp_conf *conf)
{
	struct cp_floor_room *room = calloc(1, sizeof(*room));
	int rc = room ? 0 : -ENOMEM;

	if (rc)
		return rc;
	room->options = *options;
	room->floors = conf->floors;
	room->next_user = options->first_user;
	rc = cp_map_init(&room->by_leg);
	if (!rc)
		rc = cp_map_init(&room->by_user);
	if (!rc)
		rc = open_server(&room->server, room, &conf->floors);
	if (rc)
		cp_floor_room_destroy(room);
	else
		*out = room;
	return rc;
}

static void
free_seat(struct cp_floor_room *room, struct floor_seat *seat)
{
	cp_map_drop(&room->by_leg, &seat->by_leg);
	cp_map_drop(&room->by_user, &seat->by_user);
	free(seat);
}

void
cp_floor_room_destroy(struct cp_floor_room *room)
{
	struct floor_seat *seat;

	if (!room)
		return;
	while (room->by_leg.count > 0 && (seat = next_seat(room, NULL)) != NULL)
		free_seat(room, seat);
	cp_map_fini(&room->by_leg);
	cp_map_fini(&room->by_user);
	cp_floor_destroy(room->server);
	free(room->notes);
	free(room);
}

uint32_t
cp_floor_room_conf(const struct cp_floor_room *room)
{
	return room->options.conf;
}

/* IDs come again only after all others. */
static uint16_t
choose_user(struct cp_floor_room *room)
{
	uint16_t id;

	do {
		id = room->next_user++;
	} while (id == 0 || floor_seat_of_user(room, id));
	return id;
}

static struct floor_seat *
take_seat(struct cp_floor_room *room, uint32_t leg)
{
	struct floor_seat *seat = floor_seat(room, leg);

	if (seat || room->by_leg.count >= room->options.users_max)
		return seat;
	seat = calloc(1, sizeof(*seat));
	if (!seat)
		return NULL;
	seat->leg = leg;
	seat->user = choose_user(room);
	cp_map_put(&room->by_leg, &seat->by_leg, leg);
	cp_map_put(&room->by_user, &seat->by_user, seat->user);
	return seat;
}

uint16_t
cp_floor_room_user(struct cp_floor_room *room, uint32_t leg)
{
	const struct floor_seat *seat = take_seat(room, leg);

	return seat ? seat->user : 0;
}

uint32_t
cp_floor_room_leg(const struct cp_floor_room *room, uint16_t user)
{
	const struct floor_seat *seat = floor_seat_of_user(room, user);

	return seat ? seat->leg : 0;
}

/* Who steers the conference is a chair where somebody must be one. */
static void
set_chairs(struct cp_floor_room *room, const struct floor_seat *seat)
{
	for (size_t i = 0; i < room->floors.count; i++) {
		uint8_t bit = (uint8_t)(1u << i);
		bool is_born = seat->is_moderator &&
			       room->floors.items[i].mode != CP_FLOOR_MODE_FIRST_COME;

		cp_floor_set_chair(room->server, (uint16_t)(i + 1), seat->user,
				   (is_born || seat->chairs_given & bit) &&
					   !(seat->chairs_taken & bit));
	}
}

static int
put_user(struct cp_floor_room *room, struct floor_seat *seat)
{
	struct cp_floor_person person = {
		.id = seat->user,
		.display = seat->display,
		.uri = seat->uri,
		.is_moderator = seat->is_moderator,
		.may_ask = seat->may_ask,
		.priority_max =
			seat->is_moderator ? CP_BFCP_PRIORITY_HIGHEST : CP_BFCP_PRIORITY_NORMAL,
	};
	int rc = cp_floor_put_user(room->server, &person);

	if (!rc)
		set_chairs(room, seat);
	seat->is_put = seat->is_put || !rc;
	return rc;
}

/* What it holds by the focus's word. */
static void
give_held(struct cp_floor_room *room, const struct floor_seat *seat, uint8_t held, uint64_t now_ms)
{
	struct cp_floor_turn turn = floor_turn(room, now_ms);
	uint16_t request;

	for (size_t i = 0; i < room->floors.count; i++)
		if (held & 1u << i)
			cp_floor_ask(room->server, &request, (uint16_t)(i + 1), seat->user, &turn);
}

/* Who may not ask any more holds nothing and waits for nothing. */
static void
end_requests(struct cp_floor_room *room, const struct floor_seat *seat, uint64_t now_ms)
{
	struct cp_floor_turn turn = floor_turn(room, now_ms);
	struct cp_floor_view views[CP_FLOOR_REQUESTS_MAX];

	for (size_t i = 0; i < room->floors.count; i++) {
		size_t count = cp_floor_room_list(room, views, CP_FLOOR_REQUESTS_MAX, i);

		for (size_t n = 0; n < count; n++) {
			struct cp_floor_decision decision = {
				.request = views[n].request,
				.floor = (uint16_t)(i + 1),
				.status = CP_BFCP_REVOKED,
				.info = "You may not speak any more",
			};

			if (views[n].beneficiary == seat->user)
				cp_floor_decide(room->server, &decision, &turn);
		}
	}
}

void
cp_floor_room_put(struct cp_floor_room *room, const struct cp_leg *leg, uint64_t now_ms)
{
	struct cp_floor_turn turn = floor_turn(room, now_ms);
	struct floor_seat *seat = take_seat(room, leg->id);
	bool could_ask, was_put;

	if (!seat)
		return;
	could_ask = seat->may_ask;
	was_put = seat->is_put;
	snprintf(seat->display, sizeof(seat->display), "%s", leg->display);
	snprintf(seat->uri, sizeof(seat->uri), "%s", leg->identity);
	seat->may_ask = leg->is_in && leg->role != CP_ROLE_LISTENER;
	seat->is_moderator = leg->is_in && leg->role >= CP_ROLE_MODERATOR;
	if (put_user(room, seat) != 0)
		return;
	if (!was_put && seat->is_connected)
		cp_floor_connected(room->server, seat->user, &turn);
	if (!was_put && leg->floors)
		give_held(room, seat, leg->floors, now_ms);
	if (could_ask && !seat->may_ask)
		end_requests(room, seat, now_ms);
	floor_finish(room, now_ms);
}

void
cp_floor_room_remove(struct cp_floor_room *room, uint32_t leg, uint64_t now_ms)
{
	struct floor_seat *seat = floor_seat(room, leg);
	struct cp_floor_turn turn = floor_turn(room, now_ms);

	if (!seat)
		return;
	seat->is_connected = false;
	if (seat->is_put)
		cp_floor_remove_user(room->server, seat->user, &turn);
	free_seat(room, seat);
	floor_finish(room, now_ms);
}

bool
cp_floor_room_is_as_said(const struct cp_floor_room *room, const struct cp_conf *conf)
{
	if (room->floors.count != conf->floors.count)
		return false;
	for (size_t i = 0; i < conf->floors.count; i++)
		if (room->floors.items[i].media != conf->floors.items[i].media)
			return false;
	return true;
}

static bool
is_in_place(const struct cp_conf_floors *a, const struct cp_conf_floors *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->items[i].name, b->items[i].name) != 0)
			return false;
	return true;
}

/* Whoever waits or holds is told that it is over, the last first, so that nobody is granted it on the way; the focus has decided already who goes on holding. */
static void
end_all(struct cp_floor_room *room, uint64_t now_ms)
{
	struct cp_floor_turn turn = floor_turn(room, now_ms);
	struct cp_floor_view views[CP_FLOOR_REQUESTS_MAX];
	size_t count;

	for (size_t i = 0; i < room->floors.count; i++)
		for (count = cp_floor_room_list(room, views, CP_FLOOR_REQUESTS_MAX, i); count > 0;
		     count--) {
			struct cp_floor_decision decision = {
				.request = views[count - 1].request,
				.floor = (uint16_t)(i + 1),
				.status = CP_BFCP_REVOKED,
				.info = "The floors of the conference are others now",
			};

			cp_floor_decide(room->server, &decision, &turn);
		}
}

static int
rebuild(struct cp_floor_room *room, const struct cp_conf *conf, uint64_t now_ms)
{
	struct cp_floor_server *server;
	int rc = open_server(&server, room, &conf->floors);

	if (rc)
		return rc;
	room->is_rebuilding = true;
	end_all(room, now_ms);
	room->is_rebuilding = false;
	cp_floor_destroy(room->server);
	room->server = server;
	room->floors = conf->floors;
	for (struct floor_seat *seat = next_seat(room, NULL); seat; seat = next_seat(room, seat)) {
		struct cp_floor_turn turn = floor_turn(room, now_ms);

		seat->chairs_given = seat->chairs_taken = 0;
		if (!seat->is_put || put_user(room, seat) != 0)
			continue;
		if (seat->is_connected)
			cp_floor_connected(room->server, seat->user, &turn);
	}
	for (const struct cp_leg *leg = conf->legs; leg; leg = leg->next) {
		const struct floor_seat *seat = floor_seat(room, leg->id);

		if (seat && seat->is_put)
			give_held(room, seat, leg->floors, now_ms);
	}
	return 0;
}

int
cp_floor_room_follow(struct cp_floor_room *room, const struct cp_conf *conf, uint64_t now_ms)
{
	struct cp_floor_turn turn = floor_turn(room, now_ms);
	int rc = 0;

	if (cp_conf_floors_is_same(&room->floors, &conf->floors))
		return 0;
	if (!is_in_place(&room->floors, &conf->floors)) {
		rc = rebuild(room, conf, now_ms);
	} else {
		room->floors = conf->floors;
		for (struct floor_seat *seat = next_seat(room, NULL); seat;
		     seat = next_seat(room, seat))
			if (seat->is_put)
				set_chairs(room, seat);
		for (size_t i = 0; i < conf->floors.count; i++) {
			struct cp_floor_policy policy = policy_of(&conf->floors.items[i]);

			cp_floor_set_policy(room->server, (uint16_t)(i + 1), &policy, &turn);
		}
	}
	floor_finish(room, now_ms);
	return rc;
}

enum cp_bfcp_error
cp_floor_room_set_chair(struct cp_floor_room *room, size_t floor, uint32_t leg, bool is_chair,
			uint64_t now_ms)
{
	struct floor_seat *seat = floor_seat(room, leg);
	uint8_t bit = (uint8_t)(1u << floor);

	if (floor >= room->floors.count)
		return CP_BFCP_NO_FLOOR;
	if (!seat || !seat->is_put)
		return CP_BFCP_NO_USER;
	seat->chairs_given = is_chair ? seat->chairs_given | bit : seat->chairs_given & ~bit;
	seat->chairs_taken = is_chair ? seat->chairs_taken & ~bit : seat->chairs_taken | bit;
	set_chairs(room, seat);
	room->options.hooks.changed(room->options.hooks.arg, floor);
	return CP_BFCP_OK;
}

bool
cp_floor_room_is_chair(const struct cp_floor_room *room, size_t floor, uint32_t leg)
{
	const struct floor_seat *seat = floor_seat(room, leg);

	return seat && cp_floor_is_chair(room->server, (uint16_t)(floor + 1), seat->user);
}

size_t
cp_floor_room_list(const struct cp_floor_room *room, struct cp_floor_view *out, size_t max,
		   size_t floor)
{
	return cp_floor_list(room->server, out, max, (uint16_t)(floor + 1));
}
