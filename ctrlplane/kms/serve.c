/* Addresses, certificates, and libmicrohttpd's daemons that serve them; new ones take over while the old ones end. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctrlplane/base/log.h"
#include "ctrlplane/keys/secret.h"
#include "ctrlplane/kms/http_state.h"

#define AREA "http"
#define BACKLOG 1024
#define IDLE_SECONDS 60
#define CONNECTION_MEMORY 8192
#define THREADS_MAX 8 /* when the configuration leaves it to us */
#define PEM_MAX 65536
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

static int
fail(int error, char *why, size_t size, const char *what, const char *about)
{
	snprintf(why, size, "%s: %s%s%s", about, what, error > 0 ? ": " : "",
		 error > 0 ? strerror(error) : "");
	return error > 0 ? -error : -EINVAL;
}

/* A whole PEM file, heap. */
static int
read_pem(char **out, const char *path, bool is_key, char *why, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), error = 0;
	char *text = malloc(PEM_MAX);
	struct stat info;
	ssize_t len = -1;

	if (fd < 0 || text == NULL || fstat(fd, &info) != 0 ||
	    (len = read(fd, text, PEM_MAX - 1)) < 0)
		error = fail(errno, why, size, "cannot be read", path);
	else if (is_key && (info.st_mode & 077) != 0)
		error = fail(0, why, size,
			     "others than its owner can read the private key; chmod 600 it", path);
	if (fd >= 0)
		close(fd);
	if (error != 0) {
		if (len > 0)
			cp_wipe(text, (size_t)len);
		free(text);
		return error;
	}
	text[len] = '\0';
	*out = text;
	return 0;
}

static void
free_secret(char *text)
{
	if (text != NULL)
		cp_wipe(text, strlen(text));
	free(text);
}

static bool
is_at(const struct cp_kms_site *site, const struct cp_kms_address *address)
{
	return site->address.is_tls == address->is_tls &&
	       site->address.where.len == address->where.len &&
	       memcmp(&site->address.where.at, &address->where.at, address->where.len) == 0;
}

static int
open_site(struct cp_kms_site *site, const struct cp_kms_address *address, const char *name,
	  char *why, size_t size)
{
	int fd = cp_address_listen(&address->where, BACKLOG);

	if (fd < 0)
		return fail(-fd, why, size, "cannot listen there", name);
	*site = (struct cp_kms_site){.address = *address, .fd = fd};
	return 0;
}

/* What a configuration asks for, as far as it is there. */
struct plan {
	const struct cp_kms_settings *settings;
	struct cp_kms_site sites[CP_KMS_LISTENERS_MAX]; /* sockets of before, and new ones */
	bool is_new[CP_KMS_LISTENERS_MAX];
	size_t site_count;
	char *certificate, *private_key;
};

/* Sockets that were there before stay open. */
static void
drop_plan(struct plan *plan)
{
	for (size_t i = 0; i < plan->site_count; i++)
		if (plan->is_new[i])
			close(plan->sites[i].fd);
	free_secret(plan->private_key);
	free(plan->certificate);
}

static int
make_plan(struct plan *plan, const struct cp_kms_http *http, char *why, size_t size)
{
	const struct cp_kms_settings *s = plan->settings;
	bool has_tls = false;
	int error = 0;

	for (size_t i = 0; i < s->address_count && error == 0; i++) {
		struct cp_kms_site *site = &plan->sites[i];

		plan->is_new[i] = true;
		for (size_t k = 0; k < http->site_count && plan->is_new[i]; k++) {
			if (!is_at(&http->sites[k], &s->addresses[i]))
				continue;
			*site = (struct cp_kms_site){http->sites[k].address, http->sites[k].fd,
						     NULL};
			plan->is_new[i] = false;
		}
		if (plan->is_new[i])
			error = open_site(site, &s->addresses[i], s->kms.listen.items[i], why,
					  size);
		plan->site_count += error == 0;
		has_tls |= s->addresses[i].is_tls;
	}
	if (error == 0 && has_tls && MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
		error = fail(0, why, size, "this libmicrohttpd has no TLS", "https");
	if (error == 0 && has_tls)
		error = read_pem(&plan->certificate, s->kms.certificate, false, why, size);
	if (error == 0 && has_tls)
		error = read_pem(&plan->private_key, s->kms.private_key, true, why, size);
	return error;
}

/* What libmicrohttpd has to say: a peer's TLS that broke is no trouble of ours. */
static void __attribute__((format(printf, 2, 0)))
on_log(void *arg, const char *format, va_list arguments)
{
	char text[400];

	vsnprintf(text, sizeof(text), format, arguments);
	text[strcspn(text, "\n")] = '\0';
	cp_log(CP_LOG_DEBUG, AREA, "%s", text);
}

static unsigned
thread_count(const struct cp_kms_settings *settings)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (settings->kms.threads > 0)
		return (unsigned)settings->kms.threads;
	return cpus < 1 ? 1 : cpus > THREADS_MAX ? THREADS_MAX : (unsigned)cpus;
}

static void
stop_daemon(struct cp_kms_daemon *daemon)
{
	if (daemon == NULL)
		return;
	if (daemon->mhd != NULL)
		MHD_stop_daemon(daemon->mhd);
	free_secret(daemon->private_key);
	free(daemon->certificate);
	free(daemon);
}

static struct MHD_Daemon *
start_mhd(struct cp_kms_daemon *daemon, const struct cp_kms_settings *settings, int fd)
{
	unsigned threads = thread_count(settings);
	unsigned limit = (unsigned)settings->kms.connections_max;
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_ERROR_LOG;
	struct MHD_OptionItem options[8] = {{0}};
	size_t count = 0;

	if (threads > 1)
		options[count++] =
			(struct MHD_OptionItem){MHD_OPTION_THREAD_POOL_SIZE, threads, NULL};
	if (daemon->is_tls) {
		flags |= MHD_USE_TLS;
		options[count++] =
			(struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, daemon->certificate};
		options[count++] =
			(struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, daemon->private_key};
		options[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0,
							   (void *)(uintptr_t)TLS_PRIORITIES};
	}
	options[count] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
	return MHD_start_daemon(
		flags, 0, NULL, NULL, cp_kms_http_access, daemon, MHD_OPTION_EXTERNAL_LOGGER,
		on_log, NULL, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED,
		cp_kms_http_completed, NULL, MHD_OPTION_NOTIFY_CONNECTION, cp_kms_peer_notify,
		daemon->http, MHD_OPTION_CONNECTION_LIMIT, limit < threads ? threads : limit,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)settings->kms.source_connections,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_ARRAY,
		options, MHD_OPTION_END);
}

/* Listens on a descriptor of its own, which ends with it. */
static int
start_daemon(struct cp_kms_site *site, struct cp_kms_http *http, const struct plan *plan)
{
	struct cp_kms_daemon *daemon = calloc(1, sizeof(*daemon));
	int fd = fcntl(site->fd, F_DUPFD_CLOEXEC, 0);

	if (daemon == NULL || fd < 0)
		goto fail;
	daemon->http = http;
	daemon->is_tls = site->address.is_tls;
	if (daemon->is_tls) {
		daemon->certificate = strdup(plan->certificate);
		daemon->private_key = strdup(plan->private_key);
		if (daemon->certificate == NULL || daemon->private_key == NULL)
			goto fail;
	}
	daemon->mhd = start_mhd(daemon, plan->settings, fd);
	if (daemon->mhd == NULL)
		goto fail;
	site->daemon = daemon;
	return 0;
fail:
	if (fd >= 0)
		close(fd);
	stop_daemon(daemon);
	return -EIO;
}

static int
start_plan(struct plan *plan, struct cp_kms_http *http, char *why, size_t size)
{
	for (size_t i = 0; i < plan->site_count; i++) {
		if (start_daemon(&plan->sites[i], http, plan) == 0)
			continue;
		for (size_t k = 0; k < i; k++)
			stop_daemon(plan->sites[k].daemon);
		return fail(0, why, size,
			    "cannot be served; do certificate and key belong together?",
			    plan->settings->kms.listen.items[i]);
	}
	return 0;
}

/* The plan's is what counts from now on. */
static void
take_over(struct cp_kms_http *http, const struct plan *plan)
{
	http->settings = plan->settings;
	memcpy(http->sites, plan->sites, sizeof(http->sites));
	http->site_count = plan->site_count;
	http->certificate = plan->certificate;
	http->private_key = plan->private_key;
}

int
cp_kms_http_open(struct cp_kms_http **out, const struct cp_kms_settings *settings, char *why,
		 size_t size)
{
	struct cp_kms_http *http = calloc(1, sizeof(*http));
	struct plan plan = {.settings = settings};
	int error;

	if (http == NULL)
		return fail(ENOMEM, why, size, "no memory", "HTTP");
	pthread_mutex_init(&http->peers_lock, NULL);
	error = make_plan(&plan, http, why, size);
	if (error != 0) {
		drop_plan(&plan);
		cp_kms_http_close(http);
		return error;
	}
	take_over(http, &plan);
	*out = http;
	return 0;
}

int
cp_kms_http_start(struct cp_kms_http *http, struct cp_kms *kms, char *why, size_t size)
{
	struct plan plan = {.settings = http->settings,
			    .site_count = http->site_count,
			    .certificate = http->certificate,
			    .private_key = http->private_key};
	int error;

	http->kms = kms;
	memcpy(plan.sites, http->sites, sizeof(plan.sites));
	error = start_plan(&plan, http, why, size);
	if (error == 0)
		memcpy(http->sites, plan.sites, sizeof(http->sites));
	return error;
}

/* Connections that it has are served on, and told to close. */
static void
retire(struct cp_kms_http *http, struct cp_kms_daemon *daemon)
{
	int fd;

	if (daemon == NULL)
		return;
	atomic_store(&daemon->is_retiring, true);
	fd = MHD_quiesce_daemon(daemon->mhd);
	if (fd >= 0)
		close(fd);
	LIST_INSERT_HEAD(&http->retired, daemon, next);
}

static bool
is_same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* Would new daemons do just what those do that run? */
static bool
is_served(const struct cp_kms_http *http, const struct plan *plan)
{
	const struct cp_kms_options *old = &http->settings->kms, *new = &plan->settings->kms;

	for (size_t i = 0; i < plan->site_count; i++)
		if (plan->is_new[i])
			return false;
	return plan->site_count == http->site_count && old->threads == new->threads &&
	       old->connections_max == new->connections_max &&
	       old->source_connections ==
		       new->source_connections &&is_same(http->certificate, plan->certificate) &&
	       is_same(http->private_key, plan->private_key);
}

static bool
is_kept(const struct plan *plan, int fd)
{
	for (size_t i = 0; i < plan->site_count; i++)
		if (plan->sites[i].fd == fd)
			return true;
	return false;
}

int
cp_kms_http_reload(struct cp_kms_http *http, const struct cp_kms_settings *settings, char *why,
		   size_t size)
{
	struct plan plan = {.settings = settings};
	int error = make_plan(&plan, http, why, size);

	if (error == 0 && is_served(http, &plan)) {
		drop_plan(&plan);
		http->settings = settings;
		return 0;
	}
	if (error == 0)
		error = start_plan(&plan, http, why, size);
	if (error != 0) {
		drop_plan(&plan);
		return error;
	}
	for (size_t i = 0; i < http->site_count; i++) {
		retire(http, http->sites[i].daemon);
		if (!is_kept(&plan, http->sites[i].fd))
			close(http->sites[i].fd);
	}
	free_secret(http->private_key);
	free(http->certificate);
	take_over(http, &plan);
	return 1;
}

void
cp_kms_http_tend(struct cp_kms_http *http, int64_t now_ns)
{
	struct cp_kms_daemon *daemon = LIST_FIRST(&http->retired);

	while (daemon != NULL) {
		struct cp_kms_daemon *next = LIST_NEXT(daemon, next);
		const union MHD_DaemonInfo *info =
			MHD_get_daemon_info(daemon->mhd, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

		if (info != NULL && info->num_connections == 0) {
			LIST_REMOVE(daemon, next);
			stop_daemon(daemon);
		}
		daemon = next;
	}
	cp_kms_peers_tend(http, now_ns);
}

void
cp_kms_http_close(struct cp_kms_http *http)
{
	struct cp_kms_daemon *daemon;

	if (http == NULL)
		return;
	for (size_t i = 0; i < http->site_count; i++) {
		stop_daemon(http->sites[i].daemon);
		close(http->sites[i].fd);
	}
	while ((daemon = LIST_FIRST(&http->retired)) != NULL) {
		LIST_REMOVE(daemon, next);
		stop_daemon(daemon);
	}
	pthread_mutex_destroy(&http->peers_lock);
	free_secret(http->private_key);
	free(http->certificate);
	free(http);
}
