/*
 * The file in which a KMS hands a user its pre-shared keys, and from which the user's program reads
 * them: lines "name: value", '#' begins a comment. Names: identity, psk_id, psk256 and psk128 (64 and
 * 32 hexadecimal digits).
 */
#ifndef CP_KEYS_PSK_H
#define CP_KEYS_PSK_H

#include <stddef.h>
#include <stdint.h>
#include "ctrlplane/keys/secret.h"

#define CP_PSK_SETS 2 /* algorithm sets of the profile, section 2: [0] 128, [1] 256 */
#define CP_PSK_TEXT_MAX 256

static const size_t cp_psk_octets[CP_PSK_SETS] = {16, 32};

/* What stands in a file. Absent: empty text, NULL. */
struct cp_psk_file {
	char identity[CP_PSK_TEXT_MAX];
	char psk_id[CP_PSK_TEXT_MAX];
	struct cp_secret *psk[CP_PSK_SETS];
};

/* -EPERM when others than its owner can read it; -EINVAL without a key or with a wrong line; -errno.
 * why says it for people. cp_psk_file_fini afterwards, also on failure. */
int cp_psk_file_read(struct cp_psk_file *out, const char *path, char *why, size_t size);
void cp_psk_file_fini(struct cp_psk_file *file);

/* What is to be written; a NULL key is left out. */
struct cp_psk_text {
	const char *identity, *psk_id; /* psk_id NULL or empty: none */
	const uint8_t *psk[CP_PSK_SETS];
};

/* Into a buffer of CP_PSK_FILE_MAX octets, NUL-terminated: the caller writes and wipes it. */
#define CP_PSK_FILE_MAX 1024
size_t cp_psk_file_format(char *text, const struct cp_psk_text *psk);

#endif
