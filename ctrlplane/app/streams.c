/* The hub of conclave-cp: addresses and ports of the services, our certificate, what SDP says of them. */
#include "ctrlplane/app/streams_state.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "ctrlplane/base/log.h"

/* Descriptors for all else: SIP, the API, the store. */
#define OTHER_FILES 4096
#define LINES_MS 500

static void
on_ready(struct cp_app *app, int events)
{
	cp_hub_run(app->streams->hub, cp_app_now_ms());
}

static void
on_refused(void *arg, const struct dp_addr *from, enum cp_stream_cause cause)
{
	cp_streams_note_refused(arg, "a connection from", from, cause, "");
}

static void
add_host(struct cp_streams *streams, const char *text)
{
	struct dp_addr addr;

	if (!cp_config_streams_host(&addr, text) || streams->host_count == CP_STREAM_HOSTS)
		return;
	for (size_t i = 0; i < streams->host_count; i++)
		if (dp_addr_is_same(&streams->hosts[i], &addr))
			return;
	streams->hosts[streams->host_count++] = addr;
}

/* The host of "sip:[::1]:5060;transport=tcp"; names are left out. */
static void
add_sip_host(struct cp_streams *streams, const char *uri)
{
	const char *host = strchr(uri, ':');
	char text[INET6_ADDRSTRLEN + 2];
	size_t len;

	if (!host)
		return;
	host++;
	len = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":;?");
	if (len < sizeof(text)) {
		snprintf(text, sizeof(text), "%.*s", (int)len, host);
		add_host(streams, text);
	}
}

static int
open_contexts(struct cp_streams *streams)
{
	const struct cp_config_streams *c = &streams->app->config->streams;
	char why[CP_TLS_WHY] = "";
	int rc = 0;

	for (int i = 0; i < CP_LINES && rc == 0; i++) {
		streams->finders[i] = (struct cp_stream_finder){streams, i};
		rc = cp_tls_context_create(&streams->psk[i], cp_line_find, &streams->finders[i]);
	}
	if (rc == 0)
		rc = cp_tls_context_create(&streams->certificate, NULL, NULL);
	if (rc == 0 && c->certificate)
		rc = cp_tls_context_load(streams->certificate, c->certificate, c->key, why);
	else if (rc == 0)
		rc = cp_tls_context_make(streams->certificate);
	if (rc)
		cp_log(CP_LOG_ERROR, CP_APP_AREA, "TLS of floor control and chat: %s",
		       why[0] ? why : strerror(-rc));
	return rc;
}

/* As many files as connections may want; where that cannot be had, the limit is lower. */
static uint32_t
raise_limit(uint32_t wanted)
{
	struct rlimit limit, more;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return wanted;
	more = limit;
	if (limit.rlim_cur < wanted + OTHER_FILES) {
		more.rlim_cur = wanted + OTHER_FILES < limit.rlim_max ? wanted + OTHER_FILES
								      : limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &more) != 0)
			more = limit;
	}
	if (more.rlim_cur >= wanted + OTHER_FILES)
		return wanted;
	return more.rlim_cur > 2 * OTHER_FILES ? (uint32_t)more.rlim_cur - OTHER_FILES
					       : (uint32_t)more.rlim_cur / 2;
}

static int
open_hub(struct cp_streams *streams)
{
	const struct cp_config_streams *c = &streams->app->config->streams;
	struct cp_hub_settings settings = {
		.streams_max = raise_limit((uint32_t)c->streams_max),
		.handshakes_max = (uint32_t)c->handshakes_max,
		.per_source_max = (uint32_t)c->per_source_max,
		.handshake_ms = (uint32_t)c->handshake_ms,
		.identify_ms = (uint32_t)c->identify_ms,
		.stall_ms = (uint32_t)c->stall_ms,
		.send_max = (uint32_t)c->send_max,
		.refused = on_refused,
		.arg = streams,
	};
	int rc = cp_hub_create(&streams->hub, &settings);

	streams->app->streams_watch.ready = on_ready;
	if (rc == 0)
		rc = cp_app_watch(&streams->app->streams_watch, cp_hub_fd(streams->hub),
				  SU_WAIT_IN);
	return rc;
}

static int64_t
configured_port(const struct cp_config_streams *c, int service, enum cp_stream_mode mode)
{
	const int64_t ports[CP_LINES][CP_STREAM_MODES] = {
		[CP_SDP_FLOOR] = {[CP_STREAM_PLAIN] = c->floor_plain,
				  [CP_STREAM_PSK] = c->floor_psk,
				  [CP_STREAM_CERTIFICATE] = c->floor_certificate},
		[CP_SDP_CHAT] = {[CP_STREAM_PLAIN] = c->chat_plain,
				 [CP_STREAM_PSK] = c->chat_psk,
				 [CP_STREAM_CERTIFICATE] = c->chat_certificate},
	};

	return ports[service][mode];
}

static struct cp_stream_tls
tls_of(const struct cp_streams *streams, int service, enum cp_stream_mode mode)
{
	return (struct cp_stream_tls){
		.mode = mode,
		.role = CP_TLS_SERVER,
		.context = mode == CP_STREAM_PSK	   ? streams->psk[service]
			   : mode == CP_STREAM_CERTIFICATE ? streams->certificate
							   : NULL,
	};
}

/* At all our addresses, when somebody first wants it. NULL: it cannot be. */
static struct cp_port *
port_of(struct cp_streams *streams, int service, enum cp_stream_mode mode)
{
	const char *const modes[] = {"plain", "PSK", "certificate"};
	struct cp_port *port = &streams->ports[service][mode];
	struct cp_stream_tls tls = tls_of(streams, service, mode);

	while (port->count < streams->host_count) {
		struct dp_addr at = streams->hosts[port->count];
		int rc;

		at.port = (uint16_t)configured_port(&streams->app->config->streams, service, mode);
		port->streams = streams;
		port->service = service;
		rc = cp_hub_listen(&port->listeners[port->count], streams->hub, &at, &tls,
				   cp_visit_accept, port);
		if (rc != 0) {
			cp_log(CP_LOG_ERROR, CP_APP_AREA,
			       "cannot listen for %s (%s) at TCP port %u: %s; see 'streams'",
			       cp_sdp_service_name((enum cp_sdp_service)service), modes[mode],
			       at.port, strerror(-rc));
			return NULL;
		}
		port->count++;
	}
	return port;
}

/* Ports that somebody has written into a firewall are taken at once, and are not somebody else's later. */
static int
open_ports(struct cp_streams *streams)
{
	for (int i = 0; i < CP_LINES; i++)
		for (enum cp_stream_mode mode = 0; mode < CP_STREAM_MODES; mode++)
			if (configured_port(&streams->app->config->streams, i, mode) &&
			    !port_of(streams, i, mode))
				return -EADDRINUSE;
	return 0;
}

int
cp_streams_open(struct cp_app *app)
{
	const struct cp_config *c = app->config;
	struct cp_streams *streams = calloc(1, sizeof(*streams));
	int rc;

	if (!streams)
		return -ENOMEM;
	app->streams = streams;
	streams->app = app;
	TAILQ_INIT(&streams->links);
	TAILQ_INIT(&streams->unbound);
	for (size_t i = 0; i < c->streams.listen.count; i++)
		add_host(streams, c->streams.listen.items[i]);
	for (size_t i = 0; i < c->sip.listen.count && c->streams.listen.count == 0; i++)
		add_sip_host(streams, c->sip.listen.items[i]);
	rc = cp_map_init(&streams->names);
	if (rc == 0)
		rc = open_contexts(streams);
	if (rc == 0)
		rc = open_hub(streams);
	if (rc == 0)
		rc = open_ports(streams);
	return rc;
}

void
cp_streams_close(struct cp_app *app)
{
	struct cp_streams *streams = app->streams;

	if (!streams)
		return;
	cp_app_watch(&app->streams_watch, -1, 0);
	while (!TAILQ_EMPTY(&streams->links))
		cp_streams_over(TAILQ_FIRST(&streams->links)->call);
	while (!TAILQ_EMPTY(&streams->unbound))
		cp_visit_drop(TAILQ_FIRST(&streams->unbound), false);
	cp_hub_destroy(streams->hub); /* listeners too */
	for (int i = 0; i < CP_LINES; i++)
		cp_tls_context_put(streams->psk[i]);
	cp_tls_context_put(streams->certificate);
	cp_map_fini(&streams->names);
	free(streams);
	app->streams = NULL;
}

void
cp_streams_provide(struct cp_app *app, int service, const struct cp_service *table)
{
	app->streams->services[service] = table;
}

void
cp_streams_tick(struct cp_app *app)
{
	struct cp_streams *streams = app->streams;
	int64_t now = cp_app_now_ms();

	cp_hub_run(streams->hub, now);
	if (streams->answering_ms && now >= streams->answering_ms) {
		streams->answering_ms = 0;
		cp_visits_let_go(streams);
	}
	if (now >= streams->lines_ms) {
		streams->lines_ms = now + LINES_MS;
		cp_lines_tick(streams, now);
	}
}

void
cp_streams_reload(struct cp_app *app)
{
	const struct cp_config_streams *c = &app->config->streams;
	char why[CP_TLS_WHY];

	if (!c->certificate)
		return;
	if (cp_tls_context_load(app->streams->certificate, c->certificate, c->key, why) != 0) {
		cp_log(CP_LOG_ERROR, CP_APP_AREA, "the former certificate stays: %s", why);
		return;
	}
	app->streams->certificate_number++;
	cp_log(CP_LOG_INFO, CP_APP_AREA, "certificate of streams is read anew: %s", c->certificate);
}

static bool
is_any(const struct dp_addr *addr)
{
	static const uint8_t zero[16];

	return memcmp(addr->ip, zero, sizeof(zero)) == 0;
}

/* Where a participant is to be reached: by its audio's address of ours, and without audio by the family that its call came over. */
static struct dp_addr
reach_of(const struct cp_call *call)
{
	struct dp_addr from;

	if (!cp_sdp_has_audio(&call->sdp) && cp_config_streams_host(&from, call->source))
		return (struct dp_addr){.family = from.family};
	return call->local.rtp;
}

/* Which of our addresses it is told: that of its audio, else one of its family. */
static size_t
host_for(const struct cp_streams *streams, const struct dp_addr *audio)
{
	size_t found = streams->host_count;

	for (size_t i = 0; i < streams->host_count; i++) {
		const struct dp_addr *host = &streams->hosts[i];

		if (host->family != audio->family)
			continue;
		if (memcmp(host->ip, audio->ip, sizeof(host->ip)) == 0)
			return i;
		if (found == streams->host_count)
			found = i;
	}
	return found < streams->host_count ? found : 0;
}

/* Who offers floor control is TLS client, though the peer may connect: such a connection has a port of its own, so that it is known whose
 * it is before TLS. Nobody is accepted there until there is an answer; the kernel keeps who comes. */
static const struct dp_addr *
own_port(struct cp_line_link *link, const struct dp_addr *host)
{
	struct dp_addr at = *host;
	int rc = 0;

	at.port = 0;
	if (!link->own)
		rc = cp_hub_listen(&link->own, link->call->app->streams->hub, &at, NULL,
				   cp_visit_accept_own, link);
	if (rc != 0)
		cp_log(CP_LOG_ERROR, CP_APP_AREA,
		       "participant %u gets no port for floor control: %s", link->call->leg,
		       strerror(-rc));
	return rc == 0 ? cp_listener_address(link->own) : NULL;
}

static const struct dp_addr *
address_for(struct cp_streams *streams, struct cp_call *call, int service)
{
	const struct cp_sdp_session *sdp = &call->sdp;
	enum cp_sdp_stream_mode mode = cp_sdp_stream_mode(sdp, (enum cp_sdp_service)service);
	struct dp_addr reach = reach_of(call);
	size_t host = host_for(streams, &reach);
	struct cp_port *port;

	if (mode == CP_SDP_STREAM_NONE || !streams->services[service] || streams->host_count == 0)
		return NULL;
	if (sdp->phase == CP_SDP_OFFERED && sdp->proposed[service].is_new) {
		struct cp_line_link *link = cp_line_link(call, service);

		if (!link)
			return NULL;
		link->is_offering = true;
		if (service == CP_SDP_FLOOR && mode != CP_SDP_STREAM_PLAIN)
			return own_port(link, &streams->hosts[host]);
	}
	port = port_of(streams, service, cp_line_mode(mode));
	return port ? cp_listener_address(port->listeners[host]) : NULL;
}

void
cp_streams_local(struct cp_call *call, struct cp_sdp_local *local)
{
	struct cp_streams *streams = call->app->streams;

	local->fingerprint[0] = '\0';
	cp_tls_context_fingerprint(local->fingerprint, streams->certificate);
	for (int i = 0; i < CP_LINES; i++) {
		const struct dp_addr *at = address_for(streams, call, i);

		/* of all addresses of the machine, that of the media plane: if it is one of them */
		if (at && is_any(at) && at->family != call->local.rtp.family)
			at = NULL;
		local->streams[i] = at ? *at : (struct dp_addr){0};
		if (!at)
			continue;
		if (is_any(at))
			memcpy(local->streams[i].ip, call->local.rtp.ip, sizeof(at->ip));
		streams->services[i]->local(call, local);
	}
}

struct cp_streams_counts
cp_streams_counts(const struct cp_app *app)
{
	return app->streams ? app->streams->counts : (struct cp_streams_counts){0};
}
