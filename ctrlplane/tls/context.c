/* What sessions share: versions, options, groups; our certificate, which can be changed under running sessions. */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctrlplane/tls/tls_state.h"

#define OPTIONS                                                               \
	(SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | \
	 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION)

SSL_CTX *
cp_tls_ctx_create(bool (*setup)(SSL_CTX *ctx))
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());

	if (!ctx)
		return NULL;
	SSL_CTX_set_options(ctx, OPTIONS);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_num_tickets(ctx, 0) != 1 || SSL_CTX_set_max_early_data(ctx, 0) != 1 ||
	    SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384") != 1 || !setup(ctx)) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

int
cp_tls_context_create(struct cp_tls_context **out, cp_tls_find_fn find, void *arg)
{
	struct cp_tls_context *c = calloc(1, sizeof(*c));

	if (!c || cp_map_init(&c->in_use) < 0) {
		free(c);
		return -ENOMEM;
	}
	c->holders = 1;
	c->find = find;
	c->arg = arg;
	c->psk = cp_tls_ctx_create(cp_tls_psk_setup);
	ERR_clear_error();
	if (!c->psk) {
		cp_tls_context_put(c);
		return -ENOTSUP;
	}
	*out = c;
	return 0;
}

struct cp_tls_context *
cp_tls_context_get(struct cp_tls_context *c)
{
	if (c)
		c->holders++;
	return c;
}

void
cp_tls_context_put(struct cp_tls_context *c)
{
	if (!c || --c->holders > 0)
		return;
	SSL_CTX_free(c->psk);
	SSL_CTX_free(c->certificate);
	cp_map_fini(&c->in_use);
	free(c);
}

static void
write_fingerprint(char *text, const uint8_t digest[CP_TLS_FINGERPRINT])
{
	int at = snprintf(text, CP_TLS_FINGERPRINT_TEXT, "sha-256");

	for (int i = 0; i < CP_TLS_FINGERPRINT; i++)
		at += snprintf(text + at, CP_TLS_FINGERPRINT_TEXT - (size_t)at, "%c%02X",
			       i ? ':' : ' ', digest[i]);
}

static int
refuse(char *why, int error, const char *path, const char *what)
{
	unsigned long code = ERR_peek_last_error();

	snprintf(why, CP_TLS_WHY, "%s: %s%s%s", path, what, code ? ": " : "",
		 code && ERR_reason_error_string(code) ? ERR_reason_error_string(code) : "");
	ERR_clear_error();
	return error;
}

/* Keys without a passphrase only: nobody is there to ask. */
static int
no_passphrase(char *buf, int size, int rwflag, void *arg)
{
	return -1;
}

static int
load_files(SSL_CTX *ctx, const char *certificate, const char *key, char *why)
{
	SSL_CTX_set_default_passwd_cb(ctx, no_passphrase);
	if (SSL_CTX_use_certificate_chain_file(ctx, certificate) != 1)
		return refuse(why, errno == ENOENT ? -ENOENT : -EINVAL, certificate,
			      "no certificate can be read");
	if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1) {
		bool is_other = ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH;

		return refuse(why,
			      is_other		? -EKEYREJECTED
			      : errno == ENOENT ? -ENOENT
						: -EINVAL,
			      key, is_other ? "not the certificate's key" : "no key can be read");
	}
	return 0;
}

/* ctx with its certificate becomes the context's, or goes. False: it has no fingerprint. */
static bool
take_over(struct cp_tls_context *c, SSL_CTX *ctx)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (X509_digest(SSL_CTX_get0_certificate(ctx), EVP_sha256(), digest, &len) != 1 ||
	    len != CP_TLS_FINGERPRINT) {
		SSL_CTX_free(ctx);
		return false;
	}
	SSL_CTX_free(c->certificate);
	c->certificate = ctx;
	write_fingerprint(c->fingerprint, digest);
	return true;
}

int
cp_tls_context_load(struct cp_tls_context *c, const char *certificate, const char *key, char *why)
{
	SSL_CTX *ctx = cp_tls_ctx_create(cp_tls_certificate_setup);
	int rc;

	if (!ctx)
		return refuse(why, -ENOMEM, certificate, "no TLS context");
	errno = 0;
	ERR_clear_error();
	rc = load_files(ctx, certificate, key, why);
	if (rc < 0) {
		SSL_CTX_free(ctx);
		return rc;
	}
	return take_over(c, ctx) ? 0 : refuse(why, -EINVAL, certificate, "it has no fingerprint");
}

int
cp_tls_context_make(struct cp_tls_context *c)
{
	SSL_CTX *ctx = cp_tls_ctx_create(cp_tls_certificate_setup);
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x509 = cp_tls_certificate_make(key);
	bool is_done = ctx && x509 && SSL_CTX_use_certificate(ctx, x509) == 1 &&
		       SSL_CTX_use_PrivateKey(ctx, key) == 1;

	X509_free(x509);
	EVP_PKEY_free(key);
	if (!is_done)
		SSL_CTX_free(ctx);
	is_done = is_done && take_over(c, ctx);
	ERR_clear_error();
	return is_done ? 0 : -ENOTSUP;
}

int
cp_tls_context_fingerprint(char *text, const struct cp_tls_context *c)
{
	if (!c->certificate)
		return -ENOENT;
	memcpy(text, c->fingerprint, sizeof(c->fingerprint));
	return 0;
}
