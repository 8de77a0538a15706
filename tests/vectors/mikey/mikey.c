/* mikey_ticket.json: every derivation, every KEMAC, every MAC, and both exchanges octet for octet with
 * the clock and the randomness that made them. */
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "ctrlplane/base/base64.h"
#include "ctrlplane/mikey/cipher.h"
#include "ctrlplane/mikey/msg.h"
#include "ctrlplane/mikey/prf.h"
#include "tests/scenario/mikey/world.h"

#define ROOM 4096

static json_t *vectors;

struct hex {
	uint8_t octets[ROOM];
	size_t len;
};

static struct hex
unhex(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));
	struct hex hex = {.len = 0};

	assert_non_null(text);
	assert_true(strlen(text) / 2 <= ROOM);
	for (; text[2 * hex.len] != '\0'; hex.len++) {
		unsigned octet;

		assert_int_equal(sscanf(text + 2 * hex.len, "%2x", &octet), 1);
		hex.octets[hex.len] = (uint8_t)octet;
	}
	return hex;
}

static struct cp_mikey_octets
octets(const struct hex *hex)
{
	return cp_mikey_octets(hex->octets, hex->len);
}

static void
same(const uint8_t *got, size_t len, const struct hex *wanted)
{
	assert_int_equal(len, wanted->len);
	assert_memory_equal(got, wanted->octets, len);
}

static const char *
text(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

/* Labels as they stand in the file. */
static void
test_prf(void **state)
{
	json_t *cases = json_object_get(vectors, "cases"), *one, *row;
	size_t i, j, count = 0;

	json_array_foreach (cases, i, one)
		json_array_foreach (json_object_get(one, "derivations"), j, row) {
			struct hex inkey = unhex(row, "inkey"), label = unhex(row, "label"),
				   wanted = unhex(row, "outkey");
			uint8_t out[64];
			struct cp_mikey_wanted want = {out, wanted.len, octets(&label)};

			assert_int_equal(cp_mikey_prf(&want, 1,
						      (uint8_t)json_integer_value(
							      json_object_get(row, "prf")),
						      octets(&inkey)),
					 0);
			same(out, wanted.len, &wanted);
			count++;
		}
	assert_int_equal(count, 66);
}

static void
test_aes_cm(void **state)
{
	json_t *cases = json_object_get(vectors, "cases"), *one, *row;
	size_t i, j, count = 0;

	json_array_foreach (cases, i, one)
		json_array_foreach (json_object_get(one, "aes_cm"), j, row) {
			struct hex key = unhex(row, "key"), iv = unhex(row, "iv"),
				   plain = unhex(row, "plain"), cipher = unhex(row, "cipher");
			struct cp_mikey_key k;

			cp_mikey_key_set(&k, key.octets, key.len);
			assert_int_equal(cp_mikey_aes_cm(plain.octets, plain.len, &k, iv.octets),
					 0);
			same(plain.octets, plain.len, &cipher);
			count++;
		}
	assert_int_equal(count, 6);
}

static void
check_mac(const json_t *row, enum cp_mikey_set set)
{
	const struct cp_mikey_set_info *info = cp_mikey_set_info(set);
	struct hex key = unhex(row, "auth_key"), input = unhex(row, "input"),
		   wanted = unhex(row, "mac");
	struct cp_mikey_octets part = octets(&input);
	uint8_t mac[CP_MIKEY_MAC_MAX];
	struct cp_mikey_key k;

	cp_mikey_key_set(&k, key.octets, key.len);
	assert_int_equal(cp_mikey_hmac(mac, info->mac, &k, &part, 1), 0);
	same(mac, info->auth, &wanted);
}

static enum cp_mikey_set
set_of(const json_t *one)
{
	return json_integer_value(json_object_get(one, "set")) == 256 ? CP_MIKEY_SET_256
								      : CP_MIKEY_SET_128;
}

static void
test_macs(void **state)
{
	json_t *cases = json_object_get(vectors, "cases"), *one, *row;
	size_t i, j;

	json_array_foreach (cases, i, one) {
		json_array_foreach (json_object_get(one, "messages"), j, row)
			check_mac(json_object_get(row, "V"), set_of(one));
		assert_int_equal(j, 6);
		json_array_foreach (json_object_get(one, "macs_inside_tickets"), j, row)
			check_mac(row, set_of(one));
		assert_int_equal(j, 2);
	}
}

/* A row of the derivation table by its name. */
struct named {
	const char *prefix;
	struct cp_mikey_derivation d;
};

static const struct named named[] = {
	{"REQUEST_INIT ", {.family = CP_MIKEY_INITIAL}},
	{"REQUEST_RESP ", {.family = CP_MIKEY_RESPONSE}},
	{"RESOLVE_INIT ", {.family = CP_MIKEY_INITIAL}},
	{"RESOLVE_RESP ", {.family = CP_MIKEY_RESPONSE}},
	{"TRANSFER_INIT ", {.family = CP_MIKEY_INITIAL}},
	{"TRANSFER_RESP ", {.family = CP_MIKEY_RESPONSE}},
	{"Vr ", {.family = CP_MIKEY_VR}},
	{"TPK ", {.family = CP_MIKEY_FROM_TPK}},
	{"MPKr'", {.family = CP_MIKEY_FORK, .constant = CP_MIKEY_FORK_MPK}},
	{"TGK'", {.family = CP_MIKEY_FORK, .constant = CP_MIKEY_FORK_TGK}},
	{"MPKi", {.family = CP_MIKEY_SPLIT_MPK, .constant = CP_MIKEY_MPKI}},
	{"MPKr", {.family = CP_MIKEY_SPLIT_MPK, .constant = CP_MIKEY_MPKR}},
	{"TEK", {.family = CP_MIKEY_FROM_TGK, .constant = CP_MIKEY_TEK}},
	{"salt", {.family = CP_MIKEY_FROM_TGK, .constant = CP_MIKEY_TEK_SALT}},
};

static struct cp_mikey_derivation
derivation_of(const char *what)
{
	const char *cs = strstr(what, "CS ");

	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
		struct cp_mikey_derivation d = named[i].d;

		if (strncmp(what, named[i].prefix, strlen(named[i].prefix)) != 0)
			continue;
		if (strstr(what, "encr_key") != NULL)
			d.constant = CP_MIKEY_ENCR_KEY;
		if (strstr(what, "salt_key") != NULL)
			d.constant = CP_MIKEY_SALT_KEY;
		if (strstr(what, "auth_key") != NULL)
			d.constant = CP_MIKEY_AUTH_KEY;
		if (cs != NULL)
			d.cs_id = (uint8_t)atoi(cs + 3);
		return d;
	}
	fail_msg("no derivation is called %s", what);
	return (struct cp_mikey_derivation){0};
}

/* Every row, by our own labels. */
static void
test_table(void **state)
{
	json_t *table = json_object_get(vectors, "derivation_table"), *row;
	struct hex rand_i = unhex(table, "RANDRi"), rand_r = unhex(table, "RANDRr"),
		   rand_kms = unhex(table, "RANDRkms"), rand = unhex(table, "RAND");
	size_t i;

	json_array_foreach (json_object_get(table, "rows"), i, row) {
		struct hex inkey = unhex(row, "inkey"), wanted = unhex(row, "out");
		const char *what = text(row, "what");
		struct cp_mikey_derivation d = derivation_of(what);
		uint8_t out[64];

		d.prf = (uint8_t)json_integer_value(json_object_get(row, "prf"));
		d.inkey = octets(&inkey);
		d.csb_id = 0xcd177e50;
		d.id = cp_mikey_id_uri(text(table, "IDRr")).data;
		d.rand = octets(d.family == CP_MIKEY_FORK ? &rand_kms : &rand);
		if (strncmp(what, "RESOLVE", 7) != 0)
			d.rand_i = octets(&rand_i);
		if (strncmp(what, "RESOLVE", 7) == 0 || strncmp(what, "TRANSFER_RESP", 13) == 0 ||
		    d.family == CP_MIKEY_FROM_TGK)
			d.rand_r = octets(&rand_r);
		assert_int_equal(cp_mikey_derive(out, wanted.len, &d), 0);
		same(out, wanted.len, &wanted);
	}
	assert_int_equal(i, 228);
}

/* RFC 4567 section 5.1: the only official messages, structure only. */
static void
test_rfc_4567(void **state)
{
	static const struct {
		const char *text, *user;
		size_t len;
		uint8_t data_type, payloads[6];
	} rows[] = {
		{"AQAFgM0XflABAAAAAAAAAAAAAAsAyONQ6gAAAAAGEEoo2pee4hp2"
		 "UaDX8ZE22YwKAAAPZG9uYWxkQGR1Y2suY29tAQAAAAAAAQAk0JKpgaVkDaawi9whVBtBt"
		 "0KZ14ymNuu62+Nv3ozPLygwK/GbAV9iemnGUIZ19fWQUOSrzKTAv9zV",
		 "donald@duck.com",
		 132,
		 0,
		 {CP_MIKEY_PAYLOAD_T, CP_MIKEY_PAYLOAD_RAND, CP_MIKEY_PAYLOAD_ID,
		  CP_MIKEY_PAYLOAD_SP, CP_MIKEY_PAYLOAD_KEMAC}},
		{"AQEFgM0XflABAAAAAAAAAAAAAAYAyONQ6gAAAAAJAAAQbWlja2"
		 "V5QG1vdXNlLmNvbQABn8HdGE5BMDXFIuGEga+62AgY5cc=",
		 "mickey@mouse.com",
		 71,
		 1,
		 {CP_MIKEY_PAYLOAD_T, CP_MIKEY_PAYLOAD_ID, CP_MIKEY_PAYLOAD_V}},
	};

	for (size_t i = 0; i < 2; i++) {
		static struct cp_mikey_msg msg;
		uint8_t wire[256];
		int len = cp_base64_decode(wire, sizeof(wire), cp_slice_text(rows[i].text));
		const struct cp_mikey_payload *id;
		uint8_t role;

		assert_int_equal(len, rows[i].len);
		assert_int_equal(cp_mikey_msg_decode(&msg, cp_mikey_octets(wire, (size_t)len)), 0);
		assert_int_equal(msg.data_type, rows[i].data_type);
		assert_int_equal(msg.csb_id, 0xcd177e50);
		assert_int_equal(msg.cs_count, 1);
		for (size_t p = 0; p < msg.payloads.count; p++)
			assert_int_equal(msg.payloads.at[p].type, rows[i].payloads[p]);
		id = cp_mikey_list_find(&msg.payloads, CP_MIKEY_PAYLOAD_ID, 0);
		assert_true(cp_mikey_is_same(cp_mikey_id_of(id, &role).data,
					     cp_mikey_id_uri(rows[i].user).data));
		for (int cut = 0; cut < len; cut++)
			assert_true(cp_mikey_msg_decode(&msg, cp_mikey_octets(wire, (size_t)cut)) <
				    0);
	}
}

static void
two_keys(struct cp_secret *keys[2], const json_t *object)
{
	for (int set = 0; set < 2; set++) {
		struct hex hex = unhex(object, set == 0 ? "128" : "256");

		assert_int_equal(cp_secret_create(&keys[set], hex.octets, hex.len), 0);
	}
}

/* The KMS, the clock and the randomness of a case. */
static void
load(struct world *w, const json_t *one)
{
	json_t *config = json_object_get(one, "kms_config"), *row;
	size_t i;

	world_init(w);
	w->start = (uint64_t)json_number_value(json_object_get(one, "clock")) << 32;
	json_array_foreach (json_object_get(one, "random"), i, row) {
		struct hex value = unhex(row, "value");

		memcpy(w->draws[i].octets, value.octets, value.len);
		w->draws[i].len = value.len;
		w->draw_count++;
	}
	json_array_foreach (json_object_get(config, "users"), i, row) {
		struct world_user *user = &w->users[w->user_count++];
		json_t *acts = json_object_get(row, "may_act_for");

		snprintf(user->identity, sizeof(user->identity), "%s", text(row, "identity"));
		two_keys(user->psk, json_object_get(row, "psks"));
		if (acts != NULL)
			snprintf(user->acts_for, sizeof(user->acts_for), "%s",
				 json_string_value(json_array_get(acts, 0)));
	}
	json_array_foreach (json_object_get(config, "tpks"), i, row) {
		struct world_tpk *tpk = &w->tpks[w->tpk_count++];

		snprintf(tpk->id, sizeof(tpk->id), "%s", text(row, "id"));
		two_keys(tpk->key, row);
	}
}

/* What stands in w->out is the message of that name. */
static void
same_message(const struct world *w, const json_t *one, size_t index, const char *name)
{
	json_t *row = json_array_get(json_object_get(one, "messages"), index);
	struct hex wanted = unhex(row, "octets");

	assert_string_equal(text(row, "name"), name);
	same(w->octets, w->out.len, &wanted);
}

static void
check_session(const struct cp_mikey_csb *csb, const json_t *row)
{
	struct hex spi = unhex(row, "spi"), csb_id = unhex(row, "csb_id");
	const struct cp_mikey_session *s =
		cp_mikey_csb_find(csb, (uint8_t)json_integer_value(json_object_get(row, "cs_id")));

	assert_non_null(s);
	same(s->spi, s->spi_len, &spi);
	assert_int_equal(cp_mikey_csb_id(csb), (uint32_t)csb_id.octets[0] << 24 |
						       csb_id.octets[1] << 16 |
						       csb_id.octets[2] << 8 | csb_id.octets[3]);
	if (json_integer_value(json_object_get(row, "prot")) == CP_MIKEY_PROT_SRTP) {
		struct hex key = unhex(row, "tek"), salt = unhex(row, "master_salt");
		char ssrc[9];

		assert_int_equal(s->use, CP_MIKEY_USE_SRTP);
		assert_string_equal(dp_suite_info(s->srtp.suite)->name, text(row, "suite"));
		same(cp_secret_octets(s->srtp.octets), key.len, &key);
		same(cp_secret_octets(s->srtp.octets) + key.len,
		     cp_secret_len(s->srtp.octets) - key.len, &salt);
		snprintf(ssrc, sizeof(ssrc), "%08x", s->ssrc);
		assert_string_equal(ssrc, text(row, "ssrc"));
		assert_int_equal(s->is_from_initiator, strcmp(text(row, "direction"), "I->R") == 0);
	} else {
		struct hex kek = unhex(row, "kek");

		assert_int_equal(s->use, CP_MIKEY_USE_CMS);
		same(cp_secret_octets(s->secret), cp_secret_len(s->secret), &kek);
		assert_string_equal(s->name, text(row, "key_identifier"));
	}
}

/* Ticket Request, Transfer and Resolve, each message octet for octet. */
static void
run_case(const json_t *one)
{
	enum cp_mikey_set set = set_of(one);
	struct world w;
	struct cp_mikey_account account;
	struct cp_mikey_policy policy;
	struct cp_mikey_request *request;
	struct cp_mikey_ticket *ticket;
	struct cp_mikey_initiator *initiator;
	struct cp_mikey_responder_config config;
	struct cp_mikey_responder *responder;
	struct cp_mikey_answer answer = {NULL, 0};
	struct cp_mikey_csb *alice, *focus;
	json_t *row;
	size_t i;

	load(&w, one);
	account = world_account(&w, "sip:alice@ims.example", "sip:alice@ims.example", set);
	policy = world_policy(&w, set, "sip:alice@ims.example", world_conf);
	assert_int_equal(cp_mikey_request_make(&request, &w.out, &account, &policy, &w.env), 0);
	same_message(&w, one, 0, "REQUEST_INIT_PSK");
	assert_int_equal(world_kms(&w), 0);
	same_message(&w, one, 1, "REQUEST_RESP");
	assert_int_equal(cp_mikey_request_take(&ticket, request, world_in(&w), &w.env, &w.fault),
			 0);
	initiator = world_call(&w, ticket);
	same_message(&w, one, 2, "TRANSFER_INIT");
	config = world_focus(&w);
	w.reads = 12;
	assert_int_equal(
		cp_mikey_responder_create(&responder, &config, world_in(&w), &w.env, &w.fault), 0);
	w.reads = 12;
	assert_int_equal(cp_mikey_responder_resolve_make(&w.out, responder, &w.env), 0);
	same_message(&w, one, 3, "RESOLVE_INIT_PSK");
	assert_int_equal(world_kms(&w), 0);
	same_message(&w, one, 4, "RESOLVE_RESP");
	assert_int_equal(cp_mikey_responder_resolve_take(responder, world_in(&w), &w.env, &w.fault),
			 0);
	assert_int_equal(
		cp_mikey_responder_answer(&focus, &w.out, responder, &answer, &w.env, &w.fault), 0);
	same_message(&w, one, 5, "TRANSFER_RESP");
	assert_int_equal(cp_mikey_initiator_take(&alice, initiator, world_in(&w), &w.env, &w.fault),
			 0);
	assert_int_equal(w.drawn, w.draw_count);
	assert_false(w.mismatch);
	json_array_foreach (json_object_get(one, "crypto_sessions"), i, row) {
		check_session(alice, row);
		check_session(focus, row);
	}
	assert_int_equal(cp_mikey_csb_count(alice), i);
	assert_int_equal(cp_mikey_csb_count(focus), i);
	cp_mikey_csb_destroy(alice);
	cp_mikey_csb_destroy(focus);
	cp_mikey_responder_destroy(responder);
	cp_mikey_initiator_destroy(initiator);
	cp_mikey_ticket_destroy(ticket);
	cp_mikey_request_destroy(request);
	world_fini(&w);
	assert_int_equal(cp_secret_count(), 0);
}

static void
test_exchanges(void **state)
{
	json_t *one;
	size_t i;

	json_array_foreach (json_object_get(vectors, "cases"), i, one)
		run_case(one);
	assert_int_equal(i, 2);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prf),	  cmocka_unit_test(test_aes_cm),
		cmocka_unit_test(test_macs),	  cmocka_unit_test(test_table),
		cmocka_unit_test(test_exchanges), cmocka_unit_test(test_rfc_4567),
	};
	json_error_t error;
	int failed;

	vectors = json_load_file(argc > 1 ? argv[1] : "mikey_ticket.json", 0, &error);
	if (vectors == NULL) {
		fprintf(stderr, "%s\n", error.text);
		return 1;
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	json_decref(vectors);
	return failed;
}
