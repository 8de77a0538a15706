/* Taking stock after the connection to the media plane came up: what runs there is named to the focus, page by page. */
#include "ctrlplane/app/app_state.h"

#include <stdlib.h>
#include <string.h>

#include "ctrlplane/base/log.h"

static void ask(struct cp_app *app, uint32_t after);

static void
end(struct cp_app *app)
{
	cp_audit_stop(app);
	cp_app_handle(app, &(struct cp_event){.type = CP_EVENT_AUDIT_END});
}

static bool
keep_conf(struct cp_audit *a, uint32_t conf)
{
	if (a->conf_count == a->conf_room) {
		size_t room = a->conf_room ? 2 * a->conf_room : 64;
		uint32_t *more = reallocarray(a->confs, room, sizeof(*more));

		if (!more)
			return false;
		a->confs = more;
		a->conf_room = room;
	}
	a->confs[a->conf_count++] = conf;
	return true;
}

static void
on_page(void *arg, int status, const struct dp_ctl_hdr *reply)
{
	const struct dp_ctl_ids *page = (const void *)reply;
	struct cp_app *app = arg;
	struct cp_audit *a = &app->audit;
	uint32_t last = 0;

	if (!a->is_running)
		return;
	if (status) {
		cp_log(CP_LOG_WARN, CP_APP_AREA, "taking stock of the media plane failed: %s",
		       strerror(-status));
		cp_audit_stop(app);
		return;
	}
	for (uint32_t i = 0; i < page->count && i < DP_CTL_PAGE_LEGS; i++) {
		struct cp_event event = {.type = CP_EVENT_AUDIT_CONF, .conf = last = page->ids[i]};

		if (a->lists_legs)
			event = (struct cp_event){
				.type = CP_EVENT_AUDIT_LEG, .conf = a->confs[a->at], .leg = last};
		else if (!keep_conf(a, last))
			continue;
		cp_app_handle(app, &event);
	}
	if (!page->is_last && page->count) {
		ask(app, last);
		return;
	}
	if (a->lists_legs)
		a->at++;
	a->lists_legs = true;
	if (a->at < a->conf_count)
		ask(app, 0);
	else
		end(app);
}

static void
ask(struct cp_app *app, uint32_t after)
{
	struct cp_audit *a = &app->audit;
	struct dp_ctl_list m = {
		.hdr.type = a->lists_legs ? DP_CTL_LIST_LEGS : DP_CTL_LIST_CONFS,
		.conf = a->lists_legs ? a->confs[a->at] : 0,
		.after = after,
	};

	if (cp_media_request(app->media, &m, sizeof(m), on_page, app) != 0)
		cp_audit_stop(app);
}

void
cp_audit_start(struct cp_app *app)
{
	cp_audit_stop(app);
	app->audit.is_running = true;
	cp_app_handle(app, &(struct cp_event){.type = CP_EVENT_AUDIT_BEGIN});
	ask(app, 0);
}

void
cp_audit_stop(struct cp_app *app)
{
	free(app->audit.confs);
	app->audit = (struct cp_audit){0};
}
