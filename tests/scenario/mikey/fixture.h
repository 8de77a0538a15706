/* The room of a test of MIKEY-TICKET: a fresh world, alice's account and policy, the focus. */
#ifndef TESTS_SCENARIO_MIKEY_FIXTURE_H
#define TESTS_SCENARIO_MIKEY_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "tests/scenario/mikey/world.h"

#define ALICE "sip:alice@ims.example"
#define BOB "sip:bob@ims.example"
#define CAROL "sip:carol@ims.example"
#define SECOND (1ULL << 32)

static struct world w;
static struct cp_mikey_account alice_account;
static struct cp_mikey_policy policy;
static struct cp_mikey_responder_config config;

static inline int
open_world(void **state)
{
	world_init(&w);
	world_people(&w);
	alice_account = world_account(&w, ALICE, ALICE, CP_MIKEY_SET_256);
	policy = world_policy(&w, CP_MIKEY_SET_256, ALICE, world_conf);
	config = world_focus(&w);
	return 0;
}

/* No test leaves a key behind. */
static inline int
close_world(void **state)
{
	world_fini(&w);
	return cp_secret_count() == 0 ? 0 : -1;
}

static inline void
at(uint64_t seconds)
{
	w.start += seconds * SECOND;
}

/* The KMS refused the request with a number; authentic: in an Error message with V. */
static inline void
refused(uint8_t error, bool is_authentic)
{
	assert_false(w.report.is_granted);
	assert_int_equal(w.report.fault.error, error);
	assert_int_equal(w.report.fault.authentic, is_authentic);
	assert_int_equal(w.fault.error, error); /* what the sender learnt */
	assert_int_equal(w.fault.authentic, is_authentic);
}

static inline struct cp_mikey_ticket *
ticket(void)
{
	return world_ticket(&w, &alice_account, &policy);
}

#define T(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

#endif
