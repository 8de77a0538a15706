/* The control plane's log: one line an event, to stderr (with the journal's priorities) or syslog.
 * Secrets never come here. */
#ifndef CP_BASE_LOG_H
#define CP_BASE_LOG_H

#include <stdbool.h>

enum cp_log_level {
	CP_LOG_ERROR = 0, /* somebody must act */
	CP_LOG_WARN,	  /* something is lost or refused that should not be */
	CP_LOG_INFO,	  /* calls and conferences come and go */
	CP_LOG_DEBUG,	  /* what was decided and why */
	CP_LOG_LEVELS
};

enum cp_log_sink {
	CP_LOG_STDERR = 0,
	CP_LOG_SYSLOG,
};

/* Before the first line; without it INFO to stderr. program stays the caller's. */
void cp_log_open(const char *program, enum cp_log_sink sink, enum cp_log_level level);

bool cp_log_may(enum cp_log_level level);

/* "AREA: text". Octets that are no printable ASCII become '.', so that a peer cannot forge lines.
 * Keeps errno. */
void cp_log(enum cp_log_level level, const char *area, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* error, warn, info, debug; NULL-terminated, for the configuration. */
extern const char *const cp_log_level_names[CP_LOG_LEVELS + 1];

#endif
