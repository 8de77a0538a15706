/*
 * Reads a YAML configuration into structs by a table of options: one table is the parser, the
 * defaults, the check against reference.yaml and the help. Errors name file and line and say how to
 * mend.
 */
#ifndef CONFIGS_LOADER_H
#define CONFIGS_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum conf_kind {
	CONF_STRING,   /* char *: heap, freed by conf_free; NULL when absent and no default */
	CONF_BOOL,     /* bool */
	CONF_INT,      /* int64_t, within min and max */
	CONF_DURATION, /* int64_t milliseconds: "20ms", "5s", "10m", "1h"; within min and max */
	CONF_SIZE,     /* int64_t octets: "64K", "256M" */
	CONF_ENUM,     /* int: index into choices */
	CONF_STRINGS,  /* struct conf_strings: sequence of strings */
	CONF_OBJECTS,  /* struct conf_objects: sequence of mappings, each described by fields */
};

struct conf_strings {
	size_t count;
	char **items;
	int *lines; /* where each stood */
};

struct conf_objects {
	size_t count;
	void *items; /* count structs of option.object_size octets */
	int *lines;
};

/*
 * One option. path is dotted below the section's root, e.g. "udp.address"; the path "" is the
 * section's value itself (a table of one option: a section that is a list). A table ends with path
 * NULL.
 */
struct conf_option {
	const char *path;
	enum conf_kind kind;
	size_t offset;			  /* into the caller's struct */
	const char *fallback;		  /* default, as it would stand in the file; NULL: none */
	int64_t min, max;		  /* INT, DURATION, SIZE; both 0: any */
	const char *const *choices;	  /* ENUM, NULL-terminated */
	const struct conf_option *fields; /* OBJECTS */
	size_t object_size;		  /* OBJECTS */
	bool is_required;		  /* has no default and must stand in the file */
	const char *help;		  /* one line */
};

/* A top-level key of the file, e.g. "media". */
struct conf_section {
	const char *name;
	const struct conf_option *options; /* NULL: another program's, skipped unchecked */
	void *into;			   /* the caller's struct, zeroed before */
	const char *help;		   /* one line, for what is rendered; may be NULL */
	int *lines; /* the loader's own: by option the line where it stood, 0 when defaulted */
};

/* Errors of one load, in the order of the file. Each is "FILE:LINE: what; how to mend". */
struct conf_errors {
	size_t count;
	char *texts[32]; /* more are counted, not kept */
};

/*
 * Load path into the sections (terminated by name NULL). Unknown keys, wrong kinds, values out of
 * range, duplicate keys and bad YAML are errors. Returns 0, -EINVAL with errors filled, or -errno
 * of the open (also in errors). path NULL: defaults only. Every option has its default or its
 * value, also after errors.
 */
int conf_load(const char *path, struct conf_section *sections, struct conf_errors *errors);

/* The same from memory; name stands for the path in errors. */
int conf_load_text(const char *name, const char *text, size_t len, struct conf_section *sections,
		   struct conf_errors *errors);

/* Add an error of the caller's own finding (cross-checks after the load); line 0: the file as a
 * whole. */
void conf_error(struct conf_errors *errors, const char *path, int line, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Print the errors, one a line, and how many more there are. */
void conf_errors_print(const struct conf_errors *errors, FILE *out);

/* The end of --check: "PATH: ok" to out or the errors to err. Returns the exit status, 0 or 1. */
int conf_check_report(const char *path, const struct conf_errors *errors, FILE *out, FILE *err);

/* The line on which an option of a loaded section stood, 0 when it was defaulted. */
int conf_line(const struct conf_section *section, const char *option_path);

void conf_free(struct conf_section *sections);
void conf_errors_free(struct conf_errors *errors);

/* Write the sections as a YAML file with every option at its default and its help as comments. */
void conf_render(const struct conf_section *sections, FILE *out);

/* The same as the option list of a manual page (troff, man macros). */
void conf_render_man(const struct conf_section *sections, FILE *out);

#endif
