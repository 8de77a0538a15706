/* A TRANSFER_INIT with crypto sessions of every protocol, from outside the focus to the keys, through a KMS over HTTP. */
#include <stdio.h>
#include <string.h>
#include "ctrlplane/app/resolve.h"
#include "ctrlplane/mikey/csb.h"
#include "tests/scenario/app/room.h"
#include "tests/scenario/mikey/fixture.h"

static struct room room;
static struct cp_app_mikey mikey;
static struct cp_resolve resolve;
static uint8_t message[CP_MIKEY_MSG_MAX];
static size_t message_len;
static int outcome;

static int
open_focus(void **state)
{
	open_world(state);
	assert_int_equal(room_open(&room, &mikey, &w), 0);
	assert_int_equal(cp_resolve_init(&resolve, &mikey, "conf-7f3a", 0x3E), 0);
	outcome = -1;
	return 0;
}

static int
close_focus(void **state)
{
	cp_resolve_fini(&resolve);
	room_close(&room, &mikey);
	return close_world(state);
}

static void
done(void *owner, int status)
{
	assert_ptr_equal(owner, &outcome);
	outcome = status;
}

/* TRANSFER_INIT of lines on a fresh ticket into message. */
static struct cp_mikey_initiator *
call(const struct cp_mikey_line *lines, size_t count, const char *sdp_ids)
{
	struct cp_mikey_transfer transfer = {.responder = cp_mikey_id_uri(world_conf),
					     .lines = lines,
					     .count = count,
					     .sdp_ids = sdp_ids,
					     .limits = cp_mikey_limits_default()};
	struct cp_mikey_ticket *t = ticket();
	struct cp_mikey_initiator *initiator = NULL;

	assert_non_null(t);
	assert_int_equal(cp_mikey_initiator_make(&initiator, &w.out, t, &transfer, &w.env), 0);
	memcpy(message, w.octets, w.out.len);
	message_len = w.out.len;
	cp_mikey_ticket_destroy(t);
	return initiator;
}

/* Status of start, or of done. */
static int
start(const char *sdp_ids)
{
	const struct cp_resolve_how how = {
		.sdp_ids = sdp_ids, .source = "192.0.2.1", .done = done, .owner = &outcome};
	int status = cp_resolve_start(&resolve, cp_mikey_octets(message, message_len), &how);

	outcome = -1;
	if (status == 0)
		room_wait(&mikey, &outcome);
	return status ? status : outcome;
}

/* Both ends have the same, and it is what they should: octets, name. */
static void
check_secret(const struct cp_mikey_csb *ours, const struct cp_mikey_csb *theirs, uint8_t cs_id,
	     enum cp_mikey_use use, size_t octets)
{
	const struct cp_mikey_session *a = cp_mikey_csb_find(ours, cs_id),
				      *b = cp_mikey_csb_find(theirs, cs_id);
	char name[CP_MIKEY_SESSION_NAME];

	assert_non_null(a);
	assert_non_null(b);
	assert_int_equal(a->use, use);
	assert_int_equal(cp_secret_len(a->secret), octets);
	assert_true(cp_secret_is_same(a->secret, b->secret));
	snprintf(name, sizeof(name), "%08x-%u", cp_mikey_csb_id(ours), cs_id);
	assert_string_equal(a->name, name);
	assert_string_equal(b->name, name);
}

static void
test_sessions_of_every_protocol(void **state)
{
	static const enum dp_suite suites[] = {DP_SUITE_AEAD_AES_128_GCM};
	const struct cp_mikey_line lines[] = {
		cp_mikey_line_srtp(1, 0x11223344, suites, 1),
		cp_mikey_line_srtp(3, 0x55667788, suites, 1),
		{.use = CP_MIKEY_USE_TLS, .cs_id = 5},
		{.use = CP_MIKEY_USE_CMS, .cs_id = CP_MIKEY_CMS_CS},
	};
	const struct cp_mikey_line ours = cp_mikey_line_srtp(1, 0xdeadbeef, suites, 1);
	struct cp_mikey_initiator *initiator = call(lines, 4, "mikey");
	struct cp_mikey_csb *focus, *alice;

	assert_int_equal(start("mikey"), 0);
	assert_string_equal(resolve.initiator, ALICE);
	assert_non_null(strstr(room.kmsd.path, "requesttype=ticketresolve"));
	assert_int_equal(cp_resolve_answer(&focus, &w.out, &resolve, &ours, 1), 0);
	assert_int_equal(cp_mikey_initiator_take(&alice, initiator, world_in(&w), &w.env, &w.fault),
			 0);
	assert_int_equal(cp_mikey_csb_count(focus), 6);
	check_secret(focus, alice, 5, CP_MIKEY_USE_TLS, 32);
	check_secret(focus, alice, CP_MIKEY_CMS_CS, CP_MIKEY_USE_CMS, 16);
	assert_int_equal(cp_mikey_csb_find(alice, 2)->ssrc, 0xdeadbeef);
	assert_int_equal(cp_mikey_csb_find(focus, 3)->ssrc, 0x55667788);
	assert_true(cp_secret_is_same(cp_mikey_csb_find(focus, 4)->srtp.octets,
				      cp_mikey_csb_find(alice, 4)->srtp.octets));
	cp_mikey_csb_destroy(focus);
	cp_mikey_csb_destroy(alice);
	cp_mikey_initiator_destroy(initiator);
}

/* The body of a SUBSCRIBE: CMS alone, and no list of protocols. */
static void
test_cms_alone(void **state)
{
	const struct cp_mikey_line line = {.use = CP_MIKEY_USE_CMS, .cs_id = CP_MIKEY_CMS_CS};

	for (int set = 0; set < 2; set++) {
		struct cp_mikey_initiator *initiator;
		struct cp_mikey_csb *focus, *alice;

		alice_account.set = (enum cp_mikey_set)set;
		policy = world_policy(&w, alice_account.set, ALICE, world_conf);
		initiator = call(&line, 1, NULL);
		assert_int_equal(start(NULL), 0);
		assert_int_equal(cp_resolve_answer(&focus, &w.out, &resolve, NULL, 0), 0);
		assert_int_equal(
			cp_mikey_initiator_take(&alice, initiator, world_in(&w), &w.env, &w.fault),
			0);
		check_secret(focus, alice, CP_MIKEY_CMS_CS, CP_MIKEY_USE_CMS, 16);
		cp_mikey_csb_destroy(focus);
		cp_mikey_csb_destroy(alice);
		cp_mikey_initiator_destroy(initiator);
	}
}

static void
test_refused(void **state)
{
	const struct cp_mikey_line line = {.use = CP_MIKEY_USE_CMS, .cs_id = CP_MIKEY_CMS_CS};
	struct cp_mikey_initiator *initiator = call(&line, 1, NULL);
	uint8_t octets[512];
	struct cp_mikey_out out = {octets, sizeof(octets), 0};
	unsigned int asked = room.kmsd.asked;

	/* In SDP the list of protocols is wanted: no KMS traffic. */
	assert_int_equal(start("mikey"), 488);
	assert_int_equal(room.kmsd.asked, asked);
	assert_string_equal(resolve.initiator, "");
	assert_int_equal(cp_resolve_error(&out, &resolve, cp_mikey_octets(message, message_len)),
			 0);
	assert_int_equal(octets[1], CP_MIKEY_ERROR);
	/* A MAC that does not hold: the KMS is asked, nobody is named. */
	message[message_len - 1] ^= 1;
	assert_int_equal(start(NULL), 488);
	assert_int_equal(room.kmsd.asked, asked + 1);
	assert_string_equal(resolve.initiator, "");
	/* The message itself is as good as before. Then it is a replay. */
	message[message_len - 1] ^= 1;
	assert_int_equal(start(NULL), 0);
	assert_int_equal(start(NULL), 488);
	assert_int_equal(resolve.fault.error, CP_MIKEY_ERR_TS);
	cp_mikey_initiator_destroy(initiator);
}

static void
test_a_kms_that_is_no_help(void **state)
{
	static const enum kmsd_mood moods[] = {KMSD_ERROR, KMSD_NONSENSE, KMSD_HTML, KMSD_LONG,
					       KMSD_CUT};
	const struct cp_mikey_line line = {.use = CP_MIKEY_USE_CMS, .cs_id = CP_MIKEY_CMS_CS};
	struct cp_mikey_initiator *initiator = call(&line, 1, NULL);

	for (size_t i = 0; i < sizeof(moods) / sizeof(moods[0]); i++) {
		room.kmsd.mood = moods[i];
		assert_int_equal(start(NULL), 503);
		assert_string_equal(resolve.initiator, "");
	}
	/* It comes back, and the same message is good: nothing was remembered of it. */
	room.kmsd.mood = KMSD_WELL;
	assert_int_equal(start(NULL), 0);
	assert_string_equal(resolve.initiator, ALICE);
	cp_mikey_initiator_destroy(initiator);
}

int
main(void)
{
#define F(name) cmocka_unit_test_setup_teardown(name, open_focus, close_focus)
	const struct CMUnitTest tests[] = {
		F(test_sessions_of_every_protocol),
		F(test_cms_alone),
		F(test_refused),
		F(test_a_kms_that_is_no_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
