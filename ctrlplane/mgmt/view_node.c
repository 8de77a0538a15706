/* How the node looks in JSON: at a glance and in full. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "ctrlplane/mgmt/view.h"

#define WORKERS_SHOWN_MAX \
	(sizeof(((struct dp_ctl_node *)0)->worker) / sizeof(struct dp_worker_stats))

static void
set_number(json_t *json, const char *name, uint64_t value)
{
	json_object_set_new(json, name, json_integer((json_int_t)value));
}

/* Part of its time that it worked, in percent with one decimal; of the last second, the node's being its busiest worker's. */
static json_t *
view_busy(const struct dp_worker_stats *s)
{
	return json_real((double)s->busy_permille / 10);
}

static json_t *
view_drops(const uint64_t *drops)
{
	json_t *list = json_array();

	for (int i = DP_DROP_NONE + 1; i < DP_DROP_COUNT; i++)
		if (drops[i] > 0)
			json_array_append_new(list, json_pack("{s:s, s:I, s:s, s:s}", "name",
							      dp_drop_name(i), "packets",
							      (json_int_t)drops[i], "blame",
							      dp_blame_name(dp_drop_blame(i)),
							      "text", dp_drop_text(i)));
	return list;
}

static json_t *
view_blames(const uint64_t *drops)
{
	json_t *json = json_object();

	for (int blame = DP_BLAME_NONE; blame <= DP_BLAME_BUG; blame++) {
		uint64_t sum = 0;

		for (int i = DP_DROP_NONE + 1; i < DP_DROP_COUNT; i++)
			sum += (int)dp_drop_blame(i) == blame ? drops[i] : 0;
		set_number(json, dp_blame_name(blame), sum);
	}
	return json;
}

static json_t *
view_worker(const struct dp_worker_stats *s)
{
	json_t *json = json_object();

	set_number(json, "participants", s->legs);
	set_number(json, "conferences", s->conferences);
	set_number(json, "packets_rx", s->rx_packets);
	set_number(json, "packets_tx", s->tx_packets);
	set_number(json, "octets_rx", s->rx_octets);
	set_number(json, "octets_tx", s->tx_octets);
	set_number(json, "packets_sunk", s->rx_sunk);
	set_number(json, "packets_held", s->held);
	set_number(json, "packets_made", s->made);
	set_number(json, "handoff_in", s->handoff_in);
	set_number(json, "handoff_out", s->handoff_out);
	set_number(json, "turns", s->turns);
	set_number(json, "ticks", s->ticks);
	set_number(json, "ticks_late", s->ticks_late);
	set_number(json, "plays", s->plays);
	set_number(json, "plays_ended", s->plays_ended);
	set_number(json, "play_frames", s->play_frames);
	set_number(json, "playing", s->playing);
	json_object_set_new(json, "busy_percent", view_busy(s));
	json_object_set_new(json, "late_percent", json_real((double)s->late_permille / 10));
	json_object_set_new(json, "tick_late_ms_max",
			    json_real((double)(s->tick_late_ns_max / 10000) / 100));
	json_object_set_new(json, "drops", view_drops(s->drops));
	return json;
}

static json_t *
view_calls(const struct cp_mgmt_node_facts *facts)
{
	return json_pack("{s:I, s:I}", "accepted", (json_int_t)facts->calls_total, "refused",
			 (json_int_t)facts->calls_refused);
}

/* Those that happened at all. */
static json_t *
view_counts(const struct cp_mgmt_count *counts, size_t count)
{
	json_t *json = json_object();

	for (size_t i = 0; i < count; i++)
		if (counts[i].count > 0)
			set_number(json, counts[i].name, counts[i].count);
	return json;
}

static json_t *
view_streams(const struct cp_mgmt_node_facts *facts)
{
	json_t *json = json_object();

	set_number(json, "connected", facts->streams);
	set_number(json, "accepted", facts->streams_total);
	json_object_set_new(json, "refused",
			    view_counts(facts->streams_refused, facts->stream_cause_count));
	json_object_set_new(json, "lost",
			    view_counts(facts->streams_lost, facts->stream_cause_count));
	return json;
}

static json_t *
view_head(const struct cp_focus *focus, const struct cp_mgmt_node_facts *facts, bool has_media,
	  const struct cp_view_clock *clock)
{
	const char *state = !has_media			  ? "no_media"
			    : cp_focus_is_draining(focus) ? "draining"
							  : "ok";
	json_t *json = json_object(), *urls = json_array();

	json_object_set_new(json, "state", json_string(state));
	json_object_set_new(json, "version", json_string(CONCLAVE_VERSION));
	json_object_set_new(json, "started_at", cp_view_time(facts->started_ms, clock));
	set_number(json, "uptime_s", (uint64_t)(clock->now_ms - facts->started_ms) / 1000);
	for (size_t i = 0; i < facts->sip_url_count; i++)
		json_array_append_new(urls, json_string(facts->sip_urls[i]));
	json_object_set_new(json, "sip", urls);
	set_number(json, "conferences", cp_conf_count(focus));
	set_number(json, "participants", cp_leg_count(focus));
	set_number(json, "subscribers", facts->subscribers);
	json_object_set_new(json, "calls", view_calls(facts));
	json_object_set_new(json, "streams", view_streams(facts));
	return json;
}

json_t *
cp_view_status(const struct cp_focus *focus, const struct cp_mgmt_node_facts *facts,
	       const struct dp_ctl_node *node, const struct cp_view_clock *clock)
{
	json_t *json = view_head(focus, facts, node != NULL, clock), *media;

	if (node == NULL) {
		json_object_set_new(json, "media", json_null());
		return json;
	}
	media = json_object();
	set_number(media, "workers", node->workers);
	set_number(media, "uptime_s", node->uptime_ns / 1000000000);
	set_number(media, "packets_rx", node->total.rx_packets);
	set_number(media, "packets_tx", node->total.tx_packets);
	json_object_set_new(media, "busy_percent", view_busy(&node->total));
	json_object_set_new(media, "drops_by_blame", view_blames(node->total.drops));
	json_object_set_new(json, "media", media);
	return json;
}

static void
set_welcome(json_t *json, const struct dp_ctl_welcome *welcome)
{
	if (welcome == NULL)
		return;
	json_object_set_new(json, "version",
			    json_stringn(welcome->version,
					 strnlen(welcome->version, sizeof(welcome->version))));
	set_number(json, "max_participants", welcome->legs_max);
	set_number(json, "max_conferences", welcome->confs_max);
}

json_t *
cp_view_node(const struct cp_focus *focus, const struct cp_mgmt_node_facts *facts,
	     const struct dp_ctl_node *node, const struct cp_view_clock *clock)
{
	json_t *json = view_head(focus, facts, node != NULL, clock), *media, *workers;
	char instance[32];

	if (node == NULL) {
		json_object_set_new(json, "media", json_null());
		return json;
	}
	media = json_object();
	snprintf(instance, sizeof(instance), "%016" PRIx64, node->instance);
	json_object_set_new(media, "instance", json_string(instance));
	set_welcome(media, facts->welcome);
	set_number(media, "uptime_s", node->uptime_ns / 1000000000);
	workers = json_array();
	for (size_t i = 0; i < node->workers && i < WORKERS_SHOWN_MAX; i++)
		json_array_append_new(workers, view_worker(&node->worker[i]));
	json_object_set_new(media, "total", view_worker(&node->total));
	json_object_set_new(media, "drops_by_blame", view_blames(node->total.drops));
	json_object_set_new(media, "workers", workers);
	json_object_set_new(json, "media", media);
	return json;
}
