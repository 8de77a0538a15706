/* Protected bodies: there and back, any bit changed refused, cut anywhere refused, other keys refused; BER as others write it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <openssl/cms.h>
#include <openssl/evp.h>
#include "ctrlplane/cms/cms.h"
#include "ctrlplane/cms/entity.h"

#define ID "cd177e50-240"

static const uint8_t octets[CP_CMS_KEK] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static struct cp_cms *cms;
static struct cp_secret *kek;

static struct cp_cms_key
key_of(const char *id)
{
	return (struct cp_cms_key){.kek = kek, .id = cp_slice_text(id)};
}

static struct cp_slice
slice_of(const uint8_t *at, size_t len)
{
	return cp_slice((const char *)at, len);
}

static void
test_round_trip(void **state)
{
	static const size_t sizes[] = {0, 1, 15, 16, 100, 127, 128, 255, 256, 2000, 65536, 300000};
	struct cp_cms_key key = key_of(ID);

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t size = sizes[i], len, back;
		uint8_t *content = malloc(size + 1), *room = malloc(size + CP_CMS_OVERHEAD);
		uint8_t *out = malloc(size + CP_CMS_OVERHEAD);

		for (size_t k = 0; k < size; k++)
			content[k] = (uint8_t)(k * 7);
		assert_int_equal(cp_cms_protect(room, size + CP_CMS_OVERHEAD, &len, cms, &key,
						slice_of(content, size)),
				 0);
		assert_true(len <= size + CP_CMS_OVERHEAD);
		assert_int_equal(cp_cms_open(out, len, &back, cms, &key, slice_of(room, len)), 0);
		assert_int_equal(back, size);
		assert_memory_equal(out, content, size);
		/* one octet too little room: refused, and nothing written past it */
		assert_int_equal(
			cp_cms_protect(out, len - 1, &back, cms, &key, slice_of(content, size)),
			-ENOSPC);
		free(content);
		free(room);
		free(out);
	}
}

static size_t
sample(uint8_t room[512])
{
	struct cp_cms_key key = key_of(ID);
	size_t len;

	assert_int_equal(cp_cms_protect(room, 512, &len, cms, &key,
					cp_slice_text("Content-Type: a/b\r\n\r\nhello")),
			 0);
	return len;
}

/* Each of its bits, and none of them leaves anything behind. */
static void
test_any_bit(void **state)
{
	struct cp_cms_key key = key_of(ID);
	uint8_t room[512], out[512], zero[512] = {0};
	size_t len = sample(room), back = 4711;

	for (size_t bit = 0; bit < 8 * len; bit++) {
		int rc;

		memset(out, 0, sizeof(out));
		room[bit / 8] ^= (uint8_t)(1 << bit % 8);
		rc = cp_cms_open(out, sizeof(out), &back, cms, &key, slice_of(room, len));
		if (rc != -EBADMSG && rc != -ENOKEY && rc != -EKEYREJECTED)
			fail_msg("bit %zu changed: %d", bit, rc);
		assert_memory_equal(out, zero, sizeof(out));
		assert_int_equal(back, 4711);
		room[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_int_equal(cp_cms_open(out, sizeof(out), &back, cms, &key, slice_of(room, len)), 0);
}

static void
test_cut(void **state)
{
	struct cp_cms_key key = key_of(ID);
	uint8_t room[512], out[512];
	size_t len = sample(room), back;

	for (size_t n = 0; n < len; n++) {
		uint8_t *cut = malloc(n + 1);

		memcpy(cut, room, n);
		assert_true(cp_cms_open(out, sizeof(out), &back, cms, &key, slice_of(cut, n)) < 0);
		free(cut);
	}
	room[len] = 0;
	assert_int_equal(cp_cms_open(out, sizeof(out), &back, cms, &key, slice_of(room, len + 1)),
			 -EBADMSG);
}

static void
test_keys(void **state)
{
	struct cp_cms_key key = key_of(ID), other = key_of("cd177e51-240");
	struct cp_secret *wrong, *longer;
	uint8_t room[512], out[512];
	size_t len = sample(room), back;

	assert_int_equal(cp_cms_open(out, sizeof(out), &back, cms, &other, slice_of(room, len)),
			 -ENOKEY);
	assert_int_equal(cp_secret_create_random(&wrong, CP_CMS_KEK), 0);
	key.kek = wrong;
	assert_int_equal(cp_cms_open(out, sizeof(out), &back, cms, &key, slice_of(room, len)),
			 -EKEYREJECTED);
	cp_secret_put(wrong);
	assert_int_equal(cp_secret_create_random(&longer, 32), 0);
	key.kek = longer;
	assert_int_equal(cp_cms_protect(room, sizeof(room), &len, cms, &key, cp_slice_text("x")),
			 -EINVAL);
	assert_int_equal(cp_cms_open(out, sizeof(out), &back, cms, &key, slice_of(room, len)),
			 -EINVAL);
	cp_secret_put(longer);
	key.kek = NULL;
	assert_int_equal(cp_cms_protect(room, sizeof(room), &len, cms, &key, cp_slice_text("x")),
			 -EINVAL);
}

/* Two bodies of the same octets have nothing in common but their form: content key and nonce are new. */
static void
test_fresh(void **state)
{
	uint8_t a[512], b[512];
	size_t len = sample(a), same = 0;

	assert_int_equal(sample(b), len);
	for (size_t i = len - 16; i < len; i++)
		same += a[i] == b[i];
	assert_true(same < 8);
	assert_true(memcmp(a + len / 2, b + len / 2, len / 4) != 0);
}

/* OpenSSL's CMS as the other end, both ways, in DER and in pieces. */
static void
test_openssl(void **state)
{
	static const char text[] = "Content-Type: a/b\r\n\r\nhello, hello";
	struct cp_cms_key key = key_of(ID);
	uint8_t room[4096], out[4096];
	size_t len = sample(room), back;
	const uint8_t *at = room;
	CMS_ContentInfo *info = d2i_CMS_ContentInfo(NULL, &at, (long)len);
	BIO *to = BIO_new(BIO_s_mem());
	char *got;

	assert_non_null(info);
	assert_int_equal(CMS_decrypt_set1_key(info, (uint8_t *)octets, sizeof(octets),
					      (const uint8_t *)ID, strlen(ID)),
			 1);
	assert_int_equal(CMS_decrypt(info, NULL, NULL, NULL, to, CMS_BINARY), 1);
	back = (size_t)BIO_get_mem_data(to, &got);
	assert_int_equal(back, strlen("Content-Type: a/b\r\n\r\nhello"));
	assert_memory_equal(got, "Content-Type: a/b\r\n\r\nhello", back);
	CMS_ContentInfo_free(info);
	BIO_free(to);
	for (int is_stream = 0; is_stream < 2; is_stream++) {
		unsigned int flags = CMS_BINARY | CMS_PARTIAL | (is_stream ? CMS_STREAM : 0u);
		BIO *from = BIO_new_mem_buf(text, sizeof(text) - 1);
		uint8_t *copy = OPENSSL_memdup(octets, sizeof(octets));
		uint8_t *name = OPENSSL_memdup(ID, strlen(ID));
		char *der;

		to = BIO_new(BIO_s_mem());
		info = CMS_AuthEnvelopedData_create(EVP_aes_128_gcm());
		assert_non_null(info);
		assert_non_null(CMS_add0_recipient_key(info, NID_undef, copy, sizeof(octets), name,
						       strlen(ID), NULL, NULL, NULL));
		if (is_stream) {
			assert_int_equal(i2d_CMS_bio_stream(to, info, from, (int)flags), 1);
		} else {
			assert_int_equal(CMS_set_detached(info, 0), 1);
			assert_int_equal(CMS_final(info, from, NULL, flags), 1);
			assert_int_equal(i2d_CMS_bio(to, info), 1);
		}
		len = (size_t)BIO_get_mem_data(to, &der);
		assert_int_equal(
			cp_cms_open(out, sizeof(out), &back, cms, &key, cp_slice(der, len)), 0);
		assert_int_equal(back, sizeof(text) - 1);
		assert_memory_equal(out, text, back);
		for (size_t n = 0; n < len; n++)
			assert_true(cp_cms_open(out, sizeof(out), &back, cms, &key,
						cp_slice(der, n)) < 0);
		CMS_ContentInfo_free(info);
		BIO_free(from);
		BIO_free(to);
	}
}

/* What OpenSSL makes of a body with a bit changed: nothing, or what it was (versions, type and length of the tag it passes over). */
static void
test_openssl_any_bit(void **state)
{
	static const char text[] = "Content-Type: a/b\r\n\r\nhello";
	uint8_t room[512];
	size_t len = sample(room), taken = 0;

	for (size_t bit = 0; bit < 8 * len; bit++) {
		const uint8_t *at = room;
		CMS_ContentInfo *info;
		BIO *to = BIO_new(BIO_s_mem());
		char *got;

		room[bit / 8] ^= (uint8_t)(1 << bit % 8);
		info = d2i_CMS_ContentInfo(NULL, &at, (long)len);
		if (info &&
		    CMS_decrypt_set1_key(info, (uint8_t *)octets, sizeof(octets),
					 (const uint8_t *)ID, strlen(ID)) == 1 &&
		    CMS_decrypt(info, NULL, NULL, NULL, to, CMS_BINARY) == 1) {
			assert_int_equal(BIO_get_mem_data(to, &got), strlen(text));
			assert_memory_equal(got, text, strlen(text));
			taken++;
		}
		CMS_ContentInfo_free(info);
		BIO_free(to);
		room[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_true(taken < 8 * 13); /* no more octets than those */
}

/* Indefinite lengths without end, within each other: refused in time. */
static void
test_depth(void **state)
{
	struct cp_cms_key key = key_of(ID);
	uint8_t in[4096], out[64];
	size_t back;

	for (size_t i = 0; i < sizeof(in); i += 2)
		memcpy(in + i, "\x30\x80", 2);
	assert_int_equal(cp_cms_open(out, sizeof(out), &back, cms, &key, slice_of(in, sizeof(in))),
			 -EBADMSG);
	memset(in, 0x30, sizeof(in));
	assert_int_equal(cp_cms_open(out, sizeof(out), &back, cms, &key, slice_of(in, sizeof(in))),
			 -EBADMSG);
}

static void
test_entity(void **state)
{
	static const struct {
		const char *text;
		int rc;
		const char *type, *octets;
	} rows[] = {
		{"Content-Type: a/b\r\n\r\nx\r\n", 0, "a/b", "x\r\n"},
		{"content-type : a/b ; c=d\n\n", 0, "a/b", ""},
		{"X-Y: z\r\nContent-Transfer-Encoding: Binary\r\nContent-Type: a/b\r\n\r\n1", 0,
		 "a/b", "1"},
		{"Content-Type: a/b\r\nContent-Transfer-Encoding: base64\r\n\r\neA==", -ENOTSUP, "",
		 ""},
		{"Content-Type: a/b\r\n", -EBADMSG, "", ""},
		{"\r\nx", -EBADMSG, "", ""},
		{"Content-Type\r\n\r\nx", -EBADMSG, "", ""},
		{"", -EBADMSG, "", ""},
	};
	char head[64];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cp_slice type = {0}, body = {0};

		assert_int_equal(cp_cms_entity_decode(&type, &body, cp_slice_text(rows[i].text)),
				 rows[i].rc);
		if (rows[i].rc != 0)
			continue;
		assert_true(cp_slice_is(type, rows[i].type));
		assert_true(cp_slice_is(body, rows[i].octets));
	}
	assert_int_equal(cp_cms_entity_head(head, sizeof(head), "a/b"), 21);
	assert_string_equal(head, "Content-Type: a/b\r\n\r\n");
	assert_int_equal(cp_cms_entity_head(head, 21, "a/b"), 0);
}

static int
set_up(void **state)
{
	return cp_cms_create(&cms) != 0 || cp_secret_create(&kek, octets, sizeof(octets)) != 0;
}

static int
tear_down(void **state)
{
	cp_secret_put(kek);
	cp_cms_destroy(cms);
	return cp_secret_count() == 0 ? 0 : -1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_any_bit),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_fresh),
		cmocka_unit_test(test_openssl),
		cmocka_unit_test(test_openssl_any_bit),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_entity),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
