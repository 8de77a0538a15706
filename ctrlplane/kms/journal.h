/*
 * The way of audit entries from the threads that answer to the one that writes them: a ring with room
 * for some thousand. Where it is full, who answers waits, so that no grant goes unrecorded.
 */
#ifndef CP_KMS_JOURNAL_H
#define CP_KMS_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include "ctrlplane/mikey/kms.h"
#include "ctrlplane/store/store.h"

struct cp_kms_journal;

/* wake is written to (an eventfd) when the ring is half full. */
int cp_kms_journal_create(struct cp_kms_journal **out, int wake);
void cp_kms_journal_destroy(struct cp_kms_journal *journal);

/* Copies it in. False: no room came within a second; it is lost, and counted. */
bool cp_kms_journal_put(struct cp_kms_journal *journal, const struct cp_mikey_kms_report *report,
			const char *source, int64_t at_ms);

/* Gives up to max entries to each, and makes room where each gives 0. How many; entries stay when
 * keep, called after them, gives an error: then 0. One thread. */
struct cp_kms_journal_drain {
	int (*each)(void *arg, const struct cp_store_audit *entry);
	int (*keep)(void *arg);
	void *arg;
	size_t max;
};
size_t cp_kms_journal_drain(struct cp_kms_journal *journal,
			    const struct cp_kms_journal_drain *drain);

size_t cp_kms_journal_pending(struct cp_kms_journal *journal);
uint64_t cp_kms_journal_lost(struct cp_kms_journal *journal);

#endif
