/* Asks how busy the media plane is, some times a second, and refuses new participants when they would harm those who are there. */
#include "ctrlplane/app/app_state.h"

#include <string.h>
#include <sys/random.h>

#include "ctrlplane/base/log.h"

#define ROUND_MS 200
#define LAG_HIGH_MS 3000 /* our loop is behind: SIP would be answered too late */
#define LAG_LOW_MS 200
#define RETRY_MIN_S 4
#define RETRY_SPREAD_S 8 /* so that they do not all come back at once */

void
cp_load_init(struct cp_app *app)
{
	app->overload = (struct cp_overload){
		.high_permille = (uint32_t)app->config->call.busy_high * 10,
		.low_permille = (uint32_t)app->config->call.busy_low * 10,
		.late_permille = (uint32_t)app->config->call.late_high * 10,
		.lag_high_ms = LAG_HIGH_MS,
		.lag_low_ms = LAG_LOW_MS,
	};
}

static void
tell_change(struct cp_app *app, bool was_over)
{
	bool is_over = cp_overload_is_any(&app->overload);

	if (is_over && !was_over)
		cp_log(CP_LOG_WARN, CP_APP_AREA,
		       "overloaded: new participants get 503; see 'call.busy_high'%s",
		       app->overload.is_lagging ? "; this program itself is behind" : "");
	else if (!is_over && was_over)
		cp_log(CP_LOG_INFO, CP_APP_AREA, "no longer overloaded: %llu were refused so far",
		       (unsigned long long)app->calls_shed);
}

static void
on_node(void *arg, int status, const struct dp_ctl_hdr *reply)
{
	const struct dp_ctl_node *node = (const void *)reply;
	struct cp_app *app = arg;
	struct cp_overload_sample samples[CP_OVERLOAD_WORKERS];
	bool was_over = cp_overload_is_any(&app->overload);

	app->is_asking_load = false;
	if (status != 0)
		return;
	for (uint32_t w = 0; w < CP_OVERLOAD_WORKERS; w++)
		samples[w] = (struct cp_overload_sample){
			.at_ns = node->uptime_ns,
			.busy_ns = node->worker[w].busy_ns,
			.ticks = node->worker[w].ticks,
			.ticks_late = node->worker[w].ticks_late,
			.legs = node->worker[w].legs,
		};
	cp_overload_measure(&app->overload, node->instance, samples, node->workers);
	tell_change(app, was_over);
}

void
cp_load_tick(struct cp_app *app, int64_t now_ms)
{
	struct dp_ctl_hdr m = {.type = DP_CTL_NODE_SHOW};

	if (app->is_asking_load || now_ms < app->load_asked_ms + ROUND_MS ||
	    !cp_media_is_up(app->media))
		return;
	app->load_asked_ms = now_ms;
	app->is_asking_load = true; /* before: a failure may come at once */
	if (cp_media_request(app->media, &m, sizeof(m), on_node, app) != 0)
		app->is_asking_load = false;
}

void
cp_load_turn(struct cp_app *app, int64_t since_ms, int64_t period_ms)
{
	bool was_over = cp_overload_is_any(&app->overload);

	cp_overload_lag(&app->overload, since_ms - period_ms);
	tell_change(app, was_over);
}

/* The worker that has the conference's media; ANY: none yet. */
static uint32_t
worker_of(const struct cp_app *app, const struct cp_conf *conf)
{
	for (const struct cp_leg *leg = conf ? conf->legs : NULL; leg; leg = leg->next) {
		const struct cp_call *call = cp_app_call(app, leg->id);

		if (call && call->has_leg)
			return call->worker;
	}
	return CP_OVERLOAD_ANY;
}

bool
cp_load_refuses(struct cp_app *app, const struct cp_conf *conf)
{
	if (!cp_overload_refuses(&app->overload, worker_of(app, conf)))
		return false;
	app->calls_shed++;
	return true;
}

void
cp_load_admitted(struct cp_app *app, const struct cp_conf *conf)
{
	cp_overload_admit(&app->overload, worker_of(app, conf));
}

unsigned int
cp_load_retry_after_s(void)
{
	unsigned char random = 0;

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return RETRY_MIN_S;
	return RETRY_MIN_S + random % RETRY_SPREAD_S;
}
