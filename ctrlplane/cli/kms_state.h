/* What the files of the commands "kms …" share. */
#ifndef CP_CLI_KMS_STATE_H
#define CP_CLI_KMS_STATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "ctrlplane/cli/words.h"
#include "ctrlplane/kms/setup/config.h"
#include "ctrlplane/store/store.h"

/* One command under way. */
struct cp_cli_kms {
	const struct cp_cli *cli;
	struct cp_kms_settings settings;
	const char *store_path, *master_key_path;
	struct cp_store *store;
	int64_t now;
};

/* A parameter of the command line; NULL: not given. */
const char *cp_cli_kms_text(const struct cp_cli_kms *kms, const char *name);

/* To stderr as "conclave: …"; gives CP_CLI_FAILED. */
int cp_cli_kms_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The canonical form, printed where it is none. A pattern may have '*' for its whole user part. */
bool cp_cli_kms_identity(char out[CP_STORE_TEXT_MAX], const char *text, bool is_pattern);

/* A new file, mode 0600, of the store's owner. An exit status. */
int cp_cli_kms_write(const struct cp_cli_kms *kms, const char *path, const char *text, size_t len);

/* What the store or errno say; gives CP_CLI_FAILED. */
int cp_cli_kms_fail_store(const struct cp_cli_kms *kms, const char *what, int error);

/* The end of a change to the store that cp_store_begin began: an entry of the audit log about it, and commit; or all is undone
 * and the reason is said. identity NULL: it is about none. An exit status. */
int cp_cli_kms_commit(struct cp_cli_kms *kms, const char *identity, int error);

/* The running KMS's status: a copy of its JSON, or NULL and why. */
json_t *cp_cli_kms_ask(const struct cp_kms_settings *settings, char *why, size_t size);
int cp_cli_kms_status(struct cp_cli_kms *kms);
/* When it serves from our store, wait a moment until it has taken up what was changed. */
void cp_cli_kms_settle(struct cp_cli_kms *kms);

/* Random keys of the sets that are named: "128", "256", "both" or NULL. */
int cp_cli_kms_make_keys(struct cp_store_user *user, const char *set);

/* JSON or text of what was done or asked for, by is_json. Steals the object. */
int cp_cli_kms_print(const struct cp_cli_kms *kms, json_t *json);

/* Without its keys. */
json_t *cp_cli_kms_user_json(const struct cp_store_user *user);

int cp_cli_kms_import(struct cp_cli_kms *kms);

#endif
