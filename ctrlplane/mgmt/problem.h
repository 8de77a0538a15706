/* Errors of the API as problem documents (RFC 9457). */
#ifndef CP_MGMT_PROBLEM_H
#define CP_MGMT_PROBLEM_H

#include <jansson.h>

#define CP_PROBLEM_TYPE "urn:problem-type:conclave:"

/* Zeroed is none. */
struct cp_problem {
	int status;	  /* HTTP; 0: no problem */
	const char *name; /* last part of the type; NULL: about:blank */
	char detail[256];
	json_t *errors; /* array of {"pointer", "detail"} about parts of the request; may be NULL */
};

/* The first one stays. */
void cp_problem_set(struct cp_problem *problem, int status, const char *name, const char *format,
		    ...) __attribute__((format(printf, 4, 5)));

/* Add what is wrong with one member of the body ("#/title") or one parameter ("?limit"); makes it a
 * 400. */
void cp_problem_add(struct cp_problem *problem, const char *pointer, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* From -errno of the focus or the media plane. */
void cp_problem_errno(struct cp_problem *problem, int error, const char *what);

/* Of an announcement that cannot be: -ENOENT, -EINVAL and others. */
void cp_problem_clip(struct cp_problem *problem, int error, const char *clip);

/* The document; a new reference, NULL without memory. */
json_t *cp_problem_json(const struct cp_problem *problem, const char *instance);

void cp_problem_fini(struct cp_problem *problem);

#endif
