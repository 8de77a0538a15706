/*
 * The floors of a conference, as its policy names them: what each controls, who gives it, how many hold it and for how
 * long. Floor i of the list has the floor ID i + 1 of RFC 8855. As a text, in configurations, in the store and on command
 * lines: a name, then in any order words that may be left out, "stage audio chat chair holders=2 limit=60 warning=10".
 */
#ifndef CP_CONF_FLOORS_H
#define CP_CONF_FLOORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ctrlplane/base/slice.h"

#define CP_CONF_FLOORS_MAX 8
#define CP_CONF_FLOOR_NAME_MAX 32
#define CP_CONF_FLOOR_TEXT_MAX 128
#define CP_CONF_FLOOR_HOLDERS_MAX 64
#define CP_CONF_FLOOR_LIMIT_MAX_S 86400

/* A bit each in media. */
enum cp_conf_medium {
	CP_MEDIUM_AUDIO = 1,
	CP_MEDIUM_CHAT = 2,
};

enum cp_conf_floor_mode {
	CP_FLOOR_MODE_FIRST_COME = 0,
	CP_FLOOR_MODE_CHAIR,	 /* who asks waits for a chair's word */
	CP_FLOOR_MODE_MODERATOR, /* creator and moderators ask, for others as well */
};

struct cp_conf_floor {
	char name[CP_CONF_FLOOR_NAME_MAX]; /* letters, digits and -_. */
	uint8_t media;			   /* of enum cp_conf_medium; not 0 */
	enum cp_conf_floor_mode mode;
	uint16_t holders;   /* at the same time, at least 1 */
	uint32_t limit_s;   /* of one grant; 0: none */
	uint32_t warning_s; /* before the limit; 0: none */
};

struct cp_conf_floors {
	size_t count; /* 0: no floor control, everybody may speak */
	struct cp_conf_floor items[CP_CONF_FLOORS_MAX];
};

/* -EINVAL, and what is wrong with it, for people. */
int cp_conf_floor_parse(struct cp_conf_floor *out, struct cp_slice text, char *why, size_t size);
/* The canonical text, of at most CP_CONF_FLOOR_TEXT_MAX octets with its NUL. */
void cp_conf_floor_print(char out[CP_CONF_FLOOR_TEXT_MAX], const struct cp_conf_floor *floor);

/* One at the end. -EINVAL with why; -ENOSPC too. Names are told apart, so one may stand once. */
int cp_conf_floors_add(struct cp_conf_floors *floors, const struct cp_conf_floor *floor, char *why,
		       size_t size);
int cp_conf_floors_check(const struct cp_conf_floors *floors, char *why, size_t size);
bool cp_conf_floors_is_same(const struct cp_conf_floors *a, const struct cp_conf_floors *b);
/* Those of which one is to be held for medium to pass: a bit each of index. */
uint8_t cp_conf_floors_of(const struct cp_conf_floors *floors, enum cp_conf_medium medium);
/* Index, or -ENOENT. */
int cp_conf_floors_find(const struct cp_conf_floors *floors, const char *name);

const char *
cp_conf_floor_mode_name(enum cp_conf_floor_mode mode); /* first-come, chair, moderator */
int cp_conf_floor_mode_of(enum cp_conf_floor_mode *out, struct cp_slice name);

#endif
