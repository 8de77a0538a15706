/* Section "streams": TCP and TLS of floor control and chat. */
#ifndef CP_APP_SETUP_STREAMS_H
#define CP_APP_SETUP_STREAMS_H

#include "configs/loader/loader.h"
#include "dataplane/api/addr.h"

enum cp_config_failure {
	CP_CONFIG_FAILURE_HANG_UP = 0,
	CP_CONFIG_FAILURE_REMOVE,
};

struct cp_config_streams {
	struct conf_strings listen;
	int64_t floor_psk, floor_certificate, floor_plain; /* ports; 0: any */
	int64_t chat_psk, chat_certificate, chat_plain;
	char *certificate, *key;
	int on_failure; /* enum cp_config_failure */
	int64_t wait_ms;
	int64_t streams_max, handshakes_max, per_source_max;
	int64_t handshake_ms, identify_ms, stall_ms;
	int64_t send_max;
};

extern const struct conf_option cp_streams_options[];

/* "192.0.2.1", "2001:db8::1" or "[2001:db8::1]"; port 0. False: it is none. */
bool cp_config_streams_host(struct dp_addr *out, const char *text);
void cp_config_check_streams(const struct cp_config_streams *s, const struct conf_section *section,
			     const char *path, struct conf_errors *errors);

#endif
