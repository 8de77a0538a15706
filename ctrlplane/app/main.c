/* conclave-cp: the control plane. Reads its command line and configuration, then runs. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "ctrlplane/app/app.h"
#include "ctrlplane/app/config.h"
#include "ctrlplane/base/log.h"

static const char usage[] =
	"usage: conclave-cp [--config FILE] [--check]\n"
	"The control plane of Conclave: SIP, conferences and their HTTP API.\n"
	"\n"
	"  -c, --config FILE   read FILE; without it every option has its default\n"
	"      --check         read the configuration, print all errors with their lines, end\n"
	"      --defaults      print every option at its default, as YAML, end\n"
	"  -h, --help          print this, end\n"
	"  -V, --version       print the version, end\n"
	"\n"
	"SIGTERM and SIGINT end all calls politely.\n";

struct command {
	const char *path;
	bool is_check;
};

static int
print_defaults(void)
{
	struct cp_config config;

	cp_config_init(&config);
	conf_render(config.sections, stdout);
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
			puts("conclave-cp " CONCLAVE_VERSION);
			return EXIT_SUCCESS;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "conclave-cp: '%s' is not understood\n%s", argv[optind], usage);
		return 2;
	}
	return -1;
}

/*
 * SIP messages hold keys: no core, nor one by a pipe to systemd-coredump, which does not ask for the limit; and no debugger. A descriptor for each TCP connection of a peer: as many as we may.
 */
static void
set_limits(void)
{
	struct rlimit files;

	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	setrlimit(RLIMIT_CORE, &(struct rlimit){0});
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

int
main(int argc, char **argv)
{
	static struct cp_config config;
	struct conf_errors errors = {0};
	struct command command = {0};
	int status = parse(&command, argc, argv);
	int rc;

	if (status >= 0)
		return status;
	rc = cp_config_load(&config, command.path, &errors);
	if (command.is_check) {
		status = conf_check_report(command.path ? command.path : "defaults", &errors,
					   stdout, stderr);
	} else if (rc) {
		conf_errors_print(&errors, stderr);
		status = EXIT_FAILURE;
	} else {
		set_limits();
		cp_log_open("conclave-cp", (enum cp_log_sink)config.log.sink,
			    (enum cp_log_level)config.log.level);
		status = cp_app_run(&config);
	}
	conf_errors_free(&errors);
	cp_config_free(&config);
	return status;
}
