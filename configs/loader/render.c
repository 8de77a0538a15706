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

/* With a capital, unless it begins with the value that it explains ("udp: …"), and with a full stop. */
static void
make_sentence(const char *text, char *out, size_t size)
{
	size_t len = (size_t)snprintf(out, size - 1, "%s", text != NULL ? text : "");

	if (len == 0 || len >= size - 1)
		return;
	if (out[strcspn(out, " ")] != '\0' && out[strcspn(out, " ") - 1] != ':' && out[0] >= 'a' &&
	    out[0] <= 'z')
		out[0] -= 'a' - 'A';
	if (out[len - 1] != '.')
		strcpy(out + len, ".");
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
	char brief[400], help[400];

	conf_value_brief(option, brief, sizeof(brief));
	make_sentence(option->help, help, sizeof(help));
	print_lead(pen);
	fprintf(pen->out, "# %s [%s%s]\n", help, brief, option->is_required ? ", required" : "");
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
		if (s->help != NULL)
			fprintf(out, "# %s.\n", s->help);
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
		char brief[400], help[400], name[160];

		conf_value_brief(o, brief, sizeof(brief));
		make_sentence(o->help, help, sizeof(help));
		snprintf(name, sizeof(name), "%s%s%s", prefix, o->path[0] != '\0' ? "." : "",
			 o->path);
		fprintf(out, ".TP\n.B ");
		print_troff(out, name);
		fprintf(out, "\n");
		print_troff(out, help);
		fprintf(out, "\n[");
		print_troff(out, brief);
		if (o->is_required) {
			fprintf(out, ", required]\n");
		} else {
			fprintf(out, "] Default: ");
			print_troff(out, default_of(o));
			fprintf(out, ".\n");
		}
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
		if (s->help != NULL) {
			print_troff(out, s->help);
			fputs(".\n", out);
		}
		man_options(out, s->name, s->options);
	}
}
