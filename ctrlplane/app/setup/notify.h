/* Section "notify": subscriptions to the state of conferences. */
#ifndef CP_APP_SETUP_NOTIFY_H
#define CP_APP_SETUP_NOTIFY_H

#include "configs/loader/loader.h"

struct cp_config_notify {
	int protection; /* enum cp_conf_notify */
	int64_t interval_ms;
	int64_t expires_max_ms;
	int64_t expires_min_ms;
	int64_t subscribers_max;
	int64_t per_conference;
	int64_t retry_after_ms;
	char *host_name, *host_page, *host_uri; /* NULL: none */
};

extern const struct conf_option cp_notify_options[];

#endif
