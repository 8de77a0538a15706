/* Options of section "floor". */
#include "ctrlplane/app/setup/floor.h"

#include <stddef.h>

const struct conf_option cp_floor_options[] = {
	{.path = "keep_for",
	 .kind = CONF_DURATION,
	 .offset = offsetof(struct cp_config_floor, keep_ms),
	 .fallback = "30s",
	 .min = 0,
	 .max = 3600000,
	 .help = "whose connection for floor control is lost keeps a floor, or the place in its "
		 "queue, for so long"},
	{.path = NULL},
};
