/*
 * The web page: files of this folder, built into the program (embed.py). They hold nothing that is secret: whoever may open a
 * connection may have them, the API behind them asks for the token.
 */
#ifndef CP_MGMT_WEB_WEB_H
#define CP_MGMT_WEB_WEB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cp_web_file {
	const char *path; /* "/main.js" */
	const char *type; /* for Content-Type */
	const char *etag; /* quoted; of its contents */
	const uint8_t *data;
	size_t len;
};

extern const struct cp_web_file cp_web_files[]; /* ascending by path */
extern const size_t cp_web_file_count;

/* What stands under the target of a request, a query is left aside; "/" is the page itself. NULL: nothing. */
const struct cp_web_file *cp_web_find(const char *target);

/* Does If-None-Match (RFC 9110 13.1.2) name the file as it is? NULL: no. */
bool cp_web_is_known(const struct cp_web_file *file, const char *if_none_match);

/* Content-Security-Policy of the page: nothing from elsewhere, nothing inline, in nobody's frame. */
extern const char cp_web_policy[];

#endif
