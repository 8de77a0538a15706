/* conclave-dp --probe: what this machine has, what would be used, what to mend. */
#ifndef DRV_PROBE_H
#define DRV_PROBE_H

#include <stdio.h>

/* Reads below root ("" for the machine itself, a fake tree in tests). Returns the number of
 * problems it named. */
int drv_probe(FILE *out, const char *root);

#endif
