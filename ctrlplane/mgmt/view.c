/* How conferences and participants look in JSON. */
#include "ctrlplane/mgmt/view.h"
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "ctrlplane/mgmt/floor_list.h"
#include "ctrlplane/mgmt/text.h"
#include "ctrlplane/mgmt/time.h"
#include "dataplane/api/suite.h"

#define TALKERS_MAX 8

json_t *
cp_view_time(int64_t ms, const struct cp_view_clock *clock)
{
	char text[CP_TIME_TEXT];

	cp_time_print(text, clock->now_unix_ms - (clock->now_ms - ms));
	return json_string(text);
}

/* 0 is null. */
static json_t *
view_moment(int64_t ms, const struct cp_view_clock *clock)
{
	return ms != 0 ? cp_view_time(ms, clock) : json_null();
}

static json_t *
view_wall(int64_t unix_ms)
{
	char text[CP_TIME_TEXT];

	if (unix_ms == 0)
		return json_null();
	cp_time_print(text, unix_ms);
	return json_string(text);
}

/* Empty and NULL are null. */
static json_t *
view_text(const char *text)
{
	return text == NULL || text[0] == '\0' ? json_null() : cp_json_text(text);
}

static void
set_number(json_t *json, const char *name, uint64_t value)
{
	json_object_set_new(json, name, json_integer((json_int_t)value));
}

/* Microseconds as milliseconds with one decimal. */
static json_t *
view_us(int64_t us)
{
	return json_real((double)((us + (us < 0 ? -50 : 50)) / 100) / 10);
}

/* Of RFC 6464's -dBov; 127 is digital silence. */
static json_t *
view_level(uint8_t level)
{
	return level >= 127 ? json_null() : json_integer(-(int)level);
}

/* "sip:127.0.0.1:5060;transport=udp" with the user part set in, parameters left out. */
static json_t *
view_uris(const char *user, const struct cp_mgmt_node_facts *facts)
{
	json_t *uris = json_array();

	for (size_t i = 0; i < facts->sip_url_count; i++) {
		const char *url = facts->sip_urls[i], *colon = strchr(url, ':');
		char text[512];

		if (colon == NULL)
			continue;
		snprintf(text, sizeof(text), "%.*s%s@%s", (int)(colon - url) + 1, url, user,
			 colon + 1);
		json_array_append_new(uris, json_string(text));
	}
	return uris;
}

json_t *
cp_view_people(const struct cp_conf *conf)
{
	json_t *list = json_array();

	for (size_t i = 0; i < conf->authorised_count; i++)
		json_array_append_new(list,
				      json_pack("{s:o, s:s}", "uri",
						view_text(conf->authorised[i].identity), "role",
						cp_conf_role_name(conf->authorised[i].role)));
	return list;
}

json_t *
cp_view_talkers(const struct cp_conf *conf)
{
	json_t *list = json_array();

	for (const struct cp_leg *leg = conf->legs; leg != NULL; leg = leg->next) {
		const char *name = leg->display[0] != '\0'    ? leg->display
				   : leg->identity[0] != '\0' ? leg->identity
							      : "anonymous";

		if (!leg->is_talking)
			continue;
		json_array_append_new(list, json_pack("{s:I, s:o}", "id", (json_int_t)leg->id,
						      "name", cp_json_text(name)));
		if (json_array_size(list) == TALKERS_MAX)
			break;
	}
	return list;
}

static void
set_policy(json_t *json, const struct cp_conf *conf)
{
	const struct {
		const char *name;
		bool is_on;
	} flags[] = {
		{"open", conf->is_open},
		{"anonymous", conf->may_anonymous},
		{"locked", conf->is_locked},
		{"lobby", conf->has_lobby},
		{"announces", conf->announces},
		{"mutes_on_entry", conf->mutes_on_entry},
		{"mutes_on_hold", conf->mutes_on_hold},
		{"ends_with_creator", conf->ends_with_creator},
		{"ends_when_empty", conf->ends_when_empty},
		{"chat", conf->has_chat},
		{"has_pin", conf->pin[0] != '\0'},
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		json_object_set_new(json, flags[i].name, json_boolean(flags[i].is_on));
	json_object_set_new(json, "security", json_string(cp_conf_security_name(conf->security)));
	json_object_set_new(json, "who_may_change",
			    json_string(cp_conf_editors_name(conf->editors)));
	json_object_set_new(json, "notify_protection",
			    json_string(cp_conf_notify_name(conf->notify)));
	json_object_set_new(json, "max_participants",
			    conf->size_max > 0 ? json_integer(conf->size_max) : json_null());
	set_number(json, "loudest_n", conf->loudest_n);
	set_number(json, "small_size", conf->small_size);
	set_number(json, "chat_history", conf->chat_history);
	json_object_set_new(json, "start_at", view_wall(conf->start_ms));
	json_object_set_new(json, "end_at", view_wall(conf->end_ms));
	set_number(json, "early_s", (uint64_t)conf->early_ms / 1000);
	json_object_set_new(json, "floors", cp_floor_list_view(&conf->floors));
}

json_t *
cp_view_conference(const struct cp_conf *conf, const struct cp_mgmt_node_facts *facts,
		   const struct cp_view_clock *clock, size_t list_max)
{
	json_t *json = json_object();

	json_object_set_new(json, "id", view_text(conf->user));
	json_object_set_new(json, "title", view_text(conf->title));
	json_object_set_new(json, "subject", view_text(conf->subject));
	json_object_set_new(json, "description", view_text(conf->description));
	json_object_set_new(json, "creator", view_text(conf->creator));
	json_object_set_new(json, "uris", view_uris(conf->user, facts));
	json_object_set_new(json, "origin", json_string(cp_conf_origin_name(conf->origin)));
	json_object_set_new(json, "created_at", cp_view_time(conf->created_ms, clock));
	set_number(json, "participants", conf->leg_count);
	set_number(json, "connected", conf->connected_count);
	json_object_set_new(json, "talkers", cp_view_talkers(conf));
	set_policy(json, conf);
	set_number(json, "authorised_count", conf->authorised_count);
	if (list_max > 0 && conf->authorised_count <= list_max)
		json_object_set_new(json, "authorised", cp_view_people(conf));
	return json;
}

static void
set_suite(json_t *json, enum dp_suite suite, const char *protection)
{
	bool is_secure = suite != DP_SUITE_NONE && suite < DP_SUITE_COUNT;

	if (protection == NULL)
		protection = is_secure ? "SDES to next hop" : "none";
	json_object_set_new(json, "protection", json_string(protection));
	json_object_set_new(json, "suite",
			    is_secure ? json_string(dp_suite_info(suite)->name) : json_null());
}

/* Who it is, and how it came and went. */
static void
set_person(json_t *json, const struct cp_leg *leg, const struct cp_mgmt_leg_facts *facts)
{
	const char *verified = leg->proof != CP_PROOF_NONE  ? cp_conf_proof_name(leg->proof)
			       : facts->verified_by != NULL ? facts->verified_by
							    : "none";

	json_object_set_new(json, "identity", view_text(leg->identity));
	json_object_set_new(json, "uri",
			    view_text(facts->uri != NULL ? facts->uri : leg->identity));
	json_object_set_new(json, "display", view_text(leg->display));
	json_object_set_new(json, "role", json_string(cp_conf_role_name(leg->role)));
	json_object_set_new(json, "verified_by", json_string(verified));
	json_object_set_new(json, "private", json_boolean(leg->is_private));
	json_object_set_new(json, "method", json_string(cp_join_method_name(leg->method)));
	json_object_set_new(json, "join_by", view_text(leg->join_by));
	json_object_set_new(json, "referred_by", view_text(leg->referred_by));
	json_object_set_new(json, "left_reason", view_text(leg->left_reason));
	json_object_set_new(json, "left_by", view_text(leg->left_by));
	json_object_set_new(json, "via", view_text(leg->via));
	json_object_set_new(json, "call_id",
			    view_text(leg->call_id[0] != '\0' ? leg->call_id : facts->call_id));
	json_object_set_new(json, "user_agent",
			    view_text(leg->agent[0] != '\0' ? leg->agent : facts->user_agent));
}

/* Names of the floors that it holds. */
static json_t *
view_held(const struct cp_leg *leg)
{
	const struct cp_conf_floors *floors = &leg->conf->floors;
	json_t *list = json_array();

	for (size_t i = 0; i < floors->count; i++)
		if (leg->floors & 1u << i)
			json_array_append_new(list, json_string(floors->items[i].name));
	return list;
}

json_t *
cp_view_participant(const struct cp_leg *leg, const struct cp_mgmt_leg_facts *facts,
		    const struct cp_view_clock *clock)
{
	json_t *json = json_object();

	set_number(json, "id", leg->id);
	set_number(json, "user_id", leg->user_id);
	json_object_set_new(json, "conference", view_text(leg->conf->user));
	set_person(json, leg, facts);
	json_object_set_new(json, "nickname", view_text(facts->nickname));
	set_suite(json, leg->suite,
		  leg->keying != CP_KEYING_UNKNOWN ? cp_leg_protection(leg) : facts->protection);
	json_object_set_new(json, "state", json_string(cp_leg_state_name(leg->state)));
	json_object_set_new(json, "waiting", json_string(cp_leg_wait_name(leg->wait)));
	json_object_set_new(json, "status", json_string(cp_leg_status_name(cp_leg_status(leg))));
	json_object_set_new(json, "direction", json_string(leg->is_held ? "recvonly" : "sendrecv"));
	json_object_set_new(json, "on_hold", json_boolean(leg->is_held));
	json_object_set_new(json, "muted", json_boolean(leg->is_muted));
	json_object_set_new(json, "deaf", json_boolean(leg->is_deaf));
	json_object_set_new(json, "floors", view_held(leg));
	json_object_set_new(json, "gain_db", json_real(leg->gain_cdb / 100.0));
	json_object_set_new(json, "talking", json_boolean(leg->is_talking));
	json_object_set_new(json, "joined_at", cp_view_time(leg->joined_ms, clock));
	json_object_set_new(json, "connected_at", view_moment(leg->connected_ms, clock));
	json_object_set_new(json, "left_at", view_moment(leg->left_ms, clock));
	json_object_set_new(json, "media", json_null());
	return json;
}

/* What the participant may do, as SDP says it from the participant's side. */
static const char *
direction_of(uint8_t dirs)
{
	static const char *const names[] = {"inactive", "sendonly", "recvonly", "sendrecv"};

	return names[dirs & (DP_DIR_RECEIVE | DP_DIR_SEND)];
}

static json_t *
view_addr(const struct dp_addr *addr)
{
	char ip[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 16];
	bool is_6 = addr->family == DP_FAMILY_IP6;

	if (addr->family == DP_FAMILY_NONE ||
	    inet_ntop(is_6 ? AF_INET6 : AF_INET, addr->ip, ip, sizeof(ip)) == NULL)
		return json_null();
	snprintf(text, sizeof(text), is_6 ? "[%s]:%u" : "%s:%u", ip, addr->port);
	return json_string(text);
}

static json_t *
view_codec(uint8_t codec)
{
	static const char *const names[DP_CODEC_COUNT] = {
		[DP_CODEC_PCMU] = "PCMU", [DP_CODEC_PCMA] = "PCMA", [DP_CODEC_L16] = "L16"};

	return codec < DP_CODEC_COUNT && names[codec] != NULL ? json_string(names[codec])
							      : json_null();
}

static json_t *
view_drops(const uint64_t *drops)
{
	json_t *json = json_object();

	for (int i = DP_DROP_NONE + 1; i < DP_DROP_COUNT; i++)
		if (drops[i] > 0)
			set_number(json, dp_drop_name(i), drops[i]);
	return json;
}

static void
set_counters(json_t *json, const struct dp_leg_stats *s)
{
	set_number(json, "packets_rx", s->rx_packets);
	set_number(json, "packets_tx", s->tx_packets);
	set_number(json, "octets_rx", s->rx_octets);
	set_number(json, "octets_tx", s->tx_octets);
	set_number(json, "rtcp_rx", s->rx_rtcp);
	set_number(json, "rtcp_tx", s->tx_rtcp);
	set_number(json, "played", s->played);
	set_number(json, "lost", s->lost);
	set_number(json, "reordered", s->reordered);
	set_number(json, "concealed_frames", s->concealed_frames);
	set_number(json, "auth_failures", s->auth_failures);
	set_number(json, "replays", s->replays);
	set_number(json, "dtmf_events", s->dtmf_events);
	set_number(json, "ssrc_changes", s->ssrc_changes);
	set_number(json, "key_packets_rx", s->key_packets_rx);
	set_number(json, "key_packets_tx", s->key_packets_tx);
}

static void
set_gauges(json_t *json, const struct dp_leg_stats *s)
{
	char ssrc[16];

	json_object_set_new(json, "jitter_ms", view_us(s->jitter_us));
	json_object_set_new(json, "delay_ms", view_us(s->jbuf_delay_us));
	json_object_set_new(json, "round_trip_ms",
			    s->round_trip_us > 0 ? view_us(s->round_trip_us) : json_null());
	json_object_set_new(json, "remote_jitter_ms", view_us(s->remote_jitter_us));
	json_object_set_new(json, "remote_lost_percent",
			    json_real((double)(s->remote_lost * 1000 / 256) / 10));
	json_object_set_new(json, "clock_drift_ppm", json_integer(s->clock_drift_ppm));
	json_object_set_new(json, "level_dbov", view_level(s->level_rx));
	json_object_set_new(json, "level_heard_dbov", view_level(s->level_tx));
	snprintf(ssrc, sizeof(ssrc), "%08" PRIx32, s->ssrc_rx);
	json_object_set_new(json, "ssrc_rx", s->ssrc_rx != 0 ? json_string(ssrc) : json_null());
	snprintf(ssrc, sizeof(ssrc), "%08" PRIx32, s->ssrc_tx);
	json_object_set_new(json, "ssrc_tx", json_string(ssrc));
}

json_t *
cp_view_media(const struct dp_ctl_leg_shown *shown)
{
	const struct dp_leg_stats *s = &shown->stats;
	json_t *json = json_object();

	json_object_set_new(json, "worker", json_integer(shown->added.worker));
	json_object_set_new(json, "local", view_addr(&shown->added.local_rtp));
	json_object_set_new(json, "remote",
			    view_addr(s->is_latched ? &shown->latched : &shown->leg.remote_rtp));
	json_object_set_new(json, "latched", json_boolean(s->is_latched));
	json_object_set_new(json, "codec", view_codec(shown->leg.tx.codec));
	json_object_set_new(json, "ptime_ms", json_integer(shown->leg.ptime_ms));
	set_counters(json, s);
	set_gauges(json, s);
	json_object_set_new(json, "drops", view_drops(s->drops));
	return json;
}

void
cp_view_add_media(json_t *participant, const struct dp_ctl_leg_shown *shown)
{
	if (shown->suite_rx != DP_SUITE_NONE) {
		const char *known = json_string_value(json_object_get(participant, "protection"));

		set_suite(participant, shown->suite_rx,
			  known != NULL && strcmp(known, "none") != 0 ? known : NULL);
	}
	json_object_set_new(participant, "direction", json_string(direction_of(shown->leg.dirs)));
	json_object_set_new(participant, "talking", json_boolean(shown->stats.is_talking));
	json_object_set_new(participant, "media", cp_view_media(shown));
}

void
cp_sums_add(struct cp_sums *sums, const struct dp_leg_stats *s)
{
	sums->measured++;
	sums->packets_rx += s->rx_packets;
	sums->packets_tx += s->tx_packets;
	sums->octets_rx += s->rx_octets;
	sums->octets_tx += s->tx_octets;
	sums->lost += s->lost;
	sums->concealed_frames += s->concealed_frames;
	sums->auth_failures += s->auth_failures;
	sums->replays += s->replays;
	sums->jitter_us += (uint64_t)s->jitter_us;
	sums->delay_us += (uint64_t)s->jbuf_delay_us;
	if ((uint64_t)s->jitter_us > sums->jitter_us_max)
		sums->jitter_us_max = (uint64_t)s->jitter_us;
	if ((uint64_t)s->round_trip_us > sums->round_trip_us_max)
		sums->round_trip_us_max = (uint64_t)s->round_trip_us;
	for (int i = 0; i < DP_DROP_COUNT; i++)
		sums->drops[i] += s->drops[i];
}

void
cp_view_add_sums(json_t *json, const struct cp_sums *sums)
{
	int64_t count = (int64_t)sums->measured;

	set_number(json, "measured", sums->measured);
	set_number(json, "packets_rx", sums->packets_rx);
	set_number(json, "packets_tx", sums->packets_tx);
	set_number(json, "octets_rx", sums->octets_rx);
	set_number(json, "octets_tx", sums->octets_tx);
	set_number(json, "lost", sums->lost);
	set_number(json, "concealed_frames", sums->concealed_frames);
	set_number(json, "auth_failures", sums->auth_failures);
	set_number(json, "replays", sums->replays);
	json_object_set_new(json, "jitter_ms_mean",
			    count > 0 ? view_us((int64_t)sums->jitter_us / count) : json_null());
	json_object_set_new(json, "jitter_ms_max",
			    count > 0 ? view_us((int64_t)sums->jitter_us_max) : json_null());
	json_object_set_new(json, "delay_ms_mean",
			    count > 0 ? view_us((int64_t)sums->delay_us / count) : json_null());
	json_object_set_new(json, "round_trip_ms_max",
			    sums->round_trip_us_max > 0 ? view_us((int64_t)sums->round_trip_us_max)
							: json_null());
	json_object_set_new(json, "drops", view_drops(sums->drops));
}

void
cp_view_hide(json_t *json, bool hides_list)
{
	static const char *const hidden[] = {"via", "call_id", "user_agent", "local", "remote"};
	const char *name;
	json_t *value;
	size_t i;

	if (hides_list)
		json_object_del(json, "authorised");
	for (i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (json_object_get(json, hidden[i]) != NULL)
			json_object_set_new(json, hidden[i], json_null());
	json_object_foreach (json, name, value) {
		cp_view_hide(value, hides_list);
	}
	json_array_foreach (json, i, value) {
		cp_view_hide(value, hides_list);
	}
}
