/* Canonical public identities (profile section 1): two URIs name the same user when their canonical
 * forms are equal. */
#ifndef CP_CONF_IDENTITY_H
#define CP_CONF_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include "ctrlplane/base/slice.h"

#define CP_IDENTITY_MAX 256 /* octets of a canonical identity with its NUL */

/*
 * uri may stand in <>, with a display name before and parameters and headers behind. sip, sips and
 * tel: scheme and host in lower case, default port, parameters, headers and password removed,
 * percent escapes of unreserved characters undone; tel in global form without separators
 * ("tel:+4930123456"); a sip URI with user=phone and a global number stays a sip URI. 0, -EINVAL
 * (no such URI; a tel URI in local form), -ENAMETOOLONG. out is written on success only.
 */
int cp_identity(char out[CP_IDENTITY_MAX], struct cp_slice uri);

/* A canonical identity that names nobody: empty, or at anonymous.invalid (RFC 3323 4.1.1.3). */
bool cp_identity_is_anonymous(struct cp_slice identity);

/* Digits of the global number that a canonical identity is: of tel:+49301, and of sip:+49301@host. Empty: it is none. */
struct cp_slice cp_identity_number(const char *identity);

/* The same person: equal, or the tel and the sip form of one number. Two sip forms at different hosts are two. */
bool cp_identity_is_same(const char *a, const char *b);

/* An order in which the forms of one number stand together: by number, else by the whole text. */
int cp_identity_compare(const char *a, const char *b);

#endif
