/* The file of bearer tokens. */
#include "ctrlplane/mgmt/tokens.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include "ctrlplane/base/slice.h"
#include "ctrlplane/keys/hex.h"

#define LINE_MAX_OCTETS 1024
#define RANDOM_OCTETS 32
#define PREFIX "conclave_"

static const char *const role_names[CP_ACCESS_ROLES] = {
	[CP_ACCESS_VIEWER] = "viewer",
	[CP_ACCESS_CREATOR] = "creator",
	[CP_ACCESS_ADMIN] = "admin",
};

const char *
cp_access_role_name(enum cp_access_role role)
{
	return role_names[role];
}

int
cp_access_role_of(enum cp_access_role *out, const char *name)
{
	for (enum cp_access_role r = 0; r < CP_ACCESS_ROLES; r++)
		if (strcmp(role_names[r], name) == 0) {
			*out = r;
			return 0;
		}
	return -EINVAL;
}

bool
cp_token_is_name(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "0123456789-_.@");

	return len > 0 && len < CP_TOKEN_NAME_MAX && name[len] == '\0';
}

/* What is wrong with the line; NULL: nothing. */
static const char *
read_line(struct cp_token *out, char *line)
{
	static const char blanks[] = " \t\r\n";
	char *rest, *name = strtok_r(line, blanks, &rest);
	char *role = strtok_r(NULL, blanks, &rest), *hash = strtok_r(NULL, blanks, &rest);
	char *identity = strtok_r(NULL, blanks, &rest);

	*out = (struct cp_token){0};
	if (identity == NULL || strtok_r(NULL, blanks, &rest) != NULL)
		return "must be NAME ROLE SHA-256 IDENTITY, with - for no identity";
	if (!cp_token_is_name(name))
		return "has a name with other than letters, digits and -_.@, or one too long";
	if (cp_access_role_of(&out->role, role) != 0)
		return "has a role that is not viewer, creator or admin";
	if (cp_hex_decode(out->hash, sizeof(out->hash), hash) != 0)
		return "has a hash that is not 64 hexadecimal digits";
	if (strcmp(identity, "-") != 0 && cp_identity(out->identity, cp_slice_text(identity)) != 0)
		return "has an identity that is no sip:, sips: or global tel: URI";
	if (out->role == CP_ACCESS_CREATOR && out->identity[0] == '\0')
		return "is of a creator without an identity: whose would its conferences be?";
	strcpy(out->name, name);
	return NULL;
}

int
cp_tokens_add(struct cp_tokens *tokens, const struct cp_token *token)
{
	struct cp_token *grown;

	if (cp_tokens_by_name(tokens, token->name) != NULL)
		return -EEXIST;
	if (tokens->count == CP_TOKENS_MAX)
		return -ENOSPC;
	grown = reallocarray(tokens->items, tokens->count + 1, sizeof(*grown));
	if (grown == NULL)
		return -ENOMEM;
	tokens->items = grown;
	grown[tokens->count++] = *token;
	return 0;
}

int
cp_tokens_remove(struct cp_tokens *tokens, const char *name)
{
	const struct cp_token *token = cp_tokens_by_name(tokens, name);
	size_t index;

	if (token == NULL)
		return -ENOENT;
	index = (size_t)(token - tokens->items);
	memmove(tokens->items + index, tokens->items + index + 1,
		(--tokens->count - index) * sizeof(*token));
	return 0;
}

static int
read_lines(struct cp_tokens *out, FILE *file, const char *path, char *why, size_t size)
{
	char line[LINE_MAX_OCTETS];

	for (int number = 1; fgets(line, sizeof(line), file) != NULL; number++) {
		const char *wrong =
			strchr(line, '\n') == NULL && !feof(file) ? "is too long" : NULL;
		struct cp_token token;
		int error;

		if (wrong == NULL && line[strspn(line, " \t\r\n")] == '\0')
			continue;
		if (wrong == NULL && line[0] == '#')
			continue;
		if (wrong == NULL)
			wrong = read_line(&token, line);
		error = wrong == NULL ? cp_tokens_add(out, &token) : -EINVAL;
		if (error != 0) {
			snprintf(why, size, "%s:%d: the line %s", path, number,
				 wrong != NULL	    ? wrong
				 : error == -EEXIST ? "has a name that stands twice"
						    : "is one too many");
			return error;
		}
	}
	return ferror(file) ? -EIO : 0;
}

int
cp_tokens_load(struct cp_tokens *out, const char *path, char *why, size_t size)
{
	FILE *file = fopen(path, "re");
	struct cp_tokens read = {0};
	int error = 0;

	if (file == NULL) {
		error = -errno;
		snprintf(why, size, "%s: cannot be opened: %s", path, strerror(errno));
		return error;
	}
	if (fstat(fileno(file), &read.seen) != 0 || (read.seen.st_mode & 022) != 0) {
		snprintf(why, size, "%s: others can write it; chmod 640 it", path);
		error = -EPERM;
	}
	if (error == 0)
		error = read_lines(&read, file, path, why, size);
	fclose(file);
	if (error == 0)
		*out = read;
	else
		cp_tokens_fini(&read);
	return error;
}

bool
cp_tokens_are_stale(const struct cp_tokens *tokens, const char *path)
{
	const struct stat *seen = &tokens->seen;
	struct stat now;

	if (stat(path, &now) != 0)
		return true;
	return now.st_ino != seen->st_ino || now.st_dev != seen->st_dev ||
	       now.st_size != seen->st_size || now.st_mtim.tv_sec != seen->st_mtim.tv_sec ||
	       now.st_mtim.tv_nsec != seen->st_mtim.tv_nsec ||
	       now.st_ctim.tv_sec != seen->st_ctim.tv_sec ||
	       now.st_ctim.tv_nsec != seen->st_ctim.tv_nsec;
}

const struct cp_token *
cp_tokens_find(const struct cp_tokens *tokens, const char *shown)
{
	uint8_t hash[CP_DIGEST_OCTETS];
	const struct cp_token *found = NULL;

	if (cp_digest_sha256(hash, shown, strlen(shown)) != 0)
		return NULL;
	for (size_t i = 0; i < tokens->count; i++)
		if (cp_digest_is_equal(tokens->items[i].hash, hash))
			found = &tokens->items[i];
	return found;
}

const struct cp_token *
cp_tokens_by_name(const struct cp_tokens *tokens, const char *name)
{
	for (size_t i = 0; i < tokens->count; i++)
		if (strcmp(tokens->items[i].name, name) == 0)
			return &tokens->items[i];
	return NULL;
}

int
cp_token_make(char text[CP_TOKEN_TEXT_MAX], struct cp_token *token)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint8_t octets[RANDOM_OCTETS + 1] = {0};
	char *at = text;

	_Static_assert(sizeof(PREFIX) + (RANDOM_OCTETS * 8 + 5) / 6 <= CP_TOKEN_TEXT_MAX,
		       "a token fits");
	if (getrandom(octets, RANDOM_OCTETS, 0) != RANDOM_OCTETS)
		return -EIO;
	at = stpcpy(at, PREFIX);
	for (size_t bit = 0; bit < RANDOM_OCTETS * 8; bit += 6) {
		unsigned pair = (unsigned)octets[bit / 8] << 8 | octets[bit / 8 + 1];

		*at++ = digits[pair >> (10 - bit % 8) & 63];
	}
	*at = '\0';
	explicit_bzero(octets, sizeof(octets));
	return cp_digest_sha256(token->hash, text, strlen(text));
}

static int
write_tokens(const struct cp_tokens *tokens, int fd)
{
	FILE *file = fdopen(fd, "w");
	int error;

	if (file == NULL) {
		error = errno;
		close(fd);
		return -error;
	}
	fputs("# Bearer tokens of Conclave's API: NAME ROLE SHA-256 IDENTITY; see conclave help "
	      "token.\n",
	      file);
	for (size_t i = 0; i < tokens->count; i++) {
		const struct cp_token *t = &tokens->items[i];
		char hash[2 * CP_DIGEST_OCTETS + 1];

		cp_hex_encode(hash, t->hash, sizeof(t->hash));
		fprintf(file, "%s %s %s %s\n", t->name, role_names[t->role], hash,
			t->identity[0] != '\0' ? t->identity : "-");
	}
	error = fflush(file) != 0 || fsync(fd) != 0 ? errno : 0;
	if (fclose(file) != 0 && error == 0)
		error = errno;
	return -error;
}

int
cp_tokens_save(const struct cp_tokens *tokens, const char *path)
{
	bool is_new = tokens->seen.st_ino == 0;
	char beside[4096];
	int fd, error = 0;

	if (snprintf(beside, sizeof(beside), "%s.XXXXXX", path) >= (int)sizeof(beside))
		return -ENAMETOOLONG;
	fd = mkostemp(beside, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fchmod(fd, is_new ? 0640 : tokens->seen.st_mode & 0755) != 0 ||
	    (!is_new && geteuid() == 0 &&
	     fchown(fd, tokens->seen.st_uid, tokens->seen.st_gid) != 0))
		error = -errno;
	if (error == 0)
		error = write_tokens(tokens, fd);
	else
		close(fd);
	if (error == 0 && rename(beside, path) != 0)
		error = -errno;
	if (error != 0)
		unlink(beside);
	return error;
}

void
cp_tokens_fini(struct cp_tokens *tokens)
{
	free(tokens->items);
	*tokens = (struct cp_tokens){0};
}
