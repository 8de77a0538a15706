/* The OpenAPI 3.1 document of the API, made from commands.list and schemas.list. */
#include "ctrlplane/mgmt/openapi.h"
#include <stdio.h>
#include <string.h>
#include "ctrlplane/mgmt/access.h"
#include "ctrlplane/mgmt/floor_list.h"
#include "ctrlplane/mgmt/people.h"

#define STREAM "text/event-stream"

static const struct cp_answer answers[CP_COMMAND_COUNT] = {
	[CP_COMMAND_STATUS] = {200, "Status", NULL},
	[CP_COMMAND_HEALTH] = {200, "Health", NULL},
	[CP_COMMAND_CONFERENCE_LIST] = {200, "Conferences", NULL},
	[CP_COMMAND_CONFERENCE_CREATE] = {201, "Conference", NULL},
	[CP_COMMAND_CONFERENCE_SHOW] = {200, "Conference", NULL},
	[CP_COMMAND_CONFERENCE_UPDATE] = {200, "Conference", NULL},
	[CP_COMMAND_CONFERENCE_CLOSE] = {204, NULL, NULL},
	[CP_COMMAND_CHAT_SHOW] = {200, "Chat", NULL},
	[CP_COMMAND_CHAT_SAY] = {202, "ChatSaid", NULL},
	[CP_COMMAND_CHAT_MUTE] = {200, "Chat", NULL},
	[CP_COMMAND_CHAT_UNMUTE] = {200, "Chat", NULL},
	[CP_COMMAND_FLOOR_LIST] = {200, "Floors", NULL},
	[CP_COMMAND_FLOOR_SHOW] = {200, "FloorState", NULL},
	[CP_COMMAND_FLOOR_ASK] = {200, "FloorState", NULL},
	[CP_COMMAND_FLOOR_GRANT] = {200, "FloorState", NULL},
	[CP_COMMAND_FLOOR_DENY] = {200, "FloorState", NULL},
	[CP_COMMAND_FLOOR_REVOKE] = {200, "FloorState", NULL},
	[CP_COMMAND_FLOOR_PLACE] = {200, "FloorState", NULL},
	[CP_COMMAND_FLOOR_RELEASE] = {200, "FloorState", NULL},
	[CP_COMMAND_FLOOR_CHAIR] = {200, "FloorState", NULL},
	[CP_COMMAND_FLOOR_UNCHAIR] = {200, "FloorState", NULL},
	[CP_COMMAND_CONFERENCE_LOCK] = {200, "Conference", NULL},
	[CP_COMMAND_CONFERENCE_UNLOCK] = {200, "Conference", NULL},
	[CP_COMMAND_CONFERENCE_MIX] = {200, "Conference", NULL},
	[CP_COMMAND_CONFERENCE_CALL] = {202, "Conference", NULL},
	[CP_COMMAND_CONFERENCE_REFER] = {202, "Conference", NULL},
	[CP_COMMAND_CONFERENCE_ADMIT] = {200, "Conference", NULL},
	[CP_COMMAND_CONFERENCE_ANNOUNCE] = {202, "Conference", NULL},
	[CP_COMMAND_CONFERENCE_STATS] = {200, "ConferenceStats", NULL},
	[CP_COMMAND_CONFERENCE_EVENTS] = {200, NULL, STREAM},
	[CP_COMMAND_AUTHORISED_LIST] = {200, "People", NULL},
	[CP_COMMAND_AUTHORISED_SET] = {200, "People", NULL},
	[CP_COMMAND_AUTHORISED_ADD] = {200, "People", NULL},
	[CP_COMMAND_AUTHORISED_REMOVE] = {204, NULL, NULL},
	[CP_COMMAND_AUTHORISED_IMPORT] = {200, "People", NULL},
	[CP_COMMAND_PARTICIPANT_LIST] = {200, "Participants", NULL},
	[CP_COMMAND_PARTICIPANT_SHOW] = {200, "Participant", NULL},
	[CP_COMMAND_PARTICIPANT_STATS] = {200, "ParticipantStats", NULL},
	[CP_COMMAND_PARTICIPANT_MUTE] = {200, "Participant", NULL},
	[CP_COMMAND_PARTICIPANT_UNMUTE] = {200, "Participant", NULL},
	[CP_COMMAND_PARTICIPANT_DEAF] = {200, "Participant", NULL},
	[CP_COMMAND_PARTICIPANT_UNDEAF] = {200, "Participant", NULL},
	[CP_COMMAND_PARTICIPANT_GAIN] = {200, "Participant", NULL},
	[CP_COMMAND_PARTICIPANT_ROLE] = {200, "Participant", NULL},
	[CP_COMMAND_PARTICIPANT_ADMIT] = {200, "Participant", NULL},
	[CP_COMMAND_PARTICIPANT_ANNOUNCE] = {202, "Participant", NULL},
	[CP_COMMAND_PARTICIPANT_REMOVE] = {204, NULL, NULL},
	[CP_COMMAND_EVENTS] = {200, NULL, STREAM},
	[CP_COMMAND_RECORDS] = {200, "Records", NULL},
	[CP_COMMAND_AUDIT] = {200, "Audit", NULL},
	[CP_COMMAND_ANNOUNCEMENT_LIST] = {200, "AnnouncementList", NULL},
	[CP_COMMAND_WHOAMI] = {200, "Whoami", NULL},
	[CP_COMMAND_OPENAPI] = {200, "Document", NULL},
	[CP_COMMAND_NODE_SHOW] = {200, "Node", NULL},
	[CP_COMMAND_NODE_DRAIN] = {200, "Node", NULL},
	[CP_COMMAND_NODE_RESUME] = {200, "Node", NULL},
};

struct cp_answer
cp_answer_of(enum cp_command_id command)
{
	return answers[command];
}

static const struct {
	const char *schema, *text;
} schemas[] = {
#define CP_SCHEMA(name, text) {#name, text},
#include "ctrlplane/mgmt/schemas.list"
};

static const struct {
	const char *schema, *name, *type, *text;
} fields[] = {
#define CP_FIELD(schema, name, type, text) {#schema, name, type, text},
#include "ctrlplane/mgmt/schemas.list"
};

static json_t *
reference(const char *name)
{
	char path[192];

	snprintf(path, sizeof(path), "#/components/schemas/%s", name);
	return json_pack("{s:s}", "$ref", path);
}

/* "=a|b" */
static json_t *
choices_of_type(const char *type)
{
	json_t *list = json_array();

	while (*type != '\0') {
		size_t len = strcspn(++type, "|");

		json_array_append_new(list, json_stringn(type, len));
		type += len;
	}
	return json_pack("{s:s, s:o}", "type", "string", "enum", list);
}

/* One of the type names of schemas.list, without its ~. */
static json_t *
schema_of_type(const char *text)
{
	char type[160];
	size_t len = strlen(text);
	bool may_be_null = text[len - 1] == '?';
	json_t *json;

	snprintf(type, sizeof(type), "%.*s", (int)(len - may_be_null), text);
	len = strlen(type);
	if (type[0] == '[' || type[0] == '{') {
		bool is_list = type[0] == '[';

		type[len - 1] = '\0';
		json = json_pack("{s:s, s:o}", "type", is_list ? "array" : "object",
				 is_list ? "items" : "additionalProperties",
				 schema_of_type(type + 1));
	} else if (type[0] == '=') {
		json = choices_of_type(type);
	} else if (strcmp(type, "time") == 0) {
		json = json_pack("{s:s, s:s}", "type", "string", "format", "date-time");
	} else if (type[0] >= 'A' && type[0] <= 'Z') {
		json = reference(type);
	} else {
		json = json_pack("{s:s}", "type", type);
	}
	return may_be_null ? json_pack("{s:[o, {s:s}]}", "anyOf", json, "type", "null") : json;
}

static json_t *
component(size_t index)
{
	json_t *properties = json_object(), *required = json_array();
	bool is_open = strcmp(schemas[index].schema, "Document") == 0;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		bool may_miss = fields[i].type[0] == '~';
		json_t *json;

		if (strcmp(fields[i].schema, schemas[index].schema) != 0)
			continue;
		json = schema_of_type(fields[i].type + may_miss);
		json_object_set_new(json, "description", json_string(fields[i].text));
		json_object_set_new(properties, fields[i].name, json);
		if (!may_miss)
			json_array_append_new(required, json_string(fields[i].name));
	}
	return json_pack("{s:s, s:s, s:o, s:o, s:b}", "type", "object", "description",
			 schemas[index].text, "properties", properties, "required", required,
			 "additionalProperties", is_open);
}

static json_t *
components(void)
{
	json_t *json = json_object();

	for (size_t i = 0; i < sizeof(schemas) / sizeof(schemas[0]); i++)
		json_object_set_new(json, schemas[i].schema, component(i));
	return json_pack(
		"{s:o, s:{s:{s:s, s:s, s:s}}}", "schemas", json, "securitySchemes", "bearer",
		"type", "http", "scheme", "bearer", "description",
		"A token of conclave token create. On the Unix socket, and on loopback where "
		"there are no tokens, none is needed.");
}

static json_t *
choices_of(const struct cp_param *param)
{
	json_t *list = json_array();

	for (const char *choice = param->choices; *choice != '\0'; choice += strlen(choice) + 1)
		json_array_append_new(list, json_string(choice));
	return list;
}

static json_t *
text_schema(const struct cp_param *param)
{
	json_t *json =
		json_pack("{s:i, s:i}", "minLength", param->min > 0, "maxLength", (int)param->max);

	json_object_set_new(json, "type",
			    param->min == 0 ? json_pack("[s, s]", "string", "null")
					    : json_string("string"));
	return json;
}

static json_t *
people_schema(const struct cp_param *param)
{
	json_t *uri = json_pack("{s:s, s:i, s:i}", "type", "string", "minLength", 1, "maxLength",
				(int)param->max);
	json_t *roles = json_pack("{s:s, s:[s, s, s]}", "type", "string", "enum", "participant",
				  "listener", "moderator");
	json_t *person =
		json_pack("{s:s, s:{s:O, s:o}, s:[s], s:b}", "type", "object", "properties", "uri",
			  uri, "role", roles, "required", "uri", "additionalProperties", 0);

	return json_pack("{s:s, s:i, s:{s:[o, o]}}", "type", "array", "maxItems",
			 CP_CONF_AUTHORISED_MAX, "items", "anyOf", uri, person);
}

static json_t *
schema_of_param(const struct cp_param *param)
{
	switch (param->kind) {
	case CP_PARAM_TEXT:
	case CP_PARAM_LINES:
	case CP_PARAM_FILE:
		return text_schema(param);
	case CP_PARAM_TEXTS:
		return json_pack("{s:s, s:o}", "type", "array", "items", text_schema(param));
	case CP_PARAM_PEOPLE:
		return people_schema(param);
	case CP_PARAM_FLOORS:
		return cp_floor_list_schema();
	case CP_PARAM_TIME:
		if (param->min > 0)
			return json_pack("{s:s, s:s}", "type", "string", "format", "date-time");
		return json_pack("{s:[{s:s, s:s}, {s:[s, n]}]}", "anyOf", "type", "string",
				 "format", "date-time", "enum", "");
	case CP_PARAM_FLAG:
		return json_pack("{s:s}", "type", "boolean");
	case CP_PARAM_CHOICE:
		return json_pack("{s:s, s:o}", "type", "string", "enum", choices_of(param));
	default:
		return json_pack("{s:s, s:I, s:I}", "type",
				 param->kind == CP_PARAM_NUMBER ? "integer" : "number", "minimum",
				 (json_int_t)param->min, "maximum", (json_int_t)param->max);
	}
}

static json_t *
parameters(const struct cp_command *command)
{
	size_t count;
	const struct cp_param *params = cp_command_params(command->id, &count);
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		bool is_path = params[i].place == CP_PLACE_PATH;

		if (is_path || params[i].place == CP_PLACE_QUERY)
			json_array_append_new(
				list, json_pack("{s:s, s:s, s:b, s:s, s:o}", "name", params[i].name,
						"in", is_path ? "path" : "query", "required",
						is_path, "description", params[i].text, "schema",
						schema_of_param(&params[i])));
	}
	return list;
}

/* NULL: the command has no body. */
static json_t *
request_body(const struct cp_command *command)
{
	size_t count, members = 0;
	const struct cp_param *params = cp_command_params(command->id, &count);
	json_t *properties = json_object(), *required = json_array(), *json;
	bool takes_file = false;

	for (size_t i = 0; i < count; i++) {
		json_t *schema;

		if (!cp_param_is_member(&params[i]))
			continue;
		members++;
		takes_file = takes_file || params[i].kind == CP_PARAM_FILE;
		schema = schema_of_param(&params[i]);
		json_object_set_new(schema, "description", json_string(params[i].text));
		json_object_set_new(properties, params[i].name, schema);
		if (params[i].place == CP_PLACE_WORD)
			json_array_append_new(required, json_string(params[i].name));
	}
	json = json_pack("{s:b, s:{s:{s:{s:s, s:o, s:O, s:b}}}}", "required",
			 json_array_size(required) > 0, "content", "application/json", "schema",
			 "type", "object", "properties", properties, "required", required,
			 "additionalProperties", 0);
	json_decref(required);
	if (strcmp(command->method, "PATCH") == 0)
		json_object_set(
			json_object_get(json, "content"), "application/merge-patch+json",
			json_object_get(json_object_get(json, "content"), "application/json"));
	if (takes_file)
		json_object_set_new(json_object_get(json, "content"), "text/csv",
				    json_pack("{s:{s:s}}", "schema", "type", "string"));
	if (members > 0)
		return json;
	json_decref(json);
	return NULL;
}

static void
add_problem(json_t *responses, int status, const char *text)
{
	char name[8];

	snprintf(name, sizeof(name), "%d", status);
	json_object_set_new(responses, name,
			    json_pack("{s:s, s:{s:{s:o}}}", "description", text, "content",
				      "application/problem+json", "schema", reference("Problem")));
}

static void
add_problems(json_t *responses, const struct cp_command *command, bool has_body)
{
	bool is_read = strcmp(command->method, "GET") == 0;

	add_problem(responses, 400, "The request has mistakes; errors names them all");
	add_problem(responses, 401, "No token was shown, or one that is not known");
	add_problem(responses, 403, "The token, or the conference's policy, does not allow it");
	if (strchr(command->path, '{') != NULL)
		add_problem(responses, 404, "There is no such conference or participant");
	if (!is_read)
		add_problem(responses, 409, "It is there already, or does not fit what is there");
	if (has_body)
		add_problem(responses, 413, "The body is too large");
	if (!is_read)
		add_problem(responses, 415, "The body is not declared as what it must be");
	add_problem(responses, 421, "The Host field names another");
	add_problem(responses, 500, "A mistake of ours");
	add_problem(responses, 503, "Not now: no media plane, no memory, too many streams");
	if (!is_read) {
		add_problem(responses, 504, "The media plane does not answer");
		add_problem(responses, 507, "The node is full");
	}
}

static json_t *
responses(const struct cp_command *command, bool has_body)
{
	struct cp_answer answer = answers[command->id];
	const char *type = answer.type != NULL ? answer.type : "application/json";
	json_t *json = json_object(), *fine = json_pack("{s:s}", "description", command->text);
	char status[8];

	if (answer.schema != NULL)
		json_object_set_new(
			fine, "content",
			json_pack("{s:{s:o}}", type, "schema", reference(answer.schema)));
	else if (answer.type != NULL)
		json_object_set_new(fine, "content",
				    json_pack("{s:{s:{s:s}}}", type, "schema", "type", "string"));
	if (answer.status == 201)
		json_object_set_new(fine, "headers",
				    json_pack("{s:{s:s, s:{s:s}}}", "Location", "description",
					      "Where it is", "schema", "type", "string"));
	snprintf(status, sizeof(status), "%d", answer.status);
	json_object_set_new(json, status, fine);
	add_problems(json, command, has_body);
	return json;
}

static json_t *
operation(const struct cp_command *command)
{
	json_t *body = request_body(command), *json;
	char id[96], words[128];

	snprintf(words, sizeof(words), "conclave %s%s%s", command->noun,
		 command->verb[0] != '\0' ? " " : "", command->verb);
	snprintf(id, sizeof(id), "%s%s%s", command->noun, command->verb[0] != '\0' ? "_" : "",
		 command->verb);
	json = json_pack("{s:s, s:s, s:[s], s:o, s:o, s:s, s:s}", "operationId", id, "summary",
			 command->text, "tags", command->noun, "parameters", parameters(command),
			 "responses", responses(command, body != NULL), "x-conclave-command", words,
			 "x-conclave-access", cp_need_name(cp_access_need(command->id)));
	if (body != NULL)
		json_object_set_new(json, "requestBody", body);
	return json;
}

static json_t *
paths(void)
{
	json_t *json = json_object();

	for (size_t i = 0; i < CP_COMMAND_COUNT; i++) {
		const struct cp_command *command = &cp_commands[i];
		char method[16];
		json_t *path;

		if (cp_command_is_local(command))
			continue;
		path = json_object_get(json, command->path);
		if (path == NULL) {
			path = json_object();
			json_object_set_new(json, command->path, path);
		}
		snprintf(method, sizeof(method), "%s", command->method);
		for (char *c = method; *c != '\0'; c++)
			*c |= 0x20;
		json_object_set_new(path, method, operation(command));
	}
	return json;
}

json_t *
cp_openapi(void)
{
	static const char text[] =
		"Operates a Conclave node. JSON; errors are problem documents. A method that a "
		"path "
		"does not take gets 405 with Allow, a path that is not here 404. Events are "
		"server-sent events: names and data are the schemas Hello, ConferenceEvent, "
		"ConferenceClosed, ParticipantEvent, Talkers, FloorEvent, ChatMessage, Dtmf, "
		"NodeEvent, End.";

	return json_pack(
		"{s:s, s:{s:s, s:s, s:s, s:{s:s, s:s}}, s:[{s:s}], s:[{s:[]}, {}], s:o, s:o}",
		"openapi", "3.1.0", "info", "title", "Conclave", "version", CONCLAVE_VERSION,
		"description", text, "license", "name", "Apache-2.0", "identifier", "Apache-2.0",
		"servers", "url", "/", "security", "bearer", "paths", paths(), "components",
		components());
}
