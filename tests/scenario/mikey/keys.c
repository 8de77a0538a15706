/* Keys of every kind: group keys of a ticket, and what updates may bring. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "ctrlplane/mikey/csb_state.h"
#include "ctrlplane/mikey/responder_state.h"
#include "ctrlplane/mikey/sp.h"
#include "tests/scenario/mikey/fixture.h"

static const uint8_t octets[32] = {1, 2, 3, 4, 5, 6, 7, 8};
static const uint8_t salt[14] = {9, 8, 7};

static struct cp_mikey_key_data
key(uint8_t type, size_t len, size_t salt_len, const char *spi)
{
	return (struct cp_mikey_key_data){.type = type,
					  .kv = CP_MIKEY_KV_SPI,
					  .key = cp_mikey_octets(octets, len),
					  .salt = cp_mikey_octets(salt, salt_len),
					  .spi = cp_mikey_octets(spi, strlen(spi))};
}

/* An update of from as the library does not make one: any keys, a pair of CS IDs under two SPIs. */
static void
craft(const struct cp_mikey_csb *from, const struct cp_mikey_key_data *keys, size_t count,
      uint8_t cs_id, const char *const spis[2])
{
	const struct cp_mikey_octets appended[] = {cp_mikey_name_id(&from->initiator).data,
						   cp_mikey_name_id(&from->responder).data};
	struct cp_mikey_writer out = cp_mikey_writer(w.octets, sizeof(w.octets));
	struct cp_mikey_msg hdr = {.data_type = CP_MIKEY_TRANSFER_INIT,
				   .v_flag = true,
				   .prf = cp_mikey_set_info(from->set)->prf,
				   .csb_id = from->id,
				   .map_type = CP_MIKEY_MAP_GENERIC_ID,
				   .cs_count = 2};
	struct cp_mikey_kemac_keys kemac = {keys, count, from->id, 0};
	struct cp_mikey_shield shield;
	uint8_t params[CP_MIKEY_SP_MAX];
	struct cp_mikey_sp sp = {.no = 0, .prot = CP_MIKEY_PROT_SRTP};

	sp.params = cp_mikey_octets(params,
				    cp_mikey_sp_encode(params, DP_SUITE_AES_CM_128_HMAC_SHA1_80));
	for (int i = 0; i < 2; i++)
		hdr.cs[i] = (struct cp_mikey_cs){.id = (uint8_t)(cs_id + i),
						 .policy_count = 1,
						 .spi = cp_mikey_octets(spis[i], strlen(spis[i]))};
	assert_int_equal(cp_mikey_csb_shield(&shield, from, true), 0);
	kemac.t = cp_mikey_put_start(&out, &hdr, &w.env);
	cp_mikey_put_idr(&out, CP_MIKEY_ROLE_I, cp_mikey_name_id(&from->initiator));
	cp_mikey_put_idr(&out, CP_MIKEY_ROLE_R, cp_mikey_name_id(&from->responder));
	cp_mikey_put_sp(&out, &sp);
	if (count > 0)
		assert_int_equal(cp_mikey_kemac_put(&out, &shield, &kemac), 0);
	assert_int_equal(cp_mikey_finish(&w.out, &out, &shield, appended, 2), 0);
	cp_mikey_shield_wipe(&shield);
}

/* The focus' answer to what stands in w. */
static int
answered(struct cp_mikey_csb *focus, uint8_t cs_id)
{
	const enum dp_suite suites[] = {DP_SUITE_AES_CM_128_HMAC_SHA1_80};
	struct cp_mikey_line line = cp_mikey_line_srtp(cs_id, 0xBBBB, suites, 1);
	const struct cp_mikey_update update = {.lines = &line, .count = 1};
	static uint8_t copy[CP_MIKEY_MSG_MAX];
	size_t len = w.out.len;

	memcpy(copy, w.octets, len);
	return cp_mikey_update_answer(&w.out, focus, &update, cp_mikey_octets(copy, len), &w.env,
				      &w.fault);
}

/* GTGKs are not forked: whoever answers has the same. With a salt of its own it is that. */
static void
test_group_keys(void **state)
{
	static const uint8_t types[] = {CP_MIKEY_KEY_GTGK, CP_MIKEY_KEY_GTGK_SALT};

	for (size_t i = 0; i < 2; i++) {
		struct cp_mikey_answer answer = {NULL, 0};
		struct cp_mikey_initiator *initiator;
		struct cp_mikey_responder *responder;
		struct cp_mikey_csb *alice, *focus;
		struct cp_mikey_ticket *t;

		policy.has_wishes = true;
		policy.wish_count = 1;
		policy.wishes[0] = (struct cp_mikey_wish){.type = types[i],
							  .key_len = 32,
							  .salt_len = i == 0 ? 0 : 14,
							  .spi = cp_mikey_octets("grp", 3)};
		t = ticket();
		assert_non_null(t);
		assert_int_equal(t->held[0].type, types[i]);
		initiator = world_call(&w, t);
		responder = world_resolved(&w, &config);
		assert_non_null(responder);
		assert_true(cp_secret_is_same(responder->held[0].key, t->held[0].key));
		assert_int_equal(cp_mikey_responder_answer(&focus, &w.out, responder, &answer,
							   &w.env, &w.fault),
				 0);
		assert_int_equal(
			cp_mikey_initiator_take(&alice, initiator, world_in(&w), &w.env, &w.fault),
			0);
		for (uint8_t id = 1; id <= 2; id++) {
			const struct cp_secret *made = cp_mikey_csb_find(focus, id)->srtp.octets;

			assert_true(
				cp_secret_is_same(cp_mikey_csb_find(alice, id)->srtp.octets, made));
			if (i == 1)
				assert_memory_equal(cp_secret_octets(made) + 16,
						    cp_secret_octets(t->held[0].salt), 14);
		}
		cp_mikey_csb_destroy(alice);
		cp_mikey_csb_destroy(focus);
		cp_mikey_responder_destroy(responder);
		cp_mikey_initiator_destroy(initiator);
		cp_mikey_ticket_destroy(t);
	}
}

/* TEKs in an update: one for each crypto session, used as they are, with their salts. */
static void
test_teks(void **state)
{
	static const char *const spis[] = {"t1", "t2"}, *const same[] = {"t1", "t1"};
	struct cp_mikey_key_data keys[] = {key(CP_MIKEY_KEY_TEK_SALT, 16, 14, "t1"),
					   key(CP_MIKEY_KEY_TEK_SALT, 16, 14, "t2")};
	struct world_call call;
	size_t before;

	world_up(&w, &call, CP_MIKEY_SET_256, CP_MIKEY_FLAG_L, 0);
	before = cp_mikey_csb_count(call.focus);
	/* One TEK for two streams would give two of them one keystream. */
	craft(call.alice, keys, 1, 3, same);
	assert_int_equal(answered(call.focus, 3), -EPROTO);
	/* No salt, no SRTP. */
	keys[0] = key(CP_MIKEY_KEY_TEK, 16, 0, "t1");
	craft(call.alice, keys, 2, 3, spis);
	assert_int_equal(answered(call.focus, 3), -EPROTO);
	/* Of a length that is not the suite's. */
	keys[0] = key(CP_MIKEY_KEY_TEK_SALT, 32, 14, "t1");
	craft(call.alice, keys, 2, 3, spis);
	assert_int_equal(answered(call.focus, 3), -EPROTO);
	/* One SPI for two keys. */
	keys[0] = keys[1];
	craft(call.alice, keys, 2, 3, spis);
	assert_int_equal(answered(call.focus, 3), -EPROTO);
	assert_int_equal(cp_mikey_csb_count(call.focus), before);
	assert_int_equal(call.focus->held_count, 1);
	keys[0] = key(CP_MIKEY_KEY_TEK_SALT, 16, 14, "t1");
	craft(call.alice, keys, 2, 3, spis);
	assert_int_equal(answered(call.focus, 3), 0);
	assert_int_equal(cp_mikey_csb_count(call.focus), before + 2);
	for (uint8_t id = 3; id <= 4; id++) {
		const uint8_t *made =
			cp_secret_octets(cp_mikey_csb_find(call.focus, id)->srtp.octets);

		assert_memory_equal(made, octets, 16);
		assert_memory_equal(made + 16, salt, 14);
	}
	world_down(&call);
}

/* An SPI that is taken already does not get another key. */
static void
test_an_spi_is_given_once(void **state)
{
	struct world_call call;
	char spi[CP_MIKEY_SPI_MAX + 1] = "";
	const char *spis[] = {spi, spi};
	struct cp_mikey_key_data tgk;

	world_up(&w, &call, CP_MIKEY_SET_256, CP_MIKEY_FLAG_L, 0);
	memcpy(spi, call.focus->held[0].spi, call.focus->held[0].spi_len);
	assert_int_equal(strlen(spi), call.focus->held[0].spi_len);
	tgk = key(CP_MIKEY_KEY_TGK, 32, 0, spi);
	craft(call.alice, &tgk, 1, 3, spis);
	assert_int_equal(answered(call.focus, 3), -EPROTO);
	assert_int_equal(call.focus->held_count, 1);
	craft(call.alice, NULL, 0, 3, spis);
	assert_int_equal(answered(call.focus, 3), 0);
	world_down(&call);
}

/* A new TGK with each update, for as long as there are CS IDs: those that nothing stands under any more make room. */
static void
test_keys_make_room(void **state)
{
	const enum dp_suite suites[] = {DP_SUITE_AES_CM_128_HMAC_SHA1_80};
	struct world_call call;
	int error = 0;

	world_up(&w, &call, CP_MIKEY_SET_256, CP_MIKEY_FLAG_L, 0);
	for (uint8_t id = 3; id < 103; id = (uint8_t)(id + 2)) {
		struct cp_mikey_line line = cp_mikey_line_srtp(id, 0xAAAA, suites, 1);
		const struct cp_mikey_update update = {&line, 1, true};

		assert_int_equal(
			cp_mikey_update_make(&w.out, call.alice, &update, &w.env, &w.fault), 0);
		assert_int_equal(answered(call.focus, id), 0);
		assert_int_equal(cp_mikey_update_finish(call.alice, world_in(&w), &w.env, &w.fault),
				 0);
		for (uint8_t old = (uint8_t)(id - 2); old < id; old++) {
			cp_mikey_csb_retire(call.alice, old);
			cp_mikey_csb_retire(call.focus, old);
		}
		assert_true(cp_secret_is_same(cp_mikey_csb_find(call.alice, id)->srtp.octets,
					      cp_mikey_csb_find(call.focus, id)->srtp.octets));
	}
	assert_int_equal(call.focus->held_count, CP_MIKEY_KEYS_MAX);
	world_down(&call);
	/* Where all are in use there is no room, and nothing changes. */
	world_up(&w, &call, CP_MIKEY_SET_256, CP_MIKEY_FLAG_L, 0);
	for (uint8_t id = 3; error == 0 && id < 103; id = (uint8_t)(id + 2)) {
		struct cp_mikey_line line = cp_mikey_line_srtp(id, 0xAAAA, suites, 1);
		const struct cp_mikey_update update = {&line, 1, true};

		assert_int_equal(
			cp_mikey_update_make(&w.out, call.alice, &update, &w.env, &w.fault), 0);
		error = answered(call.focus, id);
		if (error == 0)
			error = cp_mikey_update_finish(call.alice, world_in(&w), &w.env, &w.fault);
	}
	assert_int_equal(error, -EPROTO);
	assert_int_equal(call.focus->held_count, CP_MIKEY_KEYS_MAX);
	world_down(&call);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_group_keys),
		T(test_teks),
		T(test_an_spi_is_given_once),
		T(test_keys_make_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
