/* What the files of this folder share: a context's two SSL_CTX, and a session. */
#ifndef CP_TLS_TLS_STATE_H
#define CP_TLS_TLS_STATE_H

#include <openssl/ssl.h>

#include "ctrlplane/base/map.h"
#include "ctrlplane/tls/tls.h"

struct cp_tls_context {
	uint32_t holders; /* its creator and its sessions */
	cp_tls_find_fn find;
	void *arg;
	SSL_CTX *psk, *certificate; /* certificate: NULL until one is loaded */
	struct cp_map in_use;	    /* struct cp_tls by identity: authenticated PSK servers */
	char fingerprint[CP_TLS_FINGERPRINT_TEXT];
};

struct cp_tls {
	struct cp_map_node by_identity;
	struct cp_tls_context *context;
	SSL *ssl;
	BIO *in, *out; /* ssl's */
	enum cp_tls_role role;
	enum cp_tls_mode mode;
	enum cp_tls_state state;
	uint64_t deadline_ms;
	struct cp_secret *psk; /* the peer's name's, or random octets: see refusal */
	const void *owner, *expected_owner, *claimed;
	const char *
		refusal; /* why the handshake is bound to fail, unseen by the peer; NULL: it is not */
	enum cp_tls_cause refusal_cause, cause;
	uint8_t fingerprint
		[CP_TLS_FINGERPRINT];	    /* the peer's certificate has it, or has to have it */
	bool is_any_taken, has_fingerprint; /* it does not have to; it is known */
	char identity[CP_TLS_IDENTITY_MAX + 1];
	char reason[CP_TLS_WHY];
	bool is_closing; /* our close-notify is out */
	bool has_claim;	 /* it stands in context->in_use */
};

/* psk.c: suites and callbacks; the identity becomes ours when the peer has shown that it has the key. */
bool cp_tls_psk_setup(SSL_CTX *ctx);
bool cp_tls_psk_is_authentic(const struct cp_tls *tls);
int cp_tls_psk_claim(struct cp_tls *tls); /* -EBUSY: another session has it */
void cp_tls_psk_release(struct cp_tls *tls);

/* certificate.c */
bool cp_tls_certificate_setup(SSL_CTX *ctx);
X509 *cp_tls_certificate_make(EVP_PKEY *key); /* self-signed; NULL on failure, key may be NULL */

/* context.c: all that both kinds have in common; NULL on failure. */
SSL_CTX *cp_tls_ctx_create(bool (*setup)(SSL_CTX *ctx));

/* reason.c: failed, because of text or, when NULL, of what OpenSSL says. The first reason stays. */
void cp_tls_fail(struct cp_tls *tls, enum cp_tls_cause cause, const char *text);

#endif
