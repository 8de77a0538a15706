/* One value of the file, from text to its kind. */
#include "configs/loader/value.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "configs/loader/nearest.h"

struct unit {
	const char *suffix;
	int64_t factor;
};

static const struct unit durations[] = {
	{"ms", 1},	    {"s", 1000},	 {"m", 60 * 1000},
	{"h", 3600 * 1000}, {"d", 86400 * 1000}, {NULL, 0},
};

static const struct unit sizes[] = {
	{"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {"", 1}, {NULL, 0},
};

static bool
parse_with_unit(const char *text, const struct unit *units, int64_t *value)
{
	char *end;
	long long number;

	errno = 0;
	number = strtoll(text, &end, 10);
	if (end == text || errno != 0 || strchr(" \t+", text[0]) != NULL)
		return false;
	for (; units->suffix != NULL; units++)
		if (strcmp(end, units->suffix) == 0)
			return !__builtin_mul_overflow((int64_t)number, units->factor, value);
	return false;
}

static bool
parse_number(const struct conf_option *option, const char *text, int64_t *value)
{
	static const struct unit none[] = {{"", 1}, {NULL, 0}};

	switch (option->kind) {
	case CONF_DURATION: /* "0" needs no unit */
		return parse_with_unit(text, strcmp(text, "0") == 0 ? none : durations, value);
	case CONF_SIZE:
		return parse_with_unit(text, sizes, value);
	default:
		return parse_with_unit(text, none, value);
	}
}

/* The largest unit that leaves no remainder. */
static void
print_with_unit(int64_t value, const struct unit *units, char *text, size_t size)
{
	const struct unit *best = NULL;

	for (; units->suffix != NULL; units++)
		if (value % units->factor == 0 && (best == NULL || units->factor > best->factor))
			best = units;
	if (value == 0 || best == NULL)
		snprintf(text, size, "%" PRId64, value);
	else
		snprintf(text, size, "%" PRId64 "%s", value / best->factor, best->suffix);
}

static void
print_number(const struct conf_option *option, int64_t value, char *text, size_t size)
{
	if (option->kind == CONF_DURATION)
		print_with_unit(value, durations, text, size);
	else if (option->kind == CONF_SIZE)
		print_with_unit(value, sizes, text, size);
	else
		snprintf(text, size, "%" PRId64, value);
}

static bool
parse_enum(const struct conf_option *option, const char *text, int *value,
	   struct conf_nearest *nearest)
{
	for (int i = 0; option->choices[i] != NULL; i++) {
		if (strcmp(option->choices[i], text) == 0) {
			*value = i;
			return true;
		}
		conf_nearest_try(nearest, option->choices[i]);
	}
	return false;
}

static bool
is_in_range(const struct conf_option *option, int64_t value)
{
	return (option->min == 0 && option->max == 0) ||
	       (value >= option->min && value <= option->max);
}

void
conf_value_describe(const struct conf_option *option, char *text, size_t size)
{
	static const char *const kinds[] = {
		[CONF_STRING] = "a string",
		[CONF_BOOL] = "true or false",
		[CONF_INT] = "a number",
		[CONF_DURATION] = "a duration such as 20ms, 5s, 10m or 1h",
		[CONF_SIZE] = "a size such as 4096, 64K or 256M",
		[CONF_ENUM] = "one of ",
		[CONF_STRINGS] = "a list of strings",
		[CONF_OBJECTS] = "a list of mappings",
	};
	char min[32], max[32];
	size_t len = (size_t)snprintf(text, size, "%s", kinds[option->kind]);

	if (option->kind == CONF_ENUM) {
		for (int i = 0; option->choices[i] != NULL && len < size; i++)
			len += (size_t)snprintf(text + len, size - len, "%s%s", i == 0 ? "" : ", ",
						option->choices[i]);
	} else if ((option->min != 0 || option->max != 0) && len < size) {
		print_number(option, option->min, min, sizeof(min));
		print_number(option, option->max, max, sizeof(max));
		snprintf(text + len, size - len, ", %s to %s", min, max);
	}
}

static void
brief_choices(const struct conf_option *option, char *text, size_t size)
{
	size_t len = 0;

	for (int i = 0; option->choices[i] != NULL && len < size; i++)
		len += (size_t)snprintf(text + len, size - len, "%s%s", i == 0 ? "" : " | ",
					option->choices[i]);
}

void
conf_value_brief(const struct conf_option *option, char *text, size_t size)
{
	static const char *const kinds[] = {
		[CONF_STRING] = "string",     [CONF_BOOL] = "true | false",
		[CONF_INT] = "number",	      [CONF_SIZE] = "size",
		[CONF_DURATION] = "duration", [CONF_ENUM] = "",
		[CONF_STRINGS] = "list",      [CONF_OBJECTS] = "list of mappings",
	};
	char min[32], max[32];

	snprintf(text, size, "%s", kinds[option->kind]);
	if (option->kind == CONF_ENUM) {
		brief_choices(option, text, size);
	} else if (option->min != 0 || option->max != 0) {
		print_number(option, option->min, min, sizeof(min));
		print_number(option, option->max, max, sizeof(max));
		snprintf(text, size, "%s to %s", min, max);
	}
}

static void
wipe(char *text)
{
	if (text != NULL)
		explicit_bzero(text, strlen(text));
	free(text);
}

bool
conf_value_parse(const struct conf_option *option, const char *text, void *field, char *why,
		 size_t why_size)
{
	struct conf_nearest nearest = {.word = text};
	char expected[160];
	int64_t number;

	conf_value_describe(option, expected, sizeof(expected));
	switch (option->kind) {
	case CONF_STRING:
		wipe(*(char **)field);
		*(char **)field = strdup(text);
		snprintf(why, why_size, "does not fit into memory");
		return *(char **)field != NULL;
	case CONF_BOOL:
		if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
			break;
		*(bool *)field = text[0] == 't';
		return true;
	case CONF_ENUM:
		if (parse_enum(option, text, field, &nearest))
			return true;
		if (nearest.best == NULL)
			break;
		snprintf(why, why_size, "cannot be '%.40s'; did you mean '%s'?", text,
			 nearest.best);
		return false;
	case CONF_INT:
	case CONF_DURATION:
	case CONF_SIZE:
		if (!parse_number(option, text, &number))
			break;
		if (is_in_range(option, number)) {
			*(int64_t *)field = number;
			return true;
		}
		snprintf(why, why_size, "cannot be %.40s, it is out of range; write %s", text,
			 expected);
		return false;
	default:
		break;
	}
	snprintf(why, why_size, "cannot be '%.40s'; write %s", text, expected);
	return false;
}

void
conf_value_free(const struct conf_option *option, void *field)
{
	struct conf_strings *strings = field;
	struct conf_objects *objects = field;

	switch (option->kind) {
	case CONF_STRING:
		wipe(*(char **)field);
		*(char **)field = NULL;
		break;
	case CONF_STRINGS:
		for (size_t i = 0; i < strings->count; i++)
			wipe(strings->items[i]);
		free(strings->items);
		free(strings->lines);
		memset(strings, 0, sizeof(*strings));
		break;
	case CONF_OBJECTS:
		for (size_t i = 0; i < objects->count; i++)
			for (const struct conf_option *f = option->fields; f->path != NULL; f++)
				conf_value_free(f, (char *)objects->items +
							   i * option->object_size + f->offset);
		free(objects->items);
		free(objects->lines);
		memset(objects, 0, sizeof(*objects));
		break;
	default:
		break;
	}
}
