/* Handlers about conferences. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "ctrlplane/mgmt/request.h"

struct cp_conf *
cp_request_conference(struct cp_mgmt_request *request)
{
	const char *user = json_string_value(json_object_get(request->params, "conference"));
	struct cp_conf *conf = cp_conf_by_user(request->ops->focus, cp_slice_text(user));

	if (conf == NULL)
		cp_problem_set(&request->problem, 404, "unknown-conference",
			       "There is no conference '%.64s'; GET /v1/conferences lists them.",
			       user);
	return conf;
}

static json_t *
view(struct cp_mgmt_request *request, const struct cp_conf *conf, bool with_list)
{
	struct cp_view_clock clock = cp_request_clock(request);
	struct cp_mgmt_node_facts facts = {0};

	request->ops->node_facts(request->ops->app, &facts);
	return cp_view_conference(conf, &facts, &clock, with_list);
}

static void
answer(struct cp_mgmt_request *request, int status, json_t *json)
{
	request->status = status;
	request->json = json;
	request->is_done = true;
}

void
cp_handle_conference_list(struct cp_mgmt_request *request)
{
	json_t *list = json_array();

	for (const struct cp_conf *c = cp_conf_first(request->ops->focus); c != NULL; c = c->next)
		json_array_append_new(list, view(request, c, false));
	answer(request, 200, json_pack("{s:o}", "conferences", list));
}

void
cp_handle_conference_show(struct cp_mgmt_request *request)
{
	struct cp_conf *conf = cp_request_conference(request);

	if (conf != NULL)
		answer(request, 200, view(request, conf, true));
}

static bool
is_on(const json_t *params, const char *name)
{
	return json_is_true(json_object_get(params, name));
}

static uint32_t
number(const json_t *params, const char *name, uint32_t fallback)
{
	const json_t *value = json_object_get(params, name);

	return value != NULL ? (uint32_t)json_integer_value(value) : fallback;
}

static enum cp_conf_security
security(const json_t *params)
{
	const char *name = json_string_value(json_object_get(params, "security"));

	for (enum cp_conf_security s = CP_CONF_SDES; name != NULL && s <= CP_CONF_MIKEY; s++)
		if (strcmp(cp_conf_security_name(s), name) == 0)
			return s;
	return CP_CONF_SDES;
}

/* The list of texts as C strings, borrowed; the array is the caller's. */
static const char **
texts(const json_t *list)
{
	const char **all = calloc(json_array_size(list) + 1, sizeof(*all));

	for (size_t i = 0; all != NULL && i < json_array_size(list); i++)
		all[i] = json_string_value(json_array_get(list, i));
	return all;
}

/* As in the configuration: without a list of who may join, everybody with an identity may. */
static bool
is_open(const json_t *params)
{
	const json_t *open = json_object_get(params, "open");

	if (open == NULL)
		return is_on(params, "anonymous") ||
		       json_array_size(json_object_get(params, "authorised")) == 0;
	return json_is_true(open) || is_on(params, "anonymous");
}

static int
create(struct cp_mgmt_request *request)
{
	const json_t *p = request->params, *list = json_object_get(p, "authorised");
	const char **authorised = texts(list);
	struct cp_conf_settings settings = {
		.user = json_string_value(json_object_get(p, "id")),
		.title = json_string_value(json_object_get(p, "title")),
		.security = security(p),
		.is_open = is_open(p),
		.may_anonymous = is_on(p, "anonymous"),
		.believes_from = is_on(p, "anonymous"),
		.mutes_on_entry = is_on(p, "mutes_on_entry"),
		.mutes_on_hold = true,
		.size_max = number(p, "max_participants", 0),
		.loudest_n = (uint16_t)number(p, "loudest_n", 4),
		.small_size = (uint16_t)number(p, "small_size", 8),
		.authorised = authorised,
		.authorised_count = json_array_size(list),
	};
	int status = authorised != NULL
			     ? request->ops->create(request->ops->app, &settings, "operator")
			     : -ENOMEM;

	free(authorised);
	return status;
}

/* 201 Created, and where. */
static void
answer_created(struct cp_mgmt_request *request, const char *id)
{
	const struct cp_conf *conf = cp_conf_by_user(request->ops->focus, cp_slice_text(id));
	size_t len =
		(size_t)snprintf(request->location, sizeof(request->location), "/v1/conferences/");

	for (; *id != '\0' && len + 4 < sizeof(request->location); id++)
		len += (size_t)snprintf(request->location + len, sizeof(request->location) - len,
					strchr("/?#%[]", *id) != NULL ? "%%%02X" : "%c",
					(unsigned char)*id);
	answer(request, 201, conf != NULL ? view(request, conf, true) : NULL);
}

void
cp_handle_conference_create(struct cp_mgmt_request *request)
{
	const json_t *p = request->params;
	const char *id = json_string_value(json_object_get(p, "id"));
	int status;

	if (!is_open(p) && json_array_size(json_object_get(p, "authorised")) == 0) {
		cp_problem_add(&request->problem, "#/authorised",
			       "nobody could join: list who may, or set open or anonymous");
		return;
	}
	status = create(request);
	if (status == 0)
		answer_created(request, id);
	else if (status == -EEXIST)
		cp_problem_set(&request->problem, 409, "exists",
			       "There is a conference '%.64s' already.", id);
	else if (status == -EINVAL)
		cp_problem_set(&request->problem, 400, "invalid",
			       "The id must be a SIP user part (letters, digits, -_.!~*'()), and "
			       "who is authorised SIP or tel URIs.");
	else
		cp_problem_errno(&request->problem, status, "The conference was not created");
}

static void
fill_event(struct cp_event *event, const struct cp_mgmt_request *request,
	   const struct cp_conf *conf)
{
	const char *reason = json_string_value(json_object_get(request->params, "reason"));

	event->conf = conf->id;
	event->text = reason != NULL ? reason : "closed by the operator";
	event->flag = request->route.command->id == CP_COMMAND_CONFERENCE_LOCK;
	event->type = request->route.command->id == CP_COMMAND_CONFERENCE_CLOSE ? CP_EVENT_CLOSE
										: CP_EVENT_LOCK;
	if (request->route.command->id == CP_COMMAND_CONFERENCE_MIX) {
		event->type = CP_EVENT_MIX_POLICY;
		event->value = (int32_t)number(request->params, "loudest_n", conf->loudest_n);
		event->value2 = (int32_t)number(request->params, "small_size", conf->small_size);
	}
}

void
cp_handle_conference_change(struct cp_mgmt_request *request)
{
	struct cp_conf *conf = cp_request_conference(request);
	struct cp_event event = {0};
	int status;

	if (conf == NULL)
		return;
	fill_event(&event, request, conf);
	status = request->ops->handle(request->ops->app, &event);
	if (status != 0 && status != -EALREADY)
		cp_problem_errno(&request->problem, status, "The conference was not changed");
	else if (event.type == CP_EVENT_CLOSE)
		answer(request, 204, NULL);
	else
		cp_handle_conference_show(request);
}

/* 202: what comes of it is seen in the list of participants. */
void
cp_handle_conference_call(struct cp_mgmt_request *request)
{
	struct cp_conf *conf = cp_request_conference(request);
	const char *uri = json_string_value(json_object_get(request->params, "uri"));
	int status;

	if (conf == NULL)
		return;
	status = request->ops->dial(request->ops->app, conf->id, uri);
	if (status == -EINVAL)
		cp_problem_set(&request->problem, 400, "invalid",
			       "'%.64s' is no sip: or sips: URI that can be called.", uri);
	else if (status != 0)
		cp_problem_errno(&request->problem, status, "Nobody was called");
	else
		answer(request, 202, view(request, conf, false));
}
