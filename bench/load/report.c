/* The lines of JSON: one for each participant, one for all. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>
#include "bench/lib/bench.h"
#include "bench/load/streams.h"
#include "bench/load/app.h"
#include "bench/load/dialog.h"
#include "bench/load/subscribe.h"

#define HEARD_SHARE 0.8 /* of measurements in which an expected tone must be there */
#define SELF_DB 20.0 /* so much below its level a participant may hear itself (leaks, rounding) */

static double
rounded(double v, double step)
{
	return isfinite(v) ? round(v / step) * step : 0;
}

/* A number with two decimals: jansson would print all that a double has. */
static json_t *
real(double v)
{
	return json_real(rounded(v, 0.01));
}

/* What came from outside can be anything but UTF-8. */
static json_t *
text(const char *s)
{
	json_t *j = json_string(s);

	return j ? j : json_string("(not UTF-8)");
}

static double
ms(uint64_t from_ns, uint64_t to_ns)
{
	return to_ns > from_ns ? (double)(to_ns - from_ns) / 1e6 : 0;
}

static double
share_of(const struct ue_ear *ear, const struct ue_pitch *p)
{
	return ear->windows ? (double)p->heard / ear->windows : 0;
}

/* The last pitch of an ear is the participant's own, if it sends a tone. */
static bool
is_own(const struct ue_report *r, unsigned i)
{
	return r->call->hz && i == r->ear->count - 1;
}

static bool
pitch_is_right(const struct ue_report *r, unsigned i)
{
	const struct ue_options *o = r->call->shared->options;
	const struct ue_pitch *p = &r->ear->pitch[i];
	double dbov = ue_pitch_dbov(p);

	if (is_own(r, i))
		return share_of(r->ear, p) < 1 - HEARD_SHARE || dbov < o->level - SELF_DB;
	return share_of(r->ear, p) >= HEARD_SHARE && fabs(dbov - o->level) <= o->tolerance;
}

bool
ue_report_is_heard(const struct ue_report *r)
{
	if (!r->ear)
		return true;
	for (unsigned i = 0; i < r->ear->count; i++)
		if (!pitch_is_right(r, i))
			return false;
	return r->ear->count == 0 || r->ear->windows > 0;
}

static json_t *
heard_json(const struct ue_report *r)
{
	json_t *list = json_array();

	for (unsigned i = 0; r->ear && i < r->ear->count; i++) {
		const struct ue_pitch *p = &r->ear->pitch[i];

		json_array_append_new(list, json_pack("{s:i, s:o, s:o, s:o, s:b, s:b}", "hz",
						      (int)p->hz, "dbov", real(ue_pitch_dbov(p)),
						      "last_dbov", real((double)p->last_dbov),
						      "share", real(share_of(r->ear, p)), "is_self",
						      is_own(r, i), "ok", pitch_is_right(r, i)));
	}
	return list;
}

static json_t *
delay_json(const struct ue_ear *ear)
{
	if (!ear || ear->delay_count == 0)
		return json_null();
	return json_pack("{s:o, s:o, s:i}", "p50", real(ue_ear_delay_ms(ear, 0.5)), "p99",
			 real(ue_ear_delay_ms(ear, 0.99)), "count", (int)ear->delay_count);
}

/* Packets that should have come since measuring began, by the clock. */
static double
rx_due(const struct ue_report *r)
{
	uint64_t end = r->call->end_ns ? r->call->end_ns : bench_now_ns();

	return r->stats->rx_since_ns
		       ? ms(r->stats->rx_since_ns, end) / r->call->shared->options->ptime
		       : 0;
}

static json_t *
rx_json(const struct ue_report *r)
{
	const struct ue_leg_stats *s = r->stats;
	const struct ue_rtp_rx *rx = &s->rx;
	json_int_t lost = ue_rtp_rx_lost(rx), all = lost + (json_int_t)rx->packets;
	json_t *j = json_pack(
		"{s:I, s:I, s:I, s:o, s:o, s:I, s:I, s:o, s:o, s:I, s:I, s:I}", "packets",
		(json_int_t)rx->packets, "octets", (json_int_t)rx->octets, "lost", lost,
		"loss_percent", real(all > 0 ? 100.0 * (double)lost / (double)all : 0), "due",
		real(rx_due(r)), "duplicates", (json_int_t)rx->duplicates, "reordered",
		(json_int_t)rx->reordered, "jitter_ms", real(rx->jitter / 8), "gap_max_ms",
		real((double)rx->gap_max_ns / 1e6), "rtcp", (json_int_t)s->rx_rtcp, "ssrc_changes",
		(json_int_t)rx->ssrc_changes, "csrc_max", (json_int_t)s->rx_csrc_max);
	json_t *drops = json_object();

	for (int i = DP_DROP_NONE + 1; i < DP_DROP_COUNT; i++)
		if (s->drops[i])
			json_object_set_new(drops, dp_drop_name(i),
					    json_integer((json_int_t)s->drops[i]));
	json_object_set_new(j, "auth_failures",
			    json_integer((json_int_t)s->drops[DP_DROP_SRTP_AUTH]));
	json_object_set_new(j, "replays", json_integer((json_int_t)s->drops[DP_DROP_SRTP_REPLAY]));
	json_object_set_new(j, "rekeys", json_integer((json_int_t)s->rekeys_heard));
	json_object_set_new(j, "bye", json_boolean(s->has_bye));
	json_object_set_new(j, "other_pt", json_integer((json_int_t)s->rx_other_pt));
	json_object_set_new(j, "drops", drops);
	return j;
}

static json_t *
remote_json(const struct ue_leg_stats *s)
{
	if (!s->has_report)
		return json_null();
	return json_pack("{s:I, s:o, s:o}", "lost", (json_int_t)s->remote_lost, "jitter_ms",
			 real(s->remote_jitter / 8.0), "rtt_ms",
			 s->rtt_ms >= 0 ? real(s->rtt_ms) : json_null());
}

/* Who the KMS says they are, and by what; no key. */
static json_t *
mikey_json(const struct ue_mikey *m)
{
	struct ue_mikey_report r = ue_mikey_report(m);
	char csb_id[12];
	json_t *j = json_pack("{s:o, s:s, s:s}", "identity", text(r.identity), "kms", r.kms, "set",
			      r.set);

	snprintf(csb_id, sizeof(csb_id), "%08x", r.csb_id);
	json_object_set_new(j, "csb_id", r.csb_id ? json_string(csb_id) : json_null());
	json_object_set_new(j, "initiator", r.initiator[0] ? text(r.initiator) : json_null());
	json_object_set_new(j, "responder", r.responder[0] ? text(r.responder) : json_null());
	json_object_set_new(j, "flags", r.flags[0] ? json_string(r.flags) : json_null());
	json_object_set_new(j, "rekeys", json_integer(r.rekeys));
	json_object_set_new(j, "transfers", json_integer(r.transfers));
	json_object_set_new(
		j, "lines",
		json_pack("{s:i, s:i}", "offered", (int)r.lines, "keyed", (int)r.lines_keyed));
	json_object_set_new(j, "ticket_ms", r.ticket_ms >= 0 ? real(r.ticket_ms) : json_null());
	json_object_set_new(j, "ticket_uses", json_integer(r.ticket_uses));
	json_object_set_new(j, "error", r.error >= 0 ? json_integer(r.error) : json_null());
	json_object_set_new(j, "fault", r.fault ? text(r.fault) : json_null());
	return j;
}

static json_t *
call_json(const struct ue_report *r)
{
	const struct ue_call *c = r->call;
	const struct ue_options *o = c->shared->options;
	char dialog[UE_DIALOG_MAX];
	struct ue_sdes key[2];
	bool is_mikey = c->mikey && ue_mikey_is_keyed(c->mikey, key);
	const char *suite = c->outcome != UE_JOINED ? NULL
			    : o->is_plain	    ? "none"
						    : dp_suite_info(c->tx_key.suite)->name;
	json_t *j = json_pack(
		"{s:i, s:o, s:o, s:s, s:i, s:o, s:o, s:b}", "participant", (int)c->number, "uri",
		text(c->uri), "identity", text(c->identity), "outcome", ue_outcome_name(c->outcome),
		"status", c->status, "reason", text(c->reason), "warning",
		c->warning[0] ? text(c->warning) : json_null(), "isfocus", c->is_focus);

	explicit_bzero(key, sizeof(key));
	json_object_set_new(j, "keyed_by",
			    !suite ? json_null()
				   : json_string(o->is_plain ? "none"
						 : is_mikey  ? "mikey-ticket"
							     : "sdes"));
	json_object_set_new(j, "mikey", c->mikey ? mikey_json(c->mikey) : json_null());
	json_object_set_new(j, "streams", c->streams ? ue_streams_json(c) : json_null());
	json_object_set_new(j, "suite", suite ? json_string(suite) : json_null());
	json_object_set_new(j, "codec", suite ? json_string(ue_codec_name(c->codec)) : json_null());
	json_object_set_new(j, "ptime", json_integer(o->ptime));
	json_object_set_new(j, "joined_ms",
			    c->answer_ns ? real(ms(c->invite_ns, c->answer_ns)) : json_null());
	json_object_set_new(j, "first_media_ms",
			    r->stats->first_rx_ns ? real(ms(c->answer_ns, r->stats->first_rx_ns))
						  : json_null());
	json_object_set_new(
		j, "seconds",
		real(c->answer_ns ? ms(c->answer_ns, c->end_ns ? c->end_ns : bench_now_ns()) / 1000
				  : 0));
	json_object_set_new(j, "ended_by",
			    c->is_ended_by_focus ? json_string("focus")
			    : c->end_ns && c->answer_ns
				    ? json_string(c->is_vanished ? "nobody" : "us")
				    : json_null());
	json_object_set_new(j, "end_reason", c->end_reason[0] ? text(c->end_reason) : json_null());
	json_object_set_new(j, "dialog", ue_dialog_name(dialog, c) ? text(dialog) : json_null());
	json_object_set_new(j, "reinvites",
			    json_pack("{s:i, s:i, s:i, s:i}", "ok", (int)c->reinvites_ok, "failed",
				      (int)c->reinvites_failed, "heard", (int)c->reinvites_heard,
				      "status", c->reinvite_status));
	json_object_set_new(j, "refer_status", json_integer(c->refer_status));
	json_object_set_new(j, "session_expires", json_integer(c->session_expires));
	json_object_set_new(j, "pracks", json_integer(c->pracks));
	json_object_set_new(j, "ssrc", json_integer(c->ssrc));
	json_object_set_new(j, "roster", ue_sub_json(c));
	return j;
}

void
ue_report_print(const struct ue_report *r, bool is_progress)
{
	const struct ue_call *c = r->call;
	const struct ue_leg_stats *s = r->stats;
	json_t *j = call_json(r);

	if (is_progress)
		json_object_set_new(j, "progress", json_true());
	json_object_set_new(j, "tone",
			    c->hz ? json_pack("{s:i, s:o}", "hz", (int)c->hz, "dbov",
					      real(c->shared->options->level))
				  : json_null());
	json_object_set_new(j, "tx",
			    json_pack("{s:I, s:I, s:I, s:I, s:I}", "packets",
				      (json_int_t)s->tx_packets, "octets", (json_int_t)s->tx_octets,
				      "rtcp", (json_int_t)s->tx_rtcp, "impaired",
				      (json_int_t)s->tx_impaired, "attack",
				      (json_int_t)s->attack_packets));
	json_object_set_new(j, "rx", rx_json(r));
	json_object_set_new(j, "remote", remote_json(s));
	json_object_set_new(j, "delay_ms", delay_json(r->ear));
	json_object_set_new(j, "heard", heard_json(r));
	json_object_set_new(j, "heard_as_expected", json_boolean(ue_report_is_heard(r)));
	json_dumpf(j, stdout, JSON_COMPACT | JSON_REAL_PRECISION(8));
	putchar('\n');
	fflush(stdout);
	json_decref(j);
}

struct totals {
	unsigned outcome[UE_OUTCOMES], heard, joins, delays, not_delivered, ended_by_focus;
	double *join_ms, *delay_ms;
	double rx_due, rx_share_min, remote_share_max;
	uint64_t tx, rx, lost, auth, rtcp;
	int64_t remote_lost;
};

static void
totals_add(struct totals *t, const struct ue_call *c)
{
	struct ue_report r = {c, ue_leg_stats(c->media), ue_leg_ear(c->media)};
	const struct ue_leg_stats *s = r.stats;
	double due = rx_due(&r), share = due > 0 ? (double)s->rx.packets / due : 0;

	t->outcome[c->outcome]++;
	t->ended_by_focus += c->is_ended_by_focus;
	if (c->outcome != UE_JOINED)
		return;
	t->heard += ue_report_is_heard(&r);
	t->join_ms[t->joins++] = ms(c->invite_ns, c->answer_ns);
	if (r.ear && r.ear->delay_count)
		t->delay_ms[t->delays++] = ue_ear_delay_ms(r.ear, 0.5);
	t->tx += s->tx_packets;
	t->rx += s->rx.packets;
	t->lost += (uint64_t)ue_rtp_rx_lost(&s->rx);
	t->auth += s->drops[DP_DROP_SRTP_AUTH];
	t->rtcp += s->rx_rtcp;
	t->remote_lost += s->remote_lost > 0 ? s->remote_lost : 0;
	t->rx_due += due;
	if (t->joins == 1 || share < t->rx_share_min)
		t->rx_share_min = share;
	if (s->tx_packets && s->has_report)
		t->remote_share_max =
			fmax(t->remote_share_max, (double)s->remote_lost / (double)s->tx_packets);
	t->not_delivered += !s->has_report;
}

static json_t *
quantiles(double *values, unsigned n)
{
	if (n == 0)
		return json_null();
	return json_pack("{s:o, s:o, s:o}", "p50", real(bench_quantile(values, n, 0.5)), "p99",
			 real(bench_quantile(values, n, 0.99)), "max",
			 real(bench_quantile(values, n, 1)));
}

/* What those who watch saw together. */
static json_t *
rosters_json(const struct ue_call *calls, unsigned count)
{
	struct ue_sub_totals t = {0};
	unsigned most = calls[0].shared->options->per_conference;

	for (unsigned i = 0; i < count; i++)
		ue_sub_add(&t, &calls[i], most ? most : count);
	return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:I}", "subscribed",
			 (int)t.subscribed, "refused", (int)t.refused, "complete", (int)t.complete,
			 "notifies", (int)t.notifies, "full", (int)t.full, "partial",
			 (int)t.partial, "gaps", (int)t.gaps, "failures", (int)t.failures, "octets",
			 (json_int_t)t.octets);
}

void
ue_report_summary(const struct ue_call *calls, unsigned count, double join_seconds)
{
	const struct ue_media_stats *m = ue_media_stats(calls[0].shared->media);
	struct totals t = {.join_ms = calloc(2 * (size_t)count, sizeof(double))};
	json_t *j;

	if (!t.join_ms)
		return;
	t.delay_ms = t.join_ms + count;
	for (unsigned i = 0; i < count; i++)
		totals_add(&t, &calls[i]);
	j = json_pack("{s:b, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:b}", "summary", 1,
		      "participants", (int)count, "joined", (int)t.outcome[UE_JOINED], "refused",
		      (int)t.outcome[UE_REFUSED], "timeout", (int)t.outcome[UE_TIMED_OUT],
		      "unreachable", (int)t.outcome[UE_UNREACHABLE], "bad_answer",
		      (int)t.outcome[UE_BAD_ANSWER], "ended_by_focus", (int)t.ended_by_focus,
		      "heard_as_expected", (int)t.heard, "all_heard", t.heard == count);
	json_object_set_new(j, "no_ticket", json_integer(t.outcome[UE_NO_TICKET]));
	json_object_set_new(j, "joins_per_second",
			    real(join_seconds > 0 ? t.joins / join_seconds : 0));
	json_object_set_new(j, "join_ms", quantiles(t.join_ms, t.joins));
	json_object_set_new(j, "delay_ms", quantiles(t.delay_ms, t.delays));
	json_object_set_new(j, "tx_packets", json_integer((json_int_t)t.tx));
	json_object_set_new(j, "rx_packets", json_integer((json_int_t)t.rx));
	json_object_set_new(j, "rx_due", real(t.rx_due));
	json_object_set_new(j, "rx_percent",
			    real(t.rx_due > 0 ? 100 * (double)t.rx / t.rx_due : 0));
	json_object_set_new(j, "rx_percent_min", real(100 * t.rx_share_min));
	json_object_set_new(j, "rx_lost", json_integer((json_int_t)t.lost));
	json_object_set_new(j, "rx_rtcp", json_integer((json_int_t)t.rtcp));
	json_object_set_new(j, "auth_failures", json_integer((json_int_t)t.auth));
	json_object_set_new(j, "remote_lost", json_integer(t.remote_lost));
	json_object_set_new(j, "remote_loss_percent",
			    real(t.tx ? 100 * (double)t.remote_lost / (double)t.tx : 0));
	json_object_set_new(j, "without_report", json_integer(t.not_delivered));
	if (calls[0].shared->options->watch)
		json_object_set_new(j, "roster", rosters_json(calls, count));
	json_object_set_new(j, "stray_packets", json_integer((json_int_t)m->rx_stray));
	json_object_set_new(j, "tx_errors", json_integer((json_int_t)m->tx_errors));
	json_object_set_new(j, "ticks_late", json_integer((json_int_t)m->ticks_late));
	json_object_set_new(j, "late_max_ms", real((double)m->late_max_ns / 1e6));
	json_dumpf(j, stdout, JSON_COMPACT | JSON_REAL_PRECISION(8));
	putchar('\n');
	fflush(stdout);
	json_decref(j);
	free(t.join_ms);
}
