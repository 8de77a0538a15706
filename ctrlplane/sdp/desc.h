/* A session description taken apart (RFC 8866 section 9), tolerant in what does not matter: slices
 * into the text. */
#ifndef CP_SDP_DESC_H
#define CP_SDP_DESC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ctrlplane/base/slice.h"
#include "dataplane/api/addr.h"

#define CP_DESC_MEDIA_MAX 16
#define CP_DESC_LINES_MAX 512

/* One m= section. */
struct cp_desc_media {
	struct cp_slice media, proto, formats; /* formats: the rest of the line */
	uint16_t port;
	bool has_connection, has_own_connection;
	bool is_name;		   /* a host name: connection has the family, its octets are zero */
	struct dp_addr connection; /* of this section or of the session; port 0 */
	struct cp_slice lines;	   /* all lines of the section after m= */
	int line;		   /* of m=, from 1 */
};

struct cp_desc {
	struct cp_slice origin;	       /* the o= line's value */
	struct cp_slice session_lines; /* between o= and the first m= */
	size_t media_count;
	struct cp_desc_media media[CP_DESC_MEDIA_MAX];
	int bad_line;	 /* on failure: which, from 1 */
	const char *why; /* and what is wrong with it */
};

/* 0, -EINVAL (malformed: bad_line, why), -E2BIG (more than we read). */
int cp_desc_decode(struct cp_desc *out, struct cp_slice text);

/*
 * Next a= line of lines whose name is name. value is empty for a property attribute ("a=rtcp-mux").
 * False at the end. Start with *rest = the section's lines.
 */
bool cp_desc_attribute(struct cp_slice *rest, const char *name, struct cp_slice *value);

/* The same for b= lines: value is the number's text of "b=<name>:<value>". */
bool cp_desc_bandwidth(struct cp_slice *rest, const char *name, struct cp_slice *value);

/* "IN IP4 192.0.2.1[/ttl]" → address, port 0. -EINVAL; -EAGAIN for a host name: the family alone is written. */
int cp_desc_connection(struct dp_addr *out, struct cp_slice value);

#endif
