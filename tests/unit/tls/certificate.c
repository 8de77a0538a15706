/* TLS with certificates by fingerprint: both ways, both versions, other fingerprints, no certificate, files changed under a session. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include "ctrlplane/tls/tls_state.h"

static char folder[] = "/tmp/conclave-tls-XXXXXX";
static struct cp_secret *psk;

/* Side 0 and 1, and a second pair of files for side 1. */
static const char *
path(const char *name)
{
	static char text[4][96];
	static unsigned next;

	next = (next + 1) % 4;
	snprintf(text[next], sizeof(text[next]), "%s/%s", folder, name);
	return text[next];
}

static void
make(const char *certificate, const char *key_name)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	FILE *file;

	assert_non_null(key);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	/* long over: only the fingerprint counts */
	ASN1_TIME_set(X509_getm_notBefore(x), 0);
	ASN1_TIME_set(X509_getm_notAfter(x), 1);
	X509_set_pubkey(x, key);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	file = fopen(path(certificate), "w");
	PEM_write_X509(file, x);
	fclose(file);
	file = fopen(path(key_name), "w");
	PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
	fclose(file);
	X509_free(x);
	EVP_PKEY_free(key);
}

struct side {
	struct cp_tls_context *context;
	struct cp_tls *tls;
	uint8_t fingerprint[CP_TLS_FINGERPRINT];
};

static void
load(struct side *s, const char *certificate, const char *key)
{
	char why[CP_TLS_WHY], text[CP_TLS_FINGERPRINT_TEXT];

	if (!s->context)
		assert_int_equal(cp_tls_context_create(&s->context, NULL, NULL), 0);
	assert_int_equal(cp_tls_context_load(s->context, path(certificate), path(key), why), 0);
	assert_int_equal(cp_tls_context_fingerprint(text, s->context), 0);
	assert_int_equal(strlen(text), 8 + 95);
	assert_int_equal(cp_tls_fingerprint_decode(s->fingerprint, cp_slice_text(text)), 0);
}

static void
exchange(struct side *client, struct side *server)
{
	struct side *side[2] = {client, server};

	for (bool is_moving = true; is_moving;) {
		is_moving = false;
		for (int i = 0; i < 2; i++) {
			struct cp_slice out = cp_tls_output(side[i]->tls);
			size_t taken = 0;

			cp_tls_feed(&taken, side[!i]->tls, (const uint8_t *)out.ptr, out.len);
			is_moving |= out.len > 0;
			cp_tls_sent(side[i]->tls, out.len);
		}
	}
}

static void
meet(struct side *client, struct side *server, enum cp_tls_version version)
{
	struct cp_tls_params params = {.mode = CP_TLS_CERTIFICATE,
				       .version = version,
				       .role = CP_TLS_CLIENT,
				       .fingerprint = server->fingerprint};

	assert_int_equal(cp_tls_create(&client->tls, client->context, &params), 0);
	params.role = CP_TLS_SERVER;
	params.fingerprint = client->fingerprint;
	assert_int_equal(cp_tls_create(&server->tls, server->context, &params), 0);
	exchange(client, server);
}

static void
part(struct side *a, struct side *b)
{
	cp_tls_destroy(a->tls);
	cp_tls_destroy(b->tls);
	a->tls = b->tls = NULL;
}

/* In 1.3 a client is done before the server has seen its certificate: the alert comes with the first read. */
static void
read_alert(struct cp_tls *tls)
{
	uint8_t octet;
	size_t len;

	cp_tls_read(&len, tls, &octet, 1);
}

static void
test_fingerprints(void **state)
{
	struct side a = {0}, b = {0};
	const char *other = "the certificate has another fingerprint than the SDP said";

	load(&a, "a.pem", "a.key");
	load(&b, "b.pem", "b.key");
	for (int version = CP_TLS_BOTH; version <= CP_TLS_1_3; version++) {
		meet(&a, &b, version);
		assert_int_equal(cp_tls_state(a.tls), CP_TLS_OPEN);
		assert_int_equal(cp_tls_state(b.tls), CP_TLS_OPEN);
		part(&a, &b);
		a.fingerprint[31] ^= 1;
		meet(&a, &b, version);
		read_alert(a.tls);
		assert_int_equal(cp_tls_state(a.tls), CP_TLS_FAILED);
		assert_int_equal(cp_tls_state(b.tls), CP_TLS_FAILED);
		assert_string_equal(cp_tls_reason(b.tls), other);
		part(&a, &b);
		a.fingerprint[31] ^= 1;
		b.fingerprint[0] ^= 0x80;
		meet(&a, &b, version);
		assert_string_equal(cp_tls_reason(a.tls), other);
		assert_int_equal(cp_tls_state(b.tls), CP_TLS_FAILED);
		part(&a, &b);
		b.fingerprint[0] ^= 0x80;
	}
	cp_tls_context_put(a.context);
	cp_tls_context_put(b.context);
}

/* New files: who is there stays, who comes gets the new one; files that are no good change nothing. */
static void
test_reload(void **state)
{
	struct side a = {0}, b = {0}, first;
	char why[CP_TLS_WHY], before[CP_TLS_FINGERPRINT_TEXT], after[CP_TLS_FINGERPRINT_TEXT];
	uint8_t room[8];
	size_t len, taken;
	struct cp_slice out;

	load(&a, "a.pem", "a.key");
	load(&b, "b.pem", "b.key");
	meet(&a, &b, CP_TLS_BOTH);
	first = b;
	struct cp_tls *peer = a.tls;

	cp_tls_context_fingerprint(before, b.context);
	assert_int_equal(cp_tls_context_load(b.context, path("c.pem"), path("b.key"), why),
			 -EKEYREJECTED);
	assert_non_null(strstr(why, "not the certificate's key"));
	assert_int_equal(cp_tls_context_load(b.context, path("none.pem"), path("b.key"), why),
			 -ENOENT);
	assert_int_equal(cp_tls_context_load(b.context, path("b.pem"), path("none.key"), why),
			 -ENOENT);
	assert_int_equal(cp_tls_context_load(b.context, path("b.key"), path("b.key"), why),
			 -EINVAL);
	assert_non_null(strstr(why, "no certificate can be read"));
	cp_tls_context_fingerprint(after, b.context);
	assert_string_equal(before, after);
	load(&b, "c.pem", "c.key");
	cp_tls_context_fingerprint(after, b.context);
	assert_string_not_equal(before, after);
	a.tls = b.tls = NULL;
	meet(&a, &b, CP_TLS_BOTH);
	assert_int_equal(cp_tls_state(b.tls), CP_TLS_OPEN);
	part(&a, &b);
	assert_int_equal(cp_tls_write(&len, first.tls, (const uint8_t *)"there", 5), 0);
	out = cp_tls_output(first.tls);
	assert_int_equal(cp_tls_feed(&taken, peer, (const uint8_t *)out.ptr, out.len), 0);
	assert_int_equal(cp_tls_read(&len, peer, room, sizeof(room)), 0);
	assert_memory_equal(room, "there", 5);
	/* contexts go with their last session */
	cp_tls_context_put(a.context);
	cp_tls_context_put(b.context);
	cp_tls_destroy(first.tls);
	cp_tls_destroy(peer);
}

/* Who has a certificate is not taken for somebody with a key, nor the other way round. */
static void
test_modes_do_not_meet(void **state)
{
	struct cp_tls_params with_psk = {
		.role = CP_TLS_CLIENT, .identity = "cd177e50-1", .psk = psk};
	struct side a = {0}, b = {0};
	struct cp_tls_params server = {.role = CP_TLS_SERVER, .mode = CP_TLS_CERTIFICATE};

	load(&a, "a.pem", "a.key");
	load(&b, "b.pem", "b.key");
	server.fingerprint = a.fingerprint;
	for (int verifies = 0; verifies < 2; verifies++) {
		assert_int_equal(cp_tls_create(&a.tls, a.context, &with_psk), 0);
		assert_int_equal(cp_tls_create(&b.tls, b.context, &server), 0);
		if (!verifies)
			SSL_set_verify(b.tls->ssl, SSL_VERIFY_NONE, NULL);
		for (int turn = 0; turn < 4; turn++) {
			struct cp_tls *from = turn % 2 ? b.tls : a.tls;
			struct cp_slice out = cp_tls_output(from);
			size_t taken;

			cp_tls_feed(&taken, turn % 2 ? a.tls : b.tls, (const uint8_t *)out.ptr,
				    out.len);
			cp_tls_sent(from, out.len);
		}
		assert_string_equal(cp_tls_reason(a.tls),
				    "the peer came with a certificate instead of the PSK");
		assert_int_equal(cp_tls_state(b.tls), CP_TLS_FAILED);
		part(&a, &b);
	}
	cp_tls_context_put(a.context);
	cp_tls_context_put(b.context);
}

static void
test_fingerprint_text(void **state)
{
	static const struct {
		const char *text;
		int rc;
	} rows[] = {
		{"SHA-256 00:01:02:03:04:05:06:07:08:09:0a:0B:0c:0d:0e:0f:"
		 "10:11:12:13:14:15:16:17:18:19:1A:1b:1c:1d:1e:1f",
		 0},
		{"sha-256 00:01:02:03:04:05:06:07:08:09:0a:0B:0c:0d:0e:0f:"
		 "10:11:12:13:14:15:16:17:18:19:1A:1b:1c:1d:1e",
		 -EINVAL},
		{"sha-256 00:01:02:03:04:05:06:07:08:09:0a:0B:0c:0d:0e:0f:"
		 "10:11:12:13:14:15:16:17:18:19:1A:1b:1c:1d:1e-1f",
		 -EINVAL},
		{"sha-256 00:01:02:03:04:05:06:07:08:09:0a:0B:0c:0d:0e:0f:"
		 "10:11:12:13:14:15:16:17:18:19:1A:1b:1c:1d:1e:1g",
		 -EINVAL},
		{"sha-1 00:01:02:03:04:05:06:07:08:09:0a:0B:0c:0d:0e:0f:10:11:12:13", -ENOTSUP},
		{"sha-256", -EINVAL},
		{"", -EINVAL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t out[CP_TLS_FINGERPRINT] = {99};

		assert_int_equal(cp_tls_fingerprint_decode(out, cp_slice_text(rows[i].text)),
				 rows[i].rc);
		for (int k = 0; k < CP_TLS_FINGERPRINT && rows[i].rc == 0; k++)
			assert_int_equal(out[k], k);
		if (rows[i].rc != 0)
			assert_int_equal(out[0], 99);
	}
}

/* A server that does not know yet who comes takes any, and learns which; a certificate that was made here is as good as one of a file. */
static void
test_any_is_told(void **state)
{
	struct side a = {0}, b = {0};
	char text[CP_TLS_FINGERPRINT_TEXT];

	load(&b, "b.pem", "b.key");
	assert_int_equal(cp_tls_context_create(&a.context, NULL, NULL), 0);
	assert_int_equal(cp_tls_context_make(a.context), 0);
	assert_int_equal(cp_tls_context_fingerprint(text, a.context), 0);
	assert_int_equal(cp_tls_fingerprint_decode(a.fingerprint, cp_slice_text(text)), 0);
	for (int version = CP_TLS_BOTH; version <= CP_TLS_1_3; version++) {
		struct cp_tls_params any = {
			.mode = CP_TLS_CERTIFICATE, .version = version, .role = CP_TLS_SERVER};

		assert_int_equal(cp_tls_create(&b.tls, b.context, &any), 0);
		any.role = CP_TLS_CLIENT;
		any.fingerprint = b.fingerprint;
		assert_int_equal(cp_tls_create(&a.tls, a.context, &any), 0);
		assert_null(cp_tls_fingerprint(b.tls));
		exchange(&a, &b);
		assert_int_equal(cp_tls_state(b.tls), CP_TLS_OPEN);
		assert_memory_equal(cp_tls_fingerprint(b.tls), a.fingerprint, CP_TLS_FINGERPRINT);
		assert_memory_equal(cp_tls_fingerprint(a.tls), b.fingerprint, CP_TLS_FINGERPRINT);
		part(&a, &b);
	}
	/* each is its own */
	assert_int_equal(cp_tls_context_make(a.context), 0);
	cp_tls_context_fingerprint(text, a.context);
	assert_int_equal(cp_tls_fingerprint_decode(b.fingerprint, cp_slice_text(text)), 0);
	assert_memory_not_equal(a.fingerprint, b.fingerprint, CP_TLS_FINGERPRINT);
	cp_tls_context_put(a.context);
	cp_tls_context_put(b.context);
}

static void
test_none_loaded(void **state)
{
	static const uint8_t print[CP_TLS_FINGERPRINT];
	struct cp_tls_params params = {.mode = CP_TLS_CERTIFICATE, .fingerprint = print};
	char text[CP_TLS_FINGERPRINT_TEXT];
	struct cp_tls_context *c;
	struct cp_tls *tls;

	assert_int_equal(cp_tls_context_create(&c, NULL, NULL), 0);
	assert_int_equal(cp_tls_create(&tls, c, &params), -ENOENT);
	assert_int_equal(cp_tls_context_fingerprint(text, c), -ENOENT);
	cp_tls_context_put(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fingerprints),	  cmocka_unit_test(test_reload),
		cmocka_unit_test(test_modes_do_not_meet), cmocka_unit_test(test_fingerprint_text),
		cmocka_unit_test(test_none_loaded),	  cmocka_unit_test(test_any_is_told),
	};
	static const char *const files[] = {"a.pem", "a.key", "b.pem", "b.key", "c.pem", "c.key"};
	int failed;

	if (!mkdtemp(folder) || cp_secret_create_random(&psk, 32) != 0)
		return 1;
	for (size_t i = 0; i < 6; i += 2)
		make(files[i], files[i + 1]);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	for (size_t i = 0; i < 6; i++)
		unlink(path(files[i]));
	rmdir(folder);
	cp_secret_put(psk);
	return failed != 0 || cp_secret_count() != 0;
}
