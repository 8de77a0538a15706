/* The MIME entity inside a protected body (RFC 8551 3.1): its Content-Type, an empty line, the octets. */
#ifndef CP_CMS_ENTITY_H
#define CP_CMS_ENTITY_H

#include "ctrlplane/base/slice.h"

/* Header and empty line into room; returns their length, 0 when they do not fit. The octets follow as they are. */
size_t cp_cms_entity_head(char *room, size_t size, const char *type);

/*
 * type without its parameters, and the octets. -EBADMSG: no entity; -ENOTSUP: a Content-Transfer-Encoding that is not the octets
 * themselves.
 */
int cp_cms_entity_decode(struct cp_slice *type, struct cp_slice *octets, struct cp_slice in);

#endif
