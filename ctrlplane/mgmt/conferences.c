/* Handlers about conferences. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include "ctrlplane/mgmt/request.h"
#include "ctrlplane/mgmt/settings.h"

#define LOUDEST_N 4
#define SMALL_SIZE 8
#define MADE_ID_LEN 12
#define MADE_ID_TRIES 8
#define PEOPLE_MAX 1000 /* that an answer names; a longer list has a route of its own */
#define PAGE 1000

struct cp_conf *
cp_request_conference(struct cp_mgmt_request *request)
{
	const char *user = json_string_value(json_object_get(request->params, "conference"));
	struct cp_conf *conf = cp_conf_by_user(request->ops->focus, cp_slice_text(user));

	if (conf != NULL && cp_access_sees(&request->access, conf)) {
		request->may_see_list =
			!cp_access_is_bound(&request->access) ||
			cp_conf_may(conf, request->access.identity, CP_ACTION_POLICY);
		return conf;
	}
	cp_problem_set(&request->problem, 404, "unknown-conference",
		       "There is no conference '%.64s'; GET /v1/conferences lists them.", user);
	return NULL;
}

static json_t *
view(struct cp_mgmt_request *request, const struct cp_conf *conf, bool with_list)
{
	struct cp_view_clock clock = cp_request_clock(request);
	struct cp_mgmt_node_facts facts = {0};

	request->ops->node_facts(request->ops->app, &facts);
	return cp_view_conference(conf, &facts, &clock, with_list ? PEOPLE_MAX : 0);
}

/* Where the page begins; NULL: there is nothing, or the problem is set. */
static const struct cp_conf *
first_of_page(struct cp_mgmt_request *request)
{
	const char *after = json_string_value(json_object_get(request->params, "after"));
	const struct cp_conf *conf;

	if (after == NULL)
		return cp_conf_first(request->ops->focus);
	conf = cp_conf_by_user(request->ops->focus, cp_slice_text(after));
	if (conf == NULL || !cp_access_sees(&request->access, conf)) {
		cp_problem_add(&request->problem, "?after", "is not there any more; begin anew");
		return NULL;
	}
	return conf->next;
}

void
cp_handle_conference_list(struct cp_mgmt_request *request)
{
	const json_t *limit = json_object_get(request->params, "limit");
	size_t most = limit != NULL ? (size_t)json_integer_value(limit) : PAGE;
	const struct cp_conf *conf = first_of_page(request), *last = NULL;
	bool has_more = false;
	json_t *list = json_array();

	for (; conf != NULL && !has_more; conf = conf->next) {
		if (!cp_access_sees(&request->access, conf))
			continue;
		has_more = json_array_size(list) == most;
		if (has_more)
			break;
		json_array_append_new(list, view(request, conf, false));
		last = conf;
	}
	cp_request_answer(request, 200,
			  json_pack("{s:o, s:o}", "conferences", list, "next_after",
				    has_more ? json_string(last->user) : json_null()));
}

void
cp_handle_conference_show(struct cp_mgmt_request *request)
{
	struct cp_conf *conf = cp_request_conference(request);

	if (conf != NULL)
		cp_request_answer(request, 200, view(request, conf, true));
}

/* As in the configuration: without a list of who may join, everybody with an identity may. */
static bool
is_open(const json_t *params)
{
	const json_t *open = json_object_get(params, "open");
	bool is_anonymous = json_is_true(json_object_get(params, "anonymous"));

	if (open == NULL)
		return is_anonymous || json_array_size(json_object_get(params, "authorised")) == 0;
	return json_is_true(open) || is_anonymous;
}

/* A user part that nobody guesses. */
static int
make_id(char out[MADE_ID_LEN + 1])
{
	static const char digits[] = "abcdefghijkmnpqrstuvwxyz23456789";
	uint8_t octets[MADE_ID_LEN];

	if (getrandom(octets, sizeof(octets), 0) != (ssize_t)sizeof(octets))
		return -EAGAIN;
	for (size_t i = 0; i < MADE_ID_LEN; i++)
		out[i] = digits[octets[i] % (sizeof(digits) - 1)];
	out[MADE_ID_LEN] = '\0';
	return 0;
}

static int
create(struct cp_mgmt_request *request, const struct cp_conf_settings *settings, bool makes_id)
{
	const struct cp_mgmt_ops *ops = request->ops;
	struct cp_conf_settings named = *settings;
	char made[MADE_ID_LEN + 1], why[160];
	int status = 0;

	for (int i = 0; i < MADE_ID_TRIES; i++) {
		if (makes_id)
			status = make_id(made);
		if (makes_id)
			named.user = made;
		if (status == 0 && cp_conf_check(&named, CP_CONF_SET_ALL | CP_CONF_SET_USER, why,
						 sizeof(why)) != 0) {
			cp_problem_set(&request->problem, 400, "invalid", "%s", why);
			return -EINVAL;
		}
		if (status == 0)
			status = ops->create(ops->app, &named, request->access.by);
		if (status != -EEXIST || !makes_id)
			break;
	}
	if (status == 0)
		snprintf(request->made, sizeof(request->made), "%s", named.user);
	return status;
}

/* 201 Created, and where. */
static void
answer_created(struct cp_mgmt_request *request)
{
	const char *id = request->made;
	const struct cp_conf *conf = cp_conf_by_user(request->ops->focus, cp_slice_text(id));
	size_t len =
		(size_t)snprintf(request->location, sizeof(request->location), "/v1/conferences/");

	for (; *id != '\0' && len + 4 < sizeof(request->location); id++)
		len += (size_t)snprintf(request->location + len, sizeof(request->location) - len,
					strchr("/?#%[]", *id) != NULL ? "%%%02X" : "%c",
					(unsigned char)*id);
	cp_request_settle(request);
	cp_request_answer(request, 201, conf != NULL ? view(request, conf, true) : NULL);
}

/* Whose it is: of a creator's token, the token's. */
static bool
take_creator(struct cp_mgmt_request *request, struct cp_conf_settings *settings)
{
	const char *actor = cp_access_actor(&request->access);
	char wanted[CP_IDENTITY_MAX];

	if (actor == NULL)
		return true;
	if (settings->creator != NULL && settings->creator[0] != '\0' &&
	    (cp_identity(wanted, cp_slice_text(settings->creator)) != 0 ||
	     strcmp(wanted, actor) != 0)) {
		cp_problem_set(&request->problem, 403, "forbidden",
			       "Your token makes conferences of %.128s only.", actor);
		return false;
	}
	settings->creator = actor;
	return true;
}

void
cp_handle_conference_create(struct cp_mgmt_request *request)
{
	const json_t *p = request->params, *list = json_object_get(p, "authorised");
	const char *id = json_string_value(json_object_get(p, "id"));
	struct cp_conf_settings settings = {.user = id,
					    .security = request->ops->security,
					    .mutes_on_hold = true,
					    .loudest_n = LOUDEST_N,
					    .small_size = SMALL_SIZE};
	struct cp_conf_person *people;
	uint32_t which = 0;
	int status;

	cp_settings_read(&settings, &which, p);
	settings.is_open = is_open(p);
	if (!take_creator(request, &settings))
		return;
	if (!settings.is_open && json_array_size(list) == 0 && settings.creator == NULL) {
		cp_problem_add(&request->problem, "#/authorised",
			       "nobody could join: list who may, or set open or anonymous");
		return;
	}
	settings.people = people = cp_settings_people(&settings.people_count, list);
	status = people != NULL ? create(request, &settings, id == NULL) : -ENOMEM;
	free(people);
	if (status == 0)
		answer_created(request);
	else if (status == -EEXIST)
		cp_problem_set(&request->problem, 409, "exists",
			       "There is a conference '%.64s' already.", id != NULL ? id : "");
	else if (status == -EINVAL)
		cp_problem_set(&request->problem, 400, "invalid",
			       "The id must be a SIP user part (letters, digits, -_.!~*'()), and "
			       "who is authorised SIP or tel URIs.");
	else
		cp_problem_errno(&request->problem, status, "The conference was not created");
}

/* The status of an event that was handled: fine, or the problem. */
bool
cp_request_is_changed(struct cp_mgmt_request *request, int status)
{
	const char *clip = json_string_value(json_object_get(request->params, "clip"));

	if (status == 0 || status == -EALREADY)
		return true;
	if (status == -EACCES)
		cp_problem_set(&request->problem, 403, "forbidden",
			       "The conference's policy does not let %.128s do that.",
			       request->access.identity);
	else if (clip != NULL)
		cp_problem_clip(&request->problem, status, clip);
	else
		cp_problem_errno(&request->problem, status, "Nothing was changed");
	return false;
}

void
cp_handle_conference_update(struct cp_mgmt_request *request)
{
	struct cp_conf *conf = cp_request_conference(request);
	struct cp_conf_change change = {0};
	struct cp_event event = {.type = CP_EVENT_UPDATE, .change = &change};
	char why[160];

	if (conf == NULL)
		return;
	change.to = cp_conf_settings(conf);
	cp_settings_read(&change.to, &change.which, request->params);
	if (change.which != 0 && cp_conf_check(&change.to, change.which, why, sizeof(why)) != 0) {
		cp_problem_set(&request->problem, 400, "invalid", "%s", why);
		return;
	}
	event.conf = conf->id;
	if (cp_request_is_changed(request, change.which != 0 ? cp_request_handle(request, &event)
							     : -EALREADY))
		cp_handle_conference_show(request);
}

/* UNLOCK, ADMIT and others that name no more than the conference. */
static void
fill_event(struct cp_event *event, const struct cp_mgmt_request *request,
	   const struct cp_conf *conf)
{
	static const enum cp_event_type types[CP_COMMAND_COUNT] = {
		[CP_COMMAND_CONFERENCE_CLOSE] = CP_EVENT_CLOSE,
		[CP_COMMAND_CONFERENCE_LOCK] = CP_EVENT_LOCK,
		[CP_COMMAND_CONFERENCE_UNLOCK] = CP_EVENT_LOCK,
		[CP_COMMAND_CONFERENCE_ADMIT] = CP_EVENT_ADMIT,
		[CP_COMMAND_CONFERENCE_MIX] = CP_EVENT_MIX_POLICY,
		[CP_COMMAND_CONFERENCE_ANNOUNCE] = CP_EVENT_ANNOUNCE,
	};
	const json_t *p = request->params, *small = json_object_get(p, "small_size");
	const char *reason = json_string_value(json_object_get(p, "reason"));
	const char *clip = json_string_value(json_object_get(p, "clip"));

	event->conf = conf->id;
	event->type = types[request->route.command->id];
	event->text = reason != NULL ? reason : "closed by the operator";
	event->flag = request->route.command->id == CP_COMMAND_CONFERENCE_LOCK;
	event->value = (int32_t)json_integer_value(json_object_get(p, "loudest_n"));
	event->value2 =
		small != NULL ? (int32_t)json_integer_value(small) : (int32_t)conf->small_size;
	if (clip != NULL)
		event->text = clip;
}

void
cp_handle_conference_change(struct cp_mgmt_request *request)
{
	struct cp_conf *conf = cp_request_conference(request);
	enum cp_command_id command = request->route.command->id;
	struct cp_event event = {0};

	if (conf == NULL)
		return;
	fill_event(&event, request, conf);
	if (!cp_request_is_changed(request, cp_request_handle(request, &event)))
		return;
	if (command == CP_COMMAND_CONFERENCE_CLOSE)
		cp_request_answer(request, 204, NULL);
	else if (command == CP_COMMAND_CONFERENCE_ANNOUNCE)
		cp_request_answer(request, 202, view(request, conf, true));
	else
		cp_handle_conference_show(request);
}

/* May who asks do it at all? */
static bool
may_invite(struct cp_mgmt_request *request, const struct cp_conf *conf)
{
	const char *actor = cp_access_actor(&request->access);

	return cp_request_is_changed(
		request, actor == NULL || cp_conf_may(conf, actor, CP_ACTION_INVITE) ? 0 : -EACCES);
}

static int
invite(struct cp_mgmt_request *request, const struct cp_conf *conf,
       struct cp_mgmt_invitation *invitation)
{
	const struct cp_mgmt_ops *ops = request->ops;
	bool is_refer = request->route.command->id == CP_COMMAND_CONFERENCE_REFER;
	char what[CP_IDENTITY_MAX + 32];
	int status;

	if (is_refer && ops->refer == NULL)
		return -ENOTSUP;
	status = (is_refer ? ops->refer : ops->dial)(ops->app, invitation);
	snprintf(what, sizeof(what), "%s %.255s", is_refer ? "referred" : "called",
		 invitation->uri);
	if (status == 0 && ops->audit != NULL)
		ops->audit(ops->app, request->access.by, conf->user, what);
	return status;
}

/* 202: what comes of it is seen in the list of participants. */
void
cp_handle_conference_call(struct cp_mgmt_request *request)
{
	struct cp_conf *conf = cp_request_conference(request);
	struct cp_mgmt_invitation invitation = {
		.uri = json_string_value(json_object_get(request->params, "uri")),
		.inviter = cp_access_actor(&request->access),
	};
	int status;

	if (conf == NULL || !may_invite(request, conf))
		return;
	invitation.conf = conf->id;
	status = invite(request, conf, &invitation);
	if (status == -EINVAL)
		cp_problem_set(&request->problem, 400, "invalid",
			       "'%.64s' is no sip: or sips: URI that can be called.",
			       invitation.uri);
	else if (status == -EACCES)
		cp_problem_set(&request->problem, 403, "not-welcome", "'%.64s' may not join%s%s",
			       invitation.uri, invitation.why[0] != '\0' ? ": " : ".",
			       invitation.why);
	else if (status == -EAGAIN)
		cp_problem_set(&request->problem, 503, "busy",
			       "Nobody is called now: the media plane is away or overloaded, or "
			       "the node is being drained.");
	else if (status != 0)
		cp_problem_errno(&request->problem, status, "Nobody was called");
	else
		cp_request_answer(request, 202, view(request, conf, true));
}
