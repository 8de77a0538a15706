/* The elements of a conference information document, in the order of the schema (RFC 4575 section 6). */
#include "ctrlplane/event/roster_state.h"

#include <stdio.h>

static bool
is_there(const char *text)
{
	return text && *text;
}

static const char *
direction_name(enum cp_roster_direction direction)
{
	static const char *const names[] = {
		[CP_ROSTER_DIRECTION_UNKNOWN] = NULL, [CP_ROSTER_SENDRECV] = "sendrecv",
		[CP_ROSTER_SENDONLY] = "sendonly",    [CP_ROSTER_RECVONLY] = "recvonly",
		[CP_ROSTER_INACTIVE] = "inactive",
	};

	return names[direction];
}

const char *
cp_roster_status_name(enum cp_roster_status status)
{
	static const char *const names[CP_ROSTER_STATUSES] = {
		[CP_ROSTER_CONNECTED] = "connected",
		[CP_ROSTER_PENDING] = "pending",
		[CP_ROSTER_DIALING_OUT] = "dialing-out",
		[CP_ROSTER_DIALING_IN] = "dialing-in",
		[CP_ROSTER_ALERTING] = "alerting",
		[CP_ROSTER_ON_HOLD] = "on-hold",
		[CP_ROSTER_MUTED] = "muted-via-focus",
		[CP_ROSTER_DISCONNECTING] = "disconnecting",
		[CP_ROSTER_DISCONNECTED] = "disconnected",
	};

	return names[status];
}

/* uris-type has an entry at least: without one it is left out. */
static void
write_uris(struct cp_xml *x, const char *name, const struct cp_roster_uri *uris, size_t count)
{
	bool is_open = false;

	for (size_t i = 0; i < count; i++) {
		if (!is_there(uris[i].uri))
			continue;
		if (!is_open) {
			cp_xml_str(x, "<");
			cp_xml_str(x, name);
			cp_xml_str(x, ">");
			is_open = true;
		}
		cp_xml_str(x, "<entry>");
		cp_xml_element(x, "uri", uris[i].uri);
		cp_xml_element(x, "display-text", uris[i].display);
		cp_xml_element(x, "purpose", uris[i].purpose);
		cp_xml_str(x, "</entry>");
	}
	if (is_open) {
		cp_xml_str(x, "</");
		cp_xml_str(x, name);
		cp_xml_str(x, ">");
	}
}

static void
write_available(struct cp_xml *x, const struct cp_roster_medium *media, size_t count)
{
	if (count == 0)
		return;
	cp_xml_str(x, "<available-media>");
	for (size_t i = 0; i < count; i++) {
		cp_xml_str(x, "<entry label=\"");
		cp_xml_text(x, media[i].label ? media[i].label : "");
		cp_xml_str(x, "\">");
		cp_xml_element(x, "display-text", media[i].display);
		cp_xml_element(x, "type", media[i].type);
		cp_xml_element(x, "status", direction_name(media[i].status));
		cp_xml_str(x, "</entry>");
	}
	cp_xml_str(x, "</available-media>");
}

void
cp_roster_write_description(struct cp_xml *x, const struct cp_roster_conference *c)
{
	cp_xml_str(x, "<conference-description>");
	cp_xml_element(x, "display-text", c->display);
	cp_xml_element(x, "subject", c->subject);
	cp_xml_element(x, "free-text", c->free_text);
	cp_xml_element(x, "keywords", c->keywords);
	write_uris(x, "conf-uris", c->conf_uris, c->conf_uri_count);
	write_uris(x, "service-uris", c->service_uris, c->service_uri_count);
	if (c->users_max)
		cp_xml_number(x, "maximum-user-count", c->users_max);
	write_available(x, c->media, c->medium_count);
	cp_xml_str(x, "</conference-description>");
}

void
cp_roster_write_host(struct cp_xml *x, const struct cp_roster_conference *c)
{
	if (!is_there(c->host_display) && !is_there(c->host_page) && c->host_uri_count == 0)
		return;
	cp_xml_str(x, "<host-info>");
	cp_xml_element(x, "display-text", c->host_display);
	cp_xml_element(x, "web-page", c->host_page);
	write_uris(x, "uris", c->host_uris, c->host_uri_count);
	cp_xml_str(x, "</host-info>");
}

void
cp_roster_write_state(struct cp_xml *x, uint32_t user_count, bool is_active, bool is_locked)
{
	cp_xml_str(x, "<conference-state>");
	cp_xml_number(x, "user-count", user_count);
	cp_xml_bool(x, "active", is_active);
	cp_xml_bool(x, "locked", is_locked);
	cp_xml_str(x, "</conference-state>");
}

void
cp_roster_write_user_head(struct cp_xml *x, const struct cp_roster_endpoint *e)
{
	bool has_roles = false;

	if (is_there(e->nickname)) {
		cp_xml_str(x, " xmlns:xcon=\"" CP_ROSTER_XCON_NS "\" xcon:nickname=\"");
		cp_xml_text(x, e->nickname);
		cp_xml_str(x, "\"");
	}
	cp_xml_str(x, ">");
	cp_xml_element(x, "display-text", e->user_display);
	write_uris(x, "associated-aors", e->aors, e->aor_count);
	for (size_t i = 0; i < e->role_count; i++) {
		if (!is_there(e->roles[i]))
			continue;
		if (!has_roles)
			cp_xml_str(x, "<roles>");
		has_roles = true;
		cp_xml_element(x, "entry", e->roles[i]);
	}
	if (has_roles)
		cp_xml_str(x, "</roles>");
	cp_xml_element(x, "languages", e->languages);
	cp_xml_element(x, "cascaded-focus", e->cascaded_focus);
}

static void
write_act(struct cp_xml *x, const char *name, const struct cp_roster_act *act)
{
	if (act->when_s <= 0 && !is_there(act->reason) && !is_there(act->by))
		return;
	cp_xml_str(x, "<");
	cp_xml_str(x, name);
	cp_xml_str(x, ">");
	cp_xml_when(x, "when", act->when_s);
	cp_xml_element(x, "reason", act->reason);
	cp_xml_element(x, "by", act->by);
	cp_xml_str(x, "</");
	cp_xml_str(x, name);
	cp_xml_str(x, ">");
}

static void
write_media(struct cp_xml *x, const struct cp_roster_media *m)
{
	cp_xml_str(x, "<media id=\"");
	cp_xml_text(x, m->id ? m->id : "");
	cp_xml_str(x, "\">");
	cp_xml_element(x, "display-text", m->display);
	cp_xml_element(x, "type", m->type);
	cp_xml_element(x, "label", m->label);
	if (m->has_ssrc)
		cp_xml_number(x, "src-id", m->ssrc);
	cp_xml_element(x, "status", direction_name(m->status));
	cp_xml_str(x, "</media>");
}

static void
write_call_info(struct cp_xml *x, const struct cp_roster_endpoint *e)
{
	if (!is_there(e->call_id) || !is_there(e->from_tag) || !is_there(e->to_tag))
		return;
	cp_xml_str(x, "<call-info><sip>");
	cp_xml_element(x, "display-text", e->call_display);
	cp_xml_element(x, "call-id", e->call_id);
	cp_xml_element(x, "from-tag", e->from_tag);
	cp_xml_element(x, "to-tag", e->to_tag);
	cp_xml_str(x, "</sip></call-info>");
}

void
cp_roster_write_endpoint(struct cp_xml *x, const struct cp_roster_endpoint *e)
{
	static const char *const joinings[] = {
		[CP_ROSTER_JOINING_UNKNOWN] = NULL,
		[CP_ROSTER_DIALED_IN] = "dialed-in",
		[CP_ROSTER_DIALED_OUT] = "dialed-out",
		[CP_ROSTER_FOCUS_OWNER] = "focus-owner",
	};
	static const char *const leavings[] = {
		[CP_ROSTER_LEAVING_NONE] = NULL, [CP_ROSTER_DEPARTED] = "departed",
		[CP_ROSTER_BOOTED] = "booted",	 [CP_ROSTER_FAILED] = "failed",
		[CP_ROSTER_BUSY] = "busy",
	};

	cp_xml_str(x, "<endpoint entity=\"");
	cp_xml_text(x, e->entity);
	cp_xml_str(x, "\">");
	cp_xml_element(x, "display-text", e->display);
	write_act(x, "referred", &e->referred);
	cp_xml_element(x, "status", cp_roster_status_name(e->status));
	cp_xml_element(x, "joining-method", joinings[e->joining]);
	write_act(x, "joining-info", &e->joined);
	cp_xml_element(x, "disconnection-method", leavings[e->leaving]);
	write_act(x, "disconnection-info", &e->left);
	for (size_t i = 0; i < e->media_count; i++)
		write_media(x, &e->media[i]);
	write_call_info(x, e);
	cp_xml_str(x, "</endpoint>");
}
