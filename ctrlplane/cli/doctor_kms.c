/* The doctor's look at the KMS of this machine: master key, store, certificate, clock, and the program. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "ctrlplane/cli/doctor.h"
#include "ctrlplane/cli/kms_state.h"
#include "ctrlplane/keys/pem.h"

#define SOON_DAYS 14
#define DAY 86400

/* False: that others may read it has been said. */
static bool
is_private(struct cp_doctor *doctor, const char *what, const char *path)
{
	struct stat info;
	char mend[600];

	if (stat(path, &info) != 0 || (info.st_mode & 077) == 0)
		return true;
	snprintf(mend, sizeof(mend), "chmod 600 %.500s", path);
	cp_doctor_find(doctor, CP_FINDING_FAIL, what, mend,
		       "%s: mode %o, others than its owner may read it", path,
		       info.st_mode & 07777);
	return false;
}

static int
count_user(void *arg, const struct cp_store_user *user)
{
	*(int *)arg += user->is_enabled;
	return 0;
}

static int
count_tpk(void *arg, const struct cp_store_tpk *tpk)
{
	*(int *)arg += tpk->retired == 0 && tpk->owner[0] == '\0';
	return 0;
}

/* With its master key: each key in it is opened. */
static void
check_store(struct cp_doctor *doctor, const struct cp_kms_options *o)
{
	const struct cp_store_options options = {o->store, o->master_key};
	struct cp_store *store = NULL;
	int enabled = 0, tpks = 0, users, error;
	char why[1024];

	if (access(o->store, F_OK) != 0) { /* to open it would make it */
		cp_doctor_find(doctor, CP_FINDING_FAIL, "KMS store", "conclave kms init", "%s: %s",
			       o->store, strerror(errno));
		return;
	}
	if (!is_private(doctor, "KMS store", o->store))
		return;
	error = cp_store_open(&store, &options, why, sizeof(why));
	users = error == 0 ? cp_store_users(store, NULL, count_user, &enabled) : error;
	if (users >= 0)
		error = cp_store_tpks(store, count_tpk, &tpks);
	if (store == NULL)
		cp_doctor_find(doctor, CP_FINDING_FAIL, "KMS store",
			       "run as root or as node.user; conclave kms init makes what is not "
			       "there",
			       "%s", why);
	else if (users < 0 || error < 0)
		cp_doctor_find(doctor, CP_FINDING_FAIL, "KMS store",
			       "bring back the store or the master key that belong together",
			       "%s: %s", o->store,
			       users == -EBADMSG || error == -EBADMSG
				       ? "a key in it does not open with this master key"
				       : cp_store_why(store));
	else
		cp_doctor_find(doctor, users > 0 ? CP_FINDING_OK : CP_FINDING_NOTE, "KMS store",
			       "conclave kms user add", "%s: %d users, %d enabled, %d TPKs in use",
			       o->store, users, enabled, tpks);
	cp_store_close(store);
}

static void
check_certificate(struct cp_doctor *doctor, const struct cp_kms_settings *settings)
{
	const struct cp_kms_options *o = &settings->kms;
	int64_t end, days;
	bool has_tls = false;
	char why[1024];
	int error;

	for (size_t i = 0; i < settings->address_count; i++)
		has_tls |= settings->addresses[i].is_tls;
	if (!has_tls || !is_private(doctor, "certificate", o->private_key))
		return;
	error = cp_pem_examine(&end, o->certificate, o->private_key, why, sizeof(why));
	days = (end - time(NULL)) / DAY;
	if (error != 0)
		cp_doctor_find(doctor, CP_FINDING_FAIL, "certificate",
			       "set kms.tls.certificate and kms.tls.key to files that belong "
			       "together",
			       "%s", why);
	else if (end <= time(NULL))
		cp_doctor_find(doctor, CP_FINDING_FAIL, "certificate",
			       "renew it, then systemctl reload conclave-kms",
			       "%s ended %lld days ago", o->certificate, (long long)-days);
	else
		cp_doctor_find(doctor, days < SOON_DAYS ? CP_FINDING_NOTE : CP_FINDING_OK,
			       "certificate", "renew it, then systemctl reload conclave-kms",
			       "%s ends in %lld days", o->certificate, (long long)days);
}

/* A message is refused that is kms.skew off: profile 2. */
static void
check_clock(struct cp_doctor *doctor, const struct cp_kms_options *o)
{
	struct timex state = {.modes = 0};
	int rc = adjtimex(&state);

	if (rc < 0 || (state.status & STA_UNSYNC) != 0)
		cp_doctor_find(doctor, CP_FINDING_NOTE, "time",
			       "systemctl enable --now systemd-timesyncd, or another NTP client",
			       "the clock follows no other; users whose clocks are %lld s off are "
			       "refused",
			       (long long)(o->skew_ms / 1000));
	else
		cp_doctor_find(doctor, CP_FINDING_OK, "time", NULL, "the clock is synchronised");
}

static void
check_program(struct cp_doctor *doctor, const struct cp_kms_settings *settings)
{
	char why[512];
	json_t *status = cp_cli_kms_ask(settings, why, sizeof(why));
	const json_t *audit = json_object_get(status, "audit");
	const char *store = json_string_value(json_object_get(status, "store"));

	if (status == NULL)
		cp_doctor_find(doctor, CP_FINDING_NOTE, "KMS", "systemctl start conclave-kms",
			       "no status: %s", why);
	else if (store == NULL || strcmp(store, settings->kms.store) != 0)
		cp_doctor_find(doctor, CP_FINDING_FAIL, "KMS",
			       "restart conclave-kms, or name its configuration by --config",
			       "it serves from %s, not from %s", store != NULL ? store : "?",
			       settings->kms.store);
	else if (json_integer_value(json_object_get(audit, "lost")) > 0)
		cp_doctor_find(doctor, CP_FINDING_FAIL, "KMS",
			       "its log says why the store cannot be written",
			       "%lld entries of the audit log are lost",
			       (long long)json_integer_value(json_object_get(audit, "lost")));
	else
		cp_doctor_find(doctor, CP_FINDING_OK, "KMS", NULL, "%s answers, version %s",
			       json_string_value(json_object_get(status, "id")),
			       json_string_value(json_object_get(status, "version")));
	json_decref(status);
}

void
cp_doctor_kms(struct cp_doctor *doctor)
{
	struct cp_kms_settings settings;
	struct conf_errors errors = {0};
	int error = cp_kms_settings_load(&settings, doctor->config, &errors);

	/* what is wrong with the file has been said; where neither is there, the KMS is elsewhere */
	if (error == 0 &&
	    (access(settings.kms.master_key, F_OK) == 0 || access(settings.kms.store, F_OK) == 0)) {
		if (is_private(doctor, "master key", settings.kms.master_key))
			check_store(doctor, &settings.kms);
		check_certificate(doctor, &settings);
		check_clock(doctor, &settings.kms);
		check_program(doctor, &settings);
	} else if (error == 0) {
		cp_doctor_find(doctor, CP_FINDING_OK, "KMS", NULL, "none on this machine (no %s)",
			       settings.kms.store);
	}
	conf_errors_free(&errors);
	cp_kms_settings_free(&settings);
}
