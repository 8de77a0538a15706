/* The target of an HTTP request (RFC 9112 3.2.1, origin form; RFC 3986): path segments and query,
 * percent-decoded. */
#ifndef CP_MGMT_TARGET_H
#define CP_MGMT_TARGET_H

#include <stddef.h>

#define CP_TARGET_MAX 2048
#define CP_TARGET_SEGMENTS_MAX 12
#define CP_TARGET_QUERY_MAX 12

struct cp_target_pair {
	const char *name, *value;
};

/* Strings stand in room, which must not be moved. */
struct cp_target {
	size_t segment_count, query_count;
	const char *segments[CP_TARGET_SEGMENTS_MAX];
	struct cp_target_pair query[CP_TARGET_QUERY_MAX];
	char room[CP_TARGET_MAX];
};

/*
 * 0; -EINVAL: not in origin form, a bad escape, control characters or broken UTF-8; -E2BIG: longer,
 * or of more parts, than any that we know.
 */
int cp_target_parse(struct cp_target *out, const char *text);

#endif
