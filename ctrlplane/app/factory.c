/*
 * Calls to a conference factory URI (RFC 4579 5.4): a conference of the caller's own, the people of a list called into it (RFC 5366),
 * and what becomes of it when the caller never comes in.
 */
#include "ctrlplane/app/app_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "ctrlplane/base/log.h"
#include "ctrlplane/sip/resource_list.h"

#define TRIES 8 /* for a name that nobody has */

int
cp_factory_keep_list(struct cp_call *call, const struct cp_sip_invite *invite)
{
	struct cp_guests *guests;
	int rc;

	if (invite->list.len == 0)
		return 0;
	guests = calloc(1, sizeof(*guests));
	if (!guests)
		return 503;
	rc = cp_sip_list_decode(&guests->list, invite->list,
				(size_t)call->app->config->call.list_max);
	if (rc != 0) {
		free(guests);
		return rc == -ENOMEM ? 503 : 400;
	}
	guests->hops = invite->hops;
	call->guests = guests;
	return 0;
}

static void
free_guests(struct cp_guests *guests)
{
	if (guests)
		cp_sip_list_free(&guests->list);
	free(guests);
}

static size_t
conferences_of(const struct cp_app *app, const char *creator)
{
	size_t count = 0;

	for (const struct cp_conf *c = cp_conf_first(app->focus); c; c = c->next)
		count += c->origin == CP_CONF_FACTORY && cp_identity_is_same(c->creator, creator);
	return count;
}

/* Under a name that is free. */
static int
create(struct cp_conf **out, struct cp_app *app, struct cp_conf_settings *settings,
       const char *prefix)
{
	char name[CP_CONF_USER_MAX];
	int rc = -EEXIST;

	settings->user = name;
	for (int i = 0; i < TRIES && rc == -EEXIST; i++) {
		uint32_t random;

		if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
			return -EIO;
		snprintf(name, sizeof(name), "%s%08x", prefix, random);
		if (cp_config_factory(&app->config->factories, name))
			continue;
		rc = cp_app_create_conf(out, app, settings, CP_CONF_FACTORY, settings->creator);
	}
	return rc;
}

/* Whom the caller invites may come again. */
static size_t
list_guests(const char **uris, const struct cp_call *call)
{
	size_t count = call->guests ? call->guests->list.count : 0;

	for (size_t i = 0; i < count; i++)
		uris[i] = call->guests->list.items[i].identity;
	return count;
}

static int
open_conference(struct cp_conf **out, struct cp_call *call, const char *creator)
{
	const struct cp_config_factory *f = call->factory;
	size_t room = call->guests ? call->guests->list.count : 0;
	const char **uris = calloc(room + 1, sizeof(*uris));
	struct cp_conf_settings settings = {
		.creator = creator,
		.security = (enum cp_conf_security)f->security,
		.is_open = f->open,
		.may_anonymous = f->anonymous,
		.believes_from = f->identity == CP_CONFIG_IDENTITY_NONE,
		.mutes_on_entry = f->entry_muted,
		.mutes_on_hold = true,
		.ends_with_creator = f->ends_with_creator,
		.ends_when_empty = true,
		.has_chat = f->chat,
		.chat_history = (uint16_t)f->chat_history,
		.size_max = (uint32_t)f->max_participants,
		.loudest_n = 4,
		.small_size = 8,
		.authorised = uris,
	};
	int rc;

	if (!uris)
		return -ENOMEM;
	settings.authorised_count = list_guests(uris, call);
	rc = create(out, call->app, &settings, f->prefix);
	free(uris);
	return rc;
}

int
cp_factory_open(struct cp_call *call, const char *creator, const char **why)
{
	struct cp_app *app = call->app;
	const struct cp_config_factory *f = call->factory;
	struct cp_conf *conf;
	int rc;

	if (!f || call->made)
		return 0;
	*why = "A conference needs a creator who is known";
	if (!*creator)
		return 403;
	*why = "You may not make conferences here";
	if (!cp_config_may_create(f, creator))
		return 403;
	*why = "You have as many conferences as one may have";
	if (conferences_of(app, creator) >= (size_t)f->max_each)
		return 403;
	*why = "This server takes no new conferences just now";
	if (cp_focus_is_draining(app->focus))
		return 503;
	rc = open_conference(&conf, call, creator);
	if (rc != 0) {
		cp_log(CP_LOG_WARN, CP_APP_AREA, "%s makes no conference: %s", f->id,
		       strerror(-rc));
		return rc == -ENOSPC || rc == -ENOMEM ? 503 : 500;
	}
	cp_log(CP_LOG_INFO, CP_APP_AREA, "%s made %s for %s", f->id, conf->user, creator);
	call->made = conf->id;
	snprintf(call->caller->user, sizeof(call->caller->user), "%s", conf->user);
	cp_sip_call_set_user(call->sip, conf->user);
	return 0;
}

void
cp_factory_joined(struct cp_call *call)
{
	static char history[CP_SIP_LIST_OCTETS_MAX]; /* one loop */
	struct cp_guests *guests = call->guests;
	const uint32_t conf_id = call->conf;
	struct cp_app *app = call->app;
	char creator[CP_IDENTITY_MAX];

	call->made = 0;
	call->guests = NULL;
	if (!guests)
		return;
	memcpy(creator, call->identity, sizeof(creator));
	if (cp_sip_list_encode_history(history, sizeof(history), &guests->list) <= 0)
		history[0] = '\0';
	for (size_t i = 0; i < guests->list.count; i++) {
		const struct cp_conf *conf = cp_conf_by_id(app->focus, conf_id);
		const struct cp_dial_order order = {
			.uri = guests->list.items[i].uri,
			.inviter = creator,
			.reason = "invited by the creator",
			.history = *history ? history : NULL,
			.hops = guests->hops,
		};
		struct cp_conf_verdict verdict;
		int rc = conf ? cp_app_dial(&verdict, app, conf, &order) : -ENOENT;

		if (rc != 0)
			cp_log(CP_LOG_WARN, CP_APP_AREA, "%s is not called: %s",
			       guests->list.items[i].identity,
			       rc == -EACCES ? verdict.reason : strerror(-rc));
	}
	free_guests(guests);
}

void
cp_factory_forget(struct cp_call *call)
{
	free_guests(call->guests);
	call->guests = NULL;
	if (call->made && !call->app->is_stopping)
		cp_app_handle(call->app, &(struct cp_event){.type = CP_EVENT_CLOSE,
							    .conf = call->made,
							    .text = "Its creator did not come in"});
	call->made = 0;
}
