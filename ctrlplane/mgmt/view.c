/* How conferences and participants look in JSON. */
#include "ctrlplane/mgmt/view.h"
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "ctrlplane/mgmt/text.h"
#include "dataplane/api/suite.h"

json_t *
cp_view_time(int64_t ms, const struct cp_view_clock *clock)
{
	int64_t unix_ms = clock->now_unix_ms - (clock->now_ms - ms);
	time_t seconds = (time_t)(unix_ms / 1000);
	struct tm parts;
	char text[64], all[80];

	gmtime_r(&seconds, &parts);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
	snprintf(all, sizeof(all), "%s.%03dZ", text, (int)(unix_ms % 1000));
	return json_string(all);
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
cp_view_conference(const struct cp_conf *conf, const struct cp_mgmt_node_facts *facts,
		   const struct cp_view_clock *clock, bool with_list)
{
	json_t *json = json_object(), *list;

	json_object_set_new(json, "id", view_text(conf->user));
	json_object_set_new(json, "title", view_text(conf->title));
	json_object_set_new(json, "uris", view_uris(conf->user, facts));
	json_object_set_new(json, "origin", json_string(cp_conf_origin_name(conf->origin)));
	json_object_set_new(json, "created_at", cp_view_time(conf->created_ms, clock));
	set_number(json, "participants", conf->leg_count);
	if (conf->size_max > 0)
		set_number(json, "max_participants", conf->size_max);
	else
		json_object_set_new(json, "max_participants", json_null());
	json_object_set_new(json, "security", json_string(cp_conf_security_name(conf->security)));
	json_object_set_new(json, "open", json_boolean(conf->is_open));
	json_object_set_new(json, "anonymous", json_boolean(conf->may_anonymous));
	json_object_set_new(json, "locked", json_boolean(conf->is_locked));
	json_object_set_new(json, "mutes_on_entry", json_boolean(conf->mutes_on_entry));
	json_object_set_new(json, "mutes_on_hold", json_boolean(conf->mutes_on_hold));
	set_number(json, "loudest_n", conf->loudest_n);
	set_number(json, "small_size", conf->small_size);
	if (!with_list)
		return json;
	list = json_array();
	for (size_t i = 0; i < conf->authorised_count; i++)
		json_array_append_new(list, view_text(conf->authorised[i].identity));
	json_object_set_new(json, "authorised", list);
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

json_t *
cp_view_participant(const struct cp_leg *leg, const struct cp_mgmt_leg_facts *facts,
		    const struct cp_view_clock *clock)
{
	json_t *json = json_object();

	set_number(json, "id", leg->id);
	json_object_set_new(json, "conference", view_text(leg->conf->user));
	json_object_set_new(json, "identity", view_text(leg->identity));
	json_object_set_new(json, "uri",
			    view_text(facts->uri != NULL ? facts->uri : leg->identity));
	json_object_set_new(json, "display", view_text(leg->display));
	json_object_set_new(json, "verified_by",
			    json_string(facts->verified_by != NULL ? facts->verified_by : "none"));
	set_suite(json, leg->suite, facts->protection);
	json_object_set_new(json, "state", json_string(cp_leg_state_name(leg->state)));
	json_object_set_new(json, "direction", json_string(leg->is_held ? "recvonly" : "sendrecv"));
	json_object_set_new(json, "on_hold", json_boolean(leg->is_held));
	json_object_set_new(json, "muted", json_boolean(leg->is_muted));
	json_object_set_new(json, "deaf", json_boolean(leg->is_deaf));
	json_object_set_new(json, "gain_db", json_real(leg->gain_cdb / 100.0));
	json_object_set_new(json, "talking", json_boolean(leg->is_talking));
	json_object_set_new(json, "joined_at", cp_view_time(leg->joined_ms, clock));
	json_object_set_new(json, "via", view_text(leg->via));
	json_object_set_new(json, "call_id", view_text(facts->call_id));
	json_object_set_new(json, "user_agent", view_text(facts->user_agent));
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
view_leg_drops(const uint64_t *drops)
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

void
cp_view_add_media(json_t *participant, const struct dp_ctl_leg_shown *shown)
{
	const struct dp_leg_stats *s = &shown->stats;
	json_t *json = json_object();

	if (shown->suite_rx != DP_SUITE_NONE) {
		const char *known = json_string_value(json_object_get(participant, "protection"));

		set_suite(participant, shown->suite_rx,
			  known != NULL && strcmp(known, "none") != 0 ? known : NULL);
	}
	json_object_set_new(participant, "direction", json_string(direction_of(shown->leg.dirs)));
	json_object_set_new(participant, "talking", json_boolean(s->is_talking));
	json_object_set_new(json, "worker", json_integer(shown->added.worker));
	json_object_set_new(json, "local", view_addr(&shown->added.local_rtp));
	json_object_set_new(json, "remote",
			    view_addr(s->is_latched ? &shown->latched : &shown->leg.remote_rtp));
	json_object_set_new(json, "latched", json_boolean(s->is_latched));
	json_object_set_new(json, "codec", view_codec(shown->leg.tx.codec));
	json_object_set_new(json, "ptime_ms", json_integer(shown->leg.ptime_ms));
	set_counters(json, s);
	set_gauges(json, s);
	json_object_set_new(json, "drops", view_leg_drops(s->drops));
	json_object_set_new(participant, "media", json);
}
