/* Token buckets by source address. */
#include "ctrlplane/app/rate.h"

/* FNV-1a; never 0. */
static uint64_t
hash(const char *text)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *text; text++)
		h = (h ^ (uint8_t)*text) * 0x100000001b3u;
	return h ? h : 1;
}

bool
cp_rate_may(struct cp_rate *rate, const char *source, int64_t per_s, int64_t now_ms)
{
	uint64_t h = hash(source);
	int64_t full = 2000 * per_s, milli;
	size_t at = (h ^ h >> 32) % CP_RATE_SLOTS;

	if (per_s == 0)
		return true;
	if (rate->slots[at].source != h) {
		rate->slots[at].source = h;
		rate->slots[at].milli = full;
		rate->slots[at].at_ms = now_ms;
	}
	milli = rate->slots[at].milli;
	if (now_ms > rate->slots[at].at_ms) {
		int64_t gone = now_ms - rate->slots[at].at_ms;

		milli = gone >= 2000 ? full : milli + gone * per_s;
	}
	if (milli > full)
		milli = full;
	rate->slots[at].at_ms = now_ms;
	rate->slots[at].milli = milli >= 1000 ? milli - 1000 : milli;
	return milli >= 1000;
}
