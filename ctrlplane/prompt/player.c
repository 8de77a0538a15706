/* Queues of what is to be played, by place. */
#include "ctrlplane/prompt/player.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include "ctrlplane/base/map.h"

#define GRACE_MS 3000 /* a play may begin late, the leg may be waited for */
#define RETRY_MS 1000 /* of what is endless and could not begin */

struct place {
	struct cp_map_node by_name;
	LIST_ENTRY(place) all;
	struct cp_player_place name;
	struct cp_player_item queue[CP_PLAYER_QUEUE_MAX]; /* the first is the one that plays */
	unsigned int count;
	struct cp_player_item endless; /* tag 0: none */
	uint32_t play;		       /* number of what plays; 0: nothing */
	bool plays_endless;
	int64_t until_ms; /* the first has ended by then, or will not begin any more; 0: no such time */
	int64_t retry_ms;   /* endless: not before */
	int64_t give_up_ms; /* the first has begun by then; 0: it was not tried */
	bool is_busy;	    /* not to be freed: a hook of it runs */
};

struct cp_player {
	struct cp_player_hooks hooks;
	struct cp_map places;
	LIST_HEAD(, place) all;
	uint32_t last_play;
	size_t count;
	unsigned int walks; /* over all places: none is freed meanwhile */
};

static uint32_t
hash(const struct cp_player_place *name)
{
	return (name->leg ^ name->conf * 0x9e3779b9u) * 0x45d9f3bu;
}

static bool
is_place(const struct cp_map_node *node, const void *key)
{
	const struct cp_player_place *name = key;
	const struct place *place = CP_CONTAINER(node, const struct place, by_name);

	return place->name.conf == name->conf && place->name.leg == name->leg;
}

static struct place *
find(const struct cp_player *player, const struct cp_player_place *name)
{
	struct cp_map_node *node = cp_map_find(&player->places, hash(name), is_place, name);

	return node ? CP_CONTAINER(node, struct place, by_name) : NULL;
}

static struct place *
find_or_make(struct cp_player *player, const struct cp_player_place *name)
{
	struct place *place = find(player, name);

	if (place)
		return place;
	place = calloc(1, sizeof(*place));
	if (!place)
		return NULL;
	place->name = *name;
	cp_map_put(&player->places, &place->by_name, hash(name));
	LIST_INSERT_HEAD(&player->all, place, all);
	return place;
}

static void
free_if_empty(struct cp_player *player, struct place *place)
{
	if (place->count > 0 || place->endless.tag != 0 || place->is_busy || player->walks > 0)
		return;
	cp_map_drop(&player->places, &place->by_name);
	LIST_REMOVE(place, all);
	free(place);
}

/* An item is out of the place: say so. The place may be put into meanwhile, not freed. */
static void
say_ended(struct cp_player *player, struct place *place, struct cp_player_item item, bool was_heard)
{
	bool was_busy = place->is_busy;

	player->count--;
	place->is_busy = true;
	player->hooks.ended(player->hooks.arg, &place->name, &item, was_heard);
	place->is_busy = was_busy;
}

static struct cp_player_item
take(struct place *place, unsigned int at)
{
	struct cp_player_item item = place->queue[at];

	memmove(&place->queue[at], &place->queue[at + 1],
		(--place->count - at) * sizeof(place->queue[0]));
	if (at == 0)
		place->give_up_ms = 0;
	return item;
}

static void
silence(struct cp_player *player, struct place *place)
{
	if (place->play != 0)
		player->hooks.stop(player->hooks.arg, &place->name, place->play);
	place->play = 0;
	place->plays_endless = false;
	place->until_ms = 0;
}

/* Begin what is next, until something plays, waits, or nothing is left. */
static void
go_on(struct cp_player *player, struct place *place, int64_t now_ms)
{
	while (place->play == 0 && (place->count > 0 || place->endless.tag != 0)) {
		bool is_endless = place->count == 0;

		if (is_endless && now_ms < place->retry_ms)
			return;
		struct cp_player_item *item = is_endless ? &place->endless : place->queue;
		uint32_t play = ++player->last_play ? player->last_play : ++player->last_play;
		int rc = player->hooks.play(player->hooks.arg, &place->name, item, play);

		if (!is_endless && place->give_up_ms == 0)
			place->give_up_ms = now_ms + GRACE_MS;
		if (!is_endless && place->until_ms == 0)
			place->until_ms = now_ms + item->length_ms + GRACE_MS;
		if (rc == 0) {
			place->until_ms = now_ms + item->length_ms + GRACE_MS;
			place->play = play;
			place->plays_endless = is_endless;
			return;
		}
		if (is_endless)
			place->retry_ms = rc == -EAGAIN ? 0 : now_ms + RETRY_MS;
		if (is_endless || (rc == -EAGAIN && now_ms < place->until_ms))
			return; /* the tick tries again */
		place->until_ms = 0;
		say_ended(player, place, take(place, 0), false);
	}
}

int
cp_player_create(struct cp_player **out, const struct cp_player_hooks *hooks, uint32_t start)
{
	struct cp_player *player = calloc(1, sizeof(*player));

	if (!player)
		return -ENOMEM;
	player->hooks = *hooks;
	player->last_play = start;
	LIST_INIT(&player->all);
	if (cp_map_init(&player->places) < 0) {
		free(player);
		return -ENOMEM;
	}
	*out = player;
	return 0;
}

/* All items of a place, or those of a tag, without what plays going on. */
static void
end_all(struct cp_player *player, struct place *place, int tag)
{
	bool was_busy = place->is_busy;

	place->is_busy = true;
	if (place->endless.tag != 0 && (tag == 0 || place->endless.tag == tag)) {
		struct cp_player_item item = place->endless;

		place->endless = (struct cp_player_item){0};
		say_ended(player, place, item, false);
	}
	for (unsigned int i = place->count; i-- > 0;)
		if (i < place->count && (tag == 0 || place->queue[i].tag == tag))
			say_ended(player, place, take(place, i), false);
	place->is_busy = was_busy;
}

void
cp_player_destroy(struct cp_player *player)
{
	struct place *place;

	if (!player)
		return;
	while ((place = LIST_FIRST(&player->all)) != NULL) {
		end_all(player, place, 0);
		free_if_empty(player, place);
	}
	cp_map_fini(&player->places);
	free(player);
}

static bool
has(const struct place *place, int tag, unsigned int from)
{
	for (unsigned int i = from; i < place->count; i++)
		if (place->queue[i].tag == tag)
			return true;
	return false;
}

static int
put_endless(struct cp_player *player, struct place *place, const struct cp_player_item *item,
	    int64_t now_ms)
{
	struct cp_player_item before = place->endless;

	if (place->plays_endless)
		silence(player, place);
	place->endless = *item;
	place->retry_ms = 0;
	player->count++;
	if (before.tag != 0)
		say_ended(player, place, before, false);
	go_on(player, place, now_ms);
	free_if_empty(player, place);
	return 0;
}

int
cp_player_put(struct cp_player *player, const struct cp_player_place *name,
	      const struct cp_player_item *item, int64_t now_ms)
{
	struct place *place = find_or_make(player, name);
	bool is_on; /* the first of the queue has begun */

	if (!place)
		return -ENOMEM;
	if (item->is_endless)
		return put_endless(player, place, item, now_ms);
	is_on = place->play != 0 && !place->plays_endless;
	if (place->count == CP_PLAYER_QUEUE_MAX)
		return -ENOSPC;
	if (item->is_single && has(place, item->tag, is_on))
		return -EALREADY;
	place->queue[place->count++] = *item;
	player->count++;
	if (place->plays_endless)
		silence(player, place);
	go_on(player, place, now_ms);
	free_if_empty(player, place);
	return 0;
}

void
cp_player_stop(struct cp_player *player, const struct cp_player_place *name, int tag,
	       int64_t now_ms)
{
	struct place *place = find(player, name);
	bool is_hit;

	if (!place)
		return;
	if (place->play == 0)
		is_hit = place->count > 0 && (tag == 0 || place->queue[0].tag == tag);
	else
		is_hit = tag == 0 ||
			 (place->plays_endless ? place->endless.tag : place->queue[0].tag) == tag;
	if (is_hit)
		silence(player, place);
	end_all(player, place, tag);
	go_on(player, place, now_ms);
	free_if_empty(player, place);
}

void
cp_player_forget(struct cp_player *player, const struct cp_player_place *name)
{
	struct place *place = find(player, name);

	if (!place)
		return;
	place->play = 0;
	end_all(player, place, 0);
	free_if_empty(player, place);
}

void
cp_player_played(struct cp_player *player, const struct cp_player_place *name, uint32_t play,
		 bool was_heard, int64_t now_ms)
{
	struct place *place = find(player, name);

	if (!place || play == 0 || place->play != play)
		return;
	place->play = 0;
	place->until_ms = 0;
	if (place->plays_endless) {
		place->plays_endless = false;
		place->retry_ms = now_ms + RETRY_MS;
		return;
	}
	say_ended(player, place, take(place, 0), was_heard);
	go_on(player, place, now_ms);
	free_if_empty(player, place);
}

void
cp_player_not_yet(struct cp_player *player, const struct cp_player_place *name, uint32_t play,
		  int64_t now_ms)
{
	struct place *place = find(player, name);

	if (!place || play == 0 || place->play != play)
		return;
	if (place->plays_endless || now_ms >= place->give_up_ms)
		cp_player_played(player, name, play, false, now_ms);
	else
		place->play = 0;
}

/* What became empty while all were walked over. */
static void
sweep(struct cp_player *player)
{
	struct place *place, *next;

	if (--player->walks > 0)
		return;
	for (place = LIST_FIRST(&player->all); place; place = next) {
		next = LIST_NEXT(place, all);
		free_if_empty(player, place);
	}
}

void
cp_player_tick(struct cp_player *player, int64_t now_ms)
{
	struct place *place;

	player->walks++;
	LIST_FOREACH (place, &player->all, all) {
		if (place->play != 0 && !place->plays_endless && now_ms >= place->until_ms) {
			silence(player, place);
			say_ended(player, place, take(place, 0), false);
		}
		go_on(player, place, now_ms);
	}
	sweep(player);
}

void
cp_player_restart(struct cp_player *player, int64_t now_ms)
{
	struct place *place;

	LIST_FOREACH (place, &player->all, all) {
		if (place->play == 0)
			continue;
		place->play = 0;
		place->until_ms = 0;
		place->give_up_ms = 0;
		place->plays_endless = false;
		place->retry_ms = now_ms;
	}
}

bool
cp_player_has_room(const struct cp_player *player, const struct cp_player_place *name)
{
	const struct place *place = find(player, name);

	return place == NULL || place->count < CP_PLAYER_QUEUE_MAX;
}

bool
cp_player_has(const struct cp_player *player, const struct cp_player_place *name, int tag)
{
	const struct place *place = find(player, name);

	return place != NULL && has(place, tag, 0);
}

size_t
cp_player_count(const struct cp_player *player)
{
	return player->count;
}
