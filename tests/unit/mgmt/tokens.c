/* The file of tokens: what it takes and refuses, finding a token, changing and saving it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "ctrlplane/mgmt/tokens.h"

/* SHA-256 of "secret" */
#define HASH "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"

struct fixture {
	char folder[64], path[128], why[256];
	struct cp_tokens tokens;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->folder, "/tmp/conclave-test.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/tokens", f->folder);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	cp_tokens_fini(&f->tokens);
	unlink(f->path);
	assert_int_equal(rmdir(f->folder), 0);
	free(f);
	return 0;
}

static int
load(struct fixture *f, const char *text, mode_t mode)
{
	FILE *file = fopen(f->path, "w");

	fputs(text, file);
	fclose(file);
	chmod(f->path, mode);
	cp_tokens_fini(&f->tokens);
	return cp_tokens_load(&f->tokens, f->path, f->why, sizeof(f->why));
}

static void
a_token_is_found_by_what_is_shown(void **state)
{
	struct fixture *f = *state;
	const struct cp_token *token;

	assert_int_equal(load(f,
			      "# a comment\n\n"
			      "ops admin " HASH " -\n"
			      "anna creator 00" HASH "\n",
			      0640),
			 -EINVAL);
	assert_int_equal(
		load(f, "# a comment\n\nops admin " HASH " sip:Anna@EXAMPLE.net:5060\n", 0640), 0);
	token = cp_tokens_find(&f->tokens, "secret");
	assert_non_null(token);
	assert_string_equal(token->name, "ops");
	assert_int_equal(token->role, CP_ACCESS_ADMIN);
	assert_string_equal(token->identity, "sip:Anna@example.net");
	assert_null(cp_tokens_find(&f->tokens, "secre"));
	assert_null(cp_tokens_find(&f->tokens, "secretx"));
	assert_null(cp_tokens_find(&f->tokens, ""));
	assert_null(cp_tokens_find(&f->tokens, HASH));
}

static void
wrong_lines_are_named(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{"ops admin " HASH "\n", ":1: the line must be NAME ROLE SHA-256 IDENTITY"},
		{"\nops admin " HASH " - x\n", ":2: the line must be"},
		{"o/s admin " HASH " -\n", "has a name with other than letters"},
		{"ops root " HASH " -\n", "has a role that is not viewer, creator or admin"},
		{"ops admin 12 -\n", "has a hash that is not 64 hexadecimal digits"},
		{"ops admin " HASH " mailto:x\n", "has an identity that is no sip:"},
		{"ops creator " HASH " -\n", "is of a creator without an identity"},
		{"ops admin " HASH " -\nops viewer " HASH " -\n",
		 ":2: the line has a name that stands twice"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(load(f, rows[i].text, 0640) < 0);
		if (strstr(f->why, rows[i].why) == NULL)
			fail_msg("%s", f->why);
		assert_int_equal(f->tokens.count, 0);
	}
	assert_int_equal(load(f, "ops admin " HASH " -\n", 0662), -EPERM);
	assert_int_equal(load(f, "ops admin " HASH " -\n", 0660), -EPERM);
	unlink(f->path);
	assert_int_equal(cp_tokens_load(&f->tokens, f->path, f->why, sizeof(f->why)), -ENOENT);
}

static void
what_is_saved_is_read_again(void **state)
{
	struct fixture *f = *state;
	struct cp_token token = {.name = "web", .role = CP_ACCESS_CREATOR};
	struct cp_token other = {.name = "wall", .role = CP_ACCESS_VIEWER};
	char text[CP_TOKEN_TEXT_MAX], second[CP_TOKEN_TEXT_MAX];
	struct stat info;

	strcpy(token.identity, "sip:anna@example.net");
	assert_int_equal(cp_token_make(text, &token), 0);
	assert_int_equal(cp_token_make(second, &other), 0);
	assert_string_not_equal(text, second);
	assert_int_equal(strlen(text), strlen("conclave_") + 43);
	assert_int_equal(cp_tokens_add(&f->tokens, &token), 0);
	assert_int_equal(cp_tokens_add(&f->tokens, &token), -EEXIST);
	assert_int_equal(cp_tokens_add(&f->tokens, &other), 0);
	assert_int_equal(cp_tokens_save(&f->tokens, f->path), 0);
	assert_int_equal(stat(f->path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0640);
	assert_true(cp_tokens_are_stale(&f->tokens, f->path));
	cp_tokens_fini(&f->tokens);
	assert_int_equal(cp_tokens_load(&f->tokens, f->path, f->why, sizeof(f->why)), 0);
	assert_false(cp_tokens_are_stale(&f->tokens, f->path));
	assert_int_equal(f->tokens.count, 2);
	assert_string_equal(cp_tokens_find(&f->tokens, text)->identity, token.identity);
	assert_string_equal(cp_tokens_find(&f->tokens, second)->name, "wall");
	assert_int_equal(cp_tokens_remove(&f->tokens, "web"), 0);
	assert_int_equal(cp_tokens_remove(&f->tokens, "web"), -ENOENT);
	assert_null(cp_tokens_find(&f->tokens, text));
	assert_non_null(cp_tokens_find(&f->tokens, second));
	chmod(f->path, 0600);
	cp_tokens_fini(&f->tokens);
	assert_int_equal(cp_tokens_load(&f->tokens, f->path, f->why, sizeof(f->why)), 0);
	assert_int_equal(cp_tokens_save(&f->tokens, f->path), 0);
	assert_int_equal(stat(f->path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
}

int
main(void)
{
#define TOKENS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TOKENS_TEST(a_token_is_found_by_what_is_shown),
		TOKENS_TEST(wrong_lines_are_named),
		TOKENS_TEST(what_is_saved_is_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
