/* The composition root: everything on sofia's one event loop, from start to the last BYE. */
#include "ctrlplane/app/app.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "configs/program/privilege.h"
#include "ctrlplane/app/app_state.h"
#include "ctrlplane/app/chat.h"
#include "ctrlplane/app/floors.h"
#include "ctrlplane/base/log.h"

#define WALL_JITTER_MS 20
#define FAST_MS 100
#define SLOW_MS 1000

int64_t
cp_app_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The wall clock may be set while we run. What is less is the jitter of reading both: a moment is shown at one time always. */
static void
read_wall(struct cp_app *app)
{
	struct timespec t;
	int64_t ahead_ms, now_ms = cp_app_now_ms();

	clock_gettime(CLOCK_REALTIME, &t);
	ahead_ms = (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 - now_ms;
	if (llabs(ahead_ms - (cp_focus_wall_ms(app->focus, now_ms) - now_ms)) > WALL_JITTER_MS)
		cp_focus_set_wall(app->focus, ahead_ms);
}

static int
on_ready(su_root_magic_t *magic, su_wait_t *wait, su_wakeup_arg_t *arg)
{
	struct cp_app_watch *w = (void *)arg;

	w->ready(w->app, wait->revents);
	return 0;
}

int
cp_app_watch(struct cp_app_watch *w, int fd, int events)
{
	su_wait_t wait[1] = {SU_WAIT_INIT};

	if (w->index > 0 && w->fd == fd && fd >= 0)
		return su_root_eventmask(w->app->root, w->index, fd, events) == 0 ? 0 : -EIO;
	if (w->index > 0)
		su_root_deregister(w->app->root, w->index);
	w->index = 0;
	w->fd = fd;
	if (fd < 0)
		return 0;
	if (su_wait_create(wait, fd, events) != 0)
		return -EIO;
	w->index =
		su_root_register(w->app->root, wait, on_ready, (su_wakeup_arg_t *)w, su_pri_normal);
	return w->index > 0 ? 0 : -EIO;
}

static int
events_of(int wants)
{
	return (wants & CP_MEDIA_READ ? SU_WAIT_IN : 0) |
	       (wants & CP_MEDIA_WRITE ? SU_WAIT_OUT : 0);
}

static void
on_media_ready(struct cp_app *app, int events)
{
	int fd = cp_media_fd(app->media);

	if (events & SU_WAIT_OUT)
		cp_media_on_writable(app->media, cp_app_now_ms());
	if (events & (SU_WAIT_IN | SU_WAIT_ERR | SU_WAIT_HUP) && cp_media_fd(app->media) == fd)
		cp_media_on_readable(app->media, cp_app_now_ms());
}

static void
on_media_fd(void *arg, int fd, int wants)
{
	struct cp_app *app = arg;

	if (cp_app_watch(&app->media_watch, fd, events_of(wants)) != 0)
		cp_log(CP_LOG_ERROR, CP_APP_AREA, "the media plane's socket cannot be watched");
}

static void
on_media_up(void *arg, const struct dp_ctl_welcome *welcome, bool is_new)
{
	struct cp_app *app = arg;

	cp_log(CP_LOG_INFO, CP_APP_AREA, "media plane %.32s is up: %u workers, %u legs at most",
	       welcome->version, welcome->workers, welcome->legs_max);
	cp_audit_start(app);
	cp_prompts_on_up(app->prompts, is_new);
}

static void
on_media_down(void *arg, int error)
{
	struct cp_app *app = arg;

	cp_audit_stop(app);
	cp_prompts_on_down(app->prompts);
	cp_log(CP_LOG_WARN, CP_APP_AREA, "media plane is down: %s; new calls get 503",
	       strerror(error < 0 ? -error : error));
}

static void
note_ssrc(struct cp_app *app, uint32_t leg, uint32_t ssrc)
{
	struct cp_call *call = cp_app_call(app, leg);

	if (!call)
		return;
	call->has_rx_ssrc = true;
	call->rx_ssrc = ssrc;
	cp_subscribe_ssrc(app, call->conf);
}

static void
on_media_event(void *arg, const struct dp_ctl_event *e)
{
	struct cp_app *app = arg;
	struct cp_event event = {
		.conf = e->conf, .leg = e->leg, .value = (int32_t)e->a, .value2 = (int32_t)e->b};

	switch (e->event) {
	case DP_EVENT_FIRST_MEDIA:
		event.type = CP_EVENT_FIRST_MEDIA;
		break;
	case DP_EVENT_MEDIA_LOST:
		event.type = CP_EVENT_MEDIA_LOST;
		break;
	case DP_EVENT_MEDIA_BACK:
		event.type = CP_EVENT_MEDIA_BACK;
		break;
	case DP_EVENT_DTMF:
		cp_prompts_on_key(app->prompts, e->leg, e->a);
		event.type = CP_EVENT_DTMF;
		break;
	case DP_EVENT_PLAYED:
		cp_prompts_on_played(app->prompts, e);
		return;
	case DP_EVENT_KEY_SOON:
		event.type = CP_EVENT_KEY_SOON;
		break;
	case DP_EVENT_SSRC:
		note_ssrc(app, e->leg, e->a);
		return;
	case DP_EVENT_TALKERS:
		event.type = CP_EVENT_TALKERS;
		event.ids = e->talkers;
		event.id_count =
			e->talker_count < DP_CTL_TALKERS_MAX ? e->talker_count : DP_CTL_TALKERS_MAX;
		break;
	case DP_EVENT_BYE:
		event.type = CP_EVENT_MEDIA_BYE;
		break;
	case DP_EVENT_LOST_EVENTS:
		cp_log(CP_LOG_WARN, CP_APP_AREA, "%u events of the media plane were lost", e->a);
		cp_audit_start(app);
		return;
	default:
		return;
	}
	cp_app_handle(app, &event);
}

static void
on_mgmt_ready(struct cp_app *app, int events)
{
	cp_mgmt_run(app->mgmt);
}

static void
on_kms_ready(struct cp_app *app, int events)
{
	cp_kms_client_run(app->mikey.client);
}

static void
on_fast(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct cp_app *app = (void *)arg;
	int64_t now = cp_app_now_ms();

	if (app->fast_ms)
		cp_load_turn(app, now - app->fast_ms, FAST_MS);
	app->fast_ms = now;
	cp_media_on_tick(app->media, now);
	cp_load_tick(app, now);
	cp_subscribe_tick(app);
	cp_prompts_tick(app->prompts);
	cp_floors_tick(app);
	cp_chat_tick(app);
	cp_streams_tick(app);
}

static void
on_slow(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct cp_app *app = (void *)arg;

	read_wall(app);
	cp_app_handle(app, &(struct cp_event){.type = CP_EVENT_TICK});
	cp_call_tick(app);
	cp_keep_tick(app);
	if (app->mgmt)
		cp_mgmt_run(app->mgmt); /* its time-outs */
}

static void
on_stop_timer(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	struct cp_app *app = (void *)arg;

	if (!app->is_sip_stopped) {
		cp_log(CP_LOG_WARN, CP_APP_AREA, "%zu calls did not answer our BYE",
		       cp_sip_call_count(app->sip));
		app->is_sip_left_behind = true;
	}
	su_root_break(app->root);
}

/* All have answered our BYE, and the media plane has said what went through the calls. */
void
cp_app_end_when_done(struct cp_app *app)
{
	if (app->is_sip_stopped && TAILQ_EMPTY(&app->endings))
		su_root_break(app->root);
}

static void
on_sip_stopped(void *ctx)
{
	struct cp_app *app = ctx;

	app->is_sip_stopped = true;
	cp_app_end_when_done(app);
}

static void
on_signal(struct cp_app *app, int events)
{
	struct signalfd_siginfo info;

	if (read(app->signal_watch.fd, &info, sizeof(info)) != (ssize_t)sizeof(info) ||
	    app->is_stopping)
		return;
	if (info.ssi_signo == SIGHUP) {
		cp_streams_reload(app);
		return;
	}
	cp_log(CP_LOG_INFO, CP_APP_AREA, "stopping: %zu calls", cp_sip_call_count(app->sip));
	app->is_stopping = true;
	cp_focus_drain(app->focus, true);
	cp_subscribe_stop(app);
	cp_app_handle(app, &(struct cp_event){.type = CP_EVENT_CLOSE_ALL,
					      .text = "Server is going down"});
	cp_sip_stop(app->sip, on_sip_stopped, app);
	app->stop_timer = su_timer_create(su_root_task(app->root),
					  (su_duration_t)app->config->call.bye_for_ms);
	su_timer_set(app->stop_timer, on_stop_timer, (su_timer_arg_t *)app);
}

static int
open_signals(struct cp_app *app)
{
	sigset_t set;
	int fd;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	return cp_app_watch(&app->signal_watch, fd, SU_WAIT_IN);
}

static int
open_focus(struct cp_app *app)
{
	const struct cp_config_call *c = &app->config->call;
	struct cp_conf_limits limits = {
		.confs_max = (uint32_t)c->conferences_max,
		.legs_max = (uint32_t)c->participants_max,
		.adopted_ms = c->adopted_for_ms,
		.ring_ms = c->ring_for_ms,
		.keeps_dead_legs = c->keep_dead,
	};
	uint32_t start = 0;
	int rc;

	/* two keys for each participant, and under MIKEY what they come from; without them calls would be refused later, for no reason that a caller sees */
	if (cp_secret_reserve((app->config->mikey.kms.count ? 8 : 2) *
			      (size_t)c->participants_max) < 0)
		cp_log(CP_LOG_WARN, CP_APP_AREA,
		       "RLIMIT_MEMLOCK is too small to hold the keys of %d participants; raise it "
		       "(LimitMEMLOCK= of systemd, ulimit -l) or lower 'call.participants_max'",
		       (int)c->participants_max);
	if (getrandom(&start, sizeof(start), 0) != (ssize_t)sizeof(start))
		return -EIO;
	rc = cp_map_init(&app->calls);
	if (!rc)
		rc = cp_focus_create(&app->focus, &limits, start);
	if (!rc)
		read_wall(app);
	return rc;
}

static int
open_media(struct cp_app *app)
{
	struct cp_media_conf conf = {
		.path = app->config->media_socket,
		.client = "conclave-cp",
		.timeout_ms = 10000, /* a caller waits 32 s; thousands may leave at once */
		.hooks =
			{
				.arg = app,
				.on_fd = on_media_fd,
				.on_up = on_media_up,
				.on_down = on_media_down,
				.on_event = on_media_event,
			},
	};

	return cp_media_create(&app->media, &conf);
}

static int
open_mgmt(struct cp_app *app)
{
	const struct cp_config_http *h = &app->config->http;
	const char *tcp[] = {h->listen};
	struct cp_mgmt_settings settings = {
		.socket_path = app->config->api_socket,
		.tcp = tcp,
		.tcp_count = h->listen ? 1 : 0,
		.token_file = h->token_file,
		.tokens = h->tokens,
	};
	char why[256] = "";
	int rc;

	cp_api_init(app);
	rc = cp_mgmt_open(&app->mgmt, &settings, &app->ops, why, sizeof(why));
	if (rc) {
		cp_log(CP_LOG_ERROR, CP_APP_AREA, "%s", why);
		return rc;
	}
	return cp_app_watch(&app->mgmt_watch, cp_mgmt_fd(app->mgmt), SU_WAIT_IN);
}

static int
open_mikey(struct cp_app *app)
{
	int rc = cp_app_mikey_open(&app->mikey, &app->config->mikey);

	if (rc || !app->mikey.is_on)
		return rc;
	return cp_app_watch(&app->kms_watch, cp_kms_client_fd(app->mikey.client), SU_WAIT_IN);
}

static int
open_timers(struct cp_app *app)
{
	app->fast = su_timer_create(su_root_task(app->root), FAST_MS);
	app->slow = su_timer_create(su_root_task(app->root), SLOW_MS);
	if (!app->fast || !app->slow ||
	    su_timer_set_for_ever(app->fast, on_fast, (su_timer_arg_t *)app) != 0 ||
	    su_timer_set_for_ever(app->slow, on_slow, (su_timer_arg_t *)app) != 0)
		return -ENOMEM;
	return 0;
}

/* Sockets are open: root is not needed any more. */
static int
become_user(const char *name)
{
	char why[200];
	int rc = conf_privilege_drop(name, why, sizeof(why));

	if (rc)
		cp_log(CP_LOG_ERROR, CP_APP_AREA, "%s", why);
	return rc;
}

static int
open_all(struct cp_app *app)
{
	int rc = open_signals(app);

	if (!rc)
		rc = open_focus(app);
	if (!rc)
		rc = open_media(app);
	if (!rc)
		rc = cp_sip_create(&app->sip, app->root, &app->config->sip_options,
				   &cp_app_sip_handler, app);
	if (!rc)
		rc = cp_subscribe_open(app);
	if (!rc)
		rc = cp_streams_open(app);
	if (!rc)
		cp_streams_provide(app, CP_SDP_FLOOR, &cp_floor_service);
	if (!rc)
		rc = cp_floors_open(app);
	if (!rc)
		cp_streams_provide(app, CP_SDP_CHAT, &cp_chat_service);
	if (!rc)
		rc = cp_chat_open(app);
	if (!rc)
		rc = open_mgmt(app);
	if (!rc)
		rc = become_user(app->config->node.user);
	if (!rc)
		rc = cp_keep_open(app);
	if (!rc)
		rc = open_mikey(app);
	if (!rc)
		rc = cp_prompts_open(&app->prompts, app);
	if (!rc)
		rc = open_timers(app);
	return rc;
}

static void
close_all(struct cp_app *app)
{
	if (app->media) /* what was asked for last is still to be written */
		cp_media_on_writable(app->media, cp_app_now_ms());
	cp_floors_close(app); /* from here on nobody is granted anything */
	cp_subscribe_close(app);
	cp_sip_destroy(app->sip);
	app->sip = NULL; /* who is freed below tells it nothing any more */
	cp_audit_stop(app);
	cp_app_watch(&app->mgmt_watch, -1, 0);
	cp_app_watch(&app->media_watch, -1, 0);
	cp_prompts_close(app->prompts);
	if (app->media)
		cp_media_destroy(app->media);
	if (app->archive)
		cp_keep_close(app);
	if (app->mgmt)
		cp_mgmt_close(app->mgmt);
	cp_call_free_all(app);
	cp_adopted_free_all(app);
	cp_streams_close(app);
	cp_chat_close(app);
	cp_app_watch(&app->kms_watch, -1, 0);
	cp_app_mikey_close(&app->mikey);
	cp_map_fini(&app->calls);
	if (app->focus)
		cp_focus_destroy(app->focus);
	cp_effects_fini(&app->effects);
	su_timer_destroy(app->fast);
	su_timer_destroy(app->slow);
	su_timer_destroy(app->stop_timer);
	if (app->signal_watch.fd > 0) {
		int fd = app->signal_watch.fd;

		cp_app_watch(&app->signal_watch, -1, 0);
		close(fd);
	}
}

int
cp_app_run(struct cp_config *config)
{
	struct cp_app *app = calloc(1, sizeof(*app));
	int rc = -ENOMEM;

	if (!app)
		return 1;
	su_init();
	app->config = config;
	app->started_ms = cp_app_now_ms();
	TAILQ_INIT(&app->endings);
	LIST_INIT(&app->adopted);
	cp_load_init(app);
	app->media_watch = (struct cp_app_watch){.app = app, .ready = on_media_ready, .fd = -1};
	app->mgmt_watch = (struct cp_app_watch){.app = app, .ready = on_mgmt_ready, .fd = -1};
	app->kms_watch = (struct cp_app_watch){.app = app, .ready = on_kms_ready, .fd = -1};
	app->signal_watch = (struct cp_app_watch){.app = app, .ready = on_signal, .fd = -1};
	app->streams_watch = (struct cp_app_watch){.app = app, .fd = -1};
	app->root = su_root_create(NULL);
	if (app->root) {
		su_root_threading(app->root, 0);
		rc = open_all(app);
	}
	if (rc == 0) {
		cp_media_on_tick(app->media, cp_app_now_ms());
		cp_log(CP_LOG_INFO, CP_APP_AREA, "ready: %s%s",
		       config->sip_options.listen_count ? config->sip_options.listen[0] : "no SIP",
		       config->sip_options.listen_count > 1 ? " and others" : "");
		su_root_run(app->root);
	} else {
		cp_log(CP_LOG_ERROR, CP_APP_AREA, "cannot start: %s", strerror(-rc));
		if (app->sip) { /* NUA may not be destroyed before it was shut down */
			cp_sip_stop(app->sip, on_sip_stopped, app);
			su_root_run(app->root);
		}
	}
	close_all(app);
	if (app->root && !app->is_sip_left_behind) {
		su_root_destroy(app->root);
		su_deinit();
	}
	free(app);
	return rc ? 1 : 0;
}
