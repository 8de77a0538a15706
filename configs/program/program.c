/* The options that all programs share. */
#include "configs/program/program.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum { CHECK = 256, DEFAULTS, EXTRA };

struct command {
	const char *path;
	bool is_check;
};

static void
print_usage(const struct conf_program *p, FILE *out)
{
	fprintf(out,
		"usage: %s [--config FILE] [--check]\n"
		"%s\n"
		"\n"
		"  -c, --config FILE   read FILE; without it every option has its default\n"
		"      --check         read the configuration, print all errors with their lines, "
		"end\n"
		"      --defaults      print every option at its default, as YAML, end\n",
		p->name, p->about);
	if (p->extra.name != NULL)
		fprintf(out, "      --%-13s %s\n", p->extra.name, p->extra.help);
	fprintf(out,
		"  -h, --help          print this, end\n"
		"  -V, --version       print the version, end\n"
		"\n"
		"%s\n",
		p->signals);
}

/* The exit status, or -1 to go on. */
static int
parse(struct command *command, const struct conf_program *p, int argc, char **argv)
{
	const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"check", no_argument, NULL, CHECK},
		{"defaults", no_argument, NULL, DEFAULTS},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{p->extra.name, no_argument, NULL, EXTRA},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "c:hV", options, NULL)) != -1) {
		switch (c) {
		case 'c':
			command->path = optarg;
			break;
		case CHECK:
			command->is_check = true;
			break;
		case DEFAULTS:
			conf_render(p->sections, stdout);
			return EXIT_SUCCESS;
		case EXTRA:
			return p->extra.run();
		case 'h':
			print_usage(p, stdout);
			return EXIT_SUCCESS;
		case 'V':
			printf("%s " CONCLAVE_VERSION "\n", p->name);
			return EXIT_SUCCESS;
		default:
			print_usage(p, stderr);
			return 2;
		}
	}
	if (optind == argc)
		return -1;
	fprintf(stderr, "%s: '%s' is not understood\n", p->name, argv[optind]);
	print_usage(p, stderr);
	return 2;
}

int
conf_program_main(const struct conf_program *program, int argc, char **argv)
{
	struct conf_errors errors = {0};
	struct command command = {0};
	int status = parse(&command, program, argc, argv), error;

	if (status >= 0)
		return status;
	error = program->load(program->arg, command.path, &errors);
	if (command.is_check) {
		status = conf_check_report(command.path ? command.path : "defaults", &errors,
					   stdout, stderr);
	} else if (error != 0 || errors.count > 0) {
		conf_errors_print(&errors, stderr);
		status = EXIT_FAILURE;
	} else {
		status = program->run(program->arg);
	}
	conf_errors_free(&errors);
	return status;
}
