/* May this request be acted upon? Pure: shape and ranges only, no state of the node. */
#ifndef DP_CTL_VALIDATE_H
#define DP_CTL_VALIDATE_H

#include <stddef.h>

/*
 * 0 when msg, len octets, is a well-formed request of this version; else -errno: -EBADMSG too short for a header or the
 * length disagrees, -EPROTONOSUPPORT another version, -EOPNOTSUPP unknown type, -EINVAL a field out of its range.
 * msg is aligned to 8.
 */
int dp_ctl_validate(const void *msg, size_t len);

#endif
