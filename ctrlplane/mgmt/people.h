/* Lists of who may join, as JSON and as CSV. */
#ifndef CP_MGMT_PEOPLE_H
#define CP_MGMT_PEOPLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include "ctrlplane/mgmt/problem.h"

/* A list of URIs, or of objects {"uri", "role"}. false: why says what is wrong. */
bool cp_people_check(const json_t *value, char *why, size_t size);
bool cp_people_check_one(const json_t *value, char *why, size_t size);

/* "sip:anna@example.net", or with "=moderator" behind it. A new value. */
json_t *cp_people_from_word(const char *word);

/*
 * RFC 4180, a header line first: uri, and role where there are others than participants; unknown columns are an error. A
 * new list, or NULL with every mistake in the problem, by its line.
 */
json_t *cp_people_from_csv(struct cp_problem *problem, const char *text);

#endif
