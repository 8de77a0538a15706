/* Which known word was meant by a mistyped one. */
#ifndef CONFIGS_LOADER_NEAREST_H
#define CONFIGS_LOADER_NEAREST_H

#include <stddef.h>

/* A search under way; zeroed at its start but for word. */
struct conf_nearest {
	const char *word;
	const char *best; /* borrowed from the candidates; NULL: nothing is near */
	size_t distance;
};

void conf_nearest_try(struct conf_nearest *nearest, const char *candidate);

#endif
