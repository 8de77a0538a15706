/* Borrowed text and octets: decoders hand out slices of their input, nobody copies. */
#ifndef CP_BASE_SLICE_H
#define CP_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Octets of somebody else, not NUL-terminated; valid as long as its owner keeps them. ptr may be
 * NULL when len is 0. */
struct cp_slice {
	const char *ptr;
	size_t len;
};

static inline struct cp_slice
cp_slice(const char *ptr, size_t len)
{
	return (struct cp_slice){ptr, len};
}

static inline struct cp_slice
cp_slice_text(const char *text)
{
	return (struct cp_slice){text, text ? strlen(text) : 0};
}

/* Octet by octet. */
bool cp_slice_is(struct cp_slice slice, const char *text);
bool cp_slice_is_same(struct cp_slice a, struct cp_slice b);
/* ASCII letters without regard to case. */
bool cp_slice_is_nocase(struct cp_slice slice, const char *text);
bool cp_slice_has_prefix(struct cp_slice slice, const char *prefix);

/* The slice without blanks and tabs at both ends. */
struct cp_slice cp_slice_trim(struct cp_slice slice);

/* Take what stands before the first c off rest; without c the whole rest is taken. False when rest
 * was empty. */
bool cp_slice_split(struct cp_slice *rest, char c, struct cp_slice *part);

/* The next run of other octets than blank and tab. False at the end. */
bool cp_slice_word(struct cp_slice *rest, struct cp_slice *word);

/* The next line without its CRLF or LF. False at the end. */
bool cp_slice_line(struct cp_slice *rest, struct cp_slice *line);

/* Digits only, the whole slice, at most max. Leading zeroes pass. 0, -EINVAL, -ERANGE. */
int cp_slice_number(uint64_t *out, struct cp_slice slice, uint64_t max);

/* Copy with a NUL. 0, or -ENAMETOOLONG when it does not fit (then room[0] is NUL), -EINVAL with a
 * NUL inside. */
int cp_slice_copy(char *room, size_t size, struct cp_slice slice);

/* Whole characters of UTF-8 (RFC 3629) only. */
bool cp_slice_is_utf8(struct cp_slice slice);

/* Text of a peer for people: cut at a character, what is no UTF-8 or does not print becomes '?'. */
void cp_slice_copy_text(char *room, size_t size, struct cp_slice slice);

#endif
