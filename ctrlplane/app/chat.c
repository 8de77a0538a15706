/* The rooms of conferences: made and closed with them, what is told of them, and what the API asks of them. */
#include "ctrlplane/app/chat.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "ctrlplane/app/chat_state.h"
#include "ctrlplane/base/log.h"

#define SPEAKER "Conference"

struct cp_chat_room *
cp_chat_find(const struct cp_app *app, uint32_t conf)
{
	struct cp_chat_room *room;

	TAILQ_FOREACH (room, &app->chat->rooms, all)
		if (room->conf == conf)
			return room;
	return NULL;
}

static size_t
room_of(struct cp_room_member *member)
{
	const struct cp_chat_seat *seat = member->user;
	size_t room = cp_stream_room(seat->line->stream);

	if (room < CP_STREAM_RECEIVE_MAX)
		cp_stream_want_room(seat->line->stream);
	return room;
}

static void
send_to(struct cp_room_member *member, const void *octets, size_t len)
{
	const struct cp_chat_seat *seat = member->user;

	cp_stream_send(seat->line->stream, octets, len);
}

static void
pause_it(struct cp_room_member *member, bool on)
{
	const struct cp_chat_seat *seat = member->user;

	cp_stream_pause(seat->line->stream, on);
}

/* Its SDP stands: it may connect again, and is told nothing else. */
static void
dropped(struct cp_room_member *member, const char *why)
{
	struct cp_chat_seat *seat = member->user;

	cp_log(CP_LOG_WARN, CP_APP_AREA, "chat of participant %u is cut off: it %s", seat->leg,
	       why);
	seat->is_open = false;
	seat->has_changed = seat->room->has_changed = true;
	cp_line_cut(seat->line);
}

static void
changed(struct cp_room_member *member)
{
	struct cp_chat_seat *seat = member->user;

	seat->has_changed = seat->room->has_changed = true;
}

/* Nothing of this comes back to the room. */
static void
message(void *arg, const struct cp_room_message *message)
{
	struct cp_chat_room *room = arg;
	struct cp_chat *chat = room->app->chat;

	chat->message = message;
	chat->speaking = room;
	if (room->app->mgmt)
		cp_mgmt_notice(room->app->mgmt, &(struct cp_effect){.type = CP_EFFECT_NOTICE,
								    .notice = CP_NOTICE_CHAT,
								    .conf = room->conf});
	chat->message = NULL;
}

static void
luck(void *arg, uint8_t *out, size_t len)
{
	if (getrandom(out, len, 0) != (ssize_t)len)
		abort();
}

/* im: names the same people (RFC 3860). */
static int
canonical(void *arg, char out[CP_ROOM_NAME_MAX], struct cp_slice uri)
{
	char text[CP_ROOM_NAME_MAX + 4];

	if (!cp_slice_has_prefix(uri, "im:"))
		return cp_identity(out, uri);
	if (uri.len >= CP_ROOM_NAME_MAX)
		return -ENAMETOOLONG;
	snprintf(text, sizeof(text), "sip:%.*s", (int)uri.len - 3, uri.ptr + 3);
	return cp_identity(out, cp_slice_text(text));
}

/* As calls reach a conference by the user part, at whatever host of ours: so do messages; but not where a participant has that name. */
static bool
is_room(void *arg, struct cp_slice uri)
{
	const struct cp_chat_room *room = arg;
	const struct cp_conf *conf = cp_conf_by_id(room->app->focus, room->conf);
	char name[CP_ROOM_NAME_MAX], *at;

	if (!conf || canonical(arg, name, uri) != 0 || cp_conf_leg_of(conf, name))
		return false;
	at = strchr(name, '@');
	if (!at || strncmp(name, "sip", 3) != 0)
		return false;
	*at = '\0';
	return strcmp(strchr(name, ':') + 1, conf->user) == 0;
}

const struct cp_room_events cp_chat_events = {
	.room = room_of,
	.send = send_to,
	.pause = pause_it,
	.dropped = dropped,
	.changed = changed,
	.message = message,
	.luck = luck,
	.canonical = canonical,
	.is_room = is_room,
};

static struct cp_chat_room *
add(struct cp_app *app, const struct cp_conf *conf)
{
	const struct cp_config_chat *c = &app->config->chat;
	struct cp_chat_room *room = calloc(1, sizeof(*room));
	struct cp_room_settings settings = {
		.events = &cp_chat_events,
		.arg = room,
		.limits = {.size_max = (uint64_t)c->size_max,
			   .queue_max = (size_t)c->queue_max,
			   .store_max = (size_t)c->store_max,
			   .window = (size_t)c->window,
			   .idle_ms = c->idle_ms,
			   .stall_ms = app->config->streams.stall_ms},
		.history = conf->chat_history,
		.reserved = SPEAKER,
	};

	if (!room || cp_room_create(&room->room, &settings) != 0) {
		cp_log(CP_LOG_ERROR, CP_APP_AREA, "%s: no chat: no memory", conf->user);
		free(room);
		return NULL;
	}
	room->app = app;
	room->conf = conf->id;
	TAILQ_INSERT_TAIL(&app->chat->rooms, room, all);
	return room;
}

struct cp_chat_room *
cp_chat_room(struct cp_app *app, uint32_t conf_id)
{
	struct cp_chat_room *room = cp_chat_find(app, conf_id);
	const struct cp_conf *conf = cp_conf_by_id(app->focus, conf_id);

	if (room || !conf || !conf->has_chat)
		return room;
	return add(app, conf);
}

static void
drop(struct cp_chat_room *room)
{
	struct cp_room_member *m;

	while ((m = cp_room_first(room->room)) != NULL)
		cp_chat_seat_leave(m->user);
	TAILQ_REMOVE(&room->app->chat->rooms, room, all);
	cp_room_destroy(room->room);
	free(room);
}

void
cp_chat_settle(struct cp_chat_room *room)
{
	if (!room->has_changed)
		return;
	room->has_changed = false;
	for (struct cp_room_member *m = cp_room_first(room->room); m; m = m->next) {
		struct cp_chat_seat *seat = m->user;

		if (!seat->has_changed)
			continue;
		seat->has_changed = false;
		cp_app_tell(room->app, &(struct cp_effect){.type = CP_EFFECT_NOTICE,
							   .notice = CP_NOTICE_CHANGED,
							   .conf = room->conf,
							   .leg = seat->leg});
	}
}

/* The conference's settings: chat is off, or its history is another. */
static void
follow(struct cp_app *app, uint32_t conf_id)
{
	struct cp_chat_room *room = cp_chat_find(app, conf_id);
	const struct cp_conf *conf = cp_conf_by_id(app->focus, conf_id);

	if (!room || !conf)
		return;
	if (conf->has_chat) {
		cp_room_set_history(room->room, conf->chat_history);
		return;
	}
	for (struct cp_room_member *m = cp_room_first(room->room); m; m = m->next) {
		struct cp_chat_seat *seat = m->user;

		seat->is_open = false;
		cp_room_lost(m, cp_app_now_ms()); /* nobody writes to it any more */
		cp_line_end(seat->line);
		seat->line->call->is_reoffer_due = true; /* without that m-line */
		seat->line->call->rekey_ms = 0;
	}
	drop(room);
}

void
cp_chat_notice(struct cp_app *app, const struct cp_effect *e)
{
	struct cp_chat_room *room;
	struct cp_chat_seat *seat;

	if (!app->chat)
		return;
	switch (e->notice) {
	case CP_NOTICE_JOINED:
	case CP_NOTICE_CHANGED:
		seat = cp_chat_seat_of(app, e->leg);
		if (seat)
			cp_chat_seat_follow(seat);
		break;
	case CP_NOTICE_LEFT:
		seat = cp_chat_seat_of(app, e->leg);
		if (seat)
			cp_chat_seat_leave(seat);
		break;
	case CP_NOTICE_FLOOR: /* who may send is another */
		room = cp_chat_find(app, e->conf);
		for (struct cp_room_member *m = room ? cp_room_first(room->room) : NULL; m;
		     m = m->next)
			cp_chat_seat_follow(m->user);
		break;
	case CP_NOTICE_CONF:
		follow(app, e->conf);
		break;
	case CP_NOTICE_CLOSED:
		room = cp_chat_find(app, e->conf);
		if (room)
			drop(room);
		break;
	default:
		break;
	}
}

void
cp_chat_tick(struct cp_app *app)
{
	int64_t now_ms = cp_app_now_ms();
	struct cp_chat_room *room;

	TAILQ_FOREACH (room, &app->chat->rooms, all) {
		if (cp_room_next_ms(room->room) <= now_ms)
			cp_room_tick(room->room, now_ms);
		cp_chat_settle(room);
	}
}

int
cp_chat_open(struct cp_app *app)
{
	struct cp_chat *chat = calloc(1, sizeof(*chat));

	if (!chat)
		return -ENOMEM;
	TAILQ_INIT(&chat->rooms);
	if (getrandom(chat->secret, sizeof(chat->secret), 0) != sizeof(chat->secret)) {
		free(chat);
		return -EIO;
	}
	app->chat = chat;
	return 0;
}

void
cp_chat_close(struct cp_app *app)
{
	if (!app->chat)
		return;
	while (!TAILQ_EMPTY(&app->chat->rooms))
		drop(TAILQ_FIRST(&app->chat->rooms));
	free(app->chat);
	app->chat = NULL;
}

const char *
cp_chat_nickname(const struct cp_app *app, uint32_t leg)
{
	const struct cp_chat_seat *seat = app->chat ? cp_chat_seat_of(app, leg) : NULL;

	return seat && seat->member ? seat->member->nickname : "";
}

bool
cp_chat_show(void *arg, uint32_t conf_id, struct cp_mgmt_chat *out)
{
	struct cp_app *app = arg;
	struct cp_chat_room *room = cp_chat_find(app, conf_id);
	struct cp_room_counts counts = {0};

	if (room)
		counts = cp_room_counts(room->room);
	*out = (struct cp_mgmt_chat){
		.max_size = (uint64_t)app->config->chat.size_max,
		.messages = counts.messages,
		.octets = counts.octets,
		.deliveries = counts.deliveries,
		.refused = counts.refused,
		.aborted = counts.aborted,
		.dropped = counts.dropped,
		.held = room ? cp_room_held(room->room) : 0,
	};
	return room != NULL;
}

size_t
cp_chat_members(void *arg, uint32_t conf_id, struct cp_mgmt_chat_member *out, size_t max)
{
	struct cp_app *app = arg;
	struct cp_chat_room *room = cp_chat_find(app, conf_id);
	struct cp_room_member *m = room ? cp_room_first(room->room) : NULL;
	size_t count = 0;

	for (; m && count < max; m = m->next)
		out[count++] = (struct cp_mgmt_chat_member){
			.participant = m->id,
			.nickname = m->nickname,
			.is_connected = m->is_bound,
			.may_send = m->may_send && !m->is_muted,
			.is_muted = m->is_muted,
			.takes_private = m->takes_private,
			.sent = m->sent,
			.received = m->received,
			.waiting = m->waiting,
		};
	return count;
}

bool
cp_chat_message(void *arg, struct cp_mgmt_chat_message *out)
{
	const struct cp_app *app = arg;
	const struct cp_room_message *message = app->chat->message;

	if (!message)
		return false;
	*out = (struct cp_mgmt_chat_message){
		.participant = message->from ? message->from->id : 0,
		.nickname = message->from ? message->from->nickname : "",
		.from = message->from_uri,
		.type = message->type,
		.size = message->size,
		.text = message->text,
		.recipients = message->recipients,
	};
	return true;
}

/* The URI of the conference, as somebody who has called it would know it. */
static void
name_conference(char *uri, size_t size, struct cp_app *app, const struct cp_conf *conf)
{
	struct cp_mgmt_node_facts facts = {0};
	const char *host = NULL;

	if (app->mikey.is_on && size >= CP_IDENTITY_MAX &&
	    cp_app_mikey_user(uri, &app->mikey, conf->user))
		return;
	app->ops.node_facts(app, &facts);
	if (facts.sip_url_count > 0)
		host = strchr(facts.sip_urls[0], ':');
	snprintf(uri, size, "sip:%s@%.*s", conf->user, host ? (int)strcspn(host + 1, ";?") : 9,
		 host ? host + 1 : "localhost");
}

int
cp_chat_say(void *arg, const struct cp_mgmt_chat_order *order)
{
	struct cp_app *app = arg;
	const struct cp_conf *conf = cp_conf_by_id(app->focus, order->conf);
	struct cp_chat_room *room = cp_chat_room(app, order->conf);
	const struct cp_chat_seat *seat =
		order->participant ? cp_chat_seat_of(app, order->participant) : NULL;
	char self[CP_IDENTITY_MAX], to[CP_ROOM_NAME_MAX], time_text[40], what[CP_CONF_REASON_MAX];
	struct cp_room_say say = {.from_uri = self,
				  .from_name = SPEAKER,
				  .to_uri = self,
				  .date_time = time_text,
				  .type = "text/plain;charset=utf-8",
				  .text = cp_slice_text(order->text)};
	time_t now = time(NULL);
	struct tm utc;
	int count;

	if (!room || !conf || !conf->has_chat)
		return -ENOTSUP;
	if (order->participant && (!seat || !seat->member))
		return -ENOENT;
	gmtime_r(&now, &utc);
	strftime(time_text, sizeof(time_text), "%Y-%m-%dT%H:%M:%SZ", &utc);
	name_conference(self, sizeof(self), app, conf);
	if (seat) {
		snprintf(to, sizeof(to), "%s", cp_room_name(seat->member));
		say.to = seat->member;
		say.to_uri = to;
	}
	count = cp_room_say(room->room, &say, cp_app_now_ms());
	cp_chat_settle(room);
	if (count < 0)
		return count;
	if (seat)
		snprintf(what, sizeof(what), "said in the chat to participant %u",
			 order->participant);
	else
		snprintf(what, sizeof(what), "said in the chat");
	cp_keep_audit(app, order->by, conf->user, what);
	return count;
}

int
cp_chat_mute(void *arg, const struct cp_mgmt_chat_order *order)
{
	struct cp_app *app = arg;
	const struct cp_conf *conf = cp_conf_by_id(app->focus, order->conf);
	struct cp_chat_seat *seat = cp_chat_seat_of(app, order->participant);
	char what[CP_CONF_REASON_MAX];

	if (!conf || !seat || !seat->member)
		return -ENOENT;
	if (seat->member->is_muted == order->is_on)
		return -EALREADY;
	cp_room_mute(seat->member, order->is_on);
	snprintf(what, sizeof(what), "%s participant %u in the chat",
		 order->is_on ? "muted" : "unmuted", order->participant);
	cp_keep_audit(app, order->by, conf->user, what);
	seat->has_changed = seat->room->has_changed = true;
	cp_chat_settle(seat->room);
	return 0;
}
