/* Who calls: P-Asserted-Identity of trusted peers (RFC 3325 5), digest authentication (RFC 3261 22), or From as it stands. */
#include "ctrlplane/sip/sip_state.h"

#include <stdio.h>
#include <strings.h>
#include <time.h>

#include <sofia-sip/msg_addr.h>
#include <sofia-sip/msg_header.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/url.h>

#include "ctrlplane/base/log.h"

#define AREA "sip"

uint64_t
cp_sip_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static bool
is_from_trusted_peer(const struct cp_sip *s, nua_t *nua)
{
	msg_t *msg = nua_current_request(nua);
	const su_addrinfo_t *from = msg ? msg_addrinfo(msg) : NULL;

	return from && from->ai_addr &&
	       cp_peers_has(s->options->peers, s->options->peer_count, from->ai_addr);
}

/* From, with nothing behind it. */
static void
claimed(struct cp_sip_identity *identity, const sip_t *request)
{
	const sip_from_t *from = request->sip_from;
	char text[2 * CP_IDENTITY_MAX];

	if (url_e(text, sizeof(text), from->a_url) >= (issize_t)sizeof(text) ||
	    cp_identity(identity->uri, cp_slice_text(text)) != 0)
		identity->uri[0] = '\0';
	identity->proof = CP_SIP_CLAIMED;
	if (cp_sip_is_anonymous(identity->uri)) {
		identity->uri[0] = '\0';
		identity->proof = CP_SIP_ANONYMOUS;
		return;
	}
	if (from->a_display) {
		size_t len = strlen(from->a_display);
		bool is_quoted = len >= 2 && from->a_display[0] == '"';

		snprintf(identity->name, sizeof(identity->name), "%.*s",
			 (int)(is_quoted ? len - 2 : len), from->a_display + is_quoted);
	}
}

static bool
asserted(struct cp_sip_identity *identity, const sip_t *request)
{
	struct cp_sip_identity made = {.is_private = identity->is_private};

	for (const sip_unknown_t *u = request->sip_unknown; u; u = u->un_next) {
		if (!u->un_name || !u->un_value ||
		    strcasecmp(u->un_name, "P-Asserted-Identity") != 0)
			continue;
		if (cp_sip_decode_asserted(&made, u->un_value) != 0) {
			cp_log(CP_LOG_WARN, AREA,
			       "P-Asserted-Identity of a trusted peer is malformed: %s",
			       u->un_value);
			return false;
		}
	}
	if (!*made.uri && *made.tel)
		memcpy(made.uri, made.tel, sizeof(made.uri));
	if (cp_sip_is_anonymous(made.uri))
		return false;
	made.proof = CP_SIP_ASSERTED;
	*identity = made;
	return true;
}

static const struct cp_sip_account *
find_account(const struct cp_sip_options *o, const char *user)
{
	for (size_t i = 0; i < o->account_count; i++)
		if (strcmp(o->accounts[i].user, user) == 0)
			return &o->accounts[i];
	return NULL;
}

/* An answer to a challenge for one conference does not open another one. */
static bool
is_for_this(const struct cp_digest_answer *a, const sip_t *request)
{
	su_home_t home[1] = {SU_HOME_INIT(home)};
	const char *wanted = request->sip_request->rq_url->url_user;
	url_t *url;
	bool is_same = false;

	su_home_init(home);
	url = url_make(home, a->uri);
	if (url)
		is_same = strcmp(url->url_user ? url->url_user : "", wanted ? wanted : "") == 0;
	su_home_deinit(home);
	return is_same;
}

/* The right answer to a nonce of ours: that account; else NULL. */
static const struct cp_sip_account *
authenticated(struct cp_sip *s, const sip_t *request, bool *is_stale)
{
	static const struct cp_sip_account nobody = {
		.ha1_md5 = "00000000000000000000000000000000",
		.ha1_sha256 = "0000000000000000000000000000000000000000000000000000000000000000",
	};
	uint64_t now = cp_sip_now_ms();

	for (const sip_authorization_t *au = request->sip_authorization; au; au = au->au_next) {
		struct cp_digest_answer a;
		const struct cp_sip_account *account;
		enum cp_nonce_verdict verdict;
		bool is_right;

		if (!au->au_scheme || strcasecmp(au->au_scheme, "Digest") != 0 ||
		    cp_digest_decode(&a, (const char *const *)au->au_params) != 0 ||
		    strcmp(a.realm, s->options->realm) != 0)
			continue;
		account = find_account(s->options, a.username);
		/* An unknown user costs as much as a known one. */
		is_right = cp_digest_is_right(&a,
					      a.algorithm == CP_DIGEST_SHA256
						      ? (account ? account : &nobody)->ha1_sha256
						      : (account ? account : &nobody)->ha1_md5,
					      request->sip_request->rq_method_name);
		verdict = cp_nonce_may_use(&s->nonces, a.nonce, a.nc, now);
		if (!account || !is_right || verdict == CP_NONCE_UNKNOWN ||
		    !is_for_this(&a, request)) {
			cp_log(CP_LOG_INFO, AREA, "digest authentication of user %s failed",
			       a.username);
			continue;
		}
		if (verdict == CP_NONCE_STALE) {
			*is_stale = true;
			continue;
		}
		cp_nonce_commit(&s->nonces, a.nonce, a.nc);
		return account;
	}
	return NULL;
}

/* From must be the account's: its URI, or its user name at whatever host the phone was told. */
static bool
is_accounts_from(const struct cp_sip_identity *from, const struct cp_sip_account *account)
{
	const char *user = strchr(from->uri, ':');
	size_t len = strlen(account->user);

	if (from->proof == CP_SIP_ANONYMOUS || strcmp(from->uri, account->uri) == 0)
		return true;
	return user && strncmp(user + 1, account->user, len) == 0 && user[1 + len] == '@';
}

static bool
wants_privacy(const sip_t *message)
{
	const sip_privacy_t *p = message->sip_privacy;
	bool is_private = false;

	for (size_t i = 0; p && p->priv_values && p->priv_values[i]; i++)
		is_private |= cp_sip_is_private(p->priv_values[i]);
	return is_private;
}

void
cp_sip_identify_answer(struct cp_sip_identity *identity, struct cp_sip_listen *l,
		       const sip_t *response)
{
	memset(identity, 0, sizeof(*identity));
	identity->is_private = wants_privacy(response);
	if (!is_from_trusted_peer(l->sip, l->nua) || asserted(identity, response))
		return;
	for (const sip_unknown_t *u = response->sip_unknown; u; u = u->un_next)
		if (u->un_name && u->un_value && strcasecmp(u->un_name, "History-Info") == 0 &&
		    cp_sip_decode_history(identity->uri, u->un_value) == 0)
			identity->proof = CP_SIP_ASSERTED;
	if (identity->proof == CP_SIP_ASSERTED && cp_sip_is_anonymous(identity->uri))
		memset(identity, 0, sizeof(*identity));
}

enum cp_sip_verdict
cp_sip_identify(struct cp_sip_identity *identity, bool *is_stale, struct cp_sip_listen *l,
		const sip_t *request, bool needs_identity)
{
	struct cp_sip *s = l->sip;
	const struct cp_sip_account *account;

	memset(identity, 0, sizeof(*identity));
	*is_stale = false;
	identity->is_private = wants_privacy(request);
	if (is_from_trusted_peer(s, l->nua) && asserted(identity, request))
		return CP_SIP_KNOWN;
	claimed(identity, request);
	if (s->options->account_count == 0)
		return CP_SIP_KNOWN;
	account = authenticated(s, request, is_stale);
	if (account) {
		if (!is_accounts_from(identity, account))
			return CP_SIP_REFUSE;
		identity->is_private |= identity->proof == CP_SIP_ANONYMOUS;
		snprintf(identity->uri, sizeof(identity->uri), "%s", account->uri);
		identity->proof = CP_SIP_DIGEST;
		return CP_SIP_KNOWN;
	}
	if (request->sip_authorization && needs_identity)
		return CP_SIP_CHALLENGE;
	return needs_identity && identity->proof != CP_SIP_ANONYMOUS ? CP_SIP_CHALLENGE
								     : CP_SIP_KNOWN;
}

void
cp_sip_challenge(struct cp_sip_listen *l, nua_handle_t *nh, bool is_stale)
{
	struct cp_sip *s = l->sip;
	char nonce[CP_NONCE_TEXT], sha256[512], md5[512];

	cp_nonce_encode(&s->nonces, cp_sip_now_ms(), nonce);
	snprintf(sha256, sizeof(sha256),
		 "Digest realm=\"%s\", nonce=\"%s\", algorithm=SHA-256, qop=\"auth\"%s",
		 s->options->realm, nonce, is_stale ? ", stale=true" : "");
	snprintf(md5, sizeof(md5),
		 "Digest realm=\"%s\", nonce=\"%s\", algorithm=MD5, qop=\"auth\"%s",
		 s->options->realm, nonce, is_stale ? ", stale=true" : "");
	/* The best first: a client takes the first that it can (RFC 8760 2.3). */
	nua_respond(nh, SIP_401_UNAUTHORIZED, NUTAG_WITH_THIS(l->nua),
		    SIPTAG_WWW_AUTHENTICATE_STR(sha256), SIPTAG_WWW_AUTHENTICATE_STR(md5),
		    TAG_END());
}
