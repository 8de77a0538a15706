/* conclave-kms: the key management server. Reads its command line and configuration, then answers until a signal ends it. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "configs/program/privilege.h"
#include "configs/program/program.h"
#include "ctrlplane/base/log.h"
#include "ctrlplane/kms/http.h"
#include "ctrlplane/kms/kms.h"

#define AREA "kms"
#define KEEP_MS 200 /* between looks at the store and the journal */

/* All that runs. */
struct program {
	const char *path;		  /* of the configuration; NULL: none */
	struct cp_kms_settings *settings; /* what counts now */
	struct cp_store *store;
	struct cp_kms *kms;
	struct cp_kms_http *http;
	int signals, wake;
	int changes; /* inotify on the store's folder; -1: none */
};

static void
free_settings(struct cp_kms_settings *settings)
{
	if (settings != NULL)
		cp_kms_settings_free(settings);
	free(settings);
}

/* Reads and checks. NULL: no memory, or as error and errors say. */
static int
load_settings(struct cp_kms_settings **out, const char *path, struct conf_errors *errors)
{
	struct cp_kms_settings *settings = calloc(1, sizeof(*settings));
	int error = settings != NULL ? cp_kms_settings_load(settings, path, errors) : -ENOMEM;

	if (error == 0)
		cp_kms_check(settings, path ? path : "defaults", errors);
	if (error == 0 && errors->count == 0) {
		*out = settings;
		return 0;
	}
	free_settings(settings);
	return error != 0 ? error : -EINVAL;
}

static int
load(void *arg, const char *path, struct conf_errors *errors)
{
	struct program *p = arg;

	p->path = path;
	return load_settings(&p->settings, path, errors);
}

/* Before any thread, so that all have them blocked. */
static int
open_signals(struct program *p)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return -errno;
	p->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	p->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return p->signals < 0 || p->wake < 0 ? -errno : 0;
}

/* What the command line writes is seen at once; without it, at the next look. */
static void
watch_store(struct program *p)
{
	char folder[PATH_MAX];
	char *slash;

	snprintf(folder, sizeof(folder), "%s", p->settings->kms.store);
	slash = strrchr(folder, '/');
	if (slash == NULL)
		strcpy(folder, ".");
	else
		slash[slash == folder] = '\0';
	p->changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (p->changes >= 0 && inotify_add_watch(p->changes, folder, IN_MODIFY) < 0) {
		close(p->changes);
		p->changes = -1;
	}
}

static int
open_all(struct program *p)
{
	const struct cp_store_options options = {p->settings->kms.store,
						 p->settings->kms.master_key};
	char why[1024] = "";
	int error = open_signals(p);

	if (error == 0)
		error = cp_kms_http_open(&p->http, p->settings, why, sizeof(why));
	if (error == 0)
		error = cp_store_open(&p->store, &options, why, sizeof(why));
	if (error == 0)
		error = cp_kms_create(&p->kms, p->settings, p->store, p->wake, why, sizeof(why));
	if (error == 0)
		error = conf_privilege_drop(p->settings->node.user, why, sizeof(why));
	if (error == 0)
		error = cp_kms_http_start(p->http, p->kms, why, sizeof(why));
	if (error != 0 && why[0] != '\0')
		cp_log(CP_LOG_ERROR, AREA, "%s", why);
	watch_store(p);
	return error;
}

static bool
is_same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

/* The option that only a restart can change, and that has changed; NULL: none. */
static const char *
find_fixed(const struct cp_kms_settings *old, const struct cp_kms_settings *new)
{
	if (!is_same(old->id, new->id))
		return "kms.id";
	if (!is_same(old->kms.store, new->kms.store))
		return "kms.store";
	if (!is_same(old->kms.master_key, new->kms.master_key))
		return "kms.master_key";
	if (old->kms.replay_room != new->kms.replay_room)
		return "kms.replay_room";
	return is_same(old->node.user, new->node.user) ? NULL : "node.user";
}

/* The configuration and the certificate as they are now, or as they were where they are not right. */
static void
reload(struct program *p)
{
	struct cp_kms_settings *settings = NULL;
	struct conf_errors errors = {0};
	char why[1024] = "it cannot be read";
	int rc = load_settings(&settings, p->path, &errors);
	const char *fixed = rc == 0 ? find_fixed(p->settings, settings) : NULL;

	conf_errors_print(&errors, stderr);
	conf_errors_free(&errors);
	if (fixed != NULL) {
		snprintf(why, sizeof(why), "%s changes with a restart only", fixed);
		rc = -EPERM;
	}
	if (rc == 0)
		rc = cp_kms_http_reload(p->http, settings, why, sizeof(why));
	if (rc < 0) {
		cp_log(CP_LOG_ERROR, AREA,
		       "the configuration is not taken up: %s; what was before holds", why);
		free_settings(settings);
		cp_kms_keep(p->kms, true);
		return;
	}
	cp_kms_configure(p->kms, settings);
	free_settings(p->settings);
	p->settings = settings;
	cp_log_open("conclave-kms", (enum cp_log_sink)settings->log.sink,
		    (enum cp_log_level)settings->log.level);
	cp_log(CP_LOG_INFO, AREA, "configuration read again%s",
	       rc > 0 ? "; new connections are served by it, old ones end with their next answer"
		      : "");
}

/* 0: go on; else the signal that ends us. */
static int
take_signal(struct program *p)
{
	struct signalfd_siginfo info;

	if (read(p->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return 0;
	if (info.ssi_signo != SIGHUP)
		return (int)info.ssi_signo;
	reload(p);
	return 0;
}

static void
serve(struct program *p)
{
	struct pollfd fds[] = {{.fd = p->signals, .events = POLLIN},
			       {.fd = p->wake, .events = POLLIN},
			       {.fd = p->changes, .events = POLLIN}};
	char events[4096];
	uint64_t count;

	do {
		if (poll(fds, 3, KEEP_MS) < 0 && errno != EINTR)
			break;
		if (read(p->wake, &count, sizeof(count)) < 0)
			count = 0; /* nobody woke us: time has passed */
		while (p->changes >= 0 && read(p->changes, events, sizeof(events)) > 0)
			;
		cp_kms_keep(p->kms, false);
		cp_kms_http_tend(p->http, cp_kms_now_ns());
	} while (take_signal(p) == 0);
}

static void
close_all(struct program *p)
{
	cp_kms_http_close(p->http);
	if (p->kms != NULL)
		cp_kms_keep(p->kms, false); /* what the last answers left in the journal */
	cp_kms_destroy(p->kms);
	cp_store_close(p->store);
	for (int i = 0; i < 3; i++) {
		int fd = i == 0 ? p->signals : i == 1 ? p->wake : p->changes;

		if (fd >= 0)
			close(fd);
	}
}

static int
run(void *arg)
{
	struct program *p = arg;
	int error;

	cp_log_open("conclave-kms", (enum cp_log_sink)p->settings->log.sink,
		    (enum cp_log_level)p->settings->log.level);
	conf_privilege_hide(); /* keys are in here */
	p->signals = p->wake = p->changes = -1;
	error = open_all(p);
	if (error == 0) {
		for (size_t i = 0; i < p->settings->kms.listen.count; i++)
			cp_log(CP_LOG_INFO, AREA, "%s listens on %s", p->settings->id,
			       p->settings->kms.listen.items[i]);
		serve(p);
		cp_log(CP_LOG_INFO, AREA, "stopping");
	}
	close_all(p);
	return error == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	static struct program program;
	static struct cp_kms_settings defaults;
	const struct conf_program what = {
		.name = "conclave-kms",
		.about =
			"The key management server of Conclave: MIKEY-TICKET (RFC 6043) over HTTP.",
		.signals = "SIGTERM and SIGINT end it, SIGHUP makes it read configuration and "
			   "certificate "
			   "again.\n"
			   "Users and keys: conclave kms; what changes there counts at once.",
		.sections = defaults.sections,
		.load = load,
		.run = run,
		.arg = &program,
	};
	int status;

	cp_kms_settings_init(&defaults);
	status = conf_program_main(&what, argc, argv);
	free_settings(program.settings);
	return status;
}
