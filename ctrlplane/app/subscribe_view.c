/*
 * A conference as its subscribers see it: identities of those who want to be private are not there, neither as users nor as
 * those who did something (RFC 4575 5.6, RFC 3323).
 */
#include <stdio.h>
#include <string.h>

#include "ctrlplane/app/chat.h"
#include "ctrlplane/app/subscribe_state.h"

#define LINGER_MS 10000 /* who left stands in the roster for so long, with how and why */
#define LABEL "1"	/* the one medium of all */

static int64_t
unix_s(const struct cp_app *app, int64_t ms)
{
	return ms ? cp_focus_wall_ms(app->focus, ms) / 1000 : 0;
}

static bool
is_person(const struct cp_leg *leg, const char *identity)
{
	return leg->is_private &&
	       (strcmp(leg->person, identity) == 0 || strcmp(leg->tel, identity) == 0);
}

/* Who did something: a URI, and not of somebody who is private. Else NULL: an operator, or nobody. */
static const char *
public_uri(const struct cp_conf *conf, const char *identity)
{
	if (!strchr(identity, ':'))
		return NULL;
	for (const struct cp_leg *leg = conf->legs; leg; leg = leg->next)
		if (is_person(leg, identity))
			return NULL;
	for (const struct cp_leg *leg = conf->gone; leg; leg = leg->next)
		if (is_person(leg, identity))
			return NULL;
	return identity;
}

static enum cp_roster_status
status_of(const struct cp_leg *leg)
{
	static const enum cp_roster_status of[CP_STATUSES] = {
		[CP_STATUS_PENDING] = CP_ROSTER_PENDING,
		[CP_STATUS_DIALING_OUT] = CP_ROSTER_DIALING_OUT,
		[CP_STATUS_DIALING_IN] = CP_ROSTER_DIALING_IN,
		[CP_STATUS_ALERTING] = CP_ROSTER_ALERTING,
		[CP_STATUS_ON_HOLD] = CP_ROSTER_ON_HOLD,
		[CP_STATUS_CONNECTED] = CP_ROSTER_CONNECTED,
		[CP_STATUS_MUTED_VIA_FOCUS] = CP_ROSTER_MUTED,
		[CP_STATUS_DISCONNECTING] = CP_ROSTER_DISCONNECTING,
		[CP_STATUS_DISCONNECTED] = CP_ROSTER_DISCONNECTED,
	};

	return of[cp_leg_status(leg)];
}

static enum cp_roster_leaving
leaving_of(const struct cp_leg *leg)
{
	static const enum cp_roster_leaving of[CP_DEPARTURES] = {
		[CP_DEPARTURE_NONE] = CP_ROSTER_LEAVING_NONE,
		[CP_DEPARTED] = CP_ROSTER_DEPARTED,
		[CP_BOOTED] = CP_ROSTER_BOOTED,
		[CP_FAILED] = CP_ROSTER_FAILED,
		[CP_BUSY] = CP_ROSTER_BUSY,
	};

	return of[leg->departure];
}

static enum cp_roster_joining
joining_of(const struct cp_leg *leg)
{
	static const enum cp_roster_joining of[CP_JOIN_METHODS] = {
		[CP_JOIN_DIALED_IN] = CP_ROSTER_DIALED_IN,
		[CP_JOIN_DIALED_OUT] = CP_ROSTER_DIALED_OUT,
		[CP_JOIN_FOCUS_OWNER] = CP_ROSTER_FOCUS_OWNER,
	};

	return of[leg->method];
}

/* From the participant's point of view (5.8.5). */
static enum cp_roster_direction
direction_of(const struct cp_leg *leg)
{
	bool is_heard = !leg->is_muted && !leg->is_held && leg->role != CP_ROLE_LISTENER &&
			leg->wait == CP_WAIT_NONE && cp_leg_has_floor(leg, CP_MEDIUM_AUDIO);
	bool hears = !leg->is_deaf && !leg->is_held;

	if (is_heard)
		return hears ? CP_ROSTER_SENDRECV : CP_ROSTER_SENDONLY;
	return hears ? CP_ROSTER_RECVONLY : CP_ROSTER_INACTIVE;
}

/* Its m-lines: audio, but for who has chat or floor control alone, and chat. Their number. */
static size_t
put_media(struct cp_roster_media media[2], const struct cp_leg *leg, const struct cp_call *call)
{
	size_t count = 0;

	if (!call || cp_sdp_has_audio(&call->sdp))
		media[count++] = (struct cp_roster_media){
			.id = LABEL,
			.type = "audio",
			.label = LABEL,
			.has_ssrc = call && call->has_rx_ssrc,
			.ssrc = call ? call->rx_ssrc : 0,
			.status = direction_of(leg),
		};
	if (call && call->sdp.streams[CP_SDP_CHAT].mode != CP_SDP_STREAM_NONE)
		media[count++] = (struct cp_roster_media){
			.id = "chat",
			.type = "message",
			.status = leg->role == CP_ROLE_LISTENER ? CP_ROSTER_RECVONLY
								: CP_ROSTER_SENDRECV,
		};
	return count;
}

/* RFC 3326's form where there is a status (5.7.7). */
static const char *
reason_of(char *room, size_t size, const struct cp_leg *leg)
{
	if (!leg->left_status)
		return leg->left_reason;
	snprintf(room, size, "SIP;cause=%u;text=\"%s\"", leg->left_status, leg->left_reason);
	return room;
}

/* The dialog of the call (5.7.9), for those who may see it; its first From was the caller's. */
static void
put_dialog(struct cp_roster_endpoint *e, const struct cp_leg *leg, const struct cp_call *call)
{
	const struct cp_sip_dialog_id *id =
		call && call->sip ? cp_sip_call_dialog(call->sip) : NULL;
	bool is_ours = leg->method == CP_JOIN_DIALED_OUT;

	if (!id || leg->is_private || *leg->identity == '\0')
		return;
	e->call_display = leg->agent;
	e->call_id = id->call_id;
	e->from_tag = is_ours ? id->local_tag : id->remote_tag;
	e->to_tag = is_ours ? id->remote_tag : id->local_tag;
}

static void
put_leg(struct cp_roster *roster, const struct cp_app *app, const struct cp_leg *leg,
	enum cp_sub_view view)
{
	const struct cp_call *call = cp_app_call(app, leg->id);
	bool is_anonymous = *leg->identity == '\0';
	bool has_media = leg->state == CP_LEG_CONNECTED || leg->state == CP_LEG_ADOPTED;
	const char *roles[] = {cp_conf_role_name(leg->role)};
	const struct cp_roster_uri tel = {.uri = leg->tel};
	char user[64], display[32], entity[16], reason[CP_CONF_REASON_MAX + 64];
	struct cp_roster_media media[2];
	struct cp_roster_endpoint e = {
		.user = is_anonymous ? user : leg->identity,
		.user_display = is_anonymous ? display : leg->display,
		.nickname = cp_chat_nickname(app, leg->id),
		.aors = &tel,
		.aor_count = !is_anonymous && *leg->tel && strcmp(leg->tel, leg->identity) != 0,
		.roles = roles,
		.role_count = 1,
		.entity = entity,
		.referred = {.when_s = unix_s(app, leg->referred_ms),
			     .by = public_uri(leg->conf, leg->referred_by)},
		.status = status_of(leg),
		.joining = joining_of(leg),
		.joined = {.when_s = unix_s(app, leg->connected_ms),
			   .reason = leg->join_reason,
			   .by = public_uri(leg->conf, leg->join_by)},
		.leaving = leaving_of(leg),
		.media = media,
		.media_count = has_media ? put_media(media, leg, call) : 0,
	};

	snprintf(user, sizeof(user), "sip:anonymous%u@anonymous.invalid", leg->user_id);
	snprintf(display, sizeof(display), "Anonymous %u", leg->user_id);
	snprintf(entity, sizeof(entity), "%u", leg->id);
	if (leg->left_ms)
		e.left = (struct cp_roster_act){.when_s = unix_s(app, leg->left_ms),
						.reason = reason_of(reason, sizeof(reason), leg),
						.by = public_uri(leg->conf, leg->left_by)};
	if (view == CP_VIEW_STEERING)
		put_dialog(&e, leg, call);
	cp_roster_put(roster, &e);
}

/* Who runs the conference: as the operator says, else the machine that its URI names. Its port is no name. */
static const char *
host_of(char *room, size_t size, const struct cp_config_notify *c, const char *uri)
{
	const char *at = strchr(uri, '@');

	if (c->host_name)
		return c->host_name;
	if (!at)
		return NULL;
	at++;
	snprintf(room, size, "%.*s", (int)(*at == '[' ? strcspn(at, "]") + 1 : strcspn(at, ":;")),
		 at);
	return room;
}

static void
show_conference(struct cp_roster *roster, const struct cp_app *app, const struct cp_conf *conf,
		const char *uri)
{
	const struct cp_roster_uri join = {.uri = uri, .purpose = "participation"};
	const struct cp_roster_uri watch = {.uri = uri, .purpose = "event"};
	const struct cp_config_notify *notify = &app->config->notify;
	const struct cp_roster_uri host = {.uri = notify->host_uri};
	char name[CP_IDENTITY_MAX];
	const struct cp_roster_medium audio = {.label = LABEL,
					       .display = "main audio",
					       .type = "audio",
					       .status = CP_ROSTER_SENDRECV};
	int64_t wall_ms = cp_focus_wall_ms(app->focus, cp_app_now_ms());
	const struct cp_roster_conference c = {
		.display = conf->title,
		.subject = *conf->subject ? conf->subject : conf->title,
		.free_text = conf->description,
		.conf_uris = &join,
		.conf_uri_count = 1,
		.service_uris = &watch,
		.service_uri_count = 1,
		.users_max = conf->size_max,
		.media = &audio,
		.medium_count = 1,
		.host_display = host_of(name, sizeof(name), notify, uri),
		.host_page = notify->host_page,
		.host_uris = &host,
		.host_uri_count = notify->host_uri != NULL,
		.is_active = !conf->start_ms || wall_ms >= conf->start_ms - conf->early_ms,
		.is_locked = conf->is_locked,
	};

	cp_roster_set_conference(roster, &c);
}

int64_t
cp_sub_show(struct cp_roster *roster, struct cp_app *app, const struct cp_conf *conf,
	    enum cp_sub_view view)
{
	int64_t now = cp_app_now_ms(), recheck = 0;

	cp_roster_begin(roster);
	show_conference(roster, app, conf, cp_roster_entity(roster));
	for (const struct cp_leg *leg = conf->legs; leg; leg = leg->next)
		put_leg(roster, app, leg, view);
	for (const struct cp_leg *leg = conf->gone; leg; leg = leg->next) {
		int64_t end = leg->left_ms + LINGER_MS;

		if (end <= now)
			continue;
		put_leg(roster, app, leg, view);
		if (!recheck || end < recheck)
			recheck = end;
	}
	cp_roster_end(roster);
	return recheck;
}
