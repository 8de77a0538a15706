/*
 * The body of a message on its way (RFC 4975 section 7.1.1): what has come so far of it and is not yet with everybody, kept once
 * for all who get it. Octets are freed as soon as the last one is past them; a message is never held whole for being passed on.
 *
 *   append ─▶ [piece]─▶[piece]─▶[piece]      each cursor holds its piece, each piece the next
 *               ▲          ▲        ▲
 *             slow       quick    writer
 */
#ifndef CP_MSRP_PARCEL_H
#define CP_MSRP_PARCEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ctrlplane/base/slice.h"
#include "ctrlplane/msrp/msg.h"

#define CP_MSRP_PIECE_MAX 16384 /* octets in one piece */
#define CP_MSRP_TYPE_MAX 160	/* Content-Type of a message, with its NUL */
#define CP_MSRP_HEADERS_MAX 512 /* octets of the header lines behind From-Path */
#define CP_MSRP_SEED 16 /* hexadecimal digits that all transactions of a parcel begin with */

struct cp_msrp_piece;

/* One message. Owner: counted, cp_msrp_parcel_get and _put. */
struct cp_msrp_parcel {
	unsigned int refs;
	char message_id[CP_MSRP_IDENT_MAX + 1];
	char seed[CP_MSRP_SEED + 1];
	enum cp_msrp_wish success, failure;
	char content_type[CP_MSRP_TYPE_MAX];
	uint64_t len;	  /* octets that have come */
	uint64_t at;	  /* where the next one belongs; 1 is the first */
	uint64_t total;	  /* of the message; CP_MSRP_OPEN: not known yet */
	bool is_complete; /* nothing comes any more … */
	bool is_aborted;  /* … because it was given up */
	bool is_broken;	  /* in several runs */
	struct cp_msrp_guard guard;
	size_t *held; /* octets of memory in all parcels of the owner's; NULL: not counted */
	struct cp_msrp_piece *last;  /* the writer's */
	struct cp_msrp_piece *first; /* kept from the start; NULL: not kept */
	char head
		[CP_MSRP_HEADERS_MAX]; /* of the whole message in one chunk; made when it is finished */
	size_t head_len;	       /* 0: it does not go in one */
};

/* Of a new message. Slices are copied. */
struct cp_msrp_parcel_settings {
	const uint8_t *luck; /* 16 random octets: its ids */
	struct cp_slice content_type;
	enum cp_msrp_wish success, failure;
	uint64_t total; /* CP_MSRP_OPEN: not known */
	bool is_kept;	/* from its start, so that it can be sent again */
	size_t hint;	/* octets that will come at once */
	size_t *held;
};

/* -ENOMEM; -EINVAL: a type that is none or too long. */
int cp_msrp_parcel_create(struct cp_msrp_parcel **out,
			  const struct cp_msrp_parcel_settings *settings);
struct cp_msrp_parcel *cp_msrp_parcel_get(struct cp_msrp_parcel *parcel);
void cp_msrp_parcel_put(struct cp_msrp_parcel *parcel); /* NULL is fine */

/* The next octets, which belong at (1 is the first). -ENOMEM: nothing is added. */
int cp_msrp_parcel_append(struct cp_msrp_parcel *parcel, uint64_t at, struct cp_slice octets);
/* That was all: of total octets, or it was given up. */
void cp_msrp_parcel_finish(struct cp_msrp_parcel *parcel, uint64_t total, bool is_aborted);
/* It is kept from its start no more. */
void cp_msrp_parcel_let_go(struct cp_msrp_parcel *parcel);
/* Header lines of a chunk from start to end (CP_MSRP_OPEN: it may be interrupted), and the empty line. Fits in CP_MSRP_HEADERS_MAX. */
size_t cp_msrp_parcel_headers(char *out, const struct cp_msrp_parcel *parcel, uint64_t start,
			      uint64_t end);

/* A reader of a parcel. Zeroed it is none. */
struct cp_msrp_cursor {
	struct cp_msrp_piece *piece;
	size_t at;     /* in the piece */
	uint64_t past; /* octets it is past */
};

/* At the start. -ENOENT: that is gone. */
int cp_msrp_cursor_init(struct cp_msrp_cursor *cursor, struct cp_msrp_parcel *parcel);
void cp_msrp_cursor_fini(struct cp_msrp_cursor *cursor); /* past stays */
/* What lies at a cursor, in one piece. */
struct cp_msrp_run {
	struct cp_slice octets; /* none: nothing has come yet, or nothing comes any more */
	uint64_t at;		/* where the first of them belongs */
	bool begins; /* no chunk goes on into it: other octets are between, or an end-line would occur in the chunk */
};
struct cp_msrp_run cp_msrp_cursor_peek(struct cp_msrp_cursor *cursor);
/* By some of what peek gave. */
void cp_msrp_cursor_move(struct cp_msrp_cursor *cursor, size_t len);

#endif
