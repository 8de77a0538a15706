/* Announcements: sounds by name, loaded once where they are configured, for the time they are played where somebody names them. */
#include "ctrlplane/app/prompts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>

#include "ctrlplane/app/app_state.h"
#include "ctrlplane/base/log.h"
#include "ctrlplane/media/clips.h"
#include "ctrlplane/prompt/loader.h"
#include "ctrlplane/prompt/player.h"

#define SOUND_NAME_MAX CP_CONF_REASON_MAX
#define DIGIT_MAX 9    /* event code */
#define SOUNDS_MAX 128 /* at a time, those of the configuration with them */

/* A file or a list of tones. Freed when nobody plays it, unless it is of the configuration. */
struct sound {
	LIST_ENTRY(sound) next;
	struct cp_prompts *prompts;
	char name[SOUND_NAME_MAX];
	enum cp_prompt prompt; /* whose it is in the configuration; CLIP: somebody named it */
	struct cp_clip *clip;  /* NULL: not loaded */
	bool is_kept;
	bool is_loading;
	unsigned int uses;
};

/* A PLAY that is not answered yet. */
struct asked {
	LIST_ENTRY(asked) next;
	struct cp_prompts *prompts;
	struct cp_player_place place;
	uint32_t number;
};

/* A list of clips under way. */
struct listing {
	LIST_ENTRY(listing) next;
	struct cp_prompts *prompts;
	cp_mgmt_clips_fn done;
	void *arg;
};

struct cp_prompts {
	struct cp_app *app;
	const struct cp_config_announcements *config;
	struct cp_loader *loader; /* NULL: there is no folder */
	struct cp_clips *clips;
	struct cp_player *player;
	struct cp_app_watch watch;
	LIST_HEAD(, sound) sounds;
	LIST_HEAD(, asked) asked;
	LIST_HEAD(, listing) listings;
	unsigned int count; /* of sounds */
	bool is_closing;
};

static void
sound_free(struct sound *sound)
{
	if (sound->clip)
		cp_clip_remove(sound->clip);
	LIST_REMOVE(sound, next);
	sound->prompts->count--;
	free(sound);
}

static void
free_if_unused(struct sound *sound)
{
	if (sound->uses == 0 && !sound->is_kept && !sound->is_loading)
		sound_free(sound);
}

static int
sound_make(struct sound *sound, const char *tones)
{
	struct cp_sound made;
	int rc = cp_tone_make(&made, tones);

	return rc ? rc : cp_clip_add(&sound->clip, sound->prompts->clips, made.pcm, made.samples);
}

/* A prompt is heard, though its file cannot be had. */
static void
on_loaded(void *arg, int status, struct cp_sound *loaded, const char *why)
{
	struct sound *sound = arg;

	sound->is_loading = false;
	if (status == 0) {
		status = cp_clip_add(&sound->clip, sound->prompts->clips, loaded->pcm,
				     loaded->samples);
		why = strerror(-status);
	}
	if (status) {
		const char *tones = cp_announcements_fallback(sound->prompt);

		cp_log(CP_LOG_WARN, CP_APP_AREA, "announcement '%s': %s%s", sound->name, why,
		       *tones ? "; a tone is played instead" : "");
		if (*tones)
			sound_make(sound, tones);
	}
	free_if_unused(sound);
}

static bool
is_tones(const char *name)
{
	return strncmp(name, CP_TONE_PREFIX, strlen(CP_TONE_PREFIX)) == 0;
}

static int
sound_begin(struct sound *sound)
{
	struct cp_prompts *prompts = sound->prompts;
	int rc;

	if (is_tones(sound->name))
		return sound_make(sound, sound->name);
	if (!prompts->loader)
		return -ENOENT;
	rc = cp_loader_load(prompts->loader, sound->name, on_loaded, sound);
	sound->is_loading = rc == 0;
	return rc;
}

/* The sound of that name, begun to be loaded where it was not known. */
static int
sound_get(struct sound **out, struct cp_prompts *prompts, const char *name, enum cp_prompt prompt)
{
	struct sound *sound;
	int rc;

	LIST_FOREACH (sound, &prompts->sounds, next)
		if (strcmp(sound->name, name) == 0 && sound->prompt == prompt) {
			*out = sound;
			return 0;
		}
	if (strlen(name) >= SOUND_NAME_MAX)
		return -EINVAL;
	if (prompts->count >= SOUNDS_MAX)
		return -EAGAIN;
	sound = calloc(1, sizeof(*sound));
	if (!sound)
		return -ENOMEM;
	sound->prompts = prompts;
	sound->prompt = prompt;
	strcpy(sound->name, name);
	LIST_INSERT_HEAD(&prompts->sounds, sound, next);
	prompts->count++;
	rc = sound_begin(sound);
	if (rc && *cp_announcements_fallback(prompt))
		rc = sound_make(sound, cp_announcements_fallback(prompt));
	if (rc) {
		sound_free(sound);
		return rc;
	}
	*out = sound;
	return 0;
}

/* The name with the minutes in their place. */
static void
write_minutes(char *out, size_t size, const char *name, int32_t minutes)
{
	const char *mark = strstr(name, CP_ANNOUNCE_MINUTES);

	if (mark)
		snprintf(out, size, "%.*s%d%s", (int)(mark - name), name, (int)minutes,
			 mark + strlen(CP_ANNOUNCE_MINUTES));
	else
		snprintf(out, size, "%s", name);
}

/* Prompts have names; what is none of them is a file or tones. */
static enum cp_prompt
prompt_named(const char *text)
{
	for (int i = CP_PROMPT_NONE + 1; i < CP_PROMPT_CLIP; i++)
		if (strcmp(text, cp_prompt_name((enum cp_prompt)i)) == 0)
			return (enum cp_prompt)i;
	return CP_PROMPT_CLIP;
}

static const char *
configured(const struct cp_prompts *prompts, enum cp_prompt prompt)
{
	return prompts->config->sounds[prompt] ? prompts->config->sounds[prompt] : "";
}

/* A conference's place, or a leg's. */
static struct cp_player_place
place_of(uint32_t conf, uint32_t leg)
{
	return leg ? (struct cp_player_place){.leg = leg} : (struct cp_player_place){.conf = conf};
}

/* Can what is announced there now be heard by somebody, soon? */
static int
check_place(const struct cp_prompts *prompts, uint32_t conf_id, uint32_t leg_id)
{
	const struct cp_player_place place = place_of(conf_id, leg_id);
	const struct cp_conf *conf = cp_conf_by_id(prompts->app->focus, conf_id);
	const struct cp_leg *leg = cp_leg_by_id(prompts->app->focus, leg_id);
	bool is_heard =
		leg_id ? leg && leg->state == CP_LEG_CONNECTED : conf && conf->connected_count > 0;

	if (!prompts->config->enabled)
		return -ENOTSUP;
	if (!is_heard)
		return -ESRCH;
	if (!cp_media_is_up(prompts->app->media))
		return -ENOTCONN;
	return cp_player_has_room(prompts->player, &place) ? 0 : -ENOSPC;
}

static int
check_name(struct cp_prompts *prompts, const char *text)
{
	enum cp_prompt prompt = prompt_named(text);
	struct sound *sound;
	int rc;

	if (strlen(text) >= SOUND_NAME_MAX)
		return -EINVAL;
	if (prompt != CP_PROMPT_CLIP)
		return *configured(prompts, prompt) ? 0 : -ENOENT;
	if (is_tones(text))
		return cp_tone_check(text);
	if (!cp_loader_is_name(text))
		return -EINVAL;
	rc = sound_get(&sound, prompts, text, CP_PROMPT_CLIP);
	if (rc == 0)
		free_if_unused(sound); /* not while it is being loaded */
	return rc;
}

int
cp_prompts_check(struct cp_prompts *prompts, const char *text, uint32_t conf, uint32_t leg)
{
	int rc = check_name(prompts, text);

	return rc ? rc : check_place(prompts, conf, leg);
}

static size_t
list_prompts(struct cp_mgmt_clip *out, const struct cp_prompts *prompts)
{
	size_t count = 0;

	for (int i = CP_PROMPT_NONE + 1; i < CP_PROMPT_CLIP; i++)
		if (*configured(prompts, (enum cp_prompt)i))
			out[count++] = (struct cp_mgmt_clip){
				.name = cp_prompt_name((enum cp_prompt)i),
				.sound = configured(prompts, (enum cp_prompt)i),
				.is_prompt = true};
	return count;
}

static void
on_listed(void *arg, int status, const char *const *names, size_t file_count)
{
	struct listing *listing = arg;
	struct cp_mgmt_clip *all = calloc(CP_PROMPTS + file_count, sizeof(*all));
	size_t count = all ? list_prompts(all, listing->prompts) : 0;

	for (size_t i = 0; all && i < file_count; i++)
		all[count++] = (struct cp_mgmt_clip){.name = names[i], .sound = names[i]};
	LIST_REMOVE(listing, next);
	listing->done(listing->arg, all ? status : -ENOMEM, all, count);
	free(all);
	free(listing);
}

int
cp_prompts_list(struct cp_prompts *prompts, cp_mgmt_clips_fn done, void *arg)
{
	struct listing *listing = malloc(sizeof(*listing));
	int rc = 0;

	if (!listing)
		return -ENOMEM;
	*listing = (struct listing){.prompts = prompts, .done = done, .arg = arg};
	LIST_INSERT_HEAD(&prompts->listings, listing, next);
	if (prompts->loader)
		rc = cp_loader_list(prompts->loader, on_listed, listing);
	else
		on_listed(listing, 0, NULL, 0);
	if (rc) {
		LIST_REMOVE(listing, next);
		free(listing);
	}
	return rc;
}

/* Whom a prompt is for has nothing to wait for any more. */
static void
say_prompted(struct cp_prompts *prompts, uint32_t leg, int prompt)
{
	const struct cp_event event = {.type = CP_EVENT_PROMPTED, .leg = leg, .value = prompt};

	if (leg && !prompts->is_closing)
		cp_app_handle(prompts->app, &event);
}

/* Not for the media plane: for the focus. */
static bool
is_there(const struct cp_prompts *prompts, const struct cp_player_place *place)
{
	return place->leg ? cp_leg_by_id(prompts->app->focus, place->leg) != NULL
			  : cp_conf_by_id(prompts->app->focus, place->conf) != NULL;
}

static void
on_play_answered(void *arg, int status, const struct dp_ctl_hdr *reply)
{
	struct asked asked = *(struct asked *)arg;

	LIST_REMOVE((struct asked *)arg, next);
	free(arg);
	if (status == 0)
		return;
	if (status == -ENOENT && is_there(asked.prompts, &asked.place)) {
		/* a media plane that restarted gets its conferences and legs again just now */
		cp_player_not_yet(asked.prompts->player, &asked.place, asked.number,
				  cp_app_now_ms());
		return;
	}
	if (status != -ENOENT && status != -ECONNRESET)
		cp_log(CP_LOG_WARN, CP_APP_AREA, "media plane: PLAY failed: %s", strerror(-status));
	cp_player_played(asked.prompts->player, &asked.place, asked.number, false, cp_app_now_ms());
}

static int
ask_to_play(struct cp_prompts *prompts, const struct cp_player_place *place,
	    struct dp_ctl_play *message)
{
	struct asked *asked = calloc(1, sizeof(*asked));
	int rc;

	if (!asked)
		return -ENOMEM;
	*asked = (struct asked){.prompts = prompts, .place = *place, .number = message->play};
	rc = cp_media_request(prompts->app->media, message, sizeof(*message), on_play_answered,
			      asked);
	if (rc)
		free(asked);
	else
		LIST_INSERT_HEAD(&prompts->asked, asked, next);
	return rc == -ENOTCONN ? -EAGAIN : rc;
}

/* Who is in the conference hears it with the others; who waits hears nothing else. */
static uint32_t
flags_of(const struct cp_prompts *prompts, const struct cp_player_place *place,
	 const struct cp_player_item *item)
{
	const struct cp_leg *leg = cp_leg_by_id(prompts->app->focus, place->leg);

	return (item->is_endless ? DP_PLAY_LOOP : 0) |
	       (leg && leg->wait == CP_WAIT_NONE ? DP_PLAY_OVER : 0);
}

static int
play(void *arg, const struct cp_player_place *place, struct cp_player_item *item, uint32_t number)
{
	struct cp_prompts *prompts = arg;
	const struct sound *sound = item->clip;
	struct dp_ctl_play m = {
		.hdr = {.type = DP_CTL_PLAY},
		.play = number,
		.conf = place->conf,
		.leg = place->leg ? place->leg : item->except,
		.flags = flags_of(prompts, place, item),
		.gain_cdb = (int16_t)(prompts->config->gain_db * 100),
	};
	int rc = sound->clip	     ? cp_clip_id(sound->clip, &m.clip)
		 : sound->is_loading ? -EAGAIN
				     : -ENOENT;

	if (rc)
		return rc;
	item->length_ms = cp_clip_ms(sound->clip);
	return ask_to_play(prompts, place, &m);
}

static void
stop(void *arg, const struct cp_player_place *place, uint32_t number)
{
	struct cp_prompts *prompts = arg;
	struct dp_ctl_play_ref m = {.hdr = {.type = DP_CTL_STOP},
				    .play = number,
				    .leg = place->leg,
				    .conf = place->conf};

	cp_media_request(prompts->app->media, &m, sizeof(m), NULL, NULL);
}

static void
ended(void *arg, const struct cp_player_place *place, const struct cp_player_item *item,
      bool was_heard)
{
	struct cp_prompts *prompts = arg;
	struct sound *sound = item->clip;

	sound->uses--;
	free_if_unused(sound);
	say_prompted(prompts, place->leg, item->tag);
}

/* Which prompt's sound, under what name; empty: silence. */
static enum cp_prompt
name_of(char name[SOUND_NAME_MAX], const struct cp_prompts *prompts, const struct cp_effect *e)
{
	enum cp_prompt prompt = e->prompt == CP_PROMPT_CLIP ? prompt_named(e->text) : e->prompt;

	write_minutes(name, SOUND_NAME_MAX,
		      prompt == CP_PROMPT_CLIP ? e->text : configured(prompts, prompt), e->value);
	return prompt;
}

static int
put(struct cp_prompts *prompts, const struct cp_effect *e)
{
	const struct cp_player_place place = place_of(e->conf, e->leg);
	struct cp_player_item item = {
		.tag = e->prompt,
		.except = e->prompt == CP_PROMPT_JOINED && !e->leg ? (uint32_t)e->value : 0,
		.is_endless = e->prompt == CP_PROMPT_ALONE,
		.is_single = e->prompt == CP_PROMPT_JOINED || e->prompt == CP_PROMPT_LEFT,
	};
	char name[SOUND_NAME_MAX];
	enum cp_prompt prompt = name_of(name, prompts, e);
	struct sound *sound;
	int rc;

	if (!*name || !prompts->config->enabled)
		return -ENOENT;
	rc = sound_get(&sound, prompts, name, prompt);
	if (rc)
		return rc;
	item.clip = sound;
	sound->uses++;
	rc = cp_player_put(prompts->player, &place, &item, cp_app_now_ms());
	if (rc) {
		sound->uses--;
		free_if_unused(sound);
	}
	return rc;
}

void
cp_prompts_play(struct cp_prompts *prompts, const struct cp_effect *effect)
{
	int rc = put(prompts, effect);

	if (rc == 0)
		return;
	if (rc != -ENOENT && rc != -EALREADY)
		cp_log(CP_LOG_WARN, CP_APP_AREA, "announcement '%s' is left out: %s",
		       cp_prompt_name(effect->prompt), strerror(-rc));
	say_prompted(prompts, effect->leg, effect->prompt);
}

void
cp_prompts_stop(struct cp_prompts *prompts, const struct cp_effect *effect)
{
	const struct cp_conf *conf = cp_conf_by_id(prompts->app->focus, effect->conf);
	struct cp_player_place place = place_of(effect->conf, effect->leg);
	int64_t now_ms = cp_app_now_ms();

	cp_player_stop(prompts->player, &place, effect->prompt, now_ms);
	if (effect->leg || !conf)
		return;
	for (const struct cp_leg *leg = conf->legs; leg; leg = leg->next) {
		place = place_of(0, leg->id);
		cp_player_stop(prompts->player, &place, effect->prompt, now_ms);
	}
}

void
cp_prompts_forget(struct cp_prompts *prompts, uint32_t conf, uint32_t leg)
{
	const struct cp_player_place place = place_of(conf, leg);

	cp_player_forget(prompts->player, &place);
}

void
cp_prompts_on_key(struct cp_prompts *prompts, uint32_t leg_id, uint32_t code)
{
	const struct cp_leg *leg = cp_leg_by_id(prompts->app->focus, leg_id);
	const struct cp_player_place place = place_of(0, leg_id);

	/* a # behind the last digit does not cut short what was said of it */
	if (!leg || leg->wait != CP_WAIT_PIN || code > DIGIT_MAX)
		return;
	cp_player_stop(prompts->player, &place, CP_PROMPT_ENTER_PIN, cp_app_now_ms());
	cp_player_stop(prompts->player, &place, CP_PROMPT_WRONG_PIN, cp_app_now_ms());
}

void
cp_prompts_on_played(struct cp_prompts *prompts, const struct dp_ctl_event *event)
{
	const struct cp_player_place place = place_of(event->conf, event->leg);

	cp_player_played(prompts->player, &place, event->a, event->b == DP_PLAYED_OUT,
			 cp_app_now_ms());
}

/* Who waits is told again what for: it may have heard half of it. */
static void
ask_again(struct cp_prompts *prompts)
{
	static const enum cp_prompt prompts_of[] = {[CP_WAIT_NONE] = CP_PROMPT_NONE,
						    [CP_WAIT_PIN] = CP_PROMPT_ENTER_PIN,
						    [CP_WAIT_LOBBY] = CP_PROMPT_LOBBY,
						    [CP_WAIT_GOODBYE] = CP_PROMPT_NONE};

	for (struct cp_conf *conf = cp_conf_first(prompts->app->focus); conf; conf = conf->next)
		for (struct cp_leg *leg = conf->legs; leg; leg = leg->next) {
			const struct cp_effect prompt = {.type = CP_EFFECT_PROMPT,
							 .conf = conf->id,
							 .leg = leg->id,
							 .prompt = prompts_of[leg->wait]};

			const struct cp_player_place place = place_of(0, leg->id);

			if (leg->state == CP_LEG_CONNECTED && prompt.prompt != CP_PROMPT_NONE &&
			    !cp_player_has(prompts->player, &place, prompt.prompt))
				cp_prompts_play(prompts, &prompt);
		}
}

void
cp_prompts_on_up(struct cp_prompts *prompts, bool is_new)
{
	cp_clips_on_up(prompts->clips);
	cp_player_restart(prompts->player, cp_app_now_ms());
	if (is_new)
		ask_again(prompts);
}

void
cp_prompts_on_down(struct cp_prompts *prompts)
{
	cp_clips_on_down(prompts->clips);
}

void
cp_prompts_tick(struct cp_prompts *prompts)
{
	cp_player_tick(prompts->player, cp_app_now_ms());
}

static void
on_loader_ready(struct cp_app *app, int events)
{
	cp_loader_run(app->prompts->loader);
}

/* Whoever is asked for a PIN does not wait for a disk. */
static void
load_configured(struct cp_prompts *prompts)
{
	for (int i = CP_PROMPT_NONE + 1; i < CP_PROMPT_CLIP; i++) {
		const char *name = configured(prompts, (enum cp_prompt)i);
		struct sound *sound;

		if (*name && !strstr(name, CP_ANNOUNCE_MINUTES) &&
		    sound_get(&sound, prompts, name, (enum cp_prompt)i) == 0)
			sound->is_kept = true;
	}
}

static int
open_parts(struct cp_prompts *prompts)
{
	const struct cp_player_hooks hooks = {
		.arg = prompts, .play = play, .stop = stop, .ended = ended};
	uint32_t start[2];
	int rc;

	if (getrandom(start, sizeof(start), 0) != (ssize_t)sizeof(start))
		return -EIO;
	rc = cp_clips_create(&prompts->clips, prompts->app->media, start[0]);
	if (!rc)
		rc = cp_player_create(&prompts->player, &hooks, start[1]);
	if (rc || !prompts->config->directory)
		return rc;
	rc = cp_loader_open(&prompts->loader, prompts->config->directory);
	if (rc) {
		cp_log(CP_LOG_ERROR, CP_APP_AREA, "'announcements.directory' %s: %s",
		       prompts->config->directory, strerror(-rc));
		return rc;
	}
	return cp_app_watch(&prompts->watch, cp_loader_fd(prompts->loader), SU_WAIT_IN);
}

int
cp_prompts_open(struct cp_prompts **out, struct cp_app *app)
{
	struct cp_prompts *prompts = calloc(1, sizeof(*prompts));
	int rc;

	if (!prompts)
		return -ENOMEM;
	prompts->app = app;
	prompts->config = &app->config->announcements;
	prompts->watch = (struct cp_app_watch){.app = app, .ready = on_loader_ready, .fd = -1};
	LIST_INIT(&prompts->sounds);
	LIST_INIT(&prompts->asked);
	LIST_INIT(&prompts->listings);
	rc = open_parts(prompts);
	if (rc) {
		cp_prompts_close(prompts);
		return rc;
	}
	if (prompts->config->enabled)
		load_configured(prompts);
	*out = prompts;
	return 0;
}

void
cp_prompts_close(struct cp_prompts *prompts)
{
	struct sound *sound;
	struct listing *listing;
	struct asked *asked;

	if (!prompts)
		return;
	prompts->is_closing = true;
	cp_app_watch(&prompts->watch, -1, 0);
	cp_loader_close(prompts->loader);
	cp_player_destroy(prompts->player);
	while ((sound = LIST_FIRST(&prompts->sounds)) != NULL)
		sound_free(sound);
	while ((asked = LIST_FIRST(&prompts->asked)) != NULL) {
		LIST_REMOVE(asked, next);
		free(asked);
	}
	while ((listing = LIST_FIRST(&prompts->listings)) != NULL) {
		LIST_REMOVE(listing, next);
		free(listing);
	}
	cp_clips_destroy(prompts->clips);
	free(prompts);
}
