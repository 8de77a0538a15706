/* Contributors of a conference, towards its legs: RFC 3550 7.1 to 7.3. Tables stand ready; nothing is allocated. */
#include "dataplane/worker/contributor.h"

#include <string.h>
#include "dataplane/worker/worker_state.h"

#define PERIOD_NS ((uint64_t)DP_WHEEL_SLOTS * DP_WHEEL_SLOT_NS)
#define TALKER_PERIODS 350 /* 7 s: since the last report, whose pause is at most 6.2 s */
#define AGAIN_PERIODS 100  /* 2 s: what the jitter buffer held at the BYE is out */

uint32_t
dp_worker_period(const struct dp_worker *w)
{
	return (uint32_t)((w->now_ns - w->wheel.start_ns) / PERIOD_NS) + 1;
}

static struct dp_gone *
gone_at(const struct dp_worker *w, const struct dp_leg *leg, uint32_t number)
{
	return &w->gone[leg->conf].gone[number % DP_GONE_MAX];
}

/* The oldest number that is still remembered. */
static uint32_t
gone_first(const struct dp_conference *conf)
{
	return conf->gone_count > DP_GONE_MAX ? conf->gone_count - DP_GONE_MAX : 0;
}

/* Did it say BYE, and was it heard since only while the jitter buffer ran out? */
static bool
is_told_already(const struct dp_worker *w, const struct dp_leg *leg)
{
	const struct dp_conference *conf = &w->confs[leg->conf];

	for (uint32_t i = gone_first(conf); i < conf->gone_count; i++) {
		const struct dp_gone *gone = gone_at(w, leg, i);

		if (gone->ssrc == leg->rx_ssrc && gone->leg == (uint32_t)(leg - w->legs) &&
		    (int32_t)(leg->heard - gone->since) < AGAIN_PERIODS)
			return true;
	}
	return false;
}

void
dp_contributor_gone(struct dp_worker *w, struct dp_leg *leg)
{
	struct dp_conference *conf = &w->confs[leg->conf];

	if (leg->heard != 0 && !is_told_already(w, leg))
		*gone_at(w, leg, conf->gone_count++) = (struct dp_gone){
			.ssrc = leg->rx_ssrc,
			.leg = (uint32_t)(leg - w->legs),
			.heard = leg->heard,
			.since = dp_worker_period(w),
		};
	leg->heard = 0;
}

/* Does this leg get the other's SSRC in its CSRC lists, and may it know whose it is? */
static bool
is_described(const struct dp_leg *other, uint32_t period)
{
	return other->heard != 0 && period - other->heard < TALKER_PERIODS &&
	       (other->flags & DP_LEG_PRIVATE) == 0 && other->peer_cname[0] != 0 &&
	       other->peer_cname_ssrc == other->rx_ssrc;
}

unsigned
dp_contributors_describe(const struct dp_worker *w, struct dp_leg *leg,
			 struct dp_rtcp_cname out[DP_DESCRIBED_MAX], size_t octets)
{
	const struct dp_conference *conf = &w->confs[leg->conf];
	uint32_t period = dp_worker_period(w);
	uint32_t first = leg->report.describe_at, i;
	unsigned n = 0;

	if ((leg->dirs & DP_DIR_SEND) == 0 || leg->is_deaf)
		return 0;
	for (i = 0; i < conf->leg_count && n < DP_DESCRIBED_MAX; i++) {
		const struct dp_leg *other = &w->legs[conf->members[(first + i) % conf->leg_count]];
		size_t chunk;

		if (other == leg || !is_described(other, period))
			continue;
		chunk = dp_rtcp_chunk_octets(other->peer_cname);
		if (chunk > octets)
			break;
		octets -= chunk;
		out[n++] =
			(struct dp_rtcp_cname){.text = other->peer_cname, .ssrc = other->rx_ssrc};
	}
	leg->report.describe_at = (first + i) % conf->leg_count;
	return n;
}

unsigned
dp_contributors_take_gone(const struct dp_worker *w, struct dp_leg *leg,
			  uint32_t out[DP_GONE_REPORT_MAX])
{
	const struct dp_conference *conf = &w->confs[leg->conf];
	uint32_t at = leg->report.gone_seen;
	unsigned n = 0;

	if (at < gone_first(conf))
		at = gone_first(conf);
	for (; at < conf->gone_count && n < DP_GONE_REPORT_MAX; at++) {
		const struct dp_gone *gone = gone_at(w, leg, at);

		if (gone->leg != (uint32_t)(leg - w->legs) && gone->heard >= leg->report.joined)
			out[n++] = gone->ssrc;
	}
	leg->report.gone_seen = at;
	return n;
}

bool
dp_contributors_has_gone(const struct dp_worker *w, const struct dp_leg *leg)
{
	return leg->report.gone_seen != w->confs[leg->conf].gone_count;
}
