/*
 * Message/CPIM (RFC 3862): headers, the headers of the content inside, and where the content begins. The reader borrows; the
 * content itself is not looked at, and may come later.
 */
#ifndef CP_MSRP_CPIM_H
#define CP_MSRP_CPIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "ctrlplane/base/slice.h"

#define CP_CPIM_HEAD_MAX 8192 /* octets of both header sections */
#define CP_CPIM_TO_MAX 8      /* To, and cc: more are only counted */
#define CP_CPIM_NS_MAX 8      /* namespaces a message names */
#define CP_CPIM_NAMESPACE "urn:ietf:params:cpim-headers:"

struct cp_cpim_address {
	struct cp_slice name; /* as it stands: cp_cpim_text; may be empty */
	struct cp_slice uri;
};

/* All as it stands, with escapes. */
struct cp_cpim {
	struct cp_cpim_address from;
	size_t to_count, cc_count; /* as many as came, also above CP_CPIM_TO_MAX */
	struct cp_cpim_address to[CP_CPIM_TO_MAX], cc[CP_CPIM_TO_MAX];
	struct cp_slice date_time;
	struct cp_slice subject, subject_lang; /* of the first Subject */
	size_t ns_count;
	struct {
		struct cp_slice prefix, uri; /* no prefix: for names without one */
	} ns[CP_CPIM_NS_MAX];
	struct cp_slice require;	     /* of the first Require */
	bool has_unknown_required;	     /* somebody requires what RFC 3862 does not name */
	struct cp_slice headers;	     /* all header lines of the message */
	struct cp_slice content_headers;     /* all header lines of the content */
	struct cp_slice content_type, media; /* whole, and of it type/subtype */
};

/*
 * Where the content begins; 0: more must come to tell; -EBADMSG: it is no Message/CPIM, From, To or Content-Type are
 * missing or stand there more often than they may; -EMSGSIZE: the headers are longer than CP_CPIM_HEAD_MAX. Several To are
 * none of these.
 */
ssize_t cp_cpim_decode(struct cp_cpim *out, const char *octets, size_t len);

/* A name or value freed of quotes and escapes, with a NUL, in UTF-8. The length or -EMSGSIZE. */
ssize_t cp_cpim_text(char *out, size_t size, struct cp_slice value);

/* A header of the content by its name. False: it is not there. */
bool cp_cpim_content_header(struct cp_slice *value, const struct cp_cpim *cpim, const char *name);

/* What is written: plain text, escapes are added. */
struct cp_cpim_out {
	struct cp_slice from_name, from_uri; /* no name: empty */
	struct cp_slice to_name, to_uri;
	struct cp_slice date_time; /* empty: none; RFC 3339 */
	struct cp_slice subject;   /* empty: none */
	struct cp_slice content_type;
};

/* Both header sections; the content follows them. The length, -EMSGSIZE, or -EINVAL: a URI or type that is none. */
ssize_t cp_cpim_encode(char *out, size_t size, const struct cp_cpim_out *message);

#endif
