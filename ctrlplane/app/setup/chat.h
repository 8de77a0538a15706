/* Section "chat": the chat rooms of conferences. */
#ifndef CP_APP_SETUP_CHAT_H
#define CP_APP_SETUP_CHAT_H

#include "configs/loader/loader.h"

struct cp_config_chat {
	int64_t size_max, queue_max, store_max, window; /* octets */
	int64_t idle_ms;
};

extern const struct conf_option cp_chat_options[];

#endif
