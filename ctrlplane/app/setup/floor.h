/* Section "floor": floor control. */
#ifndef CP_APP_SETUP_FLOOR_H
#define CP_APP_SETUP_FLOOR_H

#include "configs/loader/loader.h"

struct cp_config_floor {
	int64_t keep_ms;
};

extern const struct conf_option cp_floor_options[];

#endif
