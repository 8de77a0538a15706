/* One value of the file, from text to its kind. Private to configs/loader. */
#ifndef CONFIGS_LOADER_VALUE_H
#define CONFIGS_LOADER_VALUE_H

#include "configs/loader/loader.h"

/*
 * Parse a scalar into field (the option's place in the caller's struct; a STRING is allocated).
 * Returns true, or false with the reason, ready to follow "'name' ", in why.
 */
bool conf_value_parse(const struct conf_option *option, const char *text, void *field, char *why,
		      size_t why_size);

/* What may stand there: "true or false", "a number from 1 to 9", ... */
void conf_value_describe(const struct conf_option *option, char *text, size_t size);

/* The same in few words: "true | false", "1 to 9". */
void conf_value_brief(const struct conf_option *option, char *text, size_t size);

/* Free and zero what the option's field holds; strings are wiped first, they may be secrets. */
void conf_value_free(const struct conf_option *option, void *field);

#endif
