/* A certificate and its key in PEM files: do they belong together, and until when? */
#ifndef CP_KEYS_PEM_H
#define CP_KEYS_PEM_H

#include <stddef.h>
#include <stdint.h>

/* end: when the first certificate of the file ends, Unix time. 0, or -errno and why: a file that cannot be read, or is none of
 * that kind (-EINVAL); a key of another certificate (-EXDEV). */
int cp_pem_examine(int64_t *end, const char *certificate, const char *key, char *why, size_t size);

#endif
