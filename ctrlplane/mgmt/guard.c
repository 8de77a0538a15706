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
is_json(const char *content_type)
{
	static const char json[] = "application/json";
	size_t len = content_type != NULL ? strcspn(content_type, "; \t") : 0;

	return len == sizeof(json) - 1 && strncasecmp(content_type, json, len) == 0;
}

/* Time does not depend on where they differ. */
static bool
is_same_secret(const char *shown, const char *token)
{
	size_t len = strlen(token), shown_len = strlen(shown);
	unsigned char differs = shown_len != len;

	for (size_t i = 0; i < len; i++)
		differs |= (unsigned char)(token[i] ^ shown[shown_len == len ? i : 0]);
	return differs == 0;
}

static void
check_token(struct cp_problem *problem, const char *authorization, const char *token)
{
	static const char scheme[] = "Bearer ";

	if (authorization == NULL || strncasecmp(authorization, scheme, sizeof(scheme) - 1) != 0)
		cp_problem_set(problem, 401, "no-token",
			       "Show the token of http.token_file: 'Authorization: Bearer …'.");
	else if (!is_same_secret(authorization + sizeof(scheme) - 1, token))
		cp_problem_set(problem, 401, "wrong-token",
			       "The bearer token is not that of http.token_file.");
}

void
cp_guard_check(struct cp_problem *problem, const struct cp_guard_request *request,
	       const char *token)
{
	if (!request->is_tcp)
		return;
	if (request->host == NULL || !is_loopback_host(request->host, strlen(request->host)))
		cp_problem_set(problem, 421, "foreign-host",
			       "The Host field must be localhost, 127.0.0.1 or [::1].");
	else if (request->origin != NULL && !is_own_origin(request->origin, request->host))
		cp_problem_set(problem, 403, "foreign-origin",
			       "Pages of other origins may not use this API.");
	if (token != NULL)
		check_token(problem, request->authorization, token);
}

void
cp_guard_check_type(struct cp_problem *problem, const struct cp_guard_request *request)
{
	bool is_typed = request->has_body ||
			(request->content_type != NULL && strcmp(request->method, "POST") == 0);

	if (is_typed && !is_json(request->content_type))
		cp_problem_set(problem, 415, "not-json", "Send 'Content-Type: application/json'.");
}
