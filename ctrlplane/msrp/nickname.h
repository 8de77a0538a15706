/* Nicknames: the value of Use-Nickname (RFC 7701 section 7.1). */
#ifndef CP_MSRP_NICKNAME_H
#define CP_MSRP_NICKNAME_H

#include <stdbool.h>
#include <sys/types.h>
#include "ctrlplane/base/slice.h"

#define CP_MSRP_NICKNAME_MAX 1023 /* octets, without quotes and escapes */

/*
 * The name that a quoted string says, with a NUL; out has room for CP_MSRP_NICKNAME_MAX + 1. Its length, 0: it is taken away;
 * -EINVAL: answer 424.
 */
ssize_t cp_msrp_nickname_decode(char *out, struct cp_slice value);

/* The quoted string of a name. The length, -EMSGSIZE: does not fit, -EINVAL: it is no nickname. */
ssize_t cp_msrp_nickname_encode(char *out, size_t size, struct cp_slice name);

/*
 * Whether two names are one by RFC 7700 as far as ASCII goes: letters without regard to case, blanks at the ends and runs of
 * blanks do not count. Other characters are compared octet by octet.
 */
bool cp_msrp_nickname_is_same(struct cp_slice a, struct cp_slice b);

#endif
