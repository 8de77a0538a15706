/* The tables of a subscriber's copy: what copy.c fills. */
#ifndef CP_EVENT_COPY_STATE_H
#define CP_EVENT_COPY_STATE_H

#include "ctrlplane/event/copy.h"

#define CP_COPY_NS "urn:ietf:params:xml:ns:conference-info"

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

#endif
