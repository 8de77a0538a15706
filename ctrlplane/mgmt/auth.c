/*
 * Who asks. The Unix socket is guarded by its mode: who may open it is an operator, named by the user id of its peer. On
 * loopback everybody is, until there are tokens. A token that is shown counts on either.
 */
#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include "ctrlplane/base/log.h"
#include "ctrlplane/mgmt/server_state.h"

static void
be_operator(struct cp_mgmt_request *request)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct cp_access *access = &request->access;
	struct ucred peer;
	socklen_t len = sizeof(peer);

	*access = (struct cp_access){.role = CP_ACCESS_ADMIN};
	strcpy(access->by, "operator");
	if (!request->is_tcp && info != NULL &&
	    getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0)
		snprintf(access->by, sizeof(access->by), "uid %u", (unsigned)peer.uid);
}

/* Time does not depend on where they differ. */
static bool
is_same_secret(const char *shown, const char *token)
{
	uint8_t a[CP_DIGEST_OCTETS], b[CP_DIGEST_OCTETS];

	return cp_digest_sha256(a, shown, strlen(shown)) == 0 &&
	       cp_digest_sha256(b, token, strlen(token)) == 0 && cp_digest_is_equal(a, b);
}

static void
be_holder(struct cp_access *access, const struct cp_token *token)
{
	*access = (struct cp_access){.role = token->role, .has_token = true};
	strcpy(access->by, token->name);
	strcpy(access->identity, token->identity);
}

static bool
has_tokens(const struct cp_mgmt *mgmt)
{
	return mgmt->has_token || mgmt->tokens_path != NULL;
}

void
cp_auth_check(struct cp_mgmt_request *request, const char *authorization)
{
	static const char scheme[] = "Bearer ";
	struct cp_mgmt *mgmt = request->mgmt;
	bool is_shown = authorization != NULL && has_tokens(mgmt) &&
			strncasecmp(authorization, scheme, sizeof(scheme) - 1) == 0;
	const char *shown = is_shown ? authorization + sizeof(scheme) - 1 : NULL;
	const struct cp_token *token;

	cp_auth_refresh(mgmt);
	be_operator(request);
	if (!is_shown) {
		if (request->is_tcp && has_tokens(mgmt))
			cp_problem_set(&request->problem, 401, "no-token",
				       "Show a token: 'Authorization: Bearer …'; conclave token "
				       "create makes one.");
		return;
	}
	token = cp_tokens_find(&mgmt->tokens, shown);
	if (token != NULL) {
		be_holder(&request->access, token);
	} else if (mgmt->has_token && is_same_secret(shown, mgmt->token)) {
		request->access.has_token = true;
		strcpy(request->access.by, "http.token_file");
	} else {
		cp_problem_set(&request->problem, 401, "wrong-token",
			       "The bearer token is not one that the node knows.");
	}
}

bool
cp_auth_is_revoked(const struct cp_mgmt *mgmt, const struct cp_access *access)
{
	const struct cp_token *token = cp_tokens_by_name(&mgmt->tokens, access->by);

	if (!access->has_token || strcmp(access->by, "http.token_file") == 0)
		return false;
	return token == NULL || token->role != access->role ||
	       strcmp(token->identity, access->identity) != 0;
}

static void
audit(const struct cp_mgmt *mgmt, const char *what, const char *name)
{
	char text[96];

	snprintf(text, sizeof(text), "token %s %s", name, what);
	cp_log(CP_LOG_INFO, "api", "%s", text);
	if (mgmt->ops->audit != NULL)
		mgmt->ops->audit(mgmt->ops->app, "http.tokens", NULL, text);
}

static bool
is_same_token(const struct cp_token *a, const struct cp_token *b)
{
	return a->role == b->role && strcmp(a->identity, b->identity) == 0 &&
	       cp_digest_is_equal(a->hash, b->hash);
}

static void
audit_changes(const struct cp_mgmt *mgmt, const struct cp_tokens *now)
{
	const struct cp_tokens *before = &mgmt->tokens;

	for (size_t i = 0; i < before->count; i++)
		if (cp_tokens_by_name(now, before->items[i].name) == NULL)
			audit(mgmt, "removed", before->items[i].name);
	for (size_t i = 0; i < now->count; i++) {
		const struct cp_token *was = cp_tokens_by_name(before, now->items[i].name);

		if (was == NULL)
			audit(mgmt, "added", now->items[i].name);
		else if (!is_same_token(was, &now->items[i]))
			audit(mgmt, "changed", now->items[i].name);
	}
}

/* A file that cannot be read leaves what was read before in force, and says so once. */
void
cp_auth_refresh(struct cp_mgmt *mgmt)
{
	struct cp_tokens now = {0};
	char why[512];

	if (mgmt->tokens_path == NULL || !cp_tokens_are_stale(&mgmt->tokens, mgmt->tokens_path) ||
	    !cp_tokens_are_stale(&mgmt->rejected, mgmt->tokens_path))
		return;
	if (cp_tokens_load(&now, mgmt->tokens_path, why, sizeof(why)) != 0) {
		if (stat(mgmt->tokens_path, &mgmt->rejected.seen) != 0)
			mgmt->rejected.seen = (struct stat){0};
		cp_log(CP_LOG_ERROR, "api", "%s; the tokens stay as they were", why);
		return;
	}
	audit_changes(mgmt, &now);
	cp_tokens_fini(&mgmt->tokens);
	mgmt->tokens = now;
	for (struct cp_stream *s = mgmt->streams; s != NULL; s = s->next)
		if (cp_auth_is_revoked(mgmt, &s->request->access))
			s->events.end = "token-removed";
}

int
cp_mgmt_check_tokens(const char *path, char *why, size_t size)
{
	struct cp_tokens tokens = {0};
	int error = cp_tokens_load(&tokens, path, why, size);

	cp_tokens_fini(&tokens);
	return error;
}
