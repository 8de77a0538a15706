/* Connections from their first moment on: whose they are, what comes and goes between them and their service, and why they ended. */
#include "ctrlplane/app/streams_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctrlplane/base/log.h"

#define SAID_MAX 20 /* refusals in the log, a second: nobody floods it */

struct cp_visit *
cp_visit_create(struct cp_streams *streams, int service, struct cp_line_link *link)
{
	struct cp_visit *visit = calloc(1, sizeof(*visit));

	if (!visit)
		return NULL;
	visit->streams = streams;
	visit->service = service;
	visit->link = link;
	TAILQ_INSERT_TAIL(&streams->unbound, visit, unbound);
	return visit;
}

/* Nobody knows of it any more. */
static void
forget(struct cp_visit *visit)
{
	struct cp_line_link *link = visit->link;

	if (visit->gone)
		*visit->gone = true;
	if (!visit->is_bound)
		TAILQ_REMOVE(&visit->streams->unbound, visit, unbound);
	else
		visit->streams->counts.open--;
	if (link && link->dialing == visit)
		link->dialing = NULL;
	if (link && link->visit == visit) {
		link->visit = NULL;
		link->line->stream = NULL;
	}
	free(visit);
}

void
cp_visit_drop(struct cp_visit *visit, bool is_orderly)
{
	struct cp_stream *s;

	if (!visit)
		return;
	s = visit->stream;
	forget(visit);
	if (is_orderly)
		cp_stream_close(s);
	else
		cp_stream_abort(s);
}

void
cp_visits_forget(struct cp_line_link *link)
{
	struct cp_visit *visit = TAILQ_FIRST(&link->call->app->streams->unbound), *next;

	for (; visit; visit = next) {
		next = TAILQ_NEXT(visit, unbound);
		if (visit->link == link || cp_stream_claimed(visit->stream) == link)
			cp_visit_drop(visit, false);
	}
}

void
cp_streams_note_refused(struct cp_streams *streams, const char *what, const struct dp_addr *from,
			enum cp_stream_cause cause, const char *why)
{
	char text[CP_STREAM_ADDRESS_TEXT];

	streams->counts.refused[cause]++;
	if (++streams->said > SAID_MAX) {
		streams->unsaid++;
		return;
	}
	cp_stream_address_write(text, from);
	cp_log(CP_LOG_WARN, CP_APP_AREA, "%s %s is refused (%s)%s%s", what, text,
	       cp_stream_cause_name(cause), why[0] ? ": " : "", why);
}

static void
note_refused(struct cp_visit *visit, enum cp_stream_cause cause, const char *why)
{
	const struct cp_line_link *claimed = cp_stream_claimed(visit->stream);
	const char *service = cp_sdp_service_name((enum cp_sdp_service)visit->service);
	bool is_ours = visit->link && visit->link->dialing == visit;
	char text[200], what[40];

	snprintf(what, sizeof(what), "%s connection %s", service, is_ours ? "to" : "from");
	if (!claimed)
		claimed = visit->link;
	if (claimed)
		snprintf(text, sizeof(text), "%s; participant %u", why, claimed->call->leg);
	else
		snprintf(text, sizeof(text), "%s", why);
	cp_streams_note_refused(visit->streams, what, cp_stream_remote(visit->stream), cause, text);
}

/* It is not let in: a last word by its service, then the end. */
static void
refuse(struct cp_visit *visit, enum cp_line_fault fault, struct cp_slice octets)
{
	static const char *const texts[] = {
		[CP_LINE_UNKNOWN] = "it names nobody who is here",
		[CP_LINE_TAKEN] = "that stream is connected already",
		[CP_LINE_OTHERS] = "its certificate or mode is not that of the SDP",
	};
	const struct cp_service *service = visit->streams->services[visit->service];

	note_refused(visit,
		     fault == CP_LINE_OTHERS  ? CP_STREAM_CERTIFICATE_OTHER
		     : fault == CP_LINE_TAKEN ? CP_STREAM_KEY_IN_USE
					      : CP_STREAM_NO_KEY,
		     texts[fault]);
	if (service->refuse)
		service->refuse(visit->streams->app, visit->stream, (const uint8_t *)octets.ptr,
				octets.len, fault);
	cp_visit_drop(visit, true);
}

/* May this connection be that line's? */
static bool
is_theirs(const struct cp_visit *visit, const struct cp_line_link *link)
{
	const struct cp_sdp_stream *agreed = &link->call->sdp.streams[link->service];
	const uint8_t *print = cp_stream_fingerprint(visit->stream);

	if (!link->line->call || cp_line_mode(agreed->mode) != cp_stream_mode(visit->stream) ||
	    agreed->mode == CP_SDP_STREAM_NONE)
		return false;
	return agreed->mode != CP_SDP_STREAM_CERTIFICATE ||
	       (print && memcmp(print, agreed->fingerprint, CP_SDP_FINGERPRINT) == 0);
}

/* It is the line's from now on; false: it is not, and is over. */
static bool
take_in(struct cp_visit *visit, struct cp_line_link *link, struct cp_slice octets)
{
	struct cp_streams *streams = visit->streams;
	struct cp_stream *s = visit->stream;
	struct cp_line *line = link->line;
	bool is_gone = false;

	if (!is_theirs(visit, link)) {
		refuse(visit, CP_LINE_OTHERS, octets);
		return false;
	}
	if (link->visit) {
		refuse(visit, CP_LINE_TAKEN, octets);
		return false;
	}
	TAILQ_REMOVE(&streams->unbound, visit, unbound);
	visit->link = link;
	visit->is_bound = true;
	if (link->dialing == visit)
		link->dialing = NULL;
	link->visit = visit;
	link->was_up = true;
	link->is_fresh = link->is_offering;
	link->deadline_ms = link->redial_ms = 0;
	link->tries = 0;
	cp_listener_close(link->own);
	link->own = NULL;
	line->stream = s;
	streams->counts.open++;
	streams->counts.accepted++;
	cp_stream_identified(s);
	cp_log(CP_LOG_INFO, CP_APP_AREA, "%s of participant %u is connected: %s",
	       cp_sdp_service_name((enum cp_sdp_service)link->service), link->call->leg,
	       cp_stream_protection(s));
	visit->gone = &is_gone;
	streams->services[visit->service]->opened(line);
	if (!is_gone)
		visit->gone = NULL;
	return !is_gone;
}

static void
on_opened(void *arg, struct cp_stream *s)
{
	struct cp_visit *visit = arg;
	const struct cp_line_link *owner = cp_stream_owner(s);

	if (visit->link) /* ours, or at the port of one line */
		take_in(visit, visit->link, cp_slice(NULL, 0));
	else if (owner)
		take_in(visit, owner->line->link, cp_slice(NULL, 0));
}

static void
keep_waiting(struct cp_visit *visit)
{
	visit->is_early = true;
	cp_stream_pause(visit->stream, true);
}

void
cp_visits_let_go(struct cp_streams *streams)
{
	struct cp_visit *visit;

	TAILQ_FOREACH (visit, &streams->unbound, unbound)
		if (visit->is_early) {
			visit->is_early = false;
			cp_stream_pause(visit->stream, false);
		}
}

static size_t
on_received(void *arg, struct cp_stream *s, const uint8_t *octets, size_t len)
{
	struct cp_visit *visit = arg;
	const struct cp_service *service = visit->streams->services[visit->service];
	struct cp_slice all = cp_slice((const char *)octets, len);
	struct cp_line *line;
	int rc;

	if (!visit->is_bound) {
		rc = service->identify(&line, visit->streams->app, octets, len);
		if (rc == -EAGAIN)
			return 0;
		if (rc == 0 && !line->call && line->link && line->link->is_offering) {
			keep_waiting(visit);
			return 0;
		}
		if (rc != 0 || !line->link) {
			refuse(visit, CP_LINE_UNKNOWN, all);
			return len;
		}
		if (!take_in(visit, line->link, all))
			return len;
	}
	return service->received(visit->link->line, octets, len);
}

static void
on_writable(void *arg, struct cp_stream *s)
{
	struct cp_visit *visit = arg;

	if (visit->is_bound)
		visit->streams->services[visit->service]->writable(visit->link->line);
}

static void
on_closed(void *arg, struct cp_stream *s, bool failed, const char *why)
{
	struct cp_visit *visit = arg;
	struct cp_streams *streams = visit->streams;
	struct cp_line_link *link = visit->link;
	bool was_bound = visit->is_bound;

	if (!was_bound) {
		if (failed)
			note_refused(visit, cp_stream_cause(s), why);
		else
			streams->counts.refused[CP_STREAM_ENDED]++;
	} else {
		streams->counts.lost[cp_stream_cause(s)]++;
		cp_log(failed ? CP_LOG_WARN : CP_LOG_INFO, CP_APP_AREA,
		       "%s of participant %u is lost (%s): %s",
		       cp_sdp_service_name((enum cp_sdp_service)link->service), link->call->leg,
		       cp_stream_cause_name(cp_stream_cause(s)), why);
	}
	forget(visit);
	if (!link)
		return;
	cp_line_lost(link, failed);
	if (was_bound)
		streams->services[link->service]->lost(link->line, why);
}

const struct cp_stream_events cp_visit_events = {
	.opened = on_opened,
	.received = on_received,
	.writable = on_writable,
	.closed = on_closed,
};

static bool
accept_for(struct cp_streams *streams, int service, struct cp_line_link *link, struct cp_stream *s)
{
	struct cp_visit *visit = cp_visit_create(streams, service, link);

	if (!visit)
		return false;
	visit->stream = s;
	cp_stream_set(s, &cp_visit_events, visit);
	return true;
}

bool
cp_visit_accept(void *arg, struct cp_stream *s)
{
	struct cp_port *port = arg;

	if (!accept_for(port->streams, port->service, NULL, s))
		return false;
	if (cp_stream_mode(s) != CP_STREAM_PSK)
		return true;
	/* who answers us may connect before his answer is read, which brings the key … */
	if (cp_app_now_ms() >= port->streams->answering_ms &&
	    cp_line_is_offered(port->streams, port->service))
		cp_streams_answering(port->streams->app);
	/* … or is in force */
	if (cp_app_now_ms() < port->streams->answering_ms)
		keep_waiting(TAILQ_LAST(&port->streams->unbound, cp_visits));
	return true;
}

bool
cp_visit_accept_own(void *arg, struct cp_stream *s)
{
	struct cp_line_link *link = arg;

	return accept_for(link->call->app->streams, link->service, link, s);
}
