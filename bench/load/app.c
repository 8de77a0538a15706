/* The process: addresses, sounds, ears, the pace of joins, the phases from joining to leaving. */
#include "bench/load/app.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define SU_ROOT_MAGIC_T struct ue_app
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_protos.h>
#include <sofia-sip/su_log.h>
#include <sofia-sip/su_wait.h>
#include <sofia-sip/tport_tag.h>

#include "bench/lib/bench.h"
#include "bench/load/streams.h"

#define TICK_MS 5
#define BYES_A_TICK 20
#define LEAVE_SECONDS 5.0
#define MANY 64	  /* beyond it listening to single packets has to do */
#define PROBES 12 /* participants that hear each packet all the same: for the delay */
#define PROGRESS_NS 1000000000u
#define FIRST_HZ 400

enum phase {
	PHASE_JOINING,
	PHASE_SETTLING,
	PHASE_STAYING,
	PHASE_LEAVING,
};

struct ue_app {
	const struct ue_options *o;
	struct ue_shared shared;
	su_root_t *root;
	su_wait_t streams_wait;
	struct ue_call *calls;
	unsigned started; /* calls whose INVITE is out */
	unsigned leaving; /* calls that were told to leave */
	enum phase phase;
	uint64_t start_ns, joined_ns, leave_ns, progress_ns;
};

static volatile sig_atomic_t must_end, must_rekey;

static void
on_signal(int number)
{
	if (number == SIGUSR1)
		must_rekey = 1;
	else
		must_end = 1;
}

/* Our address towards the host of the URI. 0 or -errno. */
static int
local_find(struct ue_app *a, union ue_sockaddr *local)
{
	const char *host = ue_uri_host(a->o->uri ? a->o->uri : "sip:127.0.0.1");
	struct addrinfo hints = {.ai_socktype = SOCK_DGRAM}, *found = NULL;
	socklen_t len = sizeof(*local);
	char name[256];
	int fd = -1, err = -EHOSTUNREACH;

	if (a->o->local)
		snprintf(name, sizeof(name), "%s", a->o->local);
	else if (host[0] == '[')
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(host + 1, "]"), host + 1);
	else
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(host, ":;?"), host);
	if (getaddrinfo(name, "5060", &hints, &found) == 0)
		fd = socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) == 0 &&
	    getsockname(fd, &local->any, &len) == 0)
		err = 0;
	if (fd >= 0)
		close(fd);
	if (found)
		freeaddrinfo(found);
	if (!err && !inet_ntop(local->any.sa_family,
			       local->any.sa_family == AF_INET6 ? (void *)&local->ip6.sin6_addr
								: (void *)&local->ip4.sin_addr,
			       a->shared.local, sizeof(a->shared.local)))
		err = -errno;
	return err;
}

static unsigned
hz_of(const struct ue_options *o, unsigned place)
{
	if (place < o->tone_count)
		return o->tone[place];
	if (o->is_silent || o->wav || (o->talkers && place >= o->talkers) ||
	    place >= UE_TONES_MAX || o->tone_count > 1)
		return 0;
	return FIRST_HZ + 100 * (place % 32) + 50 * (place / 32);
}

static unsigned
conference_size(const struct ue_options *o)
{
	return o->per_conference ? o->per_conference : o->count;
}

static int
sounds_create(struct ue_app *a)
{
	const struct ue_options *o = a->o;

	for (int codec = DP_CODEC_NONE + 1; codec < DP_CODEC_COUNT; codec++) {
		for (unsigned place = 0; place <= UE_TONES_MAX; place++) {
			struct ue_sound **sound = &a->shared.sound[codec][place];
			int err = 0;

			if (place < UE_TONES_MAX && place >= conference_size(o))
				continue;
			if (o->wav && place < UE_TONES_MAX)
				err = ue_sound_wav(sound, codec, o->wav);
			else
				*sound = ue_sound_tone(codec,
						       place < UE_TONES_MAX ? hz_of(o, place) : 0,
						       o->level);
			if (err || !*sound) {
				fprintf(stderr, "conclave-ue: %s: %s\n", o->wav ? o->wav : "tones",
					err == -EPROTONOSUPPORT ? "want PCM of 16 bits"
					: err == -EBADMSG	? "not a WAV file"
								: strerror(err ? -err : ENOMEM));
				return -1;
			}
		}
	}
	return 0;
}

/* The tones of the others of the conference, then those of --expect, then our own. */
static struct ue_ear *
ear_create(const struct ue_options *o, const struct ue_call *c, unsigned in_conference)
{
	unsigned hz[2 * UE_TONES_MAX + 1], n = 0, every = o->listen_every;

	for (unsigned place = 0; place < in_conference && n < UE_TONES_MAX; place++)
		if (place != c->place && hz_of(o, place))
			hz[n++] = hz_of(o, place);
	for (unsigned i = 0; i < o->expect_count; i++)
		hz[n++] = o->expect[i];
	if (c->hz)
		hz[n++] = c->hz;
	if (!every)
		every = o->count <= MANY || c->number <= PROBES ? 1 : 10;
	return ue_ear_create(hz, n, every);
}

/* How many of this process are in the conference of call i. */
static unsigned
members(const struct ue_options *o, unsigned i)
{
	unsigned size = conference_size(o), first = i / size * size;

	return o->count - first < size ? o->count - first : size;
}

/* Tell the ears of a conference where its speakers note their marks. */
static void
marks_link(struct ue_app *a, unsigned first, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct ue_ear *ear = (struct ue_ear *)ue_leg_ear(a->calls[first + i].media);

		for (unsigned k = 0; k < count; k++)
			for (unsigned p = 0; k != i && p < ear->count; p++)
				if (ear->pitch[p].hz && ear->pitch[p].hz == a->calls[first + k].hz)
					ear->pitch[p].mark = ue_leg_mark(a->calls[first + k].media);
	}
}

static int
calls_create(struct ue_app *a)
{
	const struct ue_options *o = a->o;
	unsigned size = conference_size(o);

	a->calls = calloc(o->count, sizeof(*a->calls));
	if (!a->calls)
		return -ENOMEM;
	for (unsigned i = 0; i < o->count; i++) {
		struct ue_call *c = &a->calls[i];
		struct ue_ear *ear;
		int err;

		c->shared = &a->shared;
		c->number = i + 1;
		c->conference = o->first + i / size;
		c->place = i % size;
		c->hz = hz_of(o, c->place);
		ear = ear_create(o, c, members(o, i));
		err = ear ? ue_call_init(c, ear) : -ENOMEM;
		if (err) {
			fprintf(stderr, "conclave-ue: participant %u: %s\n", c->number,
				strerror(-err));
			return err;
		}
	}
	for (unsigned i = 0; i < o->count; i += size)
		marks_link(a, i, members(o, i));
	a->shared.calls = a->calls;
	a->shared.call_count = o->count;
	for (unsigned i = 0; o->is_listening && i < o->count; i++, a->started++)
		ue_call_listen(&a->calls[i]);
	return o->is_listening ? ue_listen_open(&a->shared) : 0;
}

static void
limits_raise(const struct ue_options *o)
{
	struct rlimit limit;
	size_t held;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (dp_srtp_keys_reserve(&held, 4 * (size_t)o->count + 64) != 0)
		fprintf(stderr,
			"conclave-ue: only %zu keys can be locked in memory: raise ulimit -l\n",
			held);
}

/* What our own SIP port speaks. */
static const char *
transport_of(const struct ue_options *o)
{
	static const char *const names[] = {"udp", "tcp", "tls"};
	char parameter[24];

	if (o->uri && strncasecmp(o->uri, "sips:", 5) == 0)
		return "tls";
	for (unsigned i = 0; o->uri && i < 3; i++) {
		snprintf(parameter, sizeof(parameter), "transport=%s", names[i]);
		if (strstr(o->uri, parameter))
			return names[i];
	}
	return o->transport;
}

static int
agent_create(struct ue_app *a)
{
	const struct ue_options *o = a->o;
	const sip_contact_t *contact;
	const char *transport = transport_of(o);
	bool is_tls = strcmp(transport, "tls") == 0;
	bool is_both = o->watch && strcmp(transport, "udp") == 0;
	char url[128], port[16] = "*";

	if (o->sip_port)
		snprintf(port, sizeof(port), "%u", o->sip_port);
	/* rosters come by TCP when they are longer than a datagram (RFC 3261 18.1.1) */
	snprintf(url, sizeof(url), strchr(a->shared.local, ':') ? "%s:[%s]:%s%s%s" : "%s:%s:%s%s%s",
		 is_tls ? "sips" : "sip", a->shared.local, port,
		 is_both ? "" : ";transport=", is_both ? "" : transport);
	a->shared.agent = nta_agent_create(
		a->root, URL_STRING_MAKE(url), NULL, NULL, NTATAG_UA(1),
		NTATAG_SIP_T1X64((unsigned)(o->timeout * 1000)), NTATAG_MAXSIZE(4 << 20),
		NTATAG_UDP_MTU(8000), TAG_IF(o->tls_dir, TPTAG_CERTIFICATE(o->tls_dir)),
		TPTAG_TLS_VERIFY_POLICY(o->tls_dir ? TPTLS_VERIFY_OUT : TPTLS_VERIFY_NONE),
		TAG_END());
	contact = a->shared.agent ? nta_agent_contact(a->shared.agent) : NULL;
	if (!contact)
		return -EADDRINUSE;
	a->shared.sip_port =
		(uint16_t)(contact->m_url->url_port ? strtoul(contact->m_url->url_port, NULL, 10)
						    : 5060);
	return 0;
}

static void
joins_go_on(struct ue_app *a, uint64_t now)
{
	const struct ue_options *o = a->o;
	double due = o->rate > 0 ? (double)(now - a->start_ns) / 1e9 * o->rate + 1 : o->count;

	while (a->started < o->count && a->started < due &&
	       (o->rate > 0 || a->shared.inviting < o->window))
		ue_call_invite(&a->calls[a->started++]);
}

static void
progress(struct ue_app *a, uint64_t now)
{
	unsigned n = a->o->count < MANY ? a->o->count : MANY;
	size_t size = sizeof(struct ue_ear) + (2 * UE_TONES_MAX + 1) * sizeof(struct ue_pitch);
	struct ue_ear *ear;

	if (!a->o->has_progress || now - a->progress_ns < PROGRESS_NS)
		return;
	a->progress_ns = now;
	ear = malloc(size);
	for (unsigned i = 0; i < n && ear; i++) {
		struct ue_leg_stats stats;
		struct ue_report r = {&a->calls[i], &stats, ear};

		memset(ear, 0, size);
		ue_leg_snapshot(a->shared.media, a->calls[i].media, &stats, ear);
		if (a->calls[i].outcome == UE_JOINED)
			ue_report_print(&r, true);
	}
	free(ear);
}

/* From one phase to the next. */
static void
phase_advance(struct ue_app *a, uint64_t now)
{
	const struct ue_options *o = a->o;
	double since_join = a->joined_ns ? (double)(now - a->joined_ns) / 1e9 : 0;

	if (a->phase == PHASE_JOINING && a->started == o->count && a->shared.inviting == 0) {
		a->joined_ns = now;
		a->phase = PHASE_SETTLING;
		if (!o->is_quiet && o->count > 1)
			fprintf(stderr, "conclave-ue: %u of %u participants joined\n", a->shared.up,
				o->count);
	}
	if (a->phase == PHASE_SETTLING && since_join >= o->settle && a->joined_ns) {
		for (unsigned i = 0; i < o->count; i++)
			ue_leg_measure_anew(a->shared.media, a->calls[i].media);
		a->phase = PHASE_STAYING;
	}
	if (a->phase != PHASE_LEAVING &&
	    (must_end ||
	     (a->joined_ns && (since_join >= o->seconds || a->shared.over == o->count)))) {
		a->phase = PHASE_LEAVING;
		a->leave_ns = now;
		/* those that were never called do not leave either */
		for (; a->started < o->count; a->started++)
			ue_call_leave(&a->calls[a->started], true);
	}
}

/* SIGUSR1: everybody who is in a call has new keys, as --rekey says. */
static void
rekey_all(struct ue_app *a)
{
	const struct ue_action rekey = {.kind = UE_REKEY};

	must_rekey = 0;
	for (unsigned i = 0; i < a->started; i++)
		if (a->calls[i].state == UE_UP)
			ue_call_act(&a->calls[i], &rekey);
}

static void
tick(struct ue_app *a, su_timer_t *timer, void *arg)
{
	uint64_t now = bench_now_ns();

	if (a->shared.mikey)
		ue_mikey_node_turn(a->shared.mikey);
	if (a->shared.streams)
		ue_streams_node_turn(a->shared.streams);
	if (a->phase == PHASE_JOINING)
		joins_go_on(a, now);
	now = bench_now_ns();
	for (unsigned i = 0; i < a->started; i++)
		ue_call_tick(&a->calls[i], now);
	if (must_rekey)
		rekey_all(a);
	phase_advance(a, now);
	progress(a, now);
	if (a->phase != PHASE_LEAVING)
		return;
	for (unsigned n = 0; n < BYES_A_TICK && a->leaving < a->o->count; n++)
		ue_call_leave(&a->calls[a->leaving++], !a->o->has_bye);
	if ((a->shared.over == a->o->count && a->shared.subs_open == 0) ||
	    (double)(now - a->leave_ns) / 1e9 > LEAVE_SECONDS + a->o->count / 1000.0)
		su_root_break(a->root);
}

static int
streams_ready(su_root_magic_t *magic, su_wait_t *wait, su_wakeup_arg_t *arg)
{
	ue_streams_node_turn(magic->shared.streams);
	return 0;
}

/* Connections of floor control and chat, on the loop of signalling. */
static int
streams_start(struct ue_app *a)
{
	char why[128] = "";
	int err = ue_streams_node_create(&a->shared.streams, a->o, why, sizeof(why));

	if (!err &&
	    (su_wait_create(&a->streams_wait, ue_streams_node_fd(a->shared.streams), SU_WAIT_IN) !=
		     0 ||
	     su_root_register(a->root, &a->streams_wait, streams_ready, NULL, su_pri_normal) < 0)) {
		snprintf(why, sizeof(why), "streams: their descriptor cannot be watched");
		err = -EIO;
	}
	if (err)
		fprintf(stderr, "conclave-ue: %s\n", why);
	return err;
}

static int
start(struct ue_app *a)
{
	const struct ue_options *o = a->o;
	struct ue_media_conf conf = {.port_low = o->port_low,
				     .port_high = o->port_high,
				     .share = o->share,
				     .cpu = o->cpu,
				     .is_realtime = o->is_realtime,
				     .rtcp_ms = o->has_media ? o->rtcp_ms : 0,
				     .has_marks = o->has_marks && !o->wav,
				     .loss = o->loss,
				     .reorder = o->reorder,
				     .jitter_ms = o->jitter_ms,
				     .seed = o->seed};
	char text[256] = "";
	const char *why = NULL;
	int err = local_find(a, &conf.local);

	if (err) {
		fprintf(stderr, "conclave-ue: no way to the host of %s\n", o->uri);
		return err;
	}
	if (o->kms && ue_mikey_node_create(&a->shared.mikey, o, text, sizeof(text)) != 0) {
		fprintf(stderr, "conclave-ue: %s\n", text);
		return -EINVAL;
	}
	limits_raise(o);
	err = ue_media_create(&a->shared.media, &conf, &why);
	if (err) {
		fprintf(stderr, "conclave-ue: media: %s\n", why);
		return err;
	}
	if (sounds_create(a) != 0)
		return -EINVAL;
	a->root = su_root_create(a);
	if (!a->root || agent_create(a) != 0) {
		fprintf(stderr, "conclave-ue: cannot open a SIP port on %s\n", a->shared.local);
		return -EADDRINUSE;
	}
	err = o->has_floor || o->has_chat ? streams_start(a) : 0;
	if (!err)
		err = calls_create(a);
	return err ? err : ue_media_start(a->shared.media);
}

static int
report(struct ue_app *a)
{
	const struct ue_options *o = a->o;
	uint64_t last = a->start_ns;
	int code = UE_EXIT_OK;

	for (unsigned i = 0; i < o->count; i++) {
		struct ue_call *c = &a->calls[i];
		struct ue_report r = {c, ue_leg_stats(c->media), ue_leg_ear(c->media)};

		if (o->count == 1 || o->prints_each)
			ue_report_print(&r, false);
		last = c->answer_ns > last ? c->answer_ns : last;
		if (c->outcome != UE_JOINED)
			code = UE_EXIT_NOT_ADMITTED;
		else if (o->must_hear && code == UE_EXIT_OK && !ue_report_is_heard(&r))
			code = UE_EXIT_NOT_HEARD;
	}
	if (o->count > 1)
		ue_report_summary(a->calls, o->count, (double)(last - a->start_ns) / 1e9);
	return code;
}

static void
fini(struct ue_app *a)
{
	ue_mikey_node_destroy(a->shared.mikey);
	for (unsigned i = 0; a->calls && i < a->o->count; i++)
		ue_call_fini(&a->calls[i]);
	ue_streams_node_destroy(a->shared.streams);
	if (a->shared.agent)
		nta_agent_destroy(a->shared.agent);
	if (a->root)
		su_root_destroy(a->root);
	if (a->shared.media)
		ue_media_destroy(a->shared.media);
	for (int codec = 0; codec < DP_CODEC_COUNT; codec++)
		for (unsigned place = 0; place <= UE_TONES_MAX; place++)
			ue_sound_destroy(a->shared.sound[codec][place]);
	free(a->calls);
}

int
ue_app_run(const struct ue_options *o)
{
	struct ue_app a = {.o = o, .shared = {.options = o}};
	/* a report that waits for its reader is written whole all the same */
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	su_timer_t *timer;
	int code = UE_EXIT_START;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGUSR1, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	su_init();
	su_log_set_level(NULL, 0);
	if (start(&a) == 0) {
		timer = su_timer_create(su_root_task(a.root), TICK_MS);
		a.start_ns = bench_now_ns();
		su_timer_set_for_ever(timer, tick, NULL);
		su_root_run(a.root);
		su_timer_destroy(timer);
		ue_media_stop(a.shared.media);
		code = report(&a);
	}
	fini(&a);
	su_deinit();
	return code;
}
