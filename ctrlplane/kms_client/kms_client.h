/*
 * Asks a KMS over HTTP or HTTPS (profile, section 3) without blocking: POST, application/mikey, the
 * next KMS of the list where one is down, slow or talks nonsense. Knows nothing of MIKEY: octets out,
 * octets in. No loop of its own: one descriptor to watch for reading.
 */
#ifndef CP_KMS_CLIENT_KMS_CLIENT_H
#define CP_KMS_CLIENT_KMS_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#define CP_KMS_BODY_MAX 16384 /* octets of a message, either way */

struct cp_kms_client;
struct cp_kms_ask; /* one question under way; gone once done was called or it was cancelled */

enum cp_kms_what { CP_KMS_REQUEST, CP_KMS_RESOLVE };

/* Strings are borrowed as long as the client lives. */
struct cp_kms_client_options {
	const char *const *urls; /* "https://kms.example:8443"; plain http: on loopback only */
	size_t url_count;
	const char *ca_file;   /* PEM; NULL: the system's */
	int64_t timeout_ms;    /* of one attempt */
	unsigned int rounds;   /* through the list, until it is given up */
	unsigned int asks_max; /* at a time */
};

/* What a question is made of. All are called from cp_kms_client_run, the first make from
 * cp_kms_client_ask. */
struct cp_kms_ask_ops {
	/* A message for one attempt, a new one each time: a KMS refuses what it has seen. Octets
	 * written, or -errno, which ends it. */
	int (*make)(void *arg, uint8_t *octets, size_t size);
	/* An answer came. 0: it was the KMS's; -EBADMSG: nonsense, another is asked. */
	int (*take)(void *arg, const uint8_t *octets, size_t len);
	/* The end: 0 after take, -ETIMEDOUT, -EHOSTDOWN (nobody could be reached or said anything
	 * useful), or what make gave. */
	void (*done)(void *arg, int status);
};

/* 0: url may be asked. Else why not, for people. */
const char *cp_kms_client_check_url(const char *url);

/* -EINVAL: no URL, or one that check_url refuses; -ENOMEM, -errno. */
int cp_kms_client_create(struct cp_kms_client **out, const struct cp_kms_client_options *options);
/* Asks that are under way are forgotten; their done is not called. */
void cp_kms_client_destroy(struct cp_kms_client *client);

int cp_kms_client_fd(const struct cp_kms_client *client);
void cp_kms_client_run(struct cp_kms_client *client); /* when the descriptor is readable */

/* -EAGAIN: asks_max are under way; -ENOMEM; what make gave. */
int cp_kms_client_ask(struct cp_kms_ask **out, struct cp_kms_client *client, enum cp_kms_what what,
		      const struct cp_kms_ask_ops *ops, void *arg);
void
cp_kms_client_cancel(struct cp_kms_ask *ask); /* not from within make, take or done. NULL is fine */

#endif
