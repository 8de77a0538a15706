/* The floors of all conferences: rooms, their part in the program's events, and the API's orders. */
#include "ctrlplane/app/floors.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "ctrlplane/app/app_state.h"
#include "ctrlplane/base/log.h"

#define USERS_MAX 65000 /* of the 65535 user IDs */

struct entry {
	TAILQ_ENTRY(entry) all;
	struct cp_map_node by_conf, by_bfcp;
	struct cp_app *app;
	uint32_t conf, bfcp_conf;
	uint8_t changed; /* floors of which people who watch are not told yet: a bit each */
	struct cp_floor_room *room;
};

struct cp_floors {
	struct cp_map by_conf, by_bfcp;
	TAILQ_HEAD(entries, entry) all;
	const char *by;	  /* who gave the order that is being carried out */
	uint32_t *paused; /* legs whose octets wait for the next tick */
	size_t paused_count, paused_room;
};

static bool
is_conf(const struct cp_map_node *node, const void *key)
{
	return CP_CONTAINER(node, const struct entry, by_conf)->conf == *(const uint32_t *)key;
}

static bool
is_bfcp(const struct cp_map_node *node, const void *key)
{
	return CP_CONTAINER(node, const struct entry, by_bfcp)->bfcp_conf == *(const uint32_t *)key;
}

static struct entry *
find(const struct cp_app *app, uint32_t conf)
{
	struct cp_map_node *node = cp_map_find(&app->floors->by_conf, conf, is_conf, &conf);

	return node ? CP_CONTAINER(node, struct entry, by_conf) : NULL;
}

struct cp_floor_room *
cp_floors_room_of(struct cp_app *app, uint32_t bfcp_conf)
{
	struct cp_map_node *node =
		app->floors ? cp_map_find(&app->floors->by_bfcp, bfcp_conf, is_bfcp, &bfcp_conf)
			    : NULL;

	return node ? CP_CONTAINER(node, struct entry, by_bfcp)->room : NULL;
}

static bool
on_send(void *arg, uint32_t leg, const uint8_t *octets, size_t len)
{
	const struct entry *entry = arg;

	return cp_floor_line_send(entry->app, leg, octets, len);
}

static void
on_end(void *arg, uint32_t leg, bool is_orderly, const char *why)
{
	const struct entry *entry = arg;

	cp_log(CP_LOG_WARN, CP_APP_AREA, "floor control of participant %u is cut off: %s", leg,
	       why);
	cp_floor_line_end(entry->app, leg, is_orderly);
}

static void
on_hold(void *arg, uint32_t leg, size_t floor, bool holds)
{
	const struct entry *entry = arg;

	cp_app_handle(entry->app, &(struct cp_event){.type = CP_EVENT_FLOOR,
						     .leg = leg,
						     .value = (int32_t)floor,
						     .flag = holds});
}

static void
on_changed(void *arg, size_t floor)
{
	struct entry *entry = arg;

	entry->changed |= (uint8_t)(1u << floor);
}

/* Once a tick, however often it goes to and fro. */
static void
tell_changes(struct entry *entry)
{
	uint8_t changed = entry->changed;

	entry->changed = 0;
	for (size_t i = 0; i < CP_CONF_FLOORS_MAX; i++)
		if (changed & 1u << i)
			cp_app_tell(entry->app, &(struct cp_effect){.type = CP_EFFECT_NOTICE,
								    .notice = CP_NOTICE_FLOOR,
								    .conf = entry->conf,
								    .value = (int32_t)i});
}

static const char *
who(const struct cp_leg *leg)
{
	return !leg ? "somebody" : *leg->person ? leg->person : "anonymous";
}

static void
on_decided(void *arg, uint32_t by_leg, uint32_t leg, size_t floor, uint8_t status)
{
	const struct entry *entry = arg;
	struct cp_app *app = entry->app;
	const struct cp_conf *conf = cp_conf_by_id(app->focus, entry->conf);
	const struct cp_leg *chair = cp_leg_by_id(app->focus, by_leg);
	char text[2 * CP_CONF_REASON_MAX];

	if (!conf || floor >= conf->floors.count)
		return;
	snprintf(text, sizeof(text), "floor %s: %s for %.160s (participant %u)",
		 conf->floors.items[floor].name, cp_bfcp_status_name(status),
		 who(cp_leg_by_id(app->focus, leg)), leg);
	cp_keep_audit(app, by_leg ? who(chair) : app->floors->by, conf->user, text);
}

static int
add(struct entry **out, struct cp_app *app, const struct cp_conf *conf)
{
	struct entry *entry = calloc(1, sizeof(*entry));
	struct cp_floor_room_options options = {
		.users_max = (uint16_t)(app->config->call.participants_max < USERS_MAX
						? app->config->call.participants_max
						: USERS_MAX),
		.keep_ms = (uint32_t)app->config->floor.keep_ms,
		.hooks = {.send = on_send,
			  .end = on_end,
			  .hold = on_hold,
			  .changed = on_changed,
			  .decided = on_decided,
			  .arg = entry},
	};
	int rc = entry ? 0 : -ENOMEM;

	do {
		if (!rc && (getrandom(&options.conf, sizeof(options.conf), 0) < 0 ||
			    getrandom(&options.first_user, sizeof(options.first_user), 0) < 0))
			rc = -EIO;
	} while (!rc && (options.conf == 0 || cp_floors_room_of(app, options.conf)));
	if (!rc)
		rc = cp_floor_room_create(&entry->room, &options, conf);
	if (rc) {
		cp_log(CP_LOG_ERROR, CP_APP_AREA, "%s: no floor control: %s", conf->user,
		       strerror(-rc));
		free(entry);
		return rc;
	}
	entry->app = app;
	entry->conf = conf->id;
	entry->bfcp_conf = options.conf;
	cp_map_put(&app->floors->by_conf, &entry->by_conf, entry->conf);
	cp_map_put(&app->floors->by_bfcp, &entry->by_bfcp, entry->bfcp_conf);
	TAILQ_INSERT_TAIL(&app->floors->all, entry, all);
	*out = entry;
	return 0;
}

static void
drop(struct cp_app *app, struct entry *entry)
{
	cp_map_drop(&app->floors->by_conf, &entry->by_conf);
	cp_map_drop(&app->floors->by_bfcp, &entry->by_bfcp);
	TAILQ_REMOVE(&app->floors->all, entry, all);
	cp_floor_room_destroy(entry->room);
	free(entry);
}

/* Without floors there is nothing to say over their connections. */
static void
end_lines(struct cp_app *app, const struct cp_conf *conf)
{
	for (const struct cp_leg *leg = conf ? conf->legs : NULL; leg; leg = leg->next)
		cp_floor_line_end(app, leg->id, true);
}

static bool
is_there(const struct cp_leg *leg)
{
	return leg->state == CP_LEG_CONNECTED || leg->state == CP_LEG_ADOPTED;
}

struct cp_floor_room *
cp_floors_room(struct cp_app *app, uint32_t conf_id)
{
	const struct cp_conf *conf = cp_conf_by_id(app->focus, conf_id);
	struct entry *entry = app->floors ? find(app, conf_id) : NULL;

	if (entry)
		return entry->room;
	if (!app->floors || !conf || conf->floors.count == 0 || add(&entry, app, conf) != 0)
		return NULL;
	for (const struct cp_leg *leg = conf->legs; leg; leg = leg->next)
		if (is_there(leg))
			cp_floor_room_put(entry->room, leg, (uint64_t)cp_app_now_ms());
	return entry->room;
}

/* Who has an m-line for floors is told of others by our offer, which takes the m-line away where there are none any more. */
static void
offer_anew(struct cp_app *app, const struct cp_conf *conf)
{
	for (const struct cp_leg *leg = conf->legs; leg; leg = leg->next) {
		struct cp_call *call = cp_app_call(app, leg->id);

		if (!call || !call->lines[CP_SDP_FLOOR].call)
			continue;
		call->is_reoffer_due = true;
		call->rekey_ms = 0;
	}
}

/* Its settings: floors come, change, go. */
static void
follow(struct cp_app *app, uint32_t conf_id)
{
	const struct cp_conf *conf = cp_conf_by_id(app->focus, conf_id);
	struct entry *entry = find(app, conf_id);

	if (!conf || (!entry && conf->floors.count == 0))
		return;
	if (entry && !cp_floor_room_is_as_said(entry->room, conf))
		offer_anew(app, conf);
	if (!entry) {
		cp_floors_room(app, conf_id);
	} else if (conf->floors.count == 0) {
		end_lines(app, conf);
		drop(app, entry);
	} else if (cp_floor_room_follow(entry->room, conf, (uint64_t)cp_app_now_ms()) != 0) {
		cp_log(CP_LOG_ERROR, CP_APP_AREA, "%s: its floors are as before: no memory",
		       conf->user);
	}
}

void
cp_floors_notice(struct cp_app *app, const struct cp_effect *e)
{
	const struct cp_leg *leg = cp_leg_by_id(app->focus, e->leg);
	struct entry *entry;

	if (!app->floors)
		return;
	switch (e->notice) {
	case CP_NOTICE_JOINED:
	case CP_NOTICE_CHANGED:
	case CP_NOTICE_ADOPTED:
		if (leg && is_there(leg) && cp_floors_room(app, e->conf))
			cp_floor_room_put(cp_floors_room(app, e->conf), leg,
					  (uint64_t)cp_app_now_ms());
		break;
	case CP_NOTICE_LEFT:
		entry = find(app, e->conf);
		cp_floor_line_end(app, e->leg, true);
		if (entry)
			cp_floor_room_remove(entry->room, e->leg, (uint64_t)cp_app_now_ms());
		break;
	case CP_NOTICE_CONF:
		follow(app, e->conf);
		break;
	case CP_NOTICE_CLOSED:
		entry = find(app, e->conf);
		if (entry)
			drop(app, entry);
		break;
	default:
		break;
	}
}

void
cp_floors_pause(struct cp_app *app, uint32_t leg)
{
	struct cp_floors *floors = app->floors;
	size_t want = floors->paused_room ? 2 * floors->paused_room : 16;

	if (floors->paused_count == floors->paused_room) {
		uint32_t *more = reallocarray(floors->paused, want, sizeof(*more));

		if (!more) {
			cp_floor_line_end(app, leg, false);
			return;
		}
		floors->paused = more;
		floors->paused_room = want;
	}
	floors->paused[floors->paused_count++] = leg;
}

/* Who comes to wait again is behind those who wait now. */
static void
resume(struct cp_app *app)
{
	struct cp_floors *floors = app->floors;
	size_t count = floors->paused_count;

	for (size_t i = 0; i < count; i++)
		cp_floor_line_resume(app, floors->paused[i]);
	floors->paused_count -= count;
	memmove(floors->paused, floors->paused + count,
		floors->paused_count * sizeof(*floors->paused));
}

void
cp_floors_tick(struct cp_app *app)
{
	struct entry *entry, *next;

	if (app->floors->paused_count > 0)
		resume(app);
	for (entry = TAILQ_FIRST(&app->floors->all); entry; entry = next) {
		next = TAILQ_NEXT(entry, all);
		cp_floor_room_tick(entry->room, (uint64_t)cp_app_now_ms());
		tell_changes(entry);
	}
}

int
cp_floors_open(struct cp_app *app)
{
	struct cp_floors *floors = calloc(1, sizeof(*floors));

	if (!floors)
		return -ENOMEM;
	TAILQ_INIT(&floors->all);
	floors->by = "";
	if (cp_map_init(&floors->by_conf) != 0 || cp_map_init(&floors->by_bfcp) != 0) {
		cp_map_fini(&floors->by_conf);
		free(floors);
		return -ENOMEM;
	}
	app->floors = floors;
	return 0;
}

void
cp_floors_close(struct cp_app *app)
{
	struct entry *entry;

	if (!app->floors)
		return;
	while ((entry = TAILQ_FIRST(&app->floors->all)) != NULL)
		drop(app, entry);
	cp_map_fini(&app->floors->by_conf);
	cp_map_fini(&app->floors->by_bfcp);
	free(app->floors->paused);
	free(app->floors);
	app->floors = NULL;
}

static const char *
status_name(uint8_t status)
{
	return status == CP_BFCP_GRANTED    ? "granted"
	       : status == CP_BFCP_ACCEPTED ? "accepted"
					    : "pending";
}

size_t
cp_floors_requests(void *arg, uint32_t conf, size_t floor, struct cp_mgmt_floor_request *out,
		   size_t max)
{
	struct cp_app *app = arg;
	struct cp_floor_room *room = cp_floors_room(app, conf);
	struct cp_floor_view views[CP_FLOOR_REQUESTS_MAX];
	uint64_t now_ms = (uint64_t)cp_app_now_ms();
	size_t count = room ? cp_floor_room_list(room, views, CP_FLOOR_REQUESTS_MAX, floor) : 0;

	count = count < max ? count : max;
	for (size_t i = 0; i < count; i++)
		out[i] = (struct cp_mgmt_floor_request){
			.id = views[i].request,
			.place = views[i].place,
			.participant = cp_floor_room_leg(room, views[i].beneficiary),
			.asked_by = cp_floor_room_leg(room, views[i].requester),
			.status = status_name(views[i].status),
			.priority = views[i].priority,
			.left_ms = views[i].ends_ms == CP_FLOOR_NEVER ? -1
				   : views[i].ends_ms > now_ms
					   ? (int64_t)(views[i].ends_ms - now_ms)
					   : 0,
			.held_ms = views[i].granted_ms == CP_FLOOR_NEVER
					   ? -1
					   : (int64_t)(now_ms - views[i].granted_ms),
		};
	return count;
}

bool
cp_floors_is_chair(void *arg, uint32_t conf, size_t floor, uint32_t leg)
{
	struct cp_floor_room *room = cp_floors_room(arg, conf);

	return room && cp_floor_room_is_chair(room, floor, leg);
}

static int
errno_of(enum cp_bfcp_error error)
{
	switch (error) {
	case CP_BFCP_OK:
		return 0;
	case CP_BFCP_NO_FLOOR:
	case CP_BFCP_NO_USER:
	case CP_BFCP_NO_REQUEST:
		return -ENOENT;
	case CP_BFCP_UNAUTHORISED:
		return -EACCES;
	case CP_BFCP_TOO_MANY:
		return -EEXIST;
	default:
		return -ENOSPC;
	}
}

static enum cp_bfcp_error
decide(struct cp_floor_room *room, const struct cp_mgmt_floor_order *order)
{
	static const uint8_t statuses[] = {
		[CP_MGMT_FLOOR_GRANT] = CP_BFCP_GRANTED,
		[CP_MGMT_FLOOR_DENY] = CP_BFCP_DENIED,
		[CP_MGMT_FLOOR_REVOKE] = CP_BFCP_REVOKED,
		[CP_MGMT_FLOOR_PLACE] = CP_BFCP_ACCEPTED,
	};
	struct cp_floor_decision decision = {
		.request = order->request,
		.floor = (uint16_t)(order->floor + 1),
		.status = statuses[order->action],
		.queue = order->action == CP_MGMT_FLOOR_PLACE ? order->place : 0,
		.info = order->reason,
	};
	enum cp_bfcp_error error = cp_floor_room_decide(room, &decision, (uint64_t)cp_app_now_ms());

	/* a place in the queue, of who holds it: it is past that */
	return error == CP_BFCP_GENERIC ? CP_BFCP_NO_REQUEST : error;
}

int
cp_floors_order(void *arg, const struct cp_mgmt_floor_order *order)
{
	struct cp_app *app = arg;
	struct cp_floor_room *room = cp_floors_room(app, order->conf);
	uint64_t now_ms = (uint64_t)cp_app_now_ms();
	enum cp_bfcp_error error;
	uint16_t request;

	if (!room)
		return -ENOENT;
	app->floors->by = order->by ? order->by : "";
	switch (order->action) {
	case CP_MGMT_FLOOR_ASK:
		error = cp_floor_room_ask(room, &request, order->floor, order->participant,
					  !order->is_own, now_ms);
		break;
	case CP_MGMT_FLOOR_RELEASE:
		error = cp_floor_room_release(room, order->request, now_ms);
		break;
	case CP_MGMT_FLOOR_CHAIR:
	case CP_MGMT_FLOOR_UNCHAIR:
		error = cp_floor_room_set_chair(room, order->floor, order->participant,
						order->action == CP_MGMT_FLOOR_CHAIR, now_ms);
		break;
	default:
		error = decide(room, order);
	}
	app->floors->by = "";
	return errno_of(error);
}
