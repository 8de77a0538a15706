/* Handlers about who may join a conference. */
#include <errno.h>
#include <stdlib.h>
#include "ctrlplane/mgmt/people.h"
#include "ctrlplane/mgmt/request.h"
#include "ctrlplane/mgmt/settings.h"

void
cp_handle_authorised_list(struct cp_mgmt_request *request)
{
	const struct cp_conf *conf = cp_request_conference(request);

	if (conf != NULL && !request->may_see_list)
		cp_problem_set(&request->problem, 403, "forbidden",
			       "The conference's policy does not let %.128s see its list.",
			       request->access.identity);
	else if (conf != NULL)
		cp_request_answer(request, 200,
				  json_pack("{s:s, s:o}", "conference", conf->user, "authorised",
					    cp_view_people(conf)));
}

/* Those whom the request names. A new list; NULL with the problem set. */
static json_t *
named(struct cp_mgmt_request *request)
{
	const json_t *p = request->params;

	switch (request->route.command->id) {
	case CP_COMMAND_AUTHORISED_SET:
		return json_incref(json_object_get(p, "authorised"));
	case CP_COMMAND_AUTHORISED_IMPORT:
		return cp_people_from_csv(&request->problem,
					  json_string_value(json_object_get(p, "csv")));
	default:
		return json_pack("[{s:O, s:O*}]", "uri", json_object_get(p, "uri"), "role",
				 json_object_get(p, "role"));
	}
}

/* Which of them is no URI: -EINVAL says only that there is one. */
static void
name_wrong(struct cp_mgmt_request *request, const struct cp_conf_person *people, size_t count)
{
	char identity[CP_IDENTITY_MAX];

	for (size_t i = 0; i < count; i++)
		if (cp_identity(identity, cp_slice_text(people[i].uri)) != 0) {
			cp_problem_set(&request->problem, 400, "invalid",
				       "'%.128s' is no sip:, sips: or global tel: URI.",
				       people[i].uri);
			return;
		}
	cp_problem_set(&request->problem, 400, "invalid", "This does not fit the list.");
}

static int
change(struct cp_mgmt_request *request, const struct cp_conf *conf, const json_t *list)
{
	bool replaces = json_is_true(json_object_get(request->params, "replace")) ||
			request->route.command->id == CP_COMMAND_AUTHORISED_SET;
	bool removes = request->route.command->id == CP_COMMAND_AUTHORISED_REMOVE;
	struct cp_event event = {
		.type = replaces  ? CP_EVENT_SET_LIST
			: removes ? CP_EVENT_DISALLOW
				  : CP_EVENT_AUTHORISE,
		.conf = conf->id,
		.flag = json_is_true(json_object_get(request->params, "hang_up")),
	};
	struct cp_conf_person *people = cp_settings_people(&event.people_count, list);
	int status;

	event.people = people;
	status = people != NULL ? cp_request_handle(request, &event) : -ENOMEM;
	if (status == -EINVAL)
		name_wrong(request, people, event.people_count);
	free(people);
	return status;
}

void
cp_handle_authorised_change(struct cp_mgmt_request *request)
{
	const struct cp_conf *conf = cp_request_conference(request);
	json_t *list = conf != NULL ? named(request) : NULL;
	int status;

	if (conf == NULL || request->problem.status != 0)
		return;
	status = change(request, conf, list);
	json_decref(list);
	if (status == -EACCES)
		cp_problem_set(&request->problem, 403, "forbidden",
			       "The conference's policy does not let %.128s change its list.",
			       request->access.identity);
	else if (status != 0 && status != -EALREADY)
		cp_problem_errno(&request->problem, status, "The list was not changed");
	else if (request->route.command->id == CP_COMMAND_AUTHORISED_REMOVE)
		cp_request_answer(request, 204, NULL);
	else
		cp_handle_authorised_list(request);
}
