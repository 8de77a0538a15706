/* The player: a media plane of ours, a clock of ours; every item ends once, whatever happens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "ctrlplane/prompt/player.h"

enum { PIN = 1, WRONG, MUSIC, JOINED, BYE };

static struct cp_player *player;
static char said
	[4096]; /* what the hooks were told: "play 7:1@90 " is play number 90 of tag 1 for leg 7 */
static int answer;	  /* of the next plays */
static uint32_t last[16]; /* by leg: number of the latest play */
static unsigned int put_count, ended_count;
static void (*on_ended)(const struct cp_player_place *place, const struct cp_player_item *item);

static void
note(const char *verb, const struct cp_player_place *place, int what, const char *more)
{
	size_t len = strlen(said);

	assert_true(len + 64 < sizeof(said));
	snprintf(said + len, sizeof(said) - len, "%s %u:%d%s ", verb, place->leg, what, more);
}

static int
play(void *arg, const struct cp_player_place *place, struct cp_player_item *item, uint32_t number)
{
	note("play", place, item->tag, answer == 0 ? "" : answer == -EAGAIN ? "?" : "!");
	assert_int_not_equal(number, 0);
	if (answer == 0)
		last[place->leg] = number;
	return answer;
}

static void
stop(void *arg, const struct cp_player_place *place, uint32_t number)
{
	note("stop", place, 0, "");
	assert_int_equal(number, last[place->leg]);
}

static void
ended(void *arg, const struct cp_player_place *place, const struct cp_player_item *item,
      bool was_heard)
{
	ended_count++;
	note(was_heard ? "heard" : "ended", place, item->tag, "");
	if (on_ended != NULL)
		on_ended(place, item);
}

static int
begin(void **state)
{
	const struct cp_player_hooks hooks = {.play = play, .stop = stop, .ended = ended};

	said[0] = '\0';
	answer = 0;
	put_count = ended_count = 0;
	on_ended = NULL;
	return cp_player_create(&player, &hooks, UINT32_MAX - 2);
}

static int
end(void **state)
{
	on_ended = NULL;
	cp_player_destroy(player);
	assert_int_equal(put_count, ended_count);
	return 0;
}

static struct cp_player_place
leg(uint32_t id)
{
	return (struct cp_player_place){.conf = 1, .leg = id};
}

static int
put_item(uint32_t id, struct cp_player_item item, int64_t now_ms)
{
	const struct cp_player_place place = leg(id);
	int rc;

	if (item.length_ms == 0)
		item.length_ms = 1000;
	put_count++;
	rc = cp_player_put(player, &place, &item, now_ms);
	put_count -= rc != 0;
	return rc;
}

static int
put(uint32_t id, int tag, int64_t now_ms)
{
	return put_item(id, (struct cp_player_item){.tag = tag, .is_endless = tag == MUSIC},
			now_ms);
}

static void
played(uint32_t id, bool was_heard, int64_t now_ms)
{
	const struct cp_player_place place = leg(id);

	cp_player_played(player, &place, last[id], was_heard, now_ms);
}

static void
halt(uint32_t id, int tag, int64_t now_ms)
{
	const struct cp_player_place place = leg(id);

	cp_player_stop(player, &place, tag, now_ms);
}

/* All that was said since the last time. */
static void
assert_said(const char *want)
{
	assert_string_equal(said, want);
	said[0] = '\0';
}

static void
one_after_the_other(void **state)
{
	assert_int_equal(put(7, PIN, 0), 0);
	assert_int_equal(put(7, WRONG, 0), 0);
	assert_int_equal(put(8, PIN, 0), 0);
	assert_said("play 7:1 play 8:1 ");
	played(8, true, 900);
	assert_said("heard 8:1 ");
	last[7]++; /* another's */
	played(7, true, 1000);
	assert_said("");
	last[7]--;
	played(7, true, 1000);
	assert_said("heard 7:1 play 7:2 ");
	played(7, false, 1000);
	assert_said("ended 7:2 ");
	played(7, true, 1000);
	assert_said("");
	assert_int_equal(cp_player_count(player), 0);
}

static void
a_queue_has_an_end(void **state)
{
	for (int i = 0; i < CP_PLAYER_QUEUE_MAX; i++)
		assert_int_equal(put(7, PIN, 0), 0);
	assert_int_equal(put(7, PIN, 0), -ENOSPC);
	assert_int_equal(cp_player_count(player), CP_PLAYER_QUEUE_MAX);
}

/* "Somebody has joined", fifty times a second, is said again once, not fifty times. */
static void
what_waits_already_will_do(void **state)
{
	const struct cp_player_item joined = {.tag = JOINED, .is_single = true};

	assert_int_equal(put_item(0, joined, 0), 0);
	assert_int_equal(put_item(0, joined, 0), 0);
	assert_int_equal(put_item(0, joined, 0), -EALREADY);
	assert_said("play 0:4 ");
	played(0, true, 500);
	assert_int_equal(put_item(0, joined, 500), 0);
	assert_int_equal(put_item(0, joined, 500), -EALREADY);
}

/* Music stands behind all else, begins again, and stops when it is told to. */
static void
music_behind_prompts(void **state)
{
	assert_int_equal(put(7, MUSIC, 0), 0);
	assert_int_equal(put(7, PIN, 10), 0);
	assert_said("play 7:3 stop 7:0 play 7:1 ");
	played(7, true, 1000);
	assert_said("heard 7:1 play 7:3 ");
	cp_player_tick(player, 1000000);
	assert_said("");
	halt(7, PIN, 1000000);
	assert_said("");
	assert_int_equal(put(7, MUSIC, 1000000), 0); /* another piece */
	assert_said("stop 7:0 ended 7:3 play 7:3 ");
	halt(7, MUSIC, 1000001);
	assert_said("stop 7:0 ended 7:3 ");
	assert_int_equal(put(7, PIN, 1000002), 0);
	assert_int_equal(put(7, MUSIC, 1000002), 0);
	halt(7, MUSIC, 1000002); /* before it began */
	assert_said("play 7:1 ended 7:3 ");
}

static void
cut_short(void **state)
{
	assert_int_equal(put(7, PIN, 0), 0);
	assert_int_equal(put(7, WRONG, 0), 0);
	assert_int_equal(put(7, PIN, 0), 0);
	assert_int_equal(put(7, BYE, 0), 0);
	halt(7, PIN, 10);
	assert_said("play 7:1 stop 7:0 ended 7:1 ended 7:1 play 7:2 ");
	halt(7, PIN, 20);
	assert_said("");
	halt(7, 0, 30);
	assert_said("stop 7:0 ended 7:5 ended 7:2 ");
	halt(7, 0, 30);
	halt(9, 0, 30);
	assert_said("");
}

/* A clip that is not loaded yet is waited for, not for ever; one that cannot be played is passed over. */
static void
what_cannot_begin(void **state)
{
	answer = -EAGAIN;
	assert_int_equal(put(7, PIN, 0), 0);
	assert_int_equal(put(7, WRONG, 0), 0);
	cp_player_tick(player, 100);
	assert_said("play 7:1? play 7:1? play 7:1? ");
	answer = 0;
	cp_player_tick(player, 200);
	assert_said("play 7:1 ");
	played(7, true, 1300);
	assert_said("heard 7:1 play 7:2 ");
	answer = -EAGAIN;
	played(7, true, 2300);
	assert_said("heard 7:2 ");
	assert_int_equal(put(7, BYE, 3000), 0);
	cp_player_tick(player, 6999);
	assert_said("play 7:5? play 7:5? ");
	cp_player_tick(player, 7000);
	assert_said("play 7:5? ended 7:5 ");
	answer = -ENOENT;
	assert_int_equal(put(7, PIN, 8000), 0);
	assert_said("play 7:1! ended 7:1 ");
	assert_int_equal(put(7, MUSIC, 8000), 0);
	cp_player_tick(player, 8999);
	assert_said("play 7:3! ");
	answer = 0;
	cp_player_tick(player, 9000);
	assert_said("play 7:3 ");
	played(7, false, 9500); /* the media plane could not */
	cp_player_tick(player, 10000);
	assert_said("");
	cp_player_tick(player, 10500);
	assert_said("play 7:3 ");
}

/* The media plane gets its legs again: what it does not know is tried for three seconds, not for ever. */
static void
a_leg_that_is_not_there_yet(void **state)
{
	const struct cp_player_place seven = leg(7);

	assert_int_equal(put(7, PIN, 0), 0);
	assert_int_equal(put(7, WRONG, 0), 0);
	cp_player_not_yet(player, &seven, last[7] + 1, 10); /* another play */
	cp_player_tick(player, 20);
	assert_said("play 7:1 ");
	cp_player_not_yet(player, &seven, last[7], 50);
	assert_said("");
	cp_player_tick(player, 100);
	assert_said("play 7:1 ");
	cp_player_not_yet(player, &seven, last[7], 2999);
	cp_player_tick(player, 2999);
	assert_said("play 7:1 ");
	cp_player_not_yet(player, &seven, last[7], 3000);
	assert_said("ended 7:1 play 7:2 ");
	cp_player_not_yet(player, &seven, last[7], 5999);
	cp_player_tick(player, 5999);
	assert_said("play 7:2 ");
	played(7, true, 7000);
	assert_said("heard 7:2 ");
	assert_int_equal(put(7, MUSIC, 8000), 0);
	cp_player_not_yet(player, &seven, last[7], 8000);
	cp_player_tick(player, 8999);
	assert_said("play 7:3 ");
	cp_player_tick(player, 9000);
	assert_said("play 7:3 ");
}

/* PLAYED was lost: what comes next does not wait for it for ever. */
static void
a_lost_event(void **state)
{
	assert_int_equal(put(7, PIN, 0), 0);
	assert_int_equal(put(7, WRONG, 0), 0);
	cp_player_tick(player, 3999);
	assert_said("play 7:1 ");
	cp_player_tick(player, 4000);
	assert_said("stop 7:0 ended 7:1 play 7:2 ");
	cp_player_tick(player, 7999);
	assert_said("");
}

static void
legs_and_media_planes_go(void **state)
{
	const struct cp_player_place seven = leg(7);

	assert_int_equal(put(7, PIN, 0), 0);
	assert_int_equal(put(7, MUSIC, 0), 0);
	assert_int_equal(put(8, MUSIC, 0), 0);
	assert_int_equal(put(9, PIN, 0), 0);
	assert_int_equal(put(9, WRONG, 0), 0);
	said[0] = '\0';
	cp_player_forget(player, &seven);
	assert_said("ended 7:3 ended 7:1 ");
	cp_player_restart(player, 100);
	assert_said("");
	cp_player_tick(player, 200);
	assert_true(strcmp(said, "play 8:3 play 9:1 ") == 0 ||
		    strcmp(said, "play 9:1 play 8:3 ") == 0);
	said[0] = '\0';
	played(9, true, 300);
	assert_said("heard 9:1 play 9:2 ");
}

/* It is begun again where it may be heard in time, and given up where not. */
static void
a_media_plane_that_is_long_away(void **state)
{
	assert_int_equal(put(9, PIN, 0), 0);
	said[0] = '\0';
	cp_player_restart(player, 100);
	answer = -EAGAIN;
	cp_player_tick(player, 200);
	assert_int_equal(cp_player_count(player), 1);
	cp_player_tick(player, 100000);
	answer = 0;
	assert_int_equal(cp_player_count(player), 0);
}

static void
room_and_tags(void **state)
{
	const struct cp_player_place seven = leg(7);

	assert_true(cp_player_has_room(player, &seven));
	assert_false(cp_player_has(player, &seven, PIN));
	for (unsigned int i = 0; i < CP_PLAYER_QUEUE_MAX; i++) {
		assert_true(cp_player_has_room(player, &seven));
		assert_int_equal(put(7, PIN, 0), 0);
	}
	assert_false(cp_player_has_room(player, &seven));
	assert_true(cp_player_has(player, &seven, PIN));
	assert_false(cp_player_has(player, &seven, WRONG));
	assert_int_equal(put(7, PIN, 0), -ENOSPC);
}

/* What the hook does to the player while the player works: the leg is released, others go with it, new prompts come. */
static void
release_all(const struct cp_player_place *place, const struct cp_player_item *item)
{
	on_ended = NULL;
	for (uint32_t id = 1; id <= 9; id++) {
		const struct cp_player_place other = leg(id);

		cp_player_forget(player, &other);
	}
}

static void
put_again(const struct cp_player_place *place, const struct cp_player_item *item)
{
	on_ended = NULL;
	assert_int_equal(put(place->leg, BYE, 0), 0);
}

static void
hooks_may_do_anything(void **state)
{
	for (unsigned int way = 0; way < 5; way++)
		for (unsigned int what = 0; what < 2; what++) {
			const struct cp_player_place five = leg(5);

			for (uint32_t id = 1; id <= 9; id++) {
				assert_int_equal(put(id, MUSIC, 0), 0);
				assert_int_equal(put(id, PIN, 0), 0);
				assert_int_equal(put(id, WRONG, 0), 0);
				if (id == 5 && way == 4)
					break;
			}
			on_ended = what == 0 ? release_all : put_again;
			if (way == 0)
				halt(5, PIN, 0);
			else if (way == 1)
				cp_player_forget(player, &five);
			else if (way == 2)
				cp_player_tick(player, 100000);
			else if (way == 3) {
				cp_player_restart(player, 0);
				answer = -ENOENT;
				cp_player_tick(player, 0);
				answer = 0;
			} else
				played(5, true, 0);
			assert_null(on_ended);
			for (uint32_t id = 1; id <= 9; id++) {
				const struct cp_player_place place = leg(id);

				cp_player_forget(player, &place);
			}
			assert_int_equal(cp_player_count(player), 0);
			assert_int_equal(put_count, ended_count);
			said[0] = '\0';
		}
}

/* Random orders to a few places; no item ends twice or never. */
static void
any_order(void **state)
{
	uint32_t x = 7;
	int64_t now_ms = 0;

	for (unsigned int i = 0; i < 200000; i++) {
		struct cp_player_place place;

		x = x * 1664525 + 1013904223;
		place = leg(x >> 8 & 3);
		now_ms += x >> 10 & 255;
		answer = (x >> 18 & 7) == 0 ? -EAGAIN : (x >> 18 & 7) == 1 ? -ENOENT : 0;
		switch (x >> 28) {
		case 0:
			cp_player_forget(player, &place);
			break;
		case 1:
			cp_player_tick(player, now_ms);
			break;
		case 2:
			cp_player_played(player, &place, last[place.leg] - (x >> 21 & 1), true,
					 now_ms);
			break;
		case 3:
			if ((x >> 21 & 63) == 0)
				cp_player_restart(player, now_ms);
			break;
		case 4:
			cp_player_not_yet(player, &place, last[place.leg], now_ms);
			break;
		default:
			put(place.leg, 1 + (int)(x >> 22 & 3), now_ms);
		}
		assert_int_equal(put_count - ended_count, cp_player_count(player));
		said[0] = '\0';
	}
	assert_true(put_count > 1000);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(one_after_the_other),
		CASE(a_queue_has_an_end),
		CASE(what_waits_already_will_do),
		CASE(music_behind_prompts),
		CASE(cut_short),
		CASE(what_cannot_begin),
		CASE(a_leg_that_is_not_there_yet),
		CASE(a_lost_event),
		CASE(legs_and_media_planes_go),
		CASE(a_media_plane_that_is_long_away),
		CASE(room_and_tags),
		CASE(hooks_may_do_anything),
		CASE(any_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
