/* A conference as its subscribers see it: each status, who did what, and nothing of those who want to be private. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "ctrlplane/app/subscribe_state.h"
#include "ctrlplane/event/copy.h"

#define URI "sip:demo@focus.example"
#define ALICE "sip:alice@ims.example"
#define BOB "sip:bob@ims.example"
#define EVE "sip:eve@ims.example"

static struct cp_config config;
static struct cp_app app;
static struct cp_effects effects;
static struct cp_conf *conf;
static struct cp_copy copy;
static char text[1 << 16];

static int
set_up(void **state)
{
	const struct cp_conf_limits limits = {.legs_max = 10};
	const struct cp_conf_settings settings = {.user = "demo",
						  .title = "Demo",
						  .description = "All of it",
						  .is_open = true,
						  .may_anonymous = true,
						  .size_max = 7};

	memset(&app, 0, sizeof(app));
	memset(&config, 0, sizeof(config));
	app.config = &config;
	cp_copy_init(&copy);
	return cp_map_init(&app.calls) != 0 || cp_focus_create(&app.focus, &limits, 100) != 0 ||
	       cp_conf_create(&conf, app.focus, &settings, CP_CONF_CONFIGURED, cp_app_now_ms()) !=
		       0;
}

static int
tear_down(void **state)
{
	cp_copy_fini(&copy);
	cp_effects_fini(&effects);
	cp_focus_destroy(app.focus);
	cp_map_fini(&app.calls);
	return 0;
}

static void
say(struct cp_event event)
{
	cp_effects_clear(&effects);
	assert_int_equal(cp_conf_handle(app.focus, &event, cp_app_now_ms(), &effects, NULL), 0);
}

static struct cp_leg *
join(const struct cp_conf_join *wanted)
{
	struct cp_conf_join join = *wanted;
	struct cp_event event = {.type = CP_EVENT_JOIN, .conf = conf->id, .join = &join};
	struct cp_leg *leg = NULL;

	join.conf = conf;
	cp_effects_clear(&effects);
	assert_int_equal(cp_conf_handle(app.focus, &event, cp_app_now_ms(), &effects, &leg), 0);
	return leg;
}

static void
connect_leg(const struct cp_leg *leg)
{
	say((struct cp_event){.type = CP_EVENT_CONNECTED, .leg = leg->id});
}

/* What a subscriber with that view would make of it. Returns when it changes by itself. */
static int64_t
show_as(enum cp_sub_view view)
{
	struct cp_roster *roster;
	struct cp_roster_body *body;
	enum cp_copy_verdict verdict;
	int64_t recheck;
	size_t len;

	assert_int_equal(cp_roster_create(&roster, URI), 0);
	recheck = cp_sub_show(roster, &app, conf, view);
	assert_int_equal(cp_roster_full(&body, roster), 0);
	assert_true(cp_roster_body_room(body) < sizeof(text));
	len = cp_roster_body_write(text, body, 1);
	text[len] = '\0';
	cp_copy_fini(&copy);
	assert_int_equal(cp_copy_take(&verdict, &copy, text, len), 0);
	cp_roster_body_put(body);
	cp_roster_destroy(roster);
	return recheck;
}

static int64_t
show(void)
{
	return show_as(CP_VIEW_ALL);
}

static const struct cp_copy_endpoint *
endpoint(const char *user)
{
	const struct cp_copy_user *u = cp_copy_find(&copy, user);

	assert_non_null(u);
	return TAILQ_FIRST(&u->endpoints);
}

static void
test_conference(void **state)
{
	assert_int_equal(show(), 0);
	assert_string_equal(copy.entity, URI);
	assert_string_equal(copy.subject, "Demo");
	assert_int_equal(copy.users_max, 7);
	assert_true(copy.is_active && !copy.is_locked);
	assert_non_null(strstr(text, "<free-text>All of it</free-text>"));
	assert_non_null(strstr(text, "<uri>" URI "</uri><purpose>participation</purpose>"));
	assert_non_null(strstr(text, "<purpose>event</purpose>"));
	assert_non_null(
		strstr(text, "<host-info><display-text>focus.example</display-text></host-info>"));
	config.notify.host_name = "The <house>";
	config.notify.host_page = "https://focus.example/";
	config.notify.host_uri = "sip:help@focus.example";
	show();
	assert_non_null(strstr(text,
			       "<host-info><display-text>The &lt;house&gt;</display-text><web-page>"
			       "https://focus.example/</web-page><uris><entry><uri>"
			       "sip:help@focus.example</uri></entry></uris></host-info>"));
	say((struct cp_event){.type = CP_EVENT_LOCK, .conf = conf->id, .flag = true});
	show();
	assert_true(copy.is_locked);
}

static void
test_statuses(void **state)
{
	const struct cp_leg *alice = join(
		&(struct cp_conf_join){.identity = ALICE, .display = "Alice", .tel = "tel:+49301"});
	const struct cp_leg *bob = join(&(struct cp_conf_join){
		.identity = BOB, .method = CP_JOIN_DIALED_OUT, .by = ALICE, .referred_by = ALICE});

	show();
	assert_string_equal(endpoint(ALICE)->status, "dialing-in");
	assert_string_equal(endpoint(BOB)->status, "dialing-out");
	assert_int_equal(endpoint(BOB)->media_count, 0);
	assert_int_equal(copy.user_count, 0);
	say((struct cp_event){.type = CP_EVENT_ALERTING, .leg = bob->id});
	connect_leg(alice);
	show();
	assert_string_equal(endpoint(BOB)->status, "alerting");
	assert_string_equal(endpoint(ALICE)->status, "connected");
	assert_string_equal(TAILQ_FIRST(&endpoint(ALICE)->media)->status, "sendrecv");
	assert_null(TAILQ_FIRST(&endpoint(ALICE)->media)->src_id); /* nothing came yet */
	assert_string_equal(cp_copy_find(&copy, ALICE)->display, "Alice");
	assert_non_null(strstr(text, "<associated-aors><entry><uri>tel:+49301</uri>"));
	assert_int_equal(copy.user_count, 1);
	connect_leg(bob);
	show();
	assert_string_equal(endpoint(BOB)->joining, "dialed-out");
	assert_string_equal(endpoint(BOB)->joined.by, ALICE);
	assert_string_equal(endpoint(BOB)->referred.by, ALICE);
	say((struct cp_event){.type = CP_EVENT_CHANGED, .leg = bob->id, .flag = true});
	say((struct cp_event){.type = CP_EVENT_MUTE, .leg = alice->id, .flag = true});
	show();
	assert_string_equal(endpoint(BOB)->status, "on-hold");
	assert_string_equal(TAILQ_FIRST(&endpoint(BOB)->media)->status, "inactive");
	assert_string_equal(endpoint(ALICE)->status, "muted-via-focus");
	assert_string_equal(TAILQ_FIRST(&endpoint(ALICE)->media)->status, "recvonly");
	say((struct cp_event){.type = CP_EVENT_MUTE, .leg = alice->id});
	say((struct cp_event){.type = CP_EVENT_DEAF, .leg = alice->id, .flag = true});
	show();
	assert_string_equal(TAILQ_FIRST(&endpoint(ALICE)->media)->status, "sendonly");
	say((struct cp_event){.type = CP_EVENT_ROLE, .leg = alice->id, .value = CP_ROLE_LISTENER});
	show();
	assert_string_equal(cp_copy_find(&copy, ALICE)->roles, "listener");
	assert_string_equal(TAILQ_FIRST(&endpoint(ALICE)->media)->status, "inactive");
}

/* Who has not the floor of the audio is heard by nobody. */
static void
test_floor(void **state)
{
	const struct cp_leg *alice = join(&(struct cp_conf_join){.identity = ALICE});
	struct cp_conf_change change = {
		.which = CP_CONF_SET_FLOORS,
		.to.floors = {.count = 2,
			      .items = {{.name = "board", .media = CP_MEDIUM_CHAT, .holders = 1},
					{.name = "stage", .media = CP_MEDIUM_AUDIO, .holders = 1}}},
	};

	connect_leg(alice);
	show();
	assert_string_equal(endpoint(ALICE)->status, "connected");
	say((struct cp_event){.type = CP_EVENT_UPDATE, .conf = conf->id, .change = &change});
	say((struct cp_event){.type = CP_EVENT_FLOOR, .leg = alice->id, .flag = true});
	show();
	assert_string_equal(endpoint(ALICE)->status, "muted-via-focus");
	assert_string_equal(TAILQ_FIRST(&endpoint(ALICE)->media)->status, "recvonly");
	say((struct cp_event){.type = CP_EVENT_FLOOR, .leg = alice->id, .value = 1, .flag = true});
	show();
	assert_string_equal(endpoint(ALICE)->status, "connected");
	assert_string_equal(TAILQ_FIRST(&endpoint(ALICE)->media)->status, "sendrecv");
}

static void
test_src_id(void **state)
{
	const struct cp_leg *alice = join(&(struct cp_conf_join){.identity = ALICE});
	struct cp_call call = {.leg = alice->id, .has_rx_ssrc = true, .rx_ssrc = 4294967295u};

	connect_leg(alice);
	cp_map_put(&app.calls, &call.by_leg, call.leg);
	show();
	assert_string_equal(TAILQ_FIRST(&endpoint(ALICE)->media)->src_id, "4294967295");
	cp_map_drop(&app.calls, &call.by_leg);
}

/* Two phones of one person are two endpoints of one user. */
static void
test_one_person(void **state)
{
	connect_leg(join(&(struct cp_conf_join){.identity = ALICE}));
	connect_leg(join(&(struct cp_conf_join){.identity = ALICE}));
	show();
	assert_int_equal(copy.count, 1);
	assert_int_equal(cp_copy_find(&copy, ALICE)->endpoint_count, 2);
	assert_int_equal(copy.user_count, 1);
}

static void
test_departures(void **state)
{
	const struct cp_leg *alice = join(&(struct cp_conf_join){.identity = ALICE});
	const struct cp_leg *bob =
		join(&(struct cp_conf_join){.identity = BOB, .method = CP_JOIN_DIALED_OUT});
	int64_t recheck;

	connect_leg(alice);
	say((struct cp_event){.type = CP_EVENT_GONE, .leg = alice->id, .text = "hung up"});
	say((struct cp_event){
		.type = CP_EVENT_GONE, .leg = bob->id, .value = 486, .text = "Busy Here"});
	recheck = show();
	assert_true(recheck > cp_app_now_ms() && recheck <= cp_app_now_ms() + 10000);
	assert_string_equal(endpoint(ALICE)->status, "disconnected");
	assert_string_equal(endpoint(ALICE)->leaving, "departed");
	assert_string_equal(endpoint(BOB)->leaving, "busy");
	assert_non_null(strstr(endpoint(BOB)->left.reason, "SIP;cause=486;text=\""));
	assert_int_equal(endpoint(ALICE)->media_count, 0);
	assert_int_equal(copy.user_count, 0);
}

/* Neither as a user, nor as who called or removed somebody. */
static void
test_private(void **state)
{
	const struct cp_leg *eve = join(&(struct cp_conf_join){.person = EVE,
							       .is_private = true,
							       .proof = CP_PROOF_ASSERTED,
							       .tel = "tel:+49666"});
	const struct cp_leg *bob = join(&(struct cp_conf_join){.identity = BOB,
							       .method = CP_JOIN_DIALED_OUT,
							       .by = EVE,
							       .referred_by = "tel:+49666"});
	const struct cp_leg *alice =
		join(&(struct cp_conf_join){.identity = ALICE, .by = "operator"});
	char user[64];

	connect_leg(eve);
	connect_leg(bob);
	connect_leg(alice);
	say((struct cp_event){
		.type = CP_EVENT_REMOVE, .leg = alice->id, .text = "enough", .by = EVE});
	show();
	snprintf(user, sizeof(user), "sip:anonymous%u@anonymous.invalid", eve->user_id);
	assert_string_equal(endpoint(user)->status, "connected");
	assert_string_equal(endpoint(ALICE)->leaving, "booted");
	assert_string_equal(endpoint(ALICE)->left.reason, "enough");
	assert_null(endpoint(ALICE)->left.by);
	assert_null(endpoint(ALICE)->joined.by);
	assert_null(endpoint(BOB)->joined.by);
	assert_null(endpoint(BOB)->referred.by);
	assert_null(strstr(text, "eve@"));
	assert_null(strstr(text, "49666"));
	/* gone, and still private */
	say((struct cp_event){.type = CP_EVENT_GONE, .leg = eve->id, .text = "hung up"});
	show();
	assert_string_equal(endpoint(user)->status, "disconnected");
	assert_null(strstr(text, "eve@"));
	assert_null(endpoint(BOB)->joined.by);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_conference, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_statuses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_floor, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_src_id, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_one_person, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_departures, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_private, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
