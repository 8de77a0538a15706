/* One line an event, to stderr with the journal's priorities or to syslog. */
#include "ctrlplane/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

const char *const cp_log_level_names[CP_LOG_LEVELS + 1] = {"error", "warn", "info", "debug", NULL};

static const int priorities[CP_LOG_LEVELS] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG};

/* The process has one log; nothing else in base/ is global. Threads write while it is opened anew. */
static struct {
	_Atomic enum cp_log_level level;
	_Atomic enum cp_log_sink sink;
	atomic_bool has_journal; /* stderr is systemd's: lines begin with <priority> */
} log_state = {.level = CP_LOG_INFO};

void
cp_log_open(const char *program, enum cp_log_sink sink, enum cp_log_level level)
{
	extern char **environ;
	bool has_journal = false;

	for (char **entry = environ; entry != NULL && *entry != NULL; entry++)
		if (strncmp(*entry, "JOURNAL_STREAM=", 15) == 0)
			has_journal = true;
	if (sink == CP_LOG_SYSLOG)
		openlog(program, LOG_PID, LOG_DAEMON);
	log_state.has_journal = has_journal;
	log_state.sink = sink;
	log_state.level = level;
}

bool
cp_log_may(enum cp_log_level level)
{
	return level <= log_state.level;
}

static void
make_printable(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || (unsigned char)*text > '~')
			*text = '.';
}

void
cp_log(enum cp_log_level level, const char *area, const char *format, ...)
{
	char text[1024], line[1200];
	int error = errno, len;
	va_list arguments;

	if ((unsigned)level >= CP_LOG_LEVELS || !cp_log_may(level))
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	make_printable(text);
	if (log_state.sink == CP_LOG_SYSLOG) {
		syslog(priorities[level], "%s: %s", area, text);
	} else {
		if (log_state.has_journal)
			len = snprintf(line, sizeof(line), "<%d>%s: %s\n", priorities[level], area,
				       text);
		else
			len = snprintf(line, sizeof(line), "%-5s %s: %s\n",
				       cp_log_level_names[level], area, text);
		/* one write, so that lines of two programs do not mix; a full pipe loses it */
		if (len > 0 && write(STDERR_FILENO, line, (size_t)len) < 0)
			len = 0;
	}
	errno = error;
}
