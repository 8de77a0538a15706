/* Reading BER as CMS needs it: tags of one octet, definite and indefinite lengths. */
#ifndef CP_CMS_DER_H
#define CP_CMS_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CP_DER_INTEGER = 0x02,
	CP_DER_OCTETS = 0x04,
	CP_DER_OID = 0x06,
	CP_DER_SEQUENCE = 0x30,
	CP_DER_SET = 0x31,
};

/* What is left to read. Borrowed. */
struct cp_der {
	const uint8_t *at;
	size_t left;
};

/* One element. whole: with tag and length, and without the end mark of an indefinite length. */
struct cp_der_item {
	uint8_t tag;
	bool is_indefinite;
	const uint8_t *whole;
	size_t whole_len;
	struct cp_der content;
};

/* The next element, which then is no longer left. False: nothing is left, or it is malformed. */
bool cp_der_next(struct cp_der_item *item, struct cp_der *in);
/* The next one has that tag; else false and nothing is taken. */
bool cp_der_take(struct cp_der_item *item, struct cp_der *in, uint8_t tag);
bool cp_der_is_next(const struct cp_der *in, uint8_t tag);
bool cp_der_is(const struct cp_der_item *item, const uint8_t *octets, size_t len);

#endif
