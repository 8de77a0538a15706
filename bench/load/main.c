/* conclave-ue: a participant, or thousands. */
#include <string.h>
#include "bench/load/app.h"
#include "bench/load/options.h"

int
main(int argc, char **argv)
{
	struct ue_options options;
	int code = ue_options_read(&options, argc, argv);

	if (code)
		return code == 1 ? UE_EXIT_OK : UE_EXIT_USAGE;
	code = ue_app_run(&options);
	explicit_bzero(options.password, sizeof(options.password));
	return code;
}
