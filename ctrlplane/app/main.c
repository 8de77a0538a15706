/* conclave-cp: the control plane. Reads its command line and configuration, then runs. */
#include <stdint.h>

#include "configs/program/privilege.h"
#include "configs/program/program.h"
#include "ctrlplane/app/app.h"
#include "ctrlplane/app/setup/config.h"
#include "ctrlplane/base/log.h"

static int
load(void *config, const char *path, struct conf_errors *errors)
{
	return cp_config_load(config, path, errors);
}

/*
 * SIP messages hold keys: no core, nor one by a pipe to systemd-coredump, which does not ask for the limit; and no debugger. A descriptor
 * for each TCP connection of a peer: as many as we may.
 */
static int
run(void *arg)
{
	struct cp_config *config = arg;

	conf_privilege_hide();
	conf_privilege_files_all();
	cp_log_open("conclave-cp", (enum cp_log_sink)config->log.sink,
		    (enum cp_log_level)config->log.level);
	return cp_app_run(config);
}

int
main(int argc, char **argv)
{
	static struct cp_config config, defaults;
	const struct conf_program program = {
		.name = "conclave-cp",
		.about = "The control plane of Conclave: SIP, conferences and their HTTP API.",
		.signals = "SIGTERM and SIGINT end all calls politely.",
		.sections = defaults.sections,
		.load = load,
		.run = run,
		.arg = &config,
	};
	int status;

	cp_config_init(&defaults);
	status = conf_program_main(&program, argc, argv);
	cp_config_free(&config);
	return status;
}
