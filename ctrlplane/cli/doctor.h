/* Checks whether this machine can run Conclave well, and says how to mend what is amiss. */
#ifndef CP_CLI_DOCTOR_H
#define CP_CLI_DOCTOR_H

#include <jansson.h>
#include "ctrlplane/cli/table.h"

enum cp_finding_grade {
	CP_FINDING_OK = 0,
	CP_FINDING_NOTE, /* fine for the udp port, matters for a NIC or for load */
	CP_FINDING_FAIL, /* Conclave will not run, or not right */
};

/* Where to look. */
struct cp_doctor {
	const char *root;   /* in front of /proc and /sys: "" but in tests */
	const char *socket; /* of the API */
	const char *config; /* NULL: none to check */
	json_t *findings;   /* array of {grade, what, found, mend}; made by cp_doctor_examine */
};

/* All checks. Returns the worst grade. */
enum cp_finding_grade cp_doctor_examine(struct cp_doctor *doctor);

/* For a check: found by format, mend NULL when there is nothing to. */
void cp_doctor_find(struct cp_doctor *doctor, enum cp_finding_grade grade, const char *what,
		    const char *mend, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* The checks, by what they look at. */
void cp_doctor_machine(struct cp_doctor *doctor); /* processor, clock, memory, limits */
void
cp_doctor_network(struct cp_doctor *doctor); /* socket buffers, network cards and their drivers */
void cp_doctor_programs(struct cp_doctor *doctor); /* configuration, sockets */
void cp_doctor_kms(struct cp_doctor *doctor);	   /* the KMS of this machine */

void cp_doctor_print(const struct cp_doctor *doctor, const struct cp_cli_out *out);

/* First line of a file below the root. False: it is not there. */
bool cp_doctor_read(const struct cp_doctor *doctor, const char *path, char *line, size_t size);

#endif
