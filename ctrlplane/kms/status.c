/* The status of a KMS as JSON. */
#include <jansson.h>
#include <string.h>
#include <time.h>

#include "ctrlplane/kms/kms_state.h"

static json_t *
number(const _Atomic uint64_t *counter)
{
	return json_integer((json_int_t)atomic_load(counter));
}

static json_t *
exchange(const struct cp_kms_counters *c, int which)
{
	return json_pack("{s:o, s:o}", "granted", number(&c->granted[which]), "refused",
			 number(&c->refused[which]));
}

static json_t *
errors_of(const struct cp_kms_counters *c)
{
	json_t *errors = json_object();
	char name[8];

	for (int i = 0; i < 16; i++) {
		if (atomic_load(&c->errors[i]) == 0)
			continue;
		snprintf(name, sizeof(name), "%d", i);
		json_object_set_new(errors, name, number(&c->errors[i]));
	}
	return errors;
}

static json_t *
tpks_of(const struct cp_kms_book *book)
{
	json_t *tpks = json_array();

	for (size_t i = 0; i < book->tpk_count; i++)
		json_array_append_new(
			tpks, json_pack("{s:s, s:i, s:b, s:I}", "id", book->tpks[i].id, "set",
					book->tpks[i].set == CP_MIKEY_SET_128 ? 128 : 256,
					"retired", book->tpks[i].is_retired, "last_ticket_ends",
					(json_int_t)atomic_load(&book->tpks[i].last_end)));
	return tpks;
}

char *
cp_kms_status(struct cp_kms *kms)
{
	const struct cp_kms_counters *c = &kms->counters;
	json_t *json;
	size_t replay;
	char *text;

	pthread_mutex_lock(&kms->replay_lock);
	replay = cp_mikey_replay_count(kms->replay);
	pthread_mutex_unlock(&kms->replay_lock);
	pthread_rwlock_rdlock(&kms->book_lock);
	json = json_pack("{s:s, s:s, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "version",
			 CONCLAVE_VERSION, "id", kms->settings->id, "uptime_s",
			 (json_int_t)(time(NULL) - kms->started), "users",
			 (json_int_t)kms->book->user_count, "tpks", tpks_of(kms->book), "request",
			 exchange(c, 0), "resolve", exchange(c, 1), "other", number(&c->other),
			 "errors", errors_of(c));
	json_object_set_new(json, "store", json_string(kms->settings->kms.store));
	json_object_set_new(json, "generation", json_integer(kms->book->generation));
	json_object_set_new(json, "replay",
			    json_pack("{s:I, s:I}", "remembered", (json_int_t)replay, "room",
				      (json_int_t)kms->settings->kms.replay_room));
	pthread_rwlock_unlock(&kms->book_lock);
	json_object_set_new(json, "limited",
			    json_pack("{s:o, s:o, s:o}", "identity", number(&c->limited_identity),
				      "source", number(&c->limited_source), "slow",
				      number(&c->slow)));
	json_object_set_new(json, "http",
			    json_pack("{s:o, s:o, s:o}", "2xx", number(&c->http[2]), "4xx",
				      number(&c->http[4]), "5xx", number(&c->http[5])));
	json_object_set_new(json, "audit",
			    json_pack("{s:o, s:I, s:I}", "unrecorded", number(&c->unrecorded),
				      "pending", (json_int_t)cp_kms_journal_pending(kms->journal),
				      "lost", (json_int_t)cp_kms_journal_lost(kms->journal)));
	text = json_dumps(json, JSON_INDENT(2));
	json_decref(json);
	return text;
}
