/*
 * MSRP (RFC 4975, with NICKNAME of RFC 7701): pure codec of a TCP stream. The reader borrows: what an event points to lies in
 * the octets that were given with that call. A body is handed on piece by piece and never held.
 */
#ifndef CP_MSRP_MSG_H
#define CP_MSRP_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "ctrlplane/base/slice.h"

#define CP_MSRP_HEAD_MAX \
	8192 /* octets of start line and headers; a receive buffer must hold as many */
#define CP_MSRP_IDENT_MIN 4 /* characters of a transaction or message id */
#define CP_MSRP_IDENT_MAX 32
#define CP_MSRP_PATH_MAX 8 /* URIs in To-Path or From-Path */
#define CP_MSRP_END_MAX              \
	(7 + CP_MSRP_IDENT_MAX + 1 + \
	 4)			     /* octets of an end-line with the CRLF before and behind it */
#define CP_MSRP_CHUNK 2048	     /* a longer body must be interruptible: range end "*" */
#define CP_MSRP_OTHER_BODY_MAX 10240 /* octets of a body that is not in a SEND */
#define CP_MSRP_OPEN UINT64_MAX	     /* "*" in a range */

enum cp_msrp_method {
	CP_MSRP_RESPONSE = 0, /* no request */
	CP_MSRP_SEND,
	CP_MSRP_REPORT,
	CP_MSRP_NICKNAME,
	CP_MSRP_OTHER, /* answered by 501 */
};

enum cp_msrp_status {
	CP_MSRP_OK = 200,
	CP_MSRP_BAD_REQUEST = 400,
	CP_MSRP_FORBIDDEN = 403,
	CP_MSRP_NO_RECIPIENT = 404,
	CP_MSRP_TIMEOUT = 408,
	CP_MSRP_STOP = 413,
	CP_MSRP_BAD_MEDIA = 415,
	CP_MSRP_OUT_OF_BOUNDS = 423,
	CP_MSRP_BAD_NICKNAME = 424,
	CP_MSRP_NICKNAME_TAKEN = 425,
	CP_MSRP_NO_PRIVATE = 428,
	CP_MSRP_NO_SESSION = 481,
	CP_MSRP_NO_METHOD = 501,
	CP_MSRP_BOUND = 506,
};

enum cp_msrp_wish {
	CP_MSRP_UNSAID = 0, /* means no for Success-Report, yes for Failure-Report */
	CP_MSRP_YES,
	CP_MSRP_NO,
	CP_MSRP_PARTIAL, /* Failure-Report only */
};

struct cp_msrp_range {
	bool is_there;
	uint64_t start;	     /* 1 is the first octet */
	uint64_t end, total; /* or CP_MSRP_OPEN; an empty body: 1-0/0 */
};

/* Start line and headers of a request or response. Read: slices of the input. Written: of the caller. */
struct cp_msrp_head {
	struct cp_slice transaction;
	enum cp_msrp_method method;
	struct cp_slice method_name; /* of a request, as it came; written for CP_MSRP_OTHER only */
	unsigned int code;	     /* of a response */
	struct cp_slice comment;
	struct cp_slice to_path, from_path; /* whole values: URIs with a space between */
	size_t to_count, from_count;
	struct cp_slice to[CP_MSRP_PATH_MAX], from[CP_MSRP_PATH_MAX]; /* read only */
	struct cp_slice message_id;				      /* empty: none */
	struct cp_msrp_range range;
	enum cp_msrp_wish success, failure;
	unsigned int status; /* of the Status header in namespace 000; 0: none */
	struct cp_slice status_comment;
	bool has_nickname;
	struct cp_slice nickname;     /* of Use-Nickname, as it stands: cp_msrp_nickname_decode */
	struct cp_slice content_type; /* whole; empty: no body */
	struct cp_slice media;	      /* of it, type/subtype; read only */
	struct cp_slice headers;      /* all header lines; read only */
	bool has_body;		      /* also an empty one */
	unsigned int
		error; /* read only: 0, or the status that answers this request. A response: it is to be ignored. */
};

enum cp_msrp_event_kind {
	CP_MSRP_MORE = 0, /* all that can be told is told: more octets must come */
	CP_MSRP_HEAD,
	CP_MSRP_BODY,	/* the next octets of the body; never after a head with an error */
	CP_MSRP_END,	/* of a request or response */
	CP_MSRP_BROKEN, /* the stream cannot be followed any more: close it */
};

struct cp_msrp_event {
	enum cp_msrp_event_kind kind;
	struct cp_msrp_head head; /* HEAD */
	struct cp_slice body;	  /* BODY */
	char flag;		  /* END: '$' complete, '+' more will come, '#' given up */
	uint64_t body_len;	  /* END: octets of this body, whatever its Byte-Range says */
	unsigned int
		error; /* END: as in the head; 413 where a body is too long that is not in a SEND */
	const char *reason; /* BROKEN: for the log */
};

/* The reader's state between calls. Zero is how it starts. */
struct cp_msrp_stream {
	unsigned int state;
	size_t scanned; /* octets of the head, in whole lines, that have been looked at */
	char end[7 + CP_MSRP_IDENT_MAX]; /* the end-line without its flag */
	size_t end_len;
	bool is_send, is_at_start; /* nothing of the body has come */
	uint64_t body_len;
	unsigned int error;
	const char *reason;
};

/*
 * One event from octets, which begin with those that the call before did not take. Returns how many are taken; call again
 * with the rest until the event is MORE or BROKEN. MORE never leaves more than CP_MSRP_HEAD_MAX octets.
 */
size_t cp_msrp_next(struct cp_msrp_stream *stream, struct cp_msrp_event *event, const char *octets,
		    size_t len);

/* Start line and header lines, each with its CRLF, without the empty line. False: not even a transaction can be read. */
bool cp_msrp_head_decode(struct cp_msrp_head *out, struct cp_slice text, bool has_body);

/* A header by its name, among all lines: what the head has no field for. False: it is not there. */
bool cp_msrp_header(struct cp_slice *value, const struct cp_msrp_head *head, const char *name);

bool cp_msrp_is_ident(struct cp_slice text);

/* Whether a request asks for this answer: never a REPORT, and a SEND by its Failure-Report. */
bool cp_msrp_may_answer(const struct cp_msrp_head *request, unsigned int code);

/* Whether a REPORT about a SEND is wanted: success by Success-Report, failure by Failure-Report. */
bool cp_msrp_may_report(const struct cp_msrp_head *send, unsigned int status);

/*
 * Start line and headers, and the empty line where has_body says so. The length; -EMSGSIZE: does not fit, or is longer than
 * CP_MSRP_HEAD_MAX; -EINVAL: something in it cannot be said (an id that is none, a line end inside a value, a body without
 * Content-Type).
 */
ssize_t cp_msrp_encode_head(char *out, size_t size, const struct cp_msrp_head *head);

/* The end-line; behind a body with the CRLF that parts it from that. The length or -EMSGSIZE, -EINVAL. */
ssize_t cp_msrp_encode_end(char *out, size_t size, struct cp_slice transaction, bool has_body,
			   char flag);

/* A whole response to a request that came, from whom we are there. As cp_msrp_encode_head. */
ssize_t cp_msrp_encode_response(char *out, size_t size, const struct cp_msrp_head *request,
				struct cp_slice self, unsigned int code);

/* What a REPORT says: of the SEND that came, over the range that arrived. */
struct cp_msrp_report {
	struct cp_slice transaction, self;
	unsigned int status; /* 200, or why it failed */
	struct cp_msrp_range range;
};

/* A whole REPORT. As cp_msrp_encode_head. */
ssize_t cp_msrp_encode_report(char *out, size_t size, const struct cp_msrp_head *send,
			      const struct cp_msrp_report *report);

/* Random octets as an id: two digits each, at most 16 octets. out has room for CP_MSRP_IDENT_MAX + 1. */
void cp_msrp_ident(char *out, const uint8_t *random, size_t len);

/* Watches what is written as the body of one chunk, so that its end-line does not occur in it. */
struct cp_msrp_guard {
	char needle[7 + CP_MSRP_IDENT_MAX];
	size_t needle_len;
	char tail[7 + CP_MSRP_IDENT_MAX]; /* the last octets that went out */
	size_t tail_len;
};

void cp_msrp_guard_init(struct cp_msrp_guard *guard, struct cp_slice transaction);

/* How many octets of the next piece may go into this chunk; fewer than all: end it there, and begin another with another id. */
size_t cp_msrp_guard_pass(struct cp_msrp_guard *guard, struct cp_slice piece);

const char *cp_msrp_status_text(unsigned int code);

#endif
