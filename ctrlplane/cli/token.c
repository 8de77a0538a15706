/* The commands "token …". */
#include "ctrlplane/cli/token.h"
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include "configs/loader/loader.h"
#include "ctrlplane/cli/table.h"
#include "ctrlplane/mgmt/tokens.h"

#define CONFIG_DEFAULT "/etc/conclave/conclave.yaml"
#define SERVICE_USER "conclave" /* whom the installed units run as */

static const char *
option(const struct cp_cli *cli, const char *name)
{
	return json_string_value(json_object_get(cli->params, name));
}

static int
fail(const char *what, const char *why)
{
	fprintf(stderr, "conclave: %s%s%s\n", what, why[0] != '\0' ? ": " : "", why);
	return CP_CLI_FAILED;
}

/* http.tokens of the configuration; what else is wrong with the file is no matter here. Heap; NULL: none. */
static char *
configured(const char *config)
{
	struct http {
		char *tokens;
	} http = {0};
	static const struct conf_option options[] = {
		{.path = "tokens", .kind = CONF_STRING, .offset = offsetof(struct http, tokens)},
		{.path = NULL},
	};
	struct conf_section sections[] = {
		{.name = "http", .options = options, .into = &http},
		{.name = NULL},
	};
	struct conf_errors errors = {0};
	char *found;

	conf_load(config, sections, &errors);
	found = http.tokens != NULL ? strdup(http.tokens) : NULL;
	conf_errors_free(&errors);
	conf_free(sections);
	return found;
}

/* Heap; NULL with the reason given. */
static char *
find_path(const char *file, const char *config)
{
	char *path;

	if (file != NULL)
		return strdup(file);
	if (config == NULL)
		config = CONFIG_DEFAULT;
	if (access(config, R_OK) != 0) {
		fail(config, strerror(errno));
		return NULL;
	}
	path = configured(config);
	if (path == NULL)
		fail(config,
		     "http.tokens is not set; set it, e.g. to /etc/conclave/tokens, or give "
		     "--file");
	return path;
}

/* Two at a time would lose one's change. Released when the program ends. */
static int
lock_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[4096];
	int fd;

	snprintf(folder, sizeof(folder), "%.*s", slash != NULL ? (int)(slash - path) + 1 : 1,
		 slash != NULL ? path : ".");
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX) != 0)
		return fail(folder, strerror(errno));
	return CP_CLI_OK;
}

/* conclave-cp reads it as node.user; only root can give it away. */
static void
give_away(const char *path)
{
	const struct passwd *user = getpwnam(SERVICE_USER);

	if (geteuid() == 0 && user != NULL && chown(path, 0, user->pw_gid) != 0)
		fail(path, strerror(errno));
}

static int
save(const struct cp_tokens *tokens, const char *path)
{
	bool is_new = tokens->seen.st_ino == 0;
	int error = cp_tokens_save(tokens, path);

	if (error != 0)
		return fail(path, strerror(-error));
	if (is_new)
		give_away(path);
	return CP_CLI_OK;
}

static json_t *
view(const struct cp_token *token)
{
	return json_pack("{s:s, s:s, s:o}", "name", token->name, "role",
			 cp_access_role_name(token->role), "identity",
			 token->identity[0] != '\0' ? json_string(token->identity) : json_null());
}

static void
print(const json_t *json)
{
	json_dumpf(json, stdout, JSON_INDENT(2));
	putchar('\n');
}

static int
fill(struct cp_token *token, const struct cp_cli *cli)
{
	const char *role = option(cli, "role"), *identity = option(cli, "identity");

	snprintf(token->name, sizeof(token->name), "%s", option(cli, "name"));
	if (!cp_token_is_name(token->name)) {
		fail(token->name, "a name has letters, digits and -_.@ only");
		return CP_CLI_USAGE;
	}
	if (role != NULL)
		cp_access_role_of(&token->role, role);
	if (identity != NULL && cp_identity(token->identity, cp_slice_text(identity)) != 0) {
		fail(identity, "is no sip:, sips: or global tel: URI");
		return CP_CLI_USAGE;
	}
	if (token->role == CP_ACCESS_CREATOR && identity == NULL) {
		fail("--identity is missing", "whose would the conferences of this creator be?");
		return CP_CLI_USAGE;
	}
	return CP_CLI_OK;
}

static int
create(const struct cp_cli *cli, struct cp_tokens *tokens, const char *path)
{
	struct cp_token token = {0};
	char text[CP_TOKEN_TEXT_MAX];
	int status = fill(&token, cli), error;
	json_t *json;

	if (status != CP_CLI_OK)
		return status;
	error = cp_token_make(text, &token);
	if (error == 0)
		error = cp_tokens_add(tokens, &token);
	if (error != 0)
		return fail(token.name,
			    error == -EEXIST ? "there is a token of that name" : strerror(-error));
	status = save(tokens, path);
	if (status == CP_CLI_OK && cli->is_json) {
		json = view(&token);
		json_object_set_new(json, "token", json_string(text));
		print(json);
		json_decref(json);
	} else if (status == CP_CLI_OK) {
		fprintf(stderr, "Token of %s, shown this once:\n", token.name);
		printf("%s\n", text);
	}
	explicit_bzero(text, sizeof(text));
	return status;
}

static int
list(const struct cp_cli *cli, const struct cp_tokens *tokens)
{
	static const struct cp_table_column columns[] = {
		{.title = "NAME"},
		{.title = "ROLE"},
		{.title = "STANDS FOR", .align = CP_TABLE_FLEX}};
	struct cp_table table = {.columns = columns, .column_count = 3};
	struct cp_cli_out out = cp_cli_stdout();
	json_t *all = json_array();

	for (size_t i = 0; i < tokens->count; i++) {
		const struct cp_token *t = &tokens->items[i];

		json_array_append_new(all, view(t));
		cp_table_add(&table, (const char *[]){t->name, cp_access_role_name(t->role),
						      t->identity[0] != '\0' ? t->identity : "-"});
	}
	if (cli->is_json)
		print(all);
	else
		cp_table_print(&table, &out);
	cp_table_fini(&table);
	json_decref(all);
	return CP_CLI_OK;
}

static int
take_back(const struct cp_cli *cli, struct cp_tokens *tokens, const char *path)
{
	const char *name = option(cli, "name");
	int status;

	if (cp_tokens_remove(tokens, name) != 0)
		return fail(name, "there is no token of that name");
	status = save(tokens, path);
	if (status == CP_CLI_OK && !cli->is_json)
		printf("Token %s is removed.\n", name);
	return status;
}

static int
run(const struct cp_cli *cli, struct cp_tokens *tokens, const char *path)
{
	bool is_change = cli->command->id != CP_COMMAND_TOKEN_LIST;
	int status = is_change ? lock_folder(path) : CP_CLI_OK, error;
	char why[4352];

	if (status != CP_CLI_OK)
		return status;
	error = cp_tokens_load(tokens, path, why, sizeof(why));
	if (error != 0 && !(error == -ENOENT && cli->command->id == CP_COMMAND_TOKEN_CREATE))
		return fail(why, "");
	switch (cli->command->id) {
	case CP_COMMAND_TOKEN_CREATE:
		return create(cli, tokens, path);
	case CP_COMMAND_TOKEN_REMOVE:
		return take_back(cli, tokens, path);
	default:
		return list(cli, tokens);
	}
}

int
cp_cli_token(const struct cp_cli *cli)
{
	char *path = find_path(option(cli, "file"), option(cli, "config"));
	struct cp_tokens tokens = {0};
	int status = path != NULL ? run(cli, &tokens, path) : CP_CLI_FAILED;

	cp_tokens_fini(&tokens);
	free(path);
	return status;
}

void
cp_cli_token_names(const char *file, const char *config, FILE *out)
{
	char *path = find_path(file, config), why[4352];
	struct cp_tokens tokens = {0};

	if (path != NULL && cp_tokens_load(&tokens, path, why, sizeof(why)) == 0)
		for (size_t i = 0; i < tokens.count; i++)
			fprintf(out, "%s\n", tokens.items[i].name);
	cp_tokens_fini(&tokens);
	free(path);
}
