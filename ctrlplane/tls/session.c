/* A session between two memory BIOs: what is fed, what is to be sent, and the states in between. */
#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "ctrlplane/tls/tls_state.h"

#define DISCARD 4096

static bool
is_complete(const struct cp_tls_context *c, const struct cp_tls_params *p)
{
	if (p->mode == CP_TLS_CERTIFICATE)
		return true;
	if (p->role == CP_TLS_SERVER)
		return c->find != NULL;
	return p->psk && p->identity && p->identity[0] &&
	       strlen(p->identity) <= CP_TLS_IDENTITY_MAX;
}

static bool
set_version(SSL *ssl, enum cp_tls_version version)
{
	if (version == CP_TLS_BOTH)
		return true;
	return version == CP_TLS_1_2 ? SSL_set_max_proto_version(ssl, TLS1_2_VERSION) == 1
				     : SSL_set_min_proto_version(ssl, TLS1_3_VERSION) == 1;
}

static void
copy_params(struct cp_tls *tls, const struct cp_tls_params *p)
{
	tls->role = p->role;
	tls->mode = p->mode;
	tls->deadline_ms = p->deadline_ms;
	if (p->mode == CP_TLS_CERTIFICATE) {
		tls->is_any_taken = p->fingerprint == NULL;
		if (p->fingerprint)
			memcpy(tls->fingerprint, p->fingerprint, sizeof(tls->fingerprint));
	} else if (p->role == CP_TLS_CLIENT) {
		memcpy(tls->identity, p->identity, strlen(p->identity) + 1);
		tls->psk = cp_secret_get(p->psk);
	} else {
		tls->expected_owner = p->owner;
	}
}

/* -ENOMEM */
static int
attach(struct cp_tls *tls, SSL_CTX *ctx, enum cp_tls_version version)
{
	tls->ssl = SSL_new(ctx);
	tls->in = BIO_new(BIO_s_mem());
	tls->out = BIO_new(BIO_s_mem());
	if (!tls->ssl || !tls->in || !tls->out || !set_version(tls->ssl, version)) {
		BIO_free(tls->in);
		BIO_free(tls->out);
		return -ENOMEM;
	}
	SSL_set_bio(tls->ssl, tls->in, tls->out);
	SSL_set_app_data(tls->ssl, tls);
	if (tls->role == CP_TLS_CLIENT) {
		SSL_set_connect_state(tls->ssl);
		return 0;
	}
	SSL_set_accept_state(tls->ssl);
	if (tls->mode == CP_TLS_PSK)
		SSL_set_verify(tls->ssl, SSL_VERIFY_NONE, NULL);
	return 0;
}

/* The handshake is over: is it with whom it has to be? */
static void
finish(struct cp_tls *tls)
{
	if (tls->mode == CP_TLS_PSK && !cp_tls_psk_is_authentic(tls))
		cp_tls_fail(tls, CP_TLS_CAUSE_OTHER, NULL);
	else
		tls->state = CP_TLS_OPEN;
	/* two handshakes ran beside each other: the first to end has it, the other one is told good-bye */
	if (tls->state == CP_TLS_OPEN && tls->mode == CP_TLS_PSK && cp_tls_psk_claim(tls) < 0) {
		SSL_shutdown(tls->ssl);
		cp_tls_fail(tls, CP_TLS_CAUSE_KEY_IN_USE, "the PSK identity is in use");
	}
	tls->deadline_ms = 0;
	/* read only by the handshake */
	cp_secret_put(tls->psk);
	tls->psk = NULL;
}

static void
shake_hands(struct cp_tls *tls)
{
	int rc, error;

	ERR_clear_error();
	rc = SSL_do_handshake(tls->ssl);
	error = SSL_get_error(tls->ssl, rc);
	if (rc == 1)
		finish(tls);
	else if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
		cp_tls_fail(tls, CP_TLS_CAUSE_OTHER, NULL);
}

int
cp_tls_create(struct cp_tls **out, struct cp_tls_context *c, const struct cp_tls_params *p)
{
	SSL_CTX *ctx = p->mode == CP_TLS_PSK ? c->psk : c->certificate;
	struct cp_tls *tls;
	int rc;

	if (!is_complete(c, p))
		return -EINVAL;
	if (!ctx)
		return -ENOENT;
	tls = calloc(1, sizeof(*tls));
	if (!tls)
		return -ENOMEM;
	tls->context = c;
	c->holders++;
	copy_params(tls, p);
	rc = attach(tls, ctx, p->version);
	if (rc < 0) {
		cp_tls_destroy(tls);
		return rc;
	}
	if (p->role == CP_TLS_CLIENT)
		shake_hands(tls);
	*out = tls;
	return 0;
}

void
cp_tls_destroy(struct cp_tls *tls)
{
	if (!tls)
		return;
	cp_tls_psk_release(tls);
	SSL_free(tls->ssl);
	cp_secret_put(tls->psk);
	cp_tls_context_put(tls->context);
	free(tls);
	ERR_clear_error();
}

static size_t
room_in(BIO *bio)
{
	size_t waiting = BIO_ctrl_pending(bio);

	return waiting < CP_TLS_QUEUE_MAX ? CP_TLS_QUEUE_MAX - waiting : 0;
}

int
cp_tls_feed(size_t *taken, struct cp_tls *tls, const uint8_t *octets, size_t len)
{
	size_t room = room_in(tls->in), fed = 0;

	if (tls->state == CP_TLS_FAILED)
		return -EPROTO;
	if (tls->state == CP_TLS_CLOSED) {
		*taken = len;
		return 0;
	}
	/* who does not read what we answer is not listened to */
	if (room_in(tls->out) == 0)
		room = 0;
	if (len > 0 && room > 0 &&
	    BIO_write_ex(tls->in, octets, len < room ? len : room, &fed) != 1)
		cp_tls_fail(tls, CP_TLS_CAUSE_OTHER, "out of memory");
	if (tls->state == CP_TLS_HANDSHAKE && fed > 0)
		shake_hands(tls);
	*taken = fed;
	return tls->state == CP_TLS_FAILED ? -EPROTO : 0;
}

void
cp_tls_feed_end(struct cp_tls *tls)
{
	uint8_t octet;

	/* with a close-notify that nobody has read yet it did not end early */
	if (tls->state == CP_TLS_OPEN && SSL_peek(tls->ssl, &octet, 1) <= 0 &&
	    (SSL_get_shutdown(tls->ssl) & SSL_RECEIVED_SHUTDOWN))
		tls->state = CP_TLS_CLOSED;
	if (tls->state == CP_TLS_HANDSHAKE)
		cp_tls_fail(tls, CP_TLS_CAUSE_CUT, "the connection ended within the handshake");
	else if (tls->state == CP_TLS_OPEN)
		cp_tls_fail(tls, CP_TLS_CAUSE_CUT, "the connection ended without close-notify");
	ERR_clear_error();
}

struct cp_slice
cp_tls_output(const struct cp_tls *tls)
{
	char *at = NULL;
	long len = BIO_get_mem_data(tls->out, &at);

	return cp_slice(at, len > 0 ? (size_t)len : 0);
}

void
cp_tls_sent(struct cp_tls *tls, size_t len)
{
	uint8_t discard[DISCARD];
	size_t gone;

	while (len > 0 && BIO_read_ex(tls->out, discard, len < DISCARD ? len : DISCARD, &gone) == 1)
		len -= gone;
}

/* What OpenSSL said to a read or a write of an open session. */
static int
judge(struct cp_tls *tls, int rc)
{
	int error = SSL_get_error(tls->ssl, rc);

	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
		ERR_clear_error();
		return -EAGAIN;
	}
	if (error == SSL_ERROR_ZERO_RETURN) {
		tls->state = CP_TLS_CLOSED;
		return -EPIPE;
	}
	cp_tls_fail(tls, CP_TLS_CAUSE_OTHER, NULL);
	return -EPROTO;
}

int
cp_tls_read(size_t *len, struct cp_tls *tls, uint8_t *room, size_t size)
{
	int rc;

	if (tls->state == CP_TLS_FAILED)
		return -EPROTO;
	if (tls->state != CP_TLS_OPEN)
		return tls->state == CP_TLS_CLOSED ? -EPIPE : -EAGAIN;
	ERR_clear_error();
	rc = SSL_read_ex(tls->ssl, room, size, len);
	return rc == 1 ? 0 : judge(tls, rc);
}

int
cp_tls_write(size_t *written, struct cp_tls *tls, const uint8_t *octets, size_t len)
{
	size_t room = room_in(tls->out);
	int rc;

	if (tls->state == CP_TLS_FAILED)
		return -EPROTO;
	if (tls->state == CP_TLS_CLOSED || tls->is_closing)
		return -EPIPE;
	if (tls->state != CP_TLS_OPEN || room == 0)
		return -EAGAIN;
	if (len == 0) {
		*written = 0;
		return 0;
	}
	ERR_clear_error();
	rc = SSL_write_ex(tls->ssl, octets, len < room ? len : room, written);
	return rc == 1 ? 0 : judge(tls, rc);
}

void
cp_tls_close(struct cp_tls *tls)
{
	if (tls->state == CP_TLS_HANDSHAKE)
		cp_tls_fail(tls, CP_TLS_CAUSE_OTHER, "given up within the handshake");
	if (tls->state == CP_TLS_FAILED || tls->is_closing)
		return;
	tls->is_closing = true;
	ERR_clear_error();
	SSL_shutdown(tls->ssl);
	ERR_clear_error();
}

void
cp_tls_release(struct cp_tls *tls)
{
	cp_tls_psk_release(tls);
}

uint64_t
cp_tls_deadline(const struct cp_tls *tls)
{
	return tls->state == CP_TLS_HANDSHAKE ? tls->deadline_ms : 0;
}

void
cp_tls_tick(struct cp_tls *tls, uint64_t now_ms)
{
	if (cp_tls_deadline(tls) != 0 && now_ms >= tls->deadline_ms)
		cp_tls_fail(tls, CP_TLS_CAUSE_LATE, "the handshake took too long");
}

enum cp_tls_state
cp_tls_state(const struct cp_tls *tls)
{
	return tls->state;
}

const char *
cp_tls_reason(const struct cp_tls *tls)
{
	return tls->reason;
}

enum cp_tls_cause
cp_tls_cause(const struct cp_tls *tls)
{
	return tls->cause;
}

const void *
cp_tls_claimed(const struct cp_tls *tls)
{
	return tls->claimed;
}

static bool
is_authentic(const struct cp_tls *tls)
{
	return tls->state == CP_TLS_OPEN || tls->state == CP_TLS_CLOSED;
}

const char *
cp_tls_identity(const struct cp_tls *tls)
{
	return is_authentic(tls) ? tls->identity : "";
}

const void *
cp_tls_owner(const struct cp_tls *tls)
{
	return is_authentic(tls) ? tls->owner : NULL;
}

const uint8_t *
cp_tls_fingerprint(const struct cp_tls *tls)
{
	return is_authentic(tls) && tls->has_fingerprint ? tls->fingerprint : NULL;
}

const char *
cp_tls_version_text(const struct cp_tls *tls)
{
	return is_authentic(tls) ? SSL_get_version(tls->ssl) : "";
}

const char *
cp_tls_suite(const struct cp_tls *tls)
{
	return is_authentic(tls) ? SSL_get_cipher_name(tls->ssl) : "";
}
