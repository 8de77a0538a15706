/* What is written is what is read: payloads of every kind with drawn contents, read by the accessors,
 * written again from what they say, and compared octet for octet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "ctrlplane/mikey/policy_code.h"
#include "ctrlplane/mikey/kemac.h"
#include "ctrlplane/mikey/time.h"
#include "tests/scenario/mikey/world.h"

#define ROUNDS 2000

static struct world w;
static uint8_t pool[4096];
static size_t pooled;

static unsigned
draw(unsigned below)
{
	uint8_t octets[4];

	w.env.random(w.env.arg, octets, 4);
	return ((unsigned)octets[0] << 16 | (unsigned)octets[1] << 8 | octets[2]) % below;
}

/* Octets of their own until the next round. */
static struct cp_mikey_octets
octets(size_t len)
{
	struct cp_mikey_octets out = cp_mikey_octets(pool + pooled, len);

	assert_true(pooled + len <= sizeof(pool));
	w.env.random(w.env.arg, pool + pooled, len);
	pooled += len;
	return out;
}

static void
write_drawn(struct cp_mikey_writer *out, unsigned kind)
{
	struct cp_mikey_ts ts = {.role = (uint8_t)draw(5), .type = (uint8_t)draw(4)};
	struct cp_mikey_id id = {(uint8_t)draw(3), octets(draw(40))};
	struct cp_mikey_sp sp = {(uint8_t)draw(256), (uint8_t)draw(256), octets(draw(40))};
	struct cp_mikey_key_data keys[3];

	ts.value = octets(cp_mikey_ts_len(ts.type));
	for (size_t i = 0; i < 3; i++) {
		keys[i] = (struct cp_mikey_key_data){
			.type = (uint8_t)draw(7), .kv = (uint8_t)draw(3), .key = octets(draw(33))};
		if (cp_mikey_key_has_salt(keys[i].type))
			keys[i].salt = octets(draw(15));
		if (keys[i].kv == CP_MIKEY_KV_SPI)
			keys[i].spi = octets(1 + draw(8));
		if (keys[i].kv == CP_MIKEY_KV_INTERVAL) {
			keys[i].from = octets(6);
			keys[i].to = octets(6);
		}
	}
	switch (kind) {
	case 0:
		cp_mikey_put_ts(out, &ts);
		break;
	case 1:
		cp_mikey_put_idr(out, (uint8_t)draw(8), id);
		break;
	case 2:
		cp_mikey_put_randr(out, (uint8_t)draw(4), octets(draw(64)));
		break;
	case 3:
		cp_mikey_put_sp(out, &sp);
		break;
	case 4:
		cp_mikey_put_genext(out, (uint8_t)draw(6), id.data);
		break;
	case 5:
		cp_mikey_put_err(out, (uint8_t)draw(16));
		break;
	case 6:
		cp_mikey_kemac_put_plain(out, keys, 1 + draw(3));
		break;
	case 7:
		cp_mikey_put_v(out, (uint8_t)draw(3));
		break;
	}
}

/* The same payload from what its accessor says. */
static void
write_read(struct cp_mikey_writer *out, const struct cp_mikey_payload *payload)
{
	struct cp_mikey_key_data data[3];
	struct cp_mikey_list keys;
	struct cp_mikey_ts ts;
	struct cp_mikey_sp sp;
	struct cp_mikey_id id;
	struct cp_mikey_octets rand;
	uint8_t role;

	switch (payload->type) {
	case CP_MIKEY_PAYLOAD_T:
	case CP_MIKEY_PAYLOAD_TR:
		ts = cp_mikey_ts(payload);
		cp_mikey_put_ts(out, &ts);
		break;
	case CP_MIKEY_PAYLOAD_IDR:
		id = cp_mikey_id_of(payload, &role);
		cp_mikey_put_idr(out, role, id);
		break;
	case CP_MIKEY_PAYLOAD_RANDR:
		rand = cp_mikey_rand_of(payload, &role);
		cp_mikey_put_randr(out, role, rand);
		break;
	case CP_MIKEY_PAYLOAD_SP:
		sp = cp_mikey_sp_of(payload);
		cp_mikey_put_sp(out, &sp);
		break;
	case CP_MIKEY_PAYLOAD_GENEXT:
		cp_mikey_put_genext(out, payload->whole.at[1],
				    cp_mikey_octets(payload->whole.at + 4, payload->whole.len - 4));
		break;
	case CP_MIKEY_PAYLOAD_ERR:
		cp_mikey_put_err(out, payload->whole.at[1]);
		break;
	case CP_MIKEY_PAYLOAD_V:
		cp_mikey_put_v(out, cp_mikey_v_of(payload).alg);
		break;
	case CP_MIKEY_PAYLOAD_KEMAC:
		assert_int_equal(cp_mikey_list_decode(&keys, cp_mikey_kemac_of(payload).data,
						      CP_MIKEY_PAYLOAD_KEY_DATA),
				 0);
		for (size_t i = 0; i < keys.count; i++)
			data[i] = cp_mikey_key_data_of(&keys.at[i]);
		cp_mikey_kemac_put_plain(out, data, keys.count);
		break;
	default:
		fail();
	}
}

static void
draw_map(struct cp_mikey_msg *hdr)
{
	hdr->map_type = CP_MIKEY_MAP_GENERIC_ID;
	hdr->cs_count = draw(5);
	for (size_t i = 0; i < hdr->cs_count; i++) {
		struct cp_mikey_cs *cs = &hdr->cs[i];

		*cs = (struct cp_mikey_cs){.id = (uint8_t)draw(256),
					   .prot = (uint8_t)draw(256),
					   .s = draw(2),
					   .policy_count = (uint8_t)draw(9)};
		for (size_t p = 0; p < cs->policy_count; p++)
			cs->policies[p] = (uint8_t)draw(256);
		cs->session_data = octets(draw(12));
		cs->spi = octets(draw(CP_MIKEY_SPI_MAX + 1));
	}
}

static void
test_messages(void **state)
{
	static struct cp_mikey_msg hdr, msg;
	uint8_t first[8192], second[8192];

	world_init(&w);
	for (int round = 0; round < ROUNDS; round++) {
		struct cp_mikey_writer out = cp_mikey_writer(first, sizeof(first)),
				       again = cp_mikey_writer(second, sizeof(second));

		pooled = 0;
		hdr = (struct cp_mikey_msg){.data_type = (uint8_t)draw(30),
					    .v_flag = draw(2),
					    .prf = (uint8_t)draw(128),
					    .csb_id = draw(1u << 24)};
		draw_map(&hdr);
		cp_mikey_put_hdr(&out, &hdr);
		for (unsigned i = draw(8); i > 0; i--)
			write_drawn(&out, draw(8));
		assert_false(out.is_full);
		assert_int_equal(cp_mikey_msg_decode(&msg, cp_mikey_octets(first, out.len)), 0);
		cp_mikey_put_hdr(&again, &msg);
		for (size_t i = 0; i < msg.payloads.count; i++)
			write_read(&again, &msg.payloads.at[i]);
		assert_int_equal(again.len, out.len);
		assert_memory_equal(first, second, out.len);
		/* The writer says so where there is no room, at every length. */
		again = cp_mikey_writer(second, draw((unsigned)out.len));
		cp_mikey_put_hdr(&again, &msg);
		for (size_t i = 0; i < msg.payloads.count; i++)
			write_read(&again, &msg.payloads.at[i]);
		assert_true(again.is_full);
		assert_true(again.len <= again.cap);
	}
	world_fini(&w);
}

static void
draw_policy(struct cp_mikey_policy *policy)
{
	static const char *const names[] = {"sip:alice@ims.example", "sip:*@focus.example",
					    "tel:+4912345", "sip:b@c"};

	*policy = (struct cp_mikey_policy){
		.type = (uint16_t)draw(65536),
		.subtype = (uint8_t)draw(256),
		.version = (uint8_t)draw(256),
		.prf = (uint8_t)draw(128),
		.flags = (uint16_t)draw(4096),
		.has_start = draw(2),
		.has_end = draw(2),
		.has_rekey = draw(2),
		.has_wishes = draw(2),
	};
	if (draw(2))
		policy->kms = cp_mikey_id_uri(names[0]);
	if (draw(2))
		policy->initiator = cp_mikey_id_bytes(names[2]);
	if (policy->has_start)
		policy->start = (uint64_t)draw(1u << 24) << 32;
	if (policy->has_end)
		policy->end = policy->start + ((1ULL + draw(1000)) << 32);
	if (policy->has_rekey)
		policy->rekey_s = 1 + draw(100000);
	for (unsigned i = policy->has_wishes ? draw(8) : 0; i > 0; i--) {
		struct cp_mikey_wish *wish = &policy->wishes[policy->wish_count++];

		*wish = (struct cp_mikey_wish){.type = (uint8_t)draw(6),
					       .key_len = (uint8_t)draw(33),
					       .spi = octets(draw(5))};
		wish->salt_len = (uint8_t)(cp_mikey_key_has_salt(wish->type) ? draw(15) : 0);
	}
	for (unsigned i = draw(CP_MIKEY_APPS_MAX + 1); i > 0; i--)
		policy->apps[policy->app_count++] = cp_mikey_id_uri(names[draw(4)]);
	for (unsigned i = 1 + draw(CP_MIKEY_RESPONDERS_MAX); i > 0; i--)
		policy->responders[policy->responder_count++] = cp_mikey_id_uri(names[draw(4)]);
}

static void
test_policies(void **state)
{
	static struct cp_mikey_policy drawn, read;
	uint8_t first[4096], second[4096];

	world_init(&w);
	for (int round = 0; round < ROUNDS; round++) {
		struct cp_mikey_writer out = cp_mikey_writer(first, sizeof(first)),
				       again = cp_mikey_writer(second, sizeof(second));
		struct cp_mikey_payload payload = {.type = CP_MIKEY_PAYLOAD_TP};
		struct cp_mikey_ticket_view view;
		const char *why;

		pooled = 0;
		draw_policy(&drawn);
		cp_mikey_policy_put(&out, CP_MIKEY_PAYLOAD_TP, &drawn);
		assert_false(out.is_full);
		payload.whole = cp_mikey_octets(first, out.len);
		view = cp_mikey_ticket_of(&payload);
		assert_int_equal(cp_mikey_policy_decode(&read, &view, &why), 0);
		assert_int_equal(read.flags, drawn.flags);
		assert_int_equal(read.start, drawn.start);
		assert_int_equal(read.end, drawn.end);
		assert_int_equal(read.rekey_s, drawn.rekey_s);
		assert_int_equal(read.wish_count, drawn.wish_count);
		assert_int_equal(read.responder_count, drawn.responder_count);
		cp_mikey_policy_put(&again, CP_MIKEY_PAYLOAD_TP, &read);
		assert_int_equal(again.len, out.len);
		assert_memory_equal(first, second, out.len);
	}
	world_fini(&w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_policies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
