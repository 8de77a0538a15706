/* Reception statistics of one source: RFC 3550 A.1, A.3, A.8. */
#include "dataplane/rtp/rtp_stats.h"

#define MAX_DROPOUT 3000 /* A.1 */
#define MAX_MISORDER 100
#define LOST_MAX 0x7fffff /* 24 bits signed */

void
dp_rtp_stats_init(struct dp_rtp_stats *stats, uint16_t seq)
{
	*stats = (struct dp_rtp_stats){.base_seq = seq, .max_seq = seq, .is_started = 1};
}

/* Move the sequence state (A.1). False: a jump that has not been confirmed; the packet is not counted. */
static bool
move_seq(struct dp_rtp_stats *stats, uint16_t seq)
{
	uint16_t delta = (uint16_t)(seq - stats->max_seq);

	if (delta < MAX_DROPOUT) {
		if (seq < stats->max_seq)
			stats->cycles += 0x10000;
		stats->max_seq = seq;
	} else if (delta <= 0x10000 - MAX_MISORDER) {
		if (!stats->is_jumping || seq != stats->bad_seq) {
			stats->bad_seq = (uint16_t)(seq + 1);
			stats->is_jumping = 1;
			return false;
		}
		dp_rtp_stats_init(stats, seq);
	} else {
		stats->reordered++;
	}
	stats->is_jumping = 0;
	return true;
}

/* A.8: the difference of two neighbours' transit times, smoothed by 1/16. */
static void
move_jitter(struct dp_rtp_stats *stats, uint32_t ts, uint32_t arrival)
{
	uint32_t transit = arrival - ts;
	int32_t d = (int32_t)(transit - stats->transit);
	uint32_t distance = d < 0 ? 0u - (uint32_t)d : (uint32_t)d;

	if (stats->has_transit)
		stats->jitter += distance - ((stats->jitter + 8) >> 4);
	stats->transit = transit;
	stats->has_transit = 1;
}

void
dp_rtp_stats_count(struct dp_rtp_stats *stats, uint16_t seq, uint32_t ts, uint32_t arrival,
		   bool has_clock)
{
	if (!stats->is_started)
		dp_rtp_stats_init(stats, seq);
	else if (!move_seq(stats, seq))
		return;
	stats->received++;
	if (has_clock)
		move_jitter(stats, ts, arrival);
}

static int32_t
clamp_lost(int64_t lost)
{
	if (lost > LOST_MAX)
		return LOST_MAX;
	return lost < -LOST_MAX - 1 ? -LOST_MAX - 1 : (int32_t)lost;
}

int32_t
dp_rtp_stats_lost(const struct dp_rtp_stats *stats)
{
	uint32_t expected;

	if (!stats->is_started)
		return 0;
	expected = stats->cycles + stats->max_seq - stats->base_seq + 1;
	return clamp_lost((int32_t)(expected - stats->received));
}

void
dp_rtp_stats_report(struct dp_rtp_stats *stats, struct dp_rtp_loss *out)
{
	uint32_t highest = stats->cycles + stats->max_seq;
	uint32_t expected = stats->is_started ? highest - stats->base_seq + 1 : 0;
	uint32_t expected_now = expected - stats->expected_prior;
	int32_t lost_now = (int32_t)(expected_now - (stats->received - stats->received_prior));

	out->highest = highest;
	out->lost = dp_rtp_stats_lost(stats);
	out->fraction = expected_now == 0 || lost_now <= 0
				? 0
				: (uint8_t)(lost_now >= (int32_t)expected_now
						    ? 255
						    : ((uint64_t)lost_now << 8) / expected_now);
	stats->expected_prior = expected;
	stats->received_prior = stats->received;
}
