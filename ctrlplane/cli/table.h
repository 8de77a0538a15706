/* Tables for people: aligned, never wider than the terminal, without colours unless they are wanted. */
#ifndef CP_CLI_TABLE_H
#define CP_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define CP_TABLE_COLUMNS_MAX 14
#define CP_TABLE_CELL_MAX 256

enum cp_table_align {
	CP_TABLE_LEFT = 0,
	CP_TABLE_RIGHT,
	CP_TABLE_FLEX, /* left, and cut when the terminal is too narrow */
};

struct cp_table_column {
	const char *title;
	enum cp_table_align align;
	int spare; /* when the terminal is too narrow, columns go by this number, 1 first; 0: never */
};

/* Where and how to print. */
struct cp_cli_out {
	FILE *file;
	bool has_colour;
	size_t width; /* of the terminal; 0: none, nothing is cut */
};

struct cp_table {
	const struct cp_table_column *columns;
	size_t column_count;
	size_t row_count;
	char (*cells)[CP_TABLE_CELL_MAX];
};

/* Zeroed but for the columns it is empty. */
void cp_table_add(struct cp_table *table, const char *const *cells);
void cp_table_print(const struct cp_table *table, const struct cp_cli_out *out);
void cp_table_fini(struct cp_table *table);

/* Columns that a UTF-8 text takes on the screen, for the scripts of Europe. */
size_t cp_text_width(const char *text);

/* For stdout: its terminal's width, and colours when it is one and NO_COLOR is not set. */
struct cp_cli_out cp_cli_stdout(void);

const char *cp_cli_colour(const struct cp_cli_out *out, const char *code);

#endif
