/* Options of section "notify". */
#include "ctrlplane/app/setup/notify.h"

#include <stddef.h>

#define OPTION(field) .offset = offsetof(struct cp_config_notify, field)

static const char *const protections[] = {"default", "off", "preferred", "required", NULL};

const struct conf_option cp_notify_options[] = {
	{.path = "protection",
	 .kind = CONF_ENUM,
	 OPTION(protection),
	 .fallback = "default",
	 .choices = protections,
	 .help = "of conferences that do not say it themselves: required, preferred or off; "
		 "default: "
		 "required with mikey-ticket, preferred with either, else off"},
	{.path = "interval",
	 .kind = CONF_DURATION,
	 OPTION(interval_ms),
	 .fallback = "1s",
	 .min = 200,
	 .max = 10000,
	 .help = "shortest time between two NOTIFYs to a subscriber; changes in between are "
		 "merged"},
	{.path = "expires_max",
	 .kind = CONF_DURATION,
	 OPTION(expires_max_ms),
	 .fallback = "1h",
	 .min = 60000,
	 .max = 86400000,
	 .help = "longest subscription; longer ones are cut"},
	{.path = "expires_min",
	 .kind = CONF_DURATION,
	 OPTION(expires_min_ms),
	 .fallback = "60s",
	 .min = 1000,
	 .max = 3600000,
	 .help = "shortest subscription; shorter ones get 423"},
	{.path = "subscribers_max",
	 .kind = CONF_INT,
	 OPTION(subscribers_max),
	 .fallback = "10000",
	 .min = 0,
	 .max = 1000000,
	 .help = "subscriptions at a time; beyond it 503; 0: none"},
	{.path = "per_conference",
	 .kind = CONF_INT,
	 OPTION(per_conference),
	 .fallback = "2000",
	 .min = 1,
	 .max = 1000000,
	 .help = "subscriptions to one conference at a time; beyond it 503"},
	{.path = "retry_after",
	 .kind = CONF_DURATION,
	 OPTION(retry_after_ms),
	 .fallback = "5s",
	 .min = 1000,
	 .max = 3600000,
	 .help = "when this program ends, how long subscribers are asked to wait before they "
		 "subscribe anew"},
	{.path = "host_name",
	 .kind = CONF_STRING,
	 OPTION(host_name),
	 .help = "who runs the conferences, as subscribers are told; absent: the machine in the "
		 "conference's URI"},
	{.path = "host_page",
	 .kind = CONF_STRING,
	 OPTION(host_page),
	 .help = "a web page about that, http: or https:; absent: none"},
	{.path = "host_uri",
	 .kind = CONF_STRING,
	 OPTION(host_uri),
	 .help = "where to ask for help, such as sip:, tel: or mailto:; absent: nowhere"},
	{.path = NULL},
};
