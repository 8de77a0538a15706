/*
 * TLS 1.3 (RFC 8446) and 1.2 (RFC 5246) for BFCP and MSRP, profile section 6, without sockets, clock or event loop: octets from the
 * wire in, octets for the wire out. A session is keyed by a PSK (RFC 4279, 5487, 5489), or by certificates whose fingerprints both
 * sides know (RFC 8122); never by either. No tickets, no resumption, no early data, no renegotiation.
 */
#ifndef CP_TLS_TLS_H
#define CP_TLS_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctrlplane/base/slice.h"
#include "ctrlplane/keys/secret.h"

#define CP_TLS_IDENTITY_MAX 128 /* octets of a PSK identity: RFC 4279 5.3 */
#define CP_TLS_FINGERPRINT 32	/* octets: SHA-256 */
#define CP_TLS_FINGERPRINT_TEXT 104
#define CP_TLS_QUEUE_MAX 65536 /* octets that wait in a session, each way */
#define CP_TLS_WHY 160

enum cp_tls_role { CP_TLS_CLIENT, CP_TLS_SERVER };
enum cp_tls_mode { CP_TLS_PSK, CP_TLS_CERTIFICATE };
enum cp_tls_version { CP_TLS_BOTH, CP_TLS_1_2, CP_TLS_1_3 };

/* handshake → open → closed (by the peer's close-notify) or failed. */
enum cp_tls_state { CP_TLS_HANDSHAKE, CP_TLS_OPEN, CP_TLS_CLOSED, CP_TLS_FAILED };

/* Why a session failed, for who counts. */
enum cp_tls_cause {
	CP_TLS_CAUSE_NONE = 0,
	CP_TLS_CAUSE_CUT,     /* the wire ended where it may not */
	CP_TLS_CAUSE_LATE,    /* the handshake took too long */
	CP_TLS_CAUSE_NOT_TLS, /* or of a version that is not taken */
	CP_TLS_CAUSE_NO_KEY,  /* no such PSK identity */
	CP_TLS_CAUSE_OTHERS_KEY,
	CP_TLS_CAUSE_KEY_IN_USE,
	CP_TLS_CAUSE_WRONG_KEY,
	CP_TLS_CAUSE_CERTIFICATE, /* none, or with another fingerprint */
	CP_TLS_CAUSE_OTHER,
};

/* psk: borrowed until the lookup's caller has taken a hold of its own. */
struct cp_tls_key {
	struct cp_secret *psk;
	const void *owner; /* whose it is; only compared and handed back */
};

/* The key of that name: 0, or anything else when there is none. It may be asked more than once in a handshake. */
typedef int (*cp_tls_find_fn)(struct cp_tls_key *out, void *arg, const char *identity);

/*
 * What sessions share: suites, our certificate, and which PSK identities are in use. Sessions hold it; it goes with the last of
 * them.
 */
struct cp_tls_context;

/* find may be NULL where no session is a PSK server. -ENOMEM; -ENOTSUP: OpenSSL lacks something. */
int cp_tls_context_create(struct cp_tls_context **out, cp_tls_find_fn find, void *arg);
struct cp_tls_context *
cp_tls_context_get(struct cp_tls_context *context);	 /* one more holder; NULL stays NULL */
void cp_tls_context_put(struct cp_tls_context *context); /* NULL is fine */

/*
 * Our certificate chain and its key, PEM; also again: sessions that are there keep theirs. On failure the former ones stay, and why
 * (CP_TLS_WHY octets) says it for people. -ENOENT, -EINVAL, -EKEYREJECTED: the key is another certificate's.
 */
int cp_tls_context_load(struct cp_tls_context *context, const char *certificate, const char *key,
			char *why);
/* A certificate and key made here, that nobody else has and that go with the context: as good as any where a fingerprint decides. */
int cp_tls_context_make(struct cp_tls_context *context); /* -ENOMEM, -ENOTSUP */
/* Of our certificate as a=fingerprint has it, "sha-256 0A:…", into CP_TLS_FINGERPRINT_TEXT octets. -ENOENT: there is none. */
int cp_tls_context_fingerprint(char *text, const struct cp_tls_context *context);

/* The value of an a=fingerprint. -EINVAL: malformed; -ENOTSUP: not SHA-256. */
int cp_tls_fingerprint_decode(uint8_t out[CP_TLS_FINGERPRINT], struct cp_slice value);

struct cp_tls_params {
	enum cp_tls_role role;
	enum cp_tls_mode mode;
	enum cp_tls_version version;
	uint64_t deadline_ms; /* on the caller's clock: the handshake ends by then; 0: never */
	/* PSK client: its identity and key, both copied or held. */
	const char *identity;
	struct cp_secret *psk;
	/* PSK server: only a key of that owner is taken; NULL: of any. */
	const void *owner;
	/* Certificates: the peer's; NULL: any is taken, and cp_tls_fingerprint says which it was. */
	const uint8_t *fingerprint;
};

/* One connection's TLS. Owner: whoever created it; one thread. */
struct cp_tls;

/* -EINVAL; -ENOENT: no certificate is loaded; -ENOMEM. A client has octets for the wire at once. */
int cp_tls_create(struct cp_tls **out, struct cp_tls_context *context,
		  const struct cp_tls_params *params);
/* Without a word to the peer; gives the identity back. NULL is fine. */
void cp_tls_destroy(struct cp_tls *tls);

/*
 * Octets from the wire. taken: how many, fewer than len when CP_TLS_QUEUE_MAX wait to be read or to be sent. 0; -EPROTO: the session
 * has failed (now or before), and an alert may wait for the wire. What comes after the close-notify is dropped.
 */
int cp_tls_feed(size_t *taken, struct cp_tls *tls, const uint8_t *octets, size_t len);
/* The wire ended, and all was read. Without a close-notify before it the session has failed: it was cut off. */
void cp_tls_feed_end(struct cp_tls *tls);

/* Octets for the wire, valid until the next call for this session; the first len of them are gone. */
struct cp_slice cp_tls_output(const struct cp_tls *tls);
void cp_tls_sent(struct cp_tls *tls, size_t len);

/* Application data. -EAGAIN: none now; -EPIPE: the peer has closed; -EPROTO: failed. */
int cp_tls_read(size_t *len, struct cp_tls *tls, uint8_t *room, size_t size);
/* written: fewer than len when CP_TLS_QUEUE_MAX wait. -EAGAIN: in handshake, or none; -EPIPE: closed; -EPROTO: failed. */
int cp_tls_write(size_t *written, struct cp_tls *tls, const uint8_t *octets, size_t len);
/* Our close-notify: nothing is written any more, what the peer still sends can be read. A handshake is given up. */
void cp_tls_close(struct cp_tls *tls);

/* What is left to say is said, and nobody listens any more: its PSK identity may be used anew. */
void cp_tls_release(struct cp_tls *tls);

/* When cp_tls_tick is due; 0: never. A handshake past its deadline fails. */
uint64_t cp_tls_deadline(const struct cp_tls *tls);
void cp_tls_tick(struct cp_tls *tls, uint64_t now_ms);

enum cp_tls_state cp_tls_state(const struct cp_tls *tls);
/* Why it failed, for the log and not for the peer: never a key, never a name of the peer's. "": it did not. */
const char *cp_tls_reason(const struct cp_tls *tls);
enum cp_tls_cause cp_tls_cause(const struct cp_tls *tls);
/* Server: whose key it is that the peer has named, proven or not, taken or not: for the log alone. NULL: nobody's. */
const void *cp_tls_claimed(const struct cp_tls *tls);

/* Of an authenticated session, else NULL or "". */
const char *cp_tls_identity(const struct cp_tls *tls);
const void *cp_tls_owner(const struct cp_tls *tls);
const uint8_t *cp_tls_fingerprint(const struct cp_tls *tls); /* of its certificate */
const char *cp_tls_version_text(const struct cp_tls *tls);   /* "TLSv1.3" */
const char *cp_tls_suite(const struct cp_tls *tls);	     /* OpenSSL's name of it */

#endif
