/* Options of section "chat". */
#include "ctrlplane/app/setup/chat.h"

#include <stddef.h>

#define OPTION(field) .offset = offsetof(struct cp_config_chat, field)

const struct conf_option cp_chat_options[] = {
	{.path = "max_size",
	 .kind = CONF_SIZE,
	 OPTION(size_max),
	 .fallback = "100M",
	 .min = 1024,
	 .max = 1099511627776,
	 .help = "octets of a message or file; SDP says it, and a longer one is stopped (413)"},
	{.path = "queue_max",
	 .kind = CONF_SIZE,
	 OPTION(queue_max),
	 .fallback = "16M",
	 .min = 65536,
	 .max = 1073741824,
	 .help = "octets that may wait for a participant who does not read; beyond it, the "
		 "connection is cut"},
	{.path = "room_max",
	 .kind = CONF_SIZE,
	 OPTION(store_max),
	 .fallback = "64M",
	 .min = 65536,
	 .max = 17179869184,
	 .help = "memory for what waits in one room; beyond it, who has most of it waiting is cut "
		 "off"},
	{.path = "window",
	 .kind = CONF_SIZE,
	 OPTION(window),
	 .fallback = "1M",
	 .min = 16384,
	 .max = 1073741824,
	 .help = "octets of one sender that may wait for participants who read; beyond it, the "
		 "sender waits"},
	{.path = "idle_time",
	 .kind = CONF_DURATION,
	 OPTION(idle_ms),
	 .fallback = "9m",
	 .min = 1000,
	 .max = 86400000,
	 .help = "a message of which nothing more comes for so long is given up"},
	{.path = NULL},
};
