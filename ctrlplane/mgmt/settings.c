/* A conference's settings and its list of people, from the parameters of a request. */
#include "ctrlplane/mgmt/settings.h"
#include <stdlib.h>
#include <string.h>
#include "ctrlplane/mgmt/floor_list.h"
#include "ctrlplane/mgmt/time.h"

#define MEMBER(field) offsetof(struct cp_conf_settings, field)

static const struct {
	const char *name;
	uint32_t which;
	size_t offset;
} texts[] = {
	{"title", CP_CONF_SET_TITLE, MEMBER(title)},
	{"subject", CP_CONF_SET_SUBJECT, MEMBER(subject)},
	{"description", CP_CONF_SET_DESCRIPTION, MEMBER(description)},
	{"creator", CP_CONF_SET_CREATOR, MEMBER(creator)},
	{"pin", CP_CONF_SET_PIN, MEMBER(pin)},
};

static const struct {
	const char *name;
	uint32_t which;
	size_t offset;
} flags[] = {
	{"open", CP_CONF_SET_OPEN, MEMBER(is_open)},
	{"anonymous", CP_CONF_SET_ANONYMOUS, MEMBER(may_anonymous)},
	{"anonymous", CP_CONF_SET_BELIEVES_FROM, MEMBER(believes_from)},
	{"mutes_on_entry", CP_CONF_SET_MUTES_ON_ENTRY, MEMBER(mutes_on_entry)},
	{"mutes_on_hold", CP_CONF_SET_MUTES_ON_HOLD, MEMBER(mutes_on_hold)},
	{"locked", CP_CONF_SET_LOCKED, MEMBER(is_locked)},
	{"lobby", CP_CONF_SET_LOBBY, MEMBER(has_lobby)},
	{"announces", CP_CONF_SET_ANNOUNCES, MEMBER(announces)},
	{"ends_with_creator", CP_CONF_SET_ENDS_WITH_CREATOR, MEMBER(ends_with_creator)},
	{"ends_when_empty", CP_CONF_SET_ENDS_WHEN_EMPTY, MEMBER(ends_when_empty)},
	{"chat", CP_CONF_SET_CHAT, MEMBER(has_chat)},
};

/* The value, and that it is set; NULL: it is not named. */
static const json_t *
take(uint32_t *which, uint32_t flag, const json_t *params, const char *name)
{
	const json_t *value = json_object_get(params, name);

	if (value != NULL)
		*which |= flag;
	return value;
}

static void
read_tables(struct cp_conf_settings *s, uint32_t *which, const json_t *params)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const json_t *value = take(which, texts[i].which, params, texts[i].name);

		if (value != NULL)
			*(const char **)((char *)s + texts[i].offset) = json_string_value(value);
	}
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		const json_t *value = take(which, flags[i].which, params, flags[i].name);

		if (value != NULL)
			*(bool *)((char *)s + flags[i].offset) = json_is_true(value);
	}
}

static void
read_choices(struct cp_conf_settings *s, uint32_t *which, const json_t *params)
{
	const json_t *security = take(which, CP_CONF_SET_SECURITY, params, "security");
	const json_t *editors = take(which, CP_CONF_SET_EDITORS, params, "who_may_change");
	const json_t *notify = take(which, CP_CONF_SET_NOTIFY, params, "notify_protection");

	if (security != NULL)
		cp_conf_security_of(&s->security, cp_slice_text(json_string_value(security)));
	if (editors != NULL)
		cp_conf_editors_of(&s->editors, cp_slice_text(json_string_value(editors)));
	if (notify != NULL)
		cp_conf_notify_of(&s->notify, cp_slice_text(json_string_value(notify)));
}

static void
read_time(int64_t *out_ms, const json_t *value)
{
	*out_ms = 0; /* "": none */
	cp_time_parse(out_ms, json_string_value(value));
}

static void
read_numbers(struct cp_conf_settings *s, uint32_t *which, const json_t *params)
{
	const json_t *size = take(which, CP_CONF_SET_SIZE_MAX, params, "max_participants");
	const json_t *loudest = take(which, CP_CONF_SET_LOUDEST_N, params, "loudest_n");
	const json_t *small = take(which, CP_CONF_SET_SMALL_SIZE, params, "small_size");
	const json_t *early = take(which, CP_CONF_SET_EARLY, params, "early_s");
	const json_t *history = take(which, CP_CONF_SET_CHAT_HISTORY, params, "chat_history");
	const json_t *start = take(which, CP_CONF_SET_START, params, "start_at");
	const json_t *end = take(which, CP_CONF_SET_END, params, "end_at");

	if (size != NULL)
		s->size_max = (uint32_t)json_integer_value(size);
	if (loudest != NULL)
		s->loudest_n = (uint16_t)json_integer_value(loudest);
	if (small != NULL)
		s->small_size = (uint16_t)json_integer_value(small);
	if (early != NULL)
		s->early_ms = json_integer_value(early) * 1000;
	if (history != NULL)
		s->chat_history = (uint16_t)json_integer_value(history);
	if (start != NULL)
		read_time(&s->start_ms, start);
	if (end != NULL)
		read_time(&s->end_ms, end);
}

void
cp_settings_read(struct cp_conf_settings *settings, uint32_t *which, const json_t *params)
{
	const json_t *floors = take(which, CP_CONF_SET_FLOORS, params, "floors");

	read_tables(settings, which, params);
	read_choices(settings, which, params);
	if (floors != NULL)
		cp_floor_list_read(&settings->floors, floors);
	read_numbers(settings, which, params);
}

struct cp_conf_person *
cp_settings_people(size_t *count, const json_t *list)
{
	struct cp_conf_person *people = calloc(json_array_size(list) + 1, sizeof(*people));
	size_t i;
	json_t *item;

	*count = 0;
	if (people == NULL)
		return NULL;
	json_array_foreach (list, i, item) {
		const char *role = json_string_value(json_object_get(item, "role"));

		people[i].uri = json_is_string(item)
					? json_string_value(item)
					: json_string_value(json_object_get(item, "uri"));
		if (role != NULL)
			cp_conf_role_of(&people[i].role, cp_slice_text(role));
	}
	*count = json_array_size(list);
	return people;
}
