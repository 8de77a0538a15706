/* The ring of audit entries. */
#include "ctrlplane/kms/journal.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ROOM 16384
#define NAMES 4
#define WAIT_S 1
#define SOURCE_MAX 64

/* An entry as it waits: texts one behind the other, each with its NUL. */
struct slot {
	int64_t at_ms, end;
	uint32_t csb_id;
	uint16_t flags;
	uint8_t data_type, error, set;
	bool is_granted;
	const char *why; /* static */
	char texts[SOURCE_MAX + NAMES * (CP_MIKEY_ID_MAX + 1)];
};

struct cp_kms_journal {
	pthread_mutex_t lock;
	pthread_cond_t has_room;
	size_t head, count; /* the oldest; how many */
	uint64_t lost;
	int wake;
	struct slot slots[ROOM];
};

int
cp_kms_journal_create(struct cp_kms_journal **out, int wake)
{
	struct cp_kms_journal *journal = calloc(1, sizeof(*journal));
	pthread_condattr_t attributes;

	if (journal == NULL)
		return -ENOMEM;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_mutex_init(&journal->lock, NULL);
	pthread_cond_init(&journal->has_room, &attributes);
	pthread_condattr_destroy(&attributes);
	journal->wake = wake;
	*out = journal;
	return 0;
}

void
cp_kms_journal_destroy(struct cp_kms_journal *journal)
{
	if (journal == NULL)
		return;
	pthread_cond_destroy(&journal->has_room);
	pthread_mutex_destroy(&journal->lock);
	free(journal);
}

static void
fill(struct slot *slot, const struct cp_mikey_kms_report *report, const char *source)
{
	const struct cp_mikey_name *names[NAMES] = {&report->owner, &report->user,
						    &report->initiator, &report->responder};
	char *at = slot->texts;

	slot->end = (int64_t)(report->end >> 32);
	slot->csb_id = report->csb_id;
	slot->flags = report->flags;
	slot->data_type = report->data_type;
	slot->error = report->fault.error;
	slot->set = (uint8_t)report->set;
	slot->is_granted = report->is_granted;
	slot->why = report->is_granted ? NULL : report->fault.text;
	at = stpncpy(at, source, SOURCE_MAX - 1) + 1;
	at[-1] = '\0';
	for (size_t i = 0; i < NAMES; i++) {
		memcpy(at, names[i]->text, names[i]->len);
		at += names[i]->len;
		*at++ = '\0';
	}
}

/* Waits for room. Under the lock. */
static bool
may_put(struct cp_kms_journal *journal)
{
	struct timespec until;

	if (journal->count < ROOM)
		return true;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += WAIT_S;
	while (journal->count == ROOM)
		if (pthread_cond_timedwait(&journal->has_room, &journal->lock, &until) != 0)
			return journal->count < ROOM;
	return true;
}

bool
cp_kms_journal_put(struct cp_kms_journal *journal, const struct cp_mikey_kms_report *report,
		   const char *source, int64_t at_ms)
{
	const uint64_t one = 1;
	bool has_room, is_half;

	pthread_mutex_lock(&journal->lock);
	has_room = may_put(journal);
	if (has_room) {
		struct slot *slot = &journal->slots[(journal->head + journal->count) % ROOM];

		slot->at_ms = at_ms;
		fill(slot, report, source);
		journal->count++;
	} else {
		journal->lost++;
	}
	is_half = journal->count == ROOM / 2;
	pthread_mutex_unlock(&journal->lock);
	if (is_half && write(journal->wake, &one, sizeof(one)) < 0)
		return has_room; /* it is drained in turn anyway */
	return has_room;
}

static const char *
what_of(uint8_t data_type)
{
	switch (data_type) {
	case CP_MIKEY_REQUEST_INIT_PSK:
		return "request";
	case CP_MIKEY_RESOLVE_INIT_PSK:
		return "resolve";
	default:
		return "other";
	}
}

static int
give(const struct slot *slot, const struct cp_kms_journal_drain *drain)
{
	struct cp_store_audit entry = {
		.at_ms = slot->at_ms,
		.what = what_of(slot->data_type),
		.is_granted = slot->is_granted,
		.error = slot->error,
		.text = slot->why,
		.csb_id = slot->csb_id,
		.bits = slot->set == CP_MIKEY_SET_256 ? 256 : 128,
		.flags = slot->flags,
		.end = slot->end,
	};
	const char **texts[1 + NAMES] = {&entry.source, &entry.owner, &entry.user, &entry.initiator,
					 &entry.responder};
	const char *at = slot->texts;

	for (size_t i = 0; i < 1 + NAMES; i++) {
		*texts[i] = at;
		at += strlen(at) + 1;
	}
	return drain->each(drain->arg, &entry);
}

size_t
cp_kms_journal_drain(struct cp_kms_journal *journal, const struct cp_kms_journal_drain *drain)
{
	size_t head, count, done = 0;

	pthread_mutex_lock(&journal->lock);
	head = journal->head;
	count = journal->count < drain->max ? journal->count : drain->max;
	pthread_mutex_unlock(&journal->lock);
	/* nobody writes into what is there */
	while (done < count && give(&journal->slots[(head + done) % ROOM], drain) == 0)
		done++;
	if (drain->keep(drain->arg) != 0)
		return 0;
	pthread_mutex_lock(&journal->lock);
	journal->head = (head + done) % ROOM;
	journal->count -= done;
	pthread_cond_broadcast(&journal->has_room);
	pthread_mutex_unlock(&journal->lock);
	return done;
}

size_t
cp_kms_journal_pending(struct cp_kms_journal *journal)
{
	size_t count;

	pthread_mutex_lock(&journal->lock);
	count = journal->count;
	pthread_mutex_unlock(&journal->lock);
	return count;
}

uint64_t
cp_kms_journal_lost(struct cp_kms_journal *journal)
{
	uint64_t lost;

	pthread_mutex_lock(&journal->lock);
	lost = journal->lost;
	pthread_mutex_unlock(&journal->lock);
	return lost;
}
