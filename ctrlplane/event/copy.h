/*
 * A subscriber's copy of a conference (RFC 4575 4.6): documents are read (libxml2, with limits, no DTD, no entities, no network) and
 * put together. Versions decide what is taken.
 */
#ifndef CP_EVENT_COPY_H
#define CP_EVENT_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "ctrlplane/base/map.h"

#define CP_COPY_OCTETS_MAX (4u << 20)
#define CP_COPY_USERS_MAX 20000
#define CP_COPY_ENDPOINTS_MAX 64 /* of a user */
#define CP_COPY_MEDIA_MAX 16	 /* of an endpoint */

/* Texts are owned by their struct; NULL: the document does not say. */
struct cp_copy_media {
	TAILQ_ENTRY(cp_copy_media) entry;
	char *id, *display, *type, *label, *src_id, *status;
};

struct cp_copy_act {
	char *when, *reason, *by;
};

/* The call that it is there by (RFC 4575 5.7.9). */
struct cp_copy_call {
	char *display, *call_id, *from_tag, *to_tag;
};

struct cp_copy_endpoint {
	TAILQ_ENTRY(cp_copy_endpoint) entry;
	char *entity, *display, *status, *joining, *leaving;
	struct cp_copy_act referred, joined, left;
	struct cp_copy_call call;
	TAILQ_HEAD(cp_copy_medias, cp_copy_media) media;
	size_t media_count;
};

struct cp_copy_user {
	struct cp_map_node by_entity;
	TAILQ_ENTRY(cp_copy_user) entry;
	char *entity, *display;
	char *roles; /* joined by ", " */
	TAILQ_HEAD(cp_copy_endpoints, cp_copy_endpoint) endpoints;
	size_t endpoint_count;
};

struct cp_copy_reader;

struct cp_copy {
	bool has_version; /* a full document has come */
	bool is_deleted;  /* the conference has ceased to exist */
	uint32_t version;
	char *entity, *display, *subject;
	uint32_t users_max, user_count;
	bool is_active, is_locked;
	TAILQ_HEAD(cp_copy_users, cp_copy_user) users; /* in the order of the documents */
	struct cp_map by_entity;
	size_t count;
	struct cp_copy_reader *reader; /* its own, from the first document on */
};

enum cp_copy_verdict {
	CP_COPY_FULL = 0, /* taken */
	CP_COPY_PARTIAL,  /* taken */
	CP_COPY_DELETED,  /* taken: the subscription is to be ended */
	CP_COPY_OLD,	  /* version not above ours: discarded */
	CP_COPY_GAP,	  /* a version is missing, or no full one came yet: ask for a refresh */
};

void cp_copy_init(struct cp_copy *copy);
void cp_copy_fini(struct cp_copy *copy);

/*
 * One document. 0 and the verdict; -EBADMSG: no such document, -E2BIG: past a limit; then the copy is as it was. -ENOMEM: the copy
 * is incomplete and waits for a full one.
 */
int cp_copy_take(enum cp_copy_verdict *verdict, struct cp_copy *copy, const char *text, size_t len);

struct cp_copy_user *cp_copy_find(const struct cp_copy *copy, const char *entity);
struct cp_copy_endpoint *cp_copy_find_endpoint(const struct cp_copy_user *user, const char *entity);

#endif
