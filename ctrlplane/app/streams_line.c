/* Lines: begun, keyed, connected, waited for, given up, ended, as offers and answers have it. */
#include "ctrlplane/app/streams_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctrlplane/base/log.h"
#include "ctrlplane/mikey/csb.h"

#define ANSWERING_MS 300
#define ANSWER_MS 100 /* until our answer is there: it has what the peer's TLS wants */
#define REDIAL_FIRST_MS 1000
#define REDIAL_MS 30000	 /* RFC 8855 8: not more often */
#define YIELD_OWN_MS 200 /* they have connected: a ClientHello of theirs would be here by then */
#define YIELD_ACTIVE_MS 3000 /* we have, and they are TLS client, unless they think otherwise */

enum cp_stream_mode
cp_line_mode(enum cp_sdp_stream_mode mode)
{
	return mode == CP_SDP_STREAM_PSK	   ? CP_STREAM_PSK
	       : mode == CP_SDP_STREAM_CERTIFICATE ? CP_STREAM_CERTIFICATE
						   : CP_STREAM_PLAIN;
}

static uint32_t
hash_of(const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619u;
	return hash;
}

/* A name of one service. */
struct named {
	const char *name;
	int service;
};

static bool
is_named(const struct cp_map_node *node, const void *key)
{
	const struct cp_line_link *link = CP_CONTAINER(node, struct cp_line_link, by_name);
	const struct named *named = key;

	return link->service == named->service && strcmp(link->name, named->name) == 0;
}

int
cp_line_find(struct cp_tls_key *out, void *arg, const char *identity)
{
	const struct cp_stream_finder *finder = arg;
	const struct named named = {identity, finder->service};
	struct cp_map_node *node =
		cp_map_find(&finder->streams->names, hash_of(identity), is_named, &named);
	struct cp_line_link *link;

	if (!node)
		return -ENOENT;
	link = CP_CONTAINER(node, struct cp_line_link, by_name);
	*out = (struct cp_tls_key){.psk = link->psk, .owner = link};
	return 0;
}

static void
drop_key(struct cp_line_link *link)
{
	if (link->is_named)
		cp_map_drop(&link->call->app->streams->names, &link->by_name);
	link->is_named = false;
	cp_secret_put(link->psk);
	link->psk = NULL;
}

/* The key of what is agreed now; what is connected keeps its own. */
static void
set_key(struct cp_line_link *link)
{
	const struct cp_sdp_stream *agreed = &link->call->sdp.streams[link->service];
	const struct cp_mikey_session *session =
		agreed->mode == CP_SDP_STREAM_PSK
			? cp_keying_stream(link->call, (enum cp_sdp_service)link->service)
			: NULL;

	if (session && link->is_named && strcmp(session->name, link->name) == 0 &&
	    cp_secret_is_same(session->secret, link->psk))
		return;
	drop_key(link);
	if (!session || !session->secret)
		return;
	memcpy(link->name, session->name, sizeof(link->name));
	link->psk = cp_secret_get(session->secret);
	cp_map_put(&link->call->app->streams->names, &link->by_name, hash_of(link->name));
	link->is_named = true;
}

struct cp_line_link *
cp_line_link(struct cp_call *call, int service)
{
	struct cp_line *line = &call->lines[service];
	struct cp_line_link *link;

	if (line->link)
		return line->link;
	link = calloc(1, sizeof(*link));
	if (!link)
		return NULL;
	link->line = line;
	link->call = call;
	link->service = service;
	line->service = service;
	line->link = link;
	TAILQ_INSERT_TAIL(&call->app->streams->links, link, all);
	return link;
}

/* Nothing is connected, and nothing on its way. */
static void
disconnect(struct cp_line_link *link, bool is_orderly)
{
	struct cp_line *line = link->line;
	bool was_up = link->visit != NULL;

	cp_visit_drop(link->visit, is_orderly);
	cp_visits_forget(link);
	link->redial_ms = link->deadline_ms = 0;
	link->tries = 0;
	if (was_up && line->call)
		link->call->app->streams->services[link->service]->lost(line, "another is agreed");
}

static void
end(struct cp_line_link *link)
{
	struct cp_streams *streams = link->call->app->streams;
	struct cp_line *line = link->line;

	disconnect(link, true);
	if (line->call)
		streams->services[link->service]->agreed(line, false);
	line->call = NULL;
	line->link = NULL;
	cp_listener_close(link->own);
	drop_key(link);
	TAILQ_REMOVE(&streams->links, link, all);
	free(link);
}

bool
cp_line_is_offered(const struct cp_streams *streams, int service)
{
	const struct cp_line_link *link;

	TAILQ_FOREACH (link, &streams->links, all)
		if (link->service == service && link->is_offering)
			return true;
	return false;
}

struct cp_stream_tls
cp_line_tls(const struct cp_line_link *link, uint32_t yields_ms)
{
	const struct cp_streams *streams = link->call->app->streams;
	const struct cp_sdp_stream *agreed = &link->call->sdp.streams[link->service];
	enum cp_stream_mode mode = cp_line_mode(agreed->mode);

	return (struct cp_stream_tls){
		.mode = mode,
		.role = CP_TLS_CLIENT,
		.yields_ms = yields_ms,
		.context = mode == CP_STREAM_PSK	   ? streams->psk[link->service]
			   : mode == CP_STREAM_CERTIFICATE ? streams->certificate
							   : NULL,
		.identity = mode == CP_STREAM_PSK ? link->name : NULL,
		.psk = link->psk,
		.owner = link,
		.fingerprint = mode == CP_STREAM_CERTIFICATE ? agreed->fingerprint : NULL,
	};
}

static void
redial_later(struct cp_line_link *link)
{
	link->redial_ms = cp_app_now_ms() + (link->tries++ == 0 ? REDIAL_FIRST_MS : REDIAL_MS);
}

/* MSRP: who opens TCP is TLS client (RFC 6135 4.2). BFCP: who offered is (RFC 8856 8). */
static void
dial(struct cp_line_link *link)
{
	struct cp_streams *streams = link->call->app->streams;
	const struct cp_sdp_stream *agreed = &link->call->sdp.streams[link->service];
	bool is_server = link->service == CP_SDP_FLOOR && !agreed->is_offerer;
	struct cp_stream_tls tls = cp_line_tls(link, is_server ? YIELD_ACTIVE_MS : 0);
	struct cp_stream_target target = {.to = agreed->remote, .tls = &tls};
	struct cp_visit *visit = cp_visit_create(streams, link->service, link);
	int rc = visit ? cp_hub_connect(&visit->stream, streams->hub, &target, &cp_visit_events,
					visit)
		       : -ENOMEM;

	link->redial_ms = 0;
	if (rc == 0) {
		link->dialing = visit;
		return;
	}
	if (visit)
		TAILQ_REMOVE(&streams->unbound, visit, unbound);
	free(visit);
	cp_log(CP_LOG_WARN, CP_APP_AREA, "%s of participant %u cannot be connected: %s",
	       cp_sdp_service_name((enum cp_sdp_service)link->service), link->call->leg,
	       strerror(-rc));
	redial_later(link);
}

void
cp_line_lost(struct cp_line_link *link, bool failed)
{
	const struct cp_sdp_stream *agreed = &link->call->sdp.streams[link->service];
	int64_t now = cp_app_now_ms();

	/* somebody at its own port who was not it, and who ended in good order may come again when he likes */
	if (link->visit || !link->line->call || !failed)
		return;
	/* it would not know ours again */
	if (agreed->mode == CP_SDP_STREAM_CERTIFICATE &&
	    link->certificate != link->call->app->streams->certificate_number)
		link->call->is_reoffer_due = true;
	if (!link->deadline_ms)
		link->deadline_ms = now + link->call->app->config->streams.wait_ms;
	if (agreed->is_active && !link->dialing && !link->redial_ms)
		redial_later(link);
}

/* A connection anew: by us, or theirs is awaited. */
static void
begin_connection(struct cp_line_link *link)
{
	const struct cp_sdp_stream *agreed = &link->call->sdp.streams[link->service];
	struct cp_stream_tls tls = cp_line_tls(link, YIELD_OWN_MS);
	int rc = 0;

	link->was_up = false;
	link->deadline_ms = cp_app_now_ms() + link->call->app->config->streams.wait_ms;
	if (agreed->is_active) {
		cp_listener_close(link->own);
		link->own = NULL;
		if (agreed->is_offerer)
			dial(link);
		else
			link->redial_ms = link->call->app->streams->lines_ms =
				cp_app_now_ms() + ANSWER_MS;
	} else if (link->own) {
		rc = cp_listener_start(link->own, &tls);
	}
	if (rc != 0)
		cp_log(CP_LOG_WARN, CP_APP_AREA,
		       "nobody is taken for the floor of participant %u: %s", link->call->leg,
		       strerror(-rc));
}

static void
agreed(struct cp_call *call, int service)
{
	struct cp_streams *streams = call->app->streams;
	const struct cp_sdp_stream *stream = &call->sdp.streams[service];
	struct cp_line_link *link = call->lines[service].link;
	bool is_first, is_kept;

	if (stream->mode == CP_SDP_STREAM_NONE || !streams->services[service]) {
		if (link)
			end(link);
		return;
	}
	link = cp_line_link(call, service);
	if (!link) {
		cp_log(CP_LOG_ERROR, CP_APP_AREA, "out of memory");
		return;
	}
	is_first = link->line->call == NULL;
	is_kept = !stream->is_new || link->is_fresh;
	if (!is_kept && !is_first)
		disconnect(link, true);
	link->line->call = call;
	link->is_offering = link->is_fresh = false;
	set_key(link);
	link->certificate = streams->certificate_number;
	streams->services[service]->agreed(link->line, true);
	if (!is_kept && !stream->is_waiting)
		begin_connection(link);
}

void
cp_streams_agreed(struct cp_call *call)
{
	for (int i = 0; i < CP_LINES; i++)
		agreed(call, i);
	cp_visits_let_go(call->app->streams);
}

void
cp_streams_answering(struct cp_app *app)
{
	app->streams->answering_ms = cp_app_now_ms() + ANSWERING_MS;
}

void
cp_streams_over(struct cp_call *call)
{
	for (int i = 0; i < CP_LINES; i++)
		if (call->lines[i].link)
			end(call->lines[i].link);
}

bool
cp_streams_is_lost(const struct cp_call *call, int service)
{
	const struct cp_line_link *link = call->lines[service].link;

	return link && link->line->call && link->was_up && !link->visit && !link->dialing;
}

bool
cp_streams_is_given_up(const struct cp_call *call, int service)
{
	const struct cp_line_link *link = call->lines[service].link;

	return link && link->is_given_up;
}

static void
leave(struct cp_line *line, bool is_orderly)
{
	struct cp_line_link *link = line->link;

	if (link && link->visit) {
		cp_visit_drop(link->visit, is_orderly);
		link->deadline_ms = link->redial_ms = 0;
	}
}

void
cp_line_end(struct cp_line *line)
{
	leave(line, true);
}

void
cp_line_cut(struct cp_line *line)
{
	leave(line, false);
}

/* Never a fall-back: the participant hears of it. */
static void
give_up(struct cp_line_link *link)
{
	struct cp_call *call = link->call;
	const char *service = cp_sdp_service_name((enum cp_sdp_service)link->service);
	char why[64];

	link->deadline_ms = link->redial_ms = 0;
	/* without audio there is no offer of ours, and nothing that would go on */
	if (call->app->config->streams.on_failure == CP_CONFIG_FAILURE_REMOVE &&
	    cp_sdp_has_audio(&call->sdp)) {
		cp_log(CP_LOG_WARN, CP_APP_AREA, "%s of participant %u did not come up: removed",
		       service, call->leg);
		link->is_given_up = true;
		call->is_reoffer_due = true;
		return;
	}
	cp_log(CP_LOG_WARN, CP_APP_AREA, "%s of participant %u did not come up: hung up", service,
	       call->leg);
	snprintf(why, sizeof(why), "No connection for %s", service);
	cp_call_hang_up(call, 503, why);
}

static struct cp_line_link *
overdue(const struct cp_streams *streams, int64_t now_ms)
{
	struct cp_line_link *link;

	TAILQ_FOREACH (link, &streams->links, all)
		if (link->deadline_ms && now_ms >= link->deadline_ms)
			return link;
	return NULL;
}

void
cp_lines_tick(struct cp_streams *streams, int64_t now_ms)
{
	struct cp_line_link *link;

	TAILQ_FOREACH (link, &streams->links, all)
		if (link->redial_ms && now_ms >= link->redial_ms)
			dial(link);
	/* whom it hangs up is gone from the list, with other lines of the call */
	while ((link = overdue(streams, now_ms)) != NULL)
		give_up(link);
	if (streams->unsaid)
		cp_log(CP_LOG_WARN, CP_APP_AREA, "%u more connections were refused",
		       streams->unsaid);
	streams->said = streams->unsaid = 0;
}
