/* Which octets of a message are there (RFC 4975 section 7.3.1): runs in order, each octet counted once. */
#include "ctrlplane/msrp/session_state.h"

void
cp_msrp_coming_fresh(const struct cp_msrp_coming *c, uint64_t at, uint64_t len, size_t *old,
		     size_t *fresh)
{
	uint64_t end = at + len;

	*old = 0;
	for (size_t i = 0; i < c->range_count; i++) {
		if (c->ranges[i].to <= at)
			continue;
		if (c->ranges[i].from <= at) {
			uint64_t to = c->ranges[i].to < end ? c->ranges[i].to : end;

			*old += (size_t)(to - at);
			at = to;
		} else if (c->ranges[i].from < end) {
			end = c->ranges[i].from;
		}
	}
	*fresh = (size_t)(end - at);
}

static void
drop(struct cp_msrp_coming *c, size_t i)
{
	c->range_count--;
	for (; i < c->range_count; i++)
		c->ranges[i] = c->ranges[i + 1];
}

bool
cp_msrp_coming_note(struct cp_msrp_coming *c, uint64_t at, uint64_t len)
{
	size_t i = 0;

	while (i < c->range_count && c->ranges[i].to < at)
		i++;
	if (i < c->range_count && c->ranges[i].to == at) {
		c->ranges[i].to += len;
	} else if (i < c->range_count && c->ranges[i].from == at + len) {
		c->ranges[i].from = at;
	} else {
		if (c->range_count == CP_MSRP_RANGES_MAX)
			return false;
		for (size_t n = c->range_count; n > i; n--)
			c->ranges[n] = c->ranges[n - 1];
		c->ranges[i].from = at;
		c->ranges[i].to = at + len;
		c->range_count++;
	}
	if (i + 1 < c->range_count && c->ranges[i].to == c->ranges[i + 1].from) {
		c->ranges[i].to = c->ranges[i + 1].to;
		drop(c, i + 1);
	}
	c->got += len;
	return true;
}
