/* What a request must fulfil before anything is done for it. */
#include "ctrlplane/mgmt/guard.h"
#include <string.h>
#include <strings.h>

/* "localhost", "127.0.0.1", "[::1]", each with or without a port. */
static bool
is_loopback_host(const char *host, size_t len)
{
	static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t name_len = strlen(names[i]);

		if (len < name_len || strncasecmp(host, names[i], name_len) != 0)
			continue;
		if (len == name_len)
			return true;
		if (host[name_len] == ':' && len - name_len - 1 <= 5 &&
		    strspn(host + name_len + 1, "0123456789") >= len - name_len - 1)
			return true;
	}
	return false;
}

/* The page that asks must have come from this very server. */
static bool
is_own_origin(const char *origin, const char *host)
{
	return strncasecmp(origin, "http://", 7) == 0 && strcasecmp(origin + 7, host) == 0;
}

static bool
is_type(const char *content_type, const char *wanted)
{
	size_t len = content_type != NULL ? strcspn(content_type, "; \t") : 0;

	return len == strlen(wanted) && strncasecmp(content_type, wanted, len) == 0;
}

/* The address bar and a link that was followed may have the page. */
static bool
is_for_others(const struct cp_guard_request *request)
{
	return request->fetch_site != NULL && !request->is_page &&
	       strcmp(request->fetch_site, "same-origin") != 0 &&
	       strcmp(request->fetch_site, "none") != 0;
}

void
cp_guard_check(struct cp_problem *problem, const struct cp_guard_request *request)
{
	if (!request->is_tcp)
		return;
	if (request->host == NULL || !is_loopback_host(request->host, strlen(request->host)))
		cp_problem_set(problem, 421, "foreign-host",
			       "The Host field must be localhost, 127.0.0.1 or [::1].");
	else if ((request->origin != NULL && !is_own_origin(request->origin, request->host)) ||
		 is_for_others(request))
		cp_problem_set(problem, 403, "foreign-origin",
			       "Pages of other origins may not use this API.");
}

bool
cp_guard_is_csv(const struct cp_guard_request *request)
{
	return is_type(request->content_type, "text/csv");
}

void
cp_guard_check_type(struct cp_problem *problem, const struct cp_guard_request *request)
{
	bool is_typed = request->has_body ||
			(request->content_type != NULL && strcmp(request->method, "POST") == 0);

	if (!is_typed || is_type(request->content_type, "application/json") ||
	    (strcmp(request->method, "PATCH") == 0 &&
	     is_type(request->content_type, "application/merge-patch+json")) ||
	    (request->takes_csv && cp_guard_is_csv(request)))
		return;
	cp_problem_set(problem, 415, "not-json", "Send 'Content-Type: application/json'%s.",
		       request->takes_csv ? ", or text/csv" : "");
}
