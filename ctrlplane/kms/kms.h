/*
 * The KMS without its network: users and keys in memory, replay cache, limits, counters, and the
 * journal. Several threads answer at a time; one thread keeps it in step with the store.
 */
#ifndef CP_KMS_KMS_H
#define CP_KMS_KMS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ctrlplane/kms/setup/config.h"
#include "ctrlplane/mikey/kms.h"
#include "ctrlplane/store/store.h"

struct cp_kms;

/* What has happened since the start. */
struct cp_kms_counters {
	_Atomic uint64_t granted[2], refused[2]; /* [0] request, [1] resolve */
	_Atomic uint64_t other;			 /* messages that are neither */
	_Atomic uint64_t errors[16];		 /* MIKEY errors by number */
	_Atomic uint64_t limited_identity, limited_source;
	_Atomic uint64_t slow;	     /* connections that did not end a request in time */
	_Atomic uint64_t unrecorded; /* refused strangers beyond what the audit log takes */
	_Atomic uint64_t http[6];    /* answers by hundreds: [4] is 4xx */
};

/* Forced flags that break what RFC 6043 6.10 wants of tickets: an error of the configuration. */
void cp_kms_check(const struct cp_kms_settings *settings, const char *path,
		  struct conf_errors *errors);

/* Reads the store, and makes the first TPKs. settings outlive it. why for people. */
int cp_kms_create(struct cp_kms **out, const struct cp_kms_settings *settings,
		  struct cp_store *store, int wake, char *why, size_t size);
void cp_kms_destroy(struct cp_kms *kms);

/* Other settings, which outlive it; the store and the identity are those of before. */
void cp_kms_configure(struct cp_kms *kms, const struct cp_kms_settings *settings);

/* May this source send one more? */
bool cp_kms_may_source(struct cp_kms *kms, const struct sockaddr *source);

/* One message; as cp_mikey_kms_handle. source: for the journal. Any thread. */
int cp_kms_answer(struct cp_mikey_out *out, struct cp_kms *kms, struct cp_mikey_kms_call call,
		  const char *source);

struct cp_kms_counters *cp_kms_counters(struct cp_kms *kms);

/* The status as JSON, heap. Any thread. NULL: no memory. */
char *cp_kms_status(struct cp_kms *kms);

/* What one thread does again and again: write the journal, take up changes of the store, retire and
 * forget TPKs. must_read: as if the store had changed. */
void cp_kms_keep(struct cp_kms *kms, bool must_read);

int64_t cp_kms_now_ns(void); /* monotonic */

#endif
