/* The commands "kms …". */
#include "ctrlplane/cli/kms.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "ctrlplane/cli/kms_state.h"
#include "ctrlplane/conf/identity.h"
#include "ctrlplane/keys/hex.h"
#include "ctrlplane/keys/psk.h"
#include "ctrlplane/keys/seal.h"

#define CONFIG_DEFAULT "/etc/conclave/conclave.yaml"
#define SERVICE_USER "conclave" /* whom the installed units run as */
#define AUDIT_LAST 50
#define LIST_MAX 8192

const char *
cp_cli_kms_text(const struct cp_cli_kms *kms, const char *name)
{
	return json_string_value(json_object_get(kms->cli->params, name));
}

int
cp_cli_kms_fail(const char *format, ...)
{
	va_list arguments;

	fputs("conclave: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	return CP_CLI_FAILED;
}

bool
cp_cli_kms_identity(char out[CP_STORE_TEXT_MAX], const char *text, bool is_pattern)
{
	const char *star, *user;

	_Static_assert(CP_STORE_TEXT_MAX >= CP_IDENTITY_MAX, "an identity fits");
	if (cp_identity(out, cp_slice_text(text)) != 0) {
		cp_cli_kms_fail("'%s' is no sip:, sips: or global tel: URI", text);
		return false;
	}
	star = strchr(out, '*');
	user = strchr(out, ':') + 1;
	if (star == NULL || (is_pattern && star == user && strncmp(out, "sip", 3) == 0 &&
			     star[1] == '@' && strchr(star + 1, '*') == NULL))
		return true;
	cp_cli_kms_fail(is_pattern ? "'%s': a '*' stands for the whole user part, as in "
				     "sip:*@focus.example"
				   : "'%s': a user has no '*' in its identity",
			text);
	return false;
}

/* Who serves from the store: node.user, else the installed units' user. Only root can give it away. */
static void
give_away(const struct cp_cli_kms *kms, const char *path)
{
	const char *name = kms->settings.node.user;
	const struct passwd *user = getpwnam(name != NULL ? name : SERVICE_USER);

	if (geteuid() == 0 && user != NULL && chown(path, user->pw_uid, user->pw_gid) != 0)
		cp_cli_kms_fail("%s: cannot be given to %s: %s", path, user->pw_name,
				strerror(errno));
}

int
cp_cli_kms_write(const struct cp_cli_kms *kms, const char *path, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	bool is_written;

	if (fd < 0)
		return cp_cli_kms_fail("%s: %s", path, strerror(errno));
	is_written = write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
	close(fd);
	if (is_written)
		return CP_CLI_OK;
	unlink(path);
	return cp_cli_kms_fail("%s: cannot be written: %s", path, strerror(errno));
}

static int
load_settings(struct cp_cli_kms *kms)
{
	const char *path = cp_cli_kms_text(kms, "config");
	struct conf_errors errors = {0};
	int error;

	if (path == NULL && access(CONFIG_DEFAULT, R_OK) == 0)
		path = CONFIG_DEFAULT;
	error = cp_kms_settings_load(&kms->settings, path, &errors);
	if (error != 0)
		conf_errors_print(&errors, stderr);
	conf_errors_free(&errors);
	kms->store_path = cp_cli_kms_text(kms, "store");
	kms->master_key_path = cp_cli_kms_text(kms, "master_key");
	if (kms->store_path == NULL)
		kms->store_path = kms->settings.kms.store;
	if (kms->master_key_path == NULL)
		kms->master_key_path = kms->settings.kms.master_key;
	return error == 0 ? CP_CLI_OK : CP_CLI_FAILED;
}

static int
open_store(struct cp_cli_kms *kms)
{
	struct cp_store_options options = {kms->store_path, kms->master_key_path};
	bool is_new = access(kms->store_path, F_OK) != 0;
	char why[1024];

	if (cp_store_open(&kms->store, &options, why, sizeof(why)) != 0)
		return cp_cli_kms_fail("%s", why);
	if (is_new)
		give_away(kms, kms->store_path);
	return CP_CLI_OK;
}

int
cp_cli_kms_fail_store(const struct cp_cli_kms *kms, const char *what, int error)
{
	return cp_cli_kms_fail("%s: %s", what,
			       error == -EIO || error == -EBUSY || error == -EUCLEAN
				       ? cp_store_why(kms->store)
				       : strerror(-error));
}

static int
run_init(struct cp_cli_kms *kms)
{
	char why[1024];
	int error = cp_seal_make_file(kms->master_key_path, why, sizeof(why));
	bool is_new = error == 0;
	int status;

	if (error != 0 && error != -EEXIST)
		return cp_cli_kms_fail("%s", why);
	if (is_new)
		give_away(kms, kms->master_key_path);
	status = open_store(kms);
	return status != CP_CLI_OK
		       ? status
		       : cp_cli_kms_print(kms, json_pack("{s:s, s:s, s:b}", "store",
							 kms->store_path, "master_key",
							 kms->master_key_path, "is_new", is_new));
}

int
cp_cli_kms_make_keys(struct cp_store_user *user, const char *set)
{
	for (int i = 0; i < CP_STORE_SETS; i++) {
		size_t len = cp_store_key_octets[i];

		user->has_psk[i] = set == NULL || strcmp(set, "both") == 0 ||
				   strcmp(set, i == 0 ? "128" : "256") == 0;
		if (user->has_psk[i] && getrandom(user->psk[i], len, 0) != (ssize_t)len)
			return cp_cli_kms_fail("the kernel has no random octets");
	}
	return CP_CLI_OK;
}

static int
read_keys(struct cp_store_user *user, const char *path)
{
	struct cp_psk_file file;
	char why[1024];
	int error = cp_psk_file_read(&file, path, why, sizeof(why));

	for (int i = 0; i < CP_STORE_SETS && error == 0; i++) {
		user->has_psk[i] = file.psk[i] != NULL;
		if (user->has_psk[i])
			memcpy(user->psk[i], cp_secret_octets(file.psk[i]), cp_store_key_octets[i]);
	}
	cp_psk_file_fini(&file);
	return error == 0 ? CP_CLI_OK : cp_cli_kms_fail("%s", why);
}

/* Keys of a file or fresh ones; where these are to go must have been said. */
static int
choose_keys(const struct cp_cli_kms *kms, struct cp_store_user *user)
{
	const char *from = cp_cli_kms_text(kms, "from_file");
	const char *to = cp_cli_kms_text(kms, "psk_file");

	if (from != NULL)
		return read_keys(user, from);
	if (to == NULL && !json_is_true(json_object_get(kms->cli->params, "show"))) {
		cp_cli_kms_fail("say where the new keys shall go: --psk-file FILE, or --show for "
				"the terminal");
		return CP_CLI_USAGE;
	}
	return cp_cli_kms_make_keys(user, cp_cli_kms_text(kms, "set"));
}

/* To the file and to the terminal, as asked. */
static int
hand_out_keys(const struct cp_cli_kms *kms, const struct cp_store_user *user)
{
	const char *path = cp_cli_kms_text(kms, "psk_file");
	struct cp_psk_text psk = {.identity = user->identity, .psk_id = user->psk_id};
	char text[CP_PSK_FILE_MAX];
	int status = CP_CLI_OK;
	size_t len;

	for (int i = 0; i < CP_STORE_SETS; i++)
		psk.psk[i] = user->has_psk[i] ? user->psk[i] : NULL;
	len = cp_psk_file_format(text, &psk);
	if (path != NULL)
		status = cp_cli_kms_write(kms, path, text, len);
	if (status == CP_CLI_OK && json_is_true(json_object_get(kms->cli->params, "show")))
		fputs(text, kms->cli->is_json ? stderr : stdout);
	explicit_bzero(text, sizeof(text));
	return status;
}

/* A list of the command line, canonical, as one text. */
static int
join_patterns(char out[LIST_MAX], const struct cp_cli_kms *kms, const char *name)
{
	size_t i, len = 0;
	json_t *item;

	out[0] = '\0';
	json_array_foreach (json_object_get(kms->cli->params, name), i, item) {
		char pattern[CP_STORE_TEXT_MAX];

		if (!cp_cli_kms_identity(pattern, json_string_value(item), true))
			return CP_CLI_FAILED;
		if (len + strlen(pattern) + 2 > LIST_MAX)
			return cp_cli_kms_fail("too many patterns");
		len += (size_t)sprintf(out + len, "%s%s", len > 0 ? "\n" : "", pattern);
	}
	return CP_CLI_OK;
}

/* Whom the audit log shall name: the login, and through sudo the one behind it. */
static void
name_login(char *out, size_t size)
{
	const struct passwd *user = getpwuid(getuid());
	const char *name = getenv("SUDO_USER");

	if (getuid() != 0 || name == NULL || name[0] == '\0')
		name = user != NULL ? user->pw_name : "?";
	snprintf(out, size, "local:%s", name);
}

/* An entry about the command that runs. */
static int
note(struct cp_cli_kms *kms, const char *identity)
{
	char source[80];
	struct timespec now;
	struct cp_store_audit entry = {.what = kms->cli->command->verb,
				       .source = source,
				       .user = identity,
				       .is_granted = true};

	name_login(source, sizeof(source));
	clock_gettime(CLOCK_REALTIME, &now);
	entry.at_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	return cp_store_audit_add(kms->store, &entry);
}

int
cp_cli_kms_commit(struct cp_cli_kms *kms, const char *identity, int error)
{
	const char *what = identity != NULL ? identity : kms->store_path;

	if (error == 0)
		error = note(kms, identity);
	if (error == 0)
		error = cp_store_commit(kms->store);
	if (error == 0) {
		cp_cli_kms_settle(kms);
		return CP_CLI_OK;
	}
	if (error == -EEXIST)
		cp_cli_kms_fail("%s: this identity or this name of keys is taken", what);
	else if (error == -ENOENT)
		cp_cli_kms_fail("%s: the KMS has no such user", what);
	else
		cp_cli_kms_fail_store(kms, what, error);
	cp_store_rollback(kms->store);
	return CP_CLI_FAILED;
}

/* The keys go out before the change is final, so that none is in use that nobody has. */
static int
commit_keys(struct cp_cli_kms *kms, const struct cp_store_user *user, int error)
{
	int status = error == 0 ? hand_out_keys(kms, user) : CP_CLI_OK;

	if (status == CP_CLI_OK)
		return cp_cli_kms_commit(kms, user->identity, error);
	cp_store_rollback(kms->store);
	return status;
}

static int
print_user(void *arg, const struct cp_store_user *user)
{
	json_array_append_new(arg, cp_cli_kms_user_json(user));
	return 0;
}

/* One user as it is now. */
static int
show_user(struct cp_cli_kms *kms, const char *identity)
{
	json_t *found = json_array(), *user;
	int count = cp_store_users(kms->store, identity, print_user, found);

	if (count <= 0) {
		json_decref(found);
		return count == 0 ? cp_cli_kms_fail("%s: the KMS has no such user", identity)
				  : cp_cli_kms_fail_store(kms, identity, count);
	}
	user = json_incref(json_array_get(found, 0));
	json_decref(found);
	return cp_cli_kms_print(kms, user);
}

static int
change_keys(struct cp_cli_kms *kms, struct cp_store_user *user, bool is_new)
{
	int status = choose_keys(kms, user), error;

	if (status != CP_CLI_OK)
		return status;
	error = cp_store_begin(kms->store);
	if (error == 0)
		error = is_new ? cp_store_user_add(kms->store, user, kms->now)
			       : cp_store_user_rekey(kms->store, user, kms->now);
	status = commit_keys(kms, user, error);
	return status != CP_CLI_OK ? status : show_user(kms, user->identity);
}

static int
run_user_add(struct cp_cli_kms *kms, const char *identity)
{
	const json_t *rate = json_object_get(kms->cli->params, "rate");
	static char act_for[LIST_MAX], responders[LIST_MAX];
	struct cp_store_user user = {
		.identity = identity,
		.psk_id = cp_cli_kms_text(kms, "psk_id"),
		.act_for = act_for,
		.responders = responders,
		.is_enabled = true,
		.rate = rate != NULL ? json_integer_value(rate) : -1,
	};
	int status = join_patterns(act_for, kms, "act_for");

	if (status == CP_CLI_OK)
		status = join_patterns(responders, kms, "responder");
	if (status == CP_CLI_OK)
		status = change_keys(kms, &user, true);
	explicit_bzero(&user, sizeof(user));
	return status;
}

static int
run_user_rotate(struct cp_cli_kms *kms, const char *identity)
{
	struct cp_store_user user = {.identity = identity};
	int status = change_keys(kms, &user, false);

	explicit_bzero(&user, sizeof(user));
	return status;
}

static int
run_user_enable(struct cp_cli_kms *kms, const char *identity, bool is_enabled)
{
	int error = cp_store_begin(kms->store), status;

	if (error == 0)
		error = cp_store_user_enable(kms->store, identity, is_enabled, kms->now);
	status = cp_cli_kms_commit(kms, identity, error);
	return status != CP_CLI_OK ? status : show_user(kms, identity);
}

static int
run_user_remove(struct cp_cli_kms *kms, const char *identity)
{
	int error = cp_store_begin(kms->store), status;

	if (error == 0)
		error = cp_store_user_remove(kms->store, identity);
	status = cp_cli_kms_commit(kms, identity, error);
	return status != CP_CLI_OK ? status
				   : cp_cli_kms_print(kms, json_pack("{s:s}", "removed", identity));
}

static int
run_user_list(struct cp_cli_kms *kms)
{
	json_t *users = json_array();
	int count = cp_store_users(kms->store, NULL, print_user, users);

	if (count < 0) {
		json_decref(users);
		return cp_cli_kms_fail_store(kms, kms->store_path, count);
	}
	return cp_cli_kms_print(kms, json_pack("{s:i, s:o}", "total", count, "users", users));
}

static int
print_tpk(void *arg, const struct cp_store_tpk *tpk)
{
	json_t *json = json_pack("{s:s, s:s*, s:i, s:I}", "id", tpk->id, "owner",
				 tpk->owner[0] != '\0' ? tpk->owner : NULL, "set",
				 tpk->set == 0 ? 128 : 256, "created", (json_int_t)tpk->created);

	json_object_set_new(json, "retired",
			    tpk->retired != 0 ? json_integer(tpk->retired) : json_null());
	json_object_set_new(json, "last_ticket_ends",
			    tpk->last_end != 0 ? json_integer(tpk->last_end) : json_null());
	json_array_append_new(arg, json);
	return 0;
}

static int
run_tpk_list(struct cp_cli_kms *kms)
{
	json_t *tpks = json_array();
	int count = cp_store_tpks(kms->store, print_tpk, tpks);

	if (count < 0) {
		json_decref(tpks);
		return cp_cli_kms_fail_store(kms, kms->store_path, count);
	}
	return cp_cli_kms_print(kms, json_pack("{s:i, s:o}", "total", count, "tpks", tpks));
}

static int
run_tpk_rotate(struct cp_cli_kms *kms)
{
	int error = cp_store_begin(kms->store), status;

	if (error == 0)
		error = cp_store_tpk_rotate(kms->store, kms->now);
	status = cp_cli_kms_commit(kms, NULL, error);
	return status != CP_CLI_OK ? status : run_tpk_list(kms);
}

static int
write_tpk(const struct cp_cli_kms *kms, const char *path, const struct cp_store_tpk *tpk)
{
	char text[2 * CP_STORE_TEXT_MAX + 4 * CP_STORE_KEY_MAX], digits[2 * CP_STORE_KEY_MAX + 1];
	int len, status;

	cp_hex_encode(digits, tpk->key, cp_store_key_octets[tpk->set]);
	len = snprintf(text, sizeof(text), "identity: %s\npsk_id: %s\npsk%d: %s\n", tpk->owner,
		       tpk->id, tpk->set == 0 ? 128 : 256, digits);
	status = cp_cli_kms_write(kms, path, text, (size_t)len);
	explicit_bzero(text, sizeof(text));
	explicit_bzero(digits, sizeof(digits));
	return status;
}

static int
run_tpk_add(struct cp_cli_kms *kms, const char *identity)
{
	const char *path = cp_cli_kms_text(kms, "tpk_file"), *id = cp_cli_kms_text(kms, "tpk_id");
	const char *set = cp_cli_kms_text(kms, "set");
	struct cp_store_tpk tpk = {.set = set == NULL || strcmp(set, "256") == 0,
				   .created = kms->now};
	size_t len = cp_store_key_octets[tpk.set];
	int error, status;

	if (path == NULL || id == NULL) {
		cp_cli_kms_fail("say the key's name and where it shall go: --tpk-id NAME "
				"--tpk-file FILE");
		return CP_CLI_USAGE;
	}
	snprintf(tpk.id, sizeof(tpk.id), "%s", id);
	snprintf(tpk.owner, sizeof(tpk.owner), "%s", identity);
	if (getrandom(tpk.key, len, 0) != (ssize_t)len)
		return cp_cli_kms_fail("the kernel has no random octets");
	error = cp_store_begin(kms->store);
	if (error == 0)
		error = cp_store_tpk_add(kms->store, &tpk);
	status = error == 0	    ? write_tpk(kms, path, &tpk)
		 : error == -EEXIST ? cp_cli_kms_fail("%s: there is a key of this name", id)
				    : cp_cli_kms_fail_store(kms, id, error);
	explicit_bzero(&tpk, sizeof(tpk));
	if (status != CP_CLI_OK) {
		cp_store_rollback(kms->store);
		return status;
	}
	status = cp_cli_kms_commit(kms, identity, 0);
	return status != CP_CLI_OK ? status : run_tpk_list(kms);
}

static int
print_entry(void *arg, const struct cp_store_audit *e)
{
	json_t *json = json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:I, s:i, s:I}", "at_ms",
				 (json_int_t)e->at_ms, "what", e->what, "source", e->source,
				 "owner", e->owner, "user", e->user, "initiator", e->initiator,
				 "responder", e->responder, "granted", e->is_granted, "csb_id",
				 (json_int_t)e->csb_id, "set", e->bits, "ends", (json_int_t)e->end);

	if (!e->is_granted) {
		json_object_set_new(json, "error", json_integer(e->error));
		json_object_set_new(json, "why", json_string(e->text));
	}
	json_array_append_new(arg, json);
	return 0;
}

static int
run_audit(struct cp_cli_kms *kms)
{
	const json_t *last = json_object_get(kms->cli->params, "last");
	const char *user = cp_cli_kms_text(kms, "user");
	char identity[CP_STORE_TEXT_MAX];
	struct cp_store_audit_query query = {
		.identity = user != NULL ? identity : NULL,
		.count = last != NULL ? json_integer_value(last) : AUDIT_LAST,
	};
	json_t *entries;
	int count;

	if (user != NULL && !cp_cli_kms_identity(identity, user, false))
		return CP_CLI_USAGE;
	entries = json_array();
	count = cp_store_audits(kms->store, &query, print_entry, entries);
	if (count < 0) {
		json_decref(entries);
		return cp_cli_kms_fail_store(kms, kms->store_path, count);
	}
	return cp_cli_kms_print(kms, json_pack("{s:o}", "audit", entries));
}

/* Commands that are about one user: uri is canonical. */
static int
run_on_user(struct cp_cli_kms *kms)
{
	char identity[CP_STORE_TEXT_MAX];

	if (!cp_cli_kms_identity(identity, cp_cli_kms_text(kms, "uri"), false))
		return CP_CLI_USAGE;
	switch (kms->cli->command->id) {
	case CP_COMMAND_KMS_USER_ADD:
		return run_user_add(kms, identity);
	case CP_COMMAND_KMS_USER_ROTATE:
		return run_user_rotate(kms, identity);
	case CP_COMMAND_KMS_USER_ENABLE:
		return run_user_enable(kms, identity, true);
	case CP_COMMAND_KMS_USER_DISABLE:
		return run_user_enable(kms, identity, false);
	case CP_COMMAND_KMS_USER_REMOVE:
		return run_user_remove(kms, identity);
	case CP_COMMAND_KMS_TPK_ADD:
		return run_tpk_add(kms, identity);
	default:
		return show_user(kms, identity);
	}
}

static int
run(struct cp_cli_kms *kms)
{
	int status;

	if (kms->cli->command->id == CP_COMMAND_KMS_INIT)
		return run_init(kms);
	if (kms->cli->command->id == CP_COMMAND_KMS_STATUS)
		return cp_cli_kms_status(kms);
	status = open_store(kms);
	if (status != CP_CLI_OK)
		return status;
	switch (kms->cli->command->id) {
	case CP_COMMAND_KMS_USER_LIST:
		return run_user_list(kms);
	case CP_COMMAND_KMS_USER_IMPORT:
		return cp_cli_kms_import(kms);
	case CP_COMMAND_KMS_TPK_LIST:
		return run_tpk_list(kms);
	case CP_COMMAND_KMS_TPK_ROTATE:
		return run_tpk_rotate(kms);
	case CP_COMMAND_KMS_AUDIT:
		return run_audit(kms);
	default:
		return run_on_user(kms);
	}
}

int
cp_cli_kms(const struct cp_cli *cli)
{
	static struct cp_cli_kms kms;
	int status;

	kms.cli = cli;
	kms.now = time(NULL);
	status = load_settings(&kms);
	if (status == CP_CLI_OK)
		status = run(&kms);
	cp_store_close(kms.store);
	cp_kms_settings_free(&kms.settings);
	return status;
}
