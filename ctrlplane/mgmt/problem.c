/* Errors of the API as problem documents (RFC 9457). */
#include "ctrlplane/mgmt/problem.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "ctrlplane/mgmt/text.h"

static const struct {
	int status;
	const char *title;
} titles[] = {
	{400, "Bad request"},
	{401, "Not authenticated"},
	{403, "Forbidden"},
	{404, "Not found"},
	{405, "Method not allowed"},
	{409, "Conflict"},
	{413, "Body too large"},
	{415, "Not JSON"},
	{421, "Misdirected request"},
	{500, "Internal error"},
	{503, "Not available"},
	{504, "The media plane does not answer"},
	{507, "Full"},
};

static const struct {
	int error, status;
	const char *name;
} errors[] = {
	{EACCES, 403, "forbidden"},
	{ENOENT, 404, "gone"},
	{EEXIST, 409, "exists"},
	{EINVAL, 400, "invalid"},
	{ERANGE, 400, "invalid"},
	{ENOSPC, 507, "full"},
	{ENOTCONN, 503, "no-media-plane"},
	{ECONNRESET, 503, "no-media-plane"},
	{EAGAIN, 503, "busy"},
	{ETIMEDOUT, 504, "media-plane-slow"},
	{ENOMEM, 503, "no-memory"},
	{ENOTSUP, 503, "not-supported"},
	{EIO, 503, "not-stored"},
};

void
cp_problem_set(struct cp_problem *problem, int status, const char *name, const char *format, ...)
{
	va_list args;

	if (problem->status != 0)
		return;
	problem->status = status;
	problem->name = name;
	va_start(args, format);
	vsnprintf(problem->detail, sizeof(problem->detail), format, args);
	va_end(args);
}

void
cp_problem_add(struct cp_problem *problem, const char *pointer, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	cp_problem_set(problem, 400, "invalid", "%s", "The request has mistakes.");
	if (problem->errors == NULL)
		problem->errors = json_array();
	json_array_append_new(problem->errors,
			      json_pack("{s:o, s:o}", "pointer", cp_json_text(pointer), "detail",
					cp_json_text(text)));
}

void
cp_problem_errno(struct cp_problem *problem, int error, const char *what)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].error == -error) {
			cp_problem_set(problem, errors[i].status, errors[i].name, "%s: %s", what,
				       strerror(-error));
			return;
		}
	cp_problem_set(problem, 500, "internal", "%s: %s", what, strerror(-error));
}

void
cp_problem_clip(struct cp_problem *problem, int error, const char *clip)
{
	if (error == -ENOENT)
		cp_problem_set(
			problem, 404, "no-clip",
			"There is no '%.96s': neither a file of announcements.directory nor a "
			"prompt that sounds.",
			clip);
	else if (error == -EINVAL)
		cp_problem_set(problem, 400, "invalid",
			       "'%.96s' is neither a file's name, nor a prompt's, nor tones "
			       "(tone:880:120,0:60,440+480:250).",
			       clip);
	else if (error == -ENOTSUP)
		cp_problem_set(problem, 409, "announcements-off",
			       "Announcements are switched off: announcements.enabled.");
	else if (error == -ESRCH)
		cp_problem_set(problem, 409, "nobody-there",
			       "Nobody is connected there who would hear it.");
	else if (error == -ENOSPC)
		cp_problem_set(problem, 503, "announcements-full",
			       "Nothing more is announced there now: too many announcements wait "
			       "already. Try again when some have been heard.");
	else
		cp_problem_errno(problem, error, "Nothing was announced");
}

json_t *
cp_problem_json(const struct cp_problem *problem, const char *instance)
{
	const char *title = "Error";
	char type[96] = "about:blank";
	json_t *json;

	for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++)
		if (titles[i].status == problem->status)
			title = titles[i].title;
	if (problem->name != NULL)
		snprintf(type, sizeof(type), CP_PROBLEM_TYPE "%s", problem->name);
	json = json_pack("{s:s, s:s, s:i, s:o}", "type", type, "title", title, "status",
			 problem->status, "instance", cp_json_text(instance));
	if (json != NULL && problem->detail[0] != '\0')
		json_object_set_new(json, "detail", cp_json_text(problem->detail));
	if (json != NULL && problem->errors != NULL)
		json_object_set(json, "errors", problem->errors);
	return json;
}

void
cp_problem_fini(struct cp_problem *problem)
{
	json_decref(problem->errors);
	memset(problem, 0, sizeof(*problem));
}
