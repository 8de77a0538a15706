/* Handlers about statistics: of one participant, and summed up over a conference. */
#include <errno.h>
#include <stdlib.h>
#include "ctrlplane/mgmt/request.h"

#define MEASURED_MAX 1000 /* participants that the media plane is asked about */

static const struct dp_ctl_leg_shown *
shown_of(const struct dp_ctl_hdr *reply)
{
	return (const void *)reply;
}

static void
on_stats(void *arg, int status, const struct dp_ctl_hdr *reply)
{
	struct cp_ask *ask = arg;

	if (status == 0) {
		const struct dp_ctl_leg_shown *shown = shown_of(reply);

		json_object_set_new(ask->participant, "talking",
				    json_boolean(shown->stats.is_talking));
		json_object_set_new(ask->participant, "media", cp_view_media(shown));
	}
	cp_request_done_one(ask->request);
}

void
cp_handle_participant_stats(struct cp_mgmt_request *request)
{
	const struct cp_leg *leg = cp_request_leg(request);
	json_t *json;

	if (leg == NULL)
		return;
	json = json_pack("{s:I, s:s, s:b, s:n}", "id", (json_int_t)leg->id, "conference",
			 leg->conf->user, "talking", leg->is_talking, "media");
	cp_request_ask_leg(request, leg, json, on_stats);
	cp_request_answer(request, 200, json);
}

static void
on_one_of_all(void *arg, int status, const struct dp_ctl_hdr *reply)
{
	struct cp_ask *ask = arg;
	struct cp_mgmt_request *request = ask->request;

	if (status == 0)
		cp_sums_add(request->sums, &shown_of(reply)->stats);
	if (request->pending == 1)
		cp_view_add_sums(ask->participant, request->sums);
	cp_request_done_one(request);
}

void
cp_handle_conference_stats(struct cp_mgmt_request *request)
{
	const struct cp_conf *conf = cp_request_conference(request);
	json_int_t talkers = 0, asked = 0;
	json_t *json;

	if (conf == NULL)
		return;
	request->sums = calloc(1, sizeof(*request->sums));
	json = json_pack("{s:s, s:I}", "conference", conf->user, "participants",
			 (json_int_t)conf->leg_count);
	if (request->sums == NULL || json == NULL) {
		json_decref(json);
		cp_problem_errno(&request->problem, -ENOMEM, "The media cannot be summed up");
		return;
	}
	for (const struct cp_leg *leg = conf->legs; leg != NULL; leg = leg->next) {
		talkers += leg->is_talking;
		if (asked++ < MEASURED_MAX)
			cp_request_ask_leg(request, leg, json, on_one_of_all);
	}
	json_object_set_new(json, "talkers", json_integer(talkers));
	cp_view_add_sums(json, request->sums);
	cp_request_answer(request, 200, json);
}
