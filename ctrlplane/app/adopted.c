/*
 * Calls of our life before, of which the media goes on: their dialogs come from the store, so that either side may still hang up. The
 * leg is the focus's as soon as the audit has found its media; who hangs up before that is told to it then.
 */
#include "ctrlplane/app/app_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctrlplane/base/log.h"

struct cp_adopted {
	LIST_ENTRY(cp_adopted) entry;
	uint32_t leg;
	struct cp_sip_kept
		*sip; /* NULL: the peer has hung up, and the focus does not know the leg yet */
};

static struct cp_adopted *
find(const struct cp_app *app, uint32_t leg)
{
	struct cp_adopted *a;

	LIST_FOREACH (a, &app->adopted, entry)
		if (a->leg == leg)
			return a;
	return NULL;
}

static void
forget(struct cp_adopted *a)
{
	LIST_REMOVE(a, entry);
	free(a);
}

static int
take_up(void *arg, uint32_t leg, const struct cp_dialog *dialog)
{
	struct cp_app *app = arg;
	struct cp_adopted *a = calloc(1, sizeof(*a));
	int rc = a ? cp_sip_keep(&a->sip, app->sip, dialog, a) : -ENOMEM;

	if (rc) {
		cp_log(CP_LOG_INFO, CP_APP_AREA,
		       "participant %u: its dialog cannot be taken up: %s", leg, strerror(-rc));
		free(a);
		return rc == -ENOMEM ? rc : 0;
	}
	a->leg = leg;
	LIST_INSERT_HEAD(&app->adopted, a, entry);
	return 0;
}

int
cp_adopted_load(struct cp_app *app)
{
	return cp_archive_load_dialogs(app->archive, take_up, app);
}

static int
tell_gone(struct cp_app *app, uint32_t leg)
{
	return cp_app_handle(
		app, &(struct cp_event){.type = CP_EVENT_GONE, .leg = leg, .text = "hung up"});
}

void
cp_adopted_on_ended(void *ctx, void *owner, const char *why)
{
	struct cp_adopted *a = owner;
	uint32_t leg = a->leg;

	a->sip = NULL;
	if (tell_gone(ctx, leg) == 0)
		cp_adopted_release(ctx, leg, 0, why);
}

void
cp_adopted_found(struct cp_app *app, uint32_t leg)
{
	struct cp_adopted *a = find(app, leg);

	if (!a || a->sip)
		return;
	forget(a);
	tell_gone(app, leg);
}

void
cp_adopted_release(struct cp_app *app, uint32_t leg, int cause, const char *text)
{
	struct cp_adopted *a = find(app, leg);

	if (!a)
		return;
	if (a->sip)
		cp_sip_kept_bye(a->sip, cause, text);
	forget(a);
}

/* What NUA is to forget of a dialog, the store has to know. */
void
cp_adopted_keep(void *ctx, struct cp_sip_call *sip)
{
	const struct cp_call *call = cp_sip_call_owner(sip);
	struct cp_app *app = ctx;
	struct cp_dialog dialog;
	int rc;

	if (!call || !call->leg)
		return;
	rc = cp_sip_call_facts(&dialog, sip);
	if (!rc)
		rc = cp_archive_save_dialog(app->archive, call->leg, &dialog);
	if (rc)
		cp_log(CP_LOG_DEBUG, CP_APP_AREA, "participant %u: its dialog was not stored: %s",
		       call->leg, strerror(-rc));
}

void
cp_adopted_free_all(struct cp_app *app)
{
	while (!LIST_EMPTY(&app->adopted))
		forget(LIST_FIRST(&app->adopted));
}
