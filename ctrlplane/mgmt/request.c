/* One HTTP request: its memory. */
#include "ctrlplane/mgmt/request.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct cp_mgmt_request *
cp_request_create(const struct cp_mgmt_ops *ops, const char *target)
{
	struct cp_mgmt_request *request = calloc(1, sizeof(*request));

	if (request == NULL)
		return NULL;
	request->ops = ops;
	request->body_max = CP_REQUEST_BODY_MAX;
	request->target_text = strdup(target);
	if (request->target_text != NULL)
		return request;
	free(request);
	return NULL;
}

void
cp_request_destroy(struct cp_mgmt_request *request)
{
	struct cp_ask *ask;

	while ((ask = request->asks) != NULL) {
		request->asks = ask->next;
		json_decref(ask->participant);
		free(ask);
	}
	free(request->sums);
	json_decref(request->params);
	json_decref(request->json);
	cp_problem_fini(&request->problem);
	free(request->target_text);
	free(request->body);
	free(request);
}

void
cp_request_add_body(struct cp_mgmt_request *request, const char *octets, size_t len)
{
	char *body;

	if (request->problem.status != 0)
		return;
	if (len > request->body_max - request->body_len) {
		cp_problem_set(&request->problem, 413, "too-large",
			       "A body has at most %zu octets.", request->body_max);
		return;
	}
	body = realloc(request->body, request->body_len + len);
	if (body == NULL) {
		cp_problem_set(&request->problem, 503, "no-memory", "Out of memory.");
		return;
	}
	memcpy(body + request->body_len, octets, len);
	request->body = body;
	request->body_len += len;
}

void
cp_request_answer(struct cp_mgmt_request *request, int status, json_t *json)
{
	request->status = status;
	request->json = json;
	request->is_done = request->pending == 0;
}

void
cp_request_done_one(struct cp_mgmt_request *request)
{
	if (--request->pending > 0)
		return;
	request->is_done = true;
	cp_request_resume(request);
}

static void
on_settled(void *arg, int status)
{
	struct cp_mgmt_request *request = arg;

	if (status != 0)
		cp_problem_set(
			&request->problem, status == -ENOSPC ? 507 : 500, "not-stored",
			"It is done, but it could not be stored: a restart would forget it.");
	cp_request_done_one(request);
}

void
cp_request_settle(struct cp_mgmt_request *request)
{
	const struct cp_mgmt_ops *ops = request->ops;

	if (ops->settle == NULL)
		return;
	request->pending++;
	if (ops->settle(ops->app, on_settled, request) != 0)
		request->pending--;
}

int
cp_request_handle(struct cp_mgmt_request *request, struct cp_event *event)
{
	int status;

	event->by = request->access.by;
	event->actor = cp_access_actor(&request->access);
	status = request->ops->handle(request->ops->app, event);
	if (status == 0)
		cp_request_settle(request);
	return status;
}
