/* A program that a configuration drives: its command line, from --help to its run. */
#ifndef CONFIGS_PROGRAM_PROGRAM_H
#define CONFIGS_PROGRAM_PROGRAM_H

#include "configs/loader/loader.h"

/* One more option, without a value, that does something and ends. */
struct conf_program_extra {
	const char *name, *help; /* name NULL: there is none */
	int (*run)(void);	 /* the exit status */
};

struct conf_program {
	const char *name;		     /* "conclave-kms" */
	const char *about;		     /* what it is: a line or more */
	const char *signals;		     /* what it does on them */
	const struct conf_section *sections; /* for --defaults */
	struct conf_program_extra extra;
	/* Reads and checks; path NULL: defaults. Not 0, or errors that are counted: it is not run. */
	int (*load)(void *arg, const char *path, struct conf_errors *errors);
	int (*run)(void *arg); /* the exit status */
	void *arg;
};

/* The exit status: 0; 1 when the configuration or the machine does not allow it to run; 2 wrong usage. What load has made stays. */
int conf_program_main(const struct conf_program *program, int argc, char **argv);

#endif
