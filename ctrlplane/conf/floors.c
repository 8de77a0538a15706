/* The floors that a conference's policy names: their text form, and what may stand in it. */
#include "ctrlplane/conf/floors.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const modes[] = {"first-come", "chair", "moderator"};

const char *
cp_conf_floor_mode_name(enum cp_conf_floor_mode mode)
{
	return modes[mode];
}

int
cp_conf_floor_mode_of(enum cp_conf_floor_mode *out, struct cp_slice name)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (cp_slice_is(name, modes[i])) {
			*out = (enum cp_conf_floor_mode)i;
			return 0;
		}
	return -EINVAL;
}

static bool
is_name(const char *name)
{
	if (*name == '\0' || strlen(name) >= CP_CONF_FLOOR_NAME_MAX)
		return false;
	for (; *name; name++)
		if ((unsigned char)*name > '~' ||
		    (!isalnum((unsigned char)*name) && strchr("-_.", *name) == NULL))
			return false;
	return true;
}

static int
wrong(char *why, size_t size, const char *text)
{
	snprintf(why, size, "%s", text);
	return -EINVAL;
}

static int
check(const struct cp_conf_floor *floor, char *why, size_t size)
{
	if (!is_name(floor->name))
		return wrong(why, size, "the name of a floor is 1 to 31 letters, digits and -_.");
	if (floor->media == 0 || floor->media & ~(CP_MEDIUM_AUDIO | CP_MEDIUM_CHAT))
		return wrong(why, size, "a floor controls audio, chat or both");
	if (floor->holders == 0 || floor->holders > CP_CONF_FLOOR_HOLDERS_MAX)
		return wrong(why, size, "a floor has 1 to 64 holders at a time");
	if (floor->limit_s > CP_CONF_FLOOR_LIMIT_MAX_S)
		return wrong(why, size, "a floor's limit is 24 hours at most");
	if (floor->warning_s > 0 && floor->warning_s >= floor->limit_s)
		return wrong(why, size, "a floor's warning comes before its limit");
	return 0;
}

/* "holders=2" */
static bool
take_number(struct cp_conf_floor *out, struct cp_slice word)
{
	struct cp_slice key = {0}, rest = word;
	uint64_t number;

	if (!cp_slice_split(&rest, '=', &key) || cp_slice_number(&number, rest, UINT16_MAX * 2) < 0)
		return false;
	if (cp_slice_is(key, "holders"))
		out->holders = (uint16_t)(number > UINT16_MAX ? UINT16_MAX : number);
	else if (cp_slice_is(key, "limit"))
		out->limit_s = (uint32_t)number;
	else if (cp_slice_is(key, "warning"))
		out->warning_s = (uint32_t)number;
	else
		return false;
	return true;
}

static bool
take_word(struct cp_conf_floor *out, struct cp_slice word)
{
	if (cp_slice_is(word, "audio"))
		out->media |= CP_MEDIUM_AUDIO;
	else if (cp_slice_is(word, "chat"))
		out->media |= CP_MEDIUM_CHAT;
	else if (cp_conf_floor_mode_of(&out->mode, word) < 0)
		return take_number(out, word);
	return true;
}

int
cp_conf_floor_parse(struct cp_conf_floor *out, struct cp_slice text, char *why, size_t size)
{
	struct cp_conf_floor made = {.holders = 1};
	struct cp_slice word;
	int error;

	if (!cp_slice_word(&text, &word) || cp_slice_copy(made.name, sizeof(made.name), word) < 0)
		made.name[0] = '\0';
	while (cp_slice_word(&text, &word))
		if (!take_word(&made, word)) {
			snprintf(why, size,
				 "'%.*s' is nothing that is said of a floor: audio, chat, "
				 "first-come, chair, moderator, holders=N, limit=SECONDS, "
				 "warning=SECONDS",
				 word.len > 24 ? 24 : (int)word.len, word.ptr);
			return -EINVAL;
		}
	if (made.media == 0)
		made.media = CP_MEDIUM_AUDIO;
	error = check(&made, why, size);
	if (error == 0)
		*out = made;
	return error;
}

void
cp_conf_floor_print(char out[CP_CONF_FLOOR_TEXT_MAX], const struct cp_conf_floor *floor)
{
	snprintf(out, CP_CONF_FLOOR_TEXT_MAX,
		 "%s%s%s %s holders=%u limit=%" PRIu32 " warning=%" PRIu32, floor->name,
		 floor->media & CP_MEDIUM_AUDIO ? " audio" : "",
		 floor->media & CP_MEDIUM_CHAT ? " chat" : "", modes[floor->mode], floor->holders,
		 floor->limit_s, floor->warning_s);
}

int
cp_conf_floors_find(const struct cp_conf_floors *floors, const char *name)
{
	for (size_t i = 0; i < floors->count; i++)
		if (strcmp(floors->items[i].name, name) == 0)
			return (int)i;
	return -ENOENT;
}

int
cp_conf_floors_add(struct cp_conf_floors *floors, const struct cp_conf_floor *floor, char *why,
		   size_t size)
{
	int error = check(floor, why, size);

	if (error < 0)
		return error;
	if (cp_conf_floors_find(floors, floor->name) >= 0) {
		snprintf(why, size, "the floor '%s' stands twice", floor->name);
		return -EINVAL;
	}
	if (floors->count == CP_CONF_FLOORS_MAX) {
		snprintf(why, size, "a conference has %d floors at most", CP_CONF_FLOORS_MAX);
		return -ENOSPC;
	}
	floors->items[floors->count++] = *floor;
	return 0;
}

int
cp_conf_floors_check(const struct cp_conf_floors *floors, char *why, size_t size)
{
	struct cp_conf_floors made = {0};

	for (size_t i = 0; i < floors->count; i++)
		if (i == CP_CONF_FLOORS_MAX ||
		    cp_conf_floors_add(&made, &floors->items[i], why, size) < 0)
			return -EINVAL;
	return 0;
}

bool
cp_conf_floors_is_same(const struct cp_conf_floors *a, const struct cp_conf_floors *b)
{
	char one[CP_CONF_FLOOR_TEXT_MAX], other[CP_CONF_FLOOR_TEXT_MAX];

	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		cp_conf_floor_print(one, &a->items[i]);
		cp_conf_floor_print(other, &b->items[i]);
		if (strcmp(one, other) != 0)
			return false;
	}
	return true;
}

uint8_t
cp_conf_floors_of(const struct cp_conf_floors *floors, enum cp_conf_medium medium)
{
	uint8_t all = 0;

	for (size_t i = 0; i < floors->count; i++)
		if (floors->items[i].media & medium)
			all |= (uint8_t)(1u << i);
	return all;
}
