/* The errors of one load: kept in order, counted beyond what is kept. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "configs/loader/loader.h"

#define TEXT_MAX 512
#define KEPT_MAX (sizeof(((struct conf_errors *)0)->texts) / sizeof(char *))

/* The file's text is quoted in errors: it must not play with the reader's terminal. */
static void
blank_controls(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

void
conf_error(struct conf_errors *errors, const char *path, int line, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list args;
	int len;

	if (errors->count < KEPT_MAX) {
		if (line > 0)
			len = snprintf(text, sizeof(text), "%.200s:%d: ", path, line);
		else
			len = snprintf(text, sizeof(text), "%.200s: ", path);
		va_start(args, format);
		vsnprintf(text + len, sizeof(text) - (size_t)len, format, args);
		va_end(args);
		blank_controls(text);
		errors->texts[errors->count] = strdup(text);
	}
	errors->count++;
}

void
conf_errors_print(const struct conf_errors *errors, FILE *out)
{
	for (size_t i = 0; i < errors->count && i < KEPT_MAX; i++)
		fprintf(out, "%s\n", errors->texts[i] != NULL ? errors->texts[i] : "out of memory");
	if (errors->count > KEPT_MAX)
		fprintf(out, "and %zu more errors\n", errors->count - KEPT_MAX);
}

int
conf_check_report(const char *path, const struct conf_errors *errors, FILE *out, FILE *err)
{
	if (errors->count == 0) {
		fprintf(out, "%s: ok\n", path != NULL ? path : "built-in defaults");
		return 0;
	}
	conf_errors_print(errors, err);
	fprintf(err, "%s: %zu error%s\n", path != NULL ? path : "built-in defaults", errors->count,
		errors->count == 1 ? "" : "s");
	return 1;
}

void
conf_errors_free(struct conf_errors *errors)
{
	for (size_t i = 0; i < errors->count && i < KEPT_MAX; i++)
		free(errors->texts[i]);
	memset(errors, 0, sizeof(*errors));
}
