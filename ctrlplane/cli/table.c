/* Tables for people. */
#include "ctrlplane/cli/table.h"
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define FLEX_MIN 12
#define GAP 2

size_t
cp_text_width(const char *text)
{
	size_t width = 0;

	for (; *text != '\0'; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

/* Octets of the first columns of text. */
static size_t
octets_of(const char *text, size_t columns)
{
	const char *at = text;

	while (*at != '\0' && (columns > 0 || ((unsigned char)*at & 0xc0) == 0x80)) {
		columns -= ((unsigned char)*at & 0xc0) != 0x80;
		at++;
	}
	return (size_t)(at - text);
}

void
cp_table_add(struct cp_table *table, const char *const *cells)
{
	size_t used = table->row_count * table->column_count;
	char(*grown)[CP_TABLE_CELL_MAX] =
		realloc(table->cells, (used + table->column_count) * sizeof(*table->cells));

	if (grown == NULL)
		return;
	table->cells = grown;
	for (size_t i = 0; i < table->column_count; i++) {
		char *cell = grown[used + i];
		size_t len = strnlen(cells[i], CP_TABLE_CELL_MAX - 1);

		while (len > 0 && ((unsigned char)cells[i][len] & 0xc0) == 0x80)
			len--; /* no half character */
		memcpy(cell, cells[i], len);
		cell[len] = '\0';
		for (; *cell != '\0'; cell++)
			if ((unsigned char)*cell < ' ' || *cell == 0x7f)
				*cell = '?'; /* a peer's text must not play with the terminal */
	}
	table->row_count++;
}

static void
measure(const struct cp_table *table, const struct cp_cli_out *out, size_t *widths)
{
	size_t total = 0, flex = table->column_count;

	for (size_t i = 0; i < table->column_count; i++) {
		widths[i] = cp_text_width(table->columns[i].title);
		for (size_t row = 0; row < table->row_count; row++) {
			size_t width = cp_text_width(table->cells[row * table->column_count + i]);

			widths[i] = width > widths[i] ? width : widths[i];
		}
		total += widths[i] + (i > 0 ? GAP : 0);
		if (table->columns[i].align == CP_TABLE_FLEX)
			flex = i;
	}
	if (out->width > 0 && total > out->width && flex < table->column_count) {
		size_t excess = total - out->width;

		widths[flex] = widths[flex] > excess + FLEX_MIN ? widths[flex] - excess : FLEX_MIN;
	}
}

static void
print_cell(const char *text, enum cp_table_align align, size_t width, bool is_last, FILE *file)
{
	size_t own = cp_text_width(text);

	if (own > width)
		fprintf(file, "%.*s…", (int)octets_of(text, width - 1), text);
	else if (align == CP_TABLE_RIGHT)
		fprintf(file, "%*s%s", (int)(width - own), "", text);
	else
		fprintf(file, "%s%*s", text, is_last ? 0 : (int)(width - own), "");
	if (!is_last)
		fprintf(file, "%*s", GAP, "");
}

void
cp_table_print(const struct cp_table *table, const struct cp_cli_out *out)
{
	size_t widths[CP_TABLE_COLUMNS_MAX] = {0}, count = table->column_count;

	measure(table, out, widths);
	fputs(cp_cli_colour(out, "1"), out->file);
	for (size_t i = 0; i < count; i++)
		print_cell(table->columns[i].title, table->columns[i].align, widths[i],
			   i + 1 == count, out->file);
	fprintf(out->file, "%s\n", cp_cli_colour(out, "0"));
	for (size_t row = 0; row < table->row_count; row++) {
		for (size_t i = 0; i < count; i++)
			print_cell(table->cells[row * count + i], table->columns[i].align,
				   widths[i], i + 1 == count, out->file);
		fprintf(out->file, "\n");
	}
}

void
cp_table_fini(struct cp_table *table)
{
	free(table->cells);
	table->cells = NULL;
	table->row_count = 0;
}

struct cp_cli_out
cp_cli_stdout(void)
{
	struct cp_cli_out out = {.file = stdout};
	const char *no_colour = getenv("NO_COLOR");
	struct winsize size;

	if (!isatty(STDOUT_FILENO))
		return out;
	out.has_colour = no_colour == NULL || no_colour[0] == '\0';
	out.width =
		ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
	return out;
}

const char *
cp_cli_colour(const struct cp_cli_out *out, const char *code)
{
	static const struct {
		const char *code, *text;
	} rows[] = {{"0", "\033[0m"},
		    {"1", "\033[1m"},
		    {"31", "\033[31m"},
		    {"32", "\033[32m"},
		    {"33", "\033[33m"}};

	for (size_t i = 0; out->has_colour && i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].code, code) == 0)
			return rows[i].text;
	return "";
}
