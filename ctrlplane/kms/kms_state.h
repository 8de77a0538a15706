/* Layout of a KMS, for this folder. */
#ifndef CP_KMS_KMS_STATE_H
#define CP_KMS_KMS_STATE_H

#include <pthread.h>
#include "ctrlplane/kms/book.h"
#include "ctrlplane/kms/journal.h"
#include "ctrlplane/kms/kms.h"

struct cp_kms {
	const struct cp_kms_settings *settings;
	struct cp_mikey_kms_config config;
	struct cp_mikey_env env;
	struct cp_kms_counters counters;
	int64_t started; /* Unix time */

	pthread_rwlock_t book_lock; /* who answers reads under it */
	struct cp_kms_book *book;

	pthread_mutex_t limit_lock; /* buckets of users, and: */
	struct cp_kms_limits *sources;
	struct cp_kms_bucket strangers; /* audit entries of those who were not authenticated */

	pthread_mutex_t replay_lock;
	struct cp_mikey_replay *replay;

	struct cp_kms_journal *journal;

	/* The keeping thread's. */
	struct cp_store *store;
	int64_t purged_at;
	bool is_store_bad; /* said already */
};

#endif
