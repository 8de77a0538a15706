/* A focus with a fake clock, driven by lines of text; what it decides comes back as text. */
#ifndef TESTS_SCENARIO_CONF_WORLD_H
#define TESTS_SCENARIO_CONF_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ctrlplane/conf/conf.h"

#define WORLD_TEXT_MAX 8192
#define WORLD_WORDS_MAX 40
#define WORLD_LABELS_MAX 64

/* What a leg is called in a scenario. */
struct world_label {
	char name[32];
	uint32_t id;
};

struct world {
	struct cp_focus *focus;
	struct cp_effects effects;
	int64_t now_ms, wall_ahead_ms;
	struct world_label labels[WORLD_LABELS_MAX];
	size_t label_count;
	char text[WORLD_TEXT_MAX]; /* what came of the last line */
	char *words[WORLD_WORDS_MAX];
	size_t word_count;
};

void world_init(struct world *w);
void world_fini(struct world *w);

/* Carry out one line, which is cut into words. False: it is not understood. */
bool world_do(struct world *w, char *line);

/* Shared by the files of this folder. */
struct cp_conf *world_conf(struct world *w, const char *name);
uint32_t world_leg(const struct world *w, const char *label);
const char *world_label(const struct world *w, uint32_t leg);
void world_name(struct world *w, const char *label, uint32_t leg);
void world_say(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The value behind "name=" among the words, or NULL. */
const char *world_value(const struct world *w, const char *name);
bool world_has(const struct world *w, const char *word);
/* "90s", "5m", "2h" in milliseconds. */
int64_t world_duration(const char *text);
/* Say event, and write its status and effects. */
void world_handle(struct world *w, struct cp_event *event);
void world_write_effects(struct world *w);
void world_restart(struct world *w);

#endif
