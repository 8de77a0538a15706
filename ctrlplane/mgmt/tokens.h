/*
 * The file of bearer tokens (RFC 6750): a line for each, "NAME ROLE SHA-256 IDENTITY". Of a token only its hash is kept; it
 * has 256 bits of its own, so the hash needs no salt.
 */
#ifndef CP_MGMT_TOKENS_H
#define CP_MGMT_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include "ctrlplane/conf/identity.h"
#include "ctrlplane/keys/digest.h"

#define CP_TOKEN_NAME_MAX 64
#define CP_TOKEN_TEXT_MAX 64 /* of a new one, with its NUL */
#define CP_TOKENS_MAX 10000

/* What somebody may do. Each may what those before it may. */
enum cp_access_role {
	CP_ACCESS_VIEWER = 0, /* reads */
	CP_ACCESS_CREATOR,    /* makes conferences */
	CP_ACCESS_ADMIN,      /* everything */
	CP_ACCESS_ROLES,
};

struct cp_token {
	char name[CP_TOKEN_NAME_MAX]; /* for the audit: letters, digits and -_.@ */
	enum cp_access_role role;
	uint8_t hash[CP_DIGEST_OCTETS];
	char identity[CP_IDENTITY_MAX]; /* canonical, who it stands for; empty: nobody */
};

/* Zeroed is empty. */
struct cp_tokens {
	struct cp_token *items;
	size_t count;
	struct stat seen; /* of the file it was read from */
};

/* 0, or -errno and why with the line. A file that group or others may write is refused. */
int cp_tokens_load(struct cp_tokens *out, const char *path, char *why, size_t size);

/* The file is another than the one that was read, or was changed. */
bool cp_tokens_are_stale(const struct cp_tokens *tokens, const char *path);

/* Whose it is; NULL: nobody's. Takes the same time for each. */
const struct cp_token *cp_tokens_find(const struct cp_tokens *tokens, const char *shown);
const struct cp_token *cp_tokens_by_name(const struct cp_tokens *tokens, const char *name);

/* Makes the token and its entry's hash. -EIO: no random numbers. */
int cp_token_make(char text[CP_TOKEN_TEXT_MAX], struct cp_token *token);
bool cp_token_is_name(const char *name);

/* Adds: -EEXIST. Removes: -ENOENT. Neither touches the file. */
int cp_tokens_add(struct cp_tokens *tokens, const struct cp_token *token);
int cp_tokens_remove(struct cp_tokens *tokens, const char *name);

/* In place of the file, at once and as a whole, with its owner and mode; a new one is of mode 0640. 0 or -errno. */
int cp_tokens_save(const struct cp_tokens *tokens, const char *path);

void cp_tokens_fini(struct cp_tokens *tokens);

const char *cp_access_role_name(enum cp_access_role role); /* viewer, creator, admin */
int cp_access_role_of(enum cp_access_role *out, const char *name);

#endif
