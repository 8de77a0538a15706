/* The table of options: made in option_table.c, read by the parser and the help. */
#ifndef BENCH_LOAD_OPTIONS_STATE_H
#define BENCH_LOAD_OPTIONS_STATE_H

#include <stddef.h>
#include "bench/load/options.h"

/* Takes the value (NULL where the option has none); 0, or -EINVAL. */
typedef int (*ue_take_fn)(struct ue_options *o, const char *value, size_t field);

struct ue_option {
	const char *name, *value; /* value: how the help calls it; NULL: none */
	ue_take_fn take;
	size_t field; /* offset, or the action */
	const char *text;
};

/* A row without take is a heading. */
extern const struct ue_option ue_option_table[];
extern const size_t ue_option_count;

void ue_help_print(void);
void ue_man_print(void); /* troff, for man(1) */

#endif
