/* "conclave mikey show" on the vectors: each message found in each dress, verified and opened with the
 * keys of the file, and the TEKs that the file gives derived from the TPK alone. */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "ctrlplane/base/base64.h"
#include "ctrlplane/cli/mikey_state.h"

static json_t *vectors;

static struct cp_cli_mikey_input
message(const json_t *one, size_t index)
{
	const char *hex = json_string_value(
		json_object_get(json_array_get(json_object_get(one, "messages"), index), "octets"));
	struct cp_cli_mikey_input inputs[CP_CLI_MIKEY_MAX];

	assert_int_equal(cp_cli_mikey_find(inputs, (const uint8_t *)hex, strlen(hex)), 1);
	return inputs[0];
}

/* The same octets as base64 with line ends, as octets, and twice in an SDP body. */
static void
test_dresses(void **state)
{
	struct cp_cli_mikey_input wanted =
		message(json_array_get(json_object_get(vectors, "cases"), 0), 2);
	struct cp_cli_mikey_input found[CP_CLI_MIKEY_MAX];
	char text[4096], sdp[16384];

	cp_base64_encode(text, wanted.octets, wanted.len);
	snprintf(sdp, sizeof(sdp),
		 "v=0\r\na=key-mgmt:mikey %s\r\nm=audio 1 RTP/SAVP 0\r\na=key-mgmt:mikey %s\r\n",
		 text, text);
	assert_int_equal(cp_cli_mikey_find(found, (const uint8_t *)sdp, strlen(sdp)), 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(found[i].len, wanted.len);
		assert_memory_equal(found[i].octets, wanted.octets, wanted.len);
	}
	cp_cli_mikey_drop(found, 2);
	snprintf(sdp, sizeof(sdp), "%.60s\n %s\n", text, text + 60);
	assert_int_equal(cp_cli_mikey_find(found, (const uint8_t *)sdp, strlen(sdp)), 1);
	assert_memory_equal(found[0].octets, wanted.octets, wanted.len);
	cp_cli_mikey_drop(found, 1);
	assert_int_equal(cp_cli_mikey_find(found, wanted.octets, wanted.len), 1);
	assert_int_equal(found[0].len, wanted.len);
	cp_cli_mikey_drop(found, 1);
	assert_true(cp_cli_mikey_find(found, (const uint8_t *)"no message", 10) < 0);
	assert_true(cp_cli_mikey_find(found, (const uint8_t *)"a=key-mgmt:mikey ?", 18) < 0);
	cp_cli_mikey_drop(&wanted, 1);
}

/* What examine finds with that line of keys; holds as told. */
static json_t *
examine(const json_t *one, size_t index, int init, const char *name, const char *key)
{
	static struct cp_mikey_msg msg, first;
	struct cp_cli_mikey_input input = message(one, index), initial = {NULL, 0};
	struct cp_cli_mikey_keys keys = {.reveal = true};
	char path[] = "/tmp/mikey-keys-XXXXXX", line[160];
	int fd = mkstemp(path);
	enum cp_mikey_set set;
	json_t *found, *tree;
	bool holds = false;

	snprintf(line, sizeof(line), "# a comment\nidentity: sip:x\n%s: %s\n", name, key);
	assert_int_equal(write(fd, line, strlen(line)), strlen(line));
	close(fd);
	tree = cp_cli_mikey_tree(&msg, cp_mikey_octets(input.octets, input.len));
	assert_null(json_object_get(tree, "error"));
	json_decref(tree);
	if (init >= 0) {
		initial = message(one, (size_t)init);
		assert_int_equal(
			cp_mikey_msg_decode(&first, cp_mikey_octets(initial.octets, initial.len)),
			0);
	}
	assert_int_equal(cp_mikey_set_of_prf(&set, msg.prf), 0);
	assert_int_equal(cp_cli_mikey_keys_read(&keys, path, set), 0);
	found = cp_cli_mikey_examine(&msg, init >= 0 ? &first : NULL, &keys, &holds);
	assert_true(holds);
	unlink(path);
	cp_cli_mikey_drop(&input, 1);
	cp_cli_mikey_drop(&initial, 1);
	return found;
}

static size_t
checks(const json_t *found)
{
	const json_t *item;
	size_t i, count = 0;

	json_array_foreach (found, i, item)
		count += json_is_true(json_object_get(item, "holds"));
	return count;
}

static const char *
key_called(const json_t *found, const char *name)
{
	const json_t *item;
	size_t i;

	json_array_foreach (found, i, item) {
		const char *its = json_string_value(json_object_get(item, "name"));

		if (its != NULL && strcmp(its, name) == 0)
			return json_string_value(json_object_get(item, "key"));
	}
	return "";
}

static const char *
of_user(const json_t *one, size_t user, const char *set)
{
	const json_t *users = json_object_get(json_object_get(one, "kms_config"), "users");

	return json_string_value(
		json_object_get(json_object_get(json_array_get(users, user), "psks"), set));
}

static void
examine_case(const json_t *one)
{
	const char *set = json_integer_value(json_object_get(one, "set")) == 256 ? "256" : "128";
	const char *psk = set[0] == '2' ? "psk256" : "psk128";
	const json_t *tpks = json_object_get(json_object_get(one, "kms_config"), "tpks"), *session;
	const char *tpk = json_string_value(json_object_get(json_array_get(tpks, 0), set));
	const struct {
		size_t message;
		int init;
		const char *name, *key;
		size_t checks;
	} rows[] = {
		{0, -1, psk, of_user(one, 0, set), 1},
		{1, 0, psk, of_user(one, 0, set), 2},
		{3, -1, "psk", of_user(one, 3, set), 1},
		{4, 3, psk, of_user(one, 3, set), 2},
		{1, -1, "tpk", tpk, 1},
		{2, -1, "tpk", tpk, 4},
		{3, -1, "tpk", tpk, 1},
	};
	json_t *found;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		found = examine(one, rows[i].message, rows[i].init, rows[i].name, rows[i].key);
		assert_int_equal(checks(found), rows[i].checks);
		json_decref(found);
	}
	found = examine(one, 5, 2, "tpk", tpk);
	assert_int_equal(checks(found), 2);
	json_array_foreach (json_object_get(one, "crypto_sessions"), i, session) {
		const json_t *tek = json_object_get(session, "tek");
		const char *wanted =
			json_string_value(tek != NULL ? tek : json_object_get(session, "kek"));
		char name[16];

		snprintf(name, sizeof(name), "CS %d",
			 (int)json_integer_value(json_object_get(session, "cs_id")));
		assert_int_equal(strncmp(key_called(found, name), wanted, strlen(wanted)), 0);
	}
	assert_int_equal(i, 3);
	json_decref(found);
}

static void
test_vectors(void **state)
{
	const json_t *one;
	size_t i;

	json_array_foreach (json_object_get(vectors, "cases"), i, one)
		examine_case(one);
}

/* A wrong key is told, and a key is not printed unasked. */
static void
test_wrong_key_and_no_reveal(void **state)
{
	const json_t *one = json_array_get(json_object_get(vectors, "cases"), 0);
	static struct cp_mikey_msg msg;
	struct cp_cli_mikey_input input = message(one, 1);
	struct cp_cli_mikey_keys keys = {.tpk = {.len = 32}};
	const json_t *tpks = json_object_get(json_object_get(one, "kms_config"), "tpks");
	bool holds = true;
	json_t *found;
	char *text;

	assert_int_equal(cp_mikey_msg_decode(&msg, cp_mikey_octets(input.octets, input.len)), 0);
	json_decref(cp_cli_mikey_examine(&msg, NULL, &keys, &holds));
	assert_false(holds);
	for (size_t i = 0; i < 32; i++)
		sscanf(json_string_value(json_object_get(json_array_get(tpks, 0), "256")) + 2 * i,
		       "%2hhx", &keys.tpk.octets[i]);
	found = cp_cli_mikey_examine(&msg, NULL, &keys, &holds);
	assert_true(holds);
	text = json_dumps(found, 0);
	assert_non_null(strstr(text, "MPKr"));
	assert_null(strstr(text, "9443c37fbf5afd08")); /* the TGK */
	free(text);
	json_decref(found);
	cp_cli_mikey_drop(&input, 1);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dresses),
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_wrong_key_and_no_reveal),
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
