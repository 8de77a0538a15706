/* The focus: admission row by row, events and their effects, dead legs, taking stock after restarts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>
#include "ctrlplane/conf/conf.h"

#pragma GCC diagnostic ignored "-Wmissing-field-initializers" /* rows say what is not zero */

static struct cp_focus *focus;
static struct cp_effects effects;
static int64_t now = 1000;

static void
start(const struct cp_conf_limits *limits)
{
	struct cp_conf_limits none = {0};

	cp_effects_fini(&effects);
	cp_focus_destroy(focus);
	assert_int_equal(cp_focus_create(&focus, limits ? limits : &none, 100), 0);
}

static int
teardown(void **state)
{
	cp_effects_fini(&effects);
	cp_focus_destroy(focus);
	focus = NULL;
	return 0;
}

static struct cp_conf *
conference(const char *user)
{
	struct cp_conf_settings settings = {
		.user = user, .is_open = true, .may_anonymous = true, .mutes_on_hold = true};
	struct cp_conf *conf = NULL;

	assert_int_equal(cp_conf_create(&conf, focus, &settings, CP_CONF_CONFIGURED, now), 0);
	return conf;
}

static int
handle(struct cp_event event)
{
	cp_effects_clear(&effects);
	return cp_conf_handle(focus, &event, now, &effects, NULL);
}

static struct cp_leg *
join(struct cp_conf *conf, const char *identity)
{
	struct cp_conf_join details = {.conf = conf,
				       .identity = identity,
				       .display = "Somebody",
				       .via = "127.0.0.1",
				       .suite = 1};
	struct cp_event event = {.type = CP_EVENT_JOIN, .join = &details};
	struct cp_leg *leg = NULL;

	cp_effects_clear(&effects);
	assert_int_equal(cp_conf_handle(focus, &event, now, &effects, &leg), 0);
	assert_non_null(leg);
	return leg;
}

static struct cp_leg *
connected(struct cp_conf *conf, const char *identity)
{
	struct cp_leg *leg = join(conf, identity);

	assert_int_equal(handle((struct cp_event){.type = CP_EVENT_CONNECTED, .leg = leg->id}), 0);
	return leg;
}

/* The effects as text: one word each, "LEG_INSTALL:7". */
static const char *
list(void)
{
	static const char *const names[] = {"?",   "conf+", "conf~",   "conf-", "leg+",	 "leg~",
					    "mix", "leg-",  "release", "rekey", "notice"};
	static char text[1024];
	int len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < effects.count; i++) {
		const struct cp_effect *e = &effects.items[i];

		/* prompts and the store have rows of their own in policy.c */
		if (e->type > CP_EFFECT_NOTICE)
			continue;
		len += snprintf(text + len, sizeof(text) - (size_t)len, "%s%s", len ? " " : "",
				names[e->type]);
		if (e->type == CP_EFFECT_LEG_MIX)
			len += snprintf(text + len, sizeof(text) - (size_t)len, "(%s%s%d)",
					e->is_muted ? "m" : "", e->is_deaf ? "d" : "", e->gain_cdb);
		if (e->type == CP_EFFECT_NOTICE)
			len += snprintf(text + len, sizeof(text) - (size_t)len, "%d", e->notice);
	}
	return text;
}

struct admission {
	const char *user, *identity;
	int status;
	const char *reason;
};

static void
admission_by_the_table(void **state)
{
	static const char *const authorised[] = {
		"sip:Bob@IMS.example:5060", "<sip:alice@ims.example;user=phone>", "tel:+49-30-1"};
	static const struct admission rows[] = {
		{"open", "sip:alice@ims.example", 0, ""},
		{"open", "", 403, "anonymous"},
		{"open", "sip:anonymous@anonymous.invalid", 403, "anonymous"},
		{"anyone", "", 0, ""},
		{"%6Fpen", "sip:alice@ims.example", 0, ""},
		{"Open", "sip:alice@ims.example", 404, "no conference"},
		{"none", "sip:alice@ims.example", 404, "no conference"},
		{"", "sip:alice@ims.example", 404, "no conference"},
		{"listed", "sip:alice@ims.example", 0, ""},
		{"listed", "sip:Bob@ims.example", 0, ""},
		{"listed", "tel:+49301", 0, ""},
		{"listed", "sip:bob@ims.example", 403, "list"},
		{"listed", "sip:mallory@ims.example", 403, "list"},
		{"listed", "sips:alice@ims.example", 403, "list"},
		{"listed", "", 403, "anonymous"},
		{"locked", "sip:alice@ims.example", 403, "locked"},
		{"small", "sip:alice@ims.example", 486, "full"},
	};
	static const struct cp_conf_settings settings[] = {
		{.user = "open", .is_open = true},
		{.user = "anyone", .is_open = true, .may_anonymous = true},
		{.user = "listed",
		 .may_anonymous = true,
		 .authorised = authorised,
		 .authorised_count = 3},
		{.user = "locked", .is_open = true, .is_locked = true},
		{.user = "small", .is_open = true, .size_max = 1},
	};
	struct cp_conf *conf;

	start(NULL);
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
		assert_int_equal(
			cp_conf_create(&conf, focus, &settings[i], CP_CONF_CONFIGURED, now), 0);
	join(conf, "sip:first@ims.example");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cp_conf_request request = {.user = cp_slice_text(rows[i].user),
						  .identity = cp_slice_text(rows[i].identity),
						  .proof = CP_PROOF_ASSERTED,
						  .now_ms = now};
		struct cp_conf_verdict verdict;

		if (cp_conf_admit(&verdict, focus, &request) != rows[i].status ||
		    strstr(verdict.reason, rows[i].reason) == NULL ||
		    (verdict.conf != NULL) != (rows[i].status == 0))
			fail_msg("%s %s: %d %s", rows[i].user, rows[i].identity, verdict.status,
				 verdict.reason);
	}
}

static void
full_and_draining_nodes_say_503(void **state)
{
	struct cp_conf_request request = {.user = cp_slice_text("a"),
					  .identity = cp_slice_text("sip:x@y")};
	struct cp_conf_limits limits = {.legs_max = 1, .confs_max = 2};
	struct cp_conf_settings third = {.user = "c"};
	struct cp_conf_verdict verdict;
	struct cp_conf *conf;

	start(&limits);
	conf = conference("a");
	conference("b");
	assert_int_equal(cp_conf_create(&conf, focus, &third, CP_CONF_CREATED, now), -ENOSPC);
	assert_int_equal(cp_conf_admit(&verdict, focus, &request), 0);
	cp_focus_drain(focus, true);
	assert_int_equal(cp_conf_admit(&verdict, focus, &request), 503);
	cp_focus_drain(focus, false);
	join(cp_conf_by_user(focus, cp_slice_text("a")), NULL);
	assert_int_equal(cp_conf_admit(&verdict, focus, &request), 503);
}

static void
bad_settings_are_refused(void **state)
{
	static const char *const local_number[] = {"tel:110"};
	static const char *const users[] = {"", "a b", "a@b", "a\"b", "a%20b", "\xc3\xa4"};
	struct cp_conf_settings settings = {.user = "a"};
	struct cp_conf *conf;

	start(NULL);
	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
		settings.user = users[i];
		assert_int_equal(cp_conf_create(&conf, focus, &settings, CP_CONF_CREATED, now),
				 -EINVAL);
	}
	settings.user = "a";
	settings.authorised = local_number;
	settings.authorised_count = 1;
	assert_int_equal(cp_conf_create(&conf, focus, &settings, CP_CONF_CREATED, now), -EINVAL);
	settings.authorised_count = 0;
	assert_int_equal(cp_conf_create(&conf, focus, &settings, CP_CONF_CREATED, now), 0);
	assert_int_equal(cp_conf_create(&conf, focus, &settings, CP_CONF_CREATED, now), -EEXIST);
	assert_int_equal(cp_conf_count(focus), 1);
}

static void
a_call_comes_and_goes(void **state)
{
	struct cp_conf *conf;
	struct cp_leg *leg;
	uint32_t id;

	start(NULL);
	conf = conference("team");
	leg = join(conf, "sip:alice@ims.example");
	id = leg->id;
	assert_string_equal(list(), "conf+ leg+ notice9");
	assert_int_equal(leg->state, CP_LEG_JOINING);
	assert_int_equal(handle((struct cp_event){.type = CP_EVENT_CONNECTED, .leg = id}), 0);
	assert_string_equal(list(), "notice1");
	assert_int_equal(handle((struct cp_event){.type = CP_EVENT_CONNECTED, .leg = id}),
			 -EALREADY);
	join(conf, NULL);
	assert_string_equal(list(), "leg+ notice9");
	assert_int_equal(conf->leg_count, 2);
	assert_int_equal(handle((struct cp_event){.type = CP_EVENT_GONE, .leg = id}), 0);
	assert_string_equal(list(), "leg- notice2");
	assert_int_equal(handle((struct cp_event){.type = CP_EVENT_GONE, .leg = id}), -ENOENT);
	assert_int_equal(conf->leg_count, 1);
	assert_null(cp_leg_by_id(focus, id));
}

static void
mute_deaf_gain_and_hold(void **state)
{
	struct cp_conf *conf;
	uint32_t id;

	start(NULL);
	conf = conference("team");
	id = connected(conf, "sip:alice@ims.example")->id;
	assert_int_equal(handle((struct cp_event){.type = CP_EVENT_MUTE, .leg = id, .flag = true}),
			 0);
	assert_string_equal(list(), "mix(m0) notice3");
	assert_int_equal(handle((struct cp_event){.type = CP_EVENT_MUTE, .leg = id, .flag = true}),
			 -EALREADY);
	assert_int_equal(effects.count, 0);
	assert_int_equal(handle((struct cp_event){.type = CP_EVENT_DEAF, .leg = id, .flag = true}),
			 0);
	assert_string_equal(list(), "mix(md0) notice3");
	assert_int_equal(handle((struct cp_event){.type = CP_EVENT_GAIN, .leg = id, .value = -600}),
			 0);
	assert_string_equal(list(), "mix(md-600) notice3");
	assert_int_equal(handle((struct cp_event){.type = CP_EVENT_GAIN, .leg = id, .value = 2001}),
			 -EINVAL);
	assert_int_equal(
		handle((struct cp_event){.type = CP_EVENT_GAIN, .leg = id, .value = -6001}),
		-EINVAL);
	assert_int_equal(handle((struct cp_event){.type = CP_EVENT_MUTE, .leg = id}), 0);
	assert_string_equal(list(), "mix(d-600) notice3");
	/* hold silences the music, unhold brings the voice back, mute or not */
	assert_int_equal(
		handle((struct cp_event){.type = CP_EVENT_CHANGED, .leg = id, .flag = true}), 0);
	assert_string_equal(list(), "leg~ mix(md-600) notice3");
	assert_int_equal(handle((struct cp_event){.type = CP_EVENT_MUTE, .leg = id, .flag = true}),
			 0);
	assert_int_equal(handle((struct cp_event){.type = CP_EVENT_CHANGED, .leg = id}), 0);
	assert_string_equal(list(), "leg~ notice3");
	assert_int_equal(
		handle((struct cp_event){.type = CP_EVENT_MUTE, .leg = 4711, .flag = true}),
		-ENOENT);
}

/* After a late offer only the ACK says what was agreed. */
static void
connected_takes_what_was_agreed(void **state)
{
	struct cp_leg *leg;

	start(NULL);
	leg = join(conference("team"), NULL);
	assert_int_equal(handle((struct cp_event){.type = CP_EVENT_CONNECTED,
						  .leg = leg->id,
						  .flag = true,
						  .suite = DP_SUITE_AEAD_AES_128_GCM}),
			 0);
	assert_string_equal(list(), "mix(m0) notice1");
	assert_int_equal(leg->suite, DP_SUITE_AEAD_AES_128_GCM);
	assert_true(leg->is_held);
}

static void
entry_muted_is_told_to_the_mixer(void **state)
{
	struct cp_conf *conf;

	start(NULL);
	conf = conference("team");
	conf->mutes_on_entry = true;
	assert_true(join(conf, NULL)->is_muted);
	assert_string_equal(list(), "conf+ leg+ mix(m0) notice9");
}

static void
removal_and_close(void **state)
{
	struct cp_conf *conf;
	uint32_t a, conf_id;

	start(NULL);
	conf = conference("team");
	conf_id = conf->id;
	a = connected(conf, "sip:a@x")->id;
	connected(conf, "sip:b@x");
	join(conf, "sip:c@x");
	assert_int_equal(
		handle((struct cp_event){.type = CP_EVENT_REMOVE, .leg = a, .text = "Off you go"}),
		0);
	assert_string_equal(list(), "release leg- notice2");
	assert_string_equal(effects.items[0].text, "Off you go");
	assert_int_equal(effects.items[0].leg, a);
	assert_int_equal(handle((struct cp_event){.type = CP_EVENT_GONE, .leg = a}),
			 -ENOENT); /* its BYE is done */
	assert_int_equal(handle((struct cp_event){.type = CP_EVENT_CLOSE, .conf = conf_id}), 0);
	assert_string_equal(list(), "release notice2 release notice2 conf- notice7");
	assert_int_equal(cp_conf_count(focus) + cp_leg_count(focus), 0);
	assert_int_equal(handle((struct cp_event){.type = CP_EVENT_CLOSE, .conf = conf_id}),
			 -ENOENT);
	connected(conference("x"), NULL);
	connected(conference("y"), NULL);
	assert_int_equal(handle((struct cp_event){.type = CP_EVENT_CLOSE_ALL, .text = "bye"}), 0);
	assert_string_equal(list(), "release notice2 conf- notice7 release notice2 conf- notice7");
	assert_null(cp_conf_first(focus));
}

static void
lock_and_mix_policy(void **state)
{
	struct cp_conf_request request = {cp_slice_text("team"), cp_slice_text("sip:x@y")};
	struct cp_conf_verdict verdict;
	struct cp_conf *conf;

	start(NULL);
	conf = conference("team");
	assert_int_equal(
		handle((struct cp_event){.type = CP_EVENT_LOCK, .conf = conf->id, .flag = true}),
		0);
	assert_int_equal(cp_conf_admit(&verdict, focus, &request), 403);
	assert_int_equal(
		handle((struct cp_event){.type = CP_EVENT_LOCK, .conf = conf->id, .flag = true}),
		-EALREADY);
	assert_int_equal(handle((struct cp_event){.type = CP_EVENT_LOCK, .conf = conf->id}), 0);
	assert_int_equal(cp_conf_admit(&verdict, focus, &request), 0);
	assert_int_equal(
		handle((struct cp_event){
			.type = CP_EVENT_MIX_POLICY, .conf = conf->id, .value = 4, .value2 = 6}),
		0);
	assert_string_equal(list(),
			    "notice6"); /* nobody is there: the media plane does not have it yet */
	join(conf, NULL);
	assert_int_equal(handle((struct cp_event){
				 .type = CP_EVENT_MIX_POLICY, .conf = conf->id, .value = 3}),
			 0);
	assert_string_equal(list(), "conf~ notice6");
	assert_int_equal(handle((struct cp_event){
				 .type = CP_EVENT_MIX_POLICY, .conf = conf->id, .value = 65536}),
			 -EINVAL);
}

static void
dead_legs_are_removed_but_not_held_ones(void **state)
{
	struct cp_conf_limits patient = {.keeps_dead_legs = true};
	struct cp_conf *conf;
	struct cp_leg *leg;

	start(NULL);
	conf = conference("team");
	leg = connected(conf, NULL);
	assert_int_equal(handle((struct cp_event){.type = CP_EVENT_FIRST_MEDIA, .leg = leg->id}),
			 0);
	assert_true(leg->has_media);
	assert_int_equal(
		handle((struct cp_event){.type = CP_EVENT_MUTE, .leg = leg->id, .flag = true}), 0);
	assert_int_equal(
		handle((struct cp_event){.type = CP_EVENT_CHANGED, .leg = leg->id, .flag = true}),
		0);
	assert_int_equal(handle((struct cp_event){.type = CP_EVENT_MEDIA_LOST, .leg = leg->id}), 0);
	assert_string_equal(list(), "notice3");
	assert_int_equal(
		handle((struct cp_event){.type = CP_EVENT_CHANGED, .leg = leg->id, .flag = false}),
		0);
	assert_int_equal(handle((struct cp_event){.type = CP_EVENT_MEDIA_BACK, .leg = leg->id}), 0);
	assert_int_equal(handle((struct cp_event){.type = CP_EVENT_MEDIA_LOST, .leg = leg->id}), 0);
	assert_string_equal(list(), "release leg- notice2");
	assert_string_equal(effects.items[0].text, "No media was received");
	assert_int_equal(conf->leg_count, 0);
	leg = join(conf, NULL); /* before the ACK nothing is expected */
	assert_int_equal(handle((struct cp_event){.type = CP_EVENT_MEDIA_LOST, .leg = leg->id}), 0);
	assert_int_equal(effects.count, 0);

	start(&patient);
	leg = connected(conference("team"), NULL);
	assert_int_equal(handle((struct cp_event){.type = CP_EVENT_MEDIA_LOST, .leg = leg->id}), 0);
	assert_string_equal(list(), "notice3");
	assert_int_equal(leg->lost_ms, now);
}

static void
set_up_has_an_end(void **state)
{
	struct cp_conf_limits limits = {.setup_ms = 5000};
	struct cp_conf *conf;

	start(&limits);
	conf = conference("team");
	join(conf, NULL);
	connected(conf, NULL);
	now += 4999;
	assert_int_equal(handle((struct cp_event){.type = CP_EVENT_TICK}), 0);
	assert_int_equal(effects.count, 0);
	now++;
	assert_int_equal(handle((struct cp_event){.type = CP_EVENT_TICK}), 0);
	assert_string_equal(list(), "release leg- notice2");
	assert_int_equal(conf->leg_count, 1);
}

static void
media_events_are_noticed(void **state)
{
	struct cp_conf *conf;
	struct cp_leg *a, *b;
	uint32_t ids[2] = {0, 9999};

	start(NULL);
	conf = conference("team");
	a = connected(conf, NULL);
	b = connected(conf, NULL);
	assert_int_equal(handle((struct cp_event){
				 .type = CP_EVENT_DTMF, .leg = a->id, .value = 11, .value2 = 120}),
			 0);
	assert_string_equal(list(), "notice4");
	assert_int_equal(effects.items[0].value, 11);
	assert_int_equal(effects.items[0].value2, 120);
	assert_int_equal(a->dtmf_count, 1);
	ids[0] = b->id;
	assert_int_equal(
		handle((struct cp_event){
			.type = CP_EVENT_TALKERS, .conf = conf->id, .ids = ids, .id_count = 2}),
		0);
	assert_true(b->is_talking && !a->is_talking);
	ids[0] = a->id;
	assert_int_equal(
		handle((struct cp_event){
			.type = CP_EVENT_TALKERS, .conf = conf->id, .ids = ids, .id_count = 1}),
		0);
	assert_true(a->is_talking && !b->is_talking);
	assert_int_equal(
		handle((struct cp_event){
			.type = CP_EVENT_KEY_SOON, .leg = a->id, .value = 2, .value2 = 900}),
		0);
	assert_string_equal(list(), "rekey");
	assert_int_equal(handle((struct cp_event){.type = CP_EVENT_MEDIA_BYE, .leg = a->id}), 0);
	assert_int_equal(effects.count, 0);
}

static void
audit(uint32_t conf, const uint32_t *legs, size_t count)
{
	cp_effects_clear(&effects);
	cp_conf_handle(focus, &(struct cp_event){.type = CP_EVENT_AUDIT_BEGIN}, now, &effects,
		       NULL);
	if (conf != 0)
		cp_conf_handle(focus, &(struct cp_event){.type = CP_EVENT_AUDIT_CONF, .conf = conf},
			       now, &effects, NULL);
	for (size_t i = 0; i < count; i++)
		cp_conf_handle(focus,
			       &(struct cp_event){
				       .type = CP_EVENT_AUDIT_LEG, .conf = conf, .leg = legs[i]},
			       now, &effects, NULL);
	cp_conf_handle(focus, &(struct cp_event){.type = CP_EVENT_AUDIT_END}, now, &effects, NULL);
}

/* We restarted: what runs on the media plane goes on for a while, where it belongs. */
static void
our_restart_adopts(void **state)
{
	struct cp_conf_limits limits = {.adopted_ms = 60000};
	const uint32_t legs[] = {100, 77};
	struct cp_conf_request request = {cp_slice_text("adopted-00000005"),
					  cp_slice_text("sip:x@y")};
	struct cp_conf_verdict verdict;
	struct cp_conf *conf;
	uint32_t id;

	start(&limits);
	id = conference("team")->id;
	start(&limits);
	conf = conference("team");
	assert_int_equal(conf->id, id); /* found again by its name */
	audit(id, legs, 2);
	assert_string_equal(list(), "notice8 notice8");
	assert_int_equal(conf->leg_count, 2);
	assert_int_equal(cp_leg_by_id(focus, 77)->state, CP_LEG_ADOPTED);
	join(conf, NULL); /* 100 is taken, the conference is there */
	assert_string_equal(list(), "leg+ notice9");
	assert_null(cp_leg_by_id(focus, 101)->identity[0] ? "named" : NULL);
	assert_int_equal(handle((struct cp_event){.type = CP_EVENT_REMOVE, .leg = 77}), 0);
	assert_string_equal(list(), "release leg- notice2"); /* its dialog, should we know it */
	now += 60000;
	assert_int_equal(handle((struct cp_event){.type = CP_EVENT_CONNECTED, .leg = 101}), 0);
	assert_int_equal(handle((struct cp_event){.type = CP_EVENT_TICK}), 0);
	assert_string_equal(list(), "release leg- notice2");
	assert_int_equal(conf->leg_count, 1);

	/* a conference that nobody knows by name: adopted, closed to newcomers, gone with its last leg */
	start(&limits);
	audit(5, legs, 2);
	assert_int_equal(cp_conf_by_id(focus, 5)->origin, CP_CONF_ADOPTED);
	assert_int_equal(cp_conf_admit(&verdict, focus, &request), 404);
	assert_int_equal(handle((struct cp_event){.type = CP_EVENT_MEDIA_LOST, .leg = 77}), 0);
	assert_string_equal(list(), "release leg- notice2");
	assert_int_equal(handle((struct cp_event){.type = CP_EVENT_MEDIA_BYE, .leg = 100}), 0);
	assert_string_equal(list(), "release leg- notice2 conf-");
	assert_int_equal(cp_conf_count(focus), 0);
}

static void
without_grace_all_is_removed(void **state)
{
	const uint32_t legs[] = {100, 77};
	uint32_t id;

	start(NULL);
	id = conference("team")->id;
	audit(id, legs, 2);
	assert_string_equal(list(), "leg- leg-");
	audit(5, legs, 2);
	assert_string_equal(list(), "conf-");
}

/* It joined and left while stock was taken: LIST still had it. */
static void
who_left_during_the_audit_is_not_adopted(void **state)
{
	struct cp_conf_limits limits = {.adopted_ms = 60000};
	struct cp_conf *conf;
	uint32_t leg;

	start(&limits);
	conf = conference("team");
	leg = connected(conf, NULL)->id;
	assert_int_equal(handle((struct cp_event){.type = CP_EVENT_GONE, .leg = leg}), 0);
	audit(conf->id, &leg, 1);
	assert_string_equal(list(), "leg-");
	assert_int_equal(conf->leg_count, 0);
}

/* An adopted conference that is created again under its old name keeps its legs. */
static void
created_again_it_has_its_legs(void **state)
{
	struct cp_conf_limits limits = {.adopted_ms = 60000};
	const uint32_t leg = 9;
	uint32_t id;

	start(&limits);
	id = conference("weekly")->id;
	start(&limits);
	audit(id, &leg, 1);
	assert_null(cp_conf_by_user(focus, cp_slice_text("weekly")));
	assert_ptr_equal(conference("weekly"), cp_conf_by_id(focus, id));
	assert_int_equal(cp_conf_by_user(focus, cp_slice_text("weekly"))->leg_count, 1);
	assert_int_equal(cp_conf_count(focus), 1);
}

/* The media plane restarted: all is installed again, under new keys. */
static void
its_restart_installs_again(void **state)
{
	struct cp_conf *conf;
	struct cp_leg *leg;

	start(NULL);
	conf = conference("team");
	audit(0, NULL, 0);
	leg = connected(conf, NULL);
	assert_int_equal(
		handle((struct cp_event){.type = CP_EVENT_MUTE, .leg = leg->id, .flag = true}), 0);
	join(conf, NULL);
	audit(0, NULL, 0);
	assert_string_equal(list(), "conf+ leg+ mix(m0) rekey release notice2");
	assert_int_equal(conf->leg_count, 1);
}

/* The connection broke, nothing else: what was removed meanwhile is removed again, what was set is said again. */
static void
reconnection_brings_both_sides_together(void **state)
{
	struct cp_conf_limits limits = {.adopted_ms = 60000};
	struct cp_conf *conf;
	uint32_t legs[2];

	start(&limits);
	conf = conference("team");
	audit(0, NULL, 0);
	legs[0] = connected(conf, NULL)->id;
	legs[1] = connected(conf, NULL)->id;
	assert_int_equal(handle((struct cp_event){.type = CP_EVENT_GONE, .leg = legs[1]}), 0);
	audit(conf->id, legs, 2);
	assert_string_equal(list(), "leg- mix(0)");
	assert_int_equal(effects.items[0].leg, legs[1]);
	assert_int_equal(conf->leg_count, 1);
}

/* LIST had a conference, but nobody in it. */
static void
an_empty_unknown_conference_goes(void **state)
{
	struct cp_conf_limits limits = {.adopted_ms = 60000};

	start(&limits);
	audit(5, NULL, 0);
	assert_string_equal(list(), "conf-");
	assert_int_equal(cp_conf_count(focus), 0);
}

/* Two names that hash alike still are two conferences. */
static void
ids_never_meet(void **state)
{
	struct cp_conf *first, *second;

	start(NULL);
	first = conference("team");
	first->origin = CP_CONF_CREATED;
	second = conference("other");
	assert_int_not_equal(first->id, second->id);
	for (int i = 0; i < 3000; i++) {
		char user[16];

		snprintf(user, sizeof(user), "c%d", i);
		second = conference(user);
		assert_ptr_equal(cp_conf_by_id(focus, second->id), second);
		assert_ptr_equal(cp_conf_by_user(focus, cp_slice_text(user)), second);
	}
	assert_int_equal(cp_conf_count(focus), 3002);
}

static void
states_have_names(void **state)
{
	assert_string_equal(cp_leg_state_name(CP_LEG_JOINING), "joining");
	assert_string_equal(cp_leg_state_name(CP_LEG_ADOPTED), "adopted");
	assert_string_equal(cp_conf_security_name(CP_CONF_EITHER), "either");
	assert_string_equal(cp_conf_origin_name(CP_CONF_ADOPTED), "adopted");
}

static void
texts_of_peers_are_made_safe(void **state)
{
	struct cp_conf_join details = {.display = "J\xc3\xb6rg \x01\xff\xc3", .via = "x"};
	struct cp_event event = {.type = CP_EVENT_JOIN, .join = &details};
	struct cp_leg *leg;

	start(NULL);
	details.conf = conference("team");
	assert_int_equal(cp_conf_handle(focus, &event, now, &effects, &leg), 0);
	assert_string_equal(leg->display, "J\xc3\xb6rg ???");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(admission_by_the_table, teardown),
		cmocka_unit_test_teardown(full_and_draining_nodes_say_503, teardown),
		cmocka_unit_test_teardown(bad_settings_are_refused, teardown),
		cmocka_unit_test_teardown(a_call_comes_and_goes, teardown),
		cmocka_unit_test_teardown(mute_deaf_gain_and_hold, teardown),
		cmocka_unit_test_teardown(connected_takes_what_was_agreed, teardown),
		cmocka_unit_test_teardown(entry_muted_is_told_to_the_mixer, teardown),
		cmocka_unit_test_teardown(removal_and_close, teardown),
		cmocka_unit_test_teardown(lock_and_mix_policy, teardown),
		cmocka_unit_test_teardown(dead_legs_are_removed_but_not_held_ones, teardown),
		cmocka_unit_test_teardown(set_up_has_an_end, teardown),
		cmocka_unit_test_teardown(media_events_are_noticed, teardown),
		cmocka_unit_test_teardown(our_restart_adopts, teardown),
		cmocka_unit_test_teardown(without_grace_all_is_removed, teardown),
		cmocka_unit_test_teardown(who_left_during_the_audit_is_not_adopted, teardown),
		cmocka_unit_test_teardown(created_again_it_has_its_legs, teardown),
		cmocka_unit_test_teardown(its_restart_installs_again, teardown),
		cmocka_unit_test_teardown(reconnection_brings_both_sides_together, teardown),
		cmocka_unit_test_teardown(an_empty_unknown_conference_goes, teardown),
		cmocka_unit_test_teardown(ids_never_meet, teardown),
		cmocka_unit_test(states_have_names),
		cmocka_unit_test_teardown(texts_of_peers_are_made_safe, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
