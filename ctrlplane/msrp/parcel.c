/* Bodies on their way, in pieces that are shared by all who read them. */
#include "ctrlplane/msrp/parcel.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct cp_msrp_piece {
	struct cp_msrp_piece *next; /* held */
	size_t *held;
	unsigned int refs;
	bool begins;
	uint64_t at;
	size_t len, size;
	char octets[];
};

static struct cp_msrp_piece *
create_piece(size_t *held, uint64_t at, size_t size)
{
	struct cp_msrp_piece *piece = malloc(sizeof(*piece) + size);

	if (piece == NULL)
		return NULL;
	*piece = (struct cp_msrp_piece){.held = held, .refs = 1, .at = at, .size = size};
	if (held != NULL)
		*held += sizeof(*piece) + size;
	return piece;
}

static struct cp_msrp_piece *
get_piece(struct cp_msrp_piece *piece)
{
	piece->refs++;
	return piece;
}

/* Those behind it that nobody else holds go with it. */
static void
put_piece(struct cp_msrp_piece *piece)
{
	while (piece != NULL && --piece->refs == 0) {
		struct cp_msrp_piece *next = piece->next;

		if (piece->held != NULL)
			*piece->held -= sizeof(*piece) + piece->size;
		free(piece);
		piece = next;
	}
}

int
cp_msrp_parcel_create(struct cp_msrp_parcel **out, const struct cp_msrp_parcel_settings *s)
{
	size_t hint = s->hint < CP_MSRP_PIECE_MAX ? s->hint : CP_MSRP_PIECE_MAX;
	struct cp_msrp_parcel *parcel;

	if (s->content_type.len == 0 || s->content_type.len >= CP_MSRP_TYPE_MAX)
		return -EINVAL;
	parcel = malloc(sizeof(*parcel));
	if (parcel == NULL)
		return -ENOMEM;
	*parcel = (struct cp_msrp_parcel){.refs = 1,
					  .success = s->success,
					  .failure = s->failure,
					  .at = 1,
					  .total = s->total,
					  .held = s->held,
					  .last = create_piece(s->held, 1, hint)};
	if (parcel->last == NULL) {
		free(parcel);
		return -ENOMEM;
	}
	if (s->is_kept)
		parcel->first = get_piece(parcel->last);
	cp_msrp_ident(parcel->message_id, s->luck, 8);
	cp_msrp_ident(parcel->seed, s->luck + 8, CP_MSRP_SEED / 2);
	memcpy(parcel->content_type, s->content_type.ptr, s->content_type.len);
	cp_msrp_guard_init(&parcel->guard, cp_slice_text(parcel->seed));
	if (s->held != NULL)
		*s->held += sizeof(*parcel);
	*out = parcel;
	return 0;
}

struct cp_msrp_parcel *
cp_msrp_parcel_get(struct cp_msrp_parcel *parcel)
{
	parcel->refs++;
	return parcel;
}

void
cp_msrp_parcel_put(struct cp_msrp_parcel *parcel)
{
	if (parcel == NULL || --parcel->refs > 0)
		return;
	if (parcel->held != NULL)
		*parcel->held -= sizeof(*parcel);
	put_piece(parcel->first);
	put_piece(parcel->last);
	free(parcel);
}

void
cp_msrp_parcel_let_go(struct cp_msrp_parcel *parcel)
{
	put_piece(parcel->first);
	parcel->first = NULL;
}

/* The piece that takes the next octets. */
static struct cp_msrp_piece *
extend(struct cp_msrp_parcel *parcel, uint64_t at, size_t wanted, bool begins)
{
	struct cp_msrp_piece *last = parcel->last, *next;
	size_t size = parcel->len + wanted > CP_MSRP_CHUNK ? CP_MSRP_PIECE_MAX : CP_MSRP_CHUNK;

	if (last->len == 0 && last->size > 0 && !begins) {
		last->at = at; /* the first of all */
		return last;
	}
	if (last->len < last->size && !begins)
		return last;
	next = create_piece(parcel->held, at, size);
	if (next == NULL)
		return NULL;
	next->begins = begins;
	last->next = get_piece(next);
	parcel->last = next;
	put_piece(last);
	return next;
}

/* As much as goes into one piece and one chunk. 0: no memory. */
static size_t
add(struct cp_msrp_parcel *parcel, uint64_t at, struct cp_slice octets, bool begins)
{
	struct cp_msrp_piece *piece = extend(parcel, at, octets.len, begins);
	size_t len;

	if (piece == NULL)
		return 0;
	len = piece->size - piece->len < octets.len ? piece->size - piece->len : octets.len;
	memcpy(piece->octets + piece->len, octets.ptr, len);
	piece->len += len;
	parcel->len += len;
	parcel->at = at + len;
	return len;
}

int
cp_msrp_parcel_append(struct cp_msrp_parcel *parcel, uint64_t at, struct cp_slice octets)
{
	bool begins = at != parcel->at;

	if (parcel->is_complete)
		return -EINVAL;
	while (octets.len > 0) {
		size_t pass, len;

		if (begins) {
			parcel->is_broken = true;
			cp_msrp_guard_init(&parcel->guard, cp_slice_text(parcel->seed));
		}
		pass = cp_msrp_guard_pass(&parcel->guard, octets);
		for (size_t done = 0; done < pass; done += len) {
			len = add(parcel, at, cp_slice(octets.ptr + done, pass - done), begins);
			if (len == 0)
				return -ENOMEM;
			at += len;
			begins = false;
		}
		octets = cp_slice(octets.ptr + pass, octets.len - pass);
		begins = octets.len > 0;
	}
	return 0;
}

void
cp_msrp_parcel_finish(struct cp_msrp_parcel *parcel, uint64_t total, bool is_aborted)
{
	parcel->is_complete = true;
	parcel->is_aborted = is_aborted;
	if (is_aborted)
		return;
	parcel->total = total;
	if (parcel->is_broken || parcel->len != total || total > CP_MSRP_CHUNK)
		return;
	parcel->head_len = cp_msrp_parcel_headers(parcel->head, parcel, 1, total);
}

static const char *
wish_line(const char *yes, const char *no, const char *partial, enum cp_msrp_wish wish)
{
	switch (wish) {
	case CP_MSRP_YES:
		return yes;
	case CP_MSRP_NO:
		return no;
	case CP_MSRP_PARTIAL:
		return partial;
	case CP_MSRP_UNSAID:
		break;
	}
	return "";
}

static void
write_number(char out[24], uint64_t value)
{
	if (value == CP_MSRP_OPEN)
		snprintf(out, 24, "*");
	else
		snprintf(out, 24, "%" PRIu64, value);
}

size_t
cp_msrp_parcel_headers(char *out, const struct cp_msrp_parcel *parcel, uint64_t start, uint64_t end)
{
	char last[24], total[24];
	int len;

	write_number(last, end);
	write_number(total, parcel->total);
	len = snprintf(
		out, CP_MSRP_HEADERS_MAX,
		"Message-ID: %s\r\nByte-Range: %" PRIu64 "-%s/%s\r\n%s%sContent-Type: "
		"%s\r\n\r\n",
		parcel->message_id, start, last, total,
		wish_line("Success-Report: yes\r\n", "Success-Report: no\r\n", "", parcel->success),
		wish_line("Failure-Report: yes\r\n", "Failure-Report: no\r\n",
			  "Failure-Report: partial\r\n", parcel->failure),
		parcel->content_type);
	return (size_t)len;
}

int
cp_msrp_cursor_init(struct cp_msrp_cursor *cursor, struct cp_msrp_parcel *parcel)
{
	struct cp_msrp_piece *piece = parcel->first ? parcel->first : parcel->last;

	if (parcel->first == NULL && piece->len != parcel->len)
		return -ENOENT;
	*cursor = (struct cp_msrp_cursor){.piece = get_piece(piece)};
	return 0;
}

void
cp_msrp_cursor_fini(struct cp_msrp_cursor *cursor)
{
	put_piece(cursor->piece);
	cursor->piece = NULL;
	cursor->at = 0;
}

struct cp_msrp_run
cp_msrp_cursor_peek(struct cp_msrp_cursor *cursor)
{
	struct cp_msrp_piece *piece = cursor->piece;

	while (cursor->at == piece->len && piece->next != NULL) {
		cursor->piece = get_piece(piece->next);
		cursor->at = 0;
		put_piece(piece);
		piece = cursor->piece;
	}
	return (struct cp_msrp_run){
		.octets = cp_slice(piece->octets + cursor->at, piece->len - cursor->at),
		.at = piece->at + cursor->at,
		.begins = piece->begins && cursor->at == 0,
	};
}

void
cp_msrp_cursor_move(struct cp_msrp_cursor *cursor, size_t len)
{
	cursor->at += len;
	cursor->past += len;
}
