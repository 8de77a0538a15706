/*
 * What outlives the program: conferences come from the store and the configuration when it starts, and go back there when
 * they change; legs, records and audit follow what the focus decides. The store is written by a thread of its own.
 */
#include "ctrlplane/app/app_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrlplane/base/log.h"

/* A leg that is over, while the media plane is asked for its last numbers. */
struct cp_keep_ending {
	TAILQ_ENTRY(cp_keep_ending) entry;
	struct cp_app *app;
	struct cp_leg leg;
	char conf[CP_CONF_USER_MAX], title[CP_CONF_TITLE_MAX];
	int64_t wall_ahead_ms;
	struct cp_archive_stats stats;
};

static int64_t
wall_ahead_ms(const struct cp_app *app)
{
	return cp_focus_wall_ms(app->focus, 1) - 1;
}

static void
complain(const char *what, int error)
{
	if (error != 0)
		cp_log(CP_LOG_ERROR, CP_APP_AREA, "%s was not stored: %s", what, strerror(-error));
}

/* FNV-1a over what an entry of the configuration says: has it been edited since it was stored? */
static uint64_t
hash(uint64_t seed, const char *text)
{
	for (; text != NULL && *text; text++)
		seed = (seed ^ (uint8_t)*text) * 0x100000001b3u;
	return (seed ^ 0xff) * 0x100000001b3u; /* between two texts */
}

static struct cp_conf_settings
settings_of(const struct cp_app *app, const struct cp_config_conference *entry)
{
	struct cp_conf_settings settings = cp_config_settings(entry);

	if (settings.notify == CP_NOTIFY_DEFAULT)
		settings.notify = (enum cp_conf_notify)app->config->notify.protection;
	return settings;
}

static uint64_t
hash_entry(const struct cp_app *app, const struct cp_config_conference *entry)
{
	struct cp_conf_settings s = settings_of(app, entry);
	uint64_t all = 0xcbf29ce484222325u;
	char text[320];

	snprintf(text, sizeof(text),
		 "%d %d %d %d %d %d %d %d %d %d %d %d %u %u %u %d %u %jd %jd %jd", s.security,
		 s.editors, s.notify, s.is_open, s.may_anonymous, s.believes_from, s.mutes_on_entry,
		 s.mutes_on_hold, s.has_lobby, s.announces, s.ends_with_creator, s.ends_when_empty,
		 s.size_max, s.loudest_n, s.small_size, s.has_chat, s.chat_history,
		 (intmax_t)s.start_ms, (intmax_t)s.end_ms, (intmax_t)s.early_ms);
	all = hash(all, text);
	all = hash(all, s.title);
	all = hash(all, s.subject);
	all = hash(all, s.creator);
	all = hash(all, s.pin);
	for (size_t i = 0; i < s.floors.count; i++) {
		cp_conf_floor_print(text, &s.floors.items[i]);
		all = hash(all, text);
	}
	for (size_t i = 0; i < s.authorised_count; i++)
		all = hash(all, s.authorised[i]);
	for (size_t i = 0; i < s.people_count; i++)
		all = hash(hash(all, s.people[i].uri), cp_conf_role_name(s.people[i].role));
	return all != 0 ? all : 1;
}

static void
save_conf(struct cp_app *app, const struct cp_conf *conf, bool has_list)
{
	const struct cp_config_conference *entry =
		conf->origin == CP_CONF_CONFIGURED ? cp_config_conference(app->config, conf->user)
						   : NULL;
	struct cp_archive_save save = {
		.conf = conf,
		.wall_ahead_ms = wall_ahead_ms(app),
		.config = entry ? hash_entry(app, entry) : 0,
		.has_list = has_list,
	};

	complain("a conference", cp_archive_save_conf(app->archive, &save));
}

static void
audit(struct cp_app *app, const char *by, const char *conf, uint32_t leg, const char *what)
{
	struct cp_audit_entry entry = {
		.at_ms = cp_focus_wall_ms(app->focus, cp_app_now_ms()),
		.by = by,
		.conf = conf,
		.leg = leg,
		.what = what,
	};

	cp_log(CP_LOG_INFO, CP_APP_AREA, "%s: %s%s%s", *conf ? conf : "node", what,
	       *by ? " by " : "", by);
	complain("an audit entry", cp_archive_audit(app->archive, &entry));
}

void
cp_keep_audit(struct cp_app *app, const char *by, const char *conf, const char *what)
{
	audit(app, by ? by : "", conf ? conf : "", 0, what);
}

int
cp_app_create_conf(struct cp_conf **out, struct cp_app *app,
		   const struct cp_conf_settings *settings, enum cp_conf_origin origin,
		   const char *by)
{
	struct cp_conf_settings chosen = *settings;
	struct cp_conf *conf;
	int rc;

	if (chosen.notify == CP_NOTIFY_DEFAULT)
		chosen.notify = (enum cp_conf_notify)app->config->notify.protection;
	rc = cp_conf_create(&conf, app->focus, &chosen, origin, cp_app_now_ms());
	if (rc != 0)
		return rc;
	save_conf(app, conf, true);
	audit(app, by ? by : "", conf->user, 0, "created");
	cp_app_tell(app, &(struct cp_effect){.type = CP_EFFECT_NOTICE,
					     .notice = CP_NOTICE_CONF,
					     .conf = conf->id,
					     .text = "created"});
	*out = conf;
	return 0;
}

static void
write_ending(struct cp_keep_ending *ending)
{
	struct cp_archive_end end = {
		.leg = &ending->leg,
		.conf = ending->conf,
		.title = ending->title,
		.wall_ahead_ms = ending->wall_ahead_ms,
		.stats = ending->stats,
	};

	complain("a call record", cp_archive_record(ending->app->archive, &end));
	TAILQ_REMOVE(&ending->app->endings, ending, entry);
	cp_app_end_when_done(ending->app);
	free(ending);
}

static void
on_stats(void *arg, int status, const struct dp_ctl_hdr *reply)
{
	const struct dp_ctl_leg_shown *shown = (const void *)reply;
	struct cp_keep_ending *ending = arg;

	if (status == 0)
		ending->stats = (struct cp_archive_stats){
			.has_stats = true,
			.packets_rx = shown->stats.rx_packets,
			.packets_tx = shown->stats.tx_packets,
			.octets_rx = shown->stats.rx_octets,
			.octets_tx = shown->stats.tx_octets,
			.lost = shown->stats.lost,
			.concealed = shown->stats.concealed_frames,
			.auth_failures = shown->stats.auth_failures,
			.replays = shown->stats.replays,
			.jitter_us = shown->stats.jitter_us,
			.round_trip_us = shown->stats.round_trip_us,
		};
	write_ending(ending);
}

/* Asked while the media plane still has the leg: what takes it away there is behind us in the same socket. */
static void
record(struct cp_app *app, uint32_t id)
{
	const struct cp_leg *leg = cp_leg_gone(app->focus, id);
	struct cp_keep_ending *ending = leg ? calloc(1, sizeof(*ending)) : NULL;

	if (!ending) {
		complain("a call record", leg ? -ENOMEM : -ENOENT);
		return;
	}
	ending->app = app;
	ending->leg = *leg;
	ending->wall_ahead_ms = wall_ahead_ms(app);
	snprintf(ending->conf, sizeof(ending->conf), "%s", leg->conf->user);
	snprintf(ending->title, sizeof(ending->title), "%s", leg->conf->title);
	TAILQ_INSERT_TAIL(&app->endings, ending, entry);
	if (!leg->is_installed ||
	    cp_media_request_id(app->media, DP_CTL_LEG_SHOW, id, on_stats, ending) != 0)
		write_ending(ending);
}

static void
save_leg(struct cp_app *app, uint32_t id)
{
	const struct cp_leg *leg = cp_leg_by_id(app->focus, id);

	if (leg && leg->conf->origin != CP_CONF_ADOPTED)
		complain("a participant",
			 cp_archive_save_leg(app->archive, leg, wall_ahead_ms(app)));
}

static const struct cp_conf *
conf_of(const struct cp_app *app, uint32_t id)
{
	const struct cp_conf *conf = cp_conf_by_id(app->focus, id);

	return conf ? conf : cp_conf_closed(app->focus, id);
}

void
cp_keep_effect(struct cp_app *app, const struct cp_effect *e)
{
	const struct cp_conf *conf = conf_of(app, e->conf);

	switch (e->type) {
	case CP_EFFECT_SAVE_CONF:
		if (conf && conf->origin != CP_CONF_ADOPTED)
			save_conf(app, conf, e->value != 0);
		break;
	case CP_EFFECT_DROP_CONF:
		complain("the end of a conference", cp_archive_drop_conf(app->archive, e->text));
		break;
	case CP_EFFECT_SAVE_LEG:
		save_leg(app, e->leg);
		break;
	case CP_EFFECT_RECORD:
		record(app, e->leg);
		break;
	case CP_EFFECT_AUDIT:
		audit(app, e->by, conf ? conf->user : "", e->leg, e->text);
		break;
	default:
		break;
	}
}

/* One of the configuration is as it was left, unless its entry has been edited since: then that is the newer word. */
static int
restore(void *arg, const struct cp_archive_conf *stored)
{
	struct cp_app *app = arg;
	const struct cp_config_conference *entry =
		cp_config_conference(app->config, stored->settings.user);
	struct cp_conf_settings settings = stored->settings;
	struct cp_conf_past past = stored->past;
	bool is_edited = entry && stored->config != hash_entry(app, entry);
	struct cp_conf *conf;
	int rc;

	if (!entry && past.origin == CP_CONF_CONFIGURED) {
		cp_log(CP_LOG_INFO, CP_APP_AREA, "%s: no longer in the configuration",
		       settings.user);
		return cp_archive_drop_conf(app->archive, settings.user);
	}
	if (is_edited)
		settings = settings_of(app, entry);
	past.origin = entry ? CP_CONF_CONFIGURED : past.origin;
	rc = cp_conf_restore(&conf, app->focus, &settings, &past, cp_app_now_ms());
	if (rc != 0)
		cp_log(CP_LOG_ERROR, CP_APP_AREA, "%s: cannot be restored: %s", settings.user,
		       strerror(-rc));
	else if (is_edited)
		save_conf(app, conf, true);
	return rc == -ENOMEM ? rc : 0;
}

static int
recall(void *arg, uint32_t conf, const struct cp_leg *stored)
{
	struct cp_app *app = arg;
	int64_t ahead_ms = wall_ahead_ms(app);
	struct cp_leg leg = *stored;
	int rc;

	leg.joined_ms -= ahead_ms;
	leg.connected_ms -= leg.connected_ms ? ahead_ms : 0;
	leg.referred_ms -= leg.referred_ms ? ahead_ms : 0;
	rc = cp_focus_remember(app->focus, conf, &leg);
	return rc == -ENOMEM ? rc : 0;
}

static int
open_configured(struct cp_app *app)
{
	const struct conf_objects *all = &app->config->conferences;
	const struct cp_config_conference *entries = all->items;

	for (size_t i = 0; i < all->count; i++) {
		struct cp_conf_settings settings = settings_of(app, &entries[i]);
		struct cp_conf *conf;
		int rc;

		if (cp_conf_by_user(app->focus, cp_slice_text(settings.user)))
			continue; /* as it was left */
		if (settings.end_ms &&
		    settings.end_ms <= cp_focus_wall_ms(app->focus, cp_app_now_ms())) {
			cp_log(CP_LOG_INFO, CP_APP_AREA,
			       "line %d: conference '%s': its time is over", all->lines[i],
			       entries[i].id);
			continue;
		}
		rc = cp_conf_create(&conf, app->focus, &settings, CP_CONF_CONFIGURED,
				    cp_app_now_ms());
		if (rc) {
			cp_log(CP_LOG_ERROR, CP_APP_AREA, "line %d: conference '%s': %s",
			       all->lines[i], entries[i].id,
			       rc == -EINVAL ? "its id may not stand in a SIP URI" : strerror(-rc));
			return rc;
		}
		save_conf(app, conf, true);
	}
	return 0;
}

static void
on_ready(struct cp_app *app, int events)
{
	cp_archive_run(app->archive);
}

int
cp_keep_open(struct cp_app *app)
{
	struct cp_archive_options options = {
		.path = app->config->store.path,
		.keep_ms = app->config->store.keep_ms,
	};
	char why[256];
	int rc = cp_archive_open(&app->archive, &options, why, sizeof(why));

	if (rc) {
		cp_log(CP_LOG_ERROR, CP_APP_AREA, "%s; see 'store.path'", why);
		return rc;
	}
	if (!options.path)
		cp_log(CP_LOG_INFO, CP_APP_AREA,
		       "no 'store.path': conferences made through the API, call records and the "
		       "audit are gone when the program ends");
	rc = cp_archive_load_confs(app->archive, restore, app);
	if (!rc)
		rc = cp_archive_load_legs(app->archive, recall, app);
	if (!rc)
		rc = cp_adopted_load(app);
	if (!rc)
		rc = open_configured(app);
	if (!rc)
		rc = cp_archive_begin(app->archive);
	if (rc)
		return rc;
	app->archive_watch = (struct cp_app_watch){.app = app, .ready = on_ready, .fd = -1};
	return cp_app_watch(&app->archive_watch, cp_archive_fd(app->archive), SU_WAIT_IN);
}

/* What the disk says goes to the log once, and once more when it is well again. */
void
cp_keep_tick(struct cp_app *app)
{
	char why[256];
	bool is_bad = cp_archive_is_in_trouble(app->archive, why, sizeof(why));

	if (is_bad && !app->is_store_bad)
		cp_log(CP_LOG_ERROR, CP_APP_AREA,
		       "the store cannot be written: %s; %zu changes wait for it", why,
		       cp_archive_waiting(app->archive));
	else if (!is_bad && app->is_store_bad)
		cp_log(CP_LOG_INFO, CP_APP_AREA, "the store is written again");
	app->is_store_bad = is_bad;
}

void
cp_keep_close(struct cp_app *app)
{
	struct cp_keep_ending *ending;

	cp_app_watch(&app->archive_watch, -1, 0);
	while ((ending = TAILQ_FIRST(&app->endings)) != NULL)
		write_ending(ending); /* the media plane has not answered */
	cp_archive_close(app->archive);
	app->archive = NULL;
}
