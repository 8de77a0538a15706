/* An answer: what the exchange asks of the store, the limits and the replay cache. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "ctrlplane/kms/kms_state.h"

#define STRANGERS_RATE 50 /* audit entries a second of messages that nobody known has sent */

/* One message under way. */
struct turn {
	struct cp_kms *kms;
	struct cp_kms_user *owner; /* of the key that it came under */
	struct cp_kms_tpk *tpk;	   /* of the ticket that is made */
	const char *why;	   /* what the exchange does not know, static */
	bool is_limited;
};

int64_t
cp_kms_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int
find_psk(void *arg, struct cp_mikey_psk *psk, struct cp_mikey_id psk_id, struct cp_mikey_id user,
	 enum cp_mikey_set set)
{
	struct turn *turn = arg;
	const struct cp_kms_book *book = turn->kms->book;
	struct cp_kms_user *owner = NULL;

	if (psk_id.data.len > 0)
		owner = cp_kms_book_psk(book, psk_id.data);
	else if (user.type == CP_MIKEY_ID_URI)
		owner = cp_kms_book_user(book, user.data);
	if (owner == NULL)
		return -ENOENT;
	if (!owner->is_enabled) {
		turn->why = "the user is disabled";
		return -ENOENT;
	}
	if (owner->psk[set] == NULL) {
		turn->why = "the user has no key of this set";
		return -ENOENT;
	}
	turn->owner = owner;
	cp_mikey_key_set(&psk->key, owner->psk[set], cp_store_key_octets[set]);
	return cp_mikey_name_set(&psk->owner, cp_mikey_id_uri(owner->identity));
}

static bool
is_disabled(const struct turn *turn, struct cp_mikey_id id)
{
	const struct cp_kms_user *user = cp_kms_book_user(turn->kms->book, id.data);

	return user != NULL && !user->is_enabled;
}

static int
may_act_for(void *arg, struct cp_mikey_id owner, struct cp_mikey_id user)
{
	struct turn *turn = arg;

	if (user.type != CP_MIKEY_ID_URI || memchr(user.data.at, '*', user.data.len) != NULL)
		return -EACCES;
	if (cp_mikey_id_is_same(owner, user))
		return 0;
	if (!cp_kms_list_has(turn->owner->act_for, user))
		return -EACCES;
	if (!is_disabled(turn, user))
		return 0;
	turn->why = "the user is disabled";
	return -EACCES;
}

/* Each exchange that was authenticated counts against the owner of the key. */
static bool
may_go_on(struct turn *turn)
{
	struct cp_kms *kms = turn->kms;
	bool may;

	if (turn->owner->rate == 0)
		return true;
	pthread_mutex_lock(&kms->limit_lock);
	may = cp_kms_bucket_take(&turn->owner->bucket, turn->owner->rate, cp_kms_now_ns());
	pthread_mutex_unlock(&kms->limit_lock);
	turn->is_limited = !may;
	return may;
}

/* May tickets of this initiator name the responder? By the lists of the owner of the key and of the
 * initiator itself. */
static bool
may_reach(const struct cp_kms_user *user, struct cp_mikey_id responder)
{
	return user == NULL || user->responders[0] == '\0' ||
	       cp_kms_list_has(user->responders, responder);
}

static int
may_request(void *arg, struct cp_mikey_id user, struct cp_mikey_policy *policy)
{
	struct turn *turn = arg;
	const struct cp_kms_user *own = cp_kms_book_user(turn->kms->book, user.data);

	if (!may_go_on(turn))
		return -EAGAIN;
	for (size_t i = 0; i < policy->responder_count; i++) {
		if (may_reach(turn->owner, policy->responders[i]) &&
		    may_reach(own, policy->responders[i]))
			continue;
		turn->why = "the user may not ask for tickets to this responder";
		return -EACCES;
	}
	return 0;
}

static int
may_resolve(void *arg, struct cp_mikey_id user, const struct cp_mikey_policy *policy)
{
	struct turn *turn = arg;

	if (!may_go_on(turn))
		return -EAGAIN;
	if (cp_kms_book_stands_for(turn->kms->book, policy->initiator, user))
		return 0;
	turn->why = "the initiator is unknown or disabled, or its tickets may not reach this "
		    "responder";
	return -EACCES;
}

static int
give_tpk(struct cp_mikey_tpk *out, const struct cp_kms_tpk *tpk)
{
	int error = cp_mikey_name_set(&out->id, cp_mikey_id_bytes(tpk->id));

	memset(&out->owner, 0, sizeof(out->owner));
	if (error == 0 && tpk->owner[0] != '\0')
		error = cp_mikey_name_set(&out->owner, cp_mikey_id_uri(tpk->owner));
	cp_mikey_key_set(&out->key, tpk->key, cp_store_key_octets[tpk->set]);
	return error;
}

static int
current_tpk(void *arg, struct cp_mikey_tpk *tpk, enum cp_mikey_set set)
{
	struct turn *turn = arg;

	/* the book is ours to read, its TPKs' last_end is atomic */
	turn->tpk = (struct cp_kms_tpk *)(uintptr_t)turn->kms->book->current[set];
	return turn->tpk != NULL ? give_tpk(tpk, turn->tpk) : -EIO;
}

static int
find_tpk(void *arg, struct cp_mikey_tpk *tpk, struct cp_mikey_id id, enum cp_mikey_set set)
{
	struct turn *turn = arg;
	const struct cp_kms_tpk *found = cp_kms_book_tpk(turn->kms->book, id.data, set);

	return found != NULL ? give_tpk(tpk, found) : -ENOENT;
}

static int
remember(void *arg, const struct cp_mikey_replay_key *key, uint64_t now, uint64_t until)
{
	struct cp_kms *kms = ((struct turn *)arg)->kms;
	int error;

	pthread_mutex_lock(&kms->replay_lock);
	error = cp_mikey_replay_put(kms->replay, key, now, until);
	pthread_mutex_unlock(&kms->replay_lock);
	return error;
}

/* The ticket's TPK must live as long as the ticket. */
static void
note_end(struct cp_kms_tpk *tpk, int64_t end)
{
	int64_t known = atomic_load(&tpk->last_end);

	while (end > known && !atomic_compare_exchange_weak(&tpk->last_end, &known, end))
		;
}

static void
count(struct cp_kms_counters *c, const struct cp_mikey_kms_report *report)
{
	int which = report->data_type == CP_MIKEY_RESOLVE_INIT_PSK;

	if (report->data_type != CP_MIKEY_REQUEST_INIT_PSK && !which)
		atomic_fetch_add(&c->other, 1);
	else
		atomic_fetch_add(report->is_granted ? &c->granted[which] : &c->refused[which], 1);
	if (!report->is_granted)
		atomic_fetch_add(&c->errors[report->fault.error & 15], 1);
}

/* Everybody who was authenticated is; strangers at a rate that fills no disk, the rest is counted. */
static bool
is_recorded(struct cp_kms *kms, const struct cp_mikey_kms_report *report)
{
	bool is;

	if (report->owner.len > 0)
		return true;
	pthread_mutex_lock(&kms->limit_lock);
	is = cp_kms_bucket_take(&kms->strangers, STRANGERS_RATE, cp_kms_now_ns());
	pthread_mutex_unlock(&kms->limit_lock);
	if (!is)
		atomic_fetch_add(&kms->counters.unrecorded, 1);
	return is;
}

int
cp_kms_answer(struct cp_mikey_out *out, struct cp_kms *kms, struct cp_mikey_kms_call call,
	      const char *source)
{
	struct turn turn = {.kms = kms};
	const struct cp_mikey_kms_ops ops = {
		.arg = &turn,
		.find_psk = find_psk,
		.may_act_for = may_act_for,
		.may_request = may_request,
		.may_resolve = may_resolve,
		.current_tpk = current_tpk,
		.find_tpk = find_tpk,
		.remember = remember,
	};
	struct cp_mikey_kms_report report;
	struct timespec at;
	int error;

	pthread_rwlock_rdlock(&kms->book_lock);
	error = cp_mikey_kms_handle(out, &report, &kms->config, &ops, &kms->env, call);
	if (error == 0 && report.is_granted && turn.tpk != NULL)
		note_end(turn.tpk, (int64_t)(report.end >> 32) + 1);
	pthread_rwlock_unlock(&kms->book_lock);
	if (error != 0)
		return error;
	count(&kms->counters, &report);
	if (turn.is_limited)
		atomic_fetch_add(&kms->counters.limited_identity, 1);
	if (!report.is_granted && turn.why != NULL)
		report.fault.text = turn.why;
	if (!is_recorded(kms, &report))
		return 0;
	clock_gettime(CLOCK_REALTIME, &at);
	cp_kms_journal_put(kms->journal, &report, source,
			   (int64_t)at.tv_sec * 1000 + at.tv_nsec / 1000000);
	return 0;
}
