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

/* Columns on the screen that the shown ones take. widths of the others are 0. */
static size_t
total_of(const struct cp_table *table, const size_t *widths)
{
	size_t total = 0;

	for (size_t i = 0; i < table->column_count; i++)
		if (widths[i] > 0)
			total += widths[i] + (total > 0 ? GAP : 0);
	return total;
}

static size_t
width_of(const struct cp_table *table, size_t column)
{
	size_t widest = cp_text_width(table->columns[column].title);

	for (size_t row = 0; row < table->row_count; row++) {
		size_t width = cp_text_width(table->cells[row * table->column_count + column]);

		widest = width > widest ? width : widest;
	}
	return widest;
}

/* Cut the flexible column down to what is legible, then leave out spare ones, then cut it as far as it takes. */
static void
fit(const struct cp_table *table, size_t width, size_t *widths)
{
	size_t flex = 0, full, others;

	while (flex < table->column_count && table->columns[flex].align != CP_TABLE_FLEX)
		flex++;
	if (flex == table->column_count)
		return;
	full = widths[flex];
	widths[flex] = full < FLEX_MIN ? full : FLEX_MIN;
	for (int spare = 1; spare <= CP_TABLE_COLUMNS_MAX; spare++)
		for (size_t i = 0; i < table->column_count && total_of(table, widths) > width; i++)
			if (table->columns[i].spare == spare)
				widths[i] = 0;
	others = total_of(table, widths) - widths[flex];
	if (others < width && width - others > widths[flex])
		widths[flex] = width - others < full ? width - others : full;
}

static void
measure(const struct cp_table *table, const struct cp_cli_out *out, size_t *widths)
{
	for (size_t i = 0; i < table->column_count; i++)
		widths[i] = width_of(table, i);
	if (out->width > 0 && total_of(table, widths) > out->width)
		fit(table, out->width, widths);
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
}

/* cells NULL: the titles. */
static void
print_row(const struct cp_table *table, const char (*cells)[CP_TABLE_CELL_MAX],
	  const size_t *widths, FILE *file)
{
	size_t last = table->column_count;
	bool is_first = true;

	while (last > 0 && widths[last - 1] == 0)
		last--;
	for (size_t i = 0; i < last; i++) {
		const struct cp_table_column *column = &table->columns[i];

		if (widths[i] == 0)
			continue;
		fprintf(file, "%*s", is_first ? 0 : GAP, "");
		print_cell(cells != NULL ? cells[i] : column->title, column->align, widths[i],
			   i + 1 == last, file);
		is_first = false;
	}
}

void
cp_table_print(const struct cp_table *table, const struct cp_cli_out *out)
{
	size_t widths[CP_TABLE_COLUMNS_MAX] = {0};

	measure(table, out, widths);
	fputs(cp_cli_colour(out, "1"), out->file);
	print_row(table, NULL, widths, out->file);
	fprintf(out->file, "%s\n", cp_cli_colour(out, "0"));
	for (size_t row = 0; row < table->row_count; row++) {
		print_row(table, table->cells + row * table->column_count, widths, out->file);
		fputc('\n', out->file);
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
