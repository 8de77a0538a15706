/* Handler of what can be announced. */
#include "ctrlplane/mgmt/request.h"
#include "ctrlplane/mgmt/text.h"

static json_t *
view(const struct cp_mgmt_clip *clip)
{
	return json_pack("{s:o, s:s, s:o}", "clip", cp_json_text(clip->name), "kind",
			 clip->is_prompt ? "prompt" : "file", "sound", cp_json_text(clip->sound));
}

static void
on_clips(void *arg, int status, const struct cp_mgmt_clip *clips, size_t count)
{
	struct cp_mgmt_request *request = arg;
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, view(&clips[i]));
	if (status != 0)
		cp_problem_errno(&request->problem, status,
				 "announcements.directory cannot be listed");
	request->status = 200;
	request->json = json_pack("{s:o}", "announcements", list);
	cp_request_done_one(request);
}

void
cp_handle_announcement_list(struct cp_mgmt_request *request)
{
	const struct cp_mgmt_ops *ops = request->ops;
	int status;

	request->pending++;
	if (ops->clips == NULL) {
		on_clips(request, 0, NULL, 0);
		return;
	}
	status = ops->clips(ops->app, on_clips, request);
	if (status == 0)
		return;
	request->pending--;
	cp_problem_errno(&request->problem, status, "announcements.directory cannot be listed");
}
