/* The KMS's life, and what one thread does for all. */
#include "ctrlplane/kms/kms.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "ctrlplane/base/log.h"
#include "ctrlplane/kms/kms_state.h"

#define AREA "kms"
#define SOURCES 16384  /* addresses that are limited at a time */
#define DRAIN_MAX 4096 /* entries of one transaction */
#define PURGE_S 10
#define DAY_S 86400 /* no ticket is valid longer: profile 2 */

void
cp_kms_check(const struct cp_kms_settings *s, const char *path, struct conf_errors *errors)
{
	struct cp_mikey_policy policy;
	const char *broken;

	cp_mikey_policy_init(&policy, CP_MIKEY_SET_256);
	broken = cp_mikey_policy_broken((uint16_t)((policy.flags | s->flags_set) & ~s->flags_clear),
					true);
	if (broken != NULL)
		conf_error(
			errors, path, conf_line(&s->sections[2], "flags_set"),
			"with 'kms.flags_set' and 'kms.flags_clear' tickets break RFC 6043 6.10: "
			"%s",
			broken);
}

static void
configure(struct cp_kms *kms)
{
	const struct cp_kms_settings *s = kms->settings;

	kms->config = cp_mikey_kms_config_default(cp_mikey_id_uri(s->id));
	kms->config.limits.skew_s = (uint32_t)(s->kms.skew_ms / 1000);
	kms->config.limits.min_set = (enum cp_mikey_set)s->kms.min_set;
	kms->config.default_validity_s = (uint32_t)(s->kms.validity_ms / 1000);
	kms->config.max_validity_s = (uint32_t)(s->kms.validity_max_ms / 1000);
	kms->config.flags_set = s->flags_set;
	kms->config.flags_clear = s->flags_clear;
	kms->env = cp_mikey_env_system();
}

static int
read_book(struct cp_kms_book **out, struct cp_kms *kms)
{
	const struct cp_kms_options *o = &kms->settings->kms;

	return cp_kms_book_read(out, kms->store, o->identity_rate, o->server_rate);
}

static bool
lacks_tpks(const struct cp_kms_book *book)
{
	for (int set = 0; set < CP_STORE_SETS; set++)
		if (book->current[set] == NULL)
			return true;
	return false;
}

static int
open_book(struct cp_kms *kms)
{
	int error = read_book(&kms->book, kms);

	if (error == 0 && lacks_tpks(kms->book)) {
		cp_kms_book_destroy(kms->book);
		kms->book = NULL;
		error = cp_store_tpk_rotate(kms->store, time(NULL));
		if (error == 0)
			error = read_book(&kms->book, kms);
	}
	return error;
}

/* Whoever changes what answers go by need not wait until nobody asks: no answer takes the lock twice. */
static void
init_book_lock(struct cp_kms *kms)
{
	pthread_rwlockattr_t attributes;

	pthread_rwlockattr_init(&attributes);
	pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&kms->book_lock, &attributes);
	pthread_rwlockattr_destroy(&attributes);
}

int
cp_kms_create(struct cp_kms **out, const struct cp_kms_settings *settings, struct cp_store *store,
	      int wake, char *why, size_t size)
{
	struct cp_kms *kms = calloc(1, sizeof(*kms));
	uint64_t seed = 0;
	int error = -ENOMEM;

	if (kms == NULL) {
		snprintf(why, size, "out of memory");
		return error;
	}
	kms->settings = settings;
	kms->store = store;
	kms->started = time(NULL);
	configure(kms);
	init_book_lock(kms);
	pthread_mutex_init(&kms->limit_lock, NULL);
	pthread_mutex_init(&kms->replay_lock, NULL);
	error = open_book(kms);
	if (error == -ENOMEM)
		snprintf(why, size,
			 "no locked memory for the users' keys; raise RLIMIT_MEMLOCK "
			 "(LimitMEMLOCK= of systemd, ulimit -l)");
	else if (error != 0)
		snprintf(why, size, "%s cannot be read: %s", settings->kms.store,
			 error == -EBADMSG ? "a key in it does not open" : cp_store_why(store));
	if (error == 0 &&
	    (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed) ||
	     cp_kms_limits_create(&kms->sources, SOURCES, seed) != 0 ||
	     cp_kms_journal_create(&kms->journal, wake) != 0 ||
	     cp_mikey_replay_create(&kms->replay, (size_t)settings->kms.replay_room) != 0)) {
		error = -ENOMEM;
		snprintf(why, size, "out of memory; lower 'kms.replay_room'");
	}
	if (error != 0)
		cp_kms_destroy(kms);
	else
		*out = kms;
	return error;
}

void
cp_kms_configure(struct cp_kms *kms, const struct cp_kms_settings *settings)
{
	pthread_rwlock_wrlock(&kms->book_lock);
	pthread_mutex_lock(&kms->limit_lock);
	kms->settings = settings;
	configure(kms);
	pthread_mutex_unlock(&kms->limit_lock);
	pthread_rwlock_unlock(&kms->book_lock);
	cp_kms_keep(kms, true); /* users have their rates by it */
}

void
cp_kms_destroy(struct cp_kms *kms)
{
	if (kms == NULL)
		return;
	cp_kms_book_destroy(kms->book);
	cp_kms_limits_destroy(kms->sources);
	cp_kms_journal_destroy(kms->journal);
	if (kms->replay != NULL)
		cp_mikey_replay_destroy(kms->replay);
	pthread_rwlock_destroy(&kms->book_lock);
	pthread_mutex_destroy(&kms->limit_lock);
	pthread_mutex_destroy(&kms->replay_lock);
	free(kms);
}

struct cp_kms_counters *
cp_kms_counters(struct cp_kms *kms)
{
	return &kms->counters;
}

/* An IPv4 address, or the /64 of an IPv6 address: what one subscriber has. */
static uint64_t
source_key(const struct sockaddr *source)
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)source;
	uint64_t key = 0;

	if (source->sa_family == AF_INET)
		return UINT64_C(1) << 32 |
		       ntohl(((const struct sockaddr_in *)source)->sin_addr.s_addr);
	memcpy(&key, &in6->sin6_addr, sizeof(key));
	return key;
}

bool
cp_kms_may_source(struct cp_kms *kms, const struct sockaddr *source)
{
	int64_t rate;
	bool may;

	pthread_mutex_lock(&kms->limit_lock);
	rate = kms->settings->kms.source_rate;
	may = rate == 0 ||
	      cp_kms_limits_take(kms->sources, source_key(source), rate, cp_kms_now_ns());
	pthread_mutex_unlock(&kms->limit_lock);
	if (!may)
		atomic_fetch_add(&kms->counters.limited_source, 1);
	return may;
}

static int
write_entry(void *arg, const struct cp_store_audit *e)
{
	struct cp_kms *kms = arg;

	cp_log(e->is_granted ? CP_LOG_INFO : CP_LOG_WARN, AREA,
	       "%s %s%s%s key=%s as=%s initiator=%s responder=%s csb=%08x set=%d from=%s", e->what,
	       e->is_granted ? "granted" : "refused: ", e->is_granted ? "" : e->text, "", e->owner,
	       e->user, e->initiator, e->responder, e->csb_id, e->bits, e->source);
	return kms->is_store_bad ? 0 : cp_store_audit_add(kms->store, e);
}

/* When the last tickets end, with the entries that say so. */
static int
keep_entries(void *arg)
{
	struct cp_kms *kms = arg;
	int error = 0;

	if (kms->is_store_bad)
		return 0;
	for (size_t i = 0; i < kms->book->tpk_count && error == 0; i++) {
		struct cp_kms_tpk *tpk = &kms->book->tpks[i];
		int64_t end = atomic_load(&tpk->last_end);

		if (end <= tpk->kept_end)
			continue;
		error = cp_store_tpk_used(kms->store, tpk->id, end);
		if (error == 0)
			tpk->kept_end = end;
	}
	return error == 0 ? cp_store_commit(kms->store) : error;
}

/* While the store cannot be written the log alone has the entries, and says so. */
static void
write_journal(struct cp_kms *kms)
{
	const struct cp_kms_journal_drain drain = {write_entry, keep_entries, kms, DRAIN_MAX};

	while (cp_kms_journal_pending(kms->journal) > 0) {
		kms->is_store_bad = false;
		if (cp_store_begin(kms->store) != 0 ||
		    cp_kms_journal_drain(kms->journal, &drain) == 0) {
			cp_log(CP_LOG_ERROR, AREA,
			       "the audit log cannot be written to %s: %s; it goes to this log "
			       "only",
			       kms->settings->kms.store, cp_store_why(kms->store));
			cp_store_rollback(kms->store);
			kms->is_store_bad = true;
			cp_kms_journal_drain(kms->journal, &drain);
		}
	}
}

static void
take_up(struct cp_kms *kms, struct cp_kms_book *book)
{
	struct cp_kms_book *before = kms->book;

	pthread_rwlock_wrlock(&kms->book_lock);
	cp_kms_book_inherit(book, before);
	kms->book = book;
	pthread_rwlock_unlock(&kms->book_lock);
	cp_log(CP_LOG_INFO, AREA, "%zu users and %zu TPKs read from the store", book->user_count,
	       book->tpk_count);
	cp_kms_book_destroy(before);
}

static void
read_changes(struct cp_kms *kms, bool must_read)
{
	struct cp_kms_book *book = NULL;
	int64_t generation;
	int error = cp_store_generation(&generation, kms->store);

	if (error == 0 && generation == kms->book->generation && !must_read)
		return;
	if (error == 0)
		error = read_book(&book, kms);
	if (error == 0 && lacks_tpks(book)) {
		cp_log(CP_LOG_ERROR, AREA,
		       "the store has no TPK; conclave kms tpk rotate makes one");
		cp_kms_book_destroy(book);
	} else if (error == 0) {
		take_up(kms, book);
	} else if (error != -EBUSY) {
		cp_log(CP_LOG_ERROR, AREA,
		       "changes of the store cannot be read (%s); what was known holds",
		       error == -ENOMEM ? "no locked memory" : cp_store_why(kms->store));
	}
}

/* TPKs grow old, retired ones are forgotten with their last ticket, and the audit log with time. */
static void
tidy(struct cp_kms *kms)
{
	const struct cp_kms_options *o = &kms->settings->kms;
	int64_t now = time(NULL), lifetime = o->tpk_lifetime_ms / 1000;
	int rc = 0;

	if (now - kms->purged_at < PURGE_S)
		return;
	kms->purged_at = now;
	for (int set = 0; set < CP_STORE_SETS && lifetime > 0; set++) {
		if (now - kms->book->current[set]->created < lifetime)
			continue;
		rc = cp_store_tpk_rotate(kms->store, now);
		cp_log(CP_LOG_INFO, AREA, "new TPKs: the old ones were %lld days old",
		       (long long)(lifetime / DAY_S));
		break;
	}
	if (rc >= 0)
		rc = cp_store_tpk_purge(kms->store, now, DAY_S);
	if (rc >= 0)
		rc = cp_store_audit_purge(kms->store, (now * 1000) - o->audit_keep_ms);
	if (rc < 0)
		cp_log(CP_LOG_ERROR, AREA, "the store cannot be tidied: %s",
		       cp_store_why(kms->store));
}

void
cp_kms_keep(struct cp_kms *kms, bool must_read)
{
	write_journal(kms);
	read_changes(kms, must_read);
	tidy(kms);
}
