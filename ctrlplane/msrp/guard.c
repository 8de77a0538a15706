/* No end-line inside a body (RFC 4975 section 7.1): whoever writes a body in pieces learns where the chunk must end. */
#include "ctrlplane/msrp/msg.h"

void
cp_msrp_guard_init(struct cp_msrp_guard *guard, struct cp_slice transaction)
{
	size_t len = transaction.len < CP_MSRP_IDENT_MAX ? transaction.len : CP_MSRP_IDENT_MAX;

	*guard = (struct cp_msrp_guard){.needle_len = 7 + len};
	memcpy(guard->needle, "-------", 7);
	if (len > 0)
		memcpy(guard->needle + 7, transaction.ptr, len);
}

/* Where the needle is complete that begins in what went out before: octets of the piece; 0: nowhere. */
static size_t
completed(const struct cp_msrp_guard *g, struct cp_slice piece)
{
	for (size_t begin = 0; begin < g->tail_len; begin++) {
		size_t before = g->tail_len - begin, after = g->needle_len - before;

		if (after <= piece.len && memcmp(g->tail + begin, g->needle, before) == 0 &&
		    memcmp(piece.ptr, g->needle + before, after) == 0)
			return after;
	}
	return 0;
}

/* The last octets of the chunk, fewer than the needle has. */
static void
remember(struct cp_msrp_guard *g, struct cp_slice piece)
{
	size_t most = g->needle_len - 1, keep;

	if (piece.len >= most) {
		memcpy(g->tail, piece.ptr + piece.len - most, most);
		g->tail_len = most;
		return;
	}
	keep = g->tail_len < most - piece.len ? g->tail_len : most - piece.len;
	memmove(g->tail, g->tail + g->tail_len - keep, keep);
	if (piece.len > 0)
		memcpy(g->tail + keep, piece.ptr, piece.len);
	g->tail_len = keep + piece.len;
}

size_t
cp_msrp_guard_pass(struct cp_msrp_guard *guard, struct cp_slice piece)
{
	size_t at = piece.len > 0 ? completed(guard, piece) : 0;

	for (size_t i = 0; at == 0 && i + guard->needle_len <= piece.len; i++) {
		const char *dash = memchr(piece.ptr + i, '-', piece.len - i);

		if (dash == NULL)
			break;
		i = (size_t)(dash - piece.ptr);
		if (i + guard->needle_len <= piece.len &&
		    memcmp(dash, guard->needle, guard->needle_len) == 0)
			at = i + guard->needle_len;
	}
	if (at > 0)
		piece.len = at - 1; /* the last octet of it does not go out */
	remember(guard, piece);
	return piece.len;
}
