/* Bodies that others have made, under the keys of the MIKEY vectors and of RFC 3394; attributes that are authenticated, or not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>
#include "ctrlplane/cms/cms.h"
#include "ctrlplane/keys/hex.h"

static const char *folder, *tickets;
static struct cp_cms *cms;
static uint8_t entity[1024];
static size_t entity_len;

static size_t
read_file(uint8_t *to, size_t size, const char *name)
{
	char path[1024];
	FILE *file;
	size_t len;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "rb");
	assert_non_null(file);
	len = fread(to, 1, size, file);
	fclose(file);
	assert_true(len > 0 && len < size);
	return len;
}

static int
open_file(const char *name, const char *kek_hex, const char *id, size_t flip)
{
	uint8_t in[2048], out[2048], octets[CP_CMS_KEK];
	size_t len = read_file(in, sizeof(in), name), n = 0;
	struct cp_secret *kek;
	struct cp_cms_key key;
	int rc;

	assert_int_equal(cp_hex_decode(octets, sizeof(octets), kek_hex), 0);
	assert_int_equal(cp_secret_create(&kek, octets, sizeof(octets)), 0);
	if (flip > 0)
		in[len - flip] ^= 1;
	key = (struct cp_cms_key){.kek = kek, .id = cp_slice_text(id)};
	rc = cp_cms_open(out, sizeof(out), &n, cms, &key, cp_slice((char *)in, len));
	cp_secret_put(kek);
	if (rc == 0) {
		assert_int_equal(n, entity_len);
		assert_memory_equal(out, entity, n);
	}
	return rc;
}

/* From the ticket to the body. */
static void
test_tickets(void **state)
{
	json_t *all = json_load_file(tickets, 0, NULL), *one;
	size_t i;
	unsigned opened = 0;

	assert_non_null(all);
	json_array_foreach (json_object_get(all, "cases"), i, one) {
		json_t *session;
		size_t k;

		json_array_foreach (json_object_get(one, "crypto_sessions"), k, session) {
			const char *kek = json_string_value(json_object_get(session, "kek"));
			const char *id =
				json_string_value(json_object_get(session, "key_identifier"));
			int set = (int)json_integer_value(json_object_get(one, "set"));
			char name[32];

			if (!kek)
				continue;
			for (int is_ber = 0; is_ber < 2; is_ber++) {
				snprintf(name, sizeof(name), "set%d_%s.p7m", set,
					 is_ber ? "ber" : "der");
				assert_int_equal(open_file(name, kek, id, 0), 0);
				assert_int_equal(open_file(name, kek, "cd177e50-240", 0), -ENOKEY);
				opened++;
			}
		}
	}
	json_decref(all);
	assert_int_equal(opened, 4);
}

static void
test_rfc3394(void **state)
{
	static const char kek[] = "000102030405060708090a0b0c0d0e0f", id[] = "cd177e50-240";

	assert_int_equal(open_file("rfc3394.p7m", kek, id, 0), 0);
	assert_int_equal(open_file("rfc3394.p7m", kek, id, 1), -EKEYREJECTED);
	assert_int_equal(open_file("attributes.p7m", kek, id, 0), 0);
	/* the last octets are unauthenticated attributes, then ICV, then an authenticated attribute */
	assert_int_equal(open_file("attributes.p7m", kek, id, 17 + 18 + 1), -EKEYREJECTED);
}

static int
set_up(void **state)
{
	entity_len = read_file(entity, sizeof(entity), "entity");
	return cp_cms_create(&cms);
}

static int
tear_down(void **state)
{
	cp_cms_destroy(cms);
	return 0;
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tickets),
		cmocka_unit_test(test_rfc3394),
	};

	if (argc != 3)
		return 1;
	folder = argv[1];
	tickets = argv[2];
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
