/* A call of a test without SIP and media plane, in a focus and a world of MIKEY-TICKET of its own. */
#ifndef TESTS_SCENARIO_APP_CALL_H
#define TESTS_SCENARIO_APP_CALL_H

#include <stdlib.h>
#include <string.h>
#include "ctrlplane/app/keying_state.h"
#include "ctrlplane/base/base64.h"
#include "tests/scenario/app/room.h"
#include "tests/scenario/mikey/fixture.h"

#define OURS 0xdeadbeef
#define THEIRS 0x11223344
#define CM80 DP_SUITE_AES_CM_128_HMAC_SHA1_80

static struct room room;
static struct cp_config settings;
static struct cp_app app;
static struct cp_call *call;
static struct cp_conf *conf;
static struct cp_mikey_csb *alice;
static int outcome;

static inline int
open_call(void **state)
{
	static const char *const listed[] = {BOB, CAROL};
	struct cp_conf_settings s = {
		.user = "conf-7f3a", .security = CP_CONF_MIKEY, .authorised = listed};
	struct cp_conf_limits limits = {.confs_max = 4, .legs_max = 4};

	open_world(state);
	memset(&app, 0, sizeof(app));
	memset(&settings, 0, sizeof(settings));
	cp_sdp_policy_default(&settings.sdp_policy);
	app.config = &settings;
	assert_int_equal(room_open(&room, &app.mikey, &w), 0);
	assert_int_equal(cp_focus_create(&app.focus, &limits, 7), 0);
	s.authorised_count = 2;
	assert_int_equal(cp_conf_create(&conf, app.focus, &s, CP_CONF_CONFIGURED, 0), 0);
	call = calloc(1, sizeof(*call));
	call->app = &app;
	call->conf = conf->id;
	call->ssrc = OURS;
	alice = NULL;
	outcome = -1;
	return 0;
}

static inline int
close_call(void **state)
{
	cp_keying_free(call);
	cp_sdp_drop(&call->next);
	cp_sdp_fini(&call->sdp);
	free(call);
	cp_mikey_csb_destroy(alice);
	cp_focus_destroy(app.focus);
	room_close(&room, &app.mikey);
	return close_world(state);
}

static inline void
done(struct cp_call *which, int status)
{
	assert_ptr_equal(which, call);
	outcome = status;
}

static inline int
wait_done(int status)
{
	outcome = -1;
	if (status != 0)
		return status;
	room_wait(&app.mikey, &outcome);
	return outcome;
}

#endif
