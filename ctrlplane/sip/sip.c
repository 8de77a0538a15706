/* The agent: one NUA for each address on the one event loop, its events to who handles them, its end. */
#include "ctrlplane/sip/sip.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include <sofia-sip/su_log.h>
#include <sofia-sip/su_wait.h>
#include <sofia-sip/url.h>

#include "ctrlplane/base/log.h"
#include "ctrlplane/sip/sip_state.h"

#define AREA "sip"
#define QUIET_WAIT_MS \
	2000 /* a stop waits so long for ACKs that are under way, and for answers to our BYEs */
#define SOCKET_BUFFER \
	(8            \
	 << 20) /* octets: an INVITE burst of a few thousand; the kernel cuts it to what it allows */

extern su_log_t tport_log[], nta_log[], nua_log[], soa_log[], nea_log[], iptsec_log[],
	su_log_default[];

static void
on_state(struct cp_sip_call *call, tagi_t *tags)
{
	int state = nua_callstate_init;

	tl_gets(tags, NUTAG_CALLSTATE_REF(state), TAG_END());
	if (state == nua_callstate_terminated)
		cp_sip_call_over(call, "ended");
}

static void
set_why(struct cp_sip_call *call, const char *why, const sip_t *sip)
{
	if (*call->why)
		return;
	if (sip && sip->sip_reason && sip->sip_reason->re_text)
		snprintf(call->why, sizeof(call->why), "%s: %s", why, sip->sip_reason->re_text);
	else
		snprintf(call->why, sizeof(call->why), "%s", why);
}

static void
on_shut(struct cp_sip_listen *l)
{
	struct cp_sip *s = l->sip;

	l->is_shut = true;
	for (size_t i = 0; i < s->listen_count; i++)
		if (!s->listens[i].is_shut)
			return;
	if (s->stopped)
		s->stopped(s->stopped_ctx);
}

/* Events of a call that goes on. */
static void
on_call_event(nua_event_t event, int status, struct cp_sip_call *call, const sip_t *sip,
	      tagi_t *tags)
{
	switch (event) {
	case nua_i_update:
		cp_sip_on_update(call, sip);
		break;
	case nua_i_ack:
		cp_sip_on_ack(call, sip);
		break;
	case nua_r_invite:
		cp_sip_on_reinvite_response(call, status, sip);
		break;
	case nua_r_update:
		if (status >= 200 && status < 300)
			cp_sip_facts_target(call, sip);
		break;
	case nua_i_bye:
		set_why(call, "hung up", sip);
		break;
	case nua_i_cancel:
		set_why(call, "cancelled", sip);
		break;
	case nua_i_error:
		cp_log(CP_LOG_DEBUG, AREA, "call error %d", status);
		break;
	case nua_r_bye:
		/* The session expired, no ACK came, or we hung up. */
		set_why(call, "hung up by us", NULL);
		if (status >= 200)
			cp_sip_call_over(call, "ended");
		break;
	case nua_i_state:
		on_state(call, tags);
		break;
	case nua_i_terminated:
		cp_sip_call_over(call, "ended");
		break;
	default:
		break;
	}
}

/* rule zero: nine parameters, because NUA calls it. */
static void
on_event(nua_event_t event, int status, char const *phrase, nua_t *nua, nua_magic_t *l,
	 nua_handle_t *nh, nua_hmagic_t *call, sip_t const *sip, tagi_t tags[])
{
	switch (event) {
	case nua_r_shutdown:
		if (status >= 200)
			on_shut(l);
		return;
	case nua_i_invite:
		cp_sip_on_invite(l, nh, call, sip);
		return;
	case nua_i_options:
		cp_sip_on_options(l, nh, call, sip);
		return;
	case nua_i_refer:
		cp_sip_on_refer(l, nh, call, sip);
		return;
	case nua_i_subscribe:
		if (!cp_sip_on_refer_subscribe(l, nh, sip))
			cp_sip_on_subscribe(l, nh, call, sip);
		return;
	case nua_r_method:
		cp_sip_on_notified(l, event, status, nh, tags);
		return;
	case nua_r_notify:
		if (cp_sip_on_notified(l, event, status, nh, tags))
			return;
		if (cp_sip_on_refer_notified(l, status, nh, tags))
			return;
		break;
	case nua_r_refer:
	case nua_i_notify:
		if (cp_sip_on_refer_event(l, event, status, nh, sip))
			return;
		break;
	default:
		break;
	}
	if (call)
		on_call_event(event, status, call, sip, tags);
}

/* sip: is UDP and TCP unless it says one of them; sips: and tls are TLS. */
static void
set_transports(struct cp_sip_listen *l, const url_t *url)
{
	char name[16] = "";

	if (url->url_params)
		url_param(url->url_params, "transport", name, sizeof(name));
	l->has_tls = url->url_type == url_sips || strcasecmp(name, "tls") == 0;
	l->has_tcp = !l->has_tls && (!*name || strcasecmp(name, "tcp") == 0 || *name == '*');
	l->has_udp = !l->has_tls && (!*name || strcasecmp(name, "udp") == 0 || *name == '*');
}

/* Host and port of what we listen on, for Contact. */
static int
split_listen(struct cp_sip_listen *l)
{
	su_home_t home[1] = {SU_HOME_INIT(home)};
	url_t *url;
	int rc = -EINVAL;

	su_home_init(home);
	url = url_make(home, l->uri);
	if (url && url->url_host && (url->url_type == url_sip || url->url_type == url_sips)) {
		bool is_any = strcmp(url->url_host, "*") == 0 ||
			      strcmp(url->url_host, "0.0.0.0") == 0 ||
			      strcmp(url->url_host, "[::]") == 0;

		snprintf(l->host, sizeof(l->host), "%s", is_any ? "" : url->url_host);
		snprintf(l->port, sizeof(l->port), "%s", url_port(url));
		l->is_any_ip6 = strcmp(url->url_host, "[::]") == 0;
		set_transports(l, url);
		rc = 0;
	}
	su_home_deinit(home);
	return rc;
}

static int
open_listen(struct cp_sip_listen *l)
{
	const struct cp_sip_options *o = l->sip->options;

	if (split_listen(l) != 0)
		return -EINVAL;
	l->nua = nua_create(
		l->sip->root, on_event, l, NUTAG_URL(l->uri),
		TAG_IF(o->tls_dir, NUTAG_CERTIFICATE_DIR(o->tls_dir)), NUTAG_MEDIA_ENABLE(0),
		NUTAG_AUTOANSWER(0), NUTAG_AUTOALERT(0), NUTAG_AUTOACK(0), NUTAG_ENABLEINVITE(1),
		NUTAG_ENABLEMESSAGE(0), SIPTAG_ALLOW_STR(CP_SIP_ALLOW), NUTAG_APPL_METHOD(NULL),
		NUTAG_APPL_METHOD("INVITE, OPTIONS, UPDATE, REFER, SUBSCRIBE"),
		NUTAG_ALLOW_EVENTS(CP_SIP_EVENT), NUTAG_APPL_EVENT(CP_SIP_EVENT),
		SIPTAG_SUPPORTED_STR(CP_SIP_SUPPORTED ", " CP_SIP_LISTS),
		SIPTAG_USER_AGENT_STR(o->user_agent), NUTAG_SESSION_TIMER(o->session_expires_s),
		NUTAG_MIN_SE(o->min_se_s), NUTAG_SESSION_REFRESHER(nua_any_refresher),
		NUTAG_OUTBOUND("no-options-keepalive no-validate no-natify"),
		NUTAG_AUTO302(0), /* the same offer, with its keys, to somebody else */
		NTATAG_MAXSIZE(o->message_max), NTATAG_MAX_PROCEEDING(o->pending_max),
		NTATAG_MERGE_482(1), NTATAG_SIP_T1(o->t1_ms), NTATAG_SIP_T1X64(64 * o->t1_ms),
		TPTAG_UDP_RMEM(SOCKET_BUFFER), TPTAG_UDP_WMEM(SOCKET_BUFFER), TAG_END());
	l->nta = cp_sip_agent_take();
	return l->nua ? 0 : -EADDRINUSE;
}

static void __attribute__((format(printf, 2, 0)))
log_sofia(void *stream, char const *format, va_list args)
{
	char line[256];

	vsnprintf(line, sizeof(line), format, args);
	cp_log(CP_LOG_DEBUG, AREA, "sofia-sip: %s", line);
}

/* sofia's own log would print whole messages, credentials too: only what is fatal, and by our log. */
static void
quieten(void)
{
	su_log_t *logs[] = {tport_log, nta_log,	   nua_log,	  soa_log,
			    nea_log,   iptsec_log, su_log_default};

	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++)
		su_log_set_level(logs[i], 0);
	su_log_redirect(NULL, log_sofia, NULL);
}

int
cp_sip_create(struct cp_sip **sip, struct su_root_s *root, const struct cp_sip_options *options,
	      const struct cp_sip_handler *handler, void *ctx)
{
	struct cp_sip *s = calloc(1, sizeof(*s) + options->listen_count * sizeof(s->listens[0]));
	int rc = 0;

	if (!s)
		return -ENOMEM;
	quieten();
	if (!cp_sip_tame_library())
		cp_log(CP_LOG_WARN, AREA,
		       "sofia-sip is not one that is known: a REFER out of a dialog may be "
		       "reported before it is answered");
	s->root = root;
	s->options = options;
	s->handler = *handler;
	s->ctx = ctx;
	LIST_INIT(&s->calls);
	LIST_INIT(&s->kept);
	LIST_INIT(&s->refers);
	rc = cp_map_init(&s->subs);
	if (!rc)
		rc = cp_nonces_init(&s->nonces, options->nonce_lifetime_ms);
	for (size_t i = 0; i < options->listen_count && !rc; i++) {
		struct cp_sip_listen *l = &s->listens[i];

		l->sip = s;
		l->uri = options->listen[i];
		s->listen_count++;
		rc = open_listen(l);
		if (rc)
			handler->listen_failed(
				ctx, l->uri,
				rc == -EINVAL
					? "not a sip: or sips: URI with a host"
					: "cannot be bound: in use, not ours, or no certificate");
	}
	if (rc) {
		cp_sip_destroy(s);
		return rc;
	}
	*sip = s;
	return 0;
}

static void
shut_down(struct cp_sip *s)
{
	su_timer_destroy(s->quiet_timer);
	s->quiet_timer = NULL;
	for (size_t i = 0; i < s->listen_count; i++)
		nua_shutdown(s->listens[i].nua);
}

static void
on_quiet_timer(su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
	shut_down((struct cp_sip *)arg);
}

static bool
is_quiet(const struct cp_sip *s)
{
	return s->call_count == 0 && !cp_sip_kept_has_bye(s);
}

void
cp_sip_one_less(struct cp_sip *s)
{
	if (s->quiet_timer && is_quiet(s))
		shut_down(s);
}

void
cp_sip_stop(struct cp_sip *s, void (*done)(void *ctx), void *ctx)
{
	s->is_stopping = true;
	s->stopped = done;
	s->stopped_ctx = ctx;
	/*
	 * NUA's own shutdown would say BYE at once to those whose ACK is not here, without our Reason, and looks only once a
	 * second whether all have answered.
	 */
	if (!is_quiet(s))
		s->quiet_timer = su_timer_create(su_root_task(s->root), QUIET_WAIT_MS);
	if (s->quiet_timer)
		su_timer_set(s->quiet_timer, on_quiet_timer, (su_timer_arg_t *)s);
	else
		shut_down(s);
}

/*
 * NUA refuses to be destroyed before its shutdown is over, which peers that answer nothing put off for half a minute. Who
 * ends without waiting leaves it to the end of the process; named here, so that a leak checker does not take it for a leak; volatile, for nobody reads it.
 */
static struct cp_sip *volatile left_behind;

static bool
destroy_all_nua(struct cp_sip *s)
{
	bool are_all_shut = true;

	for (size_t i = 0; i < s->listen_count; i++) {
		struct cp_sip_listen *l = &s->listens[i];

		if (l->nua && s->is_stopping && !l->is_shut)
			are_all_shut = false;
		else if (l->nua)
			nua_destroy(l->nua);
	}
	return are_all_shut;
}

void
cp_sip_destroy(struct cp_sip *s)
{
	struct cp_sip_call *call;

	if (!s)
		return;
	su_timer_destroy(s->quiet_timer);
	s->quiet_timer = NULL;
	while ((call = LIST_FIRST(&s->calls)) != NULL) {
		call->is_detached = true;
		cp_sip_call_over(call, "stopped");
	}
	cp_sip_kept_free_all(s);
	cp_sip_refer_free_all(s);
	cp_sip_sub_free_all(s);
	cp_nonces_fini(&s->nonces);
	if (destroy_all_nua(s))
		free(s);
	else
		left_behind = s;
}

size_t
cp_sip_call_count(const struct cp_sip *s)
{
	return s->call_count;
}
