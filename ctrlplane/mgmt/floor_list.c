/* The floors of a conference's policy as JSON. */
#include "ctrlplane/mgmt/floor_list.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool
take_media(struct cp_conf_floor *out, const json_t *media)
{
	size_t i;
	json_t *item;

	json_array_foreach (media, i, item) {
		const char *name = json_string_value(item);

		if (name != NULL && strcmp(name, "audio") == 0)
			out->media |= CP_MEDIUM_AUDIO;
		else if (name != NULL && strcmp(name, "chat") == 0)
			out->media |= CP_MEDIUM_CHAT;
		else
			return false;
	}
	return json_is_array(media);
}

static bool
take_number(uint32_t *out, const json_t *value, uint32_t max)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0 ||
	    json_integer_value(value) > max)
		return false;
	*out = (uint32_t)json_integer_value(value);
	return true;
}

static bool
take_member(struct cp_conf_floor *out, const char *name, const json_t *value)
{
	const char *text = json_string_value(value);
	uint32_t holders;

	if (strcmp(name, "name") == 0)
		return text != NULL && strlen(text) == json_string_length(value) &&
		       cp_slice_copy(out->name, sizeof(out->name), cp_slice_text(text)) == 0;
	if (strcmp(name, "mode") == 0)
		return text != NULL && cp_conf_floor_mode_of(&out->mode, cp_slice_text(text)) == 0;
	if (strcmp(name, "media") == 0)
		return take_media(out, value);
	if (strcmp(name, "limit_s") == 0)
		return take_number(&out->limit_s, value, CP_CONF_FLOOR_LIMIT_MAX_S);
	if (strcmp(name, "warning_s") == 0)
		return take_number(&out->warning_s, value, CP_CONF_FLOOR_LIMIT_MAX_S);
	if (strcmp(name, "id") == 0) /* as it is shown */
		return json_is_integer(value);
	if (strcmp(name, "holders") != 0 ||
	    !take_number(&holders, value, CP_CONF_FLOOR_HOLDERS_MAX))
		return false;
	out->holders = (uint16_t)holders;
	return true;
}

static bool
read_one(struct cp_conf_floor *out, const json_t *value, char *why, size_t size)
{
	struct cp_conf_floors alone = {0};
	const char *name;
	json_t *member;

	if (json_is_string(value))
		return strlen(json_string_value(value)) == json_string_length(value) &&
		       cp_conf_floor_parse(out, cp_slice_text(json_string_value(value)), why,
					   size) == 0;
	*out = (struct cp_conf_floor){.holders = 1};
	json_object_foreach ((json_t *)(uintptr_t)value, name, member) {
		if (take_member(out, name, member))
			continue;
		snprintf(why, size, "has a floor whose '%.24s' is not known or not valid", name);
		return false;
	}
	if (json_object_get(value, "media") == NULL)
		out->media = CP_MEDIUM_AUDIO;
	return json_is_object(value) && cp_conf_floors_add(&alone, out, why, size) == 0;
}

bool
cp_floor_list_check_one(const json_t *value, char *why, size_t size)
{
	struct cp_conf_floor floor;

	snprintf(why, size, "must be texts like \"stage audio chair\", or objects with a name");
	return read_one(&floor, value, why, size);
}

bool
cp_floor_list_check(const json_t *value, char *why, size_t size)
{
	struct cp_conf_floors floors = {0};
	struct cp_conf_floor floor;
	size_t i;
	json_t *item;

	snprintf(why, size, "must be a list of at most %d", CP_CONF_FLOORS_MAX);
	if (!json_is_array(value))
		return false;
	json_array_foreach (value, i, item) {
		if (!cp_floor_list_check_one(item, why, size) ||
		    !read_one(&floor, item, why, size) ||
		    cp_conf_floors_add(&floors, &floor, why, size) < 0)
			return false;
	}
	return true;
}

void
cp_floor_list_read(struct cp_conf_floors *out, const json_t *list)
{
	struct cp_conf_floor floor;
	char why[128];
	size_t i;
	json_t *item;

	out->count = 0;
	json_array_foreach (list, i, item) {
		if (read_one(&floor, item, why, sizeof(why)))
			cp_conf_floors_add(out, &floor, why, sizeof(why));
	}
}

json_t *
cp_floor_list_view_one(const struct cp_conf_floor *floor, size_t index)
{
	json_t *media = json_array();

	if (floor->media & CP_MEDIUM_AUDIO)
		json_array_append_new(media, json_string("audio"));
	if (floor->media & CP_MEDIUM_CHAT)
		json_array_append_new(media, json_string("chat"));
	return json_pack("{s:i, s:s, s:o, s:s, s:i, s:I, s:I}", "id", (int)index + 1, "name",
			 floor->name, "media", media, "mode", cp_conf_floor_mode_name(floor->mode),
			 "holders", floor->holders, "limit_s", (json_int_t)floor->limit_s,
			 "warning_s", (json_int_t)floor->warning_s);
}

json_t *
cp_floor_list_view(const struct cp_conf_floors *floors)
{
	json_t *list = json_array();

	for (size_t i = 0; i < floors->count; i++)
		json_array_append_new(list, cp_floor_list_view_one(&floors->items[i], i));
	return list;
}

static json_t *
number_schema(int64_t min, int64_t max)
{
	return json_pack("{s:s, s:I, s:I}", "type", "integer", "minimum", (json_int_t)min,
			 "maximum", (json_int_t)max);
}

json_t *
cp_floor_list_schema(void)
{
	json_t *text = json_pack("{s:s, s:i, s:i}", "type", "string", "minLength", 1, "maxLength",
				 CP_CONF_FLOOR_TEXT_MAX - 1);
	json_t *name =
		json_pack("{s:s, s:s}", "type", "string", "pattern", "^[A-Za-z0-9._-]{1,31}$");
	json_t *media = json_pack("{s:s, s:i, s:{s:s, s:[s, s]}}", "type", "array", "minItems", 1,
				  "items", "type", "string", "enum", "audio", "chat");
	json_t *mode = json_pack("{s:s, s:[s, s, s]}", "type", "string", "enum", "first-come",
				 "chair", "moderator");
	json_t *members =
		json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "id",
			  number_schema(1, CP_CONF_FLOORS_MAX), "name", name, "media", media,
			  "mode", mode, "holders", number_schema(1, CP_CONF_FLOOR_HOLDERS_MAX),
			  "limit_s", number_schema(0, CP_CONF_FLOOR_LIMIT_MAX_S), "warning_s",
			  number_schema(0, CP_CONF_FLOOR_LIMIT_MAX_S));
	json_t *object = json_pack("{s:s, s:o, s:[s], s:b}", "type", "object", "properties",
				   members, "required", "name", "additionalProperties", 0);

	return json_pack("{s:s, s:i, s:{s:[o, o]}}", "type", "array", "maxItems",
			 CP_CONF_FLOORS_MAX, "items", "anyOf", text, object);
}
