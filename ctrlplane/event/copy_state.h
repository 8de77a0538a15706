/* A document as it was read, and the tables of a subscriber's copy: what copy.c takes and what it fills. */
#ifndef CP_EVENT_COPY_STATE_H
#define CP_EVENT_COPY_STATE_H

#include "ctrlplane/event/copy.h"

#define CP_COPY_NS "urn:ietf:params:xml:ns:conference-info"

/* The elements that we look at, in alphabetical order of their names there. */
enum cp_copy_name {
	CP_COPY_ACTIVE = 0,
	CP_COPY_BY,
	CP_COPY_CALL_ID,
	CP_COPY_CALL_INFO,
	CP_COPY_DESCRIPTION,
	CP_COPY_INFO,
	CP_COPY_STATE,
	CP_COPY_LEFT,
	CP_COPY_LEAVING,
	CP_COPY_DISPLAY,
	CP_COPY_ENDPOINT,
	CP_COPY_ENTRY,
	CP_COPY_FROM_TAG,
	CP_COPY_JOINED,
	CP_COPY_JOINING,
	CP_COPY_LABEL,
	CP_COPY_LOCKED,
	CP_COPY_USERS_MAXIMUM,
	CP_COPY_MEDIA,
	CP_COPY_REASON,
	CP_COPY_REFERRED,
	CP_COPY_ROLES,
	CP_COPY_SIP,
	CP_COPY_SRC_ID,
	CP_COPY_STATUS,
	CP_COPY_SUBJECT,
	CP_COPY_TO_TAG,
	CP_COPY_TYPE,
	CP_COPY_USER,
	CP_COPY_USER_COUNT,
	CP_COPY_USERS,
	CP_COPY_WHEN,
	CP_COPY_NAMES
};

/* What the state attribute says; full without one (4.4). */
enum cp_copy_part { CP_COPY_WHOLE = 0, CP_COPY_PART, CP_COPY_NO_MORE, CP_COPY_PART_BAD };

/* An element of the document that was read last. Owner: the reader, until the next one. */
struct cp_copy_node {
	enum cp_copy_name name;
	enum cp_copy_part part;
	char *key;     /* entity, of media id; NULL: not there */
	char *version; /* NULL: not there */
	char *text;    /* of what has no elements of ours in it; else NULL */
	struct cp_copy_node *parent, *first, *last, *next;
};

/* The root of a document, which is conference-info. -EBADMSG: it is none, or has a DTD; -ENOMEM. */
int cp_copy_read(const struct cp_copy_node **root, struct cp_copy *copy, const char *text,
		 size_t len);
void cp_copy_reader_destroy(struct cp_copy_reader *reader); /* NULL is fine */

void cp_copy_empty(struct cp_copy *copy); /* as if nothing had come yet */

/* NULL: out of memory, or past the limit. */
struct cp_copy_user *cp_copy_add_user(struct cp_copy *copy, const char *entity);
struct cp_copy_endpoint *cp_copy_add_endpoint(struct cp_copy_user *user, const char *entity);
/* The one of that id, emptied, or a new one. */
struct cp_copy_media *cp_copy_media_at(struct cp_copy_endpoint *endpoint, const char *id);

void cp_copy_drop_users(struct cp_copy *copy);
void cp_copy_drop_user(struct cp_copy *copy, struct cp_copy_user *user);
void cp_copy_empty_user(struct cp_copy_user *user); /* all but its key */
void cp_copy_drop_endpoint(struct cp_copy_user *user, struct cp_copy_endpoint *endpoint);
void cp_copy_drop_act(struct cp_copy_act *act);
void cp_copy_drop_call(struct cp_copy_call *call);

#endif
