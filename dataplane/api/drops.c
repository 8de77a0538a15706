/* Names, texts and blame of the drop reasons. */
#include "dataplane/api/drops.h"

struct row {
	const char *name;
	const char *text;
	enum dp_blame blame;
};

static const struct row rows[DP_DROP_COUNT] = {
	[DP_DROP_NONE] = {"none", "not dropped", DP_BLAME_NONE},
#define X(id, name, text, blame) [DP_DROP_##id] = {name, text, DP_BLAME_##blame},
	DP_DROPS(X)
#undef X
};

static const struct row *
row(enum dp_drop drop)
{
	return &rows[(unsigned)drop < DP_DROP_COUNT ? drop : DP_DROP_NONE];
}

const char *
dp_drop_name(enum dp_drop drop)
{
	return row(drop)->name;
}

const char *
dp_drop_text(enum dp_drop drop)
{
	return row(drop)->text;
}

enum dp_blame
dp_drop_blame(enum dp_drop drop)
{
	return row(drop)->blame;
}

const char *
dp_blame_name(enum dp_blame blame)
{
	static const char *const names[] = {"none", "peer", "attack", "network", "load", "bug"};

	return (unsigned)blame < sizeof(names) / sizeof(names[0]) ? names[blame] : "none";
}
