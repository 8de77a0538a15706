/*
 * Pre-shared keys: external PSK of TLS 1.3 (RFC 8446 4.2.11, psk_dhe_ke), PSK suites of TLS 1.2 (RFC 4279, 5487, 5489). A name that
 * is unknown, another owner's or in use gets random octets as its key: the peer sees what it sees with a wrong key.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#include "ctrlplane/base/id.h"
#include "ctrlplane/tls/tls_state.h"

#define SUITE_1_3 "TLS_AES_128_GCM_SHA256"
#define SUITES_1_2 "ECDHE-PSK-AES128-CBC-SHA256:DHE-PSK-AES128-GCM-SHA256:PSK-AES128-GCM-SHA256"
#define DECOY 32 /* octets of a key that nobody has */

static const uint8_t suite_1_3[] = {0x13, 0x01};

static uint32_t
hash_of(const char *text)
{
	return cp_hash(text, strlen(text));
}

static bool
is_identity(const struct cp_map_node *node, const void *key)
{
	return strcmp(CP_CONTAINER(node, const struct cp_tls, by_identity)->identity, key) == 0;
}

static const char *
refuse(struct cp_tls *tls, enum cp_tls_cause cause, const char *why)
{
	tls->refusal_cause = cause;
	return why;
}

/* NULL: key is good. */
static const char *
refusal_of(struct cp_tls_key *key, struct cp_tls *tls, const char *identity)
{
	struct cp_tls_context *c = tls->context;
	size_t len = strlen(identity);

	tls->claimed = NULL;
	if (len == 0 || len > CP_TLS_IDENTITY_MAX)
		return refuse(tls, CP_TLS_CAUSE_NO_KEY, "the PSK identity is malformed");
	if (!c->find || c->find(key, c->arg, identity) != 0 || !key->psk)
		return refuse(tls, CP_TLS_CAUSE_NO_KEY, "no such PSK identity");
	tls->claimed = key->owner;
	if (tls->expected_owner && key->owner != tls->expected_owner)
		return refuse(tls, CP_TLS_CAUSE_OTHERS_KEY, "the PSK identity is somebody else's");
	if (cp_map_find(&c->in_use, hash_of(identity), is_identity, identity))
		return refuse(tls, CP_TLS_CAUSE_KEY_IN_USE, "the PSK identity is in use");
	return NULL;
}

/* The key of that name into tls, or a decoy. May come again within a handshake. False: not even that. */
static bool
take_key(struct cp_tls *tls, const char *identity)
{
	struct cp_tls_key key = {0};

	tls->refusal = refusal_of(&key, tls, identity);
	cp_secret_put(tls->psk);
	tls->psk = NULL;
	tls->owner = NULL;
	tls->identity[0] = '\0';
	if (tls->refusal)
		return cp_secret_create_random(&tls->psk, DECOY) == 0;
	tls->psk = cp_secret_get(key.psk);
	tls->owner = key.owner;
	memcpy(tls->identity, identity, strlen(identity) + 1);
	return true;
}

/* A session that stands for the PSK: OpenSSL's form of it. */
static SSL_SESSION *
session_of(SSL *ssl, const struct cp_secret *psk)
{
	SSL_SESSION *session = SSL_SESSION_new();
	const SSL_CIPHER *suite = SSL_CIPHER_find(ssl, suite_1_3);

	if (session && suite &&
	    SSL_SESSION_set1_master_key(session, cp_secret_octets(psk), cp_secret_len(psk)) == 1 &&
	    SSL_SESSION_set_cipher(session, suite) == 1 &&
	    SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION) == 1)
		return session;
	SSL_SESSION_free(session);
	return NULL;
}

static int
server_1_3(SSL *ssl, const unsigned char *identity, size_t len, SSL_SESSION **session)
{
	struct cp_tls *tls = SSL_get_app_data(ssl);
	char text[CP_TLS_IDENTITY_MAX + 2];
	size_t kept = len < sizeof(text) ? len : sizeof(text) - 1;

	memcpy(text, identity, kept);
	text[kept] = '\0';
	/* a NUL inside is part of the name: cut there it would be another one */
	if (memchr(text, '\0', kept))
		text[0] = '\0';
	if (!take_key(tls, text))
		return 0;
	*session = session_of(ssl, tls->psk);
	return *session != NULL;
}

static unsigned
copy_psk(unsigned char *psk, unsigned max, const struct cp_tls *tls)
{
	size_t len = cp_secret_len(tls->psk);

	if (len > max)
		return 0;
	memcpy(psk, cp_secret_octets(tls->psk), len);
	return (unsigned)len;
}

static unsigned
server_1_2(SSL *ssl, const char *identity, unsigned char *psk, unsigned max)
{
	struct cp_tls *tls = SSL_get_app_data(ssl);

	return take_key(tls, identity ? identity : "") ? copy_psk(psk, max, tls) : 0;
}

static int
client_1_3(SSL *ssl, const EVP_MD *md, const unsigned char **id, size_t *len, SSL_SESSION **session)
{
	struct cp_tls *tls = SSL_get_app_data(ssl);

	*session = NULL;
	if (md && !EVP_MD_is_a(md, "SHA256"))
		return 1;
	*session = session_of(ssl, tls->psk);
	*id = (const unsigned char *)tls->identity;
	*len = strlen(tls->identity);
	return *session != NULL;
}

static unsigned
client_1_2(SSL *ssl, const char *hint, char *identity, unsigned room, unsigned char *psk,
	   unsigned max)
{
	struct cp_tls *tls = SSL_get_app_data(ssl);
	size_t len = strlen(tls->identity);

	if (len >= room)
		return 0;
	memcpy(identity, tls->identity, len + 1);
	return copy_psk(psk, max, tls);
}

/* A server that answers a PSK with a certificate is not whom we talk to. */
static int
no_certificate(X509_STORE_CTX *store, void *arg)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct cp_tls *tls = SSL_get_app_data(ssl);

	tls->refusal = "the peer came with a certificate instead of the PSK";
	tls->refusal_cause = CP_TLS_CAUSE_CERTIFICATE;
	X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
	return 0;
}

/* For DHE-PSK: a group of RFC 7919 that is as strong as the cipher. */
static bool
set_group(SSL_CTX *ctx)
{
	EVP_PKEY *group = EVP_PKEY_new();
	EVP_PKEY_CTX *maker = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
	OSSL_PARAM params[] = {OSSL_PARAM_utf8_string("group", (char *)"ffdhe3072", 9),
			       OSSL_PARAM_END};
	bool is_set = group && maker && EVP_PKEY_fromdata_init(maker) == 1 &&
		      EVP_PKEY_fromdata(maker, &group, EVP_PKEY_KEY_PARAMETERS, params) == 1 &&
		      SSL_CTX_set0_tmp_dh_pkey(ctx, group) == 1;

	EVP_PKEY_CTX_free(maker);
	if (!is_set)
		EVP_PKEY_free(group);
	return is_set;
}

bool
cp_tls_psk_setup(SSL_CTX *ctx)
{
	SSL_CTX_set_psk_find_session_callback(ctx, server_1_3);
	SSL_CTX_set_psk_server_callback(ctx, server_1_2);
	SSL_CTX_set_psk_use_session_callback(ctx, client_1_3);
	SSL_CTX_set_psk_client_callback(ctx, client_1_2);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, no_certificate, NULL);
	return SSL_CTX_set_ciphersuites(ctx, SUITE_1_3) == 1 &&
	       SSL_CTX_set_cipher_list(ctx, SUITES_1_2) == 1 && set_group(ctx);
}

bool
cp_tls_psk_is_authentic(const struct cp_tls *tls)
{
	const SSL_CIPHER *suite = SSL_get_current_cipher(tls->ssl);

	if (tls->refusal || !tls->psk || !suite)
		return false;
	return SSL_version(tls->ssl) == TLS1_3_VERSION
		       ? SSL_session_reused(tls->ssl) == 1
		       : SSL_CIPHER_get_auth_nid(suite) == NID_auth_psk;
}

int
cp_tls_psk_claim(struct cp_tls *tls)
{
	struct cp_map *in_use = &tls->context->in_use;
	uint32_t hash = hash_of(tls->identity);

	if (tls->role != CP_TLS_SERVER)
		return 0;
	if (cp_map_find(in_use, hash, is_identity, tls->identity))
		return -EBUSY;
	cp_map_put(in_use, &tls->by_identity, hash);
	tls->has_claim = true;
	return 0;
}

void
cp_tls_psk_release(struct cp_tls *tls)
{
	if (tls->has_claim)
		cp_map_drop(&tls->context->in_use, &tls->by_identity);
	tls->has_claim = false;
}
