/*
 * NOTIFY: what goes to whom and when. Changes are merged: a conference is shown to its roster when somebody may be told again, its
 * documents are made once, and each subscriber gets them under its own version and key.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctrlplane/app/subscribe_state.h"
#include "ctrlplane/base/log.h"
#include "ctrlplane/cms/entity.h"

#define NOTIFIES_A_TICK 250 /* the rest waits for the next tick: calls go on in between */

static bool
has_room(void **at, size_t *room, size_t wanted)
{
	void *more;

	if (*room >= wanted)
		return true;
	more = realloc(*at, wanted);
	if (!more)
		return false;
	*at = more;
	*room = wanted;
	return true;
}

/* The document, for who has a key as the content of a CMS message. */
static int
dress(struct cp_sip_notify *notify, struct cp_sub *sub, const struct cp_roster_body *body,
      uint32_t version)
{
	struct cp_subscribe *s = sub->app->subscribe;
	const struct cp_cms_key key = {.kek = sub->key.kek, .id = cp_slice_text(sub->key.id)};
	size_t wanted = cp_roster_body_room(body) + 64, head = 0, len;
	int rc;

	if (!has_room((void **)&s->plain, &s->plain_room, wanted))
		return -ENOMEM;
	if (sub->is_protected)
		head = cp_cms_entity_head(s->plain, 64, CP_ROSTER_TYPE);
	len = head + cp_roster_body_write(s->plain + head, body, version);
	notify->type = CP_ROSTER_TYPE;
	notify->body = cp_slice(s->plain, len);
	if (!sub->is_protected)
		return 0;
	if (!has_room((void **)&s->sealed, &s->sealed_room, wanted + CP_CMS_OVERHEAD))
		return -ENOMEM;
	rc = cp_cms_protect(s->sealed, s->sealed_room, &len, s->cms, &key, notify->body);
	cp_wipe(s->plain, notify->body.len);
	notify->type = CP_CMS_TYPE_FULL;
	notify->disposition = CP_CMS_DISPOSITION;
	notify->body = cp_slice((const char *)s->sealed, len);
	return rc;
}

static int
send_body(struct cp_sub *sub, struct cp_sip_notify *notify, const struct cp_roster_body *body)
{
	int rc = body ? dress(notify, sub, body, sub->version + 1) : 0;

	if (rc != 0) { /* never in the clear for want of a cipher */
		cp_log(CP_LOG_ERROR, CP_APP_AREA, "%s: no NOTIFY could be made: %s", sub->user,
		       strerror(-rc));
		notify->body = cp_slice(NULL, 0);
		if (notify->state != CP_SIP_SUB_TERMINATED)
			return rc;
	}
	sub->sent = notify->body.len;
	rc = cp_sip_sub_notify(sub->sip, notify);
	if (rc == 0 && body)
		sub->version++;
	return rc;
}

void
cp_sub_notify_end(struct cp_sub *sub, const char *reason, unsigned int retry_after_s,
		  struct cp_roster_body *body)
{
	struct cp_sip_notify notify = {
		.state = CP_SIP_SUB_TERMINATED, .reason = reason, .retry_after_s = retry_after_s};

	send_body(sub, &notify, body);
}

void
cp_watch_show(struct cp_app *app, struct cp_watch *watch)
{
	const struct cp_conf *conf = cp_conf_by_id(app->focus, watch->conf);

	if (!watch->is_dirty || !conf)
		return;
	watch->is_dirty = false;
	watch->shown_ms = cp_app_now_ms();
	for (int view = 0; view < CP_VIEWS; view++)
		if (watch->rosters[view])
			watch->recheck_ms = cp_sub_show(watch->rosters[view], app, conf,
							(enum cp_sub_view)view);
}

int
cp_sub_notify(struct cp_sub *sub)
{
	struct cp_roster *roster = cp_sub_roster(sub);
	int64_t now = cp_app_now_ms();
	struct cp_sip_notify notify = {.state = CP_SIP_SUB_ACTIVE};
	struct cp_roster_body *body;
	int rc;

	if (sub->is_sending)
		return -EAGAIN;
	if (sub->wants_full)
		cp_watch_show(sub->app, sub->watch);
	rc = sub->wants_full ? cp_roster_full(&body, roster)
			     : cp_roster_since(&body, roster, sub->revision);
	if (rc != 0)
		return rc;
	notify.expires_s =
		sub->expires_ms > now ? (unsigned int)((sub->expires_ms - now + 999) / 1000) : 0;
	rc = send_body(sub, &notify, body);
	cp_roster_body_put(body);
	sub->next_ms = now + sub->app->config->notify.interval_ms;
	if (rc != 0)
		return rc;
	sub->is_sending = true;
	sub->wants_full = false;
	sub->revision = cp_roster_revision(roster);
	return 0;
}

/* Who may not watch any more is told so. */
static void
judge(struct cp_watch *watch)
{
	struct cp_sub *sub, *next;
	size_t left = watch->count;

	watch->is_judged = true;
	for (sub = LIST_FIRST(&watch->subs); sub && left > 0; sub = next, left--) {
		next = LIST_NEXT(sub, entry);
		if (!sub->is_pending && !cp_sub_is_welcome(sub)) {
			bool is_last = watch->count == 1;

			cp_sub_end(sub, "rejected", 0);
			if (is_last)
				return;
		}
	}
}

/* One conference's turn. Returns how many NOTIFYs went out. */
static unsigned int
turn(struct cp_app *app, struct cp_watch *watch, int64_t now, unsigned int budget)
{
	struct cp_sub *sub, *next;
	unsigned int sent = 0;
	size_t left = watch->count;

	if (watch->recheck_ms && now >= watch->recheck_ms)
		watch->is_dirty = true;
	if (watch->is_dirty && now >= watch->shown_ms + app->config->notify.interval_ms)
		cp_watch_show(app, watch);
	for (sub = LIST_FIRST(&watch->subs); sub && left > 0 && sent < budget; sub = next, left--) {
		bool is_last = watch->count == 1;

		next = LIST_NEXT(sub, entry);
		if (sub->is_pending) /* it is being looked at, or refreshed */
			continue;
		if (now >= sub->expires_ms && !sub->is_sending) {
			cp_sub_end(sub, "timeout", 0);
			sent++;
			if (is_last)
				return sent;
		} else if (!sub->is_sending && now >= sub->next_ms &&
			   (sub->wants_full ||
			    sub->revision != cp_roster_revision(cp_sub_roster(sub)))) {
			sent += cp_sub_notify(sub) == 0;
		}
	}
	return sent;
}

void
cp_subscribe_tick(struct cp_app *app)
{
	struct cp_subscribe *s = app->subscribe;
	struct cp_watch *watch, *next;
	unsigned int budget = NOTIFIES_A_TICK;
	int64_t now = cp_app_now_ms();

	if (!s || s->is_stopping)
		return;
	for (watch = LIST_FIRST(&s->watches); watch && budget > 0; watch = next) {
		bool is_judged = watch->is_judged;

		next = LIST_NEXT(watch, entry);
		if (!is_judged) {
			judge(watch); /* which may have been the end of it: its turn comes with the next tick */
			continue;
		}
		budget -= turn(app, watch, now, budget);
	}
}
