/* One HTTP request: its memory. */
#include "ctrlplane/mgmt/request.h"
#include <stdlib.h>
#include <string.h>

struct cp_mgmt_request *
cp_request_create(const struct cp_mgmt_ops *ops, const char *target)
{
	struct cp_mgmt_request *request = calloc(1, sizeof(*request));

	if (request == NULL)
		return NULL;
	request->ops = ops;
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
	if (len > CP_REQUEST_BODY_MAX - request->body_len) {
		cp_problem_set(&request->problem, 413, "too-large", "A body has at most %d octets.",
			       CP_REQUEST_BODY_MAX);
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
