/* Writes tables of options for people: as a YAML file at its defaults, and as the list of a manual
 * page. */
#include <stdio.h>
#include <string.h>
#include "configs/loader/loader.h"
#include "configs/loader/value.h"

/* What stands for the default in the file. */
static const char *
default_of(const struct conf_option *option)
{
	if (option->kind == CONF_OBJECTS ||
	    (option->kind == CONF_STRINGS && option->fallback == NULL))
		return "[]";
	if (option->fallback == NULL)
		return "null";
	return option->fallback[0] == '\0' ? "\"\"" : option->fallback;
}

static bool
needs_quotes(const struct conf_option *option, const char *text)
{
	return option->kind == CONF_STRING && option->fallback != NULL &&
	       option->fallback[0] != '\0' &&
	       (strpbrk(text, ":#{}[],&*!|>'\"%@`") != NULL || text[0] == ' ' || text[0] == '-' ||
		strcmp(text, "null") == 0 || strcmp(text, "~") == 0);
}

/* Where a line of the file begins: the fields of a list's entries are comments at their list's
 * depth. */
struct pen {
	FILE *out;
	int outer;
	bool is_comment;
	int inner;
};

static void print_options(const struct pen *pen, const struct conf_option *options);

static void
print_lead(const struct pen *pen)
{
	fprintf(pen->out, "%*s%s%*s", pen->outer, "", pen->is_comment ? "#" : "", pen->inner, "");
}

static void
print_pair(const struct pen *pen, const char *key, const struct conf_option *option)
{
	const char *text = default_of(option);
	const char *quote = needs_quotes(option, text) ? "\"" : "";

	print_lead(pen);
	fprintf(pen->out, "%s: %s%s%s\n", key, quote, text, quote);
}

static void
print_help(const struct pen *pen, const struct conf_option *option)
{
	char expected[400];

	conf_value_describe(option, expected, sizeof(expected));
	expected[0] -= expected[0] >= 'a' && expected[0] <= 'z' ? 'a' - 'A' : 0;
	print_lead(pen);
	fprintf(pen->out, "# %s.\n", option->help != NULL ? option->help : "");
	print_lead(pen);
	fprintf(pen->out, "# %s%s.\n", expected, option->is_required ? "; required" : "");
}

/* The fields of a list's entries, as comments that become an entry when the '#' goes. */
static void
print_fields(const struct pen *pen, const struct conf_option *option)
{
	struct pen inner = *pen;

	print_lead(pen);
	fprintf(pen->out, "# Each entry has:\n");
	inner.outer += inner.is_comment ? 0 : inner.inner;
	inner.inner = inner.is_comment ? inner.inner + 2 : 3;
	inner.is_comment = true;
	print_options(&inner, option->fields);
}

/* The groups of path ("a.b." of "a.b.c") that last did not open yet. Returns how many there are in
 * all. */
static int
open_groups(const struct pen *pen, const char *path, const char *last)
{
	const char *dot, *begin = path;
	struct pen inner = *pen;
	int count = 0;

	while ((dot = strchr(begin, '.')) != NULL) {
		if (strncmp(path, last, (size_t)(dot - path) + 1) != 0) {
			print_lead(&inner);
			fprintf(inner.out, "%.*s:\n", (int)(dot - begin), begin);
		}
		begin = dot + 1;
		inner.inner += 2;
		count++;
	}
	return count;
}

static void
print_options(const struct pen *pen, const struct conf_option *options)
{
	const char *last = "";

	for (const struct conf_option *o = options; o->path != NULL; o++) {
		const char *key = strrchr(o->path, '.');
		struct pen inner = *pen;

		inner.inner += 2 * open_groups(pen, o->path, last);
		print_help(&inner, o);
		print_pair(&inner, key != NULL ? key + 1 : o->path, o);
		if (o->kind == CONF_OBJECTS)
			print_fields(&inner, o);
		last = o->path;
	}
}

void
conf_render(const struct conf_section *sections, FILE *out)
{
	for (const struct conf_section *s = sections; s->name != NULL; s++) {
		struct pen pen = {.out = out};

		if (s->options == NULL)
			continue;
		fprintf(out, "\n");
		if (s->options[0].path != NULL && s->options[0].path[0] == '\0') {
			print_help(&pen, &s->options[0]);
			print_pair(&pen, s->name, &s->options[0]);
			if (s->options[0].kind == CONF_OBJECTS)
				print_fields(&pen, &s->options[0]);
			continue;
		}
		fprintf(out, "%s:\n", s->name);
		pen.inner = 2;
		print_options(&pen, s->options);
	}
}

static void
print_troff(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '-' || *text == '\\')
			fputc('\\', out);
		fputs(*text == '\\' ? "e" : (char[]){*text, '\0'}, out);
	}
}

static void
man_options(FILE *out, const char *prefix, const struct conf_option *options)
{
	for (const struct conf_option *o = options; o->path != NULL; o++) {
		char expected[400], name[160];

		conf_value_describe(o, expected, sizeof(expected));
		snprintf(name, sizeof(name), "%s%s%s", prefix, o->path[0] != '\0' ? "." : "",
			 o->path);
		fprintf(out, ".TP\n.B ");
		print_troff(out, name);
		fprintf(out, "\n");
		print_troff(out, o->help != NULL ? o->help : "");
		fprintf(out, ".\n");
		print_troff(out, expected);
		fprintf(out, o->is_required ? "; required" : "; default ");
		print_troff(out, o->is_required ? "" : default_of(o));
		fprintf(out, ".\n");
		if (o->kind == CONF_OBJECTS) {
			strncat(name, "[]", sizeof(name) - strlen(name) - 1);
			man_options(out, name, o->fields);
		}
	}
}

void
conf_render_man(const struct conf_section *sections, FILE *out)
{
	for (const struct conf_section *s = sections; s->name != NULL; s++) {
		if (s->options == NULL)
			continue;
		fprintf(out, ".SH SECTION %s\n", s->name);
		man_options(out, s->name, s->options);
	}
}
