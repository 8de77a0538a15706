/* How often each source address may make us ask the KMS: a token bucket each, in a table of fixed size. */
#ifndef CP_APP_RATE_H
#define CP_APP_RATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CP_RATE_SLOTS 4096 /* addresses remembered at a time */

struct cp_rate {
	struct {
		uint64_t source; /* 0: free */
		int64_t at_ms;
		int64_t milli; /* thousandths of a question that are left */
	} slots[CP_RATE_SLOTS];
};

/*
 * May a source ask once more? per_s questions a second, a burst of twice that; 0: no limit. source is
 * text; where two share a slot the one that came last counts from full, so the limit is soft against
 * many and exact against one.
 */
bool cp_rate_may(struct cp_rate *rate, const char *source, int64_t per_s, int64_t now_ms);

#endif
