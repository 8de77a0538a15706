/* conclave-kms: the key management server. Reads its command line and configuration, then answers until a signal ends it. */
#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "ctrlplane/base/log.h"
#include "ctrlplane/kms/http.h"
#include "ctrlplane/kms/kms.h"

#define AREA "kms"
#define KEEP_MS 200 /* between looks at the store and the journal */

static const char usage[] =
	"usage: conclave-kms [--config FILE] [--check]\n"
	"The key management server of Conclave: MIKEY-TICKET (RFC 6043) over HTTP.\n"
	"\n"
	"  -c, --config FILE   read FILE; without it every option has its default\n"
	"      --check         read the configuration, print all errors with their lines, end\n"
	"      --defaults      print every option at its default, as YAML, end\n"
	"  -h, --help          print this, end\n"
	"  -V, --version       print the version, end\n"
	"\n"
	"SIGTERM and SIGINT end it. Users and keys: conclave kms; what changes there counts at "
	"once,\n"
	"or after SIGHUP.\n";

struct command {
	const char *path;
	bool is_check;
};

/* All that runs. */
struct program {
	struct cp_kms_settings settings;
	struct cp_store *store;
	struct cp_kms *kms;
	struct cp_kms_http *http;
	int signals, wake;
};

static int
print_defaults(void)
{
	static struct cp_kms_settings settings;

	cp_kms_settings_init(&settings);
	conf_render(settings.sections, stdout);
	return EXIT_SUCCESS;
}

/* The exit status, or -1 to go on. */
static int
parse(struct command *command, int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'}, {"check", no_argument, NULL, 'k'},
		{"defaults", no_argument, NULL, 'd'},	  {"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},	  {NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "c:hV", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			command->path = optarg;
			break;
		case 'k':
			command->is_check = true;
			break;
		case 'd':
			return print_defaults();
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		case 'V':
			puts("conclave-kms " CONCLAVE_VERSION);
			return EXIT_SUCCESS;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "conclave-kms: '%s' is not understood\n%s", argv[optind], usage);
		return 2;
	}
	return -1;
}

/* No core dump, no debugger: keys are in here. */
static void
hide(void)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){0});
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* Sockets are bound and keys are read: root is not needed any more. */
static int
become_user(const char *name)
{
	const struct passwd *user;

	if (name == NULL || geteuid() != 0)
		return 0;
	user = getpwnam(name);
	if (user == NULL) {
		cp_log(CP_LOG_ERROR, AREA, "there is no user '%s'; see 'node.user'", name);
		return -ENOENT;
	}
	if (initgroups(name, user->pw_gid) != 0 || setgid(user->pw_gid) != 0 ||
	    setuid(user->pw_uid) != 0) {
		cp_log(CP_LOG_ERROR, AREA, "cannot become '%s': %s", name, strerror(errno));
		return -EPERM;
	}
	hide(); /* a change of user makes us dumpable again */
	return 0;
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

static int
open_all(struct program *p)
{
	const struct cp_store_options options = {p->settings.kms.store, p->settings.kms.master_key};
	char why[1024] = "";
	int error = open_signals(p);

	if (error == 0)
		error = cp_kms_http_open(&p->http, &p->settings, why, sizeof(why));
	if (error == 0)
		error = cp_store_open(&p->store, &options, why, sizeof(why));
	if (error == 0)
		error = cp_kms_create(&p->kms, &p->settings, p->store, p->wake, why, sizeof(why));
	if (error == 0)
		error = become_user(p->settings.node.user);
	if (error == 0)
		error = cp_kms_http_start(p->http, p->kms, why, sizeof(why));
	if (error != 0 && why[0] != '\0')
		cp_log(CP_LOG_ERROR, AREA, "%s", why);
	return error;
}

/* 0: go on; else the signal that ends us. SIGHUP makes the store be read anew. */
static int
take_signal(struct program *p)
{
	struct signalfd_siginfo info;

	if (read(p->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return 0;
	if (info.ssi_signo != SIGHUP)
		return (int)info.ssi_signo;
	cp_kms_keep(p->kms, true);
	return 0;
}

static void
serve(struct program *p)
{
	struct pollfd fds[] = {{.fd = p->signals, .events = POLLIN},
			       {.fd = p->wake, .events = POLLIN}};
	uint64_t count;

	do {
		if (poll(fds, 2, KEEP_MS) < 0 && errno != EINTR)
			break;
		if (read(p->wake, &count, sizeof(count)) < 0)
			count = 0; /* nobody woke us: time has passed */
		cp_kms_keep(p->kms, false);
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
	if (p->signals >= 0)
		close(p->signals);
	if (p->wake >= 0)
		close(p->wake);
}

static int
run(struct program *p)
{
	int error;

	hide();
	p->signals = p->wake = -1;
	error = open_all(p);
	if (error == 0) {
		for (size_t i = 0; i < p->settings.kms.listen.count; i++)
			cp_log(CP_LOG_INFO, AREA, "%s listens on %s", p->settings.id,
			       p->settings.kms.listen.items[i]);
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
	struct conf_errors errors = {0};
	struct command command = {0};
	int status = parse(&command, argc, argv);
	int error;

	if (status >= 0)
		return status;
	error = cp_kms_settings_load(&program.settings, command.path, &errors);
	cp_kms_check(&program.settings, command.path ? command.path : "defaults", &errors);
	if (command.is_check) {
		status = conf_check_report(command.path ? command.path : "defaults", &errors,
					   stdout, stderr);
	} else if (error != 0 || errors.count > 0) {
		conf_errors_print(&errors, stderr);
		status = EXIT_FAILURE;
	} else {
		cp_log_open("conclave-kms", (enum cp_log_sink)program.settings.log.sink,
			    (enum cp_log_level)program.settings.log.level);
		status = run(&program);
	}
	conf_errors_free(&errors);
	cp_kms_settings_free(&program.settings);
	return status;
}
