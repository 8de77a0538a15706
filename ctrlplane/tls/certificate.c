/*
 * Certificates by fingerprint (RFC 8122): what the SDP said decides, so that names, dates and issuers do not matter, and a
 * self-signed one is as good as any.
 */
#include <ctype.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <string.h>

#include "ctrlplane/tls/tls_state.h"

#define SUITES_1_3 "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
#define SUITES_1_2                                                   \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:" \
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"

/* Of our own certificate: clocks of peers go wrong, and we may run for years. */
#define SELF_SIGNED_EARLY_S (7 * 86400L)
#define SELF_SIGNED_LATE_S (3650 * 86400L)

static int
has_fingerprint(X509_STORE_CTX *store, void *arg)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct cp_tls *tls = SSL_get_app_data(ssl);
	X509 *peer = X509_STORE_CTX_get0_cert(store);
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (peer && X509_digest(peer, EVP_sha256(), digest, &len) == 1 &&
	    len == CP_TLS_FINGERPRINT &&
	    (tls->is_any_taken || CRYPTO_memcmp(digest, tls->fingerprint, len) == 0)) {
		memcpy(tls->fingerprint, digest, len);
		tls->has_fingerprint = true;
		return 1;
	}
	tls->refusal = "the certificate has another fingerprint than the SDP said";
	tls->refusal_cause = CP_TLS_CAUSE_CERTIFICATE;
	X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
	return 0;
}

bool
cp_tls_certificate_setup(SSL_CTX *ctx)
{
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, has_fingerprint, NULL);
	return SSL_CTX_set_ciphersuites(ctx, SUITES_1_3) == 1 &&
	       SSL_CTX_set_cipher_list(ctx, SUITES_1_2) == 1;
}

/* A name, a number and dates are there because the form wants them. */
X509 *
cp_tls_certificate_make(EVP_PKEY *key)
{
	static const unsigned char name[] = "conclave";
	X509 *x = X509_new();
	uint64_t serial = 0;

	if (key && x && RAND_bytes((unsigned char *)&serial, sizeof(serial)) == 1 &&
	    X509_set_version(x, X509_VERSION_3) == 1 &&
	    ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial >> 1 | 1) == 1 &&
	    X509_NAME_add_entry_by_NID(X509_get_subject_name(x), NID_commonName, MBSTRING_ASC, name,
				       -1, -1, 0) == 1 &&
	    X509_set_issuer_name(x, X509_get_subject_name(x)) == 1 &&
	    X509_gmtime_adj(X509_getm_notBefore(x), -SELF_SIGNED_EARLY_S) &&
	    X509_gmtime_adj(X509_getm_notAfter(x), SELF_SIGNED_LATE_S) &&
	    X509_set_pubkey(x, key) == 1 && X509_sign(x, key, EVP_sha256()) > 0)
		return x;
	X509_free(x);
	return NULL;
}

static int
digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int
cp_tls_fingerprint_decode(uint8_t out[CP_TLS_FINGERPRINT], struct cp_slice value)
{
	uint8_t octets[CP_TLS_FINGERPRINT];
	struct cp_slice hash, hex, more;

	if (!cp_slice_word(&value, &hash) || !cp_slice_word(&value, &hex) ||
	    cp_slice_word(&value, &more))
		return -EINVAL;
	if (!cp_slice_is_nocase(hash, "sha-256"))
		return -ENOTSUP;
	if (hex.len != CP_TLS_FINGERPRINT * 3 - 1)
		return -EINVAL;
	for (size_t i = 0; i < CP_TLS_FINGERPRINT; i++) {
		const char *at = hex.ptr + i * 3;
		int high = digit((char)toupper((unsigned char)at[0]));
		int low = digit((char)toupper((unsigned char)at[1]));

		if (high < 0 || low < 0 || (i + 1 < CP_TLS_FINGERPRINT && at[2] != ':'))
			return -EINVAL;
		octets[i] = (uint8_t)(high << 4 | low);
	}
	memcpy(out, octets, sizeof(octets));
	return 0;
}
